// Runs schedule after schedule of one scene: every one that matters, while there is time; then those with few
// preemptions, then some by chance. Keeps what they came to, and for each failure the fewest switches.

import { chance } from "../boot/boot.ts";
import { thishost } from "../boot/host.ts";
import type { Recording } from "../view/record/recording.ts";
import { plural } from "../view/words/stepfmt.ts";
import { Preempted, Priorities, Shared } from "./bounded.ts";
import { ordersof } from "./count.ts";
import type { Many } from "./count.ts";
import { Course } from "./course.ts";
import type { Guide, Step } from "./course.ts";
import { Explored } from "./explored.ts";
import type { Covered, Failing, Fault, Outcome } from "./explored.ts";
import { Order } from "./order.ts";
import { Replay, Script, schedulefmt, switchesof } from "./schedule.ts";
import { Search, Unsteady } from "./search.ts";
import type { Shard } from "./search.ts";

/** How a schedule of the scene ended. */
export type End = {
  /** What it came to, as text. */
  readonly outcome: string;
  readonly fault: Fault | null;
};

/** Runs the scene once; rejects only for what is wrong with the scene itself. */
export type Once = (course: Course) => Promise<End>;

/** How to explore. */
export type Limits = {
  /** At most so many preemptions: every schedule with no more. Without it every schedule, while there is time. */
  readonly preemptions?: number;
  /** Schedules that are run at most: 10,000. */
  readonly schedules?: number;
  /** Nanoseconds of the host's time after which no schedule begins. */
  readonly budget?: number;
  /** Steps of one schedule; a scene that goes on is a livelock: 2,000. */
  readonly steps?: number;
  /** Where random priorities come from: 0. */
  readonly seed?: number;
  /** One of several parts. */
  readonly shard?: Shard;
  /** Does not use that steps are independent: brute force. */
  readonly brute?: boolean;
  /** Told now and then. */
  readonly progress?: (p: Progress) => void;
  /** Ends the exploration when it is true. */
  readonly signal?: { readonly aborted: boolean };
};

/** How far an exploration is. */
export type Progress = {
  /** How many schedules ran. */
  readonly schedules: number;
  /** How many different ends they came to. */
  readonly outcomes: number;
  /** How many of those are failures. */
  readonly failures: number;
  /** Nanoseconds. */
  readonly time: number;
};

const SCHEDULES = 10_000;
const STEPS = 2000;
/** Schedules between two looks at the clock. */
const LOOK = 16;
/** Schedules that are tried to find one with fewer switches, for each failure. */
const TRIES = 60;
/** A schedule of more steps is left as it is. */
const LONG = 1000;
/** Preemptions that are tried where every schedule is too many. */
const PREEMPTIONS = 3;
/** Changes of priority in a schedule. */
const CHANGES = 3;

type Seen = {
  what: string;
  fault: Fault | null;
  schedules: number;
  schedule: string;
  steps: readonly Step[];
};

/** What one schedule was. */
type Ran = { readonly course: Course; readonly end: End };

/** The scene looks at the calls of its runs: from now on they are recorded. */
class Anew extends Error {}

/** An exploration under way. */
export class Explorer {
  readonly #once: Once;
  readonly #limits: Limits;
  readonly #began: number;
  readonly #covered: Covered[] = [];
  readonly #seen = new Map<string, Seen>();
  readonly #shared = new Shared();
  #ordered = new Set<string>();
  #schedules = 0;
  #repeated = 0;
  #length = 0;
  #brute: Many | null = null;
  #cut = "";
  /** No schedule was left before its end. */
  #whole = true;
  /** Runs are not recorded, until the scene looks at one's calls. */
  #plain = true;

  constructor(once: Once, limits: Limits = {}) {
    this.#once = once;
    this.#limits = limits;
    this.#began = thishost.now();
  }

  /** Explores, and tells what was found. */
  async run(): Promise<Explored> {
    const all = await this.#search();
    const { shard } = this.#limits;
    const failures: Failing[] = [];
    for (const s of this.#seen.values())
      if (s.fault !== null) failures.push(await this.#failing(s, s.fault));
    const outcomes: Outcome[] = [...this.#seen.values()].map(({ what, schedules, schedule }) => ({
      what,
      schedules,
      schedule,
    }));
    return new Explored({
      schedules: this.#schedules,
      all: all && this.#whole,
      brute: atleast(this.#brute, this.#schedules),
      repeated: this.#repeated,
      outcomes,
      failures,
      covered: this.#covered,
      cut: this.#cut,
      part: shard === undefined ? "" : `${shard.part}/${shard.of}`,
    });
  }

  /** True: all schedules were run. */
  async #search(): Promise<boolean> {
    const { preemptions } = this.#limits;
    try {
      if (preemptions === undefined) return await this.#every();
      await this.#preempted(preemptions, 1);
      return false;
    } catch (e) {
      if (e instanceof Anew) {
        this.#plain = false;
        this.#forget();
        return await this.#search();
      }
      if (!(e instanceof Unsteady)) throw e;
      const fault: Fault = { kind: "unsteady", what: e.message, error: e };
      this.#see({ outcome: "", fault }, []);
      return false;
    }
  }

  /** Runs one schedule, and tells what came of it with its recording. Throws Scheduleerror. */
  async replay(schedule: string): Promise<{
    readonly end: End;
    readonly recording: Recording | null;
    readonly left: string | null;
  }> {
    const guide = new Replay(schedule);
    const { course, end } = await this.#one(guide, true);
    return {
      end,
      recording: course.recording,
      left: course.left === "misled" ? misled(schedule) : guide.left,
    };
  }

  /** Every schedule; where that is too much, those with few preemptions, and some by chance. */
  async #every(): Promise<boolean> {
    if (await this.#reduced(0.5)) return true;
    if (this.#limits.signal?.aborted === true) return false;
    for (let n = 0; n <= PREEMPTIONS; n++) if (!(await this.#preempted(n, 0.75))) break;
    await this.#priorities();
    return false;
  }

  /** Until that part of the budget is spent. True: all was run. */
  async #reduced(part: number): Promise<boolean> {
    const what = "every schedule";
    for (;;) {
      const search = new Search({
        reduce: this.#limits.brute !== true,
        shard: this.#limits.shard ?? null,
      });
      const ordered = this.#ordered.size;
      const before = this.#schedules;
      for (;;) {
        const { course } = await this.#counted(search, false);
        search.ran(course.steps);
        // The order of a directory's files was looked at: then more depends on it than was known.
        if (this.#ordered.size > ordered) break;
        if (!search.next())
          return this.#cover({ what, schedules: this.#schedules - before, all: true });
        if (this.#spent(part))
          return this.#cover({ what, schedules: this.#schedules - before, all: false });
      }
      this.#forget();
    }
  }

  /** Begins anew. */
  #forget(): void {
    this.#schedules = this.#repeated = 0;
    this.#seen.clear();
    this.#covered.length = 0;
  }

  async #preempted(max: number, part: number): Promise<boolean> {
    const what = `every schedule with at most ${plural(max, "preemption")}`;
    const search = new Preempted(max, this.#shared);
    const before = this.#schedules;
    for (;;) {
      const { course } = await this.#counted(search, false);
      search.ran(course.steps);
      if (!search.next())
        return this.#cover({ what, schedules: this.#schedules - before, all: true });
      if (this.#spent(part))
        return this.#cover({ what, schedules: this.#schedules - before, all: false });
    }
  }

  async #priorities(): Promise<void> {
    const { seed = 0, shard } = this.#limits;
    const before = this.#schedules;
    const step = shard?.of ?? 1;
    for (let s = seed + (shard?.part ?? 1) - 1; !this.#spent(1); s += step)
      await this.#counted(
        new Priorities(chance(s), { length: this.#length, changes: CHANGES }),
        false,
      );
    const what = `random priorities from seed ${seed}`;
    this.#cover({ what, schedules: this.#schedules - before, all: false });
  }

  #cover(c: Covered): boolean {
    this.#covered.push(c);
    return c.all;
  }

  /** Whether that part of what may be spent is spent. */
  #spent(part: number): boolean {
    const { schedules = SCHEDULES, budget = Infinity, signal } = this.#limits;
    if (signal?.aborted === true) this.#cut = "interrupted";
    else if (this.#schedules + this.#repeated >= part * schedules)
      this.#cut = `${plural(schedules, "schedule")} were run, the limit`;
    else if (thishost.now() - this.#began >= part * budget) this.#cut = "the time is over";
    else return false;
    return true;
  }

  async #counted(guide: Guide, record: boolean): Promise<Ran> {
    const ran = await this.#one(guide, record);
    const { course, end } = ran;
    if (course.missed) throw new Anew();
    this.#length = Math.max(this.#length, course.steps.length);
    if (course.left === "livelock" || course.left === "idle") this.#whole = false;
    if (course.left === "known" || course.left === "misled") this.#repeated++;
    else {
      this.#schedules++;
      this.#brute ??= ordersof(course.steps, chance(0));
      this.#see(end, course.steps);
    }
    if ((this.#schedules + this.#repeated) % LOOK === 0) this.#tell();
    return ran;
  }

  #tell(): void {
    const failures = [...this.#seen.values()].filter((s) => s.fault !== null).length;
    const time = thishost.now() - this.#began;
    this.#limits.progress?.({
      schedules: this.#schedules,
      outcomes: this.#seen.size,
      failures,
      time,
    });
  }

  async #one(guide: Guide, record: boolean): Promise<Ran> {
    const course = new Course(guide, {
      steps: this.#limits.steps ?? STEPS,
      ordered: this.#ordered,
      record,
      plain: this.#plain && !record,
    });
    const end = await this.#once(course);
    course.finish();
    if (course.error !== null) throw course.error;
    return { course, end };
  }

  #see({ outcome, fault }: End, steps: readonly Step[]): void {
    const key = keyof(outcome, fault);
    const schedule = schedulefmt(steps);
    const seen = this.#seen.get(key);
    if (seen === undefined) {
      const what = fault?.what ?? outcome;
      this.#seen.set(key, { what, fault, schedules: 1, schedule, steps });
      return;
    }
    seen.schedules++;
    if (switchesof(schedule) >= switchesof(seen.schedule)) return;
    seen.schedule = schedule;
    seen.steps = steps;
    seen.fault = fault;
    if (fault !== null) seen.what = fault.what;
  }

  /** A failure with the fewest switches that were found, and the recording of that. */
  async #failing(s: Seen, fault: Fault): Promise<Failing> {
    const key = keyof("", fault);
    let tries = TRIES;
    const attempt = async (guide: Guide): Promise<boolean> => {
      if (tries-- <= 0) return false;
      const { course, end } = await this.#one(guide, false);
      const schedule = schedulefmt(course.steps);
      const better = switchesof(schedule) < switchesof(s.schedule);
      if (!better || end.fault === null || keyof("", end.fault) !== key) return false;
      [s.schedule, s.steps, s.what] = [schedule, course.steps, end.fault.what];
      return true;
    };
    for (const names of s.steps.length > LONG ? [] : straightened(s.steps))
      await attempt(new Script(names));
    for (let more = true; more && s.schedule !== "default";) {
      more = false;
      for (const shorter of shortened(s.schedule))
        if ((more = await attempt(new Replay(shorter)))) break;
    }
    const { end, recording } = await this.replay(s.schedule);
    const same = end.fault ?? fault;
    const { schedules, schedule } = s;
    s.what = same.what;
    return { ...same, schedules, schedule, switches: switchesof(schedule), recording };
  }
}

/** Where the first schedule's steps had fewer orders than schedules ran, others have more steps. */
function atleast(brute: Many | null, n: number): Many {
  if (brute === null || brute.n < n) return { n, exact: false };
  return brute;
}

function misled(schedule: string): string {
  return `schedule ${schedule}: fewer processes could go than it says; the scene is another one`;
}

/** Tells endings apart: the numbers of processes differ from schedule to schedule. */
function keyof(outcome: string, fault: Fault | null): string {
  if (fault === null) return `: ${outcome}`;
  const text = fault.what
    .replace(/process \d+/g, "process")
    .replace(/\b(\d+) (\S+) ref/g, "$2 ref");
  return `${fault.kind}: ${text.split("\n").toSorted().join("\n")}`;
}

/** The same order with fewer switches: each process goes on as long as it may. By who begins, several. */
function straightened(steps: readonly Step[]): string[][] {
  const order = new Order(steps, steps.length);
  const lanes = new Map<number, number[]>();
  for (const [i, { lane }] of steps.entries()) lanes.set(lane, [...(lanes.get(lane) ?? []), i]);
  return [...lanes.keys()].map((first) => straight(steps, { order, lanes, first }));
}

/** One such order, by the names of its steps. */
function straight(
  steps: readonly Step[],
  s: { readonly order: Order; readonly lanes: Map<number, number[]>; readonly first: number },
): string[] {
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
