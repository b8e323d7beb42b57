// 10,000 random programs of rc (test/model/random-rc.ts); every third is killed on its way. The first that goes
// wrong ends it.

import { Grammar, fate } from "../model/random-rc.ts";
import type { Soakopts } from "./run.ts";

const RUNS = 10_000;
/** Programs between two lines of progress. */
const LINE = 1000;
/** Of the programs that are not killed, so many must run three commands or more. */
const SHARE = 0.7;

/** Runs programs until there were enough, or the time is over. */
export async function rc({ seed, until, runs, say }: Soakopts): Promise<string | null> {
  const all = runs ?? RUNS;
  let whole = 0;
  let ran = 0;
  for (let i = 0; i < all && Date.now() < until; i++) {
    const text = new Grammar(seed + i).program();
    const kill = i % 3 === 2 ? i % 60 : null;
    const f = await fate(text, kill);
    if (f.wrong !== "") return `seed ${seed + i}: ${f.wrong}\n${text}`;
    if (kill === null) whole++;
    if (kill === null && f.ran) ran++;
    if (i % LINE === LINE - 1)
      say(`${i + 1} programs; ${ran} of ${whole} ran three commands or more`);
  }
  return ran < SHARE * whole ? `only ${ran} of ${whole} ran three commands or more` : null;
}
