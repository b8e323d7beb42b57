// Hostile clients of a real server over TCP, one kind after another, and a client beside them that must get its
// answers: each is checked, the longest wait is told, and memory stays within 256 MB of an idle server. Clients whose
// input waits for room may have a chunk of it in the host besides.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NOFID, NOTAG, ORDWR, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import { Wire } from "../bench/wire.ts";
import type { Soakopts } from "./run.ts";
import { HELLO, Served, bytes, call, rest, session } from "./server.ts";

const MB = 1048576;
const ROOM = 256 * MB;
/** The host reads so many bytes of a connection before it can be told to stop. */
const CHUNK = 65_536;
/** Milliseconds that an answer may take beside hostile clients, on a machine that has much other work. */
const LONGEST = 3000;

/** Rounds of the client beside, before the hostile ones and after they began. */
const ROUNDS = 150;

/** Makes hostile clients of the server at port, and gives those whose connections stay. */
type Hostile = (port: number) => Promise<readonly (Socket | null)[]>;

const times = <T>(n: number, fn: (i: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => fn(i));

/** Requests, or bytes as they are. */
type Said = readonly Tmsg[] | Buffer;

/** A client of which nothing is read: it sends these after its hello. */
async function says(port: number, ...what: readonly Said[]): Promise<Socket> {
  const socket = await call(port);
  if (socket === null) throw new Error("a call was refused");
  socket.pause();
  socket.write(HELLO);
  for (const w of what) socket.write("byteLength" in w ? w : bytes(...w));
  return socket;
}

/** The same, of which everything is read and dropped. */
async function reads(port: number, ...what: readonly Said[]): Promise<Socket> {
  return (await says(port, ...what)).resume();
}

const walk = (tag: number, newfid: number, ...wname: readonly string[]): Tmsg => ({
  type: F.Twalk,
  tag,
  fid: 0,
  newfid,
  wname,
});
const open = (tag: number, fid: number, mode: number = OREAD): Tmsg => ({
  type: F.Topen,
  tag,
  fid,
  mode,
});
const create = (tag: number, fid: number, name: string): Tmsg => ({
  type: F.Tcreate,
  tag,
  fid,
  name,
  perm: 0o666,
  mode: ORDWR,
});
const read = (tag: number, fid: number, count: number): Tmsg => ({
  type: F.Tread,
  tag,
  fid,
  offset: 0,
  count,
});
const write = (tag: number, fid: number, n: number): Tmsg => ({
  type: F.Twrite,
  tag,
  fid,
  offset: 0,
  data: new Uint8Array(n),
});
const onfid = (type: typeof F.Tstat | typeof F.Tclunk | typeof F.Tremove, tag: number): Tmsg => ({
  type,
  tag,
  fid: 1,
});
const flush = (tag: number, oldtag: number): Tmsg => ({ type: F.Tflush, tag, oldtag });
const VERSION: Tmsg = {
  type: F.Tversion,
  tag: NOTAG,
  msize: 1 << 20,
  version: "9P2000.ix.stream",
};
const ATTACH: Tmsg = { type: F.Tattach, tag: 1, fid: 0, afid: NOFID, uname: "glenda", aname: "" };

/** Requests that are sent together on tags of their own, about one open fid that several of them end. */
const TOGETHER: readonly (readonly Tmsg[])[] = [
  [onfid(F.Tstat, 2), onfid(F.Tremove, 3)],
  [onfid(F.Tclunk, 2), onfid(F.Tremove, 3), onfid(F.Tclunk, 4)],
  [read(2, 1, 8192), onfid(F.Tclunk, 3), read(4, 1, 8192)],
  [write(2, 1, 70_000), onfid(F.Tremove, 3), onfid(F.Tstat, 4)],
];

const frame = (size: number, type = F.Tstat): Buffer => {
  const b = Buffer.alloc(11);
  b.writeUInt32LE(size >>> 0);
  b[4] = type;
  return b;
};

/** A frame of a write of 1 MB, of which the end does not come. */
const LONG = bytes(write(9, 1, MB - 100));
const half = (n: number): Buffer => LONG.subarray(0, n);

/** A kind: what they do, how, and how many of them have input that waits. */
type Kind = readonly [string, Hostile, number?];

/** 200 clients that read what they are sent, and send such requests about fid 1, an open file, all at once. */
const crowd =
  (requests: () => readonly Tmsg[]): Hostile =>
  (port) =>
    Promise.all(times(200, () => reads(port, [walk(1, 1, "long"), open(1, 1), ...requests()])));

const KINDS: readonly Kind[] = [
  [
    "60 clients that read no answer to 2,000 reads of 1 MB",
    (port) =>
      Promise.all(
        times(60, () =>
          says(port, [walk(1, 1, "long"), open(1, 1), ...times(2000, (i) => read(i % 500, 1, MB))]),
        ),
      ),
  ],
  [
    "200 clients that read no answer to 3,000 stats",
    (port) => {
      const stats = bytes(...times(3000, (i) => onfid(F.Tstat, i % 500)));
      return Promise.all(times(200, () => says(port, [walk(1, 1, "long")], stats)));
    },
  ],
  [
    "4,000 times two or three requests on one open fid that end it",
    async (port) => {
      for (let i = 0; i < 4000; i += 40)
        for (const socket of await Promise.all(
          times(40, (n) =>
            reads(port, [
              walk(1, 1),
              create(1, 1, `t${i + n}`),
              ...(TOGETHER[n % TOGETHER.length] ?? []),
              walk(5, 1, `t${i + n}`),
              open(5, 1),
              onfid(F.Tremove, 5),
            ]),
          ),
        ))
          socket.end();
      return [];
    },
  ],
  [
    "400 clients that send half of a frame of 1 MB",
    (port) =>
      Promise.all(
        times(400, (i) => reads(port, [walk(1, 1), create(1, 1, `h${i}`)], half(600_000))),
      ),
    400,
  ],
  [
    "1,000 clients that send a part of a frame of 1 MB",
    (port) => Promise.all(times(1000, () => reads(port, [walk(1, 1, "long")], half(200_000)))),
    1000,
  ],
  [
    "400 clients that send all of a frame of 1 MB but its end",
    (port) => Promise.all(times(400, () => reads(port, [walk(1, 1, "long")], half(900_000)))),
    400,
  ],
  [
    "500 clients that send a frame of 1 MB by 1,000 bytes in a tenth of a second",
    async (port) => {
      const all = await Promise.all(
        times(500, () => reads(port, [walk(1, 1, "long")], half(200_000))),
      );
      for (let n = 200_000; n < 250_000; n += 1000) {
        for (const socket of all) socket.write(LONG.subarray(n, n + 1000));
        await rest(100);
      }
      return all;
    },
    500,
  ],
  [
    "frames of wrong sizes and types",
    (port) =>
      Promise.all(
        [0, 1, 3, 4, 6, 7, 10, 12, 0x7fffffff, 0x80000000, 0xffffffff, MB + 1].flatMap((size) =>
          [F.Tstat, F.Twrite, F.Twalk, F.Rstat, 106, 0, 255].map((type) =>
            reads(port, frame(size, type), [onfid(F.Tstat, 2)]),
          ),
        ),
      ),
  ],
  [
    "Tversion in the middle of 500 requests, 200 times",
    crowd(() => [
      ...times(250, (i) => read(i, 1, 65_536)),
      VERSION,
      ATTACH,
      ...times(250, (i) => onfid(F.Tstat, i)),
      VERSION,
    ]),
  ],
  [
    "Tflush of itself, of unknown tags, of a Tflush, and of all that is under way",
    crowd(() => [
      ...times(1000, (i) => flush(i, i)),
      ...times(1000, (i) => flush(i, 60_000 - i)),
      ...times(400, (i) => (i % 2 === 0 ? read(i, 1, 65_536) : flush(i, i - 1))),
      ...times(400, (i) => flush(1000 + i, 1000 + ((i + 1) % 400))),
    ]),
  ],
  [
    "5,000 connections",
    async (port) => {
      const all: (Socket | null)[] = [];
      for (let i = 0; i < 5000; i += 50)
        all.push(...(await Promise.all(times(50, () => session(port)))));
      if (all.includes(null)) throw new Error("a connection was refused");
      return all;
    },
  ],
  [
    "20,000 reconnections",
    async (port) => {
      for (let i = 0; i < 20_000; i += 50)
        await Promise.all(times(50, async () => (await session(port))?.destroy()));
      return [];
    },
  ],
];

/** A well-behaved client: it stats, reads and writes a file of its own, and checks every answer. */
class Good {
  readonly #w: Wire;
  waited: number[] = [];
  #n = 0;

  private constructor(w: Wire) {
    this.#w = w;
  }

  static async dial(port: number): Promise<Good> {
    const w = await Wire.dial(port);
    await w.rpc(VERSION);
    await w.rpc(ATTACH);
    await w.rpc(walk(1, 1));
    await w.rpc(create(1, 1, "long"));
    const data = new Uint8Array(MB / 2);
    for (const offset of [0, MB / 2]) await w.rpc({ type: F.Twrite, tag: 1, fid: 1, offset, data });
    await w.rpc(walk(1, 2));
    await w.rpc(create(1, 2, "good"));
    return new Good(w);
  }

  async #ask(f: Tmsg): Promise<F.Rmsg> {
    const began = performance.now();
    const r = await this.#w.rpc(f);
    this.waited.push(performance.now() - began);
    if (r.type !== f.type + 1) throw new Error(`type ${r.type} answers ${f.type}`);
    return r as F.Rmsg;
  }

  /** One round of requests. */
  async round(): Promise<void> {
    const n = ++this.#n;
    const data = new Uint8Array(4000).fill(n);
    await this.#ask({ type: F.Twrite, tag: 1, fid: 2, offset: 0, data });
    const r = await this.#ask(read(1, 2, 4000));
    if (r.type !== F.Rread || r.data.length !== 4000 || r.data.some((b) => b !== n % 256))
      throw new Error("the client beside read what it did not write");
    await this.#ask(walk(1, 3, "good"));
    await this.#ask(open(1, 3, OWRITE));
    await this.#ask({ type: F.Tstat, tag: 1, fid: 3 });
    await this.#ask({ type: F.Tclunk, tag: 1, fid: 3 });
    if (n % 8 === 0) await this.#ask(write(1, 2, 200_000));
    await rest(2);
  }

  close(): void {
    this.#w.close();
  }
}

/** Words for how long answers took. */
function waits(list: readonly number[]): string {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (q: number): string => (sorted[Math.floor((sorted.length - 1) * q)] ?? 0).toFixed(1);
  return `waited ${at(0.5)} ms (median), ${at(0.99)} ms (of a hundred the slowest), ${at(1)} ms at most`;
}

const megabytes = (n: number): string => `${(n / MB).toFixed(1)} MB`;

/** One kind of hostile client against a server of its own. */
async function attack([what, hostile, waiting = 0]: Kind, server: Served): Promise<string> {
  const good = await Good.dial(server.port);
  for (let i = 0; i < ROUNDS; i++) await good.round();
  const idle = await server.look();
  const alone = Math.max(...good.waited);
  good.waited = [];
  const state = { over: false };
  const under = hostile(server.port).finally(() => (state.over = true));
  let most = 0;
  const round = async (): Promise<void> => {
    await good.round();
    most = Math.max(most, server.rss());
  };
  while (!state.over) await round();
  const all = await under;
  for (let i = 0; i < ROUNDS; i++) await round();
  const held = await server.look();
  for (const socket of all) socket?.destroy();
  const more = megabytes(held.rss - idle.rss);
  const figures = `${waits(good.waited)} (alone ${alone.toFixed(1)} ms at most); ${more} more than idle, ${megabytes(most - idle.rss)} at most`;
  if (most - idle.rss > ROOM + waiting * CHUNK) throw new Error(`${what}: ${figures}`);
  if (Math.max(...good.waited) > LONGEST) throw new Error(`${what}: ${figures}`);
  let after = await server.look();
  for (let i = 0; i < 20 && after.descriptors > idle.descriptors; i++) {
    await rest(500);
    after = await server.look();
  }
  if (after.descriptors > idle.descriptors)
    throw new Error(`${what}: ${after.descriptors} descriptors, not ${idle.descriptors}`);
  good.close();
  return figures;
}

/** Each kind against a server with words of its own. */
async function attacks(name: string, words: () => readonly string[], s: Soakopts): Promise<void> {
  for (const kind of KINDS) {
    if (Date.now() > s.until) return;
    const server = await Served.start(name, ...words());
    const figures = await attack(kind, server);
    const said = server.said.replace(/^serving .*\n/, "").trim();
    s.say(
      `${name}, ${kind[0]}: the client beside ${figures}${said === "" ? "" : `; said: ${said}`}`,
    );
    await server.stop();
  }
}

/** ramfs, exportfs and fossil, one after another, each server with a directory of its own. */
export async function live(s: Soakopts): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "namec-live-"));
  chmodSync(dir, 0o755);
  let n = 0;
  const own = (): string => {
    const sub = join(dir, String(n++));
    mkdirSync(sub);
    chmodSync(sub, 0o777);
    return sub;
  };
  try {
    await attacks("ramfs", () => [], s);
    await attacks("exportfs", () => ["--root", own()], s);
    await attacks("fossil", () => ["--db", join(own(), "db")], s);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
