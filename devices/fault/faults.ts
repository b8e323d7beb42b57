// Faults: what is to be done to which 9P messages on their way between the mount driver and a server, and to
// which system calls; and the count of both. How it is done to a connection is in wire.ts, how to a call in
// calls.ts; how faults are written, in userland/boot/inject.ts.

import type { Fcall } from "../../kernel/abi/fcall.ts";
import { MESSAGES } from "../../kernel/abi/fcallfmt.ts";
import { Countedcall } from "./callcount.ts";
import type { Callfault, Callseen } from "./callcount.ts";
import { ALWAYS, isturn } from "./when.ts";
import type { Turn, When } from "./when.ts";

export type { When } from "./when.ts";

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

/** A fault of messages, or one of calls. */
export type Anyfault = Fault | Callfault;

/** A fault at work: how many messages or calls it fitted, and to how many it was done. */
export type Injected<F extends Anyfault = Anyfault> = {
  readonly fault: F;
  /** Messages or calls of the names that the fault has, those of other connections, files and processes, too. */
  readonly named: number;
  /** Messages or calls that the fault could have met. */
  readonly seen: number;
  /** Messages or calls that it met. */
  readonly done: number;
};

/** A message as a fault counts it: by its type. */
type Typed = { readonly type: number };

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

class Counted implements Injected<Fault>, Turn<Effect> {
  /** The fault. */
  readonly fault: Fault;
  /** Messages of its names. */
  named = 0;
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
  take(f: Fcall | Typed, id: Connid): boolean {
    const { conn, when = ALWAYS } = this.fault;
    if (!this.#types.has(f.type)) return false;
    this.named++;
    if (
      typeof conn === "number" ? conn !== id.conn : conn !== undefined && !id.names.includes(conn)
    )
      return false;
    return isturn(when, ++this.seen);
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
  /** Whether a fault whose turn it is happens: one that may happen, or not, where schedules are explored. */
  happens: (fault: Anyfault) => boolean = () => true;
  /** Processes that no fault of calls meets, by their numbers. */
  spared: (pid: number) => boolean = () => false;
  #list: (Counted | Countedcall)[] = [];
  /** Told whether there are faults of calls. */
  readonly #hear = new Set<(any: boolean) => void>();

  /** Adds a fault; it is counted from now on. */
  add(fault: Fault): Injected<Fault>;
  add(fault: Anyfault): Injected;
  add(fault: Anyfault): Injected {
    const c = "calls" in fault ? new Countedcall(fault) : new Counted(fault);
    this.#list.push(c);
    if (c instanceof Countedcall) this.#tell();
    return c;
  }

  /** Takes all faults away. */
  clear(): void {
    this.#list = [];
    this.#tell();
  }

  /** The faults, with how often each happened. */
  get list(): readonly Injected[] {
    return this.#list;
  }

  /** There are faults of calls. */
  get ofcalls(): boolean {
    return this.#list.some((c) => c instanceof Countedcall);
  }

  /** Calls fn now, and whenever there begin or cease to be faults of calls. */
  oncalls(fn: (any: boolean) => void): void {
    this.#hear.add(fn);
    fn(this.ofcalls);
  }

  /** The fault of a message, if it is to have one: every fault counts it, and the first whose turn it is has it. */
  take(f: Fcall | Typed, id: Connid): Turn<Effect> | null {
    let mine: Counted | null = null;
    for (const c of this.#list) if (c instanceof Counted && c.take(f, id)) mine ??= c;
    return mine !== null && this.happens(mine.fault) ? mine : null;
  }

  /** The fault of a system call, as of a message. */
  takecall(c: Callseen): Countedcall | null {
    let mine: Countedcall | null = null;
    if (this.spared(c.pid)) return mine;
    for (const f of this.#list) if (f instanceof Countedcall && f.take(c)) mine ??= f;
    return mine !== null && this.happens(mine.fault) ? mine : null;
  }

  #tell(): void {
    const any = this.ofcalls;
    for (const fn of this.#hear) fn(any);
  }
}
