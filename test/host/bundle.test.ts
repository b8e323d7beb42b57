// Bundlers find what a page needs of the package: each makes a script of the same ten lines, and a browser runs it.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import test from "ava";
import type { ExecutionContext } from "ava";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import { build } from "vite";
import { serve } from "../kit/browser.ts";
import { installed } from "../kit/pack.ts";

const PAGE = `import { bin, boot, print, readtext } from "namec";

const kernel = await boot({ files: { bin, tmp: { a: "hello from memory\\n" } } });
async function main(sys) {
  await print(sys, await readtext(sys, "/tmp/a"));
}
const proc = kernel.spawn(main, ["show"]);
const ls = kernel.spawn(bin.ls, ["ls", "/tmp"]);
await Promise.all([proc.wait(), ls.wait()]);
await kernel.shutdown();
document.body.textContent = proc.output + ls.output;
`;

/** Bundlers, each of which makes a folder of a script, dist/main.js and what that loads. */
const BUNDLERS: Readonly<Record<string, (app: string) => Promise<unknown>>> = {
  esbuild: (app) =>
    esbuild.build({
      entryPoints: [join(app, "main.js")],
      bundle: true,
      format: "esm",
      platform: "browser",
      outdir: join(app, "dist"),
      logLevel: "error",
    }),
  rollup: async (app) => {
    const wrong: string[] = [];
    const bundle = await rollup({
      input: join(app, "main.js"),
      plugins: [nodeResolve({ browser: true })],
      onwarn: (w) => void (w.code === "CIRCULAR_DEPENDENCY" || wrong.push(w.message)),
    });
    if (wrong.length > 0) throw new Error(wrong.join("; "));
    await bundle.write({ dir: join(app, "dist"), format: "es" });
    await bundle.close();
  },
  vite: (app) =>
    build({
      root: app,
      configFile: false,
      logLevel: "error",
      build: {
        target: "es2022",
        rolldownOptions: { input: join(app, "main.js"), output: { entryFileNames: "main.js" } },
      },
    }),
};

async function shown(t: ExecutionContext, dir: string): Promise<string> {
  const icon = `<link rel="icon" href="data:,">`;
  const script = `<script type="module" src="main.js"></script>`;
  writeFileSync(join(dir, "index.html"), `${icon}<body></body>${script}`);
  const site = await serve(dir);
  try {
    const page = await site.open(t, { ready: "body:not(:empty)" });
    return (await page.textContent("body")) ?? "";
  } finally {
    await site.close();
  }
}

test("esbuild, rollup and vite make a page that boots a kernel", async (t) => {
  const { app } = installed(t);
  writeFileSync(join(app, "main.js"), PAGE);
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    const dir = join(app, "dist");
    mkdirSync(dir, { recursive: true });
    await bundle(app);
    t.true(readdirSync(dir).includes("main.js"), name);
    t.is((await shown(t, dir)).trim(), "hello from memory\n/tmp/a", name);
  }
});
