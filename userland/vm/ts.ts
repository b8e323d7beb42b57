// ts: runs a TypeScript or JavaScript program of the name space, in a memory of its own. `ts prog.ts` names it, and
// exec runs a file by ts whose first line is #!/bin/ts. ts reads the program, and what that imports, with the system
// calls of its process. Then the process goes on as that program.

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import { LATER } from "../../kernel/proc/trap.ts";
import type { Faces, Image, Program } from "../../kernel/proc/trap.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { fprint, readall } from "../lib/io.ts";
import { Moduleerror, gather } from "./modules.ts";
import type { Modules } from "./modules.ts";
import { attached, become } from "./vm.ts";

const USAGE = "usage: ts FILE [args...]";

/** The program that is /bin/ts. */
export const ts: Program = attached("ts", (image, faces) => (argv) => {
  load(faces.sys as Sys, argv).then(
    (what) => goon(image, faces, what),
    (e: unknown) => image.crash(e),
  );
  return LATER;
});

type Loaded = { readonly modules: Modules; readonly argv: readonly string[] };

/** The process is the program's, or it ends with the status that says why there is none. */
function goon(image: Image, faces: Faces, what: Loaded | string): void {
  if (typeof what === "string") image.returned(what);
  else image.goon(() => become(image, faces, what));
  image.proc.k.sched.touch();
}

/** The program and its arguments; or a status, after what is wrong was said. */
async function load(sys: Sys, argv: readonly string[]): Promise<Loaded | string> {
  const [, file, ...args] = argv;
  if (file === undefined) return await failed(sys, USAGE, "usage");
  const name = file.replace(/^.*\//, "").replace(/\.[cm]?[jt]s$/, "");
  try {
    const modules = await gather(file, { read: (wanted) => text(sys, wanted, wanted === file) });
    return { modules, argv: [name, ...args] };
  } catch (e) {
    const known = e instanceof PlanError || e instanceof Moduleerror || e instanceof SyntaxError;
    if (!known) throw e;
    const what = e instanceof PlanError ? `can't open ${file}: ${e.message}` : e.message;
    return await failed(sys, `ts: ${what}`, what.split("\n")[0] ?? "");
  }
}

async function failed(sys: Sys, said: string, status: string): Promise<string> {
  await fprint(sys, 2, `${said}\n`);
  return status;
}

/** The text of a file; null where there is none, which fails for the program itself. */
async function text(sys: Sys, name: string, must: boolean): Promise<string | null> {
  let fd: number;
  try {
    fd = await sys.open(name, OREAD);
  } catch (e) {
    if (must || !(e instanceof PlanError)) throw e;
    return null;
  }
  try {
    const bytes = await readall(sys, fd);
    return utfdecode(bytes, 0, bytes.length);
  } finally {
    await sys.close(fd);
  }
}
