// The trace as text, call by call: the system call with its result, and indented below it what namec
// decided and the 9P messages it cost, in the order it happened. Events go in, lines come out; nothing
// here knows a terminal.
//
//	   12.31    4 open("/n/far/a/x", OREAD) = 3                               1 round trip, 88 µs
//	                  /n/far is mounted: a/x from there
//	                  the walk of a/x goes with what follows
//	                → Twalk tag 0 fid 1 newfid 4 nwname 2 0:a 1:x
//	                ← Rwalk ...
//
// A call is shown when it returns, so that calls of several processes at once do not mix; unfinished()
// shows those that have not.

import { fcallfmt } from "../../kernel/fcallfmt.ts";
import type { Call, Event, Step } from "../../kernel/trace.ts";
import { callfmt, resultfmt } from "./callfmt.ts";

/** What a line is, for those who colour it. */
export type Kind = "call" | "failed" | "step" | "send" | "receive" | "other";

/** A line of the trace, laid out; `call` lines have more text at the right. */
export type Line = { readonly kind: Kind; readonly text: string; readonly right: string };

/** What a call has cost so far. */
export type Cost = {
  /** Times that it waited for a server. */
  trips: number;
  messages: number;
  /** Bytes of messages, both ways. */
  bytes: number;
};

/** A system call with everything that happened because of it. */
export type Callrec = {
  readonly call: Call;
  readonly began: number;
  readonly details: Line[];
  readonly cost: Cost;
  /** Something was sent that nobody has seen an answer to. */
  asked: boolean;
  ended: number | null;
  result: string;
  failed: boolean;
};

/** Gathers the events of calls; hands each on when it returns. */
export class Calls {
  readonly #open = new Map<number, Callrec>();

  /** Takes an event in. Gives the call's record when this was its return, else null. */
  take(e: Event): Callrec | null {
    const { call } = e;
    if (call === null) return null;
    if (e.type === "call") {
      this.#open.set(call.id, newrecord(call, e.at));
      return null;
    }
    const r = this.#open.get(call.id);
    if (r === undefined) return null;
    if (e.type === "return") {
      this.#open.delete(call.id);
      r.ended = e.at;
      r.failed = e.error !== null;
      r.result = resultfmt(call, e.value, e.error);
      return r;
    }
    r.details.push(...detail(e));
    count(r, e);
    return null;
  }

  /** Whether the event belongs to a call that has not returned. */
  has(e: Event): boolean {
    return e.call !== null && this.#open.has(e.call.id);
  }

  /** The calls that have not returned. */
  pending(): Callrec[] {
    return [...this.#open.values()];
  }
}

function newrecord(call: Call, at: number): Callrec {
  const cost = { trips: 0, messages: 0, bytes: 0 };
  return {
    call,
    began: at,
    details: [],
    cost,
    asked: false,
    ended: null,
    result: "",
    failed: false,
  };
}

/** A round trip is a reply to what was sent since the last one: a window of requests is one. */
function count(r: Callrec, e: Event): void {
  if (e.type !== "send" && e.type !== "receive") return;
  r.cost.messages++;
  r.cost.bytes += e.bytes;
  if (e.type === "send") r.asked = true;
  else if (r.asked) {
    r.cost.trips++;
    r.asked = false;
  }
}

/** The lines of an event inside a call. */
export function detail(e: Event): Line[] {
  switch (e.type) {
    case "namec": {
      const text = stepfmt(e);
      return text === "" ? [] : [line("step", text)];
    }
    case "send":
      return [line("send", `→ ${fcallfmt(e.fcall).trimEnd()}`)];
    case "receive":
      return [line("receive", `← ${fcallfmt(e.fcall).trimEnd()}`)];
    case "mount":
      return [line("step", `the name space of process ${e.pid} changes at ${e.path}`)];
    case "conn":
      return [line("other", `connection ${e.conn} ${CONN[e.what]}: ${e.name}`)];
    case "proc":
      return [line("other", procfmt(e.what, e.pid, e.text))];
    case "call":
    case "return":
      return [];
  }
}

const CONN = { open: "is made", hangup: "hangs up", close: "is closed" } as const;

function line(kind: Kind, text: string, right = ""): Line {
  return { kind, text, right };
}

function procfmt(what: "start" | "exec" | "exit" | "note", pid: number, text: string): string {
  switch (what) {
    case "start":
      return `process ${text.slice(text.lastIndexOf(" ") + 1)} starts: ${text.slice(0, text.lastIndexOf(" "))}`;
    case "exec":
      return `process ${pid} becomes ${text}`;
    case "exit":
      return `process ${pid} ends${text === "" ? "" : `: ${text}`}`;
    case "note":
      return `note: ${text}`;
  }
}

const rest = (elems: readonly string[]): string => elems.join("/");

/** What namec found out or decided, in words; nothing where there is nothing to say. */
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
    case "member":
      return `member ${s.index + 1}, ${s.chan}: ${rest(s.rest)}`;
    case "found":
      return `member ${s.index + 1} has ${s.elem}`;
    case "miss":
      return `member ${s.index + 1} has no ${s.elem}: ${s.error}`;
    case "deferred":
      return s.rest.length === 0
        ? "the server is asked together with what follows"
        : `the walk of ${rest(s.rest)} goes with what follows`;
    case "forced":
      return `the walk is made now: ${s.why}`;
    case "walk":
      return walkfmt(s.rest, s.got);
    case "mountpoint":
      return `${s.path} is a mount point`;
    case "fail":
      return `fails after ${s.at} element${s.at === 1 ? "" : "s"}: ${s.error}`;
  }
}

function prefixfmt(prefix: string, below: string, members: number): string {
  const what = members > 1 ? `a union of ${members}` : prefix === "/" ? "the root" : "mounted";
  return below === "" ? `${prefix} is ${what}` : `${prefix} is ${what}: ${below} from there`;
}

function walkfmt(elems: readonly string[], got: number): string {
  if (elems.length === 0) return "";
  if (got === elems.length) return `walked ${rest(elems)}`;
  const where = got === 0 ? "" : `, after ${rest(elems.slice(0, got))}`;
  return `walked ${rest(elems)}: no ${elems[got] ?? ""}${where}`;
}

/** "2 round trips, 88 µs" */
export function costfmt(cost: Cost, ns: number): string {
  if (cost.trips === 0) return timefmt(ns);
  return `${cost.trips} round trip${cost.trips === 1 ? "" : "s"}, ${timefmt(ns)}`;
}

/** Nanoseconds in the unit that suits: 880 ns, 12 µs, 3.40 ms, 1.25 s. */
export function timefmt(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${Math.round(ns / 1e3)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(2)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}

/** The trace of a kernel as lines, in the layout at the head of this file. */
export class Strace {
  readonly #calls = new Calls();

  /** The lines that this event completes. */
  lines(e: Event): Line[] {
    const known = this.#calls.has(e);
    const done = this.#calls.take(e);
    if (done !== null) return block(done);
    if (known || e.type === "call") return [];
    const late = e.call === null ? "" : `   (${e.call.name} has returned)`;
    return detail(e).map((l) => ({ ...l, text: `${head(e.at, e.pid)}${INDENT}${l.text}${late}` }));
  }

  /** The calls that have not returned, as far as they came. */
  unfinished(): Line[] {
    return this.#calls.pending().flatMap(block);
  }
}

const INDENT = "  ";
const BESIDES = " ".repeat(15 + INDENT.length);

/** When (ms) and which process: 15 columns. */
function head(at: number, pid: number): string {
  return `${(at / 1e6).toFixed(3).padStart(9)} ${String(pid).padStart(4)} `;
}

/** A call and what is below it. */
export function block(r: Callrec): Line[] {
  const { call, ended } = r;
  const value = ended === null ? " ... has not returned" : r.result === "" ? "" : ` = ${r.result}`;
  const right = ended === null ? "" : costfmt(r.cost, ended - r.began);
  const first = line(
    r.failed ? "failed" : "call",
    `${head(r.began, call.pid)}${callfmt(call)}${value}`,
    right,
  );
  return [first, ...r.details.map((l) => ({ ...l, text: BESIDES + l.text }))];
}

/** A line on so many columns: its right part at the edge, cut where it is too long (0: never). */
export function fit(l: Line, columns: number): string {
  const width = columns === 0 ? 100 : columns;
  if (l.right !== "") {
    const room = width - l.right.length - 2;
    if (l.text.length <= room) return `${l.text.padEnd(room)}  ${l.right}`;
    return `${cut(l.text, columns === 0 ? 0 : room)}  ${l.right}`;
  }
  return cut(l.text, columns);
}

function cut(text: string, columns: number): string {
  return columns > 0 && text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}
