// Where to go in a tape: breakpoints, text to search for, and the way of a request to its server and back.
// What a breakpoint stops at is found once for a tape; moving to the next is then a search by halves.
//
//	stat	calls of stat	/n/far/a	calls on /n/far/a or what is below it, by name or descriptor
//	Tread	requests to read	far!564	messages to and from this server
//	hello.ts:12	calls of this line; :12 where one file is known
//	pid 3	steps of process 3	fd 3	calls on descriptor 3, and those that make it another file

import { callrow } from "../../../kernel/abi/calls.ts";
import { MESSAGES } from "../../../kernel/abi/fcallfmt.ts";
import { eventtext } from "../words/eventtext.ts";
import { cleanname, namesof } from "./look.ts";
import { ismessage } from "../record/recording.ts";
import type { Rcall, Revent } from "../record/recording.ts";
import type { Tape } from "../record/tape.ts";
import { connname } from "../words/who.ts";

/** A breakpoint: as it was typed, what it is about, and the steps that it stops at. */
export type Mark = {
  readonly text: string;
  readonly on: "call" | "name" | "message" | "server" | "line" | "process" | "descriptor";
  readonly steps: Int32Array;
};

/** A step: its event, the call that begins there, if one does, and the tape. */
type Stop = {
  readonly tape: Tape;
  readonly step: number;
  readonly e: Revent;
  readonly begins: Rcall | undefined;
};

type Fits = (s: Stop) => boolean;

/** A breakpoint for a tape; null when the text is none. */
export function markof(tape: Tape, text: string): Mark | null {
  const on = kindof(text);
  if (on === null) return null;
  const fits = FITS[on](text, tape);
  const { recording: r, steps } = tape;
  const list = Int32Array.from(steps.keys()).filter((step) => {
    const e = r.events[steps[step] ?? -1];
    return e !== undefined && fits({ tape, step, e, begins: r.calls[tape.beginsat(step)] });
  });
  tape.work += steps.length;
  return { text, on, steps: list };
}

function kindof(text: string): Mark["on"] | null {
  if (LINE.test(text)) return "line";
  if (PROCESS.test(text)) return "process";
  if (DESCRIPTOR.test(text)) return "descriptor";
  if (/^[/#]/.test(text)) return "name";
  if (text.includes("!")) return "server";
  if (/^[TR][a-z]+$/.test(text)) return MESSAGES.has(text) ? "message" : null;
  return /^[a-z]+$/.test(text) ? "call" : null;
}

const LINE = /^([^\s!]*):(\d+)$/;
const PROCESS = /^pid (\d+)$/;
const DESCRIPTOR = /^fd (\d+)$/;

/** A number that a breakpoint names. */
const numberin = (text: string, of: RegExp, group = 1): number => Number(of.exec(text)?.[group]);

const FITS: Readonly<Record<Mark["on"], (text: string, tape: Tape) => Fits>> = {
  call:
    (text) =>
    ({ begins }) =>
      begins?.name === text,
  name: (text) => {
    const path = cleanname(text, "/");
    return ({ begins }) => begins !== undefined && isnamed(begins, path);
  },
  message:
    (text) =>
    ({ e }) =>
      ismessage(e) && e.fcall.type === MESSAGES.get(text),
  server:
    (text) =>
    ({ e, tape }) =>
      ismessage(e) && connname(tape.recording, e.conn) === text,
  line: (text, tape) => {
    const [, name = ""] = LINE.exec(text) ?? [];
    const line = numberin(text, LINE, 2);
    const sources = new Set<number>();
    for (const [i, s] of tape.recording.sources.entries())
      if (name === "" || s.name === name || s.name.endsWith(`/${name}`)) sources.add(i);
    return ({ begins }) => begins?.line?.line === line && sources.has(begins.line?.source ?? -1);
  },
  process: (text) => {
    const pid = numberin(text, PROCESS);
    return ({ e }) => e.pid === pid;
  },
  descriptor: (text) => {
    const fd = numberin(text, DESCRIPTOR);
    return (s) =>
      (s.begins !== undefined && s.begins.args[0] === fd && onfd(s.begins)) || makesfd(s, fd);
  },
};

/** Whether the first argument of a call is a descriptor. */
const onfd = (call: Rcall): boolean => callrow(call.name)?.args[0] === "fd";

/** Whether the descriptor is another file, or closed, since the step before. */
function makesfd({ tape, step }: Stop, fd: number): boolean {
  for (let i = tape.event(step - 1) + 1; i <= tape.event(step); i++) {
    const e = tape.recording.events[i];
    if (e?.type === "fd" && e.fd === fd) return true;
  }
  return false;
}

/** Whether a call names the file, or one below it. */
function isnamed(call: Rcall, path: string): boolean {
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

/**
 * The next step of a request's way, or the one before: it is sent, its server reads it, the server writes the
 * reply, the reply is here. -1 where there is none, or where the recording does not have the server.
 */
export function follow(tape: Tape, step: number, back = false): number {
  const event = tape.event(step);
  const { flights, recording: r } = tape;
  const e = r.events[event];
  if (e?.type === "send" || e?.type === "receive") {
    const f = flights.of(event);
    if (f === null) return -1;
    if (e.type === "send") return back ? -1 : first(tape, [f.taken, f.reply]);
    return back ? first(tape, [f.put, f.send]) : -1;
  }
  const served = tape.served(event);
  const [message = -1] = served;
  const f = flights.of(message);
  if (f === null) return e === undefined || back ? -1 : tape.after(sends(tape, e.call), step);
  const reads = r.events[message]?.type === "send";
  if (reads) return back ? first(tape, [f.send]) : first(tape, [f.put, f.reply]);
  return back ? first(tape, [f.taken, f.send]) : first(tape, [message]);
}

/** The step that shows the first of these events that there is. */
function first(tape: Tape, events: readonly number[]): number {
  const event = events.find((i) => i >= 0);
  return event === undefined ? -1 : tape.stepshowing(event);
}

/** The steps at which a call sends. */
function sends(tape: Tape, call: number): Int32Array {
  const { events } = tape.recording;
  const list = tape.callevents(call, events.length).filter((i) => events[i]?.type === "send");
  return Int32Array.from(list, (i) => tape.stepof(i));
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
