// The events of a trace, gathered by system call: each call with what happened because of it and what it
// cost. What shows or counts calls (the log, the tour) starts from here. Pure: it knows no host.

import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { isT } from "../../../kernel/abi/fcall.ts";
import type { Call, Event } from "../../../kernel/trace.ts";
import { callfmt, resultfmt } from "../words/callfmt.ts";

/** What a call has cost so far. */
export type Cost = {
  /** Times that it waited for a server. */
  trips: number;
  messages: number;
  /** Bytes of messages, both ways. */
  bytes: number;
  /** Something was sent that nobody has seen an answer to. */
  asked: boolean;
};

export function newcost(): Cost {
  return { trips: 0, messages: 0, bytes: 0, asked: false };
}

/** Counts a message. A round trip is a reply to what was sent since the last one: a window of requests is one. */
export function addmessage(cost: Cost, sending: boolean, bytes: number): void {
  cost.messages++;
  cost.bytes += bytes;
  if (sending) cost.asked = true;
  else if (cost.asked) {
    cost.trips++;
    cost.asked = false;
  }
}

/** A system call with everything that happened because of it, until it returned. */
export type Callrec = {
  readonly call: Call;
  readonly began: number;
  readonly events: Event[];
  readonly cost: Cost;
  ended: number | null;
  /** The call and its result in words, good from its return on: buffers may be used again. */
  text: string;
  result: string;
  failed: boolean;
};

/** Gathers the events of calls, and hands each call on when it returns. */
export class Calls {
  readonly #open = new Map<number, Callrec>();

  /** Takes an event in. Gives the call's record when this was its return, else null. */
  take(e: Event): Callrec | null {
    const { call } = e;
    if (call === null) return null;
    if (e.type === "call") {
      this.#open.set(call.id, newrec(call, e.at));
      return null;
    }
    const r = this.#open.get(call.id);
    if (r === undefined) return null;
    if (e.type === "return") {
      this.#open.delete(call.id);
      r.ended = e.at;
      r.failed = e.error !== null;
      r.text = callfmt(call);
      r.result = resultfmt(call, e.value, e.error);
      return r;
    }
    r.events.push(e);
    if (e.type === "send" || e.type === "receive") addmessage(r.cost, e.type === "send", e.bytes);
    return null;
  }

  /** Whether the event belongs to a call that has not returned. */
  has(e: Event): boolean {
    return e.call !== null && this.#open.has(e.call.id);
  }

  /** The calls that have not returned. */
  pending(): Callrec[] {
    for (const r of this.#open.values()) r.text = callfmt(r.call);
    return [...this.#open.values()];
  }
}

function newrec(call: Call, at: number): Callrec {
  const state = { ended: null, text: "", result: "", failed: false };
  return { call, began: at, events: [], cost: newcost(), ...state };
}

/** A request, and its reply if that came before the call returned. */
export type Exchange = { readonly conn: number; readonly request: Fcall; reply: Fcall | null };

/** The messages of a call, each request with its reply: the first with its tag that has none. */
export function exchanges(r: Callrec): Exchange[] {
  const list: Exchange[] = [];
  for (const e of r.events) {
    if (e.type === "send") list.push({ conn: e.conn, request: e.fcall, reply: null });
    if (e.type !== "receive") continue;
    const x = list.find(
      (o) =>
        o.reply === null && o.conn === e.conn && isT(o.request) && o.request.tag === e.fcall.tag,
    );
    if (x !== undefined) x.reply = e.fcall;
  }
  return list;
}
