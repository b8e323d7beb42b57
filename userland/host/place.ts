// Where on a stack the program is: a line of its own file. Files of this package say nothing about a program,
// but for those of /bin, which are programs too: a source map leads from what was built to what was written.

import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { lastword, placeof } from "../../kernel/abi/place.ts";
import type { Findplace } from "../view/record/recorder.ts";
import type { Source } from "../view/record/recording.ts";
import { near } from "./hooks.ts";
import { FILE, NAME } from "./one.ts";

const PACKAGE: string = fileURLToPath(new URL("../..", import.meta.url));
/** Its rooms: what is beside them, such as its tests, are programs as others are. */
const ROOMS = /^(?:kernel|devices|syscalls|userland|web)\//;
const BIN: string = fileURLToPath(new URL("../bin/", import.meta.url));
const ONE: string = fileURLToPath(FILE);

/** A line of a stack trace. */
type Frame = {
  readonly who: string;
  readonly path: string;
  readonly line: number;
  readonly column: number;
};

/** The lines of a stack that are in files. */
export function stackframes(stack: string): Frame[] {
  const list: Frame[] = [];
  for (const line of stack.split("\n")) {
    const place = line.startsWith(AT) ? placeof(line) : null;
    const url = lastword(place?.before ?? "");
    const path = url.startsWith("file://") ? pathof(url) : null;
    if (place === null || path === null) continue;
    const who = place.before.slice(AT.length, -url.length).replace(/\($/, "").trimEnd();
    list.push({ who, path, line: place.line, column: place.column });
  }
  return list;
}

const AT = "    at ";

/** The path of a file's address; null where a program has made up an address that names no file. */
function pathof(url: string): string | null {
  try {
    return fileURLToPath(url);
  } catch {
    return null;
  }
}

/** Whether a file is this package's, as built. */
export function isours(path: string): boolean {
  return path.startsWith(PACKAGE) && ROOMS.test(path.slice(PACKAGE.length));
}

/** A Findplace for programs of files and of /bin; it reads each file once, and finds each place in it once. */
export function findplace(): Findplace {
  const scripts = new Map<string, Script | null>();
  const scriptof = (url: string, text: string | undefined): Script | null => {
    let script = scripts.get(url);
    if (script === undefined) scripts.set(url, (script = readscript(url, text)));
    return script;
  };
  return (stack) => {
    for (const site of stack) {
      const url = site.getFileName();
      const script = typeof url === "string" ? scriptof(url, site.text) : null;
      const found = script?.at(site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1) ?? null;
      if (found !== null) return found;
    }
    return null;
  };
}

type Found = ReturnType<Findplace>;

/** A file with lines of programs: a program's own, or one that was built of those of /bin. */
class Script {
  readonly #source: Source | SourceMap;
  readonly #path: string;
  readonly #built = new Map<string, Source | null>();
  readonly #places = new Map<number, Found>();

  constructor(source: Source | SourceMap, path: string) {
    this.#source = source;
    this.#path = path;
  }

  /** The place that a line and a column of what is run were written at. */
  at(line: number, column: number): Found {
    const key = line * COLUMNS + column;
    let found = this.#places.get(key);
    if (found === undefined) this.#places.set(key, (found = this.#find(line, column)));
    return found;
  }

  /** The file that a program was compiled from; null for one of this package's, or one that is not there. */
  #written(source: string): Source | null {
    const path = resolve(this.#path, "..", source.replace(/^file:\/\//, ""));
    const ours = isours(this.#path) || !existsSync(path);
    return ours ? null : { name: near(path), text: textof(path) };
  }

  #find(line: number, column: number): Found {
    if (!(this.#source instanceof SourceMap)) return { source: this.#source, line, column };
    const entry = this.#source.findEntry(line - 1, column - 1);
    if (!("originalLine" in entry)) return null;
    let source = this.#built.get(entry.originalSource);
    if (source === undefined) {
      source = builtof(this.#source, entry.originalSource) ?? this.#written(entry.originalSource);
      this.#built.set(entry.originalSource, source);
    }
    if (source === null) return null;
    return { source, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }
}

/** The program of /bin that a source is, "../bin/ls.ts" → /bin/ls; null for one that is no program. */
function builtof({ payload }: SourceMap, source: string): Source | null {
  const name = /\/userland\/bin\/(?:.*\/)?([^/]+)\.ts$/.exec(source)?.[1];
  if (name === undefined) return null;
  const sections: unknown = Reflect.get(payload, "sections");
  const maps = Array.isArray(sections) ? (sections as Section[]).map((s) => s.map) : [payload];
  for (const { sources, sourcesContent } of maps) {
    const i = sources.indexOf(source);
    if (i >= 0) return { name: `/bin/${name}`, text: sourcesContent?.[i] ?? "" };
  }
  return null;
}

/** A part of a map of several files. */
type Section = { readonly map: SourceMap["payload"] };

/** More than a line has columns. */
const COLUMNS = 2 ** 30;

/** The script of an address, with its text if that is known; null where that is no file of a program. */
function readscript(url: string, text: string | undefined): Script | null {
  const file = url.startsWith("file://") ? fileURLToPath(url) : null;
  const path = url === NAME ? ONE : file;
  if (text !== undefined)
    return new Script({ name: path === null ? url : near(path), text }, path ?? url);
  if (path === null || (isours(path) && !path.startsWith(BIN) && path !== ONE)) return null;
  const mapfile = `${path}.map`;
  if (!existsSync(mapfile)) return new Script({ name: near(path), text: textof(path) }, path);
  type Payload = ConstructorParameters<typeof SourceMap>[0];
  return new Script(new SourceMap(JSON.parse(readFileSync(mapfile, "utf8")) as Payload), path);
}

/** The text of a file; none when the file is gone since it was loaded. */
function textof(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
