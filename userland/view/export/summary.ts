// A ledger as a table, like that of strace -c: a line for each kind of call, the longest time first, then
// the total. Pure: the ledger goes in, lines of text come out.
//
//	% time       time   per call  calls  errors  round trips  messages  bytes  call
//	 42.86  150.00 ms   50.00 ms      3                    3        18    738  create

import { traffic } from "../record/ledger.ts";
import type { Ledger, Totals } from "../record/ledger.ts";
import { plural, timefmt } from "../words/stepfmt.ts";

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
