// A server that is nearly right: a machine between a client and a good server passes 9P messages on, and edits them.

import { joined } from "../../kernel/abi/bits.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { accept, announce, dial, listen } from "../../userland/lib/dial.ts";
import type { Call } from "../../userland/lib/dial.ts";
import { framesof } from "../../userland/lib/verify/peer.ts";

/** What is done to messages. */
export type Edit = {
  /** Connections before this one are passed on as they are: the client's first look at the server. */
  readonly from?: number;
  /** A request: what goes to the server in its place, or what the client gets at once. */
  readonly t?: (f: Tmsg) => Tmsg | Rmsg;
  /** A reply to a request: what the client gets in its place. */
  readonly r?: (f: Rmsg, t: Tmsg) => readonly Rmsg[];
  /** A frame that is no request: what the client gets. Without it that frame goes on to the server. */
  readonly bad?: () => Rmsg;
  /** No call is taken any more after bytes that are no request. */
  readonly dies?: boolean;
};

type State = { conns: number; dead: boolean };

/** Takes calls at tcp!*!564, and passes what they bring to the server. */
export function middle(to: string, edit: Edit): (sys: ThreadSys) => Task<Exit> {
  return function* main(sys) {
    const at = yield* announce(sys, "tcp!*!564");
    const state: State = { conns: 0, dead: false };
    for (;;) sys.threadcreate(passing(sys, yield* listen(sys, at.dir), { to, edit, state }));
  };
}

type Way = { readonly to: string; readonly edit: Edit; readonly state: State };

function* passing(sys: ThreadSys, call: Call, { to, edit, state }: Way): Task<void> {
  const near = yield* accept(sys, call);
  if (state.dead) return yield* sys.close(near);
  const far = yield* dial(sys, to);
  const [over, edits] = [{ n: 0 }, ++state.conns >= (edit.from ?? 1) ? edit : {}];
  const asked = new Map<number, Tmsg[]>();
  sys.threadcreate(back(sys, { near, far, edit: edits, asked, over, state }));
  yield* forth(sys, { near, far, edit: edits, asked, over, state });
}

type Pair = {
  readonly near: number;
  readonly far: number;
  readonly edit: Edit;
  readonly asked: Map<number, Tmsg[]>;
  readonly over: { n: number };
  readonly state: State;
};

/** The last of the two directions closes both ends. */
function* ends(sys: ThreadSys, { near, far, over }: Pair): Task<void> {
  if (++over.n < 2) return;
  yield* sys.close(near);
  yield* sys.close(far);
}

/** The next frame, with what came behind it; null at the end. What has no sensible size is taken whole. */
function* frame(
  sys: ThreadSys,
  fd: number,
  before: Uint8Array,
): Task<[Uint8Array, Uint8Array] | null> {
  let left = before;
  for (;;) {
    const size = left.length < 4 ? 0 : F.framesize(left, 0);
    if (left.length >= 4 && (size < 7 || size > 1e6)) return [left, new Uint8Array(0)];
    if (left.length >= 4 && left.length >= size) return [left.slice(0, size), left.slice(size)];
    const buf = new Uint8Array(65_536);
    let n = 0;
    try {
      n = yield* sys.read(fd, buf);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
    if (n === 0) return left.length > 0 ? [left, new Uint8Array(0)] : null;
    left = joined([left, buf.subarray(0, n)]);
  }
}

function* forth(sys: ThreadSys, p: Pair): Task<void> {
  let left: Uint8Array = new Uint8Array(0);
  for (;;) {
    const got = yield* frame(sys, p.near, left);
    if (got === null) break;
    left = got[1];
    const f = F.convM2S(got[0], 0, got[0].length);
    if (f === null || !F.isT(f)) {
      if (p.edit.dies === true) p.state.dead = true;
      yield* put(sys, p.edit.bad === undefined ? p.far : p.near, p.edit.bad?.() ?? got[0]);
      continue;
    }
    const edited = p.edit.t?.(f) ?? f;
    if (F.isT(edited)) {
      p.asked.set(f.tag, [...(p.asked.get(f.tag) ?? []), f]);
      yield* put(sys, p.far, edited);
    } else yield* put(sys, p.near, edited);
  }
  yield* hangup(sys, p.far);
  yield* ends(sys, p);
}

function* back(sys: ThreadSys, p: Pair): Task<void> {
  let left: Uint8Array = new Uint8Array(0);
  for (;;) {
    const got = yield* frame(sys, p.far, left);
    if (got === null) break;
    left = got[1];
    const r = F.convM2S(got[0], 0, got[0].length) as Rmsg;
    const list = p.asked.get(r.tag) ?? [];
    const t = r.type === F.Rstream && r.data.length > 0 ? list[0] : list.shift();
    const edited = t === undefined ? [r] : (p.edit.r?.(r, t) ?? [r]);
    for (const f of edited) yield* put(sys, p.near, f);
  }
  yield* hangup(sys, p.near);
  yield* ends(sys, p);
}

/** The other side hears that this one has gone. */
function* hangup(sys: ThreadSys, fd: number): Task<void> {
  const path = (yield* sys.fd2path(fd)).replace(/\/data$/, "/ctl");
  try {
    const ctl = yield* sys.open(path, 1);
    yield* sys.write(ctl, new TextEncoder().encode("hangup"));
    yield* sys.close(ctl);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

function* put(sys: ThreadSys, fd: number, f: Fcall | Uint8Array): Task<void> {
  const bytes = f instanceof Uint8Array ? f : framesof([f as Tmsg]);
  try {
    yield* sys.write(fd, bytes);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
