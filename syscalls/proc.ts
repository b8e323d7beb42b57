// Processes: fork(2), exec(2), exits(2), wait(2), notify(2), sleep(2), rendezvous(2), errstr(2).

import {
  ERRMAX,
  RFCENVG,
  RFCFDG,
  RFCNAMEG,
  RFENVG,
  RFFDG,
  RFMEM,
  RFNAMEG,
  RFNOMNT,
  RFNOTEG,
  RFNOWAIT,
  RFPROC,
  RFREND,
} from "../kernel/abi/const.ts";
import { MAXARGV } from "../kernel/abi/argkind.ts";
import { Ebadarg, Eintr, PlanError, error } from "../kernel/abi/errors.ts";
import { execimage } from "../kernel/proc/exec.ts";
import { quoteall } from "../kernel/abi/elems.ts";
import type { Handler } from "../kernel/proc/note.ts";
import { Egrp, Fgrp, Pgrp, Rgrp } from "../kernel/proc/pgrp.ts";
import { Proc } from "../kernel/proc/proc.ts";
import type { Groups, Waitmsg } from "../kernel/proc/proc.ts";
import { Rendez } from "../kernel/proc/rendez.ts";
import type { Task } from "../kernel/proc/rendez.ts";
import { AGAIN } from "../kernel/proc/sched.ts";
import { tellgroups } from "../kernel/proc/tell.ts";
import type { Copied } from "../kernel/proc/tell.ts";
import { Image } from "../kernel/proc/trap.ts";
import type { Program } from "../kernel/proc/trap.ts";
import { utfcut } from "../kernel/abi/utf.ts";
import { MAXMS, NSPERMS, checkname, checknum } from "./arg.ts";

const both = (flags: number, a: number, b: number): boolean => (flags & (a | b)) === (a | b);

export function* rfork(up: Proc, flags: number, child?: Program): Task<number> {
  checknum(flags);
  if (both(flags, RFFDG, RFCFDG) || both(flags, RFNAMEG, RFCNAMEG) || both(flags, RFENVG, RFCENVG))
    error(Ebadarg);
  if ((flags & RFPROC) !== 0) {
    if (typeof child !== "function") error(Ebadarg);
    return fork(up, flags, child);
  }
  if ((flags & (RFMEM | RFNOWAIT)) !== 0) error(Ebadarg);
  const old: Groups = { pgrp: up.pgrp, fgrp: up.fgrp, egrp: up.egrp, rgrp: up.rgrp };
  const now = groups(up, flags);
  Object.assign(up, now);
  if ((flags & RFNOMNT) !== 0) up.pgrp.noattach = true;
  if ((flags & RFNOTEG) !== 0) up.noteid = up.k.nextpid();
  if (up.k.trace.on) tellgroups(up, "groups", copied(old, flags));
  if (now.fgrp !== old.fgrp) yield* old.fgrp.close();
  if (now.pgrp !== old.pgrp) yield* old.pgrp.close();
  if (now.egrp !== old.egrp) old.egrp.close();
  if (now.rgrp !== old.rgrp) old.rgrp.close();
  return 0;
}

/** The groups that flags ask for: the process's own where they say nothing. New ones are the caller's. */
function groups(up: Proc, flags: number): Groups {
  const { pgrp, fgrp, egrp } = up;
  const newpgrp = (ns: Pgrp["ns"]): Pgrp => {
    const p = new Pgrp(up.k.nextpgrpid(), ns);
    p.noattach = pgrp.noattach;
    return p;
  };
  return {
    pgrp:
      (flags & RFNAMEG) !== 0
        ? newpgrp(pgrp.ns.fork())
        : (flags & RFCNAMEG) !== 0
          ? newpgrp(pgrp.ns.clean())
          : pgrp,
    fgrp:
      (flags & RFFDG) !== 0
        ? fgrp.dup()
        : (flags & RFCFDG) !== 0
          ? new Fgrp(up.k.trace, fgrp.maxfd)
          : fgrp,
    egrp: (flags & RFENVG) !== 0 ? egrp.dup() : (flags & RFCENVG) !== 0 ? new Egrp() : egrp,
    rgrp: (flags & RFREND) !== 0 ? new Rgrp() : up.rgrp,
  };
}

/** Which of these groups the flags ask for a copy of. */
function copied({ fgrp, egrp }: Pick<Groups, "fgrp" | "egrp">, flags: number): Copied {
  return {
    fgrp: (flags & RFFDG) !== 0 ? fgrp : null,
    egrp: (flags & RFENVG) !== 0 ? egrp : null,
  };
}

function fork(up: Proc, flags: number, child: Program): number {
  const g = groups(up, flags);
  for (const key of ["pgrp", "fgrp", "egrp", "rgrp"] as const) if (g[key] === up[key]) g[key].ref++;
  const p = new Proc(up.k, up.text, g, up.dot.incref());
  if ((flags & RFNOMNT) !== 0) p.pgrp.noattach = true;
  if ((flags & RFNOTEG) === 0) p.noteid = up.noteid;
  p.tty = up.tty;
  p.hang = up.hang;
  p.procmode = up.procmode;
  p.privatemem = up.privatemem;
  p.pri = up.pri;
  p.ppid = up.pid;
  if ((flags & RFNOWAIT) === 0) {
    up.adopt(p);
  }
  if (up.k.trace.on) tellgroups(p, "start", copied(up, flags));
  const image = new Image(p);
  image.notes.handler = up.image?.notes.handler ?? null;
  image.start(child, up.args);
  // What /proc shows are the arguments of an exec, or those written there.
  p.args = [];
  return p.pid;
}

export function* exec(up: Proc, name: string, argv: readonly string[]): Task<never> {
  checkname(name);
  yield* execimage(up, name, checkargv(argv));
  return yield* forever("exec");
}

/** The arguments, copied: an array of a program's may be anything that looks like one. */
function checkargv(argv: readonly string[]): string[] {
  let args: string[] = [];
  try {
    args = Array.isArray(argv) && argv.length <= MAXARGV ? [...argv] : error(Ebadarg);
  } catch {
    error(Ebadarg);
  }
  for (const arg of args) checkname(arg);
  return args;
}

export function* exits(up: Proc, status?: string): Task<never> {
  if (up.image === null) up.exit("");
  else up.image.exits("exits", status);
  return yield* forever("exits");
}

/** Sleeps where the scheduler ends this coroutine. */
function* forever(what: string): Task<never> {
  const r = new Rendez(what);
  for (;;) yield r;
}

export function wait(up: Proc): Task<Waitmsg> {
  return up.await();
}

export function* await_(up: Proc, n = 512): Task<string> {
  checknum(n);
  const w = yield* up.await();
  return utfcut(`${w.pid} ${w.time.join(" ")} ${quoteall(w.msg)}`, Math.max(0, n - 1));
}

export function notify(up: Proc, handler: Handler | null): void {
  if (handler !== null && typeof handler !== "function") error(Ebadarg);
  if (up.image !== null) up.image.notes.handler = handler;
}

export function* noted(up: Proc, how: number): Task<void> {
  if (up.image !== null) yield* up.image.notes.noted(how);
}

export function alarm(up: Proc, ms: number): number {
  checknum(ms);
  if (ms > MAXMS) error(Ebadarg);
  const { sched, clock } = up.k;
  const old = up.alarm;
  const left = old === null ? 0 : Math.max(0, Math.ceil((old.at - clock.now()) / NSPERMS));
  if (old !== null) sched.cancel(old);
  up.alarm = null;
  if (ms > 0)
    up.alarm = sched.timer(ms * NSPERMS, () => {
      up.alarm = null;
      up.image?.notes.alarm();
    });
  return left;
}

/** No time at all is a turn for others, the host among them. */
export function* sleep(up: Proc, ms: number): Task<void> {
  if (typeof ms !== "number" || Number.isNaN(ms) || ms > MAXMS) error(Ebadarg);
  if (ms < 0) return;
  if (ms === 0) yield AGAIN;
  else yield* up.k.sched.sleep(ms * NSPERMS);
}

/** An interrupted rendezvous gives no value and leaves the error string alone. */
export function* rendezvous(up: Proc, tag: unknown, value: unknown): Task<unknown> {
  try {
    return yield* up.rgrp.meet(tag, value);
  } catch (e) {
    if (e instanceof PlanError && e.message === Eintr) return undefined;
    throw e;
  }
}

export function errstr(up: Proc, s = "", n: number = ERRMAX): string {
  checkname(s);
  checknum(n);
  if (n <= 0) error(Ebadarg);
  const max = Math.min(n, ERRMAX) - 1;
  const old = up.errstr;
  up.errstr = utfcut(s, max);
  return utfcut(old, max);
}

export function nsec(up: Proc): bigint {
  return up.k.clock.nsec();
}
