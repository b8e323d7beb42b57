// Pipes: message boundaries, flow, hanging up, and the note that a writer gets.

import test from "ava";
import fc from "fast-check";
import { Queue } from "../../devices/queue.ts";
import {
  MREPL,
  NCONT,
  OREAD,
  ORDWR,
  OTRUNC,
  RFFDG,
  RFNOWAIT,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { now } from "../../kernel/proc/spawn.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { explore } from "../../userland/testing/index.ts";
import { failure, inside, ls, readonce, write } from "../kit/kit.ts";

const HUNGUP = "i/o on hungup channel";
const NOTE = "sys: write on closed pipe pc=0x00000000";

/** Has the process go on after every note, and gives the list of them. */
async function notes(sys: Sys): Promise<string[]> {
  const list: string[] = [];
  await sys.notify(async (note, s) => {
    list.push(note);
    await (s as Sys).noted(NCONT);
  });
  return list;
}

test(
  "a read gives at most one write, and leaves the rest of it",
  inside(async (t, sys) => {
    const [a, b] = await sys.pipe();
    await write(sys, a, "one");
    await write(sys, a, "two");
    await write(sys, a, "abcdef");
    t.is((await sys.fstat(b)).length, 12);
    t.is(await readonce(sys, b), "one");
    t.is(await readonce(sys, b), "two");
    t.is(await readonce(sys, b, 2), "ab");
    t.is(await readonce(sys, b), "cdef");
    await write(sys, b, "back");
    t.is(await readonce(sys, a), "back");
  }),
);

test(
  "an empty write is an empty read",
  inside(async (t, sys) => {
    const [a, b] = await sys.pipe();
    await write(sys, a, "");
    await write(sys, a, "x");
    t.is(await readonce(sys, b), "");
    t.is(await readonce(sys, b), "x");
  }),
);

test(
  "a pipe has two ends of mode 0600 and paths of their own",
  inside(async (t, sys) => {
    const [a, b] = await sys.pipe();
    const [da, db] = [await sys.fstat(a), await sys.fstat(b)];
    t.deepEqual([da.name, da.mode, da.type, da.uid], ["data", 0o600, 0x7c, "glenda"]);
    t.deepEqual([db.name, db.qid.type], ["data1", 0]);
    t.is(da.qid.path & 31n, 1n);
    t.is(db.qid.path, da.qid.path + 1n);
    t.is(await sys.fd2path(b), "#|/data1");
    t.is(await failure(sys.seek(a, 0, 1)), "seek on a stream");
    await sys.fwstat(a, { mode: 0o400 });
    t.is((await sys.fstat(b)).mode, 0o400);
    t.is(await failure(sys.remove("#|/data")), "permission denied");
  }),
);

test(
  "a long write is cut into pieces of 64K and waits while the queue is full",
  inside(async (t, sys) => {
    const [a, b] = await sys.pipe();
    let done = false;
    const writing = sys.write(a, new Uint8Array(400_000)).then(() => (done = true));
    const sizes: number[] = [];
    const buf = new Uint8Array(200_000);
    await sys.sleep(1);
    t.is((await sys.fstat(b)).length, 4 * 65536);
    t.false(done);
    for (let left = 400_000; left > 0;) {
      const n = await sys.read(b, buf);
      sizes.push(n);
      left -= n;
    }
    await writing;
    t.deepEqual(sizes, [65536, 65536, 65536, 65536, 65536, 65536, 6784]);
  }),
);

test(
  "a write that is interrupted has queued its data, and posts the note too",
  inside(async (t, sys) => {
    const got = await notes(sys);
    const [a, b] = await sys.pipe();
    await sys.alarm(10);
    t.is(await failure(sys.write(a, new Uint8Array(5 * 65536))), "interrupted");
    // It had to wait for the first to be handled, and so has got the program counter twice.
    t.deepEqual(got, ["alarm", `${NOTE} pc=0x00000000`]);
    t.is((await sys.fstat(b)).length, 4 * 65536);
  }),
);

test("interrupted readers lose nothing, whenever the note and the bytes come", async (t) => {
  const flags = RFPROC | RFFDG | RFNOWAIT;
  const r = await explore((m) =>
    m.try(async function reader(sys: Sys) {
      await notes(sys);
      const [a, b] = await sys.pipe();
      const note = `/proc/${await readtext(sys, "/dev/pid")}/note`.replaceAll(" ", "");
      await sys.rfork(flags, async (s: Sys) => void (await write(s, a, "x")));
      await sys.rfork(flags, (s: Sys) => writefile(s, note, "stop"));
      const got = await readonce(sys, b).catch((e: Error) => e.message);
      return got === "interrupted" ? `${got}, then ${await readonce(sys, b)}` : got;
    }),
  );
  t.true(r.all);
  t.deepEqual(r.outcomes.map((o) => o.what).toSorted(), [
    'status "interrupted, then x"',
    'status "x"',
  ]);
});

test(
  "when an end closes the other reads what is left, then end of file",
  inside(async (t, sys) => {
    const got = await notes(sys);
    const [a, b] = await sys.pipe();
    const c = await sys.dup(a);
    await sys.close(a);
    await write(sys, c, "last");
    await sys.close(c);
    t.is(await readonce(sys, b), "last");
    for (let i = 0; i < 5; i++) t.is(await readonce(sys, b), "");
    t.is(await failure(write(sys, b, "foo")), HUNGUP);
    t.is(await failure(write(sys, b, "")), HUNGUP);
    t.deepEqual(got, [NOTE, NOTE]);
  }),
);

test(
  "a reader and a writer that wait are woken when the other end closes",
  inside(async (t, sys) => {
    await notes(sys);
    const [a, b] = await sys.pipe();
    const reading = readonce(sys, b);
    const writing = failure(sys.write(b, new Uint8Array(4 * 65536)));
    const waiting = failure(sys.write(b, new Uint8Array(1)));
    await sys.sleep(1);
    await sys.close(a);
    t.is(await reading, "");
    t.is(await writing, "no error"); // all of it was in the queue
    t.is(await waiting, HUNGUP);
  }),
);

test("a process without a handler dies of writing to a closed pipe", async (t) => {
  const k = await boot({ clock: "virtual" });
  const proc = k.spawn(async (sys: Sys) => {
    const [a, b] = await sys.pipe();
    await sys.close(b);
    await write(sys, a, "foo");
    return "not reached";
  });
  t.is(await proc.wait(), NOTE);
  await k.shutdown();
});

test(
  "a bound pipe: an end is closed when the last opener closes, and open again only with both",
  inside(async (t, sys) => {
    const got = await notes(sys);
    await sys.bind("#|", "/tmp", MREPL);
    t.deepEqual(await ls(sys, "/tmp"), ["data", "data1"]);
    const x = await sys.open("/tmp/data", ORDWR);
    const y = await sys.open("/tmp/data1", ORDWR);
    const y2 = await sys.open("/tmp/data1", ORDWR);
    await sys.close(y);
    await write(sys, x, "more");
    t.is(await readonce(sys, y2), "more");
    await sys.close(y2);
    t.is(await failure(write(sys, x, "gone")), HUNGUP);
    t.is(await readonce(sys, x), "");
    const y3 = await sys.open("/tmp/data1", ORDWR);
    t.is(await readonce(sys, y3), "");
    t.is(await failure(write(sys, x, "again")), HUNGUP);
    t.is(got.length, 2);
    await sys.close(x);
    await sys.close(y3);
    const x2 = await sys.open("/tmp/data", OREAD | OTRUNC);
    const y4 = await sys.open("/tmp/data1", ORDWR);
    await write(sys, y4, "fresh");
    t.is(await readonce(sys, x2), "fresh");
    t.is(await failure(sys.open("/tmp/nope", OREAD)), "'/tmp/nope' file does not exist");
    await sys.unmount(null, "/tmp");
  }),
);

test("a writer that is killed when its turn has just come passes the turn on", async (t) => {
  const k = await boot({ clock: "virtual" });
  const q = new Queue(1000);
  const over: string[] = [];
  function* writer(name: string, then: () => void): Task<void> {
    try {
      yield* q.write(new Uint8Array(900));
    } finally {
      over.push(name);
    }
    then();
  }
  k.kproc(
    "first",
    writer("first", () => undefined),
  );
  k.kproc(
    "second",
    writer("second", () => k.sched.kill(third)),
  );
  const third = k.kproc(
    "third",
    writer("third", () => undefined),
  );
  await new Promise<void>((resolve) => {
    k.kproc("fourth", writer("fourth", resolve));
    k.kproc("reader", drain(k, q));
  });
  t.deepEqual(over, ["first", "second", "third", "fourth"]);
  await k.shutdown();
});

/** Reads a block at a time, when everyone else waits. */
function* drain(k: Kernel, q: Queue): Task<void> {
  for (let i = 0; i < 4; i++) {
    yield* k.sched.sleep(1);
    yield* q.bread(1000);
  }
}

/** Writes and reads of one queue. */
const blocks = fc.array(
  fc.oneof(
    fc.record({ op: fc.constant("write" as const), n: fc.nat({ max: 400 }) }),
    fc.record({ op: fc.constant("write" as const), n: fc.constantFrom(0, 8192, 65536, 70_000) }),
    fc.record({ op: fc.constant("read" as const), n: fc.constantFrom(1, 7, 100, 65536, 100_000) }),
  ),
  { maxLength: 60 },
);

test("any sequence of writes and reads keeps bytes, order and boundaries", (t) => {
  let stamp = 0;
  fc.assert(
    fc.property(blocks, (ops) => {
      const q = new Queue(Infinity);
      const model: Uint8Array[] = [];
      for (const { op, n } of ops) {
        if (op === "write") {
          const bytes = new Uint8Array(n).map(() => stamp++);
          now(q.write(bytes));
          for (let o = 0; o < n || o === 0; o += 65536) model.push(bytes.slice(o, o + 65536));
          bytes.fill(0xee); // the queue has a copy
        } else if (model.length > 0) {
          const want = model.shift() ?? new Uint8Array(0);
          if (want.length > n) model.unshift(want.slice(n));
          t.deepEqual(now(q.bread(n)), want.slice(0, n));
        }
        t.is(
          q.len,
          model.reduce((sum, b) => sum + b.length, 0),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test("a queue that was hung up gives what it has and takes no more", (t) => {
  const q = new Queue(1000);
  now(q.write(new Uint8Array(10)));
  q.hangup();
  t.throws(() => now(q.write(new Uint8Array(1))), { instanceOf: PlanError, message: HUNGUP });
  t.is(now(q.bread(100)).length, 10);
  t.is(now(q.bread(100)).length, 0);
});

type Side = { readonly name: "a" | "b"; readonly sizes: readonly number[] };
const side = (name: "a" | "b"): fc.Arbitrary<Side> =>
  fc.record({
    name: fc.constant(name),
    sizes: fc.array(fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(0, 65536, 120_000)), {
      maxLength: 12,
    }),
  });

test("both directions of a pipe, in any interleaving, deliver each write whole and in order", async (t) => {
  await fc.assert(
    fc.asyncProperty(side("a"), side("b"), fc.nat(), async (sa, sb, seed) => {
      const k = await boot({ clock: "virtual", seed });
      const proc = k.spawn(async (sys: Sys) => {
        const [a, b] = await sys.pipe();
        const send = async (fd: number, sizes: readonly number[]): Promise<void> => {
          for (const [i, n] of sizes.entries()) await sys.write(fd, new Uint8Array(n).fill(i + 1));
        };
        const receive = async (fd: number, sizes: readonly number[]): Promise<void> => {
          const buf = new Uint8Array(100_000);
          for (const [i, n] of sizes.entries())
            for (let o = 0; o < n || o === 0; o += 65536) {
              const got = await sys.read(fd, buf);
              t.is(got, Math.min(65536, n - o));
              t.true(buf.subarray(0, got).every((x) => x === i + 1));
            }
        };
        await Promise.all([
          send(a, sa.sizes),
          receive(b, sa.sizes),
          send(b, sb.sizes),
          receive(a, sb.sizes),
        ]);
      });
      t.is(await proc.wait(), "");
      t.deepEqual(k.audit().chans, []);
      await k.shutdown();
    }),
    { numRuns: 60 },
  );
});
