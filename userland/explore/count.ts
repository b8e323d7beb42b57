// How many schedules brute force would run: the orders of one schedule's steps in which each process makes its
// own in their order, and none goes before it can. Of a scene whose steps depend on the order, that is about it.

import type { Chance } from "../../kernel/proc/sched.ts";
import type { Step } from "./course.ts";

/** Places to look at until the number is guessed from probes. */
const PLACES = 50_000;
const PROBES = 400;

/** A number of schedules, and whether it was counted or guessed. */
export type Many = { readonly n: number; readonly exact: boolean };

/** The steps of each lane, in order. */
function lanesof(steps: readonly Step[]): number[][] {
  const lanes: number[][] = [];
  for (const [i, { lane }] of steps.entries()) (lanes[lane] ??= []).push(i);
  return lanes.filter((list) => list !== undefined);
}

/** The orders of these steps. */
export function ordersof(steps: readonly Step[], chance: Chance): Many {
  const lanes = lanesof(steps);
  const size = lanes.reduce((n, list) => n * (list.length + 1), 1);
  if (size > PLACES) return { n: probed(steps, lanes, chance), exact: false };
  // A call of two steps has slept: in another order it may be one.
  const whole = new Set(steps.map((s) => s.name)).size === steps.length;
  return { n: counted(steps, lanes), exact: whole };
}

/** What can go at a place: the next of each lane, where all that made it possible has gone. */
function nexts(
  steps: readonly Step[],
  lanes: readonly number[][],
  at: readonly number[],
): number[] {
  const done = (i: number): boolean => {
    const lane = lanes.findIndex((list) => list.includes(i));
    return (at[lane] ?? 0) > (lanes[lane]?.indexOf(i) ?? -1);
  };
  const total = at.reduce((n, x) => n + x, 0);
  const can: number[] = [];
  for (const [lane, list] of lanes.entries()) {
    const i = list[at[lane] ?? 0];
    const step = i === undefined ? undefined : steps[i];
    if (step === undefined || (step.enabler >= 0 && !done(step.enabler))) continue;
    if (total <= step.barrier) continue;
    can.push(lane);
  }
  return can;
}

function counted(steps: readonly Step[], lanes: readonly number[][]): number {
  const known = new Map<string, number>();
  const count = (at: number[]): number => {
    const key = at.join();
    const n = known.get(key);
    if (n !== undefined) return n;
    const can = nexts(steps, lanes, at);
    let sum = can.length === 0 ? 1 : 0;
    for (const lane of can) {
      at[lane] = (at[lane] ?? 0) + 1;
      sum += count(at);
      at[lane] = (at[lane] ?? 0) - 1;
    }
    known.set(key, sum);
    return sum;
  };
  return count(lanes.map(() => 0));
}

/** Knuth's estimate of the size of a tree: the mean of the products of how many could go, on the way down. */
function probed(steps: readonly Step[], lanes: readonly number[][], chance: Chance): number {
  let sum = 0;
  for (let i = 0; i < PROBES; i++) {
    const at = lanes.map(() => 0);
    let product = 1;
    for (let can = nexts(steps, lanes, at); can.length > 0; can = nexts(steps, lanes, at)) {
      product *= can.length;
      const lane = can[chance(can.length)] ?? 0;
      at[lane] = (at[lane] ?? 0) + 1;
    }
    sum += product;
  }
  return sum / PROBES;
}

/** 90 → "90", 5550996791340 → "5,550,996,791,340", 1e30 → "1e+30". */
export function manyfmt({ n, exact }: Many): string {
  const about = exact ? "" : "about ";
  if (n >= 1e15) return `${about}${n.toExponential(1).replace("+", "")}`;
  return `${about}${Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",")}`;
}
