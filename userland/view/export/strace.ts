// The trace as text, call by call: the system call with its result, and indented below it what namec
// decided and the 9P messages it cost, in the order it happened. A reader of a Recording as it is made
// (Tell): events go in, lines come out; nothing here knows a terminal.
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

import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { issaid } from "../words/eventtext.ts";
import { fcallfmt } from "../../../kernel/abi/fcallfmt.ts";
import type { Cost } from "../record/cost.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { line } from "../words/line.ts";
import type { Line } from "../words/line.ts";
import { eventfmt, plural, timefmt } from "../words/stepfmt.ts";

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
function block(
  { began, ended, pid, text, result, cost, error }: Rcall,
  below: readonly Line[],
): Line[] {
  const value = ended === null ? " ... has not returned" : result === "" ? "" : ` = ${result}`;
  const right = ended === null ? "" : costfmt(cost, ended - began);
  return [
    line(error === null ? "call" : "failed", head(began, pid) + text + value, right),
    ...below,
  ];
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

/** "2 round trips, 88 µs" */
function costfmt(cost: Cost, ns: number): string {
  return cost.trips === 0 ? timefmt(ns) : `${plural(cost.trips, "round trip")}, ${timefmt(ns)}`;
}
