// The 9P messages of a run as a packet capture in the format pcapng, which Wireshark and tshark open. Each connection is an
// interface with the name of its server, and each packet has the system call that caused it as its comment.
// Bytes go out as they are made, and only what is in progress is kept.
//
// Below 9P everything is made up, for dissectors that want it so: IPv4 and TCP headers, a handshake where
// the connection is first seen, port 564. A message is sent in as few segments as hold it. Times are those
// of the events. The headers have sequence numbers and checksums that hold. Nothing is lost, nothing is sent twice; a
// side acknowledges with what it sends.
//
// Of a version that is being agreed on, the connection is not known yet: those messages wait for the call
// that sends them to open it, or to fail. So they may stand behind later ones of other connections.

import { convS2M, sizeS2M } from "../../../kernel/abi/fcall.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { utfencode } from "../../../kernel/abi/utf.ts";
import { connin, ismessage, placefmt, programof, push } from "../record/recording.ts";
import type { Recording, Revent, Rmessage } from "../record/recording.ts";

const SHB = 0x0a0d0d0a;
const IDB = 1;
const EPB = 6;
const MAGIC = 0x1a2b3c4d;
const LINKTYPE_RAW = 101;

const OPT_COMMENT = 1;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;
const INBOUND = 1;
const OUTBOUND = 2;

/** A connection of the capture. */
type Interface = { readonly id: number; readonly tcp: Tcp };

/** A message that waits for its connection to be known. */
type Held = { readonly e: Rmessage; readonly fcall: Fcall; readonly comment: string };

/** Writes a capture; `epoch` is the time of boot in nanoseconds since 1970. */
export class Pcapng {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #epoch: bigint;
  readonly #conns = new Map<number, Interface>();
  /** By call, and of those of no call by process. */
  readonly #held = new Map<string, Held[]>();
  #ninterface = 0;

  constructor(write: (bytes: Uint8Array) => void, epoch: bigint, title: string) {
    this.#write = write;
    this.#epoch = epoch;
    const head = new Uint8Array(16);
    const view = new DataView(head.buffer);
    view.setUint32(0, MAGIC, true);
    view.setUint16(4, 1, true);
    view.setBigInt64(8, -1n, true);
    const about = [option(OPT_COMMENT, title), option(SHB_USERAPPL, "namec")];
    write(block(SHB, [head, ...about, END]));
  }

  /** The next event, with what it refers to; a message is written with all its data. */
  take(e: Revent, r: Recording, full: Fcall | null): void {
    if (ismessage(e) && full !== null) {
      if (e.conn === 0) this.#hold(e, r, full);
      else
        this.#message(this.#interface(e.conn, r, e.at), { e, fcall: full, comment: because(e, r) });
    } else if (e.type === "conn") {
      if (e.what === "open") this.#release(e, this.#interface(e.conn, r, this.#since(e)));
      else if (e.what === "close") this.#conns.delete(e.conn);
    } else if (e.type === "return" && this.#held.has(holder(e)))
      this.#giveup(holder(e), `no version agreed on: ${r.calls[e.call]?.error ?? "given up"}`);
  }

  /** All has come: what still waits for its connection is written to one that never was. */
  finish(): void {
    for (const key of this.#held.keys()) this.#giveup(key, "no version agreed on");
  }

  #hold(e: Rmessage, r: Recording, full: Fcall): void {
    push(this.#held, holder(e), { e, fcall: full, comment: because(e, r) });
  }

  /** When the first of what waits for e was sent. */
  #since(e: Revent): number {
    return this.#held.get(holder(e))?.[0]?.e.at ?? e.at;
  }

  #release(e: Revent, to: Interface): void {
    const key = holder(e);
    for (const held of this.#held.get(key) ?? []) this.#message(to, held);
    this.#held.delete(key);
  }

  #giveup(key: string, why: string): void {
    const list = this.#held.get(key) ?? [];
    this.#held.delete(key);
    const to = this.#newinterface("?", why, list[0]?.e.at ?? 0);
    for (const held of list) this.#message(to, held);
  }

  #interface(conn: number, r: Recording, at: number): Interface {
    const known = this.#conns.get(conn);
    if (known !== undefined) return known;
    const c = connin(r, conn);
    const name = c?.peer ?? c?.name ?? `connection ${conn}`;
    const made = this.#newinterface(name, `connection ${conn}: ${c?.name ?? "?"}`, at);
    this.#conns.set(conn, made);
    return made;
  }

  #newinterface(name: string, description: string, at: number): Interface {
    const id = this.#ninterface++;
    const head = new Uint8Array(8);
    new DataView(head.buffer).setUint16(0, LINKTYPE_RAW, true);
    const options = [
      option(IF_NAME, name),
      option(IF_DESCRIPTION, description),
      option(IF_TSRESOL, Uint8Array.of(9)),
      END,
    ];
    this.#write(block(IDB, [head, ...options]));
    const to = { id, tcp: new Tcp(id) };
    for (const { way, packet } of to.tcp.handshake())
      this.#packet(to, { at, way, packet, comment: "" });
    return to;
  }

  #message(to: Interface, { e, fcall, comment }: Held): void {
    const bytes = new Uint8Array(sizeS2M(fcall));
    if (convS2M(fcall, bytes, 0) !== bytes.length) throw new Error("a message that has no frame");
    const way = e.type === "send" ? "out" : "in";
    for (const packet of to.tcp.segments(way, bytes))
      this.#packet(to, { at: e.at, way, packet, comment });
  }

  #packet({ id }: Interface, { at, way, packet, comment }: Packet): void {
    const time = this.#epoch + BigInt(Math.round(at));
    const head = new Uint8Array(20);
    const view = new DataView(head.buffer);
    view.setUint32(0, id, true);
    view.setUint32(4, Number(time >> 32n), true);
    view.setUint32(8, Number(time & 0xffffffffn), true);
    view.setUint32(12, packet.length, true);
    view.setUint32(16, packet.length, true);
    const flags = Uint8Array.of(way === "in" ? INBOUND : OUTBOUND, 0, 0, 0);
    const said = comment === "" ? [] : [option(OPT_COMMENT, comment)];
    this.#write(block(EPB, [head, padded(packet), ...said, option(EPB_FLAGS, flags), END]));
  }
}

type Packet = {
  readonly at: number;
  readonly way: Way;
  readonly packet: Uint8Array;
  readonly comment: string;
};

/** Who is to say which connection a message is for. */
function holder(e: Revent): string {
  return e.call >= 0 ? `call ${e.call}` : `pid ${e.pid}`;
}

/** Why a message is sent: pid 3 stat("/n/far/a") main.ts:12 */
function because(e: Rmessage, r: Recording): string {
  const call = r.calls[e.call];
  const text = programof(r, e.pid);
  if (call === undefined) return `pid ${e.pid}${text === "" ? "" : ` (${text})`}`;
  const place = call.line === null ? "" : ` ${placefmt(r, call.line)}`;
  return `pid ${call.pid} ${call.text}${place}${call.ended === null ? "" : " (has returned)"}`;
}

const END: Uint8Array = new Uint8Array(4);

function padded(b: Uint8Array): Uint8Array {
  const whole = new Uint8Array((b.length + 3) & ~3);
  whole.set(b);
  return whole;
}

/** The most bytes that an option's length can say, and still be padded. */
const OPTMAX = 65_532;

function option(code: number, value: string | Uint8Array): Uint8Array {
  const all = typeof value === "string" ? utfencode(value) : value;
  const bytes = all.subarray(0, OPTMAX);
  const { length } = bytes;
  return padded(Uint8Array.of(code, 0, length & 0xff, length >> 8, ...bytes));
}

/** A block: type, length, parts, length again. */
function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = 12 + parts.reduce((sum, p) => sum + p.length, 0);
  const whole = new Uint8Array(length);
  const view = new DataView(whole.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  let off = 8;
  for (const p of parts) {
    whole.set(p, off);
    off += p.length;
  }
  view.setUint32(off, length, true);
  return whole;
}

const PORT = 564;
/** Where the clients' ports begin. */
const EPHEMERAL = 49_152;
const IPHEADER = 20;
const TCPHEADER = 20;
/** An IPv4 packet's length has 16 bits. */
const SEGMENT = 65_535 - IPHEADER - TCPHEADER;
/** Windows of 65535 << 14 bytes, so that nothing that is sent is too much. */
const SCALE = 14;
const SYN = 0x02;
const PSH = 0x08;
const ACK = 0x10;
const PROTOCOL = 6;
const TTL = 64;

/** A packet, and whether the recorded machine receives or sends it. */
export type Way = "in" | "out";

/** One side: its address, its port, and the number of the next byte that it sends. */
type Side = { readonly addr: number; readonly port: number; next: number; npacket: number };

/** A connection; those of different numbers have different addresses and ports. */
class Tcp {
  readonly #here: Side;
  readonly #there: Side;

  constructor(n: number) {
    this.#here = { addr: 0x0a000001, port: EPHEMERAL + (n % 16_384), next: 0, npacket: 0 };
    this.#there = { addr: 0x0a010001 + (n & 0xffff), port: PORT, next: 0, npacket: 0 };
  }

  /** The three packets that make it. */
  *handshake(): Generator<{ readonly way: Way; readonly packet: Uint8Array }> {
    const options = Uint8Array.of(2, 4, SEGMENT >> 8, SEGMENT & 0xff, 3, 3, SCALE, 1);
    yield { way: "out", packet: this.#packet("out", SYN, options) };
    this.#here.next = 1;
    yield { way: "in", packet: this.#packet("in", SYN | ACK, options) };
    this.#there.next = 1;
    yield { way: "out", packet: this.#packet("out", ACK) };
  }

  /** The packets of one message. */
  *segments(way: Way, message: Uint8Array): Generator<Uint8Array> {
    const from = way === "out" ? this.#here : this.#there;
    for (let off = 0; off < message.length; off += SEGMENT) {
      const data = message.subarray(off, off + SEGMENT);
      const last = off + data.length === message.length;
      yield this.#packet(way, last ? PSH | ACK : ACK, NOTHING, data);
      from.next = (from.next + data.length) >>> 0;
    }
  }

  #packet(way: Way, flags: number, options = NOTHING, data = NOTHING): Uint8Array {
    const [from, to] = way === "out" ? [this.#here, this.#there] : [this.#there, this.#here];
    const header = IPHEADER + TCPHEADER + options.length;
    const b = new Uint8Array(header + data.length);
    const view = new DataView(b.buffer);
    b[0] = 0x45;
    view.setUint16(2, b.length);
    view.setUint16(4, from.npacket++ & 0xffff);
    b[8] = TTL;
    b[9] = PROTOCOL;
    view.setUint32(12, from.addr);
    view.setUint32(16, to.addr);
    view.setUint16(10, checksum(b.subarray(0, IPHEADER), 0));
    view.setUint16(20, from.port);
    view.setUint16(22, to.port);
    view.setUint32(24, from.next);
    if ((flags & ACK) !== 0) view.setUint32(28, to.next);
    b[32] = ((TCPHEADER + options.length) / 4) << 4;
    b[33] = flags;
    view.setUint16(34, 0xffff);
    b.set(options, IPHEADER + TCPHEADER);
    b.set(data, header);
    // Of the pseudo header: both addresses come next to the segment, protocol and length are added.
    view.setUint16(36, checksum(b.subarray(12), PROTOCOL + b.length - IPHEADER));
    return b;
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** The Internet's checksum: ones' complement of the sum of all 16-bit words, from `sum` on. */
function checksum(b: Uint8Array, sum: number): number {
  let n = sum;
  for (let i = 0; i < b.length; i += 2) n += ((b[i] ?? 0) << 8) | (b[i + 1] ?? 0);
  while (n > 0xffff) n = (n & 0xffff) + (n >>> 16);
  return ~n & 0xffff;
}
