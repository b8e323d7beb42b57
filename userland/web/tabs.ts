// The tabs of the page: the program with its output, or the terminal, which is loaded when it is opened first.

import { byid } from "./dom.ts";
import type { Hooks, Terminal } from "./terminal.ts";

const TABS = ["program", "terminal"] as const;
type Tab = (typeof TABS)[number];

/** What belongs to each tab. */
const PARTS: Readonly<Record<Tab, readonly string[]>> = {
  program: ["part-program", "part-console"],
  terminal: ["part-terminal"],
};

/** The tabs, and the terminal once it has been opened. */
export class Tabs {
  readonly #hooks: Hooks;
  #terminal: Terminal | null = null;
  #loading = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    for (const tab of TABS) {
      const b = button(tab);
      b.addEventListener("click", () => this.show(tab));
      b.addEventListener("keydown", (e) => {
        if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
        const other = tab === "program" ? "terminal" : "program";
        this.show(other);
        button(other).focus();
      });
    }
  }

  show(tab: Tab): void {
    for (const t of TABS) {
      for (const id of PARTS[t]) byid(id, HTMLElement).hidden = t !== tab;
      button(t).setAttribute("aria-selected", String(t === tab));
      button(t).tabIndex = t === tab ? 0 : -1;
    }
    if (tab === "terminal") void this.#open();
  }

  async #open(): Promise<void> {
    if (this.#terminal !== null) {
      this.#terminal.file(this.#hooks.begin().file);
      this.#terminal.focus();
      return;
    }
    if (this.#loading) return;
    this.#loading = true;
    const status = byid("term-status", HTMLElement);
    try {
      const { Terminal } = await import("./terminal.ts");
      this.#terminal = new Terminal(this.#hooks);
      this.#terminal.focus();
    } catch (e) {
      status.textContent = `The terminal could not be loaded: ${String(e)}`;
    } finally {
      this.#loading = false;
    }
  }
}

const button = (tab: Tab): HTMLButtonElement => byid(`tab-${tab}`, HTMLButtonElement);
