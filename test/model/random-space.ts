// What both models of a name space share (random-names.ts, random-standard.ts): files in use, names taken
// apart, and errors with the part of the name that they are about.

import { DMDIR, OEXEC } from "../../kernel/abi/const.ts";
import type { Wstat } from "../../kernel/abi/dir.ts";
import { Eexecdir, Enotdir, PlanError, error } from "../../kernel/abi/errors.ts";
import { nameerror } from "../../kernel/names/name.ts";
import type { File } from "./random-tree.ts";

/** A file as one attach of its server shows it. */
export type Ref = { readonly file: File; readonly att: number };

export const isref = (a: Ref, b: Ref): boolean => a.file === b.file && a.att === b.att;

/** One member of a union. */
export type Mem = { readonly ref: Ref; readonly create: boolean; readonly covered: boolean };

/** Where a process is, and the names that led there. */
export type Place = {
  readonly elems: readonly string[];
  readonly ref: Ref;
  /** For `standard`: by depth, the mount points that the names went through. */
  readonly covered: ReadonlyMap<number, Ref>;
};

/** A name taken apart. */
export type Name = {
  readonly text: string;
  readonly absolute: boolean;
  readonly elems: readonly string[];
  readonly mustdir: boolean;
  /** The text up to and including each element. */
  readonly upto: readonly string[];
};

/** The names taken apart so far: they are few, since they are made of a few elements. */
const names = new Map<string, Name>();

export function parse(text: string): Name {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = apart(text)));
  return name;
}

function apart(text: string): Name {
  const all = [...text.matchAll(/[^/]+/g)].filter(([e]) => e !== ".");
  const upto = all.map((m) => text.slice(0, m.index + m[0].length));
  if (upto.length > 0) upto[upto.length - 1] = text;
  const mustdir = all.length > 0 && /\/\.?$/.test(text);
  return { text, absolute: text.startsWith("/"), elems: all.map(([e]) => e), mustdir, upto };
}

/** The cleaned path of a name from dot, and for each element which of the name's own it is, -1 if dot's. */
export function clean(dot: readonly string[], name: Name): { elems: string[]; own: number[] } {
  const elems = name.absolute ? [] : [...dot];
  const own = elems.map(() => -1);
  for (const [i, e] of name.elems.entries()) {
    if (e === "..") {
      elems.pop();
      own.pop();
    } else {
      elems.push(e);
      own.push(i);
    }
  }
  return { elems, own };
}

/** Throws for the whole name. */
export function whole(name: Name, text: string): never {
  return error(name.elems.length === 0 ? text : nameerror(name.text, text));
}

/** Runs fn, whose failures are of the whole name. */
export function asname<T>(name: Name, fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    if (e instanceof PlanError) whole(name, e.message);
    throw e;
  }
}

/** The kinds that a name or a mode excludes, before a server is asked. */
export function checkkind(name: Name, file: File, mode: number): void {
  if (name.mustdir && !file.isdir) whole(name, Enotdir);
  if ((mode & 3) === OEXEC && file.isdir) whole(name, Eexecdir);
}

/** What an open came to. */
export type Opened = {
  readonly ref: Ref;
  readonly elems: readonly string[];
  readonly ismtpt: boolean;
  /** The members of the union it is, as they are when asked. */
  readonly members: (() => readonly Ref[]) | null;
};

export type Want = { readonly mode: number; readonly perm: number };

export const isdirperm = (perm: number): boolean => (perm & DMDIR) !== 0;

/** A name space, as a process uses it from its dot. */
export interface Space {
  stat(dot: Place, name: string): { readonly file: File; readonly name: string };
  open(dot: Place, name: string, mode: number): Opened;
  create(dot: Place, name: string, want: Want): Opened;
  remove(dot: Place, name: string): void;
  wstat(dot: Place, name: string, w: Wstat): void;
  chdir(dot: Place, name: string): Place;
  bind(dot: Place, name: string, old: string, flags: number): void;
  mount(dot: Place, root: Ref, old: string, flags: number): void;
  unmount(dot: Place, name: string | null, old: string): void;
  /** What a listing of the directory shows for one of its entries. */
  instead(dir: Opened, f: Ref): File | null;
  /** The file that a name leads to, null if none: asked before an operation, to leave others' files alone. */
  peek(dot: Place, name: string): File | null;
  fork(): Space;
}
