// Several Tasks at once, each in a thread of its own.

import { Eintr, PlanError } from "../../kernel/abi/errors.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "./both.ts";

/** What became of a Task. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PlanError };

/** Runs the Tasks and gives what became of them, in the same order, when all are done. */
export function* all<T>(sys: ThreadSys, tasks: readonly Task<T>[]): Task<Outcome<T>[]> {
  const outcomes: Outcome<T>[] = [];
  let left = tasks.length;
  let waiting: object | null = null;
  function* run(task: Task<T>, i: number): Task<void> {
    outcomes[i] = yield* outcome(task);
    left--;
    if (left === 0 && waiting !== null) yield* sys.rendezvous(waiting, true);
  }
  for (const [i, task] of tasks.entries()) {
    if (i < tasks.length - 1) sys.threadcreate(run(task, i));
    else yield* run(task, i);
  }
  if (left > 0) {
    waiting = {};
    try {
      if ((yield* sys.rendezvous(waiting, true)) === undefined) throw new PlanError(Eintr);
    } finally {
      waiting = null;
    }
  }
  return outcomes;
}

function* outcome<T>(task: Task<T>): Task<Outcome<T>> {
  try {
    return { ok: true, value: yield* task };
  } catch (error) {
    if (error instanceof PlanError) return { ok: false, error };
    throw error;
  }
}
