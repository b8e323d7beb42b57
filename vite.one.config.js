// The commands of namec in pieces of CommonJS, dist/userland/host/one/*.cjs; userland/host/onecache.ts makes one file
// of them (userland/host/one.ts says why).

import { build, defineConfig } from "vite";
import { licences } from "./vite.licences.js";

const HOST = "userland/host";
const COMMANDS =
  "cert demo explain explore fossil glossary lesson rc run serve step verify web".split(" ");

const CORE = /\/(kernel|devices|syscalls|userland\/(lib|bin|boot|vm))\//;

/** The packages that the files have parts of. */
const found = new Set();

/** The compiler of programs in TypeScript, in a file of its own: a thread of Node's may need it by itself. */
const compiler = {
  name: "compiler",
  async buildStart() {
    await build({
      configFile: false,
      logLevel: "error",
      plugins: [licences({ found, inner: true })],
      build: {
        ssr: true,
        outDir: "dist/userland/host/one/sucrase",
        emptyOutDir: true,
        target: "node20",
        rolldownOptions: {
          input: { sucrase: "sucrase" },
          output: { format: "cjs", entryFileNames: "[name].cjs", codeSplitting: false },
        },
      },
      ssr: { noExternal: true },
    });
  },
};

export default defineConfig({
  logLevel: "error",
  plugins: [compiler, licences({ found })],
  build: {
    ssr: true,
    outDir: "dist/userland/host/one",
    // onecache.js removes what is old.
    emptyOutDir: false,
    minify: false,
    sourcemap: "hidden",
    target: "node20",
    rolldownOptions: {
      input: {
        ...Object.fromEntries(COMMANDS.map((name) => [name, `${HOST}/${name}.ts`])),
        index: `${HOST}/index.ts`,
        testing: "userland/host/testing.ts",
      },
      output: {
        format: "cjs",
        // Names stay: a stack of the kernel's can be read.
        minify: { compress: true, mangle: false, codegen: true },
        entryFileNames: "[name].cjs",
        chunkFileNames: "[name].part.cjs",
        // One scope for all that system calls and servers run: what a piece takes from another costs a call.
        codeSplitting: { groups: [{ name: "core", test: CORE }] },
      },
    },
  },
  // The engine of programs with memory of their own is loaded from node_modules, when one starts.
  ssr: {
    noExternal: true,
    external: ["sucrase", "@jitl/quickjs-wasmfile-release-sync"],
  },
});
