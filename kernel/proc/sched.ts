// The scheduler: every coroutine of the kernel, the queue of those that can run, and time.
//
// There are three kinds of Coroutines: a system call that has slept or has to wait for its turn, a generator program, and
// a kernel process, such as the reader of a connection. A Coroutine runs until it yields the Rendez it sleeps on. An async program
// may have several calls under way. A turn is one round of the host's event loop. An Explorer is a tester that
// tries every order (userland/explore). Invariants:
//  1. one coroutine runs at a time, to its next yield; nothing else changes kernel state meanwhile;
//  2. a coroutine is in exactly one place: the ready queue, one Rendez, running, or done;
//  3. only a sleeper is interrupted or killed. One already woken first runs on to its next sleep, so
//     what it was handed (a lock, a block) is never lost. A kill throws KILLED into it, once. KILLED is no
//     PlanError, and each catch block of the kernel rethrows all but PlanErrors. finally blocks run, and may sleep;
//  4. ready coroutines run first in, first out; with a seed any may be next, except that calls of one
//     process that have not begun begin in the order made;
//  5. after at most TURN resumptions, and whenever a generator program has made TURN calls more, the
//     host's event loop gets a whole turn;
//  6. virtual time moves only when nothing is ready, a whole turn brought nothing, and no host
//     operation is under way;
//  7. with an Explorer, programs go on to their next calls before each choice, and the kernel's own coroutines
//     run first. The Explorer chooses among the other coroutines and the timers that are due.

import type { Clock, Host, Timer } from "./clock.ts";
import { KILLED } from "../abi/errors.ts";
import type { PlanError } from "../abi/errors.ts";
import type { Proc } from "./proc.ts";
import { Rendez } from "./rendez.ts";
import type { Task } from "./rendez.ts";
import type { Call } from "../trace.ts";
import type { Sysent } from "./trap.ts";
import { young } from "../abi/young.ts";

export type { Task } from "./rendez.ts";

/** Resumptions, or calls of one program, before the host's event loop gets its turn. */
export const TURN = 1000;

/**
 * Yielded by a killed coroutine when the kernel's frames are unwound and only a program's are left: the
 * scheduler ends those with return().
 */
export const UNWOUND: Rendez = new Rendez("unwound");

/** What becomes of a coroutine's result. */
export interface Done {
  /** It returned. Not called for a coroutine that was killed. */
  finish(co: Coroutine, value: unknown): void;
  /**
   * It threw. Also called for a killed coroutine (co.dying) that throws an error of its own while it cleans
   * up.
   */
  fail(co: Coroutine, error: unknown): void;
  /** It is over, however it ended; called last. */
  over(co: Coroutine): void;
}

const NONE: readonly unknown[] = [];

/** One thread of control; see the invariants at the head of the file. */
export class Coroutine {
  readonly sched: Sched;
  readonly proc: Proc;
  readonly task: Task<unknown>;
  readonly done: Done;
  /** The name of its system call, or of the kernel process. */
  readonly label: string;
  /** Of a program: the system call that it made last. */
  doing: string | null = null;
  /** What the trace knows of the system call that it runs; null while the trace is off. */
  call: Call | null = null;
  /** What it sleeps on. */
  on: Rendez | null = null;
  /** Links of the queue it is in: a Rendez or the ready queue. */
  qnext: Coroutine | null = null;
  qprev: Coroutine | null = null;
  /** Links of its process's list. */
  pnext: Coroutine | null = null;
  pprev: Coroutine | null = null;
  /** An error to throw at the place where it slept. */
  thrown: Error | null = null;
  started = false;
  /** It was killed: its frames unwind, and it is not interrupted again. */
  dying = false;
  /** KILLED was thrown into it. */
  unwinding = false;
  /** It has yielded AGAIN: it could go on, but others go first. Only an Explorer's loop looks at this. */
  passing = false;
  /**
   * Its program has yielded NEXT, before its next call: an Explorer may run other processes first, but no other
   * thread of this process.
   */
  midway = false;
  /** Its number among the calls of its program. */
  seq = 0;
  /** The system call and its arguments, of an async program that awaits the promise. */
  ent: Sysent | null = null;
  args: readonly unknown[] = NONE;
  promise: Promise<unknown> | null = null;
  resolve: ((value: unknown) => void) | null = null;
  reject: ((error: unknown) => void) | null = null;

  constructor(proc: Proc, label: string, task: Task<unknown>, done: Done) {
    this.sched = proc.k.sched;
    this.proc = proc;
    this.label = label;
    this.task = task;
    this.done = done;
    this.pnext = proc.newest;
    if (proc.newest !== null) proc.newest.pprev = this;
    proc.newest = this;
  }

  /**
   * Whether it is in a system call: it is the coroutine of a call, or a generator program in the middle of one.
   */
  get incall(): boolean {
    return !PROGRAM.has(this.label) || this.label === "thread" || this.doing !== null;
  }
}

/**
 * Labels of the coroutines that are no system call: those of a program, and of the kernel's code that begins
 * and ends it.
 */
export const PROGRAM: ReadonlySet<string> = new Set([
  "program",
  "thread",
  "note",
  "return",
  "exit",
]);

/** A source of chance: the next number in [0, n). */
export type Chance = (n: number) => number;

/**
 * Chooses where the scheduler has a choice, one step at a time. A step begins with a choice and lasts to the
 * next one: a coroutine runs to its next sleep, or a timer is called; then the kernel's own coroutines run,
 * and the programs go on to their next calls.
 */
export interface Explorer {
  /**
   * Chooses the coroutine or the timer that goes next; there is at least one. Coroutines are listed in the order in
   * which they became ready, timers in the order in which they were set. null ends the scheduler.
   */
  choose(ready: readonly Coroutine[], due: readonly Timer[]): Coroutine | Timer | null;
  /** Virtual time moved to the next timer: nothing could run before. */
  jumped(): void;
  /**
   * Nothing can run, and no timer is set. The Explorer may end a wait of the host's, so that there is more
   * to run.
   */
  stuck(): void;
}

/** What runs on a scheduler: a kernel. */
export interface Machine {
  /**
   * Another kernel on this scheduler has panicked. Nothing runs any more, since they share what runs it.
   */
  halt(e: Error): void;
}

/** A task that is to become a coroutine if it sleeps, or if it has to wait for its turn. */
type Soon = {
  readonly proc: Proc;
  readonly label: string;
  readonly task: Task<unknown>;
  readonly done: Done;
};

/** A task that sleeps on `on`, and what a coroutine needs beside it. */
type Asleep = {
  readonly label: string;
  readonly task: Task<unknown>;
  readonly done: Done;
  readonly on: Rendez;
};

/** Runs coroutines: those of one kernel, or of several that share one clock. */
export class Sched {
  /** The coroutine that runs now. */
  current: Coroutine | null = null;
  /** Resumptions since boot. */
  resumed = 0;
  readonly clock: Clock;
  readonly #machines = new Set<Machine>();
  readonly #host: Host;
  readonly #chance: Chance | null;
  /** The Explorer, where every order is to be tried, else null. */
  readonly explorer: Explorer | null;
  /** Ready coroutines go first in, first out. */
  readonly #fifo: boolean;
  readonly #loop: () => void;
  readonly #afterturn: () => void = young(() => {
    this.#budget = TURN;
    // The timers are called here, too, since a busy program never lets the scheduler go idle.
    if (!this.clock.virtual && this.clock.timers.size > 0) this.clock.expire();
    this.#loop();
  });
  #head: Coroutine | null = null;
  #tail: Coroutine | null = null;
  #nready = 0;
  #active = false;
  #entered = false;
  /** What soon() was given by the call that runs inside its caller; it is the first that is to run then. */
  #soon: Soon | null = null;
  #budget = TURN;
  #touched = false;
  #hostops = 0;
  #unalarm: (() => void) | null = null;
  #alarmat = 0;
  #atidle: (() => void)[] = [];
  #stopped = false;

  constructor(host: Host, clock: Clock, chance: Chance | null, explorer: Explorer | null = null) {
    this.#host = host;
    this.clock = clock;
    this.#chance = chance;
    this.explorer = explorer;
    this.#fifo = chance === null && explorer === null;
    this.#loop = explorer === null ? () => this.#run() : () => this.#explore(explorer);
  }

  /** Begins a coroutine of proc: it is ready, and has not run when this returns. */
  start(proc: Proc, label: string, task: Task<unknown>, done: Done): Coroutine {
    const co = new Coroutine(proc, label, task, done);
    this.ready(co);
    return co;
  }

  /** Makes a coroutine of proc for a task that was begun without one, and sleeps on `on`. */
  adopt(proc: Proc, a: Asleep): Coroutine {
    const co = new Coroutine(proc, a.label, a.task, a.done);
    co.started = true;
    a.on.enqueue(co);
    return co;
  }

  /**
   * start, for a task whose coroutine no caller needs. Where a call runs inside its caller and nothing is ready, the
   * task runs there, too, at the end of the call; it becomes a coroutine only if it sleeps.
   */
  soon(a: Soon): void {
    if (this.#entered && this.#head === null && this.#soon === null) this.#soon = a;
    else this.start(a.proc, a.label, a.task, a.done);
  }

  /** The task of soon() becomes a coroutine, since another one is about to run. */
  #queuesoon({ proc, label, task, done }: Soon): void {
    this.#soon = null;
    this.start(proc, label, task, done);
  }

  ready(co: Coroutine): void {
    if (this.#soon !== null) this.#queuesoon(this.#soon);
    co.qprev = this.#tail;
    co.qnext = null;
    if (this.#tail === null) this.#head = co;
    else this.#tail.qnext = co;
    this.#tail = co;
    this.#nready++;
    if (!this.#active) this.#kick();
  }

  /**
   * Whether a system call may run at once, inside its caller and without a coroutine, to its first sleep. It may
   * if nothing runs or is ready, no seed or Explorer chooses the order, and the host's turn is not due. If true,
   * the caller runs the call, and then calls exit(); no coroutine runs until that.
   */
  canenter(): boolean {
    const free =
      !this.#active &&
      this.#head === null &&
      this.current === null &&
      !this.#entered &&
      this.#fifo &&
      this.#budget > 0 &&
      !this.#stopped;
    if (!free) return false;
    this.#entered = true;
    this.resumed++;
    this.#budget--;
    return true;
  }

  /** The call has ended (`over`), or goes on in a coroutine. */
  exit(over: boolean): void {
    this.#entered = false;
    const a = this.#soon;
    if (a === null) return;
    if (!over || this.#stopped) return this.#queuesoon(a);
    this.#soon = null;
    try {
      const step = a.task.next();
      if (step.done !== true) this.adopt(a.proc, { ...a, on: step.value });
    } catch (e) {
      const co = new Coroutine(a.proc, a.label, a.task, a.done);
      a.done.fail(co, e);
      a.proc.delco(co);
    }
  }

  /**
   * A call ended inside its caller (canenter). Its program makes the next call in a later turn, so virtual
   * time does not move before that turn is over.
   */
  settled(): void {
    this.#touched = true;
    if (this.clock.virtual && !this.#active) this.#kick();
  }

  /** Throws error into a sleeper; says whether it slept. */
  interrupt(co: Coroutine, error: PlanError): boolean {
    if (co.on === null || co.dying) return false;
    co.on.remove(co);
    co.thrown = error;
    this.ready(co);
    return true;
  }

  /** Kills a coroutine: now if it sleeps, else at its next sleep. Its finally blocks run and may sleep. */
  kill(co: Coroutine): void {
    if (co.dying) return;
    co.dying = true;
    if (co.on === null) return;
    co.on.remove(co);
    co.unwinding = true;
    co.thrown = KILLED;
    this.ready(co);
  }

  /** Sleeps for ns nanoseconds. */
  *sleep(ns: number, r: Rendez = new Rendez("sleep")): Task<void> {
    const t = this.timer(ns, () => r.wakeup());
    try {
      yield r;
    } finally {
      this.cancel(t);
    }
  }

  /** Calls fn in ns nanoseconds, outside of all coroutines: fn may wake sleepers, and cannot sleep. */
  timer(ns: number, fn: () => void): Timer {
    const t = this.clock.timers.add(this.clock.now() + ns, fn);
    if (!this.#active) this.#kick();
    return t;
  }

  cancel(t: Timer): void {
    this.clock.timers.cancel(t);
  }

  /** Makes co ready behind all others, after a turn of the host's event loop. */
  again(co: Coroutine): void {
    this.#budget = 0;
    co.passing = true;
    this.ready(co);
  }

  /** Calls fn once, when nothing is ready or the host is about to get its turn: where output is flushed. */
  atidle(fn: () => void): void {
    this.#atidle.push(fn);
    if (!this.#active) this.#kick();
  }

  /** A host operation is under way: it holds virtual time until release(). */
  hold(): void {
    this.#hostops++;
  }

  release(): void {
    this.#hostops--;
    this.touch();
  }

  /**
   * A promise was settled or a program begun. The program makes its next call in a later turn, so virtual
   * time does not move before that turn is over.
   */
  touch(): void {
    this.#touched = true;
    if (!this.#active) this.#kick();
  }

  join(m: Machine): void {
    this.#machines.add(m);
  }

  /** m has ended; the last one to leave ends the scheduler. */
  leave(m: Machine): void {
    this.#machines.delete(m);
    if (this.#machines.size === 0) this.#stop();
  }

  /** A kernel is broken: nothing runs any more, and halt() of every machine is called. */
  halt(e: Error): void {
    this.#stop();
    for (const m of this.#machines) m.halt(e);
  }

  /** Runs nothing any more. */
  #stop(): void {
    this.#stopped = true;
    this.#unalarm?.();
    this.#unalarm = null;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  #kick(): void {
    this.#active = true;
    if (this.#budget > 0 && this.explorer === null) void resolved.then(this.#loop);
    else this.#turn();
  }

  #turn(): void {
    this.#flush();
    this.#host.turn(this.#afterturn);
  }

  #run(): void {
    while (!this.#stopped) {
      const co = this.#pick();
      if (co === null) {
        if (this.#idle()) return;
        continue;
      }
      if (this.#budget-- === 0) {
        this.#unpick(co);
        this.#turn();
        return;
      }
      this.resume(co);
    }
  }

  /** The loop where an Explorer chooses (invariant 7). */
  #explore(x: Explorer): void {
    while (!this.#stopped) {
      if (this.#touched) {
        this.#touched = false;
        this.#host.turn(this.#afterturn);
        return;
      }
      const own = this.#own();
      if (own !== null) {
        this.#unready(own);
        this.resume(own);
        continue;
      }
      const due = firsts(this.clock.timers.due(this.clock.now()));
      const ready = this.#choices(due.length > 0);
      if (ready.length + due.length > 0) this.#chosen(x.choose(ready, due));
      else if (this.#explored(x)) return;
    }
  }

  /**
   * An Explorer chooses, and nothing is ready or due: moves virtual time, or calls x.stuck(). True: the loop
   * ends, and a host operation or a new call begins it again.
   */
  #explored(x: Explorer): boolean {
    this.#flush();
    if (this.#nready > 0 || this.#touched) return false;
    if (this.#hostops === 0) {
      if (this.clock.jump()) x.jumped();
      else {
        this.#touched = false;
        x.stuck();
        // x may have ended a wait of the host's. Then the loop takes a turn, which brings more to run.
        if (this.#touched || this.#nready > 0) return false;
        this.#active = false;
        return true;
      }
      return false;
    }
    this.#active = false;
    return true;
  }

  #chosen(what: Coroutine | Timer | null): void {
    if (what === null) return this.#stop();
    // The programs that this step woke, and the host, go on in the turn after the step.
    this.#touched = true;
    if (what instanceof Coroutine) {
      what.midway = false;
      this.#unready(what);
      this.resume(what);
    } else {
      this.cancel(what);
      what.fn();
    }
  }

  /** The first of the kernels' own coroutines that is ready and has not yielded AGAIN. */
  #own(): Coroutine | null {
    for (let co = this.#head; co !== null; co = co.qnext)
      if (co.proc === co.proc.k.proc0 && !co.passing) return co;
    return null;
  }

  /**
   * The ready coroutines that may go next:
   *  - a process's first call that has not begun, and none of the calls after it (invariant 4);
   *  - the thread of a generator program that runs, until it sleeps, and no other thread of that program;
   *  - a coroutine that yielded AGAIN only if another has run since, or there is no other.
   */
  #choices(others: boolean): Coroutine[] {
    const first = this.#head;
    if (first === null) return [];
    if (first.qnext === null && !first.passing) return [first];
    const all: Coroutine[] = [];
    const unbegun = new Set<Proc>();
    for (let co = this.#head; co !== null; co = co.qnext) {
      if (!co.started && unbegun.has(co.proc)) continue;
      if (!co.started) unbegun.add(co.proc);
      all.push(co);
    }
    const running = new Map<Proc, Coroutine>();
    for (const co of all) if (co.midway) running.set(co.proc, co);
    const list = all.filter(
      (co) => !co.passing && (co.label === "note" || (running.get(co.proc) ?? co) === co),
    );
    for (const co of all) co.passing = false;
    return list.length > 0 || others ? list : all;
  }

  /**
   * Nothing is ready: moves virtual time, or waits for the host. True: the loop ends; a timer or the host
   * will start it again.
   */
  #idle(): boolean {
    this.#flush();
    if (this.#nready > 0) return false;
    if (!this.clock.virtual) {
      if (this.clock.timers.size > 0 && this.clock.expire() > 0) return false;
      this.#arm();
      this.#active = false;
      return true;
    }
    if (this.#touched) {
      this.#touched = false;
      this.#turn();
      return true;
    }
    if (this.#hostops === 0 && this.clock.jump()) {
      this.clock.expire();
      return false;
    }
    this.#active = false;
    return true;
  }

  /** Real time: has the host call again when the first timer is due. */
  #arm(): void {
    const first = this.clock.timers.first;
    if (this.#unalarm !== null) {
      if (first !== undefined && this.#alarmat === first.at) return;
      this.#unalarm();
      this.#unalarm = null;
    }
    if (first === undefined) return;
    this.#alarmat = first.at;
    this.#unalarm = this.#host.alarm(Math.max(0, first.at - this.clock.now()), () => {
      this.#unalarm = null;
      if (!this.#active) {
        this.#active = true;
        this.#run();
      }
    });
  }

  #flush(): void {
    while (this.#atidle.length > 0) {
      const list = this.#atidle;
      this.#atidle = [];
      for (const fn of list) fn();
    }
  }

  #pick(): Coroutine | null {
    let co = this.#head;
    if (co === null) return null;
    if (this.#chance !== null && this.#nready > 1)
      co = this.#permute(co, this.#chance(this.#nready));
    this.#unready(co);
    return co;
  }

  #unready(co: Coroutine): void {
    if (co.qprev === null) this.#head = co.qnext;
    else co.qprev.qnext = co.qnext;
    if (co.qnext === null) this.#tail = co.qprev;
    else co.qnext.qprev = co.qprev;
    co.qprev = co.qnext = null;
    this.#nready--;
  }

  #unpick(co: Coroutine): void {
    co.qnext = this.#head;
    if (this.#head === null) this.#tail = co;
    else this.#head.qprev = co;
    this.#head = co;
    this.#nready++;
  }

  /**
   * The nth ready coroutine. If that is a call that has not begun, the first such call of its process is
   * taken (invariant 4).
   */
  #permute(head: Coroutine, n: number): Coroutine {
    let co = head;
    for (let i = 0; i < n && co.qnext !== null; i++) co = co.qnext;
    if (co.started) return co;
    for (let c: Coroutine | null = head; c !== null; c = c.qnext)
      if (c.proc === co.proc && !c.started) return c;
    return co;
  }

  /** Runs a coroutine to its next sleep or its end. The loop calls this, or a call's caller after canenter(). */
  resume(co: Coroutine): void {
    const { task, thrown } = co;
    this.resumed++;
    this.current = co;
    try {
      let step = OVER;
      // One that was killed before it began is over.
      if (co.started || !co.dying) {
        co.started = true;
        co.thrown = null;
        step = thrown === null ? task.next() : task.throw(thrown);
        if (co.dying) step = unwound(co, step);
      }
      if (step.done === true) {
        if (!co.dying) co.done.finish(co, step.value);
      } else {
        step.value.enqueue(co);
        return;
      }
    } catch (e) {
      if (e !== KILLED) co.done.fail(co, e);
    } finally {
      this.current = null;
    }
    co.proc.delco(co);
    co.done.over(co);
  }
}

/** What a killed coroutine comes to after this step: to its end, or to a sleep while it cleans up. */
function unwound(
  co: Coroutine,
  step: IteratorResult<Rendez, unknown>,
): IteratorResult<Rendez, unknown> {
  let now = step;
  if (!co.unwinding && now.done !== true) {
    co.unwinding = true;
    now = co.task.throw(KILLED);
  }
  // return() would be wrong for the kernel's frames: if one of them slept while it cleaned up, the frames
  // around it would run on. A program's frames cannot sleep any more.
  return now.value === UNWOUND ? co.task.return(undefined) : now;
}

/** The timers that may be called now. Timers of one flow keep their order, so a flow has its first timer here. */
function firsts(due: readonly Timer[]): Timer[] {
  const flows = new Set<object>();
  return due.filter(({ flow }) => {
    if (flow === null) return true;
    const first = !flows.has(flow);
    flows.add(flow);
    return first;
  });
}

/** The class of NEXT. Its enqueue makes the program ready again at once. */
class Next extends Rendez {
  override get passing(): boolean {
    return true;
  }

  override enqueue(co: Coroutine): void {
    co.midway = true;
    co.sched.ready(co);
  }
}

/** Yielded by a generator program before a system call, so that an Explorer chooses which call is next. */
export const NEXT: Rendez = new Next("its turn");

/** The class of AGAIN. Its enqueue makes the coroutine ready again, behind the others. */
class Again extends Rendez {
  override get passing(): boolean {
    return true;
  }

  override enqueue(co: Coroutine): void {
    co.sched.again(co);
  }
}

/** Yielded to let other coroutines, and the host, run first. */
export const AGAIN: Rendez = new Again("its turn");

const OVER: IteratorResult<Rendez, unknown> = { done: true, value: undefined };
const resolved: Promise<void> = Promise.resolve();
