// A library function is written once, as a generator over TaskSys, and serves both kinds of program:
//
//	export const greet: Both<[name: string], void> = both(function* (sys, name) {
//		yield* print(sys, `hello, ${name}\n`);
//	});
//	yield* greet(sys, "ken");   // in a generator program, a Task
//	await greet(sys, "ken");    // in an async program, a Promise
//
// For the second kind the generator runs over an adapter, a TaskSys whose calls yield the promises that
// the program's own calls return; a driver awaits them.

import type { Sys, Task, TaskSys, Threads } from "../../syscalls/sys.ts";

/** The system calls of a generator program, with its threads. */
export type ThreadSys = TaskSys & Threads;

/** A function for both kinds of program; S is what its generator form needs. */
export interface Both<A extends readonly unknown[], R, S extends TaskSys = TaskSys> {
  (sys: S, ...args: A): Task<R>;
  (sys: Sys, ...args: A): Promise<R>;
}

/** Makes a generator function usable with either face of the system calls. */
export function both<A extends readonly unknown[], R, S extends TaskSys = TaskSys>(
  fn: (sys: S & ThreadSys, ...args: A) => Task<R>,
): Both<A, R, S> {
  function call(sys: S | Sys, ...args: A): Task<R> | Promise<R> {
    if (isasync(sys)) return drive(fn(adapter(sys) as S & ThreadSys, ...args));
    return fn(sys as S & ThreadSys, ...args);
  }
  return call as Both<A, R, S>;
}

/** Only a generator program has threads. */
function isasync(sys: TaskSys | Sys): sys is Sys {
  return !("threadcreate" in sys);
}

type Asynccall = (...args: readonly unknown[]) => Promise<unknown>;
const adapters = new WeakMap<Sys, ThreadSys>();

/** The TaskSys over a Sys: what its calls yield are the promises of sys. */
function adapter(sys: Sys): ThreadSys {
  const known = adapters.get(sys);
  if (known !== undefined) return known;
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
  adapters.set(sys, made);
  return made;
}

function taskcall(sys: Sys, call: Asynccall): (...args: unknown[]) => Task<unknown> {
  return function* (...args): Task<unknown> {
    return yield Reflect.apply(call, sys, args) as never;
  };
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
