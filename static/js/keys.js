// Keys that work everywhere: / searches, Ctrl or ⌘ K jumps, ? tells the keys.

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") != null;
}

function jump() {
  const palette = document.getElementById("palette");
  if (palette.open) return palette.close();
  palette.showModal();
  const input = palette.querySelector("input");
  input.focus();
  input.select();
}

function showKeys() {
  const keys = document.getElementById("keys");
  if (!keys.open) keys.showModal();
}

export function keys() {
  const button = document.getElementById("keys-button");
  button.hidden = false;
  button.addEventListener("click", showKeys);

  const jumping = document.getElementById("palette-button");
  if (jumping) {
    jumping.hidden = false;
    jumping.addEventListener("click", jump);
  }

  for (const dialog of document.querySelectorAll("dialog")) {
    // A click beside the dialog closes it.
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      return jump();
    }
    if (event.ctrlKey || event.metaKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      const input = document.getElementById("search-words");
      input.focus();
      input.select();
    } else if (event.key === "?") {
      event.preventDefault();
      showKeys();
    }
  });
}
