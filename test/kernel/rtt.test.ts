// Round trips, exactly: every name operation is one, at any depth and past any number of other servers.

import test from "ava";
import type { ExecutionContext } from "ava";
import { DMDIR, MAFTER, MCREATE, MREPL, OEXCL, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { fossil } from "../../userland/boot/net.ts";
import { failure, put } from "../kit/kit.ts";
import { BIND, OPERATIONS, copytree, list, maketree, readall, write } from "../kit/operations.ts";
import type { Operation } from "../kit/operations.ts";
import { World, deep } from "../kit/world.ts";
import type { Worldopts } from "../kit/world.ts";
import { explore } from "../../userland/testing/index.ts";

const DEPTHS = [1, 5, 16, 17, 40];

/** A test in a world of its own, which is empty in the end. */
function world(
  opts: Worldopts,
  fn: (t: ExecutionContext, w: World, sys: Sys) => Promise<void>,
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const w = await World.make(opts);
    await w.run(t, (sys) => fn(t, w, sys));
    for (const [name, audit] of Object.entries(await w.end()))
      t.deepEqual(audit, { procs: [], chans: [], fids: [], tags: [] }, name);
  };
}

/** What an operation costs, and that closing what it opened costs nothing. */
async function trips(
  t: ExecutionContext,
  w: World,
  at: { sys: Sys; name: string; op: Operation },
): Promise<number> {
  const { sys, name, op } = at;
  await op.ready?.(sys, name);
  let result: unknown;
  const cost = await w.cost(sys, async () => (result = await op.run(sys, name)));
  if (typeof result === "number" && op !== BIND) {
    const fd = result;
    t.is((await w.cost(sys, () => sys.close(fd))).trips, 0, `close after ${op.name}`);
  }
  await op.undo?.(sys, name);
  return cost.trips;
}

const SERVERS: readonly (readonly [string, Worldopts])[] = [
  ["ramfs", {}],
  ["fossil", { make: fossil() }],
];

for (const [server, opts] of SERVERS)
  for (const mounts of [0, 1, 3])
    test(
      `${server}: with ${mounts} mount points of other servers on the way, every operation is one round trip at any depth`,
      world({ ...opts, mounts }, async (t, w, sys) => {
        for (const depth of DEPTHS) {
          const dir = await deep(sys, w.top, depth - 1);
          for (const [i, op] of [...OPERATIONS, BIND].entries())
            t.is(
              await trips(t, w, { sys, name: `${dir}/f${i}`, op }),
              1,
              `${op.name} at depth ${depth}`,
            );
        }
      }),
    );

test(
  "100 stats together are one round trip",
  world({}, async (t, w, sys) => {
    const dir = await deep(sys, w.top, 3);
    for (let i = 0; i < 100; i++) await put(sys, `${dir}/f${i}`, "");
    const all = (): Promise<unknown> =>
      Promise.all(Array.from({ length: 100 }, (_, i) => sys.stat(`${dir}/f${i}`)));
    t.deepEqual(await w.cost(sys, all), { trips: 1, messages: 300 });
  }),
);

test(
  "what fails since it is a mount point fails without asking anyone",
  world({ mounts: 1 }, async (t, w, sys) => {
    for (const fails of [
      () => failure(sys.remove(w.top)),
      () => failure(sys.wstat(w.top, { name: "other" })),
      () => failure(sys.remove("/n/way")),
    ]) {
      let text = "";
      t.deepEqual(await w.cost(sys, async () => (text = await fails())), { trips: 0, messages: 0 });
      t.regex(text, /is a mount point$/);
    }
  }),
);

test(
  "a read or write call is one round trip whatever its size",
  world({}, async (t, w, sys) => {
    const name = `${w.top}/big`;
    const bytes = Buffer.alloc(1_000_000, "0123456789abcdef!");
    const fd = await sys.create(name, OWRITE, 0o666);
    t.is((await w.cost(sys, () => sys.write(fd, bytes))).trips, 1);
    await sys.close(fd);
    for (const fresh of [true, false]) {
      const rfd = await sys.open(name, OREAD);
      const buf = new Uint8Array(1_000_000);
      t.is((await w.cost(sys, () => sys.read(rfd, buf))).trips, 1, `fresh ${fresh}`);
      t.deepEqual(Buffer.from(buf), bytes);
      await sys.close(rfd);
    }
    const ofd = await sys.open(name, OWRITE);
    t.is((await w.cost(sys, () => sys.write(ofd, bytes))).trips, 1, "over what is there");
    await sys.close(ofd);
  }),
);

test(
  "a whole file or directory, opened and read to its end, is three round trips",
  world({}, async (t, w, sys) => {
    for (const size of [1024, 65536]) {
      const name = `${w.top}/${size}`;
      await write(sys, name, new Uint8Array(size));
      t.is(
        (await w.cost(sys, () => readall(sys, name, { size: 65536 }))).trips,
        3,
        `${size} bytes`,
      );
    }
    const dir = await deep(sys, w.top, 1);
    for (let i = 0; i < 100; i++) await put(sys, `${dir}/f${i}`, "");
    t.deepEqual(await w.cost(sys, () => list(sys, dir)), { trips: 3, messages: 5 });
  }),
);

test(
  "creating a file and writing 1 KiB is two round trips",
  world({}, async (t, w, sys) => {
    const cost = await w.cost(sys, () => write(sys, `${w.top}/f`, new Uint8Array(1024)));
    t.deepEqual(cost, { trips: 2, messages: 4 });
  }),
);

const UNION: readonly (readonly [name: string, most: number])[] = [
  ["stat", 1],
  ["chdir", 1],
  ["open, missing", 1],
  ["open", 2],
  ["open, OTRUNC", 2],
  ["create, new", 2],
  ["create, existing", 2],
  ["create, OEXCL", 2],
  ["mkdir", 2],
  ["remove", 2],
  ["wstat, chmod", 2],
  ["wstat, rename", 2],
];

for (const members of [1, 3, 8])
  test(
    `in a union of ${members} servers with the file in the last, what changes nothing is one round trip, the rest two`,
    world({ members }, async (t, w, sys) => {
      for (const [i, [name, most]] of UNION.entries()) {
        const op = OPERATIONS.find((o) => o.name === name) as Operation;
        await op.ready?.(sys, `/n/u${members - 1}/f${i}`);
        const { ready: _, ...there } = op;
        const cost = await trips(t, w, { sys, name: `/n/u/f${i}`, op: there });
        if (members === 1 || most === 1) t.is(cost, 1, name);
        else t.true(cost <= most, `${name}: ${cost}`);
      }
      t.is(await failure(sys.stat("/n/u/no/such")), "'/n/u/no' file does not exist");
    }),
  );

test(
  "below a union's top it is walked in the same way",
  world({ members: 3 }, async (t, w, sys) => {
    const dir = await deep(sys, "/n/u2", 17);
    await put(sys, `${dir}/f`, "x");
    const name = `/n/u/${dir.slice("/n/u2/".length)}/f`;
    t.is((await w.cost(sys, () => sys.stat(name))).trips, 1);
    t.is((await w.cost(sys, async () => sys.close(await sys.open(name, OREAD)))).trips, 2);
    t.is((await w.cost(sys, () => failure(sys.stat(`${name}/no`)))).trips, 1);
  }),
);

test(
  "a tree of 100 files copied one call after another costs the sum of its calls",
  world({}, async (t, w, sys) => {
    await maketree(sys, `${w.top}/tree`);
    // Each directory is made, opened, read, and read at its end; each file opened, read, read at its
    // end, made and written.
    t.is(
      (await w.cost(sys, () => copytree(sys, `${w.top}/tree`, `${w.top}/a`))).trips,
      5 * 4 + 100 * 5,
    );
    t.is(
      (await w.cost(sys, () => copytree(sys, `${w.top}/tree`, `${w.top}/b`, { all: true }))).trips,
      4 + 4 + 5,
    );
    for (const copy of ["a", "b"])
      t.is(Buffer.from(await readall(sys, `${w.top}/${copy}/d3/f24`)).toString(), "3 24");
  }),
);

test(
  "a directory with mounts below it is listed with one question for each mount, all at once",
  world({ members: 3 }, async (t, w, sys) => {
    const dir = await deep(sys, w.top, 1);
    for (let i = 0; i < 50; i++) await put(sys, `${dir}/f${i}`, "");
    for (let i = 0; i < 3; i++) {
      const name = `${dir}/m${i}`;
      await sys.close(await sys.create(name, OREAD, DMDIR | 0o755));
      await sys.bind(`/n/u${i}`, name, MREPL);
    }
    const cost = await w.cost(sys, () => list(sys, dir));
    // open, read, the three mounts, read at the end; messages: two, one, three for each mount, one, one
    t.deepEqual(cost, { trips: 4, messages: 2 + 1 + 3 * 3 + 1 + 1 });
  }),
);

test("of exclusive creates in a union one makes the file, whatever their order", async (t) => {
  const ns = async (sys: Sys): Promise<void> => {
    for (const i of [0, 1, 2]) await sys.bind(`/n/u${i}`, "/n/u", MAFTER | (i === 0 ? MCREATE : 0));
  };
  const makes = (sys: Sys): Promise<string> =>
    sys.create("/n/u/x", OWRITE | OEXCL, 0o666).then(
      () => "made",
      (e: Error) => e.message,
    );
  const r = await explore(
    async (m) => {
      for (const i of [0, 1, 2]) await m.server(`u${i}`, { rtt: "50ms" });
      await Promise.all([1, 2, 3].map(() => m.try(makes, { ns })));
    },
    { files: { n: { u: {} } }, schedules: 60 },
  );
  t.deepEqual(r.failures, []);
  // Each of the three makes it in some order, and the others hear that it is there.
  const [made, exists] = ['status "made"', `status "'/n/u/x' file already exists"`];
  t.deepEqual(
    r.outcomes.map((o) => o.what).toSorted(),
    [
      [exists, exists, made].join("; "),
      [exists, made, exists].join("; "),
      [made, exists, exists].join("; "),
    ].toSorted(),
  );
});

/** What the standard kernel waits for: at depths 1, 5 and 40, and past three other servers at depth 5. */
const STANDARD: Readonly<Record<string, readonly number[]>> = {
  open: [2, 2, 6, 5],
  "open, OTRUNC": [2, 2, 6, 5],
  "open, missing": [1, 1, 5, 4],
  stat: [3, 3, 7, 6],
  "wstat, rename": [3, 3, 7, 6],
  "wstat, chmod": [3, 3, 7, 6],
  remove: [2, 2, 6, 5],
  "create, new": [3, 5, 9, 8],
  "create, existing": [2, 4, 8, 7],
  "create, OEXCL": [3, 5, 9, 8],
  "create, OEXCL, existing": [2, 4, 8, 7],
  mkdir: [3, 5, 9, 8],
  chdir: [1, 1, 5, 4],
};

test("the standard name space waits for every message", async (t) => {
  const costs: Record<string, number[]> = {};
  for (const [mounts, depths] of [
    [0, [1, 5, 40]],
    [3, [5]],
  ] as const) {
    const w = await World.make({ namespace: "standard", version: "9P2000", mounts });
    await w.run(t, async (sys) => {
      for (const depth of depths) {
        const dir = await deep(sys, w.top, depth - 1);
        for (const [i, op] of OPERATIONS.entries()) {
          const name = `${dir}/f${i}`;
          await op.ready?.(sys, name);
          let fd: unknown;
          const cost = await w.cost(sys, async () => (fd = await op.run(sys, name)));
          t.is(cost.trips, cost.messages, op.name);
          (costs[op.name] ??= []).push(cost.trips);
          if (typeof fd === "number")
            t.is((await w.cost(sys, () => sys.close(fd as number))).trips, 1);
          await op.undo?.(sys, name);
        }
      }
    });
    await w.end();
  }
  t.deepEqual(costs, STANDARD);
});
