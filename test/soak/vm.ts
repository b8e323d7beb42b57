// Programs of chance with memories of their own: a thousand whose two runs give the same recording, and a thousand
// hostile ones beside a good one.

import { hostilemade, usual } from "../model/random-vm.ts";
import { randomrun, undisturbed } from "../model/random-vmruns.ts";
import type { Soakopts } from "./run.ts";

const RUNS = 1000;
/** How often it is said how far the part is. */
const SAY = 100;

/** Gives what failed, with the seed that makes it again, or null. */
export async function vms(s: Soakopts): Promise<string | null> {
  const runs = s.runs ?? RUNS;
  let done = 0;
  for (let seed = s.seed; seed < s.seed + runs && Date.now() < s.until; seed++) {
    const text = usual(seed);
    const [first, again] = [await randomrun(text, seed), await randomrun(text, seed)];
    if (first !== again) return `seed ${seed}: two runs differ\n${text}`;
    const hurt = await undisturbed(hostilemade(seed));
    if (hurt !== null) return `seed ${seed}: ${hurt}\n${hostilemade(seed)}`;
    if (++done % SAY === 0) s.say(`${done} programs ran twice alike, and ${done} hostile ones`);
  }
  return null;
}
