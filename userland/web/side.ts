// The left column: the program, the terminal or the lessons. The terminal is loaded when it is opened first; the
// files of its machine are in the panel below.

import { byid } from "./dom.ts";
import { Files } from "./files.ts";
import { Tabs } from "./tabs.ts";
import type { Begin, Edited, Finished } from "./talk.ts";
import type { Terminal } from "./terminal.ts";

const SIDES = ["program", "terminal", "lessons"] as const;
type Sidetab = (typeof SIDES)[number];

/** What the page does for its left column. */
export type Hooks = {
  /** What a new machine of the terminal begins with. */
  readonly begin: () => Omit<Begin, "space" | "kept">;
  /** Shows the recording of a line. */
  readonly open: (f: Finished) => void;
  /** Takes a file of the machine into the editor. */
  readonly edit: (file: Edited) => void;
  /** Whether the files of the machine can be looked at. */
  readonly files: (offered: boolean) => void;
  /** Whether they are being looked at. */
  readonly seen: () => boolean;
};

/** The tabs, and the terminal once it has been opened. */
export class Side {
  readonly #hooks: Hooks;
  readonly #tabs: Tabs<Sidetab>;
  readonly #files: Files;
  #terminal: Terminal | null = null;
  #loading = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    this.#files = new Files({
      look: (path) => this.#terminal?.look(path),
      edit: hooks.edit,
    });
    this.#tabs = new Tabs(SIDES, { tab: "tab-", panel: "part-" }, (tab) => {
      document.body.dataset["side"] = tab;
      if (tab === "terminal") void this.#open();
    });
    document.body.dataset["side"] = this.#tabs.now;
  }

  show(tab: Sidetab): void {
    if (tab !== this.#tabs.now) this.#tabs.show(tab);
  }

  /** Reads the directory again that is looked at. */
  readfiles(): void {
    this.#files.again();
  }

  async #open(): Promise<void> {
    this.#hooks.files(true);
    if (this.#terminal !== null) {
      this.#terminal.file(this.#hooks.begin().file);
      this.#terminal.focus();
      return;
    }
    if (this.#loading) return;
    this.#loading = true;
    const status = byid("term-status", HTMLElement);
    try {
      const { Terminal, styled } = await import("./terminal.ts");
      await styled();
      this.#terminal = new Terminal({
        ...this.#hooks,
        found: (found) => this.#files.found(found),
        idle: () => {
          if (this.#hooks.seen()) this.#files.again();
        },
      });
      this.#terminal.focus();
    } catch (e) {
      status.textContent = `The terminal could not be loaded: ${String(e)}`;
    } finally {
      this.#loading = false;
    }
  }
}
