// Traces as text, call by call: Strace for `namec run --trace`, and the Tour of `namec demo`. Each reads a Recording as
// it is made (Tell): events go in, lines come out. No terminal is known here.
//
// Strace has the system call with its result, and indented below it what namec decided and the 9P messages it cost, in
// the order it happened. At the left are milliseconds since boot and the process. A call is shown when it returns, so
// that calls of several processes at once do not mix; unfinished() shows those that have not.
//
//	   12.310    4 open("/n/far/a/x", OREAD) = 3                              1 round trip, 88 µs
//	                 /n/far is mounted: a/x from there
//	                 the walk of a/x goes with what follows
//	                 → Twalk tag 0 fid 1 newfid 4 nwname 2 0:a 1:x
//	                 → Topen tag 0 fid 4 mode 0
//	                 ← Rwalk tag 0 nwqid 2 ...
//
// The Tour of `namec demo` has the calls of one process, and of each message a request and its reply side by side.
//
//	  open("/n/both/readme", OREAD) = 3                                     1 round trip
//	      /n/both is a union of 2: readme from there
//	      tcp   Twalk 0 → 2 readme                   Rwalk 1 qid

import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { fcallfmt } from "../../../kernel/abi/fcallfmt.ts";
import { connin } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { eventfmt, issaid, msgfmt } from "../words/eventtext.ts";
import { cut, line, plural, timefmt } from "../words/text.ts";
import type { Line } from "../words/text.ts";

const INDENT = "  ";
const BESIDES = " ".repeat(15 + INDENT.length);

/** The trace of a kernel as lines, in the layout at the head of this file. */
export class Strace {
  /** What is shown below the calls that have not returned. */
  readonly #open = new Map<number, Line[]>();

  /** The lines that this event completes; `full` is its message with all data. */
  lines(e: Revent, r: Recording, full: Fcall | null): Line[] {
    const call = r.calls[e.call];
    if (e.type === "call") {
      this.#open.set(e.call, []);
      return [];
    }
    const below = this.#open.get(e.call);
    const detail = detailof(e, r, full);
    if (call === undefined || below === undefined) {
      const late = call === undefined ? "" : `   (${call.name} has returned)`;
      return detail.map((l) => line(l.kind, `${head(e.at, e.pid)}${INDENT}${l.text}${late}`));
    }
    for (const l of detail) below.push(line(l.kind, BESIDES + l.text));
    if (e.type !== "return") return [];
    this.#open.delete(e.call);
    return block(call, below);
  }

  /** The calls that have not returned, as far as they came. */
  unfinished(r: Recording): Line[] {
    return [...this.#open].flatMap(([id, below]) => {
      const call = r.calls[id];
      return call === undefined ? [] : block(call, below);
    });
  }
}

/** A call and what is below it. */
function block(call: Rcall, below: readonly Line[]): Line[] {
  const { began, ended, pid, cost } = call;
  if (ended === null)
    return [line("call", `${head(began, pid)}${call.text} ... has not returned`), ...below];
  const time = timefmt(ended - began);
  const right = cost.trips === 0 ? time : `${plural(cost.trips, "round trip")}, ${time}`;
  return [callline(head(began, pid), call, right), ...below];
}

/** A call that has returned, with what it gave. */
function callline(left: string, { text, result, error }: Rcall, right: string): Line {
  const value = result === "" ? "" : ` = ${result}`;
  return line(error === null ? "call" : "failed", left + text + value, right);
}

/** When (ms) and which process: 15 columns. */
function head(at: number, pid: number): string {
  return `${(at / 1e6).toFixed(3).padStart(9)} ${String(pid).padStart(4)} `;
}

/** The lines of an event that is no call. */
function detailof(e: Revent, r: Recording, full: Fcall | null): Line[] {
  if (e.type === "send" || e.type === "receive") {
    const arrow = e.type === "send" ? "→" : "←";
    return [line(e.type, `${arrow} ${fcallfmt(full ?? e.fcall).trimEnd()}`)];
  }
  // That a call waits is seen by its time.
  const text = issaid(e) && e.type !== "sleep" ? eventfmt(r, e) : "";
  return text === ""
    ? []
    : [line(e.type === "namec" || e.type === "mount" ? "step" : "other", text)];
}

const BELOW = "      ";
/** Columns for the name of a connection. */
const NAMED = 6;

/** A request of a call, and its reply if that came before the call returned; in words. */
type Exchange = { readonly conn: number; readonly request: string; reply: string | null };

/** What is shown below a call. */
type Below = {
  readonly steps: Line[];
  /** By the event of the request. */
  readonly exchanges: Map<number, Exchange>;
  /** The connection that it made; the version was agreed on before that had a number. */
  made: number;
};

/** The tour of one process; other processes work behind the scene. */
export class Tour {
  /** What the calls cost all together. */
  readonly total = { calls: 0, trips: 0, messages: 0, bytes: 0 };
  readonly #open = new Map<number, Below>();
  readonly #pid: number;
  readonly #columns: number;
  /** What the program calls its connections. */
  readonly #names = new Map<number, string>();
  #nevent = 0;

  constructor(pid: number, columns: number) {
    this.#pid = pid;
    this.#columns = columns;
  }

  /** The lines that this event completes; `full` is its message with all data. The tour takes every event. */
  lines(e: Revent, r: Recording, full: Fcall | null): Line[] {
    const event = this.#nevent++;
    const call = r.calls[e.call];
    if (e.type === "conn" && e.what === "open")
      this.#names.set(e.conn, transport(connin(r, e.conn)?.name ?? ""));
    if (call === undefined || call.pid !== this.#pid) return [];
    if (e.type === "call") this.#open.set(e.call, { steps: [], exchanges: new Map(), made: 0 });
    const below = this.#open.get(e.call);
    if (below === undefined) return [];
    add(below, event, e, r, full);
    if (e.type !== "return") return [];
    this.#open.delete(e.call);
    // What the program says is shown as such.
    if (call.name === "write" && call.args[0] === 1) return [];
    const { trips, messages, bytes } = call.cost;
    this.total.calls++;
    this.total.trips += trips;
    this.total.messages += messages;
    this.total.bytes += bytes;
    const cost = trips === 0 ? "no round trip" : plural(trips, "round trip");
    const asked = [...below.exchanges.values()].map((x) => this.#exchange(x, below.made));
    return [callline(INDENT, call, messages === 0 ? "" : cost), ...below.steps, ...asked];
  }

  #exchange({ conn, request, reply }: Exchange, made: number): Line {
    const room = this.#columns - BELOW.length - NAMED;
    const half = Math.floor(room * 0.5);
    const asked = cut(request, half - 1);
    const answer = reply ?? "(no call waits for it)";
    const name = this.#names.get(conn === 0 ? made : conn) ?? "";
    return line("send", BELOW + name.padEnd(NAMED) + asked.padEnd(half) + cut(answer, room - half));
  }
}

/** Adds an event to what is shown below its call. */
function add(to: Below, event: number, e: Revent, r: Recording, full: Fcall | null): void {
  if (e.type === "send") {
    const request = msgfmt(full ?? e.fcall);
    to.exchanges.set(event, { conn: e.conn, request, reply: null });
  } else if (e.type === "receive") {
    const x = to.exchanges.get(e.of);
    if (x !== undefined) x.reply ??= msgfmt(full ?? e.fcall);
  } else if (e.type === "conn" && e.what === "open") to.made = e.conn;
  else if (e.type === "namec" || e.type === "mount") {
    const text = eventfmt(r, e);
    if (text !== "") to.steps.push(line("step", BELOW + text));
  }
}

/** What a connection runs over, from the name of its file. */
function transport(name: string): string {
  return name.startsWith("#|") ? "pipe" : (/\/net\/(\w+)\//.exec(name)?.[1] ?? "");
}
