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

/** The file of a function f in /env is called fn#f: this is the part before the name. */
const FNPREFIX = "fn#";
const NVAR = 521;

/** A variable, with the function of the same name. */
export class Var {
  readonly name: string;
  val: readonly string[] = [];
  fn: Fn | null = null;
  /** Whether the value is still to be written to /env. */
  changed = false;
  /** Whether the function is still to be written to /env. */
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

/** The bucket of Plan 9's rc that a name hashes to: rc writes its variables to /env in the order of buckets. */
function bucket(name: string): number {
  let h = 0;
  for (const [i, b] of utfencode(name).entries()) h += b * (i + 1);
  return h % NVAR;
}

/** The global variables of a shell, by name. */
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

  /** The variables that are still to be written to /env, in the order in which they are written. */
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

/** Makes a file that holds the pieces; gives rc's error text if it cannot be created, else "". */
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

/** Writes the pieces one by one until one fails: of a value too long for /env, the first words are kept. */
function* putsome(sys: ThreadSys, fd: number, pieces: readonly Uint8Array[]): Task<void> {
  try {
    for (const piece of pieces) yield* sys.write(fd, piece);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** Sets the variables that /env has files of; the files of functions are left to envfns. */
export function* getenvs(sys: ThreadSys, vars: Vars): Task<void> {
  for (const { name, length } of yield* readdir(sys, "/env")) {
    if (length === 0 || name.startsWith(FNPREFIX)) continue;
    const text = yield* gettext(sys, `/env/${name}`);
    if (text === null) continue;
    const words = text.split("\0");
    // Each word ends with a NUL; the last one may lack it, where another program wrote the file.
    if (words.at(-1) === "") words.pop();
    vars.get(name).val = words;
  }
}

/** The names of the files in /env that hold functions. */
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
