// Programs in files of the host: a .ts, .js or .mjs module whose default export is the program, an async
// function (sys, argv) or a generator function.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import * as module from "node:module";
import { basename, dirname, resolve as resolvepath } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Program } from "../../kernel/proc/trap.ts";
import { Usage } from "./command.ts";
import { crashtext } from "./crash.ts";
import { Loaderror } from "./loaderror.ts";
import { isone } from "./one.ts";
import { noexport, nomodule } from "../lib/loading.ts";
import { syntaxhint } from "../lib/syntax.ts";
import { TYPESCRIPT, initialize, load, near, ours, resolve, strip } from "./hooks.ts";

export { Loaderror };

/** Whether the word names a file, by its look or because there is one. */
export function isfile(word: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(word) || word.includes("/") || existsSync(word);
}

/** The directory of the package: examples/ is in it. */
const TOP = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * The absolute path of a program's file. A name in examples/ that is not a file here is one of the package's
 * examples. So the commands of the documents work wherever the package is installed.
 *
 * @throws Usage the file is missing, or is no program
 */
export function programpath(file: string): string {
  let path = resolvepath(file);
  if (!existsSync(path) && file.startsWith("examples/")) path = resolvepath(TOP, file);
  if (!existsSync(path)) throw new Usage(`${file}: there is no such file`);
  if (statSync(path).isDirectory()) throw new Usage(`${file} is a directory`);
  if (!/\.(m?[jt]s)$/.test(path)) throw new Usage(`${file}: a program is a .ts, .js or .mjs file`);
  return path;
}

/** "dir/hello.ts" → "hello": argv[0]. */
export function progname(file: string): string {
  return basename(file).replace(/\.[cm]?[jt]sx?$/, "");
}

/** The program in a file. */
export async function loadprogram(file: string): Promise<Program> {
  const main = (await loadexports(file))["default"];
  if (typeof main === "function") return main as Program;
  const what = main === undefined ? "has no default export" : `exports a ${typeof main} as default`;
  throw new Loaderror(`${file} ${what}; a program is

    export default async function main(sys, argv) { ... }`);
}

/** What a file exports. */
export async function loadexports(file: string): Promise<Readonly<Record<string, unknown>>> {
  const path = programpath(file);
  hook();
  return await imported(file, path);
}

async function imported(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (e) {
    const [, module, name] = NOEXPORT.exec(e instanceof Error ? e.message : "") ?? [];
    if (e instanceof SyntaxError && module !== undefined && name !== undefined)
      throw new Loaderror(await unexported(path, { module, name, stack: e.stack ?? "" }));
    if (e instanceof SyntaxError) throw new Loaderror(syntax(path, e));
    if (e instanceof Error && "code" in e && MISSING.has(e.code))
      throw new Loaderror(missing(path, e));
    throw new Loaderror(crashtext(file, e));
  }
}

const MISSING: ReadonlySet<unknown> = new Set([
  "ERR_MODULE_NOT_FOUND",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
  "ERR_UNSUPPORTED_DIR_IMPORT",
]);
const NOEXPORT = /requested module '([^']*)' does not provide an export named '([^']*)'/;

/** A name that a module does not export, and the stack of the error. */
type Unexported = { readonly module: string; readonly name: string; readonly stack: string };

/** An import of a name that a module has not, with the line. */
async function unexported(path: string, it: Unexported): Promise<string> {
  const { module, name, stack } = it;
  const [, url, row] = /^(file:\/\/\S+?):(\d+)$/m.exec(stack) ?? [];
  const file = url === undefined ? path : fileURLToPath(url);
  const lines = textof(file).split("\n");
  const line = row === undefined ? lines.findIndex((l) => l.includes(name)) + 1 : Number(row);
  const from = ours(module) ?? new URL(module, pathToFileURL(file)).href;
  let names: readonly string[] = [];
  try {
    names = Object.keys((await import(from)) as object);
  } catch {
    // The module cannot be loaded either: then nothing is known of what it exports.
  }
  return `${near(file)}:${line}: ${noexport(module, name, names)}\n    ${lines[line - 1] ?? ""}`;
}

/** An import of a module that is not there, with the line. */
function missing(path: string, e: Error): string {
  const [, from = path] = / imported from (\S+)$/.exec(e.message) ?? [];
  const [, named = ""] =
    /(?:module|package|import) '([^']*)'|subpath '([^']*)'/.exec(e.message) ?? [];
  const lines = textof(from).split("\n");
  const specs = lines.flatMap((l, i) =>
    [...l.matchAll(/(?:from|import|import\()\s*["']([^"']+)["']/g)].map((m) => ({
      i,
      spec: m[1] ?? "",
    })),
  );
  const base = named.replace(/^.*\//, "");
  const found =
    specs.find(({ spec }) => spec === named || resolvepath(from, "..", spec) === named) ??
    specs.find(({ spec }) => base !== "" && spec.endsWith(base)) ??
    specs.find(({ spec }) => spec.startsWith("namec/") && ours(spec) === null);
  const at = found === undefined ? near(from) : `${near(from)}:${found.i + 1}`;
  const said = nomodule(found?.spec ?? named, beside(from));
  return `${at}: ${said}${found === undefined ? "" : `\n    ${lines[found.i] ?? ""}`}`;
}

/** The other programs in the directory of a file. */
function beside(file: string): string[] {
  try {
    const names = readdirSync(dirname(file));
    return names
      .filter((n) => TYPESCRIPT.test(n) || /\.m?js$/.test(n))
      .filter((n) => n !== basename(file));
  } catch {
    return [];
  }
}

function textof(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** What is wrong, where, and what to do: our own stripping says it; Node says it in the stack, or when it is asked. */
function syntax(path: string, e: SyntaxError): string {
  const stripped = /^.*:(\d+):\d+: /.exec(e.message);
  const said =
    stripped === null
      ? (place(e.stack ?? "", path) ?? place(check(path), path) ?? `${near(path)}: ${e.message}`)
      : e.message;
  const last = textof(path).trimEnd().split("\n").length;
  const hint = syntaxhint(said, stripped !== null && Number(stripped[1]) > last);
  return hint === null ? said : `${said}\n${hint}`;
}

/** The lines of a stack up to the message: file and line, the line, the place in it. */
function place(stack: string, path: string): string | null {
  const lines = stack.split("\n");
  const end = lines.findIndex((line) => line.startsWith("SyntaxError:"));
  if (end < 1) return null;
  const [first = "", ...more] = lines.slice(0, end + 1).filter((line) => line !== "");
  const where = first
    .replace("[stdin]", near(path))
    .replace(/^file:\/\/\S+?(?=:\d+$)/, (url) => near(fileURLToPath(url)));
  return [where, ...more].join("\n");
}

/** Node's own opinion of the file, with the place. */
function check(path: string): string {
  const source = readFileSync(path, "utf8");
  const input = TYPESCRIPT.test(path) ? strip(path, source) : source;
  return spawnSync(process.execPath, ["--input-type=module", "--check"], {
    input,
    encoding: "utf8",
  }).stderr;
}

let hooked = false;

/** Puts the hooks in place: in this thread where Node can, else in the loader's. */
function hook(): void {
  if (hooked) return;
  hooked = true;
  const register: unknown = Reflect.get(module, "registerHooks");
  if (typeof register !== "function") {
    module.register("./hooks.js", import.meta.url, { data: isone() });
    return;
  }
  initialize(isone());
  Reflect.apply(register, module, [{ resolve, load }]);
}
