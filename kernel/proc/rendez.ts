// Rendez, a place to sleep, and the lock that is made of it (QLock), granted in the order asked.
// Nothing else in the kernel waits: a coroutine sleeps by yielding the Rendez it sleeps on (sched.ts).
// Because only one coroutine runs at a time, testing a condition and then yielding needs no lock; but
// whatever was read before the yield must be read again after it.

import { istask } from "../abi/answer.ts";
import type { Coroutine } from "./sched.ts";

export { DONE, istask } from "../abi/answer.ts";

/** Kernel code that may wait: call it with `yield*`. What it yields is what it sleeps on. */
export type Task<T> = Generator<Rendez, T, void>;

/** What an operation gives that waits only where it must: the value, or a Task that comes to it. */
export type Answer<T> = T | Task<T>;

/** The value of an answer, waited for where that is needed. */
export function* waitfor<T>(a: Answer<T>): Task<T> {
  return istask(a) ? yield* a : a;
}

/** What a call sleeps for while a server has its request. */
export const REPLY = "9P reply";
/** Sleeps that the trace does not tell: a message says it already, or the coroutine ends there. */
export const UNTOLD: ReadonlySet<string> = new Set([REPLY, "exits", "exec"]);

/** A place to sleep. Sleepers are woken in the order they came. */
export class Rendez {
  /** What its sleepers wait for, as /proc/n/status and a panic's dump show it. */
  readonly what: string;
  // Plain fields and not private ones: a Rendez is made for most sleeps, and V8 defines private fields slowly.
  private head: Coroutine | null = null;
  private tail: Coroutine | null = null;

  constructor(what: string) {
    this.what = what;
  }

  get empty(): boolean {
    return this.head === null;
  }

  /** No sleep but a turn for others (AGAIN): the call that yields it is done, so an interrupt may not throw there. */
  get passing(): boolean {
    return false;
  }

  /** The scheduler's half of `yield r`. */
  enqueue(co: Coroutine): void {
    co.on = this;
    co.qprev = this.tail;
    co.qnext = null;
    if (this.tail === null) this.head = co;
    else this.tail.qnext = co;
    this.tail = co;
  }

  /** Takes one sleeper out, without making it ready: an interrupt does that. */
  remove(co: Coroutine): void {
    if (co.qprev === null) this.head = co.qnext;
    else co.qprev.qnext = co.qnext;
    if (co.qnext === null) this.tail = co.qprev;
    else co.qnext.qprev = co.qprev;
    co.qprev = co.qnext = null;
    co.on = null;
  }

  /** Makes the first sleeper ready; says whether there was one. */
  wakeup(): boolean {
    const co = this.head;
    if (co === null) return false;
    this.remove(co);
    co.sched.ready(co);
    return true;
  }

  wakeupall(): void {
    while (this.wakeup());
  }
}

/**
 * A lock held across waits, granted in the order asked. A coroutine that is interrupted while it
 * queues never holds it; one that was handed the lock runs on to its next sleep, whatever happens
 * to it meanwhile (sched.ts, invariant 3).
 */
export class QLock extends Rendez {
  private taken = false;

  get held(): boolean {
    return this.taken;
  }

  /** Takes the lock if that needs no waiting: the cheap way in, before `yield* lock()`. */
  canlock(): boolean {
    if (this.taken) return false;
    this.taken = true;
    return true;
  }

  *lock(): Task<void> {
    if (!this.canlock()) yield this; // unlock hands it over: it stays taken
  }

  unlock(): void {
    if (!this.wakeup()) this.taken = false;
  }
}
