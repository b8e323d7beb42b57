// A wire between the kernel's mount driver and a server, with a program in the middle. The program passes frames on, late
// or changed, and keeps its own account of the server's fids.

import { MCREATE, MREPL, RFFDG, RFNAMEG, RFNOTEG, RFPROC } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { type Anysrv, serve } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { Frames } from "./frames.ts";

/** What is done to a frame on its way: the chunks that take its place. */
export type Mangle = (frame: Uint8Array, f: F.Fcall | null) => Task<readonly Uint8Array[]>;

/** The account of one connection. */
export class Wire {
  /** Fids that the server has. */
  readonly fids: Set<number> = new Set();
  /** Requests that it has not answered, by tag. */
  readonly requests: Map<number, F.Tmsg[]> = new Map();
  /** What came that may not come: a fid that is in use, a tag that is being flushed. */
  readonly faults: string[] = [];
  nreply = 0;
  #flushing = new Map<number, number>();

  request(t: F.Tmsg): void {
    const queue = this.requests.get(t.tag) ?? [];
    if (t.type === F.Tflush) this.#flushing.set(t.tag, t.oldtag);
    else if ([...this.#flushing.values()].includes(t.tag))
      this.faults.push(`sent on a flushed tag: ${t.type}`);
    if (t.type === F.Twalk && this.fids.has(t.newfid)) this.faults.push("newfid in use");
    queue.push(t);
    this.requests.set(t.tag, queue);
  }

  reply(r: F.Rmsg): void {
    this.nreply++;
    const queue = this.requests.get(r.tag);
    if (r.type === F.Rstream && r.data.length > 0) return;
    const t = queue?.shift();
    if (queue?.length === 0) this.requests.delete(r.tag);
    if (t === undefined) return;
    if (t.type === F.Tversion) this.fids.clear();
    else if (t.type === F.Tattach && r.type === F.Rattach) this.fids.add(t.fid);
    else if (t.type === F.Twalk && r.type === F.Rwalk && r.wqid.length === t.wname.length)
      this.fids.add(t.newfid);
    else if (t.type === F.Tclunk || t.type === F.Tremove) this.fids.delete(t.fid);
    else if (t.type === F.Tflush) {
      this.#flushing.delete(t.tag);
      this.requests.delete(t.oldtag);
    }
  }
}

/** Starts srv with a wire before it, and mounts that. Gives the account. */
export async function mountwire(
  sys: Sys,
  mtpt: string,
  how: {
    readonly make: (s: ThreadSys) => Anysrv;
    readonly request: (s: ThreadSys) => Mangle;
    readonly reply: (s: ThreadSys) => Mangle;
  },
): Promise<Wire> {
  const wire = new Wire();
  const [mine, near] = await sys.pipe();
  const [far, server] = await sys.pipe();
  const flags = RFPROC | RFFDG | RFNAMEG | RFNOTEG;
  await sys.rfork(flags, function* (s: ThreadSys): Task<void> {
    for (const fd of [mine, near, far]) yield* s.close(fd);
    yield* serve(s, server, server, how.make(s));
  });
  await sys.rfork(flags, function* (s: ThreadSys): Task<void> {
    for (const fd of [mine, server]) yield* s.close(fd);
    const requests = pump(s, { from: near, to: far }, how.request(s), (f) => {
      if (F.isT(f)) wire.request(f);
    });
    s.threadcreate(requests);
    yield* pump(s, { from: far, to: near }, how.reply(s), (f) => {
      if (!F.isT(f)) wire.reply(f);
    });
  });
  for (const fd of [near, far, server]) await sys.close(fd);
  try {
    await sys.mount(mine, -1, mtpt, MREPL | MCREATE, "");
  } finally {
    // mount has closed it, unless it failed.
    await sys.close(mine).catch(() => undefined);
  }
  return wire;
}

/** Passes frames on until one side hangs up: then the whole program ends, and with it both sides. */
function* pump(
  s: ThreadSys,
  fds: { readonly from: number; readonly to: number },
  mangle: Mangle,
  account: (f: F.Fcall) => void,
): Task<void> {
  const buf = new Uint8Array(65536);
  const frames = new Frames();
  for (;;) {
    const n = yield* s.read(fds.from, buf);
    if (n === 0) return yield* s.exits();
    for (const frame of frames.add(buf.subarray(0, n))) {
      const f = F.convM2S(frame, 0, frame.length);
      if (f !== null) account(f);
      for (const chunk of yield* mangle(frame, f)) yield* s.write(fds.to, chunk);
    }
  }
}
