// A million runs of the simulator (test/kernel/random.test.ts), of all kinds in turns. The first that fails ends it.

import { KINDS } from "../model/random-kinds.ts";
import type { Soakopts } from "./run.ts";

const RUNS = 1_000_000;
/** Runs of a kind before the next has its turn. */
const BATCH = 25;
/** Batches between two lines of progress. */
const LINE = 40;

const cpuseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Does runs until there were enough, or the time is over. */
export async function simulator({
  seed,
  until,
  runs,
  say,
  done: tell,
}: Soakopts): Promise<string | null> {
  const all = runs ?? RUNS;
  const began = cpuseconds();
  const rate = (n: number): string =>
    `${n} runs, ${(n / (cpuseconds() - began)).toFixed(1)} a CPU second`;
  let done = 0;
  for (let batch = 0; done < all && Date.now() < until; batch++) {
    const kind = KINDS[(seed + batch) % KINDS.length];
    if (kind === undefined) break;
    const n = Math.min(BATCH, all - done);
    const failed = await kind.check({ runs: n, seed: seed + batch });
    if (failed !== null) return `${rate(done)}, seed ${seed + batch}, ${kind.title}\n${failed}`;
    done += n;
    const where = (): string =>
      `${rate(done)}, seeds ${seed} to ${seed + batch}; go on with --seed ${seed + batch + 1}`;
    tell(where);
    if (batch % LINE === LINE - 1) say(where());
    // The event loop of the host has its turn, which a simulated run does not need.
    await new Promise((resolve) => setImmediate(resolve));
  }
  say(`${rate(done)}, from seed ${seed}`);
  return null;
}
