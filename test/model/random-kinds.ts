// The kinds of simulated run: random cases of each, as the ordinary tests take a few and the soak a million.

import { inspect } from "node:util";
import fc from "fast-check";
import { runfaults } from "./random-faults.ts";
import type { Faultcase } from "./random-faults.ts";
import { operations } from "./random-operations.ts";
import { runcase, runhostile } from "./random-run.ts";
import type { Case } from "./random-run.ts";

/** How many runs, and from which seed; path leads to one of them, as a failure printed it. */
export type Runs = { readonly runs: number; readonly seed: number; readonly path?: string };

/** A kind of run, with the title of its test. */
export type Kind = {
  readonly title: string;
  /** Does runs until one fails: gives why, and how to make that one again; null when none fails. */
  readonly check: (runs: Runs) => Promise<string | null>;
};

/** The operations of so many processes at most: most have few, so that there are more runs; some have many. */
function programs(most: number): fc.Arbitrary<Case["procs"]> {
  const one = fc.oneof(
    { weight: 3, arbitrary: operations(12) },
    { weight: 1, arbitrary: operations(60) },
  );
  return fc.array(one, { minLength: 1, maxLength: most, size: "max" });
}

type Space = readonly [namespace: Case["namespace"], version: string];

const SPACES: readonly Space[] = [
  ["names", "9P2000.ix.stream"],
  ["names", "9P2000.ix"],
  ["names", "9P2000"],
  ["standard", "9P2000"],
];

function cases([namespace, version]: Space): fc.Arbitrary<Case> {
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
    procs: programs(4),
  });
}

/** Times are compared, so links have no chances of their own. */
function hostilecases([namespace, version]: Space): fc.Arbitrary<Case> {
  return fc.record({
    seed: fc.nat(),
    namespace: fc.constant(namespace),
    version: fc.constant(version),
    rtt: fc.constantFrom("0ms", "1ms", "20ms"),
    jitter: fc.constant("0ms"),
    loss: fc.constant("0%"),
    shared: fc.boolean(),
    stalls: fc.constant([]),
    procs: programs(3),
    hostile: fc.integer({ min: 1, max: 3 }),
  });
}

function faultcases([namespace, version]: Space): fc.Arbitrary<Faultcase> {
  const notes = Array.from({ length: 16 }, () => "note" as const);
  const fault = fc.record({
    what: fc.constantFrom("cut", "heal", "stall", "kill", ...notes),
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
    procs: programs(4),
  });
}

function kind<T>(title: string, all: fc.Arbitrary<T>, property: (c: T) => Promise<unknown>): Kind {
  const holds = fc.asyncProperty(all, async (c) => void (await property(c)));
  const check = async ({ runs, seed, path }: Runs): Promise<string | null> => {
    const how = { numRuns: runs, seed, ...(path !== undefined && { path }) };
    const {
      failed,
      counterexample,
      counterexamplePath,
      errorInstance: e,
    } = await fc.check(holds, how);
    if (!failed) return null;
    const again = `RANDOM_SEED=${seed} RANDOM_PATH=${counterexamplePath} npx ava test/kernel/random.test.ts`;
    const why = e instanceof Error ? inspect(e) : String(e);
    return `again: ${again} --match='${title}'\n${why}\n${JSON.stringify(counterexample)}`;
  };
  return { title, check };
}

/** Every kind, the simplest first. */
export const KINDS: readonly Kind[] = SPACES.flatMap((space) => {
  const on = `on ${space[0]} over ${space[1]}`;
  return [
    kind(`random operations do as the model, ${on}`, cases(space), runcase),
    kind(
      `clients of an exportfs see nothing of hostile ones, ${on}`,
      hostilecases(space),
      runhostile,
    ),
    kind(`cuts, kills and notes leave nothing behind, ${on}`, faultcases(space), runfaults),
  ];
});
