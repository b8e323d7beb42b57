// The parts of the soak that are about a server and its clients: the fuzzer, many connections, an hour of
// load, and how long a well-behaved client waits beside hostile ones.

import type { Socket } from "node:net";
import { NOTAG, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import { Wire, prepare } from "../bench/wire.ts";
import { clear } from "./clear.ts";
import { WALKED } from "./frames.ts";
import { fuzz } from "./fuzz.ts";
import { Hostiles } from "./hostiles.ts";
import type { Held } from "./probe.ts";
import type { Soakopts } from "./run.ts";
import { HELLO, Served, bytes, call, rest, session } from "./server.ts";

const MB = 1048576;
const MINUTE = 60_000;
const FRAMES = 5_000_000;
/** Frames of one kernel of the fuzzer. */
const RUN = 100_000;
/** Hostile frames after which a server has compiled its code and filled its caches. */
const WARM = 300_000;
/** Milliseconds of the server's processor that the slowest of a hundred answers may take beside hostile clients. */
const SLOWEST = 50;

const megabytes = (n: number): string => `${(n / MB).toFixed(1)} MB`;

/** Five million frames to a server in this process, with memory looked at in between. */
export async function fuzzing(what: "ramfs" | "exportfs", s: Soakopts): Promise<void> {
  let frames = 0;
  let first: number | null = null;
  let heap = 0;
  for (let seed = s.seed; frames < FRAMES && Date.now() < s.until; seed++) {
    const count = await fuzz(what, seed, RUN);
    frames += count.frames;
    globalThis.gc?.();
    heap = process.memoryUsage().heapUsed;
    first ??= heap;
    s.say(`${what}, seed ${seed}: ${frames} frames, ${count.replies} replies, ${megabytes(heap)}`);
  }
  if (first !== null && heap > first * 1.05 + 4 * MB)
    throw new Error(`memory grew from ${megabytes(first)} to ${megabytes(heap)}`);
}

/** 5,000 connections, 60 clients that never read, 20,000 reconnections: within 256 MB of an idle server. */
export async function connections(s: Soakopts): Promise<void> {
  const server = await Served.start("ramfs");
  const w = await Wire.dial(server.port);
  await prepare(w);
  await plant(w);
  // By now the thread that watches the server has begun, which has descriptors of its own.
  await rest(3000);
  const idle = await server.look();
  const check = async (what: string): Promise<void> => {
    const { rss, descriptors } = await server.look();
    s.say(`${what}: ${megabytes(rss - idle.rss)} more than idle, ${descriptors} descriptors`);
    if (rss - idle.rss > 256 * MB) throw new Error(`${what}: more than 256 MB`);
  };
  const all: Socket[] = [];
  for (let i = 0; i < 5000; i++) {
    const socket = await session(server.port);
    if (socket === null) throw new Error(`connection ${i} was refused`);
    all.push(socket);
  }
  await check("5,000 connections");
  const silent = await Promise.all(Array.from({ length: 60 }, () => neverread(server.port)));
  await rest(3000);
  await check("and 60 clients that never read");
  for (let i = 0; i < 20_000; i += 50)
    await Promise.all(
      Array.from({ length: 50 }, async () => (await session(server.port))?.destroy()),
    );
  await check("and 20,000 reconnections");
  for (const socket of [...all, ...silent]) socket.destroy();
  await rest(3000);
  const after = await server.look();
  if (after.descriptors !== idle.descriptors)
    throw new Error(`${after.descriptors} descriptors, not ${idle.descriptors}`);
  w.close();
  await server.stop();
}

/** The most connections that a server takes: one more is refused, and those before do not notice. */
export async function full(s: Soakopts): Promise<void> {
  const server = await Served.start("ramfs");
  const w = await Wire.dial(server.port);
  const frames = await prepare(w);
  const all: Socket[] = [];
  for (let i = 1; i < 8192; i++) {
    const socket = await session(server.port);
    if (socket === null) throw new Error(`connection ${i} was refused`);
    all.push(socket);
  }
  if ((await session(server.port)) !== null) throw new Error("connection 8,193 was not refused");
  await w.pump(frames.stat, 1000, 10);
  s.say(`8,192 connections; the next: ${server.said.split("\n").at(-2) ?? ""}`);
  for (const socket of all) socket.destroy();
  w.close();
  await server.stop();
}

/** A file of 1 MB that all may read. */
async function plant(w: Wire): Promise<void> {
  await w.rpc({ type: F.Tversion, tag: NOTAG, msize: 1 << 20, version: "9P2000" });
  await w.rpc({ type: F.Tattach, tag: 0, fid: 0, afid: 0xffffffff, uname: "glenda", aname: "" });
  await w.rpc({ type: F.Tcreate, tag: 0, fid: 0, name: "long", perm: 0o666, mode: OWRITE });
  const data = new Uint8Array(MB / 2);
  for (const offset of [0, MB / 2]) await w.rpc({ type: F.Twrite, tag: 0, fid: 0, offset, data });
  await w.rpc({ type: F.Tclunk, tag: 0, fid: 0 });
}

/** 2,000 reads of 1 MB, on one tag or on a tag each, and not a byte of the answers is read. */
async function neverread(port: number): Promise<Socket> {
  const socket = await call(port);
  if (socket === null) throw new Error("a call was refused");
  socket.pause();
  const reads = Array.from({ length: 2000 }, (_, i): Tmsg => ({
    type: F.Tread,
    tag: i % 500,
    fid: 1,
    offset: 0,
    count: MB,
  }));
  socket.write(HELLO);
  socket.write(
    bytes(
      { type: F.Twalk, tag: 1, fid: 0, newfid: 1, wname: ["long"] },
      { type: F.Topen, tag: 1, fid: 1, mode: OREAD },
      ...reads,
    ),
  );
  return socket;
}

/** Mixed load: what is held after a sixth of the time and at the end is the same. */
export async function load(s: Soakopts): Promise<void> {
  const ms = Math.min(s.until - Date.now(), 60 * MINUTE);
  const server = await Served.start("ramfs");
  const w = await Wire.dial(server.port);
  const frames = await prepare(w);
  let warm = 0;
  while (warm < WARM) {
    const hostiles = new Hostiles(server.port, 20, s.seed, WALKED);
    for (let i = 0; i < 200; i++) await w.pump(frames.stat, 2000, 16);
    const sent = await hostiles.stop();
    if (sent === 0) throw new Error("hostile clients sent nothing");
    warm += sent;
    await clear(w);
  }
  const look = async (part: number): Promise<Held> => {
    const end = performance.now() + part * ms;
    const hostiles = new Hostiles(server.port, 20, s.seed, WALKED);
    while (performance.now() < end) await w.pump(frames.stat, 2000, 16);
    const sent = await hostiles.stop();
    await rest(12_000);
    const files = await clear(w);
    const held = await server.look();
    s.say(
      `${sent} hostile frames, ${files} files left by them: ${held.descriptors} descriptors, ${held.timers} timers, ${megabytes(held.heap)}`,
    );
    return held;
  };
  const [a, b] = [await look(1 / 6), await look(5 / 6)];
  if (a.descriptors !== b.descriptors || a.timers !== b.timers)
    throw new Error(`descriptors or timers: ${JSON.stringify([a, b])}`);
  if (b.heap > a.heap * 1.05 + MB)
    throw new Error(`memory: ${megabytes(a.heap)}, ${megabytes(b.heap)}`);
  w.close();
  await server.stop();
}

/**
 * How long a client waits for a stat, alone and beside hostile ones: the ratio of the medians and of the tails. On a
 * machine that has other work a server that is busy is not always running, so the time of its processor is told, too.
 */
export async function beside(s: Soakopts): Promise<void> {
  const server = await Served.start("ramfs");
  const w = await Wire.dial(server.port);
  const { stat } = await prepare(w);
  await plant(await Wire.dial(server.port));
  const times = async (): Promise<Waits> => {
    const [wall, cpu]: [number[], number[]] = [[], []];
    for (let i = 0; i < 4000; i++) {
      const [began, used] = [performance.now(), server.cpu()];
      await w.pump(stat, 1, 1);
      wall.push(performance.now() - began);
      cpu.push(server.cpu() - used);
    }
    const sorted = (list: number[]): number[] => list.toSorted((a, b) => a - b);
    return { wall: sorted(wall), cpu: sorted(cpu) };
  };
  await times();
  const alone = await times();
  const silent = await Promise.all(Array.from({ length: 20 }, () => neverread(server.port)));
  const hostiles = new Hostiles(server.port, 20, s.seed);
  await hostiles.begun;
  const together = await times();
  const sent = await hostiles.stop();
  for (const [of, a, b] of [
    ["", alone.wall, together.wall],
    [" of the server's processor", alone.cpu, together.cpu],
  ] as const)
    for (const [what, at] of QUANTILES) {
      const [x, y] = [quantile(a, at), quantile(b, at)];
      s.say(
        `${what}: ${x.toFixed(3)} ms${of} alone, ${y.toFixed(3)} ms beside, ratio ${(y / x).toFixed(1)}`,
      );
    }
  s.say(`${sent} hostile frames meanwhile`);
  const slowest = quantile(together.cpu, 0.99);
  if (slowest > SLOWEST) throw new Error(`an answer took ${slowest.toFixed(1)} ms of processor`);
  for (const socket of silent) socket.destroy();
  w.close();
  await server.stop();
}

/** Milliseconds that answers took, in order: of a clock, and of the server's processor. */
type Waits = { readonly wall: readonly number[]; readonly cpu: readonly number[] };

const QUANTILES: readonly (readonly [string, number])[] = [
  ["median", 0.5],
  ["of a hundred the slowest", 0.99],
];

const quantile = (list: readonly number[], at: number): number =>
  list[Math.floor(list.length * at)] ?? 0;
