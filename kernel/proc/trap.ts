// The way into the kernel. An Image is the program that a process runs. Each system call of the program passes
// here, as a promise (`syscall`) or inside a generator program's own coroutine (`inline`). The Image:
//
//	- gives the call a coroutine;
//	- has a note's handler run before the interrupted call returns;
//	- gives a failure its fields;
//	- panics the kernel for an exception that is not a PlanError.
//
// When a call of an async program begins, and first looks at its arguments:
//
//	a coroutine runs or is ready; or there is a     when the scheduler takes its coroutine, behind those that
//	trace, a note, a stop, a seed or an Explorer    were ready before
//	else (sched.canenter)                           at once, in its caller's step, up to its first sleep; it gets
//	                                                a coroutine only if it sleeps
//
// So a program that changes a buffer after a call, and before it awaits the call, may or may not have changed the
// argument. A generator program's calls run in its own coroutine, where `yield*` takes them.

import {
  Ebadarg,
  Eintr,
  Ekilled,
  Eprocdied,
  KILLED,
  PlanError,
  callstack,
  givestack,
  keepstack,
} from "../abi/errors.ts";
import type { Fact } from "../abi/errors.ts";
import { likegenerators } from "../abi/answer.ts";
import { SPOILT, spoilt } from "../abi/spoilt.ts";
import { callrow } from "../abi/calls.ts";
import type { Callname } from "../abi/calls.ts";
import { answer, calltext, foreign, nostatus } from "../abi/mistake.ts";
import type { Facts, Fdfact } from "../abi/mistake.ts";
import type { Chan } from "../chan.ts";
import { Notes } from "./note.ts";
import type { Proc } from "./proc.ts";
import { Rendez, UNTOLD, istask } from "./rendez.ts";
import type { Answer, Task } from "./rendez.ts";
import { AGAIN, Coroutine, NEXT, TURN, UNWOUND } from "./sched.ts";
import type { Done } from "./sched.ts";
import type { Call } from "../trace.ts";
import { young } from "../abi/young.ts";

/** A system call: Plan 9's number (-1 for our own), its name there, and the function. */
export type Sysent = {
  readonly num: number;
  readonly name: string;
  /** The name that a program calls it by. */
  readonly call: Callname;
  /** Its first argument is a descriptor. */
  readonly byfd: boolean;
  /**
   * The call itself. It checks its arguments: they come from a program and may be anything. It takes five at most,
   * which are given one by one, since to spread them takes longer than many a call.
   */
  readonly fn: (up: Proc, ...args: readonly unknown[]) => Answer<unknown>;
};

/**
 * A program. An async function gets system calls that return promises; a generator function gets system calls
 * that are called with yield*. The program returns its exit status.
 */
export type Program = (sys: never, argv: string[]) => unknown;

/** What runs in an image: called with the arguments, it gives what the program returns. */
export type Run = (argv: string[]) => unknown;

/**
 * The key of a function of programs that do not run in the host's engine (vm programs). The kernel calls the function
 * with the system calls when a process starts the program; the result runs the program.
 */
export const ATTACH: unique symbol = Symbol("attach");
type Attach = (image: Image, faces: Faces) => Run;

/** What a program's coroutine returns when the program goes on without it: Image.goon, or Image.returned, is called later. */
export const LATER: unique symbol = Symbol("later");

function attachof(main: Program): Attach | null {
  return ATTACH in main ? (main[ATTACH] as Attach) : null;
}

/** The two ways to call the system, made for one Image by syscalls/table.ts. */
export type Faces = {
  readonly sys: unknown;
  readonly tasksys: unknown;
  /** Makes one call of tasksys, without the object of them all: most vm programs make only a few of the calls. */
  task(name: Callname, args: readonly unknown[]): Task<unknown>;
};

/** A call as it was made: its arguments, and the program's stack when the trace wants it. */
type Called = { readonly args: readonly unknown[]; readonly stack: Call["stack"] };

type Settle = (value: unknown) => void;
let grabbedresolve: Settle = () => undefined;
let grabbedreject: Settle = () => undefined;
const grab = (resolve: Settle, reject: Settle): void => {
  grabbedresolve = resolve;
  grabbedreject = reject;
};
const noop = (): void => undefined;
const never: Promise<unknown> = new Promise(noop);

const isgenerator = (v: unknown): v is Task<unknown> =>
  typeof v === "object" && v !== null && Symbol.iterator in v && "return" in v && "throw" in v;
const ispromise = (v: unknown): v is PromiseLike<unknown> =>
  typeof v === "object" && v !== null && "then" in v && typeof v.then === "function";
const Generatorfunction: unknown = Object.getPrototypeOf(function* () {}).constructor;

/** What a program returned or threw, or gave to exits, as an exit status. */
export function status(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  // What a program gives may be a proxy, or have getters that throw.
  try {
    if (value instanceof Error) return String(value.message === "" ? value.name : value.message);
  } catch {
    return "program failed";
  }
  return `${typeof value} for an exit status`;
}

function* begun(ent: Sysent, up: Proc, args: readonly unknown[]): Task<unknown> {
  const a = ent.fn(up, ...args);
  return istask<unknown, Rendez>(a) ? yield* a : a;
}

/**
 * The failure of a call that threw e. If e is no PlanError, and an argument's array is spoilt (abi/spoilt.ts), the
 * program made the mistake: "bad arg in system call". Else the fault is the kernel's, and the result is null.
 */
function blamed(e: unknown, args: readonly unknown[]): PlanError | null {
  if (e instanceof PlanError) return e;
  if (e === KILLED || !spoilt(args)) return null;
  return Object.assign(new PlanError(Ebadarg), { why: SPOILT });
}

/** A function that gives a. Only where it is made does the caller need memory for what a function keeps. */
const giving =
  <T>(a: T) =>
  (): T =>
    a;

/** The task of a call that has failed before it needed one. */
const FAILED: Task<unknown> = (function* (): Task<void> {})();

/** A call's arguments, and its number among the calls of its program. */
type Numbered = { readonly args: readonly unknown[]; readonly seq: number };

/**
 * Fails a promise with an error whose stack shows where the program awaits the promise. V8 finds that from the
 * reaction of a promise that this one follows, so the failure comes some reactions later.
 */
function failwhere(resolve: Settle, e: PlanError): void {
  let go: () => void = noop;
  const before = new Promise<void>((resolved) => (go = resolved));
  const failed = (): never => {
    keepstack(e);
    e.placed = true;
    throw e;
  };
  resolve(before.then(failed));
  void Promise.resolve().then(go);
}

/** The result of the call with this number, which its program does not see yet. */
type Held = { readonly seq: number; readonly settle: () => void };

/** A program in a process, from its start or exec to its end. */
export class Image implements Done {
  readonly proc: Proc;
  readonly notes: Notes;
  /** Calls made so far. */
  ncall = 0;
  /** The call that runs in its caller's step. */
  calling: string | null = null;
  /** Ended or replaced by exec: its calls begin no more and settle no more. */
  dead = false;
  /** Called once, when the image becomes dead. */
  ondead: (() => void) | null = null;
  /** The program's stack at the call that it makes now, where the engine's own does not show it. */
  stack: (() => Call["stack"]) | null = null;
  readonly #faces: Faces;
  readonly #threads = new Map<number, Coroutine>();
  #nthread = 0;
  /** Results that wait for a note's handler to be done, or for the process to be started. */
  #held: Held[] = [];

  constructor(proc: Proc) {
    this.proc = proc;
    this.notes = new Notes(proc, this);
    this.#faces = proc.k.faces(this);
  }

  /**
   * An object of each kind that a call needs, for the kernel to keep. V8 forgets the shape of objects, and the code
   * compiled for it, when a collection of all memory finds no object of it. Without these that would be so whenever
   * no process runs, and the next process would begin slowly.
   */
  shapes(): readonly unknown[] {
    const { sys, tasksys } = this.#faces;
    const co = new Coroutine(this.proc, "", FAILED, this);
    this.proc.delco(co);
    return [sys, tasksys, this.#faces.task("stat", []), co];
  }

  /** Starts the program in a coroutine of its own; its return is the end of the process. */
  start(main: Program, argv: readonly string[]): void {
    this.proc.image = this;
    this.proc.args = argv;
    const run = this.#run(main);
    this.goon(() => run([...argv]));
    this.proc.k.sched.touch();
  }

  /** Gives the program a coroutine, in which fn lets the program go on. A process that has ended gets none. */
  goon(fn: () => unknown): void {
    if (!this.dead) this.proc.k.sched.start(this.proc, "program", this.#main(fn), program_);
  }

  /**
   * Makes a call when main has returned. The end of the program waits for the call's first sleep only, and kills it
   * there unless it changes files.
   */
  *aside(name: string, call: Task<void>): Task<void> {
    if (this.dead) return;
    this.proc.k.sched.start(this.proc, name, call, program_);
    yield AGAIN;
  }

  /** The program of main. A main that throws when the kernel looks at it (a revoked proxy) crashes its process. */
  #run(main: Program): Run {
    try {
      return attachof(main)?.(this, this.#faces) ?? this.#native(main);
    } catch (e) {
      return () => {
        throw e;
      };
    }
  }

  /** How a program runs that is a function of the host's engine. */
  #native(main: Program): Run {
    const program: (sys: unknown, argv: string[]) => unknown = main as never;
    return (argv) => program(this.#face(main), argv);
  }

  /** The system calls as main wants them. */
  #face(main: (...args: never[]) => unknown): unknown {
    return main.constructor === Generatorfunction ? this.#faces.tasksys : this.#faces.sys;
  }

  /** Starts another thread of a generator program; gives its number. */
  thread(task: Task<unknown>): number {
    const n = ++this.#nthread;
    const done = this.#threaddone(n);
    this.#threads.set(n, this.proc.k.sched.start(this.proc, "thread", task, done));
    return n;
  }

  /**
   * Begins task in the coroutine that calls, and gives 0 when the task has come to its end. A task that sleeps goes
   * on as another thread, and the result is its number. While the trace is on or the process is stopped, each task
   * is a thread from the beginning. For the trace notes in each coroutine the call that it is in.
   */
  threadbegin(task: Task<unknown>): number {
    const { k } = this.proc;
    if (k.trace.on || this.dead || this.proc.ctl !== null) return this.thread(task);
    const step = task.next();
    if (step.done === true) return 0;
    const n = ++this.#nthread;
    const done = this.#threaddone(n);
    const co = k.sched.adopt(this.proc, { label: "thread", task, done, on: step.value });
    this.#threads.set(n, co);
    // The task has ended its process before it slept.
    if (this.dead) k.sched.kill(co);
    return n;
  }

  #threaddone(n: number): Done {
    return { finish: noop, fail: failed, over: () => this.#threads.delete(n) };
  }

  /** Interrupts the thread where it sleeps. */
  threadint(thread: number): void {
    const co = this.#threads.get(thread);
    if (co !== undefined) this.proc.k.sched.interrupt(co, new PlanError(Eintr));
  }

  /** Interrupts the call of this number where it sleeps. */
  callint(seq: number): void {
    for (const co of this.proc.coroutines())
      if (co.seq === seq && co.done === this) this.proc.k.sched.interrupt(co, new PlanError(Eintr));
  }

  /** Runs fn, which calls `main`, a function of the program of whatever kind, and sleeps until it is done. */
  *run(main: (...args: never[]) => unknown, fn: (sys: unknown) => unknown): Task<unknown> {
    const value = fn(this.#face(main));
    if (isgenerator(value)) return yield* value;
    if (!ispromise(value)) return value;
    return yield* settled(value);
  }

  /** The program itself; one that is async is not a sleeper that a note could interrupt. */
  *#main(fn: () => unknown): Task<void> {
    const value = fn();
    const end = isgenerator(value) ? yield* value : value;
    if (end === LATER) return;
    if (ispromise(value))
      value.then(
        (v) => this.returned(v),
        (e: unknown) => this.crash(e),
      );
    else this.returned(end);
  }

  /** main returned: as exits, but every call that was made begins, and those that change files are completed. */
  returned(value: unknown): void {
    if (this.dead) return;
    this.proc.k.kproc("return", this.#last(value));
  }

  *#last(value: unknown): Task<void> {
    const { proc } = this;
    // As in thread(2), threads of a generator program go on, and the last one is the end of the process.
    if (this.#threads.size > 0) yield* proc.drained();
    while (!this.dead && unbegun(proc)) yield AGAIN;
    if (this.dead) return;
    this.kill();
    for (const co of proc.coroutines())
      if (callrow(co.label)?.changes !== true) proc.k.sched.kill(co);
    yield* proc.drained();
    // One of the calls may have been an exec: then this is not the program any more.
    if (proc.image === this) this.exits("main", value);
  }

  /** The end of the process with a status that the program gave; one that is no text is a mistake. */
  exits(by: "main" | "exits", value: unknown): void {
    const { proc } = this;
    const text = status(value);
    if (text === `${typeof value} for an exit status`) {
      const e = nostatus(by, value, text);
      if (by === "exits") this.#place(e);
      proc.crash = e;
      proc.k.witness?.crashed(proc, e);
    }
    proc.exit(text);
  }

  /** The program threw: that ends its process, with the message as status. */
  crash(e: unknown): void {
    if (this.dead) return;
    this.proc.crash = e;
    this.proc.k.witness?.crashed(this.proc, e);
    this.proc.exit(status(e) || "program failed");
  }

  /** The machine stops the program: a note that no handler gets, and its end. */
  trap(text: string): void {
    if (!this.dead) this.notes.trap(text);
  }

  /**
   * Makes the function by which an async program makes a system call. If the promise of a call fails, and the program never
   * awaits it, that is no error of the host's (#unread): it is as if a C program did not look at a result of -1.
   */
  syscall(ent: Sysent): (...args: readonly unknown[]) => Promise<unknown> {
    const call = young((...args: readonly unknown[]): Promise<unknown> => {
      const { proc } = this;
      const { sched, trace } = proc.k;
      const free = !this.dead && !trace.on && proc.ctl === null && proc.notes.length === 0;
      return free && sched.canenter() ? this.#atonce(ent, args) : this.#queued(ent, args, call);
    });
    return call;
  }

  /**
   * Gives a call a coroutine, which begins behind those that were ready before. Of the stack a listener gets what is above
   * `wayin`, the function that the program called.
   */
  #queued(ent: Sysent, args: readonly unknown[], wayin: unknown): Promise<unknown> {
    const foreigner = this.#foreign(ent, args);
    if (foreigner !== null) return foreigner;
    if (this.dead) return never;
    const { proc } = this;
    const { sched, trace } = proc.k;
    let stack: Call["stack"];
    if (trace.stacks && this.stack === null) {
      stack = callstack(wayin, trace.deep);
      if (!trace.enough(stack)) stack = trace.whole(callstack(wayin));
    }
    const a = this.#watch(ent, args, stack) ?? begun(ent, proc, args);
    const co = sched.start(proc, ent.name, a, this);
    ++this.ncall;
    return this.#promised(co, ent, args);
  }

  /** Begins a call in its caller's step, where sched.canenter() has let it in. */
  #atonce(ent: Sysent, args: readonly unknown[]): Promise<unknown> {
    const { proc } = this;
    const { sched } = proc.k;
    const seq = ++this.ncall;
    let a: Answer<unknown>;
    let task: Task<unknown> | null = null;
    let over = false;
    this.calling = ent.name;
    try {
      a = ent.fn(proc, args[0], args[1], args[2], args[3], args[4]);
      if (istask<unknown, Rendez>(a)) task = a;
      else over = true;
    } catch (e) {
      return this.#failedatonce(ent, args, e);
    } finally {
      this.calling = null;
      sched.exit(over);
    }
    if (task !== null) {
      const co = new Coroutine(proc, ent.name, task, this);
      const p = this.#promised(co, ent, args);
      sched.resume(co);
      return p;
    }
    sched.settled();
    // The call may have been the end of its program, or have posted a note to it.
    if (this.dead) return never;
    return this.#holds(seq) ? this.#later(seq, a) : Promise.resolve(a);
  }

  /** The result of a call that its program is not to see yet. */
  #later(seq: number, value: unknown): Promise<unknown> {
    return new Promise((resolve) => this.#held.push({ seq, settle: () => resolve(value) }));
  }

  #failedatonce(ent: Sysent, args: readonly unknown[], e: unknown): Promise<unknown> {
    const co = new Coroutine(this.proc, ent.name, FAILED, this);
    this.proc.delco(co);
    const p = this.#promised(co, ent, args);
    const failure = blamed(e, args);
    if (failure !== null) this.#place(failure);
    this.fail(co, failure ?? e);
    return p;
  }

  /** Gives e the program's stack, for a host that listens to failures. The program must still be on the stack. */
  #place(e: PlanError): void {
    if (this.proc.k.witness === null || e.placed === true) return;
    keepstack(e);
    e.placed = true;
  }

  /** A call that the program of another process makes, which is a mistake; null for one of this process. */
  #foreign(ent: Sysent, args: readonly unknown[]): Promise<unknown> | null {
    const { proc } = this;
    const user = this.#user(ent);
    if (user === null) return null;
    const e = foreign(ent.name, proc, user);
    this.#place(e);
    const p = Promise.reject<unknown>(e);
    this.#unread(p, e, calltext(ent.call, args));
    return p;
  }

  /**
   * The other process whose program makes this call, where the scheduler knows it; else null. nsec is allowed: the
   * time is the same in all processes.
   */
  #user(ent: Sysent): Proc | null {
    const user = this.proc.k.sched.current?.proc ?? this.proc;
    return user === this.proc || user.image === null || ent.call === "nsec" ? null : user;
  }

  /** Marks the promise p handled, so that Node does not end for it; a host that listens to failures gets it instead. */
  #unread(p: Promise<unknown>, e: PlanError, call: string): void {
    const { witness } = this.proc.k;
    if (witness === null) p.then(undefined, noop);
    else witness.failed(p, e, call);
  }

  /** The promise of the call that was counted last. */
  #promised(co: Coroutine, ent: Sysent, args: readonly unknown[]): Promise<unknown> {
    const { witness } = this.proc.k;
    co.seq = this.ncall;
    co.ent = ent;
    co.args = args;
    co.promise = new (witness === null ? Promise : witness.promise)<unknown>(grab);
    co.resolve = grabbedresolve;
    co.reject = grabbedreject;
    return co.promise;
  }

  /** A system call inside the caller's coroutine: its value, or a task where it has to wait. */
  inline(ent: Sysent, args: readonly unknown[]): Answer<unknown> {
    const { proc } = this;
    const { sched, trace } = proc.k;
    const co = sched.current;
    if (
      co === null ||
      this.dead ||
      trace.on ||
      proc.ctl !== null ||
      proc.notes.length > 0 ||
      co.proc !== proc
    )
      return this.#begins(ent, args);
    const seq = ++this.ncall;
    co.doing = ent.name;
    let a: Answer<unknown>;
    try {
      a = ent.fn(proc, args[0], args[1], args[2], args[3], args[4]);
    } catch (e) {
      return this.#goeson(ent, { args, seq }, () => {
        throw e;
      });
    }
    if (
      istask<unknown, Rendez>(a) ||
      seq % TURN === 0 ||
      proc.notes.length > 0 ||
      proc.ctl !== null
    )
      return this.#goeson(ent, { args, seq }, giving(a));
    return a;
  }

  *#begins(ent: Sysent, args: readonly unknown[]): Task<unknown> {
    if (this.proc.k.sched.explorer !== null) yield* this.#next();
    const user = this.#user(ent);
    if (user !== null) throw foreign(ent.name, this.proc, user);
    // What a program cleans up after its end, or after an exec, is not its own any more.
    if (this.dead) yield* this.#late();
    const seq = ++this.ncall;
    const co = this.proc.k.sched.current;
    if (co !== null) co.doing = ent.name;
    return yield* this.#goeson(
      ent,
      { args, seq },
      () => this.#watch(ent, args) ?? ent.fn(this.proc, ...args),
    );
  }

  /** Lets an Explorer choose which call is next. */
  *#next(): Task<void> {
    try {
      yield NEXT;
    } catch (e) {
      if (e === KILLED) yield UNWOUND;
      throw e;
    }
  }

  /** The rest of a call: what it waits for, and the notes that came meanwhile. */
  *#goeson(ent: Sysent, { args, seq }: Numbered, begun: () => Answer<unknown>): Task<unknown> {
    let value: unknown;
    let failure: PlanError | null = null;
    try {
      try {
        const a = begun();
        value = istask<unknown, Rendez>(a) ? yield* a : a;
      } catch (e) {
        failure = blamed(e, args);
        if (failure === null) throw e;
      }
      // The turn of other coroutines comes behind the call and not before it. So calls begin in the order in
      // which the program's threads make them.
      if (seq % TURN === 0) yield AGAIN;
      if (this.proc.ctl !== null) yield* this.proc.ended();
      if (this.proc.notes.length > 0) yield* this.#noted(seq);
    } catch (e) {
      if (e === KILLED) yield UNWOUND;
      throw this.proc.k.broken(e);
    }
    if (failure === null) return value;
    this.#failed(failure, ent, args);
    this.#place(failure);
    throw failure;
  }

  /** A program that does not heed its end is killed here, and while it cleans up it lets others run. */
  *#late(): Task<never> {
    try {
      if (++this.ncall % TURN === 0) yield AGAIN;
    } catch (e) {
      if (e === KILLED) yield UNWOUND;
      throw e;
    }
    throw new PlanError(Eprocdied);
  }

  *#noted(seq: number): Task<void> {
    if (this.notes.holds(seq) && !this.notes.ishandler(this.proc.k.sched.current))
      yield* this.notes.delivered();
  }

  /**
   * The call as the trace and a debugger want it: with events, and with a wait while the process is stopped. null
   * when neither is there.
   */
  #watch(ent: Sysent, args: readonly unknown[], known?: Call["stack"]): Task<unknown> | null {
    const { trace } = this.proc.k;
    if (this.proc.ctl === null && !trace.on) return null;
    if (!trace.stacks) return this.#watched(ent, { args, stack: undefined });
    // The stack is taken now: when the coroutine of #watched runs, the program is not on it any more.
    return this.#watched(ent, { args, stack: known ?? (this.stack ?? callstack)() });
  }

  #chanof(fd: unknown): Chan | null {
    return (typeof fd === "number" ? this.proc.fgrp.fd[fd] : null) ?? null;
  }

  /** Runs a call's task and emits its sleeps to the trace, except those that messages show. */
  *#sleeping(task: Task<unknown>): Task<unknown> {
    const { trace } = this.proc.k;
    let over = false;
    try {
      let step = task.next();
      while (step.done !== true) {
        const r = step.value;
        if (trace.on && !r.passing && !UNTOLD.has(r.what))
          trace.emit({ type: "sleep", what: r.what });
        try {
          yield r;
        } catch (e) {
          step = task.throw(e);
          continue;
        }
        step = task.next();
      }
      over = true;
      return step.value;
    } catch (e) {
      over = true;
      throw e;
    } finally {
      if (!over) task.return(undefined);
    }
  }

  /** A call that someone watches: it tells the trace, and waits while the process is stopped. */
  *#watched(ent: Sysent, how: Called): Task<unknown> {
    const { k } = this.proc;
    const { args, stack } = how;
    const co = k.sched.current;
    const outer = co?.call ?? null;
    const chan = ent.byfd ? this.#chanof(args[0]) : null;
    const call: Call = {
      id: k.trace.nextcall(),
      pid: this.proc.pid,
      num: ent.num,
      name: ent.name,
      args,
      space: this.proc.pgrp.ns.snapshot(),
      dot: this.proc.dot.path.toString(),
      file: chan?.path.toString() ?? null,
      chan: chan === null ? 0 : k.trace.chans.of(chan),
      stack,
    };
    if (co !== null) co.call = call;
    if (k.trace.on) k.trace.emit({ type: "call" }, call);
    let failure: string | null = Ekilled;
    let fact: Fact | null = null;
    let value: unknown;
    try {
      if (this.proc.ctl === "syscall") this.proc.halt();
      if (this.proc.ctl !== null) yield* this.#sleeping(this.proc.held());
      const { spoiler } = k.trace;
      const a =
        spoiler === null
          ? ent.fn(this.proc, ...args)
          : spoiler.call(this.proc, call, (list) => ent.fn(this.proc, ...list));
      value = istask<unknown, Rendez>(a) ? yield* this.#sleeping(a) : a;
      failure = null;
      return value;
    } catch (e) {
      // An exec that succeeds kills the coroutine that made it, as the new program takes its place: no failure.
      failure = ent.call === "exec" && this.proc.image !== this ? null : status(e);
      if (e instanceof PlanError) fact = e.fact ?? null;
      if (e instanceof PlanError && stack !== undefined) {
        givestack(e, stack);
        e.placed = true;
      }
      throw e;
    } finally {
      const offset = chan?.offset ?? -1;
      if (k.trace.on) k.trace.emit({ type: "return", value, error: failure, fact, offset }, call);
      if (co !== null) co.call = outer;
    }
  }

  finish(co: Coroutine, value: unknown): void {
    if (this.proc.ctl !== null) this.proc.callend();
    if (this.#holds(co.seq))
      this.#held.push({ seq: co.seq, settle: () => this.#resolve(co, value) });
    else this.#resolve(co, value);
  }

  fail(co: Coroutine, thrown: unknown): void {
    const e = blamed(thrown, co.args);
    if (e === null) return this.proc.k.panic(thrown);
    if (this.proc.ctl !== null) this.proc.callend();
    if (this.#holds(co.seq)) this.#held.push({ seq: co.seq, settle: () => this.#reject(co, e) });
    else this.#reject(co, e);
  }

  over(_co: Coroutine): void {}

  /** Whether the program does not see the result of this call yet. */
  #holds(seq: number): boolean {
    const { ctl, notes } = this.proc;
    return ctl === "stopped" || (notes.length > 0 && this.notes.holds(seq));
  }

  /** Lets the results go that need not wait any more. */
  unhold(): void {
    const held = this.#held;
    this.#held = held.filter(({ seq }) => this.#holds(seq));
    for (const { seq, settle } of held) if (!this.#holds(seq)) settle();
  }

  /** The process was started: it gets the notes that came meanwhile, then the results. */
  started(): void {
    this.notes.started();
    this.unhold();
  }

  /** The program's calls settle no more. */
  kill(): void {
    if (this.dead) return;
    this.dead = true;
    this.#held = [];
    this.ondead?.();
  }

  #failed(e: PlanError, ent: Sysent, args: readonly unknown[]): void {
    e.call = ent.name;
    answer(e, ent.call, args, this.#facts);
    this.proc.seterr(e);
  }

  /** What abi/mistake.ts may ask about the process, to say in a failure what is wrong with an argument. */
  get #facts(): Facts {
    const { fgrp, k } = this.proc;
    const fact = ([fd, c]: [number, Chan | null]): Fdfact[] =>
      c === null ? [] : [{ fd, path: c.path.toString(), mode: c.mode }];
    return {
      open: () => [...fgrp.fd.entries()].flatMap(fact),
      isprogram: (name) => k.programs.has(name),
    };
  }

  #resolve(co: Coroutine, value: unknown): void {
    if (this.dead || co.resolve === null) return;
    co.resolve(value);
    this.proc.k.sched.touch();
  }

  #reject(co: Coroutine, e: PlanError): void {
    if (this.dead || co.reject === null || co.promise === null || co.ent === null) return;
    this.#failed(e, co.ent, co.args);
    const { witness, sched } = this.proc.k;
    this.#unread(co.promise, e, witness === null ? "" : calltext(co.ent.call, co.args));
    if (witness === null || e.placed === true) co.reject(e);
    else if (co.resolve !== null) failwhere(co.resolve, e);
    sched.touch();
  }
}

/**
 * The task of a generator program's call: what `yield*` asks of a generator. The call is made when the task is
 * first resumed. A call that need not wait costs no generator then, and its result is in the task itself.
 */
class Calltask {
  // As a result of next() it is always the last.
  readonly done = true;
  value: unknown = undefined;
  readonly #image: Image;
  readonly #ent: Sysent;
  readonly #args: readonly unknown[];
  #made = false;
  /** What is left of a call that has begun and waits. */
  #rest: Task<unknown> | null = null;

  constructor(image: Image, ent: Sysent, args: readonly unknown[]) {
    this.#image = image;
    this.#ent = ent;
    this.#args = args;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Rendez, unknown> {
    if (this.#rest !== null) return this.#rest.next();
    if (this.#made) return { done: true, value: undefined };
    this.#made = true;
    const a = this.#image.inline(this.#ent, this.#args);
    if (istask<unknown, Rendez>(a)) return (this.#rest = a).next();
    this.value = a;
    return this;
  }

  return(value: unknown): IteratorResult<Rendez, unknown> {
    if (this.#rest !== null) return this.#rest.return(value);
    this.#made = true;
    return { done: true, value };
  }

  throw(e: unknown): IteratorResult<Rendez, unknown> {
    if (this.#rest !== null) return this.#rest.throw(e);
    this.#made = true;
    throw e;
  }
}
likegenerators(Calltask.prototype);

/** A system call as a generator program makes it, with yield*. */
export function calltask(image: Image, ent: Sysent, args: readonly unknown[]): Task<unknown> {
  const task: unknown = new Calltask(image, ent, args);
  return task as Task<unknown>;
}

/**
 * A program's coroutine threw: a crash. A killed one may throw while its finally blocks run. The process does not crash
 * for that, since exec kills the old program's coroutine, and the process then has a new program.
 */
function failed(co: Coroutine, e: unknown): void {
  if (!co.dying) co.proc.image?.crash(e);
}

/** The end of a program's coroutine. Its task deals with a return itself, so only a throw is left. */
const program_: Done = { finish: noop, over: noop, fail: failed };

/** Whether a call that a process made has not begun. */
function unbegun(p: Proc): boolean {
  for (const co of p.coroutines()) if (!co.started) return true;
  return false;
}

/** Sleeps until a promise of the program is settled. */
function* settled(p: PromiseLike<unknown>): Task<unknown> {
  const r = new Rendez("program");
  const outcome: { done: boolean; value: unknown; error: unknown; failed: boolean } = {
    done: false,
    value: undefined,
    error: undefined,
    failed: false,
  };
  p.then(
    (value) => {
      outcome.done = true;
      outcome.value = value;
      r.wakeupall();
    },
    (error: unknown) => {
      outcome.done = outcome.failed = true;
      outcome.error = error;
      r.wakeupall();
    },
  );
  while (!outcome.done) yield r;
  if (outcome.failed) throw outcome.error;
  return outcome.value;
}
