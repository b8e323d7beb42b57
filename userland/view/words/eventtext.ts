// An event of a recording as one line of plain text, whatever it is: for lists, for searching. Why it
// happened is why.ts's to say. Pure.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { msgfmt } from "./msgfmt.ts";
import type { Recording, Revent } from "../record/recording.ts";
import { CONN, eventfmt, stepfmt } from "./stepfmt.ts";
import { connname } from "./who.ts";

/** Whether an event says something to a reader: pieces on the wire and names that are clean already do not. */
export function issaid(e: Revent | undefined): boolean {
  switch (e?.type) {
    case undefined:
    case "wire":
    case "fd":
    case "pipe":
    case "env":
      return false;
    case "proc":
      return QUIET[e.what] !== true;
    case "namec":
      return stepfmt(e) !== "";
    default:
      return true;
  }
}

/** What a call does to its process is seen with its return. */
const QUIET: Readonly<Record<string, true>> = nullproto({
  noted: true,
  waited: true,
  groups: true,
  dot: true,
});

/** The event in a line; "" where there is nothing to say. */
export function eventtext(r: Recording, event: number): string {
  const e = r.events[event];
  const call = r.calls[e?.call ?? -1];
  switch (e?.type) {
    case undefined:
    case "wire":
    case "fd":
    case "pipe":
    case "env":
      return "";
    case "call":
      return call?.text ?? "";
    case "return":
      return call === undefined ? "" : resulttext(call.text, call.result);
    case "send":
    case "receive":
      return `${e.type === "send" ? "→" : "←"} ${msgfmt(e.fcall, e.bytes)}`;
    case "namec":
      return stepfmt(e);
    case "mount":
      return `${e.op}: the name space of process ${e.pid} changes at ${e.path}`;
    case "conn":
      return `the connection to ${connname(r, e.conn)} ${CONN[e.what]}`;
    case "proc":
    case "sleep":
      return eventfmt(r, e);
  }
}

/** A call and its result as a programmer writes them. */
export function resulttext(call: string, result: string): string {
  return result === "" ? `${call} returns` : `${call} = ${result}`;
}
