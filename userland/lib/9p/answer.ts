// Answers that may take time: what to do when one is there, whether it is at once or not.

import type { Task } from "../../../syscalls/sys.ts";
import type { Answer } from "./srv.ts";

/** Whether an answer is a Task that still comes to it. */
export function istask<T>(a: Answer<T>): a is Task<T> {
  return (
    typeof a === "object" &&
    a !== null &&
    "throw" in a &&
    typeof a.throw === "function" &&
    "next" in a
  );
}

/** fn of the answer, when it is there. */
export function andthen<T, R>(a: Answer<T>, fn: (value: T) => R): Answer<R> {
  return istask(a) ? after(a, fn) : fn(a);
}

function* after<T, R>(task: Task<T>, fn: (value: T) => R): Task<R> {
  return fn(yield* task);
}

/** The answer of first; last comes when that is there, also if it failed. */
export function always<T>(first: () => Answer<T>, last: () => Answer<void>): Answer<T> {
  let a: Answer<T>;
  try {
    a = first();
  } catch (e) {
    const b = last();
    if (istask(b)) return fail(b, e);
    throw e;
  }
  if (istask(a)) return alwaystask(a, last);
  const b = last();
  return istask(b) ? keep(b, a) : a;
}

function* fail(task: Task<void>, e: unknown): Task<never> {
  yield* task;
  throw e;
}

function* keep<T>(task: Task<void>, value: T): Task<T> {
  yield* task;
  return value;
}

function* alwaystask<T>(task: Task<T>, last: () => Answer<void>): Task<T> {
  try {
    return yield* task;
  } finally {
    const b = last();
    if (istask(b)) yield* b;
  }
}
