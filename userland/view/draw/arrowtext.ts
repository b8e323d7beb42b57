// The words of a scene: what stands on an arrow, what it says in full, what a moment is called, and the
// scene as sentences for those who do not see it. Pure.

import { msgfmt } from "../words/msgfmt.ts";
import type { Arrow, Scene } from "./scene.ts";
import { plural } from "../words/stepfmt.ts";
import { ismessage } from "../record/recording.ts";

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
  return `${journey(s, a)}${isown(s, a) ? "" : " (of another call)"}`;
}

function journey(s: Scene, a: Arrow): string {
  const server = s.lifelines[a.server]?.name ?? "the server";
  const at = (t: number | null): string =>
    t === null
      ? "at ?"
      : t < s.origin
        ? `${exactly(s.origin - t)} before the call`
        : `at ${exactly(t - s.origin)}`;
  const state = stateof(s, a);
  const shown = happened(s, a);
  const [from, to] = [a.first.left, a.last.arrived];
  if (a.way === "in") {
    const left = from === null ? "" : `, left ${at(from)}`;
    return state === "there"
      ? `${at(to)}: ${long(s, shown)} from ${server}${left}`
      : `on its way from ${server}: a reply${left}`;
  }
  const there = to === null ? "" : state === "there" ? `, there ${at(to)}` : ", on its way";
  return `${at(from)}: ${long(s, shown)} to ${server}${there}`;
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
