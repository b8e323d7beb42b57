// The memory device, '#R': a tree of files in memory, as ramfs serves one but without a server. It is what
// boot's files are, and the /tmp of a plain boot.
//
// A directory gives its files in the order they were made; files may be removed while it is read. What
// was removed while open answers "file does not exist". Memory is bounded: see Budget.

import { COPEN, Chan, Path } from "../kernel/chan.ts";
import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  OCEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
} from "../kernel/abi/const.ts";
import { Dev, devdir, miss, openmode } from "../kernel/dev.ts";
import type { Walkqid, Want } from "../kernel/dev.ts";
import { convD2M, sizeD2M } from "../kernel/abi/dir.ts";
import type { Dir, Qid, Wstat } from "../kernel/abi/dir.ts";
import {
  Edoesnotexist,
  Eexcl,
  Eexist,
  Efilename,
  Efileexists,
  Eisdir,
  Enonexist,
  Enotdir,
  Enotempty,
  Eperm,
  Eshort,
  error,
  refuse,
} from "../kernel/abi/errors.ts";
import type { Fact } from "../kernel/abi/errors.ts";
import { programfile } from "../kernel/proc/exec.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { checkelem } from "../kernel/abi/elems.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Program } from "../kernel/proc/trap.ts";
import { utfencode } from "../kernel/abi/utf.ts";
import { Budget, MEXEC, MREAD, MWRITE, Memfile } from "./memfile.ts";

/** Names and what they hold: text, bytes, a program (which becomes an executable), or another tree. */
export type Tree = { readonly [name: string]: string | Uint8Array | Program | Tree };

/** The memory device as boot uses it. */
export interface Mem extends Dev<MemChan> {
  /** Adds what tree has to the files there are; a file that is there already gets the new contents. */
  fill(tree: Tree): void;
}

/** What stands for a qid in the result of a walk that has not come so far. */
const NOQID: Qid = devdir(0n);
const DEVCHAR = "R".charCodeAt(0);
/** Bytes that all files together may take. */
const MAXTREE = 2 ** 31;
/** What an executable's header has room for. */
const MAXPROGRAM = 24;

class MemChan extends Chan {
  file: Memfile;
  /** The user for whom it is removed when this Chan closes; null when it stays. */
  rclose: string | null = null;
  /** The entry that a directory read gave last; null at the start. */
  at: Memfile | null = null;

  constructor(dev: Dev, file: Memfile) {
    super(dev, file.qid);
    this.file = file;
  }
}

/** What the permissions of an open mode ask. */
function wanted(omode: number): number {
  const trunc = (omode & OTRUNC) !== 0 ? MWRITE : 0;
  switch (omode & 3) {
    case OREAD:
      return MREAD | trunc;
    case OWRITE:
      return MWRITE;
    case ORDWR:
      return MREAD | MWRITE;
    default:
      return MEXEC | trunc;
  }
}

/** Refuses user what it wants of f, if the mode of f does. */
function check(up: Proc, f: Memfile, want: number): void {
  if (!f.may(up.user, want)) refuse(Eperm, refusal(up, f, want));
}

function refusal({ user }: Proc, { name, mode, uid, gid }: Memfile, want: number): Fact {
  return { why: "mode", name, mode, uid, gid, user, want };
}

/** The file of a Chan, or "file does not exist" when it was removed. */
function there(c: MemChan): Memfile {
  return c.file.removed ? error(Enonexist) : c.file;
}

/** The child of f called name, or why there is none. */
function step(up: Proc, f: Memfile, name: string): Memfile | string {
  const { children } = f;
  if (children === null) return Enotdir;
  // No child is called "..", which is the rarer.
  const next = f.child(name) ?? (name === ".." ? f.parent : undefined);
  if (next === undefined) return Enonexist;
  return f.may(up.user, MEXEC) ? next : Eperm;
}

/** What names lead to from f; null: a walk says why not. */
function descend(up: Proc, f: Memfile, names: readonly string[]): Memfile | null {
  let at = f;
  for (const name of names) {
    const next = step(up, at, name);
    if (typeof next === "string") return null;
    at = next;
  }
  return at;
}

/** The result of a walk that stopped at f. After the first element any error but Enotdir becomes Edoesnotexist. */
function stuck(up: Proc, f: Memfile, qids: readonly Qid[], text: string): Walkqid<never> {
  const missed = miss(qids, qids.length > 0 && text !== Enotdir ? Edoesnotexist : text);
  return text === Eperm ? { ...missed, fact: refusal(up, f, MEXEC) } : missed;
}

/** The fields of a wstat that differ from those of the file. */
function news(f: Memfile, d: Wstat): Wstat {
  return {
    ...(d.name !== undefined && d.name !== f.name && { name: d.name }),
    ...(d.uid !== undefined && d.uid !== f.uid && { uid: d.uid }),
    ...(d.gid !== undefined && d.gid !== f.gid && { gid: d.gid }),
    ...(d.mode !== undefined && d.mode !== f.mode && { mode: d.mode }),
    ...(d.mtime !== undefined && d.mtime !== f.mtime && { mtime: d.mtime }),
    ...(d.length !== undefined && d.length !== f.length && { length: d.length }),
  };
}

/** The owner and the mode of a file that is made. */
type Newfile = { readonly user: string; readonly mode: number };

/** What a file of boot's `files` holds, and its mode. */
type Filled = { readonly bytes: Uint8Array; readonly mode: number };

class MemDev extends Dev<MemChan> implements Mem {
  readonly dc = "R";
  readonly name = "mem";
  readonly #k: Kernel;
  readonly #budget: Budget;
  readonly #root: Memfile;
  #path = 0n;

  constructor(k: Kernel, max: number) {
    super(k);
    this.#k = k;
    this.#budget = new Budget(max);
    const mode = (DMDIR | 0o775) >>> 0;
    const time = k.clock.seconds();
    this.#root = new Memfile(this.#budget, null, {
      name: ".",
      uid: k.user,
      gid: k.user,
      mode,
      path: 0n,
      time,
    });
  }

  attach(_up: Proc, spec: string): MemChan {
    const c = new MemChan(this, this.#root);
    c.path = new Path(`#R${spec}`, []);
    return c;
  }

  walk(up: Proc, c: MemChan, names: readonly string[]): Walkqid<MemChan> {
    const qids = names.map(() => NOQID);
    let f = c.file;
    for (let i = 0; i < names.length; i++) {
      const next = step(up, f, names[i] ?? "");
      if (typeof next === "string") return stuck(up, f, qids.slice(0, i), next);
      f = next;
      qids[i] = f.qid;
    }
    const clone = new MemChan(this, f);
    clone.path = c.path;
    return { clone, qids, error: "" };
  }

  override chanat(up: Proc, c: MemChan, names: readonly string[]): MemChan | null {
    const f = descend(up, c.file, names);
    if (f === null) return null;
    const nc = new MemChan(this, f);
    nc.path = c.path;
    return nc;
  }

  override statat(up: Proc, c: MemChan, names: readonly string[]): Dir | null {
    const f = descend(up, c.file, names);
    return f === null || f.removed ? null : f.dir(DEVCHAR);
  }

  stat(_up: Proc, c: MemChan): Dir {
    return there(c).dir(DEVCHAR);
  }

  open(up: Proc, c: MemChan, omode: number): MemChan {
    const f = there(c);
    const mode = openmode(omode & ~(OCEXEC | ORCLOSE));
    if (f.children !== null && (omode & (OTRUNC | ORCLOSE | 3)) !== OREAD)
      refuse(Eperm, { why: "directory", name: f.name });
    check(up, f, wanted(omode));
    const rclose = (omode & ORCLOSE) !== 0;
    if (rclose) check(up, f.parent, MWRITE);
    if ((f.bits & DMEXCL) !== 0 && f.opens > 0) error(Eexcl);
    if ((omode & OTRUNC) !== 0 && (f.bits & DMAPPEND) === 0) {
      f.setlength(0);
      f.changed(up.user, this.#k.clock.seconds());
    }
    return this.#opened(c, mode, rclose ? up.user : null);
  }

  #opened(c: MemChan, mode: number, rclose: string | null): MemChan {
    c.mode = mode;
    c.flag |= COPEN;
    c.offset = 0;
    c.rclose = rclose;
    c.qid = c.file.qid;
    c.file.opens++;
    return c;
  }

  override create(up: Proc, c: MemChan, name: string, want: Want): MemChan {
    const dir = there(c);
    if (dir.children === null) error(Enotdir);
    if (name === "." || name === "..") refuse(Eperm, { why: "dots" });
    check(up, dir, MWRITE);
    if (dir.children?.has(name) === true) error(Eexist);
    const mode = openmode(want.omode & ~(OCEXEC | ORCLOSE));
    const mask = (want.perm & DMDIR) === 0 ? 0o666 : 0o777;
    const perm = (want.perm & (~mask | (dir.mode & mask))) >>> 0;
    c.file = this.#newfile(dir, name, { user: up.user, mode: perm });
    return this.#opened(c, mode, (want.omode & ORCLOSE) !== 0 ? up.user : null);
  }

  #newfile(dir: Memfile, name: string, { user, mode }: Newfile): Memfile {
    const time = this.#k.clock.seconds();
    const f = new Memfile(this.#budget, dir, {
      name,
      uid: user,
      gid: dir.gid,
      mode,
      path: ++this.#path,
      time,
    });
    dir.enter(f);
    dir.changed(user, time);
    return f;
  }

  override close(c: MemChan): void {
    if ((c.flag & COPEN) === 0) return;
    const f = c.file;
    f.opens--;
    if (c.rclose === null || f.removed || f.first !== null) return;
    this.#unlink(f, c.rclose);
  }

  read(_up: Proc, c: MemChan, buf: Uint8Array, offset: number): number {
    const f = there(c);
    f.atime = this.#k.clock.seconds();
    return f.children === null ? f.read(buf, offset) : this.#readdir(c, buf);
  }

  /** Whole entries from the one behind c.at on. */
  #readdir(c: MemChan, buf: Uint8Array): number {
    if (c.dri === 0) c.at = null;
    let n = 0;
    for (let f = c.file.after(c.at); f !== null; f = f.next) {
      const d = f.dir(DEVCHAR);
      if (n + sizeD2M(d) > buf.length) return n > 0 ? n : error(Eshort);
      n = convD2M(d, buf, n);
      c.at = f;
      c.dri++;
    }
    return n;
  }

  override write(up: Proc, c: MemChan, bytes: Uint8Array, offset: number): number {
    const f = there(c);
    if (f.children !== null) error(Eisdir);
    f.write(bytes, (f.bits & DMAPPEND) !== 0 ? f.length : offset);
    f.changed(up.user, this.#k.clock.seconds());
    return bytes.length;
  }

  override plain(): boolean {
    return true;
  }

  override remove(up: Proc, c: MemChan): void {
    const f = there(c);
    if (f === this.#root) refuse(Eperm, { why: "root" });
    check(up, f.parent, MWRITE);
    if (f.first !== null) error(Enotempty);
    this.#unlink(f, up.user);
  }

  #unlink(f: Memfile, user: string): void {
    f.parent.leave(f);
    f.parent.changed(user, this.#k.clock.seconds());
  }

  override wstat(up: Proc, c: MemChan, d: Wstat): void {
    const f = there(c);
    const w = news(f, d);
    this.#wstatcheck(up, f, w);
    if (w.length !== undefined) {
      f.setlength(w.length);
      f.changed(up.user, this.#k.clock.seconds());
    }
    if (w.name !== undefined) {
      f.parent.rename(f, w.name);
      f.parent.changed(up.user, this.#k.clock.seconds());
    }
    if (w.mode !== undefined) f.chmod(w.mode);
    if (d.mtime !== undefined) f.mtime = d.mtime;
    if (w.gid !== undefined) f.gid = w.gid;
  }

  /** All or nothing: whatever is not allowed is found before anything is done. stat(5) */
  #wstatcheck(up: Proc, f: Memfile, w: Wstat): void {
    if (w.name !== undefined) this.#checkname(up, f, w.name);
    if (w.length !== undefined) {
      if (f.children !== null) refuse(Eperm, { why: "directory", name: f.name });
      check(up, f, MWRITE);
    }
    if (w.mode !== undefined && ((w.mode ^ f.mode) & DMDIR) !== 0) refuse(Eperm, { why: "dmdir" });
    if (w.uid !== undefined) refuse(Eperm, { why: "uid" });
    const longer = w.length === undefined ? 0 : f.need(w.length);
    this.#budget.check(longer + Math.max(0, (w.name ?? f.name).length - f.name.length));
    const owned = w.mode !== undefined || w.mtime !== undefined || w.gid !== undefined;
    if (owned && up.user !== f.uid)
      refuse(Eperm, { why: "owner", name: f.name, uid: f.uid, user: up.user });
  }

  #checkname(up: Proc, f: Memfile, name: string): void {
    checkelem(name);
    if (f === this.#root) refuse(Eperm, { why: "root" });
    if (name === "." || name === "..") refuse(Eperm, { why: "dots" });
    check(up, f.parent, MWRITE);
    if (f.parent.children?.has(name) === true) error(Efileexists);
  }

  /** A directory is filled before the next entry of the one above it; the tree may be as deep as it likes. */
  fill(tree: Tree): void {
    const way = [{ dir: this.#root, rest: Object.entries(tree).values() }];
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const next = at.rest.next();
      if (next.done === true) {
        way.pop();
        continue;
      }
      const [name, value] = next.value;
      if (name === "" || name === "." || name === "..") error(`${Efilename}: '${name}'`);
      checkelem(name);
      if (typeof value === "function")
        this.#put(at.dir, name, { bytes: this.#program(name, value), mode: 0o775 });
      else if (typeof value === "string")
        this.#put(at.dir, name, { bytes: utfencode(value), mode: 0o664 });
      else if (value instanceof Uint8Array) this.#put(at.dir, name, { bytes: value, mode: 0o664 });
      else {
        const dir = this.#at(at.dir, name, (DMDIR | 0o775) >>> 0);
        way.push({ dir, rest: Object.entries(value).values() });
      }
    }
  }

  #put(dir: Memfile, name: string, { bytes, mode }: Filled): void {
    const f = this.#at(dir, name, mode);
    f.setlength(0);
    f.write(bytes, 0);
    f.chmod(mode);
  }

  /** The child called name, made if it is not there. */
  #at(dir: Memfile, name: string, mode: number): Memfile {
    const f = dir.children?.get(name) ?? this.#newfile(dir, name, { user: this.#k.user, mode });
    if ((f.children !== null) !== ((mode & DMDIR) !== 0))
      error(`'${name}' ${f.children === null ? Enotdir : Eisdir}`);
    return f;
  }

  /** Registers a program under its file's name, or one like it, and gives the executable. */
  #program(name: string, program: Program): Uint8Array {
    const { programs } = this.#k;
    let key = name.slice(0, MAXPROGRAM);
    for (
      let n = 2;
      (programs.get(key) ?? program) !== program || utfencode(key).length > MAXPROGRAM;
      n++
    )
      key = `${name.slice(0, 6)}#${n}`;
    programs.set(key, program);
    return programfile(key);
  }
}

/** Makes the memory device, with nothing in it; its files take at most `max` bytes together. */
export function newMem(k: Kernel, max: number = MAXTREE): Mem {
  return new MemDev(k, max);
}
