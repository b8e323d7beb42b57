/**
 * Finds a place in what is in order, by halves.
 *
 * @param n how many there are
 * @param before whether the one with this index, from 0, comes before the place
 * @returns the least index that does not; n if all do
 * @example
 * ```ts
 * search(list.length, (i) => list[i] < x); // where x is, or belongs
 * ```
 */
export function search(n: number, before: (i: number) => boolean): number {
  let [low, high] = [0, n];
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (before(mid)) low = mid + 1;
    else high = mid;
  }
  return low;
}
