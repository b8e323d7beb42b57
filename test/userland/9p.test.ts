// The 9P server library, byte for byte: what protocol.md asks of every server.

import test from "ava";
import { ORCLOSE, OREAD, OTRUNC, OWRITE } from "../../kernel/abi/const.ts";
import { convD2M, nulldir, sizeD2M } from "../../kernel/abi/dir.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError, error } from "../../kernel/abi/errors.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Task } from "../../syscalls/sys.ts";
import { type Srv, agree } from "../../userland/lib/9p.ts";
import {
  attach,
  clunk,
  create,
  flush,
  open,
  read,
  remove,
  said,
  served,
  stat,
  version,
  walk,
  write,
} from "../kit/msg.ts";
import { Rig } from "../kit/rig.ts";
import { Slowsrv } from "../kit/slow.ts";
import type { Slow } from "../kit/slow.ts";
import { pack } from "../kit/frames.ts";

test("a version is the longest beginning of the offer, cut at a dot, that is spoken", (t) => {
  const best = "9P2000.ix.stream";
  const offers: readonly (readonly [string, string, string])[] = [
    ["9P2000.ix.stream", best, "9P2000.ix.stream"],
    ["9P2000.ix.stream.more", best, "9P2000.ix.stream"],
    ["9P2000.ix", best, "9P2000.ix"],
    ["9P2000.ix.u", best, "9P2000.ix"],
    ["9P2000.u", best, "9P2000"],
    ["9P2000.L", best, "9P2000"],
    ["9P2000", best, "9P2000"],
    ["9P2000.ix.stream", "9P2000.ix", "9P2000.ix"],
    ["9P2000.ix.stream", "9P2000", "9P2000"],
    ["9P2000.ixx", best, "9P2000"],
    ["9P2000x", best, "unknown"],
    ["9P2001", best, "9P2000"],
    ["9P2001.u", "9P2000.ix", "9P2000"],
    ["9P20000", best, "unknown"],
    ["9P1999", best, "unknown"],
    ["", best, "unknown"],
    [".", best, "unknown"],
  ];
  for (const [offer, limit, want] of offers) t.is(agree(offer, limit), want, offer);
});

test("the msize is clipped to 1 MiB, and refused below 256", (t) => {
  const rig = new Rig();
  rig.serve(new Slowsrv(rig));
  t.deepEqual(rig.rpc(version("9P2000", 0xffffffff)).map(said), ["version:9P2000 1048576"]);
  t.deepEqual(rig.rpc(version("9P2000", 256)).map(said), ["version:9P2000 256"]);
  t.is(rig.rpc(version("9P2000", 255))[0]?.type, fc.Rerror);
  t.is(rig.rpc(attach())[0]?.type, fc.Rerror, "no version is agreed on any more");
});

test("nothing is served before a version is agreed on", (t) => {
  const rig = new Rig();
  rig.serve(new Slowsrv(rig));
  t.is(rig.rpc(attach())[0]?.type, fc.Rerror);
  t.deepEqual(
    rig.rpc(version("9P1999"), attach()).map((r) => r.type),
    [fc.Rversion, fc.Rerror],
  );
});

test("Tversion ends the session: fids are clunked, requests in progress are not answered", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1), walk(0, 2, "f"), open(2));
  t.deepEqual(ask(read(1, 5)), []);
  t.deepEqual(ask(version("9P2000.ix")), ["version:9P2000.ix 65560"]);
  t.deepEqual(ask(stat(0)), ["1 error:unknown fid"]);
  rig.open(srv.gate("slow"));
  t.deepEqual(ask(attach()), [`1 ${fc.Rattach}`]);
  t.is(srv.fids.size, 0);
  t.deepEqual(srv.log.filter((l) => l.startsWith("clunk")).toSorted(), [
    "clunk /",
    "clunk f",
    "clunk slow",
  ]);
});

test("requests of one tag are served one after another, those of others go on", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1), walk(0, 2, "f"), open(2));
  t.deepEqual(ask(read(1, 5), read(2, 5), clunk(2, 5), read(2, 6)), ["6 read:contents of f"]);
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.replies().map(said), [
    "5 read:contents of slow",
    "5 read:contents of f",
    `5 ${fc.Rclunk}`,
  ]);
});

test("each request of a group is answered, also after one that failed", (t) => {
  const { ask } = served(t);
  t.deepEqual(ask(walk(0, 1, "nope"), open(1), stat(1), remove(1), clunk(1), stat(0)), [
    "1 error:file does not exist",
    "1 error:unknown fid",
    "1 error:unknown fid",
    "1 error:unknown fid",
    "1 error:unknown fid",
    `1 ${fc.Rstat}`,
  ]);
});

test("a walk that fails half way makes no fid", (t) => {
  const { ask } = served(t);
  t.deepEqual(ask(walk(0, 1, "d/nope"), stat(1)), ["1 walk:1", "1 error:unknown fid"]);
  t.deepEqual(ask(walk(0, 1, "f/x")), ["1 walk:1"]);
  t.deepEqual(ask(walk(0, 1, "d/../../../d/g"), walk(0, 2, ".")), ["1 walk:6", "1 walk:1"]);
});

test("a walk whose steps take time, all or some, comes to the same file", (t) => {
  const { srv, ask } = served(t);
  const files = srv.walk1.bind(srv);
  const plain = (dir: Slow, name: string): Slow | null =>
    name === "bad" ? error("permission denied") : files(dir, name);
  const tasks: Srv<Slow> = srv;
  tasks.walk1 = plain;
  const walks = (fid: number): string[] => [
    ...ask(walk(0, fid, "d/g"), stat(fid), open(fid), read(fid, 1, 300), clunk(fid)),
    ...ask(walk(0, fid, "d/nope"), walk(0, fid, "nope/g"), walk(0, fid, "d/../f/g")),
    ...ask(walk(0, fid, "d/bad/g"), walk(0, fid, "bad")),
  ];
  const want = walks(1);
  t.deepEqual(want.slice(0, 2), ["1 walk:2", `1 ${fc.Rstat}`]);
  t.deepEqual(want.slice(5), [
    "1 walk:1",
    "1 error:file does not exist",
    "1 walk:3",
    "1 walk:1",
    "1 error:permission denied",
  ]);
  for (const slow of ["d", "g", "d g ..", "nope f", "bad"]) {
    tasks.walk1 = (dir, name) =>
      slow.split(" ").includes(name)
        ? (function* (): Task<Slow | null> {
            return plain(dir, name);
          })()
        : plain(dir, name);
    t.deepEqual(walks(1), want, slow);
  }
});

test("without .ix a second request with an outstanding tag is refused", (t) => {
  const { srv, rig, ask } = served(t, "9P2000");
  ask(walk(0, 1, "slow"), open(1));
  t.deepEqual(ask(read(1, 5), stat(0, 5)), ["5 error:duplicate tag"]);
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.replies().map(said), ["5 read:contents of slow"]);
  t.deepEqual(ask(stat(0, 5)), [`5 ${fc.Rstat}`]);
});

test("Tflush interrupts what is worked on, drops what waits, and is answered at once", (t) => {
  const { srv, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1), walk(0, 2, "f"));
  t.deepEqual(ask(read(1, 5), clunk(2, 5), remove(2, 5)), []);
  t.deepEqual(ask(flush(5)), [`9 ${fc.Rflush}`]);
  t.true(srv.log.includes("read interrupted"));
  t.deepEqual(ask(stat(2, 5)), [`5 ${fc.Rstat}`], "the Tclunk that was dropped never happened");
});

test("what waits behind a flushed request leaves nothing behind, however often it is dropped", (t) => {
  const { ask } = served(t);
  ask(walk(0, 1, "slow"), open(1));
  // More requests than may be outstanding at a time.
  for (let i = 0; i < 700; i++) {
    t.deepEqual(ask(read(1, 5), stat(0, 5), stat(0, 5), stat(0, 5)), []);
    t.deepEqual(ask(flush(5)), [`9 ${fc.Rflush}`]);
  }
  t.deepEqual(ask(stat(0, 5)), [`5 ${fc.Rstat}`]);
});

test("what waits behind a slow request leaves nothing behind, however often it is answered", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1));
  // More requests than may be outstanding at a time.
  for (let i = 0; i < 700; i++) {
    ask(read(1, 5), stat(0, 5), stat(0, 5), stat(0, 5));
    rig.open(srv.gate("slow"));
    rig.run();
    t.is(rig.replies().length, 4);
  }
  t.deepEqual(ask(stat(0, 5)), [`5 ${fc.Rstat}`]);
});

test("a request that changed something is answered before the Rflush", (t) => {
  const { srv, rig, ask } = served(t);
  srv.interruptible = false;
  ask(walk(0, 1, "slow"), open(1, OWRITE));
  t.deepEqual(ask(write(1, "hello", 5), write(1, "again", 5)), []);
  t.deepEqual(ask(flush(5)), []);
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.replies().map(said), ["5 write:5", `9 ${fc.Rflush}`]);
  t.deepEqual(
    srv.log.filter((l) => l.startsWith("write s")),
    ["write slow 0 hello"],
  );
});

test("several Tflushes of one tag, and one of a tag with nothing outstanding, are each answered", (t) => {
  const { srv, rig, ask } = served(t);
  srv.interruptible = false;
  ask(walk(0, 1, "slow"), open(1));
  t.deepEqual(ask(read(1, 5), flush(5, 6), flush(5, 7), flush(77, 8)), [`8 ${fc.Rflush}`]);
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.replies().map(said), [
    "5 read:contents of slow",
    `6 ${fc.Rflush}`,
    `7 ${fc.Rflush}`,
  ]);
});

test("a flush that comes while its request is about to sleep interrupts it all the same", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1));
  rig.send(pack(read(1, 5), flush(5)));
  rig.run();
  t.deepEqual(rig.replies().map(said), [`9 ${fc.Rflush}`]);
  t.true(srv.log.includes("read interrupted"));
});

test("a fid that is clunked while another tag reads it ends when the read does", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1));
  t.deepEqual(ask(read(1, 5), clunk(1, 6), stat(1, 7)), [`6 ${fc.Rclunk}`, "7 error:unknown fid"]);
  t.false(srv.log.includes("clunk slow"));
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.replies().map(said), ["5 read:contents of slow"]);
  t.true(srv.log.includes("clunk slow"));
});

test("Tcreate with OTRUNC opens what exists, and creates what does not", (t) => {
  const { srv, ask } = served(t);
  ask(walk(0, 1), walk(0, 2), walk(0, 3));
  t.deepEqual(ask(create(1, "f", OWRITE | OTRUNC)), [`1 ${fc.Rcreate}`]);
  t.true(srv.log.includes(`open f ${OWRITE | OTRUNC}`));
  t.deepEqual(ask(create(2, "new", OWRITE | OTRUNC)), [`1 ${fc.Rcreate}`]);
  t.true(srv.log.includes("create new"));
  t.deepEqual(ask(create(3, "f", OWRITE)), ["1 error:file already exists"]);
  t.deepEqual(ask(create(3, "d", OWRITE | OTRUNC)), ["1 error:permission denied"]);
  t.deepEqual(
    ask(walk(3, 4, "d")),
    ["1 walk:1"],
    "a Tcreate that failed leaves its fid on the directory",
  );
});

test("in 9P2000 a Tcreate of what exists fails, OTRUNC or not", (t) => {
  const { ask } = served(t, "9P2000");
  ask(walk(0, 1));
  t.deepEqual(ask(create(1, "f", OWRITE | OTRUNC)), ["1 error:file already exists"]);
});

test("a fid is good for nothing else while it is being created", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1));
  t.deepEqual(ask(create(1, "slow9", OREAD, 5), open(1, OREAD, 6), walk(1, 2, "", 7), read(1, 8)), [
    "6 error:file already open for I/O",
    "7 error:cannot clone open fid",
    "8 error:fid not open",
  ]);
  t.deepEqual(ask(flush(5)), [`9 ${fc.Rflush}`]);
  t.deepEqual(
    ask(open(1, OREAD, 6)),
    [`6 ${fc.Ropen}`],
    "and it is the directory's again after a flush",
  );
  rig.open(srv.gate("slow9"));
});

test("a file opened ORCLOSE is removed when its fid goes", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "f"), open(1, OREAD | ORCLOSE), clunk(1));
  t.deepEqual(srv.log.slice(-2), ["remove f", "clunk f"]);
  ask(walk(0, 1, "d/g"), open(1, OREAD | ORCLOSE));
  rig.send(null);
  rig.run();
  t.deepEqual(srv.log.slice(-3).toSorted(), ["clunk /", "clunk g", "remove g"]);
  t.deepEqual(rig.closed, [0, 1]);
  t.is(rig.threads, 0);
});

test("names and modes that cannot be are refused", (t) => {
  const { ask } = served(t);
  const bad: readonly Tmsg[] = [
    walk(0, 1, "a\0b"),
    { type: fc.Twalk, tag: 1, fid: 0, newfid: 1, wname: ["a/b"] },
    { type: fc.Twalk, tag: 1, fid: 0, newfid: 1, wname: [""] },
    create(0, ""),
    create(0, "."),
    create(0, ".."),
    create(0, "a/b"),
    create(0, "a\0"),
    open(0, OWRITE),
    open(0, OREAD | OTRUNC),
    open(0, OREAD | ORCLOSE),
    walk(0, 0, "nope"),
    { type: fc.Tauth, tag: 1, afid: 5, uname: "glenda", aname: "" },
    { type: fc.Tattach, tag: 1, fid: 5, afid: 0, uname: "glenda", aname: "" },
    attach(0),
    walk(77, 78),
    walk(0, 0xffffffff, "nope"),
    read(0),
    write(0, "x"),
  ];
  for (const f of bad) t.is(ask(f)[0]?.startsWith("1 error:"), true, JSON.stringify(f));
  t.deepEqual(ask(stat(0)), [`1 ${fc.Rstat}`]);
});

test("a fid is read and written only as it was opened", (t) => {
  const { ask } = served(t);
  ask(walk(0, 1, "f"), open(1, OREAD), walk(0, 2, "f"), open(2, OWRITE));
  t.deepEqual(ask(write(1, "x"), read(2), open(1), walk(1, 3)), [
    "1 error:write on fid with open mode 0x0",
    "1 error:read on fid with open mode 0x1",
    "1 error:file already open for I/O",
    "1 error:cannot clone open fid",
  ]);
  t.deepEqual(ask(read(1, 1, 2 ** 53 - 1, 5)), ["1 error:bad offset"]);
});

test("a stat entry whose inner sizes disagree, or with a new name that cannot be, is refused", (t) => {
  const { srv, ask } = served(t);
  const d = nulldir();
  const entry = (name: string): Uint8Array => {
    const buf = new Uint8Array(sizeD2M({ ...d, name }));
    convD2M({ ...d, name }, buf, 0);
    return buf;
  };
  const wstat = (b: Uint8Array): Tmsg => ({ type: fc.Twstat, tag: 1, fid: 0, stat: b });
  const lying = entry("abc");
  lying[41] = 200;
  for (const b of [lying, entry("abc").subarray(0, 20), new Uint8Array(0), new Uint8Array(49)])
    t.is(ask(wstat(b))[0], "1 error:malformed stat buffer");
  for (const name of [".", "..", "a/b", "a\0"])
    t.is(ask(wstat(entry(name)))[0]?.startsWith("1 error:"), true);
  t.false(srv.log.includes("wstat"));
  t.deepEqual(ask(wstat(entry("ok"))), [`1 ${fc.Rwstat}`]);
});

test("a directory is read in whole entries, from 0 or where the last read ended", (t) => {
  const { ask, rig } = served(t);
  ask(walk(0, 1), open(1));
  const [first] = rig.rpc(read(1, 1, 0, 130));
  const n = first?.type === fc.Rread ? first.data.length : -1;
  t.true(n > 60 && n <= 130);
  t.deepEqual(ask(read(1, 1, 5, 100)), ["1 error:seek in directory"]);
  t.is(
    rig.rpc(read(1, 1, n, 10)).map((r) => (r.type === fc.Rread ? r.data.length : -1))[0],
    0,
    "too small for one",
  );
  const [rest] = rig.rpc(read(1, 1, n, 8000));
  const end = n + (rest?.type === fc.Rread ? rest.data.length : 0);
  t.deepEqual(ask(read(1, 1, end, 8000)), ["1 read:"]);
  const [again] = rig.rpc(read(1, 1, 0, 8000));
  t.is(again?.type === fc.Rread ? again.data.length : 0, end);
});

test("a read is clipped to what fits a reply", (t) => {
  const { ask, rig } = served(t, "9P2000", 256);
  ask(walk(0, 1, "d/g"), open(1));
  const [r] = rig.rpc(read(1, 1, 0, 0xffffffff));
  t.is(r?.type === fc.Rread ? r.data.length : 0, 245);
});

test("what comes in one chunk is answered in one write", (t) => {
  const { rig } = served(t);
  const before = rig.output.length;
  rig.rpc(stat(0), stat(0), walk(0, 1, "f"), clunk(1));
  t.is(rig.output.length, before + 1);
});

test("replies that are made while others are being written leave in one write", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1));
  ask(read(1, 5), read(1, 6), read(1, 7));
  const before = rig.output.length;
  rig.stuck = true;
  rig.open(srv.gate("slow"));
  rig.run();
  t.is(rig.output.length - before, 1);
  rig.unstick();
  rig.run();
  t.is(rig.output.length - before, 2);
  t.is(rig.replies().length, 3);
});

test("a client that no reply can be written to is hung up on, though nothing is read from it", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1), read(1, 5));
  rig.broken = true;
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.closed, [0, 1]);
  t.is(rig.threads, 0);
});

test("replies of a client that does not read are not heaped up", (t) => {
  const { rig, ask } = served(t, "9P2000.ix", 1048576);
  ask(walk(0, 1, "d/g"), open(1));
  const before = rig.output.length;
  rig.stuck = true;
  rig.send(pack(...Array.from({ length: 200 }, (_v, i) => read(1, i, 0, 200_000))));
  rig.run();
  t.true(rig.output.length - before <= 2);
  rig.unstick();
  rig.run();
  t.is(rig.replies().length, 200);
});

test("2048 requests may be outstanding; one more hangs up, and everything ends", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1));
  const many = (n: number, from: number): Tmsg[] =>
    Array.from({ length: n }, (_v, i) => read(1, from + i));
  t.deepEqual(ask(...many(2048, 100)), []);
  t.deepEqual(rig.closed, []);
  ask(...many(1, 5000));
  t.deepEqual(rig.closed, [0, 1]);
  t.is(rig.threads, 0);
  t.is(srv.fids.size, 0);
});

test("16 MiB of frames may be outstanding; more hangs up", (t) => {
  const { rig, ask } = served(t, "9P2000.ix", 1048576);
  ask(walk(0, 1, "slow"), open(1, OWRITE));
  const big = "x".repeat(1_000_000);
  for (let i = 0; i < 16; i++) t.deepEqual(ask(write(1, big, 5)), []);
  t.deepEqual(rig.closed, []);
  ask(write(1, big, 6));
  t.deepEqual(rig.closed, [0, 1]);
  t.is(rig.threads, 0);
});

test("65536 fids are served; one more hangs up", (t) => {
  const { rig } = served(t);
  for (let i = 1; i < 65536; i += 1000)
    rig.rpc(...Array.from({ length: Math.min(1000, 65536 - i) }, (_v, j) => walk(0, i + j)));
  t.deepEqual(rig.rpc(stat(65535)).map(said), [`1 ${fc.Rstat}`]);
  rig.rpc(walk(0, 65536));
  t.deepEqual(rig.closed, [0, 1]);
});

test("a frame longer than msize, or shorter than a frame can be, hangs up", (t) => {
  for (const size of [0, 6, 65561, 0xffffffff]) {
    const { rig } = served(t);
    const b = new Uint8Array(7);
    new DataView(b.buffer).setUint32(0, size, true);
    rig.send(b);
    rig.run();
    t.deepEqual(rig.closed, [0, 1], String(size));
  }
});

test("a message that is malformed within its frame, or unknown, gets an Rerror with its tag", (t) => {
  const { rig, ask } = served(t);
  const short = pack(read(0, 0x1234)).slice(0, 15);
  short[0] = 15;
  const unknown = pack(stat(0, 0x1234));
  unknown[4] = 99;
  const reply = pack(stat(0, 0x1234));
  reply[4] = fc.Rclunk;
  for (const b of [short, unknown, reply]) {
    rig.send(b);
    rig.run();
    t.deepEqual(rig.replies().map(said), ["4660 error:bad fcall"]);
  }
  t.deepEqual(ask(stat(0)), [`1 ${fc.Rstat}`]);
});

test("a client that is hung up on while it does not read leaves nothing behind", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1), walk(0, 2, "d/g"), open(2));
  ask(read(1, 5), read(1, 6));
  rig.stuck = true;
  rig.open(srv.gate("slow"));
  rig.run();
  rig.send(new Uint8Array(7).fill(255));
  rig.run();
  t.deepEqual(rig.closed, [0, 1]);
  t.is(rig.threads, 0);
});

test("a request that comes to its end without waiting needs no thread, and its reply goes out with the others", (t) => {
  const { rig, srv, ask } = served(t);
  const plain = srv.stat.bind(srv);
  const tasks: Srv<Slow> = srv;
  tasks.stat = function* (fid): Task<Dir> {
    if (fid.fid === 9) throw new PlanError("no such luck");
    return plain(fid);
  };
  ask(walk(0, 9));
  const [threads, writes] = [rig.nthread, rig.output.length];
  t.deepEqual(ask(stat(0, 1), stat(0, 2), stat(9, 3), stat(0, 1)), [
    `1 ${fc.Rstat}`,
    `2 ${fc.Rstat}`,
    "3 error:no such luck",
    `1 ${fc.Rstat}`,
  ]);
  t.deepEqual([rig.nthread - threads, rig.output.length - writes], [0, 1]);
  ask(walk(0, 1, "slow"), open(1));
  t.deepEqual(ask(read(1, 5), stat(0, 5), stat(0, 5)), []);
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.replies().map(said), [
    "5 read:contents of slow",
    `5 ${fc.Rstat}`,
    `5 ${fc.Rstat}`,
  ]);
});
