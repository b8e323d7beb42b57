// The package as a user has it: packed, installed in a folder of its own, and the commands of its documents.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { installed, sh } from "../kit/pack.ts";

/** Whether an error of the kernel's is the program's PlanError. */
const CLASS = `import { PlanError, print } from "namec";
export default async function main(sys) {
  const e = await sys.open("/missing", 0).catch((thrown) => thrown);
  await print(sys, \`\${e instanceof PlanError}\\n\`);
}
`;

/** The licences of what is in the commands' one file. */
const NOTICE = "dist/userland/host/one/THIRD-PARTY.txt";

/** Whether the one file is taken, and whether V8 refuses what was compiled of it. */
const ONE = `import { isfresh, loadone } from "./node_modules/namec/dist/userland/host/one.js";
console.log(isfresh(), loadone().script.cachedDataRejected);
`;

test("the packed package installs, and its documents' commands work from it", (t) => {
  const { tgz, app } = installed(t);
  // What others say of it. Node 20.19 and later take a module of ECMAScript where one of CommonJS is required.
  const attw = sh(process.cwd(), "npx", "attw", tgz, "--ignore-rules", "cjs-resolves-to-esm");
  t.regex(attw, /node10/);
  sh(process.cwd(), "npx", "publint", "--strict", tgz);
  const kind = `typeof require("namec").boot + typeof require("namec/testing").machine`;
  t.is(sh(app, "node", "-p", kind), "functionfunction\n");
  const home = join(app, "node_modules/namec");
  for (const name of [
    "README.md",
    "LICENSE",
    "docs/servers.md",
    "docs/trust.md",
    "examples",
    NOTICE,
  ])
    t.true(existsSync(join(home, name)), name);
  for (const name of ["userland", "test", "dist/test", "docs/api", "dist/api", "dist/api.json"])
    t.false(existsSync(join(home, name)), name);
  // npm runs these three for a user; prepare is for a checkout alone.
  const text = readFileSync(join(home, "package.json"), "utf8");
  for (const name of ["preinstall", "install", "postinstall"])
    t.notRegex(text, new RegExp(`"${name}":`), name);
  const readme = readFileSync(join(home, "README.md"), "utf8");
  const hello = /```ts\n\/\/ hello\.ts\n([^]*?)```/.exec(readme)?.[1] ?? "";
  writeFileSync(join(app, "hello.ts"), hello);
  const namec = (...args: string[]): string => sh(app, "npx", "--no", "namec", ...args);
  t.is(namec("run", "hello.ts", "glenda"), "hello, glenda\n");
  // The commands come from their one file, in which /bin has its lines, and a program has the kernel's classes.
  namec("run", "--timeline", "t.json", "ls");
  t.regex(readFileSync(join(app, "t.json"), "utf8"), /\/bin\/ls:\d+/);
  writeFileSync(join(app, "class.ts"), CLASS);
  t.is(namec("run", "class.ts"), "true\n");
  writeFileSync(join(app, "one.mjs"), ONE);
  t.is(sh(app, "node", "one.mjs"), "true false\n");
  t.regex(namec("lesson", "1", "--print"), /^1\/\d+ /);
  // An example of the package, by the name that the documents give it.
  t.regex(namec("run", "examples/hello.ts", "ken"), /^hello, ken\n/);
  t.is(namec("rc", "-c", "echo $user"), "glenda\n");
  t.regex(namec("cert", "certs"), /^certs\/server: .*\ncerts\/glenda: user glenda, until .*\n$/);
});
