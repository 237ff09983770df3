// Editors: a preview as one types, text that survives a reload, a warning before it is left, Ctrl or ⌘ Enter saves.

import { say } from "./say.js";

const PAUSE = 250;

/** What this browser keeps of a form that was not saved: its fields and the version that they were begun from. */
const drafts = {
  key: (form) => `draft:${form.dataset.draft}`,

  read(form) {
    try {
      return JSON.parse(localStorage.getItem(this.key(form)));
    } catch {
      return null;
    }
  },

  keep(form) {
    try {
      localStorage.setItem(this.key(form), JSON.stringify({ at: new Date().toISOString(), fields: fieldsOf(form) }));
    } catch {
      // Storage is full or switched off: then leaving still warns.
    }
  },

  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // There is none.
    }
  },
};

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
    if (field.id) field.id = field.name;
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
}

/** Offers what was kept, unless it is what the form holds already. */
function offer(form, changed) {
  const kept = drafts.read(form);
  if (!kept || same(kept.fields, fieldsOf(form))) return;
  const notice = form.querySelector("#kept");
  const time = notice.querySelector("time");
  time.dateTime = kept.at;
  time.textContent = new Date(kept.at).toLocaleString();
  notice.hidden = false;
  notice.querySelector("#kept-take").addEventListener("click", () => {
    // With its version: what others saved since is put together with it.
    fill(form, kept.fields);
    notice.hidden = true;
    changed();
    say("Taken up again.");
  });
  notice.querySelector("#kept-drop").addEventListener("click", () => {
    drafts.drop(drafts.key(form));
    notice.hidden = true;
  });
}

function previewing(area) {
  const section = document.getElementById("preview");
  const body = document.getElementById("preview-body");
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

  document.getElementById("preview-button")?.remove();
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });
  show();
  return show;
}

function edit(form) {
  const area = form.querySelector("textarea[data-preview]");
  const preview = area ? previewing(area) : () => {};
  // What was refused is as unsaved as what was typed.
  let unsaved = "unsaved" in form.dataset;
  const begun = fieldsOf(form);

  const changed = () => {
    unsaved = !same(fieldsOf(form), begun) || "unsaved" in form.dataset;
    if (unsaved) drafts.keep(form);
    else drafts.drop(drafts.key(form));
    preview();
  };
  // A form that was refused holds all that was sent, so there is nothing else to take up.
  if (unsaved) drafts.keep(form);
  else offer(form, changed);

  form.addEventListener("input", changed);
  form.addEventListener("submit", () => {
    unsaved = false;
    drafts.keep(form);
    try {
      sessionStorage.setItem("sent", JSON.stringify({ key: drafts.key(form), back: form.dataset.back }));
    } catch {
      // The draft stays, and is offered again.
    }
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(document.getElementById("save"));
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
}

/** What was sent has been saved if the page that one is led to then is the asset's. */
function forgetSaved() {
  try {
    const sent = JSON.parse(sessionStorage.getItem("sent"));
    sessionStorage.removeItem("sent");
    if (sent && location.pathname === sent.back) {
      drafts.drop(sent.key);
      say("Saved.");
    }
  } catch {
    // Storage is switched off: nothing was kept.
  }
}

export function editors() {
  forgetSaved();
  for (const form of document.querySelectorAll("form[data-draft]")) edit(form);
}
