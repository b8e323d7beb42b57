// qid.paths that are unique over all that an export shows. Files of several devices may have equal qids, so
// each device gets a number, which goes into the top bits of the qid.path that clients see.

import type { Dir, Qid } from "../../../kernel/abi/dir.ts";

const PATHBITS = 48n;
const PATHMAX = 1n << PATHBITS;
/** The device number of paths that do not leave room for one: those are remembered, the latest of them. */
const LONG = 0xffffn << PATHBITS;
const MAXLONG = 1 << 20;

/** The numbers of the devices, and the paths that are too long for a number beside them. */
export class Qids {
  readonly #devs: Map<string, bigint> = new Map();
  readonly #long: Map<string, bigint> = new Map();
  #nlong = 0n;

  /** The qid of an entry as clients see it. */
  unique(d: Pick<Dir, "type" | "dev" | "qid">): Qid {
    const key = `${d.type}.${d.dev}`;
    const { path } = d.qid;
    if (path >= PATHMAX) return { ...d.qid, path: this.#longpath(`${key}.${path}`) };
    let dev = this.#devs.get(key);
    if (dev === undefined) this.#devs.set(key, (dev = BigInt(this.#devs.size)));
    return dev === 0n ? d.qid : { ...d.qid, path: (dev << PATHBITS) | path };
  }

  #longpath(key: string): bigint {
    const known = this.#long.get(key);
    if (known !== undefined) return known;
    const path = LONG | (this.#nlong++ % PATHMAX);
    this.#long.set(key, path);
    const [oldest] = this.#long.keys();
    if (this.#long.size > MAXLONG && oldest !== undefined) this.#long.delete(oldest);
    return path;
  }
}
