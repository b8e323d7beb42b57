// How far a long copy is: a line on descriptor 2 that is written over itself, for a person at a terminal.
// A copy that ends within PATIENCE says nothing, and neither does one whose descriptor 2 is no terminal.

import { PlanError } from "../../kernel/abi/errors.ts";
import { type Both, both } from "./both.ts";
import { fprint, readtext } from "./io.ts";

/** Nanoseconds before the first line, and between lines. */
const PATIENCE = 2_000_000_000n;
const EVERY = 500_000_000n;

const UNITS: readonly (readonly [size: number, unit: string])[] = [
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "KB"],
];

/** 12_345_678 is "12.3 MB". */
function showbytes(n: number): string {
  for (const [size, unit] of UNITS) if (n >= size) return `${(n / size).toFixed(1)} ${unit}`;
  return `${Math.round(n)} B`;
}

/** Seconds as minutes: 75 is "1:15". */
function showminutes(s: number): string {
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * "12.3 MB of 200.0 MB, 6%, 600.0 KB/s, 5:13 left", for what was done in so many seconds; of a length that is
 * not known (0) only what there is to say.
 */
export function progressline(done: number, length: number, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const speed = `${showbytes(rate)}/s`;
  if (length <= 0 || done > length) return `${showbytes(done)}, ${speed}`;
  const left = rate > 0 ? `, ${showminutes((length - done) / rate)} left` : "";
  const part = Math.floor((100 * done) / length);
  return `${showbytes(done)} of ${showbytes(length)}, ${part}%, ${speed}${left}`;
}

/** A copy that is watched. */
export class Progress {
  readonly length: number;
  began = 0n;
  done = 0;
  /** When the line is due next. */
  due = 0n;
  /** Characters of the line that is there. */
  width = 0;

  constructor(length: number) {
    this.length = length;
  }
}

/** The console device, and the device number of its descriptor 2. */
const DEVCONS = 0x63;
const ERRDEVNO = 2;

/** Whether a descriptor is a console that a person looks at: one of those in /dev/term, and not redirected. */
const isterm: Both<[fd: number], boolean> = both(function* (sys, fd) {
  try {
    const d = yield* sys.fstat(fd);
    if (d.type !== DEVCONS || d.name !== "cons") return false;
    const on = (yield* readtext(sys, "/dev/term")).split(" ");
    return on.includes(d.dev === ERRDEVNO ? "2" : fd === 0 ? "0" : "1");
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return false;
  }
}, "isterm(fd fd)");

/** How a copy is watched: of how many bytes (0: not known), in any case, and what it writes to. */
export type Watch = { readonly length: number; readonly force?: boolean; readonly to?: number };

/** The Progress of a copy that a person can see, or is to; one to the terminal itself is seen as it is. */
export const watched: Both<[w: Watch], Progress | null> = both(function* (
  sys,
  { length, force, to },
) {
  if (force === true) return new Progress(length);
  if (!(yield* isterm(sys, 2))) return null;
  return to !== undefined && (yield* isterm(sys, to)) ? null : new Progress(length);
}, "watched(w object)");

/** n bytes more are copied. */
export const progress: Both<[p: Progress, n: number], void> = both(function* (sys, p, n) {
  p.done += n;
  const now = yield* sys.nsec();
  if (p.began === 0n) {
    p.began = now;
    p.due = now + PATIENCE;
  }
  if (now < p.due) return;
  p.due = now + EVERY;
  const line = progressline(p.done, p.length, Number(now - p.began) / 1e9);
  const pad = line.padEnd(p.width);
  p.width = line.length;
  yield* fprint(sys, 2, `\r${pad}`);
}, "progress(p object, n number)");

/** The copy is over: takes the line away. */
export const progressend: Both<[p: Progress], void> = both(function* (sys, p) {
  if (p.width > 0) yield* fprint(sys, 2, `\r${" ".repeat(p.width)}\r`);
  p.width = 0;
}, "progressend(p object)");
