// npm run bench -- start: what the command line takes from its beginning to its end, beside an empty node. The
// commands are run in turns, so that a busy machine slows all of them.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isfresh } from "../../userland/host/one.ts";
import { NAMEC } from "./process.ts";
import { columns } from "./rounds.ts";

const EMPTY = "node -e 0";

/** A program that is not of /bin: a watchdog begins before it. */
const PROGRAM = "export default async function main() {}\n";

/** Times of one run, in ms. */
type Took = { readonly wall: number; readonly cpu: number };

/** Processor time of the children that have ended, in ms, where the host tells (Linux); else 0. */
function children(): number {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return 0;
  }
}

function once(args: readonly string[]): Took {
  const [began, before] = [performance.now(), children()];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${args.join(" ")}: ${stderr}`);
  return { wall: performance.now() - began, cpu: children() - before };
}

const middle = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

/** The table: medians of `pairs` runs of wall time; of processor time, which has ticks of 10 ms, the means. */
export function starts(pairs: number): string {
  if (!isfresh()) throw new Error("the commands' one file is older than its parts: npm run build");
  const dir = mkdtempSync(join(tmpdir(), "namec-bench-"));
  const file = join(dir, "empty.mjs");
  writeFileSync(file, PROGRAM);
  const commands: readonly (readonly [string, readonly string[]])[] = [
    [EMPTY, ["-e", "0"]],
    ["namec run echo hi", [NAMEC, "run", "echo", "hi"]],
    ["namec rc -c 'echo hi'", [NAMEC, "rc", "-c", "echo hi"]],
    ["namec run empty.mjs", [NAMEC, "run", file]],
  ];
  const took = new Map<string, Took[]>(commands.map(([name]) => [name, []]));
  for (let i = 0; i < pairs; i++)
    for (const [name, args] of commands) took.get(name)?.push(once(args));
  rmSync(dir, { recursive: true });
  const of = (name: string): Took => {
    const list = took.get(name) ?? [];
    return { wall: middle(list.map((t) => t.wall)), cpu: mean(list.map((t) => t.cpu)) };
  };
  const empty = of(EMPTY);
  const rows = commands.map(([name]) => {
    const { wall, cpu } = of(name);
    const ratios = [wall / empty.wall, cpu / empty.cpu].map((r) => `${r.toFixed(2)}x`);
    return [
      name,
      `${wall.toFixed(0)} ms`,
      ratios[0] ?? "",
      `${cpu.toFixed(0)} ms`,
      ratios[1] ?? "",
    ];
  });
  return columns([["", "wall time", "", "CPU time", ""], ...rows]);
}
