// Copies of what programs give to calls and get from them: of data the first bytes, of a function its name. A
// program may give what is deep, wide, or holds itself (that is cut), or what throws when it is looked at.
// A copy is whole when it says all that its original does, so that a text can be made of it later.

import { copyof } from "../../../kernel/abi/slab.ts";

/** How deep a value is copied, how many values in it, and how many fields of each. */
const DEEP = 16;
const MANY = 1000;
const CUT = "…";

/** A copy, and whether it is whole. */
export type Kept = { readonly value: unknown; readonly whole: boolean };

const NONE: Kept = { value: null, whole: false };

/** A copy of a value; `snap` is how many bytes of data. */
export function kept(value: unknown, snap: number): Kept {
  if (isplain(value)) return { value, whole: true };
  if (value === undefined) return NONE;
  const copier = new Copier(snap);
  const copy = copier.safely(value);
  return { value: copy, whole: copier.whole };
}

/** The first `snap` bytes of data, copied. */
export const cut = (data: Uint8Array, snap: number): Uint8Array =>
  copyof(data, 0, Math.min(data.length, snap));

const NODATA = new Uint8Array(0);

/** Copies of the arguments of a call; the one with index `fills` is a buffer that is to be filled, and left out. */
export function arglist(
  args: readonly unknown[],
  snap: number,
  fills: number = -1,
): { readonly list: readonly unknown[]; readonly whole: boolean } {
  // The kernel made this list for the call, and nothing changes it.
  if (args.every(isplain)) return { list: args, whole: true };
  let whole = true;
  const list = args.map((arg, i) => {
    if (i === fills) return NODATA;
    const k = kept(arg, snap);
    whole &&= k.whole;
    return k.value;
  });
  return { list, whole };
}

/** Whether a value cannot change and stands for itself, also in JSON. */
function isplain(v: unknown): boolean {
  return v === null || (typeof v !== "object" && typeof v !== "function" && v !== undefined);
}

class Copier {
  readonly #snap: number;
  #left = MANY;
  whole = true;

  constructor(snap: number) {
    this.#snap = snap;
  }

  safely(v: unknown): unknown {
    try {
      return this.#copy(v, 0);
    } catch {
      return this.#cut();
    }
  }

  #cut(): string {
    this.whole = false;
    return CUT;
  }

  #copy(v: unknown, depth: number): unknown {
    if (isplain(v)) return v;
    if (typeof v === "object" && v !== null && !(v instanceof Uint8Array)) {
      if (--this.#left < 0 || depth === DEEP) return this.#cut();
      return Array.isArray(v) ? this.#list(v, depth) : this.#fields(v, depth);
    }
    this.whole = false;
    if (v instanceof Uint8Array) return cut(v, this.#snap);
    if (typeof v === "function") return v.name === "" ? "program" : v.name;
    return null;
  }

  #list(v: readonly unknown[], depth: number): unknown[] {
    if (v.length > MANY) this.whole = false;
    return v.slice(0, MANY).map((x) => this.#copy(x, depth + 1));
  }

  #fields(v: object, depth: number): Record<string, unknown> {
    const to: Record<string, unknown> = { ...v };
    if (Object.getPrototypeOf(v) !== Object.prototype) this.whole = false;
    let n = 0;
    for (const key in to) {
      if (++n > MANY) return this.#narrow(to);
      const x = to[key];
      if (!isplain(x)) to[key] = this.#copy(x, depth + 1);
    }
    return to;
  }

  /** The first fields of many. */
  #narrow(v: Record<string, unknown>): Record<string, unknown> {
    this.whole = false;
    return Object.fromEntries(Object.entries(v).slice(0, MANY));
  }
}
