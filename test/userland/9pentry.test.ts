// The entries that Tstat gives: those that were kept packed are what the server says now.

import test from "ava";
import { type Dir, convM2D, convD2M, sizeD2M } from "../../kernel/abi/dir.ts";
import { packed } from "../../userland/lib/9p/entry.ts";

const DIR: Dir = {
  type: 1,
  dev: 2,
  qid: { path: 3n, vers: 4, type: 5 },
  mode: 6,
  atime: 7,
  mtime: 8,
  length: 9,
  name: "file",
  uid: "glenda",
  gid: "sys",
  muid: "none",
};

const bytesof = (d: Dir): Uint8Array => {
  const buf = new Uint8Array(sizeD2M(d));
  convD2M(d, buf, 0);
  return buf;
};

const CHANGES: readonly Partial<Dir>[] = [
  { type: 100 },
  { dev: 100 },
  { qid: { ...DIR.qid, path: 100n } },
  { qid: { ...DIR.qid, vers: 100 } },
  { qid: { ...DIR.qid, type: 100 } },
  { mode: 100 },
  { atime: 100 },
  { mtime: 100 },
  { length: 100 },
  { name: "f" },
  { uid: "rob" },
  { gid: "a longer group" },
  { muid: "rob" },
  { name: "x".repeat(400) },
];

test("an entry that is asked for again has every change, also of a Dir that its server changed in place", (t) => {
  for (const change of CHANGES) {
    const mine = { ...DIR };
    const what = JSON.stringify(Object.keys(change));
    for (let i = 0; i < 3; i++) t.deepEqual(packed(7, mine).slice(), bytesof(DIR), what);
    Object.assign(mine, change);
    for (let i = 0; i < 3; i++)
      t.deepEqual(packed(7, mine).slice(), bytesof({ ...DIR, ...change }), what);
  }
});

test("fids that share a place get their own files' entries", (t) => {
  const other = { ...DIR, qid: { ...DIR.qid, path: 9n }, name: "other" };
  for (let i = 0; i < 6; i++)
    for (const [fid, d] of [
      [1, DIR],
      [1 + 64 * (i + 1), other],
    ] as const) {
      const bytes = packed(fid, d);
      t.deepEqual(convM2D(bytes, 0, bytes.length)?.dir, d);
    }
});

test("the bytes of an entry that is kept are the same ones", (t) => {
  packed(9, { ...DIR });
  const kept = packed(9, { ...DIR });
  t.is(packed(9, { ...DIR, qid: { ...DIR.qid } }), kept);
});
