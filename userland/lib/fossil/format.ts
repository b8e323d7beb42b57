// What is on the disk, to the byte. The disk is a file:
//
//	0       root slot 0: a root, 512 bytes
//	4096    root slot 1: the root that was written before or after it
//	65536   blocks
//
// A block is a node of the tree or a piece of a file. A pointer to it is its name: the sha-256 of its bytes,
// with the place where it lies and the generation that wrote it. A block is never written over while a root
// that is in force leads to it. So a crash leaves a whole tree: the one of the last root that was written.
//
// Integers are little-endian, like 9P's. Places are counted in granules of 512 bytes.

import {
  get16,
  get32,
  get8,
  getoffset,
  put16,
  put32,
  putoffset,
} from "../../../kernel/abi/bits.ts";
import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";

/** Bytes of a granule: a block starts at a multiple of it. */
export const GRANULE = 512;
/** The first granule of the blocks. */
export const FIRST: number = 65536 / GRANULE;
/** Bytes of a file that one block holds. */
export const DSIZE = 65536;
/** A node of more bytes than this is split. */
export const NODESIZE = 8192;
/** Bytes of a pointer. */
export const PTRSIZE = 48;
/** The version of this format. A disk of another one is refused. */
export const FORMAT = 1;
/** Bytes of a root slot. */
export const ROOTSIZE = 512;

const HASHSIZE = 32;
const MAGIC = utfencode("namec fossil\n\0\0\0");

/**
 * Gives the sha-256 of some bytes. The host gives its own, which is fast; a page has a library's.
 *
 * @param bytes what is hashed
 * @returns 32 bytes
 * @example
 * ```ts
 * const hash: Hash = (bytes) => createHash("sha256").update(bytes).digest();
 * ```
 */
export type Hash = (bytes: Uint8Array) => Uint8Array;

/** A block's name: the hash of its bytes, where it lies, how long it is, and the generation that wrote it. */
export type Ptr = {
  readonly hash: Uint8Array;
  /** In granules. */
  readonly addr: number;
  /** In bytes. */
  readonly len: number;
  readonly birth: number;
};

/** What a root slot holds. */
export type Root = {
  /** Each root that is written has the next number. */
  readonly gen: number;
  /** The tree; null when there is nothing in it. */
  readonly tree: Ptr | null;
  /** The next number for a file. */
  readonly nextid: number;
  /** Seconds since 1970. */
  readonly time: number;
  /** Which granules are taken, where the server that wrote this ended in order; null after a crash. */
  readonly space: Ptr | null;
};

/** Granules that len bytes take. */
export const granules = (len: number): number => Math.ceil(len / GRANULE);

/** Writes a pointer and returns the offset behind it. */
export function putptr(buf: Uint8Array, o: number, p: Ptr | null): number {
  if (p === null) {
    buf.fill(0, o, o + PTRSIZE);
    return o + PTRSIZE;
  }
  buf.set(p.hash, o);
  put48(buf, o + HASHSIZE, p.addr);
  put32(buf, o + HASHSIZE + 6, p.len);
  put48(buf, o + HASHSIZE + 10, p.birth);
  return o + PTRSIZE;
}

/** Reads a pointer; one of all zeros is null. */
export function getptr(buf: Uint8Array, o: number): Ptr | null {
  const addr = get48(buf, o + HASHSIZE);
  if (addr === 0) return null;
  return {
    hash: buf.slice(o, o + HASHSIZE),
    addr,
    len: get32(buf, o + HASHSIZE + 6),
    birth: get48(buf, o + HASHSIZE + 10),
  };
}

function put48(buf: Uint8Array, o: number, v: number): void {
  put32(buf, o, v);
  put16(buf, o + 4, Math.floor(v / 2 ** 32));
}

const get48 = (buf: Uint8Array, o: number): number => get32(buf, o) + get16(buf, o + 4) * 2 ** 32;

/** Whether two hashes are the same. */
export function samehash(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < HASHSIZE; i++) if (a[i] !== b[i]) return false;
  return true;
}

const SUM: number = ROOTSIZE - HASHSIZE;

/** The bytes of a root slot; they end with their own hash. */
export function packroot(r: Root, hash: Hash): Uint8Array {
  const buf = new Uint8Array(ROOTSIZE);
  buf.set(MAGIC, 0);
  let o = put32(buf, MAGIC.length, FORMAT);
  o = putoffset(buf, o, r.gen);
  o = putptr(buf, o, r.tree);
  o = putoffset(buf, o, r.nextid);
  o = put32(buf, o, r.time);
  putptr(buf, o, r.space);
  buf.set(hash(buf.subarray(0, SUM)), SUM);
  return buf;
}

/** What is in a root slot: a root, the number of a format that is not ours, or null where neither is whole. */
export function unpackroot(buf: Uint8Array, hash: Hash): Root | number | null {
  if (MAGIC.some((b, i) => buf[i] !== b)) return null;
  let o = MAGIC.length;
  const format = get32(buf, o);
  if (format !== FORMAT) return format;
  if (!samehash(hash(buf.subarray(0, SUM)), buf.subarray(SUM))) return null;
  o += 4;
  const gen = getoffset(buf, o);
  const tree = getptr(buf, o + 8);
  o += 8 + PTRSIZE;
  const nextid = getoffset(buf, o);
  return { gen, tree, nextid, time: get32(buf, o + 8), space: getptr(buf, o + 12) };
}

/** A file or directory, as its directory has it. */
export type Entry = {
  /** Its number: qid.path. */
  readonly id: number;
  /** Its pieces are those of this number, which changes when the file is cut to nothing. */
  readonly data: number;
  readonly vers: number;
  readonly mode: number;
  readonly atime: number;
  readonly mtime: number;
  readonly length: number;
  readonly name: string;
  readonly uid: string;
  readonly gid: string;
  readonly muid: string;
  /** All bytes of a short file; null where they are in blocks. */
  readonly inline: Uint8Array | null;
};

/** The longest file whose bytes are in its entry. */
export const INLINE = 1024;

/** The generation that a root claims whose hash is wrong; null where its beginning is not that of a root. */
export function rootgen(buf: Uint8Array): number | null {
  const ours = MAGIC.every((b, i) => buf[i] === b) && get32(buf, MAGIC.length) === FORMAT;
  return ours ? getoffset(buf, MAGIC.length + 4) : null;
}

/** A snapshot: a root that is kept. */
export type Snap = {
  /** "2026/1127/0930" or, in the archive, "2026/1127". */
  readonly name: string;
  /** It is in the archive. */
  readonly archive: boolean;
  /** The generation that it keeps. */
  readonly gen: number;
  /** Its tree. @internal */
  readonly tree: Ptr | null;
  /** When it was made, in seconds since 1970. */
  readonly time: number;
};

/** What a leaf may hold, by the kind in its key. */
export type Value = Entry | Snap | Ptr | readonly number[] | null;

/** Kinds of keys: a key is (number * 8 + kind, sub). */
export const KENTRY = 0; // (directory, file): an Entry
export const KNAME = 1; // (directory, hash of a name): the files that have such a name
export const KDATA = 2; // (data, block): a Ptr
export const KSNAP = 3; // (0, number of the snapshot): a Snap
export const KORPHAN = 4; // (0, data): null; pieces that no file has any more

/** The first half of a key. */
export const key1 = (id: number, kind: number): number => id * 8 + kind;
/** The kind in it. */
export const kindof = (k1: number): number => k1 % 8;

/** Bytes that a value takes. */
export function valuesize(kind: number, v: Value): number {
  switch (kind) {
    case KENTRY:
      return entrysize(v as Entry);
    case KNAME:
      return 2 + 8 * (v as readonly number[]).length;
    case KDATA:
      return PTRSIZE;
    case KSNAP:
      return 2 + 8 + 1 + 4 + PTRSIZE + utfencode((v as Snap).name).length;
    default:
      return 0;
  }
}

/** The strings of an entry are nearly always ASCII, whose bytes need no counting. */
const entrysize = (e: Entry): number =>
  8 * 3 +
  4 * 4 +
  2 * 4 +
  3 +
  strsize(e.name) +
  strsize(e.uid) +
  strsize(e.gid) +
  strsize(e.muid) +
  (e.inline?.length ?? 0);

function strsize(s: string): number {
  for (let i = 0; i < s.length; i++) if (s.charCodeAt(i) > 0x7f) return utfencode(s).length;
  return s.length;
}

/** Writes a value and returns the offset behind it. */
export function putvalue(buf: Uint8Array, o: number, kind: number, v: Value): number {
  switch (kind) {
    case KENTRY:
      return putentry(buf, o, v as Entry);
    case KNAME: {
      const ids = v as readonly number[];
      let at = put16(buf, o, ids.length);
      for (const id of ids) at = putoffset(buf, at, id);
      return at;
    }
    case KDATA:
      return putptr(buf, o, v as Ptr);
    case KSNAP: {
      const s = v as Snap;
      let at = putstring(buf, o, s.name);
      at = putoffset(buf, at, s.gen);
      buf[at++] = s.archive ? 1 : 0;
      at = put32(buf, at, s.time);
      return putptr(buf, at, s.tree);
    }
    default:
      return o;
  }
}

function putentry(buf: Uint8Array, o: number, e: Entry): number {
  let at = putoffset(buf, o, e.id);
  at = putoffset(buf, at, e.data);
  at = put32(buf, at, e.vers);
  at = put32(buf, at, e.mode);
  at = put32(buf, at, e.atime);
  at = put32(buf, at, e.mtime);
  at = putoffset(buf, at, e.length);
  for (const s of [e.name, e.uid, e.gid, e.muid]) at = putstring(buf, at, s);
  buf[at++] = e.inline === null ? 0 : 1;
  at = put16(buf, at, e.inline?.length ?? 0);
  if (e.inline !== null) buf.set(e.inline, at);
  return at + (e.inline?.length ?? 0);
}

function putstring(buf: Uint8Array, o: number, s: string): number {
  const bytes = utfencode(s);
  buf.set(bytes, put16(buf, o, bytes.length));
  return o + 2 + bytes.length;
}

/** A value, which may look at these bytes from then on, and the offset behind it. Throws RangeError where the bytes are none. */
export function getvalue(buf: Uint8Array, o: number, kind: number): [Value, number] {
  switch (kind) {
    case KENTRY:
      return getentry(buf, o);
    case KNAME: {
      const n = get16(buf, o);
      const ids: number[] = [];
      for (let i = 0; i < n; i++) ids.push(getoffset(buf, o + 2 + 8 * i));
      return [ids, o + 2 + 8 * n];
    }
    case KDATA:
      return [getptr(buf, o), o + PTRSIZE];
    case KSNAP: {
      const [name, at] = getstring(buf, o);
      const snap = {
        name,
        gen: getoffset(buf, at),
        archive: get8(buf, at + 8) === 1,
        time: get32(buf, at + 9),
        tree: getptr(buf, at + 13),
      };
      return [snap, at + 13 + PTRSIZE];
    }
    case KORPHAN:
      return [null, o];
    default:
      throw new RangeError(`key of kind ${kind}`);
  }
}

/** The offset behind a value. Throws RangeError where the bytes are none. */
export function behindvalue(buf: Uint8Array, o: number, kind: number): number {
  let at = o;
  switch (kind) {
    case KENTRY:
      at += 40;
      for (let i = 0; i < 4; i++) at += 2 + get16(buf, at);
      at += 3 + get16(buf, at + 1);
      break;
    case KNAME:
      at += 2 + 8 * get16(buf, o);
      break;
    case KDATA:
      at += PTRSIZE;
      break;
    case KSNAP:
      at += 2 + get16(buf, o) + 13 + PTRSIZE;
      break;
    case KORPHAN:
      break;
    default:
      throw new RangeError(`key of kind ${kind}`);
  }
  if (!(at <= buf.length)) throw new RangeError("value beyond the block");
  return at;
}

function getentry(buf: Uint8Array, o: number): [Entry, number] {
  const [name, uidat] = getstring(buf, o + 40);
  const [uid, gidat] = getstring(buf, uidat);
  const [gid, muidat] = getstring(buf, gidat);
  const [muid, at] = getstring(buf, muidat);
  const n = get16(buf, at + 1);
  const e = {
    id: getoffset(buf, o),
    data: getoffset(buf, o + 8),
    vers: get32(buf, o + 16),
    mode: get32(buf, o + 20),
    atime: get32(buf, o + 24),
    mtime: get32(buf, o + 28),
    length: getoffset(buf, o + 32),
    name,
    uid: known(uid),
    gid: known(gid),
    muid: known(muid),
    inline: get8(buf, at) === 0 ? null : buf.subarray(at + 3, at + 3 + n),
  };
  return [e, at + 3 + n];
}

/** Names of users that were seen: the entries of all files share them. */
const KNOWN = 1000;
const users = new Map<string, string>();

function known(user: string): string {
  const same = users.get(user);
  if (same !== undefined) return same;
  if (users.size >= KNOWN) users.clear();
  users.set(user, user);
  return user;
}

function getstring(buf: Uint8Array, o: number): [string, number] {
  const end = o + 2 + get16(buf, o);
  if (!(end <= buf.length)) throw new RangeError("string beyond the block");
  return [utfdecode(buf, o + 2, end), end];
}
