// Directory entries of files, as a Dir and as bytes: stat(2), wstat(2).

import { cclose } from "../kernel/chan.ts";
import { convD2M, convM2D, dirwstat, sizeD2M } from "../kernel/abi/dir.ts";
import type { Dir, Qid, Wstat } from "../kernel/abi/dir.ts";
import { Ebadarg, Ebadstat, Eismtpt, Eshortstat, error } from "../kernel/abi/errors.ts";
import { checkelem, nameerror } from "../kernel/names/name.ts";
import { Astat, Awstat } from "../kernel/names/namespace.ts";
import { put16 } from "../kernel/abi/bits.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Task } from "../kernel/proc/rendez.ts";
import { checkbytes, checkname } from "./arg.ts";

// A generator, so that nothing is looked at before the scheduler takes the call.
export function* stat(up: Proc, name: string): Task<Dir> {
  checkname(name);
  return yield* up.pgrp.ns.namec(up, name, Astat);
}

export function* fstat(up: Proc, fd: number): Task<Dir> {
  const c = up.fgrp.get(fd).incref();
  try {
    return yield* c.dev.stat(up, c);
  } finally {
    yield* cclose(c);
  }
}

export function* wstat(up: Proc, name: string, d: Wstat): Task<void> {
  checkname(name);
  yield* up.pgrp.ns.namec(up, name, Awstat, checkwstat(d));
}

export function* fwstat(up: Proc, fd: number, d: Wstat): Task<void> {
  const w = checkwstat(d);
  const c = up.fgrp.iochan(fd, -1).incref();
  try {
    if (c.ismtpt && d.name !== undefined && d.name !== "")
      error(nameerror(c.path.toString(), Eismtpt));
    yield* c.dev.wstat(up, c, w);
  } finally {
    yield* cclose(c);
  }
}

const STRINGS = ["name", "uid", "gid", "muid"] as const;
const NUMBERS = ["mode", "length", "atime", "mtime", "type", "dev"] as const;

/** The changes with nothing in them but what a Dir has; an empty name changes nothing. */
function checkwstat(d: Wstat): Wstat {
  if (typeof d !== "object" || d === null) return error(Ebadarg);
  const w = given(d);
  for (const f of STRINGS) if (w[f] !== undefined && typeof w[f] !== "string") error(Ebadarg);
  for (const f of NUMBERS) if (w[f] !== undefined && !Number.isInteger(w[f])) error(Ebadarg);
  if (w.qid !== undefined && !isqid(w.qid)) error(Ebadarg);
  if (w.name !== undefined) checkelem(w.name);
  return w;
}

/** The fields that have a value, each read once: what is undefined leaves alone, what throws is bad. */
function given(d: Wstat): Wstat {
  try {
    const { qid } = d;
    const fields = [...STRINGS, ...NUMBERS].map((f) => [f, d[f]] as const);
    const w: Wstat = Object.fromEntries(fields.filter(([, v]) => v !== undefined));
    if (qid === undefined) return w;
    return { ...w, qid: { path: qid.path, vers: qid.vers, type: qid.type } };
  } catch {
    return error(Ebadarg);
  }
}

const isqid = (q: Qid): boolean =>
  typeof q.path === "bigint" && Number.isInteger(q.vers) && Number.isInteger(q.type);

/** The bytes of an entry into buf: all, or its size[2] alone (2 is returned) when buf is too small. */
function packdir(d: Dir, buf: Uint8Array): number {
  checkbytes(buf);
  if (buf.length < 2) error(Eshortstat);
  const n = sizeD2M(d);
  if (n <= buf.length) return convD2M(d, buf, 0);
  put16(buf, 0, n - 2);
  return 2;
}

export function* statraw(up: Proc, name: string, buf: Uint8Array): Task<number> {
  return packdir(yield* stat(up, name), buf);
}

export function* fstatraw(up: Proc, fd: number, buf: Uint8Array): Task<number> {
  return packdir(yield* fstat(up, fd), buf);
}

function unpackwstat(buf: Uint8Array): Wstat {
  checkbytes(buf);
  const d = convM2D(buf, 0, buf.length);
  return d === null || d.next !== buf.length ? error(Ebadstat) : dirwstat(d.dir);
}

export function* wstatraw(up: Proc, name: string, buf: Uint8Array): Task<number> {
  yield* wstat(up, name, unpackwstat(buf));
  return buf.length;
}

export function* fwstatraw(up: Proc, fd: number, buf: Uint8Array): Task<number> {
  yield* fwstat(up, fd, unpackwstat(buf));
  return buf.length;
}
