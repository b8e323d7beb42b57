// namec: from a name to what a system call wants of it. There is one for both name spaces, `names` and
// `standard`. What differs between them is behind Way (namespace.ts): where the name starts, how to walk from
// there, what is mounted at its end, in which directory to create. The steps are
//
//	1. take the name apart, and find its start;
//	2. find the file: the walk may be put off, and then the server gets it together with the operation, so
//	   that both are one round trip;
//	3. check the kind, where the walk has told it: a name that ends in / is a directory's;
//	4. go over to what is mounted there;
//	5. do what is wanted: open, create, remove, stat, wstat; or give the directory, for chdir;
//	6. say in an error which part of the name it is about.
//
// A function that takes a Chan over has the caller's reference to it, and closes it when it fails.

import { always, andthen, failafter, istask } from "../abi/answer.ts";
import { DMDIR, OCEXEC, OEXCL, OEXEC, ORCLOSE, OSTREAM, OTRUNC, QTDIR } from "../abi/const.ts";
import type { Dir, Wstat } from "../abi/dir.ts";
import {
  Ecreatedir,
  Eexecdir,
  Eexist,
  Eintr,
  Eismtpt,
  Enotdir,
  PlanError,
  error,
} from "../abi/errors.ts";
import { CCEXEC, CLATER, CMTPT, CRCLOSE, Chan, cclose, owning } from "../chan.ts";
import { QTNONE } from "../dev.ts";
import type { Want } from "../dev.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Answer, Task } from "../proc/rendez.ts";
import { nameerror } from "./name.ts";
import type { Way } from "./namespace.ts";

/** What is wanted of a name, with an argument. The result belongs to the caller. */
export type Wanted<T, A, W extends Way = Way> = {
  /** Errors of the operation show the name, too, and not only those of the walk. */
  readonly tellsname: boolean;
  readonly act: (w: W, arg: A) => Answer<T>;
};

/** open(2), with this mode */
export const Aopen: Wanted<Chan, number> = { tellsname: true, act: open };

/** create(2) */
export const Acreate: Wanted<Chan, Want> = { tellsname: true, act: create };

/** remove(2) */
export const Aremove: Wanted<void, null> = { tellsname: false, act: remove };

/** stat(2) */
export const Astat: Wanted<Dir, null> = { tellsname: false, act: (w) => w.stat() };

/** wstat(2) */
export const Awstat: Wanted<void, Wstat> = { tellsname: false, act: wstat };

/** chdir(2) */
export const Atodir: Wanted<Chan, null> = {
  tellsname: false,
  act: (w) => andthen(w.found("dot"), (c) => directory(w, c)),
};

/** Does what is wanted of a name; throws the error that Plan 9 gives, with the part of the name that failed. */
export function namec<T, A>(up: Proc, text: string, want: Wanted<T, A>, arg: A): Answer<T> {
  const w = up.pgrp.ns.start(up, text);
  return istask(w) ? started(w, want, arg) : resolve(w, want, arg);
}

function* started<T, A>(start: Task<Way>, want: Wanted<T, A>, arg: A): Task<T> {
  return yield* waitfor(resolve(yield* start, want, arg));
}

/** Does what is wanted at a name's start, puts the name into its failure, and gives up the start. */
export function resolve<T, A, W extends Way>(w: W, want: Wanted<T, A, W>, arg: A): Answer<T> {
  let a: Answer<T>;
  try {
    a = want.act(w, arg);
  } catch (e) {
    return failafter(w.release(), failure(w, e, want.tellsname));
  }
  if (istask(a)) return resolving(w, a, want.tellsname);
  const t = w.release();
  return istask(t) ? released(t, a) : a;
}

function* resolving<T>(w: Way, a: Task<T>, tellsname: boolean): Task<T> {
  let value: T;
  try {
    value = yield* a;
  } catch (e) {
    return yield* failafter(w.release(), failure(w, e, tellsname));
  }
  return yield* released(w.release(), value);
}

/**
 * Gives up the start, then gives the value. If the process is killed meanwhile, a value that is a Chan is
 * closed.
 */
function* released<T>(t: Task<void>, value: T): Task<T> {
  let done = false;
  try {
    yield* t;
    done = true;
    return value;
  } finally {
    if (!done && value instanceof Chan) yield* cclose(value);
  }
}

/** The error as the program will see it. The trace is told of it. */
export function failure(w: Way, e: unknown, tellsname: boolean): unknown {
  if (!(e instanceof PlanError)) return e;
  const at = failedat(w, e, tellsname);
  const f = named(w, e, tellsname);
  const { trace } = w.up.k;
  if (trace.on) {
    const walked = at < 0 ? 0 : w.blame(at).walked;
    trace.emit({ type: "namec", step: "fail", error: f.message, walked, elem: f.element ?? "" });
  }
  return f;
}

/** After how many elements the walk failed; -1 when the error does not show the name. */
function failedat(w: Way, e: PlanError, tellsname: boolean): number {
  return e.at ?? (tellsname && w.name.elems.length > 0 ? w.end : -1);
}

/** The error with the part of the name that it is about. For a walk PlanError.at says which part. */
export function named(w: Way, e: PlanError, tellsname: boolean): PlanError {
  const { name } = w;
  const at = failedat(w, e, tellsname);
  if (at < 0) {
    e.file = name.text;
    return e;
  }
  const { name: shown, element } = w.blame(at);
  const f = new PlanError(nameerror(shown, e.message));
  f.file = name.text;
  if (element !== undefined) f.element = element;
  if (e.step !== undefined) f.step = e.step;
  if (e.fact !== undefined) f.fact = e.fact;
  return f;
}

/** An error about the whole name. A name without elements, such as ".", is not shown. */
export function whole(w: Way, text: string): PlanError {
  return w.name.elems.length === 0 ? new PlanError(text) : new PlanError(text, w.end);
}

const isdir = (c: Chan): boolean => (c.qid.type & QTDIR) !== 0;

/** Closes c and fails with e. */
function dropped(c: Chan, e: unknown): Answer<never> {
  return failafter(cclose(c), e);
}

/** Gives c, or fails when the name ends in / and c is no directory. Takes c over. */
export function kindchecked(w: Way, c: Chan): Answer<Chan> {
  return w.mustdir && !isdir(c) ? dropped(c, whole(w, Enotdir)) : c;
}

function directory(w: Way, c: Chan): Answer<Chan> {
  return isdir(c) ? c : dropped(c, whole(w, Enotdir));
}

/** Runs fn on the Chan and closes the Chan, also when fn fails. */
export function using<T>(a: Answer<Chan>, fn: (c: Chan) => Answer<T>): Answer<T> {
  if (istask(a)) return andthen(a, (c) => using(c, fn));
  let value: Answer<T>;
  try {
    value = fn(a);
  } catch (e) {
    return failafter(cclose(a), e);
  }
  if (istask(value))
    return always(
      () => value,
      () => cclose(a),
    );
  const t = cclose(a);
  return istask(t) ? released(t, value) : value;
}

/**
 * The Chan for remove, stat and wstat: of the kind that the name says, and crossed to what is mounted there.
 */
export function file(w: Way): Answer<Chan> {
  const c = w.mustdir ? w.found("mustdir") : w.find();
  return andthen(c, (found) => andthen(kindchecked(w, found), (f) => w.cross(f)));
}

function remove(w: Way): Answer<void> {
  if (w.ismtpt) {
    if (w.up.k.trace.on)
      w.up.k.trace.emit({ type: "namec", step: "mountpoint", path: w.path.toString() });
    error(Eismtpt);
  }
  return using(file(w), (c) => {
    if ((c.flag & CMTPT) !== 0) error(Eismtpt);
    return c.dev.remove(w.up, c);
  });
}

function wstat(w: Way, d: Wstat): Answer<void> {
  const renames = d.name !== undefined && d.name !== "";
  if (renames && w.ismtpt) error(nameerror(w.path.toString(), Eismtpt));
  return using(file(w), (c) => {
    if (renames && (c.flag & CMTPT) !== 0) error(nameerror(c.path.toString(), Eismtpt));
    return c.dev.wstat(w.up, c, d);
  });
}

function open(w: Way, omode: number): Answer<Chan> {
  // An open that changes the file must know its kind before.
  const changes = w.mustdir && (omode & (OTRUNC | ORCLOSE)) !== 0;
  const c = changes ? w.found("mustdir") : w.find();
  return istask(c) ? openingfile(w, c, omode) : openfile(w, c, omode);
}

function* openingfile(w: Way, c: Task<Chan>, omode: number): Task<Chan> {
  return yield* waitfor(openfile(w, yield* c, omode));
}

/** Opens what is mounted on c, or c itself. Takes c over. */
function openfile(w: Way, c: Chan, omode: number): Answer<Chan> {
  const wrong = wrongkind(w, c, omode);
  if (wrong !== null) return dropped(c, wrong);
  const f = w.cross(c);
  return istask(f) ? openingdev(w, f, omode) : opendev(w, f, omode);
}

function* openingdev(w: Way, c: Task<Chan>, omode: number): Task<Chan> {
  return yield* waitfor(opendev(w, yield* c, omode));
}

/**
 * The error when c is not of the kind that the name or the mode asks for, else null. While a walk is put off
 * the kind is not known, and the result is null.
 */
function wrongkind(w: Way, c: Chan, omode: number): PlanError | null {
  if (c.qid.type === QTNONE) return null;
  if (w.mustdir && !isdir(c)) return whole(w, Enotdir);
  return (omode & 3) === OEXEC && isdir(c) ? whole(w, Eexecdir) : null;
}

/**
 * Has the device open c, and takes c over. The open makes a walk that was put off; then the kind is known.
 */
function opendev(w: Way, c: Chan, omode: number): Answer<Chan> {
  let a: Answer<Chan>;
  try {
    a = c.dev.open(w.up, c, devmode(c, omode));
  } catch (e) {
    return dropped(c, kindfirst(w, c, omode, e));
  }
  return istask(a) ? opening(w, c, omode, a) : openedas(w, c, a, omode);
}

/**
 * The device has opened c. Devices d and s give another Chan, nc, in its place: then the kind of nc counts.
 */
function openedas(w: Way, c: Chan, nc: Chan, omode: number): Answer<Chan> {
  const wrong = nc === c ? null : wrongkind(w, nc, omode);
  return wrong === null ? finish(w, nc, omode) : dropped(nc, wrong);
}

function* opening(w: Way, c: Chan, omode: number, a: Task<Chan>): Task<Chan> {
  let nc: Chan | null = null;
  try {
    nc = yield* a;
  } catch (e) {
    throw kindfirst(w, c, omode, e);
  } finally {
    // Also when the process is killed while it waits in the device.
    if (nc === null) yield* cclose(c);
  }
  return yield* waitfor(openedas(w, c, nc, omode));
}

/**
 * The error of an open that failed. If the file is of the wrong kind, that is the error, and not the
 * device's.
 */
function kindfirst(w: Way, c: Chan, omode: number, e: unknown): unknown {
  return e instanceof PlanError && e.at === undefined ? (wrongkind(w, c, omode) ?? e) : e;
}

/** The mode that a device is told. Only device λ is told of OSTREAM and OEXCL. */
function devmode(c: Chan, omode: number): number {
  return omode & ~((c.flag & CLATER) !== 0 ? OCEXEC : OCEXEC | OSTREAM | OEXCL);
}

/** Gives an open Chan the flags of its mode and the path of its name. */
function finish(w: Way, c: Chan, omode: number): Chan {
  setflags(c, omode);
  return w.opened(c);
}

function setflags(c: Chan, omode: number): void {
  if ((omode & OCEXEC) !== 0) c.flag |= CCEXEC;
  if ((omode & ORCLOSE) !== 0) c.flag |= CRCLOSE;
}

/**
 * Opens the name truncated where it is, else creates it: two steps, between which another process may do the
 * same. These are the races of two creators A and B, and what becomes of each.
 *
 *	- Both look, neither finds the name, A creates it. B's create fails, since the name is there now. So B
 *	  looks once more, and opens truncated what A made: each has the file open, as if B had come later.
 *	- A's file is removed again before B looks once more: B fails with the error of its create. A loop
 *	  would hide that from B, and need not end.
 *	- A has written before B opens: B truncates what A wrote. So it would be with B later in time, too.
 *	- With OEXCL one of them must fail. Where the look finds the name, that is "file already exists"; where
 *	  the create fails, the device's error stands, for B may not open what A made.
 *	- Where a walk may be put off, the device sends look and create as one group (Way.createnow). Then
 *	  the server's order decides between A and B, and a plain create is an open with OTRUNC there.
 *	- A server that opens on create a file that is there gives both a file even with OEXCL: that is why the
 *	  walk before an exclusive create is never left out.
 */
function create(w: Way, want: Want): Answer<Chan> {
  const { elems, mustdir } = w.name;
  const dot = elems.length === 0;
  if ((mustdir || dot) && (want.perm & DMDIR) === 0) throw whole(w, Ecreatedir);
  if (dot) error(Eexist);
  return w.createnow(want) ?? createlooked(w, want);
}

/** Creates a file; the kernel looks itself whether the name is there. */
function* createlooked(w: Way, want: Want): Task<Chan> {
  const there = yield* waitfor(w.look());
  if (there !== null) return yield* waitfor(exists(w, there, want));
  try {
    return yield* make(w, want);
  } catch (e) {
    if ((want.omode & OEXCL) !== 0 || !(e instanceof PlanError) || e.message === Eintr) throw e;
    const again = yield* waitfor(w.look());
    if (again === null) throw e;
    return yield* waitfor(exists(w, again, want));
  }
}

function* make(w: Way, want: Want): Task<Chan> {
  const dir = yield* waitfor(w.parent());
  // The create is not put off: it would open a file that another process has made meanwhile.
  return yield* waitfor(createin(w, dir, want));
}

/** Has the device create the last element in dir. Takes dir over. */
export function createin(w: Way, dir: Chan, { omode, perm }: Want): Answer<Chan> {
  const want = { omode: devmode(dir, omode), perm };
  const a = owning(dir, () => dir.dev.create(w.up, dir, w.last, want));
  return andthen(a, (c) => {
    setflags(c, omode);
    return w.created(c);
  });
}

/** Create found the name: the file is opened and truncated, or OEXCL makes that an error. Takes c over. */
export function exists(w: Way, c: Chan, want: Want): Answer<Chan> {
  if ((want.omode & OEXCL) !== 0) return dropped(c, whole(w, Eexist));
  return andthen(w.cross(c), (f) => truncate(w, f, want.omode | OTRUNC));
}

/** Opens c for create, which takes a file of any kind that is there. Takes c over. */
export function truncate(w: Way, c: Chan, omode: number): Answer<Chan> {
  const a = owning(c, () => c.dev.open(w.up, c, devmode(c, omode)));
  return andthen(a, (nc) => finish(w, nc, omode));
}
