// The callbacks of a fossil: attach, walk, open and the rest, with Plan 9's rules of who may do what. open(5),
// stat(5), remove(5)
//
// A file's fid holds its place, not what it is: that is looked up each time, so all fids see the same. A file
// that is removed is gone for all of them.

import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  DMTMP,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
  QTDIR,
} from "../../../kernel/abi/const.ts";
import { type Dir, type Qid, type Wstat, convD2M, sizeD2M } from "../../../kernel/abi/dir.ts";
import {
  Ebadspec,
  Eexcl,
  Eisdir,
  Enotempty,
  Eperm,
  Eshort,
  error,
} from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { andthen, istask } from "../9p/answer.ts";
import type { Answer, Fid, Srv } from "../9p/srv.ts";
import { DSIZE, type Entry, type Snap } from "./format.ts";
import { type Files, type Place, ROOTID, type View } from "./files.ts";
import type { Snaps } from "./snap.ts";
import { Users, readusers } from "./users.ts";

const Enotowner = "not owner";

const READ = 4;
const WRITE = 2;
const EXEC = 1;

/** What a server speaks, as a Srv says it. */
export type Version = Pick<Srv<File>, "version" | "msize">;

/** A directory of main/snapshot or main/archive: the year, the day. It holds the snapshots below a name. */
type Shelf = { readonly shelf: string; readonly archive: boolean; readonly snaps: readonly Snap[] };

/** What a fid stands for: a file, with the one above it; or a shelf of snapshots. */
export type File = {
  readonly place: Place;
  readonly up: File | null;
  readonly shelf: Shelf | null;
  /** The snapshot that it is in, by its generation; 0 for the tree that is written. */
  readonly snap: number;
  /** Its qid, as it was when the fid came there. */
  readonly qid: Qid;
  /** Of an open directory: the number of the last file that was read. */
  at: number;
  /** Of an open file: where the last read ended. */
  next: number;
};

export class Server implements Srv<File> {
  readonly version: string;
  readonly msize: number;
  readonly noauth = "fossil: authentication not required";
  readonly copies = true;
  readonly #files: Files;
  readonly #snaps: Snaps;
  #users: Users = new Users("");
  /** Files that are open DMEXCL. */
  readonly #exclusive: Set<number> = new Set();

  constructor(files: Files, snaps: Snaps, opts: Version) {
    this.#files = files;
    this.#snaps = snaps;
    this.version = opts.version ?? "9P2000.ix.stream";
    this.msize = opts.msize ?? 1 << 20;
  }

  *loadusers(): Task<void> {
    this.#users = yield* readusers(this.#files);
  }

  get #now(): number {
    return this.#files.store.env.now();
  }

  #run<T>(op: () => T): Answer<T> {
    return this.#files.store.run(op);
  }

  // Walking.

  /** aname is main/active or nothing, main/snapshot or main/archive. */
  *attach(_uname: string, aname: string): Task<File> {
    const tree = aname.replace(/^\/+|\/+$/g, "");
    if (tree === "" || tree === "main" || tree === "main/active") {
      const place = { view: null, dir: 0, id: ROOTID };
      const a = this.#run(() => this.#files.must(place));
      const e = istask(a) ? yield* a : a;
      return this.#file(place, null, 0, QTDIR, e.vers);
    }
    if (tree !== "main/snapshot" && tree !== "main/archive") error(Ebadspec);
    return this.#shelf(
      { shelf: "", archive: tree === "main/archive", snaps: yield* this.#snaps.list() },
      null,
    );
  }

  qid(file: File): Qid {
    return file.qid;
  }

  walk1(dir: File, name: string, fid: Fid<File>): Answer<File | null> {
    if (name === "..") return dir.up ?? dir;
    if (dir.shelf !== null) return this.#onshelf(dir, dir.shelf, name);
    return this.#run(() => {
      this.#must(fid.uid, this.#files.must(dir.place), EXEC);
      const { view, id } = dir.place;
      const found = this.#files.lookup(view, id, name);
      if (found === 0) return null;
      const place = { view, dir: id, id: found };
      const e = this.#files.must(place);
      return this.#file(place, dir, dir.snap, e.mode >>> 24, e.vers);
    });
  }

  #file(place: Place, up: File | null, snap: number, type: number, vers = 0): File {
    return {
      place,
      up,
      shelf: null,
      snap,
      qid: { path: qidpath(place.id, snap), vers, type },
      at: 0,
      next: 0,
    };
  }

  #shelf(shelf: Shelf, up: File | null): File {
    let h = 0;
    for (let i = 0; i < shelf.shelf.length; i++) h = (h * 31 + shelf.shelf.charCodeAt(i)) >>> 0;
    const path = (1n << 63n) | BigInt(h + (shelf.archive ? 2 ** 33 : 2 ** 32));
    const place = { view: null, dir: -1, id: -1 };
    return {
      place,
      up,
      shelf,
      snap: 0,
      qid: { path, vers: shelf.snaps.length, type: QTDIR },
      at: 0,
      next: 0,
    };
  }

  /** What a shelf has under a name: another one, or the root of a snapshot. */
  #onshelf(up: File, { shelf, archive, snaps }: Shelf, name: string): File | null {
    const path = shelf === "" ? name : `${shelf}/${name}`;
    const snap = snaps.find((s) => s.name === path && s.archive === archive);
    if (snap !== undefined) {
      const view: View = { root: snap.tree };
      return this.#file({ view, dir: 0, id: ROOTID }, up, snap.gen, QTDIR);
    }
    const below = snaps.some((s) => s.archive === archive && s.name.startsWith(`${path}/`));
    return below ? this.#shelf({ shelf: path, archive, snaps }, up) : null;
  }

  /** The names on a shelf. */
  #names({ shelf, archive, snaps }: Shelf): string[] {
    const names = new Set<string>();
    for (const s of snaps)
      if (s.archive === archive && (shelf === "" || s.name.startsWith(`${shelf}/`)))
        names.add(s.name.slice(shelf === "" ? 0 : shelf.length + 1).split("/")[0] ?? "");
    return [...names].toSorted();
  }

  // Permissions.

  #allowed(uid: string, e: Entry, how: number): boolean {
    let bits = e.mode & 7;
    if (uid !== "none" && uid === e.uid) bits |= (e.mode >> 6) & 7;
    if (this.#users.isin(uid, e.gid)) bits |= (e.mode >> 3) & 7;
    return (bits & how) === how;
  }

  #must(uid: string, e: Entry, how: number): void {
    if (!this.#allowed(uid, e, how)) error(Eperm);
  }

  /** The directory above; the root is above itself. */
  #up(file: File): Entry {
    return this.#files.must(
      file.up === null || file.up.shelf !== null ? file.place : file.up.place,
    );
  }

  #writable(file: File): void {
    if (file.shelf !== null || file.place.view !== null) error(Eperm);
  }

  // Opening.

  open(fid: Fid<File>, mode: number): Answer<void> {
    const file = fid.aux;
    const how = mode & 3;
    const changes = how === OWRITE || how === ORDWR || (mode & (OTRUNC | ORCLOSE)) !== 0;
    if (changes) this.#writable(file);
    if (file.shelf !== null) {
      fid.aux = { ...file, at: 0 };
      return undefined;
    }
    const truncates = (mode & OTRUNC) !== 0;
    const opened = this.#run(() => {
      const e = this.#files.must(file.place);
      if ((e.mode & DMDIR) !== 0 && changes) error(Eperm);
      if ((mode & ORCLOSE) !== 0) this.#must(fid.uid, this.#up(file), WRITE);
      if (how === OREAD || how === ORDWR) this.#must(fid.uid, e, READ);
      if (how === OWRITE || how === ORDWR || truncates) this.#must(fid.uid, e, WRITE);
      if (how === OEXEC) this.#must(fid.uid, e, EXEC);
      const exclusive = (e.mode & DMEXCL) !== 0;
      if (exclusive && this.#exclusive.has(e.id)) error(Eexcl);
      if (truncates && (e.mode & DMAPPEND) === 0)
        this.#files.change(file.place, {
          length: 0,
          vers: (e.vers + 1) >>> 0,
          mtime: this.#now,
          muid: fid.uid,
        });
      if (exclusive) this.#exclusive.add(e.id);
      const { vers, mode: m } = this.#files.must(file.place);
      return { path: file.qid.path, vers, type: m >>> 24 };
    });
    return andthen(opened, (qid) => {
      fid.aux = { ...file, qid, at: 0, next: 0 };
    });
  }

  create(fid: Fid<File>, name: string, perm: number, mode: number): Answer<File> {
    const dir = fid.aux;
    this.#writable(dir);
    const isdir = (perm & DMDIR) !== 0;
    if (isdir && ((mode & 3) !== OREAD || (mode & OTRUNC) !== 0)) error(Eperm);
    return this.#run(() => {
      const d = this.#files.must(dir.place);
      this.#must(fid.uid, d, WRITE);
      const bits = isdir ? 0o777 : 0o666;
      const kept = (DMDIR | DMAPPEND | DMEXCL | DMTMP | 0o777) >>> 0;
      const m = (perm & (~bits | d.mode) & kept) >>> 0;
      const now = this.#now;
      const owned = { name, uid: fid.uid, gid: d.gid, muid: fid.uid, mode: m };
      const place = this.#files.create(dir.place, {
        ...owned,
        vers: 0,
        atime: now,
        mtime: now,
        length: 0,
        inline: new Uint8Array(0),
      });
      if ((m & DMEXCL) !== 0) this.#exclusive.add(place.id);
      return this.#file(place, dir, 0, m >>> 24);
    });
  }

  // Reading and writing.

  read(fid: Fid<File>, count: number, offset: number): Answer<Uint8Array> {
    const file = fid.aux;
    if ((file.qid.type & QTDIR) !== 0) return this.#readdir(file, count, offset);
    const bytes = this.#run(() => this.#files.read(file.place, count, offset));
    if (file.next === offset && offset % DSIZE < count)
      this.#files.ahead(file.place, offset + count);
    return andthen(bytes, (b) => {
      file.next = offset + b.length;
      return b;
    });
  }

  #readdir(file: File, count: number, offset: number): Answer<Uint8Array> {
    if (offset === 0) file.at = 0;
    const { shelf } = file;
    if (shelf !== null) {
      const names = this.#names(shelf);
      const dirs = names
        .flatMap((name) => this.#onshelf(file, shelf, name) ?? [])
        .map((f, i) => this.#shelfdir(f, names[i] ?? ""));
      const [bytes, n] = pack(dirs.slice(file.at), count);
      file.at += n;
      return bytes;
    }
    const { view, id } = file.place;
    return andthen(
      this.#run(() => {
        this.#files.must(file.place);
        const dirs: Dir[] = [];
        let room = count;
        this.#files.list(view, id, file.at + 1, (e) => {
          const d = this.#dir(e, file.snap);
          dirs.push(d);
          return (room -= sizeD2M(d)) > 0;
        });
        return dirs;
      }),
      (dirs) => {
        const [bytes, n] = pack(dirs, count);
        const last = dirs[n - 1];
        if (last !== undefined) file.at = Number(last.qid.path & IDMASK);
        return bytes;
      },
    );
  }

  write(fid: Fid<File>, data: Uint8Array, offset: number): Answer<number> {
    const file = fid.aux;
    if ((file.qid.type & QTDIR) !== 0) error(Eisdir);
    const room = this.#files.room();
    // The bytes are good only until this returns: those of a write that waits are copied.
    if (istask(room)) return this.#late(room, fid, data.slice(), offset);
    const a = this.#write(fid, data, offset);
    return istask(a) ? this.#late(null, fid, data.slice(), offset, a) : a;
  }

  *#late(
    room: Task<void> | null,
    fid: Fid<File>,
    data: Uint8Array,
    offset: number,
    first?: Task<number>,
  ): Task<number> {
    first?.return(0);
    if (room !== null) yield* room;
    const a = this.#write(fid, data, offset);
    return istask(a) ? yield* a : a;
  }

  #write({ aux, uid }: Fid<File>, data: Uint8Array, offset: number): Answer<number> {
    return this.#run(() =>
      data.length === 0
        ? 0
        : this.#files.write(aux.place, data, offset, { muid: uid, now: this.#now }),
    );
  }

  // What files are.

  stat(fid: Fid<File>): Answer<Dir> {
    const file = fid.aux;
    if (file.shelf !== null) return this.#shelfdir(file, file.shelf.shelf.split("/").at(-1) ?? "");
    return this.#run(() => this.#dir(this.#files.must(file.place), file.snap));
  }

  #dir(e: Entry, snap: number): Dir {
    const { uid, gid, muid, mode, atime, mtime, vers, name } = e;
    const length = (mode & DMDIR) !== 0 ? 0 : e.length;
    const qid = { path: qidpath(e.id, snap), vers, type: mode >>> 24 };
    return {
      type: 0,
      dev: 0,
      qid,
      mode: snap === 0 ? mode : (mode & ~0o222) >>> 0,
      atime,
      mtime,
      length,
      name,
      uid,
      gid,
      muid,
    };
  }

  #shelfdir(file: File, name: string): Dir {
    const time = file.shelf?.snaps.at(-1)?.time ?? this.#now;
    const mode = (DMDIR | 0o555) >>> 0;
    const own = { uid: "adm", gid: "adm", muid: "adm" };
    return {
      type: 0,
      dev: 0,
      qid: file.qid,
      mode,
      atime: time,
      mtime: time,
      length: 0,
      name: name === "" ? "/" : name,
      ...own,
    };
  }

  /** All is checked before anything is changed. One that changes nothing is a sync. */
  wstat(fid: Fid<File>, w: Wstat): Answer<void> {
    const file = fid.aux;
    if (Object.keys(w).length === 0) return this.#files.store.commit();
    this.#writable(file);
    const { length } = w;
    const short = length === undefined ? undefined : this.#shorten(fid, w, length);
    return short === undefined ? this.#run(() => this.#change(fid, w)) : short;
  }

  /** A file that becomes much shorter does so in steps, once it is known that it may. */
  #shorten(fid: Fid<File>, w: Wstat, length: number): Task<void> | undefined {
    const { aux } = fid;
    const a = this.#run(() => this.#files.must(aux.place).length - length > 32 * DSIZE);
    if (a === false) return undefined;
    return this.#shortening(fid, w, length, a);
  }

  *#shortening(fid: Fid<File>, w: Wstat, length: number, far: Answer<boolean>): Task<void> {
    if (istask(far)) yield* far;
    const may = this.#run(() => this.#check(fid, w));
    if (istask(may)) yield* may;
    yield* this.#files.shorten(fid.aux.place, length);
    const done = this.#run(() => this.#change(fid, w));
    if (istask(done)) yield* done;
  }

  #change(fid: Fid<File>, w: Wstat): void {
    const changes = this.#check(fid, w);
    if (Object.keys(changes).length > 0) this.#files.change(fid.aux.place, changes);
  }

  /** What a wstat comes to. Throws where it may not. stat(5) */
  #check({ aux, uid }: Fid<File>, w: Wstat): Partial<Entry> {
    const e = this.#files.must(aux.place);
    const isdir = (e.mode & DMDIR) !== 0;
    const changes: { -readonly [K in keyof Entry]?: Entry[K] } = {};
    const leads = uid === e.uid || this.#users.leads(uid, e.gid);
    if (w.name !== undefined && w.name !== e.name) {
      if (aux.up === null) error(Eperm);
      this.#must(uid, this.#up(aux), WRITE);
      changes.name = w.name;
    }
    if (w.length !== undefined && w.length !== e.length) {
      if (isdir) error(Eperm);
      this.#must(uid, e, WRITE);
      changes.length = w.length;
      changes.vers = (e.vers + 1) >>> 0;
      changes.mtime = this.#now;
      changes.muid = uid;
    }
    // A file stays a file and a directory one, whatever is asked.
    const mode = (((w.mode ?? e.mode) & ~DMDIR) | (e.mode & DMDIR)) >>> 0;
    if (mode !== e.mode) {
      if (!leads) error(Enotowner);
      changes.mode = mode;
    }
    if (w.mtime !== undefined && w.mtime !== e.mtime) {
      if (!leads) error(Enotowner);
      changes.mtime = w.mtime;
    }
    if (w.gid !== undefined && w.gid !== e.gid) {
      const owner = uid === e.uid && this.#users.isin(uid, w.gid);
      if (!owner && !(this.#users.leads(uid, e.gid) && this.#users.leads(uid, w.gid)))
        error(Enotowner);
      changes.gid = w.gid;
    }
    if (w.uid !== undefined && w.uid !== e.uid) error(Enotowner);
    return changes;
  }

  remove(fid: Fid<File>): Answer<void> {
    const file = fid.aux;
    this.#writable(file);
    const { up } = file;
    if (up === null) return error(Eperm);
    return this.#run(() => {
      const e = this.#files.must(file.place);
      // ORCLOSE was allowed when the file was opened.
      if (fid.omode < 0 || (fid.omode & ORCLOSE) === 0) this.#must(fid.uid, this.#up(file), WRITE);
      if ((e.mode & DMDIR) !== 0 && !this.#files.isempty(e.id)) error(Enotempty);
      this.#files.remove(file.place, up.place, fid.uid, this.#now);
    });
  }

  clunk(fid: Fid<File>): Answer<void> {
    const { place, up } = fid.aux;
    if (fid.omode < 0) return undefined;
    this.#exclusive.delete(place.id);
    const how = fid.omode & 3;
    const users = up !== null && place.view === null && (how === OWRITE || how === ORDWR);
    if (!users) return undefined;
    const is = this.#run(() => this.#isusers(fid.aux));
    if (istask(is)) return this.#reload(is);
    return is ? this.loadusers() : undefined;
  }

  *#reload(is: Task<boolean>): Task<void> {
    if (yield* is) yield* this.loadusers();
  }

  /** Whether it is /adm/users. */
  #isusers({ place, up }: File): boolean {
    if (up?.up?.up !== null) return false;
    return (
      this.#files.entry(place)?.name === "users" && this.#files.entry(up.place)?.name === "adm"
    );
  }
}

const SNAPSHIFT = 40n;
const IDMASK = (1n << SNAPSHIFT) - 1n;

/** Files of a snapshot are others than those of the present tree, though their numbers are the same. */
const qidpath = (id: number, snap: number): bigint => (BigInt(snap) << SNAPSHIFT) | BigInt(id);

/** As many entries as fit, and how many those are. An entry that does not fit by itself is an error, no end. */
function pack(dirs: readonly Dir[], count: number): [Uint8Array, number] {
  const buf = new Uint8Array(count);
  let end = 0;
  let n = 0;
  for (const d of dirs) {
    const next = convD2M(d, buf, end);
    if (next < 0) break;
    end = next;
    n++;
  }
  if (n === 0 && dirs.length > 0) error(Eshort);
  return [buf.subarray(0, end), n];
}
