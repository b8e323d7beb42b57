// The page's side of a run: the worker that it happens in, from the order to the reports, and its end when
// the program does not hear.

// vite gives this address; the file itself has no such export.
// oxlint-disable-next-line import/default
import workerurl from "./worker.ts?worker&url";
import type { Rcall, Revent } from "../view/record/recording.ts";
import type { Order, Problem, Report, Wired } from "./talk.ts";

/** How long a program is given to hear that it should stop (ms). */
const PATIENCE = 1000;

/** What a page hears of a run. */
export type Listener = (r: Report) => void;

/** Runs one program at a time. */
export class Runner {
  readonly #listener: Listener;
  #worker: Worker | null = null;
  #patience: number | undefined;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  get running(): boolean {
    return this.#worker !== null;
  }

  /** Begins a run; one that is under way is ended. */
  run(order: Order): void {
    this.#end();
    const worker = newworker();
    this.#worker = worker;
    const lists = new Lists();
    worker.addEventListener("message", (e: MessageEvent<Wired>) => {
      const r = lists.take(e.data);
      if (this.#worker !== worker || r === null) return;
      if (r.kind === "over") this.#end();
      if (r.kind === "unfit" && r.code !== null && r.problem.line === null)
        void this.#place(r.problem, r.code);
      else this.#listener(r);
    });
    worker.addEventListener("error", (e) => {
      if (this.#worker === worker) this.#fail(`the kernel could not be loaded: ${e.message}`);
    });
    worker.postMessage(order);
  }

  /** Asks the program to end; one that does not hear is ended with its kernel. */
  stop(): void {
    this.#worker?.postMessage({ kind: "stop" });
    this.#patience ??= window.setTimeout(
      () =>
        this.#fail(
          "stopped. The program spins without a system call, so its kernel ended with it, and its steps are lost",
        ),
      PATIENCE,
    );
  }

  #end(): void {
    window.clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#worker?.terminate();
    this.#worker = null;
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
class Lists {
  #events: Revent[] = [];
  #calls: Rcall[] = [];

  /** The report that is whole with this; null for a piece. */
  take(w: Wired): Report | null {
    if (w.kind === "events") this.#events.push(...w.list);
    else if (w.kind === "calls") this.#calls.push(...w.list);
    else if (w.kind !== "finished") return w;
    else {
      const recording = { ...w.recording, events: this.#events, calls: this.#calls };
      [this.#events, this.#calls] = [[], []];
      return { ...w, recording };
    }
    return null;
  }
}

/** A worker made of a blob keeps the page's rule that nothing is requested from anywhere. */
function newworker(): Worker {
  const module = `import ${JSON.stringify(new URL(workerurl, location.href).href)};`;
  const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
  return worker;
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
