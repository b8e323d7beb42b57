// A fossil on a disk in memory that never waits, and a client of it: each call runs to its end at once. Disklog is
// such a disk that remembers every write and sync, and what a crash may leave of them.

import { createHash } from "node:crypto";
import type { Answer } from "../../userland/lib/9p/srv.ts";
import { Fid } from "../../userland/lib/9p/srv.ts";
import type { Disk, Env } from "../../userland/lib/fossil/disk.ts";
import { type Fossil, type Fossilopts, openfossil } from "../../userland/lib/fossil/fossil.ts";
import type { File } from "../../userland/lib/fossil/srv.ts";
import { istask } from "../../userland/lib/9p/answer.ts";
import { DMDIR, OREAD, OWRITE, QTDIR } from "../../kernel/abi/const.ts";
import { type Dir, type Wstat } from "../../kernel/abi/dir.ts";
import { PlanError, error } from "../../kernel/abi/errors.ts";
import type { Task } from "../../syscalls/sys.ts";
import { entries } from "./kit.ts";

/** Runs a Task that does not wait. */
export function finish<T>(task: Task<T>): T {
  const step = task.next();
  if (step.done === true) return step.value;
  return error("a Task waits where it must not");
}

/** An Env for a disk that never waits, where a Task runs to its end at once. */
class Plainenv implements Env {
  time = 0;

  now(): number {
    return this.time;
  }

  *tick(): Task<void> {}

  spawn(task: Task<void>): void {
    finish(task);
  }

  *sleep(): Task<void> {
    error("a disk that never waits has no sleepers");
  }

  *wakeup(): Task<void> {}

  *pause(): Task<void> {}

  *nap(): Task<void> {
    error("a disk that never waits has no time to sleep");
  }
}

export const hash = (b: Uint8Array): Uint8Array => createHash("sha256").update(b).digest();

/** What an answer comes to. */
export const now = <T>(a: Answer<T>): T => (istask(a) ? finish(a) : a);

/** A sector is written whole or not at all. */
const SECTOR = 512;

type Op = { readonly at: number; readonly bytes: Uint8Array } | "sync";

export class Disklog implements Disk {
  readonly ops: Op[] = [];
  #buf: Uint8Array;
  #end = 0;
  /** What fails from now on, with which error. */
  fails: { readonly [K in "read" | "write" | "sync"]?: string } = {};

  constructor(image: Uint8Array = new Uint8Array(0)) {
    this.#buf = image.slice();
    this.#end = image.length;
  }

  get image(): Uint8Array {
    return this.#buf.slice(0, this.#end);
  }

  /** Turns a bit round. */
  spoil(at: number): void {
    this.#buf[at] = (this.#buf[at] ?? 0) ^ 1;
  }

  #may(what: "read" | "write" | "sync"): void {
    const why = this.fails[what];
    if (why !== undefined) throw new PlanError(why);
  }

  read(buf: Uint8Array, at: number): number {
    this.#may("read");
    const n = Math.max(0, Math.min(buf.length, this.#end - at));
    buf.set(this.#buf.subarray(at, at + n));
    return n;
  }

  write(bytes: Uint8Array, at: number): void {
    this.#may("write");
    this.ops.push({ at, bytes: bytes.slice() });
    this.#buf = put(this.#buf, bytes, at);
    this.#end = Math.max(this.#end, at + bytes.length);
  }

  length(): number {
    return this.#end;
  }

  sync(): void {
    this.#may("sync");
    this.ops.push("sync");
  }

  /** The disk after a crash behind n operations: of what was not synced, each sector may be there or not. */
  static crashed(
    start: Uint8Array,
    ops: readonly Op[],
    keep: (sector: number) => boolean,
  ): Uint8Array {
    const synced = ops.lastIndexOf("sync");
    let image: Uint8Array = start.slice();
    let end = start.length;
    const apply = (bytes: Uint8Array, at: number): void => {
      image = put(image, bytes, at);
      end = Math.max(end, at + bytes.length);
    };
    let sector = 0;
    for (const [i, op] of ops.entries()) {
      if (op === "sync") continue;
      if (i < synced) apply(op.bytes, op.at);
      else
        for (let o = 0; o < op.bytes.length; o += SECTOR)
          if (keep(sector++)) apply(op.bytes.subarray(o, o + SECTOR), op.at + o);
    }
    return image.slice(0, end);
  }
}

function put(buf: Uint8Array, bytes: Uint8Array, at: number): Uint8Array {
  let to = buf;
  if (at + bytes.length > buf.length) {
    to = new Uint8Array(Math.max(at + bytes.length, buf.length * 2));
    to.set(buf);
  }
  to.set(bytes, at);
  return to;
}

/** A fossil, and a client of its callbacks. Names are absolute. */
export class Rig {
  readonly disk: Disk;
  readonly env: Plainenv = new Plainenv();
  readonly fossil: Fossil;
  readonly uid: string;
  #nfid = 0;

  /** `later`: seconds from 2025/1127/0930 to the moment when the disk is opened. */
  constructor(disk: Disk, opts: Partial<Fossilopts> = {}, uid = "glenda", later = 0) {
    this.disk = disk;
    this.env.time = 1_764_235_800 + later;
    this.uid = uid;
    this.fossil = finish(openfossil(disk, this.env, { hash, ...opts }));
  }

  root(aname = "", uid?: string): File {
    return now(this.fossil.srv.attach(uid ?? this.uid, aname));
  }

  fid(file: File, uid?: string): Fid<File> {
    return new Fid(this.#nfid++, uid ?? this.uid, file);
  }

  /** The file of a name, or null. */
  walk(name: string, from?: File): File | null {
    let at: File | null = from ?? this.root();
    for (const elem of name.split("/").filter(Boolean)) {
      // The library lets no walk go on from a file.
      if (at === null || (at.qid.type & QTDIR) === 0) return null;
      at = now(this.fossil.srv.walk1?.(at, elem, this.fid(at)) ?? null);
    }
    return at;
  }

  #must(name: string, from?: File): File {
    const f = this.walk(name, from);
    if (f === null) throw new Error(`no ${name}`);
    return f;
  }

  create(name: string, perm = 0o664): Fid<File> {
    const i = name.lastIndexOf("/");
    const fid = this.fid(this.#must(name.slice(0, i)));
    if ((fid.aux.qid.type & QTDIR) === 0) throw new Error(`no directory ${name.slice(0, i)}`);
    const mode = (perm & DMDIR) !== 0 ? OREAD : OWRITE;
    fid.aux = now(this.fossil.srv.create?.(fid, name.slice(i + 1), perm, mode) as Answer<File>);
    fid.omode = mode;
    return fid;
  }

  open(name: string, mode: number, from?: File): Fid<File> {
    const fid = this.fid(this.#must(name, from));
    now(this.fossil.srv.open?.(fid, mode));
    fid.omode = mode;
    return fid;
  }

  write(fid: Fid<File>, data: Uint8Array | string, offset = 0): void {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    now(this.fossil.srv.write?.(fid, bytes, offset));
  }

  read(fid: Fid<File>, count: number = 1 << 24, offset = 0): Uint8Array {
    return now(this.fossil.srv.read?.(fid, count, offset) as Answer<Uint8Array>).slice();
  }

  clunk(fid: Fid<File>): void {
    now(this.fossil.srv.clunk?.(fid));
  }

  put(name: string, data: Uint8Array | string): void {
    const fid = this.create(name);
    this.write(fid, data);
    this.clunk(fid);
  }

  get(name: string, from?: File): Uint8Array {
    return this.read(this.open(name, OREAD, from));
  }

  stat(name: string, from?: File): Dir {
    return now(this.fossil.srv.stat(this.fid(this.#must(name, from))));
  }

  wstat(name: string, w: Wstat): void {
    now(this.fossil.srv.wstat?.(this.fid(this.#must(name)), w));
  }

  remove(name: string): void {
    now(this.fossil.srv.remove?.(this.fid(this.#must(name))));
  }

  /** The entries of a directory, read with small buffers. */
  ls(name: string, from?: File): Dir[] {
    const fid = this.open(name, OREAD, from);
    const dirs: Dir[] = [];
    for (let offset = 0; ;) {
      const bytes = this.read(fid, 300, offset);
      if (bytes.length === 0) return dirs;
      offset += bytes.length;
      dirs.push(...entries(bytes));
    }
  }

  /** All names with what they are and have, as text. */
  dump(from?: File, at = ""): string[] {
    return this.ls(at, from).flatMap((d) => {
      const name = `${at}/${d.name}`;
      const perm = (d.mode & ((from?.snap ?? 0) === 0 ? 0o777 : 0o555)).toString(8);
      if ((d.mode & DMDIR) !== 0) return [`${name}/ ${perm}`, ...this.dump(from, name)];
      const bytes = this.get(name, from);
      return [
        `${name} ${perm} ${d.length} ${Buffer.from(hash(bytes)).toString("hex").slice(0, 16)} ${bytes.length}`,
      ];
    });
  }

  sync(): void {
    finish(this.fossil.sync());
  }

  check(): readonly string[] {
    return finish(this.fossil.check()).faults;
  }
}
