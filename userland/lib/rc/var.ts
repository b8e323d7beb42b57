// Variables and functions, and /env, where the programs that rc runs find them: /env/x holds the words of x,
// each with a NUL behind it, and /env/fn#f the text of the function f.
//
// A value is an array that nothing changes. A forked rc copies the variables; the values stay shared.

import { joined } from "../../../kernel/abi/bits.ts";
import { OREAD, OWRITE } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { readdir } from "../dirread.ts";
import { readall } from "../io.ts";
import type { Fn } from "./code.ts";
import { deglob, rcquote } from "./word.ts";

/** What an environment's file of a function is called, before the function's name. */
export const FNPREFIX = "fn#";
const NVAR = 521;

/** A variable, with the function of the same name. */
export class Var {
  readonly name: string;
  val: readonly string[] = [];
  fn: Fn | null = null;
  /** /env does not have the value, or the function, yet. */
  changed = false;
  fnchanged = false;

  constructor(name: string) {
    this.name = name;
  }

  set(val: readonly string[]): void {
    this.val = val;
    this.changed = true;
  }

  copy(): Var {
    const v = new Var(this.name);
    v.val = this.val;
    v.fn = this.fn;
    v.changed = this.changed;
    v.fnchanged = this.fnchanged;
    return v;
  }
}

/** A variable that hides those of the same name: of a function, a loop, or one command. */
export type Local = { readonly v: Var; readonly next: Local | null };

export function copylocals(local: Local | null): Local | null {
  const vars: Var[] = [];
  for (let l = local; l !== null; l = l.next) vars.push(l.v.copy());
  return vars.reduceRight<Local | null>((next, v) => ({ v, next }), null);
}

/** Where Plan 9's rc keeps a variable: /env is written in this order. */
function bucket(name: string): number {
  let h = 0;
  for (const [i, b] of utfencode(name).entries()) h += b * (i + 1);
  return h % NVAR;
}

/** The variables that no local hides. */
export class Vars {
  readonly #vars: Map<string, Var>;

  constructor(vars: Map<string, Var> = new Map()) {
    this.#vars = vars;
  }

  get(name: string): Var {
    let v = this.#vars.get(name);
    if (v === undefined) this.#vars.set(name, (v = new Var(name)));
    return v;
  }

  copy(): Vars {
    const vars = new Map<string, Var>();
    for (const [name, v] of this.#vars) vars.set(name, v.copy());
    return new Vars(vars);
  }

  /** The variables whose value or function /env does not have, in the order they are written. */
  changed(): Var[] {
    const list: Var[] = [];
    for (const v of this.#vars.values()) if (v.changed || v.fnchanged) list.push(v);
    return list.toSorted((a, b) => bucket(a.name) - bucket(b.name));
  }
}

/** Writes one variable to /env; gives what went wrong, as rc says it, or "". */
export function* putvar(sys: ThreadSys, v: Var): Task<string> {
  let failed = "";
  if (v.changed) {
    v.changed = false;
    failed += yield* put(
      sys,
      `/env/${v.name}`,
      v.val.map((w) => utfencode(`${deglob(w)}\0`)),
    );
  }
  if (v.fnchanged) {
    v.fnchanged = false;
    const text = v.fn === null ? [] : [utfencode(`fn ${rcquote(v.name)} ${v.fn.text}\n`)];
    failed += yield* put(sys, `/env/${FNPREFIX}${v.name}`, text);
  }
  return failed;
}

/** Makes a file of the pieces, as many of them as it takes. */
function* put(sys: ThreadSys, name: string, pieces: readonly Uint8Array[]): Task<string> {
  let fd;
  try {
    fd = yield* sys.create(name, OWRITE, 0o666);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return `rc: can't open ${name}: ${e.message}\n`;
  }
  try {
    const all = joined(pieces);
    if (all.length > 0) yield* sys.write(fd, all);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* putsome(sys, fd, pieces);
  }
  yield* sys.close(fd);
  return "";
}

/** A value that is too long for /env: its first words are there. */
function* putsome(sys: ThreadSys, fd: number, pieces: readonly Uint8Array[]): Task<void> {
  try {
    for (const piece of pieces) yield* sys.write(fd, piece);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** Takes the variables of /env over; gives the names of the files that hold functions. */
export function* getenvs(sys: ThreadSys, vars: Vars): Task<void> {
  for (const { name, length } of yield* readdir(sys, "/env")) {
    if (length === 0 || name.startsWith(FNPREFIX)) continue;
    const text = yield* gettext(sys, `/env/${name}`);
    if (text === null) continue;
    const words = text.split("\0");
    // The last word has a NUL behind it, or the charity of one.
    if (words.at(-1) === "") words.pop();
    vars.get(name).val = words;
  }
}

/** The names of the functions' files in /env. */
export function* envfns(sys: ThreadSys): Task<string[]> {
  const all = yield* readdir(sys, "/env");
  return all.filter((d) => d.length > 0 && d.name.startsWith(FNPREFIX)).map((d) => d.name);
}

function* gettext(sys: ThreadSys, name: string): Task<string | null> {
  try {
    const fd = yield* sys.open(name, OREAD);
    const bytes = yield* readall(sys, fd);
    yield* sys.close(fd);
    return utfdecode(bytes, 0, bytes.length);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return null;
  }
}
