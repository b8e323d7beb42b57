// What is said of programs that cannot be loaded: what is missing, what there is, and what to write.

import test from "ava";
import fc from "fast-check";
import {
  importline,
  importsof,
  nolibrary,
  noexport,
  nomodule,
  unimported,
} from "../../userland/lib/loading.ts";
import { syntaxfault, syntaxhint } from "../../userland/lib/syntax.ts";
import "../../userland/lib/io.ts";
import { badreturn, unawaited } from "../../userland/view/words/crash.ts";

test("a name that a module has not is answered with the one that was meant, or with all", (t) => {
  const names = ["print", "readtext"];
  t.is(noexport("namec", "prnt", names), '"namec" exports no prnt. Did you mean print?');
  t.is(
    noexport("./a.ts", "default", ["go"]),
    '"./a.ts" has no default export. Write import { go } from "./a.ts".',
  );
  t.regex(noexport("namec", "Sys", names), /A type is no value: write import \{ type Sys \}/);
  t.is(noexport("namec", "zzzzz", names), '"namec" exports no zzzzz. It has print, readtext.');
  t.is(noexport("./a.ts", "zzzzz", []), '"./a.ts" exports no zzzzz.');
  t.is(nolibrary("readtxt"), '"namec" exports no readtxt. Did you mean readtext?');
  t.is(nolibrary("zzzzz"), '"namec" exports no zzzzz.');
});

test("a module that is not there is answered with the file or the package that was meant", (t) => {
  t.is(nomodule("./utl.ts", ["util.ts"]), "There is no file ./utl.ts. Did you mean ./util.ts?");
  t.regex(nomodule("./x.ts", null), /^There is no file \.\/x\.ts\. A program imports/);
  t.regex(nomodule("./x.ts", []), /Beside the program there is no other file\.$/);
  t.regex(nomodule("leftpad", []), /^There is no package "leftpad"\. .*npm install leftpad/);
  t.regex(nomodule("leftpad", null), /imports from "namec" and from files beside it\.$/);
  t.regex(nomodule("fs", []), /its files, network and processes are those of sys and "namec"/);
  t.regex(nomodule("namec/test", []), /Write "namec", or "namec\/testing" in a test\.$/);
});

test("an import has the line of its module", (t) => {
  t.is(importline("import a from \"b\";\nimport { x } from './c.ts';\n", "./c.ts"), 2);
  t.is(importline("none();\n", "./c.ts"), 0);
});

test("a name that was not imported is answered with its import", (t) => {
  const of = (text: string): string | null => unimported(new ReferenceError(text));
  t.is(of("print is not defined"), 'Write import { print } from "namec" at the head of the file.');
  t.regex(of("OREAD is not defined") ?? "", /import \{ OREAD \} from "namec"/);
  t.is(of("Can't find variable: readtxt"), 'Did you mean readtext, of "namec"?');
  t.regex(of("sys is not defined") ?? "", /main\(sys\)/);
  t.is(of("x is not defined"), null);
  t.is(unimported(new TypeError("print is not defined")), null);
});

test("a syntax error is answered with what to do, where that is known", (t) => {
  t.regex(syntaxhint("Unexpected token", true) ?? "", /is not closed\.$/);
  t.is(syntaxhint("Unexpected token", false), null);
  t.regex(syntaxhint("Unexpected reserved word", false) ?? "", /^await .* write async/);
  t.regex(syntaxhint("Unexpected strict mode reserved word", false) ?? "", /function\*/);
  t.regex(syntaxhint("Unterminated string constant", false) ?? "", /^A quote/);
});

test("a call that is not awaited has a line where it is the only one of its kind", (t) => {
  const line = (text: string): number | null => unawaited(text, "open");
  t.is(line('a();\nsys.open("x");\n'), 2);
  t.is(line('await sys.open("x");\nsys.open("y");\n'), 2);
  t.is(line('await sys.open("x");\nconst p = sys.open("y");\nreturn sys.open("z");\n'), null);
  t.is(line('sys.open("x");\nsys.open("y");\n'), null);
  t.is(line("// sys.open(x)\nsys.reopen(1);\n"), null);
  t.is(line("yield* sys.open(1);\n"), null);
});

test("a return of what is no text has a line where it is the only one", (t) => {
  t.is(badreturn('return "x";\nreturn 7;\n'), 2);
  t.is(badreturn("return true;\n"), 1);
  t.is(badreturn("return 7;\nreturn -1;\n"), null);
  t.is(badreturn("return text;\nreturn find(x);\n"), null);
});

test("what sucrase says of a syntax error is taken apart: the reason, the line and the column", (t) => {
  const said = 'Error transforming a.ts: Unexpected token, expected "," (3:14)';
  t.deepEqual(syntaxfault(new Error(said)), {
    what: 'Unexpected token, expected ","',
    at: { line: 3, column: 14 },
  });
  t.deepEqual(syntaxfault(new Error("out of memory")), { what: "out of memory", at: null });
});

const PARTS: readonly string[] = [
  'import { a } from "m";',
  "import a\nfrom 'k'\n",
  'export { ab, a } from "m"',
  "from 'm'",
  ...`; " ' { } import export from a ab`.split(" "),
  " ",
  "\n",
];

/** importsof, as a regular expression says it. */
function plainly(text: string, name: string): unknown[] {
  const list: unknown[] = [];
  const form = /\b(?:im|ex)port\b([^;"']*?)\bfrom\s*["']([^"'\n]*)["']/g;
  for (const m of text.matchAll(form)) {
    const at = RegExp(`(?<![\\w$])${name}(?![\\w$])`).exec(m[1] ?? "")?.index;
    if (at === undefined) continue;
    const before = text.slice(0, m.index + "import".length + at).split("\n");
    list.push({ from: m[2], line: before.length, column: (before.at(-1) ?? "").length + 1 });
  }
  return list;
}

test("the places that import a name are found, whatever stands around them", (t) => {
  t.deepEqual(importsof("import { a } from \"x\";\nexport { b,\n  a } from 'y';", "a"), [
    { from: "x", line: 1, column: 10 },
    { from: "y", line: 3, column: 3 },
  ]);
  t.deepEqual(importsof('from"import { a } from "m"', "a"), [{ from: "m", line: 1, column: 15 }]);
  const part = fc.constantFrom(...PARTS);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
      const text = parts.join("");
      t.deepEqual(importsof(text, "a"), plainly(text, "a"), text);
    }),
  );
});

test("the time to find them is bounded by the text's length", (t) => {
  // The square of this length is hours.
  const long = (part: string): string => part.repeat(2_000_000 / part.length);
  t.deepEqual(importsof(`/* ${long("import ")} */`, "a"), []);
  t.is(importsof(`/* ${long('\nimport a from "x";')} */`, "a").length, 105_263);
});
