// Two searches that leave something out. A preemption is a switch to another process while the one that ran could
// have gone on. Preempted runs every schedule with at most so many preemptions, each before a shared step, which is
// one that touches what another process touches, too: Musuvathi and Qadeer, "Iterative context
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
  /** The choices here are dealt out to the parts of the search, so all are tried, also before a step that is not shared. */
  readonly split: boolean;
  wanted: Set<number>;
  /** The step that came here and was not known to be shared: if it were, a preemption would be tried before it. */
  hidden: Step | null;
  readonly done: Set<number>;
};

/** Every schedule with at most `max` preemptions. */
export class Preempted implements Guide {
  readonly #max: number;
  readonly #frames: Frame[] = [];
  /** The steps that are known to be shared. */
  readonly #shared: Shared;
  /** Names of steps that were not known to be shared when the search left them, so no preemption was tried there. */
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

  /** Takes a schedule that was run, and marks what else to try. A switch is no preemption where the process could not go on. */
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

  /** Whether a step of #passed turned out to be shared in a later schedule: the search is to be run again. */
  get missed(): boolean {
    return [...this.#passed].some((name) => this.#shared.sees({ name }));
  }

  /** Whether the schedule that has ended is another part's. */
  theirs(): boolean {
    return this.#deal.theirs();
  }

  /** How many choices among several processes there are on the way; choices of faults do not count. */
  #nsplit(): number {
    return this.#frames.filter((f) => f.n > 1 && !f.fault).length;
  }
}

/** The names of the steps that, in some schedule, touch what another process touches, where the order of both matters. */
export class Shared {
  readonly #names = new Set<string>();

  /** Adds the shared steps of one schedule. */
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

  /** Whether a step is known to be shared. */
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

/** One in FAULTS of the faults that may happen does happen. */
const FAULTS = 4;

/** How many choices a run has, about, and at how many of them priorities change. */
type Changes = { readonly length: number; readonly changes: number };

/** Random priorities, with `changes` steps at which the process that goes becomes the last. */
export class Priorities implements Guide {
  readonly #chance: Chance;
  readonly #changes: ReadonlySet<number>;
  readonly #priority = new Map<number, number>();
  #low = 0;

  /** `length` is about how many choices a run of the scene has: the steps at which priorities change are among them. */
  constructor(chance: Chance, { length, changes }: Changes) {
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
