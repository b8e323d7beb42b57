// What device fs keeps of a file that the host cannot: that it is append-only or for exclusive use. It is kept
// while the kernel runs, by the file's qid.path, so renames do not matter.

import { DMAPPEND, DMEXCL } from "../../kernel/abi/const.ts";
import { error } from "../../kernel/abi/errors.ts";

/** The bits of a mode that are kept here. */
export const KEPT: number = DMAPPEND | DMEXCL;
/** Files that have one of them. */
const MAXKEPT = 65536;

export const Ekept = "too many append-only and exclusive use files";

/** The bits of the files of one tree. */
export class Kept {
  readonly #bits: Map<bigint, number> = new Map();

  /** The mode bits of a file, at or above 2^30 as a mode has them. */
  of(path: bigint): number {
    return this.#bits.size === 0 ? 0 : (this.#bits.get(path) ?? 0);
  }

  /** Fails when a file more cannot be kept. */
  check(mode: number): void {
    if ((mode & KEPT) !== 0 && this.#bits.size >= MAXKEPT) error(Ekept);
  }

  set(path: bigint, mode: number): void {
    const bits = (mode & KEPT) >>> 0;
    if (bits === 0) this.#bits.delete(path);
    else this.#bits.set(path, bits);
  }
}
