// Buttons that copy a name, a statement or the text of an element.

import { say } from "./say.js";
import { toast } from "./toast.js";

function textOf(button) {
  const from = button.dataset.copyFrom;
  if (from) return document.getElementById(from).textContent;
  const { copy, address } = button.dataset;
  return address ? copy.replaceAll("{url}", new URL(address, location.href).href) : copy;
}

async function copy(button) {
  const icon = button.querySelector(".icon");
  try {
    await navigator.clipboard.writeText(textOf(button));
    icon.classList.replace("i-copy", "i-check");
    const menu = button.closest("details.menu");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
      toast("Copied.");
    } else {
      say("Copied.");
    }
  } catch {
    say("The browser does not allow copying here.");
  }
  setTimeout(() => icon.classList.replace("i-check", "i-copy"), 1500);
}

export function copying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button.copy:not([data-ready])")) {
    button.hidden = false;
    button.dataset.ready = "";
    button.addEventListener("click", () => copy(button));
  }
}
