// Qids and directory entries, stat(5), and their bytes. An entry on the wire is
//
//	size[2] type[2] dev[4] qid[13] mode[4] atime[4] mtime[4] length[8] name[s] uid[s] gid[s] muid[s]
//
// where size counts what follows it. In the entry of a wstat a number of all ones, and an empty
// string, mean "leave this alone". What a name may hold is in elems.ts.

import { get16, get32, get64, get8, getoffset, isones } from "./bits.ts";
import { put16, put32, put64, putoffset } from "./bits.ts";
import { QIDSZ, STATFIXLEN, STATMAX } from "./const.ts";
import { putstr, strend, utfdecode, utflen } from "./utf.ts";

/** What a server says a file is: two of its files are the same if, and only if, their qid.paths are. */
export type Qid = {
  /** Which file: no two files of a server have the same. */
  readonly path: bigint;
  /** Which version of the file: a write raises it. */
  readonly vers: number;
  /** QTDIR and its like. */
  readonly type: number;
};

/** A directory entry. type and dev are the kernel's: the device's letter as a number, and which of those. */
export type Dir = {
  /** QTDIR and its like. */
  readonly type: number;
  /** Which instance of the device or connection. */
  readonly dev: number;
  /** What the server says that the file is. */
  readonly qid: Qid;
  /** Permissions and DMDIR and its like. */
  readonly mode: number;
  /** When it was read last, in seconds since 1970. */
  readonly atime: number;
  /** When it was changed last, in seconds since 1970. */
  readonly mtime: number;
  /** At most MAXOFFSET; above it TOOBIG; -1 is the "leave this alone" of wstat. */
  readonly length: number;
  /** The last element of its name. */
  readonly name: string;
  /** Its owner. */
  readonly uid: string;
  /** Its group. */
  readonly gid: string;
  /** Who changed it last. */
  readonly muid: string;
};

/** What a wstat changes: the fields that are there. */
export type Wstat = Partial<Dir>;

const ONES16 = 0xffff;
const ONES32 = 0xffffffff;
const ONES64 = 0xffff_ffff_ffff_ffffn;

/** The entry that leaves everything alone. */
export function nulldir(): Dir {
  return {
    type: ONES16,
    dev: ONES32,
    qid: { path: ONES64, vers: ONES32, type: 0xff },
    mode: ONES32,
    atime: ONES32,
    mtime: ONES32,
    length: -1,
    name: "",
    uid: "",
    gid: "",
    muid: "",
  };
}

/** The entry that asks for these changes and leaves the rest alone. */
export function wstatdir(w: Wstat): Dir {
  return { ...nulldir(), ...w };
}

/** Whether a number is one: what is absent, all ones, and -1 (which ~0 is) leave alone. */
const says = (v: number | undefined, ones: number): v is number =>
  v !== undefined && v !== ones && v !== -1;

const names = (v: string | undefined): v is string => v !== undefined && v !== "";

const isnullqid = (q: Qid): boolean => q.path === ONES64 && q.vers === ONES32 && q.type === 0xff;

/** The changes that an entry, or what a program gave in its place, asks for: here is what "leave alone" is. */
export function dirwstat(d: Wstat): Wstat {
  return {
    ...(says(d.type, ONES16) && { type: d.type }),
    ...(says(d.dev, ONES32) && { dev: d.dev }),
    ...(d.qid !== undefined && !isnullqid(d.qid) && { qid: d.qid }),
    ...(says(d.mode, ONES32) && { mode: d.mode }),
    ...(says(d.atime, ONES32) && { atime: d.atime }),
    ...(says(d.mtime, ONES32) && { mtime: d.mtime }),
    ...(says(d.length, -1) && { length: d.length }),
    ...(names(d.name) && { name: d.name }),
    ...(names(d.uid) && { uid: d.uid }),
    ...(names(d.gid) && { gid: d.gid }),
    ...(names(d.muid) && { muid: d.muid }),
  };
}

/** The bytes that convD2M writes; Infinity for an entry that is too long for stat(5), which fits nowhere. */
export function sizeD2M(d: Dir): number {
  const n = STATFIXLEN + utflen(d.name) + utflen(d.uid) + utflen(d.gid) + utflen(d.muid);
  return n > STATMAX ? Infinity : n;
}

/** Writes an entry at off and returns the offset behind it, or -1 if it does not fit buf or stat(5). */
export function convD2M(d: Dir, buf: Uint8Array, off: number): number {
  let o = put16(buf, off + 2, d.type);
  o = put32(buf, o, d.dev);
  o = putqid(buf, o, d.qid);
  o = put32(buf, o, d.mode);
  o = put32(buf, o, d.atime);
  o = put32(buf, o, d.mtime);
  o = putoffset(buf, o, d.length);
  o = putstr(buf, o, d.name);
  o = putstr(buf, o, d.uid);
  o = putstr(buf, o, d.gid);
  o = putstr(buf, o, d.muid);
  if (o > buf.length || o - off > STATMAX) return -1;
  put16(buf, off, o - off - 2);
  return o;
}

/**
 * Reads the entry that starts at off; next is the offset behind it, where a directory's next entry
 * starts. null if it is not whole within end, or its inner sizes disagree with its size.
 */
export function convM2D(
  buf: Uint8Array,
  off: number,
  end: number,
): { dir: Dir; next: number } | null {
  const next = statend(buf, off, end);
  if (next < 0) return null;
  const oname = off + STATFIXLEN - 8;
  const ouid = strend(buf, oname, next);
  const ogid = strend(buf, ouid, next);
  const omuid = strend(buf, ogid, next);
  const dir = {
    type: get16(buf, off + 2),
    dev: get32(buf, off + 4),
    qid: getqid(buf, off + 8),
    mode: get32(buf, off + 21),
    atime: get32(buf, off + 25),
    mtime: get32(buf, off + 29),
    length: isones(buf, off + 33) ? -1 : getoffset(buf, off + 33),
    name: utfdecode(buf, oname + 2, ouid),
    uid: utfdecode(buf, ouid + 2, ogid),
    gid: utfdecode(buf, ogid + 2, omuid),
    muid: utfdecode(buf, omuid + 2, next),
  };
  return { dir, next };
}

/** Whether [off, end) is exactly one well-formed entry. */
export function statcheck(buf: Uint8Array, off: number, end: number): boolean {
  return statend(buf, off, end) === end;
}

/** The offset behind the entry at off, or -1 if it is malformed or reaches past end. */
function statend(buf: Uint8Array, off: number, end: number): number {
  if (off < 0 || end > buf.length || off + STATFIXLEN > end) return -1;
  const next = off + 2 + get16(buf, off);
  if (next > end) return -1;
  let o = off + STATFIXLEN - 8;
  for (let i = 0; i < 4; i++) o = strend(buf, o, next);
  return o === next ? next : -1;
}

/** Reads a qid. */
export function getqid(buf: Uint8Array, o: number): Qid {
  return { path: get64(buf, o + 5), vers: get32(buf, o + 1), type: get8(buf, o) };
}

/** Writes a qid and returns the offset behind it. */
export function putqid(buf: Uint8Array, o: number, q: Qid): number {
  buf[o] = q.type;
  put32(buf, o + 1, q.vers);
  put64(buf, o + 5, q.path);
  return o + QIDSZ;
}
