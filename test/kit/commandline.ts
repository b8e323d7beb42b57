// The command line of the tests' own tools: npm run soak, mutate and sc.

import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";
import { Usage } from "../../userland/host/command.ts";

/** The options and operands that a tool was given. Throws Usage. */
export function parsed<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (e) {
    throw new Usage(e instanceof Error ? e.message : String(e));
  }
}

/** Runs a tool, and gives the status it ends with. A Usage is printed with the command that gives help, and is 2. */
export async function status(name: string, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (e) {
    if (!(e instanceof Usage)) throw e;
    process.stderr.write(`${name}: ${e.message}\ntry npm run ${name} -- --help\n`);
    return 2;
  }
}
