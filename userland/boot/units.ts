// Times, rates, sizes and probabilities as a person writes them: 50ms, 600KB/s, 1%. Here and nowhere else.

/** A value that cannot be read. The message says how it is written, or the hint does. */
export class Unitserror extends Error {
  /** How the value is written. */
  readonly hint: string;

  /**
   * Makes the error of a text that cannot be read.
   *
   * @param message the text, and what is wrong with it
   * @param hint how it is written
   */
  constructor(message: string, hint = "") {
    super(message);
    this.hint = hint;
  }
}

const TIMES: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["µs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
  ["d", 86_400e9],
]);

const RATES: ReadonlyMap<string, number> = new Map([
  ["B/s", 1],
  ["KB/s", 1e3],
  ["MB/s", 1e6],
  ["GB/s", 1e9],
]);

const SIZES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["B", 1],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
]);

/** The number before a unit, and the unit; null when the text is nothing of the kind. */
function measure(text: string): readonly [number: number, unit: string] | null {
  const m = /^(\d+(?:\.\d+)?)\s*([A-Za-zµ/%]*)$/.exec(text.trim());
  return m === null ? null : [Number(m[1]), m[2] ?? ""];
}

/** A time in whole nanoseconds: parsetime("50ms") is 50_000_000. */
export function parsetime(text: string): number {
  const [n, unit] = measure(text) ?? [NaN, ""];
  const ns = n * (TIMES.get(unit) ?? (n === 0 && unit === "" ? 1 : NaN));
  if (Number.isNaN(ns))
    throw new Unitserror(`bad time '${text}': a number and ns, us, ms, s, m, h or d, such as 50ms`);
  if (!Number.isSafeInteger(Math.round(ns))) throw new Unitserror(`bad time '${text}': too long`);
  return Math.round(ns);
}

/** A size in whole bytes: parsesize("64MiB") is 67_108_864, parsesize("1MB") is 1_000_000. */
export function parsesize(text: string): number {
  const [n, unit] = measure(text) ?? [NaN, ""];
  const size = Math.round(n * (SIZES.get(unit) ?? NaN));
  if (Number.isNaN(size))
    throw new Unitserror(
      `bad size '${text}': a number and B, KB, MB, GB, KiB, MiB or GiB, such as 64MiB (KB is 1000 bytes)`,
    );
  if (!Number.isSafeInteger(size)) throw new Unitserror(`bad size '${text}': too big`);
  return size;
}

/** A rate in whole bytes a second: parserate("600KB/s") is 600_000. */
export function parserate(text: string): number {
  const [n, unit] = measure(text) ?? [NaN, ""];
  const rate = Math.round(n * (RATES.get(unit) ?? NaN));
  if (Number.isNaN(rate))
    throw new Unitserror(
      `bad rate '${text}': a number and B/s, KB/s, MB/s or GB/s, such as 600KB/s (KB is 1000 bytes)`,
    );
  if (rate < 1 || rate > 1e12) throw new Unitserror(`bad rate '${text}': from 1B/s to 1000GB/s`);
  return rate;
}

/** A probability: parsechance("1%") and parsechance("0.01") are 0.01. */
export function parsechance(text: string): number {
  const [n, unit] = measure(text) ?? [NaN, ""];
  const p = unit === "%" ? n / 100 : unit === "" ? n : NaN;
  if (!(p >= 0 && p <= 1))
    throw new Unitserror(`bad probability '${text}': from 0 to 1, or a percentage, such as 1%`);
  return p;
}

/** A time as a person reads it, with a unit that keeps it short: showtime(50_000_000) is "50ms". */
export function showtime(ns: number): string {
  for (const unit of ["s", "ms", "us"]) {
    const size = TIMES.get(unit) ?? 1;
    if (ns >= size) return `${Number((ns / size).toFixed(3))}${unit}`;
  }
  return ns === 0 ? "0" : `${ns}ns`;
}
