// What comes before what in one schedule: a clock for each step, of the latest steps of each lane that the
// order depends on; and the races, pairs of steps next to each other in that order that could be swapped.

import type { Step } from "./course.ts";
import { ADD, READ } from "./touches.ts";

/** A step of before and a step that could come before it. */
export type Race = { readonly first: number; readonly second: number };

/** Who has touched a thing: the last that changed it, and those that looked at it or added to it since. */
type Past = { readonly write: number; readonly reads: number[]; readonly adds: number[] };

/** The clocks of a schedule's steps. */
export class Order {
  readonly #steps: readonly Step[];
  /** clock[i][lane]: the latest step of that lane before step i, or i itself; -1 for none. */
  readonly #clock: Int32Array[] = [];
  readonly races: Race[] = [];
  readonly #nlane: number;
  readonly #history = new Map<string, Past>();

  constructor(steps: readonly Step[], from: number) {
    this.#steps = steps;
    this.#nlane = steps.reduce((n, s) => Math.max(n, s.lane + 1), 0);
    for (const [i, step] of steps.entries()) this.#clock.push(this.#clockof(i, step, i >= from));
  }

  /** Whether step a comes before step b in every schedule that is the same but for independent steps. */
  before(a: number, b: number): boolean {
    const lane = this.#steps[a]?.lane ?? 0;
    return a !== b && this.#latest(b, lane) >= a;
  }

  /** Whether all that comes before a step has gone: the last that has of each lane, and how many. */
  free(i: number, last: readonly number[], gone: number): boolean {
    const step = this.#steps[i];
    const clock = this.#clock[i];
    if (step === undefined || clock === undefined || gone <= step.barrier) return false;
    return clock.every((n, lane) => lane === step.lane || n <= (last[lane] ?? -1));
  }

  #latest(i: number, lane: number): number {
    const barrier = this.#steps[i]?.barrier ?? -1;
    return Math.max(barrier, this.#clock[i]?.[lane] ?? -1);
  }

  #clockof(i: number, step: Step, races: boolean): Int32Array {
    const clock = new Int32Array(this.#nlane).fill(-1);
    if (step.enabler >= 0) this.#join(clock, step.enabler);
    // The latest first: what it comes after is no race with this one any more.
    for (const j of this.#clashing(i, step)) {
      const lane = this.#steps[j]?.lane ?? 0;
      if (j <= step.barrier || (clock[lane] ?? -1) >= j) continue;
      if (races) this.races.push({ first: j, second: i });
      this.#join(clock, j);
    }
    clock[step.lane] = i;
    return clock;
  }

  #join(clock: Int32Array, j: number): void {
    const other = this.#clock[j];
    if (other === undefined) return;
    for (let lane = 0; lane < clock.length; lane++) {
      const n = other[lane] ?? -1;
      if (n > (clock[lane] ?? -1)) clock[lane] = n;
    }
  }

  /** The steps that clash with this one, as far as others do not come between; the latest first. */
  #clashing(i: number, step: Step): number[] {
    const found = new Set<number>();
    for (const [what, how] of step.touches) {
      let past = this.#history.get(what);
      if (past === undefined) this.#history.set(what, (past = { write: -1, reads: [], adds: [] }));
      if (past.write >= 0) found.add(past.write);
      if (how !== READ) for (const at of past.reads) found.add(at);
      if (how !== ADD) for (const at of past.adds) found.add(at);
      if (how === READ) past.reads.push(i);
      else if (how === ADD) past.adds.push(i);
      else this.#history.set(what, { write: i, reads: [], adds: [] });
    }
    return [...found].toSorted((x, y) => y - x);
  }

  /**
   * Of the steps between a race's two, and the second, those that need not wait for the first: which of them
   * have none of the others before them, and so can begin a schedule in which the second comes before the first.
   */
  initials({ first, second }: Race): number[] {
    const list: number[] = [];
    const begun = new Map<number, number>();
    for (let j = first + 1; j <= second; j++) {
      if (j !== second && this.before(first, j)) continue;
      let initial = true;
      for (const [, i] of begun) if (this.before(i, j)) initial = false;
      if (initial) list.push(j);
      const lane = this.#steps[j]?.lane ?? 0;
      if (!begun.has(lane)) begun.set(lane, j);
    }
    return list;
  }
}
