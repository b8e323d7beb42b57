// The Dev interface and what most devices share (Plan 9's port/dev.c): walking, listing and checking a
// tree that a `gen` function describes. A device is one object with a fixed vector of operations; the
// device switch (Devtab) finds it by the character of its # name.
//
// Who owns a Chan:
//
//	attach          gives the caller a new one
//	walk            gives the caller a new one; the old one stays the caller's
//	open, create    take over the Chan that they are given, and give one; if they throw, it stays the caller's
//	remove          the Chan stays the caller's, who still has to close it

import { COPEN, Chan, Path, chandrop } from "./chan.ts";
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
  refuse,
} from "./abi/errors.ts";
import type { Fact } from "./abi/errors.ts";
import type { Proc } from "./proc/proc.ts";
import { waitfor } from "./proc/rendez.ts";
import type { Answer, Task } from "./proc/rendez.ts";
import type { Readstream, Writestream } from "./stream.ts";
import type { EventBody, Wire } from "./trace.ts";

/**
 * What a walk came to. `clone` is null when not all names were walked. Then `qids` are those that were, and `error` says
 * why the next was not: the device's own string if it was the first, else the kernel's "does not exist" or "not a
 * directory". A miss is a value, so that a union can go on: a walk of one name
 * or more never throws a PlanError.
 */
export type Walkqid<C extends Chan = Chan> = {
  readonly clone: C | null;
  readonly qids: readonly Qid[];
  readonly error: string;
  /** What the error rests on, where the device knows. */
  readonly fact?: Fact;
};

/** What keeps the Chans of a device: the kernel. */
type Chankeeper = { readonly chans: Chans };

/**
 * One device: a vector of operations, each with its default here, so that a device writes down what is its
 * own. C is the device's kind of Chan. An operation throws PlanError when it fails, and gives a value, or a
 * Task where it has to wait: a star in front of an operation means that it may sleep.
 */
export abstract class Dev<C extends Chan = Chan> {
  /** Its character in # names, as a string of one code point. */
  abstract readonly dc: string;
  /** Its name in /dev/drivers. */
  abstract readonly name: string;
  /** The kernel's account of Chans, to which its own are added. */
  readonly chans: Chans;
  /** It waits for the host's world, so a virtual clock must stand still meanwhile. */
  readonly outside: boolean = false;
  /** What walks its Chans later, together with the operation that needs the walk; see Later. */
  readonly later: Later | null = null;

  constructor(k: Chankeeper) {
    this.chans = k.chans;
  }

  abstract attach(up: Proc, spec: string): Answer<C>;
  abstract walk(up: Proc, c: C, names: readonly string[]): Answer<Walkqid>;
  abstract stat(up: Proc, c: C): Answer<Dir>;
  abstract open(up: Proc, c: C, omode: number): Answer<Chan>;
  /** Fills buf from offset on; gives how many bytes. */
  abstract read(up: Proc, c: C, buf: Uint8Array, offset: number): Answer<number>;

  /**
   * A Chan for what names lead to from c, for a device that finds it without a wait, and need not tell the qids on the
   * way. null: a walk is to find out, or to say why not.
   */
  chanat(_up: Proc, _c: C, _names: readonly string[]): C | null {
    return null;
  }

  /**
   * The entry of what names lead to from c, for a device that can tell it without a Chan for it. null: a walk
   * and a stat are to find out, or to say why not.
   */
  statat(_up: Proc, _c: C, _names: readonly string[]): Dir | null {
    return null;
  }

  create(_up: Proc, _c: C, _name: string, _want: Want): Answer<Chan> {
    return error(Eperm);
  }

  close(_c: C): Answer<void> {}

  write(_up: Proc, _c: C, _bytes: Uint8Array, _offset: number): Answer<number> {
    return error(Eperm);
  }

  remove(_up: Proc, _c: C): Answer<void> {
    error(Eperm);
  }

  wstat(_up: Proc, _c: C, _d: Wstat): Answer<void> {
    error(Eperm);
  }

  /** Reads at most n bytes at the Chan's offset; the result is the caller's. Empty means end of file. */
  *bread(up: Proc, c: C, n: number): Task<Uint8Array> {
    const buf = new Uint8Array(n);
    return buf.subarray(0, yield* waitfor(this.read(up, c, buf, c.offset)));
  }

  /** Whether c's offset means something, so that reads and writes at it run in the order made. */
  plain(_c: C): boolean {
    return false;
  }

  /** Reads ahead from c's offset on; null: the file is simply read. */
  rstream(_up: Proc, _c: C): Answer<Readstream | null> {
    return null;
  }

  /** Writes without waiting from c's offset on; null: the file is simply written. */
  wstream(_up: Proc, _c: C): Writestream | null {
    return null;
  }

  /** The name under which c is posted, "#s/x": the service registry's. */
  srvname(_c: Chan): string | null {
    return null;
  }

  /** Ends a connection both ways, at once, as when its other end has sent what is no message. */
  hangup(_c: C): void {}

  /** The number of the 9P connection that c goes over: the mount driver's. 0 for any other device. */
  conn(_c: C): number {
    return 0;
  }

  /** Who is at the other end of a connection, "far!564"; null when that has no name. */
  peer(_c: C): string | null {
    return null;
  }

  /** The connection under c and the bytes written and read so far, where "wire" or "pipe" events tell of it. */
  wire(_c: C): Wire | null {
    return null;
  }

  /** What waits in an open Chan, as the events that told of it; each is told of one Chan only. */
  contents(_c: C): readonly EventBody[] {
    return [];
  }

  /** Lets what is reached from c, the root of a mount with MCACHE, be remembered. */
  cache(_c: C): void {}

  /** Ends what the device holds of its host (sockets, files): the kernel shuts down. */
  shutdown(): void {}
}

/** How create(2) wants the file. */
export type Want = { readonly omode: number; readonly perm: number };

/** The qid type of a λ Chan that has not walked at all. */
export const QTNONE: number = 0xff;

/**
 * The device λ, later: it puts off walks, so that the walk and the operation share one round trip. Its
 * Chans live inside one system call. An error that happened in the walk has PlanError.at, the number of
 * elements walked; the Chan's qid is then, and after a success, that of the last element walked.
 */
export interface Later<C extends Chan = Chan> extends Dev<C> {
  /** A Chan that pretends to have walked from c; null when c's server cannot take groups. */
  defer(c: Chan, names: readonly string[]): C | null;
  /** Sends the walk now, or the walk and a stat; a force or stat receives it, a close drops it. */
  ask(up: Proc, c: C, what: "walk" | "stat"): Task<void>;
  /** Makes the walk, or receives what ask sent. */
  force(up: Proc, c: C): Task<Walkqid>;
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
export type Gen<C extends Chan = Chan> = (
  up: Proc,
  c: C,
  s: number,
  name: string | null,
) => Dirent | null | "skip";

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

export function miss(qids: readonly Qid[], text: string): Walkqid<never> {
  return { clone: null, qids, error: text };
}

/** Walks names through gen, with a Chan for the result that starts as one for c's file. */
export function devwalk<C extends Chan>(
  up: Proc,
  nc: C,
  names: readonly string[],
  gen: Gen<C>,
): Walkqid<C> {
  const qids: Qid[] = [];
  let found: string | null = null;
  for (const name of names) {
    found = (nc.qid.type & QTDIR) === 0 ? Enotdir : devstep(up, nc, name, gen);
    if (found !== null) break;
    qids.push(nc.qid);
  }
  if (found === null) return { clone: nc, qids, error: "" };
  chandrop(nc);
  return miss(qids, qids.length === 0 || found === Enotdir ? found : Edoesnotexist);
}

/** One element: moves nc there and returns null, or says why not. */
function devstep<C extends Chan>(up: Proc, nc: C, name: string, gen: Gen<C>): string | null {
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
export function devstat<C extends Chan>(up: Proc, c: C, gen: Gen<C>): Dir {
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
export function devdirread<C extends Chan>(up: Proc, c: C, buf: Uint8Array, gen: Gen<C>): number {
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

/**
 * Throws unless up may open a file of `owner` in this way; the owner of the host is every file's group. OTRUNC needs
 * no permission to write, since a device's file has no contents that could be cut.
 */
export function devpermcheck(up: Proc, owner: string, perm: number, omode: number): void {
  const t = ACCESS[omode & 3] ?? 0;
  const mine = up.user === owner ? perm : up.user === up.k.user ? perm << 3 : perm << 6;
  if ((t & mine) === t) return;
  const fact = { why: "mode", name: "", mode: perm, uid: owner, gid: up.k.user } as const;
  refuse(Eperm, { ...fact, user: up.user, want: t >> 6 });
}

/** Checks an open mode and gives what the Chan's mode becomes. */
export function openmode(omode: number): number {
  const m = omode & ~OTRUNC;
  if (m > OEXEC) error(Ebadarg);
  return m === OEXEC ? OREAD : m;
}

/** open through gen: permissions as gen says; directories to read only. */
export function devopen<C extends Chan>(up: Proc, c: C, omode: number, gen: Gen<C>): C {
  for (let s = 0; ; s++) {
    const d = gen(up, c, s, null);
    if (d === null) break;
    if (d !== "skip" && d.qid.path === c.qid.path) {
      devpermcheck(up, d.uid ?? up.k.user, d.perm, omode);
      break;
    }
  }
  return opened(c, omode);
}

/** The end of every open: directories are read only, the mode is kept. */
export function opened<C extends Chan>(c: C, omode: number): C {
  if ((c.qid.type & QTDIR) !== 0 && (omode & ~OCEXEC) !== OREAD)
    refuse(Eperm, { why: "directory", name: dirname(c) });
  c.mode = openmode(omode & ~(OCEXEC | ORCLOSE));
  c.flag |= COPEN;
  c.offset = 0;
  return c;
}
