// The modules of a vm program: its own file and what that imports, from its directory and those below. They are read
// before the program begins, since a module cannot wait for a system call inside; QuickJS itself says what a text
// imports.

import { LIBRARY, beside, evaluate, first, giveback, islibrary, takeinstance } from "./first.ts";
import { importline, nomodule } from "../lib/loading.ts";
import { syntaxhint } from "../lib/syntax.ts";
import { vmhost } from "./host.ts";
import { parsed } from "./memory.ts";
import type { Instance, Outside } from "./quickjs.ts";

/** The text of a file, by its name; null where there is none. */
export type Reader = (name: string) => string | null | Promise<string | null>;

/** A program's modules, as QuickJS gets them. */
export type Modules = {
  /** The name of the program's own module. */
  readonly main: string;
  /** JavaScript, by the names of the modules. */
  readonly texts: ReadonlyMap<string, string>;
  /** As they were written, for those who show lines of them. */
  readonly sources: ReadonlyMap<string, string>;
  /** What an import leads to: "importer\nname" → the module's name. */
  readonly imports: ReadonlyMap<string, string>;
};

/** A module that cannot be had; the message names the file and, where it is known, the place. */
export class Moduleerror extends Error {
  override readonly name: string = "Moduleerror";
}

/** How modules are found. */
export type Finding = {
  /** The text of a file. */
  readonly read: Reader;
  /** The name in this package of a file that is its, "kernel/abi/const.js": it is then the library's own module. */
  readonly ours?: (name: string) => string | null;
};

/** Reads a program and all that it imports. Rejects with Moduleerror, or with a SyntaxError that says where. */
export async function gather(main: string, finding: Finding): Promise<Modules> {
  const { read } = finding;
  const texts = new Map<string, string>();
  const sources = new Map<string, string>();
  const imports = new Map<string, string>();
  const found = new Map<string, string | null>([[LIBRARY, LIBRARY]]);
  const todo = [main];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (texts.has(name)) continue;
    const source = await read(name);
    if (source === null) throw new Moduleerror(`${name}: there is no such file`);
    sources.set(name, source);
    const [text, all] = hinting(source, () => {
      const js = javascript(name, source);
      return [js, importsof(name, js)] as const;
    });
    texts.set(name, text);
    for (const wanted of all) {
      const at = await locate({ main, from: name, wanted }, { ...finding, found });
      if (at === OUTSIDE)
        throw new Moduleerror(`${name}:${importline(source, wanted)}: ${outside(wanted)}`);
      if (at === null)
        throw new Moduleerror(`${name}:${importline(source, wanted)}: ${nomodule(wanted, null)}`);
      imports.set(`${name}\n${wanted}`, at);
      if (!islibrary(at)) todo.push(at);
    }
  }
  return { main, texts, sources, imports };
}

/** An import: of the program, in this module, of this name. */
type Import = { readonly main: string; readonly from: string; readonly wanted: string };

/** Where an import leads that is not in the program's directory, nor below it. */
const OUTSIDE = Symbol("outside");

/** What is said of such an import. */
export const outside = (wanted: string): string =>
  `${wanted} is outside of the program's directory: a vm program imports "namec" and modules of its own directory and those below it`;

/** "/a/main.ts", "/a/b/c.ts", "../d.ts" → "/a/d.ts"; null where that is not below /a. */
function below({ main, from, wanted }: Import): string | null {
  const dir = main.slice(0, main.lastIndexOf("/") + 1);
  const elems: string[] = [];
  let name = wanted;
  if (wanted.startsWith(".")) elems.push(...from.slice(dir.length).split("/").slice(0, -1));
  else {
    // A file of the host's has an address.
    if (dir.startsWith("file:") && wanted.startsWith("/")) name = `file://${wanted}`;
    if (dir === "" || !name.startsWith(dir)) return null;
    name = name.slice(dir.length);
  }
  for (const e of name.split("/")) {
    if (e === "..") {
      if (elems.pop() === undefined) return null;
    } else if (e !== "." && e !== "") elems.push(e);
  }
  return dir + elems.join("/");
}

/** The file that an import names: "./util" and "./util.js" are util.ts where that is what there is. */
async function locate(
  what: Import,
  known: Finding & { readonly found: Map<string, string | null> },
): Promise<string | typeof OUTSIDE | null> {
  const { from, wanted } = what;
  if (wanted === LIBRARY) return LIBRARY;
  if (!/^(\.\.?\/|\/|file:)/.test(wanted)) return null;
  const ours = known.ours?.(wanted.startsWith(".") ? beside(from, wanted) : wanted) ?? null;
  if (ours !== null) return `${LIBRARY}:${ours}`;
  const path = below(what);
  if (path === null) return OUTSIDE;
  for (const name of [path, `${path}.ts`, path.replace(/\.(m?)js$/, ".$1ts")]) {
    let at = known.found.get(name);
    if (at === undefined) {
      at = (await known.read(name)) === null ? null : name;
      known.found.set(name, at);
    }
    if (at !== null) return at;
  }
  return null;
}

/** What is run of a source. The first line may say who runs it. */
function javascript(name: string, source: string): string {
  if (source.includes("\0")) throw new Moduleerror(`${name}: a zero byte is no part of a program`);
  const text = source.startsWith("#!") ? `//${source.slice(2)}` : source;
  return /\.m?js$/.test(name) ? text : vmhost().strip(name, text);
}

/** What fn gives; a SyntaxError that it throws says what to do, too. */
function hinting<T>(source: string, fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    if (!(e instanceof SyntaxError)) throw e;
    const [, line] = /^.*?:(\d+):\d+: /.exec(e.message) ?? [];
    const hint = syntaxhint(e.message, Number(line) > source.trimEnd().split("\n").length);
    throw hint === null ? e : new SyntaxError(`${e.message}\n${hint}`);
  }
}

/** What a module imports. Throws a SyntaxError with the place. */
function importsof(name: string, text: string): readonly string[] {
  return new Scan(name).imports(text);
}

/** Stands outside of a memory in which a module is read and not run: whatever it imports is there, and empty. */
class Scan implements Outside {
  readonly #name: string;
  readonly #i: Instance = takeinstance(this);
  readonly #wanted: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  imports(text: string): readonly string[] {
    const { contents, layout } = first();
    this.#i.load(contents);
    const problem = evaluate(this.#i, layout.ctx, { name: this.#name, text, run: false });
    giveback(this.#i, true);
    if (problem !== null) throw syntaxerror(this.#name, problem, text);
    return this.#wanted;
  }

  resolve(base: string, name: string): number {
    if (base === this.#name) this.#wanted.push(name);
    // Each is a module of its own here, so that none is the library, whose exports are not looked at.
    return this.#i.string(`scanned:${this.#wanted.length}`);
  }

  source(): number {
    return this.#i.string("");
  }

  now(): number {
    return 0;
  }

  interrupt(): boolean {
    return false;
  }

  call(): number {
    return 0;
  }
}

/** "prog.ts:3:5: unexpected token" and the line itself. */
function syntaxerror(name: string, problem: string, text: string): SyntaxError {
  const e = parsed(problem) as { message?: string; stack?: string } | null | undefined;
  const message = e?.message ?? "no module";
  const m = /:(\d+):(\d+)\)?\s*$/m.exec(e?.stack ?? "");
  if (m === null) return new SyntaxError(`${name}: ${message}`);
  const [line, column] = [Number(m[1]), Number(m[2])];
  const shown = (text.split("\n")[line - 1] ?? "").replaceAll("\t", " ");
  const caret = `${" ".repeat(Math.max(0, column - 1))}^`;
  return new SyntaxError(`${name}:${line}:${column}: ${message}\n    ${shown}\n    ${caret}`);
}
