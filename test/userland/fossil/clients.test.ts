// Several clients at once, on machines of their own, with a fossil whose disk is slow, answers out of order and fails.
// Each finds what it wrote, and nothing is left over at the end. After a crash at any moment each finds a tree that it
// had, not older than its last sync.

import assert from "node:assert/strict";
import test from "ava";
import { DMDIR, MCREATE, MREPL, OREAD, ORDWR, OTRUNC, OWRITE } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Sys, Task } from "../../../syscalls/sys.ts";
import { chance } from "../../../userland/boot/boot.ts";
import { serve9p, simnet } from "../../../userland/boot/net.ts";
import type { Anysrv } from "../../../userland/lib/9p.ts";
import type { ThreadSys } from "../../../userland/lib/both.ts";
import { dial } from "../../../userland/lib/dial.ts";
import { readdir } from "../../../userland/lib/dirread.ts";
import { type Disk, Procenv } from "../../../userland/lib/fossil/disk.ts";
import { type Fossil, openfossil } from "../../../userland/lib/fossil/fossil.ts";
import { NOTHING, run } from "../../kit/kit.ts";
import { Disklog, Rig, hash } from "../../kit/fossilrig.ts";

/** A disk whose calls take a while each, some much longer, and fail now and then. */
function slow(
  sys: ThreadSys,
  log: Disklog,
  n: (most: number) => number,
  faults: () => number,
): Disk {
  function* wait(): Task<void> {
    yield* sys.sleep(n(10) === 0 ? 50 + n(200) : n(8));
    if (n(1000) < faults()) throw new PlanError("i/o error: bus");
  }
  return {
    *read(buf, at): Task<number> {
      yield* wait();
      return log.read(buf, at);
    },
    *write(bytes, at): Task<void> {
      yield* wait();
      log.write(bytes, at);
    },
    *sync(): Task<void> {
      yield* wait();
      log.sync();
    },
    length: () => log.length(),
  };
}

/** A client's files in its own directory, by name, at one moment, and when that was. */
type Moment = {
  readonly tree: string;
  /** How many operations the disk had seen when the change was begun. */
  readonly begun: number;
  /** And when it, and a sync behind it, was answered. */
  safe: number;
};

const text = (files: ReadonlyMap<string, Uint8Array>): string =>
  [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, b]) => `${name} ${b.length} ${Buffer.from(hash(b)).toString("hex").slice(0, 12)}`)
    .join("\n");

async function slurp(sys: Sys, name: string): Promise<Uint8Array> {
  const fd = await sys.open(name, OREAD);
  try {
    const parts: Uint8Array[] = [];
    for (;;) {
      const buf = new Uint8Array(70_000);
      const n = await sys.read(fd, buf);
      if (n === 0) return Buffer.concat(parts);
      parts.push(buf.subarray(0, n));
    }
  } finally {
    await sys.close(fd);
  }
}

/** Does a call; true if it did not fail as a bad disk does. */
async function did(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (e) {
    if (e instanceof PlanError && /i\/o error|file system full/.test(e.message)) return false;
    throw e;
  }
}

/** The same call until the disk takes it. */
async function must<T>(call: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await call();
    } catch (e) {
      if (!(e instanceof PlanError) || !/i\/o error/.test(e.message)) throw e;
    }
}

/** A client of the fossil, with random work in a directory of its own. */
class Client {
  readonly moments: Moment[] = [{ tree: "", begun: 0, safe: 0 }];
  readonly #files: Map<string, Uint8Array> = new Map();
  readonly #name: string;
  readonly #n: (most: number) => number;
  readonly #log: Disklog;
  /** Records that it has added to the file of all. */
  added = 0;

  constructor(name: string, n: (most: number) => number, log: Disklog) {
    this.#name = name;
    this.#n = n;
    this.#log = log;
  }

  async work(sys: Sys, steps: number): Promise<void> {
    const dir = `/n/f/${this.#name}`;
    await sys.close(await must(() => sys.create(dir, OREAD, (DMDIR | 0o775) >>> 0)));
    for (let i = 0; i < steps; i++) await this.#step(sys, dir);
    // Streams of reads find what was written by single calls, and the other way round.
    for (const [name, bytes] of this.#files)
      assert.deepEqual(
        Buffer.from(await must(() => slurp(sys, `${dir}/${name}`))),
        Buffer.from(bytes),
      );
    // What it added to the file of all is there, whole and in its order.
    const all = Buffer.from(await must(() => slurp(sys, "/n/f/all"))).toString();
    const mine = all.split("\n").filter((line) => line.startsWith(this.#name));
    assert.deepEqual(
      mine,
      Array.from({ length: this.added }, (_, i) => `${this.#name} ${i}`),
    );
    assert.deepEqual(
      (await must(() => readdir(sys, dir))).map((d) => d.name).toSorted(),
      [...this.#files.keys()].toSorted(),
    );
  }

  async #step(sys: Sys, dir: string): Promise<void> {
    const n = this.#n;
    const name = `f${n(5)}`;
    const path = `${dir}/${name}`;
    const old = this.#files.get(name);
    switch (n(8)) {
      case 0:
        if (!(await did(sys.wstat(dir, {})))) return;
        for (const m of this.moments) m.safe = Math.min(m.safe, this.#log.ops.length);
        return;
      case 1:
        if (old === undefined) return;
        await this.#change(new Map(this.#files), (next) => next.delete(name), sys.remove(path));
        return;
      case 2: {
        if (old === undefined) return;
        const length = n(2) === 0 ? n(200_000) : n(2000);
        const cut = new Uint8Array(length);
        cut.set(old.subarray(0, length));
        await this.#change(
          new Map(this.#files),
          (next) => next.set(name, cut),
          sys.wstat(path, { length }),
        );
        return;
      }
      case 3: {
        const fd = await must(() => sys.open("/n/f/all", OWRITE));
        const line = `${this.#name} ${this.added}\n`;
        if (await did(sys.write(fd, Buffer.from(line)))) this.added++;
        await sys.close(fd);
        return;
      }
      default:
        await this.#write(sys, name, old);
    }
  }

  async #write(sys: Sys, name: string, old: Uint8Array | undefined): Promise<void> {
    const n = this.#n;
    const path = `/n/f/${this.#name}/${name}`;
    let fd = -1;
    if (old === undefined) {
      const made = sys.create(path, ORDWR, 0o664).then((x) => (fd = x));
      if (!(await this.#change(new Map(this.#files), (m) => m.set(name, new Uint8Array(0)), made)))
        return;
    } else fd = await must(() => sys.open(path, n(6) === 0 ? ORDWR | OTRUNC : ORDWR).catch(refuse));
    if (fd < 0) return;
    const now = this.#files.get(name) ?? new Uint8Array(0);
    const length = (await must(() => sys.fstat(fd))).length;
    const before = length === 0 ? new Uint8Array(0) : now;
    if (length === 0 && now.length > 0)
      await this.#change(new Map(this.#files), (m) => m.set(name, before), Promise.resolve());
    const at = n(3) === 0 ? n(150_000) : before.length;
    const data = new Uint8Array(n(2) === 0 ? 1 + n(900) : 1 + n(60_000)).fill(n(256));
    const after = new Uint8Array(Math.max(before.length, at + data.length));
    after.set(before);
    after.set(data, at);
    await this.#change(new Map(this.#files), (m) => m.set(name, after), sys.pwrite(fd, data, at));
    await sys.close(fd);
  }

  /** Makes a change, of the model too if the server did it. */
  async #change(
    next: Map<string, Uint8Array>,
    make: (next: Map<string, Uint8Array>) => unknown,
    call: Promise<unknown>,
  ): Promise<boolean> {
    const begun = this.#log.ops.length;
    make(next);
    this.moments.push({ tree: text(next), begun, safe: Infinity });
    if (!(await did(call))) {
      this.moments.pop();
      return false;
    }
    this.#files.clear();
    for (const [k, v] of next) this.#files.set(k, v);
    return true;
  }
}

const refuse = (e: unknown): never => {
  throw e;
};

/** Some clients at work; gives the clients, the disk's log, and how the disk began. */
async function simulate(
  seed: number,
  faults: number,
): Promise<{ clients: Client[]; log: Disklog; start: Uint8Array }> {
  const first = new Disklog();
  const rig = new Rig(first);
  const all = rig.create("/all", (0x40000000 | 0o666) >>> 0);
  rig.clunk(all);
  rig.wstat("/", { mode: (DMDIR | 0o777) >>> 0 });
  rig.sync();
  const start = first.image;
  const log = new Disklog(start);
  const n = chance(seed);
  const net = simnet({ seed, anyorder: true });
  const far = await net.boot("far");
  const served: { fossil: Fossil | null } = { fossil: null };
  await serve9p(far, "tcp!*!564", function* (sys): Task<Anysrv> {
    const disk = slow(sys, log, n, () => (served.fossil === null ? 0 : faults));
    const opts = { hash, every: 1000, flush: 200_000, cache: 1 << 20 };
    served.fossil = yield* openfossil(disk, new Procenv(sys), opts);
    return served.fossil.srv as Anysrv;
  });
  const clients: Client[] = [];
  const ends: Promise<unknown>[] = [];
  for (const name of ["a", "b", "c"]) {
    const k = await net.boot(name, { files: { n: { f: {} } } });
    net.link(name, "far", { rtt: `${1 + n(20)}ms` });
    const client = new Client(name, chance(seed * 7 + clients.length), log);
    clients.push(client);
    const main = async (sys: Sys): Promise<void> => {
      await sys.mount(await dial(sys, "tcp!far!564"), -1, "/n/f", MREPL | MCREATE, "");
      await client.work(sys, 40);
    };
    ends.push(run(k, main));
  }
  await Promise.all(ends);
  await net.machines
    .get("a")
    ?.spawn(async () => undefined, ["last"])
    .wait();
  await net.shutdown();
  for (const audit of Object.values(net.audit())) assert.deepEqual(audit, NOTHING);
  return { clients, log, start };
}

/** What a client's directory holds on a disk that was left by a crash. */
function left(rig: Rig, name: string): string {
  if (rig.walk(`/${name}`) === null) return "";
  const files = new Map<string, Uint8Array>();
  for (const d of rig.ls(`/${name}`)) files.set(d.name, rig.get(`/${name}/${d.name}`));
  return text(files);
}

test("clients at once on a slow disk that fails now and then find what they wrote, and leave nothing", async (t) => {
  for (const [seed, faults] of [
    [1, 0],
    [2, 0],
    [3, 30],
    [4, 30],
    [5, 100],
  ] as const) {
    const { clients } = await simulate(seed, faults);
    t.is(clients.length, 3, `seed ${seed}`);
  }
});

test("whatever a crash leaves of a disk with clients at work is a tree of each, not older than its last sync", async (t) => {
  for (const [seed, faults] of [
    [11, 0],
    [12, 40],
  ] as const) {
    const { clients, log, start } = await simulate(seed, faults);
    const n = chance(seed);
    for (let cut = 0; cut <= log.ops.length; cut += 1 + n(12)) {
      const kept = n(3) * 50;
      const image = Disklog.crashed(start, log.ops.slice(0, cut), () => n(100) < kept);
      const rig = new Rig(new Disklog(image));
      assert.deepEqual(rig.check(), [], `seed ${seed}, after ${cut} operations`);
      for (const [i, c] of clients.entries()) {
        const tree = left(rig, "abc"[i] ?? "");
        const safe = c.moments.findLastIndex((m) => m.safe <= cut);
        const found = c.moments.some((m, j) => j >= safe && m.begun <= cut && m.tree === tree);
        assert.ok(found, `seed ${seed}, after ${cut}: client ${i} has ${tree}`);
      }
    }
  }
  t.pass();
});
