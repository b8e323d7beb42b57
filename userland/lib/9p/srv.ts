// A 9P server is a Srv: callbacks, each with a default. The library does the rest: frames, fids, tags,
// versions, flushes and limits (conn.ts, session.ts); walks, open modes and directory offsets
// (fcalls.ts). 9p(2)
//
// A is whatever the server takes for a file: it makes one in attach, walk1 and create, and finds it in
// fid.aux. A fid that is cloned has the same one.
//
// A callback throws PlanError to refuse. One that must wait is a generator, or an async function (promises.ts): it
// runs in a thread, and requests with other tags go on meanwhile. Those that are plain are answered at once.

import type { Task } from "../../../syscalls/sys.ts";
import type { Dir, Qid, Wstat } from "../../../kernel/abi/dir.ts";

/** What a callback gives: the answer, or a Task that comes to it. */
export type Answer<T> = T | Task<T>;

/** What a callback gives that may be an async function, too. */
export type Promised<T> = Answer<T> | Promise<T>;

/** The callbacks of a server; see the head of the file. */
export interface Srv<A> {
  /** The best version it speaks, "9P2000.ix.stream" if it does not say. */
  readonly version?: string;
  /** The largest msize it agrees to, 1 MiB if it does not say. */
  readonly msize?: number;
  /** Why it refuses Tauth, when it has no auth. */
  readonly noauth?: string;
  /** create is called for an OTRUNC of what exists, too, and opens it: OEXCL in mode says that it must not. */
  readonly opensexisting?: boolean;
  /** Files that may be open at a time, over all connections; each has a share (shares.ts). No limit if it does not say. */
  readonly maxopen?: number;
  /** write is plain and keeps nothing of its data: it may be given a view of the frame. */
  readonly copies?: boolean;
  /** What read gives after it waited is a view of the server's own bytes, and good only until something waits. */
  readonly views?: boolean;
  /** Callbacks give promises though they are no async functions: promises.ts. */
  readonly async?: boolean;
  /** Names such as "." that wstat judges itself; all others that no walk finds are refused before it. */
  readonly oddnames?: ReadonlySet<string>;

  /**
   * Called before each chunk of requests: a place to read the clock.
   *
   * @example
   * ```ts
   * *turn() {
   *   now = yield* sys.nsec();
   * }
   * ```
   */
  turn?(): Task<void>;
  /**
   * Makes an authentication file for a Tauth, on which the client proves that it is uname. Its qid has QTAUTH. It
   * is open for reading and writing, so read and write get its fid, and clunk at its end. A server that has auth
   * refuses each attach without such a file that is finished. auth(5)
   *
   * @param uname the user that the client claims to be
   * @param aname the tree that the client will attach to
   * @returns the file
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * auth: (uname) => newproof(uname)
   * ```
   */
  auth?(uname: string, aname: string): Promised<A>;
  /**
   * Tells whether what was read and written on an authentication file has proved fid.uid. auth(5)
   *
   * @param afid the authentication file's
   * @returns true if it has
   * @example
   * ```ts
   * authed: (fid) => fid.aux.done
   * ```
   */
  authed?(afid: Fid<A>): boolean;
  /**
   * Gives the root of a tree. attach(5)
   *
   * @param uname the user; where no auth is, the one that the client claims
   * @param aname the name of the tree, "" for the server's own choice
   * @returns the root
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * attach: () => root
   * ```
   */
  attach(uname: string, aname: string): Promised<A>;
  /**
   * Tells the qid of a file. It does not wait. stat(5)
   *
   * @param file the file
   * @returns path, vers and type; the type has QTDIR for a directory
   * @example
   * ```ts
   * qid: (file) => ({ path: file.id, vers: 0, type: QTFILE })
   * ```
   */
  qid(file: A): Qid;
  /**
   * Tells the entry of a file. stat(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @returns the entry
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * stat: (fid) => entryof(fid.aux)
   * ```
   */
  stat(fid: Fid<A>): Promised<Dir>;
  /**
   * Finds what a directory has under a name. walk(5)
   *
   * @param dir the directory
   * @param name an element, ".." included; never "."
   * @param fid the client's fid; `fid.aux` is the server's file
   * @returns the file; null if there is none
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * walk1: (dir, name) => dir.children.get(name) ?? null
   * ```
   */
  walk1?(dir: A, name: string, fid: Fid<A>): Promised<A | null>;
  /**
   * Does a whole walk, in place of walk1. walk(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param names the elements, at most 16
   * @returns the files that it passed, as far as it came
   * @throws PlanError the first element is not there; its error string is what the client sees
   * @example
   * ```ts
   * walk: (fid, names) => found(fid.aux, names)
   * ```
   */
  walk?(fid: Fid<A>, names: readonly string[]): Promised<readonly A[]>;
  /**
   * Opens a file, or refuses. open(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param mode OREAD, OWRITE, ORDWR or OEXEC, with OTRUNC and ORCLOSE
   * @returns when it is open
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * open(fid, mode) {
   *   if (mode !== OREAD) throw new PlanError("permission denied");
   * }
   * ```
   */
  open?(fid: Fid<A>, mode: number): Promised<void>;
  /**
   * Makes a file in a directory, and opens it. open(5)
   *
   * @param fid the directory's
   * @param name an element, never "." or ".."
   * @param perm the permissions that the client asks for, with DMDIR for a directory
   * @param mode as open's
   * @returns the file
   * @throws PlanError "file already exists": the name is taken
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * create: (fid, name, perm) => newfile(fid.aux, name, perm)
   * ```
   */
  create?(fid: Fid<A>, name: string, perm: number, mode: number): Promised<A>;
  /**
   * Called where a stream begins. Its reads come in order, others perhaps between them.
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param offset bytes from the start of the file
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * stream: (fid, offset) => fid.aux.seek(offset)
   * ```
   */
  stream?(fid: Fid<A>, offset: number): Promised<void>;
  /**
   * Called before a write that may be the first of a stream.
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param offset bytes from the start of the file, where the write begins
   * @returns true: the writes behind it, with the same tag and each where the last ends, may be given to write
   *   before it is answered, and are refused after it if it fails
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * *wstream() {
   *   return true;
   * }
   * ```
   */
  wstream?(fid: Fid<A>, offset: number): Task<boolean>;
  /**
   * Reads a file. What it gives is copied at once. read(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param count bytes at most
   * @param offset bytes from the start of the file
   * @returns the bytes; none at the end
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * read: (fid, count, offset) => fid.aux.data.subarray(offset, offset + count)
   * ```
   */
  read?(fid: Fid<A>, count: number, offset: number): Promised<Uint8Array>;
  /**
   * Gives the entries of a directory, each asked for when its turn comes. The Dir of an Entry is made when it is
   * read. Without this callback, read reads directories and gives whole entries. read(5)
   *
   * @param fid the directory's
   * @returns an array, or a generator that does not wait
   * @example
   * ```ts
   * entries: (fid) => [...fid.aux.children.values()].map(entryof)
   * ```
   */
  entries?(fid: Fid<A>): Iterable<Dir | Entry>;
  /**
   * Writes to a file. read(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param data the bytes, the server's to keep unless it sets `copies`
   * @param offset bytes from the start of the file; a DMAPPEND file ignores it
   * @returns bytes written
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * write(fid, data, offset) {
   *   fid.aux.data.set(data, offset);
   *   return data.length;
   * }
   * ```
   */
  write?(fid: Fid<A>, data: Uint8Array, offset: number): Promised<number>;
  /**
   * Changes what is given of a file: all of it, or nothing. stat(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param changes the fields to change
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * wstat(fid, { mode }) {
   *   if (mode !== undefined) fid.aux.mode = mode;
   * }
   * ```
   */
  wstat?(fid: Fid<A>, changes: Wstat): Promised<void>;
  /**
   * Removes the file; its fid is clunked whatever comes of that. remove(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * remove: (fid) => fid.aux.parent.children.delete(fid.aux.name)
   * ```
   */
  remove?(fid: Fid<A>): Promised<void>;
  /**
   * Called when fid has come to stand for fid.aux: by an attach, a walk, a clone or a create. A server that counts
   * the fids of a file counts here and in clunk.
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @param was the file that the fid stood for before; null for a new fid
   * @example
   * ```ts
   * became(fid, was) {
   *   fid.aux.nfids++;
   *   if (was !== null) was.nfids--;
   * }
   * ```
   */
  became?(fid: Fid<A>, was: A | null): void;
  /**
   * Called once for each fid that attach or walk made, when it is gone. All other calls for that fid have come to
   * their end. What open and create gave is closed here. clunk(5)
   *
   * @param fid the client's fid; `fid.aux` is the server's file
   * @example
   * ```ts
   * clunk: (fid) => fid.aux.close()
   * ```
   */
  clunk?(fid: Fid<A>): Promised<void>;
}

/** Not open, as a mode. */
export const NOTOPEN = -1;
/** About to be opened. */
export const OPENING = -2;

/** How far the life of a fid has come: fids.ts. */
export type Life = "live" | "clunked" | "ended";

/** A client's name for a file. */
export class Fid<A> {
  /** The client's number for it. */
  readonly fid: number;
  /** Whose it is, as Tattach said. */
  readonly uid: string;
  /** The server's file. */
  aux: A;
  /** The mode it is open with, or NOTOPEN or OPENING, which are negative. */
  omode: number = NOTOPEN;
  /** Requests that use it now. */
  ref = 0;
  /** Whether it lives. @internal */
  life: Life = "live";
  /** A Tremove was made of it, so that ORCLOSE means nothing any more. */
  removed = false;
  /** An authentication file: the tree that it is for; null for other fids. */
  authfor: string | null = null;
  /** How many fids it counts for, and whether it counts as an open one. */
  readonly cost: number;
  /** It counts as an open file. @internal */
  counted = false;
  /** A directory: where the last read ended, and what comes next. */
  diroffset = 0;
  /** The entries that are still to be read. @internal */
  dir: Entries | null = null;

  /**
   * The library makes fids; a server finds its file in `aux`.
   *
   * @param fid the client's number
   * @param uid whose it is
   * @param aux the server's file
   * @param cost how many fids it counts for
   */
  constructor(fid: number, uid: string, aux: A, cost = 1) {
    this.fid = fid;
    this.uid = uid;
    this.aux = aux;
    this.cost = cost;
  }
}

/** A file in a directory that can say what it is: null when it is there no more. */
export interface Entry {
  entry(): Dir | null;
}

/** The entries of a directory that are still to be read; `held` did not fit the last time. */
export type Entries = { readonly rest: Iterator<Dir | Entry>; held: Dir | Entry | null };

/** The same server, which speaks at best this version. A server may be an object of a class: so it is not copied. */
export function speaking<A>(srv: Srv<A>, version: string): Srv<A> {
  Object.defineProperty(srv, "version", { value: version });
  return srv;
}
