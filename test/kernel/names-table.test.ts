// The mount table against a slow plain model of it, and the tree that it is made of.

import test from "ava";
import fc from "fast-check";
import { Chan, Chans } from "../../kernel/chan.ts";
import { MAFTER, MBEFORE, MREPL } from "../../kernel/abi/const.ts";
import { Dev } from "../../kernel/dev.ts";
import { error } from "../../kernel/abi/errors.ts";
import { MountTable, carried } from "../../kernel/names/names-table.ts";
import type { Member, Mnode } from "../../kernel/names/names-table.ts";
import { entries, get, put, without as removed } from "../../kernel/names/tree.ts";
import type { Tree } from "../../kernel/names/tree.ts";
import { now } from "../../kernel/proc/spawn.ts";
import { modelmount, modelunmount, prefixes, under } from "../model/mounttable.ts";
import type { Entry, Flat } from "../model/mounttable.ts";

/** A device that counts the closes of its Chans. */
class Testdev extends Dev {
  readonly dc = "T";
  readonly name = "test";
  readonly #closed: Map<Chan, number>;

  constructor(c: Closing) {
    super(c);
    this.#closed = c.closed;
  }

  attach(): never {
    return error("no such operation");
  }

  walk(): never {
    return error("no such operation");
  }

  stat(): never {
    return error("no such operation");
  }

  open(): never {
    return error("no such operation");
  }

  read(): never {
    return error("no such operation");
  }

  override close(c: Chan): void {
    this.#closed.set(c, (this.#closed.get(c) ?? 0) + 1);
  }
}

/** A device whose Chans count how often they are closed. */
class Closing {
  readonly chans: Chans = new Chans();
  readonly closed: Map<Chan, number> = new Map();
  readonly dev: Dev = new Testdev(this);

  member(flags = 0, covered = false): Member {
    const chan = new Chan(this.dev, { path: 0n, vers: 0, type: 0x80 });
    return { chan, flags, spec: "", id: 0, from: "", mounted: false, covered };
  }
}

/** The table as a model has it, hidden parts too. */
function flatten(n: Mnode, name = "", all: Map<string, Entry> = new Map()): Map<string, Entry> {
  if (n.members.length > 0) {
    const hidden = n.hidden === null ? null : new Map<string, Entry>();
    if (hidden !== null) for (const [e, c] of entries(n.hidden)) flatten(c, `/${e}`, hidden);
    all.set(name, { members: n.members, hidden });
  }
  for (const [e, c] of entries(n.children)) flatten(c, `${name}/${e}`, all);
  return all;
}

/** The nodes of a table, hidden ones too, each as often as it stands there. */
function* nodes(root: Mnode): Generator<Mnode, void, void> {
  const left = [root];
  for (let n = left.pop(); n !== undefined; n = left.pop()) {
    yield n;
    for (const tree of [n.children, n.hidden]) for (const [, c] of entries(tree)) left.push(c);
  }
}

/** Something that two flat maps can be compared by. */
const numbers = new Map<Chan, number>();
function number(c: Chan): number {
  if (!numbers.has(c)) numbers.set(c, numbers.size);
  return numbers.get(c) ?? -1;
}

function show(flat: Flat): string {
  const lines = [...flat].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return lines
    .map(([name, e]) => {
      const hidden = e.hidden === null ? "" : ` hides {${show(e.hidden)}}`;
      return `${name}: ${e.members.map((m) => number(m.chan)).join()}${hidden}`;
    })
    .join("; ");
}

const name = fc
  .array(fc.constantFrom("a", "b"), { maxLength: 3 })
  .map((elems) => elems.map((e) => `/${e}`).join(""));
const elemsof = (s: string): string[] => s.split("/").slice(1);

const op = fc.oneof(
  fc.record({
    op: fc.constant("mount" as const),
    name,
    order: fc.constantFrom(MREPL, MBEFORE, MAFTER),
    n: fc.integer({ min: 1, max: 2 }),
    source: fc.option(name),
    covered: fc.boolean(),
  }),
  fc.record({ op: fc.constant("unmount" as const), name, which: fc.option(fc.nat({ max: 2 })) }),
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

/** A table, and the model it must agree with. */
class Pair {
  readonly closing: Closing = new Closing();
  readonly base: Member = this.closing.member();
  readonly made: Member[] = [];
  readonly versions: { readonly table: MountTable; readonly model: Flat; readonly text: string }[] =
    [];
  table: MountTable = new MountTable(this.base);
  model: Flat = new Map([["", { members: [this.base], hidden: null }]]);
  #id = 0;

  constructor() {
    this.base.chan.incref();
    this.#push();
  }

  #push(): void {
    this.versions.push({ table: this.table, model: this.model, text: show(this.model) });
  }

  #member(covered = false): Member {
    const m = this.closing.member(0, covered);
    this.made.push(m);
    return m;
  }

  apply(o: Op): void {
    if (o.op === "mount") this.#mount(o);
    else this.#unmount(o);
    this.#push();
  }

  #mount(o: Op & { op: "mount" }): void {
    const { order, source } = o;
    const elems = elemsof(o.name);
    const from = source === null ? undefined : this.table.node(elemsof(source));
    const below = carried(from?.children ?? null, () => ++this.#id);
    const old = from?.members ?? [];
    const members = old.length > 0 ? [...old] : Array.from({ length: o.n }, () => this.#member());
    const ispoint = (this.table.node(elems)?.members.length ?? 0) > 0;
    const covered = o.covered && !ispoint && order !== MREPL ? this.#member(true) : null;
    const flat = source === null ? new Map<string, Entry>() : under(this.model, source);
    const carry = new Map([...flat].map(([n, e]) => [n, { members: e.members, hidden: null }]));
    this.table = this.table.mount(elems, { order, members, below, covered });
    this.model = modelmount(this.model, o.name, { order, members, below: carry, covered });
  }

  #unmount(o: Op & { op: "unmount" }): void {
    const elems = elemsof(o.name);
    const members = this.table.node(elems)?.members ?? [];
    const which = o.which === null ? null : (members[o.which] ?? this.base).chan;
    const table = this.table.unmount(elems, which === null ? null : (m) => m.chan === which);
    const model = modelunmount(this.model, o.name, which, this.base);
    if ((table === null) !== (model === null)) throw new Error(`unmount ${o.name}`);
    if (table === null || model === null) return;
    this.table = table;
    this.model = model;
  }

  /** References that the test and the nodes of living versions hold: versions share nodes. */
  expected(): (c: Chan) => number {
    const living = new Set<Mnode>();
    for (const v of this.versions)
      if (v.table.ref > 0) for (const n of nodes(v.table.root)) living.add(n);
    const held = new Map<Chan, number>();
    for (const n of living)
      for (const { chan } of n.members) held.set(chan, (held.get(chan) ?? 0) + 1);
    return (c) => 1 + (held.get(c) ?? 0);
  }
}

/** An assertion that a property can shrink. */
function same<T>(a: T, b: T): void {
  if (a !== b) throw new Error(`${String(a)}\nis not\n${String(b)}`);
}

test("whatever is mounted and unmounted, the table is what the rules make of it, and old ones never change", (t) => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 14 }), fc.array(name), (ops, names) => {
      const p = new Pair();
      for (const o of ops) p.apply(o);
      for (const v of p.versions) {
        same(show(flatten(v.table.root)), v.text);
        // A node that holds nothing is left out, and what hides others has members.
        for (const n of nodes(v.table.root))
          same(n.members.length > 0 || (n.children !== null && n.hidden === null), true);
      }
      for (const n of names) {
        const at = prefixes(n).findLast((x) => p.model.has(x)) ?? "";
        const { node, depth } = p.table.lookup(elemsof(n));
        same(depth, elemsof(at).length);
        same(node === p.table.node(elemsof(at)), true);
      }
      const points = [...p.table.mountpoints()].map(({ path }) => (path === "/" ? "" : path));
      same(points.toSorted().join(), [...p.model.keys()].toSorted().join());
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("reference counts are exact: each version gives up each of its Chans once, in whatever order", (t) => {
  const order = fc.infiniteStream(fc.nat());
  fc.assert(
    fc.property(fc.array(op, { maxLength: 10 }), order, (ops, pick) => {
      const p = new Pair();
      for (const o of ops) p.apply(o);
      const all = [p.base, ...p.made];
      const check = (): void => {
        const expected = p.expected();
        for (const m of all) same(m.chan.ref, expected(m.chan));
      };
      check();
      const tables = [...new Set(p.versions.map((v) => v.table))];
      while (tables.length > 0) {
        const [table] = tables.splice((pick.next().value ?? 0) % tables.length, 1);
        if (table !== undefined) now(table.release());
        check();
      }
      // What is left is the test's own.
      for (const m of all) same(m.chan.ref, 1);
      same(p.closing.closed.size, 0);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test("the last group to leave closes the Chans, each once; a clean table has the root alone", (t) => {
  const closing = new Closing();
  const base = closing.member();
  const m = closing.member();
  const first = new MountTable(base);
  const table = first.mount(["n"], { order: MREPL, members: [m], below: null, covered: null });
  table.ref++; // another group, as rfork(RFNAMEG) makes one
  const clean = table.clean();
  m.chan.ref--; // the bind's own
  now(first.release());
  now(table.release());
  t.is(closing.closed.size, 0);
  now(table.release());
  t.deepEqual([...closing.closed], [[m.chan, 1]]);
  t.throws(() => now(table.release()), { message: /release of a dead mount table/ });
  t.deepEqual([clean.root.members, clean.root.children], [[base], null]);
  now(clean.release());
  t.is(closing.closed.get(base.chan), 1);
  t.is(closing.chans.count, 0);
});

test("a change shares what it did not touch", (t) => {
  const closing = new Closing();
  const at = (table: MountTable, ...elems: string[]): MountTable =>
    table.mount(elems, {
      order: MREPL,
      members: [closing.member()],
      below: null,
      covered: null,
    });
  const old = at(at(new MountTable(closing.member()), "a", "x"), "b", "y");
  const changed = at(old, "a", "z");
  t.is(changed.node(["b"]), old.node(["b"]));
  t.is(changed.node(["a", "x"]), old.node(["a", "x"]));
  t.not(changed.node(["a"]), old.node(["a"]));
  t.is(old.node(["a", "z"]), undefined);
});

test("what is carried has ids of its own, later than the bind's", (t) => {
  const closing = new Closing();
  const mount = (table: MountTable, elems: string[], id: number): MountTable =>
    table.mount(elems, {
      order: MREPL,
      members: [{ ...closing.member(), id }],
      below: null,
      covered: null,
    });
  const table = mount(mount(new MountTable(closing.member()), ["a", "x"], 1), ["a", "x", "y"], 2);
  let id = 10;
  const below = carried(table.node(["a"])?.children ?? null, () => ++id);
  const x = get(below, "x");
  t.deepEqual(
    x?.members.map((m) => m.id),
    [11],
  );
  t.deepEqual(
    get(x?.children ?? null, "y")?.members.map((m) => m.id),
    [12],
  );
});

test("a table as deep as names get is changed, joined, carried and listed without end of stack", (t) => {
  const c = new Closing();
  const deep = Array.from({ length: 20_000 }, () => "d");
  const plain = { members: [c.member(MREPL)], below: null, covered: null };
  const one = new MountTable(c.member()).mount(deep, { ...plain, order: MREPL });
  const below = carried(one.root.children, () => 7);
  const two = one.mount(["e", ...deep.slice(1), "x"], { ...plain, order: MREPL });
  // Both sides have a long way of names that are no mount points.
  for (const order of [MBEFORE, MAFTER]) {
    const joined = two.mount(["e"], { ...plain, order, below });
    t.is(joined.lookup(["e", ...deep]).depth, deep.length + 1);
    const depths = [...joined.mountpoints()].map((p) => p.path.split("/").length - 1);
    t.deepEqual(
      depths.toSorted((x, y) => x - y),
      [1, 1, deep.length, deep.length + 1, deep.length + 1],
    );
    const without = joined.unmount(["e", ...deep], null);
    t.is(without === null ? -1 : [...nodes(without.root)].flatMap((n) => n.members).length, 4);
  }
});

/** Neither side of an entry has more than three times the other's entries, and names are in order. */
function checktree(t: Tree<number> | null): void {
  if (t === null) return;
  const [l, r] = [t.left?.size ?? 0, t.right?.size ?? 0];
  if (l + r > 1 && (l > 3 * r || r > 3 * l)) throw new Error(`unbalanced: ${l} and ${r}`);
  same(t.size, 1 + l + r);
  checktree(t.left);
  checktree(t.right);
}

test("a tree is a map in the order of its names, balanced, and a change leaves the old one as it was", (t) => {
  const key = fc.integer({ min: 0, max: 40 }).map((n) => `k${n}`);
  const change = fc.oneof(
    fc.record({ key, value: fc.nat() }),
    fc.record({ key, value: fc.constant(null) }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120 }), (changes) => {
      const model = new Map<string, number>();
      let tree: Tree<number> | null = null;
      for (const { key: k, value } of changes) {
        const before: string = JSON.stringify([...entries(tree)]);
        const old: Tree<number> | null = tree;
        tree = value === null ? removed(tree, k) : put(tree, k, value);
        if (value === null) model.delete(k);
        else model.set(k, value);
        same(JSON.stringify([...entries(old)]), before);
        checktree(tree);
      }
      const sorted = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1));
      same(JSON.stringify([...entries(tree)]), JSON.stringify(sorted));
      for (let n = 0; n <= 40; n++) same(get(tree, `k${n}`), model.get(`k${n}`));
    }),
  );
  t.pass();
});

test("a change among ten thousand mounts makes few new nodes, and gives up as few", (t) => {
  const closing = new Closing();
  const plain = { order: MREPL, below: null, covered: null };
  let table = new MountTable(closing.member());
  for (let i = 0; i < 10_000; i++) {
    const next = table.mount(["n", `m${i}`], { ...plain, members: [closing.member()] });
    now(table.release());
    table = next;
  }
  const parts = (root: Mnode): Set<unknown> => {
    const all = new Set<unknown>();
    const left: unknown[] = [root];
    for (let x = left.pop(); x !== undefined; x = left.pop()) {
      if (x === null || all.has(x)) continue;
      all.add(x);
      for (const y of Object.values(x as object)) if (typeof y === "object") left.push(y);
    }
    return all;
  };
  const old = parts(table.root);
  const changed = table.mount(["n", "m5000", "x"], { ...plain, members: [closing.member()] });
  const fresh = [...parts(changed.root)].filter((x) => !old.has(x));
  t.true(fresh.length < 100, `${fresh.length} new parts`);
});
