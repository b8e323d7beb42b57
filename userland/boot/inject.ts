// Faults as a person writes them, in the manner of strace's --inject:
//
//	Tread:when=3:error=i/o error       the third Tread fails
//	Rread,Rwrite:conn=far:delay=20ms   every such reply of far comes 20 ms later
//	Twalk:when=2+:drop                 from the second on none reaches the server
//	write:path=/tmp/*:error=no room    every write to a file below /tmp fails
//	read:when=3:short=1                the third read is one of a single byte
//	open:when=2:note=alarm             the second open is interrupted by a note
//
// What they do is in devices/fault.

import { newfilter } from "../../devices/fault/wire.ts";
import { spoilcalls } from "../../devices/fault/calls.ts";
import {
  CALLNAMES,
  FDCALLS,
  FILECALLS,
  SHORTCALLS,
  canhave,
} from "../../devices/fault/callcount.ts";
import type { Calleffect, Callfault } from "../../devices/fault/callcount.ts";
import { Faults, SHORTABLE } from "../../devices/fault/faults.ts";
import { callrow } from "../../kernel/abi/calls.ts";
import { MESSAGES } from "../../kernel/abi/fcallfmt.ts";
import type { Injected, Anyfault, Effect, Fault, When } from "../../devices/fault/faults.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Config } from "../../kernel/kernel.ts";
import { nearest } from "../lib/nearest.ts";
import { utflen } from "../../kernel/abi/utf.ts";
import { Unitserror, parsetime, showtime } from "./units.ts";

/** How a fault of messages is written. */
const FAULTFORM =
  "MSG[,MSG...][:when=N|N+|N..M|N+STEP][:conn=N|NAME]:error=TEXT|delay=T|drop|hangup|short=N";
/** How a fault of calls is written. */
const CALLFORM =
  "CALL[,CALL...][:when=N|N+|N..M|N+STEP][:path=PATTERN][:fd=N][:proc=N|NAME]:error=TEXT|delay=T|short=N|note=TEXT|kill";

const EFFECTS = "error=TEXT, delay=T, drop, hangup or short=N";
const CALLEFFECTS = "error=TEXT, delay=T, short=N, note=TEXT or kill";
/** What an error string may have: ERRMAX. */
const MAXERROR = 127;
/** What a note may have. */
const MAXNOTE = 126;

/** Faults in either form: as text, or taken apart. */
export type Inject = Faults | readonly (string | Anyfault)[];

/** The parts of a fault as they are read. */
type Parts = {
  when?: When;
  conn?: number | string;
  path?: string;
  fd?: number;
  proc?: number | string;
  effect?: Effect | Calleffect;
};

/** One of the two kinds: its conditions beside when, its effects, and how it is written. */
type Kind = {
  readonly conditions: readonly (keyof Parts)[];
  readonly effects: readonly string[];
  readonly said: string;
  readonly form: string;
};

const OFMESSAGES: Kind = {
  conditions: ["when", "conn"],
  effects: ["error", "delay", "drop", "hangup", "short"],
  said: EFFECTS,
  form: FAULTFORM,
};
const OFCALLS: Kind = {
  conditions: ["when", "path", "fd", "proc"],
  effects: ["error", "delay", "short", "note", "kill"],
  said: CALLEFFECTS,
  form: CALLFORM,
};

/**
 * Reads a fault of 9P messages or of system calls, as --inject takes it.
 *
 * @param text which messages or calls, when, and the effect: "Tread:when=3:error=i/o error"
 * @returns the fault
 * @throws Unitserror the text cannot be read; the message names the part
 * @example
 * ```ts
 * parsefault("write:path=/tmp/*:when=2:error=file system full");
 * ```
 */
export function parsefault(text: string): Anyfault {
  const [first = "", ...parts] = split(text);
  const names = first.split(",");
  const kind = kindof(text, names);
  const given: Parts = {};
  for (const part of parts) take(text, kind, given, part);
  const { effect, ...rest } = given;
  if (effect === undefined) throw bad(text, `what is to happen? ${kind.said}`, kind);
  if (kind === OFMESSAGES) {
    if (effect.what === "short") checkshort(text, names);
    return { messages: names, ...rest, effect } as Fault;
  }
  const fault = { calls: names, ...rest, effect } as Callfault;
  checkcalls(text, fault);
  return fault;
}

/** The parts between colons; the text of an error or a note may have some, and is the last. */
function split(text: string): string[] {
  const at = text.search(/:(?:error|note)=/);
  if (at < 0) return text.split(":");
  return [...text.slice(0, at).split(":"), text.slice(at + 1)];
}

function bad(text: string, what: string, kind: Kind): Unitserror {
  return new Unitserror(`fault '${text}': ${what}`, kind.form);
}

const ismessage = (name: string): boolean => /^[TR]?\*$/.test(name) || MESSAGES.has(name);
const iscall = (name: string): boolean => name === "call" || CALLNAMES.includes(name);

/** What the names are of: all must be of one kind. */
function kindof(text: string, names: readonly string[]): Kind {
  const [first = ""] = names;
  const kind = ismessage(first) || !/^[a-z_]/.test(first) || tagged(first) ? OFMESSAGES : OFCALLS;
  for (const name of names) {
    if (kind === OFMESSAGES ? ismessage(name) : iscall(name)) continue;
    if (ismessage(name) || iscall(name))
      throw bad(text, `${first} and ${name}: messages and calls are faults of their own`, kind);
    throw bad(text, name === "" ? "no message is named" : unknown(name, kind), kind);
  }
  return kind;
}

/** tread: a message that is written like a call. */
const tagged = (name: string): boolean => near(name, [...MESSAGES.keys()]) !== null;

const near = (name: string, list: readonly string[]): string | null =>
  list.find((n) => n.toLowerCase() === name.toLowerCase()) ?? null;

function unknown(name: string, kind: Kind): string {
  const messages = [...MESSAGES.keys()];
  const meant = kind === OFCALLS ? (callrow(name)?.as ?? nearest(name, CALLNAMES)) : null;
  const close = near(name, [...messages, ...CALLNAMES]) ?? meant;
  const [what, there] =
    kind === OFMESSAGES
      ? ["message", `${messages.join(" ")}, T*, R* and *`]
      : ["system call", `${CALLNAMES.join(" ")}, and call, which is any`];
  return `there is no ${what} '${name}'; ${close === null ? `there are ${there}` : `did you mean ${close}?`}`;
}

/** Takes one part in. */
function take(text: string, kind: Kind, given: Parts, part: string): void {
  const [key = "", value] = part.split(/=(.*)/s);
  const condition = kind.conditions.find((c) => c === key);
  if (condition !== undefined) {
    if (given[condition] !== undefined) throw bad(text, `${key} is given twice`, kind);
    Object.assign(given, { [key]: conditionof(text, kind, { key, value: value ?? "" }) });
  } else if (!kind.effects.includes(key)) throw bad(text, unknownpart(key, kind), kind);
  else if (given.effect !== undefined)
    throw bad(text, `${key}: one effect for each fault, of ${kind.said}`, kind);
  else given.effect = effect(text, kind, { key, value });
}

function unknownpart(key: string, kind: Kind): string {
  const other = kind === OFCALLS ? OFMESSAGES : OFCALLS;
  const [mine, theirs] = kind === OFCALLS ? ["calls", "9P messages"] : ["9P messages", "calls"];
  if (other.conditions.some((c) => c === key) || other.effects.includes(key))
    return `${key} is for ${theirs}; for ${mine} there are ${kind.conditions.join(", ")}, ${kind.said}`;
  return `unknown '${key}': there are ${kind.conditions.join(", ")}, ${kind.said}`;
}

/** A part as it was written. */
type Part<V> = { readonly key: string; readonly value: V };

function conditionof(text: string, kind: Kind, { key, value }: Part<string>): Parts[keyof Parts] {
  switch (key) {
    case "when":
      return when(text, kind, value);
    case "conn":
      if (value !== "") return /^\d+$/.test(value) ? Number(value) : value;
      throw bad(
        text,
        "conn=: it is a connection's number, or who is at its other end, such as far",
        kind,
      );
    case "path":
      if (/^[/#*?]/.test(value)) return value;
      throw bad(
        text,
        `path=${value}: it is a name from the root, in which * is any text and ? any character, such as /tmp/*`,
        kind,
      );
    case "fd":
      if (/^\d{1,6}$/.test(value)) return Number(value);
      throw bad(text, `fd=${value}: it is a descriptor's number, such as fd=3`, kind);
    default:
      if (value !== "") return /^\d+$/.test(value) ? Number(value) : value;
      throw bad(text, "proc=: it is a process's number, or the name of its program", kind);
  }
}

function when(text: string, kind: Kind, value: string): When {
  const m = /^(\d{1,15})(?:(\+)(\d{1,15})?|\.\.(\d{1,15}))?$/.exec(value);
  const first = Number(m?.[1]);
  const step = Number(m?.[3] ?? 1);
  const last = m?.[2] === undefined ? Number(m?.[4] ?? first) : Infinity;
  const what = kind === OFCALLS ? "call" : "message";
  if (m === null || first < 1 || step < 1 || last < first)
    throw bad(
      text,
      `when=${value}: it is N, the Nth ${what}, counted from 1; N+, all from there; N..M; or N+STEP`,
      kind,
    );
  return { first, last, step };
}

function effect(text: string, kind: Kind, part: Part<string | undefined>): Effect | Calleffect {
  const { key, value } = part;
  switch (key) {
    case "error":
      return { what: "error", ename: within(text, kind, { part, most: MAXERROR }) };
    case "note":
      return { what: "note", note: within(text, kind, { part, most: MAXNOTE }) };
    case "delay":
      return { what: "delay", ns: time(text, kind, value) };
    case "short":
      if (value === undefined || !/^\d{1,9}$/.test(value))
        throw bad(text, `short=${value ?? ""}: it is a number of bytes, such as short=100`, kind);
      return { what: "short", bytes: Number(value) };
    default:
      if (value !== undefined) throw bad(text, `${key} has no value`, kind);
      return { what: key } as Effect | Calleffect;
  }
}

/** A part of a fault's text, and how many bytes it may have. */
type Bounded = { readonly part: Part<string | undefined>; readonly most: number };

/** The text of an error or a note. */
function within(text: string, kind: Kind, { part, most }: Bounded): string {
  const { key, value } = part;
  if (value === undefined || value === "" || utflen(value) > most)
    throw bad(text, `${key}=TEXT: TEXT is from 1 to ${most} bytes`, kind);
  return value;
}

function time(text: string, kind: Kind, value = ""): number {
  try {
    return parsetime(value);
  } catch (e) {
    throw e instanceof Unitserror
      ? bad(text, `delay=${value}: it is a time, such as 50ms`, kind)
      : e;
  }
}

function checkshort(text: string, list: readonly string[]): void {
  const wrong = list.find((m) => !m.endsWith("*") && !SHORTABLE.includes(m));
  if (wrong !== undefined)
    throw bad(text, `a ${wrong} cannot be short; ${SHORTABLE.join(", ")} can`, OFMESSAGES);
}

/** Refuses what can fit no call. */
function checkcalls(text: string, { calls, path, fd, effect: { what } }: Callfault): void {
  const able = canhave(what);
  for (const name of calls.filter((n) => n !== "call")) {
    if (!able.includes(name))
      throw bad(
        text,
        what === "short"
          ? `${name} cannot be short; ${SHORTCALLS.join(", ")} can`
          : `${name} does not come back, so it cannot fail`,
        OFCALLS,
      );
    if (path !== undefined && !FILECALLS.includes(name))
      throw bad(text, `path=${path}: ${name} is about no file`, OFCALLS);
    if (fd !== undefined && !FDCALLS.includes(name))
      throw bad(text, `fd=${fd}: ${name} takes no descriptor; path= names its file`, OFCALLS);
  }
}

/**
 * Writes a fault as text.
 *
 * @param f the fault
 * @returns the text, which parsefault reads
 * @example
 * ```ts
 * faultfmt(parsefault("Tread:drop")); // "Tread:drop"
 * ```
 */
export function faultfmt(f: Anyfault): string {
  const parts = [("calls" in f ? f.calls : f.messages).join(",")];
  if (f.when !== undefined) parts.push(`when=${whenfmt(f.when)}`);
  const { conn, path, fd, proc }: Parts = f;
  for (const [key, value] of Object.entries({ conn, path, fd, proc }))
    if (value !== undefined) parts.push(`${key}=${value}`);
  parts.push(effectfmt(f.effect));
  return parts.join(":");
}

function whenfmt({ first, last, step }: When): string {
  if (last === Infinity) return step === 1 ? `${first}+` : `${first}+${step}`;
  return last === first ? `${first}` : `${first}..${last}`;
}

function effectfmt(e: Effect | Calleffect): string {
  switch (e.what) {
    case "error":
      return `error=${e.ename}`;
    case "note":
      return `note=${e.note}`;
    case "delay":
      return `delay=${showtime(e.ns)}`;
    case "short":
      return `short=${e.bytes}`;
    case "drop":
    case "hangup":
    case "kill":
      return e.what;
  }
}

/** What the faults that were never done say for themselves. */
export function unfired(faults: Pick<Faults, "list">): string[] {
  return faults.list
    .filter((i) => i.done === 0)
    .map((i) => `the fault '${faultfmt(i.fault)}' was not injected: ${metfmt(i)}`);
}

/** How often there was what a fault names. */
function metfmt({ fault, named, seen }: Injected): string {
  const n = named === 1 ? "once" : `${named} times`;
  const [names, never, often] =
    "calls" in fault
      ? [fault.calls, "was never made", `was made ${n}`]
      : [fault.messages, "never passed", `passed ${n}`];
  const such = seen === named ? "" : `, and ${seen} of these fit the fault`;
  const what = names.includes("call") ? "a system call" : names.join(" or ");
  return `${what} ${named === 0 ? never : `${often}${such}`}`;
}

/** Faults at work, whichever way they were given. */
export function faultsof(inject: Inject): Faults {
  if (inject instanceof Faults) return inject;
  const faults = new Faults();
  for (const f of inject) faults.add(typeof f === "string" ? parsefault(f) : f);
  return faults;
}

/** What boot does for faults: to a kernel's configuration, and to the kernel. */
export function faulty(inject: Inject | undefined): {
  readonly config: Pick<Config, "filter">;
  readonly attach: (k: Kernel) => void;
} {
  if (inject === undefined) return { config: {}, attach: () => undefined };
  const faults = faultsof(inject);
  return { config: { filter: newfilter(faults) }, attach: (k) => spoilcalls(k, faults) };
}
