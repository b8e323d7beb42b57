// Device ip over the host's TCP, against sockets of Node's own on the loopback address.

import { once } from "node:events";
import * as net from "node:net";
import type { AddressInfo, Socket } from "node:net";
import test from "ava";
import type { ExecutionContext } from "ava";
import { newIp } from "../../devices/ip/ip.ts";
import { newNodestack } from "../../devices/ip/ip-node.ts";
import type { Netopts } from "../../devices/ip/ip-node.ts";
import { MREPL, ORDWR, OWRITE, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { Eprocdied } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { Booted } from "../../kernel/boot.ts";
import { accept, announce, dial, dialctl, listen, netaddr } from "../../userland/lib/dial.ts";
import { failure, readonce, write } from "../kit/kit.ts";
import { readtext } from "../../userland/lib/io.ts";

type Program = (t: ExecutionContext, sys: Sys) => Promise<void>;

function start(opts: Netopts = {}, clock: "real" | "virtual" = "real"): Promise<Booted> {
  return boot({
    clock,
    devices: [(k) => newIp(k, newNodestack(k, opts))],
    binds: [["#I", "/net", MREPL]],
  });
}

/** The sockets that this process has: what a kernel that was shut down leaves none of. */
const sockets = (): number =>
  process.getActiveResourcesInfo().filter((r) => r.startsWith("TCP")).length;

async function nosockets(t: ExecutionContext): Promise<void> {
  for (let i = 0; i < 1000 && sockets() > 0; i++) await new Promise((r) => setTimeout(r, 10));
  t.is(sockets(), 0);
}

/** Waits until a writer has so much unsent that it sleeps: how soon is the host's affair. */
async function sleepsin(sys: Sys, dir: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const unsent = /^Established qin 0 qout ([0-9]+)\n/.exec(await readtext(sys, `${dir}/status`));
    if (Number(unsent?.[1] ?? 0) >= 65_536) return;
    await sys.sleep(20);
  }
  throw new Error(`${dir}: nothing waits to be sent`);
}

/** Runs a program in a kernel on the host's network, shuts it down, and looks for sockets left over. */
function networked(fn: Program, opts: Netopts = {}, clock: "real" | "virtual" = "real") {
  return async (t: ExecutionContext): Promise<void> => {
    const k = await start(opts, clock);
    const proc = k.spawn(async (sys: Sys) => fn(t, sys), ["main"]);
    const status = await proc.wait();
    if (proc.crash !== undefined) throw proc.crash;
    t.is(status, "");
    t.deepEqual(k.audit(), { procs: [], chans: [], fids: [], tags: [] });
    await k.shutdown();
    await nosockets(t);
  };
}

/** A server of Node's at a free port, which closes after `fn`. */
async function serving(
  onconnection: (sock: Socket) => void,
  fn: (addr: string) => Promise<void>,
): Promise<void> {
  const socks: Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (sock) => {
    socks.push(sock);
    sock.on("error", () => undefined);
    onconnection(sock);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await fn(`tcp!127.0.0.1!${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    for (const sock of socks) sock.destroy();
  }
}

/** A client of Node's at what a program announced. */
async function calling(sys: Sys, dir: string): Promise<Socket> {
  const port = Number((await netaddr(sys, dir, "local")).split("!")[1]);
  const sock = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  sock.on("error", () => undefined);
  return sock;
}

/** A socket of Node's own that calls host!port. */
function connected(addr: string): Socket {
  const [host = "", port] = addr.split("!");
  return net.connect({ host, port: Number(port) });
}

/** The numbers of a stream, over and over. */
const PERIOD = 251;

test.serial(
  "two programs talk, and each sees the end of the other",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const addr = await netaddr(sys, a.dir, "local");
    t.regex(addr, /^127\.0\.0\.1![1-9][0-9]*$/);
    const mine = await dialctl(sys, `tcp!${addr}`);
    const call = await listen(sys, a.dir);
    const theirs = await accept(sys, call);
    t.is(await netaddr(sys, mine.dir, "remote"), addr);
    t.is(await netaddr(sys, call.dir, "remote"), await netaddr(sys, mine.dir, "local"));
    await write(sys, mine.fd, "hello");
    t.is(await readonce(sys, theirs), "hello");
    await write(sys, mine.cfd, "keepalive 1000");
    await write(sys, mine.cfd, "close");
    t.is(await readtext(sys, `${mine.dir}/status`), "Finwait1 qin 0 qout 0\n");
    t.is(await readonce(sys, theirs), "");
    await write(sys, theirs, "goodbye");
    await sys.close(theirs);
    t.is(await readonce(sys, mine.fd), "goodbye");
    t.is(await readonce(sys, mine.fd), "");
    t.is(await failure(write(sys, mine.fd, "x")), "i/o on hungup channel");
    for (const fd of [mine.fd, mine.cfd, a.cfd]) await sys.close(fd);
  }),
);

test.serial(
  "the memory of what was read from a call is free before the garbage collector comes",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const sock = connected(await netaddr(sys, a.dir, "local"));
    // Byte p of the stream is p modulo PERIOD, whatever pieces it comes in.
    const sent = Buffer.alloc(
      PERIOD * 4096,
      Buffer.from(Array.from({ length: PERIOD }, (_, i) => i)),
    );
    const all = sent.length * 64;
    for (let n = 0; n < all; n += sent.length) sock.write(sent);
    const fd = await accept(sys, await listen(sys, a.dir));
    const buf = new Uint8Array(100_000);
    const before = process.memoryUsage().arrayBuffers;
    let [got, most] = [0, 0];
    for (let n = 1; got < all && n > 0; got += n) {
      n = await sys.read(fd, buf);
      const at = got % PERIOD;
      if (sent.compare(buf, 0, n, at, at + n) !== 0)
        throw new Error(`byte ${got} or one behind it`);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    t.is(got, all);
    t.true(most < 8 * 1024 * 1024, `${most} bytes`);
    sock.destroy();
    for (const f of [fd, a.cfd]) await sys.close(f);
  }),
);

test.serial(
  "the host's refusals have Plan 9's strings",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const addr = await netaddr(sys, a.dir, "local");
    t.is(await failure(announce(sys, `tcp!${addr}`)), "address in use");
    await sys.close(a.cfd);
    t.is(await failure(dial(sys, `tcp!${addr}`)), "connection refused");
    t.is(await failure(announce(sys, "tcp!192.0.2.1!0")), "not a local IP address");
    t.is(await failure(dial(sys, "tcp!name.invalid!1")), "dns: name does not exist");
    t.is((await sys.stat("/net/tcp")).length, 0);
  }),
);

test.serial("announcing * is for this machine alone, unless the stack is public", async (t) => {
  const where: string[] = [];
  for (const opts of [{}, { public: true }]) {
    const k = await start(opts);
    const proc = k.spawn(async (sys: Sys) => {
      const a = await announce(sys, "tcp!*!0");
      where.push((await netaddr(sys, a.dir, "local")).split("!")[0] ?? "");
    });
    t.is(await proc.wait(), "");
    await k.shutdown();
  }
  t.is(where[0], "127.0.0.1");
  t.regex(where[1] ?? "", /^(::|0\.0\.0\.0)$/);
  await nosockets(t);
});

test.serial(
  "a reset is an error, an end is not",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const ending = await calling(sys, a.dir);
    const e = await accept(sys, await listen(sys, a.dir));
    ending.end("bye");
    t.is(await readonce(sys, e), "bye");
    t.is(await readonce(sys, e), "");
    await sys.close(e);
    ending.destroy();
    const resetting = await calling(sys, a.dir);
    const r = await accept(sys, await listen(sys, a.dir));
    resetting.write("bye");
    t.is(await readonce(sys, r), "bye");
    const reading = failure(readonce(sys, r));
    await sys.sleep(10);
    resetting.resetAndDestroy();
    t.is(await reading, "i/o on hungup channel");
    t.is(await failure(write(sys, r, "x")), "i/o on hungup channel");
    await sys.close(r);
    const hungup = await calling(sys, a.dir);
    const call = await listen(sys, a.dir);
    const closed = new Promise((resolve) => hungup.once("close", resolve));
    await write(sys, call.cfd, "hangup");
    await closed;
    await sys.close(call.cfd);
    await sys.close(a.cfd);
  }),
);

test.serial(
  "what is written in one burst is sent as one",
  networked(async (t, sys) => {
    const chunks: number[] = [];
    const a = await announce(sys, "tcp!*!0");
    const sock = await calling(sys, a.dir);
    sock.on("data", (b) => chunks.push(b.length));
    const fd = await accept(sys, await listen(sys, a.dir));
    const text = "x".repeat(40);
    await Promise.all(Array.from({ length: 100 }, () => write(sys, fd, text)));
    await Promise.all(Array.from({ length: 100 }, () => write(sys, fd, text)));
    const ended = once(sock, "end");
    await sys.close(fd);
    await ended;
    t.is(
      chunks.reduce((n, m) => n + m, 0),
      8000,
    );
    t.true(chunks.length <= 4, `${chunks.length} chunks`);
    sock.end();
    await sys.close(a.cfd);
  }),
);

test.serial(
  "a reader that stops stops the sender, and loses nothing",
  networked(async (t, sys) => {
    const total = 16 * 1024 * 1024;
    const bytes = Buffer.alloc(total, "0123456789abcdefghijklmnopqrstuvwxyz");
    const a = await announce(sys, "tcp!*!0");
    const sock = await calling(sys, a.dir);
    const call = await listen(sys, a.dir);
    const fd = await accept(sys, call, true);
    sock.end(bytes);
    await sys.sleep(300);
    const qin = Number(/qin (\d+)/.exec(await readtext(sys, `${call.dir}/status`))?.[1]);
    t.true(qin >= 1024 * 1024 && qin < 1024 * 1024 + 65_537, String(qin));
    const got = new Uint8Array(total);
    let n = 0;
    for (let step = 1; n < total; step = (step * 7 + 1) % 100_003) {
      const m = await sys.read(fd, got.subarray(n, n + step));
      if (m === 0) break;
      n += m;
    }
    t.is(n, total);
    t.true(bytes.equals(got));
    t.is(await sys.read(fd, got), 0);
    for (const f of [fd, call.cfd, a.cfd]) await sys.close(f);
  }),
);

test.serial(
  "a writer sleeps while the other end does not read, and all it wrote arrives",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const sock = await calling(sys, a.dir);
    sock.pause();
    const call = await listen(sys, a.dir);
    const fd = await accept(sys, call, true);
    const pieces = [1, 100, 8192, 8193, 70_000, 1_500_000];
    let sent = 0;
    let sum = 0;
    let done = false;
    const writing = (async (): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        const piece = new Uint8Array(pieces[i % pieces.length] ?? 1).fill(i);
        sum += piece.length * i;
        sent += await sys.write(fd, piece);
        piece.fill(255);
      }
      done = true;
    })();
    await sleepsin(sys, call.dir);
    t.false(done);
    let got = 0;
    let gotsum = 0;
    sock.on("data", (b) => {
      got += b.length;
      for (const byte of b) gotsum += byte;
    });
    sock.resume();
    await writing;
    const ended = once(sock, "end");
    await sys.close(fd);
    await sys.close(call.cfd);
    await ended;
    t.is(got, sent);
    t.is(gotsum, sum);
    sock.end();
    await sys.close(a.cfd);
  }),
);

test.serial(
  "what waits to be sent is less than a frame, and the one behind it",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const sock = await calling(sys, a.dir);
    sock.pause();
    const call = await listen(sys, a.dir);
    const fd = await accept(sys, call, true);
    const frame = 65_536 + 11;
    const writing = (async (): Promise<void> => {
      for (let i = 0; i < 400; i++) await sys.write(fd, new Uint8Array(frame));
    })();
    await sleepsin(sys, call.dir);
    const qout = Number(/qout (\d+)/.exec(await readtext(sys, `${call.dir}/status`))?.[1]);
    t.true(qout < 65_536 + frame, String(qout));
    sock.resume();
    await writing;
    for (const f of [fd, call.cfd, a.cfd]) await sys.close(f);
    sock.end();
  }),
);

test.serial(
  "a program that is slow to read what it called for has all of it, and stops the sender",
  networked(async (t, sys) => {
    const total = 16 * 1024 * 1024;
    const bytes = Buffer.alloc(total, "0123456789abcdefghijklmnopqrstuvwxyz");
    await serving(
      (sock) => sock.end(bytes),
      async (addr) => {
        const call = await dialctl(sys, addr);
        await sys.sleep(300);
        const qin = Number(/qin (\d+)/.exec(await readtext(sys, `${call.dir}/status`))?.[1]);
        t.true(qin >= 1024 * 1024 && qin <= (1024 + 256) * 1024, String(qin));
        const got = new Uint8Array(total);
        let n = 0;
        for (let step = 1; n < total; step = (step * 7 + 1) % 100_003) {
          const m = await sys.read(call.fd, got.subarray(n, n + step));
          if (m === 0) break;
          n += m;
        }
        t.true(n === total && bytes.equals(got));
        t.is(await sys.read(call.fd, got), 0);
        for (const f of [call.fd, call.cfd]) await sys.close(f);
      },
    );
  }),
);

test.serial(
  "waiting for the network holds virtual time",
  networked(
    async (t, sys) => {
      await serving(
        (sock) => sock.on("data", (b) => setTimeout(() => sock.end(b), 50)),
        async (addr) => {
          const before = await sys.nsec();
          let slept = false;
          const sleeping = sys.sleep(3_600_000).then(() => (slept = true));
          const fd = await dial(sys, addr);
          await write(sys, fd, "echo");
          t.is(await readonce(sys, fd), "echo");
          t.is(await readonce(sys, fd), "");
          t.is(await sys.nsec(), before);
          t.false(slept);
          await sys.close(fd);
          await sleeping;
          t.is((await sys.nsec()) - before, 3_600_000_000_000n);
        },
      );
    },
    {},
    "virtual",
  ),
);

test.serial(
  "who is killed while it dials, listens, reads or writes leaves nothing",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const addr = `tcp!${await netaddr(sys, a.dir, "local")}`;
    const victims: ((child: Sys) => Promise<unknown>)[] = [
      (child) => dial(child, "tcp!192.0.2.1!9"),
      (child) => child.open(`${a.dir}/listen`, ORDWR),
      async (child) => child.read(await dial(child, addr), new Uint8Array(10)),
      async (child) => child.write(await dial(child, addr), new Uint8Array(50_000_000)),
    ];
    for (const victim of victims) {
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => void (await victim(child)));
      await sys.sleep(30);
      const ctl = await sys.open(`/proc/${pid}/ctl`, OWRITE).catch(() => -1);
      // A host without a route fails the first at once.
      // It may have ended by itself since it was found.
      if (ctl >= 0) await write(sys, ctl, "kill").catch((e: Error) => t.is(e.message, Eprocdied));
      if (ctl >= 0) await sys.close(ctl);
      await sys.wait();
    }
    const sock = await calling(sys, a.dir);
    for (let i = 0; i < 3; i++) await sys.close((await listen(sys, a.dir)).cfd);
    sock.destroy();
    await sys.close(a.cfd);
    t.pass();
  }),
);

/** Waits for what another process's sockets do, ten seconds at most: how soon is the host's affair. */
async function until(sys: Sys, done: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !done(); i++) await sys.sleep(20);
}

test.serial(
  "calls that nobody takes are bounded, and end with the listener",
  networked(async (t, sys) => {
    const a = await announce(sys, "tcp!*!0");
    const socks: Socket[] = [];
    let closed = 0;
    for (let i = 0; i < 200; i++) {
      const sock = await calling(sys, a.dir);
      sock.on("close", () => closed++);
      sock.resume();
      sock.on("end", () => sock.end());
      socks.push(sock);
    }
    await until(sys, () => closed === 200 - 128);
    t.is(closed, 200 - 128);
    await sys.close(a.cfd);
    await until(sys, () => closed === 200);
    t.is(closed, 200);
  }),
);

test.serial("shutdown ends what is open, listening, dialling and lingering", async (t) => {
  const peers: Socket[] = [];
  await serving(
    (sock) => {
      sock.pause();
      peers.push(sock);
    },
    async (addr) => {
      const k = await start();
      let ready: () => void = () => undefined;
      const set = new Promise<void>((r) => (ready = r));
      k.spawn(async (sys: Sys) => {
        const a = await announce(sys, "tcp!*!0");
        const waiting = sys.open(`${a.dir}/listen`, ORDWR);
        const dialling = failure(dial(sys, "tcp!192.0.2.1!9"));
        const fd = await dial(sys, addr);
        const reading = readonce(sys, fd);
        const closed = await dial(sys, addr);
        await sys.write(closed, new Uint8Array(20_000_000).subarray(0, 900_000));
        await sys.close(closed);
        ready();
        await Promise.all([waiting, dialling, reading]);
      });
      await set;
      await k.shutdown();
    },
  );
  await nosockets(t);
});
