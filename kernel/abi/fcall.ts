// 9P messages: their types, and the one codec of both sides, written from intro(5). A message is a
// frame of bytes, size[4] type[1] tag[2] ..., integers little-endian, strings len[2] and bytes.
//
// convS2M writes a frame into the caller's buffer; convM2S reads one, and its data and stat are views
// of that buffer, good for as long as the bytes are. What is right in form but makes no sense (a name
// with '/' or NUL in it, an unknown fid) is for the callers to refuse. Tags are elsewhere, and so are
// frames: a reader looks at framesize, waits for that many bytes, and decodes them.

import { get16, get32, get8, getoffset, isones, put16, put32, putoffset } from "./bits.ts";
import { MAXWELEM, QIDSZ, STATMAX, STRMAX, TOOBIG } from "./const.ts";
import { type Qid, getqid, putqid } from "./dir.ts";
import { putstr, strend, utfdecode, utflen } from "./utf.ts";

export const Tversion = 100;
export const Rversion = 101;
export const Tauth = 102;
export const Rauth = 103;
export const Tattach = 104;
export const Rattach = 105;
export const Rerror = 107;
export const Tflush = 108;
export const Rflush = 109;
export const Twalk = 110;
export const Rwalk = 111;
export const Topen = 112;
export const Ropen = 113;
export const Tcreate = 114;
export const Rcreate = 115;
export const Tread = 116;
export const Rread = 117;
export const Twrite = 118;
export const Rwrite = 119;
export const Tclunk = 120;
export const Rclunk = 121;
export const Tremove = 122;
export const Rremove = 123;
export const Tstat = 124;
export const Rstat = 125;
export const Twstat = 126;
export const Rwstat = 127;
export const Tstream = 128;
export const Rstream = 129;

type Tagged<T extends number> = { readonly type: T; readonly tag: number };
type Tfid<T extends number> = Tagged<T> & { readonly fid: number };
type Versioned<T extends number> = Tagged<T> & { readonly msize: number; readonly version: string };
type Authed = { readonly afid: number; readonly uname: string; readonly aname: string };
type Ropened<T extends number> = Tagged<T> & { readonly qid: Qid; readonly iounit: number };
type Rdata<T extends number> = Tagged<T> & { readonly data: Uint8Array };

/**
 * A request. The count of a message with data is data.length, and nwname is wname.length. An offset
 * is at most MAXOFFSET, or TOOBIG where the wire says more. The count of a Tstream is Infinity for
 * "to the end"; TOOBIG from 2^63 on; and Infinity too between MAXOFFSET and that, which no file uses up.
 */
export type Tmsg =
  | Versioned<typeof Tversion>
  | (Tagged<typeof Tauth> & Authed)
  | (Tfid<typeof Tattach> & Authed)
  | (Tagged<typeof Tflush> & { readonly oldtag: number })
  | (Tfid<typeof Twalk> & { readonly newfid: number; readonly wname: readonly string[] })
  | (Tfid<typeof Topen> & { readonly mode: number })
  | (Tfid<typeof Tcreate> & { readonly name: string; readonly perm: number; readonly mode: number })
  | (Tfid<typeof Tread> & { readonly offset: number; readonly count: number })
  | (Tfid<typeof Twrite> & { readonly offset: number; readonly data: Uint8Array })
  | Tfid<typeof Tclunk>
  | Tfid<typeof Tremove>
  | Tfid<typeof Tstat>
  | (Tfid<typeof Twstat> & { readonly stat: Uint8Array })
  | (Tfid<typeof Tstream> & { readonly offset: number; readonly count: number });

/** A request that begins a connection. */
type Beginning = Extract<Tmsg, { readonly type: typeof Tversion | typeof Tauth | typeof Tattach }>;

/** A reply. */
export type Rmsg =
  | Versioned<typeof Rversion>
  | (Tagged<typeof Rauth> & { readonly aqid: Qid })
  | (Tagged<typeof Rattach> & { readonly qid: Qid })
  | (Tagged<typeof Rerror> & { readonly ename: string })
  | Tagged<typeof Rflush>
  | (Tagged<typeof Rwalk> & { readonly wqid: readonly Qid[] })
  | Ropened<typeof Ropen>
  | Ropened<typeof Rcreate>
  | Rdata<typeof Rread>
  | (Tagged<typeof Rwrite> & { readonly count: number })
  | Tagged<typeof Rclunk>
  | Tagged<typeof Rremove>
  | (Tagged<typeof Rstat> & { readonly stat: Uint8Array })
  | Tagged<typeof Rwstat>
  | Rdata<typeof Rstream>;

/** Any message. */
export type Fcall = Tmsg | Rmsg;

// Bytes of each message with its strings, lists and data empty, from Tversion on: where there are
// such, negated. 0 is no message.
// prettier-ignore
const SIZES: readonly number[] = [
  -13, -13, -15, 20, -19, 20, 0, -9, 9, 7, // version auth attach error flush
  -17, -9, 12, 24, -18, 24, 23, -11, -23, 11, // walk open create read write
  11, 7, 11, 7, 11, -9, -13, 7, // clunk remove stat wstat
  27, -11, // stream
];

/** Whether a message is a request: those have the even types. */
export function isT(f: Fcall): f is Tmsg {
  return (f.type & 1) === 0;
}

/** The size[4] of the frame at off, which buf must have, itself included. It may be any nonsense. */
export function framesize(buf: Uint8Array, off: number): number {
  return get32(buf, off);
}

/** The bytes that convS2M writes; Infinity for a message that the fields of the wire cannot hold. */
export function sizeS2M(f: Fcall): number {
  let n = Math.abs(SIZES[f.type - Tversion] ?? 0);
  switch (f.type) {
    case Tversion:
    case Rversion:
      return n + sizestr(f.version);
    case Tauth:
    case Tattach:
      return n + sizestr(f.uname) + sizestr(f.aname);
    case Rerror:
      return n + sizestr(f.ename);
    case Twalk:
      if (f.wname.length > MAXWELEM) return Infinity;
      for (const name of f.wname) n += 2 + sizestr(name);
      return n;
    case Rwalk:
      return f.wqid.length > MAXWELEM ? Infinity : n + f.wqid.length * QIDSZ;
    case Tcreate:
      return n + sizestr(f.name);
    case Rread:
    case Twrite:
    case Rstream:
      return n + f.data.length;
    case Rstat:
    case Twstat:
      return f.stat.length > STATMAX ? Infinity : n + f.stat.length;
    default:
      return n;
  }
}

/** The bytes of a string's text; Infinity where its len[2] cannot count them. */
function sizestr(s: string): number {
  const n = utflen(s);
  return n > STRMAX ? Infinity : n;
}

/**
 * Reads the message whose frame is exactly [off, end), or null: of an unknown type, or malformed in
 * any way. Nothing outside the frame is looked at.
 */
export function convM2S(buf: Uint8Array, off: number, end: number): Fcall | null {
  const n = end - off;
  if (n < 7 || off < 0 || end > buf.length || get32(buf, off) !== n) return null;
  const type = get8(buf, off + 4);
  const size = SIZES[type - Tversion] ?? 0;
  if (size > 0 ? n !== size : n < -size || size === 0) return null;
  return (type & 1) === 0 ? getT(buf, off, end) : getR(buf, off, end);
}

// Stores past the end of a buffer vanish: so the put functions write on, and convS2M looks once
// where they came to. What cannot be written at all returns nofit.

/**
 * Writes the frame of f at off and returns the offset behind it. It returns -1 if the frame does not fit buf, or f
 * the fields of the wire: more than 16 names, a string of more than 65535 bytes. What is behind off is then spoilt. What follows the tag is written here for a request, and in putrest for a reply; the size comes last,
 * when it is known.
 */
export function convS2M(f: Fcall, buf: Uint8Array, off: number): number {
  buf[off + 4] = f.type;
  let o = put16(buf, off + 5, f.tag);
  switch (f.type) {
    case Twalk:
      if (f.wname.length > MAXWELEM) return -1;
      put32(buf, o, f.fid);
      put32(buf, o + 4, f.newfid);
      o = put16(buf, o + 8, f.wname.length);
      for (const name of f.wname) o = putstr(buf, o, name);
      break;
    case Topen:
      buf[put32(buf, o, f.fid)] = f.mode;
      o += 5;
      break;
    case Tread:
      put32(buf, o, f.fid);
      putoffset(buf, o + 4, f.offset);
      o = put32(buf, o + 12, f.count);
      break;
    case Twrite:
      put32(buf, o, f.fid);
      putoffset(buf, o + 4, f.offset);
      o = putdata(f.data, buf, o + 12);
      break;
    case Tclunk:
    case Tstat:
    case Tremove:
      o = put32(buf, o, f.fid);
      break;
    case Tcreate:
      o = put32(buf, putstr(buf, put32(buf, o, f.fid), f.name), f.perm);
      buf[o++] = f.mode;
      break;
    case Tstream:
      put32(buf, o, f.fid);
      putoffset(buf, o + 4, f.offset);
      o = putoffset(buf, o + 12, f.count);
      break;
    case Twstat:
      o = putstat(f.stat, buf, put32(buf, o, f.fid));
      break;
    case Tflush:
      o = put16(buf, o, f.oldtag);
      break;
    default:
      o = putrest(f, buf, o);
  }
  if (o > buf.length) return -1;
  put32(buf, off, o - off);
  return o;
}

function nofit(buf: Uint8Array): number {
  return buf.length + 1;
}

/** What follows the tag of a reply, or of a request that begins a connection. */
function putrest(f: Rmsg | Beginning, buf: Uint8Array, o: number): number {
  switch (f.type) {
    case Rread:
    case Rstream:
      return putdata(f.data, buf, o);
    case Rstat:
      return putstat(f.stat, buf, o);
    case Rwrite:
      return put32(buf, o, f.count);
    case Rclunk:
    case Rremove:
    case Rwstat:
    case Rflush:
      return o;
    case Rwalk: {
      if (f.wqid.length > MAXWELEM) return nofit(buf);
      o = put16(buf, o, f.wqid.length);
      for (const qid of f.wqid) o = putqid(buf, o, qid);
      return o;
    }
    case Ropen:
    case Rcreate:
      return put32(buf, putqid(buf, o, f.qid), f.iounit);
    case Rerror:
      return putstr(buf, o, f.ename);
    case Rauth:
      return putqid(buf, o, f.aqid);
    case Rattach:
      return putqid(buf, o, f.qid);
    case Tauth:
      return putnames(f, buf, o);
    case Tattach:
      return putnames(f, buf, put32(buf, o, f.fid));
    case Tversion:
    case Rversion:
      return putstr(buf, put32(buf, o, f.msize), f.version);
  }
}

function putnames(f: Authed, buf: Uint8Array, o: number): number {
  return putstr(buf, putstr(buf, put32(buf, o, f.afid), f.uname), f.aname);
}

/** So many bytes are copied one by one: a call of set takes longer. */
const FEW = 16;

function putdata(data: Uint8Array, buf: Uint8Array, o: number): number {
  const n = data.length;
  const end = o + 4 + n;
  if (end > buf.length) return nofit(buf);
  o = put32(buf, o, n);
  if (n > FEW) buf.set(data, o);
  else for (let i = 0; i < n; i++) buf[o + i] = get8(data, i);
  return end;
}

function putstat(stat: Uint8Array, buf: Uint8Array, o: number): number {
  const end = o + 2 + stat.length;
  if (end > buf.length || stat.length > STATMAX) return nofit(buf);
  buf.set(stat, put16(buf, o, stat.length));
  return end;
}

// The get functions know that the frame is as long as its fixed part, and exactly so if it has no other.

function getT(buf: Uint8Array, off: number, end: number): Tmsg | null {
  const type = get8(buf, off + 4);
  const tag = get16(buf, off + 5);
  const o = off + 7;
  switch (type) {
    case Twalk:
      return getwalk(buf, off, end);
    case Topen:
      return { type, tag, fid: get32(buf, o), mode: get8(buf, o + 4) };
    case Tread: {
      const offset = getoffset(buf, o + 4);
      return { type, tag, fid: get32(buf, o), offset, count: get32(buf, o + 12) };
    }
    case Twrite: {
      const data = getdata(buf, o + 12, end);
      return data && { type, tag, fid: get32(buf, o), offset: getoffset(buf, o + 4), data };
    }
    case Tclunk:
    case Tstat:
    case Tremove:
      return { type, tag, fid: get32(buf, o) };
    case Tcreate: {
      const next = strend(buf, o + 4, end);
      if (next !== end - 5) return null;
      const name = utfdecode(buf, o + 6, next);
      return {
        type,
        tag,
        fid: get32(buf, o),
        name,
        perm: get32(buf, next),
        mode: get8(buf, next + 4),
      };
    }
    case Tstream: {
      const offset = getoffset(buf, o + 4);
      return { type, tag, fid: get32(buf, o), offset, count: getrun(buf, o + 12) };
    }
    case Twstat: {
      const stat = getstat(buf, o + 4, end);
      return stat && { type, tag, fid: get32(buf, o), stat };
    }
    case Tflush:
      return { type, tag, oldtag: get16(buf, o) };
    case Tversion: {
      const version = getstr(buf, o + 4, end);
      return version === null ? null : { type, tag, msize: get32(buf, o), version };
    }
    case Tauth: {
      const names = getnames(buf, o, end);
      return names && { type, tag, ...names };
    }
    case Tattach: {
      const names = getnames(buf, o + 4, end);
      return names && { type, tag, fid: get32(buf, o), ...names };
    }
    default:
      return null;
  }
}

function getR(buf: Uint8Array, off: number, end: number): Rmsg | null {
  const type = get8(buf, off + 4);
  const tag = get16(buf, off + 5);
  const o = off + 7;
  switch (type) {
    case Rwalk: {
      const n = get16(buf, o);
      if (n > MAXWELEM || o + 2 + n * QIDSZ !== end) return null;
      const wqid: Qid[] = [];
      for (let i = 0; i < n; i++) wqid.push(getqid(buf, o + 2 + i * QIDSZ));
      return { type, tag, wqid };
    }
    case Ropen:
    case Rcreate:
      return { type, tag, qid: getqid(buf, o), iounit: get32(buf, o + QIDSZ) };
    case Rread:
    case Rstream: {
      const data = getdata(buf, o, end);
      return data && { type, tag, data };
    }
    case Rwrite:
      return { type, tag, count: get32(buf, o) };
    case Rclunk:
    case Rremove:
    case Rwstat:
    case Rflush:
      return { type, tag };
    case Rstat: {
      const stat = getstat(buf, o, end);
      return stat && { type, tag, stat };
    }
    case Rerror: {
      const ename = getstr(buf, o, end);
      return ename === null ? null : { type, tag, ename };
    }
    case Rversion: {
      const version = getstr(buf, o + 4, end);
      return version === null ? null : { type, tag, msize: get32(buf, o), version };
    }
    case Rauth:
      return { type, tag, aqid: getqid(buf, o) };
    case Rattach:
      return { type, tag, qid: getqid(buf, o) };
    default:
      return null;
  }
}

function getwalk(buf: Uint8Array, off: number, end: number): Tmsg | null {
  const n = get16(buf, off + 15);
  if (n > MAXWELEM) return null;
  const wname: string[] = [];
  let o = off + 17;
  for (let i = 0; i < n; i++) {
    const next = strend(buf, o, end);
    if (next < 0) return null;
    wname.push(utfdecode(buf, o + 2, next));
    o = next;
  }
  if (o !== end) return null;
  const tag = get16(buf, off + 5);
  return { type: Twalk, tag, fid: get32(buf, off + 7), newfid: get32(buf, off + 11), wname };
}

function getnames(buf: Uint8Array, o: number, end: number): Authed | null {
  const next = strend(buf, o + 4, end);
  const aname = next < 0 ? null : getstr(buf, next, end);
  if (aname === null) return null;
  return { afid: get32(buf, o), uname: utfdecode(buf, o + 6, next), aname };
}

/** The string that fills [o, end). */
function getstr(buf: Uint8Array, o: number, end: number): string | null {
  return strend(buf, o, end) === end ? utfdecode(buf, o + 2, end) : null;
}

function getdata(buf: Uint8Array, o: number, end: number): Uint8Array | null {
  return o + 4 + get32(buf, o) === end ? buf.subarray(o + 4, end) : null;
}

function getstat(buf: Uint8Array, o: number, end: number): Uint8Array | null {
  return o + 2 + get16(buf, o) === end ? buf.subarray(o + 2, end) : null;
}

/** The count of a Tstream. */
function getrun(buf: Uint8Array, o: number): number {
  const count = getoffset(buf, o);
  return count === TOOBIG && (get8(buf, o + 7) < 0x80 || isones(buf, o)) ? Infinity : count;
}
