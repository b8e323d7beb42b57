// The exhaustive search: every schedule but those that differ only in the order of independent steps. It is
// dynamic partial-order reduction with source sets and sleep sets (Abdulla, Aronis, Jonsson and Sagonas,
// "Optimal dynamic partial order reduction", POPL 2014): a schedule is run to its end, and each pair of its
// steps that race asks for one in which they come the other way round.
//
// Only one schedule runs at a time, and all that is kept is the way to it: a Frame for each choice.

import type { Choice, Going, Guide, Step } from "./course.ts";
import { Order } from "./order.ts";
import { depend, merged } from "./touches.ts";
import type { Touches } from "./touches.ts";

/** A choice on the way to the schedule that runs. */
type Frame = {
  /** How many could go. */
  readonly n: number;
  /** Which goes in this schedule. */
  chosen: number;
  /** Those that need not go here, since schedules that were run before had them first: what each touches. */
  readonly asleep: ReadonlyMap<number, Touches>;
  /** Those that are to go here in some schedule. */
  readonly wanted: Set<number>;
  /** Those that went here, and all that came of it was run. */
  readonly done: Map<number, Touches>;
  /** What the one that goes has touched. */
  touches: Touches;
  /** Every way is gone here, by one part of the search or another. */
  readonly split?: boolean;
};

/** Ways for each part of a search, at least. */
const WAYS = 4;

/** The scene did something else, though the same was chosen. */
export class Unsteady extends Error {}

/** One of several parts of a search: "3/8" is part 3 of 8. */
export type Shard = { readonly part: number; readonly of: number };

/** A search that ends when all is done. */
export class Search implements Guide {
  readonly #frames: Frame[] = [];
  readonly #shard: Shard | null;
  /** Ways through the first choices, each the work of one part. */
  #way = 0;
  /** Choices that are made in every way, so that there are several ways for each part. */
  readonly #split: number;
  /** Steps before this one are those of the schedule before. */
  #from = 0;
  #asleep: Map<Going, Touches> = new Map();
  /** Independent steps are known as such; else every order is run: brute force. */
  readonly #reduce: boolean;

  constructor({
    reduce = true,
    shard = null,
  }: { readonly reduce?: boolean; readonly shard?: Shard | null } = {}) {
    this.#reduce = reduce;
    this.#shard = shard;
    this.#split = shard === null ? 0 : Math.ceil(Math.log2(WAYS * shard.of));
  }

  pick(choice: Choice, steps: readonly Step[]): number {
    const { index, going } = choice;
    const frame = this.#frames[index];
    if (frame !== undefined) {
      if (frame.n !== going.length) throw new Unsteady(unsteady(index, frame.n, going.length));
      if (index === this.#frames.length - 1) this.#sleepers(frame, choice);
      return frame.chosen;
    }
    if (choice.fault) return this.#fault();
    const way = going.length > 1 ? this.#ways(going.length) : null;
    if (way !== null) return way;
    const last = steps[index - 1];
    if (last !== undefined)
      for (const [g, t] of this.#asleep) if (depend(t, last.touches)) this.#asleep.delete(g);
    const asleep = new Map<number, Touches>();
    for (const [i, g] of going.entries()) {
      const touches = this.#asleep.get(g);
      if (touches !== undefined) asleep.set(i, touches);
    }
    const chosen = going.findIndex((_g, i) => !asleep.has(i));
    if (chosen < 0) return -1;
    const wanted = this.#reduce ? new Set([chosen]) : new Set(going.keys());
    const nothing: Touches = new Map();
    this.#frames.push({
      n: going.length,
      chosen,
      asleep,
      wanted,
      done: new Map(),
      touches: nothing,
    });
    return chosen;
  }

  /** A fault that may happen: both are run, and who sleeps is not known from here on. */
  #fault(): 0 {
    const [wanted, none]: [Set<number>, Touches] = [new Set([0, 1]), new Map()];
    const asleep = new Map<number, Touches>();
    const done = new Map<number, Touches>();
    this.#frames.push({ n: 2, chosen: 0, asleep, wanted, done, touches: none, split: true });
    this.#asleep = new Map();
    return 0;
  }

  /** In a part of a search: 0 where every way is gone, -1 where the way is another part's; else null. */
  #ways(n: number): 0 | -1 | null {
    const shard = this.#shard;
    if (shard === null) return null;
    const before = this.#frames.filter((f) => f.n > 1).length;
    if (before > this.#split) return null;
    if (before === this.#split) return this.#way++ % shard.of === shard.part - 1 ? null : -1;
    const wanted = new Set(Array.from({ length: n }, (_x, i) => i));
    const none: Touches = new Map();
    const asleep = new Map<number, Touches>();
    const done = new Map<number, Touches>();
    this.#frames.push({ n, chosen: 0, asleep, wanted, done, touches: none, split: true });
    this.#asleep = new Map();
    return 0;
  }

  /** Who sleeps from the last choice on that is the same as before. */
  #sleepers(frame: Frame, { going }: Choice): void {
    this.#asleep = new Map();
    if (!this.#reduce || frame.split === true) return;
    for (const [i, touches] of [...frame.asleep, ...frame.done]) {
      const g = going[i];
      if (g !== undefined && i !== frame.chosen) this.#asleep.set(g, touches);
    }
  }

  /** The schedule was run: finds what it asks for. */
  ran(steps: readonly Step[]): void {
    // What a step touches when a fault happens in it is touched by the whole of it.
    for (const [i, step] of steps.entries()) {
      const frame = this.#frames[stepof(steps, i)];
      if (frame !== undefined && i >= this.#from)
        frame.touches = merged(frame.touches, step.touches);
    }
    if (!this.#reduce) return;
    const order = new Order(steps, this.#from);
    for (const race of order.races) {
      const first = stepof(steps, race.first);
      const frame = this.#frames[first];
      const going = steps[first]?.choice.going;
      if (frame === undefined || going === undefined) continue;
      const firsts = order
        .initials({ ...race, first })
        .map((j) => indexof(going, steps[j]))
        .filter((i) => i >= 0);
      if (firsts.some((i) => frame.wanted.has(i) || frame.asleep.has(i))) continue;
      const last = firsts.at(-1) ?? -1;
      if (last >= 0) frame.wanted.add(last);
      else for (let i = 0; i < frame.n; i++) frame.wanted.add(i);
    }
  }

  /** The way to the next schedule; false when all is done. */
  next(): boolean {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      frame.done.set(frame.chosen, merged(frame.done.get(frame.chosen), frame.touches));
      const more = [...frame.wanted].find((i) => !frame.done.has(i) && !frame.asleep.has(i));
      if (more !== undefined) {
        frame.chosen = more;
        frame.touches = new Map();
        this.#from = this.#frames.length - 1;
        return true;
      }
      this.#frames.pop();
    }
    return false;
  }
}

/** The choice of who goes that a step belongs to: behind it there may be some of faults. */
function stepof(steps: readonly Step[], i: number): number {
  let at = i;
  while (at > 0 && steps[at]?.choice.fault === true) at--;
  return at;
}

/** Which of those that could go went in a later step; -1: none. */
function indexof(going: readonly Going[], step: Step | undefined): number {
  const g = step?.choice.going[step.chosen];
  return g === undefined ? -1 : going.indexOf(g);
}

function unsteady(index: number, before: number, now: number): string {
  return `the scene does not repeat: at choice ${index + 1} ${before} could go before, and ${now} now`;
}
