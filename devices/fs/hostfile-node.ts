// What device fs does to files that were found (hosttree-node.ts): open, make, remove, rename, change, and
// say what they are in Plan 9's terms. Nothing here looks for a file by a name of more than one element.

import {
  access,
  accessSync,
  chmod,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstat,
  lstatSync,
  mkdir as hostmkdir,
  mkdirSync,
  rename as hostrename,
  renameSync,
  rmdir,
  rmdirSync,
  truncate,
  truncateSync,
  unlink as hostunlink,
  unlinkSync,
  utimes,
  utimesSync,
} from "node:fs";
import type { BigIntStats } from "node:fs";
import {
  DMAPPEND,
  DMDIR,
  OEXEC,
  ORDWR,
  OTRUNC,
  OWRITE,
  QTDIR,
  QTFILE,
} from "../../kernel/abi/const.ts";
import type { Want } from "../../kernel/dev.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import { Eexist, Enonexist, Eperm, PlanError, error } from "../../kernel/abi/errors.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Calls, Hostpath } from "./calls-node.ts";
import { hostsync } from "./host-node.ts";
import { KEPT } from "./kept-node.ts";
import { Owners } from "./owners-node.ts";
import { LOOK, hostpath } from "./hosttree-node.ts";
import type { Hosttree, Pin } from "./hosttree-node.ts";

const PERM = 0o777;
const DEVCHAR = "U".charCodeAt(0);

/** A file's qid: what changes it changes vers, within the host's grain of time. */
export function qidof(tree: Hosttree, st: BigIntStats): Qid {
  const grain = Number(BigInt.asUintN(32, st.mtimeNs));
  const path = tree.ino(st);
  return {
    path,
    vers: (grain ^ seconds(st.mtimeMs) ^ Math.imul(Number(st.size) | 0, 0x9e3779b1)) >>> 0,
    type: st.isDirectory() ? QTDIR : QTFILE | (tree.kept.of(path) >>> 24),
  };
}

const MAXSECONDS = 2 ** 32 - 1;

/** A time of the host's, as Plan 9 has it: from 1970 to 2106. A time before or after is the first or last of them. */
export const seconds = (ms: bigint): number =>
  Math.max(0, Math.min(MAXSECONDS, Math.floor(Number(ms) / 1000)));

/** A user of the host, by its numbers. */
export type Ids = { readonly uid: number; readonly gid: number };

/** Who the kernel's user is at the host, what it is called here, and what others are called there. */
export type Owner = Ids & {
  readonly user: string;
  readonly group: string;
  readonly others: Owners;
};

export function owner(user: string, as?: Ids): Owner {
  const uid = as?.uid ?? process.getuid?.() ?? 0;
  const gid = as?.gid ?? process.getgid?.() ?? 0;
  const others = new Owners();
  return { user, group: as === undefined ? user : others.group(gid), uid, gid, others };
}

/** What an entry says that the host does not: the name, and the number of the device. */
type Called = { readonly name: string; readonly dev: number };

/** stat(5) of a file; a link that leads nowhere is an empty file with mode 0. */
export function dirof(tree: Hosttree, st: BigIntStats, o: Owner, { name, dev }: Called): Dir {
  const file = !st.isDirectory() && !st.isSymbolicLink();
  const perm = st.isSymbolicLink() ? 0 : Number(st.mode) & (tree.readonly ? 0o555 : PERM);
  const uid = Number(st.uid) === o.uid ? o.user : o.others.user(Number(st.uid));
  const qid = qidof(tree, st);
  return {
    type: DEVCHAR,
    dev,
    qid,
    mode: (st.isDirectory() ? DMDIR | perm : perm | tree.kept.of(qid.path)) >>> 0,
    atime: seconds(st.atimeMs),
    mtime: seconds(st.mtimeMs),
    length: file ? Number(st.size) : 0,
    name,
    uid,
    gid: Number(st.gid) === o.gid ? o.group : o.others.group(Number(st.gid)),
    muid: uid,
  };
}

function openflags(omode: number): number {
  const how = omode & 3;
  if (how === OWRITE) return constants.O_WRONLY;
  return how === ORDWR ? constants.O_RDWR : constants.O_RDONLY;
}

/**
 * Opens a regular file, append-only or not, and gives the descriptor. The host never waits in it: it is no pipe
 * and no device. What is append-only is not truncated. open(5)
 */
export function* openfile(h: Calls, p: Pin, omode: number, append: boolean): Task<number> {
  if (!p.st.isFile()) error(Eperm);
  if ((omode & 3) === OEXEC && (p.st.mode & 0o111n) === 0n) error(Eperm);
  const trunc = (omode & OTRUNC) !== 0 && !append ? constants.O_TRUNC : 0;
  const how = trunc | (append ? constants.O_APPEND : 0);
  const flags = openflags(omode) | how | p.nofollow | (constants.O_NONBLOCK ?? 0);
  const fd = yield* h.open(hostpath(p.path), flags);
  const st = fstatSync(fd, { bigint: true });
  if (st.ino === p.st.ino && st.dev === p.st.dev) return fd;
  closeSync(fd);
  return error(Enonexist);
}

function* checkaccess(h: Calls, path: string, mode: number): Task<void> {
  const at = hostpath(path);
  yield* h.call(
    () => accessSync(at, mode),
    (done) => access(at, mode, done),
  );
}

/** Whether names in a directory may be removed, as ORCLOSE asks of the directory that its file is in. */
export function checkparent(h: Calls, dir: Pin): Task<void> {
  return checkaccess(h, dir.path, constants.W_OK | constants.X_OK);
}

/** Whether a directory may be listed, as opening it asks. */
export function checkdir(h: Calls, p: Pin): Task<void> {
  if (!p.st.isDirectory()) error(Eperm);
  return checkaccess(h, p.path, constants.R_OK);
}

/** Plan 9's permissions of a new file: what was asked for, as far as the directory's go. open(5) */
function newperm(dir: Pin, perm: number): number {
  const mask = (perm & DMDIR) !== 0 ? 0o777 : 0o666;
  return perm & (~mask | (Number(dir.st.mode) & mask)) & PERM;
}

/** Makes a file and gives its descriptor. A name that is there already, even as a link, is "file already exists". */
export function* mkfile(h: Calls, dir: Pin, name: string, want: Want): Task<number> {
  const append = (want.perm & DMAPPEND) !== 0 ? constants.O_APPEND : 0;
  const flags = openflags(want.omode) | append | constants.O_CREAT | constants.O_EXCL;
  const perm = newperm(dir, want.perm);
  const fd = yield* h.open(hostpath(`${dir.path}/${name}`), flags, perm);
  // The host's umask is not Plan 9's.
  hostsync(() => fchmodSync(fd, perm));
  return fd;
}

/** Makes a directory in dir, which is called names without the last. */
export function* mkdir(
  tree: Hosttree,
  dir: Pin,
  names: readonly string[],
  perm: number,
): Task<void> {
  const h = tree.calls;
  const path = hostpath(`${dir.path}/${names.at(-1) ?? ""}`);
  const mode = newperm(dir, perm);
  yield* h.call(
    () => mkdirSync(path, { mode }),
    (done) => hostmkdir(path, { mode }, done),
  );
  yield* tree.at(names, (p) => chmodpath(h, p.path, mode));
}

function* chmodpath(h: Calls, name: string, mode: number): Task<void> {
  const path = hostpath(name);
  yield* h.call(
    () => chmodSync(path, mode),
    (done) => chmod(path, mode, done),
  );
}

/** Removes a file, an empty directory, or a link (not what it leads to). */
export function* unlink(h: Calls, dir: Pin, name: string): Task<void> {
  const path = hostpath(`${dir.path}/${name}`);
  const st = yield* h.call(
    () => lstatSync(path, { bigint: true }),
    (done) => lstat(path, { bigint: true }, done),
  );
  if (st.isDirectory())
    yield* h.call(
      () => rmdirSync(path),
      (done) => rmdir(path, done),
    );
  else
    yield* h.call(
      () => unlinkSync(path),
      (done) => hostunlink(path, done),
    );
}

/** A new name in a directory; of a file that has it, `onto` takes the place. */
export type Newname = { readonly to: string; readonly onto?: boolean };

/** Renames within a directory. Gives the file whose place was taken, null where there was none. */
export function* rename(
  h: Calls,
  dir: Pin,
  from: string,
  { to, onto = false }: Newname,
): Task<BigIntStats | null> {
  const path = hostpath(`${dir.path}/${to}`);
  const there = yield* look(h, path);
  if (there !== null && !onto) error(Eexist);
  const old = hostpath(`${dir.path}/${from}`);
  yield* h.call(
    () => renameSync(old, path),
    (done) => hostrename(old, path, done),
  );
  return there;
}

/** What a name is, null for one that is not there. */
function* look(h: Calls, path: Hostpath): Task<BigIntStats | null> {
  try {
    return yield* h.call(
      () => lstatSync(path, LOOK) ?? error(Enonexist),
      (done) => lstat(path, { bigint: true }, done),
    );
  } catch (e) {
    if (e instanceof PlanError && e.message === Enonexist) return null;
    throw e;
  }
}

/** Whether a wstat asks only for what can be had: it is all or nothing. stat(5) */
export function checkwstat(p: Pin, old: Dir, d: Wstat, o: Owner): void {
  const isdir = (old.mode & DMDIR) !== 0;
  const can = isdir ? PERM : PERM | KEPT;
  if (d.mode !== undefined && ((d.mode ^ old.mode) & ~can) !== 0) error(Eperm);
  if (d.length !== undefined && d.length !== old.length && isdir) error(Eperm);
  if (d.uid !== undefined && d.uid !== old.uid) error(Eperm);
  if (d.gid !== undefined && d.gid !== old.gid) error(Eperm);
  if (d.qid !== undefined && d.qid.path !== old.qid.path) error(Eperm);
  const owned = changed(old.mode, d.mode) || changed(old.mtime, d.mtime);
  if (owned && Number(p.st.uid) !== o.uid && o.uid !== 0) error(Eperm);
}

const changed = (old: number, now: number | undefined): now is number =>
  now !== undefined && now !== old;

/** Whether a wstat changes more than a name. */
export function changesmore(old: Dir, d: Wstat): boolean {
  const times = changed(old.mtime, d.mtime) || changed(old.atime, d.atime);
  return times || changed(old.length, d.length) || changed(old.mode, d.mode);
}

/** What a wstat changes, but for the name. */
export function* change(tree: Hosttree, p: Pin, old: Dir, d: Wstat): Task<void> {
  const h = tree.calls;
  const path = hostpath(p.path);
  const times = changed(old.mtime, d.mtime) || changed(old.atime, d.atime);
  if (changesmore(old, d) && p.st.isSymbolicLink()) error(Eperm);
  const { length } = d;
  if (changed(old.length, length))
    yield* h.call(
      () => truncateSync(path, length),
      (done) => truncate(path, length, done),
    );
  if (changed(old.mode, d.mode)) {
    if (!p.st.isDirectory()) tree.kept.set(old.qid.path, d.mode);
    // The host's own bits of a directory stay; a file loses them, as it does when it is written.
    const keep = p.st.isDirectory() ? Number(p.st.mode) & 0o7000 : 0;
    yield* chmodpath(h, p.path, keep | (d.mode & PERM));
  }
  const { atime = old.atime, mtime = old.mtime } = d;
  if (times)
    yield* h.call(
      () => utimesSync(path, atime, mtime),
      (done) => utimes(path, atime, mtime, done),
    );
}
