// The packet capture, read back byte by byte by a reader of its own.

import test from "ava";
import type { ExecutionContext } from "ava";
import { MREPL } from "../../kernel/abi/const.ts";
import { Rversion, convM2S, framesize } from "../../kernel/abi/fcall.ts";
import { fcallfmt } from "../../kernel/abi/fcallfmt.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Pcapng } from "../../userland/view/export/pcapng.ts";
import type { Tell } from "../../userland/view/record/recorder.ts";
import { failure, put } from "../kit/kit.ts";
import { recorded, remount } from "../kit/recorded.ts";

const EPOCH = 946_684_800_000_000_000n;

/** Options by their code, as text, or the bytes of a number. */
type Options = ReadonlyMap<number, string>;
type Packet = {
  readonly iface: number;
  readonly at: number;
  readonly ip: Uint8Array;
  readonly options: Options;
};
type Capture = {
  readonly section: Options;
  readonly interfaces: Options[];
  readonly packets: Packet[];
};

/** Runs a program and captures it, the mount that comes first too; and what there was to capture. */
async function captured(
  main: (sys: Sys) => Promise<void>,
): Promise<{ capture: Capture; heard: string[] }> {
  const pieces: Uint8Array[] = [];
  const heard: string[] = [];
  const pcap = new Pcapng((b) => pieces.push(b), EPOCH, "test");
  const tell: Tell = (e, r, full) => {
    pcap.take(e, r, full);
    if (full !== null) heard.push(`${e.at} ${fcallfmt(full)}`);
  };
  await recorded(main, { limit: 0, snap: 0, tell, before: tell });
  pcap.finish();
  return { capture: read(Uint8Array.from(pieces.flatMap((p) => [...p]))), heard };
}

/** A capture taken apart; throws where it is none. */
function read(bytes: Uint8Array): Capture {
  const view = new DataView(bytes.buffer);
  let section: Options = new Map();
  const interfaces: Options[] = [];
  const packets: Packet[] = [];
  for (let off = 0; off < bytes.length;) {
    const type = view.getUint32(off, true);
    const length = view.getUint32(off + 4, true);
    const end = off + length - 4;
    if (length % 4 !== 0 || view.getUint32(end, true) !== length) throw new Error("no block");
    const at = off + 8;
    if (type === 0x0a0d0d0a) section = options(bytes, at + 16, end);
    else if (type === 1) interfaces.push(options(bytes, at + 8, end));
    else packets.push(packet(bytes, at, end));
    off += length;
  }
  return { section, interfaces, packets };
}

function packet(bytes: Uint8Array, at: number, end: number): Packet {
  const view = new DataView(bytes.buffer);
  const time = (BigInt(view.getUint32(at + 4, true)) << 32n) | BigInt(view.getUint32(at + 8, true));
  const length = view.getUint32(at + 12, true);
  if (view.getUint32(at + 16, true) !== length) throw new Error("cut");
  return {
    iface: view.getUint32(at, true),
    at: Number(time - EPOCH),
    ip: bytes.slice(at + 20, at + 20 + length),
    options: options(bytes, at + 20 + ((length + 3) & ~3), end),
  };
}

function options(bytes: Uint8Array, from: number, end: number): Options {
  const view = new DataView(bytes.buffer);
  const list = new Map<number, string>();
  for (let off = from; off < end;) {
    const length = view.getUint16(off + 2, true);
    if (view.getUint16(off, true) === 0) return list;
    list.set(view.getUint16(off, true), utfdecode(bytes, off + 4, off + 4 + length));
    off += 4 + ((length + 3) & ~3);
  }
  throw new Error("options without an end");
}

/** The sum that a checksum makes 0xffff. */
function sum(b: Uint8Array, more = 0): number {
  let n = more;
  for (let i = 0; i < b.length; i += 2) n += (b[i] ?? 0) * 256 + (b[i + 1] ?? 0);
  while (n > 0xffff) n = (n % 0x10000) + Math.floor(n / 0x10000);
  return n;
}

/** Follows every connection: headers and numbers must hold. Gives the messages, each with its time and interface. */
function follow(t: ExecutionContext, { packets }: Capture): string[][] {
  const streams = new Map<string, { next: number; data: number[] }>();
  const interfaces: string[][] = [];
  for (const p of packets) {
    const view = new DataView(p.ip.buffer);
    t.is(view.getUint16(2), p.ip.length);
    t.is(sum(p.ip.subarray(0, 20)), 0xffff);
    t.is(sum(p.ip.subarray(12), 6 + p.ip.length - 20), 0xffff);
    const out = p.options.get(2)?.charCodeAt(0) === 2;
    t.is(view.getUint16(out ? 22 : 20), 564);
    const key = (o: boolean): string => `${p.iface} ${o}`;
    const mine = streams.get(key(out)) ?? { next: 0, data: [] };
    const peer = streams.get(key(!out));
    streams.set(key(out), mine);
    const syn = (view.getUint8(33) & 2) !== 0;
    t.is(view.getUint32(24), mine.next);
    if ((view.getUint8(33) & 16) !== 0) t.is(view.getUint32(28), peer?.next ?? -1);
    const data = p.ip.subarray(20 + (view.getUint8(32) >> 4) * 4);
    mine.next += data.length + (syn ? 1 : 0);
    mine.data.push(...data);
    const frame = Uint8Array.from(mine.data);
    if (frame.length < 4 || framesize(frame, 0) > frame.length) continue;
    t.is(framesize(frame, 0), frame.length);
    const f = convM2S(frame, 0, frame.length);
    (interfaces[p.iface] ??= []).push(`${p.at} ${f === null ? "?" : fcallfmt(f)}`);
    mine.data = [];
  }
  return interfaces;
}

test("every message is there, whole, at its time, in a connection that TCP would have", async (t) => {
  const { capture, heard } = await captured(async (sys) => {
    await put(sys, "/n/far/f", "x".repeat(100_001));
    await sys.stat("/n/far/f");
  });
  t.true(capture.packets.some((p) => p.ip.length === 65_535));
  t.deepEqual(follow(t, capture), [heard]);
  t.regex(heard[0] ?? "", /^50000000 Tversion/);
  t.is(capture.section.get(4), "namec");
});

test("a packet says what caused it, an interface who is there", async (t) => {
  const { capture } = await captured(async (sys) => void (await sys.stat("/n/far")));
  const [far] = capture.interfaces;
  t.is(far?.get(2), "far!564");
  t.is(far?.get(3), "connection 1: /net/tcp/0/data");
  t.is(far?.get(9), "\t");
  const comments = capture.packets.map((p) => p.options.get(1) ?? "");
  t.deepEqual(comments.slice(0, 3), ["", "", ""]);
  t.deepEqual([...new Set(comments.slice(3))], ["pid 2 (main)", 'pid 2 stat("/n/far")', "pid 1"]);
});

test("a version goes with the connection that it was for, or says that there came to be none", async (t) => {
  const { capture, heard } = await captured(async (sys) => {
    const [a, b] = await sys.pipe();
    await sys.write(b, Uint8Array.of(7, 0, 0, 0, Rversion, 255, 255));
    await Promise.all([
      remount(sys, "/tmp"),
      failure(sys.mount(a, -1, "/n", MREPL, "")),
      remount(sys, "/n/far"),
    ]);
  });
  const versions = follow(t, capture).map((list) => list.filter((s) => / [TR]version/.test(s)));
  t.deepEqual(
    versions.map((list) => list.length),
    [2, 1, 2, 2],
  );
  t.is(versions.flat().length, heard.filter((s) => / [TR]version/.test(s)).length);
  t.deepEqual(
    capture.interfaces.map((i) => i.get(2)),
    ["far!564", "?", "far!564", "far!564"],
  );
  t.regex(capture.interfaces[1]?.get(3) ?? "", /^no version agreed on: /);
});
