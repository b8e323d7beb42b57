// What it cost: this call so far and the whole run, in the kernel that is shown and in the other one, which
// ran the same program; and both runs call by call.

import { compare } from "../view/step/compare.ts";
import type { Row } from "../view/step/compare.ts";
import type { Rcall } from "../view/record/recording.ts";
import { plural, timefmt } from "../view/words/text.ts";
import type { Spent } from "../view/step/tape.ts";
import { byid, el, fill } from "./dom.ts";
import type { Run } from "./player.ts";
import { SPACES } from "./talk.ts";
import type { Space } from "./talk.ts";

/** The most rows of the list of calls that are shown at once. */
const WINDOW = 80;

type Runs = ReadonlyMap<Space, Run>;

/** Both kernels' runs of a program. */
type Both = {
  readonly runs: readonly [Run, Run];
  readonly rows: readonly Row[];
  /** The row of each call of either. */
  readonly rowof: ReadonlyMap<Rcall, number>;
};

/** The ledgers of the page. */
export class Ledgers {
  #runs: Runs = new Map();
  #both: Both | null = null;
  /** The first row of the list that is shown; -1: none is. */
  #from = -1;

  /** These runs are the ones to be compared. */
  take(runs: Runs): void {
    this.#runs = runs;
    this.#compare(runs);
  }

  /** What the call of a step cost in the other kernel, in words; "" where it has none. */
  othercost(run: Run, step: number): string {
    const { space } = run.finished;
    const spent = this.#other(run, this.#callof(run, step));
    if (spent === null || this.#both === null) return "";
    const name = space === "names" ? "standard" : "names";
    const trips = spent.trips === 0 ? "no round trip" : plural(spent.trips, "round trip");
    return `${name}: ${trips}${spent.time === 0 ? "" : ` · ${timefmt(spent.time)}`}`;
  }

  #callof(run: Run, step: number): Rcall | null {
    const { calls, events } = run.finished.recording;
    return calls[events[run.tape.event(step)]?.call ?? -1] ?? null;
  }

  /** What the other kernel's run spent in all on a call. */
  #other(run: Run, call: Rcall | null): Spent | null {
    const i = run.finished.space === "names" ? 1 : 0;
    const row = call === null ? undefined : this.#both?.rows[this.#both.rowof.get(call) ?? -1];
    const other = i === 0 ? row?.left : row?.right;
    if (other === null || other === undefined) return null;
    return this.#both?.runs[i]?.tape.callspent(other.last) ?? null;
  }

  /** Shows what both spent at a step of one of them. */
  show(run: Run, step: number): void {
    const call = this.#callof(run, step);
    const own = call === null ? null : run.tape.callspent(run.tape.event(step));
    const cells = SPACES.map((space) =>
      space === run.finished.space ? own : this.#other(run, call),
    );
    const all = SPACES.map((space) => {
      const r = this.#runs.get(space);
      return r === undefined ? null : r.tape.runspent(r.finished.recording.events.length - 1);
    });
    fill(
      byid("ledger", HTMLElement),
      table({ title: "this call", cells, run, sofar: true }),
      table({ title: "the whole run", cells: all, run, sofar: false }),
    );
  }

  /** The row of the list that a click was on leads to the first event of its call. */
  clicked(target: Element, space: Space): number {
    const i = Number(target.closest("[data-row]")?.getAttribute("data-row") ?? -1);
    const row = this.#both?.rows[i];
    const call = space === "names" ? row?.left : row?.right;
    return call?.first ?? -1;
  }

  #compare(runs: Runs): void {
    const [a, b] = [runs.get("names"), runs.get("standard")];
    if (a === undefined || b === undefined) {
      this.#both = null;
      this.#from = -1;
      return;
    }
    if (this.#both?.runs[0] === a && this.#both.runs[1] === b) return;
    const rows = compare(a.finished.recording, b.finished.recording);
    const rowof = new Map<Rcall, number>();
    for (const [i, { left, right }] of rows.entries()) {
      if (left !== null) rowof.set(left, i);
      if (right !== null) rowof.set(right, i);
    }
    this.#both = { runs: [a, b], rows, rowof };
    this.#from = -1;
  }

  /** Shows the calls around that of a step. */
  list(run: Run, step: number): void {
    const call = this.#callof(run, step);
    const at = call === null ? -1 : (this.#both?.rowof.get(call) ?? -1);
    const e = byid("calls", HTMLElement);
    const rows = this.#both?.rows ?? [];
    const from = Math.max(0, at - WINDOW / 2);
    const kept = this.#from >= 0 && at >= this.#from && at < this.#from + WINDOW;
    if (!(kept || (at < 0 && this.#from >= 0))) {
      this.#from = rows.length === 0 ? -1 : from;
      fill(e, ...rows.slice(from, from + WINDOW).map((r, i) => callrow(r, from + i)));
    }
    for (const tr of e.querySelectorAll("tr")) {
      const here = Number(tr.getAttribute("data-row")) === at;
      tr.classList.toggle("current", here);
      if (here) into(tr);
    }
    byid("calls-names", HTMLElement).classList.toggle("here", run.finished.space === "names");
    byid("calls-standard", HTMLElement).classList.toggle("here", run.finished.space === "standard");
  }
}

/** Brings a row into its list's sight without moving the page. */
function into(tr: HTMLElement): void {
  const box = tr.closest(".scroll");
  if (box === null) return;
  const head = box.querySelector("thead")?.clientHeight ?? 0;
  const [top, bottom] = [tr.offsetTop - head, tr.offsetTop + tr.offsetHeight];
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}

function callrow({ left, right, differs }: Row, i: number): HTMLElement {
  const call = left ?? right;
  const failed = (call?.error ?? null) !== null;
  const name = el(
    "button",
    { type: "button", class: "link", title: call?.text ?? "" },
    call?.text ?? "",
  );
  const note = differs ? `differs: ${left?.result ?? "–"} / ${right?.result ?? "–"}` : null;
  return el(
    "tr",
    { "data-row": i, class: `${failed ? "failed" : ""}${differs ? " differs" : ""}` },
    el(
      "th",
      { scope: "row" },
      name,
      note === null ? null : el("span", { class: "note", title: note }, note),
    ),
    ...[left, right].flatMap(costs),
  );
}

function costs(c: Rcall | null): HTMLElement[] {
  if (c === null) return [el("td", {}, "–"), el("td", {}, "")];
  const time = c.ended === null ? "…" : c.ended === c.began ? "0" : timefmt(c.ended - c.began);
  return [el("td", {}, String(c.cost.trips)), el("td", {}, time)];
}

const ROWS: readonly (readonly [string, (s: Spent) => string])[] = [
  ["round trips", (s) => s.trips.toLocaleString("en")],
  ["messages", (s) => s.messages.toLocaleString("en")],
  ["bytes", (s) => s.bytes.toLocaleString("en")],
  ["time", (s) => (s.time === 0 ? "0" : timefmt(s.time))],
];

type Table = {
  readonly title: string;
  readonly cells: readonly (Spent | null)[];
  readonly run: Run;
  /** What is shown of the run that is stepped through is not all of it. */
  readonly sofar: boolean;
};

function table({ title, cells, run, sofar }: Table): HTMLTableElement {
  const here = (i: number): string | null => (SPACES[i] === run.finished.space ? "here" : null);
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, title),
    ...SPACES.map((s, i) => {
      const upto = !sofar ? "" : here(i) === null ? " in all" : " so far";
      return el("th", { scope: "col", class: here(i) }, s + upto);
    }),
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
