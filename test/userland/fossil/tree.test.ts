// The tree alone, in memory: random puts and deletes agree with a table, through splits, joins and generations.

import assert from "node:assert/strict";
import test from "ava";
import { type Entry, KENTRY, key1 } from "../../../userland/lib/fossil/format.ts";
import { Tree } from "../../../userland/lib/fossil/tree.ts";
import { chance } from "../../../userland/boot/boot.ts";

const entry = (id: number, bytes: number): Entry => {
  const owned = { name: `f${id}`, uid: "glenda", gid: "glenda", muid: "glenda" };
  const times = { atime: 0, mtime: 0, vers: 0, mode: 0, length: bytes };
  return { id, data: id, ...owned, ...times, inline: new Uint8Array(bytes) };
};

test("random puts and deletes in any order agree with a table, whatever nodes they split and join", (t) => {
  for (const seed of [1, 2, 3]) {
    const n = chance(seed);
    const tree = new Tree(
      null,
      1,
      () => undefined,
      () => undefined,
    );
    const table = new Map<string, number>();
    let deepest = 0;
    for (let i = 0; i < 6000; i++) {
      // In turns it grows and shrinks; what is taken out lies together, so that whole nodes become empty.
      const growing = i % 3000 < 2000;
      const k1 = key1(1 + n(40), KENTRY);
      const k2 = 1 + n(200);
      if (growing) {
        const e = entry(i, 1024);
        tree.put(k1, k2, e);
        table.set(`${k1} ${k2}`, i);
      } else
        for (let j = k2; j < k2 + 30; j++) {
          tree.delete(k1, j);
          table.delete(`${k1} ${j}`);
        }
      if (i % 500 === 0) tree.gen++;
      if (tree.root !== null && "level" in tree.root) deepest = Math.max(deepest, tree.root.level);
      if (i % 1000 !== 999) continue;
      const found = new Map<string, number>();
      for (let d = 1; d <= 40; d++)
        tree.range(tree.root, key1(d, KENTRY), 0, (sub, v) => {
          found.set(`${key1(d, KENTRY)} ${sub}`, (v as Entry).id);
          return true;
        });
      const wrong = [...table].filter(([key, id]) => found.get(key) !== id);
      assert.deepEqual([wrong, found.size], [[], table.size], `seed ${seed}, after ${i}`);
      for (const [key, id] of table) {
        const [a = 0, b = 0] = key.split(" ").map(Number);
        assert.equal((tree.get(tree.root, a, b) as Entry | undefined)?.id, id);
      }
    }
    t.true(deepest >= 2);
  }
});
