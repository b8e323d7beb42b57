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
import { DONE, Rendez, istask, waitfor } from "./proc/rendez.ts";
import type { Answer, Task } from "./proc/rendez.ts";
import type { Proc } from "./proc/proc.ts";
import type { Streams } from "./stream.ts";

// Chan.flag
export const COPEN = 0x0001;
export const CMSG = 0x0002; // a 9P connection runs over it
export const CCEXEC = 0x0008; // close on exec
export const CRCLOSE = 0x0020; // remove on close
export const CBOOT = 0x0100; // made at boot, and alive as long as the kernel: no leak
export const CMTPT = 0x0200; // reached as a mount point: it can be neither removed nor renamed
export const CLATER = 0x0400; // its walk was put off, and goes with the operation that needs it: a Chan of device λ

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

/** Counts the Chans of one kernel, so that audit() can list what is alive. */
export class Chans {
  /** Each Chan has its index in its slot. */
  readonly #list: Chan[] = [];

  get count(): number {
    return this.#list.length;
  }

  /** Gives a new Chan its slot. */
  link(c: Chan): number {
    return this.#list.push(c) - 1;
  }

  unlink(c: Chan): void {
    const last = this.#list.pop();
    if (last === undefined || last === c) return;
    this.#list[c.slot] = last;
    last.slot = c.slot;
  }

  /** The newest first, as long as Chans are closed in the order made, or in the opposite one. */
  *[Symbol.iterator](): Generator<Chan, void, void> {
    for (let i = this.#list.length - 1; i >= 0; i--) {
      const c = this.#list[i];
      if (c !== undefined) yield c;
    }
  }
}

// Which calls on a Chan run in the order made. The bit of such an order is in Chan.flag while one of them sleeps.

/** The calls that use the Chan's offset, and the reads of its streams. */
export const COFFSET = 0x1000;
/** The writes of a Chan whose offset means nothing. */
export const CWRITE = 0x2000;
export type Order = typeof COFFSET | typeof CWRITE;

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
  /** Its place in Chans. */
  slot: number;
  /** Where calls wait for their place in an order, made for the first that has to wait. */
  queues: { readonly [K in Order]: Rendez } | null = null;

  constructor(dev: Dev, qid: Qid, devno = 0) {
    this.dev = dev;
    this.qid = qid;
    this.devno = devno;
    this.slot = dev.chans.link(this);
  }

  /** Another reference to the same Chan. */
  incref(): this {
    this.ref++;
    return this;
  }
}

/** Takes a place in an order of c: at once, or behind the calls that have it or wait for it. */
export function* enter(c: Chan, order: Order): Task<void> {
  if ((c.flag & order) === 0) {
    c.flag |= order;
    return;
  }
  c.queues ??= { [COFFSET]: new Rendez("read in order"), [CWRITE]: new Rendez("write in order") };
  // leave() hands the place over, so the bit stays.
  yield c.queues[order];
}

/** Gives the place in an order to the first that waits for it. */
export function leave(c: Chan, order: Order): void {
  if (c.queues === null || !c.queues[order].wakeup()) c.flag &= ~order;
}

/**
 * Gives up a reference; the last one closes the file at its device. Where that needs no waiting, all is
 * done when this returns. Devices fail here only for what was written and not yet answered for (a stream):
 * close(2) reports that.
 */
export function cclose(c: Chan): Task<void> {
  if (c.ref !== 1) {
    assert(c.ref > 1, "cclose of a closed Chan");
    c.ref--;
    return DONE;
  }
  if (c.union !== null || c.mtpt !== null) return ccloseall([c]);
  c.ref = 0;
  if (c.streams !== null || c.mux !== null) return closebusy(c);
  let a: Answer<void>;
  try {
    a = c.dev.close(c);
  } catch (e) {
    // A close that fails has ended the Chan all the same.
    c.dev.chans.unlink(c);
    throw e;
  }
  if (istask(a)) return closing(c, a);
  c.dev.chans.unlink(c);
  return DONE;
}

function* closing(c: Chan, a: Task<void>): Task<void> {
  try {
    yield* a;
  } finally {
    c.dev.chans.unlink(c);
  }
}

/** cclose of a Chan with streams, or with a connection. */
function* closebusy(c: Chan): Task<void> {
  try {
    try {
      if (c.streams !== null) yield* closestreams(c, c.streams);
    } finally {
      if (c.mux !== null) yield* c.mux.close();
      yield* waitfor(c.dev.close(c));
    }
  } finally {
    c.dev.chans.unlink(c);
  }
}

/** Takes a Chan that was made and never used out of the account. */
export function chandrop(c: Chan): void {
  c.ref = 0;
  c.dev.chans.unlink(c);
}

/** Takes what a Chan holds of the name space: the member of a union that was read, the mount points. */
function takemounts(c: Chan): Chan[] {
  const held = c.mtpt?.map((m) => m.from) ?? [];
  const umc = c.union?.umc ?? null;
  c.mtpt = c.union = null;
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
    const held = takemounts(c);
    try {
      yield* cclose(c);
    } catch (e) {
      failure ??= { e };
    }
    for (const h of held.toReversed()) left.push(h);
  }
  if (failure !== null) throw failure.e;
}

/** What a call does with a Chan, and the order in which such calls run; 0: all at once. */
export type Turn<A, T> = {
  readonly order: Order | 0;
  readonly fn: (up: Proc, c: Chan, a: A, b: number) => Answer<T>;
};

/** ordered, for the calls that are made most: a read or write needs no closure where it need not wait. */
export function inturn<A, T>(t: Turn<A, T>, up: Proc, c: Chan, a: A, b: number): Answer<T> {
  if ((c.flag & t.order) !== 0) return waitingturn(t, up, c, a, b);
  c.ref++;
  let value: Answer<T>;
  try {
    value = t.fn(up, c, a, b);
  } catch (e) {
    return failafter(cclose(c), e);
  }
  return istask(value) ? going(c, t.order, value) : ended(c, value);
}

function waitingturn<A, T>(t: Turn<A, T>, up: Proc, c: Chan, a: A, b: number): Answer<T> {
  return ordered(c, t.order, () => t.fn(up, c, a, b));
}

/**
 * Runs fn while it holds c, and its place in the order, for which it may wait. A call that needs no waiting
 * takes no place: nothing runs beside it.
 */
export function ordered<T>(c: Chan, order: Order | 0, fn: () => Answer<T>): Answer<T> {
  c.ref++;
  if (order !== 0 && (c.flag & order) !== 0) return queued(c, order, fn);
  let value: Answer<T>;
  try {
    value = fn();
  } catch (e) {
    return failafter(cclose(c), e);
  }
  return istask(value) ? going(c, order, value) : ended(c, value);
}

/** The end of a call that held c and did not sleep. */
function ended<T>(c: Chan, value: T): Answer<T> {
  const t = cclose(c);
  return istask(t) ? valueafter(t, value) : value;
}

function* queued<T>(c: Chan, order: Order, fn: () => Answer<T>): Task<T> {
  try {
    yield* enter(c, order);
    try {
      return yield* waitfor(fn());
    } finally {
      leave(c, order);
    }
  } finally {
    yield* cclose(c);
  }
}

/** The rest of a call that sleeps: it has its place in the order meanwhile. */
function* going<T>(c: Chan, order: Order | 0, a: Task<T>): Task<T> {
  assert((c.flag & order) === 0, "the order of a Chan was taken meanwhile");
  c.flag |= order;
  try {
    return yield* a;
  } finally {
    if (order !== 0) leave(c, order);
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
