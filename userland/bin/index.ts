// The commands, by name: what a boot puts in /bin.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import type { TaskMain } from "../../syscalls/sys.ts";
import { type Command, commands } from "./table.ts";

export { type Command, commands };

/** The commands that are in /bin itself. */
export const bin: Readonly<Record<string, TaskMain>> = nullproto(
  Object.fromEntries(commands.filter((c) => !c.name.includes("/")).map((c) => [c.name, c.main])),
);

/** A directory of commands, and directories in it. */
export type Bindir = { readonly [name: string]: TaskMain | Bindir };

/** All of /bin, with its directories, for boot's files. */
export const bindir: Bindir = commands
  .filter((c) => c.name.includes("/"))
  .reduce<Bindir>((dir, { name, main }) => {
    const [sub = "", rest = ""] = name.split("/");
    const below = dir[sub];
    const old = typeof below === "object" ? below : {};
    return { ...dir, [sub]: { ...old, [rest]: main } };
  }, bin);
