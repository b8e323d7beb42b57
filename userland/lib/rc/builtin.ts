// The commands that rc does itself, because they change the shell: cd, eval, exec, exit, finit, flag, rfork, shift,
// wait, whatis and `.`. Their words were the last list of the thread, and are not there any more.

import {
  DMDIR,
  OREAD,
  RFCENVG,
  RFCFDG,
  RFCNAMEG,
  RFENVG,
  RFFDG,
  RFNAMEG,
  RFNOMNT,
  RFNOTEG,
} from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { dirstat } from "../dirread.ts";
import { fprint } from "../io.ts";
import type { Code } from "./code.ts";
import { exec, inpath, searchpath, waitfor } from "./fork.ts";
import { Input } from "./lex.ts";
import { startreading } from "./read.ts";
import { type Shell, type Thread } from "./shell.ts";
import { exitop } from "./trap.ts";
import { envfns } from "./var.ts";
import { rcquote } from "./word.ts";

/** A builtin gets its words, the first being its name. */
type Builtin = (sh: Shell, words: readonly string[], t: Thread) => Task<void>;

/** The number that a text begins with, 0 if there is none: C's atoi. */
const atoi = (s: string): number => Number(/^[+-]?[0-9]+/.exec(s.trim())?.[0] ?? 0);

function* cd(sh: Shell, words: readonly string[]): Task<void> {
  sh.status = "can't cd";
  if (words.length > 2) return yield* sh.warn("Usage: cd [directory]\n");
  const [, dir] = words;
  if (dir !== undefined) return yield* cdto(sh, dir);
  const [home] = sh.look("home").val;
  if (home === undefined) return yield* sh.warn("Can't cd -- $home empty\n");
  const problem = yield* chdir(sh, home);
  if (problem === null) sh.status = "";
  else yield* sh.warn(`Can't cd ${home}: ${problem}\n`);
}

/** Changes dot to a directory: dir itself or, if it is relative, the first in the directories of $cdpath that has it. */
function* cdto(sh: Shell, dir: string): Task<void> {
  const cdpath = sh.look("cdpath").val;
  const places = dir.startsWith("/") || cdpath.length === 0 ? [""] : cdpath;
  let problem: string | null = null;
  for (const place of places) {
    const name = inpath(place, dir);
    problem = yield* chdir(sh, name);
    if (problem !== null) continue;
    if (place !== "" && place !== ".") yield* sh.warn(`${name}\n`);
    sh.status = "";
    return;
  }
  yield* sh.warn(`Can't cd ${dir}: ${problem}\n`);
}

function* chdir(sh: Shell, name: string): Task<string | null> {
  try {
    yield* sh.sys.chdir(name);
    return null;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return e.message;
  }
}

function* dot(sh: Shell, words: readonly string[], t: Thread): Task<void> {
  if (sh.ndot > 0) sh.eflagok = true;
  const interactive = words[1] === "-i";
  const [name, ...args] = words.slice(interactive ? 2 : 1);
  if (name === undefined) return yield* sh.fail("Usage: . [-i] file [arg ...]");
  if (sh.full) return yield* sh.fail("too many threads");
  let fd = -1;
  let problem = "";
  for (const dir of searchpath(sh, name)) {
    try {
      fd = yield* sh.sys.open(inpath(dir, name), OREAD);
      break;
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      problem = e.message;
    }
  }
  if (fd < 0) return yield* sh.fail(`.: can't open: ${problem}`, `${name}: `);
  yield* startfile(sh, { fd, name, interactive }, args);
  t.iflast = false;
}

/** A file of commands: its descriptor, its name, and whether a person types it. */
type Commandfile = { readonly fd: number; readonly name: string; readonly interactive: boolean };

/** Starts to run a file of commands: $0 is its name, $* its arguments. The commands do not inherit the descriptor of the file. */
export function* startfile(
  sh: Shell,
  { fd, name, interactive }: Commandfile,
  args: readonly string[],
): Task<void> {
  const t = startreading(sh, { input: new Input(fd), file: name, interactive }, null);
  sh.pushredir("close", fd, 0);
  sh.pushlocal(t, "0", [name]);
  sh.pushlocal(t, "*", args);
  sh.ndot++;
}

function* evalbuiltin(sh: Shell, words: readonly string[], t: Thread): Task<void> {
  if (words.length <= 1) return yield* sh.fail("Usage: eval cmd ...");
  if (sh.full) return yield* sh.fail("too many threads");
  sh.eflagok = true;
  const input = new Input(-1, `${words.slice(1).join(" ")}\n`);
  startreading(sh, { input, file: null, interactive: false }, t.local);
}

function* exit(sh: Shell, words: readonly string[], t: Thread): Task<void> {
  if (words.length > 2) yield* sh.warn("Usage: exit [status]\nExiting anyway\n");
  if (words[1] !== undefined) sh.status = words[1];
  // If there is a function sigexit, it runs first, and then this exit again: so its words are put back.
  t.lists.push(words.toReversed());
  yield* exitop(sh);
}

const RDFNS: Code = [{ op: "rdfns" }, { op: "return" }];

/** Takes over the functions that /env has. */
function* finit(sh: Shell, _words: readonly string[], t: Thread): Task<void> {
  try {
    const names = yield* envfns(sh.sys);
    sh.start(RDFNS, 0, t.local);
    sh.fnfiles = names;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sh.warn(`rc: can't open /env: ${e.message}\n`);
  }
}

/** Reads the next function's file, until there is none. */
export function* rdfns(sh: Shell, t: Thread): Task<void> {
  for (let name = sh.fnfiles.shift(); name !== undefined; name = sh.fnfiles.shift()) {
    try {
      const fd = yield* sh.sys.open(`/env/${name}`, OREAD);
      t.pc--;
      startreading(sh, { input: new Input(fd), file: null, interactive: false }, t.local);
      return;
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }
}

function* flag(sh: Shell, words: readonly string[]): Task<void> {
  const [, letter = "", sign] = words;
  if (words.length === 2) sh.status = sh.flags.has(letter.charAt(0)) ? "" : "flag not set";
  else if (words.length === 3 && letter.length === 1 && sign === "+") sh.flags.set(letter, "");
  else if (words.length === 3 && letter.length === 1 && sign === "-") sh.flags.delete(letter);
  else yield* sh.fail("Usage: flag [letter] [+-]");
}

const RFORK: ReadonlyMap<string, number> = new Map([
  ["n", RFNAMEG],
  ["N", RFCNAMEG],
  ["m", RFNOMNT],
  ["e", RFENVG],
  ["E", RFCENVG],
  ["s", RFNOTEG],
  ["f", RFFDG],
  ["F", RFCFDG],
]);

function* rfork(sh: Shell, words: readonly string[]): Task<void> {
  let flags: number | undefined = words.length > 2 ? undefined : 0;
  if (words.length === 1) flags = RFENVG | RFNAMEG | RFNOTEG;
  for (const c of words[1] ?? "") {
    const bit = RFORK.get(c);
    flags = flags === undefined || bit === undefined ? undefined : flags | bit;
  }
  if (flags === undefined) {
    yield* sh.warn("Usage: rfork [fnesFNEm]\n");
    sh.status = "rfork usage";
    return;
  }
  try {
    yield* sh.sys.rfork(flags);
    sh.status = "";
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sh.warn("rc: rfork failed\n");
    sh.status = "rfork failed";
  }
}

function* shift(sh: Shell, words: readonly string[]): Task<void> {
  if (words.length > 2) {
    yield* sh.warn("Usage: shift [n]\n");
    sh.status = "shift usage";
    return;
  }
  const n = words[1] === undefined ? 1 : atoi(words[1]);
  const star = sh.look("*");
  if (n !== 0) star.set(n < 0 ? [] : star.val.slice(n));
  sh.status = "";
}

function* wait(sh: Shell, words: readonly string[]): Task<void> {
  if (words.length > 2) return yield* sh.fail("Usage: wait [pid]");
  yield* waitfor(sh, words[1] === undefined ? -1 : atoi(words[1]));
}

function* whatis(sh: Shell, words: readonly string[]): Task<void> {
  if (words.length === 1) return yield* sh.fail("Usage: whatis name ...");
  sh.status = "";
  let out = "";
  for (const name of words.slice(1)) {
    const text = yield* what(sh, name);
    if (text !== null) {
      out += text;
      continue;
    }
    yield* sh.warn(`${name}: not found\n`);
    sh.status = "not found";
  }
  try {
    yield* fprint(sh.sys, sh.mapfd(1), out);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** What a name is: a variable, and a function, a builtin or a program; null if it is nothing. */
function* what(sh: Shell, name: string): Task<string | null> {
  const { val } = sh.look(name);
  const list = val.map(rcquote).join(" ");
  const variable = val.length === 0 ? "" : `${name}=${val.length === 1 ? list : `(${list})`}\n`;
  const fn = sh.fn(name);
  if (fn !== null) return `${variable}fn ${rcquote(name)} ${fn.text}\n`;
  if (builtins.has(name)) return `${variable}builtin ${name}\n`;
  for (const dir of searchpath(sh, name)) {
    const file = inpath(dir, name);
    const d = yield* dirstat(sh.sys, file);
    if (d !== null && (d.mode & DMDIR) === 0 && (d.mode & 0o111) !== 0)
      return `${variable}${file}\n`;
  }
  return variable === "" ? null : variable;
}

/** The builtins by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map([
  ["cd", cd],
  ["whatis", whatis],
  ["eval", evalbuiltin],
  ["exec", (sh, words) => exec(sh, words.slice(1))],
  ["exit", exit],
  ["shift", shift],
  ["wait", wait],
  [".", dot],
  ["finit", finit],
  ["flag", flag],
  ["rfork", rfork],
]);
