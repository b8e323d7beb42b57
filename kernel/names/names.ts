// The name space `names`: namec over the immutable mount table (mtab.ts). A name is cleaned, its longest
// mounted prefix found in memory, and the device then asked for exactly what is wanted, in one exchange
// where its server can take one. Walking is in names-walk.ts, open and create in names-open.ts, binding
// and listing in names-bind.ts. Rules: design, section 3.

import { cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { DMDIR, QTDIR } from "../abi/const.ts";
import type { Want } from "../dev.ts";
import type { Dir, Wstat } from "../abi/dir.ts";
import { Eintr, Eismtpt, Enonexist, Enotdir, PlanError, error } from "../abi/errors.ts";
import type { MountTable } from "./mtab.ts";
import { nameerror, parsename } from "./name.ts";
import { create, open } from "./names-open.ts";
import { QTNONE, askall, named, startname, tracefail, walk, walked, whole } from "./names-walk.ts";
import { Acreate, Aopen, Aremove, Astat, Atodir, Awstat } from "./namespace.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Task } from "../proc/rendez.ts";
import { attached, release, startof } from "./start.ts";
import type { Start } from "./start.ts";

/** What namec's last argument may be. */
export type Arg = number | Want | Wstat | undefined;

/** What namec is to do: one of the access modes of namespace.ts, and what goes with it. */
export type Wanted = { readonly amode: number; readonly arg: Arg };

/** Does with the name what is wanted. The overloads of Namespace.namec give the types. */
export function* namec(up: Proc, table: MountTable, text: string, want: Wanted): Task<unknown> {
  const name = parsename(text);
  table.ref++;
  let s: Start | null = null;
  try {
    s = startof(up, table, name) ?? (yield* attached(up, name));
    return yield* act(up, s, want);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    const failure = s === null ? e : named(s, e, want.amode);
    if (up.k.trace.on) tracefail(up, s, failure, name);
    throw failure;
  } finally {
    if (s !== null && s.owned) yield* release(s);
    if (table.ref > 1) table.ref--;
    else yield* table.release();
  }
}

function act(up: Proc, s: Start, want: Wanted): Task<unknown> {
  switch (want.amode) {
    case Astat:
      return stat(up, s);
    case Aopen:
      return open(up, s, want.arg as number);
    case Acreate:
      return create(up, s, want.arg as Want);
    case Aremove:
      return remove(up, s);
    case Awstat:
      return wstat(up, s, want.arg as Wstat);
    case Atodir:
      return todir(up, s);
    default:
      return error(`namec: access mode ${want.amode}`);
  }
}

function* stat(up: Proc, s: Start): Task<Dir> {
  const union = s.members !== null && s.members.length > 1 && s.rest.length > 0;
  return entry(s, union ? yield* statunion(up, s) : yield* statone(up, s));
}

/** d under the name that was asked for. */
function entry(s: Start, d: Dir): Dir {
  if (s.name.mustdir && (d.mode & DMDIR) === 0) throw whole(s, Enotdir);
  const name = s.path.last;
  return d.name === name ? d : { ...d, name };
}

function* statone(up: Proc, s: Start): Task<Dir> {
  if (s.rest.length === 0) return yield* waitfor(s.chan.dev.stat(up, s.chan));
  const c = yield* waitfor(walk(up, s, s.rest));
  try {
    return yield* waitfor(c.dev.stat(up, c));
  } finally {
    yield* cclose(c);
  }
}

/** All members are asked for the walk and the stat at once: it changes nothing. */
function* statunion(up: Proc, s: Start): Task<Dir> {
  const members = s.members ?? [];
  const late = yield* askall(up, members, s.rest, { what: "stat", of: "union" });
  let last = new PlanError(Enonexist, 0);
  try {
    for (const [i, m] of members.entries()) {
      const c = late[i] ?? null;
      try {
        const d =
          c === null
            ? yield* statone(up, { ...s, members: null, chan: m.chan })
            : yield* waitfor(c.dev.stat(up, c));
        tracefound(up, s, i);
        return d;
      } catch (e) {
        if (!(e instanceof PlanError) || e.message === Eintr) throw e;
        if (won(e, c)) {
          tracefound(up, s, i);
          throw e;
        }
        if (up.k.trace.on)
          up.k.trace.emit({
            type: "namec",
            step: "miss",
            point: startname(s),
            index: i,
            elem: s.rest[0] ?? "",
            error: e.message,
          });
        last = new PlanError(e.message, 0);
      }
    }
    throw last;
  } finally {
    for (const c of late) if (c !== null) yield* cclose(c);
  }
}

function tracefound(up: Proc, s: Start, index: number): void {
  if (up.k.trace.on)
    up.k.trace.emit({
      type: "namec",
      step: "found",
      point: startname(s),
      index,
      elem: s.rest[0] ?? "",
    });
}

/** The member has the first element, so it won and its error is the answer. */
function won(e: PlanError, c: Chan | null): boolean {
  // A member is a directory: what is none is the first element.
  if (e.at === 0) return e.message === Enotdir;
  return e.at !== undefined || c === null || c.qid.type !== QTNONE;
}

function* remove(up: Proc, s: Start): Task<void> {
  if (s.members !== null && s.rest.length === 0) {
    if (up.k.trace.on)
      up.k.trace.emit({ type: "namec", step: "mountpoint", path: s.path.toString() });
    error(Eismtpt);
  }
  const c = yield* target(up, s);
  try {
    yield* waitfor(c.dev.remove(up, c));
  } finally {
    yield* cclose(c);
  }
}

function* wstat(up: Proc, s: Start, d: Wstat): Task<void> {
  if (s.members !== null && s.rest.length === 0 && d.name !== undefined && d.name !== "") {
    const e = new PlanError(nameerror(s.path.toString(), Eismtpt));
    e.element = s.path.last;
    throw e;
  }
  const c = yield* target(up, s);
  try {
    yield* waitfor(c.dev.wstat(up, c, d));
  } finally {
    yield* cclose(c);
  }
}

/** The Chan of something that is about to be changed. */
function* target(up: Proc, s: Start): Task<Chan> {
  if (!s.name.mustdir) return yield* waitfor(walk(up, s, s.rest));
  const c = yield* walked(up, s, s.rest, "must be a directory before it is changed");
  if ((c.qid.type & QTDIR) !== 0) return c;
  yield* cclose(c);
  throw whole(s, Enotdir);
}

function* todir(up: Proc, s: Start): Task<Chan> {
  const c = yield* walked(up, s, s.rest, "dot must be known");
  if ((c.qid.type & QTDIR) === 0) {
    yield* cclose(c);
    throw whole(s, Enotdir);
  }
  c.path = s.path;
  return c;
}
