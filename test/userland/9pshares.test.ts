// What the connections of a 9P server share: replies that are not read, fids, open files, names, turns.

import test from "ava";
import { NOFID } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { Anysrv, Fid, Srv } from "../../userland/lib/9p.ts";
import { Conn } from "../../userland/lib/9p/conn.ts";
import { Log } from "../../userland/lib/9p/log.ts";
import { Bytes, LEAST, Pool, Room, Share, Shares } from "../../userland/lib/9p/shares.ts";
import { attach, clunk, flush, open, read, said, served, stat, version, walk } from "../kit/msg.ts";
import { Gate, Rig, chance } from "../kit/rig.ts";
import { Slowsrv } from "../kit/slow.ts";
import { pack } from "../kit/frames.ts";

const MB = 1048576;
/** The longest reply holds so many bytes of data. */
const MOST = MB - 11;

/** A server of one long file; `asked` are the reads that it was asked and whose replies were not written. */
class Longsrv extends Slowsrv {
  asked = 0;
  slow = true;
  readonly #rig: Rig;

  constructor(rig: Rig) {
    super(rig);
    this.#rig = rig;
  }

  override read(_fid: Fid<never>, count: number): Uint8Array | Task<Uint8Array> {
    this.asked++;
    if (!this.slow) return new Uint8Array(count);
    const rig = this.#rig;
    return (function* (): Task<Uint8Array> {
      const gate = new Gate();
      rig.naps.push(gate);
      yield* rig.sleep(gate);
      return new Uint8Array(count);
    })();
  }
}

function long(): { rig: Rig; srv: Longsrv } {
  const rig = new Rig(chance(1));
  const srv = new Longsrv(rig);
  rig.serve(srv);
  rig.rpc(version("9P2000.ix.stream", MB), attach(), walk(0, 1, "f"), open(1));
  return { rig, srv };
}

for (const [what, tag] of [
  ["on one tag", (): number => 5],
  ["on a tag each", (i: number): number => 10 + i],
] as const)
  test(`of a hundred reads of 1 MB ${what} only a few are made while the client reads nothing`, (t) => {
    const { rig, srv } = long();
    rig.stuck = true;
    for (let i = 0; i < 100; i++) rig.send(pack(read(1, tag(i), 0, MB)));
    rig.run();
    t.true(srv.asked >= 1 && srv.asked <= 4, `${srv.asked} reads were made`);
    rig.unstick();
    rig.run();
    t.is(srv.asked, 100);
    const replies = rig.replies();
    t.is(replies.length, 100);
    t.true(replies.every((r) => r.type === F.Rread && r.data.length === MOST));
    rig.send(null);
    rig.run();
    t.is(rig.threads, 0);
  });

test("reads that wait behind a slow one are made no faster than they are read", (t) => {
  const { rig, srv } = long();
  rig.rpc(walk(0, 2, "slow"), open(2));
  rig.stuck = true;
  rig.send(pack(read(1, 5, 0, MB)));
  srv.slow = false;
  for (let i = 0; i < 50; i++) rig.send(pack(read(1, 5, 0, MB)));
  rig.run();
  t.true(srv.asked <= 4, `${srv.asked} reads were made`);
  rig.unstick();
  rig.run();
  t.is(rig.replies().length, 51);
});

test("small replies that are not read stop the reader, and no request is lost", (t) => {
  const { rig, srv } = long();
  srv.slow = false;
  rig.stuck = true;
  for (let i = 0; i < 40; i++)
    rig.send(pack(...Array.from({ length: 200 }, (_, n): Tmsg => stat(1, n))));
  rig.run();
  t.true(rig.input.length > 20, `${rig.input.length} chunks are still to be read`);
  rig.unstick();
  rig.run();
  t.is(rig.replies().length, 8000);
});

test("a Tflush drops reads that wait for room, and its tag is free again", (t) => {
  const { rig, srv } = long();
  rig.stuck = true;
  for (let i = 0; i < 6; i++) rig.send(pack(read(1, 20 + i, 0, MB)));
  rig.run();
  const made = srv.asked;
  t.true(made < 6);
  rig.send(pack(flush(25), stat(1, 25)));
  rig.run();
  rig.unstick();
  rig.run();
  const words = rig.replies().map((r) => `${r.tag} ${r.type}`);
  t.deepEqual(
    words.filter((w) => w.startsWith("9 ") || w.startsWith("25 ")),
    [`9 ${F.Rflush}`, `25 ${F.Rstat}`],
  );
  t.is(words.length, 7);
});

test("a client that holds no bytes may always have some, and all together are bounded", (t) => {
  const TOTAL = 64 * MB;
  const pool = new Bytes(TOTAL);
  const rooms = Array.from({ length: 2000 }, () => new Room(pool));
  for (const room of rooms) for (let n = room.grant(MB); n > 0; n = room.grant(MB)) room.reply(n);
  t.true(pool.used <= TOTAL + rooms.length * LEAST, `${pool.used}`);
  t.true(rooms.every((room) => room.held >= LEAST));
  for (const room of rooms) room.reply(-room.held);
  t.is(pool.used, 0);
  t.is(pool.holders, 0);
});

test("the window of a client that reads grows, that of one that does not stays small", (t) => {
  const pool = new Bytes(Infinity);
  const [idle, busy] = [new Room(pool), new Room(pool)];
  for (let i = 0; i < 64; i++) busy.gone(MB);
  const fill = (room: Room): number => {
    while (room.grant(MB) > 0) room.reply(MB);
    return room.held;
  };
  t.is(fill(idle), MB);
  t.is(fill(busy), 16 * MB);
});

test("clients that take all they can get leave something for thirty others", (t) => {
  const pool = new Pool(1024);
  for (let i = 0; i < 30; i++) {
    const share = new Share(pool);
    t.true(share.take(), `client ${i}`);
    while (share.take());
    t.true(share.held <= 256, "a quarter at most");
  }
});

test("open files have shares: one client does not take them all, and what it closes is free again", (t) => {
  const rig = new Rig();
  const srv: Srv<never> = Object.assign(new Slowsrv(rig), { maxopen: 40 }) as never;
  rig.serve(srv as never);
  rig.rpc(version(), attach());
  const opened = (n: number): string[] => rig.rpc(walk(0, n, "f"), open(n)).map(said);
  for (let n = 1; n <= 10; n++) t.deepEqual(opened(n), ["1 walk:1", `1 ${F.Ropen}`]);
  t.deepEqual(opened(11), ["1 walk:1", "1 error:no free file descriptors"]);
  t.deepEqual(rig.rpc(clunk(3), open(11)).map(said), [`1 ${F.Rclunk}`, `1 ${F.Ropen}`]);
});

const tattach = (fid: number, uname: string, aname: string): Tmsg => ({
  type: F.Tattach,
  tag: 1,
  fid,
  afid: NOFID,
  uname,
  aname,
});

test("a name that is too long is refused with an error that names the limit", (t) => {
  const { ask } = served(t, "9P2000.ix.stream", 65560);
  const ok = [`1 ${F.Rattach}`];
  t.deepEqual(ask(tattach(1, "u".repeat(255), "")), ok);
  t.deepEqual(ask(tattach(2, "u".repeat(256), "")), [
    "1 error:name too long: uname has at most 255 bytes",
  ]);
  t.deepEqual(ask(tattach(2, "", "ä".repeat(128))), [
    "1 error:name too long: aname has at most 255 bytes",
  ]);
  t.deepEqual(ask(walk(0, 3, "x".repeat(8192))), ["1 error:file does not exist"]);
  t.deepEqual(ask(walk(0, 3, "x".repeat(8193))), [
    "1 error:name too long: an element has at most 8192 bytes",
  ]);
});

/** Stats of one connection among `busy` that have as much to do: how often the others had their turn. */
function turns(requests: number, busy: number): { turns: number; gone: number } {
  const rig = new Rig();
  const seen = { gone: -1 };
  const srv = new Longsrv(rig);
  srv.slow = false;
  const first = srv.stat.bind(srv);
  let n = 0;
  srv.stat = (fid) => {
    if (++n === 129) seen.gone = rig.output.length;
    return first(fid);
  };
  const shares = new Shares(srv as unknown as Anysrv, new Log(rig.sys));
  shares.busy = busy - 1;
  rig.sys.threadcreate(
    new Conn(rig.sys, { in: 0, out: 1 }, srv as unknown as Anysrv, shares).run(),
  );
  rig.rpc(version("9P2000"));
  rig.rpc(attach());
  const before = { slept: rig.slept, output: rig.output.length };
  const replies = rig.rpc(...Array.from({ length: requests }, (): Tmsg => stat(0)));
  if (replies.length !== requests) throw new Error(`${replies.length} replies`);
  if (shares.busy !== busy - 1) throw new Error("the connection is busy for ever");
  return { turns: rig.slept - before.slept, gone: seen.gone - before.output };
}

test("a client that asks without end lets others have their turn, the sooner the more of them there are", (t) => {
  // They come in three reads, the first of 23 requests, the second of 372: each read begins a turn.
  t.is(turns(1281, 1).turns, 8);
  t.is(turns(1281, 4).turns, 38);
  t.is(turns(1281, 1000).turns, 79);
});

test("replies leave before others have their turn", (t) => {
  t.is(turns(200, 1).gone, 1);
});

test("a client that waits for each reply is never made to wait for others", (t) => {
  const { rig, srv } = long();
  srv.slow = false;
  const before = rig.slept;
  for (let i = 0; i < 600; i++) rig.rpc(stat(1, 1));
  t.is(rig.slept, before);
  rig.rpc(...Array.from({ length: 128 }, (): Tmsg => stat(1, 1)));
  t.is(rig.slept, before);
});
