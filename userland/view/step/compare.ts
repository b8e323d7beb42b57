// Two runs of one program side by side, call by call: in `names` and in `standard`, say. The first process that is seen in
// one run is paired with the first in the other, and so on. Calls of such processes are paired in order. A call that
// only one of the runs made stands alone. Pure.
//
// A Meeting says which steps of the two runs correspond. In a pair of calls these are the beginnings, the ends, and steps
// of the same text. For another step it is the last step of the other call that is no older. The age of a step is
// counted from the beginning of its call.

import { push } from "../record/recording.ts";
import type { Rcall, Recording } from "../record/recording.ts";
import type { Tape } from "./tape.ts";
import { eventtext } from "../words/eventtext.ts";

/** How far ahead two runs that have parted are searched for where they meet again. */
const AHEAD = 64;

/** A call of the one, the other or both. */
export type Row = {
  readonly left: Rcall | null;
  readonly right: Rcall | null;
  /** Both were made and gave something else. */
  readonly differs: boolean;
};

/** Puts the calls of two recordings of a program side by side. */
export function compare(left: Recording, right: Recording): Row[] {
  return aligned(left, right).map(([a, b]) => {
    return { left: a, right: b, differs: a !== null && b !== null && a.result !== b.result };
  });
}

type Pair = readonly [Rcall | null, Rcall | null];

/** The calls of both, in the order of the left one's; what only the right one has behind the call before it. */
function aligned(left: Recording, right: Recording): Pair[] {
  const [a, b] = [byproc(left), byproc(right)];
  const pairs: Pair[] = [];
  for (let p = 0; p < Math.max(a.length, b.length); p++)
    pairs.push(...match(a[p] ?? [], b[p] ?? []));
  const order = new Map<Pair, number>();
  let last = -1;
  for (const pair of pairs) order.set(pair, (last = pair[0]?.id ?? last));
  return pairs.toSorted((x, y) => (order.get(x) ?? 0) - (order.get(y) ?? 0));
}

/** The calls of each process that made any, in the order in which the processes made their first. */
function byproc(r: Recording): Rcall[][] {
  const procs = new Map<number, Rcall[]>();
  for (const c of r.calls) push(procs, c.pid, c);
  return [...procs.values()];
}

/** Pairs the calls of two processes: as they come, and where they part from the nearest place on where they meet. */
function match(a: readonly Rcall[], b: readonly Rcall[]): Pair[] {
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [x, y] = meeting(a.slice(i, i + AHEAD), b.slice(j, j + AHEAD));
    pairs.push(...byname(a.slice(i, i + x), b.slice(j, j + y)));
    [i, j] = [i + x, j + y];
    const [u, v] = [a[i++], b[j++]];
    if (u !== undefined && v !== undefined) pairs.push([u, v]);
  }
  return pairs;
}

/** How many calls of each to pass over so that the next are the same; all when there are none such. */
function meeting(a: readonly Rcall[], b: readonly Rcall[]): [number, number] {
  for (let sum = 0; sum < a.length + b.length; sum++)
    for (let n = Math.max(0, sum - b.length + 1); n <= sum && n < a.length; n++)
      if (a[n]?.text === b[sum - n]?.text) return [n, sum - n];
  return [a.length, b.length];
}

/** Pairs what has the same name (a descriptor or a count may be another), in order. */
function byname(a: readonly Rcall[], b: readonly Rcall[]): Pair[] {
  const pairs: Pair[] = [];
  let j = 0;
  for (const x of a) {
    const at = b.findIndex((y, n) => n >= j && y.name === x.name);
    if (at < 0) {
      pairs.push([x, null]);
      continue;
    }
    for (const y of b.slice(j, at)) pairs.push([null, y]);
    pairs.push([x, b[at] ?? null]);
    j = at + 1;
  }
  for (const y of b.slice(j)) pairs.push([null, y]);
  return pairs;
}

/** A run, and for each of its calls the other run's call; a call that only one run made has none. */
type Side = { readonly tape: Tape; readonly partner: ReadonlyMap<number, Rcall> };

/** Two runs and which steps of them correspond. */
export class Meeting {
  readonly #left: Side;
  readonly #right: Side;

  constructor(left: Tape, right: Tape, rows: readonly Row[]) {
    const pairs = rows.flatMap((r) =>
      r.left === null || r.right === null ? [] : [[r.left, r.right] as const],
    );
    this.#left = { tape: left, partner: new Map(pairs.map(([a, b]) => [a.id, b])) };
    this.#right = { tape: right, partner: new Map(pairs.map(([a, b]) => [b.id, a])) };
  }

  /** The right run's step for one of the left run. */
  right(step: number): number {
    return across(this.#left, this.#right, step);
  }

  /** The left run's step for one of the right run. */
  left(step: number): number {
    return across(this.#right, this.#left, step);
  }
}

function across(from: Side, to: Side, step: number): number {
  for (let s = step; s >= 0; s--) {
    const event = from.tape.event(s);
    const { calls, events } = from.tape.recording;
    const call = calls[events[event]?.call ?? -1];
    const other = call === undefined ? undefined : from.partner.get(call.id);
    if (call === undefined || other === undefined) continue;
    // A step between two calls stands behind the end of the call before it.
    const at = s === step ? event : Math.max(event, from.tape.index.returnof(call.id));
    return within({ tape: from.tape, call, event: at }, { tape: to.tape, call: other });
  }
  return 0;
}

type Place = { readonly tape: Tape; readonly call: Rcall; readonly event: number };

function within(at: Place, there: Omit<Place, "event">): number {
  const { tape, call } = there;
  const { events } = at.tape.recording;
  if (at.event === at.call.first) return tape.stepof(call.first);
  const back = tape.index.returnof(call.id);
  if (at.event >= at.tape.index.returnof(at.call.id) && at.tape.index.returnof(at.call.id) >= 0)
    return tape.stepof(back < 0 ? call.last : back);
  const age = (events[at.event]?.at ?? 0) - at.call.began;
  const text = eventtext(at.tape.recording, at.event);
  let found = call.first;
  for (const i of tape.callevents(call.id, back < 0 ? call.last : back - 1)) {
    if (eventtext(tape.recording, i) === text) return tape.stepof(i);
    if ((tape.recording.events[i]?.at ?? 0) - call.began <= age) found = i;
  }
  return tape.stepof(found);
}
