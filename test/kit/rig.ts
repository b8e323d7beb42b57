// A server and its client without a kernel: the system calls that the 9P library uses, made of arrays,
// and a scheduler that runs any ready thread next, as a seed says. What a thread sleeps on is a Gate.

import { PlanError } from "../../kernel/abi/errors.ts";
import { type Rmsg, type Tmsg } from "../../kernel/abi/fcall.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { type Anysrv, serve } from "../../userland/lib/9p.ts";
import { Frames, pack, reply } from "./frames.ts";

/** mulberry32: the next number in [0, n). */
export type Chance = (n: number) => number;
export function chance(seed: number): Chance {
  let a = seed | 0;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * n);
  };
}

/** Where threads sleep until it is opened. */
export class Gate {
  readonly sleepers: Set<Thread> = new Set();
}

type Thread = {
  readonly id: number;
  readonly task: Task<unknown>;
  on: Gate | null;
  thrown: PlanError | null;
};

/** The server's side of one connection, and the scheduler. */
export class Rig {
  readonly sys: ThreadSys;
  readonly chance: Chance;
  /** Chunks that the server has still to read; null is the end. */
  readonly input: (Uint8Array | null)[] = [];
  readonly output: Uint8Array[] = [];
  /** Writes wait until this is lifted. */
  stuck = false;
  /** Writes fail. */
  broken = false;
  closed: number[] = [];
  interrupts = 0;
  readonly ready: Thread[] = [];
  readonly all: Map<number, Thread> = new Map();
  readonly meets: Map<unknown, { gate: Gate; value: unknown; met: boolean }> = new Map();
  readonly reads: Gate = new Gate();
  readonly writes: Gate = new Gate();
  /** Where threads sleep for a time: a run wakes them when nothing else can go on. */
  readonly naps: Gate[] = [];
  slept = 0;
  /** Nanoseconds since 1970, as the server hears them. */
  now = 0n;
  nthread = 0;
  #decoded = 0;
  readonly #frames = new Frames();

  constructor(chance_: Chance = () => 0) {
    this.chance = chance_;
    this.sys = calls(this) as unknown as ThreadSys;
  }

  /** Sleeps at a gate. */
  *sleep(gate: Gate): Task<void> {
    yield gate as never;
  }

  open(gate: Gate): void {
    for (const t of gate.sleepers) {
      t.on = null;
      this.ready.push(t);
    }
    gate.sleepers.clear();
  }

  get threads(): number {
    return this.all.size;
  }

  /** Serves srv; run() does the work. */
  serve(srv: Anysrv): void {
    this.sys.threadcreate(serve(this.sys, 0, 1, srv));
  }

  send(...chunks: (Uint8Array | null)[]): void {
    this.input.push(...chunks);
    this.open(this.reads);
  }

  unstick(): void {
    this.stuck = false;
    this.open(this.writes);
  }

  /** Runs until every thread sleeps, and no time that one sleeps for is left. */
  run(): void {
    for (;;) {
      this.#runready();
      const nap = this.naps.shift();
      if (nap === undefined) return;
      this.open(nap);
    }
  }

  #runready(): void {
    for (let n = this.ready.length; n > 0; n = this.ready.length) {
      const [t] = this.ready.splice(this.chance(n), 1);
      if (t !== undefined) this.#resume(t);
    }
  }

  /** What the server sent since the last time, as messages. */
  replies(): Rmsg[] {
    const chunks = this.output.slice(this.#decoded);
    this.#decoded = this.output.length;
    return this.#frames.add(...chunks).map(reply);
  }

  /** Sends requests as one chunk, runs, and gives the replies. */
  rpc(...fs: Tmsg[]): Rmsg[] {
    this.send(pack(...fs));
    this.run();
    return this.replies();
  }

  #resume(t: Thread): void {
    const e = t.thrown;
    t.thrown = null;
    const step = e === null ? t.task.next() : t.task.throw(e);
    if (step.done === true) {
      this.all.delete(t.id);
      return;
    }
    t.on = step.value as unknown as Gate;
    t.on.sleepers.add(t);
  }
}

/** The system calls that the library uses. */
function calls(rig: Rig): object {
  return {
    *read(_fd: number, buf: Uint8Array): Task<number> {
      while (rig.input.length === 0) yield* rig.sleep(rig.reads);
      const chunk = rig.input[0];
      if (chunk === null || chunk === undefined) return 0;
      const n = Math.min(buf.length, chunk.length);
      buf.set(chunk.subarray(0, n));
      if (n === chunk.length) rig.input.shift();
      else rig.input[0] = chunk.subarray(n);
      return n;
    },
    write: (_fd: number, bytes: Uint8Array): Task<number> => write(rig, bytes),
    *close(fd: number): Task<void> {
      rig.closed.push(fd);
    },
    *sleep(): Task<void> {
      const gate = new Gate();
      rig.naps.push(gate);
      rig.slept++;
      yield* rig.sleep(gate);
    },
    *nsec(): Task<bigint> {
      return rig.now;
    },
    rendezvous: (tag: unknown, value: unknown): Task<unknown> => meet(rig, tag, value),
    threadcreate(task: Task<unknown>): number {
      const t: Thread = { id: ++rig.nthread, task, on: null, thrown: null };
      rig.all.set(t.id, t);
      rig.ready.push(t);
      return t.id;
    },
    threadbegin(task: Task<unknown>): number {
      const step = task.next();
      if (step.done === true) return 0;
      const t: Thread = {
        id: ++rig.nthread,
        task,
        on: step.value as unknown as Gate,
        thrown: null,
      };
      rig.all.set(t.id, t);
      t.on?.sleepers.add(t);
      return t.id;
    },
    threadint(id: number): void {
      rig.interrupts++;
      const t = rig.all.get(id);
      if (t === undefined || t.on === null) return;
      t.on.sleepers.delete(t);
      t.on = null;
      t.thrown = new PlanError("interrupted");
      rig.ready.push(t);
    },
  };
}

function* write(rig: Rig, bytes: Uint8Array): Task<number> {
  if (rig.broken) throw new PlanError("i/o on hungup channel");
  rig.output.push(bytes.slice());
  while (rig.stuck) yield* rig.sleep(rig.writes);
  return bytes.length;
}

/** An interrupted rendezvous gives no value, as the kernel's. */
function* meet(rig: Rig, tag: unknown, value: unknown): Task<unknown> {
  const other = rig.meets.get(tag);
  if (other !== undefined) {
    rig.meets.delete(tag);
    other.met = true;
    rig.open(other.gate);
    return other.value;
  }
  const me = { gate: new Gate(), value, met: false };
  rig.meets.set(tag, me);
  try {
    while (!me.met) yield* rig.sleep(me.gate);
  } catch {
    if (!me.met) rig.meets.delete(tag);
    return me.met ? me.value : undefined;
  }
  return me.value;
}

/** Cuts bytes into chunks at random places. */
export function shred(bytes: Uint8Array, pick: Chance): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let o = 0; o < bytes.length;) {
    const n = 1 + pick(pick(2) === 0 ? 12 : 300);
    chunks.push(bytes.slice(o, o + n));
    o += n;
  }
  return chunks;
}
