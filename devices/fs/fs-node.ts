// Device fs, #U: directories of the host as file trees, contained (hosttree-node.ts). The attach specifier
// says which, where there are several.
//
// A Chan names its file by the elements it was walked by, and knows it by its qid: an operation on a name
// where something else has come to be fails with "file does not exist". An open file has a descriptor of
// the host. Files are regular files and directories; others are seen and cannot be opened. Permissions are
// the host's for the user that the kernel runs as; modes are its rwx bits.
//
// Finding, opening, and changing names are done at once; reading, writing and listing wait for the host.

import type { BigIntStats } from "node:fs";
import { close, closeSync, fstatSync, fsync, read, readdir, write } from "node:fs";
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
import { convD2M, sizeD2M } from "../../kernel/abi/dir.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadspec,
  Ebadusefd,
  Edoesnotexist,
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
import { utfdecode } from "../../kernel/abi/utf.ts";
import { Fschan, checkname, nameof, opened, statentry, step } from "./fschan-node.ts";
import { hostcall, hostsync } from "./host-node.ts";
import {
  change,
  checkdir,
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
import type { Owner } from "./hostfile-node.ts";
import { Hosttree, hostpath } from "./hosttree-node.ts";
import type { Pin } from "./hosttree-node.ts";

/** A directory of the host that device fs serves. */
export type Fsroot = { readonly root: string; readonly readonly?: boolean };

/** Files open at one time. */
const NOPEN = 512;

/** Makes #U: one directory, or several by name, `#Uname`; without a name it is the first. */
export function newFs(k: Kernel, roots: Fsroot | Readonly<Record<string, Fsroot>>): Dev {
  return new Fsdev(k, isroot(roots) ? { "": roots } : roots);
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
  #nopen = 0;

  constructor(k: Kernel, roots: Readonly<Record<string, Fsroot>>) {
    super(k);
    this.#k = k;
    this.#owner = owner(k.user);
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
    if (isdir) this.#at(c, checkdir);
    else this.#hold(c, () => this.#at(c, (p) => openfile(p, omode)));
    return opened(c, mode, omode);
  }

  override create(up: Proc, c: Fschan, name: string, want: Want): Fschan {
    const mode = openmode(want.omode & ~(OCEXEC | ORCLOSE | OEXCL));
    const isdir = (want.perm & DMDIR) !== 0;
    if (c.tree.readonly || (want.perm & (DMAPPEND | DMEXCL)) !== 0) error(Eperm);
    if (isdir && (mode !== OREAD || (want.omode & ORCLOSE) !== 0)) error(Eperm);
    checkname(name);
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
    return opened(c, mode, want.omode);
  }

  override *close(c: Fschan): Task<void> {
    const { fd } = c;
    c.fd = -1;
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
    return yield* hostcall<number>(this.#k.sched, "host write", (done) =>
      write(fd, bytes, 0, bytes.length, offset, done),
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
    checkwstat(old, d, this.#owner);
    if (renames) this.#rename(c, d.name);
    try {
      this.#at(c, (p) => change(p, old, d));
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
    if (this.#nopen >= NOPEN) error(Enofd);
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

  /** Whole entries from c.dri on, of the names that there were at the beginning, sorted. */
  *#readdir(c: Fschan, buf: Uint8Array): Task<number> {
    if (c.dri === 0) c.entries = yield* this.#list(c);
    return this.#at(c, (dir) => {
      let n = 0;
      for (; c.dri < c.entries.length; c.dri++) {
        const name = c.entries[c.dri] ?? "";
        const st = statentry(c, dir, name);
        if (st === null) continue;
        const d = this.#dir(c, name, st);
        if (n + sizeD2M(d) > buf.length) return n > 0 ? n : error(Eshort);
        n = convD2M(d, buf, n);
      }
      return n;
    });
  }

  *#list(c: Fschan): Task<readonly string[]> {
    const p = c.tree.pin(c.names);
    try {
      if (c.tree.ino(p.st) !== c.qid.path) error(Enonexist);
      const names = yield* hostcall<Buffer[]>(this.#k.sched, "host directory", (done) =>
        readdir(hostpath(p.path), { encoding: "buffer" }, done),
      );
      return names.map((b) => utfdecode(b, 0, b.length)).sort();
    } finally {
      c.tree.unpin(p);
    }
  }

  #remove(c: Fschan): void {
    if (c.tree.readonly || c.names.length === 0) error(Eperm);
    this.#at(c, () => c.tree.at(c.names.slice(0, -1), (dir) => unlink(dir, nameof(c))));
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
