// A directory of the host and what is below it, and nothing else: how device fs finds a file there. Names
// are elements from the root down, none of them "..", and carry any bytes (kernel/abi/utf.ts).
//
// A file is pinned before anything is done to it: opened for its place alone (O_PATH), symbolic links
// followed, and then the host is asked where that place is. If it is not below the root, it is not used.
// What is done goes through the pin, /proc/self/fd/N, so a link that somebody swaps in meanwhile changes
// nothing. A host without that (not Linux) gets the real path instead, checked before each use: there a
// program of the host that swaps links at the right moment can win the race.
//
// A link whose end is inside the tree is what it leads to. One that leads outside, or nowhere, is an
// empty file of its own, with mode 0: it can be removed and renamed, and nothing else.
//
// These calls do not wait: to find a file takes the host some microseconds.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
} from "node:fs";
import type { BigIntStats } from "node:fs";
import { Enonexist, PlanError, error } from "../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { hosterror, hostsync } from "./host-node.ts";
import { Kept } from "./kept-node.ts";

/** Linux's O_PATH, which Node does not name. */
const O_PATH = 0x200000;
const FDDIR = "/proc/self/fd";
const haspins = process.platform === "linux" && existsSync(FDDIR);

/** A path of the host as Node takes it, from a string with any bytes. */
export function hostpath(s: string): Buffer {
  const b = utfencode(s);
  return Buffer.from(b.buffer, b.byteOffset, b.length);
}

const hoststring = (b: Uint8Array): string => utfdecode(b, 0, b.length);

/** A file that was found, until unpin. */
export type Pin = {
  /** -1 where the host has no pins. */
  readonly fd: number;
  /** Leads to the file itself; it, or a child's behind "/", may be given to the host. */
  readonly path: string;
  readonly st: BigIntStats;
  /** What open flags need besides, lest a link be followed after the check. */
  readonly nofollow: number;
};

/** One root and what is below it. */
export class Hosttree {
  readonly readonly: boolean;
  /** What is known of its files that the host does not keep. */
  readonly kept: Kept = new Kept();
  readonly #root: string;
  readonly #pins: boolean;
  #fd: number;
  /** Which directory the root is. */
  readonly #id: Pick<BigIntStats, "ino" | "dev">;
  /** The file system that most files are on: see ino. */
  readonly #devs = new Map<bigint, bigint>();

  /** Fails when root is no directory, and names it. */
  constructor(root: string, readonly: boolean, pins: boolean = haspins) {
    this.readonly = readonly;
    this.#pins = pins;
    try {
      this.#root = hoststring(realpathSync.native(root, "buffer"));
      const flags = constants.O_DIRECTORY | (pins ? O_PATH : constants.O_RDONLY);
      this.#fd = openSync(hostpath(this.#root), flags);
    } catch (e) {
      throw new PlanError(`'${root}' ${hosterror(e)}`);
    }
    const st = fstatSync(this.#fd, { bigint: true });
    this.#devs.set(st.dev, 0n);
    this.#id = { ino: st.ino, dev: st.dev };
  }

  /** Forgets the root: nothing is found any more. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Finds a file, or throws: "file does not exist". */
  pin(names: readonly string[]): Pin {
    return hostsync(() => (this.#pins ? this.#pinfd(names) : this.#pinpath(names)));
  }

  unpin(p: Pin): void {
    if (p.fd >= 0) closeSync(p.fd);
  }

  /** Pins a file for the length of one function, which must not wait. */
  at<T>(names: readonly string[], fn: (p: Pin) => T): T {
    const p = this.pin(names);
    try {
      return hostsync(() => fn(p));
    } finally {
      this.unpin(p);
    }
  }

  /**
   * What a file is. Cheaper than a pin: only a link has to be found out about, where the directories
   * before it are known to be inside. It is not to be trusted with more than telling.
   */
  stat(names: readonly string[]): BigIntStats {
    if (!this.#pins) this.#checkroot();
    const base = this.#pins ? `${FDDIR}/${this.#fd}` : this.#root;
    const st = hostsync(() => lstatSync(hostpath(`${base}/${names.join("/")}`), { bigint: true }));
    return st.isSymbolicLink() || names.length === 0 ? this.at(names, (p) => p.st) : st;
  }

  /** stat of a child of a pinned directory. */
  statchild(dir: Pin, names: readonly string[]): BigIntStats {
    const name = names.at(-1) ?? "";
    const st = hostsync(() => lstatSync(hostpath(`${dir.path}/${name}`), { bigint: true }));
    return st.isSymbolicLink() ? this.at(names, (p) => p.st) : st;
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
    const born = process.platform === "darwin" ? 0n : BigInt.asUintN(24, st.birthtimeNs >> 8n);
    return BigInt.asUintN(64, st.ino ^ (dev << 56n) ^ (born << 32n));
  }

  #pinfd(names: readonly string[]): Pin {
    const path = hostpath([`${FDDIR}/${this.#fd}`, ...names].join("/"));
    // First where a link leads; then the link itself, which says why there is nothing, too.
    for (const nofollow of [0, constants.O_NOFOLLOW]) {
      const fd = tryopen(path, O_PATH | nofollow, nofollow !== 0);
      if (fd < 0) continue;
      if (this.#inside(realpath(fd), realpath(this.#fd))) {
        const st = fstatSync(fd, { bigint: true });
        // The root can be reached even when it was removed; nothing else can.
        if (st.nlink > 0n || names.length > 0)
          return { fd, path: `${FDDIR}/${fd}`, st, nofollow: 0 };
      }
      closeSync(fd);
    }
    return error(Enonexist);
  }

  /** Where the root has a path only, fails when that leads to another directory. */
  #checkroot(): void {
    const st = hostsync(() => lstatSync(hostpath(this.#root), { bigint: true }));
    if (st.ino !== this.#id.ino || st.dev !== this.#id.dev) error(Enonexist);
  }

  #pinpath(names: readonly string[]): Pin {
    this.#checkroot();
    const whole = [this.#root, ...names].join("/");
    const dir = [this.#root, ...names.slice(0, -1)].join("/");
    const nofollow = constants.O_NOFOLLOW ?? 0;
    for (const [from, rest] of [
      [whole, ""],
      [dir, names.length > 0 ? `/${names.at(-1) ?? ""}` : ""],
    ] as const) {
      const path = tryreal(from);
      if (path === null || !this.#inside(path, this.#root)) continue;
      const real = `${path}${rest}`;
      const st = lstatSync(hostpath(real), { bigint: true });
      return { fd: -1, path: real, st, nofollow };
    }
    return error(Enonexist);
  }

  #inside(path: string, root: string): boolean {
    return path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);
  }
}

/** Where an open file is now. */
function realpath(fd: number): string {
  return hoststring(readlinkSync(`${FDDIR}/${fd}`, "buffer"));
}

function tryreal(path: string): string | null {
  try {
    return hoststring(realpathSync.native(hostpath(path), "buffer"));
  } catch {
    return null;
  }
}

/** A descriptor, or -1 when that fails and need not succeed. */
function tryopen(path: Buffer, flags: number, must: boolean): number {
  try {
    return openSync(path, flags);
  } catch (e) {
    if (must) throw e;
    return -1;
  }
}
