// Heads of a table sort it, where all of its rows are on the page.

import { say } from "./say.js";

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** What a cell is sorted by: a moment, a figure, or its words. */
function worth(row, column) {
  const cell = row.cells[column];
  const moment = cell?.querySelector("time");
  if (moment) return moment.dateTime;
  const text = cell?.innerText.trim() ?? "";
  return cell?.classList.contains("num") ? text.replaceAll(/\D/gu, "") : text;
}

function sort(table, head, column) {
  const first = head.classList.contains("num") ? "descending" : "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const direction = head.ariaSort === first ? second : first;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.ariaSort = direction;
  const [body] = table.tBodies;
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [worth(row, column), row]);
  rows.sort(([one], [other]) => sign * order.compare(one, other));
  body.append(...rows.map(([, row]) => row));
  say(`Sorted by ${head.innerText.trim()}, ${direction}`);
}

function isWhole(table) {
  const [body] = table.tBodies;
  const more = document.getElementById(`${body.id}-more`);
  return body.rows.length > 1 && !more?.firstElementChild;
}

function makeSortable(table) {
  if (!table.tHead || table.classList.contains("sorts") || !isWhole(table)) return;
  table.classList.add("sorts");
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.querySelector(".unseen")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head, column));
    head.append(button);
  });
}

/** Makes the lists inside a part of a page sortable, and the list that it has completed. */
export function sorting(root) {
  const around = root.closest?.("table.list");
  for (const table of [...root.querySelectorAll("table.list"), ...(around ? [around] : [])]) makeSortable(table);
}
