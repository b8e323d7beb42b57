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
  const c: Copying = { snap, left: MANY, whole: true };
  try {
    const copied = copy(c, value, 0);
    return { value: copied, whole: c.whole };
  } catch {
    return { value: CUT, whole: false };
  }
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

/**
 * A copy in the making. It is a plain object with functions beside it: V8 forgets a class, and what it compiled for it, when
 * a collection finds no object of that class.
 */
type Copying = { readonly snap: number; left: number; whole: boolean };

function cutoff(c: Copying): string {
  c.whole = false;
  return CUT;
}

function copy(c: Copying, v: unknown, depth: number): unknown {
  if (isplain(v)) return v;
  if (typeof v === "object" && v !== null && !(v instanceof Uint8Array)) {
    if (--c.left < 0 || depth === DEEP) return cutoff(c);
    return Array.isArray(v) ? copylist(c, v, depth) : copyfields(c, v, depth);
  }
  c.whole = false;
  if (v instanceof Uint8Array) return cut(v, c.snap);
  if (typeof v === "function") return v.name === "" ? "program" : v.name;
  return null;
}

function copylist(c: Copying, v: readonly unknown[], depth: number): unknown[] {
  if (v.length > MANY) c.whole = false;
  return v.slice(0, MANY).map((x) => copy(c, x, depth + 1));
}

function copyfields(c: Copying, v: object, depth: number): Record<string, unknown> {
  const to: Record<string, unknown> = { ...v };
  if (Object.getPrototypeOf(v) !== Object.prototype) c.whole = false;
  let n = 0;
  for (const key in to) {
    if (++n > MANY) return narrow(c, to);
    const x = to[key];
    if (!isplain(x)) to[key] = copy(c, x, depth + 1);
  }
  return to;
}

/** The first fields of many. */
function narrow(c: Copying, v: Record<string, unknown>): Record<string, unknown> {
  c.whole = false;
  return Object.fromEntries(Object.entries(v).slice(0, MANY));
}
