// What a recording shows of a call that failed: the name and the element that it failed at, who holds the
// file, what is known of it, the descriptor, the connection, the note. The words are failure.ts's. Of a name that
// is missing here, elsewhere() tells where it is there or was: the binds and mounts that hide it, and those in other
// name spaces. Pure.

import { callrow } from "../../../kernel/abi/calls.ts";
import { MCREATE, OEXCL } from "../../../kernel/abi/const.ts";
import type { Fact } from "../../../kernel/abi/errors.ts";
import { Rerror, Rwalk, Tcreate, Twalk } from "../../../kernel/abi/fcall.ts";
import { indexof } from "../record/index.ts";
import type { Numbered } from "../record/index.ts";
import { bare } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { below, localpath, split } from "../record/seen.ts";
import type { Seenfile, Where } from "../record/seen.ts";
import { cleanname, namesof } from "../step/names.ts";
import {
  callat,
  devicename,
  isroot,
  memberof,
  membersat,
  mountat,
  rforkof,
  serverof,
} from "./who.ts";
import { listfmt, sentences, somefmt } from "./sentence.ts";
import { procsat } from "../step/procs.ts";
import { fdknown } from "./whyproc.ts";

/** What was found out of a name after the run, by asking. */
export type Probe = {
  readonly entry: Seenfile | null;
  /** What is in the deepest directory of it that exists. */
  readonly names: readonly string[];
  /** The name that was probably meant. */
  readonly meant: string | null;
  /** The user who asked. */
  readonly user: string;
};

/** Of a call that failed. Names are from the root of its name space, "" where there is none. */
export type Failing = {
  readonly r: Recording;
  readonly call: Rcall;
  /** The error string without the name in front of it. */
  readonly error: string;
  readonly fact: Fact | null;
  /** Who holds the file: "the server far!564", "the memory tree"; and its connection, 0 for a device. */
  readonly holder: string;
  readonly conn: number;
  /** "" where that is not known. */
  readonly user: string;
  /** The name that failed, as it was given, and as which argument: "its second argument". */
  readonly name: string;
  readonly argument: string;
  /** The names that were given, the first and the last. */
  readonly argument1: string;
  readonly argument2: string;
  /** The part of the name that the error is about; the directory that it is in, and its last element. */
  readonly shown: string;
  readonly dir: string;
  readonly elem: string;
  /** What of the name is behind it: "x/y". */
  readonly rest: string;
  /** A directory refused to have something made in it, and `entry` is of that. */
  readonly creates: boolean;
  /** Elements before it were walked in the same request, so the server may have hidden it. */
  readonly partial: boolean;
  /** How many members of a union were asked for it, 1 for no union. */
  readonly members: number;
  /** create may make a file where it is missing: of a union, a member was bound or mounted with leave to create. */
  readonly creatable: boolean;
  /** The name is that of a union, which is a directory. */
  readonly isunion: boolean;
  /** What the run has shown in that directory, and which of it was probably meant. */
  readonly names: readonly string[];
  readonly meant: string | null;
  /** What is known of the file, and of a directory what is in it. */
  readonly entry: Seenfile | null;
  readonly inside: readonly string[];
  /** The member that was the first with the name, from 1, where others come after it; 0 for none. */
  readonly chosen: number;
  /** A later member that is seen to have the name, too, from 1; 0 for none. */
  readonly after: number;
  /** The mount point that the name went through last, and what is mounted on it. */
  readonly point: string;
  readonly mounted: string;
  /** The mode of an open or create. */
  readonly mode: number;
  readonly excl: boolean;
  /** Of a call on a descriptor. */
  readonly fd: number | null;
  /** The mode that it was opened with, in words; "" where that is not known. */
  readonly openmode: string;
  /** It is an end of a pipe, whatever its name. */
  readonly pipe: boolean;
  /** The descriptors that the process has open, and the close that this one was closed by. */
  readonly open: readonly number[];
  readonly closed: Rcall | null;
  /** When the connection to its server ended. */
  readonly gone: number | null;
  /** The last note that came to the process. */
  readonly note: { readonly text: string; readonly by: number } | null;
};

/** The name in front of an error string; null where there is none. */
function quoted(error: string): string | null {
  const [, name] = /^'((?:[^']|'')*)' /.exec(error) ?? [];
  return name?.replaceAll("''", "'") ?? null;
}

type Namec = Revent & { readonly type: "namec" };
type Receive = Revent & { readonly type: "receive" };

/** The events of a call up to its return, the last first. */
type Events = readonly Numbered[];

/** What is known of a call that failed. */
export function failing(r: Recording, call: Rcall, probe: Probe | null = null): Failing {
  const error = call.error ?? "";
  const index = indexof(r);
  const events = index.during(call).toReversed();
  const at = events[0]?.event ?? call.last;
  const names = namesof(call);
  const text = quoted(error);
  const name = blamed(names, text, events);
  const full = name === "" ? "" : cleanname(name, call.dot);
  const shown = shownof(r, call, { text, full });
  const { dir, elem } = parts(shown, events);
  const partial = bare(error) === "does not exist";
  const places = ended(r, events).filter(({ path }) => isplace(path, elem, partial ? dir : ""));
  const through = prefixof(events, full);
  const conn = places[0]?.conn ?? connof(r, events, through);
  const seen = index.files;
  const members = unionof(r, events);
  // A union shows what all of its members have.
  const asked = members > 1 ? places : places.slice(0, 1);
  const known = asked.flatMap(({ conn: c, path }) =>
    seen.inside({ conn: c, path: split(path)[0] }, at),
  );
  const file = places[0] ?? walked(r, events);
  const found = new Set(known.filter((n) => n !== elem));
  const inside = probe?.names ?? [...found].toSorted();
  const [, mode] = call.args;
  const chosen = chosenof(r, events, through);
  return {
    r,
    call,
    error: bare(error),
    fact: call.fact ?? null,
    holder: holder(r, events, { conn, through, full }),
    conn,
    user: userof(call, probe?.user ?? seen.user(conn)),
    name,
    ...argumentsof(call, names, name),
    shown,
    dir,
    elem,
    rest: full.startsWith(`${shown}/`) ? full.slice(shown.length + 1) : "",
    partial,
    members,
    names: inside,
    meant: probe?.meant ?? meant(elem, inside),
    entry: probe?.entry ?? (file === null ? null : seen.file(file, at)),
    inside: file === null ? [] : seen.inside(file, at),
    creates: refusedcreate(r, events),
    chosen,
    after: chosen === 0 ? 0 : afterof(r, events, at),
    ...mountfacts(r, call, { through, full, members }),
    mode: typeof mode === "number" ? mode : 0,
    excl: typeof mode === "number" && (mode & OEXCL) !== 0,
    fd: fdof(r, call),
    ...fdfacts(r, call),
    gone: gone(r, conn, at),
    note: noteof(r, call, at),
  };
}

/** The part of a name that an error is about, from the root; the whole name where the error shows none. */
function shownof(
  r: Recording,
  call: Rcall,
  { text, full }: { readonly text: string | null; readonly full: string },
): string {
  // Of a long name an error shows the end only: "...aa/b".
  if (text === null) return full;
  if (text.startsWith("...")) {
    const tail = text.slice(3);
    const end = full.lastIndexOf(`${tail}/`);
    return end < 0 || full.endsWith(tail) ? full : full.slice(0, end + tail.length);
  }
  // The standard kernel walks "..", so an error may show one.
  const raw = r.about.namespace === "standard" && /(^|\/)\.\.(\/|$)/.test(text);
  return raw ? text : cleanname(text, call.dot);
}

/** Which argument failed, of a call with two names, and what they are. */
function argumentsof(
  call: Rcall,
  names: readonly string[],
  name: string,
): Pick<Failing, "argument" | "argument1" | "argument2"> {
  const last = call.name === "mount" ? "its third argument" : "its second argument";
  const two = names.length > 1;
  return {
    argument: two ? (["its first argument", last][names.indexOf(name)] ?? "") : "",
    argument1: two ? (names[0] ?? "") : "",
    argument2: names.at(-1) ?? "",
  };
}

/** The name that an error is about: the one that it shows a part of, else the one that was looked up last. */
function blamed(names: readonly string[], text: string | null, events: Events): string {
  const shows =
    text === null
      ? undefined
      : names.find((n) => n === text || n.startsWith(`${text}/`) || n.startsWith(text));
  if (shows !== undefined) return shows;
  for (const { e } of events)
    if (e.type === "namec" && e.step === "clean") return names.find((n) => n === e.name) ?? e.name;
  return names.at(-1) ?? "";
}

/** Whether a walk ended at an element, and where it had come further than its first in this directory. */
function isplace(path: string, elem: string, dir: string): boolean {
  const [above, last] = split(path);
  return last === elem && (dir === "" || split(above)[1] === split(dir)[1]);
}

/** The directory and the element that failed. */
function parts(shown: string, events: Events): { readonly dir: string; readonly elem: string } {
  const fail = step(events, "fail");
  const i = shown.lastIndexOf("/");
  const dir = i > 0 ? shown.slice(0, i) : "/";
  const last = shown.slice(i + 1);
  const elem = fail !== undefined && fail.elem !== "" ? fail.elem : last;
  return { dir, elem };
}

function step<S extends Namec["step"]>(
  events: Events,
  name: S,
): (Namec & { readonly step: S }) | undefined {
  for (const { e } of events)
    if (e.type === "namec" && e.step === name) return e as Namec & { readonly step: S };
  return undefined;
}

/** Where the walks of a call ended that did not come all the way: the file that was not there, for each. */
function ended(r: Recording, events: Events): Where[] {
  const list: Where[] = [];
  for (const { e, event } of events) {
    // What the members before the one that was found have said is no reason.
    if (e.type === "namec" && e.step === "found") break;
    if (e.type === "namec" && e.step === "walk" && e.conn === 0 && e.got < e.rest.length)
      list.push({ conn: 0, path: localpath(e.chan, e.rest.slice(0, e.got + 1)) });
    if (e.type !== "receive") continue;
    const path = stopped(r, e, event);
    if (path !== null) list.push({ conn: e.conn, path });
  }
  return list;
}

/** The path that the answer to a walk says is not there; null when it is no such answer. */
function stopped(r: Recording, e: Receive, event: number): string | null {
  const of = r.events[e.of];
  if (of?.type !== "send" || of.fcall.type !== Twalk) return null;
  const { fcall: t, conn } = of;
  const got =
    e.fcall.type === Rwalk ? e.fcall.wqid.length : e.fcall.type === Rerror ? 0 : t.wname.length;
  if (got === t.wname.length) return null;
  const from = indexof(r).files.fids.name(r, { conn, event: Math.min(e.of, event) - 1 }, t.fid);
  return from === undefined ? null : below(from, t.wname.slice(0, got + 1));
}

/** The file that a call came to: the one that a request on it was refused for, or the end of its last walk. */
function walked(r: Recording, events: Events): Where | null {
  for (const { e } of events) {
    if (e.type === "namec" && e.step === "walk" && e.conn === 0)
      return { conn: 0, path: localpath(e.chan, e.rest) };
    if (e.type !== "receive" || e.fcall.type !== Rerror) continue;
    const of = r.events[e.of];
    if (of?.type !== "send" || !("fid" in of.fcall)) continue;
    const path = indexof(r).files.fids.name(r, { conn: e.conn, event: e.of }, of.fcall.fid);
    if (path !== undefined) return { conn: e.conn, path };
  }
  return null;
}

type Prefix = Namec & { readonly step: "prefix" };

/** The mount point that a name went through last: a call with two names goes through others with the other one. */
function prefixof(events: Events, full: string): Prefix | undefined {
  const all = events.flatMap(({ e }) => (e.type === "namec" && e.step === "prefix" ? [e] : []));
  const own = all.filter(
    ({ point }) => full === point || full.startsWith(point.replace(/\/?$/, "/")),
  );
  return own.toSorted((a, b) => b.point.length - a.point.length)[0] ?? all[0];
}

/** The connection that a call spoke on last, or that its name led to; 0 for none. */
function connof(r: Recording, events: Events, through: Prefix | undefined): number {
  const [only, other] = through === undefined ? [] : membersat(r, through, through.point);
  if (only?.conn === 0 && other === undefined) return 0;
  for (const { e } of events) {
    if (e.type === "receive" || e.type === "send") return e.conn;
    if (e.type !== "namec") continue;
    if (e.step === "walk") return e.conn;
    if (e.step === "prefix") return membersat(r, e, e.point)[0]?.conn ?? 0;
  }
  return 0;
}

type Name = { readonly conn: number; readonly through: Prefix | undefined; readonly full: string };

/** Who holds the file. */
function holder(r: Recording, events: Events, { conn, through, full }: Name): string {
  if (conn > 0) return serverof(r, conn);
  const device = step(events, "device");
  if (device !== undefined && (full.startsWith("#") || through === undefined))
    return devicename(device.path.charAt(1));
  const [first] = through === undefined ? [] : membersat(r, through, through.point);
  if (first === undefined) return "the kernel";
  return first.conn > 0 ? serverof(r, first.conn) : devicename(first.dev);
}

function userof(call: Rcall, user: string | undefined): string {
  const { fact } = call;
  if (fact?.why === "mode" || fact?.why === "owner") return fact.user;
  return user ?? "";
}

/** How many members of a union were asked for the name in vain. */
function unionof(r: Recording, events: Events): number {
  const miss = step(events, "miss");
  if (miss === undefined || step(events, "found") !== undefined) return 1;
  return mountat(r, miss, miss.point)?.members.length ?? 1;
}

/** Whether the last answer was a server's no to a Tcreate. */
function refusedcreate(r: Recording, events: Events): boolean {
  for (const { e } of events) {
    if (e.type !== "receive" || e.fcall.type !== Rerror) continue;
    const of = r.events[e.of];
    return of?.type === "send" && of.fcall.type === Tcreate;
  }
  return false;
}

/** The member of a union that was found to have the name, where more come after it; 0 for none. */
function chosenof(r: Recording, events: Events, through: Prefix | undefined): number {
  const found = step(events, "found");
  if (found === undefined) return 0;
  if (found.point !== through?.point) return 0;
  const of = membersat(r, found, found.point).length;
  return found.index + 1 < of ? found.index + 1 : 0;
}

/** A member behind the one that was found whose server is seen to have the name as its root's, from 1; 0 for none. */
function afterof(r: Recording, events: Events, at: number): number {
  const found = step(events, "found");
  if (found === undefined) return 0;
  const list = membersat(r, found, found.point);
  return (
    1 +
    list.findIndex(
      (m, i) =>
        i > found.index &&
        m.conn > 0 &&
        isroot(r, found, m) &&
        indexof(r).files.file({ conn: m.conn, path: found.elem }, at) !== null,
    )
  );
}

/** What is known of the mount point that a name went through last, of which so many members were asked. */
function mountfacts(
  r: Recording,
  call: Rcall,
  at: { readonly through: Prefix | undefined; readonly full: string; readonly members: number },
): Pick<Failing, "creatable" | "isunion" | "point" | "mounted"> {
  const { through, full } = at;
  const list = through === undefined ? [] : membersat(r, through, through.point);
  return {
    creatable: at.members < 2 || list.some((m) => (m.flags & MCREATE) !== 0),
    isunion: through?.point === full && list.length > 1,
    point: through?.point ?? "",
    mounted: onit(r, call, through),
  };
}

/** What is on the mount point that a name led to: "the server far!564". */
function onit(r: Recording, call: Rcall, through: Prefix | undefined): string {
  const first = r.events[call.first];
  if (first === undefined || through === undefined) return "";
  return listfmt(membersat(r, first, through.point).map((m) => memberof(r, m)));
}

function fdfacts(
  r: Recording,
  call: Rcall,
): Pick<Failing, "openmode" | "pipe" | "open" | "closed"> {
  const fd = fdof(r, call);
  const { mode: openmode, pipe, open, closed } = fdknown(r, call, fd ?? -1);
  return { openmode, pipe, open, closed: fd === null ? null : closed };
}

/** The descriptor that a call is about: of several the first that is not open. */
function fdof(r: Recording, call: Rcall): number | null {
  const kinds = callrow(call.name)?.args ?? [];
  const fds = call.args.filter((arg, i) => kinds[i] === "fd" && typeof arg === "number");
  if (fds.length < 2) return typeof fds[0] === "number" ? fds[0] : null;
  const { open } = fdknown(r, call, -1);
  const fd = fds.find((x) => typeof x === "number" && x >= 0 && !open.includes(x)) ?? fds[0];
  return typeof fd === "number" ? fd : null;
}

/** When the connection of a call ended; null where it stands. */
function gone(r: Recording, conn: number, event: number): number | null {
  const e = r.events[indexof(r).ended(conn, event)];
  return e === undefined ? null : e.at - (r.events[0]?.at ?? 0);
}

/** The last note that came to the process of a call, up to an event. */
function noteof(r: Recording, call: Rcall, event: number): Failing["note"] {
  let note: Failing["note"] = null;
  for (const x of indexof(r).procevents(call.pid, call.first)) {
    if (x.event > event) break;
    if (x.e.type === "proc" && x.e.what === "note") note = { text: x.e.text, by: x.e.by ?? 0 };
  }
  return note;
}

/** The name of a list that is one slip of the finger away, or has the same letters in another order. */
function meant(wanted: string, names: readonly string[]): string | null {
  const letters = (s: string): string => Array.from(s.toLowerCase()).sort().join("");
  const close = names.find((n) => letters(n) === letters(wanted) || near(n, wanted));
  return close ?? null;
}

/** Whether one letter more, one less or another makes the one of the other. */
function near(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || Math.min(a.length, b.length) < 3) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  const [x, y] = [a.slice(i), b.slice(i)];
  return x.slice(1) === y.slice(1) || x.slice(1) === y || x === y.slice(1);
}

type Mount = Revent & { readonly type: "mount" };

/** Whether a name is that of a directory, or below it. */
const isbelow = (name: string, dir: string): boolean =>
  name === dir || name.startsWith(dir === "/" ? dir : `${dir}/`);

/** Why a name is missing, and what mends that; "" for neither. `or`: to make the file would mend it, too. */
export type Elsewhere = { readonly why: string; readonly mend: string; readonly or: boolean };

/** What hides a name that failed, or where else it is there, and what would mend that. */
export function elsewhere(f: Failing): Elsewhere {
  const { r, call, shown } = f;
  const all = procsat(r, call.first);
  const own = all.list.find((p) => p.pid === call.pid);
  if (own === undefined || !all.known || !shown.startsWith("/")) return NONE;
  for (const { e } of indexof(r).mounts(call.first)) {
    if (e.type !== "mount" || e.op === "unmount" || !isbelow(shown, e.path)) continue;
    if (e.pgrp === own.groups.names.id) return e.path === f.point ? hidden(f, e) : NONE;
    if (mountat(r, e, e.path) === undefined || ishere(r, call, e)) continue;
    const whose = all.list.filter((p) => p.groups.names.id === e.pgrp).map((p) => p.pid);
    return apart(f, e, whose);
  }
  return NONE;
}

const NONE: Elsewhere = { why: "", mend: "", or: true };

/** Whether the name space of a call has just the same on a mount point. */
function ishere(r: Recording, call: Rcall, e: Mount): boolean {
  const first = r.events[call.first];
  const here = first === undefined ? undefined : mountat(r, first, e.path);
  return (
    here?.members.map((m) => m.from).join() ===
    mountat(r, e, e.path)
      ?.members.map((m) => m.from)
      .join()
  );
}

/** A mount that came when the name had been found already hides what was found. */
function hidden(f: Failing, e: Mount): Elsewhere {
  const { r, call, shown } = f;
  const by = r.calls[e.call];
  if (by === undefined) return NONE;
  const was = lastcall(r, { before: by, names: FINDS, file: shown });
  if (was === undefined || was.name === "remove") return NONE;
  const other =
    by.pid === call.pid
      ? ""
      : ` of process ${by.pid}, whose name space process ${call.pid} shares,`;
  return {
    why: `${callat(r, by)}${other} has hidden it: ${callat(r, was)} of process ${was.pid} found it before`,
    mend: `unmount ${e.path} takes that off${by.pid === call.pid ? "" : `; a child that binds for itself is made with RFNAMEG`}`,
    or: true,
  };
}

const FINDS = ["open", "create", "stat", "remove"];

/** The last call before another that succeeded, is one of these, and was given a name of this file. */
export function lastcall(
  r: Recording,
  which: { readonly before: Rcall; readonly names: readonly string[]; readonly file: string },
): Rcall | undefined {
  return indexof(r)
    .named(...which.names)
    .findLast((c) => {
      const [name] = c.args;
      return (
        c.id < which.before.id &&
        c.error === null &&
        typeof name === "string" &&
        cleanname(name, c.dot) === which.file
      );
    });
}

/**
 * That the server mounted there has the rest of the name, where the run has shown it: "log"; and the name by which
 * the process that failed reaches that file: "/n/near/log". Each is "" where it is not known.
 */
function has(
  { r, call, shown }: Failing,
  e: Mount,
): { readonly rest: string; readonly by: string } {
  const none = { rest: "", by: "" };
  const [first] = membersat(r, e, e.path);
  if (first === undefined || first.conn === 0) return none;
  const rest = shown.slice(e.path.length + 1);
  if (
    !isroot(r, e, first) ||
    indexof(r).files.file({ conn: first.conn, path: rest }, call.first) === null
  )
    return none;
  const own = r.spaces[r.events[call.first]?.space ?? -1]?.find(
    ({ members: [m, ...more] }) =>
      m?.conn === first.conn && more.length === 0 && memberof(r, m) === serverof(r, m.conn),
  );
  return { rest, by: own === undefined ? "" : `${own.path}/${rest}` };
}

/** What would have two processes share a name space: that the younger was not made with one of its own. */
function unshared(r: Recording, a: number, b: number): string {
  const young = Math.max(a, b);
  const made = rforkof(r, young);
  return `have process ${Math.min(a, b)} and process ${young} share one name space: ${
    made?.text.includes("RFNAMEG") !== true
      ? "rfork without RFNAMEG"
      : `leave RFNAMEG out of ${callat(r, made)}, which made process ${young}`
  }`;
}

/** A mount that only another name space has. */
function apart(f: Failing, e: Mount, whose: readonly number[]): Elsewhere {
  const { r, call } = f;
  const by = r.calls[e.call];
  const [first] = membersat(r, e, e.path);
  if (by === undefined || first === undefined) return NONE;
  const pids = (whose.length > 0 ? whose : [e.pid]).map((pid) => `process ${pid}`);
  const { rest, by: name } = has(f, e);
  const there = `process ${by.pid} has put ${memberof(r, first)}${rest === "" ? "" : `, which has ${rest},`} on ${e.path} by ${callat(r, by)}, but in another name space`;
  const one = Math.min(...(whose.length > 0 ? whose : [e.pid]));
  return {
    why: sentences(
      there,
      `that is the name space of ${somefmt(pids, 4)}, and process ${call.pid} has another`,
    ),
    mend: sentences(
      `make that ${e.op} in process ${call.pid} too, or ${unshared(r, one, call.pid)}`,
      name === ""
        ? ""
        : `Else give the name by which process ${call.pid} reaches the file: ${name}`,
    ),
    // A file that is made here is another than the one there.
    or: false,
  };
}
