// The groups that processes share or copy with rfork(2): Pgrp, the name space; Fgrp, the descriptors;
// Egrp, the environment; Rgrp, the rendezvous tags. Each is reference counted by the processes in it.

import { CMSG, cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { Ebadfd, Ebadusefd, KILLED, PlanError, error } from "../abi/errors.ts";
import { OEXEC, ORDWR, OREAD } from "../abi/const.ts";
import type { Namespace } from "../names/namespace.ts";
import { Rendez } from "./rendez.ts";
import type { Task } from "./rendez.ts";
import { openfile } from "./tell.ts";
import type { Trace } from "../trace.ts";

/** A name space and whether it may still attach to devices (RFNOMNT). */
export class Pgrp {
  ref = 1;
  readonly pgrpid: number;
  ns: Namespace;
  noattach = false;

  constructor(pgrpid: number, ns: Namespace) {
    this.pgrpid = pgrpid;
    this.ns = ns;
  }

  *close(): Task<void> {
    if (--this.ref === 0) yield* this.ns.close();
  }
}

/** Plan 9's table of descriptors grows in steps of this many. */
const DELTAFD = 20;
/** Descriptors of a process, unless the kernel was booted with another limit. */
const MAXFD = 5000;

/** The open files of a process: descriptor to Chan. */
export class Fgrp {
  ref = 1;
  readonly fd: (Chan | null)[] = [];
  /** The size of Plan 9's table, which bounds what dup may ask for. */
  nfd: number = DELTAFD;
  readonly maxfd: number;
  /** Hears which descriptor is which file. */
  readonly trace: Trace;
  /** No descriptor below this one is free. */
  #low = 0;

  constructor(trace: Trace, maxfd: number = MAXFD) {
    this.trace = trace;
    this.maxfd = maxfd;
  }

  /** A copy for RFFDG: the same Chans. */
  dup(): Fgrp {
    const f = new Fgrp(this.trace, this.maxfd);
    let size = 1;
    for (const [fd, c] of this.fd.entries()) {
      f.fd.push(c === null ? null : c.incref());
      if (c !== null) size = fd + 1;
    }
    f.nfd = Math.ceil(size / DELTAFD) * DELTAFD;
    return f;
  }

  /**
   * As fdtochan: the Chan of a descriptor, or "fd out of range or not open". A mode of 0 or more checks that the file is
   * open for that; chkmnt, that no connection to a server runs over it, which programs may not read or write. The
   * reference stays the table's.
   */
  tochan(fd: number, mode = -1, chkmnt = false): Chan {
    // A program may give anything for a descriptor, "length" too.
    const c = typeof fd === "number" ? this.fd[fd] : null;
    if (c === undefined || c === null) return error(Ebadfd);
    if (mode >= 0 && c.mode !== ORDWR && (c.mode === OEXEC ? OREAD : c.mode) !== mode)
      error(Ebadusefd);
    if (chkmnt && (c.flag & CMSG) !== 0) error(Ebadusefd);
    return c;
  }

  /** The lowest free descriptor gets c, whose reference it takes; -1 when there are too many. */
  newfd(c: Chan): number {
    let fd = this.#low;
    while (fd < this.fd.length && this.fd[fd] !== null) fd++;
    this.#low = fd;
    if (fd >= this.maxfd) return -1;
    this.put(fd, c);
    return fd;
  }

  /** Descriptor fd becomes c, whose reference it takes; the Chan it was is the caller's to close. */
  put(fd: number, c: Chan): Chan | null {
    while (fd >= this.nfd) this.nfd += DELTAFD;
    while (this.fd.length <= fd) this.fd.push(null);
    const old = this.fd[fd] ?? null;
    this.fd[fd] = c;
    if (this.trace.on) this.#tell(fd, c);
    return old;
  }

  /** Descriptor fd is c now; -1 is all of them. */
  #tell(fd: number, c: Chan | null): void {
    const { trace } = this;
    const file = c === null ? null : openfile(trace, c);
    trace.emit({ type: "fd", fgrp: trace.fgrps.of(this), fd, file });
  }

  /** Whether dup may name this descriptor: the table grows by one step at a time. */
  candup(fd: number): boolean {
    return Number.isInteger(fd) && fd >= 0 && fd < this.nfd + DELTAFD;
  }

  /** Takes the descriptor out; its Chan is the caller's to close. */
  take(fd: number): Chan {
    const c = this.tochan(fd);
    this.fd[fd] = null;
    if (fd < this.#low) this.#low = fd;
    if (this.trace.on) this.#tell(fd, null);
    return c;
  }

  /** Closes all descriptors, also those that are left when the process is killed in the middle. */
  *close(): Task<void> {
    if (--this.ref > 0) return;
    if (this.trace.on) this.#tell(-1, null);
    let killed: unknown = null;
    for (let fd = 0; fd < this.fd.length; fd++) {
      const c = this.fd[fd] ?? null;
      this.fd[fd] = null;
      if (c === null) continue;
      try {
        yield* ccloseq(c);
      } catch (e) {
        if (e !== KILLED) throw e;
        killed = e;
      }
    }
    if (killed !== null) throw killed;
  }
}

/** cclose for a caller that cannot report an error. */
export function* ccloseq(c: Chan): Task<void> {
  try {
    yield* cclose(c);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** A variable of the environment. */
export type Evar = {
  name: string;
  readonly path: bigint;
  vers: number;
  value: Uint8Array;
  removed: boolean;
};

/** The environment, which device e shows as files. */
export class Egrp {
  ref = 1;
  readonly vars: Map<string, Evar> = new Map();
  #path = 0n;
  vers = 0;

  /** A copy for RFENVG. Paths stay, so a file of it that is open is then the copy's. */
  dup(): Egrp {
    const e = new Egrp();
    for (const v of this.vars.values()) e.vars.set(v.name, { ...v, value: v.value.slice() });
    e.#path = this.#path;
    return e;
  }

  create(name: string): Evar {
    const v: Evar = { name, path: ++this.#path, vers: 0, value: new Uint8Array(0), removed: false };
    this.vars.set(name, v);
    this.vers++;
    return v;
  }

  /** As on Plan 9, the last variable takes the place of the one that goes: a listing shows it. */
  remove(v: Evar): void {
    const list = [...this.vars.values()];
    const last = list.pop();
    this.vars.clear();
    for (const e of list) {
      const now = e === v ? last : e;
      if (now !== undefined) this.vars.set(now.name, now);
    }
    this.vers++;
  }

  close(): void {
    this.ref--;
  }
}

/** A process waiting in rendezvous(2) with its value, or with the partner's once it is met. */
export type Rendezvous = { value: unknown; met: boolean; readonly r: Rendez };

/** Tags at which processes meet. */
export class Rgrp {
  ref = 1;
  readonly waiting: Map<unknown, Rendezvous> = new Map();

  close(): void {
    this.ref--;
  }

  /** Meets the process that waits at tag, or waits for one to come; gives the other's value. */
  *meet(tag: unknown, value: unknown): Task<unknown> {
    const other = this.waiting.get(tag);
    if (other !== undefined) {
      this.waiting.delete(tag);
      const theirs = other.value;
      other.value = value;
      other.met = true;
      other.r.wakeup();
      return theirs;
    }
    const me: Rendezvous = { value, met: false, r: new Rendez("rendezvous") };
    this.waiting.set(tag, me);
    try {
      yield me.r;
      return me.value;
    } finally {
      if (!me.met) this.waiting.delete(tag);
    }
  }
}
