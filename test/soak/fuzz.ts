// The fuzzer: a server in a kernel with virtual time, hostile connections from a seed (frames.ts), one after
// another and some at once, and between them a client that must be served. When it is over nothing is left.

import { DMDIR, NOFID, NOTAG, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { convD2M, nulldir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Rmsg } from "../../kernel/abi/fcall.ts";
import type { Chance } from "../../kernel/proc/sched.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { chance } from "../../userland/boot/boot.ts";
import { serve9p, simnet } from "../../userland/boot/net.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { dial } from "../../userland/lib/dial.ts";
import { newexport } from "../../userland/lib/export.ts";
import { newram } from "../../userland/lib/ram.ts";
import { Frames, OPENDIR } from "./frames.ts";

export type Served = "ramfs" | "exportfs";

/** Requests of one connection, at most, and of one write. */
const CONN = 400;
const BATCH = 24;
/** Milliseconds for which a client that does not read is held up. */
const PATIENCE = 100;
/** Connections at once. */
const ATONCE = 4;

/** How far a run has come. */
export type Count = { frames: number; conns: number; replies: number };

/** Sends so many frames; throws where the server did wrong, with the seed. */
export async function fuzz(
  what: Served,
  seed: number,
  frames: number,
  tell: (count: Count) => void = () => undefined,
): Promise<Count> {
  const net = simnet({ seed });
  const k = await net.boot("far");
  const server = await serve9p(k, "tcp!*!564", (sys) => served(what, sys));
  const count: Count = { frames: 0, conns: 0, replies: 0 };
  const pick = chance(seed);
  const fault = (why: string): Error => new Error(`fuzz ${what}, seed ${seed}: ${why}`);
  const client = async (main: (sys: ThreadSys) => Task<Exit>): Promise<void> => {
    const p = k.spawn(
      function* hostile(sys: ThreadSys): Task<Exit> {
        return yield* main(sys);
      },
      ["client"],
    );
    const status = await p.wait();
    if (p.crash !== undefined) throw p.crash;
    if (status !== "") throw fault(`a client ended: ${status}`);
  };
  await client((sys) => plant(sys));
  await client((sys) => honest(sys));
  await client(settle);
  const before = left(k.audit());
  while (count.frames < frames) {
    const conns = Array.from({ length: 1 + pick(ATONCE) }, () => new Hostile(pick, count));
    await Promise.all(conns.map((c) => client((sys) => c.run(sys))));
    count.conns += conns.length;
    if (what === "exportfs") await client((sys) => mend(sys));
    await client((sys) => honest(sys));
    if (server.output !== "") throw fault(server.output);
    tell(count);
  }
  await client(settle);
  const after = left(k.audit());
  if (after !== before) throw fault(`left:\nis     ${after}\nshould ${before}`);
  await net.shutdown();
  const rest = JSON.stringify(net.audit()["far"]);
  if (rest !== '{"procs":[],"chans":[],"fids":[],"tags":[]}') throw fault(`left: ${rest}`);
  return count;
}

/** What is under way comes to its end. */
function* settle(sys: ThreadSys): Task<Exit> {
  yield* sys.sleep(60_000);
  return "";
}

const left = (audit: object): string => JSON.stringify(audit);

function* served(what: Served, sys: ThreadSys): Task<Anysrv> {
  if (what === "ramfs")
    return newram(sys, { user: "glenda", perm: 0o755, limit: 1 << 20 }) as Anysrv;
  return newexport(sys, { root: "/" }) as Anysrv;
}

/** exportfs gives every client its own rights: what a hostile one did to the root's mode is undone. */
function* mend(sys: ThreadSys): Task<Exit> {
  yield* sys.wstat("/", { mode: 0o20000000777 });
  return "";
}

/** The file that the honest client looks at; no hostile one has its name. */
const KEPT = "kept";

function* plant(sys: ThreadSys): Task<Exit> {
  const c = new Client(sys);
  yield* c.dial();
  yield* c.rpc({ type: F.Tversion, tag: NOTAG, msize: 8216, version: "9P2000" });
  yield* c.rpc({ type: F.Tattach, tag: 1, fid: 0, afid: NOFID, uname: "glenda", aname: "" });
  yield* c.rpc({ type: F.Twalk, tag: 1, fid: 0, newfid: 1, wname: [] });
  yield* c.rpc({
    type: F.Tcreate,
    tag: 1,
    fid: 1,
    name: OPENDIR,
    perm: DMDIR + 0o777,
    mode: OREAD,
  });
  yield* c.rpc({ type: F.Twalk, tag: 1, fid: 0, newfid: 2, wname: [OPENDIR] });
  const stat = new Uint8Array(300);
  const d = { ...nulldir(), mode: DMDIR + 0o777 };
  const n = convD2M(d, stat, 0);
  yield* c.rpc({ type: F.Twstat, tag: 1, fid: 2, stat: stat.subarray(0, n) });
  yield* c.rpc({ type: F.Tcreate, tag: 1, fid: 0, name: KEPT, perm: 0o444, mode: OWRITE });
  yield* c.rpc({ type: F.Twrite, tag: 1, fid: 0, offset: 0, data: new Uint8Array(7).fill(107) });
  yield* c.close();
  return "";
}

/** A client that does what it should, and is answered so. */
function* honest(sys: ThreadSys): Task<Exit> {
  const c = new Client(sys);
  yield* c.dial();
  yield* c.rpc({ type: F.Tversion, tag: NOTAG, msize: 8216, version: "9P2000.ix" });
  yield* c.rpc({ type: F.Tattach, tag: 1, fid: 0, afid: NOFID, uname: "glenda", aname: "" });
  yield* c.rpc({ type: F.Twalk, tag: 1, fid: 0, newfid: 1, wname: [KEPT] });
  yield* c.rpc({ type: F.Topen, tag: 1, fid: 1, mode: OREAD });
  const r = yield* c.rpc({ type: F.Tread, tag: 1, fid: 1, offset: 0, count: 100 });
  const text = r.type === F.Rread ? new TextDecoder().decode(r.data) : `reply ${r.type}`;
  yield* c.rpc({ type: F.Tclunk, tag: 1, fid: 1 });
  yield* c.close();
  return text === "kkkkkkk" ? "" : `the honest client read ${text}`;
}

/** A connection as a client has it. */
class Client {
  readonly sys: ThreadSys;
  fd = -1;
  #buf: Uint8Array = new Uint8Array(4096);
  #n = 0;

  constructor(sys: ThreadSys) {
    this.sys = sys;
  }

  *dial(): Task<void> {
    this.fd = yield* dial(this.sys, "tcp!localhost!564");
  }

  *close(): Task<void> {
    yield* this.sys.close(this.fd);
  }

  /** Sends a request and gives its reply, which must be one to it. */
  *rpc(f: F.Tmsg): Task<Rmsg> {
    const buf = new Uint8Array(F.sizeS2M(f));
    F.convS2M(f, buf, 0);
    yield* this.sys.write(this.fd, buf);
    const r = yield* this.next();
    if (r === null) throw new Error("an honest client was hung up on");
    if (r.type !== f.type + 1)
      throw new Error(`an honest client: ${f.type} got ${JSON.stringify(r)}`);
    return r;
  }

  /** The next message, which must be a reply; null at the end. */
  *next(): Task<Rmsg | null> {
    for (;;) {
      const size = this.#n < 4 ? Infinity : F.framesize(this.#buf, 0);
      if (size <= this.#n) return this.#take(size);
      if (this.#n === this.#buf.length) {
        const bigger = new Uint8Array(2 * this.#n);
        bigger.set(this.#buf);
        this.#buf = bigger;
      }
      const n = yield* this.#read();
      if (n === 0) return null;
      this.#n += n;
    }
  }

  /** A connection that was reset is at its end. */
  *#read(): Task<number> {
    try {
      return yield* this.sys.read(this.fd, this.#buf.subarray(this.#n));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return 0;
    }
  }

  #take(size: number): Rmsg {
    const f = size < 7 ? null : F.convM2S(this.#buf, 0, size);
    if (f === null || F.isT(f))
      throw new Error(
        `the server sent no reply: ${this.#buf.subarray(0, Math.min(size, 99)).join(" ")}`,
      );
    // The data of a reply is a view of the buffer.
    const r = "data" in f ? { ...f, data: f.data.slice() } : f;
    this.#buf.copyWithin(0, size, this.#n);
    this.#n -= size;
    return r;
  }
}

/** A hostile connection: it writes what frames.ts gives, and reads, unless it is one that does not. */
class Hostile {
  readonly #pick: Chance;
  readonly #frames: Frames;
  readonly #count: Count;
  readonly #reads: boolean;
  #reading = false;
  #written = false;

  constructor(pick: Chance, count: Count) {
    this.#pick = pick;
    this.#frames = new Frames(pick);
    this.#count = count;
    this.#reads = pick(8) > 0;
  }

  /** A client that does not read is held up some time, and then it has had enough. */
  *run(sys: ThreadSys): Task<Exit> {
    const c = new Client(sys);
    yield* c.dial();
    const reader = this.#reads ? sys.threadcreate(this.#read(c)) : 0;
    const writer = sys.threadcreate(this.#write(c));
    for (let ms = 0; !this.#written; ms += 5) {
      yield* sys.sleep(5);
      if (!this.#reads && ms > PATIENCE) sys.threadint(writer);
    }
    sys.threadint(reader);
    yield* c.close();
    return "";
  }

  *#write(c: Client): Task<void> {
    const { sys } = c;
    try {
      yield* sys.write(c.fd, this.#frames.hello());
      for (let n = this.#pick(CONN); n > 0;) {
        const batch = Math.min(n, 1 + this.#pick(BATCH));
        yield* sys.write(c.fd, this.#frames.next(batch));
        n -= batch;
        this.#count.frames += batch;
        if (this.#pick(4) === 0) yield* sys.sleep(1);
        if (this.#reads && !this.#reading) break;
      }
    } catch (e) {
      // Hung up on, or held up: so it should be.
      if (!(e instanceof PlanError)) throw e;
    }
    this.#written = true;
  }

  *#read(c: Client): Task<void> {
    this.#reading = true;
    while ((yield* c.next()) !== null) this.#count.replies++;
    this.#reading = false;
  }
}
