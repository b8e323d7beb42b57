// Snapshots: roots that are kept, and the names under which they are found. main/snapshot has
// yyyy/mmdd/hhmm, main/archive yyyy/mmdd, in UTC; one more of the same minute or day has ".1" behind it.
//
// Removing one gives back what only it held: the blocks that it has, that are younger than the snapshot
// before it, and that the one behind it (or the present tree) has not.

import { error } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { gmtime } from "../ctime.ts";
import { Lock } from "./disk.ts";
import { Enosnap, type View } from "./files.ts";
import { KSNAP, type Ptr, type Root, type Snap, granules, key1 } from "./format.ts";
import { Space } from "./space.ts";
import { type Store, waited } from "./store.ts";

const two = (n: number): string => String(n).padStart(2, "0");

/** "2026/1127" or "2026/1127/0930" for a time in seconds since 1970. */
function snapname(time: number, archive: boolean): string {
  const { year, mon, mday, hour, min } = gmtime(time);
  const date = `${String(year).padStart(4, "0")}/${two(mon + 1)}${two(mday)}`;
  return archive ? date : `${date}/${two(hour)}${two(min)}`;
}

export class Snaps {
  readonly #store: Store;
  readonly #lock: Lock;
  /** What there is, oldest first, as the last commit of a change has it. */
  #all: readonly Snap[] = [];
  readonly #views: Map<number, { readonly root: Snap["tree"]; gone: boolean }> = new Map();

  constructor(store: Store) {
    this.#store = store;
    this.#lock = new Lock(store.env);
  }

  /** Finds out which there are; once, when the store is open. */
  *load(): Task<void> {
    this.#all = yield* waited(this.#store.run(() => this.#store.snaps()));
  }

  /** The snapshots, oldest first. */
  get list(): readonly Snap[] {
    return this.#all;
  }

  /** The tree of a snapshot, for those who look at it: all have the same, and hear when it is removed. */
  view(snap: Snap): View {
    let view = this.#views.get(snap.gen);
    if (view === undefined) {
      view = { root: snap.tree, gone: false };
      this.#views.set(snap.gen, view);
    }
    return view;
  }

  /** A name that begins with `base`: behind the newest of those names, so that the list is in order. */
  #newname(base: string): string {
    const taken = new Set(this.#all.map((s) => s.name));
    const newest = this.#all.findLast(({ name: n }) => n === base || n.startsWith(`${base}.`));
    if (newest === undefined) return base;
    for (let n = Number(newest.name.slice(base.length + 1)) + 1; ; n++)
      if (!taken.has(`${base}.${n}`)) return `${base}.${n}`;
  }

  /** Makes a snapshot of the tree as it is now; gives its name. */
  *make(archive: boolean): Task<string> {
    const store = this.#store;
    yield* this.#lock.lock();
    try {
      yield* store.env.tick();
      const time = store.env.now();
      const name = this.#newname(snapname(time, archive));
      // From the moment when the tree is frozen, what it has is held.
      const before = store.held;
      let gen = 0;
      let root: Root;
      try {
        root = yield* store.commit((g) => (store.held = gen = g));
      } catch (e) {
        if (store.held === gen) store.held = before;
        throw e;
      }
      const snap = { name, archive, gen, tree: root.tree, time };
      yield* waited(store.run(() => store.tree.put(key1(0, KSNAP), gen, snap)));
      this.#all = [...this.#all, snap];
      yield* store.commit();
      return name;
    } finally {
      yield* this.#lock.unlock();
    }
  }

  /** Removes a snapshot and gives back what only it held. */
  *remove(name: string): Task<void> {
    const store = this.#store;
    yield* this.#lock.lock();
    store.hold();
    try {
      const all = this.#all;
      const i = all.findIndex((s) => s.name === name);
      const snap = all[i] ?? error(`${Enosnap}: ${name}`);
      const since = all[i - 1]?.gen ?? 0;
      const behind = all[i + 1];
      // The present tree changes: what is looked at is the last one that is safe. From here on, what it drops
      // and only the removed one would have held is free with the commit that has it no more.
      const next = behind ?? (yield* store.commit(() => (store.held = since)));
      const mine = yield* this.#only(snap.tree, next.tree, since);
      yield* waited(store.run(() => store.tree.delete(key1(0, KSNAP), snap.gen)));
      // From here on it is not there: the commit that says so may come later, but it comes.
      this.#all = all.filter((s) => s !== snap);
      yield* this.#uncovered(snap, mine);
    } catch (e) {
      // Held too much is a leak until the next start; held too little would lose blocks.
      store.keepheld(this.#all.at(-1)?.gen ?? 0);
      throw e;
    } finally {
      store.release();
      yield* this.#lock.unlock();
    }
  }

  /** A commit has the snapshot no more: what only it had is free. If it fails, that stays taken until the next start. */
  *#uncovered(snap: Snap, mine: readonly Ptr[]): Task<void> {
    const store = this.#store;
    try {
      yield* store.commit();
    } catch (e) {
      store.keepheld(snap.gen);
      throw e;
    } finally {
      const view = this.#views.get(snap.gen);
      if (view !== undefined) view.gone = true;
      this.#views.delete(snap.gen);
    }
    for (const ptr of mine) store.free(ptr);
  }

  /** The blocks of a tree, younger than `since`, that another tree has not. */
  *#only(tree: Ptr | null, other: Ptr | null, since: number): Task<Ptr[]> {
    const store = this.#store;
    const theirs = new Space(Infinity);
    const mine: Ptr[] = [];
    if (other !== null)
      yield* store.walkblocks(other, since, (p) => void theirs.mark(p.addr, granules(p.len)));
    if (tree !== null)
      yield* store.walkblocks(tree, since, (p) => {
        if (!theirs.has(p.addr)) mine.push(p);
      });
    return mine;
  }
}

/** Which snapshots of a schedule are too old to be kept: those that are not archives. */
export function expired(snaps: readonly Snap[], now: number, keep: number): Snap[] {
  return snaps.filter((s) => !s.archive && s.time + keep < now);
}
