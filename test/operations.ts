// The operations of the round-trip table (issue: every name operation is one round trip), each with what
// must be there before and what it is allowed to cost.

import { DMDIR, MREPL, OEXCL, OREAD, OTRUNC, OWRITE } from "../kernel/const.ts";
import { convM2D } from "../kernel/dir.ts";
import type { Sys } from "../syscalls/sys.ts";
import { failure, put } from "./kit.ts";

/** An operation on `name`, whose directory is there. */
export type Operation = {
  readonly name: string;
  readonly ready?: (sys: Sys, name: string) => Promise<unknown>;
  readonly run: (sys: Sys, name: string) => Promise<unknown>;
  /** Descriptors that run gave are closed by whoever measures; this undoes the rest. */
  readonly undo?: (sys: Sys, name: string) => Promise<unknown>;
};

const file = (sys: Sys, name: string): Promise<void> => put(sys, name, "contents");
const dir = async (sys: Sys, name: string): Promise<void> =>
  sys.close(await sys.create(name, OREAD, DMDIR | 0o777));

/** What is one round trip at any depth. */
export const OPERATIONS: readonly Operation[] = [
  { name: "open", ready: file, run: (sys, name) => sys.open(name, OREAD) },
  { name: "open, OTRUNC", ready: file, run: (sys, name) => sys.open(name, OWRITE | OTRUNC) },
  { name: "open, missing", run: (sys, name) => failure(sys.open(name, OREAD)) },
  { name: "stat", ready: file, run: (sys, name) => sys.stat(name) },
  { name: "wstat, rename", ready: file, run: (sys, name) => sys.wstat(name, { name: "renamed" }) },
  { name: "wstat, chmod", ready: file, run: (sys, name) => sys.wstat(name, { mode: 0o600 }) },
  { name: "remove", ready: file, run: (sys, name) => sys.remove(name) },
  { name: "create, new", run: (sys, name) => sys.create(name, OWRITE, 0o666) },
  { name: "create, existing", ready: file, run: (sys, name) => sys.create(name, OWRITE, 0o666) },
  { name: "create, OEXCL", run: (sys, name) => sys.create(name, OWRITE | OEXCL, 0o666) },
  {
    name: "create, OEXCL, existing",
    ready: file,
    run: (sys, name) => failure(sys.create(name, OWRITE | OEXCL, 0o666)),
  },
  { name: "mkdir", run: (sys, name) => sys.create(name, OREAD, DMDIR | 0o777) },
  {
    name: "chdir",
    ready: dir,
    run: (sys, name) => sys.chdir(name),
    undo: (sys) => sys.chdir("/"),
  },
];

export const BIND: Operation = {
  name: "bind",
  ready: async (sys, name) => {
    await dir(sys, name);
    await dir(sys, `${name}-old`);
  },
  run: (sys, name) => sys.bind(name, `${name}-old`, MREPL),
  undo: (sys, name) => sys.unmount(null, `${name}-old`),
};

/** Reads a file or directory to its end, in calls of so many bytes. */
export async function readall(sys: Sys, name: string, size: number): Promise<Uint8Array> {
  const fd = await sys.open(name, OREAD);
  const parts: Uint8Array[] = [];
  for (;;) {
    const buf = new Uint8Array(size);
    const n = await sys.read(fd, buf);
    if (n === 0) break;
    parts.push(buf.subarray(0, n));
  }
  await sys.close(fd);
  return Buffer.concat(parts);
}

/** The names in a directory that is read to its end. */
export async function list(sys: Sys, name: string): Promise<{ name: string; isdir: boolean }[]> {
  const bytes = await readall(sys, name, 16384);
  const entries: { name: string; isdir: boolean }[] = [];
  for (let off = 0; off < bytes.length;) {
    const d = convM2D(bytes, off, bytes.length);
    if (d === null) throw new Error("malformed directory entry");
    entries.push({ name: d.dir.name, isdir: (d.dir.mode & DMDIR) !== 0 });
    off = d.next;
  }
  return entries;
}

/** Creates a file with these contents, in one write. */
export async function write(sys: Sys, name: string, bytes: Uint8Array): Promise<void> {
  const fd = await sys.create(name, OWRITE, 0o666);
  await sys.write(fd, bytes);
  await sys.close(fd);
}

/** A tree of 100 small files: four directories of 25. */
export async function maketree(sys: Sys, top: string): Promise<void> {
  await dir(sys, top);
  for (let d = 0; d < 4; d++) {
    await dir(sys, `${top}/d${d}`);
    for (let f = 0; f < 25; f++) await put(sys, `${top}/d${d}/f${f}`, `${d} ${f}`);
  }
}

/** Copies a tree: one call after another, or all that one directory holds at once. */
export async function copytree(sys: Sys, from: string, to: string, all: boolean): Promise<void> {
  await dir(sys, to);
  const copies: Promise<void>[] = [];
  for (const e of await list(sys, from)) {
    const [a, b] = [`${from}/${e.name}`, `${to}/${e.name}`];
    const copy = e.isdir ? copytree(sys, a, b, all) : copyfile(sys, a, b);
    if (all) copies.push(copy);
    else await copy;
  }
  await Promise.all(copies);
}

async function copyfile(sys: Sys, from: string, to: string): Promise<void> {
  await write(sys, to, await readall(sys, from, 8192));
}
