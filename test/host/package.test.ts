// The package as a user has it: packed, installed in a folder of its own, and the commands of its documents.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { directory } from "./cli.ts";

/** Runs a command, and gives what it wrote; throws when it fails. */
function sh(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** Whether an error of the kernel's is the program's PlanError. */
const CLASS = `import { PlanError, print } from "namec";
export default async function main(sys) {
  const e = await sys.open("/missing", 0).catch((thrown) => thrown);
  await print(sys, \`\${e instanceof PlanError}\\n\`);
}
`;

/** Whether the one file is taken, and whether V8 refuses what was compiled of it. */
const ONE = `import { isfresh, loadone } from "./node_modules/namec/dist/userland/host/one.js";
console.log(isfresh(), loadone().script.cachedDataRejected);
`;

test("the packed package installs, and its documents' commands work from it", (t) => {
  const dir = directory(t, {});
  // The tree is built already, so that prepare has nothing to do.
  sh(process.cwd(), "npm", "pack", "--ignore-scripts", "--pack-destination", dir);
  const [tgz = ""] = readdirSync(dir);
  const app = join(dir, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true }));
  sh(app, "npm", "install", "--no-audit", "--no-fund", join("..", tgz));
  const home = join(app, "node_modules/namec");
  for (const name of ["README.md", "LICENSE", "docs/servers.md", "docs/trust.md", "examples"])
    t.true(existsSync(join(home, name)), name);
  for (const name of ["userland", "test", "dist/test", "docs/api"])
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
  t.is(namec("rc", "-c", "echo $user"), "glenda\n");
  t.regex(namec("cert", "certs"), /^certs\/server: .*\ncerts\/glenda: user glenda, until .*\n$/);
});
