// npm run bench -- fossil: small files, and bytes in sequence, on ramfs, exportfs and fossil in one run, beside a plain
// file of the same disk that is written and synced with the same bytes.

import { chmodSync, closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DMDIR, NOFID, NOTAG, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import { NAMEC, Server } from "./process.ts";
import { columns, count } from "./rounds.ts";
import { Calls } from "./calls.ts";

/** Requests outstanding. */
const WINDOW = 16;
/** Bytes of a message's data. */
const CHUNK = 65536;
const SMALL = Buffer.alloc(100, "small file ");
const MB = 1_000_000;

/** How much is done. Bytes, and numbers of files. */
export type Sizes = { readonly files: number; readonly bytes: number; readonly cached: number };

/** A server, and what was measured of it: by name, files or MB a second. */
type Peer = {
  readonly name: string;
  readonly server: Server;
  readonly calls: Calls;
  readonly rates: Map<string, number>;
};

const seconds = (since: number): number => (performance.now() - since) / 1000;

/** Runs fn for 0 to n - 1, WINDOW at a time. */
async function each(n: number, fn: (i: number, lane: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lanes = Array.from({ length: WINDOW }, async (_, lane) => {
    for (let i = next++; i < n; i = next++) await fn(i, lane);
  });
  await Promise.all(lanes);
}

/** A client of a server, attached as fid 0 to its root, in a directory of its own, which is fid 1. */
async function attach(server: Server): Promise<Calls> {
  const calls = await Calls.dial(server.port);
  const ask = (f: Omit<Fcall, "tag">): Promise<Fcall> => calls.rpc(f as Fcall);
  await calls.rpc({ type: F.Tversion, tag: NOTAG, msize: CHUNK + 24, version: "9P2000" });
  await ask({ type: F.Tattach, fid: 0, afid: NOFID, uname: "glenda", aname: "" } as never);
  await ask({ type: F.Twalk, fid: 0, newfid: 1, wname: [] } as never);
  await ask({
    type: F.Tcreate,
    fid: 1,
    name: "d",
    perm: (DMDIR | 0o775) >>> 0,
    mode: OREAD,
  } as never);
  await ask({ type: F.Tclunk, fid: 1 } as never);
  await ask({ type: F.Twalk, fid: 0, newfid: 1, wname: ["d"] } as never);
  return calls;
}

const FIRSTFID = 10;

async function smallfiles({ calls, rates }: Peer, n: number): Promise<void> {
  let began = performance.now();
  await each(n, async (i, lane) => {
    const fid = FIRSTFID + lane;
    await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: fid, wname: [] });
    await calls.rpc({ type: F.Tcreate, tag: 0, fid, name: `f${i}`, perm: 0o664, mode: OWRITE });
    await calls.rpc({ type: F.Twrite, tag: 0, fid, offset: 0, data: SMALL });
    await calls.rpc({ type: F.Tclunk, tag: 0, fid });
  });
  rates.set("small files made", n / seconds(began));
  began = performance.now();
  await each(n, async (i, lane) => {
    const fid = FIRSTFID + lane;
    await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: fid, wname: [`f${i}`] });
    await calls.rpc({ type: F.Topen, tag: 0, fid, mode: OREAD });
    await calls.rpc({ type: F.Tread, tag: 0, fid, offset: 0, count: 8192 });
    await calls.rpc({ type: F.Tclunk, tag: 0, fid });
  });
  rates.set("small files opened and read", n / seconds(began));
}

/** Makes a file on fid FIRSTFID, and reads it with another. Blocks of no two places are the same. */
async function write({ calls }: Peer, name: string, bytes: number): Promise<void> {
  const fid = FIRSTFID;
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: fid, wname: [] });
  await calls.rpc({ type: F.Tcreate, tag: 0, fid, name, perm: 0o664, mode: OWRITE });
  await rewrite(calls, fid, bytes);
  await calls.rpc({ type: F.Tclunk, tag: 0, fid });
}

async function rewrite(calls: Calls, fid: number, bytes: number): Promise<void> {
  const data = Buffer.alloc(CHUNK, "what is written in sequence ");
  await each(Math.floor(bytes / CHUNK), (i) => {
    data.writeUInt32LE(i, 0);
    return calls.rpc({ type: F.Twrite, tag: 0, fid, offset: i * CHUNK, data });
  });
}

async function read({ calls }: Peer, name: string, bytes: number): Promise<void> {
  const fid = FIRSTFID;
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: fid, wname: [name] });
  await calls.rpc({ type: F.Topen, tag: 0, fid, mode: OREAD });
  await each(Math.floor(bytes / CHUNK), (i) =>
    calls.rpc({ type: F.Tread, tag: 0, fid, offset: i * CHUNK, count: CHUNK }),
  );
  await calls.rpc({ type: F.Tclunk, tag: 0, fid });
}

async function sequence(peer: Peer, { bytes, cached }: Sizes): Promise<void> {
  const { calls, rates } = peer;
  let began = performance.now();
  await write(peer, "big", bytes);
  await calls.sync(1);
  rates.set("MB/s written in sequence, and synced", bytes / MB / seconds(began));
  began = performance.now();
  await read(peer, "big", bytes);
  rates.set("MB/s read in sequence", bytes / MB / seconds(began));
  await write(peer, "warm", cached);
  await read(peer, "warm", cached);
  const rounds = 8;
  began = performance.now();
  for (let i = 0; i < rounds; i++) await read(peer, "warm", cached);
  rates.set("MB/s read, cached", (rounds * cached) / MB / seconds(began));
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: FIRSTFID, wname: ["warm"] });
  await calls.rpc({ type: F.Topen, tag: 0, fid: FIRSTFID, mode: OWRITE });
  began = performance.now();
  for (let i = 0; i < rounds; i++) await rewrite(calls, FIRSTFID, cached);
  rates.set("MB/s written over, cached", (rounds * cached) / MB / seconds(began));
  await calls.rpc({ type: F.Tclunk, tag: 0, fid: FIRSTFID });
}

/** A plain file with the same bytes, synced. */
function plain(dir: string, bytes: number): number {
  const data = Buffer.alloc(CHUNK, "what is written in sequence ");
  const fd = openSync(join(dir, "plain"), "w");
  const began = performance.now();
  for (let i = 0; i < Math.floor(bytes / CHUNK); i++) writeSync(fd, data);
  fsyncSync(fd);
  const took = seconds(began);
  closeSync(fd);
  rmSync(join(dir, "plain"));
  return bytes / MB / took;
}

/** Measures all servers, one after the other, and gives the table. */
export async function fossils(sizes: Sizes): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "namec-bench-"));
  chmodSync(dir, 0o777);
  const listen = ["--listen", "tcp!127.0.0.1!0"];
  const peers: Peer[] = [];
  for (const [name, ...args] of [
    ["ramfs"],
    ["exportfs", "--root", mkdtempSync(join(dir, "root-"))],
    ["fossil", "--db", join(dir, "db")],
  ] as const) {
    if (name === "exportfs") chmodSync(args[1] ?? "", 0o777);
    const server = await Server.start([NAMEC, "serve", name, ...args, ...listen]);
    const peer = { name, server, calls: await attach(server), rates: new Map<string, number>() };
    peers.push(peer);
    await smallfiles(peer, sizes.files);
    await sequence(peer, sizes);
    peer.calls.close();
    await server.stop();
  }
  const file = plain(dir, sizes.bytes);
  rmSync(dir, { recursive: true });
  return table(peers, file);
}

const times = (a: number, b: number): string => `${(a / b).toFixed(2)}x`;

function table(peers: readonly Peer[], file: number): string {
  const rows = [["a second", ...peers.map((p) => p.name), "fossil : ramfs", "plain file", "ratio"]];
  const [ram, , kept] = peers;
  for (const [what, rate] of kept?.rates ?? []) {
    const synced = what.endsWith("synced");
    rows.push([
      what,
      ...peers.map((p) => count(p.rates.get(what) ?? 0)),
      times(rate, ram?.rates.get(what) ?? NaN),
      synced ? count(file) : "",
      synced ? times(rate, file) : "",
    ]);
  }
  return columns(rows);
}
