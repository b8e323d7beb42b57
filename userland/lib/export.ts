// A name space as a Srv: the tree below a root, as this process sees it, served through system calls.
// exportfs(4)
//
// A fid is a name, and a descriptor once it is open. Files of several devices may have equal qids, so
// each device gets a number, which goes into the top bits of the qid.path that clients see.

import { OREAD, OEXEC, OTRUNC, QTDIR } from "../../kernel/abi/const.ts";
import { type Dir, type Qid, convM2D, putqid } from "../../kernel/abi/dir.ts";
import type { Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadstat,
  Edoesnotexist,
  Eintr,
  Enonexist,
  Eperm,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { Answer, Fid, Srv } from "./9p/srv.ts";
import { all } from "./all.ts";
import type { ThreadSys } from "./both.ts";

/** What is exported: the tree below root, to be read only if so; and what is spoken. */
export type Exportopts = Pick<Srv<Ex>, "version" | "msize"> & {
  readonly root?: string;
  readonly readonly?: boolean;
};

/** A file: its name below the root, and its descriptor when it is open. */
type Ex = {
  readonly elems: readonly string[];
  readonly qid: Qid;
  readonly fd: number;
  /** Where the descriptor's stream is, when that is known, and how often it was started. */
  stream?: { next: number; starts: number };
  /** It is a plain file of a server, so that writes may go ahead of their answers; those under way. */
  readonly far?: { writes: number };
};

/** The mount driver's files. */
const DEVM = 0x4d;
const PATHBITS = 48n;
const PATHMAX = 1n << PATHBITS;
/** The device number of paths that do not leave room for one: those are remembered, the latest of them. */
const LONG = 0xffffn << PATHBITS;
const MAXLONG = 1 << 20;

/** qid.paths that are unique over all devices. */
class Qids {
  readonly #devs: Map<string, bigint> = new Map();
  readonly #long: Map<string, bigint> = new Map();
  #nlong = 0n;

  unique(d: Pick<Dir, "type" | "dev" | "qid">): Qid {
    const key = `${d.type}.${d.dev}`;
    const { path } = d.qid;
    if (path >= PATHMAX) return { ...d.qid, path: this.#longpath(`${key}.${path}`) };
    let dev = this.#devs.get(key);
    if (dev === undefined) this.#devs.set(key, (dev = BigInt(this.#devs.size)));
    return dev === 0n ? d.qid : { ...d.qid, path: (dev << PATHBITS) | path };
  }

  #longpath(key: string): bigint {
    const known = this.#long.get(key);
    if (known !== undefined) return known;
    const path = LONG | (this.#nlong++ % PATHMAX);
    this.#long.set(key, path);
    const [oldest] = this.#long.keys();
    if (this.#long.size > MAXLONG && oldest !== undefined) this.#long.delete(oldest);
    return path;
  }
}

/** An error as the other side should see it: without our name of the file, and as if it were asked first. */
function* mapped<T>(task: Task<T>): Task<T> {
  try {
    return yield* task;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    const text = e.message.replace(/^'(?:[^']|'')*' /, "");
    throw new PlanError(text === Edoesnotexist ? Enonexist : text);
  }
}

/** The Srv of a name space. */
class Export implements Srv<Ex> {
  readonly version: string;
  readonly msize: number;
  readonly opensexisting = true;
  readonly noauth = "exportfs: authentication not required";
  readonly #sys: ThreadSys;
  readonly #root: string;
  readonly #readonly: boolean;
  readonly #qids = new Qids();

  constructor(sys: ThreadSys, opts: Exportopts) {
    this.#sys = sys;
    this.#root = (opts.root ?? "/").replace(/\/+$/, "");
    this.#readonly = opts.readonly === true;
    this.version = opts.version ?? "9P2000.ix.stream";
    this.msize = opts.msize ?? 1048576;
  }

  *attach(): Task<Ex> {
    return yield* mapped(this.#file([]));
  }

  qid(file: Ex): Qid {
    return file.qid;
  }

  /** All names on the way are asked for at once, so that a long walk is one round trip. */
  *walk(fid: Fid<Ex>, names: readonly string[]): Task<Ex[]> {
    let at = fid.aux.elems;
    const places = names.map((name) => {
      if (name === "..") at = at.slice(0, -1);
      else if (name !== ".") at = [...at, name];
      return at;
    });
    const files: Ex[] = [];
    const found = yield* all(
      this.#sys,
      places.map((elems) => mapped(this.#file(elems))),
    );
    for (const [i, f] of found.entries()) {
      if (!f.ok && i === 0) throw f.error;
      // Names are cleaned before they are looked up; a walk goes through directories only.
      const from = i === 0 ? fid.aux : files[i - 1];
      if (!f.ok || ((from?.qid.type ?? 0) & QTDIR) === 0) break;
      files.push(f.value);
    }
    return files.length === 0 ? error(Enonexist) : files;
  }

  *open(fid: Fid<Ex>, mode: number): Task<void> {
    const file = fid.aux;
    if (mode !== OREAD && mode !== OEXEC) this.#writes();
    const fd = yield* mapped(this.#sys.open(this.#name(file.elems), mode));
    fid.aux = { ...file, fd, ...(yield* this.#opened(fd)) };
  }

  *create(fid: Fid<Ex>, name: string, perm: number, mode: number): Task<Ex> {
    this.#writes();
    const elems = [...fid.aux.elems, name];
    // create truncates what is there, unless mode has OEXCL.
    const fd = yield* mapped(this.#sys.create(this.#name(elems), mode & ~OTRUNC, perm));
    return { elems, fd, ...(yield* this.#opened(fd)) };
  }

  *stream({ aux }: Fid<Ex>, offset: number): Task<void> {
    const s = (aux.stream ??= { next: -1, starts: 0 });
    if (s.next === offset) return;
    s.next = -1;
    const start = ++s.starts;
    yield* mapped(this.#sys.stream(aux.fd, offset));
    if (s.starts === start) s.next = offset;
  }

  *read(fid: Fid<Ex>, count: number, offset: number): Task<Uint8Array> {
    const { fd, qid } = fid.aux;
    const buf = new Uint8Array(count);
    if ((qid.type & QTDIR) === 0) {
      const sread = fid.aux.stream?.next === offset && count > 0;
      if (!sread) elsewhere(fid.aux);
      const n = sread ? this.#sread(fid.aux, buf, offset) : this.#sys.pread(fd, buf, offset);
      return buf.subarray(0, yield* mapped(n));
    }
    if (offset === 0 && fid.diroffset !== 0) yield* this.#sys.seek(fd, 0, 0);
    const n = yield* mapped(this.#sys.read(fd, buf));
    this.#fixqids(buf, n);
    return buf.subarray(0, n);
  }

  /** The next bytes of the stream. While they come nobody knows where it is, so others read at an offset. */
  *#sread(file: Ex, buf: Uint8Array, offset: number): Task<number> {
    const s = file.stream ?? { next: -1, starts: 0 };
    const { starts } = s;
    s.next = -1;
    const n = yield* this.#sys.sread(file.fd, buf);
    if (s.starts === starts) s.next = offset + n;
    return n;
  }

  /** Writes where stream was called go with it; a write beside others is by itself. */
  *wstream({ aux }: Fid<Ex>, offset: number): Task<boolean> {
    if (aux.far === undefined || aux.far.writes > 0) return false;
    aux.far.writes++;
    try {
      elsewhere(aux);
      yield* mapped(this.#sys.stream(aux.fd, offset));
    } finally {
      aux.far.writes--;
    }
    return true;
  }

  *write(fid: Fid<Ex>, data: Uint8Array, offset: number): Task<number> {
    const { fd, far } = fid.aux;
    elsewhere(fid.aux);
    if (far !== undefined) far.writes++;
    try {
      return yield* mapped(this.#sys.pwrite(fd, data, offset));
    } finally {
      if (far !== undefined) far.writes--;
    }
  }

  *stat(fid: Fid<Ex>): Task<Dir> {
    const { fd, elems } = fid.aux;
    const d = yield* mapped(fd < 0 ? this.#sys.stat(this.#name(elems)) : this.#sys.fstat(fd));
    return { ...d, qid: this.#qids.unique(d), name: elems.at(-1) ?? "/" };
  }

  *wstat(fid: Fid<Ex>, changes: Wstat): Task<void> {
    this.#writes();
    const { fd, elems } = fid.aux;
    yield* mapped(
      fd < 0 ? this.#sys.wstat(this.#name(elems), changes) : this.#sys.fwstat(fd, changes),
    );
    if (changes.name !== undefined && elems.length > 0)
      fid.aux = { ...fid.aux, elems: [...elems.slice(0, -1), changes.name] };
  }

  *remove(fid: Fid<Ex>): Task<void> {
    this.#writes();
    yield* mapped(this.#sys.remove(this.#name(fid.aux.elems)));
  }

  clunk(fid: Fid<Ex>): Answer<void> {
    return fid.aux.fd < 0 ? undefined : this.#sys.close(fid.aux.fd);
  }

  #writes(): void {
    if (this.#readonly) error(Eperm);
  }

  #name(elems: readonly string[]): string {
    return elems.length === 0 && this.#root === "" ? "/" : [this.#root, ...elems].join("/");
  }

  *#file(elems: readonly string[]): Task<Ex> {
    const d = yield* this.#sys.stat(this.#name(elems));
    return { elems, qid: this.#qids.unique(d), fd: -1 };
  }

  /** What an open file is now. */
  *#opened(fd: number): Task<Pick<Ex, "qid" | "far">> {
    for (;;) {
      try {
        const d = yield* this.#sys.fstat(fd);
        const far = d.type === DEVM && d.qid.type === 0;
        return { qid: this.#qids.unique(d), ...(far && { far: { writes: 0 } }) };
      } catch (e) {
        // A flush comes too late: the file is open, or even made.
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

/** A read or write at an offset of its own ends the stream. */
function elsewhere(file: Ex): void {
  if (file.stream === undefined) return;
  file.stream.next = -1;
  file.stream.starts++;
}

/** A server of this process's name space. */
export function newexport(sys: ThreadSys, opts: Exportopts = {}): Srv<Ex> {
  return new Export(sys, opts);
}
