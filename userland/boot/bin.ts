// /bin, for boot's files: the commands, and ts, which runs programs of the name space in memories of their own.

import { bin as commands, bindir as dir } from "../bin/index.ts";
import type { Tree } from "../../devices/mem.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import { ts } from "../vm/ts.ts";

/** The commands that are in /bin itself, by name. */
export const bin: Readonly<Record<string, Program>> = Object.assign(
  Object.create(null) as Record<string, Program>,
  commands,
  { ts },
);

/** All of /bin, with its directories. */
export const bindir: Tree = { ...dir, ts };
