// The columns of a table: nested fields open and close, and a filter works as one types.

import { say } from "./say.js";

function inside(body, key) {
  return [...body.querySelectorAll("tr[data-in]")].filter((row) => row.dataset.in === key);
}

function shut(body, key) {
  for (const row of inside(body, key)) {
    row.classList.add("shut");
    const twist = row.querySelector(".twist");
    if (twist) {
      twist.setAttribute("aria-expanded", "false");
      shut(body, twist.dataset.opens);
    }
  }
}

function toggle(twist) {
  const body = twist.closest("tbody");
  const open = twist.getAttribute("aria-expanded") === "true";
  twist.setAttribute("aria-expanded", String(!open));
  if (open) shut(body, twist.dataset.opens);
  else for (const row of inside(body, twist.dataset.opens)) row.classList.remove("shut");
}

function words(text) {
  return text.toLowerCase().split(/\s+/u).filter(Boolean);
}

function filter(body, none, text) {
  const wanted = words(text);
  const rows = [...body.rows];
  const outer = new Map();
  let found = 0;
  for (const row of rows) {
    const key = row.querySelector(".twist")?.dataset.opens;
    if (key) outer.set(key, row);
    row.hidden = false;
    row.classList.remove("found");
  }
  if (wanted.length > 0) {
    for (const row of rows) row.hidden = true;
    for (const row of rows) {
      const text = `${row.cells[0].title} ${row.textContent}`.toLowerCase();
      if (!wanted.every((word) => text.includes(word))) continue;
      found += 1;
      for (let at = row; at; at = outer.get(at.dataset.in)) {
        at.hidden = false;
        at.classList.add("found");
      }
    }
  }
  none.hidden = wanted.length === 0 || found > 0;
  if (wanted.length > 0) say(found === 1 ? "1 column" : `${found} columns`);
}

export function columns(root) {
  for (const twist of root.querySelectorAll(".twist[hidden]")) {
    twist.hidden = false;
    twist.addEventListener("click", () => toggle(twist));
  }
  for (const form of root.querySelectorAll("form[data-rows]:not([hx-get])")) {
    const body = document.getElementById(form.dataset.rows);
    const input = form.querySelector("input[type=search]");
    // What the server has already filtered, it goes on filtering.
    if (!body || input.value) continue;
    const none = document.getElementById("columns-none");
    form.addEventListener("submit", (event) => event.preventDefault());
    input.addEventListener("input", () => filter(body, none, input.value));
  }
}
