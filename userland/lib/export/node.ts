// The files that clients have, as a tree of nodes. A node is a file: all fids of the file share it, so a rename
// by one of them, or of a directory above, is a rename for all.
//
// References: a fid holds its node, and a node its parent, up to the root. A node that a walk has just found
// is held by nothing and is in no table; hold puts it there, or gives the node that the file has already. The
// last reference takes the node out of the tree, so the tree is never larger than what the fids are on.
//
// Two files may claim one name, when another program replaced the first. The table has the one that was found
// last; the other keeps its name and its parent, and the check of the qid (export.ts) says that it is lost.

import type { Dir, Qid } from "../../../kernel/abi/dir.ts";
import { assert } from "../../../kernel/abi/errors.ts";

/** The mount driver's files. */
const DEVM = 0x4d;

/** What tells a file from all others of a name space: what eqchan compares. */
export type Fileid = { readonly type: number; readonly dev: number; readonly path: bigint };

/** Whether the file is the one of an entry. */
export function isfile(id: Fileid, d: Pick<Dir, "type" | "dev" | "qid">): boolean {
  return id.path === d.qid.path && id.dev === d.dev && id.type === d.type;
}

const NOQID: Qid = { path: 0n, vers: 0, type: 0 };

/** A file that clients have, or that a walk has found. */
export class Node {
  name: string;
  parent: Node | null;
  /** Which file it is, as this process sees it; null until a walk has found it. */
  id: Fileid | null = null;
  /** The qid that clients see. Its path never changes. */
  qid: Qid = NOQID;
  /** Fids and nodes that hold it. */
  ref = 0;
  /** It was removed through one of its fids. */
  gone = false;
  /** Renames of it that are under way. */
  moves = 0;
  readonly files: Map<string, Node> = new Map();
  /** Its path, as of that many renames. */
  path = "";
  asof = -1;

  constructor(parent: Node | null, name: string) {
    this.parent = parent;
    this.name = name;
  }

  /** It belongs to a server behind the mount driver. */
  get far(): boolean {
    return this.id?.type === DEVM;
  }
}

/** Whether the file, or a directory above it, is being renamed. */
export function ismoving(node: Node): boolean {
  for (let n: Node | null = node; n !== null; n = n.parent) if (n.moves > 0) return true;
  return false;
}

/** Whether two nodes are of one file. */
function samenode({ id: a }: Node, { id: b }: Node): boolean {
  return a?.path === b?.path && a?.dev === b?.dev && a?.type === b?.type;
}

/** The nodes of one export. */
export class Nodes {
  /** Nodes that are held, the root among them. */
  count = 0;
  /** Renames so far: a path is good until the next. */
  renames = 0;
  readonly #root: string;

  /** root is the name of the exported directory, "" for "/". */
  constructor(root: string) {
    this.#root = root;
  }

  /** The file's name in the server's name space. */
  path(node: Node): string {
    if (node.asof === this.renames) return node.path;
    const elems: string[] = [];
    for (let n = node; n.parent !== null; n = n.parent) elems.push(n.name);
    const path = [this.#root, ...elems.reverse()].join("/");
    node.path = path === "" ? "/" : path;
    node.asof = this.renames;
    return node.path;
  }

  /** Another reference to the file that was found; gives the node that it has. */
  hold(found: Node): Node {
    const fresh: Node[] = [];
    let at: Node = found;
    for (; at.ref === 0 && at.parent !== null; at = at.parent) fresh.push(at);
    for (const n of fresh.reverse()) at = this.#adopt(at, n);
    if (at.ref++ === 0) this.count++;
    return at;
  }

  /** The node of n's file below dir, which is held. */
  #adopt(dir: Node, n: Node): Node {
    const there = dir.files.get(n.name);
    if (there !== undefined && samenode(there, n)) return there;
    n.parent = dir;
    dir.files.set(n.name, n);
    if (dir.ref++ === 0) this.count++;
    return n;
  }

  /** Gives a reference up. */
  drop(node: Node): void {
    let n: Node | null = node;
    while (n !== null) {
      assert(n.ref > 0, "drop of a node that nothing holds");
      if (--n.ref > 0) return;
      this.count--;
      this.#unname(n);
      n = n.parent;
    }
  }

  /** The file has another name in its directory now. A file whose place it took is no more. */
  rename(n: Node, name: string): void {
    this.renames++;
    if (n.parent === null) return;
    const there = n.parent.files.get(name);
    if (there !== undefined && there !== n) there.gone = true;
    this.#unname(n);
    n.name = name;
    if (n.ref > 0) n.parent.files.set(name, n);
  }

  /** The file is no more. */
  remove(n: Node): void {
    n.gone = true;
    this.#unname(n);
  }

  #unname(n: Node): void {
    if (n.parent?.files.get(n.name) === n) n.parent.files.delete(n.name);
  }
}
