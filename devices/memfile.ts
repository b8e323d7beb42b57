// Memfile: a file or directory of device R's tree, which lives in memory. Here are its bytes, its place
// among its siblings and its permissions; the device's operations are in mem.ts.
//
// A directory has its children twice: in a Map by name, for walks, and in a list in the order they were
// made, for reading. A file that was removed keeps its link to the one before it, so that a reader who
// stood there finds the way back to the list.

import { DMDIR, QTAPPEND, QTDIR, QTEXCL, QTTMP } from "../kernel/abi/const.ts";
import type { Dir, Qid } from "../kernel/abi/dir.ts";
import { interned } from "../kernel/abi/elems.ts";
import { Efull, Etoobig, error } from "../kernel/abi/errors.ts";

/** The longest file. */
const MAXFILE: number = 2 ** 30;
/** A file keeps no more than so many times the memory of what it was cut to. */
const ROOMY = 2;
/** What a file costs beside its bytes, roughly. */
const FILECOST = 512;

const NOBYTES = new Uint8Array(0);

// What a user wants to do with a file, as bits of a mode.
export const MREAD = 4;
export const MWRITE = 2;
export const MEXEC = 1;

/** The memory that a tree may take, and has taken. */
export class Budget {
  readonly max: number;
  used = 0;

  constructor(max: number) {
    this.max = max;
  }

  get free(): number {
    return this.max - this.used;
  }

  /** Whether there is room for n bytes more, else "file system full". */
  check(n: number): void {
    if (n > 0 && n > this.free) error(Efull);
  }

  /** Takes n bytes more, or gives back with n below 0. */
  take(n: number): void {
    this.check(n);
    this.used += n;
  }
}

/** What a new file starts with. */
export type Memstart = {
  readonly name: string;
  readonly uid: string;
  readonly gid: string;
  readonly mode: number;
  readonly path: bigint;
  readonly time: number;
};

/** The bits of a mode that its qid shows. */
const qidtype = (mode: number): number => (mode >>> 24) & (QTDIR | QTAPPEND | QTEXCL | QTTMP);

export class Memfile {
  // What a stat looks at comes first, so that it lies together in the memory of the machine.
  name: string;
  uid: string;
  gid: string;
  muid: string;
  atime: number;
  mtime: number;
  /** Bytes of the file; data has room for more. */
  length = 0;
  /** The mode as 32 bits with a sign, which V8 keeps in the object; a number of 2^31 or more it does not. */
  bits: number;
  removed = false;
  /** null: it has changed since the qid was made. */
  #qid: Qid | null = null;
  /** The children of a directory by name, else null. */
  readonly children: Map<string, Memfile> | null;
  /** How many Chans have it open. */
  opens = 0;
  data: Uint8Array = NOBYTES;
  readonly parent: Memfile;
  /** The directory among the children that was asked for last: names that follow each other often begin alike. */
  #met: Memfile | null = null;
  /** The list of the parent's children. */
  next: Memfile | null = null;
  prev: Memfile | null = null;
  /** The list of the children. */
  first: Memfile | null = null;
  last: Memfile | null = null;
  readonly #budget: Budget;
  readonly #path: bigint;
  #vers = 0;

  /** Makes a file, which enter() then puts into its directory; the root, without one, is its own parent. */
  constructor(budget: Budget, parent: Memfile | null, s: Memstart) {
    this.#budget = budget;
    this.parent = parent ?? this;
    this.name = interned(s.name);
    this.uid = s.uid;
    this.gid = s.gid;
    this.muid = s.uid;
    this.bits = s.mode | 0;
    this.atime = this.mtime = s.time;
    this.children = (s.mode & DMDIR) === 0 ? null : new Map();
    this.#path = s.path;
  }

  get mode(): number {
    return this.bits >>> 0;
  }

  /** The same object as long as neither version nor type change. */
  get qid(): Qid {
    return (this.#qid ??= { path: this.#path, vers: this.#vers, type: qidtype(this.bits) });
  }

  /** Whether user may do what MREAD, MWRITE and MEXEC say. */
  may(user: string, want: number): boolean {
    const { bits } = this;
    let perm = bits & 7;
    if (user === this.gid) perm |= (bits >> 3) & 7;
    if (user === this.uid) perm |= (bits >> 6) & 7;
    return (perm & want) === want;
  }

  dir(type: number): Dir {
    return {
      type,
      dev: 0,
      qid: this.qid,
      mode: this.mode,
      atime: this.atime,
      mtime: this.mtime,
      length: this.length,
      name: this.name,
      uid: this.uid,
      gid: this.gid,
      muid: this.muid,
    };
  }

  /** Its contents, or a directory's entries, were changed. */
  changed(user: string, time: number): void {
    this.#vers = (this.#vers + 1) >>> 0;
    this.#qid = null;
    this.muid = user;
    this.mtime = time;
  }

  chmod(mode: number): void {
    this.bits = mode | 0;
    this.#qid = null;
  }

  /** The child called name. */
  child(name: string): Memfile | undefined {
    const met = this.#met;
    if (met !== null && met.name === name) return met;
    const f = this.children?.get(name);
    if (f !== undefined && f.children !== null) this.#met = f;
    return f;
  }

  /** Puts a new child at the end of the list. */
  enter(f: Memfile): void {
    this.#budget.take(FILECOST + f.name.length);
    this.children?.set(f.name, f);
    f.prev = this.last;
    if (this.last === null) this.first = f;
    else this.last.next = f;
    this.last = f;
  }

  /** Takes a child out and lets its bytes go. */
  leave(f: Memfile): void {
    this.children?.delete(f.name);
    this.#met = null;
    if (f.prev === null) this.first = f.next;
    else f.prev.next = f.next;
    if (f.next === null) this.last = f.prev;
    else f.next.prev = f.prev;
    f.removed = true;
    f.setlength(0);
    this.#budget.take(-(FILECOST + f.name.length));
  }

  /** Gives a child, which keeps its place in the list, another name. */
  rename(f: Memfile, name: string): void {
    this.#budget.take(name.length - f.name.length);
    this.children?.delete(f.name);
    f.name = interned(name);
    this.children?.set(f.name, f);
  }

  /** The child behind f, also when f was removed meanwhile; null means before the first. */
  after(f: Memfile | null): Memfile | null {
    let at = f;
    while (at !== null && at.removed) at = at.prev;
    return at === null ? this.first : at.next;
  }

  /** Fills buf from offset on. */
  read(buf: Uint8Array, offset: number): number {
    const n = Math.min(buf.length, this.length - offset);
    if (n <= 0) return 0;
    // A read of the whole file needs no view of its part.
    const { data } = this;
    buf.set(n === data.length ? data : data.subarray(offset, offset + n));
    return n;
  }

  /** Writes bytes at offset; what is between the end and there becomes zeros. */
  write(bytes: Uint8Array, offset: number): void {
    // No bytes lengthen nothing, wherever they are written.
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    if (end > this.length) this.#room(end);
    this.data.set(bytes, offset);
    if (end > this.length) this.length = end;
  }

  /** Cuts the file, or makes it longer with zeros. */
  setlength(n: number): void {
    if (n > this.length) this.#room(n);
    else if (this.data.length > ROOMY * n) this.#shrink(n);
    else this.data.fill(0, n, this.length);
    this.length = n;
  }

  /** Gives back the memory behind the first n bytes. */
  #shrink(n: number): void {
    const data = n === 0 ? NOBYTES : this.data.slice(0, n);
    this.#budget.take(data.length - this.data.length);
    this.data = data;
  }

  /** How many bytes more it needs to be n long. */
  need(n: number): number {
    if (n > MAXFILE) error(Etoobig);
    return Math.max(0, n - this.data.length);
  }

  /** Makes room for n bytes: twice what there was, if that may be. */
  #room(n: number): void {
    if (this.need(n) === 0) return;
    const have = this.data.length;
    const twice = Math.min(MAXFILE, Math.max(n, 2 * have));
    const size = twice - have <= this.#budget.free ? twice : n;
    this.#budget.take(size - have);
    const data = new Uint8Array(size);
    data.set(this.data.subarray(0, this.length));
    this.data = data;
  }
}
