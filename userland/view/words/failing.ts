// The facts of a call that failed, as a recording shows them. Such facts are the name and the element that it failed at, the
// file and its server, the descriptor, the connection, and the note. The sentences made of them are failure.ts's. Of a
// name that is missing, elsewhere() tells where it is or was there: the binds and mounts that hide it, and those in other
// name spaces. Pure.

import { callrow } from "../../../kernel/abi/calls.ts";
import { MCREATE, OEXCL } from "../../../kernel/abi/const.ts";
import type { Fact } from "../../../kernel/abi/errors.ts";
import { Rerror, Rwalk, Tcreate, Twalk } from "../../../kernel/abi/fcall.ts";
import type { Mounted } from "../../../kernel/names/namespace.ts";
import { indexof } from "../record/index.ts";
import type { Eventof, Index, Numbered } from "../record/index.ts";
import { bare } from "../record/recording.ts";
import type { Rcall, Recording } from "../record/recording.ts";
import { below, localpath, split } from "../record/seen.ts";
import type { Seenfile, Where } from "../record/seen.ts";
import { cleanname, isbelow, namesof } from "../step/names.ts";
import { procsat } from "../step/procs.ts";
import type { Descriptor, Process, Procs } from "../step/procs.ts";
import { listfmt, sentences, somefmt } from "./text.ts";
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

type Namec = Eventof<"namec">;
type Of<S extends Namec["step"]> = Namec & { readonly step: S };

/** A note that came to a process, and the process that posted it; 0 for none. */
export type Note = { readonly text: string; readonly by: number };

/** What is known of a call that failed. Names are from the root of its name space, "" where there is none. */
export class Failing {
  readonly r: Recording;
  readonly call: Rcall;
  /** The error string without the name in front of it. */
  readonly error: string;
  /** The name that failed, as it was given. */
  readonly name: string;
  /** The part of the name that the error is about; the directory that it is in, and its last element. */
  readonly shown: string;
  readonly dir: string;
  readonly elem: string;
  /** The connection to who holds the file; 0 for a device. */
  readonly conn: number;
  readonly #probe: Probe | null;
  readonly #index: Index;
  /** The events of the call up to its return, the last first; and the last of them. */
  readonly #events: readonly Numbered[];
  readonly #at: number;
  /** The names that were given, and the one that failed in full. */
  readonly #given: readonly string[];
  readonly #full: string;
  /** Where walks ended at the element. */
  readonly #places: readonly Where[];
  /** The mount point that the name went through last. */
  readonly #through: Of<"prefix"> | undefined;
  #all: Procs | null = null;

  constructor(r: Recording, call: Rcall, probe: Probe | null = null) {
    const error = call.error ?? "";
    this.r = r;
    this.call = call;
    this.error = bare(error);
    this.#probe = probe;
    this.#index = indexof(r);
    this.#events = this.#index.during(call).toReversed();
    this.#at = this.#events[0]?.event ?? call.last;
    this.#given = namesof(call);
    const text = quoted(error);
    this.name = this.#blamed(text);
    this.#full = this.name === "" ? "" : cleanname(this.name, call.dot);
    this.shown = this.#shownof(text);
    const [dir, last] = split(this.shown);
    this.dir = dir === "" ? "/" : dir;
    this.elem = this.#step("fail")?.elem || last;
    this.#places = this.#ended().filter((x) => this.#isplace(x));
    this.#through = this.#prefix();
    this.conn = this.#places[0]?.conn ?? this.#connof();
  }

  // The name.

  /** The name that an error is about: the one that it shows a part of, else the one that was looked up last. */
  #blamed(text: string | null): string {
    const shows = text === null ? undefined : this.#given.find((n) => n.startsWith(text));
    return shows ?? this.#step("clean")?.name ?? this.#given.at(-1) ?? "";
  }

  /** The part of the name that the error is about, from the root; the whole name where the error shows none. */
  #shownof(text: string | null): string {
    const full = this.#full;
    // Of a long name an error shows the end only: "...aa/b".
    if (text === null) return full;
    if (text.startsWith("...")) {
      const tail = text.slice(3);
      const end = full.lastIndexOf(`${tail}/`);
      return end < 0 || full.endsWith(tail) ? full : full.slice(0, end + tail.length);
    }
    // The standard kernel walks "..", so an error may show one.
    const raw = this.r.about.namespace === "standard" && /(^|\/)\.\.(\/|$)/.test(text);
    return raw ? text : cleanname(text, this.call.dot);
  }

  /** What of the name is behind the part that failed: "x/y". */
  get rest(): string {
    return this.#full.startsWith(`${this.shown}/`) ? this.#full.slice(this.shown.length + 1) : "";
  }

  /** The names that were given, the first of two and the last. */
  get argument1(): string {
    return this.#given.length > 1 ? (this.#given[0] ?? "") : "";
  }

  get argument2(): string {
    return this.#given.at(-1) ?? "";
  }

  /** Of a call with two names, as which argument the name was given: "its second argument". */
  get argument(): string {
    if (this.#given.length < 2) return "";
    const last = this.call.name === "mount" ? "its third argument" : "its second argument";
    return ["its first argument", last][this.#given.indexOf(this.name)] ?? "";
  }

  /** Elements before it were walked in the same request, so the server may have hidden it. */
  get partial(): boolean {
    return this.error === "does not exist";
  }

  /** The last step of namec of a kind. */
  #step<S extends Namec["step"]>(name: S): Of<S> | undefined {
    for (const { e } of this.#events) if (isstep(e, name)) return e;
    return undefined;
  }

  /** Where the walks of the call ended that did not come all the way: the file that was not there, for each. */
  #ended(): Where[] {
    const list: Where[] = [];
    for (const { e, event } of this.#events) {
      // What the members before the one that was found have said is no reason.
      if (isstep(e, "found")) break;
      if (isstep(e, "walk") && e.conn === 0 && e.got < e.rest.length)
        list.push({ conn: 0, path: localpath(e.chan, e.rest.slice(0, e.got + 1)) });
      if (e.type !== "receive") continue;
      const path = this.#stopped(e, event);
      if (path !== null) list.push({ conn: e.conn, path });
    }
    return list;
  }

  /** The path that the answer to a walk says is not there; null when it is no such answer. */
  #stopped({ of, conn, fcall: f }: Eventof<"receive">, event: number): string | null {
    const t = this.r.events[of];
    if (t?.type !== "send" || t.fcall.type !== Twalk) return null;
    const { fid, wname } = t.fcall;
    const got = f.type === Rwalk ? f.wqid.length : f.type === Rerror ? 0 : wname.length;
    if (got === wname.length) return null;
    const from = this.#index.files.fidname({ conn, event: Math.min(of, event) - 1 }, fid);
    return from === undefined ? null : below(from, wname.slice(0, got + 1));
  }

  /** Whether a walk ended at the element, and where it had come further than its first in the same directory. */
  #isplace({ path }: Where): boolean {
    const [above, last] = split(path);
    return last === this.elem && (!this.partial || split(above)[1] === split(this.dir)[1]);
  }

  // Who holds the file, and what is known of it.

  /** The mount point that the name went through last: a call with two names goes through others with the other one. */
  #prefix(): Of<"prefix"> | undefined {
    const all = this.#events.flatMap(({ e }) => (isstep(e, "prefix") ? [e] : []));
    const own = all.filter(({ point }) => isbelow(this.#full, point));
    return own.toSorted((a, b) => b.point.length - a.point.length)[0] ?? all[0];
  }

  /** What is mounted there. */
  get #mounts(): readonly Mounted[] {
    return this.#through === undefined ? [] : membersat(this.r, this.#through, this.point);
  }

  /** The mount point that the name went through last; "" for none. */
  get point(): string {
    return this.#through?.point ?? "";
  }

  /** What is on that mount point when the call begins: "the server far!564". */
  get mounted(): string {
    const first = this.r.events[this.call.first];
    if (first === undefined || this.#through === undefined) return "";
    return listfmt(membersat(this.r, first, this.point).map((m) => memberof(this.r, m)));
  }

  /** create may make a file where it is missing: of a union, a member was bound or mounted with leave to create. */
  get creatable(): boolean {
    return this.members < 2 || this.#mounts.some((m) => (m.flags & MCREATE) !== 0);
  }

  /** The name is that of a union, which is a directory. */
  get isunion(): boolean {
    return this.point === this.#full && this.#mounts.length > 1;
  }

  /** The connection that the call spoke on last, or that its name led to; 0 for none. */
  #connof(): number {
    const [only, other] = this.#mounts;
    if (only?.conn === 0 && other === undefined) return 0;
    for (const { e } of this.#events) {
      if (e.type === "receive" || e.type === "send" || isstep(e, "walk")) return e.conn;
      if (isstep(e, "prefix")) return membersat(this.r, e, e.point)[0]?.conn ?? 0;
    }
    return 0;
  }

  /** Who holds the file: "the server far!564", "the memory tree". */
  get holder(): string {
    if (this.conn > 0) return serverof(this.r, this.conn);
    const device = this.#step("device");
    if (device !== undefined && (this.#full.startsWith("#") || this.#through === undefined))
      return devicename(device.path.charAt(1));
    const [first] = this.#mounts;
    if (first === undefined) return "the kernel";
    return first.conn > 0 ? serverof(this.r, first.conn) : devicename(first.dev);
  }

  /** What the error rests on, where a device has said so. */
  get fact(): Fact | null {
    return this.call.fact ?? null;
  }

  /** The user who was refused; "" where that is not known. */
  get user(): string {
    const { fact } = this;
    if (fact?.why === "mode" || fact?.why === "owner") return fact.user;
    return this.#probe?.user ?? this.#index.files.user(this.conn) ?? "";
  }

  /** How many members of a union were asked for the name and do not have it; 1 for no union. */
  get members(): number {
    const miss = this.#step("miss");
    if (miss === undefined || this.#step("found") !== undefined) return 1;
    return mountat(this.r, miss, miss.point)?.members.length ?? 1;
  }

  /** The member that was the first with the name, from 1, where others come after it; 0 for none. */
  get chosen(): number {
    const found = this.#step("found");
    if (found === undefined || found.point !== this.#through?.point) return 0;
    return found.index + 1 < membersat(this.r, found, found.point).length ? found.index + 1 : 0;
  }

  /** A later member, from 1, whose server is seen to have the name as its root's, too; 0 for none. */
  get after(): number {
    const found = this.#step("found");
    if (found === undefined || this.chosen === 0) return 0;
    const has = (m: Mounted): boolean =>
      m.conn > 0 &&
      isroot(this.r, found, m) &&
      this.#index.files.file({ conn: m.conn, path: found.elem }, this.#at) !== null;
    const list = membersat(this.r, found, found.point);
    return 1 + list.findIndex((m, i) => i > found.index && has(m));
  }

  /** What the run has shown in the directory. A union shows what all of its members have. */
  get names(): readonly string[] {
    if (this.#probe !== null) return this.#probe.names;
    const asked = this.members > 1 ? this.#places : this.#places.slice(0, 1);
    const found = asked.flatMap((x) => this.#inside({ ...x, path: split(x.path)[0] }));
    return [...new Set(found)].filter((n) => n !== this.elem).toSorted();
  }

  #inside(dir: Where): readonly string[] {
    return this.#index.files.inside(dir, this.#at);
  }

  /** Which of these names was probably meant; null for none. */
  get meant(): string | null {
    return this.#probe?.meant ?? meant(this.elem, this.names);
  }

  /** The file that a request on it was refused for; or the end of the call's last walk. */
  get #file(): Where | null {
    const [place] = this.#places;
    if (place !== undefined) return place;
    for (const { e } of this.#events) {
      if (isstep(e, "walk") && e.conn === 0) return { conn: 0, path: localpath(e.chan, e.rest) };
      if (e.type !== "receive" || e.fcall.type !== Rerror) continue;
      const of = this.r.events[e.of];
      if (of?.type !== "send" || !("fid" in of.fcall)) continue;
      const { conn } = e;
      const path = this.#index.files.fidname({ conn, event: e.of }, of.fcall.fid);
      if (path !== undefined) return { conn, path };
    }
    return null;
  }

  /** What is known of the file, and of a directory what is in it. */
  get entry(): Seenfile | null {
    const file = this.#file;
    return this.#probe?.entry ?? (file && this.#index.files.file(file, this.#at));
  }

  get inside(): readonly string[] {
    const file = this.#file;
    return file === null ? [] : this.#inside(file);
  }

  /** A directory refused to have something made in it, and `entry` is of that: the last no was to a Tcreate. */
  get creates(): boolean {
    for (const { e } of this.#events) {
      if (e.type !== "receive" || e.fcall.type !== Rerror) continue;
      const of = this.r.events[e.of];
      return of?.type === "send" && of.fcall.type === Tcreate;
    }
    return false;
  }

  /** The mode of an open or create. */
  get mode(): number {
    const [, mode] = this.call.args;
    return typeof mode === "number" ? mode : 0;
  }

  get excl(): boolean {
    return (this.mode & OEXCL) !== 0;
  }

  // The descriptor, the connection and the note.

  /** The processes when the call begins. */
  get procs(): Procs {
    return (this.#all ??= procsat(this.r, this.call.first));
  }

  /** The process of the call; undefined where the recording does not know it. */
  get proc(): Process | undefined {
    return this.procs.list.find((p) => p.pid === this.call.pid);
  }

  /** The descriptors that the process has open. */
  get open(): readonly number[] {
    return this.proc?.fds.map((d) => d.fd) ?? [];
  }

  /** The descriptor that a call is about, of several the first that is not open; null for none. */
  get fd(): number | null {
    const kinds = callrow(this.call.name)?.args ?? [];
    const fds = this.call.args.filter((_, i) => kinds[i] === "fd").filter(isnumber);
    const shut = (x: number): boolean => x >= 0 && !this.open.includes(x);
    return (fds.length > 1 ? fds.find(shut) : undefined) ?? fds[0] ?? null;
  }

  get #descriptor(): Descriptor | undefined {
    const { fd } = this;
    return this.proc?.fds.find((d) => d.fd === fd);
  }

  /** The mode that it was opened with, in words; "" where that is not known. */
  get openmode(): string {
    const d = this.#descriptor;
    return d === undefined ? "" : { r: "OREAD", w: "OWRITE", rw: "ORDWR", x: "OEXEC" }[d.mode];
  }

  /** Whether the descriptor is an end of a pipe. It may have any name. */
  get pipe(): boolean {
    return (this.#descriptor?.pipe ?? null) !== null;
  }

  /** The call that closed it; null where it is open, or was not closed in the recording. */
  get closed(): Rcall | null {
    const { fd } = this;
    if (fd === null || this.#descriptor !== undefined) return null;
    const event = this.#index.fdset(this.proc?.groups.fds.id ?? 0, fd, this.call.first);
    return this.r.calls[this.r.events[event]?.call ?? -1] ?? null;
  }

  /** When the connection to the server ended; null where it stands. */
  get gone(): number | null {
    const e = this.r.events[this.#index.ended(this.conn, this.#at)];
    return e === undefined ? null : e.at - (this.r.events[0]?.at ?? 0);
  }

  /** The last note that came to the process by the call's return. */
  get note(): Note | null {
    let note: Note | null = null;
    for (const { e, event } of this.#index.procevents(this.call.pid, this.call.first)) {
      if (event > this.#at) break;
      if (e.type === "proc" && e.what === "note") note = { text: e.text, by: e.by ?? 0 };
    }
    return note;
  }
}

const isnumber = (x: unknown): x is number => typeof x === "number";

/** Whether an event is this step of namec. */
function isstep<S extends Namec["step"]>(e: Numbered["e"], step: S): e is Of<S> {
  return e.type === "namec" && e.step === step;
}

/** The name in front of an error string; null where there is none. */
function quoted(error: string): string | null {
  const [, name] = /^'((?:[^']|'')*)' /.exec(error) ?? [];
  return name?.replaceAll("''", "'") ?? null;
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

type Mount = Eventof<"mount">;

/** Why a name is missing, and what mends that; "" for neither. `or`: to make the file would mend it, too. */
export type Elsewhere = { readonly why: string; readonly mend: string; readonly or: boolean };

/** What hides a name that failed, or where else it is there, and what would mend that. */
export function elsewhere(f: Failing): Elsewhere {
  const { r, call, shown, procs, proc } = f;
  if (proc === undefined || !procs.known || !shown.startsWith("/")) return NONE;
  for (const { e } of indexof(r).mounts(call.first)) {
    if (e.type !== "mount" || e.op === "unmount" || !isbelow(shown, e.path)) continue;
    if (e.pgrp === proc.groups.names.id) return e.path === f.point ? hidden(f, e) : NONE;
    if (mountat(r, e, e.path) === undefined || ishere(r, call, e)) continue;
    const whose = procs.list.filter((p) => p.groups.names.id === e.pgrp).map((p) => p.pid);
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
