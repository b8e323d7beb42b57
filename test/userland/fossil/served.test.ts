// A fossil on a disk that takes its time: what waits for it, in which order answers come, and snapshots by the clock.

import test from "ava";
import type { ExecutionContext } from "ava";
import * as fc from "../../../kernel/abi/fcall.ts";
import { OREAD } from "../../../kernel/abi/const.ts";
import type { Sys, Task } from "../../../syscalls/sys.ts";
import { serve9p, simnet } from "../../../userland/boot/net.ts";
import type { Anysrv } from "../../../userland/lib/9p.ts";
import type { ThreadSys } from "../../../userland/lib/both.ts";
import { type Disk, Procenv } from "../../../userland/lib/fossil/disk.ts";
import { DSIZE } from "../../../userland/lib/fossil/format.ts";
import { type Fossil, openfossil } from "../../../userland/lib/fossil/fossil.ts";
import { type Schedule, keepschedule } from "../../../userland/lib/fossil/serve.ts";
import { NOTHING, run } from "../../kit/kit.ts";
import { attach, clunk, flush, open, read, said, version, walk } from "../../kit/msg.ts";
import { Rawclient } from "../../kit/rawclient.ts";
import { Disklog, Rig, hash } from "../../kit/fossilrig.ts";

/** Pieces of the longest file. */
const PIECES = 16;

/** A disk whose reads take 100 ms. */
const slow = (sys: ThreadSys, log: Disklog): Disk => ({
  *read(buf, at): Task<number> {
    yield* sys.sleep(100);
    return log.read(buf, at);
  },
  write: (bytes, at) => log.write(bytes, at),
  sync: () => log.sync(),
  length: () => log.length(),
});

/** Makes the disk that a fossil lives on. */
type Makedisk = (sys: ThreadSys, log: Disklog) => Disk;

/** A client of a fossil that has two long files and a short one, which are open as fids 1, 2 and 3. */
async function client(
  t: ExecutionContext,
  main: (c: Rawclient, sys: Sys) => Promise<void>,
  make: Makedisk = slow,
): Promise<void> {
  const log = new Disklog();
  const rig = new Rig(log);
  for (const name of ["long", "other"]) rig.put(`/${name}`, name.padEnd(60_000));
  rig.put("/short", "short");
  rig.put("/big", "big".padEnd(PIECES * DSIZE));
  rig.sync();
  const net = simnet();
  const far = await net.boot("far");
  await serve9p(far, "tcp!*!564", function* (sys): Task<Anysrv> {
    const f = yield* openfossil(make(sys, log), new Procenv(sys), { hash });
    return f.srv as Anysrv;
  });
  const k = await net.boot("near");
  net.link("near", "far", { rtt: "1ms" });
  await run(k, async (sys: Sys) => {
    const c = await Rawclient.dial(sys, "tcp!far!564");
    await c.rpc(version("9P2000.ix"), attach());
    for (const [i, name] of ["long", "other", "short", "big"].entries())
      await c.rpc(walk(0, i + 1, name), open(i + 1, OREAD));
    await main(c, sys);
    await c.rpc(...[0, 1, 2, 3, 4].map((fid) => clunk(fid)));
    await sys.close(c.fd);
  });
  await net.shutdown();
  for (const audit of Object.values(net.audit())) t.deepEqual(audit, NOTHING);
}

/** The tag of an answer, and the first letters that were read. */
const heard = (r: fc.Rmsg | null): string =>
  r?.type === fc.Rread
    ? `${r.tag} ${Buffer.from(r.data).toString().trim()}`
    : r === null
      ? ""
      : said(r);

test("requests of one tag are answered in order, though the first waits for the disk; those of another go on", (t) =>
  client(t, async (c) => {
    const answers = await c.rpc(read(1, 5, 0, 8), read(3, 5, 0, 8), read(3, 6, 0, 8));
    t.deepEqual(answers.map(heard), ["6 short", "5 long", "5 short"]);
    // Now it is in memory.
    const again = await c.rpc(read(1, 5, 0, 8), read(3, 6, 0, 8));
    t.deepEqual(again.map(heard), ["5 long", "6 short"]);
  }));

test("a Tflush ends the waiting for the disk, and another who waits for the same block gets it", (t) =>
  client(t, async (c, sys) => {
    await c.send(read(2, 5, 0, 8), read(2, 6, 0, 8));
    await sys.sleep(20);
    await c.send(flush(5, 7));
    t.deepEqual([heard(await c.next()), heard(await c.next())], [`7 ${fc.Rflush}`, "6 other"]);
    // So does one who waits for what another reads.
    await c.send(read(1, 5, 0, 8), read(1, 6, 0, 8));
    await sys.sleep(20);
    await c.send(flush(6, 7));
    t.deepEqual([heard(await c.next()), heard(await c.next())], [`7 ${fc.Rflush}`, "5 long"]);
    // Nothing comes for the tag that was flushed; it is free.
    t.deepEqual((await c.rpc(read(3, 5, 0, 8))).map(heard), ["5 short"]);
  }));

test("a file that is read in order, with many reads outstanding, is read from the disk once", async (t) => {
  let reads = 0;
  const counting: Makedisk = (_sys, log) => ({
    read(buf, at) {
      if (buf.length === DSIZE) reads++;
      return log.read(buf, at);
    },
    write: (bytes, at) => log.write(bytes, at),
    sync: () => log.sync(),
    length: () => log.length(),
  });
  const all = Array.from({ length: PIECES }, (_, i) => i);
  await client(
    t,
    async (c) => {
      await c.send(...all.map((i) => read(4, 100 + i, i * DSIZE, DSIZE)));
      for (const _ of all) t.is((await c.next())?.type, fc.Rread);
    },
    counting,
  );
  t.is(reads, PIECES);
});

/** The snapshots of a fossil that is served for some hours, and what the schedule said. */
async function kept(hours: number, schedule: Omit<Schedule, "log">): Promise<string[]> {
  const net = simnet();
  const k = await net.boot("far");
  const lines: string[] = [];
  const served: { fossil: Fossil | null } = { fossil: null };
  await serve9p(k, "tcp!*!564", function* (sys): Task<Anysrv> {
    const disk = new Disklog();
    const env = new Procenv(sys);
    yield* env.tick();
    const f = yield* openfossil(disk, env, { hash });
    served.fossil = f;
    sys.threadcreate(keepschedule(sys, f, { ...schedule, log: (line) => lines.push(line) }));
    return f.srv as Anysrv;
  });
  await run(k, async (sys: Sys) => {
    await sys.sleep(hours * 3_600_000 + 1000);
  });
  const list = (served.fossil?.list ?? []).map(
    (s) => `${s.archive ? "archive" : "snap"} ${s.name}`,
  );
  await net.shutdown();
  return [...list, ...lines];
}

test("snapshots are made every hour, kept for three, and one a day is archived", async (t) => {
  const list = await kept(30, { every: 3600, keep: 3 * 3600, archive: 5 * 3600 });
  // Time begins at midnight; one that is three hours old is not older.
  t.deepEqual(list, [
    "archive 2000/0101",
    "snap 2000/0102/0300",
    "snap 2000/0102/0400",
    "snap 2000/0102/0500",
    "archive 2000/0102",
    "snap 2000/0102/0600",
  ]);
});
