// The schedule of a failure with the fewest switches. First a schedule that was found is made straighter, which is
// quick; then every schedule with no switch is run, with one, and so on, until there can be no fewer for any failure.

import type { Fault } from "./explored.ts";
import type { Guide, Step } from "./course.ts";
import { Order } from "./order.ts";
import { DEFAULT, Replay, Script, schedulefmt, switchesof, withswitch } from "./schedule.ts";

/** A failure, and the schedule of it that is known with the fewest switches. */
export type Found = {
  readonly key: string;
  what: string;
  schedule: string;
  steps: readonly Step[];
  /** No schedule of it has fewer switches. */
  least: boolean;
};

/** How a schedule went: the key of its failure is null where it has none. */
export type Went = {
  readonly steps: readonly Step[];
  readonly key: string | null;
  readonly fault: Fault | null;
};

/** Runs schedules for this; null: there is no time for another one. */
export type Runs = (guide: Guide) => Promise<Went | null>;

/** Schedules that are tried to make one straighter. */
const TRIES = 60;
/** A schedule of more steps is left as it is. */
const LONG = 1000;

/** Makes the schedule of a failure straighter, as far as a few tries lead. */
export async function straighten(f: Found, run: Runs): Promise<void> {
  let tries = TRIES;
  const attempt = async (guide: Guide): Promise<boolean> => {
    const went = tries-- > 0 ? await run(guide) : null;
    return went !== null && better(f, went);
  };
  for (const names of f.steps.length > LONG ? [] : straightened(f.steps))
    await attempt(new Script(names));
  for (let more = true; more && f.schedule !== DEFAULT;) {
    more = false;
    for (const shorter of shortened(f.schedule))
      if ((more = await attempt(new Replay(shorter)))) break;
  }
}

/**
 * Runs every schedule with few switches, those with fewer first, until each failure is known to have none with fewer
 * than its own. Those that are not `least` then may have one: there was no time to see.
 */
export async function fewest(all: readonly Found[], run: Runs): Promise<void> {
  let level = [DEFAULT];
  for (let n = 0; ; n++) {
    const most = Math.max(-1, ...all.map((f) => switchesof(f.schedule)));
    for (const f of all) if (switchesof(f.schedule) <= n) f.least = true;
    if (most <= n) return;
    const next: string[] = [];
    for (const schedule of level) {
      const went = await run(new Replay(schedule));
      if (went === null) return;
      for (const f of all) if (better(f, went)) f.least = true;
      if (most > n + 1) next.push(...withswitch(schedule, went.steps));
    }
    level = next;
  }
}

/** Whether it went as the failure does, with fewer switches: then that is the failure's schedule from now on. */
function better(f: Found, { steps, key, fault }: Went): boolean {
  const schedule = schedulefmt(steps);
  if (key !== f.key || fault === null || switchesof(schedule) >= switchesof(f.schedule))
    return false;
  [f.schedule, f.steps, f.what] = [schedule, steps, fault.what];
  return true;
}

/** The same order with fewer switches: each process goes on as long as it may. By who begins, several. */
function straightened(steps: readonly Step[]): string[][] {
  const order = new Order(steps, steps.length);
  const lanes = new Map<number, number[]>();
  for (const [i, { lane }] of steps.entries()) lanes.set(lane, [...(lanes.get(lane) ?? []), i]);
  return [...lanes.keys()].map((first) => straight(steps, { order, lanes, first }));
}

/** The steps of each lane, what orders them, and the lane that goes first. */
type Lanes = {
  readonly order: Order;
  readonly lanes: Map<number, number[]>;
  readonly first: number;
};

/** One such order, by the names of its steps. */
function straight(steps: readonly Step[], s: Lanes): string[] {
  const at = new Map<number, number>();
  const last: number[] = [];
  const names: string[] = [];
  const next = (lane: number): number | undefined => s.lanes.get(lane)?.[at.get(lane) ?? 0];
  const goes = (lane: number): boolean => {
    const i = next(lane);
    return i !== undefined && s.order.free(i, last, names.length);
  };
  for (let lane: number | undefined = s.first; names.length < steps.length;) {
    if (lane === undefined || !goes(lane)) lane = [...s.lanes.keys()].find(goes);
    const i = lane === undefined ? undefined : next(lane);
    if (lane === undefined || i === undefined) break;
    at.set(lane, (at.get(lane) ?? 0) + 1);
    last[lane] = i;
    names.push(steps[i]?.name ?? "");
  }
  return names;
}

/** A schedule with one switch less, each in turn. */
function shortened(schedule: string): string[] {
  const parts = schedule.split(".");
  return parts.map((part, i) => {
    const rest = parts.slice(0, i);
    const next = parts[i + 1];
    if (next === undefined) return rest.length === 0 ? "default" : rest.join(".");
    // The choice where no switch is made any more is one more before the next.
    const after = Number.parseInt(part, 10) + 1 + Number.parseInt(next, 10);
    const which = next.replace(/^\d+/, "");
    return [...rest, `${after}${which}`, ...parts.slice(i + 2)].join(".");
  });
}
