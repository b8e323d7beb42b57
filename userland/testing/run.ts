// What a program did: a reader of the Recording of its run. A Run is the whole, a Call one system call of it;
// both tell what they cost and which messages there were.

import { isT } from "../../kernel/abi/fcall.ts";
import { msgfmt } from "../view/words/msgfmt.ts";
import type { Rcall, Recording, Revent } from "../view/record/recording.ts";
import { plural, timefmt } from "../view/words/stepfmt.ts";

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

  /** Those that went because of it, also when nobody waited for them. */
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

  show(): string {
    const { text, result, ended, cost } = this.call;
    const gave = ended === null ? " has not returned" : result === "" ? "" : ` = ${result}`;
    const took = `${plural(cost.trips, "round trip")}, ${timefmt(this.time)}`;
    const lines = this.messages.map((m) => `    ${m.request ? "→" : "←"} ${m.text}`);
    return [`  ${text}${gave}    ${took}`, ...lines].join("\n");
  }
}

/** How a program ended. */
export type Ending = {
  /** The exit status; "" is success. */
  readonly status: string;
  readonly output: string;
  /** What it threw, when that was its end. */
  readonly crash: unknown;
  /** The calls that it waited in for ever; null when it ended by itself. */
  readonly waits: readonly string[] | null;
  /** When it began, in nanoseconds. */
  readonly began: number;
  /** When it ended, in nanoseconds. */
  readonly ended: number;
};

/** Calls that a failure shows. */
const SHOWN = 30;

/** A program that was run. */
export class Run implements Told {
  /** The whole run. */
  readonly recording: Recording;
  /** The exit status; "" is success. */
  readonly status: string;
  /** What it wrote on its console. */
  readonly output: string;
  /** What the program threw, if it did. */
  readonly crash: unknown;
  /** The calls in which it waited for what never came, none when it went on; null when it ended by itself. */
  readonly waits: readonly string[] | null;
  /** When it began, in nanoseconds. */
  readonly began: number;
  /** When it ended, in nanoseconds. */
  readonly ended: number;
  /** The system calls, in the order made. */
  readonly calls: readonly Call[];
  /** An assertion about it did not hold, which was told. */
  failed = false;

  /** @internal */
  constructor(recording: Recording, how: Ending) {
    this.recording = recording;
    ({
      status: this.status,
      output: this.output,
      crash: this.crash,
      waits: this.waits,
      began: this.began,
      ended: this.ended,
    } = how);
    this.calls = recording.calls.map((c) => new Call(this, c));
  }

  get run(): this {
    return this;
  }

  /** Whether it never ended. */
  get hung(): boolean {
    return this.waits !== null;
  }

  get what(): string {
    return this.recording.about.program;
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
   * The one call of that name, or whose text begins so: "stat", 'open("/n/far/x"'. Throws when there is
   * none, or more than one; then `nth`, from 1, says which.
   */
  call(text: string, nth?: number): Call {
    const all = this.calls.filter((c) => c.name === text || c.what.startsWith(text));
    const found = nth === undefined && all.length === 1 ? all[0] : all[(nth ?? 0) - 1];
    if (found !== undefined) return found;
    const there = all.length === 0 ? "there is none" : `there are ${all.length}`;
    const which = nth === undefined ? `the call ${text}` : `call ${nth} of ${text}`;
    throw new Error(`${which}: ${there}\n\n${this.show()}`);
  }

  /** The messages that `which` chooses. */
  messagesof(which: (e: Revent) => boolean): Message[] {
    const list: Message[] = [];
    for (const e of this.recording.events) {
      if ((e.type !== "send" && e.type !== "receive") || !which(e)) continue;
      const { at, conn, bytes, fcall } = e;
      list.push({ at, conn, bytes, text: msgfmt(fcall), request: isT(fcall) });
    }
    return list;
  }

  show(): string {
    const more = this.calls.length - SHOWN;
    const lines = this.calls.slice(0, SHOWN).map((c) => c.show());
    if (more > 0) lines.push(`  and ${plural(more, "call")} more`);
    if (lines.length === 0) lines.push("  it made no system call");
    const end =
      this.waits?.length === 0
        ? "goes on for ever"
        : this.hung
          ? `waits for ever in ${this.waits?.join(" and ") ?? ""}`
          : this.status === ""
            ? "ended"
            : `ended with "${this.status}"`;
    return `${this.what} ${end}, after ${timefmt(this.time)}:\n${lines.join("\n")}`;
  }
}

function total(messages: readonly Message[]): number {
  return messages.reduce((n, m) => n + m.bytes, 0);
}
