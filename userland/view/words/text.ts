// What texts are made of: sentences and lists, amounts with their units, and lines that are laid out. Pure.
//
// A Decision is what is said of a step of a recording. The answer comes first: what happened. Then why, from the facts
// of this recording, and for a failure what would mend it. How the kernel does such a thing in general is apart.
//
// A Line has its kind, for those who colour it. Text from elsewhere (names, errors, what a server says) may have
// characters that would command a terminal, or turn the order of what is read around: they are written as escapes.

/** What is said of a step. Each part is one or more sentences; "" where there is nothing to say. */
export type Decision = {
  /** What happened. */
  readonly what: string;
  /** Why, from what this recording holds; a sentence that fits any event is in `how` instead. */
  readonly why: string;
  /** Of a failure: what would mend it. */
  readonly mend: string;
  /** The mechanism, in general. */
  readonly how: string;
};

/** What is said of a step that has not failed. */
export function told(what: string, why = "", how = ""): Decision {
  return { what: sentence(what), why: sentence(why), mend: "", how: sentence(how) };
}

export const capital = (s: string): string => s.charAt(0).toUpperCase() + s.slice(1);

/** Words that a sentence may begin with; any other first word is a name, which keeps its letters. */
const LEADS: ReadonlySet<string> = new Set(
  "the a an each it its there they these nothing something member members both all process that this descriptor packets what which until".split(
    " ",
  ),
);

/** The text as a sentence: "it is so" → "It is so."; "a.c is there" → "a.c is there.". */
export function sentence(s: string): string {
  if (s === "") return "";
  const [word = ""] = /^[a-z]+(?=[ ,:;'])/.exec(s) ?? [];
  const text = LEADS.has(word) ? capital(s) : s;
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/** Sentences one after the other; those that are "" are left out. */
export function sentences(...list: readonly string[]): string {
  return list
    .filter((s) => s !== "")
    .map(sentence)
    .join(" ");
}

/** "a", "a and b", "a, b and c" */
export function listfmt(words: readonly string[]): string {
  const last = words[words.length - 1] ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

/** The words of a list, each once, with how often it is there: "Tstat", "2 Tread". */
export function counted(words: readonly string[]): string[] {
  const n = new Map<string, number>();
  for (const word of words) n.set(word, (n.get(word) ?? 0) + 1);
  return [...n].map(([word, k]) => (k === 1 ? word : `${k} ${word}`));
}

/** The first of a list, and how many more there are: "a, b and 3 more". */
export function somefmt(words: readonly string[], most: number): string {
  if (words.length <= most) return listfmt(words);
  return listfmt([...words.slice(0, most), `${words.length - most} more`]);
}

/** The elements of a name. */
export const path = (elems: readonly string[]): string => elems.join("/");

/** Nanoseconds in the unit that suits: 880 ns, 12 µs, 3.40 ms, 1.25 s. */
export function timefmt(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${Math.round(ns / 1e3)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(2)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}

/** "1 round trip", "3 round trips" */
export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** What a line is. */
export type Kind = "call" | "failed" | "step" | "send" | "receive" | "other" | "said";

/** A line; `right` stands at the right edge, if there is one. */
export type Line = { readonly kind: Kind; readonly text: string; readonly right: string };

/** One line: line breaks in the text are written as escapes. */
export function line(kind: Kind, text: string, right = ""): Line {
  return { kind, text: visible(text), right };
}

const EDGE = 100;

/** A line on so many columns: its right part at the edge, cut where it is too long (0: never). */
export function fit(l: Line, columns: number): string {
  const width = columns === 0 ? EDGE : columns;
  if (l.right === "") return cut(l.text, columns);
  const room = width - l.right.length - 2;
  if (l.text.length <= room) return `${l.text.padEnd(room)}  ${l.right}`;
  return `${columns === 0 ? l.text : cut(l.text, room)}  ${l.right}`;
}

/** The first columns of text, and "…" if that is not all. */
export function cut(text: string, columns: number): string {
  return columns > 0 && text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

/**
 * The characters that a reader would not see, or that would change the lines: control characters, marks of the direction
 * of text, other ends of lines, halves of pairs, and characters of no width.
 */
const HIDDEN = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\u200B\uFEFF]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with such characters as a program would write them, "\u001b"; those in `kept` stay. */
export function visible(text: string, kept = ""): string {
  return text.replaceAll(HIDDEN, (letter) =>
    kept.includes(letter)
      ? letter
      : (SHORT[letter] ?? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
