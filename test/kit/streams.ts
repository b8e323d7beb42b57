// Files for tests and benchmarks of streams. The bytes of a server here are computed, so a file may be of any size.
// Machines stand in a row, with such a server on the last, and programs read and write whole files.

import type { Booted } from "../../kernel/boot.ts";
import { DMDIR, MCREATE, MREPL, OREAD, OSTREAM, OWRITE, QTDIR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError, error } from "../../kernel/abi/errors.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { type Net, serve9p } from "../../userland/boot/net.ts";
import type { Linkspec } from "../../userland/boot/net.ts";
import type { Bootopts } from "../../userland/boot/boot.ts";
import type { Anysrv, Fid, Srv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { dial } from "../../userland/lib/dial.ts";
import { newexport } from "../../userland/lib/export.ts";
import { mkdir } from "./world.ts";

/** Byte i of every file is i modulo this, a prime, so that a byte out of its place is seen. */
const PERIOD = 251;
const LONGEST = 1 << 20;

const bytes: Uint8Array = new Uint8Array(LONGEST + PERIOD).map((_b, i) => i % PERIOD);

/** What a file has at offset: at most 1 MiB, and nobody's to write to. */
export function pattern(offset: number, count: number): Uint8Array {
  const at = offset % PERIOD;
  return bytes.subarray(at, at + Math.min(count, LONGEST));
}

/** Whether these are the bytes at offset. */
export function matches(offset: number, data: Uint8Array): boolean {
  for (let n = 0; n < data.length; n += LONGEST) {
    const part = data.subarray(n, n + LONGEST);
    const want = pattern(offset + n, part.length);
    if (Buffer.compare(part, want) !== 0) return false;
  }
  return true;
}

/** A file of a Patternfs. */
export type Made = {
  readonly name: string;
  readonly path: bigint;
  length: number;
  vers: number;
  /** qid.type and mode bits beside the permissions. */
  readonly type: number;
  /** Nothing can be written from here on: "file system full". */
  limit: number;
  /** A byte that was written was not what it should be. */
  wrong: boolean;
  /** What stat says its length is, where that is not so. */
  says?: number;
};

const Efull = "file system full";

/** The server: one directory of such files. What is created grows by what is written to it. */
export class Patternfs implements Srv<Made | null> {
  readonly files: Map<string, Made> = new Map();
  readonly version: string;
  readonly copies = true;
  readonly opensexisting = true;
  /** Bytes of data asked for so far, and reads. */
  nread = 0;
  reads = 0;
  #path = 0n;

  constructor(version = "9P2000.ix.stream") {
    this.version = version;
  }

  add(name: string, length: number, more: Partial<Made> = {}): Made {
    const plain = { vers: 1, type: 0, limit: Infinity, wrong: false };
    const f: Made = { name, length, path: ++this.#path, ...plain, ...more };
    this.files.set(name, f);
    return f;
  }

  attach(): null {
    return null;
  }

  qid(f: Made | null): Dir["qid"] {
    return f === null
      ? { path: 0n, vers: 0, type: QTDIR }
      : { path: f.path, vers: f.vers, type: f.type };
  }

  stat({ aux: f }: Fid<Made | null>): Dir {
    const uid = "glenda";
    const mode = f === null ? (DMDIR | 0o777) >>> 0 : 0o666 | (f.type << 24);
    const [name, length] = f === null ? ["/", 0] : [f.name, f.says ?? f.length];
    const times = { atime: 0, mtime: 0, type: 0, dev: 0 };
    return { ...times, name, length, mode, qid: this.qid(f), uid, gid: uid, muid: uid };
  }

  walk1(dir: Made | null, name: string): Made | null {
    return dir === null ? (this.files.get(name) ?? null) : null;
  }

  create(_fid: Fid<Made | null>, name: string): Made {
    const f = this.files.get(name);
    if (f === undefined) return this.add(name, 0);
    f.length = 0;
    f.vers++;
    return f;
  }

  read({ aux: f }: Fid<Made | null>, count: number, offset: number): Uint8Array {
    const n = Math.max(0, Math.min(count, (f?.length ?? 0) - offset));
    this.reads++;
    this.nread += n;
    return pattern(offset, n);
  }

  write({ aux: f }: Fid<Made | null>, data: Uint8Array, offset: number): number {
    if (f === null || offset >= f.limit) return error(Efull);
    const n = Math.min(data.length, f.limit - offset);
    if (!matches(offset, data)) f.wrong = true;
    f.length = Math.max(f.length, offset + n);
    f.vers++;
    return n;
  }
}

/**
 * Machines in a row, each with a link to the one before; srv is on the last. Those between mount the one
 * behind them on /n/far and export that. Gives the first and those between.
 */
export async function chain(
  net: Net,
  srv: Srv<Made | null>,
  links: readonly Linkspec[],
  opts: Bootopts = {},
): Promise<readonly [Booted, ...Booted[]]> {
  const here = await net.boot("m0", opts);
  const between: Booted[] = [];
  for (const i of links.keys())
    if (i + 1 < links.length) between.push(await net.boot(`m${i + 1}`, opts));
  const last = await net.boot(`m${links.length}`);
  for (const [i, spec] of links.entries()) net.link(`m${i}`, `m${i + 1}`, spec);
  await serve9p(last, "tcp!*!564", () => srv as Anysrv);
  for (const [i, k] of [...between.entries()].toReversed())
    await serve9p(k, "tcp!*!564", function* (sys: ThreadSys): Task<Anysrv> {
      yield* mountfar(sys, `m${i + 2}`);
      return newexport(sys, { root: "/n/far" }) as Anysrv;
    });
  return [here, ...between];
}

function* mountfar(sys: ThreadSys, name: string): Task<void> {
  const fd = yield* dial(sys, `tcp!${name}!564`);
  yield* sys.close(yield* sys.create("/n/far", OREAD, DMDIR | 0o777));
  yield* sys.mount(fd, -1, "/n/far", MREPL | MCREATE, "");
}

/** Mounts a machine's server on /n/far. */
export async function mount(sys: Sys, name: string): Promise<void> {
  const fd = await dial(sys, `tcp!${name}!564`);
  await mkdir(sys, "/n/far");
  await sys.mount(fd, -1, "/n/far", MREPL | MCREATE, "");
}

/** Reads a file from its beginning to its end by its stream; gives its length. Its bytes are looked at if so. */
export async function slurp(sys: Sys, name: string, check = false): Promise<number> {
  const fd = await sys.open(name, OREAD | OSTREAM);
  const buf = new Uint8Array(65536);
  let n = 0;
  for (;;) {
    const got = await sys.sread(fd, buf);
    if (got === 0) break;
    if (check && !matches(n, buf.subarray(0, got))) throw new Error(`wrong bytes at ${n}`);
    n += got;
  }
  await sys.close(fd);
  return n;
}

/** Makes a file of so many bytes by a stream. */
export async function spout(sys: Sys, name: string, length: number, size = 65536): Promise<void> {
  const fd = await sys.create(name, OWRITE | OSTREAM, 0o666);
  for (let n = 0; n < length; n += size)
    await sys.swrite(fd, pattern(n, Math.min(size, length - n)));
  await sys.close(fd);
}

/** What a call failed with. */
export async function failed(call: Promise<unknown>): Promise<PlanError> {
  try {
    await call;
  } catch (e) {
    if (e instanceof PlanError) return e;
    throw e;
  }
  throw new Error("it did not fail");
}
