// explore(scene): a test under every schedule that matters, or as many as there is time for.

import { parsefault } from "../boot/inject.ts";
import { Unitserror, parsetime } from "../boot/units.ts";
import type { Course } from "../explore/course.ts";
import { Explorer } from "../explore/explorer.ts";
import type { End, Limits } from "../explore/explorer.ts";
import type { Explored, Fault, Faultkind } from "../explore/explored.ts";
import type { Recording } from "../view/record/recording.ts";
import { valuefmt } from "../view/words/callfmt.ts";
import { Failure } from "./failure.ts";
import { checkfunction, checknumber, checkoptions } from "./options.ts";
import { newmachine } from "./machine.ts";
import type { Machine, Machineopts } from "./machine.ts";
import { asked, findplace, fortest } from "./place.ts";
import { Run } from "./run.ts";
import { SPIN, watchspin } from "./spin.ts";

/**
 * A scene: it runs programs on a machine that is new each time, and checks what came of it.
 *
 * @param m the machine
 * @returns what the schedule came to; what it throws is a failure
 * @example
 * ```ts
 * const scene: Scene = async (m) => (await m.run(main)).output;
 * ```
 */
export type Scene = (m: Machine) => unknown;

/** How to explore a scene: the machine's options, and how many schedules are run. */
export type Exploreopts = Omit<Machineopts, "anyorder"> &
  Omit<Limits, "budget" | "shard" | "place"> & {
    /** Time of the host after which no schedule begins: "30s". */
    readonly budget?: string;
    /** One part of several, for several machines: "3/8". */
    readonly shard?: string;
    /** Faults, as inject() has them: each may happen at each call that it fits; at most one does in a schedule. */
    readonly maybe?: readonly string[];
  };

/**
 * Runs a scene under every schedule that matters: those that differ only in the order of independent steps run
 * once (docs/exploring.md). Where there are too many, those with few preemptions, and some by chance.
 *
 * @param scene makes its runs on the machine it is given; nothing of it may stay from one schedule to the next
 * @param opts the machine's options, and limits: `preemptions`, `schedules` (10,000), `budget`, `shard`, `seed`
 * @returns how many schedules ran, whether they were all, what they came to, and each distinct failure with its
 *   schedule of fewest switches and its recording
 * @throws Unitserror a budget, a shard or a fault that cannot be read
 * @throws TypeError an option that there is not
 * @example
 * ```ts
 * const r = await explore(async (m) => {
 *   await Promise.all([m.run(reader), m.run(writer)]);
 * });
 * r.show(); // "12 schedules, all there are: 2 outcomes; 1 deadlock: process 3 waits ..."
 * ```
 */
export async function explore(scene: Scene, opts: Exploreopts = {}): Promise<Explored> {
  checkfunction("explore: a scene", scene);
  const limits = limitsof(opts);
  const unwatch = watchspin(scene.name === "" ? "scene" : scene.name, opts.spin ?? SPIN);
  try {
    return await new Explorer((course) => once(scene, opts, course), limits).run();
  } finally {
    unwatch();
  }
}

/** One schedule of a scene, and how it ended. */
export type Replayed = {
  /** What it came to, or what went wrong. */
  readonly what: string;
  /** What went wrong; null where nothing did. */
  readonly fault: Fault | null;
  /** What the machine did. */
  readonly recording: Recording | null;
  /** Why the schedule is not one of this scene's; null where it is. */
  readonly misled: string | null;
};

/**
 * Runs a scene under one schedule.
 *
 * @param scene as explore's
 * @param schedule what explore gave: "3.1.4", or "default"
 * @param opts as explore's
 * @returns what the schedule came to
 * @throws Scheduleerror a schedule that cannot be read
 * @example
 * ```ts
 * const { fault, recording } = await replay(scene, r.failures[0].schedule);
 * ```
 */
export async function replay(
  scene: Scene,
  schedule: string,
  opts: Exploreopts = {},
): Promise<Replayed> {
  checkfunction("replay: a scene", scene);
  if (typeof schedule !== "string")
    throw fortest(
      new TypeError(`replay: a schedule is a text such as "3.1", not ${valuefmt(schedule)}`),
    );
  const explorer = new Explorer((course) => once(scene, opts, course), limitsof(opts));
  const { end, recording, left } = await asked(() => explorer.replay(schedule));
  return { what: end.fault?.what ?? end.outcome, fault: end.fault, recording, misled: left };
}

const OPTS: readonly (keyof Exploreopts)[] = [
  "files",
  "namespace",
  "user",
  "run",
  "seed",
  "spin",
  "calls",
  "time",
  "host",
  "image",
  "limits",
  "preemptions",
  "schedules",
  "budget",
  "steps",
  "shard",
  "brute",
  "maybe",
  "progress",
  "signal",
];

/** Options that are numbers, with the least that each may be, and those that are texts. */
const NUMBERS = [
  ["preemptions", 0],
  ["schedules", 1],
  ["steps", 1],
] as const;
const TEXTS = [
  ["budget", "30s"],
  ["shard", "3/8"],
] as const;

/** What is asked of the search. Throws TypeError for an option that there is not, or that is of another kind, Unitserror for one that says nothing. */
function limitsof(opts: Exploreopts): Limits {
  checkoptions("explore", opts, OPTS);
  for (const [name, least] of NUMBERS) checknumber(`explore: ${name}`, opts[name], least);
  for (const [name, such] of TEXTS)
    if (opts[name] !== undefined && typeof opts[name] !== "string")
      throw fortest(
        new TypeError(`explore: ${name} is a text such as "${such}", not ${valuefmt(opts[name])}`),
      );
  if (opts.maybe !== undefined && !Array.isArray(opts.maybe))
    throw fortest(new TypeError(`explore: maybe is a list of faults, not ${valuefmt(opts.maybe)}`));
  try {
    return checkedlimits(opts);
  } catch (e) {
    throw e instanceof Unitserror ? fortest(e) : e;
  }
}

function checkedlimits(opts: Exploreopts): Limits {
  for (const text of opts.maybe ?? []) parsefault(text);
  const { budget, shard } = opts;
  const { preemptions, schedules, steps, seed, brute, progress, signal } = opts;
  return {
    place: findplace,
    ...(preemptions !== undefined && { preemptions }),
    ...(schedules !== undefined && { schedules }),
    ...(steps !== undefined && { steps }),
    ...(seed !== undefined && { seed }),
    ...(brute !== undefined && { brute }),
    ...(progress !== undefined && { progress }),
    ...(signal !== undefined && { signal }),
    ...(budget !== undefined && { budget: parsetime(budget) }),
    ...(shard !== undefined && { shard: parseshard(shard) }),
  };
}

/** "3/8" */
function parseshard(text: string): { readonly part: number; readonly of: number } {
  const m = /^(\d{1,4})\/(\d{1,4})$/.exec(text);
  const [part, of] = [Number(m?.[1]), Number(m?.[2])];
  if (m === null || part < 1 || part > of)
    throw new Unitserror(
      `shard '${text}': it is part/parts, with a part from 1 to ${of > 0 ? of : "their number"}`,
      "such as 3/8, the third of eight parts",
    );
  return { part, of };
}

async function once(scene: Scene, opts: Exploreopts, course: Course): Promise<End> {
  let end: End = { outcome: "", fault: null };
  const whole = async (): Promise<void> => (end = await ended(scene, opts, course)) && undefined;
  await Promise.race([whole(), course.abandoned]);
  const { happened } = course;
  if (happened !== null && end.fault !== null)
    end = {
      ...end,
      fault: { ...end.fault, what: `${end.fault.what}, with the fault ${happened}` },
    };
  if (course.left === "livelock")
    return faulty(
      "livelock",
      `it goes on after ${course.taken} steps, the last of them ${course.last}`,
      undefined,
    );
  if (course.left === "idle") return faulty("deadlock", IDLE, undefined);
  return end;
}

/** What is said of a scene that hangs outside of its machines. */
const IDLE =
  "the scene waits for what no machine of it will do: for a promise of its own, or for a run that is not awaited";

async function ended(scene: Scene, opts: Exploreopts, course: Course): Promise<End> {
  const { files, namespace, user, run, seed, calls, time, host, image, limits } = opts;
  const m = await newmachine(
    {
      ...(files !== undefined && { files }),
      ...(namespace !== undefined && { namespace }),
      ...(user !== undefined && { user }),
      ...(run !== undefined && { run }),
      ...(seed !== undefined && { seed }),
      ...(calls !== undefined && { calls }),
      ...(time !== undefined && { time }),
      ...(host !== undefined && { host }),
      ...(image !== undefined && { image }),
      ...(limits !== undefined && { limits }),
      spin: Infinity,
    },
    course,
  );
  let value: unknown;
  try {
    m.maybe(...(opts.maybe ?? []));
    value = await scene(m);
  } catch (e) {
    return faultof(e, course);
  }
  try {
    await m.end();
  } catch (e) {
    if (e instanceof Failure && e.operator === "end") return faulty("leak", leftfmt(e), e);
    return faultof(e, course);
  }
  const said = course.runs.map(runfmt).filter((text) => text !== "");
  const gave = value === undefined || isruns(value) ? [] : [valuefmt(value)];
  return { outcome: [...gave, ...said].join("; ") || "no failure", fault: null };
}

/** What run() and Promise.all of some give says no more than the runs themselves. */
function isruns(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isruns) : value instanceof Run;
}

function runfmt(r: Pick<Run, "status" | "output" | "hung">): string {
  const status = r.status === "" ? "" : ` status "${r.status}"`;
  const hung = r.hung ? " waits for ever" : "";
  const output = r.output === "" ? "" : JSON.stringify(r.output);
  return `${output}${status}${hung}`.trim();
}

/** What is left at the end: in a line, processes first; then each thing with what made it, where that is known. */
function leftfmt({ actual, message }: Failure): string {
  const left = actual as readonly string[];
  const said = message.split("\n").map((line) => line.trim());
  if (left.length === 0) return said[0] ?? "";
  const procs = left.filter((line) => line.includes(": process "));
  const list = procs.length > 0 ? procs : left;
  const more = left.length - Math.min(list.length, LEFT);
  const first = `${list.slice(0, LEFT).join(", ")} ${list.length === 1 ? "is" : "are"} left${more > 0 ? `, and ${more} more` : ""}`;
  return [first, ...said.slice(1).filter((line) => !left.includes(line))].join("\n");
}

/** Things that the text of a leak names. */
const LEFT = 3;

function faulty(kind: Faultkind, what: string, error: unknown): End {
  return { outcome: "", fault: { kind, what, error } };
}

/** What was thrown, which may be anything, as text. */
const thrownfmt = (e: unknown): string =>
  e instanceof Error ? e.message : typeof e === "string" ? e : valuefmt(e);

/** What went wrong where the scene threw. */
function faultof(e: unknown, course: Course): End {
  const panic = course.panicked;
  if (panic !== null) return faulty("panic", panic.message.split("\n")[0] ?? "", panic);
  const said = thrownfmt(e);
  const first = said.split("\n")[0] ?? "";
  const crashed = course.runs.some((r) => r.crash !== undefined && r.crash === e);
  if (!(e instanceof Failure)) return faulty(crashed ? "crash" : "assertion", first, e);
  if (e.operator !== "run") return faulty("assertion", first, e);
  if (course.stuckat !== null) return faulty("deadlock", course.stuckat.join("\n"), e);
  return faulty(e.actual === "hangs" ? "livelock" : "status", first, e);
}
