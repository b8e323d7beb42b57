// Fair comparisons on a machine that is not idle: contestants take turns, A B C A B C ..., in short
// rounds, and what counts is the median of each one's rounds. Nothing here asserts anything.

/** Does its operation about n times; gives the number it did. */
export type Contestant = { readonly name: string; readonly run: (n: number) => Promise<number> };

/** How long to measure. */
export type Effort = { readonly rounds: number; readonly ms: number };

/** Operations per second, the median of the rounds, and how far the rounds' quartiles are from it. */
export type Score = { readonly name: string; readonly rate: number; readonly spread: number };

/** Lets the contestants run in turns. */
export async function compete(list: readonly Contestant[], effort: Effort): Promise<Score[]> {
  const sizes: number[] = [];
  for (const c of list) sizes.push(await size(c, effort.ms));
  const rates = list.map((): number[] => []);
  for (let round = 0; round < effort.rounds; round++)
    for (const [i, c] of list.entries()) {
      globalThis.gc?.();
      const began = performance.now();
      const n = await c.run(sizes[i] ?? 1);
      rates[i]?.push((n / (performance.now() - began)) * 1000);
    }
  return list.map(({ name }, i) => score(name, rates[i] ?? []));
}

/** Warms c up, and finds how many operations take about ms. */
async function size(c: Contestant, ms: number): Promise<number> {
  let n = 16;
  for (let warm = 0; ;) {
    const began = performance.now();
    const did = await c.run(n);
    const took = performance.now() - began;
    warm += took;
    if (warm >= 2 * ms && took >= ms / 4) return Math.max(1, Math.round((did * ms) / took));
    if (took < ms / 2) n *= 2;
  }
}

function score(name: string, rates: readonly number[]): Score {
  const sorted = rates.toSorted((a, b) => a - b);
  const rate = at(sorted, 0.5);
  return { name, rate, spread: rate === 0 ? 0 : (at(sorted, 0.75) - at(sorted, 0.25)) / 2 / rate };
}

const at = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

/** The median of what fn gives. */
export async function median(times: number, fn: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < times; i++) values.push(await fn());
  return at(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** 1234567 → "1,234,567"; the first three digits are what can be relied on. */
export function count(n: number): string {
  const digits = Math.max(0, Math.floor(Math.log10(Math.max(1, n))) - 2);
  return (Math.round(n / 10 ** digits) * 10 ** digits).toLocaleString("en-US");
}

/** 3.2 → "3.2x" */
export const ratio = (a: number, b: number): string =>
  b === 0 ? "-" : `${(a / b).toFixed(a / b >= 10 ? 0 : 2)}x`;

/** Rows of words as columns, the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, word] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, word.length);
  const line = (row: readonly string[]): string =>
    row.map((w, i) => (i === 0 ? w.padEnd(widths[i] ?? 0) : w.padStart(widths[i] ?? 0))).join("  ");
  return rows.map((row) => `  ${line(row).trimEnd()}\n`).join("");
}
