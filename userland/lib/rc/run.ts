// The interpreter's loop: one operation after another of the thread on top, until the shell is over.

import type { Task } from "../../../syscalls/sys.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import { builtins, rdfns } from "./builtin.ts";
import type { Code, Op } from "./code.ts";
import * as fork from "./fork.ts";
import { glob } from "./glob.ts";
import * as list from "./list.ts";
import { rdcmds, substitutedoc } from "./read.ts";
import type { Shell, Thread } from "./shell.ts";
import { dotraps, exitop } from "./trap.ts";
import { deglob, rcquote } from "./word.ts";

/** Operations after which a loop that makes no system call lets the others run. */
const SPIN = 512;

/** Runs the shell to its end; gives its exit status. */
export function* run(sh: Shell): Task<string> {
  for (let n = 1; ; n++) {
    if (sh.over !== null) return sh.over;
    if (n % SPIN === 0) yield* sh.sys.sleep(0);
    const t = sh.thread;
    const op = t.code[t.pc++];
    if (op === undefined) yield* sh.finish();
    else if (!quick(sh, t, op)) yield* step(sh, t, op);
    if (sh.traps.length > 0) yield* dotraps(sh);
  }
}

/** Does an operation that need not wait; false for the others. */
function quick(sh: Shell, t: Thread, op: Op): boolean {
  switch (op.op) {
    case "mark":
      t.lists.push([]);
      return true;
    case "popm":
      t.lists.pop();
      return true;
    case "word":
      t.lists.at(-1)?.push(op.text);
      return true;
    case "match":
      list.matchop(sh, t);
      return true;
    case "unlocal":
      list.unlocal(sh, t);
      return true;
    case "bang":
      sh.status = sh.istrue ? "false" : "";
      return true;
    case "settrue":
      sh.status = "";
      return true;
    case "wastrue":
      sh.ifnot = false;
      return true;
    case "fn":
    case "delfn":
      for (const name of list.poplist(t)) {
        const v = sh.vars.get(deglob(name));
        v.fn = op.op === "fn" ? op.fn : null;
        v.fnchanged = true;
      }
      return true;
    case "dup":
      sh.pushredir("dup", op.from, op.to);
      return true;
    case "close":
      sh.pushredir("close", op.fd, 0);
      return true;
    default:
      return "to" in op && jump(sh, t, op);
  }
}

/** Jumps, where the operation is one that stays in this process. */
function jump(sh: Shell, t: Thread, op: Extract<Op, { to: number }>): boolean {
  let stay = false;
  switch (op.op) {
    case "jump":
      break;
    case "if":
      sh.ifnot = true;
      stay = sh.istrue;
      break;
    case "true":
      stay = sh.istrue;
      break;
    case "false":
      stay = !sh.istrue;
      break;
    case "ifnot":
      stay = sh.ifnot;
      break;
    case "case":
      stay = list.caseop(t);
      break;
    case "for":
      stay = list.forop(t);
      break;
    default:
      return false;
  }
  if (!stay) t.pc = op.to;
  return true;
}

function* step(sh: Shell, t: Thread, op: Op): Task<void> {
  switch (op.op) {
    case "dol":
      return yield* list.dol(sh, t);
    case "flat":
      return yield* list.flat(sh, t);
    case "count":
      return yield* list.count(sh, t);
    case "sub":
      return yield* list.sub(sh, t);
    case "conc":
      return yield* list.conc(sh, t);
    case "local":
      return yield* list.local(sh, t);
    case "assign":
      return yield* assign(sh, t);
    case "glob":
      return yield* globtop(sh, t);
    case "simple":
      return yield* simple(sh, t);
    case "return":
      return yield* sh.finish();
    case "exit":
      return yield* exitop(sh);
    case "eflag":
      if (sh.eflagok && !sh.istrue) yield* exitop(sh);
      return;
    case "popredir":
      return yield* sh.popredir(t);
    case "rdcmds":
      return yield* rdcmds(sh, t);
    case "rdfns":
      return yield* rdfns(sh, t);
    case "delhere":
      return yield* remove(sh, op.text);
    default:
      return yield* process(sh, t, op);
  }
}

function* process(sh: Shell, t: Thread, op: Op): Task<void> {
  switch (op.op) {
    case "redir":
      return yield* fork.redir(sh, t, op);
    case "doc":
      return yield* fork.doc(sh, op.quoted ? op.text : substitutedoc(sh, op.text), op.fd);
    case "async":
      return yield* fork.asyncop(sh, t, op.to);
    case "subshell":
      return yield* fork.subshell(sh, t, op.to);
    case "backq":
      return yield* fork.backq(sh, t, op);
    case "pipefd":
      return yield* fork.pipefd(sh, t, op);
    case "pipe":
      return yield* fork.pipe(sh, t, op);
    case "pipewait":
      return yield* fork.pipewait(sh, t);
    default:
      throw new PlanError(`rc: operation ${op.op}`);
  }
}

function* globtop(sh: Shell, t: Thread): Task<void> {
  const words = list.poplist(t);
  t.lists.push((yield* glob(sh.sys, words)).toReversed());
}

function* assign(sh: Shell, t: Thread): Task<void> {
  const name = yield* list.assignname(sh, t);
  if (name !== null) sh.look(name).set(yield* glob(sh.sys, list.poplist(t)));
}

function* remove(sh: Shell, name: string): Task<void> {
  try {
    yield* sh.sys.remove(name);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** Whether nothing but the end of the process follows: then a program needs no child of its own. */
function exitnext(t: Thread): boolean {
  let pc = t.pc;
  for (;;) {
    const op: Code[number] | undefined = t.code[pc++];
    if (op?.op === "exit") return true;
    if (op?.op !== "popredir" && op?.op !== "unlocal") return false;
  }
}

/** A command of words: a function, a builtin, or a program. */
function* simple(sh: Shell, t: Thread): Task<void> {
  let words = yield* glob(sh.sys, list.poplist(t));
  if (words[0] === undefined) return yield* sh.fail("empty argument list");
  if (sh.flags.has("x")) yield* sh.warn(`${words.map(rcquote).join(" ")}\n`);
  const fn = sh.fn(words[0]);
  if (fn !== null) {
    if (sh.full) return yield* sh.fail("too many threads");
    const f = sh.start(fn.code, 0, t.local);
    sh.pushlocal(f, "*", words.slice(1));
    return;
  }
  if (words[0] === "builtin") {
    if (words.length === 1) {
      yield* sh.warn("builtin: empty argument list\n");
      sh.status = "empty arg list";
      return;
    }
    words = words.slice(1);
  }
  const builtin = builtins.get(words[0] ?? "");
  if (builtin !== undefined) return yield* builtin(sh, words, t);
  if (!exitnext(t)) return yield* fork.forkexec(sh, words);
  yield* fork.exec(sh, words);
  yield* exitop(sh);
}
