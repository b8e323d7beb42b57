// Random operations of several processes on several servers, under random delays and in any order, on both
// name spaces, and on a model in memory: all that is seen is the same. RANDOM_RUNS says how many runs there
// are of each kind, RANDOM_SEED and RANDOM_PATH, which a failure prints, which to make again.

import test from "ava";
import type { ExecutionContext } from "ava";
import fc from "fast-check";
import { operations } from "./random-operations.ts";
import { runcase } from "./random-run.ts";
import type { Case } from "./random-run.ts";

const RUNS = Number(process.env["RANDOM_RUNS"] ?? 12);
const SEED = process.env["RANDOM_SEED"];
const PATH = process.env["RANDOM_PATH"];

function cases(namespace: Case["namespace"], version: string): fc.Arbitrary<Case> {
  return fc.record({
    seed: fc.nat(),
    namespace: fc.constant(namespace),
    version: fc.constant(version),
    rtt: fc.constantFrom("0ms", "1ms", "50ms"),
    jitter: fc.constantFrom("0ms", "20ms"),
    loss: fc.constantFrom("0%", "0%", "5%"),
    shared: fc.boolean(),
    stalls: fc.array(fc.nat(2000), { maxLength: 3 }),
    procs: fc.array(operations(60), { minLength: 1, maxLength: 4, size: "max" }),
  });
}

async function agree(t: ExecutionContext, all: fc.Arbitrary<Case>): Promise<void> {
  const seed = SEED === undefined ? undefined : Number(SEED);
  const result = await fc.check(fc.asyncProperty(all, runcase), {
    numRuns: RUNS,
    ...(seed !== undefined && { seed }),
    ...(PATH !== undefined && { path: PATH }),
    interruptAfterTimeLimit: 50_000,
  });
  const { counterexample, errorInstance } = result;
  const at = `RANDOM_SEED=${result.seed} RANDOM_PATH=${result.counterexamplePath}`;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  if (result.failed) t.fail(`${at}\n${why}\n${JSON.stringify(counterexample)}`);
  else t.pass();
}

for (const [namespace, version] of [
  ["names", "9P2000.ix.stream"],
  ["names", "9P2000.ix"],
  ["names", "9P2000"],
  ["standard", "9P2000"],
] as const)
  test(`random operations on ${namespace} over ${version} do as the model`, async (t) => {
    await agree(t, cases(namespace, version));
  });
