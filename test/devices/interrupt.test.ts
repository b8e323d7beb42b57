// Interrupts and kills at random moments inside RPCs and groups, on a slow wire to a slow server: the
// client's account of fids and tags, and the server's, must both come out even.

import test from "ava";
import fc from "fast-check";
import {
  DMDIR,
  MREPL,
  NCONT,
  OEXCL,
  ORCLOSE,
  ORDWR,
  OREAD,
  OSTREAM,
  OTRUNC,
  OWRITE,
  RFFDG,
  RFNAMEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { boot, chance } from "../../userland/boot/boot.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { newram } from "../../userland/lib/ram.ts";
import { NOTHING, run } from "../kit/kit.ts";
import { type Mangle, mountwire } from "../kit/wire.ts";

const DIR = (DMDIR | 0o777) >>> 0;

/** What a worker does, on names in /far. */
const OPS: { readonly [name: string]: (sys: Sys, n: number) => Promise<unknown> } = {
  stat: (sys, n) => sys.stat(`/far/d/f${n}`),
  missing: (sys) => sys.stat("/far/d/no/more"),
  open: async (sys, n) => sys.close(await sys.open(`/far/d/f${n}`, OREAD)),
  leave: (sys, n) => sys.open(`/far/f${n}`, OREAD),
  trunc: async (sys, n) => sys.close(await sys.open(`/far/d/f${n}`, OWRITE | OTRUNC)),
  create: async (sys, n) => sys.close(await sys.create(`/far/d/f${n}`, OWRITE, 0o666)),
  exclusive: async (sys, n) => sys.close(await sys.create(`/far/d/f${n}`, OWRITE | OEXCL, 0o666)),
  mkdir: async (sys, n) => sys.close(await sys.create(`/far/e/d${n}`, OREAD, DIR)),
  rclose: async (sys, n) => sys.close(await sys.create(`/far/e/r${n}`, ORDWR | ORCLOSE, 0o666)),
  remove: (sys, n) => sys.remove(`/far/d/f${n}`),
  rename: (sys, n) => sys.wstat(`/far/d/f${n}`, { name: `f${n + 1}` }),
  chdir: (sys) => sys.chdir("/far/d"),
  dot: (sys, n) => sys.stat(`f${n}`),
  bind: async (sys) => {
    await sys.bind("/far/d", "/far/e", MREPL);
    await sys.unmount(null, "/far/e");
  },
  deep: (sys) => sys.stat(`/far${"/deep".repeat(20)}/x`),
  union: async (sys, n) => {
    await sys.bind("/far/d", "/m", 2);
    await sys.stat(`/m/f${n}`);
    await sys.close(await sys.open(`/m/f${n}`, OREAD));
  },
  ls: async (sys) => {
    const fd = await sys.open("/far/d", OREAD);
    while ((await sys.read(fd, new Uint8Array(300))) > 0);
  },
  io: async (sys, n) => {
    const fd = await sys.open(`/far/big${n}`, ORDWR);
    await sys.write(fd, new Uint8Array(3000));
    await sys.pread(fd, new Uint8Array(5000), 0);
    await sys.close(fd);
  },
  big: async (sys, n) => {
    const fd = await sys.open(`/far/big${n}`, ORDWR);
    await sys.write(fd, new Uint8Array(300_000));
    await sys.pread(fd, new Uint8Array(300_000), 0);
  },
  sread: async (sys, n) => {
    const fd = await sys.open(`/far/big${n}`, OREAD | OSTREAM);
    while ((await sys.sread(fd, new Uint8Array(10_000))) > 0);
    await sys.close(fd);
  },
  stopped: async (sys, n) => {
    const fd = await sys.open(`/far/big${n}`, OREAD);
    await sys.stream(fd, 100);
    await sys.sread(fd, new Uint8Array(10));
  },
  swrite: async (sys, n) => {
    const fd = await sys.create(`/far/d/s${n}`, OWRITE | OSTREAM, 0o666);
    for (let i = 0; i < 5; i++) await sys.swrite(fd, new Uint8Array(20_000));
    await sys.close(fd);
  },
};

const op = fc.tuple(fc.constantFrom(...Object.keys(OPS)), fc.nat({ max: 2 }));
const scene = fc.record({
  version: fc.constantFrom("9P2000", "9P2000.ix", "9P2000.ix.stream"),
  /** Small messages: more pieces of a big read than may be outstanding. */
  msize: fc.constantFrom(
    256,
    ...Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 8216 : 65560)),
  ),
  namespace: fc.constantFrom("names", "names", "standard"),
  seed: fc.nat(),
  workers: fc.array(fc.array(op, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
  /** Who is disturbed, when (in ms), and how. */
  blows: fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 80 }), fc.boolean()), {
    maxLength: 8,
  }),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** A ramfs whose every callback takes a while, and may be interrupted before it did anything. */
function slowram(s: ThreadSys, { version, msize }: Scene, random: (n: number) => number): Anysrv {
  const ram = newram(s, { user: "glenda", perm: 0o777 });
  const slow = <K extends "open" | "create" | "read" | "write" | "stat" | "wstat" | "remove">(
    name: K,
  ): unknown => {
    const fn = (args: unknown[]): unknown => Reflect.apply(ram[name] as () => unknown, ram, args);
    return (...args: unknown[]): unknown => {
      if (random(3) > 0) return fn(args);
      // What is done late must have a copy of data.
      const copy = args.map((a) => (a instanceof Uint8Array ? a.slice() : a));
      return late(s, random(4), () => fn(copy));
    };
  };
  return {
    ...ram,
    version,
    msize,
    open: slow("open"),
    create: slow("create"),
    read: slow("read"),
    write: slow("write"),
    stat: slow("stat"),
    wstat: slow("wstat"),
    remove: slow("remove"),
  } as Anysrv;
}

function* late<R>(s: ThreadSys, ms: number, fn: () => R): Task<R> {
  yield* s.sleep(ms);
  return fn();
}

/** Files to work on. */
async function furnish(sys: Sys): Promise<void> {
  for (const dir of ["d", "e"]) await sys.close(await sys.create(`/far/${dir}`, OREAD, DIR));
  for (const name of ["d/f0", "d/f1", "f0", "f1", "f2", "big0", "big1", "big2"]) {
    const fd = await sys.create(`/far/${name}`, OWRITE, 0o666);
    await sys.write(fd, new Uint8Array(name.startsWith("big") ? 200_000 : 10));
    await sys.close(fd);
  }
  let name = "/far";
  for (let i = 0; i < 20; i++) await sys.close(await sys.create((name += "/deep"), OREAD, DIR));
}

/** Starts a worker; gives its pid. */
function work(sys: Sys, ops: readonly (readonly [string, number])[]): Promise<number> {
  return sys.rfork(RFPROC | RFFDG | RFNAMEG, async (s: Sys) => {
    await s.notify((_note, h) => (h as Sys).noted(NCONT));
    for (const [name, n] of ops) {
      try {
        await OPS[name]?.(s, n);
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
      }
    }
  });
}

/** One scene, from a kernel's boot to its end; gives the replies that passed on the wire. */
async function play(scene_: Scene): Promise<number> {
  const { seed, namespace, workers, blows } = scene_;
  const k = await boot({ clock: "virtual", seed, namespace, files: { far: {}, m: {} } });
  const random = chance(seed);
  const delay = (s: ThreadSys): Mangle =>
    function* (frame) {
      if (random(2) === 0) yield* s.sleep(random(6));
      return [frame];
    };
  let replies = 0;
  await run(k, async (sys: Sys) => {
    const make = (s: ThreadSys): Anysrv => slowram(s, scene_, random);
    const wire = await mountwire(sys, "/far", { make, request: delay, reply: delay });
    await furnish(sys);
    const pids: number[] = [];
    for (const ops of workers) pids.push(await work(sys, ops));
    let now = 0;
    for (const [who, at, kill] of blows.toSorted((a, b) => a[1] - b[1])) {
      await sys.sleep(at - now);
      now = at;
      const proc = k.procs.get(pids[who % pids.length] ?? -1);
      if (kill) proc?.kill("struck");
      else if ((proc?.notes.length ?? 9) < 5) proc?.image?.notes.post("hey");
    }
    for (const _ of pids) {
      const { msg } = await sys.wait();
      if (msg !== "" && !msg.endsWith("struck")) throw new Error(msg);
    }
    await sys.sleep(1e6);
    const { fids, tags } = k.audit();
    const left = { client: fids.length, tags, server: wire.fids.size, faults: wire.faults };
    same(left, { client: 1, tags: [], server: 1, faults: [] });
    replies = wire.nreply;
    await sys.unmount(null, "/far");
  });
  await k.shutdown();
  same(k.audit(), NOTHING);
  return replies;
}

function same(a: unknown, b: unknown): void {
  const [x, y] = [JSON.stringify(a), JSON.stringify(b)];
  if (x !== y) throw new Error(`${x} is not ${y}`);
}

test("wherever calls are interrupted and killed, every fid and tag is given back, here and at the server", async (t) => {
  let replies = 0;
  await fc.assert(
    fc.asyncProperty(scene, async (s) => {
      replies += await play(s);
    }),
    { numRuns: 100 },
  );
  t.log(`${replies} replies`);
  t.pass();
});
