// Linux as a client: what its usual commands do on our file servers, mounted by v9fs without and with its
// cache, is compared with what they do on a tmpfs of the same machine.

import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { Run } from "../../kit/cli.ts";
import { REFUSES, cases } from "./cases.ts";
import { COMPLAINTS, differences } from "./differences.ts";
import { Notup, bigpart, linux } from "./machine.ts";
import type { Mounted, Said } from "./machine.ts";

const PLAIN = "version=9p2000,access=any,uname=glenda,dfltuid=0,dfltgid=0";
const LOOSE = `${PLAIN},cache=loose`;
const MOUNTS = ["ramfs", "ramfs-loose", "exportfs", REFUSES, "fossil"];

/** The file of the guest that is safe when its server is killed. */
const KILLAT = 25;
/** Bytes of each of those files. */
const PART = 9000;

/** Linux dials the server that was killed until it is there again. */
const AGAIN = /p9_fd_create_tcp \(\d+\): problem connecting socket/;

/** What each case left: its status and what it wrote, by mount and name. */
const ended = new Map<string, string>();
let said: Said = { out: "", kernel: "" };

const serve = (...args: string[]): Run =>
  new Run(["serve", ...args, "--listen", "tcp!127.0.0.1!0"]);

const serving = (port: number, db: string): Run =>
  new Run(["serve", "fossil", "--db", db, "--listen", `tcp!127.0.0.1!${port}`]);

/** The port that a server has taken, when it serves. */
async function portof(run: Run): Promise<number> {
  const [, port = ""] = await run.saying(/^serving \w+ on tcp!127\.0\.0\.1!(\d+)(?:, .*)?$/m);
  return Number(port);
}

/** Boots the guest beside five servers; all of them have ended afterwards. */
async function once(): Promise<Said> {
  const dir = mkdtempSync(join(tmpdir(), "namec-export-"));
  // The server may act as another user than the one who runs the tests.
  chmodSync(dir, 0o777);
  const db = mkdtempSync(join(tmpdir(), "namec-fossil-"));
  const roots = ["replaces", "refuses"].map((name) => join(dir, name));
  for (const root of roots) {
    mkdirSync(root);
    chmodSync(root, 0o777);
  }
  const servers = [
    serve("ramfs", "--replace"),
    ...roots.map((root, i) => serve("exportfs", "--root", root, ...(i === 0 ? ["--replace"] : []))),
    serve("fossil", "--db", join(db, "disk"), "--replace"),
    serve("fossil", "--db", join(db, "killed")),
  ];
  try {
    const [ram = 0, exported = 0, refusing = 0, kept = 0, killed = 0] = await Promise.all(
      servers.map(portof),
    );
    const mounts: readonly Mounted[] = [
      { name: "ramfs", port: ram, options: PLAIN },
      { name: "ramfs-loose", port: ram, options: LOOSE },
      { name: "exportfs", port: exported, options: PLAIN },
      { name: REFUSES, port: refusing, options: LOOSE },
      { name: "fossil", port: kept, options: PLAIN },
    ];
    // In the middle of the guest's writes, kill -9; and a new server on the same disk and port.
    let again = false;
    const hear = (out: string): void => {
      if (again || !out.includes(`@safe ${KILLAT}\n`)) return;
      again = true;
      const first = servers[4];
      first?.child.kill("SIGKILL");
      void first?.ended().then(() => servers.push(serving(killed, join(db, "killed"))));
    };
    return await linux(
      { mounts, killed: { name: "killed", port: killed, options: PLAIN }, hear },
      cases,
    );
  } finally {
    for (const s of servers) s.child.kill("SIGKILL");
    await Promise.all(servers.map((s) => s.ended()));
    for (const d of [dir, db]) rmSync(d, { recursive: true, force: true });
  }
}

/** Reads the report of the guest's init. */
function read(out: string): void {
  const status = new Map<string, string>();
  for (const [, id = "", n = ""] of out.matchAll(/^@end (\S+ \S+) (\d+)/gm)) status.set(id, n);
  const [, ...parts] = out.split("\n@case ");
  for (const part of parts) {
    const [, id = "", text = ""] = /^(\S+ \S+)\n([^]*?)(?:\n@down [^]*)?$/.exec(part) ?? [];
    ended.set(id, `${text}status ${status.get(id) ?? "unknown"}\n`);
  }
}

test.before(
  "boots Linux; a machine that does not come up in time is tried once more",
  async (t) => {
    t.timeout(600_000);
    try {
      said = await once();
    } catch (e) {
      if (!(e instanceof Notup)) throw e;
      t.log(e.message);
      said = await once();
    }
    read(said.out);
  },
);

/** What a case should write on a mount: what it wrote on the tmpfs, with the differences that are known. */
function expected(name: string, mount: string): string {
  let text = ended.get(`tmpfs ${name}`);
  if (text === undefined) throw new Error("the case did not run");
  for (const d of differences.filter((x) => x.name === name && x.mounts.test(mount)))
    for (const [from, to] of d.instead) {
      if (text.split(from).length !== 2) throw new Error(`${JSON.stringify(from)} in ${text}`);
      text = text.replace(from, () => to);
    }
  return text;
}

test("Linux mounts every server, and its kernel complains of what is known only", (t) => {
  t.deepEqual(said.out.match(/^@error .*$/gm), null);
  const lines = said.kernel.split(/\r?\n/).map((l) => l.replace(/^\[ *[\d.]+\] /, ""));
  t.deepEqual(
    [...new Set(lines.filter((l) => l !== "" && !AGAIN.test(l)))].toSorted(),
    [...COMPLAINTS].toSorted(),
  );
});

test("what Linux has synced on a fossil is there, whole, when its server was killed and started again", (t) => {
  const safe = [...said.out.matchAll(/^@safe (\d+)$/gm)].map((m) => Number(m[1]));
  const found = new Map(
    [...said.out.matchAll(/^@found (\d+) (\w+)$/gm)].map((m) => [Number(m[1]), m[2]]),
  );
  t.true(safe.length > KILLAT && safe.length < 300, `${safe.length} files were written`);
  for (const i of safe) {
    const sum = createHash("md5")
      .update(bigpart(i * PART, (i + 1) * PART))
      .digest("hex");
    t.is(found.get(i), sum, `file ${i}`);
  }
});

for (const c of cases)
  for (const mount of MOUNTS.filter((m) => c.not?.includes(m) !== true))
    test(`${mount}: ${c.title}`, (t) => {
      t.is(ended.get(`${mount} ${c.name}`), expected(c.name, mount));
    });
