// The zoo of examples/races: the explorer finds each fault, and nothing in the mended twins. Each faulty program
// passes as namec run would run it.
import { readdirSync } from "node:fs";
import test from "ava";
import type { Main } from "../syscalls/sys.ts";
import type { Faultkind, Machine } from "../userland/testing/index.ts";
import { explore, machine, replay } from "../userland/testing/index.ts";
import * as append from "../examples/races/append.ts";
import * as createrace from "../examples/races/createrace.ts";
import * as fdreuse from "../examples/races/fdreuse.ts";
import * as flush from "../examples/races/flush.ts";
import * as locks from "../examples/races/locks.ts";
import * as lostupdate from "../examples/races/lostupdate.ts";
import * as lostwakeup from "../examples/races/lostwakeup.ts";
import * as notesleep from "../examples/races/notesleep.ts";
import * as philosophers from "../examples/races/philosophers.ts";
import * as pipeends from "../examples/races/pipeends.ts";
import * as pipes from "../examples/races/pipes.ts";
import * as renamerace from "../examples/races/renamerace.ts";
import * as rendezvous from "../examples/races/rendezvous.ts";
import * as tornread from "../examples/races/tornread.ts";
import * as zombie from "../examples/races/zombie.ts";

type Race = {
  readonly default: Main;
  readonly mended: Main;
};

/** Outcomes of the faulty program, good and bad, and how each bad one shows. */
const zoo: Readonly<
  Record<
    string,
    { readonly race: Race; readonly outcomes: number; readonly faults: readonly Faultkind[] }
  >
> = {
  append: { race: append, outcomes: 3, faults: ["status", "status"] },
  createrace: { race: createrace, outcomes: 2, faults: ["status"] },
  fdreuse: { race: fdreuse, outcomes: 3, faults: ["status", "status"] },
  flush: { race: flush, outcomes: 2, faults: ["status"] },
  locks: { race: locks, outcomes: 2, faults: ["deadlock"] },
  lostupdate: { race: lostupdate, outcomes: 2, faults: ["status"] },
  lostwakeup: { race: lostwakeup, outcomes: 2, faults: ["deadlock"] },
  notesleep: { race: notesleep, outcomes: 2, faults: ["deadlock"] },
  philosophers: { race: philosophers, outcomes: 2, faults: ["deadlock"] },
  pipeends: { race: pipeends, outcomes: 2, faults: ["deadlock"] },
  pipes: { race: pipes, outcomes: 2, faults: ["deadlock"] },
  renamerace: { race: renamerace, outcomes: 2, faults: ["status"] },
  rendezvous: { race: rendezvous, outcomes: 3, faults: ["status", "status"] },
  tornread: { race: tornread, outcomes: 2, faults: ["status"] },
  zombie: { race: zombie, outcomes: 2, faults: ["leak"] },
};

const sceneof = (main: Main) => (m: Machine) => m.run(main);

for (const [name, { race, outcomes, faults }] of Object.entries(zoo)) {
  test(`${name}: the fault is found, by a schedule that repeats it`, async (t) => {
    const m = await machine();
    await m.run(race.default);
    await m.end();
    const r = await explore(sceneof(race.default));
    t.deepEqual(
      [r.all, r.outcomes.length, r.failures.map((f) => f.kind)],
      [true, outcomes, faults],
    );
    for (const f of r.failures) {
      t.true(f.switches > 0 && f.switches < 3, f.schedule);
      const again = await replay(sceneof(race.default), f.schedule);
      t.deepEqual([again.fault?.kind, again.what, again.misled], [f.kind, f.what, null]);
    }
  });

  test(`${name}: in the mended twin nothing is found`, async (t) => {
    const r = await explore(sceneof(race.mended));
    t.deepEqual([r.all, r.failures], [true, []], r.show());
  });
}

test("every program of the zoo is tested", (t) => {
  const files = readdirSync("examples/races").map((f) => f.replace(".ts", ""));
  t.deepEqual(files.toSorted(), Object.keys(zoo).toSorted());
});
