// Buttons that copy a name, a statement or the text of an element.

import { say } from "./say.js";

function textOf(button) {
  const from = button.dataset.copyFrom;
  return from ? document.getElementById(from).textContent : button.dataset.copy;
}

async function copy(button) {
  const icon = button.querySelector(".icon");
  try {
    await navigator.clipboard.writeText(textOf(button));
    icon.classList.replace("i-copy", "i-check");
    say("Copied.");
  } catch {
    say("The browser does not allow copying here.");
  }
  setTimeout(() => icon.classList.replace("i-check", "i-copy"), 1500);
}

export function copying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button.copy[hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}
