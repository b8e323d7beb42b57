// The host's side of vm programs in a page's worker. QuickJS and the library come from the page before the first
// order (engine.ts), since the worker's frame may request nothing.

import { transform } from "sucrase";
import { syntaxfault } from "../lib/syntax.ts";
import { ENTRY, beside } from "../vm/first.ts";
import { setvmhost } from "../vm/host.ts";
import type { Engine } from "./talk.ts";

/** Takes what vm programs run on. The library's modules lie beside its entry, the last of them. */
export function setengine({ wasm, library }: Engine): void {
  const texts = new Map(
    library.map(([name, text], i) => [
      i === library.length - 1 ? ENTRY : beside(ENTRY, `./${name}`),
      text,
    ]),
  );
  setvmhost({
    wasm: () => wasm,
    library(name) {
      const text = texts.get(name);
      if (text === undefined) throw new Error(`the library of vm programs has no ${name}`);
      return text;
    },
    strip,
  });
}

function strip(name: string, text: string): string {
  try {
    return transform(text, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (e) {
    if (!(e instanceof Error)) throw e;
    const { what, at } = syntaxfault(e);
    throw new SyntaxError(
      at === null ? `${name}: ${what}` : `${name}:${at.line}:${at.column}: ${what}`,
    );
  }
}
