// A console that is recorded: what a program writes on it goes where it would go, and into the recording.

import type { Answer } from "../../../kernel/proc/rendez.ts";
import type { Tty } from "../../../kernel/proc/tty.ts";
import { utfdecode } from "../../../kernel/abi/utf.ts";
import type { Rsaid } from "./recording.ts";

/** Hears what is written: Recorder.said. */
export type Hear = (to: Rsaid["to"], text: string) => void;

/** A console on which everything that is written is heard first. */
export class Hearing implements Tty {
  readonly #tty: Tty;
  readonly #hear: Hear;
  readonly terminals: readonly number[];

  constructor(tty: Tty, hear: Hear) {
    this.#tty = tty;
    this.terminals = tty.terminals ?? [];
    this.#hear = hear;
  }

  write(bytes: Uint8Array): Answer<void> {
    this.#hear("out", utfdecode(bytes, 0, bytes.length));
    return this.#tty.write(bytes);
  }

  writeerr(bytes: Uint8Array): Answer<void> {
    this.#hear("err", utfdecode(bytes, 0, bytes.length));
    return this.#tty.writeerr === undefined ? this.#tty.write(bytes) : this.#tty.writeerr(bytes);
  }

  read(n: number): Answer<Uint8Array> {
    return this.#tty.read(n);
  }
}
