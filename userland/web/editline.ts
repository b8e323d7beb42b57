// A line that is being typed: its text, its cursor, what the keys do to it, and the history. It knows no
// screen: keys are the characters that a terminal sends, and the answer is what became of the line.

/** What a key did: the line is to be shown again, or something happened to it. */
export type Did =
  | { readonly kind: "edit" }
  | { readonly kind: "none" }
  /** The line is at its end. */
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "interrupt" }
  | { readonly kind: "eof" }
  | { readonly kind: "complete"; readonly before: string }
  | { readonly kind: "clear" };

const EDIT: Did = { kind: "edit" };
const NONE: Did = { kind: "none" };

/** Lines of the history that are kept. */
const HISTORY = 1000;

const PASTE = "\u001B[200~";
const PASTED = "\u001B[201~";

/** A key, or a paste's beginning, at the front of what a terminal sent. */
// eslint-disable-next-line no-control-regex
const KEY = /^(?:\u001B(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z]|[^[O])?|[^])/u;

/** Takes the first key off: "\x1b[Aab" → ["\x1b[A", "ab"]. */
export function firstkey(data: string): readonly [key: string, rest: string] {
  const key = KEY.exec(data)?.[0] ?? "";
  return [key, data.slice(key.length)];
}

/** What was pasted without the marks around it. */
export const unmarked = (data: string): string => data.replaceAll(PASTE, "").replaceAll(PASTED, "");

/** The line, from one prompt to the next. */
export class Editline {
  #text: readonly string[] = [];
  #cursor = 0;
  #killed: readonly string[] = [];
  #pasting = false;
  readonly #history: string[];
  readonly #keep: (lines: readonly string[]) => void;
  /** Where in the history the line is, counted from its end; 0: it is the one being typed. */
  #back = 0;
  #typed: readonly string[] = [];

  /** The history begins with the lines of `before`; `keep` hears all lines each time that one is added. */
  constructor(
    before: readonly string[] = [],
    keep: (lines: readonly string[]) => void = () => undefined,
  ) {
    this.#history = before.slice(-HISTORY);
    this.#keep = keep;
  }

  get text(): string {
    return this.#text.join("");
  }

  /** What stands before the cursor. */
  get before(): string {
    return this.#text.slice(0, this.#cursor).join("");
  }

  /** Gives the line up. */
  clear(): void {
    this.#text = [];
    this.#cursor = 0;
    this.#back = 0;
  }

  /** Puts text in place of the last letters before the cursor. */
  put(text: string, instead = 0): void {
    const letters = Array.from(text);
    const from = Math.max(0, this.#cursor - instead);
    this.#text = [...this.#text.slice(0, from), ...letters, ...this.#text.slice(this.#cursor)];
    this.#cursor = from + letters.length;
  }

  /** Obeys one key, as firstkey gives it. */
  key(key: string): Did {
    if (key === PASTE || key === PASTED) {
      this.#pasting = key === PASTE;
      return NONE;
    }
    // What is pasted has tabs of its own, and no commands.
    if (this.#pasting && key === "\t") return this.#insert(key);
    const does = KEYS.get(key);
    if (does !== undefined) return does(this);
    // eslint-disable-next-line no-control-regex
    return /^[\u0000-\u001F\u007F]/.test(key) ? NONE : this.#insert(key);
  }

  #insert(key: string): Did {
    this.put(key);
    return EDIT;
  }

  enter(): Did {
    const { text } = this;
    if (text.trim() !== "" && this.#history.at(-1) !== text) {
      this.#history.push(text);
      if (this.#history.length > HISTORY) this.#history.shift();
      this.#keep(this.#history);
    }
    this.clear();
    return { kind: "line", text };
  }

  interrupt(): Did {
    this.clear();
    return { kind: "interrupt" };
  }

  /** The end of the file on an empty line, else the letter under the cursor goes. */
  eof(): Did {
    return this.#text.length === 0 ? { kind: "eof" } : this.cut(this.#cursor, this.#cursor + 1);
  }

  move(to: number): Did {
    const cursor = Math.max(0, Math.min(this.#text.length, to));
    if (cursor === this.#cursor) return NONE;
    this.#cursor = cursor;
    return EDIT;
  }

  by(n: number): Did {
    return this.move(this.#cursor + n);
  }

  end(): Did {
    return this.move(this.#text.length);
  }

  /** Where the word before or behind the cursor begins or ends. */
  word(way: 1 | -1): number {
    const at = (i: number): string => this.#text[way < 0 ? i - 1 : i] ?? "";
    const space = (c: string): boolean => /^\s$/.test(c);
    let i = this.#cursor;
    while (at(i) !== "" && space(at(i))) i += way;
    while (at(i) !== "" && !space(at(i))) i += way;
    return i;
  }

  /** Takes letters out; `keep` makes them what yank() gives. */
  cut(from: number, to: number, keep = false): Did {
    const gone = this.#text.slice(Math.max(0, from), to);
    if (gone.length === 0) return NONE;
    if (keep) this.#killed = gone;
    this.#text = [...this.#text.slice(0, Math.max(0, from)), ...this.#text.slice(to)];
    this.#cursor = Math.min(Math.max(0, from), this.#text.length);
    return EDIT;
  }

  /** Takes out what is from the cursor to a place, either way. */
  kill(to: number): Did {
    return this.cut(Math.min(to, this.#cursor), Math.max(to, this.#cursor), true);
  }

  rub(n: -1 | 1): Did {
    const to = this.#cursor + n;
    return this.cut(Math.min(to, this.#cursor), Math.max(to, this.#cursor));
  }

  yank(): Did {
    this.put(this.#killed.join(""));
    return EDIT;
  }

  /** A line of the history: 1 is the one before, -1 the one after. */
  history(way: 1 | -1): Did {
    const back = this.#back + way;
    if (back < 0 || back > this.#history.length) return NONE;
    if (this.#back === 0) this.#typed = this.#text;
    this.#back = back;
    this.#text = back === 0 ? this.#typed : Array.from(this.#history.at(-back) ?? "");
    this.#cursor = this.#text.length;
    return EDIT;
  }

  get length(): number {
    return this.#text.length;
  }
}

type Does = (l: Editline) => Did;

/** What each key does. Arrows have two forms, as a terminal may be told to send either. */
const KEYS: ReadonlyMap<string, Does> = new Map<string, Does>([
  ["\r", (l) => l.enter()],
  ["\n", (l) => l.enter()],
  ["\t", (l) => ({ kind: "complete", before: l.before })],
  ["\u0001", (l) => l.move(0)],
  ["\u0002", (l) => l.by(-1)],
  ["\u0003", (l) => l.interrupt()],
  ["\u0004", (l) => l.eof()],
  ["\u0005", (l) => l.end()],
  ["\u0006", (l) => l.by(1)],
  ["\b", (l) => l.rub(-1)],
  ["\u007F", (l) => l.rub(-1)],
  ["\u000B", (l) => l.kill(l.length)],
  ["\u000C", () => ({ kind: "clear" })],
  ["\u000E", (l) => l.history(-1)],
  ["\u0010", (l) => l.history(1)],
  ["\u0015", (l) => l.kill(0)],
  ["\u0017", (l) => l.kill(l.word(-1))],
  ["\u0019", (l) => l.yank()],
  ...both("A", (l) => l.history(1)),
  ...both("B", (l) => l.history(-1)),
  ...both("C", (l) => l.by(1)),
  ...both("D", (l) => l.by(-1)),
  ...both("H", (l) => l.move(0)),
  ...both("F", (l) => l.end()),
  ["\u001B[1~", (l) => l.move(0)],
  ["\u001B[4~", (l) => l.end()],
  ["\u001B[3~", (l) => l.rub(1)],
  ["\u001B[1;5C", (l) => l.move(l.word(1))],
  ["\u001B[1;5D", (l) => l.move(l.word(-1))],
  ["\u001Bf", (l) => l.move(l.word(1))],
  ["\u001Bb", (l) => l.move(l.word(-1))],
]);

function both(letter: string, does: Does): readonly (readonly [string, Does])[] {
  return [
    [`\u001B[${letter}`, does],
    [`\u001BO${letter}`, does],
  ];
}

/** Characters that take two columns, and those that take none. */
const WIDE =
  /[\u1100-\u115F\u2329\u232A\u2E80-\u303E\u3040-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;
const NARROW = /[\p{Mn}\p{Me}\u200B-\u200F]/u;
const TAB = 8;

/** Where a text that begins in a column ends, in columns from the left edge on as if there were no right one. */
export function columns(text: string, from: number): number {
  let at = from;
  for (const c of text)
    if (c === "\t") at += TAB - (at % TAB);
    else if (!NARROW.test(c)) at += WIDE.test(c) ? 2 : 1;
  return at;
}
