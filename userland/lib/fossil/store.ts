// Store: the tree on its disk. It finds blocks, keeps those that were read in a cache, takes room for new
// ones, and commits. A commit freezes the tree, writes the new blocks in it, syncs, writes the root, syncs. Until
// the second sync is over, all blocks that the old root leads to stay. Then those that the new root does not
// lead to are free.
//
// When a block that the present tree drops becomes free:
//
//	born before the newest snapshot was made     when that snapshot, and the others that have it, are removed
//	born later                                   when a commit without it is safe
//
// A snapshot that is removed frees the blocks that neither its older nor its newer neighbour has (snap.ts).

import { LRUCache } from "lru-cache";
import { Eintr, Eio, Efull, PlanError, assert, error } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { istask } from "../9p/answer.ts";
import type { Answer } from "../9p/srv.ts";
import { Bufs } from "./bufs.ts";
import type { Still } from "./check.ts";
import { type Disk, type Env, Lock } from "./disk.ts";
import {
  DSIZE,
  FIRST,
  GRANULE,
  type Hash,
  KSNAP,
  type Ptr,
  ROOTSIZE,
  type Root,
  type Snap,
  granules,
  key1,
  packroot,
  rootgen,
  samehash,
  unpackroot,
} from "./format.ts";
import { type Kid, Node, ptrof } from "./node.ts";
import { Space } from "./space.ts";
import { Miss, Tree } from "./tree.ts";

/** Bytes that are gathered for one write. */
const GATHER = 1 << 20;
/** Bytes of the buffers in which they are gathered, with the gaps between, and how many are kept to be used again. */
const GATHERED = GATHER + (1 << 16);
const SPARES = 4;
/** Bytes from one root slot to the next: a write that fails does not reach both. */
const SLOT = 4096;
/** Nodes that are packed or looked at before other threads have their turn. */
const SLICE = 64;
/** A node in memory is larger than on the disk by about this. */
const BLOWUP = 4;

/** How a store is opened. Sizes are bytes. */
export type Storeopts = {
  readonly hash: Hash;
  /** For blocks that were read: 64 MB unless given. */
  readonly cache?: number;
  /** What the disk may grow to; no limit unless given. */
  readonly size?: number;
};

/** Changes that are not in the tree yet, and must be in it when a commit freezes the tree. */
export interface Pending {
  /** Puts all changes into the tree, and lets no more come until `frozen`. */
  prepare(): Task<void>;
  /** Waits until no operation is half done. */
  settled(): Task<void>;
  /** Lets changes come again. `done`: the prepared changes are in the tree that was frozen. */
  frozen(done: boolean): Task<void>;
}

/** A root, the slot that it was found in, and what is known of the other slot if that cannot be read. */
export type Found = { readonly root: Root; readonly slot: number; readonly lost?: Lostroot | null };

/**
 * A slot whose root cannot be read, beside one whose root can. A crash alone does not make one: a root is one sector,
 * which a disk writes whole or not at all.
 */
export type Lostroot = {
  readonly slot: number;
  /** Whether that root was the newer one, as far as its bytes tell. */
  readonly age: "newest" | "older" | "newest or older";
  /** When the root that can be read was written, in seconds since 1970. */
  readonly time: number;
};

/** The failure to read a block, or to find it as it was written. A caller that knows the block's file adds its name. */
export class Badblock extends PlanError {}

/** A block in memory, with the generation that wrote it: its address may be another block's later. */
type Bytes = { readonly birth: number; readonly bytes: Uint8Array };

/** A block that operations need; `n` of them. */
type Pin = { readonly block: Node | Bytes; n: number; readonly addr: number };

/** A block that is being read; one that is given back meanwhile is stale. */
type Loading = { stale: boolean };

/** A commit that is to come. All who ask for one before it freezes the tree share it. */
class Round {
  /** Called when the tree is frozen, with its generation. */
  readonly frozen: ((gen: number) => void)[] = [];
  last = false;
  end: { readonly root: Root } | { readonly failure: PlanError } | null = null;
}

/** The tree at the moment of a commit, and what it does not need any more. */
type Frozen = {
  readonly held: number;
  readonly nextid: number;
  readonly gen: number;
  readonly top: Kid | null;
  readonly dropped: readonly Kid[];
};

/** Whether the root block is being written, so that it is not known which root is on the disk. */
type Writing = { root: boolean };

export class Store {
  readonly env: Env;
  readonly tree: Tree;
  /** Buffers of the blocks in the cache, and of the pieces that wait. */
  readonly bufs: Bufs = new Bufs();
  /** The next number for a file. */
  nextid: number;
  /** The generation of the newest snapshot: what was born until then is held. */
  held = 0;
  /** The pieces of files that wait in memory: files.ts. */
  pending: Pending | null = null;
  /** The last root that is safe. */
  root: Root;
  /** What could not be read when the disk was opened. */
  readonly lost: Lostroot | null;
  space: Space;
  /** The slot that the last root is in. */
  #slot: number;
  readonly #disk: Disk;
  readonly #hash: Hash;
  readonly #nodes: LRUCache<number, Node>;
  readonly #data: LRUCache<number, Bytes>;
  /** Blocks that operations with a Miss have brought in. The cache cannot lose them before the operation is done. */
  readonly #pins: Map<number, Pin> = new Map();
  /** Blocks that are being read. If a block is freed meanwhile, its Loading is stale, and its bytes are dropped. */
  readonly #loading: Map<number, Loading> = new Map();
  /** Buffers in which blocks are gathered. */
  readonly #spares: Uint8Array[] = [];
  readonly #committing: Lock;
  #coming: Round | null = null;
  #committer = false;
  /** Blocks of a failed commit whose root was perhaps written: they stay until another root is in that slot. */
  #doubtful: Ptr[] = [];
  /** findspace has freed the map that the last root leads to, so a commit must not free it again. */
  #fromdisk = false;
  /** What the present generation does not need any more. */
  #dropped: Kid[] = [];
  /** Blocks that would be free, were there not a hold() for a walk of a tree that is not the present one. */
  #later: Ptr[] = [];
  #holders = 0;

  constructor(disk: Disk, env: Env, { root, slot, lost }: Found, opts: Storeopts) {
    const { hash, cache = 64 << 20, size = Infinity } = opts;
    this.env = env;
    this.#slot = slot;
    this.#disk = disk;
    this.#hash = hash;
    this.root = root;
    this.lost = lost ?? null;
    this.nextid = root.nextid;
    this.space = new Space(Math.floor(size / GRANULE));
    this.#committing = new Lock(env);
    // Half of the cache is for nodes. In memory a node takes about BLOWUP times its bytes on the disk.
    this.#nodes = new LRUCache({
      // At least 1 MB on the disk, since an operation may need some dozens of nodes at once.
      maxSize: Math.max(1 << 20, Math.floor(cache / 2 / BLOWUP)),
      sizeCalculation: (n) => n.size,
    });
    this.#data = new LRUCache({
      maxSize: Math.max(1 << 20, Math.floor(cache / 2)),
      // The whole buffer of the bytes counts, since all of it is kept. dispose gives it back, unless it is pinned.
      sizeCalculation: (b) => Math.max(1, b.bytes.buffer.byteLength),
      dispose: (b, addr) => {
        if (this.#pins.get(addr)?.block !== b) this.bufs.give(b.bytes);
      },
    });
    this.tree = new Tree(
      root.tree,
      root.gen + 1,
      (p) => this.#nodeof(p),
      (kid) => this.#dropped.push(kid),
    );
  }

  /** The newer of the two roots that is whole; null where the disk has none. */
  static *lastroot(disk: Disk, hash: Hash): Task<Found | null> {
    let best: Found | null = null;
    let bad: { slot: number; gen: number | null; blank: boolean } | null = null;
    for (const slot of [0, 1]) {
      const buf = new Uint8Array(ROOTSIZE);
      const n = yield* waited(disk.read(buf, slot * SLOT));
      const r = n === ROOTSIZE ? unpackroot(buf, hash) : null;
      if (typeof r === "number")
        error(`fossil: disk of format ${r}, which this server does not know`);
      if (r === null) bad = { slot, gen: rootgen(buf), blank: buf.every((b) => b === 0) };
      else if (best === null || r.gen > best.root.gen) best = { root: r, slot };
    }
    // After the first commit of a disk the other slot is still blank: no root was lost.
    if (best === null || bad === null || (best.root.gen === 1 && bad.blank)) return best;
    const { slot, gen } = bad;
    const { root } = best;
    const age = gen === null ? "newest or older" : gen > root.gen ? "newest" : "older";
    return { ...best, lost: { slot, age, time: root.time } };
  }

  // Finding blocks.

  #nodeof(ptr: Ptr): Node | undefined {
    const n = this.#nodes.get(ptr.addr) ?? this.#pins.get(ptr.addr)?.block;
    return n instanceof Node && n.ptr?.birth === ptr.birth ? n : undefined;
  }

  /** The bytes of a piece of a file, good until the caller sleeps. Throws a Miss when they are not in memory. */
  data(ptr: Ptr): Uint8Array {
    const b = this.#data.get(ptr.addr) ?? this.#pins.get(ptr.addr)?.block;
    if (b === undefined || b instanceof Node || b.birth !== ptr.birth) throw new Miss(ptr, false);
    return b.bytes;
  }

  /** Remembers bytes that were just written. Their buffer is the cache's from now on. */
  keepdata(ptr: Ptr, bytes: Uint8Array): void {
    this.#data.set(ptr.addr, { birth: ptr.birth, bytes });
  }

  /** Runs an operation. Each time that it throws a Miss, the block is brought in, and the operation run again. */
  run<T>(op: () => T): Answer<T> {
    try {
      return op();
    } catch (e) {
      if (!(e instanceof Miss)) throw e;
      return this.#again(op, e);
    }
  }

  *#again<T>(op: () => T, first: Miss): Task<T> {
    const pinned: Pin[] = [];
    try {
      for (let miss = first; ;) {
        yield* this.load(miss, pinned);
        try {
          return op();
        } catch (e) {
          if (!(e instanceof Miss)) throw e;
          miss = e;
        }
      }
    } finally {
      for (const pin of pinned)
        if (--pin.n === 0 && this.#pins.get(pin.addr) === pin) this.#pins.delete(pin.addr);
    }
  }

  #pin(addr: number, block: Node | Bytes): Pin {
    const old = this.#pins.get(addr);
    if (old !== undefined && old.block === block) {
      old.n++;
      return old;
    }
    const pin = { block, n: 1, addr };
    this.#pins.set(addr, pin);
    return pin;
  }

  /**
   * Brings a block into memory, and pins it there for an operation. Two operations that need the same block read it
   * once. The second one has no pin of it, so it may miss the block again.
   */
  *load({ ptr, node }: Miss, pinned: Pin[]): Task<void> {
    const busy = this.#loading.get(ptr.addr);
    if (busy !== undefined) yield* this.env.sleep(busy);
    else yield* this.#fetch(ptr, node, this.#begin(ptr), pinned);
  }

  /**
   * Begins to bring in a piece of a file that will be asked for, in a thread of its own. A failure is dropped: the read
   * of that piece meets it again.
   */
  readahead(ptr: Ptr): void {
    if (this.#data.has(ptr.addr) || this.#loading.has(ptr.addr)) return;
    this.env.spawn(quietly(this.#fetch(ptr, false, this.#begin(ptr), null)));
  }

  /** Notes that a block is being read. */
  #begin(ptr: Ptr): Loading {
    const me = { stale: false };
    this.#loading.set(ptr.addr, me);
    return me;
  }

  *#fetch(ptr: Ptr, node: boolean, me: Loading, pinned: Pin[] | null): Task<void> {
    const bytes = node ? new Uint8Array(ptr.len) : this.#bufof(ptr.len);
    try {
      const n = yield* this.#read(bytes, ptr);
      if (me.stale) return;
      this.#verify(ptr, bytes, n);
      const block = node ? (Node.unpack(bytes, ptr) ?? broken(ptr)) : { birth: ptr.birth, bytes };
      // The block is pinned before the cache has it, since the cache may let it go at once.
      pinned?.push(this.#pin(ptr.addr, block));
      if (block instanceof Node) this.#nodes.set(ptr.addr, block);
      else this.#data.set(ptr.addr, block);
    } finally {
      this.#loading.delete(ptr.addr);
      yield* this.env.wakeup(me);
    }
  }

  /** Room for the n bytes of a piece of a file. */
  #bufof(n: number): Uint8Array {
    return n > DSIZE / 2 && n <= DSIZE ? this.bufs.take().subarray(0, n) : new Uint8Array(n);
  }

  /** A block from the disk. Fails when its bytes do not have its hash. */
  *readblock(ptr: Ptr): Task<Uint8Array> {
    const bytes = new Uint8Array(ptr.len);
    this.#verify(ptr, bytes, yield* this.#read(bytes, ptr));
    return bytes;
  }

  *#read(bytes: Uint8Array, ptr: Ptr): Task<number> {
    try {
      return yield* waited(this.#disk.read(bytes, ptr.addr * GRANULE));
    } catch (e) {
      if (!(e instanceof PlanError) || e.message === Eintr) throw e;
      throw new Badblock(e.message);
    }
  }

  #verify(ptr: Ptr, bytes: Uint8Array, n: number): void {
    if (n !== ptr.len || !samehash(this.#hash(bytes), ptr.hash)) broken(ptr);
  }

  // New blocks.

  /** Takes room for a block, of a file if `file`, that generation `birth` writes. The result will point to it. */
  place(bytes: Uint8Array, birth: number, file: boolean): Ptr {
    const n = granules(bytes.length);
    assert(n > 0, "a block has bytes");
    const { limit, used } = this.space;
    // Blocks of files leave some room to nodes, so that files can be removed from a full disk.
    const addr = file && used + n > limit - reserve(limit) ? -1 : this.space.take(n);
    if (addr < 0) error(Efull);
    return { hash: this.#hash(bytes), addr, len: bytes.length, birth };
  }

  /** Writes blocks to their places; those that lie side by side in one write. */
  *write(blocks: readonly (readonly [Ptr, Uint8Array])[]): Task<void> {
    for (let i = 0; i < blocks.length;) {
      const first = blocks[i];
      if (first === undefined) return;
      let end = first[0].addr;
      let j = i;
      for (let n = 0; j < blocks.length; j++) {
        const [p, bytes] = blocks[j] as readonly [Ptr, Uint8Array];
        n += bytes.length;
        if (p.addr !== end || (n > GATHER && j > i)) break;
        end = p.addr + granules(p.len);
      }
      yield* this.#writeside(blocks.slice(i, j), first[0].addr * GRANULE);
      i = j;
    }
  }

  /** Writes blocks that lie side by side. Long writes share some buffers: new ones would be most of the garbage. */
  *#writeside(blocks: readonly (readonly [Ptr, Uint8Array])[], at: number): Task<void> {
    const [first] = blocks;
    const last = blocks.at(-1);
    if (first === undefined || last === undefined) return;
    if (first === last) return yield* this.#put(first[1], at);
    const length = (last[0].addr - first[0].addr) * GRANULE + last[0].len;
    const long = length > GATHER / 2 && length <= GATHERED;
    const buf = (long ? this.#spares.pop() : null) ?? new Uint8Array(long ? GATHERED : length);
    yield* this.#put(gather(blocks, buf.subarray(0, length)), at);
    if (long && this.#spares.length < SPARES) this.#spares.push(buf);
  }

  *#put(bytes: Uint8Array, at: number): Task<void> {
    try {
      yield* waited(this.#disk.write(bytes, at));
    } catch (e) {
      if (e instanceof PlanError && e.message.endsWith(Efull)) this.space.scarce = true;
      throw e;
    }
  }

  /** The present tree does not need a block any more. */
  drop(ptr: Ptr): void {
    this.#dropped.push(ptr);
  }

  /** Frees a block that no root leads to any more, or that was placed and never became part of the tree. */
  free(ptr: Ptr): void {
    if (this.#holders > 0) {
      this.#later.push(ptr);
      return;
    }
    const loading = this.#loading.get(ptr.addr);
    if (loading !== undefined) loading.stale = true;
    this.#nodes.delete(ptr.addr);
    this.#data.delete(ptr.addr);
    this.#pins.delete(ptr.addr);
    this.space.free(ptr.addr, granules(ptr.len));
  }

  /** Keeps blocks that become free from being used, until `release`. */
  hold(): void {
    this.#holders++;
  }

  /**
   * Holds the blocks born up to generation gen again, after the removal of a snapshot failed. Those that would have
   * become free at `release` stay taken.
   */
  keepheld(gen: number): void {
    this.held = Math.max(this.held, gen);
    this.#later = this.#later.filter((p) => p.birth > this.held);
  }

  release(): void {
    if (--this.#holders > 0) return;
    for (const p of this.#later.splice(0)) this.free(p);
  }

  // Commits.

  /** Whether the tree has changes that no commit has made safe. */
  get dirty(): boolean {
    const { root } = this.tree;
    if (root instanceof Node && root.ptr === null) return true;
    return (root === null ? null : ptrof(root)) !== this.root.tree;
  }

  /**
   * Makes the tree safe as it is now, and gives its root. `frozen` is called when the tree is frozen. With `last`, the
   * map of the disk is written, too. All calls before the tree is frozen share one commit, which runs in a thread
   * of its own. So a Tflush of one call ends the wait of that call, and not the commit.
   */
  *commit(frozen?: (gen: number) => void, last = false): Task<Root> {
    const round = (this.#coming ??= new Round());
    if (frozen !== undefined) round.frozen.push(frozen);
    round.last ||= last;
    if (!this.#committer) {
      this.#committer = true;
      this.env.spawn(this.#rounds());
    }
    while (round.end === null) yield* this.env.sleep(round);
    if ("failure" in round.end) throw round.end.failure;
    return round.end.root;
  }

  *#rounds(): Task<void> {
    try {
      for (let round = this.#coming; round !== null; round = this.#coming) {
        yield* this.#committing.lock();
        try {
          yield* this.#commit(round, true);
          round.end = { root: this.root };
        } catch (e) {
          if (!(e instanceof PlanError)) throw e;
          round.end = { failure: e };
        } finally {
          if (this.#coming === round) this.#coming = null;
          yield* this.#committing.unlock();
        }
        yield* this.env.wakeup(round);
      }
    } finally {
      this.#committer = false;
    }
  }

  /**
   * Puts the pieces that wait into the tree. On a full disk they may have no room before a commit frees the dropped
   * blocks. Then a commit without them comes first. After a crash between the two, files may lack some of the pieces.
   */
  *#prepare(pending: Pending): Task<void> {
    try {
      yield* pending.prepare();
    } catch (e) {
      if (!(e instanceof PlanError) || e.message !== Efull || !this.cangive) throw e;
      yield* this.#commit(new Round(), false);
      yield* pending.prepare();
    }
  }

  /** Whether a commit will give room back. */
  get cangive(): boolean {
    return this.#going(this.#dropped, this.held).length > 0;
  }

  /** Whether so many more bytes of files have room. Nodes have a reserve besides (place). */
  fits(bytes: number): boolean {
    const { limit, used } = this.space;
    return limit === Infinity || used + granules(bytes) <= limit - reserve(limit);
  }

  /**
   * One commit; with `all`, also of the pieces that wait. When the map is to be written (round.last), no more pieces
   * are written before that, since the map is of one moment.
   */
  *#commit(round: Round, all: boolean): Task<void> {
    let done = false;
    let frozen: Frozen | null = null;
    try {
      if (all && this.pending !== null) yield* this.#prepare(this.pending);
      else if (this.pending !== null) yield* this.pending.settled();
      if (all) this.#coming = null;
      done = all;
      frozen = this.#freeze(round);
      if (frozen !== null && round.last) yield* this.#writeout(round, frozen);
    } finally {
      if (all && this.pending !== null) yield* this.pending.frozen(done);
    }
    if (frozen !== null && !round.last) yield* this.#writeout(round, frozen);
  }

  /** Freezes the tree, in one moment: it does not sleep. Null: there is nothing to commit. */
  #freeze(round: Round): Frozen | null {
    if (!this.dirty && round.frozen.length === 0 && !round.last && this.root.gen > 0) return null;
    const { held, nextid } = this;
    const gen = this.tree.gen++;
    const dropped = this.#dropped;
    this.#dropped = [];
    for (const tell of round.frozen) tell(gen);
    return { held, nextid, gen, top: this.tree.root, dropped };
  }

  *#writeout(round: Round, { held, nextid, gen, top, dropped }: Frozen): Task<void> {
    const written: Node[] = [];
    const old = this.root.space;
    let space: Ptr | null = null;
    const writing = { root: false };
    try {
      if (top instanceof Node) yield* this.#writenodes(top, gen, written);
      // Blocks that hold() keeps are in neither list, so there is no map then: the next start walks the trees.
      if (round.last && this.#holders === 0)
        space = yield* this.#writespace([...this.#going(dropped, held), ...this.#doubtful], old);
      const ptr = top === null ? null : ptrof(top);
      const root = { gen, tree: ptr, nextid, time: this.env.now(), space };
      yield* this.#writeroot(root, writing);
    } catch (e) {
      this.#dropped.push(...dropped);
      this.#unwrite(written, space, writing.root);
      throw e;
    }
    this.#settle(written);
    for (const ptr of this.#going(dropped, held)) this.free(ptr);
    for (const ptr of this.#doubtful.splice(0)) this.free(ptr);
    if (old !== null && !this.#fromdisk) this.free(old);
    this.#fromdisk = false;
  }

  /** Those of the dropped blocks that no snapshot holds. */
  #going(dropped: readonly Kid[], held: number): Ptr[] {
    return dropped.map(ptrof).filter((p) => p !== null && p.birth > held) as Ptr[];
  }

  /** The tree as it is now, and the room that is taken for it and the snapshots. */
  *still(): Task<Still> {
    yield* this.#committing.lock();
    try {
      if (this.pending !== null) yield* this.pending.prepare();
      const gen = this.tree.gen++;
      const space = this.space.copy();
      const going = [...this.#going(this.#dropped, this.held), ...this.#later, ...this.#doubtful];
      if (this.root.space !== null && !this.#fromdisk) going.push(this.root.space);
      for (const p of going) space.free(p.addr, granules(p.len));
      return { root: this.tree.root, space, gen };
    } finally {
      if (this.pending !== null) yield* this.pending.frozen(false);
      yield* this.#committing.unlock();
    }
  }

  *#writeroot(root: Root, writing: Writing): Task<void> {
    yield* waited(this.#disk.sync());
    // The other slot than that of the last safe root, also after a commit that failed.
    const slot = this.#slot === 0 ? 1 : 0;
    writing.root = true;
    yield* waited(this.#disk.write(packroot(root, this.#hash), slot * SLOT));
    yield* waited(this.#disk.sync());
    this.#slot = slot;
    this.root = root;
  }

  /** Writes all nodes below top that have no place yet, kids first, and adds them to `written`. */
  *#writenodes(top: Node, gen: number, written: Node[]): Task<void> {
    let blocks: [Ptr, Uint8Array][] = [];
    let bytes = 0;
    const stack = [{ node: top, i: 0 }];
    if (top.ptr !== null) stack.pop();
    for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
      const kid = at.node.kids[at.i];
      if (kid !== undefined) {
        at.i++;
        if (kid instanceof Node && kid.ptr === null) stack.push({ node: kid, i: 0 });
        continue;
      }
      stack.pop();
      const packed = at.node.pack();
      const ptr = this.place(packed, gen, false);
      at.node.ptr = ptr;
      written.push(at.node);
      blocks.push([ptr, packed]);
      bytes += packed.length;
      if (bytes > GATHER) {
        yield* this.write(blocks);
        blocks = [];
        bytes = 0;
      }
      if (written.length % SLICE === 0) yield* this.env.pause();
    }
    yield* this.write(blocks);
  }

  /**
   * Undoes a commit that failed: its nodes have no place on the disk after all, and stay in memory. If its root was
   * perhaps written, the next start may find that root: so its blocks stay until the slot is written again.
   */
  #unwrite(written: readonly Node[], space: Ptr | null, root: boolean): void {
    const gone = written.map((n) => n.ptr).filter((p) => p !== null);
    if (space !== null) gone.push(space);
    for (const node of written) node.ptr = null;
    if (root) this.#doubtful.push(...gone);
    else for (const ptr of gone) this.free(ptr);
  }

  /** The commit is safe: nodes are the cache's from now on, and their parents keep only pointers. */
  #settle(written: readonly Node[]): void {
    for (const node of written) {
      for (const [i, kid] of node.kids.entries())
        if (kid instanceof Node && kid.ptr !== null) node.kids[i] = kid.ptr;
      if (node.ptr !== null) this.#nodes.set(node.ptr.addr, node);
    }
  }

  /** Writes the map of the disk, as it is when the blocks in `going`, and the old map, are free. */
  *#writespace(going: readonly Ptr[], old: Ptr | null): Task<Ptr> {
    // The map's own room is taken first, so that the map has it. That may lengthen the map: hence 4096 bytes more.
    const n = granules(this.space.pack().length + 4096);
    const addr = this.space.take(n);
    if (addr < 0) error(Efull);
    const map = this.space.copy();
    for (const p of going) map.free(p.addr, granules(p.len));
    if (old !== null && !this.#fromdisk) map.free(old.addr, granules(old.len));
    const bytes = new Uint8Array(n * GRANULE);
    bytes.set(map.pack());
    try {
      yield* this.#put(bytes, addr * GRANULE);
    } catch (e) {
      this.space.free(addr, n);
      throw e;
    }
    return { hash: this.#hash(bytes), addr, len: bytes.length, birth: this.tree.gen };
  }

  // Which granules are taken.

  /** Finds out which granules are taken: from the map of a server that ended in order, else by walking all trees. */
  *findspace(): Task<void> {
    const { limit } = this.space;
    const { space } = this.root;
    const snaps = yield* waited(this.run(() => this.snaps()));
    this.held = snaps.at(-1)?.gen ?? 0;
    if (space !== null) {
      try {
        this.space = Space.unpack(yield* this.readblock(space), limit);
        // The map itself is free from now on: the next root does not lead to it.
        this.space.free(space.addr, granules(space.len));
        this.#fromdisk = true;
        return;
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
      }
    }
    this.space = new Space(limit);
    try {
      yield* this.eachblock((ptr) => void this.space.mark(ptr.addr, granules(ptr.len)));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      // The blocks below a bad node are not known. So all that the disk has now counts as taken.
      const end = Math.ceil((yield* waited(this.#disk.length())) / GRANULE);
      if (end > FIRST) this.space.mark(FIRST, end - FIRST);
    }
  }

  /** The snapshots, oldest first. May throw a Miss. */
  snaps(root: Kid | null = this.tree.root): Snap[] {
    const all: Snap[] = [];
    this.tree.range(root, key1(0, KSNAP), 0, (_id, v) => {
      all.push(v as Snap);
      return true;
    });
    return all.toSorted((a, b) => a.gen - b.gen);
  }

  /** Tells of every block once: those of the snapshots, oldest first, then those of the present tree. */
  *eachblock(tell: (ptr: Ptr, node: Node | null) => void): Task<void> {
    const snaps = yield* waited(this.run(() => this.snaps()));
    let since = 0;
    for (const s of snaps) {
      if (s.tree !== null) yield* this.walkblocks(s.tree, since, tell);
      since = s.gen;
    }
    const { root } = this.tree;
    if (root !== null) yield* this.walkblocks(root, since, tell);
  }

  /** Tells of the blocks below a node that were born after `since`. */
  *walkblocks(top: Kid, since: number, tell: (ptr: Ptr, node: Node | null) => void): Task<void> {
    const stack: Kid[] = [top];
    let n = 0;
    for (let kid = stack.pop(); kid !== undefined; kid = stack.pop()) {
      const ptr = ptrof(kid);
      if (ptr !== null && ptr.birth <= since) continue;
      const node = yield* this.readnode(kid);
      if (ptr !== null) tell(ptr, node);
      if (node.level > 0) stack.push(...node.kids);
      else
        for (let i = 0; i < node.count; i++) {
          const v = node.value(i);
          if (isptr(v) && v.birth > since) tell(v, null);
        }
      if (++n % SLICE === 0) yield* this.env.pause();
    }
  }

  /** A node, from memory if it is there; a walk through everything does not fill the cache. */
  *readnode(kid: Kid): Task<Node> {
    if (kid instanceof Node) return kid;
    return this.#nodeof(kid) ?? Node.unpack(yield* this.readblock(kid), kid) ?? broken(kid);
  }
}

function broken(ptr: Ptr): never {
  throw new Badblock(`${Eio}: block ${ptr.addr} does not match its hash`);
}

/** Granules that only nodes may have. */
const reserve = (limit: number): number => (limit === Infinity ? 0 : Math.min(limit / 8, 8192));

const isptr = (v: unknown): v is Ptr => typeof v === "object" && v !== null && "addr" in v;

/** Copies blocks that lie side by side into buf, which is as long as all of them, with zeros in the gaps. */
function gather(blocks: readonly (readonly [Ptr, Uint8Array])[], buf: Uint8Array): Uint8Array {
  const start = blocks[0]?.[0].addr ?? 0;
  let end = 0;
  for (const [p, bytes] of blocks) {
    const at = (p.addr - start) * GRANULE;
    buf.fill(0, end, at);
    buf.set(bytes, at);
    end = at + bytes.length;
  }
  return buf;
}

/** Runs a task and drops its failure, which another caller throws. */
export function* quietly(task: Task<unknown>): Task<void> {
  try {
    yield* task;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** The value of an answer; if the answer is a Task, its result. */
export function* waited<T>(a: Answer<T>): Task<T> {
  return istask(a) ? yield* a : a;
}
