// The page. The kernel runs in a worker (worker.ts) of a frame with an origin of its own (frame.ts); what it
// did comes back as a recording, and everything shown is a reader of it. Tests and whoever drives the page find things by these ids:
//
//	#example #program (textarea) .cm-content (editor) #args #seed #run #stop #status #problem
//	#machine-add #machine-map [role=slider] #machine-0-name (-rtt -bw -jitter -loss -version)
//	#machine-lines #machine-problem   #console
//	#space-names #space-standard   #slider
//	#go-first #go-back-call #go-back-message #go-back #go-next #go-next-message #go-next-call #go-last
//	#go-back-failure #go-next-failure
//	#step-input (its number) #step-number ("of N") #find #break #breaks #seek-said
//	#step-time #step-call #step-place #step-source #step-names #step-what #step-why #step-say (live)
//	#tab-program #tab-terminal #terminal #term-step #term-lines #term-stop #term-status #step-process #steps-of
//	#tree .node-name  #ledger  #diagram svg  #calls tr.current   #share #link-problem #keys-open #keys
//
// body[data-run] is "none", "running", "done" or "failed"; body[data-editor] is "plain" or "full".
// body[data-terminal], once there is one, is "starting", "reads" (it waits for what is typed), "runs" or "down".

import { Console } from "./console.ts";
import { byid, el, fill } from "./dom.ts";
import { Editor } from "./editor.ts";
import { exampleof } from "./example.ts";
import { EXAMPLES } from "./examples.ts";
import { Ledgers } from "./ledgers.ts";
import { Machines } from "./machines.ts";
import { showstep } from "./panels.ts";
import { Runner } from "./runner.ts";
import { Linkerror, fromlink, tolink } from "./setup.ts";
import type { Linked, Setup } from "./setup.ts";
import { KEYS, Steps } from "./steps.ts";
import type { Run } from "./steps.ts";
import { tokenize } from "../../kernel/abi/quote.ts";
import { Tabs } from "./tabs.ts";
import type { Begin, Finished, Problem, Report } from "./talk.ts";

class Page {
  readonly #editor = new Editor(() => this.#changed());
  readonly #machines = new Machines(() => this.#changed());
  readonly #console = new Console();
  readonly #ledgers = new Ledgers();
  readonly #steps = new Steps((run, step) => this.#show(run, step));
  readonly #runner = new Runner((r) => this.#report(r));
  readonly #tabs: Tabs;
  #name = "program.ts";
  /** What the runs that are shown were made from; null when it has changed since. */
  #ran: string | null = null;
  /** The step that a link leads to. */
  #goal: Linked | null = null;
  #shown: Run | null = null;

  constructor() {
    this.#tabs = new Tabs({ begin: () => this.#begin(), open: (f) => this.#open(f) });
    const select = byid("example", HTMLSelectElement);
    fill(select, el("option", { value: "" }, "(your own)"), ...groups());
    select.addEventListener("change", () => this.#example(select.value));
    byid("run", HTMLButtonElement).addEventListener("click", () => this.run());
    byid("stop", HTMLButtonElement).addEventListener("click", () => this.#runner.stop());
    byid("share", HTMLButtonElement).addEventListener("click", () => void this.#share());
    for (const id of ["args", "seed"])
      byid(id, HTMLInputElement).addEventListener("input", () => this.#changed());
    document.addEventListener("keydown", (e) => this.#key(e), true);
    byid("diagram", HTMLElement).addEventListener("click", (e) => this.#clicked(e));
    byid("calls", HTMLElement).addEventListener("click", (e) => this.#clicked(e));
    byid("step-input", HTMLInputElement).addEventListener("change", (e) => this.#typed(e));
    window.addEventListener("hashchange", () => void this.follow());
    window.addEventListener("resize", () => this.#steps.to(this.#steps.step));
    const keys = byid("keys", HTMLDialogElement);
    byid("keys-open", HTMLButtonElement).addEventListener("click", () => keys.showModal());
    fill(
      byid("keys-list", HTMLElement),
      ...KEYS.flatMap(([k, text]) => [el("dt", {}, k), el("dd", {}, text)]),
    );
    this.#state("none");
  }

  /** Loads what the address holds, or the first example. */
  async follow(): Promise<void> {
    if (location.hash.length < 2) {
      // Something to step through from the start.
      if (this.#editor.text === "") {
        this.#example(EXAMPLES[0]?.name ?? "");
        this.run();
      }
      return;
    }
    // The skip links are addresses within the page, too.
    if (document.getElementById(location.hash.slice(1)) !== null) return;
    try {
      const l = await fromlink(location.hash);
      this.#complain("link-problem", "");
      this.#put(l);
      this.#steps.choose(l.space);
      this.#goal = l.step === null ? null : l;
      // A link may come from anywhere, so its program waits until somebody has seen it.
      if (this.#runner.running) this.#state("none");
      this.#runner.end();
      this.#say(
        l.step === null
          ? "The link holds this program. It has not run."
          : `The link holds this program, and leads to step ${l.step + 1}. It has not run: Run begins it.`,
      );
    } catch (e) {
      if (!(e instanceof Linkerror)) throw e;
      this.#complain("link-problem", `${e.message}.`);
      if (this.#editor.text === "") this.#example(EXAMPLES[0]?.name ?? "");
    }
  }

  /** Loads the editor proper. */
  async dress(): Promise<void> {
    await this.#editor.load();
    document.body.dataset["editor"] =
      document.querySelector(".cm-editor") === null ? "plain" : "full";
  }

  run(): void {
    const { problem } = this.#machines;
    if (problem !== "") return this.#unfit({ text: `machines: ${problem}`, line: null });
    const typed = byid("seed", HTMLInputElement).value;
    if (!isseed(typed))
      return this.#unfit({ text: `seed: '${typed}' is no whole number from 0 on`, line: null });
    const setup = this.#setup();
    this.#complain("problem", "");
    this.#editor.fault(null);
    this.#tabs.show("program");
    stepsof(null);
    this.#steps.clear();
    this.#console.show([]);
    this.#shown = null;
    this.#ran = JSON.stringify(setup);
    this.#state("running");
    this.#say("Running…");
    const { name, text, hosts, seed } = setup;
    this.#runner.run({ kind: "run", name, text, args: tokenize(setup.args), hosts, seed });
  }

  #setup(): Setup {
    const seed = byid("seed", HTMLInputElement).value;
    return {
      name: this.#name,
      text: this.#editor.text,
      args: byid("args", HTMLInputElement).value,
      hosts: this.#machines.hosts,
      seed: isseed(seed) ? Number(seed) : 0,
    };
  }

  #put(s: Setup): void {
    this.#name = s.name;
    this.#editor.text = s.text;
    byid("args", HTMLInputElement).value = s.args;
    byid("seed", HTMLInputElement).value = String(s.seed);
    this.#machines.hosts = s.hosts;
    this.#changed();
  }

  #example(name: string): void {
    const example = EXAMPLES.find((e) => e.name === name);
    if (example === undefined) return;
    this.#put(example);
    this.#say("");
  }

  /** The program or its machines are not what they were. */
  #changed(): void {
    const { name, text } = this.#setup();
    const example = EXAMPLES.find((e) => e.name === name && e.text === text);
    byid("example", HTMLSelectElement).value = example?.name ?? "";
    const lesson = exampleof(name, text);
    byid("lesson", HTMLElement).hidden = lesson.question === "";
    for (const part of ["title", "question", "look"] as const)
      byid(`lesson-${part}`, HTMLElement).textContent = lesson[part];
    this.#editor.fault(null);
    if (this.#ran === null) return;
    const same = JSON.stringify(this.#setup()) === this.#ran;
    document.body.toggleAttribute("data-stale", !same);
    if (!same) this.#editor.step(null);
  }

  /** What a machine of the terminal begins with. */
  #begin(): Begin {
    const { name, text, hosts, seed } = this.#setup();
    return { kind: "login", file: { name, text }, hosts, seed };
  }

  /** Shows a line of the terminal in place of the program's run. */
  #open(f: Finished): void {
    this.#runner.end();
    this.#ran = null;
    this.#goal = null;
    this.#shown = null;
    document.body.removeAttribute("data-stale");
    this.#complain("problem", "");
    this.#say("");
    stepsof(f.recording.about.program);
    this.#steps.clear();
    this.#steps.choose("names");
    this.#steps.add(f);
    this.#steps.to(0);
    this.#state("done");
    const part = byid("part-steps", HTMLElement);
    if (part.getBoundingClientRect().top > innerHeight / 2) part.scrollIntoView();
    // The slider can have the focus when the steps have been drawn.
    requestAnimationFrame(() => byid("slider", HTMLInputElement).focus({ preventScroll: true }));
  }

  #report(r: Report): void {
    switch (r.kind) {
      case "said":
        if (r.space === this.#steps.space) this.#console.add(r.said);
        return;
      case "finished":
        this.#steps.add(r);
        this.#ended(r);
        return;
      case "unfit":
        this.#unfit(r.problem);
        return;
      case "over":
        this.#over();
    }
  }

  #ended(f: Finished): void {
    if (f.space !== this.#steps.space) return;
    const goal = this.#goal;
    this.#goal = null;
    this.#steps.to(goal?.step ?? 0);
    const run = this.#steps.run;
    const n = run?.tape.length ?? 0;
    if (goal !== null && goal.step !== null && goal.step >= n)
      this.#complain(
        "link-problem",
        `The link leads to step ${goal.step + 1}, but this run has ${n}.`,
      );
    if (f.problem !== null) this.#unfit(f.problem);
    else if (f.status === "") this.#say(`The program ended well. Its run has ${n} steps.`);
    else this.#say(`The program ended with "${f.status}". Its run has ${n} steps.`);
  }

  #over(): void {
    const ran = this.#steps.run !== null;
    this.#state(ran ? "done" : "failed");
  }

  #unfit(p: Problem): void {
    this.#complain("problem", p.text);
    this.#editor.fault(p.line);
    this.#say("");
    if (!this.#runner.running) this.#state("failed");
  }

  #show(run: Run, step: number): void {
    if (this.#shown !== run) {
      this.#shown = run;
      this.#console.show(run.finished.recording.said);
    }
    const line = showstep(run, step);
    this.#ledgers.show(this.#steps.runs, run, step);
    this.#console.at(run.tape.event(step));
    if (!document.body.hasAttribute("data-stale")) this.#editor.step(line);
  }

  #state(s: "none" | "running" | "done" | "failed"): void {
    document.body.dataset["run"] = s;
    byid("stop", HTMLButtonElement).disabled = s !== "running";
    if (s === "running") document.body.removeAttribute("data-stale");
  }

  #say(text: string): void {
    byid("status", HTMLElement).textContent = text;
  }

  #complain(id: string, text: string): void {
    const e = byid(id, HTMLElement);
    e.textContent = text;
    e.hidden = text === "";
  }

  /** A message or a call in the diagram leads to its step. */
  #clicked(e: MouseEvent): void {
    if (!(e.target instanceof Element)) return;
    const at = e.target.closest("[data-event]")?.getAttribute("data-event") ?? null;
    const event = at === null ? this.#ledgers.clicked(e.target, this.#steps.space) : Number(at);
    const tape = this.#steps.run?.tape;
    if (tape !== undefined && event >= 0) this.#steps.to(tape.stepof(event));
  }

  /** The number of a step was typed. */
  #typed(e: Event): void {
    const step = Number(e.target instanceof HTMLInputElement ? e.target.value : Number.NaN);
    // What is no number of a step gives way to this one's.
    this.#steps.to(Number.isInteger(step) ? step - 1 : this.#steps.step);
    byid("slider", HTMLInputElement).focus();
  }

  #key(e: KeyboardEvent): void {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      e.stopPropagation();
      this.run();
      return;
    }
    const editing =
      e.target instanceof Element &&
      e.target.closest(
        'input:not([type="range"], [type="radio"]), textarea, .cm-editor, dialog',
      ) !== null;
    if (e.key === "?" && !editing) byid("keys", HTMLDialogElement).showModal();
  }

  async #share(): Promise<void> {
    const ran =
      this.#ran !== null && this.#steps.run !== null && !document.body.hasAttribute("data-stale");
    const step = ran ? this.#steps.step : null;
    const hash = await tolink({ ...this.#setup(), space: this.#steps.space, step });
    history.replaceState(null, "", `#${hash}`);
    try {
      await navigator.clipboard.writeText(location.href);
      this.#say("The link is copied: it holds program, machines and step.");
    } catch {
      this.#say("The link is in the address bar: it holds program, machines and step.");
    }
  }
}

/** Says whose steps are shown: a line's, which ran in one kernel, or the program's, which ran in both. */
function stepsof(line: string | null): void {
  byid("steps-of", HTMLElement).hidden = line === null;
  byid("steps-of", HTMLElement).textContent = line === null ? "" : `The line: ${line}`;
  byid("steps-about", HTMLElement).hidden = line !== null;
  byid("space-standard", HTMLInputElement).disabled = line !== null;
}

const isseed = (text: string): boolean =>
  /^\s*\d*\s*$/.test(text) && Number.isSafeInteger(Number(text));

function groups(): HTMLElement[] {
  const group = (label: string, lesson: boolean): HTMLElement[] => {
    const list = EXAMPLES.filter((e) => e.lesson === lesson);
    const options = list.map((e) =>
      el("option", { value: e.name }, lesson ? e.title : e.name.replace(/\.ts$/, "")),
    );
    return list.length === 0 ? [] : [el("optgroup", { label }, ...options)];
  };
  return [...group("Lessons", true), ...group("Examples", false)];
}

const page = new Page();
void page.follow();
void page.dress();
