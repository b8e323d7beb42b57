// Nothing is lost: the writes and syncs that reach the disk are cut at every point, torn and reordered within
// what a disk may do between syncs. Whatever is left is a whole tree: one that there was at some moment, not older
// than the last sync that was answered.

import assert from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import { DMDIR, OWRITE } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Fossilopts } from "../../../userland/lib/fossil/fossil.ts";
import { Disklog, Rig, finish } from "../../kit/fossilrig.ts";

const NAMES = ["a", "b", "c", "d"] as const;

type Step =
  | {
      readonly do: "put";
      readonly dir: string;
      readonly name: string;
      readonly n: number;
      readonly at: number;
    }
  | { readonly do: "mkdir" | "remove" | "cut"; readonly name: string; readonly n: number }
  | { readonly do: "rename"; readonly name: string; readonly to: string }
  | { readonly do: "sync" | "snap" | "unsnap" };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      dir: fc.constantFrom("", "/d"),
      name,
      n: fc.constantFrom(1, 900, 1500, 70_000, 200_000),
      at: fc.constantFrom(0, 0, 1000, 66_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("mkdir" as const),
      name: fc.constant("d"),
      n: fc.constant(0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("remove" as const), name, n: fc.constant(0) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("cut" as const),
      name,
      n: fc.constantFrom(0, 10, 1024, 65_536, 100_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rename" as const), name, to: name }) },
  { weight: 3, arbitrary: fc.constant({ do: "sync" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "snap" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "unsnap" as const }) },
);

let fill = 0;

/** Does a step; what may not be done is not done: then the result is false. `made` hears of a file before it is written. */
function take(rig: Rig, s: Step, made: () => void): boolean {
  try {
    switch (s.do) {
      case "put": {
        const file = `${s.dir}/${s.name}`;
        const fid = rig.walk(file) === null ? rig.create(file) : rig.open(file, OWRITE);
        made();
        rig.write(fid, new Uint8Array(s.n).fill(++fill), s.at);
        rig.clunk(fid);
        break;
      }
      case "mkdir":
        rig.create(`/${s.name}`, (DMDIR | 0o775) >>> 0);
        break;
      case "remove":
        rig.remove(`/${s.name}`);
        break;
      case "cut":
        rig.wstat(`/${s.name}`, { length: s.n });
        break;
      case "rename":
        rig.wstat(`/${s.name}`, { name: s.to });
        break;
      case "sync":
        rig.sync();
        break;
      case "snap":
        finish(rig.fossil.snap(false));
        break;
      case "unsnap": {
        const [first] = rig.fossil.list;
        if (first !== undefined) finish(rig.fossil.remove(first.name));
        break;
      }
    }
  } catch (e) {
    if (!(e instanceof PlanError) && !(e instanceof Error && e.message.startsWith("no "))) throw e;
    return false;
  }
  return true;
}

/** Runs steps and gives, for each number of disk operations, the trees that a crash there may leave. */
function run(
  steps: readonly Step[],
  opts: Partial<Fossilopts> = {},
): {
  disk: Disklog;
  start: Uint8Array;
  moments: { ops: number; tree: string; safe: number }[];
  /** Steps that were not done. */
  refused: number;
} {
  const made = new Disklog();
  finish(new Rig(made).fossil.end());
  const start = made.image;
  const disk = new Disklog(start);
  const rig = new Rig(disk, { flush: 100_000, ...opts });
  const moments = [{ ops: 0, tree: rig.dump().join("\n"), safe: 0 }];
  let refused = 0;
  for (const s of steps) {
    const before = moments.at(-1)?.safe ?? 0;
    const moment = (safe: number): void =>
      void moments.push({ ops: disk.ops.length, tree: rig.dump().join("\n"), safe });
    const did = take(rig, s, () => moment(before));
    if (s.do === "put" && !did) refused++;
    moment(did && (s.do === "sync" || s.do === "snap") ? moments.length : before);
  }
  return { disk, start, moments, refused };
}

/** Numbers from 0 to 1, always the same ones for a seed. */
function coins(seed: number): () => number {
  let r = seed;
  return () => (r = (Math.imul(r, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

const CUTS = Number(process.env["CUTS"] ?? 10_000);

test("whatever a crash leaves of the disk is a whole tree, not older than the last sync", (t) => {
  let cuts = 0;
  const property = fc.property(
    fc.array(step, { minLength: 5, maxLength: 25 }),
    fc.nat(),
    (steps, seed) => {
      const chance = coins(seed);
      const { disk, start, moments } = run(steps);
      for (let n = 0; n <= disk.ops.length; n++)
        for (const kept of [0, 0.5, 0.9, 1]) {
          cuts++;
          const keep = (): boolean => chance() < kept;
          const left = new Rig(new Disklog(Disklog.crashed(start, disk.ops.slice(0, n), keep)));
          assert.deepEqual(left.check(), [], `after ${n} operations`);
          const tree = left.dump().join("\n");
          // What a sync had answered before these operations must be there.
          const before = moments.findLastIndex((m) => m.ops <= n);
          const whole = moments.slice(moments[before]?.safe).some((m) => m.tree === tree);
          if (!whole)
            throw new Error(`after ${n} operations there is a tree that never was:\n${tree}`);
        }
    },
  );
  while (cuts < CUTS) fc.assert(property, { numRuns: 5 });
  t.true(cuts >= CUTS);
});

/** Names, modes and lengths of a tree, without what is in the files. */
const shape = (tree: string): string => tree.replace(/^(\S+ \d+ \d+) .*$/gm, "$1");

test("a write to a full disk fails with the disk's error, also where it begins a flush that succeeds", (t) => {
  const put = (n: number, at: number): Step => ({ do: "put", dir: "", name: "a", n, at });
  const cut = (file: string): Step => ({ do: "cut", name: file, n: 0 });
  const [mkdir, remove]: Step[] = [
    { do: "mkdir", name: "d", n: 0 },
    { do: "remove", name: "a", n: 0 },
  ];
  const [sync, snap, unsnap]: Step[] = [{ do: "sync" }, { do: "snap" }, { do: "unsnap" }];
  const first = [mkdir, put(70_000, 0), snap, put(70_000, 66_000), sync, cut("a"), put(200_000, 0)];
  const then = [unsnap, put(1, 0), remove, sync, put(1, 0), sync, put(1, 0), cut("a"), put(1, 0)];
  const steps = [...first, ...then].filter((s) => s !== undefined);
  // Anything else than a PlanError would be thrown here.
  t.true(run(steps, { size: 400_000 }).refused > 0);
});

test("on a full disk what a crash leaves is whole, and not older than the last sync but for bytes that waited", (t) => {
  let cuts = 0;
  let full = 0;
  const property = fc.property(
    fc.array(step, { minLength: 25, maxLength: 40 }),
    fc.nat(),
    (steps, seed) => {
      const chance = coins(seed);
      const { disk, start, moments, refused } = run(steps, { size: 400_000 });
      full += refused;
      for (let n = 0; n <= disk.ops.length; n += 1 + Math.floor(chance() * 3)) {
        cuts++;
        const kept = Math.floor(chance() * 3) / 2;
        const keep = (): boolean => chance() < kept;
        const image = Disklog.crashed(start, disk.ops.slice(0, n), keep);
        assert.ok(image.length <= 400_000 + 512, `${image.length} bytes`);
        const left = new Rig(new Disklog(image), { size: 400_000 });
        assert.deepEqual(left.check(), [], `after ${n} operations`);
        const tree = shape(left.dump().join("\n"));
        const before = moments.findLastIndex((m) => m.ops <= n);
        const safe = moments[before]?.safe;
        const was = moments.slice(safe).some((m) => shape(m.tree) === tree);
        assert.ok(was, `after ${n} operations there is a tree that never was:\n${tree}`);
      }
    },
  );
  while (cuts < CUTS / 10) fc.assert(property, { numRuns: 5 });
  t.true(full > 0);
});
