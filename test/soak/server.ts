// A server in a process of its own that can be asked what it holds (probe.ts), and clients of it over TCP.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { NOFID, NOTAG } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import { NAMEC } from "../bench/process.ts";
import { frame } from "../bench/wire.ts";
import type { Held } from "./probe.ts";

const PROBE = fileURLToPath(new URL("./probe.js", import.meta.url));

export class Served {
  readonly port: number;
  readonly #child: ChildProcess;
  #said = "";
  #told: (() => void) | null = null;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    // It does not outlive a part that failed.
    const kill = (): void => void child.kill("SIGKILL");
    process.on("exit", kill);
    child.on("exit", () => process.off("exit", kill));
    child.stderr?.on("data", (text: string) => {
      this.#said += text;
      this.#told?.();
    });
  }

  /** namec serve with these words. */
  static start(...words: readonly string[]): Promise<Served> {
    const args = ["--expose-gc", "--import", PROBE, NAMEC, "serve", ...words];
    const listen = ["--listen", "tcp!127.0.0.1!0"];
    const child = spawn(process.execPath, [...args, ...listen], {
      stdio: ["ignore", "inherit", "pipe"],
    });
    return new Promise((resolve, reject) => {
      let said = "";
      let began = false;
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        if (began) return;
        said += text;
        const port = /^serving .*!(\d+)(?:,|$)/m.exec(said)?.[1];
        if (port === undefined) return;
        began = true;
        resolve(new Served(child, Number(port)));
      });
      child.on("exit", (status) => reject(new Error(`the server ended (${status}): ${said}`)));
    });
  }

  /** What it said since the start, beside what the probe says. */
  get said(): string {
    return this.#said.replace(/^probe .*\n/gm, "");
  }

  /** Milliseconds for which its main thread has run. */
  cpu(): number {
    const { pid } = this.#child;
    const text = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8");
    return Number(text.split(" ")[0]) / 1e6;
  }

  /** Bytes of memory that it has now, with garbage. */
  rss(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  async look(): Promise<Held> {
    this.#said = this.said;
    this.#child.kill("SIGUSR2");
    for (;;) {
      const text = /^probe (.*)$/m.exec(this.#said)?.[1];
      if (text !== undefined) return JSON.parse(text) as Held;
      if (this.#child.exitCode !== null) throw new Error(`the server ended: ${this.said}`);
      await new Promise<void>((resolve) => (this.#told = resolve));
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`the server ended: ${this.said}`);
    const over = new Promise((resolve) => this.#child.on("exit", resolve));
    this.#child.kill("SIGKILL");
    await over;
  }
}

/** A connection on which nothing was said; null when the server refused it. */
export function call(port: number): Promise<Socket | null> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    socket.on("error", () => resolve(null));
  });
}

/** The frames that begin a session. */
export const HELLO: Buffer = bytes(
  { type: F.Tversion, tag: NOTAG, msize: 1 << 20, version: "9P2000.ix.stream" },
  { type: F.Tattach, tag: 1, fid: 0, afid: NOFID, uname: "glenda", aname: "" },
);

export function bytes(...list: readonly Tmsg[]): Buffer {
  return Buffer.concat(list.map(frame));
}

/** A connection with a session: what it is answered is counted in bytes; null when it is hung up on. */
export async function session(port: number): Promise<Socket | null> {
  const socket = await call(port);
  if (socket === null) return null;
  const answered = new Promise<boolean>((resolve) => {
    let n = 0;
    socket.on("data", (chunk: Buffer) => {
      n += chunk.length;
      if (n >= HELLO.length - 8) resolve(true);
    });
    socket.once("close", () => resolve(false));
  });
  socket.write(HELLO);
  return (await answered) ? socket : null;
}

export const rest = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));
