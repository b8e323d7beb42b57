// The calls that device fs makes of the host for one tree. While the tree's disk is quick they are made at
// once: a thread of the host's costs more than the call. A call that took longer than SLOW says that the disk
// is not; then the calls go to the host's threads for a while, and only those who ask that tree wait.

import { closeSync, open, openSync } from "node:fs";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Sched } from "../../kernel/proc/sched.ts";
import { hostcall, hostsync } from "./host-node.ts";
import type { Callback } from "./host-node.ts";

/** Milliseconds after which a call was slow, and for which the tree then is. */
const SLOW = 1;
const AWHILE = 100;

/** A path as Node takes it. */
export type Hostpath = string | Buffer;

export class Calls {
  readonly #sched: Sched;
  readonly #now: () => number;
  #until = 0;

  /** now gives milliseconds. */
  constructor(sched: Sched, now: () => number) {
    this.#sched = sched;
    this.#now = now;
  }

  /** Calls go to the host's threads. */
  get slow(): boolean {
    if (this.#until === 0) return false;
    if (this.#now() < this.#until) return true;
    this.#until = 0;
    return false;
  }

  /** Makes a call at once. */
  now<T>(fn: () => T): T {
    const began = this.#now();
    try {
      return hostsync(fn);
    } finally {
      const over = this.#now();
      if (over - began > SLOW) this.#until = over + AWHILE;
    }
  }

  /** Makes a call: at once, or in the host's threads. */
  *call<T>(now: () => T, later: (done: Callback<T>) => void): Task<T> {
    return this.slow ? yield* hostcall(this.#sched, "host", later) : this.now(now);
  }

  /** Opens a file. A descriptor that comes for a caller who was killed is closed. */
  *open(path: Hostpath, flags: number, mode?: number): Task<number> {
    if (!this.slow) return this.now(() => openSync(path, flags, mode));
    let fd = -1;
    let given = false;
    try {
      yield* hostcall<number>(this.#sched, "host open", (done) =>
        open(path, flags, mode, (e, n) => {
          if (e === null) fd = n;
          done(e, n);
        }),
      );
      given = true;
      return fd;
    } finally {
      if (!given && fd >= 0) closeSync(fd);
    }
  }
}
