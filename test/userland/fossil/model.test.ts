// Random operations of a client on a fossil and on a model agree, with commits, snapshots and reopenings between;
// snapshots never change; and the map of the disk is always what the trees need.

import assert from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import { DMDIR, OTRUNC, OWRITE } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Fossilopts } from "../../../userland/lib/fossil/fossil.ts";
import { Disklog, Rig, finish } from "../../kit/fossilrig.ts";

/** A file's bytes, or a directory. */
type Node = { bytes: Uint8Array | null; perm: number; kids: Map<string, Node> };

class Model {
  root: Node = dir();

  find(path: readonly string[]): Node | undefined {
    return path.reduce<Node | undefined>((n, name) => n?.kids.get(name), this.root);
  }

  copy(): Model {
    const m = new Model();
    m.root = copy(this.root);
    return m;
  }

  dump(n: Node = this.root, at = ""): string[] {
    return [...n.kids]
      .map(([name, k]) => {
        const path = `${at}/${name}`;
        if (k.bytes === null) return [`${path}/`, ...this.dump(k, path)];
        return [`${path} ${k.bytes.length} ${sum(k.bytes)}`];
      })
      .flat();
  }
}

const dir = (): Node => ({ bytes: null, perm: 0o775, kids: new Map() });
const copy = (n: Node): Node => ({
  ...n,
  bytes: n.bytes?.slice() ?? null,
  kids: new Map([...n.kids].map(([name, k]) => [name, copy(k)])),
});

const isfile = (n: Node | undefined): n is Node & { bytes: Uint8Array } =>
  n !== undefined && n.bytes !== null;

function sum(b: Uint8Array): number {
  let h = b.length;
  for (const x of b) h = (Math.imul(h, 31) + x) | 0;
  return h;
}

/** What a tree of the fossil has, in the words of the model. */
function dumped(rig: Rig, from = rig.root(), at = ""): string[] {
  return rig.ls(at, from).flatMap((d) => {
    const path = `${at}/${d.name}`;
    if (path === "/adm") return [];
    if ((d.mode & DMDIR) !== 0) return [`${path}/`, ...dumped(rig, from, path)];
    const bytes = rig.get(path, from);
    return [`${path} ${d.length} ${sum(bytes)}`];
  });
}

const NAMES = ["a", "b", "c", "a name of some length", "é"] as const;
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 });
const size = fc.oneof(
  fc.nat(3000),
  fc.nat(200_000),
  fc.constantFrom(0, 1, 1023, 1024, 1025, 65_535, 65_536, 65_537, 131_072),
);
const kinds = [
  "create",
  "mkdir",
  "write",
  "trunc",
  "remove",
  "rename",
  "cut",
  "sync",
  "snap",
  "unsnap",
  "reopen",
  "crash",
] as const;
const step = fc.record({
  kind: fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom(
        "create",
        "write",
        "create",
        "write",
        "mkdir",
        "cut",
        "rename",
        "remove",
        "trunc",
      ),
    },
    { weight: 2, arbitrary: fc.constantFrom(...kinds) },
  ),
  path,
  name: fc.constantFrom(...NAMES),
  n: size,
  at: size,
  fill: fc.nat(255),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Both do a step, and both do it or both refuse. */
class Pair {
  disk = new Disklog();
  rig: Rig;
  readonly model = new Model();
  safe: Model = new Model();
  readonly snaps: Map<string, string[]> = new Map();
  readonly #opts: Partial<Fossilopts>;

  constructor(replace: boolean) {
    this.#opts = { flush: 100_000, cache: 1 << 20, replace };
    this.rig = new Rig(this.disk, this.#opts);
  }

  /** Whether a file may get the name of another of its directory. */
  #mayrename(node: Node | undefined, there: Node | undefined): boolean {
    if (node === undefined || there === undefined || node === there) return node !== undefined;
    const onto = (node.bytes === null) === (there.bytes === null) && there.kids.size === 0;
    return this.#opts.replace === true && onto;
  }

  // oxlint-disable-next-line max-lines-per-function -- a table of what each step does
  take(s: Step): void {
    const { rig } = this;
    const name = `/${s.path.join("/")}`;
    const up = this.model.find(s.path.slice(0, -1));
    const node = this.model.find(s.path);
    const last = s.path.at(-1) ?? "";
    switch (s.kind) {
      case "create":
      case "mkdir":
        if (
          this.does(
            up !== undefined && up.bytes === null && node === undefined,
            () => void rig.create(name, s.kind === "mkdir" ? (DMDIR | 0o775) >>> 0 : 0o664),
          )
        )
          up?.kids.set(last, s.kind === "mkdir" ? dir() : { ...dir(), bytes: new Uint8Array(0) });
        break;
      case "write":
        if (
          this.does(isfile(node), () =>
            rig.write(rig.open(name, OWRITE), new Uint8Array(s.n).fill(s.fill), s.at),
          ) &&
          isfile(node) &&
          s.n > 0
        ) {
          const bytes = new Uint8Array(Math.max(node.bytes.length, s.at + s.n));
          bytes.set(node.bytes);
          bytes.fill(s.fill, s.at, s.at + s.n);
          node.bytes = bytes;
        }
        break;
      case "trunc":
        if (
          this.does(isfile(node), () => void rig.open(name, OWRITE | OTRUNC)) &&
          node !== undefined
        )
          node.bytes = new Uint8Array(0);
        break;
      case "cut":
        // A directory has length 0, and may be told so.
        if (
          this.does(node !== undefined && (node.bytes !== null || s.n === 0), () =>
            rig.wstat(name, { length: s.n }),
          ) &&
          isfile(node)
        ) {
          const bytes = new Uint8Array(s.n);
          bytes.set(node.bytes.subarray(0, s.n));
          node.bytes = bytes;
        }
        break;
      case "remove":
        if (this.does(node !== undefined && node.kids.size === 0, () => rig.remove(name)))
          up?.kids.delete(last);
        break;
      case "rename":
        if (
          this.does(this.#mayrename(node, up?.kids.get(s.name)), () =>
            rig.wstat(name, { name: s.name }),
          ) &&
          up !== undefined &&
          node !== undefined
        ) {
          up.kids.delete(last);
          up.kids.set(s.name, node);
        }
        break;
      default:
        this.command(s.kind);
    }
  }

  command(kind: Step["kind"]): void {
    const { fossil } = this.rig;
    if (kind === "sync") this.rig.sync();
    if (kind === "snap")
      this.snaps.set(finish(fossil.snap(this.snaps.size % 2 === 0)), this.model.dump());
    if (kind === "unsnap") {
      const [first] = this.snaps.keys();
      if (first === undefined) return;
      finish(fossil.remove(first));
      this.snaps.delete(first);
    }
    if (kind === "reopen") finish(fossil.end());
    if (kind === "reopen" || kind === "crash") {
      if (kind === "crash") this.rig.sync();
      this.disk = new Disklog(this.disk.image);
      this.rig = new Rig(this.disk, this.#opts);
    }
  }

  /** Runs fn, which must succeed just when the model says so. */
  does(may: boolean, fn: () => void): boolean {
    let did = true;
    try {
      fn();
    } catch (e) {
      if (!(e instanceof PlanError) && !(e instanceof Error && e.message.startsWith("no ")))
        throw e;
      did = false;
    }
    if (did !== may)
      throw new Error(`the model ${may ? "does it" : "refuses"}, the fossil does not agree`);
    return did;
  }
}

test("a fossil and a model agree, with snapshots, crashes and reopenings between", (t) => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 60 }), (replace, steps) => {
      const pair = new Pair(replace);
      for (const s of steps) pair.take(s);
      assert.deepEqual(dumped(pair.rig).toSorted(), pair.model.dump().toSorted());
      for (const [name, tree] of pair.snaps) {
        const from =
          pair.rig.walk(name, pair.rig.root("main/archive")) ??
          pair.rig.walk(name, pair.rig.root("main/snapshot"));
        assert.deepEqual(dumped(pair.rig, from ?? undefined).toSorted(), tree.toSorted(), name);
      }
      assert.deepEqual(pair.rig.check(), []);
    }),
    { numRuns: Number(process.env["RUNS"] ?? 400) },
  );
  t.pass();
});
