// Lines of a view: text that is laid out, and what it is, for those who colour it. Text from elsewhere (names,
// errors, what a server says) may have characters that would command a terminal, or turn the order of what is read
// around: they are written as escapes. Pure.

import { nullproto } from "../../../kernel/abi/nullproto.ts";

/** What a line is. */
export type Kind = "call" | "failed" | "step" | "send" | "receive" | "other" | "said";

/** A line; `right` stands at the right edge, if there is one. */
export type Line = { readonly kind: Kind; readonly text: string; readonly right: string };

/** A line, which is one whatever is in the text. */
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

const SHORT: Readonly<Record<string, string>> = nullproto({
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
});

/** The text with such characters as a program would write them, "\u001b"; those in `kept` stay. */
export function visible(text: string, kept = ""): string {
  return text.replaceAll(HIDDEN, (letter) =>
    kept.includes(letter)
      ? letter
      : (SHORT[letter] ?? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
