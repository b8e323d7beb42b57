// npm run bench: what the kernel and its servers cost, beside what a user would take instead, in one run
// on one machine, so that the ratios mean something where the numbers do not.
//
//	npm run bench -- [--quick] [boot] [names] [stepping] [rpc]

import { spawnSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { boot } from "../../userland/host/index.ts";
import { matches } from "./names.ts";
import { ECHO, NAMEC, Server } from "./process.ts";
import { columns, compete, count, cpu, median, ratio, ratioof } from "./rounds.ts";
import type { Effort, Score } from "./rounds.ts";
import { AGAIN, NEVER, OFF, ON, stepping } from "./stepping.ts";
import { Wire, prepare } from "./wire.ts";

/** Said to the process of one part. */
const PART = "--part";
const quick = process.argv.includes("--quick");
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const effort: Effort = quick ? { rounds: 3, ms: 20 } : { rounds: 21, ms: 100 };
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
    ["operations per CPU second", "namec", "memfs", "ratio", "ZenFS", "ratio", "generator"],
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
    ]);
  }
  await close();
  say("\nA file of 4 KiB in memory, five names deep, one call after another (promises)\n");
  say(columns(rows));
}

async function steps(): Promise<void> {
  const { list, close } = await stepping();
  const rows = [["operations per CPU second", NEVER, AGAIN, OFF, ON]];
  for (const match of list) {
    const scores = await compete(match.list, { ...effort, clock: cpu });
    const others = [AGAIN, OFF, ON].map((name) => ratio(ratioof(scores, name, NEVER)));
    rows.push([match.name, count(rate(scores, NEVER)), ...others]);
  }
  await close();
  say("\nWhat stepping costs: a kernel beside one that was never recorded\n");
  say(columns(rows));
}

async function rpcs(): Promise<void> {
  const ramfs = await Server.start([NAMEC, "serve", "ramfs", "--listen", "tcp!127.0.0.1!0"]);
  const echo = await Server.start([ECHO]);
  const [server, limit] = [await Wire.dial(ramfs.port), await Wire.dial(echo.port)];
  const frames = await prepare(server);
  const rows = [["RPCs per second", "ramfs", "echo", "ratio", "CPU us/RPC", "echo"]];
  for (const window of [1, 64])
    for (const what of ["stat", "read"] as const) {
      const cost = { ramfs: new Cost(ramfs), echo: new Cost(echo) };
      const pump =
        (w: Wire, c: Cost) =>
        (n: number): Promise<number> =>
          c.of(w.pump(frames[what], n, window));
      const scores = await compete(
        [
          { name: "ramfs", run: pump(server, cost.ramfs) },
          { name: "echo", run: pump(limit, cost.echo) },
        ],
        effort,
      );
      const [us, peer] = [rate(scores, "ramfs"), rate(scores, "echo")];
      const label = `${what === "stat" ? "stat" : "read 1 byte"}, ${window} outstanding`;
      rows.push([
        label,
        count(us),
        count(peer),
        ratio(ratioof(scores, "ramfs", "echo")),
        cost.ramfs.text,
        cost.echo.text,
      ]);
    }
  server.close();
  limit.close();
  await Promise.all([ramfs.stop(), echo.stop()]);
  say(
    "\nnamec serve ramfs in a second process, loopback TCP; echo: the same frames back from node:net\n",
  );
  say(columns(rows));
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

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  boot: booting,
  names,
  stepping: steps,
  rpc: rpcs,
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
