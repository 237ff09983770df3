// What people write about tables: said once, found at once, never lost, and shown to whom it is meant for.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { cookiesOf, demo, inspect, until } from "./app.js";

const PASSWORD = "seven purple tractors hum";

describe("people describe what is in the catalog", () => {
  const app = demo();
  const people = {};

  /** Makes an account and signs it in; answers its cookies. */
  async function join(name, role, label) {
    const said = await app.command("user", "add", name, "--role", role, "--display-name", label);
    const [, code] = said.match(/\/choose-password\?code=(\S+)/);
    const body = new URLSearchParams({ code: decodeURIComponent(code), password: PASSWORD });
    const answer = await fetch(new URL("choose-password", app.address), { method: "POST", body, redirect: "manual" });
    return cookiesOf(answer, app.address);
  }

  before(async () => {
    people.ana = await join("ana", "admin", "Ana López");
    people.bo = await join("bo", "steward", "Bo Nilsson");
    people.cy = await join("cy", "reader", "Cy Okonkwo");
  });

  /** Opens the page of a table or database by its name. */
  async function openAsset(journey, name, options) {
    const page = await app.open(journey, `/search?q=${encodeURIComponent(name)}`, options);
    await page.getByRole("main").getByRole("link", { name, exact: true }).first().click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    return page;
  }

  async function edit(page, link) {
    await page.getByRole("link", { name: link, exact: true }).click();
    await page.getByRole("button", { name: "Save" }).waitFor();
  }

  async function save(page, name) {
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  }

  test("a column is described, and the table is found by those words", async (journey) => {
    const page = await openAsset(journey, "fct_orders");
    await edit(page, "Describe column currency");
    await page.getByLabel("Markdown").fill("What the *quartermaster* was paid in.");
    await page.getByLabel("Preview").getByText("quartermaster").and(page.locator("em")).waitFor();
    await inspect(page);
    await page.keyboard.press("Control+Enter");
    await page.getByRole("heading", { level: 1, name: "fct_orders" }).waitFor();
    await page.getByRole("row", { name: /currency/ }).getByText("quartermaster").waitFor();

    await until("the table is found by those words", async () => {
      await page.goto("/search?q=quartermaster");
      return (await page.getByRole("main").getByRole("link", { name: "fct_orders", exact: true }).count()) > 0;
    });
    await inspect(page);
  });

  test("two people edit one description, and neither loses a word", async (journey) => {
    const first = await openAsset(journey, "fct_returns");
    await edit(first, "Describe it");
    await first.getByLabel("Markdown").fill("Parcels that came back.\n\nOne row for each.");
    await save(first, "fct_returns");

    const second = await openAsset(journey, "fct_returns", { cookies: people.bo, troubles: [/409/] });
    await edit(second, "Edit the description");
    await edit(first, "Edit the description");
    await first.getByLabel("Markdown").fill("Unopened parcels that came back.\n\nOne row for each.");
    await second.getByLabel("Markdown").fill("Parcels that came back.\n\nOne row for each, with its reason.");
    await save(first, "fct_returns");
    await second.getByRole("button", { name: "Save" }).click();

    await second.getByRole("heading", { name: "Somebody else saved it while you were editing" }).waitFor();
    await second.getByRole("region", { name: /^Saved by/ }).getByText("Unopened").waitFor();
    await second.getByRole("region", { name: "Yours" }).getByText("with its reason").waitFor();
    await inspect(second);
    await save(second, "fct_returns");
    await second.getByText("Unopened parcels that came back.").first().waitFor();
    await second.getByText("One row for each, with its reason.").first().waitFor();

    const history = second.getByRole("region", { name: "History" });
    await history.getByText("What changed").first().click();
    await history.getByRole("insertion").getByText("with its reason").first().waitFor();
    await inspect(second);
  });

  test("what was not saved survives a reload, and leaving it warns", async (journey) => {
    const page = await openAsset(journey, "dim_product");
    await edit(page, "Describe it");
    await page.getByLabel("Markdown").fill("Half a thought");
    const warned = [];
    page.on("dialog", (dialog) => {
      warned.push(dialog.type());
      return dialog.accept();
    });
    await page.reload();
    assert.deepEqual(warned, ["beforeunload"]);

    await page.getByText("This browser kept what you had not saved").waitFor();
    await inspect(page);
    await page.getByRole("button", { name: "Take it up again" }).click();
    assert.equal(await page.getByLabel("Markdown").inputValue(), "Half a thought");
    await save(page, "dim_product");
    assert.deepEqual(warned, ["beforeunload"], "a save does not warn");

    await edit(page, "Edit the description");
    assert.equal(await page.getByText("This browser kept").isVisible(), false);
  });

  test("owners, tags, links, a verification and a deprecation are set", async (journey) => {
    const page = await openAsset(journey, "dim_store");
    await edit(page, "Edit owners");
    await page.getByLabel("Person or team").first().fill("bo");
    await page.getByLabel("Answers for it as").first().selectOption({ label: "technical owner" });
    await inspect(page);
    await save(page, "dim_store");
    await page.getByRole("region", { name: "Owners" }).getByText("Bo Nilsson").waitFor();

    await edit(page, "Edit tags");
    await page.getByLabel("Tags, one a line").fill("gold\nnorth region");
    await inspect(page);
    await save(page, "dim_store");
    await page.getByRole("region", { name: "Tags" }).getByRole("link", { name: "north region" }).waitFor();

    await edit(page, "Edit links");
    await page.getByLabel("Label").first().fill("Runbook");
    await page.getByLabel("Address").first().fill("https://wiki.example.com/stores");
    await inspect(page);
    await save(page, "dim_store");
    await page.getByRole("region", { name: "Links" }).getByRole("link", { name: "Runbook" }).waitFor();

    await edit(page, "Verify it");
    const next = `${new Date().getUTCFullYear() + 1}-06-30`;
    await page.getByLabel("Verified until").fill(next);
    await inspect(page);
    await save(page, "dim_store");
    await page.getByText(`Verified until ${next}`).first().waitFor();

    await edit(page, "Deprecate it");
    assert.ok(await page.getByLabel("It is deprecated").isChecked(), "opening the form means yes");
    await page.getByLabel("What to use instead").fill("shop.fct_orders");
    await page.getByLabel("Why, as Markdown").fill("Stores are **closing**.");
    await inspect(page);
    await save(page, "dim_store");
    await page.getByRole("main").getByRole("link", { name: "fct_orders" }).first().waitFor();
    await inspect(page);
  });

  test("a database that is restricted is gone for whoever is not admitted", async (journey) => {
    const reader = await app.open(journey, "/search?q=payments", { cookies: people.cy, troubles: [/404/] });
    await reader.getByRole("main").getByRole("link", { name: "payments", exact: true }).first().click();
    await reader.getByRole("heading", { level: 1, name: "payments" }).waitFor();
    const there = reader.url();

    const admin = await app.open(journey, there, { cookies: people.ana });
    await admin.getByRole("link", { name: "Restrict", exact: true }).click();
    await inspect(admin);
    await admin.getByLabel(/Bo Nilsson/).check();
    await admin.getByRole("button", { name: "Restrict to selected" }).click();
    await admin.getByRole("main").getByText("Restricted", { exact: true }).waitFor();

    await reader.goto(there);
    await reader.getByText("Details", { exact: true }).waitFor();
    await inspect(reader);
    await reader.goto("/");
    assert.equal(await reader.getByRole("link", { name: "payments", exact: true }).count(), 0);
    const admitted = await app.open(journey, there, { cookies: people.bo });
    await admitted.getByRole("heading", { level: 1, name: "payments" }).waitFor();

    await admin.getByRole("banner").getByText("Ana López").click();
    await admin.getByRole("banner").getByRole("link", { name: "Access", exact: true }).click();
    await admin.getByRole("heading", { level: 1, name: "Access" }).waitFor();
    await inspect(admin);
  });

  test("the person's menu is used by keyboard, and closes", async (journey) => {
    const page = await app.open(journey, "/people", { cookies: people.ana });
    const menu = page.getByRole("navigation", { name: "Your account and settings" });
    await page.locator("summary", { hasText: "Ana López" }).focus();
    await page.keyboard.press("Enter");
    await menu.waitFor();
    assert.equal(await menu.getByRole("link", { name: "People" }).getAttribute("aria-current"), "page");
    await inspect(page);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");

    await page.keyboard.press("Enter");
    await menu.waitFor();
    await page.getByRole("heading", { level: 1 }).click();
    await menu.waitFor({ state: "hidden" });
  });
});
