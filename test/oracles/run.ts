// npm run oracle -- FILE.json ...: runs recorded scripts and prints where an answer is not the recorded one.

import { readFileSync } from "node:fs";
import { check } from "./compare.ts";
import type { Oracle } from "./machine.ts";

/** The scripts of a file, those of these names (or beginnings) only, when there are any. */
export function scripts(file: string, names: readonly string[] = []): Oracle[] {
  const all = JSON.parse(readFileSync(file, "utf8")) as Oracle[];
  return names.length === 0 ? all : all.filter((o) => names.some((n) => o.name.startsWith(n)));
}

async function main(words: readonly string[]): Promise<void> {
  const files = words.filter((w) => w.endsWith(".json"));
  const names = words.filter((w) => !w.endsWith(".json"));
  let agree = 0;
  let all = 0;
  for (const file of files)
    for (const o of scripts(file, names)) {
      all++;
      const text = await check(o);
      if (text === "") agree++;
      else process.stdout.write(`${file.slice(file.lastIndexOf("/") + 1)} ${o.name}\n${text}`);
    }
  process.stdout.write(`${agree} of ${all} agree\n`);
  process.exit(agree === all ? 0 : 1);
}

if (process.argv[1]?.endsWith("/run.js") === true) await main(process.argv.slice(2));
