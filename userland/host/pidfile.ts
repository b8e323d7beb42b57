// --pidfile of serve: the number of the server's process, for `kill $(cat FILE)`.

import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { Loaderror } from "./load.ts";
import { reason } from "./outfile.ts";

/** A file that holds the number of this process from write to end. */
export class Pidfile {
  readonly #file: string;
  #written = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws Loaderror when it cannot be written. */
  write(): void {
    try {
      writeFileSync(this.#file, `${process.pid}\n`);
      this.#written = true;
    } catch (e) {
      throw e instanceof Error && "code" in e ? new Loaderror(`${this.#file}: ${reason(e)}`) : e;
    }
  }

  /** Removes the file, unless another server has written its own number since. */
  end(): void {
    if (!this.#written) return;
    try {
      if (readFileSync(this.#file, "latin1") === `${process.pid}\n`) unlinkSync(this.#file);
    } catch (e) {
      if (!(e instanceof Error) || !("code" in e)) throw e;
      if (e.code !== "ENOENT") process.stderr.write(`${this.#file} is left: ${reason(e)}\n`);
    }
  }
}
