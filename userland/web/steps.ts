// Moving through a run: the slider, the buttons, the keys, search and breakpoints. What a step shows is
// panels.ts. The keys are those of `namec step` in a terminal.

import { markof, nextmark, search } from "../view/record/mark.ts";
import type { Mark } from "../view/record/mark.ts";
import { Tape } from "../view/record/tape.ts";
import { byid, el, fill, set } from "./dom.ts";
import type { Finished, Space } from "./talk.ts";

/** A finished run that can be stepped through. */
export type Run = { readonly finished: Finished; readonly tape: Tape };

type Move = (tape: Tape, step: number) => number;

/** A move: its keys, as KeyboardEvent has them, the button's sign, and what it is called. */
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

/** Every way to move that has a button, in their order: the four most used first. */
const WAYS: readonly Way[] = [
  way("first", "g Home", ["⇤", "first step"], () => 0),
  way("back", "ArrowLeft p k", ["‹ back", "step back"], (t, s) => t.back(s, "step")),
  way("next", "ArrowRight n j", ["next ›", "next step"], (t, s) => t.next(s, "step")),
  way("last", "G End", ["⇥", "last step"], (t) => t.length - 1),
  way("back-call", "C", ["‹ call", "system call before"], (t, s) => t.back(s, "call")),
  way("next-call", "c", ["call ›", "next system call"], (t, s) => t.next(s, "call")),
  way("back-message", "M", ["‹ msg", "message before"], (t, s) => t.back(s, "message")),
  way("next-message", "m", ["msg ›", "next message"], (t, s) => t.next(s, "message")),
  way("back-failure", "F", ["‹ fail", "failure before"], (t, s) => t.back(s, "failure")),
  way("next-failure", "f", ["fail ›", "next failure"], (t, s) => t.next(s, "failure")),
];

/** The keys and what they do, for the list of them. */
export const KEYS: readonly (readonly [keys: string, text: string])[] = [
  ["→ n j", "next step"],
  ["← p k", "step back"],
  ["m M", "next message, message before"],
  ["c C", "next system call, call before"],
  ["f F", "next failure, failure before"],
  ["g G", "first step, last step"],
  [":", "go to a step by its number"],
  ["b", "add a breakpoint"],
  ["r R", "run to the next breakpoint, back to the one before"],
  ["/", "search the text of the steps"],
  ["N P", "next hit, hit before"],
  ["v", "the other name space"],
  ["Ctrl-Enter", "run the program"],
  ["?", "this list"],
];

const SIGNS: Readonly<Record<string, string>> = { ArrowLeft: "←", ArrowRight: "→" };

/** The controls of a run. */
export class Steps {
  readonly #show: (run: Run, step: number) => void;
  readonly #slider = byid("slider", HTMLInputElement);
  readonly #find = byid("find", HTMLInputElement);
  readonly #break = byid("break", HTMLInputElement);
  readonly #buttons = new Map<Way, HTMLButtonElement>();
  readonly #runs = new Map<Space, Run>();
  #breaks: readonly string[] = [];
  #space: Space = "names";
  #step = 0;
  #asked = false;

  constructor(show: (run: Run, step: number) => void) {
    this.#show = show;
    for (const w of WAYS) {
      const keys = w.keys.map((k) => SIGNS[k] ?? k).join(" ");
      const attrs = { type: "button", id: `go-${w.id}`, "aria-label": w.text, disabled: true };
      const b = el("button", { ...attrs, title: `${w.text} (${keys})` }, w.sign);
      b.addEventListener("click", () => this.go(w.to));
      this.#buttons.set(w, b);
    }
    const all = [...this.#buttons.values()];
    fill(byid("buttons", HTMLElement), ...all.slice(0, 4));
    fill(byid("more-buttons", HTMLElement), ...all.slice(4));
    this.#slider.addEventListener("input", () => this.to(this.#slider.valueAsNumber));
    document.addEventListener("keydown", (e) => this.#key(e));
    for (const space of ["names", "standard"] as const)
      byid(`space-${space}`, HTMLInputElement).addEventListener("change", () => this.choose(space));
    this.#find.addEventListener("keydown", (e) => {
      if (e.key === "Enter") this.#seek(e.shiftKey);
    });
    this.#break.addEventListener("keydown", (e) => {
      if (e.key === "Enter") this.#addbreak();
    });
  }

  get space(): Space {
    return this.#space;
  }

  get step(): number {
    return this.#step;
  }

  /** The run that is shown; null before there is one. */
  get run(): Run | null {
    return this.#runs.get(this.#space) ?? null;
  }

  /** The runs that have finished. */
  get runs(): ReadonlyMap<Space, Run> {
    return this.#runs;
  }

  /** Forgets the runs. */
  clear(): void {
    this.#runs.clear();
    this.#step = 0;
    this.#controls();
  }

  /** A run is over and can be looked at. */
  add(finished: Finished): void {
    this.#runs.set(finished.space, { finished, tape: new Tape(finished.recording) });
    // The other one has something to compare with now.
    this.#draw();
  }

  /** Shows the other kernel's run, at the same call. */
  choose(space: Space): void {
    const event = this.run?.tape.event(this.#step) ?? -1;
    const call = this.run?.finished.recording.events[event]?.call ?? -1;
    this.#space = space;
    byid(`space-${space}`, HTMLInputElement).checked = true;
    const first = this.run?.finished.recording.calls[call]?.first;
    this.to(first === undefined ? 0 : (this.run?.tape.stepof(first) ?? 0));
  }

  go(move: Move): void {
    const { run } = this;
    const to = run === null ? -1 : move(run.tape, this.#step);
    if (to >= 0) this.to(to);
  }

  /** Goes to a step, or as near as there is one. */
  to(step: number): void {
    this.#step = Math.max(0, Math.min(step, (this.run?.tape.length ?? 1) - 1));
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
      if (run !== null && run.tape.length > 0) this.#show(run, this.#step);
    });
  }

  #controls(): void {
    const tape = this.run?.tape ?? null;
    const n = tape?.length ?? 0;
    set(this.#slider, { max: Math.max(0, n - 1), disabled: n === 0 });
    this.#slider.value = String(this.#step);
    for (const [w, b] of this.#buttons) {
      const to = tape === null || n === 0 ? -1 : w.to(tape, this.#step);
      // A button that is disabled under the finger loses the focus; this one only says that it is no use.
      set(b, { disabled: n === 0, "aria-disabled": String(to < 0 || to === this.#step) });
    }
  }

  #key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented || typing(e)) return;
    if (this.run === null) return;
    const w = WAYS.find((x) => x.keys.includes(e.key));
    if (w === undefined && !this.#other(e.key)) return;
    e.preventDefault();
    if (w !== undefined) this.go(w.to);
  }

  /** What keys do that have no button; false: nothing. */
  #other(key: string): boolean {
    switch (key) {
      case ":":
        this.#number();
        return true;
      case "/":
        this.#find.select();
        return true;
      case "b":
        this.#break.select();
        return true;
      case "N":
      case "P":
        this.#seek(key === "P");
        return true;
      case "r":
      case "R":
        this.#torun(key === "R");
        return true;
      case "v":
        if (!byid("space-standard", HTMLInputElement).disabled)
          this.choose(this.#space === "names" ? "standard" : "names");
        return true;
      default:
        return false;
    }
  }

  /** Asks for the number of a step where the number of this one stands. */
  #number(): void {
    const n = byid("step-input", HTMLInputElement);
    n.select();
  }

  #seek(back: boolean): void {
    const { run } = this;
    if (run === null || this.#find.value === "") return;
    const to = search(run.tape, this.#find.value, this.#step, back);
    this.#said(to < 0 ? `no step ${back ? "before" : "after"} this has "${this.#find.value}"` : "");
    if (to >= 0) this.to(to);
  }

  #marks(tape: Tape): Mark[] {
    return this.#breaks.map((text) => markof(tape, text)).filter((m) => m !== null);
  }

  #torun(back: boolean): void {
    const { run } = this;
    if (run === null) return;
    if (this.#breaks.length === 0) return this.#said("there is no breakpoint: add one with b");
    const to = nextmark(run.tape, this.#marks(run.tape), this.#step, back);
    this.#said(to < 0 ? `no breakpoint ${back ? "before" : "after"} this step` : "");
    if (to >= 0) this.to(to);
  }

  #addbreak(): void {
    const text = this.#break.value.trim();
    const { run } = this;
    if (text === "" || run === null) return;
    const mark = markof(run.tape, text);
    if (mark === null)
      return this.#said(
        `"${text}" is no breakpoint: a call (stat), a name (/n/far/a), a message (Tread), a server (far!564)`,
      );
    if (!this.#breaks.includes(text)) this.#breaks = [...this.#breaks, text];
    this.#break.value = "";
    const n = mark.steps.length;
    this.#said(`${text}: ${n === 1 ? "1 step" : `${n} steps`}; r runs to the next, R back`);
    this.#chips();
    this.#slider.focus();
  }

  #chips(): void {
    const chips = this.#breaks.map((text) => {
      const b = el(
        "button",
        { type: "button", class: "chip", title: `take ${text} away` },
        `${text} ×`,
      );
      b.addEventListener("click", () => {
        this.#breaks = this.#breaks.filter((x) => x !== text);
        this.#chips();
        this.#break.focus();
      });
      return b;
    });
    fill(byid("breaks", HTMLElement), ...chips);
  }

  #said(text: string): void {
    byid("seek-said", HTMLElement).textContent = text;
  }
}

/** Whether a key is meant for what has the focus. */
function typing(e: KeyboardEvent): boolean {
  const { target } = e;
  if (!(target instanceof Element)) return false;
  if (target.closest("dialog, .cm-editor, textarea, select, [role=slider]") !== null) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  if (target.type === "range") return false;
  return target.type !== "radio" || e.key.startsWith("Arrow");
}
