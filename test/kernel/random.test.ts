// The simulator: random operations of several processes on several servers, under random delays and in any order,
// on both name spaces, and on a model in memory; all that is seen is the same. Servers are ramfs, or exportfs
// over a tree whose calls are slow, fail and change their order, with hostile clients beside those compared.
//
// RANDOM_RUNS says how many runs there are of each kind; npm run soak does a million. A failure prints what makes
// the same run again:
//
//	RANDOM_SEED=1 RANDOM_PATH=2:0 npx ava test/kernel/random.test.ts --match='the title that failed'

import test from "ava";
import { KINDS } from "../model/random-kinds.ts";

const RUNS = Number(process.env["RANDOM_RUNS"] ?? 10);
const SEED = process.env["RANDOM_SEED"];
const PATH = process.env["RANDOM_PATH"];

for (const { title, check } of KINDS)
  test(title, async (t) => {
    t.timeout(600_000);
    const seed = SEED === undefined ? (Math.random() * 0x80000000) | 0 : Number(SEED);
    const failed = await check({ runs: RUNS, seed, ...(PATH !== undefined && { path: PATH }) });
    t.is(failed, null);
  });
