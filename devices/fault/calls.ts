// What faults do to system calls: they stand where the trace does, between a program and the kernel. While there
// is no fault of calls, nothing does.

import { callrow } from "../../kernel/abi/calls.ts";
import { Ekilled, Enotposted, PlanError } from "../../kernel/abi/errors.ts";
import { cleanelems } from "../../kernel/names/name.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { Rendez, istask, waitfor } from "../../kernel/proc/rendez.ts";
import type { Answer, Task } from "../../kernel/proc/rendez.ts";
import type { Call, Spoiler } from "../../kernel/trace.ts";
import type { Calleffect } from "./callcount.ts";
import type { Faults } from "./faults.ts";

/** What a call was made with. */
type Made = Pick<Call, "name" | "args" | "dot" | "file">;

type Make = (args: readonly unknown[]) => Answer<unknown>;

/** Has the faults of calls happen in a kernel, as long as there are any. */
export function spoilcalls(k: Kernel, faults: Faults): void {
  const spoiler = new Callfaults(faults);
  faults.oncalls((any) => k.trace.spoil(any ? spoiler : null));
}

class Callfaults implements Spoiler {
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  call(up: Proc, c: Call, make: Make): Answer<unknown> {
    const { name, args } = c;
    const turn = this.#faults.takecall({
      name,
      args,
      pid: up.pid,
      text: up.text,
      paths: () => pathsof(c),
    });
    return turn === null ? make(args) : spoilt(up, c, make, turn.do());
  }
}

function spoilt(up: Proc, c: Call, make: Make, e: Calleffect): Answer<unknown> {
  switch (e.what) {
    case "error":
      return c.name === "close" ? closed(make(c.args), e.ename) : fail(c, e.ename);
    case "delay":
      return delayed(up, e.ns, () => make(c.args));
    case "short":
      return make(shortened(c.args, e.bytes));
    case "note":
      return noted(up, e.note, () => make(c.args));
    case "kill":
      return killed(up);
  }
}

/** Fails as the call would, with the name that it was given. */
function fail(c: Call, ename: string): never {
  const e = new PlanError(ename);
  const [name] = namesof(c);
  if (name !== undefined) e.file = name;
  throw e;
}

/** A descriptor is gone though its close fails: what a server said to the clunk does not keep it open. */
function* closed(a: Answer<unknown>, ename: string): Task<never> {
  yield* waitfor(a);
  throw new PlanError(ename);
}

function* delayed(up: Proc, ns: number, make: () => Answer<unknown>): Task<unknown> {
  yield* up.k.sched.sleep(ns, new Rendez("injected delay"));
  return yield* waitfor(make());
}

/** The arguments with at most n bytes of the buffer. */
function shortened(args: readonly unknown[], n: number): readonly unknown[] {
  return args.map((a) => (a instanceof Uint8Array && a.length > n ? a.subarray(0, n) : a));
}

/** The kernel's own process posts the note when the call sleeps; if it never does, the call posts it at its end. */
function* noted(up: Proc, note: string, make: () => Answer<unknown>): Task<unknown> {
  let due = true;
  const post = (): void => {
    if (due) postnote(up, note);
    due = false;
  };
  let value: unknown;
  try {
    const a = make();
    if (istask<unknown, Rendez>(a)) up.k.kproc("injected note", later(post));
    value = istask<unknown, Rendez>(a) ? yield* a : a;
  } catch (e) {
    post();
    if (up.dead && e instanceof PlanError) yield* gone();
    throw e;
  }
  post();
  // Without a handler the note was its end, and the program sees nothing of the call.
  if (up.dead) yield* gone();
  return value;
}

/** Sleeps where the scheduler ends this coroutine: its process is dead. */
function* gone(): Task<never> {
  const r = new Rendez("the end of its process");
  for (;;) yield r;
}

function* later(fn: () => void): Task<void> {
  fn();
}

/** A process with five notes gets no more, as from any other that posts. */
function postnote(up: Proc, note: string): void {
  try {
    up.image?.notes.post(note);
  } catch (e) {
    if (!(e instanceof PlanError) || e.message !== Enotposted) throw e;
  }
}

/** The end of the process, in a call that never comes back. */
function* killed(up: Proc): Task<never> {
  up.kill(Ekilled);
  return yield* gone();
}

/** The names that a program gave. */
function namesof(c: Made): string[] {
  const kinds = callrow(c.name)?.args ?? [];
  return c.args.filter((a, i): a is string => kinds[i] === "name" && typeof a === "string");
}

/** The files that a call is about: of a call on a descriptor its file. */
export function pathsof(c: Made): string[] {
  const names = namesof(c).map((name) => clean(name, c.dot));
  return c.file === null ? names : [c.file, ...names];
}

function clean(name: string, dot: string): string {
  if (name.startsWith("#")) return name;
  const from = name.startsWith("/") ? [] : elems(dot);
  return `/${cleanelems(from, elems(name)).join("/")}`;
}

const elems = (name: string): string[] => name.split("/").filter((e) => e !== "" && e !== ".");
