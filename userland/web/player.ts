// Moving through a run: the row of buttons, the slider with a mark for each failure, the keys, and which of
// two kernels is shown. What a step shows is stepview.ts; search and breakpoints are find.ts. The keys are
// those of `namec step` in a terminal.

import { Meeting, compare } from "../view/step/compare.ts";
import { Tape, follow } from "../view/step/tape.ts";
import type { By } from "../view/step/tape.ts";
import { byid, el, fill, set, svg } from "./dom.ts";
import type { Finished, Space } from "./talk.ts";

/** A finished run that can be stepped through. */
export type Run = { readonly finished: Finished; readonly tape: Tape };

/** Which kernels are shown. */
export type Shown = Space | "both";

type Move = (tape: Tape, step: number, by: By) => number;

/** A move: its keys, as KeyboardEvent has them, what it is called, and its button's sign if it has one. */
type Way = {
  readonly id: string;
  readonly keys: readonly string[];
  readonly sign: string;
  readonly text: string;
  readonly to: Move;
};

const way = (id: string, keys: string, [sign, text]: [string, string], to: Move): Way => ({
  id,
  keys: keys.split(" "),
  sign,
  text,
  to,
});

/** Every way to move; those with a sign have a button. */
const WAYS: readonly Way[] = [
  way("first", "g Home", ["|‹", "first step"], () => 0),
  way("back", "ArrowLeft", ["‹ back", "back"], (t, s, by) => t.back(s, by)),
  way("next", "ArrowRight", ["next ›", "next"], (t, s, by) => t.next(s, by)),
  way("last", "G End", ["›|", "last step"], (t) => t.length - 1),
  way("back-step", "p k", ["", "step back"], (t, s) => t.back(s, "step")),
  way("next-step", "n j", ["", "next step"], (t, s) => t.next(s, "step")),
  way("back-call", "C", ["", "system call before"], (t, s) => t.back(s, "call")),
  way("next-call", "c", ["", "next system call"], (t, s) => t.next(s, "call")),
  way("back-message", "M", ["", "message before"], (t, s) => t.back(s, "message")),
  way("next-message", "m", ["", "next message"], (t, s) => t.next(s, "message")),
  way("back-failure", "F", ["", "failure before"], (t, s) => t.back(s, "failure")),
  way("next-failure", "f", ["", "next failure"], (t, s) => t.next(s, "failure")),
  way("follow", "s", ["", "follow a request"], (t, s) => follow(t, s)),
  way("follow-back", "S", ["", "back along a request"], (t, s) => follow(t, s, true)),
];

/** What the buttons and the arrows go to. */
const KINDS: readonly By[] = ["step", "call", "message", "failure"];

/** The keys and what they do, for the list of them. */
export const KEYS: readonly (readonly [keys: string, text: string])[] = [
  ["→ ←", "as the buttons next and back: by step, call, message or failure"],
  ["n j", "next step"],
  ["p k", "step back"],
  ["m M", "next message, message before"],
  ["c C", "next system call, call before"],
  ["f F", "next failure, failure before"],
  ["s S", "follow a request to its server and back; the other way"],
  ["g G", "first step, last step"],
  [":", "go to a step by its number"],
  ["b", "add a breakpoint"],
  ["r R", "run to the next breakpoint, back to the one before"],
  ["/", "search the text of the steps"],
  ["N P", "next hit, hit before"],
  ["v", "the other name space"],
  ["V", "both name spaces, side by side"],
  ["1 2 3 0", "the picture: messages, names, processes, as the step needs"],
  ["w", "the words of this step, from the glossary"],
  ["Ctrl-Enter", "run the program"],
  ["?", "this help"],
];

const SIGNS: Readonly<Record<string, string>> = { ArrowLeft: "←", ArrowRight: "→" };

/** The most marks that are drawn on the slider's track. */
const MARKS = 200;

/** What is drawn when the step changes. */
export type Stage = {
  readonly show: (run: Run, step: number, beside: Beside | null) => void;
  /** What other keys do; false: nothing. */
  readonly key: (key: string) => boolean;
};

/** The other kernel's run, at the step that corresponds. */
export type Beside = { readonly run: Run; readonly step: number };

/** The controls of a run. */
export class Player {
  readonly #stage: Stage;
  readonly #slider = byid("slider", HTMLInputElement);
  readonly #buttons = new Map<Way, HTMLButtonElement>();
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
    for (const w of WAYS.filter((x) => x.sign !== "")) {
      const keys = w.keys.map((k) => SIGNS[k] ?? k).join(" ");
      const attrs = { type: "button", id: `go-${w.id}`, "aria-label": w.text, disabled: true };
      const b = el("button", { ...attrs, title: `${w.text} (${keys})` }, w.sign);
      b.addEventListener("click", () => this.#go(w.to));
      this.#buttons.set(w, b);
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
    for (const [w, b] of this.#buttons) {
      const to = tape === null || n === 0 ? -1 : w.to(tape, this.#step, this.#by);
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
    const w = WAYS.find((x) => x.keys.includes(e.key));
    if (w === undefined && !this.#other(e.key)) return;
    e.preventDefault();
    if (w !== undefined) this.#go(w.to);
  }

  /** What keys do that have no button; false: nothing. */
  #other(key: string): boolean {
    switch (key) {
      case ":":
        byid("step-input", HTMLInputElement).select();
        return true;
      case "v":
      case "V":
        this.#turn(key === "V");
        return true;
      default:
        return this.#stage.key(key);
    }
  }

  #turn(both: boolean): void {
    if (byid("space-both", HTMLInputElement).disabled) return;
    if (both) this.choose(this.#shown === "both" ? "names" : "both");
    else this.choose(this.space === "names" ? "standard" : "names");
  }
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
