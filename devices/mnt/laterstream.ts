// OSTREAM over a server that takes groups: "I will read, or write, all of it". To read, the first run
// is asked for together with the walk and the open; to write, the open is sent and not waited for, and
// what is written follows it on the same tag. So a whole file is one round trip and the time of its
// bytes (design, section 6).

import { COPEN } from "../../kernel/chan.ts";
import type { Chan } from "../../kernel/chan.ts";
import { IOHDRSZ, OWRITE, QTDIR, QTFILE } from "../../kernel/abi/const.ts";
import { Ehungup, Eintr, PlanError, error } from "../../kernel/abi/errors.ts";
import { Rerror, Topen } from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Group } from "./group.ts";
import { become, checkwalk, mustwalk, send, walkanswer } from "./later.ts";
import type { Asked, LaterChan } from "./later.ts";
import { opened } from "./chan.ts";
import type { MntChan, Opening } from "./chan.ts";
import { Runs } from "./stream.ts";
import { Writewindow } from "./window.ts";

/** Opens to read with the data right behind: Twalk, Topen, Tstream on one tag. */
export function* openstream(c: LaterChan, omode: number): Task<Chan> {
  let runs: Runs | null = null;
  let done = false;
  try {
    const a = yield* send(c, (tag, fid, m, g) => {
      runs = new Runs(m, g, fid, 0);
      return [{ type: Topen, tag, fid, mode: omode & 0xff }, ...runs.ask()];
    });
    yield* mustwalk(c, a);
    const r = yield* c.from.mnt.receive(a.g, a.nwalk);
    const nc = opened(become(c).nc, omode, r);
    a.g.keep(a.fid);
    done = true;
    return kept(nc, runs, a.g);
  } finally {
    // Also the fids are the group's again: it is released with the runs.
    if (!done) endruns(runs);
  }
}

function endruns(runs: Runs | null): void {
  runs?.end();
}

/**
 * A directory is read by its own rules; of anything else the runs are the stream. If a note came while it
 * was opened they are flushed, and the next read begins anew.
 */
function kept(nc: MntChan, runs: Runs | null, g: Group): MntChan {
  if (runs === null || (nc.qid.type & QTDIR) !== 0 || g.flushing) {
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

/** Sends the open and returns: its failure comes at the next write or at close. */
export function* openwrite(c: LaterChan, how: Openwrite): Task<Chan> {
  yield* send(c, (tag, fid, _m, g) => {
    g.open = true;
    return [how.build(tag, fid)];
  });
  const { nc, a } = become(c);
  // Until the answer comes it passes for a plain file, as what is written whole mostly is.
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

/** An open on its way. */
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
      // The file was never open: whatever fid there is settles with the group.
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
    if (this.#a.g.ended) error(this.#nc.mnt.dead ? Ehungup : Eintr);
    return false;
  }

  *wait(): Task<void> {
    if (!this.#a.g.ended) yield this.#a.g.r;
  }
}

/** Does a step of the open; what it throws says which it was. */
function step(name: "walk" | "open" | "create", fn: () => unknown): void {
  try {
    fn();
  } catch (e) {
    if (e instanceof PlanError) e.step = name;
    throw e;
  }
}
