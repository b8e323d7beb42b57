// A Task that a Tflush may interrupt: once, where it sleeps or where it is next about to.

import { Eintr, PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";

type Step<R> = ReturnType<Task<R>["next"]>;

export class Flushable<R> {
  /** The task as it is to be run. */
  readonly task: Task<R>;
  /** Somebody wants it to end. */
  flushed = false;
  /** It has been told: what it does now to clean up is its own affair. */
  #told = false;
  /** It came to its end: interrupting its thread would hit something else. */
  #over = false;

  constructor(task: Task<R>) {
    const step = (s: Step<R>): Step<R> => {
      this.#over = s.done === true;
      if (s.done === true || !this.flushed || this.#told || s.value.passing) return s;
      this.#told = true;
      return step(task.throw(new PlanError(Eintr)));
    };
    const all = {
      next: (): Step<R> => step(task.next()),
      throw: (e: unknown): Step<R> => {
        if (this.flushed) this.#told = true;
        return step(task.throw(e));
      },
      return: (value: R): Step<R> => task.return(value),
      [Symbol.iterator]: (): Task<R> => this.task,
    };
    this.task = all as Task<R>;
  }

  /** Wants it to end. True: its thread is to be interrupted, where it sleeps. */
  flush(): boolean {
    if (this.flushed || this.#over) return false;
    this.flushed = true;
    return true;
  }
}
