// Clients of one server, each on a connection of its own, that speak 9P by hand: for what a kernel's mount
// driver would not ask.

import * as fc from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { type Anysrv, serve } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { type Export, type Exportopts, newexport } from "../../userland/lib/export.ts";
import { attach, said, version } from "./msg.ts";

/** One connection. */
export class Client {
  readonly #sys: Sys;
  readonly #fd: number;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(sys: Sys, fd: number) {
    this.#sys = sys;
    this.#fd = fd;
  }

  async send(f: Tmsg): Promise<void> {
    const buf = new Uint8Array(fc.sizeS2M(f));
    fc.convS2M(f, buf, 0);
    await this.#sys.write(this.#fd, buf);
  }

  /** The next reply. */
  async reply(): Promise<Rmsg> {
    for (;;) {
      const have = this.#bytes.length;
      const size = have < 4 ? 0 : fc.framesize(this.#bytes, 0);
      if (size > 0 && have >= size) {
        const f = fc.convM2S(this.#bytes, 0, size);
        this.#bytes = this.#bytes.slice(size);
        if (f === null || fc.isT(f)) throw new Error("the server sent no reply");
        return f;
      }
      const more = new Uint8Array(65536);
      const n = await this.#sys.read(this.#fd, more);
      if (n === 0) throw new Error("the server hung up");
      this.#bytes = Buffer.concat([this.#bytes, more.subarray(0, n)]);
    }
  }

  /** One request and its reply. */
  async rpc(f: Tmsg): Promise<Rmsg> {
    await this.send(f);
    return this.reply();
  }

  /** Requests in turn: what each reply says. */
  async ask(...fs: Tmsg[]): Promise<string[]> {
    const list: string[] = [];
    for (const f of fs) list.push(said(await this.rpc(f)));
    return list;
  }

  hangup(): Promise<void> {
    return this.#sys.close(this.#fd);
  }
}

/** A server and n clients that have attached fid 0. It ends when all of them have hung up. */
export async function connected<S extends Anysrv>(
  sys: Sys,
  n: number,
  make: (s: ThreadSys) => S,
): Promise<{ srv: S; clients: Client[] }> {
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
  const clients: Client[] = [];
  for (const [mine, theirs] of pipes) {
    await sys.close(mine);
    const c = new Client(sys, theirs);
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
): Promise<{ srv: Export; clients: Client[] }> {
  return connected(sys, n, (s) => newexport(s, opts));
}
