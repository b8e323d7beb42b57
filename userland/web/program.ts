// A program typed into the page, made into a module and loaded: types are stripped by sucrase, which keeps
// every line in its place, as the command line does; "namec" becomes the kernel's library here. Runs in the
// worker. The module is a blob, so its address tells its lines on a stack from all others.

import { transform } from "sucrase";
import type { Program } from "../../kernel/proc/trap.ts";
import * as namec from "../boot/index.ts";
import { noexport, nomodule, unimported } from "../lib/loading.ts";
import { syntaxfault, syntaxhint } from "../lib/syntax.ts";
import type { Findplace } from "../view/record/recorder.ts";
import { gather } from "../vm/modules.ts";
import { program } from "../vm/vm.ts";
import type { Problem } from "./talk.ts";

/** A program that cannot be loaded; `code` is the JavaScript that the browser refused, if it was that. */
export class Unfit extends Error {
  readonly problem: Problem;
  readonly code: string | null;

  constructor(text: string, line: number | null = null, code: string | null = null) {
    super(text);
    this.problem = { text, line };
    this.code = code;
  }
}

/** A loaded program. */
export type Loaded = {
  readonly main: Program;
  readonly place: Findplace;
  /** What of a stack is the program's: "at main (hello.ts:3:5)". */
  readonly frames: (stack: string) => readonly Frame[];
  readonly unload: () => void;
};

export type Frame = { readonly line: number; readonly column: number };

/** Where statements import from: they begin a line, as everybody writes them. */
const STATEMENT =
  /^[ \t]*(?:import\s*|(?:import|export)\b[\w$\s{},*]*?\bfrom\s*)(["'])([^"'\n]+)\1/gm;
const DYNAMIC = /\bimport\(\s*(["'])([^"'\n]+)\1\s*\)/g;

/** The JavaScript of a program, in which "namec" is imported from `library`. Throws Unfit. */
export function compile(name: string, text: string, library: string): string {
  const code = strip(name, text);
  for (const form of [STATEMENT, DYNAMIC])
    for (const m of code.matchAll(form)) {
      if (m[2] === "namec") continue;
      const line = lineat(code, m.index + m[0].length);
      throw new Unfit(`${name}:${line}: ${nomodule(m[2] ?? "", null)}`, line);
    }
  const place = (whole: string): string => whole.replace(/(["'])namec\1/, JSON.stringify(library));
  return code.replace(STATEMENT, place).replace(DYNAMIC, place);
}

function lineat(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function strip(name: string, text: string): string {
  try {
    return transform(text, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (e) {
    if (!(e instanceof Error)) throw e;
    const { what, at } = syntaxfault(e);
    if (at === null) throw new Unfit(`${name}: ${what}`);
    const hint = syntaxhint(what, at.line > text.trimEnd().split("\n").length);
    const more = hint === null ? "" : `\n    ${hint}`;
    throw new Unfit(`${name}:${at.line}:${at.column}: ${what}${more}`, at.line);
  }
}

/** Loads a program, anew each time. Throws Unfit. */
export async function loadprogram(
  name: string,
  text: string,
  image: "vm" | "native" = "native",
): Promise<Loaded> {
  if (image === "vm") return await loadvm(name, text);
  const library = libraryurl();
  const code = compile(name, text, library);
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const frames = (stack: string): Frame[] => framesof(stack, url);
  const source = { name, text };
  const place: Findplace = (stack) => {
    const at = stack.find((site) => site.getFileName() === url);
    const [line, column] = [at?.getLineNumber() ?? null, at?.getColumnNumber() ?? null];
    return line === null || column === null ? null : { source, line, column };
  };
  const main = await imported(name, url, code, frames);
  return { main, place, frames, unload: () => URL.revokeObjectURL(url) };
}

/** Loads a program that is to have a memory of its own. It is one module, named after its file, on stacks too. */
async function loadvm(name: string, text: string): Promise<Loaded> {
  // Compiled for its errors only, so that a mistake has the same words here as in a program without such a memory.
  compile(name, text, LIBRARY);
  const modules = await gather(name, { read: (file) => (file === name ? text : null) }).catch(
    (e: unknown) => {
      if (!(e instanceof SyntaxError)) throw e;
      const line = /:(\d+):\d+: /.exec(e.message)?.[1];
      throw new Unfit(e.message, line === undefined ? null : Number(line));
    },
  );
  const source = { name, text };
  return {
    main: program(modules, name),
    place: (stack) => {
      const at = stack.find((site) => site.getFileName() === name);
      const [line, column] = [at?.getLineNumber() ?? null, at?.getColumnNumber() ?? null];
      return line === null || column === null ? null : { source, line, column };
    },
    frames: (stack) => framesof(stack, name),
    unload: () => undefined,
  };
}

const LIBRARY = "namec";

type Frames = (stack: string) => readonly Frame[];

async function imported(name: string, url: string, code: string, frames: Frames): Promise<Program> {
  let exports: Record<string, unknown>;
  try {
    exports = (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
  } catch (e) {
    if (e instanceof SyntaxError) throw new Unfit(`${name}: ${said(e)}`, null, code);
    const line = e instanceof Error ? (frames(e.stack ?? "")[0]?.line ?? null) : null;
    const at = line === null ? name : `${name}:${line}`;
    throw new Unfit(`${at}: ${e instanceof Error ? said(e) : String(e)}`, line);
  }
  const main = exports["default"];
  if (typeof main === "function") return main as Program;
  const what = main === undefined ? "has no default export" : `exports a ${typeof main} as default`;
  throw new Unfit(`${name} ${what}; a program is
    export default async function main(sys, argv) { ... }`);
}

/** What an error says and what to do about it; browsers say in several ways that a module exports no such name. */
function said(e: Error): string {
  const text = e.message.replace(/'?blob:[^'\s]*'?/g, '"namec"');
  const [, quoted, bare] =
    /export(?: named)?:? '([\w$]+)'|binding name:? '?([\w$]+)'?/.exec(text) ?? [];
  const missing = quoted ?? bare;
  if (e instanceof SyntaxError && missing !== undefined)
    return noexport("namec", missing, Object.keys(namec));
  const hint = e instanceof SyntaxError ? syntaxhint(text, false) : unimported(e);
  return `${e.name}: ${text}${hint === null ? "" : `\n    ${hint}`}`;
}

/** The places of a stack that are in the program; the browsers agree on url:line:column at least. */
function framesof(stack: string, url: string): Frame[] {
  const list: Frame[] = [];
  for (const line of stack.split("\n")) {
    const from = line.indexOf(url);
    const m = from < 0 ? null : /^:(\d+):(\d+)/.exec(line.slice(from + url.length));
    if (m !== null) list.push({ line: Number(m[1]), column: Number(m[2]) });
  }
  return list;
}

let known: string | null = null;

/** The address of a module that exports what the library does. */
function libraryurl(): string {
  if (known !== null) return known;
  Reflect.set(globalThis, "namec", namec);
  const code = `export const { ${Object.keys(namec).join(", ")} } = globalThis.namec;`;
  known = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return known;
}
