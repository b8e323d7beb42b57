// What `namec step` does on a terminal: where one is in the recording, what keys do, what is typed at the
// last line. It knows no terminal: keys come by name, lines go out.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import { Scenes } from "../view/draw/scene.ts";
import { axislines } from "../view/draw/axis.ts";
import { frameof } from "../view/step/frame.ts";
import { markof, nextmark, search } from "../view/step/mark.ts";
import type { Mark } from "../view/step/mark.ts";
import type { By, Tape } from "../view/record/tape.ts";
import { nearest } from "./command.ts";
import type { Text } from "./ansi.ts";
import { COLUMNS, ROWS, drawframe } from "./stepview.ts";
import type { Size } from "./stepview.ts";

/** The keys, as the help shows them. */
const HELP: readonly (readonly [keys: string, text: string])[] = [
  ["→  n  j  space", "next step"],
  ["←  p  k", "step back"],
  ["m  M", "next message, message before"],
  ["c  C", "next system call, call before"],
  ["f  F", "next failure, failure before"],
  ["g  G", "first step, last step"],
  ["PgDn  PgUp", "ten steps on, ten back"],
  [":", "go to a step by its number"],
  ["b", "add a breakpoint: a call (stat), a name (/n/far/a),"],
  ["", "a message (Tread) or a server (far!564)"],
  ["B", "list the breakpoints; there, a number takes one away, 0 all"],
  ["r  R", "run to the next breakpoint, back to the one before"],
  ["/", "search the text of the steps"],
  ["N  P", "next hit, hit before"],
  ["v", "the messages as a diagram, and back"],
  ["?", "this help"],
  ["q  Ctrl-C", "quit"],
];

const KEYS = [
  "→ next  ← back  m message  c call  f failure  b break  r run  / search  ? help  q quit",
  "→ next  ← back  m c f  b break  r run  ? help  q quit",
] as const;

/** What the last line asks for. */
type Prompt = "break" | "search" | "step" | "clear";

const PROMPTS: Readonly<Record<Prompt, string>> = {
  break: "break on: ",
  search: "search: ",
  step: "step: ",
  clear: "take away number (0 all): ",
};

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
  #shows: "frame" | "help" | "marks" | "diagram" = "frame";

  constructor(tape: Tape) {
    this.#tape = tape;
  }

  /** Does what a key says: "right", "m", "M", "return"; `letter` is what it types. True: it is over. */
  key(name: string, letter: string = name): boolean {
    this.#notice = "";
    if (name === "ctrl-c") return true;
    if (this.#prompt !== null) this.#edit(this.#prompt, name, letter);
    else if (this.#shows === "help" || this.#shows === "marks") this.#shows = "frame";
    else if (name === "q") return true;
    else this.#command(name);
    return false;
  }

  /** The whole screen. */
  draw(size: Size): Text[] {
    const { columns, rows } = size;
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
        return drawframe(frameof(this.#tape, this.step), size);
      case "help":
        return HELP.map(([keys, text]) => [
          { text: `  ${keys.padEnd(18)}`, style: "bold" },
          { text, style: "plain" },
        ]);
      case "marks":
        return this.#marklist();
      case "diagram":
        return this.#diagram(size);
    }
  }

  #diagram({ columns, rows }: Size): readonly Text[] {
    this.#scenes ??= new Scenes(this.#tape.recording);
    const lines = axislines(this.#scenes.at(this.#tape.event(this.step)), columns).map(
      (l): Text => [{ text: l.text, style: DIAGRAM[l.kind] ?? "plain" }],
    );
    const [title = [], ...rest] = lines;
    return [title, ...rest.slice(-(rows - 2))];
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
    return [{ text: columns >= KEYS[0].length ? KEYS[0] : KEYS[1], style: "dim" }];
  }

  #command(name: string): void {
    const by = MOVES[name];
    if (by !== undefined) return this.#go(this.#tape[by[0]](this.step, by[1]), LACKS[by[1]][by[0]]);
    switch (name) {
      case "g":
      case "home":
        return this.#to(0);
      case "G":
      case "end":
        return this.#to(this.#tape.length - 1);
      case "pagedown":
        return this.#to(this.step + 10);
      case "pageup":
        return this.#to(this.step - 10);
      case "r":
      case "R":
        return this.#run(name === "R");
      case "N":
      case "P":
        return this.#search(name === "P");
      case "v":
        this.#shows = this.#shows === "diagram" ? "frame" : "diagram";
        return undefined;
      default:
        return this.#ask(name);
    }
  }

  #ask(name: string): void {
    const prompt = ASKS[name];
    if (name === "?" || name === "h") this.#shows = "help";
    else if (name === "B") this.#askclear();
    else if (prompt !== undefined) this.#prompt = prompt;
    else this.#notice = `${name} does nothing; ? shows the keys`;
  }

  #askclear(): void {
    this.#shows = "marks";
    if (this.marks.length > 0) this.#prompt = "clear";
  }

  #to(step: number): void {
    this.step = Math.max(0, Math.min(step, this.#tape.length - 1));
  }

  #go(step: number, otherwise: string): void {
    if (step < 0) this.#notice = otherwise;
    else this.step = step;
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
      case "break":
        return this.#break(text);
      case "search":
        this.#sought = text;
        return this.#search(false);
      case "step":
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
      this.#notice = `${text} is no breakpoint: a call (stat), a name (/n/far/a), a message (Tread), a server (far!564)`;
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

type Move = readonly ["next" | "back", By];

const MOVES: Readonly<Record<string, Move>> = nullproto({
  right: ["next", "step"],
  n: ["next", "step"],
  j: ["next", "step"],
  down: ["next", "step"],
  space: ["next", "step"],
  return: ["next", "step"],
  left: ["back", "step"],
  p: ["back", "step"],
  k: ["back", "step"],
  up: ["back", "step"],
  backspace: ["back", "step"],
  m: ["next", "message"],
  M: ["back", "message"],
  c: ["next", "call"],
  C: ["back", "call"],
  f: ["next", "failure"],
  F: ["back", "failure"],
});

const LACKS: Readonly<Record<By, Readonly<Record<"next" | "back", string>>>> = {
  step: { next: "this is the last step", back: "this is the first step" },
  message: { next: "no message after this step", back: "no message before this step" },
  call: { next: "no system call after this step", back: "no system call before this step" },
  failure: { next: "nothing fails after this step", back: "nothing fails before this step" },
};

const ASKS: Readonly<Record<string, Prompt>> = nullproto({
  b: "break",
  "/": "search",
  ":": "step",
});

const DIAGRAM: Readonly<Record<string, "bold" | "bad" | "good" | "asked" | "dim">> = nullproto({
  call: "bold",
  failed: "bad",
  send: "good",
  receive: "asked",
  other: "dim",
});

const said = (text: string): Text => [{ text, style: "plain" }];

/** Exactly so many lines. */
function filled(lines: readonly Text[], n: number): Text[] {
  return Array.from({ length: n }, (_, i) => lines[i] ?? []);
}
