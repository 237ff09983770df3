// Pickers: fields in which one chooses from what the catalog knows, and fields that hold several of such choices.
//
// Without scripts the same names are typed, one per line where there are several. Knows nothing of what is chosen.

import { combobox } from "./combobox.js";
import { say } from "./say.js";

let lists = 0;

/** Puts a list of suggestions below a field. */
function suggesting(input, from, choose) {
  const list = document.createElement("div");
  list.className = "suggestions";
  list.id = `picker-${++lists}`;
  list.role = "listbox";
  list.setAttribute("aria-label", "Suggestions");
  const box = document.createElement("span");
  box.className = "pick";
  input.replaceWith(box);
  box.append(input, list);
  input.dataset.suggest = list.id;
  input.dataset.suggestFrom = from;
  combobox(input, choose);
}

/** A field for one choice. */
function one(input) {
  if (input.closest(".pick")) return;
  suggesting(input, input.dataset.pick, (option) => {
    input.value = option.dataset.value;
    input.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  });
}

/** A field for several choices, one per line: each is shown with a button that takes it away. */
function several(area) {
  if (area.hidden) return;
  const box = document.createElement("div");
  box.className = "picks";
  const chosen = document.createElement("ul");
  const input = document.createElement("input");
  input.type = "text";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("aria-label", area.dataset.one ?? "Add");
  input.placeholder = area.dataset.one ?? "Add";
  if (area.getAttribute("aria-invalid")) input.setAttribute("aria-invalid", "true");
  const described = area.getAttribute("aria-describedby");
  if (described) input.setAttribute("aria-describedby", described);
  const values = () => area.value.split("\n").map((line) => line.trim()).filter(Boolean);

  function put(list) {
    area.value = list.join("\n");
    show();
    area.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  }

  function show() {
    chosen.replaceChildren(...values().map((value, at) => {
      const item = document.createElement("li");
      const words = document.createElement("bdi");
      words.textContent = value;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.setAttribute("aria-label", `Remove ${value}`);
      button.innerHTML = '<i class="icon i-cross" aria-hidden="true"></i>';
      button.addEventListener("click", () => {
        put(values().filter((_, other) => other !== at));
        input.focus();
        say(`${value} removed.`);
      });
      item.append(words, button);
      return item;
    }));
  }

  function add(value) {
    const words = value.trim();
    input.value = "";
    if (words && !values().includes(words)) put([...values(), words]);
  }

  area.hidden = true;
  area.after(box);
  box.append(chosen, input);
  const label = area.id && document.querySelector(`label[for="${area.id}"]`);
  if (label) {
    input.id = `${area.id}-add`;
    label.htmlFor = input.id;
    input.removeAttribute("aria-label");
  }
  suggesting(input, area.dataset.picks, (option) => add(option.dataset.value));
  input.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && input.value.trim()) {
      event.preventDefault();
      add(input.value);
    } else if (event.key === "Backspace" && !input.value) {
      put(values().slice(0, -1));
    }
  });
  // What was typed and not chosen is sent too.
  area.form.addEventListener("submit", () => add(input.value), { capture: true });
  area.form.addEventListener("filled", show);
  show();
}

export function pickers(root) {
  for (const input of root.querySelectorAll("input[data-pick]")) one(input);
  for (const area of root.querySelectorAll("textarea[data-picks]")) several(area);
}
