// namec rc in one file, dist/userland/host/one/rc.cjs (userland/host/one.ts says why).

import { defineConfig } from "vite";

export default defineConfig({
  logLevel: "error",
  build: {
    ssr: "dist/userland/host/rc.js",
    outDir: "dist/userland/host/one",
    emptyOutDir: true,
    minify: true,
    target: "node20",
    rollupOptions: { output: { format: "cjs", entryFileNames: "rc.cjs" } },
  },
  ssr: { noExternal: true },
});
