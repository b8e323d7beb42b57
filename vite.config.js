// The page: userland/web is built into dist/web as static files that work under any path. What must load
// before the page can be used is kept small; more than LIMIT of it is an error.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { getLibFiles } from "@ts-morph/common";
import { defineConfig } from "vite";
import { licences } from "./vite.licences.js";
import { slim } from "./vite.slim.js";

/** Bytes of gzipped JavaScript. The editor and the checker of types load after the page. */
const LIMIT = 300_000;

/** What loads before the page can be used: the page, its worker, and the library of vm programs. */
const FIRST = ["index", "worker", "inside"];

/** Adds up those chunks and what they import at once. */
function mainsize(bundle) {
  const chunks = Object.values(bundle).filter((c) => c.type === "chunk");
  const want = new Set(chunks.filter((c) => FIRST.includes(c.name)));
  if (want.size !== FIRST.length) throw new Error(`there are ${want.size} of ${FIRST.join(", ")}`);
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
    console.log(`the page's script is ${size} bytes gzipped, of ${LIMIT}`);
    if (size > LIMIT) this.error(`the page's script is ${size} bytes gzipped; it may be ${LIMIT}`);
  },
};

/** The packages that the page has parts of. */
const found = new Set();

const KERNEL = "virtual:kernel";
const ENGINE = "node_modules/@jitl/quickjs-wasmfile-release-sync";

/**
 * The addresses of the worker's script, of the library of vm programs and of QuickJS. What the page, the worker and
 * the library have in common are chunks of their own, which each is made of.
 */
const kernel = {
  name: "kernel",
  resolveId: (id) => (id === KERNEL ? `\0${id}` : null),
  load(id) {
    if (id !== `\0${KERNEL}`) return null;
    found.add(resolve(ENGINE));
    const chunk = (name, file) =>
      this.emitFile({ type: "chunk", id: resolve(file), name, preserveSignature: "strict" });
    const files = {
      worker: chunk("worker", "userland/web/worker.ts"),
      inside: chunk("inside", "userland/vm/inside/main.ts"),
      quickjs: this.emitFile({
        type: "asset",
        name: "quickjs.wasm",
        source: readFileSync(`${ENGINE}/dist/emscripten-module.wasm`),
      }),
    };
    const lines = Object.entries(files).map(
      ([name, file]) => `export const ${name} = import.meta.ROLLUP_FILE_URL_${file};`,
    );
    return { code: lines.join("\n"), moduleType: "js" };
  },
};

/** No module of the page brings a style sheet with it, so a module is imported and nothing else. */
const plain = {
  name: "plain",
  enforce: "pre",
  load: (id) =>
    id === "\0vite/preload-helper.js"
      ? { code: "export const __vitePreload = (load) => load();", moduleType: "js" }
      : null,
};

/** The page injects no faults, so the device for them is not in it. */
const uninjected = {
  name: "uninjected",
  transform(_code, id) {
    if (!id.endsWith("/userland/boot/inject.ts")) return null;
    return {
      code: `const none = () => { throw new Error("a page has no faults to inject"); };
export const [faultfmt, parsefault] = [none, none];
export const faulty = (inject) => inject === undefined ? { config: {}, attach() {} } : none();`,
      map: null,
    };
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

/** What stands in the place of a package of which the page uses little. */
const alias = { "lru-cache": resolve("userland/web/lru.ts") };

export default defineConfig({
  root: "userland/web",
  resolve: { alias },
  base: "./",
  publicDir: false,
  logLevel: "warn",
  plugins: [small, plain, kernel, slim(), uninjected, licences({ found })],
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
