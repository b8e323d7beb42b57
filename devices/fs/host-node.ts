// What the bridges to Node share: the host's error codes as Plan 9's strings, and how a coroutine waits
// for the host. While it does, virtual time stands still (Sched.hold): what the host does takes time that
// the kernel's clock does not know.

import { readFileSync } from "node:fs";
import {
  Eaddrinuse,
  Econnrefused,
  Eexist,
  Efilename,
  Efull,
  Ehungup,
  Eio,
  Eisdir,
  Enofd,
  Enohost,
  Enonexist,
  Enoroute,
  Enotdir,
  Enotempty,
  Enotlocal,
  Eperm,
  Etimedout,
  Etoobig,
  Etoolong,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { Rendez } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Sched } from "../../kernel/proc/sched.ts";

const STRINGS: ReadonlyMap<string, string> = new Map([
  ["EACCES", Eperm],
  ["EADDRINUSE", Eaddrinuse],
  ["EADDRNOTAVAIL", Enotlocal],
  ["EAI_AGAIN", Enohost],
  ["ECONNABORTED", Ehungup],
  ["ECONNREFUSED", Econnrefused],
  ["ECONNRESET", Ehungup],
  ["EDQUOT", Efull],
  ["EEXIST", Eexist],
  ["EFBIG", Etoobig],
  ["EHOSTUNREACH", Enoroute],
  ["EINVAL", Efilename],
  ["EISDIR", Eisdir],
  ["ELOOP", Eperm],
  ["EMFILE", Enofd],
  ["ENAMETOOLONG", Etoolong],
  ["ENETUNREACH", Enoroute],
  ["ENFILE", Enofd],
  ["ENOENT", Enonexist],
  ["ENOSPC", Efull],
  ["ENOTDIR", Enotdir],
  ["ENOTEMPTY", Enotempty],
  ["ENOTFOUND", Enohost],
  ["ENXIO", Eperm],
  ["EPERM", Eperm],
  ["EPIPE", Ehungup],
  ["EROFS", Eperm],
  ["ESTALE", Enonexist],
  ["ETIMEDOUT", Etimedout],
]);

/** The host's code of an error, "ENOENT"; "" when it is none of the host's. */
export function hostcode(e: unknown): string {
  const code = e instanceof Error && "code" in e ? e.code : undefined;
  return typeof code === "string" ? code : "";
}

/** Plan 9's string for an error of the host; what has none is "i/o error: " and the host's code. */
export function hosterror(e: unknown): string {
  const code = hostcode(e);
  return STRINGS.get(code) ?? `${Eio}: ${code === "" ? String(e) : code}`;
}

/** Files that the host lets this process have open: 1024 where it does not say. */
export function hostfiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    const found = /^Max open files +([0-9]+|unlimited)/m.exec(limits)?.[1] ?? "1024";
    return found === "unlimited" ? 1 << 20 : Number(found);
  } catch {
    return 1024;
  }
}

/** Runs a call of the host that does not wait; its exception becomes a PlanError. */
export function hostsync<T>(fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    if (e instanceof PlanError) throw e;
    return error(hosterror(e));
  }
}

/**
 * Sleeps on r while busy() says so, holding virtual time. The kernel's own coroutines, which wait for
 * the outside all the time, hold nothing: those that wait for them do.
 */
export function* hostwait(up: Proc, r: Rendez, busy: () => boolean): Task<void> {
  const { sched, proc0 } = up.k;
  const hold = up !== proc0;
  if (hold) sched.hold();
  try {
    while (busy()) yield r;
  } finally {
    if (hold) sched.release();
  }
}

/** What Node calls back with. */
export type Callback<T> = (e: Error | null, value?: T) => void;

/**
 * Makes a call of the host and sleeps until it calls back, as a disk's sleep does: neither a note nor a
 * kill cuts it short, so that no call is under way on a file that has been closed. A note that came
 * meanwhile has its turn when the system call returns.
 */
export function* hostcall<T>(
  sched: Sched,
  what: string,
  start: (done: Callback<T>) => void,
): Task<T> {
  const r = new Rendez(what);
  const op: { over: boolean; e: Error | null; value: T | undefined } = {
    over: false,
    e: null,
    value: undefined,
  };
  const done: Callback<T> = (e, value) => {
    op.over = true;
    op.e = e;
    op.value = value;
    r.wakeupall();
  };
  hostsync(() => start(done));
  sched.hold();
  try {
    while (!op.over) yield* patient(r);
  } finally {
    while (!op.over) yield* patient(r);
    sched.release();
  }
  if (op.e !== null) error(hosterror(op.e));
  return op.value as T;
}

/** A sleep that a note ends early and does not fail. */
function* patient(r: Rendez): Task<void> {
  try {
    yield r;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
