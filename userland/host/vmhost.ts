// The host's side of vm images on Node: QuickJS is a file of a package, the library is this package as built, and
// the transpiler is the one that strips programs of files.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { setvmhost } from "../vm/host.ts";
import { strip } from "./hooks.ts";

/** The top of this package as built. */
const TOP = new URL("../../", import.meta.url);

/** Asked whether a person wants the end of what runs now; the watchdog of a program sets it. */
let interrupted: () => boolean = () => false;

/** Has running vm programs ask fn whether they are to be broken off. */
export function breakon(fn: () => boolean): void {
  interrupted = fn;
}

setvmhost({
  wasm: () =>
    readFileSync(
      createRequire(import.meta.url).resolve("@jitl/quickjs-wasmfile-release-sync/wasm"),
    ),
  library: (name) => readFileSync(new URL(name, TOP), "utf8"),
  strip: (name, source) => strip(name.startsWith("file:") ? fileURLToPath(name) : name, source),
  interrupted: () => interrupted(),
});
