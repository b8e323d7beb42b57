// Which of the messages or calls that a fault fits it is done to.

/** Which of the messages or calls that fit: number `first`, and every `step` from there to `last`, counted from 1. */
export type When = {
  /** The first, from 1. */
  readonly first: number;
  /** The last; Infinity for no end. */
  readonly last: number;
  /** Every so many from the first. */
  readonly step: number;
};

/** Each of them. */
export const ALWAYS: When = { first: 1, last: Infinity, step: 1 };

/** Whether number n is one of them. */
export function isturn({ first, last, step }: When, n: number): boolean {
  return n >= first && n <= last && (n - first) % step === 0;
}

/** A fault whose turn it is. */
export interface Turn<E> {
  /** Counts that it is done. */
  do(): E;
}
