// Frames cut from chunks, and the lent buffers that the chunks are of.

import { pack } from "../kit/frames.ts";
import test from "ava";
import fc from "fast-check";
import { Frames } from "../../devices/mnt/frames.ts";
import type { Part } from "../../devices/mnt/frames.ts";
import { RBUF, giveback, lent, takebuf } from "../../devices/mnt/frames.ts";
import { Rread, Rstream, convM2S } from "../../kernel/abi/fcall.ts";
import type { Rmsg } from "../../kernel/abi/fcall.ts";

const MSIZE = 100_000;

/** Messages with data that tells them apart. */
function messages(sizes: readonly number[]): Rmsg[] {
  return sizes.map((size, i) => ({
    type: i % 3 === 0 ? Rread : Rstream,
    tag: i,
    data: new Uint8Array(size).fill(i + 1),
  }));
}

/** What comes; parts are held until `hold` others have come. */
class Taker {
  /** Bytes of each tag's data. */
  readonly got: Map<number, number> = new Map();
  readonly #frames: { readonly f: Uint8Array; readonly was: Uint8Array }[] = [];
  readonly #held: Part[] = [];
  readonly #hold: number;

  constructor(hold: number) {
    this.#hold = hold;
  }

  take(f: Uint8Array | Part): void {
    if (f instanceof Uint8Array) this.#frames.push({ f, was: f.slice() });
    else this.#held.push(f);
    while (this.#held.length > this.#hold) this.#release();
  }

  /** No more comes. An empty Rstream came as a frame, and so did one whose head was cut. */
  end(): void {
    while (this.#held.length > 0) this.#release();
    for (const { f, was } of this.#frames) {
      const m = convM2S(f, 0, f.length);
      if (Buffer.compare(f, was) !== 0 || m === null || !("data" in m))
        throw new Error("a frame changed afterwards");
      this.#look(m);
    }
  }

  /** Looks at the data as late as may be: memory that was used too early would show. */
  #release(): void {
    const part = this.#held.shift();
    if (part === undefined) return;
    this.#look(part);
    giveback(part.data);
  }

  #look({ tag, data }: Part): void {
    if (data.some((b) => b !== tag + 1)) throw new Error(`wrong bytes in ${tag}`);
    this.got.set(tag, (this.got.get(tag) ?? 0) + data.length);
  }
}

/** Gives bytes to Frames in chunks of these lengths, read into lent buffers; says which those were. */
function feed(all: Uint8Array, cuts: readonly number[], taker: Taker): Set<ArrayBufferLike> {
  const frames = new Frames(MSIZE);
  const buffers = new Set<ArrayBufferLike>();
  let room = takebuf().fill(0xee);
  for (let at = 0, i = 0; at < all.length; i++) {
    if (room.length === 0) room = takebuf().fill(0xee);
    const chunk = room.subarray(0, Math.min(cuts[i % cuts.length] ?? 1, all.length - at));
    chunk.set(all.subarray(at, at + chunk.length));
    at += chunk.length;
    room = room.subarray(chunk.length);
    buffers.add(chunk.buffer);
    frames.add(chunk);
    for (let f = frames.next(); f !== null; f = frames.next()) taker.take(f);
  }
  giveback(room);
  taker.end();
  return buffers;
}

test("what comes in lent buffers comes whole, however it is cut, and the buffers come back", (t) => {
  const size = fc.oneof(fc.nat(20), fc.integer({ min: 60_000, max: 66_000 }));
  const cut = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: RBUF }));
  const cases = fc.record({
    sizes: fc.array(size, { minLength: 1, maxLength: 24, size: "max" }),
    cuts: fc.array(cut, { minLength: 1 }),
    hold: fc.nat(6),
  });
  const seen = new Set<ArrayBufferLike>();
  const property = fc.property(cases, ({ sizes, cuts, hold }) => {
    const taker = new Taker(hold);
    for (const b of feed(pack(...messages(sizes)), cuts, taker)) seen.add(b);
    for (const [i, n] of sizes.entries())
      if (taker.got.get(i) !== n) throw new Error(`${taker.got.get(i)} bytes of ${n} for ${i}`);
  });
  fc.assert(property, { numRuns: 50 });
  // As many as may be in use at once: what is held, and the one that is read into.
  t.true(seen.size <= 8, `${seen.size} buffers`);
});

test("bytes are given back once, and whose they are not does not matter", (t) => {
  const buf = takebuf();
  t.true(lent(buf.subarray(5, 6)));
  giveback(buf, RBUF - 1);
  t.throws(() => giveback(buf, 2), { message: /given back twice/ });
  giveback(buf.subarray(RBUF - 1));
  t.is(takebuf().buffer, buf.buffer);
  giveback(buf);
  const mine = new Uint8Array(10);
  t.false(lent(mine));
  giveback(mine);
  giveback(mine);
  // Nothing of a buffer that is idle already does not lend it twice.
  giveback(buf, 0);
  const [one, two] = [takebuf(), takebuf()];
  t.is(one.buffer, buf.buffer);
  t.false([buf.buffer, mine.buffer].includes(two.buffer));
  giveback(one);
  giveback(two);
});

test("an Rstream comes in parts as its bytes do, and whole where its count is not that of its frame", (t) => {
  const all = pack({ type: Rstream, tag: 7, data: new Uint8Array(100).fill(1) });
  const given = (bytes: Uint8Array): unknown => {
    const frames = new Frames(MSIZE);
    frames.add(bytes.subarray(0, 61));
    const f = frames.next();
    return f === null || f instanceof Uint8Array ? f : [f.tag, f.data.length];
  };
  t.deepEqual(given(all), [7, 50], "what follows the head of eleven bytes");
  const wrong = all.slice();
  wrong[7] = 99;
  t.is(given(wrong), null, "the rest of the frame is waited for");
});
