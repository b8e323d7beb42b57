// A file server as plain as can be, for the property test to compare with: a tree of files with the rules
// and the words of ramfs. Each user owns all of it, so any one bit of the permissions is enough.

import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
} from "../../kernel/abi/const.ts";
import type { Dir, Wstat } from "../../kernel/abi/dir.ts";
import {
  Edoesnotexist,
  Eexcl,
  Eexist,
  Efileexists,
  Efilename,
  Enonexist,
  Enotdir,
  Enotempty,
  Eperm,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";

/** What serves a tree. */
export type Keeper = "ramfs" | "exportfs" | "local";

/** A file or directory of a server. */
export class File {
  readonly parent: File;
  readonly isdir: boolean;
  /** What serves it: the memory tree of the machine itself, whose entries are not compared, is local. */
  readonly by: Keeper;
  readonly files: Map<string, File> = new Map();
  name: string;
  perm: number;
  data: Uint8Array = new Uint8Array(0);
  removed = false;
  opens = 0;

  constructor(parent: File | null, name: string, perm: number, by: Keeper = "ramfs") {
    this.parent = parent ?? this;
    this.name = name;
    this.perm = perm;
    this.isdir = (perm & DMDIR) !== 0;
    this.by = parent?.by ?? by;
  }

  get local(): boolean {
    return this.by === "local";
  }

  get isroot(): boolean {
    return this.parent === this;
  }

  may(bits: number): boolean {
    return (((this.perm >> 6) | (this.perm >> 3) | this.perm) & bits) === bits;
  }

  must(bits: number): void {
    if (!this.may(bits)) error(Eperm);
  }

  alive(): this {
    return this.removed ? error(Enonexist) : this;
  }

  /** What a Twalk of one name from here gives: a file, or the words of its error. */
  look(name: string): File | string {
    if (!this.isdir) return Enotdir;
    if (this.removed) return Enonexist;
    // An exportfs knows the parent of each of its directories: the files below it are not asked for "..".
    if (name === ".." && this.by === "exportfs") return this.parent;
    if (!this.parent.may(1)) return Eperm;
    return (name === ".." ? this.parent : this.files.get(name)) ?? Enonexist;
  }

  /** A whole Twalk: a file, or the failure, which says where (PlanError.at). */
  walk(names: readonly string[]): File | PlanError {
    return walkfrom(this, names);
  }

  open(mode: number): void {
    if (this.isdir && mode !== OREAD) error(Eperm);
    this.alive();
    if ((this.perm & DMEXCL) !== 0 && this.opens > 0) error(Eexcl);
    if (!this.isdir) this.#mayopen(mode);
    if ((mode & OTRUNC) !== 0 && (this.perm & DMAPPEND) === 0) this.data = new Uint8Array(0);
    this.opens++;
  }

  #mayopen(mode: number): void {
    const how = mode & 3;
    if ((mode & ORCLOSE) !== 0) this.parent.must(2);
    if (how === 1 || how === ORDWR || (mode & OTRUNC) !== 0) this.must(2);
    if (how === OREAD || how === ORDWR) this.must(4);
    if (how === OEXEC) this.must(1);
  }

  /** Makes and opens a file. */
  create(name: string, perm: number): File {
    if (name === "..") error(Efilename);
    if (!this.isdir) error(Enotdir);
    this.alive().must(2);
    if (this.files.has(name)) error(Eexist);
    const mask = (perm & DMDIR) === 0 ? 0o666 : 0o777;
    const f = new File(this, name, (perm & (~mask | this.perm)) >>> 0);
    this.files.set(name, f);
    f.opens = 1;
    return f;
  }

  remove(asked: boolean): void {
    this.alive();
    if (this.isroot) error(Eperm);
    if (asked) this.parent.must(2);
    if (this.files.size > 0) error(Enotempty);
    this.parent.files.delete(this.name);
    this.data = new Uint8Array(0);
    this.removed = true;
  }

  wstat(w: Wstat): void {
    this.alive();
    const name = w.name ?? this.name;
    const length = w.length ?? this.data.length;
    if (length !== this.data.length) {
      this.must(2);
      if (this.isdir) error(Eperm);
    }
    if (name !== this.name) {
      this.parent.must(2);
      if (this.isroot) error(Eperm);
      if (this.parent.files.has(name)) error(Efileexists);
      this.parent.files.delete(this.name);
      this.name = name;
      this.parent.files.set(name, this);
    }
    if (w.mode !== undefined) this.perm = ((w.mode & ~DMDIR) | (this.perm & DMDIR)) >>> 0;
    if (length !== this.data.length) this.resize(length);
  }

  resize(length: number): void {
    const data = new Uint8Array(length);
    data.set(this.data.subarray(0, length));
    this.data = data;
  }

  write(bytes: Uint8Array, offset: number): number {
    this.alive();
    const at = (this.perm & DMAPPEND) === 0 ? offset : this.data.length;
    if (bytes.length === 0) return 0;
    if (at + bytes.length > this.data.length) this.resize(at + bytes.length);
    this.data.set(bytes, at);
    return bytes.length;
  }

  read(count: number, offset: number): Uint8Array {
    this.alive();
    return this.data.slice(offset, offset + count);
  }
}

function walkfrom(from: File, names: readonly string[]): File | PlanError {
  let at = from;
  for (const [i, name] of names.entries()) {
    const next = at.look(name);
    if (typeof next === "string") return missed(at, i, next);
    at = next;
  }
  return at;
}

/** The failure of a Twalk at the i-th of its names, in `dir`. */
function missed(dir: File, i: number, text: string): PlanError {
  if (i === 0) return new PlanError(text, 0);
  return dir.isdir ? new PlanError(Edoesnotexist, i) : new PlanError(Enotdir, i - 1);
}

/** An entry, as far as it is compared: `name` in place of the server's. */
export function entry(d: Pick<Dir, "mode" | "length">, name: string): string {
  return `${name} ${(d.mode >>> 0).toString(8)} ${d.length}`;
}

export function fileentry(f: File, name: string = f.name): string {
  f.alive();
  return entry({ mode: f.perm, length: f.data.length }, name);
}
