// The README as a script: its files are written, its commands run in order, and what it says they print is
// compared. A block that names a file in its first line (// hello.ts) is that file; a sh block is commands, a
// line that ends in & a server; the text block behind it is their output, where … is any.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ExecutionContext } from "ava";

/** Commands, and what they are said to print together (null: nothing is said). */
export type Script = { readonly commands: readonly string[]; readonly says: string | null };

type Block = { readonly lang: string; readonly text: string };

function blocks(): Block[] {
  const fence = /^```(\w+)\n([\s\S]*?)^```$/gm;
  return [...readFileSync("README.md", "utf8").matchAll(fence)].map((m) => ({
    lang: m[1] ?? "",
    text: m[2] ?? "",
  }));
}

/** Every sh block of the README with the output behind it. */
export function scripts(): Script[] {
  const list: Script[] = [];
  for (const { lang, text } of blocks()) {
    if (lang === "sh") list.push({ commands: text.trimEnd().split("\n"), says: null });
    const last = list.at(-1);
    if (lang === "text" && last !== undefined)
      list[list.length - 1] = { commands: last.commands, says: text };
  }
  return list;
}

/** Whether a script needs sockets of the host. */
export function networked({ commands }: Script): boolean {
  return commands.some((c) => /&$|--mount|^npm start/.test(c));
}

/** A directory with the README's files in it, where "namec" is this package. */
export function workplace(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), "namec-readme-"));
  // A server that root starts acts as nobody.
  chmodSync(dir, 0o755);
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(resolve("."), join(dir, "node_modules/namec"), "junction");
  for (const { lang, text } of blocks()) {
    const name = /^\/\/ (\S+)\n/.exec(text)?.[1];
    if (/^[jt]s$/.test(lang) && name !== undefined) writeFileSync(join(dir, name), text);
  }
  return dir;
}

/** The words of a command, with node in place of npx: "npx namec run x" → [".../namec.js", "run", "x"]. */
export function words(command: string): string[] {
  const list = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? "");
  const namec = resolve("dist/userland/host/namec.js");
  if (list[0] === "npx" && list[1] === "namec") return [namec, ...list.slice(2)];
  if (list[0] === "npm" && list[1] === "start") return [namec, "demo"];
  return list.slice(1);
}

/** Whether npm has what "npm run bench" asks for. */
export function npmhas(command: string): boolean {
  const [npm, ...rest] = command.split(" ");
  if (npm !== "npm") return false;
  const script = rest[0] === "run" ? rest[1] : rest[0];
  const { scripts: known } = JSON.parse(readFileSync("package.json", "utf8")) as {
    scripts: Readonly<Record<string, string>>;
  };
  return script === "install" || script === "pack" || (script !== undefined && script in known);
}

/** What a command prints, on stdout and stderr. */
export function output(t: ExecutionContext, dir: string, command: string): string {
  const env = { ...process.env, NO_COLOR: "1" };
  const r = spawnSync(process.execPath, words(command), { cwd: dir, encoding: "utf8", env });
  t.is(r.status, 0, `${command}: ${r.stderr}`);
  return r.stdout + r.stderr;
}

/** Whether the output is what the README says. */
export function matches(t: ExecutionContext, said: string, says: string): void {
  const parts = says.split(/^…\n/m).filter((part) => part !== "");
  if (!says.includes("…\n")) t.is(said, says);
  for (const part of parts) t.true(said.includes(part.trimEnd()), `${part}\nis not in\n${said}`);
}
