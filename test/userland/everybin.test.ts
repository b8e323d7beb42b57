// Programs of ours under every fault: whatever fails, nothing is left of them, and nothing waits for ever.

import test from "ava";
import { OREAD, OWRITE } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { newexport } from "../../userland/lib/export.ts";
import { postmount, tree } from "../../userland/lib/9p.ts";
import { readtext } from "../../userland/lib/io.ts";
import { everyfault } from "../../userland/testing/index.ts";
import type { Faultscene } from "../../userland/testing/index.ts";

/** A command line of rc, with a server 10 ms away. */
const rc = (line: string): Faultscene =>
  async function scene(m) {
    await m.server("far", { rtt: "10ms", files: { a: "one\ntwo\n", d: { b: "x" } } });
    await m.try(async function shell(sys: Sys) {
      await sys.exec("/bin/rc", ["rc", "-c", line]);
    });
  };

const SCENES: Readonly<Record<string, Faultscene>> = {
  "cp to a server": rc("cp /n/far/a /n/far/c"),
  "a pipeline": rc("cat /n/far/a | sed s/o/0/ | wc -l >/n/far/n"),
  "rm -r": rc("rm -r /n/far/d"),
  "a stream that is written": async (m) => {
    await m.server("far", { rtt: "10ms" });
    await m.try(async function writer(sys: Sys) {
      const fd = await sys.create("/n/far/s", OWRITE, 0o666);
      await sys.stream(fd, 0);
      for (let i = 0; i < 3; i++) await sys.swrite(fd, new Uint8Array(20_000));
      await sys.close(fd);
    });
  },
  "a stream that is read": async (m) => {
    await m.server("far", { rtt: "10ms", files: { s: new Uint8Array(50_000).fill(65) } });
    await m.try(async function reader(sys: Sys) {
      const fd = await sys.open("/n/far/s", OREAD);
      await sys.stream(fd, 0);
      while ((await sys.sread(fd, new Uint8Array(8192))) > 0);
      await sys.close(fd);
    });
  },
  "a server of the program's own": async (m) => {
    await m.try(async function serves(sys: Sys) {
      await postmount(sys, () => tree({ f: "text", d: { g: async () => "more" } }), {
        mtpt: "/tmp",
      });
      await readtext(sys, "/tmp/f");
      await readtext(sys, "/tmp/d/g");
    });
  },
  "files that are exported once more": async (m) => {
    await m.server("near", {
      rtt: "10ms",
      files: { f: "text" },
      serve: (sys) => newexport(sys, { root: "/tmp" }),
    });
    await m.try(async function reader(sys: Sys) {
      await readtext(sys, "/n/near/f");
    });
  },
};

for (const [name, scene] of Object.entries(SCENES))
  test(`${name} leaves nothing, whatever fails`, async (t) => {
    const done = await everyfault(scene);
    t.true(done.faults > 10, JSON.stringify(done));
  });
