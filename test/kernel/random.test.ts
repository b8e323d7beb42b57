// The simulator: random operations of several processes on several servers, under random delays and in any order,
// on both name spaces, and on a model in memory; all that is seen is the same. Servers are ramfs, or exportfs
// over a tree whose calls are slow, fail and change their order, with hostile clients beside those compared.
//
// RANDOM_RUNS says how many runs there are of each kind. A failure prints what makes the same run again:
//
//	RANDOM_SEED=1 RANDOM_PATH=2:0 npx ava test/kernel/random.test.ts --match='the title that failed'

import test from "ava";
import type { ExecutionContext } from "ava";
import fc from "fast-check";
import { runfaults } from "./random-faults.ts";
import type { Faultcase } from "./random-faults.ts";
import { operations } from "./random-operations.ts";
import { runcase, runhostile } from "./random-run.ts";
import type { Case } from "./random-run.ts";

const RUNS = Number(process.env["RANDOM_RUNS"] ?? 6);
const SEED = process.env["RANDOM_SEED"];
const PATH = process.env["RANDOM_PATH"];

function cases(namespace: Case["namespace"], version: string): fc.Arbitrary<Case> {
  return fc.record({
    hostile: fc.constant(null),
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

/** Times are compared, so links have no chances of their own. */
function hostilecases(namespace: Case["namespace"], version: string): fc.Arbitrary<Case> {
  return fc.record({
    seed: fc.nat(),
    namespace: fc.constant(namespace),
    version: fc.constant(version),
    rtt: fc.constantFrom("0ms", "1ms", "20ms"),
    jitter: fc.constant("0ms"),
    loss: fc.constant("0%"),
    shared: fc.boolean(),
    stalls: fc.constant([]),
    procs: fc.array(operations(30), { minLength: 1, maxLength: 3, size: "max" }),
    hostile: fc.integer({ min: 1, max: 3 }),
  });
}

/** Checks a property over and over; a failure says how to make it again. */
async function holds<T>(
  t: ExecutionContext,
  all: fc.Arbitrary<T>,
  property: (c: T) => Promise<unknown>,
): Promise<void> {
  t.timeout(600_000);
  const result = await fc.check(
    fc.asyncProperty(all, async (c) => void (await property(c))),
    {
      numRuns: RUNS,
      ...(SEED !== undefined && { seed: Number(SEED) }),
      ...(PATH !== undefined && { path: PATH }),
    },
  );
  const { counterexample, errorInstance } = result;
  const at = `again: RANDOM_SEED=${result.seed} RANDOM_PATH=${result.counterexamplePath} npx ava test/kernel/random.test.ts --match='${t.title}'`;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  if (result.failed) t.fail(`${at}\n${why}\n${JSON.stringify(counterexample)}`);
  else t.pass();
}

function faultcases(namespace: Case["namespace"], version: string): fc.Arbitrary<Faultcase> {
  const fault = fc.record({
    what: fc.constantFrom(
      "cut",
      "heal",
      "stall",
      "kill",
      ...Array.from({ length: 16 }, () => "note" as const),
    ),
    after: fc.nat(30),
    n: fc.nat(11),
  });
  return fc.record({
    seed: fc.nat(),
    namespace: fc.constant(namespace),
    version: fc.constant(version),
    rtt: fc.constantFrom("1ms", "20ms", "20ms"),
    exported: fc.boolean(),
    faults: fc.array(fault, { maxLength: 80, size: "max" }),
    procs: fc.array(operations(60), { minLength: 1, maxLength: 4, size: "max" }),
  });
}

const KINDS = [
  ["names", "9P2000.ix.stream"],
  ["names", "9P2000.ix"],
  ["names", "9P2000"],
  ["standard", "9P2000"],
] as const;

for (const [namespace, version] of KINDS) {
  test(`random operations on ${namespace} over ${version} do as the model`, (t) =>
    holds(t, cases(namespace, version), runcase));

  test(`clients of an exportfs see nothing of hostile ones, on ${namespace} over ${version}`, (t) =>
    holds(t, hostilecases(namespace, version), runhostile));

  test(`cuts, kills and notes leave nothing behind, on ${namespace} over ${version}`, (t) =>
    holds(t, faultcases(namespace, version), runfaults));
}
