// A server that does not answer, and those who come to their end meanwhile.

import test from "ava";
import { NCONT, ORCLOSE, OREAD, OSTREAM, OWRITE, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { simnet } from "../../userland/boot/net.ts";
import { accept, announce, dial, listen } from "../../userland/lib/dial.ts";
import { NOTHING, failure, run, within } from "../kit/kit.ts";
import { Fake } from "../kit/fake.ts";
import { pack } from "../kit/frames.ts";

/** What the child leaves open: one whose close waits for the server, in each name space. */
const CASES = [
  { namespace: "names", silent: F.Tclunk, mode: OREAD | ORCLOSE, version: "9P2000.ix" },
  { namespace: "names", silent: F.Twrite, mode: OWRITE | OSTREAM, version: "9P2000.ix" },
  { namespace: "standard", silent: F.Tclunk, mode: OREAD, version: "9P2000" },
] as const;

/** A child with three files of a server that falls silent; gives its pid when it has opened them. */
async function child(sys: Sys, c: (typeof CASES)[number], end: (s: Sys) => Promise<unknown>) {
  const fake = await Fake.mount(sys, "/n", { version: c.version });
  const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    for (let i = 0; i < 3; i++) {
      const fd = await s.open("/n/f", c.mode);
      if ((c.mode & 3) === OWRITE) await s.swrite(fd, new Uint8Array(10));
    }
    await end(s);
  });
  const held: F.Tmsg[] = [];
  fake.lie = (t) => {
    if (t.type !== c.silent) return null;
    held.push(t);
    return [];
  };
  await sys.sleep(10);
  /** The server says what it did not say. */
  const speak = async (): Promise<void> => {
    fake.lie = () => null;
    for (const t of held) await fake.say(fake.truth(t));
  };
  return { fake, pid, speak };
}

for (const c of CASES)
  test(
    `who is killed is buried at once, whatever its files' server does not say: ${c.namespace}, ${c.silent}`,
    within(
      async (t, k) => {
        await run(k, async (sys: Sys) => {
          const { fake, pid, speak } = await child(sys, c, (s) => s.sleep(1e6));
          const began = k.clock.now();
          k.procs.get(pid)?.kill("struck");
          t.is((await sys.wait()).msg, `main ${pid}: struck`);
          t.is(k.clock.now(), began);
          t.true(
            k.audit().chans.some((line) => line.includes("/n/f")),
            "the server may still answer",
          );
          await sys.sleep(1);
          await speak();
          await sys.sleep(1);
          t.false(k.audit().chans.some((line) => line.includes("/n/f")));
          const clunked = fake.heard.flatMap((m) => (m.type === F.Tclunk ? [m.fid] : []));
          t.is(new Set(clunked).size, clunked.length);
          t.true(clunked.length >= 3);
          await sys.unmount(null, "/n");
          await fake.over;
        });
      },
      { namespace: c.namespace },
    ),
  );

test(
  "who ends by itself waits for its closes, until it is killed",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await sys.notify(async (_note, s) => (s as Sys).noted(NCONT));
      const { fake, pid, speak } = await child(sys, CASES[0], (s) => s.exits("its own"));
      await sys.alarm(100);
      t.is(await failure(sys.wait()), "interrupted");
      k.procs.get(pid)?.kill("struck");
      t.is((await sys.wait()).msg, `main ${pid}: its own`);
      await speak();
      await sys.unmount(null, "/n");
      await fake.over;
    });
  }),
);

for (const c of CASES)
  test(`a kernel ends although a server elsewhere is silent: ${c.namespace}, ${c.silent}`, async (t) => {
    const net = simnet();
    const far = await net.boot("far");
    const here = await net.boot("here", { namespace: c.namespace });
    net.link("here", "far", { rtt: "1ms" });
    far.spawn(async (sys: Sys) => {
      const at = await announce(sys, "tcp!*!564");
      const fake = new Fake(sys, await accept(sys, await listen(sys, at.dir)));
      fake.version = c.version;
      fake.lie = (m) => (m.type === c.silent ? [] : null);
      await fake.over;
    });
    const p = here.spawn(async (sys: Sys) => {
      await sys.mount(await dial(sys, "tcp!far!564"), -1, "/n", 0, "");
      for (let i = 0; i < 3; i++) {
        const fd = await sys.open("/n/f", c.mode);
        if ((c.mode & 3) === OWRITE) await sys.swrite(fd, new Uint8Array(10));
      }
      await sys.sleep(1e6);
    });
    await run(far, (sys: Sys) => sys.sleep(1000));
    p.note("enough");
    t.is(await p.wait(), "enough");
    await here.shutdown();
    t.deepEqual(here.audit(), NOTHING);
    await net.shutdown();
  });

test(
  "nothing is sent on a tag that is being flushed, though answers make room",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await sys.notify(async (_note, s) => (s as Sys).noted(NCONT));
      // More pieces than may be outstanding; the first answers come behind the Tflush.
      const fake = await Fake.mount(sys, "/n", { msize: 256 });
      const fd = await sys.create("/n/f", OWRITE, 0o666);
      const held: F.Tmsg[] = [];
      let flush: F.Tmsg | null = null;
      fake.lie = (m) => {
        if (m.type === F.Tflush) flush = m;
        else if (m.type === F.Twrite) held.push(m);
        else return null;
        return [];
      };
      await sys.alarm(10);
      const write = failure(sys.write(fd, new Uint8Array(1_000_000)));
      await sys.sleep(20).catch(() => undefined);
      await sys.sleep(20);
      const sent = held.length;
      for (const m of held.slice(0, 10)) await fake.say(fake.truth(m));
      await sys.sleep(20);
      t.is(held.length, sent);
      if (flush === null) return t.fail("no Tflush");
      await fake.say(fake.truth(flush));
      t.is(await write, "interrupted");
      await sys.close(fd);
      await sys.unmount(null, "/n");
      await fake.over;
    });
  }),
);

/** How the answers to two Tversions come: the first when its asker is gone. */
const LATE: {
  readonly [how: string]: (one: Uint8Array, two: Uint8Array) => readonly Uint8Array[];
} = {
  "one by one": (one, two) => [one, two],
  "at once": (one, two) => [Uint8Array.of(...one, ...two)],
  "cut anywhere": (one, two) => [
    one.slice(0, 3),
    Uint8Array.of(...one.slice(3), ...two.slice(0, 9)),
    two.slice(9),
  ],
};

for (const [how, answers] of Object.entries(LATE))
  test(
    `the answer to a mount that was interrupted is not taken for that of the next: ${how}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await sys.notify(async (_note, s) => (s as Sys).noted(NCONT));
        const [fake, fd] = await Fake.pipe(sys);
        let first: F.Tmsg | null = null;
        fake.lie = (m) => {
          if (m.type !== F.Tversion) return null;
          if (first === null) {
            first = m;
            return [];
          }
          const one = pack(fake.truth(first));
          fake.version = "9P2000";
          return answers(one, pack(fake.truth(m)));
        };
        await sys.alarm(10);
        t.is(await failure(sys.mount(fd, -1, "/n", 0, "")), "interrupted");
        // It offers less: the first answer would be no answer to this.
        t.is(await sys.fversion(fd, 4096, "9P2000"), "9P2000");
        await sys.mount(fd, -1, "/n", 0, "");
        await sys.stat("/n/f");
        await sys.unmount(null, "/n");
        await fake.over;
      });
    }),
  );

test(
  "what came of an answer when its asker was interrupted is not lost",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await sys.notify(async (_note, s) => (s as Sys).noted(NCONT));
      const [fake, fd] = await Fake.pipe(sys);
      let rest: Uint8Array | null = null;
      fake.lie = (m) => {
        if (m.type !== F.Tversion) return null;
        const frame = pack(fake.truth(m));
        if (rest !== null) return [rest, frame];
        rest = frame.slice(5);
        return [frame.slice(0, 5)];
      };
      await sys.alarm(10);
      t.is(await failure(sys.fversion(fd, 0, "")), "interrupted");
      await sys.mount(fd, -1, "/n", 0, "");
      await sys.unmount(null, "/n");
      await fake.over;
    });
  }),
);
