// The terminal: xterm.js shows it, Editline edits its lines, and the machine behind it is in a worker of a frame
// of its own (machine.ts). This script loads when the tab is opened first.
//
// What is typed waits until a program reads; a line goes to the machine when it is at its end. Output that comes
// while a line is edited takes the line's place, and the line is shown again behind it.

import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Xterm } from "@xterm/xterm";
import looks from "@xterm/xterm/css/xterm.css?url";
import { byid, el, fill } from "./dom.ts";
import { Editline, columns, firstkey, unmarked } from "./editline.ts";
import type { Did } from "./editline.ts";
import { loadkernel } from "./engine.ts";
import { Frame } from "./frame.ts";
import { Lists } from "./runner.ts";
import { KEPT, Store } from "./store.ts";
import type { Begin, Edited, Finished, Found, Machinesaid, Space, Typed, Wired } from "./talk.ts";

const INTERRUPT = "\u0003";
/** Has the terminal mark what is pasted. */
const BRACKETED = "\u001B[?2004h";
/** Letters of the output that a reader of the screen finds. */
const HEARD = 4000;
/** Lines that can be stepped through; the worker keeps as many. */
const LINES = 20;

/** What the page does for its terminal. */
export type Hooks = {
  /** What a new machine begins with, but for its name space and its kept files. */
  readonly begin: () => Omit<Begin, "space" | "kept">;
  /** Shows the recording of a line. */
  readonly open: (f: Finished) => void;
  /** What there is at a path that was asked for. */
  readonly found: (f: Found) => void;
  /** A line has ended: files may be other ones now. */
  readonly idle: () => void;
};

/** What comes from the machine. */
type Heard = Machinesaid | Wired;

type State = "starting" | "runs" | "reads" | "down";

/** The terminal of the page. */
export class Terminal {
  readonly #hooks: Hooks;
  readonly #xterm: Xterm;
  readonly #fit = new FitAddon();
  readonly #line = new Editline(remembered(), remember);
  readonly #select = byid("term-lines", HTMLSelectElement);
  #frame: Frame | null = null;
  #store: Store | null = null;
  #state: State = "starting";
  #raw = false;
  /** Keys that wait until a program reads. */
  #queue = "";
  /** Writes that the screen has not shown. */
  #pending = 0;
  /** The column where the edited line begins, and in which of its rows the cursor is. */
  #start = 0;
  #row = 0;
  /** Whether the line is on the screen, and whether names are being looked for. */
  #shown = false;
  #completing = false;
  #asked = 0;
  #given: Edited | null = null;
  #output = "";
  /** Whether the output is to be drawn before the browser paints. */
  #drawn = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    const box = byid("terminal", HTMLElement);
    this.#xterm = new Xterm({
      fontFamily: getComputedStyle(byid("console", HTMLElement)).fontFamily,
      fontSize: 13,
      cursorBlink: false,
      scrollback: 5000,
      theme: theme(box),
    });
    this.#xterm.loadAddon(this.#fit);
    this.#xterm.open(box);
    this.#xterm.write(BRACKETED);
    this.#fit.fit();
    this.#xterm.onData((data) => this.#data(data));
    // Shift-Tab leaves the terminal; Tab completes names.
    this.#xterm.attachCustomKeyEventHandler((e) => !(e.key === "Tab" && e.shiftKey));
    new ResizeObserver(() => this.#resized()).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#xterm.options.theme = theme(box);
    });
    byid("term-stop", HTMLButtonElement).addEventListener("click", () => this.restart());
    byid("term-step", HTMLButtonElement).addEventListener("click", () => this.#open());
    byid("term-space", HTMLSelectElement).addEventListener("change", () => this.restart());
    void this.#begin();
  }

  focus(): void {
    this.#xterm.focus();
  }

  /** Puts the editor's file into the machine if it is not as the machine has it. */
  file(file: Edited): void {
    if (this.#given === null || (file.name === this.#given.name && file.text === this.#given.text))
      return;
    this.#given = file;
    this.#tell({ kind: "file", file });
  }

  /** Asks the machine what is at a path. */
  look(path: string): void {
    this.#tell({ kind: "look", path });
  }

  /** Ends the machine whatever it does, and starts a new one. */
  restart(): void {
    this.#frame?.end();
    this.#frame = null;
    this.#erase();
    const bol = this.#xterm.buffer.active.cursorX === 0 ? "" : "\r\n";
    this.#write(
      `${bol}[The machine was stopped. This is a new one: its lines, and its files that are not kept, are gone.]\r\n`,
    );
    this.focus();
    void this.#begin();
  }

  async #begin(): Promise<void> {
    this.#to("starting");
    this.#line.clear();
    this.#queue = "";
    this.#completing = false;
    fill(this.#select);
    byid("term-step", HTMLButtonElement).disabled = true;
    const { modules, engine } = await loadkernel();
    this.#store ??= await Store.open();
    const kept = this.#store?.contents ?? null;
    byid("term-kept", HTMLElement).textContent =
      kept === null
        ? `Nothing is kept: another page has ${KEPT}, or the browser keeps nothing.`
        : `Files in ${KEPT} are kept by this browser.`;
    if (this.#frame !== null) return;
    const frame = new Frame(modules, (why) => this.#down(why));
    this.#frame = frame;
    const lists = new Lists();
    frame.port.addEventListener("message", ({ data }: MessageEvent<Heard>) => {
      if (this.#frame === frame) this.#said(data, lists);
    });
    frame.port.start();
    frame.port.postMessage(engine);
    const begin: Begin = { ...this.#hooks.begin(), space: spaceof(), kept };
    this.#given = begin.file;
    this.#tell(begin);
  }

  #tell(m: Typed): void {
    this.#frame?.port.postMessage(m);
  }

  #said(m: Heard, lists: Lists): void {
    switch (m.kind) {
      case "wrote":
        this.#erase();
        this.#write(m.text.replaceAll("\n", "\r\n"), m.text.length);
        this.#heard(m.text);
        return;
      case "reads":
        this.#erase();
        this.#raw = m.raw;
        if (!m.raw) this.#hooks.idle();
        this.#to("reads");
        this.#write("");
        return;
      case "line":
        this.#listed(m.line, m.text);
        return;
      case "names":
        if (m.asked === this.#asked && this.#completing) this.#names(m.word, m.found);
        return;
      case "block":
        this.#store?.write(m.bytes, m.at);
        return;
      case "sync":
        void this.#sync(m.n);
        return;
      case "found":
        this.#hooks.found(m.found);
        return;
      case "down":
        this.#down(m.why);
        return;
      default: {
        const r = lists.take(m);
        if (r?.kind === "finished") this.#hooks.open(r);
      }
    }
  }

  /** Stores what was written on the kept disk; the machine waits for that. */
  async #sync(n: number): Promise<void> {
    const frame = this.#frame;
    try {
      await this.#store?.sync();
      if (this.#frame === frame) this.#tell({ kind: "stored", n });
    } catch (e) {
      byid("term-kept", HTMLElement).textContent = `Nothing more is kept: ${String(e)}`;
    }
  }

  /** Output as text: xterm's own mode for it refuses what phones and input methods type. */
  #heard(text: string): void {
    this.#output = (this.#output + text).slice(-HEARD);
    if (this.#drawn) return;
    this.#drawn = true;
    requestAnimationFrame(() => {
      this.#drawn = false;
      byid("term-output", HTMLElement).textContent = this.#output;
    });
  }

  #down(why: string): void {
    this.#frame?.end();
    this.#frame = null;
    this.#to("down");
    this.#write(`\r\n[${why}. Enter starts a new machine.]\r\n`);
  }

  #to(state: State): void {
    this.#state = state;
    // data-terminal becomes "reads" in #settle, when the line is on the screen and can be edited.
    document.body.dataset["terminal"] = state === "reads" ? "runs" : state;
  }

  /** Writes to the screen. When the screen has drawn it, the machine hears how many of a program's letters were taken. */
  #write(text: string, letters = 0): void {
    this.#pending++;
    this.#xterm.write(text, () => {
      this.#pending--;
      if (letters > 0) this.#tell({ kind: "taken", letters });
      this.#settle();
    });
  }

  /** When all is on the screen and a program reads, the line is shown, and keys that waited are obeyed. */
  #settle(): void {
    if (this.#pending > 0 || this.#state !== "reads") return;
    if (!this.#raw && !this.#shown) {
      this.#start = this.#xterm.buffer.active.cursorX;
      this.#row = 0;
      this.#shown = true;
      this.#refresh();
    }
    document.body.dataset["terminal"] = "reads";
    this.#drain();
  }

  #data(data: string): void {
    if (this.#state === "down") {
      if (data === "\r") void this.#begin();
      return;
    }
    // Ctrl-C goes to the machine at once, and the keys that still wait for a program are dropped.
    if (data === INTERRUPT && (this.#state !== "reads" || this.#completing)) {
      this.#queue = "";
      this.#completing = false;
      this.#tell({ kind: "interrupt" });
      return;
    }
    this.#queue += data;
    this.#settle();
  }

  #drain(): void {
    while (this.#queue !== "" && this.#state === "reads" && this.#pending === 0) {
      if (this.#raw) {
        const data = this.#queue;
        this.#queue = "";
        this.#to("runs");
        this.#tell({ kind: "typed", text: unmarked(data).replaceAll("\r", "\n") });
        return;
      }
      if (this.#completing || !this.#shown) return;
      const [key, rest] = firstkey(this.#queue);
      this.#queue = rest;
      this.#did(this.#line.key(key));
    }
  }

  #did(did: Did): void {
    switch (did.kind) {
      case "none":
        return;
      case "edit":
        this.#refresh();
        return;
      case "line":
        this.#over(`${did.text}\n`, did.text);
        return;
      case "eof":
        this.#over("", "");
        return;
      case "interrupt":
        this.#refresh();
        this.#tell({ kind: "interrupt" });
        return;
      case "complete":
        this.#completing = true;
        this.#tell({ kind: "complete", line: did.before, asked: ++this.#asked });
        return;
      case "clear":
        this.#xterm.clear();
    }
  }

  /** The line goes to the machine; the screen keeps all of it. */
  #over(typed: string, text: string): void {
    this.#erase();
    if (typed !== "") this.#write(`${text}\r\n`);
    this.#to("runs");
    this.#tell({ kind: "typed", text: typed });
  }

  /** Takes the line off the screen: the cursor is where the line began. */
  #erase(): void {
    if (!this.#shown) return;
    this.#shown = false;
    document.body.dataset["terminal"] = "runs";
    this.#xterm.write(`${up(this.#row)}${column(this.#start)}\u001B[J`);
  }

  /** Shows the line with its cursor. */
  #refresh(): void {
    const { cols } = this.#xterm;
    const end = columns(this.#line.text, this.#start);
    const at = columns(this.#line.before, this.#start);
    const [row, last] = [Math.floor(at / cols), Math.floor(end / cols)];
    // A terminal stays in the last column of a full line until more comes.
    const wrap = end > 0 && end % cols === 0 && this.#line.length > 0 ? "\r\n" : "";
    this.#xterm.write(
      `${up(this.#row)}${column(this.#start)}\u001B[J${this.#line.text}${wrap}` +
        `${up(last - row)}${column(at % cols)}`,
    );
    this.#row = row;
  }

  /** Completes the word before the cursor as far as all names agree; else shows them. */
  #names(word: string, found: readonly string[]): void {
    this.#completing = false;
    const [first = ""] = found;
    let common = first;
    for (const name of found) while (!name.startsWith(common)) common = common.slice(0, -1);
    const more = found.length === 1 && !first.endsWith("/") ? `${common} ` : common;
    if (found.length > 0 && more !== word && common.length >= word.length) {
      this.#line.put(more, Array.from(word).length);
      this.#refresh();
    } else if (found.length > 1) this.#list(found);
    this.#drain();
  }

  /** The names below the line, and the prompt with the line again. */
  #list(found: readonly string[]): void {
    const { active } = this.#xterm.buffer;
    const y = active.baseY + active.cursorY - this.#row;
    const prompt = active.getLine(y)?.translateToString(false, 0, this.#start) ?? "";
    const width = Math.max(...found.map((name) => name.length)) + 2;
    const each = Math.max(1, Math.floor(this.#xterm.cols / width));
    let text = "";
    for (let i = 0; i < found.length; i += each)
      text += `${found
        .slice(i, i + each)
        .map((name) => name.padEnd(width))
        .join("")
        .trimEnd()}\r\n`;
    this.#erase();
    this.#write(`${this.#line.text}\r\n${text}${prompt}`);
  }

  /** The screen has another size: the line is taken off it first, since its rows are not the same any more. */
  #resized(): void {
    if (byid("terminal", HTMLElement).clientWidth === 0) return;
    this.#erase();
    this.#pending++;
    this.#xterm.write("", () => {
      this.#pending--;
      this.#fit.fit();
      this.#settle();
    });
  }

  /** A line can be stepped through from its beginning on. */
  #listed(line: number, text: string): void {
    this.#select.prepend(el("option", { value: line }, text));
    this.#select.value = String(line);
    while (this.#select.options.length > LINES) this.#select.options[LINES]?.remove();
    byid("term-step", HTMLButtonElement).disabled = false;
  }

  #open(): void {
    this.#tell({ kind: "open", line: Number(this.#select.value) });
  }
}

/** Loads the style sheet of the screen, which is measured by it. */
export function styled(): Promise<void> {
  const link = el("link", { rel: "stylesheet", href: looks });
  return new Promise((resolve, reject) => {
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => reject(new Error(`there is no ${looks}`)));
    document.head.append(link);
  });
}

/** The name space that a new machine has. */
const spaceof = (): Space =>
  byid("term-space", HTMLSelectElement).value === "standard" ? "standard" : "names";

/** Where the browser keeps the lines that were typed. */
const HISTORY = "namec terminal history";

/** The lines that were typed before, as the browser has kept them. */
function remembered(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(HISTORY) ?? "[]");
    return Array.isArray(list) ? list.filter((l) => typeof l === "string") : [];
  } catch {
    // A browser that keeps nothing, or something else under this name.
    return [];
  }
}

function remember(lines: readonly string[]): void {
  try {
    localStorage.setItem(HISTORY, JSON.stringify(lines));
  } catch {
    // The lines are remembered as long as the page is open.
  }
}

const up = (rows: number): string => (rows > 0 ? `\u001B[${rows}A` : "");
const column = (n: number): string => (n > 0 ? `\r\u001B[${n}C` : "\r");

/** The colours of the page. */
function theme(box: HTMLElement): Readonly<Record<string, string>> {
  const { color, backgroundColor } = getComputedStyle(box);
  return {
    foreground: color,
    background: backgroundColor,
    cursor: color,
    cursorAccent: backgroundColor,
    selectionBackground: "#7fb3ad80",
  };
}
