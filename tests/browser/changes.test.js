// Journeys through what changed: the page Changes, its lists, and the counts of a run.

import assert from "node:assert/strict";
import { test } from "node:test";

import { demo, inspect } from "./app.js";

const { open } = demo();

test("somebody finds out what was dropped or changed lately", async (journey) => {
  const page = await open(journey, "/");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Changes" }).click();
  await page.getByRole("heading", { level: 1, name: "Changes" }).waitFor();
  await inspect(page);

  const kinds = page.getByRole("navigation", { name: "Kinds of change" });
  await kinds.getByRole("link", { name: /^New/ }).click();
  const shop = page.getByRole("article").filter({ has: page.getByRole("link", { name: "shop", exact: true }) });
  const count = shop.getByRole("link", { name: /new tables$/ });
  const words = await count.innerText();
  await count.click();

  await page.getByRole("heading", { level: 1, name: words }).waitFor();
  await inspect(page);
  assert.ok((await page.getByRole("region", { name: "Changes" }).getByRole("listitem").count()) > 3);
});

test("changes are narrowed down to a database and a time", async (journey) => {
  const page = await open(journey, "/changes");
  await page.getByLabel("Database").fill("sho");
  await page.getByRole("option", { name: /shop/ }).first().click();
  await page.getByRole("combobox", { name: "Time" }).selectOption("7");
  await page.getByRole("button", { name: "Show changes" }).click();

  await page.waitForURL(/database=/);
  const databases = await page.getByRole("article").getByRole("heading", { level: 3 }).allInnerTexts();
  assert.ok(databases.length > 0);
  for (const database of databases) assert.match(database, /^\s*shop/);
});

test("the count of a run leads to its list", async (journey) => {
  const page = await open(journey, "/ingestion/runs");
  await page.getByRole("table").getByRole("row").nth(1).getByRole("link").first().click();
  await page.getByRole("heading", { level: 1, name: /Run of/ }).waitFor();

  const counts = page.getByRole("region", { name: "Counts" });
  await counts.getByRole("link", { name: / New$/ }).click();

  await page.getByRole("heading", { level: 1, name: /new tables/ }).waitFor();
  await page.getByRole("region", { name: "Changes" }).getByRole("listitem").first().waitFor();
});
