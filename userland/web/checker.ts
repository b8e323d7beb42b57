// The checker of types, in a worker of its own: TypeScript's language service over one file, the program, with the
// declarations of the library "namec" and of what a worker has. It runs no program and sends no request.

import ts from "@ts-morph/common/dist/typescript.js";
import files from "virtual:declarations";
import type { Asked, Change, Entry, Fault, Known, Question, Reply, Said } from "./checktalk.ts";

/** The most entries of a completion that are sent. */
const ENTRIES = 300;

const LIBRARY = "/namec/userland/boot/index.d.ts";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2023.d.ts", "lib.webworker.d.ts"],
  types: [],
  strict: true,
  // A program that a newcomer types has a sys without a type.
  noImplicitAny: false,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
  skipDefaultLibCheck: true,
  paths: { namec: [LIBRARY] },
};

const PREFERENCES: ts.UserPreferences = {
  includeCompletionsForModuleExports: true,
  includeCompletionsWithInsertText: false,
  importModuleSpecifierPreference: "non-relative",
  quotePreference: "double",
};

/** The program as the service has it. */
const program = { path: "/program.ts", text: "", version: 0 };

const text = (path: string): string | undefined =>
  path === program.path ? program.text : files[path];

const host: ts.LanguageServiceHost = {
  getCompilationSettings: () => OPTIONS,
  getScriptFileNames: () => [program.path, LIBRARY],
  getScriptVersion: (path) => (path === program.path ? String(program.version) : "0"),
  getScriptSnapshot: (path) => {
    const t = text(path);
    return t === undefined ? undefined : ts.ScriptSnapshot.fromString(t);
  },
  getCurrentDirectory: () => "/",
  getDefaultLibFileName: () => "/lib/lib.es2023.d.ts",
  fileExists: (path) => text(path) !== undefined,
  readFile: text,
  readDirectory: () => [],
  directoryExists: (path) => path === "/" || path.startsWith("/namec") || path.startsWith("/lib"),
  getDirectories: () => [],
};

const service = ts.createLanguageService(host);

function answer(q: Question): Reply {
  switch (q.kind) {
    case "problems":
      return { kind: "problems", faults: problems() };
    case "hover":
      return { kind: "hover", known: hover(q.at) };
    case "complete":
      return complete(q.at, q.asked);
    case "entry":
      return entry(q.at, q.entry);
  }
}

function problems(): Fault[] {
  const { path } = program;
  return [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)].map(
    (d) => ({
      from: d.start ?? 0,
      to: (d.start ?? 0) + Math.max(1, d.length ?? 1),
      severity: SEVERITY[d.category] ?? "error",
      text: ts.flattenDiagnosticMessageText(d.messageText, "\n"),
    }),
  );
}

const SEVERITY: Readonly<Partial<Record<ts.DiagnosticCategory, Fault["severity"]>>> = {
  [ts.DiagnosticCategory.Warning]: "warning",
  [ts.DiagnosticCategory.Suggestion]: "info",
  [ts.DiagnosticCategory.Message]: "info",
};

function hover(at: number): Known | null {
  const info = service.getQuickInfoAtPosition(program.path, at);
  if (info === undefined) return null;
  const { start, length } = info.textSpan;
  return known(info, start, start + length);
}

type Info = Pick<ts.QuickInfo, "displayParts" | "documentation" | "tags">;

function known(info: Info, from: number, to: number): Known {
  return {
    from,
    to,
    declared: ts.displayPartsToString(info.displayParts),
    text: ts.displayPartsToString(info.documentation),
    tags: (info.tags ?? []).map((t) => [t.name, ts.displayPartsToString(t.text)] as const),
  };
}

/** Where the word before a place begins. */
function wordat(at: number): number {
  return at - (/[\w$]*$/.exec(program.text.slice(0, at))?.[0].length ?? 0);
}

function complete(at: number, asked: boolean): Reply {
  const from = wordat(at);
  const before = program.text.charAt(from - 1);
  // Between words only what is asked for is shown.
  const nothing: Reply = { kind: "complete", from, entries: [] };
  if (from === at && before !== "." && !asked) return nothing;
  const found = service.getCompletionsAtPosition(program.path, at, PREFERENCES);
  if (found === undefined) return nothing;
  const word = program.text.slice(from, at).toLowerCase();
  const entries = found.entries
    .filter((e) => e.source === undefined || e.source === "namec")
    .filter((e) => e.name.toLowerCase().startsWith(word))
    // What belongs to the program comes before what every worker has.
    .toSorted((a, b) => (a.sortText < b.sortText ? -1 : Number(a.sortText > b.sortText)))
    .slice(0, ENTRIES)
    .map(({ name, kind, source = null }) => ({ name, kind, source }));
  return { kind: "complete", from, entries };
}

function entry(at: number, e: Entry): Reply {
  const { path } = program;
  const source = e.source ?? undefined;
  const format = ts.getDefaultFormatCodeSettings("\n");
  const d = service.getCompletionEntryDetails(
    path,
    at,
    e.name,
    { ...format, indentSize: 2 },
    source,
    PREFERENCES,
    undefined,
  );
  if (d === undefined) return { kind: "entry", known: null, changes: [] };
  const changes = (d.codeActions ?? [])
    .flatMap((a) => a.changes)
    .filter((c) => c.fileName === path)
    .flatMap((c) => c.textChanges)
    .map(({ span, newText }): Change => {
      return { from: span.start, to: span.start + span.length, insert: newText };
    });
  return { kind: "entry", known: known(d, at, at), changes };
}

const say = (s: Said): void => postMessage(s);

addEventListener("message", ({ data }: MessageEvent<Asked>) => {
  const path = `/${/\.[cm]?[jt]s$/.test(data.name) ? data.name : `${data.name}.ts`}`;
  if (path !== program.path || data.text !== program.text) {
    program.path = path;
    program.text = data.text;
    program.version++;
  }
  let reply: Reply | null = null;
  try {
    reply = answer(data.question);
  } catch (e) {
    // A fault of TypeScript's costs one answer.
    console.warn(e);
  }
  say({ ready: false, id: data.id, reply });
});

// The first question is answered sooner when the declarations have been read.
service.getSemanticDiagnostics(program.path);
say({ ready: true });
