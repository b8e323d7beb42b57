// A login: rc in a process with the environment that it expects, and the notes that its terminal posts.

import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { writefile } from "../lib/io.ts";

/** What a login is given. */
export type Login = {
  readonly tty: Tty;
  /** The process whose name space it shares. */
  readonly like: Process | null;
  /** The text of /env/timezone; "" for GMT. */
  readonly timezone: string;
};

/** Starts rc with these arguments in the home directory of the kernel's user. */
export function login(kernel: Booted, argv: readonly string[], given: Login): Process {
  const { tty, like, timezone } = given;
  const { user, sysname } = kernel.config;
  const dir = `/usr/${user}`;
  const env: Readonly<Record<string, string>> = {
    cputype: "js",
    home: dir,
    objtype: "js",
    sysname,
    timezone,
    user,
  };
  function* init(sys: ThreadSys): Task<Exit> {
    for (const [name, value] of Object.entries(env))
      if (value !== "") yield* writefile(sys, `/env/${name}`, `${value}\0`);
    yield* sys.chdir(dir);
    yield* sys.exec("/bin/rc", argv);
  }
  return kernel.spawn(init, argv, { tty, image: "native", ...(like === null ? {} : { like }) });
}

/** Posts a note to every process of a process's note group, as a terminal does for its interrupt key. */
export function postgroup(kernel: Booted, process: Process, text: string): void {
  const group = process.proc.noteid;
  for (const p of kernel.procs.values()) {
    if (p.noteid !== group || p.dead) continue;
    try {
      p.image?.notes.post(text);
    } catch {
      // The process has as many notes as it can hold.
    }
  }
}
