// Tty: what /dev/cons is connected to. The host's side implements it (a terminal, a buffer that a test
// reads, a page); device c reads and writes it.

import type { Task } from "./rendez.ts";

export interface Tty {
  /** Takes all of bytes; waits while the other side is not keeping up. */
  write(bytes: Uint8Array): Task<void>;
  /** At most n bytes of input; none at the end of it. Waits for the first. */
  read(n: number): Task<Uint8Array>;
}
