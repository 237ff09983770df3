import assert from "node:assert/strict";
import { test } from "node:test";

import { demo, inspect, until } from "./app.js";

const { open } = demo();

test("a view is followed to its SQL", async (journey) => {
  const page = await open(journey, "/search?q=orders+by+day");
  await page.locator("#hits").getByRole("link", { name: "orders by day", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "orders by day" }).waitFor();

  const sql = page.getByRole("region", { name: /^SQL/ });
  assert.match(await sql.innerText(), /SELECT/i);
  assert.match(await sql.innerText(), /fct_orders/);
  await inspect(page);
});

test("browsing leads from the source to a table and back", async (journey) => {
  const page = await open(journey, "/");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Browse" }).click();
  await page.getByRole("heading", { level: 1, name: "Browse" }).waitFor();
  await inspect(page);

  await page.getByRole("heading", { level: 2 }).getByRole("link", { name: /Glue/ }).first().click();
  await page.getByRole("heading", { level: 2, name: "Databases" }).waitFor();
  await inspect(page);

  await page.locator("#databases").getByRole("link", { name: "shop", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "shop" }).waitFor();
  await inspect(page);

  const filter = page.getByLabel("Find a table or view");
  await filter.fill("return");
  await until("only what matches is listed", async () => (await page.getByRole("link", { name: "fct_orders", exact: true }).count()) === 0);
  await page.getByRole("link", { name: "fct_returns", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "fct_returns" }).waitFor();

  await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "shop", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "shop" }).waitFor();
});

test("a column is found among many, and a nested one unfolded", async (journey) => {
  const page = await open(journey, "/search?q=fct_orders");
  await page.locator("#hits h3").getByRole("link", { name: "fct_orders", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "fct_orders" }).waitFor();
  const columns = page.getByRole("region", { name: /^Columns/ });
  const city = columns.getByRole("rowheader", { name: /city/ });

  const twist = columns.getByRole("button", { name: "Fields of shipping_address" });
  if ((await twist.getAttribute("aria-expanded")) === "false") await twist.click();
  await city.waitFor();
  await twist.click();
  await city.waitFor({ state: "hidden" });

  await columns.getByLabel("Find a column").fill("voucher");
  await columns.getByRole("rowheader", { name: /voucher_code/ }).waitFor();
  await columns.getByRole("rowheader", { name: /net_amount/ }).waitFor({ state: "hidden" });
  assert.equal(await columns.getByRole("rowheader", { name: /legacy_order_no/ }).count(), 0, "a dropped column is no column");
  await inspect(page);
});
