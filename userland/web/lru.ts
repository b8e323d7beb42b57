// What the page has in the place of lru-cache, whose other uses are most of its size: entries of which the one that
// was used longest ago goes first, when there are more than `max` or their sizes are more than `maxSize`.

/** Why an entry goes: another has its key, it was deleted, or the room was needed. */
type Reason = "set" | "delete" | "evict";

type Options<K, V> = {
  readonly max?: number;
  readonly maxSize?: number;
  readonly sizeCalculation?: (value: V, key: K) => number;
  readonly dispose?: (value: V, key: K, reason: Reason) => void;
};

type Entry<V> = { readonly value: V; readonly size: number };

/** Entries in the order of their last use: a Map keeps the order in which keys were set. */
export class LRUCache<K, V> {
  readonly #entries: Map<K, Entry<V>> = new Map();
  readonly #opts: Options<K, V>;
  #size = 0;

  constructor(opts: Options<K, V>) {
    this.#opts = opts;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The value of a key, which is the one used last then. */
  get(key: K): V | undefined {
    const e = this.#entries.get(key);
    if (e === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, e);
    return e.value;
  }

  /** Gives a key another value; one that is larger than all the room is not kept. */
  set(key: K, value: V): void {
    const { max = Infinity, maxSize = Infinity, sizeCalculation } = this.#opts;
    const size = sizeCalculation?.(value, key) ?? 0;
    const old = this.#entries.get(key);
    this.#drop(key, "set", old?.value !== value || size > maxSize);
    if (size > maxSize) return;
    for (const first of this.#entries.keys()) {
      if (this.#entries.size < max && this.#size + size <= maxSize) break;
      this.#drop(first, "evict");
    }
    this.#entries.set(key, { value, size });
    this.#size += size;
  }

  delete(key: K): boolean {
    return this.#drop(key, "delete");
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.#drop(key, "delete");
  }

  #drop(key: K, reason: Reason, told = true): boolean {
    const e = this.#entries.get(key);
    if (e === undefined) return false;
    this.#entries.delete(key);
    this.#size -= e.size;
    if (told) this.#opts.dispose?.(e.value, key, reason);
    return true;
  }
}
