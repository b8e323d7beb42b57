// A server out of an object: names, and what they stand for. For servers whose files are made by a
// program as it goes.
//
//	tree({ motd: "be nice\n", time: () => now(), ctl: file({ write: command }), log: { today: ... } })
//	tree({ procs: dir({ files: () => list(), create: (name) => start(name) }) })
//
// A string or bytes are the file's contents; a function makes them each time the file is opened to be
// read; `file` also takes what is written, one write at a time; an object is a directory, and `dir` one whose
// files a function makes whenever it is walked or opened. Functions may be generators, or async, and take
// their time. A name keeps its qid as long as the function gives it.

import { DMDIR, OEXEC, ORCLOSE, ORDWR, OREAD, OWRITE, QTDIR } from "../../../kernel/abi/const.ts";
import type { Dir, Qid, Wstat } from "../../../kernel/abi/dir.ts";
import { Eexist, Eperm, error } from "../../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";
import { andthen, istask } from "./answer.ts";
import { Enocreate, Enoremove, Enowstat } from "./errors.ts";
import type { Fid, Promised, Srv } from "./srv.ts";

/** What a file holds. */
export type Contents = string | Uint8Array;

/** What can be done to a file or directory of a tree as such. */
export type Nodefns = {
  /**
   * Takes the file away. Without it a remove is refused. remove(5)
   *
   * @returns when it is gone
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * file({ remove: () => void users.delete("ken") });
   * ```
   */
  remove?(): Promised<void>;
  /**
   * Changes what is given of the file. Without it a wstat is refused. stat(5)
   *
   * @param changes the fields to change
   * @returns when they are changed
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * file({ wstat: ({ mode }) => void (perm = mode ?? perm) });
   * ```
   */
  wstat?(changes: Wstat): Promised<void>;
};

/** What a file does when it is opened to be read, and with each write. */
export type Filefns = Nodefns & {
  /**
   * Makes what the file holds, when it is opened. open(5)
   *
   * @returns the contents
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * file({ read: () => `${n}\n` });
   * ```
   */
  read?(): Promised<Contents>;
  /**
   * Takes what was written. read(5)
   *
   * @param text the bytes of one write, decoded from UTF-8
   * @returns when it is taken
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * file({ write: (text) => void (n += Number(text)) });
   * ```
   */
  write?(text: string): Promised<void>;
};

/** What a directory does. */
export type Dirfns = Nodefns & {
  /**
   * Gives what the directory has now. read(5)
   *
   * @returns names and what they stand for
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * dir({ files: () => Object.fromEntries(users) });
   * ```
   */
  files?(): Promised<Files>;
  /**
   * Makes a file or, with DMDIR in perm, a directory. Without it a create is refused. open(5)
   *
   * @param name its name
   * @param perm the permissions that the client asks for
   * @returns what it is: a value of tree's object
   * @throws PlanError what the client is to see as the error string
   * @example
   * ```ts
   * dir({ create: (name) => made(name) });
   * ```
   */
  create?(name: string, perm: number): Promised<Entryof>;
};

/** A file that is more than its contents. */
export class File {
  /** What makes and takes the contents. */
  readonly fns: Filefns;

  constructor(fns: Filefns) {
    this.fns = fns;
  }
}

/** A directory that is more than an object. */
export class Directory {
  /** What makes its files. */
  readonly fns: Dirfns;

  constructor(fns: Dirfns) {
    this.fns = fns;
  }
}

/**
 * Makes a file with functions of its own, for tree. 9p(2)
 *
 * @param fns what makes its contents, and takes what is written
 * @returns the file, a value of tree's object
 * @example
 * ```ts
 * tree({ time: file({ read: () => new Date().toISOString() }) });
 * ```
 */
export function file(fns: Filefns): File {
  return new File(fns);
}

/**
 * Makes a directory with functions of its own, for tree. 9p(2)
 *
 * @param fns what lists, makes and removes its files
 * @returns the directory, a value of tree's object
 * @example
 * ```ts
 * tree({ users: dir({ files: () => Object.fromEntries(users) }) });
 * ```
 */
export function dir(fns: Dirfns): Directory {
  return new Directory(fns);
}

/** What a name stands for. */
export type Entryof = Contents | (() => Promised<Contents>) | File | Directory | Files;

/** A directory: names and what they stand for. */
export type Files = { readonly [name: string]: Entryof };

/** A place in the tree. */
type Node = {
  readonly name: string;
  readonly qid: Qid;
  readonly up: Node | null;
  /** What it does as a file, or as a directory. */
  what: Filefns | Dirfns;
  readonly isdir: boolean;
  /** The places below it that are known. */
  readonly known: Map<string, Node>;
};

/** What an open fid reads: the contents of a file, or the files of a directory. */
type Open = { readonly node: Node; readonly text: Uint8Array; readonly list: readonly Node[] };

const EMPTY = new Uint8Array(0);
const bytes = (c: Contents): Uint8Array => (typeof c === "string" ? utfencode(c) : c);

/**
 * Makes a server of these files. 9p(2)
 *
 * @param files the files by their names; an object is a directory
 * @param user the owner of all: "none" unless given
 * @returns the server, for serve, post, postmount or listensrv
 * @example
 * ```ts
 * const srv = tree({ readme: "hello\n", lib: { motd: () => "now\n" } });
 * ```
 */
export function tree(files: Files, user = "none"): Srv<Open> {
  return new Tree(files, user).srv();
}

/** What a Tcreate asks for. */
type Creation = { readonly name: string; readonly perm: number; readonly mode: number };

class Tree {
  readonly #user: string;
  readonly #root: Node;
  #path = 0n;

  constructor(files: Files, user: string) {
    this.#user = user;
    this.#root = this.#node("/", files, null);
  }

  srv(): Srv<Open> {
    const stat = (n: Node): Dir => statof(n, this.#user);
    return {
      copies: true,
      async: true,
      attach: () => closed(this.#root),
      qid: ({ node }) => node.qid,
      walk1: ({ node }, name) =>
        name === ".." ? closed(node.up ?? node) : settle(after(this.#walk(node, name), opt)),
      open: (fid, mode) => settle(this.#open(fid, mode)),
      create: (fid, name, perm, mode) => settle(this.#create(fid.aux.node, { name, perm, mode })),
      read: (fid, count, offset) => fid.aux.text.subarray(offset, offset + count),
      entries: (fid) => fid.aux.list.map(stat),
      write(fid, data) {
        const what = fid.aux.node.what as Filefns;
        return settle(after(what.write?.(utfdecode(data, 0, data.length)), () => data.length));
      },
      stat: (fid) => stat(fid.aux.node),
      remove: ({ aux: { node } }) => settle(after(removed(node.what), () => forget(node))),
      wstat: ({ aux: { node } }, changes) => settle(changed(node.what, changes)),
    };
  }

  #node(name: string, what: Entryof, up: Node | null): Node {
    const fns = filefns(what);
    const isdir = fns === null;
    const node: Node = {
      name,
      qid: { path: this.#path++, vers: 0, type: isdir ? QTDIR : 0 },
      up,
      what: fns ?? dirfns(what as Directory | Files),
      isdir,
      known: new Map(),
    };
    return node;
  }

  /** What a directory has now. A name that it had before is the same place. */
  #files(node: Node): Promised<readonly Node[]> {
    return after((node.what as Dirfns).files?.() ?? {}, (files) => {
      const list = Object.entries(files).map(([name, what]) => this.#known(node, name, what));
      for (const name of node.known.keys())
        if (!Object.hasOwn(files, name)) node.known.delete(name);
      return list;
    });
  }

  #known(node: Node, name: string, what: Entryof): Node {
    const known = node.known.get(name);
    const fns = filefns(what);
    if (known !== undefined && known.isdir === (fns === null)) {
      known.what = fns ?? dirfns(what as Directory | Files);
      return known;
    }
    const made = this.#node(name, what, node);
    node.known.set(name, made);
    return made;
  }

  #walk(node: Node, name: string): Promised<Node | null> {
    return after(this.#files(node), () => node.known.get(name) ?? null);
  }

  /** Opens a directory with the files that it has now, or a file with what it holds now. */
  #open(fid: Fid<Open>, mode: number): Promised<void> {
    const { node } = fid.aux;
    const opened = (o: Open): void => void (fid.aux = o);
    return after(this.#opened(node, mode), opened);
  }

  #opened(node: Node, mode: number): Promised<Open> {
    if ((mode & ORCLOSE) !== 0 && node.what.remove === undefined) error(Eperm);
    if (node.isdir) return after(this.#files(node), (list) => ({ ...closed(node), list }));
    const how = mode & 3;
    const what = node.what as Filefns;
    const writes = what.write !== undefined;
    if (how === OEXEC) error(Eperm);
    if ((how === OWRITE || how === ORDWR) && !writes) error(Eperm);
    if (how === OWRITE) return closed(node);
    if (what.read === undefined) return how === OREAD ? error(Eperm) : closed(node);
    return after(what.read(), (c) => ({ ...closed(node), text: bytes(c) }));
  }

  #create(node: Node, how: Creation): Promised<Open> {
    const { name, perm, mode } = how;
    const what = node.what as Dirfns;
    if (what.create === undefined) error(Enocreate);
    return after(this.#walk(node, name), (there) => {
      if (there !== null) error(Eexist);
      if (what.create === undefined) error(Enocreate);
      return after(what.create(name, perm), (made) =>
        this.#opened(this.#known(node, name, made), mode),
      );
    });
  }
}

const closed = (node: Node): Open => ({ node, text: EMPTY, list: [] });
const opt = (node: Node | null): Open | null => (node === null ? null : closed(node));

const removed = (what: Nodefns): Promised<void> =>
  what.remove === undefined ? error(Enoremove) : what.remove();
const changed = (what: Nodefns, changes: Wstat): Promised<void> =>
  what.wstat === undefined ? error(Enowstat) : what.wstat(changes);

function forget(node: Node): void {
  if (node.up?.known.get(node.name) === node) node.up.known.delete(node.name);
}

/** fn of an answer of whatever kind, when it is there. */
function after<T, R>(a: Promised<T>, fn: (value: T) => Promised<R>): Promised<R> {
  if (a instanceof Promise) return a.then((value) => fn(value) as R);
  const then = fn as (value: T) => R;
  return istask(a) ? andthen(a, then) : fn(a);
}

/** A promise is for the library to settle, which `async` asks it for. */
const settle = <T>(a: Promised<T>): T => a as T;

/** What a file does; null for a directory. */
function filefns(what: Entryof): Filefns | null {
  if (what instanceof File) return what.fns;
  if (typeof what === "function") return { read: what };
  if (typeof what === "string" || what instanceof Uint8Array) return { read: () => what };
  return null;
}

function dirfns(what: Directory | Files): Dirfns {
  return what instanceof Directory ? what.fns : { files: () => what };
}

function statof(n: Node, user: string): Dir {
  const what = n.what as Filefns;
  const perm = (what.read === undefined ? 0 : 0o444) | (what.write === undefined ? 0 : 0o222);
  const within = (n.what as Dirfns).create === undefined ? 0o555 : 0o777;
  const mode = n.isdir ? (DMDIR | within) >>> 0 : perm;
  const { qid, name } = n;
  const times = { atime: 0, mtime: 0, length: 0 };
  return { type: 0, dev: 0, qid, mode, ...times, name, uid: user, gid: user, muid: user };
}
