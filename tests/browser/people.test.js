// Journeys of an admin through their own account, people, teams and the audit trail.

import assert from "node:assert/strict";
import { test } from "node:test";

import { emptyCatalog, inspect } from "./app.js";

const catalog = emptyCatalog();
const PASSWORD = "violet kettle marches 41 north";

test("an admin sets up, invites somebody, makes a token and a team, and finds it all on record", async (journey) => {
  const page = await catalog.open(journey, catalog.setUpAddress);
  await page.getByLabel("User name").fill("ana");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("main").getByRole("button").click();

  await page.goto("/people");
  await page.getByLabel("User name").fill("bo");
  await page.getByRole("radio", { name: /^Steward edits/ }).check();
  await page.getByRole("button", { name: "Create account" }).click();
  assert.match(await page.getByLabel("Link").inputValue(), /\/choose-password\?code=/);
  await inspect(page);
  await page.getByRole("link", { name: "Done" }).click();
  await page.getByRole("heading", { level: 1, name: "bo" }).waitFor();
  await inspect(page);

  await page.goto("/people");
  await page.getByRole("row", { name: /^bo/ }).waitFor();
  const names = page.getByRole("rowheader");
  for (const [sorted, first] of [["ascending", /^ana/], ["descending", /^bo/]]) {
    await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
    assert.equal(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort"), sorted);
    assert.match(await names.first().innerText(), first);
  }
  await inspect(page);

  await page.goto("/teams");
  await page.getByLabel("Name", { exact: true }).fill("Data Platform");
  await page.getByRole("button", { name: "Create team" }).click();
  await page.getByLabel("Person", { exact: true }).fill("bo");
  await page.getByRole("button", { name: "Add to team" }).click();
  await page.getByRole("listitem").filter({ hasText: "bo" }).first().waitFor();
  await inspect(page);

  await page.goto("/people");
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Tokens" }).click();
  await page.getByRole("heading", { level: 1, name: "Tokens" }).waitFor();
  await page.getByText("Create a token").click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("nightly");
  await inspect(page);
  await page.getByRole("button", { name: "Create token" }).click();
  const token = await page.getByRole("textbox", { name: "Token" }).inputValue();
  assert.match(token, /^gaz_/);
  const example = await page.getByLabel("Example call").innerText();
  assert.ok(example.startsWith(`export GAZETTEER_TOKEN=${token}\ncurl -H "Authorization: Bearer $GAZETTEER_TOKEN" `), example);
  await inspect(page);
  await page.getByRole("link", { name: "Done" }).click();
  await page.goto("/profile");
  await page.getByRole("radio", { name: "Dark" }).check();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.getByRole("radio", { name: "Same as system" }).check();

  await page.goto("/audit");
  for (const told of ["Made the account “bo”, a steward of everything.", "Made the token “nightly” of “ana”, to read."]) {
    await page.getByText(told).waitFor();
  }
  await page.getByLabel("Kind").selectOption("Tokens");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  assert.equal(await page.locator("#rows tr").count(), 1);
  await inspect(page);
});
