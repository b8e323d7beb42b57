// The console of a process that the host starts, over the streams (terminal, pipe, file) of Node.

import type { Readable, Writable } from "node:stream";
import { Rendez } from "../../kernel/boot.ts";
import type { Task } from "../../kernel/rendez.ts";
import type { Tty } from "../../kernel/tty.ts";

const NOTHING = new Uint8Array(0);

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
        const chunk: unknown =
          this.#in.read(Math.min(n, this.#in.readableLength)) ?? this.#in.read();
        if (chunk instanceof Uint8Array && chunk.length <= n) return chunk;
        if (chunk instanceof Uint8Array) {
          this.#in.unshift(chunk.subarray(n));
          return chunk.subarray(0, n);
        }
        if (this.#ended) return NOTHING;
        hostref(this.#in, "ref");
        yield this.#readable;
      }
    } finally {
      hostref(this.#in, "unref");
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

/** A terminal or socket keeps Node alive only while somebody reads it. */
function hostref(stream: Readable, what: "ref" | "unref"): void {
  const fn: unknown = Reflect.get(stream, what);
  if (typeof fn === "function") Reflect.apply(fn, stream, []);
}
