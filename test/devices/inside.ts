// Runs a program in a kernel of its own, under virtual time, and sees that it leaves nothing behind.

import type { ExecutionContext } from "ava";
import type { Tree } from "../../devices/mem.ts";
import { OREAD } from "../../kernel/abi/const.ts";
import { type Dir, convM2D } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";

/** What a program in a test is given: the test and the system calls. */
export type Inside = (t: ExecutionContext, sys: Sys) => Promise<void>;

/** The macro: boots, runs the program, checks the audit. */
export function inside(fn: Inside, files: Tree = {}): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const k = await boot({ clock: "virtual", files });
    const proc = k.spawn(async (sys: Sys) => fn(t, sys), ["main"]);
    const status = await proc.wait();
    if (proc.crash !== undefined) throw proc.crash;
    t.is(status, "");
    t.deepEqual(k.audit(), { procs: [], chans: [], fids: [], tags: [] });
    await k.shutdown();
  };
}

/** The error string of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (e) {
    if (e instanceof PlanError) return e.message;
    throw e;
  }
  return "no error";
}

/** One read. */
export async function readtext(sys: Sys, fd: number, n = 8192): Promise<string> {
  const buf = new Uint8Array(n);
  return utfdecode(buf, 0, await sys.read(fd, buf));
}

export function write(sys: Sys, fd: number, text: string): Promise<number> {
  return sys.write(fd, utfencode(text));
}

/** A small file, whole. */
export async function cat(sys: Sys, name: string): Promise<string> {
  const fd = await sys.open(name, OREAD);
  let all = "";
  for (let s = await readtext(sys, fd); s !== ""; s = await readtext(sys, fd)) all += s;
  await sys.close(fd);
  return all;
}

/** The entries of one read of a directory. */
export async function dirs(sys: Sys, fd: number, n = 8192): Promise<Dir[]> {
  const buf = new Uint8Array(n);
  const got = await sys.read(fd, buf);
  const list: Dir[] = [];
  for (let o = 0; o < got;) {
    const d = convM2D(buf, o, got);
    if (d === null) throw new Error("malformed directory entry");
    list.push(d.dir);
    o = d.next;
  }
  return list;
}

/** The names in a directory. */
export async function ls(sys: Sys, name: string): Promise<string[]> {
  const fd = await sys.open(name, OREAD);
  const names: string[] = [];
  for (let l = await dirs(sys, fd); l.length > 0; l = await dirs(sys, fd))
    names.push(...l.map((d) => d.name));
  await sys.close(fd);
  return names;
}
