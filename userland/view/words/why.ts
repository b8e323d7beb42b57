// What happened at a step of a recording, why, and what would mend it: in plain sentences for a reader who
// has never seen Plan 9. Pure: it reads a Recording. Messages and round trips are in whymsg.ts, processes in
// whyproc.ts, failures in failure.ts; here are the calls, and the decisions of namec: what was decided about a name.
// Both name spaces tell the same steps; where the reason differs, the recording says which of the two it was.

import type { Callname } from "../../../kernel/abi/calls.ts";
import { OEXCL, QTDIR } from "../../../kernel/abi/const.ts";
import { Rerror, Rwalk, Twalk } from "../../../kernel/abi/fcall.ts";
import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Step } from "../../../kernel/trace.ts";
import { indexof } from "../record/index.ts";
import type { Eventof } from "../record/index.ts";
import { bare, isgone, isover, programof } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { forcedby, forcedwhy } from "./eventtext.ts";
import { failureof } from "./failure.ts";
import { capital, listfmt, path, plural, sentences, somefmt, timefmt, told } from "./text.ts";
import type { Decision } from "./text.ts";
import { memberof, membersat, serverof, speaks } from "./who.ts";
import { receivewhy, sendwhy, spoiltcall, spoiltwords, tripwords } from "./whymsg.ts";
import {
  didwords,
  mountwords,
  procwhy,
  servedwhy,
  sleepwhy,
  sleptwords,
  stuckwords,
} from "./whyproc.ts";

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

/** An event of a recording, as the sentences about it look at it. */
export type At = { readonly r: Recording; readonly event: number; readonly e: Revent };

type Namec = Eventof<"namec">;
type Of<S extends Step["step"]> = Namec & { readonly step: S };

const standard = (a: At): boolean => a.r.about.namespace === "standard";

const UNION = "The members of a union are asked in order, and the first with the name wins";

/** How the kernel does such a thing, where that is always the same. */
const HOW: Readonly<Partial<Record<Step["step"], string>>> = {
  clean:
    "The kernel takes '.', '..' and doubled '/' out of the text of a name before it looks the name up",
  device: "A name that begins with # means a device of the kernel, whether or not that is mounted",
  found: UNION,
  near: "A mount with a cache (MCACHE) remembers directories; a walk that fails from there is made again from the root",
  look: "create of a name that is there opens that file and empties it, so the kernel has to know",
  mountpoint: "A mount point is part of the name space: unmount takes it off",
};

/** What namec decided at this event. */
function stepwhy(a: At, e: Namec): Decision {
  const how = HOW[e.step];
  switch (e.step) {
    case "clean":
      return told(
        e.name === e.path
          ? `the name ${e.path} is looked up as it is`
          : `the name ${e.name} means ${e.path}`,
        cleanwhy(a, e),
        how,
      );
    case "prefix":
      return standard(a) ? crossed(a, e) : prefix(a, e);
    case "dot":
      return dot(a, e);
    case "device":
      return told(
        e.rest.length === 0
          ? `the name is the root of device ${e.path}`
          : `${path(e.rest)} is looked up in device ${e.path} itself`,
        "",
        how,
      );
    case "found":
      return told(`${member(a, e)} has ${e.elem}, so it is chosen`, foundwhy(a, e), how);
    case "miss":
      return missed(a, e);
    case "deferred":
      return deferred(a, e);
    case "forced":
      return forced(a, e);
    case "walk":
      return walk(a, e);
    case "ask":
      return ask(a, e);
    case "near":
      return told(
        `${path(e.dir)} was walked to before, so only ${path(e.rest)} is walked, from there`,
        "",
        how,
      );
    case "look":
      return told(`create looks whether ${e.elem} is there already`, "", how);
    case "create":
      return create(a, e);
    case "mountpoint":
      return told(`${e.path} is a mount point, so it is not removed`, "", how);
    case "fail":
      return fail(a, e);
  }
}

/** The nearest event of namec in the same call, backwards (-1) or forwards (1), that pleases. */
function another(a: At, way: 1 | -1, good: (e: Namec) => boolean): Namec | null {
  for (const { e } of indexof(a.r).near(a.event, way)) {
    if (e.type === "call" || e.type === "return") return null;
    if (e.type === "namec" && good(e)) return e;
  }
  return null;
}

const any = (): boolean => true;

function cleanwhy(a: At, e: Of<"clean">): string {
  if (e.name === e.path) return "";
  if (e.name === `${e.path}/`)
    return `the '/' at the end of ${e.name} says that it must be a directory`;
  const from = a.r.calls[e.call]?.dot;
  if (e.name.startsWith("/") || from === undefined) return "";
  return `${e.name} does not begin with /, so it starts from dot, ${from}`;
}

/** What is at a mount point, in words: "the server far!564 (connection 1)", "a union of 2: first ..., then ...". */
function holders(a: At, e: Of<"prefix">): string {
  const members = membersat(a.r, e, e.point);
  if (members.length !== e.members)
    return e.members > 1 ? `a union of ${e.members}` : "what is mounted there";
  const [first] = members;
  if (members.length === 1 && first !== undefined)
    return first.conn > 0 && memberof(a.r, first) === serverof(a.r, first.conn)
      ? `${serverof(a.r, first.conn)} (connection ${first.conn})`
      : memberof(a.r, first);
  const list = members.map((m) => memberof(a.r, m)).join(", then ");
  return `a union of ${members.length} (${list})`;
}

const LOOKUP = "The mount table is looked up by name, in the kernel; no message is needed";

function prefix(a: At, e: Of<"prefix">): Decision {
  const rest = path(e.rest);
  const holds = holders(a, e);
  const how =
    e.members > 1
      ? `A union is several directories under one name, tried in order. ${LOOKUP}`
      : LOOKUP;
  if (rest === "") return told(`${e.prefix} is itself a mount point: ${holds} is there`, "", how);
  const way =
    e.prefix === "/"
      ? "nothing nearer than / itself is mounted on the way"
      : `${e.prefix} is the longest name on the way that is mounted`;
  return told(`${way}, so the rest, ${rest}, is up to ${holds}`, "", how);
}

function crossed(a: At, e: Of<"prefix">): Decision {
  const rest = path(e.rest);
  const on = rest === "" ? "" : ` and goes on there with ${rest}`;
  return told(
    `something is mounted on ${e.prefix}: the walk steps over to ${holders(a, e)}${on}`,
    "",
    "The standard kernel knows a mount by the file that is mounted upon, so the walk has to come to that file first",
  );
}

function dot(a: At, e: Of<"dot">): Decision {
  const rest = path(e.rest);
  const what =
    rest === ""
      ? `the name is dot itself, ${e.path}`
      : `the walk starts at dot, ${e.path}, with ${rest}`;
  if (e.path.startsWith("#"))
    return told(what, `${e.path} is in a device's own tree, and nothing is mounted there by name`);
  return told(
    what,
    "",
    standard(a)
      ? "A name that does not begin with / begins at dot, a directory that the process has at hand"
      : "The process has dot at hand. Where nothing is mounted between dot and the name, the way to dot is not walked again",
  );
}

/** A member of the union that a found or miss is about: "member 2 of the union /u, far!564". */
function member(a: At, e: Of<"found"> | Of<"miss">): string {
  const m = membersat(a.r, e, e.point)[e.index];
  const who = m === undefined ? "" : ` (${memberof(a.r, m)})`;
  return `member ${e.index + 1} of the union ${e.point}${who}`;
}

/** Why a member is chosen. */
function foundwhy(a: At, e: Of<"found">): string {
  const start = another(a, -1, (x) => x.step === "prefix" && x.point === e.point);
  const rest = start?.step === "prefix" ? path(start.rest.slice(1)) : "";
  const deep =
    rest === ""
      ? ""
      : `; the union looks for ${e.elem} alone, and ${rest} is then walked in this member only`;
  if (e.index === 0) return `it is the first member of ${e.point}${deep}`;
  const before =
    e.index === 1 ? "the member before it has" : `the ${e.index} members before it have`;
  return `${before} no ${e.elem}${deep}`;
}

function missed(a: At, e: Of<"miss">): Decision {
  return isgone(e.error)
    ? told(`${member(a, e)} has no ${e.elem}`, next(a, e), UNION)
    : told(
        `${member(a, e)} gives no ${e.elem}: ${bare(e.error)}`,
        next(a, e),
        `A member that fails counts as one without the name. ${UNION}`,
      );
}

/** What comes after a member that has not got the name. */
function next(a: At, e: Of<"miss">): string {
  const of = membersat(a.r, e, e.point).length;
  if (e.index + 1 >= of) return `member ${of} is the last of ${e.point}`;
  const ask = another(a, -1, (x) => x.step === "ask" && x.of === "union");
  const asked = ask?.step === "ask" && ask.asked.includes(e.index + 1);
  return asked
    ? `member ${e.index + 2} was asked at the same time, and its answer counts next`
    : `member ${e.index + 2} is tried next`;
}

/** What the call will do at the end of the walk. */
const DOES: Readonly<Record<string, string>> = nullproto({
  stat: "the request for its entry (Tstat)",
  wstat: "the change to its entry (Twstat)",
  open: "the open (Topen)",
  create: "the create (Tcreate)",
  remove: "the remove (Tremove)",
});

/** The connection that the call sends on next; 0 when it sends nothing more. */
function nextconn(a: At): number {
  for (const { e } of indexof(a.r).near(a.event, 1)) {
    if (e.type === "return") break;
    if (e.type === "send") return e.conn;
  }
  return 0;
}

function deferred(a: At, e: Of<"deferred">): Decision {
  const rest = path(e.rest);
  const does = DOES[a.r.calls[e.call]?.name ?? ""] ?? "what follows";
  if (another(a, 1, any)?.step === "forced")
    return told(
      rest === "" ? "nothing is sent for the walk yet" : `the walk of ${rest} is not sent yet`,
      "",
      "A walk may be sent together with what follows it; what the call does next decides whether that is so",
    );
  const conn = nextconn(a);
  return told(
    rest === ""
      ? `nothing is sent by itself to get there: it goes together with ${does}`
      : `the walk of ${rest} is not sent by itself: it goes together with ${does}`,
    conn === 0 ? "" : `${speaks(a.r, conn, serverof(a.r, conn))}, so both share one round trip`,
    "A server of 9P2000.ix serves requests that have one tag in order: a request need not wait for the answer before it",
  );
}

function forced(a: At, e: Of<"forced">): Decision {
  const rest = path(e.rest);
  const asked = another(a, -1, (x) => x.step === "ask") !== null;
  const how = asked ? "is waited for now" : "is sent now, and its answer waited for";
  return told(
    `the walk${rest === "" ? "" : ` of ${rest}`} ${how}`,
    forcedwhy(forcedby(e.why), rest === "" ? e.chan : rest),
  );
}

const LOCAL = "That tree is in the kernel itself: no message is needed";

/** The answer to a walk that came since namec's last step; null when no server was asked. */
function answered(a: At, conn: number): Eventof<"receive"> | null {
  for (const { e } of indexof(a.r).near(a.event, -1)) {
    if (e.type === "namec" || e.type === "call") return null;
    if (e.type !== "receive" || e.conn !== conn) continue;
    const of = a.r.events[e.of];
    if (of?.type === "send" && of.fcall.type === Twalk) return e;
  }
  return null;
}

function walk(a: At, e: Of<"walk">): Decision {
  const reply = e.conn === 0 ? null : answered(a, e.conn);
  const on = another(a, 1, any);
  if (on?.step === "prefix" && halts(a, e, on)) return halted(a, e, on, reply);
  const how =
    reply === null
      ? LOCAL
      : "An Rwalk has a qid, the file's identity, for each element that was walked";
  if (e.rest.length === 0)
    return told(
      `${e.chan} itself is what is wanted: there is nothing to walk`,
      "",
      reply === null ? LOCAL : "",
    );
  if (e.got >= e.rest.length)
    return told(`${path(e.rest)} is there, walked from ${e.chan}`, "", how);
  const elem = e.rest[e.got] ?? "";
  const what =
    e.got === 0
      ? `the walk from ${e.chan} ends at its first element, ${elem}`
      : `the walk from ${e.chan} finds ${path(e.rest.slice(0, e.got))}, and ends at ${elem}`;
  return told(what, walkmiss(a, e, reply), how);
}

/** What a walk found of its names before the mount point that comes next. */
const upto = (e: Of<"walk">, on: Of<"prefix">): string =>
  path(e.rest.slice(0, Math.max(0, e.rest.length - on.rest.length)));

/** Whether the next step is onto a mount point among these names. */
function halts(a: At, e: Of<"walk">, on: Of<"prefix">): boolean {
  const to = upto(e, on);
  return (
    standard(a) &&
    on.rest.length > 0 &&
    to !== "" &&
    on.prefix === `${e.chan}/${to}`.replace(/^\/\//, "/")
  );
}

/** A walk that led over a mount point: what it found beyond is not what is meant. */
function halted(
  a: At,
  e: Of<"walk">,
  on: Of<"prefix">,
  reply: Eventof<"receive"> | null,
): Decision {
  const more = e.got > e.rest.length - on.rest.length;
  return told(
    `${upto(e, on)} is there, walked from ${e.chan}, and something is mounted on it: the walk stops there`,
    reply !== null && more
      ? `${serverof(a.r, reply.conn)} walked ${path(on.rest)}, too, in the directory that the mount covers; that does not count`
      : "",
    "Each file on the way is looked up in the mount table",
  );
}

/** Why a walk ended: what the server said, or the kernel's own tree. */
function walkmiss(a: At, e: Of<"walk">, reply: Eventof<"receive"> | null): string {
  const f = reply?.fcall;
  const elem = e.rest[e.got] ?? "";
  const before = path(e.rest.slice(0, e.got));
  if (reply !== null && f?.type === Rerror) return `${serverof(a.r, reply.conn)} says: ${f.ename}`;
  if (reply !== null && f?.type === Rwalk) {
    const isdir = ((f.wqid.at(-1)?.type ?? 0) & QTDIR) !== 0;
    return isdir
      ? `${serverof(a.r, reply.conn)} found ${before}, and in it no ${elem} that this user may reach`
      : `${serverof(a.r, reply.conn)} found that ${before} is a file, so there is no ${elem} in it`;
  }
  return "";
}

function ask(a: At, e: Of<"ask">): Decision {
  const n = e.asked.length;
  switch (e.of) {
    case "union":
      return askunion(a, e);
    case "bind":
      return told(
        n > 1
          ? "the walks of both names of the bind are sent at the same time"
          : `the walk of the ${e.asked[0] === 0 ? "first" : "second"} name of the bind is sent`,
        "",
        "bind has to know what both names are. Neither walk needs the other's answer, so both may be on their way at once",
      );
    case "directory":
      return told(
        `what is mounted on ${n === 1 ? "an entry" : `${n} entries`} of this directory is asked for its own entry`,
        "",
        "A listing shows what is mounted on a name, and not the directory that it covers",
      );
  }
}

function askunion(a: At, e: Of<"ask">): Decision {
  const n = e.asked.length;
  const start = another(a, -1, (x) => x.step === "prefix" && x.members > 1);
  const point = start?.step === "prefix" ? start.point : "";
  const members = membersat(a.r, e, point);
  const every = n === 2 ? "both members" : `all ${n} members`;
  const list =
    n === members.length
      ? every
      : `${n > 1 ? "members" : "member"} ${listfmt(e.asked.map((i) => String(i + 1)))}`;
  const far = e.asked.flatMap((i) => {
    const m = members[i];
    return m === undefined ? [] : [memberof(a.r, m)];
  });
  return told(
    `${list} of the union${point === "" ? "" : ` ${point}`} ${n > 1 ? "are" : "is"} asked for ${path(e.rest)} ${n > 1 ? "at the same time" : "before its turn"}`,
    n > 1
      ? `the round trips to ${listfmt(far)} overlap`
      : `the answer of ${listfmt(far)} takes its time; the members before it are in the kernel`,
    "A walk changes nothing, so the kernel need not wait for one answer before it asks the next",
  );
}

function create(a: At, e: Of<"create">): Decision {
  if (e.index >= 0) {
    const m = membersat(a.r, e, e.dir)[e.index];
    const holds = m === undefined ? "" : ` (${memberof(a.r, m)})`;
    return told(
      `${e.elem} is to be created in ${e.dir}, in member ${e.index + 1} of that union${holds}`,
      sentences(
        `member ${e.index + 1} is the first that was bound or mounted with leave to create (MCREATE)`,
        leaveless(a, e),
      ),
      "create never makes a file in a member of a union that was not bound or mounted with MCREATE",
    );
  }
  const mode = a.r.calls[e.call]?.args[1];
  const excl = typeof mode === "number" && (mode & OEXCL) !== 0;
  const what = `${e.elem} is to be created in ${e.dir}`;
  if (another(a, -1, any)?.step !== "deferred") return told(what, `${e.dir} has no ${e.elem} yet`);
  return told(
    what,
    "",
    excl
      ? "The server looks for the name, and creates it only if that fails, all in one exchange"
      : "The server creates the file, or opens and empties one that is there: the kernel need not look first",
  );
}

/** The members before the one that creates, which may not. */
function leaveless(a: At, e: Of<"create">): string {
  const before = membersat(a.r, e, e.dir)
    .slice(0, e.index)
    .map((m) => memberof(a.r, m));
  if (before.length === 0) return "";
  const [come, were] = before.length === 1 ? ["comes", "was"] : ["come", "were"];
  return `${somefmt(before, 4)} ${come} before it in ${e.dir}, and ${were} bound there without MCREATE`;
}

function fail(a: At, e: Of<"fail">): Decision {
  const what =
    e.elem === "" ? `it fails: ${bare(e.error)}` : `the name fails at ${e.elem}: ${bare(e.error)}`;
  const call = a.r.calls[e.call];
  // A name may fail and the call go on: a member of a union, a create that looks again.
  if (call === undefined || call.error === null) return told(what);
  return { ...told(what), ...failureof(a.r, call) };
}
