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

/** A fault: what is done, to which messages, of which connection. */
export type Fault = {
  /** Names of messages; "T*" is any request, "R*" any reply, "*" both. */
  readonly messages: readonly string[];
  /** Which of the messages. */
  readonly when?: When;
  /** Which connection: its number, or a name of its server; all connections unless given. */
  readonly conn?: number | string;
  /** What happens. */
  readonly effect: Effect;
};

/** A fault of messages, or one of calls. */
export type Anyfault = Fault | Callfault;

/** A fault of a kernel, with counts of the messages or calls that it was compared with. */
export type Injected<F extends Anyfault = Anyfault> = {
  readonly fault: F;
  /** How many had one of the fault's names, whatever their connection, file or process. */
  readonly named: number;
  /** How many of these were of the fault's connection, file and process, so that `when` counts them. */
  readonly seen: number;
  /** How many of these the effect was done to. */
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
  readonly fault: Fault;
  named = 0;
  seen = 0;
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

  /** Counts a message; tells whether the fault is to happen to it. */
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
  /**
   * Asked when it is a fault's turn; an explorer of schedules tries both answers. @internal
   */
  happens: (fault: Anyfault) => boolean = () => true;
  /**
   * Tells of a process, by its number, whether faults of calls leave it alone. @internal
   */
  spared: (pid: number) => boolean = () => false;
  #list: (Counted | Countedcall)[] = [];
  /** The functions of oncalls. */
  readonly #hear = new Set<(any: boolean) => void>();

  /**
   * Adds a fault. It is counted from now on.
   *
   * @param fault the fault, such as parsefault gives
   * @returns the fault with its counts, which go on
   * @example
   * ```ts
   * const injected = faults.add(parsefault("Tread:when=2:error=i/o error"));
   * ```
   */
  add(fault: Fault): Injected<Fault>;
  /**
   * Adds a fault. It is counted from now on.
   *
   * @param fault the fault, such as parsefault gives
   * @returns the fault with its counts, which go on
   * @example
   * ```ts
   * const injected = faults.add(parsefault("Tread:when=2:error=i/o error"));
   * ```
   */
  add(fault: Anyfault): Injected;
  add(fault: Anyfault): Injected {
    const c = "calls" in fault ? new Countedcall(fault) : new Counted(fault);
    this.#list.push(c);
    if (c instanceof Countedcall) this.#tell();
    return c;
  }

  /**
   * Takes all faults away.
   *
   * @example
   * ```ts
   * faults.clear();
   * ```
   */
  clear(): void {
    this.#list = [];
    this.#tell();
  }

  /** The faults, with how often each happened. */
  get list(): readonly Injected[] {
    return this.#list;
  }

  /** Whether there are faults of calls. */
  get ofcalls(): boolean {
    return this.#list.some((c) => c instanceof Countedcall);
  }

  /**
   * Calls fn now, and when a fault of calls is added or all faults are taken away, with whether there are faults
   * of calls. @internal
   */
  oncalls(fn: (any: boolean) => void): void {
    this.#hear.add(fn);
    fn(this.ofcalls);
  }

  /**
   * Finds the fault that happens to a message, or null. Every fault counts the message; the first whose turn it is
   * wins. @internal
   */
  take(f: Fcall | Typed, id: Connid): Turn<Effect> | null {
    let mine: Counted | null = null;
    for (const c of this.#list) if (c instanceof Counted && c.take(f, id)) mine ??= c;
    return mine !== null && this.happens(mine.fault) ? mine : null;
  }

  /**
   * Finds the fault that happens to a system call, or null, in the same way. @internal
   */
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
