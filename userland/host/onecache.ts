// A step of npm run build: makes the one file of its pieces, and keeps what V8 compiles of it when the commands run
// that are to begin fast.

import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { parse } from "./command.ts";
import type { Command } from "./command.ts";
import { CACHE, FILE, MAP, SHARED, loadone } from "./one.ts";

const DIR = new URL("./", FILE);
const at = (name: string): URL => new URL(name, DIR);

/** What the pieces are beside: the compiler, and the licences of what is in them. */
const KEPT: ReadonlySet<string> = new Set(["one.cjs.map", "sucrase", "THIRD-PARTY.txt"]);

/** How the names of pieces end that others need: some of them are loaded late. */
const PART = ".part.cjs";

/** The piece that has the programs of /bin: they have places in it, so its source map is kept. */
const MAPPED = "core.part.cjs";

/** What namec and namec/testing export, for a program that the one file runs. */
const PACKAGES = ["index", "testing"];

/** Runs the commands that are to begin fast, and so has V8 compile what they need. */
const WARM = [
  ["run", "echo", "-n"],
  ["rc", "-c", "x=`{echo a | cat}; ~ $x a"],
];

/** Packs the pieces into one script, each from the beginning of a line, and removes them. */
function pack(): string[] {
  const names = readdirSync(DIR).filter(
    (name) => name.endsWith(".cjs") && at(name).href !== FILE.href,
  );
  let text = "({\n";
  for (const name of names) {
    text += `${JSON.stringify(name)}:function(exports,require,module,__filename,__import){\n`;
    if (name === MAPPED) writemap(text.split("\n").length - 1);
    text += `${ascii(imports(readFileSync(at(name), "utf8")))}\n},\n`;
  }
  for (const name of readdirSync(DIR)) if (!KEPT.has(name)) rmSync(at(name));
  writeFileSync(FILE, `${text}})\n`);
  return names;
}

/** The same script, which imports by what it was given. */
const imports = (text: string): string => text.replace(/\bimport\(/g, "__import(");

/** The same script, of letters that V8 keeps in one byte each. */
function ascii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

type Sourcemap = { readonly sources: readonly string[]; sourcesContent: (string | null)[] };

/** The map of a piece that begins at a line of the one file, counted from 0; of sources, those of /bin stay. */
function writemap(line: number): void {
  const map = JSON.parse(readFileSync(at(`${MAPPED}.map`), "utf8")) as Sourcemap;
  const isbin = (i: number): boolean => map.sources[i]?.includes("/userland/bin/") === true;
  map.sourcesContent = map.sourcesContent.map((text, i) => (isbin(i) ? text : null));
  const sections = [{ offset: { line, column: 0 }, map }];
  writeFileSync(MAP, JSON.stringify({ version: 3, sections }));
}

/** A module that exports what a piece does. */
function share(name: string, piece: object): void {
  const names = Object.keys(piece).join(", ");
  const from = `globalThis[Symbol.for(${JSON.stringify(SHARED)})]("./${name}.cjs")`;
  writeFileSync(at(`${name}.js`), `const { ${names} } = ${from};\nexport { ${names} };\n`);
}

const pieces = pack();
const { require, script } = loadone();
for (const name of pieces) if (!name.endsWith(PART)) require(`./${name}`);
for (const name of PACKAGES) share(name, require(`./${name}.cjs`));
for (const [name = "", ...words] of WARM) {
  const command = Reflect.get(require(`./${name}.cjs`), name) as Command;
  const status = await command.run(parse(command, words));
  if (status !== 0) throw new Error(`namec ${name} ended with ${status}`);
}
writeFileSync(CACHE, script.createCachedData());
process.exit(0);
