// The machine that scripts run on: a kernel as the recorded ones were set up. /tmp is a fresh ramfs, a
// second is posted as /srv/ramtest and a third as /srv/boot; sc, echo, cat and ramfs are in /bin; sc starts in
// /tmp with descriptor 0 on /dev/null, 1 and 2 on /dev/cons.

import { readFileSync } from "node:fs";
import {
  MAFTER,
  MCREATE,
  MREPL,
  OREAD,
  RFENVG,
  RFFDG,
  RFNAMEG,
  RFNOTEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import type { Booted, Firstbind } from "../../kernel/boot.ts";
import { newPipe } from "../../devices/pipe.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import cat from "../../userland/bin/cat.ts";
import echo from "../../userland/bin/echo.ts";
import fossil from "../../userland/bin/fossil.ts";
import ramfs from "../../userland/bin/ramfs.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { Bootopts } from "../../userland/boot/boot.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { gather } from "../../userland/vm/modules.ts";
import { program } from "../../userland/vm/vm.ts";
import "../../userland/host/vmhost.ts";
import { asyncsc, sc } from "./sc.ts";

/** A script, and what to run it on. */
export type Run = {
  readonly script: string;
  readonly namespace: NonNullable<Bootopts["namespace"]>;
  readonly tty: Tty;
  /** The interpreter is an async program. */
  readonly async?: boolean;
  /** The interpreter has a memory of its own. */
  readonly vm?: boolean;
  /** /tmp is a fossil. */
  readonly fossil?: boolean;
};

/** How much a pipe holds on a machine with one processor. */
const PIPELIMIT = 32 * 1024;

/** `/` is the kernel's own root, and behind it a tree with the programs and the script. */
const NS: readonly Firstbind[] = [
  ["#R", "/", MAFTER | MCREATE],
  ["#R/bin", "/bin", MREPL],
  ["#c", "/dev", MREPL],
  ["#d", "/fd", MREPL],
  ["#e", "/env", MREPL | MCREATE],
  ["#p", "/proc", MREPL],
  ["#s", "/srv", MREPL | MCREATE],
];

/** Boots the machine. Time is virtual: sleeping costs nothing, and each run is like the last. */
export async function machine(run: Run): Promise<Booted> {
  const main = run.vm === true ? await vmsc() : run.async === true ? asyncsc : sc;
  return await boot({
    clock: "virtual",
    namespace: run.namespace,
    user: "glenda",
    tty: run.tty,
    ns: NS,
    devices: [(k) => newPipe(k, PIPELIMIT)],
    files: {
      bin: { sc: main, echo, cat, ramfs, fossil },
      lib: { script: run.script },
      tmp: {},
    },
  });
}

/** The interpreter as built, whose modules of this package are those of the library. */
async function vmsc(): Promise<Program> {
  const top = new URL("../../", import.meta.url).href;
  const name = new URL("sc.js", import.meta.url).href;
  const ours = (url: string): string | null =>
    /\/(kernel|userland)\//.test(url) && url.startsWith(top) ? url.slice(top.length) : null;
  const read = (url: string): string => readFileSync(new URL(url), "utf8");
  return program(await gather(name, { read, ours }), "sc");
}

/** The first process: servers, mounts, and sc as its child. Its exit status is sc's. */
export function* init(sys: ThreadSys, argv: readonly string[] = []): Task<Exit> {
  const onfossil = argv.includes("fossil");
  const servers = [
    () => ramfs(sys, ["ramfs", "-S", "boot"]),
    () =>
      onfossil
        ? fossil(sys, ["fossil", "-f", "#R/lib/disk", "-m", "/tmp"])
        : ramfs(sys, ["ramfs", "-m", "/tmp"]),
    () => ramfs(sys, ["ramfs", "-S", "ramtest"]),
  ];
  for (const start of servers) {
    const failed = yield* start();
    if (typeof failed === "string" && failed !== "") return failed;
  }
  // A fresh ramfs is empty.
  if (onfossil) for (const name of ["/tmp/adm/users", "/tmp/adm"]) yield* sys.remove(name);
  yield* sys.chdir("/tmp");
  yield* sys.close(0);
  yield* sys.open("/dev/null", OREAD);
  const flags = RFPROC | RFFDG | RFNAMEG | RFENVG | RFNOTEG;
  const pid = yield* sys.rfork(flags, function* (child: ThreadSys) {
    yield* child.exec("/bin/sc", ["sc", "/lib/script"]);
  });
  for (;;) {
    const w = yield* sys.wait();
    if (w.pid === pid) return w.msg;
  }
}
