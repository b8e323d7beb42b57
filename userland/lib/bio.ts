// Lines in, text out: reads by lines, and writes gathered into few. bio(2)

import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "./both.ts";
import { writeall } from "./io.ts";

const BSIZE = 8192;
const NL = 10;

/** Reads a descriptor by lines. */
export class Linereader {
  readonly #sys: ThreadSys;
  readonly #fd: number;
  #buf: Uint8Array = new Uint8Array(BSIZE);
  #start = 0;
  #end = 0;
  #eof = false;
  /** The line given last had a newline behind it. */
  whole = true;

  constructor(sys: ThreadSys, fd: number) {
    this.#sys = sys;
    this.#fd = fd;
  }

  /** The next line without its newline; null at the end. */
  *line(): Task<string | null> {
    let from = this.#start;
    for (;;) {
      const nl = this.#buf.subarray(from, this.#end).indexOf(NL);
      if (nl >= 0) {
        const text = utfdecode(this.#buf, this.#start, from + nl);
        this.#start = from + nl + 1;
        this.whole = true;
        return text;
      }
      if (this.#eof) return this.#last();
      from = this.#end - this.#start;
      yield* this.#fill();
    }
  }

  #last(): string | null {
    if (this.#start === this.#end) return null;
    const text = utfdecode(this.#buf, this.#start, this.#end);
    this.#start = this.#end;
    this.whole = false;
    return text;
  }

  /** Moves what is left to the front and reads behind it. */
  *#fill(): Task<void> {
    const left = this.#end - this.#start;
    const room = left + BSIZE > this.#buf.length ? new Uint8Array(2 * (left + BSIZE)) : this.#buf;
    room.set(this.#buf.subarray(this.#start, this.#end));
    this.#buf = room;
    this.#start = 0;
    this.#end = left;
    const n = yield* this.#sys.read(this.#fd, room.subarray(left));
    this.#end += n;
    this.#eof = n === 0;
  }
}

/** Gathers text for a descriptor. */
export class Output {
  readonly #sys: ThreadSys;
  readonly #fd: number;
  #text: string[] = [];
  #n = 0;

  constructor(sys: ThreadSys, fd = 1) {
    this.#sys = sys;
    this.#fd = fd;
  }

  /** Adds text, and writes when there is much. */
  *put(text: string): Task<void> {
    this.#text.push(text);
    this.#n += text.length;
    if (this.#n >= BSIZE) yield* this.flush();
  }

  /** Writes all there is. */
  *flush(): Task<void> {
    const text = this.#text.join("");
    this.#text = [];
    this.#n = 0;
    if (text !== "") yield* writeall(this.#sys, this.#fd, utfencode(text));
  }
}
