// The file tree of ramfs, as a Srv: files in memory, with the rules and the words of Plan 9's ramfs.
// Every callback is plain, so a request is answered when it comes.
//
// Plan 9's keeps its files in an array: a new file takes the first free slot, and a directory lists its
// files by slot. So does this one, since programs (and ls -l) see the order. The slot of a removed file is free
// at once, and counts the fids that have any of its files open: so a new file for exclusive use may be in use by
// those of the file before it. Search permission is asked of the directory above the one searched, as there.
// Groups are of the form "u:u:u".

import { search } from "../../kernel/abi/search.ts";
import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
  QTDIR,
} from "../../kernel/abi/const.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import {
  Eexcl,
  Eexist,
  Efileexists,
  Eisdir,
  Enonexist,
  Enotdir,
  Enotempty,
  Eperm,
  error,
} from "../../kernel/abi/errors.ts";
import { utflen } from "../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../syscalls/sys.ts";
import type { Plainsrv } from "./9p/promises.ts";
import type { Fid, Srv } from "./9p/srv.ts";
import { Blocks, type Quota } from "./blocks.ts";

const Enotowner = "not owner";
const Etoobig = "write too big";
const Enoram = "no free ram resources";

/** The longest file, in bytes, unless said otherwise. */
export const MAXFILE: number = 768 * 1024 * 1024;
/** What all files may take together, in bytes, unless said otherwise. */
export const MAXTOTAL: number = 2 ** 31;
const MAXFILES = 1 << 20;
/** Bytes that a file takes beside its contents and its name, roughly. */
const FILECOST = 512;

const READ = 4;
const WRITE = 2;
const EXEC = 1;

/** A new name that no walk finds, which Plan 9's takes all the same. */
const ODDNAMES: ReadonlySet<string> = new Set(["/"]);

/** How to make a tree, and what its server speaks. */
export type Ramopts = Pick<Srv<Ram>, "version" | "msize"> & {
  /** The owner of the root. */
  readonly user: string;
  /** The root's permissions, 0o775 if not given. */
  readonly perm?: number;
  /** Bytes that all files may take together, their names and entries included; 2 GiB if not given. */
  readonly limit?: number;
  /** Bytes of the longest file, 768 MiB if not given; a longer one is "write too big". */
  readonly maxfile?: number;
  /** A wstat to a name that exists takes the place of that file, as rename(2) does; else it is "file exists". */
  readonly replace?: boolean;
};

/** A file or directory. */
export class Ram {
  readonly slot: number;
  readonly parent: Ram;
  readonly data: Blocks;
  readonly uid: string;
  muid: string;
  name: string;
  gid: string;
  perm: number;
  atime: number;
  mtime: number;
  qid: Qid;
  /** Not removed. */
  busy = true;
  readonly files: Map<string, Ram> = new Map();
  /** The files by slot; some of them may be gone. */
  #order: Ram[] = [];

  constructor(
    tree: Tree,
    parent: Ram | null,
    d: Pick<Dir, "name" | "uid" | "gid" | "muid" | "mode">,
  ) {
    this.slot = tree.slot();
    this.parent = parent ?? this;
    this.data = new Blocks(tree.quota);
    this.name = d.name;
    this.uid = d.uid;
    this.gid = d.gid;
    this.muid = d.muid;
    this.perm = d.mode;
    this.atime = this.mtime = tree.now;
    this.qid = { path: tree.path(), vers: 0, type: (d.mode & DMDIR) === 0 ? 0 : QTDIR };
  }

  get isdir(): boolean {
    return this.qid.type === QTDIR;
  }

  add(r: Ram): void {
    this.files.set(r.name, r);
    // Most new files have the last slot.
    const last = this.#order.at(-1);
    if (last === undefined || last.slot < r.slot) this.#order.push(r);
    else this.#order.splice(this.#place(r.slot), 0, r);
  }

  /** Takes out a file that is gone. The order forgets it when half of it is gone, so that no change sorts. */
  delete(r: Ram): void {
    this.files.delete(r.name);
    if (2 * this.files.size < this.#order.length) this.#order = this.#order.filter((f) => f.busy);
  }

  /** Gives a file, which keeps its place, another name. */
  rename(r: Ram, name: string): void {
    this.files.delete(r.name);
    r.name = name;
    this.files.set(name, r);
  }

  /** The first file in a slot behind this one. */
  behind(slot: number): Ram | undefined {
    let i = this.#place(slot + 1);
    while (this.#order[i]?.busy === false) i++;
    return this.#order[i];
  }

  /** Where the files begin whose slots are not below this one. */
  #place(slot: number): number {
    const order = this.#order;
    return search(order.length, (i) => (order[i]?.slot ?? 0) < slot);
  }

  /** Its contents were changed, by uid. */
  changed(uid: string, now: number): void {
    this.qid = { ...this.qid, vers: (this.qid.vers + 1) >>> 0 };
    this.muid = uid;
    this.mtime = now;
  }

  /** A file was made or removed in this directory, by uid. */
  moved(uid: string, now: number): void {
    this.muid = uid;
    this.mtime = now;
  }

  /** Its entry as it is now, for a read of its directory; null when it is gone. */
  entry(): Dir | null {
    return this.busy ? this.stat() : null;
  }

  stat(): Dir {
    const { qid, perm, atime, mtime, name, uid, gid, muid } = this;
    const length = this.data.length;
    return { type: 0, dev: 0, qid, mode: perm, atime, mtime, length, name, uid, gid, muid };
  }
}

/** What the files of a tree share. */
class Tree {
  readonly quota: Quota;
  readonly maxfile: number;
  readonly replace: boolean;
  now = 0;
  /** A request has come. */
  started = false;
  #paths = 0n;
  #slots = 0;
  /** By slot: the fids that have a file open that is, or was, in it. */
  readonly #opens: number[] = [];
  /** Free slots below #slots, a heap with the lowest first. */
  readonly #free: number[] = [];

  constructor({ limit = MAXTOTAL, maxfile = MAXFILE, replace = false }: Ramopts) {
    this.quota = { used: 0, limit };
    this.maxfile = maxfile;
    this.replace = replace;
  }

  /** Takes n bytes more of the quota, or gives back with n below 0. */
  take(n: number): void {
    if (n > 0 && this.quota.used + n > this.quota.limit) error(Enoram);
    this.quota.used += n;
  }

  path(): bigint {
    return this.#paths++;
  }

  /** The first free slot. */
  slot(): number {
    const heap = this.#free;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) {
      if (this.#slots >= MAXFILES) error(Enoram);
      return this.#slots++;
    }
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  /** How many fids have a file of this slot open. */
  opens(slot: number): number {
    return this.#opens[slot] ?? 0;
  }

  /** A fid opened a file of this slot (n is 1), or closed one (-1). */
  opened(slot: number, n: 1 | -1): void {
    this.#opens[slot] = this.opens(slot) + n;
  }

  free(slot: number): void {
    const heap = this.#free;
    let i = heap.length;
    for (; i > 0; i = (i - 1) >> 1) {
      const up = heap[(i - 1) >> 1] ?? 0;
      if (up <= slot) break;
      heap[i] = up;
    }
    heap[i] = slot;
  }

  /** Puts v where it belongs, from the top down. */
  #sink(v: number): void {
    const heap = this.#free;
    let i = 0;
    for (;;) {
      let kid = 2 * i + 1;
      if ((heap[kid + 1] ?? Infinity) < (heap[kid] ?? Infinity)) kid++;
      const k = heap[kid] ?? Infinity;
      if (k >= v) break;
      heap[i] = k;
      i = kid;
    }
    heap[i] = v;
  }
}

/** Whether a user may use a file so. */
function allowed(uid: string, r: Ram, how: number): boolean {
  let bits = r.perm & 7;
  if (uid === r.gid) bits |= (r.perm >> 3) & 7;
  if (uid === r.uid) bits |= (r.perm >> 6) & 7;
  return (bits & how) === how;
}

function must(fid: Fid<Ram>, r: Ram, how: number): void {
  if (!allowed(fid.uid, r, how)) error(Eperm);
}

/** The file of a fid, if it was not removed. */
function busy(fid: Fid<Ram>): Ram {
  return fid.aux.busy ? fid.aux : error(Enonexist);
}

/** The bytes that a file takes beside its contents. */
const cost = (name: string): number => FILECOST + utflen(name);

function open(tree: Tree, fid: Fid<Ram>, mode: number): void {
  const r = busy(fid);
  if ((r.perm & DMEXCL) !== 0 && tree.opens(r.slot) > 0) error(Eexcl);
  if (!r.isdir) mayopen(fid, r, mode);
  if ((mode & OTRUNC) !== 0 && (r.perm & DMAPPEND) === 0) {
    r.data.setlength(0);
    r.changed(fid.uid, tree.now);
  }
  tree.opened(r.slot, 1);
}

/** Fails unless the user has the permissions that a mode needs; a directory is listed with the permission to read. */
function mayopen(fid: Fid<Ram>, r: Ram, mode: number): void {
  const how = mode & 3;
  if ((mode & ORCLOSE) !== 0) must(fid, r.parent, WRITE);
  if (how === OWRITE || how === ORDWR || (mode & OTRUNC) !== 0) must(fid, r, WRITE);
  if (how === OREAD || how === ORDWR) must(fid, r, READ);
  if (how === OEXEC) must(fid, r, EXEC);
}

/** What of the asked for permissions a directory passes on. */
function inherit(perm: number, dir: number): number {
  const bits = (perm & DMDIR) === 0 ? 0o666 : 0o777;
  return (perm & (~bits | dir)) >>> 0;
}

function create(tree: Tree, fid: Fid<Ram>, name: string, perm: number): Ram {
  const dir = busy(fid);
  must(fid, dir, WRITE);
  if (dir.files.has(name)) error(Eexist);
  const mode = inherit(perm, dir.perm);
  tree.take(cost(name));
  const r = new Ram(tree, dir, { name, uid: fid.uid, gid: dir.gid, muid: fid.uid, mode });
  dir.add(r);
  dir.moved(fid.uid, tree.now);
  tree.opened(r.slot, 1);
  return r;
}

function write(tree: Tree, fid: Fid<Ram>, data: Uint8Array, offset: number): number {
  const r = busy(fid);
  if (r.isdir) error(Eisdir);
  const at = (r.perm & DMAPPEND) === 0 ? offset : r.data.length;
  if (at + data.length > tree.maxfile) error(Etoobig);
  if (!r.data.write(at, data)) error(Enoram);
  r.changed(fid.uid, tree.now);
  return data.length;
}

/** The files of a directory, each asked for its entry when it is read. */
function* entries(r: Ram): Generator<Ram, void, void> {
  for (let f = r.behind(-1); f !== undefined; f = r.behind(f.slot)) yield f;
}

function remove(tree: Tree, fid: Fid<Ram>): void {
  const r = busy(fid);
  if (r.parent === r) error(Eperm);
  // ORCLOSE was allowed when the file was opened.
  if (fid.omode < 0 || (fid.omode & ORCLOSE) === 0) must(fid, r.parent, WRITE);
  if (r.files.size > 0) error(Enotempty);
  gone(tree, fid, r);
}

/** Takes a file out of its directory; its fids find nothing any more. */
function gone(tree: Tree, fid: Fid<Ram>, r: Ram): void {
  r.busy = false;
  r.parent.delete(r);
  r.parent.moved(fid.uid, tree.now);
  r.data.setlength(0);
  tree.take(-cost(r.name));
  tree.free(r.slot);
}

function clunk(tree: Tree, fid: Fid<Ram>): void {
  if (fid.omode >= 0) tree.opened(fid.aux.slot, -1);
}

/** Whether r may take the place of a file, as rename(2) has it: a directory that of an empty one only. */
function mayreplace(tree: Tree, r: Ram, there: Ram): void {
  if (!tree.replace) error(Efileexists);
  if (there.isdir !== r.isdir) error(there.isdir ? Eisdir : Enotdir);
  if (there.files.size > 0) error(Enotempty);
}

/** All is checked before anything is changed. What a wstat cannot change is ignored, as Plan 9's does. */
function wstat(tree: Tree, fid: Fid<Ram>, w: Wstat): void {
  const r = busy(fid);
  const { name = r.name, gid = r.gid, length = r.data.length, mtime = r.mtime } = w;
  const longer = utflen(name) - utflen(r.name);
  const mode = (((w.mode ?? r.perm) & ~DMDIR) | (r.perm & DMDIR)) >>> 0;
  if (length !== r.data.length) {
    must(fid, r, WRITE);
    if (r.isdir) error(Eperm);
    if (length > tree.maxfile) error(Etoobig);
  }
  const there = name === r.name ? undefined : r.parent.files.get(name);
  if (name !== r.name) {
    must(fid, r.parent, WRITE);
    if (r.parent === r) error(Eperm);
    if (there !== undefined) mayreplace(tree, r, there);
  }
  const leader = fid.uid === r.uid || fid.uid === r.gid;
  if ((mode !== r.perm || mtime !== r.mtime) && !leader) error(Enotowner);
  if (gid !== r.gid && fid.uid !== r.uid && !(fid.uid === r.gid && fid.uid === gid))
    error(Enotowner);
  tree.take(longer);
  r.perm = mode;
  r.gid = gid;
  if (there !== undefined) gone(tree, fid, there);
  if (name !== r.name) r.parent.rename(r, name);
  if (length !== r.data.length) {
    r.data.setlength(length);
    r.changed(fid.uid, tree.now);
  }
  if (w.mtime !== undefined) r.mtime = mtime;
  r.parent.mtime = tree.now;
}

/** Looks at the time, for the requests that are taken now. The times of the root begin with the first of them. */
function* turn(sys: TaskSys, tree: Tree, root: Ram): Task<void> {
  tree.now = Number((yield* sys.nsec()) / 1_000_000_000n);
  if (!tree.started) root.atime = root.mtime = tree.now;
  tree.started = true;
}

/**
 * Makes a server of files in memory, which begins empty. A file that is truncated or removed gives its memory
 * back. ramfs(4)
 *
 * @param sys the system calls of the process that serves: it is asked for the time
 * @param opts the owner, the permissions of the root, limits in bytes
 * @returns the server, for serve, post, postmount or listensrv
 * @example
 * ```ts
 * newram(sys, { user: "glenda", perm: 0o777, maxfile: 2 ** 20, limit: 2 ** 26 });
 * ```
 */
export function newram(sys: TaskSys, opts: Ramopts): Plainsrv<Ram> {
  const { user, perm = 0o775, version, msize } = opts;
  const tree = new Tree(opts);
  const mode = (DMDIR | perm) >>> 0;
  const root = new Ram(tree, null, { name: ".", uid: user, gid: user, muid: user, mode });
  const srv: Plainsrv<Ram> = {
    noauth: "ramfs: no authentication required",
    copies: true,
    oddnames: ODDNAMES,
    turn: () => turn(sys, tree, root),
    attach: () => root,
    qid: (r) => r.qid,
    walk1(dir, name, fid) {
      if (!dir.busy) return error(Enonexist);
      dir.atime = tree.now;
      must(fid, dir.parent, EXEC);
      return name === ".." ? dir.parent : (dir.files.get(name) ?? null);
    },
    open: (fid, omode) => open(tree, fid, omode),
    create: (fid, name, mode_) => create(tree, fid, name, mode_),
    read(fid, count, offset) {
      const r = busy(fid);
      r.atime = tree.now;
      return r.data.read(offset, count);
    },
    entries: (fid) => entries(busy(fid)),
    write: (fid, data, offset) => write(tree, fid, data, offset),
    stat: (fid) => busy(fid).stat(),
    wstat: (fid, w) => wstat(tree, fid, w),
    remove: (fid) => remove(tree, fid),
    clunk: (fid) => clunk(tree, fid),
  };
  return Object.assign(
    srv,
    version === undefined ? null : { version },
    msize === undefined ? null : { msize },
  );
}
