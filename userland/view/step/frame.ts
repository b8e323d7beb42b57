// The frame of a step: all that a view shows of one step of a recording, as data. The terminal and the page draw the same
// frame.
//
// A frame has the call with its line of the program, the names with a cursor, and the name space as a tree. It has the
// decision with its reason, the messages on the time axis, and the cost so far. Which picture belongs to a step is
// chosen here, too: the messages between machines, the tree of names, or the processes with their descriptors.

import { isT } from "../../../kernel/abi/fcall.ts";
import { eventtext, msgfmt, resulttext } from "../words/eventtext.ts";
import type { Flight } from "../record/flight.ts";
import { procsof } from "./procs.ts";
import type { Procs } from "./procs.ts";
import { looksof, treeof } from "./names.ts";
import type { Look, Node } from "./names.ts";
import { ismessage, placefmt } from "../record/recording.ts";
import type { Place, Rcall, Recording, Revent, Rsaid } from "../record/recording.ts";
import type { Spent, Tape } from "./tape.ts";
import { pieces } from "../words/documents.ts";
import { connname } from "../words/who.ts";
import { decision } from "../words/why.ts";
import { callrow } from "../../../kernel/abi/calls.ts";

/** A line of the program's file, from 1. */
export type Sourceline = { readonly line: number; readonly text: string; readonly here: boolean };

/** The call that a step belongs to. */
export type Framecall = {
  readonly id: number;
  readonly pid: number;
  /** With its result once it has one. */
  readonly text: string;
  readonly returned: boolean;
  /** Its error string once it failed. */
  readonly error: string | null;
  readonly began: number;
  readonly ended: number | null;
  /** "hello.ts:12", null when the line is not known. */
  readonly place: string | null;
  /** The line with some around it. */
  readonly source: readonly Sourceline[];
};

/**
 * Where a message is: on its way there, at the server, its answer on its way here, come but not read yet,
 * read; "out" when the wire tells nothing.
 */
export type Stage = "going" | "there" | "coming" | "arrived" | "here" | "out";

/** A request with its reply, at the moment of a frame. */
export type Message = Flight & {
  /** Who is asked: "far!564". */
  readonly peer: string;
  readonly request: string;
  /** "" until it is here. */
  readonly answer: string;
  readonly stage: Stage;
  /** When it was sent, reached the server, and when its answer is here, as Frame.time counts; null: unknown. */
  readonly since: number;
  readonly turn: number | null;
  readonly until: number | null;
  /** Whether this step is about it. */
  readonly now: boolean;
  /** Whether the call of this step asked. */
  readonly own: boolean;
};

/** A 9P message that a server has read or written by the call of a step. */
export type Served = {
  /** The event of it at the client: the request is sent, the reply is received. */
  readonly event: number;
  readonly way: "request" | "reply";
  readonly text: string;
  /** Whose call it is. */
  readonly pid: number;
  readonly call: number;
};

/** What is seen at a step. */
export type Frame = {
  readonly step: number;
  readonly steps: number;
  readonly event: number;
  readonly type: Revent["type"];
  /** Nanoseconds since the recording began. */
  readonly time: number;
  readonly pid: number;
  /** The process's program at this step: an exec that comes later has not named it yet. */
  readonly process: string;
  readonly call: Framecall | null;
  /** The call begins at this step: it is one step with its return, where nothing happened between. */
  readonly begins: boolean;
  /** Of the end of a program that threw, the line that did, with some around it. */
  readonly crash: Pick<Framecall, "place" | "source"> | null;
  readonly names: readonly Look[];
  readonly tree: Node;
  /** The event in a line, as a trace has it. */
  readonly line: string;
  /** What happened, why, what would mend it, and the mechanism, in sentences: Decision. */
  readonly what: string;
  readonly why: string;
  readonly mend: string;
  readonly how: string;
  readonly failed: boolean;
  /**
   * The requests in flight at this moment: this step's and its call's before others. Behind them are the last ones of this
   * call that have an answer. Each part is in the order of sending, and has at most Frameopts.messages.
   */
  readonly flying: readonly Message[];
  readonly answered: readonly Message[];
  /** How many are in flight, shown or not. */
  readonly inflight: number;
  /** The time that the messages span, since the recording began, and where in it the step is. */
  readonly axis: { readonly from: number; readonly to: number; readonly now: number };
  /** What the program wrote on its console at this step. */
  readonly said: readonly Rsaid[];
  /** Of the step's call up to here; null where the step is of no call, or comes when its call has returned. */
  readonly callspent: Spent | null;
  readonly runspent: Spent;
  /** Of a server in the recording, the messages that its read or write were; at most Frameopts.messages. */
  readonly served: readonly Served[];
  /** Which picture belongs to the step. */
  readonly picture: Picturekind;
  /** The processes with what they have open, the pipes, who waits for whom, and what this step changed. */
  readonly procs: Procs;
};

/** How much of it. */
export type Frameopts = {
  /** Lines of the program on each side of the call's: 3. */
  readonly around?: number;
  /** Messages in flight that are shown, and of those answered the last ones: 32. */
  readonly messages?: number;
};

/** What is seen at a step of a tape. */
export function frameof(tape: Tape, step: number, opts: Frameopts = {}): Frame {
  const { around = 3, messages: keep = 32 } = opts;
  const { recording: r, index } = tape;
  const event = tape.event(step);
  const e = r.events[event] ?? NONE;
  const call = r.calls[e.call];
  const events = call === undefined ? NOEVENTS : tape.callevents(call.id, event);
  const names = call === undefined ? [] : looksof(r, call, events);
  const began = r.events[0]?.at ?? 0;
  const procs = procsof(tape, step);
  const shown = call ?? waiting(r, e, procs);
  const served = index
    .served(event)
    .slice(0, keep)
    .map((i) => servedof(r, i));
  const seen = messages(tape, { event, e, events, keep });
  const list = [...seen.flying, ...seen.answered];
  // What a call cost is told when it has returned.
  const back = call === undefined ? -1 : index.returnof(call.id);
  return {
    step,
    steps: tape.length,
    event,
    type: e.type,
    time: e.at - began,
    pid: e.pid,
    process: [...procs.list, ...r.procs].find((p) => p.pid === e.pid)?.text ?? "",
    call: shown === undefined ? null : callof(tape, { call: shown, event, served, around }),
    begins: tape.beginsat(step) >= 0,
    crash: e.type === "proc" && e.line !== undefined ? placed(r, e.line, around) : null,
    names,
    tree: treeof(r, event, r.spaces[tape.spaceat(event)] ?? [], names),
    line: servedtext(call, served) ?? eventtext(r, event),
    ...decision(r, event),
    failed: e.type === "return" && call !== undefined && call.error !== null,
    ...seen,
    axis: axisof({ e, call, list, began }),
    said: tape.said(step),
    callspent: call === undefined || (back >= 0 && back < event) ? null : tape.callspent(event),
    runspent: tape.runspent(event),
    served,
    picture: pictureof(r, event),
    procs,
  };
}

/** The call that a process is in when a note comes: the note is of no call, and interrupts that one. */
function waiting(r: Recording, e: Revent, { list }: Procs): Rcall | undefined {
  if (e.type !== "proc" || e.what !== "note") return undefined;
  return r.calls[list.find((p) => p.pid === e.pid)?.calls.at(-1) ?? -1];
}

function servedof(r: Recording, event: number): Served {
  const e = r.events[event];
  if (!ismessage(e)) return { event, way: "request", text: "", pid: 0, call: -1 };
  const way = e.type === "send" ? "request" : "reply";
  const text = msgfmt(e.fcall, e.bytes);
  return { event, way, text, pid: r.calls[e.call]?.pid ?? e.pid, call: e.call };
}

/** A server's read or write as the messages that it is: "read(3) = 36: Twalk 0 → 1 hello, Topen 1 OREAD". */
function servedtext(call: Rcall | undefined, served: readonly Served[]): string | null {
  if (call === undefined || served.length === 0) return null;
  const texts = served.slice(0, TOLD).map((s) => s.text);
  if (served.length > TOLD) texts.push(`and ${served.length - TOLD} more`);
  return `${call.name}(${String(call.args[0])}) = ${String(call.value)}: ${texts.join(", ")}`;
}

/** Messages that a line tells. */
const TOLD = 4;

const NOEVENTS: readonly number[] = [];
const NONE: Revent = { type: "return", offset: -1, at: 0, pid: 0, call: -1, space: -1 };

type Called = {
  readonly call: Rcall;
  readonly event: number;
  readonly served: readonly Served[];
  readonly around: number;
};

function callof(tape: Tape, { call, event, served, around }: Called): Framecall {
  const back = tape.index.returnof(call.id);
  const returned = back >= 0 && back <= event;
  const { id, pid, line } = call;
  return {
    id,
    pid,
    text: returned ? (servedtext(call, served) ?? resulttext(call.text, call.result)) : call.text,
    returned,
    error: returned ? call.error : null,
    began: call.began,
    ended: returned ? call.ended : null,
    ...placed(tape.recording, line, around),
  };
}

/** A line of the program by its name, with some lines on each side. */
function placed(
  r: Recording,
  at: Place | null,
  around: number,
): Pick<Framecall, "place" | "source"> {
  if (at === null) return { place: null, source: [] };
  const from = Math.max(0, at.line - 1 - around);
  const source = (r.sources[at.source]?.text.split("\n") ?? [])
    .slice(from, at.line + around)
    .map((text, i) => ({ line: from + i + 1, text, here: from + i + 1 === at.line }));
  return { place: placefmt(r, at), source };
}

type At = {
  readonly event: number;
  readonly e: Revent;
  readonly events: readonly number[];
  readonly keep: number;
};

function messages(tape: Tape, at: At): Pick<Frame, "flying" | "answered" | "inflight"> {
  const { flights } = tape.index;
  const { events } = tape.recording;
  const show = (f: Flight): Message => message(tape.recording, f, at);
  const open = flights.at(at.event, (n) => void (tape.work += n));
  const answered = at.events.flatMap((i) => {
    const f = events[i]?.type === "receive" ? flights.of(i) : null;
    return f?.reply === i ? [f] : [];
  });
  return {
    flying: nearest(open, at).map(show),
    answered: answered.slice(-at.keep).map(show),
    inflight: open.length,
  };
}

/** At most so many of what is in flight: what the step is about, then what its call asked, then the first. */
function nearest(list: readonly Flight[], at: At): readonly Flight[] {
  if (list.length <= at.keep) return list;
  const rank = (f: Flight): number => (isnow(f, at) ? 0 : isown(f, at) ? 1 : 2);
  return list
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, at.keep)
    .toSorted((a, b) => a.send - b.send);
}

const isnow = (f: Flight, { event, e }: At): boolean =>
  event === f.send || (e.type === "receive" && e.of === f.send);

const isown = (f: Flight, { e }: At): boolean => e.call >= 0 && f.call === e.call;

function message(r: Recording, f: Flight, at: At): Message {
  const { event, e } = at;
  const began = r.events[0]?.at ?? 0;
  const here = f.reply >= 0 && f.reply <= event;
  const [send, reply] = [r.events[f.send], r.events[f.reply]];
  return {
    ...f,
    peer: connname(r, f.conn),
    request: send?.type === "send" && isT(send.fcall) ? msgfmt(send.fcall, send.bytes) : "",
    answer: here && reply?.type === "receive" ? msgfmt(reply.fcall, reply.bytes) : "",
    stage: here ? "here" : stageof(f, e.at, event),
    since: f.sent - began,
    turn: f.reached === null ? null : f.reached - began,
    until: f.came === null ? null : f.came - began,
    now: isnow(f, at),
    own: isown(f, at),
  };
}

/** Over a pipe the order of events tells where a message is: what takes no time is not over when it begins. */
function stageof(
  { reached, answered, came, taken, put }: Flight,
  now: number,
  event: number,
): Stage {
  if (reached === null) return "out";
  if (taken < 0 ? now < reached : event < taken) return "going";
  if (put < 0 ? answered === null || now < answered : event < put) return "there";
  return came !== null && now >= came ? "arrived" : "coming";
}

type Span = {
  readonly e: Revent;
  readonly call: Rcall | undefined;
  readonly list: readonly Message[];
  readonly began: number;
};

/** From the first of what is shown to the last, as far as the recording knows it. */
function axisof({ e, call, list, began }: Span): Frame["axis"] {
  let [from, to] = [Math.min(e.at, call?.began ?? e.at), Math.max(e.at, call?.ended ?? e.at)];
  for (const f of list) {
    from = Math.min(from, f.sent);
    to = Math.max(to, f.came ?? f.answered ?? f.reached ?? f.sent);
  }
  return { from: from - began, to: to - began, now: e.at - began };
}

/** The pictures that there are. */
export const PICTURES = ["messages", "names", "processes"] as const;
export type Picturekind = (typeof PICTURES)[number];

/** Calls that change what processes are, have or wait for. */
const PROCESSES: ReadonlySet<string> = new Set(
  (
    "rfork exec exits _exits wait await notify noted alarm sleep dup pipe semacquire tsemacquire semrelease " +
    "rendezvous"
  ).split(" "),
);

/** Calls that change what names mean. */
const NAMES: ReadonlySet<string> = new Set(["bind", "mount", "unmount", "chdir"]);

/** The picture of an event of a recording. */
export function pictureof(r: Recording, event: number): Picturekind {
  const e = r.events[event];
  const call = r.calls[e?.call ?? -1];
  switch (e?.type) {
    case undefined:
    case "mount":
    case "namec":
      return "names";
    case "send":
    case "receive":
    case "conn":
    case "wire":
      return "messages";
    case "call":
      return call === undefined ? "names" : begins(call);
    case "return":
      if (call === undefined || NAMES.has(call.name)) return "names";
      return call.cost.messages > 0 ? "messages" : begins(call);
    default:
      return "processes";
  }
}

function begins({ name, file, cost }: Rcall): Picturekind {
  if (NAMES.has(name)) return "names";
  if (PROCESSES.has(name) || file?.startsWith("#|") === true) return "processes";
  if (callrow(name)?.args[0] === "name") return "names";
  return cost.messages > 0 ? "messages" : "processes";
}

/** Steps that are looked through: those of a lesson, and of a lesson that was changed. */
const STEPS = 2000;

/** The step that a lesson's "Look at" means: the first that tells one of its pieces, the piece that stands first. */
export function lookstep(tape: Tape, look: string): number {
  const list = pieces(look);
  const found = list.map(() => -1);
  for (let step = 0; step < Math.min(tape.length, STEPS) && found[0] === -1; step++) {
    // What a frame says of its step, beside what there is at the time.
    const { line, call, what, why, mend, served, said } = frameof(tape, step);
    const told = [line, call?.text ?? "", what, why, mend];
    told.push(...served.map((x) => x.text), ...said.map((x) => x.text));
    for (const [i, piece] of list.entries())
      if (found[i] === -1 && told.some((text) => text.includes(piece))) found[i] = step;
  }
  return found.find((step) => step >= 0) ?? 0;
}
