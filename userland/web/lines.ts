// The recordings of the lines that were typed at the terminal, in the worker: each from the line to the next
// time that a program waits for input. The last ones are kept.

import type { Booted } from "../../kernel/boot.ts";
import { HERE } from "../boot/simhost.ts";
import { Known, Recorder } from "../view/record/recorder.ts";
import type { Recording, Rsaid } from "../view/record/recording.ts";
import type { Space } from "./talk.ts";

/** Lines that are kept, the events of each, and the first bytes of a message's data. */
const LINES = 20;
const EVENTS = 20_000;
const SNAP = 160;

/** What is the same for all lines of a machine. */
export type Around = {
  readonly hosts: readonly string[];
  readonly seed: number;
  readonly space: Space;
};

/** The lines of one machine. */
export class Lines {
  readonly #kernel: Booted;
  readonly #around: Around;
  readonly #known = new Known();
  readonly #list = new Map<number, Recorder>();
  #n = 0;
  #off: (() => void) | null = null;
  #now: Recorder | null = null;

  /** The kernel is told apart from its first process on, so this comes before any. */
  constructor(kernel: Booted, around: Around) {
    this.#kernel = kernel;
    this.#around = around;
    this.#known.listen(kernel.trace);
  }

  /** Begins the recording of a line; gives its number. */
  begin(text: string): number {
    this.end();
    const { hosts, seed, space } = this.#around;
    const recorder = new Recorder({
      about: { program: text, namespace: space, clock: "real", seed, machine: HERE, hosts },
      snap: SNAP,
      limit: EVENTS,
    });
    this.#known.tell(recorder);
    recorder.begin();
    this.#off = recorder.listen(this.#kernel.trace);
    this.#now = recorder;
    this.#list.set(++this.#n, recorder);
    this.#list.delete(this.#n - LINES);
    return this.#n;
  }

  /** A program of the line wrote this. */
  said(to: Rsaid["to"], text: string): void {
    this.#now?.said(to, text);
  }

  /** Nothing more belongs to the line. */
  end(): void {
    this.#off?.();
    this.#off = null;
    this.#now = null;
  }

  /** What is recorded of a line so far; null when it is kept no more. */
  recording(line: number): Recording | null {
    return this.#list.get(line)?.recording ?? null;
  }
}
