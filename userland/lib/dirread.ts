// Directories, entry by entry. A read of a directory gives whole entries. dirread(2)

import { OREAD, STATMAX } from "../../kernel/abi/const.ts";
import { type Dir, convM2D } from "../../kernel/abi/dir.ts";
import { Ebadstat, PlanError } from "../../kernel/abi/errors.ts";
import { type Both, both } from "./both.ts";

/** Room for one entry of any size. */
const DIRMAX = STATMAX;

/**
 * Reads the next entries of a directory, as many as one read gives. dirread(2)
 *
 * @param fd a directory that is open for reading
 * @returns the entries; none at the end
 * @throws PlanError "fd out of range or not open": fd is not open
 * @throws PlanError "malformed stat buffer": the server gave bytes that are no entries
 * @example
 * ```ts
 * const some = await dirread(sys, fd);
 * ```
 */
export const dirread: Both<[fd: number], Dir[]> = both(function* (sys, fd) {
  const buf = new Uint8Array(DIRMAX);
  const n = yield* sys.read(fd, buf);
  return entries(buf, n);
}, "dirread(fd fd)");

/**
 * Reads all entries that are left of a directory. dirread(2)
 *
 * @param fd a directory that is open for reading
 * @returns the entries, in the server's order
 * @throws PlanError "fd out of range or not open": fd is not open
 * @throws PlanError "malformed stat buffer": the server gave bytes that are no entries
 * @example
 * ```ts
 * const all = await dirreadall(sys, fd);
 * ```
 */
export const dirreadall: Both<[fd: number], Dir[]> = both(function* (sys, fd) {
  const buf = new Uint8Array(DIRMAX);
  const all: Dir[] = [];
  for (;;) {
    const n = yield* sys.read(fd, buf);
    if (n === 0) return all;
    for (const d of entries(buf, n)) all.push(d);
  }
}, "dirreadall(fd fd)");

/**
 * Opens a directory and reads all of its entries. dirread(2)
 *
 * @param name the directory's name
 * @returns the entries, in the server's order; of a union those of each member
 * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; and what else
 *   open(2) fails with
 * @throws PlanError "malformed stat buffer": the file is no directory
 * @example
 * ```ts
 * for (const d of await readdir(sys, "/n")) await print(sys, `${d.name}\n`);
 * ```
 */
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
