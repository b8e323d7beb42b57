// A link of the simulated network: when what is sent over it arrives. The connections over it are
// ip-sim.ts's. All times are whole nanoseconds of the kernels' clock:
//
//	sent     = when the wire is free + n bytes / bandwidth, in each direction for itself
//	arrives  = sent + rtt/2 + up to jitter + retransmissions of what was lost
//
// A burst without a gap takes exactly the time of all its bytes. Where rtt is odd, the way back takes the greater
// half. A loss is what it is above TCP: a delay, for which all that follows in that connection waits. A
// stall holds up all that is on the way or about to be sent; a cut drops it.

import type { Timer } from "../../kernel/proc/clock.ts";
import type { Chance, Sched } from "../../kernel/proc/sched.ts";

/** What a link is like: nanoseconds, bytes a second, and the probability that a packet is lost. */
export type Linkopts = {
  readonly rtt: number;
  /** For each direction; without it there is no limit. */
  readonly bw?: number;
  /** From the second machine to the first, where that differs. */
  readonly bwback?: number;
  readonly jitter?: number;
  readonly loss?: number;
};

/** Data bytes of a packet, as far as loss is concerned. */
const PACKET = 1460;
/** A packet that is lost is sent again after two round trips or this, then after twice that, and so on. */
const MINRTO = 200_000_000;
const MAXTRIES = 8;
const SECOND = 1e9;

/** What keeps its order on the way: one direction of a connection. */
export type Flow = {
  /** When its last piece arrives, without what stalls have added since. */
  last: number;
};

/** Something that will happen on a link. */
type Due = { at: number; timer: Timer | null; readonly flow: Flow | null; readonly fn: () => void };

/** One direction of a link. */
export class Way {
  readonly #sched: Sched;
  readonly #chance: Chance;
  readonly #delay: number;
  readonly #bw: number;
  readonly #jitter: number;
  readonly #loss: number;
  readonly #rto: number;
  readonly #due = new Set<Due>();
  /** When the wire is free, and the bytes × SECOND that this leaves out by being whole nanoseconds. */
  #free = 0;
  #rest = 0;
  /** What stalls have added so far. */
  #stalled = 0;

  /** `back`: it is the way from the second machine to the first. */
  constructor(sched: Sched, chance: Chance, l: Linkopts, back: boolean) {
    const half = Math.floor(l.rtt / 2);
    this.#sched = sched;
    this.#chance = chance;
    this.#delay = back ? l.rtt - half : half;
    this.#bw = (back ? (l.bwback ?? l.bw) : l.bw) ?? Infinity;
    this.#jitter = l.jitter ?? 0;
    this.#loss = l.loss ?? 0;
    this.#rto = Math.max(MINRTO, 2 * l.rtt);
  }

  /**
   * Sends n bytes: calls `arrived` when they are there, with how much later that is because packets were lost. Gives
   * the time when they are on the wire.
   */
  send(n: number, flow: Flow, arrived: (lost: number) => void): number {
    const sent = this.#transmit(n);
    const lost = this.#retransmit(n);
    let at = sent + this.#delay + lost;
    if (this.#jitter > 0) at += this.#chance(this.#jitter + 1);
    at = Math.max(at, flow.last + this.#stalled);
    flow.last = at - this.#stalled;
    this.#arm({ at, timer: null, flow, fn: () => arrived(lost) });
    return sent;
  }

  /** Whether the time has come. */
  isnow(at: number): boolean {
    return at <= this.now;
  }

  get now(): number {
    return this.#sched.clock.now();
  }

  /** Takes the wire for n bytes; gives the time when they are on it. */
  #transmit(n: number): number {
    const now = this.#sched.clock.now();
    if (now > this.#free) {
      this.#free = now;
      this.#rest = 0;
    }
    if (this.#bw !== Infinity) {
      const work = this.#rest + n * SECOND;
      const ns = Math.floor(work / this.#bw);
      this.#rest = work - ns * this.#bw;
      this.#free += ns;
    }
    return this.#free;
  }

  /** How much later n bytes come because some of their packets were lost. */
  #retransmit(n: number): number {
    if (this.#loss === 0) return 0;
    let delay = 0;
    let packets = Math.max(1, Math.ceil(n / PACKET));
    for (let tries = 0; tries < MAXTRIES; tries++) {
      let lost = 0;
      for (let i = 0; i < packets; i++) if (this.#chance(1e9) < this.#loss * 1e9) lost++;
      if (lost === 0) break;
      delay += this.#rto * 2 ** tries;
      packets = lost;
    }
    return delay;
  }

  /** Calls fn at a time that send gave: later when a stall comes between, not at all after a cut. */
  at(at: number, fn: () => void): void {
    this.#arm({ at, timer: null, flow: null, fn });
  }

  #arm(d: Due): void {
    this.#due.add(d);
    d.timer = this.#sched.timer(d.at - this.#sched.clock.now(), () => {
      this.#due.delete(d);
      d.fn();
    });
    d.timer.flow = d.flow;
  }

  #disarm(): Due[] {
    const all = [...this.#due];
    this.#due.clear();
    for (const d of all) if (d.timer !== null) this.#sched.cancel(d.timer);
    return all;
  }

  /** Everything on the way comes ns later, and nothing is sent in that time. */
  stall(ns: number): void {
    this.#transmit(0);
    this.#free += ns;
    this.#stalled += ns;
    for (const d of this.#disarm()) this.#arm({ ...d, at: d.at + ns, timer: null });
  }

  /** Everything on the way is lost. */
  cut(): void {
    this.#disarm();
    this.#free = this.#rest = 0;
  }
}

/** What a cut breaks: a connection, or a call on its way. */
export interface Cuttable {
  cut(): void;
}

/** A link between two machines, which are only names here. */
export class Link {
  readonly a: string;
  readonly b: string;
  up = true;
  /** What lives over it. */
  readonly conns: Set<Cuttable> = new Set();
  readonly #there: Way;
  readonly #back: Way;

  constructor(sched: Sched, chance: Chance, [a, b]: readonly [string, string], l: Linkopts) {
    this.a = a;
    this.b = b;
    this.#there = new Way(sched, chance, l, false);
    this.#back = new Way(sched, chance, l, true);
  }

  /** The way that leads away from a machine. */
  from(name: string): Way {
    return name === this.a ? this.#there : this.#back;
  }

  /** Hangs up every connection over it; until heal, calls go unanswered. */
  cut(): void {
    this.up = false;
    this.#there.cut();
    this.#back.cut();
    const all = [...this.conns];
    this.conns.clear();
    for (const c of all) c.cut();
  }

  /** Lets new calls through. */
  heal(): void {
    this.up = true;
  }

  /** Delays all that is on the way, both ways, and all that would be sent meanwhile, by ns. */
  stall(ns: number): void {
    this.#there.stall(ns);
    this.#back.stall(ns);
  }
}
