// Processes in sentences: who made whom and what they share, who holds which end of a pipe, what a call waits
// for and who can end that, who gets a note, whose name space or offset changes. What is known of the moment
// is step/procs.ts's; here are its words. Pure.

import { NCONT } from "../../../kernel/abi/const.ts";
import { Eintr } from "../../../kernel/abi/errors.ts";
import { Tflush } from "../../../kernel/abi/fcall.ts";
import { indexof } from "../record/index.ts";
import type { Taken } from "../record/index.ts";
import { ismessage } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { msgname, procfmt, sleepfmt } from "./eventtext.ts";
import { procsat } from "../step/procs.ts";
import type { Descriptor, Holder, Pipe, Process, Procs, Wait } from "../step/procs.ts";
import { capital, listfmt, sentences, somefmt, timefmt, told } from "./sentence.ts";
import type { Decision } from "./sentence.ts";
import { keeps } from "./crash.ts";
import { callat, servername } from "./who.ts";

type Procevent = Revent & { readonly type: "proc" };

/** How many processes are named in a sentence. */
const SOME = 4;

const find = (all: Procs, pid: number): Process | undefined => all.list.find((p) => p.pid === pid);

/** "process 4 (server)" */
function procname(all: Procs, pid: number): string {
  const text = find(all, pid)?.text ?? "";
  return text === "" ? `process ${pid}` : `process ${pid} (${text})`;
}

const procnames = (all: Procs, pids: readonly number[]): string =>
  somefmt(
    pids.map((pid) => procname(all, pid)),
    SOME,
  );

/** "process 4 (descriptor 3)", of a process of which the sentence is "itself". */
function holders(list: readonly Holder[], self: number): string {
  const bypid = new Map<number, number[]>();
  for (const { pid, fd } of list) bypid.set(pid, [...(bypid.get(pid) ?? []), fd]);
  const words = [...bypid].map(
    ([pid, fds]) =>
      `process ${pid}${pid === self ? " itself" : ""} (${fds.length === 1 ? "descriptor" : "descriptors"} ${listfmt(fds.map(String))})`,
  );
  return somefmt(words, SOME);
}

const GROUPS = {
  names: "name space",
  fds: "descriptors",
  env: "environment",
  rendez: "rendezvous tags",
  notes: "note group",
} as const;

type Group = keyof typeof GROUPS;
const KINDS = Object.keys(GROUPS) as readonly Group[];

/** What a process shares with another: "its name space and environment". */
function shares(p: Process, other: number): { readonly with: string[]; readonly own: string[] } {
  const list = { with: [] as string[], own: [] as string[] };
  for (const kind of KINDS)
    (p.groups[kind].with.includes(other) ? list.with : list.own).push(GROUPS[kind]);
  return list;
}

const FORKED =
  "rfork says by its flags what a new process shares with its parent, what it gets as a copy and what it gets empty";

function started(all: Procs, e: Procevent): Decision {
  const what = procfmt(e);
  const p = find(all, e.pid);
  if (!all.known || p === undefined || p.parent === 0) return told(what, "", FORKED);
  const { with: same, own } = shares(p, p.parent);
  const parent = procname(all, p.parent);
  const shared =
    same.length === 0
      ? `it shares nothing with ${parent}`
      : `it shares its ${listfmt(same)} with ${parent}`;
  const apart = own.length === 0 ? "" : `, and has its own ${listfmt(own)}`;
  return told(what, `${shared}, which made it${apart}`, FORKED);
}

function exited(all: Procs, e: Procevent): Decision {
  const what = procfmt(e);
  const p = find(all, e.pid);
  const status =
    e.text === "" ? "" : `its status is "${e.text}"; the empty status would mean success`;
  const zombie =
    p === undefined || p.parent === 0 || p.life !== "ended"
      ? ""
      : waiting(all, p.parent)
        ? `its parent, ${procname(all, p.parent)}, waits for that and is told now`
        : `it is kept, as a zombie, until its parent, ${procname(all, p.parent)}, calls wait`;
  return told(
    what,
    sentences(status, zombie),
    "What a process had open is closed at its end. Its parent gets its status by wait or await; until then the kernel keeps it",
  );
}

const waiting = (all: Procs, pid: number): boolean =>
  find(all, pid)?.waits.some((w) => w.for === "child") === true;

function noted(r: Recording, all: Procs, e: Procevent, event: number): Decision {
  const by = e.by ?? 0;
  const call = r.calls[e.call];
  const within = procsat(r, event - 1).list.find((p) => p.pid === e.pid)?.calls ?? [];
  const into = call ?? r.calls[within.at(-1) ?? -1];
  const injected = r.injected?.find((x) => x.what === "note" && x.call === into?.id);
  const who = e.text.startsWith("sys:")
    ? `the kernel posted it because of what process ${e.pid} did${call === undefined || call.pid !== e.pid ? "" : `: ${call.text}`}`
    : injected?.value === e.text
      ? `--inject '${injected.option}' posted it`
      : by > 0
        ? `${procname(all, by)}${by === e.pid ? " itself" : ""} posted it`
        : e.text === "alarm"
          ? `process ${e.pid} asked for it by alarm`
          : `no process posted "${e.text}": it comes from the kernel or from the host's keyboard`;
  return told(
    procfmt(e),
    sentences(
      who,
      ...groupwords(r, all, e, event),
      ...effect(r, e, event),
      into === undefined ? "" : fate(r, into, event),
    ),
    "A note comes to a process at any time, as a signal does elsewhere: the handler of the process (notify) runs, or the process ends. A call that waits is given up then, unless its answer comes first",
  );
}

/** The other processes that get the same note at the same time from the same process. */
function samenote(r: Recording, e: Procevent, event: number): number[] {
  const pids: number[] = [];
  for (const way of [-1, 1] as const)
    for (const { e: x } of indexof(r).near(event, way)) {
      if (x.at !== e.at) break;
      if (x.type === "proc" && x.what === "note" && x.text === e.text && x.pid !== e.pid)
        pids.push(x.pid);
    }
  return pids.toSorted((a, b) => a - b);
}

/** Of a note to a whole note group: who else gets it, and which processes of other groups do not. */
function groupwords(r: Recording, all: Procs, e: Procevent, event: number): readonly string[] {
  const group = samenote(r, e, event);
  if (group.length === 0) return [];
  const gets = new Set([e.pid, ...group]);
  const own = find(all, e.pid)?.groups.notes.id;
  const others = all.list.filter(
    (p) => p.life === "alive" && p.pid > 1 && !gets.has(p.pid) && p.groups.notes.id !== own,
  );
  const names = procnames(
    all,
    others.map((p) => p.pid),
  );
  const not =
    others.length === 1
      ? `${names} is in another note group, and does not get it`
      : `${names} are in other note groups, and do not get it`;
  const by = find(all, e.by ?? 0);
  const self =
    by?.groups.notes.id === own && !gets.has(by?.pid ?? 0)
      ? `, but not to process ${e.by}, which posted it`
      : "";
  return [
    `the note goes to the whole note group: ${procnames(all, group)} too${self}`,
    others.length === 0 ? "" : not,
  ];
}

/** What becomes of a note, from what the process does next. */
function effect(r: Recording, e: Procevent, event: number): readonly string[] {
  for (const { e: x, event: i } of indexof(r).procevents(e.pid, event + 1)) {
    if (x.type !== "proc") continue;
    if (x.what === "exit")
      return [`process ${e.pid} has no handler for "${e.text}", so the process ends`];
    if (x.what !== "handle") continue;
    if (x.text !== e.text) return [];
    const later = x.at === e.at ? "" : ` ${timefmt(x.at - e.at)} later`;
    return [`the handler of process ${e.pid} runs for "${e.text}"${later}`, handled(r, e.pid, i)];
  }
  return [];
}

/** How a handler ends, which began at an event: whether its process goes on. */
function handled(r: Recording, pid: number, event: number): string {
  const call = indexof(r)
    .callsof(pid)
    .find((c) => c.first > event && c.name === "noted");
  if (call === undefined) return "";
  return call.args[0] === NCONT
    ? `the handler ends with ${call.text}, so process ${pid} goes on`
    : `the handler ends with ${call.text}, so process ${pid} ends`;
}

/** What becomes of the call that a note came into at an event. */
function fate(r: Recording, call: Rcall, event: number): string {
  if (call.error === Eintr)
    return `${call.text} is interrupted: it fails with the error "${Eintr}"`;
  if (call.error !== null || call.ended === null) return "";
  const own = indexof(r).callevents(call.id);
  const flush = r.events[own.find((i) => i > event && r.events[i]?.type === "send") ?? -1];
  const raced =
    flush?.type === "send" && flush.fcall.type === Tflush
      ? `: the answer comes before ${servername(r, flush.conn)} has answered the Tflush that will take the request back`
      : "";
  return `${call.text} gets its answer all the same${raced}`;
}

/** An event of a process. */
export function procwhy(r: Recording, e: Procevent, event: number): Decision {
  const all = procsat(r, event);
  switch (e.what) {
    case "start":
      return started(all, e);
    case "exec":
      return told(
        procfmt(e),
        "",
        "exec runs another program in the same process: its number, its descriptors and its groups stay",
      );
    case "exit":
      return exited(all, e);
    case "note":
      return noted(r, all, e, event);
    case "handle":
      return told(
        procfmt(e),
        "",
        "The handler that notify has set ends with noted: NCONT goes on, NDFLT ends the process",
      );
    case "noted":
      return told(procfmt(e));
    case "waited":
      return told(`${procfmt(e)}, so it is no zombie any more`);
    case "groups":
      return told(`process ${e.pid} has other groups now`, "", FORKED);
    case "dot":
      return told(procfmt(e), "", "Names without a leading / begin at dot");
  }
}

/** A call that sleeps. */
export function sleepwhy(r: Recording, e: Revent & { type: "sleep" }, event: number): Decision {
  const all = procsat(r, event);
  const p = find(all, e.pid);
  const w = p?.waits.find((x) => x.call === e.call);
  const call = r.calls[e.call];
  const how = call?.error === null && call.ended !== null ? SLEPT : OTHERS;
  if (w === undefined) return told(`process ${e.pid} ${sleepfmt(e.what)}`, "", how);
  const alone = w.for === "bytes" && w.whom.every((pid) => pid === e.pid);
  return {
    ...told(
      `process ${e.pid} ${sleepfmt(e.what)}`,
      sentences(waitwords(all, e.pid, w), w.for === "time" ? "" : alarmwords(r, e)),
      how,
    ),
    mend: alone ? stuckmend({ r, all }, e.pid, w) : "",
  };
}

const OTHERS = "While a process waits, the others run that need not wait";
/** Of a wait that comes to its end. */
const SLEPT = `The call goes on when what it waits for has come. ${OTHERS}`;

/** The alarm that will come into a wait; "" where none was asked for. */
function alarmwords(r: Recording, e: Revent & { type: "sleep" }): string {
  const c = indexof(r)
    .callsof(e.pid)
    .findLast((x) => x.id < e.call && x.name === "alarm" && x.error === null);
  const left = c === undefined ? -1 : c.began + Number(c.args[0]) * 1e6 - e.at;
  return c === undefined || c.args[0] === 0 || left < 0
    ? ""
    : `the note of ${c.text} comes in ${timefmt(left)}, and interrupts a call that waits`;
}

/** Why a call waits, and which processes can end that; "" where nothing is known. */
function waitwords(all: Procs, pid: number, w: Wait): string {
  switch (w.for) {
    case "child":
      return w.whom.length === 0
        ? `process ${pid} has no child that lives`
        : `${procnames(all, w.whom)} ${w.whom.length === 1 ? "lives" : "live"}: the wait ends when ${w.whom.length === 1 ? "it" : "one of them"} does`;
    case "bytes":
    case "room":
      return pipewords(all, pid, w);
    case "partner":
      return `No other process has come to that tag yet: process ${pid} waits until one does`;
    case "turn":
      return w.whom.length === 0
        ? ""
        : `the call of ${procnames(all, w.whom)} on the same file began before, and reads and writes go in that order`;
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

function pipeof(all: Procs, w: Wait): Pipe | undefined {
  return all.pipes.find((p) => p.pipe === w.pipe);
}

/** Of a read or write of a pipe: who holds the other end. */
function pipewords(all: Procs, pid: number, w: Wait): string {
  const pipe = pipeof(all, w);
  const end = endof(all, pid, w);
  if (pipe === undefined || end === null) return "";
  const reading = w.for === "bytes";
  const list = reading ? pipe.ways[end].writers : pipe.ways[end === 0 ? 1 : 0].readers;
  const state = reading ? `Pipe ${w.pipe} is empty` : `Pipe ${w.pipe} is full`;
  const verb = reading ? "writes" : "reads";
  if (pipe.conn > 0 && pipe.connend !== end)
    return `${state}: the kernel's mount driver holds its other end, and ${reading ? "writes the requests of processes that use its files" : "reads the answers"}`;
  if (list.length === 0) return `${state}, and no process holds its other end`;
  const others = list.filter((h) => h.pid !== pid);
  if (others.length === 0)
    return `${state}, and only ${holders(list, pid)} holds its other end: no other process ${verb} there, so only a note ends this ${reading ? "read" : "write"}`;
  const [one, closed] =
    list.length === 1
      ? [`process ${list[0]?.pid}`, "has closed that end"]
      : ["one of them", "all of them have closed their ends"];
  const who = list.length === 1 ? one : "";
  const eof = reading
    ? `; when ${who === "" ? closed : `${who} ${closed}`}, the read gives 0, the end of the file`
    : "";
  return `${state}; its other end is held by ${holders(list, pid)}: the ${reading ? "read" : "write"} ends when ${one} ${verb}${eof}`;
}

/** The end of a pipe that a waiting call is on. */
function endof(all: Procs, pid: number, w: Wait): 0 | 1 | null {
  return find(all, pid)?.fds.find((d) => d.chan === w.chan)?.pipe?.end ?? null;
}

/** What a call waits for at the end of a recording that never sees it return, and what would end it. */
export function stuckwords(
  r: Recording,
  call: Rcall,
): { readonly why: string; readonly mend: string } {
  const all = procsat(r, indexof(r).stuckat(call));
  const p = find(all, call.pid);
  const w = p?.waits.find((x) => x.call === call.id);
  if (w === undefined || w.for === "reply") return { why: "", mend: "" };
  const circle = deadlock(all, call.pid);
  return {
    why: sentences(waitwords(all, call.pid, w), circlewords(circle)),
    mend: circlemend(r, all, circle) || stuckmend({ r, all }, call.pid, w),
  };
}

type Known = { readonly r: Recording; readonly all: Procs };

function stuckmend({ r, all }: Known, pid: number, w: Wait): string {
  const pipe = pipeof(all, w);
  const end = endof(all, pid, w);
  if (w.for === "bytes" && pipe !== undefined && end !== null) {
    const own = pipe.ways[end].writers.filter((h) => h.pid === pid);
    const others = pipe.ways[end].writers.filter((h) => h.pid !== pid);
    if (own.length > 0)
      return `Close ${listfmt(own.map((h) => `descriptor ${h.fd}${madeby(r, all, h)}`))} in process ${pid} before ${readof(r, w)}${others.length === 0 ? ": the read then gives 0, the end of the file" : `, and have ${holders(others, pid)} closed too`}.`;
    if (others.length > 0) return `Have ${holders(others, pid)} write, or close that end.`;
    if (pipe.conn === 0)
      return `Have a process open the other end of pipe ${pipe.pipe}${otherend(all, pid, w)}, and write to that.`;
  }
  if (w.for === "partner") return "Have another process call rendezvous with the same tag.";
  if (w.for === "semaphore") return "Have another process call semrelease.";
  return "";
}

/** The read that waits, with its line. */
function readof(r: Recording, w: Wait): string {
  const call = r.calls[w.call];
  return call === undefined || call.line === null ? "the read" : callat(r, call);
}

/** The name of the other end of a pipe that was opened by a name: " (/tmp/pipe/data1)"; "" of one that was not. */
function otherend(all: Procs, pid: number, w: Wait): string {
  const path = find(all, pid)?.fds.find((d) => d.chan === w.chan)?.path ?? "";
  if (!/^\/.*\/data1?$/.test(path)) return "";
  return ` (${path.endsWith("1") ? path.slice(0, -1) : `${path}1`} in the name space of process ${pid})`;
}

/**
 * Of a call that a note has ended: why it would have waited for ever, and what would end that, where a pipe has no
 * writer but the process that waits. Of a call to a server of this machine, the pipe is one that the server reads.
 */
export function endless(
  r: Recording,
  call: Rcall,
): { readonly why: string; readonly mend: string } {
  const none = { why: "", mend: "" };
  const note = [...indexof(r).procevents(call.pid, call.first)].find(
    ({ e }) => e.type === "proc" && e.what === "note",
  );
  if (note === undefined) return none;
  const all = procsat(r, note.event - 1);
  const own = find(all, call.pid)?.waits.find((x) => x.call === call.id);
  if (own === undefined) return none;
  for (const pid of own.for === "reply" ? own.served : [call.pid])
    for (const w of find(all, pid)?.waits ?? []) {
      const pipe = pipeof(all, w);
      if (w.for !== "bytes" || pipe === undefined || pipe.conn > 0) continue;
      if (pid === call.pid && w !== own) continue;
      if (w.whom.some((x) => x !== pid)) continue;
      const reads =
        pid === call.pid
          ? ""
          : `until then process ${pid}, the server, was reading pipe ${w.pipe} for this call`;
      return {
        why: sentences(capital(reads), pipewords(all, pid, w)),
        mend: stuckmend({ r, all }, pid, w),
      };
    }
  return none;
}

/** The processes that can end what a process waits for; null where something else can, as time does. */
function enders(all: Procs, p: Process): readonly number[] | null {
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
        list.push(...all.list.filter((x) => x.life === "alive").map((x) => x.pid));
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
 * and only these can end the waits, so none ever goes on. null if one of them does not wait, or if something else,
 * as time, can end a wait.
 */
function deadlock(all: Procs, pid: number): Circle | null {
  const waits = new Map<number, readonly number[]>();
  const way = [pid];
  for (const at of way) {
    const p = find(all, at);
    const list = p === undefined ? null : enders(all, p);
    if (list === null) return null;
    waits.set(at, list);
    for (const x of list) if (!way.includes(x)) way.push(x);
  }
  return way.length < 2 ? null : waits;
}

function circlewords(circle: Circle | null): string {
  if (circle === null) return "";
  const told = [...circle].map(([pid, whom]) => {
    const names = whom.slice(0, SOME).map((x) => `process ${x}`);
    const last = whom.length > SOME ? `${whom.length - SOME} more` : names.pop();
    const list = names.length === 0 ? last : `${names.join(", ")} or ${last}`;
    return `process ${pid} waits for ${whom.length === 0 ? "itself" : list}`;
  });
  return `This is a deadlock: ${somefmt(told, 2 * SOME)}. None of these processes goes on`;
}

/** What ends a deadlock: the end of a pipe that its holders do not use, which they need not keep open. */
function circlemend(r: Recording, all: Procs, circle: Circle | null): string {
  for (const pid of circle?.keys() ?? [])
    for (const w of find(all, pid)?.waits ?? []) {
      const pipe = pipeof(all, w);
      const end = endof(all, pid, w);
      if (w.for !== "bytes" || pipe === undefined || end === null) continue;
      const list = pipe.ways[end].writers;
      if (list.length === 0 || list.some((h) => hasused(r, all, h))) continue;
      const held = list.map((h) => `descriptor ${h.fd} in process ${h.pid}${madeby(r, all, h)}`);
      const which = held.length === 1 ? "which never uses it" : "which never use them";
      return `Close ${listfmt(held)}, ${which}: the read of process ${pid} then gives 0, the end of the file, and process ${pid} goes on.${thenwords(all, circle, pid)}`;
    }
  return "";
}

/** The other reads of a deadlock that end when a process of it ends: it alone holds the other ends of their pipes. */
function thenwords(all: Procs, circle: Circle | null, by: number): string {
  const list: string[] = [];
  for (const pid of circle?.keys() ?? [])
    for (const w of find(all, pid)?.waits ?? []) {
      const end = endof(all, pid, w);
      const writers = end === null ? [] : (pipeof(all, w)?.ways[end].writers ?? []);
      if (
        w.for === "bytes" &&
        pid !== by &&
        writers.length > 0 &&
        writers.every((h) => h.pid === by)
      )
        list.push(
          ` The read of process ${pid} ends when process ${by} ends, which alone holds the other end of pipe ${w.pipe}.`,
        );
    }
  return list.join("");
}

/** The number of the Chan that a process has at a descriptor; undefined where it has none. */
const chanof = (all: Procs, { pid, fd }: Holder): number | undefined =>
  find(all, pid)?.fds.find((d) => d.fd === fd)?.chan;

/** The call that made an open file, its line and variable: " (w1, of pipe() in copy.ts:14)"; "" where none is known. */
function madeby(r: Recording, all: Procs, h: Holder): string {
  const made = r.events[indexof(r).made(chanof(all, h) ?? 0)];
  const call = r.calls[made?.call ?? -1];
  if (call === undefined) return "";
  const line = r.sources[call.line?.source ?? -1]?.text.split("\n")[(call.line?.line ?? 0) - 1];
  const given = Array.isArray(call.value) ? call.value : [call.value];
  const name = keeps(line ?? "", call.name)[given.indexOf(made?.type === "fd" ? made.fd : -1)];
  return ` (${name === undefined ? "" : `${name}, `}of ${callat(r, call)})`;
}

/** Whether a process has read or written an open file of its own, or is at it. */
function hasused(r: Recording, all: Procs, h: Holder): boolean {
  const chan = chanof(all, h);
  return indexof(r)
    .callsof(h.pid)
    .some((c) => c.chan === chan && /read$|write$/.test(c.name));
}

/** A read or write of a server, as the 9P messages that it is; null for any other call. */
export function servedwhy(r: Recording, call: Rcall, event: number): Decision | null {
  const messages = indexof(r).served(event);
  const first = r.events[messages[0] ?? -1];
  if (!ismessage(first)) return null;
  const list = messages.map((i) => r.events[i]).filter(ismessage);
  const names = listfmt(list.map((e) => msgname(e.fcall)));
  const all = procsat(r, event);
  const asks = r.calls[first.call];
  const file = asks?.file ?? null;
  const of =
    asks === undefined
      ? ""
      : ` of ${procname(all, asks.pid)}: ${asks.text}${file === null ? "" : `, of ${file}`}`;
  return first.type === "send"
    ? told(
        `process ${call.pid} reads ${list.length === 1 ? "the request" : "the requests"} ${names}${of}`,
        asks === undefined ? "" : `the answer goes back to that call of process ${asks.pid}`,
        "A server is a process: it reads requests from its end of a pipe or connection, and writes the answers",
      )
    : told(
        `process ${call.pid} answers with ${names}`,
        of === ""
          ? ""
          : `they go to the call${of}`.replace(
              "they go",
              list.length === 1 ? "it goes" : "they go",
            ),
      );
}

/** What a call that has returned did to processes, descriptors and pipes; "" where no change is known. */
export function didwords(r: Recording, call: Rcall, event: number): string {
  if (call.error !== null) return "";
  const all = procsat(r, event);
  if (!all.known) return "";
  const p = find(all, call.pid);
  const [fd] = call.args;
  switch (call.name) {
    case "dup":
    case "open":
    case "create":
      return p === undefined ? "" : opened(p, Number(call.value));
    case "pipe":
      return p === undefined ? "" : piped(p, call.value);
    case "read":
    case "pread":
    case "write":
    case "pwrite":
      return sentences(
        transferred(r, call, event),
        typeof fd === "number" && p !== undefined ? moved(p, fd) : "",
      );
    case "close":
      return closed(r, all, call, event);
    case "wait":
    case "await":
      return heard(r, call, event);
    case "rfork":
      return typeof call.value === "number" ? "" : regrouped(all, call.pid);
    default:
      return "";
  }
}

/** What a call, up to one of its events, did so to pipes. */
const pipeevents = (
  r: Recording,
  { call, event }: { readonly call: Rcall; readonly event: number },
  what: Pipeevent["what"],
): Pipeevent[] =>
  indexof(r)
    .during(call, event)
    .flatMap(({ e }) => (e.type === "pipe" && e.what === what ? [e] : []));

type Pipeevent = Revent & { readonly type: "pipe" };

/** Of a wait: whose end it has told of. */
function heard(r: Recording, call: Rcall, event: number): string {
  const heardof = indexof(r)
    .during(call, event)
    .findLast(({ e }) => e.type === "proc" && e.what === "waited");
  return heardof === undefined
    ? ""
    : `process ${call.pid} has heard of the end of process ${heardof.e.pid}, which is no zombie any more`;
}

const descriptor = (p: Process, fd: number): Descriptor | undefined =>
  p.fds.find((d) => d.fd === fd);

function opened(p: Process, fd: number): string {
  const d = descriptor(p, fd);
  if (d === undefined) return "";
  return sentences(
    d.server === "" ? "" : `descriptor ${fd} is ${d.path}, which ${d.server} serves`,
    d.shared.length === 0
      ? ""
      : `it is the same open file as ${holders(d.shared, p.pid)}: they share one offset`,
  );
}

function piped(p: Process, value: unknown): string {
  const [a, b] = Array.isArray(value) ? value.map(Number) : [];
  const pipe = descriptor(p, a ?? -1)?.pipe;
  if (pipe === undefined || pipe === null) return "";
  return `Descriptors ${a} and ${b} are the two ends of pipe ${pipe.pipe}: bytes written to one are read from the other`;
}

function moved(p: Process, fd: number): string {
  const d = descriptor(p, fd);
  if (d === undefined || d.pipe !== null || d.shared.length === 0) return "";
  if (d.path === "/dev/cons") return "";
  return `the next read or write of descriptor ${fd} begins at byte ${d.offset}, and so does that of ${holders(d.shared, p.pid)}`;
}

/** Of a read of a pipe: who wrote the bytes; or that it is the end of the file. */
function transferred(r: Recording, call: Rcall, event: number): string {
  if (call.name === "write" || call.name === "pwrite") return sent(r, call, event);
  const taken = takenby(r, call, event);
  if (taken === null) return "";
  if (call.value === 0)
    return `that is the end of the file: no process holds the other end of pipe ${taken.pipe} open any more`;
  const by = r.calls[r.events[indexof(r).putat(taken, event)]?.call ?? -1];
  return by === undefined ? "" : `process ${by.pid} wrote these bytes: ${by.text}`;
}

/** Of a write to a pipe: who can read the bytes. */
function sent(r: Recording, call: Rcall, event: number): string {
  const e = pipeevents(r, { call, event }, "put").at(-1);
  const pipe = procsat(r, event).pipes.find((x) => x.pipe === e?.pipe);
  if (e === undefined || pipe === undefined) return "";
  const way = pipe.ways[e.end];
  if (pipe.conn > 0 && pipe.connend === e.end)
    return `the kernel's mount driver reads these bytes from pipe ${e.pipe}`;
  return way.readers.length === 0
    ? ""
    : `${holders(way.readers, call.pid)} can read these bytes from pipe ${e.pipe}`;
}

/** Where a call took bytes out of a pipe; of a read at the end of the file, the pipe that it read. */
function takenby(r: Recording, call: Rcall, event: number): Taken | null {
  const e = pipeevents(r, { call, event }, "take").at(-1);
  if (e !== undefined) return e;
  if (call.value !== 0) return null;
  const d = find(procsat(r, event), call.pid)?.fds.find((x) => x.chan === call.chan);
  return d?.pipe === undefined || d.pipe === null ? null : { ...d.pipe, off: 0 };
}

/** Of a close: who else has the file open, or that it was the last of an end of a pipe. */
function closed(r: Recording, all: Procs, call: Rcall, event: number): string {
  const left = all.list.flatMap((p) =>
    p.fds.filter((d) => d.chan === call.chan).map((d) => ({ pid: p.pid, fd: d.fd })),
  );
  if (left.length > 0)
    return `the file stays open: ${holders(left, call.pid)} ${left.length === 1 ? "has" : "have"} it, too`;
  const [e] = pipeevents(r, { call, event }, "hangup");
  if (e === undefined) return "";
  const way = all.pipes.find((x) => x.pipe === e.pipe)?.ways[e.end];
  const readers =
    way === undefined || way.readers.length === 0 ? "" : ` of ${holders(way.readers, call.pid)}`;
  return `it was the last descriptor of this end of pipe ${e.pipe}: the reads${readers} at the other end give 0, the end of the file, when the pipe is empty`;
}

function regrouped(all: Procs, pid: number): string {
  const p = find(all, pid);
  if (p === undefined) return "";
  const own = KINDS.filter((kind) => p.groups[kind].with.length === 0).map((kind) => GROUPS[kind]);
  const shared = KINDS.filter((kind) => p.groups[kind].with.length > 0).map(
    (kind) => `its ${GROUPS[kind]} with ${procnames(all, p.groups[kind].with)}`,
  );
  return sentences(
    own.length === 0 ? "" : `process ${pid} has its own ${listfmt(own)} now`,
    shared.length === 0 ? "" : `it shares ${listfmt(shared)}`,
  );
}

/** Whose name space changes. */
export function mountwords(r: Recording, e: Revent & { type: "mount" }, event: number): string {
  const all = procsat(r, event);
  if (!all.known) return "";
  const pids = all.list
    .filter((p) => p.life === "alive" && p.groups.names.id === e.pgrp)
    .map((p) => p.pid);
  const others = pids.filter((pid) => pid !== e.pid);
  return others.length === 0
    ? `it is the name space of process ${e.pid} alone: no other process sees the change`
    : `${procnames(all, others)} ${others.length === 1 ? "shares" : "share"} the name space of process ${e.pid}, and ${others.length === 1 ? "sees" : "see"} the change`;
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
