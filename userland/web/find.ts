// Search and breakpoints: what is looked for in the steps, how often it is there, and where to stop.

import type { Acts } from "../view/step/keys.ts";
import { hitsof, markof, nextmark } from "../view/step/tape.ts";
import type { Mark, Tape } from "../view/step/tape.ts";
import { byid, el, fill } from "./dom.ts";
import type { Player, Run } from "./player.ts";

/** Steps that are searched before the browser paints again. */
const PIECE = 4000;

/** The buttons, and the act of each. */
const BUTTONS = [
  ["find-back", "hit back"],
  ["find-next", "hit"],
  ["break-back", "run back"],
  ["break-next", "run"],
] as const;

/** What was searched for in a run, as far as that has come. */
type Search = {
  readonly run: Run;
  readonly text: string;
  readonly hits: number[];
  /** The first step that was not looked at. */
  upto: number;
};

/** The fields for searching and for breakpoints. */
export class Find {
  readonly #player: Player;
  readonly #open: () => void;
  readonly #find = byid("find", HTMLInputElement);
  readonly #break = byid("break", HTMLInputElement);
  #search: Search | null = null;
  #breaks: readonly string[] = [];

  /** `open` shows the panel with the fields. */
  constructor(player: Player, open: () => void) {
    this.#player = player;
    this.#open = open;
    this.#find.addEventListener("input", () => void this.#count());
    this.#find.addEventListener("keydown", (e) => {
      if (e.key === "Enter") this.#seek(e.shiftKey);
    });
    this.#break.addEventListener("keydown", (e) => {
      if (e.key === "Enter") this.#addbreak();
    });
    for (const [id, act] of BUTTONS)
      byid(id, HTMLButtonElement).addEventListener("click", () => this.act(act));
  }

  /** Carries out an act; false: it is none of these. */
  act(act: Acts["page"]): boolean {
    switch (act) {
      case "ask search":
        this.#open();
        this.#find.select();
        return true;
      case "ask break":
        this.#open();
        this.#break.select();
        return true;
      case "hit":
      case "hit back":
        this.#seek(act === "hit back");
        return true;
      case "run":
      case "run back":
        this.#torun(act === "run back");
        return true;
      default:
        return false;
    }
  }

  /** Another step is shown: which hit it is. */
  at(): void {
    const s = this.#search;
    if (s !== null && s.run === this.#player.run) this.#tell(s);
  }

  /** Counts the hits, some thousand steps at a time; gives the search once that is done. */
  async #count(): Promise<Search | null> {
    const text = this.#find.value;
    const { run } = this.#player;
    if (run === null || text === "") {
      this.#search = null;
      this.#said("");
      return null;
    }
    let s = this.#search;
    if (s === null || s.run !== run || s.text !== text)
      this.#search = s = { run, text, hits: [], upto: 0 };
    while (s.upto < run.tape.length) {
      const to = Math.min(run.tape.length, s.upto + PIECE);
      s.hits.push(...hitsof(run.tape, text, s.upto, to));
      s.upto = to;
      if (to < run.tape.length) await new Promise((done) => requestAnimationFrame(done));
      if (this.#search !== s) return null;
    }
    this.#tell(s);
    return s;
  }

  #tell({ hits, text }: Search): void {
    const at = hits.indexOf(this.#player.step);
    const n = hits.length === 1 ? "1 step has" : `${hits.length.toLocaleString("en")} steps have`;
    const which = at < 0 ? "" : ` This is number ${at + 1}.`;
    this.#said(hits.length === 0 ? `No step has "${text}".` : `${n} "${text}".${which}`);
  }

  #seek(back: boolean): void {
    void this.#count().then((s) => {
      if (s === null) return;
      const { step } = this.#player;
      const to = back ? s.hits.findLast((h) => h < step) : s.hits.find((h) => h > step);
      // Behind the last hit comes the first one.
      const around = to ?? (back ? s.hits.at(-1) : s.hits[0]);
      if (around !== undefined) this.#player.to(around);
    });
  }

  #marks(tape: Tape): Mark[] {
    return this.#breaks.map((text) => markof(tape, text)).filter((m) => m !== null);
  }

  #torun(back: boolean): void {
    const { run, step } = this.#player;
    if (run === null) return;
    if (this.#breaks.length === 0) {
      this.#open();
      return this.#said("There is no breakpoint: type where to stop, and press Enter.");
    }
    const to = nextmark(run.tape, this.#marks(run.tape), step, back);
    this.#said(to < 0 ? `No breakpoint is ${back ? "before" : "after"} this step.` : "");
    if (to >= 0) this.#player.to(to);
  }

  #addbreak(): void {
    const text = this.#break.value.trim();
    const { run } = this.#player;
    if (text === "" || run === null) return;
    const mark = markof(run.tape, text);
    if (mark === null)
      return this.#said(
        `"${text}" is no breakpoint: a call (stat), a name (/n/far/a), a message (Tread), a server (far!564), a line (:12), a process (pid 3), a descriptor (fd 3)`,
      );
    if (!this.#breaks.includes(text)) this.#breaks = [...this.#breaks, text];
    this.#break.value = "";
    const n = mark.steps.length;
    this.#said(`${text}: ${n === 1 ? "1 step" : `${n} steps`}; r runs to the next, R back`);
    this.#chips();
    this.#player.focus();
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
