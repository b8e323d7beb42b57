// A file of the host's as a vm program, and the options of the command line for such.

import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Limits } from "../../kernel/kernel.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import { Unitserror, parsesize } from "../boot/units.ts";
import { Moduleerror, gather, outside } from "../vm/modules.ts";
import { program } from "../vm/vm.ts";
import { Usage } from "./command.ts";
import type { Given, Option } from "./command.ts";
import { near } from "./hooks.ts";
import { isfile, progname, programpath } from "./load.ts";
import { Loaderror } from "./loaderror.ts";
import "./vmhost.ts";

/** The options of commands that run programs: whether they get a memory of their own, and its limits. */
export const vmoptions: readonly Option[] = [
  {
    name: "vm",
    values: [],
    text: "the program gets a memory of its own: rfork without a function returns twice, a loop that never calls ends",
  },
  {
    name: "memory",
    values: ["SIZE"],
    text: "with --vm, or for programs that ts runs: what a program may have, such as 16MB (default 64MiB, 0: no limit)",
  },
  { name: "stack", values: ["SIZE"], text: "likewise: its stack (default 512KiB, 0: no limit)" },
  {
    name: "work",
    values: ["N"],
    text: "likewise: passes of loops and calls of functions between two system calls (default 100000000, 0: no limit)",
  },
  {
    name: "procs",
    values: ["N"],
    text: "likewise: processes, beyond which it makes no more (default 256, 0: no limit)",
  },
];

/** The program of a file, with a memory of its own. */
export async function loadvm(file: string): Promise<Program> {
  if (!isfile(file))
    throw new Usage(
      `--vm ${file}: a program of /bin has no memory of its own`,
      "--vm takes a file",
    );
  const path = programpath(file);
  try {
    const modules = await gather(pathToFileURL(path).href, { read: reader(path) });
    return program(modules, progname(file));
  } catch (e) {
    if (e instanceof SyntaxError || e instanceof Moduleerror)
      throw new Loaderror(
        e.message.replaceAll(/file:\/\/\/[^\s:']+/g, (url) => near(fileURLToPath(url))),
      );
    throw e;
  }
}

/** Reads a program's modules; a link must not lead out of its directory, for an error would show lines of the file. */
function reader(main: string): (url: string) => string | null {
  const dir = dirname(main) === sep ? sep : realpathSync(dirname(main)) + sep;
  return (url) => {
    const path = fileURLToPath(url);
    if (!existsSync(path) || !statSync(path).isFile()) return null;
    if (path !== main && !realpathSync(path).startsWith(dir)) throw new Moduleerror(outside(path));
    return readFileSync(path, "utf8");
  };
}

/** What --memory, --stack, --work and --procs say. */
export function limitsof(given: Given): Partial<Limits> {
  const limits: { -readonly [K in keyof Limits]?: Limits[K] } = {};
  for (const name of ["memory", "stack"] as const) {
    const text = given.get(name);
    if (text !== undefined) limits[name] = sizeof(name, text);
  }
  for (const [name, what] of [
    ["work", "steps, such as 1000000"],
    ["procs", "processes, such as 1000"],
  ] as const) {
    const text = given.get(name);
    if (text !== undefined && !/^\d{1,15}$/.test(text))
      throw new Usage(`--${name} ${text}: a number of ${what}`);
    if (text !== undefined) limits[name] = Number(text);
  }
  return limits;
}

function sizeof(name: string, text: string): number {
  try {
    return text === "0" ? 0 : parsesize(text);
  } catch (e) {
    throw e instanceof Unitserror ? new Usage(`--${name} ${text}: ${e.message}`, e.hint) : e;
  }
}
