// The trace as text, call by call: the system call with its result, and indented below it what namec
// decided and the 9P messages it cost, in the order it happened. Events go in, lines come out; nothing
// here knows a terminal.
//
//	   12.310    4 open("/n/far/a/x", OREAD) = 3                              1 round trip, 88 µs
//	                 /n/far is mounted: a/x from there
//	                 the walk of a/x goes with what follows
//	                 → Twalk tag 0 fid 1 newfid 4 nwname 2 0:a 1:x
//	                 → Topen tag 0 fid 4 mode 0
//	                 ← Rwalk tag 0 nwqid 2 ...
//
// At the left are milliseconds since boot and the process. A call is shown when it returns, so that calls
// of several processes at once do not mix; unfinished() shows those that have not.

import { fcallfmt } from "../../../kernel/abi/fcallfmt.ts";
import type { Event } from "../../../kernel/trace.ts";
import { Calls } from "../record/calls.ts";
import type { Callrec, Cost } from "../record/calls.ts";
import { line } from "../words/line.ts";
import type { Line } from "../words/line.ts";
import { eventfmt, plural, timefmt } from "../words/stepfmt.ts";

const INDENT = "  ";
const BESIDES = " ".repeat(15 + INDENT.length);

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
    return detail(e).map((l) => line(l.kind, `${head(e.at, e.pid)}${INDENT}${l.text}${late}`));
  }

  /** The calls that have not returned, as far as they came. */
  unfinished(): Line[] {
    return this.#calls.pending().flatMap(block);
  }
}

/** A call and what is below it. */
function block(r: Callrec): Line[] {
  const { call, ended } = r;
  const value = ended === null ? " ... has not returned" : r.result === "" ? "" : ` = ${r.result}`;
  const right = ended === null ? "" : costfmt(r.cost, ended - r.began);
  const text = `${head(r.began, call.pid)}${r.text}${value}`;
  const below = r.events.flatMap(detail).map((l) => line(l.kind, BESIDES + l.text));
  return [line(r.failed ? "failed" : "call", text, right), ...below];
}

/** When (ms) and which process: 15 columns. */
function head(at: number, pid: number): string {
  return `${(at / 1e6).toFixed(3).padStart(9)} ${String(pid).padStart(4)} `;
}

/** The lines of an event inside a call. */
function detail(e: Event): Line[] {
  if (e.type === "send") return [line("send", `→ ${fcallfmt(e.fcall).trimEnd()}`)];
  if (e.type === "receive") return [line("receive", `← ${fcallfmt(e.fcall).trimEnd()}`)];
  const text = eventfmt(e);
  return text === ""
    ? []
    : [line(e.type === "namec" || e.type === "mount" ? "step" : "other", text)];
}

/** "2 round trips, 88 µs" */
function costfmt(cost: Cost, ns: number): string {
  return cost.trips === 0 ? timefmt(ns) : `${plural(cost.trips, "round trip")}, ${timefmt(ns)}`;
}
