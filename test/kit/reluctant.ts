// A server for tests that does nothing at once: each callback may wait, fail, or be plain, as chance says.
// It hands out a handle for each open and keeps count, so that a test sees a handle closed twice or never.

import { DMDIR, QTDIR } from "../../kernel/abi/const.ts";
import type { Dir, Qid } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { Answer, Fid, Srv } from "../../userland/lib/9p.ts";
import { type Chance, Gate, type Rig } from "./rig.ts";

/** A file of the server as a fid sees it; `handle` is that of its open, 0 for none. */
export type File = { readonly name: string; readonly handle: number };

const DIRS: readonly string[] = ["/", "d"];

const qid = (f: File): Qid => ({
  path: BigInt(f.name.length),
  vers: 0,
  type: DIRS.includes(f.name) ? QTDIR : 0,
});

function stat(f: File): Dir {
  const mode = DIRS.includes(f.name) ? (DMDIR | 0o777) >>> 0 : 0o666;
  const who = { uid: "glenda", gid: "glenda", muid: "glenda" };
  return {
    type: 0,
    dev: 0,
    qid: qid(f),
    mode,
    atime: 0,
    mtime: 0,
    length: 9,
    name: f.name,
    ...who,
  };
}

/** The server: `wrong` lists what must never happen. */
export class Reluctant implements Srv<File> {
  readonly gates: Gate[] = [];
  readonly wrong: string[] = [];
  /** Fids that were ended, handles that are open, and handles that were ever given out. */
  readonly ended: Set<Fid<File>> = new Set();
  readonly open_: Set<number> = new Set();
  /** Callbacks under way of each fid. */
  readonly working: Map<Fid<File>, number> = new Map();
  handles = 0;
  /** One callback in so many throws what is no PlanError; 0 for none. */
  faults = 0;
  readonly #rig: Rig;
  readonly #pick: Chance;

  constructor(rig: Rig, pick: Chance) {
    this.#rig = rig;
    this.#pick = pick;
  }

  /** fn now, or in a while, or never. */
  #sometime<T>(fid: Fid<File> | null, fn: () => T): Answer<T> {
    if (fid !== null && this.ended.has(fid)) this.wrong.push("a fid is used after its end");
    const how = this.#pick(8);
    if (this.faults > 0 && this.#pick(this.faults) === 0) throw new Error("a fault of the server");
    if (how === 0) throw new PlanError("i/o error");
    if (how < 3) return fn();
    return fid === null ? this.#slow(fn, how) : this.#counted(fid, this.#slow(fn, how));
  }

  *#counted<T>(fid: Fid<File>, task: Task<T>): Task<T> {
    const count = (n: number): void => {
      this.working.set(fid, (this.working.get(fid) ?? 0) + n);
    };
    count(1);
    try {
      return yield* task;
    } finally {
      count(-1);
    }
  }

  *#slow<T>(fn: () => T, how: number): Task<T> {
    for (let n = 1 + this.#pick(3); n > 0; n--) {
      const gate = new Gate();
      this.gates.push(gate);
      try {
        yield* this.#rig.sleep(gate);
      } catch (e) {
        // One in three goes on although it was interrupted.
        if (how < 6) throw e;
      }
    }
    if (how === 3) throw new PlanError("i/o error");
    return fn();
  }

  #newhandle(): number {
    this.open_.add(++this.handles);
    return this.handles;
  }

  attach(): Answer<File> {
    return this.#sometime(null, () => ({ name: "/", handle: 0 }));
  }

  qid(f: File): Qid {
    return qid(f);
  }

  stat(fid: Fid<File>): Answer<Dir> {
    return this.#sometime(fid, () => stat(fid.aux));
  }

  walk1(_dir: File, name: string, fid: Fid<File>): Answer<File | null> {
    return this.#sometime(fid, () => (name === "nope" ? null : { name, handle: 0 }));
  }

  open(fid: Fid<File>): Answer<void> {
    return this.#sometime(fid, () => {
      fid.aux = { ...fid.aux, handle: this.#newhandle() };
    });
  }

  create(fid: Fid<File>, name: string): Answer<File> {
    return this.#sometime(fid, () => ({ name, handle: this.#newhandle() }));
  }

  read(fid: Fid<File>, count: number): Answer<Uint8Array> {
    return this.#sometime(fid, () => {
      if (!this.open_.has(fid.aux.handle)) this.wrong.push("a read of a handle that is not open");
      return new Uint8Array(Math.min(count, 100));
    });
  }

  *entries(): Generator<Dir, void, void> {
    yield stat({ name: "f", handle: 0 });
  }

  write(fid: Fid<File>, data: Uint8Array): Answer<number> {
    return this.#sometime(fid, () => data.length);
  }

  wstat(fid: Fid<File>): Answer<void> {
    return this.#sometime(fid, () => undefined);
  }

  remove(fid: Fid<File>): Answer<void> {
    return this.#sometime(fid, () => undefined);
  }

  clunk(fid: Fid<File>): Answer<void> {
    if (this.ended.has(fid)) this.wrong.push(`fid ${fid.fid} ended twice`);
    if ((this.working.get(fid) ?? 0) > 0) this.wrong.push(`fid ${fid.fid} ended while it was used`);
    this.ended.add(fid);
    const { handle } = fid.aux;
    if (handle > 0 && !this.open_.delete(handle)) this.wrong.push(`handle ${handle} closed twice`);
    return this.#sometime(null, () => undefined);
  }

  /** Lets up to n of the callbacks that wait go on, whichever chance says. */
  pass(n: number): void {
    for (; n > 0 && this.gates.length > 0; n--) {
      const [gate] = this.gates.splice(this.#pick(this.gates.length), 1);
      if (gate !== undefined) this.#rig.open(gate);
    }
  }
}
