// namec verify as a user meets it: our servers over TCP and over a socket that is a file, as TAP and as JSON.

import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { directory, namec, serving } from "../kit/cli.ts";

/** A new directory is open to be read, whatever the mode was; and a wstat ignores what it cannot change. */
const KNOWN = /^(?:create\.directorymode|stat\.fixed) /;

for (const [name, words] of Object.entries({
  ramfs: () => ["ramfs"],
  fossil: (dir: string) => ["fossil", "--db", join(dir, "disk")],
  exportfs: (dir: string) => ["exportfs", "--root", join(dir, "tree")],
}))
  test(`${name} passes, with each check's page and a status of 0`, async (t) => {
    const dir = directory(t, {});
    for (const name_ of ["tree", "disk"]) {
      mkdirSync(join(dir, name_));
      chmodSync(join(dir, name_), 0o777);
    }
    const { addr } = await serving(t, words(dir));
    const { status, out, err } = await namec(["verify", addr], "", dir);
    const lines = out.split("\n");
    t.is(lines[0], "TAP version 13");
    const bad = lines
      .filter((line) => line.startsWith("not ok"))
      .map((l) => l.replace(/^.*? - /, ""));
    t.deepEqual(
      bad.filter((line) => !KNOWN.test(line)),
      [],
      err,
    );
    t.is(status, 0);
    t.regex(out, /\nok \d+ - walk\.unknownfid \(walk\(5\)\): an unknown fid is refused\n/);
    t.regex(out, /\n1\.\.115\n# \d+ passed, 0 failed, /);
    t.deepEqual(readdirSync(join(dir, "tree")), []);
  });

test("--json, --readonly, --only and --list say what they should", async (t) => {
  const { addr } = await serving(t, ["ramfs"]);
  const { status, out } = await namec(["verify", "--json", "--readonly", "--only", "walk", addr]);
  const found = JSON.parse(out) as { pass: number; skip: number; results: { id: string }[] };
  t.is(status, 0);
  t.true(found.pass > 5 && found.skip > 0);
  t.true(found.results.every((r) => r.id.startsWith("walk.")));
  const listed = await namec(["verify", "--list", "--only", "stat.rename"]);
  t.regex(listed.out, /^stat\.rename +stat\(5\) +must +a file is renamed, .*\n$/);
});

test("a server that cannot be reached is status 2, and words that make no sense are told", async (t) => {
  const nobody = await namec(["verify", "tcp!127.0.0.1!1"]);
  t.is(nobody.status, 2);
  t.is(nobody.out, "TAP version 13\nBail out! it takes no call: connection refused\n");
  t.is(nobody.err, "namec verify: tcp!127.0.0.1!1: it takes no call: connection refused\n");
  for (const [words, said] of [
    [[], /verify takes one address/],
    [["--only", "wlak", "tcp!h!1"], /--only wlak: there is no such check\n {4}namec verify --list/],
    [["--patience", "5", "tcp!h!1"], /--patience 5: a time of a millisecond or more/],
    [["--readonly", "--dir", "/tmp", "tcp!h!1"], /--dir means nothing with --readonly/],
  ] as const) {
    const r = await namec(["verify", ...words]);
    t.is(r.status, 2);
    t.regex(r.err, said);
  }
});
