// The package as a user has it: packed, and installed in a folder of its own.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { directory } from "./cli.ts";

/** Runs a command, and gives what it wrote; throws when it fails. */
export function sh(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** The packed package, and a folder in which it is installed, for one test. */
export type Installed = { readonly tgz: string; readonly app: string };

/** Packs the tree, which is built already, so that prepare has nothing to do, and installs it. */
export function installed(t: ExecutionContext): Installed {
  const dir = directory(t, {});
  sh(process.cwd(), "npm", "pack", "--ignore-scripts", "--pack-destination", dir);
  const [name = ""] = readdirSync(dir);
  const [tgz, app] = [join(dir, name), join(dir, "app")];
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true }));
  sh(app, "npm", "install", "--no-audit", "--no-fund", tgz);
  return { tgz, app };
}
