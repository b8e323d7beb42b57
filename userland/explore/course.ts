// A Course is one schedule's run: it is the scheduler's Explorer, and asks a Guide at each choice. It keeps of each
// step what it was, what it touched, and which step made it possible. Searches read these steps; they know no kernel.
//
// A step is a system call, or the part of one between two sleeps, or a timer. The kernel's own coroutines and
// the programs' way to their next calls belong to the step before.

import type { Booted } from "../../kernel/boot.ts";
import type { Host, Timer } from "../../kernel/proc/clock.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Coroutine, Explorer } from "../../kernel/proc/sched.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Event, EventBody } from "../../kernel/trace.ts";
import { chance } from "../boot/boot.ts";
import { thishost } from "../boot/host.ts";
import { Recorder } from "../view/record/recorder.ts";
import type { Findplace } from "../view/record/recorder.ts";
import type { Recording } from "../view/record/recording.ts";
import { stuckof } from "./stuck.ts";
import { READ, WRITE } from "./touches.ts";
import type { How, Touches } from "./touches.ts";
import { Watch } from "./watch.ts";
import { young } from "../../kernel/abi/young.ts";

/** What can be chosen: a coroutine that is ready, or a timer that is due; or whether a fault happens. */
export type Going = Coroutine | Timer | Happens;

/** A fault happens, or does not. */
type Happens = { readonly happens: boolean };

const FAULT: readonly Happens[] = [{ happens: false }, { happens: true }];

/** A choice: what can go next. The first of `going` goes when there is no reason to switch. */
export type Choice = {
  /** How many choices came before it. */
  readonly index: number;
  /** First those of the process that went before, then timers, then the others, as they became ready. */
  readonly going: readonly Going[];
  /** The names of `going`, the same in every schedule. */
  readonly names: () => readonly string[];
  /** The lane of each of `going` (Step). */
  readonly lanes: readonly number[];
  /** The first is of the process that went before: another one is a preemption. */
  readonly goeson: boolean;
  /** Whether a fault happens, and no choice of who goes: the first is that it does not. */
  readonly fault: boolean;
};

/** A step, as a search sees it. */
export type Step = {
  /** Steps of one lane never overlap: a process, or a timer. */
  readonly lane: number;
  /** The name of what went. */
  readonly name: string;
  /** The index in choice.going of what went. */
  readonly chosen: number;
  readonly choice: Choice;
  /** The step in which it became ready; -1: before the first. */
  readonly enabler: number;
  /** All steps up to this one come before it: time moved after it. -1: none. */
  readonly barrier: number;
  touches: Touches;
};

/** What a guide picks to leave off. */
export const LEAVE = -1;

/** Decides at each choice: an index, LEAVE, or an index that there is not where the schedule is another scene's. */
export interface Guide {
  pick(choice: Choice, steps: readonly Step[]): number;
  /**
   * Whether the schedule that has ended belongs to another part of a search that is divided (shard.ts): this part
   * does not count it. Called once for each schedule.
   */
  theirs?(): boolean;
}

/** Why a course was left before its scene was over. */
export type Left = "known" | "livelock" | "misled" | "unsteady" | "idle";

/** How a run of the scene ended. */
export type Ended = {
  readonly status: string;
  readonly output: string;
  readonly hung: boolean;
  readonly crash: unknown;
};

/** How a schedule is run. */
export type Courseopts = {
  /** Steps after which it is left as a livelock. */
  readonly steps: number;
  /** Directories of which the order of the files was looked at in some schedule. */
  readonly ordered: Set<string>;
  /** Records what the first machine does. */
  readonly record: boolean;
  /** Finds the program's line on the stack of a call that is recorded. */
  readonly place: Findplace | null;
  /** Runs are not recorded. */
  readonly plain: boolean;
};

/** One schedule. */
export class Course implements Explorer {
  readonly steps: Step[] = [];
  /** Steps so far, chosen by the guide or not. */
  taken = 0;
  left: Left | null = null;
  missed = false;
  /** The fault that happened, of those that may. */
  happened: string | null = null;
  /** What the guide threw. */
  error: unknown = null;
  /** How the runs of the scene ended, in the order in which they ended. */
  readonly runs: Ended[] = [];
  /** Which process waits for what, when nothing could run any more; null when that has not happened. */
  stuckat: readonly string[] | null = null;
  /** Resolves when the course is left before its scene is over. */
  readonly abandoned: Promise<void>;
  readonly #guide: Guide;
  readonly #max: number;
  readonly #machines = new Set<Booted>();
  readonly #record: boolean;
  readonly #place: Findplace | null;
  readonly #plain: boolean;
  #recorder: Recorder | null = null;
  /** What happens after the scene has come to its end, until a run begins all the same; null before. */
  #held: (readonly [Event, EventBody])[] | null = null;
  #spared: (p: Proc) => boolean = none;
  #here: (p: Proc) => boolean = none;
  #begun = false;
  #finished = false;
  /** Takes back the alarm that is set while nothing can run. */
  #alarm: (() => void) | null = null;
  /** Nothing could run, and what hangs is being killed. */
  #stopped = false;
  readonly #watch: Watch;
  #leave: () => void = noop;
  /** Runs under way: choices are the guide's while there are some. */
  #runs = 0;
  #barrier = -1;
  #touches: Map<string, How> | null = null;
  #running: Coroutine | Timer | null = null;
  /** What is ready or due, and the step in which it became so. */
  readonly #enabler = new Map<Going, number>();
  /** What a call has touched until it slept. */
  readonly #before = new Map<Coroutine, Map<string, How>>();
  readonly #lanes = new Map<object, number>();
  readonly #pids = new Map<number, number>();
  readonly #names = new Map<object, string>();
  readonly #nchild = new Map<string, number>();
  readonly #byname = new Map<string, string>();
  #lastproc: Proc | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(guide: Guide, o: Courseopts) {
    this.#guide = guide;
    this.#max = o.steps;
    this.#record = o.record;
    this.#place = o.place;
    this.#plain = o.plain;
    this.abandoned = new Promise((resolve) => (this.#leave = resolve));
    this.#watch = new Watch((what, how) => this.#touch(what, how), o.ordered);
  }

  /** The host of the scene's machines. Its random bytes are the same in each schedule, so that a schedule repeats. */
  readonly host: Host = { ...thishost, random: repeating() };

  /** Adds a kernel to the scene. */
  kernel(k: Booted): void {
    if (this.#record && this.#machines.size === 0) this.#recorded(k);
    this.#machines.add(k);
    this.#watch.kernel(k);
  }

  /** The first machine is recorded, up to the scene's end. */
  #recorded(k: Booted): void {
    const { namespace } = k.config;
    const about = { program: "scene", namespace, clock: "virtual", seed: 0, hosts: [] } as const;
    const place = this.#place;
    const opts = { about: { ...about, machine: "here" }, ...(place !== null && { place }) };
    const rec = (this.#recorder = new Recorder(opts));
    rec.listen(k.trace, (e, body) => {
      if (this.#held === null) rec.take(e, body);
      else this.#held.push([e, body]);
    });
  }

  /** The scene is at its end, good or bad: what ends its processes then is no part of it. */
  ending(): void {
    this.#held ??= [];
  }

  /** Processes for which this is true go before all others, without a choice: what prepares the scene. */
  spare(k: Booted, spared: (p: Proc) => boolean): void {
    this.#spared = young((p: Proc) => p.k === k && spared(p));
    this.#here = young((p: Proc) => p.k === k);
  }

  /** The runs of this schedule are not recorded, unless the scene looks at their calls. */
  get plain(): boolean {
    return this.#plain;
  }

  /** The scene has looked at calls that were not recorded. */
  miss(): void {
    this.missed = true;
  }

  /** What the first machine did, where that is recorded. */
  get recording(): Recording | null {
    return this.#recorder?.recording ?? null;
  }

  /** The last steps, for a person. */
  get last(): string {
    const who = (s: Step): string =>
      `process ${this.#pids.get(s.lane) ?? 0} in ${s.name.split(" ")[1] ?? ""}`;
    const last = this.steps.filter((s) => this.#pids.has(s.lane)).slice(-LAST);
    return [...new Set(last.map(who))].join(", ");
  }

  /** Whether a kernel of the scene broke. */
  get panicked(): Error | null {
    for (const k of this.#machines) if (k.panicked !== null) return k.panicked;
    return null;
  }

  /** A run of the scene begins: choices are the guide's until all have ended. */
  begin(): void {
    if (this.#runs++ > 0) return;
    // All steps so far come before this run's. But programs that an earlier run has left may run beside this run, so
    // with them there is no barrier.
    if (!this.#orphans) this.#barrier = this.steps.length - 1;
    this.#begun = true;
    this.#stopped = false;
    this.#beginrecord();
  }

  /** What was held belongs to the scene: it goes on. The processes of the kit are none of it. */
  #beginrecord(): void {
    const rec = this.#recorder;
    if (rec === null) return;
    for (const [e, body] of this.#held ?? []) rec.take(e, body);
    this.#held = null;
    const kit: number[] = [];
    for (const k of this.#machines)
      for (const p of k.procs.values()) if (this.#here(p) && this.#spared(p)) kit.push(p.pid);
    rec.begin(kit);
  }

  end(): void {
    this.#runs--;
  }

  /** The scene is over: what is left of it runs no more. */
  finish(): void {
    this.#alarm?.();
    this.#closestep();
    this.#finished = true;
  }

  /** Whether programs of earlier runs are left. */
  get #orphans(): boolean {
    for (const k of this.#machines)
      for (const p of k.procs.values())
        if (p !== k.proc0 && this.#here(p) && !this.#spared(p)) return true;
    return false;
  }

  /** Whether the coroutine's process is a run's program, also when that run is over. */
  #ofrun({ proc }: Coroutine): boolean {
    return this.#begun && !this.#stopped && !this.#spared(proc) && this.#here(proc);
  }

  /** Keeps how a run of the scene ended. */
  ran(run: Ended): void {
    this.runs.push(run);
  }

  /** Waits until p has ended, or until p hangs, since nothing can run any more. Rejects when p's kernel panics. */
  ended(p: Process): Promise<"ended" | "hangs"> {
    let stuck: () => void = () => undefined;
    const never = new Promise<"hangs">((resolve) => (stuck = () => resolve("hangs")));
    this.#waiting.add(stuck);
    const over = p.wait().then((): "ended" => "ended");
    return Promise.race([over, never]).finally(() => this.#waiting.delete(stuck));
  }

  jumped(): void {
    this.#closestep();
    this.#barrier = this.steps.length - 1;
  }

  stuck(): void {
    if (this.#waiting.size === 0) {
      // The scene itself may wait for its host.
      this.#alarm ??= thishost.alarm(PATIENCE, () => void this.#abandon("idle"));
      return;
    }
    const near = [...this.#machines].filter((k) => k.proc0 !== null && this.#here(k.proc0));
    this.stuckat ??= stuckof(near, {
      spared: this.#spared,
      memory: (p) => this.#watch.memory(p),
    });
    this.#stopped = true;
    this.ending();
    for (const tell of this.#waiting) tell();
    for (const k of this.#machines) k.sched.touch();
  }

  choose(ready: readonly Coroutine[], due: readonly Timer[]): Coroutine | Timer | null {
    this.#alarm?.();
    this.#alarm = null;
    this.#closestep(ready);
    if (this.#finished) return null;
    if (++this.taken > this.#max) return this.#abandon("livelock");
    const spared = ready.find((co) => this.#spared(co.proc));
    if (spared !== undefined) return spared;
    // The guide chooses also when a run is over, while programs that it left behind still run.
    const over = this.#stopped || this.#runs === 0;
    if (over && !ready.some((co) => this.#ofrun(co))) return due[0] ?? ready[0] ?? null;
    const choice = this.#choice(ready, due);
    const chosen = this.#pick(choice);
    if (chosen === null) return this.#abandon("unsteady");
    const going = choice.going[chosen];
    if (going === undefined || "happens" in going)
      return this.#abandon(chosen === LEAVE ? "known" : "misled");
    this.#begin(going, chosen, choice);
    return going;
  }

  /** The guide's choice; null when the guide cannot choose: the scene did not do the same as in the last schedule. */
  #pick(choice: Choice): number | null {
    try {
      return this.#guide.pick(choice, this.steps);
    } catch (e) {
      this.error = e;
      return null;
    }
  }

  #abandon(why: Left): null {
    this.left = why;
    this.#leave();
    return null;
  }

  #choice(ready: readonly Coroutine[], due: readonly Timer[]): Choice {
    const [only] = ready;
    if (only !== undefined && ready.length === 1 && due.length === 0) return this.#only(only);
    const mine = ready.filter((co) => co.proc === this.#lastproc);
    const others = ready.filter((co) => co.proc !== this.#lastproc);
    const going: (Coroutine | Timer)[] = [...mine, ...due, ...others];
    const now = this.steps.length - 1;
    for (const g of going) if (!this.#enabler.has(g)) this.#enabler.set(g, now);
    const lanes = going.map((g) => this.#lane(g));
    const names = (): readonly string[] => going.map((g) => this.#name(g));
    const index = this.steps.length;
    return { index, going, names, lanes, goeson: mine.length > 0, fault: false };
  }

  /** Asks the guide whether a fault, which may happen here, does happen. At most one happens in a schedule. */
  happens(fault: string): boolean {
    const [running, before, last] = [this.#running, this.#touches, this.steps.at(-1)];
    if (running === null || before === null || last === undefined) return false;
    if (this.happened !== null) return false;
    const index = this.steps.length;
    const names = (): readonly string[] => ["no fault", fault];
    const lanes = [last.lane, last.lane];
    const choice: Choice = { index, going: FAULT, names, lanes, goeson: true, fault: true };
    const chosen = this.#pick(choice) === 1 ? 1 : 0;
    const touches = (this.#touches = new Map(before));
    const name = chosen === 1 ? fault : "no fault";
    const { lane, barrier } = last;
    this.steps.push({ lane, name, chosen, choice, enabler: index - 1, barrier, touches });
    if (chosen === 1) this.happened = fault;
    return chosen === 1;
  }

  /** The choice when one coroutine is ready and no timer is due. */
  #only(co: Coroutine): Choice {
    const index = this.steps.length;
    if (!this.#enabler.has(co)) this.#enabler.set(co, index - 1);
    const names = (): readonly string[] => [this.#name(co)];
    const goeson = co.proc === this.#lastproc;
    return { index, going: [co], names, lanes: [this.#lane(co)], goeson, fault: false };
  }

  #begin(going: Coroutine | Timer, chosen: number, choice: Choice): void {
    this.#running = going;
    const touches = (this.#touches = new Map<string, How>());
    this.steps.push({
      lane: choice.lanes[chosen] ?? 0,
      name: this.#name(going),
      chosen,
      choice,
      enabler: this.#enabler.get(going) ?? -1,
      barrier: this.#barrier,
      touches,
    });
    this.#enabler.delete(going);
    if (!iscoroutine(going)) return;
    this.#lastproc = going.proc;
    this.#watch.process(going.proc);
    // A call that has slept may touch again what it touched; one that begins touches nothing yet.
    const before = going.midway ? undefined : this.#before.get(going);
    if (before !== undefined) for (const [what, how] of before) this.#touch(what, how);
  }

  /** The step is over: programs are at their next calls. */
  #closestep(ready: readonly Coroutine[] = []): void {
    const [running, touches] = [this.#running, this.#touches];
    this.#running = this.#touches = null;
    if (running === null || touches === null) return;
    if (iscoroutine(running)) {
      touches.set(ANY, READ);
      this.#before.set(running, touches);
      return;
    }
    // The effect of a timer is known when it ends one sleep or posts a note, which the Watch sees. Any other timer
    // counts as a step that may change everything.
    const woken = ready.filter((co) => !this.#enabler.has(co));
    const sleep = woken.length === 1 && woken.every((co) => (co.doing ?? co.label) === "sleep");
    touches.set(ANY, sleep || touches.size > 0 ? READ : WRITE);
  }

  #touch(what: string, how: How): void {
    const touches = this.#touches;
    if (touches !== null) touches.set(what, (touches.get(what) ?? 0) | how);
  }

  #lane(g: Coroutine | Timer): number {
    const key = iscoroutine(g) ? g.proc : g;
    let n = this.#lanes.get(key);
    if (n !== undefined) return n;
    this.#lanes.set(key, (n = this.#lanes.size));
    if (iscoroutine(g)) {
      this.#pids.set(n, g.proc.pid);
      this.#christen(g.proc);
    }
    return n;
  }

  /** Names a process: its parent's name, and the number of this child among the parent's children: "0.1.2". */
  #christen(p: Proc): void {
    const machine = this.#watch.id(p.k);
    const parent = this.#byname.get(`${machine} ${p.ppid}`) ?? `${machine}`;
    const n = (this.#nchild.get(parent) ?? 0) + 1;
    this.#nchild.set(parent, n);
    this.#names.set(p, `${parent}.${n}`);
    this.#byname.set(`${machine} ${p.pid}`, `${parent}.${n}`);
  }

  #name(g: Coroutine | Timer): string {
    if (!iscoroutine(g)) return "timer";
    return `${this.#names.get(g.proc) ?? ""} ${g.label} ${g.seq}`;
  }
}

const none = (): boolean => false;
const noop = (): void => undefined;

/** How long a scene may wait for its host while nothing runs on its machines (ns). */
const PATIENCE = 10e9;

/** Steps that are shown of a livelock. */
const LAST = 6;

/** A thing that every step reads. A step of unknown effect changes it, and so depends on every other step. */
const ANY = "anything";

/** Bytes that are the same in every schedule. */
function repeating(): Host["random"] {
  const next = chance(1);
  return (buf) => {
    for (let i = 0; i < buf.length; i++) buf[i] = next(256);
  };
}

function iscoroutine(g: Coroutine | Timer): g is Coroutine {
  return "task" in g;
}
