// The view of `namec demo`: what the program says, and under it each system call with the steps that its
// name took and the 9P messages it cost, a request and its reply side by side. A reader of a Recording as it
// is made (Tell): events go in, lines come out.
//
//	  open("/n/both/readme", OREAD) = 3                                     1 round trip
//	      /n/both is a union of 2: readme from there
//	      tcp   Twalk 0 → 2 readme                   Rwalk 1 qid

import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { connin } from "../record/recording.ts";
import type { Cost, Rcall, Recording, Revent } from "../record/recording.ts";
import { cut, line } from "../words/line.ts";
import type { Line } from "../words/line.ts";
import { msgfmt } from "../words/msgfmt.ts";
import { plural } from "../words/sentence.ts";
import { eventfmt } from "../words/eventtext.ts";

const INDENT = "  ";
const BELOW = "      ";
/** Columns for the name of a connection. */
const NAMED = 6;

/** What the calls cost all together. */
export type Total = Omit<Cost, "asked"> & { calls: number };

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
  readonly total: Total = { calls: 0, trips: 0, messages: 0, bytes: 0 };
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
    if (e.type !== "return") {
      add(below, event, e, r, full);
      return [];
    }
    this.#open.delete(e.call);
    // What the program says is shown as such.
    if (call.name === "write" && call.args[0] === 1) return [];
    this.#count(call.cost);
    return this.#block(call, below);
  }

  #count(cost: Cost): void {
    this.total.calls++;
    this.total.trips += cost.trips;
    this.total.messages += cost.messages;
    this.total.bytes += cost.bytes;
  }

  #block({ text, result, error, cost }: Rcall, { steps, exchanges, made }: Below): Line[] {
    const value = result === "" ? "" : ` = ${result}`;
    const first = line(error === null ? "call" : "failed", INDENT + text + value, costfmt(cost));
    return [first, ...steps, ...[...exchanges.values()].map((x) => this.#exchange(x, made))];
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

function costfmt(cost: Cost): string {
  if (cost.messages === 0) return "";
  return cost.trips === 0 ? "no round trip" : plural(cost.trips, "round trip");
}
