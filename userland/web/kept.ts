// The files that the browser keeps, in the worker of the terminal: a fossil whose disk the page stores. The disk is
// in memory here; each write goes to the page as well, and a sync waits until the page has stored all before it. The
// page knows nothing of files: it stores bytes at places.

import type { Booted } from "../../kernel/boot.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { postmount } from "../lib/9p.ts";
import type { Anysrv } from "../lib/9p.ts";
import type { ThreadSys } from "../lib/both.ts";
import type { Disk } from "../lib/fossil/disk.ts";
import { Procenv } from "../lib/fossil/disk.ts";
import { openfossil } from "../lib/fossil/fossil.ts";
import { plainhash } from "../lib/fossil/hash.ts";
import type { Exit } from "../../syscalls/sys.ts";
import { KEPT, MOST } from "./store.ts";
import type { Machinesaid } from "./talk.ts";

/** How often a sync looks whether the page has stored everything (ms), and how often what was changed is stored. */
const LOOK = 5;
const EVERY = 500;

/** A disk in memory, which tells what is written. */
export class Keptdisk {
  readonly #say: (m: Machinesaid) => void;
  #bytes: Uint8Array;
  #length: number;
  #asked = 0;
  #stored = 0;

  constructor(bytes: Uint8Array, say: (m: Machinesaid) => void) {
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#say = say;
  }

  /** The page has stored all that was written before this sync. */
  stored(n: number): void {
    this.#stored = Math.max(this.#stored, n);
  }

  /** The disk for a process that serves it. */
  disk(sys: ThreadSys): Disk {
    return {
      read: (buf, at) => this.#read(buf, at),
      write: (bytes, at) => this.#write(bytes, at),
      sync: () => this.#sync(sys),
      length: () => this.#length,
    };
  }

  #read(buf: Uint8Array, at: number): number {
    const some = this.#bytes.subarray(at, Math.min(this.#length, at + buf.length));
    buf.set(some);
    return some.length;
  }

  #write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes.set(bytes, at);
    this.#length = Math.max(this.#length, end);
    this.#say({ kind: "block", at, bytes: bytes.slice() });
  }

  *#sync(sys: ThreadSys): Task<void> {
    const n = ++this.#asked;
    this.#say({ kind: "sync", n });
    while (this.#stored < n) yield* sys.sleep(LOOK);
  }
}

/** A process whose name space has the kept files, made like another one; null where they cannot be had. */
export async function withkept(
  kernel: Booted,
  kept: Keptdisk,
  like: Process | null,
): Promise<Process | null> {
  let done: (mounted: boolean) => void = () => undefined;
  const ready = new Promise<boolean>((resolve) => (done = resolve));
  function* make(its: ThreadSys): Task<Anysrv> {
    const env = new Procenv(its);
    yield* env.tick();
    const opts = { hash: plainhash, user: kernel.user, size: MOST, every: EVERY };
    const { srv } = yield* openfossil(kept.disk(its), env, opts);
    srv.turn = () => env.tick();
    return srv as Anysrv;
  }
  const main = function* (sys: ThreadSys): Task<Exit> {
    try {
      yield* postmount(sys, make, { mtpt: KEPT });
      done(true);
      // It stays until the shell has its name space.
      yield* sys.rendezvous(ready, null);
      return "";
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return e.message;
    }
  };
  const opts = { tty: kernel.config.tty, image: "native" as const, ...(like !== null && { like }) };
  const p = kernel.spawn(main, ["keep"], opts);
  const mounted = await Promise.race([ready, p.wait().then(() => false)]);
  return mounted ? p : null;
}
