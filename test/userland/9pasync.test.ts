// Servers whose callbacks are async functions.

import test from "ava";
import { MREPL, OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { type Qid, nulldir } from "../../kernel/abi/dir.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { type Anysrv, type Srv, postmount } from "../../userland/lib/9p.ts";
import { failure, put, run, within } from "../kit/kit.ts";
import { attach, stat, version } from "../kit/msg.ts";
import { Gate, Rig } from "../kit/rig.ts";

const file: Qid = { path: 1n, vers: 1, type: 0 };

/** A server of one file. Its callbacks are async functions without an await, so their promises settle at once. */
const soon: Srv<Qid> = {
  attach: async () => file,
  qid: (f) => f,
  stat: async () => ({ ...nulldir(), qid: file }),
  open: async () => undefined,
};

test(
  "an async callback answers when its promise is settled, soon or late, and leaves no thread behind",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      let goon = (): void => undefined;
      const gate = new Promise<void>((resolve) => (goon = resolve));
      const srv: Srv<Qid> = {
        ...soon,
        async read(_fid, _count, offset) {
          if (offset === 9) throw new PlanError("not there");
          if (offset > 0) await gate;
          return utfencode(offset === 0 ? "soon" : "late");
        },
      };
      await put(sys, "/tmp/f", "");
      const pid = await postmount(sys, () => srv, { mtpt: "/tmp/f", flags: MREPL });
      const fd = await sys.open("/tmp/f", OREAD);
      const text = async (offset: number): Promise<string> => {
        const buf = new Uint8Array(10);
        return utfdecode(buf, 0, await sys.pread(fd, buf, offset));
      };
      t.is(await text(0), "soon");
      const late = text(4);
      t.is(await text(0), "soon");
      t.is(await failure(text(9)), "not there");
      goon();
      t.is(await late, "late");
      await sys.close(fd);
      await sys.unmount(null, "/tmp/f");
      t.is((await sys.wait()).pid, pid, "the server has ended");
    });
  }),
);

test("a callback whose promise is settled by the next turn of the host needs no thread but its own", async (t) => {
  const rig = new Rig();
  const gates: Gate[] = [];
  Object.assign(rig.sys, {
    *sleep(): Task<void> {
      const gate = new Gate();
      gates.push(gate);
      yield* rig.sleep(gate);
    },
  });
  rig.serve(soon as Anysrv);
  t.is(rig.rpc(version()).length, 1);
  const before = rig.threads;
  const said = rig.rpc(attach(), stat(0)).map((r) => r.type);
  for (let i = 0; i < 10; i++) {
    await Promise.resolve();
    for (const gate of gates.splice(0)) rig.open(gate);
    rig.run();
    said.push(...rig.replies().map((r) => r.type));
  }
  t.deepEqual(said, [F.Rattach, F.Rstat]);
  t.is(rig.threads, before);
});
