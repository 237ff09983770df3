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

  /** Opens a form in the page; the field has the focus. */
  async function edit(page, link) {
    await page.getByRole("link", { name: link, exact: true }).first().click();
    await page.locator("form.editor .save").waitFor();
  }

  async function save(page, button = "Save") {
    await page.locator("form.editor").getByRole("button", { name: button, exact: true }).click();
    await page.locator("#toast").getByText("Saved.").waitFor();
  }

  /** The row of a column. */
  function row(page, column) {
    return page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: column, exact: true }) });
  }

  test("columns are described one after the other by keyboard, and the table is found by those words", async (journey) => {
    const page = await openAsset(journey, "fct_orders");
    await page.getByRole("link", { name: "Add description of column currency" }).focus();
    await page.keyboard.press("e");
    const field = page.getByRole("textbox", { name: "Markdown" });
    await field.waitFor();
    assert.ok(await field.evaluate((area) => area === document.activeElement), "the field has the focus");
    await field.fill("What the *quartermaster* was paid in.");
    await page.getByRole("region", { name: "Preview" }).locator("em").getByText("quartermaster").waitFor();
    await inspect(page);
    await page.keyboard.press("Control+Enter");
    await row(page, "currency").getByText("quartermaster").waitFor();

    // The next row is open, and its field has the focus.
    await until("the next column's form is open", () => page.evaluate(() => document.activeElement?.name === "text" && document.activeElement.value === ""));
    await page.keyboard.press("Escape");
    await page.locator("form.editor").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement.className), "edit", "the row keeps the focus");

    await until("the table is found by those words", async () => {
      await page.goto("/search?q=quartermaster");
      return (await page.getByRole("main").getByRole("link", { name: "fct_orders", exact: true }).count()) > 0;
    });
    await inspect(page);
  });

  test("a save is undone by one click, and the row has its focus again", async (journey) => {
    const page = await openAsset(journey, "fct_payments");
    const link = page.locator("#columns-rows a.edit").first();
    const name = (await link.getAttribute("href")).split("/").at(-2);
    await link.click();
    await page.getByRole("textbox", { name: "Markdown" }).fill("Zanzibar counts.");
    await save(page);
    const told = row(page, name).getByText("Zanzibar counts.");
    await told.waitFor();
    await inspect(page);
    await page.locator("#toast").getByRole("button", { name: "Undo" }).click();
    await page.locator("#toast").getByText("Undone.").waitFor();
    await told.waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement.className), "edit");
  });

  test("two people edit one description, and neither loses a word", async (journey) => {
    const first = await openAsset(journey, "fct_returns");
    await edit(first, "Add description");
    await first.getByLabel("Markdown").fill("Parcels that came back.\n\nOne row for each.");
    await save(first);

    const second = await openAsset(journey, "fct_returns", { cookies: people.bo, troubles: [/409/] });
    await edit(second, "Edit description");
    await edit(first, "Edit description");
    await first.getByLabel("Markdown").fill("Unopened parcels that came back.\n\nOne row for each.");
    await second.getByLabel("Markdown").fill("Boxes that came back.\n\nOne row for each, with its reason.");
    await save(first);
    await second.getByRole("button", { name: "Save", exact: true }).click();

    await second.getByRole("heading", { name: "Somebody else saved it while you were editing" }).waitFor();
    await second.getByRole("region", { name: /^Saved by/ }).getByText("Unopened").waitFor();
    await second.getByRole("region", { name: "Yours" }).getByText("with its reason").waitFor();
    await inspect(second);
    await second.getByRole("button", { name: /^Take theirs/ }).click();
    await inspect(second);
    await save(second);
    await second.getByText("One row for each, with its reason.").first().waitFor();

    const history = second.getByRole("region", { name: "History" });
    await history.getByText("What changed").first().click();
    await history.getByRole("insertion").getByText("with its reason").first().waitFor();
    await inspect(second);
  });

  test("what was not saved survives a reload, and leaving it warns", async (journey) => {
    const page = await openAsset(journey, "dim_product");
    await edit(page, "Add description");
    await page.getByLabel("Markdown").fill("Half a thought");
    const warned = [];
    page.on("dialog", (dialog) => {
      warned.push(dialog.type());
      return dialog.accept();
    });
    await page.reload();
    assert.deepEqual(warned, ["beforeunload"]);

    await edit(page, "Add description");
    await page.getByText("This browser kept what you had not saved").waitFor();
    await inspect(page);
    await page.getByRole("button", { name: "Restore draft" }).click();
    assert.equal(await page.getByLabel("Markdown").inputValue(), "Half a thought");
    await save(page);
    assert.deepEqual(warned, ["beforeunload"], "a save does not warn");

    await edit(page, "Edit description");
    assert.equal(await page.getByText("This browser kept").isVisible(), false);
  });

  test("owners, tags, links, a verification and a deprecation are set where they are read", async (journey) => {
    const page = await openAsset(journey, "dim_store");
    await edit(page, "Edit owners");
    await page.getByLabel("Person or team").first().fill("nils");
    await page.getByRole("option", { name: /Bo Nilsson/ }).click();
    await page.getByLabel("Role").first().selectOption({ label: "technical owner" });
    await inspect(page);
    await save(page);
    await page.getByRole("region", { name: "Owners" }).getByRole("link", { name: "Bo Nilsson" }).waitFor();

    await edit(page, "Edit tags");
    const tags = page.getByLabel("Tags, one per line");
    for (const tag of ["gold", "north region"]) {
      await tags.fill(tag);
      await tags.press("Enter");
    }
    await inspect(page);
    await save(page);
    await page.getByRole("region", { name: "Tags" }).getByRole("link", { name: "north region" }).waitFor();

    await edit(page, "Edit links");
    await page.getByLabel("Label").first().fill("Runbook");
    await page.getByLabel("Address").first().fill("https://wiki.example.com/stores");
    await inspect(page);
    await save(page);
    await page.getByRole("region", { name: "Links" }).getByRole("link", { name: "Runbook" }).waitFor();

    // One click opens it, one click says for how long.
    await edit(page, "Verify");
    await inspect(page);
    await save(page, "3 months");
    await page.getByText(/Verified until/).first().waitFor();

    await edit(page, "Deprecate");
    await page.getByLabel("Replacement").fill("fct_orders");
    await page.getByRole("option", { name: /fct_orders/ }).first().click();
    await page.getByLabel("Reason, as Markdown").fill("Stores are **closing**.");
    await inspect(page);
    await save(page, "Deprecate");
    await page.getByRole("main").getByRole("link", { name: "fct_orders" }).first().waitFor();
    await inspect(page);
  });

  test("a reader asks for a description, and a steward answers it", async (journey) => {
    const reader = await openAsset(journey, "gift_cards", { cookies: people.cy });
    await reader.getByRole("button", { name: "Ask for a description" }).click();
    await reader.getByText(/You asked for a description/).waitFor();
    await inspect(reader);

    const steward = await app.open(journey, "/requests", { cookies: people.bo });
    await steward.getByRole("row").filter({ hasText: "Cy Okonkwo" }).getByRole("link", { name: /Add description/ }).waitFor();
    await inspect(steward);
    await steward.getByRole("link", { name: "Add description of gift_cards" }).click();
    await steward.getByLabel("Markdown").fill("Payments as they arrive.");
    await steward.getByRole("button", { name: "Save", exact: true }).click();
    await steward.getByText("Payments as they arrive.").first().waitFor();
    await steward.goto("/requests");
    await steward.getByRole("heading", { level: 1, name: "Requests" }).waitFor();
    assert.equal(await steward.getByRole("row").filter({ hasText: "gift_cards" }).count(), 0);
  });

  test("a steward's databases are chosen from suggestions", async (journey) => {
    const admin = await app.open(journey, "/people", { cookies: people.ana });
    const databases = admin.getByRole("combobox", { name: "Databases and sources" });
    assert.equal(await databases.isVisible(), false, "it shows for that role alone");
    await admin.getByRole("radio", { name: /^Steward for selected databases/ }).check();
    await databases.pressSequentially("shop");
    await admin.getByRole("option", { name: /shop.*Database/ }).first().click();
    await admin.getByRole("button", { name: /^Remove glue:.*shop$/ }).waitFor();
    await inspect(admin);
  });

  test("a database that is restricted is gone for whoever is not admitted", async (journey) => {
    const reader = await app.open(journey, "/search?q=payments", { cookies: people.cy, troubles: [/404/] });
    await reader.getByRole("main").getByRole("link", { name: "payments", exact: true }).first().click();
    await reader.getByRole("heading", { level: 1, name: "payments" }).waitFor();
    const there = reader.url();

    const admin = await app.open(journey, there, { cookies: people.ana });
    await admin.locator("summary", { hasText: "More actions" }).click();
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
