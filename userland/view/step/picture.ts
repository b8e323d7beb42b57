// Which picture belongs to a step: the messages between machines, the name space as a tree, or the processes
// with their descriptors. Terminal and page choose by it.

import { callrow } from "../../../kernel/abi/calls.ts";
import type { Rcall, Recording } from "../record/recording.ts";

/** The pictures that there are. */
export const PICTURES = ["messages", "names", "processes"] as const;
export type Picturekind = (typeof PICTURES)[number];

/** Calls that change what processes are, have or wait for. */
const PROCESSES: ReadonlySet<string> = new Set([
  "rfork",
  "exec",
  "exits",
  "_exits",
  "wait",
  "await",
  "notify",
  "noted",
  "alarm",
  "sleep",
  "dup",
  "pipe",
  "semacquire",
  "tsemacquire",
  "semrelease",
  "rendezvous",
]);

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
      return call === undefined ? "names" : ends(call);
    default:
      return "processes";
  }
}

function begins(call: Rcall): Picturekind {
  if (NAMES.has(call.name)) return "names";
  if (PROCESSES.has(call.name) || onpipe(call)) return "processes";
  return named(call) ? "names" : call.cost.messages > 0 ? "messages" : "processes";
}

function ends(call: Rcall): Picturekind {
  if (NAMES.has(call.name)) return "names";
  if (call.cost.messages > 0) return "messages";
  return begins(call);
}

const named = (call: Rcall): boolean => callrow(call.name)?.args[0] === "name";

const onpipe = (call: Rcall): boolean => call.file?.startsWith("#|") === true;
