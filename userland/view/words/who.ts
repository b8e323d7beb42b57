// Who is meant, in words: servers by who answers there, members of a union by what they are, fids by the
// names that they were walked to. Only a recording is asked.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Mounted, Mountpoint } from "../../../kernel/names/namespace.ts";
import type { Rcall, Rconn, Recording, Revent } from "../record/recording.ts";
import { seenof } from "../record/seen.ts";

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

/** Who is at the other end of a connection: "far!564", "process 4 (ramfs)", or the file that it runs over. */
export function connname(r: Recording, conn: number): string {
  const c = r.conns.find((x) => x.conn === conn);
  if (c === undefined) return conn === 0 ? "a server" : `connection ${conn}`;
  return c.peer ?? processof(r, c) ?? c.name;
}

/** The process that serves a connection over a pipe; 0 for another connection, and where no process is seen to. */
export function serverpid(r: Recording, conn: number): number {
  const pipe = r.conns.find((x) => x.conn === conn)?.pipe ?? null;
  return pipe === null ? 0 : servedby(r, pipe.pipe, pipe.end === 0 ? 1 : 0);
}

function processof(r: Recording, { conn }: Rconn): string | null {
  const pid = serverpid(r, conn);
  if (pid === 0) return null;
  const text = r.procs.find((p) => p.pid === pid)?.text ?? "";
  return `process ${pid}${text === "" ? "" : ` (${text})`}`;
}

/** The connection of a message: before a version is agreed on it is the one that its call makes. */
export function connof(r: Recording, e: Revent & { readonly conn: number }): number {
  const call = r.calls[e.call];
  if (e.conn > 0 || call === undefined) return e.conn;
  for (let i = call.first; i <= call.last; i++) {
    const x = r.events[i];
    if (x?.type === "conn" && x.what === "open" && x.call === call.id) return x.conn;
  }
  return 0;
}

/** The processes that serve connections, as far as a recording was read. */
type Serving = { read: number; readonly pids: Map<number, number> };

const serving: WeakMap<Recording, Serving> = new WeakMap();

/** The process that reads the requests of a connection over a pipe; 0 where none of the recording does. */
function servedby(r: Recording, pipe: number, end: 0 | 1): number {
  let s = serving.get(r);
  if (s === undefined) serving.set(r, (s = { read: 0, pids: new Map() }));
  for (; s.read < r.events.length; s.read++) {
    const e = r.events[s.read];
    if (e?.type !== "pipe" || e.what !== "take") continue;
    const key = e.pipe * 2 + e.end;
    if (!s.pids.has(key)) s.pids.set(key, e.pid);
  }
  return s.pids.get(pipe * 2 + end) ?? 0;
}

/** The same in words: "far!564", "process 4 (ramfs)", "the server behind #|/data". */
export function servername(r: Recording, conn: number): string {
  const c = r.conns.find((x) => x.conn === conn);
  if (c === undefined) return "the server";
  return c.peer ?? processof(r, c) ?? `the server behind ${c.name}`;
}

/** The server of a connection: "the server far!564", "process 4 (ramfs)". */
export function serverof(r: Recording, conn: number): string {
  const name = servername(r, conn);
  return /^(the|process) /.test(name) ? name : `the server ${name}`;
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

/** Whether a member is the root of its server, mounted as such or bound from where that is mounted alone. */
export function isroot(r: Recording, e: Revent, m: Mounted): boolean {
  const [root, ...more] = mountat(r, e, m.from)?.members ?? [];
  return memberof(r, m) === serverof(r, m.conn) || (root?.conn === m.conn && more.length === 0);
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

/** The name, from the root of its server, that a fid stands for at an event; undefined when that is not known. */
export function fidname(
  r: Recording,
  at: { conn: number; event: number },
  fid: number,
): string | undefined {
  return seenof(r).fids.name(r, at, fid);
}

/** The rfork that made a process, if the recording has it. */
export function rforkof(r: Recording, pid: number): Rcall | undefined {
  return r.calls.find((c) => c.name === "rfork" && c.value === pid);
}

/** A call and its line of the program, where that is known: "close(3) in 18-rfork.ts:25". */
export function callat(r: Recording, { text, line }: Rcall): string {
  const name = r.sources[line?.source ?? -1]?.name.replace(/^.*\//, "");
  return line === null || name === undefined ? text : `${text} in ${name}:${line.line}`;
}

/** The version of 9P that is spoken on a connection: "9P2000.ix". */
export function versionof(r: Recording, conn: number): string {
  return r.conns.find((c) => c.conn === conn)?.version ?? "9P";
}

/** The device with this character: "the memory tree", "device #x". */
export const devicename = (dc: string): string => DEVICES[dc] ?? `device #${dc}`;
