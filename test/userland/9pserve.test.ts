// A 9P server that takes calls: a fault ends at its connection, and calls beyond the limits are refused while
// the others are served.

import test from "ava";
import type { ExecutionContext } from "ava";
import { newIp } from "../../devices/ip/ip.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { MREPL, ORDWR, OWRITE } from "../../kernel/abi/const.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Exit, Sys, Task } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { serve9p, simnet } from "../../userland/boot/net.ts";
import { type Anysrv, type Limits, listensrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { Log } from "../../userland/lib/9p/log.ts";
import { newram } from "../../userland/lib/ram.ts";
import { Memstack } from "../kit/memstack.ts";
import { NOTHING, run } from "../kit/kit.ts";
import { attach, clunk, create, read, said, stat, version, walk } from "../kit/msg.ts";
import { Rawclient } from "../kit/rawclient.ts";
import { Rig } from "../kit/rig.ts";
import { pack } from "../kit/frames.ts";

const ADDR = "tcp!far!564";
const HELLO = [version(), attach()];

/** Machines far, where a ramfs is served with these limits, and here, where fn is a program. */
function served(
  fn: (t: ExecutionContext, sys: Sys, p: Process) => Promise<void>,
  how: {
    readonly limits?: Partial<Limits>;
    readonly maxfd?: number;
    readonly spoil?: (srv: Anysrv, sys: ThreadSys) => Partial<Anysrv>;
  } = {},
) {
  return async (t: ExecutionContext): Promise<void> => {
    const net = simnet();
    const here = await net.boot("here");
    const far = await net.boot("far", how.maxfd === undefined ? {} : { maxfd: how.maxfd });
    net.link("here", "far", { rtt: "1ms" });
    const make = (sys: ThreadSys): Anysrv => {
      const srv = newram(sys, { user: "glenda", perm: 0o777 }) as Anysrv;
      return { ...srv, ...how.spoil?.(srv, sys) };
    };
    const p = await serve9p(far, "tcp!*!564", make, how.limits);
    await run(here, (sys: Sys) => fn(t, sys, p));
    await net.shutdown();
    for (const [name, audit] of Object.entries(net.audit())) t.deepEqual(audit, NOTHING, name);
  };
}

/** A client that has said hello; `replies` is what it got for it. */
async function hello(sys: Sys): Promise<{ c: Rawclient; replies: number }> {
  const c = await Rawclient.dial(sys, ADDR);
  return { c, replies: (await c.rpc(...HELLO).catch(() => [])).length };
}

const bad = (fid: { readonly fid: number }): boolean => fid.fid === 7;

for (const [what, spoil] of [
  [
    "a callback",
    (srv: Anysrv): Partial<Anysrv> => ({
      stat: (fid) => (bad(fid) ? (undefined as never as Anysrv).stat(fid) : srv.stat(fid)),
    }),
  ],
  [
    "a callback that takes time",
    (srv: Anysrv): Partial<Anysrv> => ({
      *stat(fid): Task<never> {
        if (bad(fid)) throw new TypeError("a fault");
        return srv.stat(fid) as never;
      },
    }),
  ],
  [
    "the end of a fid",
    (): Partial<Anysrv> => ({
      clunk(fid): void {
        if (bad(fid)) throw new TypeError("a fault");
      },
    }),
  ],
] as const)
  test(
    `a fault in ${what} ends its connection, and no other`,
    served(
      async (t, sys, p) => {
        const good = await hello(sys);
        const { c } = await hello(sys);
        await c.rpc(walk(0, 7));
        await c.send(stat(7), clunk(7));
        while ((await c.next()) !== null);
        await c.close();
        t.is((await good.c.rpc(stat(0)))[0]?.type, F.Rstat);
        t.is((await hello(sys)).replies, 2, "new calls are taken");
        t.regex(p.output, /^a connection ended by a fault: /);
      },
      { spoil },
    ),
  );

test("a fault is told with the callback's lines of its stack, or with those of the library that threw it", (t) => {
  const heard: string[] = [];
  const log = new Log(new Rig().sys, (fault) => heard.push(fault));
  const at = (name: string, n: number): string[] => Array(n).fill(`    at ${name}.js:1:2`);
  const library = "fn (/lib/namec/dist/userland/lib/9p/rw";
  const told = (...lines: string[]): string[] => {
    const e = new TypeError("a fault");
    e.stack = ["TypeError: a fault", ...lines].join("\n");
    log.fault(e);
    return heard.at(-1)?.split("\n") ?? [];
  };
  const head = "TypeError: a fault";
  t.deepEqual(told(...at("mine", 2), ...at(library, 3)), [head, ...at("mine", 2)]);
  t.deepEqual(told(...at("mine", 10), ...at(library, 3)), [head, ...at("mine", 8)]);
  t.deepEqual(told(...at("mine", 10)), [head, ...at("mine", 8)]);
  t.deepEqual(told(...at(library, 1), ...at("kernel", 9)), [
    head,
    ...at(library, 1),
    ...at("kernel", 7),
  ]);
  log.fault("nothing");
  t.is(heard.at(-1), "threw nothing");
});

test(
  "the call beyond the limit is refused, and when another ends the next is served",
  served(
    async (t, sys, p) => {
      const all = [await hello(sys), await hello(sys), await hello(sys)];
      t.deepEqual(
        all.map((h) => h.replies),
        [2, 2, 0],
      );
      for (let i = 0; i < 5; i++) t.is((await hello(sys)).replies, 0);
      await all[0]?.c.close();
      await sys.sleep(10);
      t.is((await hello(sys)).replies, 2);
      t.deepEqual((await all[1]?.c.rpc(stat(0)))?.map(said), [`1 ${F.Rstat}`]);
      await sys.sleep(3000);
      const line = "a call was refused: 2 connections are served, the limit";
      t.is(p.output, `${line}\n${line} (and 5 more such)\n`);
    },
    { limits: { connections: 2 } },
  ),
);

test(
  "one peer has a limit of its own",
  served(
    async (t, sys, p) => {
      t.is((await hello(sys)).replies, 2);
      t.is((await hello(sys)).replies, 0);
      t.regex(p.output, /here has 1 connections, the limit/);
    },
    { limits: { perpeer: 1 } },
  ),
);

test(
  "when descriptors have run out calls are refused, and those before go on",
  served(
    async (t, sys, p) => {
      const all: { c: Rawclient; replies: number }[] = [];
      for (let i = 0; i < 20; i++) all.push(await hello(sys));
      const ok = all.filter((h) => h.replies === 2);
      t.true(ok.length > 3 && ok.length < 12, `${ok.length}`);
      t.deepEqual((await ok[0]?.c.rpc(stat(0)))?.map(said), [`1 ${F.Rstat}`]);
      t.regex(p.output, /a call was refused: .*no free file descriptors/);
      await ok[0]?.c.close();
      await sys.sleep(20);
      t.is((await hello(sys)).replies, 2);
    },
    { maxfd: 12 },
  ),
);

test("when conversations have run out calls are refused, and those before go on", async (t) => {
  const net = new Memstack();
  const k: Booted = await boot({
    clock: "virtual",
    devices: [(kernel) => newIp(kernel, net, 8)],
    binds: [["#I", "/net", MREPL]],
  });
  const server = k.spawn(function* (sys: ThreadSys): Task<Exit> {
    const srv = newram(sys, { user: "glenda", perm: 0o777 }) as Anysrv;
    return yield* listensrv(sys, "tcp!*!564", srv);
  });
  await run(k, async (sys: Sys) => {
    await sys.sleep(1);
    const replies: number[] = [];
    // Both ends of a call are conversations of this kernel.
    for (let i = 0; i < 4; i++) {
      const c = await Rawclient.dial(sys, "tcp!localhost!564");
      replies.push((await c.rpc(...HELLO).catch(() => [])).length);
      if (replies.at(-1) === 0) await c.close();
    }
    t.deepEqual(replies, [2, 2, 2, 0]);
    t.regex(server.output, /^a call was refused: .*no free devices\n/);
  });
  await k.shutdown();
  t.deepEqual(k.audit(), NOTHING);
});

test(
  "a client that asks nothing for the idle time is hung up on, one that asks is not",
  served(
    async (t, sys) => {
      const [busy, idle] = [await hello(sys), await hello(sys)];
      for (let i = 0; i < 20; i++) {
        await sys.sleep(100);
        t.is((await busy.c.rpc(stat(0))).length, 1);
      }
      t.is(await idle.c.next(), null);
      await busy.c.close();
      await sys.sleep(3000);
      const again = await hello(sys);
      t.is(await again.c.next(), null, "also one that comes when all were gone");
    },
    { limits: { idle: 1000 } },
  ),
);

test(
  "a client whose request takes longer than the idle time is not idle",
  served(
    async (t, sys) => {
      const { c } = await hello(sys);
      t.is((await c.rpc(stat(0))).length, 1);
    },
    {
      limits: { idle: 1000 },
      spoil: (srv, sys) => ({
        *stat(fid): Task<Dir> {
          yield* sys.sleep(5000);
          return srv.stat(fid) as Dir;
        },
      }),
    },
  ),
);

test(
  "a client that takes longer than the idle time to read its replies is not idle",
  served(
    async (t, sys) => {
      const { c } = await hello(sys);
      await c.rpc(...OPENED, twrite(65_000));
      await c.send(...Array.from({ length: 20 }, (_v, i) => read(1, i, 0, 65_000)));
      await sys.sleep(5000);
      for (let i = 0; i < 20; i++) t.is((await c.next())?.type, F.Rread);
    },
    { limits: { idle: 1000 } },
  ),
);

/** A Twrite of n bytes to the open fid 1. */
const twrite = (n: number): Tmsg => ({
  type: F.Twrite,
  tag: 1,
  fid: 1,
  offset: 0,
  data: new Uint8Array(n),
});

const OPENED = [walk(0, 1), create(1, "f", ORDWR)];

test(
  "clients that send half of a frame do not take the room of others for long",
  served(
    async (t, sys, server) => {
      const half = pack(twrite(65_000)).subarray(0, 60_000);
      const silent = await Promise.all(
        Array.from({ length: 40 }, async () => {
          const { c } = await hello(sys);
          await sys.write(c.fd, half);
          return c;
        }),
      );
      await sys.sleep(1000);
      const good = (await hello(sys)).c;
      await good.rpc(...OPENED);
      const writes = await good.rpc(twrite(20_000), twrite(65_000), twrite(65_000));
      t.deepEqual(writes.map(said), ["1 write:20000", "1 write:65000", "1 write:65000"]);
      t.regex(server.output, /^a client was hung up on: its frame waited for room\n/);
      await Promise.all(silent.map((c) => c.close()));
      t.deepEqual(
        (await good.rpc(stat(1))).map((r) => r.type),
        [F.Rstat],
      );
    },
    { limits: { bytes: 1 << 20 } },
  ),
);

test(
  "whole frames that take all the room are worked on",
  served(
    async (t, sys) => {
      const all = await Promise.all(Array.from({ length: 40 }, () => hello(sys)));
      const replies = await Promise.all(
        all.map(async ({ c }, i) => {
          await c.rpc(walk(0, 1), create(1, `f${i}`, OWRITE));
          return (await c.rpc(twrite(65_000))).map(said);
        }),
      );
      t.deepEqual(replies, Array(40).fill(["1 write:65000"]));
    },
    { limits: { bytes: 1 << 20 } },
  ),
);
