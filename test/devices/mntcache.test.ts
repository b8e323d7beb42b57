import test from "ava";
import { DMDIR, MCACHE, MCREATE, MREPL, OREAD, OTRUNC, OWRITE } from "../../kernel/const.ts";
import { mountram, put, requests, run, within } from "../kit.ts";

const CACHED = MREPL | MCREATE | MCACHE;

/** Reads a whole file, as much as one call gives. */
async function slurp(sys: Parameters<typeof put>[0], name: string): Promise<Uint8Array> {
  const fd = await sys.open(name, OREAD);
  const buf = new Uint8Array(8192);
  const n = await sys.read(fd, buf);
  await sys.close(fd);
  return buf.subarray(0, n);
}

test(
  "a mount with MCACHE reads a file's data once, and again when another has changed it",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      await put(sys, "/n/f", "one");
      const sent = requests(k);
      t.is((await slurp(sys, "/n/f")).length, 3);
      t.is((await slurp(sys, "/n/f")).length, 3);
      t.is(sent.filter((m) => m.startsWith("Tread")).length, 1);
      await put(sys, "/n/f", "three");
      t.is((await slurp(sys, "/n/f")).length, 5);
      t.is(sent.filter((m) => m.startsWith("Tread")).length, 2);
    });
  }),
);

test(
  "a mount without MCACHE remembers nothing",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n");
      await put(sys, "/n/f", "one");
      const sent = requests(k);
      await slurp(sys, "/n/f");
      await slurp(sys, "/n/f");
      t.is(sent.filter((m) => m.startsWith("Tread")).length, 2);
    });
  }),
);

test(
  "data that was written through a descriptor is read back through another that was open before",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      await put(sys, "/n/f", "aaaa");
      const r = await sys.open("/n/f", OREAD);
      const buf = new Uint8Array(10);
      await sys.pread(r, buf, 0);
      const w = await sys.open("/n/f", OWRITE);
      await sys.write(w, new TextEncoder().encode("bb"));
      await sys.pread(r, buf, 0);
      t.is(new TextDecoder().decode(buf.subarray(0, 4)), "bbaa");
      await sys.close(w);
      await sys.close(await sys.open("/n/f", OWRITE | OTRUNC));
      t.is(await sys.pread(r, buf, 0), 0);
      await sys.close(r);
    });
  }),
);

test(
  "pages are cut at any offset, and the last of a file is short",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      const data = new Uint8Array(40_000).map((_, i) => i % 251);
      const w = await sys.create("/n/f", OWRITE, 0o666);
      await sys.write(w, data);
      await sys.close(w);
      const fd = await sys.open("/n/f", OREAD);
      const buf = new Uint8Array(20_000);
      for (const [at, n] of [
        [0, 20_000],
        [16_383, 20_000],
        [16_384, 20_000],
        [39_999, 1],
        [40_000, 0],
        [70_000, 0],
      ] as const) {
        t.is(await sys.pread(fd, buf, at), n);
        t.deepEqual(buf.subarray(0, n), data.subarray(at, at + n));
      }
      await sys.close(fd);
    });
  }),
);

test(
  "a walk starts at a directory walked to before, until something was removed or renamed",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      for (const d of ["/n/a", "/n/a/b"])
        await sys.close(await sys.create(d, OREAD, (DMDIR | 0o777) >>> 0));
      await put(sys, "/n/a/b/f", "x");
      const sent = requests(k);
      await sys.stat("/n/a/b/f");
      await sys.stat("/n/a/b/f");
      const walks = sent.filter((m) => m.startsWith("Twalk"));
      t.deepEqual(walks, ["Twalk(a/b)", "Twalk(f)", "Twalk(f)"]);
      await sys.wstat("/n/a/b", { name: "c" });
      await t.throwsAsync(sys.stat("/n/a/b/f"), { message: "'/n/a/b' does not exist" });
      t.is((await sys.stat("/n/a/c/f")).length, 1);
    });
  }),
);

test(
  "a remembered directory that is gone at the server costs a second walk and no error",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      await sys.close(await sys.create("/n/d", OREAD, (DMDIR | 0o777) >>> 0));
      await put(sys, "/n/d/f", "x");
      await sys.stat("/n/d/f");
      // Through dot the mount's root fid is not what is walked from, so the cache is not told.
      await sys.chdir("/n/d");
      await sys.remove("f");
      await t.throwsAsync(sys.stat("/n/d/f"), { message: "'/n/d/f' does not exist" });
      await put(sys, "/n/d/f", "xy");
      t.is((await sys.stat("/n/d/f")).length, 2);
      await sys.chdir("/");
    });
  }),
);
