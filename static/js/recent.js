// The pages of the catalog that were read last, kept in this browser for the palette. They are one person's: for anybody
// else they are forgotten.

const KEY = "recent";
const MOST = 6;

function reader() {
  return document.querySelector("#person bdi")?.textContent ?? "";
}

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (found?.reader === reader() && Array.isArray(found.pages)) return found.pages;
    localStorage.removeItem(KEY);
  } catch {
    // Storage is switched off, or holds something else.
  }
  return [];
}

/** Notes that this page was read, if it is one of an asset. */
export function noteRecent() {
  const pages = kept().filter(({ href }) => href !== location.pathname);
  const asset = document.querySelector("main > .asset > .asset-head h1");
  if (!asset) return;
  const place = [...document.querySelectorAll(".crumbs a")].slice(1).map((link) => link.textContent.trim()).join(" › ");
  pages.unshift({ href: location.pathname, name: asset.textContent.trim().slice(0, 120), place: place.slice(0, 120) });
  try {
    localStorage.setItem(KEY, JSON.stringify({ reader: reader(), pages: pages.slice(0, MOST + 1) }));
  } catch {
    // Nothing is remembered then.
  }
}

function element(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

/** The pages read last, but for this one, as a group of options; nothing if there are none. */
export function recentPages() {
  const others = kept().filter(({ href }) => href !== location.pathname).slice(0, MOST);
  if (others.length === 0) return null;
  const options = others.map(({ href, name, place }) =>
    element(
      "div",
      { role: "option", "aria-selected": "false", "data-href": href },
      element("i", { class: "icon i-clock", "aria-hidden": "true" }),
      element(
        "span",
        { class: "option-line" },
        element("span", { class: "option-name name" }, element("bdi", {}, name)),
        element("span", { class: "soft place" }, element("bdi", {}, place)),
      ),
    ),
  );
  return element("div", { role: "group", class: "options", "aria-label": "Recent" }, ...options);
}
