// The terminal as a stepper needs it: text in styles as escape sequences, the width of text in columns, and
// the whole screen, taken at the start and given back in every ending. What is on it is stepview.ts's.

import { writeSync } from "node:fs";
import { eastAsianWidth } from "get-east-asian-width";
import { visible } from "../view/words/text.ts";

/** What a piece of text is; how that looks is decided here. */
export type Style = "plain" | "bold" | "dim" | "title" | "good" | "bad" | "asked" | "path" | "mark";

/** A piece of a line, and a line. */
export type Piece = { readonly text: string; readonly style: Style };
export type Text = readonly Piece[];

const SGR: Readonly<Record<Style, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  title: "1;7",
  good: "32",
  bad: "1;31",
  asked: "33",
  path: "1;36",
  mark: "7",
};

const ESC = "\u001B";
/** Letters that move the cursor by one column each. */
const NARROW = /^[ -\u02FF\u2010-\u2199\u2500-\u257F]*$/;
const NONE = /^[\p{M}\u200B-\u200F\uFEFF]+$/u;
const EMOJI = /\p{Emoji_Presentation}|\uFE0F/u;
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Text as a person sees it: each letter with the accents and joined signs that stand on it. */
function letters(text: string): Iterable<string> {
  if (NARROW.test(text)) return text;
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** How many columns a letter takes. */
function columnsof(letter: string): number {
  if (NARROW.test(letter)) return letter.length;
  if (NONE.test(letter)) return 0;
  return EMOJI.test(letter) ? 2 : eastAsianWidth(letter.codePointAt(0) ?? 0);
}

/** How many columns text takes. */
export function width(text: string): number {
  if (NARROW.test(text)) return text.length;
  let n = 0;
  for (const letter of letters(text)) n += columnsof(letter);
  return n;
}

/** Text that cannot command the terminal: tabs are blanks, other control characters escapes. */
export function plaintext(text: string): string {
  return visible(text.replaceAll("\t", "  "));
}

/** The first columns of text, with "…" where that is not all. */
export function clip(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let [out, n] = ["", 0];
  for (const letter of letters(text)) {
    const w = columnsof(letter);
    if (n + w > columns - 1) break;
    out += letter;
    n += w;
  }
  return columns > 0 ? `${out}…` : "";
}

/** A line on exactly so many columns. */
export function fitted(line: Text, columns: number): Text {
  const out: Piece[] = [];
  let room = columns;
  for (const { text, style } of line) {
    const some = clip(plaintext(text), room);
    if (some !== "") out.push({ text: some, style });
    room -= width(some);
  }
  if (room > 0) out.push({ text: " ".repeat(room), style: "plain" });
  return out;
}

/** Words in lines of at most so many columns. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const next = line === "" ? word : `${line} ${word}`;
    if (line !== "" && width(next) > columns) {
      lines.push(line);
      line = word;
    } else line = next;
  }
  return line === "" ? lines : [...lines, line];
}

/** The line with its escape sequences, or without. */
export function painted(line: Text, colour: boolean): string {
  if (!colour) return line.map((p) => p.text).join("");
  return line
    .map(({ text, style }) => (SGR[style] === "" ? text : `${ESC}[${SGR[style]}m${text}${ESC}[0m`))
    .join("");
}

type In = typeof process.stdin;
type Out = typeof process.stdout;

/** The whole screen of a terminal. */
export class Screen {
  readonly #in: In;
  readonly #out: Out;
  readonly #colour: boolean;
  #shown: string[] = [];
  #taken = false;

  constructor(input: In, output: Out, colour: boolean) {
    this.#in = input;
    this.#out = output;
    this.#colour = colour;
  }

  /** Takes the screen, and the keys as they are pressed. */
  take(): void {
    if (this.#taken) return;
    this.#taken = true;
    this.#shown = [];
    this.#in.setRawMode(true);
    this.#out.write(`${ESC}[?1049h${ESC}[?25l${ESC}[?7l`);
  }

  /** Gives back what take() took, at once, so that it may be the last thing that is done. */
  give(): void {
    if (!this.#taken) return;
    this.#taken = false;
    if (!this.#in.destroyed) this.#in.setRawMode(false);
    try {
      writeSync(this.#out.fd, `${ESC}[0m${ESC}[?7h${ESC}[?25h${ESC}[?1049l`);
    } catch {
      // The terminal is gone, and its state with it.
    }
  }

  // A terminal that does not know its size says 0.
  get columns(): number {
    return this.#out.columns || 80;
  }

  get rows(): number {
    return this.#out.rows || 24;
  }

  /** Everything is drawn anew next: the terminal's size has changed. */
  forget(): void {
    this.#shown = [];
  }

  /** Shows these lines; only those that are not there already are written. */
  show(lines: readonly Text[]): void {
    if (!this.#taken) return;
    const now = lines.map((line) => painted(fitted(line, this.columns), this.#colour));
    let text = this.#shown.length === 0 ? `${ESC}[2J` : "";
    for (const [i, line] of now.entries())
      if (line !== this.#shown[i]) text += `${ESC}[${i + 1};1H${line}`;
    this.#shown = now;
    if (text !== "") this.#out.write(text);
  }
}
