// Two searches that leave something out. Preempted runs every schedule with at most so many preemptions, each
// before a step that touches what another process touches, too: Musuvathi and Qadeer, "Iterative context
// bounding for systematic testing of multithreaded programs", PLDI 2007. Priorities gives each process a
// priority by chance and lets the first go, with a few changes on the way: Burckhardt, Kothari, Musuvathi and
// Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010.

import type { Chance } from "../../kernel/proc/sched.ts";
import { LEAVE } from "./course.ts";
import type { Choice, Guide, Step } from "./course.ts";
import { Deal } from "./shard.ts";
import type { Shard } from "./shard.ts";
import { clash } from "./touches.ts";
import type { How } from "./touches.ts";

type Frame = {
  readonly n: number;
  chosen: number;
  readonly goeson: boolean;
  readonly fault: boolean;
  /** Every way is gone here, as far as preemptions go, by one part of the search or another. */
  readonly split: boolean;
  wanted: Set<number>;
  /** A step before which a preemption would be made if it showed. */
  hidden: Step | null;
  readonly done: Set<number>;
};

/** Every schedule with at most `max` preemptions. */
export class Preempted implements Guide {
  readonly #max: number;
  readonly #frames: Frame[] = [];
  /** The steps that show. */
  readonly #shared: Shared;
  /** Steps before which no preemption was made, since they were not known to show when the search left them. */
  readonly #passed = new Set<string>();
  readonly #deal: Deal;

  constructor(max: number, shared: Shared, shard: Shard | null = null) {
    this.#max = max;
    this.#shared = shared;
    this.#deal = new Deal(shard);
  }

  pick({ index, going, goeson, fault }: Choice): number {
    const frame = this.#frames[index];
    if (frame !== undefined) return frame.chosen;
    const several = going.length > 1 && !fault;
    const split = several && this.#deal.first(this.#nsplit());
    if (several && !split && !this.#deal.mine()) return LEAVE;
    this.#frames.push({
      n: going.length,
      chosen: 0,
      goeson,
      fault,
      split,
      wanted: new Set([0]),
      hidden: null,
      done: new Set(),
    });
    return 0;
  }

  /** The schedule was run: a switch costs nothing where a process cannot go on. */
  ran(steps: readonly Step[]): void {
    this.#shared.add(steps);
    let spent = 0;
    for (const [i, step] of steps.entries()) {
      const frame = this.#frames[i];
      if (frame === undefined) return;
      if (frame.wanted.size === 1 && frame.n > 1) {
        const may =
          step.choice.fault ||
          !frame.goeson ||
          (spent < this.#max && (frame.split || this.#shared.sees(step)));
        if (may) frame.wanted = new Set(step.choice.going.keys());
        else if (spent < this.#max) frame.hidden = step;
      }
      if (frame.goeson && frame.chosen > 0 && !step.choice.fault) spent++;
    }
  }

  next(): boolean {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      frame.done.add(frame.chosen);
      const { done } = frame;
      const more = [...frame.wanted].find((i) => !done.has(i));
      if (more !== undefined) {
        frame.chosen = more;
        this.#deal.back(this.#nsplit());
        return true;
      }
      this.#frames.pop();
      if (frame.wanted.size === 1 && frame.hidden !== null) this.#passed.add(frame.hidden.name);
    }
    return false;
  }

  /** Some step shows, as a later schedule told, before which the search has made no preemption. */
  get missed(): boolean {
    return [...this.#passed].some((name) => this.#shared.sees({ name }));
  }

  /** Whether the schedule that has ended is another part's. */
  theirs(): boolean {
    return this.#deal.theirs();
  }

  /** Choices of who goes among several, on the way. */
  #nsplit(): number {
    return this.#frames.filter((f) => f.n > 1 && !f.fault).length;
  }
}

/** The steps, by their names, that touch what another process touches in a way that shows, in some schedule. */
export class Shared {
  readonly #names = new Set<string>();

  /** Takes in a schedule. */
  add(steps: readonly Step[]): void {
    const touched = new Map<string, Map<number, How>>();
    for (const { lane, touches } of steps)
      for (const [what, how] of touches) {
        let lanes = touched.get(what);
        if (lanes === undefined) touched.set(what, (lanes = new Map()));
        lanes.set(lane, (lanes.get(lane) ?? 0) | how);
      }
    for (const step of steps)
      if (!this.#names.has(step.name) && isshared(step, touched)) this.#names.add(step.name);
  }

  /** Whether a step touches something shared. */
  sees({ name }: Pick<Step, "name">): boolean {
    return this.#names.has(name);
  }
}

function isshared(step: Step, touched: ReadonlyMap<string, ReadonlyMap<number, How>>): boolean {
  for (const [what, how] of step.touches)
    for (const [lane, h] of touched.get(what) ?? [])
      if (lane !== step.lane && clash(how, h)) return true;
  return false;
}

/** One of so many faults that may happen does. */
const FAULTS = 4;

/** Random priorities, with `changes` steps at which the process that goes becomes the last. */
export class Priorities implements Guide {
  readonly #chance: Chance;
  readonly #changes: ReadonlySet<number>;
  readonly #priority = new Map<number, number>();
  #low = 0;

  /** Of a scene of about `length` choices. */
  constructor(
    chance: Chance,
    { length, changes }: { readonly length: number; readonly changes: number },
  ) {
    this.#chance = chance;
    this.#changes = new Set(Array.from({ length: changes }, () => chance(Math.max(1, length))));
  }

  pick({ index, lanes, fault }: Choice): number {
    if (fault) return this.#chance(FAULTS) === 0 ? 1 : 0;
    let best = 0;
    let most = -Infinity;
    for (const [i, lane] of lanes.entries()) {
      const p = this.#of(lane);
      if (p > most) [best, most] = [i, p];
    }
    const lane = lanes[best];
    if (lane === undefined || !this.#changes.has(index)) return best;
    this.#priority.set(lane, --this.#low);
    return this.#again(lanes);
  }

  #again(lanes: readonly number[]): number {
    let best = 0;
    for (const [i, lane] of lanes.entries())
      if (this.#of(lane) > this.#of(lanes[best] ?? 0)) best = i;
    return best;
  }

  #of(lane: number): number {
    let p = this.#priority.get(lane);
    if (p === undefined) this.#priority.set(lane, (p = 1 + this.#chance(1 << 30)));
    return p;
  }
}
