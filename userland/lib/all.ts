// Several Tasks at once, each in a thread of its own.

import { Eintr, PlanError } from "../../kernel/abi/errors.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "./both.ts";

/** What became of a Task. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PlanError };

/** Tasks that run, and what became of those that are done. */
type Running<T> = {
  readonly outcomes: Outcome<T>[];
  /** How many are not done. */
  left: number;
  /** Where the thread that began them waits for the last one. */
  waiting: object | null;
};

/** Runs the Tasks and gives what became of them, in the same order, when all are done. */
export function* all<T>(sys: ThreadSys, tasks: readonly Task<T>[]): Task<Outcome<T>[]> {
  const r: Running<T> = { outcomes: [], left: tasks.length, waiting: null };
  for (let i = 0; i < tasks.length; i++) {
    const task = one(sys, r, i, tasks[i] as Task<T>);
    if (i < tasks.length - 1) sys.threadcreate(task);
    else yield* task;
  }
  if (r.left > 0) {
    r.waiting = {};
    try {
      if ((yield* sys.rendezvous(r.waiting, true)) === undefined) throw new PlanError(Eintr);
    } finally {
      r.waiting = null;
    }
  }
  return r.outcomes;
}

/** Runs the i-th Task; the last one to be done meets the thread that waits. */
function* one<T>(sys: ThreadSys, r: Running<T>, i: number, task: Task<T>): Task<void> {
  r.outcomes[i] = yield* outcome(task);
  r.left--;
  if (r.left === 0 && r.waiting !== null) yield* sys.rendezvous(r.waiting, true);
}

function* outcome<T>(task: Task<T>): Task<Outcome<T>> {
  try {
    return { ok: true, value: yield* task };
  } catch (error) {
    if (error instanceof PlanError) return { ok: false, error };
    throw error;
  }
}
