// Reading a directory: the device's entries, the members of a union one after another, and what is
// mounted in place of what it covers. A read gives whole entries of one member and never crosses to the
// next; entries that mountfix made too long for the caller's buffer wait in the Chan's rock.

import { andthen } from "./abi/answer.ts";
import { cclose, ordered, owning } from "./chan.ts";
import type { Chan, Unionstate } from "./chan.ts";
import { OREAD } from "./abi/const.ts";
import { get16 } from "./abi/bits.ts";
import { convD2M, sizeD2M } from "./abi/dir.ts";
import type { Dir } from "./abi/dir.ts";
import { Ebadstat, Edirseek, Eintr, Eshort, PlanError, error } from "./abi/errors.ts";
import type { Proc } from "./proc/proc.ts";
import { waitfor } from "./proc/rendez.ts";
import type { Answer, Task } from "./proc/rendez.ts";

/** Back to the first entry: what seek to 0, and a read there, do. */
export function* dirrewind(c: Chan): Task<void> {
  c.offset = c.devoffset = c.dri = 0;
  c.rock = null;
  if (c.union === null) return;
  const { umc } = c.union;
  c.union.uri = 0;
  c.union.umc = null;
  if (umc !== null) yield* cclose(umc);
}

/** Fills buf with whole entries; `offset` is the caller's, or -1 for the descriptor's. */
export function* dirread(up: Proc, c: Chan, buf: Uint8Array, offset: number): Task<number> {
  // Only a union can be rewound by a pread at 0; elsewhere the offset must be where the last read ended.
  if ((offset === -1 ? c.offset : offset) === 0 && (offset === -1 || c.union !== null))
    yield* dirrewind(c);
  let n = rockread(c, buf);
  if (n === 0) {
    if (c.union === null && offset !== -1 && offset !== c.offset) error(Edirseek);
    n = yield* fresh(up, c, buf);
  }
  c.offset += n;
  return n;
}

function* fresh(up: Proc, c: Chan, buf: Uint8Array): Task<number> {
  const n =
    c.union === null
      ? yield* waitfor(c.dev.read(up, c, buf, c.devoffset))
      : yield* unionread(up, c.union, buf);
  c.devoffset += n;
  if (n === 0) return 0;
  const fixed = yield* waitfor(up.pgrp.ns.mountfix(up, c, buf.subarray(0, n)));
  if (fixed === null) return n;
  c.rock = fixed;
  const got = rockread(c, buf);
  return got > 0 ? got : error(Eshort);
}

/** As many whole entries as fit from what is left over; 0 when there is nothing. */
function rockread(c: Chan, buf: Uint8Array): number {
  const { rock } = c;
  if (rock === null) return 0;
  let n = 0;
  while (n < rock.length) {
    const end = n + 2 + get16(rock, n);
    if (end > buf.length) break;
    n = end;
  }
  buf.set(rock.subarray(0, n));
  c.rock = n === rock.length ? null : rock.subarray(n);
  return n;
}

/** The members in order; one that fails is passed over. */
function* unionread(up: Proc, u: Unionstate, buf: Uint8Array): Task<number> {
  for (let m = u.members()[u.uri]; m !== undefined; m = u.members()[u.uri]) {
    const n = yield* memberread(up, u, m, buf);
    if (n > 0) return n;
    u.uri++;
    const { umc } = u;
    u.umc = null;
    if (umc !== null) yield* cclose(umc);
  }
  return 0;
}

function* memberread(up: Proc, u: Unionstate, m: Chan, buf: Uint8Array): Task<number> {
  try {
    u.umc ??= yield* waitfor(openmember(up, m));
    const n = yield* waitfor(u.umc.dev.read(up, u.umc, buf, u.umc.devoffset));
    u.umc.devoffset += n;
    return n;
  } catch (e) {
    // Two errors are the caller's, and not the member's: its buffer has no room for an entry, or a note came.
    if (!(e instanceof PlanError) || e.message === Eshort || e.message === Eintr) throw e;
    return 0;
  }
}

/** Opens a member. It may be unmounted meanwhile, so `ordered` keeps a reference to it. */
function openmember(up: Proc, m: Chan): Answer<Chan> {
  return ordered(m, 0, () =>
    andthen(clone(up, m), (c) => owning(c, () => c.dev.open(up, c, OREAD))),
  );
}

function clone(up: Proc, m: Chan): Answer<Chan> {
  const late = m.dev.later?.defer(m, []) ?? null;
  return late ?? andthen(m.dev.walk(up, m, []), (wq) => wq.clone ?? error("clone failed"));
}

/** The entry of a mounted Chan; null if its server fails. The reader of the directory then sees the covered entry. */
export function* statquiet(up: Proc, c: Chan): Task<Dir | null> {
  try {
    return yield* waitfor(c.dev.stat(up, c));
  } catch (e) {
    if (e instanceof PlanError) return null;
    throw e;
  }
}

/** Packs entries as a directory read gives them. */
export function packdirs(dirs: readonly Dir[]): Uint8Array {
  const size = dirs.reduce((n, d) => n + sizeD2M(d), 0);
  // An entry may not fit the format: the name of a mounted directory can be longer than that of the covered one.
  if (size === Infinity) error(Ebadstat);
  const buf = new Uint8Array(size);
  let off = 0;
  for (const d of dirs) off = convD2M(d, buf, off);
  return buf;
}
