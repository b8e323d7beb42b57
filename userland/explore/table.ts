// The dependency table: what each system call touches beside files, and what an operation of each device
// touches. Two steps are independent when each thing that both touch is only read by both, or only
// added to by both. docs/exploring.md shows the same table to users.

import { RFMEM, RFPROC } from "../../kernel/abi/const.ts";
import type { Callname } from "../../kernel/abi/calls.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Call } from "../../kernel/trace.ts";
import { READ, WRITE } from "./touches.ts";
import type { How } from "./touches.ts";

/**
 * What a call may touch of its process and of what that shares with others.
 *
 *	table     the descriptors, which processes share unless rfork copies them
 *	names     the name space
 *	offset    the offset of the descriptor's file, which processes share that have the same open file
 *	children  the children that have ended; who forks and who waits is one process, whose steps have an order
 *	tag       the tag of a rendezvous
 *	word      the word of a semaphore
 */
export type Thing = "table" | "names" | "offset" | "children" | "tag" | "word";

/** What one call touches beside files: those are touched where a device is asked. */
export type Row = { readonly [T in Thing]?: How };

/** Each call's row. */
export const CALLS: { readonly [K in Callname]: Row } = {
  open: { table: WRITE, names: READ },
  create: { table: WRITE, names: READ },
  close: { table: WRITE },
  remove: { names: READ },
  chdir: { names: READ },
  dup: { table: WRITE },
  pipe: { table: WRITE },
  fd2path: { table: READ },
  read: { table: READ, offset: WRITE },
  write: { table: READ, offset: WRITE },
  pread: { table: READ, offset: WRITE },
  pwrite: { table: READ },
  seek: { table: READ, offset: WRITE },
  stat: { names: READ },
  fstat: { table: READ },
  wstat: { names: READ },
  fwstat: { table: READ },
  statraw: { names: READ },
  fstatraw: { table: READ },
  wstatraw: { names: READ },
  fwstatraw: { table: READ },
  bind: { names: WRITE },
  mount: { table: READ, names: WRITE },
  unmount: { names: WRITE },
  fversion: { table: READ, offset: WRITE },
  fauth: { table: WRITE, offset: WRITE },
  errstr: {},
  nsec: {},
  rfork: { table: READ, names: READ },
  exec: { table: WRITE, names: READ },
  exits: {},
  _exits: {},
  wait: { children: WRITE },
  await: { children: WRITE },
  notify: {},
  noted: {},
  alarm: {},
  sleep: {},
  stream: { table: READ, offset: WRITE },
  sread: { table: READ, offset: WRITE },
  swrite: { table: READ, offset: WRITE },
  semacquire: { word: WRITE },
  tsemacquire: { word: WRITE },
  semrelease: { word: WRITE },
  rendezvous: { tag: WRITE },
};

/**
 * How the files of a device depend on each other.
 *
 *	none    they never change
 *	files   each is a thing for itself
 *	tree    a tree of files that programs change: names and directories are things, too
 *	pipe    each direction of a pipe, and who has its ends open
 *	procs   processes: a step of one depends on what is done to its files
 *	whole   all of it is one thing: what is far away, and devices that are not known here
 *
 * The files of '#c' are those of one console, and those of '#e' of one environment.
 */
export type Kind = "none" | "files" | "tree" | "pipe" | "procs" | "whole";

/** The devices by their characters; any other is "whole". */
const DEVICES: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["/", "none"],
  ["R", "tree"],
  ["e", "tree"],
  ["s", "tree"],
  ["c", "files"],
  ["d", "none"],
  ["|", "pipe"],
  ["p", "procs"],
]);

/** The kind of a device. */
export function kindof(dc: string): Kind {
  return DEVICES.get(dc) ?? "whole";
}

/** Whether a call begins a process that shares its parent's memory: each of their steps depends on the others'. */
export function sharesmemory(name: string, args: readonly unknown[]): boolean {
  const flags = args[0];
  return (
    name === "rfork" && typeof flags === "number" && (flags & RFPROC) !== 0 && (flags & RFMEM) !== 0
  );
}

/** Tells the things of a call: name, and how it is touched. */
export function thingsof(
  up: Proc,
  { name, args }: Pick<Call, "name" | "args">,
  id: (x: object) => number,
  touch: (what: string, how: How) => void,
): void {
  const rows: Readonly<Record<string, Row | undefined>> = CALLS;
  const row = rows[name];
  if (row === undefined) return;
  const { table, names, children, tag, word, offset } = row;
  if (table !== undefined) touch(`table ${id(up.fgrp)}`, table);
  if (names !== undefined) touch(`names ${id(up.pgrp)}`, names);
  if (children !== undefined) touch(`children ${id(up)}`, children);
  if (tag !== undefined) touch(`tag ${id(up.rgrp)} ${tagname(args[0])}`, tag);
  if (word !== undefined && args[0] instanceof Int32Array)
    touch(`word ${args[0].byteOffset}`, word);
  if (offset === undefined) return;
  const c = typeof args[0] === "number" ? up.fgrp.fd[args[0]] : null;
  if (c !== undefined && c !== null && c.dev.plain(c))
    touch(`offset ${id(up.k)} ${up.k.trace.chans.of(c)}`, offset);
}

/** Objects have no name that is the same in every schedule: all of them are one tag. */
function tagname(tag: unknown): string {
  if (typeof tag === "string") return `string ${tag}`;
  const plain = typeof tag === "number" || typeof tag === "bigint" || typeof tag === "boolean";
  return plain ? `${typeof tag} ${tag}` : "object";
}
