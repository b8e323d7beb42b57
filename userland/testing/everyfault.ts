// Every fault, one by one: a scene is played once as it is, and then again for each of its system calls and 9P
// messages, which fails there. What must hold is that nothing leaks, hangs or panics. The clock is virtual and the
// order fixed, so each scene is the same up to its fault. So a fault that was found is found again by its text.

import { PlanError } from "../../kernel/abi/errors.ts";
import type { Faults, Injected } from "../../devices/fault/faults.ts";
import { canhave } from "../../devices/fault/callcount.ts";
import { thishost } from "../boot/host.ts";
import { parsefault } from "../boot/inject.ts";
import { plural } from "../view/words/text.ts";
import { Failure } from "./failure.ts";
import { fortest, isbug } from "./place.ts";
import { machine } from "./machine.ts";
import type { Machine, Machineopts } from "./machine.ts";
import { checkfunction, checkoptions } from "./options.ts";
import type { Call, Run } from "./run.ts";

/**
 * What a test does: it makes servers on the machine and runs programs. A program may fail of a fault, and ends the
 * scene if it was run() and not tried; any other assertion that does not hold is a finding.
 *
 * @param m the machine, new each time
 * @param fault the text of the fault that is injected; null the first time: then all must be well
 * @returns nothing that is looked at
 * @example
 * ```ts
 * await everyfault(async (m) => void (await m.run(main)));
 * ```
 */
export type Faultscene = (m: Machine, fault: string | null) => Promise<unknown>;

/** What fails: calls (with an error, or their process is killed), requests, replies, connections. */
export type Everykind = "error" | "kill" | "note" | "short" | "Terror" | "Rerror" | "hangup";

/** Which faults there are. */
export type Everyopts = {
  /** The kinds: error, kill, Terror, Rerror and hangup unless given. */
  readonly kinds?: readonly Everykind[];
  /** The error string: "i/o error". */
  readonly error?: string;
  /** How many times the scene is played at most: 10,000. A scene with more faults is refused. */
  readonly most?: number;
  /** How the machines are made. */
  readonly machine?: Machineopts;
};

/** What was done. */
export type Everydone = {
  /** System calls of the scene's programs. */
  readonly calls: number;
  /** 9P messages, both ways. */
  readonly messages: number;
  /** How many faults there were, each in a scene of its own. */
  readonly faults: number;
};

const OPTS: readonly (keyof Everyopts)[] = ["kinds", "error", "most", "machine"];
const USUAL: readonly Everykind[] = ["error", "kill", "Terror", "Rerror", "hangup"];
const MOST = 10_000;
/** Findings that a failure shows. */
const SHOWN = 8;
/** No scene has so many of anything. */
const NEVER = 999_999_999;

/** How a kind is written: what it counts, and what is done. */
const KINDS: Readonly<Record<Everykind, (error: string) => readonly [on: string, what: string]>> = {
  error: (e) => ["call", `error=${e}`],
  kill: () => ["call", "kill"],
  note: () => ["call", "note=alarm"],
  short: () => ["call", "short=1"],
  Terror: (e) => ["T*", `error=${e}`],
  Rerror: (e) => ["R*", `error=${e}`],
  hangup: () => ["*", "hangup"],
};

const faultof = (kind: Everykind, n: number, error: string): string => {
  const [on, what] = KINDS[kind](error);
  return `${on}:when=${n}:${what}`;
};

/** Something that a fault did and must not. */
type Finding = { readonly fault: string; readonly at: string; readonly said: string };

/**
 * Plays a scene once for every fault: the nth system call fails, for each n, or its process is killed; the nth
 * request or reply is an error; the connection breaks at the nth message.
 *
 * @param scene makes servers and runs programs on the machine that it is given
 * @param opts which kinds of faults, the error string, how many scenes at most
 * @returns how many calls, messages and faults there were
 * @throws Failure something is left afterwards, hangs, panics the kernel, or throws what is no error of a system
 *   call; each finding has the fault for m.inject
 * @throws TypeError an option that there is not
 * @example
 * ```ts
 * await everyfault(async (m) => {
 *   await m.server("far", { files: { a: "text" } });
 *   await m.run(copier, "/n/far/a", "/tmp/a");
 * });
 * ```
 */
export async function everyfault(scene: Faultscene, opts: Everyopts = {}): Promise<Everydone> {
  const here = new Error("everyfault");
  checkfunction("everyfault: a scene", scene);
  checkoptions("everyfault", opts, OPTS);
  const { kinds = USUAL, error = "i/o error", most = MOST } = opts;
  for (const kind of kinds)
    if (!Object.hasOwn(KINDS, kind))
      throw fortest(
        new TypeError(
          `everyfault: unknown kind ${kind}; there are ${Object.keys(KINDS).join(", ")}`,
        ),
      );
  const first = await measured(scene, opts, kinds);
  const all = kinds.flatMap((kind, i) =>
    Array.from({ length: first.seen[i] ?? 0 }, (_, n) => ({ kind, n: n + 1 })),
  );
  if (all.length === 0)
    throw fortest(
      new Error(
        "everyfault: the scene has no call or message that could fail: does it run a program?",
      ),
      here,
    );
  if (all.length > most)
    throw fortest(
      new Error(
        `everyfault: ${all.length} faults, and most is ${most}: fewer kinds, or a larger most`,
      ),
      here,
    );
  const findings: Finding[] = [];
  for (const { kind, n } of all) {
    const fault = faultof(kind, n, error);
    const said = await played(scene, opts, fault);
    if (said !== null) findings.push({ fault, at: where(first.runs, kind, n), said });
  }
  if (findings.length > 0) throw found(findings, all.length, here.stack);
  const { calls, messages } = first;
  return { calls, messages, faults: all.length };
}

/** The scene as it is, in which all must be well; how often each kind of fault could happen in it. */
async function measured(
  scene: Faultscene,
  opts: Everyopts,
  kinds: readonly Everykind[],
): Promise<{ seen: number[]; calls: number; messages: number; runs: readonly Run[] }> {
  const m = await machine(opts.machine);
  const probes: Injected[] = [];
  m.atfirst((faults: Faults) => {
    for (const kind of kinds) probes.push(faults.add(parsefault(faultof(kind, NEVER, "probe"))));
    probes.push(faults.add(parsefault(`call:when=${NEVER}:kill`)));
    probes.push(faults.add(parsefault(`*:when=${NEVER}:drop`)));
  });
  try {
    await patiently(() => scene(m, null));
  } catch (e) {
    await m.finish();
    throw e;
  }
  const { runs } = m;
  const { left, thrown } = await m.finish();
  const wrong = [...left, ...thrown];
  if (wrong.length > 0)
    throw new Failure(`everyfault: without a fault, this is left:\n  ${wrong.join("\n  ")}`, {
      actual: wrong,
      expected: [],
      operator: "everyfault",
    });
  const seen = probes.map((p) => p.seen);
  return { seen, runs, calls: seen.at(-2) ?? 0, messages: seen.at(-1) ?? 0 };
}

/** The scene with a fault; what went wrong, or null. */
async function played(scene: Faultscene, opts: Everyopts, fault: string): Promise<string | null> {
  const m = await machine(opts.machine);
  m.atfirst((faults) => void faults.add(parsefault(fault)));
  let thrown: string | null = null;
  try {
    await patiently(() => scene(m, fault));
  } catch (e) {
    thrown = verdict(m, e);
  }
  if (m.kernel.panicked !== null) return String(m.kernel.panicked.message);
  const hung = m.runs.find((r) => r.hung);
  const { left, thrown: faults } = await m.finish();
  if (thrown !== null) return thrown;
  if (hung !== undefined) return `it hangs\n${hung.show(hung.calls.length - 1)}`;
  if (faults.length > 0) return faults.join("\n");
  const crash = m.runs.map((r) => r.crash).find((c) => isbug(c));
  if (crash !== undefined) return crashtext(crash);
  return left.length > 0 ? `this is left:\n${left.join("\n")}` : null;
}

/** A scene, to its end; one that waits longer for its host is given up. */
async function patiently(scene: () => unknown): Promise<void> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    cancel = thishost.alarm(PATIENCE, () => reject(new Error(HANGS)));
  });
  try {
    await Promise.race([scene(), late]);
  } finally {
    cancel();
  }
}

/** How long a scene may take, in nanoseconds of the host's time. */
const PATIENCE = 60e9;
const HANGS = "the scene does not end in a minute: what does it wait for outside of its machine?";

/** What is wrong when the scene threw this; null when a program has just failed. */
function verdict(m: Machine, e: unknown): string | null {
  if (e instanceof PlanError || m.runs.some((r) => r.crash === e)) return null;
  if (e instanceof Failure && e.operator === "run" && e.actual !== "hangs") return null;
  // The kit's own work, a mount for example, met the fault.
  if (e instanceof Error && e.message.startsWith("cannot ")) return null;
  return crashtext(e);
}

const crashtext = (e: unknown): string =>
  e instanceof Failure
    ? e.message
    : e instanceof Error
      ? (fortest(e).stack ?? e.message)
      : String(e);

/** The call that a fault of calls met, as the first scene has it. */
function where(runs: readonly Run[], kind: Everykind, n: number): string {
  const [on] = KINDS[kind]("");
  if (on !== "call") return "";
  const what = kind === "error" || kind === "short" || kind === "note" ? kind : "kill";
  const able = canhave(what);
  const calls = runs
    .flatMap((r) => r.calls.map((c) => [r, c] as const))
    .filter(([, c]) => able.includes(c.name))
    .toSorted(([r, a], [s, b]) => a.call.began - b.call.began || order(runs, r, s));
  const call: Call | undefined = calls[n - 1]?.[1];
  if (call === undefined) return "";
  return ` in ${call.what}${call.place === "" ? "" : ` (${call.place})`}`;
}

const order = (runs: readonly Run[], a: Run, b: Run): number => runs.indexOf(a) - runs.indexOf(b);

function found(findings: readonly Finding[], faults: number, stack: string | undefined): Failure {
  const lines = findings
    .slice(0, SHOWN)
    .map(
      (f) => `'${f.fault}'${f.at}:\n    ${f.said.trimEnd().replaceAll(/\n(?=[^\n])/g, "\n    ")}`,
    );
  const more = findings.length - lines.length;
  if (more > 0) lines.push(`and ${more} more`);
  const said = `everyfault: of ${plural(faults, "fault")}, ${findings.length} did harm; m.inject('${findings[0]?.fault ?? ""}') repeats the first\n\n`;
  return new Failure(said + lines.join("\n\n"), {
    actual: findings.map((f) => f.fault),
    expected: [],
    operator: "everyfault",
    ...(stack !== undefined && { stack }),
  });
}
