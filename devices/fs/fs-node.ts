// Device fs, #U: directories of the host as file trees, contained (hosttree-node.ts). The attach specifier
// says which, where there are several.
//
// A Chan names its file by the elements it was walked by, and knows it by its qid: an operation on a name
// where something else has come to be fails with "file does not exist". An open file has a descriptor of
// the host. Files are regular files and directories; others are seen and cannot be opened. Permissions are
// the host's for the user that the kernel runs as; modes are its rwx bits, and what kept-node.ts remembers.
//
// Finding, opening, changing names and short reads are done at once, unless the host is slow (calls-node.ts);
// long reads, writing and listing wait for the host. What a walk saw of a file serves a stat that follows at once.

import type { BigIntStats } from "node:fs";
import { close, closeSync, fstat, fstatSync, fsync, read, readSync, write } from "node:fs";
import { Path } from "../../kernel/chan.ts";
import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  OCEXEC,
  OEXCL,
  ORCLOSE,
  OREAD,
  OTRUNC,
  QTDIR,
} from "../../kernel/abi/const.ts";
import { Dev, miss, openmode } from "../../kernel/dev.ts";
import type { Walkqid, Want } from "../../kernel/dev.ts";
import { convD2M } from "../../kernel/abi/dir.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadspec,
  Ebadusefd,
  Edoesnotexist,
  Eexcl,
  Eexist,
  Enofd,
  Enonexist,
  Enotdir,
  Eperm,
  Eshort,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Answer, Task } from "../../kernel/proc/rendez.ts";
import { Calls } from "./calls-node.ts";
import { Fschan, checkname, isplain, move, nameof, opened, statentry } from "./fschan-node.ts";
import { hostcall, hostfiles } from "./host-node.ts";
import {
  change,
  changesmore,
  checkdir,
  checkparent,
  checkwstat,
  dirof,
  mkdir,
  mkfile,
  openfile,
  owner,
  qidof,
  rename,
  unlink,
} from "./hostfile-node.ts";
import type { Ids, Owner } from "./hostfile-node.ts";
import { KEPT } from "./kept-node.ts";
import { listdir } from "./listing-node.ts";
import type { Listing } from "./listing-node.ts";
import { Hosttree, hostpath } from "./hosttree-node.ts";
import type { Hostroot, Pin } from "./hosttree-node.ts";

/** What the device may use of the host, and as whom. */
export type Fsopts = {
  /** Who the kernel's user is at the host: the user of this process, if it is not given. */
  readonly as?: Ids;
  /** Files open at one time; half of what the host lets this process have, if it is not given. */
  readonly files?: number;
  /** Names of directories that are being read, together: 1,048,576. */
  readonly names?: number;
  /** Gives milliseconds, for how long calls of the host take. */
  readonly now?: () => number;
};

/** A directory cannot be read now: too many names are listed for others. */
export const Enonames = "no room to list directories";

const NAMES = 1 << 20;
/** Bytes of a read that is made at once. */
const SHORT = 65536;
/** Entries that one read gives: each is a call of the host's. */
const ENTRIES = 256;

/** Makes #U: one directory, or several by name, `#Uname`; without a name it is the first. */
export function newFs(
  k: Kernel,
  roots: Hostroot | Readonly<Record<string, Hostroot>>,
  opts: Fsopts = {},
): Dev {
  return new Fsdev(k, isroot(roots) ? { "": roots } : roots, opts);
}

const isroot = (r: Hostroot | Readonly<Record<string, Hostroot>>): r is Hostroot =>
  "root" in r && typeof r.root === "string";

class Fsdev extends Dev<Fschan> {
  readonly dc = "U";
  readonly name = "fs";
  readonly #k: Kernel;
  readonly #owner: Owner;
  readonly #trees: ReadonlyMap<string, Hosttree>;
  readonly #limits: { readonly files: number; readonly names: number };
  #nopen = 0;
  #nnames = 0;
  /** Changes made so far. */
  #changes = 0;

  constructor(k: Kernel, roots: Readonly<Record<string, Hostroot>>, opts: Fsopts) {
    super(k);
    this.#limits = {
      files: opts.files ?? Math.floor(hostfiles() / 2),
      names: opts.names ?? NAMES,
    };
    this.#k = k;
    this.#owner = owner(k.user, opts.as);
    const now = opts.now ?? ((): number => performance.now());
    this.#trees = new Map(
      Object.entries(roots).map(([name, r]) => [name, new Hosttree(r, new Calls(k.sched, now))]),
    );
  }

  attach(_up: Proc, spec: string): Fschan {
    const names = [...this.#trees.keys()];
    const i = spec === "" ? 0 : names.indexOf(spec);
    const name = names[i];
    const tree = name === undefined ? undefined : this.#trees.get(name);
    if (tree === undefined) return error(Ebadspec);
    const c = new Fschan(this, tree, { names: [], qid: qidof(tree, tree.rootst()), devno: i });
    c.path = new Path(`#U${spec}`, []);
    return c;
  }

  /** At once, with one call for each element, where no link is on the way. */
  walk(_up: Proc, c: Fschan, elems: readonly string[]): Answer<Walkqid<Fschan>> {
    const { tree } = c;
    const at: Walking = { names: [...c.names], qids: [], qid: c.qid, st: null };
    try {
      let dir = elems.length === 0 ? null : tree.enter(at.names);
      if (dir === null && elems.length > 0) return this.#walkon(c, elems);
      for (const [i, elem] of elems.entries()) {
        const why = (at.qid.type & QTDIR) === 0 ? Enotdir : move(at.names, elem);
        if (why !== null) return missed(at, why);
        if (elem === "." || elem === "..") return this.#walkon(c, elems);
        const st = dir === null ? null : tree.quick(dir, elem);
        if (st === null || dir === null) return this.#walkon(c, elems);
        passed(tree, at, st);
        if (i < elems.length - 1 && st.isDirectory()) dir = tree.into(dir, elem, st);
      }
    } catch (e) {
      return missed(at, whyof(e));
    }
    return { clone: this.#walked(c, at), qids: at.qids, error: "" };
  }

  /** A walk that may have to wait. */
  *#walkon(c: Fschan, elems: readonly string[]): Task<Walkqid<Fschan>> {
    const names = [...c.names];
    const at: Walking = { names, qids: [], qid: c.qid, st: null };
    for (const elem of elems) {
      const why = (at.qid.type & QTDIR) === 0 ? Enotdir : move(names, elem);
      if (why !== null) return missed(at, why);
      try {
        passed(c.tree, at, yield* c.tree.stat(names));
      } catch (e) {
        return missed(at, whyof(e));
      }
    }
    // A stat on a way with links is not given to the caller: the file may lie outside of the root.
    at.st = null;
    return { clone: this.#walked(c, at), qids: at.qids, error: "" };
  }

  /** The Chan that a walk came to. What the walk saw of the file serves a stat that follows at once. */
  #walked(c: Fschan, { names, qid, st }: Walking): Fschan {
    const clone = new Fschan(this, c.tree, { names, qid, devno: c.devno });
    clone.path = c.path;
    clone.st = st;
    clone.asof = this.#moment;
    return clone;
  }

  /** The same number as long as nothing else has run in the kernel and nothing was changed through this device. */
  get #moment(): number {
    return this.#k.sched.resumed + this.#changes;
  }

  /** The entry of a file without a Chan, by one call for each element, where no link is on the way. */
  override statat(_up: Proc, c: Fschan, elems: readonly string[]): Dir | null {
    const { tree } = c;
    try {
      let dir = tree.enter(c.names);
      for (const [i, elem] of elems.entries()) {
        if (dir === null || !isplain(elem)) return null;
        const st = tree.quick(dir, elem);
        if (st === null) return null;
        if (i === elems.length - 1)
          return dirof(tree, st, this.#owner, { name: elem, dev: c.devno });
        if (!st.isDirectory()) return null;
        dir = tree.into(dir, elem, st);
      }
    } catch (e) {
      // The walk will say why.
      if (!(e instanceof PlanError)) throw e;
    }
    return null;
  }

  stat(_up: Proc, c: Fschan): Answer<Dir> {
    const { st, tree } = c;
    c.st = null;
    if (st !== null && c.asof === this.#moment) return this.#dir(c, nameof(c), st);
    if (tree.calls.slow) return this.#statslow(c);
    if (c.fd >= 0)
      return this.#dir(
        c,
        nameof(c),
        tree.calls.now(() => fstatSync(c.fd, BIG)),
      );
    const name = c.names.at(-1);
    if (name === undefined) return this.#dir(c, nameof(c), tree.rootst());
    const dir = tree.enter(c.names.slice(0, -1));
    const now = dir === null ? null : tree.quick(dir, name);
    if (now === null) return this.#statslow(c);
    return tree.ino(now) === c.qid.path ? this.#dir(c, nameof(c), now) : error(Enonexist);
  }

  *#statslow(c: Fschan): Task<Dir> {
    return this.#dir(c, nameof(c), yield* this.#stof(c));
  }

  *#stof(c: Fschan): Task<BigIntStats> {
    const { fd } = c;
    if (fd < 0) return yield* this.#at(c, stof);
    return yield* c.tree.calls.call(
      () => fstatSync(fd, BIG),
      (done) => fstat(fd, BIG, done),
    );
  }

  *open(_up: Proc, c: Fschan, omode: number): Task<Fschan> {
    const { calls } = c.tree;
    const mode = openmode(omode & ~(OCEXEC | ORCLOSE));
    const isdir = (c.qid.type & QTDIR) !== 0;
    if (isdir && (omode & (3 | OTRUNC | ORCLOSE)) !== OREAD) error(Eperm);
    if (c.tree.readonly && (mode !== OREAD || (omode & (OTRUNC | ORCLOSE)) !== 0)) error(Eperm);
    if ((omode & OTRUNC) !== 0) this.#changes++;
    if ((omode & ORCLOSE) !== 0)
      yield* this.#at(c, () => c.tree.at(c.names.slice(0, -1), (p) => checkparent(calls, p)));
    if (isdir) yield* this.#at(c, (p) => checkdir(calls, p));
    else yield* this.#openfile(c, omode);
    return opened(c, mode, omode);
  }

  *#openfile(c: Fschan, omode: number): Task<void> {
    const bits = c.tree.kept.of(c.qid.path);
    if ((bits & DMEXCL) !== 0) this.#checkexcl(c);
    c.append = (bits & DMAPPEND) !== 0;
    yield* this.#hold(
      c,
      this.#at(c, (p) => openfile(c.tree.calls, p, omode, c.append)),
    );
    // While it was opened, another may have been.
    if ((bits & DMEXCL) === 0) return;
    const { fd } = c;
    c.fd = -1;
    try {
      this.#checkexcl(c);
      c.fd = fd;
    } finally {
      if (c.fd < 0) this.#letgo(fd);
    }
  }

  /** Fails when a Chan has the file open. */
  #checkexcl(c: Fschan): void {
    for (const o of this.chans)
      if (o instanceof Fschan && o.fd >= 0 && o.tree === c.tree && o.qid.path === c.qid.path)
        error(Eexcl);
  }

  override create(up: Proc, c: Fschan, name: string, want: Want): Task<Fschan> {
    const isdir = (want.perm & DMDIR) !== 0;
    const mode = openmode(want.omode & ~(OCEXEC | ORCLOSE | OEXCL));
    if (c.tree.readonly || (isdir && (want.perm & KEPT) !== 0)) error(Eperm);
    if (isdir && (mode !== OREAD || (want.omode & ORCLOSE) !== 0)) error(Eperm);
    checkname(name);
    c.tree.kept.check(want.perm);
    return this.#changing(c.tree, this.#create(up, c, [...c.names, name], want));
  }

  *#create(up: Proc, c: Fschan, names: readonly string[], want: Want): Task<Fschan> {
    const { tree } = c;
    const name = names.at(-1) ?? "";
    try {
      if ((want.perm & DMDIR) !== 0)
        yield* this.#at(c, (dir) => mkdir(tree, dir, names, want.perm));
      else
        yield* this.#hold(
          c,
          this.#at(c, (dir) => mkfile(tree.calls, dir, name, want)),
        );
    } catch (e) {
      // With OTRUNC an existing file is opened: what a server of 9P2000.ix needs.
      const there = e instanceof PlanError && e.message === Eexist;
      if (!there || (want.omode & (OTRUNC | OEXCL)) !== OTRUNC) throw e;
      yield* this.#become(c, names);
      return yield* this.open(up, c, want.omode);
    }
    yield* this.#become(c, names);
    if ((want.perm & KEPT) !== 0) {
      c.append = (want.perm & DMAPPEND) !== 0;
      tree.kept.set(c.qid.path, want.perm);
      yield* this.#become(c, names);
    }
    const mode = openmode(want.omode & ~(OCEXEC | ORCLOSE | OEXCL));
    return opened(c, mode, want.omode);
  }

  override *close(c: Fschan): Task<void> {
    const { fd } = c;
    c.fd = -1;
    this.#unlist(c);
    try {
      if (fd < 0) return;
      // What was written may fail only now.
      if (!c.written) this.#letgo(fd);
      else {
        this.#nopen--;
        yield* hostcall(this.#k.sched, "host close", (done) => close(fd, done));
      }
    } finally {
      if (c.rclose) yield* this.#removequiet(c);
    }
  }

  /** Short reads of a quick disk are made at once. */
  read(_up: Proc, c: Fschan, buf: Uint8Array, offset: number): Answer<number> {
    if ((c.qid.type & QTDIR) !== 0) return this.#readdir(c, buf);
    const { fd } = c;
    const n = buf.length;
    if (fd < 0) error(Ebadusefd);
    if (n === 0) return 0;
    const { calls } = c.tree;
    if (n <= SHORT && !calls.slow) return calls.now(() => readSync(fd, buf, 0, n, offset));
    return hostcall<number>(this.#k.sched, "host read", (done) =>
      read(fd, buf, 0, n, offset, done),
    );
  }

  override *write(_up: Proc, c: Fschan, bytes: Uint8Array, offset: number): Task<number> {
    const { fd } = c;
    if (fd < 0) error(Ebadusefd);
    c.written = true;
    this.#changes++;
    const at = c.append ? null : offset;
    return yield* hostcall<number>(this.#k.sched, "host write", (done) =>
      write(fd, bytes, 0, bytes.length, at, done),
    );
  }

  /** Files here are seekable. */
  override plain(): boolean {
    return true;
  }

  override remove(_up: Proc, c: Fschan): Task<void> {
    return this.#changing(c.tree, this.#remove(c));
  }

  override wstat(_up: Proc, c: Fschan, d: Wstat): Task<void> {
    if (Object.keys(d).length === 0) return this.#sync(c);
    if (c.tree.readonly) error(Eperm);
    return this.#changing(c.tree, this.#wstat(c, d));
  }

  *#wstat(c: Fschan, d: Wstat): Task<void> {
    const p = yield* this.#at(c, pinof);
    const old = this.#dir(c, nameof(c), p.st);
    const renames = d.name !== undefined && d.name !== "" && d.name !== old.name;
    checkwstat(p, old, d, this.#owner);
    c.tree.kept.check(d.mode ?? 0);
    // What took the place of another file cannot go back: such a wstat changes nothing else.
    const replace = c.tree.replace && !changesmore(old, d);
    if (renames) yield* this.#rename(c, d.name, replace);
    try {
      yield* this.#at(c, (now) => change(c.tree, now, old, d));
    } catch (e) {
      if (renames) yield* this.#rename(c, old.name, false);
      throw e;
    }
  }

  /** Changes of names of one tree come one after another, also where they wait for the host. */
  *#changing<T>(tree: Hosttree, task: Task<T>): Task<T> {
    const { lock } = tree;
    this.#changes++;
    if (!lock.canlock()) yield* lock.lock();
    try {
      return yield* task;
    } finally {
      this.#changes++;
      lock.unlock();
    }
  }

  override shutdown(): void {
    for (const c of this.chans) {
      if (!(c instanceof Fschan) || c.fd < 0) continue;
      closeSync(c.fd);
      c.fd = -1;
    }
    for (const tree of this.#trees.values()) tree.close();
  }

  /** Does something to the file of c, and to no other that has come to have its name. */
  #at<T>(c: Fschan, fn: (p: Pin) => Task<T>): Task<T> {
    const { path } = c.qid;
    return c.tree.at(c.names, (p) => (c.tree.ino(p.st) === path ? fn(p) : error(Enonexist)));
  }

  /** Gives c a descriptor of the host's, of which there are so many. */
  *#hold(c: Fschan, task: Task<number>): Task<void> {
    if (this.#nopen >= this.#limits.files) error(Enofd);
    this.#nopen++;
    try {
      c.fd = yield* task;
    } finally {
      if (c.fd < 0) this.#nopen--;
    }
  }

  /** Closes a descriptor that was held. */
  #letgo(fd: number): void {
    this.#nopen--;
    closeSync(fd);
  }

  /** c is now the file called names. */
  *#become(c: Fschan, names: readonly string[]): Task<void> {
    c.st = null;
    const st = c.fd >= 0 ? yield* this.#stof(c) : yield* c.tree.stat(names);
    c.names = names;
    c.qid = qidof(c.tree, st);
  }

  #dir(c: Fschan, name: string, st: BigIntStats): Dir {
    return dirof(c.tree, st, this.#owner, { name, dev: c.devno });
  }

  /** Whole entries of the names that there were at the beginning; those that went since are left out. */
  *#readdir(c: Fschan, buf: Uint8Array): Task<number> {
    if (c.list === null || (c.dri === 0 && c.list.taken > 0)) yield* this.#list(c);
    const { list } = c;
    if (list === null || list.next === undefined) return 0;
    return yield* this.#at(c, (dir) => this.#entries(c, list, dir, buf));
  }

  *#entries(c: Fschan, list: Listing, dir: Pin, buf: Uint8Array): Task<number> {
    let n = 0;
    for (let i = 0; i < ENTRIES || n === 0; i++) {
      const name = list.next;
      if (name === undefined) break;
      const st = yield* statentry(c, dir, name);
      const end = st === null ? n : convD2M(this.#dir(c, name, st), buf, n);
      if (end < 0) return n > 0 ? n : error(Eshort);
      n = end;
      list.take();
      c.dri = list.taken;
    }
    return n;
  }

  *#list(c: Fschan): Task<void> {
    this.#unlist(c);
    const p = yield* c.tree.pin(c.names);
    let size = 0;
    try {
      if (c.tree.ino(p.st) !== c.qid.path) error(Enonexist);
      const list = yield* listdir(this.#k.sched, hostpath(p.path), (n) => {
        if (this.#nnames + n > this.#limits.names) error(Enonames);
        this.#nnames += n;
        size += n;
      });
      // Two reads at once may have listed it twice.
      this.#unlist(c);
      c.list = list;
      size = 0;
    } finally {
      this.#nnames -= size;
      c.tree.unpin(p);
    }
  }

  /** Gives up the names that were listed for c. */
  #unlist(c: Fschan): void {
    this.#nnames -= c.list?.size ?? 0;
    c.list = null;
  }

  *#remove(c: Fschan): Task<void> {
    const { tree } = c;
    if (tree.readonly || c.names.length === 0) error(Eperm);
    yield* this.#at(c, () =>
      tree.at(c.names.slice(0, -1), (dir) => unlink(tree.calls, dir, nameof(c))),
    );
    tree.kept.set(c.qid.path, 0);
  }

  *#removequiet(c: Fschan): Task<void> {
    try {
      yield* this.#changing(c.tree, this.#remove(c));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }

  /** Renames the file of c; the Chans of it and of what is below it follow. */
  *#rename(c: Fschan, name: string, replace: boolean): Task<void> {
    const { tree } = c;
    if (c.names.length === 0) error(Eperm);
    checkname(name);
    const from = c.names;
    const to = [...from.slice(0, -1), name];
    const gone = yield* tree.at(from.slice(0, -1), (dir) =>
      rename(tree.calls, dir, nameof(c), replace ? { to: name, onto: true } : { to: name }),
    );
    if (gone !== null) tree.kept.set(tree.ino(gone), 0);
    for (const o of this.chans) {
      if (!(o instanceof Fschan) || o.tree !== tree) continue;
      if (from.every((elem, i) => o.names[i] === elem))
        o.names = [...to, ...o.names.slice(to.length)];
    }
  }

  /** A wstat that changes nothing: what was written is to be on the disk. stat(5) */
  *#sync(c: Fschan): Task<void> {
    const { fd } = c;
    if (fd >= 0) yield* hostcall(this.#k.sched, "host sync", (done) => fsync(fd, done));
  }
}

/** How far a walk has come. */
type Walking = { readonly names: string[]; readonly qids: Qid[]; qid: Qid; st: BigIntStats | null };

/** A walk passed a file. */
function passed(tree: Hosttree, at: Walking, st: BigIntStats): void {
  at.st = st;
  at.qid = qidof(tree, st);
  at.qids.push(at.qid);
}

/** A walk stopped. */
function missed({ qids }: Walking, why: string): Walkqid<Fschan> {
  return miss(qids, qids.length === 0 || why === Enotdir ? why : Edoesnotexist);
}

/** Why a file was not found. */
function whyof(e: unknown): string {
  if (e instanceof PlanError) return e.message;
  throw e;
}

const BIG = { bigint: true } as const;

function* stof(p: Pin): Task<BigIntStats> {
  return p.st;
}

function* pinof(p: Pin): Task<Pin> {
  return p;
}
