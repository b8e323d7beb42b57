// Time is a parameter: the kernel has one Clock, real or virtual, and a heap of timers on it. All times
// here are nanoseconds since boot, as numbers (exact up to 104 days); nsec(2) adds the epoch.

/** What the kernel needs of the machine it runs on; the host's side hands it in at boot. */
export interface Host {
  /**
   * Tells the time of the machine. It never goes back.
   *
   * @returns nanoseconds since some fixed moment
   * @example
   * ```ts
   * now: () => performance.now() * 1e6
   * ```
   */
  now(): number;
  /** Nanoseconds from 1970 to the moment when now() was 0. */
  readonly epoch: bigint;
  /** When the time of a virtual clock begins, in nanoseconds since 1970; 2000-01-01 unless given. */
  readonly virtualepoch?: bigint;
  /**
   * Calls a function once.
   *
   * @param ns after at least so many nanoseconds
   * @param fn the function
   * @returns a function that cancels the call
   * @example
   * ```ts
   * alarm(ns, fn) {
   *   const t = setTimeout(fn, ns / 1e6);
   *   return () => clearTimeout(t);
   * }
   * ```
   */
  alarm(ns: number, fn: () => void): () => void;
  /**
   * Lets the host's event loop take one whole turn, with its timers, sockets and promises, and then calls a
   * function.
   *
   * @param fn the function
   * @example
   * ```ts
   * turn: (fn) => void setImmediate(fn)
   * ```
   */
  turn(fn: () => void): void;
  /**
   * Fills a buffer with bytes that cannot be guessed, for #c/random and keys.
   *
   * @param buf the buffer
   * @example
   * ```ts
   * random: (buf) => void crypto.getRandomValues(buf)
   * ```
   */
  random(buf: Uint8Array): void;
}

/** A pending call of fn at time `at`; ties run in the order they were set. */
export class Timer {
  readonly at: number;
  readonly seq: number;
  readonly fn: () => void;
  /** Its place in the heap, -1 when it is not in it. */
  index = -1;
  /** What keeps its order: of two that are due and have the same, the first comes first, whatever chooses. */
  flow: object | null = null;

  constructor(at: number, seq: number, fn: () => void) {
    this.at = at;
    this.seq = seq;
    this.fn = fn;
  }
}

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.seq < b.seq);

/** A binary heap of timers ordered by (at, seq). */
export class Timers {
  readonly #heap: Timer[] = [];
  #seq = 0;

  get first(): Timer | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Those that are due at `now`, in the order set. */
  due(now: number): Timer[] {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return [];
    return this.#heap.filter((t) => t.at <= now).toSorted((a, b) => a.at - b.at || a.seq - b.seq);
  }

  /** The number that the next timer gets. */
  get next(): number {
    return this.#seq;
  }

  add(at: number, fn: () => void): Timer {
    const t = new Timer(at, this.#seq++, fn);
    t.index = this.#heap.length;
    this.#heap.push(t);
    this.#up(t);
    return t;
  }

  /** Cancels t; a timer that has run or was cancelled is left alone. */
  cancel(t: Timer): void {
    if (t.index < 0) return;
    const last = this.#heap.pop();
    if (last !== undefined && last !== t) {
      last.index = t.index;
      this.#heap[t.index] = last;
      this.#up(last);
      this.#down(last);
    }
    t.index = -1;
  }

  #up(t: Timer): void {
    for (;;) {
      const up = this.#heap[(t.index - 1) >> 1];
      if (up === undefined || t.index === 0 || !before(t, up)) return;
      this.#swap(up, t);
    }
  }

  #down(t: Timer): void {
    for (;;) {
      const l = this.#heap[2 * t.index + 1];
      const r = this.#heap[2 * t.index + 2];
      const c = l !== undefined && r !== undefined && before(r, l) ? r : l;
      if (c === undefined || !before(c, t)) return;
      this.#swap(t, c);
    }
  }

  #swap(parent: Timer, child: Timer): void {
    const i = parent.index;
    parent.index = child.index;
    child.index = i;
    this.#heap[parent.index] = parent;
    this.#heap[child.index] = child;
  }
}

/** Where a virtual machine's time starts: 2000-01-01, so that dates look like dates. */
const VIRTUALEPOCH: bigint = 946684800n * 1_000_000_000n;
const SECOND = 1_000_000_000n;

/** The kernel's clock and its timers. `virtual` time moves only when the scheduler says so. */
export class Clock {
  readonly virtual: boolean;
  readonly epoch: bigint;
  readonly timers: Timers = new Timers();
  readonly #host: Host;
  readonly #start: number;
  /** The epoch in whole seconds, and the nanoseconds above them. */
  readonly #epochsec: number;
  readonly #epochrest: number;
  #now = 0;

  constructor(host: Host, virtual: boolean) {
    this.#host = host;
    this.virtual = virtual;
    this.#start = virtual ? 0 : host.now();
    this.epoch = virtual
      ? (host.virtualepoch ?? VIRTUALEPOCH)
      : host.epoch + BigInt(Math.round(this.#start));
    this.#epochsec = Number(this.epoch / SECOND);
    this.#epochrest = Number(this.epoch % SECOND);
  }

  /** Nanoseconds since boot. */
  now(): number {
    return this.virtual ? this.#now : this.#host.now() - this.#start;
  }

  /** Nanoseconds since 1970, as nsec(2). */
  nsec(): bigint {
    return this.epoch + BigInt(Math.round(this.now()));
  }

  /** Seconds since 1970, as time(2) and the times of a Dir. */
  seconds(): number {
    return this.#epochsec + Math.floor((this.#epochrest + Math.round(this.now())) / 1e9);
  }

  /** Moves virtual time to the next timer; false when there is none. */
  jump(): boolean {
    const t = this.timers.first;
    if (t === undefined) return false;
    if (t.at > this.#now) this.#now = t.at;
    return true;
  }

  /** Runs every timer that is due; says how many. */
  expire(): number {
    const now = this.now();
    let n = 0;
    for (let t = this.timers.first; t !== undefined && t.at <= now; t = this.timers.first) {
      this.timers.cancel(t);
      t.fn();
      n++;
    }
    return n;
  }
}
