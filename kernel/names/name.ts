// Names as a program gives them: taken apart, cleaned, and put into error strings. What a name means is
// for a name space to say (names.ts, standard.ts); here it is only text.

import { ERRMAX } from "../abi/const.ts";
import { MAXINTERNED, badchar, checklen, interned, quoteall } from "../abi/elems.ts";
import { Efilename, Enoname, PlanError } from "../abi/errors.ts";
import { utfcut, utflen } from "../abi/utf.ts";

/**
 * A name taken apart, with "." and empty elements left out and ".." kept:
 *
 *	"/tmp//a/../b/" -> root "/", elems [tmp a .. b], mustdir
 *	"#s/x"          -> root "#s", elems [x]
 *	"./d"           -> root "", elems [d]
 */
export type Name = {
  /** The text as given. */
  readonly text: string;
  /** "/", a device name such as "#c0", or "" for a name that starts from dot. */
  readonly root: string;
  readonly elems: readonly string[];
  /** There is a ".." among the elements. */
  readonly dotdot: boolean;
  /** It ends in / or /. and so must be a directory. */
  readonly mustdir: boolean;
};

const SLASH = 0x2f;
const DOT = 0x2e;
const SHARP = 0x23;
const DEL = 0x7f;
/** An element of so many characters is never too long, whatever they are. */
const SHORT = 1024;
/** A device name with its spec must fit the kernel's buffer of this size. */
const GENBUF = 128;

/** Takes a name apart; throws for the empty one, for control characters and for an element that is too long. */
export function parsename(text: string): Name {
  const n = text.length;
  if (n === 0) throw new PlanError(Enoname);
  const first = text.charCodeAt(0);
  let start = 0;
  let root = "";
  if (first === SLASH) root = "/";
  else if (first === SHARP) {
    start = sharplen(text);
    root = text.slice(0, start);
  }
  const elems: string[] = [];
  let dotdot = false;
  let mustdir = true;
  for (let i = start; i <= n; i++) {
    const c = i === n ? SLASH : text.charCodeAt(i);
    if (c < 0x20 || c === DEL) throw new PlanError(badchar(text));
    if (c !== SLASH) continue;
    const len = i - start;
    mustdir = len === 0 || (len === 1 && text.charCodeAt(start) === DOT);
    if (!mustdir) {
      if (len === 2 && text.charCodeAt(start) === DOT && text.charCodeAt(start + 1) === DOT)
        dotdot = true;
      const elem = text.slice(start, i);
      if (len > SHORT) checklen(elem);
      // A part of a long name would keep all of it in memory.
      elems.push(n <= MAXINTERNED ? interned(elem) : elem);
    }
    start = i + 1;
  }
  return { text, root, elems, dotdot, mustdir: mustdir && elems.length > 0 };
}

/** The length of the device name at the start of "#s/x"; the root device's own name has a slash, "#/". */
function sharplen(text: string): number {
  let n = 1;
  while (n < text.length && (text.charCodeAt(n) !== SLASH || n < 2)) {
    const c = text.charCodeAt(n);
    if (c < 0x20 || c === DEL) throw new PlanError(badchar(text));
    n++;
  }
  if (utflen(text.slice(0, n)) >= GENBUF) throw new PlanError(Efilename);
  return n;
}

/**
 * The elements that are left of `elems` behind `dot` when each ".." takes one away: ".." above the root
 * stays there.
 *
 *	["a"], ["..", "b"] -> ["b"]
 */
export function cleanelems(dot: readonly string[], elems: readonly string[]): string[] {
  const out = [...dot];
  for (const e of elems) {
    if (e === "..") out.pop();
    else out.push(e);
  }
  return out;
}

/**
 * How many of the name's own elements had been used when element number k (from 1) of the cleaned path
 * failed; 0 when that one was dot's and not the name's.
 */
export function rawindex(name: Name, dotlen: number, k: number): number {
  const raw = Array.from({ length: dotlen }, () => 0);
  let used = 0;
  for (const e of name.elems) {
    used++;
    if (e === "..") raw.pop();
    else raw.push(used);
  }
  return raw[k - 1] ?? 0;
}

/** The name up to and including its element number k (from 1); all of it for the last. */
export function nameupto(name: Name, k: number): string {
  if (k >= name.elems.length) return name.text;
  const { text } = name;
  let i = name.root.startsWith("#") ? name.root.length : 0;
  for (let seen = 0; i < text.length;) {
    while (text.charCodeAt(i) === SLASH) i++;
    const start = i;
    while (i < text.length && text.charCodeAt(i) !== SLASH) i++;
    if (text.slice(start, i) !== "." && ++seen === k) break;
  }
  return text.slice(0, i);
}

/**
 * An error with the name it happened on: `'/tmp/no' file does not exist`. A long name is cut to whole
 * elements at its end, a long element to its last bytes, as the kernel's namelenerror does.
 */
export function nameerror(name: string, text: string): string {
  return utfcut(`${quoteall(shortname(name, utflen(text)))} ${text}`, ERRMAX - 1);
}

const THIRD = Math.trunc(ERRMAX / 3);
const TWOTHIRDS = Math.trunc((2 * ERRMAX) / 3);

function shortname(name: string, errlen: number): string {
  const fits = (len: number): boolean => len < THIRD || len + errlen < TWOTHIRDS;
  if (fits(utflen(name))) return name;
  let cut = name.length;
  let next = cut;
  do {
    cut = next;
    if (next === 0) break;
    next = Math.max(0, name.lastIndexOf("/", next - 1));
  } while (fits(utflen(name.slice(next))));
  if (cut === name.length) cut = Math.max(0, cut - ERRMAX / 4);
  return `...${name.slice(cut)}`;
}
