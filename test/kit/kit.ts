// What kernel tests share: a kernel under virtual time that must leave nothing behind, programs run to
// their end, a ramfs on a name, and messages and resolution steps in short notation.

import type { ExecutionContext } from "ava";
import type { Tree } from "../../devices/mem.ts";
import type { Booted } from "../../kernel/boot.ts";
import { DMDIR, MCREATE, MREPL, ORDWR, OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Audit } from "../../kernel/kernel.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import { type Dir, convM2D } from "../../kernel/abi/dir.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { type Bootopts, boot } from "../../userland/boot/boot.ts";
import { type Anysrv, postmount } from "../../userland/lib/9p.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { newram } from "../../userland/lib/ram.ts";

/** The audit of a kernel in which nothing is alive. */
export const NOTHING: Audit = { procs: [], chans: [], fids: [], tags: [] };

/** A test in a kernel of its own; when it is over the kernel ends, and nothing may be left in it. */
export function within(
  fn: (t: ExecutionContext, k: Booted) => Promise<void>,
  opts: Bootopts = {},
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const k = await boot({ clock: "virtual", ...opts });
    await fn(t, k);
    await k.shutdown();
    t.deepEqual(k.audit(), NOTHING);
  };
}

/** The same for a program of one process, in a kernel that has these files. */
export const inside = (
  fn: (t: ExecutionContext, sys: Sys) => Promise<void>,
  files: Tree = {},
): ((t: ExecutionContext) => Promise<void>) =>
  within(async (t, k) => void t.is((await run(k, (sys: Sys) => fn(t, sys))).status, ""), { files });

/** Runs a program to its end; what it threw, the test throws. Gives status and output. */
export async function run(
  k: Booted,
  main: Program,
  argv: readonly string[] = ["main"],
): Promise<{ status: string; output: string }> {
  const p = k.spawn(main, argv);
  const status = await p.wait();
  if (p.crash !== undefined) throw p.crash;
  return { status, output: p.output };
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

/** The start of a file, as text. */
export async function cat(sys: Sys, name: string): Promise<string> {
  const fd = await sys.open(name, 0);
  try {
    const buf = new Uint8Array(8192);
    return utfdecode(buf, 0, await sys.read(fd, buf));
  } finally {
    await sys.close(fd);
  }
}

/** One read. */
export async function readonce(sys: Sys, fd: number, n = 8192): Promise<string> {
  const buf = new Uint8Array(n);
  return utfdecode(buf, 0, await sys.read(fd, buf));
}

export const write = (sys: Sys, fd: number, text: string): Promise<number> =>
  sys.write(fd, utfencode(text));

/** The entries of a directory in the bytes that a read gave. */
export function entries(buf: Uint8Array, n: number = buf.length): Dir[] {
  const list: Dir[] = [];
  for (let at = 0; at < n;) {
    const e = convM2D(buf, at, n);
    if (e === null) throw new Error("malformed directory entry");
    list.push(e.dir);
    at = e.next;
  }
  return list;
}

/** The entries of one read of a directory. */
export async function dirs(sys: Sys, fd: number, n = 8192): Promise<Dir[]> {
  const buf = new Uint8Array(n);
  return entries(buf, await sys.read(fd, buf));
}

/** The names in a directory. */
export const ls = async (sys: Sys, name: string): Promise<string[]> =>
  (await readdir(sys, name)).map((d) => d.name);

/** Makes directories, which may be written by all. */
export async function mkdir(sys: Sys, ...names: readonly string[]): Promise<void> {
  for (const name of names) await sys.close(await sys.create(name, OREAD, DMDIR | 0o777));
}

/** Writes a file, creating or truncating it. */
export async function put(sys: Sys, name: string, text: string): Promise<void> {
  const fd = await sys.create(name, ORDWR, 0o666);
  await sys.write(fd, new TextEncoder().encode(text));
  await sys.close(fd);
}

/** How mountram mounts: `delay` is what the server waits, in ms, before it looks at what has come. */
export type Mountopts = {
  readonly flags?: number;
  readonly version?: string;
  readonly delay?: number;
};

/** Mounts a ramfs, everybody's, on a directory; gives the server's pid. */
export async function mountram(
  sys: Sys,
  mtpt: string,
  { flags = MREPL | MCREATE, version = "9P2000.ix.stream", delay = 0 }: Mountopts = {},
): Promise<number> {
  const make = (s: TaskSys): Anysrv => {
    const ram = newram(s, { user: "glenda", perm: 0o777 });
    const turn = function* (): Task<void> {
      if (delay > 0) yield* s.sleep(delay);
      yield* ram.turn?.() ?? s.nsec();
    };
    return { ...ram, version, turn } as Anysrv;
  };
  return postmount(sys, make, { mtpt, flags });
}

/** Gathers the requests that the kernel sends, from now on, as "Twalk(a/b) Topen(0)". */
export function requests(k: Booted): string[] {
  const list: string[] = [];
  k.trace.listen((e) => {
    if (e.type === "send" && F.isT(e.fcall)) list.push(short(e.fcall));
  });
  return list;
}

/** A request in short: Twalk(a/b), Tread(100@0). */
function short(f: F.Tmsg): string {
  switch (f.type) {
    case F.Twalk:
      return `Twalk(${f.wname.length === 0 ? "clone" : f.wname.join("/")})`;
    case F.Topen:
      return `Topen(${f.mode})`;
    case F.Tcreate:
      return `Tcreate(${f.name})`;
    case F.Tread:
      return `Tread(${f.count}@${f.offset})`;
    case F.Twrite:
      return `Twrite(${f.data.length}@${f.offset})`;
    case F.Tversion:
      return `Tversion(${f.version})`;
    default:
      return NAMES[f.type] ?? String(f.type);
  }
}

const NAMES: { readonly [type: number]: string } = {
  [F.Tauth]: "Tauth",
  [F.Tattach]: "Tattach",
  [F.Tflush]: "Tflush",
  [F.Tclunk]: "Tclunk",
  [F.Tremove]: "Tremove",
  [F.Tstat]: "Tstat",
  [F.Twstat]: "Twstat",
  [F.Tstream]: "Tstream",
};

/** Gathers what namec does, from now on, one line for each step. */
export function steps(k: Booted): string[] {
  const list: string[] = [];
  k.trace.listen((e) => {
    if (e.type === "namec") list.push(stepline(e));
  });
  return list;
}

function stepline(e: object): string {
  const words: string[] = [];
  for (const [key, value] of Object.entries(e) as [string, unknown][])
    if (key === "step") words.unshift(text(value));
    else if (!["at", "pid", "call", "type"].includes(key)) words.push(`${key}=${text(value)}`);
  return words.join(" ");
}

const text = (value: unknown): string =>
  Array.isArray(value) ? value.join("/") : JSON.stringify(value).replaceAll('"', "");
