// Copying what one descriptor gives to another, and files.

import { OREAD, OWRITE } from "../../kernel/const.ts";
import { PlanError } from "../../kernel/errors.ts";
import { type Both, both } from "./both.ts";
import { writeall } from "./io.ts";

const CHUNK = 65536;

/** What went wrong, and with which file. */
export class Copyerror extends PlanError {}

/** Copies from one descriptor to another until the end; gives the bytes copied. */
export const copyfd: Both<[from: number, to: number], number> = both(function* (sys, from, to) {
  const buf = new Uint8Array(CHUNK);
  let total = 0;
  for (;;) {
    const n = yield* sys.read(from, buf);
    if (n === 0) return total;
    yield* writeall(sys, to, n === buf.length ? buf : buf.subarray(0, n));
    total += n;
  }
});

/** Copies a file; `perm` is for a new one. */
export const copyfile: Both<[from: string, to: string, perm: number], number> = both(
  function* (sys, from, to, perm) {
    let what = `can't open ${from}`;
    let fd = -1;
    let tfd = -1;
    try {
      fd = yield* sys.open(from, OREAD);
      what = `can't create ${to}`;
      tfd = yield* sys.create(to, OWRITE, perm);
      what = `error copying ${from} to ${to}`;
      return yield* copyfd(sys, fd, tfd);
    } catch (e) {
      if (e instanceof PlanError) throw new Copyerror(`${what}: ${e.message}`);
      throw e;
    } finally {
      if (tfd >= 0) yield* sys.close(tfd);
      if (fd >= 0) yield* sys.close(fd);
    }
  },
);
