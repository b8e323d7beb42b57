// What a vm image needs of the machine that the kernel runs on: the bytes of QuickJS, the text of the library
// that programs import, and a transpiler. Each way to run the kernel hands in its own (userland/host/vmhost.ts,
// Nothing here is asked for before the first vm program starts.

/** The host's side of vm images. Nothing of it may take a turn of the host's, so that a run repeats exactly. */
export interface Vmhost {
  /** QuickJS, compiled to WebAssembly: emscripten-module.wasm of @jitl/quickjs-wasmfile-release-sync 0.32.0. */
  wasm(): Uint8Array;
  /** The JavaScript of a module of this package, by its name from the top: "userland/vm/inside/main.js". */
  library(name: string): string;
  /**
   * The JavaScript of a TypeScript text, each line in its place. Throws a SyntaxError whose message names the
   * file and the line.
   */
  strip(name: string, text: string): string;
  /** Whether a person asked for the end of what runs now, while it lets nothing else run. */
  interrupted?(): boolean;
}

let current: Vmhost | null = null;

/** Hands in the host's side. */
export function setvmhost(host: Vmhost): void {
  current ??= host;
}

/** The host's side. */
export function vmhost(): Vmhost {
  if (current === null)
    throw new Error("a vm image needs its host's side: import namec, or call setvmhost first");
  return current;
}
