// Makes a Recording of a run from the events of the kernel's trace. The kernel uses the buffers of an event
// again when the listener has returned, so the recorder copies the first bytes of data. A recording is bounded:
// after `limit` events, further events are only counted, and no further calls, name spaces, processes and
// connections are kept.
//
// The program waits while an event is recorded, so that must be quick. The text of a call, as open("/x", 0),
// is made later, when the list of calls is read, if all its arguments could be copied whole. How values of programs
// are copied is in kept.ts.
//
// Two listeners help it. A Hearing is a console that is recorded: what a program writes goes where it would go,
// and into the recording. A Known keeps what a recording that begins late cannot ask the kernel for: the connections
// that are open and the fids of their roots. The Known tells them to a Recorder before its begin().
//
// To use each event once and keep none (a pcap file of a long run), give `tell` and a limit of 0.

import { Rattach, Rerror, Rstream, Tattach, Tflush, Tstream } from "../../../kernel/abi/fcall.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import type { Picture } from "../../../kernel/names/namespace.ts";
import { textsites } from "../../../kernel/abi/errors.ts";
import type { Callsite } from "../../../kernel/abi/errors.ts";
import type { Call, Event, EventBody, Listener, Trace } from "../../../kernel/trace.ts";
import { FORMAT, VERSION, addmessage, newcost } from "./recording.ts";
import type {
  About,
  Cost,
  Place,
  Rbody,
  Rcall,
  Rconn,
  Recording,
  Revent,
  Rproc,
  Rsaid,
  Source,
} from "./recording.ts";
import { callrow } from "../../../kernel/abi/calls.ts";
import { callfmt, isentries, resultfmt } from "../words/callfmt.ts";
import { arglist, cut, kept } from "./kept.ts";
import type { Answer } from "../../../kernel/proc/rendez.ts";
import type { Tty } from "../../../kernel/proc/tty.ts";
import { utfdecode } from "../../../kernel/abi/utf.ts";

/** Finds the innermost place on a stack that is in the program, with its file; null if there is none. */
export type Findplace = (
  stack: readonly Callsite[],
) => { readonly source: Source; readonly line: number; readonly column: number } | null;

type Found = NonNullable<ReturnType<Findplace>>;

/** How to record. */
export type Recordopts = {
  /** What is said of the run: the program, the machines. */
  readonly about: About;
  /** Finds the program's line in a stack. */
  readonly place?: Findplace;
  /** Bytes of data kept of each message and argument: 512. */
  readonly snap?: number;
  /**
   * How many events are kept: a million if absent. With 0 no events and no name spaces are kept. A call or a
   * process is then kept until its end, and a connection until it is closed.
   */
  readonly limit?: number;
  /**
   * Called with each event, and with the call, process and connection that it belongs to, as far as these
   * are kept.
   */
  readonly tell?: Tell;
  /**
   * Called for messages and connections that prepare the run and belong to no call: they are not recorded.
   */
  readonly before?: Tell;
};

/** Calls `tell` for each event from now on, and keeps nothing. The result ends it. */
export function tellof(
  trace: Trace,
  about: About,
  tell: Tell,
): { readonly recording: Recording; readonly off: () => void } {
  const rec = new Recorder({ about, snap: 0, limit: 0, tell });
  rec.begin();
  return { recording: rec.recording, off: rec.listen(trace) };
}

/**
 * Called with an event and what it belongs to; for a message also with all its data, of which a recording
 * keeps the first bytes.
 */
export type Tell = (e: Revent, r: Recording, full: Fcall | null) => void;

const SNAP = 512;
const LIMIT = 1_000_000;

/** A recording in the making; `recording` may be looked at at any time. */
export class Recorder {
  /** What was recorded so far. */
  readonly recording: Recording;
  readonly #opts: Recordopts;
  readonly #snap: number;
  readonly #limit: number;
  readonly #sources: Source[] = [];
  readonly #conns: Openconn[] = [];
  readonly #procs: Rproc[] = [];
  readonly #calls: (Making | undefined)[] = [];
  /** By call that is kept: the size of the buffer that it fills, or -1. A weak map would slow each collection. */
  readonly #fills: number[] = [];
  /**
   * The calls whose text is still to be made. It is empty where no calls are kept, since each text is made
   * at once there.
   */
  #mute: Making[] = [];
  readonly #spaces: Picture[] = [];
  readonly #events = new Events();
  readonly #start: Revent[] = [];
  #trace: Trace | null = null;
  readonly #said: Rsaid[] = [];
  #nevent = 0;
  #ncall = 0;
  #begun = false;
  readonly #hear: Listener = (e, body) => this.take(e, body);
  readonly #finder = (stack: readonly Callsite[]): number => this.#find(stack);
  /** Tells the kernel that stacks are needed no more. */
  #nostacks = (): void => undefined;
  readonly #but = new Set<number>();
  /** The stack that #find looked at last, and the program's place on it. */
  readonly #found: { stack: Call["stack"]; place: Found | null } = {
    stack: undefined,
    place: null,
  };
  readonly #places = new WeakMap<Found, Place>();
  /** The calls that are kept. The index is the kernel's number of the call minus #firstnumber. */
  readonly #bynumber: (Making | undefined)[] = [];
  #firstnumber = 0;
  /** Where no calls are kept: the calls in progress. */
  readonly #known = new Map<number, Making>();
  /** Where no calls are kept: calls that have returned, since a reply may come after the return. */
  readonly #late = new WeakMap<Call, Making>();
  readonly #spaceno = new Map<Picture, number>();
  /** The number that #space gave last: most calls are made in the same name space. */
  #lastspace = -1;
  readonly #bypid = new Map<number, Rproc>();
  /** Requests that wait for an answer, by connection and tag: what was asked, and its event. */
  readonly #pending = new Map<string, Asked[]>();

  /**
   * Makes a recorder; listen() connects it to a trace.
   *
   * @param opts what is said of the run, how lines are found, limits
   * @example
   * ```ts
   * const recorder = new Recorder({ about });
   * ```
   */
  constructor(opts: Recordopts) {
    this.#opts = opts;
    this.#snap = opts.snap ?? SNAP;
    this.#limit = opts.limit ?? LIMIT;
    const lost = (): number =>
      this.#limit === 0 ? 0 : Math.max(0, this.#nevent - this.#events.length);
    const events = (): readonly Revent[] => this.#events.list();
    const calls = (): readonly Rcall[] => this.#told() as readonly Rcall[];
    this.recording = {
      format: FORMAT,
      version: VERSION,
      about: opts.about,
      sources: this.#sources,
      conns: this.#conns,
      procs: this.#procs,
      get calls() {
        return calls();
      },
      spaces: this.#spaces,
      get events() {
        return events();
      },
      start: this.#start,
      said: this.#said,
      get lost() {
        return lost();
      },
    };
  }

  /**
   * Listens to a kernel until the result is called. What prepares a run comes before begin(): of that only
   * connections and processes are noted.
   *
   * @param trace kernel.trace
   * @param hear stands between the trace and take(), where some events are to be left out
   * @returns a function that ends the listening
   * @example
   * ```ts
   * const off = recorder.listen(kernel.trace);
   * ```
   */
  listen(trace: Trace, hear: Listener = this.#hear): () => void {
    if (this.#opts.place !== undefined) this.#nostacks = trace.keepstacks(this.#finder);
    this.#trace = trace;
    if (this.#begun) this.#begins();
    const off = trace.listen(hear);
    return () => {
      off();
      this.#nostacks();
    };
  }

  /**
   * Records everything from now on.
   *
   * @param but the numbers of processes whose events are left out
   * @example
   * ```ts
   * recorder.begin();
   * ```
   */
  begin(but: readonly number[] = []): void {
    this.#begun = true;
    for (const pid of but) this.#but.add(pid);
    this.#begins();
  }

  /**
   * Records the processes and connections that exist at the beginning. Both listen and begin call it, and the
   * later of the two calls does the work.
   */
  #begins(): void {
    if (this.#trace === null || this.#limit === 0 || this.#start.length > 0) return;
    for (const body of this.#trace.state()) {
      if (body.type === "proc" && this.#but.has(body.pid)) continue;
      if (body.type === "proc" && body.what === "start") this.#proc(body.pid, body.text);
      const e: Event = { at: 0, pid: 0, call: null, ...body };
      const space = this.#spaceof(body, -1);
      this.#start.push(revent(e, { call: -1, space, body: this.#body(e, body) }));
    }
  }

  /** The name space that an event changes; where it changes none, that of its call. */
  #spaceof(body: EventBody, call: number): number {
    if (body.type === "mount") return this.#space(body.table);
    return body.type === "proc" && body.of !== undefined ? this.#space(body.of.table) : call;
  }

  #recorded(e: Event): boolean {
    return this.#begun && (this.#but.size === 0 || !this.#but.has(e.pid));
  }

  /** Whether `limit` events are kept, so that nothing more is. */
  get #full(): boolean {
    return this.#limit > 0 && this.#nevent >= this.#limit;
  }

  /**
   * Records text that a program wrote on its console, unless `limit` events are kept.
   *
   * @param to where it went
   * @param text the text
   * @example
   * ```ts
   * recorder.said("out", text);
   * ```
   */
  said(to: Rsaid["to"], text: string): void {
    const event = this.#nevent - 1;
    if (this.#begun && event < this.#limit) this.#said.push({ event, to, text });
  }

  /**
   * Records one event. Its fields are read in `body`: V8 forgets the shapes of events, and what it compiled for these, when
   * a collection finds no event.
   *
   * @param e the event
   * @param body the fields that its kind has
   * @example
   * ```ts
   * kernel.trace.listen((e, body) => recorder.take(e, body));
   * ```
   */
  take(e: Event, body: EventBody = bodyof(e)): void {
    if (body.type === "conn" && body.what === "open" && !this.#full)
      this.#conns.push(conn(e.at, body));
    if (body.type === "send" && body.fcall.type === Tattach)
      this.#attached(body.conn, body.fcall.fid);
    if (body.type === "proc" && (body.what === "start" || body.what === "exec"))
      this.#proc(body.pid, body.text);
    if (!this.#recorded(e)) return this.#before(e, body);
    if (this.#full) return this.#passed(e, body);
    const { at, call: of } = e;
    const call = of === null ? undefined : this.#callof(at, body, of);
    const space = this.#spaceof(body, call?.space ?? -1);
    if (of !== null && call !== undefined) {
      call.last = this.#nevent;
      if (this.#limit === 0) this.#calls[call.id] = call;
      this.#count(at, body, of, call);
    }
    const part = { call: call?.id ?? -1, space, body: this.#body(e, body) };
    if (this.#limit > 0) this.#events.push(e, part);
    if (++this.#nevent === this.#limit) this.#nostacks();
    if (this.#opts.tell !== undefined)
      this.#opts.tell(revent(e, part), this.recording, message(body));
    if (this.#limit === 0) this.#forget(body, call);
  }

  /** Counts an event that is not kept. If it is the end of a call that is kept, the call ends. */
  #passed(e: Event, body: EventBody): void {
    const { at, call: of } = e;
    const call = of === null ? undefined : this.#knows(of);
    if (of !== null && call !== undefined) {
      call.last = this.#nevent;
      this.#count(at, body, of, call);
    }
    const { tell } = this.#opts;
    if (tell !== undefined) {
      const part = { call: call?.id ?? -1, space: call?.space ?? -1, body: this.#body(e, body) };
      tell(revent(e, part), this.recording, message(body));
    }
    this.#nevent++;
  }

  /** Adds a message or a return to the cost of its call. */
  #count(at: number, body: EventBody, of: Call, call: Making): void {
    if (body.type === "return") this.#end(at, body, of, call);
    if (body.type !== "send" && (body.type !== "receive" || call.ended !== null)) return;
    // Most calls send nothing, and share one object, NOCOST, until the first message.
    if (call.cost === NOCOST) call.cost = newcost();
    addmessage(call.cost, body.type === "send", body.bytes);
  }

  #attached(conn: number, fid: number): void {
    this.#conns.find((c) => c.conn === conn)?.roots.push(fid);
  }

  /** Gives opts.before the messages and connections of the preparation, which are not recorded. */
  #before(e: Event, body: EventBody): void {
    if (body.type !== "send" && body.type !== "receive" && body.type !== "conn") return;
    const part = { call: -1, space: -1, body: this.#body(e, body) };
    this.#opts.before?.(revent(e, part), this.recording, message(body));
  }

  /**
   * Where nothing is kept: forgets what the event has ended. A reply that comes later finds its call in
   * #late, for that reply alone.
   */
  #forget(body: EventBody, call: Making | undefined): void {
    if (call !== undefined && call.ended !== null) Reflect.deleteProperty(this.#calls, call.id);
    if (body.type === "proc" && body.what === "exit") {
      this.#bypid.delete(body.pid);
      drop(this.#procs, (p) => p.pid === body.pid);
    }
    if (body.type !== "conn" || body.what !== "close") return;
    drop(this.#conns, (c) => c.conn === body.conn);
    for (const key of this.#pending.keys())
      if (key.startsWith(`${body.conn} `)) this.#pending.delete(key);
  }

  /** The recorded call of an event; made at its "call" event. With limit 0 a late reply finds it in #late. */
  #callof(at: number, { type }: EventBody, call: Call): Making | undefined {
    return this.#knows(call) ?? (type === "call" ? this.#begin(at, call) : this.#late.get(call));
  }

  #knows(call: Call): Making | undefined {
    return this.#limit === 0
      ? this.#known.get(call.id)
      : this.#bynumber[call.id - this.#firstnumber];
  }

  #know(call: Call, r: Making): void {
    if (this.#limit === 0) return void this.#known.set(call.id, r);
    const list = this.#bynumber;
    if (list.length === 0) this.#firstnumber = call.id;
    // Numbers in between are of calls that are not recorded, since processes in #but made them.
    while (list.length < call.id - this.#firstnumber) list.push(undefined);
    list[call.id - this.#firstnumber] = r;
  }

  #begin(at: number, call: Call): Making {
    // A buffer that the call will fill is not copied: its bytes mean nothing yet.
    const fill = this.#limit > 0 ? fillof(call) : -1;
    const { list: args, whole } = arglist(call.args, this.#snap, fill < 0 ? -1 : FILLS);
    const later = whole && this.#limit > 0;
    const r: Making = {
      id: this.#ncall++,
      pid: call.pid,
      name: call.name,
      text: later ? null : said(callfmt, call, args),
      args,
      began: at,
      ended: null,
      result: "",
      value: null,
      error: null,
      cost: NOCOST,
      line: this.#place(call.stack),
      space: this.#space(call.space),
      dot: call.dot,
      file: call.file,
      chan: call.chan,
      first: this.#nevent,
      last: this.#nevent,
    };
    if (later) this.#mute.push(r);
    this.#know(call, r);
    if (this.#limit > 0) {
      this.#calls.push(r);
      this.#fills.push(fill);
    }
    this.#proc(call.pid, "");
    return r;
  }

  #end(at: number, { value, error, fact }: Returned, call: Call, r: Making): void {
    if (this.#limit === 0) {
      this.#known.delete(call.id);
      this.#late.set(call, r);
    }
    const copy = kept(value, this.#snap);
    r.ended = at;
    r.value = copy.value;
    r.error = error;
    if (fact !== null) r.fact = fact;
    // A text that shows the caller's buffer is made now, before the program uses the buffer again.
    const later = this.#filled(call, r) && r.text === null;
    if (later && (copy.whole || error !== null)) r.result = null;
    else if (value === undefined && error === null) r.result = "";
    else r.result = said((c) => resultfmt(c, value, error), call, r.args);
  }

  /**
   * Keeps the first bytes that the call has put into the program's buffer; false where the text needs all of
   * them.
   */
  #filled({ args }: Call, r: Making): boolean {
    const { value: n } = r;
    if (this.#fillof(r) < 0 || typeof n !== "number") return true;
    const buf = args[FILLS];
    if (!(buf instanceof Uint8Array)) return true;
    const list = r.args.slice();
    list[FILLS] = cut(buf.subarray(0, n), this.#snap);
    r.args = list;
    return n <= this.#snap || !isentries(buf, n);
  }

  #fillof({ id }: Making): number {
    return this.#fills[id] ?? -1;
  }

  /** Makes the texts that are missing, and gives the calls. */
  #told(): readonly (Making | undefined)[] {
    for (const call of this.#mute) {
      const fill = this.#fillof(call);
      call.text ??= callfmt(fill < 0 ? call : { ...call, fill });
      call.result ??= resultfmt(call, call.value, call.error);
    }
    if (this.#mute.length > 0) this.#mute = [];
    return this.#calls;
  }

  /**
   * The fields of an event as they are kept. Where none has to be copied it is the kernel's own object,
   * which nothing changes.
   */
  #body(e: Event, body: EventBody): Rbody {
    switch (body.type) {
      case "return":
        return body.offset < 0 ? RETURN : returned(body.offset);
      case "send":
        return this.#send(e, body);
      case "receive":
        return this.#receive(e, body);
      case "mount":
        return { type: "mount", op: body.op, path: body.path, pgrp: body.pgrp };
      case "conn":
        return { type: "conn", conn: body.conn, what: body.what };
      case "proc":
        return procbody(body, this.#crashline(body.crash));
      case "pipe":
        return { ...body, data: this.#cut(body.what === "put" ? body.data : NODATA) };
      case "env": {
        const value = body.value === null ? null : this.#cut(body.value);
        return { type: "env", egrp: body.egrp, name: body.name, value };
      }
      case "call":
        return CALL;
      case "namec":
      case "wire":
      case "fd":
      case "sleep":
        return body;
    }
  }

  /** The first bytes, copied. */
  #cut(data: Uint8Array): Uint8Array {
    return cut(data, this.#snap);
  }

  #send(e: Event, { conn, fcall, bytes, off }: Body<"send">): Rbody {
    const key = pendingkey(conn, fcall.tag, e);
    const asked = { fcall, event: this.#recorded(e) ? this.#nevent : -1 };
    const list = this.#pending.get(key);
    if (list === undefined) this.#pending.set(key, [asked]);
    else list.push(asked);
    return { type: "send", conn, fcall: cutdata(fcall, this.#snap), bytes, off };
  }

  #receive(e: Event, { conn, fcall, bytes, off }: Body<"receive">): Rbody {
    const of = this.#answered(pendingkey(conn, fcall.tag, e), fcall, conn);
    return { type: "receive", conn, fcall: cutdata(fcall, this.#snap), bytes, off, of };
  }

  /** The event of the request that reply f answers: the oldest of its tag, since replies of one tag keep order. */
  #answered(key: string, f: Fcall, conn: number): number {
    const list = this.#pending.get(key);
    const asked = list?.[0];
    if (list === undefined || asked === undefined) return -1;
    // A Tstream has many Rstreams: it waits in #pending until one without data.
    if (f.type === Rstream && asked.fcall.type === Tstream && f.data.length > 0) return asked.event;
    list.shift();
    if (list.length === 0) this.#pending.delete(key);
    // After an Rflush no reply comes for the requests of oldtag.
    if (asked.fcall.type === Tflush) this.#pending.delete(`${conn} ${asked.fcall.oldtag}`);
    return asked.event;
  }

  #space(p: Picture): number {
    if (this.#limit === 0) return -1;
    if (this.#spaces[this.#lastspace] === p) return this.#lastspace;
    let n = this.#spaceno.get(p);
    if (n === undefined) {
      if (this.#full) return -1;
      n = this.#spaces.push(p) - 1;
      this.#spaceno.set(p, n);
    }
    return (this.#lastspace = n);
  }

  #proc(pid: number, text: string): void {
    const known = this.#bypid.get(pid);
    if (known !== undefined) {
      if (text !== "") known.text = text;
      return;
    }
    if (this.#full) return;
    const r = { pid, text };
    this.#bypid.set(pid, r);
    this.#procs.push(r);
  }

  /**
   * The program's line that threw this. To read what a program throws may throw, too, since it may have
   * getters.
   */
  #crashline(crash: unknown): Place | null {
    try {
      if (!(crash instanceof Error) || typeof crash.stack !== "string") return null;
      return this.#place(textsites(crash.stack));
    } catch {
      return null;
    }
  }

  #place(stack: Call["stack"]): Place | null {
    if (stack === undefined) return null;
    const found = stack === this.#found.stack ? this.#found.place : this.#opts.place?.(stack);
    if (found === undefined || found === null) return null;
    let place = this.#places.get(found);
    if (place === undefined) this.#places.set(found, (place = this.#placeof(found)));
    return place;
  }

  #placeof({ source: { name, text }, line, column }: Found): Place {
    let source = this.#sources.findIndex((s) => s.name === name);
    if (source < 0) source = this.#sources.push({ name, text }) - 1;
    return { source, line, column };
  }

  /** The index of the first place on a stack that is in the program, or -1. #place then uses what was found. */
  #find(stack: readonly Callsite[]): number {
    const { place: find } = this.#opts;
    const place = find?.(stack) ?? null;
    this.#found.stack = stack;
    this.#found.place = place;
    if (place === null) return -1;
    return stack.length === 1 ? 0 : stack.findIndex((site) => (find?.([site]) ?? null) !== null);
  }
}

/** The message of an event, with all its data. */
function message(body: EventBody): Fcall | null {
  return body.type === "send" || body.type === "receive" ? body.fcall : null;
}

/** Where a request waits for its answer. Versions may be agreed on for several connections at once. */
function pendingkey(conn: number, tag: number, e: Event): string {
  return conn === 0 ? `0 ${tag} ${e.call?.id ?? e.pid}` : `${conn} ${tag}`;
}

/** Removes from a list its first element x for which fits(x) is true. */
function drop<T>(list: T[], fits: (x: T) => boolean): void {
  const i = list.findIndex(fits);
  if (i >= 0) list.splice(i, 1);
}

/** A connection whose trees have not all been attached yet. */
type Openconn = Rconn & { readonly roots: number[] };

/** A call as it is recorded; a text is null until the list of calls is read. */
type Making = Omit<Rcall, "text" | "result" | "cost" | "args"> & {
  args: readonly unknown[];
  text: string | null;
  result: string | null;
  cost: Cost;
};

/**
 * A text of a call, made from the program's own arguments; or from the copy, where reading those throws.
 */
function said(
  fmt: (c: Pick<Call, "name" | "args">) => string,
  call: Call,
  args: Making["args"],
): string {
  try {
    return fmt(call);
  } catch {
    return fmt({ name: call.name, args });
  }
}

function bodyof({ at: _at, call: _call, ...body }: Event): EventBody {
  return body;
}

/** Which argument of a call is the buffer that it fills. */
const FILLS = 1;

/**
 * The size of the buffer that a call fills; -1 for a call that fills none, and where the argument is no
 * buffer.
 */
function fillof({ name, args }: Call): number {
  const buf = args[FILLS];
  if (callrow(name)?.args[FILLS] !== "fill" || !ArrayBuffer.isView(buf)) return -1;
  return buf instanceof Uint8Array && Object.getPrototypeOf(buf) === Uint8Array.prototype
    ? buf.length
    : -1;
}

/** What the recorder adds to an event: the numbers of its call and name space, and its body as kept. */
type Part = { readonly call: number; readonly space: number; readonly body: Rbody };

const CALL: Rbody = { type: "call" };
const returned = (offset: number): Rbody => ({ type: "return", offset });
const RETURN = returned(-1);

/** The cost of a call that has sent nothing: all of them share it. */
const NOCOST: Cost = Object.freeze(newcost());

function revent({ at, pid }: Event, { call, space, body }: Part): Revent {
  return { at, pid, call, space, ...body };
}

/** A list of numbers that grows. */
class Column {
  #list: Float64Array = new Float64Array(1024);
  #n = 0;

  push(x: number): void {
    if (this.#n === this.#list.length) {
      const more = new Float64Array(this.#n * 2);
      more.set(this.#list);
      this.#list = more;
    }
    this.#list[this.#n++] = x;
  }

  at(i: number): number {
    return this.#list[i] ?? 0;
  }
}

/**
 * The events of a recording. While they come they are columns of numbers; objects are made of them when they
 * are read.
 */
class Events {
  readonly #at = new Column();
  readonly #pid = new Column();
  readonly #call = new Column();
  readonly #space = new Column();
  /** Of a return the offset alone. */
  readonly #bodies: (Rbody | number)[] = [];
  readonly #made: Revent[] = [];

  get length(): number {
    return this.#bodies.length;
  }

  push({ at, pid }: Event, { call, space, body }: Part): void {
    this.#at.push(at);
    this.#pid.push(pid);
    this.#call.push(call);
    this.#space.push(space);
    this.#bodies.push(body.type === "return" ? body.offset : body);
  }

  list(): readonly Revent[] {
    for (let i = this.#made.length; i < this.#bodies.length; i++) {
      const kept = this.#bodies[i] ?? -1;
      const body = typeof kept === "number" ? returned(kept) : kept;
      const [at, pid, call, space] = [this.#at, this.#pid, this.#call, this.#space];
      this.#made.push({
        at: at.at(i),
        pid: pid.at(i),
        call: call.at(i),
        space: space.at(i),
        ...body,
      });
    }
    return this.#made;
  }
}

type Body<T extends EventBody["type"]> = Extract<EventBody, { readonly type: T }>;
type Returned = Body<"return">;

const NODATA = new Uint8Array(0);

function procbody({ what, pid, text, by, of }: Body<"proc">, line: Place | null): Rbody {
  const more = { ...(by !== undefined && { by }), ...(line !== null && { line }) };
  const body = { type: "proc" as const, what, pid, text, ...more };
  if (of === undefined) return body;
  const { table: _table, ...standing } = of;
  return { ...body, of: standing };
}

/** A request that waits for its answer. */
type Asked = { readonly fcall: Fcall; readonly event: number };

function conn(at: number, body: Body<"conn">): Openconn {
  const { conn, name, peer, wire, pipe, version } = body;
  return { conn, name, peer, wire, pipe, version, roots: [], opened: at };
}

/** The message with the first `snap` bytes of its data, copied: its buffer is the kernel's. */
function cutdata(f: Fcall, snap: number): Fcall {
  if ("data" in f) return { ...f, data: cut(f.data, snap) };
  if ("stat" in f) return { ...f, stat: f.stat.slice() };
  return f;
}

/** Hears what is written: Recorder.said. */
type Hear = (to: Rsaid["to"], text: string) => void;

/** A console on which everything that is written is heard first. */
export class Hearing implements Tty {
  readonly #tty: Tty;
  readonly #hear: Hear;
  readonly terminals: readonly number[];

  constructor(tty: Tty, hear: Hear) {
    this.#tty = tty;
    this.terminals = tty.terminals ?? [];
    this.#hear = hear;
  }

  write(bytes: Uint8Array): Answer<void> {
    this.#hear("out", utfdecode(bytes, 0, bytes.length));
    return this.#tty.write(bytes);
  }

  writeerr(bytes: Uint8Array): Answer<void> {
    this.#hear("err", utfdecode(bytes, 0, bytes.length));
    return this.#tty.writeerr === undefined ? this.#tty.write(bytes) : this.#tty.writeerr(bytes);
  }

  read(n: number): Answer<Uint8Array> {
    return this.#tty.read(n);
  }
}

/** The events that a recorder would have noted, of what is still there. */
export class Known {
  readonly #conns = new Map<number, Event[]>();
  /** Connections and tags of attaches that have no answer yet. */
  readonly #asked = new Set<string>();

  /** Listens from now on, until the result is called. */
  listen(trace: Trace): () => void {
    return trace.listen((e) => this.#take(e));
  }

  /** Tells a recorder what is there now. */
  tell(recorder: Recorder): void {
    for (const list of this.#conns.values()) for (const e of list) recorder.take(e);
  }

  #take(e: Event): void {
    switch (e.type) {
      case "conn":
        if (e.what === "open") this.#conns.set(e.conn, [e]);
        else if (e.what === "close") this.#conns.delete(e.conn);
        return;
      case "send":
      case "receive":
        this.#message(e);
        return;
      default:
    }
  }

  /** An attach is kept with its answer: a recorder takes one without for a request that still waits. */
  #message(e: Event & { type: "send" | "receive" }): void {
    const { type, tag } = e.fcall;
    const key = `${e.conn} ${tag}`;
    if (type === Tattach) this.#asked.add(key);
    else if ((type !== Rattach && type !== Rerror) || !this.#asked.delete(key)) return;
    this.#conns.get(e.conn)?.push(e);
  }
}
