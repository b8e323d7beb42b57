// Processes in sentences: which process made which and what they share, and which holds which end of a pipe. Of a call
// that waits they say for what, and which process can end that. Of a note they say which process gets it, and of a change
// whose name space or offset it is. The facts of the moment are step/procs.ts's; here are the words. Pure.

import { NCONT } from "../../../kernel/abi/const.ts";
import { Eintr } from "../../../kernel/abi/errors.ts";
import { Tflush } from "../../../kernel/abi/fcall.ts";
import { indexof } from "../record/index.ts";
import type { Eventof, Index } from "../record/index.ts";
import { ismessage, push } from "../record/recording.ts";
import type { Rcall, Recording } from "../record/recording.ts";
import { GROUPNAMES, GROUPS, procsat } from "../step/procs.ts";
import type { Descriptor, Groupname, Holder, Pipe, Process, Procs, Wait } from "../step/procs.ts";
import { keeps } from "./crash.ts";
import { msgname, procfmt, sleepfmt } from "./eventtext.ts";
import { listfmt, sentences, somefmt, timefmt, told } from "./text.ts";
import type { Decision } from "./text.ts";
import { callat, servername } from "./who.ts";

type Procevent = Eventof<"proc">;

/** Why something waits, and what would end it. */
type Stuck = Pick<Decision, "why" | "mend">;

const NOTHING: Stuck = { why: "", mend: "" };

/** A read of a pipe that waits: its process, what it waits for, the pipe, the process's end of it, who can write. */
type Read = {
  readonly pid: number;
  readonly w: Wait;
  readonly pipe: Pipe;
  readonly end: 0 | 1;
  readonly writers: readonly Holder[];
};

/** How many processes are named in a sentence. */
const SOME = 4;

/** The processes after an event, as sentences speak of them. */
class Then {
  readonly r: Recording;
  readonly index: Index;
  readonly event: number;
  readonly all: Procs;

  constructor(r: Recording, event: number) {
    this.r = r;
    this.index = indexof(r);
    this.event = event;
    this.all = procsat(r, event);
  }

  find(pid: number): Process | undefined {
    return this.all.list.find((p) => p.pid === pid);
  }

  /** "process 4 (server)" */
  name(pid: number): string {
    const text = this.find(pid)?.text ?? "";
    return text === "" ? `process ${pid}` : `process ${pid} (${text})`;
  }

  names(pids: readonly number[]): string {
    return somefmt(
      pids.map((pid) => this.name(pid)),
      SOME,
    );
  }

  descriptor({ pid, fd }: Holder): Descriptor | undefined {
    return this.find(pid)?.fds.find((d) => d.fd === fd);
  }

  /** The descriptor that a waiting call is on. */
  at(pid: number, w: Wait): Descriptor | undefined {
    return this.find(pid)?.fds.find((d) => d.chan === w.chan);
  }

  /** What a call of a process waits for. */
  wait(call: Rcall): Wait | undefined {
    return this.find(call.pid)?.waits.find((w) => w.call === call.id);
  }

  pipe(n: number | undefined): Pipe | undefined {
    return this.all.pipes.find((p) => p.pipe === n);
  }

  /** The reads of pipes that these processes wait in. */
  reads(pids: Iterable<number>): Read[] {
    return [...pids].flatMap((pid) =>
      (this.find(pid)?.waits ?? []).flatMap((w) => this.read(pid, w) ?? []),
    );
  }

  read(pid: number, w: Wait): Read | null {
    const pipe = this.pipe(w.pipe);
    const end = this.at(pid, w)?.pipe?.end;
    if (w.for !== "bytes" || pipe === undefined || end === undefined) return null;
    return { pid, w, pipe, end, writers: pipe.ways[end].writers };
  }
}

/** "process 4 (descriptor 3)", of a process of which the sentence is "itself". */
function holders(list: readonly Holder[], self: number): string {
  const bypid = new Map<number, string[]>();
  for (const { pid, fd } of list) push(bypid, pid, String(fd));
  const words = [...bypid].map(
    ([pid, fds]) =>
      `process ${pid}${pid === self ? " itself" : ""} (descriptor${fds.length === 1 ? "" : "s"} ${listfmt(fds)})`,
  );
  return somefmt(words, SOME);
}

// Events of processes.

const FORKED =
  "rfork says by its flags what a new process shares with its parent, what it gets as a copy and what it gets empty";

/** What the kernel does, in general. */
const HOW: Readonly<Partial<Record<Procevent["what"], string>>> = {
  start: FORKED,
  groups: FORKED,
  exec: "exec runs another program in the same process: its number, its descriptors and its groups stay",
  exit: "What a process had open is closed at its end. Its parent gets its status by wait or await; until then the kernel keeps it",
  note: "A note comes to a process at any time, as a signal does elsewhere: the handler of the process (notify) runs, or the process ends. A call that waits is given up then, unless its answer comes first",
  handle: "The handler that notify has set ends with noted: NCONT goes on, NDFLT ends the process",
  dot: "Names without a leading / begin at dot",
};

/** An event of a process. */
export function procwhy(r: Recording, e: Procevent, event: number): Decision {
  const t = new Then(r, event);
  const how = HOW[e.what];
  switch (e.what) {
    case "start":
      return told(procfmt(e), startwords(t, e.pid), how);
    case "exit":
      return told(procfmt(e), exitwords(t, e), how);
    case "note":
      return told(procfmt(e), notewords(t, e), how);
    case "groups":
      return told(`process ${e.pid} has other groups now`, "", how);
    case "waited":
      return told(`${procfmt(e)}, so it is no zombie any more`);
    case "exec":
    case "handle":
    case "noted":
    case "dot":
      return told(procfmt(e), "", how);
  }
}

/** The names of groups: "name space and descriptors". */
const grouplist = (names: readonly Groupname[]): string =>
  listfmt(names.map((n) => GROUPS[n].text));

/** What a new process shares with its parent. */
function startwords(t: Then, pid: number): string {
  const p = t.find(pid);
  if (!t.all.known || p === undefined || p.parent === 0) return "";
  const shares = (n: Groupname): boolean => p.groups[n].with.includes(p.parent);
  const [same, own] = [GROUPNAMES.filter(shares), GROUPNAMES.filter((n) => !shares(n))];
  const parent = `with ${t.name(p.parent)}, which made it`;
  return `it shares ${same.length === 0 ? "nothing" : `its ${grouplist(same)}`} ${parent}${own.length === 0 ? "" : `, and has its own ${grouplist(own)}`}`;
}

function exitwords(t: Then, { pid, text }: Procevent): string {
  const p = t.find(pid);
  const status = text === "" ? "" : `its status is "${text}"; the empty status would mean success`;
  if (p === undefined || p.parent === 0 || p.life !== "ended") return status;
  const waits = t.find(p.parent)?.waits.some((w) => w.for === "child") === true;
  const parent = t.name(p.parent);
  return sentences(
    status,
    waits
      ? `its parent, ${parent}, waits for that and is told now`
      : `it is kept, as a zombie, until its parent, ${parent}, calls wait`,
  );
}

/** Who posted a note, who else gets it, what becomes of it, and of the call that it came into. */
function notewords(t: Then, e: Procevent): string {
  const { r, event } = t;
  const within = new Then(r, event - 1).find(e.pid)?.calls.at(-1);
  const into = r.calls[e.call] ?? r.calls[within ?? -1];
  return sentences(
    posted(t, e, into),
    ...groupwords(t, e),
    ...effect(t, e),
    into === undefined ? "" : fate(t, into),
  );
}

function posted(t: Then, e: Procevent, into: Rcall | undefined): string {
  const { pid, text, by = 0 } = e;
  const call = t.r.calls[e.call];
  const injected = t.r.injected?.find((x) => x.what === "note" && x.call === into?.id);
  if (text.startsWith("sys:"))
    return `the kernel posted it because of what process ${pid} did${call?.pid === pid ? `: ${call.text}` : ""}`;
  if (injected?.value === text) return `--inject '${injected.option}' posted it`;
  if (by > 0) return `${t.name(by)}${by === pid ? " itself" : ""} posted it`;
  return text === "alarm"
    ? `process ${pid} asked for it by alarm`
    : `no process posted "${text}": it comes from the kernel or from the host's keyboard`;
}

/** Of a note to a whole note group: who else gets it, and which processes of other groups do not. */
function groupwords(t: Then, e: Procevent): readonly string[] {
  const group: number[] = [];
  for (const way of [-1, 1] as const)
    for (const { e: x } of t.index.near(t.event, way)) {
      if (x.at !== e.at) break;
      if (x.type === "proc" && x.what === "note" && x.text === e.text && x.pid !== e.pid)
        group.push(x.pid);
    }
  if (group.length === 0) return [];
  const gets = new Set([e.pid, ...group]);
  const own = t.find(e.pid)?.groups.notes.id;
  const others = t.all.list
    .filter((p) => p.life === "alive" && p.pid > 1 && p.groups.notes.id !== own)
    .map((p) => p.pid)
    .filter((pid) => !gets.has(pid));
  const not =
    others.length === 1
      ? "is in another note group, and does not get it"
      : "are in other note groups, and do not get it";
  const by = t.find(e.by ?? 0);
  const self =
    by?.groups.notes.id === own && !gets.has(by?.pid ?? 0)
      ? `, but not to process ${e.by}, which posted it`
      : "";
  const too = t.names(group.toSorted((a, b) => a - b));
  return [
    `the note goes to the whole note group: ${too} too${self}`,
    others.length === 0 ? "" : `${t.names(others)} ${not}`,
  ];
}

/** What becomes of a note, from what the process does next. */
function effect({ index, event }: Then, { at, pid, text }: Procevent): readonly string[] {
  for (const { e: x, event: i } of index.procevents(pid, event + 1)) {
    if (x.type !== "proc") continue;
    if (x.what === "exit")
      return [`process ${pid} has no handler for "${text}", so the process ends`];
    if (x.what !== "handle") continue;
    if (x.text !== text) return [];
    const later = x.at === at ? "" : ` ${timefmt(x.at - at)} later`;
    const end = index.callsof(pid).find((c) => c.first > i && c.name === "noted");
    return [
      `the handler of process ${pid} runs for "${text}"${later}`,
      end === undefined
        ? ""
        : `the handler ends with ${end.text}, so process ${pid} ${end.args[0] === NCONT ? "goes on" : "ends"}`,
    ];
  }
  return [];
}

/** What becomes of the call that a note came into. */
function fate({ r, index, event }: Then, call: Rcall): string {
  if (call.error === Eintr)
    return `${call.text} is interrupted: it fails with the error "${Eintr}"`;
  if (call.error !== null || call.ended === null) return "";
  const own = index.callevents(call.id);
  const flush = r.events[own.find((i) => i > event && r.events[i]?.type === "send") ?? -1];
  const raced =
    flush?.type === "send" && flush.fcall.type === Tflush
      ? `: the answer comes before ${servername(r, flush.conn)} has answered the Tflush that will take the request back`
      : "";
  return `${call.text} gets its answer all the same${raced}`;
}

// Waits.

const OTHERS = "While a process waits, the others run that need not wait";
/** Of a wait that comes to its end. */
const SLEPT = `The call goes on when what it waits for has come. ${OTHERS}`;

/** A call that sleeps. */
export function sleepwhy(r: Recording, e: Eventof<"sleep">, event: number): Decision {
  const t = new Then(r, event);
  const call = r.calls[e.call];
  const w = call === undefined ? undefined : t.wait(call);
  const how = call?.error === null && call.ended !== null ? SLEPT : OTHERS;
  const what = `process ${e.pid} ${sleepfmt(e.what)}`;
  if (w === undefined) return told(what, "", how);
  const why = sentences(waitwords(t, e.pid, w), w.for === "time" ? "" : alarmwords(t, e));
  const alone = w.for === "bytes" && w.whom.every((pid) => pid === e.pid);
  return { ...told(what, why, how), mend: alone ? stuckmend(t, e.pid, w) : "" };
}

/** The alarm that will come into a wait; "" where none was asked for. */
function alarmwords({ index }: Then, e: Eventof<"sleep">): string {
  const c = index
    .callsof(e.pid)
    .findLast((x) => x.id < e.call && x.name === "alarm" && x.error === null);
  const left = c === undefined ? -1 : c.began + Number(c.args[0]) * 1e6 - e.at;
  return c === undefined || c.args[0] === 0 || left < 0
    ? ""
    : `the note of ${c.text} comes in ${timefmt(left)}, and interrupts a call that waits`;
}

/** Why a call waits, and which processes can end that; "" where nothing is known. */
function waitwords(t: Then, pid: number, w: Wait): string {
  const one = w.whom.length === 1;
  switch (w.for) {
    case "child":
      return w.whom.length === 0
        ? `process ${pid} has no child that lives`
        : `${t.names(w.whom)} ${one ? "lives" : "live"}: the wait ends when ${one ? "it" : "one of them"} does`;
    case "bytes":
    case "room":
      return pipewords(t, pid, w);
    case "partner":
      return `No other process has come to that tag yet: process ${pid} waits until one does`;
    case "turn":
      return w.whom.length === 0
        ? ""
        : `the call of ${t.names(w.whom)} on the same file began before, and reads and writes go in that order`;
    case "reply":
      return `process ${pid} waits for the answer of ${listfmt(w.servers)}`;
    case "semaphore":
      return `the semaphore is 0: the wait ends when another process calls semrelease`;
    case "time":
    case "handler":
    case "start":
    case "other":
      return "";
  }
}

/** Of a read or write of a pipe: who holds the other end. */
function pipewords(t: Then, pid: number, w: Wait): string {
  const pipe = t.pipe(w.pipe);
  const end = t.at(pid, w)?.pipe?.end;
  if (pipe === undefined || end === undefined) return "";
  const reading = w.for === "bytes";
  const list = reading ? pipe.ways[end].writers : pipe.ways[end === 0 ? 1 : 0].readers;
  const state = `Pipe ${w.pipe} is ${reading ? "empty" : "full"}`;
  const [verb, act] = reading ? ["writes", "read"] : ["reads", "write"];
  if (pipe.conn > 0 && pipe.connend !== end)
    return `${state}: the kernel's mount driver holds its other end, and ${reading ? "writes the requests of processes that use its files" : "reads the answers"}`;
  if (list.length === 0) return `${state}, and no process holds its other end`;
  if (list.every((h) => h.pid === pid))
    return `${state}, and only ${holders(list, pid)} holds its other end: no other process ${verb} there, so only a note ends this ${act}`;
  const [one, closed] =
    list.length === 1
      ? [`process ${list[0]?.pid}`, `process ${list[0]?.pid} has closed that end`]
      : ["one of them", "all of them have closed their ends"];
  const eof = reading ? `; when ${closed}, the read gives 0, the end of the file` : "";
  return `${state}; its other end is held by ${holders(list, pid)}: the ${act} ends when ${one} ${verb}${eof}`;
}

// Waits that never end.

/** What a call waits for at the end of a recording that never sees it return, and what would end it. */
export function stuckwords(r: Recording, call: Rcall): Stuck {
  const t = new Then(r, indexof(r).stuckat(call));
  const w = t.wait(call);
  if (w === undefined || w.for === "reply") return NOTHING;
  const circle = deadlock(t, call.pid);
  return {
    why: sentences(waitwords(t, call.pid, w), circlewords(circle)),
    mend: circlemend(t, [...circle.keys()]) || stuckmend(t, call.pid, w),
  };
}

function stuckmend(t: Then, pid: number, w: Wait): string {
  const read = t.read(pid, w);
  if (read !== null) {
    const own = read.writers.filter((h) => h.pid === pid);
    const others = read.writers.filter((h) => h.pid !== pid);
    const held = own.map((h) => `descriptor ${h.fd}${madeby(t, h)}`);
    if (own.length > 0)
      return `Close ${listfmt(held)} in process ${pid} before ${readof(t, w)}${others.length === 0 ? ": the read then gives 0, the end of the file" : `, and have ${holders(others, pid)} closed too`}.`;
    if (others.length > 0) return `Have ${holders(others, pid)} write, or close that end.`;
    if (read.pipe.conn === 0)
      return `Have a process open the other end of pipe ${read.pipe.pipe}${otherend(t, pid, w)}, and write to that.`;
  }
  if (w.for === "partner") return "Have another process call rendezvous with the same tag.";
  return w.for === "semaphore" ? "Have another process call semrelease." : "";
}

/** The read that waits, with its line. */
function readof({ r }: Then, w: Wait): string {
  const call = r.calls[w.call];
  return call === undefined || call.line === null ? "the read" : callat(r, call);
}

/** The name of the other end of a pipe that was opened by a name: " (/tmp/pipe/data1)"; "" of one that was not. */
function otherend(t: Then, pid: number, w: Wait): string {
  const path = t.at(pid, w)?.path ?? "";
  if (!/^\/.*\/data1?$/.test(path)) return "";
  return ` (${path.endsWith("1") ? path.slice(0, -1) : `${path}1`} in the name space of process ${pid})`;
}

/**
 * Of a call that a note has ended: why it would have waited for ever, and what would end that, where a pipe has no
 * writer but the process that waits. Of a call to a server of this machine, the pipe is one that the server reads.
 */
export function endless(r: Recording, call: Rcall): Stuck {
  for (const { e, event } of indexof(r).procevents(call.pid, call.first)) {
    if (e.type !== "proc" || e.what !== "note") continue;
    const t = new Then(r, event - 1);
    const own = t.wait(call);
    if (own === undefined) return NOTHING;
    const reads = own.for === "reply" ? t.reads(own.served) : t.reads([call.pid]);
    const x = reads.find(
      ({ pid, w, pipe }) =>
        pipe.conn === 0 && (pid !== call.pid || w === own) && w.whom.every((y) => y === pid),
    );
    if (x === undefined) return NOTHING;
    const { pid, w } = x;
    const serves =
      pid === call.pid
        ? ""
        : `Until then process ${pid}, the server, was reading pipe ${w.pipe} for this call`;
    return { why: sentences(serves, pipewords(t, pid, w)), mend: stuckmend(t, pid, w) };
  }
  return NOTHING;
}

/** The processes that can end what a process waits for; null where something else can, as time does. */
function enders(t: Then, p: Process): readonly number[] | null {
  const list: number[] = [];
  for (const w of p.waits)
    switch (w.for) {
      case "child":
      case "bytes":
      case "room":
      case "turn":
        list.push(...w.whom);
        break;
      case "partner":
        list.push(...p.groups.rendez.with);
        break;
      case "semaphore":
        list.push(...t.all.list.filter((x) => x.life === "alive").map((x) => x.pid));
        break;
      case "reply":
      case "time":
      case "handler":
      case "start":
      case "other":
        return null;
    }
  return p.waits.length === 0 ? null : [...new Set(list)].filter((pid) => pid !== p.pid);
}

/** Of each process of a deadlock the processes that it waits for. */
type Circle = ReadonlyMap<number, readonly number[]>;

/**
 * The deadlock that a process is in: every process that could end its wait, and theirs, and so on. Each of these waits,
 * and only these can end the waits, so none ever goes on. It is empty if one of them does not wait, or if something
 * else, as time, can end a wait.
 */
function deadlock(t: Then, pid: number): Circle {
  const waits = new Map<number, readonly number[]>();
  const way = [pid];
  for (const at of way) {
    const p = t.find(at);
    const list = p === undefined ? null : enders(t, p);
    if (list === null) return new Map();
    waits.set(at, list);
    for (const x of list) if (!way.includes(x)) way.push(x);
  }
  return way.length < 2 ? new Map() : waits;
}

function circlewords(circle: Circle): string {
  if (circle.size === 0) return "";
  const words = [...circle].map(([pid, whom]) => {
    const names = whom.slice(0, SOME).map((x) => `process ${x}`);
    const last = whom.length > SOME ? `${whom.length - SOME} more` : names.pop();
    const list = names.length === 0 ? last : `${names.join(", ")} or ${last}`;
    return `process ${pid} waits for ${whom.length === 0 ? "itself" : list}`;
  });
  return `This is a deadlock: ${somefmt(words, 2 * SOME)}. None of these processes goes on`;
}

/** What ends a deadlock: the end of a pipe that its holders do not use, which they need not keep open. */
function circlemend(t: Then, pids: readonly number[]): string {
  const reads = t.reads(pids);
  const x = reads.find(({ writers: w }) => w.length > 0 && !w.some((h) => hasused(t, h)));
  if (x === undefined) return "";
  const { pid, writers } = x;
  const held = writers.map((h) => `descriptor ${h.fd} in process ${h.pid}${madeby(t, h)}`);
  const which = held.length === 1 ? "which never uses it" : "which never use them";
  // The other reads that end when this process ends, which alone holds the other ends of their pipes.
  const then = reads
    .filter((y) => y.pid !== pid && y.writers.length > 0 && y.writers.every((h) => h.pid === pid))
    .map(
      (y) =>
        ` The read of process ${y.pid} ends when process ${pid} ends, which alone holds the other end of pipe ${y.w.pipe}.`,
    );
  return `Close ${listfmt(held)}, ${which}: the read of process ${pid} then gives 0, the end of the file, and process ${pid} goes on.${then.join("")}`;
}

/** The call that made an open file, its line and variable: " (w1, of pipe() in copy.ts:14)"; "" where none is known. */
function madeby(t: Then, h: Holder): string {
  const { r } = t;
  const made = r.events[t.index.made(t.descriptor(h)?.chan ?? 0)];
  const call = r.calls[made?.call ?? -1];
  if (call === undefined) return "";
  const line = r.sources[call.line?.source ?? -1]?.text.split("\n")[(call.line?.line ?? 0) - 1];
  const given = Array.isArray(call.value) ? call.value : [call.value];
  const name = keeps(line ?? "", call.name)[given.indexOf(made?.type === "fd" ? made.fd : -1)];
  return ` (${name === undefined ? "" : `${name}, `}of ${callat(r, call)})`;
}

/** Whether a process has read or written an open file of its own, or is at it. */
function hasused(t: Then, h: Holder): boolean {
  const chan = t.descriptor(h)?.chan;
  return t.index.callsof(h.pid).some((c) => c.chan === chan && /read$|write$/.test(c.name));
}

// Calls that have returned.

/** A read or write of a server, as the 9P messages that it is; null for any other call. */
export function servedwhy(r: Recording, call: Rcall, event: number): Decision | null {
  const list = indexof(r)
    .served(event)
    .map((i) => r.events[i])
    .filter(ismessage);
  const [first] = list;
  if (first === undefined) return null;
  const names = listfmt(list.map((e) => msgname(e.fcall)));
  const asks = r.calls[first.call];
  const file = asks === undefined || asks.file === null ? "" : `, of ${asks.file}`;
  const of =
    asks === undefined ? "" : ` of ${new Then(r, event).name(asks.pid)}: ${asks.text}${file}`;
  const one = list.length === 1;
  if (first.type === "send")
    return told(
      `process ${call.pid} reads the request${one ? "" : "s"} ${names}${of}`,
      asks === undefined ? "" : `the answer goes back to that call of process ${asks.pid}`,
      "A server is a process: it reads requests from its end of a pipe or connection, and writes the answers",
    );
  const to = of === "" ? "" : `${one ? "it goes" : "they go"} to the call${of}`;
  return told(`process ${call.pid} answers with ${names}`, to);
}

/** What a call that has returned did to processes, descriptors and pipes; "" where no change is known. */
export function didwords(r: Recording, call: Rcall, event: number): string {
  if (call.error !== null) return "";
  const t = new Then(r, event);
  const p = t.find(call.pid);
  if (!t.all.known) return "";
  const { pid, value } = call;
  switch (call.name) {
    case "dup":
    case "open":
    case "create":
      return opened(t, { pid, fd: Number(value) });
    case "pipe":
      return piped(t, pid, value);
    case "read":
    case "pread":
      return sentences(taken(t, call), moved(t, call));
    case "write":
    case "pwrite":
      return sentences(put(t, call), moved(t, call));
    case "close":
      return closed(t, call);
    case "wait":
    case "await":
      return heard(t, call);
    case "rfork":
      return typeof value === "number" || p === undefined ? "" : regrouped(t, p);
    default:
      return "";
  }
}

/** What a call, up to an event, did so to pipes. */
const pipeevents = (
  { index, event }: Then,
  call: Rcall,
  what: Eventof<"pipe">["what"],
): Eventof<"pipe">[] =>
  index.during(call, event).flatMap(({ e }) => (e.type === "pipe" && e.what === what ? [e] : []));

/** Of a wait: whose end it has told of. */
function heard({ index, event }: Then, call: Rcall): string {
  const of = index
    .during(call, event)
    .findLast(({ e }) => e.type === "proc" && e.what === "waited");
  return of === undefined
    ? ""
    : `process ${call.pid} has heard of the end of process ${of.e.pid}, which is no zombie any more`;
}

function opened(t: Then, h: Holder): string {
  const d = t.descriptor(h);
  if (d === undefined) return "";
  return sentences(
    d.server === "" ? "" : `descriptor ${h.fd} is ${d.path}, which ${d.server} serves`,
    d.shared.length === 0
      ? ""
      : `it is the same open file as ${holders(d.shared, h.pid)}: they share one offset`,
  );
}

function piped(t: Then, pid: number, value: unknown): string {
  const [a = -1, b] = Array.isArray(value) ? value.map(Number) : [];
  const pipe = t.descriptor({ pid, fd: a })?.pipe ?? null;
  if (pipe === null) return "";
  return `Descriptors ${a} and ${b} are the two ends of pipe ${pipe.pipe}: bytes written to one are read from the other`;
}

/** Where the next read or write of a shared file begins. */
function moved(t: Then, { pid, args: [fd] }: Rcall): string {
  const d = typeof fd === "number" ? t.descriptor({ pid, fd }) : undefined;
  if (d === undefined || d.pipe !== null || d.shared.length === 0) return "";
  if (d.path === "/dev/cons") return "";
  return `the next read or write of descriptor ${d.fd} begins at byte ${d.offset}, and so does that of ${holders(d.shared, pid)}`;
}

/** Of a read of a pipe: who wrote the bytes; or that it is the end of the file. */
function taken(t: Then, call: Rcall): string {
  const { r, index, event } = t;
  const from = pipeevents(t, call, "take").at(-1);
  const own = t.find(call.pid)?.fds.find((x) => x.chan === call.chan)?.pipe;
  if (call.value === 0 && (from ?? own ?? null) !== null)
    return `that is the end of the file: no process holds the other end of pipe ${(from ?? own)?.pipe} open any more`;
  if (from === undefined) return "";
  const by = r.calls[r.events[index.putat(from, event)]?.call ?? -1];
  return by === undefined ? "" : `process ${by.pid} wrote these bytes: ${by.text}`;
}

/** Of a write to a pipe: who can read the bytes. */
function put(t: Then, call: Rcall): string {
  const e = pipeevents(t, call, "put").at(-1);
  const pipe = t.pipe(e?.pipe);
  if (e === undefined || pipe === undefined) return "";
  const { readers } = pipe.ways[e.end];
  if (pipe.conn > 0 && pipe.connend === e.end)
    return `the kernel's mount driver reads these bytes from pipe ${e.pipe}`;
  return readers.length === 0
    ? ""
    : `${holders(readers, call.pid)} can read these bytes from pipe ${e.pipe}`;
}

/** Of a close: who else has the file open, or that it was the last of an end of a pipe. */
function closed(t: Then, call: Rcall): string {
  const left = t.all.list.flatMap((p) =>
    p.fds.filter((d) => d.chan === call.chan).map((d) => ({ pid: p.pid, fd: d.fd })),
  );
  if (left.length > 0)
    return `the file stays open: ${holders(left, call.pid)} ${left.length === 1 ? "has" : "have"} it, too`;
  const [e] = pipeevents(t, call, "hangup");
  if (e === undefined) return "";
  const readers = t.pipe(e.pipe)?.ways[e.end].readers ?? [];
  const whose = readers.length === 0 ? "" : ` of ${holders(readers, call.pid)}`;
  return `it was the last descriptor of this end of pipe ${e.pipe}: the reads${whose} at the other end give 0, the end of the file, when the pipe is empty`;
}

function regrouped(t: Then, p: Process): string {
  const own = GROUPNAMES.filter((n) => p.groups[n].with.length === 0);
  const shared = GROUPNAMES.filter((n) => p.groups[n].with.length > 0).map(
    (n) => `its ${GROUPS[n].text} with ${t.names(p.groups[n].with)}`,
  );
  return sentences(
    own.length === 0 ? "" : `process ${p.pid} has its own ${grouplist(own)} now`,
    shared.length === 0 ? "" : `it shares ${listfmt(shared)}`,
  );
}

/** Whose name space changes. */
export function mountwords(r: Recording, e: Eventof<"mount">, event: number): string {
  const t = new Then(r, event);
  if (!t.all.known) return "";
  const others = t.all.list
    .filter((p) => p.life === "alive" && p.groups.names.id === e.pgrp && p.pid !== e.pid)
    .map((p) => p.pid);
  const one = others.length === 1;
  return others.length === 0
    ? `it is the name space of process ${e.pid} alone: no other process sees the change`
    : `${t.names(others)} ${one ? "shares" : "share"} the name space of process ${e.pid}, and ${one ? "sees" : "see"} the change`;
}

/** How long a call waited for what was no server, and for what; "" when it did not wait. */
export function sleptwords(r: Recording, call: Rcall): string {
  const time = call.ended === null ? 0 : call.ended - call.began;
  if (time === 0) return "";
  // Of a delay that --inject makes it is told which.
  for (const { e } of indexof(r).during(call))
    if (e.type === "sleep" && e.what !== "injected delay")
      return `it took ${timefmt(time)}: process ${call.pid} ${past(sleepfmt(e.what))}`;
  return "";
}

const past = (s: string): string => s.replace(/^waits/, "waited").replace(/^sleeps/, "slept");
