// The request of a wstat, checked: from an object that a program gave, or from the bytes of an entry. Every
// device and server is given what checkwstat returns: the fields that change, of the right kinds and in
// their ranges. Whether a change is allowed is for the device to say, what a name may hold for elems.ts.

import { MAXOFFSET } from "./const.ts";
import { convM2D, dirwstat } from "./dir.ts";
import type { Dir, Qid, Wstat } from "./dir.ts";
import { Ebadarg, error } from "./errors.ts";

const STRINGS = ["name", "uid", "gid", "muid"] as const;
const MAX32 = 2 ** 32 - 1;

/** The largest value of each number; the least is 0. */
const LIMITS = {
  type: 0xffff,
  dev: MAX32,
  mode: MAX32,
  atime: MAX32,
  mtime: MAX32,
  length: MAXOFFSET,
} as const;
const NUMBERS = Object.keys(LIMITS) as readonly (keyof typeof LIMITS)[];

/**
 * What a program asks a wstat to change, each field read once. A field that leaves alone is absent from the
 * result; one of the wrong kind, or a number that is no integer of its range, is "bad arg in system call".
 *
 *	{ name: "", mode: 0o644, length: -1 } -> { mode: 0o644 }
 */
export function checkwstat(d: Wstat): Wstat {
  if (typeof d !== "object" || d === null) return error(Ebadarg);
  const w = dirwstat(given(d));
  for (const f of STRINGS) if (w[f] !== undefined && typeof w[f] !== "string") error(Ebadarg);
  for (const f of NUMBERS) if (w[f] !== undefined && !within(w[f], LIMITS[f])) error(Ebadarg);
  if (w.qid !== undefined && !isqid(w.qid)) error(Ebadarg);
  return w;
}

/** The first field that checkwstat refuses; null for none. It may throw, as the object may. */
export function badfield(d: unknown): string | null {
  const w: Wstat = Object(d) as Wstat;
  for (const f of [...STRINGS, ...NUMBERS, "qid"] as const) {
    try {
      checkwstat({ [f]: w[f] });
    } catch {
      return f;
    }
  }
  return null;
}

/** The same of the entry that is exactly buf; null when it is malformed. */
export function getwstat(buf: Uint8Array): Wstat | null {
  const d = convM2D(buf, 0, buf.length);
  return d === null || d.next !== buf.length ? null : checkwstat(d.dir);
}

const within = (v: unknown, max: number): boolean =>
  typeof v === "number" && Number.isInteger(v) && v >= 0 && v <= max;

const isqid = (q: Qid): boolean =>
  typeof q.path === "bigint" &&
  BigInt.asUintN(64, q.path) === q.path &&
  within(q.vers, MAX32) &&
  within(q.type, 0xff);

/** The fields as they are now; an object that throws when it is read is a bad argument. */
function given(d: Wstat): Wstat {
  try {
    if (Array.isArray(d) || ArrayBuffer.isView(d) || d instanceof Promise) error(Ebadarg);
    const { qid, ...rest } = fields(d);
    if (qid === undefined) return rest;
    return { ...rest, qid: { path: qid.path, vers: qid.vers, type: qid.type } };
  } catch {
    return error(Ebadarg);
  }
}

function fields(d: Wstat): Partial<Dir> {
  const names = [...STRINGS, ...NUMBERS, "qid"] as const;
  return Object.fromEntries(
    names.map((f) => [f, d[f]] as const).filter(([, v]) => v !== undefined),
  );
}
