// Connections of one 9P server that have much to do, and one that has little.

import test from "ava";
import { RFFDG, RFNAMEG, RFPROC } from "../../kernel/abi/const.ts";
import type { Exit, Sys, Task } from "../../syscalls/sys.ts";
import type { Anysrv, Fid } from "../../userland/lib/9p.ts";
import { Conn } from "../../userland/lib/9p/conn.ts";
import { Log } from "../../userland/lib/9p/log.ts";
import { Shares } from "../../userland/lib/9p/shares.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { newram } from "../../userland/lib/ram.ts";
import { run, within } from "../kit/kit.ts";
import { attach, stat, version } from "../kit/msg.ts";
import { Rawclient } from "../kit/rawclient.ts";

const CROWD = 20;
const REQUESTS = 1000;
/** Requests of one turn, where many connections have as much to do. */
const TURN = 16;

/** A turn of the host: what it brings comes while the server works. */
const hostturn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test(
  "a client that sends one request waits for a turn or two of those that send thousands, and not for one of each",
  within(async (t, k) => {
    const seen = { stats: 0 };
    const gaps: number[] = [];
    /** The clients: the first sends one request at a time. */
    const clients = async (sys: Sys, fds: readonly number[]): Promise<void> => {
      const [good, ...crowd] = fds.map((fd) => new Rawclient(sys, fd));
      for (const c of [good, ...crowd]) await c?.rpc(version(), attach());
      const busy = crowd.map(async (c) =>
        t.is((await c.rpc(...Array.from({ length: REQUESTS }, () => stat(0)))).length, REQUESTS),
      );
      for (let i = 0; i < 20; i++) {
        for (let turn = 0; turn < 5; turn++) await hostturn();
        const before = seen.stats;
        await good?.rpc(stat(0));
        gaps.push(seen.stats - before);
      }
      t.true(seen.stats < CROWD * REQUESTS, "the others are done");
      await Promise.all(busy);
    };
    await run(k, function* main(sys: ThreadSys): Task<Exit> {
      const ram = newram(sys, { user: "glenda", perm: 0o777 }) as Anysrv;
      const srv = {
        ...ram,
        stat: (fid: Fid<unknown>) => {
          seen.stats++;
          return ram.stat(fid);
        },
      };
      const shares = new Shares(srv, new Log(sys));
      const ends: number[] = [];
      for (let i = 0; i <= CROWD; i++) {
        const [mine, theirs] = yield* sys.pipe();
        sys.threadcreate(new Conn(sys, { in: mine, out: mine }, srv, shares).run());
        ends.push(theirs);
      }
      yield* sys.rfork(RFPROC | RFFDG | RFNAMEG, async (child: Sys) => clients(child, ends));
      for (const fd of ends) yield* sys.close(fd);
    });
    t.true(Math.max(...gaps) <= 3 * TURN, gaps.join(" "));
  }),
);
