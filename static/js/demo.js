// The demo's steward has begun a description, and somebody else has saved another one since: the browser keeps it like any
// other draft. A draft that the steward discards does not come back.

import { keepDraft } from "./editor.js";

const MARK = "demo-draft";

export function demoDraft() {
  const form = document.querySelector("form[data-unfinished]");
  form?.addEventListener("submit", () => {
    const { form: place, ...draft } = JSON.parse(form.dataset.unfinished);
    try {
      if (localStorage.getItem(MARK) === place) return;
      localStorage.setItem(MARK, place);
    } catch {
      return;
    }
    keepDraft(place, draft);
  });
}
