// Runs of random vm programs, for the tests and the soak: the recording of one as text, and whether a hostile one disturbed
// the kernel or another process.

import { Recorder } from "../../userland/view/record/recorder.ts";
import { tojson } from "../../userland/view/record/recording.ts";
import { boot } from "../../userland/boot/boot.ts";
import { bindir } from "../../userland/boot/bin.ts";
import { print } from "../../userland/lib/io.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { gather } from "../../userland/vm/modules.ts";
import { program } from "../../userland/vm/vm.ts";
import "../../userland/host/vmhost.ts";

const LIMITS = { memory: 8 * 2 ** 20, stack: 256 * 1024, work: 300_000 };
/** How long a program may take of the kernel's time (ns); it is then killed, as are those that it made. */
const LONG = 2e9;

async function loaded(text: string): Promise<Program> {
  return program(await gather("prog.js", { read: (name) => (name === "prog.js" ? text : null) }));
}

const machine = (seed: number): Promise<Booted> =>
  boot({ clock: "virtual", seed, limits: LIMITS, files: { bin: bindir } });

/** Kills every process but those, after a time that no good program takes. */
function killlater(k: Booted, but: readonly number[]): void {
  k.sched.timer(LONG, () => {
    for (const p of k.procs.values()) if (p !== k.proc0 && !but.includes(p.pid)) p.kill("too long");
  });
}

/** The recording of a run, as JSON. */
export async function randomrun(text: string, seed: number): Promise<string> {
  const k = await machine(seed);
  const about = {
    program: "prog",
    namespace: "names",
    clock: "virtual",
    seed,
    machine: "here",
  } as const;
  const rec = new Recorder({ about: { ...about, hosts: [] } });
  const off = rec.listen(k.trace);
  rec.begin();
  const p = k.spawn(await loaded(text), ["prog"]);
  killlater(k, []);
  const status = await p.wait();
  await k.shutdown();
  off();
  return `${status}\n${p.output}\n${tojson(rec.recording)}`;
}

/** Runs a hostile program beside a good one; gives what was disturbed, or null. */
export async function undisturbed(text: string): Promise<string | null> {
  const k = await machine(1);
  let panicked = "";
  k.onpanic((e) => (panicked = e.message));
  const good = k.spawn(
    async (sys: Sys) => {
      for (let i = 0; i < 30; i++) {
        await sys.sleep(100);
        await print(sys, "t");
      }
    },
    ["good"],
  );
  const bad = k.spawn(await loaded(text), ["bad"]);
  killlater(k, [good.pid]);
  const status = await bad.wait().catch((e: unknown) => String(e));
  if (panicked !== "") return `the kernel panicked: ${panicked}`;
  const end = await good.wait();
  if (end !== "" || good.output !== "t".repeat(30)) return `the other: ${end} ${good.output}`;
  // A program after it works, too.
  const after = k.spawn(
    await loaded(`export default async (sys) => (await sys.nsec()) > 0n ? "" : "no"`),
    [],
  );
  if ((await after.wait()) !== "") return "the next program failed";
  await k.shutdown();
  const { procs, chans } = k.audit();
  if (procs.length + chans.length > 0) return `left: ${[...procs, ...chans].join(", ")}`;
  if (/function|object|undefined(?!undefined)/.test(bad.output.replace(/undefined/g, "")))
    return bad.output;
  return typeof status === "string" ? null : "no status";
}
