// What a fossil lives on: a file. A Disk is that file as the store uses it; filedisk makes one of an open
// descriptor, so a disk can be a file of the host, one in memory, or one of another server. A wstat that
// changes nothing is a sync: stat(5).
//
// Env is what the store needs of its process: threads, sleeping, and the time.

import { Eintr, Eio, PlanError, error } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { Answer } from "../9p/srv.ts";
import type { ThreadSys } from "../both.ts";

/** Places and lengths are bytes. */
export interface Disk {
  /** Fills buf from a place on; gives how many bytes there were. */
  read(buf: Uint8Array, at: number): Answer<number>;
  write(bytes: Uint8Array, at: number): Answer<void>;
  /** Comes back when all that was written before is safe. */
  sync(): Answer<void>;
  /** How long the file is. */
  length(): Answer<number>;
}

/** What goes on beside a request. */
export interface Env {
  /** Seconds since 1970, when the clock was last looked at. */
  now(): number;
  /** Looks at the clock. */
  tick(): Task<void>;
  /** Runs a Task in a thread of its own. */
  spawn(task: Task<void>): void;
  /** Sleeps until wakeup is called for this object. Fails when a Tflush ends that: "interrupted". */
  sleep(on: object): Task<void>;
  wakeup(on: object): Task<void>;
  /** Lets others have a turn. */
  pause(): Task<void>;
  /** Sleeps for so many milliseconds. */
  nap(ms: number): Task<void>;
}

/** The largest piece that one system call reads or writes. */
const PIECE = 1 << 20;

/** The disk that is the file behind a descriptor open for reading and writing. */
export function filedisk(sys: ThreadSys, fd: number): Disk {
  return {
    *read(buf, at): Task<number> {
      let n = 0;
      while (n < buf.length) {
        const got = yield* sys.pread(fd, buf.subarray(n, n + PIECE), at + n);
        if (got === 0) break;
        n += got;
      }
      return n;
    },
    *write(bytes, at): Task<void> {
      for (let n = 0; n < bytes.length;) {
        const took = yield* sys.pwrite(fd, bytes.subarray(n, n + PIECE), at + n);
        if (took === 0) error(Eio);
        n += took;
      }
    },
    *sync(): Task<void> {
      yield* sys.fwstat(fd, {});
    },
    *length(): Task<number> {
      return (yield* sys.fstat(fd)).length;
    },
  };
}

/** The Env of a serving process. now() is what `tick` last saw. */
export class Procenv implements Env {
  readonly #sys: ThreadSys;
  #now = 0;
  readonly #sleepers: Map<object, object[]> = new Map();

  constructor(sys: ThreadSys) {
    this.#sys = sys;
  }

  /** Looks at the clock. */
  *tick(): Task<void> {
    this.#now = Number((yield* this.#sys.nsec()) / 1_000_000_000n);
  }

  now(): number {
    return this.#now;
  }

  spawn(task: Task<void>): void {
    this.#sys.threadcreate(task);
  }

  *sleep(on: object): Task<void> {
    const tag = {};
    const tags = this.#sleepers.get(on) ?? [];
    this.#sleepers.set(on, tags);
    tags.push(tag);
    try {
      if ((yield* this.#sys.rendezvous(tag, true)) === undefined) error(Eintr);
    } finally {
      const at = tags.indexOf(tag);
      if (at >= 0) tags.splice(at, 1);
      if (tags.length === 0 && this.#sleepers.get(on) === tags) this.#sleepers.delete(on);
    }
  }

  *wakeup(on: object): Task<void> {
    const tags = this.#sleepers.get(on);
    if (tags === undefined) return;
    this.#sleepers.delete(on);
    // One that is interrupted takes its own tag out: each is taken only just before it is met.
    for (let tag = tags.shift(); tag !== undefined; tag = tags.shift())
      yield* this.#sys.rendezvous(tag, true);
  }

  *pause(): Task<void> {
    yield* this.#sys.sleep(0);
  }

  *nap(ms: number): Task<void> {
    yield* this.#sys.sleep(ms);
    yield* this.tick();
  }
}

/** Sleeps as env does, also through a Tflush: what was asked for is done, and so it is answered. */
export function* patiently(env: Env, on: object): Task<void> {
  try {
    yield* env.sleep(on);
  } catch (e) {
    if (!(e instanceof PlanError) || e.message !== Eintr) throw e;
  }
}

/** Begins a Task in a thread of its own, and gives the Task that waits for its end, also through a Tflush. */
export function beside<T>(env: Env, task: Task<T>): Task<T> {
  const end: { value?: T; failure?: unknown; over: boolean } = { over: false };
  env.spawn(
    (function* run(): Task<void> {
      try {
        end.value = yield* task;
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        end.failure = e;
      }
      end.over = true;
      yield* env.wakeup(end);
    })(),
  );
  return (function* wait(): Task<T> {
    while (!end.over) yield* patiently(env, end);
    if (end.failure !== undefined) throw end.failure;
    return end.value as T;
  })();
}

/** Whether a sleeper's condition holds is looked at again after each sleep. */
export class Lock {
  readonly #env: Env;
  #held = false;

  constructor(env: Env) {
    this.#env = env;
  }

  *lock(): Task<void> {
    while (this.#held) yield* this.#env.sleep(this);
    this.#held = true;
  }

  *unlock(): Task<void> {
    this.#held = false;
    yield* this.#env.wakeup(this);
  }
}
