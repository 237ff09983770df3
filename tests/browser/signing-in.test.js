// Ways in: setting up an empty catalog, signing in and out, a role that changes under somebody's hands, the demo's button.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { demo, emptyCatalog, inspect } from "./app.js";

const PASSWORD = "correct horse battery staple";

describe("an empty catalog", () => {
  const catalog = emptyCatalog();

  test("the first one sets it up, and the address then leads nowhere", async (journey) => {
    const page = await catalog.open(journey, "/", { troubles: [/422/, /404/] });
    await page.getByText("Nobody has an account yet").waitFor();
    await inspect(page);
    await page.goto(catalog.setUpAddress);
    await inspect(page);
    await page.getByLabel("User name").fill("ana");
    await page.getByLabel("Display name").fill("Ana López");
    await page.getByLabel("Password").fill("passwordpassword");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("alert").getByText("somebody would try first").waitFor();
    assert.equal(await page.getByLabel("Display name").inputValue(), "Ana López");
    await inspect(page);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("heading", { name: "What are you looking for?" }).waitFor();
    await page.getByRole("heading", { name: "The catalog is empty" }).waitFor();
    await page.getByRole("listitem").filter({ hasText: "Add a recipe" }).getByText("type: glue").waitFor();
    await page.getByText("Ana López").click();
    await page.getByText("Signed in as ana").waitFor();
    await inspect(page);

    await page.goto(catalog.setUpAddress);
    await page.getByText("This address does not work").waitFor();
  });

  test("a wrong password is refused, the right one leads to the page that was wanted", async (journey) => {
    const page = await catalog.open(journey, "/ingestion", { troubles: [/401/] });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("User name", { exact: true }).fill("Ana");
    await page.getByLabel("Password").fill("not the right password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("Name or password is wrong.").waitFor();
    assert.equal(await page.getByLabel("User name", { exact: true }).inputValue(), "Ana");
    await inspect(page);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Ingestion" }).waitFor();

    await page.getByText("Ana López").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto("/browse");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  test("an invited person chooses a password, and a lock counts at once", async (journey) => {
    const said = await catalog.command("user", "add", "bo", "--role", "steward");
    const [link] = said.match(/\/choose-password\?code=\S+/);
    const page = await catalog.open(journey, link);
    await inspect(page);
    await page.getByLabel("New password").fill("seven purple tractors hum");
    await page.getByRole("button", { name: "Save and sign in" }).click();
    await page.getByRole("heading", { name: "What are you looking for?" }).waitFor();

    await catalog.command("user", "lock", "bo");
    await page.goto("/browse");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});

describe("the demo", () => {
  const app = demo();

  test("signs its steward in at one click, and goes on to the page that was wanted", async (journey) => {
    const page = await app.open(journey, "/search?q=orders", { cookies: [] });
    await page.getByText("They work on this machine only").waitFor();
    await inspect(page);
    await page.getByRole("button", { name: "Sign in as the demo steward" }).click();
    await page.waitForURL("**/search?q=orders");
    await page.getByText("Demo steward").waitFor();
  });

  test("keeps a description that its steward began before somebody else saved another, and both are put together", async (journey) => {
    const page = await app.open(journey, "/search?q=carts", { cookies: [], troubles: [/409/] });
    await page.getByRole("button", { name: "Sign in as the demo steward" }).click();
    await page.locator("#hits h3").getByRole("link", { name: "carts", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "carts" }).waitFor();
    await page.goto(`${page.url().split("?")[0]}/edit/description`);
    await page.getByRole("button", { name: "Restore draft" }).click();
    assert.match(await page.getByLabel("Markdown").inputValue(), /90 days is deleted/);
    await page.getByRole("button", { name: "Save" }).first().click();

    await page.getByRole("button", { name: /^Take mine/ }).first().waitFor();
    await page.getByText("A cart becomes an order at payment.").first().waitFor();
    await inspect(page);
    await page.getByRole("button", { name: /^Take theirs/ }).first().click();
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.getByRole("heading", { level: 1, name: "carts" }).waitFor();

    // The draft is gone, and the button does not bring it back.
    await page.context().clearCookies();
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "Sign in as the demo steward" }).click();
    await page.getByText("Demo steward").waitFor();
    assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("draft:")).length), 0);
  });

  test("signs its admin in at one click, who finds people, owners and verified tables", async (journey) => {
    const page = await app.open(journey, "/sign-in", { cookies: [] });
    await page.getByRole("button", { name: "Sign in as the demo admin" }).click();
    await page.getByText("Demo admin").waitFor();
    await page.goto("/people");
    await page.getByRole("row", { name: /mara/ }).waitFor();
    await inspect(page);
    await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Access" }).click();
    await page.getByRole("heading", { level: 1, name: "Access" }).waitFor();
    await inspect(page);
  });

  test("a wrong password is said at the form, not above the demo's buttons", async (journey) => {
    const page = await app.open(journey, "/sign-in", { cookies: [], troubles: [/401/] });
    const form = page.getByRole("main");
    await form.getByLabel("User name").fill("nobody");
    await form.getByLabel("Password").fill("not the right password");
    await form.getByRole("button", { name: "Sign in", exact: true }).click();
    const alert = await page.getByRole("alert").boundingBox();
    const card = await page.getByRole("region", { name: "This is the demo" }).boundingBox();
    assert.ok(alert.y > card.y + card.height);
  });

  test("a session that ended leads a part of a page to sign in, too", async (journey) => {
    const page = await app.open(journey, "/browse", { troubles: [/401/] });
    await page.context().clearCookies();
    await page.keyboard.press("/");
    await page.keyboard.type("orders");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});
