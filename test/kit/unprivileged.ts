// A program of its own, for fs.test.ts: what a user of the host that is not root may do in a directory that is
// not writable. Prints what the calls said, as JSON.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newFs } from "../../devices/fs/fs-node.ts";
import { DMDIR, MCREATE, MREPL, ORCLOSE, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { failure } from "./kit.ts";

const NOBODY = 65534;

async function main(): Promise<void> {
  const top = fs.mkdtempSync(join(tmpdir(), "namec-"));
  const dir = join(top, "d");
  fs.mkdirSync(dir);
  fs.writeFileSync(join(dir, "f"), "x");
  if (process.getuid?.() === 0) {
    // The directory is another's from here on; who made it removes it.
    for (const name of [top, dir]) fs.chownSync(name, NOBODY, NOBODY);
    process.setgroups?.([]);
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
  }
  fs.chmodSync(dir, 0o555);
  const said: Record<string, unknown> = {};
  const k = await boot({
    devices: [(kernel) => newFs(kernel, { root: top })],
    binds: [["#U", "/n", MREPL | MCREATE]],
    files: {},
  });
  const done = k.spawn(
    async (sys: Sys) => {
      const tried = (call: Promise<number>): Promise<string> => failure(call.then(sys.close));
      said["read"] = await tried(sys.open("/n/d/f", OREAD));
      said["orclose"] = await tried(sys.open("/n/d/f", OREAD | ORCLOSE));
      said["create"] = await tried(sys.create("/n/d/g", OWRITE, 0o666));
      said["remove"] = await failure(sys.remove("/n/d/f"));
      said["owner"] = await failure(sys.wstat("/n/d/f", { uid: "bunny" }));
      said["left"] = fs.readdirSync(dir);
      await sys.wstat("/n/d", { mode: DMDIR + 0o755 });
      said["allowed"] = await tried(sys.open("/n/d/f", OREAD | ORCLOSE));
      said["gone"] = fs.readdirSync(dir);
    },
    ["main"],
  );
  await done.wait();
  await k.shutdown();
  fs.rmSync(top, { recursive: true });
  if (done.crash !== undefined) throw done.crash;
  process.stdout.write(JSON.stringify(said));
}

await main();
