// The menu of whoever is signed in: Esc, a click beside it and leaving it by Tab close it; the arrows move in it.

function close(menu, back) {
  if (!menu.open) return;
  menu.open = false;
  if (back) menu.querySelector("summary").focus();
}

function move(menu, step) {
  const entries = [...menu.querySelectorAll("summary, .menu-body a, .menu-body button")];
  const at = entries.indexOf(document.activeElement);
  entries[(at + step + entries.length) % entries.length].focus();
}

export function menus() {
  for (const menu of document.querySelectorAll("details.menu")) {
    menu.addEventListener("keydown", (event) => {
      if (!menu.open) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") close(menu, true);
      else if (step) move(menu, step);
      else return;
      event.preventDefault();
    });
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) close(menu, false);
    });
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) close(menu, false);
    });
  }
}
