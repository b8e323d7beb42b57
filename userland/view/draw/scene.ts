// The scene of a step: all that its space-time diagram shows, as data. diagram.ts draws it as SVG, axis.ts as text.
//
// The machine and the servers are lifelines. The messages around the current call are arrows between them, the system
// calls are bars, and a moment is a time at which any of these begins or ends.
//
// A scene is bounded, however long the recording is. Messages that leave and arrive together are one arrow. Many of the
// same message, one after the other, are one arrow, too. Of the rest only those nearest to the step are shown; `earlier`
// and `later` count the others.
//
// The words of a scene are here, too: the labels of arrows, short and in full, the names of moments, and the scene as
// sentences for readers who do not see it.

import type { Rcall, Recording } from "../record/recording.ts";
import { ismessage, push, rank } from "../record/recording.ts";
import { indexof } from "../record/index.ts";
import type { Index } from "../record/index.ts";
import { connname } from "../words/who.ts";
import { msgfmt } from "../words/eventtext.ts";
import { plural } from "../words/text.ts";

/** Messages that are looked at on either side of the step, arrows that are shown, bars, lifelines. */
const LOOK = 120;
const ARROWS = 36;
const BARS = 24;
const SERVERS = 5;
/** Messages before and after the call among which those are looked for that were on their way in it. */
const NEAR = 64;

/**
 * A server, or the machine itself, which comes first. `away` is how long the shortest way of a message to it or
 * from it was, in nanoseconds; null where nothing says it.
 */
export type Lifeline = {
  readonly name: string;
  readonly conns: readonly number[];
  readonly away: number | null;
};

/** When what an arrow stands for was where; null where nothing says it. */
type Journey = { readonly left: number | null; readonly arrived: number | null };

/** Messages that travel together. */
export type Arrow = {
  readonly way: "out" | "in";
  /** The server, by its place in `lifelines`. */
  readonly server: number;
  /** The events, in order. */
  readonly events: readonly number[];
  readonly first: Journey;
  /** Of the last, which differs where a run of messages is shown as one. */
  readonly last: Journey;
};

/** A system call: its place among those that run at the same time. */
export type Bar = { readonly call: Rcall; readonly returned: number; readonly lane: number };

/** A time at which something begins or ends, and the arrows that then leave the machine or come to it. */
export type Moment = { readonly time: number; readonly arrows: readonly number[] };

export type Scene = {
  readonly recording: Recording;
  /** The event that is the present. */
  readonly event: number;
  readonly now: number;
  /** The call that it belongs to; where it is of none, the last before it of its process. */
  readonly call: Rcall | null;
  /** The event is no part of that call: it is of none, and comes after it. */
  readonly after: boolean;
  /** What times are shown relative to. */
  readonly origin: number;
  readonly lifelines: readonly Lifeline[];
  readonly arrows: readonly Arrow[];
  readonly bars: readonly Bar[];
  readonly moments: readonly Moment[];
  /** Messages of the call that are not shown. */
  readonly earlier: number;
  readonly later: number;
};

/** What is shown of a list, and how many messages the rest is. */
type Some<T> = { readonly list: readonly T[]; readonly earlier: number; readonly later: number };

/** The scenes of a recording. Tables are made once; a scene takes time for what it shows. */
export class Scenes {
  readonly recording: Recording;
  readonly #index: Index;
  readonly #messages: Int32Array;
  readonly #servers: readonly Lifeline[];

  constructor(r: Recording) {
    this.recording = r;
    this.#index = indexof(r);
    this.#messages = Int32Array.from(r.events.keys()).filter((i) => ismessage(r.events[i]));
    // How long the shortest way of a message over each connection was.
    const away = new Map<number, number>();
    for (const i of this.#messages) {
      const { left, arrived } = this.#journey(i);
      const conn = this.#conn(i);
      if (left !== null && arrived !== null)
        away.set(conn, Math.min(away.get(conn) ?? Infinity, arrived - left));
    }
    this.#servers = serversof(r).map((s) => {
      const times = s.conns.flatMap((c) => away.get(c) ?? []);
      return { ...s, away: times.length === 0 ? null : Math.min(...times) };
    });
  }

  /**
   * What there is to see when this event has just happened. Of a server's read or write of a message, `served` is the
   * call that the message is of: that one is shown.
   */
  at(event: number, served = -1): Scene {
    const r = this.recording;
    const call = r.calls[served] ?? this.#callat(event);
    const { list, earlier, later } = this.#near(event, call);
    const own = r.events[event]?.call === call?.id;
    const lifelines = this.#lifelines(list);
    const arrows = this.#arrows(list, lifelines);
    const shown = around(arrows, event);
    const [from, to] = [call?.first ?? 0, call === null ? event : this.#return(call)];
    // Where the call begins and ends, as far as that is recorded.
    const ends = [from, Math.min(to, r.events.length - 1)].flatMap((i) => r.events[i]?.at ?? []);
    const now = r.events[event]?.at ?? call?.began ?? 0;
    const origin = call?.began ?? now;
    return {
      recording: r,
      event,
      now,
      call,
      after: call !== null && !own && event > to,
      origin,
      lifelines,
      arrows: shown.list,
      bars: this.#bars(from, to, call),
      // What left before the call began has no row of its own: it is on its way at 0.
      moments: momentsof(shown.list, [now, ...ends]).filter((m) => m.time >= origin),
      earlier: earlier + shown.earlier,
      later: later + shown.later,
    };
  }

  /** When a message was on the wire. */
  #journey(i: number): Journey {
    const { flights } = this.#index;
    return { left: flights.left(i), arrived: flights.arrived(i) };
  }

  /** The connection of a message. */
  #conn(event: number): number {
    const e = this.recording.events[event];
    return ismessage(e) ? this.#index.connof(e) : 0;
  }

  /** The event with which a call returned; past the last when it has not. */
  #return(call: Rcall): number {
    const back = this.#index.returnof(call.id);
    return back < 0 ? this.recording.events.length : back;
  }

  /** The call of an event, also of one that comes when it has returned; else the last of the same process, or of any. */
  #callat(event: number): Rcall | null {
    const { events, calls } = this.recording;
    const e = events[event];
    const last = (pid: number): Rcall | undefined => this.#index.lastbegun(pid, event);
    return calls[e?.call ?? -1] ?? last(e?.pid ?? 0) ?? last(0) ?? null;
  }

  /** The messages to show: those in the call's time, its own that come later, and those on their way in it. */
  #near(event: number, call: Rcall | null): Some<number> {
    const m = this.#messages;
    if (call === null) return { list: [], earlier: 0, later: 0 };
    const [low, high] = [rank(m, call.first), rank(m, this.#return(call) + 1)];
    const now = rank(m, event + 1);
    const here = Math.min(now, high);
    const [from, to] = [Math.max(low, here - LOOK), Math.min(high, here + LOOK)];
    const list = [...m.subarray(from, to)];
    if (from === low)
      list.unshift(...m.subarray(Math.max(0, low - NEAR), low).filter((i) => this.#on(i, call)));
    if (to === high) list.push(...m.subarray(high, high + NEAR).filter((i) => this.#on(i, call)));
    // Of an event that comes after the call: what is of the same call as it, or of none as it is.
    const of = this.recording.events[event]?.call;
    const behind = m.subarray(Math.max(high, now - NEAR), Math.max(high, now));
    const more = behind.filter((i) => this.recording.events[i]?.call === of && !list.includes(i));
    return {
      list: [...list, ...more].sort((a, b) => a - b),
      earlier: from - low,
      later: high - to,
    };
  }

  /** Whether a message outside a call is the call's, or was on its way in the call's time. */
  #on(i: number, call: Rcall): boolean {
    if (this.recording.events[i]?.call === call.id) return true;
    const { left, arrived } = this.#journey(i);
    if (left === null || arrived === null) return false;
    return left < (call.ended ?? Infinity) && arrived > call.began;
  }

  #lifelines(list: readonly number[]): Lifeline[] {
    const machine = { name: this.recording.about.machine, conns: [], away: 0 };
    if (this.#servers.length <= SERVERS) return [machine, ...this.#servers];
    const used = new Set(list.map((i) => this.#conn(i)));
    const some = this.#servers.filter((s) => s.conns.some((c) => used.has(c)));
    return [machine, ...some.slice(0, SERVERS)];
  }

  #arrows(list: readonly number[], lifelines: readonly Lifeline[]): Arrow[] {
    const server = new Map(lifelines.flatMap((l, i) => l.conns.map((c) => [c, i] as const)));
    const arrows: Arrow[] = [];
    const together = new Map<string, number>();
    for (const i of list) {
      const to = server.get(this.#conn(i));
      if (to === undefined) continue;
      const way = this.recording.events[i]?.type === "send" ? "out" : "in";
      const first = this.#journey(i);
      const key = `${way} ${to} ${first.left} ${first.arrived}`;
      const at = together.get(key) ?? -1;
      const other = arrows[at];
      // Of two whose journey is unknown only neighbours are known to go together.
      const known = first.left !== null && first.arrived !== null;
      if (other === undefined || !(known || at === arrows.length - 1))
        together.set(key, arrows.push({ way, server: to, events: [i], first, last: first }) - 1);
      else arrows[at] = { ...other, events: [...other.events, i] };
    }
    return arrows.length <= ARROWS ? arrows : runs(this.recording, arrows);
  }

  /** The calls that ran between two events, the current one first, each in a lane of its own. */
  #bars(from: number, to: number, current: Rcall | null): Bar[] {
    const nearest = this.#index
      .running(from, to)
      .filter((c) => c !== current)
      .toSorted((a, b) => Math.abs(a.first - from) - Math.abs(b.first - from))
      .slice(0, BARS - 1)
      .toSorted((a, b) => a.first - b.first);
    const lanes: number[] = [];
    return [...(current === null ? [] : [current]), ...nearest].map((call) => {
      const returned = this.#return(call);
      const free = lanes.findIndex((end) => end < call.first);
      const lane = free >= 0 ? free : lanes.length;
      lanes[lane] = returned;
      return { call, returned, lane };
    });
  }
}

/** A lifeline for each server: connections to one address share it, and those to one process of this machine. */
function serversof(r: Recording): Omit<Lifeline, "away">[] {
  const lines = new Map<string, number[]>();
  for (const c of r.conns) push(lines, c.peer ?? connname(r, c.conn), c.conn);
  const hosts = [...lines.keys()].map((name) => name.replace(/!.*/, ""));
  return [...lines].map(([name, conns], i) => {
    const host = hosts[i] ?? name;
    return { name: hosts.filter((h) => h === host).length > 1 ? name : host, conns };
  });
}

/** The same with runs of one message, the same way and with nothing between, as one arrow each. */
function runs(r: Recording, arrows: readonly Arrow[]): Arrow[] {
  const list: Arrow[] = [];
  const lasts = new Map<number, number>();
  for (const a of arrows) {
    const at = lasts.get(a.server) ?? -1;
    const before = list[at];
    if (before?.way === a.way && kind(r, before) === kind(r, a))
      list[at] = { ...before, events: [...before.events, ...a.events], last: a.last };
    else lasts.set(a.server, list.push(a) - 1);
  }
  return list;
}

/** The type of the messages of an arrow; -1 when there are several. */
function kind(r: Recording, a: Arrow): number {
  const messages = a.events.map((i) => r.events[i]).filter(ismessage);
  const [first = -1, ...others] = new Set<number>(messages.map((e) => e.fcall.type));
  return others.length === 0 ? first : -1;
}

/** Those of the arrows that are nearest to an event. */
function around(arrows: readonly Arrow[], event: number): Some<Arrow> {
  const here = arrows.findIndex((a) => (a.events.at(-1) ?? 0) >= event);
  const middle = here < 0 ? arrows.length : here;
  const from = Math.max(0, Math.min(middle - ARROWS / 2, arrows.length - ARROWS));
  const count = (list: readonly Arrow[]): number => list.reduce((n, a) => n + a.events.length, 0);
  return {
    list: arrows.slice(from, from + ARROWS),
    earlier: count(arrows.slice(0, from)),
    later: count(arrows.slice(from + ARROWS)),
  };
}

function momentsof(arrows: readonly Arrow[], others: readonly number[]): Moment[] {
  const at = new Map<number, number[]>(others.map((t) => [t, []]));
  for (const { first, last } of arrows)
    for (const t of [first.left, first.arrived, last.left, last.arrived])
      if (t !== null && !at.has(t)) at.set(t, []);
  for (const [i, { way, first }] of arrows.entries())
    at.get((way === "out" ? first.left : first.arrived) ?? Number.NaN)?.push(i);
  return [...at]
    .map(([time, list]) => ({ time, arrows: list }))
    .toSorted((a, b) => a.time - b.time);
}

/** How many sentences a scene has at most. */
const SENTENCES = 24;

const UNITS = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
] as const;

/** A time exactly, in the largest unit that it has one of: 25 ms, 1.5 µs, 75.000001 ms. */
export function exactly(ns: number): string {
  for (const [unit, name] of UNITS)
    if (Math.abs(ns) >= unit) return `${Number((ns / unit).toFixed(9))} ${name}`;
  return ns === 0 ? "0" : `${ns} ns`;
}

/** The messages of an arrow that have happened by the scene's event; of those on their way to us none has. */
export function happened(s: Scene, a: Arrow): readonly number[] {
  return a.events.filter((i) => i <= s.event);
}

/** The same where that is longer than so many letters: of several messages the first, and how many more there are. */
export function shortlabel(s: Scene, events: readonly number[], room: number): string {
  const whole = label(s, events);
  const [first = ""] = whole.split(" ", 1);
  return whole.length <= room || events.length === 1
    ? whole
    : `${first} and ${events.length - 1} more`;
}

/** What stands on an arrow: one message shortly, several by their names. "Twalk Topen", "Tread ×16" */
export function label(s: Scene, events: readonly number[]): string {
  const [only] = texts(s, events);
  if (events.length === 1) return only ?? "";
  const names: { name: string; n: number }[] = [];
  for (const text of texts(s, events)) {
    const name = text.startsWith("Rerror") ? text : (text.split(" ", 1)[0] ?? "");
    const last = names.at(-1);
    if (last?.name === name) last.n++;
    else names.push({ name, n: 1 });
  }
  return names.map(({ name, n }) => (n === 1 ? name : `${name} ×${n}`)).join(" ");
}

function texts(s: Scene, events: readonly number[]): string[] {
  return events.map((i) => {
    const e = s.recording.events[i];
    return ismessage(e) ? msgfmt(e.fcall, e.bytes) : "";
  });
}

/** Whether a server says no in these messages. */
export function refuses(s: Scene, events: readonly number[]): boolean {
  return texts(s, events).some((text) => text.startsWith("Rerror"));
}

/** Whether an arrow is of the scene's call; the others were on their way at the same time. */
export function isown(s: Scene, a: Arrow): boolean {
  const id = s.call?.id;
  return id !== undefined && a.events.some((i) => s.recording.events[i]?.call === id);
}

/** How far an arrow is at the present. */
export type State = "absent" | "inflight" | "there";

/** Whether an arrow is to be seen at the present, and whether it has arrived. */
export function stateof(s: Scene, a: Arrow): State {
  const seen = happened(s, a).length > 0;
  const { left } = a.first;
  if (a.way === "in") {
    // The kernel may still be reading the rest of what came together.
    if (seen && (a.last.arrived ?? s.now) <= s.now) return "there";
    return seen || (left !== null && left < s.now) ? "inflight" : "absent";
  }
  if (!seen) return "absent";
  const { arrived } = a.last;
  return arrived === null || arrived <= s.now ? "there" : "inflight";
}

/** An arrow in a sentence: "at 0: Twalk 1 → 3 a/b to far, there at 25 ms (of another call)". */
export function sentence(s: Scene, a: Arrow): string {
  const server = s.lifelines[a.server]?.name ?? "the server";
  const at = (t: number | null): string =>
    t === null
      ? "at ?"
      : t < s.origin
        ? `${exactly(s.origin - t)} before the call`
        : `at ${exactly(t - s.origin)}`;
  const is = stateof(s, a) === "there";
  const [from, to] = [a.first.left, a.last.arrived];
  const words = long(s, happened(s, a));
  const other = isown(s, a) ? "" : " (of another call)";
  if (a.way === "out") {
    const there = to === null ? "" : is ? `, there ${at(to)}` : ", on its way";
    return `${at(from)}: ${words} to ${server}${there}${other}`;
  }
  const left = from === null ? "" : `, left ${at(from)}`;
  return is
    ? `${at(to)}: ${words} from ${server}${left}${other}`
    : `on its way from ${server}: a reply${left}${other}`;
}

function long(s: Scene, events: readonly number[]): string {
  return events.length > 4 ? label(s, events) : texts(s, events).join(", ");
}

/** What is to be seen, a sentence for each arrow: what a picture has to say in words. */
export function sentences(s: Scene): string[] {
  const list = s.arrows.filter((a) => stateof(s, a) !== "absent").map((a) => sentence(s, a));
  const some = list.slice(-SENTENCES);
  const before = s.earlier + (list.length - some.length);
  return before === 0 ? some : [`before that ${plural(before, "message")}`, ...some];
}

/** What the scene shows, as a title. */
export function heading(s: Scene): string {
  if (s.call === null) return "Messages: nothing has been called yet";
  const { text, ended, began } = s.call;
  if (s.after) return `after ${text}`;
  const returned = s.bars.find((b) => b.call === s.call)?.returned ?? s.event;
  return ended !== null && returned <= s.event
    ? `${text}: ${exactly(ended - began)}`
    : `${text}: ${exactly(s.now - began)} so far`;
}
