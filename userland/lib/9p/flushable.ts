// A Task that a Tflush may interrupt: once, where it sleeps or where it is next about to.

import { Eintr, PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";

type Step<R> = ReturnType<Task<R>["next"]>;

export class Flushable<R> {
  /** Somebody wants it to end. */
  flushed = false;
  readonly #task: Task<R>;
  /** It has been told: what it does now to clean up is its own affair. */
  #told = false;
  /** It came to its end: interrupting its thread would hit something else. */
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

  /** Wants it to end. True: its thread is to be interrupted, where it sleeps. */
  flush(): boolean {
    if (this.flushed || this.#over) return false;
    this.flushed = true;
    return true;
  }
}
