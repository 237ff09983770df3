// Offers below a field: the ARIA combobox with a list, usable by keyboard alone.
//
// An option goes somewhere, fills the field, or does something. A field with data-suggest-always offers before anything
// is typed, recent pages first, and takes the first offer for the one that is meant.

import { recentPages } from "./recent.js";

const PAUSE = 120;

/** `choose` takes the option that somebody picks; without it the option says itself what it does. */
export function combobox(input, choose) {
  if (input.role === "combobox") return;
  const list = document.getElementById(input.dataset.suggest);
  const form = input.form;
  const always = "suggestAlways" in input.dataset;
  const told = form.querySelector("[data-none-here]");
  let timer;
  let asked = null;
  let active = -1;
  let request;

  input.role = "combobox";
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  list.hidden = true;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function open() {
    const many = options().length;
    list.hidden = many === 0;
    input.setAttribute("aria-expanded", String(many > 0));
  }

  function close() {
    clearTimeout(timer);
    request?.abort();
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    mark(-1);
  }

  function mark(index) {
    active = index;
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    const option = options()[index];
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function tell(text) {
    if (!told) return;
    told.textContent = text;
    told.hidden = !text;
  }

  function show(part, words) {
    const none = part.querySelector("[data-none]");
    none?.remove();
    const recent = always && !words ? recentPages() : null;
    list.replaceChildren(...(recent ? [recent] : []), ...part.children);
    options().forEach((option, at) => { option.id = `${list.id}-${at}`; });
    tell(words && options().length === 0 && none ? none.textContent : "");
    mark(always && words && options().length > 0 ? 0 : -1);
    if (document.activeElement === input) open();
  }

  async function ask() {
    // A blank at the end tells that the last word is whole.
    const text = input.value.trimStart();
    if (text === asked && list.childElementCount > 0) return open();
    asked = text;
    if (!text && !always) {
      list.replaceChildren();
      return close();
    }
    request?.abort();
    request = new AbortController();
    try {
      const address = new URL(input.dataset.suggestFrom, location.href);
      address.searchParams.set("q", text);
      if (always) address.searchParams.set("here", location.pathname);
      const answer = await fetch(address, { signal: request.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok || input.value.trimStart() !== text) return;
      show(new DOMParser().parseFromString(await answer.text(), "text/html").body, text.trim());
    } catch {
      // No offers: Enter still searches.
    }
  }

  function step(by) {
    if (list.hidden) return void ask();
    // One more place than there are options: the input itself, with nothing chosen.
    const places = options().length + 1;
    mark((active + 1 + by + places) % places - 1);
  }

  function fill(text) {
    input.value = text;
    mark(-1);
    input.focus();
    input.setSelectionRange(text.length, text.length);
    void ask();
  }

  function follow(option, aside) {
    const { href, fill: text, sends } = option.dataset;
    if (sends !== undefined) send(sends);
    else if (aside) window.open(href, "_blank", "noopener");
    else if (text !== undefined) fill(text);
    else location.href = href;
  }

  function pick(option, aside = false) {
    if (!choose) return follow(option, aside);
    list.replaceChildren();
    close();
    choose(option, aside);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  if (always) input.addEventListener("focus", () => void ask());
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") {
      event.preventDefault();
      step(1);
    } else if (event.key === "ArrowUp") {
      event.preventDefault();
      step(-1);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      pick(options()[active]);
    } else if (event.key === "Escape" && !input.closest("dialog") && !(choose && list.hidden)) {
      event.preventDefault();
      event.stopPropagation();
      // Once for the list, once more to leave the field.
      if (list.hidden) input.blur();
      else close();
    }
  });
  input.addEventListener("blur", () => {
    if (!input.closest("dialog")) close();
  });
  form.addEventListener("submit", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) pick(option, event.ctrlKey || event.metaKey);
  });
  // What is explained beside the field is put into it.
  for (const filter of form.parentElement.querySelectorAll("a[data-fill]")) {
    filter.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      filter.closest("details").open = false;
      const before = input.value.trimEnd();
      fill(before ? `${before} ${filter.dataset.fill}` : filter.dataset.fill);
    });
  }
}

function send(address) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = address;
  document.body.append(form);
  form.submit();
}
