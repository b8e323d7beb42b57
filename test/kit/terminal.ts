// A terminal for tests: a shell in tmux, with its keys, its screen and its size.

import { execFileSync } from "node:child_process";
import type { ExecutionContext } from "ava";

/** How long a screen may take to become what is waited for, and how often it is looked at. */
const PATIENCE = 30_000;
const EVERY = 50;

/** A shell on a terminal of its own. */
export class Terminal {
  /** Where tmux keeps its socket. */
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Starts a shell in a directory of its own; it ends with the test. */
  static start(t: ExecutionContext, cwd: string, columns = 80, rows = 24): Terminal {
    const term = new Terminal(cwd);
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const shell = "exec env -u TMUX -u TMUX_TMPDIR NO_COLOR=1 'PS1=$ ' bash --norc --noprofile -i";
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
    const env = { ...process.env, TMUX: undefined, TMUX_TMPDIR: this.#dir };
    return execFileSync("tmux", args, { encoding: "utf8", env });
  }
}
