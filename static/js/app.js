// What scripts add to pages that work without them.

import { combobox } from "./combobox.js";
import { columns } from "./columns.js";
import { copying } from "./copy.js";
import { editors } from "./editor.js";
import { hitKeys, showHits } from "./hits.js";
import { keys } from "./keys.js";
import { menus } from "./menu.js";
import { noteRecent } from "./recent.js";
import { themeChoice, themeSwitch } from "./theme-switch.js";

function enhance(root) {
  for (const input of root.querySelectorAll("input[data-suggest]")) combobox(input);
  copying(root);
  columns(root);
  showHits();
}

themeSwitch();
themeChoice();
enhance(document);
keys();
hitKeys();
noteRecent();
menus();
editors();

// Parts of a page that arrive later.
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) enhance(event.target);
});
