// What the tests of the page share: the page built anew, on a plain file server below some path, and
// Debian's chromium to look at it. The server notes each request of a page: all of them have to be below that path.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, extname, join } from "node:path";
import type { ExecutionContext } from "ava";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { build } from "vite";

/** Where the page lies on the server: no page may think that it is at the top. */
const BELOW = "/some/path/";

const PATIENCE = 120_000;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

/** The page, built and served, and a browser. */
export class Site {
  readonly dir: string;
  /** What was asked of the server: paths with their queries. */
  readonly asked: readonly string[];
  readonly #server: Server;
  readonly #browser: Browser;

  constructor(dir: string, asked: readonly string[], server: Server, browser: Browser) {
    this.dir = dir;
    this.asked = asked;
    this.#server = server;
    this.#browser = browser;
  }

  /** Where the page is. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${BELOW}`;
  }

  /** Opens the page in a browser that knows nothing yet; what goes wrong there, but for `complaints`, fails the test. */
  async open(
    t: ExecutionContext,
    how: BrowserContextOptions & { hash?: string; ready?: string } = {},
    complaints: RegExp | null = null,
  ): Promise<Page> {
    const { hash = "", ready = "body[data-editor]", ...opts } = how;
    const context = await this.#browser.newContext(opts);
    // Other tests may have all processors.
    context.setDefaultTimeout(PATIENCE);
    const wrong: string[] = [];
    const mine = (url: string): boolean => url.startsWith(this.url) || /^(blob|data):/.test(url);
    context.on("request", (r) => {
      if (!mine(r.url())) wrong.push(`it asks for ${r.url()}`);
    });
    context.on("weberror", (e) => wrong.push(`it throws ${e.error().message}`));
    const page = await context.newPage();
    page.on("console", (m) => {
      if (m.type() === "error" && complaints?.test(m.text()) !== true)
        wrong.push(`it complains: ${m.text()}`);
    });
    t.teardown(async () => {
      await context.close();
      if (wrong.length > 0) throw new Error(`the page does what it may not: ${wrong.join("; ")}`);
    });
    await page.goto(this.url + hash);
    await page.waitForSelector(ready);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Builds the page, serves it and starts the browser. */
export async function newsite(): Promise<Site> {
  const dir = mkdtempSync(join(tmpdir(), "namec-page-"));
  await build({ build: { outDir: dir, emptyOutDir: true }, logLevel: "error" });
  return await serve(dir);
}

/** Serves a folder, which goes when the site is closed, and starts the browser. */
export async function serve(dir: string): Promise<Site> {
  const executablePath = findchromium();
  const asked: string[] = [];
  const server = createServer(({ url = "" }, r) => {
    asked.push(url);
    const path = new URL(url, "http://x/").pathname;
    const file = join(
      dir,
      path.endsWith("/") ? `${path.slice(BELOW.length)}index.html` : path.slice(BELOW.length),
    );
    if (!path.startsWith(BELOW) || !existsSync(file)) return void r.writeHead(404).end();
    r.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" });
    return void r.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // The sandbox cannot be had by root, which is who runs tests in a container.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  return new Site(dir, asked, server, browser);
}

function findchromium(): string {
  for (const dir of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(dir, "chromium");
    if (dir !== "" && existsSync(file)) return file;
  }
  throw new Error("there is no chromium: run test/host/install");
}

/** Runs what the page has now, in both kernels, and waits for the end: "done" or "failed". */
export async function runpage(page: Page): Promise<string> {
  await page.click("#run");
  return await ended(page);
}

/** When the run has ended, and how. */
export async function ended(page: Page): Promise<string> {
  await page.waitForSelector("body[data-run=done], body[data-run=failed]");
  return (await page.getAttribute("body", "data-run")) ?? "";
}

/** Puts a text in place of the program. */
export async function putprogram(page: Page, text: string): Promise<void> {
  await page.click(".cm-content");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
}

/** Presses a key and waits for the step to be drawn. */
export async function press(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
}

/** Opens the page with a lesson run. */
export async function withlesson(page: Page, name = "01-which-server.ts"): Promise<void> {
  await page.selectOption("#example", name);
  if ((await ended(page)) !== "done") throw new Error(await page.innerText("#problem"));
}
