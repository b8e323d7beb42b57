// Traces as text, call by call, for `namec run --trace` and `namec demo`, and what a run cost, added up. Each is a reader
// of a Recording as it is made (Tell): events go in, lines come out; nothing here knows a terminal.
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
//
// A Ledger becomes a table, like that of strace -c: a line for each kind of call, the longest time first, then the total.
// Calls overlap, so the time of a kind, the sum over its calls from call to return, may be more than what the run took
// (`elapsed`). Its memory grows with what is in progress and with the number of kinds, not with the run.
//
//	% time       time   per call  calls  errors  round trips  messages  bytes  call
//	 42.86  150.00 ms   50.00 ms      3                    3        18    738  create

import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { fcallfmt } from "../../../kernel/abi/fcallfmt.ts";
import { got } from "../record/history.ts";
import { addmessage, connin, ismessage, isover, newcost } from "../record/recording.ts";
import type { Cost, Rcall, Recording, Revent, Rmessage } from "../record/recording.ts";
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
