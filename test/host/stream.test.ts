// Streams over the host's TCP. What a client reads goes through buffers that are used again, so all bytes
// are looked at, beside everything else that a connection carries.

import test from "ava";
import { MCREATE, MREPL, OREAD, OSTREAM } from "../../kernel/abi/const.ts";
import type { Exit, Sys, Task } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { Booted } from "../../kernel/boot.ts";
import { hostnet } from "../../userland/host/machine.ts";
import { acceptsrv } from "../../userland/lib/9p.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { announce, dial, netaddr } from "../../userland/lib/dial.ts";
import { Patternfs, matches, slurp, spout } from "../kit/streams.ts";
import { mkdir } from "../kit/world.ts";

const MiB = 1024 * 1024;

const host = (): Promise<Booted> =>
  boot({ clock: "real", devices: [hostnet()], binds: [["#I", "/net", MREPL]] });

/** A server of fs, and its address. */
async function serve(fs: Patternfs): Promise<{ readonly k: Booted; readonly addr: string }> {
  const k = await host();
  const addr = await new Promise<string>((resolve) => {
    k.spawn(function* main(sys: ThreadSys): Task<Exit> {
      const at = yield* announce(sys, "tcp!127.0.0.1!0");
      resolve(`tcp!${yield* netaddr(sys, at.dir, "local")}`);
      return yield* acceptsrv(sys, at, fs as Anysrv);
    });
  });
  return { k, addr };
}

/** Reads the beginning of a file by its stream, slowly, and closes it. */
async function taste(sys: Sys, name: string): Promise<boolean> {
  const fd = await sys.open(name, OREAD | OSTREAM);
  const buf = new Uint8Array(100_000);
  let right = true;
  for (let n = 0; n < 2 * MiB;) {
    const got = await sys.sread(fd, buf.subarray(0, 1 + (n % 99_991)));
    right &&= matches(n, buf.subarray(0, got));
    n += got;
    if (n % 3 === 0) await sys.sleep(1);
  }
  await sys.close(fd);
  return right;
}

/** Reads pieces of a file at offsets, each with a stat. */
async function pick(sys: Sys, name: string, size: number): Promise<boolean> {
  const fd = await sys.open(name, OREAD);
  const buf = new Uint8Array(200_000);
  let right = true;
  for (let at = 7; at < size; at += 1_234_567) {
    const n = await sys.pread(fd, buf, at);
    right &&= n === Math.min(buf.length, size - at) && matches(at, buf.subarray(0, n));
    right &&= (await sys.stat(name)).length === size;
  }
  await sys.close(fd);
  return right;
}

test.serial("streams, reads, stats and writes side by side each get their own bytes", async (t) => {
  const fs = new Patternfs();
  const server = await serve(fs);
  const here = await host();
  const size = 40 * MiB + 12_345;
  fs.add("a", size);
  fs.add("b", size);
  const proc = here.spawn(async (sys: Sys) => {
    await mkdir(sys, "/n/far");
    await sys.mount(await dial(sys, server.addr), -1, "/n/far", MREPL | MCREATE, "");
    const all = await Promise.all([
      slurp(sys, "/n/far/a", true),
      slurp(sys, "/n/far/b", true),
      taste(sys, "/n/far/a"),
      taste(sys, "/n/far/b"),
      pick(sys, "/n/far/b", size),
      spout(sys, "/n/far/c", size).then(() => 0),
    ]);
    t.deepEqual(all, [size, size, true, true, true, 0]);
  });
  t.is(await proc.wait(), "");
  t.deepEqual([fs.files.get("c")?.length, fs.files.get("c")?.wrong], [size, false]);
  t.is(here.credit, 0);
  await here.shutdown();
  await server.k.shutdown();
});
