// Tty: what /dev/cons is connected to. The host's side implements it (a terminal, a page); device c reads
// and writes it. Buffertty is the one that only remembers.

import { joined } from "../abi/bits.ts";
import type { Answer } from "./rendez.ts";
import { utfdecode } from "../abi/utf.ts";

/** A console that is not the kernel's: where what programs write on /dev/cons goes, and what they read from it. */
export interface Tty {
  /**
   * Takes what programs write on /dev/cons; waits while the other side is not keeping up. cons(3)
   *
   * @param bytes the output, all of which is taken
   * @returns when it is taken
   * @example
   * ```ts
   * write: (bytes) => void process.stdout.write(bytes)
   * ```
   */
  write(bytes: Uint8Array): Answer<void>;
  /**
   * Takes what is written on the descriptor 2 that a program starts with, where the host keeps that apart.
   *
   * @param bytes the output, all of which is taken
   * @returns when it is taken
   * @example
   * ```ts
   * writeerr: (bytes) => void process.stderr.write(bytes)
   * ```
   */
  writeerr?(bytes: Uint8Array): Answer<void>;
  /**
   * Gives input to a program that reads /dev/cons; waits for the first byte. cons(3)
   *
   * @param n bytes at most
   * @returns the input; none at its end
   * @example
   * ```ts
   * read: () => new Uint8Array(0)
   * ```
   */
  read(n: number): Answer<Uint8Array>;
  /**
   * Obeys a message of consctl. cons(3)
   *
   * @param message rawon, rawoff, holdon or holdoff
   * @example
   * ```ts
   * ctl: (message) => process.stdin.setRawMode(message === "rawon")
   * ```
   */
  ctl?(message: string): void;
  /** Those of the descriptors 0, 1 and 2 that a program starts with where a person looks on, or types. */
  readonly terminals?: readonly number[];
}

/** Gathers output, and tells `onwrite` of it; reads give its input, then the end of file. */
export class Buffertty implements Tty {
  readonly #chunks: Uint8Array[] = [];
  readonly #onwrite: ((bytes: Uint8Array) => void) | null;
  #input: Uint8Array;

  constructor(
    input: Uint8Array = new Uint8Array(0),
    onwrite: ((bytes: Uint8Array) => void) | null = null,
  ) {
    this.#input = input;
    this.#onwrite = onwrite;
  }

  write(bytes: Uint8Array): void {
    // Not its own slice: a program's array may have any.
    const copy = new Uint8Array(bytes);
    this.#chunks.push(copy);
    this.#onwrite?.(copy);
  }

  read(n: number): Uint8Array {
    const part = this.#input.subarray(0, n);
    this.#input = this.#input.subarray(n);
    return part;
  }

  /** All output so far. */
  bytes(): Uint8Array {
    return joined(this.#chunks);
  }

  text(): string {
    const all = this.bytes();
    return utfdecode(all, 0, all.length);
  }
}
