// The files of device ip and the dialling that goes through them, over a network in memory.

import test from "ava";
import type { ExecutionContext } from "ava";
import { newIp } from "../../devices/ip/ip.ts";
import { MREPL, NCONT, ORDWR, OREAD, OWRITE, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys, TaskSys, Threads } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import {
  accept,
  announce,
  dial,
  dialctl,
  listen,
  netaddr,
  netmkaddr,
  reject,
} from "../../userland/lib/dial.ts";
import { Memstack } from "../kit/memstack.ts";
import { failure, ls, readonce, write } from "../kit/kit.ts";
import { readtext } from "../../userland/lib/io.ts";

/** Conversations that a stack of these tests may have. */
const NCONV = 4096;

/** Runs a program in a kernel with a network of its own; afterwards nothing of it is left. */
function networked(fn: (t: ExecutionContext, sys: Sys) => Promise<void>) {
  return async (t: ExecutionContext): Promise<void> => {
    const net = new Memstack();
    const k = await boot({
      clock: "virtual",
      devices: [(kernel) => newIp(kernel, net, NCONV)],
      binds: [["#I", "/net", MREPL]],
    });
    const proc = k.spawn(async (sys: Sys) => fn(t, sys), ["main"]);
    const status = await proc.wait();
    if (proc.crash !== undefined) throw proc.crash;
    t.is(status, "");
    t.deepEqual(k.audit(), { procs: [], chans: [], fids: [], tags: [] });
    t.is(net.live, 0);
    await k.shutdown();
  };
}

test(
  "a call is dialled, heard, accepted, and carries bytes both ways to the end",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!5640");
    t.is(a.dir, "/net/tcp/0");
    const dialling = dialctl(sys, "tcp!10.0.0.1!5640");
    const call = await listen(sys, a.dir);
    const theirs = await accept(sys, call);
    const mine = await dialling;
    await write(sys, mine.fd, "hello");
    t.is(await readonce(sys, theirs), "hello");
    await write(sys, theirs, "hello yourself");
    t.is(await readonce(sys, mine.fd, 5), "hello");
    t.is(await readonce(sys, mine.fd), " yourself");
    t.is(await netaddr(sys, mine.dir, "remote"), "10.0.0.1!5640");
    t.is(await netaddr(sys, mine.dir, "local"), await netaddr(sys, call.dir, "remote"));
    await sys.close(theirs);
    t.is(await readonce(sys, mine.fd), "");
    t.is(await readonce(sys, mine.fd), "");
    for (const fd of [mine.fd, mine.cfd, a.cfd]) await sys.close(fd);
  }),
);

test(
  "the tree has a directory for each conversation while one of its files is open",
  networked(async (t, sys) => {
    t.deepEqual(await ls(sys, "/net"), ["tcp"]);
    t.deepEqual(await ls(sys, "/net/tcp"), ["clone"]);
    const fds = await Promise.all([0, 1, 2].map(() => sys.open("/net/tcp/clone", ORDWR)));
    t.deepEqual(await ls(sys, "/net/tcp"), ["clone", "0", "1", "2"]);
    const files = ["ctl", "data", "listen", "local", "remote", "status"];
    t.deepEqual(await ls(sys, "/net/tcp/1"), files);
    t.is(await readonce(sys, fds[1] ?? -1), "1");
    t.is(await readtext(sys, "/net/tcp/1/status"), "Closed qin 0 qout 0\n");
    t.is(await readtext(sys, "/net/tcp/1/local"), "::!0\n");
    const dir = await sys.stat("/net/tcp/1");
    const held = await sys.open("/net/tcp/1/status", OREAD);
    await sys.close(fds[1] ?? -1);
    t.deepEqual(await ls(sys, "/net/tcp"), ["clone", "0", "1", "2"]);
    await sys.close(held);
    t.deepEqual(await ls(sys, "/net/tcp"), ["clone", "0", "2"]);
    t.is(await failure(sys.stat("/net/tcp/1")), "'/net/tcp/1' does not exist");
    t.regex(await failure(sys.stat("/net/tcp/01")), /does not exist/);
    const again = await sys.open("/net/tcp/clone", ORDWR);
    t.is(await readonce(sys, again), "1");
    t.not((await sys.stat("/net/tcp/1")).qid.vers, dir.qid.vers);
    for (const fd of [again, fds[0] ?? -1, fds[2] ?? -1]) await sys.close(fd);
  }),
);

test(
  "a name in a conversation that is gone does not reach the next of its number",
  networked(async (t, sys) => {
    const first = await sys.open("/net/tcp/clone", ORDWR);
    await sys.chdir("/net/tcp/0");
    t.is(await readtext(sys, "status"), "Closed qin 0 qout 0\n");
    await sys.close(first);
    const second = await sys.open("/net/tcp/clone", ORDWR);
    t.is(await readonce(sys, second), "0");
    t.is(await failure(sys.open("ctl", ORDWR)), "'ctl' file does not exist");
    await sys.close(second);
    await sys.chdir("/");
  }),
);

test(
  "ctl says what is wrong with a request",
  networked(async (t, sys) => {
    const ctl = await sys.open("/net/tcp/clone", ORDWR);
    const say = (text: string): Promise<string> => failure(write(sys, ctl, text));
    t.is(await say(""), "short control request");
    t.is(await say("frobnicate"), "unknown control request");
    t.is(await say("connect"), "bad args to connect");
    t.is(await say("connect 1.2.3.4!5 6 7"), "bad args to connect");
    t.is(await say("connect 1.2.3.4"), "malformed address");
    t.is(await say("connect 564"), "malformed address");
    t.is(await say("connect *!564"), "malformed address");
    t.is(await say("connect 1.2.3.4!http"), "malformed address");
    t.is(await say("connect 1.2.3.4!65536"), "malformed address");
    t.is(await say("connect a!b!5"), "malformed address");
    t.is(await say("connect a\0b!5"), "malformed address");
    t.is(await say("announce"), "bad args to announce");
    t.is(await say("announce *"), "malformed address");
    t.is(await say("keepalive"), "not connected");
    t.is(await say("connect 1.2.3.4!5"), "connection refused");
    t.is(await say("x".repeat(2000)), "read or write too large");
    t.is(await failure(sys.open("/net/tcp/0/listen", ORDWR)), "'/net/tcp/0/listen' not announced");
    t.is(
      await failure(sys.open("/net/tcp/0/status", OWRITE)),
      "'/net/tcp/0/status' permission denied",
    );
    t.is(await failure(sys.create("/net/tcp/x", OWRITE, 0)), "'/net/tcp/x' permission denied");
    t.is(await failure(sys.remove("/net/tcp/0/ctl")), "permission denied");
    const data = await sys.open("/net/tcp/0/data", ORDWR);
    t.is(await failure(readonce(sys, data)), "not connected");
    t.is(await failure(write(sys, data, "x")), "not connected");
    await write(sys, ctl, "announce 17!r\n");
    t.is(await readtext(sys, "/net/tcp/0/local"), "10.0.0.1!17\n");
    t.is(await readtext(sys, "/net/tcp/0/status"), "Listen qin 0 qout 0\n");
    t.is(await say("connect 1.2.3.4!17"), "connection in use");
    const other = await sys.open("/net/tcp/clone", ORDWR);
    t.is(await failure(write(sys, other, "announce *!17")), "address in use");
    for (const fd of [ctl, data, other]) await sys.close(fd);
  }),
);

test(
  "a reset is told apart from an end",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!1");
    const mine = await dialctl(sys, "tcp!h!1");
    const call = await listen(sys, a.dir);
    const theirs = await accept(sys, call, true);
    await write(sys, theirs, "last words");
    const status = `${mine.dir}/status`;
    t.is(await readtext(sys, status), "Established qin 10 qout 0\n");
    await write(sys, call.cfd, "hangup");
    t.is(await readonce(sys, mine.fd), "last words");
    t.is(await failure(readonce(sys, mine.fd)), "i/o on hungup channel");
    t.is(await failure(write(sys, mine.fd, "x")), "i/o on hungup channel");
    t.is(await readtext(sys, status), "Closed qin 0 qout 0\n");
    t.is(await readonce(sys, theirs), "");
    for (const fd of [mine.fd, mine.cfd, theirs, call.cfd, a.cfd]) await sys.close(fd);
  }),
);

test(
  "close ends one direction",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!1");
    const mine = await dialctl(sys, "tcp!h!1");
    const theirs = await accept(sys, await listen(sys, a.dir));
    await write(sys, mine.fd, "question");
    await write(sys, mine.cfd, "close");
    t.is(await readonce(sys, theirs), "question");
    t.is(await readonce(sys, theirs), "");
    await write(sys, theirs, "answer");
    t.is(await readonce(sys, mine.fd), "answer");
    t.is(await failure(write(sys, mine.fd, "more")), "i/o on hungup channel");
    for (const fd of [mine.fd, mine.cfd, theirs, a.cfd]) await sys.close(fd);
  }),
);

test(
  "who listens hears when that ends, and a listener that is interrupted loses no call",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!1");
    const listening = failure(sys.open(`${a.dir}/listen`, ORDWR));
    await sys.sleep(1);
    await write(sys, a.cfd, "hangup");
    t.is(await listening, `'${a.dir}/listen' listen hungup`);
    t.is(await failure(dial(sys, "tcp!h!1")), "connection refused");
    await sys.close(a.cfd);
    const b = await announce(sys, "tcp!*!1");
    await sys.notify(() => sys.noted(NCONT));
    await sys.alarm(10);
    t.is(await failure(listen(sys, b.dir)), `'${b.dir}/listen' interrupted`);
    const fd = await dial(sys, "tcp!h!1");
    await reject(sys, await listen(sys, b.dir));
    t.is(await failure(readonce(sys, fd)), "i/o on hungup channel");
    await sys.close(fd);
    await sys.close(b.cfd);
  }),
);

test(
  "a killed listener leaves the announcement to others, and a killed caller nothing",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!1");
    const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.open(`${a.dir}/listen`, ORDWR);
    });
    await sys.sleep(1);
    const ctl = await sys.open(`/proc/${pid}/ctl`, OWRITE);
    await write(sys, ctl, "kill");
    await sys.close(ctl);
    await sys.wait();
    const fd = await dial(sys, "tcp!h!1");
    const theirs = await accept(sys, await listen(sys, a.dir));
    await sys.close(fd);
    t.is(await readonce(sys, theirs), "");
    await sys.close(theirs);
    await sys.close(a.cfd);
  }),
);

test(
  "a writer sleeps until the reader has caught up",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!1");
    const fd = await dial(sys, "tcp!h!1");
    const theirs = await accept(sys, await listen(sys, a.dir));
    const chunk = new Uint8Array(100_000).fill(7);
    let sent = 0;
    const writing = (async (): Promise<void> => {
      for (let i = 0; i < 30; i++) sent += await sys.write(fd, chunk);
      await sys.close(fd);
    })();
    await sys.sleep(1000);
    t.true(sent >= 1_000_000 && sent < 1_200_000);
    const buf = new Uint8Array(70_000);
    let got = 0;
    for (let n = await sys.read(theirs, buf); n > 0; n = await sys.read(theirs, buf)) got += n;
    await writing;
    t.is(got, 3_000_000);
    await sys.close(theirs);
    await sys.close(a.cfd);
  }),
);

test(
  "dial strings that cannot be dialled are named",
  networked(async (t, sys) => {
    const cases: readonly (readonly [string, string])[] = [
      ["", "bad network address"],
      ["tcp", "bad network address"],
      ["udp!h!1", "bad network address"],
      ["tcp!h h!1", "bad network address"],
      ["tcp!!1", "bad network address"],
      ["tcp!h!1!2", "bad network address"],
      ["tcp!h!70000", "bad network address"],
      ["tcp!h", "no port specified"],
      ["tcp!h!nosuch", "can't translate service"],
      ["tcp!h!9", "connection refused"],
    ];
    for (const [addr, why] of cases) {
      const e = await t.throwsAsync(dial(sys, addr), { instanceOf: PlanError, message: why });
      t.is(e?.file, addr);
    }
    t.regex(await failure(dial(sys, "/net.alt/tcp!h!1")), /does not exist/);
    t.is(netmkaddr("fs", "tcp", "9fs"), "tcp!fs!9fs");
    t.is(netmkaddr("tcp!fs", "net", "9fs"), "tcp!fs!9fs");
    t.is(netmkaddr("tcp!fs!17", "net", "9fs"), "tcp!fs!17");
    t.is(netmkaddr("fs"), "net!fs");
  }),
);

test("a generator program dials too, by the name of the service", async (t) => {
  const net = new Memstack();
  const k = await boot({
    devices: [(kernel) => newIp(kernel, net)],
    binds: [["#I", "/net", MREPL]],
  });
  const proc = k.spawn(function* (sys: TaskSys & Threads) {
    const a = yield* announce(sys, "net!*!9fs");
    const fd = yield* dial(sys, "net!localhost!9fs");
    const call = yield* listen(sys, a.dir);
    const remote = yield* netaddr(sys, call.dir, "local");
    for (const f of [yield* accept(sys, call), fd, a.cfd]) yield* sys.close(f);
    return remote;
  });
  t.is(await proc.wait(), "127.0.0.1!564");
  t.is(net.live, 0);
  await k.shutdown();
});

test(
  "conversations are bounded",
  networked(async (t, sys) => {
    const fds: number[] = [];
    let why = "";
    while (why === "") {
      const fd = await sys
        .open("/net/tcp/clone", ORDWR)
        .catch((e: Error) => ((why = e.message), -1));
      if (fd >= 0) fds.push(fd);
    }
    t.is(why, "'/net/tcp/clone' no free devices");
    t.is(fds.length, NCONV);
    await Promise.all(fds.map((fd) => sys.close(fd)));
  }),
);
