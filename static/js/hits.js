// The results of a search by keyboard: the arrows, j and k move through them, Enter opens the chosen one. Where there is
// room, its preview is shown beside them.

const room = matchMedia("(width >= 75rem)");
const PAUSE = 90;

let timer;

function hits() {
  return [...document.querySelectorAll("#hits > li[data-part]")];
}

function link(hit) {
  return hit.querySelector("a");
}

function preview(hit) {
  clearTimeout(timer);
  const pane = document.getElementById("preview");
  if (!pane || !room.matches || pane.dataset.shown === hit.dataset.part) return;
  const load = () => {
    pane.dataset.shown = hit.dataset.part;
    const coming = htmx.ajax("GET", hit.dataset.part, { source: pane, target: pane, swap: "innerHTML" });
    // Who moves on or leaves the page no longer waits for it; htmx tells every other trouble itself.
    coming?.catch(() => {});
  };
  if (pane.childElementCount === 0) load();
  else timer = setTimeout(load, PAUSE);
}

function choose(hit) {
  for (const other of hits()) {
    other.classList.toggle("chosen", other === hit);
    if (other === hit) link(other).setAttribute("aria-current", "true");
    else link(other).removeAttribute("aria-current");
  }
  preview(hit);
}

function step(by) {
  const all = hits();
  const at = all.findIndex((hit) => hit.classList.contains("chosen"));
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  choose(next);
  link(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function elsewhere(target) {
  return target !== document.body && target.id !== "main" && !target.closest("#hits, #preview");
}

/** Chooses the first hit of results that have just come. */
export function showHits() {
  const [first] = hits();
  if (first && !document.querySelector("#hits > .chosen") && room.matches) choose(first);
}

export function hitKeys() {
  room.addEventListener("change", () => {
    const chosen = document.querySelector("#hits > .chosen");
    if (chosen) preview(chosen);
    else showHits();
  });
  document.addEventListener("focusin", (event) => {
    const hit = event.target.closest?.("#hits > li[data-part]");
    if (hit) choose(hit);
  });
  document.addEventListener("click", (event) => {
    const hit = event.target.closest?.("#hits > li[data-part]");
    if (hit && !event.target.closest("a, button")) choose(hit);
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (hits().length === 0 || document.querySelector("dialog[open]") || elsewhere(event.target)) return;
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    const chosen = document.querySelector("#hits > .chosen");
    if (by) {
      event.preventDefault();
      step(by);
    } else if (event.key === "Enter" && chosen && !event.target.closest("a, button, summary")) {
      event.preventDefault();
      link(chosen).click();
    }
  });
}
