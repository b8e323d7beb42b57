// The page's cache does what lru-cache does, as far as the kernel and fossil use that.

import test from "ava";
import fc from "fast-check";
import { LRUCache as Whole } from "lru-cache";
import { LRUCache } from "../../userland/web/lru.ts";

const key = fc.nat(6);
const value = fc.record({ key, size: fc.integer({ min: 1, max: 12 }), same: fc.boolean() });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("set" as const), value }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("get" as const, "has" as const, "delete" as const),
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const) }) },
);

type Value = { readonly size: number };

test("entries stay, go and are told of as in lru-cache, whatever is done to them", (t) => {
  let evicted = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), fc.boolean(), (steps, sized) => {
      const told: [string[], string[]] = [[], []];
      const made = told.map((list, i) => {
        const opts = {
          ...(sized ? { maxSize: 20, sizeCalculation: (v: Value) => v.size } : { max: 3 }),
          dispose: (v: Value, k: number, why: string) => void list.push(`${k} ${v.size} ${why}`),
        };
        return i === 0 ? new LRUCache<number, Value>(opts) : new Whole<number, Value>(opts);
      });
      const held = new Map<number, Value>();
      for (const s of steps) {
        const [a, b] = made.map((cache): unknown => {
          if (s.do === "clear") return cache.clear();
          if (s.do !== "set") return cache[s.do](s.key);
          const v = (s.value.same && held.get(s.value.key)) || s.value;
          cache.set(s.value.key, v);
          if (cache === made[1]) held.set(s.value.key, v);
          return undefined;
        });
        t.is(a, b);
        t.deepEqual(told[0], told[1]);
      }
      evicted += told[0].filter((x) => x.endsWith("evict")).length;
    }),
    { numRuns: 300 },
  );
  t.true(evicted > 50);
});
