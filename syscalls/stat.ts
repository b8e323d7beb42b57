// Directory entries of files, as a Dir and as bytes: stat(2), wstat(2).

import { CMTPT, ordered } from "../kernel/chan.ts";
import { convD2M, sizeD2M } from "../kernel/abi/dir.ts";
import type { Dir, Wstat } from "../kernel/abi/dir.ts";
import { checkelem, checkuname } from "../kernel/abi/elems.ts";
import { Ebadstat, Eismtpt, Eshortstat, error } from "../kernel/abi/errors.ts";
import { checkwstat, getwstat } from "../kernel/abi/wstat.ts";
import { nameerror } from "../kernel/names/name.ts";
import { Astat, Awstat, namec } from "../kernel/names/namec.ts";
import { put16 } from "../kernel/abi/bits.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { andthen } from "../kernel/abi/answer.ts";
import type { Answer } from "../kernel/proc/rendez.ts";
import { checkbytes, checkname } from "./arg.ts";

export function stat(up: Proc, name: string): Answer<Dir> {
  checkname(name);
  return namec(up, name, Astat, null);
}

export function fstat(up: Proc, fd: number): Answer<Dir> {
  const c = up.fgrp.tochan(fd);
  return ordered(c, 0, () => c.dev.stat(up, c));
}

export function wstat(up: Proc, name: string, d: Wstat): Answer<void> {
  checkname(name);
  return namec(up, name, Awstat, checked(d));
}

export function fwstat(up: Proc, fd: number, d: Wstat): Answer<void> {
  const w = checked(d);
  const c = up.fgrp.tochan(fd, -1, true);
  if ((c.flag & CMTPT) !== 0 && w.name !== undefined) error(nameerror(c.path.toString(), Eismtpt));
  return ordered(c, 0, () => c.dev.wstat(up, c, w));
}

/** The request as every device gets it: what changes, its names as a program may give them. */
function checked(d: Wstat): Wstat {
  const w = checkwstat(d);
  // As in Plan 9, a slash by itself is for the server to judge, as is a dot.
  if (w.name !== undefined && w.name !== "/") checkelem(w.name);
  for (const f of ["uid", "gid", "muid"] as const) if (w[f] !== undefined) checkuname(f, w[f]);
  return w;
}

/** The bytes of an entry into buf: all, or its size[2] alone (2 is returned) when buf is too small. */
function packdir(d: Dir, buf: Uint8Array): number {
  checkbytes(buf);
  if (buf.length < 2) error(Eshortstat);
  const n = sizeD2M(d);
  if (n === Infinity) error(Ebadstat);
  if (n <= buf.length) return convD2M(d, buf, 0);
  put16(buf, 0, n - 2);
  return 2;
}

export function statraw(up: Proc, name: string, buf: Uint8Array): Answer<number> {
  return andthen(stat(up, name), (d) => packdir(d, buf));
}

export function fstatraw(up: Proc, fd: number, buf: Uint8Array): Answer<number> {
  return andthen(fstat(up, fd), (d) => packdir(d, buf));
}

export function wstatraw(up: Proc, name: string, buf: Uint8Array): Answer<number> {
  checkbytes(buf);
  const d = getwstat(buf);
  return andthen(wstat(up, name, d === null ? error(Ebadstat) : d), () => buf.length);
}

export function fwstatraw(up: Proc, fd: number, buf: Uint8Array): Answer<number> {
  checkbytes(buf);
  const d = getwstat(buf);
  return andthen(fwstat(up, fd, d === null ? error(Ebadstat) : d), () => buf.length);
}
