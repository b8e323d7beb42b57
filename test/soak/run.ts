// The soak: tests that take hours. npm run soak does them all, one after another; it ends with status 1 when one
// of them fails, and says how to make the failure again. HELP lists what it can be told.

import { Usage } from "../../userland/host/command.ts";
import { parsed, status } from "../kit/commandline.ts";
import { beside, connections, full, fuzzing, load } from "./parts.ts";
import { fossil, fossilmodel } from "./fossil.ts";
import { live } from "./live.ts";
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
  /** Tells how far the part is: the last of these is what Ctrl-C prints. */
  readonly done: (line: () => string) => void;
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
  { name: "live", fn: told(live) },
  { name: "load", fn: told(load) },
  { name: "vm", fn: vms },
  { name: "fossil", fn: fossil },
  { name: "fossil-model", fn: fossilmodel },
];

const HELP = `usage: npm run soak -- [options]

Runs the tests that take hours, one part after another.

  --only NAME    only this part; may be given more than once (${PARTS.map((p) => p.name).join(", ")})
  --minutes N    each part ends after so many minutes, if not before
  --seed N       where a part begins: 1 unless given
  --runs N       how many runs a part does: of the simulator a million unless given, of rc 10,000, of vm 1,000,
                 kills of fossil 100
  --help         this text

Ctrl-C says how far the part is, and with which seed to go on.

Example: npm run soak -- --only simulator --minutes 10 --seed 1 --runs 5000
`;

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

const OPTIONS = {
  only: { type: "string", multiple: true },
  minutes: { type: "string" },
  seed: { type: "string", default: "1" },
  runs: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** A number that is not below 0. */
function count(name: string, text: string): number {
  const n = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Usage(`--${name} takes a number, and not "${text}"`);
  return n;
}

function partof(name: string): Part {
  const part = PARTS.find((p) => p.name === name);
  if (part !== undefined) return part;
  throw new Usage(`no part "${name}": there are ${PARTS.map((p) => p.name).join(", ")}`);
}

async function main(): Promise<number> {
  const { values } = parsed({ options: OPTIONS });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const parts = values.only?.map(partof) ?? PARTS;
  const seed = count("seed", values.seed);
  const runs = values.runs === undefined ? null : count("runs", values.runs);
  const minutes = values.minutes === undefined ? Infinity : count("minutes", values.minutes);
  let failures = 0;
  let last = (): string => "nothing was done";
  process.on("SIGINT", () => {
    console.log(`interrupted: ${last()}`);
    process.exit(130);
  });
  for (const { name, fn } of parts) {
    const done = (line: () => string): void => void (last = () => `${name}: ${line()}`);
    const say = (line: string): void => {
      console.log(`${name}: ${line}`);
      done(() => line);
    };
    done(() => "begun");
    const until = Date.now() + minutes * 60_000;
    const failed = await fn({ seed, until, runs, say, done });
    if (failed !== null) failures++;
    say(failed === null ? "passed" : `FAILED\n${failed}`);
  }
  return failures === 0 ? 0 : 1;
}

// What a part that failed has left open does not keep the process.
process.exit(await status("soak", main));
