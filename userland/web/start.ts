// At which step a run is shown first: where it failed, at the step that its lesson asks about, or at its beginning.

import { lookstep } from "../view/step/lookat.ts";
import type { Example } from "./example.ts";
import type { Run } from "./player.ts";

/** The step to begin with. */
export function startof(run: Run, example: Example | null): number {
  const { tape, finished } = run;
  if (finished.problem !== null || finished.status !== "") {
    const failure = failed(run);
    if (failure >= 0) return failure;
  }
  if (example === null) return 0;
  return lookstep(tape, example.look);
}

/** The step of the last call that failed; the last failure of another kind where no call did; -1: nothing failed. */
function failed({ tape }: Run): number {
  const last = tape.back(tape.length, "failure");
  for (let s = last; s >= 0; s = tape.back(s, "failure"))
    if (tape.recording.events[tape.event(s)]?.type === "return") return s;
  return last;
}
