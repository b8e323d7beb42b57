// npm run bench -- fossil: small files, and bytes in sequence, on ramfs, exportfs and fossil, beside a plain file of the
// same disk that is written and synced with the same bytes. They take turns, step by step and round by round.

import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DMDIR, NOFID, NOTAG, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { NAMEC, Server } from "./process.ts";
import { columns, count } from "./rounds.ts";
import { Calls } from "./calls.ts";

/** Requests outstanding. */
const WINDOW = 16;
/** Bytes of a message's data. */
const CHUNK = 65536;
const SMALL = Buffer.alloc(100, "small file ");
const WRITTEN = "what is written in sequence ";
const MB = 1_000_000;
/** What ramfs may hold: all that is written in a round. */
const ROOMY = "4GiB";

/** How much is done. Bytes, and numbers of files. */
export type Sizes = { readonly files: number; readonly bytes: number; readonly cached: number };

/** What was measured of something in each round: units a second, and microseconds of the server's CPU for each. */
type Measured = { readonly rates: number[]; readonly cpu: number[] };

/** A server, its client, and what was measured of it, by name. */
type Peer = {
  readonly name: string;
  readonly server: Server;
  readonly calls: Calls;
  readonly measured: Map<string, Measured>;
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

/** A client of a server, attached as fid 0 to its root. */
async function attach(server: Server): Promise<Calls> {
  const calls = await Calls.dial(server.port);
  await calls.rpc({ type: F.Tversion, tag: NOTAG, msize: CHUNK + 24, version: "9P2000" });
  await calls.rpc({ type: F.Tattach, tag: 0, fid: 0, afid: NOFID, uname: "glenda", aname: "" });
  return calls;
}

/** Makes a directory of a server's root, and has fid 1 on it. */
async function mkdir(calls: Calls, name: string): Promise<void> {
  const perm = (DMDIR | 0o775) >>> 0;
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 0, newfid: 1, wname: [] });
  await calls.rpc({ type: F.Tcreate, tag: 0, fid: 1, name, perm, mode: OREAD });
  await calls.rpc({ type: F.Tclunk, tag: 0, fid: 1 });
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 0, newfid: 1, wname: [name] });
}

const FIRSTFID = 10;

/** Does something of n units, and keeps what it took. */
async function measure(
  peer: Peer,
  what: string,
  n: number,
  work: () => Promise<unknown>,
): Promise<void> {
  const m = peer.measured.get(what) ?? { rates: [], cpu: [] };
  peer.measured.set(what, m);
  const before = peer.server.cpu() ?? NaN;
  const began = performance.now();
  await work();
  m.rates.push(n / seconds(began));
  m.cpu.push((((peer.server.cpu() ?? NaN) - before) * 1000) / n);
}

const make = ({ calls }: Peer, n: number): Promise<void> =>
  each(n, async (i, lane) => {
    const fid = FIRSTFID + lane;
    await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: fid, wname: [] });
    await calls.rpc({ type: F.Tcreate, tag: 0, fid, name: `f${i}`, perm: 0o664, mode: OWRITE });
    await calls.rpc({ type: F.Twrite, tag: 0, fid, offset: 0, data: SMALL });
    await calls.rpc({ type: F.Tclunk, tag: 0, fid });
  });

const look = ({ calls }: Peer, n: number): Promise<void> =>
  each(n, async (i, lane) => {
    const fid = FIRSTFID + lane;
    await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: fid, wname: [`f${i}`] });
    await calls.rpc({ type: F.Topen, tag: 0, fid, mode: OREAD });
    await calls.rpc({ type: F.Tread, tag: 0, fid, offset: 0, count: 8192 });
    await calls.rpc({ type: F.Tclunk, tag: 0, fid });
  });

/** Makes a file, and writes it until it is safe. Blocks of no two places are the same. */
async function write({ calls }: Peer, name: string, bytes: number): Promise<void> {
  const fid = FIRSTFID;
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: fid, wname: [] });
  await calls.rpc({ type: F.Tcreate, tag: 0, fid, name, perm: 0o664, mode: OWRITE });
  await rewrite(calls, fid, bytes);
  await calls.sync(fid);
  await calls.rpc({ type: F.Tclunk, tag: 0, fid });
}

async function rewrite(calls: Calls, fid: number, bytes: number): Promise<void> {
  const lanes = Array.from({ length: WINDOW }, () => Buffer.alloc(CHUNK, WRITTEN));
  await each(Math.floor(bytes / CHUNK), (i, lane) => {
    const data = lanes[lane] ?? Buffer.alloc(CHUNK);
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

async function again(peer: Peer, name: string, bytes: number): Promise<void> {
  const { calls } = peer;
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: FIRSTFID, wname: [name] });
  await calls.rpc({ type: F.Topen, tag: 0, fid: FIRSTFID, mode: OWRITE });
  for (let i = 0; i < TIMES; i++) await rewrite(calls, FIRSTFID, bytes);
  await calls.rpc({ type: F.Tclunk, tag: 0, fid: FIRSTFID });
}

async function remove({ calls }: Peer, name: string): Promise<void> {
  await calls.rpc({ type: F.Twalk, tag: 0, fid: 1, newfid: FIRSTFID, wname: [name] });
  await calls.rpc({ type: F.Tremove, tag: 0, fid: FIRSTFID });
}

/** How often a file that is in memory is read, or written, in one round. */
const TIMES = 4;

/** The steps of a round: each is done on every server before the next one. */
const STEPS: readonly ((peer: Peer, sizes: Sizes, round: number) => Promise<void>)[] = [
  (peer, _sizes, round) => mkdir(peer.calls, `d${round}`),
  (peer, { files }) => measure(peer, "small files made", files, () => make(peer, files)),
  (peer, { files }) => measure(peer, "small files opened and read", files, () => look(peer, files)),
  (peer, { bytes }) =>
    measure(peer, "MB/s written in sequence, and synced", bytes / MB, () =>
      write(peer, "big", bytes),
    ),
  (peer, { bytes }) =>
    measure(peer, "MB/s read in sequence", bytes / MB, () => read(peer, "big", bytes)),
  (peer) => remove(peer, "big"),
  (peer, { cached }) => write(peer, "warm", cached),
  (peer, { cached }) => read(peer, "warm", cached),
  (peer, { cached }) =>
    measure(peer, "MB/s read, cached", (TIMES * cached) / MB, async () => {
      for (let i = 0; i < TIMES; i++) await read(peer, "warm", cached);
    }),
  (peer, { cached }) =>
    measure(peer, "MB/s written over, cached", (TIMES * cached) / MB, () =>
      again(peer, "warm", cached),
    ),
  async ({ calls }) => {
    await calls.sync(0);
    await calls.rpc({ type: F.Tclunk, tag: 0, fid: 1 });
  },
];

/** A plain file with the same bytes, synced. */
function plain(dir: string, bytes: number, m: Measured): void {
  const data = Buffer.alloc(CHUNK, WRITTEN);
  const fd = openSync(join(dir, "plain"), "w");
  const began = performance.now();
  const before = process.cpuUsage();
  for (let i = 0; i < Math.floor(bytes / CHUNK); i++) {
    data.writeUInt32LE(i, 0);
    writeSync(fd, data);
  }
  fsyncSync(fd);
  const { user, system } = process.cpuUsage(before);
  m.rates.push(bytes / MB / seconds(began));
  m.cpu.push((user + system) / (bytes / MB));
  closeSync(fd);
  rmSync(join(dir, "plain"));
}

/** Measures all servers in turns, the plain file among them, and gives two tables: rates, and processor time. */
export async function fossils(sizes: Sizes, rounds: number): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "namec-bench-"));
  chmodSync(dir, 0o777);
  const root = join(dir, "root");
  mkdirSync(root);
  chmodSync(root, 0o777);
  const peers: Peer[] = [];
  for (const [name, ...args] of [
    ["ramfs", "--max-file", ROOMY, "--max-total", ROOMY],
    ["exportfs", "--root", root],
    ["fossil", "--db", join(dir, "db")],
  ] as const) {
    const listen = ["--listen", "tcp!127.0.0.1!0"];
    const server = await Server.start([NAMEC, "serve", name, ...args, ...listen]);
    peers.push({
      name,
      server,
      calls: await attach(server),
      measured: new Map<string, Measured>(),
    });
  }
  const file: Measured = { rates: [], cpu: [] };
  for (let round = 0; round < rounds; round++) {
    for (const step of STEPS) for (const peer of peers) await step(peer, sizes, round);
    plain(dir, sizes.bytes, file);
  }
  for (const peer of peers) {
    peer.calls.close();
    await peer.server.stop();
  }
  rmSync(dir, { recursive: true });
  return tables(peers, file);
}

const middle = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;

/** The median of ratios, round by round. */
const times = (a: readonly number[], b: readonly number[]): string =>
  `${middle(a.map((x, i) => x / (b[i] ?? NaN))).toFixed(2)}x`;

function tables(peers: readonly Peer[], file: Measured): string {
  const heads = [...peers.map((p) => p.name), "fossil : ramfs", "plain file", "fossil : plain"];
  const rates = [["a second", ...heads]];
  const costs = [["CPU of the server, us each", ...heads]];
  const [ram, , kept] = peers;
  for (const what of kept?.measured.keys() ?? []) {
    const of = (p: Peer | undefined): Measured => p?.measured.get(what) ?? { rates: [], cpu: [] };
    const all = peers.map(of);
    const row = (title: string, pick: (m: Measured) => readonly number[]): string[] => [
      title,
      ...all.map((m) => count(middle(pick(m)))),
      times(pick(of(kept)), pick(of(ram))),
      ...(what.endsWith("synced")
        ? [count(middle(pick(file))), times(pick(of(kept)), pick(file))]
        : ["", ""]),
    ];
    rates.push(row(what, (m) => m.rates));
    costs.push(row(what.replace("MB/s", "MB"), (m) => m.cpu));
  }
  return columns(rates) + columns(costs);
}
