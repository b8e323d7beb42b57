// The machine that the recorded scripts run on: a fresh kernel in virtual time, a ramfs at /tmp, the script in /t,
// and rc with its output in two files.

import {
  MREPL,
  OREAD,
  OWRITE,
  RFENVG,
  RFFDG,
  RFNAMEG,
  RFNOTEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Audit } from "../../kernel/kernel.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { bindir } from "../../userland/bin/index.ts";
import ramfs from "../../userland/bin/ramfs.ts";
import { boot } from "../../userland/boot/boot.ts";
import { thishost } from "../../userland/boot/host.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { NAMESPACE } from "../../userland/lib/namespace.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { eastern } from "./timezone.ts";

/** One recorded script; where two systems differed, the second answer is good, too. */
export type Oracle = {
  readonly name: string;
  readonly script: string;
  readonly status: string;
  readonly out: string;
  readonly err: string;
  readonly status2?: string;
  readonly out2?: string;
  readonly err2?: string;
};

/** What a script answered here. */
export type Answer = {
  readonly status: string;
  readonly out: string;
  readonly err: string;
  /** What was left in the kernel after its end. */
  readonly audit: Audit;
};

/** When the machine is booted, in nanoseconds since 1970. */
const EPOCH = 1_767_225_600_000_000_000n;

const ENV: Readonly<Record<string, string>> = {
  cputype: "386\0",
  home: "/usr/glenda\0",
  ifs: " \t\n\0",
  objtype: "386\0",
  path: ".\0/bin\0",
  prompt: "% \0\t\0",
  sysname: "gnot\0",
  timezone: eastern(),
  user: "glenda\0",
};

function* init(sys: ThreadSys, name: string): Task<Exit> {
  for (const [v, value] of Object.entries(ENV)) yield* writefile(sys, `/env/${v}`, value);
  const failed = yield* ramfs(sys, ["ramfs", "-m", "/tmp"]);
  if (typeof failed === "string" && failed !== "") return failed;
  yield* sys.chdir("/tmp");
  const flags = RFPROC | RFFDG | RFNAMEG | RFENVG | RFNOTEG;
  const pid = yield* sys.rfork(flags, function* (child: ThreadSys): Task<Exit> {
    for (const fd of [0, 1, 2]) yield* child.close(fd);
    yield* child.open("/dev/null", OREAD);
    yield* child.create("/t/out", OWRITE, 0o666);
    yield* child.create("/t/err", OWRITE, 0o666);
    yield* child.exec("/bin/rc", ["rc", `/t/${name}.rc`]);
  });
  for (;;) {
    const w = yield* sys.wait();
    if (w.pid === pid) return w.msg;
  }
}

function boots(o: Oracle): Promise<Booted> {
  return boot({
    clock: "virtual",
    host: { ...thishost, virtualepoch: EPOCH },
    // As on a Plan 9 machine, where the programs of one architecture are bound there.
    binds: [["#R/bin", "/bin", MREPL]],
    files: {
      bin: bindir,
      lib: { namespace: NAMESPACE },
      mnt: {},
      // What the directory of the recorded machine holds where nothing is mounted.
      n: { ".shutuphg": "" },
      t: { [`${o.name}.rc`]: o.script },
      usr: { glenda: {} },
    },
  });
}

/** Runs a script; null when it is not over in `limit` milliseconds of the host's time. */
export async function answer(o: Oracle, limit = 10_000): Promise<Answer | null> {
  const k = await boots(o);
  const p = k.spawn(function* (sys: ThreadSys): Task<Exit> {
    return yield* init(sys, o.name);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), limit);
  });
  const status = await Promise.race([p.wait(), late]);
  clearTimeout(timer);
  const text = { out: "", err: "" };
  if (status !== null)
    await k
      .spawn(function* (sys: ThreadSys): Task<Exit> {
        text.out = yield* readtext(sys, "/t/out");
        text.err = yield* readtext(sys, "/t/err");
      })
      .wait();
  await k.shutdown();
  return status === null ? null : { status, ...text, audit: k.audit() };
}
