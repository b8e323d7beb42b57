// Elements of names, and names of users: what they may hold, and how long they may be. A name is checked
// where a program gives it, so that no message and no stat entry is too long for its fields.

import { ERRMAX, MAXELEM, MAXUNAME } from "./const.ts";
import { Ebadchar, Etoolong, error } from "./errors.ts";
import { utfcut, utflen } from "./utf.ts";

const SLASH = 0x2f;
const DEL = 0x7f;
/** No character takes more bytes than this for each of its UTF-16 units. */
const UTFMAX = 3;

/** %q: quotes where rc would need them. */
export function quote(s: string): string {
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c <= 0x20 || c === 0x27) return quoteall(s);
  }
  return s === "" ? "''" : s;
}

/** %#q: always quoted. */
export function quoteall(s: string): string {
  return `'${s.replaceAll("'", "''")}'`;
}

/** The error of a name with a control character or, where that may not be, a slash. */
export function badchar(name: string): string {
  return utfcut(`${Ebadchar}: ${quote(name)}`, ERRMAX - 1);
}

/** Whether s takes more than max bytes. */
export function longer(s: string, max: number): boolean {
  return s.length * UTFMAX > max && utflen(s) > max;
}

/** Throws for an element of more than MAXELEM bytes: "name too long: an element has at most 8192 bytes". */
export function checklen(elem: string): void {
  if (longer(elem, MAXELEM)) error(`${Etoolong}: an element has at most ${MAXELEM} bytes`);
}

/** How many elements are kept for interned, and how long the names may be that they are cut from. */
const NINTERNED = 8192;
export const MAXINTERNED = 256;
const kept = new Map<string, string>();

/**
 * The string that was kept first of those equal to elem. The engine tells the same string by its address, and has to
 * read the characters of two that are equal. All are forgotten when there are too many.
 */
export function interned(elem: string): string {
  const first = kept.get(elem);
  if (first !== undefined) return first;
  if (kept.size >= NINTERNED) kept.clear();
  if (elem.length <= MAXINTERNED) kept.set(elem, elem);
  return elem;
}

/** Throws for a new name that a wstat may not give: too long, or with a slash or a control character. */
export function checkelem(name: string): void {
  checklen(name);
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c < 0x20 || c === DEL || c === SLASH) error(badchar(name));
  }
}

/** Throws for a user's, group's or attach name of more than MAXUNAME bytes. `what` is "gid", "aname" and so on. */
export function checkuname(what: string, name: string): void {
  if (longer(name, MAXUNAME)) error(`${Etoolong}: ${what} has at most ${MAXUNAME} bytes`);
}
