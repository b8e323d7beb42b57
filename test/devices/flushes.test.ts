// Flushes, many of them: whatever a request took of its connection comes back with its Rflush, at the
// client and at the server. Both count requests and bytes, and stop or hang up at their limits.

import test from "ava";
import {
  MBEFORE,
  MCREATE,
  MREPL,
  NCONT,
  ORCLOSE,
  ORDWR,
  OREAD,
  OSTREAM,
  OWRITE,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { error } from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { type Anysrv, type Srv, postmount } from "../../userland/lib/9p.ts";
import { type Ram, newram } from "../../userland/lib/ram.ts";
import { Fake, type Lie, qidof } from "../kit/fake.ts";
import { pack, packdir } from "../kit/frames.ts";
import { failure, mkdir, put, run, within } from "../kit/kit.ts";

/** More than either end lets be outstanding. */
const MANY = 2_200;

const who = { uid: "u", gid: "u", muid: "u", atime: 0, mtime: 0, type: 0, dev: 0 };
/** The entry of a file that is long enough to be read ahead. */
const LONG = packdir({ ...who, name: "f", qid: qidof("f"), mode: 0o666, length: 100_000 });

/** A ramfs whose reads and writes of a file called "slow" are answered after an hour. */
function slowram(s: TaskSys, version: string): Anysrv {
  const ram = newram(s, { user: "glenda", perm: 0o777, version });
  function* hour<T>(what: T): Task<T> {
    yield* s.sleep(3_600_000);
    return what;
  }
  const srv: Srv<Ram> = {
    ...ram,
    copies: false,
    read: (fid, count, offset) =>
      fid.aux.name === "slow"
        ? hour(new Uint8Array(count))
        : (ram.read?.(fid, count, offset) ?? error("no")),
    write: (fid, data, offset) =>
      fid.aux.name === "slow" ? hour(data.length) : (ram.write?.(fid, data, offset) ?? error("no")),
  };
  return srv as Anysrv;
}

/** Mounts a slowram on /n, in a program that goes on behind a note. */
async function mountslow(sys: Sys, version: string): Promise<void> {
  await sys.notify(async (_note, its) => (its as Sys).noted(NCONT));
  await postmount(sys, (s) => slowram(s, version), { mtpt: "/n", flags: MREPL | MCREATE });
}

/** What a call fails with when a note comes while it waits. */
async function interrupted(sys: Sys, call: () => Promise<unknown>): Promise<string> {
  await sys.alarm(1);
  const how = await failure(call());
  await sys.alarm(0);
  return how;
}

for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"])
  test(
    `after thousands of flushes a connection takes as many requests as at first: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountslow(sys, version);
        const fd = await sys.create("/n/slow", ORDWR, 0o666);
        const buf = new Uint8Array(8192);
        for (let i = 0; i < MANY; i++)
          if ((await interrupted(sys, () => sys.pread(fd, buf, 0))) !== "interrupted")
            t.fail(`read ${i}`);
        for (let i = 0; i < MANY; i++)
          if ((await interrupted(sys, () => sys.pwrite(fd, buf, 0))) !== "interrupted")
            t.fail(`write ${i}`);
        t.is(await failure(sys.stat("/n/slow")), "no error");
        // A window of requests, which waits when the connection has no room for it.
        const fast = await sys.create("/n/fast", ORDWR, 0o666);
        let out = 0;
        let most = 0;
        k.trace.listen((e) => {
          if (e.type === "send" && e.fcall.type === F.Twrite) most = Math.max(most, ++out);
          if (e.type === "receive" && e.fcall.type === F.Rwrite) out--;
        });
        t.is(await sys.pwrite(fast, new Uint8Array(4_000_000), 0), 4_000_000);
        t.is(most > 50, version !== "9P2000", "a window is as wide as at first");
        t.is(
          await interrupted(sys, () => sys.pread(fast, new Uint8Array(4_000_000), 0)),
          "no error",
        );
        await sys.close(fast);
        await sys.close(fd);
        t.is(k.audit().tags.length, 0);
      });
    }),
  );

test(
  "the credit of a stream that is flushed, by a note or by its close, comes back",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountslow(sys, "9P2000.ix.stream");
      await sys.close(await sys.create("/n/slow", ORDWR, 0o666));
      const buf = new Uint8Array(8192);
      for (let i = 0; i < 50; i++) {
        const fd = await sys.open("/n/slow", OREAD | OSTREAM);
        if (i % 2 === 0) t.is(await interrupted(sys, () => sys.sread(fd, buf)), "interrupted");
        t.true(k.credit > 0);
        await sys.close(fd);
        t.is(k.credit, 0);
      }
    });
  }),
);

test(
  "a close that is interrupted while the connection is full gives its fid back later",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountslow(sys, "9P2000.ix");
      const slow = await sys.create("/n/slow", ORDWR, 0o666);
      const { fids } = k.audit();
      const gone = await sys.create("/n/gone", OWRITE | ORCLOSE, 0o666);
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        await child.close(gone);
        const reads = Array.from({ length: 1024 }, () => child.pread(slow, new Uint8Array(1), 0));
        await Promise.allSettled(reads);
      });
      await sys.sleep(1);
      t.is(k.audit().tags.length, 1024, "the connection is full");
      t.regex(await interrupted(sys, () => sys.stat("/n/slow")), /interrupted$/);
      await interrupted(sys, () => sys.close(gone));
      await put(sys, `/proc/${pid}/ctl`, "kill");
      await sys.await();
      await sys.sleep(1);
      t.deepEqual(k.audit().fids, fids);
      t.regex(
        await failure(sys.stat("/n/gone")),
        /file does not exist$/,
        "it was removed on close",
      );
      await sys.close(slow);
    });
  }),
);

/** Fills the connection of fd, a slow file, with reads; gives what ends them. */
async function full(sys: Sys, fd: number): Promise<() => Promise<void>> {
  const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
    const reads = Array.from({ length: 1024 }, () => child.pread(fd, new Uint8Array(1), 0));
    await Promise.allSettled(reads);
  });
  await sys.sleep(1);
  return async () => {
    await put(sys, `/proc/${pid}/ctl`, "kill");
    await sys.await();
  };
}

/** A file with a stream on a connection that is full (`full`), and the slow file that fills it. */
async function crowded(
  sys: Sys,
  version: string,
): Promise<{ readonly slow: number; readonly fast: number; readonly empty: () => Promise<void> }> {
  await mountslow(sys, version);
  const slow = await sys.create("/n/slow", ORDWR, 0o666);
  const fast = await sys.create("/n/fast", ORDWR, 0o666);
  await sys.stream(fast, 0);
  return { slow, fast, empty: await full(sys, slow) };
}

/** Closes files; gives the tags that are taken when the answers have come. */
async function tagsafter(
  sys: Sys,
  k: Kernel,
  ...fds: readonly number[]
): Promise<readonly string[]> {
  for (const fd of fds) await sys.close(fd);
  await sys.sleep(1);
  return k.audit().tags;
}

for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"]) {
  test(
    `a write that waits for room is written whole before what ends its stream: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const { slow, fast, empty } = await crowded(sys, version);
        const bytes = new Uint8Array(200_000).fill(7);
        const writer = sys.swrite(fast, bytes);
        const buf = new Uint8Array(bytes.length);
        const reader = sys.pread(fast, buf, 0);
        await sys.sleep(1);
        await empty();
        t.is(await writer, bytes.length);
        t.is(await reader, bytes.length);
        t.deepEqual(buf, bytes);
        t.deepEqual(await tagsafter(sys, k, fast, slow), []);
      });
    }),
  );

  test(
    `a write that waits for room fails when the call that ended its stream gives up: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const { slow, fast, empty } = await crowded(sys, version);
        let ended = "";
        await sys.rfork(RFPROC, async (child: Sys) => {
          ended = await failure(child.swrite(fast, new Uint8Array(200_000)));
        });
        await sys.sleep(1);
        const buf = new Uint8Array(1);
        t.is(await interrupted(sys, () => sys.pread(fast, buf, 0)), "interrupted");
        await empty();
        await sys.wait();
        t.is(ended, "interrupted");
        t.is(await sys.pread(fast, buf, 0), 0, "nothing was sent");
        t.deepEqual(await tagsafter(sys, k, fast, slow), []);
      });
    }),
  );
}

for (const version of ["9P2000", "9P2000.ix"])
  test(
    `a write longer than a window sends no more when the call that ended its stream gives up: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountslow(sys, version);
        const slow = await sys.create("/n/slow", ORDWR, 0o666);
        await sys.stream(slow, 0);
        let ended = "";
        await sys.rfork(RFPROC, async (child: Sys) => {
          ended = await failure(child.swrite(slow, new Uint8Array(9_000_000)));
        });
        await sys.sleep(1);
        const began = k.clock.now();
        t.is(await interrupted(sys, () => sys.pread(slow, new Uint8Array(1), 0)), "interrupted");
        await sys.wait();
        t.is(ended, "interrupted");
        t.is(k.clock.now() - began, 1e6, "its requests were flushed, and no answer was waited for");
        t.deepEqual(await tagsafter(sys, k, slow), []);
      });
    }),
  );

test(
  "a write that waits for its answer fails when the call that ended its stream gives up",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountslow(sys, "9P2000");
      await sys.close(await sys.create("/n/slow", ORDWR, 0o666));
      // Its qid has version 0 now, as that of a device: each write waits for its answer.
      const slow = await sys.open("/n/slow", ORDWR);
      let ended = "";
      await sys.rfork(RFPROC, async (child: Sys) => {
        ended = await failure(child.swrite(slow, new Uint8Array(10)));
      });
      await sys.sleep(1);
      t.is(await interrupted(sys, () => sys.sread(slow, new Uint8Array(1))), "interrupted");
      await sys.wait();
      t.is(ended, "interrupted");
      t.is((await sys.fstat(slow)).length, 0, "nothing was written");
      t.deepEqual(await tagsafter(sys, k, slow), []);
    });
  }),
);

for (const version of ["9P2000", "9P2000.ix"])
  test(
    `a long write is interrupted also where the piece that the note flushed was done: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await sys.notify(async (_note, its) => (its as Sys).noted(NCONT));
        const fake = await Fake.mount(sys, "/n", { version });
        const writes: F.Tmsg[] = [];
        fake.lie = (m) => {
          if (m.type === F.Twrite) writes.push(m);
          const [first] = writes.splice(0, m.type === F.Tflush ? 1 : 0);
          if (first !== undefined) return [fake.truth(first), fake.truth(m)];
          return m.type === F.Twrite ? [] : null;
        };
        const fd = await sys.open("/n/f", OWRITE);
        t.is(
          await interrupted(sys, () => sys.pwrite(fd, new Uint8Array(20_000), 0)),
          "interrupted",
        );
        const sent = fake.heard.filter((m) => m.type === F.Twrite);
        t.is(sent.length, version === "9P2000" ? 1 : 3);
        await sys.close(fd);
      });
    }),
  );

for (const version of ["9P2000.ix", "9P2000.ix.stream"])
  test(
    `a long write of which a piece fails has the error of that piece, though more was to be sent: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const held: F.Tmsg[] = [];
        const fake = await Fake.mount(sys, "/n", { version });
        fake.lie = (m) => {
          if (m.type !== F.Twrite) return null;
          if (held.push(m) !== 64) return [];
          const full: F.Fcall = { type: F.Rerror, tag: m.tag, ename: "file system full" };
          return [pack(...held.map((w, i) => (i < 2 ? fake.truth(w) : full)))];
        };
        const fd = await sys.open("/n/f", OWRITE);
        // More than a connection takes at once.
        const bytes = new Uint8Array(10_000_000);
        t.is(await failure(sys.pwrite(fd, bytes, 0)), "file system full");
        await sys.close(fd);
      });
    }),
  );

for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"])
  test(
    `a note interrupts a read whose stream another call has ended, before the Rflush: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const silent = new Set<number>([F.Tread, F.Tstream, F.Tflush]);
        const lie: Lie = (m) => {
          if (m.type === F.Tstat) return [{ type: F.Rstat, tag: m.tag, stat: LONG }];
          return silent.has(m.type) ? [] : null;
        };
        await Fake.mount(sys, "/n", { version, lie });
        const fd = await sys.open("/n/f", OREAD);
        let how = "";
        await sys.rfork(RFPROC, async (child: Sys) => {
          await child.notify(async (_note, its) => (its as Sys).noted(NCONT));
          await child.alarm(5);
          how = await failure(child.sread(fd, new Uint8Array(100)));
        });
        await sys.sleep(1);
        const pid = await sys.rfork(RFPROC, async (child: Sys) => {
          await child.pread(fd, new Uint8Array(10), 0);
        });
        await sys.sleep(10);
        t.is(how, "interrupted");
        await put(sys, `/proc/${pid}/ctl`, "kill");
      });
    }),
  );

test(
  "a union whose server's connection is full is not asked any more when a note has come",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountslow(sys, "9P2000.ix");
      const slow = await sys.create("/n/slow", ORDWR, 0o666);
      await mkdir(sys, "/u");
      await sys.bind("/n", "/u", MBEFORE);
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        const reads = Array.from({ length: 1024 }, () => child.pread(slow, new Uint8Array(1), 0));
        await Promise.allSettled(reads);
      });
      await sys.sleep(1);
      const before = k.audit();
      t.is(before.tags.length, 1024, "the connection is full");
      const began = k.clock.now();
      t.is(await interrupted(sys, () => sys.stat("/u/slow")), "interrupted");
      t.is(k.clock.now() - began, 1e6, "by the note");
      t.deepEqual(k.audit(), before);
      await put(sys, `/proc/${pid}/ctl`, "kill");
      await sys.await();
      await sys.close(slow);
    });
  }),
);

for (const version of ["9P2000", "9P2000.ix"])
  test(
    `a pwrite of a stream behind one that was flushed waits for the Rflush, and is done by itself: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const flushes: F.Tmsg[] = [];
        const lie: Lie = (m) => {
          if (m.type === F.Tflush) flushes.push(m);
          return m.type === F.Tflush || (m.type === F.Twrite && m.offset === 0) ? [] : null;
        };
        const fake = await Fake.mount(sys, "/n", { lie, version });
        const writes = (): number[] =>
          fake.heard.flatMap((m) => (m.type === F.Twrite ? [m.offset] : []));
        await sys.notify(async (_note, s) => (s as Sys).noted(0));
        const fd = await sys.open("/n/f", ORDWR);
        await sys.stream(fd, 0);
        let how = "";
        const pid = await sys.rfork(RFPROC, async (child: Sys) => {
          how = await failure(child.pwrite(fd, new Uint8Array(10), 0));
        });
        await sys.sleep(1);
        await put(sys, `/proc/${pid}/note`, "stop");
        await sys.sleep(1);
        const second = sys.pwrite(fd, new Uint8Array(10), 10);
        await sys.sleep(1);
        t.deepEqual([writes(), flushes.length, how], [[0], 1, ""]);
        for (const { tag } of flushes) await fake.say({ type: F.Rflush, tag });
        t.is(await second, 10);
        await sys.wait();
        t.is(how, "interrupted");
        t.deepEqual(writes(), [0, 10]);
        await sys.close(fd);
      });
    }),
  );

test(
  "on a full connection one answer makes room for one call",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const reads: F.Tmsg[] = [];
      const lie: Lie = (m) => (m.type === F.Tread ? (reads.push(m), []) : null);
      const fake = await Fake.mount(sys, "/n", { lie });
      const fd = await sys.open("/n/f", OREAD);
      const all = Array.from({ length: 1024 }, () => sys.pread(fd, new Uint8Array(1), 0));
      await sys.sleep(1);
      let told = false;
      const stat = sys.fstat(fd).then(() => (told = true));
      await sys.sleep(1);
      t.deepEqual([reads.length, told], [1024, false]);
      for (const { tag } of reads.splice(0, 1))
        await fake.say({ type: F.Rread, tag, data: new Uint8Array(1) });
      await sys.sleep(1);
      t.true(told);
      for (const { tag } of reads) await fake.say({ type: F.Rread, tag, data: new Uint8Array(1) });
      await Promise.all([stat, ...all]);
      await sys.close(fd);
    });
  }),
);

test(
  "an answer to one piece of a window makes room for a call that waits, before the window is over",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      /** A piece is answered 10 ms after the one before it, the small write after two seconds. */
      const steady = (s: TaskSys): Anysrv => {
        const ram: Srv<Ram> = newram(s, { user: "glenda", perm: 0o777, version: "9P2000.ix" });
        function* write(data: Uint8Array): Task<number> {
          yield* s.sleep(data.length === 65_000 ? 2000 : 10);
          return data.length;
        }
        return { ...ram, copies: false, write: (_fid, data) => write(data) } as Srv<Ram> as Anysrv;
      };
      await postmount(sys, steady, { mtpt: "/n", flags: MREPL | MCREATE });
      const fd = await sys.create("/n/f", ORDWR, 0o666);
      // 127 pieces and a small one: as many bytes as a connection may have outstanding.
      const all = [sys.pwrite(fd, new Uint8Array(127 * 65_536), 0)];
      all.push(sys.pwrite(fd, new Uint8Array(65_000), 0));
      const began = k.clock.now();
      await sys.stat("/n/f");
      t.true(k.clock.now() - began < 100e6, `${k.clock.now() - began}`);
      await Promise.all(all);
      t.true(k.clock.now() - began > 1000e6);
      await sys.close(fd);
    });
  }),
);

test(
  "a write of a stream ends when another process gave up waiting for its answer",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountslow(sys, "9P2000.ix.stream");
      const fd = await sys.create("/n/slow", ORDWR, 0o666);
      await sys.stream(fd, 0);
      let ended = "";
      await sys.rfork(RFPROC, async (child: Sys) => {
        ended = await failure(child.pwrite(fd, new Uint8Array(100), 0));
      });
      await sys.sleep(1);
      // A read waits for what was written before.
      t.is(await interrupted(sys, () => sys.read(fd, new Uint8Array(1))), "interrupted");
      await sys.wait();
      t.is(ended, "interrupted");
      await sys.close(fd);
      t.is(k.audit().tags.length, 0);
    });
  }),
);
