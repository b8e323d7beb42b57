// An event of a recording as one line of plain text, whatever it is, for lists and for searching: a 9P message, what
// namec decided, what became of a process. Why it happened is why.ts's to say. Pure.
//
// Of a message a view that shows many needs few words: fids by number, names by name, data by its length. The whole
// of a message is fcallfmt's to print.
//
//	Twalk 1 → 3 a/b    Rwalk 2 qids    Tread 3 at 0    Rread 6 "hello\n"

import * as F from "../../../kernel/abi/fcall.ts";
import { convM2D, dirwstat } from "../../../kernel/abi/dir.ts";
import type { Dir } from "../../../kernel/abi/dir.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { MESSAGES } from "../../../kernel/abi/fcallfmt.ts";
import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Forcedby } from "../../../kernel/names/namespace.ts";
import type { Asking, Step } from "../../../kernel/trace.ts";
import { connin } from "../record/recording.ts";
import type { Recording, Revent } from "../record/recording.ts";
import type { Eventof } from "../record/index.ts";
import type { Wait } from "../step/procs.ts";
import { datafmt, openmode, valuefmt } from "./callfmt.ts";
import { path, plural } from "./text.ts";
import { connname } from "./who.ts";

/**
 * Whether an event says something to a reader. Pieces on the wire, descriptors, bytes of pipes and variables do not: they
 * are seen in a message, or with a return. Nor do names that are clean already.
 */
export function issaid(e: Revent | undefined): boolean {
  switch (e?.type) {
    case undefined:
    case "wire":
    case "fd":
    case "pipe":
    case "env":
      return false;
    case "proc":
      return !QUIET.has(e.what);
    case "namec":
      return stepfmt(e) !== "";
    default:
      return true;
  }
}

/** What a call does to its process is seen with its return. */
const QUIET: ReadonlySet<string> = new Set(["noted", "waited", "groups", "dot"]);

/** The event in a line; "" where there is nothing to say. */
export function eventtext(r: Recording, event: number): string {
  const e = r.events[event];
  const call = r.calls[e?.call ?? -1];
  if (e === undefined) return "";
  switch (e.type) {
    case "call":
      return call?.text ?? "";
    case "return":
      return call === undefined ? "" : resulttext(call.text, call.result);
    case "send":
    case "receive":
      return `${e.type === "send" ? "→" : "←"} ${msgfmt(e.fcall, e.bytes)}`;
    case "mount":
      return `${e.op}: ${eventfmt(r, e)}`;
    case "conn":
      return `the connection to ${connname(r, e.conn)} ${CONN[e.what]}`;
    default:
      return eventfmt(r, e);
  }
}

/** A call and its result as a programmer writes them. */
export function resulttext(call: string, result: string): string {
  return result === "" ? `${call} returns` : `${call} = ${result}`;
}

/** Why a walk is made that could have been put off. */
const BECAUSE: Readonly<Record<Forcedby, string>> = nullproto({
  mustdir: "must be a directory before it is changed",
  dot: "dot must be known",
  mount: "a mount must know what it is",
  exclusive: "an exclusive create must see that there is no such file",
  look: "create looks whether it is there",
  parent: "create needs the directory",
});

const isforcedby = (why: string): why is Forcedby => why in BECAUSE;

/** The code in a recording; older ones have the words of BECAUSE. */
export function forcedby(why: string): Forcedby {
  if (isforcedby(why)) return why;
  return (
    Object.keys(BECAUSE)
      .filter(isforcedby)
      .find((code) => BECAUSE[code] === why) ?? "look"
  );
}

/** Why a walk that could have been put off is made at once; `name` is where it leads. */
export function forcedwhy(why: Forcedby, name: string): string {
  switch (why) {
    case "mustdir":
      return `the name ends in '/', so ${name} has to be a directory, which is found out before it is changed`;
    case "dot":
      return `chdir has to know that ${name} is a directory before it returns`;
    case "mount":
      return `the kernel has to know whether ${name} is a file or a directory before anything is mounted`;
    case "exclusive":
      return `with OEXCL the create has to fail if ${name} is there`;
    case "look":
      return `create opens and empties ${name} if it is there, so the kernel has to know that first`;
    case "parent":
      return `the file is made in ${name}, so that directory has to be found first`;
  }
}

/** What namec found out or decided; "" where there is nothing to say. */
function stepfmt(s: Step): string {
  switch (s.step) {
    case "clean":
      return s.name === s.path ? "" : `${s.name} is cleaned to ${s.path}`;
    case "prefix":
      return prefixfmt(s.prefix, path(s.rest), s.members);
    case "dot":
      return `from dot, ${s.path}: ${path(s.rest) || "itself"}`;
    case "device":
      return `from device ${s.path}${s.rest.length > 0 ? `: ${path(s.rest)}` : ""}`;
    case "found":
      return `member ${s.index + 1} has ${s.elem}`;
    case "miss":
      return `member ${s.index + 1} has no ${s.elem}: ${s.error}`;
    case "deferred":
      return s.rest.length === 0
        ? "the server is asked together with what follows"
        : `the walk of ${path(s.rest)} goes with what follows`;
    case "forced":
      return `the walk is made now: ${BECAUSE[forcedby(s.why)]}`;
    case "walk":
      return walkfmt(s.rest, s.got);
    case "ask":
      return askfmt(s.asked, s.of);
    case "near":
      return `the cache knows ${path(s.dir)}: ${path(s.rest)} from there`;
    case "look":
      return `looks whether ${s.elem} is there`;
    case "create":
      return s.index < 0 ? "" : `${s.elem} is for member ${s.index + 1} to create`;
    case "mountpoint":
      return `${s.path} is a mount point`;
    case "fail":
      return s.elem === "" ? "" : `fails at ${s.elem}`;
  }
}

function askfmt(asked: readonly number[], of: Asking["of"]): string {
  switch (of) {
    case "union":
      return `asks ${asked.length === 1 ? "member" : "members"} ${asked.map((i) => i + 1).join(", ")} at once`;
    case "bind":
      return asked.length > 1 ? "asks about both names at once" : "";
    case "directory":
      return `asks ${plural(asked.length, "mount point")} in it`;
  }
}

function prefixfmt(prefix: string, below: string, members: number): string {
  const what = members > 1 ? `a union of ${members}` : prefix === "/" ? "the root" : "mounted";
  return below === "" ? `${prefix} is ${what}` : `${prefix} is ${what}: ${below} from there`;
}

function walkfmt(elems: readonly string[], got: number): string {
  if (elems.length === 0) return "";
  if (got === elems.length) return `walked ${path(elems)}`;
  const missing = `there is no ${elems[got] ?? ""}`;
  return got === 0 ? missing : `walked ${path(elems.slice(0, got))}; ${missing}`;
}

/** What becomes of a connection. */
const CONN = { open: "is made", hangup: "hangs up", close: "is closed" } as const;

/** An event that is neither a call nor a message; "" where there is nothing to say. */
export function eventfmt(r: Recording, e: Revent): string {
  switch (e.type) {
    case "namec":
      return stepfmt(e);
    case "mount":
      return `the name space of process ${e.pid} changes at ${e.path}`;
    case "conn":
      return `connection ${e.conn} ${CONN[e.what]}: ${connin(r, e.conn)?.name ?? ""}`;
    case "proc":
      return procfmt(e);
    case "sleep":
      return `process ${e.pid} ${sleepfmt(e.what)}`;
    default:
      return "";
  }
}

/** What a call sleeps for, by the name of its Rendez: "waits for a child to end". */
export const sleepfmt = (what: string): string => SLEEPS[what]?.[1] ?? `waits: ${what}`;

/** The same as the kind of wait that it is. */
export const sleepkind = (what: string): Wait["for"] => SLEEPS[what]?.[0] ?? "other";

const SLEEPS: Readonly<Record<string, readonly [Wait["for"], string]>> = nullproto({
  await: ["child", "waits for a child to end"],
  "queue read": ["bytes", "waits for bytes of a pipe"],
  "queue write": ["room", "waits for room in a pipe"],
  rendezvous: ["partner", "waits in rendezvous for another process"],
  semacquire: ["semaphore", "waits for a semaphore"],
  sleep: ["time", "sleeps"],
  "read in order": ["turn", "waits for its turn to read"],
  "write in order": ["turn", "waits for its turn to write"],
  "note handler": ["handler", "waits for the handler of a note"],
  start: ["start", "is stopped"],
  "network read": ["other", "waits for bytes from the network"],
  "network write": ["other", "waits for room on the network"],
  "network dial": ["other", "waits for an answer to its call"],
  "network listen": ["other", "waits for a call"],
  "room on the connection": ["other", "waits for room on the connection"],
});

/** What becomes of a process. */
export function procfmt({
  what,
  pid,
  text,
}: Pick<Eventof<"proc">, "what" | "pid" | "text">): string {
  switch (what) {
    case "start":
      return `process ${pid} starts: ${text}`;
    case "exec":
      return `process ${pid} becomes ${text}`;
    case "exit":
      return `process ${pid} ends${text === "" ? "" : `: ${text}`}`;
    case "note":
      return `process ${pid} gets the note "${text}"`;
    case "handle":
      return `process ${pid} handles the note "${text}"`;
    case "noted":
      return `process ${pid} has handled the note "${text}"`;
    case "waited":
      return `the end of process ${pid} is known to its parent`;
    case "groups":
      return `process ${pid} changes its groups`;
    case "dot":
      return `process ${pid} is at ${text}`;
  }
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Array.from(MESSAGES, ([name, type]) => [type, name] as const),
);

/** "Twalk" */
export const msgname = (f: Fcall): string => NAMES.get(f.type) ?? "";

/** The message, shortly; `bytes` is its size on the wire, of one whose data may have been cut. */
export function msgfmt(f: Fcall, bytes: number = 0): string {
  const words = msgwords(f, bytes);
  return words === "" ? msgname(f) : `${msgname(f)} ${words}`;
}

/** What is behind its name: of most the fid, if there is one. */
function msgwords(f: Fcall, bytes: number): string {
  switch (f.type) {
    case F.Tversion:
    case F.Rversion:
      return `${f.version}, ${f.msize}`;
    case F.Tauth:
      return f.uname;
    case F.Tattach:
      return `${f.fid} as ${f.uname}${f.aname === "" ? "" : ` to ${f.aname}`}`;
    case F.Tflush:
      return `tag ${f.oldtag}`;
    case F.Twalk:
      return `${f.fid} → ${f.newfid} ${f.wname.join("/")}`.trimEnd();
    case F.Topen:
      return `${f.fid} ${openmode(f.mode)}`;
    case F.Tcreate:
      return `${f.fid} ${f.name} ${openmode(f.mode)}`;
    case F.Tread:
      return `${f.fid} ${f.count} at ${f.offset}`;
    case F.Tstream:
      return `${f.fid} at ${f.offset}`;
    case F.Twrite:
      return `${f.fid} at ${f.offset} ${datawords(f, bytes)}`;
    case F.Twstat:
      return `${f.fid} ${changed(f.stat).join(" ")}`;
    case F.Rerror:
      return f.ename;
    case F.Rwalk:
      return plural(f.wqid.length, "qid");
    case F.Rread:
    case F.Rstream: {
      const n = Math.max(f.data.length, databytes(f, bytes));
      return n === 0 ? "0" : `${n} ${datawords(f, bytes)}`;
    }
    case F.Rwrite:
      return String(f.count);
    case F.Rstat: {
      const d = entryof(f.stat);
      return d === null ? "" : `${d.name}, ${plural(d.length, "byte")}`;
    }
    default:
      return "fid" in f ? String(f.fid) : "";
  }
}

type Datamsg = Extract<Fcall, { data: Uint8Array }>;

/** How many bytes of data a message of so many bytes carries; a recording keeps only the first of them. */
export const databytes = (f: Datamsg, bytes: number): number =>
  bytes - (F.sizeS2M(f) - f.data.length);

/** Bytes of data that are shown of a message that was cut. */
const SOME = 32;

function datawords(f: Datamsg, bytes: number): string {
  const n = databytes(f, bytes);
  if (f.data.length < n) return `${datafmt(f.data.subarray(0, SOME))}… (${n})`;
  return f.type === F.Twrite ? valuefmt(f.data) : datafmt(f.data);
}

/** The entry of a file that a message has; null where it is none. */
export function entryof(stat: Uint8Array): Dir | null {
  return convM2D(stat, 0, stat.length)?.dir ?? null;
}

/** What the data of a Twstat asks to change: "mode 0644", 'name "x"'. */
export function changed(stat: Uint8Array): string[] {
  const d = entryof(stat);
  if (d === null) return [];
  return Object.entries(dirwstat(d)).map(([key, v]) =>
    key === "mode" && typeof v === "number"
      ? `mode 0${(v & 0o777).toString(8)}`
      : `${key} ${valuefmt(v)}`,
  );
}
