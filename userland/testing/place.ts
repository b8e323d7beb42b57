// Where a test's program is: the file and line of a system call, and the stack of a failure from the test's own
// line on. Frames of this package say nothing to who reads a test's report; the package's own tests are tests.
//
// The kit imports nothing of a host's: where Node's modules are to be had, a source map beside a file leads to the
// line that was written.

import { Panic, callsite } from "../../kernel/abi/errors.ts";
import type { Callsite } from "../../kernel/abi/errors.ts";
import { lastword, placeof } from "../../kernel/abi/place.ts";
import type { Findplace } from "../view/record/recorder.ts";

type Found = ReturnType<Findplace>;

/** What of Node's modules is used, got without an import. */
type Nodefs = {
  existsSync(path: string): boolean;
  readFileSync(path: string, encoding: "utf8"): string;
};
type Map_ = {
  readonly payload: { readonly sources?: readonly string[] };
  findEntry(line: number, column: number): object;
};
type Nodemodule = { readonly SourceMap: new (payload: object) => Map_ };
type Nodepath = { resolve(...parts: readonly string[]): string };
type Nodeurl = { fileURLToPath(url: string): string };
type Node = {
  readonly fs: Nodefs;
  readonly module: Nodemodule;
  readonly url: Nodeurl;
  readonly path: Nodepath;
  readonly cwd: string;
};

/** Where this package is: this file, or the one file that all commands are built into, is below userland. */
const HERE: string = (import.meta as unknown as { readonly url: string }).url;
const PACKAGE: string = HERE.replace(/^file:\/\//, "").replace(
  /(dist\/)?userland\/(?!.*userland\/).*$/,
  "",
);

/** The rooms of this package, as built or, where a stack follows source maps, as written. */
const ROOMS = /^(dist\/)?(kernel|devices|syscalls|userland)\//;

/** Whether a file is this package's, but for its tests and examples. */
function isours(url: string): boolean {
  const path = url.replace(/^file:\/\//, "");
  return path.startsWith(PACKAGE) && ROOMS.test(path.slice(PACKAGE.length));
}

/** Node's modules; null elsewhere. */
function getnode(): Node | null {
  const host: unknown = Reflect.get(globalThis, "process");
  if (typeof host !== "object" || host === null) return null;
  const builtin: unknown = Reflect.get(host, "getBuiltinModule");
  const cwd: unknown = Reflect.get(host, "cwd");
  if (typeof builtin !== "function" || typeof cwd !== "function") return null;
  const get = (name: string): unknown => Reflect.apply(builtin, host, [name]);
  return {
    fs: get("node:fs") as Nodefs,
    module: get("node:module") as Nodemodule,
    url: get("node:url") as Nodeurl,
    path: get("node:path") as Nodepath,
    cwd: String(Reflect.apply(cwd, host, [])),
  };
}

/** A script that programs are in. */
type Script = { readonly name: string; readonly text: string; readonly map: Map_ | null };

const scripts = new Map<string, Script | null>();
let node: Node | null | undefined;

function scriptof(url: string): Script | null {
  let script = scripts.get(url);
  if (script === undefined) scripts.set(url, (script = readscript(url)));
  return script;
}

/** null: a file that no test is in. */
function readscript(url: string): Script | null {
  if (!/^(file|https?|blob):/.test(url) || isours(url)) return null;
  node ??= getnode();
  if (node === null || !url.startsWith("file:")) return { name: url, text: "", map: null };
  const { fs, module } = node;
  const path = node.url.fileURLToPath(url);
  const text = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "";
  const map = mapof(`${path}.map`, fs, module);
  const source = map?.payload.sources?.[0];
  const written = source === undefined ? path : node.path.resolve(path, "..", source);
  if (map === null || source === undefined || !fs.existsSync(written))
    return { name: near(path, node.cwd), text, map: null };
  return { name: near(written, node.cwd), text: fs.readFileSync(written, "utf8"), map };
}

/** A source map; null where there is none, or one that cannot be read: then the lines are those of what runs. */
function mapof(file: string, fs: Nodefs, module: Nodemodule): Map_ | null {
  if (!fs.existsSync(file)) return null;
  try {
    return new module.SourceMap(JSON.parse(fs.readFileSync(file, "utf8")) as object);
  } catch {
    return null;
  }
}

/** A path as seen from the directory that the tests run in. */
function near(path: string, cwd: string): string {
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

/** The first place on a stack that is a test's. */
export const findplace: Findplace = (stack): Found => {
  for (const site of stack) {
    const url = site.getFileName();
    const script = typeof url === "string" ? scriptof(url) : null;
    if (script !== null) return at(script, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1);
  }
  return null;
};

function at({ name, text, map }: Script, line: number, column: number): Found {
  const source = { name, text };
  const entry = map?.findEntry(line - 1, column - 1);
  return entry !== undefined && "originalLine" in entry && "originalColumn" in entry
    ? { source, line: Number(entry.originalLine) + 1, column: Number(entry.originalColumn) + 1 }
    : { source, line, column };
}

/** An error with a stack of the test's lines alone: its own, or where it has none those of `here`. */
export function fortest<E extends Error>(e: E, here?: Error): E {
  const lines = teststack(e.stack) || teststack(here?.stack);
  // Of an error that is frozen the stack stays.
  Reflect.set(e, "stack", `${e.name}: ${e.message}\n${lines}`);
  return e;
}

/** What fn gives. What it throws has a stack that begins at the line that asked the kit, but for a fault of ours. */
export async function asked<T>(fn: () => Promise<T>): Promise<T> {
  const here = new Error("here");
  try {
    return await fn();
  } catch (e) {
    if (!(e instanceof Error) || e instanceof Panic || isbug(e)) throw e;
    throw fortest(e, here);
  }
}

/** Whether what was thrown is a fault in a program, and no way to say that it failed. */
export function isbug(e: unknown): e is Error {
  return e instanceof TypeError || e instanceof RangeError || e instanceof ReferenceError;
}

/** The lines of a stack that are not this package's, to put behind a message. */
export function teststack(stack: string | undefined): string {
  const lines = (stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  const its = (url: string): boolean => !isours(url) && !VMLIBRARY.test(url);
  // A frame of a method such as Array.map has no line.
  const host = / \(<anonymous>\)$|node:/;
  return lines.filter((line) => its(urlof(line)) && !host.test(line)).join("\n");
}

/** The library of vm programs, and its modules, as a stack names them. */
const VMLIBRARY = /^namec(?::|$)/;

const urlof = (line: string): string => lastword(placeof(line)?.before ?? "");

/** The places of a stack's text. One that follows source maps has paths in place of addresses. */
export function tracesites(stack: string | undefined): Callsite[] {
  const list: Callsite[] = [];
  for (const text of teststack(stack).split("\n")) {
    const place = placeof(text);
    const name = lastword(place?.before ?? "");
    if (place === null || name === "") continue;
    list.push(callsite(name.startsWith("/") ? `file://${name}` : name, place));
  }
  return list;
}
