// The console of a prompt: lines are edited by node:readline and kept in a history; names are completed in the
// name space of the shell. What programs write comes above the line that is being typed.
//
// Ctrl-C posts "interrupt" to the shell's note group, Ctrl-D gives the reader an end of file. With rawon in
// consctl characters come as they are typed, without any of this.

import { appendFileSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Interface, createInterface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import type { Booted } from "../../kernel/boot.ts";
import { Rendez } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { Kbdq } from "../boot/kbdq.ts";
import { complete, lastword } from "../boot/complete.ts";
import { postgroup } from "../boot/login.ts";

/** The file of the lines typed, in the home directory. */
export const HISTORY = ".namec_history";
/** Lines of the history that a prompt begins with. */
const MAXHISTORY = 1000;

const NOTHING = new Uint8Array(0);
const INTERRUPT = 3;
const QUIT = 0x1c;
const RETURN = 13;
const NEWLINE = 10;

/** What readline's completer calls: the words that may come, and what they take the place of. */
type Completed = (e: Error | null, found: [string[], string]) => void;

export class Linetty implements Tty {
  readonly terminals: readonly number[] = [0, 1, 2];
  readonly #in: ReadStream;
  readonly #out: WriteStream;
  readonly #file: string;
  readonly #ready = new Rendez("host input");
  readonly #typed = new Kbdq();
  #history: string[];
  #lines: Interface | null = null;
  #reading = false;
  #raw = false;
  #closed = false;
  /** What stands at the beginning of the line: the prompt, or the end of a program's output. */
  #tail = "";
  #shell: { readonly kernel: Booted; readonly process: Process } | null = null;

  constructor(input: ReadStream, output: WriteStream, file: string = join(homedir(), HISTORY)) {
    this.#in = input;
    this.#out = output;
    this.#file = file;
    this.#history = oldlines(file);
    this.#open();
  }

  /** Says whose the terminal is: Ctrl-C is for this process's note group. */
  attach(kernel: Booted, process: Process): void {
    this.#shell = { kernel, process };
  }

  /** Gives the terminal back, at the beginning of a line. */
  close(): void {
    this.#closed = true;
    if (this.#tail !== "") this.#out.write("\n");
    this.#lines?.close();
    this.#lines = null;
    if (this.#raw) this.#setraw(false);
    this.#in.pause();
  }

  #open(): void {
    const lines = createInterface({
      input: this.#in,
      output: this.#out,
      terminal: true,
      prompt: "",
      history: [...this.#history],
      historySize: MAXHISTORY,
      removeHistoryDuplicates: true,
      completer: (line: string, done: Completed) => void this.#complete(line, done),
    });
    lines.on("line", (line) => this.#line(line));
    lines.on("history", (history) => (this.#history = history));
    lines.on("SIGINT", () => this.#interrupt());
    lines.on("close", () => this.#over());
    this.#lines = lines;
  }

  async #complete(line: string, done: Completed): Promise<void> {
    const shell = this.#shell;
    const found = shell === null ? [] : await complete(shell.kernel, shell.process, line);
    done(null, [found, lastword(line).word]);
  }

  #line(line: string): void {
    this.#tail = "";
    if (line !== "") remember(this.#file, line);
    this.#type(utfencode(`${line}\n`));
  }

  #type(bytes: Uint8Array): void {
    this.#typed.add(bytes);
    this.#ready.wakeupall();
  }

  /** Ctrl-D: readline ends, and a new one takes its place. */
  #over(): void {
    this.#lines = null;
    if (this.#closed || this.#raw) return;
    this.#type(NOTHING);
    if (this.#in.readableEnded || this.#in.destroyed) return;
    this.#open();
  }

  #interrupt(): void {
    // What was typed of the line is given up.
    this.#lines?.write(null, { ctrl: true, name: "e" });
    this.#lines?.write(null, { ctrl: true, name: "u" });
    this.#note("interrupt");
  }

  #note(text: string): void {
    if (this.#shell === null) return;
    postgroup(this.#shell.kernel, this.#shell.process, text);
  }

  *write(bytes: Uint8Array): Task<void> {
    if (bytes.length === 0) return;
    const text = utfdecode(bytes, 0, bytes.length);
    const show = this.#lines !== null && this.#reading;
    if (show) this.#out.write("\r\x1b[J");
    const drained = this.#out.write(show ? this.#tail + text : text);
    const all = this.#tail + text;
    this.#tail = all.slice(all.lastIndexOf("\n") + 1);
    if (show) this.#prompt();
    if (!drained) yield* this.#drain();
  }

  *#drain(): Task<void> {
    const r = new Rendez("host output");
    const done = (): void => r.wakeupall();
    for (const event of ["drain", "close"]) this.#out.once(event, done);
    yield r;
  }

  /** Shows the line again behind what stands before it. */
  #prompt(): void {
    this.#lines?.setPrompt(this.#tail);
    this.#lines?.prompt(true);
  }

  *read(n: number): Task<Uint8Array> {
    while (this.#typed.empty) {
      if (this.#in.destroyed || this.#in.readableEnded) return NOTHING;
      this.#reading = true;
      if (!this.#raw) this.#prompt();
      this.#in.ref();
      try {
        yield this.#ready;
      } finally {
        this.#reading = false;
      }
    }
    return this.#typed.take(n);
  }

  /** rawon and rawoff of consctl. */
  ctl(message: string): void {
    if (message === "rawon" && !this.#raw) this.#setraw(true);
    else if (message === "rawoff" && this.#raw) this.#setraw(false);
  }

  readonly #char = (data: Buffer): void => {
    if (data[0] === INTERRUPT) this.#note("interrupt");
    else if (data[0] === QUIT) process.exit(1);
    // The key that ends a line is a newline, as on Plan 9.
    else this.#type(Uint8Array.from(data, (c) => (c === RETURN ? NEWLINE : c)));
  };

  #setraw(on: boolean): void {
    this.#raw = on;
    if (on) {
      this.#lines?.close();
      this.#in.setRawMode(true);
      this.#in.on("data", this.#char);
      this.#in.resume();
    } else {
      this.#in.off("data", this.#char);
      this.#in.setRawMode(false);
      if (!this.#closed) this.#open();
    }
  }
}

/** The lines of the history, the newest first. */
function oldlines(file: string): string[] {
  try {
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return lines.slice(-MAXHISTORY).toReversed();
  } catch {
    return [];
  }
}

/** A history that cannot be kept is none: the prompt goes on. */
function remember(file: string, line: string): void {
  try {
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  } catch {
    // Read-only home directories have no history.
  }
}
