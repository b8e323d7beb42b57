// A wstat to a name that exists: refused, as stat(5) has it; or, of a server that replaces, what rename(2) does.

import test from "ava";
import type { ExecutionContext } from "ava";
import { OREAD } from "../../kernel/abi/const.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { type Anysrv, postmount } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { newexport } from "../../userland/lib/export.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { newram } from "../../userland/lib/ram.ts";
import { fossil, machine } from "../../userland/testing/index.ts";
import { hosted } from "../kit/hosted.ts";
import { failure, mkdir } from "../kit/kit.ts";

/** The names in a directory. */
async function names(sys: Sys, dir: string): Promise<string> {
  const list: string[] = [];
  for (const name of ["d", "e", "f", "full", "g"])
    if ((await failure(sys.stat(`${dir}/${name}`))) === "no error") list.push(name);
  return list.join(" ");
}

/** Two files, an empty directory, and one that is not. */
async function plant(sys: Sys, dir: string): Promise<void> {
  await writefile(sys, `${dir}/f`, "f");
  await writefile(sys, `${dir}/g`, "the longer one");
  for (const name of ["d", "e", "full"]) await mkdir(sys, `${dir}/${name}`);
  await writefile(sys, `${dir}/full/x`, "x");
}

const short = (text: string): string => text.replace(/^'[^']*' /, "");

/** What a server that replaces does; `gone` is what one hears who has the replaced file open. */
async function replaces(t: ExecutionContext, sys: Sys, dir: string, gone: string): Promise<void> {
  await plant(sys, dir);
  const fd = await sys.open(`${dir}/g`, OREAD);
  await sys.wstat(`${dir}/f`, { name: "g", muid: "glenda" });
  t.is(await readtext(sys, `${dir}/g`), "f");
  t.is(await names(sys, dir), "d e full g");
  const buf = new Uint8Array(100);
  t.is(short(await failure(sys.pread(fd, buf, 0))), gone);
  await sys.close(fd);
  const onto = async (from: string, name: string): Promise<string> =>
    short(await failure(sys.wstat(`${dir}/${from}`, { name })));
  t.deepEqual(
    [await onto("g", "d"), await onto("d", "g"), await onto("d", "full"), await onto("d", "e")],
    ["file is a directory", "not a directory", "directory not empty", "no error"],
  );
  t.is(await names(sys, dir), "e full g");
  t.is(await readtext(sys, `${dir}/full/x`), "x");
  await sys.wstat(`${dir}/g`, { name: "f" });
  t.is(await onto("f", "f"), "no error");
  t.is(await readtext(sys, `${dir}/f`), "f");
}

/** What one does that does not. */
async function refuses(t: ExecutionContext, sys: Sys, dir: string): Promise<void> {
  await plant(sys, dir);
  t.regex(await failure(sys.wstat(`${dir}/f`, { name: "g" })), /file (already )?exists$/);
  t.regex(await failure(sys.wstat(`${dir}/d`, { name: "e" })), /file (already )?exists$/);
  t.is(await names(sys, dir), "d e f full g");
  t.is(await readtext(sys, `${dir}/g`), "the longer one");
}

/** Runs a program on a machine with a server; nothing is left at the end. */
async function far(
  t: ExecutionContext,
  serve: (sys: ThreadSys) => Anysrv | Task<Anysrv>,
  main: (sys: Sys) => Promise<void>,
): Promise<void> {
  const m = await machine();
  await m.server("far", { serve });
  const r = await m.run(main);
  t.is(r.status, "");
  await m.end();
}

const ram = (replace: boolean) => (sys: ThreadSys) =>
  newram(sys, { user: "glenda", perm: 0o777, replace }) as Anysrv;

for (const [name, serve] of [
  ["ramfs", ram],
  ["fossil", (replace: boolean) => fossil({ replace })],
] as const) {
  test(`${name} replaces a file where it is told to`, (t) =>
    far(t, serve(true), (sys) => replaces(t, sys, "/n/far", "file does not exist")));
  test(`${name} refuses a rename onto a file`, (t) =>
    far(t, serve(false), (sys) => refuses(t, sys, "/n/far")));
}

for (const replace of [true, false])
  test(
    `exportfs ${replace ? "replaces a file where it is told to" : "refuses a rename onto a file"}`,
    hosted(
      async (t, sys) => {
        await postmount(sys, (s) => newexport(s, { root: "/n" }), { mtpt: "/tmp" });
        if (replace) await replaces(t, sys, "/tmp", "no error");
        else await refuses(t, sys, "/tmp");
      },
      (root) => ({ root, replace }),
    ),
  );

test(
  "a rename onto a file changes nothing else, where it cannot be undone",
  hosted(
    async (t, sys) => {
      await plant(sys, "/n");
      const both = { name: "g", mode: 0o600, muid: "glenda" };
      t.is(short(await failure(sys.wstat("/n/f", both))), "file already exists");
      t.is(await readtext(sys, "/n/f"), "f");
    },
    (root) => ({ root, replace: true }),
  ),
);
