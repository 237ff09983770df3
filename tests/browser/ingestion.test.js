import assert from "node:assert/strict";
import { test } from "node:test";

import { demo, inspect } from "./app.js";

const { open } = demo();

test("a run is started from its recipe's page and watched to its end", async (journey) => {
  const page = await open(journey, "/");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Ingestion" }).click();
  await page.getByRole("heading", { level: 1, name: "Ingestion" }).waitFor();
  await inspect(page);

  await page.getByRole("region", { name: "Recipes" }).getByRole("link", { name: "demo", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "demo" }).waitFor();
  await inspect(page);

  await page.getByRole("button", { name: /^Run/ }).click();
  await page.getByRole("heading", { level: 1, name: /Run of\s+demo/ }).waitFor();
  // The demo has a database that may not be read, so a run is never clean.
  await page.locator("main").getByText("Partial", { exact: true }).first().waitFor();
  const databases = page.getByRole("region", { name: "Databases" });
  assert.match(await databases.getByRole("row", { name: /^shop/ }).innerText(), /Complete/i);
  const findings = page.getByRole("region", { name: "Findings" });
  const worst = findings.getByRole("listitem").first();
  assert.match(await worst.innerText(), /people/);
  await worst.getByText("Readers see what the catalog knew before.").waitFor();
  const policy = await worst.getByLabel("Permission statement").innerText();
  assert.deepEqual(JSON.parse(policy).Statement[0].Action, "glue:GetTables");
  await inspect(page);
});

test("the start page says what the last run left out, and why", async (journey) => {
  const page = await open(journey, "/");
  const health = page.getByRole("region", { name: "Ingestion" });
  await health.getByText(/1 of \d+ databases not read \(people\): permission missing/).waitFor();
});

test("a recipe is shown without its secrets", async (journey) => {
  const page = await open(journey, "/ingestion");
  await page.getByRole("region", { name: "Recipes" }).getByRole("link", { name: "demo", exact: true }).click();

  await page.getByText("Recipe text").click();
  const text = await page.getByLabel("The recipe's YAML").innerText();

  assert.match(text, /aws_region: eu-central-1/);
  assert.doesNotMatch(text, /aws_secret_access_key: demo/);
});
