// The page's side of a run: the frame that it happens in, from the order to the reports, and its end when
// the program does not hear.

import { loadkernel } from "./engine.ts";
import type { Kernel } from "./engine.ts";
import { Frame } from "./frame.ts";
import type { Rcall, Revent } from "../view/record/recording.ts";
import type { Order, Problem, Report, Wired } from "./talk.ts";

/** How long a program is given to hear that it should stop (ms). */
const PATIENCE = 1000;

/** What a page hears of a run. */
export type Listener = (r: Report) => void;

/** Runs one program at a time. */
export class Runner {
  readonly #listener: Listener;
  #frame: Frame | null = null;
  /** Counts the runs: the script of a run that was ended may still be loading. */
  #run = 0;
  #running = false;
  #patience: number | undefined;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Begins a run; one that is under way is ended. */
  run(order: Order): void {
    this.#end();
    this.#running = true;
    void this.#begin(order, ++this.#run);
  }

  async #begin(order: Order, run: number): Promise<void> {
    let kernel: Kernel;
    try {
      kernel = await loadkernel();
    } catch (e) {
      if (run === this.#run) this.#fail(`the kernel could not be loaded: ${String(e)}`);
      return;
    }
    if (run !== this.#run) return;
    const frame = new Frame(kernel.modules, (why) =>
      this.#fail(`the kernel could not be loaded: ${why}`),
    );
    this.#frame = frame;
    const lists = new Lists();
    frame.port.addEventListener("message", (e: MessageEvent<Wired>) => {
      const r = lists.take(e.data);
      if (this.#frame !== frame || r === null) return;
      if (r.kind === "over") this.#end();
      if (r.kind === "unfit" && r.code !== null && r.problem.line === null)
        void this.#place(r.problem, r.code);
      else this.#listener(r);
    });
    frame.port.start();
    frame.port.postMessage(kernel.engine);
    frame.port.postMessage(order);
  }

  /** Asks the program to end; one that does not hear is ended with its kernel. */
  stop(): void {
    this.#frame?.port.postMessage({ kind: "stop" });
    this.#patience ??= window.setTimeout(
      () =>
        this.#fail(
          "stopped. The program spins without a system call, so its kernel ended with it, and its steps are lost",
        ),
      PATIENCE,
    );
  }

  /** Ends a run that is under way; nothing more is heard of it. */
  end(): void {
    this.#end();
  }

  #end(): void {
    window.clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#frame?.end();
    this.#frame = null;
    this.#running = false;
    this.#run++;
  }

  #fail(text: string): void {
    this.#end();
    this.#listener({ kind: "unfit", problem: { text, line: null }, code: null });
    this.#listener({ kind: "over" });
  }

  /** A module that the browser refuses says where only as a script of the page, which then never runs. */
  async #place(problem: Problem, code: string): Promise<void> {
    const line = await refusedat(code);
    const text = line === null ? problem.text : problem.text.replace(/^[^:]*/, `$&:${line}`);
    this.#listener({ kind: "unfit", problem: { text, line }, code: null });
  }
}

/** Puts the pieces of recordings together. */
export class Lists {
  #events: Revent[] = [];
  #calls: Rcall[] = [];

  /** The report that is whole with this; null for a piece. */
  take(w: Wired): Report | null {
    if (w.kind === "events") for (const e of w.list) this.#events.push(e);
    else if (w.kind === "calls") for (const c of w.list) this.#calls.push(c);
    else if (w.kind !== "finished") return w;
    else {
      const recording = { ...w.recording, events: this.#events, calls: this.#calls };
      [this.#events, this.#calls] = [[], []];
      return { ...w, recording };
    }
    return null;
  }
}

/** The line that the browser finds fault with; null when it does not say. */
function refusedat(code: string): Promise<number | null> {
  // The import that fails keeps a module without fault from being run.
  const empty = URL.createObjectURL(new Blob([""], { type: "text/javascript" }));
  const text = code.replaceAll(/(["'])blob:[^"']*\1/g, `"${empty}"`);
  const url = URL.createObjectURL(
    new Blob([`${text}\nimport { nothing } from "${empty}";`], { type: "text/javascript" }),
  );
  return new Promise((resolve) => {
    const script = document.createElement("script");
    const done = (line: number | null): void => {
      window.removeEventListener("error", heard, true);
      script.remove();
      URL.revokeObjectURL(url);
      URL.revokeObjectURL(empty);
      resolve(line);
    };
    const heard = (e: Event): void => {
      if (!(e instanceof ErrorEvent)) return;
      e.preventDefault();
      done(e.filename === url && e.lineno <= code.split("\n").length ? e.lineno : null);
    };
    window.addEventListener("error", heard, true);
    script.type = "module";
    script.src = url;
    script.addEventListener("load", () => done(null));
    script.addEventListener("error", () => done(null));
    document.head.append(script);
  });
}
