// npm run bench -- fossilgrowth: what one more costs among many on a fossil whose cache is bounded, and what memory its
// process has taken at most: files of one directory, files of a tree, bytes of a file.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DMDIR, NOFID, NOTAG, OREAD, ORDWR, OWRITE } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { Calls } from "./calls.ts";
import { NAMEC, Server } from "./process.ts";
import { count } from "./rounds.ts";

/** Requests outstanding. */
const WINDOW = 16;
const CHUNK = 65536;
const MB = 1_000_000;
const CACHE = "64MB";
/** Files of each directory of the tree. */
const PERDIR = 1000;
/** Files that are looked at, at each size. */
const LOOKS = 2000;

/** A row of a table, when it is known: the last ones take minutes. */
export type Say = (text: string) => void;

const row = (say: Say, cells: readonly string[]): void =>
  say(
    `  ${(cells[0] ?? "").padEnd(34)}${cells
      .slice(1)
      .map((c) => c.padStart(22))
      .join("")}\n`,
  );

/** The sizes at which is measured; each list grows. */
export type Growth = {
  readonly directory: readonly number[];
  readonly tree: readonly number[];
  /** Megabytes. */
  readonly file: readonly number[];
};

async function each(n: number, fn: (i: number, lane: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lanes = Array.from({ length: Math.min(WINDOW, n) }, async (_, lane) => {
    for (let i = next++; i < n; i = next++) await fn(i, lane);
  });
  await Promise.all(lanes);
}

/** A fossil on a new disk, and a client of it. */
class Fossil {
  readonly #dir: string;
  readonly server: Server;
  readonly calls: Calls;

  private constructor(dir: string, server: Server, calls: Calls) {
    this.#dir = dir;
    this.server = server;
    this.calls = calls;
  }

  static async start(): Promise<Fossil> {
    const dir = mkdtempSync(join(tmpdir(), "namec-bench-"));
    const args = ["--db", join(dir, "db"), "--cache", CACHE, "--listen", "tcp!127.0.0.1!0"];
    const server = await Server.start([NAMEC, "serve", "fossil", ...args]);
    const calls = await Calls.dial(server.port);
    await calls.rpc({ type: F.Tversion, tag: NOTAG, msize: CHUNK + 24, version: "9P2000" });
    await calls.rpc({ type: F.Tattach, tag: 0, fid: 0, afid: NOFID, uname: "glenda", aname: "" });
    return new Fossil(dir, server, calls);
  }

  /** Microseconds of the server's processor time for each of n. */
  async cost(n: number, work: () => Promise<unknown>): Promise<number> {
    const before = this.server.cpu() ?? NaN;
    await work();
    return (((this.server.cpu() ?? NaN) - before) * 1000) / n;
  }

  async walk(newfid: number, ...wname: string[]): Promise<void> {
    await this.calls.rpc({ type: F.Twalk, tag: 0, fid: 0, newfid, wname });
  }

  async create(fid: number, name: string, perm: number, mode: number): Promise<void> {
    await this.calls.rpc({ type: F.Tcreate, tag: 0, fid, name, perm: perm >>> 0, mode });
  }

  async clunk(fid: number): Promise<void> {
    await this.calls.rpc({ type: F.Tclunk, tag: 0, fid });
  }

  /** Makes a file of 100 bytes. */
  async make(fid: number, dir: readonly string[], name: string): Promise<void> {
    await this.walk(fid, ...dir);
    await this.create(fid, name, 0o664, OWRITE);
    await this.calls.rpc({ type: F.Twrite, tag: 0, fid, offset: 0, data: SMALL });
    await this.clunk(fid);
  }

  /** Opens a file and reads it. */
  async look(fid: number, ...name: string[]): Promise<void> {
    await this.walk(fid, ...name);
    await this.calls.rpc({ type: F.Topen, tag: 0, fid, mode: OREAD });
    await this.calls.rpc({ type: F.Tread, tag: 0, fid, offset: 0, count: 8192 });
    await this.clunk(fid);
  }

  async mkdir(name: string): Promise<void> {
    await this.walk(1);
    await this.create(1, name, DMDIR | 0o775, OREAD);
    await this.clunk(1);
  }

  async end(): Promise<void> {
    this.calls.close();
    await this.server.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

const SMALL = Buffer.alloc(100, "small file ");

/** Another number below n that is not the next one. */
const pick = (n: number, i: number): number => (i * 7919) % n;

const memory = (f: Fossil): string => `${Math.round((f.server.peak() ?? NaN) / MB)} MB`;

/** Files below a root: `dirof` says in which directory the i-th is. */
async function files(
  say: Say,
  title: string,
  sizes: readonly number[],
  dirof: (i: number) => string,
): Promise<void> {
  const f = await Fossil.start();
  row(say, [title, "made, CPU us each", "opened and read", "memory at most"]);
  let have = 0;
  const dirs = new Set<string>();
  for (const n of sizes) {
    for (let i = have; i < n; i++) {
      const dir = dirof(i);
      if (dirs.has(dir)) continue;
      dirs.add(dir);
      await f.mkdir(dir);
    }
    const from = have;
    const made = await f.cost(n - from, () =>
      each(n - from, (i, lane) => f.make(10 + lane, [dirof(from + i)], `f${from + i}`)),
    );
    have = n;
    const looked = await f.cost(LOOKS, () =>
      each(LOOKS, (i, lane) => f.look(10 + lane, dirof(pick(n, i)), `f${pick(n, i)}`)),
    );
    row(say, [count(n), made.toFixed(0), looked.toFixed(0), memory(f)]);
  }
  await f.end();
}

/** A file that is written to its end, and read at random places; and one with holes. */
async function bytes(say: Say, sizes: readonly number[]): Promise<void> {
  const f = await Fossil.start();
  const { calls } = f;
  const lanes = Array.from({ length: WINDOW }, () => Buffer.alloc(CHUNK, "written in sequence "));
  row(say, ["bytes of a file", "written, CPU us a MB", "read at random", "memory at most"]);
  const write = async (fid: number, i: number, lane: number): Promise<void> => {
    const data = lanes[lane] ?? Buffer.alloc(CHUNK);
    data.writeUInt32LE(i, 0);
    await calls.rpc({ type: F.Twrite, tag: 0, fid, offset: i * CHUNK, data });
  };
  const reads = async (n: number): Promise<unknown> =>
    each(LOOKS / 2, (i) => {
      const offset = pick(n, i) * CHUNK;
      return calls.rpc({ type: F.Tread, tag: 0, fid: 2, offset, count: CHUNK });
    });
  const read = ((LOOKS / 2) * CHUNK) / MB;
  await f.walk(2);
  await f.create(2, "big", 0o664, ORDWR);
  let have = 0;
  for (const size of sizes) {
    const n = Math.floor((size * MB) / CHUNK);
    const from = have;
    const cost = await f.cost(((n - from) * CHUNK) / MB, async () => {
      await each(n - from, (i, lane) => write(2, from + i, lane));
      await calls.sync(2);
    });
    have = n;
    const looked = await f.cost(read, () => reads(n));
    row(say, [`${count(size)} MB`, cost.toFixed(0), looked.toFixed(0), memory(f)]);
  }
  await f.clunk(2);
  const last = sizes.at(-1) ?? 1;
  const n = Math.floor((last * MB) / CHUNK);
  await f.walk(2);
  await f.create(2, "holes", 0o664, ORDWR);
  const holes = await f.cost(1000, async () => {
    await each(1000, (i, lane) => write(2, Math.floor((i * n) / 1000), lane));
    await calls.sync(2);
  });
  const looked = await f.cost(read, () => reads(n));
  row(say, [
    `${count(last)} MB, of which 1,000 pieces`,
    `${holes.toFixed(0)} a piece`,
    looked.toFixed(0),
    memory(f),
  ]);
  await f.end();
}

/** Measures the three curves. */
export async function fossilgrowth(say: Say, { directory, tree, file }: Growth): Promise<void> {
  await bytes(say, file);
  await files(say, "files of one directory", directory, () => "d");
  await files(say, "files of a tree", tree, (i) => `d${Math.floor(i / PERDIR)}`);
}
