// npm run bench:reach: how far it is from a system call to the wire, in functions called and files they are
// in: open of "/n/far/x", a read and the close, from the call until the last byte of the request is handed to
// the transport. V8's precise coverage counts; a function counts once, however often it runs.
//
//	npm run bench:reach -- --list	names the functions

import { Session } from "node:inspector";
import type { Profiler } from "node:inspector";
import { OREAD, boot } from "../../userland/host/index.ts";
import type { Sys } from "../../userland/host/index.ts";
import { mountram } from "../kit/kit.ts";
import { columns } from "./rounds.ts";

/** What is wanted: at most so many functions in so many files. */
const AIMS = { open: [45, 14], read: [30, 10], close: [20, 8] } as const;
type Job = keyof typeof AIMS;

/** The kernel's own files: what a reader of a call has to go through. */
const OURS = /\/dist\/(kernel|devices|syscalls)\/(.*)\.js$/;

type Reach = { readonly functions: readonly string[]; readonly files: number };

class Coverage {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  }

  /** What was called since the last time. */
  take(): Reach {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error === null) scripts = result;
    });
    const functions: string[] = [];
    const files = new Set<string>();
    for (const { url, functions: list } of scripts) {
      const [, room, name] = OURS.exec(url) ?? [];
      if (room === undefined || name === undefined) continue;
      for (const f of list) {
        if ((f.ranges[0]?.count ?? 0) === 0) continue;
        files.add(url);
        functions.push(`${room}/${name} ${f.functionName || "=>"}`);
      }
    }
    return { functions, files: files.size };
  }

  end(): void {
    this.#session.disconnect();
  }
}

/** Measures one kernel: what each job reached when its request was with the pipe. */
async function measure(namespace: "names" | "standard"): Promise<Map<Job, Reach>> {
  const k = await boot({ namespace, files: { n: { far: {} } } });
  const coverage = new Coverage();
  const reached = new Map<Job, Reach>();
  let job: Job | null = null;
  const pipe = k.devtab.get("|");
  if (pipe === undefined) throw new Error("no pipes");
  const write = pipe.write.bind(pipe);
  pipe.write = (up, c, bytes, offset) => {
    if (job !== null && !reached.has(job)) reached.set(job, coverage.take());
    return write(up, c, bytes, offset);
  };
  const during = async <T>(what: Job, fn: () => Promise<T>): Promise<T> => {
    job = what;
    coverage.take();
    const value = await fn();
    job = null;
    return value;
  };
  const p = k.spawn(async (sys: Sys) => {
    await mountram(sys, "/n/far");
    await sys.close(await sys.create("/n/far/x", OREAD, 0o666));
    const buf = new Uint8Array(16);
    // The first time only, code is compiled and objects are made that stay.
    for (let i = 0; i < 3; i++) {
      reached.clear();
      const fd = await during("open", () => sys.open("/n/far/x", OREAD));
      await during("read", () => sys.read(fd, buf));
      await during("close", () => sys.close(fd));
      await sys.sleep(1);
    }
  });
  const status = await p.wait();
  if (status !== "") throw new Error(status);
  coverage.end();
  await k.shutdown();
  return reached;
}

const list = process.argv.includes("--list");
for (const namespace of ["names", "standard"] as const) {
  const rows = [[namespace, "functions", "aim", "files", "aim"]];
  const reached = await measure(namespace);
  for (const [job, [functions, files]] of Object.entries(AIMS)) {
    const r = reached.get(job as Job);
    rows.push([job, String(r?.functions.length), `${functions}`, String(r?.files), `${files}`]);
    if (list) process.stdout.write(`${namespace} ${job}\n\t${r?.functions.join("\n\t")}\n`);
  }
  process.stdout.write(`${columns(rows)}\n`);
}
