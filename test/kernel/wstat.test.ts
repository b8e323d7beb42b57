// The request of a wstat: what leaves alone, what is out of range, from objects and from bytes.

import test from "ava";
import fc from "fast-check";
import { DMDIR, MAXOFFSET, TOOBIG } from "../../kernel/abi/const.ts";
import { type Dir, type Wstat, nulldir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { checkwstat, getwstat } from "../../kernel/abi/wstat.ts";
import { packdir } from "../kit/frames.ts";

const MAX32 = 2 ** 32 - 1;
const BAD = "bad arg in system call";

function attempt<T>(f: () => T): T | string {
  try {
    return f();
  } catch (e) {
    if (e instanceof PlanError) return e.message;
    throw e;
  }
}

const u32 = fc.nat({ max: MAX32 - 1 });
const word = fc.string({ minLength: 1, maxLength: 12 });
const changes: fc.Arbitrary<Wstat> = fc.record(
  {
    type: fc.nat({ max: 0xfffe }),
    dev: u32,
    qid: fc.record({
      path: fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }),
      vers: u32,
      type: fc.nat({ max: 0xff }),
    }),
    mode: u32,
    atime: u32,
    mtime: u32,
    length: fc.maxSafeNat(),
    name: word,
    uid: word,
    gid: word,
    muid: word,
  },
  { requiredKeys: [] },
);

/** Each way to leave a field alone. */
const ALONE: readonly (readonly [field: keyof Dir, values: readonly unknown[]])[] = [
  ["type", [undefined, 0xffff, -1]],
  ["dev", [undefined, MAX32, -1]],
  ["qid", [undefined, nulldir().qid]],
  ["mode", [undefined, MAX32, -1, ~0]],
  ["atime", [undefined, MAX32, -1]],
  ["mtime", [undefined, MAX32, -1]],
  ["length", [undefined, -1]],
  ["name", [undefined, ""]],
  ["uid", [undefined, ""]],
  ["gid", [undefined, ""]],
  ["muid", [undefined, ""]],
];

test("what leaves alone is in no request, however it is said, and what changes is there as it was given", (t) => {
  const alone = fc.record(
    Object.fromEntries(ALONE.map(([field, values]) => [field, fc.constantFrom(...values)])),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(alone, changes, (nothing, w) => {
      t.deepEqual(checkwstat({ ...nothing, ...w } as Wstat), w);
      t.deepEqual(getwstat(packdir(w)), w);
    }),
  );
  t.deepEqual(checkwstat(nulldir()), {});
  t.deepEqual(getwstat(packdir(nulldir())), {});
});

test("a value of the wrong kind or out of its range is a bad argument, in any field", (t) => {
  const numbers = [NaN, Infinity, -Infinity, 0.5, -2, 2 ** 32, "1", 1n, null, true, {}];
  const bad: Record<keyof Dir, readonly unknown[]> = {
    type: [...numbers, 0x10000],
    dev: numbers,
    mode: [...numbers, (DMDIR | 0o755) - 2 ** 32],
    atime: numbers,
    mtime: numbers,
    length: [...numbers.filter((v) => v !== 2 ** 32), -5, MAXOFFSET + 1, TOOBIG, 2 ** 64],
    name: [0, null, ["x"], 1n, {}],
    uid: [0, null],
    gid: [0, null, ["sys"]],
    muid: [0, null],
    qid: [
      null,
      5,
      { path: 1, vers: 0, type: 0 },
      { path: -1n, vers: 0, type: 0 },
      { path: 2n ** 64n, vers: 0, type: 0 },
      { path: 1n, vers: 0.5, type: 0 },
      { path: 1n, vers: 2 ** 32, type: 0 },
      { path: 1n, vers: 0, type: 256 },
    ],
  };
  for (const [field, values] of Object.entries(bad))
    for (const v of values)
      t.is(
        attempt(() => checkwstat({ [field]: v } as Wstat)),
        BAD,
        `${field} ${typeof v} ${String(v)}`,
      );
  for (const d of [null, undefined, 1, "mode"])
    t.is(
      attempt(() => checkwstat(d as unknown as Wstat)),
      BAD,
    );
});

test("the ends of each range are in it", (t) => {
  const least = { type: 0, dev: 0, mode: 0, atime: 0, mtime: 0, length: 0 };
  const most = {
    type: 0xfffe,
    dev: MAX32 - 1,
    mode: MAX32 - 1,
    atime: MAX32 - 1,
    mtime: MAX32 - 1,
    length: MAXOFFSET,
  };
  t.deepEqual(checkwstat(least), least);
  t.deepEqual(checkwstat(most), most);
});

test("a field is read once, and one that throws is a bad argument", (t) => {
  let reads = 0;
  const twice: Wstat = {
    get mode() {
      return reads++ === 0 ? 0o644 : NaN;
    },
  };
  t.deepEqual(checkwstat(twice), { mode: 0o644 });
  const throws: Wstat = {
    get name(): string {
      throw new Error("no name");
    },
  };
  t.is(
    attempt(() => checkwstat(throws)),
    BAD,
  );
});

test("bytes that are not exactly one entry are no request, and a length beyond 2^53-1 is out of range", (t) => {
  const whole = packdir({ name: "x", length: 7 });
  t.deepEqual(getwstat(whole), { name: "x", length: 7 });
  for (let n = 0; n < whole.length; n++) t.is(getwstat(whole.subarray(0, n)), null, String(n));
  t.is(getwstat(new Uint8Array([...whole, 0])), null);
  t.is(
    attempt(() => getwstat(packdir({ length: TOOBIG }))),
    BAD,
  );
});
