// A Task that a Tflush may interrupt: once, where it sleeps, or else where it next would sleep.

import { Eintr, PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";

type Step<R> = ReturnType<Task<R>["next"]>;

export class Flushable<R> {
  /** A Tflush, or the end of the session, wants the task to end. */
  flushed = false;
  readonly #task: Task<R>;
  /** The task was interrupted, and cleans up now: it is not interrupted again. */
  #told = false;
  /** The task has come to its end: to interrupt its thread would hit the code behind the task. */
  #over = false;

  constructor(task: Task<R>) {
    this.#task = task;
  }

  /** The task as it is to be run. */
  get task(): Task<R> {
    return this as unknown as Task<R>;
  }

  /** `value` is what a call gave, where a driver awaits what the task yields (both.ts). */
  next(value?: unknown): Step<R> {
    return this.#step(this.#task.next(value as void));
  }

  throw(e: unknown): Step<R> {
    if (this.flushed) this.#told = true;
    return this.#step(this.#task.throw(e));
  }

  return(value: R): Step<R> {
    return this.#task.return(value);
  }

  [Symbol.iterator](): this {
    return this;
  }

  #step(s: Step<R>): Step<R> {
    this.#over = s.done === true;
    if (s.done === true || !this.flushed || this.#told || s.value.passing) return s;
    this.#told = true;
    return this.#step(this.#task.throw(new PlanError(Eintr)));
  }

  /** Has the task end soon. True: the caller interrupts the task's thread, where it sleeps. */
  flush(): boolean {
    if (this.flushed || this.#over) return false;
    this.flushed = true;
    return true;
  }
}
