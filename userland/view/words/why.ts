// What happened at a step of a recording, why, and what would mend it: in plain sentences for a reader who
// has never seen Plan 9. Pure: it reads a Recording. The steps of namec are in whystep.ts, messages
// and round trips in whymsg.ts, failures in failure.ts.

import type { Callname } from "../../../kernel/abi/calls.ts";
import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { indexof } from "../record/index.ts";
import type { Eventof } from "../record/index.ts";
import { isover, programof } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { failureof } from "./failure.ts";
import { capital, listfmt, plural, sentences, timefmt, told } from "./sentence.ts";
import type { Decision } from "./sentence.ts";
import { receivewhy, sendwhy, spoiltcall, spoiltwords, tripwords } from "./whymsg.ts";
import { memberof, membersat, serverof, speaks } from "./who.ts";
import {
  didwords,
  mountwords,
  procwhy,
  servedwhy,
  sleepwhy,
  sleptwords,
  stuckwords,
} from "./whyproc.ts";
import { stepwhy } from "./whystep.ts";
import type { At } from "./whystep.ts";

export type { Decision } from "./sentence.ts";

/** What happened at this event of a recording, why, what would mend it, and how that works. */
export function decision(r: Recording, event: number): Decision {
  const e = r.events[event];
  if (e === undefined) return told("nothing has happened yet");
  const a: At = { r, event, e };
  switch (e.type) {
    case "call":
      return called(r, e);
    case "return":
      return returned(r, e, event);
    case "namec":
      return stepwhy(a, e);
    case "mount":
      return mounted(a, e);
    case "send":
      return sendwhy(a, e);
    case "receive":
      return receivewhy(a, e);
    case "conn":
      return connection(a, e);
    case "proc":
      return procwhy(r, e, event);
    case "sleep":
      return asleep(r, e, event);
    case "wire":
    case "fd":
    case "pipe":
    case "env":
      // None is a step: a frame has the bytes of a message, and what changed since the step before.
      return told("what this changed is seen at the next step");
  }
}

/** A call that sleeps, and of one that is never woken why, and what would wake it. */
function asleep(r: Recording, e: Eventof<"sleep">, event: number): Decision {
  const sleeps = sleepwhy(r, e, event);
  const call = r.calls[e.call];
  const never = call === undefined ? null : stuck(r, call);
  return never === null || never.why === "" ? sleeps : { ...sleeps, ...never };
}

/** Calls as the trace names them: two forms of ours may be one of Plan 9's. */
type Toldcall = Exclude<Callname, `${string}raw`>;

/** What calls are for, by their names. */
export const CALLS: Readonly<Record<Toldcall, string>> = nullproto({
  open: "open makes a file ready to be read or written, and gives a number to do that by.",
  create: "create makes a file, or empties the one that is there, and opens it.",
  close: "close says that the file is not needed any more.",
  read: "read takes data from an open file, from where the last read ended.",
  pread: "pread takes data from an open file, at a place of its own.",
  write: "write puts data into an open file.",
  pwrite: "pwrite puts data into an open file, at a place of its own.",
  stat: "stat asks what is known of a file: its kind, length, owner, mode and times.",
  fstat: "fstat asks what is known of an open file.",
  wstat: "wstat changes what is known of a file: its name, mode, owner or times.",
  fwstat: "fwstat changes what is known of an open file.",
  remove: "remove takes a file out of its directory.",
  chdir: "chdir sets dot, the directory that names without a leading / start from.",
  bind: "bind makes one name stand for what another name stands for, in this name space.",
  mount: "mount makes a server's files appear under a name, in this name space.",
  unmount: "unmount takes away what was bound or mounted on a name.",
  pipe: "pipe gives two ends of a channel between processes.",
  rfork:
    "rfork splits off what the process shares with others: its name space, its files, its environment.",
  exec: "exec runs another program in this process.",
  dup: "dup gives another number for an open file.",
  seek: "seek sets where the next read or write goes.",
  sleep: "sleep waits.",
  await: "await waits for a child process to end.",
  fd2path: "fd2path tells by which name a file was opened.",
  exits: "exits ends the process, with a status that its parent gets by wait.",
  wait: "wait waits for a child process to end.",
  notify: "notify says what is to be done when a note comes.",
  alarm: "alarm asks for a note after a time.",
  noted: "noted ends the handling of a note.",
  _exits: "_exits ends the process at once, with a status that its parent gets by wait.",
  semacquire: "semacquire takes one off a semaphore, and waits while it is 0.",
  tsemacquire:
    "tsemacquire takes one off a semaphore, and waits no longer than so long while it is 0.",
  semrelease: "semrelease adds to a semaphore, and lets processes go on that wait for it.",
  rendezvous: "rendezvous meets another process, and each gets the other's value.",
  errstr: "errstr gives the text of the last error.",
  nsec: "nsec tells the time.",
  fversion: "fversion agrees with a server on a version of 9P.",
  fauth: "fauth opens a file through which a user is proved to a server.",
  stream: "stream has what follows of a file read ahead or written behind.",
  sread: "sread takes data that was read ahead.",
  swrite: "swrite writes without waiting for the answer.",
});

/** What a call of a recording is for; "" for a name that is no call's. */
function purpose(name: string): string {
  const calls: Readonly<Record<string, string | undefined>> = CALLS;
  return calls[name] ?? "";
}

function called(r: Recording, e: Revent): Decision {
  const call = r.calls[e.call];
  if (call === undefined) return told("A system call begins");
  const program = programof(r, e.pid);
  const file = call.file === null ? "" : `; descriptor ${String(call.args[0])} is ${call.file}`;
  return {
    ...told(
      `process ${e.pid}${program === "" ? "" : ` (${program})`} calls ${call.text}${file}`,
      "",
      purpose(call.name),
    ),
    ...stuck(r, call),
  };
}

/** Why a call never returns, as far as the recording goes, and what would end it; nothing for one that does. */
function stuck(r: Recording, call: Rcall, head?: string): Pick<Decision, "why" | "mend"> {
  const index = indexof(r);
  if (isover(call) || index.stuckat(call) < 0) return { why: "", mend: "" };
  const { name, pid, ended } = call;
  // What waits when nothing can run any more is killed with its process.
  const killed = `${name} does not return: at the end of the run process ${pid} is killed while it waits`;
  const begin = head ?? (ended === null ? `${name} does not return in this recording` : killed);
  const [event = -1] = index.waiting(call.id);
  const e = r.events[event];
  if (e?.type === "send") {
    const drop = spoiltwords(r, event);
    const waits = begin.endsWith("it waits") ? "" : ": it waits";
    return {
      why: sentences(`${begin}${waits} for an answer of ${serverof(r, e.conn)}`, drop),
      mend: drop === "" ? "" : "The call returns without that --inject.",
    };
  }
  const { why, mend } = stuckwords(r, call);
  return { why: why === "" ? "" : sentences(begin, why), mend };
}

function returned(r: Recording, e: Revent, event: number): Decision {
  const call = r.calls[e.call];
  if (call === undefined) return told("A system call returns");
  const time = sentences(tripwords(r, call), spoiltcall(r, call), sleptwords(r, call));
  const how = sentences(purpose(call.name), costwords(call));
  const of = fileof(call);
  if (isover(call)) {
    const then = call.name === "exec" ? "runs another program" : "ends";
    return told(`${call.name} does not return: process ${call.pid} ${then}`, time, how);
  }
  const never = stuck(r, call, `${call.name} was waiting until then`);
  if (never.why !== "")
    return {
      ...told(`${call.name}${of} is cut off: nothing could run any more, and the run was ended`),
      ...never,
    };
  if (call.error === null) {
    const served = servedwhy(r, call, event);
    if (served !== null) return served;
    const did = didwords(r, call, event);
    return told(`${call.name}${of} succeeds${givenwords(call)}`, sentences(did, time), how);
  }
  const { why, mend } = failureof(r, call);
  return {
    ...told(`${call.name}${of} fails: ${call.error}`, "", how),
    why: sentences(why, time),
    mend,
  };
}

/** What a call that succeeded gave: " and gives descriptor 3"; of data how much and what. */
function givenwords(call: Rcall): string {
  const { name, value, result } = call;
  if (typeof value !== "number" || !/^[ps]?(read|write)$/.test(name))
    return result === "" ? "" : ` and gives ${resultwords(call)}`;
  const bytes = plural(value, "byte");
  if (name.endsWith("write")) return `: ${bytes} ${value === 1 ? "is" : "are"} written`;
  return value === 0
    ? " and gives 0 bytes: the end of the file"
    : ` and gives ${bytes}: ${result.replace(/^\d+ /, "")}`;
}

/** Of a call on a descriptor, which file that is: " of descriptor 3 (/tmp/f)". */
function fileof(call: Rcall): string {
  return call.file === null ? "" : ` of descriptor ${String(call.args[0])} (${call.file})`;
}

/** What a call gave: a number that is a file's is called so. */
export function resultwords(call: Rcall): string {
  const fd = ["open", "create", "dup"].includes(call.name);
  return fd && call.error === null ? `descriptor ${call.result}` : call.result;
}

/** What a call has cost: "it took 50.00 ms: 1 round trip, 6 messages, 122 bytes". */
function costwords(call: Rcall): string {
  const { trips, messages, bytes } = call.cost;
  const time = call.ended === null ? 0 : call.ended - call.began;
  if (messages === 0) return time === 0 ? "" : `it took ${timefmt(time)}, and no message of 9P`;
  const sent = `${plural(messages, "message")}, ${plural(bytes, "byte")}`;
  return `it took ${timefmt(time)}: ${plural(trips, "round trip")}, ${sent}`;
}

function mounted(a: At, e: Eventof<"mount">): Decision {
  const members = membersat(a.r, e, e.path);
  const now = members.map((m) => memberof(a.r, m));
  const what =
    now.length === 0
      ? "nothing is mounted there any more"
      : now.length === 1
        ? `${listfmt(now)} is there now`
        : `it is a union of ${now.length} now: ${now.join(", then ")}`;
  return told(
    `the name space changes at ${e.path}: ${what}`,
    mountwords(a.r, e, a.event),
    `${capital(e.op)} changes what a name means for the processes that share this name space, and for no others`,
  );
}

function connection({ r, event }: At, { conn, what }: Eventof<"conn">): Decision {
  const name = serverof(r, conn);
  switch (what) {
    case "open":
      return told(
        `there is a connection to ${name}`,
        speaks(r, conn, name),
        "Every file of that server is reached over this connection. 9P2000 by itself lets a server answer requests in any order",
      );
    case "hangup": {
      const own = r.events[event + 1]?.type === "conn";
      return told(
        `the connection to ${name} is gone: ${own ? "its last user here has closed it" : "the other end ended it, or the link is cut"}`,
        "",
        "What still waits for an answer on it fails",
      );
    }
    case "close":
      return told(
        `the connection to ${name} is closed`,
        "",
        "No file of that server is in use any more",
      );
  }
}
