// wstat and fwstat, by objects and by bytes, on each kind of file: device R, ramfs, a host's directory.

import test from "ava";
import type { ExecutionContext } from "ava";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newFs } from "../../devices/fs/fs-node.ts";
import {
  DMDIR,
  MAXELEM,
  MAXUNAME,
  MCREATE,
  MREPL,
  ORDWR,
  OREAD,
  OWRITE,
} from "../../kernel/abi/const.ts";
import { type Wstat } from "../../kernel/abi/dir.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { newram } from "../../userland/lib/ram.ts";
import { failure } from "../kit/kit.ts";
import { packdir } from "../kit/frames.ts";

/** Runs a program with a file /f/f in each kind of tree, and gives it the host's name of the file. */
function everywhere(
  fn: (t: ExecutionContext, sys: Sys, host: string | null) => Promise<void>,
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    for (const kind of ["mem", "ramfs", "fs"]) {
      const dir = mkdtempSync(join(tmpdir(), "namec-wstat-"));
      writeFileSync(join(dir, "f"), "precious");
      const k = await boot({
        clock: "virtual",
        files: { f: { f: "precious" } },
        devices: kind === "fs" ? [(kernel) => newFs(kernel, { root: dir })] : [],
        binds: kind === "fs" ? [["#U", "/f", MREPL | MCREATE]] : [],
      });
      const p = k.spawn(
        async (sys: Sys) => {
          if (kind === "ramfs") {
            await postmount(sys, (s) => newram(s, { user: "glenda" }), { mtpt: "/f" });
            await writefile(sys, "/f/f", "precious");
          }
          await fn(t, sys, kind === "fs" ? join(dir, "f") : null);
        },
        ["main"],
      );
      const status = await p.wait();
      if (p.crash !== undefined) throw p.crash;
      t.is(status, "", kind);
      await k.shutdown();
      rmSync(dir, { recursive: true });
    }
  };
}

/** The four ways to ask. */
const WAYS: readonly ((sys: Sys, w: Wstat) => Promise<unknown>)[] = [
  (sys, w) => sys.wstat("/f/f", w),
  (sys, w) => byfd(sys, (fd) => sys.fwstat(fd, w)),
  (sys, w) => sys.wstatraw("/f/f", packdir(w)),
  (sys, w) => byfd(sys, (fd) => sys.fwstatraw(fd, packdir(w))),
];

async function byfd(sys: Sys, fn: (fd: number) => Promise<unknown>): Promise<void> {
  const fd = await sys.open("/f/f", ORDWR);
  try {
    await fn(fd);
  } finally {
    await sys.close(fd);
  }
}

const NOTHING: readonly Wstat[] = [
  {},
  { name: "" },
  { gid: "" },
  { uid: "", muid: "" },
  { length: -1 },
  { mode: 0xffffffff },
  { mtime: 0xffffffff, atime: 0xffffffff },
  { type: 0xffff, dev: 0xffffffff },
];

test(
  "a wstat of leave-alone values changes nothing, whatever serves the file",
  everywhere(async (t, sys) => {
    const before = await sys.stat("/f/f");
    for (const w of [...NOTHING, Object.assign({}, ...NOTHING) as Wstat])
      for (const way of WAYS) {
        t.is(await failure(way(sys, w)), "no error");
        t.deepEqual({ ...(await sys.stat("/f/f")), atime: 0 }, { ...before, atime: 0 });
      }
    for (const w of [{ mode: -1 }, { mtime: -1 }, { atime: -1 }] as const)
      t.is(await failure(sys.wstat("/f/f", w)), "no error");
    t.deepEqual({ ...(await sys.stat("/f/f")), atime: 0 }, { ...before, atime: 0 });
    t.is(await readtext(sys, "/f/f"), "precious");
  }),
);

test(
  "a wstat out of range is refused before the file is touched",
  everywhere(async (t, sys, host) => {
    const before = await sys.stat("/f/f");
    const bad: Wstat[] = [
      { length: -5 },
      { length: NaN },
      { length: 0.5 },
      { length: 2 ** 53 },
      { mtime: 2 ** 32 },
      { mtime: -7 },
      { mode: 2 ** 33 },
      { atime: Infinity },
    ];
    for (const w of bad) {
      t.is(await failure(sys.wstat("/f/f", w)), "bad arg in system call");
      const fd = await sys.open("/f/f", ORDWR);
      t.is(await failure(sys.fwstat(fd, w)), "bad arg in system call");
      await sys.close(fd);
    }
    t.deepEqual({ ...(await sys.stat("/f/f")), atime: 0 }, { ...before, atime: 0 });
    if (host !== null)
      t.deepEqual([readFileSync(host, "utf8"), statSync(host).size], ["precious", 8]);
  }),
);

test(
  "a name that is too long, or no name, is refused by an error that says why",
  everywhere(async (t, sys) => {
    const long = "name too long: an element has at most 8192 bytes";
    for (const way of WAYS.slice(0, 2)) {
      t.is(await failure(way(sys, { name: "x".repeat(MAXELEM + 1) })), long);
      t.is(await failure(way(sys, { name: "é".repeat(MAXELEM / 2 + 1) })), long);
      t.is(await failure(way(sys, { name: "a/b" })), "bad character in file name: a/b");
      t.is(await failure(way(sys, { name: "a\nb" })), "bad character in file name: 'a\nb'");
      for (const field of ["uid", "gid", "muid"] as const)
        t.is(
          await failure(way(sys, { [field]: "x".repeat(MAXUNAME + 1) })),
          `name too long: ${field} has at most 255 bytes`,
        );
    }
    for (const n of [MAXELEM + 1, 65_535, 65_536, 65_540, 100_000]) {
      const name = `/f/${"x".repeat(n)}`;
      t.is(await failure(sys.stat(name)), long);
      t.is(await failure(sys.open(name, 0)), long);
      t.is(await failure(sys.create(name, 1, 0o666)), long);
      t.is(await failure(sys.remove(name)), long);
      t.is(await failure(sys.wstat(name, { mode: 0 })), long);
    }
    t.is((await sys.stat("/f/f")).name, "f", "the mount lives");
  }),
);

test(
  "the permissions of a create are 32 bits, with a sign or without, and no more",
  everywhere(async (t, sys) => {
    for (const perm of [2 ** 32, 2 ** 33 + 0o666, -(2 ** 31) - 1, NaN, 0.5, Infinity])
      t.is(await failure(sys.create("/f/new", OWRITE, perm)), "bad arg in system call");
    t.regex(await failure(sys.stat("/f/new")), /does not exist$/);
    await sys.close(await sys.create("/f/d1", OREAD, DMDIR | 0o700));
    await sys.close(await sys.create("/f/d2", OREAD, DMDIR + 0o700));
    t.is((await sys.stat("/f/d1")).mode, (await sys.stat("/f/d2")).mode);
  }),
);
