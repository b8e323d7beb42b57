// Messages and their bytes, written by hand from section 5 of the manual and, for streams, from the
// page on the wire; then everything that can be wrong with a frame.

import test from "ava";
import fc from "fast-check";
import { DMDIR, MAXOFFSET, NOFID, NOTAG, STATMAX, TOOBIG } from "../../kernel/abi/const.ts";
import type { Qid } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import { bytesof } from "../kit/bytes.ts";

const qid: Qid = { path: 0x0102030405060708n, vers: 3, type: 0x80 };
const wireqid = "80 03000000 0807060504030201";
const stat = bytesof(`
  3c00 4d00 01000000 00 05000000 0700000000000000 a4010000 00ca9a3b 00ca9a3b 0010000000000000
  0400 'file' 0600 'glenda' 0300 'sys' 0000`);
const wirestat =
  "3c00 4d00 01000000 00 05000000 0700000000000000 a4010000 00ca9a3b 00ca9a3b" +
  "0010000000000000 0400 'file' 0600 'glenda' 0300 'sys' 0000";
const hello = bytesof("'hello'");
const glenda = { uname: "glenda", aname: "usr" };

const vectors: readonly (readonly [F.Fcall, string])[] = [
  [
    { type: F.Tversion, tag: NOTAG, msize: 8216, version: "9P2000" },
    "13000000 64 ffff 18200000 0600 '9P2000'",
  ],
  [
    { type: F.Rversion, tag: NOTAG, msize: 0xfffffffe, version: "" },
    "0d000000 65 ffff feffffff 0000",
  ],
  [
    { type: F.Tauth, tag: 1, afid: 5, uname: "glenda", aname: "" },
    "15000000 66 0100 05000000 0600 'glenda' 0000",
  ],
  [{ type: F.Rauth, tag: 1, aqid: qid }, `14000000 67 0100 ${wireqid}`],
  [
    { type: F.Tattach, tag: 1, fid: 0, afid: NOFID, ...glenda },
    "1c000000 68 0100 00000000 ffffffff 0600 'glenda' 0300 'usr'",
  ],
  [{ type: F.Rattach, tag: 1, qid }, `14000000 69 0100 ${wireqid}`],
  [
    { type: F.Rerror, tag: 1, ename: "permission denied" },
    "1a000000 6b 0100 1100 'permission denied'",
  ],
  [{ type: F.Tflush, tag: 2, oldtag: 0x0301 }, "09000000 6c 0200 0103"],
  [{ type: F.Rflush, tag: 2 }, "07000000 6d 0200"],
  [
    { type: F.Twalk, tag: 1, fid: 2, newfid: 3, wname: ["usr", "glenda", "lib"] },
    "23000000 6e 0100 02000000 03000000 0300 0300 'usr' 0600 'glenda' 0300 'lib'",
  ],
  [
    { type: F.Twalk, tag: 1, fid: 2, newfid: 0x89abcdef, wname: [] },
    "11000000 6e 0100 02000000 efcdab89 0000",
  ],
  [
    { type: F.Twalk, tag: 1, fid: 2, newfid: 3, wname: ["é", "a\udcff", ""] },
    "1b000000 6e 0100 02000000 03000000 0300 0200 c3a9 0200 61ff 0000",
  ],
  [
    { type: F.Rwalk, tag: 1, wqid: [qid, { path: 1n, vers: 0, type: 0 }] },
    `23000000 6f 0100 0200 ${wireqid} 00 00000000 0100000000000000`,
  ],
  [{ type: F.Rwalk, tag: 1, wqid: [] }, "09000000 6f 0100 0000"],
  [{ type: F.Topen, tag: 1, fid: 3, mode: 0x11 }, "0c000000 70 0100 03000000 11"],
  [
    {
      type: F.Ropen,
      tag: 1,
      qid: { path: 2n ** 64n - 1n, vers: 0xffffffff, type: 0xff },
      iounit: 8192,
    },
    "18000000 71 0100 ff ffffffff ffffffffffffffff 00200000",
  ],
  [
    { type: F.Tcreate, tag: 1, fid: 3, name: "new", perm: DMDIR + 0o755, mode: 1 },
    "15000000 72 0100 03000000 0300 'new' ed010080 01",
  ],
  [{ type: F.Rcreate, tag: 1, qid, iounit: 0 }, `18000000 73 0100 ${wireqid} 00000000`],
  [
    { type: F.Tread, tag: 1, fid: 3, offset: 2 ** 32 + 2, count: 8192 },
    "17000000 74 0100 03000000 0200000001000000 00200000",
  ],
  [{ type: F.Rread, tag: 1, data: hello }, "10000000 75 0100 05000000 'hello'"],
  [{ type: F.Rread, tag: 1, data: bytesof("") }, "0b000000 75 0100 00000000"],
  [
    { type: F.Twrite, tag: 1, fid: 3, offset: MAXOFFSET, data: hello },
    "1c000000 76 0100 03000000 ffffffffffff1f00 05000000 'hello'",
  ],
  [{ type: F.Rwrite, tag: 1, count: 0xffffffff }, "0b000000 77 0100 ffffffff"],
  [{ type: F.Tclunk, tag: 1, fid: 0x04030201 }, "0b000000 78 0100 01020304"],
  [{ type: F.Rclunk, tag: 1 }, "07000000 79 0100"],
  [{ type: F.Tremove, tag: 0xfedc, fid: 3 }, "0b000000 7a dcfe 03000000"],
  [{ type: F.Rremove, tag: 1 }, "07000000 7b 0100"],
  [{ type: F.Tstat, tag: 1, fid: 3 }, "0b000000 7c 0100 03000000"],
  [{ type: F.Rstat, tag: 1, stat }, `47000000 7d 0100 3e00 ${wirestat}`],
  [{ type: F.Twstat, tag: 1, fid: 3, stat }, `4b000000 7e 0100 03000000 3e00 ${wirestat}`],
  [{ type: F.Rwstat, tag: 1 }, "07000000 7f 0100"],
  [
    { type: F.Tstream, tag: 1, fid: 3, offset: 5, count: Infinity },
    "1b000000 80 0100 03000000 0500000000000000 ffffffffffffffff",
  ],
  [
    { type: F.Tstream, tag: 1, fid: 3, offset: 0, count: 1 << 24 },
    "1b000000 80 0100 03000000 0000000000000000 0000000100000000",
  ],
  [{ type: F.Rstream, tag: 1, data: hello }, "10000000 81 0100 05000000 'hello'"],
];

const u8 = fc.nat({ max: 0xff });
const u16 = fc.nat({ max: 0xffff });
const u32 = fc.nat({ max: 0xffff_ffff });
const str = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.uint8Array({ maxLength: 12 }).map((b) => utfdecode(b, 0, b.length)),
);
const qids: fc.Arbitrary<Qid> = fc.record({
  path: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  vers: u32,
  type: u8,
});
const offset = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, MAXOFFSET, TOOBIG));
const count = fc.oneof(offset, fc.constant(Infinity));
const data = fc.uint8Array({ maxLength: 40 });
const names = { uname: str, aname: str };

function message<T extends object>(type: number, fields: T): fc.Arbitrary<object> {
  return fc.record({ type: fc.constant(type), tag: u16, ...fields });
}

/** Every kind of message: a list that the test below holds against the codec's. */
const kinds: readonly fc.Arbitrary<object>[] = [
  message(F.Tversion, { msize: u32, version: str }),
  message(F.Rversion, { msize: u32, version: str }),
  message(F.Tauth, { afid: u32, ...names }),
  message(F.Rauth, { aqid: qids }),
  message(F.Tattach, { fid: u32, afid: u32, ...names }),
  message(F.Rattach, { qid: qids }),
  message(F.Rerror, { ename: str }),
  message(F.Tflush, { oldtag: u16 }),
  message(F.Twalk, { fid: u32, newfid: u32, wname: fc.array(str, { maxLength: 16 }) }),
  message(F.Rwalk, { wqid: fc.array(qids, { maxLength: 16 }) }),
  message(F.Topen, { fid: u32, mode: u8 }),
  ...[F.Ropen, F.Rcreate].map((type) => message(type, { qid: qids, iounit: u32 })),
  message(F.Tcreate, { fid: u32, name: str, perm: u32, mode: u8 }),
  message(F.Tread, { fid: u32, offset, count: u32 }),
  message(F.Twrite, { fid: u32, offset, data }),
  message(F.Rwrite, { count: u32 }),
  ...[F.Tclunk, F.Tremove, F.Tstat].map((type) => message(type, { fid: u32 })),
  ...[F.Rflush, F.Rclunk, F.Rremove, F.Rwstat].map((type) => message(type, {})),
  message(F.Rstat, { stat: data }),
  message(F.Twstat, { fid: u32, stat: data }),
  message(F.Tstream, { fid: u32, offset, count }),
  ...[F.Rread, F.Rstream].map((type) => message(type, { data })),
];
const fcalls = fc.oneof(...kinds) as fc.Arbitrary<F.Fcall>;
const frames = fc.oneof(
  fcalls.map(pack),
  fc.constantFrom(...vectors.map(([, wire]) => bytesof(wire))),
);

function pack(f: F.Fcall): Uint8Array {
  const buf = new Uint8Array(F.sizeS2M(f));
  if (F.convS2M(f, buf, 0) !== buf.length) throw new Error("sizeS2M and convS2M disagree");
  return buf;
}

/** Decodes b as a frame whose size is told rightly. */
function unpack(b: Uint8Array): F.Fcall | null {
  const buf = b.slice();
  if (buf.length >= 4) new DataView(buf.buffer).setUint32(0, buf.length, true);
  return F.convM2S(buf, 0, buf.length);
}

/** b in the middle of a larger buffer. */
function surrounded(b: Uint8Array, guard: number): Uint8Array {
  const wide = new Uint8Array(b.length + 64).fill(guard);
  wide.set(b, 32);
  return wide;
}

const types = Object.entries(F).flatMap(([name, v]) =>
  typeof v === "number" ? [{ name, v }] : [],
);

for (const { name, v } of types)
  test(`${name} is written and read as the manual lays it out`, (t) => {
    const some = vectors.filter(([f]) => f.type === v);
    t.true(some.length > 0);
    for (const [f, wire] of some) {
      const b = bytesof(wire);
      t.deepEqual(pack(f), b);
      t.deepEqual(F.convM2S(b, 0, b.length), f);
      t.is(F.framesize(b, 0), b.length);
      t.is(F.isT(f), name.startsWith("T"));
      t.deepEqual(F.convM2S(surrounded(b, 0xff), 32, 32 + b.length), f);
    }
  });

test("the properties draw every type of message", (t) => {
  t.is(types.length, 29);
  t.is(kinds.length, types.length);
});

test("any message comes back as it went, and nothing is written behind it", (t) => {
  fc.assert(
    fc.property(fcalls, u8, (f, guard) => {
      const n = F.sizeS2M(f);
      const buf = new Uint8Array(n + 64).fill(guard);
      t.is(F.convS2M(f, buf, 32), 32 + n);
      t.true(buf.every((c, i) => (i >= 32 && i < 32 + n) || c === guard));
      t.deepEqual(F.convM2S(buf, 32, 32 + n), f);
    }),
    { numRuns: 5000 },
  );
});

test("data and stat are views of the frame, not copies", (t) => {
  for (const f of [
    { type: F.Rread, tag: 1, data: hello },
    { type: F.Rstream, tag: 1, data: hello },
    { type: F.Twrite, tag: 1, fid: 1, offset: 0, data: hello },
    { type: F.Rstat, tag: 1, stat: hello },
    { type: F.Twstat, tag: 1, fid: 1, stat: hello },
  ] satisfies F.Fcall[]) {
    const b = surrounded(pack(f), 0);
    const g = F.convM2S(b, 32, b.length - 32);
    const view = g && ("data" in g ? g.data : "stat" in g ? g.stat : null);
    t.is(view?.buffer, b.buffer);
    t.deepEqual(view, hello);
  }
});

test("a message cut at any byte, or with a byte behind it, is none", (t) => {
  const check = (b: Uint8Array) => {
    for (let n = 0; n < b.length; n++) {
      t.is(F.convM2S(b, 0, n), null);
      t.is(F.convM2S(b.slice(0, n), 0, b.length), null, "end beyond the buffer");
      t.is(unpack(b.slice(0, n)), null, `${b.join(" ")} cut to ${n}`);
    }
    t.is(unpack(Uint8Array.of(...b, 0)), null);
    t.is(F.convM2S(Uint8Array.of(...b, 0), 0, b.length + 1), null);
    t.is(F.convM2S(b, -1, b.length - 1), null);
  };
  for (const [, wire] of vectors) check(bytesof(wire));
  fc.assert(fc.property(fcalls.map(pack), check), { numRuns: 300 });
});

test("a frame whose size is not its own is refused", (t) => {
  for (const size of [0, 6, 10, 12, 0xffffffff]) {
    const b = bytesof("0b000000 78 0100 01020304");
    new DataView(b.buffer).setUint32(0, size, true);
    t.is(F.convM2S(b, 0, b.length), null);
  }
});

test("types that do not exist are refused", (t) => {
  const b = new Uint8Array(64);
  for (let type = 0; type < 256; type++) {
    if (type >= F.Tversion && type <= F.Rstream && type !== 106) continue;
    for (let n = 7; n <= b.length; n++) {
      b[0] = n;
      b[4] = type;
      t.is(F.convM2S(b, 0, n), null);
    }
  }
});

test("lying counts are refused", (t) => {
  const walk = (n: number, elem: string) =>
    bytesof(
      `00000000 6e 0100 02000000 03000000 ${n.toString(16).padStart(2, "0")}00 ${elem.repeat(n)}`,
    );
  t.not(unpack(walk(16, "0100 'a'")), null);
  t.is(unpack(walk(17, "0100 'a'")), null, "17 names");
  const walked = (n: number) =>
    bytesof(`00000000 6f 0100 ${n.toString(16).padStart(2, "0")}00 ${wireqid.repeat(n)}`);
  t.not(unpack(walked(16)), null);
  t.is(unpack(walked(17)), null, "17 qids");
  for (const wire of [
    "00000000 6e 0100 02000000 03000000 0200 0100 'a'",
    "00000000 6e 0100 02000000 03000000 0100 0100 'a' 0100 'b'",
    "00000000 6e 0100 02000000 03000000 0100 ffff 'a'",
    "00000000 6e 0100 02000000 03000000 ffff",
    `00000000 6f 0100 0200 ${wireqid}`,
    `00000000 6f 0100 0000 ${wireqid}`,
    "00000000 75 0100 06000000 'hello'",
    "00000000 75 0100 04000000 'hello'",
    "00000000 75 0100 ffffffff 'hello'",
    "00000000 76 0100 03000000 0000000000000000 ffffff7f 'hello'",
    "00000000 81 0100 fcffffff 'hello'",
    "00000000 7d 0100 0400 'hello'",
    "00000000 7e 0100 03000000 0600 'hello'",
    "00000000 64 ffff 18200000 0700 '9P2000'",
    "00000000 66 0100 05000000 ffff 'glenda' 0000",
    "00000000 68 0100 00000000 ffffffff 0600 'glenda' 0400 'usr'",
    "00000000 72 0100 03000000 0400 'new' ed010080 01",
    "00000000 72 0100 03000000 0200 'new' ed010080 01",
    "00000000 6b 0100 1000 'permission denied'",
  ])
    t.is(unpack(bytesof(wire)), null, wire);
});

test("offsets that a number cannot hold read as TOOBIG, and are more than any file has", (t) => {
  const read = (wire: string) => {
    const f = unpack(bytesof(`00000000 74 0100 03000000 ${wire} 00200000`));
    return f?.type === F.Tread ? f.offset : null;
  };
  t.is(read("ffffffffffff1f00"), MAXOFFSET);
  for (const wire of [
    "0000000000002000",
    "ffffffffffffff7f",
    "0000000000000080",
    "ffffffffffffffff",
  ])
    t.is(read(wire), TOOBIG, wire);
  t.true(TOOBIG > MAXOFFSET);
});

test("a stream's count is Infinity for all ones and for what no file uses up", (t) => {
  const stream = (wire: string) => {
    const f = unpack(bytesof(`00000000 80 0100 03000000 0000000000000000 ${wire}`));
    return f?.type === F.Tstream ? f.count : null;
  };
  t.is(stream("ffffffffffffffff"), Infinity);
  t.is(stream("ffffffffffff1f00"), MAXOFFSET);
  t.is(stream("0000000000002000"), Infinity);
  t.is(stream("ffffffffffffff7f"), Infinity);
  t.is(stream("0000000000000080"), TOOBIG);
  t.is(stream("feffffffffffffff"), TOOBIG);
});

test("a message that does not fit its buffer or its fields is not written", (t) => {
  for (const [f] of vectors) {
    const n = F.sizeS2M(f);
    for (let room = 0; room < n; room++) t.is(F.convS2M(f, new Uint8Array(room), 0), -1);
    t.is(F.convS2M(f, new Uint8Array(n + 4), 5), -1);
  }
  const buf = new Uint8Array(1 << 20);
  const walk = { type: F.Twalk, tag: 1, fid: 1, newfid: 2 } as const;
  const toobig: readonly F.Fcall[] = [
    { ...walk, wname: Array<string>(17).fill("a") },
    { ...walk, wname: ["a", "x".repeat(0x10000), "b"] },
    { type: F.Tcreate, tag: 1, fid: 1, name: "x".repeat(0x10000), perm: 0, mode: 0 },
    { type: F.Tattach, tag: 1, fid: 1, afid: 2, uname: "x".repeat(0x10000), aname: "" },
    { type: F.Tauth, tag: 1, afid: 2, uname: "", aname: "x".repeat(0x10000) },
    { type: F.Tversion, tag: 1, msize: 1, version: "x".repeat(0x10000) },
    { type: F.Rerror, tag: 1, ename: "é".repeat(0x8000) },
    { type: F.Rwalk, tag: 1, wqid: Array<Qid>(17).fill(qid) },
    { type: F.Rstat, tag: 1, stat: new Uint8Array(STATMAX + 1) },
    { type: F.Twstat, tag: 1, fid: 1, stat: new Uint8Array(STATMAX + 1) },
  ];
  for (const f of toobig) {
    t.is(F.convS2M(f, buf, 0), -1);
    t.is(F.sizeS2M(f), Infinity, "so that a sender finds it before it makes room for it");
  }
  t.true(F.convS2M({ ...walk, wname: ["x".repeat(0xffff)] }, buf, 0) > 0);
});

test("damaged frames never throw, and what lies around a frame does not count", (t) => {
  const edits = fc.array(fc.tuple(fc.nat({ max: 70 }), u8), { maxLength: 6 });
  fc.assert(
    fc.property(frames, edits, u8, (frame, list, guard) => {
      const b = frame.slice();
      for (const [o, v] of list) if (o < b.length && o > 3) b[o] = v;
      const f = F.convM2S(b, 0, b.length);
      t.deepEqual(F.convM2S(surrounded(b, guard), 32, 32 + b.length), f);
      if (f) t.deepEqual(unpack(pack(f)), f);
    }),
    { numRuns: 20_000 },
  );
});

test("random bytes never throw", (t) => {
  const type = fc.integer({ min: F.Tversion, max: F.Rstream });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), type, u8, (b, kind, guard) => {
      if (b.length > 4) b[4] = kind;
      F.convM2S(b, 0, b.length);
      const f = unpack(b);
      if (f) t.is(F.sizeS2M(f), b.length);
      const wide = surrounded(b, guard);
      F.convM2S(wide, 32, 32 + b.length);
      F.convM2S(wide, 0, wide.length);
    }),
    { numRuns: 20_000 },
  );
});
