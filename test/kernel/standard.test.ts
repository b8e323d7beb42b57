// The name space `standard`: the messages that it sends, against the table of what real kernels sent; and
// what bind, mount and union directories do there.

import test from "ava";
import type { ExecutionContext } from "ava";
import type { Booted } from "../../kernel/boot.ts";
import {
  DMDIR,
  MAFTER,
  MBEFORE,
  MCREATE,
  MREPL,
  ORDWR,
  OREAD,
  OSTREAM,
  OWRITE,
  RFCNAMEG,
  RFFDG,
  RFNAMEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { fcallfmt } from "../../kernel/abi/fcallfmt.ts";
import type { Tree } from "../../devices/mem.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { cat, entries, failure, mkdir, mountram, put, run, steps, within } from "../kit/kit.ts";
import { Fake } from "../kit/fake.ts";
import { R, ROWS, TABLE } from "../kit/standardrows.ts";
import type { Row } from "../kit/standardrows.ts";
import { readtext } from "../../userland/lib/io.ts";

const NEWDIR = (DMDIR | 0o777) >>> 0;

const FILES: Tree = {
  tmp: {
    a: { fa: "A", dup: "A", sub: { sa: "A" } },
    b: { fb: "B", dup: "B", in: { deep: {} } },
    m: { orig: "O" },
    x: {},
    n: { r: {} },
    file: "F",
  },
};

/** A kernel with the name space, and a program in it. */
function standard(
  fn: (t: ExecutionContext, sys: Sys, k: Booted) => Promise<void>,
): (t: ExecutionContext) => Promise<void> {
  return within(async (t, k) => void (await run(k, async (sys: Sys) => fn(t, sys, k))), {
    namespace: "standard",
    files: FILES,
  });
}

/** The messages to the first server that is mounted, each with what its answer says. */
class Messages {
  #conn = 0;
  #list: { tag: number; text: string; t: F.Tmsg }[] = [];

  constructor(k: Booted) {
    k.trace.listen((e) => {
      if (e.type === "conn" && e.what === "open" && this.#conn === 0) this.#conn = e.conn;
      if ((e.type !== "send" && e.type !== "receive") || e.conn !== this.#conn) return;
      const { fcall } = e;
      if (F.isT(fcall)) this.#list.push({ tag: fcall.tag, text: asked(fcall), t: fcall });
      else {
        const m = this.#list.findLast(({ tag }) => tag === fcall.tag);
        if (m !== undefined) m.text += answered(m.t, fcall);
      }
    });
  }

  /** What there was since the last time. */
  take(): string[] {
    const list = this.#list.map((m) => m.text);
    this.#list = [];
    return list;
  }
}

function asked(f: F.Tmsg): string {
  switch (f.type) {
    case F.Twalk:
      return `Twalk(${f.wname.length === 0 ? "clone" : f.wname.join("/")})`;
    case F.Topen:
      return `Topen(${f.mode})`;
    case F.Tread:
      return `Tread(${f.count}@${f.offset})`;
    case F.Twrite:
      return `Twrite(${f.data.length}@${f.offset})`;
    default:
      return fcallfmt(f).split(" ", 1)[0] ?? "";
  }
}

function answered(t: F.Tmsg, r: F.Fcall): string {
  if (r.type === F.Rerror) return "=ERR";
  if (r.type === F.Rread) return `=${r.data.length}`;
  if (r.type === F.Rwrite) return `=${r.count}`;
  if (r.type === F.Rwalk && t.type === F.Twalk && r.wqid.length < t.wname.length)
    return `=partial ${r.wqid.length}`;
  return "";
}

/** The tree that the rows find: six bytes in f, ten files in dir, six at the bottom of a/b/c/d/e. */
async function tree(sys: Sys, root: string): Promise<void> {
  await put(sys, `${root}/f`, "hello\n");
  const e = `${root}/a/b/c/d/e`;
  for (const name of ["dir", "a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e"])
    await sys.close(await sys.create(`${root}/${name}`, OREAD, NEWDIR));
  for (let i = 1; i <= 10; i++) await put(sys, `${root}/dir/file${i}`, "x");
  for (const name of ["f", "f1", "f2", "f3", "f4", "f5"]) await put(sys, `${e}/${name}`, "hello\n");
}

/** Runs a row in a process of its own, to its end. */
async function child(sys: Sys, row: Row): Promise<string> {
  const pid = await sys.rfork(RFPROC | RFFDG, row);
  // A server that nobody has mounted any more is a child that ends, too.
  for (;;) {
    const w = await sys.wait();
    if (w.pid === pid) return w.msg;
  }
}

/** What a row needs before it, which is not in the table; the two rows that are no process's own. */
const BEFORE: Readonly<Record<string, Row>> = {
  "bind in path": async (sys) => sys.unmount(null, `${R}/a/b`),
  "U(union dir after a/b/c): open existing in 1st": async (sys) => {
    await sys.unmount(null, `${R}/a/b/c`);
    await sys.bind(`${R}/dir`, `${R}/a/b/c`, MAFTER);
  },
  "C(bind -c): create new in union": async (sys) => {
    await sys.unmount(null, `${R}/a/b/c`);
    await sys.bind(`${R}/dir`, `${R}/a/b/c`, MREPL | MCREATE);
  },
  unmount: async (sys) => sys.unmount(null, `${R}/a/b/c`),
};
const HERE: Readonly<Record<string, Row>> = {
  "cmd cd /tmp/n/r/a/b/c/d/e": async (sys) => sys.chdir(`${R}/a/b/c/d/e`),
  "second mount": async (sys) => void (await mountram(sys, `${R}/a/b`, { flags: MREPL | MCREATE })),
  unmount: async (sys) => sys.unmount(null, R),
};

const ROWLINES = TABLE.trim().split("\n");

test("over 9P2000 it sends what real kernels sent, row by row", async (t) => {
  t.is(ROWLINES.length, 67);
  await standard(async (t_, sys, k) => {
    const messages = new Messages(k);
    await mountram(sys, R, { flags: MREPL | MCREATE });
    await tree(sys, R);
    for (const line of ROWLINES) {
      const [, name = "", want = "", count] = line.split("|").map((cell) => cell.trim());
      await BEFORE[name]?.(sys);
      const here = HERE[name];
      const row = here ?? ROWS[name];
      if (row === undefined) {
        t_.fail(`no program for ${name}`);
        continue;
      }
      messages.take();
      if (here === undefined) t_.is(await child(sys, row), "", name);
      else await here(sys);
      const got = messages.take();
      t_.is(got.join(", "), want, name);
      t_.is(got.length, Number(count), name);
      if (name === "second mount") await tree2(sys);
      if (name.startsWith("cmd cd")) await sys.chdir("/");
    }
  })(t);
});

/** What the second server has at a/b. */
async function tree2(sys: Sys): Promise<void> {
  for (const name of ["c", "c/d", "c/d/e"])
    await sys.close(await sys.create(`${R}/a/b/${name}`, OREAD, NEWDIR));
  await put(sys, `${R}/a/b/c/d/e/f`, "second");
}

test(
  "a mount is Tversion and Tattach, more than 16 names are walked by 16",
  standard(async (t, sys, k) => {
    const said: string[] = [];
    k.trace.listen((e) => {
      if (e.type === "send" && F.isT(e.fcall)) said.push(fcallfmt(e.fcall));
    });
    await mountram(sys, R);
    t.is(said.shift(), "Tversion tag 65535 msize 8216 version '9P2000'");
    t.regex(said.shift() ?? "", /^Tattach tag \d+ fid \d+ afid -1 uname glenda aname $/);
    t.deepEqual(said, []);
    const names = Array.from({ length: 18 }, () => "x");
    for (let i = 1; i <= 18; i++)
      await sys.close(await sys.create([R, ...names.slice(0, i)].join("/"), OREAD, NEWDIR));
    said.length = 0;
    await sys.stat([R, ...names].join("/"));
    const kinds = said.map((m) => m.replace(/^(T\w+).*?(nwname \d+)?( 0:.*|$)/, "$1 $2").trim());
    t.deepEqual(kinds, ["Twalk nwname 16", "Twalk nwname 2", "Tclunk", "Tstat", "Tclunk"]);
  }),
);

const names = async (sys: Sys, dir: string): Promise<string[]> =>
  (await readdir(sys, dir)).map((d) => d.name);

/** The lines of ns that say something of /tmp. */
async function ns(sys: Sys): Promise<string[]> {
  const all = await readtext(sys, `/proc/${(await cat(sys, "/dev/pid")).trim()}/ns`);
  return all.split("\n").filter((line) => / \/tmp\b/.test(line) || line.startsWith("cd"));
}

test(
  "bind looks through: a mount is seen by every name of the file it covers",
  standard(async (t, sys) => {
    await sys.bind("/tmp/b", "/tmp/m", MREPL);
    await sys.bind("/tmp/a", "/tmp/m/in", MREPL);
    t.is(await cat(sys, "/tmp/m/in/fa"), "A");
    t.is(await cat(sys, "/tmp/b/in/fa"), "A");
    t.deepEqual(await ns(sys), ["bind  /tmp/b /tmp/m", "bind  /tmp/a /tmp/m/in", "cd /"]);
    await sys.unmount(null, "/tmp/b/in");
    t.is(await failure(sys.open("/tmp/m/in/fa", OREAD)), "'/tmp/m/in/fa' does not exist");
  }),
);

test(
  "dot-dot leads back by name, over the mount point that was crossed, also after an unmount",
  standard(async (t, sys) => {
    await mkdir(sys, "/tmp/x/y");
    await sys.bind("/tmp/b/in", "/tmp/x/y", MREPL);
    await sys.chdir("/tmp/x/y/deep");
    const where = async (): Promise<string> => {
      const fd = await sys.open(".", OREAD);
      const path = await sys.fd2path(fd);
      await sys.close(fd);
      return path;
    };
    t.is(await where(), "/tmp/x/y/deep");
    await sys.unmount(null, "/tmp/x/y");
    await sys.chdir("..");
    t.is(await where(), "/tmp/x/y");
    t.deepEqual(await names(sys, "."), []);
    await sys.chdir("..");
    t.is(await where(), "/tmp/x");
    t.deepEqual(await names(sys, "../b"), ["fb", "dup", "in"]);
    t.is(await failure(sys.stat("/tmp/nope/../a")), "'/tmp/nope' does not exist");
    t.is(await failure(sys.stat("/tmp/file/../a")), "'/tmp/file' not a directory");
  }),
);

test(
  "a walk goes up to the file that an unmount has uncovered meanwhile, and gives up all of both mounts",
  standard(async (t, sys) => {
    await sys.bind("/tmp/b", "/tmp/x", MREPL);
    await mountram(sys, "/tmp/x/in", { delay: 100 });
    await mkdir(sys, "/tmp/x/in/d");
    const walk = sys.stat("/tmp/x/in/d/..");
    await sys.unmount(null, "/tmp/x/in");
    t.is((await walk).qid.path, (await sys.stat("/tmp/b/in")).qid.path);
    await sys.unmount(null, "/tmp/x");
  }),
);

test(
  "dot is the covered directory, so a mount made on it is seen; a descriptor keeps what it has",
  standard(async (t, sys) => {
    await sys.chdir("/tmp/m");
    const fd = await sys.open(".", OREAD);
    await sys.bind("/tmp/a", "/tmp/m", MREPL);
    t.is(await cat(sys, "fa"), "A");
    t.is((await sys.stat(".")).qid.path, (await sys.stat("/tmp/a")).qid.path);
    t.not((await sys.fstat(fd)).qid.path, (await sys.stat("/tmp/a")).qid.path);
    await sys.unmount(null, ".");
    t.is(await cat(sys, "orig"), "O");
    await sys.close(fd);
  }),
);

test(
  "a union is read member by member, and an unmount ends the reading",
  standard(async (t, sys) => {
    await sys.bind("/tmp/a", "/tmp/m", MAFTER);
    await sys.bind("/tmp/b", "/tmp/m", MBEFORE);
    t.deepEqual(await names(sys, "/tmp/m"), ["fb", "dup", "in", "orig", "fa", "dup", "sub"]);
    t.is(await cat(sys, "/tmp/m/dup"), "B");
    const fd = await sys.open("/tmp/m", OREAD);
    const buf = new Uint8Array(8192);
    t.true((await sys.read(fd, buf)) > 0);
    await sys.unmount(null, "/tmp/m");
    t.is(await sys.read(fd, buf), 0);
    t.is(await sys.read(fd, buf), 0);
    await sys.close(fd);
  }),
);

test(
  "the first read of a union, at whatever offset, gives what its first member has",
  standard(async (t, sys) => {
    await sys.bind("/tmp/b", "/tmp/a", MAFTER);
    for (const at of [0, 100]) {
      const fd = await sys.open("/tmp/a", OREAD);
      const buf = new Uint8Array(8192);
      const list = entries(buf, await sys.pread(fd, buf, at));
      t.deepEqual(
        list.map((d) => d.name),
        ["fa", "dup", "sub"],
      );
      await sys.close(fd);
    }
  }),
);

test(
  "what is bound of a union is its list as it is; MCREATE cannot be added",
  standard(async (t, sys) => {
    await sys.bind("/tmp/a", "/tmp/m", MAFTER);
    await sys.bind("/tmp/m", "/tmp/x", MREPL);
    await sys.bind("/tmp/b", "/tmp/m", MAFTER);
    t.deepEqual(await names(sys, "/tmp/x"), ["orig", "fa", "dup", "sub"]);
    t.is(await failure(sys.bind("/tmp/m", "/tmp/x", MREPL | MCREATE)), "inconsistent mount");
    await sys.bind("/tmp/a", "/tmp/n", MREPL | MCREATE);
    await sys.bind("/tmp/b", "/tmp/n", MAFTER);
    t.is(await failure(sys.bind("/tmp/n", "/tmp/x", MREPL | MCREATE)), "inconsistent mount");
    t.is(await failure(sys.bind("/tmp/file", "/tmp/x", MREPL)), "inconsistent mount");
    t.is(await failure(sys.bind("/tmp/nope", "/nope", MREPL)), "'/tmp/nope' does not exist");
  }),
);

test(
  "a mount of one directory can be bound with MCREATE when it has MCREATE itself",
  standard(async (t, sys) => {
    await sys.bind("/tmp/a", "/tmp/m", MREPL);
    t.is(await failure(sys.bind("/tmp/m", "/tmp/x", MREPL | MCREATE)), "inconsistent mount");
    await sys.bind("/tmp/a", "/tmp/m", MREPL | MCREATE);
    await sys.bind("/tmp/m", "/tmp/x", MREPL | MCREATE);
    await put(sys, "/tmp/x/new", "N");
    t.is(await cat(sys, "/tmp/a/new"), "N");
  }),
);

test(
  "a create below a file fails with the device's error; of a name that ends in / the file is the error's",
  standard(async (t, sys) => {
    const create = async (name: string): Promise<string> =>
      failure(sys.create(name, OREAD, NEWDIR));
    t.is(await create("/tmp/file/x"), "'/tmp/file/x' not a directory");
    t.is(await create("/tmp/file/x/"), "'/tmp/file' not a directory");
    t.is(await create("/tmp/x/new/"), "no error");
    t.true(((await sys.stat("/tmp/x/new")).mode & DMDIR) !== 0);
  }),
);

test(
  "a union goes on without a server that is gone",
  standard(async (t, sys) => {
    const pid = await mountram(sys, "/tmp/m");
    await sys.bind("/tmp/a", "/tmp/m", MAFTER);
    await put(sys, `/proc/${pid}/ctl`, "kill");
    await sys.wait();
    t.is(await cat(sys, "/tmp/m/fa"), "A");
    t.is(await failure(sys.stat("/tmp/m/no")), "'/tmp/m/no' file does not exist");
  }),
);

test(
  "create opens what any member has, else needs MCREATE",
  standard(async (t, sys) => {
    await sys.bind("/tmp/a", "/tmp/m", MAFTER);
    const forbidden = "'/tmp/m/new' mounted directory forbids creation";
    t.is(await failure(sys.create("/tmp/m/new", OWRITE, 0o666)), forbidden);
    await put(sys, "/tmp/m/fa", "changed");
    t.is(await cat(sys, "/tmp/a/fa"), "changed");
    await put(sys, "/tmp/m/sub/new", "below");
    await sys.bind("/tmp/b", "/tmp/m", MAFTER | MCREATE);
    await put(sys, "/tmp/m/new", "there");
    t.is(await cat(sys, "/tmp/b/new"), "there");
  }),
);

test(
  "a directory shows what is mounted in place of what it covers, unless that is itself in the union",
  standard(async (t, sys) => {
    const qid = async (): Promise<bigint | undefined> =>
      (await readdir(sys, "/tmp")).find((d) => d.name === "m")?.qid.path;
    const own = await qid();
    await sys.bind("/tmp/b", "/tmp/m", MREPL);
    t.is(await qid(), (await sys.stat("/tmp/b")).qid.path);
    await sys.unmount("/tmp/b", "/tmp/m");
    t.is(await qid(), own);
    await sys.bind("/tmp/b", "/tmp/m", MBEFORE);
    t.is(await qid(), own);
  }),
);

test(
  "a mount point is neither removed nor renamed",
  standard(async (t, sys) => {
    await sys.bind("/tmp/b", "/tmp/m", MREPL);
    await sys.bind("/tmp/a/fa", "/tmp/file", MREPL);
    await sys.chdir("/tmp");
    for (const name of ["m", "file", "/", "./m"])
      t.is(await failure(sys.remove(name)), "is a mount point");
    t.is(await failure(sys.wstat("m", { name: "m2" })), "'/tmp/m' is a mount point");
    await sys.wstat("m", { name: "" });
    t.is(await cat(sys, "file"), "A");
    t.is((await sys.stat("file")).name, "file");
  }),
);

test(
  "unmount goes by the file, not by the name",
  standard(async (t, sys) => {
    t.is(await failure(sys.unmount(null, "/tmp/m")), "not mounted");
    await sys.bind("#c", "/tmp/m", MAFTER);
    t.is(await failure(sys.unmount("/tmp/a", "/tmp/m")), "not in union");
    t.is(await failure(sys.unmount("#|", "/tmp/m")), "not in union");
    await sys.unmount("#c", "/tmp/m");
    // The directory itself is left, as a union of one.
    t.deepEqual(await ns(sys), ["bind  /tmp/m /tmp/m", "cd /"]);
    await sys.unmount("/tmp/m", "/tmp/m");
    t.deepEqual(await ns(sys), ["cd /"]);
  }),
);

test(
  "a server is unmounted by its name in /srv, and its clients that are left go on",
  standard(async (t, sys) => {
    await mountram(sys, R);
    await put(sys, `${R}/f`, "kept");
    const fd = await sys.open(`${R}/f`, ORDWR);
    t.regex((await ns(sys))[0] ?? "", /^mount -c #\|\/data1 \/tmp\/n\/r $/);
    await sys.bind(R, "/tmp/x", MREPL);
    t.is(await cat(sys, "/tmp/x/f"), "kept");
    await sys.unmount(null, R);
    t.regex((await ns(sys))[0] ?? "", /^mount {2}#\|\/data1 \/tmp\/x $/);
    await sys.unmount(null, "/tmp/x");
    t.is(await sys.read(fd, new Uint8Array(10)), 4);
    await sys.close(fd);
  }),
);

test(
  "RFNAMEG copies the mounts, RFCNAMEG leaves the kernel's root and the current directory",
  standard(async (t, sys) => {
    await sys.bind("/tmp/b", "/tmp/m", MREPL);
    const pid = await sys.rfork(RFPROC | RFNAMEG, async (c: Sys) => {
      await c.unmount(null, "/tmp/m");
      await c.bind("/tmp/a", "/tmp/m", MREPL);
      t.is(await cat(c, "/tmp/m/fa"), "A");
    });
    t.is((await sys.wait()).pid, pid);
    t.is(await cat(sys, "/tmp/m/fb"), "B");
    await sys.chdir("/tmp/m");
    await sys.rfork(RFCNAMEG);
    t.is(await cat(sys, "orig"), "O");
    t.is(await failure(sys.stat("/tmp")), "'/tmp' file does not exist");
    t.true((await names(sys, "/")).includes("boot"));
    t.is(await cat(sys, `#p/${(await cat(sys, "#c/pid")).trim()}/ns`), "cd /tmp/m\n");
  }),
);

test(
  "killed or interrupted anywhere, a process leaves no Chan, fid or tag behind",
  standard(async (t, sys, k) => {
    await mountram(sys, R, { delay: 1 });
    await mkdir(sys, `${R}/a`);
    await mkdir(sys, `${R}/a/b`);
    await put(sys, `${R}/a/b/f`, "F");
    await sys.sleep(50);
    const before = k.audit();
    const busy: Row = async (c) => {
      await c.bind(`${R}/a`, "/tmp/m", MAFTER | MCREATE);
      await c.bind(`${R}/a`, "/tmp/x", MREPL);
      await c.bind("/tmp/b", "/tmp/x/b", MBEFORE);
      await put(c, "/tmp/m/new", "N");
      await names(c, "/tmp/x/b");
      await c.chdir("/tmp/x/b/..");
      await c.remove("new").catch(() => undefined);
      await c.stat("../m/b/f");
      await c.unmount(null, "/tmp/x/b").catch(() => undefined);
      await c.unmount(`${R}/a`, "/tmp/m");
    };
    for (const [what, file] of [
      ["kill", "ctl"],
      ["a note", "note"],
    ] as const)
      for (let ms = 0; ms < 60; ms++) {
        const pid = await sys.rfork(RFPROC | RFFDG | RFNAMEG, busy);
        await sys.sleep(ms);
        const fd = await sys.open(`/proc/${pid}/${file}`, OWRITE).catch(() => -1);
        if (fd >= 0) {
          await sys.write(fd, new TextEncoder().encode(what)).catch(() => undefined);
          await sys.close(fd);
        }
        while ((await sys.wait()).pid !== pid);
        await sys.sleep(20);
        t.deepEqual(k.audit(), before, `${what} after ${ms} ms`);
      }
  }),
);

test(
  "OSTREAM is nobody's business but the kernel's, in a device as at a server",
  standard(async (t, sys) => {
    const out = await sys.create("/tmp/streamed", OWRITE | OSTREAM, 0o666);
    await sys.write(out, new TextEncoder().encode("S"));
    await sys.close(out);
    const buf = new Uint8Array(200);
    for (const name of ["/tmp", "/tmp/streamed"]) {
      const fd = await sys.open(name, OREAD | OSTREAM);
      t.true((await sys.read(fd, buf)) > 0, name);
      await sys.close(fd);
    }
    t.is(buf[0], 0x53);
  }),
);

for (const namespace of ["standard", "names"] as const)
  test(
    `the trace tells a bind from a mount, also a bind of what is mounted, and all mount points in order: ${namespace}`,
    within(
      async (t, k) => {
        const ops: string[] = [];
        await run(k, async (sys: Sys) => {
          k.trace.listen((e) => {
            if (e.type !== "mount") return;
            const paths = e.table.map((m) => m.path);
            ops.push(`${e.op} ${e.path} ${paths.includes(e.path)}`);
            t.deepEqual(paths, paths.toSorted());
          });
          await mountram(sys, "/tmp/m");
          await sys.bind("/tmp/m", "/tmp/n", MREPL);
          await sys.unmount(null, "/tmp/n");
        });
        t.deepEqual(ops, ["mount /tmp/m true", "bind /tmp/n true", "unmount /tmp/n false"]);
      },
      { namespace, files: FILES },
    ),
  );

test(
  "an error names the element that failed, and of a mount point that cannot be opened the whole name",
  standard(async (t, sys) => {
    const e = await t.throwsAsync(sys.stat("/tmp/a/no/more"));
    t.like(e, { message: "'/tmp/a/no' does not exist", file: "/tmp/a/no/more", element: "no" });
    await Fake.mount(sys, "/tmp/a", {
      version: "9P2000",
      lie: ({ type, tag, ...m }) =>
        type === F.Twalk && "wname" in m && m.wname.length === 0
          ? [{ type: F.Rerror, tag, ename: "no clone" }]
          : null,
    });
    t.is(await failure(sys.open("/tmp/a", OREAD)), "'/tmp/a' clone failed");
    t.is(await failure(sys.stat("/tmp/a")), "'/tmp/a' clone failed");
  }),
);

test(
  "where the file that a bind has walked to cannot be cloned, the error is the server's and names nothing",
  standard(async (t, sys) => {
    let refuses = false;
    await Fake.mount(sys, R, {
      version: "9P2000",
      lie: ({ type, tag, ...m }) =>
        refuses && type === F.Twalk && "wname" in m && m.wname.length === 0
          ? [{ type: F.Rerror, tag, ename: "no clone" }]
          : null,
    });
    await sys.bind("/tmp/b", `${R}/d`, MREPL);
    refuses = true;
    // The way back from a mount is to the file that it covers, which the mount has: a walk needs one of its own.
    t.is(await failure(sys.bind(`${R}/d/in/..`, "/tmp/x", MREPL)), "clone failed");
    t.is(await failure(sys.bind("/tmp/a", `${R}/d/in/..`, MREPL)), "clone failed");
    refuses = false;
    await sys.bind("/tmp/a", `${R}/d/in/..`, MREPL);
  }),
);

/** What a trace tells of the resolution of names, call by call. */
const GOLDEN = `
stat file (in /tmp)
	dot path=/tmp rest=file
	walk chan=/tmp rest=file got=1 conn=0
stat /tmp/m/fb (a union of /tmp/a and /tmp/b)
	prefix prefix=/ rest=tmp/m/fb members=1 point=/
	walk chan=/ rest=tmp/m/fb got=2 conn=0
	prefix prefix=/tmp/m rest=fb members=2 point=/tmp/m
	walk chan=/tmp/m rest=fb got=0 conn=0
	miss point=/tmp/m index=0 elem=fb error=file does not exist
	found point=/tmp/m index=1 elem=fb
stat /tmp/m/fa/x
	prefix prefix=/ rest=tmp/m/fa/x members=1 point=/
	walk chan=/ rest=tmp/m/fa/x got=2 conn=0
	prefix prefix=/tmp/m rest=fa/x members=2 point=/tmp/m
	walk chan=/tmp/m rest=fa/x got=1 conn=0
	found point=/tmp/m index=0 elem=fa
	fail error='/tmp/m/fa' not a directory walked=3 elem=fa
stat /tmp/m
	prefix prefix=/ rest=tmp/m members=1 point=/
	walk chan=/ rest=tmp/m got=2 conn=0
	prefix prefix=/tmp/m rest= members=2 point=/tmp/m
create /tmp/m/new
	prefix prefix=/ rest=tmp/m members=1 point=/
	walk chan=/ rest=tmp/m got=2 conn=0
	look elem=new
	prefix prefix=/tmp/m rest=new members=2 point=/tmp/m
	walk chan=/tmp/m rest=new got=0 conn=0
	miss point=/tmp/m index=0 elem=new error=file does not exist
	miss point=/tmp/m index=1 elem=new error=file does not exist
	create dir=/tmp/m elem=new index=1
stat m/../file
	dot path=/tmp rest=m/../file
	walk chan=/tmp rest=m got=1 conn=0
	walk chan=/tmp/m rest=.. got=1 conn=0
	walk chan=/tmp rest=file got=1 conn=0
open #e/no
	device path=#e rest=no
	walk chan=#e rest=no got=0 conn=0
	fail error='#e/no' file does not exist walked=1 elem=no
`;

test(
  "a trace tells each step of a walk: where it starts, what it crosses to, what each member has",
  standard(async (t, sys, k) => {
    await sys.bind("/tmp/a", "/tmp/m", MREPL);
    await sys.bind("/tmp/b", "/tmp/m", MAFTER | MCREATE);
    await sys.chdir("/tmp");
    const log = steps(k);
    const lines: string[] = [];
    const tell = async (title: string, call: () => Promise<unknown>): Promise<void> => {
      log.length = 0;
      await failure(call());
      lines.push(title, ...log.map((s) => `\t${s}`));
    };
    await tell("stat file (in /tmp)", () => sys.stat("file"));
    await tell("stat /tmp/m/fb (a union of /tmp/a and /tmp/b)", () => sys.stat("/tmp/m/fb"));
    await tell("stat /tmp/m/fa/x", () => sys.stat("/tmp/m/fa/x"));
    await tell("stat /tmp/m", () => sys.stat("/tmp/m"));
    await tell("create /tmp/m/new", async () =>
      sys.close(await sys.create("/tmp/m/new", OREAD, 0o666)),
    );
    await tell("stat m/../file", () => sys.stat("m/../file"));
    await tell("open #e/no", () => sys.open("#e/no", OREAD));
    t.is(`\n${lines.join("\n")}\n`, GOLDEN);
  }),
);
