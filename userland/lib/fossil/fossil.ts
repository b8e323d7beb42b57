// fossil(4): a file server that keeps what it is given. newfossil opens a disk, or makes one, and gives the
// server's Srv and what commands it: sync, snapshots, check, and the end.
//
// store.ts has the disk, tree.ts the tree on it, files.ts the files in the tree, srv.ts the rules of who may
// do what.

import { DMDIR } from "../../../kernel/abi/const.ts";
import { PlanError, error } from "../../../kernel/abi/errors.ts";
import { utfencode } from "../../../kernel/abi/utf.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { Plainsrv } from "../9p/promises.ts";
import { type Report, check } from "./check.ts";
import type { Disk, Env } from "./disk.ts";
import { Files, type Place, ROOTID } from "./files.ts";
import { FIRST, GRANULE, type Hash, type Snap } from "./format.ts";
import { Snaps, expired } from "./snap.ts";
import { type File, Server, type Version } from "./srv.ts";
import { Badblock, Store, waited } from "./store.ts";
import { NEWUSERS } from "./users.ts";
import { lostsaid } from "./words.ts";

/** How a fossil is opened. */
export type Fossilopts = Version & {
  /** sha-256, by the host's crypto or a library. */
  readonly hash: Hash;
  /** Bytes in memory for blocks that were read: 64 MB unless given. */
  readonly cache?: number;
  /** Bytes that the disk may have; no limit unless given. */
  readonly size?: number;
  /** Bytes in memory after which they are written: 4 MB unless given. */
  readonly flush?: number;
  /** Who owns the root of a new disk: glenda unless given. */
  readonly user?: string;
  /** Milliseconds after which what was changed is made safe; only when it is asked for unless given. */
  readonly every?: number;
  /** Gets what the server's operator should know, a line at a time. */
  readonly log?: (line: string) => void;
};

/** A fossil that is open. */
export class Fossil {
  /** It was made just now. */
  readonly fresh: boolean;
  /** What serves it. */
  readonly srv: Plainsrv<File>;
  readonly #files: Files;
  readonly #snaps: Snaps;
  readonly #env: Env;

  constructor(files: Files, server: Server, snaps: Snaps, fresh: boolean) {
    this.#files = files;
    this.#snaps = snaps;
    this.#env = files.store.env;
    this.srv = server;
    this.fresh = fresh;
  }

  /** Whether something is not safe yet. */
  get dirty(): boolean {
    return this.#files.waiting > 0 || this.#files.store.dirty;
  }

  /** Bytes that blocks take on the disk. */
  get used(): number {
    return this.#files.store.space.used * 512;
  }

  /**
   * Makes safe what was done until now.
   *
   * @throws PlanError "i/o error: ..." and its like: the disk cannot be read or written
   * @example
   * ```ts
   * yield* f.sync();
   * ```
   */
  *sync(): Task<void> {
    yield* this.#files.store.commit();
  }

  /**
   * Makes a snapshot.
   *
   * @param archive whether it is for the archive, which expire leaves alone
   * @returns its name
   * @throws PlanError "i/o error: ..." and its like: the disk cannot be read or written
   * @example
   * ```ts
   * const name = yield* f.snap(false);
   * ```
   */
  snap(archive: boolean): Task<string> {
    return this.#snaps.make(archive);
  }

  /** The snapshots, oldest first. */
  get list(): readonly Snap[] {
    return this.#snaps.list;
  }

  /**
   * Removes a snapshot.
   *
   * @param name its name, as list has it
   * @throws PlanError "no such snapshot: NAME"
   * @throws PlanError "i/o error: ..." and its like: the disk cannot be read or written
   * @example
   * ```ts
   * yield* f.remove(name);
   * ```
   */
  remove(name: string): Task<void> {
    return this.#snaps.remove(name);
  }

  /**
   * Removes the snapshots that are older than a time, archives excepted.
   *
   * @param keep the time, in seconds
   * @returns the names of those that were removed
   * @throws PlanError "i/o error: ..." and its like: the disk cannot be read or written
   * @example
   * ```ts
   * yield* f.expire(7 * 86400);
   * ```
   */
  *expire(keep: number): Task<string[]> {
    yield* this.#env.tick();
    const old = expired(this.list, this.#env.now(), keep);
    for (const s of old) yield* this.remove(s.name);
    return old.map((s) => s.name);
  }

  /**
   * Reads every block, and says what is wrong.
   *
   * @returns what there is on the disk, and the faults; a root that could not be read when the disk was opened is
   *   one
   * @throws PlanError "i/o error: ..." and its like: the disk cannot be read or written
   * @example
   * ```ts
   * const { faults } = yield* f.check();
   * ```
   */
  *check(): Task<Report> {
    const { store } = this.#files;
    store.hold();
    try {
      const found = yield* check(store, yield* store.still());
      if (store.lost === null) return found;
      return { ...found, faults: [lostsaid(store.lost, this.#env.now()), ...found.faults] };
    } finally {
      store.release();
    }
  }

  /**
   * Makes everything safe, with the map of the disk, so that the next start need not look for it.
   *
   * @throws PlanError "i/o error: ..." and its like: the disk cannot be read or written
   * @example
   * ```ts
   * yield* f.end();
   * ```
   */
  *end(): Task<void> {
    yield* this.#files.store.commit(undefined, true);
  }
}

/** Opens the fossil on a disk, or makes one where the disk is empty. Fails on a disk that holds something else. */
export function* openfossil(disk: Disk, env: Env, opts: Fossilopts): Task<Fossil> {
  const found = yield* Store.lastroot(disk, opts.hash);
  const root = { gen: 0, tree: null, nextid: ROOTID + 1, time: env.now(), space: null };
  const store = new Store(disk, env, found ?? { root, slot: 1 }, opts);
  const files = new Files(store, opts.flush ?? 4 << 20);
  const snaps = new Snaps(store);
  const server = new Server(files, snaps, opts);
  if (found === null) {
    yield* checkempty(disk);
    yield* format(files, opts.user ?? "glenda");
    yield* store.commit();
  } else {
    if (store.lost !== null) opts.log?.(`fossil: ${lostsaid(store.lost, env.now())}`);
    yield* loadroot(store, snaps);
    env.spawn(files.reap());
  }
  yield* server.loadusers();
  const { every } = opts;
  if (every !== undefined) files.touched = committer(store, every, opts.log);
  return new Fossil(files, server, snaps, found === null);
}

/** Finds out what is taken and which snapshots there are. Without the nodes that tell that nothing can be served. */
function* loadroot(store: Store, snaps: Snaps): Task<void> {
  try {
    yield* store.findspace();
    yield* snaps.load();
  } catch (e) {
    if (!(e instanceof Badblock)) throw e;
    error(`fossil: the top of the tree cannot be had: ${e.message}`);
  }
}

/** How often a root is looked for whose list of snapshots can be read. */
const LOOKS = 20;

/**
 * Opens a disk that another process writes, to read its snapshots: their blocks stay as long as they do. The tree
 * that has the list of them may be gone before it is read; then there is a newer root.
 */
export function* viewfossil(disk: Disk, env: Env, opts: Fossilopts): Task<Fossil> {
  for (let n = 1; ; n++) {
    const found = yield* Store.lastroot(disk, opts.hash);
    if (found === null) return error("fossil: the disk has no root");
    const store = new Store(disk, env, found, opts);
    const files = new Files(store, 0);
    const snaps = new Snaps(store);
    try {
      yield* snaps.load();
      return new Fossil(files, new Server(files, snaps, opts), snaps, false);
    } catch (e) {
      if (!(e instanceof Badblock) || n === LOOKS) throw e;
    }
  }
}

/** A disk that holds something, and no root, is not ours. */
function* checkempty(disk: Disk): Task<void> {
  const start = new Uint8Array(FIRST * GRANULE);
  const n = yield* waited(disk.read(start, 0));
  // A crash before the first root was written left nothing there.
  if (start.subarray(0, n).some((b) => b !== 0))
    error("fossil: the disk holds something else, or its roots are lost");
}

/** Makes safe what was changed, after a while, one thread for all. A disk that refuses is asked again after as long. */
function committer(store: Store, ms: number, log: Fossilopts["log"]): () => void {
  let running = false;
  let more = false;
  function* commitlater(): Task<void> {
    for (let told = ""; more;) {
      yield* store.env.nap(ms);
      more = false;
      try {
        yield* store.commit();
        told = "";
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        if (e.message !== told) log?.(`fossil: cannot write to the disk: ${e.message}`);
        told = e.message;
        more = true;
      }
    }
    running = false;
  }
  return () => {
    more = true;
    if (running) return;
    running = true;
    store.env.spawn(commitlater());
  };
}

/** Puts into a new disk what each has: the root, and /adm/users. */
function* format(files: Files, user: string): Task<void> {
  const now = files.store.env.now();
  const made = { vers: 0, atime: now, mtime: now, length: 0, inline: new Uint8Array(0) };
  const owned = (uid: string) => ({ ...made, uid, gid: uid, muid: uid });
  const root: Place = { view: null, dir: 0, id: ROOTID };
  files.mkroot({ ...owned(user), name: "/", mode: (DMDIR | 0o775) >>> 0 });
  const adm = files.create(root, { ...owned("adm"), name: "adm", mode: (DMDIR | 0o775) >>> 0 });
  const users = files.create(adm, { ...owned("adm"), name: "users", mode: 0o664 });
  files.write(users, utfencode(NEWUSERS), 0, { muid: "adm", now });
}
