// npm run sc -- [--namespace names|standard] [--vm] FILE.sc
//
// Runs a script of system calls in a freshly booted kernel and prints the transcript.

import { readFileSync, writeSync } from "node:fs";
import type { Tty } from "../../kernel/proc/tty.ts";
import type { Bootopts } from "../../userland/boot/boot.ts";
import { Usage } from "../../userland/host/command.ts";
import { parsed } from "../kit/commandline.ts";
import { init, machine } from "./machine.ts";

const USAGE = `usage: npm run sc -- [--namespace names|standard] [--vm] FILE.sc

Runs the system calls of FILE.sc in a freshly booted kernel and prints what each gave.
  --namespace   which name space the kernel has: names (the default) or standard
  --vm          the interpreter has a memory of its own, and its forks return twice
`;

/** Writes what the machine prints, byte for byte and at once. */
const stdout: Tty = {
  *write(bytes) {
    for (let n = 0; n < bytes.length;) n += put(bytes.subarray(n));
  },
  *read() {
    return new Uint8Array(0);
  },
};

/** A pipe that is full is tried again: its reader is another process. One that nobody reads is the end. */
function put(bytes: Uint8Array): number {
  try {
    return writeSync(1, bytes);
  } catch (e) {
    const code = e instanceof Error && "code" in e ? e.code : "";
    if (code === "EPIPE") process.exit(1);
    if (code !== "EAGAIN") throw e;
    return 0;
  }
}

const OPTIONS = {
  namespace: { type: "string" },
  vm: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

function options(): {
  readonly file: string;
  readonly namespace: NonNullable<Bootopts["namespace"]>;
  readonly vm: boolean;
} {
  const { values, positionals } = parsed({ options: OPTIONS, allowPositionals: true });
  const [file] = positionals;
  if (values.help === true) throw new Usage("");
  if (file === undefined || positionals.length > 1) throw new Usage("it takes one script");
  const { namespace = "names" } = values;
  if (namespace !== "names" && namespace !== "standard")
    throw new Usage(`${namespace} is no name space`);
  return { file, namespace, vm: values.vm === true };
}

function script(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (e) {
    throw new Usage(`cannot read ${file}: ${e instanceof Error ? e.message : String(e)}`);
  }
}

async function run(): Promise<number> {
  const { file, namespace, vm } = options();
  const k = await machine({ script: script(file), namespace, tty: stdout, vm });
  // Nothing can run any more and nothing will happen: the script waits for what never comes.
  const stuck = (): void => {
    process.stderr.write(`sc: ${file} never ends; what waits:\n${k.dump()}\n`);
    process.exitCode = 1;
  };
  process.once("beforeExit", stuck);
  const status = await k
    .spawn(init, ["init", ...(process.env["FOSSIL"] === "1" ? ["fossil"] : [])], { tty: stdout })
    .wait();
  process.off("beforeExit", stuck);
  await k.shutdown();
  if (status !== "") process.stderr.write(`sc: ${status}\n`);
  return status === "" ? 0 : 1;
}

try {
  process.exitCode = await run();
} catch (e) {
  if (!(e instanceof Usage)) throw e;
  process.stderr.write(e.message === "" ? USAGE : `sc: ${e.message}\n\n${USAGE}`);
  process.exitCode = e.message === "" ? 0 : 2;
}
