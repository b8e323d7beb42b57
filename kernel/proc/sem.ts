// Semaphores (semacquire(2)): a word of memory that processes share, and the processes that sleep until the word is
// more than 0. The word belongs to the program, which may change it without a system call. So the kernel keeps only
// the sleepers, in a list for each word; it keeps nothing for a word on which no process sleeps.

import type { Timer } from "./clock.ts";
import { Ebadarg, error } from "../abi/errors.ts";
import { Rendez } from "./rendez.ts";
import type { Task } from "./rendez.ts";
import type { Sched } from "./sched.ts";

const MAXVALUE = 0x7fffffff;

type Sleeper = { readonly r: Rendez; acquired: boolean };
type Memory = ArrayBufferLike;

/** The semaphores of one kernel that coroutines sleep on. */
export class Sems {
  readonly #sched: Sched;
  /** By memory and offset in it, in the order they came. */
  readonly #words: Map<Memory, Map<number, Set<Sleeper>>> = new Map();

  constructor(sched: Sched) {
    this.#sched = sched;
  }

  /** How many words coroutines sleep on. */
  get size(): number {
    let n = 0;
    for (const words of this.#words.values()) n += words.size;
    return n;
  }

  /** Takes one off the word, when that is more than 0; else false. */
  take(sem: Int32Array): boolean {
    const value = valueof(sem);
    if (value === 0) return false;
    sem[0] = value - 1;
    return true;
  }

  /** Sleeps until there is one to take, for ns at most; false when that time is over. */
  *acquire(sem: Int32Array, ns: number): Task<boolean> {
    const me: Sleeper = { r: new Rendez("semacquire"), acquired: false };
    const { buffer, byteOffset } = sem;
    this.#enter(buffer, byteOffset, me);
    let timer: Timer | null = null;
    if (ns !== Infinity) timer = this.#sched.timer(ns, () => me.r.wakeup());
    try {
      yield me.r;
      return me.acquired;
    } finally {
      if (timer !== null) this.#sched.cancel(timer);
      this.#leave(buffer, byteOffset, me);
    }
  }

  /** Adds count to the word, which the sleepers then have first; gives what it was with that. */
  release(sem: Int32Array, count: number): number {
    const value = valueof(sem) + count;
    if (count < 0 || value > MAXVALUE) error(Ebadarg);
    sem[0] = value;
    const sleepers = this.#words.get(sem.buffer)?.get(sem.byteOffset) ?? [];
    for (const s of sleepers) {
      // Who was interrupted or is out of time has left already, though it did not run since.
      if (s.acquired || s.r.empty) continue;
      if (!this.take(sem)) break;
      s.acquired = true;
      s.r.wakeup();
    }
    return value;
  }

  #enter(memory: Memory, offset: number, me: Sleeper): void {
    const words = this.#words.get(memory) ?? new Map<number, Set<Sleeper>>();
    this.#words.set(memory, words);
    const sleepers = words.get(offset) ?? new Set();
    words.set(offset, sleepers.add(me));
  }

  #leave(memory: Memory, offset: number, me: Sleeper): void {
    const words = this.#words.get(memory);
    const sleepers = words?.get(offset);
    sleepers?.delete(me);
    if (sleepers?.size === 0) words?.delete(offset);
    if (words?.size === 0) this.#words.delete(memory);
  }
}

/** The value of the word; no semaphore is less than 0. */
function valueof(sem: Int32Array): number {
  const value = sem[0] ?? -1;
  return value < 0 ? error(Ebadarg) : value;
}
