// The Chan of device fs: a file of the host by the elements it was walked by, and what an open one has
// besides. How the device uses it is in fs-node.ts.

import type { BigIntStats } from "node:fs";
import { COPEN, Chan } from "../../kernel/chan.ts";
import { ORCLOSE } from "../../kernel/abi/const.ts";
import type { Dev } from "../../kernel/dev.ts";
import type { Qid } from "../../kernel/abi/dir.ts";
import { Enonexist, Eperm, PlanError, error } from "../../kernel/abi/errors.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { checkelem } from "../../kernel/abi/elems.ts";
import type { Listing } from "./listing-node.ts";
import type { Hosttree, Pin } from "./hosttree-node.ts";

/** Where a Chan is in the tree: the elements of its name, and what its device calls it. */
type At = { readonly names: readonly string[]; readonly qid: Qid; readonly devno: number };

/** A file of a tree. */
export class Fschan extends Chan {
  readonly tree: Hosttree;
  names: readonly string[];
  /** The host's descriptor of an open file; -1 of others and of directories. */
  fd = -1;
  rclose = false;
  written = false;
  /** Writes go to the end. */
  append = false;
  /** The names that an open directory has, as of the read at its beginning. */
  list: Listing | null = null;

  /** What the walk saw of the file, and when that was; see Fsdev.stat. */
  st: BigIntStats | null = null;
  asof = 0;

  constructor(dev: Dev, tree: Hosttree, at: At) {
    super(dev, at.qid, at.devno);
    this.tree = tree;
    this.names = at.names;
  }
}

/** The end of every open. */
export function opened(c: Fschan, mode: number, omode: number): Fschan {
  c.mode = mode;
  c.flag |= COPEN;
  c.offset = 0;
  c.rclose = (omode & ORCLOSE) !== 0;
  return c;
}

/** The last element of its name; the root's is "/". */
export const nameof = (c: Fschan): string => c.names.at(-1) ?? "/";

/** A name for a new file, or the new name of an old one. */
export function checkname(name: string): void {
  checkelem(name);
  if (name === "" || name === "." || name === "..") error(Eperm);
}

/** The name of a child, which the host takes as it is. */
export function isplain(elem: string): boolean {
  return elem !== "." && elem !== ".." && isname(elem);
}

const isname = (elem: string): boolean =>
  elem !== "" && !elem.includes("/") && !elem.includes("\0");

/** Walks one element: changes names, or says why there can be none. ".." of the root is the root. */
export function move(names: string[], elem: string): string | null {
  if (!isname(elem)) return Enonexist;
  if (elem === "..") names.pop();
  else if (elem !== ".") names.push(elem);
  return null;
}

/** An entry that was there when the directory was listed, or null. */
export function* statentry(c: Fschan, dir: Pin, name: string): Task<BigIntStats | null> {
  try {
    return yield* c.tree.statchild(dir, [...c.names, name]);
  } catch (e) {
    if (e instanceof PlanError) return null;
    throw e;
  }
}
