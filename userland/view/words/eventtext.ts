// An event of a recording as one line of plain text, whatever it is: for lists, for searching. Why it
// happened is why.ts's to say. Pure.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { msgfmt } from "./msgfmt.ts";
import type { Recording, Revent } from "../record/recording.ts";
import { CONN, eventfmt, stepfmt } from "./stepfmt.ts";
import { connname } from "./who.ts";

/** Events that say nothing by themselves: what they tell of is seen in the bytes of a message, or with a return. */
const SILENT = ["wire", "fd", "pipe", "env"] as const;
type Told = Exclude<Revent, { readonly type: (typeof SILENT)[number] }>;

function istold(e: Revent | undefined): e is Told {
  return e !== undefined && !SILENT.some((type) => type === e.type);
}

/** Whether an event says something to a reader: pieces on the wire and names that are clean already do not. */
export function issaid(e: Revent | undefined): boolean {
  if (!istold(e)) return false;
  switch (e.type) {
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
  if (!istold(e)) return "";
  const call = r.calls[e.call ?? -1];
  switch (e.type) {
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
