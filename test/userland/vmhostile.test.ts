// Programs of chance with memories of their own: two runs with the same seed give the same recording, and hostile
// ones hurt neither the kernel nor another process.

import test from "ava";
import { randomrun, undisturbed } from "../model/random-vmruns.ts";
import { HOSTILE, hostile, hostilemade, usual } from "../model/random-vm.ts";

/** Programs of each kind here; npm run soak does a thousand. */
const SOME = 25;

test("runs with the same seed give the same recording, byte by byte", async (t) => {
  for (let seed = 1; seed <= SOME; seed++) {
    const text = usual(seed);
    const [first, again] = [await randomrun(text, seed), await randomrun(text, seed)];
    t.is(again, first, `seed ${seed}:\n${text}`);
  }
  // Another seed is another schedule, and other chances: else nothing above would be tested.
  const text = usual(1);
  t.not(await randomrun(text, 1), await randomrun(text, 2));
});

for (const text of HOSTILE)
  test(`hurts nobody: ${text.slice(0, 90)}`, async (t) => {
    t.is(await undisturbed(hostile(text)), null);
  });

test("hostile programs of chance hurt neither the kernel nor another process", async (t) => {
  for (let seed = 1; seed <= SOME; seed++) {
    const text = hostilemade(seed);
    t.is(await undisturbed(text), null, `seed ${seed}:\n${text}`);
  }
});
