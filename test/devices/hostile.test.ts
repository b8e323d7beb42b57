// A hostile server against the mount driver: a ramfs whose replies are changed on their way, or held, or
// dropped. Calls end in an error or are ended; other mounts are unharmed; nothing escapes or is left.

import { joined } from "../../kernel/abi/bits.ts";
import test from "ava";
import fc from "fast-check";
import {
  DMDIR,
  MREPL,
  NCONT,
  OEXCL,
  ORDWR,
  OREAD,
  OSTREAM,
  OWRITE,
  RFFDG,
  RFNAMEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { newram } from "../../userland/lib/ram.ts";
import { NOTHING, cat, mountram, put, run } from "../kit/kit.ts";
import { type Mangle, mountwire } from "../kit/wire.ts";
import { pack } from "../kit/frames.ts";

const DIR = (DMDIR | 0o777) >>> 0;

/** What becomes of a reply, and a number to choose bytes, counts and tags by. */
const move = fc.record({
  how: fc.constantFrom(
    ...(["honest", "honest", "honest", "honest", "honest", "flip", "type", "tag"] as const),
    ...(["count", "size", "twice", "never", "cut", "merged", "swapped", "error"] as const),
    ...(["garbage", "stray", "qids", "hangup"] as const),
  ),
  n: fc.nat({ max: 0xffffff }),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

/** A frame with the changes that `edit` makes. */
function changed(frame: Uint8Array, edit: (copy: Uint8Array, view: DataView) => void): Uint8Array {
  const copy = frame.slice();
  edit(copy, new DataView(copy.buffer));
  return copy;
}

/** The names that an Rerror may carry, some of them nonsense. */
const ENAMES = ["", "file does not exist", "interrupted", "\n\0\x7f", "é".repeat(90)];

/** The reply with its list of qids, or its count, not as it was. */
function recounted(frame: Uint8Array, f: F.Fcall | null, n: number): Uint8Array {
  if (f?.type === F.Rwalk) {
    const qid = { path: BigInt(n), vers: n, type: n & 0xff };
    const wqid = n % 2 === 0 ? [...f.wqid, qid] : f.wqid.slice(0, -1);
    return pack({ ...f, wqid: wqid.slice(0, 16) });
  }
  if (f?.type === F.Rread || f?.type === F.Rstream)
    return pack({ ...f, data: new Uint8Array((f.data.length + (n % 300)) % 60_000) });
  if (f?.type === F.Rwrite) return pack({ ...f, count: n });
  if (f?.type === F.Rstat) return pack({ ...f, stat: f.stat.subarray(0, n % 60) });
  if (f?.type === F.Ropen || f?.type === F.Rcreate) return pack({ ...f, iounit: n % 9 });
  return frame;
}

/** Cuts a frame in two or three. */
function pieces(frame: Uint8Array, n: number): Uint8Array[] {
  const [a, b] = [n % frame.length, (n >> 8) % frame.length].toSorted((x, y) => x - y);
  return [frame.slice(0, a), frame.slice(a, b), frame.slice(b)].filter((p) => p.length > 0);
}

/** The moves in turn, after so many honest replies; `told` counts them. */
function liar(s: ThreadSys, moves: readonly Move[], honest: number, told: { n: number }): Mangle {
  let held: Uint8Array[] = [];
  return function* (frame, f): Task<readonly Uint8Array[]> {
    const i = told.n++ - honest;
    const { how, n } = (i < 0 ? undefined : moves[i % moves.length]) ?? { how: "honest", n: 0 };
    if (how === "hangup") return yield* s.exits();
    if (how === "merged" || how === "swapped") {
      if (how === "merged") held.push(frame);
      else held.unshift(frame);
      return [];
    }
    const now = [...held, ...told1(how, n, frame, f)];
    held = [];
    if (how === "cut") return now;
    return now.length < 2 ? now : [joined(now)];
  };
}

function told1(how: Move["how"], n: number, frame: Uint8Array, f: F.Fcall | null): Uint8Array[] {
  switch (how) {
    case "flip":
      return [changed(frame, (c) => void (c[4 + (n % (frame.length - 4))] = (n >> 8) & 0xff))];
    case "type":
      return [changed(frame, (c) => void (c[4] = 98 + (n % 36)))];
    case "tag":
      return [changed(frame, (_c, v) => v.setUint16(5, n & 0xffff, true))];
    case "size":
      return [changed(frame, (_c, v) => v.setUint32(0, n % 3 === 0 ? n * 257 : n % 40, true))];
    case "count":
    case "qids":
      return [recounted(frame, f, how === "qids" ? n * 2 : n)];
    case "twice":
      return [frame, frame];
    case "never":
      return [];
    case "cut":
      return pieces(frame, n);
    case "error":
      return [pack({ type: F.Rerror, tag: f?.tag ?? 0, ename: ENAMES[n % ENAMES.length] ?? "" })];
    case "garbage":
      return [Uint8Array.from({ length: 1 + (n % 100) }, (_, i) => (n * (i + 7)) >> 3)];
    case "stray":
      return [pack({ type: n % 2 === 0 ? F.Rflush : F.Rclunk, tag: n % 8 }), frame];
    default:
      return [frame];
  }
}

/** What a client does with the mount; each must end in a value or a PlanError. */
const CALLS: readonly ((sys: Sys) => Promise<unknown>)[] = [
  (sys) => put(sys, "/bad/f", "hello"),
  (sys) => cat(sys, "/bad/f"),
  (sys) => sys.stat("/bad/f"),
  async (sys) => sys.close(await sys.create("/bad/d", OREAD, DIR)),
  async (sys) => sys.close(await sys.create("/bad/f", OWRITE | OEXCL, 0o666)),
  (sys) => Promise.all([1, 2, 3, 4].map((n) => sys.stat(`/bad/d/${n}`))),
  (sys) => sys.wstat("/bad/f", { name: "g" }),
  (sys) => sys.bind("/bad/d", "/m", MREPL),
  (sys) => sys.chdir("/bad/d"),
  (sys) => sys.stat(`/bad${"/deep".repeat(20)}`),
  async (sys) => {
    const fd = await sys.open("/bad", OREAD);
    for (let i = 0; i < 5 && (await sys.read(fd, new Uint8Array(500))) > 0; i++);
  },
  async (sys) => {
    const fd = await sys.create("/bad/big", ORDWR, 0o666);
    await sys.write(fd, new Uint8Array(100_000));
    await sys.pread(fd, new Uint8Array(100_000), 0);
  },
  async (sys) => {
    const fd = await sys.create("/bad/s", OWRITE | OSTREAM, 0o666);
    await sys.swrite(fd, new Uint8Array(30_000));
    await sys.close(fd);
  },
  async (sys) => {
    const fd = await sys.open("/bad/s", OREAD | OSTREAM);
    for (let i = 0; i < 9 && (await sys.sread(fd, new Uint8Array(9000))) > 0; i++);
  },
  (sys) => sys.remove("/bad/g"),
  (sys) => sys.unmount(null, "/bad"),
];

const scene = fc.record({
  version: fc.constantFrom("9P2000", "9P2000.ix", "9P2000.ix.stream"),
  msize: fc.constantFrom(256, 8216, 65560),
  honest: fc.constantFrom(0, 1, 2, 4, 8, 16, 32),
  moves: fc.array(move, { minLength: 1, maxLength: 12 }),
  seed: fc.nat(),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** The client of a liar: mounts it and makes every call, each with an alarm. */
async function client(sys: Sys, { version, msize, moves, honest }: Scene, told: { n: number }) {
  await sys.notify((_note, h) => (h as Sys).noted(NCONT));
  const quietly = async (call: () => Promise<unknown>): Promise<void> => {
    await sys.alarm(50);
    try {
      await call();
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
    await sys.alarm(0);
  };
  await quietly(() =>
    mountwire(sys, "/bad", {
      make: (s) => ({ ...newram(s, { user: "glenda", perm: 0o777 }), version, msize }) as Anysrv,
      request: () =>
        function* (frame) {
          return [frame];
        },
      reply: (s) => liar(s, moves, honest, told),
    }),
  );
  for (const call of CALLS) await quietly(() => call(sys));
}

/** One scene, from boot to end; gives the number of replies. */
async function play(s: Scene): Promise<number> {
  const { seed } = s;
  const k = await boot({
    clock: "virtual",
    seed,
    files: { bad: {}, good: {}, m: {} },
  });
  const told = { n: 0 };
  await run(k, async (sys: Sys) => {
    await mountram(sys, "/good");
    await put(sys, "/good/f", "unharmed");
    const flags = RFPROC | RFFDG | RFNAMEG;
    const pid = await sys.rfork(flags, (c: Sys) => client(c, s, told));
    for (let i = 0; i < 20 && k.procs.has(pid); i++) {
      if ((await cat(sys, "/good/f")) !== "unharmed") throw new Error("the other mount was harmed");
      await sys.sleep(100);
    }
    // One that never answers, a Tflush neither, is left by a kill.
    const proc = k.procs.get(pid);
    if (proc !== undefined && !proc.dead) proc.kill("struck");
    const { msg } = await sys.wait();
    if (msg !== "" && !msg.endsWith("struck")) throw new Error(msg);
    if ((await cat(sys, "/good/f")) !== "unharmed") throw new Error("the other mount was harmed");
    await sys.sleep(1000);
    const { fids, tags } = k.audit();
    if (fids.length !== 1 || tags.length > 0)
      throw new Error(`left: ${fids.join()} ${tags.join()}`);
    await sys.unmount(null, "/good");
  });
  await k.shutdown();
  const left = JSON.stringify(k.audit());
  if (left !== JSON.stringify(NOTHING)) throw new Error(left);
  return told.n;
}

test("whatever a server answers, calls end, other mounts are unharmed, and nothing is left", async (t) => {
  let replies = 0;
  await fc.assert(
    fc.asyncProperty(scene, async (s) => {
      replies += await play(s);
    }),
    { numRuns: 400 },
  );
  t.log(`${replies} replies`);
  t.pass();
});
