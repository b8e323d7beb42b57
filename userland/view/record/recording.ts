// The recording of a run: everything that the trace bus said, as plain data with a version. Whatever shows,
// explains, counts or checks a run reads a Recording and asks the kernel nothing. How one is made is in
// recorder.ts; here is what it consists of, what its calls cost, and its form as JSON. Costs are counted message by
// message, by every reader in one way. Base64 (RFC 4648) is written here, since no host is known.
//
// Events are in the order they happened. An event names its cause by number: its message's call, the call's
// process and line of the program; and the name space of that moment by its number in `spaces`, which holds
// every name space once. Numbers are indexes into the lists of the recording; -1 stands for none.

import type { Picture } from "../../../kernel/names/namespace.ts";
import { Ekilled } from "../../../kernel/abi/errors.ts";
import type { Fact } from "../../../kernel/abi/errors.ts";
import type { EventBody, Pipeend, Standing } from "../../../kernel/trace.ts";
import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";

/** What every recording calls itself. */
export const FORMAT = "namec recording";
/** Counted up by each change that an older reader would misread. */
export const VERSION = 2;
/** The oldest that is still read: it has no groups, descriptors and pipes. */
export const OLDEST = 1;

/** How the run was made. Times are nanoseconds of the kernel's clock. */
export type About = {
  /** The program, or the call, as it was given. */
  readonly program: string;
  /** Which name space: "names" or "standard". */
  readonly namespace: "names" | "standard";
  /** "real" or "virtual". */
  readonly clock: "virtual" | "real";
  /** Where chance came from. */
  readonly seed: number;
  /** The machine that is recorded. */
  readonly machine: string;
  /** The simulated machines around it, as --host has them: "far:rtt=50ms". */
  readonly hosts: readonly string[];
  /** What spoilt its messages, as --inject has it: "Tread:when=3:error=i/o error". */
  readonly inject?: readonly string[];
  /** The schedule of the explorer that the recording is of; it is absent if no explorer ran it. */
  readonly explored?: {
    /** The schedule, as --schedule takes it. */
    readonly schedule: string;
    /** What was found in it: "deadlock". */
    readonly found: string;
  };
};

/** A place in the program: an index into `sources`, line and column from 1. */
export type Place = { readonly source: number; readonly line: number; readonly column: number };

/** A file of the program. */
export type Source = { readonly name: string; readonly text: string };

/** A 9P connection. Number 0 is the one of which no version is agreed on yet. */
export type Rconn = {
  readonly conn: number;
  /** Of the file that it runs over: "/net/tcp/1/data", "#|/data". */
  readonly name: string;
  /** Who is at the other end: "far!564"; null when it has no name, as behind a pipe. */
  readonly peer: string | null;
  /** Its number in "wire" events; null where nothing is known of the wire. */
  readonly wire: number | null;
  /** The end of a pipe that it runs over; the server is at the other end. */
  readonly pipe: Pipeend | null;
  /** Of 9P, as agreed on: "9P2000.ix.stream". */
  readonly version: string;
  /** The fids of the roots of its trees, one for each attach. */
  readonly roots: readonly number[];
  readonly opened: number;
};

/** A process that was seen. */
export type Rproc = { readonly pid: number; text: string };

/** A system call. */
export type Rcall = {
  /** The call's number. */
  readonly id: number;
  /** The process that made it. */
  readonly pid: number;
  /** The call's name. */
  readonly name: string;
  /** With its arguments, as a programmer writes them: open("/n/far/x", OREAD). */
  readonly text: string;
  /** Copies; of data the first bytes, of a function its name. */
  readonly args: readonly unknown[];
  /** When it began, in nanoseconds. */
  readonly began: number;
  /** null while it is in progress. */
  ended: number | null;
  /** What it gave, in words: "3", "-1: file does not exist". */
  result: string;
  /** What it gave. */
  value: unknown;
  /** Its error string, null when it succeeded or is in progress. */
  error: string | null;
  /** What the error rests on, where the device has said so; recordings of version 1 have none. */
  fact?: Fact | null;
  /** What it cost. */
  readonly cost: Cost;
  /** The program's line that made it. */
  readonly line: Place | null;
  /** Its name space: an index into `spaces`. */
  readonly space: number;
  /** Its dot. */
  readonly dot: string;
  /** Of a call on a descriptor, the path of its file. */
  readonly file: string | null;
  /** And the number of its Chan; 0 for none. */
  readonly chan: number;
  /** Its first event, "call", and its last so far. */
  readonly first: number;
  /** The index of its last event. */
  last: number;
};

/** What the program wrote on its console, and the event that came before it (-1: none did). */
export type Rsaid = { readonly event: number; readonly to: "out" | "err"; readonly text: string };

type Told<T extends EventBody["type"]> = Extract<EventBody, { readonly type: T }>;

/**
 * What an event says: what the trace told, but for what stands elsewhere in the recording. Data of messages
 * is cut to what the recorder keeps; `bytes` is the size of the message on the wire.
 */
export type Rbody =
  | Told<"call">
  | Pick<Told<"return">, "type" | "offset">
  | Told<"sleep">
  | Told<"namec">
  | Omit<Told<"mount">, "table">
  | Told<"send">
  /** `of`: the event of the request that it answers. */
  | (Told<"receive"> & { readonly of: number })
  | Pick<Told<"conn">, "type" | "conn" | "what">
  | Told<"wire">
  /** Of "start" and "groups" the event's `space` is the name space of the process. */
  | (Omit<Told<"proc">, "of" | "crash"> & {
      readonly of?: Omit<Standing, "table">;
      /** Of "exit", the line of the program that threw what ended it. */
      readonly line?: Place;
    })
  | Told<"fd">
  | Told<"pipe">
  | Told<"env">;

/** An event: when, in which process, because of which call, in which name space. */
export type Revent = {
  /** When, in nanoseconds. */
  readonly at: number;
  /** The process that it happened in. */
  readonly pid: number;
  /** The call that it belongs to; 0 for none. */
  readonly call: number;
  /** Its name space: an index into `spaces`. */
  readonly space: number;
} & Rbody;

/** An event that is a message. */
export type Rmessage = Revent & { readonly type: "send" | "receive" };

/** Whether an event is a message. */
export function ismessage(e: Revent | undefined): e is Rmessage {
  return e?.type === "send" || e?.type === "receive";
}

/** The connection of this number; undefined where a recording has none. */
export const connin = (r: Recording, conn: number): Rconn | undefined =>
  r.conns.find((c) => c.conn === conn);

/** The program of a process; "" where that is not known. */
export const programof = (r: Recording, pid: number): string =>
  r.procs.find((p) => p.pid === pid)?.text ?? "";

/** A line of the program: "hello.ts:12". */
export const placefmt = (r: Recording, { source, line }: Place): string =>
  `${r.sources[source]?.name ?? "?"}:${line}`;

/** exits and exec end the program that calls them: the error of such a call says so, and is no failure. */
export const isover = ({ name, error }: Rcall): boolean =>
  error === Ekilled && (name === "exits" || name === "_exits" || name === "exec");

/** The error string without the name in front of it. */
export const bare = (error: string): string => error.replace(/^'(?:[^']|'')*' /, "");

/** Whether an error string says that there is no such file, in the words of any server. */
export const isgone = (error: string): boolean => /does not exist$|not found$/.test(error);

/** How many entries of a sorted list are less than n. */
export function rank(list: ArrayLike<number>, n: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((list[mid] ?? 0) < n) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Adds to the list that a key has. */
export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** What --inject did to a message, known by its event, or to a call; the other of the two is -1. */
export type Injection = {
  /** The index of the message's event; -1 for a call. */
  readonly event: number;
  /** The number of the call; -1 for a message. */
  readonly call: number;
  /** The fault as it was given to --inject. */
  readonly option: string;
  /** What it does: "delay". */
  readonly what: string;
  /** How much: "100ms". */
  readonly value: string;
  /** The same in a sentence. */
  readonly text: string;
};

/** A run. */
export type Recording = {
  /** "namec recording". */
  readonly format: typeof FORMAT;
  /** The version of this format. */
  readonly version: typeof VERSION;
  /** The program, the machines, the name space. */
  readonly about: About;
  /** The program's files. */
  readonly sources: readonly Source[];
  /** The 9P connections. */
  readonly conns: readonly Rconn[];
  /** The processes. */
  readonly procs: readonly Rproc[];
  /** The system calls. */
  readonly calls: readonly Rcall[];
  /** The name spaces. */
  readonly spaces: readonly Picture[];
  /** Everything that happened, in order. */
  readonly events: readonly Revent[];
  /**
   * What there was when it began, as the events that would have told of it: processes, descriptors, variables,
   * what waited in pipes. Empty in one of version 1, which knows none of it.
   */
  readonly start: readonly Revent[];
  /** What programs wrote on the console. */
  readonly said: readonly Rsaid[];
  /** Events that came when the recording was full. */
  readonly lost: number;
  /** What --inject did; none where nothing was injected. */
  readonly injected?: readonly Injection[];
};

/** A text that is no recording; the message says why. */
export class Recordingerror extends Error {}

function plain(_key: string, v: unknown): unknown {
  if (typeof v === "bigint") return { $bigint: v.toString() };
  if (v instanceof Uint8Array) return { $bytes: base64(v) };
  return v;
}

function damaged(text: string): never {
  throw new Recordingerror(`$bytes ${text.slice(0, 20)} is no base64`);
}

/** A value of the document with its bigints and bytes; objects are changed in place, which a reviver takes thrice as long for. */
function revived(v: unknown): unknown {
  if (typeof v !== "object" || v === null) return v;
  for (const key of Object.keys(v)) {
    const x: unknown = Reflect.get(v, key);
    if (typeof x !== "object" || x === null) continue;
    const now = revived(x);
    if (now !== x) Reflect.set(v, key, now);
  }
  if ("$bigint" in v && typeof v.$bigint === "string") return BigInt(v.$bigint);
  if ("$bytes" in v && typeof v.$bytes === "string") return unbase64(v.$bytes) ?? damaged(v.$bytes);
  return v;
}

/**
 * Writes a recording as one JSON document. A bigint is {"$bigint": "1"}, bytes are {"$bytes": base64}.
 *
 * @param r the recording
 * @returns the document
 * @example
 * ```ts
 * writeFileSync("run.json", tojson(recorder.recording));
 * ```
 */
export function tojson(r: Recording): string {
  return JSON.stringify(r, plain);
}

/**
 * Reads a recording from a JSON document.
 *
 * @param text what tojson or `namec step --json` wrote
 * @returns the recording
 * @throws Recordingerror the text is no recording, or one of another version
 * @example
 * ```ts
 * const recording = fromjson(readFileSync("run.json", "utf8"));
 * ```
 */
export function fromjson(text: string): Recording {
  let r: unknown;
  try {
    r = revived(JSON.parse(text));
  } catch (e) {
    throw new Recordingerror(`not a recording: ${e instanceof Error ? e.message : String(e)}`);
  }
  if (typeof r !== "object" || r === null || !("format" in r) || r.format !== FORMAT)
    throw new Recordingerror(`not a recording: there is no format "${FORMAT}"`);
  const version = "version" in r ? r.version : "none";
  if (version !== VERSION && version !== OLDEST)
    throw new Recordingerror(
      `a recording of version ${String(version)}; this namec reads versions ${OLDEST} to ${VERSION}`,
    );
  const lists = ["sources", "conns", "procs", "calls", "spaces", "events", "said"];
  for (const list of version === OLDEST ? lists : [...lists, "start"])
    if (!Array.isArray(Reflect.get(r, list)))
      throw new Recordingerror(`a recording without its list of ${list}`);
  for (const list of ["conns", "procs", "calls", "events"])
    if (!listof(Reflect.get(r, list)))
      throw new Recordingerror(`a recording with something else among its ${list}`);
  const injected: unknown = Reflect.get(r, "injected");
  if (injected !== undefined && !listof(injected))
    throw new Recordingerror("a recording with something else among what was injected");
  return version === OLDEST ? ofold(r as Recording) : (r as Recording);
}

/** Whether all of a list are objects, as readers of a recording take them to be. */
const listof = (list: unknown): boolean =>
  Array.isArray(list) && list.every((x) => typeof x === "object" && x !== null);

/** A recording of version 1 as one of today, with what it does not know left out. */
function ofold(r: Recording): Recording {
  return {
    ...r,
    version: VERSION,
    start: [],
    conns: r.conns.map((c) => ({ ...c, pipe: null })),
    calls: r.calls.map((c) => ({ ...c, chan: 0 })),
    events: r.events.map((e) => {
      if (e.type === "return") return { ...e, offset: -1 };
      return e.type === "mount" ? { ...e, pgrp: 0 } : e;
    }),
  };
}

const LETTERS: Uint8Array = utfencode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const PAD = 0x3d;
/** Of no letter. */
const BAD = 0xff;

const VALUES: Uint8Array = new Uint8Array(256).fill(BAD);
for (const [value, letter] of LETTERS.entries()) VALUES[letter] = value;

/** Bytes as base64, filled up with "=". */
export function base64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PAD);
  for (let i = 0, o = 0; i < bytes.length; i += 3, o += 4) {
    const [a = 0, b = 0, c = 0] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    const n = (a << 16) | (b << 8) | c;
    text[o] = LETTERS[n >> 18] ?? BAD;
    text[o + 1] = LETTERS[(n >> 12) & 63] ?? BAD;
    if (i + 1 < bytes.length) text[o + 2] = LETTERS[(n >> 6) & 63] ?? BAD;
    if (i + 2 < bytes.length) text[o + 3] = LETTERS[n & 63] ?? BAD;
  }
  return utfdecode(text, 0, text.length);
}

/** The bytes that base64 gave as this text; null when it gave no such text. */
export function unbase64(text: string): Uint8Array | null {
  const m = /^([A-Za-z0-9+/]*)(={0,2})$/.exec(text);
  if (m === null || text.length % 4 !== 0) return null;
  const bytes = new Uint8Array((text.length / 4) * 3 - (m[2] ?? "").length);
  const value = (i: number): number => {
    const v = VALUES[text.charCodeAt(i)] ?? BAD;
    return v === BAD ? 0 : v;
  };
  for (let i = 0, o = 0; i < text.length; i += 4, o += 3) {
    const n = (value(i) << 18) | (value(i + 1) << 12) | (value(i + 2) << 6) | value(i + 3);
    bytes[o] = n >> 16;
    if (o + 1 < bytes.length) bytes[o + 1] = n >> 8;
    if (o + 2 < bytes.length) bytes[o + 2] = n;
  }
  return bytes;
}

/** What a call has cost so far. */
export type Cost = {
  /** Times that it waited for a server. */
  trips: number;
  /** 9P messages, requests and replies. */
  messages: number;
  /** Bytes of messages, both ways. */
  bytes: number;
  /** Something was sent that has no answer yet. */
  asked: boolean;
};

export function newcost(): Cost {
  return { trips: 0, messages: 0, bytes: 0, asked: false };
}

/** Counts a message. A round trip is a reply to what was sent since the last one: a window of requests is one. */
export function addmessage(cost: Cost, sending: boolean, bytes: number): void {
  cost.messages++;
  cost.bytes += bytes;
  if (sending) cost.asked = true;
  else if (cost.asked) {
    cost.trips++;
    cost.asked = false;
  }
}
