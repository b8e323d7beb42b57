// A well-behaved client beside a hostile one, at an exportfs whose calls are slow, fail and come back in any
// order: what the first gets, and when, is what it gets when it is alone. Cases are fast-check's; a failure
// prints the seed and path that make it again (NINEP_SEED, NINEP_PATH), NINEP_RUNS says how many there are.

import test from "ava";
import fc from "fast-check";
import { MCREATE, MREPL, NOFID, ORCLOSE, OREAD, ORDWR, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { chance } from "../../userland/boot/boot.ts";
import { serve9p, simnet } from "../../userland/boot/net.ts";
import { type Answer, type Anysrv, type Fid, postmount } from "../../userland/lib/9p.ts";
import type { Plainsrv } from "../../userland/lib/9p/promises.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { dial } from "../../userland/lib/dial.ts";
import { newexport } from "../../userland/lib/export.ts";
import { newram } from "../../userland/lib/ram.ts";
import { NOTHING } from "../kit/kit.ts";
import { Rawclient } from "../kit/rawclient.ts";
import { attach, open, version, walk } from "../kit/msg.ts";

const RUNS = Number(process.env["NINEP_RUNS"] ?? 12);
const SEED = process.env["NINEP_SEED"];
const PATH = process.env["NINEP_PATH"];

/** Milliseconds that every call of the well-behaved client's files takes. */
const GOODMS = 3;

/** Nothing fails before the files are there. */
type Trouble = { begun: boolean };

/** A ramfs below the exportfs: a call for the directory "bad" takes any time, and fails now and then. */
function* below(sys: ThreadSys, seed: number, trouble: Trouble): Task<Anysrv> {
  const any = chance(seed);
  const pick = (n: number): number => (trouble.begun ? any(n) : n - 1);
  const ram = newram(sys, { user: "glenda", perm: 0o777 }) as Plainsrv<unknown>;
  yield* ram.turn?.() ?? sys.nsec();
  const late = <T>(file: unknown, fn: () => Answer<T>): Task<T> => slowly(sys, file, pick, fn);
  return {
    ...ram,
    copies: false,
    stat: (fid) => late(fid.aux, () => ram.stat(fid)),
    walk1: (dir, name, fid) => late(dir, () => ram.walk1?.(dir, name, fid) ?? null),
    open: (fid, mode) => late(fid.aux, () => ram.open?.(fid, mode)),
    create: (fid, name, perm, mode) =>
      late(fid.aux, () => ram.create?.(fid, name, perm, mode)) as Task<unknown>,
    read: (fid, count, offset) =>
      late(fid.aux, () => ram.read?.(fid, count, offset) ?? new Uint8Array(0)),
    write: (fid, data, offset) => late(fid.aux, () => ram.write?.(fid, data, offset) ?? 0),
    wstat: (fid, w) => late(fid.aux, () => ram.wstat?.(fid, w)),
    remove: (fid) => late(fid.aux, () => ram.remove?.(fid)),
    clunk: (fid: Fid<unknown>) => late(fid.aux, () => ram.clunk?.(fid)),
  };
}

function* slowly<T>(
  sys: ThreadSys,
  file: unknown,
  pick: (n: number) => number,
  fn: () => Answer<T>,
): Task<T> {
  if (!isbad(file)) yield* sys.sleep(GOODMS);
  else {
    yield* sys.sleep(pick(30));
    if (pick(10) === 0) throw new PlanError("i/o error");
  }
  const a = fn();
  return (typeof a === "object" && a !== null && "next" in a ? yield* a as Task<T> : a) as T;
}

/** A file of ramfs that is the directory bad or below it. */
function isbad(file: unknown): boolean {
  type Ram = { readonly name: string; readonly parent: Ram };
  for (let f = file as Ram; ; f = f.parent) {
    if (f.name === "bad") return true;
    if (f.parent === f) return false;
  }
}

const fid = fc.nat(3);
const tag = fc.integer({ min: 1, max: 5 });
const name = fc.constantFrom(
  ["bad"],
  ["bad", "f"],
  ["bad", "d"],
  ["bad", "new"],
  ["..", "bad"],
  [],
);
const mode = fc.constantFrom(OREAD, OWRITE, ORDWR, ORDWR | ORCLOSE, 16);

/** What a hostile client sends: anything, in the directory bad. */
const hostile: fc.Arbitrary<Tmsg> = fc.oneof(
  fc
    .tuple(fid, fid, tag, name)
    .map(([a, b, t, n]): Tmsg => ({ type: F.Twalk, tag: t, fid: a, newfid: b, wname: n })),
  fc.tuple(fid, tag, mode).map(([a, t, m]): Tmsg => ({ type: F.Topen, tag: t, fid: a, mode: m })),
  fc.tuple(fid, tag, mode).map(([a, t, m]): Tmsg => ({
    type: F.Tcreate,
    tag: t,
    fid: a,
    name: "new",
    perm: 0o666,
    mode: m,
  })),
  fc
    .tuple(fid, tag)
    .map(([a, t]): Tmsg => ({ type: F.Tread, tag: t, fid: a, offset: 0, count: 100 })),
  fc
    .tuple(fid, tag)
    .map(([a, t]): Tmsg => ({ type: F.Tstream, tag: t, fid: a, offset: 0, count: 100 })),
  fc.tuple(fid, tag).map(([a, t]): Tmsg => ({
    type: F.Twrite,
    tag: t,
    fid: a,
    offset: 0,
    data: new Uint8Array(9),
  })),
  fc.tuple(fid, tag).map(([a, t]): Tmsg => ({ type: F.Tstat, tag: t, fid: a })),
  fc.tuple(fid, tag).map(([a, t]): Tmsg => ({ type: F.Tclunk, tag: t, fid: a })),
  fc.tuple(fid, tag).map(([a, t]): Tmsg => ({ type: F.Tremove, tag: t, fid: a })),
  tag.map((t): Tmsg => ({ type: F.Tflush, tag: 9, oldtag: t })),
  fid.map((a): Tmsg => ({ type: F.Tattach, tag: 6, fid: a, afid: NOFID, uname: "x", aname: "" })),
);

const cases = fc.record({
  seed: fc.nat(),
  version: fc.constantFrom("9P2000", "9P2000.ix", "9P2000.ix.stream"),
  /** Requests of the hostile client, sent in bursts with a time between them; it hangs up between lists. */
  conns: fc.array(
    fc.array(fc.tuple(fc.array(hostile, { minLength: 1, maxLength: 8 }), fc.nat(20)), {
      minLength: 1,
      maxLength: 12,
      size: "max",
    }),
    { minLength: 1, maxLength: 4, size: "max" },
  ),
});
type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

/** What the well-behaved client saw: each answer, and when it came in nanoseconds. */
async function converse(c: Case, beside: boolean): Promise<string[]> {
  const net = simnet({ seed: c.seed, anyorder: true });
  const [far, good, bad] = [await net.boot("far"), await net.boot("good"), await net.boot("bad")];
  net.link("good", "far", { rtt: "10ms" });
  net.link("bad", "far", { rtt: "1ms" });
  const trouble = { begun: false };
  const server = await serve9p(far, "tcp!*!564", function* (sys): Task<Anysrv> {
    yield* postmount(sys, (s) => below(s, c.seed, trouble), {
      mtpt: "/tmp",
      flags: MREPL | MCREATE,
    });
    for (const dir of ["good", "bad", "bad/d"])
      yield* sys.close(yield* sys.create(`/tmp/${dir}`, OREAD, 0x80000000 + 0o777));
    for (const file of ["good/f", "bad/f"])
      yield* sys.close(yield* sys.create(`/tmp/${file}`, OWRITE, 0o666));
    trouble.begun = true;
    return newexport(sys, { root: "/tmp" }) as Anysrv;
  });
  const settle = (): Promise<string> => good.spawn(async (sys: Sys) => sys.sleep(5000)).wait();
  await settle();
  const before = net.audit();
  const seen: string[] = [];
  const well = good.spawn(async (sys: Sys) =>
    behave(sys, (what) => seen.push(`${net.now} ${what}`)),
  );
  if (beside) await bad.spawn(async (sys: Sys) => misbehave(sys, c)).wait();
  const status = await well.wait();
  if (status !== "") throw new Error(`the well-behaved client: ${status}\n${server.output}`);
  await settle();
  same("what is left", net.audit(), before);
  await net.shutdown();
  for (const [machine, audit] of Object.entries(net.audit())) same(machine, audit, NOTHING);
  return seen;
}

/** A day in the life of a client, in the directory good. */
async function behave(sys: Sys, tell: (what: string) => void): Promise<void> {
  const fd = await dial(sys, "tcp!far!564");
  await sys.mount(fd, -1, "/n", MREPL | MCREATE, "");
  const buf = new Uint8Array(100);
  for (let i = 0; i < 8; i++) {
    const name_ = `/n/good/f${i % 3}`;
    const f = await sys.create(name_, ORDWR, 0o666);
    tell(`create ${i}`);
    tell(`write ${await sys.write(f, new TextEncoder().encode(`text ${i}`))}`);
    const n = await sys.pread(f, buf, 0);
    tell(`read ${new TextDecoder().decode(buf.subarray(0, n))}`);
    await sys.close(f);
    tell(`stat ${(await sys.stat(name_)).length}`);
    if (i % 3 === 2) await sys.remove(name_);
  }
  await sys.unmount(null, "/n");
}

async function misbehave(sys: Sys, c: Case): Promise<void> {
  for (const bursts of c.conns) {
    const client = await Rawclient.dial(sys, "tcp!far!564");
    await client.rpc(version(c.version), attach(), walk(0, 1, "bad/f"), walk(0, 2, "bad"));
    await client.rpc(open(1, ORDWR));
    for (const [requests, ms] of bursts) {
      await client.send(...requests).catch(() => undefined);
      await sys.sleep(ms);
    }
    await client.close();
  }
}

function same(what: string, got: unknown, want: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}:\nis     ${a}\nshould ${b}`);
}

test("beside a hostile client another gets the answers that it gets alone, at the same times", async (t) => {
  t.timeout(600_000);
  const property = async (c: Case): Promise<void> => {
    same("what the client sees", await converse(c, true), await converse(c, false));
  };
  const result = await fc.check(fc.asyncProperty(cases, property), {
    numRuns: RUNS,
    ...(SEED !== undefined && { seed: Number(SEED) }),
    ...(PATH !== undefined && { path: PATH }),
  });
  const { counterexample, errorInstance } = result;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  const at = `NINEP_SEED=${result.seed} NINEP_PATH=${result.counterexamplePath}`;
  if (result.failed) t.fail(`${at}\n${why}\n${JSON.stringify(counterexample)}`);
  else t.pass();
});
