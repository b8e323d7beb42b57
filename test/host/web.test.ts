/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// The page in a browser: a run there is, step by step, what it is in Node; links, keys, a phone, the dark;
// and programs that do not work.

import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import test from "ava";
import type { Page } from "playwright-core";
import { Buffertty } from "../../kernel/proc/tty.ts";
import { bin } from "../../userland/bin/index.ts";
import { HERE, boothosts, hostof } from "../../userland/boot/hosts.ts";
import { mounted } from "../../userland/boot/mounts.ts";
import { progname } from "../../userland/host/load.ts";
import { loadvm } from "../../userland/host/vmload.ts";
import { findplace } from "../../userland/host/place.ts";
import { sentences } from "../../userland/view/draw/arrowtext.ts";
import { heading } from "../../userland/view/draw/arrowtext.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import { headof } from "../../userland/view/words/lesson.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import { Scenes } from "../../userland/view/draw/scene.ts";
import { timefmt } from "../../userland/view/words/stepfmt.ts";
import { Tape } from "../../userland/view/record/tape.ts";
import { rows } from "../../userland/view/step/tree.ts";
import { ended, newsite, putprogram, runpage } from "./browser.ts";
import type { Site } from "./browser.ts";

const LESSON = "01-which-server.ts";

let site: Site;
test.before(async () => {
  site = await newsite();
});
test.after.always(async () => {
  await site?.close();
});

/** What a step shows, as text: on the page, or as the same view functions make it from a recording. */
type Shown = Readonly<
  Record<
    "number" | "time" | "call" | "line" | "what" | "why" | "mend" | "how" | "tree" | "messages",
    string
  >
>;

/** The steps of a lesson run in Node. */
async function innode(file: string, namespace: "names" | "standard"): Promise<Shown[]> {
  const { machines } = headof(readFileSync(file, "utf8"));
  const tty = new Buffertty();
  const opts = { clock: "virtual", namespace, tty, files: { bin } } as const;
  const here = await boothosts(opts, { hosts: machines.map(hostof), seed: 0 });
  const about = { program: file, namespace, clock: "virtual", seed: 0, machine: HERE } as const;
  const rec = new Recorder({ about: { ...about, hosts: machines }, place: findplace(), snap: 160 });
  const main = await loadvm(file);
  rec.listen(here.kernel.trace);
  const like = await mounted(here.kernel, here.mounts);
  rec.begin(like === null ? [] : [like.pid]);
  const p = here.kernel.spawn(main, [progname(file)], { tty, ...(like !== null && { like }) });
  like?.kill();
  await p.wait();
  // The page shows what was when the program ended, not how its machines were shut down.
  const tape = new Tape(structuredClone({ ...rec.recording, lost: 0 }));
  await here.shutdown();
  const scenes = new Scenes(tape.recording);
  return Array.from({ length: tape.length }, (_, i) => shown(tape, scenes, i));
}

function shown(tape: Tape, scenes: Scenes, step: number): Shown {
  const f = frameof(tape, step);
  const scene = scenes.at(f.event);
  const said = sentences(scene);
  return {
    number: `Step ${step + 1} of ${f.steps}`,
    time: timefmt(f.time),
    call:
      f.call?.text ?? (f.process === "" ? "the kernel itself" : `process ${f.pid}: ${f.process}`),
    line: (f.call?.place ?? "").replace(/^.*:/, "line "),
    what: f.what,
    why: f.why,
    mend: f.mend,
    how: f.how,
    tree: rows(f.tree)
      .map((r) => r.node.name)
      .join(" "),
    messages: `${heading(scene)} ${said.length === 0 ? "No messages." : `${said.join(". ")}.`}`,
  };
}

/** What the page shows now; of the pictures the one that is shown. */
function onpage(page: Page): Promise<Shown> {
  return page.evaluate(() => {
    const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
    const all = (selector: string, between: string): string =>
      [...document.querySelectorAll(selector)]
        .filter((e) => e.closest("[hidden]") === null)
        .map((e) => e.textContent)
        .join(between);
    return {
      number: text("#step-say").replace(/\. .*/s, ""),
      time: text("#step-time"),
      call: text("#step-call"),
      line: text("#step-place"),
      what: text("#step-what"),
      why: text("#step-why"),
      mend: text("#step-mend"),
      how: text("#step-how"),
      tree: all("#tree .node-name", " "),
      messages: all("#diagram svg > title, #diagram svg > desc", " "),
    };
  });
}

/** Presses a key and waits for the step to be drawn. */
async function press(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
}

/** Goes from step to step with a key, and gives what was to be seen. */
async function walked(page: Page, key: string, n: number): Promise<Shown[]> {
  const list = [await onpage(page)];
  for (let i = 1; i < n; i++) {
    await press(page, key);
    list.push(await onpage(page));
  }
  return list;
}

/** Opens the page with a lesson run. */
async function withlesson(page: Page, name = LESSON): Promise<void> {
  await page.selectOption("#example", name);
  if ((await ended(page)) !== "done") throw new Error(await page.innerText("#problem"));
}

for (const space of ["names", "standard"] as const)
  test.serial(
    `every step in the page is what it is in Node, forward and back, in ${space}`,
    async (t) => {
      const node = await innode(resolve("examples/lessons", LESSON), space);
      t.true(node.length > 50);
      const page = await site.open(t);
      await withlesson(page);
      await page.uncheck("#own");
      t.is(await runpage(page), "done");
      await page.check(`#space-${space}`);
      await press(page, "g");
      await press(page, "1");
      const messages = node.map((s) => ({ ...s, tree: "" }));
      t.deepEqual(await walked(page, "n", node.length), messages);
      // There is no step behind the last.
      await press(page, "n");
      t.deepEqual(await onpage(page), messages.at(-1));
      await press(page, "2");
      const names = node.map((s) => ({ ...s, messages: "" }));
      t.deepEqual(await walked(page, "p", node.length), names.toReversed());
      t.like(await onpage(page), { number: `Step 1 of ${node.length}` });
      t.is(await page.innerText("#console"), "rain\nstay in\n");
    },
  );

test.serial(
  "a link brings program, machines, name space and step to another browser",
  async (t) => {
    const page = await site.open(t);
    await withlesson(page);
    await page.click("#dock-tab-machines");
    await page.fill("#machine-0-rtt", "70ms");
    await putprogram(
      page,
      'import { type Sys, print } from "namec";\nexport default async (sys: Sys) => {\n  await sys.stat("/n/far");\n  await print(sys, "mine\\n");\n};\n',
    );
    t.is(await runpage(page), "done");
    await page.check("#space-standard");
    await press(page, "G");
    await press(page, "p");
    const before = await onpage(page);
    await page.click("#share");
    await page.waitForFunction(() => location.hash.length > 20);
    const hash = new URL(page.url()).hash;
    const other = await site.open(t, { hash });
    // The program may be anybody's: it is shown, and waits.
    await other.waitForFunction(
      () => document.querySelector("#status")?.textContent?.includes("has not run") === true,
    );
    t.is(await other.getAttribute("body", "data-run"), "none");
    t.is(await other.locator("iframe").count(), 0);
    t.is(await runpage(other), "done");
    await other.waitForFunction(
      (n) => document.querySelector("#step-say")?.textContent?.startsWith(n) === true,
      before.number,
    );
    t.deepEqual(await onpage(other), before);
    t.true(await other.isChecked("#space-standard"));
    t.is(await other.inputValue("#machine-0-rtt"), "70ms");
    t.true((await other.innerText(".cm-content")).includes('print(sys, "mine\\n")'));
  },
);

test.serial("a link that is damaged says so, and the page works", async (t) => {
  const page = await site.open(t, { hash: "#z.abcdef" });
  t.regex(await page.innerText("#link-problem"), /damaged/);
  t.is(await runpage(page), "done");
});

test.serial("the keyboard alone is enough", async (t) => {
  const page = await site.open(t);
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.id ?? "");
  const tabto = async (id: string): Promise<void> => {
    for (let i = 0; i < 120 && (await focused()) !== id; i++) await page.keyboard.press("Tab");
    t.is(await focused(), id);
    // One sees where one is.
    t.true(
      await page.evaluate(() => {
        const e = document.activeElement;
        if (e === null) return false;
        const { outlineStyle, boxShadow } = getComputedStyle(e);
        return outlineStyle !== "none" || boxShadow !== "none";
      }),
      `${id} does not show that it has the focus`,
    );
  };
  await page.keyboard.press("Tab");
  t.is(await page.evaluate(() => document.activeElement?.textContent), "To the program");
  await tabto("example");
  const before = await page.innerText(".cm-content");
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
  t.not(await page.innerText(".cm-content"), before);
  await tabto("run");
  await page.keyboard.press("Enter");
  t.is(await ended(page), "done");
  await page.keyboard.press("Tab");
  await tabto("slider");
  await press(page, "End");
  const last = await onpage(page);
  t.regex(last.number, /^Step (\d+) of \1$/);
  await press(page, "Home");
  t.regex((await onpage(page)).number, /^Step 1 of /);
  for (const key of ["c", "m", "n", "G", "F"]) {
    const was = await onpage(page);
    await press(page, key);
    // Back to a failure there may be no way.
    if (key !== "F") t.not((await onpage(page)).number, was.number, `${key} goes nowhere`);
    if (key === "m") t.is(await page.locator("#diagram .arrow.current").count(), 1);
  }
  await press(page, "v");
  t.true(await page.isChecked("#space-standard"));
  await page.keyboard.press("?");
  t.true(await page.isVisible("#keys"));
  await page.keyboard.press("Escape");
  t.false(await page.isVisible("#keys"));
  await page.keyboard.press("Control+Enter");
  t.is(await ended(page), "done");
});

test.serial("on a phone nothing lies outside of the screen", async (t) => {
  const page = await site.open(t, {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  const fits = async (when: string): Promise<void> => {
    const [inner, scroll] = await page.evaluate(() => [
      innerWidth,
      document.documentElement.scrollWidth,
    ]);
    t.is(inner, 360, when);
    t.true((scroll ?? 999) <= 360, `${when}: ${scroll} wide`);
  };
  await fits("at first");
  for (const name of ["10-sixteen-readers.ts", "11-dead-server.ts"]) {
    await withlesson(page, name);
    for (const id of ["#by-message", "#go-next", "#by-call", "#go-next", "#go-last", "#go-first"]) {
      await page.tap(id);
      await fits(`${name} after ${id}`);
    }
  }
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button:not(.term), select, input[type=range]")]
      .filter((e) => e.checkVisibility())
      .map((e) => [e.id, e.getBoundingClientRect().height] as const)
      .filter(([, height]) => height < 24),
  );
  t.deepEqual(small, [], "too small for a finger");
});

for (const colorScheme of ["light", "dark"] as const)
  test.serial(`everything can be read where it is ${colorScheme}`, async (t) => {
    const page = await site.open(t, { colorScheme });
    await withlesson(page, "04-long-name.ts");
    await press(page, "f");
    const { faint, back } = await page.evaluate(contrasts);
    t.deepEqual(faint, []);
    t.is(back > 0.5, colorScheme === "light");
  });

/** In the page: the texts that have too little contrast with what is behind them, and how bright that is. */
function contrasts(): { faint: string[]; back: number } {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  // Whatever the colour is written in, the canvas has it in bytes.
  const bytes = (css: string): number[] => {
    if (canvas === null) return [0, 0, 0, 255];
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (css: string): number => {
    const [r = 0, g = 0, b = 0] = bytes(css)
      .slice(0, 3)
      .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e: Element | null): string => {
    for (let x = e; x !== null; x = x.parentElement) {
      const { backgroundColor } = getComputedStyle(x);
      if ((bytes(backgroundColor)[3] ?? 0) === 255) return backgroundColor;
    }
    return getComputedStyle(document.documentElement).colorScheme.startsWith("dark")
      ? "#000"
      : "#fff";
  };
  const faint = [
    ...document.querySelectorAll("h1, h2, h3, p, pre, code, span, td, th, button, label, svg text"),
  ]
    .filter(
      (e) =>
        e.checkVisibility() && (e.textContent ?? "").trim() !== "" && !e.matches(".sr, [disabled]"),
    )
    .flatMap((e) => {
      const s = getComputedStyle(e);
      const [a, b] = [light(e.matches("svg text") ? s.fill : s.color), light(behind(e))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return ratio >= 4.5
        ? []
        : [
            `${e.tagName} ${e.id || e.className.toString()} "${e.textContent?.slice(0, 30)}": ${ratio.toFixed(2)}`,
          ];
    });
  return { faint, back: light(behind(document.body)) };
}

test.serial("the licences of the libraries in the page are a link of it", async (t) => {
  const page = await site.open(t);
  const link = await page.getAttribute("#keys a", "href");
  const text = await (await fetch(new URL(link ?? "none", site.url))).text();
  for (const name of ["@codemirror/view", "@xterm/xterm", "sucrase", "lru-cache"])
    t.regex(text, new RegExp(`^${name} [0-9.]+, `, "m"));
  t.regex(text, /Permission is hereby granted/);
});

test.serial("what must load is less than 300 KB, gzipped", async (t) => {
  const html = readFileSync(join(site.dir, "index.html"), "utf8");
  const want = new Set(
    [...html.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g)].map((m) => m[1] ?? ""),
  );
  t.is(want.size, 1);
  // A kernel is wanted too, though it loads when something is run.
  const files = readdirSync(join(site.dir, "assets"))
    .filter((f) => /^worker-[\w-]+\.js$/.test(f))
    .map((f) => `assets/${f}`);
  t.is(files.length, 1);
  const page = await site.open(t);
  await withlesson(page);
  const loaded = await page.evaluate(() =>
    performance.getEntriesByType("resource").map((e) => e.name),
  );
  for (const f of files) t.true(loaded.includes(site.url + f), f);
  files.push(...want);
  const size = files.reduce((n, f) => n + gzipSync(readFileSync(join(site.dir, f))).length, 0);
  t.true(size < 300_000, `${size} bytes`);
});

test.serial("what is wrong with a program is said, with its line", async (t) => {
  const page = await site.open(t);
  await putprogram(page, "export default async function main(sys) {\n  let x = ;\n}\n");
  t.is(await runpage(page), "failed");
  t.regex(await page.innerText("#problem"), /^\S+:2(:\d+)?: /);
  await putprogram(
    page,
    'import { print } from "namec";\nexport default async (sys) => {\n  await print(sys, "so far\\n");\n  null.x;\n};\n',
  );
  await page.click("#run");
  await page.waitForFunction(
    () => document.querySelector("#problem")?.textContent?.includes(":4:") === true,
  );
  await ended(page);
  t.regex(await page.innerText("#problem"), /TypeError/);
  // What it did before can be stepped through.
  t.is(await page.innerText("#console"), "so far\n");
  t.regex((await onpage(page)).number, /^Step \d+ of \d+$/);
});

/** The first line of a program that is to run in the browser's own engine. */
const NATIVE = "// image: native\n";

for (const loop of ["for (;;);", "for (;;) await null;"])
  test.serial(`${loop} is stopped while the page lives on, and another program runs`, async (t) => {
    const page = await site.open(t);
    await putprogram(page, `${NATIVE}export default async () => {\n  ${loop}\n};\n`);
    await page.click("#run");
    await page.waitForSelector("body[data-run=running]");
    await page.waitForSelector("iframe", { state: "attached" });
    // The page answers to keys and draws.
    await page.fill("#args", "typed meanwhile");
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    await page.click("#stop");
    t.is(await ended(page), "failed");
    t.regex(await page.innerText("#problem"), /^stopped/);
    t.is(await page.locator("iframe").count(), 0);
    await withlesson(page);
    t.regex((await onpage(page)).number, /^Step \d+ of \d+$/);
  });

test.serial("a loop with a memory of its own ends by itself, with a note", async (t) => {
  const page = await site.open(t);
  await putprogram(page, "export default async () => {\n  for (;;);\n};\n");
  t.is(await runpage(page), "done");
  t.regex(await page.innerText("body"), /sys: trap: no system call in \d+ steps/);
});

/** A program that tries what belongs to the page's origin, and prints what it came to. */
const PROBE = `import { type Sys, print } from "namec";
const tries: Record<string, () => unknown> = {
  origin: () => self.origin,
  indexedDB: () => new Promise((yes, no) => {
    const r = indexedDB.open("mine");
    r.onsuccess = () => yes("opened");
    r.onerror = () => no(r.error);
  }),
  caches: async () => (await caches.open("mine")) && "opened",
  files: async () => (await navigator.storage.getDirectory()) && "opened",
  locks: async () => (await navigator.locks.query()) && "asked",
  fetch: async () => (await fetch(PAGE)).status,
  script: async () => (await import(PAGE + "assets/x.js")) && "loaded",
  page: () => (self as any).document ?? (self as any).parent ?? (self as any).opener ?? "none",
  channel: () => new BroadcastChannel("page").postMessage("from the program"),
};
export default async function main(sys: Sys): Promise<void> {
  for (const [name, fn] of Object.entries(tries)) {
    let text;
    try {
      text = String(await fn());
    } catch (e) {
      text = "refused";
    }
    await print(sys, name + " " + text + "\\n");
  }
}
`;

test.serial("a program reaches nothing of the page's origin", async (t) => {
  const page = await site.open(t, {}, /Content Security Policy/);
  const heard = page.evaluate(
    () =>
      new Promise((done) => {
        const channel = new BroadcastChannel("page");
        channel.addEventListener("message", (e) => done(e.data));
        setTimeout(() => new BroadcastChannel("page").postMessage("from the page"), 10_000);
      }),
  );
  await putprogram(page, NATIVE + PROBE.replaceAll("PAGE", JSON.stringify(site.url)));
  t.is(await runpage(page), "done");
  const said = (await page.innerText("#console")).trim().split("\n");
  t.deepEqual(said, [
    "origin null",
    "indexedDB refused",
    "caches refused",
    "files refused",
    "locks refused",
    "fetch refused",
    "script refused",
    "page none",
    "channel undefined",
  ]);
  t.is(await heard, "from the page");
  t.deepEqual(await page.evaluate(() => indexedDB.databases()), []);
});

test.serial(
  "very much output does not slow the page; what is near the step is there",
  async (t) => {
    const page = await site.open(t);
    await putprogram(
      page,
      `import { print } from "namec";
export default async (sys) => {
  await print(sys, "first\\n");
  await print(sys, "x".repeat(3e6));
  await sys.sleep(1);
  await print(sys, "last\\n");
};
`,
    );
    t.is(await runpage(page), "done");
    const shown = (): Promise<string> => page.innerText("#console");
    await press(page, "G");
    await press(page, "g");
    t.is((await shown()).replace(/x+/, "x"), "first\nx…");
    await press(page, "G");
    const end = await shown();
    t.true(end.length < 50_000);
    t.regex(end.replace(/x+/, "x"), /^…xlast\n$/);
  },
);

test.serial("the members of a union say with what leave they were mounted", async (t) => {
  const page = await site.open(t);
  await withlesson(page, "05-create-in-union.ts");
  await press(page, "G");
  await press(page, "2");
  const members = await page.locator("#tree .node:has(> [title='/tmp/u']) .member").allInnerTexts();
  t.deepEqual(
    members.map((m) => m.replaceAll(/\s+/g, " ")),
    ["1 near!564", "2 far!564 MCREATE"],
  );
});

test.serial("a machine is drawn, dragged, moved by keys and taken away", async (t) => {
  const page = await site.open(t);
  const lines = (): Promise<string> => page.inputValue("#machine-lines");
  await withlesson(page, "04-long-name.ts");
  const before = (await lines()).split("\n");
  await page.click("#dock-tab-machines");
  const gnot = await page.locator(".machine-here rect").boundingBox();
  const scale = await page.locator(".map .scale").nth(3).boundingBox();
  if (gnot === null || scale === null) return t.fail();
  await page.mouse.move(gnot.x + 10, gnot.y + 10);
  await page.mouse.down();
  await page.mouse.move(scale.x, scale.y + 10, { steps: 4 });
  t.is(await page.locator(".map .drawn").count(), 1);
  await page.mouse.up();
  t.is(await page.locator(".map .drawn").count(), 0);
  const added = (await lines()).split("\n");
  t.is(added.length, before.length + 1);
  t.regex(added.at(-1) ?? "", /^\w+:rtt=(9\d|1[01]\d)ms$/);
  // The same place is not the same pixel everywhere; a key goes on to the next round number.
  const last = page.locator(".machine-far").last();
  await last.press("ArrowLeft");
  t.regex(await lines(), /rtt=50ms$/);
  await last.press("Delete");
  t.deepEqual((await lines()).split("\n"), before);
  t.is(await runpage(page), "done");
});

test.serial("nonsense in a field is said, and nothing runs", async (t) => {
  const page = await site.open(t);
  await withlesson(page);
  await page.click("#dock-tab-machines");
  await page.click("#dock-machines summary");
  const why = async (): Promise<string> => {
    t.is(await runpage(page), "failed");
    return await page.innerText("#problem");
  };
  await page.fill("#seed", "-1");
  t.is(await why(), "seed: '-1' is no whole number from 0 on");
  await page.fill("#seed", "0");
  await page.fill("#machine-lines", "far:rtt=50ms,loss=100%");
  t.is(
    await why(),
    "machines: cannot mount tcp!far!9fs on /n/far: no answer in 10 s; is it a 9P server?",
  );
  await page.fill("#machine-lines", `${"x".repeat(300)}:rtt=1ms`);
  t.regex(await page.innerText("#machine-problem"), /is no name for a machine/);
  await page.fill("#machine-lines", "far:rtt=50ms\nnear:rtt=2ms");
  t.is(await runpage(page), "done");
  const was = await page.inputValue("#step-input");
  await page.fill("#step-input", "some");
  await page.press("#step-input", "Enter");
  await page.waitForFunction(
    (n) => document.querySelector<HTMLInputElement>("#step-input")?.value === n,
    was,
  );
});

/** Whether an element is on the screen, all of it. */
function onscreen(page: Page, selector: string): Promise<boolean> {
  return page
    .locator(selector)
    .first()
    .evaluate((e) => {
      const r = e.getBoundingClientRect();
      return (
        r.width > 0 && r.top >= 0 && r.left >= 0 && r.bottom <= innerHeight && r.right <= innerWidth
      );
    });
}

for (const [width, height, deviceScaleFactor] of [
  [1280, 720, 1],
  [1440, 900, 1],
  [1280, 720, 1.5],
] as const)
  test.serial(
    `at ${width} by ${height}, ${deviceScaleFactor} times, a step is seen at once, without scrolling`,
    async (t) => {
      const page = await site.open(t, { viewport: { width, height }, deviceScaleFactor });
      await withlesson(page);
      await press(page, "n");
      for (const id of ["#run", "#go-next", "#step-call", "#step-what", "#step-cost", "#pictures"])
        t.true(await onscreen(page, id), id);
      for (const id of [".views .picture", "#lesson-question", ".cm-here", "#console"])
        t.true(await onscreen(page, id), id);
      const [scrolls, tall] = await page.evaluate(() => [
        document.documentElement.scrollHeight - innerHeight,
        document.querySelector(".views .picture")?.clientHeight ?? 0,
      ]);
      t.is(scrolls, 0);
      t.true((tall ?? 0) > height * 0.35, `the picture is ${tall} high`);
      // The player is one row.
      const tops = await page.evaluate(() =>
        [...document.querySelectorAll(".player > :not(.sr)")].map((e) => {
          const r = e.getBoundingClientRect();
          return Math.round(r.top + r.height / 2);
        }),
      );
      t.true(Math.max(...tops) - Math.min(...tops) < 4, String(tops));
    },
  );

test.serial(
  "an example runs when it is chosen, and one that is changed has a name of its own",
  async (t) => {
    const page = await site.open(t);
    await withlesson(page, "04-long-name.ts");
    t.regex(await page.innerText("#status"), /^Ran 04-long-name\.ts in both kernels/);
    t.is(await page.inputValue("#name"), "04-long-name.ts");
    t.false(await page.isVisible("#stale"));
    await page.click(".cm-content");
    await page.keyboard.press("ControlOrMeta+End");
    await page.keyboard.type("// mine");
    t.is(await page.inputValue("#name"), "mine.ts");
    t.is(await page.inputValue("#example"), "");
    // What is shown is of the program as it was.
    t.true(await page.isVisible("#stale"));
    const opacity = (): Promise<string> =>
      page.evaluate(
        () => getComputedStyle(document.querySelector("#views") ?? document.body).opacity,
      );
    t.true(Number(await opacity()) < 0.6);
    await page.fill("#name", "no name");
    t.is(await runpage(page), "failed");
    t.regex(await page.innerText("#problem"), /is no name for a file/);
    await page.fill("#name", "own.ts");
    await page.click("#rerun");
    t.is(await ended(page), "done");
    t.false(await page.isVisible("#stale"));
    t.is(await opacity(), "1");
    t.regex(await page.innerText("#status"), /^Ran own\.ts in both kernels/);
    for (let i = 0; i < 7; i++) await page.keyboard.press("ControlOrMeta+z");
    await page.click("#lesson-next");
    t.is(await ended(page), "done");
    await page.click("#tab-lessons");
    await page.click("#lessons-list [data-name='05-create-in-union.ts']");
    t.is(await ended(page), "done");
    t.is(await page.inputValue("#name"), "05-create-in-union.ts");
    t.true(await page.isVisible("#part-program"));
  },
);

test.serial("a run that fails is shown where it failed", async (t) => {
  const page = await site.open(t);
  await putprogram(
    page,
    'export default async (sys) => {\n  await sys.stat("/");\n  await sys.open("/no/such", 0);\n};\n',
  );
  await runpage(page);
  await page.waitForFunction(
    () => document.querySelector("#step-call")?.textContent?.startsWith("open") === true,
  );
  t.true((await page.locator("#step-call.failed").count()) === 1);
  t.not(await page.innerText("#step-mend"), "");
  t.true((await page.locator("#marks line").count()) > 0);
});

test.serial("both kernels are shown step against step, and the place is not lost", async (t) => {
  const page = await site.open(t);
  await withlesson(page);
  await press(page, "m");
  const number = await page.inputValue("#step-input");
  const call = await page.innerText("#step-call");
  await press(page, "V");
  t.is(await page.locator(".view:not([hidden])").count(), 2);
  const head = (text: string): string => text.replace(/ = .*/, "");
  t.is(head(await page.innerText(".beside .call code")), head(call));
  await press(page, "V");
  await press(page, "v");
  t.true(await page.isChecked("#space-standard"));
  t.is(head(await page.innerText("#step-call")), head(call));
  await press(page, "v");
  t.is(await page.inputValue("#step-input"), number);
});

test.serial("Find says how many, and goes round; a word says what it means", async (t) => {
  const page = await site.open(t);
  await withlesson(page);
  await press(page, "/");
  await page.keyboard.type("twalk");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() =>
    /This is number/.test(document.querySelector("#seek-said")?.textContent ?? ""),
  );
  const [, n = "", at = ""] =
    /^(\d+) steps have "twalk"\. This is number (\d+)\.$/.exec(
      await page.innerText("#seek-said"),
    ) ?? [];
  t.true(Number(n) > 2 && Number(at) > 0);
  const was = await page.inputValue("#step-input");
  for (let i = 0; i < Number(n); i++) await page.click("#find-next");
  await press(page, "Shift");
  t.is(await page.inputValue("#step-input"), was);
  await page.fill("#find", "no such text");
  t.is(await page.innerText("#seek-said"), 'No step has "no such text".');
  await page.focus("#slider");
  // The next message names a word of the glossary.
  await press(page, "m");
  const term = page.locator(".say .term").first();
  const word = (await term.innerText()).toLowerCase();
  await term.click();
  t.true(await page.isVisible("#word"));
  t.true(
    word.startsWith(
      (await page.innerText("#word-name")).toLowerCase().split(",")[0]?.slice(0, 3) ?? "?",
    ),
  );
  await page.keyboard.press("Enter");
  t.false(await page.isVisible("#word"));
  t.true(await page.isVisible("#words"));
});

test.serial(
  "the editor checks types, explains a call and completes a constant with its import",
  async (t) => {
    const page = await site.open(t);
    await page.waitForSelector("body[data-checker=ready]");
    await putprogram(
      page,
      'import { type Sys } from "namec";\nexport default async (sys: Sys) => {\n  await sys.open("/x");\n};\n',
    );
    await page.waitForSelector("body[data-faults='1']");
    t.is(await page.locator(".cm-lintRange-error").count(), 1);
    const open = await page.evaluate(() => {
      const walk = document.createTreeWalker(
        document.querySelector(".cm-content") ?? document.body,
        NodeFilter.SHOW_TEXT,
      );
      for (let n = walk.nextNode(); n !== null; n = walk.nextNode()) {
        const i = (n.textContent ?? "").indexOf("open");
        if (i < 0) continue;
        const range = document.createRange();
        range.setStart(n, i + 1);
        range.setEnd(n, i + 3);
        const { x, y } = range.getBoundingClientRect();
        return { x: x + 3, y: y + 5 };
      }
      return { x: 0, y: 0 };
    });
    await page.mouse.move(open.x, open.y);
    const card = page.locator(".cm-tooltip-hover .card").first();
    await card.waitFor();
    t.regex(await card.innerText(), /open\(name: string, mode: number\).*/s);
    t.regex(await card.innerText(), /fails with/);
    await page.mouse.move(5, 300);
    await page.click(".cm-line:nth-child(3)");
    await page.keyboard.press("End");
    for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowLeft");
    await page.keyboard.type(", ORD");
    await page.waitForSelector(".cm-tooltip-autocomplete li[aria-selected]");
    await page.keyboard.press("Enter");
    await page.waitForSelector("body[data-faults='0']");
    t.regex(await page.innerText(".cm-content"), /import \{ ORDWR, type Sys \} from "namec"/);
  },
);

test.serial(
  "the page's rules let no text be run as code, and a link that no page would follow is not made",
  async (t) => {
    const page = await site.open(t, {}, /Content Security Policy|unsafe-eval/);
    const policy = await page.getAttribute("meta[http-equiv=Content-Security-Policy]", "content");
    t.false(/'unsafe-eval'/.test(policy ?? ""));
    await page.uncheck("#own");
    await putprogram(
      page,
      NATIVE +
        'import { print } from "namec";\nexport default async (sys) => {\n  let text = "evaluated";\n  try {\n    new Function("return 1")();\n  } catch (e) {\n    text = e.name;\n  }\n  await print(sys, text);\n};\n',
    );
    t.is(await runpage(page), "done");
    t.is(await page.innerText("#console"), "EvalError");
    await putprogram(page, `// ${"x".repeat(600_000)}\n`);
    await page.click("#share");
    await page.waitForSelector("#link-problem:not([hidden])");
    t.regex(await page.innerText("#link-problem"), /^no link is made/);
    t.is(new URL(page.url()).hash, "");
  },
);

test.serial("a screen reader hears the step, and a step can be printed", async (t) => {
  const page = await site.open(t);
  await withlesson(page);
  const tree = await page.locator("body").ariaSnapshot();
  for (const part of [
    /- tablist "Program, terminal or lessons"/,
    /- group "Move through the run"/,
    /- slider "Step"/,
    /- radiogroup "Picture"/,
    /- tabpanel "Program"/,
    /- article "This step"/,
    /- heading ".+" \[level=2\]/,
    /- tablist "More"/,
    /- button "next"/,
  ])
    t.regex(tree, part);
  await page.emulateMedia({ media: "print" });
  t.true(await page.isVisible("#step-what"));
  t.true(await page.isVisible(".view .picture"));
  t.false(await page.isVisible(".player"));
  t.false(await page.isVisible("#run"));
});

test.serial(
  "mistakes are answered with the line and what to write, and the lessons can be read about",
  async (t) => {
    const page = await site.open(t);
    // In the browser's engine, or in a memory of its own: its first line says which.
    const said = async (body: string, image = "vm"): Promise<string> => {
      await putprogram(
        page,
        `// image: ${image}\nimport { OREAD, RFPROC, print } from "namec";\nexport default async function main(sys: any): Promise<any> {\n  ${body}\n}\n`,
      );
      await runpage(page);
      return (await page.isVisible("#problem")) ? await page.innerText("#problem") : "";
    };
    const WRONG: readonly (readonly [string, RegExp])[] = [
      ['await print("x");', /:4:\d+\s+Argument 1 of print, sys, is the text "x"/],
      ['await sys.write(1, "text");', /:4:\d+\s+Argument 2 of write, bytes, is the text "text"/],
      ['await sys.open("/tmp/x");', /:4:\d+\s+Argument 2 of open, mode, is missing/],
      ["return 7;", /:4\s+The program returned the number 7, and an exit status is a text/],
      [
        'await readtext(sys, "/x");',
        /readtext[^]*:4:\d+\s+Write import \{ readtext \} from "namec"/,
      ],
      ["await sys.sleep(1;", /:4:\d+: [^]*A bracket, comma or semicolon is missing/],
    ];
    for (const image of ["native", "vm"])
      for (const [body, text] of WRONG) t.regex(await said(body, image), text, `${image} ${body}`);
    await said('sys.open("/tmp/none", OREAD); await sys.sleep(1);', "native");
    t.regex(
      await page.innerText("#console"),
      /open\("\/tmp\/none", OREAD\) failed: [^]*:4:\d+\s+The program did not learn of it/,
    );
    await said(
      'await sys.rfork(RFPROC, async () => { await print(sys, "x"); }); await sys.wait();',
      "native",
    );
    t.regex(await page.innerText("#console"), /This sys has the system calls of process \d+/);
    await page.click("#tab-lessons");
    await page.click("#reading summary");
    await page.waitForSelector("#reading-text h3");
    t.regex(await page.innerText("#reading-text"), /A file is what answers as one[^]*fid/);
  },
);

test.serial(
  "a program has a memory of its own: rfork returns twice, and the browser is out of reach",
  async (t) => {
    const page = await site.open(t);
    const program = `import { type Sys, print, RFFDG, RFPROC } from "namec";
export default async (sys: Sys) => {
  let who = "parent";
  if ((await sys.rfork(RFPROC | RFFDG)) === 0) {
    who = "child";
    await print(sys, who + " " + typeof globalThis.fetch + "\\n");
    await sys.exits("");
  }
  await sys.wait();
  await print(sys, who + "\\n");
};
`;
    await putprogram(page, program.replaceAll("\\\\", "\\"));
    t.is(await runpage(page), "done");
    t.is(await page.innerText("#console"), "child undefined\nparent\n");
    await press(page, "g");
    await press(page, "3");
    await press(page, "c");
    await press(page, "c");
    t.true((await page.locator("#procs .box").count()) > 0);
    t.regex(await page.innerText("#step-place"), /^line \d+$/);
    // A native one needs the child's function.
    await page.uncheck("#own");
    t.is(await runpage(page), "done");
    t.regex(await page.innerText("#problem"), /rfork/);
  },
);
