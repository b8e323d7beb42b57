// The system calls by name: Plan 9's number (sys.h), what each argument is, and whether the call changes a file.
// Every table of calls follows from these rows, or has a key for each of their names. So a call that is added here does
// not compile until each table knows it.

import { nullproto } from "./nullproto.ts";

/** What an argument is, which says how it is checked and shown. */
export type Argkind =
  | "name" // of a file
  | "fd"
  | "omode" // OREAD|OTRUNC
  | "perm" // DMDIR|0755
  | "mflags" // MAFTER|MCREATE
  | "rflags" // RFPROC|RFFDG
  | "how" // NCONT, NDFLT
  | "fill" // a buffer that the call fills
  | "bytes"
  | "entry" // a directory entry's bytes
  | "changes" // what a wstat changes
  | "text"
  | "argv"
  | "program"
  | "sem"
  | "flag"
  | "number"
  | "value";

/** A row of the table; -1 is the number of a call that is ours. */
export type Callrow = {
  readonly num: number;
  readonly args: readonly Argkind[];
  /** What the manual calls each argument; one that may be left out ends in "?". */
  readonly params: readonly string[];
  /** The call it is in Plan 9, where that has one call for two of ours. */
  readonly as?: Callname;
  /** It changes a file: one that has begun is completed though main has returned, so that no data is lost. */
  readonly changes?: true;
};

/** The names of the calls. */
export type Callname =
  | "open"
  | "create"
  | "close"
  | "remove"
  | "chdir"
  | "dup"
  | "pipe"
  | "fd2path"
  | "read"
  | "write"
  | "pread"
  | "pwrite"
  | "seek"
  | "stat"
  | "fstat"
  | "wstat"
  | "fwstat"
  | "statraw"
  | "fstatraw"
  | "wstatraw"
  | "fwstatraw"
  | "bind"
  | "mount"
  | "unmount"
  | "fversion"
  | "fauth"
  | "errstr"
  | "nsec"
  | "rfork"
  | "exec"
  | "exits"
  | "_exits"
  | "wait"
  | "await"
  | "notify"
  | "noted"
  | "alarm"
  | "sleep"
  | "stream"
  | "sread"
  | "swrite"
  | "semacquire"
  | "tsemacquire"
  | "semrelease"
  | "rendezvous";

/** The system calls. */
export const calls: { readonly [K in Callname]: Callrow } = nullproto({
  open: { num: 14, args: ["name", "omode"], params: ["name", "mode"] },
  create: {
    num: 22,
    args: ["name", "omode", "perm"],
    params: ["name", "mode", "perm"],
    changes: true,
  },
  close: { num: 4, args: ["fd"], params: ["fd"], changes: true },
  remove: { num: 25, args: ["name"], params: ["name"], changes: true },
  chdir: { num: 3, args: ["name"], params: ["name"] },
  dup: { num: 5, args: ["fd", "number"], params: ["fd", "nfd?"] },
  pipe: { num: 21, args: [], params: [] },
  fd2path: { num: 23, args: ["fd", "number"], params: ["fd", "n?"] },
  read: { num: 15, args: ["fd", "fill"], params: ["fd", "buf"] },
  write: { num: 20, args: ["fd", "bytes"], params: ["fd", "bytes"], changes: true },
  pread: { num: 50, args: ["fd", "fill", "number"], params: ["fd", "buf", "offset"] },
  pwrite: {
    num: 51,
    args: ["fd", "bytes", "number"],
    params: ["fd", "bytes", "offset"],
    changes: true,
  },
  seek: { num: 39, args: ["fd", "number", "number"], params: ["fd", "offset", "whence"] },
  stat: { num: 42, args: ["name"], params: ["name"] },
  fstat: { num: 43, args: ["fd"], params: ["fd"] },
  wstat: { num: 44, args: ["name", "changes"], params: ["name", "d"], changes: true },
  fwstat: { num: 45, args: ["fd", "changes"], params: ["fd", "d"], changes: true },
  statraw: { num: 42, args: ["name", "entry"], params: ["name", "buf"], as: "stat" },
  fstatraw: { num: 43, args: ["fd", "entry"], params: ["fd", "buf"], as: "fstat" },
  wstatraw: {
    num: 44,
    args: ["name", "entry"],
    params: ["name", "buf"],
    as: "wstat",
    changes: true,
  },
  fwstatraw: { num: 45, args: ["fd", "entry"], params: ["fd", "buf"], as: "fwstat", changes: true },
  bind: { num: 2, args: ["name", "name", "mflags"], params: ["name", "old", "flags"] },
  mount: {
    num: 46,
    args: ["fd", "number", "name", "mflags", "text"],
    params: ["fd", "afd", "old", "flags", "aname"],
  },
  unmount: { num: 35, args: ["name", "name"], params: ["name", "old"] },
  fversion: {
    num: 40,
    args: ["fd", "number", "text", "number"],
    params: ["fd", "msize", "version", "n?"],
  },
  fauth: { num: 10, args: ["fd", "text"], params: ["fd", "aname"] },
  errstr: { num: 41, args: ["text", "number"], params: ["s?", "n?"] },
  nsec: { num: 53, args: [], params: [] },
  rfork: { num: 19, args: ["rflags", "program"], params: ["flags", "child?"] },
  exec: { num: 7, args: ["name", "argv"], params: ["name", "argv"], changes: true },
  exits: { num: 8, args: ["text"], params: ["status?"] },
  _exits: { num: 8, args: ["text"], params: ["status?"] },
  wait: { num: 47, args: [], params: [] },
  await: { num: 47, args: ["number"], params: ["n?"] },
  notify: { num: 28, args: ["program"], params: ["handler"] },
  noted: { num: 29, args: ["how"], params: ["how"] },
  alarm: { num: 6, args: ["number"], params: ["ms"] },
  sleep: { num: 17, args: ["number"], params: ["ms"] },
  stream: { num: -1, args: ["fd", "number"], params: ["fd", "offset"] },
  sread: { num: -1, args: ["fd", "fill"], params: ["fd", "buf"] },
  swrite: { num: -1, args: ["fd", "bytes"], params: ["fd", "bytes"], changes: true },
  semacquire: { num: 37, args: ["sem", "flag"], params: ["sem", "block"] },
  tsemacquire: { num: 52, args: ["sem", "number"], params: ["sem", "ms"] },
  semrelease: { num: 38, args: ["sem", "number"], params: ["sem", "count"] },
  rendezvous: { num: 34, args: ["value", "value"], params: ["tag", "value"] },
});

/** The row of a call by a name that may come from outside, a recording for example. */
export function callrow(name: string): Callrow | undefined {
  const rows: Readonly<Record<string, Callrow | undefined>> = calls;
  return rows[name];
}
