// Makes a Recording of a run: a listener of the trace bus. Buffers may be used again as soon as an event
// has been told, so what is kept is copied, the first bytes of data; and the recording is bounded: past
// `limit` events are only counted, and of calls, name spaces, processes and connections no more are kept.
//
// Who needs no more than one event at a time (a pcap file of a long run) gives `tell` and keeps nothing.

import { Rstream, Tattach, Tflush, Tstream } from "../../../kernel/abi/fcall.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import type { Picture } from "../../../kernel/names/namespace.ts";
import type { Call, Event, Trace } from "../../../kernel/trace.ts";
import { addmessage, newcost } from "./calls.ts";
import { callfmt, resultfmt } from "../words/callfmt.ts";
import { FORMAT, VERSION } from "./recording.ts";
import type { About, Place, Rbody, Rcall, Rconn, Recording, Revent, Rproc } from "./recording.ts";
import type { Rsaid, Source } from "./recording.ts";

/** Where the program is on a stack, and the file; null when nothing there is the program's. */
export type Findplace = (
  stack: string,
) => { readonly source: Source; readonly line: number; readonly column: number } | null;

/** How to record. */
export type Recordopts = {
  readonly about: About;
  readonly place?: Findplace;
  /** Bytes of data kept of each message and argument: 512. */
  readonly snap?: number;
  /**
   * Events kept: a million. 0 keeps nothing that grows with the run: no events, no name spaces, calls
   * and processes until they end, connections until they are closed.
   */
  readonly limit?: number;
  /** Gets each event, with what it refers to in the recording, as far as that is kept. */
  readonly tell?: Tell;
  /** Gets what is not recorded because it prepares the run, of no call: messages and connections. */
  readonly before?: Tell;
};

/** Hears of an event, with what it refers to in the recording; of a message also with all its data. */
export type Tell = (e: Revent, r: Recording, full: Fcall | null) => void;

const SNAP = 512;
const LIMIT = 1_000_000;

/** A recording in the making; `recording` may be looked at at any time. */
export class Recorder {
  readonly recording: Recording;
  readonly #opts: Recordopts;
  readonly #snap: number;
  readonly #limit: number;
  readonly #sources: Source[] = [];
  readonly #conns: Openconn[] = [];
  readonly #procs: Rproc[] = [];
  readonly #calls: (Rcall | undefined)[] = [];
  readonly #spaces: Picture[] = [];
  readonly #events: Revent[] = [];
  readonly #said: Rsaid[] = [];
  #nevent = 0;
  #ncall = 0;
  #begun = false;
  readonly #but = new Set<number>();
  /** Calls in progress by the kernel's number. */
  readonly #open = new Map<number, Rcall>();
  /** Every call that was recorded: messages may come when it has long returned. */
  readonly #numbers = new WeakMap<Call, Rcall>();
  readonly #spaceno = new Map<Picture, number>();
  readonly #bypid = new Map<number, Rproc>();
  /** Requests that wait for an answer, by connection and tag: what was asked, and its event. */
  readonly #pending = new Map<string, Asked[]>();

  constructor(opts: Recordopts) {
    this.#opts = opts;
    this.#snap = opts.snap ?? SNAP;
    this.#limit = opts.limit ?? LIMIT;
    const lost = (): number =>
      this.#limit === 0 ? 0 : Math.max(0, this.#nevent - this.#events.length);
    this.recording = {
      format: FORMAT,
      version: VERSION,
      about: opts.about,
      sources: this.#sources,
      conns: this.#conns,
      procs: this.#procs,
      calls: this.#calls as Rcall[],
      spaces: this.#spaces,
      events: this.#events,
      said: this.#said,
      get lost() {
        return lost();
      },
    };
  }

  /**
   * Listens from now on, until the result is called. What prepares a run comes before begin(): of that
   * only connections and processes are noted.
   */
  listen(trace: Trace): () => void {
    const { stacks } = trace;
    trace.stacks = stacks || this.#opts.place !== undefined;
    const off = trace.listen((e) => this.take(e));
    return () => {
      off();
      trace.stacks = stacks;
    };
  }

  /** From now on everything is recorded, but for what these processes do. */
  begin(but: readonly number[] = []): void {
    this.#begun = true;
    for (const pid of but) this.#but.add(pid);
  }

  #recorded(e: Event): boolean {
    return this.#begun && !this.#but.has(e.pid);
  }

  /** Nothing more is kept. */
  get #full(): boolean {
    return this.#limit > 0 && this.#nevent >= this.#limit;
  }

  /** Whether a call is of the recording: not so one that began when that was full. */
  #keeps(call: Rcall): boolean {
    return this.#limit === 0 || call.first < this.#limit;
  }

  /** The program wrote this on its console; see hearing.ts. Text is kept as long as events are. */
  said(to: Rsaid["to"], text: string): void {
    const event = this.#nevent - 1;
    if (this.#begun && event < this.#limit) this.#said.push({ event, to, text });
  }

  /** Takes one event in. */
  take(e: Event): void {
    if (e.type === "conn" && e.what === "open" && !this.#full) this.#conns.push(conn(e));
    if (e.type === "send" && e.fcall.type === Tattach) this.#attached(e.conn, e.fcall.fid);
    if (e.type === "proc" && (e.what === "start" || e.what === "exec")) this.#proc(e.pid, e.text);
    if (!this.#recorded(e)) return this.#before(e);
    const call =
      e.call === null ? undefined : (this.#open.get(e.call.id) ?? this.#begin(e, e.call));
    if (call !== undefined && this.#keeps(call)) this.#calls[call.id] = call;
    const body = this.#body(e, call);
    if (call !== undefined) call.last = this.#nevent;
    const space = e.type === "mount" ? this.#space(e.table) : (call?.space ?? -1);
    const r: Revent = { at: e.at, pid: e.pid, call: call?.id ?? -1, space, ...body };
    this.#nevent++;
    if (this.#events.length < this.#limit) this.#events.push(r);
    this.#opts.tell?.(r, this.recording, message(e));
    if (this.#limit === 0) this.#forget(e, call);
  }

  #attached(conn: number, fid: number): void {
    this.#conns.find((c) => c.conn === conn)?.roots.push(fid);
  }

  /** What prepares the run: its requests have no event that a reply could name. */
  #before(e: Event): void {
    if (e.type !== "send" && e.type !== "receive" && e.type !== "conn") return;
    const body = this.#body(e, undefined);
    const r: Revent = { at: e.at, pid: e.pid, call: -1, space: -1, ...body };
    this.#opts.before?.(r, this.recording, message(e));
  }

  /** After an event, where nothing is kept: what it ended. A late reply brings its call back for itself. */
  #forget(e: Event, call: Rcall | undefined): void {
    if (call !== undefined && call.ended !== null) Reflect.deleteProperty(this.#calls, call.id);
    if (e.type === "proc" && e.what === "exit") {
      this.#bypid.delete(e.pid);
      drop(this.#procs, (p) => p.pid === e.pid);
    }
    if (e.type !== "conn" || e.what !== "close") return;
    drop(this.#conns, (c) => c.conn === e.conn);
    for (const key of this.#pending.keys())
      if (key.startsWith(`${e.conn} `)) this.#pending.delete(key);
  }

  /** A call is known from its first event on; one that returned lives on in what it has sent. */
  #begin(e: Event, call: Call): Rcall | undefined {
    if (e.type !== "call") return this.#returned(call);
    const r: Rcall = {
      id: this.#ncall++,
      pid: call.pid,
      name: call.name,
      text: callfmt(call),
      args: call.args.map((arg) => kept(arg, this.#snap)),
      began: e.at,
      ended: null,
      result: "",
      value: null,
      error: null,
      cost: newcost(),
      line: this.#place(call.stack),
      space: this.#space(call.space),
      dot: call.dot,
      file: call.file,
      first: this.#nevent,
      last: this.#nevent,
    };
    this.#open.set(call.id, r);
    this.#numbers.set(call, r);
    this.#proc(call.pid, "");
    return r;
  }

  #returned(call: Call): Rcall | undefined {
    return this.#numbers.get(call);
  }

  #body(e: Event, call: Rcall | undefined): Rbody {
    switch (e.type) {
      case "return":
        if (e.call !== null && call !== undefined) this.#end(e, e.call, call);
        return { type: "return" };
      case "send":
        return this.#send(e, call);
      case "receive":
        return this.#receive(e, call);
      case "mount":
        return { type: "mount", op: e.op, path: e.path };
      case "conn":
        return { type: "conn", conn: e.conn, what: e.what };
      case "proc":
        return { type: "proc", what: e.what, pid: e.pid, text: e.text };
      case "wire":
        return wire(e);
      case "call":
        return { type: "call" };
      case "namec":
        return step(e);
    }
  }

  #end(e: Event & { type: "return" }, call: Call, r: Rcall): void {
    this.#open.delete(call.id);
    r.ended = e.at;
    r.result = resultfmt(call, e.value, e.error);
    r.value = kept(e.value, this.#snap);
    r.error = e.error;
  }

  #send(e: Event & { type: "send" }, call: Rcall | undefined): Rbody {
    const { conn, fcall, bytes, off } = e;
    if (call !== undefined) addmessage(call.cost, true, bytes);
    const key = pendingkey(conn, fcall.tag, e);
    const asked = { fcall, event: this.#recorded(e) ? this.#nevent : -1 };
    const list = this.#pending.get(key);
    if (list === undefined) this.#pending.set(key, [asked]);
    else list.push(asked);
    return { type: "send", conn, fcall: cutdata(fcall, this.#snap), bytes, off };
  }

  #receive(e: Event & { type: "receive" }, call: Rcall | undefined): Rbody {
    const { conn, fcall, bytes, off } = e;
    if (call !== undefined && call.ended === null) addmessage(call.cost, false, bytes);
    const of = this.#answered(pendingkey(conn, fcall.tag, e), fcall, conn);
    return { type: "receive", conn, fcall: cutdata(fcall, this.#snap), bytes, off, of };
  }

  /** The event of the request that f answers. Requests of one tag are answered in order. */
  #answered(key: string, f: Fcall, conn: number): number {
    const list = this.#pending.get(key);
    const asked = list?.[0];
    if (list === undefined || asked === undefined) return -1;
    // A run goes on until an Rstream without data.
    if (f.type === Rstream && asked.fcall.type === Tstream && f.data.length > 0) return asked.event;
    list.shift();
    if (list.length === 0) this.#pending.delete(key);
    // What was flushed is answered no more.
    if (asked.fcall.type === Tflush) this.#pending.delete(`${conn} ${asked.fcall.oldtag}`);
    return asked.event;
  }

  #space(p: Picture): number {
    if (this.#limit === 0) return -1;
    let n = this.#spaceno.get(p);
    if (n === undefined) {
      if (this.#full) return -1;
      n = this.#spaces.push(p) - 1;
      this.#spaceno.set(p, n);
    }
    return n;
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

  #place(stack: string | undefined): Place | null {
    const found = stack === undefined ? null : (this.#opts.place?.(stack) ?? null);
    if (found === null) return null;
    let source = this.#sources.findIndex((s) => s.name === found.source.name);
    if (source < 0) source = this.#sources.push(found.source) - 1;
    return { source, line: found.line, column: found.column };
  }
}

/** The message of an event, with all its data. */
function message(e: Event): Fcall | null {
  return e.type === "send" || e.type === "receive" ? e.fcall : null;
}

/** Where a request waits for its answer. Versions may be agreed on for several connections at once. */
function pendingkey(conn: number, tag: number, e: Event): string {
  return conn === 0 ? `0 ${tag} ${e.call?.id ?? e.pid}` : `${conn} ${tag}`;
}

/** Takes the first that fits out of a list. */
function drop<T>(list: T[], fits: (x: T) => boolean): void {
  const i = list.findIndex(fits);
  if (i >= 0) list.splice(i, 1);
}

/** A connection whose roots are still to come. */
type Openconn = Rconn & { readonly roots: number[] };

/** A request that waits for its answer. */
type Asked = { readonly fcall: Fcall; readonly event: number };

/** The step of namec that an event is, without what all events have. */
function step(e: Event & { type: "namec" }): Rbody {
  const { at: _at, pid: _pid, call: _call, ...body } = e;
  return body;
}

function conn({ conn, name, peer, wire, version, at }: Event & { type: "conn" }): Openconn {
  return { conn, name, peer, wire, version, roots: [], opened: at };
}

function wire({ way, conv, wire, bytes, off, left }: Event & { type: "wire" }): Rbody {
  return { type: "wire", way, conv, wire, bytes, off, left };
}

/** The message with the first `snap` bytes of its data, copied: its buffer is the kernel's. */
function cutdata(f: Fcall, snap: number): Fcall {
  if ("data" in f) return { ...f, data: f.data.slice(0, snap) };
  if ("stat" in f) return { ...f, stat: f.stat.slice() };
  return f;
}

/** How deep a value of a program is copied, and how many values in it. */
const DEEP = 16;
const MANY = 1000;
const CUT = "…";

/**
 * A copy of an argument or a value: of data the first bytes, of a function its name. A program may give what is
 * deep, or holds itself: that is cut.
 */
function kept(value: unknown, snap: number): unknown {
  let left = MANY;
  const copy = (v: unknown, depth: number): unknown => {
    if (v instanceof Uint8Array) return v.slice(0, snap);
    if (typeof v === "function") return v.name === "" ? "program" : v.name;
    if (typeof v !== "object" || v === null) return v ?? null;
    if (--left < 0 || depth === DEEP) return CUT;
    if (Array.isArray(v)) return v.slice(0, MANY).map((x) => copy(x, depth + 1));
    return Object.fromEntries(Object.entries(v).map(([key, x]) => [key, copy(x, depth + 1)]));
  };
  return copy(value, 0);
}
