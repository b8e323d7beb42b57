// The mount driver: what it makes of a server that lies, of versions, of long reads and writes, and the
// faults that kernels before this one had.

import test from "ava";
import {
  DMDIR,
  DMEXCL,
  MREPL,
  OTRUNC,
  OSTREAM,
  NOTAG,
  OEXCL,
  ORCLOSE,
  OREAD,
  ORDWR,
  OWRITE,
  QTAUTH,
  QTEXCL,
} from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Event } from "../../kernel/trace.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import { cat, dirs, failure, mkdir, mountram, put, requests, run, within } from "../kit/kit.ts";
import { World, deep } from "../kit/world.ts";
import { Fake, type Lie, type Said, qidof } from "../kit/fake.ts";
import { pack } from "../kit/frames.ts";

const HUNGUP = /i\/o on hungup channel$/;

/** Answers requests of one type so, the others honestly. */
const to =
  (type: number, fn: (t: F.Tmsg) => readonly Said[]): Lie =>
  (t) =>
    t.type === type ? fn(t) : null;

/** Opens a file, does something with it, and closes it. */
async function using(sys: Sys, fn: (fd: number) => Promise<unknown>): Promise<unknown> {
  const fd = await sys.open("/n/f", ORDWR);
  try {
    return await fn(fd);
  } finally {
    await sys.close(fd);
  }
}

const stat = (sys: Sys): Promise<unknown> => sys.stat("/n/a/b");
const walk = (sys: Sys): Promise<unknown> => sys.chdir("/n/d/d");
const read = (sys: Sys): Promise<unknown> => using(sys, (fd) => sys.read(fd, new Uint8Array(10)));
const write = (sys: Sys): Promise<unknown> => using(sys, (fd) => sys.write(fd, new Uint8Array(10)));

/** A frame that says of itself whatever it likes. */
function frame(size: number, type: number, rest: readonly number[]): Uint8Array {
  return Uint8Array.from([
    size & 255,
    (size >> 8) & 255,
    (size >> 16) & 255,
    size >> 24,
    type,
    ...rest,
  ]);
}

const LIES: readonly (readonly [what: string, lie: Lie, op: (sys: Sys) => Promise<unknown>])[] = [
  [
    "another type",
    to(F.Tstat, ({ tag }) => [{ type: F.Rread, tag, data: new Uint8Array(9) }]),
    stat,
  ],
  [
    "the answer to a session",
    to(F.Tstat, ({ tag }) => [{ type: F.Rversion, tag, msize: 8192, version: "9P2000" }]),
    stat,
  ],
  ["a request", to(F.Tstat, ({ tag }) => [{ type: F.Tstat, tag, fid: 0 }]), stat],
  ["a tag that is not out", to(F.Tstat, () => [{ type: F.Rerror, tag: 99, ename: "x" }]), stat],
  ["no tag", to(F.Tstat, () => [{ type: F.Rerror, tag: NOTAG, ename: "x" }]), stat],
  [
    "one answer too many",
    to(F.Tclunk, ({ tag }) => [
      { type: F.Rclunk, tag },
      { type: F.Rclunk, tag },
    ]),
    stat,
  ],
  [
    "more qids than names",
    to(F.Twalk, ({ tag }) => [{ type: F.Rwalk, tag, wqid: ["d", "d", "d"].map(qidof) }]),
    walk,
  ],
  [
    "a qid for no name",
    (t) =>
      t.type === F.Twalk && t.wname.length === 0
        ? [{ type: F.Rwalk, tag: t.tag, wqid: [qidof("d")] }]
        : null,
    (sys) => sys.create("/n/f", OREAD, 0),
  ],
  [
    "more than was to be read",
    to(F.Tread, ({ tag }) => [{ type: F.Rread, tag, data: new Uint8Array(11) }]),
    read,
  ],
  ["more than was written", to(F.Twrite, ({ tag }) => [{ type: F.Rwrite, tag, count: 11 }]), write],
  [
    "half an entry",
    to(F.Tstat, ({ tag }) => [{ type: F.Rstat, tag, stat: new Uint8Array(48) }]),
    stat,
  ],
  ["a type that is none", to(F.Tstat, ({ tag }) => [frame(7, 200, [tag, 0])]), stat],
  ["a frame too short", to(F.Tstat, () => [frame(5, F.Rclunk, [])]), stat],
  ["a frame too long", to(F.Tstat, () => [frame(8193, F.Rread, [])]), stat],
  [
    "a frame longer than it says",
    to(F.Tstat, ({ tag }) => [frame(9, F.Rclunk, [tag, 0, 0, 0])]),
    stat,
  ],
  [
    "a string beyond the frame",
    to(F.Tstat, ({ tag }) => [frame(9, F.Rerror, [tag, 0, 200, 0])]),
    stat,
  ],
  [
    "its end",
    (t) =>
      t.type === F.Tstat ? [{ type: F.Rerror, tag: t.tag, ename: "" }, frame(4, 0, [])] : null,
    async (sys) => (await failure(stat(sys)), stat(sys)),
  ],
];

test("the kernel offers 9P2000.ix.stream with data of 64 KiB, and Plan 9's name space 9P2000 with 8 KiB", async (t) => {
  const offers: [string, number][] = [];
  for (const namespace of ["names", "standard"] as const) {
    const k = await boot({ clock: "virtual", namespace });
    await run(k, async (sys: Sys) => {
      const { heard } = await Fake.mount(sys, "/n", { version: "9P2000" });
      for (const m of heard.slice(0, 1))
        if (m.type === F.Tversion) offers.push([m.version, m.msize]);
    });
    await k.shutdown();
  }
  t.deepEqual(offers, [
    ["9P2000.ix.stream", 64 * 1024 + 24],
    ["9P2000", 8 * 1024 + 24],
  ]);
});

test(
  "the number of a fid that was given back is used again, that of a connection's first one, too",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        const [fake, fd] = await Fake.pipe(sys);
        fake.version = "9P2000";
        for (let i = 0; i < 3; i++) {
          await sys.mount(await sys.dup(fd), -1, "/n", MREPL, "");
          await sys.unmount(null, "/n");
        }
        const made = fake.heard.flatMap((m) => (m.type === F.Tattach ? [m.fid] : []));
        const ended = fake.heard.flatMap((m) => (m.type === F.Tclunk ? [m.fid] : []));
        t.deepEqual(
          [made, ended],
          [
            [0, 0, 0],
            [0, 0, 0],
          ],
        );
        await sys.close(fd);
        await fake.over;
      });
    },
    { namespace: "standard" },
  ),
);

test(
  "a pwrite in a stream that a note interrupts fails where the server has not done it, and is not sent again",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const lie: Lie = (m) => (m.type === F.Twrite && m.offset === 10 ? [] : null);
      const { heard } = await Fake.mount(sys, "/n", { lie });
      await using(sys, async (fd) => {
        await sys.stream(fd, 0);
        t.is(await sys.pwrite(fd, new Uint8Array(10), 0), 10);
        await sys.notify(async (_note, s) => (s as Sys).noted(0));
        await sys.alarm(90);
        t.is(await failure(sys.pwrite(fd, new Uint8Array(10), 10)), "interrupted");
      });
      t.is(heard.filter((m) => m.type === F.Twrite).length, 2);
    });
  }),
);

for (const [version, vers, ahead] of [
  ["9P2000", 0, false],
  ["9P2000", 1, true],
  ["9P2000.ix", 0, true],
] as const)
  test(
    `an swrite to a file of version ${vers} over ${version} ${ahead ? "waits for no" : "waits for its"} answer`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const lie: Lie = ({ type, tag }) => {
          const qid = { path: 1n, vers, type: 0 };
          if (type === F.Topen) return [{ type: F.Ropen, tag, qid, iounit: 0 }];
          return type === F.Twrite ? [{ type: F.Rerror, tag, ename: "no more" }] : null;
        };
        await Fake.mount(sys, "/n", { lie, version });
        const fd = await sys.open("/n/f", OWRITE);
        const failed = "no more at offset 0; later bytes may be written";
        t.is(await failure(sys.swrite(fd, new Uint8Array(1))), ahead ? "no error" : failed);
        t.is(await failure(sys.close(fd)), ahead ? failed : "no error");
      });
    }),
  );

for (const [what, lie, op] of LIES)
  test(
    `a server that answers with ${what} is hung up`,
    within(async (t, k) => {
      const events: Event[] = [];
      k.trace.listen((e) => events.push(e));
      await run(k, async (sys: Sys) => {
        const fake = await Fake.mount(sys, "/n", { lie });
        t.regex(await failure(op(sys)), what.startsWith("one answer") ? /no error/ : HUNGUP);
        // The server sees it, and the mount is dead.
        await fake.over;
        t.regex(await failure(sys.stat("/n/x")), HUNGUP);
        t.deepEqual(k.audit().tags, []);
      });
      t.true(events.some((e) => e.type === "conn" && e.what === "hangup"));
    }),
  );

for (const version of ["9P2000", "9P2000.ix"])
  test(
    `a walk answered with no qids means that the name does not exist, and the connection lives: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const lie: Lie = (m) =>
          m.type === F.Twalk && m.wname.includes("no")
            ? [{ type: F.Rwalk, tag: m.tag, wqid: [] }]
            : null;
        const fake = await Fake.mount(sys, "/n", { lie, version });
        t.is(await failure(sys.open("/n/no", OREAD)), "'/n/no' does not exist");
        t.is(await failure(sys.stat("/n/no/x")), "'/n/no' does not exist");
        t.false(fake.heard.some((m) => m.type === F.Tclunk && version === "9P2000"));
        t.is((await sys.stat("/n/f")).uid, "u");
      });
    }),
  );

test(
  "an attach name and a user too long for a server are refused before anything is sent",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [fake, fd] = await Fake.pipe(sys);
      const why = "name too long: aname has at most 255 bytes";
      for (const n of [256, 65_536, 70_000]) {
        t.is(await failure(sys.mount(fd, -1, "/n", 0, "x".repeat(n))), why);
        t.is(await failure(sys.fauth(fd, "x".repeat(n))), why);
      }
      t.deepEqual(fake.heard, []);
      t.is(await failure(sys.mount(fd, -1, "/n", 0, "x".repeat(255))), "no error");
    });
    const user = "é".repeat(128);
    await t.throwsAsync(boot({ user }), { message: "name too long: user has at most 255 bytes" });
  }),
);

test(
  "the entries of a directory at a server are files of device M, and of their mount",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const devs: number[] = [];
      await mkdir(sys, "/m");
      for (const dir of ["/n", "/m"]) {
        await mountram(sys, dir);
        for (const f of ["f", "g"]) await put(sys, `${dir}/${f}`, f);
        const { dev } = await sys.stat(dir);
        const fd = await sys.open(dir, OREAD);
        const list = (await dirs(sys, fd)).map((d) => [d.name, d.type, d.dev]);
        const M = "M".charCodeAt(0);
        t.deepEqual(list, [
          ["f", M, dev],
          ["g", M, dev],
        ]);
        await sys.close(fd);
        devs.push(dev);
      }
      t.is(new Set(devs).size, 2);
    });
  }),
);

test(
  "a request too long for the connection is refused before a message of its group is sent",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const fake = await Fake.mount(sys, "/n", { msize: 256 });
      const before = fake.heard.length;
      // size[4] type[1] tag[2] fid[4] name[s] perm[4] mode[1] is 18 bytes and the name.
      const longest = "f".repeat(256 - 18);
      const why = await failure(sys.create(`/n/d/${longest}f`, OWRITE, 0o666));
      t.regex(why, / message too long for the connection$/);
      t.is(fake.heard.length, before);
      await sys.close(await sys.create(`/n/d/${longest}`, OWRITE, 0o666));
      t.deepEqual(
        fake.heard.slice(before, before + 2).map((m) => m.type),
        [F.Twalk, F.Tcreate],
      );
      // So many fill a slab, and the one for which it has no room has memory of its own.
      for (let i = 0; i < 300; i++)
        await sys.close(await sys.create(`/n/d/${longest}`, OWRITE, 0o666));
    });
  }),
);

test(
  "what fauth gives has the qid that the server said, and is open to read and write in messages of any size",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [fake, fd] = await Fake.pipe(sys);
      const aqid = { path: 77n, vers: 5, type: QTAUTH };
      fake.lie = to(F.Tauth, ({ tag }) => [{ type: F.Rauth, tag, aqid }]);
      const afd = await sys.fauth(fd, "");
      const line = await cat(sys, `#d/${afd}ctl`);
      t.regex(line, /rw M +\d+ \(0+4d 5 08\) +8168 +0 /);
      t.is(k.audit().fids.length, 1);
      await sys.close(afd);
      await sys.close(fd);
      t.is(fake.heard.at(-1)?.type, F.Tclunk);
    });
  }),
);

for (const version of ["9P2000", "9P2000.ix"])
  test(
    `a Tremove ends its fid, so no Tclunk follows: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await Fake.mount(sys, "/n", { version });
        const sent = requests(k);
        await sys.remove("/n/f");
        await sys.sleep(1);
        t.deepEqual(sent, ["Twalk(f)", "Tremove"]);
      });
    }),
  );

test(
  "an array whose parts have no proper length spoils no request of another connection",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        const other = await Fake.mount(sys, "/m");
        const fd = await sys.open("/m/f", ORDWR);
        for (const length of [NaN, -7, -16, -17, -30, -60, -1e6, 2.5, "5", {}, 1e9, null]) {
          await Fake.mount(sys, "/n");
          const bad = await sys.open("/n/f", ORDWR);
          const bytes = Object.assign(new Uint8Array(5), { subarray: () => ({ length }) });
          await failure(sys.write(bad, bytes));
          t.is(await sys.pwrite(fd, Uint8Array.of(1, 2, 3), 4), 3);
          const data = Uint8Array.of(1, 2, 3);
          t.like(other.heard.at(-1), { type: F.Twrite, offset: 4, data });
          await failure(sys.close(bad));
          await sys.unmount(null, "/n");
        }
        await sys.close(fd);
      });
    },
    { files: { n: {}, m: {} } },
  ),
);

test(
  "an answer after the Rflush is one that was not asked for",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await sys.notify(async (_note, s) => (s as Sys).noted(0));
      let tag = 0;
      const lie: Lie = (m) => {
        if (m.type === F.Tstat) tag = m.tag;
        if (m.type === F.Tstat || m.type === F.Tclunk) return [];
        return m.type === F.Tflush
          ? [
              { type: F.Rflush, tag: m.tag },
              { type: F.Rerror, tag, ename: "late" },
            ]
          : null;
      };
      const fake = await Fake.mount(sys, "/n", { lie });
      await sys.alarm(10);
      // Both may have come before the caller looks.
      t.regex(await failure(sys.stat("/n/x")), /interrupted$|hungup channel$/);
      await fake.over;
      t.regex(await failure(sys.stat("/n/x")), HUNGUP);
    });
  }),
);

test(
  "the version goes down the ladder as far as the server says",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const ask = async (say: (offer: string) => string, offer = ""): Promise<string> => {
        const [fake, fd] = await Fake.pipe(sys);
        fake.lie = (m) =>
          m.type === F.Tversion
            ? [
                {
                  type: F.Rversion,
                  tag: m.tag,
                  msize: Math.min(m.msize, 8192),
                  version: say(m.version),
                },
              ]
            : null;
        const got = await sys.fversion(fd, 0, offer).catch((e: Error) => e.message);
        await sys.close(fd);
        await fake.over;
        return `${fake.heard.map((m) => (m.type === F.Tversion ? m.version : "")).join(" ")}: ${got}`;
      };
      t.is(await ask((v) => v), "9P2000.ix.stream: 9P2000.ix.stream");
      t.is(await ask(() => "9P2000.ix"), "9P2000.ix.stream: 9P2000.ix");
      t.is(await ask(() => "9P2000"), "9P2000.ix.stream 9P2000.ix: 9P2000");
      t.is(
        await ask((v) => (v === "9P2000.ix" ? v : "9P2000")),
        "9P2000.ix.stream 9P2000.ix: 9P2000.ix",
      );
      t.is(await ask((v) => (v === "9P2000" ? v : "unknown")), "9P2000.ix.stream 9P2000: 9P2000");
      const bad = "bad 9P version returned from server";
      t.is(await ask(() => "unknown"), `9P2000.ix.stream 9P2000: ${bad}`);
      for (const v of ["9P2000.i", "9P2000.u", "9P", "9P2000.ix.stream.more", "8P2000"])
        t.is(await ask(() => v), `9P2000.ix.stream: ${bad}`, v);
      t.is(await ask(() => "9P2000.".padEnd(300, "x")), `9P2000.ix.stream: ${bad}`);
      const most = 8192 - 13;
      t.is(await ask(() => "x".repeat(most)), `9P2000.ix.stream: ${bad}`);
      t.is(
        await ask(() => "x".repeat(most + 1)),
        "9P2000.ix.stream: bad fversion conversion on reply",
      );
      t.is(await ask(() => "9P2000", "9P2000.u"), "9P2000.u: 9P2000");
      t.is(await ask((v) => v, "9P2000"), "9P2000: 9P2000");
    });
  }),
);

for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"])
  test(
    `a write longer than a message is written whole, and read back whole: ${version}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/n", { version });
        const bytes = Buffer.alloc(300_001, "a few letters that repeat ");
        const fd = await sys.create("/n/f", ORDWR, 0o666);
        t.is(await sys.write(fd, bytes), bytes.length);
        t.is(await sys.pwrite(fd, bytes, 100_000), bytes.length);
        const buf = new Uint8Array(500_000);
        t.is(await sys.pread(fd, buf, 0), 400_001);
        t.deepEqual(Buffer.from(buf.subarray(100_000, 400_001)), bytes);
        await sys.close(fd);
      });
    }),
  );

test(
  "a long write that is interrupted is not torn: the connection goes on",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await sys.notify(async (_note, s) => (s as Sys).noted(0));
      const fake = await Fake.mount(sys, "/n", { msize: 1 << 17 });
      const fd = await sys.create("/n/f", OWRITE, 0o666);
      // The server answers nothing until it is flushed, and by then the pipe is full.
      let stuck = true;
      fake.lie = (m) => {
        if (m.type === F.Tflush) stuck = false;
        return stuck ? [] : null;
      };
      await sys.alarm(10);
      t.is(await failure(sys.write(fd, new Uint8Array(1_000_000))), "interrupted");
      t.is(await sys.pwrite(fd, new Uint8Array(200_000), 0), 200_000);
      await sys.close(fd);
      t.is((await sys.stat("/n/d")).qid.path, 1n);
      await sys.unmount(null, "/n");
      await fake.over;
    });
  }),
);

test(
  "what one call failed with is not what the next one says",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const lie: Lie = (m) => {
        if (m.type === F.Topen)
          return [{ type: F.Rerror, tag: m.tag, ename: "a very special error" }];
        if (m.type !== F.Twalk || !m.wname.includes("no")) return null;
        return [
          { type: F.Rwalk, tag: m.tag, wqid: m.wname.slice(0, m.wname.indexOf("no")).map(qidof) },
        ];
      };
      const fake = await Fake.mount(sys, "/n", { lie });
      t.is(await failure(sys.open("/n/d/x", OREAD)), "'/n/d/x' a very special error");
      t.is(await failure(sys.open("/n/d/no/x", OREAD)), "'/n/d/no' does not exist");
      t.is(await failure(sys.stat("/n/d/f/no")), "'/n/d/f' not a directory");
      await sys.unmount(null, "/n");
      await fake.over;
    });
  }),
);

test(
  "files of two servers with equal qids are two files",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      for (const dir of ["/a", "/b", "/u"])
        await sys.close(await sys.create(dir, OREAD, DMDIR | 0o777));
      for (const dir of ["/a", "/b"]) {
        await mountram(sys, dir);
        await sys.close(await sys.create(`${dir}/d`, OREAD, DMDIR | 0o777));
        await put(sys, `${dir}/d/f`, dir);
      }
      const [a, b] = [await sys.stat("/a/d"), await sys.stat("/b/d")];
      t.deepEqual(a.qid, b.qid);
      t.not(a.dev, b.dev);
      await sys.bind("/a/d", "/u", MREPL);
      t.is(await failure(sys.unmount("/b/d", "/u")), "not in union");
      t.is(await cat(sys, "/u/f"), "/a");
      await sys.unmount("/a/d", "/u");
      for (const dir of ["/a", "/b"]) await sys.unmount(null, dir);
    });
  }),
);

test(
  "more than sixteen elements are walked, over any version",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      for (const version of ["9P2000", "9P2000.ix"]) {
        await mountram(sys, "/n", { version });
        const dir = await deep(sys, "/n", 40);
        await put(sys, `${dir}/f`, version);
        t.is(await cat(sys, `${dir}/f`), version);
        await sys.chdir(dir);
        t.is(await cat(sys, "f"), version);
        await sys.chdir("/");
        await sys.remove(`${dir}/f`);
        t.regex(
          await failure(sys.stat(dir.replace("/d33/", "/no/"))),
          /\/no' file does not exist$/,
        );
        await sys.unmount(null, "/n");
      }
    });
  }),
);

test(
  "an exclusive create over 9P2000 is exclusive, too",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/n", { version: "9P2000" });
      await put(sys, "/n/f", "precious");
      t.is(await failure(sys.create("/n/f", OWRITE | OEXCL, 0o666)), "'/n/f' file already exists");
      t.is(await cat(sys, "/n/f"), "precious");
      const tries = Array.from({ length: 10 }, () =>
        failure(sys.create("/n/g", OWRITE | OEXCL, 0o666)),
      );
      t.is((await Promise.all(tries)).filter((text) => text === "no error").length, 1);
      await sys.unmount(null, "/n");
    });
  }),
);

test("closing waits where the next call could tell, and nowhere else", async (t) => {
  const exclusive = (srv: Anysrv): Anysrv => ({
    ...srv,
    qid(file) {
      const qid = srv.qid(file);
      return (file as { perm: number }).perm & DMEXCL ? { ...qid, type: qid.type | QTEXCL } : qid;
    },
  });
  const w = await World.make({ wrap: exclusive });
  await w.run(t, async (sys) => {
    const close = async (mode: number, perm: number): Promise<number> => {
      const fd = await sys.create(`${w.top}/f`, mode, perm);
      return (await w.cost(sys, () => sys.close(fd))).trips;
    };
    t.is(await close(OWRITE, 0o666), 0);
    t.is(await close(OWRITE | ORCLOSE, 0o666), 1);
    t.regex(await failure(sys.stat(`${w.top}/f`)), /file does not exist$/);
    t.is(await close(OWRITE, (DMEXCL | 0o666) >>> 0), 1);
    await sys.close(await sys.open(`${w.top}/f`, OWRITE));
  });
  await w.end();
});

test("a thousand requests at once stay within what a server must bear", async (t) => {
  const w = await World.make();
  await w.run(t, async (sys) => {
    const fd = await sys.create(`${w.top}/f`, ORDWR, 0o666);
    // 65 MB of Twrites: more than the server's 16 MiB of frames that may be outstanding.
    const piece = new Uint8Array(65_000);
    const all = Array.from({ length: 1000 }, (_, i) => sys.pwrite(fd, piece, i * piece.length));
    t.true((await Promise.all(all)).every((n) => n === piece.length));
    t.is((await sys.fstat(fd)).length, 65_000_000);
    await Promise.all(Array.from({ length: 3000 }, () => sys.stat(`${w.top}/f`)));
    await sys.close(fd);
  });
  await w.end();
});

test(
  "a clunk goes out before the request that follows it",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const fake = await Fake.mount(sys, "/n");
      const sent = requests(k);
      await sys.close(await sys.open("/n/f", OREAD));
      await sys.stat("/n/d");
      t.deepEqual(sent, ["Twalk(f)", "Topen(0)", "Tclunk", "Twalk(d)", "Tstat", "Tclunk"]);
      await sys.unmount(null, "/n");
      await fake.over;
      const heard = fake.heard.slice(2).map((m) => m.type);
      t.deepEqual(heard, [F.Twalk, F.Topen, F.Tclunk, F.Twalk, F.Tstat, F.Tclunk, F.Tclunk]);
      t.is(pack({ type: F.Rclunk, tag: 1 }).length, 7);
    });
  }),
);

test(
  "more than 1 MiB is not offered for a message, and an answer that cannot be one is seen by its size",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [mine, theirs] = await sys.pipe();
      const agreed = failure(sys.fversion(mine, 5_000_000, "9P2000"));
      const buf = new Uint8Array(100);
      const n = await sys.read(theirs, buf);
      t.deepEqual(F.convM2S(buf, 0, n), {
        type: F.Tversion,
        tag: 0xffff,
        msize: 1_048_576,
        version: "9P2000",
      });
      // size[4] of a frame that is shorter than any, and nothing behind it.
      await sys.write(theirs, Uint8Array.of(6, 0, 0, 0));
      t.is(await agreed, "bad fversion conversion on reply");
      await sys.close(mine);
      await sys.close(theirs);
    });
  }),
);

test(
  "a connection is told of when it opens and when it closes, and the smallest entry is one",
  within(async (t, k) => {
    const told: string[] = [];
    k.trace.listen((e) => {
      if (e.type === "conn") told.push(`${e.what} ${e.conn} ${e.version}`);
    });
    await run(k, async (sys: Sys) => {
      const lie: Lie = (m) => {
        const { tag } = m;
        // Four empty strings, and all else zero.
        const stat = new Uint8Array(49);
        stat[0] = 47;
        if (m.type === F.Tstat) return [{ type: F.Rstat, tag, stat }];
        if (m.type === F.Topen) return [{ type: F.Ropen, tag, qid: qidof("d"), iounit: 0 }];
        return m.type === F.Tread ? [{ type: F.Rread, tag, data: stat }] : null;
      };
      const fake = await Fake.mount(sys, "/n", { lie });
      t.deepEqual(told, ["open 1 9P2000.ix"]);
      const { name, length, uid } = await sys.stat("/n/f");
      t.deepEqual([name, length, uid], ["f", 0, ""], "the name is the one that was asked for");
      const fd = await sys.open("/n/d", OREAD);
      t.is(await sys.read(fd, new Uint8Array(100)), 49);
      await sys.close(fd);
      await sys.unmount(null, "/n");
      await fake.over;
    });
    t.deepEqual(told, ["open 1 9P2000.ix", "hangup 1 9P2000.ix", "close 1 9P2000.ix"]);
  }),
);

test(
  "each message is told with its place on the wire, behind the one before, from the first Tversion on",
  within(async (t, k) => {
    const ends = { send: 0, receive: 0 };
    let n = 0;
    k.trace.listen((e) => {
      if (e.type !== "send" && e.type !== "receive") return;
      t.is(e.off, ends[e.type]);
      ends[e.type] += e.bytes;
      n++;
    });
    await run(k, async (sys: Sys) => {
      await Fake.mount(sys, "/n", { version: "9P2000" });
      await using(sys, (fd) => sys.read(fd, new Uint8Array(10)));
    });
    // Two Tversions, Tattach, Twalk, Topen and Tread, each with its answer, and a Tclunk.
    t.true(n >= 13, `${n}`);
  }),
);

test(
  "an answer to Tversion that is no message fails the mount, and is not told as one",
  within(async (t, k) => {
    const told: F.Fcall[] = [];
    k.trace.listen((e) => void (e.type === "receive" && told.push(e.fcall)));
    await run(k, async (sys: Sys) => {
      const lie: Lie = (m) => (m.type === F.Tversion ? [frame(7, 200, [255, 255])] : null);
      t.is(await failure(Fake.mount(sys, "/n", { lie })), "bad fversion conversion on reply");
    });
    t.deepEqual(told, []);
  }),
);

/** Answers to a Tversion of 9P2000.ix.stream with an msize of 65560, and what the mount says of each. */
const VERSIONS: readonly [ok: string, answer: Partial<F.Fcall>][] = [
  ["unexpected reply type in fversion", { type: F.Rflush }],
  ["no versions today", { type: F.Rerror, ename: "no versions today" }],
  ["bad fversion conversion on reply", { tag: 1 }],
  ["server tries to increase msize in fversion", { msize: 65_561 }],
  ["nonsense value of msize in fversion", { msize: 255 }],
  ["no error", { msize: 256 }],
  ["bad 9P version returned from server", { version: "9P2000.ix.stre" }],
  ["bad 9P version returned from server", { version: "9P2000.ix.stream.more" }],
  ["bad 9P version returned from server", { version: "9P" }],
  ["bad 9P version returned from server", { version: "unknown" }],
];
for (const [why, answer] of VERSIONS)
  test(
    `an answer to Tversion with ${JSON.stringify(answer)}: ${why}`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        const usual = { type: F.Rversion, tag: NOTAG, msize: 65_560, version: "9P2000.ix.stream" };
        const lie = to(F.Tversion, () => [{ ...usual, ...answer } as F.Fcall]);
        t.is(await failure(Fake.mount(sys, "/n", { lie })), why);
      });
    }),
  );

test(
  "over a file of another server all messages but Tversion are written at offset 0",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const outer = await Fake.mount(sys, "/n");
      const offsets: [type: number, offset: number][] = [];
      const answers: Uint8Array[] = [];
      let reader: number | null = null;
      /** What a Tread that waits is told. */
      const told = (): Said[] => {
        const data = reader === null ? undefined : answers.shift();
        if (reader === null || data === undefined) return [];
        const said: Said = { type: F.Rread, tag: reader, data };
        reader = null;
        return [said];
      };
      outer.lie = (m) => {
        // Of a file without a version, as a connection is, the kernel asks for one piece at a time.
        if (m.type === F.Topen)
          return [{ type: F.Ropen, tag: m.tag, qid: { path: 1n, vers: 0, type: 0 }, iounit: 0 }];
        if (m.type === F.Tread) {
          reader = m.tag;
          return told();
        }
        if (m.type !== F.Twrite) return null;
        const inner = F.convM2S(m.data, 0, m.data.length);
        if (inner === null || !F.isT(inner)) return null;
        offsets.push([inner.type, m.offset]);
        answers.push(pack(outer.truth(inner)));
        return [outer.truth(m), ...told()];
      };
      const fd = await sys.open("/n/f", ORDWR);
      await sys.mount(fd, -1, "/tmp", MREPL, "");
      t.is((await sys.stat("/tmp")).uid, "u");
      await sys.unmount(null, "/tmp");
      t.deepEqual(offsets.slice(-2), [
        [F.Tattach, 0],
        [F.Tstat, 0],
      ]);
    });
  }),
);

test(
  "a server that hangs up instead of a version is said to have ended",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [mine, theirs] = await sys.pipe();
      const mounted = failure(sys.mount(theirs, -1, "/n", MREPL, ""));
      await sys.read(mine, new Uint8Array(100));
      await sys.close(mine);
      t.is(await mounted, "EOF receiving fversion reply");
      await sys.close(theirs);
    });
  }),
);

test(
  "an open to write a stream tells the server the mode without OSTREAM",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const fake = await Fake.mount(sys, "/n");
      await sys.close(await sys.open("/n/f", OWRITE | OTRUNC | OSTREAM));
      const opens = fake.heard.flatMap((m) => (m.type === F.Topen ? [m.mode] : []));
      t.deepEqual(opens, [OWRITE | OTRUNC]);
    });
  }),
);

class Unreadable extends Uint8Array {
  override subarray(): never {
    throw new TypeError("not to be looked at");
  }

  override set(): never {
    throw new TypeError("not to be written");
  }
}

/** An array whose memory another thread has. */
function detached(n: number): Uint8Array {
  const bytes = new Uint8Array(n);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

test(
  "an array of a program that cannot be read or written fails its call alone, and keeps no tag",
  within(async (t, k) => {
    const r = await run(k, async (sys: Sys) => {
      await mountram(sys, "/n");
      const fd = await sys.create("/n/f", ORDWR, 0o666);
      await sys.write(fd, new Uint8Array(16));
      for (const buf of [new Unreadable(8), new Unreadable(100_000), detached(8)]) {
        t.is(await failure(sys.write(fd, buf)), "bad arg in system call");
        t.is(await failure(sys.pwrite(fd, buf, 0)), "bad arg in system call");
        if (buf.length > 0) t.is(await failure(sys.pread(fd, buf, 0)), "bad arg in system call");
        t.deepEqual(k.audit().tags, []);
      }
      t.is(await sys.pread(fd, new Uint8Array(16), 0), 16);
      await sys.close(fd);
    });
    t.is(r.status, "");
  }),
);
