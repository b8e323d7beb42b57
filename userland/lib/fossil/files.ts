// Files and directories in the tree: looking up, making, removing, changing, reading and writing. A file is
// known by two numbers, its directory's and its own. A rename changes neither, so an open fid keeps its file.
//
// What is written to a file is in memory first, in pieces of 64 KiB; short files are in their entries. flush
// writes the pieces, each to a new place, and puts their pointers into the tree. A client that writes faster than
// the disk waits. A commit makes everything safe.

import { DMAPPEND, DMDIR } from "../../../kernel/abi/const.ts";
import {
  Eexist,
  Efileexists,
  Efull,
  Enonexist,
  Enotempty,
  PlanError,
  error,
} from "../../../kernel/abi/errors.ts";
import { utfencode } from "../../../kernel/abi/utf.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { istask } from "../9p/answer.ts";
import type { Answer } from "../9p/srv.ts";
import { Lock, beside, patiently } from "./disk.ts";
import {
  DSIZE,
  type Entry,
  INLINE,
  KDATA,
  KENTRY,
  KNAME,
  KORPHAN,
  type Ptr,
  key1,
} from "./format.ts";
import type { Kid } from "./node.ts";
import { type Pending, type Store, quietly } from "./store.ts";

/** The number of the root, which is the only file of directory 0. */
export const ROOTID = 1;
/** Pieces of removed or shortened files that a step takes out of the tree, before other threads have their turn. */
const REAP = 512;
/** Pieces that a file loses at once when it becomes shorter; more go in steps. */
const FAR = 32;
/** Pieces that a flush writes together. */
const BATCH = 16;
/** Pieces read ahead of one who reads in order. */
const AHEAD = 8;

/** The tree that a file is in: the one that is written (null), or a snapshot's, which may be removed meanwhile. */
export type View = { readonly root: Kid | null; gone: boolean } | null;

/** What is said of a snapshot that is not there. */
export const Enosnap = "no such snapshot";

/** A file's place: its directory's number, and its own. */
export type Place = { readonly view: View; readonly dir: number; readonly id: number };

/** A piece of a file that is not on the disk yet. */
type Piece = {
  buf: Uint8Array;
  /** Bytes of buf that count. */
  len: number;
  /** flush is writing buf: a write into the piece changes a copy. */
  busy: boolean;
};

/** Pieces of a file that are written together. */
type Batch = { readonly data: number; readonly pieces: readonly (readonly [number, Piece])[] };

const ZEROS = new Uint8Array(DSIZE);

/** A hash of a name, the same for ever: 52 bits of two FNV-1a hashes. */
function namehash(name: string): number {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (const byte of utfencode(name)) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b) ^ (b >>> 13);
  }
  return (a >>> 0) * 2 ** 20 + ((b >>> 12) & 0xfffff);
}

/** Who writes, and when, in seconds since 1970. */
type Writer = { readonly muid: string; readonly now: number };

export class Files implements Pending {
  readonly store: Store;
  /** Bytes that wait for a flush. */
  waiting = 0;
  /** Why the last flush failed; writes fail in the same way until one succeeds. */
  failure: PlanError | null = null;
  readonly #pieces: Map<number, Map<number, Piece>> = new Map();
  readonly #flushing: Lock;
  readonly #limit: number;
  /** Those who wait for room. */
  readonly #room: object = {};
  #flusher = false;
  #reaper = false;
  #orphans = false;
  /** A commit is about to freeze the tree: writes wait. */
  #gate = false;
  /** The numbers of files that are being shortened, and still have pieces behind their ends. */
  readonly #cutting: Set<number> = new Set();
  /** Is called at the first change after a commit. */
  touched: () => void = () => undefined;
  #clean = true;

  /** `limit`: bytes in memory after which they are flushed. */
  constructor(store: Store, limit: number) {
    this.store = store;
    this.#limit = limit;
    this.#flushing = new Lock(store.env);
    store.pending = this;
  }

  #root(view: View): Kid | null {
    if (view === null) return this.store.tree.root;
    return view.gone ? error(Enosnap) : view.root;
  }

  // Entries. Each of these may throw a Miss (tree.ts): store.run brings in what is missing and runs it again.

  /** What a file is; undefined when it is gone. */
  entry({ view, dir, id }: Place): Entry | undefined {
    return this.store.tree.get(this.#root(view), key1(dir, KENTRY), id) as Entry | undefined;
  }

  must(p: Place): Entry {
    return this.entry(p) ?? error(Enonexist);
  }

  /** The number of a name in a directory, 0 when it has none. */
  lookup(view: View, dir: number, name: string): number {
    const { tree } = this.store;
    const root = this.#root(view);
    const ids = tree.get(root, key1(dir, KNAME), namehash(name)) as readonly number[] | undefined;
    if (ids === undefined) return 0;
    for (const id of ids) {
      const e = tree.get(root, key1(dir, KENTRY), id) as Entry | undefined;
      if (e?.name === name) return id;
    }
    return 0;
  }

  /** The entries of a directory whose numbers are at least `from`, until visit says false. */
  list(view: View, dir: number, from: number, visit: (e: Entry) => boolean): void {
    this.store.tree.range(this.#root(view), key1(dir, KENTRY), from, (_id, v) => visit(v as Entry));
  }

  isempty(dir: number): boolean {
    let empty = true;
    this.list(null, dir, 0, () => (empty = false));
    return empty;
  }

  /** Makes a file in a directory. Fails where the name is taken. */
  create(dir: Place, e: Omit<Entry, "id" | "data">): Place {
    const { store } = this;
    const d = this.must(dir);
    if (this.lookup(null, dir.id, e.name) !== 0) error(Eexist);
    const place = { view: null, dir: dir.id, id: store.nextid };
    store.tree.need(key1(dir.id, KENTRY), place.id);
    store.nextid++;
    this.#addname(dir.id, e.name, place.id);
    this.#put(place, { ...e, id: place.id, data: place.id });
    this.#put(dir, { ...d, vers: next(d.vers), mtime: e.mtime, muid: e.muid });
    return place;
  }

  /** Puts the root where there is none. */
  mkroot(e: Omit<Entry, "id" | "data">): void {
    const place = { view: null, dir: 0, id: ROOTID };
    this.#put(place, { ...e, id: ROOTID, data: ROOTID });
  }

  /** Removes a file or an empty directory. */
  remove(p: Place, parent: Place, muid: string, now: number): void {
    const { tree } = this.store;
    const e = this.must(p);
    const d = this.must(parent);
    if ((e.mode & DMDIR) !== 0 && !this.isempty(p.id)) error(Enotempty);
    tree.need(key1(p.dir, KNAME), namehash(e.name));
    tree.need(key1(0, KORPHAN), e.data);
    tree.delete(key1(p.dir, KENTRY), p.id);
    this.#delname(p.dir, e.name, p.id);
    this.#orphan(e);
    this.#put(parent, { ...d, vers: next(d.vers), mtime: now, muid });
    this.#startreaper();
  }

  /** Gives a file the name of another in its directory, which is removed: all or nothing. */
  replace(p: Place, old: Place, parent: Place, by: Pick<Entry, "muid" | "mtime">): void {
    const { tree } = this.store;
    const e = this.must(p);
    const { name } = this.must(old);
    tree.need(key1(p.dir, KNAME), namehash(e.name));
    tree.need(key1(p.dir, KNAME), namehash(name));
    this.remove(old, parent, by.muid, by.mtime);
    this.#delname(p.dir, e.name, p.id);
    this.#addname(p.dir, name, p.id);
    this.#put(p, { ...e, name });
  }

  #addname(dir: number, name: string, id: number): void {
    const { tree } = this.store;
    const k1 = key1(dir, KNAME);
    const h = namehash(name);
    const ids = (tree.get(tree.root, k1, h) ?? []) as readonly number[];
    tree.put(k1, h, [...ids, id]);
  }

  #delname(dir: number, name: string, id: number): void {
    const { tree } = this.store;
    const k1 = key1(dir, KNAME);
    const h = namehash(name);
    const ids = (tree.get(tree.root, k1, h) ?? []) as readonly number[];
    const rest = ids.filter((x) => x !== id);
    if (rest.length === 0) tree.delete(k1, h);
    else tree.put(k1, h, rest);
  }

  #put(p: Place, e: Entry): void {
    this.store.tree.put(key1(p.dir, KENTRY), p.id, e);
    this.#touch();
  }

  #touch(): void {
    if (!this.#clean) return;
    this.#clean = false;
    this.touched();
  }

  /**
   * Changes an entry: name, mode, times, owners, length, all or nothing. `far`: the file becomes much shorter, and
   * `trim` is to take its pieces behind the new length away.
   */
  change(p: Place, changes: Partial<Entry>, far = false): void {
    const { tree } = this.store;
    const e = this.must(p);
    const { name = e.name, length = e.length } = changes;
    if (name !== e.name) {
      if (this.lookup(null, p.dir, name) !== 0) error(Efileexists);
      tree.need(key1(p.dir, KNAME), namehash(e.name));
    }
    const cut = length === e.length ? e : this.#setlength(e, length, far);
    if (far) this.#cutting.add(p.id);
    if (name !== e.name) {
      this.#delname(p.dir, e.name, p.id);
      this.#addname(p.dir, name, p.id);
    }
    this.#put(p, { ...cut, ...changes, length });
    this.#startreaper();
  }

  // Contents. Each of these may throw a Miss, too.

  /** The entry with another length; pieces beyond it go. */
  #setlength(e: Entry, length: number, far: boolean): Entry {
    const { tree } = this.store;
    if (e.inline !== null && length <= INLINE) {
      const inline = new Uint8Array(length);
      inline.set(e.inline.subarray(0, length));
      return { ...e, length, inline };
    }
    if (length === 0) {
      tree.need(key1(0, KORPHAN), e.data);
      this.#orphan(e);
      return { ...e, data: this.store.nextid++, length, inline: EMPTY };
    }
    if (length > e.length) {
      this.#outofline(e);
      return { ...e, length, inline: null };
    }
    this.#shorten(e, length, far);
    return { ...e, length, inline: null };
  }

  /**
   * Drops the bytes behind a length: the pieces in memory, and the end of the last piece that stays. The pieces on
   * the disk are dropped only if `far` is false; else trim takes them in steps.
   */
  #shorten(e: Entry, length: number, far: boolean): void {
    const { tree } = this.store;
    const at = length % DSIZE;
    const keep = Math.ceil(length / DSIZE);
    const gone: number[] = [];
    if (!far) tree.range(tree.root, key1(e.data, KDATA), keep, (no) => gone.push(no) > 0);
    for (const no of gone) tree.need(key1(e.data, KDATA), no);
    const last = at === 0 ? null : this.#forwrite(e, keep - 1, false);
    const pieces = this.#pieces.get(e.data);
    for (const no of pieces?.keys() ?? []) if (no >= keep) this.#forget(e.data, no);
    for (const no of gone) this.#unset(e.data, no);
    // Where nothing was written there is no piece.
    if (last === null || last.len === 0) return;
    if (last.len > at) {
      last.buf.fill(0, at, last.len);
      last.len = at;
    }
    this.#keep(e.data, keep - 1, last);
  }

  /** The bytes of a short file become a piece. */
  #outofline(e: Entry): void {
    if (e.inline === null || e.inline.length === 0) return;
    const buf = this.#bufof(e.inline.length, e.inline);
    this.#keep(e.data, 0, { buf, len: e.inline.length, busy: false });
  }

  /** The file is gone or cut to nothing: the reaper takes its pieces out of the tree, some at a time. */
  #orphan(e: Entry): void {
    for (const no of this.#pieces.get(e.data)?.keys() ?? []) this.#forget(e.data, no);
    if (e.inline !== null || e.length === 0) return;
    this.store.tree.put(key1(0, KORPHAN), e.data, null);
    this.#orphans = true;
  }

  /**
   * Starts the reaper if there is work for it. An operation calls this last: the reaper may begin at once, and throw
   * nodes out of memory that the operation has found.
   */
  #startreaper(): void {
    if (!this.#orphans) return;
    this.#orphans = false;
    if (this.#reaper) return;
    this.#reaper = true;
    this.store.env.spawn(this.reap());
  }

  #unset(data: number, no: number): void {
    const { tree } = this.store;
    const ptr = tree.get(tree.root, key1(data, KDATA), no) as Ptr | undefined;
    if (ptr === undefined) return;
    tree.delete(key1(data, KDATA), no);
    this.store.drop(ptr);
  }

  #forget(data: number, no: number): void {
    const pieces = this.#pieces.get(data);
    const piece = pieces?.get(no);
    if (pieces === undefined || piece === undefined) return;
    this.waiting -= piece.buf.length;
    pieces.delete(no);
    if (pieces.size === 0) this.#pieces.delete(data);
    // The buffer of a busy piece is given back by flush.
    if (!piece.busy) this.store.bufs.give(piece.buf);
  }

  /** A buffer for a piece of n bytes, with `bytes` copied into it. */
  #bufof(n: number, bytes: Uint8Array): Uint8Array {
    const size = roomfor(n);
    const buf = size === DSIZE ? this.store.bufs.take() : new Uint8Array(size);
    buf.set(bytes);
    return buf;
  }

  #keep(data: number, no: number, piece: Piece): void {
    if (this.#pieces.get(data)?.get(no) === piece) return;
    this.#forget(data, no);
    let pieces = this.#pieces.get(data);
    if (pieces === undefined) this.#pieces.set(data, (pieces = new Map<number, Piece>()));
    pieces.set(no, piece);
    this.waiting += piece.buf.length;
  }

  /** A piece that may be changed, with what is in it unless all of it is to be written over. */
  #forwrite(e: Entry, no: number, whole: boolean): Piece {
    const old = this.#pieces.get(e.data)?.get(no);
    if (old !== undefined && !old.busy) return old;
    if (old !== undefined) {
      const bytes = old.buf.subarray(0, old.len);
      return { buf: this.#bufof(old.len, bytes), len: old.len, busy: false };
    }
    const { tree } = this.store;
    const ptr = whole
      ? undefined
      : (tree.get(tree.root, key1(e.data, KDATA), no) as Ptr | undefined);
    if (ptr === undefined) return { buf: EMPTY, len: 0, busy: false };
    const bytes = this.store.data(ptr);
    return { buf: this.#bufof(bytes.length, bytes), len: bytes.length, busy: false };
  }

  /** Writes data at the offset, or at the end of an append-only file. Gives how many bytes were written: all. */
  write(p: Place, data: Uint8Array, offset: number, how: Writer): number {
    const e = this.must(p);
    const at = (e.mode & DMAPPEND) === 0 ? offset : e.length;
    const end = at + data.length;
    const length = Math.max(e.length, end);
    const changed = { vers: next(e.vers), mtime: how.now, muid: how.muid, length };
    if (length <= INLINE && (e.inline !== null || e.length === 0)) {
      const inline = new Uint8Array(length);
      if (e.inline !== null) inline.set(e.inline);
      inline.set(data, at);
      this.#put(p, { ...e, ...changed, inline });
      return data.length;
    }
    // The pieces are all found before the first is changed: a Miss runs the write again from its start.
    const first = Math.floor(at / DSIZE);
    const last = Math.floor((end - 1) / DSIZE);
    const pieces: Piece[] = [];
    for (let no = first; no <= last; no++) {
      const whole = no * DSIZE >= at && ((no + 1) * DSIZE <= end || end >= e.length);
      pieces.push(this.#forwrite(e, no, whole));
      // A flush will change this key. A node of the tree on the way to the key may be a bad block. So the node is
      // needed now, and this write fails: the failure of a flush would be every client's.
      if (whole) this.store.tree.need(key1(e.data, KDATA), no);
    }
    if (!this.store.fits(this.waiting + data.length)) error(Efull);
    this.#outofline(e);
    if (e.inline !== null && first === 0) pieces[0] = this.#forwrite(e, 0, false);
    for (let no = first; no <= last; no++) {
      const start = no * DSIZE;
      const from = Math.max(at, start);
      const to = Math.min(end, start + DSIZE);
      this.#into(
        e.data,
        no,
        pieces[no - first] as Piece,
        from - start,
        data.subarray(from - at, to - at),
      );
    }
    this.#put(p, { ...e, ...changed, inline: null });
    return data.length;
  }

  #into(data: number, no: number, piece: Piece, at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    if (piece.buf.length < end) {
      const bigger = this.#bufof(end, piece.buf.subarray(0, piece.len));
      this.#keep(data, no, (piece = { buf: bigger, len: piece.len, busy: false }));
    } else this.#keep(data, no, piece);
    if (at > piece.len) piece.buf.fill(0, piece.len, at);
    piece.buf.set(bytes, at);
    if (end > piece.len) piece.len = end;
  }

  /** At most count bytes from offset on. The caller copies them at once, since their buffer may be used again. */
  read(p: Place, count: number, offset: number): Uint8Array {
    const e = this.must(p);
    const n = Math.max(0, Math.min(count, e.length - offset));
    if (n === 0) return EMPTY;
    if (e.inline !== null) return e.inline.subarray(offset, offset + n);
    const at = offset % DSIZE;
    if (at + n <= DSIZE) return this.#piece(p.view, e, (offset - at) / DSIZE, at, n);
    const out = new Uint8Array(n);
    for (let o = 0; o < n;) {
      const a = (offset + o) % DSIZE;
      const m = Math.min(DSIZE - a, n - o);
      out.set(this.#piece(p.view, e, (offset + o - a) / DSIZE, a, m), o);
      o += m;
    }
    return out;
  }

  /** n bytes of a piece; what was never written is zeros. */
  #piece(view: View, e: Entry, no: number, at: number, n: number): Uint8Array {
    let bytes: Uint8Array = EMPTY;
    const piece = view === null ? this.#pieces.get(e.data)?.get(no) : undefined;
    if (piece !== undefined) bytes = piece.buf.subarray(0, piece.len);
    else {
      const ptr = this.store.tree.get(this.#root(view), key1(e.data, KDATA), no) as Ptr | undefined;
      if (ptr !== undefined) bytes = this.store.data(ptr);
    }
    if (bytes.length >= at + n) return bytes.subarray(at, at + n);
    if (bytes.length <= at) return ZEROS.subarray(0, n);
    const out = new Uint8Array(n);
    out.set(bytes.subarray(at));
    return out;
  }

  /** Begins to read the pieces behind the one that an offset is in. */
  ahead(p: Place, offset: number): void {
    const { store } = this;
    const no = Math.floor(offset / DSIZE) + 1;
    const ptrs: Ptr[] = [];
    const found = store.run(() => {
      ptrs.length = 0;
      const e = this.entry(p);
      if (e === undefined || e.inline !== null) return;
      store.tree.range(this.#root(p.view), key1(e.data, KDATA), no, (k, v) => {
        ptrs.push(v as Ptr);
        return k < no + AHEAD - 1;
      });
    });
    if (istask(found)) {
      found.return();
      return; // the tree itself is not in memory: what is asked for next will bring it
    }
    for (const ptr of ptrs) store.readahead(ptr);
  }

  // Flushing. These are tasks, which sleep; they throw no Miss.

  /** Waits until a file may be written. Fails when what waits already cannot be written. */
  gate({ id }: Place): Answer<void> {
    // A flush that begins here forgets the failure of the last one.
    const { failure } = this;
    if (failure !== null && this.waiting >= this.#limit) {
      this.#kick();
      throw failure;
    }
    return this.#gate || this.#cutting.has(id) ? this.#waitgate(id) : undefined;
  }

  *#waitgate(id: number): Task<void> {
    while (this.#gate || this.#cutting.has(id)) {
      if (this.failure !== null) throw this.failure;
      yield* this.store.env.sleep(this.#room);
    }
  }

  /**
   * Waits after a write while too many bytes are in memory. When a flush fails the wait ends without an error: this
   * write was taken, and the next one fails (gate).
   */
  room(): Answer<void> {
    if (this.waiting < this.#limit) return undefined;
    this.#kick();
    return this.waiting < 2 * this.#limit ? undefined : this.#wait();
  }

  *#wait(): Task<void> {
    while (this.waiting >= 2 * this.#limit && this.failure === null) {
      this.#kick();
      yield* patiently(this.store.env, this.#room);
    }
  }

  #kick(): void {
    if (this.#flusher) return;
    this.#flusher = true;
    this.store.env.spawn(this.#flushed());
  }

  *#flushed(): Task<void> {
    try {
      yield* quietly(this.flush());
    } finally {
      this.#flusher = false;
      yield* this.store.env.wakeup(this.#room);
    }
  }

  /** Writes all pieces that are in memory now. */
  *flush(): Task<void> {
    yield* this.#flushing.lock();
    try {
      yield* this.#flushall();
      this.failure = null;
    } catch (e) {
      if (e instanceof PlanError) this.failure = e;
      throw e;
    } finally {
      yield* this.#flushing.unlock();
    }
  }

  /**
   * Writes all pieces before a commit, twice: the first flush takes most of them, while clients go on writing. Then
   * the gate closes, and the second flush takes the few that were added.
   */
  *prepare(): Task<void> {
    yield* this.flush();
    this.#gate = true;
    yield* this.settled();
    while (this.waiting > 0) yield* this.flush();
  }

  /** Waits until no file is being shortened: until then a file may have pieces beyond its length. */
  *settled(): Task<void> {
    while (this.#cutting.size > 0) yield* this.store.env.sleep(this.#cutting);
  }

  *frozen(done: boolean): Task<void> {
    if (done) this.#clean = true;
    this.#gate = false;
    yield* this.store.env.wakeup(this.#room);
  }

  /**
   * Writes what waits now; what comes meanwhile is for the next flush, or a flush might have no end. Two threads do
   * it: one hashes its next pieces while the disk has those of the other.
   */
  *#flushall(): Task<void> {
    const batches = this.#batches();
    const writeall = function* (write: (b: Batch) => Task<void>): Task<void> {
      for (const b of batches) yield* write(b);
    };
    const write = (b: Batch): Task<void> => this.#writeout(b);
    const other = beside(this.store.env, writeall(write));
    try {
      yield* writeall(write);
    } finally {
      yield* other;
    }
  }

  /** The pieces that wait now, some of one file at a time, each marked busy when its turn comes. */
  *#batches(): Generator<Batch, void> {
    const all = [...this.#pieces].map(([data, pieces]) => [data, inorder(pieces)] as const);
    for (const [data, pieces] of all) {
      for (let i = 0; i < pieces.length; i += BATCH) {
        const now = this.#pieces.get(data);
        const batch = pieces.slice(i, i + BATCH).filter(([no, p]) => now?.get(no) === p);
        for (const [, piece] of batch) piece.busy = true;
        if (batch.length > 0) yield { data, pieces: batch };
      }
    }
  }

  /** Writes some pieces of one file and puts their pointers into the tree. */
  *#writeout({ data, pieces: batch }: Batch): Task<void> {
    const { store } = this;
    const placed: [Ptr, Uint8Array][] = [];
    let done = 0;
    try {
      for (const [, piece] of batch) {
        const bytes = piece.len === piece.buf.length ? piece.buf : piece.buf.subarray(0, piece.len);
        placed.push([store.place(bytes, store.tree.gen, true), bytes]);
      }
      yield* store.write(placed);
      for (const [no, piece] of batch) {
        const [ptr, bytes] = placed[done] as [Ptr, Uint8Array];
        const a = store.run(() => this.#set(data, no, piece, ptr));
        const set = istask(a) ? yield* a : a;
        done++;
        if (set) store.keepdata(ptr, bytes);
        else {
          store.free(ptr);
          store.bufs.give(bytes);
        }
      }
    } finally {
      for (const [ptr] of placed.slice(done)) store.free(ptr);
      for (const [, piece] of batch) piece.busy = false;
    }
    yield* store.env.wakeup(this.#room);
  }

  /** The piece is on the disk: unless it was changed or cut off meanwhile, the tree leads there. */
  #set(data: number, no: number, piece: Piece, ptr: Ptr): boolean {
    const { tree } = this.store;
    const k1 = key1(data, KDATA);
    if (this.#pieces.get(data)?.get(no) !== piece) return false;
    const old = tree.get(tree.root, k1, no) as Ptr | undefined;
    tree.put(k1, no, ptr);
    if (old !== undefined) this.store.drop(old);
    this.#forget(data, no);
    return true;
  }

  /** Whether a file becomes so much shorter that its pieces go in steps, so that others run between. May throw a Miss. */
  isfar(p: Place, length: number): boolean {
    const e = this.must(p);
    return e.inline === null && length > 0 && e.length - length > FAR * DSIZE;
  }

  /**
   * Takes the pieces of a file from `keep` on out of the tree, the last ones first, some at a time. When the tree
   * cannot be read the rest of them stays, and the file's length includes it again.
   */
  *trim(p: Place, keep: number): Task<void> {
    const { store } = this;
    const { tree } = store;
    const some = (data: number): boolean => {
      const last = tree.last(tree.root, key1(data, KDATA));
      if (last < keep) return false;
      const gone: number[] = [];
      const from = Math.max(keep, last - REAP);
      tree.range(tree.root, key1(data, KDATA), from, (no) => gone.push(no) > 0);
      for (const no of gone) tree.need(key1(data, KDATA), no);
      for (const no of gone) this.#unset(data, no);
      return true;
    };
    const whole = (data: number): void => {
      const length = (tree.last(tree.root, key1(data, KDATA)) + 1) * DSIZE;
      const e = this.entry(p);
      if (e?.data === data && length > e.length) this.#put(p, { ...e, length });
    };
    try {
      const found = store.run(() => this.entry(p)?.data ?? 0);
      const data = istask(found) ? yield* found : found;
      try {
        for (let more = data !== 0; more;) {
          const a = store.run(() => some(data));
          more = istask(a) ? yield* a : a;
          if (more) yield* store.env.pause();
        }
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        const a = store.run(() => whole(data));
        if (istask(a)) yield* a;
        throw e;
      }
    } finally {
      this.#cutting.delete(p.id);
      yield* store.env.wakeup(this.#cutting);
      yield* store.env.wakeup(this.#room);
    }
  }

  /** Takes the pieces of files that are gone out of the tree. */
  *reap(): Task<void> {
    const { store } = this;
    const { tree } = store;
    const orphan = (from: number): number => {
      let data = 0;
      tree.range(tree.root, key1(0, KORPHAN), from, (d) => (data = d) === 0);
      return data;
    };
    const some = (data: number): boolean => {
      const gone: number[] = [];
      tree.range(tree.root, key1(data, KDATA), 0, (no) => gone.push(no) < REAP);
      for (const no of gone) tree.need(key1(data, KDATA), no);
      tree.need(key1(0, KORPHAN), data);
      for (const no of gone) this.#unset(data, no);
      if (gone.length === 0) tree.delete(key1(0, KORPHAN), data);
      this.#touch();
      return gone.length > 0;
    };
    this.#reaper = true;
    try {
      for (let bad = 0; ;) {
        const found = store.run(() => orphan(bad + 1));
        const data = istask(found) ? yield* found : found;
        if (data === 0) return;
        try {
          for (let more = true; more;) {
            const a = store.run(() => some(data));
            more = istask(a) ? yield* a : a;
            yield* store.env.pause();
          }
        } catch (e) {
          if (!(e instanceof PlanError)) throw e;
          bad = data; // a bad block on the way to its pieces: they stay allocated, and fossil's check reports it
        }
      }
    } catch (e) {
      if (!(e instanceof PlanError)) throw e; // the list of orphans itself cannot be read: the reaper ends
    } finally {
      this.#reaper = false;
    }
  }
}

const EMPTY = new Uint8Array(0);

const next = (vers: number): number => (vers + 1) >>> 0;

/** Bytes of the buffer for a piece of n bytes. */
function roomfor(n: number): number {
  let size = 4096;
  while (size < n) size *= 2;
  return Math.min(size, DSIZE);
}

const inorder = (pieces: ReadonlyMap<number, Piece>): (readonly [number, Piece])[] =>
  [...pieces].toSorted((a, b) => a[0] - b[0]);
