// What libc gives a program: the small things.

import test from "ava";
import {
  AEXEC,
  AEXIST,
  AREAD,
  DMAPPEND,
  DMDIR,
  DMEXCL,
  MCREATE,
  MREPL,
  ORDWR,
  OREAD,
  OWRITE,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { type Anysrv, file, postmount, serve, tree } from "../../userland/lib/9p.ts";
import { bin } from "../../userland/bin/index.ts";
import { newram } from "../../userland/lib/ram.ts";
import { all } from "../../userland/lib/all.ts";
import { args } from "../../userland/lib/arg.ts";
import { Blocks } from "../../userland/lib/blocks.ts";
import { type ThreadSys, both } from "../../userland/lib/both.ts";
import { ctime, gmtime, lstime } from "../../userland/lib/ctime.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import {
  fprint,
  print,
  readall,
  readn,
  readtext,
  writeall,
  writefile,
} from "../../userland/lib/io.ts";
import { modestring } from "../../kernel/abi/modes.ts";
import { basename, dirname, join } from "../../userland/lib/name.ts";
import { access, getenv, getpid, getuser, getwd, iounit, putenv } from "../../userland/lib/proc.ts";
import { quote, tokenize } from "../../kernel/abi/quote.ts";
import { failure, run, within } from "../kit/kit.ts";
import { chance } from "../kit/rig.ts";

const twice = both(function* (sys, name: string) {
  yield* writefile(sys, name, "some text, ");
  const text = yield* readtext(sys, name);
  yield* writefile(sys, name, text + text);
  return (yield* readtext(sys, name)).length;
});

test(
  "one library function serves async and generator programs",
  within(async (t, k) => {
    const lengths: number[] = [];
    await run(k, async (sys: Sys) => {
      lengths.push(await twice(sys, "/tmp/a"));
      t.is(await failure(twice(sys, "/nope/a")), "'/nope' file does not exist");
    });
    await run(k, function* (sys: ThreadSys): Task<void> {
      lengths.push(yield* twice(sys, "/tmp/b"));
    });
    t.deepEqual(lengths, [22, 22]);
  }),
);

test(
  "printing nothing writes nothing: the reader of a pipe sees no end in it",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [r, w] = await sys.pipe();
      await fprint(sys, w, "");
      await fprint(sys, w, "more");
      t.is(await sys.read(r, new Uint8Array(10)), 4);
    });
  }),
);

test(
  "files are read and written whole, whatever their size",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const big = new Uint8Array(300_001).map((_b, i) => i % 253);
      await writefile(sys, "/tmp/big", big);
      const fd = await sys.open("/tmp/big", OREAD);
      t.deepEqual(await readall(sys, fd), big);
      t.deepEqual(await readall(sys, fd), new Uint8Array(0));
      await sys.seek(fd, 100_000, 0);
      const buf = new Uint8Array(200_000);
      t.is(await readn(sys, fd, buf), 200_000);
      t.is(await readn(sys, fd, buf), 1);
      await sys.close(fd);
      await writefile(sys, "/tmp/empty", "");
      t.is(await readtext(sys, "/tmp/empty"), "");
    });
  }),
);

test(
  "print writes UTF-8 to descriptor 1, fprint to any",
  within(async (t, k) => {
    const { output } = await run(k, async (sys: Sys) => {
      await print(sys, "☺ ");
      await fprint(sys, 2, "two\n");
    });
    t.is(output, "☺ two\n");
  }),
);

test(
  "a program asks who and where it is",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      t.true((await getpid(sys)) > 0);
      t.is(await getuser(sys), "glenda");
      await sys.chdir("/tmp");
      t.is(await getwd(sys), "/tmp");
      t.is(await getenv(sys, "nope"), null);
      t.is(await getenv(sys, "../tmp"), null);
      await putenv(sys, "list", "a\0b\0");
      t.is(await getenv(sys, "list"), "a b");
      t.true((await iounit(sys, 99)) === 0);
      await access(sys, "/tmp", AEXIST);
      await access(sys, "/tmp", AREAD);
      t.is(await failure(access(sys, "/tmp", AEXEC)), "'/tmp' cannot exec directory");
      t.is(await failure(access(sys, "/nope", AEXIST)), "'/nope' file does not exist");
    });
  }),
);

test(
  "readdir gives every entry of a big directory",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      for (let i = 0; i < 2000; i++)
        await sys.close(await sys.create(`/tmp/file${i}`, ORDWR, 0o600));
      const names = (await readdir(sys, "/tmp")).map((d) => d.name);
      t.is(new Set(names).size, 2000);
      t.is(names.length, 2000);
    });
  }),
);

test(
  "all runs Tasks at once and says what became of each",
  within(async (t, k) => {
    await run(k, function* (sys: ThreadSys): Task<void> {
      const got = yield* all(sys, [sys.stat("/tmp"), sys.stat("/nope"), sys.stat("/bin")]);
      t.deepEqual(
        got.map((g) => (g.ok ? g.value.name : g.error.message)),
        ["tmp", "'/nope' file does not exist", "bin"],
      );
      t.deepEqual(yield* all(sys, []), []);
      const before = yield* sys.nsec();
      yield* all(sys, [sys.sleep(30), sys.sleep(50), sys.sleep(10)]);
      t.is((yield* sys.nsec()) - before, 50_000_000n);
    });
  }),
);

test(
  "an async program can be a server, too",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [mine, theirs] = await sys.pipe();
      let written = "";
      const files = {
        hello: () => "hello\n",
        ctl: file({ write: (text) => void (written += text) }),
        d: { f: "in d" },
      };
      const served = serve(sys, mine, mine, tree(files, "glenda"));
      await sys.mount(theirs, -1, "/n", MREPL | MCREATE, "");
      t.is(await readtext(sys, "/n/hello"), "hello\n");
      t.is(await readtext(sys, "/n/d/f"), "in d");
      await writefile(sys, "/n/ctl", "on");
      t.is(written, "on");
      t.is(await failure(sys.open("/n/hello", OWRITE)), "'/n/hello' permission denied");
      t.is(await failure(sys.open("/n/ctl", OREAD)), "'/n/ctl' permission denied");
      t.is(await failure(sys.create("/n/new", OREAD, 0o666)), "'/n/new' create prohibited");
      t.is((await sys.stat("/n/d/..")).uid, "glenda");
      await sys.unmount(null, "/n");
      await served;
    });
  }),
);

test("quoted words come back from tokenize", (t) => {
  t.is(quote("plain-word.c"), "plain-word.c");
  t.is(quote(""), "''");
  t.is(quote("it's"), "'it''s'");
  t.is(quote("a b"), "'a b'");
  t.deepEqual(tokenize("  a 'b c'  d''e 'x''y'\tz ''"), ["a", "b c", "de", "x'y", "z", ""]);
  const pick = chance(1);
  const letters = ["a", "'", " ", "\t", "ä", "$", "\n"];
  for (let i = 0; i < 2000; i++) {
    const words = Array.from({ length: pick(5) }, () =>
      Array.from({ length: pick(6) }, () => letters[pick(letters.length)]).join(""),
    );
    t.deepEqual(tokenize(words.map(quote).join(" ")), words);
  }
});

test("options are read as arg(2) does", (t) => {
  const a = args(["ls", "-lq", "-n", "3", "-m7", "--", "-x"], "lqn:m:");
  t.deepEqual(
    [[...a.flags], [...a.values], a.rest, a.bad],
    [
      ["l", "q"],
      [
        ["n", "3"],
        ["m", "7"],
      ],
      ["-x"],
      null,
    ],
  );
  t.is(args(["x", "-z"], "l").bad, "z");
  t.is(args(["x", "-n"], "n:").bad, "n");
  t.deepEqual(args(["x", "-", "-l"], "l").rest, ["-", "-l"]);
  const long = args(["x", "--perm=700", "--all", "--to", "a", "f"], "", ["perm:", "all", "to:"]);
  t.deepEqual(
    [[...long.values], [...long.flags], long.rest],
    [
      [
        ["perm", "700"],
        ["to", "a"],
      ],
      ["all"],
      ["f"],
    ],
  );
  t.is(args(["x", "--nope"], "", ["perm:"]).bad, "nope");
  t.is(args(["x", "-:"], "a:").bad, ":");
});

test("times are those of the calendar", (t) => {
  const pick = chance(7);
  for (let i = 0; i < 5000; i++) {
    const time = pick(2 ** 32) - (i % 2) * 2 ** 31;
    const d = new Date(time * 1000);
    const tm = gmtime(time);
    t.deepEqual(
      [tm.year, tm.mon, tm.mday, tm.hour, tm.min, tm.sec],
      [
        d.getUTCFullYear(),
        d.getUTCMonth(),
        d.getUTCDate(),
        d.getUTCHours(),
        d.getUTCMinutes(),
        d.getUTCSeconds(),
      ],
    );
    t.is(tm.wday, d.toUTCString().slice(0, 3));
  }
  t.is(ctime(0), "Thu Jan  1 00:00:00 GMT 1970");
  t.is(lstime(951_782_400, 951_782_500), "Feb 29 00:00");
  t.is(lstime(0, 951_782_500), "Jan  1  1970");
});

test("modes and names are taken apart as ls shows them", (t) => {
  t.is(modestring((DMDIR | 0o755) >>> 0), "d-rwxr-xr-x");
  t.is(modestring(DMAPPEND | 0o640), "a-rw-r-----");
  t.is(modestring(DMEXCL | 0o7), "-l------rwx");
  const cases = [
    ["/a/b", "b", "/a"],
    ["/a/b//", "b", "/a"],
    ["a", "a", "."],
    ["/a", "a", "/"],
    ["/", "/", "/"],
    ["a//b", "b", "a"],
  ] as const;
  for (const [name, base, dir] of cases) t.deepEqual([basename(name), dirname(name)], [base, dir]);
  t.is(join("/", "a"), "/a");
  t.is(join("b", "a"), "b/a");
});

for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"])
  test(
    `a write that takes nothing ends what would write all, by an error: ${version}`,
    within(
      async (t, k) => {
        await run(k, async (sys: Sys) => {
          const make = (s: TaskSys): Anysrv =>
            ({ ...newram(s, { user: "glenda", version }), write: () => 0 }) as unknown as Anysrv;
          await postmount(sys, make, { mtpt: "/n", flags: MREPL | MCREATE });
          const bytes = new Uint8Array(100_000).fill(1);
          const fd = await sys.create("/n/f", OWRITE, 0o666);
          t.is(await failure(writeall(sys, fd, bytes)), "short write");
          t.is(await failure(fprint(sys, fd, "text")), "short write");
          await writeall(sys, fd, new Uint8Array(0));
          await sys.close(fd);
          t.is(await failure(writefile(sys, "/n/g", "text")), "short write");
          await writefile(sys, "/tmp/f", bytes);
          for (const cmd of ["cp", "fcp"]) {
            await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
              await s.exec(`/bin/${cmd}`, [cmd, "/tmp/f", "/n/copy"]);
            });
            t.regex((await sys.wait()).msg, /errors|short write/);
          }
        });
      },
      { files: { bin } },
    ),
  );

test("a file in blocks is like one in an array", (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const pick = chance(seed);
    const quota = { used: 0, limit: Infinity };
    const file = new Blocks(quota);
    let model = new Uint8Array(0);
    const near = (): number =>
      [0, 1, 63, 64, 1000, 65535, 65536, 65537, 131072, 200_000][pick(10)] ?? 0;
    for (let i = 0; i < 60; i++) {
      const offset = near() + pick(3);
      if (pick(5) === 0) {
        file.setlength(offset);
        model = grown(model, offset).slice(0, offset);
      } else if (pick(2) === 0) {
        const data = new Uint8Array(near()).fill(1 + pick(255));
        t.true(file.write(offset, data));
        if (data.length > 0) {
          model = grown(model, offset + data.length);
          model.set(data, offset);
        }
      }
      t.is(file.length, model.length);
      t.true(quota.used <= Math.max(64, 2 * 65536 * Math.ceil(model.length / 65536)));
      const from = near();
      const got = file.read(from, near());
      if (Buffer.compare(got, model.subarray(from, from + got.length)) !== 0)
        t.fail(`seed ${seed}`);
    }
    t.deepEqual(Buffer.from(file.read(0, model.length)), Buffer.from(model));
    file.setlength(0);
    t.is(quota.used, 0);
  }
});

test("a file in blocks that is cut gives back what is behind the cut, and a write that has no room is none", (t) => {
  const quota = { used: 0, limit: 200_000 };
  const file = new Blocks(quota);
  t.true(file.write(0, new Uint8Array(150_000).fill(1)));
  const full = quota.used;
  t.false(file.write(140_000, new Uint8Array(100_000).fill(2)));
  t.deepEqual([file.length, quota.used, file.read(149_999, 1)[0]], [150_000, full, 1]);
  file.setlength(70_000);
  t.is(quota.used, 2 * 65536);
  file.setlength(100);
  t.is(quota.used, 128);
  t.deepEqual([...file.read(99, 9)], [1]);
  file.setlength(200);
  t.deepEqual([...file.read(99, 3)], [1, 0, 0]);
});

test("a read of a file's beginning gives the view of the last one again, while the file is in the same memory", (t) => {
  const file = new Blocks({ used: 0, limit: Infinity });
  t.true(file.write(0, Uint8Array.of(1, 2, 3)));
  const view = file.read(0, 3);
  t.is(file.read(0, 9), view);
  t.deepEqual([...file.read(0, 2)], [1, 2]);
  t.deepEqual([...file.read(1, 2)], [2, 3]);
  t.true(file.write(1, Uint8Array.of(9)));
  t.deepEqual([...file.read(0, 3)], [1, 9, 3]);
  // 103 bytes take a block of another size.
  t.true(file.write(3, new Uint8Array(100).fill(4)));
  t.deepEqual([...file.read(0, 4)], [1, 9, 3, 4]);
  file.setlength(2);
  file.setlength(3);
  t.deepEqual([...file.read(0, 3)], [1, 9, 0]);
  t.true(file.write(65536, Uint8Array.of(7)));
  t.deepEqual([...file.read(65536, 1), ...file.read(0, 1)], [7, 1]);
});

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  if (length <= bytes.length) return bytes;
  const more = new Uint8Array(length);
  more.set(bytes);
  return more;
}
