// The exhaustive search: every schedule but those that differ only in the order of independent steps. It is
// dynamic partial-order reduction with source sets and sleep sets (Abdulla, Aronis, Jonsson and Sagonas,
// "Optimal dynamic partial order reduction", POPL 2014): a schedule is run to its end, and each pair of its
// steps that race asks for one in which they come the other way round.
//
// Only one schedule runs at a time, and all that is kept is the way to it: a Frame for each choice.

import { LEAVE } from "./course.ts";
import type { Choice, Going, Guide, Step } from "./course.ts";
import { Order } from "./order.ts";
import { Deal } from "./shard.ts";
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
  /** Who sleeps is not known from here on. */
  readonly wakes?: boolean;
};

/** The scene did something else, though the same was chosen. */
export class Unsteady extends Error {}

/** How to search: without `reduce` every order is run; `deal` is how the ways are dealt to parts. */
type Searchopts = { readonly reduce?: boolean; readonly deal?: Deal };

/** A search that ends when all is done. */
export class Search implements Guide {
  readonly #frames: Frame[] = [];
  /** How its ways are dealt to parts. */
  readonly deal: Deal;
  /** Steps before this one are those of the schedule before. */
  #from = 0;
  #asleep: Map<Going, Touches> = new Map();
  /** Independent steps are known as such; else every order is run: brute force. */
  readonly #reduce: boolean;

  constructor({ reduce = true, deal = new Deal(null) }: Searchopts = {}) {
    this.#reduce = reduce;
    this.deal = deal;
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
    const several = going.length > 1;
    const split = this.deal.first(this.#nsplit());
    this.#wake(steps[index - 1]);
    const asleep = new Map<number, Touches>();
    for (const [i, g] of going.entries()) {
      const touches = this.#asleep.get(g);
      if (touches !== undefined) asleep.set(i, touches);
    }
    const chosen = going.findIndex((_g, i) => !asleep.has(i));
    if (chosen < 0 || (several && !split && !this.deal.mine())) return LEAVE;
    const wanted = this.#reduce && !split ? new Set([chosen]) : new Set(going.keys());
    const [touches, done]: [Touches, Map<number, Touches>] = [new Map(), new Map()];
    this.#frames.push({ n: going.length, chosen, asleep, wanted, done, touches });
    return chosen;
  }

  /** Whether the schedule that has ended is another part's. */
  theirs(): boolean {
    return this.deal.theirs();
  }

  /** Choices of who goes among several, on the way. */
  #nsplit(): number {
    return this.#frames.filter((f) => f.n > 1 && f.wakes !== true).length;
  }

  /** Who sleeps is woken by a step that depends on its own. */
  #wake(last: Step | undefined): void {
    if (last === undefined) return;
    for (const [g, t] of this.#asleep) if (depend(t, last.touches)) this.#asleep.delete(g);
  }

  /** A fault that may happen: both are run, and who sleeps is not known from here on. */
  #fault(): 0 {
    const [wanted, touches]: [Set<number>, Touches] = [new Set([0, 1]), new Map()];
    const [asleep, done] = [new Map<number, Touches>(), new Map<number, Touches>()];
    this.#frames.push({ n: 2, chosen: 0, asleep, wanted, done, touches, wakes: true });
    this.#asleep = new Map();
    return 0;
  }

  /** Who sleeps from the last choice on that is the same as before. */
  #sleepers(frame: Frame, { going }: Choice): void {
    this.#asleep = new Map();
    if (!this.#reduce || frame.wakes === true) return;
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
        this.deal.back(this.#nsplit());
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
  const could = `at choice ${index + 1} of who goes there were ${before} the first time, and ${now} now`;
  return `the scene does not repeat: ${could}. It may depend on nothing outside of it: variables, Date, Math.random, files of the host`;
}
