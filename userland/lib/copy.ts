// Copying what one descriptor gives to another, and files: by streams, so that it takes the time of the
// bytes and not a round trip for each piece.

import { OREAD, OSTREAM, OWRITE } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { Eshortwrite, PlanError, error } from "../../kernel/abi/errors.ts";
import type { Task, TaskSys } from "../../syscalls/sys.ts";
import { type Both, both } from "./both.ts";
import { type Progress, progress, progressend } from "./progress.ts";

const CHUNK = 65536;

/** What went wrong, and with which file. */
export class Copyerror extends PlanError {}

/** Copies from one descriptor to another until the end; gives the bytes copied. */
export const copyfd: Both<[from: number, to: number, watch?: Progress], number> = both(function* (
  sys,
  from,
  to,
  watch,
) {
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
}, "copyfd(from fd, to fd, watch object?)");

/** Writes all of bytes to the stream of a descriptor; "short write" when a call takes none of them. */
export const swriteall: Both<[fd: number, bytes: Uint8Array], void> = both(function* (
  sys,
  fd,
  bytes,
) {
  let n = 0;
  do {
    const m = yield* sys.swrite(fd, n === 0 ? bytes : bytes.subarray(n));
    if (m === 0 && bytes.length > 0) error(Eshortwrite);
    n += m;
  } while (n < bytes.length);
}, "swriteall(fd fd, bytes bytes)");

/** Whether two entries are of one file. */
export const samefile = (a: Dir, b: Dir): boolean =>
  a.qid.path === b.qid.path && a.type === b.type && a.dev === b.dev;

/** How a file is copied: `perm` is for a new one; `length` is what the file is expected to hold, in bytes. */
export type Copyopts = {
  readonly perm: number;
  readonly length?: number;
  readonly watch?: Progress;
};

/**
 * Copies a file; gives the bytes copied. A file that ends before its length, and was not cut meanwhile, is
 * an error: a server has said that it ended too early.
 */
export const copyfile: Both<[from: string, to: string, how: Copyopts], number> = both(function* (
  sys,
  from,
  to,
  { perm, length = 0, watch },
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
    if (n < length) yield* mustend(sys, fd, n);
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
}, "copyfile(from name, to name, how object)");

/** Throws unless the file ends after n bytes. */
function* mustend(sys: TaskSys, fd: number, n: number): Task<void> {
  const { length } = yield* sys.fstat(fd);
  if (n < length) throw new PlanError(`it ended after ${n} of ${length} bytes`);
}

/** Closes what has failed already. */
function* closequietly(sys: TaskSys, fd: number): Task<void> {
  try {
    yield* sys.close(fd);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
