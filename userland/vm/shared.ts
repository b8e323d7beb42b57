// What processes that share a memory share besides its bytes: objects that went out as values of a rendezvous, and
// the words that are semaphores.

import type { Memory } from "./memory.ts";

/** An object of a program, as the kernel sees it: a tag or a value of rendezvous(2). */
export class Token {
  readonly memory: Memory;
  readonly number: number;
  static readonly #all: WeakMap<Memory, Map<number, Token>> = new WeakMap();

  private constructor(memory: Memory, number: number) {
    this.memory = memory;
    this.number = number;
  }

  /** The one that stands for this object. */
  static of(memory: Memory, number: number): Token {
    let all = Token.#all.get(memory);
    if (all === undefined) Token.#all.set(memory, (all = new Map()));
    let t = all.get(number);
    if (t === undefined) all.set(number, (t = new Token(memory, number)));
    return t;
  }
}

/** A word as the kernel has it, and as the program has it. */
type Word = { readonly outside: Int32Array; inside: number; users: number };

/**
 * The semaphores of a memory that calls are about, by their numbers inside. A memory moves when it grows, so the
 * kernel gets a word outside, and the program is told its value whenever a call is over; a program that has changed
 * its word meanwhile is believed.
 */
export class Words {
  readonly #words = new Map<number, Word>();
  static readonly #all: WeakMap<Memory, Words> = new WeakMap();

  /** Those of a memory. */
  static of(memory: Memory): Words {
    let w = Words.#all.get(memory);
    if (w === undefined) Words.#all.set(memory, (w = new Words()));
    return w;
  }

  /** The word for a call, which the program says has this value now. */
  begin(number: number, now: number): Int32Array {
    let w = this.#words.get(number);
    if (w === undefined) {
      w = { outside: new Int32Array([now]), inside: now, users: 0 };
      this.#words.set(number, w);
    }
    if (now !== w.inside) w.outside[0] = w.inside = now;
    w.users++;
    return w.outside;
  }

  /** A call about a word is over: tells of the words that the kernel has changed. */
  settle(number: number, tell: (number: number, value: number) => void): void {
    for (const [n, w] of this.#words) {
      const value = w.outside[0] ?? 0;
      if (value !== w.inside) tell(n, (w.inside = value));
    }
    const w = this.#words.get(number);
    if (w !== undefined && --w.users === 0) this.#words.delete(number);
  }
}
