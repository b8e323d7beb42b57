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

  /** Called before each chunk of requests: a place to read the clock. */
  turn?(): Task<void>;
  /**
   * Tauth: an authentication file, on which uname is proved for the tree aname. Its qid has QTAUTH. It is open
   * for reading and writing, so read and write get its fid, and clunk at its end. A server that has auth
   * refuses each attach without such a file that is finished. auth(5)
   */
  auth?(uname: string, aname: string): Promised<A>;
  /** Whether what was read and written on an authentication file has proved fid.uid. */
  authed?(afid: Fid<A>): boolean;
  /** The root of the tree that aname names, for uname. */
  attach(uname: string, aname: string): Promised<A>;
  /** The qid of a file. */
  qid(file: A): Qid;
  /** What the file is. */
  stat(fid: Fid<A>): Promised<Dir>;
  /** What `dir` has under this name, ".." included (not "."); null if nothing. */
  walk1?(dir: A, name: string, fid: Fid<A>): Promised<A | null>;
  /** A whole walk in place of walk1: what it passed, as far as it came. */
  walk?(fid: Fid<A>, names: readonly string[]): Promised<readonly A[]>;
  /** May refuse. mode is OREAD, OWRITE, ORDWR or OEXEC, with OTRUNC and ORCLOSE. */
  open?(fid: Fid<A>, mode: number): Promised<void>;
  /** Makes a file in the directory fid and opens it; fails if the name exists. */
  create?(fid: Fid<A>, name: string, perm: number, mode: number): Promised<A>;
  /** A stream begins at offset: its reads come in order, others between them perhaps elsewhere. */
  stream?(fid: Fid<A>, offset: number): Promised<void>;
  /**
   * A write is to come at offset, and may be the first of a stream. True: those behind it, with the same tag
   * and each where the last ends, may be given to write before it is answered, and are refused after it if
   * it fails.
   */
  wstream?(fid: Fid<A>, offset: number): Task<boolean>;
  /** At most count bytes from offset on; none at the end. What is given is copied at once. */
  read?(fid: Fid<A>, count: number, offset: number): Promised<Uint8Array>;
  /**
   * The entries of a directory, each asked for when its turn comes: plain, or a generator that does not
   * wait. Of an Entry the Dir is made when it is read, however long it had to wait for room. Without
   * this, read reads directories, and gives whole entries.
   */
  entries?(fid: Fid<A>): Iterable<Dir | Entry>;
  /** data is the server's to keep, unless it says that it is done with it at once. */
  write?(fid: Fid<A>, data: Uint8Array, offset: number): Promised<number>;
  /** Changes what is given: all or nothing. */
  wstat?(fid: Fid<A>, changes: Wstat): Promised<void>;
  /** Removes the file. */
  remove?(fid: Fid<A>): Promised<void>;
  /**
   * fid stands for fid.aux from now on: an attach, a walk or a clone made it (was is null), or a walk or a create
   * took it from `was`. A server that counts the fids of a file counts here and in clunk.
   */
  became?(fid: Fid<A>, was: A | null): void;
  /**
   * The fid is gone: called once for each fid that attach or walk made, after all other calls for that fid have
   * come to their end, remove and an open that was under way too. What open and create gave is closed here.
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

  /** The library makes fids; a server finds its file in `aux`. */
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
