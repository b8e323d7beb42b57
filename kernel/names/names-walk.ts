// Walking in the name space `names`: from a Start to a Chan, at once or later, and through a union the
// member that wins. Also how a failure is told: the error, and the part of the name that it is about.

import { cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { andthen } from "../abi/answer.ts";
import { QTDIR } from "../abi/const.ts";
import type { Walkqid } from "../dev.ts";
import { Eintr, Enonexist, PlanError } from "../abi/errors.ts";
import { nameerror, nameupto, rawindex } from "./name.ts";
import type { Name } from "./name.ts";
import { Acreate, Aopen } from "./namespace.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Answer, Task } from "../proc/rendez.ts";
import type { Start } from "./start.ts";
import type { Asking } from "../trace.ts";

/** The qid type of a λ Chan that has not walked at all. */
export const QTNONE: number = 0xff;

/** The error with the part of the name that failed, as the kernel shows it. */
export function named(s: Start, e: PlanError, amode: number): PlanError {
  const { name } = s;
  e.file = name.text;
  if (e.at === undefined) {
    // What fails after the walk is the device's own business, but for an open or create.
    if (
      (amode !== Aopen && amode !== Acreate) ||
      name.elems.length === 0 ||
      e.element !== undefined
    )
      return e;
    e.at = s.rest.length;
    e.element = s.path.last;
    e.message = nameerror(name.text, e.message);
    return e;
  }
  const k = s.raw ? e.at + 1 : rawindex(name, s.dotlen, s.skip + e.at + 1);
  e.element = s.rest[e.at] ?? s.path.last;
  e.message = nameerror(k === 0 ? name.text : nameupto(name, k), e.message);
  return e;
}

/** The error for the whole name. */
export function whole(s: Start, text: string): PlanError {
  const e = new PlanError(s.name.elems.length === 0 ? text : nameerror(s.name.text, text));
  e.element = s.path.last;
  return e;
}

/** How a walk failed, as an error that says after how many elements. */
export function walkerror(wq: Walkqid): PlanError {
  const n = wq.qids.length;
  const last = wq.qids[n - 1];
  // An element that is no directory is itself what failed, not the one after it.
  const at = n > 0 && last !== undefined && (last.type & QTDIR) === 0 ? n - 1 : n;
  return new PlanError(wq.error, at);
}

/**
 * A Chan for the start's rest, walked or, where the server lets us, put off. Of a union the first member
 * that has the first element wins, also where a later element is then missing.
 */
export function walk(up: Proc, s: Start, rest: readonly string[]): Answer<Chan> {
  if (isunion(s, rest)) return walkunion(up, s, rest);
  const { dev } = s.chan;
  const late = dev.later?.defer(s.chan, rest) ?? null;
  if (late === null) return andthen(dev.walk(up, s.chan, rest), (wq) => reached(up, s, rest, wq));
  if (up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "deferred", chan: s.chan.path.toString(), rest });
  return late;
}

function* walkunion(up: Proc, s: Start, rest: readonly string[]): Task<Chan> {
  const wq = yield* pick(up, s, rest);
  if (wq.clone === null) throw walkerror(wq);
  return wq.clone;
}

export const isunion = (s: Start, rest: readonly string[]): boolean =>
  s.members !== null && s.members.length > 1 && rest.length > 0;

function reached(up: Proc, s: Start, rest: readonly string[], wq: Walkqid): Chan {
  if (up.k.trace.on) tracewalk(up, s, rest, wq.qids.length);
  if (wq.clone === null) throw walkerror(wq);
  return wq.clone;
}

export function tracewalk(up: Proc, s: Start, rest: readonly string[], got: number): void {
  const { chan } = s;
  up.k.trace.emit({
    type: "namec",
    step: "walk",
    chan: chan.path.toString(),
    rest,
    got,
    conn: chan.dev.conn(chan),
  });
}

/** walk, and really made. */
export function* walked(up: Proc, s: Start, rest: readonly string[], why: string): Task<Chan> {
  return yield* force(up, yield* waitfor(walk(up, s, rest)), rest, why);
}

/** Makes a walk that was put off; any other Chan is as it was. */
export function* force(up: Proc, c: Chan, rest: readonly string[], why: string): Task<Chan> {
  const later = c.dev.later;
  if (later === null || c.dev !== later) return c;
  if (up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "forced", chan: c.path.toString(), rest, why });
  try {
    const wq = yield* later.force(up, c);
    if (wq.clone === null) throw walkerror(wq);
    return wq.clone;
  } finally {
    yield* cclose(c);
  }
}

/** Asks all remote members at once, then takes them in order up to the first that has the first element. */
function* pick(up: Proc, s: Start, rest: readonly string[]): Task<Walkqid> {
  const members = s.members ?? [];
  const late = yield* askall(up, members, rest, { what: "walk", of: "union" });
  let last: Walkqid = { clone: null, qids: [], error: Enonexist };
  try {
    for (const [i, m] of members.entries()) {
      const c = late[i] ?? null;
      last = yield* attempt(() => memberwalk(up, m.chan, c, rest));
      traceMember(up, s, i, last);
      if (last.qids.length > 0) break;
    }
    return last;
  } finally {
    for (const c of late) if (c !== null) yield* cclose(c);
  }
}

/** The walk from a member, or from `late`, where it was put off. */
function memberwalk(
  up: Proc,
  chan: Chan,
  late: Chan | null,
  rest: readonly string[],
): Answer<Walkqid> {
  return late?.dev.later?.force(up, late) ?? chan.dev.walk(up, chan, rest);
}

/** A server that is gone has nothing: a union goes on without it. */
function* attempt(walk: () => Answer<Walkqid>): Task<Walkqid> {
  try {
    return yield* waitfor(walk());
  } catch (e) {
    if (!(e instanceof PlanError) || e.message === Eintr) throw e;
    return { clone: null, qids: [], error: e.message };
  }
}

/** Sends the walk (and stat) to every member whose server takes it later; null for the others. */
export function* askall(
  up: Proc,
  members: readonly { readonly chan: Chan }[],
  rest: readonly string[],
  how: Asking,
): Task<(Chan | null)[]> {
  const late = members.map((m) => m.chan.dev.later?.defer(m.chan, rest) ?? null);
  yield* askeach(up, late, rest, how);
  return late;
}

/** Sends what was put off, for all; when that is interrupted it closes them. */
export function* askeach(
  up: Proc,
  late: readonly (Chan | null)[],
  rest: readonly string[],
  how: Asking,
): Task<void> {
  let done = false;
  if (up.k.trace.on) traceask(up, late, rest, how);
  try {
    for (const c of late) if (c !== null) yield* asklater(up, c, how.what);
    done = true;
  } finally {
    if (!done) for (const c of late) if (c !== null) yield* cclose(c);
  }
}

function* asklater(up: Proc, c: Chan, what: "walk" | "stat"): Task<void> {
  try {
    yield* c.dev.later?.ask(up, c, what) ?? nothing();
  } catch (e) {
    // It could not be asked: receiving says why, in its turn.
    if (!(e instanceof PlanError) || e.message === Eintr) throw e;
  }
}

function* nothing(): Task<void> {}

function traceask(
  up: Proc,
  late: readonly (Chan | null)[],
  rest: readonly string[],
  how: Asking,
): void {
  const asked = late.flatMap((c, i) => (c === null ? [] : [i]));
  if (asked.length > 0) up.k.trace.emit({ type: "namec", step: "ask", asked, rest, ...how });
}

/** The name of the mount point that the walk starts at. */
export function startname(s: Start): string {
  return `/${s.path.elems.slice(0, s.skip).join("/")}`;
}

/** Tells what failed, as the program will see it. */
export function tracefail(up: Proc, s: Start | null, e: PlanError, name: Name): void {
  const elem = e.element ?? "";
  const i = s?.path.elems.lastIndexOf(elem) ?? -1;
  const walked = elem === "" ? 0 : i < 0 ? name.elems.length : i + 1;
  up.k.trace.emit({ type: "namec", step: "fail", error: e.message, walked, elem });
}

function traceMember(up: Proc, s: Start, index: number, wq: Walkqid): void {
  if (!up.k.trace.on) return;
  const elem = s.rest[0] ?? "";
  const point = startname(s);
  if (wq.qids.length > 0) up.k.trace.emit({ type: "namec", step: "found", point, index, elem });
  else up.k.trace.emit({ type: "namec", step: "miss", point, index, elem, error: wq.error });
}
