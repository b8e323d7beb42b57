// A directory of the host and what is below it, and nothing else: how device fs finds a file there. Names
// are elements from the root down, none of them "..", and carry any bytes (kernel/abi/utf.ts).
//
// A file is pinned before anything is done to it: opened for its place alone (O_PATH), symbolic links
// followed, and then the host is asked where that place is. If it is not below the root, it is not used.
// Each operation goes through the pin, /proc/PID/fd/N, so a link that is swapped in meanwhile changes
// nothing. A host without /proc/PID/fd (not Linux) gets the real path instead, checked before each use: there a
// program of the host that swaps links at the right moment can win the race.
//
// A link whose end is inside the tree is what it leads to. One that leads outside, or nowhere, is an
// empty file of its own, with mode 0: it can be removed and renamed, and nothing else.
//
// To find a file takes the host some microseconds, so these calls wait only while a tree is slow (calls-node.ts).

import {
  closeSync,
  constants,
  existsSync,
  fstat,
  fstatSync,
  lstat,
  lstatSync,
  openSync,
  readlinkSync,
  realpath as realpath_,
  realpathSync,
} from "node:fs";
import type { BigIntStats } from "node:fs";
import { Enonexist, Enotdir, PlanError, error } from "../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { QLock } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Calls, Hostpath } from "./calls-node.ts";
import { hosterror, hostsync } from "./host-node.ts";
import { Kept } from "./kept-node.ts";

/** Directories of a tree that are kept open. */
const MAXDIRS = 128;
/** Linux's O_PATH, which Node does not name. */
const O_PATH = 0x200000;
/** This process's open files by their numbers. Its own number in the path saves the host a link at each call. */
const FDDIR = `/proc/${procself()}/fd`;
const hasbirth = process.platform !== "darwin";
const haspins = process.platform === "linux" && existsSync(FDDIR);

/** Surrogates: of a character beyond 16 bits, or a byte that is no UTF-8. */
const ODD = /[\ud800-\udfff]/;

/** A path of the host as Node takes it, from a string with any bytes. */
export function hostpath(s: string): Hostpath {
  if (!ODD.test(s)) return s;
  const b = utfencode(s);
  return Buffer.from(b.buffer, b.byteOffset, b.length);
}

const hoststring = (b: Uint8Array): string => utfdecode(b, 0, b.length);

const BIG = { bigint: true } as const;
/** For lstat: a file that is not there is a value. */
export const LOOK: { readonly bigint: true; readonly throwIfNoEntry: false } = {
  bigint: true,
  throwIfNoEntry: false,
};

/** A file that was found, until unpin. */
export type Pin = {
  /** -1 where the host has no pins. */
  readonly fd: number;
  /** Leads to the file itself; it, or a child's behind "/", may be given to the host. */
  readonly path: string;
  readonly st: BigIntStats;
  /** Added to the flags of each open: a link that is put in the file's place after the check is not followed. */
  readonly nofollow: number;
};

/** A directory of the host that device fs serves. */
export type Hostroot = {
  readonly root: string;
  readonly readonly?: boolean;
  /** A wstat to a name that exists takes the place of that file, as rename(2) does; else it is an error. */
  readonly replace?: boolean;
};

/** One root and what is below it. */
export class Hosttree {
  readonly readonly: boolean;
  /** A rename may take the place of a file. */
  readonly replace: boolean;
  /** What is known of its files that the host does not keep. */
  readonly kept: Kept = new Kept();
  readonly calls: Calls;
  /** Changes of names, one after another. */
  readonly lock: QLock = new QLock("host names");
  readonly #root: string;
  /** What leads to the root, and a name behind "/" to a file. */
  #base: string;
  readonly #pins: boolean;
  #fd: number;
  /** Directories that were looked into, by their number; the one used last is at the end. */
  readonly #dirs: Map<bigint, number> = new Map();
  /** Which directory the root is. */
  readonly #id: Pick<BigIntStats, "ino" | "dev">;
  /** The file system that most files are on: see ino. */
  readonly #devs = new Map<bigint, bigint>();

  /** Fails when root is no directory, and names it. */
  constructor(of: Hostroot, calls: Calls, pins: boolean = haspins) {
    const { root, readonly = false, replace = false } = of;
    this.readonly = readonly;
    this.replace = replace;
    this.calls = calls;
    this.#pins = pins;
    try {
      this.#root = hoststring(realpathSync.native(root, "buffer"));
      const flags = constants.O_DIRECTORY | (pins ? O_PATH : constants.O_RDONLY);
      this.#fd = openSync(hostpath(this.#root), flags);
    } catch (e) {
      throw new PlanError(`'${root}' ${hosterror(e)}`);
    }
    const st = fstatSync(this.#fd, BIG);
    this.#devs.set(st.dev, 0n);
    this.#id = { ino: st.ino, dev: st.dev };
    this.#base = pins ? `${FDDIR}/${this.#fd}` : this.#root;
  }

  /** Forgets the root: nothing is found any more. */
  close(): void {
    for (const fd of this.#dirs.values()) closeSync(fd);
    this.#dirs.clear();
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    // The descriptor's number may come back as another file's.
    this.#base = `${FDDIR}/-1`;
  }

  /** Finds a file, or throws: "file does not exist". */
  pin(names: readonly string[]): Task<Pin> {
    return this.#pins ? this.#pinfd(names) : this.#pinpath(names);
  }

  unpin(p: Pin): void {
    if (p.fd >= 0) closeSync(p.fd);
  }

  /** Pins a file while fn does something to it. */
  *at<T>(names: readonly string[], fn: (p: Pin) => Task<T>): Task<T> {
    const p = yield* this.pin(names);
    try {
      return yield* fn(p);
    } finally {
      this.unpin(p);
    }
  }

  /**
   * The directory called names, to look into with quick, as a descriptor that stays the tree's. null where the
   * pinned way must be taken: the tree is slow, or a name is a link. Each directory is opened from the one above
   * it, and no link is followed, so it is inside.
   */
  enter(names: readonly string[]): number | null {
    let dir = this.#fd;
    if (!this.#pins) return null;
    for (const name of names) {
      const st = this.quick(dir, name);
      if (st === null) return null;
      dir = this.into(dir, name, st);
    }
    return dir;
  }

  /** What a file in a directory is, by one call; null as for enter. */
  quick(dir: number, name: string): BigIntStats | null {
    if (this.calls.slow) return null;
    const path = hostpath(`${FDDIR}/${dir}/${name}`);
    const st = this.calls.now(() => lstatSync(path, LOOK));
    if (st === undefined) return error(Enonexist);
    return st.isSymbolicLink() ? null : st;
  }

  /** What the root is. That never waits: the root is open, and an attach at boot may not. */
  rootst(): BigIntStats {
    if (this.#pins) return linked(hostsync(() => fstatSync(this.#fd, BIG)));
    return this.#isroot(hostsync(() => lstatSync(hostpath(this.#root), BIG)));
  }

  #isroot(st: BigIntStats): BigIntStats {
    return st.ino === this.#id.ino && st.dev === this.#id.dev ? st : error(Enonexist);
  }

  /** The directory in dir that quick found, kept open for those who come after. */
  into(dir: number, name: string, st: BigIntStats): number {
    if (!st.isDirectory()) return error(Enotdir);
    const id = this.ino(st);
    const kept = this.#dirs.get(id);
    if (kept !== undefined) {
      this.#dirs.delete(id);
      this.#dirs.set(id, kept);
      return kept;
    }
    const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const fd = this.calls.now(() => openSync(hostpath(`${FDDIR}/${dir}/${name}`), flags));
    if (this.ino(fstatSync(fd, BIG)) !== id) {
      closeSync(fd);
      return error(Enonexist);
    }
    const [oldest] = this.#dirs;
    if (this.#dirs.size >= MAXDIRS && oldest !== undefined) {
      this.#dirs.delete(oldest[0]);
      closeSync(oldest[1]);
    }
    this.#dirs.set(id, fd);
    return fd;
  }

  /** What a file is, if it takes some time. */
  *stat(names: readonly string[]): Task<BigIntStats> {
    if (!this.#pins) yield* this.#checkroot();
    const st = yield* this.#lstat(`${this.#base}/${names.join("/")}`);
    if (!st.isSymbolicLink() && names.length > 0) return st;
    return yield* this.at(names, stof);
  }

  /** stat of a child of a pinned directory. */
  *statchild(dir: Pin, names: readonly string[]): Task<BigIntStats> {
    const st = yield* this.#lstat(`${dir.path}/${names.at(-1) ?? ""}`);
    if (!st.isSymbolicLink()) return st;
    return yield* this.at(names, stof);
  }

  *#lstat(name: string): Task<BigIntStats> {
    const path = hostpath(name);
    return yield* this.calls.call(
      () => lstatSync(path, LOOK) ?? error(Enonexist),
      (done) => lstat(path, BIG, done),
    );
  }

  /**
   * A number for a file that no other in the tree has, or had: its inode, which file system when not the
   * root's, and when it was born, since hosts give an inode again as soon as its file is gone. (macOS may
   * move a file's birth when its times are set.)
   */
  ino(st: BigIntStats): bigint {
    let dev = this.#devs.get(st.dev);
    if (dev === undefined) {
      dev = BigInt(this.#devs.size);
      this.#devs.set(st.dev, dev);
    }
    // 24 bits of the birth, above 32 of the inode.
    const born = hasbirth ? Number(BigInt.asUintN(32, st.birthtimeNs)) >>> 8 : 0;
    const path = st.ino ^ BigInt(born * 2 ** 32);
    return dev === 0n ? path : BigInt.asUintN(64, path ^ (dev << 56n));
  }

  *#pinfd(names: readonly string[]): Task<Pin> {
    const path = hostpath([this.#base, ...names].join("/"));
    // First where a link leads; then the link itself, which says why there is nothing, too.
    for (const nofollow of [0, constants.O_NOFOLLOW]) {
      const fd = yield* this.#tryopen(path, O_PATH | nofollow, nofollow !== 0);
      if (fd < 0) continue;
      let pinned = false;
      try {
        if (this.#inside(realpath(fd), realpath(this.#fd))) {
          const st = yield* this.calls.call(
            () => fstatSync(fd, BIG),
            (done) => fstat(fd, BIG, done),
          );
          if (names.length === 0) linked(st);
          pinned = true;
          return { fd, path: `${FDDIR}/${fd}`, st, nofollow: 0 };
        }
      } finally {
        if (!pinned) closeSync(fd);
      }
    }
    return error(Enonexist);
  }

  /** A descriptor, or -1 when that fails and need not succeed. */
  *#tryopen(path: Hostpath, flags: number, must: boolean): Task<number> {
    try {
      return yield* this.calls.open(path, flags);
    } catch (e) {
      if (must || !(e instanceof PlanError)) throw e;
      return -1;
    }
  }

  /** Where the root has a path only, fails when that leads to another directory. */
  *#checkroot(): Task<void> {
    this.#isroot(yield* this.#lstat(this.#root));
  }

  *#pinpath(names: readonly string[]): Task<Pin> {
    yield* this.#checkroot();
    const whole = [this.#root, ...names].join("/");
    const dir = [this.#root, ...names.slice(0, -1)].join("/");
    const nofollow = constants.O_NOFOLLOW ?? 0;
    for (const [from, rest] of [
      [whole, ""],
      [dir, names.length > 0 ? `/${names.at(-1) ?? ""}` : ""],
    ] as const) {
      const path = yield* this.#tryreal(from);
      if (path === null || !this.#inside(path, this.#root)) continue;
      const real = `${path}${rest}`;
      return { fd: -1, path: real, st: yield* this.#lstat(real), nofollow };
    }
    return error(Enonexist);
  }

  *#tryreal(name: string): Task<string | null> {
    const path = hostpath(name);
    try {
      const real = yield* this.calls.call(
        () => realpathSync.native(path, "buffer"),
        (done) => realpath_.native(path, "buffer", done),
      );
      return hoststring(real);
    } catch (e) {
      if (e instanceof PlanError) return null;
      throw e;
    }
  }

  #inside(path: string, root: string): boolean {
    return path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);
  }
}

/** The number that /proc knows this process by, which need not be process.pid in a container. */
function procself(): string {
  try {
    return readlinkSync("/proc/self");
  } catch {
    return "self";
  }
}

/** Where an open file is now; the host has that at hand. */
function realpath(fd: number): string {
  return hostsync(() => hoststring(readlinkSync(`${FDDIR}/${fd}`, "buffer")));
}

/** A root that was removed can still be asked, and is not there; nothing else comes to be found so. */
function linked(st: BigIntStats): BigIntStats {
  return st.nlink > 0n ? st : error(Enonexist);
}

/** What is known of a pinned file. */
function* stof(p: Pin): Task<BigIntStats> {
  return p.st;
}
