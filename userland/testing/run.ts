// What a program did: a reader of the Recording of its run. A Run is the whole, a Call one system call of it;
// both tell what they cost and which messages there were.

import { isT } from "../../kernel/abi/fcall.ts";
import { Ekilled } from "../../kernel/abi/errors.ts";
import { fortest } from "./place.ts";
import { msgfmt } from "../view/words/eventtext.ts";
import type { Rcall, Recording, Revent } from "../view/record/recording.ts";
import { plural, timefmt } from "../view/words/text.ts";

/** A 9P message. */
export type Message = {
  /** Nanoseconds of the machine's clock. */
  readonly at: number;
  /** The connection that it went over. */
  readonly conn: number;
  /** "Twalk 0 → 1 usr/ken" */
  readonly text: string;
  /** It is a request. */
  readonly request: boolean;
  /** Its size on the wire. */
  readonly bytes: number;
};

/** What an assertion is about. */
export interface Told {
  /** What to call it: the program, or the call as it was made. */
  readonly what: string;
  /** Round trips that it waited for. */
  readonly trips: number;
  /** The 9P messages, in order. */
  readonly messages: readonly Message[];
  /** Bytes sent and received. */
  readonly bytes: number;
  /** Nanoseconds. */
  readonly time: number;
  /** All of it, as text, for a person. */
  show(): string;
  /** The run that it is, or is part of. */
  readonly run: Run;
}

/** A system call of a run. */
export class Call implements Told {
  readonly run: Run;
  /** The call as it was recorded. */
  readonly call: Rcall;

  /** @internal */
  constructor(run: Run, call: Rcall) {
    this.run = run;
    this.call = call;
  }

  get what(): string {
    return this.call.text;
  }

  /** The call's name. */
  get name(): string {
    return this.call.name;
  }

  /** What it gave, in words: "3", "-1: file does not exist". */
  get result(): string {
    return this.call.result;
  }

  /** What it gave; of data the first bytes. */
  get value(): unknown {
    return this.call.value;
  }

  /** What it failed with; null if it did not. */
  get error(): string | null {
    return this.call.error;
  }

  /** Round trips that it waited for. */
  get trips(): number {
    return this.call.cost.trips;
  }

  /** Those that went because of it, also those that no call waited for. */
  get messages(): readonly Message[] {
    return this.run.messagesof((e) => e.call === this.call.id);
  }

  /** Bytes sent and received. */
  get bytes(): number {
    return total(this.messages);
  }

  get time(): number {
    return (this.call.ended ?? this.run.ended) - this.call.began;
  }

  /** Where the program makes it: "far.test.mjs:12"; "" where that is not known. */
  get place(): string {
    return placefmt(this.run.recording, this.call.line);
  }

  /** "process 4  " where the run has calls of several processes, else "". */
  #maker(): string {
    const { pid } = this.call;
    return this.run.calls.some((c) => c.call.pid !== pid) ? `process ${pid}  ` : "";
  }

  /**
   * Shows the call with its messages, for a person.
   *
   * @returns lines of text
   * @example
   * ```ts
   * console.log(r.call("open").show());
   * ```
   */
  show(): string {
    const { text, result, ended, cost } = this.call;
    // Of a run that the kit has ended, what was killed waited still.
    const killed = this.run.hung && this.call.error === Ekilled;
    const gave =
      ended === null
        ? " has not returned"
        : killed
          ? " waits still"
          : result === ""
            ? ""
            : ` = ${result}`;
    const took = [
      ...(cost.trips > 0 ? [plural(cost.trips, "round trip")] : []),
      ...(this.time > 0 ? [timefmt(this.time)] : []),
    ].join(", ");
    const all = this.messages;
    const cut = around(all, all.length - 1, MESSAGES);
    const lines = cut.list.map((m) => `    ${arrow(m)} ${m.text}`);
    if (cut.before > 0) lines.unshift(`    ${plural(cut.before, "message")} more`);
    const head = [`${this.#maker()}${text}${gave}`, took, this.place].filter((x) => x !== "");
    return [`  ${head.join("    ")}`, ...lines].join("\n");
  }
}

/** The direction of a message. */
export const arrow = (m: Message): string => (m.request ? "→" : "←");

/** A place in the program, as an editor opens it. */
function placefmt(r: Recording, line: Rcall["line"]): string {
  if (line === null) return "";
  return `${r.sources[line.source]?.name ?? ""}:${line.line}`;
}

/** How a program ended: what a Run says of it. */
export type Ending = Pick<
  Run,
  | "status"
  | "output"
  | "crash"
  | "waits"
  | "stuck"
  | "limit"
  | "began"
  | "ended"
  | "unawaited"
  | "unfinished"
  | "left"
  | "faults"
  | "crashes"
  | "unnoticed"
> & {
  /** The program, with its arguments. */
  readonly program: string;
  /** Called where a recording is asked for that was not made. */
  readonly missing: () => void;
};

/** Calls that a failure shows, and messages of each. */
const SHOWN = 30;
const MESSAGES = 40;

/** A part of a list around an index, and how many there are before and behind it. */
export function around<T>(
  list: readonly T[],
  at: number,
  most: number,
): { readonly list: readonly T[]; readonly before: number; readonly behind: number } {
  const half = Math.floor(most / 2);
  const before = Math.max(0, Math.min(at - half, list.length - most));
  const part = list.slice(before, before + most);
  return { list: part, before, behind: list.length - before - part.length };
}

/** A program that was run. */
export class Run implements Told {
  /** What was run, with its arguments. */
  readonly what: string;
  /** The exit status; "" is success. */
  readonly status: string;
  /** What it wrote on its console. */
  readonly output: string;
  /** What the program threw, if it did. */
  readonly crash: unknown;
  /** The calls in which it waited for what never came, none when it went on; null when it ended by itself. */
  readonly waits: readonly string[] | null;
  /** Of one that waits for ever: who waits in what, and which processes could end that. */
  readonly stuck: readonly string[];
  /** Which limit ended it: "it has made 100000 calls, and goes on"; null when none did. */
  readonly limit: string | null;
  /** When it began, in nanoseconds. */
  readonly began: number;
  /** When it ended, in nanoseconds. */
  readonly ended: number;
  /** Calls of the program that were never awaited: 'write(1, "a")  far.test.mjs:12'. */
  readonly unawaited: readonly string[];
  /** Calls of the program that were in progress when its main function returned. */
  readonly unfinished: readonly string[];
  /** Descriptors that the program and its children left open when they returned: "4 /n/far/x". */
  readonly left: readonly string[];
  /** What callbacks of servers threw meanwhile, with the stack. */
  readonly faults: readonly string[];
  /** What the program and its children threw, with their lines and what would mend them. */
  readonly crashes: readonly string[];
  /** Mistakes that the status does not show: a failed call that was not awaited, a child with wrong arguments. */
  readonly unnoticed: readonly string[];
  readonly #recording: Recording | null;
  readonly #missing: () => void;
  #calls: readonly Call[] | null = null;
  /** An assertion about it did not hold, which was told. */
  failed = false;

  /** @internal */
  constructor(recording: Recording | null, how: Ending) {
    this.#recording = recording;
    this.#missing = how.missing;
    this.what = how.program;
    ({
      status: this.status,
      output: this.output,
      crash: this.crash,
      waits: this.waits,
      stuck: this.stuck,
      limit: this.limit,
      began: this.began,
      ended: this.ended,
      unawaited: this.unawaited,
      unfinished: this.unfinished,
      left: this.left,
      faults: this.faults,
      crashes: this.crashes,
      unnoticed: this.unnoticed,
    } = how);
  }

  /** The whole run. */
  get recording(): Recording {
    if (this.#recording !== null) return this.#recording;
    this.#missing();
    throw new Error("this run was not recorded");
  }

  /** The system calls, in the order made. */
  get calls(): readonly Call[] {
    return (this.#calls ??= this.recording.calls.map((c) => new Call(this, c)));
  }

  get run(): this {
    return this;
  }

  /** Whether it never ended. */
  get hung(): boolean {
    return this.waits !== null;
  }

  /** Round trips that its calls waited for, added up. */
  get trips(): number {
    return this.calls.reduce((n, c) => n + c.trips, 0);
  }

  /** The 9P messages, in order. */
  get messages(): readonly Message[] {
    return this.messagesof(() => true);
  }

  /** Bytes sent and received. */
  get bytes(): number {
    return total(this.messages);
  }

  get time(): number {
    return this.ended - this.began;
  }

  /**
   * Finds the one call of that name, or whose text begins so.
   *
   * @param text "stat", or 'open("/n/far/x"'
   * @param nth which of several, from 1
   * @returns the call
   * @throws Error "open was never called", or "read was called 2 times: say which", where nth is not given
   * @example
   * ```ts
   * expect(r.call("read", 2)).gives(0);
   * ```
   */
  call(text: string, nth?: number): Call {
    const all = this.calls.filter((c) => c.name === text || c.what.startsWith(text));
    const found = nth === undefined && all.length === 1 ? all[0] : all[(nth ?? 0) - 1];
    if (found !== undefined) return found;
    const times =
      all.length === 0 ? "was never called" : `was called ${plural(all.length, "time")}`;
    const none = all.length === 0 ? "" : `, so there is no call ${nth}`;
    const which = nth === undefined && all.length > 1 ? `: say which, call("${text}", 2)` : none;
    throw fortest(new Error(`${text} ${times}${which}\n\n${this.show()}`));
  }

  /**
   * Chooses messages of the run.
   *
   * @param which tells of an event of the recording whether its message is wanted
   * @returns the messages, in order
   * @example
   * ```ts
   * r.messagesof((e) => e.pid === 3);
   * ```
   */
  messagesof(which: (e: Revent) => boolean): Message[] {
    const list: Message[] = [];
    for (const e of this.recording.events) {
      if ((e.type !== "send" && e.type !== "receive") || !which(e)) continue;
      const { at, conn, bytes, fcall } = e;
      list.push({ at, conn, bytes, text: msgfmt(fcall), request: isT(fcall) });
    }
    return list;
  }

  /**
   * Shows the calls with their messages. Of a long run it shows those around `at`: the last ones of a run that a
   * limit ended, else the first.
   *
   * @param at an index of calls, from 0
   * @param mark what stands before the call at `at`
   * @returns lines of text, for a person
   * @example
   * ```ts
   * console.log(r.show());
   * ```
   */
  show(at: number = this.limit === null ? 0 : this.calls.length - 1, mark = " "): string {
    const cut = around(this.calls, at, SHOWN);
    const long = cut.before + cut.behind > 0;
    const marked = (text: string, i: number): string =>
      long && cut.before + i === at ? text.replace(/^ /, mark) : text;
    const lines = folded(cut.list.map((c, i) => marked(c.show(), i)));
    if (cut.before > 0) lines.unshift(`  ${plural(cut.before, "call")} before`);
    if (cut.behind > 0) lines.push(`  and ${plural(cut.behind, "call")} more`);
    if (lines.length === 0) lines.push("  it made no system call");
    lines.push(...this.#asides());
    const after = this.time > 0 ? `, after ${timefmt(this.time)}` : "";
    return `${this.what} ${this.how}${after}:\n${lines.join("\n")}`;
  }

  /** How it ended, in words: "ended", "waits for ever in read(3, [1])". */
  get how(): string {
    if (this.limit !== null) return "goes on for ever";
    if (this.hung) return `waits for ever in ${this.waits?.join(" and ") ?? ""}`;
    return this.status === "" ? "ended" : `ended with "${this.status}"`;
  }

  /** Messages of no call: those of the files that the end of a process closes. */
  #ofnocall(): string[] {
    const ids = new Set<number | null>(this.calls.map((c) => c.call.id));
    const all = this.messagesof((e) => !ids.has(e.call));
    if (all.length === 0) return [];
    const { list, before } = around(all, all.length - 1, MESSAGES);
    const head = all.every((m) => m.at >= this.ended) ? "  at the end:" : "  of no call:";
    const more = before > 0 ? [`    ${plural(before, "message")} more`] : [];
    return [head, ...more, ...list.map((m) => `    ${arrow(m)} ${m.text}`)];
  }

  /** What else there is to say of the run. */
  #asides(): string[] {
    return [
      ...this.#ofnocall(),
      ...this.stuck.map((text) => `  ${text}`),
      ...this.unawaited.map((text) => `  not awaited: ${text}`),
      ...this.unfinished.map((text) => `  in progress at the end: ${text}`),
      ...this.faults.map((text) => `  ${text.replaceAll("\n", "\n  ")}`),
    ];
  }
}

/** Calls that are shown alike become one, with how often. */
function folded(shown: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < shown.length;) {
    let n = 1;
    while (shown[i + n] === shown[i]) n++;
    lines.push(n === 1 ? (shown[i] ?? "") : `${shown[i]}    ${n} times`);
    i += n;
  }
  return lines;
}

function total(messages: readonly Message[]): number {
  return messages.reduce((n, m) => n + m.bytes, 0);
}
