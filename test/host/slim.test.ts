// The page has less of sucrase than the command line: what it makes of a program is the same.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { transform } from "sucrase";
import { build } from "vite";
import type { Plugin } from "vite";

/** What is wrong in these is said in the same words. */
const WRONG = [
  "let x = ;",
  "let a: = 1",
  "function f( {",
  "class { x }",
  "enum { A }",
  "`${",
  "/x",
  "a ? b",
  "let <T>x",
  "<p>text</p>",
  "import {",
  "for (const x off y) {}",
];

/** What programs seldom have. */
const RIGHT = [
  "enum E { A, B = 2, C = 'c' }\nexport const enum F { A = 1 << 2 }",
  "abstract class C<T> extends D<T> implements I { declare x: number; #p = 1; static y?: T; constructor(private readonly a = 1) { super(); } abstract m(): void; get z(): number { return 1; } }",
  "export type { A } from 'a'; import type B, { type C } from 'b'; import D, { E, type F } from 'd'; new E<D>();",
  "namespace N { export const x = 1; }\ndeclare module 'm' { const y: number; }\ndeclare global { var q: 1 }",
  "const f = <T,>(x: T): x is T => x as unknown as T; f<string>('a')!.b?.c ?? 1_000; x satisfies Y;",
  "function g(this: Window, ...a: [x: number, y?: string]): asserts a is any {} label: for await (const x of y) { break label; }",
  "try { a ??= b ** 2 } catch { debugger } finally { delete x.y } with (q) {}",
  "export default abstract class {}\nexport = x; import y = require('y'); export as namespace Z;",
  "let v: typeof import('x') | { [K in keyof T]-?: T[K] } | `a${string}` | (new () => void) | unique symbol; using r = s();",
];

function result(fn: typeof transform, text: string): string {
  try {
    return fn(text, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (e) {
    return e instanceof Error ? `${e.name}: ${e.message}` : "";
  }
}

/** The texts of a folder's programs and of those below it. */
const textsof = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".ts"))
    .map((f) => readFileSync(join(dir, f), "utf8"));

test("types are taken out as the whole of sucrase does, and what is wrong is said alike", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "namec-slim-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { slim } = (await import(pathToFileURL("vite.slim.js").href)) as { slim: () => Plugin };
  await build({
    configFile: false,
    logLevel: "error",
    plugins: [slim()],
    build: {
      outDir: dir,
      lib: { entry: "node_modules/sucrase/dist/esm/index.js", formats: ["es"], fileName: "slim" },
    },
  });
  const file = readdirSync(dir).find((f) => f.startsWith("slim")) ?? "none";
  const slimmed = (await import(pathToFileURL(join(dir, file)).href)) as {
    transform: typeof transform;
  };
  const texts = [...WRONG, ...RIGHT, ...["examples", "kernel", "userland/lib"].flatMap(textsof)];
  t.true(texts.length > 100);
  for (const text of texts) t.is(result(slimmed.transform, text), result(transform, text));
});
