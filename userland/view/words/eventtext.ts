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
import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Forcedby } from "../../../kernel/names/namespace.ts";
import type { Asking, Step } from "../../../kernel/trace.ts";
import { connin } from "../record/recording.ts";
import type { Recording, Revent } from "../record/recording.ts";
import { datafmt, openmode, valuefmt } from "./callfmt.ts";
import { plural } from "./sentence.ts";
import { connname } from "./who.ts";

/** Events that say nothing by themselves: what they tell of is seen in the bytes of a message, or with a return. */
const SILENT = ["wire", "fd", "pipe", "env"] as const;
type Told = Exclude<Revent, { readonly type: (typeof SILENT)[number] }>;

function istold(e: Revent | undefined): e is Told {
  return e !== undefined && !SILENT.some((type) => type === e.type);
}

/** Whether an event says something to a reader: pieces on the wire and names that are clean already do not. */
export function issaid(e: Revent | undefined): boolean {
  if (!istold(e)) return false;
  switch (e.type) {
    case "proc":
      return QUIET[e.what] !== true;
    case "namec":
      return stepfmt(e) !== "";
    default:
      return true;
  }
}

/** What a call does to its process is seen with its return. */
const QUIET: Readonly<Record<string, true>> = nullproto({
  noted: true,
  waited: true,
  groups: true,
  dot: true,
});

/** The event in a line; "" where there is nothing to say. */
export function eventtext(r: Recording, event: number): string {
  const e = r.events[event];
  if (!istold(e)) return "";
  const call = r.calls[e.call ?? -1];
  switch (e.type) {
    case "call":
      return call?.text ?? "";
    case "return":
      return call === undefined ? "" : resulttext(call.text, call.result);
    case "send":
    case "receive":
      return `${e.type === "send" ? "→" : "←"} ${msgfmt(e.fcall, e.bytes)}`;
    case "namec":
      return stepfmt(e);
    case "mount":
      return `${e.op}: the name space of process ${e.pid} changes at ${e.path}`;
    case "conn":
      return `the connection to ${connname(r, e.conn)} ${CONN[e.what]}`;
    case "proc":
    case "sleep":
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

const rest = (elems: readonly string[]): string => elems.join("/");

/** What namec found out or decided; "" where there is nothing to say. */
function stepfmt(s: Step): string {
  switch (s.step) {
    case "clean":
      return s.name === s.path ? "" : `${s.name} is cleaned to ${s.path}`;
    case "prefix":
      return prefixfmt(s.prefix, rest(s.rest), s.members);
    case "dot":
      return `from dot, ${s.path}: ${rest(s.rest) || "itself"}`;
    case "device":
      return `from device ${s.path}${s.rest.length > 0 ? `: ${rest(s.rest)}` : ""}`;
    case "found":
      return `member ${s.index + 1} has ${s.elem}`;
    case "miss":
      return `member ${s.index + 1} has no ${s.elem}: ${s.error}`;
    case "deferred":
      return s.rest.length === 0
        ? "the server is asked together with what follows"
        : `the walk of ${rest(s.rest)} goes with what follows`;
    case "forced":
      return `the walk is made now: ${BECAUSE[forcedby(s.why)]}`;
    case "walk":
      return walkfmt(s.rest, s.got);
    case "ask":
      return askfmt(s.asked, s.of);
    case "near":
      return `the cache knows ${rest(s.dir)}: ${rest(s.rest)} from there`;
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
  if (got === elems.length) return `walked ${rest(elems)}`;
  const missing = `there is no ${elems[got] ?? ""}`;
  return got === 0 ? missing : `walked ${rest(elems.slice(0, got))}; ${missing}`;
}

/** What becomes of a connection. */
export const CONN = { open: "is made", hangup: "hangs up", close: "is closed" } as const;

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
    case "fd":
    case "pipe":
    case "env":
    case "call":
    case "return":
    case "send":
    case "receive":
    case "wire":
      return "";
  }
}

/** What a call sleeps for, by the name of its Rendez: "waits for a child to end". */
export function sleepfmt(what: string): string {
  return SLEEPS[what] ?? `waits: ${what}`;
}

const SLEEPS: Readonly<Record<string, string>> = nullproto({
  await: "waits for a child to end",
  "queue read": "waits for bytes of a pipe",
  "queue write": "waits for room in a pipe",
  rendezvous: "waits in rendezvous for another process",
  semacquire: "waits for a semaphore",
  sleep: "sleeps",
  "read in order": "waits for its turn to read",
  "write in order": "waits for its turn to write",
  "note handler": "waits for the handler of a note",
  start: "is stopped",
  "network read": "waits for bytes from the network",
  "network write": "waits for room on the network",
  "network dial": "waits for an answer to its call",
  "network listen": "waits for a call",
  "room on the connection": "waits for room on the connection",
});

type Procevent = Extract<Revent, { readonly type: "proc" }>;

/** What becomes of a process. */
export function procfmt({ what, pid, text }: Procevent): string {
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

/** The message, shortly; `bytes` is its size on the wire, of one whose data may have been cut. */
export function msgfmt(f: Fcall, bytes: number = 0): string {
  const whole = "data" in f ? bytes - (F.sizeS2M(f) - f.data.length) : 0;
  if ("data" in f && f.data.length < whole) return cutfmt(f, whole);
  return F.isT(f) ? request(f) : reply(f);
}

/** "Twalk" */
export const msgname = (f: Fcall): string => msgfmt(f).replace(/ .*/s, "");

/** A message of which not all data is there. */
function cutfmt(f: Extract<Fcall, { data: Uint8Array }>, whole: number): string {
  const some = `${datafmt(f.data.subarray(0, SOME))}… (${whole})`;
  switch (f.type) {
    case F.Twrite:
      return `Twrite ${f.fid} at ${f.offset} ${some}`;
    case F.Rread:
      return `Rread ${whole} ${some}`;
    case F.Rstream:
      return `Rstream ${whole} ${some}`;
  }
}

/** Bytes of data that are shown of a message that was cut. */
const SOME = 32;

function request(f: F.Tmsg): string {
  switch (f.type) {
    case F.Tversion:
      return `Tversion ${f.version}, ${f.msize}`;
    case F.Tauth:
      return `Tauth ${f.uname}`;
    case F.Tattach:
      return `Tattach ${f.fid} as ${f.uname}${f.aname === "" ? "" : ` to ${f.aname}`}`;
    case F.Tflush:
      return `Tflush tag ${f.oldtag}`;
    case F.Twalk:
      return `Twalk ${f.fid} → ${f.newfid} ${f.wname.join("/")}`.trimEnd();
    case F.Topen:
      return `Topen ${f.fid} ${openmode(f.mode)}`;
    case F.Tcreate:
      return `Tcreate ${f.fid} ${f.name} ${openmode(f.mode)}`;
    case F.Tread:
      return `Tread ${f.fid} ${f.count} at ${f.offset}`;
    case F.Twrite:
      return `Twrite ${f.fid} at ${f.offset} ${valuefmt(f.data)}`;
    case F.Tclunk:
      return `Tclunk ${f.fid}`;
    case F.Tremove:
      return `Tremove ${f.fid}`;
    case F.Tstat:
      return `Tstat ${f.fid}`;
    case F.Twstat:
      return `Twstat ${f.fid} ${changed(f.stat).join(" ")}`;
    case F.Tstream:
      return `Tstream ${f.fid} at ${f.offset}`;
  }
}

function reply(f: F.Rmsg): string {
  switch (f.type) {
    case F.Rversion:
      return `Rversion ${f.version}, ${f.msize}`;
    case F.Rerror:
      return `Rerror ${f.ename}`;
    case F.Rwalk:
      return `Rwalk ${plural(f.wqid.length, "qid")}`;
    case F.Rread:
      return f.data.length === 0 ? "Rread 0" : `Rread ${f.data.length} ${datafmt(f.data)}`;
    case F.Rstream:
      return f.data.length === 0 ? "Rstream 0" : `Rstream ${f.data.length} ${datafmt(f.data)}`;
    case F.Rwrite:
      return `Rwrite ${f.count}`;
    case F.Rstat: {
      const d = entry(f.stat);
      return d === null ? "Rstat" : `Rstat ${d.name}, ${plural(d.length, "byte")}`;
    }
    case F.Rauth:
      return "Rauth";
    case F.Rattach:
      return "Rattach";
    case F.Rflush:
      return "Rflush";
    case F.Ropen:
      return "Ropen";
    case F.Rcreate:
      return "Rcreate";
    case F.Rclunk:
      return "Rclunk";
    case F.Rremove:
      return "Rremove";
    case F.Rwstat:
      return "Rwstat";
  }
}

function entry(stat: Uint8Array): Dir | null {
  return convM2D(stat, 0, stat.length)?.dir ?? null;
}

/** What the data of a Twstat asks to change: "mode 0644", 'name "x"'. */
export function changed(stat: Uint8Array): string[] {
  const d = entry(stat);
  if (d === null) return [];
  return Object.entries(dirwstat(d)).map(([key, v]) =>
    key === "mode" && typeof v === "number"
      ? `mode 0${(v & 0o777).toString(8)}`
      : `${key} ${valuefmt(v)}`,
  );
}
