// Whether what a call gave is what a test expects, as data; and where it differs. Values come from programs: they may
// be deep, or hold themselves. So nothing here calls itself.

/** Where two values differ, as a path such as ".qid.type"; and what is there. */
export type Difference = {
  readonly at: string;
  readonly actual: unknown;
  readonly expected: unknown;
};

type Pair = { readonly at: string; readonly a: unknown; readonly b: unknown };

/**
 * The first difference of plain data: numbers, strings, bigints, bytes, arrays and objects; null when there is none.
 * With `part`, an object may have more fields than are expected of it.
 */
export function differ(actual: unknown, expected: unknown, part = false): Difference | null {
  const left: Pair[] = [{ at: "", a: actual, b: expected }];
  const seen = new Map<object, Set<object>>();
  for (let p = left.pop(); p !== undefined; p = left.pop()) {
    const { at, a, b } = p;
    if (Object.is(a, b)) continue;
    const inner = isobject(a) && isobject(b) ? pairs(at, a, b, part) : null;
    if (inner === null || !isobject(a) || !isobject(b)) return { at, actual: a, expected: b };
    if (known(seen, a, b)) continue;
    for (const pair of inner.toReversed()) left.push(pair);
  }
  return null;
}

/** Deep equality of plain data. */
export function same(a: unknown, b: unknown): boolean {
  return differ(a, b) === null;
}

const isobject = (v: unknown): v is object => typeof v === "object" && v !== null;

/** Whether a pair was looked at; it is from now on. */
function known(seen: Map<object, Set<object>>, a: object, b: object): boolean {
  const with_ = seen.get(a);
  if (with_ === undefined) seen.set(a, new Set([b]));
  else if (with_.has(b)) return true;
  else with_.add(b);
  return false;
}

/** What has to be the same for two objects to be; null when they are not. */
function pairs(at: string, a: object, b: object, part: boolean): Pair[] | null {
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array ? bytes(at, a, b) : null;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return null;
    return a.map((x: unknown, i) => ({ at: `${at}[${i}]`, a: x, b: b[i] as unknown }));
  }
  const keys = Object.keys(b);
  if (!part && Object.keys(a).length !== keys.length) return null;
  if (!keys.every((key) => (part ? key in a : Object.hasOwn(a, key)))) return null;
  return keys.map((key) => ({ at: `${at}.${key}`, a: field(a, key), b: field(b, key) }));
}

const field = (o: object, key: string): unknown => Reflect.get(o, key);

function bytes(at: string, a: Uint8Array, b: Uint8Array): Pair[] | null {
  if (a.length !== b.length) return null;
  const i = a.findIndex((x, n) => x !== b[n]);
  return i < 0 ? [] : [{ at: `${at}[${i}]`, a: a[i], b: b[i] }];
}

/** Of an object the fields that `like` has, and so for those; lists whole. What holds itself does so here. */
export function partof(value: unknown, like: unknown): unknown {
  const made = new Map<object, Map<object, object>>();
  const left: { readonly from: object; readonly like: object; readonly to: object }[] = [];
  const copyof = (v: unknown, l: unknown): unknown => {
    if (!isobject(v) || !isobject(l)) return v;
    if (v instanceof Uint8Array || Array.isArray(v) || Array.isArray(l)) return v;
    const known_ = made.get(v)?.get(l);
    if (known_ !== undefined) return known_;
    const to = {};
    made.set(v, (made.get(v) ?? new Map<object, object>()).set(l, to));
    left.push({ from: v, like: l, to });
    return to;
  };
  const top = copyof(value, like);
  for (let x = left.pop(); x !== undefined; x = left.pop())
    for (const key of Object.keys(x.like))
      if (key in x.from)
        Object.defineProperty(x.to, key, {
          value: copyof(field(x.from, key), field(x.like, key)),
          configurable: true,
          enumerable: true,
          writable: true,
        });
  return top;
}
