// Editing where one reads: a link that opens a form opens it in the page, below what it edits.
//
// The form is the one of its own page, and so is what becomes of it: saved, refused, or put together with what somebody
// else saved. Knows nothing of what is edited. `data-editable` is what a form opens below; `data-live` with an id is what
// a save may change.

import { drop, editor } from "./editor.js";
import { toast, toastOf } from "./toast.js";

const LINK = "a[data-in-place]";

/** What is open: its element, what it edits, and the link that opened it. */
let open;

/** The save that is on its way; nothing else opens before it has arrived. */
let saving;

/** What makes parts of the page work that have just arrived. */
let enhance = () => {};

async function fetched(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { answer, page };
}

/** A row opens a row below it; anything else opens at its end. */
function placeFor(host) {
  const box = document.createElement(host.localName === "tr" ? "tr" : "div");
  box.className = "in-place-box";
  if (host.localName === "tr") {
    const cell = document.createElement("td");
    cell.colSpan = host.cells.length;
    box.append(cell);
    host.after(box);
    return [box, cell];
  }
  host.append(box);
  return [box, box];
}

function fill(inside, page) {
  inside.replaceChildren(...page.body.children);
  const form = inside.querySelector("form.editor");
  if (!form) return null;
  enhance(inside);
  editor(form, { inPlace: true });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const next = "next" in form.dataset;
    delete form.dataset.next;
    save(form, event.submitter, next);
  });
  const wrong = inside.querySelector("[aria-invalid]");
  const first = wrong ?? form.querySelector("textarea:not([hidden]), input:not([type=hidden], [hidden]), select");
  first?.focus();
  if (first?.localName === "textarea") first.setSelectionRange(first.value.length, first.value.length);
  inside.querySelector(".conflict")?.scrollIntoView({ block: "nearest" });
  return form;
}

/** Opens the form of a link in the page; where that does not work, its own page does. */
async function edit(link) {
  if (saving) {
    await saving;
    link = link.isConnected ? link : linkTo(link.href);
    if (!link) return;
  }
  if (open?.link === link) return open.inside.querySelector("textarea, input:not([type=hidden])")?.focus();
  close();
  const host = link.closest("[data-editable]") ?? link.parentElement;
  const { answer, page } = await fetched(link.href).catch(() => ({ answer: { ok: false } }));
  if (!answer.ok || !page.querySelector("form.editor")) return void (location.href = link.href);
  const [box, inside] = placeFor(host);
  open = { box, inside, host, link };
  host.classList.add("being-edited");
  fill(inside, page);
  box.scrollIntoView({ block: "nearest" });
}

/** Leaves what is open; what was typed stays in this browser. */
function close() {
  if (!open) return;
  const { box, host, link } = open;
  const draft = "kept" in (box.querySelector("form.editor")?.dataset ?? {});
  open = undefined;
  box.remove();
  host.classList.remove("being-edited");
  link.focus();
  if (draft) toast("Not saved. This browser keeps the draft.", "Open it", () => edit(link));
}

/** The link that opens the form at this address, as the page is now. */
function linkTo(href) {
  const { pathname } = new URL(href, location.href);
  const links = [...document.querySelectorAll(LINK)].filter((link) => link.dataset.inPlace !== "first");
  return links.find((link) => new URL(link.href).pathname === pathname);
}

/** Sends the form once, and puts what came of it into the page. */
function save(form, submitter, next = false) {
  if (saving) return;
  document.getElementById("toast")?.remove();
  saving = send(form, submitter, next).finally(() => { saving = undefined; });
}

async function send(form, submitter, next) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.set(submitter.name, submitter.value);
  const { answer, page } = await fetched(form.action, { method: "POST", body }).catch(() => ({}));
  if (!answer) return void toast("The catalog does not answer. Nothing was saved.", "Try again", () => save(form, submitter, next));
  if (page.querySelector("form.editor")) {
    fill(open.inside, page);
    return;
  }
  // Nobody is signed in, or the server refused in another way: its page keeps the text.
  if (!answer.ok) return void form.submit();
  drop(form);
  shown(page, next);
}

/** Shows what was saved where it is read: a row in its place, or every part of the page that may have changed. */
function shown(page, next) {
  const { box, host, link } = open;
  const upcoming = next ? following(host) : null;
  open = undefined;
  box.remove();
  host.classList.remove("being-edited");
  let here = host;
  const row = host.localName === "tr" ? page.querySelector("tr[data-editable]") : null;
  if (row) {
    here = document.importNode(row, true);
    here.classList.remove("shut");
    const twist = host.querySelector(".twist");
    here.querySelector(".twist")?.setAttribute("aria-expanded", twist?.getAttribute("aria-expanded") ?? "true");
    host.replaceWith(here);
    enhance(here);
    // Counts and the history follow; nobody waits for them.
    fetched(location.href).then(({ answer, page: whole }) => answer.ok && swap(whole)).catch(() => {});
  } else {
    swap(page);
  }
  if (!toastOf(page)) toast("Nothing was changed.");
  const again = linkTo(link.href);
  here = again?.closest("[data-editable]") ?? here;
  flash(here);
  again?.focus();
  // Behind this save, for which everything that opens waits.
  if (upcoming) setTimeout(() => edit(upcoming));
}

/** Puts the parts of a page that was fetched in the place of those that are shown. */
function swap(page) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh || part.contains(open?.box ?? null) || part.contains(document.activeElement)) continue;
    const put = document.importNode(fresh, true);
    part.replaceWith(put);
    window.htmx?.process(put);
    enhance(put);
  }
}

function flash(element) {
  element.classList.remove("flash");
  void element.offsetWidth;
  element.classList.add("flash");
}

const shownRows = (table) => [...table.querySelectorAll("tr[data-editable]")].filter((row) => row.offsetParent !== null);

function neighbour(row, by) {
  const rows = shownRows(row.closest("table"));
  return rows[rows.indexOf(row) + by];
}

/** The link that opens the form of the next row. */
function following(host) {
  if (host.localName !== "tr") return null;
  return neighbour(host, 1)?.querySelector(LINK) ?? null;
}

/** What a key means now: the row or section that has the focus or is pointed at, else the lead of the page. */
function atHand() {
  const here = document.activeElement?.closest("[data-editable]") ?? [...document.querySelectorAll("[data-editable]:hover")].pop();
  return here?.querySelector(LINK) ?? document.querySelector('a[data-in-place="lead"]');
}

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable], dialog") != null;
}

function keydown(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const form = event.target.closest?.(".in-place-box form.editor");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.dataset.next = "";
    return form.requestSubmit(form.querySelector(".save"));
  }
  if (form && event.key === "Escape") {
    event.preventDefault();
    return close();
  }
  if (event.ctrlKey || event.metaKey || event.shiftKey || typing(event.target)) return;
  const row = event.target.closest?.("tr[data-editable]");
  const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (row && by) {
    const link = neighbour(row, by)?.querySelector(LINK);
    if (!link) return;
    event.preventDefault();
    link.focus();
  } else if (event.key === "e") {
    const link = atHand();
    if (!link) return;
    event.preventDefault();
    edit(link);
  }
}

function click(event) {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest(LINK);
  if (link) {
    event.preventDefault();
    return void edit(link.dataset.inPlace === "first" ? counterpart(link) : link);
  }
  if (event.target.closest(".in-place-box .cancel")) {
    event.preventDefault();
    return close();
  }
  const row = event.target.closest("tr[data-editable]");
  if (!row || event.target.closest("a, button, summary, input, label") || !getSelection().isCollapsed) return;
  // A tap shows what a pointer shows by being there; a click on the text edits it.
  for (const other of document.querySelectorAll("tr.at-hand")) other.classList.toggle("at-hand", other === row);
  row.classList.add("at-hand");
  if (matchMedia("(hover: hover)").matches && event.target.closest("td.about")) edit(row.querySelector(LINK));
}

/** A link above a list means the row that it leads to, where that is shown. */
function counterpart(link) {
  const rows = [...document.querySelectorAll(`tr[data-editable] ${LINK}`)];
  const row = rows.find((other) => other.href === link.href);
  for (let at = row?.closest("tr"); at; at = outer(at)) at.classList.remove("shut");
  return row ?? link;
}

function outer(row) {
  const twist = [...row.closest("tbody").querySelectorAll(".twist")].find((one) => one.dataset.opens === row.dataset.in);
  twist?.setAttribute("aria-expanded", "true");
  return twist?.closest("tr");
}

/** Undo, beside a toast, without leaving the page. */
async function undo(event) {
  const form = event.target.closest?.(".toast form");
  if (!form) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  const { answer, page } = await fetched(form.action, { method: "POST", body }).catch(() => ({}));
  if (!answer?.ok) return void form.submit();
  document.getElementById("toast")?.remove();
  const fresh = page.querySelector("tr[data-editable]");
  if (page.querySelector("[data-live]")) {
    swap(page);
  } else if (fresh) {
    const row = sameRow(fresh.querySelector(LINK).getAttribute("href"));
    if (row) {
      const put = document.importNode(fresh, true);
      put.classList.remove("shut");
      row.replaceWith(put);
      enhance(put);
      flash(put);
      put.querySelector(LINK).focus();
    }
  }
  toastOf(page);
}

function sameRow(href) {
  return [...document.querySelectorAll(`tr[data-editable] ${LINK}`)].find((link) => link.getAttribute("href") === href)?.closest("tr");
}

export function inPlace(enhancing) {
  enhance = enhancing;
  document.addEventListener("click", click);
  document.addEventListener("keydown", keydown);
  document.addEventListener("submit", undo);
}
