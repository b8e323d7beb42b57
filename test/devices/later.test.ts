// Groups: a walk and what follows it, sent together on one tag. What is sent, and what is left when a
// walk fails, the link breaks, or the caller is interrupted or killed in the middle.

import test from "ava";
import type { ExecutionContext } from "ava";
import {
  DMDIR,
  MBEFORE,
  MREPL,
  OEXCL,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
  RFPROC,
} from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { dial } from "../../userland/lib/dial.ts";
import { NOTHING, cat, failure, mkdir, put, requests } from "../kit/kit.ts";
import { World, deep } from "../kit/world.ts";
import type { Worldopts } from "../kit/world.ts";

const MS = 1_000_000;

/** A test on a machine "here" with the server "far", 50 ms away, on /n/far. */
function world(
  opts: Worldopts,
  fn: (t: ExecutionContext, w: World, sys: Sys) => Promise<void>,
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const w = await World.make(opts);
    await w.run(t, (sys) => fn(t, w, sys));
    for (const audit of Object.values(await w.end())) t.deepEqual(audit, NOTHING);
  };
}

type Operation = (sys: Sys, name: string) => Promise<unknown>;

/** Everything that can be done with a name. What they open is left open, for the caller to deal with. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  open: (sys, name) => sys.open(name, OREAD),
  truncate: (sys, name) => sys.open(name, OWRITE | OTRUNC),
  "open to be removed": (sys, name) => sys.open(name, OREAD | ORCLOSE),
  create: (sys, name) => sys.create(name, OWRITE, 0o666),
  "create alone": (sys, name) => sys.create(name, OWRITE | OEXCL, 0o666),
  mkdir: (sys, name) => sys.create(name, OREAD, DMDIR | 0o777),
  stat: (sys, name) => sys.stat(name),
  rename: (sys, name) => sys.wstat(name, { name: "renamed" }),
  chmod: (sys, name) => sys.wstat(name, { mode: 0 }),
  remove: (sys, name) => sys.remove(name),
  chdir: (sys, name) => sys.chdir(name),
  bind: (sys, name) => sys.bind(name, "/n/far", MREPL),
};

test(
  "each operation is one group",
  world({}, async (t, w, sys) => {
    const names = [`${w.top}/d/f`, `${await deep(sys, w.top, 19)}/f`];
    await mkdir(sys, `${w.top}/d`);
    const far = names.map((n) => n.slice(w.top.length + 1).split("/"));
    const walk = (elems: readonly string[]): string =>
      elems.length <= 16
        ? `Twalk(${elems.join("/")})`
        : `Twalk(${elems.slice(0, 16).join("/")}) Twalk(${elems.slice(16).join("/")}) Tclunk`;
    const sent = requests(w.here);
    for (const [i, name] of names.entries()) {
      const elems = far[i] ?? [];
      const [all, dir] = [walk(elems), walk(elems.slice(0, -1))];
      const groups: Readonly<Record<string, string>> = {
        "create alone": `${dir} Twalk(f) Tclunk Tcreate(f)`,
        create: `${dir} Tcreate(f)`,
        open: `${all} Topen(0)`,
        truncate: `${all} Topen(17)`,
        stat: `${all} Tstat Tclunk`,
        chmod: `${all} Twstat Tclunk`,
        remove: `${all} Tremove`,
        mkdir: `${dir} Tcreate(f)`,
        chdir: all,
      };
      for (const [op, group] of Object.entries(groups)) {
        await sys.sleep(1000);
        sent.length = 0;
        const fd = await OPERATIONS[op]?.(sys, name);
        t.is(sent.join(" "), group, op);
        if (typeof fd === "number") await sys.close(fd);
      }
      await sys.chdir("/");
      await sys.remove(name);
    }
  }),
);

/** Notes what the server is asked to change. */
function noting(changes: string[]): (srv: Anysrv) => Anysrv {
  return (srv) => ({
    ...srv,
    open(fid, mode) {
      if (mode !== OREAD) changes.push(`open ${mode}`);
      return srv.open?.(fid, mode);
    },
    create(fid, name, perm, mode) {
      changes.push(`create ${name}`);
      return srv.create?.(fid, name, perm, mode);
    },
    wstat(fid, d) {
      changes.push("wstat");
      return srv.wstat?.(fid, d);
    },
    remove(fid) {
      changes.push("remove");
      return srv.remove?.(fid);
    },
  });
}

const changes: string[] = [];

test(
  "behind a walk that fails nothing is touched, however far it came",
  world({ wrap: noting(changes) }, async (t, w, sys) => {
    const dir = await deep(sys, w.top, 18);
    await put(sys, `${dir}/file`, "x");
    await put(sys, `${w.top}/d1/file`, "x");
    const at = (n: number): string =>
      `${w.top}${dir
        .slice(w.top.length)
        .split("/")
        .slice(0, n + 1)
        .join("/")}`;
    const missing = [0, 1, 5, 15, 16, 17, 18].flatMap((n) => [
      `${at(n)}/no/d/file`,
      `${at(n)}/no${"/e".repeat(20)}`,
    ]);
    const names = [...missing, `${w.top}/d1/file/f`, `${w.top}/d1/file/e/f`, `${dir}/file/f`];
    changes.length = 0;
    for (const name of names)
      for (const [what, op] of Object.entries(OPERATIONS))
        await w.even(t, sys, async () => {
          t.regex(await failure(op(sys, name)), /exist$|not a directory$/, `${what} ${name}`);
        });
    t.deepEqual(changes, []);
  }),
);

test(
  "after a partial walk no fid is given back that never was",
  world({}, async (t, w, sys) => {
    await deep(sys, w.top, 17);
    await sys.sleep(1000);
    const sent = requests(w.here);
    await failure(sys.open(`${w.top}/d1/no/x`, OREAD));
    await failure(sys.chdir(`${w.top}/d1/no`));
    await sys.sleep(1000);
    t.deepEqual(sent, ["Twalk(d1/no/x)", "Topen(0)", "Twalk(d1/no)"]);
  }),
);

test(
  "an exclusive create is exclusive, and leaves what is there alone",
  world({}, async (t, w, sys) => {
    const name = `${w.top}/f`;
    await put(sys, name, "precious");
    for (const mode of [OWRITE | OEXCL, OWRITE | OEXCL | OTRUNC, ORDWR | OEXCL | ORCLOSE])
      t.is(await failure(sys.create(name, mode, 0o666)), `'${name}' file already exists`);
    t.is(await cat(sys, name), "precious");
    const tries = Array.from({ length: 10 }, () =>
      failure(sys.create(`${w.top}/g`, OWRITE | OEXCL, 0o666)),
    );
    t.is((await Promise.all(tries)).filter((text) => text === "no error").length, 1);
  }),
);

test(
  "a link cut inside a group fails the call, and leaves nothing",
  world({}, async (t, w, sys) => {
    const link = w.links.get("far");
    for (const [what, op] of Object.entries(OPERATIONS)) {
      const call = failure(op(sys, `${w.top}/d/f`));
      await sys.sleep(10);
      link?.cut();
      // The first element of the walk is named, since none was reached.
      t.regex(await call, /^('\/n\/far\/d' )?i\/o on hungup channel$/, what);
      await sys.sleep(1000);
      const { tags, fids } = w.here.audit();
      // The mount's root is all that there is, and nobody at the other end knows it any more.
      t.deepEqual([tags.length, fids.length, w.fids], [0, 1, 0], what);
      link?.heal();
      await sys.unmount(null, w.top);
      await sys.mount(await dial(sys, "tcp!far!564"), -1, w.top, MREPL, "");
    }
  }),
);

/** A server that takes a second for what one of its callbacks does. */
function slow(
  what: "walk1" | "open" | "create" | "stat" | "wstat" | "remove",
): (srv: Anysrv, sys: ThreadSys) => Anysrv {
  return (srv, sys) => ({
    ...srv,
    *[what](...args: readonly unknown[]) {
      yield* sys.sleep(1000);
      const fn = srv[what] as unknown as (...a: readonly unknown[]) => unknown;
      return fn(...args);
    },
  });
}

/** The callback that an operation sleeps in, when it is not the walk's. */
const STEPS: readonly (readonly [
  op: string,
  step: "open" | "create" | "stat" | "wstat" | "remove",
])[] = [
  ["open", "open"],
  ["truncate", "open"],
  ["open to be removed", "open"],
  ["create", "create"],
  ["create alone", "create"],
  ["mkdir", "create"],
  ["stat", "stat"],
  ["chmod", "wstat"],
  ["remove", "remove"],
];
const CASES = [...Object.keys(OPERATIONS).map((op) => [op, "walk1"] as const), ...STEPS];

/** Whether the file must be there for the operation to come as far as it should. */
const needsfile = (op: string): boolean => !/^create|^mkdir/.test(op);

/** The Tflushes among the last requests. */
const flushes = (w: World): number => w.sent.filter((s) => s.fcall.type === F.Tflush).length;

for (const step of ["walk1", "open", "create", "stat", "wstat", "remove"] as const)
  test(
    `a note inside a group flushes it once and waits for that; with ${step} slow`,
    world({ wrap: slow(step) }, async (t, w, sys) => {
      await sys.notify(async (_note, s) => (s as Sys).noted(0));
      await mkdir(sys, `${w.top}/d`);
      for (const [op] of CASES.filter((c) => c[1] === step)) {
        const name = `${w.top}/d/${op.replaceAll(" ", "")}`;
        if (needsfile(op)) await put(sys, name, "x");
        await w.even(t, sys, async () => {
          await sys.alarm(100);
          const cost = await w.cost(sys, async () => {
            t.regex(
              await failure(OPERATIONS[op]?.(sys, name) ?? Promise.resolve()),
              /interrupted$/,
              op,
            );
          });
          t.is(cost.trips, 3, op);
          t.is(flushes(w), 1, op);
        });
        if (needsfile(op)) t.is(await cat(sys, name), "x", op);
        else t.regex(await failure(sys.stat(name)), /does not exist|file does not exist/, op);
      }
    }),
  );

for (const step of ["walk1", "open", "create", "stat", "wstat", "remove"] as const)
  test(
    `a process killed inside a group is gone at once, and its group is settled behind it; with ${step} slow`,
    world({ wrap: slow(step) }, async (t, w, sys) => {
      await mkdir(sys, `${w.top}/d`);
      for (const [op] of CASES.filter((c) => c[1] === step)) {
        const name = `${w.top}/d/${op.replaceAll(" ", "")}`;
        if (needsfile(op)) await put(sys, name, "x");
        await w.even(t, sys, async () => {
          const pid = await sys.rfork(
            RFPROC,
            async (s: Sys) => void (await OPERATIONS[op]?.(s, name)),
          );
          await sys.sleep(100);
          const cost = await w.cost(sys, async () => {
            await put(sys, `/proc/${pid}/ctl`, "kill");
            t.is((await sys.wait()).pid, pid);
          });
          t.is(cost.trips, 0, op);
          t.is(flushes(w), 1, op);
        });
        if (needsfile(op)) t.is(await cat(sys, name), "x", op);
      }
    }),
  );

test(
  "an exclusive create whose name is removed while the server makes the file has the file",
  world({ wrap: slow("create") }, async (t, w, sys) => {
    await put(sys, `${w.top}/f`, "x");
    await w.even(t, sys, async () => {
      const making = sys.create(`${w.top}/f`, OWRITE | OEXCL, 0o666);
      await sys.sleep(200);
      await sys.remove(`${w.top}/f`);
      await sys.close(await making);
      t.is(await cat(sys, `${w.top}/f`), "");
      t.regex(
        await failure(sys.create(`${w.top}/f`, OWRITE | OEXCL, 0o666)),
        /file already exists$/,
      );
    });
  }),
);

test(
  "a note that comes when the answer is on its way changes nothing",
  world({}, async (t, w, sys) => {
    await sys.notify(async (_note, s) => (s as Sys).noted(0));
    await put(sys, `${w.top}/f`, "x");
    await w.even(t, sys, async () => {
      await sys.alarm(30);
      const began = w.net.now;
      const fd = await sys.create(`${w.top}/g`, OWRITE | OEXCL, 0o666);
      t.is(w.net.now - began, 50 * MS);
      await sys.close(fd);
    });
    t.is((await sys.stat(`${w.top}/g`)).length, 0);
  }),
);

test(
  "while a server is slow the name space is not",
  world({ wrap: slow("walk1") }, async (t, w, sys) => {
    const slowly = sys.stat(`${w.top}/x`).catch(() => undefined);
    const binding = sys.bind("/n/u", `${w.top}/x`, MBEFORE).catch(() => undefined);
    const began = w.net.now;
    await sys.bind("/tmp", "/n/u", MBEFORE);
    await put(sys, "/tmp/f", "f");
    t.is(await cat(sys, "/n/u/f"), "f");
    await sys.unmount(null, "/n/u");
    t.is(w.net.now, began);
    await Promise.all([slowly, binding]);
  }),
);

test(
  "of a union only the members up to the one that has the name are waited for",
  world({ members: 3 }, async (t, w, sys) => {
    await put(sys, "/n/u1/f", "1");
    await put(sys, "/n/u2/f", "2");
    w.links.get("u2")?.stall("2s");
    await w.even(t, sys, async () => {
      t.is((await w.cost(sys, async () => t.is((await sys.stat("/n/u/f")).length, 1))).trips, 1);
    });
    w.links.get("u2")?.stall("2s");
    await w.even(t, sys, async () => {
      t.is((await w.cost(sys, async () => t.is(await cat(sys, "/n/u/f"), "1"))).trips, 3);
    });
    // A member that is gone has nothing.
    w.links.get("u0")?.cut();
    t.is((await w.cost(sys, async () => t.is(await cat(sys, "/n/u/f"), "1"))).trips, 3);
    t.is(await failure(sys.stat("/n/u/none")), "'/n/u/none' file does not exist");
  }),
);
