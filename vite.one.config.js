// The commands of namec in pieces of CommonJS, dist/userland/host/one/*.cjs; userland/host/onecache.ts makes one file
// of them (userland/host/one.ts says why).

import { defineConfig } from "vite";

const HOST = "userland/host";
const COMMANDS = "cert demo explain explore fossil glossary lesson rc run serve step web".split(
  " ",
);

const CORE = /\/(kernel|devices|syscalls|userland\/(lib|bin|boot))\//;

export default defineConfig({
  logLevel: "error",
  build: {
    ssr: true,
    outDir: "dist/userland/host/one",
    emptyOutDir: true,
    minify: false,
    sourcemap: "hidden",
    target: "node20",
    rolldownOptions: {
      input: {
        ...Object.fromEntries(COMMANDS.map((name) => [name, `${HOST}/${name}.ts`])),
        index: `${HOST}/index.ts`,
        testing: "userland/testing/index.ts",
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
  // What few programs need is loaded from node_modules, when they need it.
  ssr: {
    noExternal: true,
    external: [
      "sucrase",
      "@peculiar/x509",
      "reflect-metadata",
      "quickjs-emscripten-core",
      "@jitl/quickjs-wasmfile-release-sync",
    ],
  },
});
