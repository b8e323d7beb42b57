// The mutation run: changes one small thing of a compiled file in a copy of the tree, and runs the tests that
// belong to it (rooms.ts). A mutant that all tests pass is a survivor: a test is missing there, or the change
// means nothing. Those known to mean nothing are in equivalent.txt, with the reason.
//
//	npm run mutate -- --room kernel/proc/note --count 50 --seed 1 --state dist/mutants.jsonl
//
// What became of each mutant is kept in the state file, so that a run goes on where it was stopped. With --near
// only the tests near to a room are run: that is quicker, and gives more survivors.

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
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chance } from "../../userland/boot/boot.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { ROOMS, type Room } from "./rooms.ts";

/** What became of a mutant. */
type Fate = "killed" | "survived" | "equivalent";

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
const WORKERS = 2;
/** Milliseconds that tests may take; a mutant that hangs is killed. */
const TIMEOUT = 120_000;

const known = (): Set<string> => {
  const lines = readFileSync("test/mutate/equivalent.txt", "utf8").split("\n");
  return new Set(lines.filter((l) => l !== "" && !/^[#\t]/.test(l)));
};

/** All mutants of the compiled files of a room. */
function* find(room: Room): Generator<Mutant, void, void> {
  const dir = room.files.slice(0, room.files.lastIndexOf("/"));
  const all = readdirSync(join("dist", dir), { recursive: true, encoding: "utf8" });
  for (const name of all.toSorted()) {
    const file = `${dir}/${name}`;
    if (!name.endsWith(".js") || !file.startsWith(room.files)) continue;
    if (ROOMS.find((r) => file.startsWith(r.files)) !== room) continue;
    const ts = file.replace(/\.js$/, ".ts");
    const [js, map] = [`dist/${file}`, `dist/${file}.map`].map((f) => readFileSync(f, "utf8"));
    yield* mutants(ts, js ?? "", map ?? "", readFileSync(ts, "utf8").split("\n"));
  }
}

/** Copies of the tree, one for each worker: a mutant is in none but its own. */
class Copy {
  readonly dir: string = mkdtempSync(join(tmpdir(), "mutate-"));
  readonly #near: boolean;
  /** The tests that run now. */
  #tests: ChildProcess | null = null;

  constructor(near: boolean) {
    this.#near = near;
    for (const name of COPIED)
      if (existsSync(name)) cpSync(name, join(this.dir, name), { recursive: true });
    symlinkSync(join(process.cwd(), "node_modules"), join(this.dir, "node_modules"));
  }

  /** Whether all tests pass with a mutant in place. */
  async passes(m: Mutant | null, room: Room): Promise<boolean> {
    if (m === null) return await this.#all(room);
    const file = join(this.dir, "dist", m.file.replace(/\.ts$/, ".js"));
    const js = readFileSync(file, "utf8");
    writeFileSync(file, js.slice(0, m.start) + m.text + js.slice(m.end));
    try {
      return await this.#all(room);
    } finally {
      writeFileSync(file, js);
    }
  }

  async #all({ near, wider }: Room): Promise<boolean> {
    return (await this.#ava(near)) && (this.#near || (await this.#ava(wider)));
  }

  #ava(tests: readonly string[]): Promise<boolean> {
    return new Promise((resolve) => {
      const args = ["node_modules/ava/entrypoints/cli.mjs", "--fail-fast", "-c", "1", ...tests];
      const p = spawn(process.execPath, args, { cwd: this.dir, stdio: "ignore", detached: true });
      this.#tests = p;
      const timer = setTimeout(() => this.#end(), TIMEOUT);
      p.on("exit", (code) => {
        clearTimeout(timer);
        this.#tests = null;
        resolve(code === 0);
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
  readonly rooms: readonly string[];
  readonly seed: number;
  readonly count: number;
  readonly state: string;
  readonly near: boolean;
};

function options(): Options {
  const { values } = parseArgs({
    options: {
      room: { type: "string", multiple: true },
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "Infinity" },
      near: { type: "boolean", default: false },
      state: { type: "string", default: "dist/mutants.jsonl" },
    },
  });
  const rooms = values.room ?? ROOMS.map((r) => r.files);
  return {
    rooms,
    seed: Number(values.seed),
    count: Number(values.count),
    state: values.state,
    near: values.near,
  };
}

/** Tries the mutants of a room, and gives those that survived. */
async function tryall(room: Room, opts: Options, copies: readonly Copy[]): Promise<Mutant[]> {
  if (copies[0] !== undefined && !(await copies[0].passes(null, room)))
    throw new Error(`the tests of ${room.files} fail without a mutant`);
  const equivalent = known();
  const fates = new Map<string, Fate>();
  if (existsSync(opts.state))
    for (const line of readFileSync(opts.state, "utf8").split("\n"))
      if (line !== "") {
        const { key, fate } = JSON.parse(line) as { key: string; fate: Fate };
        fates.set(key, fate);
      }
  const all = [...find(room)];
  const chosen = shuffled(all, opts.seed).slice(0, opts.count);
  const queue = chosen.filter((m) => !fates.has(m.key) && !equivalent.has(m.key));
  const work = async (copy: Copy): Promise<void> => {
    for (let m = queue.shift(); m !== undefined; m = queue.shift()) {
      const fate: Fate = (await copy.passes(m, room)) ? "survived" : "killed";
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
  const copies = Array.from({ length: WORKERS }, () => new Copy(opts.near));
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      for (const c of copies) c.remove();
      process.exit(1);
    });
  let survivors = 0;
  try {
    for (const name of opts.rooms) {
      const room = ROOMS.find((r) => r.files === name);
      if (room === undefined)
        throw new Error(`no room ${name}: ${ROOMS.map((r) => r.files).join(" ")}`);
      survivors += (await tryall(room, opts, copies)).length;
    }
  } finally {
    for (const c of copies) c.remove();
  }
  return survivors === 0 ? 0 : 1;
}

process.exitCode = await main();
