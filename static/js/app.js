// What scripts add to pages that work without them.

import { combobox } from "./combobox.js";
import { columns } from "./columns.js";
import { copying } from "./copy.js";
import { editors } from "./editor.js";
import { keys } from "./keys.js";
import { menus } from "./menu.js";
import { themeChoice, themeSwitch } from "./theme-switch.js";

function enhance(root) {
  for (const input of root.querySelectorAll("input[data-suggest]")) combobox(input);
  copying(root);
  columns(root);
}

themeSwitch();
themeChoice();
enhance(document);
keys();
menus();
editors();

// Parts of a page that arrive later.
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) enhance(event.target);
});
