// The two trees in memory, device R and ramfs, keep the same rules: the same calls, by the same user, have
// the same fate on both. They differ in what is documented of Plan 9's ramfs: whose search permission a walk
// asks, the order of a directory, the words of errors.

import test from "ava";
import fc from "fast-check";
import { DMAPPEND, DMDIR, ORCLOSE, ORDWR, OREAD, OTRUNC, OWRITE } from "../../kernel/abi/const.ts";
import type { Dir, Wstat } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { readtext } from "../../userland/lib/io.ts";
import { newram } from "../../userland/lib/ram.ts";

const NAMES = ["a", "b", "d", "d/x", "d/y"] as const;

type Op =
  | { readonly op: "create"; readonly name: string; readonly omode: number; readonly perm: number }
  | { readonly op: "write"; readonly name: string; readonly at: number; readonly text: string }
  | { readonly op: "open"; readonly name: string; readonly omode: number }
  | { readonly op: "remove"; readonly name: string }
  | { readonly op: "wstat"; readonly name: string; readonly w: Wstat };

const name = fc.constantFrom(...NAMES);
const perm = fc.constantFrom(
  0o666,
  0o644,
  0o400,
  0,
  DMAPPEND | 0o666,
  DMDIR | 0o777,
  DMDIR | 0o555,
);
const ops: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    op: fc.constant("create" as const),
    name,
    omode: fc.constantFrom(OREAD, OWRITE, ORDWR, OREAD | ORCLOSE),
    perm,
  }),
  fc.record({
    op: fc.constant("write" as const),
    name,
    at: fc.nat({ max: 9 }),
    text: fc.string({ unit: fc.constantFrom("p", "q"), maxLength: 4 }),
  }),
  fc.record({
    op: fc.constant("open" as const),
    name,
    omode: fc.constantFrom(OREAD, OWRITE, OREAD | OTRUNC, OWRITE | OTRUNC, OREAD | ORCLOSE),
  }),
  fc.record({ op: fc.constant("remove" as const), name }),
  fc.record({
    op: fc.constant("wstat" as const),
    name,
    w: fc.record(
      {
        name: fc.constantFrom("", "a", "b", "x", "z"),
        mode: fc.constantFrom(0xffffffff, 0o600, 0o444, 0o666, 0),
        length: fc.constantFrom(-1, 0, 3, 12),
        mtime: fc.constantFrom(0xffffffff, 7),
        gid: fc.constantFrom("", "glenda", "sys"),
      },
      { requiredKeys: [] },
    ),
  }),
);

/** Makes the call below a directory; "ok", or "no". Their words differ, as Plan 9's own do. */
async function made(sys: Sys, dir: string, o: Op): Promise<string> {
  const file = `${dir}/${o.name}`;
  try {
    switch (o.op) {
      case "create":
        await sys.close(await sys.create(file, o.omode, o.perm >>> 0));
        break;
      case "open":
        await sys.close(await sys.open(file, o.omode));
        break;
      case "write": {
        const fd = await sys.open(file, OWRITE);
        try {
          await sys.pwrite(fd, new TextEncoder().encode(o.text), o.at);
        } finally {
          await sys.close(fd);
        }
        break;
      }
      case "remove":
        await sys.remove(file);
        break;
      case "wstat": {
        const d = await sys.stat(file);
        const { mode } = o.w;
        // A mode for the kind of file that it is: what becomes of another kind is each tree's own.
        const kept = mode === undefined || mode === 0xffffffff ? {} : { mode: kind(d, mode) };
        await sys.wstat(file, { ...o.w, ...kept });
        break;
      }
    }
    return "ok";
  } catch (e) {
    if (e instanceof PlanError) return "no";
    throw e;
  }
}

/** The mode for a file of its kind; a directory stays open to be listed and searched. */
const kind = (d: Dir, mode: number): number =>
  ((d.mode & (DMDIR | DMAPPEND)) | mode | ((d.mode & DMDIR) === 0 ? 0 : 0o500)) >>> 0;

/** Everything in a tree, as lines. */
async function all(sys: Sys, dir: string): Promise<string[]> {
  const lines: string[] = [];
  for (const d of await readdir(sys, dir)) {
    const isdir = (d.mode & DMDIR) !== 0;
    const text = isdir ? "" : await readtext(sys, `${dir}/${d.name}`).catch(() => "unreadable");
    // Of a directory Plan 9's ramfs counts no version, and its times are of different events.
    const more = isdir ? "" : ` ${d.qid.vers} ${d.mtime} ${d.length}`;
    lines.push(`${d.name} ${d.mode.toString(8)} ${d.uid} ${d.gid} ${d.muid}${more} ${text}`);
    if (isdir) lines.push(...(await all(sys, `${dir}/${d.name}`).catch(() => ["unreadable"])));
  }
  return lines.toSorted();
}

test("device R and ramfs answer the same calls alike, and come to the same files", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(ops, { maxLength: 25 }), async (list) => {
      const k = await boot({ clock: "virtual", files: { r: {}, m: {} } });
      const p = k.spawn(
        async (sys: Sys) => {
          await postmount(sys, (s) => newram(s, { user: "glenda", perm: 0o775 }), { mtpt: "/m" });
          for (const o of list) {
            await sys.sleep(1000);
            const mine = await made(sys, "/r", o);
            t.is(await made(sys, "/m", o), mine, JSON.stringify(o));
          }
          t.deepEqual(await all(sys, "/m"), await all(sys, "/r"));
        },
        ["twins"],
      );
      const status = await p.wait();
      if (p.crash !== undefined) throw p.crash;
      t.is(status, "");
      await k.shutdown();
    }),
    { numRuns: 300 },
  );
});
