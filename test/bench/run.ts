// npm run bench: what the kernel and its servers cost, beside what a user would take instead. Both are measured in one run
// on one machine: ratios can be compared where numbers cannot.
//
//	npm run bench -- [--quick] [start] [boot] [names] [growth] [stepping] [explore] [rpc] [fossil] [fossilgrowth] [vm]

import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { boot } from "../../userland/host/index.ts";
import { exploring } from "./explore.ts";
import { fossils } from "./fossil.ts";
import { fossilgrowth } from "./fossilgrowth.ts";
import { CURVES, growth } from "./growth.ts";
import { matches } from "./names.ts";
import { ECHO, NAMEC, Server } from "./process.ts";
import { columns, compete, count, cpu, median, ratio, ratioof } from "./rounds.ts";
import type { Effort, Score } from "./rounds.ts";
import { starts } from "./start.ts";
import { AGAIN, FULL, HEARD, NEVER, OFF, ON, stepping } from "./stepping.ts";
import { vmcosts } from "./vm.ts";
import { Wire, prepare } from "./wire.ts";
import type { Frames } from "./wire.ts";

/** Said to the process of one part. */
const PART = "--part";
const quick = process.argv.includes("--quick");
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const effort: Effort = quick ? { rounds: 3, ms: 20 } : { rounds: 11, ms: 100 };
const say = (text: string): void => void process.stdout.write(text);
const rate = (list: readonly Score[], name: string): number =>
  list.find((s) => s.name === name)?.rate ?? 0;

function machine(): void {
  const { node, v8 } = process.versions;
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  say(`Node ${node}, V8 ${v8}, ${process.platform} ${process.arch}\n`);
  say(`${cpus().length} x ${processor?.model ?? "unknown"}, ${memory} GB\n`);
  say(
    `load ${loadavg()[0]?.toFixed(1)}; medians of ${effort.rounds} rounds of about ${effort.ms} ms, in turns\n`,
  );
}

/** Once loaded: from nothing to a kernel with a process that has run. */
async function booting(): Promise<void> {
  const once = async (full: boolean): Promise<number> => {
    const began = performance.now();
    const kernel = await boot();
    if (full) await kernel.spawn(async () => undefined, ["true"]).wait();
    const took = performance.now() - began;
    await kernel.shutdown();
    return took;
  };
  const first = await once(true);
  const times = quick ? 20 : 200;
  const [bare, full] = [
    await median(times, () => once(false)),
    await median(times, () => once(true)),
  ];
  const ms = (t: number): string => `${t.toFixed(2)} ms`;
  say("\nBoot, once loaded\n");
  say(
    columns([
      ["the first, with a program run to its end", ms(first)],
      ["a kernel", ms(bare)],
      ["a kernel, and a program run to its end", ms(full)],
    ]),
  );
}

async function names(): Promise<void> {
  const { list, close } = await matches();
  const rows = [
    [
      "operations per CPU second",
      "namec",
      "memfs",
      "ratio",
      "ZenFS",
      "ratio",
      "generator",
      "ratio",
    ],
  ];
  for (const match of list) {
    const scores = await compete(match.list, { ...effort, clock: cpu });
    const [us, mem, zen] = [rate(scores, "namec"), rate(scores, "memfs"), rate(scores, "ZenFS")];
    const task = rate(scores, "namec, generator");
    rows.push([
      match.name,
      count(us),
      count(mem),
      ratio(ratioof(scores, "namec", "memfs")),
      count(zen),
      ratio(ratioof(scores, "namec", "ZenFS")),
      count(task),
      ratio(ratioof(scores, "namec, generator", "memfs")),
    ]);
  }
  await close();
  say(
    "\nA thousand files of 4 KiB in memory, five names deep, one call after another (promises; generator)\n",
  );
  say(columns(rows));
}

async function growing(): Promise<void> {
  say("\nOne more among n, in microseconds of CPU time\n");
  for (const curve of CURVES) {
    const costs = await growth(curve, quick ? 100 : 1000);
    const rows = [
      [curve.name, ...curve.sizes.map((n) => count(n)), "last to first"],
      [
        "",
        ...costs.map((us) => us.toFixed(1)),
        `${((costs.at(-1) ?? NaN) / (costs[0] ?? NaN)).toFixed(1)}x`,
      ],
    ];
    say(columns(rows));
  }
}

async function steps(): Promise<void> {
  const { list, close } = await stepping();
  const others = [AGAIN, OFF, HEARD, ON];
  const per = (one: string): string => `${one} : ${HEARD}`;
  const rows = [["operations per CPU second", NEVER, ...others, per(ON), per(FULL)]];
  for (const match of list) {
    const scores = await compete(match.list, { ...effort, clock: cpu });
    const ratios = others.map((name) => ratio(ratioof(scores, name, NEVER)));
    const heard = [ON, FULL].map((name) => ratio(ratioof(scores, name, HEARD)));
    rows.push([match.name, count(rate(scores, NEVER)), ...ratios, ...heard]);
  }
  await close();
  say("\nWhat stepping costs: a kernel beside one that was never recorded\n");
  say(columns(rows));
}

/** A server, a connection to it, the frames to send, and what they have cost. */
type Peer = {
  readonly name: string;
  readonly server: Server;
  readonly wire: Wire;
  readonly frames: Frames;
  cost: Cost;
};

/** Servers of files, and the echo of their frames, which is the limit. */
async function peers(dir: string): Promise<Peer[]> {
  const listen = ["--listen", "tcp!127.0.0.1!0"];
  const list: Peer[] = [];
  let frames: Frames | null = null;
  for (const [name, args] of [
    ["ramfs", [NAMEC, "serve", "ramfs", ...listen]],
    ["exportfs", [NAMEC, "serve", "exportfs", "--root", dir, ...listen]],
    ["echo", [ECHO]],
  ] as const) {
    const server = await Server.start(args);
    const wire = await Wire.dial(server.port);
    if (name !== "echo" || frames === null) frames = await prepare(wire);
    list.push({ name, server, wire, frames, cost: new Cost(server) });
  }
  return list;
}

async function rpcs(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "namec-bench-"));
  chmodSync(dir, 0o777);
  const list = await peers(dir);
  const names = list.map((p) => p.name);
  const served = names.filter((n) => n !== "echo");
  const rates = [["RPCs per second", ...names, ...served.map((n) => `${n} : echo`)]];
  const costs = [["CPU us/RPC", ...names]];
  for (const window of [1, 64])
    for (const what of ["stat", "read"] as const) {
      const label = `${what === "stat" ? "stat" : "read 1 byte"}, ${window} outstanding`;
      for (const p of list) p.cost = new Cost(p.server);
      const scores = await compete(
        list.map((p) => ({
          name: p.name,
          run: (n: number) => p.cost.of(p.wire.pump(p.frames[what], n, window)),
        })),
        effort,
      );
      const ratios = served.map((n) => ratio(ratioof(scores, n, "echo")));
      rates.push([label, ...names.map((n) => count(rate(scores, n))), ...ratios]);
      costs.push([label, ...list.map((p) => p.cost.text)]);
    }
  for (const p of list) {
    p.wire.close();
    await p.server.stop();
  }
  rmSync(dir, { recursive: true });
  say(
    "\nServers in processes of their own, loopback TCP; exportfs: a directory of this machine; echo: the same frames back from node:net\n",
  );
  say(columns(rates));
  say(columns(costs));
}

/** The processor time that operations cost a server. */
class Cost {
  readonly #server: Server;
  #ms = 0;
  #n = 0;

  constructor(server: Server) {
    this.#server = server;
  }

  async of(work: Promise<number>): Promise<number> {
    const before = this.#server.cpu();
    const n = await work;
    const after = this.#server.cpu();
    if (before !== null && after !== null) this.#ms += after - before;
    this.#n += n;
    return n;
  }

  get text(): string {
    return this.#ms === 0 ? "-" : ((this.#ms * 1000) / this.#n).toFixed(1);
  }
}

async function kept(): Promise<void> {
  const sizes = quick
    ? { files: 1000, bytes: 64e6, cached: 8e6 }
    : { files: 10_000, bytes: 1e9, cached: 16e6 };
  const rounds = quick ? 3 : 4;
  const table = await fossils(sizes, rounds);
  say(
    `\nFile servers, 16 requests outstanding: ${sizes.files} files of 100 bytes; ${sizes.bytes / 1e6} MB in messages of 64 KB; medians of ${rounds} rounds\n`,
  );
  say(table);
}

async function starting(): Promise<void> {
  const pairs = quick ? 5 : 20;
  say(`\nFrom the beginning of a process to its end, ${pairs} runs of each in turns\n`);
  say(starts(pairs));
}

/** Schedules that the explorer runs. */
async function schedules(): Promise<void> {
  const list = await exploring(quick ? 3 : 9, quick ? 200 : 600);
  const best = Math.max(...list);
  const middle = list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
  say("\nExploring: two programs of ten calls each\n");
  say(`    ${count(middle)} schedules/s of processor time, ${count(best)} in the best round\n`);
}

/** Programs with a memory of their own. */
async function memories(): Promise<void> {
  const c = await vmcosts(effort.rounds);
  const ms = (t: number): string => `${t.toFixed(2)} ms`;
  const us = (t: number): string => `${t.toFixed(1)} µs`;
  say("\nPrograms with a memory of their own, processor time\n");
  say(
    columns([
      ["an instance with a copy of a small program's memory", ms(c.copy)],
      ["a fork of that program", ms(c.fork), `${(c.fork / c.copy).toFixed(2)} times (aim 1.2)`],
      ["its memory, of a hundred at once", `${(c.each / 2 ** 20).toFixed(1)} MB`, "(aim 2 MB)"],
      ["a system call, native", us(c.call.native)],
      ["a system call, vm", us(c.call.vm), `${us(c.call.vm - c.call.native)} more (aim 30 µs)`],
      ["a million steps of arithmetic, native", ms(c.compute.native)],
      [
        "a million steps of arithmetic, vm",
        ms(c.compute.vm),
        `${(c.compute.vm / c.compute.native).toFixed(0)} times`,
      ],
    ]),
  );
}

async function keptgrowing(): Promise<void> {
  const sizes = quick
    ? { directory: [1000, 10_000], tree: [1000, 10_000], file: [10, 100] }
    : {
        directory: [1000, 10_000, 100_000],
        tree: [1000, 10_000, 100_000, 1_000_000],
        file: [100, 1000, 10_000],
      };
  say("\nfossil with a cache of 64 MB, 16 requests outstanding\n");
  await fossilgrowth(say, sizes);
}

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  start: starting,
  boot: booting,
  names,
  growth: growing,
  stepping: steps,
  explore: schedules,
  rpc: rpcs,
  fossil: kept,
  vm: memories,
  fossilgrowth: keptgrowing,
};

/** One part here; several each in a process of its own, where no other has warmed up or spoilt any code. */
async function main(): Promise<number> {
  const parts = Object.keys(PARTS).filter((name) => wanted.length === 0 || wanted.includes(name));
  const unknown = wanted.find((name) => !(name in PARTS));
  if (unknown !== undefined || parts.length === 0) {
    process.stderr.write(`bench: no part ${unknown}; there are ${Object.keys(PARTS).join(", ")}\n`);
    return 2;
  }
  if (!process.argv.includes(PART)) machine();
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) await PARTS[only]?.();
  else
    for (const name of parts) {
      const words = [
        ...process.execArgv,
        ...process.argv.slice(1).filter((w) => !wanted.includes(w)),
      ];
      const { status } = spawnSync(process.execPath, [...words, PART, name], { stdio: "inherit" });
      if (status !== 0) return 1;
    }
  return 0;
}

process.exitCode = await main();
