// A library function is written once, as a generator over TaskSys, and serves both kinds of program:
//
//	export const greet: Both<[name: string], void> = both(function* (sys, name) {
//		yield* print(sys, `hello, ${name}\n`);
//	}, "greet(name text)");
//	yield* greet(sys, "ken");   // in a generator program, a Task
//	await greet(sys, "ken");    // in an async program, a Promise
//
// For the second kind the generator runs over an adapter, a TaskSys whose calls yield the promises that
// the program's own calls return; a driver awaits them.
//
// The text behind the function is its name and its arguments, each with its kind: an argument of another kind is
// "bad arg in system call", and the error says in a sentence which one it is and what to write.

import { kinds } from "../../kernel/abi/argkind.ts";
import type { Kind } from "../../kernel/abi/argkind.ts";
import { Ebadarg, PlanError, keepstack } from "../../kernel/abi/errors.ts";
import { blame, misfit } from "../../kernel/abi/mistake.ts";
import type { Signature } from "../../kernel/abi/mistake.ts";
import type { Sys, Task, TaskSys, Threads } from "../../syscalls/sys.ts";

/** The system calls of a generator program, with its threads. */
export type ThreadSys = TaskSys & Threads;

/** A function for both kinds of program; S is what its generator form needs. */
export interface Both<A extends readonly unknown[], R, S extends TaskSys = TaskSys> {
  /**
   * In a generator program: `yield* print(sys, "hello\n")`.
   *
   * @param sys the system calls of the process
   * @param args the function's arguments
   * @returns a Task of the result, for yield*
   * @throws PlanError "bad arg in system call": an argument is of another kind; arg and why say which
   * @example
   * ```ts
   * yield* print(sys, "hello\n");
   * ```
   */
  (sys: S, ...args: A): Task<R>;
  /**
   * In an async program: `await print(sys, "hello\n")`.
   *
   * @param sys the system calls of the process
   * @param args the function's arguments
   * @returns a promise of the result
   * @throws PlanError "bad arg in system call": an argument is of another kind; arg and why say which
   * @example
   * ```ts
   * await print(sys, "hello\n");
   * ```
   */
  (sys: Sys, ...args: A): Promise<R>;
}

/** Is called with each promise that one of these functions gives: by QuickJS, which reports no unhandled rejection. */
let gives: ((sys: Sys, p: Promise<unknown>) => void) | null = null;

/** Sets the function that is called with each promise. */
export function watchgiven(fn: (sys: Sys, p: Promise<unknown>) => void): void {
  gives = fn;
}

/** The functions that were made, by their names: what each wants. */
export const library: Map<string, Signature> = new Map();

/**
 * Makes a generator function usable with either face of the system calls.
 *
 * @param fn the function
 * @param text its name, and its arguments after sys with their kinds: "writefile(name name, what data, perm perm?)"
 * @returns the function for both kinds of program
 * @throws PlanError "bad arg in system call": an argument is of another kind; the error's arg and why say which
 * @example
 * ```ts
 * const greet: Both<[name: string], void> = both(function* (sys, name) {
 *   yield* print(sys, `hello, ${name}\n`);
 * }, "greet(name text)");
 * ```
 */
export function both<A extends readonly unknown[], R, S extends TaskSys = TaskSys>(
  fn: (sys: S & ThreadSys, ...args: A) => Task<R>,
  text = "",
): Both<A, R, S> {
  const sig = signature(text);
  const checks = sig.kinds.slice(1).map((kind) => kinds[kind].fits);
  const least = sig.params.filter((p) => !p.endsWith("?")).length - 1;
  function call(sys: S | Sys, ...args: A): Task<R> | Promise<R> {
    if (typeof sys !== "object" || sys === null) return bad(sig, [sys, ...args]);
    for (let i = 0; i < checks.length; i++)
      if (!(args[i] === undefined && i >= least) && checks[i]?.(args[i]) === false)
        return bad(sig, [sys, ...args]);
    // Only a generator program has threads.
    if ("threadcreate" in sys) return fn(sys as S & ThreadSys, ...args);
    const tasksys = adapted(sys as Sys);
    if (tasksys === null) return bad(sig, [sys, ...args]);
    const p = drive(fn(tasksys as S & ThreadSys, ...args));
    gives?.(sys as Sys, p);
    return p;
  }
  return call as Both<A, R, S>;
}

function signature(text: string): Signature {
  const [name = "", ...words] = text.split(/[(), ]+/).filter((w) => w !== "");
  const sig = { name, params: ["sys"], kinds: ["sys"] as Kind[], lib: true };
  for (let i = 0; i < words.length; i += 2) {
    const [param = "", kind = ""] = words.slice(i, i + 2);
    sig.params.push(kind.endsWith("?") ? `${param}?` : param);
    sig.kinds.push(kind.replace("?", "") as Kind);
  }
  if (name !== "") library.set(name, sig);
  return sig;
}

/** Fails a function that was given what it cannot use, at once: the caller is still on the stack. */
function bad(sig: Signature, args: readonly unknown[]): never {
  const e = new PlanError(Ebadarg);
  e.call = sig.name;
  blame(e, () => misfit(sig, args));
  keepstack(e);
  e.placed = true;
  throw e;
}

type Asynccall = (...args: readonly unknown[]) => Promise<unknown>;

/**
 * Where a sys keeps its adapter. A WeakMap would do, too, but V8 keeps what an old one refers to until it looks
 * through all memory, and through the adapter that is a whole kernel.
 */
const ADAPTER: unique symbol = Symbol("adapter");
type Adapted = Sys & { readonly [ADAPTER]?: Adapter };
type Adapter = { readonly of: Sys; readonly tasksys: ThreadSys };

/** The adapter of a Sys; null for an object without calls. One that inherits from a Sys, or wraps it, has its own. */
function adapted(sys: Adapted): ThreadSys | null {
  const there = sys[ADAPTER];
  return there?.of === sys ? there.tasksys : adapter(sys);
}

/** The TaskSys over a Sys: what its calls yield are the promises of sys. Null for an object without calls. */
function adapter(sys: Sys): ThreadSys | null {
  if (!kinds.sys.fits(sys)) return null;
  const calls = new Map<string | symbol, unknown>([
    ["threadcreate", threadcreate],
    ["threadbegin", threadcreate],
    ["threadint", () => undefined],
  ]);
  const made = new Proxy(sys, {
    get(target, key) {
      let call = calls.get(key);
      if (call === undefined) {
        call = taskcall(target, Reflect.get(target, key));
        calls.set(key, call);
      }
      return call;
    },
    has: (target, key) => calls.has(key) || Reflect.has(target, key),
  }) as unknown as ThreadSys;
  const value: Adapter = { of: sys, tasksys: made };
  Reflect.defineProperty(sys, ADAPTER, { value, configurable: true });
  return made;
}

function taskcall(sys: Sys, call: Asynccall): (...args: unknown[]) => Task<unknown> {
  return (...args) => calling(sys, call, args);
}

function* calling(sys: Sys, call: Asynccall, args: readonly unknown[]): Task<unknown> {
  return yield Reflect.apply(call, sys, args) as never;
}

let nthread = 0;

/** A thread of an async program is one more promise in flight; it cannot be interrupted. */
function threadcreate(task: Task<unknown>): number {
  void drive(task);
  return ++nthread;
}

/** Runs a Task whose calls yield promises. */
async function drive<R>(task: Task<R>): Promise<R> {
  const t = task as unknown as Generator<Promise<unknown>, R, unknown>;
  let step = t.next();
  while (step.done !== true) {
    let value: unknown;
    let failed = false;
    try {
      value = await step.value;
    } catch (e) {
      failed = true;
      value = e;
    }
    step = failed ? t.throw(value) : t.next(value);
  }
  return step.value;
}
