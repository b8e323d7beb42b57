// Strings that carry any bytes, checked against the host's own UTF-8 where that agrees.

import test from "ava";
import fc from "fast-check";
import { utfcut, utfdecode, utfencode, utflen, utfput } from "../../kernel/abi/utf.ts";

const decode = (...bytes: number[]) => utfdecode(Uint8Array.from(bytes), 0, bytes.length);
const encode = (s: string) => [...utfencode(s)];

/** Bytes of which many are valid: pieces of text, of broken sequences, and chance. */
const bytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }).map((s) => new TextEncoder().encode(s)),
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(
        Uint8Array.of(0xed, 0xa0, 0x80),
        Uint8Array.of(0xed, 0xbf, 0xbf),
        Uint8Array.of(0xe0, 0x80, 0x80),
        Uint8Array.of(0xf0, 0x9f),
        Uint8Array.of(0xf4, 0x90, 0x80, 0x80),
      ),
    ),
    { maxLength: 12 },
  )
  .map((list) => Uint8Array.from(list.flatMap((b) => [...b])));

test("text is UTF-8 as everybody has it", (t) => {
  t.deepEqual(encode("a"), [0x61]);
  t.deepEqual(encode("é"), [0xc3, 0xa9]);
  t.deepEqual(encode("語"), [0xe8, 0xaa, 0x9e]);
  t.deepEqual(encode("🐇"), [0xf0, 0x9f, 0x90, 0x87]);
  t.is(decode(0x61, 0xc3, 0xa9, 0xe8, 0xaa, 0x9e, 0xf0, 0x9f, 0x90, 0x87, 0), "aé語🐇\0");
  t.is(decode(), "");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (s) => {
      const b = new TextEncoder().encode(s);
      t.deepEqual(utfencode(s), b);
      t.is(utfdecode(b, 0, b.length), s);
    }),
    { numRuns: 3000 },
  );
});

test("the first and last character of each length is taken, what lies beyond is not", (t) => {
  for (const r of [0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]) {
    const s = String.fromCodePoint(r);
    t.deepEqual(utfencode(s), new TextEncoder().encode(s), r.toString(16));
    t.is(decode(...encode(s)), s, r.toString(16));
  }
  t.is(decode(0xf4, 0x90, 0x80, 0x80), "\udcf4\udc90\udc80\udc80");
});

test("a byte that is not UTF-8 becomes a lone surrogate of its own", (t) => {
  t.is(decode(0x61, 0xff, 0x62), "a\udcffb");
  t.is(decode(0x80), "\udc80");
  t.is(decode(0xc0, 0x80), "\udcc0\udc80", "overlong NUL");
  t.is(decode(0xe0, 0x9f, 0xbf), "\udce0\udc9f\udcbf", "overlong U+07FF");
  t.is(decode(0xf0, 0x8f, 0xbf, 0xbf), "\udcf0\udc8f\udcbf\udcbf", "overlong U+FFFF");
  t.is(decode(0xf8, 0x90, 0x80, 0x80), "\udcf8\udc90\udc80\udc80", "no such lead byte");
  t.is(decode(0xed, 0xa0, 0x80), "\udced\udca0\udc80", "encoded surrogate");
  t.is(decode(0xe8, 0xaa), "\udce8\udcaa", "cut short");
  t.is(decode(0xf0, 0x9f, 0xc3, 0xa9), "\udcf0\udc9fé", "cut short, then a good one");
  t.is(decode(0xe8, 0x41), "\udce8A");
});

test("any bytes survive being a string", (t) => {
  fc.assert(
    fc.property(bytes, (b) => {
      const s = utfdecode(b, 0, b.length);
      t.deepEqual(utfencode(s), b);
      t.is(utflen(s), b.length);
    }),
    { numRuns: 10_000 },
  );
});

test("decoding looks at nothing outside its bounds", (t) => {
  fc.assert(
    fc.property(bytes, fc.nat({ max: 255 }), (b, guard) => {
      const buf = new Uint8Array(b.length + 8).fill(guard);
      buf.set(b, 4);
      t.is(utfdecode(buf, 4, 4 + b.length), utfdecode(b, 0, b.length));
    }),
    { numRuns: 3000 },
  );
});

test("a lone surrogate that stands for no byte encodes as U+FFFD", (t) => {
  for (const s of ["\ud800", "\udbff", "\udc00", "\udc7f", "\udd00", "\udfff"])
    t.deepEqual(encode(`a${s}b`), [0x61, 0xef, 0xbf, 0xbd, 0x62]);
  t.deepEqual(encode("\ud800\ud83d\udc07"), [0xef, 0xbf, 0xbd, 0xf0, 0x9f, 0x90, 0x87]);
});

test("any string encodes in as many bytes as utflen says, and settles", (t) => {
  const units = fc.array(
    fc.oneof(fc.integer({ min: 0xd700, max: 0xe0ff }), fc.nat({ max: 0xffff })),
  );
  fc.assert(
    fc.property(units, (list) => {
      const s = String.fromCharCode(...list);
      const b = utfencode(s);
      t.is(b.length, utflen(s));
      t.deepEqual(utfencode(utfdecode(b, 0, b.length)), b);
    }),
    { numRuns: 3000 },
  );
});

test("utfput writes where it is told and loses what does not fit", (t) => {
  const buf = new Uint8Array(8).fill(0x2e);
  t.is(utfput("aé", buf, 2), 5);
  t.deepEqual([...buf], [0x2e, 0x2e, 0x61, 0xc3, 0xa9, 0x2e, 0x2e, 0x2e]);
  t.is(utfput("語語", buf, 5), 11);
  t.is(buf.length, 8);
});

test("short names come out right however often others took their place", (t) => {
  const names = Array.from({ length: 5000 }, (_, i) => new TextEncoder().encode(`file${i % 4999}`));
  for (let round = 0; round < 2; round++)
    names.forEach((b, i) => {
      if (utfdecode(b, 0, b.length) !== `file${i % 4999}`) t.fail(`file${i}`);
    });
  t.is(decode(0xff), "\udcff");
  t.is(decode(0xff), "\udcff");
  t.pass();
});

test("a megabyte of anything decodes without overflowing the stack", (t) => {
  const text = "name 語 🐇 ".repeat(1 << 16);
  const b = new TextEncoder().encode(text);
  t.true(utfdecode(b, 0, b.length) === text);
  for (const fill of [0x61, 0xff]) {
    const same = new Uint8Array(1 << 20).fill(fill);
    const s = utfdecode(same, 0, same.length);
    t.is(s.length, same.length);
    t.true(utfencode(s).every((c) => c === fill));
  }
});

test("utfcut keeps whole characters", (t) => {
  t.is(utfcut("abc", 3), "abc");
  t.is(utfcut("abcd", 3), "abc");
  t.is(utfcut("aéé", 4), "aé");
  t.is(utfcut("a🐇", 4), "a");
  t.is(utfcut("a🐇", 5), "a🐇");
  t.is(utfcut("\udcff\udcff", 1), "\udcff");
  t.is(utfcut("abc", 0), "");
  fc.assert(
    fc.property(bytes, fc.nat({ max: 40 }), (b, n) => {
      const s = utfdecode(b, 0, b.length);
      const head = utfcut(s, n);
      t.true(s.startsWith(head));
      t.true(utflen(head) <= n);
      t.true(head === s || utflen(s.slice(0, head.length + 2)) > n);
    }),
    { numRuns: 2000 },
  );
});
