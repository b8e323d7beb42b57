// The soak: tests that take hours. npm run soak does them all, one after another; it ends with status 1 when one
// of them fails, and says how to make the failure again.
//
//	npm run soak -- --only simulator --minutes 10 --seed 1 --runs 5000
//
//	--only name      this part only; may be given more than once
//	--minutes n      each part ends after so many minutes, if not before
//	--seed n         where a part begins: 1 unless given
//	--runs n         how many runs a part does: of the simulator a million unless given, of rc 10,000, of vm 1,000, kills of fossil 100

import { parseArgs } from "node:util";
import { beside, connections, full, fuzzing, load } from "./parts.ts";
import { fossil, fossilmodel } from "./fossil.ts";
import { rc } from "./rc.ts";
import { simulator } from "./simulator.ts";
import { vms } from "./vm.ts";

/** How a part is to run, and where it says how far it is. */
export type Soakopts = {
  readonly seed: number;
  /** When it is to end, as Date.now() tells time. */
  readonly until: number;
  readonly runs: number | null;
  readonly say: (line: string) => void;
};

/** A part: gives what failed, or null. */
type Part = { readonly name: string; readonly fn: (opts: Soakopts) => Promise<string | null> };

const PARTS: readonly Part[] = [
  { name: "rc", fn: rc },
  { name: "simulator", fn: simulator },
  { name: "fuzz-ramfs", fn: told((opts) => fuzzing("ramfs", opts)) },
  { name: "fuzz-exportfs", fn: told((opts) => fuzzing("exportfs", opts)) },
  { name: "connections", fn: told(connections) },
  { name: "full", fn: told(full) },
  { name: "beside", fn: told(beside) },
  { name: "load", fn: told(load) },
  { name: "vm", fn: vms },
  { name: "fossil", fn: fossil },
  { name: "fossil-model", fn: fossilmodel },
];

/** A part that throws what failed. */
function told(fn: (opts: Soakopts) => Promise<void>): Part["fn"] {
  return async (opts) => {
    try {
      await fn(opts);
      return null;
    } catch (e) {
      return `seed ${opts.seed}: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`;
    }
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      minutes: { type: "string" },
      seed: { type: "string", default: "1" },
      runs: { type: "string" },
    },
  });
  const names = values.only ?? PARTS.map((p) => p.name);
  let failures = 0;
  for (const name of names) {
    const part = PARTS.find((p) => p.name === name);
    if (part === undefined)
      throw new Error(`no part ${name}: ${PARTS.map((p) => p.name).join(" ")}`);
    const say = (line: string): void => console.log(`${name}: ${line}`);
    const until =
      values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * 60_000;
    const runs = values.runs === undefined ? null : Number(values.runs);
    const failed = await part.fn({ seed: Number(values.seed), until, runs, say });
    if (failed !== null) failures++;
    say(failed === null ? "passed" : `FAILED\n${failed}`);
  }
  return failures === 0 ? 0 : 1;
}

// What a part that failed has left open does not keep the process.
process.exit(await main());
