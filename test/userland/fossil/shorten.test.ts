// A file of many pieces that becomes much shorter: in steps, since others want their turn, and yet at once for all who
// look, and through a crash.

import assert from "node:assert/strict";
import test from "ava";
import { MCREATE, MREPL, OREAD, ORDWR } from "../../../kernel/abi/const.ts";
import type { Sys, Task } from "../../../syscalls/sys.ts";
import { serve9p, simnet } from "../../../userland/boot/net.ts";
import type { Anysrv } from "../../../userland/lib/9p.ts";
import { dial } from "../../../userland/lib/dial.ts";
import { type Disk, Procenv } from "../../../userland/lib/fossil/disk.ts";
import { openfossil } from "../../../userland/lib/fossil/fossil.ts";
import { NOTHING, run } from "../../kit/kit.ts";
import { Disklog, Rig, hash } from "../../kit/fossilrig.ts";

const PIECE = 65_536;
/** Each has one byte: more than are taken away between two turns. */
const PIECES = 1600;
const LONG = (PIECES - 1) * PIECE + 1;
const SHORT = 3 * PIECE + 1;

/** A disk with the file /f. */
function planted(): Uint8Array {
  const log = new Disklog();
  const rig = new Rig(log);
  const fid = rig.create("/f", 0o666);
  for (let no = 0; no < PIECES; no++) rig.write(fid, "x", no * PIECE);
  rig.clunk(fid);
  rig.sync();
  return log.image;
}

/** Whether a file has the bytes of its first pieces, and zeros where it was made longer. */
function whole(rig: Rig): void {
  const { length } = rig.stat("/f");
  assert.ok(length === LONG || length === SHORT, `it is ${length} bytes long`);
  for (const no of [0, 3, 4, 700, PIECES - 1]) {
    const there = no * PIECE < length ? "x" : "";
    const fid = rig.open("/f", OREAD);
    assert.equal(Buffer.from(rig.read(fid, 1, no * PIECE)).toString(), there, `piece ${no}`);
  }
  rig.wstat("/f", { length: LONG + 1 });
  const fid = rig.open("/f", OREAD);
  const after = length === LONG ? 120 : 0;
  assert.deepEqual([...rig.read(fid, 2, 700 * PIECE)], [after, 0]);
  assert.deepEqual(rig.check(), []);
}

test("a file that becomes much shorter has one length or the other, for others and after a crash", async (t) => {
  const start = planted();
  const log = new Disklog(start);
  const net = simnet();
  const far = await net.boot("far");
  await serve9p(far, "tcp!*!564", function* (sys): Task<Anysrv> {
    const disk: Disk = {
      *read(buf, at): Task<number> {
        yield* sys.sleep(1);
        return log.read(buf, at);
      },
      *write(bytes, at): Task<void> {
        yield* sys.sleep(1);
        log.write(bytes, at);
      },
      *sync(): Task<void> {
        yield* sys.sleep(1);
        log.sync();
      },
      length: () => log.length(),
    };
    const f = yield* openfossil(disk, new Procenv(sys), { hash, every: 1000 });
    return f.srv as Anysrv;
  });
  const k = await net.boot("near", { files: { n: { f: {} } } });
  net.link("near", "far", { rtt: "1ms" });
  const seen = new Set<number>();
  await run(k, async (sys: Sys) => {
    await sys.mount(await dial(sys, "tcp!far!564"), -1, "/n/f", MREPL | MCREATE, "");
    const fd = await sys.open("/n/f/f", ORDWR);
    const cut = sys.wstat("/n/f/f", { length: SHORT });
    const others = Array.from({ length: 30 }, async (_, i) => {
      await sys.sleep(i);
      if (i % 3 === 0) await sys.wstat("/n/f", {});
      seen.add((await sys.stat("/n/f/f")).length);
    });
    // A write behind the new end waits for the pieces that were there.
    await sys.sleep(2);
    await sys.pwrite(fd, new TextEncoder().encode("y"), 900 * PIECE);
    await Promise.all([cut, ...others]);
    const buf = new Uint8Array(2);
    t.is(await sys.pread(fd, buf, 700 * PIECE), 2);
    t.deepEqual([...buf], [0, 0]);
    await sys.wstat("/n/f/f", { length: SHORT });
    await sys.wstat("/n/f", {});
    await sys.close(fd);
  });
  await net.shutdown();
  for (const audit of Object.values(net.audit())) t.deepEqual(audit, NOTHING);
  t.true(
    [...seen].every((n) => [LONG, SHORT, 900 * PIECE + 1].includes(n)),
    [...seen].join(" "),
  );
  t.true(log.ops.length > 10);
  for (let cut = 0; cut <= log.ops.length; cut++) {
    const rig = new Rig(new Disklog(Disklog.crashed(start, log.ops.slice(0, cut), () => true)));
    if (rig.stat("/f").length !== 900 * PIECE + 1) whole(rig);
    else t.deepEqual([...rig.read(rig.open("/f", OREAD), 2, 700 * PIECE)], [0, 0]);
  }
});
