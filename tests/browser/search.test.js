import assert from "node:assert/strict";
import { test } from "node:test";

import { demo, inspect, until } from "./app.js";

const { open } = demo();

test("a table is found by a word of one of its columns, and its schema read", async (journey) => {
  const page = await open(journey, "/");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await inspect(page);

  await page.getByLabel("Search the catalog").fill("line number");
  await page.keyboard.press("Enter");
  const hit = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "fct_order_items", exact: true }) });
  await hit.getByRole("list", { name: "Why it is here" }).getByText("line_number").first().waitFor();
  await inspect(page);

  await hit.getByRole("link", { name: "fct_order_items", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "fct_order_items" }).waitFor();
  const column = page.getByRole("region", { name: /^Columns/ }).getByRole("row").filter({ has: page.getByRole("rowheader", { name: "sku" }) });
  assert.match(await column.innerText(), /string/);
  assert.match(await column.innerText(), /Joins to dim_product/);
  await inspect(page);
});

test("what is found is narrowed by kind, and widened again", async (journey) => {
  const page = await open(journey, "/search?q=orders");
  const hits = page.locator("main").getByRole("heading", { level: 3 });
  const kinds = page.getByRole("group", { name: "Kind" });
  const summary = page.locator("main").getByRole("status");
  const whole = await summary.innerText();

  await openNarrowing(page);
  await kinds.getByRole("checkbox", { name: /^View/ }).check();
  const chip = page.getByRole("list", { name: "Narrowed down to" }).getByRole("link", { name: /View/ });
  await chip.waitFor();
  assert.notEqual(await summary.innerText(), whole);
  assert.match(page.url(), /q=orders/);
  await until("only views are left", async () => (await page.locator("main").getByText("Table", { exact: true }).count()) <= 1);
  assert.ok((await hits.count()) > 0);
  await inspect(page);

  await chip.click();
  await until("all are back", async () => (await summary.innerText()) === whole);
});

test("typeahead leads to a table with the keyboard alone", async (journey) => {
  const page = await open(journey, "/");
  const field = page.getByLabel("Search the catalog");

  await page.keyboard.press("/");
  await until("the field has the focus", () => field.evaluate((element) => element === document.activeElement));
  await page.keyboard.type("dim_cust");
  const option = page.getByRole("option", { name: /dim_customer/ }).first();
  await option.waitFor();
  await inspect(page);
  await until("the suggestion is chosen", async () => {
    if ((await option.getAttribute("aria-selected")) === "true") return true;
    await page.keyboard.press("ArrowDown");
    return (await option.getAttribute("aria-selected")) === "true";
  });
  await page.keyboard.press("Enter");

  await page.getByRole("heading", { level: 1, name: "dim_customer" }).waitFor();
});

test("typeahead says why, and leads to the row of a column", async (journey) => {
  const page = await open(journey, "/browse");

  await page.keyboard.press("/");
  await page.keyboard.type("customer city");
  const list = page.getByRole("listbox", { name: "Suggestions" }).first();
  const column = list.getByRole("group", { name: "Columns" }).getByRole("option", { name: /city.*string/ }).first();
  await column.waitFor();
  await list.getByRole("option", { name: /column .*city · string/ }).first().waitFor();
  await list.getByRole("option", { name: /All \d+ results/ }).waitFor();
  await inspect(page);
  await column.click();

  const row = page.locator("#wanted");
  await row.waitFor();
  assert.match(await row.innerText(), /city/);
  assert.ok(await row.isVisible());
  await inspect(page);
});

test("a word that filters is explained at the field and completed", async (journey) => {
  const page = await open(journey, "/browse");
  const field = page.getByLabel("Search the catalog");

  await page.locator("summary", { hasText: "Filters to type" }).click();
  await inspect(page);
  await page.getByRole("link", { name: /^owner:/ }).click();
  assert.equal(await field.inputValue(), "owner:");
  const filters = page.getByRole("group", { name: "Filters" });
  const option = filters.getByRole("option", { name: /^owner:/ }).first();
  await option.waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until("the owner is filled in", async () => /^owner:.+ $/.test(await field.inputValue()));
  await page.keyboard.press("Enter");

  await page.locator("main").getByRole("status").waitFor();
  assert.ok((await page.locator("#hits > li").count()) > 0);
});

test("results are previewed, and the arrows move through them", async (journey) => {
  const page = await open(journey, "/search?q=orders");
  const preview = page.getByRole("complementary", { name: "Preview of the chosen result" });
  const hits = page.locator("#hits > li");
  const nameOf = async (nth) => (await hits.nth(nth).getByRole("link").first().innerText()).trim();
  const shows = (name) => preview.getByRole("heading", { level: 2, name, exact: true }).waitFor();

  await shows(await nameOf(0));
  await inspect(page);
  await page.locator("body").press("ArrowDown");
  await shows(await nameOf(1));
  await page.keyboard.press("j");
  await shows(await nameOf(2));
  await page.keyboard.press("k");
  const chosen = await nameOf(1);
  await shows(chosen);
  await page.keyboard.press("Enter");

  await page.getByRole("heading", { level: 1, name: chosen, exact: true }).waitFor();
});

test("below 900 px the field has a row of its own", async (journey) => {
  const page = await open(journey, "/browse", { viewport: { width: 720, height: 900 } });

  const field = await page.getByLabel("Search the catalog").boundingBox();
  assert.ok(field.width > 600, `${field.width} px`);
  await inspect(page);
});

test("words that nothing has end in a page that says so", async (journey) => {
  const page = await open(journey, "/search?q=xyzzyplugh");

  await page.locator("main").getByRole("status").waitFor();
  assert.equal(await page.getByRole("list", { name: "Why it is here" }).count(), 0);
  await inspect(page);
});

test("searching, narrowing and opening work without scripts", async (journey) => {
  const page = await open(journey, "/", { javaScriptEnabled: false });

  await page.getByLabel("Search the catalog").fill("orders by day");
  await page.keyboard.press("Enter");
  await openNarrowing(page);
  await page.getByRole("group", { name: "Kind" }).getByRole("checkbox", { name: /^View/ }).check();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("list", { name: "Narrowed down to" }).waitFor();
  await page.locator("main").getByRole("link", { name: "orders by day", exact: true }).click();

  await page.getByRole("heading", { level: 1, name: "orders by day" }).waitFor();
});

/** The facets are folded away where they have no room. */
async function openNarrowing(page) {
  await page.locator("main").getByRole("status").waitFor();
  const kinds = page.getByRole("group", { name: "Kind" });
  if (!(await kinds.isVisible())) await page.getByText("Narrow down", { exact: true }).click();
  await kinds.waitFor();
}

test("a search that finds nothing is told to the stewards", async (journey) => {
  const page = await open(journey, "/search?q=zzyzx+qqxwv");
  await inspect(page);
  await page.getByRole("button", { name: /^Tell the stewards/ }).click();
  await page.getByText("You told the stewards").waitFor();

  await page.goto("/requests");
  await inspect(page);
  await page.getByRole("link", { name: "Searches without results" }).click();
  const told = page.getByRole("row", { name: /zzyzx qqxwv/ });
  await told.waitFor();
  await inspect(page);
  await told.getByRole("button", { name: /^Dismiss/ }).click();
  await until("it is dismissed", async () => (await told.count()) === 0);
});
