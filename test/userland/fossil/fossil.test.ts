// What a fossil does when its disk fails, is full or is spoilt, when a snapshot goes, and who may do what.

import test from "ava";
import { DMDIR, DMEXCL, ORCLOSE, OREAD, OWRITE } from "../../../kernel/abi/const.ts";
import { Efull, PlanError } from "../../../kernel/abi/errors.ts";
import { istask } from "../../../userland/lib/9p/answer.ts";
import type { Fid } from "../../../userland/lib/9p/srv.ts";
import { FIRST, GRANULE } from "../../../userland/lib/fossil/format.ts";
import type { File } from "../../../userland/lib/fossil/srv.ts";
import { Disklog, Rig, finish, now } from "../../kit/fossilrig.ts";

/** The error of what must fail. */
function failure(fn: () => unknown): string {
  try {
    fn();
  } catch (e) {
    if (e instanceof PlanError) return e.message;
    throw e;
  }
  return "no error";
}

const bytes = (n: number, fill: number): Uint8Array => new Uint8Array(n).fill(fill);

/** Where a run of 64 equal bytes lies on the disk. */
const placeof = (disk: Disklog, fill: number): number =>
  Buffer.from(disk.image).indexOf(Buffer.alloc(64, fill));

/** A disk after its server ended in order, and a rig on it. */
function again(disk: Disklog): { disk: Disklog; rig: Rig } {
  const next = new Disklog(disk.image);
  return { disk: next, rig: new Rig(next) };
}

function made(fn: (rig: Rig) => void): Disklog {
  const disk = new Disklog();
  const rig = new Rig(disk);
  fn(rig);
  finish(rig.fossil.end());
  return disk;
}

test("a spoilt block fails with the name of its file, the others are as before, and check names it", (t) => {
  const before = made((rig) => {
    rig.create("/d", (DMDIR | 0o775) >>> 0);
    rig.put("/d/bad", bytes(5000, 7));
    rig.put("/d/good", bytes(5000, 8));
  });
  before.spoil(placeof(before, 7));
  const { rig } = again(before);
  t.regex(
    failure(() => rig.get("/d/bad")),
    /^\/d\/bad: i\/o error: block \d+ does not match its hash$/,
  );
  t.deepEqual([...new Set(rig.get("/d/good"))], [8]);
  rig.put("/d/new", "new");
  rig.sync();
  const faults = rig.check();
  t.is(faults.length, 1);
  t.regex(
    faults[0] ?? "",
    /^main\/active: \/d\/bad, byte 0: i\/o error: block \d+ does not match its hash$/,
  );
  rig.remove("/d/bad");
  rig.sync();
  t.deepEqual(rig.check(), []);
});

test("a spoilt block of a snapshot is told with the snapshot's name, and one at the top of the tree at the start", (t) => {
  const spoilt = made((rig) => {
    rig.put("/bad", bytes(5000, 7));
    finish(rig.fossil.snap(false));
  });
  const whole = spoilt.image.slice();
  spoilt.spoil(placeof(spoilt, 7));
  const { rig } = again(spoilt);
  const name = rig.fossil.list[0]?.name ?? "";
  t.regex(
    failure(() => rig.get(`/${name}/bad`, rig.root("main/snapshot"))),
    new RegExp(`^/${name}/bad: i/o error: block \\d+ does not match its hash$`),
  );
  const refusals: string[] = [];
  for (let addr = FIRST; addr * GRANULE < whole.length; addr++) {
    const disk = new Disklog(whole.slice());
    disk.spoil(addr * GRANULE);
    refusals.push(failure(() => void again(disk)));
  }
  t.true(
    refusals.some((said) =>
      said.startsWith("fossil: the top of the tree cannot be had: i/o error: "),
    ),
  );
});

test("a read that the disk refuses fails with the name of the file, and works when the disk does", (t) => {
  const { disk, rig } = again(made((r) => r.put("/f", bytes(5000, 7))));
  const fid = rig.open("/f", OREAD);
  disk.fails = { read: "i/o error: bus" };
  t.is(
    failure(() => rig.read(fid)),
    "/f: i/o error: bus",
  );
  disk.fails = {};
  t.is(rig.read(fid).length, 5000);
});

test("a sync that failed frees nothing that the root it may have written leads to", (t) => {
  const start = made((rig) => rig.put("/f", bytes(100_000, 1)));
  const { disk, rig } = again(start);
  rig.write(rig.open("/f", OWRITE), bytes(100_000, 2));
  let syncs = 0;
  const sync = disk.sync.bind(disk);
  disk.sync = () => {
    // The root is on the disk, though the disk says that it is not.
    if (++syncs === 2) throw new PlanError("i/o error");
    sync();
  };
  t.is(
    failure(() => rig.sync()),
    "i/o error",
  );
  const flushed = disk.ops.length;
  // Much is written into what is free by now, and the power goes before the next root is there.
  disk.fails = { sync: "i/o error" };
  for (let i = 0; i < 4; i++) rig.put(`/g${i}`, bytes(200_000, 3));
  t.is(
    failure(() => rig.sync()),
    "i/o error",
  );
  t.true(disk.ops.length > flushed);
  const left = new Rig(new Disklog(disk.image));
  t.deepEqual(left.check(), []);
  t.deepEqual([...new Set(left.get("/f"))], [2]);
  disk.fails = {};
  rig.sync();
  t.deepEqual(rig.check(), []);
  t.is(rig.get("/g3").length, 200_000);
});

test("a full disk refuses writes, loses nothing that it took, and takes more when files are removed", (t) => {
  const disk = new Disklog();
  const size = 4 << 20;
  const rig = new Rig(disk, { size });
  let taken = 0;
  let why = "";
  for (let i = 0; why === "" && i < 100; i++) {
    const fid = rig.create(`/f${i}`);
    const said = failure(() => rig.write(fid, bytes(100_000, i)));
    if (said === "no error") taken++;
    else why = said;
  }
  t.is(why, "file system full");
  t.true(taken > 20);
  rig.sync();
  for (let i = 0; i < taken; i++) t.deepEqual([...new Set(rig.get(`/f${i}`))], [i]);
  for (let i = 0; i < taken; i += 2) rig.remove(`/f${i}`);
  for (let i = 0; i < taken; i += 2) if (i < taken - 2) rig.put(`/g${i}`, bytes(100_000, 200));
  rig.sync();
  t.deepEqual(rig.check(), []);
  t.deepEqual([...new Set(new Rig(new Disklog(disk.image), { size }).get("/g0"))], [200]);
});

test("a file is written over many times on a disk that has room for it twice", (t) => {
  const rig = new Rig(new Disklog(), { size: 2 << 20, flush: 100_000 });
  const fid = rig.create("/f");
  for (let i = 0; i < 30; i++) rig.write(fid, bytes(600_000, i), 0);
  t.deepEqual([...new Set(rig.get("/f"))], [29]);
});

test("a host's full disk fails a sync; when there is room again, what was written is there", (t) => {
  const { disk, rig } = again(made(() => undefined));
  rig.put("/f", bytes(300_000, 5));
  disk.fails = { write: "file system full" };
  t.is(
    failure(() => rig.sync()),
    "file system full",
  );
  t.is(rig.get("/f").length, 300_000);
  disk.fails = {};
  rig.sync();
  const left = new Rig(new Disklog(disk.image));
  t.deepEqual([...new Set(left.get("/f"))], [5]);
  t.deepEqual(left.check(), []);
});

test("on a host's full disk a file can be removed, and the next has its room", (t) => {
  const ROOM = 2 << 20;
  class Small extends Disklog {
    override write(b: Uint8Array, at: number): void {
      if (at + b.length > ROOM) throw new PlanError(Efull);
      super.write(b, at);
    }
  }
  const rig = new Rig(new Small());
  for (let i = 0; i < 100; i++) {
    rig.put(`/f${i}`, bytes(100, i));
    if (i % 10 === 9) rig.sync();
  }
  const big = rig.create("/big");
  const full = failure(() => {
    for (let i = 0; i < 24; i++) rig.write(big, bytes(65536, i), i * 65536);
    rig.sync();
    for (let i = 24; i < 60; i++) rig.write(big, bytes(65536, i), i * 65536);
    rig.sync();
  });
  t.is(full, Efull);
  rig.clunk(big);
  rig.remove("/big");
  // What is tried in vain leaves room behind the end of the host's disk.
  t.is(
    failure(() => {
      rig.put("/one", bytes(ROOM, 1));
      rig.sync();
    }),
    Efull,
  );
  rig.remove("/one");
  rig.sync();
  rig.put("/next", bytes(ROOM / 2, 9));
  rig.sync();
  t.deepEqual(rig.check(), []);
  t.is(rig.get("/next").length, ROOM / 2);
});

test("what is written while a server ends is not in the map that it leaves", (t) => {
  class Busy extends Disklog {
    meanwhile = (): void => undefined;
    override write(b: Uint8Array, at: number): void {
      this.meanwhile();
      super.write(b, at);
    }
  }
  const disk = new Busy();
  const rig = new Rig(disk, { flush: 65536 });
  rig.put("/safe", bytes(1000, 1));
  const fid = rig.create("/busy");
  let offered = 0;
  disk.meanwhile = () => {
    if (offered++ > 0) return;
    const a = rig.fossil.srv.write?.(fid, bytes(200_000, 2), 0);
    if (istask(a)) a.return(0);
  };
  finish(rig.fossil.end());
  t.true(offered > 1);
  t.deepEqual(again(disk).rig.check(), []);
});

test("a snapshot that is removed is gone for those who look at it, and another file's bytes are not seen there", (t) => {
  const rig = new Rig(new Disklog());
  rig.put("/f", bytes(100_000, 1));
  const name = finish(rig.fossil.snap(false));
  const shelf = rig.root("main/snapshot");
  const fid = rig.open(`/${name}/f`, OREAD, shelf);
  rig.remove("/f");
  t.is(rig.read(fid).length, 100_000);
  finish(rig.fossil.remove(name));
  for (let i = 0; i < 8; i++) rig.put(`/g${i}`, bytes(100_000, 2));
  rig.sync();
  t.is(
    failure(() => rig.read(fid)),
    "no such snapshot",
  );
  t.is(rig.walk(`/${name}`, shelf), null);
  t.deepEqual(rig.check(), []);
});

test("a snapshot that is made is seen by those who have the snapshots mounted", (t) => {
  const rig = new Rig(new Disklog());
  const shelf = rig.root("main/archive");
  t.deepEqual(rig.ls("/", shelf), []);
  rig.put("/news", "old");
  t.is(finish(rig.fossil.snap(true)), "2025/1127");
  rig.write(rig.open("/news", OWRITE), "new");
  t.is(Buffer.from(rig.get("/2025/1127/news", shelf)).toString(), "old");
  t.deepEqual(
    rig.ls("/2025", shelf).map((d) => d.name),
    ["1127"],
  );
});

test("a disk that holds something else is refused, and not written over", (t) => {
  const disk = new Disklog(bytes(100_000, 42));
  t.is(
    failure(() => new Rig(disk)),
    "fossil: the disk holds something else, or its roots are lost",
  );
  t.is(disk.ops.length, 0);
});

test("a disk of another format is refused with a sentence", (t) => {
  const disk = made(() => undefined);
  const image = disk.image;
  for (const slot of [0, 4096]) image[slot + 16] = 9;
  t.is(
    failure(() => new Rig(new Disklog(image))),
    "fossil: disk of format 9, which this server does not know",
  );
});

test("after a crash a disk with a bad node is served still, and what is on it is not written over", (t) => {
  const disk = new Disklog();
  const first = new Rig(disk);
  for (let i = 0; i < 300; i++) first.put(`/f${i}`, bytes(900, i === 150 ? 100 : 1));
  first.put("/big", bytes(300_000, 9));
  first.sync();
  // A leaf of the tree: the entries of some files.
  const image = new Disklog(disk.image);
  image.spoil(placeof(image, 100));
  const rig = new Rig(image);
  t.is(rig.get("/big").length, 300_000);
  rig.put("/big2", bytes(300_000, 10));
  rig.sync();
  const left = new Rig(new Disklog(image.image));
  t.deepEqual([...new Set(left.get("/big"))], [9]);
  t.deepEqual([...new Set(left.get("/big2"))], [10]);
  t.true(left.check().some((f) => /a node of the tree: i\/o error/.test(f)));
});

test("the groups of /adm/users are read again when it is written or replaced, and stay when it is gone", (t) => {
  const rig = new Rig(new Disklog());
  const users = "adm:adm:adm:sys,glenda\nteam:team::ken\n";
  const may = (uid: string): boolean => {
    const fid = rig.fid(rig.walk("/shared") ?? rig.root(), uid);
    return failure(() => rig.fossil.srv.open?.(fid, OWRITE)) === "no error";
  };
  rig.put("/adm/other", users.replace("ken", "rob"));
  rig.put("/shared", "x");
  const fid = rig.open("/adm/users", OWRITE);
  rig.write(fid, users);
  rig.clunk(rig.open("/adm/users", OREAD));
  t.false(may("ken"), "the file is read when its writer closes it");
  rig.clunk(fid);
  rig.wstat("/shared", { mode: 0o660 });
  t.false(may("ken"));
  t.is(
    failure(() => rig.wstat("/shared", { gid: "team" })),
    "not owner",
  );
  const ownteam = rig.open("/adm/users", OWRITE);
  rig.write(ownteam, `${users}glenda:glenda::\nteam:team::ken,glenda\n`);
  rig.clunk(ownteam);
  rig.wstat("/shared", { gid: "team" });
  t.true(may("ken"));
  t.false(may("rob"));
  t.false(may("none"));
  rig.remove("/adm/users");
  t.true(may("ken"));
  rig.wstat("/adm/other", { name: "users" });
  t.true(may("rob"));
  t.false(may("ken"));
});

test("none owns nothing, whatever a file says", (t) => {
  const rig = new Rig(new Disklog());
  rig.wstat("/", { mode: (DMDIR | 0o777) >>> 0 });
  const fid = rig.fid(rig.root(), "none");
  const file = rig.fossil.srv.create?.(fid, "f", 0o644, OWRITE);
  t.truthy(file);
  const mine = rig.fid(rig.walk("/f") ?? rig.root(), "none");
  t.is(
    failure(() => rig.fossil.srv.wstat?.(mine, { mode: 0o666 })),
    "not owner",
  );
  t.is(
    failure(() => rig.fossil.srv.open?.(mine, OWRITE)),
    "permission denied",
  );
});

test("a file is removed by a user who may write its directory, or might when a fid of it was opened ORCLOSE", (t) => {
  const rig = new Rig(new Disklog());
  const { srv } = rig.fossil;
  const kens = (name: string): Fid<File> => {
    rig.put(name, "x");
    return rig.fid(rig.walk(name) ?? rig.root(), "ken");
  };
  const removed = (fid: Fid<File>): string => failure(() => now(srv.remove?.(fid)));
  rig.wstat("/", { mode: (DMDIR | 0o755) >>> 0 });
  t.is(removed(kens("/a")), "permission denied");
  rig.wstat("/", { mode: (DMDIR | 0o777) >>> 0 });
  t.is(removed(kens("/b")), "no error");
  const [closed, plain] = [kens("/c"), kens("/d")];
  for (const [fid, mode] of [
    [closed, OREAD | ORCLOSE],
    [plain, OREAD],
  ] as const) {
    now(srv.open?.(fid, mode));
    fid.omode = mode;
  }
  rig.wstat("/", { mode: (DMDIR | 0o755) >>> 0 });
  t.is(removed(plain), "permission denied");
  t.is(removed(closed), "no error");
  t.deepEqual(
    rig.ls("/").map((d) => d.name),
    ["adm", "a", "d"],
  );
});

test("only the fid that has a file for exclusive use gives it back", (t) => {
  const rig = new Rig(new Disklog());
  rig.put("/f", "x");
  const early = rig.open("/f", OREAD);
  rig.wstat("/f", { mode: (DMEXCL | 0o664) >>> 0 });
  const name = finish(rig.fossil.snap(false));
  const holds = rig.open("/f", OREAD);
  rig.clunk(early);
  const old = rig.open(`/${name}/f`, OREAD, rig.root("main/snapshot"));
  rig.clunk(old);
  t.is(
    failure(() => rig.open("/f", OREAD)),
    "exclusive use file already open",
  );
  rig.clunk(holds);
  t.is(
    failure(() => rig.open("/f", OREAD)),
    "no error",
  );
});

test("a file that is replaced gives its room back", (t) => {
  const rig = new Rig(new Disklog(), { replace: true });
  rig.put("/a", "a");
  rig.sync();
  const { used } = rig.fossil;
  rig.put("/b", new Uint8Array(1e6));
  rig.sync();
  rig.wstat("/a", { name: "b" });
  rig.sync();
  t.is(Buffer.from(rig.get("/b")).toString(), "a");
  t.is(rig.fossil.used, used);
  t.deepEqual(rig.check(), []);
});

test("a wstat that renames onto a name and shortens a large file does neither", (t) => {
  const rig = new Rig(new Disklog());
  rig.put("/f", bytes(60 * 65_536, 1));
  rig.put("/g", "");
  t.regex(
    failure(() => rig.wstat("/f", { name: "g", length: 10 })),
    /exists/,
  );
  t.is(rig.stat("/f").length, 60 * 65_536);
});

test("a read of many blocks comes to its end in a cache that holds fewer", (t) => {
  const disk = made((rig) => rig.put("/f", bytes(40 * 65_536, 6)));
  const rig = new Rig(new Disklog(disk.image), { cache: 1 });
  t.deepEqual([...new Set(rig.get("/f"))], [6]);
});

/** A disk whose roots were written at two moments, with the byte `at` of a slot turned round, opened an hour later. */
function lostroot(at: number): { said: string[]; faults: readonly string[]; safe: boolean } {
  const disk = new Disklog();
  const rig = new Rig(disk);
  rig.env.time += 60;
  rig.put("/later", "later");
  rig.sync();
  const spoilt = new Disklog(disk.image);
  spoilt.spoil(at);
  const said: string[] = [];
  const next = new Rig(spoilt, { log: (line) => said.push(line) }, "glenda", 3660);
  return { said, faults: next.check(), safe: next.walk("/later") !== null };
}

test("a root that cannot be read is told at the start and by check, with the one that is served and its time", (t) => {
  // The first root is in slot 0, the second in slot 1. Byte 100 is behind the generation.
  const newest = lostroot(4096 + 100);
  const sentence =
    "the newest root (slot 1) cannot be read: the other one is served, " +
    "of Thu Nov 27 09:30:00 GMT 2025, 61 minutes ago; what was made safe later is not there";
  t.deepEqual(newest, { said: [`fossil: ${sentence}`], faults: [sentence], safe: false });
  const older = lostroot(100);
  t.true(older.safe);
  t.regex(
    older.faults[0] ?? "",
    /^the older root \(slot 0\).*:31:00 GMT 2025, 60 minutes ago; nothing is lost$/,
  );
  const unknown = lostroot(4096);
  t.regex(unknown.said[0] ?? "", /^fossil: the newest or older root \(slot 1\)/);
});

test("the first root of a disk has none beside it, and none is missed", (t) => {
  const disk = new Disklog();
  t.deepEqual(new Rig(disk).check(), []);
  const said: string[] = [];
  t.deepEqual(new Rig(new Disklog(disk.image), { log: (line) => said.push(line) }).check(), []);
  t.deepEqual(said, []);
});

test("a name of a minute's snapshots is behind those that there are, also when an older one was removed", (t) => {
  const { fossil } = new Rig(new Disklog());
  const names = [1, 2, 3].map(() => finish(fossil.snap(false)));
  t.deepEqual(names, ["2025/1127/0930", "2025/1127/0930.1", "2025/1127/0930.2"]);
  finish(fossil.remove("2025/1127/0930"));
  t.is(finish(fossil.snap(false)), "2025/1127/0930.3");
  // Those of a day have names of their own.
  t.is(finish(fossil.snap(true)), "2025/1127");
  t.is(finish(fossil.snap(true)), "2025/1127.1");
});
