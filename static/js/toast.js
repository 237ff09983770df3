// What was just done, told at the edge of the window, with the way back. Knows nothing of what it was done to.

import { say } from "./say.js";

const SHOWN = 12_000;

let timer;

/** Takes a toast away after a while, but not while somebody points at it or is in it. */
function fade(toast) {
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) wait();
      else toast.remove();
    }, SHOWN);
  };
  wait();
}

function place(toast) {
  document.getElementById("toast")?.remove();
  document.getElementById("main").append(toast);
  say(toast.querySelector("p").textContent);
  fade(toast);
  return toast;
}

/** Shows a sentence, with what a person may do about it: a label and a function. */
export function toast(text, label, act) {
  const box = document.createElement("div");
  box.className = "toast";
  box.id = "toast";
  const words = document.createElement("p");
  words.textContent = text;
  box.append(words);
  if (label) {
    const button = document.createElement("button");
    button.className = "quiet";
    button.textContent = label;
    button.addEventListener("click", () => {
      box.remove();
      act();
    });
    box.append(button);
  }
  return place(box);
}

/** Shows the toast of a page that was fetched; answers it, or nothing where there is none. */
export function toastOf(page) {
  const found = page.querySelector("#toast");
  return found && place(document.importNode(found, true));
}

/** The toast that came with the page: told, faded, and gone from the address, so that a reload does not tell it again. */
export function toasts() {
  const found = document.getElementById("toast");
  if (!found) return;
  place(found);
  const address = new URL(location.href);
  for (const name of ["saved", "undone", "of"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}
