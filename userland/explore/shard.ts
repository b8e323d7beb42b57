// How a search is split over machines. In its first choices every way is gone, in the same order by all parts, and
// what follows a way is the work of one of them: the ways are dealt out like cards.

/** One of several parts of a search: "3/8" is part 3 of 8. */
export type Shard = { readonly part: number; readonly of: number };

/** Ways for each part of a search, at least. */
export const WAYS = 16;

/** No part: it follows no way to its end, and counts the ways. */
export const NOPART: Shard = { part: 0, of: 1 };

/** The ways through the first choices, as one part has them. */
export class Deal {
  readonly #shard: Shard | null;
  /** Choices that are made in every way. */
  readonly #depth: number;
  #way = 0;
  /** Ways that were left at the choice behind the first ones. */
  #cut = 0;
  /** The schedule goes a way of this part's, behind the first choices. */
  #inside = false;

  constructor(shard: Shard | null, depth?: number) {
    this.#shard = shard;
    this.#depth = shard === null ? 0 : (depth ?? Math.ceil(Math.log2(WAYS * shard.of)));
  }

  /** Ways there were, and whether any is longer than the first choices. */
  get ways(): { readonly n: number; readonly longer: boolean } {
    return { n: this.#way, longer: this.#cut > 0 };
  }

  /** Whether a choice is among the first: `before` choices of several came before it. */
  first(before: number): boolean {
    return before < this.#depth;
  }

  /** The choice behind the first ones is reached: whether what follows is this part's. */
  mine(): boolean {
    if (this.#shard === null || this.#inside) return true;
    this.#inside = this.#next();
    if (!this.#inside) this.#cut++;
    return this.#inside;
  }

  /** The schedule has ended: whether it is another part's, which only one that has few choices can be. */
  theirs(): boolean {
    return this.#shard !== null && !this.#inside && !this.#next();
  }

  /** So many choices of several are left of the way, from which the next schedule goes on. */
  back(left: number): void {
    if (left <= this.#depth) this.#inside = false;
  }

  #next(): boolean {
    const { part, of } = this.#shard ?? { part: 1, of: 1 };
    return this.#way++ % of === part - 1;
  }
}
