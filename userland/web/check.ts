// The editor's side of the checker of types: problems are underlined, a word under the pointer is explained, and
// what was begun can be completed. The checker (checker.ts) is a worker that begins when the page is idle.

import { autocompletion, completionKeymap, pickedCompletion } from "@codemirror/autocomplete";
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import type { Extension } from "@codemirror/state";
import { EditorView, hoverTooltip, keymap } from "@codemirror/view";
import type { Tooltip } from "@codemirror/view";
import { el } from "./dom.ts";
import type { Asked, Entry, Known, Question, Reply, Said } from "./checktalk.ts";
import { marked } from "./words.ts";

/** How long the program is left alone before it is checked (ms), and the page before the checker is loaded. */
const PAUSE = 300;
const IDLE = 1500;

/** What TypeScript calls a thing, and what CodeMirror has a sign for. */
const KINDS: Readonly<Record<string, string>> = {
  const: "constant",
  let: "variable",
  var: "variable",
  "local var": "variable",
  parameter: "variable",
  function: "function",
  "local function": "function",
  method: "method",
  property: "property",
  getter: "property",
  interface: "interface",
  type: "type",
  alias: "constant",
  class: "class",
  keyword: "keyword",
};

/** Asks the checker, and shows its answers in the editor. */
export class Checker {
  readonly extension: Extension;
  readonly #name: () => string;
  readonly #waiting = new Map<number, (r: Reply | null) => void>();
  #worker: Worker | null = null;
  #view: EditorView | null = null;
  #asked = 0;
  #timer: number | undefined;

  constructor(name: () => string) {
    this.#name = name;
    this.extension = [
      lintGutter(),
      hoverTooltip((view, at) => this.#hover(view, at), { hoverTime: 250 }),
      autocompletion({ override: [(c) => this.#complete(c)], icons: false }),
      keymap.of([...completionKeymap, ...lintKeymap]),
      EditorView.updateListener.of((u) => {
        if (u.docChanged) this.#later(u.view);
      }),
    ];
  }

  /** Loads the checker when nothing else is to be done. */
  attach(view: EditorView): void {
    this.#view = view;
    const begin = (): void => {
      this.#begin(view);
    };
    const idle = (): void => {
      if (typeof requestIdleCallback === "function")
        requestIdleCallback(begin, { timeout: 10_000 });
      else begin();
    };
    window.setTimeout(idle, IDLE);
  }

  #begin(view: EditorView): void {
    const worker = new Worker(new URL("./checker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Said>) => {
      if (data.ready) {
        this.#worker = worker;
        document.body.dataset["checker"] = "ready";
        this.#later(view);
        return;
      }
      this.#waiting.get(data.id)?.(data.reply);
      this.#waiting.delete(data.id);
    });
    // Without the checker the editor is one without it.
    worker.addEventListener("error", () => {
      this.#worker = null;
      document.body.dataset["checker"] = "none";
      for (const done of this.#waiting.values()) done(null);
      this.#waiting.clear();
    });
  }

  #ask(view: EditorView, question: Question): Promise<Reply | null> {
    const worker = this.#worker;
    if (worker === null) return Promise.resolve(null);
    const id = ++this.#asked;
    const asked: Asked = { id, name: this.#name(), text: view.state.doc.toString(), question };
    worker.postMessage(asked);
    return new Promise((done) => this.#waiting.set(id, done));
  }

  #later(view: EditorView): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#check(view), PAUSE);
  }

  async #check(view: EditorView): Promise<void> {
    const { doc } = view.state;
    const r = await this.#ask(view, { kind: "problems" });
    if (r?.kind !== "problems" || view.state.doc !== doc) return;
    const list = r.faults.map(({ from, to, severity, text }) => ({
      from: Math.min(from, doc.length),
      to: Math.min(to, doc.length),
      severity,
      message: text,
    }));
    view.dispatch(setDiagnostics(view.state, list));
    document.body.dataset["faults"] = String(list.length);
  }

  async #hover(view: EditorView, at: number): Promise<Tooltip | null> {
    const r = await this.#ask(view, { kind: "hover", at });
    if (r?.kind !== "hover" || r.known === null) return null;
    const { known } = r;
    return { pos: known.from, end: known.to, create: () => ({ dom: card(known) }) };
  }

  async #complete(c: CompletionContext): Promise<CompletionResult | null> {
    const { view } = c;
    if (view === undefined) return null;
    const r = await this.#ask(view, { kind: "complete", at: c.pos, asked: c.explicit });
    if (r?.kind !== "complete" || r.entries.length === 0 || c.aborted) return null;
    const options = r.entries.map((e) => this.#option(e, c.pos));
    return { from: r.from, options, validFor: /^[\w$]*$/ };
  }

  #option(e: Entry, at: number): Completion {
    const view = (): Promise<Reply | null> =>
      this.#view === null
        ? Promise.resolve(null)
        : this.#ask(this.#view, { kind: "entry", at, entry: e });
    return {
      label: e.name,
      type: KINDS[e.kind] ?? "text",
      ...(e.source !== null && { detail: `from ${e.source}` }),
      info: async () => {
        const r = await view();
        return r?.kind === "entry" && r.known !== null ? card(r.known) : null;
      },
      apply: (editor, completion, from, to) => void this.#take({ editor, completion, from, to }, e),
    };
  }

  /** Puts a completion in, and imports it where it must be. */
  async #take(at: Taken, e: Entry): Promise<void> {
    const { editor, completion, from, to } = at;
    const { doc } = editor.state;
    const r =
      e.source === null ? null : await this.#ask(editor, { kind: "entry", at: to, entry: e });
    // What was typed meanwhile would be at another place.
    if (editor.state.doc !== doc) return;
    const imports = r?.kind === "entry" ? r.changes : [];
    const word = { from, to, insert: e.name };
    const before = imports
      .filter((c) => c.from <= from)
      .reduce((n, c) => n + c.insert.length - (c.to - c.from), 0);
    editor.dispatch({
      changes: [...imports, word],
      selection: { anchor: from + before + e.name.length },
      annotations: pickedCompletion.of(completion),
      userEvent: "input.complete",
    });
  }
}

type Taken = {
  readonly editor: EditorView;
  readonly completion: Completion;
  readonly from: number;
  readonly to: number;
};

/** What is known of a thing, as a card. */
function card(k: Known): HTMLElement {
  const paragraphs = k.text.split(/\n\n+/).filter(Boolean);
  return el(
    "div",
    { class: "card" },
    el("code", { class: "declared" }, k.declared),
    ...paragraphs.map((p) => el("p", {}, ...marked(p))),
    ...k.tags.map(tag),
  );
}

/** "name what appears" → "parameter name: what appears". */
function tag([name, text]: Known["tags"][number]): HTMLElement {
  if (name === "example") return el("pre", {}, text);
  const head = el("b", {}, `${TAGS[name] ?? name} `);
  const [, of = "", rest = ""] = /^([\w.]+)(?:\s+-)?\s+(.*)$/s.exec(text) ?? [];
  if (name === "param" && of !== "")
    return el("p", {}, head, el("code", {}, of), ": ", ...marked(rest));
  return el("p", {}, head, ...marked(text.replace(/^\{[^}]*\}\s*/, "")));
}

const TAGS: Readonly<Record<string, string>> = {
  param: "parameter",
  returns: "gives",
  throws: "fails with",
  see: "see",
};
