// The files that the browser keeps, in the worker of the terminal: a fossil whose disk the page stores. The disk is
// in memory here; each write goes to the page as well, and a sync waits until the page has stored all before it. The
// page knows nothing of files: it stores bytes at places.

import type { Booted } from "../../kernel/boot.ts";
import { Efull, PlanError, error } from "../../kernel/abi/errors.ts";
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
import { Diskbytes, MOST } from "./diskbytes.ts";
import { KEPT } from "./store.ts";
import type { Machinesaid } from "./talk.ts";

/** How often a sync looks whether the page has stored everything (ms), and how often what was changed is stored. */
const LOOK = 5;
const EVERY = 500;

/** A disk in memory, which tells what is written. */
export class Keptdisk {
  readonly #say: (m: Machinesaid) => void;
  readonly #bytes: Diskbytes;
  #asked = 0;
  #stored = 0;

  constructor(bytes: Uint8Array, say: (m: Machinesaid) => void) {
    this.#bytes = new Diskbytes(bytes);
    this.#say = say;
  }

  /** The page has stored all that was written before this sync. */
  stored(n: number): void {
    this.#stored = Math.max(this.#stored, n);
  }

  /** The disk for a process that serves it. */
  disk(sys: ThreadSys): Disk {
    return {
      read: (buf, at) => this.#bytes.read(buf, at),
      write: (bytes, at) => this.#write(bytes, at),
      sync: () => this.#sync(sys),
      length: () => this.#bytes.length,
    };
  }

  #write(bytes: Uint8Array, at: number): void {
    if (!this.#bytes.write(bytes, at)) error(Efull);
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
