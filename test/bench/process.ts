// A server in a process of its own, and the processor time it has used.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** The command line, and the echo server. */
export const NAMEC: string = here("../../userland/host/namec.js");
export const ECHO: string = here("./echo.js");

/** A process that said "serving ... on tcp!host!port". */
export class Server {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static start(args: readonly string[]): Promise<Server> {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe"] });
    return new Promise((resolve, reject) => {
      let said = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const port = /^serving .*!(\d+)\b/m.exec(said)?.[1];
        if (port !== undefined) resolve(new Server(child, Number(port)));
      });
      child.on("error", reject);
      child.on("exit", (status) => reject(new Error(`the server ended (${status}): ${said}`)));
    });
  }

  /** Milliseconds of processor time so far, where the host tells (Linux); else null. */
  cpu(): number | null {
    try {
      const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return null;
    }
  }

  /** Bytes of memory that it has had at most, where the host tells (Linux); else null. */
  peak(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    } catch {
      return null;
    }
  }

  /** Ends it as a power cut does. */
  kill(): Promise<void> {
    return this.stop("SIGKILL");
  }

  stop(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null) return resolve();
      this.#child.on("exit", () => resolve());
      this.#child.kill(signal);
    });
  }
}
