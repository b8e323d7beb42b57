// Runs schedule after schedule of one scene: every one that matters, while there is time; then those with few
// preemptions, then some by chance. Keeps what they came to, and for each failure the fewest switches.

import { chance } from "../boot/boot.ts";
import { thishost } from "../boot/host.ts";
import type { Findplace } from "../view/record/recorder.ts";
import type { Recording } from "../view/record/recording.ts";
import { plural } from "../view/words/text.ts";
import { Preempted, Priorities, Shared } from "./bounded.ts";
import { ordersof } from "./count.ts";
import type { Many } from "./count.ts";
import { Course } from "./course.ts";
import type { Guide, Step } from "./course.ts";
import { Explored } from "./explored.ts";
import type { Covered, Failing, Fault, Outcome } from "./explored.ts";
import { fewest, straighten } from "./fewest.ts";
import type { Found, Went } from "./fewest.ts";
import { Replay, schedulefmt, switchesof } from "./schedule.ts";
import { Search, Unsteady } from "./search.ts";
import { Deal, NOPART, WAYS } from "./shard.ts";
import type { Shard } from "./shard.ts";

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
  /** Finds a program's line on a stack, for recordings. */
  readonly place?: Findplace;
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
/** Schedules that are run at the end, to see that no failure has one with fewer switches. */
const LEAST = 3000;
/** Choices by which the way to what is dealt out becomes longer. */
const DEPTH = 4;
/** Schedules that are begun to deal the others out, at most. */
const DEALT = 1000;
/** Preemptions that are tried where every schedule is too many. */
const PREEMPTIONS = 3;
/** Changes of priority in a schedule. */
const CHANGES = 3;

type Seen = Found & { fault: Fault | null; schedules: number };

/** What a failure is whose schedule does not show it again. */
const UNKNOWN: Fault = { kind: "unsteady", what: "it does not happen again", error: undefined };

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
  /** Which part of the search it is; null: the whole. */
  #shard: Shard | null;
  /** A schedule was left, since its scene waited for its host. */
  #idle = false;
  /** No schedule was left before its end. */
  #whole = true;
  /** Runs are not recorded, until the scene looks at one's calls. */
  #plain = true;

  constructor(once: Once, limits: Limits = {}) {
    this.#once = once;
    this.#limits = limits;
    this.#shard = limits.shard ?? null;
    this.#began = thishost.now();
  }

  /** Explores, and tells what was found. */
  async run(): Promise<Explored> {
    const all = await this.#search();
    const shard = this.#shard;
    const failures = await this.#failing();
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
      part: shard === null ? "" : `${shard.part}/${shard.of}`,
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
    const found = end.fault === null ? end.outcome : `${end.fault.kind}: ${end.fault.what}`;
    const recording = course.recording;
    return {
      end,
      recording: recording && {
        ...recording,
        about: { ...recording.about, explored: { schedule, found } },
      },
      left: guide.left,
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
    const reduce = this.#limits.brute !== true;
    for (;;) {
      const shard = this.#shard;
      const deal = new Deal(shard, shard === null ? 0 : await this.#depth(shard, reduce));
      const search = new Search({ reduce, deal });
      const ordered = this.#ordered.size;
      const before = this.#schedules;
      for (;;) {
        const { course } = await this.#counted(search);
        search.ran(course.steps);
        // The order of a directory's files was looked at: then more depends on it than was known.
        if (this.#ordered.size > ordered) break;
        if (!search.next())
          return this.#cover({ what, schedules: this.#schedules - before, all: true });
        if (this.#spent(part))
          return this.#cover({ what, schedules: this.#schedules - before, all: false });
      }
      this.#forget();
      // The other parts may not have seen that. So they have not dealt as this one would, which does all by itself.
      this.#shard = null;
    }
  }

  /** How many first choices are to be dealt out, so that there is something for each part. */
  async #depth({ of }: Shard, reduce: boolean): Promise<number> {
    for (let depth = DEPTH; ; depth += DEPTH) {
      const search = new Search({ reduce, deal: new Deal(NOPART, depth) });
      do {
        const { course } = await this.#counted(search);
        search.ran(course.steps);
      } while (search.next());
      const { n, longer } = search.deal.ways;
      // All parts come to the same depth, whatever their machines are: so no time is looked at.
      const enough = n >= WAYS * of || !longer || this.#repeated >= DEALT;
      if (enough || this.#limits.signal?.aborted === true) return depth;
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
    const done = new Set<string>();
    const before = this.#schedules;
    for (let [all, n] = [false, 0]; !all;) {
      const search = new Preempted(max, this.#shared, this.#shard);
      do {
        if (n++ > 0 && this.#spent(part))
          return this.#cover({ what, schedules: this.#schedules - before, all: false });
        const { course } = await this.#counted(search, done);
        search.ran(course.steps);
      } while (search.next());
      // Which steps show is learned on the way: where one was learned too late, the search begins anew.
      all = !search.missed;
    }
    return this.#cover({ what, schedules: this.#schedules - before, all: true });
  }

  async #priorities(): Promise<void> {
    const { seed = 0 } = this.#limits;
    const shard = this.#shard;
    const before = this.#schedules;
    const step = shard?.of ?? 1;
    for (let s = seed + (shard?.part ?? 1) - 1; !this.#spent(1); s += step)
      await this.#counted(new Priorities(chance(s), { length: this.#length, changes: CHANGES }));
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
    else if (this.#idle) this.#cut = "the scene hangs";
    else if (this.#schedules + this.#repeated >= part * schedules)
      this.#cut = `${plural(schedules, "schedule")} were run, the limit`;
    else if (thishost.now() - this.#began >= part * budget) this.#cut = "the time is over";
    else return false;
    return true;
  }

  /** There is no time for more than what shows the failures. */
  get #over(): boolean {
    const { budget = Infinity, signal } = this.#limits;
    return this.#idle || signal?.aborted === true || thishost.now() - this.#began >= budget;
  }

  /** `done` has the schedules that this search has run before. */
  async #counted(guide: Guide, done?: Set<string>): Promise<Ran> {
    const ran = await this.#one(guide, false);
    const { course, end } = ran;
    if (course.missed) throw new Anew();
    this.#length = Math.max(this.#length, course.steps.length);
    if (course.left === "livelock" || course.left === "idle") this.#whole = false;
    // Each schedule that waits for its host takes as long: one is enough.
    if (course.left === "idle") this.#idle = true;
    const known = course.left === "known" || course.left === "misled";
    const schedule = done === undefined ? "" : schedulefmt(course.steps);
    const again = known || done?.has(schedule) === true;
    if (!known) done?.add(schedule);
    if (again || guide.theirs?.() === true) this.#repeated++;
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
      place: this.#limits.place ?? null,
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
      this.#seen.set(key, { key, what, fault, schedules: 1, schedule, steps, least: false });
      return;
    }
    seen.schedules++;
    if (switchesof(schedule) >= switchesof(seen.schedule)) return;
    seen.schedule = schedule;
    seen.steps = steps;
    seen.fault = fault;
    if (fault !== null) seen.what = fault.what;
  }

  /** The failures, each with the fewest switches, and the recording of that. */
  async #failing(): Promise<Failing[]> {
    const found = [...this.#seen.values()].filter((s) => s.fault !== null);
    for (const f of this.#idle ? [] : found) await straighten(f, (guide) => this.#went(guide));
    let left = LEAST;
    await fewest(found, (guide) =>
      left-- <= 0 || this.#over ? Promise.resolve(null) : this.#went(guide),
    );
    const failures: Failing[] = [];
    for (const f of found) failures.push(await this.#recorded(f));
    return failures;
  }

  async #went(guide: Guide): Promise<Went> {
    const { course, end } = await this.#one(guide, false);
    const key = end.fault === null ? null : keyof("", end.fault);
    return { steps: course.steps, key, fault: end.fault };
  }

  async #recorded(s: Seen): Promise<Failing> {
    const { end, recording } = await this.replay(s.schedule);
    const { schedules, schedule, least } = s;
    const happens = s.steps.some(({ choice, chosen }) => choice.fault && chosen > 0);
    const same = end.fault ?? s.fault ?? UNKNOWN;
    s.what = same.what;
    const switches = switchesof(schedule);
    return { ...same, schedules, schedule, switches, happens, least, recording };
  }
}

/** Where the first schedule's steps had fewer orders than schedules ran, others have more steps. */
function atleast(brute: Many | null, n: number): Many {
  if (brute === null || brute.n < n) return { n, exact: false };
  return brute;
}

/** Tells endings apart: the numbers of processes differ from schedule to schedule. */
function keyof(outcome: string, fault: Fault | null): string {
  if (fault === null) return `: ${outcome}`;
  // Where a leak comes from is known only of a schedule that was recorded.
  const what = fault.kind === "leak" ? fault.what.split("\n", 1).join("") : fault.what;
  const text = what.replace(/process \d+/g, "process").replace(/\b(\d+) (\S+) ref/g, "$2 ref");
  return `${fault.kind}: ${text.split("\n").toSorted().join("\n")}`;
}
