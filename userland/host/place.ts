// Where on a stack the program is: a line of its own file. Files of this package say nothing about a program,
// but for those of /bin, which are programs too: a source map leads from what was built to what was written.

import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import type { Findplace } from "../view/record/recorder.ts";
import type { Source } from "../view/record/recording.ts";
import { near } from "./hooks.ts";

const PACKAGE: string = fileURLToPath(new URL("../..", import.meta.url));
const BIN: string = fileURLToPath(new URL("../bin/", import.meta.url));

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
    const m = /^ {4}at (.*?)\(?(file:\/\/[^\s)]+?):(\d+):(\d+)\)?$/.exec(line);
    if (m === null) continue;
    const [, who = "", url = "", row = "", column = ""] = m;
    list.push({
      who: who.trimEnd(),
      path: fileURLToPath(url),
      line: Number(row),
      column: Number(column),
    });
  }
  return list;
}

/** Whether a file is this package's, as built. */
export function isours(path: string): boolean {
  return path.startsWith(PACKAGE) && !path.startsWith(`${PACKAGE}..`);
}

/** A Findplace for programs of files and of /bin; it reads each file once. */
export function findplace(): Findplace {
  const files = new Map<string, File>();
  const fileof = (path: string): File => {
    let f = files.get(path);
    if (f === undefined) files.set(path, (f = readsource(path)));
    return f;
  };
  return (stack) => {
    const at = stackframes(stack).find((f) => !isours(f.path) || f.path.startsWith(BIN));
    if (at === undefined) return null;
    const { source, map } = fileof(at.path);
    const entry = map?.findEntry(at.line - 1, at.column - 1);
    if (entry !== undefined && "originalLine" in entry)
      return { source, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
    return { source, line: at.line, column: at.column };
  };
}

type File = { readonly source: Source; readonly map: SourceMap | null };

function readsource(path: string): File {
  const mapfile = `${path}.map`;
  if (!existsSync(mapfile))
    return { source: { name: near(path), text: readFileSync(path, "utf8") }, map: null };
  const map = new SourceMap(
    JSON.parse(readFileSync(mapfile, "utf8")) as ConstructorParameters<typeof SourceMap>[0],
  );
  const { sources, sourcesContent } = map.payload;
  const name = `/bin/${(sources[0] ?? "").replace(/^.*\//, "").replace(/\.ts$/, "")}`;
  return { source: { name, text: sourcesContent?.[0] ?? "" }, map };
}
