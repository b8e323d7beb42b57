/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// What the page's reader does: one screen, examples, both kernels, search, the glossary, the checker of types,
// the printer, mistakes, and programs with a memory of their own.

import test from "ava";
import type { Page } from "playwright-core";
import { ended, newsite, press, putprogram, runpage, withlesson } from "../kit/browser.ts";
import type { Site } from "../kit/browser.ts";

let site: Site;
test.before(async () => {
  site = await newsite();
});
test.after.always(async () => {
  await site?.close();
});

/** The first line of a program that is to run in the browser's own engine. */
const NATIVE = "// image: native\n";

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
  await press(page, "Shift");
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
    // A key that comes too soon after the list is the editor's own.
    await page.locator(".cm-tooltip-autocomplete li[aria-selected]").click();
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

test.serial(
  "Tab comes to every control in the order of the page, and shows which one it is",
  async (t) => {
    const page = await site.open(t);
    await withlesson(page);
    for (const dock of ["output", "machines", "find"]) {
      await page.click(`#dock-tab-${dock}`);
      // The map is drawn when its tab is first seen.
      if (dock === "machines") await page.waitForSelector("#machine-node-far");
      const wanted = await page.evaluate(stops);
      // A focus that keys move is to be seen.
      await page.focus(".skip");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Shift+Tab");
      const came: string[] = [];
      const plain: string[] = [];
      for (let i = 0; i < wanted.length; i++) {
        const [name, seen] = await page.evaluate(focused);
        came.push(name);
        if (!seen) plain.push(name);
        // The editor keeps Tab for itself, unless Escape was pressed before.
        if (name.startsWith("DIV#program-text")) await page.keyboard.press("Escape");
        await page.keyboard.press("Tab");
      }
      t.true(wanted.length > 25);
      t.deepEqual(came, wanted, dock);
      t.deepEqual(plain, [], `${dock}: where the focus is cannot be seen`);
    }
  },
);

/** In the page: what Tab is to stop at, in the order of the page. Of a group of radios it is the one that is chosen. */
function stops(): string[] {
  const all = document.querySelectorAll<HTMLElement>(
    "a[href], button, input, select, textarea, summary, [tabindex], [contenteditable=true]",
  );
  return [...all]
    .filter(
      (e) =>
        (e.tabIndex >= 0 || e.isContentEditable) &&
        e.checkVisibility() &&
        !e.matches(":disabled") &&
        !(e instanceof HTMLInputElement && e.type === "radio" && !e.checked),
    )
    .map((e) => `${e.tagName}#${e.id} ${e.textContent?.slice(0, 20)}`);
}

/** In the page: what has the focus, and whether that is to be seen. */
function focused(): [name: string, seen: boolean] {
  const e = document.activeElement;
  if (e === null) return ["nothing", false];
  const { outlineStyle, boxShadow } = getComputedStyle(e.closest(".editor") ?? e);
  const name = `${e.tagName}#${e.id} ${e.textContent?.slice(0, 20)}`;
  const rect = e.querySelector("rect");
  const drawn = rect !== null && getComputedStyle(rect).strokeWidth === "3px";
  return [name, outlineStyle !== "none" || boxShadow !== "none" || drawn];
}

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
  // The elements of the name are one sentence, and marks are words.
  t.regex(tree, /name \/tmp\/all\/plan, of which plan is \w+/);
  for (const tab of ["calls", "costs", "machines", "find", "words"]) {
    await page.click(`#dock-tab-${tab}`);
    const unnamed = (await page.locator("body").ariaSnapshot())
      .split("\n")
      .filter((l) =>
        /- (button|img|textbox|searchbox|checkbox|combobox|slider|tab|link)( \[|:|$)/.test(l),
      );
    t.deepEqual(unnamed, [], tab);
  }
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
