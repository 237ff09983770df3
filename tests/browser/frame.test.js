import assert from "node:assert/strict";
import { test } from "node:test";

import { demo, inspect, until } from "./app.js";

const { open } = demo();

test("the colours are switched, and stay so on the next page", async (journey) => {
  const page = await open(journey, "/", { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();

  await page.getByRole("button", { name: "Appearance: same as system" }).click();
  await page.getByRole("button", { name: "Appearance: light" }).click();
  await page.getByRole("button", { name: "Appearance: dark" }).waitFor();
  assert.notEqual(await ground(), light);
  const dark = await ground();
  await page.goto("/browse");

  assert.equal(await ground(), dark);
});

test("an address that leads nowhere says so, with a way on", async (journey) => {
  const page = await open(journey, "/no/such/page", { troubles: [/404/] });

  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByText("Details", { exact: true }).click();
  await page.getByText("Request id").waitFor();
  await inspect(page);
  await page.locator("main").getByRole("link", { name: "Home" }).click();
  await page.getByRole("heading", { level: 1, name: "What are you looking for?" }).waitFor();
});

test("the keys are told, and the palette jumps to an asset", async (journey) => {
  const page = await open(journey, "/browse");
  await page.getByRole("heading", { level: 1, name: "Browse" }).waitFor();

  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Keys" });
  await keys.waitFor();
  await inspect(page);
  await page.keyboard.press("Escape");
  await keys.waitFor({ state: "hidden" });

  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Jump to" });
  await palette.waitFor();
  await page.keyboard.type("dim_cust");
  await palette.getByRole("option", { name: /dim_customer/ }).first().waitFor();
  await inspect(page);
  await page.keyboard.press("Escape");
});

test("the palette remembers pages, leads to an action, and says when nothing has a name", async (journey) => {
  const page = await open(journey, "/search?q=dim_customer");
  await page.locator("#hits").getByRole("link", { name: "dim_customer", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "dim_customer" }).waitFor();
  await page.goto("/browse");

  await page.getByRole("button", { name: "Jump to" }).click();
  const palette = page.getByRole("dialog", { name: "Jump to" });
  await palette.getByRole("group", { name: "Recent" }).getByRole("option", { name: /dim_customer/ }).waitFor();
  await palette.getByRole("group", { name: "Pages" }).getByRole("option", { name: "Ingestion" }).waitFor();
  await inspect(page);
  await page.keyboard.type("xyzzyplugh");
  await palette.getByText("Nothing is called “xyzzyplugh”.").waitFor();
  await palette.getByRole("combobox").fill("");
  await palette.getByRole("group", { name: "Recent" }).getByRole("option", { name: /dim_customer/ }).click();
  await page.getByRole("heading", { level: 1, name: "dim_customer" }).waitFor();

  await page.keyboard.press("Control+k");
  await page.keyboard.type("describe");
  await palette.getByRole("option", { name: /Describe this table/, selected: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /dim_customer/ }).waitFor();
  await until("the form for the description is open", () => /edit\/description/.test(page.url()));
});

test("the first stop of the keyboard skips to the content", async (journey) => {
  const page = await open(journey, "/browse");

  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  assert.ok(await skip.evaluate((element) => element === document.activeElement));
  await page.keyboard.press("Enter");

  await until("the content has the focus", () => page.evaluate(() => document.activeElement?.id === "main"));
});
