// What is said of a program that cannot be loaded, or that uses a name it has not imported: what is missing, what
// there is instead, and what to write. The same in Node, in a page and in a program with a memory of its own.

import * as constants from "../../kernel/abi/const.ts";
import { library } from "./both.ts";
import { nearest } from "./nearest.ts";

/** An import of a name that a module has not: `"namec" exports no prnt. Did you mean print?` */
export function noexport(module: string, name: string, exports: readonly string[]): string {
  const what = name === "default" ? "has no default export" : `exports no ${name}`;
  const close = nearest(name, exports);
  if (name === "default" && exports.length > 0)
    return `"${module}" ${what}. Write import { ${exports[0]} } from "${module}".`;
  if (close !== null) return `"${module}" ${what}. Did you mean ${close}?`;
  if (/^[A-Z][a-z]/.test(name))
    return `"${module}" ${what}. A type is no value: write import { type ${name} } from "${module}", and use it as a type.`;
  if (exports.length === 0) return `"${module}" ${what}.`;
  if (exports.length <= SHOWN) return `"${module}" ${what}. It has ${list(exports)}.`;
  return `"${module}" ${what}, and none of its ${exports.length} exports is spelled like that.`;
}

/** The same of "namec", where its exports are not at hand: those that programs use most are known here. */
export function nolibrary(name: string): string {
  const close = nearest(name, [...library.keys(), ...Object.keys(constants)]);
  return close === null ? noexport("namec", name, []) : noexport("namec", name, [close]);
}

const SHOWN = 12;

function list(names: readonly string[]): string {
  if (names.length === 0) return "no exports";
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}

/**
 * An import of a module that is not there. `beside` are the files of the program's directory; null where a program
 * has none.
 */
export function nomodule(module: string, beside: readonly string[] | null): string {
  if (/^node:|^(fs|path|os|http|net|child_process|process)$/.test(module))
    return `There is no "${module}" for a program here: its files, network and processes are those of sys and "namec".`;
  if (/^namec\b/.test(module) || nearest(module, ["namec"]) !== null)
    return `There is no "${module}". Write "namec", or "namec/testing" in a test.`;
  if (!/^\.{0,2}\//.test(module))
    return beside === null
      ? `There is no "${module}" here. A program imports from "namec" and from files beside it.`
      : `There is no package "${module}". Install it beside the program with npm install ${module}, or import from "namec".`;
  if (beside === null)
    return `There is no file ${module}. A program imports from "namec" and from files that are there.`;
  const name = module.replace(/^.*\//, "");
  const files = beside;
  const close = nearest(name, files);
  const there = files.length === 0 ? "there is no other file" : `there are ${list(files)}`;
  return `There is no file ${module}. ${close === null ? `Beside the program ${there}.` : `Did you mean ./${close}?`}`;
}

/** The line of a text, from 1, that imports a module; 0 where none does. */
export function importline(text: string, module: string): number {
  const quoted = [`"${module}"`, `'${module}'`];
  return text.split("\n").findIndex((l) => quoted.some((q) => l.includes(q))) + 1;
}

/** The lines of a text, which is gone through once. */
class Lines {
  readonly #text: string;
  #line = 1;
  /** Where this line begins, and up to where its end was looked for. */
  #from = 0;
  #to = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The line and column, from 1, of a place that is not before the last one. */
  at(place: number): { readonly line: number; readonly column: number } {
    for (
      let i = this.#text.indexOf("\n", this.#to);
      i >= 0 && i < place;
      i = this.#text.indexOf("\n", i + 1)
    ) {
      this.#line++;
      this.#from = i + 1;
    }
    this.#to = place;
    return { line: this.#line, column: place - this.#from + 1 };
  }
}

/** Where a text imports a name, or exports it from elsewhere; `from` is the module as it is written there. */
type Import = { readonly from: string; readonly line: number; readonly column: number };

/** The places where a text imports a name of another module. */
export function importsof(text: string, name: string): Import[] {
  const list: Import[] = [];
  const quoted = name.replaceAll("$", "\\$");
  const word = new RegExp(name === "default" ? "[\\w$]" : `(?<![\\w$])${quoted}(?![\\w$])`);
  // Where a statement begins that may import; -1 elsewhere. The text is gone through once, however it is made.
  let begun = -1;
  const lines = new Lines(text);
  const part = /\b(?:im|ex)port\b|\bfrom\s*["']([^"'\n]*)["']|[;"']/g;
  for (let m = part.exec(text); m !== null; m = part.exec(text)) {
    const [what, from] = m;
    if (from === undefined) {
      const begins = what === "import" || what === "export";
      if (!begins) begun = -1;
      else if (begun < 0) begun = m.index + what.length;
      continue;
    }
    const at = begun < 0 ? undefined : word.exec(text.slice(begun, m.index))?.index;
    // What belongs to no import ends nothing: a quote behind it may begin what is looked for.
    if (begun < 0) part.lastIndex = m.index + 4;
    else if (at !== undefined) list.push({ from, ...lines.at(begun + at) });
    begun = -1;
  }
  return list;
}

/** A name of the library that a program has used and not imported; null for any other error. */
export function unimported(e: unknown): string | null {
  if (!(e instanceof Error) || e.name !== "ReferenceError") return null;
  const [, name = ""] = /^(?:Can't find variable: )?'?([\w$]+)'?(?: is not defined)?$/.exec(
    e.message,
  ) ?? [""];
  if (name === "require")
    return `A program is a module, which has no require. Write import ... from "namec".`;
  if (name === "sys") return "Main gets sys as its first argument: write main(sys) { ... }.";
  const names = [...library.keys(), ...Object.keys(constants)];
  if (names.includes(name)) return `Write import { ${name} } from "namec" at the head of the file.`;
  const close = nearest(name, names);
  return close === null || name.length < 4 ? null : `Did you mean ${close}, of "namec"?`;
}
