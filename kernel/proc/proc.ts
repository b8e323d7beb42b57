// Proc: a process. Who it is, its groups, its coroutines (the system calls in progress and, for a
// generator program, the program itself), its children and how they ended. Notes are in note.ts, the
// way in from a program in trap.ts.

import { cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import type { Timer } from "./clock.ts";
import { ERRMAX } from "../abi/const.ts";
import { Einuse, Ekilled, Enochild, Eprocdied, PlanError, error } from "../abi/errors.ts";
import type { Kernel } from "../kernel.ts";
import type { Egrp, Fgrp, Pgrp, Rgrp } from "./pgrp.ts";
import { ccloseq } from "./pgrp.ts";
import { Rendez } from "./rendez.ts";
import type { Task } from "./rendez.ts";
import type { Coroutine } from "./sched.ts";
import type { Image } from "./trap.ts";
import type { Tty } from "./tty.ts";
import { utfcut } from "../abi/utf.ts";

/** How a child ended, as wait(2) tells: times are user, system and real, in milliseconds. */
export type Waitmsg = {
  /** The child's number. */
  readonly pid: number;
  /** Milliseconds of user time, system time and real time. */
  readonly time: readonly [number, number, number];
  /** The child's exit status; "" is success. */
  readonly msg: string;
};

/**
 * What a message to its ctl file makes of a process (null: it runs).
 *
 *	stop     stops at the end of the system call it is in
 *	stopped  makes no system call, and gets no result and no note, until it is started
 *	started  was started, and has not run since
 *	trace    stops when it gets a note
 *	syscall  stops at the beginning of its next system call, or at the end of this one
 *	exit     dies at the end of its next system call
 */
export type Procctl = "stop" | "stopped" | "started" | "trace" | "syscall" | "exit";

/** Real-time needs as written to a ctl file, in nanoseconds; no scheduler keeps them. */
export type Edf = { period: number; deadline: number; cost: number; admitted: boolean };

/** The permissions that the files of a process have to begin with. */
const PROCMODE = 0o640;
/** The priority of a process to begin with; only what status shows depends on it. */
const PRINORMAL = 10;
/** Ended children that a process has not waited for; those after them are forgotten. */
const MAXWAITQ = 128;

/** The four groups that a process is in. */
export type Groups = { pgrp: Pgrp; fgrp: Fgrp; egrp: Egrp; rgrp: Rgrp };

export class Proc {
  readonly k: Kernel;
  readonly pid: number;
  /** Whose it is; the owner of the host may give a process to another user. */
  user: string;
  /** The name of its program. */
  text: string;
  args: readonly string[] = [];
  /** What was written to its args file. */
  setargs: string | null = null;
  /** It stops when it executes another program. */
  hang = false;
  /** The permissions of its files in /proc that have none of their own. */
  procmode: number = PROCMODE;
  /** Its mem, note and ctl files open for no one. */
  privatemem = false;
  pri: number = PRINORMAL;
  /** profile of its ctl file was written: its profile file can be read. */
  profiled = false;
  edf: Edf | null = null;
  /** Who waits for it; null for a child of RFNOWAIT and an orphan. */
  parent: Proc | null = null;
  ppid = 0;
  noteid: number;
  pgrp: Pgrp;
  fgrp: Fgrp;
  egrp: Egrp;
  rgrp: Rgrp;
  dot: Chan;
  /** What it sees as /dev/cons. */
  tty: Tty;
  /** The last error of a system call; errstr(2) exchanges it. */
  errstr = "";
  /** The program it runs; exec puts another in its place. */
  image: Image | null = null;
  /** The notes that wait for it. */
  readonly notes: string[] = [];
  alarm: Timer | null = null;
  readonly started: number;
  /** Ended, or ending: its system calls settle no more. */
  dead = false;
  /** What it left behind, once dead: "" or the status, without the name and pid that wait adds. */
  status = "";
  /** What the program threw, when that ended it. */
  crash: unknown = undefined;
  ctl: Procctl | null = null;
  readonly #start = new Rendez("start");
  /** Where the process sleeps that waits for this one to stop. */
  readonly #stopwait = new Rendez("stop");
  /** How often it has stopped. */
  #stops = 0;
  nchild = 0;
  readonly #children = new Set<Proc>();
  readonly waitq: Waitmsg[] = [];
  readonly #waiting = new Rendez("await");
  /** The newest of its coroutines. Each has put itself here. */
  newest: Coroutine | null = null;
  readonly #gone = new Rendez("exit");
  #killed = false;
  /** Its files are closed. */
  #closed = false;
  readonly #closing = new Rendez("close");
  #onexit: ((status: string) => void)[] = [];

  constructor(k: Kernel, text: string, groups: Groups, dot: Chan) {
    this.k = k;
    this.pid = k.nextpid();
    this.noteid = this.pid;
    this.user = k.user;
    this.text = text;
    this.pgrp = groups.pgrp;
    this.fgrp = groups.fgrp;
    this.egrp = groups.egrp;
    this.rgrp = groups.rgrp;
    this.dot = dot;
    this.tty = k.config.tty;
    this.started = k.clock.now();
    k.procs.set(this.pid, this);
  }

  /** co is over, or is to be none of this process's. */
  delco(co: Coroutine): void {
    if (co.pprev === null) this.newest = co.pnext;
    else co.pprev.pnext = co.pnext;
    if (co.pnext !== null) co.pnext.pprev = co.pprev;
    co.pnext = co.pprev = null;
    if (this.newest === null) this.#gone.wakeupall();
  }

  /** Its coroutines, newest first. */
  *coroutines(): Generator<Coroutine, void, void> {
    let next: Coroutine | null;
    for (let co = this.newest; co !== null; co = next) {
      next = co.pnext;
      yield co;
    }
  }

  /** Calls fn with the exit status, once, when it is gone. */
  onexit(fn: (status: string) => void): void {
    if (this.dead && this.newest === null && !this.k.procs.has(this.pid)) fn(this.status);
    else this.#onexit.push(fn);
  }

  /** Sleeps until no coroutine of this process is left. */
  *drained(): Task<void> {
    while (this.newest !== null) yield this.#gone;
  }

  /** As exit, but the closes wait for no server's answer, not even where exit did so already. */
  kill(status: string): void {
    this.#killed = true;
    this.exit(status);
    this.#closing.wakeupall();
  }

  /** Ends the process with this status: its calls are killed where they sleep, then it is buried. */
  exit(status: string): void {
    if (this.dead) return;
    this.dead = true;
    this.status = utfcut(status, ERRMAX - 1);
    this.image?.kill();
    if (this.alarm !== null) this.k.sched.cancel(this.alarm);
    for (const co of this.coroutines()) this.k.sched.kill(co);
    // What is left there are other processes, which hear that this one is gone.
    this.#stopwait.wakeupall();
    this.#waiting.wakeupall();
    this.k.kproc("exit", this.#bury());
  }

  /** Ends the process: closes descriptors, groups and dot, gives its parent the status, orphans its children. */
  *#bury(): Task<void> {
    yield* this.drained();
    const task = this.#close();
    const step = task.next();
    if (step.done !== true) {
      this.k.closing(task, step.value);
      while (!this.#closed && !this.#killed) yield this.#closing;
    }
    this.#telldead();
  }

  *#close(): Task<void> {
    try {
      yield* this.close();
    } finally {
      this.#closed = true;
      this.#closing.wakeupall();
    }
  }

  /** Gives up dot and the groups: all of them, also when one close fails. */
  *close(): Task<void> {
    this.egrp.close();
    this.rgrp.close();
    try {
      yield* this.fgrp.close();
    } finally {
      try {
        yield* ccloseq(this.dot);
      } finally {
        yield* this.pgrp.close();
      }
    }
  }

  /** Sleeps until the process is buried. */
  *buried(): Task<void> {
    while (this.k.procs.has(this.pid)) yield this.#gone;
  }

  #telldead(): void {
    this.k.procs.delete(this.pid);
    this.#gone.wakeupall();
    if (this.k.trace.on)
      this.k.trace.emit(
        { type: "proc", what: "exit", pid: this.pid, text: this.status, crash: this.crash },
        null,
      );
    for (const p of this.#children) p.parent = null;
    this.#children.clear();
    const real = Math.round((this.k.clock.now() - this.started) / 1e6);
    const msg =
      this.status === "" ? "" : utfcut(`${this.text} ${this.pid}: ${this.status}`, ERRMAX - 1);
    this.parent?.childgone(this, { pid: this.pid, time: [0, 0, real], msg });
    const fns = this.#onexit;
    this.#onexit = [];
    for (const fn of fns) fn(this.status);
    this.k.sched.touch();
  }

  /** Makes p a child of this process: wait(2) gives p's end. */
  adopt(p: Proc): void {
    p.parent = this;
    this.#children.add(p);
    this.nchild++;
  }

  childgone(p: Proc, w: Waitmsg): void {
    this.#children.delete(p);
    this.nchild--;
    if (this.waitq.length < MAXWAITQ) this.waitq.push(w);
    this.#waiting.wakeupall();
  }

  /** Sleeps until a child has ended; "no living children" when there is none to wait for. */
  *await(): Task<Waitmsg> {
    for (;;) {
      // As in Plan 9, the child that ended last comes first.
      const w = this.waitq.pop();
      if (w !== undefined) return this.#heard(w);
      if (this.nchild === 0) error(Enochild);
      yield this.#waiting;
    }
  }

  /** The end of a child is known to who waited for it. */
  #heard(w: Waitmsg): Waitmsg {
    const { trace } = this.k;
    if (trace.on) trace.emit({ type: "proc", what: "waited", pid: w.pid, text: w.msg });
    return w;
  }

  /** await, for a process that reads this one's wait file: it sleeps though there is no child. */
  *awaited(by: Proc): Task<Waitmsg> {
    if (by === this) return yield* this.await();
    if (!this.#waiting.empty) error(Einuse);
    for (;;) {
      const w = this.waitq.pop();
      if (w !== undefined) return this.#heard(w);
      yield this.#waiting;
      if (this.dead) error(Eprocdied);
    }
  }

  /** Whether a system call of its program is under way. */
  get incall(): boolean {
    for (const co of this.coroutines()) if (co.incall) return true;
    return false;
  }

  /** Stops the process now, and wakes those who wait for its stop. */
  halt(): void {
    this.ctl = "stopped";
    this.#stops++;
    this.#stopwait.wakeupall();
  }

  /**
   * Sleeps until the process has stopped; `ctl` "stop" is why it does: when its system call is over, or at
   * once when it is in none. "device or object already in use" while another waits for that.
   */
  *stopwait(ctl: "stop" | null): Task<void> {
    if (!this.#stopwait.empty) error(Einuse);
    if (this.ctl === "stopped") return;
    const stops = this.#stops;
    if (ctl !== null) this.ctl = ctl;
    if (ctl !== null && !this.incall) this.halt();
    while (this.#stops === stops) {
      if (this.dead) error(Eprocdied);
      yield this.#stopwait;
    }
  }

  /** A stopped process runs again; `ctl` is what it does at its next occasion. */
  start(ctl: "started" | "trace" | "syscall" | "exit"): void {
    if (ctl === "trace" && this.notes.length > 0) return this.halt();
    this.ctl = ctl;
    this.#start.wakeupall();
    this.image?.started();
  }

  /** Sleeps while the process is stopped. */
  *held(): Task<void> {
    while (this.ctl === "stopped") yield this.#start;
    if (this.ctl === "started") this.ctl = null;
  }

  /** Called at the end of a system call: the process stops or dies here if its ctl says so (Procctl). */
  callend(): void {
    if (this.ctl === "stop" || this.ctl === "syscall") this.halt();
    else if (this.ctl === "exit") this.kill(Ekilled);
  }

  /** callend for a call in a coroutine that goes on: it sleeps until the process is started, or for good. */
  *ended(): Task<void> {
    this.callend();
    if (this.dead) yield this.#gone;
    yield* this.held();
  }

  /** Makes c, whose reference it takes, the current directory. */
  *chdir(c: Chan): Task<void> {
    const old = this.dot;
    this.dot = c;
    const { trace } = this.k;
    if (trace.on) trace.emit({ type: "proc", what: "dot", pid: this.pid, text: c.path.toString() });
    yield* cclose(old);
  }

  /** Puts a fresh error string in place; what errstr(2) and a failed call leave. */
  seterr(e: PlanError): void {
    this.errstr = utfcut(e.message, ERRMAX - 1);
  }
}
