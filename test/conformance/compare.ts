// Holds a transcript against what the recorded kernels answered, as check.mjs does on the command line.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Where the scripts are; tests run at the top of the project. */
const DIR = "test/conformance";
/** How far behind its place a command is looked for. */
const NEAR = 40;

type Block = { readonly cmd: string; readonly out: readonly string[] };
type Expected = { readonly cmd: string; readonly accept: readonly (readonly string[])[] };
type Check = { blocks(script: string, text: string, fds: boolean): Block[] };

/** A command that was answered otherwise; null when it never ran. */
export type Disagreement = { readonly cmd: string; readonly got: readonly string[] | null };

const check = (await import(pathToFileURL(resolve(DIR, "check.mjs")).href)) as Check;

export function script(name: string): string {
  return readFileSync(`${DIR}/${name}.sc`, "utf8");
}

/** The disagreements of a transcript; `fds` leaves descriptor numbers aside. */
export function compare(name: string, transcript: string, fds: boolean): Disagreement[] {
  const got = check.blocks(script(name), transcript, fds);
  const all = JSON.parse(readFileSync(`${DIR}/${name}.expect`, "utf8")) as readonly Expected[];
  const list: Disagreement[] = [];
  let at = 0;
  for (const e of all) {
    const i = got.findIndex((b, k) => k >= at && b.cmd === e.cmd);
    const g = i >= 0 && i - at < NEAR ? got[i] : undefined;
    if (g !== undefined) at = i + 1;
    const said = g?.out.join("\n");
    const accepted = e.accept.some((a) => (fds ? masked(e.cmd, a) : a.join("\n")) === said);
    if (!accepted) list.push({ cmd: e.cmd, got: g?.out ?? null });
  }
  return list;
}

function masked(cmd: string, lines: readonly string[]): string | undefined {
  return check.blocks(cmd, [cmd, ...lines].join("\n"), true)[0]?.out.join("\n");
}
