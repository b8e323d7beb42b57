// A run as Chrome's trace events, which chrome://tracing and ui.perfetto.dev show. Each process of the kernel is a process
// there, with its calls. Each connection is a process, too, with its requests. A request lasts from its sending to its
// answer, and an arrow leads to it from its call. Notes, ends, mounts and hang-ups are instants.
//
// Calls of one process may be in progress at once, and so may requests. Those that overlap lie on different lanes
// (threads). Text goes out as it is made, for one file: head, events, TAIL. The file is whole whenever TAIL is behind the
// text that was written so far.

import { issaid, msgfmt } from "../words/eventtext.ts";
import { Rflush, Rstream, Tflush } from "../../../kernel/abi/fcall.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { got } from "../record/history.ts";
import { connin, placefmt, programof, push } from "../record/recording.ts";
import type { About, Rcall, Recording, Revent, Rmessage } from "../record/recording.ts";
import { plural } from "../words/text.ts";

/** What ends the file. */
export const TAIL = "\n]}\n";

/** Connections are processes from here on. */
const CONNS = 1_000_000;

/** What is in progress on a lane: a call or a request. */
type Open = {
  readonly pid: number;
  readonly lane: number;
  readonly began: number;
  readonly name: string;
  readonly args: Record<string, unknown>;
};

/** A request that waits, with what a flush of it would name. */
type Asked = Open & {
  readonly tag: number;
  readonly flushes: number | null;
};

/** Writes the events of a run. */
export class Timeline {
  readonly #write: (text: string) => void;
  #sep = "\n";
  #nevent = 0;
  #last = 0;
  /** The lanes of each process or connection that are taken. */
  readonly #lanes = new Map<number, boolean[]>();
  readonly #names = new Map<number, string>();
  readonly #calls = new Map<number, Open>();
  readonly #asked = new Map<number, Asked>();
  /** By call, what it said where no version was agreed on yet: with when it was over. */
  readonly #versions = new Map<number, [Open, number][]>();

  constructor(write: (text: string) => void, about: About) {
    this.#write = write;
    const head = { displayTimeUnit: "ns", otherData: about };
    write(`${JSON.stringify(head).slice(0, -1)},"traceEvents":[`);
  }

  /** The next event, with what it refers to; a message with all its data, where there is more. */
  take(e: Revent, r: Recording, full: Fcall | null = null): void {
    this.#last = Math.max(this.#last, e.at);
    switch (e.type) {
      case "call":
        this.#begin(e, r);
        break;
      case "return":
        this.#end(e, r);
        break;
      case "send":
        this.#send(e, r, full ?? e.fcall);
        break;
      case "receive":
        this.#receive(e, full ?? e.fcall);
        break;
      case "mount":
        this.#instant(e, this.#calls.get(e.call), `${e.op} ${e.path}`);
        break;
      case "conn":
        this.#conn(e, r);
        break;
      case "proc":
        if (issaid(e)) this.#proc(e, r);
        break;
      case "namec":
      case "wire":
      case "sleep":
      case "fd":
      case "pipe":
      case "env":
        break;
    }
    this.#nevent++;
  }

  /** All has come: what is in progress lasts until the last event. */
  finish(): void {
    for (const open of this.#asked.values())
      this.#complete(open, this.#last, { reply: "none yet" });
    for (const id of this.#versions.keys()) this.#agreed(id, 0);
    for (const open of this.#calls.values())
      this.#complete(open, this.#last, { result: "has not returned" });
  }

  #begin(e: Revent, r: Recording): void {
    const call = r.calls[e.call];
    if (call === undefined) return;
    this.#named(e.pid, programof(r, e.pid));
    const lane = this.#take(e.pid);
    const args = { call: call.text, ...placeof(call, r), dot: call.dot };
    this.#calls.set(e.call, { pid: e.pid, lane, began: e.at, name: call.name, args });
  }

  #end(e: Revent, r: Recording): void {
    const call = r.calls[e.call];
    const open = this.#calls.get(e.call);
    this.#agreed(e.call, 0);
    if (open === undefined || call === undefined) return;
    this.#calls.delete(e.call);
    const { trips, messages, bytes } = call.cost;
    const cost = trips === 0 ? {} : { cost: plural(trips, "round trip"), messages, bytes };
    this.#complete(open, e.at, { result: call.result, ...cost });
  }

  #send(e: Rmessage, r: Recording, f: Fcall): void {
    const call = r.calls[e.call];
    const args = call === undefined ? {} : { call: call.text, ...placeof(call, r) };
    const name = msgfmt(f);
    const flushes = f.type === Tflush ? f.oldtag : null;
    const pid = CONNS + e.conn;
    if (e.conn !== 0) this.#connnamed(e.conn, r);
    const lane = e.conn === 0 ? 0 : this.#take(pid);
    const open = { began: e.at, name, args, tag: f.tag, flushes, pid, lane };
    this.#asked.set(this.#nevent, open);
    if (e.conn !== 0) this.#arrow(e.call, open);
  }

  #receive(e: Rmessage & { type: "receive" }, f: Fcall): void {
    const open = this.#asked.get(e.of);
    if (open === undefined || (f.type === Rstream && f.data.length > 0)) return;
    this.#asked.delete(e.of);
    const done = { ...open, args: { ...open.args, reply: msgfmt(f) } };
    if (e.conn !== 0) this.#complete(done, e.at, {});
    else if (e.call >= 0) push(this.#versions, e.call, [done, e.at]);
    if (f.type !== Rflush) return;
    this.#unanswered(e.at, "flushed", (o) => o.pid === open.pid && o.tag === open.flushes);
  }

  #unanswered(at: number, reply: string, which: (o: Asked) => boolean): void {
    for (const [event, open] of this.#asked) {
      if (!which(open)) continue;
      this.#asked.delete(event);
      this.#complete(open, at, { reply });
    }
  }

  #conn(e: Revent & { type: "conn" }, r: Recording): void {
    const pid = CONNS + e.conn;
    this.#connnamed(e.conn, r);
    if (e.what === "open") this.#agreed(e.call, e.conn);
    else this.#unanswered(e.at, "none", (o) => o.pid === pid);
    this.#instant(e, { pid, lane: 0 }, e.what);
    if (e.what === "close") this.#gone(pid);
  }

  /** The connection of a call's versions is known, or that there is none (0). */
  #agreed(call: number, conn: number): void {
    for (const [open, at] of this.#versions.get(call) ?? []) {
      const pid = CONNS + conn;
      if (conn === 0) this.#named(pid, "9P: no version agreed on");
      const there = { ...open, pid, lane: this.#take(pid) };
      this.#arrow(call, there);
      this.#complete(there, at, {});
    }
    this.#versions.delete(call);
  }

  #proc(e: Revent & { type: "proc" }, r: Recording): void {
    this.#named(e.pid, programof(r, e.pid));
    const text = e.text === "" ? e.what : `${e.what}: ${e.text}`;
    this.#instant(e, undefined, text);
    if (e.what === "exit") this.#gone(e.pid);
  }

  #complete(open: Open, at: number, more: Record<string, unknown>): void {
    const { pid, lane, began, name } = open;
    const lanes = this.#lanes.get(pid);
    if (lanes !== undefined) lanes[lane] = false;
    const dur = (Math.round(at) - Math.round(began)) / 1000;
    const args = { ...open.args, ...more };
    const cat = pid < CONNS ? "call" : "9P";
    this.#event({ ph: "X", pid, tid: lane, ts: us(began), dur, name, cat, args });
  }

  /** From a call to what it has asked for. */
  #arrow(call: number, to: Open): void {
    const from = this.#calls.get(call);
    if (from === undefined) return;
    const all = { cat: "9P", name: "9P", id: this.#nevent, ts: us(to.began) };
    this.#event({ ph: "s", pid: from.pid, tid: from.lane, ...all });
    this.#event({ ph: "f", bp: "e", pid: to.pid, tid: to.lane, ...all });
  }

  /** Something that takes no time: on a lane, or of the whole process. */
  #instant(e: Revent, on: { pid: number; lane: number } | undefined, name: string): void {
    const { pid, lane } = on ?? { pid: e.pid, lane: 0 };
    const s = on === undefined ? "p" : "t";
    this.#event({ ph: "i", s, pid, tid: lane, ts: us(e.at), name, cat: e.type });
  }

  /** The first lane that is free. */
  #take(pid: number): number {
    const lanes = got(this.#lanes, pid, () => []);
    const free = lanes.indexOf(false);
    const lane = free < 0 ? lanes.length : free;
    if (free < 0) {
      const name = `${pid < CONNS ? "calls" : "requests"}${lane === 0 ? "" : ` at once, ${lane + 1}`}`;
      this.#event({ ph: "M", pid, tid: lane, name: "thread_name", args: { name } });
    }
    lanes[lane] = true;
    return lane;
  }

  #connnamed(conn: number, r: Recording): void {
    const c = connin(r, conn);
    this.#named(CONNS + conn, `9P ${c?.peer ?? c?.name ?? "?"}`);
  }

  #named(pid: number, name: string): void {
    if (this.#names.get(pid) === name) return;
    this.#names.set(pid, name);
    this.#event({ ph: "M", pid, tid: 0, name: "process_name", args: { name } });
  }

  #gone(pid: number): void {
    this.#lanes.delete(pid);
    this.#names.delete(pid);
  }

  #event(e: Record<string, unknown>): void {
    this.#write(`${this.#sep}${JSON.stringify(e)}`);
    this.#sep = ",\n";
  }
}

/** Microseconds, as trace events have them. */
const us = (ns: number): number => Math.round(ns) / 1000;

function placeof({ line }: Rcall, r: Recording): { readonly line?: string } {
  return line === null ? {} : { line: placefmt(r, line) };
}
