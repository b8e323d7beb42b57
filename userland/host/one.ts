// rc and all that it needs in one file, one/rc.cjs, which npm run build makes: two hundred modules take Node longer
// to find and to link than rc takes to run a script. Beside it lies what V8 made of it, one/rc.cache, which spares the
// compiling; another version of V8 does not take it, and compiles.

import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import type { Command } from "./command.ts";

/** The one file, and what V8 made of it. */
const FILE: URL = new URL("one/rc.cjs", import.meta.url);
export const CACHE: URL = new URL("one/rc.cache", import.meta.url);

/** The rooms that the file is made of; tsc leaves a trace of each build. */
const ROOMS = "kernel devices syscalls userland userland/boot userland/view userland/host".split(
  " ",
);

/** The command, and the script that it comes from. */
export type One = { readonly rc: Command; readonly script: Script };

/** When a file was written; 0 for one that is not there. */
const mtime = (file: URL): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Whether there is such a file, no older than what it was made of. */
export function isfresh(): boolean {
  const made = mtime(FILE);
  const root = new URL("../../", import.meta.url);
  const traces = ROOMS.map((room) => new URL(`${room}/tsconfig.tsbuildinfo`, root));
  return made > 0 && traces.every((trace) => mtime(trace) <= made);
}

/** Loads the file. */
export function loadone(): One {
  const filename = fileURLToPath(FILE);
  const cachedData = mtime(CACHE) > 0 ? readFileSync(CACHE) : undefined;
  const source = readFileSync(FILE, "utf8");
  const script = new Script(
    `(function (exports, require, module, __filename) {${source}\n})`,
    cachedData === undefined ? { filename } : { filename, cachedData },
  );
  type Wrapper = (exports: object, require: unknown, module: object, filename: string) => void;
  const wrapper = script.runInThisContext() as Wrapper;
  const module: { exports: object } = { exports: {} };
  wrapper(module.exports, createRequire(FILE), module, filename);
  return { rc: (module.exports as { readonly rc: Command }).rc, script };
}
