// ramfs: the rules and the words of Plan 9's.

import test, { type ExecutionContext } from "ava";
import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
} from "../../kernel/abi/const.ts";
import { type Dir, type Wstat, convD2M, sizeD2M, wstatdir, convM2D } from "../../kernel/abi/dir.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { type Ramopts, newram } from "../../userland/lib/ram.ts";
import { clunk, open, read, remove, said, stat, stream, version, walk, write } from "../kit/msg.ts";
import { Rig, chance } from "../kit/rig.ts";
import { entries } from "../kit/kit.ts";

class Ramfs {
  readonly rig = new Rig();
  #fid = 10;

  constructor(opts: Partial<Ramopts> & { readonly agreed?: number } = {}) {
    const { agreed = 65560, ...how } = opts;
    this.rig.serve(newram(this.rig.sys, { user: "glenda", ...how }));
    this.ask(
      version("9P2000.ix.stream", agreed),
      this.attach(0, "glenda"),
      this.attach(1, "mallory"),
    );
  }

  attach(fid: number, uname: string): Tmsg {
    return { type: fc.Tattach, tag: 1, fid, afid: 0xffffffff, uname, aname: "" };
  }

  ask(...fs: Tmsg[]): string[] {
    return this.rig.rpc(...fs).map(said);
  }

  /** Creates a file as a user; gives the open fid, or what was said. */
  create(name: string, { perm = 0o666, mode = ORDWR, as = 0, dir = "" } = {}): number | string {
    const fid = this.#fid++;
    this.ask(walk(as, fid, dir));
    const [r = ""] = this.ask({ type: fc.Tcreate, tag: 1, fid, name, perm: perm >>> 0, mode });
    return r === `1 ${fc.Rcreate}` ? fid : r;
  }

  /** Opens a file as a user; gives the fid, or what was said. */
  open(name: string, mode = OREAD, as = 0): number | string {
    const fid = this.#fid++;
    const [w = "", r = ""] = this.ask(walk(as, fid, name), open(fid, mode));
    return r === `1 ${fc.Ropen}` ? fid : w.includes("error") ? w : r;
  }

  stat(name: string): Dir | null {
    const fid = this.#fid++;
    const [, r] = this.rig.rpc(walk(0, fid, name), stat(fid), clunk(fid));
    return r?.type === fc.Rstat ? (convM2D(r.stat, 0, r.stat.length)?.dir ?? null) : null;
  }

  wstat(name: string, w: Wstat, as = 0): string {
    const d = wstatdir(w);
    const entry = new Uint8Array(sizeD2M(d));
    convD2M(d, entry, 0);
    const fid = this.#fid++;
    return (
      this.ask(walk(as, fid, name), { type: fc.Twstat, tag: 1, fid, stat: entry }, clunk(fid))[1] ??
      ""
    );
  }

  /** The names in a directory, as it gives them. */
  ls(name = ""): string[] {
    const fid = this.open(name);
    if (typeof fid === "string") return [fid];
    const [r] = this.rig.rpc(read(fid, 1, 0, 60000), clunk(fid));
    return r?.type === fc.Rread ? entries(r.data).map((d) => d.name) : ["?"];
  }

  close(fid: number | string): string[] {
    return this.ask(clunk(Number(fid)));
  }

  remove(name: string, as = 0): string {
    const fid = this.#fid++;
    return this.ask(walk(as, fid, name), remove(fid))[1] ?? "";
  }
}

const OK = { stat: `1 ${fc.Rwstat}`, remove: `1 ${fc.Rremove}` };

function made(t: ExecutionContext, fs: Ramfs, ...names: string[]): void {
  for (const name of names) t.is(typeof fs.create(name), "number");
}

test("a new file takes the first free place in its directory", (t) => {
  const fs = new Ramfs();
  for (const name of ["a", "b", "c", "d"]) fs.close(fs.create(name));
  fs.remove("b");
  fs.remove("a");
  made(t, fs, "e");
  t.deepEqual(fs.ls(), ["e", "c", "d"]);
  made(t, fs, "f", "g");
  t.deepEqual(fs.ls(), ["e", "f", "c", "d", "g"]);
});

test("a directory lists its files by place, whatever comes, goes and is renamed", (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const pick = chance(seed);
    const fs = new Ramfs();
    // The model: the files of the tree by place, null where one is free.
    const places: (string | null)[] = [];
    let n = 0;
    for (let i = 0; i < 200; i++) {
      const there = places.filter((name) => name !== null);
      const some = there[pick(Math.max(1, there.length))];
      const what = pick(i < 100 ? 4 : 3);
      if (what === 0 && some !== undefined) {
        t.is(fs.remove(some), OK.remove);
        places[places.indexOf(some)] = null;
      } else if (what === 1 && some !== undefined) {
        t.is(fs.wstat(some, { name: `r${n}` }), OK.stat);
        places[places.indexOf(some)] = `r${n++}`;
      } else {
        fs.close(fs.create(`f${n}`));
        const free = places.indexOf(null);
        places[free < 0 ? places.length : free] = `f${n++}`;
      }
      t.deepEqual(
        fs.ls(),
        places.filter((name) => name !== null),
        `seed ${seed}`,
      );
    }
  }
});

test("the place of a removed file is free at once, and its opens count there until they end", (t) => {
  const fs = new Ramfs();
  const a = fs.create("a");
  fs.create("b");
  fs.remove("a");
  const c = fs.create("c", { perm: DMEXCL | 0o666 });
  t.deepEqual(fs.ls(), ["c", "b"]);
  fs.close(c);
  t.regex(String(fs.open("c")), /exclusive use file already open/);
  fs.close(a);
  t.is(typeof fs.open("c"), "number");
});

test("a directory that changes while it is read gives each file that stays once", (t) => {
  const fs = new Ramfs();
  for (let i = 0; i < 50; i++) fs.close(fs.create(`f${String(i).padStart(2, "0")}`));
  const dir = Number(fs.open(""));
  const seen: string[] = [];
  for (let offset = 0; ;) {
    const [r] = fs.rig.rpc(read(dir, 1, offset, 400));
    if (r?.type !== fc.Rread || r.data.length === 0) break;
    offset += r.data.length;
    for (const { name } of entries(r.data)) {
      seen.push(name);
      fs.remove(name);
    }
  }
  t.is(seen.length, 50);
  t.deepEqual(fs.ls(), []);
});

test("what was removed does not exist any more, also for those who have it open", (t) => {
  const fs = new Ramfs();
  const f = Number(fs.create("f"));
  t.is(fs.remove("f"), OK.remove);
  const gone = "1 error:file does not exist";
  t.deepEqual(fs.ask(read(f), write(f, "x"), stat(f)), [gone, gone, gone]);
  const d = Number(fs.create("d", { perm: DMDIR | 0o777, mode: OREAD }));
  fs.ask(walk(0, 5, "d"));
  fs.remove("d");
  t.deepEqual(
    fs.ask(walk(5, 6, "x"), walk(5, 6, ".."), read(d), {
      type: fc.Tcreate,
      tag: 1,
      fid: 5,
      name: "x",
      perm: 0,
      mode: 0,
    }),
    [gone, gone, gone, gone],
  );
});

test("a directory is removed when it is empty, the root never", (t) => {
  const fs = new Ramfs();
  fs.create("d", { perm: DMDIR | 0o777, mode: OREAD });
  fs.create("x", { dir: "d" });
  t.is(fs.remove("d"), "1 error:directory not empty");
  t.is(fs.remove("d/x"), OK.remove);
  t.is(fs.remove("d"), OK.remove);
  t.is(fs.remove(""), "1 error:permission denied");
});

test("permissions are those of owner, group and others together, and the directory's limit them", (t) => {
  const fs = new Ramfs();
  const mode = (name: string): string => ((fs.stat(name)?.mode ?? 0) >>> 0).toString(8);
  fs.create("p2", { perm: 0o777 });
  t.is(mode("p2"), "775");
  fs.create("d", { perm: DMDIR | 0o750, mode: OREAD });
  fs.create("x", { dir: "d", perm: 0o666 });
  fs.create("y", { dir: "d", perm: 0o777 });
  t.deepEqual([mode("d/x"), mode("d/y")], ["640", "751"]);
  const denied = "1 error:permission denied";
  t.is(fs.open("p2", OWRITE, 1), denied);
  t.is(fs.create("no", { as: 1 }), denied);
  t.is(fs.remove("p2", 1), denied);
  t.is(fs.open("d/x", OREAD, 1), denied);
  fs.wstat("p2", { mode: 0 });
  t.is(fs.open("p2"), denied, "the owner, too");
  fs.wstat("p2", { mode: 0o444 });
  t.is(fs.open("p2", OREAD | OTRUNC), denied);
  t.is(typeof fs.open("p2", OREAD | ORCLOSE), "number", "that needs to write the directory only");
  t.is(fs.open("d/x", OREAD | ORCLOSE, 1), denied);
});

test("ORCLOSE asks for the directory's permission beside the file's", (t) => {
  const fs = new Ramfs();
  fs.create("f", { perm: 0o644 });
  t.is(typeof fs.open("f", OREAD, 1), "number", "mallory may read it");
  t.is(fs.open("f", OREAD | ORCLOSE, 1), "1 error:permission denied", "and not remove it");
  t.is(typeof fs.open("f", OREAD | ORCLOSE), "number");
});

test("wstat asks stat(5)'s rules, and changes all or nothing", (t) => {
  const fs = new Ramfs();
  made(t, fs, "a", "b");
  t.is(fs.wstat("a", { name: "b", mode: 0o600 }), "1 error:file exists");
  t.is(fs.stat("a")?.mode, 0o664);
  t.is(fs.wstat("a", { mode: 0o600 }, 1), "1 error:not owner");
  t.is(fs.wstat("a", { name: "z" }, 1), "1 error:permission denied");
  t.is(fs.wstat("a", { gid: "mallory" }, 1), "1 error:not owner");
  t.is(fs.wstat("a", { length: 5 }, 1), "1 error:permission denied");
  t.is(
    fs.wstat("a", { name: "a", mode: (DMDIR | 0o640) >>> 0, gid: "sys", length: 3, mtime: 77 }),
    OK.stat,
  );
  const d = fs.stat("a");
  t.deepEqual([d?.mode, d?.gid, d?.length, d?.mtime], [0o640, "sys", 3, 77]);
  t.is(fs.wstat("a", { name: "c" }), OK.stat);
  t.deepEqual(fs.ls(), ["c", "b"]);
  t.is(fs.wstat("c", {}), OK.stat);
  t.is(fs.wstat("", { length: 7 }), "1 error:permission denied");
});

test("append-only and exclusive files are so", (t) => {
  const fs = new Ramfs();
  const log = Number(fs.create("log", { perm: DMAPPEND | 0o666 }));
  fs.ask(write(log, "abc", 1, 0), write(log, "def", 1, 0));
  t.deepEqual(fs.ask(read(log)), ["1 read:abcdef"]);
  fs.open("log", OWRITE | OTRUNC);
  t.is(fs.stat("log")?.length, 6);
  const lock = fs.create("lock", { perm: DMEXCL | 0o666 });
  t.is(fs.open("lock"), "1 error:exclusive use file already open");
  fs.close(lock);
  for (const mode of [OREAD, ORDWR]) {
    const fid = fs.open("lock", mode);
    t.is(typeof fid, "number");
    t.is(fs.open("lock"), "1 error:exclusive use file already open");
    fs.close(fid);
  }
});

test("the times of a file and of its directory are in seconds, of what was done last", (t) => {
  const fs = new Ramfs();
  const at = (second: number): void => void (fs.rig.now = BigInt(second) * 1_000_000_000n + 5n);
  const times = (name: string): number[] => {
    const d = fs.stat(name);
    return [d?.atime ?? -1, d?.mtime ?? -1];
  };
  at(100);
  const f = Number(fs.create("f"));
  t.deepEqual(times("f"), [100, 100]);
  t.is(times("")[1], 100);
  at(200);
  fs.ask(write(f, "x"));
  t.deepEqual(times("f"), [100, 200]);
  at(300);
  fs.ask(read(f));
  t.deepEqual(times("f"), [300, 200]);
  at(400);
  fs.wstat("f", { mode: 0o600 });
  t.deepEqual([times("f"), times("")[1]], [[300, 200], 400]);
  at(500);
  fs.remove("f");
  t.is(times("")[1], 500);
});

test("a wstat that changes nothing is anybody's, of the root too", (t) => {
  const fs = new Ramfs();
  fs.create("f");
  for (const name of ["f", ""]) t.is(fs.wstat(name, {}, 1), OK.stat);
});

test("writing beyond the end leaves zeros, and vers counts the changes", (t) => {
  const fs = new Ramfs();
  const f = Number(fs.create("f"));
  fs.ask(write(f, "ab", 1, 0), write(f, "z", 1, 200_000));
  const d = fs.stat("f");
  t.deepEqual([d?.length, d?.qid.vers], [200_001, 2]);
  t.deepEqual(fs.ask(read(f, 1, 1, 3), read(f, 1, 199_999, 9), read(f, 1, 200_001, 9)), [
    "1 read:b\0\0",
    "1 read:\0z",
    "1 read:",
  ]);
  t.is(fs.wstat("f", { length: 1 }), OK.stat);
  t.is(fs.wstat("f", { length: 4 }), OK.stat);
  t.deepEqual(fs.ask(read(f)), ["1 read:a\0\0\0"]);
});

test("there is a limit to one file, and to all of them", (t) => {
  const fs = new Ramfs({ limit: 300_000 });
  const f = Number(fs.create("f"));
  t.deepEqual(fs.ask(write(f, "x", 3, 768 * 1024 * 1024)), ["3 error:write too big"]);
  t.is(fs.wstat("f", { length: 2 ** 40 }), "1 error:write too big");
  const full = "1 error:no free ram resources";
  const big = "x".repeat(60_000);
  t.deepEqual(fs.ask(...[0, 1, 2, 3, 4].map((i) => write(f, big, 1, i * 65536)), stat(f)), [
    ...Array.from({ length: 4 }, () => "1 write:60000"),
    full,
    `1 ${fc.Rstat}`,
  ]);
  t.is(fs.remove("f"), OK.remove);
  const g = Number(fs.create("g"));
  t.deepEqual(fs.ask(write(g, big)), ["1 write:60000"], "what was removed makes room");
});

test("a file is streamed as it is read", (t) => {
  const fs = new Ramfs();
  const f = Number(fs.create("f"));
  for (let i = 0; i < 5; i++) fs.ask(write(f, String(i).repeat(60_000), 1, i * 60_000));
  const got = fs.rig.rpc(stream(f)).map((r) => (r.type === fc.Rstream ? r.data.length : -1));
  t.deepEqual(got, [65536, 65536, 65536, 65536, 37856, 0]);
});

test("the limits are options, and a write that breaks one changes nothing", (t) => {
  const fs = new Ramfs({ maxfile: 100_000, limit: 200_000 });
  const f = Number(fs.create("f"));
  const big = "x".repeat(50_000);
  t.deepEqual(fs.ask(write(f, big), write(f, big, 1, 50_000)), ["1 write:50000", "1 write:50000"]);
  t.deepEqual(fs.ask(write(f, "x", 2, 100_000)), ["2 error:write too big"]);
  t.is(fs.wstat("f", { length: 100_001 }), "1 error:write too big");
  const g = Number(fs.create("g"));
  const before = fs.stat("g");
  t.deepEqual(fs.ask(write(g, "y".repeat(60_000), 1, 30_000)), ["1 error:no free ram resources"]);
  t.deepEqual(fs.stat("g"), before);
  t.deepEqual(fs.ask(write(f, "z", 1, 99_999)), ["1 write:1"], "what is there can be overwritten");
});

test("what takes all that there is has room, and one byte more has none", (t) => {
  const entry = 512;
  const fs = new Ramfs({ limit: entry + 1 + 64 });
  const f = Number(fs.create("f"));
  t.deepEqual(fs.ask(write(f, "x".repeat(64))), ["1 write:64"]);
  t.is(fs.wstat("f", { name: "ff" }), "1 error:no free ram resources");
  t.is(typeof new Ramfs({ limit: entry + 1 }).create("f"), "number");
  t.is(new Ramfs({ limit: entry }).create("f"), "1 error:no free ram resources");
});

test("of files that were removed no byte is left", (t) => {
  const fs = new Ramfs({ limit: 1200 });
  for (let i = 0; i < 20; i++) {
    const f = Number(fs.create("f"));
    t.deepEqual(fs.ask(write(f, "x".repeat(300))), ["1 write:300"], `${i}`);
    fs.remove("f");
  }
});

test("names and entries count, too", (t) => {
  const fs = new Ramfs({ limit: 20_000 });
  const longest = "n".repeat(8000);
  t.is(typeof fs.create(`${longest}1`), "number");
  t.is(typeof fs.create(`${longest}2`), "number");
  t.is(fs.create(`${longest}3`), "1 error:no free ram resources");
  t.is(typeof fs.create("short"), "number");
  t.is(fs.wstat("short", { name: `${longest}4` }), "1 error:no free ram resources");
  t.is(fs.remove(`${longest}1`), OK.remove);
  t.is(fs.wstat("short", { name: `${longest}4` }), OK.stat);
});

test("memory is given back when a file is cut, truncated or removed, also while it is open", (t) => {
  for (const free of ["wstat", "truncate", "remove", "close"] as const) {
    const fs = new Ramfs({ limit: 200_000 });
    const fill = (name: string): string => {
      const fid = Number(fs.create(name, free === "close" ? { mode: ORDWR | ORCLOSE } : {}));
      const said = fs.ask(...[0, 1].map((i) => write(fid, "x".repeat(60_000), 1, i * 60_000)));
      if (free === "close") fs.close(fid);
      return said.at(-1) ?? "";
    };
    for (let i = 0; i < 5; i++) {
      t.is(fill(`f${i}`), "1 write:60000", `${free} ${i}`);
      if (free === "wstat") fs.wstat(`f${i}`, { length: 1 });
      if (free === "truncate") fs.close(fs.open(`f${i}`, OWRITE | OTRUNC));
      if (free === "remove") fs.remove(`f${i}`);
    }
  }
});

test("an entry that had no room in one read is what it is by the next", (t) => {
  const fs = new Ramfs();
  const b = "b".repeat(100);
  for (const name of ["a", b, "c"]) fs.create(name);
  const dir = Number(fs.open(""));
  const names = (r: Rmsg | undefined): string[] =>
    r?.type === fc.Rread ? entries(r.data).map((d) => `${d.name.slice(0, 1)} ${d.length}`) : ["?"];
  const [first] = fs.rig.rpc(read(dir, 1, 0, 150));
  t.deepEqual(names(first), ["a 0"]);
  fs.ask(write(Number(fs.open(b, OWRITE)), "12345"));
  const at = first?.type === fc.Rread ? first.data.length : 0;
  const [next] = fs.rig.rpc(read(dir, 1, at, 250));
  t.deepEqual(names(next), ["b 5", "c 0"]);
  const again = Number(fs.open(""));
  fs.rig.rpc(read(again, 1, 0, 150));
  fs.remove(b);
  const [left] = fs.rig.rpc(read(again, 1, at, 250));
  t.deepEqual(names(left), ["c 0"], "and one that is gone is not there");
});

test("an entry that fits no read is an error, and the end is not said before it", (t) => {
  const fs = new Ramfs();
  for (const name of ["a", "b".repeat(300), "c"]) fs.create(name);
  const dir = Number(fs.open(""));
  const [first] = fs.rig.rpc(read(dir, 1, 0, 200));
  const at = first?.type === fc.Rread ? first.data.length : 0;
  t.true(at > 0);
  t.deepEqual(fs.ask(read(dir, 1, at, 200)), ["1 error:i/o count too small"]);
  const [rest] = fs.rig.rpc(read(dir, 1, at, 1000));
  t.true(rest?.type === fc.Rread && rest.data.length > 400, "a bigger read goes on from there");
  const streamed = Number(fs.open(""));
  const run = fs.ask(stream(streamed, 1, 0, 200));
  t.deepEqual([run.length, run[1]], [2, "1 stream:0"], "a run with no room for more just ends");
  t.deepEqual(fs.ask(stream(streamed, 1, at, 200)), ["1 error:i/o count too small"]);
});

test("over a connection of small messages no entry is made that it could not read", (t) => {
  const fs = new Ramfs({ agreed: 256 });
  const long = "1 error:name too long: an entry has at most 232 bytes here";
  const most = 232 - 49 - 3 * "glenda".length;
  t.is(fs.create("x".repeat(most + 1)), long);
  t.is(typeof fs.create("x".repeat(most)), "number");
  fs.create("f");
  t.is(fs.wstat("f", { name: "y".repeat(most + 1) }), long);
  t.is(fs.wstat("f", { gid: "g".repeat(180) }), long);
  t.is(fs.wstat("f", { name: "y".repeat(most) }), OK.stat);
  t.deepEqual(fs.ls().length, 1, "of the read of all that fits");
});

test("a length set by wstat is a change: version, time and author say so", (t) => {
  const fs = new Ramfs({ perm: 0o777 });
  const f = Number(fs.create("f", { perm: 0o666 }));
  fs.ask(write(f, "abc"));
  fs.wstat("", { mode: (DMDIR | 0o777) >>> 0 });
  fs.wstat("f", { mode: 0o666, mtime: 5 });
  const [before] = [fs.stat("f")];
  t.is(fs.wstat("f", { length: 2 }, 1), OK.stat);
  const after = fs.stat("f");
  t.is(after?.qid.vers, (before?.qid.vers ?? 0) + 1);
  t.true((after?.mtime ?? 5) !== 5, "it is of now");
  t.is(after?.muid, "mallory");
  t.is(fs.wstat("f", { length: 2 }), OK.stat);
  t.deepEqual(fs.stat("f"), after, "the same length is no change");
  t.is(fs.wstat("f", { length: 1, mtime: 9 }), OK.stat);
  t.deepEqual(
    [fs.stat("f")?.mtime, fs.stat("f")?.muid],
    [9, "glenda"],
    "a time that is given counts",
  );
});

test("the last who wrote a file is its muid, and of a directory who changed what it has", (t) => {
  const fs = new Ramfs({ perm: 0o777 });
  const muid = (name: string): string | undefined => fs.stat(name)?.muid;
  const f = fs.create("f", { perm: 0o666, as: 1 });
  t.deepEqual([muid("f"), muid("")], ["mallory", "mallory"]);
  fs.close(f);
  fs.wstat("f", { mode: 0o666 }, 1);
  const g = Number(fs.open("f", OWRITE));
  t.is(muid("f"), "mallory", "an open changes nothing");
  fs.ask(write(g, "x"));
  t.is(muid("f"), "glenda");
  fs.close(fs.open("f", OWRITE | OTRUNC, 1));
  t.is(muid("f"), "mallory");
  fs.remove("f");
  t.is(muid(""), "glenda");
});

test("a new directory is not open to be written, whatever the mode of its create", (t) => {
  const fs = new Ramfs();
  for (const mode of [OWRITE, ORDWR, OWRITE | OTRUNC]) {
    const d = Number(fs.create(`d${mode}`, { perm: DMDIR | 0o777, mode }));
    t.deepEqual(fs.ask(write(d, "x")), ["1 error:write on fid with open mode 0x0"]);
    t.deepEqual(fs.ask(read(d)), ["1 read:"]);
    t.is(fs.stat(`d${mode}`)?.length, 0);
  }
});
