// Ten tasks of an ordinary week, each done the shortest way that a person would take, with its steps counted.
//
// A step is a click, a text with the key that ends it, or a chosen option. `BEFORE` of a task is what a person needed in
// the version in which these tasks were first watched.

import assert from "node:assert/strict";
import { test } from "node:test";

import { demo, inspect, until } from "./app.js";

const app = demo();

/** Takes steps on a page, and counts them. */
function counting(page) {
  let taken = 0;
  return {
    click: (target) => {
      taken += 1;
      return target.click();
    },

    /** Writes into a field; the key ends it, and most often sends it. */
    write: async (field, words, key = "Enter") => {
      taken += 1;
      await field.fill(words);
      await field.press(key);
    },

    /** Does what the palette calls so, once the palette has chosen it. */
    act: async (name) => {
      taken += 1;
      await page.keyboard.press("Control+k");
      await page.keyboard.type(name);
      await page.getByRole("dialog", { name: "Jump to" }).getByRole("option", { name, exact: true, selected: true }).waitFor();
      await page.keyboard.press("Enter");
    },

    areFewerThan: (before) => assert.ok(taken < before, `${taken} steps, and ${before} before`),
  };
}

const searchField = (page) => page.getByLabel("Search the catalog");
const firstHit = (page) => page.locator("#hits > li").first();
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

/** Opens the page of an asset; how one came to it is no step. */
async function openAsset(page, name) {
  await page.goto(`/search?q=${encodeURIComponent(name)}`);
  await page.locator("#hits").getByRole("link", { name, exact: true }).first().click();
  await heading(page, name).waitFor();
}

/** Opens the start page as the demo's admin. */
async function openAsAdmin(journey) {
  const page = await app.open(journey, "/sign-in", { cookies: [] });
  await page.getByRole("button", { name: "Sign in as the demo admin" }).click();
  await page.getByText("Demo admin").waitFor();
  return page;
}

test("a: the report on orders by day is found, though it is asked for in other words", async (journey) => {
  // A query and a click, behind another table that came first. Now the preview has the columns beside the first result.
  const BEFORE = 2;
  const page = await app.open(journey, "/");
  const steps = counting(page);

  await steps.write(searchField(page), "orders per day");

  const report = firstHit(page).getByRole("link", { name: "orders by day", exact: true });
  await report.waitFor();
  const preview = page.getByRole("complementary", { name: /^Preview/ });
  await preview.getByText("order count").first().waitFor();
  steps.areFewerThan(BEFORE);
  await inspect(page);
  await report.click();
  await heading(page, "orders by day").waitFor();
});

test("b: the column with a customer's city is found, with its type", async (journey) => {
  // A query, a click, and a search in the columns: the type stood on the table's page alone.
  const BEFORE = 3;
  const page = await app.open(journey, "/");
  const steps = counting(page);

  await steps.write(searchField(page), "customer city");

  await firstHit(page).getByRole("link", { name: "dim_customer", exact: true }).waitFor();
  const column = firstHit(page).getByRole("list", { name: "Why it is here" }).getByRole("listitem").first();
  assert.match(await column.innerText(), /address\.city\s+string/);
  steps.areFewerThan(BEFORE);
  await inspect(page);
});

test("c: the SQL of a view is read, and followed to the table that it reads", async (journey) => {
  // A click to the view; its SQL had no links, so a query and a click more for the table.
  const BEFORE = 3;
  const page = await app.open(journey, "/search?q=orders+by+day");
  const steps = counting(page);

  await steps.click(firstHit(page).getByRole("link", { name: "orders by day", exact: true }));
  const sql = page.getByLabel("SQL of the view");
  assert.match(await sql.innerText(), /count\(\*\) AS "order count"/);
  await steps.click(sql.getByRole("link", { name: "shop.fct_orders" }));

  await heading(page, "fct_orders").waitFor();
  steps.areFewerThan(BEFORE);
  await inspect(page);
});

test("d: what was dropped or changed lately is seen at once, by kind", async (journey) => {
  // The run's page, and 24 times "Show older changes" until the dropped ones came; nothing else told of them.
  const BEFORE = 25;
  const page = await app.open(journey, "/");
  const steps = counting(page);

  await steps.click(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Changes" }));
  const kinds = page.getByRole("navigation", { name: "Kinds of change" });
  const counts = (await kinds.getByRole("link").allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
  const wanted = [/^All$/, /^Removed \d/, /^Columns dropped \d/, /^Types changed \d/, /^Changed \d/, /^New \d/, /^Edited by people \d/];
  assert.equal(counts.length, wanted.length);
  wanted.forEach((kind, at) => assert.match(counts[at], kind));
  await steps.click(kinds.getByRole("link", { name: /^Edited by people/ }));

  const shop = page.getByRole("article").filter({ has: page.getByRole("link", { name: "shop", exact: true }) });
  await shop.getByText("The description was changed.").first().waitFor();
  steps.areFewerThan(BEFORE);
  await inspect(page);
});

test("e: a column is described, and the table found by those words", async (journey) => {
  // Open the table, open the form, write, save, search.
  const BEFORE = 5;
  const page = await app.open(journey, "/search?q=fct_returns");
  const steps = counting(page);

  await steps.click(firstHit(page).getByRole("link", { name: "fct_returns", exact: true }));
  await steps.click(page.getByRole("link", { name: "Add description of column condition" }));
  await steps.write(page.getByLabel("Markdown"), "Scuffed, sealed or unsaleable.", "Control+Enter");
  await page.locator("#columns-rows").getByText("Scuffed, sealed or unsaleable.").waitFor();
  // The index follows within a moment, which a person does not notice.
  await until("the index has the words", async () => {
    const answer = await page.request.get("search?q=unsaleable");
    return (await answer.text()).includes("fct_returns");
  });
  await steps.write(searchField(page), "unsaleable");

  await firstHit(page).getByRole("link", { name: "fct_returns", exact: true }).waitFor();
  const why = firstHit(page).getByRole("list", { name: "Why it is here" });
  assert.match(await why.innerText(), /condition/);
  steps.areFewerThan(BEFORE);
  await inspect(page);
});

test("f: a table is deprecated in favour of another one", async (journey) => {
  // Four saves, each with the replacement typed anew, behind the click to the form; the first lost what was typed.
  const BEFORE = 9;
  const page = await app.open(journey, "/");
  await openAsset(page, "orders2024");
  const steps = counting(page);

  await steps.click(page.getByRole("link", { name: "Deprecate", exact: true }));
  await steps.write(page.getByLabel("Replacement"), "fct_orders", "End");
  await steps.click(page.getByRole("option", { name: /fct_orders/ }).first());
  await steps.write(page.getByLabel("Reason, as Markdown"), "It is *frozen*.", "Control+Enter");

  await page.locator("#toast").getByText("Saved.").waitFor();
  const banner = page.locator("#deprecated");
  await banner.getByRole("link", { name: "fct_orders" }).waitFor();
  await banner.locator("em").getByText("frozen").waitFor();
  steps.areFewerThan(BEFORE);
  await inspect(page);
});

test("g: how fresh the catalog is, what is missing and what to do about it", async (journey) => {
  // The start page said no reason: three clicks to the recipe, its run and the finding.
  const BEFORE = 3;
  const page = await app.open(journey, "/");
  const steps = counting(page);

  const health = page.getByRole("region", { name: "Ingestion" });
  await health.getByText(/1 of \d+ databases not read \(people\): permission missing/).waitFor();
  await steps.click(health.getByRole("link", { name: /just now|ago/ }));

  const finding = page.getByRole("region", { name: "Findings" }).getByRole("listitem").filter({ has: page.getByRole("link", { name: "people", exact: true }) });
  await finding.getByText("Readers see what the catalog knew before.").waitFor();
  const statement = JSON.parse(await finding.getByLabel("Permission statement").innerText());
  assert.equal(statement.Statement[0].Action, "glue:GetTables");
  steps.areFewerThan(BEFORE);
  await inspect(page);
});

test("h: a token is made, and the API called with it", async (journey) => {
  // The menu, the profile, the folded form, the name, the copied token, the README, and a call written by hand.
  const BEFORE = 7;
  const page = await app.open(journey, "/", { permissions: ["clipboard-read", "clipboard-write"] });
  const steps = counting(page);

  await steps.act("Tokens");
  await heading(page, "Tokens").waitFor();
  await steps.click(page.getByText("Create a token"));
  await steps.write(page.getByRole("textbox", { name: "Name", exact: true }), "report of the week");
  await steps.click(page.getByRole("button", { name: "Copy example" }));

  await page.getByRole("status").getByText("Copied.").waitFor();
  const call = await page.evaluate(() => navigator.clipboard.readText());
  const [, token, address] = call.match(/^export GAZETTEER_TOKEN=(gaz_\S+)\ncurl -H "Authorization: Bearer \$GAZETTEER_TOKEN" '(\S+)'\s*$/) ?? [];
  assert.ok(token, "the call can be run as it is");
  const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  assert.match(JSON.stringify(await answer.json()), /fct_orders/);
  steps.areFewerThan(BEFORE);
  await inspect(page);
});

test("i: somebody is invited as the steward of one database", async (journey) => {
  // The menu, the page, a name, a role, and three attempts at the database, each with its button.
  const BEFORE = 10;
  const page = await openAsAdmin(journey);
  const steps = counting(page);

  await steps.act("People");
  await heading(page, "People").waitFor();
  await steps.write(page.getByLabel("User name"), "grace", "Tab");
  await steps.click(page.getByRole("radio", { name: /^Steward for selected databases/ }));
  await steps.write(page.getByRole("combobox", { name: "Databases and sources" }), "shop");
  await steps.click(page.getByRole("button", { name: "Create account" }));

  assert.match(await page.getByLabel("Link").inputValue(), /\/choose-password\?code=/);
  steps.areFewerThan(BEFORE);
  await inspect(page);
  await page.getByRole("link", { name: "Done" }).click();
  await page.getByRole("button", { name: /^Remove glue:\S+\/shop$/ }).waitFor();
});

test("j: a database is restricted, and the page says so", async (journey) => {
  // The button, a tick and a button; nothing told that they had done anything, so the list of databases was a fourth.
  const BEFORE = 4;
  const page = await openAsAdmin(journey);
  await openAsset(page, "finance");
  const steps = counting(page);

  await steps.act("Restrict this database");
  await steps.click(page.getByLabel(/^finance-controlling/));
  await steps.click(page.getByRole("button", { name: "Restrict to selected" }));

  await page.getByRole("status").getByText(/^Saved\. finance is now visible to 1 team and admins\./).waitFor();
  steps.areFewerThan(BEFORE);
  await inspect(page);
});
