// A name space as a Srv: the tree below a root, as this process sees it, served through system calls.
// exportfs(4)
//
// A fid is a file, not a name: it has a node (export/node.ts), and an open file once it is open
// (export/openfile.ts). System calls take names, so an operation on a fid that is not open goes in steps:
//
//	1. The node says what the file is called now, after all renames through this server.
//	2. A stat of that name must give the file's qid. Else another file has taken the name, and the operation
//	   fails: file does not exist. An open is checked by the fstat behind it, unless it would change the file.
//	3. The operation is done by name.
//	4. Where the name led nowhere and a rename was under way, the rename is waited for, and the next try begins.
//
// A program beside the server that renames files between steps 2 and 3 is not seen. In a file system of this
// kernel there is no room between them; on a far server or at the host there is a little.

import { OREAD, OEXCL, OEXEC, ORCLOSE, OTRUNC, QTDIR } from "../../kernel/abi/const.ts";
import { type Dir, type Qid, convM2D, putqid } from "../../kernel/abi/dir.ts";
import type { Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadchar,
  Ebadstat,
  Edoesnotexist,
  Eexist,
  Eintr,
  Enonexist,
  Enotdir,
  Eperm,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";
import type { Task } from "../../syscalls/sys.ts";
import { istask } from "./9p/answer.ts";
import type { Answer, Fid, Srv } from "./9p/srv.ts";
import { all } from "./all.ts";
import type { Outcome } from "./all.ts";
import type { ThreadSys } from "./both.ts";
import { Node, Nodes, isfile, ismoving } from "./export/node.ts";
import { Openfile } from "./export/openfile.ts";
import { Qids } from "./export/qids.ts";

/** What an export serves, and with what limits; version and msize are those of the 9P connections. */
export type Exportopts = Pick<Srv<Ex>, "version" | "msize"> & {
  /** The directory that is served: / unless given. */
  readonly root?: string;
  /** Clients can read the files, and change nothing. */
  readonly readonly?: boolean;
  /** Files that may be open at a time, over all clients: 4,000. */
  readonly maxopen?: number;
  /** What the log calls the root, when that is not its name in this name space. */
  readonly called?: string;
  /** Writes a line about the export to the server's log. */
  readonly log?: (line: string) => Task<void>;
};

/** What a fid stands for: a file, and the open file when it is open. */
export type Ex = { node: Node; readonly open: Openfile | null };

/** Fewer than a process may have descriptors: the clients' connections need some. */
const MAXOPEN = 4000;
/** Renames that an operation may meet before it fails. */
const TRIES = 8;

/** What every client gets when another directory, or none, has the name of the root. */
export const Enoroot = "exported directory was removed";

/**
 * An error as the client should see it. The name of the file is left out, since it is a name of this name space.
 * "does not exist" becomes "file does not exist", as a file server says it.
 */
function outward(e: unknown): unknown {
  if (!(e instanceof PlanError)) return e;
  const text = e.message.replace(/^'(?:[^']|'')*' /, "");
  if (text.startsWith(`${Ebadchar}: `)) return new PlanError(Ebadchar);
  return new PlanError(text === Edoesnotexist ? Enonexist : text);
}

function* mapped<T>(task: Task<T>): Task<T> {
  try {
    return yield* task;
  } catch (e) {
    throw outward(e);
  }
}

const ismissing = (e: unknown): e is PlanError => e instanceof PlanError && e.message === Enonexist;
const isexisting = (e: unknown): boolean => {
  const out = outward(e);
  return out instanceof PlanError && out.message === Eexist;
};
const isdir = (n: Node): boolean => (n.qid.type & QTDIR) !== 0;

/** What a Tcreate asks for. */
type Creation = { readonly name: string; readonly perm: number; readonly mode: number };

/** The Srv of a name space; newexport makes one. */
export class Export implements Srv<Ex> {
  readonly version: string;
  readonly msize: number;
  readonly maxopen: number;
  readonly opensexisting: boolean = true;
  readonly noauth: string = "exportfs: authentication not required";
  readonly nodes: Nodes;
  readonly #sys: ThreadSys;
  readonly #opts: Exportopts;
  readonly #qids = new Qids();
  #root: Node | null = null;
  /** The log has been told that the root is gone. */
  #told = false;
  /** Threads that wait for a rename. */
  readonly #waiting: Set<object> = new Set();

  constructor(sys: ThreadSys, opts: Exportopts) {
    this.#sys = sys;
    this.#opts = opts;
    this.nodes = new Nodes((opts.root ?? "/").replace(/\/+$/, ""));
    this.version = opts.version ?? "9P2000.ix.stream";
    this.msize = opts.msize ?? 1048576;
    this.maxopen = opts.maxopen ?? MAXOPEN;
  }

  *attach(): Task<Ex> {
    let d: Dir;
    try {
      d = yield* mapped(this.#sys.stat(this.#opts.root ?? "/"));
    } catch (e) {
      if (ismissing(e)) return yield* this.#noroot();
      throw e;
    }
    const root = this.#root ?? this.#found(new Node(null, "/"), d);
    this.#root ??= this.nodes.hold(root);
    if (root.id === null || !isfile(root.id, d)) return yield* this.#noroot();
    return { node: root, open: null };
  }

  qid(file: Ex): Qid {
    return file.node.qid;
  }

  became(fid: Fid<Ex>, was: Ex | null): void {
    fid.aux.node = this.nodes.hold(fid.aux.node);
    if (was !== null) this.nodes.drop(was.node);
  }

  clunk(fid: Fid<Ex>): Answer<void> {
    this.nodes.drop(fid.aux.node);
    return fid.aux.open?.close();
  }

  *walk(fid: Fid<Ex>, names: readonly string[]): Task<Ex[]> {
    const from = fid.aux.node;
    if (!isdir(from)) error(Enotdir);
    for (let tries = 0; ; tries++) {
      const { renames } = this.nodes;
      let failure: unknown = null;
      let found: Ex[] = [];
      try {
        found = yield* this.#walk(from, names);
      } catch (e) {
        if (!ismissing(e)) throw e;
        failure = e;
      }
      if (failure !== null && ismoving(from)) yield* this.#settle(from);
      // What was found while something was renamed may have been found by an old name.
      if (this.nodes.renames !== renames && tries < TRIES) continue;
      if (failure === null) return found;
      throw failure;
    }
  }

  /** All names on the way are asked for at once, so that a long walk is one round trip. */
  *#walk(from: Node, names: readonly string[]): Task<Ex[]> {
    let at = from;
    const places = names.map((name) => {
      if (name === "..") at = at.parent ?? at;
      else if (name !== ".") at = new Node(at, name);
      return at;
    });
    const found = yield* this.#look([from, ...places]);
    const start = found.shift();
    if (start?.ok === false) return yield* this.#lost(start.error);
    const files: Ex[] = [];
    for (const [i, f] of found.entries()) {
      if (!f.ok && i === 0) throw f.error;
      // Names are cleaned before they are looked up; a walk goes through directories only.
      if (!f.ok || !isdir(i === 0 ? from : (places[i - 1] ?? from))) break;
      files.push({ node: places[i] ?? from, open: null });
    }
    return files.length === 0 ? error(Enonexist) : files;
  }

  /**
   * Checks that the files are where their nodes say, one thread for each. One name in a directory that is not far
   * needs no threads: a stat there costs no round trip.
   */
  *#look(nodes: readonly Node[]): Task<Outcome<Dir>[]> {
    const [from, place] = nodes;
    const tasks = nodes.map((n) => mapped(this.#check(n, this.nodes.path(n))));
    if (from === undefined || place === undefined || nodes.length > 2 || from.far)
      return yield* all(this.#sys, tasks);
    const found: Outcome<Dir>[] = [];
    for (const task of tasks) {
      try {
        found.push({ ok: true, value: yield* task });
      } catch (e) {
        if (!(e instanceof PlanError) || e.message === Eintr) throw e;
        found.push({ ok: false, error: e });
      }
    }
    return found;
  }

  *open(fid: Fid<Ex>, mode: number): Task<void> {
    const { node } = fid.aux;
    if (mode !== OREAD && mode !== OEXEC) this.#writes();
    const open = yield* this.#named(node, (path) => this.#open(node, path, mode));
    fid.aux = { node, open };
  }

  *#open(node: Node, path: string, mode: number): Task<Openfile> {
    if ((mode & (OTRUNC | ORCLOSE)) !== 0) yield* this.#check(node, path);
    const fd = yield* this.#sys.open(path, mode);
    return yield* this.#opened(fd, (d) => {
      this.#is(node, d);
      return new Openfile(this.#sys, fd, node.far && !isdir(node));
    });
  }

  *create(fid: Fid<Ex>, name: string, perm: number, mode: number): Task<Ex> {
    this.#writes();
    const dir = fid.aux.node;
    return yield* this.#named(dir, (path) => this.#create(dir, path, { name, perm, mode }));
  }

  /**
   * A far directory is checked beside the fstat, since a check before would cost a round trip more for each file.
   * There a file may be made in a directory that another program has just put in the place, and be refused then.
   * One that exists is opened, and so truncated, only after a check.
   */
  *#create(dir: Node, path: string, { name, perm, mode }: Creation): Task<Ex> {
    const make = (flags: number): Task<number> =>
      this.#sys.create(below(path, name), (mode & ~OTRUNC) | flags, perm);
    if (!dir.far) yield* this.#check(dir, path);
    let fd: number;
    try {
      // create truncates what is there, unless mode has OEXCL.
      fd = yield* make(dir.far ? OEXCL : 0);
    } catch (e) {
      if ((mode & OEXCL) !== 0 || !isexisting(e)) throw e;
      yield* this.#check(dir, path);
      fd = yield* make(0);
    }
    const made = dir.far ? () => this.#madein(dir, path, fd) : undefined;
    const opened = (d: Dir): Ex => {
      const node = this.#found(new Node(dir, name), d);
      return { node, open: new Openfile(this.#sys, fd, node.far && !isdir(node)) };
    };
    return yield* this.#opened(fd, opened, made);
  }

  /** The entry of a new file, if it is in the directory that was meant. */
  *#madein(dir: Node, path: string, fd: number): Task<Dir> {
    const found = yield* all(this.#sys, [this.#sys.fstat(fd), this.#check(dir, path)]);
    for (const f of found) if (!f.ok) throw f.error;
    const [made] = found;
    return made?.ok === true ? made.value : error(Enonexist);
  }

  *stream({ aux }: Fid<Ex>, offset: number): Task<void> {
    const open = openfile(aux);
    if (open.next === offset) return;
    open.next = -1;
    const start = ++open.starts;
    yield* using(open, (fd) => this.#sys.stream(fd, offset));
    if (open.starts === start) open.next = offset;
  }

  *read(fid: Fid<Ex>, count: number, offset: number): Task<Uint8Array> {
    const open = openfile(fid.aux);
    const buf = new Uint8Array(count);
    if (isdir(fid.aux.node)) {
      const rewind = offset === 0 && fid.diroffset !== 0;
      return buf.subarray(0, yield* using(open, (fd) => this.#readdir(fd, buf, rewind)));
    }
    const sread = open.next === offset && count > 0;
    if (!sread) open.elsewhere();
    const n = yield* using(open, (fd) =>
      sread ? this.#sread(open, fd, buf, offset) : this.#sys.pread(fd, buf, offset),
    );
    return buf.subarray(0, n);
  }

  *#readdir(fd: number, buf: Uint8Array, rewind: boolean): Task<number> {
    if (rewind) yield* this.#sys.seek(fd, 0, 0);
    const n = yield* this.#sys.read(fd, buf);
    this.#fixqids(buf, n);
    return n;
  }

  /** The next bytes of the stream. Meanwhile the descriptor's offset is not known, so others read at an offset. */
  *#sread(open: Openfile, fd: number, buf: Uint8Array, offset: number): Task<number> {
    const { starts } = open;
    open.next = -1;
    const n = yield* this.#sys.sread(fd, buf);
    if (open.starts === starts) open.next = offset + n;
    return n;
  }

  /**
   * Begins a write stream at the offset: pwrites that follow there go to the far server without waiting for each
   * other. False for a file that is not far, and while another write is under way.
   */
  *wstream({ aux }: Fid<Ex>, offset: number): Task<boolean> {
    const open = openfile(aux);
    if (!open.ahead || open.writes > 0) return false;
    open.writes++;
    try {
      open.elsewhere();
      yield* using(open, (fd) => this.#sys.stream(fd, offset));
    } finally {
      open.writes--;
    }
    return true;
  }

  *write(fid: Fid<Ex>, data: Uint8Array, offset: number): Task<number> {
    const open = openfile(fid.aux);
    open.elsewhere();
    open.writes++;
    try {
      return yield* using(open, (fd) => this.#sys.pwrite(fd, data, offset));
    } finally {
      open.writes--;
    }
  }

  *stat(fid: Fid<Ex>): Task<Dir> {
    const { node, open } = fid.aux;
    const d =
      open === null
        ? yield* this.#named(node, (path) => this.#check(node, path))
        : yield* using(open, (fd) => this.#sys.fstat(fd));
    return {
      ...d,
      qid: open === null ? node.qid : { ...d.qid, path: node.qid.path },
      name: node.name,
    };
  }

  *wstat(fid: Fid<Ex>, changes: Wstat): Task<void> {
    this.#writes();
    const { node, open } = fid.aux;
    if (changes.name !== undefined && node === this.#root) error(Eperm);
    if (open !== null)
      yield* using(open, (fd) => this.#rename(node, changes, this.#sys.fwstat(fd, changes)));
    else yield* this.#named(node, (path) => this.#wstat(node, path, changes));
  }

  *#wstat(node: Node, path: string, changes: Wstat): Task<void> {
    yield* this.#check(node, path);
    yield* this.#rename(node, changes, this.#sys.wstat(path, changes));
  }

  /**
   * Does a wstat, and gives the node its new name. Operations that failed under the old name wait for the rename to
   * end (#settle), and are woken here.
   */
  *#rename(node: Node, { name }: Wstat, task: Task<void>): Task<void> {
    if (name === undefined) return yield* task;
    node.moves++;
    try {
      yield* task;
      this.nodes.rename(node, name);
    } catch (e) {
      if (e instanceof PlanError && e.message === Eintr) yield* this.#renamed(node, name);
      throw e;
    } finally {
      node.moves--;
      for (const tag of this.#waiting) {
        this.#waiting.delete(tag);
        yield* this.#sys.rendezvous(tag, true);
      }
    }
  }

  /** A rename that was interrupted may have been done. */
  *#renamed(node: Node, name: string): Task<void> {
    if (node.parent === null) return;
    const there = new Node(node.parent, name);
    try {
      const d = yield* this.#sys.stat(this.nodes.path(there));
      if (node.id !== null && isfile(node.id, d)) this.nodes.rename(node, name);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }

  /** Waits until no rename of the node, or above it, is under way. */
  *#settle(node: Node): Task<void> {
    while (ismoving(node)) {
      const tag = {};
      this.#waiting.add(tag);
      try {
        if ((yield* this.#sys.rendezvous(tag, true)) === undefined) throw new PlanError(Eintr);
      } finally {
        this.#waiting.delete(tag);
      }
    }
  }

  *remove(fid: Fid<Ex>): Task<void> {
    // A file opened ORCLOSE goes with its descriptor, which removes the file that was opened and no other.
    if (fid.life === "ended") return;
    this.#writes();
    const { node } = fid.aux;
    if (node === this.#root) error(Eperm);
    yield* this.#named(node, (path) => this.#remove(node, path));
    this.nodes.remove(node);
  }

  *#remove(node: Node, path: string): Task<void> {
    yield* this.#check(node, path);
    yield* this.#sys.remove(path);
  }

  #writes(): void {
    if (this.#opts.readonly === true) error(Eperm);
  }

  /** Does op with the file's name. If there is no such file, and the node was renamed meanwhile, op is tried again. */
  *#named<T>(node: Node, op: (path: string) => Task<T>): Task<T> {
    for (let tries = 0; ; tries++) {
      if (node.gone) error(Enonexist);
      const path = this.nodes.path(node);
      try {
        return yield* op(path);
      } catch (e) {
        const out = outward(e);
        if (!ismissing(out)) throw out;
        if (ismoving(node)) yield* this.#settle(node);
        if (this.nodes.path(node) === path || tries >= TRIES) return yield* this.#lost(out);
      }
    }
  }

  /** The entry of the file that is called path, which must be the node's. */
  *#check(node: Node, path: string): Task<Dir> {
    const d = yield* this.#sys.stat(path);
    this.#is(node, d);
    return d;
  }

  /** Gives d to the node. A node that a walk has just made becomes d's file's; any other must be of that file. */
  #is(node: Node, d: Dir): void {
    if (node.id === null) this.#found(node, d);
    else if (!isfile(node.id, d)) error(Enonexist);
    else if (node.qid.vers !== d.qid.vers || node.qid.type !== d.qid.type)
      node.qid = { path: node.qid.path, vers: d.qid.vers, type: d.qid.type };
  }

  #found(node: Node, d: Dir): Node {
    node.id = { type: d.type, dev: d.dev, path: d.qid.path };
    node.qid = this.#qids.unique(d);
    return node;
  }

  /** Throws e. If e says that a file does not exist, and the root does not either, the error is Enoroot instead. */
  *#lost(e: PlanError): Task<never> {
    if (e.message !== Enonexist || this.#root === null) throw e;
    try {
      yield* mapped(this.#check(this.#root, this.nodes.path(this.#root)));
    } catch (why) {
      if (ismissing(why)) return yield* this.#noroot();
    }
    throw e;
  }

  *#noroot(): Task<never> {
    const { root = "/", called = root, log } = this.#opts;
    if (!this.#told && log !== undefined) {
      this.#told = true;
      yield* log(`exportfs: ${called} was removed or replaced: start exportfs again to serve it`);
    }
    return error(Enoroot);
  }

  /** Gives what make() makes of the entry that look() finds for a new descriptor. If one of them fails, fd is closed. */
  *#opened<T>(
    fd: number,
    make: (d: Dir) => T,
    look: () => Task<Dir> = () => this.#sys.fstat(fd),
  ): Task<T> {
    for (;;) {
      try {
        return make(yield* look());
      } catch (e) {
        // A flush (Eintr) comes too late here: the file is open, or even made. So its fstat is done again.
        if (e instanceof PlanError && e.message === Eintr) continue;
        yield* this.#sys.close(fd);
        throw e;
      }
    }
  }

  /** Makes the qids in a buffer of entries unique. */
  #fixqids(buf: Uint8Array, n: number): void {
    for (let o = 0; o < n;) {
      const e = convM2D(buf, o, n);
      if (e === null) return error(Ebadstat);
      putqid(buf, o + 8, this.#qids.unique(e.dir));
      o = e.next;
    }
  }
}

const below = (path: string, name: string): string =>
  path === "/" ? `/${name}` : `${path}/${name}`;

/** The open file of a fid. The 9P library refuses reads and writes of a fid that is not open (9p/rw.ts). */
const openfile = ({ open }: Ex): Openfile => open ?? error(Enonexist);

/** Does something with the descriptor, which is not closed meanwhile. */
function* using<T>(open: Openfile, fn: (fd: number) => Task<T>): Task<T> {
  const fd = open.begin();
  try {
    return yield* mapped(fn(fd));
  } finally {
    const a = open.end();
    if (istask(a)) yield* a;
  }
}

/**
 * Makes a server of the name space of this process. exportfs(4)
 *
 * @param sys the system calls of the process that serves
 * @param opts which part of it, and how
 * @returns the server, for serve, post or listensrv
 * @example
 * ```ts
 * await listensrv(sys, "tcp!127.0.0.1!5640", newexport(sys, { root: "/lib" }));
 * ```
 */
export function newexport(sys: ThreadSys, opts: Exportopts = {}): Export {
  return new Export(sys, opts);
}
