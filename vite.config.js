// The page: userland/web is built into dist/web as static files that work under any path. What must load
// before the page can be used is kept small; more than LIMIT of it is an error.

import { gzipSync } from "node:zlib";
import { build, defineConfig } from "vite";

/** Bytes of gzipped JavaScript. The worker, the compiler and the editor load after the page. */
const LIMIT = 300_000;

/** Adds up an entry and what it imports at once. */
function mainsize(bundle) {
  const chunks = Object.values(bundle).filter((c) => c.type === "chunk");
  const want = new Set(chunks.filter((c) => c.isEntry).map((c) => c.fileName));
  for (const name of want) for (const from of bundle[name].imports) want.add(from);
  return [...want].reduce((n, name) => n + gzipSync(bundle[name].code).length, 0);
}

const small = {
  name: "small",
  generateBundle(_options, bundle) {
    const size = mainsize(bundle);
    if (size > LIMIT) this.error(`the page's script is ${size} bytes gzipped; it may be ${LIMIT}`);
  },
};

/** worker.ts and all that it imports, as one script, in a module that exports its text: `worker.ts?inline`. */
const script = {
  name: "script",
  enforce: "pre",
  async load(id) {
    const [file, query] = id.split("?");
    if (query !== "inline" || !file.endsWith("/worker.ts")) return null;
    const { output } = await build({
      configFile: false,
      logLevel: "warn",
      build: {
        write: false,
        target: "es2022",
        modulePreload: false,
        rolldownOptions: { input: file, output: { format: "iife", codeSplitting: false } },
      },
    });
    return { code: `export default ${JSON.stringify(output[0].code)};`, moduleType: "js" };
  },
};

export default defineConfig({
  root: "userland/web",
  base: "./",
  publicDir: false,
  logLevel: "warn",
  plugins: [small, script],
  build: {
    outDir: "../../dist/web",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    sourcemap: false,
  },
});
