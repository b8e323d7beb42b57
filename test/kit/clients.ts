// Clients of one server, each on a connection of its own, that speak 9P by hand: for what a kernel's mount
// driver would not ask.

import { RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { type Anysrv, serve } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { type Export, type Exportopts, newexport } from "../../userland/lib/export.ts";
import { attach, version } from "./msg.ts";
import { Rawclient } from "./rawclient.ts";

/** A server and n clients that have attached fid 0. It ends when all of them have hung up. */
export async function connected<S extends Anysrv>(
  sys: Sys,
  n: number,
  make: (s: ThreadSys) => S,
): Promise<{ srv: S; clients: Rawclient[] }> {
  const pipes: [number, number][] = [];
  for (let i = 0; i < n; i++) pipes.push(await sys.pipe());
  let srv: S | null = null;
  await sys.rfork(RFPROC | RFFDG, function* (s: ThreadSys): Task<void> {
    const mine = make(s);
    srv = mine;
    for (const [, theirs] of pipes) yield* s.close(theirs);
    // The process lives as long as its threads.
    for (const [fd] of pipes) s.threadcreate(serve(s, fd, fd, mine));
  });
  const clients: Rawclient[] = [];
  for (const [mine, theirs] of pipes) {
    await sys.close(mine);
    const c = new Rawclient(sys, theirs);
    await c.ask(version(), attach());
    clients.push(c);
  }
  if (srv === null) throw new Error("the server did not start");
  return { srv, clients };
}

/** An export of what this process sees, and n clients. */
export function exported(
  sys: Sys,
  n: number,
  opts: Exportopts,
): Promise<{ srv: Export; clients: Rawclient[] }> {
  return connected(sys, n, (s) => newexport(s, opts));
}
