// Faults between the mount driver and a server: what programs meet, and when, to the nanosecond; and that
// nothing is left of it here or there.

import assert from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import type { ExecutionContext } from "ava";
import type { Injected } from "../../devices/fault/faults.ts";
import { Faults, SHORTABLE } from "../../devices/fault/faults.ts";
import { MESSAGES } from "../../kernel/abi/fcallfmt.ts";
import { OREAD, OSTREAM, OTRUNC, OWRITE, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { bin } from "../../userland/bin/index.ts";
import { boot } from "../../userland/boot/boot.ts";
import { parsefault } from "../../userland/boot/inject.ts";
import { swriteall } from "../../userland/lib/copy.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { NOTHING, failure, mountram, put, requests, run, within } from "../kit/kit.ts";
import { RTT, World } from "../kit/world.ts";

const MS = 1_000_000;

type Case = {
  readonly t: ExecutionContext;
  readonly w: World;
  readonly sys: Sys;
  /** Adds a fault, which counts from now on. */
  readonly inject: (text: string) => Injected;
  /** What fn gives, or the error string, and the time it took. */
  readonly timed: (fn: () => Promise<unknown>) => Promise<readonly [unknown, number]>;
};

/** A test with a ramfs 50 ms away, of each version given; nothing may be left of it, here or there. */
function far(
  title: string,
  fn: (c: Case) => Promise<void>,
  versions: readonly string[] = ["9P2000", "9P2000.ix", "9P2000.ix.stream"],
): void {
  for (const version of versions)
    test(`${title}: ${version}`, async (t) => {
      const faults = new Faults();
      const w = await World.make({ version, inject: faults });
      await w.run(t, async (sys) => {
        await put(sys, "/n/far/f", "hello, world\n");
        await sys.sleep(1000);
        const timed: Case["timed"] = async (call) => {
          const began = w.net.now;
          const got = await call().catch((e: unknown) => failure(Promise.reject(e)));
          return [got, w.net.now - began];
        };
        await fn({ t, w, sys, inject: (text) => faults.add(parsefault(text)), timed });
        faults.clear();
        await sys.sleep(60_000);
      });
      await w.end();
    });
}

const text = (sys: Sys) => (): Promise<string> => readtext(sys, "/n/far/f");

far("a request that fails does not reach the server, and fails at once", async (c) => {
  const { t, w, sys, inject, timed } = c;
  const fd = await sys.open("/n/far/f", OREAD);
  const f = inject("Tread:when=2:error=i/o: gone");
  const buf = new Uint8Array(5);
  t.deepEqual(await timed(() => sys.read(fd, buf)), [5, RTT]);
  t.deepEqual(await timed(() => sys.read(fd, buf)), ["i/o: gone", 0]);
  t.deepEqual(await timed(() => sys.read(fd, buf)), [5, RTT]);
  t.is(utfdecode(buf, 0, 5), ", wor");
  t.like(f, { seen: 3, done: 1 });
  await sys.close(fd);
  await sys.sleep(1000);
  t.is(w.fids, 1);
});

far("a reply that fails has been to the server", async ({ t, sys, inject, timed }) => {
  inject("Rremove:error=no");
  const [got] = await timed(() => sys.remove("/n/far/f"));
  t.regex(String(got), /^('\/n\/far\/f' )?no$/);
  t.regex(await failure(sys.stat("/n/far/f")), /does not exist/);
});

far("a request of a group that fails fails those that need it, and no other", async (c) => {
  const { t, w, sys, inject } = c;
  const sent = requests(w.here);
  const f = inject("Twalk:error=no such luck");
  t.is(await failure(sys.open("/n/far/f", OREAD)), "'/n/far/f' no such luck");
  t.is(f.done, 1);
  await sys.sleep(1000);
  t.is(w.fids, 1);
  if (sent.includes("Topen(0)")) t.deepEqual(sent.slice(0, 2), ["Twalk(f)", "Topen(0)"]);
});

far("what ends a fid ends it, also when it fails", async ({ t, w, sys, inject }) => {
  inject("Tclunk,Tremove:error=not now");
  const fd = await sys.open("/n/far/f", OREAD);
  await sys.close(fd);
  await sys.sleep(1000);
  t.is(w.fids, 1);
  t.regex(await failure(sys.remove("/n/far/f")), /^('\/n\/far\/f' )?not now$/);
  await sys.sleep(1000);
  t.is(w.fids, 1);
  t.is(await readtext(sys, "/n/far/f"), "hello, world\n");
});

far("a request that is delayed delays no other tag's", async ({ t, sys, inject, timed }) => {
  const fd = await sys.open("/n/far/f", OREAD);
  inject("Tread:delay=20ms");
  const read = timed(() => sys.pread(fd, new Uint8Array(5), 0));
  const stat = timed(() => sys.fstat(fd));
  t.is((await stat)[1], RTT);
  t.deepEqual(await read, [5, RTT + 20 * MS]);
  await sys.close(fd);
});

far("a reply that is delayed comes so much later", async ({ t, sys, inject, timed }) => {
  inject("Rstat:delay=7ms");
  const [, took] = await timed(() => sys.stat("/n/far/f"));
  t.is(took % RTT, 7 * MS);
});

far(
  "in a group a delay delays what is behind, and the order stays",
  async ({ t, sys, inject, timed }) => {
    inject("Twalk:delay=20ms");
    t.is((await timed(() => sys.stat("/n/far/f")))[1], RTT + 20 * MS);
    inject("Rwalk:delay=3ms");
    t.is((await timed(() => sys.stat("/n/far/f")))[1], RTT + 23 * MS);
  },
  ["9P2000.ix", "9P2000.ix.stream"],
);

for (const what of ["Tread:drop", "Rread:drop", "Tread:delay=1h", "Rread:delay=1h"])
  far(`a call that waits for ever can be interrupted, ${what}`, async (c) => {
    const { t, w, sys, inject, timed } = c;
    const fd = await sys.open("/n/far/f", OREAD);
    const f = inject(what);
    await sys.notify(async (_n, s) => (s as Sys).noted(0));
    await sys.alarm(1000);
    const late = what === "Rread:delay=1h";
    const [got, took] = await timed(() => sys.read(fd, new Uint8Array(5)));
    // What the server has done comes before the answer to the flush, however late.
    t.deepEqual([got, took], late ? [5, 3600 * 1000 * MS + RTT] : ["interrupted", 1000 * MS + RTT]);
    t.is(f.done, 1);
    await sys.alarm(0);
    await sys.notify(null);
    await sys.close(fd);
    await sys.sleep(1000);
    t.is(w.fids, 1);
    t.deepEqual(w.here.audit().tags, []);
  });

far("a fid that a lost or failed reply made is ended", async ({ t, w, sys, inject, timed }) => {
  inject("Rwalk:when=1:error=no");
  t.regex(await failure(sys.stat("/n/far/f")), /no$/);
  await sys.sleep(1000);
  t.is(w.fids, 1);
  inject("Rwalk:when=1:drop");
  await sys.notify(async (_n, s) => (s as Sys).noted(0));
  await sys.alarm(1000);
  t.deepEqual((await timed(() => sys.stat("/n/far/f")))[1], 1000 * MS + RTT);
  await sys.notify(null);
  await sys.sleep(1000);
  t.is(w.fids, 1);
  t.is(await readtext(sys, "/n/far/f"), "hello, world\n");
});

far("a program that is killed while it waits for ever leaves nothing", async (c) => {
  const { t, w, sys, inject } = c;
  inject("Topen:drop");
  const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await s.open("/n/far/f", OREAD);
  });
  await sys.sleep(1000);
  await writefile(sys, `/proc/${pid}/ctl`, "kill");
  t.regex((await sys.wait())?.msg ?? "", /[Kk]illed/);
  await sys.sleep(1000);
  t.is(w.fids, 1);
  t.deepEqual(w.here.audit().tags, []);
});

for (const what of ["Tread:hangup", "Rread:hangup"])
  far(`the connection breaks where it is said, ${what}`, async (c) => {
    const { t, w, sys, inject, timed } = c;
    const fd = await sys.open("/n/far/f", OREAD);
    inject(what);
    const [got, took] = await timed(() => sys.read(fd, new Uint8Array(5)));
    t.deepEqual([got, took], ["i/o on hungup channel", what.startsWith("T") ? 0 : RTT]);
    t.regex(await failure(sys.stat("/n/far/f")), /hungup/);
    await sys.sleep(1000);
    t.is(w.fids, 0);
    await sys.close(fd);
  });

far("reads come short, and go on", async ({ t, w, sys, inject }) => {
  const sent = requests(w.here);
  inject("Tread:short=5");
  const fd = await sys.open("/n/far/f", OREAD);
  const buf = new Uint8Array(100);
  const got: number[] = [];
  for (let n = -1; n !== 0;) got.push((n = await sys.read(fd, buf)));
  t.deepEqual(got, [5, 5, 3, 0]);
  await sys.close(fd);
  t.deepEqual(sent.filter((m) => m.startsWith("Tread"))[0], "Tread(100@0)");
});

far("writes come short, and the file has what was said", async ({ t, sys, inject }) => {
  inject("Twrite:when=1:short=3");
  const fd = await sys.open("/n/far/f", OWRITE | OTRUNC);
  t.is(await sys.write(fd, new TextEncoder().encode("abcdef")), 3);
  t.is(await sys.write(fd, new TextEncoder().encode("DEF")), 3);
  await sys.close(fd);
  t.is(await readtext(sys, "/n/far/f"), "abcDEF");
});

/** Everything that a stream gives until it ends. */
async function slurp(sys: Sys): Promise<number> {
  const fd = await sys.open("/n/far/big", OREAD | OSTREAM);
  const buf = new Uint8Array(30_000);
  let n = 0;
  try {
    for (let got = -1; got !== 0; n += got) got = await sys.sread(fd, buf);
  } finally {
    await sys.close(fd);
  }
  return n;
}

const BIG = 300_000;
const big = (sys: Sys): Promise<void> => put(sys, "/n/far/big", "x".repeat(BIG));

for (const [what, want] of [
  ["Tstream:when=1:short=70000", 70_000],
  ["Rstream:when=2:short=100", 65_536 + 100],
  ["Tstream:when=1:error=no stream", "no stream"],
  ["Rstream:when=3:error=no more", "no more"],
  ["Rstream:when=3:hangup", "i/o on hungup channel"],
] as const)
  far(
    `a run that is spoilt, ${what}`,
    async ({ t, w, sys, inject, timed }) => {
      await big(sys);
      const f = inject(what);
      const [got] = await timed(() => slurp(sys));
      if (typeof want === "number") t.is(got, want);
      else t.true(String(got).endsWith(want), String(got));
      t.is(f.done, 1);
      await sys.sleep(5000);
      if (!what.endsWith("hangup")) {
        t.is(await slurp(sys), BIG);
        await sys.sleep(5000);
        t.is(w.fids, 1);
      }
      t.is(w.here.credit, 0);
    },
    ["9P2000.ix.stream"],
  );
far(
  "a Twrite that fails stops those behind it, as the protocol has it",
  async ({ t, sys, inject, timed }) => {
    const chunk = new TextEncoder().encode("a".repeat(65_000));
    inject("Twrite:when=3:error=no room");
    const fd = await sys.create("/n/far/w", OWRITE | OSTREAM, 0o666);
    const [got] = await timed(async () => {
      for (let i = 0; i < 8; i++) await swriteall(sys, fd, chunk);
      await sys.close(fd);
    });
    t.regex(String(got), /no room at offset 130000$/);
    await sys.close(fd).catch(() => undefined);
    t.is((await sys.stat("/n/far/w")).length, 130_000);
  },
  ["9P2000.ix.stream"],
);

far("what fits by number, by name and by place is done, and nothing else", async (c) => {
  const { t, sys, inject } = c;
  const tried: string[] = [];
  const nobody = inject("Tstat:conn=near:error=near");
  inject("Tstat:conn=far:when=2:error=a");
  inject("Tstat:conn=far!564:when=4+2:error=b");
  inject("Tstat:when=6..8:error=c");
  for (let i = 0; i < 8; i++)
    tried.push((await failure(sys.stat("/n/far/f"))).replace("'/n/far/f' ", ""));
  const no = "no error";
  t.deepEqual(tried, [no, "a", no, "b", no, "b", "c", "b"]);
  t.like(nobody, { seen: 0, done: 0 });
});

test(
  "boot takes faults as text or taken apart, and a server behind a pipe is as bad, by number",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/n");
        await mountram(sys, "/tmp");
        await put(sys, "/n/f", "x");
        await put(sys, "/tmp/f", "x");
        t.regex(await failure(sys.stat("/tmp/f")), /second$/);
        t.is((await sys.stat("/n/f")).length, 1);
        t.regex(await failure(readtext(sys, "/n/f")), /^typed$/);
        t.regex(await failure(readtext(sys, "/tmp/f")), /hungup/);
      });
    },
    {
      inject: [
        "Tstat:conn=2:error=second",
        { messages: ["Tread"], conn: 1, effect: { what: "error", ename: "typed" } },
        { messages: ["Rread"], conn: 2, effect: { what: "hangup" } },
      ],
    },
  ),
);

/** Any fault of any message, of those that leave a program going when it has an alarm set. */
const anyfault = (): fc.Arbitrary<string> =>
  fc
    .record({
      message: fc.constantFrom(...MESSAGES.keys(), "*", "T*", "R*"),
      when: fc.constantFrom("", ":when=1", ":when=2", ":when=2+", ":when=1+3", ":when=2..4"),
      effect: fc.constantFrom("error=out of luck", "delay=3ms", "delay=700ms", "drop", "short=7"),
    })
    .filter(
      ({ message: m, effect: e }) => m.endsWith("*") || SHORTABLE.includes(m) || e !== "short=7",
    )
    .filter(({ message }) => !/version|attach|auth/.test(message))
    // A flush that is lost can only be waited for.
    .filter(({ message: m, effect: e }) => e !== "drop" || !/\*|flush/.test(m))
    .map(({ message, when, effect }) => `${message}${when}:${effect}`);

const OPERATIONS: Readonly<Record<string, (sys: Sys) => Promise<unknown>>> = {
  read: (sys) => readtext(sys, "/n/far/f"),
  write: (sys) => writefile(sys, "/n/far/new", "x".repeat(100_000)),
  stat: (sys) => sys.stat("/n/far/d/e/f"),
  remove: (sys) => sys.remove("/n/far/new"),
  stream: async (sys) => {
    const fd = await sys.open("/n/far/f", OREAD | OSTREAM);
    try {
      await sys.sread(fd, new Uint8Array(10));
    } finally {
      await sys.close(fd);
    }
  },
  spout: async (sys) => {
    const fd = await sys.create("/n/far/new", OWRITE | OSTREAM, 0o666);
    try {
      for (let i = 0; i < 3; i++) await swriteall(sys, fd, new Uint8Array(50_000));
    } finally {
      await sys.close(fd);
    }
  },
};

test("whatever is injected, nothing is left, and the connection is as good as before", async (t) => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom("9P2000", "9P2000.ix", "9P2000.ix.stream"),
        fc.constantFrom("names", "standard"),
        fc.array(anyfault(), { minLength: 1, maxLength: 3 }),
        fc.array(fc.constantFrom(...Object.keys(OPERATIONS)), { minLength: 1, maxLength: 5 }),
        async (version, namespace, list, names) => {
          const faults = new Faults();
          const w = await World.make({ version, namespace, inject: faults });
          await w.run(null, async (sys) => {
            await put(sys, "/n/far/f", "x".repeat(200_000));
            await sys.notify(async (_n, s) => {
              await (s as Sys).alarm(5000);
              await (s as Sys).noted(0);
            });
            await sys.sleep(1000);
            for (const text of list) faults.add(parsefault(text));
            for (const name of names) {
              await sys.alarm(5000);
              await OPERATIONS[name]?.(sys).catch((e: unknown) => failure(Promise.reject(e)));
            }
            await sys.alarm(0);
            faults.clear();
            await sys.sleep(60_000);
            assert.equal((await readtext(sys, "/n/far/f")).length, 200_000);
            await sys.sleep(60_000);
            const { fids, tags } = w.here.audit();
            // What is lost and nobody waits for stays outstanding.
            if (!list.some((text) => text.endsWith("drop")))
              assert.deepEqual([w.fids, fids.length, tags], [1, 1, []]);
            assert.equal(w.here.credit, 0);
          });
          assert.deepEqual([w.here.audit(), w.fids], [NOTHING, 0]);
          await w.end();
        },
      ),
      { numRuns: Number(process.env["FAULT_RUNS"] ?? 60) },
    ),
  );
});

test("the text of a file is not read wrongly because nothing is injected", async (t) => {
  const plain = await World.make();
  const idle = await World.make({ inject: new Faults() });
  const took: number[] = [];
  for (const w of [plain, idle]) {
    await w.run(t, async (sys) => {
      await put(sys, "/n/far/f", "x".repeat(200_000));
      const began = w.net.now;
      t.is((await text(sys)()).length, 200_000);
      took.push(w.net.now - began);
    });
    await w.end();
  }
  t.is(took[0], took[1]);
});

for (const cmd of ["cp", "mv"])
  test(`${cmd} of a file whose server says too early that it ended fails, and keeps the file`, async (t) => {
    const faults = new Faults();
    const k = await boot({ clock: "virtual", files: { bin }, inject: faults });
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/n");
      await put(sys, "/n/long", "x".repeat(300_000));
      const copied = async (): Promise<string> => {
        await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
          await s.exec(`/bin/${cmd}`, [cmd, "/n/long", "/tmp/copy"]);
        });
        return (await sys.wait()).msg;
      };
      for (const fault of ["Rstream:when=2:short=100", "Tstream:short=70000", "Rstream:short=0"]) {
        const f = faults.add(parsefault(fault));
        t.regex(await copied(), cmd === "cp" ? /errors/ : /failure/);
        t.true(f.done > 0, fault);
        t.is((await sys.stat("/n/long")).length, 300_000);
        faults.clear();
      }
      t.is(await copied(), "");
      t.is((await sys.stat("/tmp/copy")).length, 300_000);
    });
    await k.shutdown();
    t.deepEqual(k.audit(), NOTHING);
  });
