// What one more costs among many: mounts, files of a directory, processes, connections. Each curve is the
// processor time of one operation while there are n of a thing; it should be as good as flat, and to make
// n of a thing should cost n times as much.

import {
  DMDIR,
  MAFTER,
  MREPL,
  OREAD,
  RFFDG,
  RFNAMEG,
  RFPROC,
  boot,
} from "../../userland/host/index.ts";
import type { Sys } from "../../userland/host/index.ts";
import { mountram } from "../kit/kit.ts";
import { cpu } from "./rounds.ts";

/** Something that there can be many of, and an operation that should not mind. */
export type Curve = {
  readonly name: string;
  readonly sizes: readonly number[];
  /** Brings their number from `from` to `to`. */
  readonly grow: (sys: Sys, from: number, to: number) => Promise<void>;
  /** The operation, once, while there are n; i counts them. */
  readonly once: (sys: Sys, n: number, i: number) => Promise<void>;
};

const DIRPERM = (DMDIR | 0o777) >>> 0;

async function make(sys: Sys, name: string, perm = 0o666): Promise<void> {
  await sys.close(await sys.create(name, OREAD, perm));
}

async function each(from: number, to: number, fn: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = from; i < to; i++) await fn(i);
}

/** Another file of a number that is not the last: the place differs from one time to the next. */
const pick = (n: number, i: number): number => (i * 7919) % n;

async function sleeper(sys: Sys): Promise<void> {
  await sys.sleep(1e9);
}

export const CURVES: readonly Curve[] = [
  {
    name: "bind and unmount, among mounts",
    sizes: [10, 100, 1000, 10_000],
    async grow(sys, from, to) {
      await each(from, to, async (i) => {
        await make(sys, `/d/m${i}`, DIRPERM);
        await sys.bind("#/", `/d/m${i}`, MREPL);
      });
    },
    async once(sys, n, i) {
      const name = `/d/m${pick(n, i)}`;
      await sys.bind("#/", name, MAFTER);
      await sys.unmount("#/", name);
    },
  },
  {
    name: "stat of a file, among files of its directory",
    sizes: [10, 1000, 10_000, 100_000],
    grow: (sys, from, to) => each(from, to, (i) => make(sys, `/d/f${i}`)),
    async once(sys, n, i) {
      await sys.stat(`/d/f${pick(n, i)}`);
    },
  },
  {
    name: "create and remove, among files of a directory",
    sizes: [10, 1000, 10_000, 100_000],
    grow: (sys, from, to) => each(from, to, (i) => make(sys, `/d/f${i}`)),
    async once(sys) {
      await make(sys, "/d/more");
      await sys.remove("/d/more");
    },
  },
  {
    name: "rfork and wait, among processes",
    sizes: [10, 100, 1000, 10_000],
    async grow(sys, from, to) {
      await each(from, to, () => sys.rfork(RFPROC | RFFDG | RFNAMEG, sleeper));
    },
    async once(sys) {
      await sys.rfork(RFPROC, async () => undefined);
      await sys.wait();
    },
  },
  {
    name: "stat over a connection, among connections",
    sizes: [10, 100, 1000],
    async grow(sys, from, to) {
      await each(from, to, async (i) => {
        await make(sys, `/d/c${i}`, DIRPERM);
        await mountram(sys, `/d/c${i}`);
      });
    },
    async once(sys, n, i) {
      await sys.stat(`/d/c${pick(n, i)}/.`);
    },
  },
];

/** The time of one operation at each size, in microseconds. */
export async function growth(c: Curve, times: number): Promise<number[]> {
  const k = await boot({ files: { d: {} } });
  const costs: number[] = [];
  const p = k.spawn(
    async (sys: Sys) => {
      let have = 0;
      for (const n of c.sizes) {
        await c.grow(sys, have, n);
        have = n;
        // What the host's compilers take, they take before the first size.
        await each(0, costs.length === 0 ? 5000 : 100, (i) => c.once(sys, n, i));
        const rounds: number[] = [];
        for (let round = 0; round < 5; round++) {
          const began = cpu();
          await each(0, times, (i) => c.once(sys, n, i));
          rounds.push(((cpu() - began) * 1000) / times);
        }
        costs.push(rounds.toSorted((a, b) => a - b)[2] ?? NaN);
      }
      await sys.exits("");
    },
    ["growth"],
  );
  const status = await p.wait();
  if (status !== "") throw new Error(`${c.name}: ${status}`);
  await k.shutdown();
  return costs;
}
