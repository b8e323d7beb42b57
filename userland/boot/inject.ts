// Faults as a person writes them, in the manner of strace's --inject:
//
//	Tread:when=3:error=i/o error       the third Tread fails
//	Rread,Rwrite:conn=far:delay=20ms   every such reply of far comes 20 ms later
//	Twalk:when=2+:drop                 from the second on none reaches the server
//
// What they do is in devices/fault/wire.ts.

import { newfilter } from "../../devices/fault/wire.ts";
import { Faults, SHORTABLE } from "../../devices/fault/faults.ts";
import { MESSAGES } from "../../kernel/abi/fcallfmt.ts";
import type { Effect, Fault, When } from "../../devices/fault/faults.ts";
import type { Config } from "../../kernel/kernel.ts";
import { utflen } from "../../kernel/abi/utf.ts";
import { Unitserror, parsetime, showtime } from "./units.ts";

/** How a fault is written. */
const FAULTFORM =
  "MSG[,MSG...][:when=N|N+|N..M|N+STEP][:conn=N|NAME]:error=TEXT|delay=T|drop|hangup|short=N";

const EFFECTS = "error=TEXT, delay=T, drop, hangup or short=N";
/** What an error string may have: ERRMAX. */
const MAXERROR = 127;

/** Faults in either form: as text, or taken apart. */
export type Inject = Faults | readonly (string | Fault)[];

/** The fault that a text asks for. Throws Unitserror. */
export function parsefault(text: string): Fault {
  const [messages = "", ...parts] = split(text);
  const fault: { when?: When; conn?: number | string; effect?: Effect } = {};
  const list = messages.split(",").map((m) => message(text, m));
  for (const part of parts) {
    const [key = "", value] = part.split(/=(.*)/s);
    if (key === "when" && fault.when === undefined) fault.when = when(text, value);
    else if (key === "conn" && fault.conn === undefined) fault.conn = conn(text, value);
    else if (key === "when" || key === "conn") throw bad(text, `${key} is given twice`);
    else if (fault.effect === undefined) fault.effect = effect(text, key, value);
    else throw bad(text, `${key}: one effect for each fault, of ${EFFECTS}`);
  }
  if (fault.effect === undefined) throw bad(text, `what is to happen? ${EFFECTS}`);
  if (fault.effect.what === "short") checkshort(text, list);
  return { messages: list, ...fault, effect: fault.effect };
}

/** The parts between colons; the text of an error may have some, and is the last. */
function split(text: string): string[] {
  const at = text.search(/:error=/);
  if (at < 0) return text.split(":");
  return [...text.slice(0, at).split(":"), text.slice(at + 1)];
}

function bad(text: string, what: string): Unitserror {
  return new Unitserror(`fault '${text}': ${what}`, FAULTFORM);
}

function message(text: string, name: string): string {
  if (/^[TR]?\*$/.test(name) || MESSAGES.has(name)) return name;
  const close = [...MESSAGES.keys()].find((m) => m.toLowerCase() === name.toLowerCase());
  const names = [...MESSAGES.keys()].join(" ");
  throw bad(
    text,
    name === ""
      ? "no message is named"
      : `there is no message '${name}'; ${close === undefined ? `there are ${names}, T*, R* and *` : `did you mean ${close}?`}`,
  );
}

function when(text: string, value = ""): When {
  const m = /^(\d{1,15})(?:(\+)(\d{1,15})?|\.\.(\d{1,15}))?$/.exec(value);
  const first = Number(m?.[1]);
  const step = Number(m?.[3] ?? 1);
  const last = m?.[2] === undefined ? Number(m?.[4] ?? first) : Infinity;
  if (m === null || first < 1 || step < 1 || last < first)
    throw bad(
      text,
      `when=${value}: it is N, the Nth message, counted from 1; N+, all from there; N..M; or N+STEP`,
    );
  return { first, last, step };
}

function conn(text: string, value = ""): number | string {
  if (value === "")
    throw bad(text, "conn=: it is a connection's number, or who is at its other end, such as far");
  return /^\d+$/.test(value) ? Number(value) : value;
}

function effect(text: string, key: string, value: string | undefined): Effect {
  switch (key) {
    case "error":
      if (value === undefined || value === "" || utflen(value) > MAXERROR)
        throw bad(text, `error=TEXT: TEXT is from 1 to ${MAXERROR} bytes`);
      return { what: "error", ename: value };
    case "delay":
      return { what: "delay", ns: time(text, value) };
    case "short":
      if (value === undefined || !/^\d{1,9}$/.test(value))
        throw bad(text, `short=${value ?? ""}: it is a number of bytes, such as short=100`);
      return { what: "short", bytes: Number(value) };
    case "drop":
    case "hangup":
      if (value !== undefined) throw bad(text, `${key} has no value`);
      return { what: key };
    default:
      throw bad(text, `unknown '${key}': there are when, conn, ${EFFECTS}`);
  }
}

function time(text: string, value = ""): number {
  try {
    return parsetime(value);
  } catch (e) {
    throw e instanceof Unitserror ? bad(text, `delay=${value}: it is a time, such as 50ms`) : e;
  }
}

function checkshort(text: string, list: readonly string[]): void {
  const wrong = list.find((m) => !m.endsWith("*") && !SHORTABLE.includes(m));
  if (wrong !== undefined)
    throw bad(text, `a ${wrong} cannot be short; ${SHORTABLE.join(", ")} can`);
}

/** A fault as text: what parsefault reads. */
export function faultfmt(f: Fault): string {
  const { messages, when: w, conn: c, effect: e } = f;
  const parts = [messages.join(",")];
  if (w !== undefined) parts.push(`when=${whenfmt(w)}`);
  if (c !== undefined) parts.push(`conn=${c}`);
  parts.push(effectfmt(e));
  return parts.join(":");
}

function whenfmt({ first, last, step }: When): string {
  if (last === Infinity) return step === 1 ? `${first}+` : `${first}+${step}`;
  return last === first ? `${first}` : `${first}..${last}`;
}

function effectfmt(e: Effect): string {
  switch (e.what) {
    case "error":
      return `error=${e.ename}`;
    case "delay":
      return `delay=${showtime(e.ns)}`;
    case "short":
      return `short=${e.bytes}`;
    case "drop":
    case "hangup":
      return e.what;
  }
}

/** What the faults that were never done say for themselves. */
export function unfired(faults: Faults): string[] {
  return faults.list
    .filter((i) => i.done === 0)
    .map(({ fault, seen }) => {
      const n =
        seen === 0 ? "no such message passed" : seen === 1 ? "one passed" : `${seen} passed`;
      return `the fault '${faultfmt(fault)}' was not injected: ${n}`;
    });
}

/** Faults at work, whichever way they were given. */
export function faultsof(inject: Inject): Faults {
  if (inject instanceof Faults) return inject;
  const faults = new Faults();
  for (const f of inject) faults.add(typeof f === "string" ? parsefault(f) : f);
  return faults;
}

/** What boot adds to a kernel's configuration for faults. */
export function filterof(inject: Inject | undefined): Pick<Config, "filter"> {
  return inject === undefined ? {} : { filter: newfilter(faultsof(inject)) };
}
