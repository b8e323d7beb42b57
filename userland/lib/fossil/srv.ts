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
  Efileexists,
  Efull,
  Eisdir,
  Enotdir,
  Enotempty,
  Eperm,
  Eshort,
  PlanError,
  error,
} from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { andthen, istask } from "../9p/answer.ts";
import type { Answer, Fid, Srv } from "../9p/srv.ts";
import { beside } from "./disk.ts";
import { DSIZE, type Entry } from "./format.ts";
import { type Files, type Place, ROOTID } from "./files.ts";
import type { Snaps } from "./snap.ts";
import { Badblock } from "./store.ts";
import { NEWUSERS, Users, readusers } from "./users.ts";

const Enotowner = "not owner";

/** The bits of a mode that are kept. */
const KEPT = (DMDIR | DMAPPEND | DMEXCL | DMTMP | 0o777) >>> 0;

const READ = 4;
const WRITE = 2;
const EXEC = 1;

/** What a server speaks, as a Srv says it, and how it renames. */
export type Version = Pick<Srv<File>, "version" | "msize"> & {
  /** A wstat to a name that exists takes the place of that file, as rename(2) does; else it is "file exists". */
  readonly replace?: boolean;
  /** Permissions are not checked: the owner of the disk copies what is on it. */
  readonly noperm?: boolean;
};

/** A directory of main/snapshot or main/archive: the year, the day. It holds the snapshots below a name. */
type Shelf = { readonly shelf: string; readonly archive: boolean };

/** What a fid stands for: a file, with the one above it; or a shelf of snapshots. */
export type File = {
  readonly place: Place;
  readonly up: File | null;
  readonly shelf: Shelf | null;
  /** The snapshot that it is in, by its generation; 0 for the tree that is written. */
  readonly snap: number;
  /** Its qid, as it was when the fid came there. */
  readonly qid: Qid;
  /** It is open DMEXCL, and no other is. */
  excl: boolean;
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
  readonly views = true;
  readonly #files: Files;
  readonly #snaps: Snaps;
  readonly #replace: boolean;
  readonly #noperm: boolean;
  #users: Users = new Users(NEWUSERS);
  /** Files that are open DMEXCL. */
  readonly #exclusive: Set<number> = new Set();

  constructor(files: Files, snaps: Snaps, opts: Version) {
    this.#files = files;
    this.#snaps = snaps;
    this.version = opts.version ?? "9P2000.ix.stream";
    this.msize = opts.msize ?? 1 << 20;
    this.#replace = opts.replace === true;
    this.#noperm = opts.noperm === true;
  }

  /** Reads the groups again. Where that fails they stay what they were. */
  *loadusers(): Task<void> {
    this.#users = (yield* readusers(this.#files)) ?? this.#users;
  }

  get #now(): number {
    return this.#files.store.env.now();
  }

  /** Does an operation. What a bad block makes fail is told with the name of the fid's file. */
  #run<T>(fid: Pick<Fid<File>, "aux">, op: () => T): Answer<T> {
    const { aux } = fid;
    const a = this.#files.store.run(op);
    return istask(a) ? this.#named(aux, a) : a;
  }

  *#named<T>(file: File, task: Task<T>): Task<T> {
    try {
      return yield* task;
    } catch (e) {
      if (!(e instanceof Badblock)) throw e;
      throw new PlanError(`${this.#path(file)}: ${e.message}`);
    }
  }

  /** The file's name from the root on, with its snapshot's; its elements that cannot be had are numbers. */
  #path(file: File): string {
    const names: string[] = [];
    for (let f: File | null = file; f !== null && f.shelf === null && f.up !== null; f = f.up) {
      const { place, snap } = f;
      if (snap !== 0 && place.id === ROOTID) {
        names.unshift(this.#snaps.list.find((s) => s.gen === snap)?.name ?? "snapshot");
        break;
      }
      const name = this.#files.store.run(() => this.#files.entry(place)?.name);
      names.unshift(typeof name === "string" ? name : `file ${place.id}`);
    }
    return `/${names.join("/")}`;
  }

  // Walking.

  /** aname is main/active or nothing, main/snapshot or main/archive. */
  *attach(_uname: string, aname: string): Task<File> {
    const tree = aname.replace(/^\/+|\/+$/g, "");
    if (tree === "" || tree === "main" || tree === "main/active") {
      const place = { view: null, dir: 0, id: ROOTID };
      const a = this.#run({ aux: this.#file(place, null, 0, QTDIR) }, () =>
        this.#files.must(place),
      );
      const e = istask(a) ? yield* a : a;
      return this.#file(place, null, 0, QTDIR, e.vers);
    }
    if (tree !== "main/snapshot" && tree !== "main/archive") error(Ebadspec);
    return this.#shelf({ shelf: "", archive: tree === "main/archive" }, null);
  }

  qid(file: File): Qid {
    return file.qid;
  }

  walk1(dir: File, name: string, fid: Fid<File>): Answer<File | null> {
    if (name === "..") return dir.up ?? dir;
    if (dir.shelf !== null) return this.#onshelf(dir, dir.shelf, name);
    return this.#run({ aux: dir }, () => {
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
      excl: false,
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
      qid: { path, vers: this.#snaps.list.length, type: QTDIR },
      excl: false,
      at: 0,
      next: 0,
    };
  }

  /** What a shelf has under a name: another one, or the root of a snapshot. */
  #onshelf(up: File, { shelf, archive }: Shelf, name: string): File | null {
    const snaps = this.#snaps.list;
    const path = shelf === "" ? name : `${shelf}/${name}`;
    const snap = snaps.find((s) => s.name === path && s.archive === archive);
    if (snap !== undefined) {
      const view = this.#snaps.view(snap);
      return this.#file({ view, dir: 0, id: ROOTID }, up, snap.gen, QTDIR);
    }
    const below = snaps.some((s) => s.archive === archive && s.name.startsWith(`${path}/`));
    return below ? this.#shelf({ shelf: path, archive }, up) : null;
  }

  /** The names on a shelf. */
  #names({ shelf, archive }: Shelf): string[] {
    const names = new Set<string>();
    for (const s of this.#snaps.list)
      if (s.archive === archive && (shelf === "" || s.name.startsWith(`${shelf}/`)))
        names.add(s.name.slice(shelf === "" ? 0 : shelf.length + 1).split("/")[0] ?? "");
    return [...names].toSorted();
  }

  // Permissions.

  #allowed(uid: string, e: Entry, how: number): boolean {
    if (this.#noperm) return true;
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
    return this.#run(fid, () => {
      const e = this.#files.must(file.place);
      if ((e.mode & DMDIR) !== 0 && changes) error(Eperm);
      if ((mode & ORCLOSE) !== 0) this.#must(fid.uid, this.#up(file), WRITE);
      if (how === OREAD || how === ORDWR) this.#must(fid.uid, e, READ);
      if (how === OWRITE || how === ORDWR || truncates) this.#must(fid.uid, e, WRITE);
      if (how === OEXEC) this.#must(fid.uid, e, EXEC);
      const excl = (e.mode & DMEXCL) !== 0 && file.place.view === null;
      if (excl && this.#exclusive.has(e.id)) error(Eexcl);
      if (truncates && (e.mode & DMAPPEND) === 0)
        this.#files.change(file.place, {
          length: 0,
          vers: (e.vers + 1) >>> 0,
          mtime: this.#now,
          muid: fid.uid,
        });
      if (excl) this.#exclusive.add(e.id);
      const { vers, mode: m } = this.#files.must(file.place);
      // At once, so that a clunk after a Tflush knows of it.
      const qid = { path: file.qid.path, vers, type: m >>> 24 };
      fid.aux = { ...file, qid, excl, at: 0, next: 0 };
    });
  }

  create(fid: Fid<File>, name: string, perm: number, mode: number): Answer<File> {
    const dir = fid.aux;
    this.#writable(dir);
    const isdir = (perm & DMDIR) !== 0;
    if (isdir && ((mode & 3) !== OREAD || (mode & OTRUNC) !== 0)) error(Eperm);
    return this.#run(fid, () => {
      const d = this.#files.must(dir.place);
      this.#must(fid.uid, d, WRITE);
      const bits = isdir ? 0o777 : 0o666;
      const m = (perm & (~bits | d.mode) & KEPT) >>> 0;
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
      const made = this.#file(place, dir, 0, m >>> 24);
      if ((m & DMEXCL) === 0) return made;
      this.#exclusive.add(place.id);
      return { ...made, excl: true };
    });
  }

  // Reading and writing.

  read(fid: Fid<File>, count: number, offset: number): Answer<Uint8Array> {
    const file = fid.aux;
    if ((file.qid.type & QTDIR) !== 0) return this.#readdir(fid, count, offset);
    // Before the read, whose bytes are the cache's.
    if (file.next === offset && offset % DSIZE < count)
      this.#files.ahead(file.place, offset + count - 1);
    const bytes = this.#run(fid, () => this.#files.read(file.place, count, offset));
    return andthen(bytes, (b) => {
      file.next = offset + b.length;
      return b;
    });
  }

  #readdir(fid: Fid<File>, count: number, offset: number): Answer<Uint8Array> {
    const file = fid.aux;
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
      this.#run(fid, () => {
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
    const gate = this.#files.gate(file.place);
    // The bytes are good only until this returns: those of a write that waits are copied.
    if (istask(gate)) return this.#late(gate, fid, data.slice(), offset);
    try {
      const a = this.#write(fid, data, offset);
      if (!istask(a)) return this.#answered(a);
      a.return(0);
    } catch (e) {
      if (!this.#mayfit(e)) throw e;
    }
    return this.#late(null, fid, data.slice(), offset);
  }

  /** What is answered to a write, once there is room for the next one: a client that is faster than the disk waits. */
  #answered(n: number): Answer<number> {
    const room = this.#files.room();
    return istask(room) ? andthen(room, () => n) : n;
  }

  /** Whether a write found no room where a commit may give some back. */
  #mayfit(e: unknown): boolean {
    return e instanceof PlanError && e.message === Efull && this.#files.store.cangive;
  }

  *#late(gate: Task<void> | null, fid: Fid<File>, data: Uint8Array, offset: number): Task<number> {
    try {
      if (gate !== null) yield* gate;
      const a = this.#write(fid, data, offset);
      return istask(a) ? yield* a : a;
    } catch (e) {
      if (!this.#mayfit(e)) throw e;
    }
    yield* this.#sync();
    const a = this.#write(fid, data, offset);
    return istask(a) ? yield* a : a;
  }

  #write(fid: Fid<File>, data: Uint8Array, offset: number): Answer<number> {
    const { aux, uid } = fid;
    return this.#run(fid, () =>
      data.length === 0
        ? 0
        : this.#files.write(aux.place, data, offset, { muid: uid, now: this.#now }),
    );
  }

  // What files are.

  stat(fid: Fid<File>): Answer<Dir> {
    const file = fid.aux;
    if (file.shelf !== null) return this.#shelfdir(file, file.shelf.shelf.split("/").at(-1) ?? "");
    return this.#run(fid, () => this.#dir(this.#files.must(file.place), file.snap));
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
    const time = this.#snaps.list.at(-1)?.time ?? this.#now;
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
    if (Object.keys(w).length === 0) return this.#sync();
    this.#writable(file);
    const { length } = w;
    const short = length === undefined ? undefined : this.#shorten(fid, w, length);
    const done = short === undefined ? this.#run(fid, () => this.#change(fid, w)) : short;
    return w.name === undefined && length === undefined ? done : this.#after(file, done);
  }

  *#sync(): Task<void> {
    yield* this.#files.store.commit();
  }

  /** A file that becomes much shorter, or that is being shortened, takes more than one turn. */
  #shorten(fid: Fid<File>, w: Wstat, length: number): Task<void> | undefined {
    const { place } = fid.aux;
    const far = this.#run(fid, () => this.#files.isfar(place, length));
    if (far === false && this.#files.gate(place) === undefined) return undefined;
    return this.#shortening(fid, w, length, far);
  }

  /** All sees the new length at once. The pieces behind it go in steps, and no commit comes between. */
  *#shortening(fid: Fid<File>, w: Wstat, length: number, was: Answer<boolean>): Task<void> {
    const { place } = fid.aux;
    if (istask(was)) yield* was;
    const gate = this.#files.gate(place);
    if (istask(gate)) yield* gate;
    const a = this.#run(fid, () => {
      const far = this.#files.isfar(place, length);
      this.#change(fid, w, far);
      return far;
    });
    if (istask(a) ? yield* a : a)
      yield* beside(this.#files.store.env, this.#files.trim(place, Math.ceil(length / DSIZE)));
  }

  /** `far`: the pieces behind a new length stay until they are trimmed. */
  #change(fid: Fid<File>, w: Wstat, far = false): void {
    const changes = this.#check(fid, w);
    const { place, up } = fid.aux;
    const { name } = changes;
    const there = name === undefined ? 0 : this.#files.lookup(null, place.dir, name);
    if (there === 0 || up === null) {
      if (Object.keys(changes).length > 0) this.#files.change(place, changes, far);
      return;
    }
    const old = { view: null, dir: place.dir, id: there };
    this.#mayreplace(this.#files.must(place), this.#files.must(old), changes);
    this.#files.replace(place, old, up.place, { muid: fid.uid, mtime: this.#now });
  }

  /** Whether a file may take the place of another, as rename(2) has it. It changes its name only, so that it is one step. */
  #mayreplace(e: Entry, old: Entry, changes: Partial<Entry>): void {
    if (!this.#replace || Object.keys(changes).length > 1) error(Efileexists);
    if (((e.mode ^ old.mode) & DMDIR) !== 0) error((old.mode & DMDIR) !== 0 ? Eisdir : Enotdir);
    if ((old.mode & DMDIR) !== 0 && !this.#files.isempty(old.id)) error(Enotempty);
  }

  /** What a wstat comes to. Throws where it may not. stat(5) */
  #check({ aux, uid }: Fid<File>, w: Wstat): Partial<Entry> {
    const e = this.#files.must(aux.place);
    const isdir = (e.mode & DMDIR) !== 0;
    const changes: { -readonly [K in keyof Entry]?: Entry[K] } = {};
    const owns = uid === e.uid && uid !== "none";
    const leads = owns || this.#users.leads(uid, e.gid);
    if (w.name !== undefined && w.name !== e.name) {
      if (aux.up === null) error(Eperm);
      this.#must(uid, this.#up(aux), WRITE);
      if (!this.#replace && this.#files.lookup(null, aux.place.dir, w.name) !== 0)
        error(Efileexists);
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
    const mode = (((w.mode ?? e.mode) & KEPT & ~DMDIR) | (e.mode & DMDIR)) >>> 0;
    if (mode !== e.mode) {
      if (!leads) error(Enotowner);
      changes.mode = mode;
    }
    if (w.mtime !== undefined && w.mtime !== e.mtime) {
      if (!leads) error(Enotowner);
      changes.mtime = w.mtime;
    }
    if (w.gid !== undefined && w.gid !== e.gid) {
      const owner = owns && this.#users.isin(uid, w.gid);
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
    return this.#run(fid, () => {
      const e = this.#files.must(file.place);
      // ORCLOSE was allowed when the file was opened.
      if (fid.omode < 0 || (fid.omode & ORCLOSE) === 0) this.#must(fid.uid, this.#up(file), WRITE);
      if ((e.mode & DMDIR) !== 0 && !this.#files.isempty(e.id)) error(Enotempty);
      this.#files.remove(file.place, up.place, fid.uid, this.#now);
    });
  }

  clunk(fid: Fid<File>): Answer<void> {
    if (fid.omode < 0) return undefined;
    if (fid.aux.excl) this.#exclusive.delete(fid.aux.place.id);
    const how = fid.omode & 3;
    return how === OWRITE || how === ORDWR ? this.#after(fid.aux, undefined) : undefined;
  }

  /** What was done may have changed /adm/users. */
  #after(file: File, done: Answer<void>): Answer<void> {
    if (file.up?.up?.up !== null) return done;
    return this.#reload(file, done);
  }

  *#reload(file: File, done: Answer<void>): Task<void> {
    if (istask(done)) yield* done;
    const is = this.#run({ aux: file }, () => this.#isusers(file));
    if (istask(is) ? yield* is : is) yield* this.loadusers();
  }

  /** Whether it is /adm/users. */
  #isusers({ place, up }: File): boolean {
    const dir = up === null ? undefined : this.#files.entry(up.place);
    return dir?.name === "adm" && this.#files.entry(place)?.name === "users";
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
