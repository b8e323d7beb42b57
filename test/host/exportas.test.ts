// As whom `namec serve exportfs` acts: one user of the host, whatever name a client gives.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { namec, Run } from "../kit/cli.ts";

const isroot = process.getuid?.() === 0;

/** Runs fn with an exportfs of a new directory that everybody may write, and its address. */
async function serving(
  args: readonly string[],
  fn: (dir: string, addr: string, said: string) => Promise<void>,
): Promise<void> {
  const dir = fs.mkdtempSync(join(tmpdir(), "namec-"));
  fs.chmodSync(dir, 0o777);
  const server = new Run([
    "serve",
    "exportfs",
    "--root",
    dir,
    "--listen",
    "tcp!127.0.0.1!0",
    ...args,
  ]);
  try {
    const [, addr = "", said = ""] = await server.saying(
      /serving exportfs on (tcp!\S+[0-9]), (.*)\n/,
    );
    await fn(dir, addr, said);
  } finally {
    server.child.kill("SIGTERM");
    await server.ended();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

test("exportfs says as whom it acts: the user who started it, or nobody for root", async (t) => {
  await serving([], async (dir, addr, said) => {
    const uid = process.getuid?.() ?? 0;
    t.regex(said, isroot ? /^as nobody \(65534\)$/ : new RegExp(`^as \\S+ \\(${uid}\\)$`));
    fs.writeFileSync(join(dir, "mine"), "secret", { mode: 0o600 });
    fs.writeFileSync(join(dir, "all"), "open", { mode: 0o644 });
    const at = ["run", "--mount", addr, "/n/r", "--user", "root"];
    t.is((await namec([...at, "cp", "/n/r/all", "/n/r/copy"])).status, 0);
    t.is(fs.statSync(join(dir, "copy")).uid, isroot ? 65534 : uid);
    // What is root's own stays root's, whatever name the client has.
    const { out, err } = await namec([...at, "cat", "/n/r/mine"]);
    t.regex(isroot ? err : out, isroot ? /permission denied/ : /^secret$/);
    const listed = await namec([...at, "ls", "-l", "/n/r"]);
    t.regex(listed.out, isroot ? /nobody nogroup .*copy/ : /copy/);
    t.regex(listed.out, isroot ? / root +root .*mine/ : /mine/);
  });
});

test("--as names another user of the host, which only root can become", async (t) => {
  const none = await namec(["serve", "exportfs", "--root", "/", "--as", "no-such-user"]);
  t.is(none.status, 2);
  t.regex(none.err, isroot ? /this machine has no such user/ : /only root can serve as another/);
  if (isroot)
    await serving(["--as", "daemon"], async (dir, addr, said) => {
      t.regex(said, /^as daemon \([0-9]+\)$/);
      await namec(["run", "--mount", addr, "/n/r", "cp", "/bin/cp", "/n/r/x"]);
      t.not(fs.statSync(dir).uid, 1);
    });
  const other = await namec(["serve", "ramfs", "--as", "nobody"]);
  t.deepEqual([other.status, /--as means nothing to ramfs/.test(other.err)], [2, true]);
});

test("a directory that the user may not read is not served", async (t) => {
  const dir = fs.mkdtempSync(join(tmpdir(), "namec-"));
  try {
    fs.chmodSync(dir, isroot ? 0o700 : 0);
    const { status, err } = await namec([
      "serve",
      "exportfs",
      "--root",
      dir,
      "--listen",
      "tcp!127.0.0.1!0",
    ]);
    t.is(status, 2);
    t.regex(err, isroot ? /nobody may not read it/ : /may not read it|permission denied/);
  } finally {
    fs.rmdirSync(dir);
  }
});
