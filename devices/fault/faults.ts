// Faults: what is to be done to which 9P messages on their way between the mount driver and a server, and
// the count of those messages. How it is done to a connection is in wire.ts; how faults are written,
// in userland/boot/inject.ts.

import type { Fcall } from "../../kernel/abi/fcall.ts";
import { MESSAGES } from "../../kernel/abi/fcallfmt.ts";

/** Which of the messages that fit: number `first`, and every `step` from there to `last`, counted from 1. */
export type When = {
  /** The first, from 1. */
  readonly first: number;
  /** The last; Infinity for no end. */
  readonly last: number;
  /** Every so many from the first. */
  readonly step: number;
};

/** What is done to a message. */
export type Effect =
  /** A request does not reach the server and fails so; of a reply an Rerror takes the place. */
  | { readonly what: "error"; readonly ename: string }
  /** It comes so much later, in nanoseconds, and so does what follows with its tag. */
  | { readonly what: "delay"; readonly ns: number }
  /** It never comes, nor does what follows with its tag. */
  | { readonly what: "drop" }
  /** The connection breaks in its place. */
  | { readonly what: "hangup" }
  /** It transfers at most so many bytes. */
  | { readonly what: "short"; readonly bytes: number };

/** A fault: to which messages, of which connection (its number, or a name of its other end), what is done. */
export type Fault = {
  /** Names of messages; "T*" is any request, "R*" any reply, "*" both. */
  readonly messages: readonly string[];
  /** Which of the messages. */
  readonly when?: When;
  /** Which connections: by the name of the server; every one unless given. */
  readonly conn?: number | string;
  /** What happens. */
  readonly effect: Effect;
};

/** A fault at work: how many messages it fitted, and to how many it was done. */
export type Injected = {
  readonly fault: Fault;
  /** Messages that the fault could have met. */
  readonly seen: number;
  /** Messages that it met. */
  readonly done: number;
};

/** A connection as a fault names it: 0 until a version is agreed. */
export type Connid = { readonly conn: number; readonly names: readonly string[] };

/** The messages that transfer data, which may be short. */
export const SHORTABLE: readonly string[] = [
  "Tread",
  "Twrite",
  "Tstream",
  "Rread",
  "Rwrite",
  "Rstream",
];

const shortable: ReadonlySet<number | undefined> = new Set(
  SHORTABLE.map((name) => MESSAGES.get(name)),
);
const ALWAYS: When = { first: 1, last: Infinity, step: 1 };

/** A fault whose turn it is. */
export interface Turn {
  /** Counts that it is done. */
  do(): Effect;
}

class Counted implements Injected, Turn {
  /** The fault. */
  readonly fault: Fault;
  /** Messages that it could have met. */
  seen = 0;
  /** Messages that it met. */
  done = 0;
  readonly #types: ReadonlySet<number>;

  constructor(fault: Fault) {
    this.fault = fault;
    const short = fault.effect.what === "short";
    this.#types = new Set(
      [...MESSAGES]
        .filter(([name, type]) => fits(fault.messages, name) && (!short || shortable.has(type)))
        .map(([, type]) => type),
    );
  }

  /** Counts a message; says whether it is this fault's. */
  take(f: Fcall, id: Connid): boolean {
    const { conn, when = ALWAYS } = this.fault;
    if (!this.#types.has(f.type)) return false;
    if (
      typeof conn === "number" ? conn !== id.conn : conn !== undefined && !id.names.includes(conn)
    )
      return false;
    const n = ++this.seen;
    return n >= when.first && n <= when.last && (n - when.first) % when.step === 0;
  }

  do(): Effect {
    this.done++;
    return this.fault.effect;
  }
}

function fits(patterns: readonly string[], name: string): boolean {
  return patterns.some((p) => p === name || p === "*" || p === `${name.charAt(0)}*`);
}

/** The faults of a kernel. More may be added while it runs; each counts from then on. */
export class Faults {
  #list: Counted[] = [];

  /** Adds a fault; it is counted from now on. */
  add(fault: Fault): Injected {
    const c = new Counted(fault);
    this.#list.push(c);
    return c;
  }

  /** Takes all faults away. */
  clear(): void {
    this.#list = [];
  }

  /** The faults, with how often each happened. */
  get list(): readonly Injected[] {
    return this.#list;
  }

  /** The fault of a message, if it is to have one: every fault counts it, and the first whose turn it is has it. */
  take(f: Fcall, id: Connid): Turn | null {
    let mine: Turn | null = null;
    for (const c of this.#list) if (c.take(f, id)) mine ??= c;
    return mine;
  }
}
