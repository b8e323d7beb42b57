// check: walks all trees, reads every block, and says what is wrong: a block that does not match its hash, with
// the file it belongs to; one that two pointers share; one that is in use and not taken, or taken and not in use.

import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import {
  DSIZE,
  type Entry,
  KDATA,
  KENTRY,
  type Ptr,
  type Value,
  granules,
  kindof,
} from "./format.ts";
import type { Kid, Node } from "./node.ts";
import { ROOTID } from "./files.ts";
import { Space } from "./space.ts";
import { type Store, waited } from "./store.ts";
import { counted } from "./words.ts";

/** What check found. */
export type Report = {
  /** A sentence for each fault. */
  readonly faults: readonly string[];
  /** Blocks that were read. */
  readonly blocks: number;
  /** Bytes in blocks. */
  readonly bytes: number;
  /** Files and directories, in all trees. */
  readonly files: number;
};

/** The trees at one moment, and what was taken then. */
export type Still = {
  readonly root: Kid | null;
  readonly space: Space;
  /** The generation that was frozen: what is younger was written since. */
  readonly gen: number;
};

/** Walks everything that there was at a moment. What has become free since then is held meanwhile. */
export function* check(store: Store, still: Still): Task<Report> {
  const faults: string[] = [];
  const seen = new Space(Infinity);
  let blocks = 0;
  let bytes = 0;
  let files = 0;
  const where = new Where();
  const pieces: [Ptr, number, number][] = [];
  store.hold();
  try {
    for (const [top, since, label] of yield* roots(store, still.root)) {
      const stack: Kid[] = [top];
      for (let kid = stack.pop(); kid !== undefined; kid = stack.pop()) {
        const node = yield* nodeof(store, kid, since, faults, label);
        if (node === null) continue;
        const { ptr } = node;
        if (ptr !== null && ptr.birth <= still.gen) {
          blocks++;
          bytes += ptr.len;
          if (!seen.mark(ptr.addr, granules(ptr.len)))
            faults.push(`${label}: node ${ptr.addr} is shared`);
        }
        if (node.level > 0) stack.push(...node.kids);
        for (let i = 0; node.level === 0 && i < node.count; i++) {
          const v = node.value(i);
          files += where.take(node.k1[i] as number, v);
          if (kindof(node.k1[i] as number) === KDATA && (v as Ptr).birth > since)
            pieces.push([v as Ptr, Math.floor((node.k1[i] as number) / 8), node.k2[i] as number]);
        }
        yield* store.env.pause();
      }
      for (const [ptr, data, no] of pieces.splice(0)) {
        blocks++;
        bytes += ptr.len;
        const fault = yield* trouble(store, ptr);
        const name = `${label}: ${where.name(data)}, byte ${no * DSIZE}`;
        if (fault !== null) faults.push(`${name}: ${fault}`);
        if (!seen.mark(ptr.addr, granules(ptr.len)))
          faults.push(`${name}: block ${ptr.addr} is shared`);
      }
    }
    faults.push(...compare(still.space, seen));
  } finally {
    store.release();
  }
  return { faults, blocks, bytes, files };
}

/** All trees, oldest first, with the generation that the one before them ended with, and what to call them. */
function* roots(store: Store, root: Kid | null): Task<(readonly [Kid, number, string])[]> {
  const all: (readonly [Kid, number, string])[] = [];
  let since = 0;
  for (const s of yield* waited(store.run(() => store.snaps(root)))) {
    if (s.tree !== null) all.push([s.tree, since, s.name]);
    since = s.gen;
  }
  if (root !== null) all.push([root, since, "main/active"]);
  return all;
}

/** A node that was born after `since`; null where it was not, or is bad. */
function* nodeof(
  store: Store,
  kid: Kid,
  since: number,
  faults: string[],
  label: string,
): Task<Node | null> {
  const ptr = "hash" in kid ? kid : kid.ptr;
  if (ptr !== null && ptr.birth <= since) return null;
  try {
    return yield* store.readnode(kid);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    faults.push(`${label}: a node of the tree: ${e.message}`);
    return null;
  }
}

function* trouble(store: Store, ptr: Ptr): Task<string | null> {
  try {
    yield* store.readblock(ptr);
    return null;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return e.message;
  }
}

/** Granules in use that are not taken, and taken ones that are not in use. */
function compare(space: Space, seen: Space): string[] {
  let lost = 0;
  let unsafe = 0;
  const top = Math.max(space.top, seen.top);
  for (let a = 0; a < top; a++) {
    if (space.has(a) && !seen.has(a)) lost++;
    if (!space.has(a) && seen.has(a)) unsafe++;
  }
  return [
    ...(unsafe > 0 ? [`in use, and not marked as taken: ${counted(unsafe, "granule")}`] : []),
    ...(lost > 0 ? [`marked as taken, and not in use: ${counted(lost, "granule")}`] : []),
  ];
}

/** The names of files, by the numbers of their pieces. */
class Where {
  readonly #names: Map<number, { name: string; dir: number }> = new Map();
  readonly #data: Map<number, number> = new Map();

  /** Looks at a value of the tree; 1 for a file. */
  take(k1: number, v: Value): number {
    if (kindof(k1) !== KENTRY) return 0;
    const e = v as Entry;
    this.#names.set(e.id, { name: e.name, dir: Math.floor(k1 / 8) });
    if (e.inline === null) this.#data.set(e.data, e.id);
    return 1;
  }

  name(data: number): string {
    const names: string[] = [];
    for (let id = this.#data.get(data) ?? 0; id !== ROOTID && names.length < 100;) {
      const f = this.#names.get(id);
      if (f === undefined) return "a file that is removed";
      names.unshift(f.name);
      id = f.dir;
    }
    return `/${names.join("/")}`;
  }
}
