// What of the page needs no browser: the links that hold a run, the examples' commands, programs made into
// modules; and the server that hands the page out.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { deflateRawSync } from "node:zlib";
import { join, sep } from "node:path";
import test from "ava";
import { fileof } from "../../userland/host/web.ts";
import { exampleof } from "../../userland/web/example.ts";
import { FRAMESCRIPT } from "../../userland/web/frame.ts";
import { Unfit, compile } from "../../userland/web/program.ts";
import { Linkerror, fromlink, tolink } from "../../userland/web/setup.ts";
import type { Linked } from "../../userland/web/setup.ts";

const LINKED: Linked = {
  name: "hello.ts",
  text: 'import { print } from "namec";\n// ünï → ∞\n',
  args: "a 'b c'",
  hosts: ["far:rtt=50ms,bw=600KB/s", "near:rtt=1ms,version=9P2000"],
  seed: 7,
  space: "standard",
  step: 41,
};

test("a link holds program, machines and step, and says them again", async (t) => {
  const hash = await tolink(LINKED);
  t.regex(hash, /^z\.[\w-]+$/);
  t.deepEqual(await fromlink(`#${hash}`), LINKED);
  t.deepEqual(await fromlink(`#${await tolink({ ...LINKED, step: null })}`), {
    ...LINKED,
    step: null,
  });
});

test("a link may be plain, as a browser without compression makes it", async (t) => {
  const plain = Buffer.from(JSON.stringify(LINKED)).toString("base64url");
  t.deepEqual(await fromlink(`#p.${plain}`), LINKED);
});

test("a bad link says what is wrong with it", async (t) => {
  const plain = (l: unknown): string => `p.${Buffer.from(JSON.stringify(l)).toString("base64url")}`;
  const bad: readonly (readonly [string, RegExp])[] = [
    ["#part-steps", /holds no program/],
    ["#z.", /holds no program/],
    [(await tolink(LINKED)).slice(0, -20), /damaged/],
    ["z.AAAA", /damaged/],
    ["p.AAAA", /damaged/],
    [plain(null), /it holds no program/],
    [plain({ ...LINKED, name: "../x" }), /has no name/],
    [plain({ ...LINKED, text: 1 }), /holds no program/],
    [plain({ ...LINKED, args: null }), /arguments/],
    [plain({ ...LINKED, hosts: "far" }), /machines are no list/],
    [plain({ ...LINKED, hosts: ["far:rtt=fast"] }), /bad time 'fast'/],
    [plain({ ...LINKED, hosts: ["a:rtt=1ms", "a:rtt=2ms"] }), /a is given twice/],
    [plain({ ...LINKED, seed: -1 }), /seed/],
    [plain({ ...LINKED, space: "mine" }), /name space/],
    [plain({ ...LINKED, step: 0.5 }), /step/],
  ];
  for (const [link, message] of bad)
    await t.throwsAsync(fromlink(link), { instanceOf: Linkerror, message }, link);
});

test("a link that unfolds to more than a program could be is not followed", async (t) => {
  const big = { ...LINKED, text: "x".repeat(600_000) };
  const bomb = `z.${deflateRawSync(JSON.stringify(big)).toString("base64url")}`;
  t.true(bomb.length < 5000);
  await t.throwsAsync(fromlink(bomb), { instanceOf: Linkerror, message: /more than a program/ });
});

test("a program that no link would lead to gets none", async (t) => {
  const big = { ...LINKED, text: "x".repeat(600_000) };
  await t.throwsAsync(tolink(big), { instanceOf: Linkerror, message: /a link may hold 500,000/ });
});

test("a program's lines stay where they are, and namec is found", (t) => {
  const text = `import {
  type Sys,
  print,
} from "namec";
type T = {
  a: string;
};
const say = 'import { print } from "namec"';
export default async (sys: Sys) => print(sys, (await import("namec")).quote(say));
`;
  const code = compile("p.ts", text, "blob:x");
  t.is(code.split("\n").length, text.split("\n").length);
  t.regex(code, /^} from "blob:x";$/m);
  t.regex(code, /await import\("blob:x"\)/);
  t.regex(code, /const say = 'import { print } from "namec"';/);
});

test("what a page cannot import, and what is no TypeScript, is said with its line", (t) => {
  const said = (text: string): Unfit =>
    t.throws(() => compile("p.ts", text, "blob:x"), { instanceOf: Unfit });
  const e = said('\nimport { readFileSync } from "node:fs";\nreadFileSync("x");\n');
  t.is(e.problem.line, 2);
  t.regex(
    e.message,
    /^p\.ts:2: There is no "node:fs" for a program here: its files, .* are those of sys and "namec"/,
  );
  t.is(said('export * from "./other.ts";').problem.line, 1);
  const f = said("export default async function main() {\n  const x = = 1;\n}\n");
  t.is(f.problem.line, 2);
  t.regex(f.message, /^p\.ts:2:13: /);
});

test("an example is run as its first comment says", (t) => {
  const text = `// Why far names are slow.
//
//     npx namec step --host far:rtt=50ms --host near:rtt=1ms --seed 3 examples/lessons/deep.ts a 'b c'
//     npx namec run examples/lessons/deep.ts
//
// Question: which server
//     is asked?

export default async () => "--host no:rtt=1ms";
`;
  t.deepEqual(exampleof("../../examples/lessons/deep.ts", text), {
    name: "deep.ts",
    text,
    lesson: true,
    title: "Why far names are slow",
    question: "which server is asked?",
    look: "",
    change: "",
    answer: "",
    changed: "",
    args: "a 'b c'",
    hosts: ["far:rtt=50ms", "near:rtt=1ms"],
    seed: 3,
  });
  const second = text.replace(/^.*namec step.*\n/m, "");
  const none = { lesson: false, args: "", hosts: [], seed: 0 };
  t.like(exampleof("../../examples/deep.ts", second), none);
});

test("the server of the page gives what is below its directory, and nothing else", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "namec-web-")) + sep;
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "assets"));
  writeFileSync(join(dir, "index.html"), "");
  t.is(fileof("/", dir), join(dir, "index.html"));
  t.is(fileof("/assets/a.js?x#y", dir), join(dir, "assets/a.js"));
  t.is(fileof("/a%20b", dir), join(dir, "a b"));
  for (const url of [
    "/../x",
    "/%2e%2e/x",
    "/a/..%2f..%2fx",
    "/..%5cx",
    "/%",
    "/%00",
    "x",
    "http://a/",
  ])
    t.is(fileof(url, dir), null, url);
});

test("the page allows its frame's script, by its hash, and no other that stands in a document", (t) => {
  const html = readFileSync("userland/web/index.html", "utf8");
  const [, rules = ""] = /script-src ([^;]*);/.exec(html) ?? [];
  const hash = createHash("sha256").update(FRAMESCRIPT).digest("base64");
  t.deepEqual(rules.split(" "), [
    "'self'",
    "blob:",
    // WebAssembly may be compiled, which text may not.
    "'wasm-unsafe-eval'",
    `'sha256-${hash}'`,
  ]);
});
