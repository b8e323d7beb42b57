// exportfs beside the file server below it: random requests of two clients, by hand and with several fids each,
// get the same answers from a ramfs as from an export of a ramfs; and no file, node or descriptor is left.

import test from "ava";
import fc from "fast-check";
import { DMDIR, ORCLOSE, ORDWR, OREAD, OTRUNC, OWRITE } from "../../kernel/abi/const.ts";
import { convD2M, convM2D, sizeD2M, wstatdir } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import { newexport } from "../../userland/lib/export.ts";
import { newram } from "../../userland/lib/ram.ts";
import { entries, mountram, run, within } from "../kit/kit.ts";
import { connected } from "../kit/clients.ts";
import type { Rawclient } from "../kit/rawclient.ts";
import { clunk, create, open, read, remove, said, stat, walk, write } from "../kit/msg.ts";

const name = fc.constantFrom("a", "b", "c");
const fid = fc.integer({ min: 1, max: 4 });
const from = fc.integer({ min: 0, max: 4 });

function rename(f: number, to: string): Tmsg {
  const d = wstatdir({ name: to });
  const bytes = new Uint8Array(sizeD2M(d));
  convD2M(d, bytes, 0);
  return { type: F.Twstat, tag: 1, fid: f, stat: bytes };
}

const mkdir = (f: number, n: string): Tmsg => ({
  type: F.Tcreate,
  tag: 1,
  fid: f,
  name: n,
  perm: (DMDIR | 0o777) >>> 0,
  mode: OREAD,
});

const mode = fc.constantFrom(OREAD, OWRITE, ORDWR, OWRITE | OTRUNC, OREAD | ORCLOSE);
const path = fc.constantFrom("", "a", "b", "c", "a/b", "b/a", "a/..", "..", "../b", "a/b/c");

/** A request, most of them such that they may succeed. */
const request: fc.Arbitrary<Tmsg> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(from, fid, path).map(([f, n, p]) => walk(f, n, p)) },
  { weight: 3, arbitrary: fc.tuple(fid, name, mode).map(([f, n, m]) => create(f, n, m & 3)) },
  { weight: 2, arbitrary: fc.tuple(fid, name).map(([f, n]) => mkdir(f, n)) },
  { weight: 3, arbitrary: fc.tuple(fid, mode).map(([f, m]) => open(f, m)) },
  { weight: 4, arbitrary: fc.tuple(fid, name).map(([f, n]) => rename(f, n)) },
  { weight: 2, arbitrary: fid.map((f) => remove(f)) },
  { weight: 3, arbitrary: fid.map((f) => clunk(f)) },
  { weight: 3, arbitrary: from.map((f) => stat(f)) },
  { weight: 2, arbitrary: fid.map((f) => read(f)) },
  { weight: 2, arbitrary: fc.tuple(fid, name).map(([f, n]) => write(f, n)) },
);

/** What a reply says, with the name and length that a stat tells, and without the qids of a directory's bytes. */
async function answer(c: Rawclient, f: Tmsg): Promise<string> {
  const [r] = await c.rpc(f);
  if (r === undefined) return "it hung up";
  if (r.type === F.Rstat) {
    const d = convM2D(r.stat, 0, r.stat.length)?.dir;
    // Each server has its own name for its root.
    const called = d?.name === "." ? "/" : d?.name;
    return `stat ${called} ${d?.length} ${d?.mode}`;
  }
  if (r.type !== F.Rread || r.data.length < 49) return said(r);
  const names = entries(r.data).map((d) => d.name);
  return `entries ${names.join(" ")}`;
}

const show = (f: Tmsg): string =>
  JSON.stringify(f, (k, v: unknown) => (k === "stat" || k === "data" ? "" : v));

type Step = readonly [who: number, f: Tmsg];

/** Runs the requests against both and gives the first that was answered in two ways. */
async function differs(sys: Sys, steps: readonly Step[]): Promise<string | null> {
  await mountram(sys, "/tmp");
  const ram = await connected(sys, 2, (s) => newram(s, { user: "glenda", perm: 0o777 }) as Anysrv);
  const exp = await connected(sys, 2, (s) => newexport(s, { root: "/tmp" }));
  let found: string | null = null;
  for (const [i, [who, f]] of steps.entries()) {
    const [direct, through] = [ram.clients[who], exp.clients[who]] as [Rawclient, Rawclient];
    const [want, got] = [await answer(direct, f), await answer(through, f)];
    if (want === got) continue;
    found = `${i}: client ${who}: ${show(f)}: ${want}; exported: ${got}`;
    break;
  }
  for (const c of [...ram.clients, ...exp.clients]) await c.close();
  for (let i = 0; i < 2; i++) await sys.wait();
  if (exp.srv.nodes.count !== 1) found ??= `${exp.srv.nodes.count} nodes are left`;
  return found;
}

test("two clients with several fids each get the answers of the file server below, renames included", async (t) => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), request), {
    minLength: 1,
    maxLength: 200,
    size: "max",
  });
  let why = "";
  const out = await fc.check(
    fc.asyncProperty(steps, async (list) => {
      let found: string | null = null;
      await within(async (_t, k) => {
        await run(k, async (sys: Sys) => {
          found = await differs(sys, list);
        });
      })(t);
      if (found === null) return true;
      why = `${String(found)}\n${list.map(([who, f]) => `${who} ${show(f)}`).join("\n")}`;
      return false;
    }),
    { numRuns: 150, seed: 7 },
  );
  t.false(out.failed, why);
});
