// What the kernel says it does, in words: the steps of namec and the other events, a line each. Pure.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Forcedby } from "../../../kernel/names/namespace.ts";
import type { Asking, Step } from "../../../kernel/trace.ts";
import type { Recording, Revent } from "../record/recording.ts";

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
export function stepfmt(s: Step): string {
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
      return `connection ${e.conn} ${CONN[e.what]}: ${r.conns.find((c) => c.conn === e.conn)?.name ?? ""}`;
    case "proc":
      return procfmt(e.what, e.pid, e.text);
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

function procfmt(what: Procevent["what"], pid: number, text: string): string {
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

/** Nanoseconds in the unit that suits: 880 ns, 12 µs, 3.40 ms, 1.25 s. */
export function timefmt(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${Math.round(ns / 1e3)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(2)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}

/** "1 round trip", "3 round trips" */
export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
