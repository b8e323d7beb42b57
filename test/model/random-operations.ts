// The operations of the property test: what fast-check makes, and what each does to the model. What it does
// to a kernel is in random-calls.ts. Both sides give what can be compared: a text, and the files it is about.

import fc from "fast-check";
import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  MAFTER,
  MBEFORE,
  MCREATE,
  MREPL,
  OEXCL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
} from "../../kernel/abi/const.ts";
import type { Wstat } from "../../kernel/abi/dir.ts";
import {
  PlanError,
  Ebadusefd,
  Eisdir,
  Eismtpt,
  Enonexist,
  error,
} from "../../kernel/abi/errors.ts";
import { nameerror } from "../../kernel/names/name.ts";
import { clean, parse } from "./random-space.ts";
import type { Opened, Place, Space } from "./random-space.ts";
import { File, fileentry } from "./random-tree.ts";

/** Those that open a file. */
export type Opening =
  | { readonly op: "open"; readonly fd: number; readonly name: string; readonly mode: number }
  | {
      readonly op: "create" | "put";
      readonly fd: number;
      readonly name: string;
      readonly mode: number;
      readonly perm: number;
      readonly len: number;
    }
  | { readonly op: "ls"; readonly name: string }
  | { readonly op: "get"; readonly name: string };

/** Those that move bytes. */
export type Moving = {
  readonly op: "read" | "pread" | "write" | "pwrite" | "sread" | "swrite";
  readonly fd: number;
  readonly len: number;
  readonly at: number;
};

/** Those on a descriptor: `fd` is one of a process's few places for them. */
export type Using =
  | { readonly op: "close" | "fstat" | "list"; readonly fd: number }
  | { readonly op: "dup"; readonly fd: number; readonly to: number }
  | { readonly op: "seek"; readonly fd: number; readonly at: number; readonly whence: number }
  | { readonly op: "fwstat"; readonly fd: number; readonly w: Wstat }
  | Moving;

export type Op =
  | Opening
  | Using
  | { readonly op: "stat" | "remove" | "chdir"; readonly name: string }
  | { readonly op: "wstat"; readonly name: string; readonly w: Wstat }
  | { readonly op: "bind"; readonly name: string; readonly old: string; readonly flags: number }
  | { readonly op: "mount"; readonly old: string; readonly flags: number }
  | { readonly op: "unmount"; readonly name: string | null; readonly old: string }
  | { readonly op: "fork"; readonly nameg: boolean; readonly ops: readonly Op[] };

/** What an operation came to; `or` is as right, and with `loose` only success and failure are compared. */
export type Result = {
  readonly text: string;
  readonly or?: string;
  readonly files: readonly File[];
  readonly loose?: boolean;
};

const NODATA = new Uint8Array(0);
const PLACES = 4;
const small = fc.constantFrom("x", "x", "x", "y", "y", "z");
const elem = fc.oneof(
  { weight: 20, arbitrary: small },
  { weight: 1, arbitrary: fc.constant("..") },
  { weight: 1, arbitrary: fc.constant(".") },
);
const tail = fc.constantFrom(
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "/",
  "/.",
);
/** `~` stands for the number of the process. */
const base = fc.constantFrom("/n/a/p~", "/n/a/p~", "/n/a/p~", "/n/b/p~", "/n/c/p~", "", "");
const depth = fc.constantFrom(0, 1, 1, 1, 1, 1, 2, 2, 2, 3);
const elems = depth.chain((n) => fc.array(elem, { minLength: n, maxLength: n }));
const name: fc.Arbitrary<string> = fc
  .tuple(base, elems, tail)
  .map(([b, e, t]) => (b === "" ? e.join("/") || "." : [b, ...e].join("/")) + t);
const fd = fc.integer({ min: 0, max: PLACES - 1 });
const len = fc.constantFrom(0, 1, 7, 7, 100, 100, 5000, 5000, 9000, 9000, 70_000);
const at = fc.constantFrom(0, 0, 1, 50, 4096, 80_000);
const openmode = fc
  .tuple(
    fc.constantFrom(OREAD, OREAD, OREAD, OWRITE, ORDWR, OEXEC),
    fc.constantFrom(0, 0, 0, 0, OTRUNC, ORCLOSE),
  )
  .map(([a, b]) => a | b);
const createmode = fc
  .tuple(
    fc.constantFrom(OREAD, OWRITE, ORDWR),
    fc.constantFrom(0, 0, 0, OTRUNC, OEXCL, OEXCL | OTRUNC, ORCLOSE),
  )
  .map(([a, b]) => a | b);
const perm = fc.constantFrom(0o666, 0o666, 0o644, 0o444, 0, DMAPPEND + 0o666, DMEXCL + 0o666);
const dirperm = fc.constantFrom(0o777, 0o777, 0o777, 0o555).map((p) => DMDIR + p);
const flags = fc
  .tuple(fc.constantFrom(MREPL, MREPL, MBEFORE, MAFTER), fc.constantFrom(0, MCREATE, MCREATE))
  .map(([a, b]) => a | b);
const change: fc.Arbitrary<Wstat> = fc.oneof(
  small.map((n) => ({ name: n })),
  fc.constantFrom(0o666, 0o777, 0o555, 0o444, 0).map((mode) => ({ mode })),
  fc.constantFrom(0, 3, 10_000).map((length) => ({ length })),
  fc.record({ name: small, length: fc.constantFrom(0, 20) }),
);
const io = fc.constantFrom("read", "pread", "write", "pwrite", "sread", "swrite");

const simple: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant("open"), fd, name, mode: openmode }) },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant("create"), fd, name, mode: createmode, perm, len }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant("create"),
      fd,
      name,
      mode: fc.constantFrom(OREAD, OREAD, OREAD | OEXCL),
      perm: dirperm,
      len,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("put"),
      fd,
      name,
      mode: fc.constant(OWRITE),
      perm,
      len,
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom("close", "fstat", "list"), fd }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("dup"), fd, to: fd }) },
  { weight: 6, arbitrary: fc.record({ op: io, fd, len, at }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("seek"),
      fd,
      at,
      whence: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("fwstat"), fd, w: change }) },
  {
    weight: 9,
    arbitrary: fc.record({
      op: fc.constantFrom("stat", "stat", "remove", "chdir", "ls", "get"),
      name,
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("wstat"), name, w: change }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("bind"), name, old: name, flags }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("mount"), old: name, flags }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("unmount"), name: fc.option(name), old: name }),
  },
) as fc.Arbitrary<Op>;

/** One process's operations. */
export function operations(max: number): fc.Arbitrary<Op[]> {
  const child = fc.array(simple, { minLength: 1, maxLength: 8, size: "max" });
  const fork = fc.record({ op: fc.constant("fork" as const), nameg: fc.boolean(), ops: child });
  const any = fc.oneof({ weight: 25, arbitrary: simple }, { weight: 1, arbitrary: fork });
  return fc.array(any, { minLength: 1, maxLength: max, size: "max" });
}

const patterns = new Map<number, Uint8Array>();

/** The contents of a write, which tell where they are: the same bytes each time, to be read only. */
export function pattern(n: number): Uint8Array {
  let p = patterns.get(n);
  if (p === undefined) {
    p = Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8) + n) & 0xff);
    patterns.set(n, p);
  }
  return p;
}

/** Bytes as a text short enough to show. */
export function digest(bytes: Uint8Array): string {
  let h = 7;
  for (const b of bytes) h = (Math.imul(h, 31) + b) | 0;
  return `${bytes.length} bytes ${h}`;
}

/** An open file of the model; dup and fork share it. */
type Open = { readonly at: Opened; readonly mode: number; offset: number; ref: number };

/** A process of the model. */
export class Modelproc {
  readonly who: number;
  readonly space: Space;
  dot: Place;
  readonly fds: (Open | null)[];
  /** The root of a server that only this process mounts. */
  readonly own: File;
  readonly #attaches: { n: number };

  constructor(
    from: Pick<Modelproc, "who" | "space" | "dot" | "own">,
    fds: readonly (Open | null)[] = [],
    attaches: { n: number } = { n: 1000 * (from.who + 1) },
  ) {
    this.who = from.who;
    this.space = from.space;
    this.dot = from.dot;
    this.own = from.own;
    this.#attaches = attaches;
    this.fds = Array.from({ length: PLACES }, (_, i) => fds[i] ?? null);
  }

  fork(nameg: boolean): Modelproc {
    for (const o of this.fds) if (o !== null) o.ref++;
    const space = nameg ? this.space.fork() : this.space;
    const { who, dot, own } = this;
    return new Modelproc({ who, dot, own, space }, this.fds, this.#attaches);
  }

  exit(): void {
    for (let i = 0; i < PLACES; i++) this.close(i);
  }

  /** Takes an operation; null when it would touch what other processes use, and is left out. */
  take(op: Op): Result | null {
    if (!this.#mine(op)) return null;
    const files: File[] = [];
    try {
      return this.#do(op, files);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return { text: `error ${e.message}`, files: [] };
    }
  }

  name(text: string): string {
    return text.replace("~", String(this.who));
  }

  #ismine(text: string, depth: number): boolean {
    const { elems } = clean(this.dot.elems, parse(this.name(text)));
    return elems[0] === "n" && elems[2] === `p${this.who}` && elems.length >= depth;
  }

  #mine(op: Op): boolean {
    switch (op.op) {
      case "create":
      case "put":
        return this.#ismine(op.name, 4);
      case "remove":
      case "wstat": {
        const f = this.space.peek(this.dot, this.name(op.name));
        return this.#ismine(op.name, 4) && f?.local !== true && f?.parent.isroot !== true;
      }
      case "fwstat": {
        const f = this.fds[op.fd]?.at.ref.file;
        return f !== undefined && !f.local && !f.parent.isroot;
      }
      case "open":
        return (op.mode & (OTRUNC | ORCLOSE)) === 0 || this.#ismine(op.name, 4);
      case "bind":
        return this.#ismine(op.name, 3) && this.#ismine(op.old, 3);
      case "mount":
      case "unmount":
        return this.#ismine(op.old, 3);
      case "read":
      case "write":
      case "pread":
      case "pwrite":
      case "sread":
      case "swrite":
      case "seek":
      case "dup":
      case "close":
      case "fstat":
      case "list":
        return this.fds[op.fd] !== null;
      default:
        return true;
    }
  }

  #do(op: Op, files: File[]): Result {
    const ok = (text = "ok"): Result => ({ text, files });
    switch (op.op) {
      case "open":
      case "create":
      case "put":
      case "get":
      case "ls":
        return this.#opens(op, files);
      case "stat": {
        const { file, name } = this.space.stat(this.dot, this.name(op.name));
        files.push(file);
        return { ...ok(fileentry(file, name)), loose: file.local };
      }
      case "remove":
        this.space.remove(this.dot, this.name(op.name));
        return ok();
      case "wstat":
        this.space.wstat(this.dot, this.name(op.name), op.w);
        return ok();
      case "chdir":
        this.dot = this.space.chdir(this.dot, this.name(op.name));
        return ok();
      case "bind":
        this.space.bind(this.dot, this.name(op.name), this.name(op.old), op.flags);
        return ok();
      case "mount":
        this.space.mount(
          this.dot,
          { file: this.own, att: this.#attaches.n++ },
          this.name(op.old),
          op.flags,
        );
        return ok();
      case "unmount":
        this.space.unmount(
          this.dot,
          op.name === null ? null : this.name(op.name),
          this.name(op.old),
        );
        return ok();
      case "fork":
        return ok();
      default:
        return this.#usefd(op, files);
    }
  }

  #opens(op: Opening, files: File[]): Result {
    const name = this.name(op.name);
    if (op.op === "get" || op.op === "ls") {
      const o = { at: this.space.open(this.dot, name, OREAD), mode: OREAD, offset: 0, ref: 1 };
      const { file } = o.at.ref;
      files.push(file);
      const text = file.isdir ? this.#list(o) : digest(file.data);
      this.#release(o);
      return { text, files, loose: file.local };
    }
    if (op.op === "open" || op.op === "create") this.close(op.fd);
    const at =
      op.op === "open"
        ? this.space.open(this.dot, name, op.mode)
        : this.space.create(this.dot, name, op);
    const o: Open = { at, mode: op.mode, offset: 0, ref: 1 };
    files.push(at.ref.file);
    if (op.op === "put") {
      at.ref.file.write(pattern(op.len), 0);
      this.#release(o);
    } else this.fds[op.fd] = o;
    return { text: "ok", files };
  }

  close(fd: number): void {
    const o = this.fds[fd] ?? null;
    this.fds[fd] = null;
    if (o !== null) this.#release(o);
  }

  #release(o: Open): void {
    if (--o.ref > 0) return;
    const { file } = o.at.ref;
    try {
      if ((o.mode & ORCLOSE) !== 0) file.remove(false);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
    file.opens--;
  }

  #usefd(op: Using, files: File[]): Result {
    const o = this.fds[op.fd];
    if (o === null || o === undefined) throw new Error("no such descriptor");
    const { file } = o.at.ref;
    files.push(file);
    const ok = (text = "ok"): Result => ({ text, files, loose: file.local });
    switch (op.op) {
      case "close":
        this.close(op.fd);
        return { text: "ok", files: [] };
      case "dup":
        if (op.to !== op.fd) {
          this.close(op.to);
          o.ref++;
          this.fds[op.to] = o;
        }
        return ok();
      case "fstat":
        return ok(fileentry(file));
      case "fwstat":
        if (o.at.ismtpt && op.w.name !== undefined)
          error(nameerror(`/${o.at.elems.join("/")}`, Eismtpt));
        file.wstat(op.w);
        return ok();
      case "list":
        return ok(file.isdir ? this.#list(o) : "no directory");
      case "seek":
        if (file.isdir && (op.whence !== 0 || op.at !== 0)) error(Eisdir);
        o.offset =
          op.at + (op.whence === 0 ? 0 : op.whence === 1 ? o.offset : file.alive().data.length);
        return ok(String(o.offset));
      default:
        // A stream that is asked for no bytes may ask its server nothing: it hears of no removal then.
        if (
          op.op === "sread" &&
          op.len === 0 &&
          file.removed &&
          !file.isdir &&
          (o.mode & 3) !== OWRITE
        )
          return { ...ok(digest(NODATA)), or: `error ${Enonexist}` };
        return ok(this.#transfer(o, op));
    }
  }

  #transfer(o: Open, op: Moving): string {
    const { file } = o.at.ref;
    const how = o.mode & 3;
    const writes = op.op === "write" || op.op === "pwrite" || op.op === "swrite";
    if (writes ? how === OREAD || how === OEXEC : how === OWRITE) error(Ebadusefd);
    if (file.isdir && writes) error(Eisdir);
    if (file.isdir) return "a directory";
    const here = op.op === "pread" || op.op === "pwrite" ? op.at : o.offset;
    if (writes) {
      const n = file.write(pattern(op.len), here);
      if (op.op !== "pwrite") o.offset += n;
      return String(n);
    }
    const bytes = file.read(op.len, here);
    o.offset += bytes.length;
    return digest(bytes);
  }

  /** The entries of an open directory, in order of their names. */
  #list(o: Open): string {
    const { at } = o;
    const lines: string[] = [];
    const refs = at.members === null ? [at.ref] : at.members();
    for (const { file, att } of refs) {
      if (at.members === null) file.alive();
      if (file.removed) continue;
      for (const f of file.files.values()) {
        const there = this.space.instead(at, { file: f, att });
        lines.push(fileentry(there === null || there.removed ? f : there, f.name));
      }
    }
    return lines.toSorted().join(", ");
  }
}
