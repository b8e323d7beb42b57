// The recorded scripts: rc and the commands answer as the real ones did, but for the differences that are listed
// with their reason, and leave nothing behind.

import { readFileSync, readdirSync } from "node:fs";
import test from "ava";
import { disagreement } from "./compare.ts";
import { EXPECTED } from "./expected.ts";
import { type Oracle, answer } from "./machine.ts";

/** The sources, beside which the recorded files lie. */
const DIR = new URL("../../../test/oracles/", import.meta.url);
const NOTHING = { chans: [], fids: [], procs: [], tags: [] };

const files = readdirSync(DIR).filter((f) => f.endsWith(".json"));

for (const file of files)
  test.serial(`${file.replace(".json", "")}: each script is answered as recorded`, async (t) => {
    const scripts = JSON.parse(readFileSync(new URL(file, DIR), "utf8")) as Oracle[];
    const different: string[] = [];
    for (const o of scripts) {
      const a = await answer(o);
      if (disagreement(o, a) !== "") different.push(`${file} ${o.name}`);
      if (a !== null) t.deepEqual(a.audit, NOTHING, o.name);
    }
    t.deepEqual(
      different,
      Object.keys(EXPECTED).filter((name) => name.startsWith(`${file} `)),
    );
  });
