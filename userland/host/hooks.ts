// Module hooks for programs that `namec run` loads: "namec" is the package that runs, wherever the
// program lies, and TypeScript is stripped. Node calls them in the main thread (registerHooks) or, where
// it is too old for that, in a thread of its own (register); so nothing here refers to the rest.
//
// The transpiler keeps every line in its place: a line of a stack trace is a line of the .ts file.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { transform as Transform } from "sucrase";
import { syntaxfault } from "../lib/syntax.ts";

type Resolved = { url: string; format?: string | null | undefined; shortCircuit?: boolean };
type Loaded = { format: string; source?: unknown; shortCircuit?: boolean };
type Context = { readonly parentURL?: string | undefined };
type Next<R> = (name: string, context?: Context) => R;

/** What the package exports, as package.json has it; or, of the one file of the commands (one.ts), its pieces. */
const oursof = (index: string, testing: string): ReadonlyMap<string, string> =>
  new Map([
    ["namec", new URL(index, import.meta.url).href],
    ["namec/testing", new URL(testing, import.meta.url).href],
  ]);
let exported = oursof("./index.js", "./testing.js");

/** Node calls it first, with what register was given: whether the commands run from their one file. */
export function initialize(one: boolean): void {
  if (one) exported = oursof("./one/index.js", "./one/testing.js");
}

/** The files that are stripped. */
export const TYPESCRIPT: RegExp = /\.m?ts$/;

/** Where "namec" and the parts of it are; null for any other name. */
export function ours(name: string): string | null {
  return exported.get(name) ?? null;
}

/** "./util", "./util.js" → util.ts beside the importer, when that is what there is. */
function besides(name: string, parent: string | undefined): string | null {
  if (parent === undefined || !parent.startsWith("file:") || !/^\.\.?\//.test(name)) return null;
  const url = new URL(name, parent);
  if (existsSync(url)) return null;
  for (const path of [`${url.href}.ts`, url.href.replace(/\.(m?)js$/, ".$1ts")])
    if (path !== url.href && existsSync(new URL(path))) return path;
  return null;
}

/** A hook of Node: where a module is. */
export function resolve<R>(name: string, context: Context, next: Next<R>): R | Resolved {
  const url = ours(name) ?? besides(name, context.parentURL);
  if (url !== null) return { url, format: "module", shortCircuit: true };
  return next(name, context);
}

/** A hook of Node: what is in it. */
export function load<R>(url: string, context: Context, next: Next<R>): R | Loaded {
  if (!url.startsWith("file:") || !TYPESCRIPT.test(new URL(url).pathname))
    return next(url, context);
  const file = fileURLToPath(url);
  return { format: "module", source: strip(file, readFileSync(file, "utf8")), shortCircuit: true };
}

type Transpiler = { readonly transform: typeof Transform };

/** The transpiler, loaded when there is something to strip: from beside the one file, or in a checkout as it is. */
function transpiler(): Transpiler {
  const require = createRequire(import.meta.url);
  const file = fileURLToPath(new URL("./one/sucrase/sucrase.cjs", import.meta.url));
  return require(existsSync(file) ? file : "sucrase") as Transpiler;
}

/** The JavaScript of a TypeScript file; a SyntaxError names file and line and shows it. */
export function strip(file: string, source: string): string {
  try {
    return transpiler().transform(source, { transforms: ["typescript"], disableESTransforms: true })
      .code;
  } catch (e) {
    throw e instanceof Error ? syntaxerror(file, source, e) : e;
  }
}

function syntaxerror(file: string, source: string, e: Error): SyntaxError {
  const name = near(file);
  const { what, at } = syntaxfault(e);
  if (at === null) return new SyntaxError(`${name}: ${what}`);
  const { line, column } = at;
  const shown = (source.split("\n")[line - 1] ?? "").replaceAll("\t", " ");
  const caret = `${" ".repeat(Math.max(0, column - 1))}^`;
  return new SyntaxError(`${name}:${line}:${column}: ${what}\n    ${shown}\n    ${caret}`);
}

/** The file as a person here would write it. */
export function near(path: string): string {
  const rel = relative(process.cwd(), path);
  return rel.startsWith("..") ? path : rel;
}
