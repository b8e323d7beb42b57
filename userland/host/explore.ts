// namec explore: a program, or a scene of the test kit, under every schedule that matters.

import { PlanError } from "../../kernel/abi/errors.ts";
import { hostof } from "../boot/simhost.ts";
import type { Simhost } from "../boot/simhost.ts";
import { parsefault } from "../boot/inject.ts";
import { Unitserror, parsetime } from "../boot/units.ts";
import { fossil } from "../boot/net.ts";
import { Scheduleerror } from "../explore/schedule.ts";
import { explore as explorescene, replay } from "../testing/explore.ts";
import type { Exploreopts, Scene } from "../testing/explore.ts";
import type { Machine } from "../testing/machine.ts";
import type { Serveropts } from "../testing/server.ts";
import type { Main } from "../../syscalls/sys.ts";
import { tojson } from "../view/record/recording.ts";
import { plural, visible } from "../view/words/text.ts";
import { Usage } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { Loaderror, isfile, loadexports, progname } from "./load.ts";
import { findprogram } from "./run.ts";
import { limitsof, vmoptions } from "./vmload.ts";
import { seedof } from "./simrun.ts";
import { refuseoptions, stepthrough } from "./step.ts";

export const explore: Command = {
  name: "explore",
  usage: "[options] PROG [args...]",
  brief: "run a program under every schedule, to find races, deadlocks and leaks",
  about: `PROG is what run runs, or a file that exports a scene of the test kit,

    import type { Machine } from "namec/testing";
    export async function scene(m: Machine) { ... }

Every schedule is run that matters: a step is one system call, and schedules that differ only in the
order of independent steps run once. A program fails by its exit status, an exception, a deadlock, a
livelock, or what it leaves behind. Of each distinct failure the schedule with the fewest switches
is shown, which --schedule runs again.
The exit status is 1 if a failure was found, 130 if Ctrl-C ended the search and none was found, else 0.
Ctrl-C prints what was found so far.`,
  options: [
    {
      name: "schedule",
      values: ["S"],
      text: 'run this schedule alone: "default", or switches such as 3.1.4',
    },
    { name: "step", values: [], text: "with --schedule: step through what it does, as namec step" },
    { name: "json", values: [], text: "with --schedule: write its recording, for namec step" },
    {
      name: "preemptions",
      values: ["N"],
      text: "the schedules with at most N preemptions (without it: all, while there is time)",
    },
    { name: "schedules", values: ["N"], text: "how many are run at most (default 10000)" },
    { name: "budget", values: ["T"], text: "how long schedules are begun, such as 30s" },
    {
      name: "shard",
      values: ["I/N"],
      text: "part I of N of the search, each for a machine of its own",
    },
    {
      name: "seed",
      values: ["N"],
      text: "where random priorities begin, and jitter and loss (default 0)",
    },
    { name: "brute", values: [], text: "run independent steps in every order, too" },
    {
      name: "host",
      values: ["NAME:rtt=T[,bw=RATE][,version=V][,fs=F]"],
      text: "a simulated machine so far away, mounted on /n/NAME; may be repeated",
    },
    {
      name: "inject",
      values: ["FAULT"],
      text: "a fault of a message or a system call, as namec run has it; may be repeated",
    },
    {
      name: "maybe",
      values: ["FAULT"],
      text: "a fault that may happen at each call that it fits; at most one does; may be repeated",
    },
    { name: "user", values: ["NAME"], text: "who runs the program (default glenda)" },
    {
      name: "namespace",
      values: ["names|standard"],
      text: "which name space the kernel has (default names)",
    },
    ...vmoptions,
  ],
  examples: [
    "namec explore race.ts",
    "namec explore --schedule 3.1.4 --step race.ts",
    "namec explore --preemptions 2 --budget 30s --shard 3/8 race.ts",
  ],
  run: start,
};

/** Options that bound a search. */
const SEARCHES = ["preemptions", "schedules", "budget", "shard", "brute"];

/** Ctrl-C during the search. */
const INTERRUPTED = 130;
/** How often the terminal, or a log, hears how far it is (ms). */
const TERMINAL = 250;
const LOG = 10_000;

/** What the command writes, and its exit status. */
export type Told = { readonly out: string; readonly err: string; readonly status: number };

async function start(given: Given): Promise<number> {
  const told = await explored(given);
  if (typeof told !== "object") return told;
  process.stdout.write(told.out);
  process.stderr.write(told.err);
  return told.status;
}

/** Does what was asked; the status alone where it has been written, step by step. */
export async function explored(given: Given): Promise<Told | number> {
  const [prog, ...args] = given.rest;
  if (prog === undefined)
    throw new Usage("no program is given", "namec explore [options] PROG [args...]");
  refuseoptions(explore, args);
  try {
    const scene = await sceneof(given);
    const opts = optsof(given);
    const schedule = given.get("schedule");
    for (const name of SEARCHES)
      if (schedule !== undefined && given.has(name))
        throw new Usage(`--${name} is for a search, and --schedule is one schedule`);
    if (schedule !== undefined) return await one(given, scene, { schedule, opts });
    for (const name of ["step", "json"])
      if (given.has(name)) throw new Usage(`--${name} is for one schedule`, "give --schedule, too");
    return await search(scene, opts);
  } catch (e) {
    if (e instanceof Unitserror || e instanceof Scheduleerror) throw new Usage(e.message, e.hint);
    throw e;
  }
}

/** The scene of a file, or one that runs a program to its end. */
async function sceneof(given: Given): Promise<Scene> {
  const [prog = "", ...args] = given.rest;
  const hosts = given.all("host").map(([text = ""]) => hostof(text));
  const faults = given.all("inject").map(([text = ""]) => parsefault(text));
  const begin = async (m: Machine): Promise<void> => {
    for (const h of hosts) await m.server(h.name, serverof(h));
    m.inject(...faults);
  };
  const scene = isfile(prog) && !given.has("vm") ? (await loadexports(prog))["scene"] : undefined;
  if (typeof scene === "function") {
    if (args.length > 0) throw new Usage(`${args.join(" ")}: a scene has no arguments`);
    return async (m) => {
      await begin(m);
      return await (scene as Scene)(m);
    };
  }
  const program = await findprogram(prog, given.has("vm"));
  Object.defineProperty(program, "name", { value: isfile(prog) ? progname(prog) : prog });
  return async (m) => {
    await begin(m);
    return await m.run(program as Main, ...args);
  };
}

function serverof(h: Simhost): Serveropts {
  const { link, version, fs } = h;
  return {
    ...link,
    ...(version !== undefined && { version: version as NonNullable<Serveropts["version"]> }),
    ...(fs === "fossil" && { serve: fossil() }),
  };
}

function optsof(given: Given): Exploreopts {
  const [budget, shard, user] = [given.get("budget"), given.get("shard"), given.get("user")];
  const namespace = given.get("namespace");
  if (namespace !== undefined && namespace !== "names" && namespace !== "standard")
    throw new Usage(`--namespace ${namespace}: there are names and standard`);
  if (budget !== undefined) parsetime(budget);
  const preemptions = numberof(given, "preemptions");
  const schedules = numberof(given, "schedules");
  return {
    seed: seedof(given),
    ...(preemptions !== null && { preemptions }),
    // With a time to keep, the number is no limit.
    schedules: schedules ?? (budget === undefined ? 10_000 : Number.MAX_SAFE_INTEGER),
    ...(budget !== undefined && { budget }),
    ...(shard !== undefined && { shard }),
    maybe: given.all("maybe").map(([text = ""]) => text),
    ...(user !== undefined && { user }),
    ...(namespace !== undefined && { namespace }),
    ...(given.has("brute") && { brute: true }),
    ...(given.has("vm") && { image: "vm" }),
    limits: limitsof(given),
  };
}

function numberof(given: Given, option: string): number | null {
  const text = given.get(option);
  if (text === undefined) return null;
  if (!/^\d{1,12}$/.test(text)) throw new Usage(`--${option} ${text}: a number, such as 2`);
  return Number(text);
}

async function search(scene: Scene, opts: Exploreopts): Promise<Told> {
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) process.exit(INTERRUPTED);
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  const progress = shown();
  try {
    const found = await explorescene(scene, {
      ...opts,
      progress: progress.tell,
      signal: stop.signal,
    });
    const out = `${visible(found.show(), "\n\t")}\n`;
    const good = stop.signal.aborted ? INTERRUPTED : 0;
    return { out, err: "", status: found.failures.length > 0 ? 1 : good };
  } finally {
    progress.end();
    process.off("SIGINT", interrupt);
  }
}

/** Says how far the search is: on a terminal on one line, in a log now and then. */
function shown(): {
  readonly tell: NonNullable<Exploreopts["progress"]>;
  readonly end: () => void;
} {
  const { stderr } = process;
  const every = stderr.isTTY ? TERMINAL : LOG;
  let last = performance.now();
  let line = false;
  return {
    tell: (p) => {
      const now = performance.now();
      if (now - last < every) return;
      last = now;
      const text = `${plural(p.schedules, "schedule")}: ${plural(p.outcomes, "outcome")}, ${plural(p.failures, "failure")}; Ctrl-C ends it`;
      line = stderr.isTTY;
      stderr.write(line ? `\r\u001B[K${text}` : `namec explore: ${text}\n`);
    },
    end: () => {
      if (line) stderr.write("\r\u001B[K");
      line = false;
    },
  };
}

/** Frames of a stack that are in the commands' one file: no line of them is the program's. */
const OURS = /\n {4}at [^\n]*\bnamec:one\.cjs:[^\n]*/g;

const UNFIT =
  "it is of another program, of other options, or of the program before it was changed: explore again";

/** The schedule that is asked for, and the options of the search. */
type Asked = { readonly schedule: string; readonly opts: Exploreopts };

/** One schedule: what it comes to, or its recording. */
async function one(given: Given, scene: Scene, { schedule, opts }: Asked): Promise<Told | number> {
  const r = await replay(scene, schedule, opts);
  if (r.misled !== null) throw new Usage(r.misled, UNFIT);
  if (given.has("step") || given.has("json")) {
    if (r.recording === null) throw new Loaderror("the scene made no machine");
    if (given.has("step")) return await stepthrough(r.recording);
    return { out: `${visible(tojson(r.recording))}\n`, err: "", status: 0 };
  }
  const { fault } = r;
  if (fault === null) return { out: `${visible(r.what, "\n\t")}\n`, err: "", status: 0 };
  const { error } = fault;
  const stack = error instanceof Error && !(error instanceof PlanError) ? error.stack : undefined;
  return {
    out: `${visible(`${fault.kind}: ${fault.what}`, "\n\t")}\n`,
    err: stack === undefined ? "" : `${visible(stack.replace(OURS, ""), "\n\t")}\n`,
    status: 1,
  };
}
