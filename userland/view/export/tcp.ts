// The IPv4 and TCP headers of a connection in a capture: made up, but whole, with sequence numbers and
// checksums that hold. Nothing is lost here, nothing is sent twice; a side acknowledges with what it sends.

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
export class Tcp {
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
