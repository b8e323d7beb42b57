// What the tests of the command line share: `namec` as a process, and servers that are one.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";

export const NAMEC: string = fileURLToPath(
  new URL("../../userland/host/namec.js", import.meta.url),
);

/** What a process left behind. */
export type Ended = {
  readonly status: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
};

/** A `namec` that runs. */
export class Run {
  readonly child: ChildProcess;
  out = "";
  err = "";
  readonly #ended: Promise<Ended>;
  #look: (() => void)[] = [];

  constructor(args: readonly string[], cwd: string = process.cwd()) {
    const env = { ...process.env, NO_COLOR: "1" };
    this.child = spawn(process.execPath, [NAMEC, ...args], { cwd, env });
    this.child.stdout?.setEncoding("utf8").on("data", (s: string) => this.#said("out", s));
    this.child.stderr?.setEncoding("utf8").on("data", (s: string) => this.#said("err", s));
    this.#ended = new Promise((resolve) => {
      this.child.on("close", (status, signal) => {
        resolve({ status, signal, out: this.out, err: this.err });
        this.#said("out", "");
      });
    });
  }

  #said(where: "out" | "err", text: string): void {
    this[where] += text;
    for (const fn of this.#look) fn();
  }

  /** When it has written what the pattern finds; throws when it ends without. */
  saying(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.out) ?? pattern.exec(this.err);
        if (found === null && this.child.exitCode === null) return;
        this.#look = this.#look.filter((fn) => fn !== look);
        if (found !== null) resolve(found);
        else reject(new Error(`ended (${this.child.exitCode}): ${this.out}${this.err}`));
      };
      this.#look.push(look);
      look();
    });
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  interrupt(): void {
    this.child.kill("SIGINT");
  }
}

/** Runs `namec` to its end. */
export async function namec(args: readonly string[], stdin = "", cwd?: string): Promise<Ended> {
  const run = new Run(args, cwd);
  run.child.stdin?.on("error", () => undefined).end(stdin);
  return await run.ended();
}

/** A server on a free port, and its address; it is ended with the test. */
export async function serving(
  t: ExecutionContext,
  args: readonly string[],
): Promise<{ addr: string; run: Run }> {
  const run = new Run(["serve", ...args, "--listen", "tcp!127.0.0.1!0"]);
  t.teardown(() => void run.child.kill("SIGKILL"));
  const [, addr = ""] = await run.saying(/^serving \w+ on ([^,\s]+)(?:, .*)?$/m);
  return { addr, run };
}

/** A directory of the host with these files, removed with the test. Everybody may write it: a server may be nobody. */
export function directory(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), "namec-test-"));
  chmodSync(dir, 0o777);
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}
