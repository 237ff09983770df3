// What scripts add to pages that work without them.

import { combobox } from "./combobox.js";
import { columns } from "./columns.js";
import { copying } from "./copy.js";
import { demoDraft } from "./demo.js";
import { editors } from "./editor.js";
import { hitKeys, showHits } from "./hits.js";
import { inPlace } from "./in-place.js";
import { keys } from "./keys.js";
import { menus } from "./menu.js";
import { pickers } from "./picker.js";
import { noteRecent } from "./recent.js";
import { shows } from "./shows.js";
import { sorting } from "./sort.js";
import { themeChoice, themeSwitch } from "./theme-switch.js";
import { toasts } from "./toast.js";

function enhance(root) {
  for (const input of root.querySelectorAll("input[data-suggest]")) combobox(input);
  copying(root);
  columns(root);
  showHits();
  pickers(root);
  shows(root);
  sorting(root);
}

themeSwitch();
themeChoice();
enhance(document);
keys();
hitKeys();
noteRecent();
menus();
editors();
demoDraft();
inPlace(enhance);
toasts();

// Parts of a page that arrive later.
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) enhance(event.target);
});
