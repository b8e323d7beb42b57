// explore: the counts that it must come to, and what it says.
import test from "ava";
import { ORDWR, OWRITE } from "../../userland/boot/index.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { explore } from "../../userland/testing/index.ts";
import type { Machine } from "../../userland/testing/index.ts";

const BYTES = new Uint8Array(3);

/** A program of ten calls on a file of its own; `shared` of them write a file of all. */
const writer = (name: string, shared: number) =>
  async function main(sys: Sys): Promise<void> {
    const fd = await sys.create(`/tmp/${name}`, ORDWR, 0o666);
    const all = shared === 0 ? -1 : await sys.open("/tmp/all", OWRITE);
    for (let i = shared === 0 ? 2 : 4 + shared; i < 10; i++) await sys.write(fd, BYTES);
    for (let i = 0; i < shared; i++) await sys.write(all, BYTES);
    if (shared > 0) await sys.close(all);
    await sys.close(fd);
  };

const three = (shared: number) => (m: Machine) =>
  Promise.all(["a", "b", "c"].map((name) => m.run(writer(name, shared))));

test("three processes of ten calls on files of their own are one schedule", async (t) => {
  const r = await explore(three(0));
  t.deepEqual([r.schedules, r.all, r.failures.length], [1, true, 0]);
  t.true(r.show().startsWith("1 schedule, all there are: 1 outcome"));
});

test("with two of those calls each on a shared file they are as many as those six calls have orders", async (t) => {
  const r = await explore(three(2), { files: { tmp: { all: "" } } });
  t.deepEqual([r.schedules, r.all], [90, true]);
  const parts: number[] = [];
  for (const shard of ["1/3", "2/3", "3/3"])
    parts.push((await explore(three(2), { files: { tmp: { all: "" } }, shard })).schedules);
  t.is(
    parts.reduce((a, b) => a + b, 0),
    90,
  );
  t.true(Math.max(...parts) < 90, parts.join(" "));
});

test("a lost update is found, with one switch", async (t) => {
  const add = async (sys: Sys): Promise<void> => {
    const buf = new Uint8Array(1);
    const fd = await sys.open("/tmp/n", ORDWR);
    await sys.pread(fd, buf, 0);
    await sys.pwrite(
      fd,
      buf.map((x) => x + 1),
      0,
    );
    await sys.close(fd);
  };
  const scene = async (m: Machine): Promise<void> => {
    await Promise.all([m.run(add), m.run(add)]);
    const { n } = (await m.files()) as { n: string };
    if (n !== "2") throw new Error(`n is ${n}`);
  };
  const r = await explore(scene, { files: { tmp: { n: "0" } } });
  t.true(r.all);
  t.deepEqual(
    r.failures.map((f) => [f.kind, f.what, f.switches]),
    [["assertion", "n is 1", 1]],
  );
  t.true((r.failures[0]?.recording?.calls.length ?? 0) > 5);
});

test("whether a fault happens is a choice, too: at most one does in a schedule", async (t) => {
  const main = async (sys: Sys): Promise<void> => {
    const fd = await sys.open("/tmp/n", OWRITE);
    await sys.write(fd, BYTES).catch(() => 0);
    await sys.close(fd);
  };
  const scene = async (m: Machine): Promise<unknown> => {
    await Promise.all([m.run(main), m.run(main)]);
    return await m.files();
  };
  const opts = { files: { tmp: { n: "0" } }, maybe: ["write:error=file system full"] };
  const [r, brute] = [await explore(scene, opts), await explore(scene, { ...opts, brute: true })];
  t.deepEqual([r.all, r.failures, brute.all], [true, [], true]);
  // Either write may fail, or none: the other one, or both, have written the same.
  t.deepEqual(
    r.outcomes.map((o) => o.what),
    brute.outcomes.map((o) => o.what),
  );
  t.is(r.schedules, 6);
});

test("of the switches of a failure, the one that is a fault is named", async (t) => {
  const main = async (sys: Sys): Promise<void> => {
    await sys.write(await sys.open("/tmp/n", OWRITE), BYTES);
  };
  const opts = { files: { tmp: { n: "0" } }, maybe: ["write:error=file system full"] };
  const r = await explore((m) => m.run(main), opts);
  t.deepEqual([r.failures[0]?.switches, r.failures[0]?.happens], [1, true]);
  t.regex(r.show(), /the fewest switches: 1 \(the fault\), --schedule 0/);
  const plain = await explore((m) =>
    m.run((sys: Sys) => sys.open("/tmp/no", OWRITE).then(() => "")),
  );
  t.deepEqual([plain.failures[0]?.switches, plain.failures[0]?.happens], [0, false]);
});
