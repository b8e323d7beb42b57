// Chan and Path: a file in use and the name it was reached by.
//
// A Chan is reference counted, as in Plan 9: who stores one holds a reference, cclose gives it up, and
// the last one runs the device's close. Devices extend Chan with what they need (the mount driver: the
// connection and the fid). What a union adds while it is read is in Unionstate, so that plain files do
// not carry it.

import type { Dev } from "./dev.ts";
import type { Qid } from "./abi/dir.ts";
import { assert } from "./abi/errors.ts";
import { andthen, failafter, valueafter } from "./abi/answer.ts";
import { DONE, QLock, istask, waitfor } from "./proc/rendez.ts";
import type { Answer, Task } from "./proc/rendez.ts";
import type { Proc } from "./proc/proc.ts";
import type { Streams } from "./stream.ts";

// Chan.flag
export const COPEN = 0x0001;
export const CMSG = 0x0002; // a 9P connection runs over it
export const CCEXEC = 0x0008; // close on exec
export const CRCLOSE = 0x0020; // remove on close

/** A cleaned name: root is "/" or a device name such as "#s", below it the elements. */
export class Path {
  readonly root: string;
  readonly elems: readonly string[];

  constructor(root: string, elems: readonly string[]) {
    this.root = root;
    this.elems = elems;
  }

  /** As fd2path(2) shows it: "/tmp/f", "#s", "#|/data". */
  toString(): string {
    if (this.root === "/") return `/${this.elems.join("/")}`;
    return this.elems.length === 0 ? this.root : `${this.root}/${this.elems.join("/")}`;
  }

  /** The last element, which a Dir gets for a name: "" of "/" and "#/", "#s" of "#s". */
  get last(): string {
    return this.elems[this.elems.length - 1] ?? this.root.slice(this.root.lastIndexOf("/") + 1);
  }

  add(elem: string): Path {
    return new Path(this.root, [...this.elems, elem]);
  }
}

export const ROOTPATH: Path = new Path("/", []);
const NOPATH: Path = new Path("#", []);

/** What the reading of a union directory remembers (Plan 9's umh, umc, uri). */
export interface Unionstate {
  /** The members now, in order: read again at each step, so an unmount ends the reading. */
  members(): readonly Chan[];
  /** Index of the member being read. */
  uri: number;
  /** That member, open. */
  umc: Chan | null;
}

/**
 * The name space `standard`: at element number `depth` of a Chan's path (0 is the root) a mount point was
 * crossed, and `from` is the file that it covers; ".." comes back to it.
 */
export type Mtpt = { readonly depth: number; readonly from: Chan };

/** Counts the Chans of one kernel and numbers them, so that audit() can list what is alive. */
export class Chans {
  #first: Chan | null = null;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  link(c: Chan): void {
    c.allnext = this.#first;
    if (this.#first !== null) this.#first.allprev = c;
    this.#first = c;
    this.#count++;
  }

  unlink(c: Chan): void {
    if (c.allprev === null) this.#first = c.allnext;
    else c.allprev.allnext = c.allnext;
    if (c.allnext !== null) c.allnext.allprev = c.allprev;
    c.allnext = c.allprev = null;
    this.#count--;
  }

  *[Symbol.iterator](): Generator<Chan, void, void> {
    for (let c = this.#first; c !== null; c = c.allnext) yield c;
  }
}

/**
 * Which calls on a Chan run in the order made: those that use its offset and the reads of its streams, or
 * the writes of a Chan whose offset means nothing.
 */
export type Order = "offset" | "write";

/** A file in use. `devno` tells apart what one device serves several times (two pipes, two mounts). */
export class Chan {
  ref = 1;
  readonly dev: Dev;
  readonly devno: number;
  qid: Qid;
  /** OREAD, OWRITE, ORDWR or OEXEC, once it is open. */
  mode = 0;
  flag = 0;
  /** Where the next read or write of the descriptor starts. */
  offset = 0;
  /** Directories: the device's own offset, which differs from `offset` when mountfix changed entries. */
  devoffset = 0;
  /** Directories of kernel devices: index of the next entry. */
  dri = 0;
  iounit = 0;
  path: Path = NOPATH;
  /** It was reached as a mount point: it can be neither removed nor renamed. */
  ismtpt = false;
  union: Unionstate | null = null;
  /** Its path's mount points; it holds a reference to each covered Chan. */
  mtpt: readonly Mtpt[] | null = null;
  /** Directory entries that mountfix could not fit into the last buffer. */
  rock: Uint8Array | null = null;
  /** A mounted Chan: the Chan to its server. */
  mchan: Chan | null = null;
  /** The connection that speaks 9P over this Chan, or the beginning of one; it ends with it. */
  mux: { close(): Task<void> } | null = null;
  /** What is read ahead or not yet answered for: stream(fd), OSTREAM. */
  streams: Streams | null = null;
  /** Its walk was put off, and goes with the operation that needs it: a Chan of the device λ. */
  readonly islater: boolean = false;
  /** Made at boot, and alive as long as the kernel: no leak. */
  boot = false;
  allnext: Chan | null = null;
  allprev: Chan | null = null;
  // Plain fields and not private ones: Chans are made for every name, and V8 defines private fields slowly.
  private rq: QLock | null = null;
  private wq: QLock | null = null;

  constructor(dev: Dev, qid: Qid, devno = 0) {
    this.dev = dev;
    this.qid = qid;
    this.devno = devno;
    dev.chans.link(this);
  }

  /** The lock of an order; it is made when a call first has to wait while it holds the place. */
  lock(order: Order): QLock {
    if (order === "offset") return (this.rq ??= new QLock("read in order"));
    return (this.wq ??= new QLock("write in order"));
  }

  /** Whether a call holds its place in this order. */
  held(order: Order): boolean {
    const q = order === "offset" ? this.rq : this.wq;
    return q !== null && q.held;
  }

  /** Another reference to the same Chan. */
  incref(): this {
    this.ref++;
    return this;
  }
}

/**
 * Gives up a reference; the last one closes the file at its device. Where that needs no waiting, all is
 * done when this returns. Devices fail here only for what was written and not yet answered for (a stream):
 * close(2) reports that.
 */
export function cclose(c: Chan): Task<void> {
  return c.union === null && c.mtpt === null ? closeone(c) : ccloseall([c]);
}

/** cclose, but for the Chans that this one holds. */
function closeone(c: Chan): Task<void> {
  assert(c.ref > 0, "cclose of a closed Chan");
  if (c.ref > 1) {
    c.ref--;
    return DONE;
  }
  c.ref = 0;
  if (c.streams !== null || c.mux !== null) return closebusy(c);
  let a: Answer<void>;
  try {
    a = c.dev.close(c);
  } catch (e) {
    // A close that fails has ended the Chan all the same.
    chandrop(c);
    throw e;
  }
  if (istask(a)) return closing(c, a);
  chandrop(c);
  return DONE;
}

function* closing(c: Chan, a: Task<void>): Task<void> {
  try {
    yield* a;
  } finally {
    chandrop(c);
  }
}

/** closeone of a Chan with streams, or with a connection. */
function* closebusy(c: Chan): Task<void> {
  try {
    try {
      if (c.streams !== null) yield* closestreams(c, c.streams);
    } finally {
      if (c.mux !== null) yield* c.mux.close();
      yield* waitfor(c.dev.close(c));
    }
  } finally {
    chandrop(c);
  }
}

/** Takes a Chan out of the account: it was closed, or made and never used. */
export function chandrop(c: Chan): void {
  c.ref = 0;
  c.dev.chans.unlink(c);
}

/** What a closed Chan holds of the name space: the member of a union that was read, the mount points. */
function mountsof(c: Chan): Chan[] {
  const held = c.mtpt?.map((m) => m.from) ?? [];
  const umc = c.union?.umc ?? null;
  return umc === null ? held : [umc, ...held];
}

/**
 * Gives up references in this order, all of them, also when one close fails; the first failure is thrown at the
 * end. A list and a chain of mount points are as long as programs make them, so a loop follows both: what a
 * closed Chan holds comes next on the list.
 */
export function* ccloseall(list: readonly Chan[]): Task<void> {
  const left = list.toReversed();
  let failure: { readonly e: unknown } | null = null;
  for (let c = left.pop(); c !== undefined; c = left.pop()) {
    if (c.ref > 1) {
      c.ref--;
      continue;
    }
    try {
      yield* closeone(c);
    } catch (e) {
      failure ??= { e };
    }
    if (c.union === null && c.mtpt === null) continue;
    for (const held of mountsof(c).toReversed()) left.push(held);
  }
  if (failure !== null) throw failure.e;
}

/** What a call does with a Chan, and the order in which such calls run; null: all at once. */
export type Turn<A, T> = {
  readonly order: Order | null;
  readonly fn: (up: Proc, c: Chan, a: A, b: number) => Answer<T>;
};

/** ordered, for the calls that are made most: a read or write needs no closure where it need not wait. */
export function inturn<A, T>(t: Turn<A, T>, up: Proc, c: Chan, a: A, b: number): Answer<T> {
  if (t.order !== null && c.held(t.order)) return waitingturn(t, up, c, a, b);
  c.ref++;
  let value: Answer<T>;
  try {
    value = t.fn(up, c, a, b);
  } catch (e) {
    return failafter(cclose(c), e);
  }
  return ending(c, t.order, value);
}

function waitingturn<A, T>(t: Turn<A, T>, up: Proc, c: Chan, a: A, b: number): Answer<T> {
  return ordered(c, t.order, () => t.fn(up, c, a, b));
}

/**
 * Runs fn while it holds c, and its place in the order, for which it may wait. A call that needs no waiting
 * takes no lock: nothing runs beside it.
 */
export function ordered<T>(c: Chan, order: Order | null, fn: () => Answer<T>): Answer<T> {
  c.ref++;
  if (order !== null && c.held(order)) return queued(c, c.lock(order), fn);
  let a: Answer<T>;
  try {
    a = fn();
  } catch (e) {
    return failafter(cclose(c), e);
  }
  return ending(c, order, a);
}

/** The end of a call that holds c: c is closed behind it. A call that sleeps takes its place in the order meanwhile. */
function ending<T>(c: Chan, order: Order | null, a: Answer<T>): Answer<T> {
  if (istask(a)) return going(c, order, a);
  const closing = cclose(c);
  return istask(closing) ? valueafter(closing, a) : a;
}

function* queued<T>(c: Chan, q: QLock, fn: () => Answer<T>): Task<T> {
  try {
    yield* q.lock();
    try {
      return yield* waitfor(fn());
    } finally {
      q.unlock();
    }
  } finally {
    yield* cclose(c);
  }
}

function* going<T>(c: Chan, order: Order | null, a: Task<T>): Task<T> {
  const q = order === null ? null : c.lock(order);
  const first = q === null || q.canlock();
  assert(first, "the order of a Chan was taken meanwhile");
  try {
    return yield* a;
  } finally {
    q?.unlock();
    yield* cclose(c);
  }
}

/** Runs fn, whose result holds c for the caller; c is closed when fn fails, or when its process is killed. */
export function owning<T>(c: Chan, fn: () => Answer<T>): Answer<T> {
  let a: Answer<T>;
  try {
    a = fn();
  } catch (e) {
    return failafter(cclose(c), e);
  }
  return istask(a) ? owned(c, a) : a;
}

function* owned<T>(c: Chan, a: Task<T>): Task<T> {
  let done = false;
  try {
    const value = yield* a;
    done = true;
    return value;
  } finally {
    if (!done) yield* cclose(c);
  }
}

/** c, once old is given up. */
export function instead(c: Chan, old: Chan): Answer<Chan> {
  return andthen(
    owning(c, () => cclose(old)),
    () => c,
  );
}

/** The end of a Chan's streams; what was written and failed is thrown. */
function* closestreams(c: Chan, s: Streams): Task<void> {
  s.r?.end();
  try {
    if (s.w !== null) yield* s.w.finish();
  } finally {
    c.streams = null;
  }
}

/** The same file, by device, instance and qid path: Plan 9's eqchan, versions left aside. */
export function eqchan(a: Chan, b: Chan): boolean {
  return a.dev === b.dev && a.devno === b.devno && a.qid.path === b.qid.path;
}
