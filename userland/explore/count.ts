// How many schedules brute force would run: the orders of one schedule's steps in which each process makes its
// own in their order, and none goes before it can. Of a scene whose steps depend on the order, that is about it.

import type { Chance } from "../../kernel/proc/sched.ts";
import type { Step } from "./course.ts";

/** Places to look at until the number is guessed from probes. */
const PLACES = 50_000;
const PROBES = 400;
/** Steps of all probes together. */
const LOOKS = 40_000;
/** A schedule of more steps is guessed. */
const DEEP = 500;

/** A number of schedules, and whether it was counted or guessed. */
export type Many = { readonly n: number; readonly exact: boolean };

/** A schedule's steps as a count wants them. */
type Board = {
  readonly steps: readonly Step[];
  /** The steps of each lane, in order. */
  readonly lanes: readonly (readonly number[])[];
  /** The lane of each step, and which it is there. */
  readonly laneof: readonly number[];
  readonly place: readonly number[];
};

function boardof(steps: readonly Step[]): Board {
  const numbers = new Map<number, number>();
  const lanes: number[][] = [];
  const laneof: number[] = [];
  const place: number[] = [];
  for (const [i, step] of steps.entries()) {
    const lane = numbers.get(step.lane) ?? lanes.length;
    numbers.set(step.lane, lane);
    const list = (lanes[lane] ??= []);
    laneof.push(lane);
    place.push(list.length);
    list.push(i);
  }
  return { steps, lanes, laneof, place };
}

/** The orders of these steps. */
export function ordersof(steps: readonly Step[], chance: Chance): Many {
  const board = boardof(steps);
  const size = board.lanes.reduce((n, list) => n * (list.length + 1), 1);
  if (size > PLACES || steps.length > DEEP) return { n: probed(board, chance), exact: false };
  // A call of two steps has slept: in another order it may be one.
  const whole = new Set(steps.map((s) => s.name)).size === steps.length;
  return { n: counted(board), exact: whole };
}

/** What can go at a place: the next of each lane, where all that made it possible has gone. */
function nexts(
  { steps, lanes, laneof, place }: Board,
  at: readonly number[],
  gone: number,
): number[] {
  const can: number[] = [];
  for (const [lane, list] of lanes.entries()) {
    const i = list[at[lane] ?? 0];
    const step = i === undefined ? undefined : steps[i];
    if (step === undefined || gone <= step.barrier) continue;
    const { enabler: e } = step;
    if (e < 0 || (at[laneof[e] ?? 0] ?? 0) > (place[e] ?? 0)) can.push(lane);
  }
  return can;
}

function counted(board: Board): number {
  const known = new Map<string, number>();
  const count = (at: number[], gone: number): number => {
    const key = at.join();
    const n = known.get(key);
    if (n !== undefined) return n;
    const can = nexts(board, at, gone);
    let sum = can.length === 0 ? 1 : 0;
    for (const lane of can) {
      at[lane] = (at[lane] ?? 0) + 1;
      sum += count(at, gone + 1);
      at[lane] = (at[lane] ?? 0) - 1;
    }
    known.set(key, sum);
    return sum;
  };
  return count(
    board.lanes.map(() => 0),
    0,
  );
}

/** Knuth's estimate of the size of a tree: the mean of the products of how many could go, on the way down. */
function probed(board: Board, chance: Chance): number {
  const probes = Math.max(1, Math.min(PROBES, Math.floor(LOOKS / board.steps.length)));
  let sum = 0;
  for (let i = 0; i < probes; i++) {
    const at = board.lanes.map(() => 0);
    let product = 1;
    let gone = 0;
    for (let can = nexts(board, at, 0); can.length > 0; can = nexts(board, at, ++gone)) {
      product *= can.length;
      const lane = can[chance(can.length)] ?? 0;
      at[lane] = (at[lane] ?? 0) + 1;
    }
    sum += product;
  }
  return sum / probes;
}

/** 90 → "90", 5550996791340 → "5,550,996,791,340", 1e30 → "1e+30". */
export function manyfmt({ n, exact }: Many): string {
  const about = exact ? "" : "about ";
  if (!Number.isFinite(n)) return "more than can be counted";
  if (n >= 1e15) return `${about}${n.toExponential(1).replace("+", "")}`;
  return `${about}${Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",")}`;
}
