// later: device λ, a Chan that pretends to have walked. The walk is sent together with the operation that
// needs it, as one Group on one tag of a 9P2000.ix connection. So an operation on a name of any length is one
// round trip. A λ Chan lives inside one system call. kernel/names chooses the walks that are put off. The messages of
// Chans that have walked are in mnt.ts, the streams themselves in io.ts.
//
// One open of "/n/far/a/x", message by message:
//	1. kernel/names defers the walk of a, x from the root of the mount: a LaterChan, and nothing is sent;
//	2. open sends Twalk and Topen with one tag in one write (send);
//	3. Rwalk comes: the walk must have come all the way (mustwalk), or the call fails with its error;
//	4. Ropen comes: a Chan of M takes over the fid of the walk (take), and the Group is released.
//
// The groups, each one round trip. A walk of more than 16 elements is Twalk f→a, Twalk a→b, Tclunk a, ...
//
//	open      Twalk Topen           stat      Twalk Tstat Tclunk      create           Twalk Tcreate
//	remove    Twalk Tremove         wstat     Twalk Twstat Tclunk     create, OEXCL    Twalk Twalk Tclunk Tcreate
//	read all  Twalk Topen Tstream   write all Twalk Topen Twrite ...  (both: an open with OSTREAM)
//
// The second Twalk of an exclusive create looks for the file, which must not be there. In a group every Twalk makes
// a fresh fid. If it fails there is no such fid, so the server refuses what follows and changes nothing. The Group
// owns these fids until a Chan keeps one (rpc.ts). The LaterChan owns its Group until it is closed, or becomes a
// Chan of device M, the mount driver's (mnt.ts).

import {
  IOHDRSZ,
  MAXWELEM,
  OEXCL,
  ORCLOSE,
  OREAD,
  OSTREAM,
  OTRUNC,
  OWRITE,
  QTDIR,
  QTFILE,
} from "../../kernel/abi/const.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import { Eexist, Emountrpc, PlanError, error } from "../../kernel/abi/errors.ts";
import {
  Rerror,
  Rstat,
  Rwalk,
  Tclunk,
  Tcreate,
  Topen,
  Tremove,
  Tstat,
  Twalk,
  Twstat,
} from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { CLATER, COPEN, Chan, cclose, chandrop } from "../../kernel/chan.ts";
import { Dev, QTNONE, miss } from "../../kernel/dev.ts";
import type { Later, Walkqid, Want } from "../../kernel/dev.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Mntcache } from "./cache.ts";
import {
  Eclone,
  MntChan,
  Runs,
  Writewindow,
  dirof,
  mntclone,
  opened,
  packwstat,
  partial,
} from "./io.ts";
import type { Opening } from "./io.ts";
import type { Group } from "./rpc.ts";

const UNWALKED: Qid = { path: 0n, vers: 0, type: QTNONE };

/** A walk from `from` that has not been made. Its qid is unknown until it has. */
class LaterChan extends Chan {
  from: MntChan;
  names: readonly string[];
  /** The group that was sent for this walk; null before that. */
  asked: Asked | null = null;

  constructor(dev: Later<LaterChan>, from: MntChan, names: readonly string[]) {
    super(dev, UNWALKED, from.devno);
    this.flag = CLATER;
    this.from = from;
    this.names = names;
    this.path = from.path;
  }
}

/** A group on the wire: the walk's messages, then the operation's. */
type Asked = {
  readonly g: Group;
  /** How many messages are the walk. */
  readonly nwalk: number;
  /** The fid at the end of the walk. */
  readonly fid: number;
  /** The fid that the last Twalk starts from. After a split walk the cache keeps it (remember). */
  readonly dir: number;
};

/**
 * A function that builds the messages of the operation (Topen, Tstat ...) on the fid at the end of the walk.
 */
type More = (tag: number, fid: number, g: Group) => readonly Tmsg[];

/**
 * Sends the walk and the operation in one write, unless Devlater.ask has sent them. The walk is Twalks of at most 16
 * names; each but the last makes a fresh fid, which a Tclunk ends behind the next. With `split` the last Twalk has one
 * name, so that the last directory on the way has a fid, too, which gets no Tclunk.
 */
function* send(c: LaterChan, more: More, split = false): Task<Asked> {
  if (c.asked !== null) return c.asked;
  const { names, from } = c;
  const m = from.mnt;
  const g = m.group(4) ?? (yield* m.waitgroup(4));
  try {
    const { tag } = g;
    const fid = m.newfid(g);
    const msgs: Tmsg[] = [];
    let dir = from.fid;
    for (let i = 0, last = false; !last;) {
      const stop = split && i < names.length - 1 ? names.length - 1 : names.length;
      const end = Math.min(i + MAXWELEM, stop);
      last = end === names.length;
      const newfid = last ? fid : m.newfid(g);
      msgs.push({ type: Twalk, tag, fid: dir, newfid, wname: names.slice(i, end) });
      if (i > 0 && !(split && last)) msgs.push({ type: Tclunk, tag, fid: dir });
      if (!last) dir = newfid;
      i = end;
    }
    const nwalk = msgs.length;
    msgs.push(...more(tag, fid, g));
    m.send(g, msgs);
    // From here on the close of c releases the group. A walk that could not be sent is not asked for.
    return (c.asked = { g, nwalk, fid, dir });
  } finally {
    if (c.asked === null) m.release(g, true);
  }
}

/** What a walk came to. */
type Walked = { readonly qids: readonly Qid[]; readonly error: string | null };

/** What the replies to the walk say; or, while one of them has not come, its number. */
function walkanswer(c: LaterChan, a: Asked): Walked | number {
  const qids: Qid[] = [];
  for (let i = 0; i < a.nwalk; i++) {
    const t = a.g.requests[i];
    if (t?.type !== Twalk) continue;
    const r = a.g.replies[i];
    if (r === undefined) return i;
    if (r.type === Rerror) return { qids, error: walkfailure(c, qids, r.ename) };
    if (r.type !== Rwalk) return error(Emountrpc);
    qids.push(...r.wqid);
    if (r.wqid.length < t.wname.length) return { qids, error: partial(qids) };
  }
  return { qids, error: null };
}

/**
 * The error of a walk in which a Twalk got an Rerror. A server sends an Rerror only for a Twalk's first element;
 * where a later element is missing it sends a short Rwalk. A split (send) must not change the error: so the server's
 * words count only where an unsplit walk begins a Twalk, after 0, 16, 32 ... elements.
 */
function walkfailure(c: LaterChan, qids: readonly Qid[], ename: string): string {
  if (c.names.length === 0) return Eclone;
  return qids.length % MAXWELEM === 0 ? ename : partial(qids);
}

function* receivewalk(c: LaterChan, a: Asked): Task<Walked> {
  for (;;) {
    const w = walkanswer(c, a);
    if (typeof w !== "number") return w;
    yield* c.from.mnt.reply(a.g, w);
  }
}

/** Receives the walk, which must have come all the way; a failure has PlanError.at. */
function* mustwalk(c: LaterChan, a: Asked): Task<Walked> {
  let w;
  try {
    w = yield* receivewalk(c, a);
  } catch (e) {
    if (e instanceof PlanError && e.at === undefined) e.at = 0;
    throw e;
  }
  checkwalk(c, w);
  return w;
}

/** Throws unless the walk came all the way. The Chan gets the qid of the last element that was reached. */
function checkwalk(c: LaterChan, w: Walked): void {
  const last = w.qids[w.qids.length - 1];
  c.qid = last ?? (w.error === null ? c.from.qid : UNWALKED);
  if (w.error !== null) throw walkfailed(c, w.qids, w.error);
}

function walkfailed(c: LaterChan, qids: readonly Qid[], text: string): PlanError {
  if (c.names.length === 0) return new PlanError(text);
  const last = qids[qids.length - 1];
  const notdir = last !== undefined && (last.type & QTDIR) === 0;
  return new PlanError(text, notdir ? qids.length - 1 : qids.length);
}

/** Receives the walk, then the operation's first answer. */
function* answer(c: LaterChan, a: Asked): Task<Rmsg> {
  yield* mustwalk(c, a);
  return yield* c.from.mnt.receive(a.g, a.nwalk);
}

/**
 * Does an operation that changes nothing, in a mount with a cache: it starts from the last directory of the name, where the
 * mount's cache remembers that.
 */
function* near(c: LaterChan, cache: Mntcache, more: More): Task<Rmsg> {
  const { from, names } = c;
  if (c.asked !== null || names.length < 2) return yield* answer(c, yield* send(c, more));
  const d = cache.dir(from, names.slice(0, -1));
  return yield* d === null ? remember(c, cache, more) : nearby(c, cache, d, more);
}

/**
 * The operation, from d, the last directory. If the walk fails there, the whole walk is made from its true start.
 */
function* nearby(c: LaterChan, cache: Mntcache, d: MntChan, more: More): Task<Rmsg> {
  const { from, names } = c;
  const [dir, rest] = [names.slice(0, -1), names.slice(-1)];
  const { trace } = from.mnt.k;
  if (trace.on) trace.emit({ type: "namec", step: "near", chan: from.path.toString(), dir, rest });
  d.incref();
  try {
    c.from = d;
    c.names = rest;
    const a = yield* send(c, more);
    const w = yield* receivewalk(c, a);
    if (w.error === null) {
      checkwalk(c, w);
      return yield* from.mnt.receive(a.g, a.nwalk);
    }
    from.mnt.release(a.g, true);
  } finally {
    yield* cclose(d);
  }
  cache.forget(from, dir);
  c.asked = null;
  c.from = from;
  c.names = names;
  return yield* remember(c, cache, more);
}

/** The operation, which also keeps a fid of the last directory for the cache. */
function* remember(c: LaterChan, cache: Mntcache, more: More): Task<Rmsg> {
  const { moves } = cache;
  const a = yield* send(c, more, true);
  const { qids } = yield* mustwalk(c, a);
  const qid = qids[qids.length - 2];
  if (qid !== undefined && cache.remembers(moves)) {
    a.g.keep(a.dir);
    cache.walked(c.from, c.names.slice(0, -1), mntclone(c.from, a.dir, qid));
  }
  return yield* c.from.mnt.receive(a.g, a.nwalk);
}

function statmsgs(tag: number, fid: number): readonly Tmsg[] {
  return [
    { type: Tstat, tag, fid },
    { type: Tclunk, tag, fid },
  ];
}

/** Makes c the Chan of device M that its walk led to, and releases the group. */
function take(c: LaterChan, fn: (nc: MntChan) => MntChan): MntChan {
  const { nc, a } = become(c);
  a.g.keep(a.fid);
  c.from.mnt.release(a.g, true);
  return fn(nc);
}

/** The Chan of device M that c turns into. The caller has the group now, and c is dropped. */
function become(c: LaterChan): { readonly nc: MntChan; readonly a: Asked } {
  const a = c.asked;
  if (a === null) return error(Emountrpc);
  const nc = mntclone(c.from, a.fid, c.qid);
  chandrop(c);
  return { nc, a };
}

/**
 * OSTREAM says "I will read, or write, all of it". To read, the first run is asked for together with the
 * walk and the open, on one tag; so a whole file is one round trip and the time of its bytes.
 */
function* openstream(c: LaterChan, omode: number): Task<Chan> {
  let runs: Runs | null = null;
  let done = false;
  try {
    const a = yield* send(c, (tag, fid, g) => {
      runs = new Runs(c.from.mnt, g, fid, 0);
      return [{ type: Topen, tag, fid, mode: omode & 0xff }, ...runs.ask()];
    });
    yield* mustwalk(c, a);
    const r = yield* c.from.mnt.receive(a.g, a.nwalk);
    const nc = opened(become(c).nc, omode, r);
    a.g.keep(a.fid);
    done = true;
    return kept(nc, runs, a.g);
  } finally {
    // The runs (io.ts) own the group now: they release it, with its fids, when they end.
    if (!done) endruns(runs);
  }
}

function endruns(runs: Runs | null): void {
  runs?.end();
}

/**
 * The open file with its stream. The runs are dropped for a directory, whose entries are read whole. They
 * are dropped, too, if a note came during the open; then the next read asks again.
 */
function kept(nc: MntChan, runs: Runs | null, g: Group): MntChan {
  if (runs === null || (nc.qid.type & QTDIR) !== 0 || g.flushed) {
    endruns(runs);
    return nc;
  }
  runs.know(nc);
  runs.ahead();
  nc.streams = { r: runs, w: null };
  return nc;
}

/** How a file is opened or created to be written. */
type Openwrite = {
  readonly omode: number;
  readonly step: "open" | "create";
  readonly build: (tag: number, fid: number) => Tmsg;
};

/**
 * An open with OSTREAM to write: sends the open and returns before its answer. The writes follow with the
 * same tag. A failure of the open is told at the next write or at close.
 */
function* openwrite(c: LaterChan, how: Openwrite): Task<Chan> {
  yield* send(c, (tag, fid, g) => {
    g.turn("open");
    return [how.build(tag, fid)];
  });
  const { nc, a } = become(c);
  // Until the answer comes the file counts as a plain one, as most files that are written whole are.
  nc.qid = { path: 0n, vers: 0, type: QTFILE };
  nc.created = true;
  nc.mode = OWRITE;
  nc.flag |= COPEN;
  nc.iounit = nc.mnt.msize - IOHDRSZ;
  const opening = new Sent(c, nc, a, how);
  nc.opening = opening;
  nc.streams = { r: null, w: new Writewindow(nc, opening) };
  return nc;
}

/** An open that was sent and is not answered yet. */
class Sent implements Opening {
  readonly #c: LaterChan;
  readonly #nc: MntChan;
  readonly #a: Asked;
  readonly #how: Openwrite;
  #error: PlanError | null = null;

  constructor(c: LaterChan, nc: MntChan, a: Asked, how: Openwrite) {
    this.#c = c;
    this.#nc = nc;
    this.#a = a;
    this.#how = how;
  }

  get g(): Asked["g"] {
    return this.#a.g;
  }

  known(): boolean {
    if (this.#error !== null) throw this.#error;
    if (this.#nc.opening === null) return true;
    try {
      return this.#look();
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      this.#error = this.#nc.streams?.name?.(e) ?? e;
      // The file was never open, so the group settles its fid.
      this.#nc.fid = -1;
      throw this.#error;
    }
  }

  #look(): boolean {
    const { g, nwalk, fid } = this.#a;
    const w = walkanswer(this.#c, this.#a);
    if (typeof w === "number") return this.#notyet();
    step("walk", () => checkwalk(this.#c, w));
    const r = g.replies[nwalk];
    if (r === undefined) return this.#notyet();
    step(this.#how.step, () =>
      r.type === Rerror ? error(r.ename) : opened(this.#nc, this.#how.omode, r),
    );
    g.keep(fid);
    this.#nc.opening = null;
    return true;
  }

  #notyet(): false {
    if (this.#a.g.over) this.#nc.mnt.unanswered();
    return false;
  }

  *wait(): Task<void> {
    yield this.#a.g.r;
  }
}

/** Does a step of the open, and notes the step in what it throws. */
function step(name: "walk" | "open" | "create", fn: () => unknown): void {
  try {
    fn();
  } catch (e) {
    if (e instanceof PlanError) e.step = name;
    throw e;
  }
}

class Devlater extends Dev<LaterChan> implements Later<LaterChan> {
  readonly dc = "λ";
  readonly name = "later";
  override readonly later: Later = this;
  readonly #k: Kernel;

  constructor(k: Kernel) {
    super(k);
    this.#k = k;
  }

  defer(c: Chan, names: readonly string[]): LaterChan | null {
    return c instanceof MntChan && c.mnt.ix && !c.mnt.dead ? new LaterChan(this, c, names) : null;
  }

  *ask(_up: Proc, c: LaterChan, what: "walk" | "stat"): Task<void> {
    yield* send(c, what === "walk" ? () => [] : statmsgs);
  }

  *stat(_up: Proc, c: LaterChan): Task<Dir> {
    const { cache } = c.from;
    const r =
      cache === null ? yield* answer(c, yield* send(c, statmsgs)) : yield* near(c, cache, statmsgs);
    return r.type === Rstat ? dirof(c, r.stat) : error(Emountrpc);
  }

  override *wstat(_up: Proc, c: LaterChan, w: Wstat): Task<void> {
    const bytes = packwstat(w);
    try {
      const msgs: More = (tag, fid) => [
        { type: Twstat, tag, fid, stat: bytes },
        { type: Tclunk, tag, fid },
      ];
      yield* answer(c, yield* send(c, msgs));
    } finally {
      c.from.cache?.moved();
      c.from.cache?.wrote(c.qid);
    }
  }

  override *remove(_up: Proc, c: LaterChan): Task<void> {
    try {
      yield* answer(c, yield* send(c, (tag, fid) => [{ type: Tremove, tag, fid }]));
    } finally {
      c.from.cache?.moved();
    }
  }

  *open(_up: Proc, c: LaterChan, omode: number): Task<Chan> {
    if ((omode & OSTREAM) !== 0) {
      // A directory gets no Tstream: its entries are read whole. Where its qid is not known yet, kept drops the run.
      const dir = c.names.length === 0 && (c.from.qid.type & QTDIR) !== 0;
      if ((omode & 3) === OREAD && c.from.mnt.stream && !dir) return yield* openstream(c, omode);
      if ((omode & 3) === OWRITE)
        return yield* openwrite(c, {
          omode,
          step: "open",
          build: (tag, fid) => ({ type: Topen, tag, fid, mode: omode & 0xff }),
        });
    }
    const { cache } = c.from;
    const msgs: More = (tag, fid) => [{ type: Topen, tag, fid, mode: omode & 0xff }];
    const r =
      cache === null || (omode & (OTRUNC | ORCLOSE)) !== 0
        ? yield* answer(c, yield* send(c, msgs))
        : yield* near(c, cache, msgs);
    return take(c, (nc) => opened(nc, omode, r));
  }

  /**
   * A Tcreate with OTRUNC opens and empties a file that is there: 9P2000.ix has it so. An exclusive create must not
   * do that, so its Tcreate has no OTRUNC, and a Twalk before the Tcreate looks for the name.
   */
  override *create(_up: Proc, c: LaterChan, name: string, want: Want): Task<Chan> {
    const perm = want.perm >>> 0;
    const omode = want.omode & 0xff;
    if ((want.omode & OEXCL) === 0) {
      const build = (tag: number, fid: number): Tmsg => ({
        type: Tcreate,
        tag,
        fid,
        name,
        perm,
        mode: omode | OTRUNC,
      });
      if ((want.omode & OSTREAM) !== 0 && (want.omode & 3) === OWRITE)
        return yield* openwrite(c, { omode: want.omode, step: "create", build });
      const r = yield* answer(c, yield* send(c, (tag, fid) => [build(tag, fid)]));
      return take(c, (nc) => opened(nc, want.omode, r));
    }
    const a = yield* send(c, (tag, fid, g) => {
      const x = c.from.mnt.newfid(g);
      return [
        { type: Twalk, tag, fid, newfid: x, wname: [name] },
        { type: Tclunk, tag, fid: x },
        { type: Tcreate, tag, fid, name, perm, mode: omode & ~OTRUNC },
      ];
    });
    yield* mustwalk(c, a);
    const { mnt } = c.from;
    const look = yield* mnt.reply(a.g, a.nwalk);
    // The call waits for the answer to the Tcreate also where the name is there. Otherwise a slow server could make
    // the file, removed meanwhile, after the call has failed.
    const r = yield* mnt.reply(a.g, a.nwalk + 2);
    if (r.type === Rerror) error(look.type === Rwalk ? Eexist : r.ename);
    return take(c, (nc) => opened(nc, want.omode, r));
  }

  *force(_up: Proc, c: LaterChan): Task<Walkqid<MntChan>> {
    const a = yield* send(c, () => []);
    const w = yield* receivewalk(c, a);
    if (w.error !== null) return miss(w.qids, w.error);
    const last = w.qids[w.qids.length - 1] ?? c.from.qid;
    const nc = mntclone(c.from, a.fid, last);
    a.g.keep(a.fid);
    return { clone: nc, qids: w.qids, error: "" };
  }

  /** Lets go of what was sent. The group takes what still comes, and settles its fids. */
  override close(c: LaterChan): void {
    if (c.asked !== null) c.from.mnt.release(c.asked.g, this.#k.sched.current?.dying !== true);
  }

  attach(): never {
    return never();
  }

  walk(): never {
    return never();
  }

  read(): never {
    return never();
  }
}

const never = (): never => error("later: not such an operation");

/** The device λ of a kernel: the mount driver offers it as its `later`, and no # name attaches it. */
export function newLater(k: Kernel): Later {
  return new Devlater(k);
}
