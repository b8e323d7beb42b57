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
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import { newram } from "../../userland/lib/ram.ts";
import { clunk, open, read, remove, said, stat, stream, version, walk, write } from "./msg.ts";
import { Rig } from "./rig.ts";

class Ramfs {
  readonly rig = new Rig();
  #fid = 10;

  constructor(perm = 0o775, limit = 2 ** 31) {
    this.rig.serve(newram(this.rig.sys, { user: "glenda", perm, limit }));
    this.ask(version(), this.attach(0, "glenda"), this.attach(1, "mallory"));
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
    const names: string[] = [];
    if (r?.type !== fc.Rread) return ["?"];
    for (let o = 0; o < r.data.length;) {
      const e = convM2D(r.data, o, r.data.length);
      if (e === null) break;
      names.push(e.dir.name);
      o = e.next;
    }
    return names;
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

test("the place of a removed file is not free while somebody has it open", (t) => {
  const fs = new Ramfs();
  const a = fs.create("a");
  fs.create("b");
  fs.remove("a");
  fs.create("c");
  t.deepEqual(fs.ls(), ["b", "c"]);
  fs.close(a);
  fs.create("d");
  t.deepEqual(fs.ls(), ["d", "b", "c"]);
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
    for (let o = 0; o < r.data.length;) {
      const e = convM2D(r.data, o, r.data.length);
      if (e === null) break;
      seen.push(e.dir.name);
      fs.remove(e.dir.name);
      o = e.next;
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
  t.is(typeof fs.open("lock"), "number");
  t.is(fs.open("lock"), "1 error:exclusive use file already open");
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
  const fs = new Ramfs(0o775, 300_000);
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
