// At which step a run is shown first: where it failed, at the step that its lesson asks about, or at its beginning.

import { lookstep } from "../view/step/frame.ts";
import type { Example } from "./example.ts";
import type { Run } from "./player.ts";

/** The step to begin with. */
export function startof(run: Run, example: Example | undefined): number {
  const { tape, finished } = run;
  if (finished.problem !== null || finished.status !== "") {
    const failure = failed(run);
    if (failure >= 0) return failure;
  }
  return example === undefined || example.look === "" ? 0 : lookstep(tape, example.look);
}

/** The step of the last call that failed; the last failure of another kind where no call did; -1: nothing failed. */
function failed(run: Run): number {
  const { tape } = run;
  const last = tape.back(tape.length, "failure");
  for (let s = last; s >= 0; s = tape.back(s, "failure")) if (refused(run, s)) return s;
  return last;
}

/** Whether a call has failed at a step; exits never gives anything, since it ends its process. */
function refused({ tape }: Run, step: number): boolean {
  const e = tape.recording.events[tape.event(step)];
  const name = tape.recording.calls[e?.call ?? -1]?.name ?? "";
  return e?.type === "return" && name !== "exits" && name !== "_exits";
}
