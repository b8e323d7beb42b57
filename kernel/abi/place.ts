// A place in a program, as the line of a stack ends with it. Engines agree on the end of a line:
//
//	    at main (file:///a/b.js:3:5)	main@file:///a/b.js:3:5
//
// A program may choose the text of its stack. So a line is looked at from its end, in time that its length bounds: a
// regular expression that is tried at each letter would take the square of that.

/** What stands before a place, and the place: its line and column from 1. */
export type Place = { readonly before: string; readonly line: number; readonly column: number };

const NUMBER = /^\d+$/;

/** The place at the end of a line, which may be in brackets; null where there is none. */
export function placeof(text: string): Place | null {
  const end = text.endsWith(")") ? text.length - 1 : text.length;
  const second = text.lastIndexOf(":", end - 1);
  const first = second <= 0 ? -1 : text.lastIndexOf(":", second - 1);
  if (first < 0) return null;
  const [line, column] = [text.slice(first + 1, second), text.slice(second + 1, end)];
  if (!NUMBER.test(line) || !NUMBER.test(column)) return null;
  return { before: text.slice(0, first), line: Number(line), column: Number(column) };
}

const BREAK = /[\s()]/;

/** The last word of a text: what stands behind its last blank or bracket. */
export function lastword(text: string): string {
  let from = text.length;
  while (from > 0 && !BREAK.test(text.charAt(from - 1))) from--;
  return text.slice(from);
}
