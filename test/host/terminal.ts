// A terminal for tests: a shell in tmux, with its keys, its screen and its size.

import { execFileSync } from "node:child_process";
import type { ExecutionContext } from "ava";

/** How long a screen may take to become what is waited for, and how often it is looked at. */
const PATIENCE = 30_000;
const EVERY = 50;

let terminals = 0;

/** A shell on a terminal of its own. */
export class Terminal {
  readonly #server: string;

  private constructor(server: string) {
    this.#server = server;
  }

  /** Starts a shell in a directory; it ends with the test. */
  static start(t: ExecutionContext, cwd: string, columns = 80, rows = 24): Terminal {
    const term = new Terminal(`namec-${process.pid}-${terminals++}`);
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const shell = "exec env -u TMUX NO_COLOR=1 'PS1=$ ' bash --norc --noprofile -i";
    t.teardown(() => term.#tmux("kill-server"));
    term.#tmux("-f", "/dev/null", "-u", "new-session", "-d", ...size, "-c", cwd, shell);
    return term;
  }

  /** Types keys by tmux's names: "Right", "C-c", "q". */
  press(...keys: string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** Types letters as they are. */
  type(text: string): void {
    this.#tmux("send-keys", "-l", text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  screen(): string {
    return this.#tmux("capture-pane", "-p");
  }

  /** Whether a program has the whole screen for itself. */
  get taken(): boolean {
    return this.#tmux("display-message", "-p", "#{alternate_on}").trim() === "1";
  }

  /** The screen as soon as the pattern finds something on it. */
  async showing(pattern: RegExp): Promise<string> {
    for (let waited = 0; ; waited += EVERY) {
      const screen = this.screen();
      if (pattern.test(screen)) return screen;
      if (waited > PATIENCE) throw new Error(`the screen never showed ${pattern}:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  #tmux(...args: string[]): string {
    return execFileSync("tmux", ["-L", this.#server, ...args], { encoding: "utf8" });
  }
}
