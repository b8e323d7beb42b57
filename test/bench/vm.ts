// What a memory of its own costs a program: a fork beside an instance and a copy of its memory, a system call beside
// a native program's, computing beside the host's engine, and a hundred processes at once.

import type { Program } from "../../kernel/proc/trap.ts";
import { boot } from "../../userland/boot/boot.ts";
import { gather } from "../../userland/vm/modules.ts";
import { Memory } from "../../userland/vm/memory.ts";
import { program } from "../../userland/vm/vm.ts";
import type { Sys } from "../../syscalls/sys.ts";
import "../../userland/host/vmhost.ts";

/** What was measured; times are of the processor. */
export type Costs = {
  /** Milliseconds: an instance with a copy of a small program's memory, and a fork of that program. */
  readonly copy: number;
  readonly fork: number;
  /** Bytes that each of a hundred children takes. */
  readonly each: number;
  /** Microseconds of a system call. */
  readonly call: Pair;
  /** Milliseconds of a computation. */
  readonly compute: Pair;
};

type Pair = { readonly native: number; readonly vm: number };

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** The processor's milliseconds of fn. */
async function once(fn: () => unknown): Promise<number> {
  const began = cpu();
  await fn();
  return cpu() - began;
}

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;

async function loaded(body: string): Promise<Program> {
  const text = `import * as n from "namec";\nexport default async function main(sys, argv) {\n${body}\n}`;
  return program(await gather("prog.js", { read: (name) => (name === "prog.js" ? text : null) }));
}

const FORKS = 50;
const CALLS = 20_000;
const HUNDRED = 100;
const LIMITS = { memory: 0, stack: 512 * 1024, work: 0, procs: 0 };
const COMPUTE = `let s = 0; for (let i = 0; i < 1e6; i++) s = (s * 31 + i) % 1000003;`;

/** Runs a program to its end. */
async function run(main: Program): Promise<void> {
  const k = await boot();
  const status = await k.spawn(main, ["prog"]).wait();
  await k.shutdown();
  if (status !== "") throw new Error(status);
}

/** A program that makes so many children, which live until it ends. */
const forking = (n: number): Promise<Program> =>
  loaded(`for (let i = 0; i < ${n}; i++) if ((await sys.rfork(n.RFPROC)) === 0) await sys.sleep(1e6);
  await sys.sleep(1e6);`);

/** The processor's milliseconds, and the bytes, of so many forks; the children are alive at the end. */
async function forks(n: number): Promise<{ readonly ms: number; readonly bytes: number }> {
  const k = await boot();
  const main = await forking(n);
  globalThis.gc?.();
  const [began, before] = [cpu(), process.memoryUsage().rss];
  k.spawn(main, ["prog"]);
  while (k.procs.size < n + 2) await new Promise((resolve) => setImmediate(resolve));
  const ms = cpu() - began;
  const bytes = process.memoryUsage().rss - before;
  await k.shutdown();
  return { ms, bytes };
}

/** Measures it all: medians of so many rounds, in turns. */
export async function vmcosts(rounds: number): Promise<Costs> {
  const small = await loaded("");
  for (let i = 0; i < 3; i++) await run(small);
  await forks(FORKS);
  const parent = new Memory(LIMITS);
  const copies: number[] = [];
  const forked: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const held: Memory[] = [];
    copies.push(
      await once(() => {
        for (let j = 0; j < FORKS; j++) held.push(parent.copy());
      }),
    );
    for (const m of held) m.leave(0);
    forked.push((await forks(FORKS)).ms - (await forks(0)).ms);
  }
  const native = async (sys: Sys): Promise<void> => {
    for (let i = 0; i < CALLS; i++) await sys.nsec();
  };
  const computing = async (): Promise<void> => {
    let s = 0;
    for (let i = 0; i < 1e6; i++) s = (s * 31 + i) % 1000003;
    if (s < 0) throw new Error("unheard of");
  };
  const calls = await pair(
    rounds,
    native,
    await loaded(`for (let i = 0; i < ${CALLS}; i++) await sys.nsec();`),
  );
  return {
    copy: median(copies) / FORKS,
    fork: median(forked) / FORKS,
    each: (await forks(HUNDRED)).bytes / HUNDRED,
    call: { native: (calls.native * 1000) / CALLS, vm: (calls.vm * 1000) / CALLS },
    compute: await pair(rounds, computing, await loaded(COMPUTE)),
  };
}

async function pair(rounds: number, native: Program, vm: Program): Promise<Pair> {
  const list = { native: [] as number[], vm: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    list.native.push(await once(() => run(native)));
    list.vm.push(await once(() => run(vm)));
  }
  return { native: median(list.native), vm: median(list.vm) };
}
