// Math.random of vm programs, which is their kernel's chance: under a virtual clock, or with a seed, the numbers
// are the same in every run; else the host gives them.

import type { Kernel } from "../../kernel/kernel.ts";

type Random = () => number;

const known: WeakMap<Kernel, Random> = new WeakMap();

/** The source of a kernel's programs: numbers in [0, 1). */
export function randomof(k: Kernel): Random {
  let r = known.get(k);
  if (r === undefined) known.set(k, (r = source(k)));
  return r;
}

const TWO32 = 2 ** 32;

function source(k: Kernel): Random {
  const { chance, host } = k.config;
  if (chance === null && !k.clock.virtual) {
    const buf = new Uint8Array(8);
    return () => {
      host.random(buf);
      const v = new DataView(buf.buffer);
      return fraction(v.getUint32(0), v.getUint32(4));
    };
  }
  // splitmix32, twice for each number; the schedule's own chance is asked once, for where it begins.
  let a = chance === null ? 0 : chance(TWO32);
  const next = (): number => {
    a = (a + 0x9e3779b9) | 0;
    let t = a ^ (a >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
  return () => fraction(next(), next());
}

/** 53 bits of two words. */
const fraction = (high: number, low: number): number =>
  ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
