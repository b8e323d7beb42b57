// Fair comparisons on a machine that is not idle: contestants take turns, A B C A B C ..., in short
// rounds. What counts is the median of each one's rounds, and for two the median of their ratios round by
// round, since what disturbs one disturbs the other. Nothing here asserts anything.

/** Does its operation about n times; gives the number it did. */
export type Contestant = { readonly name: string; readonly run: (n: number) => Promise<number> };

/** How long to measure, and by which clock, in ms: the wall's unless another is given. */
export type Effort = {
  readonly rounds: number;
  readonly ms: number;
  readonly clock?: () => number;
};

const wall = (): number => performance.now();

/** The processor time of this process: what does not wait takes as much on a busy machine. */
export function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Operations per second: of each round, and the median. */
export type Score = {
  readonly name: string;
  readonly rates: readonly number[];
  readonly rate: number;
};

/** Lets the contestants run in turns. */
export async function compete(list: readonly Contestant[], effort: Effort): Promise<Score[]> {
  const now = effort.clock ?? wall;
  const sizes: number[] = [];
  for (const c of list) sizes.push(await size(c, effort.ms, now));
  const rates = list.map((): number[] => []);
  for (let round = 0; round < effort.rounds; round++)
    for (const [i, c] of list.entries()) {
      globalThis.gc?.();
      const began = now();
      const n = await c.run(sizes[i] ?? 1);
      rates[i]?.push((n / (now() - began)) * 1000);
    }
  return list.map(({ name }, i) => ({ name, rates: rates[i] ?? [], rate: middle(rates[i] ?? []) }));
}

/** What the host's compilers need before code is as fast as it will be, in ms. */
const WARM = 500;

/** Warms c up, and finds how many operations take about ms. */
async function size(c: Contestant, ms: number, now: () => number): Promise<number> {
  let n = 16;
  for (let warm = 0; ;) {
    const began = now();
    const did = await c.run(n);
    const took = now() - began;
    warm += took;
    if (warm >= Math.max(2 * ms, WARM) && took >= ms / 4)
      return Math.max(1, Math.round((did * ms) / took));
    if (took < ms / 2) n *= 2;
  }
}

/** How many times faster one is than another, and how far the quartiles of that are from the median. */
export type Ratio = { readonly times: number; readonly spread: number };

/** The ratio of two contestants, round by round. */
export function ratioof(list: readonly Score[], one: string, other: string): Ratio {
  const rates = (name: string): readonly number[] => list.find((s) => s.name === name)?.rates ?? [];
  const others = rates(other);
  const ratios = rates(one).map((r, i) => r / (others[i] ?? NaN));
  const times = middle(ratios);
  return { times, spread: (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 2 / times };
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

const middle = (values: readonly number[]): number => quantile(values, 0.5);

/** The median of what fn gives. */
export async function median(times: number, fn: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < times; i++) values.push(await fn());
  return middle(values);
}

/** 1234567 → "1,234,567"; the first three digits are what can be relied on. */
export function count(n: number): string {
  const digits = Math.max(0, Math.floor(Math.log10(Math.max(1, n))) - 2);
  return (Math.round(n / 10 ** digits) * 10 ** digits).toLocaleString("en-US");
}

/** "3.20x ±4%" */
export function ratio({ times, spread }: Ratio): string {
  return `${times.toFixed(times >= 10 ? 0 : 2)}x ±${Math.round(spread * 100)}%`;
}

/** Rows of words as columns, the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, word] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, word.length);
  const line = (row: readonly string[]): string =>
    row.map((w, i) => (i === 0 ? w.padEnd(widths[i] ?? 0) : w.padStart(widths[i] ?? 0))).join("  ");
  return rows.map((row) => `  ${line(row).trimEnd()}\n`).join("");
}
