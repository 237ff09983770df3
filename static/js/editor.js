// Editors, on a page of their own or in another one: a preview as one types, text that survives a reload, a warning
// before it is left, Ctrl or ⌘ Enter saves. Knows nothing of what is edited.

import { say } from "./say.js";

const PAUSE = 250;

/** What this browser keeps of a form that was not saved: its fields and the version that they were begun from. */
const drafts = {
  key: (form) => keyOf(form.dataset.draft),

  read(form) {
    try {
      return JSON.parse(localStorage.getItem(this.key(form)));
    } catch {
      return null;
    }
  },

  keep(form) {
    const draft = { at: new Date().toISOString(), fields: fieldsOf(form) };
    if (keepDraft(form.dataset.draft, draft)) form.dataset.kept = "";
  },

  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // There is none.
    }
  },
};

function keyOf(place) {
  return `draft:${place}`;
}

/** Keeps a draft of the form of a place; tells whether it could be kept. */
export function keepDraft(place, draft) {
  try {
    localStorage.setItem(keyOf(place), JSON.stringify(draft));
    return true;
  } catch {
    // Storage is full or switched off: then leaving still warns.
    return false;
  }
}

/** Forgets the draft of a form that was saved. */
export function drop(form) {
  drafts.drop(drafts.key(form));
  delete form.dataset.kept;
}

function fieldsOf(form) {
  return [...new FormData(form)].map(([name, text]) => [name, String(text)]);
}

function same(one, other) {
  const texts = (fields) => JSON.stringify(fields.filter(([name]) => name !== "version").map(([name, text]) => [name, text.replaceAll("\r\n", "\n")]));
  return texts(one) === texts(other);
}

/** A row for what was kept of one that the page no longer has. */
function addRow(form, number) {
  const rows = form.querySelectorAll(".row");
  const row = rows[rows.length - 1]?.cloneNode(true);
  if (!row) return;
  for (const field of row.querySelectorAll("[name]")) {
    field.name = field.name.replace(/\d+$/, number);
    if (field.id) field.id = `field-${field.name}`;
    if (field.localName === "input") field.value = "";
  }
  rows[rows.length - 1].after(row);
}

function fill(form, fields) {
  const texts = new Map(fields);
  for (const [name, text] of fields) {
    const [number] = name.match(/\d+$/) ?? [];
    if (text && number && !form.elements.namedItem(name)) addRow(form, number);
  }
  for (const field of form.elements) {
    if (!field.name || field.type === "submit") continue;
    if (field.type === "checkbox") field.checked = texts.has(field.name);
    else if (texts.has(field.name)) field.value = texts.get(field.name);
  }
  form.dispatchEvent(new CustomEvent("filled"));
}

/** Offers what was kept, unless it is what the form holds already. */
function offer(form, changed) {
  const kept = drafts.read(form);
  if (!kept || same(kept.fields, fieldsOf(form))) return;
  const notice = form.querySelector(".kept");
  const time = notice.querySelector("time");
  time.dateTime = kept.at;
  time.textContent = new Date(kept.at).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  notice.hidden = false;
  notice.querySelector(".kept-take").addEventListener("click", () => {
    // With its version: what others saved since is put together with it.
    fill(form, kept.fields);
    notice.hidden = true;
    changed();
    say("Draft restored.");
  });
  notice.querySelector(".kept-drop").addEventListener("click", () => {
    drop(form);
    notice.hidden = true;
  });
}

function previewing(form, area) {
  const section = form.parentElement.querySelector(".preview");
  const body = section.querySelector(".preview-body");
  let timer;
  let request;

  async function show() {
    request?.abort();
    if (!area.value.trim()) {
      section.hidden = true;
      return;
    }
    request = new AbortController();
    try {
      const answer = await fetch(area.dataset.preview, {
        method: "POST",
        body: new URLSearchParams({ text: area.value }),
        headers: { "HX-Request": "true" },
        signal: request.signal,
      });
      if (!answer.ok) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      body.replaceChildren(...part.body.children);
      section.hidden = false;
    } catch {
      // No preview for now: saving shows it.
    }
  }

  form.querySelector(".preview-button")?.remove();
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });
  show();
  return show;
}

/** Rows of a list: one empty row is enough, and each can be emptied by a button. */
function rows(form) {
  const all = () => [...form.querySelectorAll(".rows > .row")];
  const inputs = (row) => [...row.querySelectorAll("input")];
  const isEmpty = (row) => inputs(row).every((input) => !input.value.trim());
  const tidy = () => {
    let offered = false;
    for (const row of all()) {
      const empty = isEmpty(row) && !row.contains(document.activeElement);
      row.hidden = empty && offered;
      offered ||= isEmpty(row);
      const clear = row.querySelector(".clear-row");
      if (clear) clear.hidden = isEmpty(row);
    }
  };
  for (const clear of form.querySelectorAll(".clear-row")) {
    clear.addEventListener("click", () => {
      const row = clear.closest(".row");
      for (const input of inputs(row)) input.value = "";
      row.dispatchEvent(new Event("input", { bubbles: true }));
      row.hidden = true;
      all().find((other) => !other.hidden && other !== row)?.querySelector("input").focus();
    });
  }
  for (const name of ["input", "picked", "filled"]) form.addEventListener(name, tidy);
  tidy();
}

/** Descriptions from elsewhere are taken over into the field, where they can be looked at before they are saved. */
function offers(form, area) {
  for (const button of form.querySelectorAll("[data-use]")) {
    button.type = "button";
    button.addEventListener("click", () => {
      area.value = button.dataset.use;
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.focus();
    });
  }
}

/** Of each place that two people changed, one text can be taken instead of both. */
function takes(form, area) {
  const list = form.parentElement.querySelector(".takes");
  if (!list || !area) return;
  list.hidden = false;
  for (const place of list.children) {
    let present = place.dataset.both;
    for (const button of place.querySelectorAll("[data-take]")) {
      button.addEventListener("click", () => {
        const at = area.value.indexOf(present);
        if (at < 0 || !present) return say("This place was edited by hand.");
        area.setRangeText(button.dataset.take, at, at + present.length, "select");
        present = button.dataset.take;
        for (const other of place.querySelectorAll("[data-take]")) other.setAttribute("aria-pressed", String(other === button));
        area.dispatchEvent(new Event("input", { bubbles: true }));
        area.focus();
      });
    }
  }
}

/** Makes a form an editor. In another page it is left and sent by that page. */
export function editor(form, { inPlace = false } = {}) {
  const area = form.querySelector("textarea[data-preview]");
  const preview = area ? previewing(form, area) : () => {};
  // What was refused is as unsaved as what was typed.
  let unsaved = "unsaved" in form.dataset;
  const begun = fieldsOf(form);

  const changed = () => {
    unsaved = !same(fieldsOf(form), begun) || "unsaved" in form.dataset;
    if (unsaved) drafts.keep(form);
    else drop(form);
  };
  rows(form);
  if (area) offers(form, area);
  takes(form, area);
  // A form that was refused holds all that was sent, so there is nothing else to take up.
  if (unsaved) drafts.keep(form);
  else offer(form, () => { changed(); preview(); });

  form.addEventListener("input", changed);
  form.addEventListener("picked", changed);
  window.addEventListener("beforeunload", (event) => {
    if (unsaved && form.isConnected) event.preventDefault();
  });
  form.addEventListener("submit", () => {
    unsaved = false;
    if (inPlace) return;
    drafts.keep(form);
    try {
      sessionStorage.setItem("sent", JSON.stringify({ key: drafts.key(form), back: form.dataset.back }));
    } catch {
      // The draft stays, and is offered again.
    }
  });
  if (inPlace) return;
  form.querySelector("[aria-invalid], textarea, input:not([type=hidden])")?.focus({ preventScroll: true });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector(".save"));
    }
  });
}

/** What was sent has been saved if the page that one is led to then is the one that showed it before. */
function forgetSaved() {
  try {
    const sent = JSON.parse(sessionStorage.getItem("sent"));
    sessionStorage.removeItem("sent");
    if (sent && location.pathname === sent.back) drafts.drop(sent.key);
  } catch {
    // Storage is switched off: nothing was kept.
  }
}

export function editors() {
  forgetSaved();
  for (const form of document.querySelectorAll("form[data-draft]")) editor(form);
}
