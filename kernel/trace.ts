// What the kernel says it does: typed events on one bus. Without a listener a trace point costs the
// test of `on`. Everything that shows or checks behaviour (the log, the ledger, tests, recordings) is a
// listener and none has a path of its own into the kernel.
//
// Listeners are synchronous and may not call in; one that throws is detached.

import type { Callsite, Fact } from "./abi/errors.ts";
import type { Fcall } from "./abi/fcall.ts";
import type { Forcedby, Picture } from "./names/namespace.ts";
import type { Proc } from "./proc/proc.ts";
import type { Answer } from "./proc/rendez.ts";

/** A system call in progress, as its events name it. */
export type Call = {
  /** The call's number, from 1. */
  readonly id: number;
  /** The process that made it; 0 for the kernel. */
  readonly pid: number;
  /** Plan 9's number of the call; -1 for one of ours. */
  readonly num: number;
  /** The call's name. */
  readonly name: string;
  /** Its arguments, as the program gave them. */
  readonly args: readonly unknown[];
  /** The name space of the process when it made the call, and its dot. */
  readonly space: Picture;
  /** The directory that names begin at without a slash. */
  readonly dot: string;
  /** Of a call on a descriptor, the path of its file. */
  readonly file: string | null;
  /** Of a call on a descriptor, the number of its Chan; 0 for none. */
  readonly chan: number;
  /** The program's stack at the call, for those who ask (Trace.stacks). */
  readonly stack: readonly Callsite[] | undefined;
};

/** What namec found out or decided, in the order it did. */
export type Step =
  | { readonly step: "clean"; readonly name: string; readonly path: string }
  | {
      readonly step: "prefix";
      readonly prefix: string;
      readonly rest: readonly string[];
      readonly members: number;
      /** The name that the mount point has in the picture of the name space. */
      readonly point: string;
    }
  | { readonly step: "dot"; readonly path: string; readonly rest: readonly string[] }
  | { readonly step: "device"; readonly path: string; readonly rest: readonly string[] }
  /** A member of the union at `point` has the first element, or has not. */
  | {
      readonly step: "found";
      readonly point: string;
      readonly index: number;
      readonly elem: string;
    }
  | {
      readonly step: "miss";
      readonly point: string;
      readonly index: number;
      readonly elem: string;
      readonly error: string;
    }
  | { readonly step: "deferred"; readonly chan: string; readonly rest: readonly string[] }
  | {
      readonly step: "forced";
      readonly chan: string;
      readonly rest: readonly string[];
      readonly why: Forcedby;
    }
  | {
      readonly step: "walk";
      readonly chan: string;
      readonly rest: readonly string[];
      readonly got: number;
      /** The 9P connection that was asked, 0 for a device of the kernel. */
      readonly conn: number;
    }
  | {
      /** These servers are asked at once, before any has answered. */
      readonly step: "ask";
      /** Indexes of the members; of a bind 0 is its source and 1 what it goes on. */
      readonly asked: readonly number[];
      readonly rest: readonly string[];
      readonly what: Asking["what"];
      readonly of: Asking["of"];
    }
  /** A mount with a cache remembers a directory on the way: the walk begins there. */
  | {
      readonly step: "near";
      readonly chan: string;
      readonly dir: readonly string[];
      readonly rest: readonly string[];
    }
  /** create looks whether the name is there. */
  | { readonly step: "look"; readonly elem: string }
  /** It is to be made in dir: of a union in the member of this index, else -1. */
  | {
      readonly step: "create";
      readonly dir: string;
      readonly elem: string;
      readonly index: number;
    }
  | { readonly step: "mountpoint"; readonly path: string }
  | {
      readonly step: "fail";
      readonly error: string;
      /** Elements of the name that the error shows. */
      readonly walked: number;
      /** The element that it is about; "" when it is about none. */
      readonly elem: string;
    };

/** What several servers are asked at once, and for what: members of a union, both names of a bind, entries of a directory. */
export type Asking = {
  readonly what: "walk" | "stat";
  readonly of: "union" | "bind" | "directory";
};

/** Where a message is in what goes one way over its connection. */
export type Onwire = {
  readonly conn: number;
  /** Its size. */
  readonly bytes: number;
  /** Bytes that went this way over the transport before it. */
  readonly off: number;
};

/** An end of a pipe: 0 is data, 1 is data1. */
export type Pipeend = { readonly pipe: number; readonly end: 0 | 1 };

/** The transport under a Chan, for devices whose trace tells of each byte; `out` and `in` count the bytes so far. */
export type Wire = {
  /** Its number in "wire" events; null of a pipe. */
  readonly wire: number | null;
  /** Where it is in "pipe" events; null of a network's. */
  readonly pipe: Pipeend | null;
  readonly out: number;
  readonly in: number;
};

/** An open file as a descriptor has it. */
export type Openfile = {
  /** The number of the Chan: descriptors that share it share its offset. */
  readonly chan: number;
  readonly path: string;
  /** OREAD, OWRITE, ORDWR or OEXEC. */
  readonly mode: number;
  /** The character of its device. */
  readonly dev: string;
  /** The 9P connection that its server is reached over; 0 for a device of the kernel. */
  readonly conn: number;
  readonly offset: number;
  /** It is closed by exec. */
  readonly cexec: boolean;
  /** The end of a pipe that it is. */
  readonly pipe: Pipeend | null;
};

/** The numbers of the groups of a process; those that share a group have the same number. */
export type Grouped = {
  readonly pgrp: number;
  readonly fgrp: number;
  readonly egrp: number;
  readonly rgrp: number;
  readonly noteid: number;
};

/** Of a process that starts, or that changes its groups. */
export type Standing = {
  /** The parent, who waits for it; 0 for none. */
  readonly parent: number;
  readonly groups: Grouped;
  /** The group that its descriptors, and its variables, are a copy of; 0 where they are no copy. */
  readonly fdcopy: number;
  readonly envcopy: number;
  /** The directory that names begin at without a slash. */
  readonly dot: string;
  /** Its name space. */
  readonly table: Picture;
};

/** The payload of one kind of event. */
export type EventBody =
  | { readonly type: "call" }
  | {
      readonly type: "return";
      readonly value: unknown;
      readonly error: string | null;
      /** What the error rests on, where the device has said so. */
      readonly fact: Fact | null;
      /** Of a call on a descriptor, where the next read of its Chan begins; -1 for other calls. */
      readonly offset: number;
    }
  /** The call sleeps, for what a Rendez says: "queue read". Sleeps for replies are seen as messages. */
  | { readonly type: "sleep"; readonly what: string }
  | ({ readonly type: "namec" } & Step)
  | {
      readonly type: "mount";
      readonly op: "bind" | "mount" | "unmount";
      readonly path: string;
      readonly table: Picture;
      /** The group of processes whose name space it is. */
      readonly pgrp: number;
    }
  | ({ readonly type: "send"; readonly fcall: Fcall } & Onwire)
  | ({ readonly type: "receive"; readonly fcall: Fcall } & Onwire)
  | {
      readonly type: "conn";
      readonly conn: number;
      readonly what: "open" | "hangup" | "close";
      readonly name: string;
      /** Who is at the other end, where the transport knows. */
      readonly peer: string | null;
      /** What the transport calls it in "wire" events; null when there will be none. */
      readonly wire: number | null;
      /** The end of a pipe that it runs over. */
      readonly pipe: Pipeend | null;
      /** Of 9P, as agreed on. */
      readonly version: string;
    }
  | {
      /** A piece of a conversation of device ip has arrived, here ("in") or at the other end. */
      readonly type: "wire";
      readonly way: "in" | "out";
      /** The conversation's number, as in /net/tcp/N. */
      readonly conv: number;
      /** The conversation, by a number that is not used again. */
      readonly wire: number;
      readonly bytes: number;
      /** Bytes that went this way in this conversation before. */
      readonly off: number;
      /** When it left its sender. */
      readonly left: number;
      /** By how many nanoseconds it came later because packets were lost and sent again; not there for none. */
      readonly lost?: number;
    }
  | {
      readonly type: "proc";
      /**
       * "groups" is rfork without a new process; "handle" the beginning of a note's handler, "noted" its end;
       * "waited" says that its parent has heard of its end; "dot" is chdir.
       */
      readonly what:
        | "start"
        | "exec"
        | "exit"
        | "note"
        | "handle"
        | "noted"
        | "waited"
        | "groups"
        | "dot";
      /** The process it happens to. */
      readonly pid: number;
      /** Its program, its status, the note or the directory. */
      readonly text: string;
      /** Of a note, the process that posted it; 0 for the kernel and the host. */
      readonly by?: number;
      /** Of "start" and "groups". */
      readonly of?: Standing;
      /** Of "exit", what the program threw. */
      readonly crash?: unknown;
    }
  | {
      /** A descriptor is another file now; -1 for all of the table. */
      readonly type: "fd";
      readonly fgrp: number;
      readonly fd: number;
      /** null: it is closed. */
      readonly file: Openfile | null;
    }
  | ({
      /**
       * Bytes of a pipe, in what the end `end` reads: put in by a write, taken out by a read; "hangup": nothing
       * more is put in; "drop": nothing is read any more, and what waited is gone.
       */
      readonly type: "pipe";
      readonly what: "put" | "take" | "hangup" | "drop";
      readonly bytes: number;
      /** Bytes that went this way before. */
      readonly off: number;
      /** What was put in; its buffer is the kernel's. */
      readonly data: Uint8Array;
    } & Pipeend)
  | {
      /** A variable of an environment has another value; null: it was removed. */
      readonly type: "env";
      readonly egrp: number;
      readonly name: string;
      readonly value: Uint8Array | null;
    };

/** An event: what happened (EventBody), when (ns since boot), in which process and because of which call. */
export type Event = {
  /** When, in nanoseconds of the kernel's clock. */
  readonly at: number;
  /** The process that it happened in; 0 for the kernel. */
  readonly pid: number;
  /** The call that it belongs to, if any. */
  readonly call: Call | null;
} & EventBody;

/** What stands between programs and their system calls, and may spoil one: faults that a test injects. */
export interface Spoiler {
  /** Answers a call in the kernel's place; `make` makes it, with these arguments. */
  call(up: Proc, c: Call, make: (args: readonly unknown[]) => Answer<unknown>): Answer<unknown>;
}

/** Hears of an event; `body` is what of it this kind of event has. */
export type Listener = (e: Event, body: EventBody) => void;

/** Numbers, from 1, for what events name. Whatever was never told has none and costs nothing. */
export class Numbers {
  readonly #of = new WeakMap<object, number>();
  #n = 0;

  of(x: object): number {
    let n = this.#of.get(x);
    if (n === undefined) this.#of.set(x, (n = ++this.#n));
    return n;
  }
}

/** Finds the program on a stack: its index, -1 when it is not there. */
export type Findprogram = (stack: readonly Callsite[]) => number;

/** The bus of one kernel. */
export class Trace {
  /** There is a listener or a spoiler. Test this before building an event. */
  on = false;
  /** What spoils calls; see spoil. */
  spoiler: Spoiler | null = null;
  /** The numbers of Chans and of groups. @internal */
  readonly chans: Numbers = new Numbers();
  /** @internal */
  readonly fgrps: Numbers = new Numbers();
  /** @internal */
  readonly egrps: Numbers = new Numbers();
  /** @internal */
  readonly rgrps: Numbers = new Numbers();
  /**
   * Tells what there is now, for listeners that begin late.
   *
   * @returns the events that would have told of it
   * @example
   * ```ts
   * for (const body of kernel.trace.state()) console.log(body.type);
   * ```
   */
  readonly state: () => EventBody[];
  /** Whether calls keep the program's stack; see keepstacks. */
  stacks = false;
  readonly #listeners = new Set<Listener>();
  readonly #stamp: () => { at: number; pid: number; call: Call | null };
  #ncall = 0;
  /** Who wants stacks: each finds the program on one, or wants all of it (null). */
  readonly #stackers = new Set<{ readonly find: Findprogram | null }>();
  /** The one that finds the program, where no other wants stacks. */
  #finder: Findprogram | null = null;
  /** How deep the program was on the last stack. */
  #deep = 1;

  constructor(
    stamp: () => { at: number; pid: number; call: Call | null },
    state: () => EventBody[],
  ) {
    this.#stamp = stamp;
    this.state = state;
  }

  /** A number for a call. @internal */
  nextcall(): number {
    return ++this.#ncall;
  }

  /**
   * Has calls keep the program's stack until the result is called, for listeners that show lines of programs.
   *
   * @param find tells where the program is on a stack; calls then keep no more of it, which takes half the time.
   *   null keeps all
   * @returns a function that ends it
   * @example
   * ```ts
   * const off = kernel.trace.keepstacks();
   * ```
   */
  keepstacks(find: Findprogram | null = null): () => void {
    const stacker = { find };
    const changed = (): void => {
      const [first] = this.#stackers;
      this.stacks = first !== undefined;
      this.#finder = this.#stackers.size === 1 ? (first?.find ?? null) : null;
    };
    this.#stackers.add(stacker);
    changed();
    return () => {
      this.#stackers.delete(stacker);
      changed();
    };
  }

  /** How deep the stack of a call is asked for first: where the program was last. @internal */
  get deep(): number {
    return this.#finder === null ? Infinity : this.#deep;
  }

  /** Whether this stack, which is no deeper than asked for, is all that is wanted. @internal */
  enough(stack: readonly Callsite[]): boolean {
    const find = this.#finder;
    if (find === null || stack.length < this.#deep) return true;
    return find(stack) >= 0;
  }

  /** All of a stack, when it was not enough: the next is asked for as deep as the program is here. @internal */
  whole(stack: readonly Callsite[]): readonly Callsite[] {
    const at = this.#finder?.(stack) ?? -1;
    if (at >= 0) this.#deep = at + 1;
    return stack;
  }

  /**
   * Has system calls spoilt. A call that is under way goes on as it is.
   *
   * @param by what spoils them; null ends that
   * @example
   * ```ts
   * kernel.trace.spoil(null);
   * ```
   */
  spoil(by: Spoiler | null): void {
    this.spoiler = by;
    this.#seton();
  }

  /**
   * Calls a function with each event from now on.
   *
   * @param fn the listener
   * @returns a function that takes the listener off again
   * @example
   * ```ts
   * const off = kernel.trace.listen((e) => console.log(e.type));
   * ```
   */
  listen(fn: Listener): () => void {
    this.#listeners.add(fn);
    this.#seton();
    return () => this.#detach(fn);
  }

  /**
   * Tells each listener of an event; `cause` stands in place of the running coroutine as the call that the event
   * belongs to. @internal
   */
  emit(body: EventBody, cause?: Call | null): void {
    const stamp = this.#stamp();
    const call = cause === undefined ? stamp.call : cause;
    const e: Event = { at: stamp.at, pid: call?.pid ?? stamp.pid, call, ...body };
    for (const fn of this.#listeners) {
      try {
        fn(e, body);
      } catch {
        this.#detach(fn);
      }
    }
  }

  #detach(fn: Listener): void {
    this.#listeners.delete(fn);
    this.#seton();
  }

  #seton(): void {
    this.on = this.#listeners.size > 0 || this.spoiler !== null;
  }
}
