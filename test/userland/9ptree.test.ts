// tree(): directories that functions make, create, remove and wstat, async callbacks; and what is said of a callback
// that throws.

import test from "ava";
import { DMDIR, OREAD, ORCLOSE, OWRITE } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { dir, file, tree } from "../../userland/lib/9p.ts";
import type { Anysrv, Directory, Entryof, Files, Srv } from "../../userland/lib/9p.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { expect, machine } from "../../userland/testing/index.ts";
import type { Machine } from "../../userland/testing/index.ts";

async function serving(serve: () => Anysrv): Promise<Machine> {
  const m = await machine();
  await m.server("far", { serve });
  return m;
}

/** A directory of notes, each with its text, that may be made, renamed and removed. */
function notes(log: string[]): Directory {
  const texts = new Map<string, string>();
  const note = (name: string): Entryof =>
    file({
      read: async () => (await Promise.resolve(texts.get(name))) ?? "",
      *write(text) {
        texts.set(name, `${texts.get(name) ?? ""}${text}`);
      },
      remove: async () => void texts.delete(name),
      wstat: ({ name: to = name, mode }) => {
        log.push(`wstat ${name} ${to} ${mode ?? "-"}`);
        texts.set(to, texts.get(name) ?? "");
        if (to !== name) texts.delete(name);
      },
    });
  return dir({
    files: async (): Promise<Files> =>
      Object.fromEntries([...texts.keys()].map((name) => [name, note(name)])),
    create: async (name, perm) => {
      log.push(`create ${name} ${perm.toString(8)}`);
      texts.set(name, "");
      await Promise.resolve();
      return note(name);
    },
  });
}

test("files of a directory that a function makes are created, written, renamed and removed", async (t) => {
  const log: string[] = [];
  const m = await serving(() => tree({ notes: notes(log), motd: "hi" }));
  const r = await m.run(async (sys: Sys) => {
    await writefile(sys, "/n/far/notes/a", "one");
    const { qid } = await sys.stat("/n/far/notes/a");
    await sys.chdir("/n/far/notes");
    await writefile(sys, "b", "two");
    t.is(await readtext(sys, "a"), "one");
    t.deepEqual((await sys.stat("a")).qid, qid);
    t.deepEqual(
      (await readdir(sys, ".")).map((d) => d.name),
      ["a", "b"],
    );
    await sys.wstat("b", { name: "c" });
    t.is(await readtext(sys, "c"), "two");
    await sys.remove("a");
    await t.throwsAsync(sys.stat("a"), { message: /does not exist/ });
    await sys.close(await sys.open("c", OREAD | ORCLOSE));
    t.deepEqual(await readdir(sys, "."), []);
    for (const [call, message] of [
      [sys.create("/n/far/new", OWRITE, 0o666), /create prohibited/],
      [sys.remove("/n/far/motd"), /remove prohibited/],
      [sys.wstat("/n/far/motd", { name: "x" }), /wstat prohibited/],
      [sys.open("/n/far/motd", OREAD | ORCLOSE), /permission denied/],
    ] as const)
      await t.throwsAsync(call, { message });
  });
  expect(r).status("").closes();
  t.deepEqual(log, ["create a 666", "create b 666", "wstat b c -"]);
  await m.end();
});

test("the mode of a file says what its functions allow", async (t) => {
  const read = (): string => "";
  const write = (): void => undefined;
  const files = {
    text: "x",
    out: file({ read }),
    in: file({ write }),
    both: file({ read, write }),
    neither: file({}),
    d: {},
    made: notes([]),
  };
  const m = await serving(() => tree(files));
  await m.run(async (sys: Sys) => {
    t.deepEqual(
      (await readdir(sys, "/n/far")).map((d) => `${d.name} ${d.mode.toString(8)}`),
      [
        "text 444",
        "out 444",
        "in 222",
        "both 666",
        "neither 0",
        "d 20000000555",
        "made 20000000777",
      ],
    );
  });
  await m.end();
});

test("a directory may be made, and is a place of its own", async (t) => {
  const made = new Map<string, Directory>();
  const files = (): Files => Object.fromEntries(made);
  const within = dir({
    files,
    create(name, perm) {
      t.not(perm & DMDIR, 0);
      const sub = dir({ files: () => ({ name }), remove: () => void made.delete(name) });
      made.set(name, sub);
      return sub;
    },
  });
  const m = await serving(() => tree({ within }));
  await m.run(async (sys: Sys) => {
    await sys.close(await sys.create("/n/far/within/d", OREAD, DMDIR | 0o777));
    t.is(await readtext(sys, "/n/far/within/d/name"), "d");
    await t.throwsAsync(sys.create("/n/far/within/d/x", OWRITE, 0o666), {
      message: /create prohibited/,
    });
    await sys.remove("/n/far/within/d");
    await t.throwsAsync(sys.stat("/n/far/within/d"), { message: /does not exist/ });
  });
  await m.end();
});

test("an async callback that fails refuses, and one that waits is interrupted by a flush", async (t) => {
  const srv: Srv<number> = {
    attach: () => 0,
    qid: (n) => ({ path: BigInt(n), vers: 0, type: n === 0 ? 0x80 : 0 }),
    stat: async () => {
      await Promise.resolve();
      throw new (await import("../../kernel/abi/errors.ts")).PlanError("no stat");
    },
    walk1: async (_dir, name) => (name === "x" ? 1 : null),
    open: () => undefined,
    read: async () => await new Promise<Uint8Array>(() => undefined),
  };
  const m = await serving(() => srv as Anysrv);
  await m.run(async (sys: Sys) => {
    await t.throwsAsync(sys.stat("/n/far/x"), { message: "no stat" });
    await t.throwsAsync(sys.stat("/n/far/y"), { message: /does not exist/ });
    const fd = await sys.open("/n/far/x", OREAD);
    await sys.notify((_note, s) => (s as Sys).noted(0));
    await sys.alarm(20);
    await t.throwsAsync(sys.read(fd, new Uint8Array(9)), { message: "interrupted" });
  });
  await m.end();
});

function broken(what: "plain" | "async"): Srv<number> {
  const fault = (): Uint8Array => {
    throw new TypeError("my fault");
  };
  return {
    attach: () => 0,
    qid: (n) => ({ path: BigInt(n), vers: 0, type: n === 0 ? 0x80 : 0 }),
    stat: () => {
      throw new RangeError("no stat");
    },
    walk1: (_dir, name) => (name === "x" ? 1 : null),
    open: () => undefined,
    read: what === "plain" ? fault : async () => fault(),
  };
}

for (const what of ["plain", "async"] as const)
  test(`what a ${what} callback threw is in the failure, at the end, and on descriptor 2`, async (t) => {
    const m = await serving(() => broken(what) as Anysrv);
    const reads = async (sys: Sys): Promise<void> => void (await readtext(sys, "/n/far/x"));
    const r = await m.try(reads);
    expect(r).status("i/o on hungup channel");
    t.regex(r.faults[0] ?? "", /^far: TypeError: my fault\n {4}at .*fault \(.*9ptree\.test/);
    t.false((r.faults[0] ?? "").includes("lib/9p"));
    const said = /far: TypeError: my fault\n +at .*fault /;
    t.regex(r.show(), said);
    await t.throwsAsync(m.end(), {
      message: /^callbacks of servers threw:\n {2}far: TypeError: my/,
    });
    const taken = await serving(() => broken(what) as Anysrv);
    await t.throwsAsync(taken.run(reads), { message: said });
    await taken.end();
    const again = await serving(() => broken(what) as Anysrv);
    await again.try(reads);
    t.is(again.servers.get("far")?.faults.splice(0).length, 1);
    await again.end();
  });
