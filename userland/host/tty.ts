// Consoles for processes that the host starts: one that collects what is written for whoever asks, and
// one that is the terminal (or pipe) Node itself runs on.

import type { Readable, Writable } from "node:stream";
import { Rendez } from "../../kernel/rendez.ts";
import type { Task } from "../../kernel/rendez.ts";
import type { Tty } from "../../kernel/tty.ts";
import { utfdecode } from "../../kernel/utf.ts";

const NOTHING = new Uint8Array(0);

/** Gathers output; reads give what it was made with, then the end of file. */
export class Buffertty implements Tty {
  readonly #chunks: Uint8Array[] = [];
  #input: Uint8Array;

  constructor(input: Uint8Array = NOTHING) {
    this.#input = input;
  }

  *write(bytes: Uint8Array): Task<void> {
    this.#chunks.push(bytes.slice());
  }

  *read(n: number): Task<Uint8Array> {
    const part = this.#input.subarray(0, n);
    this.#input = this.#input.subarray(n);
    return part;
  }

  /** All output so far, as text. */
  text(): string {
    const all = new Uint8Array(this.#chunks.reduce((n, c) => n + c.length, 0));
    let off = 0;
    for (const c of this.#chunks) {
      all.set(c, off);
      off += c.length;
    }
    return utfdecode(all, 0, all.length);
  }
}

/** Reads and writes streams of the host; a write waits while the host does not keep up. */
export class Streamtty implements Tty {
  readonly #in: Readable;
  readonly #out: Writable;
  readonly #drained = new Rendez("host output");
  readonly #readable = new Rendez("host input");
  #listening = false;
  #ended = false;

  constructor(input: Readable, output: Writable) {
    this.#in = input;
    this.#out = output;
  }

  *write(bytes: Uint8Array): Task<void> {
    if (this.#out.destroyed || this.#out.write(bytes.slice())) return;
    this.#out.once("drain", () => this.#drained.wakeupall());
    this.#out.once("close", () => this.#drained.wakeupall());
    yield this.#drained;
  }

  *read(n: number): Task<Uint8Array> {
    this.#listen();
    try {
      for (;;) {
        // Of a long line the rest stays in the stream's own buffer.
        const chunk: unknown = this.#in.read(Math.min(n, this.#in.readableLength)) ?? this.#in.read();
        if (chunk instanceof Uint8Array && chunk.length <= n) return chunk;
        if (chunk instanceof Uint8Array) {
          this.#in.unshift(chunk.subarray(n));
          return chunk.subarray(0, n);
        }
        if (this.#ended) return NOTHING;
        this.#in.ref?.();
        yield this.#readable;
      }
    } finally {
      this.#in.unref?.();
    }
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#in.on("readable", () => this.#readable.wakeupall());
    for (const event of ["end", "close", "error"])
      this.#in.on(event, () => {
        this.#ended = true;
        this.#readable.wakeupall();
      });
  }
}
