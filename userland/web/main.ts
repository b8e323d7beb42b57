// The page. The kernel runs in a worker (worker.ts) of a frame with an origin of its own (frame.ts); what it
// did comes back as a recording, and everything shown is a reader of it. Tests, and programs that drive the
// page, find things by these ids:
//
//	#tab-program #tab-terminal #tab-lessons   #lesson-back #lesson-next #lessons-list [data-name]
//	#name #example #program (textarea) .cm-content (editor) #args #seed #run #stop #status #problem
//	#go-first #go-back #go-next #go-last   #by-step (-call -message -failure)   #slider
//	#step-input (its number) #step-number ("/ N") #space-names #space-standard #space-both
//	#step-time #step-call #step-process #step-place #step-source #step-names #step-what #step-why #step-mend
//	#step-how #step-cost
//	#step-say (live)  #steps-of  #stale #rerun   #picture-auto (-messages -names -processes)
//	#diagram svg  #tree .node-name  #procs
//	#dock-tab-output (-calls -costs -machines -find -words -files)   #console  #calls tr.current  #ledger
//	#machine-add #machine-map [role=slider] #machine-0-name (-rtt -bw -jitter -loss -version)
//	#machine-lines #machine-problem  #find #find-next #find-back #break #breaks #seek-said  #words  #files
//	#terminal #term-step #term-lines #term-space #term-stop #term-status
//	#share #print #link-problem #keys-open #keys  #word
//
// body[data-run] is "none", "running", "done" or "failed"; body[data-editor] is "plain" or "full".
// body[data-checker] is "ready" once the editor checks types.
// body[data-terminal], once there is one, is "starting", "reads" (it waits for what is typed), "runs" or "down".

import { tokenize } from "../../kernel/abi/quote.ts";
import { helpof } from "../view/step/keys.ts";
import type { Acts } from "../view/step/keys.ts";
import { Console } from "./console.ts";
import { Dock } from "./dock.ts";
import type { Docktab } from "./dock.ts";
import { byid, el, fill } from "./dom.ts";
import { Draft } from "./draft.ts";
import type { Example } from "./example.ts";
import { EXAMPLES, takeexamples } from "./examples.ts";
import { Find } from "./find.ts";
import { Ledgers } from "./ledgers.ts";
import { fillselect, lessonfrom, listlessons, markexample } from "./lessons.ts";
import { Player, doesof } from "./player.ts";
import { listenreading } from "./reading.ts";
import type { Beside, Run } from "./player.ts";
import { Runner } from "./runner.ts";
import { Linkerror, fromlink, tolink } from "./setup.ts";
import type { Linked } from "./setup.ts";
import { startof } from "./start.ts";
import { Views } from "./views.ts";
import { Side } from "./side.ts";
import type { Begin, Edited, Finished, Problem, Report } from "./talk.ts";
import { showwords, takewords } from "./words.ts";

class Page {
  readonly #draft = new Draft(() => this.#changed());
  readonly #console = new Console();
  readonly #ledgers = new Ledgers();
  readonly #views = new Views(this.#ledgers, () => this.#player.redraw());
  readonly #player = new Player({
    show: (run, step, beside) => this.#show(run, step, beside),
    act: (act) => this.#act(act),
  });
  readonly #runner = new Runner((r) => this.#report(r));
  readonly #dock = new Dock((tab) => this.#looked(tab));
  readonly #find = new Find(this.#player, () => this.#dock.show("find"));
  readonly #side: Side;
  /** What the runs that are shown were made from; null when they are none of this program. */
  #ran: string | null = null;
  /** The example that is being run. */
  #chosen = "";
  /** The step that a link leads to. */
  #goal: Linked | null = null;
  #shown: Run | null = null;

  constructor() {
    this.#side = new Side({
      begin: () => this.#begin(),
      open: (f) => this.#open(f),
      edit: (file) => this.#edit(file),
      files: (offered) => this.#dock.offerfiles(offered),
      seen: () => this.#dock.now === "files",
    });
    const select = byid("example", HTMLSelectElement);
    this.#list();
    listenreading();
    select.addEventListener("change", () => {
      const e = EXAMPLES.find((x) => x.name === select.value);
      if (e !== undefined) this.#choose(e);
    });
    this.#clicks();
    document.addEventListener("keydown", (e) => this.#global(e), true);
    window.addEventListener("hashchange", () => void this.follow());
    window.addEventListener("resize", () => this.#player.redraw());
    fill(
      byid("keys-list", HTMLElement),
      ...helpof("page").flatMap(([k, text]) => [el("dt", {}, k.join(" ")), el("dd", {}, text)]),
    );
    this.#state("none");
  }

  #clicks(): void {
    const on = (id: string, does: () => void): void =>
      byid(id, HTMLButtonElement).addEventListener("click", does);
    on("run", () => this.run());
    on("rerun", () => this.run());
    on("stop", () => this.#runner.stop());
    on("share", () => void this.#share());
    on("print", () => window.print());
    on("keys-open", () => byid("keys", HTMLDialogElement).showModal());
    on("word-more", () => {
      byid("word", HTMLElement).hidePopover();
      this.#dock.show("words");
      byid("dock-tab-words", HTMLButtonElement).focus();
    });
    for (const [id, by] of [
      ["lesson-back", -1],
      ["lesson-next", 1],
    ] as const)
      on(id, () => {
        const e = lessonfrom(this.#draft.example, by);
        if (e !== null) this.#choose(e);
      });
    for (const id of ["views", "calls"])
      byid(id, HTMLElement).addEventListener("click", (e) => this.#clicked(e));
  }

  #list(): void {
    fillselect(byid("example", HTMLSelectElement));
    listlessons((e) => this.#choose(e));
  }

  /** Loads the texts of the other examples, the lessons' answers and the glossary. */
  async read(): Promise<void> {
    const texts = await import("./texts.ts");
    takeexamples(texts);
    takewords(texts.glossary);
    this.#list();
    this.#draft.refresh();
    markexample(this.#draft.example);
    this.#player.redraw();
  }

  /** Loads what the address holds, or the first example. */
  async follow(): Promise<void> {
    if (location.hash.length < 2) {
      // Something to step through from the start.
      const [first] = EXAMPLES;
      if (this.#draft.editor.text === "" && first !== undefined) this.#choose(first);
      return;
    }
    // The skip links are addresses within the page, too.
    if (document.getElementById(location.hash.slice(1)) !== null) return;
    try {
      const l = await fromlink(location.hash);
      this.#complain("link-problem", "");
      this.#draft.put(l);
      this.#player.choose(l.space);
      this.#goal = l.step === null ? null : l;
      // A link may come from anywhere, so its program waits until its reader has seen it.
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
      const [first] = EXAMPLES;
      if (this.#draft.editor.text === "" && first !== undefined) this.#draft.put(first);
    }
  }

  /** Loads the editor proper, and then what checks the program. */
  async dress(): Promise<void> {
    await this.#draft.editor.load(() => this.#draft.setup.name);
    document.body.dataset["editor"] =
      document.querySelector(".cm-editor") === null ? "plain" : "full";
  }

  run(): void {
    const { problem } = this.#draft;
    if (problem !== "") return this.#unfit({ text: problem, line: null });
    const { setup } = this.#draft;
    this.#complain("problem", "");
    this.#draft.editor.fault(null);
    this.#side.show("program");
    this.#stepsof(null);
    this.#player.clear();
    this.#console.show([]);
    this.#shown = null;
    this.#ran = JSON.stringify(setup);
    this.#state("running");
    this.#say(`Running ${setup.name}…`);
    const { name, text, hosts, seed } = setup;
    const args = tokenize(setup.args);
    const image = setup.native === true ? { image: "native" as const } : {};
    this.#runner.run({ kind: "run", name, text, args, hosts, seed, ...image });
  }

  /** Takes an example into the editor and runs it. */
  #choose(e: Example): void {
    this.#goal = null;
    this.#draft.put(e);
    this.#chosen = e.name;
    this.run();
  }

  /** The program or its machines are not what they were. */
  #changed(): void {
    markexample(this.#draft.example);
    if (this.#chosen !== this.#draft.example?.name) this.#chosen = "";
    const stale = this.#ran !== null && JSON.stringify(this.#draft.setup) !== this.#ran;
    this.#stale(stale);
    if (stale) this.#draft.editor.step(null);
  }

  #stale(stale: boolean): void {
    document.body.toggleAttribute("data-stale", stale);
    byid("stale", HTMLElement).hidden = !stale;
  }

  /** What a machine of the terminal begins with. */
  #begin(): Omit<Begin, "space" | "kept"> {
    const { name, text, hosts, seed } = this.#draft.setup;
    return { kind: "login", file: { name, text }, hosts, seed };
  }

  /** A file of the terminal's machine comes into the editor. */
  #edit(file: Edited): void {
    this.#draft.put({ ...this.#draft.setup, ...file });
    this.#side.show("program");
    this.#say(`${file.name} comes from the terminal's machine. It has not run.`);
    this.#draft.editor.focus();
  }

  /** Shows a line of the terminal in place of the program's run. */
  #open(f: Finished): void {
    this.#runner.end();
    this.#ran = null;
    this.#goal = null;
    this.#shown = null;
    this.#stale(false);
    this.#complain("problem", "");
    this.#say("");
    this.#player.clear();
    this.#stepsof(f);
    this.#player.add(f);
    this.#player.to(0);
    this.#state("done");
    const part = byid("part-steps", HTMLElement);
    if (part.getBoundingClientRect().top > innerHeight / 2) part.scrollIntoView();
    // The slider can have the focus when the steps have been drawn.
    requestAnimationFrame(() => this.#player.focus());
  }

  /** Says whose steps are shown: a line's, which ran in one kernel, or the program's, which ran in both. */
  #stepsof(f: Finished | null): void {
    const e = byid("steps-of", HTMLElement);
    e.hidden = f === null;
    e.textContent = f === null ? "" : `The line: ${f.recording.about.program}`;
    this.#player.only(f === null ? null : f.space);
  }

  #report(r: Report): void {
    switch (r.kind) {
      case "said":
        if (r.space === this.#player.space) this.#console.add(r.said);
        return;
      case "finished":
        this.#player.add(r);
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
    if (f.space !== this.#player.space) return;
    const [goal, run] = [this.#goal, this.#player.run];
    this.#goal = null;
    const n = run?.tape.length ?? 0;
    const start =
      run === null
        ? 0
        : startof(
            run,
            this.#draft.example?.name === this.#chosen ? this.#draft.example : undefined,
          );
    this.#player.to(goal?.step ?? start);
    if (goal !== null && goal.step !== null && goal.step >= n)
      this.#complain(
        "link-problem",
        `The link leads to step ${goal.step + 1}, but this run has ${n}.`,
      );
    if (f.problem !== null) return this.#unfit(f.problem);
    const how = f.status === "" ? "it ended well" : `it ended with "${f.status}"`;
    this.#say(`Ran ${f.recording.about.program} in both kernels: ${how}.`);
  }

  #over(): void {
    const ran = this.#player.run !== null;
    this.#state(ran ? "done" : "failed");
  }

  #unfit(p: Problem): void {
    this.#complain("problem", p.text);
    this.#draft.editor.fault(p.line);
    this.#say("");
    if (!this.#runner.running) this.#state("failed");
  }

  #show(run: Run, step: number, beside: Beside | null): void {
    if (this.#shown !== run) {
      this.#shown = run;
      this.#console.show(run.finished.recording.said);
    }
    this.#ledgers.take(this.#player.runs);
    const line = this.#views.show(run, step, beside);
    this.#console.at(run.tape.event(step));
    this.#find.at();
    this.#look(this.#dock.now);
    const stale = document.body.hasAttribute("data-stale") || this.#ran === null;
    if (!stale) this.#draft.editor.step(line);
    document.body.toggleAttribute("data-nosource", stale);
  }

  #looked(tab: Docktab): void {
    if (tab === "machines") void this.#draft.machines.draw();
    if (tab === "files") this.#side.readfiles();
    this.#look(tab);
    // The picture has another height now.
    this.#player.redraw();
  }

  /** Draws what the panel below shows of this step. */
  #look(tab: Docktab): void {
    const { run, step } = this.#player;
    if (run === null) return;
    if (tab === "calls") this.#ledgers.list(run, step);
    if (tab === "costs") this.#ledgers.show(run, step);
    if (tab === "words") showwords(this.#views.texts);
  }

  #state(s: "none" | "running" | "done" | "failed"): void {
    document.body.dataset["run"] = s;
    byid("stop", HTMLButtonElement).disabled = s !== "running";
    if (s === "running") this.#stale(false);
  }

  #say(text: string): void {
    byid("status", HTMLElement).textContent = text;
  }

  #complain(id: string, text: string): void {
    const e = byid(id, HTMLElement);
    e.textContent = text;
    e.hidden = text === "";
  }

  /** A message or a call in a picture, or a row of the calls, leads to its step. */
  #clicked(e: MouseEvent): void {
    if (!(e.target instanceof Element)) return;
    const at = e.target.closest("[data-event]")?.getAttribute("data-event") ?? null;
    if (e.target.closest(".beside") !== null) return;
    const event = at === null ? this.#ledgers.clicked(e.target, this.#player.space) : Number(at);
    const tape = this.#player.run?.tape;
    if (tape !== undefined && event >= 0) this.#player.to(tape.stepof(event));
  }

  #act(act: Acts["page"]): boolean {
    if (act === "words") this.#dock.show("words");
    else if (!this.#views.act(act)) return this.#find.act(act);
    return true;
  }

  #global(e: KeyboardEvent): void {
    const does = doesof(e);
    if (does === "program") {
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
    if (does === "help" && !editing) byid("keys", HTMLDialogElement).showModal();
  }

  async #share(): Promise<void> {
    const ran =
      this.#ran !== null && this.#player.run !== null && !document.body.hasAttribute("data-stale");
    const step = ran ? this.#player.step : null;
    try {
      const hash = await tolink({ ...this.#draft.setup, space: this.#player.space, step });
      history.replaceState(null, "", `#${hash}`);
    } catch (e) {
      if (!(e instanceof Linkerror)) throw e;
      this.#complain("link-problem", `${e.message}.`);
      return;
    }
    try {
      await navigator.clipboard.writeText(location.href);
      this.#say("The link is copied: it holds program, machines and step.");
    } catch {
      this.#say("The link is in the address bar: it holds program, machines and step.");
    }
  }
}

const page = new Page();
void page.follow();
void page.read();
void page.dress();
