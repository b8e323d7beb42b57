// Moving through a run: the slider, the buttons, the keys. What a step shows is panels.ts.

import { Tape } from "../view/tape.ts";
import { byid, el, fill, set } from "./dom.ts";
import type { Finished, Space } from "./talk.ts";

/** A finished run that can be stepped through. */
export type Run = { readonly finished: Finished; readonly tape: Tape };

type Move = (tape: Tape, step: number) => number;

/** A move: its key, as KeyboardEvent has it, the button's sign, and what it is called. */
type Way = {
  readonly id: string;
  readonly keys: readonly string[];
  readonly sign: string;
  readonly text: string;
  readonly to: Move;
};

/** Every way to move, in the order of the buttons. */
const WAYS: readonly Way[] = [
  { id: "first", keys: ["Home", "g"], sign: "⇤", text: "first step", to: () => 0 },
  {
    id: "back-call",
    keys: ["C"],
    sign: "« call",
    text: "back by a system call",
    to: (t, s) => t.back(s, "call"),
  },
  {
    id: "back-message",
    keys: ["M"],
    sign: "« msg",
    text: "back by a message",
    to: (t, s) => t.back(s, "message"),
  },
  {
    id: "back",
    keys: ["ArrowLeft", "p"],
    sign: "‹ back",
    text: "back by a step",
    to: (t, s) => t.back(s, "step"),
  },
  {
    id: "next",
    keys: ["ArrowRight", "n"],
    sign: "next ›",
    text: "next step",
    to: (t, s) => t.next(s, "step"),
  },
  {
    id: "next-message",
    keys: ["m"],
    sign: "msg »",
    text: "next message",
    to: (t, s) => t.next(s, "message"),
  },
  {
    id: "next-call",
    keys: ["c"],
    sign: "call »",
    text: "next system call",
    to: (t, s) => t.next(s, "call"),
  },
  { id: "last", keys: ["End", "G"], sign: "⇥", text: "last step", to: (t) => t.length - 1 },
  {
    id: "back-failure",
    keys: ["F"],
    sign: "« fail",
    text: "back to a failure",
    to: (t, s) => t.back(s, "failure"),
  },
  {
    id: "next-failure",
    keys: ["f"],
    sign: "fail »",
    text: "next failure",
    to: (t, s) => t.next(s, "failure"),
  },
];

/** The keys and what they do, for the list of them. */
export const KEYS: readonly (readonly [keys: string, text: string])[] = [
  ...WAYS.map((w): [string, string] => [w.keys.map(keyname).join(", "), w.text]),
  ["Ctrl-Enter", "run the program"],
  ["?", "this list"],
];

function keyname(key: string): string {
  return { ArrowLeft: "←", ArrowRight: "→" }[key] ?? key;
}

/** The controls of a run. */
export class Steps {
  readonly #show: (run: Run, step: number) => void;
  readonly #slider = byid("slider", HTMLInputElement);
  readonly #buttons = new Map<Way, HTMLButtonElement>();
  readonly #runs = new Map<Space, Run>();
  #space: Space = "names";
  #step = 0;
  #asked = false;

  constructor(show: (run: Run, step: number) => void) {
    this.#show = show;
    for (const way of WAYS) {
      const keys = way.keys.map(keyname).join(" or ");
      const b = el(
        "button",
        {
          type: "button",
          id: `go-${way.id}`,
          title: `${way.text} (${keys})`,
          "aria-label": way.text,
          disabled: true,
        },
        way.sign,
      );
      b.addEventListener("click", () => this.go(way.to));
      this.#buttons.set(way, b);
    }
    fill(byid("buttons", HTMLElement), ...this.#buttons.values());
    this.#slider.addEventListener("input", () => this.to(this.#slider.valueAsNumber));
    document.addEventListener("keydown", (e) => this.#key(e));
    for (const space of ["names", "standard"] as const)
      byid(`space-${space}`, HTMLInputElement).addEventListener("change", () => this.choose(space));
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
    const call = this.#callof();
    this.#space = space;
    byid(`space-${space}`, HTMLInputElement).checked = true;
    const first = this.run?.finished.recording.calls[call]?.first;
    this.to(first === undefined ? 0 : (this.run?.tape.stepof(first) ?? 0));
  }

  #callof(): number {
    const { run } = this;
    const event = run?.tape.event(this.#step) ?? -1;
    return run?.finished.recording.events[event]?.call ?? -1;
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
    for (const [way, b] of this.#buttons) {
      const to = tape === null || n === 0 ? -1 : way.to(tape, this.#step);
      // A button that is disabled under the finger loses the focus; this one only says that it is no use.
      set(b, { disabled: n === 0, "aria-disabled": String(to < 0 || to === this.#step) });
    }
  }

  #key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented || typing(e)) return;
    const way = WAYS.find((w) => w.keys.includes(e.key));
    if (way === undefined || this.run === null) return;
    e.preventDefault();
    this.go(way.to);
  }
}

/** Whether a key is meant for what has the focus. */
function typing(e: KeyboardEvent): boolean {
  const { target } = e;
  if (!(target instanceof Element)) return false;
  if (target.closest("dialog, .cm-editor, textarea, select") !== null) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  if (target.type === "range") return false;
  if (target.type === "radio") return e.key.startsWith("Arrow");
  return true;
}
