// The view of `namec demo`: what the program says, and under it each system call with the steps that its
// name took and the 9P messages it cost, a request and its reply side by side. Events go in, lines come
// out.
//
//	  open("/n/both/readme", OREAD) = 3                                     1 round trip
//	      /n/both is a union of 2: readme from there
//	      tcp   Twalk 0 → 2 readme                   Rwalk 1 qid

import type { Event } from "../../../kernel/trace.ts";
import { Calls, exchanges } from "../record/calls.ts";
import type { Callrec, Cost, Exchange } from "../record/calls.ts";
import { cut, line } from "../words/line.ts";
import type { Line } from "../words/line.ts";
import { msgfmt } from "../words/msgfmt.ts";
import { eventfmt, plural } from "../words/stepfmt.ts";

const INDENT = "  ";
const BELOW = "      ";
/** Columns for the name of a connection. */
const NAMED = 6;

/** What the calls cost all together. */
export type Total = Omit<Cost, "asked"> & { calls: number };

/** The tour of one process; other processes work behind the scene. */
export class Tour {
  readonly total: Total = { calls: 0, trips: 0, messages: 0, bytes: 0 };
  readonly #calls = new Calls();
  readonly #pid: number;
  readonly #columns: number;
  /** What the program calls its connections. */
  readonly #names = new Map<number, string>();

  constructor(pid: number, columns: number) {
    this.#pid = pid;
    this.#columns = columns;
  }

  /** The lines that this event completes. */
  lines(e: Event): Line[] {
    if (e.type === "conn" && e.what === "open") this.#names.set(e.conn, transport(e.name));
    const r = this.#calls.take(e);
    if (r === null || r.call.pid !== this.#pid) return [];
    // What the program says is shown as such.
    if (r.call.name === "write" && r.call.args[0] === 1) return [];
    this.#count(r.cost);
    return this.#block(r);
  }

  #count(cost: Cost): void {
    this.total.calls++;
    this.total.trips += cost.trips;
    this.total.messages += cost.messages;
    this.total.bytes += cost.bytes;
  }

  #block(r: Callrec): Line[] {
    const value = r.result === "" ? "" : ` = ${r.result}`;
    const first = line(r.failed ? "failed" : "call", INDENT + r.text + value, costfmt(r.cost));
    const steps = r.events
      .filter((e) => e.type === "namec" || e.type === "mount")
      .map(eventfmt)
      .filter((text) => text !== "")
      .map((text) => line("step", BELOW + text));
    return [first, ...steps, ...exchanges(r).map((x) => this.#exchange(x, r))];
  }

  #exchange({ conn, request, reply }: Exchange, r: Callrec): Line {
    const room = this.#columns - BELOW.length - NAMED;
    const half = Math.floor(room * 0.5);
    const asked = cut(msgfmt(request), half - 1);
    const answer = reply === null ? "(nobody waits for it)" : msgfmt(reply);
    const name = this.#names.get(conn === 0 ? newconn(r) : conn) ?? "";
    return line("send", BELOW + name.padEnd(NAMED) + asked.padEnd(half) + cut(answer, room - half));
  }
}

/** The connection that a mount makes; its version was agreed on before it had a number. */
function newconn(r: Callrec): number {
  for (const e of r.events) if (e.type === "conn" && e.what === "open") return e.conn;
  return 0;
}

/** What a connection runs over, from the name of its file. */
function transport(name: string): string {
  return name.startsWith("#|") ? "pipe" : (/\/net\/(\w+)\//.exec(name)?.[1] ?? "");
}

function costfmt(cost: Cost): string {
  if (cost.messages === 0) return "";
  return cost.trips === 0 ? "no round trip" : plural(cost.trips, "round trip");
}
