// The real process under load, killed by kill -9 a hundred times: after each start what a sync answered is there, no file
// holds what was never written, and check is clean.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NOFID, NOTAG, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { Calls } from "../bench/calls.ts";
import { NAMEC, Server } from "../bench/process.ts";
import { chance } from "../../userland/boot/boot.ts";
import type { Soakopts } from "./run.ts";

const KILLS = 100;
const MODELRUNS = 10_000;
/** Clients at once, each with a file of its own. */
const CLIENTS = 8;
/** Bytes of a file: all of them are the number of the write that it is from. */
const LENGTH = 100_000;

/** How often it is looked, each 5 ms, whether the clients go on: for two minutes at least. */
const LOOKS = 24_000;

/** What a client's file may hold: the last version that a sync answered for, and the last that was begun. */
type Known = { safe: number; begun: number };

async function attach(port: number): Promise<Calls> {
  const calls = await Calls.dial(port);
  await calls.rpc({ type: F.Tversion, tag: NOTAG, msize: 65560, version: "9P2000" });
  await calls.rpc({ type: F.Tattach, tag: 0, fid: 0, afid: NOFID, uname: "glenda", aname: "" });
  return calls;
}

/** Writes the file of a client over and over, with a sync now and then, until the server is gone. */
async function load(calls: Calls, client: number, known: Known): Promise<void> {
  const fid = 1 + client;
  const name = `f${client}`;
  const data = Buffer.alloc(LENGTH / 2);
  try {
    await calls.rpc({ type: F.Twalk, tag: 0, fid: 0, newfid: fid, wname: [] });
    if (known.begun === 0)
      await calls.rpc({ type: F.Tcreate, tag: 0, fid, name, perm: 0o664, mode: OWRITE });
    else {
      await calls.rpc({ type: F.Twalk, tag: 0, fid, newfid: fid, wname: [name] });
      await calls.rpc({ type: F.Topen, tag: 0, fid, mode: OWRITE });
    }
    for (;;) {
      known.begun++;
      data.fill(0).writeUInt32LE(known.begun, 0);
      for (const offset of [0, LENGTH / 2])
        await calls.rpc({ type: F.Twrite, tag: 0, fid, offset, data });
      if (known.begun % 3 !== client % 3) continue;
      const now = known.begun;
      await calls.sync(fid);
      known.safe = now;
    }
  } catch (e) {
    // The server was killed, or the file was never made safe.
    if (!(e instanceof Error) || !/hung up|ECONN|EPIPE|does not exist/.test(e.message)) throw e;
  }
}

/** What is wrong with the file of a client; null if nothing. */
async function wrong(calls: Calls, client: number, known: Known): Promise<string | null> {
  const fid = 100 + client;
  const found: number[] = [];
  try {
    await calls.rpc({ type: F.Twalk, tag: 0, fid: 0, newfid: fid, wname: [`f${client}`] });
    await calls.rpc({ type: F.Topen, tag: 0, fid, mode: OREAD });
    for (const offset of [0, LENGTH / 2]) {
      const r = await calls.rpc({ type: F.Tread, tag: 0, fid, offset, count: LENGTH / 2 });
      if (r.type === F.Rread && r.data.length >= 4) found.push(Buffer.from(r.data).readUInt32LE(0));
    }
    await calls.rpc({ type: F.Tclunk, tag: 0, fid });
  } catch (e) {
    if (!(e instanceof Error) || !e.message.includes("does not exist")) throw e;
  }
  const [first = 0, second = 0] = found;
  if (known.safe > 0 && (first < known.safe || second < known.safe))
    return `f${client} has ${first} and ${second}, older than ${known.safe}`;
  if (first > known.begun || second > first) return `f${client} has ${first} and ${second}`;
  if (found.length === 0) known.begun = 0;
  return null;
}

/** Waits until so many more writes were begun, however busy the machine is; says so when that takes minutes. */
async function progress(known: readonly Known[], writes: number): Promise<string | null> {
  const begun = (): number => known.reduce((sum, k) => sum + k.begun, 0);
  const enough = begun() + writes;
  for (let looks = 0; begun() < enough; looks++) {
    if (looks === LOOKS) return "nothing is written any more";
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return null;
}

export async function fossil({ seed, until, runs, say }: Soakopts): Promise<string | null> {
  const dir = mkdtempSync(join(tmpdir(), "namec-soak-"));
  const db = join(dir, "db");
  const n = chance(seed);
  const known = Array.from({ length: CLIENTS }, (): Known => ({ safe: 0, begun: 0 }));
  const args = [NAMEC, "serve", "fossil", "--db", db, "--flush", "20ms"];
  const all = runs ?? KILLS;
  for (let kill = 0; kill < all && Date.now() < until; kill++) {
    const server = await Server.start([...args, "--listen", "tcp!127.0.0.1!0"]);
    const calls = await attach(server.port);
    for (const [i, k] of known.entries()) {
      const fault = await wrong(calls, i, k);
      if (fault !== null) return `seed ${seed}, after ${kill} kills: ${fault}`;
    }
    const ends = Promise.all(known.map((k, i) => load(calls, i, k)));
    const hangup = ends.then(() => "the server hung up by itself");
    const fault = await Promise.race([hangup, progress(known, 20 + n(400))]);
    if (fault !== null) return `seed ${seed}, after ${kill} kills: ${fault}`;
    await server.kill();
    await ends;
    if (kill % 10 === 9) {
      const r = spawnSync(process.execPath, [NAMEC, "fossil", "check", db], { encoding: "utf8" });
      if (r.status !== 0) return `seed ${seed}, after ${kill + 1} kills: ${r.stdout}${r.stderr}`;
      say(`${kill + 1} kills, ${known.reduce((sum, k) => sum + k.begun, 0)} writes`);
    }
  }
  rmSync(dir, { recursive: true });
  return null;
}

/** The model test and the crash test (test/userland/fossil) with many more runs: their own words say what failed. */
export async function fossilmodel({ runs, until, say }: Soakopts): Promise<string | null> {
  const left =
    until === Infinity ? "24h" : `${Math.max(1, Math.ceil((until - Date.now()) / 1000))}s`;
  const env = {
    ...process.env,
    RUNS: String(runs ?? MODELRUNS),
    CUTS: String((runs ?? MODELRUNS) * 10),
  };
  const files = ["model", "crash"].map((name) => `test/userland/fossil/${name}.test.ts`);
  const r = spawnSync("npx", ["ava", "--timeout", left, ...files], { env, encoding: "utf8" });
  say(`${env.RUNS} runs, ${env.CUTS} cuts`);
  return r.status === 0 ? null : r.stdout + r.stderr;
}
