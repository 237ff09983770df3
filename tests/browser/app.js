// What every journey needs: the demo on a free port, a browser, and the checks that hold on each page.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import http from "node:http";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "../..");
const program = process.env.GAZETTEER ?? path.join(root, "target/debug/gazetteer");

/** The path below which the catalog is on a host that it shares, such as `/catalog`; a proxy is then in front of it. */
const PREFIX = process.env.GAZETTEER_PREFIX ?? "";

/** What htmx says of a request whose page was left before the answer came; an answer that fails says more than this. */
const LEFT = /^console: htmx:(afterRequest|sendAbort),/;

/** How long anything may take that a person would wait for. */
const PATIENCE = 20_000;

/**
 * Starts the demo and a browser for the journeys of one file, and ends both after them.
 *
 * Each journey opens its pages with `open`, as the demo's steward, which fails it when a page logs an error, breaks the
 * content policy or asks for something that is not there.
 */
export function demo() {
  const shared = running("demo");
  before(async () => {
    await shared.start();
    shared.cookies = await demoSteward(shared.address);
    const header = shared.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const text = (where) => read(new URL(where, shared.address), header);
    await until("the demo's first run has ended and is searchable", async () => {
      const runs = await text("ingestion/runs");
      const found = await text("search?q=v_exec_kpis");
      return /Partial|Succeeded|Failed/.test(runs) && !/Running/.test(runs) && />v_exec_kpis|kpis<\/mark>/.test(found);
    });
  });
  return shared;
}

/**
 * Starts a server with an empty catalog, in which nobody has an account, and a browser.
 *
 * `setUpAddress` is where the first account is made; `command` runs the program on the same catalog.
 */
export function emptyCatalog() {
  const shared = running("serve", "--recipes", "none");
  before(async () => {
    await shared.start();
    await until("the address for setting up is said", () => shared.said.join("\n").match(/\S+\/set-up\?code=\S+/));
    [shared.setUpAddress] = shared.said.join("\n").match(/\S+\/set-up\?code=\S+/);
  });
  return shared;
}

/** A running program with a browser, both ended after the journeys of one file. */
function running(...words) {
  const shared = {
    cookies: [],
    said: [],

    async start() {
      shared.folder = await mkdtemp(path.join(tmpdir(), "gazetteer-journeys-"));
      const place = ["--data-dir", shared.folder, "--listen", "127.0.0.1:0"];
      if (PREFIX) {
        shared.proxy = await proxy(() => shared.direct);
        place.push("--public-url", `http://127.0.0.1:${shared.proxy.address().port}${PREFIX}`);
      }
      shared.server = spawn(program, [...words, ...place], {
        cwd: root,
        env: { PATH: process.env.PATH, HOME: shared.folder },
        stdio: ["ignore", "pipe", "pipe"],
      });
      createInterface({ input: shared.server.stderr }).on("line", (line) => shared.said.push(line));
      shared.direct = await address(shared.server, shared.said);
      shared.address = PREFIX ? `http://127.0.0.1:${shared.proxy.address().port}${PREFIX}/` : shared.direct;
      shared.browser = await launch();
    },

    /** Runs a command of the program on the same catalog; answers what it prints. */
    async command(...command) {
      const run = spawn(program, [...command, "--data-dir", shared.folder], {
        cwd: root,
        env: { PATH: process.env.PATH, HOME: shared.folder },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let printed = "";
      run.stdout.on("data", (text) => (printed += text));
      const [status] = await once(run, "close");
      assert.equal(status, 0, `${command.join(" ")}\n${printed}`);
      return printed;
    },

    /** Opens an address in a window of its own, which is closed with the journey. Nobody is signed in with `cookies: []`. */
    async open(journey, where, { troubles = [], cookies = shared.cookies, ...options } = {}) {
      const context = await shared.browser.newContext({
        baseURL: shared.address,
        viewport: { width: 1440, height: 900 },
        reducedMotion: "reduce",
        ...options,
      });
      context.setDefaultTimeout(PATIENCE);
      await context.addCookies(cookies);
      const page = await context.newPage();
      // Journeys name pages as if the catalog had the host for itself.
      const goto = page.goto.bind(page);
      page.goto = (address, ...rest) => goto(address.startsWith("/") ? PREFIX + address : address, ...rest);
      const seen = [];
      page.on("pageerror", (error) => seen.push(`script: ${error.message}`));
      page.on("console", (message) => message.type() === "error" && seen.push(`console: ${message.text()}`));
      page.on("response", (response) => response.status() >= 400 && seen.push(`${response.status()}: ${response.url()}`));
      journey.after(async () => {
        await context.close();
        const expected = [...troubles, LEFT];
        const unexpected = seen.filter((trouble) => !expected.some((one) => one.test(trouble)));
        assert.deepEqual(unexpected, []);
      });
      await page.goto(where);
      return page;
    },
  };

  after(async () => {
    await shared.browser?.close();
    if (shared.server && shared.server.exitCode === null) {
      shared.server.kill("SIGINT");
      await once(shared.server, "exit");
    }
    shared.proxy?.closeAllConnections();
    shared.proxy?.close();
    if (shared.folder) await rm(shared.folder, { recursive: true, force: true });
  });
  return shared;
}

/** A proxy that has the catalog below a path, and takes that path away from every other request. Nothing else is there. */
async function proxy(target) {
  let asked = 0;
  const server = http.createServer((request, response) => {
    if (!`${request.url}/`.startsWith(`${PREFIX}/`)) return response.writeHead(404).end("Another site's.");
    const path = asked++ % 2 ? request.url : request.url.slice(PREFIX.length) || "/";
    const { method, headers } = request;
    const onward = http.request(new URL(target()).origin, { path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** The cookie that the demo's button gives. */
async function demoSteward(address) {
  const form = new URLSearchParams({ next: "/" });
  const answer = await fetch(new URL("sign-in/demo", address), { method: "POST", body: form, redirect: "manual" });
  return cookiesOf(answer, address);
}

/** The cookies that an answer sets, for a browser that goes on at this address. */
export function cookiesOf(answer, address) {
  return answer.headers.getSetCookie().map((line) => {
    const [name, value] = line.split(";")[0].split("=");
    return { name, value, url: address, httpOnly: true, sameSite: "Lax" };
  });
}

/** Checks what holds on every page: axe finds nothing, in light and dark, and a narrow window does not scroll sideways. */
export async function inspect(page) {
  // From the top: further down the bar covers whatever happens to be below it.
  await page.evaluate(() => scrollTo(0, 0));
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
      .analyze();
    const found = violations.map(({ id, help, nodes }) => ({
      id,
      help,
      where: nodes.slice(0, 5).map((node) => `${node.html.slice(0, 200)} — ${node.failureSummary}`),
    }));
    assert.deepEqual(found, [], `axe, ${colorScheme}, ${page.url()}`);
  }
  const viewport = page.viewportSize();
  for (const width of [360, 2560, viewport.width]) {
    await page.setViewportSize({ width, height: viewport.height });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${page.url()} is ${over} px too wide for ${width} px`);
  }
}

/** Waits until something is so; a deadline, not a number of tries. */
export async function until(what, condition) {
  const deadline = Date.now() + PATIENCE;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `In ${PATIENCE / 1000} s it did not come true that ${what}.`);
    await pause(50);
  }
}

/** The text of a page, or nothing while it cannot be had. */
async function read(address, cookie) {
  const response = await fetch(address, { headers: { cookie } });
  return response.ok ? response.text() : "";
}

/** The address that the program prints once it listens. */
async function address(server, said) {
  const lines = createInterface({ input: server.stdout });
  const ended = once(server, "exit").then(([status]) => {
    throw new Error(`The demo ended with status ${status}:\n${said.join("\n")}`);
  });
  const printed = (async () => {
    for await (const line of lines) {
      const [url] = line.match(/http:\/\/\S+/) ?? [];
      if (url) return url;
    }
    throw new Error(`The demo printed no address:\n${said.join("\n")}`);
  })();
  ended.catch(() => {});
  return Promise.race([printed, ended]);
}

/** Debian's Chromium, or the one that CHROMIUM names; nothing is downloaded. */
function launch() {
  const known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = process.env.CHROMIUM ?? known.find(existsSync);
  assert.ok(executablePath, "Install Chromium, or name it in CHROMIUM.");
  return chromium.launch({
    executablePath,
    // Its sandbox cannot be had as root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ["--disable-gpu", "--disable-quic", "--disable-sync", "--disable-background-networking", "--disable-component-update"],
  });
}
