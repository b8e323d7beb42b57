// Why things happen: for each event of a recording the decision just made and its reason, in plain sentences
// for someone who has never seen Plan 9. Pure: it reads a Recording and asks nobody else. The steps of
// namec are in whystep.ts, messages in whymsg.ts, error strings in whyerror.ts.

import type { Callname } from "../../../kernel/abi/calls.ts";
import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { eventfmt, plural, sleepfmt, timefmt } from "./stepfmt.ts";
import { memberof, mountat, serverof } from "./who.ts";
import { because } from "./whyerror.ts";
import { receivewhy, sendwhy } from "./whymsg.ts";
import { stepwhy } from "./whystep.ts";
import type { At, Decision } from "./whystep.ts";

export type { Decision } from "./whystep.ts";

/** What happened at this event of a recording, and why. */
export function decision(r: Recording, event: number): Decision {
  const e = r.events[event];
  if (e === undefined) return { what: "Nothing has happened yet.", why: "The run has not begun." };
  const a: At = { r, event, e };
  switch (e.type) {
    case "call":
      return called(r, e);
    case "return":
      return returned(r, e);
    case "namec":
      return stepwhy(a, e);
    case "mount":
      return mounted(a, e);
    case "send":
      return sendwhy(a, e);
    case "receive":
      return receivewhy(a, e);
    case "conn":
      return connection(r, e);
    case "wire":
      return {
        what: `${plural(e.bytes, "byte")} ${e.way === "in" ? "arrive here" : "arrive at the other end"}.`,
        why: `They left ${timefmt(e.at - e.left)} before: that is how far away the other machine is.`,
      };
    case "proc":
      return process(r, e);
    case "sleep":
      return {
        what: `Process ${e.pid} ${sleepfmt(e.what)}.`,
        why: "The call goes on when that has come; until then others run.",
      };
    case "fd":
      return descriptor(e);
    case "pipe":
      return piped(e);
    case "env":
      return {
        what: `The variable ${e.name} of the environment ${e.value === null ? "is removed" : "has another value"}.`,
        why: "The processes of one environment group share its variables.",
      };
  }
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
  exits: "exits ends the process, with a status for whoever waits for it.",
  wait: "wait waits for a child process to end.",
  notify: "notify says what is to be done when a note comes.",
  alarm: "alarm asks for a note after a time.",
  noted: "noted ends the handling of a note.",
  _exits: "_exits ends the process at once, with a status for whoever waits for it.",
  semacquire: "semacquire takes one off a semaphore, and waits while it is 0.",
  tsemacquire:
    "tsemacquire takes one off a semaphore, and waits no longer than so long while it is 0.",
  semrelease: "semrelease adds to a semaphore, and lets those go on who wait for it.",
  rendezvous: "rendezvous meets another process, and each gets the other's value.",
  errstr: "errstr gives the text of the last error.",
  nsec: "nsec tells the time.",
  fversion: "fversion agrees with a server on a version of 9P.",
  fauth: "fauth opens a file through which a user is proved to a server.",
  stream: "stream has what follows of a file read ahead or written behind.",
  sread: "sread takes data that was read ahead.",
  swrite: "swrite writes without waiting for the answer.",
});

/** What a call of a recording is for, if there is such a call. */
function purpose(name: string): string | undefined {
  const calls: Readonly<Record<string, string | undefined>> = CALLS;
  return calls[name];
}

function called(r: Recording, e: Revent): Decision {
  const call = r.calls[e.call];
  if (call === undefined) return { what: "A system call begins.", why: "A program asked for it." };
  const who = r.procs.find((p) => p.pid === e.pid)?.text ?? "";
  const file = call.file === null ? "" : `; ${String(call.args[0])} is ${call.file}`;
  return {
    what: `Process ${e.pid}${who === "" ? "" : ` (${who})`} calls ${call.text}${file}.`,
    why: purpose(call.name) ?? "A program can reach what is outside of it only by system calls.",
  };
}

function returned(r: Recording, e: Revent): Decision {
  const call = r.calls[e.call];
  if (call === undefined) return { what: "A system call returns.", why: "It is done." };
  const cost = costwords(call);
  if (call.error === null) {
    const what =
      call.result === ""
        ? `${call.name} succeeds.`
        : `${call.name} succeeds and gives ${resultwords(call)}.`;
    return { what, why: cost };
  }
  return { what: `${call.name} fails: ${call.error}.`, why: `${because(call.error)} ${cost}` };
}

/** What a call gave: a number that is a file's is called so. */
export function resultwords(call: Rcall): string {
  const fd = ["open", "create", "dup"].includes(call.name);
  return fd && call.error === null ? `descriptor ${call.result}` : call.result;
}

/** What a call has cost: "It took 50.00 ms: 1 round trip, 6 messages, 122 bytes." */
function costwords(call: Rcall): string {
  const { trips, messages, bytes } = call.cost;
  const time = call.ended === null ? 0 : call.ended - call.began;
  if (messages === 0)
    return time === 0
      ? "No server was asked, and no time passed."
      : `No server was asked; it took ${timefmt(time)}.`;
  const sent = `${plural(messages, "message")}, ${plural(bytes, "byte")}`;
  if (trips === 0) return `Nobody waited for a server: no round trip, ${sent}.`;
  return `It took ${timefmt(time)}: ${plural(trips, "round trip")}, ${sent}.`;
}

function mounted(a: At, e: Revent & { type: "mount" }): Decision {
  const point = mountat(a.r, e, e.path);
  const members = point?.members ?? [];
  const now =
    members.length === 0
      ? "nothing is mounted there any more"
      : members.length === 1
        ? `${memberof(a.r, members[0] ?? { from: "", flags: 0, spec: "", id: 0, conn: 0, dev: "" })} is there now`
        : `it is a union of ${members.length} now: ${members.map((m) => memberof(a.r, m)).join(", then ")}`;
  return {
    what: `The name space changes at ${e.path}: ${now}.`,
    why: `${capital(e.op)} changes what the name means for the processes that share this name space, and for nobody else.`,
  };
}

const capital = (s: string): string => s.charAt(0).toUpperCase() + s.slice(1);

function connection(r: Recording, e: Revent & { type: "conn" }): Decision {
  const who = serverof(r, e.conn);
  switch (e.what) {
    case "open":
      return {
        what: `There is a connection to ${who}.`,
        why: "Both ends have agreed on a version of 9P; every file of that server is reached over it.",
      };
    case "hangup":
      return {
        what: `The connection to ${who} is gone.`,
        why: "Its last user has closed it, or the other end or the link went away; what still waits for it fails.",
      };
    case "close":
      return { what: `The connection to ${who} is closed.`, why: "Nobody uses it any more." };
  }
}

/** Why of what a system call does to its process. */
const QUIET = {
  noted: "Its handler has said noted; what the note interrupted goes on.",
  waited: "Its parent has called wait, so the kernel need not remember how it ended.",
  groups:
    "rfork gives a process groups of its own, copied or empty, and leaves the old ones to the others.",
  dot: "Names without a leading / begin there.",
} as const;

function descriptor({ fd, file }: Revent & { type: "fd" }): Decision {
  const why = "A descriptor is a number for an open file, in a table that processes may share.";
  if (fd < 0) return { what: "All descriptors of a table are closed.", why };
  if (file === null) return { what: `Descriptor ${fd} is closed.`, why };
  return { what: `Descriptor ${fd} is ${file.path}.`, why };
}

function piped({ what, pipe, bytes }: Revent & { type: "pipe" }): Decision {
  switch (what) {
    case "put":
      return {
        what: `${plural(bytes, "byte")} go into pipe ${pipe}.`,
        why: "What is written on one end of a pipe waits there until it is read on the other.",
      };
    case "take":
      return {
        what: `${plural(bytes, "byte")} are taken out of pipe ${pipe}.`,
        why: "A read of a pipe takes what one write put in, or the first part of it.",
      };
    case "hangup":
      return {
        what: `Nothing more goes into pipe ${pipe} from this end.`,
        why: "The last that had the end open has closed it; readers get what is left, then the end of the file.",
      };
    case "drop":
      return {
        what: `What waits in pipe ${pipe} for this end is dropped.`,
        why: "The last that could read it has closed its end.",
      };
  }
}

function process(r: Recording, e: Revent & { type: "proc" }): Decision {
  switch (e.what) {
    case "start":
      return {
        what: `Process ${e.pid} starts: ${e.text}.`,
        why: "A process has its own files, dot and notes, and shares or copies its name space.",
      };
    case "exec":
      return {
        what: `Process ${e.pid} becomes ${e.text}.`,
        why: "exec runs another program in the same process.",
      };
    case "exit":
      return {
        what: `Process ${e.pid} ends${e.text === "" ? "" : `: ${e.text}`}.`,
        why:
          e.text === ""
            ? "Its program returned; no status means success."
            : "The status says why; what it had open is closed.",
      };
    case "note":
      return {
        what: `Process ${e.pid} gets the note "${e.text}".`,
        why: "A note interrupts a process, as a signal does elsewhere.",
      };
    case "handle":
      return {
        what: `Process ${e.pid} handles the note "${e.text}".`,
        why: "The function that it gave to notify runs; what the note interrupted waits for noted.",
      };
    case "noted":
    case "waited":
    case "groups":
    case "dot":
      return { what: `${capital(eventfmt(r, e))}.`, why: QUIET[e.what] };
  }
}
