// The step that a lesson's "Look at" means: the first whose screen has the first of its pieces that any screen has.

import { frameof } from "./frame.ts";
import { frametext } from "./frametext.ts";
import { pieces } from "../words/lesson.ts";
import type { Tape } from "../record/tape.ts";

/** Steps that are looked through: those of a lesson, and of a lesson that was changed. */
const STEPS = 2000;

/** The step, or 0 where no screen has any of the pieces. */
export function lookstep(tape: Tape, look: string): number {
  const list = pieces(look);
  const found = list.map(() => -1);
  for (let step = 0; step < Math.min(tape.length, STEPS) && found[0] === -1; step++) {
    const screen = frametext(frameof(tape, step), null);
    for (const [i, piece] of list.entries())
      if (found[i] === -1 && screen.some((line) => line.includes(piece))) found[i] = step;
  }
  return found.find((step) => step >= 0) ?? 0;
}
