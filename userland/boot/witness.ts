// Mistakes of programs that no line of them would show: a failed call whose promise is not awaited, and an exception
// that ends a process which is not the one that the host waits for. The witness of a kernel gathers them until the
// run is over. How a host learns that a promise was not read is its own: Node and pages tell of it by events, the
// test kit's promises know it themselves.

import type { PlanError } from "../../kernel/abi/errors.ts";
import type { Witness } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";

/** A failed call of which the program does not know. */
export type Unread = { readonly call: string; readonly error: PlanError };

/** An exception that ended a process. */
export type Crashed = { readonly pid: number; readonly text: string; readonly thrown: unknown };

/** Gathers what a kernel's programs did wrong. */
export class Mistakes implements Witness {
  readonly promise: PromiseConstructor;
  readonly #calls = new WeakMap<Promise<unknown>, Unread>();
  readonly #unread = new Map<Promise<unknown>, Unread>();
  readonly #crashes: Crashed[] = [];
  /** A call has failed, whether the program read that or not. */
  any = false;

  constructor(promise: PromiseConstructor = Promise) {
    this.promise = promise;
  }

  failed(p: Promise<unknown>, error: PlanError, call: string): void {
    this.any = true;
    this.#calls.set(p, { call, error });
  }

  /** The host says so itself: nothing reads the promise. */
  unheard(): void {}

  crashed(p: Proc, thrown: unknown): void {
    this.#crashes.push({ pid: p.pid, text: p.text, thrown });
  }

  /** The host says that a rejected promise has no reader; true when it is a call's. */
  unread(p: Promise<unknown>): boolean {
    const it = this.#calls.get(p);
    if (it !== undefined) this.#unread.set(p, it);
    return it !== undefined;
  }

  /** The host says that such a promise has got a reader. */
  read(p: Promise<unknown>): void {
    this.#unread.delete(p);
  }

  /** The failed calls that the program has not read. */
  get unreads(): readonly Unread[] {
    return [...this.#unread.values()];
  }

  /** What ended processes, in the order it came. */
  get crashes(): readonly Crashed[] {
    return this.#crashes;
  }
}
