// The licences of the libraries that a bundle has parts of, in a file beside it, THIRD-PARTY.txt.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of the package that a module belongs to; null for one of ours. */
function packageof(id) {
  const file = id.replaceAll("\0", "").split("?")[0];
  if (!file.includes("/node_modules/")) return null;
  let dir = dirname(file);
  // A package.json without a name only says what kind of modules are in a folder.
  while (!existsSync(join(dir, "package.json")) || nameof(dir) === undefined) dir = dirname(dir);
  return dir;
}

const nameof = (dir) => JSON.parse(readFileSync(join(dir, "package.json"), "utf8")).name;

/** A package's name, version and licence, and the licence's text. A package without a text is an error. */
function licenceof(dir) {
  const { name, version, license } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  const file = readdirSync(dir).find((f) => /^(licen[cs]e|copying)\b/i.test(f));
  if (file === undefined || license === undefined)
    throw new Error(`${name} has no licence in ${dir}`);
  return `${name} ${version}, ${license}\n\n${readFileSync(join(dir, file), "utf8").trim()}\n`;
}

/**
 * A plugin that writes the file for all modules of the bundle. `found` gathers the packages; a plugin of a bundle
 * inside the bundle gives them to the same list, and writes nothing.
 */
export function licences({ found = new Set(), inner = false } = {}) {
  return {
    name: "licences",
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle))
        for (const id of Object.keys(chunk.modules ?? {})) {
          const dir = packageof(id);
          if (dir !== null) found.add(dir);
        }
      if (inner) return;
      const texts = [...found].map(licenceof).toSorted();
      const source = `Parts of these libraries are in the files beside this one.\n\n${texts.join("\n---\n\n")}`;
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY.txt", source });
    },
  };
}
