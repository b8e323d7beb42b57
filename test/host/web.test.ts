/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// The page in a browser: a run there is, step by step, what it is in Node; links, keys, a phone, the dark;
// and programs that do not work.

import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import test from "ava";
import type { ExecutionContext } from "ava";
import type { Page } from "playwright-core";
import { Buffertty } from "../../kernel/proc/tty.ts";
import { bin } from "../../userland/bin/index.ts";
import { boothosts } from "../../userland/boot/hosts.ts";
import { HERE, hostof } from "../../userland/boot/simhost.ts";
import { mounted } from "../../userland/boot/mounts.ts";
import { progname } from "../../userland/host/load.ts";
import { loadvm } from "../../userland/host/vmload.ts";
import { findplace } from "../../userland/host/place.ts";
import { Scenes, heading, sentences } from "../../userland/view/draw/scene.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import { headof } from "../../userland/view/words/documents.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import { timefmt } from "../../userland/view/words/text.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import { rows } from "../../userland/view/step/names.ts";
import { ended, newsite, press, putprogram, runpage, withlesson } from "../kit/browser.ts";
import type { Site } from "../kit/browser.ts";

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
      // Where the recording has no line the page says behind which one the call comes.
      line: text("#step-place").replace(/^after line \d+$/, ""),
      what: text("#step-what"),
      why: text("#step-why"),
      mend: text("#step-mend"),
      how: text("#step-how"),
      tree: all("#tree .node-name", " "),
      messages: all("#diagram svg > title, #diagram svg > desc", " "),
    };
  });
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

for (const space of ["names", "standard"] as const)
  test.serial(
    `every step in the page is what it is in Node, forward and back, in ${space}`,
    async (t) => {
      const node = await innode(resolve("examples/lessons", LESSON), space);
      t.true(node.length > 50);
      const page = await site.open(t);
      await withlesson(page);
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

/** The keys of the pictures, and those that put the focus into a field. */
async function keysofpage(t: ExecutionContext, page: Page): Promise<void> {
  for (const [key, picture] of [
    ["1", "messages"],
    ["2", "names"],
    ["3", "processes"],
    ["0", "auto"],
  ] as const) {
    await page.keyboard.press(key);
    t.true(await page.isChecked(`#picture-${picture}`), key);
  }
  for (const [key, field] of [
    [":", "step-input"],
    ["b", "break"],
    ["/", "find"],
  ] as const) {
    await page.focus("#slider");
    await page.keyboard.press(key);
    t.is(await page.evaluate(() => document.activeElement?.id), field, key);
  }
}

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
  await keysofpage(t, page);
  await page.focus("#slider");
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
  for (const name of ["@codemirror/view", "@xterm/xterm", "sucrase"])
    t.regex(text, new RegExp(`^${name} [0-9.]+, `, "m"));
  t.regex(text, /Permission is hereby granted/);
});

test.serial("what must load is less than 300 KB, gzipped", async (t) => {
  const html = readFileSync(join(site.dir, "index.html"), "utf8");
  const want = new Set(
    [...html.matchAll(/(?:src|href)="\.\/assets\/([^"]+\.js)"/g)].map((m) => m[1] ?? ""),
  );
  t.is(want.size, 1);
  // The kernel and the library of programs are wanted too, though they load when something is run.
  for (const f of readdirSync(join(site.dir, "assets")))
    if (/^(worker|inside)-[\w-]+\.js$/.test(f)) want.add(f);
  t.is(want.size, 3);
  for (const f of want)
    for (const m of readFileSync(join(site.dir, "assets", f), "utf8").matchAll(
      /(?:from|import)"\.\/([^"]+)"/g,
    ))
      want.add(m[1] ?? "");
  const files = [...want].map((f) => `assets/${f}`);
  const page = await site.open(t);
  await withlesson(page);
  const loaded = await page.evaluate(() =>
    performance.getEntriesByType("resource").map((e) => e.name),
  );
  for (const f of files) t.true(loaded.includes(site.url + f), f);
  t.true(loaded.some((url) => url.endsWith(".wasm")));
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
  opaque: async () => (await fetch(PAGE, { mode: "no-cors" })).type,
  wasm: async () => (await fetch(PAGE + "assets/" + WASM)).status,
  xhr: () => new Promise((yes, no) => {
    const r = new XMLHttpRequest();
    r.open("GET", PAGE);
    r.onload = () => yes(r.status);
    r.onerror = no;
    r.send();
  }),
  socket: () => new Promise((yes, no) => {
    const s = new WebSocket(PAGE.replace("http", "ws"));
    s.onopen = () => yes("opened");
    s.onerror = no;
  }),
  events: () => new Promise((yes, no) => {
    const s = new EventSource(PAGE);
    s.onopen = () => yes("opened");
    s.onerror = no;
  }),
  worker: () => new Promise((yes, no) => {
    const w = new Worker(PAGE + "assets/" + SCRIPT);
    w.onmessage = () => yes("began");
    w.onerror = no;
  }),
  scripts: () => (self as any).importScripts(PAGE + "assets/" + SCRIPT) ?? "loaded",
  script: async () => (await import(PAGE + "assets/" + SCRIPT)) && "loaded",
  image: async () => (self as any).Image ? new (self as any).Image() : "none",
  navigate: () => { (self as any).location = PAGE; return self.location.protocol; },
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
  const asset = (form: RegExp): string =>
    readdirSync(join(site.dir, "assets")).find((f) => form.test(f)) ?? "none";
  const given = {
    PAGE: `${site.url}?tried&`,
    WASM: asset(/\.wasm$/),
    SCRIPT: asset(/^conn-|^arg-/),
  };
  let program = NATIVE + PROBE;
  for (const [name, text] of Object.entries(given))
    program = program.replaceAll(name, JSON.stringify(text));
  await putprogram(page, program);
  t.is(await runpage(page), "done");
  // The page itself may ask its server, and the server notes it.
  t.is(await page.evaluate(async (url) => (await fetch(url)).status, `${site.url}?page`), 200);
  t.deepEqual(
    site.asked.filter((url) => url.includes("?")),
    [new URL(`${site.url}?page`).pathname + "?page"],
  );
  const said = (await page.innerText("#console")).trim().split("\n");
  t.deepEqual(said, [
    "origin null",
    "indexedDB refused",
    "caches refused",
    "files refused",
    "locks refused",
    "fetch refused",
    "opaque refused",
    "wasm refused",
    "xhr refused",
    "socket refused",
    "events refused",
    "worker refused",
    "scripts refused",
    "script refused",
    "image none",
    "navigate refused",
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
