// Directory entries and their bytes, written by hand from stat(5).

import test from "ava";
import fc from "fast-check";
import { DMDIR, MAXOFFSET, QTDIR, STATFIXLEN, STATMAX, TOOBIG } from "../../kernel/abi/const.ts";
import {
  type Dir,
  type Wstat,
  convD2M,
  convM2D,
  dirwstat,
  nulldir,
  sizeD2M,
  statcheck,
  wstatdir,
} from "../../kernel/abi/dir.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import { bytesof } from "../kit/bytes.ts";

const usr: Dir = {
  type: 0x4d,
  dev: 1,
  qid: { path: 0x0102030405060708n, vers: 3, type: QTDIR },
  mode: DMDIR + 0o775,
  atime: 1_000_000_000,
  mtime: 1_000_000_001,
  length: 0,
  name: "usr",
  uid: "glenda",
  gid: "sys",
  muid: "é",
};

const usrbytes = bytesof(`
  3d00 4d00 01000000 80 03000000 0807060504030201 fd010080 00ca9a3b 01ca9a3b 0000000000000000
  0300 'usr' 0600 'glenda' 0300 'sys' 0200 c3a9`);

const ones = bytesof(`
  2f00 ffff ffffffff ff ffffffff ffffffffffffffff ffffffff ffffffff ffffffff ffffffffffffffff
  0000 0000 0000 0000`);

const u32 = fc.nat({ max: 0xffff_ffff });
const str = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.uint8Array({ maxLength: 12 }).map((b) => utfdecode(b, 0, b.length)),
);
const dirs: fc.Arbitrary<Dir> = fc.record({
  type: fc.nat({ max: 0xffff }),
  dev: u32,
  qid: fc.record({
    path: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    vers: u32,
    type: fc.nat({ max: 0xff }),
  }),
  mode: u32,
  atime: u32,
  mtime: u32,
  length: fc.oneof(fc.maxSafeNat(), fc.constantFrom(-1, 0, MAXOFFSET, TOOBIG)),
  name: str,
  uid: str,
  gid: str,
  muid: str,
});

function pack(d: Dir): Uint8Array {
  const buf = new Uint8Array(sizeD2M(d));
  if (convD2M(d, buf, 0) !== buf.length) throw new Error("sizeD2M and convD2M disagree");
  return buf;
}

test("an entry has the bytes that stat(5) says", (t) => {
  t.deepEqual(pack(usr), usrbytes);
  t.deepEqual(convM2D(usrbytes, 0, usrbytes.length), { dir: usr, next: usrbytes.length });
  t.true(statcheck(usrbytes, 0, usrbytes.length));
});

test("leaving everything alone is all ones and no strings", (t) => {
  t.is(ones.length, STATFIXLEN);
  t.deepEqual(pack(nulldir()), ones);
  t.deepEqual(convM2D(ones, 0, ones.length)?.dir, nulldir());
  t.deepEqual(dirwstat(nulldir()), {});
  t.deepEqual(wstatdir({}), nulldir());
});

test("a wstat asks for what it names and nothing else", (t) => {
  const some: Wstat[] = [{ name: "b" }, { mode: 0 }, { length: 0 }, { mtime: 0, gid: "sys" }, usr];
  for (const w of some) t.deepEqual(dirwstat(wstatdir(w)), w);
  const packed = pack(wstatdir({ length: 5 }));
  t.deepEqual(packed.subarray(33, 41), bytesof("0500000000000000"));
});

test("any entry comes back as it went", (t) => {
  fc.assert(
    fc.property(dirs, fc.nat({ max: 9 }), (d, off) => {
      const n = sizeD2M(d);
      const buf = new Uint8Array(off + n + 3).fill(0xaa);
      t.is(convD2M(d, buf, off), off + n);
      t.deepEqual(buf.subarray(off + n), bytesof("aaaaaa"));
      t.deepEqual(convM2D(buf, off, buf.length), { dir: d, next: off + n });
      t.true(statcheck(buf, off, off + n));
      t.false(statcheck(buf, off, off + n + 1));
    }),
    { numRuns: 2000 },
  );
});

test("a directory is read entry by entry", (t) => {
  const buf = new Uint8Array(200);
  const next = convD2M({ ...usr, name: "a" }, buf, 0);
  const end = convD2M({ ...usr, name: "b" }, buf, next);
  const a = convM2D(buf, 0, end);
  const b = convM2D(buf, a?.next ?? 0, end);
  t.deepEqual([a?.dir.name, b?.dir.name, b?.next], ["a", "b", end]);
  t.is(convM2D(buf, end, end), null);
});

test("an entry cut anywhere is no entry", (t) => {
  for (let n = 0; n < usrbytes.length; n++) {
    t.is(convM2D(usrbytes, 0, n), null);
    t.is(convM2D(usrbytes.slice(0, n), 0, usrbytes.length), null, "end beyond the buffer");
    t.false(statcheck(usrbytes, 0, n));
  }
  t.is(convM2D(usrbytes, -1, usrbytes.length), null);
});

test("inner sizes that disagree with the entry's size are refused", (t) => {
  const strings = [0, 41, 46, 54, 59];
  for (const o of strings)
    for (const change of [-1, 1, 100, 0xff00]) {
      const bad = usrbytes.slice();
      const v = new DataView(bad.buffer);
      v.setUint16(o, v.getUint16(o, true) + change, true);
      t.is(convM2D(bad, 0, bad.length), null, `size at ${o} off by ${change}`);
      t.false(statcheck(bad, 0, bad.length));
    }
  const long = new Uint8Array(usrbytes.length + 1);
  long.set(usrbytes);
  long[0] = 0x3e;
  t.is(convM2D(long, 0, long.length), null, "a byte behind the last string");
});

test("random and damaged entries never throw, and what lies around them does not count", (t) => {
  const edits = fc.array(fc.tuple(fc.nat({ max: 80 }), fc.nat({ max: 255 })), { maxLength: 5 });
  fc.assert(
    fc.property(dirs, edits, fc.nat({ max: 255 }), (d, list, guard) => {
      const b = pack(d);
      for (const [o, v] of list) if (o < b.length) b[o] = v;
      const wide = new Uint8Array(b.length + 64).fill(guard);
      wide.set(b, 32);
      const alone = convM2D(b, 0, b.length);
      const within = convM2D(wide, 32, 32 + b.length);
      t.deepEqual(within?.dir, alone?.dir);
      t.is(statcheck(b, 0, b.length), alone !== null && alone.next === b.length);
    }),
    { numRuns: 5000 },
  );
});

test("a length that a number cannot hold reads as TOOBIG", (t) => {
  const b = pack({ ...usr, length: MAXOFFSET });
  t.is(convM2D(b, 0, b.length)?.dir.length, MAXOFFSET);
  for (const wire of ["0000000000002000", "ffffffffffffff7f", "0000000000000080"]) {
    b.set(bytesof(wire), 33);
    t.is(convM2D(b, 0, b.length)?.dir.length, TOOBIG, wire);
  }
});

test("an entry that does not fit is not written", (t) => {
  const n = sizeD2M(usr);
  for (let room = 0; room < n; room++) t.is(convD2M(usr, new Uint8Array(room), 0), -1);
  t.is(convD2M(usr, new Uint8Array(n + 1), 2), -1);
  const buf = new Uint8Array(2 * STATMAX);
  const most = STATMAX - STATFIXLEN;
  t.is(convD2M({ ...nulldir(), name: "x".repeat(most) }, buf, 0), STATMAX);
  t.is(convD2M({ ...nulldir(), name: "x".repeat(most + 1) }, buf, 0), -1);
  t.is(convD2M({ ...nulldir(), name: "x".repeat(0x10000) }, buf, 0), -1);
});

test("an entry longer than stat(5) allows has no size, so that it fits no buffer", (t) => {
  const most = STATMAX - sizeD2M({ ...usr, name: "" });
  const longest = { ...usr, name: "x".repeat(most) };
  const buf = new Uint8Array(2 * STATMAX);
  t.is(sizeD2M(longest), STATMAX);
  t.is(convD2M(longest, buf, 0), STATMAX);
  for (const d of [
    { ...usr, name: "x".repeat(most + 1) },
    { ...longest, gid: "systems" },
    { ...usr, uid: "é".repeat(40_000) },
  ]) {
    t.is(convD2M(d, buf, 0), -1);
    t.is(sizeD2M(d), Infinity);
  }
});
