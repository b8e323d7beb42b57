// Tty: what /dev/cons is connected to. The host's side implements it (a terminal, a page); device c reads
// and writes it. Buffertty is the one that only remembers.

import { joined } from "../abi/bits.ts";
import type { Answer } from "./rendez.ts";
import { utfdecode } from "../abi/utf.ts";

/** A console that is not the kernel's: where what programs write on /dev/cons goes, and what they read from it. */
export interface Tty {
  /** Takes all of bytes; waits while the other side is not keeping up. */
  write(bytes: Uint8Array): Answer<void>;
  /** The same for the descriptor 2 that a program starts with, where the host keeps that apart. */
  writeerr?(bytes: Uint8Array): Answer<void>;
  /** At most n bytes of input; none at the end of it. Waits for the first. */
  read(n: number): Answer<Uint8Array>;
  /** Obeys a message of consctl: rawon, rawoff, holdon, holdoff. cons(3) */
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
