// Newer versions of Node than the one that runs these tests: commands, programs, servers and the core of the tests.

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import test from "ava";
import { NAMEC, directory, serving } from "../kit/cli.ts";

const VERSIONS = [22, 24];

/** Tests of the core, which take some seconds. */
const CORE = [
  "test/kernel/rtt.test.ts",
  "test/syscalls/exec.test.ts",
  "test/syscalls/ns.test.ts",
  "test/devices/mnt.test.ts",
  "test/devices/fs.test.ts",
  "test/userland/9p.test.ts",
  "test/userland/fossil/model.test.ts",
  "test/userland/testing.test.ts",
];

const PROGRAM = `import { PlanError, type Sys, print } from "namec";
export default async function main(sys: Sys, argv: string[]): Promise<void> {
  const e: unknown = await sys.open("/missing", 0).catch((thrown: unknown) => thrown);
  await print(sys, \`\${argv[1]} \${e instanceof PlanError}\\n\`);
}
`;

for (const version of VERSIONS) {
  const node = resolve(`node_modules/.cache/nodes/node_modules/node${version}/bin/node`);
  const run = (cwd: string, ...args: string[]): string => {
    const env = { ...process.env, TEST_HOST: "" };
    const r = spawnSync(node, args, { cwd, encoding: "utf8", env });
    if (r.error !== undefined)
      throw new Error(`${node}: ${r.error.message}: run test/host/install`);
    if (r.status !== 0) throw new Error(`${args.join(" ")}: ${r.stdout}${r.stderr}`);
    return r.stdout;
  };

  test(`Node ${version} runs commands, programs, and a client of a server`, async (t) => {
    const dir = directory(t, { "p.ts": PROGRAM });
    const namec = (...args: string[]): string => run(dir, NAMEC, ...args);
    t.regex(run(dir, "--version"), new RegExp(`^v${version}\\.`));
    t.is(namec("run", "echo", "hi"), "hi\n");
    t.is(namec("run", "p.ts", "a"), "a true\n");
    t.is(namec("rc", "-c", "echo a | tr a b"), "b\n");
    t.regex(namec("step", "--print", "stat /bin"), /^1\/\d+ /);
    const { addr } = await serving(t, ["ramfs"]);
    t.is(namec("run", "--mount", addr, "/n/far", "touch", "/n/far/f"), "");
    t.is(namec("run", "--mount", addr, "/n/far", "lc", "/n/far"), "f\n");
  });

  test(`Node ${version} passes the tests of the core`, (t) => {
    t.timeout(240_000);
    const out = run(process.cwd(), "node_modules/ava/entrypoints/cli.mjs", "--tap", ...CORE);
    t.regex(out, /^# fail 0$/m);
    t.regex(out, /^# pass [1-9]/m);
  });
}
