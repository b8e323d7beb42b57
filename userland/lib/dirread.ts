// Directories, entry by entry. A read of a directory gives whole entries. dirread(2)

import { OREAD, STATMAX } from "../../kernel/abi/const.ts";
import { type Dir, convM2D } from "../../kernel/abi/dir.ts";
import { Ebadstat, PlanError } from "../../kernel/abi/errors.ts";
import { type Both, both } from "./both.ts";

/** Room for one entry of any size. */
const DIRMAX = STATMAX;

/** The next entries, as many as one read gives; none at the end. */
export const dirread: Both<[fd: number], Dir[]> = both(function* (sys, fd) {
  const buf = new Uint8Array(DIRMAX);
  const n = yield* sys.read(fd, buf);
  return entries(buf, n);
}, "dirread(fd fd)");

/** All entries that are left. */
export const dirreadall: Both<[fd: number], Dir[]> = both(function* (sys, fd) {
  const buf = new Uint8Array(DIRMAX);
  const all: Dir[] = [];
  for (;;) {
    const n = yield* sys.read(fd, buf);
    if (n === 0) return all;
    for (const d of entries(buf, n)) all.push(d);
  }
}, "dirreadall(fd fd)");

/** The entries of a directory. */
export const readdir: Both<[name: string], Dir[]> = both(function* (sys, name) {
  const fd = yield* sys.open(name, OREAD);
  try {
    return yield* dirreadall(sys, fd);
  } finally {
    yield* sys.close(fd);
  }
}, "readdir(name name)");

/** The entry of a file, or null if it has none that we may see. */
export const dirstat: Both<[name: string], Dir | null> = both(function* (sys, name) {
  try {
    return yield* sys.stat(name);
  } catch (e) {
    if (e instanceof PlanError) return null;
    throw e;
  }
}, "dirstat(name name)");

/** The entries in the first n bytes of buf. */
function entries(buf: Uint8Array, n: number): Dir[] {
  const all: Dir[] = [];
  for (let o = 0; o < n;) {
    const e = convM2D(buf, o, n);
    if (e === null) throw new PlanError(Ebadstat);
    all.push(e.dir);
    o = e.next;
  }
  return all;
}
