// Who is meant, in words: servers by who answers there, members of a union by what they are, fids by the
// names that they were walked to. Only a recording is asked.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { Rcreate, Tattach, Tclunk, Tcreate, Tremove, Twalk } from "../../../kernel/abi/fcall.ts";
import type { Mounted, Mountpoint } from "../../../kernel/names/namespace.ts";
import type { Recording, Revent } from "../record/recording.ts";

/** Devices of the kernel by their characters. */
const DEVICES: Readonly<Record<string, string>> = nullproto({
  "/": "the kernel's own root directory",
  I: "the network device",
  R: "the memory tree",
  U: "the host's file tree",
  c: "the console device",
  d: "the directory of descriptors",
  e: "the environment",
  p: "the directory of processes",
  s: "the directory of services",
  "|": "a pipe",
});

/** Who is at the other end of a connection: "far!564", or the file that it runs over. */
export function connname(r: Recording, conn: number): string {
  const c = r.conns.find((x) => x.conn === conn);
  return c?.peer ?? c?.name ?? (conn === 0 ? "a server" : `connection ${conn}`);
}

/** The same in words: "far!564", "the server behind #|/data". */
export function servername(r: Recording, conn: number): string {
  const c = r.conns.find((x) => x.conn === conn);
  if (c === undefined) return "the server";
  return c.peer ?? `the server behind ${c.name}`;
}

/** The server of a connection: "the server far!564". */
export function serverof(r: Recording, conn: number): string {
  const name = servername(r, conn);
  return name.startsWith("the ") ? name : `the server ${name}`;
}

/** What a member of a mount point is. */
export function memberof(r: Recording, m: Mounted): string {
  if (m.conn > 0) {
    const mounted = m.from === "" || r.conns.some((c) => c.conn === m.conn && c.name === m.from);
    return mounted ? serverof(r, m.conn) : `${m.from} of ${serverof(r, m.conn)}`;
  }
  const dev = DEVICES[m.dev];
  if (dev === undefined) return m.from;
  return m.from === `#${m.dev}` || m.from === "/" ? dev : `${m.from} of ${dev}`;
}

/** The mount point of this name in the name space of an event. */
export function mountat(r: Recording, e: Revent, path: string): Mountpoint | undefined {
  return r.spaces[e.space]?.find((m) => m.path === path);
}

/** The events at which connections of a recording hung up, and how far it has been read for them. */
type Ends = { read: number; readonly at: Map<number, number> };

const ends: WeakMap<Recording, Ends> = new WeakMap();

/** Whether the server of a connection, or the link to it, has gone by an event. */
export function hungup(r: Recording, conn: number, event: number): boolean {
  let e = ends.get(r);
  if (e === undefined) ends.set(r, (e = { read: 0, at: new Map() }));
  for (; e.read < r.events.length; e.read++) {
    const x = r.events[e.read];
    if (x?.type !== "conn") continue;
    if (x.what === "hangup") e.at.set(x.conn, e.read);
    // Closed by its last user, and not by the other end.
    else if (x.what === "close" && e.at.get(x.conn) === e.read - 1) e.at.delete(x.conn);
  }
  return (e.at.get(conn) ?? Infinity) <= event;
}

/** What a fid stood for from an event on; null once it is gone. */
type Meaning = { readonly event: number; readonly name: string | null };

/** The meanings of the fids of a recording, as far as it was read. */
class Fids {
  upto = 0;
  readonly #of = new Map<string, Meaning[]>();

  /** Takes in what came since. */
  read(r: Recording): void {
    for (; this.upto < r.events.length; this.upto++) {
      const e = r.events[this.upto];
      if (e?.type === "send") this.#sent(r, e, this.upto);
      else if (e?.type === "receive") this.#received(r, e, this.upto);
    }
  }

  #sent(r: Recording, { conn, fcall: t }: Revent & { type: "send" }, event: number): void {
    if (t.type === Tattach) this.#put(conn, t.fid, { event, name: "" });
    if (t.type !== Twalk) return;
    const from = this.name(r, { conn, event }, t.fid);
    if (from !== undefined) this.#put(conn, t.newfid, { event, name: below(from, t.wname) });
  }

  #received(r: Recording, e: Revent & { type: "receive" }, event: number): void {
    const of = r.events[e.of];
    if (of?.type !== "send") return;
    const { conn, fcall: t } = of;
    if (t.type === Tcreate && e.fcall.type === Rcreate) {
      const dir = this.name(r, { conn, event }, t.fid);
      if (dir !== undefined) this.#put(conn, t.fid, { event, name: below(dir, [t.name]) });
    }
    // A fid that is given back may soon stand for something else.
    if (t.type === Tclunk || t.type === Tremove) this.#put(conn, t.fid, { event, name: null });
  }

  #put(conn: number, fid: number, m: Meaning): void {
    const key = `${conn} ${fid}`;
    const list = this.#of.get(key);
    if (list === undefined) this.#of.set(key, [m]);
    else list.push(m);
  }

  name(
    r: Recording,
    { conn, event }: { readonly conn: number; readonly event: number },
    fid: number,
  ): string | undefined {
    const list = this.#of.get(`${conn} ${fid}`) ?? [];
    let low = 0;
    for (let high = list.length; low < high;) {
      const mid = (low + high) >> 1;
      if ((list[mid]?.event ?? 0) <= event) low = mid + 1;
      else high = mid;
    }
    const meant = list[low - 1];
    if (meant !== undefined) return meant.name ?? undefined;
    // What nobody has seen made was there before: the root.
    return r.conns.find((c) => c.conn === conn)?.roots.includes(fid) === true ? "" : undefined;
  }
}

const known: WeakMap<Recording, Fids> = new WeakMap();

/** The name, from the root of its server, that a fid stands for at an event; undefined when that is not known. */
export function fidname(
  r: Recording,
  at: { conn: number; event: number },
  fid: number,
): string | undefined {
  let fids = known.get(r);
  if (fids === undefined) known.set(r, (fids = new Fids()));
  fids.read(r);
  return fids.name(r, at, fid);
}

function below(name: string, elems: readonly string[]): string {
  const list = name === "" ? [] : name.split("/");
  for (const elem of elems) {
    if (elem === "..") list.pop();
    else list.push(elem);
  }
  return list.join("/");
}
