// The page: userland/web is built into dist/web as static files that work under any path. What must load
// before the page can be used is kept small; more than LIMIT of it is an error.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { getLibFiles } from "@ts-morph/common";
import { build, defineConfig } from "vite";
import { licences } from "./vite.licences.js";

/** Bytes of gzipped JavaScript, the worker's with it. The compiler, QuickJS and the editor load after the page. */
const LIMIT = 300_000;

/** Adds up an entry and what it imports at once. */
function mainsize(bundle) {
  const chunks = Object.values(bundle).filter((c) => c.type === "chunk");
  const want = new Set(chunks.filter((c) => c.isEntry || c.name === "worker"));
  for (const c of want)
    for (const from of c.imports) {
      const chunk = chunks.find((x) => x.fileName === from);
      if (chunk === undefined) throw new Error(`${c.fileName} imports ${from}, which is no chunk`);
      want.add(chunk);
    }
  return [...want].reduce((n, c) => n + gzipSync(c.code).length, 0);
}

const small = {
  name: "small",
  generateBundle(_options, bundle) {
    const size = mainsize(bundle);
    if (size > LIMIT) this.error(`the page's script is ${size} bytes gzipped; it may be ${LIMIT}`);
  },
};

/** The parts of sucrase that are for JSX, Flow, CommonJS and older engines. */
const UNUSED =
  /sucrase\/dist\/esm\/(CJSImportProcessor|computeSourceMap|util\/formatTokens|transformers\/(CJSImport|Flow|JSX|JestHoist|NumericSeparator|OptionalCatchBinding|OptionalChainingNullish|ReactDisplayName|ReactHotLoader)Transformer|parser\/plugins\/(flow|jsx\/index|jsx\/xhtml))\.js$/;

/** The tree of sucrase's words, 56 KB of numbers, as its words: the nodes come in the order of the words. */
function wordtree(code) {
  const [imports] = code.split("// prettier-ignore");
  const nodes = [...code.matchAll(/^ *\/\/ "([a-z]*)"\n *([^,]+),/gm)];
  const words = nodes.filter((m) => m[2] !== "-1").map((m) => `${m[1]}: ${m[2]}`);
  return `${imports}
const tree = new Int32Array(${nodes.length * 27}).fill(-1);
let end = 27;
for (const [word, value] of Object.entries({ ${words.join(", ")} })) {
  let node = 0;
  for (const c of word) {
    const at = node + c.charCodeAt(0) - 96;
    if (tree[at] < 0) {
      tree[at] = end;
      end += 27;
    }
    node = tree[at];
  }
  tree[node] = value;
}
export const READ_WORD_TREE = tree;
`;
}

/** Leaves out of sucrase what is never called, a third of it: its functions are there, and throw. */
const slim = {
  name: "slim",
  transform(code, id) {
    if (id.endsWith("sucrase/dist/esm/Options.js"))
      return { code: "export function validateOptions() {}", map: null };
    if (id.endsWith("sucrase/dist/esm/HelperManager.js"))
      return {
        code: 'export class HelperManager { emitHelpers() { return ""; } getHelperName() { throw new Error("left out"); } }',
        map: null,
      };
    if (id.endsWith("sucrase/dist/esm/parser/tokenizer/readWordTree.js"))
      return { code: wordtree(code), map: null };
    // The page injects no faults, so the device for them is not in it.
    if (id.endsWith("/userland/boot/inject.ts"))
      return {
        code: `const none = () => { throw new Error("a page has no faults to inject"); };
export const [faultfmt, parsefault] = [none, none];
export const faulty = (inject) => inject === undefined ? { config: {}, attach() {} } : none();`,
        map: null,
      };
    if (!UNUSED.test(id)) return null;
    const names = [...code.matchAll(/^export (?:function|class|const|let|var) (\w+)/gm)];
    const stubs = names.map((m) => `export function ${m[1]}() { throw new Error("left out"); }`);
    const whole = /^export default /m.test(code) ? ["export default class {}"] : [];
    return { code: [...stubs, ...whole].join("\n"), map: null };
  },
};

/** The packages that the page has parts of. */
const found = new Set();

const QUICKJS = "virtual:quickjs";
const ENGINE = "node_modules/@jitl/quickjs-wasmfile-release-sync";

/** QuickJS, as an asset of its own, and the library of vm programs as one module, as a text. */
const engine = {
  name: "quickjs",
  resolveId: (id) => (id === QUICKJS ? `\0${id}` : null),
  async load(id) {
    if (id !== `\0${QUICKJS}`) return null;
    const name = "userland/vm/inside/main";
    const { output } = await build({
      configFile: false,
      logLevel: "warn",
      build: {
        write: false,
        target: "es2022",
        modulePreload: false,
        rolldownOptions: {
          input: resolve(`${name}.ts`),
          preserveEntrySignatures: "strict",
          output: { format: "es", codeSplitting: false },
        },
      },
    });
    found.add(resolve(ENGINE));
    const wasm = this.emitFile({
      type: "asset",
      name: "quickjs.wasm",
      source: readFileSync(`${ENGINE}/dist/emscripten-module.wasm`),
    });
    const library = { [`${name}.js`]: output[0].code };
    return {
      code: `export const wasm = import.meta.ROLLUP_FILE_URL_${wasm}; export const library = ${JSON.stringify(library)};`,
      moduleType: "js",
    };
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
      plugins: [slim, licences({ found, inner: true })],
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

/** What the editor's checker of types knows: TypeScript's own declarations for a worker. */
function libs() {
  const all = new Map(getLibFiles().map((f) => [f.fileName, f.text]));
  const files = new Map();
  const add = (name) => {
    const text = all.get(name);
    if (text === undefined || files.has(name)) return;
    files.set(name, text);
    for (const m of text.matchAll(/<reference lib="([^"]+)"/g)) add(`lib.${m[1]}.d.ts`);
  };
  add("lib.es2023.d.ts");
  add("lib.webworker.d.ts");
  return [...files].map(([name, text]) => [`/lib/${name}`, text]);
}

/** The declarations of "namec" as a page has it, and of all that they import: tsc has written them. */
function declarations() {
  const root = resolve("dist");
  const files = new Map();
  const add = (file) => {
    if (files.has(file)) return;
    if (!existsSync(file)) throw new Error(`there is no ${file}: run npx tsc -b first`);
    const text = readFileSync(file, "utf8");
    files.set(file, text);
    for (const m of text.matchAll(/(?:from |import\()"(\.[^"]+)"/g))
      add(join(dirname(file), m[1].replace(/\.[jt]s$/, ".d.ts")));
  };
  add(join(root, "userland/boot/index.d.ts"));
  return [...files].map(([file, text]) => [`/namec/${relative(root, file)}`, text]);
}

const DECLARATIONS = "virtual:declarations";

const checked = {
  name: "declarations",
  resolveId: (id) => (id === DECLARATIONS ? `\0${id}` : null),
  load: (id) =>
    id === `\0${DECLARATIONS}`
      ? {
          code: `export default JSON.parse(${JSON.stringify(JSON.stringify(Object.fromEntries([...libs(), ...declarations()])))});`,
          moduleType: "js",
        }
      : null,
};

export default defineConfig({
  root: "userland/web",
  base: "./",
  publicDir: false,
  logLevel: "warn",
  plugins: [small, script, engine, licences({ found })],
  worker: { format: "es", plugins: () => [checked, licences({ found, inner: true })] },
  build: {
    outDir: "../../dist/web",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    sourcemap: false,
    // The checker of types is one script of 3.5 MB, which loads when the page is idle.
    chunkSizeWarningLimit: 5000,
  },
});
