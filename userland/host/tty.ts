// The console of a process that the host starts, over the streams (terminal, pipe, file) of Node.

import type { Readable, Writable } from "node:stream";
import { Rendez } from "../../kernel/boot.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Tty } from "../../kernel/proc/tty.ts";

const NOTHING = new Uint8Array(0);
/** Letters of descriptor 2 that are remembered: room for an exit status and what stands around it. */
const SAID = 1024;
/** Exit statuses that say no more than what was written before them. */
const BARE: ReadonlySet<string> = new Set(["error", "errors", "usage"]);

/** A stream of the host that is written to. */
class Output {
  readonly #stream: Writable;
  readonly #drained = new Rendez("host output");
  #listening = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  *write(bytes: Uint8Array): Task<void> {
    if (this.#stream.destroyed || this.#stream.write(new Uint8Array(bytes))) return;
    if (!this.#listening)
      for (const event of ["drain", "close"])
        this.#stream.on(event, () => this.#drained.wakeupall());
    this.#listening = true;
    yield this.#drained;
  }
}

/** Reads and writes streams of the host; a write waits while the host does not keep up. */
export class Streamtty implements Tty {
  readonly #in: Readable;
  readonly #out: Output;
  readonly #err: Output;
  readonly #readable = new Rendez("host input");
  readonly terminals: readonly number[];
  /** The end of what was written to descriptor 2. */
  #said = "";
  #listening = false;
  #ended = false;

  constructor(input: Readable, output: Writable, error: Writable) {
    this.#in = input;
    this.#out = new Output(output);
    this.#err = new Output(error);
    this.terminals = [input, output, error].flatMap((s, fd) =>
      Reflect.get(s, "isTTY") === true ? [fd] : [],
    );
  }

  write(bytes: Uint8Array): Task<void> {
    return this.#out.write(bytes);
  }

  writeerr(bytes: Uint8Array): Task<void> {
    this.#said = (this.#said + utfdecode(bytes, 0, bytes.length)).slice(-SAID);
    return this.#err.write(bytes);
  }

  /** Whether a program that ends with this status has said as much on its descriptor 2. */
  said(status: string): boolean {
    // The status of a command that rc has run begins with its name and number: "cat 3: can't open /x"; of one that
    // it could not run rc has said the rest: "rc 5: can't exec: '/bin/x' does not exist".
    const words = status.replace(/^\S+ \d+: (?:can't exec: )?/, "");
    return this.#said.includes(words) || (this.#said !== "" && BARE.has(words));
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
