// A file that a run writes as it goes, and that is whole at any time: what ends it (a JSON's brackets) is
// written behind every piece, and overwritten by the next. What cannot be written is remembered and said at
// the end; the program does not suffer.

import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import type { Stats } from "node:fs";
import { getSystemErrorMap } from "node:util";
import { Usage } from "./command.ts";

/** Bytes that are not kept back any longer. */
const MUCH = 65_536;

export class Outfile {
  readonly name: string;
  readonly stats: Stats;
  readonly #fd: number;
  readonly #tail: Uint8Array;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #at = 0;
  #due = false;
  #error: unknown = null;

  /** Opens, empties or makes it. `option` is what the person asked with, for the complaint. */
  constructor(option: string, name: string, tail = "") {
    this.name = name;
    this.#tail = Buffer.from(tail);
    try {
      this.#fd = openSync(name, "w");
      this.stats = fstatSync(this.#fd);
    } catch (e) {
      throw new Usage(`${option} ${name}: ${reason(e)}`, "name a file that can be written");
    }
  }

  /** Writes, by the end of this turn of the host's loop; the bytes are the file's now. */
  write(piece: Uint8Array | string): void {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= MUCH) return this.#flush();
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.#flush();
    });
  }

  /** Ends it; gives why it is not whole, or null. */
  close(): string | null {
    this.#flush();
    // A pipe takes nothing back: it gets its end once.
    if (!this.stats.isFile()) this.#put([this.#tail]);
    try {
      closeSync(this.#fd);
    } catch (e) {
      this.#error ??= e;
    }
    return this.#error === null ? null : `cannot write ${this.name}: ${reason(this.#error)}`;
  }

  #flush(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    const size = this.#size;
    this.#size = 0;
    this.#put(this.stats.isFile() ? [...pieces, this.#tail] : pieces);
    this.#at += size;
  }

  #put(pieces: readonly Uint8Array[]): void {
    if (this.#error !== null) return;
    const all = Buffer.concat(pieces);
    try {
      for (let n = 0; n < all.length;) {
        const at = this.stats.isFile() ? this.#at + n : null;
        n += writeSync(this.#fd, all, n, all.length - n, at);
      }
    } catch (e) {
      this.#error = e;
    }
  }
}

/** What the host says of a failure: "no space left on device". */
export function reason(e: unknown): string {
  if (!(e instanceof Error)) return String(e);
  const { errno } = e as NodeJS.ErrnoException;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? e.message;
}
