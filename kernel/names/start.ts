// Where the walk of a name starts in the `names` name space: at a device, at dot, or at the longest
// mounted prefix. Nothing is sent to find out.

import { Path, cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { Ebadsharp, Enoattach, error } from "../abi/errors.ts";
import type { Member, MountTable } from "./mtab.ts";
import { cleanelems } from "./name.ts";
import type { Name } from "./name.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Answer, Task } from "../proc/rendez.ts";

/** The start of a walk. */
export type Start = {
  readonly name: Name;
  /** The union it starts at; null at dot and at a device. */
  readonly members: readonly Member[] | null;
  /** The Chan it starts at: the first member's, dot's or the device's. */
  readonly chan: Chan;
  /** The elements to walk. */
  readonly rest: readonly string[];
  /** The whole name, cleaned. */
  readonly path: Path;
  /** Elements of the path that are not walked, since the table knows them. */
  readonly skip: number;
  /** Elements of the path that are dot's. */
  readonly dotlen: number;
  /** The rest is walked as given, ".." and all: a device's own tree. */
  readonly raw: boolean;
  /** The start holds a reference to chan: dot may change while it is walked from. The table holds its own. */
  readonly owned: boolean;
  /** The members now, for whoever reads the union later. */
  readonly live: () => readonly Chan[];
};

const nolive = (): readonly Chan[] => [];

/** Where the walk of name starts; null for a name such as #s/x, whose device must be attached. */
export function startof(up: Proc, table: MountTable, name: Name): Start | null {
  const { trace } = up.k;
  const { dot } = up;
  if (name.root === "/" || (name.root === "" && dot.path.root === "/")) {
    const from = name.root === "/" ? NODOT : dot.path.elems;
    const elems = from.length > 0 || name.dotdot ? cleanelems(from, name.elems) : name.elems;
    if (trace.on)
      trace.emit({ type: "namec", step: "clean", name: name.text, path: `/${elems.join("/")}` });
    return prefix(up, table, name, elems);
  }
  return name.root === "" ? fromdevice(up, name, dot) : null;
}

const NODOT: readonly string[] = [];

/** A name in the tree: from dot, unless the table has a mount point at dot's name or below it on the way. */
function prefix(up: Proc, table: MountTable, name: Name, elems: readonly string[]): Start {
  const { trace } = up.k;
  const { node, depth } = table.lookup(elems);
  const path = new Path("/", elems);
  const dotlen = name.root === "/" ? 0 : up.dot.path.elems.length;
  if (name.root === "" && depth < dotlen && isbelow(up.dot.path.elems, elems)) {
    const rest = elems.slice(dotlen);
    if (trace.on) trace.emit({ type: "namec", step: "dot", path: up.dot.path.toString(), rest });
    const at = { name, members: null, chan: up.dot.incref(), rest, path, skip: dotlen, dotlen };
    return { ...at, raw: false, owned: true, live: nolive };
  }
  const { members } = node;
  const first = members[0];
  if (first === undefined) return error("mount table without a root");
  const rest = depth === 0 ? elems : elems.slice(depth);
  if (trace.on)
    trace.emit({
      type: "namec",
      step: "prefix",
      prefix: `/${elems.slice(0, depth).join("/")}`,
      rest,
      members: members.length,
      point: `/${elems.slice(0, depth).join("/")}`,
    });
  const live = members.length > 1 && rest.length === 0 ? livemembers(up, elems) : nolive;
  return {
    name,
    members,
    chan: first.chan,
    rest,
    path,
    skip: depth,
    dotlen,
    raw: false,
    owned: false,
    live,
  };
}

/** The members of a mount point as they are when asked: an unmount ends the reading of a union. */
function livemembers(up: Proc, elems: readonly string[]): () => readonly Chan[] {
  const { pgrp } = up;
  return () => pgrp.ns.membersat?.(elems) ?? [];
}

function isbelow(dot: readonly string[], elems: readonly string[]): boolean {
  for (let i = 0; i < dot.length; i++) if (dot[i] !== elems[i]) return false;
  return elems.length >= dot.length;
}

/** From a dot inside a device's tree: its names bypass the table, and ".." is the device's to walk. */
function fromdevice(up: Proc, name: Name, dot: Chan): Start {
  const elems = cleanelems(dot.path.elems, name.elems);
  if (up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "dot", path: dot.path.toString(), rest: name.elems });
  const path = new Path(dot.path.root, elems);
  return {
    name,
    members: null,
    chan: dot.incref(),
    rest: name.elems,
    path,
    skip: 0,
    dotlen: 0,
    raw: true,
    owned: true,
    live: nolive,
  };
}

/** Devices that RFNOMNT leaves to a process. */
const ALLOWED = "|decp";

/** The root of the device that a name such as #s0 says. */
export function attach(up: Proc, root: string): Answer<Chan> {
  const rune = String.fromCodePoint(root.codePointAt(1) ?? 0);
  const bare = root.length === 1;
  if (bare || rune === "M" || (up.pgrp.noattach && !ALLOWED.includes(rune))) error(Enoattach);
  const dev = up.k.devtab.get(rune);
  if (dev === undefined) return error(Ebadsharp);
  return dev.attach(up, root.slice(1 + rune.length));
}

/** From a name such as #s/x: the device is attached for it. */
export function* attached(up: Proc, name: Name): Task<Start> {
  const chan = yield* waitfor(attach(up, name.root));
  const rest = name.dotdot ? cleanelems([], name.elems) : name.elems;
  const path = new Path(name.root, rest);
  if (up.k.trace.on) up.k.trace.emit({ type: "namec", step: "device", path: name.root, rest });
  return {
    name,
    members: null,
    chan,
    rest,
    path,
    skip: 0,
    dotlen: 0,
    raw: false,
    owned: true,
    live: nolive,
  };
}

/** Gives up what the start holds. */
export function* release(s: Start): Task<void> {
  if (s.owned) yield* cclose(s.chan);
}
