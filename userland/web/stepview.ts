// What a step shows: the call and its line, the name with its decision in a sentence, the reason, what it cost,
// and one picture. All of it comes from userland/view as data; here it becomes elements. There are two of them
// when both kernels are shown; only the first one's elements have ids.

import { PICTURES, frameof, pictureof } from "../view/step/frame.ts";
import type { Frame, Picturekind } from "../view/step/frame.ts";
import type { Look } from "../view/step/names.ts";
import { plural, timefmt } from "../view/words/text.ts";
import { byid, el, fill } from "./dom.ts";
import { Messages } from "./messages.ts";
import { Names } from "./names.ts";
import { Processes } from "./processes.ts";
import type { Run } from "./player.ts";
import { termed } from "./words.ts";

/** What the user has chosen to see: a picture, or the one that the step needs. */
export type Choice = Picturekind | "auto";

/** A picture of a step. */
export type Picture = {
  readonly element: HTMLElement;
  readonly show: (run: Run, frame: Frame) => void;
};

/** What the same call and step cost in the other kernel: "4 round trips · 152 ms", "" where it has none. */
export type Othercost = (run: Run, step: number) => string;

/** What a view asks and tells. */
export type Around = { readonly othercost: Othercost; readonly redraw: () => void };

/** One step of one run. */
export class Stepview {
  readonly element: HTMLElement;
  readonly #primary: boolean;
  readonly #othercost: Othercost;
  readonly #parts: Parts;
  readonly #pictures: Readonly<Record<Picturekind, Picture>>;

  /** `redraw` hears that a picture has another room. */
  constructor(primary: boolean, { othercost, redraw }: Around) {
    this.#primary = primary;
    this.#othercost = othercost;
    this.#parts = partsof(primary);
    const p = this.#parts;
    this.#pictures = {
      messages: new Messages(primary, redraw),
      names: new Names(primary),
      processes: new Processes(primary, redraw),
    };
    const pictures = PICTURES.map((kind) => this.#pictures[kind].element);
    this.element = el(
      "article",
      { class: "view", "aria-label": primary ? "This step" : "The other kernel" },
      el(
        "div",
        { class: "say", tabindex: 0, "aria-label": "What happened, and why" },
        p.space,
        p.cost,
        el("p", { class: "call" }, p.call, " ", p.process, p.place),
        p.source,
        p.names,
        p.what,
        p.why,
        p.mend,
        p.how,
      ),
      el("div", { class: "picture" }, ...pictures),
    );
  }

  /** Shows a step; gives the picture that is shown and the line of the program that the step is about. */
  show(run: Run, step: number, choice: Choice): { picture: Picturekind; line: number | null } {
    const f = frameof(run.tape, step);
    const p = this.#parts;
    const { recording } = run.finished;
    p.space.textContent = `${run.finished.space} `;
    const number = `Step ${step + 1} of ${f.steps}`;
    p.call.textContent = f.call?.text ?? whose(f);
    p.call.classList.toggle("failed", (f.call?.error ?? null) !== null);
    p.process.textContent = processof(run, f);
    p.place.textContent = placeof(run, f);
    p.source.textContent = (f.call?.source.find((l) => l.here)?.text ?? "").trim();
    termed(p.what, f.what);
    termed(p.why, f.why);
    termed(p.mend, f.mend);
    termed(p.mechanism, f.how);
    p.how.hidden = f.how === "";
    fill(p.names, ...f.names.map(nameline));
    this.#cost(run, f, step);
    const picture = choice === "auto" ? pictureof(recording, f.event) : choice;
    for (const kind of PICTURES) this.#pictures[kind].element.hidden = kind !== picture;
    this.#pictures[picture].show(run, f);
    if (this.#primary) {
      byid("step-time", HTMLElement).textContent = timefmt(f.time);
      const mend = f.mend === "" ? "" : ` ${f.mend}`;
      byid("step-say", HTMLElement).textContent = `${number}. ${f.what}${mend}`;
      const slider = byid("slider", HTMLInputElement);
      slider.setAttribute("aria-valuetext", `${number}: ${f.what}`);
    }
    return { picture, line: lineof(run, f) };
  }

  #cost(run: Run, f: Frame, step: number): void {
    const { cost } = this.#parts;
    if (f.callspent === null) return fill(cost);
    const { trips, time } = f.callspent;
    const spent = trips === 0 ? "no round trip" : plural(trips, "round trip");
    const other = this.#othercost(run, step);
    fill(
      cost,
      el("b", {}, spent),
      time === 0 ? "" : ` · ${timefmt(time)}`,
      other === "" ? null : el("span", {}, other),
    );
  }
}

type Parts = Readonly<
  Record<
    | "space"
    | "cost"
    | "call"
    | "process"
    | "place"
    | "source"
    | "names"
    | "what"
    | "why"
    | "mend"
    | "how"
    | "mechanism",
    HTMLElement
  >
>;

function partsof(primary: boolean): Parts {
  const mechanism = el("p", { id: primary ? "step-how" : null });
  const id = (name: string): { id: string | null } => ({ id: primary ? `step-${name}` : null });
  return {
    space: el("span", { ...id("space"), class: "space" }),
    cost: el("p", { ...id("cost"), class: "cost" }),
    call: el("code", id("call")),
    process: el("span", { ...id("process"), class: "hint" }),
    place: el("span", { ...id("place"), class: "hint place" }),
    source: el("code", { ...id("source"), class: "source" }),
    names: el("div", { ...id("names"), class: "names" }),
    what: el("h2", { ...id("what"), class: "what" }),
    why: el("p", { ...id("why"), class: "why" }),
    mend: el("p", { ...id("mend"), class: "mend" }),
    how: el("details", { class: "how" }, el("summary", {}, "How does that work?"), mechanism),
    mechanism,
  };
}

/** Which of several processes a call is of, and what its descriptor is open on. */
function processof(run: Run, f: Frame): string {
  const { procs, calls } = run.finished.recording;
  const call = calls[f.call?.id ?? -1];
  if (procs.length < 2 || call === undefined) return "";
  // A process that becomes another program has the name that it has at this step.
  const now = f.procs.list.find((p) => p.pid === f.pid)?.text ?? f.process;
  const name =
    severalprograms(run) && now !== "" ? `process ${f.pid} (${now})` : `process ${f.pid}`;
  const [fd] = call.args;
  return call.file === null ? `${name} ` : `${name}, descriptor ${String(fd)} is ${call.file} `;
}

const several = new WeakMap<Run, boolean>();

/** Whether processes of several programs make calls: the only one needs no name. */
function severalprograms(run: Run): boolean {
  let known = several.get(run);
  if (known === undefined) {
    const { procs, calls } = run.finished.recording;
    const callers = new Set(calls.map((c) => c.pid));
    known = new Set(procs.filter((p) => callers.has(p.pid)).map((p) => p.text)).size > 1;
    several.set(run, known);
  }
  return known;
}

/** Calls that are looked through for the line of one that has none. */
const BEFORE = 50;

/**
 * The line of a step's call. A call that a library function made after another one has none where QuickJS runs the
 * program: it comes after the last line that its process was at.
 */
function lineof(run: Run, f: Frame): number | null {
  const { calls } = run.finished.recording;
  const call = calls[f.call?.id ?? -1];
  if (call === undefined) return null;
  for (let i = call.id; i >= Math.max(0, call.id - BEFORE); i--) {
    const c = calls[i];
    if (c?.pid === call.pid && c.line !== null) return c.line.line;
  }
  return null;
}

/** The line of the program: "line 20", and its file where there are several. */
function placeof(run: Run, f: Frame): string {
  const place = f.call?.place ?? null;
  if (place === null) {
    const line = lineof(run, f);
    return line === null ? "" : `after line ${line}`;
  }
  const { sources } = run.finished.recording;
  return sources.length > 1 ? place : place.replace(/^.*:/, "line ");
}

/** What happens because of no call happens to a process, or in the kernel itself. */
function whose(f: Frame): string {
  return f.process === "" ? "the kernel itself" : `process ${f.pid}: ${f.process}`;
}

/** A name with its elements, the one in question marked, and the members of the union that it is at. */
function nameline(look: Look): HTMLElement {
  const elems = look.elems.map((e, i) =>
    el(
      "span",
      {
        class: `elem ${e.state}${i === look.cursor ? " cursor" : ""}`,
        title: e.by === "" ? e.state : `${e.state}: ${e.by}`,
        "aria-hidden": "true",
      },
      e.text,
    ),
  );
  const at = look.elems[look.cursor];
  const said =
    at === undefined
      ? ""
      : `, of which ${at.text} is ${at.state}${at.by === "" ? "" : ` (${at.by})`}`;
  const root = el(
    "span",
    { class: "elem done root", "aria-hidden": "true" },
    look.root === "/" ? "/" : `${look.root}`,
  );
  return el(
    "p",
    { class: "name" },
    el("span", { class: "sr" }, `name ${look.name}${said} `),
    root,
    ...elems,
    ...tried(look),
  );
}

const MARKS = { asked: "?", missed: "✗", found: "✓", refused: "!" } as const;

function tried(look: Look): (HTMLElement | string)[] {
  if (look.members < 2 || look.tried.length === 0) return [];
  const chips = look.tried.map((m) =>
    el(
      "span",
      { class: `member ${m.outcome}`, title: m.error === "" ? m.outcome : m.error },
      `${m.index + 1} `,
      el("span", { role: "img", "aria-label": m.outcome }, MARKS[m.outcome]),
    ),
  );
  return [el("span", { class: "hint" }, ` union of ${look.members}: `), ...chips];
}
