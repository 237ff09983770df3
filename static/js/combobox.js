// Suggestions below a search box: the ARIA combobox with a list, usable by keyboard alone.

const PAUSE = 120;

export function combobox(input, choose = follow) {
  if (input.role === "combobox") return;
  const list = document.getElementById(input.dataset.suggest);
  const form = input.form;
  let timer;
  let asked = "";
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

  async function ask() {
    const words = input.value.trim();
    if (words === asked && list.childElementCount > 0) return open();
    asked = words;
    if (!words) {
      list.replaceChildren();
      return close();
    }
    request?.abort();
    request = new AbortController();
    try {
      const address = new URL(input.dataset.suggestFrom, location.href);
      address.searchParams.set("q", words);
      const answer = await fetch(address, { signal: request.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok || input.value.trim() !== words) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...part.body.children);
      options().forEach((option, at) => { option.id = `${list.id}-${at}`; });
      mark(-1);
      if (document.activeElement === input) open();
    } catch {
      // No suggestions: Enter still searches.
    }
  }

  function step(by) {
    if (list.hidden) return void ask();
    // One more place than there are options: the input itself, with nothing chosen.
    const places = options().length + 1;
    mark((active + 1 + by + places) % places - 1);
  }

  function pick(option, aside) {
    list.replaceChildren();
    close();
    choose(option, aside);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
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
    } else if (event.key === "Escape" && !list.hidden && !input.closest("dialog")) {
      event.preventDefault();
      event.stopPropagation();
      close();
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
}

function follow(option, aside = false) {
  if (aside) window.open(option.dataset.href, "_blank", "noopener");
  else location.href = option.dataset.href;
}
