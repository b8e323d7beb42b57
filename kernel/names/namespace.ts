// What a name space is to the rest of the kernel. There are two behind this interface, chosen at boot:
// `names` (names.ts), the immutable name-based table, and `standard` (standard.ts), which is keyed by
// the covered file and asks every server on the way, as the published Plan 9 kernel does.

import type { Chan } from "../chan.ts";
import { MAFTER, MBEFORE, MCACHE, MCREATE } from "../abi/const.ts";
import type { Want } from "../dev.ts";
import type { Dir, Wstat } from "../abi/dir.ts";
import type { Proc } from "../proc/proc.ts";
import type { Task } from "../proc/rendez.ts";

// What namec is to do with the name: Plan 9's access modes, and for the operations that a server can do
// together with the walk (stat, wstat, remove) a mode of their own.
export const Abind = 1; // the left side of a bind
export const Atodir = 2; // as in chdir
export const Aopen = 3; // for i/o
export const Amount = 4; // to be mounted upon
export const Acreate = 5; // is to be created
export const Aremove = 6;
export const Astat = 7;
export const Awstat = 8;

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
  const line = `mount ${flags} ${channame(m.mchan)} ${m.old}`;
  return m.spec === "" ? line : `${line} ${m.spec}`;
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

/** A name space as it was at one moment: its mount points. Nobody changes it any more. */
export type Picture = readonly Mountpoint[];

/** What a picture has of a Chan that is mounted. */
export function mounteddev(c: Chan): { readonly conn: number; readonly dev: string } {
  return { conn: c.dev.conn(c), dev: c.dev.dc };
}

/** The name space of a Pgrp. */
export interface Namespace {
  /**
   * Turns a name into a Chan that the caller owns, or into the result of the one operation wanted.
   * Throws the error that the Plan 9 kernel gives, with the part of the name that failed in it.
   */
  namec(up: Proc, name: string, amode: typeof Astat): Task<Dir>;
  namec(up: Proc, name: string, amode: typeof Aopen, omode: number): Task<Chan>;
  namec(up: Proc, name: string, amode: typeof Acreate, want: Want): Task<Chan>;
  namec(up: Proc, name: string, amode: typeof Aremove): Task<void>;
  namec(up: Proc, name: string, amode: typeof Awstat, d: Wstat): Task<void>;
  namec(up: Proc, name: string, amode: typeof Atodir): Task<Chan>;
  /** Binds name on old; gives the mount id. */
  bind(up: Proc, name: string, old: string, flags: number): Task<number>;
  /** Mounts the attached root c, whose reference it takes, on old. */
  mount(up: Proc, c: Chan, old: string, how: Mounthow): Task<number>;
  /** Takes name, or everything, off old. */
  unmount(up: Proc, name: string | null, old: string): Task<void>;
  /** The lines of /proc/n/ns but for the last, in the order of their ids. */
  lines(channame: (c: Chan) => string): Nsline[];
  /** In a buffer of directory entries read from c, puts the mounted directories in place of the entries they cover. */
  mountfix(up: Proc, c: Chan, entries: Uint8Array): Task<Uint8Array | null>;
  /** The Chans mounted on exactly this cleaned name, in order, where mounts go by name. They stay the table's. */
  membersat?(elems: readonly string[]): readonly Chan[];
  /** A copy for RFNAMEG. */
  fork(): Namespace;
  /** The name space with nothing but the kernel's root, for RFCNAMEG. */
  clean(): Namespace;
  /** An immutable picture of it, for the trace. */
  snapshot(): Picture;
  /** The last process of the group is gone. */
  close(): Task<void>;
}
