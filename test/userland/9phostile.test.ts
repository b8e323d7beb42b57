// The 9P server library under clients that lie, and under every order of events: properties, each run
// for thousands of messages from seeds. A failure names its seed.

import { joined } from "../../kernel/abi/bits.ts";
import test from "ava";
import { NOFID, NOTAG } from "../../kernel/abi/const.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { newram } from "../../userland/lib/ram.ts";
import { type Chance, Rig, chance, shred } from "../kit/rig.ts";
import { Slowsrv } from "../kit/slow.ts";
import { pack } from "../kit/frames.ts";

const NAMES = [
  "f",
  "slow",
  "slow2",
  "d",
  "g",
  "nope",
  "..",
  ".",
  "",
  "a/b",
  "a\0b",
  "x".repeat(300),
  "ä\udc80",
];
const VERSIONS = ["9P2000", "9P2000.ix", "9P2000.ix.stream", "9P2000.L", "junk"];
const OFFSETS = [0, 0, 1, 77, 65536, 2 ** 31, 2 ** 52, 2 ** 63];
const COUNTS = [0, 1, 100, 8192, 65536, 0xffffffff];

function of<T>(pick: Chance, list: readonly T[]): T {
  return list[pick(list.length)] as T;
}

/** Any request at all, sensible as a rule. */
function anything(pick: Chance): Tmsg {
  const tag = pick(50) === 0 ? of(pick, [NOTAG, 0, 500]) : pick(5);
  const fid = pick(30) === 0 ? NOFID : pick(6);
  const name = of(pick, NAMES);
  const offset = of(pick, OFFSETS);
  const makes: readonly (() => Tmsg)[] = [
    () => ({
      type: fc.Tattach,
      tag,
      fid,
      afid: pick(9) === 0 ? fid : NOFID,
      uname: "glenda",
      aname: name,
    }),
    () => ({ type: fc.Twalk, tag, fid, newfid: pick(7), wname: [] }),
    () => ({ type: fc.Twalk, tag, fid, newfid: pick(7), wname: [name] }),
    () => ({
      type: fc.Twalk,
      tag,
      fid,
      newfid: pick(7),
      wname: Array.from({ length: pick(17) }, () => of(pick, NAMES)),
    }),
    () => ({ type: fc.Topen, tag, fid, mode: pick(3) === 0 ? pick(256) : 0 }),
    () => ({
      type: fc.Tcreate,
      tag,
      fid,
      name,
      perm: pick(2) * 0x80000000 + pick(512),
      mode: pick(128),
    }),
    () => ({ type: fc.Tread, tag, fid, offset, count: of(pick, COUNTS) }),
    () => ({ type: fc.Twrite, tag, fid, offset, data: new Uint8Array(pick(300)).fill(98) }),
    () => ({ type: fc.Tclunk, tag, fid }),
    () => ({ type: fc.Tremove, tag, fid }),
    () => ({ type: fc.Tstat, tag, fid }),
    () => ({ type: fc.Twstat, tag, fid, stat: new Uint8Array(pick(60)) }),
    () => ({ type: fc.Tflush, tag: 100 + pick(3), oldtag: tag }),
    () => ({ type: fc.Tstream, tag, fid, offset, count: of(pick, [0, 5, 100_000, Infinity]) }),
    () => ({ type: fc.Tauth, tag, afid: fid, uname: name, aname: name }),
  ];
  if (pick(200) === 0)
    return {
      type: fc.Tversion,
      tag: NOTAG,
      msize: of(pick, [255, 256, 8216, 2 ** 31]),
      version: of(pick, VERSIONS),
    };
  return of(pick, makes)();
}

/** Spoils bytes: some changed, some lost, some put between. */
function spoil(bytes: Uint8Array, pick: Chance): Uint8Array {
  const b = [...bytes];
  for (let n = 1 + pick(3); n > 0; n--) {
    const at = pick(b.length + 1);
    const how = pick(4);
    if (how === 0) b[at] = pick(256);
    else if (how === 1) b.splice(at, 1 + pick(8));
    else if (how === 2) b.splice(at, 0, ...Array.from({ length: 1 + pick(8) }, () => pick(256)));
    else b[pick(5)] = pick(256);
  }
  return Uint8Array.from(b);
}

const hello = (version: string, msize = 8216): Tmsg[] => [
  { type: fc.Tversion, tag: NOTAG, msize, version },
  { type: fc.Tattach, tag: 1, fid: 0, afid: NOFID, uname: "glenda", aname: "" },
];

/** One connection: messages, spoiled or not, in pieces, gates opened now and then; then the end. */
function converse(seed: number, spoils: boolean): { rig: Rig; srv: Slowsrv; most: number } {
  const pick = chance(seed);
  const rig = new Rig(pick);
  const srv = new Slowsrv(rig);
  srv.interruptible = pick(4) !== 0;
  rig.serve(srv);
  let most = 0;
  rig.send(pack(...hello(of(pick, VERSIONS.slice(0, 3)))));
  for (let i = 0; i < 12; i++) {
    let bytes = pack(...Array.from({ length: 1 + pick(12) }, () => anything(pick)));
    if (spoils && pick(4) === 0) bytes = spoil(bytes, pick);
    for (const chunk of shred(bytes, pick)) {
      rig.send(chunk);
      if (pick(3) === 0) rig.run();
      most = Math.max(most, rig.threads);
      if (pick(6) === 0) rig.open(of(pick, [...srv.gates.values(), srv.gate("slow")]));
    }
  }
  rig.send(null);
  for (let i = 0; i < 400 && rig.threads > 0; i++) {
    rig.run();
    for (const g of srv.gates.values()) rig.open(g);
  }
  rig.replies();
  return { rig, srv, most };
}

test("whatever comes, the server answers or hangs up, and lets go of everything", (t) => {
  for (let seed = 1; seed <= 1500; seed++) {
    const { rig, srv, most } = converse(seed, seed % 3 !== 0);
    if (rig.threads !== 0 || srv.fids.size !== 0 || rig.closed.join() !== "0,1" || most > 200)
      t.fail(`seed ${seed}: ${rig.threads} threads, ${srv.fids.size} fids, ${most} at most`);
  }
  t.pass();
});

test("bytes of pure chance are answered or hung up on", (t) => {
  for (let seed = 1; seed <= 3000; seed++) {
    const pick = chance(seed);
    const rig = new Rig(pick);
    rig.serve(newram(rig.sys, { user: "glenda" }));
    const noise = Uint8Array.from({ length: 1 + pick(200) }, () => (pick(3) === 0 ? 0 : pick(256)));
    // Some look like frames.
    if (pick(2) === 0) noise.set([pick(60), 0, 0, 0, 100 + pick(30)].slice(0, noise.length));
    rig.send(...(pick(2) === 0 ? [pack(...hello("9P2000.ix"))] : []), ...shred(noise, pick), null);
    rig.run();
    rig.replies();
    if (rig.threads !== 0) t.fail(`seed ${seed}`);
  }
  t.pass();
});

test("ramfs stands ten thousand spoiled messages, and its tree stays whole", (t) => {
  for (let seed = 1; seed <= 150; seed++) {
    const pick = chance(seed);
    const rig = new Rig(pick);
    const srv = newram(rig.sys, { user: "glenda", limit: 1 << 20 });
    for (let c = 0; c < 3; c++) {
      rig.serve(srv);
      rig.send(pack(...hello("9P2000.ix.stream")));
      const parts = Array.from({ length: 25 }, () => {
        const bytes = pack(anything(pick), anything(pick));
        return pick(8) === 0 ? spoil(bytes, pick) : bytes;
      });
      rig.send(...shred(joined(parts), pick));
      rig.run();
      rig.send(null);
      rig.run();
      rig.input.length = 0;
      rig.replies();
    }
    if (rig.threads !== 0) t.fail(`seed ${seed}`);
  }
  t.pass();
});

/** What an honest client knows: the requests outstanding on each tag, and the flushes on their way. */
class Client {
  readonly pending: Map<number, Tmsg[]> = new Map();
  readonly flushes: Map<number, number> = new Map();
  answered = 0;
  flushed = 0;

  sent(f: Tmsg): void {
    if (f.type === fc.Tflush) this.flushes.set(f.tag, f.oldtag);
    else this.pending.set(f.tag, [...(this.pending.get(f.tag) ?? []), f]);
  }

  /** Takes a reply; gives what is wrong with it. */
  got(r: Rmsg): string | null {
    if (r.type === fc.Rflush) {
      const oldtag = this.flushes.get(r.tag);
      if (oldtag === undefined) return "an Rflush that nobody waits for";
      this.flushes.delete(r.tag);
      this.flushed += this.pending.get(oldtag)?.length ?? 0;
      this.pending.delete(oldtag);
      return null;
    }
    const list = this.pending.get(r.tag) ?? [];
    const [f] = list;
    if (f === undefined) return `a reply ${r.type} to nothing`;
    if (r.type !== fc.Rerror && r.type !== f.type + 1) return `a reply ${r.type} to ${f.type}`;
    if (r.type === fc.Rstream && f.type === fc.Tstream && r.data.length > 0) {
      const count = f.count - r.data.length;
      if (count < 0) return "a run longer than asked for";
      if (count > 0) {
        list[0] = { ...f, count };
        return null;
      }
    }
    list.shift();
    this.answered++;
    if (list.length === 0) this.pending.delete(r.tag);
    return null;
  }

  /** Nothing may be sent with the tag now. */
  busy(tag: number): boolean {
    return [...this.flushes.values()].includes(tag) || this.flushes.has(tag);
  }
}

/** A request that the server may take its time with. */
function work(pick: Chance, tag: number): Tmsg {
  const fid = 1 + pick(3);
  const makes: readonly (() => Tmsg)[] = [
    () => ({ type: fc.Tread, tag, fid, offset: 0, count: 20 }),
    () => ({ type: fc.Tread, tag, fid, offset: 0, count: 20 }),
    () => ({ type: fc.Twrite, tag, fid, offset: 0, data: new Uint8Array([97, pick(9)]) }),
    () => ({ type: fc.Tstat, tag, fid: 0 }),
    () => ({ type: fc.Twalk, tag, fid: 0, newfid: 10 + tag, wname: ["f"] }),
    () => ({ type: fc.Tclunk, tag, fid: 10 + tag }),
    () => ({ type: fc.Tstream, tag, fid, offset: 0, count: 1 + pick(40) }),
  ];
  return of(pick, makes)();
}

test("per tag the replies come in order, one for each request, whatever takes how long", (t) => {
  let answered = 0;
  let flushed = 0;
  for (let seed = 1; seed <= 800; seed++) {
    const pick = chance(seed);
    const rig = new Rig(pick);
    const srv = new Slowsrv(rig);
    srv.interruptible = pick(3) !== 0;
    rig.serve(srv);
    const client = new Client();
    rig.rpc(...hello("9P2000.ix.stream"));
    for (const [i, name] of ["slow", "slow2", "f"].entries())
      rig.rpc(
        { type: fc.Twalk, tag: 1, fid: 0, newfid: i + 1, wname: [name] },
        { type: fc.Topen, tag: 1, fid: i + 1, mode: 2 },
      );
    const bad = (r: Rmsg): void => {
      const wrong = client.got(r);
      if (wrong !== null) t.fail(`seed ${seed}: ${wrong}`);
    };
    for (let i = 0; i < 60; i++) {
      const tag = pick(4);
      const f: Tmsg =
        pick(9) === 0 ? { type: fc.Tflush, tag: 20 + pick(4), oldtag: tag } : work(pick, tag);
      if (!client.busy(f.type === fc.Tflush ? f.oldtag : f.tag) && !client.flushes.has(f.tag)) {
        client.sent(f);
        rig.send(pack(f));
      }
      if (pick(2) === 0) rig.run();
      if (pick(3) === 0) rig.open(srv.gate(of(pick, ["slow", "slow2"])));
      rig.replies().forEach(bad);
    }
    for (let i = 0; i < 500 && client.pending.size + client.flushes.size > 0; i++) {
      for (const g of srv.gates.values()) rig.open(g);
      rig.run();
      rig.replies().forEach(bad);
    }
    if (client.pending.size + client.flushes.size > 0)
      t.fail(`seed ${seed}: something was never answered`);
    answered += client.answered;
    flushed += client.flushed;
  }
  t.log(`${answered} answered, ${flushed} flushed`);
  t.true(answered > 10_000 && flushed > 500);
});
