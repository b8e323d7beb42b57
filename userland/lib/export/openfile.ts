// An open file of an export: its descriptor, which it alone owns, and what is known of its stream. A request
// uses the descriptor between begin and end. The descriptor is closed once: at close, or when the last request
// that still uses it ends. After close no request begins.

import { error } from "../../../kernel/abi/errors.ts";
import type { TaskSys } from "../../../syscalls/sys.ts";
import { Enotopen } from "../9p/errors.ts";
import type { Answer } from "../9p/srv.ts";

export class Openfile {
  /** It is a plain file of a far server, so that writes may go ahead of their answers. */
  readonly ahead: boolean;
  /** Writes under way. */
  writes = 0;
  /** Where the descriptor's stream is, -1 where that is not known, and how often it was started. */
  next = -1;
  starts = 0;
  readonly #sys: TaskSys;
  readonly #fd: number;
  #uses = 0;
  #closed = false;

  constructor(sys: TaskSys, fd: number, ahead: boolean) {
    this.#sys = sys;
    this.#fd = fd;
    this.ahead = ahead;
  }

  /** The descriptor, until end. */
  begin(): number {
    if (this.#closed) error(Enotopen);
    this.#uses++;
    return this.#fd;
  }

  /** A request is done with the descriptor. */
  end(): Answer<void> {
    this.#uses--;
    return this.#closed && this.#uses === 0 ? this.#sys.close(this.#fd) : undefined;
  }

  /** Closes the file; a second close does nothing. */
  close(): Answer<void> {
    if (this.#closed) return undefined;
    this.#closed = true;
    return this.#uses === 0 ? this.#sys.close(this.#fd) : undefined;
  }

  /** A read or write at an offset of its own ends the stream. */
  elsewhere(): void {
    this.next = -1;
    this.starts++;
  }
}
