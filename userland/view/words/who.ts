// Who is meant, in words: servers by who answers there, members of a union by what they are, calls by their line of the
// program. Only a recording is asked.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Mounted, Mountpoint } from "../../../kernel/names/namespace.ts";
import { connin, programof } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { indexof } from "../record/index.ts";

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
  const c = connin(r, conn);
  if (c === undefined) return conn === 0 ? "a server" : `connection ${conn}`;
  const pid = serverpid(r, conn);
  const text = programof(r, pid);
  return c.peer ?? (pid === 0 ? c.name : `process ${pid}${text === "" ? "" : ` (${text})`}`);
}

/** The process that serves a connection over a pipe; 0 for another connection, and where no process is seen to. */
export function serverpid(r: Recording, conn: number): number {
  const pipe = connin(r, conn)?.pipe ?? null;
  return pipe === null ? 0 : indexof(r).reader(pipe.pipe, pipe.end === 0 ? 1 : 0);
}

/** The same in words: "far!564", "process 4 (ramfs)", "the server behind #|/data". */
export function servername(r: Recording, conn: number): string {
  const c = connin(r, conn);
  if (c === undefined) return "the server";
  const file = c.peer === null && serverpid(r, conn) === 0;
  return file ? `the server behind ${c.name}` : connname(r, conn);
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
  const [root, ...more] = membersat(r, e, m.from);
  return memberof(r, m) === serverof(r, m.conn) || (root?.conn === m.conn && more.length === 0);
}

/** What is mounted on this name in the name space of an event, in order. */
export const membersat = (r: Recording, e: Revent, path: string): readonly Mounted[] =>
  mountat(r, e, path)?.members ?? [];

/** The mount point of this name in the name space of an event. */
export function mountat(r: Recording, e: Revent, path: string): Mountpoint | undefined {
  return r.spaces[e.space]?.find((m) => m.path === path);
}

/** The rfork that made a process, if the recording has it. */
export function rforkof(r: Recording, pid: number): Rcall | undefined {
  return indexof(r)
    .named("rfork")
    .find((c) => c.value === pid);
}

/** A call and its line of the program, where that is known: "close(3) in 18-rfork.ts:25". */
export function callat(r: Recording, { text, line }: Rcall): string {
  const name = r.sources[line?.source ?? -1]?.name.replace(/^.*\//, "");
  return line === null || name === undefined ? text : `${text} in ${name}:${line.line}`;
}

/** What a server promises: "far!564 speaks 9P2000.ix, which promises order". */
export function speaks(r: Recording, conn: number, who: string = servername(r, conn)): string {
  const version = versionof(r, conn);
  return `${who} speaks ${version}, which ${version.includes(".ix") ? "promises" : "does not promise"} order`;
}

/** The version of 9P that is spoken on a connection: "9P2000.ix". */
export function versionof(r: Recording, conn: number): string {
  return connin(r, conn)?.version ?? "9P";
}

/** The device with this character: "the memory tree", "device #x". */
export const devicename = (dc: string): string => DEVICES[dc] ?? `device #${dc}`;
