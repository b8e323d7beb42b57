// Where to stop: breakpoints on a call, a file's name, a message or a server, and text to search for.
// What a breakpoint stops at is found once for a tape; moving to the next is then a search by halves.
//
//	stat	calls of stat	/n/far/a	calls on /n/far/a or what is below it, by name or descriptor
//	Tread	requests to read	far!564	messages to and from this server

import { MESSAGES } from "../../../kernel/abi/fcallfmt.ts";
import { eventtext } from "../words/eventtext.ts";
import { cleanname, namesof } from "../step/look.ts";
import { ismessage } from "./recording.ts";
import type { Recording, Revent } from "./recording.ts";
import type { Tape } from "./tape.ts";
import { connname } from "../words/who.ts";

/** A breakpoint: as it was typed, what it is about, and the steps that it stops at. */
export type Mark = {
  readonly text: string;
  readonly on: "call" | "name" | "message" | "server";
  readonly steps: Int32Array;
};

/** Whether a step fits: its event, and the call that begins there, if one does. */
type Fits = (r: Recording, e: Revent, begins: number) => boolean;

/** A breakpoint for a tape; null when the text is none. */
export function markof(tape: Tape, text: string): Mark | null {
  const on = kindof(text);
  if (on === null) return null;
  const fits = FITS[on](text);
  const { recording: r, steps } = tape;
  const list = Int32Array.from(steps.keys()).filter((s) => {
    const e = r.events[steps[s] ?? -1];
    return e !== undefined && fits(r, e, tape.beginsat(s));
  });
  tape.work += steps.length;
  return { text, on, steps: list };
}

function kindof(text: string): Mark["on"] | null {
  if (/^[/#]/.test(text)) return "name";
  if (text.includes("!")) return "server";
  if (/^[TR][a-z]+$/.test(text)) return MESSAGES.has(text) ? "message" : null;
  return /^[a-z]+$/.test(text) ? "call" : null;
}

const FITS: Readonly<Record<Mark["on"], (text: string) => Fits>> = {
  call: (text) => (r, _e, begins) => r.calls[begins]?.name === text,
  name: (text) => {
    const path = cleanname(text, "/");
    return (r, _e, begins) => isnamed(r, begins, path);
  },
  message: (text) => (_r, e) => ismessage(e) && e.fcall.type === MESSAGES.get(text),
  server: (text) => (r, e) => ismessage(e) && connname(r, e.conn) === text,
};

/** Whether a call names the file, or one below it. */
function isnamed(r: Recording, id: number, path: string): boolean {
  const call = r.calls[id];
  if (call === undefined) return false;
  const names = call.file === null ? namesof(call) : [...namesof(call), call.file];
  return names.some((name) => {
    const clean = cleanname(name, call.dot);
    return clean === path || clean.startsWith(path === "/" ? path : `${path}/`);
  });
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
  const wanted = text.toLowerCase();
  const way = back ? -1 : 1;
  for (let s = step + way; s >= 0 && s < tape.length; s += way) {
    tape.work++;
    if (eventtext(tape.recording, tape.event(s)).toLowerCase().includes(wanted)) return s;
  }
  return -1;
}

/** The steps from one to before another whose text has this in it, be it upper or lower case. */
export function hitsof(tape: Tape, text: string, from: number, to: number): number[] {
  const wanted = text.toLowerCase();
  const list: number[] = [];
  for (let s = from; s < to; s++)
    if (eventtext(tape.recording, tape.event(s)).toLowerCase().includes(wanted)) list.push(s);
  tape.work += to - from;
  return list;
}
