// The mutation run: changes one small thing of a compiled file in a copy of the tree, and runs the tests that
// belong to it (rooms.ts) and reach it: V8's coverage of each test file says which parts it calls. A mutant that
// all tests pass is a survivor: a test is missing there, or the change means nothing. Those known to mean nothing
// are in equivalent.txt, with the reason.
//
// A mutant whose tests hang counts as killed, and is told: on a busy machine the time limit may be too short, so it is
// to be tried again alone. What became of each mutant is kept in the state file, so that a run goes on where it was
// stopped.

import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Profiler } from "node:inspector";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chance } from "../../userland/boot/boot.ts";
import { Usage } from "../../userland/host/command.ts";
import { parsed, status } from "../kit/commandline.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { ROOMS, type Room } from "./rooms.ts";

/** How the tests of a file ended. */
type End = "passed" | "failed" | "hung";

/** What became of a mutant. */
type Fate = "killed" | "survived" | "equivalent";

const HELP = `usage: npm run mutate -- [options]

Puts small faults into the compiled files, one at a time, and says which of them no test finds.

  --room NAME    only this room; may be given more than once (ROOMS)
  --count N      so many mutants of each room, chosen by the seed; all unless given
  --seed N       which ones: 1 unless given
  --near         only the tests near to a room: quicker, with more survivors
  --workers N    copies of the tree that run tests side by side: 2 unless given
  --state FILE   where the fates are kept: dist/mutants.jsonl unless given
  --help         this text

Example: npm run mutate -- --room kernel/names/ --count 50 --seed 7
`;

/** What of the tree the tests need. */
const COPIED: readonly string[] = [
  "dist",
  "test",
  "docs",
  "examples",
  "package.json",
  "ava.config.js",
  "README.md",
  "userland",
  "kernel",
  "devices",
  "syscalls",
];
/** Milliseconds that tests may take, and how long one may hang: more than ava.config.js gives, for a busy machine. */
const TIMEOUT = 600_000;
const HANG = "3m";

const known = (): Set<string> => {
  const lines = readFileSync("test/mutate/equivalent.txt", "utf8").split("\n");
  return new Set(lines.filter((l) => l !== "" && !/^[#\t]/.test(l)));
};

/** Whether a file is of this room, and of none that is more special. */
const isof = (room: Room, file: string): boolean =>
  ROOMS.find((r) => file.startsWith(r.files)) === room;

/** All mutants of the compiled files of a room. */
function* find(room: Room): Generator<Mutant, void, void> {
  const dir = room.files.slice(0, room.files.lastIndexOf("/"));
  const all = readdirSync(join("dist", dir), { recursive: true, encoding: "utf8" });
  for (const name of all.toSorted()) {
    const file = `${dir}/${name}`;
    if (!name.endsWith(".js") || !file.startsWith(room.files)) continue;
    if (!isof(room, file)) continue;
    const ts = file.replace(/\.js$/, ".ts");
    // A compiled file may be left over from a source that has gone.
    if (!existsSync(ts)) continue;
    const [js, map] = [`dist/${file}`, `dist/${file}.map`].map((f) => readFileSync(f, "utf8"));
    yield* mutants(ts, js ?? "", map ?? "", readFileSync(ts, "utf8").split("\n"));
  }
}

/**
 * What a test file calls of the compiled files: for each file, and each process that had it, the ranges that V8
 * counted, outer ones first.
 */
type Reached = ReadonlyMap<string, readonly (readonly Profiler.CoverageRange[])[]>;

/** A test file, what it reaches, and the milliseconds that it takes. */
type Test = { readonly file: string; readonly reached: Reached; readonly ms: number };

/** Whether a test calls the place in a compiled file: the smallest range around where it begins counts. */
function reaches(t: Test, m: Mutant): boolean {
  return (t.reached.get(compiled(m.file)) ?? []).some((ranges) => countof(ranges, m) > 0);
}

function countof(ranges: readonly Profiler.CoverageRange[], m: Mutant): number {
  let count = 0;
  let least = Infinity;
  for (const { startOffset, endOffset, count: n } of ranges) {
    if (startOffset > m.at || m.at >= endOffset || endOffset - startOffset > least) continue;
    count = n;
    least = endOffset - startOffset;
  }
  return count;
}

const compiled = (file: string): string => file.replace(/\.ts$/, ".js");

/** The coverage that the processes of a test left in a folder. */
function readcoverage(dir: string): Reached {
  const reached = new Map<string, (readonly Profiler.CoverageRange[])[]>();
  for (const name of readdirSync(dir)) {
    const { result } = JSON.parse(readFileSync(join(dir, name), "utf8")) as {
      result: Profiler.ScriptCoverage[];
    };
    for (const { url, functions } of result) {
      const [, file] = /\/dist\/((?:kernel|devices|syscalls|userland)\/.*)$/.exec(url) ?? [];
      if (file === undefined) continue;
      const list = reached.get(file) ?? [];
      list.push(functions.flatMap((f) => f.ranges));
      reached.set(file, list);
    }
  }
  return reached;
}

/** Copies of the tree, one for each worker: a mutant is in none but its own. */
class Copy {
  readonly dir: string = mkdtempSync(join(tmpdir(), "mutate-"));
  /** The tests that run now. */
  #tests: ChildProcess | null = null;

  constructor() {
    for (const name of COPIED)
      if (existsSync(name)) cpSync(name, join(this.dir, name), { recursive: true });
    symlinkSync(join(process.cwd(), "node_modules"), join(this.dir, "node_modules"));
  }

  /** Runs a test file without a mutant, and gives what it reaches. */
  async reached(file: string): Promise<Test> {
    const dir = mkdtempSync(join(tmpdir(), "coverage-"));
    const began = performance.now();
    try {
      if ((await this.#ava(file, { NODE_V8_COVERAGE: dir })) !== "passed")
        throw new Error(`${file} fails without a mutant`);
      return { file, reached: readcoverage(dir), ms: performance.now() - began };
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  /** How the tests that reach a mutant end with it in place: one file after another in the order given, while they pass. */
  async ends(m: Mutant, tests: readonly Test[]): Promise<End> {
    const file = join(this.dir, "dist", compiled(m.file));
    const js = readFileSync(file, "utf8");
    writeFileSync(file, js.slice(0, m.start) + m.text + js.slice(m.end));
    try {
      for (const t of tests) {
        const how = reaches(t, m) ? await this.#ava(t.file) : "passed";
        if (how !== "passed") return how;
      }
      return "passed";
    } finally {
      writeFileSync(file, js);
    }
  }

  #ava(test: string, env: NodeJS.ProcessEnv = {}): Promise<End> {
    return new Promise((resolve) => {
      const args = ["node_modules/ava/entrypoints/cli.mjs", "--fail-fast", "--timeout", HANG, test];
      const p = spawn(process.execPath, args, {
        cwd: this.dir,
        stdio: ["ignore", "pipe", "ignore"],
        detached: true,
        env: { ...process.env, ...env },
      });
      this.#tests = p;
      let said = "";
      p.stdout.on("data", (text) => (said += String(text)));
      let hung = false;
      const timer = setTimeout(() => {
        hung = true;
        this.#end();
      }, TIMEOUT);
      p.on("close", (code) => {
        clearTimeout(timer);
        this.#tests = null;
        hung ||= said.includes("Timed out while running tests");
        resolve(code === 0 ? "passed" : hung ? "hung" : "failed");
      });
    });
  }

  /** Ends the tests that run, with all their processes. */
  #end(): void {
    const pid = this.#tests?.pid;
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  }

  remove(): void {
    this.#end();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const pick = chance(seed);
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = pick(i + 1);
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}

type Options = {
  readonly rooms: readonly Room[];
  readonly seed: number;
  readonly count: number;
  readonly state: string;
  readonly near: boolean;
  readonly workers: number;
};

function whole(name: string, text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n))
    throw new Usage(`--${name} takes a whole number, and not "${text}"`);
  return n;
}

function roomof(name: string): Room {
  const room = ROOMS.find((r) => r.files === name);
  if (room === undefined)
    throw new Usage(`no room "${name}": there are ${ROOMS.map((r) => r.files).join(", ")}`);
  return room;
}

/** What the command line says; null when it asks for help. */
function options(): Options | null {
  const { values } = parsed({ options: OPTIONS });
  if (values.help) return null;
  return {
    rooms: values.room?.map(roomof) ?? ROOMS,
    seed: whole("seed", values.seed),
    count: values.count === undefined ? Infinity : whole("count", values.count),
    state: values.state,
    near: values.near,
    workers: Math.max(1, whole("workers", values.workers)),
  };
}

const OPTIONS = {
  room: { type: "string", multiple: true },
  seed: { type: "string", default: "1" },
  count: { type: "string" },
  near: { type: "boolean", default: false },
  workers: { type: "string", default: "2" },
  state: { type: "string", default: "dist/mutants.jsonl" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** The tests of a room: those near to it before the wider ones, and of both the quick ones first. */
async function testsof(room: Room, near: boolean, copy: Copy): Promise<Test[]> {
  const all: Test[] = [];
  const seen = new Set<string>();
  for (const patterns of near ? [room.near] : [room.near, room.wider]) {
    const list: Test[] = [];
    for (const file of patterns.flatMap(testfiles)) {
      if (seen.has(file)) continue;
      seen.add(file);
      list.push(await copy.reached(file));
    }
    all.push(...list.toSorted((a, b) => a.ms - b.ms));
  }
  return all;
}

/** The test files that a pattern such as test/devices/*.test.ts stands for. */
function testfiles(pattern: string): string[] {
  const dir = pattern.slice(0, pattern.lastIndexOf("/"));
  const [before = "", after = ""] = pattern.slice(dir.length + 1).split("*");
  if (!pattern.includes("*")) return [pattern];
  const names = readdirSync(dir).toSorted();
  return names.filter((n) => n.startsWith(before) && n.endsWith(after)).map((n) => `${dir}/${n}`);
}

/** The fates that an earlier run left. */
function readfates(file: string): Map<string, Fate> {
  const fates = new Map<string, Fate>();
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  for (const line of lines) {
    if (line === "") continue;
    const { key, fate } = JSON.parse(line) as { key: string; fate: Fate };
    fates.set(key, fate);
  }
  return fates;
}

/** Tries the mutants of a room, and gives those that survived. */
async function tryall(room: Room, opts: Options, copies: readonly Copy[]): Promise<Mutant[]> {
  const equivalent = known();
  const fates = readfates(opts.state);
  const all = [...find(room)];
  const keys = new Set(all.map((m) => m.key));
  for (const key of equivalent)
    if (isof(room, key) && !keys.has(key)) console.log(`equivalent.txt: no such mutant: ${key}`);
  const chosen = shuffled(all, opts.seed).slice(0, opts.count);
  const queue = chosen.filter((m) => !fates.has(m.key) && !equivalent.has(m.key));
  const [first] = copies;
  const tests =
    first === undefined || queue.length === 0 ? [] : await testsof(room, opts.near, first);
  const work = async (copy: Copy): Promise<void> => {
    for (let m = queue.shift(); m !== undefined; m = queue.shift()) {
      const how = await copy.ends(m, tests);
      if (how === "hung") console.log(`hung ${m.file}:${m.line}: ${m.what}\n\t${m.key}`);
      const fate: Fate = how === "passed" ? "survived" : "killed";
      fates.set(m.key, fate);
      appendFileSync(opts.state, `${JSON.stringify({ key: m.key, fate })}\n`);
      if (fate === "survived") console.log(`survived ${m.file}:${m.line}: ${m.what}\n\t${m.key}`);
    }
  };
  await Promise.all(copies.map(work));
  const count = (fate: Fate): number =>
    chosen.filter((m) => fates.get(m.key) === fate && !equivalent.has(m.key)).length;
  const same = chosen.filter((m) => equivalent.has(m.key)).length;
  console.log(
    `${room.files}: ${all.length} mutants, ${chosen.length} tried: ${count("killed")} killed, ${same} equivalent, ${count("survived")} survived`,
  );
  return chosen.filter((m) => fates.get(m.key) === "survived" && !equivalent.has(m.key));
}

async function main(): Promise<number> {
  const opts = options();
  if (opts === null) {
    process.stdout.write(HELP.replace("ROOMS", ROOMS.map((r) => r.files).join(", ")));
    return 0;
  }
  const copies = Array.from({ length: opts.workers }, () => new Copy());
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      for (const c of copies) c.remove();
      process.exit(1);
    });
  let survivors = 0;
  try {
    for (const room of opts.rooms) survivors += (await tryall(room, opts, copies)).length;
  } finally {
    for (const c of copies) c.remove();
  }
  return survivors === 0 ? 0 : 1;
}

process.exitCode = await status("mutate", main);
