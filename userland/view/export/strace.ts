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
//
// A ledger becomes a table, like that of strace -c: a line for each kind of call, the longest time first, then the
// total.
//
//	% time       time   per call  calls  errors  round trips  messages  bytes  call
//	 42.86  150.00 ms   50.00 ms      3                    3        18    738  create

import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { eventfmt, issaid } from "../words/eventtext.ts";
import { fcallfmt } from "../../../kernel/abi/fcallfmt.ts";
import type { Cost, Rcall, Recording, Revent } from "../record/recording.ts";
import { line } from "../words/line.ts";
import type { Line } from "../words/line.ts";
import { plural, timefmt } from "../words/sentence.ts";
import { traffic } from "../record/ledger.ts";
import type { Ledger, Totals } from "../record/ledger.ts";

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

const HEAD = ["% time", "time", "per call", "calls", "errors", "round trips", "messages", "bytes"];

/** The table; `clock` is what the run's time was. */
export function summaryfmt(l: Ledger, clock: "virtual" | "real"): string[] {
  const kinds = [...l.kinds].toSorted(
    ([a, x], [b, y]) => y.time - x.time || y.calls - x.calls || (a < b ? -1 : 1),
  );
  const rows = kinds.map(([name, t]) => [...cells(t, l.whole), name]);
  if (traffic(l.uncalled).messages > 0)
    rows.push([...cells(l.uncalled, l.whole), "(messages of no call)"]);
  return [
    ...table([[...HEAD, "call"], ...rows, [...cells(l.whole, l.whole), "total"]]),
    took(l, clock),
  ];
}

function cells(t: Totals, whole: Totals): string[] {
  const { messages, bytes } = traffic(t);
  const share = whole.time === 0 ? 0 : (100 * t.time) / whole.time;
  const per = t.calls === 0 ? "" : timefmt(t.time / t.calls);
  const counts = [t.calls, t.errors, t.trips, messages, bytes].map((n) =>
    n === 0 ? "" : String(n),
  );
  return [share.toFixed(2), timefmt(t.time), per, ...counts];
}

/** Columns at the right edge, but for the last, which begins where it begins. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows.map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("  "));
}

/** "400.00 ms passed, of virtual time: 1 process, 1 connection" */
function took(l: Ledger, clock: "virtual" | "real"): string {
  const procs = [...l.procs.values()].filter((t) => t.calls > 0).length;
  const conns = [...l.conns.keys()].filter((conn) => conn > 0).length;
  const who = `${several(procs, "process")}, ${plural(conns, "connection")}`;
  const passed = `${timefmt(l.elapsed)} passed${clock === "virtual" ? ", of virtual time" : ""}`;
  const overlap = l.whole.time > l.elapsed ? " (calls that overlap are added up)" : "";
  return `${passed}${overlap}: ${who}`;
}

function several(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${n} ${noun}es`;
}
