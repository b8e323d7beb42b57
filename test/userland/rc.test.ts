// rc by random programs: each ends, or says a syntax error, and leaves nothing behind.

import test from "ava";
import { Grammar, fate } from "../model/random-rc.ts";

const PROGRAMS = 200;
const KILLS = 60;

test("random programs end and leave nothing behind, and most of them run", async (t) => {
  let ran = 0;
  for (let seed = 0; seed < PROGRAMS; seed++) {
    const text = new Grammar(seed).program();
    const f = await fate(text);
    t.is(f.wrong, "", `seed ${seed}\n${text}`);
    if (f.ran) ran++;
  }
  t.true(ran >= 0.7 * PROGRAMS, `${ran} of ${PROGRAMS} ran three commands or more`);
});

test("a kill at any moment of a program leaves nothing behind", async (t) => {
  for (let seed = 0; seed < KILLS; seed++) {
    const text = new Grammar(seed).program();
    const f = await fate(text, seed % 40);
    t.is(f.wrong, "", `seed ${seed}\n${text}`);
  }
});
