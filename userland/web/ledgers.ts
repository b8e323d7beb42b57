// What it cost: this call so far and the whole run, in the kernel that is shown and in the other one, which
// ran the same program.

import { timefmt } from "../view/stepfmt.ts";
import type { Spent } from "../view/tape.ts";
import { byid, el, fill } from "./dom.ts";
import type { Run } from "./steps.ts";
import { SPACES } from "./talk.ts";
import type { Space } from "./talk.ts";

/** Shows the ledgers of both kernels at a step of one of them. */
export function showledgers(runs: ReadonlyMap<Space, Run>, run: Run, step: number): void {
  const event = run.tape.event(step);
  const call = run.finished.recording.events[event]?.call ?? -1;
  const rowsof = (get: (r: Run) => Spent | null): (Spent | null)[] =>
    SPACES.map((s) => {
      const r = runs.get(s);
      return r === undefined ? null : get(r);
    });
  const now = rowsof((r) => (r === run ? r.tape.callspent(event) : whole(r, call)));
  const all = rowsof((r) => r.tape.runspent(r.finished.recording.events.length - 1));
  fill(byid("ledger", HTMLElement), table("this call", now, run), table("the whole run", all, run));
}

/** What a call of the other run cost in the end. */
function whole(r: Run, call: number): Spent | null {
  const c = r.finished.recording.calls[call];
  return c === undefined ? null : r.tape.callspent(c.last);
}

const ROWS: readonly (readonly [string, (s: Spent) => string])[] = [
  ["round trips", (s) => s.trips.toLocaleString("en")],
  ["messages", (s) => s.messages.toLocaleString("en")],
  ["bytes", (s) => s.bytes.toLocaleString("en")],
  ["time", (s) => timefmt(s.time)],
];

function table(title: string, cells: readonly (Spent | null)[], run: Run): HTMLTableElement {
  const here = (i: number): string | null => (SPACES[i] === run.finished.space ? "here" : null);
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, title),
    ...SPACES.map((s, i) => el("th", { scope: "col", class: here(i) }, s)),
  );
  const body = ROWS.map(([name, show]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, name),
      ...cells.map((s, i) => el("td", { class: here(i) }, s === null ? "–" : show(s))),
    ),
  );
  return el("table", { class: "ledger" }, el("thead", {}, head), el("tbody", {}, ...body));
}
