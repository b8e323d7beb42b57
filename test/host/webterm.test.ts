/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// The page's terminal in a browser: lines, keys, interrupts, a restart, and a line in the stepper.

import test from "ava";
import type { ExecutionContext } from "ava";
import type { Page } from "playwright-core";
import { masked, shown, typed } from "../kit/tour.ts";
import { newsite, putprogram, runpage } from "../kit/browser.ts";
import type { Site } from "../kit/browser.ts";

let site: Site;
test.before(async () => {
  site = await newsite();
});
test.after.always(async () => {
  await site?.close();
});

/** Opens the page's terminal, at its first prompt. */
async function opened(t: ExecutionContext): Promise<Page> {
  const page = await site.open(t);
  await page.click("#tab-terminal");
  await prompted(page);
  return page;
}

/** When the machine waits for what is typed. */
async function prompted(page: Page): Promise<void> {
  await page.waitForSelector("body[data-terminal=reads]");
}

/** What the terminal's screen shows, without empty lines at its end, once the browser has drawn it. */
async function screen(page: Page): Promise<string> {
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
  return await page.evaluate(() =>
    [...document.querySelectorAll("#terminal .xterm-rows > div")]
      .map((e) => (e.textContent ?? "").replaceAll("\u00A0", " ").trimEnd())
      .join("\n")
      .trimEnd(),
  );
}

/** The screen once a pattern finds something on it. */
async function showing(t: ExecutionContext, page: Page, pattern: RegExp): Promise<string> {
  const { source, flags } = pattern;
  await page
    .waitForFunction(
      ([s, f]) =>
        new RegExp(s ?? "", f).test(
          [...document.querySelectorAll("#terminal .xterm-rows > div")]
            .map((e) => (e.textContent ?? "").replaceAll("\u00A0", " ").trimEnd())
            .join("\n"),
        ),
      [source, flags],
    )
    .catch(async () => {
      throw new Error(`the screen never showed ${pattern}:\n${await screen(page)}`);
    });
  t.pass();
  return screen(page);
}

async function line(page: Page, text: string): Promise<void> {
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

test.serial("lines run in one machine, and the editor's file is there", async (t) => {
  const page = await site.open(t);
  await putprogram(page, "export default (sys) => 'mine';");
  await page.click("#tab-terminal");
  await prompted(page);
  await line(page, "ls -l /bin | sed 3q");
  await showing(t, page, /^--rwxrwxr-x .* \/bin\/9fs\n(.*\/bin\/[^]*){2}\n%$/m);
  await line(page, "x=(a b c)");
  await line(page, "cat /usr/glenda/*.ts; echo $#x");
  await showing(t, page, /export default \(sys\) => 'mine';3\n/);
  // A file that is changed later is as the editor has it.
  await page.click("#tab-program");
  await putprogram(page, "export default (sys) => 'new';");
  await page.click("#tab-terminal");
  await line(page, "cat /usr/glenda/*.ts");
  await showing(t, page, /'new';/);
});

test.serial("keys edit a line, and the history and names are at hand", async (t) => {
  const page = await opened(t);
  await page.keyboard.type("ho one two");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("ec");
  await page.keyboard.press("Control+e");
  await page.keyboard.press("Control+w");
  await page.keyboard.type("three");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Control+k");
  await line(page, "E");
  await showing(t, page, /^% echo one thrE\none thrE\n% *$/m);
  await page.keyboard.type("ec");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await line(page, "ho typed");
  await showing(t, page, /^typed$/m);
  await page.keyboard.type("echo /bin/basen");
  await page.keyboard.press("Tab");
  await showing(t, page, /^% echo \/bin\/basename *$/m);
  await page.keyboard.press("Enter");
  await showing(t, page, /^\/bin\/basename$/m);
  await page.keyboard.type("echo /bin/un");
  await page.keyboard.press("Tab");
  await showing(t, page, /^\/bin\/uniq +\/bin\/unmount\n% echo \/bin\/un$/m);
  await page.keyboard.press("Control+u");
  // A line that is longer than the screen is wide.
  await line(page, `echo ${"abcdefghij".repeat(12)} | wc -c`);
  await showing(t, page, /^ +121$/m);
});

test.serial(
  "Ctrl-C interrupts what runs in the foreground, and a loop freezes nothing",
  async (t) => {
    const page = await opened(t);
    await line(page, "sleep 100; echo late");
    await page.waitForSelector("body[data-terminal=runs]");
    await page.keyboard.press("Control+c");
    await prompted(page);
    await line(page, "echo still $status");
    await showing(t, page, /^still .*interrupt/m);
    await line(page, "while() {}");
    await page.waitForSelector("body[data-terminal=runs]");
    await page.click("#tab-program");
    await page.click("#tab-terminal");
    await page.click("#term-stop");
    await prompted(page);
    await line(page, "echo a^live");
    const shown = await showing(t, page, /^alive$/m);
    t.regex(shown, /machine was stopped/);
    await page.keyboard.press("Control+d");
    await showing(t, page, /rc has ended/);
    await page.keyboard.press("Enter");
    await prompted(page);
  },
);

test.serial(
  "a line can be opened in the stepper: its processes, descriptors and names",
  async (t) => {
    const page = await opened(t);
    await line(page, "echo hi | cat");
    await showing(t, page, /^hi\n% *$/m);
    await page.click("#term-step");
    await page.waitForSelector("#steps-of:not([hidden])");
    t.is(await page.innerText("#steps-of"), "The line: echo hi | cat");
    const seen = new Set<string>();
    for (let last = ""; ;) {
      const now = await page.inputValue("#step-input");
      if (now === last) break;
      last = now;
      seen.add((await page.innerText("#step-process")).replace(/\d+/, "N").trim());
      await page.keyboard.press("c");
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
    }
    t.true(
      [...seen].some((s) => /^process N \((\/bin\/)?echo\), descriptor 1 is #\|\/data1$/.test(s)),
    );
    t.true(
      [...seen].some((s) => /^process N \((\/bin\/)?cat\), descriptor 0 is #\|\/data$/.test(s)),
    );
    t.true([...seen].some((text) => /^process N \((\/bin\/)?rc\)/.test(text)));
    t.true(await page.isDisabled("#space-standard"));
    // The program's run takes its place again.
    await page.click("#tab-program");
    await runpage(page);
    t.true(await page.isHidden("#steps-of"));
    t.false(await page.isDisabled("#space-standard"));
  },
);

test.serial("with rawon keys come as they are typed, until consctl is closed", async (t) => {
  const page = await opened(t);
  await line(
    page,
    "mkdir -p /tmp; @{ echo rawon; dd -if /dev/cons -bs 1 -count 4 -of /tmp/k } >/dev/consctl; xd -c /tmp/k",
  );
  for (const key of ["a", "Control+a", "Enter", "Tab"]) await page.keyboard.press(key);
  await showing(t, page, /a +01 +\\n +\\t$/m);
  await page.keyboard.type("eccho");
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Backspace");
  await page.keyboard.press("End");
  await line(page, " edited");
  await showing(t, page, /^edited$/m);
});

/** Pastes text into the terminal. */
function paste(page: Page, text: string): Promise<void> {
  return page.evaluate((pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    const e = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    document.querySelector("#terminal textarea")?.dispatchEvent(e);
  }, text);
}

/** Text as a screen keeps it: tabs are blanks, and lines have none at their ends. */
const onscreen = (text: string): string =>
  text
    .split("\n")
    .map((l) => {
      let out = "";
      for (const c of l) out += c === "\t" ? " ".repeat(8 - (out.length % 8)) : c;
      return out.trimEnd();
    })
    .join("\n")
    .trimEnd();

test.serial("the tour in docs/rc.md is what the page's terminal shows", async (t) => {
  // The lines of the tour are not broken on a screen so wide.
  const page = await site.open(t, { viewport: { width: 2400, height: 900 } });
  await page.click("#tab-terminal");
  await prompted(page);
  const want = shown();
  let got = "";
  for (const text of typed(want)) {
    await page.keyboard.press("Control+l");
    // What is pasted has its tabs; Enter is a key.
    await paste(page, text);
    await page.keyboard.press("Enter");
    await prompted(page);
    const rows = (await screen(page)).split("\n");
    // The next prompt is the first row of the next line; that of a line that goes on is blank.
    got += `${(rows.at(-1) === "%" ? rows.slice(0, -1) : rows).join("\n")}\n`;
  }
  t.is(masked(onscreen(got)), masked(onscreen(want)));
});

test.serial(
  "files in /usr/glenda/keep and typed lines are there after a reload, for one page",
  async (t) => {
    const page = await opened(t);
    t.regex(await page.innerText("#term-kept"), /are kept/);
    await line(
      page,
      "echo for tomorrow >/usr/glenda/keep/note; mkdir /usr/glenda/keep/d; lc /usr/glenda/keep",
    );
    await showing(t, page, /^adm +d +note$/m);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.click("#tab-terminal");
    await prompted(other);
    t.regex(await other.innerText("#term-kept"), /another page has/);
    await other.close();
    // What was changed is stored within half a second, by the machine's clock, which is the real one.
    await line(page, "sleep 1; echo sto^red");
    await showing(t, page, /^stored$/m);
    await page.reload();
    await page.waitForSelector("body[data-editor]");
    await page.click("#tab-terminal");
    await prompted(page);
    await page.keyboard.press("ArrowUp");
    await showing(t, page, /^% sleep 1; echo sto\^red$/m);
    await page.keyboard.press("Control+u");
    await line(page, "cat /usr/glenda/keep/note; lc /usr/glenda/keep");
    await showing(t, page, /^for tomorrow\nadm +d +note$/m);
  },
);

test.serial(
  "the machine can have the standard name space, and its files come into the editor",
  async (t) => {
    const page = await opened(t);
    await page.selectOption("#term-space", "standard");
    await prompted(page);
    await line(page, "echo 'export default () => 7' >/tmp/seven.js; cd /tmp");
    await prompted(page);
    await page.click("#term-step");
    await page.waitForSelector("#steps-of:not([hidden])");
    t.true(await page.isChecked("#space-standard"));
    t.true(await page.isDisabled("#space-names"));
    await page.click("#dock-tab-files");
    for (const name of ["usr", "/"])
      await page
        .waitForFunction((n) => document.querySelector("#files-path")?.textContent !== n, name)
        .then(() => page.click("#files-up"));
    await page.click("#files button[title='look into /tmp']");
    await page.click("#files button[title$='take /tmp/seven.js into the editor']");
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>("#name")?.value === "seven.js",
    );
    t.is((await page.innerText(".cm-content")).trim(), "export default () => 7");
  },
);
