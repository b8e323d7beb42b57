// How long a program may go on: calls, time of its clock, time of the host. A program that does not end by itself
// (a livelock, a server that ticks while its client waits) ends there, and the run says so.

import { Unitserror, parsetime, showtime } from "../boot/units.ts";
import { valuefmt } from "../view/words/callfmt.ts";
import { fortest } from "./place.ts";

/** The limits of a run. */
export type Limitopts = {
  /** System calls that a program and its children may make: 100,000. */
  readonly calls?: number;
  /** Time of the virtual clock, "10s" or in nanoseconds: a day. */
  readonly time?: string | number;
  /** Time of the host, "10s" or in nanoseconds: a minute. */
  readonly host?: string | number;
};

/** Their names. */
export const LIMITS: readonly (keyof Limitopts)[] = ["calls", "time", "host"];

/** Limits in numbers, times in nanoseconds. */
export type Limits = { readonly calls: number; readonly time: number; readonly host: number };

const DEFAULTS: Limits = { calls: 100_000, time: 86_400e9, host: 60e9 };

/** The limits that options ask for. Throws Unitserror for a time that cannot be read. */
export function limitsof(opts: Limitopts, dflt: Limits = DEFAULTS): Limits {
  const { calls = dflt.calls, time = dflt.time, host = dflt.host } = opts;
  return {
    calls,
    time: nanoseconds("the limit time", time),
    host: nanoseconds("the limit host", host),
  };
}

/** A time in nanoseconds. Throws Unitserror for a text that is none, TypeError for what is no text and no number. */
export function nanoseconds(what: string, t: unknown): number {
  if (typeof t === "number" && t >= 0) return t;
  if (typeof t !== "string")
    throw fortest(
      new TypeError(`${what}: a time is a text such as "50ms", or nanoseconds, not ${valuefmt(t)}`),
    );
  try {
    return parsetime(t);
  } catch (e) {
    throw e instanceof Unitserror ? fortest(e) : e;
  }
}

/** What a program has used. */
export type Used = { readonly calls: number; readonly time: number; readonly host: number };

/** What is said of a program that has used too much; null when it has not. */
export function overrun(limits: Limits, used: Used): string | null {
  if (used.calls > limits.calls)
    return `it has made ${limits.calls} calls, and goes on (the limit of calls)`;
  if (used.time > limits.time)
    return `it goes on after ${showtime(limits.time)} of its virtual clock (the limit of time)`;
  if (used.host >= limits.host)
    return `it goes on after ${showtime(limits.host)} of real time (the limit of host)`;
  return null;
}
