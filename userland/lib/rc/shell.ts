// Shell: the state of one rc process. Threads are rc's own: each is a place in some code, with its lists,
// locals and redirections; a function, a file of commands or an eval is a thread above the one that called it.
//
// A fork is a copy of the Shell that begins in one thread of its own. Redirections are only noted here, and
// carried out in the child before it executes its program.

import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { fprint } from "../io.ts";
import type { Code, Fn } from "./code.ts";
import type { Reading } from "./read.ts";
import { Var, Vars, type Local, copylocals, putvar } from "./var.ts";

/** Bytes of a status: what wait(2) gives at most. */
const NSTATUS = 127;

/** A redirection that the commands will have; the one made last is first. */
export type Redir = {
  readonly type: "open" | "dup" | "close";
  readonly from: number;
  readonly to: number;
  readonly next: Redir | null;
};

/** A list being made, its last word first. */
export type List = string[];

/** What a thread begins with: the local variables that it sees, and the thread that it returns to. */
type Within = { readonly local: Local | null; readonly ret: Thread | null };

/** One thread of the interpreter. */
export class Thread {
  readonly code: Code;
  pc: number;
  readonly lists: List[] = [];
  redir: Redir | null;
  readonly startredir: Redir | null;
  local: Local | null;
  reading: Reading | null = null;
  iflast = false;
  /** The left side of the pipe whose right side runs above: its pid, or its status once it is gone. */
  pid = -1;
  status = "";
  ret: Thread | null;

  constructor(code: Code, pc: number, how: Within) {
    this.code = code;
    this.pc = pc;
    this.local = how.local;
    this.ret = how.ret;
    this.redir = this.startredir = how.ret?.redir ?? null;
  }
}

/** Threads above one another, at most: a function that calls itself for ever ends here. */
const MAXTHREADS = 20_000;

/** Statuses of children kept for a wait that comes late. */
const MAXGONE = 100;

/** Runs the threads of a shell (run.ts) until it ends; gives its exit status. */
type Run = (sh: Shell) => Task<string>;

/** The state of one rc. */
export class Shell {
  sys: ThreadSys;
  readonly vars: Vars;
  readonly flags: Map<string, string>;
  readonly argv0: string;
  /** The interpreter, for the children that rc forks. */
  readonly run: Run;
  top: Thread | null = null;
  /** Its exit status, once it ends. */
  over: string | null = null;
  /** This is a child that rc forked: its ends and traps are not those of the script. */
  readonly forked: boolean;
  /** sigexit has run, or runs. */
  exiting = false;
  ifnot = false;
  /** -e counts from the first file or eval of the user on. */
  eflagok = false;
  /** Files of commands begun: -v shows those behind rcmain. */
  ndot = 0;
  prompt = "% ";
  /** The number of the first rc, as $pid has it. */
  pid = 0;
  /** Notes that wait for their traps, by name; and whether a read was interrupted. */
  readonly traps: string[] = [];
  interrupted = false;
  /** Children not waited for. */
  readonly children: Set<number> = new Set();
  /** The statuses of children that ended while rc waited for another. */
  readonly gone: Map<number, string> = new Map();
  ndoc = 0;
  /** Files of functions that finit has still to read. */
  fnfiles: string[] = [];
  #depth = 0;

  constructor(sys: ThreadSys, argv0: string, run: Run, from: Shell | null = null) {
    this.sys = sys;
    this.argv0 = argv0;
    this.run = run;
    this.forked = from !== null;
    this.vars = from === null ? new Vars() : from.vars.copy();
    this.flags = new Map(from?.flags);
    if (from === null) return;
    this.pid = from.pid;
    this.ifnot = from.ifnot;
    this.eflagok = from.eflagok;
    this.ndot = from.ndot;
    this.prompt = from.prompt;
    this.ndoc = from.ndoc;
  }

  /** A copy for a child process, in one thread that begins at `pc` of the top thread's code. */
  fork(sys: ThreadSys, pc: number): { sh: Shell; t: Thread } {
    const up = this.thread;
    const sh = new Shell(sys, this.argv0, this.run, this);
    const t = new Thread(up.code, pc, { local: copylocals(up.local), ret: up });
    t.ret = null;
    sh.top = t;
    return { sh, t };
  }

  /** The thread that runs. */
  get thread(): Thread {
    if (this.top === null) throw new PlanError("rc: no thread");
    return this.top;
  }

  /** Starts a thread above the one that runs. */
  start(code: Code, pc: number, local: Local | null): Thread {
    const t = new Thread(code, pc, { local, ret: this.top });
    this.top = t;
    this.#depth++;
    return t;
  }

  /** Keeps the status of a child for a `wait` with its number; only the last ones are kept. */
  left(pid: number, msg: string): void {
    this.gone.set(pid, msg);
    for (const old of this.gone.keys()) {
      if (this.gone.size <= MAXGONE) break;
      this.gone.delete(old);
    }
  }

  /** Whether no more threads may be started. */
  get full(): boolean {
    return this.#depth >= MAXTHREADS;
  }

  /** Ends the thread that runs, with its redirections and its input; without another, rc ends. */
  *finish(): Task<void> {
    const t = this.thread;
    yield* this.unredirect(t);
    if (t.reading !== null && t.reading.input.fd >= 0) {
      yield* this.close(t.reading.input.fd);
      if (t.reading.file !== null) this.ndot--;
    }
    this.top = t.ret;
    this.#depth--;
    if (this.top === null) yield* this.exit(this.status);
  }

  *unredirect(t: Thread): Task<void> {
    while (t.redir !== t.startredir && t.redir !== null) yield* this.popredir(t);
  }

  pushredir(type: Redir["type"], from: number, to: number): void {
    const t = this.thread;
    t.redir = { type, from, to, next: t.redir };
  }

  *popredir(t: Thread): Task<void> {
    const r = t.redir;
    if (r === null) return;
    t.redir = r.next;
    if (r.type === "open") yield* this.close(r.from);
  }

  *close(fd: number): Task<void> {
    try {
      yield* this.sys.close(fd);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }

  /** The descriptor that fd is, with the redirections of now; -1 for a closed one. */
  mapfd(fd: number): number {
    let to = fd;
    for (let r = this.thread.redir; r !== null; r = r.next) {
      if (r.type === "close") to = r.from === to ? -1 : to;
      else if (r.to === to) to = r.from;
    }
    return to;
  }

  /** The variable of this name: a local one, or the shell's. */
  look(name: string): Var {
    for (let l = this.top?.local ?? null; l !== null; l = l.next) if (l.v.name === name) return l.v;
    return this.vars.get(name);
  }

  /** Pushes a variable that hides the others of its name. */
  pushlocal(t: Thread, name: string, val: readonly string[]): void {
    const v = new Var(name);
    v.set(val);
    t.local = { v, next: t.local };
  }

  /** The function of this name; functions have no locals. */
  fn(name: string): Fn | null {
    return this.vars.get(name).fn;
  }

  get status(): string {
    return this.look("status").val[0] ?? "";
  }

  set status(text: string) {
    this.look("status").set([text]);
  }

  /** Whether the status counts as true: "", "|" and "0" do. */
  get istrue(): boolean {
    return /^[|0]*$/.test(this.status);
  }

  /** The status of a pipe: those of its two sides. */
  static both(left: string, right: string): string {
    return `${left}|${right}`.slice(0, NSTATUS);
  }

  /** Writes what changed to /env. */
  *updenv(): Task<void> {
    for (const v of this.vars.changed()) yield* this.warn(yield* putvar(this.sys, v));
    const locals: Var[] = [];
    for (let l = this.top?.local ?? null; l !== null; l = l.next)
      if (l.v.changed || l.v.fnchanged) locals.push(l.v);
    for (const v of locals.toReversed()) yield* this.warn(yield* putvar(this.sys, v));
  }

  /** Ends rc with this status. */
  *exit(status: string): Task<void> {
    if (this.over !== null) return;
    yield* this.updenv();
    this.over = /^[|0]*$/.test(status) ? "" : status;
  }

  /** Says something on descriptor 2; where that is closed, there is nothing to do about it. */
  *warn(text: string): Task<void> {
    try {
      yield* fprint(this.sys, 2, text);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }

  /** An error that ends all threads down to the one that a person types at. */
  *fail(text: string, before = ""): Task<void> {
    const base = this.argv0.slice(this.argv0.lastIndexOf("/") + 1);
    const who = base === "rc" ? "rc" : `rc (${this.argv0})`;
    yield* this.warn(`${before}${who}: ${text}\n`);
    this.status = "error";
    yield* this.unwind();
  }

  /** Ends all threads down to the one that a person types at. */
  *unwind(): Task<void> {
    while (this.over === null && this.top?.reading?.interactive !== true) yield* this.finish();
  }
}
