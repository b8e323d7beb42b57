// An event of a recording as one line of plain text, whatever it is: for lists, for searching; among them what the
// kernel says that namec does. Why it happened is why.ts's to say. Pure.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { msgfmt } from "./msgfmt.ts";
import { connin } from "../record/recording.ts";
import type { Recording, Revent } from "../record/recording.ts";
import { connname } from "./who.ts";
import type { Forcedby } from "../../../kernel/names/namespace.ts";
import type { Asking, Step } from "../../../kernel/trace.ts";
import { plural } from "./sentence.ts";

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
