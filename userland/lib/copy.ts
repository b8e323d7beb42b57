// Copying what one descriptor gives to another, and files: by streams, so that it takes the time of the
// bytes and not a round trip for each piece.

import { OREAD, OSTREAM, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Task, TaskSys } from "../../syscalls/sys.ts";
import { type Both, both } from "./both.ts";
import { type Progress, progress, progressend } from "./progress.ts";

const CHUNK = 65536;

/** What went wrong, and with which file. */
export class Copyerror extends PlanError {}

/** Copies from one descriptor to another until the end; gives the bytes copied. */
export const copyfd: Both<[from: number, to: number, watch?: Progress], number> = both(
  function* (sys, from, to, watch) {
    const buf = new Uint8Array(CHUNK);
    let total = 0;
    try {
      for (;;) {
        const n = yield* sys.sread(from, buf);
        if (n === 0) return total;
        yield* swriteall(sys, to, n === buf.length ? buf : buf.subarray(0, n));
        total += n;
        if (watch !== undefined) yield* progress(sys, watch, n);
      }
    } finally {
      if (watch !== undefined) yield* progressend(sys, watch);
    }
  },
);

/** Writes all of bytes to the stream of a descriptor. */
export const swriteall: Both<[fd: number, bytes: Uint8Array], void> = both(
  function* (sys, fd, bytes) {
    let n = 0;
    do n += yield* sys.swrite(fd, n === 0 ? bytes : bytes.subarray(n));
    while (n < bytes.length);
  },
);

/** How a file is copied: `perm` is for a new one. */
export type Copyopts = { readonly perm: number; readonly watch?: Progress };

/** Copies a file; gives the bytes copied. */
export const copyfile: Both<[from: string, to: string, how: Copyopts], number> = both(function* (
  sys,
  from,
  to,
  { perm, watch },
) {
  let what = `can't open ${from}`;
  let fd = -1;
  let tfd = -1;
  try {
    fd = yield* sys.open(from, OREAD | OSTREAM);
    what = `can't create ${to}`;
    tfd = yield* sys.create(to, OWRITE | OSTREAM, perm);
    what = `error copying ${from} to ${to}`;
    const n = yield* copyfd(sys, fd, tfd, watch);
    // What became of the last writes, or of the create itself, close tells.
    const last = tfd;
    tfd = -1;
    yield* sys.close(last);
    return n;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    const created = e.step === undefined || e.step === "write";
    throw new Copyerror(`${created ? what : `can't create ${to}`}: ${e.message}`);
  } finally {
    if (tfd >= 0) yield* closequietly(sys, tfd);
    if (fd >= 0) yield* sys.close(fd);
  }
});

/** Closes what has failed already. */
function* closequietly(sys: TaskSys, fd: number): Task<void> {
  try {
    yield* sys.close(fd);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
