// Moving through a run: the row of buttons, the slider with a mark for each failure, the keys, and which of
// two kernels is shown. What a step shows is stepview.ts; search and breakpoints are find.ts. The keys are
// those of view/step/keys.ts, as `namec step` has them on a terminal.

import { Meeting, compare } from "../view/step/compare.ts";
import { keysof, signsof } from "../view/step/keys.ts";
import type { Acts, Move } from "../view/step/keys.ts";
import { Tape } from "../view/step/tape.ts";
import type { By } from "../view/step/tape.ts";
import { byid, el, fill, set, svg } from "./dom.ts";
import type { Finished, Space } from "./talk.ts";

/** A finished run that can be stepped through. */
export type Run = { readonly finished: Finished; readonly tape: Tape };

/** Which kernels are shown. */
export type Shown = Space | "both";

/** The keys by their names. */
const BINDINGS = keysof("page");

/** The buttons: the key of each, its id, its sign and what it is called. */
const BUTTONS = [
  ["g", "first", "|‹", "first step"],
  ["left", "back", "‹ back", "back"],
  ["right", "next", "next ›", "next"],
  ["G", "last", "›|", "last step"],
] as const;

/** What the buttons and the arrows go to. */
const KINDS: readonly By[] = ["step", "call", "message", "failure"];

/** The most marks that are drawn on the slider's track. */
const MARKS = 200;

/** What is drawn when the step changes. */
export type Stage = {
  readonly show: (run: Run, step: number, beside: Beside | null) => void;
  /** Carries out what a key is for that does not move; false: it has no such act. */
  readonly act: (act: Acts["page"]) => boolean;
};

/** The other kernel's run, at the step that corresponds. */
export type Beside = { readonly run: Run; readonly step: number };

/** The controls of a run. */
export class Player {
  readonly #stage: Stage;
  readonly #slider = byid("slider", HTMLInputElement);
  readonly #buttons = new Map<Move, HTMLButtonElement>();
  readonly #runs = new Map<Space, Run>();
  #meeting: Meeting | null = null;
  #by: By = "step";
  #shown: Shown = "names";
  #step = 0;
  /** Where the step was before the other kernel was chosen, and where that led. */
  #came: { readonly from: number; readonly to: number } | null = null;
  #marked: Run | null = null;
  #asked = false;

  constructor(stage: Stage) {
    this.#stage = stage;
    for (const [name, id, sign, text] of BUTTONS) {
      const key = BINDINGS.get(name);
      if (typeof key?.does !== "function") continue;
      const move = key.does;
      const attrs = { type: "button", id: `go-${id}`, "aria-label": text, disabled: true };
      const b = el("button", { ...attrs, title: `${text} (${signsof(key).join(" ")})` }, sign);
      b.addEventListener("click", () => this.#go(move));
      this.#buttons.set(move, b);
    }
    fill(byid("buttons", HTMLElement), ...this.#buttons.values());
    fill(byid("by", HTMLElement), ...KINDS.map((by) => this.#kind(by)));
    this.#slider.addEventListener("input", () => this.to(this.#slider.valueAsNumber));
    document.addEventListener("keydown", (e) => this.#key(e));
    for (const shown of ["names", "standard", "both"] as const)
      byid(`space-${shown}`, HTMLInputElement).addEventListener("change", () => this.choose(shown));
    const input = byid("step-input", HTMLInputElement);
    input.addEventListener("change", () => {
      const n = Number(input.value);
      // What is no number of a step gives way to this one's.
      this.to(Number.isInteger(n) ? n - 1 : this.#step);
      this.focus();
    });
  }

  #kind(by: By): HTMLElement {
    const input = el("input", {
      type: "radio",
      name: "by",
      id: `by-${by}`,
      checked: by === "step",
    });
    input.addEventListener("change", () => {
      this.#by = by;
      this.#draw();
    });
    return el("label", { title: `next and back go by ${by}` }, input, el("span", {}, by));
  }

  /** The kernel whose steps are gone through. */
  get space(): Space {
    return this.#shown === "standard" ? "standard" : "names";
  }

  get shown(): Shown {
    return this.#shown;
  }

  get step(): number {
    return this.#step;
  }

  /** The run that is shown; null before there is one. */
  get run(): Run | null {
    return this.#runs.get(this.space) ?? null;
  }

  /** The runs that have finished. */
  get runs(): ReadonlyMap<Space, Run> {
    return this.#runs;
  }

  focus(): void {
    this.#slider.focus({ preventScroll: true });
  }

  /** Forgets the runs. */
  clear(): void {
    this.#runs.clear();
    this.#meeting = null;
    this.#came = null;
    this.#step = 0;
    this.#controls();
  }

  /** A run is over and can be looked at. */
  add(finished: Finished): void {
    this.#runs.set(finished.space, { finished, tape: new Tape(finished.recording) });
    const [a, b] = [this.#runs.get("names"), this.#runs.get("standard")];
    if (a !== undefined && b !== undefined)
      this.#meeting = new Meeting(a.tape, b.tape, compare(a.tape.recording, b.tape.recording));
    // The other one has something to compare with now.
    this.#draw();
  }

  /** Whether only one kernel ran, as a line of the terminal does. */
  only(space: Space | null): void {
    for (const shown of ["names", "standard", "both"] as const)
      byid(`space-${shown}`, HTMLInputElement).disabled = space !== null && space !== shown;
    if (space !== null) this.choose(space);
  }

  /** Shows the other kernel's run, or both, at the step that corresponds to this one. */
  choose(shown: Shown): void {
    const before = this.space;
    this.#shown = shown;
    byid(`space-${shown}`, HTMLInputElement).checked = true;
    if (this.space === before) return this.#draw();
    const [from, came] = [this.#step, this.#came];
    // A reader who only looked at the other kernel comes back to the very step.
    const to = came?.to === from ? came.from : this.#across(before, from);
    this.#came = { from, to };
    this.#step = to;
    this.#draw();
  }

  /** The step of the other kernel's run. */
  #across(space: Space, step: number): number {
    if (this.#meeting === null) return 0;
    return space === "names" ? this.#meeting.right(step) : this.#meeting.left(step);
  }

  #go(move: Move): void {
    const { run } = this;
    const to = run === null ? -1 : move(run.tape, this.#step, this.#by);
    if (to >= 0) this.to(to);
  }

  /** Goes to a step, or as near as there is one. */
  to(step: number): void {
    const to = Math.max(0, Math.min(step, (this.run?.tape.length ?? 1) - 1));
    if (to !== this.#step) this.#came = null;
    this.#step = to;
    this.#draw();
  }

  /** Draws again what is there: its room has changed, or what it is drawn with. */
  redraw(): void {
    this.#draw();
  }

  /** Draws once for all that happens before the browser paints. */
  #draw(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#controls();
      const { run } = this;
      if (run === null || run.tape.length === 0) return;
      const other = this.#shown === "both" ? this.#runs.get("standard") : undefined;
      const beside =
        other === undefined ? null : { run: other, step: this.#across("names", this.#step) };
      this.#stage.show(run, this.#step, beside);
    });
  }

  #controls(): void {
    const tape = this.run?.tape ?? null;
    const n = tape?.length ?? 0;
    set(this.#slider, { max: Math.max(0, n - 1), disabled: n === 0 });
    this.#slider.value = String(this.#step);
    const input = byid("step-input", HTMLInputElement);
    if (document.activeElement !== input) input.value = n === 0 ? "" : String(this.#step + 1);
    byid("step-number", HTMLElement).textContent = n === 0 ? "" : `/ ${n}`;
    for (const [move, b] of this.#buttons) {
      const to = tape === null || n === 0 ? -1 : move(tape, this.#step, this.#by);
      // A button that is disabled under the finger loses the focus; this one only says that it is no use.
      set(b, { disabled: n === 0, "aria-disabled": String(to < 0 || to === this.#step) });
    }
    this.#marks();
  }

  /** A mark on the track for each step that fails. */
  #marks(): void {
    const { run } = this;
    if (this.#marked === run) return;
    this.#marked = run;
    const e = byid("marks", SVGSVGElement);
    const last = Math.max(1, (run?.tape.length ?? 1) - 1);
    const lines: SVGLineElement[] = [];
    let s = -1;
    while (run !== null && lines.length < MARKS && (s = run.tape.next(s, "failure")) >= 0) {
      const x = (s / last) * 1000;
      lines.push(svg("line", { x1: x, x2: x, y1: 0, y2: 10 }));
    }
    e.setAttribute("viewBox", "0 0 1000 10");
    fill(e, ...lines);
  }

  #key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented || typing(e)) return;
    if (this.run === null) return;
    const does = doesof(e);
    if (does === undefined || (typeof does === "string" && !this.#act(does))) return;
    e.preventDefault();
    if (typeof does === "function") this.#go(does);
  }

  /** Carries out an act; false: it is not for here. */
  #act(act: Acts["page"]): boolean {
    switch (act) {
      case "ask step":
        byid("step-input", HTMLInputElement).select();
        return true;
      case "other":
      case "both":
        this.#turn(act === "both");
        return true;
      default:
        return this.#stage.act(act);
    }
  }

  #turn(both: boolean): void {
    if (byid("space-both", HTMLInputElement).disabled) return;
    if (both) this.choose(this.#shown === "both" ? "names" : "both");
    else this.choose(this.space === "names" ? "standard" : "names");
  }
}

/** What a key does, by the name that the table has for it: "ArrowLeft" is left, "Home" home, "M" M. */
export function doesof({ key, ctrlKey, metaKey }: KeyboardEvent): Move | Acts["page"] | undefined {
  const name = key.length === 1 ? key : key.replace("Arrow", "").toLowerCase();
  return BINDINGS.get(ctrlKey || metaKey ? `ctrl-${name}` : name)?.does;
}

/** Whether a key is meant for what has the focus. */
function typing(e: KeyboardEvent): boolean {
  const { target } = e;
  if (!(target instanceof Element)) return false;
  if (target.closest("dialog, .cm-editor, textarea, select, [role=slider], .xterm") !== null)
    return true;
  if (target.closest("[role=tab]") !== null && e.key.startsWith("Arrow")) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  if (target.type === "range") return false;
  return target.type !== "radio" || e.key.startsWith("Arrow");
}
