// Device fs, #U: directories of the host as file trees, contained (hosttree-node.ts). The attach specifier
// says which, where there are several.
//
// A Chan names its file by the elements it was walked by, and knows it by its qid: an operation on a name
// where something else has come to be fails with "file does not exist". An open file has a descriptor of
// the host. Files are regular files and directories; others are seen and cannot be opened. Permissions are
// the host's for the user that the kernel runs as; modes are its rwx bits, and what kept-node.ts remembers.
//
// Finding, opening, and changing names are done at once; reading, writing and listing wait for the host.

import type { BigIntStats } from "node:fs";
import { close, closeSync, fstatSync, fsync, read, readFileSync, write } from "node:fs";
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
import type { Task } from "../../kernel/proc/rendez.ts";
import { Fschan, checkname, nameof, opened, statentry, step } from "./fschan-node.ts";
import { hostcall, hostsync } from "./host-node.ts";
import {
  change,
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
import { Hosttree, hostpath } from "./hosttree-node.ts";
import type { Pin } from "./hosttree-node.ts";

/** A directory of the host that device fs serves. */
export type Fsroot = { readonly root: string; readonly readonly?: boolean };

/** What the device may use of the host, and as whom. */
export type Fsopts = {
  /** Who the kernel's user is at the host: the user of this process, if it is not given. */
  readonly as?: Ids;
  /** Files open at one time; half of what the host lets this process have, if it is not given. */
  readonly files?: number;
  /** Names of directories that are being read, together: 1,048,576. */
  readonly names?: number;
};

/** A directory cannot be read now: too many names are listed for others. */
export const Enonames = "no room to list directories";

const NAMES = 1 << 20;
/** Entries that one read gives: each is a call of the host's. */
const ENTRIES = 256;

/** Makes #U: one directory, or several by name, `#Uname`; without a name it is the first. */
export function newFs(
  k: Kernel,
  roots: Fsroot | Readonly<Record<string, Fsroot>>,
  opts: Fsopts = {},
): Dev {
  return new Fsdev(k, isroot(roots) ? { "": roots } : roots, opts);
}

const isroot = (r: Fsroot | Readonly<Record<string, Fsroot>>): r is Fsroot =>
  "root" in r && typeof r.root === "string";

const DEVCHAR = "U".charCodeAt(0);

class Fsdev extends Dev<Fschan> {
  readonly dc = "U";
  readonly name = "fs";
  readonly #k: Kernel;
  readonly #owner: Owner;
  readonly #trees: ReadonlyMap<string, Hosttree>;
  readonly #limits: { readonly files: number; readonly names: number };
  #nopen = 0;
  #nnames = 0;

  constructor(k: Kernel, roots: Readonly<Record<string, Fsroot>>, opts: Fsopts) {
    super(k);
    this.#limits = {
      files: opts.files ?? Math.floor(hostfiles() / 2),
      names: opts.names ?? NAMES,
    };
    this.#k = k;
    this.#owner = owner(k.user, opts.as);
    this.#trees = new Map(
      Object.entries(roots).map(([name, r]) => [name, new Hosttree(r.root, r.readonly === true)]),
    );
  }

  attach(_up: Proc, spec: string): Fschan {
    const names = [...this.#trees.keys()];
    const i = spec === "" ? 0 : names.indexOf(spec);
    const name = names[i];
    const tree = name === undefined ? undefined : this.#trees.get(name);
    if (tree === undefined) return error(Ebadspec);
    const c = new Fschan(this, tree, { names: [], qid: qidof(tree, tree.stat([])), devno: i });
    c.path = new Path(`#U${spec}`, []);
    return c;
  }

  walk(_up: Proc, c: Fschan, elems: readonly string[]): Walkqid<Fschan> {
    const names = [...c.names];
    const qids: Qid[] = [];
    let { qid } = c;
    for (const elem of elems) {
      const found = (qid.type & QTDIR) === 0 ? Enotdir : step(c.tree, names, elem);
      if (typeof found === "string")
        return miss(qids, qids.length === 0 || found === Enotdir ? found : Edoesnotexist);
      qids.push((qid = found));
    }
    const clone = new Fschan(this, c.tree, { names, qid, devno: c.devno });
    clone.path = c.path;
    return { clone, qids, error: "" };
  }

  stat(_up: Proc, c: Fschan): Dir {
    return this.#stat(c);
  }

  open(_up: Proc, c: Fschan, omode: number): Fschan {
    const mode = openmode(omode & ~(OCEXEC | ORCLOSE));
    const isdir = (c.qid.type & QTDIR) !== 0;
    if (isdir && (omode & (3 | OTRUNC | ORCLOSE)) !== OREAD) error(Eperm);
    if (c.tree.readonly && (mode !== OREAD || (omode & (OTRUNC | ORCLOSE)) !== 0)) error(Eperm);
    if ((omode & ORCLOSE) !== 0) this.#at(c, () => c.tree.at(c.names.slice(0, -1), checkparent));
    if (isdir) this.#at(c, checkdir);
    else this.#openfile(c, omode);
    return opened(c, mode, omode);
  }

  #openfile(c: Fschan, omode: number): void {
    const bits = c.tree.kept.of(c.qid.path);
    if ((bits & DMEXCL) !== 0) this.#checkexcl(c);
    c.append = (bits & DMAPPEND) !== 0;
    this.#hold(c, () => this.#at(c, (p) => openfile(p, omode, c.append)));
  }

  /** Fails when somebody has the file open. */
  #checkexcl(c: Fschan): void {
    for (const o of this.chans)
      if (o instanceof Fschan && o.fd >= 0 && o.tree === c.tree && o.qid.path === c.qid.path)
        error(Eexcl);
  }

  override create(up: Proc, c: Fschan, name: string, want: Want): Fschan {
    const mode = openmode(want.omode & ~(OCEXEC | ORCLOSE | OEXCL));
    const isdir = (want.perm & DMDIR) !== 0;
    if (c.tree.readonly || (isdir && (want.perm & KEPT) !== 0)) error(Eperm);
    if (isdir && (mode !== OREAD || (want.omode & ORCLOSE) !== 0)) error(Eperm);
    checkname(name);
    c.tree.kept.check(want.perm);
    const names = [...c.names, name];
    try {
      if (isdir) this.#at(c, () => mkdir(c.tree, names, want.perm));
      else this.#hold(c, () => this.#at(c, (dir) => mkfile(dir, name, want)));
    } catch (e) {
      // With OTRUNC an existing file is opened: what a server of 9P2000.ix needs.
      const there = e instanceof PlanError && e.message === Eexist;
      if (!there || (want.omode & (OTRUNC | OEXCL)) !== OTRUNC) throw e;
      this.#become(c, names);
      return this.open(up, c, want.omode);
    }
    this.#become(c, names);
    if ((want.perm & KEPT) !== 0) {
      c.append = (want.perm & DMAPPEND) !== 0;
      c.tree.kept.set(c.qid.path, want.perm);
      this.#become(c, names);
    }
    return opened(c, mode, want.omode);
  }

  override *close(c: Fschan): Task<void> {
    const { fd } = c;
    c.fd = -1;
    this.#unlist(c);
    try {
      if (fd < 0) return;
      this.#nopen--;
      // What was written may fail only now.
      if (c.written) yield* hostcall(this.#k.sched, "host close", (done) => close(fd, done));
      else closeSync(fd);
    } finally {
      if (c.rclose) this.#removequiet(c);
    }
  }

  *read(_up: Proc, c: Fschan, buf: Uint8Array, offset: number): Task<number> {
    if ((c.qid.type & QTDIR) !== 0) return yield* this.#readdir(c, buf);
    const { fd } = c;
    if (fd < 0) error(Ebadusefd);
    if (buf.length === 0) return 0;
    return yield* hostcall<number>(this.#k.sched, "host read", (done) =>
      read(fd, buf, 0, buf.length, offset, done),
    );
  }

  override *write(_up: Proc, c: Fschan, bytes: Uint8Array, offset: number): Task<number> {
    const { fd } = c;
    if (fd < 0) error(Ebadusefd);
    c.written = true;
    const at = c.append ? null : offset;
    return yield* hostcall<number>(this.#k.sched, "host write", (done) =>
      write(fd, bytes, 0, bytes.length, at, done),
    );
  }

  /** Files here are seekable. */
  override plain(): boolean {
    return true;
  }

  override remove(_up: Proc, c: Fschan): void {
    this.#remove(c);
  }

  override *wstat(_up: Proc, c: Fschan, d: Wstat): Task<void> {
    if (Object.keys(d).length === 0) return yield* this.#sync(c);
    if (c.tree.readonly) error(Eperm);
    const old = this.#dir(
      c,
      nameof(c),
      this.#at(c, (p) => p.st),
    );
    const renames = d.name !== undefined && d.name !== "" && d.name !== old.name;
    this.#at(c, (p) => checkwstat(p, old, d, this.#owner));
    c.tree.kept.check(d.mode ?? 0);
    if (renames) this.#rename(c, d.name);
    try {
      this.#at(c, (p) => change(c.tree, p, old, d));
    } catch (e) {
      if (renames) this.#rename(c, old.name);
      throw e;
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
  #at<T>(c: Fschan, fn: (p: Pin) => T): T {
    return c.tree.at(c.names, (p) => (c.tree.ino(p.st) === c.qid.path ? fn(p) : error(Enonexist)));
  }

  /** Gives c a descriptor of the host's, of which there are so many. */
  #hold(c: Fschan, fn: () => number): void {
    if (this.#nopen >= this.#limits.files) error(Enofd);
    c.fd = fn();
    this.#nopen++;
  }

  /** c is now the file called names. */
  #become(c: Fschan, names: readonly string[]): void {
    const st = c.fd >= 0 ? fstat(c.fd) : c.tree.stat(names);
    c.names = names;
    c.qid = qidof(c.tree, st);
  }

  #stat(c: Fschan): Dir {
    return this.#dir(c, nameof(c), c.fd >= 0 ? fstat(c.fd) : this.#at(c, (p) => p.st));
  }

  #dir(c: Fschan, name: string, st: BigIntStats): Dir {
    return { ...dirof(c.tree, st, this.#owner), name, type: DEVCHAR, dev: c.devno };
  }

  /** Whole entries of the names that there were at the beginning; those that went since are left out. */
  *#readdir(c: Fschan, buf: Uint8Array): Task<number> {
    if (c.list === null || (c.dri === 0 && c.list.taken > 0)) yield* this.#list(c);
    const { list } = c;
    if (list === null || list.next === undefined) return 0;
    return this.#at(c, (dir) => {
      let n = 0;
      for (let i = 0; i < ENTRIES || n === 0; i++) {
        const name = list.next;
        if (name === undefined) break;
        const st = statentry(c, dir, name);
        const end = st === null ? n : convD2M(this.#dir(c, name, st), buf, n);
        if (end < 0) return n > 0 ? n : error(Eshort);
        n = end;
        list.take();
        c.dri = list.taken;
      }
      return n;
    });
  }

  *#list(c: Fschan): Task<void> {
    this.#unlist(c);
    const p = c.tree.pin(c.names);
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

  #remove(c: Fschan): void {
    if (c.tree.readonly || c.names.length === 0) error(Eperm);
    this.#at(c, () => c.tree.at(c.names.slice(0, -1), (dir) => unlink(dir, nameof(c))));
    c.tree.kept.set(c.qid.path, 0);
  }

  #removequiet(c: Fschan): void {
    try {
      this.#remove(c);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }

  /** Renames the file of c; the Chans of it and of what is below it follow. */
  #rename(c: Fschan, name: string): void {
    if (c.names.length === 0) error(Eperm);
    checkname(name);
    const from = c.names;
    const to = [...from.slice(0, -1), name];
    c.tree.at(from.slice(0, -1), (dir) => rename(dir, nameof(c), name));
    for (const o of this.chans) {
      if (!(o instanceof Fschan) || o.tree !== c.tree) continue;
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

const fstat = (fd: number): BigIntStats => hostsync(() => fstatSync(fd, { bigint: true }));

/** Files that the host lets this process have open: 1024 where it does not say. */
function hostfiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    const found = /^Max open files +([0-9]+|unlimited)/m.exec(limits)?.[1] ?? "1024";
    return found === "unlimited" ? 1 << 20 : Number(found);
  } catch {
    return 1024;
  }
}
