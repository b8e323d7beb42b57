// A recording laid out to be stepped through, and where one can go in it. Tables are made once, in typed arrays by
// event or by call, so that every move is a look into a table or a search by halves. What a step shows is frame.ts.
//
// A step is an event that says something to a reader: pieces on the wire are none. One can go to steps of a kind, to
// text, along the way of a request to its server and back, and to breakpoints:
//
//	stat	calls of stat	/n/far/a	calls on /n/far/a or what is below it, by name or descriptor
//	Tread	requests to read	far!564	messages to and from this server
//	hello.ts:12	calls of this line; :12 where one file is known
//	pid 3	steps of process 3	fd 3	calls on descriptor 3, and those that make it another file
//
// What a breakpoint stops at is found once for a tape. `work` counts the entries looked at since, for tests.

import { callrow } from "../../../kernel/abi/calls.ts";
import { MESSAGES } from "../../../kernel/abi/fcallfmt.ts";
import { indexof } from "../record/index.ts";
import type { Index } from "../record/index.ts";
import { addmessage, ismessage, isover, newcost, rank } from "../record/recording.ts";
import type { Cost, Rcall, Recording, Revent, Rsaid } from "../record/recording.ts";
import { cleanname, isbelow, namesof } from "./names.ts";
import { eventtext, issaid } from "../words/eventtext.ts";
import { connname } from "../words/who.ts";

/** The kinds of steps that one can go to. */
export type By = "step" | "message" | "call" | "failure";

/** A step: its event, the call that begins there, if one does, and the tape. */
export type Stop = {
  readonly tape: Tape;
  readonly step: number;
  readonly e: Revent;
  readonly begins: Rcall | undefined;
};

export type Fits = (s: Stop) => boolean;

/** What was spent up to an event and with it: by its call, and by the run. */
export type Spent = {
  readonly trips: number;
  readonly messages: number;
  readonly bytes: number;
  /** Nanoseconds. */
  readonly time: number;
};

/** A recording that can be stepped through, both ways. */
export class Tape {
  readonly recording: Recording;
  /** The events that are steps, in order. */
  readonly steps: Int32Array;
  readonly index: Index;
  /** Entries of tables and events looked at since the tape was made. */
  work = 0;
  /** 1 for a call between whose event and its return's nothing happened: it is one step with that. */
  readonly #joined: Uint8Array;
  readonly #lists: Readonly<Record<By, Int32Array>>;
  /** At each event the name space that was spoken of last. */
  readonly #space: Int32Array;
  /** What was spent up to each event: by its call, and by the run. */
  readonly #callsums: Sums;
  readonly #runsums: Sums;
  /** The steps at which what was said is seen. */
  readonly #said: Int32Array;

  constructor(r: Recording) {
    this.recording = r;
    this.index = indexof(r);
    this.#joined = joined(r);
    const isstep = (i: number): boolean => this.#joined[i] !== 1 && issaid(r.events[i]);
    this.steps = Int32Array.from(r.events.keys()).filter(isstep);
    this.#lists = {
      step: this.where(() => true),
      message: this.where(({ e }) => ismessage(e)),
      call: this.where(({ begins }) => begins !== undefined),
      failure: this.where(({ e }) => isfailure(r, e)),
    };
    let space = 0;
    this.#space = Int32Array.from(r.events, (e) => (space = e.space < 0 ? space : e.space));
    this.#callsums = new Sums(r.events.length);
    this.#runsums = new Sums(r.events.length);
    this.#spend();
    this.#said = Int32Array.from(r.said, (s) => Math.max(0, this.stepof(s.event)));
  }

  /** How many steps there are. */
  get length(): number {
    return this.steps.length;
  }

  /** The event that a step is. */
  event(step: number): number {
    return this.steps[step] ?? -1;
  }

  /** The step that an event is, or the last one before it; -1 when there is none. */
  stepof(event: number): number {
    const step = this.#below(this.steps, event + 1) - 1;
    return this.#joined[event] === 1 ? step + 1 : step;
  }

  /** The step at which what an event changed is seen: with the return of its call, or with the next step. */
  stepshowing(event: number): number {
    const e = this.recording.events[event];
    if (e?.type === "pipe" || e?.type === "fd" || e?.type === "env") {
      const back = this.index.returnof(e.call);
      if (back >= 0) return this.stepof(back);
      return Math.min(this.#below(this.steps, event), this.length - 1);
    }
    return this.stepof(event);
  }

  /** The call that begins at a step: with its return, where nothing happened between; -1 when none begins. */
  beginsat(step: number): number {
    const event = this.event(step);
    const e = this.recording.events[event];
    if (e === undefined) return -1;
    if (e.type === "call") return e.call;
    const first = e.type === "return" ? (this.recording.calls[e.call]?.first ?? -1) : -1;
    return this.#joined[first] === 1 ? e.call : -1;
  }

  /** The steps that please, in order. */
  where(fits: Fits): Int32Array {
    const { events, calls } = this.recording;
    return Int32Array.from(this.steps.keys()).filter((step) => {
      const e = events[this.event(step)];
      return e !== undefined && fits({ tape: this, step, e, begins: calls[this.beginsat(step)] });
    });
  }

  /** The next step of a kind; -1 when there is none. */
  next(step: number, by: By): number {
    return this.after(this.#lists[by], step);
  }

  /** The step of a kind before this one; -1 when there is none. */
  back(step: number, by: By): number {
    return this.before(this.#lists[by], step);
  }

  /** The first of a sorted list of steps that comes after one; -1 when there is none. */
  after(list: Int32Array, step: number): number {
    return list[this.#below(list, step + 1)] ?? -1;
  }

  /** The last of a sorted list of steps that comes before one; -1 when there is none. */
  before(list: Int32Array, step: number): number {
    return list[this.#below(list, step) - 1] ?? -1;
  }

  /** The events of a call up to one of them and with it, in order. */
  callevents(call: number, upto: number): readonly number[] {
    const some = call < 0 ? [] : this.index.callevents(call, upto);
    this.work += some.length;
    return some;
  }

  /** The name space at an event, an index into the recording's; of an event without one, the last before it. */
  spaceat(event: number): number {
    return this.#space[event] ?? 0;
  }

  /** What the call of an event has spent up to it. What comes after the call's end takes the call no time. */
  callspent(event: number): Spent {
    const e = this.recording.events[event];
    const call = this.recording.calls[e?.call ?? -1];
    if (e === undefined || call === undefined) return this.#callsums.at(event, 0);
    return this.#callsums.at(event, Math.min(e.at, call.ended ?? e.at) - call.began);
  }

  /** What the run has spent up to an event. */
  runspent(event: number): Spent {
    const { events } = this.recording;
    return this.#runsums.at(event, (events[event]?.at ?? 0) - (events[0]?.at ?? 0));
  }

  /** What the program wrote on its console at a step: with the call that wrote it, where that is one step. */
  said(step: number): readonly Rsaid[] {
    return this.recording.said.slice(
      this.#below(this.#said, step),
      this.#below(this.#said, step + 1),
    );
  }

  /** What was written on the console up to a step and with it, the last `most` pieces. */
  output(step: number, most: number): readonly Rsaid[] {
    const to = this.#below(this.#said, step + 1);
    return this.recording.said.slice(Math.max(0, to - most), to);
  }

  /** Counts as the recorder does: a reply after its call's return costs the call nothing. */
  #spend(): void {
    const { calls, events } = this.recording;
    const run = newcost();
    const costs: Cost[] = calls.map(newcost);
    const over = new Uint8Array(calls.length);
    for (const [i, e] of events.entries()) {
      const cost = costs[e.call];
      if (ismessage(e)) {
        const before = cost?.trips ?? 0;
        if (cost !== undefined && (e.type === "send" || over[e.call] === 0))
          addmessage(cost, e.type === "send", e.bytes);
        run.trips += (cost?.trips ?? 0) - before;
        run.messages++;
        run.bytes += e.bytes;
      } else if (e.type === "return" && e.call >= 0) over[e.call] = 1;
      this.#runsums.put(i, run);
      if (cost !== undefined) this.#callsums.put(i, cost);
    }
  }

  /** How many entries of a sorted list are less than n, found by halves. */
  #below(list: Int32Array, n: number): number {
    this.work += Math.ceil(Math.log2(list.length + 1));
    return rank(list, n);
  }
}

/** The calls that returned before anything else was said. */
function joined(r: Recording): Uint8Array {
  const list = new Uint8Array(r.events.length);
  let last: { readonly call: number; readonly event: number } | null = null;
  for (const [event, e] of r.events.entries()) {
    if (!issaid(e)) continue;
    if (e.type === "return" && last !== null && last.call === e.call) list[last.event] = 1;
    last = e.type === "call" ? { call: e.call, event } : null;
  }
  return list;
}

/** What did not come to what was asked for: a call that failed, a process that ended with a reason. */
function isfailure(r: Recording, e: Revent): boolean {
  if (e.type === "return") {
    const call = r.calls[e.call];
    return call !== undefined && call.error !== null && !isover(call);
  }
  return e.type === "proc" && e.what === "exit" && e.text !== "";
}

/** What was spent up to each event. */
class Sums {
  readonly #trips: Float64Array;
  readonly #messages: Float64Array;
  readonly #bytes: Float64Array;

  constructor(events: number) {
    this.#trips = new Float64Array(events);
    this.#messages = new Float64Array(events);
    this.#bytes = new Float64Array(events);
  }

  put(i: number, { trips, messages, bytes }: Cost): void {
    this.#trips[i] = trips;
    this.#messages[i] = messages;
    this.#bytes[i] = bytes;
  }

  at(i: number, time: number): Spent {
    const [trips = 0, messages = 0, bytes = 0] = [
      this.#trips[i],
      this.#messages[i],
      this.#bytes[i],
    ];
    return { trips, messages, bytes, time };
  }
}

/** A breakpoint: as it was typed, what it is about, and the steps that it stops at. */
export type Mark = {
  readonly text: string;
  readonly on: "call" | "name" | "message" | "server" | "line" | "process" | "descriptor";
  readonly steps: Int32Array;
};

/** A breakpoint for a tape; null when the text is none. */
export function markof(tape: Tape, text: string): Mark | null {
  for (const [on, form, fits] of MARKS) {
    const m = form.exec(text);
    if (m === null) continue;
    if (on === "message" && !MESSAGES.has(text)) return null;
    tape.work += tape.length;
    return { text, on, steps: tape.where((s) => fits(s, m)) };
  }
  return null;
}

/** Breakpoints by their form, of which the first that fits counts, and whether they stop at a step. */
const MARKS: readonly (readonly [
  on: Mark["on"],
  form: RegExp,
  fits: (s: Stop, m: readonly string[]) => boolean,
])[] = [
  ["line", /^([^\s!]*):(\d+)$/, (s, [, name = "", line]) => online(s, name, Number(line))],
  ["process", /^pid (\d+)$/, (s, [, pid]) => s.e.pid === Number(pid)],
  ["descriptor", /^fd (\d+)$/, (s, [, fd]) => onfd(s, Number(fd)) || makesfd(s, Number(fd))],
  ["name", /^[/#].*/s, (s, [name = ""]) => onname(s, cleanname(name, "/"))],
  [
    "server",
    /.*!.*/s,
    ({ e, tape: { recording: r } }, [name]) => ismessage(e) && connname(r, e.conn) === name,
  ],
  [
    "message",
    /^[TR][a-z]+$/,
    ({ e }, [name = ""]) => ismessage(e) && e.fcall.type === MESSAGES.get(name),
  ],
  ["call", /^[a-z]+$/, (s, [name]) => s.begins?.name === name],
];

/** Whether a call of a line begins: of one file of the program, or of any (""). */
function online({ tape, begins }: Stop, name: string, line: number): boolean {
  const at = begins?.line ?? null;
  const source = tape.recording.sources[at?.source ?? -1]?.name ?? "";
  return at?.line === line && (name === "" || source === name || source.endsWith(`/${name}`));
}

/** Whether a call on a descriptor begins. */
const onfd = ({ begins }: Stop, fd: number): boolean =>
  begins?.args[0] === fd && callrow(begins.name)?.args[0] === "fd";

/** Whether a call that names a file begins, or one below it. */
function onname({ begins: c }: Stop, path: string): boolean {
  if (c === undefined) return false;
  const names = c.file === null ? namesof(c) : [...namesof(c), c.file];
  return names.some((name) => isbelow(cleanname(name, c.dot), path));
}

/** Whether the descriptor is another file, or closed, since the step before. */
function makesfd({ tape, step }: Stop, fd: number): boolean {
  for (let i = tape.event(step - 1) + 1; i <= tape.event(step); i++) {
    const e = tape.recording.events[i];
    if (e?.type === "fd" && e.fd === fd) return true;
  }
  return false;
}

/** The next step, or the one before, that one of the breakpoints stops at; -1 when there is none. */
export function nextmark(tape: Tape, marks: readonly Mark[], step: number, back = false): number {
  const found = marks
    .map((m) => (back ? tape.before(m.steps, step) : tape.after(m.steps, step)))
    .filter((s) => s >= 0);
  if (found.length === 0) return -1;
  return back ? Math.max(...found) : Math.min(...found);
}

/** The next step, or the one before, whose text has this in it, be it upper or lower case; -1: there is none. */
export function search(tape: Tape, text: string, step: number, back = false): number {
  const way = back ? -1 : 1;
  for (let s = step + way; s >= 0 && s < tape.length; s += way) if (says(tape, s, text)) return s;
  return -1;
}

/** The steps from one to before another whose text has this in it, be it upper or lower case. */
export function hitsof(tape: Tape, text: string, from: number, to: number): number[] {
  const list: number[] = [];
  for (let s = from; s < to; s++) if (says(tape, s, text)) list.push(s);
  return list;
}

function says(tape: Tape, step: number, text: string): boolean {
  tape.work++;
  const line = eventtext(tape.recording, tape.event(step));
  return line.toLowerCase().includes(text.toLowerCase());
}

/**
 * The next step of a request's way, or the one before: it is sent, its server reads it, the server writes the
 * reply, the reply is here. -1 where there is none, or where the recording does not have the server.
 */
export function follow(tape: Tape, step: number, back = false): number {
  const event = tape.event(step);
  const { index, recording: r } = tape;
  const { flights } = index;
  const e = r.events[event];
  if (ismessage(e)) {
    const f = flights.of(event);
    if (f === null) return -1;
    if (e.type === "send") return back ? -1 : first(tape, [f.taken, f.reply]);
    return back ? first(tape, [f.put, f.send]) : -1;
  }
  const [message = -1] = index.served(event);
  const f = flights.of(message);
  if (f === null) {
    // What the call sends next.
    const own = e === undefined || back ? [] : tape.callevents(e.call, r.events.length);
    return first(
      tape,
      own.filter((i) => r.events[i]?.type === "send" && tape.stepof(i) > step),
    );
  }
  const reads = r.events[message]?.type === "send";
  if (reads) return back ? first(tape, [f.send]) : first(tape, [f.put, f.reply]);
  return back ? first(tape, [f.taken, f.send]) : first(tape, [message]);
}

/** The step that shows the first of these events that there is. */
function first(tape: Tape, events: readonly number[]): number {
  const event = events.find((i) => i >= 0);
  return event === undefined ? -1 : tape.stepshowing(event);
}
