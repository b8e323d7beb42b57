// Programs in files of the host: a .ts, .js or .mjs module whose default export is the program, an async
// function (sys, argv) or a generator function.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import * as module from "node:module";
import { basename, resolve as resolvepath } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Program } from "../../kernel/proc/trap.ts";
import { Usage } from "./command.ts";
import { crashtext } from "./crash.ts";
import { Loaderror } from "./loaderror.ts";
import { isone } from "./one.ts";
import { TYPESCRIPT, initialize, load, near, resolve, strip } from "./hooks.ts";

export { Loaderror };

/** Whether the word names a file, by its look or because there is one. */
export function isfile(word: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(word) || word.includes("/") || existsSync(word);
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
  const path = resolvepath(file);
  if (!existsSync(path)) throw new Usage(`${file}: there is no such file`);
  if (statSync(path).isDirectory()) throw new Usage(`${file} is a directory`);
  if (!/\.(m?[jt]s)$/.test(path)) throw new Usage(`${file}: a program is a .ts, .js or .mjs file`);
  hook();
  return await imported(file, path);
}

async function imported(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (e) {
    if (e instanceof SyntaxError) throw new Loaderror(syntax(path, e));
    if (e instanceof Error && "code" in e && e.code === "ERR_MODULE_NOT_FOUND")
      throw new Loaderror(`${file}: ${e.message}`);
    throw new Loaderror(crashtext(file, e));
  }
}

/** What is wrong, and where: our own stripping says it; Node says it in the stack, or when it is asked. */
function syntax(path: string, e: SyntaxError): string {
  if (/^.*:\d+:\d+: /.test(e.message)) return e.message;
  return place(e.stack ?? "", path) ?? place(check(path), path) ?? `${near(path)}: ${e.message}`;
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
