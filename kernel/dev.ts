// The Dev interface and what most devices share (Plan 9's port/dev.c): walking, listing and checking a
// tree that a `gen` function describes. A device is one object with a fixed vector of operations; the
// device switch (Devtab) finds it by the character of its # name.
//
// References: attach, open and create return a Chan the caller owns. walk returns a new one and leaves
// the old alone. open and create take over the Chan they are given when they succeed; when they throw it
// is still the caller's. A Chan that was removed is still to be closed.

import { COPEN, Chan, Path } from "./chan.ts";
import type { Chans } from "./chan.ts";
import { DMDIR, OCEXEC, ORCLOSE, OEXEC, OREAD, OTRUNC, QTDIR } from "./abi/const.ts";
import { convD2M, sizeD2M } from "./abi/dir.ts";
import type { Dir, Qid, Wstat } from "./abi/dir.ts";
import {
  Ebadarg,
  Edoesnotexist,
  Enonexist,
  Enotdir,
  Eperm,
  Eshort,
  PlanError,
  error,
} from "./abi/errors.ts";
import type { Proc } from "./proc/proc.ts";
import type { Task } from "./proc/rendez.ts";
import type { Readstream, Writestream } from "./stream.ts";
import type { Wire } from "./trace.ts";

/**
 * What a walk came to. `clone` is null when not all names were walked; then `qids` are those that were
 * and `error` says why the next was not (the device's own string when it was the first, else the
 * kernel's "does not exist" or "not a directory"). A miss is a value, so that a union can go on.
 */
export type Walkqid = {
  readonly clone: Chan | null;
  readonly qids: readonly Qid[];
  readonly error: string;
};

/** One device: every operation may wait and throws PlanError. */
export interface Dev {
  /** Its character in # names, as a string of one code point. */
  readonly dc: string;
  /** Its name in /dev/drivers. */
  readonly name: string;
  /** The kernel's account of Chans, to which its own are added. */
  readonly chans: Chans;
  attach(up: Proc, spec: string): Task<Chan>;
  walk(up: Proc, c: Chan, names: readonly string[]): Task<Walkqid>;
  stat(up: Proc, c: Chan): Task<Dir>;
  open(up: Proc, c: Chan, omode: number): Task<Chan>;
  create(up: Proc, c: Chan, name: string, want: Want): Task<Chan>;
  close(c: Chan): Task<void>;
  /** Fills buf from offset on; returns how many bytes. */
  read(up: Proc, c: Chan, buf: Uint8Array, offset: number): Task<number>;
  write(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Task<number>;
  /** walk, for a device that has it all at hand and never waits: the Chan, or a miss as walk's. */
  walkof?(up: Proc, c: Chan, names: readonly string[]): Chan | Walkqid;
  /** walk and stat at once, for a device that has it all at hand: no Chan is made. */
  statof?(up: Proc, c: Chan, names: readonly string[]): Dir | Walkqid;
  /** open, read and close, for such a device. */
  openof?(up: Proc, c: Chan, omode: number): Chan;
  readof?(up: Proc, c: Chan, buf: Uint8Array, offset: number): number;
  closeof?(c: Chan): void;
  remove(up: Proc, c: Chan): Task<void>;
  wstat(up: Proc, c: Chan, d: Wstat): Task<void>;
  /** Reads at most n bytes without copying: the result is the caller's. Empty means end of file. */
  bread?(up: Proc, c: Chan, n: number): Task<Uint8Array>;
  /** Ends what the device holds of its host (sockets, files): the kernel shuts down. */
  shutdown?(): void;
  /** The name under which c is posted, "#s/x": the service registry's. */
  srvname?(c: Chan): string | null;
  /** Ends a connection both ways, at once: who is at its other end cannot be believed. */
  hangup?(c: Chan): void;
  /** The number of the 9P connection that c goes over: the mount driver's. */
  conn?(c: Chan): number;
  /** Who is at the other end of a connection, "far!564"; null when that has no name. */
  peer?(c: Chan): string | null;
  /** The connection under c and the bytes written and read so far, where "wire" events tell of it. */
  wire?(c: Chan): Wire | null;
  /** Whether c's offset means something, so that reads and writes at it run in the order made. */
  plain?(c: Chan): boolean;
  /** Reads ahead from c's offset on; a device without it is simply read. */
  rstream?(up: Proc, c: Chan): Task<Readstream>;
  /** Writes without waiting from c's offset on. */
  wstream?(up: Proc, c: Chan): Writestream;
  /** It waits for the host's world, so a virtual clock must stand still meanwhile. */
  readonly outside?: boolean;
  /** Lets what is reached from c, the root of a mount with MCACHE, be remembered. */
  cache?(c: Chan): void;
  /** A Chan that may be walked later, together with the operation that needs it; see Later. */
  readonly later?: Later;
}

/** How create(2) wants the file. */
export type Want = { readonly omode: number; readonly perm: number };

/**
 * The device λ, later: it puts off walks, so that the walk and the operation share one round trip. Its
 * Chans live inside one system call. An error that happened in the walk has PlanError.at, the number of
 * elements walked; the Chan's qid is then, and after a success, that of the last element walked.
 */
export interface Later extends Dev {
  /** A Chan that pretends to have walked from c; null when c's server cannot take groups. */
  defer(c: Chan, names: readonly string[]): Chan | null;
  /** Sends the walk now, or the walk and a stat; a force or stat receives it, a close drops it. */
  ask(up: Proc, c: Chan, what: "walk" | "stat"): Task<void>;
  /** Makes the walk, or receives what ask sent. */
  force(up: Proc, c: Chan): Task<Walkqid>;
}

/** The device switch: devices by character, in the order given at boot. */
export class Devtab {
  readonly #bydc = new Map<string, Dev>();

  add(dev: Dev): void {
    this.#bydc.set(dev.dc, dev);
  }

  get(dc: string): Dev | undefined {
    return this.#bydc.get(dc);
  }

  [Symbol.iterator](): IterableIterator<Dev> {
    return this.#bydc.values();
  }
}

/** An entry of a kernel device's directory. */
export type Dirent = {
  readonly qid: Qid;
  readonly name: string;
  readonly length: number;
  readonly perm: number;
  readonly uid?: string;
};

/** Asks gen for the directory's parent. */
export const DEVDOTDOT = -1;

/**
 * Describes a device's tree: entry number s of directory c, or the parent when s is DEVDOTDOT. null
 * ends the directory, "skip" is a hole in it. `name` is what is looked for, when something is.
 */
export type Gen = (up: Proc, c: Chan, s: number, name: string | null) => Dirent | null | "skip";

export const devdir = (path: bigint): Qid => ({ path, vers: 0, type: QTDIR });
export const devfile = (path: bigint, vers = 0): Qid => ({ path, vers, type: 0 });

/** The root of a device: a Chan with the path that its # name has. */
export function devattach(dev: Dev, spec: string, qid: Qid = devdir(0n)): Chan {
  const c = new Chan(dev, qid);
  c.path = new Path(`#${dev.dc}${spec}`, []);
  return c;
}

/** A new Chan for the same file, not open. */
export function devclone(c: Chan): Chan {
  const nc = new Chan(c.dev, c.qid, c.devno);
  nc.path = c.path;
  return nc;
}

export function miss(qids: readonly Qid[], text: string): Walkqid {
  return { clone: null, qids, error: text };
}

/** Walks names through gen, with a Chan for the result that starts as one for c's file. */
export function devwalk(up: Proc, nc: Chan, names: readonly string[], gen: Gen): Walkqid {
  const qids: Qid[] = [];
  let found: string | null = null;
  for (const name of names) {
    found = (nc.qid.type & QTDIR) === 0 ? Enotdir : devstep(up, nc, name, gen);
    if (found !== null) break;
    qids.push(nc.qid);
  }
  if (found === null) return { clone: nc, qids, error: "" };
  nc.dev.chans.unlink(nc);
  return miss(qids, qids.length === 0 || found === Enotdir ? found : Edoesnotexist);
}

/** One element: moves nc there and returns null, or says why not. */
function devstep(up: Proc, nc: Chan, name: string, gen: Gen): string | null {
  if (name === ".") return null;
  if (name === "..") {
    const d = gen(up, nc, DEVDOTDOT, null);
    if (d !== null && d !== "skip") nc.qid = d.qid;
    return null;
  }
  for (let s = 0; ; s++) {
    const d = gen(up, nc, s, name);
    if (d === null) return Enonexist;
    if (d !== "skip" && d.name === name) {
      nc.qid = d.qid;
      return null;
    }
  }
}

/** A Dir for an entry of a kernel device; it belongs to `user`. */
export function devdirent(up: Proc, c: Chan, d: Dirent): Dir {
  const uid = d.uid ?? up.k.user;
  const now = up.k.clock.seconds();
  return {
    name: d.name,
    uid,
    gid: up.k.user,
    muid: uid,
    mode: (d.qid.type & QTDIR) !== 0 ? (DMDIR | d.perm) >>> 0 : d.perm,
    qid: d.qid,
    length: d.length,
    atime: now,
    mtime: up.k.boottime,
    type: c.dev.dc.codePointAt(0) ?? 0,
    dev: c.devno,
  };
}

/** What a kernel device calls a directory: the last element of the name it was reached by, "/" for that. */
export function dirname(c: Chan): string {
  const path = c.path.toString();
  return path === "/" ? path : path.slice(path.lastIndexOf("/") + 1);
}

/** stat through gen: a file is found by its qid among its siblings, a directory is described by itself. */
export function devstat(up: Proc, c: Chan, gen: Gen): Dir {
  for (let s = 0; ; s++) {
    const d = gen(up, c, s, null);
    if (d === null) {
      if ((c.qid.type & QTDIR) === 0) error(Enonexist);
      return devdirent(up, c, { qid: c.qid, name: dirname(c), length: 0, perm: 0o555 });
    }
    if (d !== "skip" && d.qid.path === c.qid.path) return devdirent(up, c, d);
  }
}

/** Whole entries of a directory into buf, from entry c.dri on. */
export function devdirread(up: Proc, c: Chan, buf: Uint8Array, gen: Gen): number {
  let n = 0;
  for (; ; c.dri++) {
    const e = gen(up, c, c.dri, null);
    if (e === null) return n;
    if (e === "skip") continue;
    const d = devdirent(up, c, e);
    if (n + sizeD2M(d) > buf.length) {
      // Too small a buffer loses no entry: it stays the next.
      if (n === 0) throw new PlanError(Eshort);
      return n;
    }
    n = convD2M(d, buf, n);
  }
}

const ACCESS: readonly number[] = [0o400, 0o200, 0o600, 0o100];

/** Throws unless `user` may open a file of `owner` in this way; kernel devices have no groups. */
export function devpermcheck(user: string, owner: string, perm: number, omode: number): void {
  const t = ACCESS[omode & 3] ?? 0;
  const mine = user === owner ? perm : perm << 6;
  const want = (omode & OTRUNC) !== 0 ? t | 0o200 : t;
  if ((want & mine & 0o700) !== (want & 0o700)) error(Eperm);
}

/** Checks an open mode and gives what the Chan's mode becomes. */
export function openmode(omode: number): number {
  const m = omode & ~OTRUNC;
  if (m > OEXEC) error(Ebadarg);
  return m === OEXEC ? OREAD : m;
}

/** open through gen: permissions as gen says; directories to read only. */
export function devopen(up: Proc, c: Chan, omode: number, gen: Gen): Chan {
  for (let s = 0; ; s++) {
    const d = gen(up, c, s, null);
    if (d === null) break;
    if (d !== "skip" && d.qid.path === c.qid.path) {
      devpermcheck(up.user, d.uid ?? up.k.user, d.perm, omode);
      break;
    }
  }
  return opened(c, omode);
}

/** The end of every open: directories are read only, the mode is kept. */
export function opened(c: Chan, omode: number): Chan {
  const mode = omode & ~(OCEXEC | ORCLOSE);
  if ((c.qid.type & QTDIR) !== 0 && mode !== OREAD) error(Eperm);
  c.mode = openmode(mode);
  c.flag |= COPEN;
  c.offset = 0;
  return c;
}

/** The operations that most kernel devices refuse or have nothing to do for. */
export const nodev = {
  *create(): Task<Chan> {
    return error(Eperm);
  },
  *remove(): Task<void> {
    error(Eperm);
  },
  *wstat(): Task<void> {
    error(Eperm);
  },
  *write(): Task<number> {
    return error(Eperm);
  },
  *close(): Task<void> {},
} as const;
