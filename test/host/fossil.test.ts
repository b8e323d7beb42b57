// `namec serve fossil` and `namec fossil` as processes: who may have a disk, what is safe when a server ends, and the
// commands on a disk that is served and on one that is not.

import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { type Ended, NAMEC, Run, directory, namec } from "../kit/cli.ts";

const LISTEN = ["--listen", "tcp!127.0.0.1!0"];

/** A server of the disk in a directory, and its address. */
async function served(
  t: ExecutionContext,
  db: string,
  ...args: string[]
): Promise<{ addr: string; run: Run }> {
  const run = new Run(["serve", "fossil", "--db", db, ...args, ...LISTEN]);
  t.teardown(() => void run.child.kill("SIGKILL"));
  const [, addr = ""] = await run.saying(/^serving \w+ on ([^,\s]+)(?:, .*)?$/m);
  return { addr, run };
}

async function stopped(run: Run, signal: NodeJS.Signals): Promise<Ended> {
  run.child.kill(signal);
  return await run.ended();
}

/** Runs rc with the server mounted on /n/f. */
const rc = (addr: string, script: string): Promise<Ended> =>
  namec(["run", "--mount", addr, "/n/f", "rc", "-c", script]);

/** The locks of processes in a disk's directory. */
const locks = (db: string): string[] => readdirSync(db).filter((name) => name.includes("lock"));

test("a disk is made at the first start, which says so; what was written is there after SIGTERM", async (t) => {
  const db = join(directory(t, {}), "disk");
  const first = await served(t, db);
  t.regex(first.run.err, /^made a disk in /m);
  t.like(await rc(first.addr, "mkdir /n/f/d; echo kept >/n/f/d/f"), { status: 0, err: "" });
  t.like(await stopped(first.run, "SIGTERM"), { signal: null });
  t.deepEqual(locks(db), []);
  const second = await served(t, db);
  t.notRegex(second.run.err, /made a disk/);
  t.like(await rc(second.addr, "cat /n/f/d/f"), { status: 0, out: "kept\n" });
});

test("a second server is refused and told who has the disk; the lock of a killed one is none", async (t) => {
  const db = join(directory(t, {}), "disk");
  const { run } = await served(t, db);
  const other = await namec(["serve", "fossil", "--db", db, ...LISTEN]);
  t.is(other.status, 1);
  t.true(other.err.includes(`is used by process ${run.child.pid}, namec serve fossil --db ${db}`));
  t.is(statSync(join(db, "ctl")).mode & 0o777, 0o600);
  await stopped(run, "SIGKILL");
  t.deepEqual(locks(db), [`lock.${run.child.pid}`]);
  await served(t, db);
});

test("of servers that start at once one has the disk at most, and the next one finds it free", async (t) => {
  const db = join(directory(t, {}), "disk");
  const runs = [1, 2, 3, 4].map(() => new Run(["serve", "fossil", "--db", db, ...LISTEN]));
  const serves = await Promise.all(
    runs.map((run) =>
      Promise.race([
        run.saying(/^serving fossil/m).then(() => true),
        run.ended().then((end) => !end.err.includes("is used by process")),
      ]),
    ),
  );
  t.true(serves.filter(Boolean).length <= 1);
  for (const run of runs) run.child.kill("SIGKILL");
  await Promise.all(runs.map((run) => run.ended()));
  await served(t, db);
});

test("a disk whose socket has too long a name is refused with a sentence, and served from nearer by", async (t) => {
  const dir = directory(t, {});
  const name = "d".repeat(90);
  const db = join(dir, name);
  const far = await namec(["serve", "fossil", "--db", db, ...LISTEN], "", "/");
  t.is(far.status, 1);
  t.regex(far.err, /the name of its socket has \d+ bytes, and the host takes 103: start from/);
  t.false(existsSync(db));
  const run = new Run(["serve", "fossil", "--db", name, ...LISTEN], dir);
  t.teardown(() => void run.child.kill("SIGKILL"));
  await run.saying(/^serving fossil/m);
  t.like(await namec(["fossil", "ls", name], "", dir), { status: 0, out: "" });
});

test("commands do the same to a disk that is served and to one that is not", async (t) => {
  const dir = directory(t, {});
  const db = join(dir, "disk");
  const { addr, run } = await served(t, db);
  await rc(addr, "echo one >/n/f/news; dd -if /n/f/news -of /n/f/holes -bs 4 -oseek 1000000");
  const command = (...args: string[]): Promise<Ended> => namec(["fossil", ...args]);
  const names: string[] = [];
  for (const served_ of [true, false]) {
    if (!served_) await stopped(run, "SIGTERM");
    const snap = await command("snap", db);
    t.regex(snap.out, /^\d{4}\/\d{4}\/\d{4}(\.\d)?\n$/);
    names.push(snap.out.trim());
    const ls = await command("ls", db);
    t.deepEqual(ls.out, names.map((n) => `snapshot ${n}\n`).join(""));
    t.regex((await command("check", db)).out, /: all is well\n$/);
    const none = await command("rm", db, "1999/0101/0000");
    t.is(none.status, 1);
    t.is(none.err, "namec fossil: no such snapshot: 1999/0101/0000\n");
    const nameless = await command("rm", db);
    t.is(nameless.err, "namec fossil: rm wants the name of a snapshot\n");
    t.is((await command("snap", db, "-x", "more")).status === 0, false);
    // What has a name there is replaced, and a link not followed.
    const to = join(dir, "out");
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
    symlinkSync("/dev/null", join(to, "news"));
    t.like(await command("export", db, names[0] ?? "", to), { status: 0 });
    t.is(readFileSync(join(to, "news"), "utf8"), "one\n");
    const holes = readFileSync(join(to, "holes"));
    t.is(holes.indexOf("one\n"), 4_000_000);
    t.is(holes.length, 4_000_004);
    t.true(statSync(join(to, "holes")).blocks < 1000);
    t.is((await command("export", db, names[0] ?? "", join(to, "news"))).status, 1);
  }
  const [, second = ""] = names;
  t.like(await command("rm", db, second), { status: 0, out: "" });
  t.like(await command("expire", db, "1000000"), { status: 0, out: "" });
});

test("export goes on behind what cannot be copied, names each with the reason, and fails", async (t) => {
  const dir = directory(t, {});
  const db = join(dir, "disk");
  const { addr, run } = await served(t, db);
  const long = "\u00e9".repeat(150);
  const script = [
    "mkdir d",
    `echo x >d/${long}`,
    `mkdir ${long}`,
    "echo fine >d/z",
    "mkdir link",
    "echo evil >link/f",
  ];
  t.like(await rc(addr, `cd /n/f; ${script.join("; ")}; echo \`{seq 2000} >rot`), { status: 0 });
  const snap = (await namec(["fossil", "snap", db])).out.trim();
  await stopped(run, "SIGTERM");
  const image = readFileSync(join(db, "disk"));
  const at = image.indexOf("1 2 3 4 5 6 7 8 9 10 ");
  t.true(at > 0);
  image[at] = 0;
  writeFileSync(join(db, "disk"), image);
  const to = join(dir, "out");
  mkdirSync(to);
  mkdirSync(join(dir, "else"));
  symlinkSync(join(dir, "else"), join(to, "link"));
  const end = await namec(["fossil", "export", db, snap, to]);
  t.is(end.status, 1);
  t.is(end.out, "2 files\n");
  t.is(readFileSync(join(to, "d", "z"), "utf8"), "fine\n");
  const told = end.err.split("\n").toSorted();
  t.deepEqual(
    told.slice(1, -1),
    [
      `namec fossil: /d/${long}: ENAMETOOLONG: name too long`,
      "namec fossil: /link: EEXIST: file already exists",
      `namec fossil: /rot: i/o error: block ${Math.floor(at / 512)} does not match its hash`,
      `namec fossil: /${long}: ENAMETOOLONG: name too long`,
    ].toSorted(),
  );
  t.is(told.at(-1), "namec fossil: 4 names could not be copied");
  t.deepEqual(readdirSync(join(dir, "else")), []);
  t.false(existsSync(join(to, "rot")));
});

test("a newest root that is spoilt is told by the server, and by check while it serves", async (t) => {
  const db = join(directory(t, {}), "disk");
  const { addr, run } = await served(t, db);
  await rc(addr, "echo one >/n/f/one");
  await stopped(run, "SIGTERM");
  const disk = join(db, "disk");
  const image = readFileSync(disk);
  const gen = (slot: number): number => image.readUInt32LE(slot + 20);
  const at = (gen(0) > gen(4096) ? 0 : 4096) + 300;
  image[at] = (image[at] ?? 0) ^ 1;
  writeFileSync(disk, image);
  const again = await served(t, db);
  t.regex(again.run.err, /^fossil: the newest root \(slot [01]\) cannot be read: the other one/m);
  const check = await namec(["fossil", "check", db]);
  t.is(check.status, 1);
  t.regex(check.out, /^the newest root .*\n\d+ files in \d+ blocks? of \d+ bytes: 1 fault\n$/);
});

test("a client mounts a day of the archive, and a snapshot, by the attach name", async (t) => {
  const dir = directory(t, {
    "old.mjs": `import { MREPL, dial, print, readtext } from "namec";
export default async function main(sys, [, addr, spec, name]) {
  await sys.mount(await dial(sys, addr), -1, "/tmp", MREPL, spec);
  await print(sys, await readtext(sys, "/tmp/" + name));
}
`,
  });
  const db = join(dir, "disk");
  const { addr } = await served(t, db);
  await rc(addr, "mkdir /n/f/usr; echo yesterday >/n/f/usr/news");
  const archive = (await namec(["fossil", "snap", "--archive", db])).out.trim();
  const snap = (await namec(["fossil", "snap", db])).out.trim();
  await rc(addr, "echo today >/n/f/usr/news");
  t.regex(archive, /^\d{4}\/\d{4}$/);
  for (const [spec, name, text] of [
    ["main/archive", `${archive}/usr/news`, "yesterday\n"],
    ["main/snapshot", `${snap}/usr/news`, "yesterday\n"],
    ["main/active", "usr/news", "today\n"],
  ] as const) {
    const got = await namec([
      "run",
      "--mount",
      addr,
      "/n/f",
      join(dir, "old.mjs"),
      addr,
      spec,
      name,
    ]);
    t.like(got, { status: 0, out: text, err: "" }, spec);
  }
});

test("a disk of an unknown format, or of something else, is refused with a sentence", async (t) => {
  const db = join(directory(t, {}), "disk");
  const { run } = await served(t, db);
  await stopped(run, "SIGTERM");
  const disk = join(db, "disk");
  const image = readFileSync(disk);
  for (const slot of [0, 4096]) image[slot + 16] = 7;
  writeFileSync(disk, image);
  const format = await namec(["fossil", "ls", db]);
  t.is(format.status, 1);
  t.true(format.err.includes("disk of format 7, which this server does not know"));
  writeFileSync(disk, "my letters\n");
  const letters = await namec(["serve", "fossil", "--db", db, ...LISTEN]);
  t.not(letters.status, 0);
  t.true(letters.err.includes("the disk holds something else"));
  t.is(readFileSync(disk, "utf8"), "my letters\n");
});

test("a disk that nobody made, and a command that is none, are told", async (t) => {
  const dir = directory(t, {});
  mkdirSync(join(dir, "empty"));
  const none = await namec(["fossil", "ls", join(dir, "empty")]);
  t.is(none.status, 1);
  t.true(none.err.includes("has no disk of a fossil"));
  const unknown = await namec(["fossil", "snop", dir]);
  t.not(unknown.status, 0);
  t.true(unknown.err.includes("did you mean snap?"));
  t.true(existsSync(NAMEC));
});
