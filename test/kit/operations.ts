// The operations of the round-trip table. Each has the files that must be there before, and the round trips that it may cost.

import { DMDIR, MREPL, OEXCL, OREAD, OSTREAM, OTRUNC, OWRITE } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { entries, failure, put } from "./kit.ts";

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

/** How a file is read: in calls of so many bytes, or as one stream. */
export type Readopts = { readonly size?: number; readonly stream?: boolean };

/** Reads a file or directory to its end. */
export async function readall(sys: Sys, name: string, opts: Readopts = {}): Promise<Uint8Array> {
  const { size = 16384, stream = false } = opts;
  const fd = await sys.open(name, stream ? OREAD | OSTREAM : OREAD);
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

export type Entry = { readonly name: string; readonly isdir: boolean };

/** The names in a directory that is read to its end. */
export async function list(sys: Sys, name: string, opts: Readopts = {}): Promise<Entry[]> {
  const dirs = entries(await readall(sys, name, opts));
  return dirs.map((d) => ({ name: d.name, isdir: (d.mode & DMDIR) !== 0 }));
}

/** Creates a file with these contents, in one write. */
export async function write(sys: Sys, name: string, bytes: Uint8Array, flags = 0): Promise<void> {
  const fd = await sys.create(name, OWRITE | flags, 0o666);
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

/** How a tree is copied: everything that one directory holds at once, and files as streams. */
export type Copyopts = { readonly all?: boolean; readonly stream?: boolean };

/** Copies a tree. */
export async function copytree(
  sys: Sys,
  from: string,
  to: string,
  opts: Copyopts = {},
): Promise<void> {
  const { stream = false } = opts;
  await dir(sys, to);
  const copies: Promise<void>[] = [];
  for (const e of await list(sys, from, { stream })) {
    const [a, b] = [`${from}/${e.name}`, `${to}/${e.name}`];
    const copy = e.isdir ? copytree(sys, a, b, opts) : copyfile(sys, a, b, stream);
    if (opts.all === true) copies.push(copy);
    else await copy;
  }
  await Promise.all(copies);
}

async function copyfile(sys: Sys, from: string, to: string, stream: boolean): Promise<void> {
  await write(sys, to, await readall(sys, from, { size: 8192, stream }), stream ? OSTREAM : 0);
}
