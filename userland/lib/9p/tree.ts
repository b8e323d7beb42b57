// A server out of an object: names, and what they stand for. For servers whose files are made by a
// program as it goes.
//
//	tree({ motd: "be nice\n", time: () => now(), ctl: file({ write: command }), log: { today: ... } })
//
// A string or bytes are the file's contents; a function makes them each time the file is opened to be
// read; `file` also takes what is written, one write at a time; an object is a directory. Functions may be
// generators and take their time.

import { DMDIR, OEXEC, ORCLOSE, ORDWR, OREAD, OWRITE, QTDIR } from "../../../kernel/abi/const.ts";
import type { Dir, Qid } from "../../../kernel/abi/dir.ts";
import { Eperm, error } from "../../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { andthen, istask } from "./answer.ts";
import type { Answer, Fid, Srv } from "./srv.ts";

/** What a file holds. */
export type Contents = string | Uint8Array;

/** What a file does when it is opened to be read, and with each write. */
export type Filefns = {
  /** Makes what the file holds, when it is opened. */
  read?(): Answer<Contents>;
  /** Takes what was written, as text. */
  write?(text: string): Answer<void>;
};

/** A file that is more than its contents. */
export class File {
  /** What makes and takes the contents. */
  readonly fns: Filefns;

  constructor(fns: Filefns) {
    this.fns = fns;
  }
}

/** A file with functions of its own. */
export function file(fns: Filefns): File {
  return new File(fns);
}

/** A directory: names and what they stand for. */
export type Files = { readonly [name: string]: Contents | (() => Answer<Contents>) | File | Files };

/** A place in the tree. `text` is what an open fid reads. */
type Node = {
  readonly name: string;
  readonly qid: Qid;
  readonly fns: Filefns;
  readonly up: Node | null;
  readonly files: ReadonlyMap<string, Node> | null;
  readonly text: Uint8Array;
};

const EMPTY = new Uint8Array(0);
const bytes = (c: Contents): Uint8Array => (typeof c === "string" ? utfencode(c) : c);

/** A server of these files, which belong to `user`. */
export function tree(files: Files, user = "none"): Srv<Node> {
  const root = directory("/", files, null, { path: 0n });
  return {
    copies: true,
    attach: () => root,
    qid: (n) => n.qid,
    walk1: (dir, name) => (name === ".." ? (dir.up ?? dir) : (dir.files?.get(name) ?? null)),
    open: (fid, mode) => open(fid, mode),
    read: (fid, count, offset) => fid.aux.text.subarray(offset, offset + count),
    entries: (fid) => [...(fid.aux.files?.values() ?? [])].map((n) => stat(n, user)),
    write(fid, data) {
      const n = data.length;
      const done = fid.aux.fns.write?.(utfdecode(data, 0, n));
      return andthen(done, () => n);
    },
    stat: (fid) => stat(fid.aux, user),
  };
}

/** Makes a directory and all below it; `paths` counts the qids. */
function directory(name: string, files: Files, up: Node | null, paths: { path: bigint }): Node {
  const nodes = new Map<string, Node>();
  const qid = { path: paths.path++, vers: 0, type: QTDIR };
  const dir: Node = { name, qid, fns: {}, up, files: nodes, text: EMPTY };
  for (const [n, what] of Object.entries(files)) {
    const fns = filefns(what);
    if (fns === null) nodes.set(n, directory(n, what as Files, dir, paths));
    else nodes.set(n, leaf(n, fns, dir, paths.path++));
  }
  return dir;
}

const leaf = (name: string, fns: Filefns, up: Node, path: bigint): Node => ({
  name,
  qid: { path, vers: 0, type: 0 },
  fns,
  up,
  files: null,
  text: EMPTY,
});

/** What a file does; null for a directory. */
function filefns(what: Files[string]): Filefns | null {
  if (what instanceof File) return what.fns;
  if (typeof what === "function") return { read: what };
  if (typeof what === "string" || what instanceof Uint8Array) return { read: () => what };
  return null;
}

function open(fid: Fid<Node>, mode: number): Answer<void> {
  const node = fid.aux;
  if (node.files !== null) return undefined;
  const how = mode & 3;
  if (how === OEXEC || (mode & ORCLOSE) !== 0) error(Eperm);
  if ((how === OWRITE || how === ORDWR) && node.fns.write === undefined) error(Eperm);
  if (how === OWRITE) return undefined;
  if (node.fns.read === undefined) return how === OREAD ? error(Eperm) : undefined;
  const text = node.fns.read();
  if (istask(text)) return opened(fid, text);
  fid.aux = { ...node, text: bytes(text) };
  return undefined;
}

function* opened(fid: Fid<Node>, task: Task<Contents>): Task<void> {
  const text = bytes(yield* task);
  fid.aux = { ...fid.aux, text };
}

function stat(n: Node, user: string): Dir {
  const perm = (n.fns.read === undefined ? 0 : 0o444) | (n.fns.write === undefined ? 0 : 0o222);
  const mode = n.files === null ? perm : (DMDIR | 0o555) >>> 0;
  const { qid, name } = n;
  const times = { atime: 0, mtime: 0, length: 0 };
  return { type: 0, dev: 0, qid, mode, ...times, name, uid: user, gid: user, muid: user };
}
