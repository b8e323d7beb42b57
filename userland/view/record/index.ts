// The index over a recording: which of its events belong together. What a call did, when it returned, who answered a
// request, what travelled in one group with it, which server reads a pipe, when a connection ended. Every view asks
// here, and searches no events itself.
//
// It is made once for a recording, when the first question comes. A recording that grows is read on from where the
// last question found its end. What is known of processes (history.ts), of files (seen.ts) and of the wire
// (flight.ts) is kept here, too, so that all readers of one recording share it.
//
// An answer that is an event is its number in the recording; -1 stands for none.

import { Ekilled } from "../../../kernel/abi/errors.ts";
import { Tclunk, Tflush } from "../../../kernel/abi/fcall.ts";
import { Flights } from "./flight.ts";
import { History } from "./history.ts";
import { connin, ismessage, push, rank } from "./recording.ts";
import type { Rcall, Recording, Revent } from "./recording.ts";
import { Seen } from "./seen.ts";

/** An event with its number. */
export type Numbered = { readonly e: Revent; readonly event: number };

/** An event of a kind. */
export type Eventof<T extends Revent["type"]> = Revent & { readonly type: T };

type Send = Eventof<"send">;

/** Where bytes were taken out of a pipe. */
export type Taken = { readonly pipe: number; readonly end: 0 | 1; readonly off: number };

const NONE: readonly number[] = [];

/** The events of a recording by what they have in common. */
export class Index {
  readonly #r: Recording;
  #upto = 0;
  /** The events of each call; those of no call come first. */
  readonly #bycall: number[][] = [];
  readonly #return: number[] = [];
  /** By a request, its answers. */
  readonly #answers = new Map<number, number[]>();
  /** By words for what they share: "tag 1 5", "proc 3", "put 2 0". */
  readonly #lists = new Map<string, number[]>();
  /** By a Chan, the event at which a descriptor first was it. */
  readonly #made = new Map<number, number>();
  /** The calls that were killed since a call or a note was last seen, and the first of their returns. */
  readonly #killed = new Set<number>();
  #firstkilled = -1;
  #history: History | null = null;
  readonly #files: Seen;
  #flights: Flights | null = null;

  constructor(r: Recording) {
    this.#r = r;
    this.#files = new Seen(r);
  }

  /** Takes in what came since. */
  read(): void {
    const { events } = this.#r;
    if (this.#upto === events.length) return;
    this.#flights = null;
    for (; this.#upto < events.length; this.#upto++) {
      const e = events[this.#upto];
      if (e !== undefined) this.#take(e, this.#upto);
    }
  }

  #take(e: Revent, event: number): void {
    (this.#bycall[e.call + 1] ??= []).push(event);
    switch (e.type) {
      case "call":
        this.#goeson();
        this.#add("began", event);
        this.#add(`named ${this.#r.calls[e.call]?.name}`, e.call);
        return this.#add(`calls ${e.pid}`, e.call);
      case "return":
        if (e.call < 0) return undefined;
        this.#return[e.call] = event;
        if (this.#r.calls[e.call]?.error !== Ekilled) return undefined;
        if (this.#firstkilled < 0) this.#firstkilled = event;
        this.#killed.add(e.call);
        return undefined;
      case "receive":
        if (e.of >= 0) push(this.#answers, e.of, event);
        return this.#add(`tag ${e.conn} ${e.fcall.tag}`, event);
      case "send":
        return this.#add(`tag ${e.conn} ${e.fcall.tag}`, event);
      case "proc":
        if (e.what === "note") this.#goeson();
        return this.#add(`proc ${e.pid}`, event);
      case "fd":
        if (e.file !== null && !this.#made.has(e.file.chan)) this.#made.set(e.file.chan, event);
        return this.#add(`fd ${e.fgrp} ${e.fd}`, event);
      case "pipe":
        return this.#add(`${e.what} ${e.pipe} ${e.end}`, event);
      case "conn":
        return this.#add("conn", event);
      case "wire":
        return e.lost === undefined ? undefined : this.#add("lost", event);
      case "mount":
        return this.#add("mount", event);
      case "namec":
      case "sleep":
      case "env":
        return undefined;
    }
  }

  #goeson(): void {
    this.#firstkilled = -1;
    this.#killed.clear();
  }

  #add(key: string, n: number): void {
    push(this.#lists, key, n);
  }

  #list(key: string): readonly number[] {
    return this.#lists.get(key) ?? NONE;
  }

  /** The events of a list before (-1) or after (1) an event, the nearest first. */
  *#around(list: readonly number[], event: number, way: 1 | -1): Generator<Numbered, void, void> {
    for (let at = way < 0 ? rank(list, event) - 1 : rank(list, event + 1); ; at += way) {
      const i = list[at] ?? -1;
      const e = this.#r.events[i];
      if (e === undefined) return;
      yield { e, event: i };
    }
  }

  /** The last event of a list, by an event, that pleases. */
  #last(key: string, event: number, good: (e: Revent) => boolean): number {
    for (const x of this.#around(this.#list(key), event + 1, -1)) if (good(x.e)) return x.event;
    return -1;
  }

  // Calls.

  /** The events of a call (-1: of none) up to one of them and with it, in order. */
  callevents(call: number, upto: number = Infinity): readonly number[] {
    const list = this.#bycall[call + 1] ?? NONE;
    return upto === Infinity ? list : list.slice(0, rank(list, upto + 1));
  }

  /** The event of a call's return. */
  returnof(call: number): number {
    return this.#return[call] ?? -1;
  }

  /** What happened in a call up to its return and with it, or up to another event, in order. */
  during({ id }: Rcall, upto: number = this.#return[id] ?? Infinity): Numbered[] {
    return [...this.#around(this.callevents(id, upto), -1, 1)];
  }

  /** The other events of the same call, before (-1) or after (1) one, the nearest first. */
  near(event: number, way: 1 | -1): Iterable<Numbered> {
    return this.#around(this.callevents(this.#r.events[event]?.call ?? -1), event, way);
  }

  #calls(ids: readonly number[]): Rcall[] {
    return ids.map((id) => this.#r.calls[id]).filter((c) => c !== undefined);
  }

  /** The calls of a process, in the order they began. */
  callsof(pid: number): Rcall[] {
    return this.#calls(this.#list(`calls ${pid}`));
  }

  /** The calls of these names, in the order they began. */
  named(...names: readonly string[]): Rcall[] {
    const ids = names.flatMap((name) => this.#list(`named ${name}`));
    return this.#calls(ids.sort((a, b) => a - b));
  }

  /** The calls that ran at one event or until another, in the order they began. */
  running(from: number, to: number): Rcall[] {
    const list = this.#list("began");
    const began = list.slice(rank(list, from), rank(list, to + 1));
    const ids = began.map((i) => this.#r.events[i]?.call ?? -1);
    return this.#calls([...this.history.calls(from - 1), ...ids]);
  }

  /** The call that began last by an event: of a process, or of any (0). */
  lastbegun(pid: number, event: number): Rcall | undefined {
    const at = this.#last("began", event, (e) => pid === 0 || e.pid === pid);
    return this.#r.calls[this.#r.events[at]?.call ?? -1];
  }

  /**
   * The last event at which a call that never came to its end still waited; -1 for a call that did. Where nothing
   * can run any more the host ends the run, and then all that waits is killed: no call begins after that.
   */
  stuckat({ id, ended }: Rcall): number {
    if (ended !== null && !this.#killed.has(id)) return -1;
    return (this.#firstkilled < 0 ? this.#r.events.length : this.#firstkilled) - 1;
  }

  // Messages.

  /** The answers to a request, in order: several to a Tstream. */
  answers(request: number): readonly number[] {
    return this.#answers.get(request) ?? NONE;
  }

  /** The request that an answer is to; null where the recording has none. */
  request({ of }: Eventof<"receive">): Send | null {
    const e = this.#r.events[of];
    return e?.type === "send" ? e : null;
  }

  /** The requests of a call that wait for an answer after an event. No call waits for that of a Tclunk. */
  waiting(call: number, event: number = Infinity): readonly number[] {
    return this.callevents(call, event).filter((i) => {
      const e = this.#r.events[i];
      if (e?.type !== "send" || e.fcall.type === Tclunk) return false;
      const [first] = this.answers(i);
      return first === undefined || first > event;
    });
  }

  /** The connection of a message: before a version is agreed on it is the one that its call makes. */
  connof(e: Revent & { readonly conn: number }): number {
    if (e.conn > 0 || e.call < 0) return e.conn;
    for (const i of this.callevents(e.call)) {
      const x = this.#r.events[i];
      if (x?.type === "conn" && x.what === "open") return x.conn;
    }
    return 0;
  }

  /** The messages before (-1) or after (1) one on its tag, the nearest first. */
  tagged(event: number, way: 1 | -1): Iterable<Numbered> {
    const e = this.#r.events[event];
    return this.#around(
      ismessage(e) ? this.#list(`tag ${e.conn} ${e.fcall.tag}`) : NONE,
      event,
      way,
    );
  }

  /** The requests of one group with a request: on its tag, by its call, and no answer between. */
  group(event: number): { readonly before: readonly Send[]; readonly after: readonly Send[] } {
    const call = this.#r.events[event]?.call ?? -1;
    const turns = [this.#r.calls[call]?.first ?? -1, this.returnof(call)];
    const side = (way: 1 | -1): Send[] => {
      const list: Send[] = [];
      for (const { e, event: i } of this.tagged(event, way)) {
        if (e.type !== "send" || turns.some((turn) => (turn - event) * (turn - i) < 0)) break;
        list.push(e);
      }
      return list;
    };
    return { before: side(-1).toReversed(), after: side(1) };
  }

  /** The request that a Tflush takes back. */
  flushed(event: number): Send | null {
    const t = this.#r.events[event];
    if (t?.type !== "send" || t.fcall.type !== Tflush) return null;
    const key = `tag ${t.conn} ${t.fcall.oldtag}`;
    const e = this.#r.events[this.#last(key, event, (x) => x.type === "send")];
    return e?.type === "send" ? e : null;
  }

  /** The pieces that were lost on the way of a connection and sent again, from one event on and before another. */
  lost(conn: number, from: number, to: number): readonly Eventof<"wire">[] {
    const wire = connin(this.#r, conn)?.wire ?? null;
    return this.#list("lost").flatMap((i) => {
      const e = this.#r.events[i];
      return i >= from && i < to && e?.type === "wire" && e.wire === wire ? [e] : [];
    });
  }

  // Connections and pipes.

  /** The event at which a connection, or any (0), had ended by an event. */
  ended(conn: number, event: number): number {
    return this.#last(
      "conn",
      event,
      (e) => e.type === "conn" && e.what !== "open" && (conn === 0 || e.conn === conn),
    );
  }

  /** Whether the server of a connection, or the link to it, has gone by an event. */
  hungup(conn: number, event: number): boolean {
    const is = (e: Revent | undefined, what: "hangup" | "close"): boolean =>
      e?.type === "conn" && e.conn === conn && e.what === what;
    const at = this.#last("conn", Infinity, (e) => is(e, "hangup"));
    // Closed by its last user, and not by the other end.
    return at >= 0 && at <= event && !is(this.#r.events[at + 1], "close");
  }

  /** The process that reads from an end of a pipe; 0 where none of the recording does. */
  reader(pipe: number, end: 0 | 1): number {
    return this.#r.events[this.#list(`take ${pipe} ${end}`)[0] ?? -1]?.pid ?? 0;
  }

  /** The event at which the bytes that were taken out of a pipe by an event had been put in. */
  putat({ pipe, end, off }: Taken, event: number): number {
    return this.#last(`put ${pipe} ${end}`, event, (e) => e.type === "pipe" && e.off <= off);
  }

  /** The event at which a descriptor of a table was made or closed last, by an event. */
  fdset(fgrp: number, fd: number, event: number): number {
    return this.#last(`fd ${fgrp} ${fd}`, event, () => true);
  }

  /** The event at which a descriptor first was a Chan. */
  made(chan: number): number {
    return this.#made.get(chan) ?? -1;
  }

  // Processes and name spaces.

  /** What became of a process, from an event on: its notes, its end. */
  procevents(pid: number, from: number): Iterable<Numbered> {
    return this.#around(this.#list(`proc ${pid}`), from - 1, 1);
  }

  /** The binds, mounts and unmounts up to an event, the last first. */
  mounts(event: number): Iterable<Numbered> {
    return this.#around(this.#list("mount"), event + 1, -1);
  }

  /** What the processes were and had. */
  get history(): History {
    this.#history ??= new History(this.#r);
    this.#history.read();
    return this.#history;
  }

  /** What was shown of files, and what fids stand for. */
  get files(): Seen {
    this.#files.read();
    return this.#files;
  }

  /** Where the messages were. A recording that has grown gets new ones. */
  get flights(): Flights {
    return (this.#flights ??= new Flights(this.#r, this));
  }

  /** The 9P messages that a server's call has read or written, when it returns: their events. */
  served(event: number): readonly number[] {
    const e = this.#r.events[event];
    if (e?.type !== "return") return NONE;
    return this.callevents(e.call, event).flatMap((i) => this.flights.carried(i));
  }
}

const indexes: WeakMap<Recording, Index> = new WeakMap();

/** The index of a recording, which has read all that has come so far. */
export function indexof(r: Recording): Index {
  let index = indexes.get(r);
  if (index === undefined) indexes.set(r, (index = new Index(r)));
  index.read();
  return index;
}
