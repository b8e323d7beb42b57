// The commands and all that they need in one file, one/one.cjs, which npm run build makes: two hundred modules take
// Node longer to find and to link than a command takes to run. Beside it lies what V8 made of it, one/one.cache, which
// spares the compiling; another version of V8 does not take it, and compiles.
//
// The file is a table of pieces in CommonJS, each a function. A piece runs when it is required first. All pieces take
// userland/host/one.js for their own place, so what a module finds beside itself is found from the one file, too.
//
// Node gives a script that V8 has compiled before no way to import, so the pieces get one from here.
//
// A program that imports "namec" gets the exports of the pieces, by one/index.js: a PlanError is one class for the
// program and for the kernel that runs it.

import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

/** The one file, and what V8 made of it. */
export const FILE: URL = new URL("one/one.cjs", import.meta.url);
export const CACHE: URL = new URL("one/one.cache", import.meta.url);

/**
 * What stacks call the one file, wherever it lies: V8 keeps the name that it had when it was compiled, on another machine.
 */
export const NAME = "namec:one.cjs";

/** The source map of the piece that has the programs of /bin. */
export const MAP: URL = new URL("one/one.cjs.map", import.meta.url);

/** Where one/index.js and one/testing.js find what requires a piece. */
export const SHARED = "namec.one";

/** The rooms that the file is made of; tsc leaves a trace of each build. */
const ROOMS =
  "kernel devices syscalls userland userland/boot userland/view userland/vm userland/explore userland/testing userland/host";

type Piece = (
  exports: object,
  require: unknown,
  module: object,
  filename: string,
  load: (name: string) => Promise<unknown>,
) => void;
type Module = { exports: object };

/** The pieces by name, and the script that they come from. */
export type One = {
  readonly require: (name: string) => object;
  readonly script: Script;
};

/** When a file was written; 0 for one that is not there. */
const mtime = (file: URL): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Whether there is such a file, no older than what it was made of. */
export function isfresh(): boolean {
  const made = mtime(FILE);
  const root = new URL("../../", import.meta.url);
  const traces = ROOMS.split(" ").map((room) => new URL(`${room}/tsconfig.tsbuildinfo`, root));
  return made > 0 && traces.every((trace) => mtime(trace) <= made);
}

/** Whether this process runs the one file. */
export const isone = (): boolean => Reflect.has(globalThis, Symbol.for(SHARED));

/** Loads the file; its pieces run when they are required. */
export function loadone(): One {
  const source = readFileSync(FILE, "latin1");
  const cachedData = mtime(CACHE) > 0 ? readFileSync(CACHE) : undefined;
  const script = new Script(source, {
    filename: NAME,
    ...(cachedData !== undefined && { cachedData }),
  });
  const pieces = script.runInThisContext() as Readonly<Record<string, Piece>>;
  const filename = fileURLToPath(import.meta.url);
  const outer = createRequire(import.meta.url);
  const modules = new Map<string, Module>();
  const require = (name: string): object => {
    const piece = name.startsWith("./") ? pieces[name.slice(2)] : undefined;
    if (piece === undefined) return outer(name) as object;
    let module = modules.get(name);
    if (module !== undefined) return module.exports;
    module = { exports: {} };
    modules.set(name, module);
    piece(module.exports, require, module, filename, (specifier) => import(specifier));
    return module.exports;
  };
  Reflect.set(globalThis, Symbol.for(SHARED), require);
  return { require, script };
}
