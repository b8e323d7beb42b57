// What `namec step` does on a terminal: the step of the recording that is shown, the acts of the keys, and the text that
// is typed in the last line. The keys are those of view/step/keys.ts. It knows no terminal: key() takes keys by name,
// and draw() gives lines.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import { Scenes } from "../view/draw/scene.ts";
import { axislines } from "../view/draw/axis.ts";
import { frameof } from "../view/step/frame.ts";
import { KEYS, helpof, keysof } from "../view/step/keys.ts";
import type { Act, Acts } from "../view/step/keys.ts";
import { markof, nextmark, search } from "../view/step/tape.ts";
import type { Mark, Tape } from "../view/step/tape.ts";
import type { Recording } from "../view/record/recording.ts";
import { nearest } from "./command.ts";
import { plaintext, width, wrapped } from "./ansi.ts";
import type { Text } from "./ansi.ts";
import { signsin } from "./signs.ts";
import type { Sign } from "./signs.ts";
import { COLUMNS, PANES, ROWS, drawframe } from "./stepview.ts";
import type { Pane, Size } from "./stepview.ts";
import { Glossary } from "../view/words/documents.ts";
import type { Entry } from "../view/words/documents.ts";

/** The keys by their names. */
const BINDINGS = keysof("terminal");

/** The keys in the last line, for a wide terminal, a less wide one, a narrow one. */
const LINES = [0, 1, 2].map((i) => KEYS.flatMap((row) => row.line[i] ?? []).join("  "));

/** What the last line asks for. */
type Prompt = Extract<Act, `ask ${string}`> | "clear";

const PROMPTS: Readonly<Record<Prompt, string>> = {
  "ask break": "break on: ",
  "ask search": "search: ",
  "ask step": "step: ",
  clear: "take away number (0 all): ",
};

/** "schedule 3.1: deadlock: process 3 waits ...", of a recording that the explorer made; "" of any other. */
export function leadtext({ about: { explored } }: Recording): string {
  return explored === undefined ? "" : `schedule ${explored.schedule}: ${explored.found}`;
}

/** A recording that is stepped through. */
export class Stepper {
  step = 0;
  readonly marks: Mark[] = [];
  readonly #tape: Tape;
  #scenes: Scenes | null = null;
  #prompt: Prompt | null = null;
  #typed = "";
  #sought = "";
  #notice = "";
  #shows: "frame" | "help" | "marks" | "diagram" | "output" | "words" | "how" = "frame";
  /** The pane that is chosen, whether it is alone on the screen, and how far what is shown is scrolled. */
  #focus: Pane | null = null;
  #alone = false;
  #scroll = { by: 0 };
  readonly #markdown: () => string;
  #glossary: Glossary | null = null;
  /** The words of the glossary that the screen had when the key w was pressed. */
  #words: readonly Entry[] = [];
  #signs: readonly Sign[] = [];
  #size: Size = { columns: 80, rows: 24 };

  /** `glossary` gives docs/glossary.md when it is first asked for. */
  constructor(tape: Tape, glossary: () => string = () => "") {
    this.#tape = tape;
    this.#markdown = glossary;
  }

  /** Does what a key is for: "right", "m", "M", "return"; `letter` is what the key types. Gives true when the stepper is to end. */
  key(name: string, letter: string = name): boolean {
    this.#notice = "";
    if (name === "ctrl-c") return true;
    if (this.#prompt !== null) this.#edit(this.#prompt, name, letter);
    else if (SHEETS.has(this.#shows)) this.#sheet(name);
    else return this.#command(name);
    return false;
  }

  /** A key on a sheet: it scrolls the sheet, or goes back to the step. */
  #sheet(name: string): void {
    const by = SCROLLS[name];
    if (by === undefined) {
      this.#shows = "frame";
      this.#scroll = { by: 0 };
    } else this.#scroll.by = Math.max(0, this.#scroll.by + by);
  }

  /** Gives the lines of the whole screen. */
  draw(size: Size): Text[] {
    const { columns, rows } = size;
    this.#size = size;
    if (columns < COLUMNS || rows < ROWS)
      return filled(
        [said(`namec step needs ${COLUMNS}x${ROWS}`), said(`this is ${columns}x${rows}`)],
        rows,
      );
    return [...filled(this.#body(size), rows - 1), this.#lastline(columns)];
  }

  #body(size: Size): readonly Text[] {
    if (this.#tape.length === 0) return [said("The recording has no steps.")];
    switch (this.#shows) {
      case "frame":
        return this.#frame(size);
      case "help":
        return this.#lines(helplines(size.columns), size);
      case "marks":
        return this.#lines(this.#marklist(), size);
      case "diagram":
        return this.#diagram(size);
      case "output":
        return this.#lines(this.#output(), size);
      case "how":
        return this.#lines(this.#mechanism(size.columns), size);
      case "words":
        return this.#lines(this.#meanings(size.columns), size);
    }
  }

  #frame(whole: Size): readonly Text[] {
    const lead = leadtext(this.#tape.recording).split("\n", 1).join("");
    const size = lead === "" || whole.rows <= ROWS ? whole : { ...whole, rows: whole.rows - 1 };
    if (size !== whole) return [[{ text: ` ${lead}`, style: "bold" }], ...this.#panes(size)];
    return this.#panes(size);
  }

  #panes(size: Size): readonly Text[] {
    // A tall screen shows more of the program.
    const frame = frameof(this.#tape, this.step, { around: Math.max(3, size.rows >> 1) });
    return drawframe(frame, size, {
      focus: this.#focus,
      alone: this.#alone,
      scroll: this.#scroll,
      said: this.#tape.output(this.step, SAID),
    });
  }

  /** The part of a list of lines that is on the screen, as far as it is scrolled. */
  #lines(lines: readonly Text[], { rows }: Size): readonly Text[] {
    const room = rows - 1;
    this.#scroll.by = Math.min(this.#scroll.by, Math.max(0, lines.length - room));
    return lines.slice(this.#scroll.by, this.#scroll.by + room);
  }

  #diagram({ columns, rows }: Size): readonly Text[] {
    this.#scenes ??= new Scenes(this.#tape.recording);
    const { event, served } = frameof(this.#tape, this.step);
    const lines = axislines(this.#scenes.at(event, served[0]?.call), columns).map((l): Text => [
      { text: l.text, style: DIAGRAM[l.kind] ?? "plain" },
    ]);
    const [head = [], ...rest] = lines;
    // At a read or write of a server, the diagram has the messages of the client's call that the server answers.
    const whose = served[0] === undefined ? "" : `process ${served[0].pid}: `;
    const title: Text = [{ text: whose, style: head[0]?.style ?? "plain" }, ...head];
    const { machine } = this.#tape.recording.about;
    const here = `${plaintext(machine)}, this machine`;
    const signs = LEGEND.map((l) => l.replace("this machine", () => here));
    const legend = inlines(signs, columns).map((text): Text => [{ text, style: "dim" }]);
    const room = rows - 2 - legend.length;
    // The diagram ends at this step, so its end is shown, until keys scroll it back.
    const last = Math.max(0, rest.length - room);
    this.#scroll.by = Math.min(0, Math.max(this.#scroll.by, -last));
    const from = last + this.#scroll.by;
    return [title, ...filled(rest.slice(from, from + room), room), ...legend];
  }

  #output(): readonly Text[] {
    const all = this.#tape.output(this.step, Infinity);
    if (all.length === 0) return [said("The program has written nothing yet.")];
    const text = all.map((s) => s.text).join("");
    return text.split("\n").map((line) => said(plaintext(line)));
  }

  /** What happened, and how the kernel does such a thing. */
  #mechanism(columns: number): readonly Text[] {
    const { what, why, mend, how } = frameof(this.#tape, this.step);
    const more = how === "" ? "There is no more to say of how such a step works." : how;
    const paragraphs = [what, why, mend, more].filter((p) => p !== "");
    return paragraphs.flatMap((p, i): Text[] => [
      ...(i === 0 ? [] : [[]]),
      ...wrapped(plaintext(p), columns - 1).map((text): Text => [
        { text, style: i === 0 ? "bold" : "plain" },
      ]),
    ]);
  }

  /** The words of the screen and what they mean. */
  #meanings(columns: number): readonly Text[] {
    const entry = (word: string, meaning: string): Text[] =>
      wrapped(`${word}: ${meaning}`, columns - 4).map((text, i): Text => {
        const head = i === 0 ? word.length + 1 : 0;
        return [
          { text: i === 0 ? text.slice(0, head) : "    ", style: "bold" },
          { text: text.slice(head), style: "plain" },
        ];
      });
    return [
      ...this.#words.flatMap((e) => entry(e.words.join(", "), e.text)),
      [],
      ...wrapped(SECTIONS, columns - 1).map((x): Text => [{ text: x, style: "dim" }]),
      [],
      ...this.#signs.flatMap(({ sign, means }) => entry(sign, means)),
    ];
  }

  /** Looks which words of the glossary the screen has. */
  #look(): void {
    this.#glossary ??= new Glossary(this.#markdown());
    const screen = this.#body(this.#size).map((line) => line.map((p) => p.text).join(""));
    // The sentences about the step are taken as a whole: a small screen may cut them off.
    const { what, why, mend, how, line } = frameof(this.#tape, this.step);
    const text = [what, why, mend, how, line, ...screen].join("\n");
    const marked = this.#glossary.split(text).flatMap((p) => (p.entry === null ? [] : [p.entry]));
    this.#words = this.#glossary.closed(marked);
    this.#signs = signsin(screen);
    this.#shows = "words";
    this.#scroll = { by: 0 };
  }

  #marklist(): readonly Text[] {
    if (this.marks.length === 0) return [said("There are no breakpoints; b adds one.")];
    return [
      said("Breakpoints:"),
      ...this.marks.map((m, i) =>
        said(`  ${i + 1}. ${m.text}  (${m.on}, ${m.steps.length} in this run)`),
      ),
    ];
  }

  #lastline(columns: number): Text {
    if (this.#prompt !== null)
      return [
        { text: PROMPTS[this.#prompt], style: "bold" },
        { text: this.#typed, style: "plain" },
        { text: " ", style: "mark" },
      ];
    if (this.#notice !== "") return [{ text: this.#notice, style: "bold" }];
    const keys = SHEETS.has(this.#shows) ? SHEETKEYS : LINES;
    return [{ text: keys.find((k) => k.length <= columns) ?? "", style: "dim" }];
  }

  /** Does what a key is for on a step. Gives true when the stepper is to end. */
  #command(name: string): boolean {
    const key = BINDINGS.get(name);
    if (key === undefined) this.#notice = `${name} does nothing; ? shows the keys`;
    else if (key.does === "quit") return true;
    else if (typeof key.does === "string") this.#act(key.does);
    else this.#go(key.does(this.#tape, this.step, "step"), key.lacks);
    return false;
  }

  #act(act: Exclude<Acts["terminal"], "quit">): void {
    switch (act) {
      case "ask break":
      case "ask search":
      case "ask step":
        this.#prompt = act;
        return;
      case "marks":
        return this.#askclear();
      case "run":
      case "run back":
        return this.#run(act === "run back");
      case "hit":
      case "hit back":
        return this.#search(act === "hit back");
      case "pane":
        return this.#choose();
      case "down":
      case "up":
        return this.#move(act === "down" ? PANESCROLL : -PANESCROLL);
      case "zoom":
        return this.#zoom();
      case "words":
        return this.#look();
      case "diagram":
        return this.#show(this.#shows === "diagram" ? "frame" : "diagram");
      case "output":
      case "how":
      case "help":
        return this.#show(act);
    }
  }

  #show(what: "frame" | "help" | "diagram" | "output" | "how"): void {
    this.#shows = what;
    this.#scroll = { by: 0 };
  }

  /** Chooses the next pane, and after the last one none. */
  #choose(): void {
    const next = this.#focus === null ? 0 : PANES.indexOf(this.#focus) + 1;
    this.#focus = PANES[next] ?? null;
    this.#alone &&= this.#focus !== null;
    this.#scroll = { by: 0 };
    this.#notice =
      this.#focus === null ? "no pane is chosen" : `${this.#focus}: d u scroll, z only this`;
  }

  #zoom(): void {
    const { picture } = frameof(this.#tape, this.step);
    this.#focus ??= picture === "names" ? "name space" : picture;
    this.#alone = !this.#alone;
    this.#scroll = { by: 0 };
  }

  #move(by: number): void {
    if (this.#shows === "frame" && this.#focus === null) {
      this.#notice = "no pane is chosen; Tab does";
      return;
    }
    this.#scroll.by += by;
  }

  #askclear(): void {
    this.#shows = "marks";
    this.#scroll = { by: 0 };
    if (this.marks.length > 0) this.#prompt = "clear";
  }

  #to(step: number): void {
    this.#scroll = { by: 0 };
    this.step = Math.max(0, Math.min(step, this.#tape.length - 1));
  }

  #go(step: number, otherwise: string): void {
    if (step < 0) this.#notice = otherwise;
    else this.#to(step);
  }

  #run(back: boolean): void {
    if (this.marks.length === 0) this.#notice = "there are no breakpoints; b adds one";
    else
      this.#go(
        nextmark(this.#tape, this.marks, this.step, back),
        `no breakpoint ${back ? "before" : "after"} this step`,
      );
  }

  #search(back: boolean): void {
    if (this.#sought === "") this.#notice = "nothing is searched for; / does";
    else
      this.#go(
        search(this.#tape, this.#sought, this.step, back),
        `no "${this.#sought}" ${back ? "before" : "after"} this step`,
      );
  }

  #edit(prompt: Prompt, name: string, letter: string): void {
    if (name === "return" || name === "enter") this.#entered(prompt, this.#typed.trim());
    else if (name === "escape") this.#close();
    else if (name === "backspace") this.#typed = Array.from(this.#typed).slice(0, -1).join("");
    else if (name === "ctrl-u") this.#typed = "";
    else if (/^\P{Cc}+$/u.test(letter)) this.#typed += letter;
  }

  #close(): void {
    this.#prompt = null;
    this.#typed = "";
    this.#shows = "frame";
  }

  #entered(prompt: Prompt, text: string): void {
    this.#close();
    if (text === "") return;
    switch (prompt) {
      case "ask break":
        return this.#break(text);
      case "ask search":
        this.#sought = text;
        return this.#search(false);
      case "ask step":
        if (!/^\d+$/.test(text)) this.#notice = `${text} is no number`;
        else this.#to(Number(text) - 1);
        return undefined;
      case "clear":
        return this.#clear(Number(text));
    }
  }

  #break(text: string): void {
    const mark = markof(this.#tape, text);
    if (mark === null) {
      this.#notice = `${text} is no breakpoint: stat, /n/far/a, Tread, far!564, hello.ts:12, pid 3, fd 3`;
      return;
    }
    const known = [...new Set(this.#tape.recording.calls.map((c) => c.name))];
    const close = mark.on === "call" && mark.steps.length === 0 ? nearest(text, known) : null;
    const meant = close === null ? "" : `; did you mean ${close}?`;
    this.marks.push(mark);
    this.#notice = `breakpoint ${this.marks.length}: ${text}, ${mark.steps.length} in this run${meant}`;
  }

  #clear(n: number): void {
    if (n === 0) this.marks.length = 0;
    else if (this.marks[n - 1] === undefined) this.#notice = `there is no breakpoint ${n}`;
    else this.marks.splice(n - 1, 1);
  }
}

const DIAGRAM: Readonly<Record<string, "bold" | "bad" | "good" | "asked" | "dim">> = nullproto({
  call: "bold",
  failed: "bad",
  send: "good",
  receive: "asked",
  other: "dim",
});

const said = (text: string): Text => [{ text, style: "plain" }];

/** The screens that show a list of lines in place of a step. */
const SHEETS: ReadonlySet<string> = new Set(["help", "marks", "output", "words", "how"]);

const SHEETKEYS = [
  "↓ ↑ scroll   any other key: back to the step",
  "↓ ↑ scroll  other keys: back",
] as const;

/** The keys that scroll a sheet, and by how many lines. They are the terminal's own: a browser scrolls the page. */
const SCROLLS: Readonly<Record<string, number>> = nullproto({
  d: 5,
  u: -5,
  down: 1,
  up: -1,
  j: 1,
  k: -1,
  pagedown: 10,
  pageup: -10,
});

/** How many lines of a pane a key scrolls. */
const PANESCROLL = 5;

/** How many columns of the help the keys have. */
const KEYCOLUMNS = 20;

/** How many of the last pieces of output the output pane has. */
const SAID = 500;

/** The sections of the manual that the glossary cites. */
export const SECTIONS =
  "A number in parentheses is a section of Plan 9's manual: 1 commands, 2 calls, 3 devices, 4 services, 5 messages of 9P.";

/** The signs in the diagram of messages, each with its meaning. */
export const LEGEND: readonly string[] = [
  "│ this machine",
  "┊ a server",
  "─▷ a request leaves",
  "● it is there",
  "○ its reply leaves",
  "· · the reply is on its way",
  "◀─ the reply is here",
  "╌▶ ◀╌ the recording does not tell when this message was at the server",
  "> this step",
  "×2 two of these",
  "… cut off",
];

/** The help: the keys, and beside them what they do. */
function helplines(columns: number): Text[] {
  return helpof("terminal").flatMap(([keys, text]) =>
    wrapped(text, columns - KEYCOLUMNS - 1).map((line, i): Text => {
      const shown = i === 0 ? keys.join("  ") : "";
      return [
        { text: `  ${shown}`.padEnd(KEYCOLUMNS), style: "bold" },
        { text: line, style: "plain" },
      ];
    }),
  );
}

/** Puts phrases into lines of so many columns. A phrase is broken only if it is longer than a line. */
function inlines(phrases: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const phrase of phrases) {
    const last = lines.at(-1);
    if (last !== undefined && width(last) + width(phrase) + 2 <= columns)
      lines[lines.length - 1] = `${last}  ${phrase}`;
    else lines.push(...wrapped(phrase, columns));
  }
  return lines;
}

/** The first n lines, with empty ones behind them where there are fewer. */
function filled(lines: readonly Text[], n: number): Text[] {
  return Array.from({ length: n }, (_, i) => lines[i] ?? []);
}
