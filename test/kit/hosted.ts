// Runs a program in a kernel that has a fresh directory of the host, and sees that it leaves nothing open.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { newFs } from "../../devices/fs/fs-node.ts";
import type { Fsopts } from "../../devices/fs/fs-node.ts";
import type { Hostroot } from "../../devices/fs/hosttree-node.ts";
import { MCREATE, MREPL } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";

/** What a test is given: the system calls, and the host's name of the directory at /n/host. */
export type Hosted = (t: ExecutionContext, sys: Sys, dir: string) => Promise<void>;

/** The files below dir that this process has open. */
function openbelow(dir: string): string[] {
  if (process.platform !== "linux") return [];
  const fds = "/proc/self/fd";
  const where = (fd: string): string => {
    try {
      return fs.readlinkSync(join(fds, fd));
    } catch {
      return "";
    }
  };
  return fs
    .readdirSync(fds)
    .map(where)
    .filter((path) => path.startsWith(dir));
}

/** The macro: runs a program in a kernel with a fresh directory of the host at /n/host; beside it is one called outside. */
export function hosted(
  fn: Hosted,
  roots: (dir: string) => Hostroot | Record<string, Hostroot> = (root) => ({ root }),
  opts: Fsopts = {},
) {
  return async (t: ExecutionContext): Promise<void> => {
    const top = fs.mkdtempSync(join(tmpdir(), "namec-"));
    const dir = join(top, "root");
    fs.mkdirSync(dir);
    fs.mkdirSync(join(top, "outside"));
    fs.writeFileSync(join(top, "outside/secret"), "secret");
    try {
      const k = await boot({
        clock: "virtual",
        devices: [(kernel) => newFs(kernel, roots(dir), opts)],
        binds: [["#U", "/n", MREPL | MCREATE]],
        files: {},
      });
      const proc = k.spawn(async (sys: Sys) => fn(t, sys, dir), ["main"]);
      const status = await proc.wait();
      if (proc.crash !== undefined) throw proc.crash;
      t.is(status, "");
      t.deepEqual(k.audit(), { procs: [], chans: [], fids: [], tags: [] });
      await k.shutdown();
      t.deepEqual(openbelow(fs.realpathSync(top)), []);
    } finally {
      fs.rmSync(top, { recursive: true, force: true });
    }
  };
}
