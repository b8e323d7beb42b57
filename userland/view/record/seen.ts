// What a run has shown of files: which names are there, of which kind, with which mode and whose. It is found
// from what the recording holds: walks and their answers, entries, creates, removes and renames. Another
// client may have changed a server since, so a file counts as there only until something says otherwise.
//
// A file is known by the tree that it is in and its path there: a 9P connection and the path from its root, or
// the kernel's own trees and the name of a Chan. Such a name may come to mean another file by a mount, and one
// file may have several: what is known of them is forgotten as soon as that may be so. The fids of a connection
// stand for the names, from the root of their server, that they were walked to.

import { DMDIR, ORCLOSE, QTDIR } from "../../../kernel/abi/const.ts";
import { convM2D } from "../../../kernel/abi/dir.ts";
import type { Dir } from "../../../kernel/abi/dir.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import { got, values } from "./history.ts";
import type { Values } from "./history.ts";
import { connin, isgone } from "./recording.ts";
import type { Rcall, Recording, Revent } from "./recording.ts";

/** A file: a connection's number and the path from its root, "usr/glenda"; or 0 and a Chan's name, "#R/usr". */
export type Where = { readonly conn: number; readonly path: string };

/** What is known of a file; null where nothing has said it. */
export type Seenfile = {
  readonly isdir: boolean | null;
  readonly mode: number | null;
  readonly uid: string | null;
  readonly gid: string | null;
  /** The event that gave it its mode; none where that was before the recording. */
  readonly event?: number;
};

/** Whether a file was there from an event on, and what was known of it. */
type Version = Seenfile & {
  readonly event: number;
  readonly there: boolean;
  readonly moded?: number;
};

/** A connection and an event: a fid of the one stands for a name at the other. */
type At = { readonly conn: number; readonly event: number };

type Send = Revent & { readonly type: "send" };
type Receive = Revent & { readonly type: "receive" };
type Walk = Revent & { readonly type: "namec"; readonly step: "walk" };

const NOTHING: Seenfile = { isdir: null, mode: null, uid: null, gid: null };

/** Where a file of the kernel's own trees is: the Chan that a walk began at, and names: ("#R", ["a"]) → "#R/a". */
export function localpath(chan: string, rest: readonly string[]): string {
  const names = below("", rest);
  return names === "" ? chan : `${chan === "/" ? "" : chan}/${names}`;
}

/** The files of a recording, as far as it was read. */
export class Seen {
  readonly #r: Recording;
  #upto = 0;
  /** By connection and fid the name that it stands for, null once it is given back. */
  readonly #fids = new Map<string, Values<string | null>>();
  /** By connection and directory, the names in it. */
  readonly #dirs = new Map<string, Map<string, Version[]>>();
  /** By call, the last walk in the kernel's own tree that came all the way. */
  readonly #walked = new Map<number, string>();
  /** Who is the user of a connection. */
  readonly #users = new Map<number, string>();
  /** Fids whose files are removed when they are clunked. */
  readonly #temporary = new Set<string>();

  constructor(r: Recording) {
    this.#r = r;
  }

  /** Takes in what came since. */
  read(): void {
    const { events } = this.#r;
    for (; this.#upto < events.length; this.#upto++) {
      const e = events[this.#upto];
      if (e !== undefined) this.#take(e, this.#upto);
    }
  }

  #take(e: Revent, event: number): void {
    const { about, calls } = this.#r;
    if (e.type === "receive") this.#received(e, event);
    else if (e.type === "send") this.#sent(e, event);
    // A walk of the standard kernel leads on below a mount point, where no name of the program leads.
    else if (e.type === "namec" && e.step === "walk" && e.conn === 0 && about.namespace === "names")
      this.#walk(e, event);
    else if (e.type === "return") this.#returned(calls[e.call], event);
    else if (e.type === "mount") this.#remounted(event);
  }

  /** The name, from the root of its server, that a fid stands for at an event; undefined when that is not known. */
  fidname({ conn, event }: At, fid: number): string | undefined {
    const name = this.#fids.get(`${conn} ${fid}`)?.at(event);
    if (name !== undefined) return name ?? undefined;
    // A fid that was made before the recording is a root, if the connection says so.
    return connin(this.#r, conn)?.roots.includes(fid) === true ? "" : undefined;
  }

  #fid({ conn, event }: At, fid: number, name: string | null): void {
    values(this.#fids, `${conn} ${fid}`).set(event, name);
  }

  /** The names in a directory that are there at an event, as far as the run has shown. */
  inside({ conn, path }: Where, event: number): string[] {
    const names = this.#dirs.get(`${conn} ${path}`) ?? [];
    return [...names].filter(([, list]) => at(list, event)?.there === true).map(([name]) => name);
  }

  /** Whose connection it is; undefined when it was attached before the recording. */
  user(conn: number): string | undefined {
    return this.#users.get(conn);
  }

  /** What is known of a file at an event; null when it is not known to be there. */
  file({ conn, path }: Where, event: number): Seenfile | null {
    const [dir, name] = split(path);
    const v = at(this.#dirs.get(`${conn} ${dir}`)?.get(name) ?? [], event);
    if (v?.there !== true) return null;
    const { event: _since, moded, ...known } = v;
    return moded === undefined ? known : { ...known, event: moded };
  }

  #put(
    { conn, path }: Where,
    event: number,
    there: boolean,
    more: Partial<Omit<Version, "event" | "there">> = {},
  ): void {
    const [dir, name] = split(path);
    if (name === "") return;
    const names = got(this.#dirs, `${conn} ${dir}`, () => new Map());
    const list = names.get(name);
    const last = list?.at(-1);
    const before = last?.there === true && there ? last : NOTHING;
    const v = { ...NOTHING, ...before, ...more, event, there };
    if (list === undefined) names.set(name, [v]);
    else if (last?.there !== there || Object.keys(more).length > 0) list.push(v);
    if (!there) this.#forget({ conn, path }, event);
  }

  /** Names of the kernel's own trees may mean other files now. */
  #remounted(event: number): void {
    for (const [dir, names] of this.#dirs)
      if (dir.startsWith("0 ") && !dir.startsWith("0 #"))
        for (const list of names.values()) unknown(list, event);
  }

  /** A file of this name is gone, under whatever name its directory goes. */
  #lost(name: string, event: number): void {
    for (const [dir, names] of this.#dirs)
      if (dir.startsWith("0 ") && (names.has(name) || dir.includes(`/${name}`)))
        for (const list of names.values()) unknown(list, event);
  }

  /** What was below a name that is gone is not known any more. */
  #forget({ conn, path }: Where, event: number): void {
    const key = `${conn} ${path}`;
    for (const [dir, names] of this.#dirs)
      if (dir === key || dir.startsWith(`${key}/`))
        for (const list of names.values()) unknown(list, event);
  }

  #sent({ conn, fcall: t }: Send, event: number): void {
    const at = { conn, event };
    const path = "fid" in t ? this.fidname(at, t.fid) : undefined;
    if (t.type === F.Tattach) {
      this.#users.set(conn, t.uname);
      this.#fid(at, t.fid, "");
    } else if (t.type === F.Twalk && path !== undefined)
      this.#fid(at, t.newfid, below(path, t.wname));
    else if (
      t.type === F.Tclunk &&
      this.#temporary.delete(`${conn} ${t.fid}`) &&
      path !== undefined
    )
      this.#put({ conn, path }, event, false);
  }

  #received({ of, fcall: f }: Receive, event: number): void {
    const e = this.#r.events[of];
    if (e?.type !== "send" || !("fid" in e.fcall)) return;
    const { conn, fcall: t } = e;
    const path = this.fidname({ conn, event: of - (t.type === F.Twalk ? 1 : 0) }, t.fid);
    if (path !== undefined) this.#answer({ conn, path }, t, f, event);
    // A fid that is given back may soon stand for something else.
    if (t.type === F.Tclunk || t.type === F.Tremove) this.#fid({ conn, event }, t.fid, null);
  }

  /** What the answer to a request about a file says of it. */
  #answer(where: Where, t: F.Fcall & { fid: number }, f: F.Fcall, event: number): void {
    const { conn, path } = where;
    const removes = (t.type === F.Topen || t.type === F.Tcreate) && (t.mode & ORCLOSE) !== 0;
    if (removes && f.type !== F.Rerror) this.#temporary.add(`${conn} ${t.fid}`);
    if (t.type === F.Twalk && (f.type === F.Rwalk || (f.type === F.Rerror && isgone(f.ename))))
      this.#gone(where, t.wname, f.type === F.Rwalk ? f.wqid : [], event);
    else if (t.type === F.Tcreate && f.type === F.Rcreate) {
      const made = below(path, [t.name]);
      this.#fid({ conn, event }, t.fid, made);
      this.#put({ conn, path: made }, event, true, {
        isdir: (t.perm & DMDIR) !== 0,
        mode: t.perm,
        uid: this.#users.get(conn) ?? null,
        moded: event,
      });
    } else if (f.type === F.Rstat) {
      for (const d of entriesof(f.stat)) this.#put(where, event, true, known(d));
    }
    if (f.type === F.Rremove) this.#put(where, event, false);
    else if (t.type === F.Twstat && f.type === F.Rwstat) this.#changed(where, t.stat, event);
    else if (f.type === F.Rread) this.#listed(where, f.data, event);
  }

  /** A walk from `where` led so far: those names are there, and the next is not. */
  #gone(
    where: Where,
    names: readonly string[],
    qids: readonly { readonly type: number }[],
    event: number,
  ): void {
    for (const [i, qid] of qids.entries()) {
      const path = below(where.path, names.slice(0, i + 1));
      this.#put({ ...where, path }, event, true, { isdir: (qid.type & QTDIR) !== 0 });
    }
    const last = qids.at(-1);
    if (qids.length === names.length || (last !== undefined && (last.type & QTDIR) === 0)) return;
    this.#put({ ...where, path: below(where.path, names.slice(0, qids.length + 1)) }, event, false);
  }

  #changed(where: Where, stat: Uint8Array, event: number): void {
    const [d] = entriesof(stat);
    if (d === undefined) return;
    if (d.name !== "") {
      const old = this.file(where, event);
      this.#put(where, event, false);
      const [dir] = split(where.path);
      this.#put({ ...where, path: below(dir, [d.name]) }, event, true, { ...old });
    } else if (d.mode !== 0xffffffff) this.#put(where, event, true, { mode: d.mode, moded: event });
  }

  /** What a read of a directory brought. Data of a file is no entries, and is left alone. */
  #listed(where: Where, data: Uint8Array, event: number): void {
    if (this.file(where, event)?.isdir !== true && where.path !== "") return;
    for (const d of entriesof(data))
      this.#put({ ...where, path: below(where.path, [d.name]) }, event, true, known(d));
  }

  #walk(e: Walk, event: number): void {
    for (let n = 1; n <= e.got; n++) {
      const path = localpath(e.chan, e.rest.slice(0, n));
      this.#put({ conn: 0, path }, event, true, n < e.got ? { isdir: true } : {});
    }
    const path = localpath(e.chan, e.rest);
    if (e.got === e.rest.length) this.#walked.set(e.call, path);
    else this.#walked.delete(e.call);
  }

  /** A call in the kernel's own tree has done what it was to do. */
  #returned(call: Rcall | undefined, event: number): void {
    if (call === undefined) return;
    const path = this.#walked.get(call.id);
    this.#walked.delete(call.id);
    if (path === undefined || call.error !== null || call.cost.messages > 0) return;
    const where = { conn: 0, path };
    const [name, arg, perm] = call.args;
    if (call.name === "remove") this.#lost(split(path)[1], event);
    else if (call.name === "stat" && isdir(call.value))
      this.#put(where, event, true, known(call.value));
    else if (call.name === "wstat" && typeof arg === "object" && arg !== null && "name" in arg)
      this.#lost(split(path)[1], event);
    else if (call.name === "create" && typeof name === "string" && typeof perm === "number") {
      const last = name.split("/").filter(Boolean).at(-1) ?? "";
      const temporary = typeof arg === "number" && (arg & ORCLOSE) !== 0;
      if (!temporary && split(path)[1] !== last)
        this.#put({ conn: 0, path: `${path === "/" ? "" : path}/${last}` }, event, true, {
          isdir: (perm & DMDIR) !== 0,
        });
    }
  }
}

/** From an event on nothing is known of a file. */
function unknown(list: Version[], event: number): void {
  if (list.at(-1)?.there === true) list.push({ ...NOTHING, event, there: false });
}

/** The entries that data is, up to what is none. */
function entriesof(data: Uint8Array): Dir[] {
  const list: Dir[] = [];
  for (let e = convM2D(data, 0, data.length); e !== null; e = convM2D(data, e.next, data.length))
    list.push(e.dir);
  return list;
}

const known = (d: Dir): Seenfile => ({
  isdir: (d.mode & DMDIR) !== 0,
  mode: d.mode,
  uid: d.uid,
  gid: d.gid,
});

const isdir = (v: unknown): v is Dir => typeof v === "object" && v !== null && "qid" in v;

/** A path's directory and its last element: "a/b/c" → ["a/b", "c"]. */
export function split(path: string): readonly [dir: string, name: string] {
  const i = path.lastIndexOf("/");
  return i < 0 ? ["", path] : [path.slice(0, i), path.slice(i + 1)];
}

/** The last version that began by an event. */
function at(list: readonly Version[], event: number): Version | undefined {
  return list.findLast((v) => v.event <= event);
}

/** The name that elements lead to from a name: ("a/b", ["..", "c"]) → "a/c". */
export function below(name: string, elems: readonly string[]): string {
  const list = name === "" ? [] : name.split("/");
  for (const elem of elems) {
    if (elem === "..") list.pop();
    else list.push(elem);
  }
  return list.join("/");
}
