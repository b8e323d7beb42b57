// The steps of two runs of one program that correspond: in `names` and in `standard`, say. The calls are those
// that compare.ts puts side by side. Within a call its beginning, its end and the same text correspond; else the
// other run's step is the last one of its call that is as old as this one, counted from the call's beginning.

import { eventtext } from "../words/eventtext.ts";
import type { Row } from "./compare.ts";
import type { Rcall, Recording } from "./recording.ts";
import type { Tape } from "./tape.ts";

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
    const call = callat(from.tape.recording, event);
    const other = call === undefined ? undefined : from.partner.get(call.id);
    if (call === undefined || other === undefined) continue;
    // A step between two calls stands behind the end of the call before it.
    const at = s === step ? event : Math.max(event, from.tape.returnof(call.id));
    return within({ tape: from.tape, call, event: at }, { tape: to.tape, call: other });
  }
  return 0;
}

function callat(r: Recording, event: number): Rcall | undefined {
  return r.calls[r.events[event]?.call ?? -1];
}

type Place = { readonly tape: Tape; readonly call: Rcall; readonly event: number };

function within(at: Place, there: Omit<Place, "event">): number {
  const { tape, call } = there;
  const { events } = at.tape.recording;
  if (at.event === at.call.first) return tape.stepof(call.first);
  const back = tape.returnof(call.id);
  if (at.event >= at.tape.returnof(at.call.id) && at.tape.returnof(at.call.id) >= 0)
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
