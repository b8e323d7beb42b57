// What the processes of a recording were and had, at each of its events. Of each thing the history has the values, and
// the events since which they were so. A look at one moment is then a search by halves for each thing that is shown.
// The history is made once, from what there was at the start and the events that change it.
//
// Who shares a group, or a Chan, is found by its number; the processes, descriptors and pipes of one moment
// together are step/procs.ts's.

import { search } from "../../../kernel/abi/search.ts";
import type { Grouped, Openfile } from "../../../kernel/trace.ts";
import { rank } from "./recording.ts";
import type { Recording, Revent } from "./recording.ts";

/** A process as it was at a moment. */
export type Wasproc = {
  readonly pid: number;
  /** The process that waits for it; 0 for none. */
  readonly parent: number;
  /** Its program. */
  readonly text: string;
  readonly dot: string;
  readonly groups: Grouped;
  /** "ended" while its parent has not heard of that; "gone" is no process any more. */
  readonly life: "alive" | "ended" | "gone";
  /** How it ended. */
  readonly status: string;
  /** Notes that wait for their turn, and the one that is handled. */
  readonly notes: readonly string[];
  readonly handling: string | null;
};

/** What one end of a pipe may read at a moment. */
type Wasway = {
  /** Bytes put in and taken out so far. */
  readonly put: number;
  readonly taken: number;
  /** Nothing more is put in: who reads gets what is left, then the end of the file. */
  readonly hungup: boolean;
};

/** Events are counted from here where something was there at the start. */
const START = -1;

/** The values of one thing, and the event from which on each was so. */
export class Values<T> {
  readonly #at: number[] = [];
  readonly #values: T[] = [];

  set(event: number, value: T): void {
    const last = this.#at.length - 1;
    if (this.#at[last] === event) this.#values[last] = value;
    else {
      this.#at.push(event);
      this.#values.push(value);
    }
  }

  /** The value after an event; undefined before the first. */
  at(event: number): T | undefined {
    return this.#values[rank(this.#at, event + 1) - 1];
  }

  get last(): T | undefined {
    return this.#values.at(-1);
  }
}

/** Values by a key within a group: descriptors of a table, variables of an environment. */
class Table<K, V> {
  readonly #values = new Map<K, Values<V | null>>();
  /** What is there now, as the events are read. */
  readonly #now = new Map<K, V>();

  set(event: number, key: K, value: V | null): void {
    values(this.#values, key).set(event, value);
    if (value === null) this.#now.delete(key);
    else this.#now.set(key, value);
  }

  clear(event: number): void {
    for (const key of this.#now.keys()) this.set(event, key, null);
  }

  copy(event: number, from: Table<K, V>): void {
    for (const [key, value] of from.#now) this.set(event, key, value);
  }

  at(event: number): [K, V][] {
    const list: [K, V][] = [];
    for (const [key, values] of this.#values) {
      const value = values.at(event);
      if (value !== undefined && value !== null) list.push([key, value]);
    }
    return list;
  }
}

type Pipeevent = Revent & { readonly type: "pipe" };

/** One way of a pipe: what was put in, in order, and how far it was taken out. */
class Way {
  readonly #values = new Values<Wasway>();
  readonly #puts: Pipeevent[] = [];

  take(event: number, e: Pipeevent): void {
    const { put, taken, hungup } = this.#values.last ?? { put: e.off, taken: e.off, hungup: false };
    const end = e.off + e.bytes;
    switch (e.what) {
      case "put":
        this.#puts.push(e);
        return this.#values.set(event, { put: end, taken, hungup: false });
      case "take":
        return this.#values.set(event, { put, taken: end, hungup });
      case "hangup":
        return this.#values.set(event, { put, taken, hungup: true });
      case "drop":
        return this.#values.set(event, { put, taken: put, hungup: true });
    }
  }

  at(event: number): Wasway | undefined {
    return this.#values.at(event);
  }

  /** The first of the bytes that wait after an event, as far as the recording has them. */
  bytes(event: number, most: number): Uint8Array {
    const was = this.at(event);
    const out = new Uint8Array(was === undefined ? 0 : Math.min(most, was.put - was.taken));
    let n = 0;
    for (let i = this.#first(was?.taken ?? 0); n < out.length && i < this.#puts.length; i++) {
      const e = this.#puts[i];
      if (e === undefined || was === undefined || e.off >= was.put) break;
      const skip = Math.max(0, was.taken - e.off);
      const some = e.data.subarray(skip, skip + out.length - n);
      out.set(some, n);
      n += some.length;
      // What the recorder has cut is not there to be shown, nor is what came behind it in order.
      if (e.data.length < e.bytes) break;
    }
    return out.subarray(0, n);
  }

  /** The put that the byte `off` came with. */
  #first(off: number): number {
    const puts = this.#puts;
    return search(puts.length, (i) => {
      const e = puts[i];
      return e !== undefined && e.off + e.bytes <= off;
    });
  }
}

/** How many events there are from one kept list of what is in progress to the next. */
const EVERY = 256;

/** What is in progress at each event: calls, requests. `follow` takes one event into the set of it. */
export class Progress {
  readonly #follow: (open: Set<number>, event: number) => void;
  readonly #open = new Set<number>();
  /** The set before event 0, 256, 512... */
  readonly #kept: Int32Array[] = [];
  #upto = 0;

  constructor(follow: (open: Set<number>, event: number) => void) {
    this.#follow = follow;
  }

  /** Takes in what came since; there are `events` now. */
  read(events: number): void {
    for (; this.#upto < events; this.#upto++) {
      if (this.#upto % EVERY === 0) this.#kept.push(Int32Array.from(this.#open));
      this.#follow(this.#open, this.#upto);
    }
  }

  /** What is in progress after an event, in the order it began; `looked` is told how much was looked at. */
  at(event: number, looked?: (n: number) => void): number[] {
    const from = Math.max(0, Math.min(Math.floor((event + 1) / EVERY), this.#kept.length - 1));
    const open = new Set(this.#kept[from]);
    for (let i = from * EVERY; i <= event; i++) this.#follow(open, i);
    looked?.(event + 1 - from * EVERY + open.size);
    return [...open];
  }
}

const NOGROUPS: Grouped = { pgrp: 0, fgrp: 0, egrp: 0, rgrp: 0, noteid: 0 };

/** The processes of a recording through its time. */
export class History {
  /** Whether the recording has groups, descriptors and pipes: one of version 1 has not. */
  readonly known: boolean;
  readonly #r: Recording;
  readonly #procs = new Map<number, Values<Wasproc>>();
  readonly #fds = new Map<number, Table<number, Openfile>>();
  readonly #env = new Map<number, Table<string, Uint8Array>>();
  readonly #files = new Map<number, Openfile>();
  readonly #offsets = new Map<number, Values<number>>();
  readonly #spaces = new Map<number, Values<number>>();
  /** The children of each process, as the events are read. */
  readonly #children = new Map<number, Set<number>>();
  readonly #pipes = new Map<number, readonly [Way, Way]>();
  #upto = 0;
  readonly #calls: Progress;

  constructor(r: Recording) {
    this.#r = r;
    this.known = r.start.length > 0;
    this.#calls = new Progress((open, event) => {
      const e = r.events[event];
      if (e?.type === "call") open.add(e.call);
      else if (e?.type === "return") open.delete(e.call);
    });
    for (const e of r.start) this.#take(START, e);
  }

  /** Takes in what came since. */
  read(): void {
    const { events } = this.#r;
    for (; this.#upto < events.length; this.#upto++) {
      const e = events[this.#upto];
      if (e !== undefined) this.#take(this.#upto, e);
    }
    this.#calls.read(events.length);
  }

  /** The processes after an event, and those that ended without their parent's knowing; in the order they began. */
  procs(event: number): Wasproc[] {
    const list: Wasproc[] = [];
    for (const values of this.#procs.values()) {
      const p = values.at(event);
      if (p !== undefined && p.life !== "gone") list.push(p);
    }
    return list;
  }

  /** One of them, gone or not; undefined when it has not begun. */
  proc(pid: number, event: number): Wasproc | undefined {
    return this.#procs.get(pid)?.at(event);
  }

  /** The descriptors of a group, by their numbers. */
  fds(fgrp: number, event: number): [fd: number, file: Openfile][] {
    return (this.#fds.get(fgrp)?.at(event) ?? []).sort((a, b) => a[0] - b[0]);
  }

  /** The variables of an environment, by their names. */
  env(egrp: number, event: number): [name: string, value: Uint8Array][] {
    return (this.#env.get(egrp)?.at(event) ?? []).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  /** Where the next read of a Chan begins. */
  offset(chan: number, event: number): number {
    return this.#offsets.get(chan)?.at(event) ?? 0;
  }

  /** A Chan as it was when a descriptor first was it. */
  file(chan: number): Openfile | undefined {
    return this.#files.get(chan);
  }

  /** The name space of a group, an index into the recording's; -1 when that is not known. */
  space(pgrp: number, event: number): number {
    return this.#spaces.get(pgrp)?.at(event) ?? -1;
  }

  /** The pipes that were told of up to an event. */
  *pipes(event: number): Generator<number, void, void> {
    for (const [pipe, ways] of this.#pipes)
      if (ways.some((w) => w.at(event) !== undefined)) yield pipe;
  }

  /** What an end of a pipe may read; undefined when nothing went that way yet. */
  way(pipe: number, end: 0 | 1, event: number): Wasway | undefined {
    return this.#pipes.get(pipe)?.[end].at(event);
  }

  /** The first bytes that wait there, as far as the recording has them. */
  bytes(pipe: number, end: 0 | 1, { event, most }: { event: number; most: number }): Uint8Array {
    return this.#pipes.get(pipe)?.[end].bytes(event, most) ?? new Uint8Array(0);
  }

  /** The calls in progress after an event, in the order they began. */
  calls(event: number): number[] {
    return this.#calls.at(event);
  }

  #take(event: number, e: Revent): void {
    switch (e.type) {
      case "proc":
        return this.#proc(event, e);
      case "fd":
        return this.#fd(event, e);
      case "env":
        return within(this.#env, e.egrp).set(event, e.name, e.value);
      case "pipe":
        return got(this.#pipes, e.pipe, () => [new Way(), new Way()] as const)[e.end].take(
          event,
          e,
        );
      case "mount":
        return values(this.#spaces, e.pgrp).set(event, e.space);
      case "return": {
        const chan = this.#r.calls[e.call]?.chan ?? 0;
        if (chan > 0 && e.offset >= 0) values(this.#offsets, chan).set(event, e.offset);
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #fd(event: number, { fgrp, fd, file }: Revent & { type: "fd" }): void {
    const table = within(this.#fds, fgrp);
    if (fd < 0) return table.clear(event);
    table.set(event, fd, file);
    if (file === null || this.#files.has(file.chan)) return;
    this.#files.set(file.chan, file);
    values(this.#offsets, file.chan).set(event, file.offset);
  }

  #proc(event: number, e: Revent & { type: "proc" }): void {
    const of = values(this.#procs, e.pid);
    const was = of.last ?? newproc(e.pid);
    const now = changed(was, e);
    of.set(event, now);
    if (e.what === "start" && now.parent > 0)
      got(this.#children, now.parent, () => new Set()).add(e.pid);
    if (now.life === "gone") this.#children.get(was.parent)?.delete(e.pid);
    if (e.of === undefined) {
      // Children of a process that has ended are waited for by no one.
      if (e.what === "exit") this.#orphans(event, e.pid);
      return;
    }
    const { groups, fdcopy, envcopy } = e.of;
    if (fdcopy > 0) within(this.#fds, groups.fgrp).copy(event, within(this.#fds, fdcopy));
    if (envcopy > 0) within(this.#env, groups.egrp).copy(event, within(this.#env, envcopy));
    values(this.#spaces, groups.pgrp).set(event, e.space);
  }

  #orphans(event: number, parent: number): void {
    for (const pid of this.#children.get(parent) ?? []) {
      const of = values(this.#procs, pid);
      const p = of.last;
      if (p === undefined || p.life === "gone") continue;
      const life = p.life === "ended" ? "gone" : p.life;
      of.set(event, { ...p, parent: 0, life });
    }
    this.#children.delete(parent);
  }
}

function newproc(pid: number): Wasproc {
  const nothing = { text: "", dot: "", status: "", notes: [], handling: null };
  return { pid, parent: 0, groups: NOGROUPS, life: "alive", ...nothing };
}

/** A process after one of its events. */
function changed(p: Wasproc, e: Revent & { type: "proc" }): Wasproc {
  const { text } = e;
  switch (e.what) {
    case "start":
    case "groups": {
      const { parent, groups, dot } = { ...p, ...e.of };
      const of = e.what === "start" ? parent : p.parent;
      return { ...p, text, life: "alive", groups, dot, parent: of };
    }
    case "exec":
      return { ...p, text: text.slice(text.lastIndexOf("/") + 1), notes: [] };
    case "exit": {
      const life = p.parent > 0 ? "ended" : "gone";
      return { ...p, life, status: text, notes: [], handling: null };
    }
    case "waited":
      return { ...p, life: "gone" };
    case "note":
      return { ...p, notes: [...p.notes, text] };
    case "handle":
      return { ...p, notes: p.notes.slice(1), handling: text };
    case "noted":
      return { ...p, handling: null };
    case "dot":
      return { ...p, dot: text };
  }
}

/** What a key stands for; it is made when it is asked for first. */
export function got<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let v = map.get(key);
  if (v === undefined) map.set(key, (v = make()));
  return v;
}

/** The values of the thing that a key stands for. */
export const values = <K, T>(map: Map<K, Values<T>>, key: K): Values<T> =>
  got(map, key, () => new Values());

const within = <K, V>(map: Map<number, Table<K, V>>, key: number): Table<K, V> =>
  got(map, key, () => new Table());
