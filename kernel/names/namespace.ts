// What a name space is to the rest of the kernel. There are two behind this interface, and boot chooses one. `names`
// (names.ts) has an immutable table of names. `standard` (standard.ts) has a table of covered files, and asks every
// server on the way, as the published Plan 9 kernel does.

import type { Chan, Path } from "../chan.ts";
import { MAFTER, MBEFORE, MCACHE, MCREATE } from "../abi/const.ts";
import { Ebadsharp, Enoattach, error } from "../abi/errors.ts";
import type { Want } from "../dev.ts";
import type { Dir } from "../abi/dir.ts";
import type { Name } from "./name.ts";
import type { Proc } from "../proc/proc.ts";
import type { Answer, Task } from "../proc/rendez.ts";

/** How mount(2) mounts. */
export type Mounthow = { readonly flags: number; readonly spec: string };

/** One line of /proc/n/ns: `bind -a new old` or `mount -c chan old spec`; sorted by id. */
export type Nsline = { readonly id: number; readonly text: string };

/** What a line of ns(1) is made of. */
export type Nsmount = {
  /** The Chan to the server, null for a bind. */
  readonly mchan: Chan | null;
  readonly flags: number;
  /** What a bind was made from. */
  readonly from: string;
  readonly old: string;
  readonly spec: string;
};

/** The text of a line of ns(1); channame names the Chan to a server. */
export function nsline(m: Nsmount, channame: (c: Chan) => string): string {
  const flags = flagtext(m.flags);
  if (m.mchan === null) return `bind ${flags} ${m.from} ${m.old}`;
  return `mount ${flags} ${channame(m.mchan)} ${m.old} ${m.spec}`;
}

/** The flags of a line of ns(1): "-ac". */
function flagtext(flags: number): string {
  if (flags === 0) return "";
  let s = "-";
  if ((flags & MAFTER) !== 0) s += "a";
  if ((flags & MBEFORE) !== 0) s += "b";
  if ((flags & MCREATE) !== 0) s += "c";
  if ((flags & MCACHE) !== 0) s += "C";
  return s;
}

/** A member of a union, for those who show it. */
export type Mounted = {
  /** The name it was bound from; of a mount, the Chan to its server. */
  readonly from: string;
  readonly flags: number;
  readonly spec: string;
  readonly id: number;
  /** The 9P connection that it is reached over; 0 for a device. */
  readonly conn: number;
  /** The character of its device. */
  readonly dev: string;
};

/** A mount point and what is on it. */
export type Mountpoint = { readonly path: string; readonly members: readonly Mounted[] };

/** A name space as it was at one moment: its mount points. It never changes. */
export type Picture = readonly Mountpoint[];

/** What a picture has of a Chan that is mounted. */
export function mounteddev(c: Chan): { readonly conn: number; readonly dev: string } {
  return { conn: c.dev.conn(c), dev: c.dev.dc };
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

/** Why a walk that was put off has to be made now: its answer decides what comes next. */
export type Forcedby = "mustdir" | "dot" | "mount" | "exclusive" | "look" | "parent";

/** What part of a name an error is about. */
export type Blame = {
  /** The name, so far as it is shown. */
  readonly name: string;
  readonly element: string | undefined;
  /** How many elements of the path the trace tells of. */
  readonly walked: number;
};

/**
 * A name on its way to a file: what namec needs of a name space. It holds what it starts from until release.
 * An error of the walk has PlanError.at, which blame takes.
 */
export interface Way {
  readonly up: Proc;
  readonly name: Name;
  /** It ends in / or /. and so must be a directory. */
  readonly mustdir: boolean;
  /** The table alone says that the name is a mount point. */
  readonly ismtpt: boolean;
  /** The name that the file has, as far as it is known before the walk. */
  readonly path: Path;
  /** The last element of it. */
  readonly last: string;
  /** PlanError.at of an error that is about the whole name. */
  readonly end: number;
  /** The Chan of the name; a mounted one is not crossed to yet, and a walk may be put off (Later). */
  find(): Answer<Chan>;
  /** find, and the walk made, because of `why`. */
  found(why: Forcedby): Answer<Chan>;
  /** What is mounted on c, or c, with no other holder, to be opened or changed. Takes c over. */
  cross(c: Chan): Answer<Chan>;
  /** The entry of the name. */
  stat(): Answer<Dir>;
  /** The open Chan gets what the name adds: its path, and the union that it is. */
  opened(c: Chan): Chan;
  /** Creates the file where no look at the name is needed; null where create has to look. */
  createnow(want: Want): Answer<Chan> | null;
  /** The Chan of the name, null when its last element is missing. */
  look(): Answer<Chan | null>;
  /** A Chan of the directory to create in, which becomes the file's. */
  parent(): Answer<Chan>;
  /** The created Chan gets its path. */
  created(c: Chan): Chan;
  blame(at: number): Blame;
  release(): Task<void>;
}

/** The name space of a Pgrp. */
export interface Namespace {
  /** Where the walk of a name starts. */
  start(up: Proc, text: string): Answer<Way>;
  /** Binds name on old; gives the mount id. */
  bind(up: Proc, name: string, old: string, flags: number): Task<number>;
  /** Mounts the attached root c, whose reference it takes, on old. */
  mount(up: Proc, c: Chan, old: string, how: Mounthow): Task<number>;
  /** Takes name, or everything, off old. */
  unmount(up: Proc, name: string | null, old: string): Task<void>;
  /** The lines of /proc/n/ns but for the last, in the order of their ids. */
  lines(channame: (c: Chan) => string): Nsline[];
  /** In a buffer of directory entries read from c, puts the mounted directories in place of the entries they cover. */
  mountfix(up: Proc, c: Chan, entries: Uint8Array): Answer<Uint8Array | null>;
  /** A copy for RFNAMEG. */
  fork(): Namespace;
  /** The name space with nothing but the kernel's root, for RFCNAMEG. */
  clean(): Namespace;
  /** An immutable picture of it, for the trace. */
  snapshot(): Picture;
  /** The last process of the group is gone. */
  close(): Task<void>;
}
