// What a run cost, added up, for `namec run --summary`. The Ledger reads a Recording as it is made (Tell). Its memory
// grows with what is in progress and with the number of kinds of calls, not with the run.
//
// It becomes a table, like that of strace -c: a line for each kind of call, the longest time first, then the total. The
// time of a kind is the sum over its calls, each from call to return. Calls overlap, so this may be more than what the
// run took (`elapsed`).
//
//	% time       time   per call  calls  errors  round trips  messages  bytes  call
//	 42.86  150.00 ms   50.00 ms      3                    3        18    738  create

import { got } from "../record/history.ts";
import { addmessage, ismessage, isover, newcost } from "../record/recording.ts";
import type { Cost, Recording, Revent, Rmessage } from "../record/recording.ts";
import { plural, timefmt } from "../words/text.ts";

/** What is added up. Times are nanoseconds. */
export type Totals = {
  calls: number;
  /** Calls that failed. That exits and exec never return is no failure. */
  errors: number;
  /** Times that a call waited for servers: of a window of requests once. */
  trips: number;
  /** Messages, those that came when their call had long returned among them. */
  messages: number;
  bytes: number;
  time: number;
};

const newtotals = (): Totals => ({ calls: 0, errors: 0, trips: 0, messages: 0, bytes: 0, time: 0 });

/** A call that has not returned. */
type Open = { readonly began: number; readonly totals: readonly Totals[]; readonly cost: Cost };

/** Adds up events as they come. */
export class Ledger {
  readonly whole: Totals = newtotals();
  /** By the name of the call. */
  readonly kinds: Map<string, Totals> = new Map();
  /** What no call is the cause of, messages only: in `whole` and in no kind. */
  readonly uncalled: Totals = newtotals();
  /** The connections that messages went over, and the processes that made calls. */
  readonly conns: Set<number> = new Set();
  readonly procs: Set<number> = new Set();
  #first = -1;
  #last = 0;
  readonly #open = new Map<number, Open>();

  /** Nanoseconds from the first event to the last. */
  get elapsed(): number {
    return this.#first < 0 ? 0 : this.#last - this.#first;
  }

  /** Takes the next event of a recording in. */
  take(e: Revent, r: Recording): void {
    if (this.#first < 0) this.#first = e.at;
    this.#last = Math.max(this.#last, e.at);
    if (e.type === "call") this.#begin(e, r);
    else if (e.type === "return") this.#end(e, r);
    else if (ismessage(e)) this.#message(e, r);
    // A version is agreed on before there is a connection, by the call that then opens it.
    else if (e.type === "conn" && e.what === "open" && e.call >= 0) this.conns.add(e.conn);
  }

  /** All has come: calls in progress count until the last event. */
  finish(): void {
    for (const { began, totals } of this.#open.values())
      for (const t of totals) t.time += this.#last - began;
    this.#open.clear();
  }

  #begin(e: Revent, r: Recording): void {
    const call = r.calls[e.call];
    if (call === undefined) return;
    this.procs.add(e.pid);
    const totals = this.#totals(call.name);
    for (const t of totals) t.calls++;
    this.#open.set(e.call, { began: e.at, totals, cost: newcost() });
  }

  #end(e: Revent, r: Recording): void {
    const call = r.calls[e.call];
    const open = this.#open.get(e.call);
    if (call === undefined || open === undefined) return;
    this.#open.delete(e.call);
    const failed = call.error !== null && !isover(call);
    for (const t of open.totals) {
      if (failed) t.errors++;
      t.time += e.at - open.began;
    }
  }

  #message(e: Rmessage, r: Recording): void {
    if (e.conn > 0) this.conns.add(e.conn);
    const name = r.calls[e.call]?.name;
    const cost = this.#open.get(e.call)?.cost;
    const before = cost?.trips ?? 0;
    if (cost !== undefined) addmessage(cost, e.type === "send", e.bytes);
    for (const t of name === undefined ? [this.whole, this.uncalled] : this.#totals(name)) {
      t.trips += (cost?.trips ?? 0) - before;
      t.messages++;
      t.bytes += e.bytes;
    }
  }

  /** All that a call of this name counts for. */
  #totals(name: string): Totals[] {
    return [this.whole, got(this.kinds, name, newtotals)];
  }
}

const HEAD = ["% time", "time", "per call", "calls", "errors", "round trips", "messages", "bytes"];

/** The table; `clock` is what the run's time was. */
export function summaryfmt(l: Ledger, clock: "virtual" | "real"): string[] {
  const kinds = [...l.kinds].toSorted(
    ([a, x], [b, y]) => y.time - x.time || y.calls - x.calls || (a < b ? -1 : 1),
  );
  const rows = kinds.map(([name, t]) => [...cells(t, l.whole), name]);
  if (l.uncalled.messages > 0) rows.push([...cells(l.uncalled, l.whole), "(messages of no call)"]);
  return [
    ...table([[...HEAD, "call"], ...rows, [...cells(l.whole, l.whole), "total"]]),
    took(l, clock),
  ];
}

function cells(t: Totals, whole: Totals): string[] {
  const share = whole.time === 0 ? 0 : (100 * t.time) / whole.time;
  const per = t.calls === 0 ? "" : timefmt(t.time / t.calls);
  const counts = [t.calls, t.errors, t.trips, t.messages, t.bytes].map((n) =>
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
  const procs = l.procs.size === 1 ? "1 process" : `${l.procs.size} processes`;
  const passed = `${timefmt(l.elapsed)} passed${clock === "virtual" ? ", of virtual time" : ""}`;
  const overlap = l.whole.time > l.elapsed ? " (calls that overlap are added up)" : "";
  return `${passed}${overlap}: ${procs}, ${plural(l.conns.size, "connection")}`;
}
