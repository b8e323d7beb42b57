// The text of names, against models of a few lines: split, and namelenerror of Plan 9's chan.c.

import test from "ava";
import fc from "fast-check";
import { ERRMAX } from "../../kernel/abi/const.ts";
import { cleanelems, nameerror, nameupto, parsename, rawindex } from "../../kernel/names/name.ts";

const NAME = fc
  .tuple(
    fc.constantFrom("", "/", "#s", "#c0", "#/"),
    fc.array(fc.constantFrom("", ".", "..", "a", "ab", "...", "é"), { maxLength: 8, size: "max" }),
  )
  .map(([root, parts]) => {
    const rest = parts.join("/");
    return root.startsWith("#") && rest !== "" ? `${root}/${rest}` : `${root}${rest}`;
  })
  .filter((name) => name !== "");

test("a name is its root and the parts between slashes, without the empty ones and the dots", (t) => {
  fc.assert(
    fc.property(NAME, (text) => {
      const sharp = /^#.[^/]*/.exec(text)?.[0];
      const root = sharp ?? (text.startsWith("/") ? "/" : "");
      const parts = text.slice(root.length).split("/");
      const elems = parts.filter((p) => p !== "" && p !== ".");
      const mustdir = elems.length > 0 && ["", "."].includes(parts.at(-1) ?? "");
      const dotdot = elems.includes("..");
      t.deepEqual(parsename(text), { text, root, elems, dotdot, mustdir });
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("a control character is in no element and in no name of a device; a space may be", (t) => {
  for (let c = 0; c <= 0x80; c++)
    for (const text of ["/a?b", "#s?", "#s?/a", "#s/?"]) {
      const name = text.replace("?", String.fromCharCode(c));
      const bad = c < 0x20 || c === 0x7f;
      if (bad) t.throws(() => parsename(name), { message: /^bad character in file name: / });
      else t.is(parsename(name).text, name);
    }
});

test("a name up to an element is its shortest beginning that has this element and those before", (t) => {
  fc.assert(
    fc.property(NAME, fc.integer({ min: 1, max: 9 }), (text, k) => {
      const name = parsename(text);
      const want = name.elems.slice(0, k).join("/");
      const ends = Array.from({ length: text.length }, (_, i) => text.slice(0, i + 1));
      const upto = ends.find(
        (s) => s.length >= name.root.length && parsename(s).elems.join("/") === want,
      );
      t.is(nameupto(name, k), k < name.elems.length ? (upto ?? "") : text, text);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("what .. leaves of a name is told by the number of each element in the name, and by 0 in dot", (t) => {
  const pops = fc.array(fc.boolean(), { maxLength: 12, size: "max" });
  fc.assert(
    fc.property(fc.nat(4), pops, (dotlen, list) => {
      const dot = Array.from({ length: dotlen }, (_, i) => `d${i}`);
      const elems = list.map((pop, i) => (pop ? ".." : `e${i}`));
      const clean = cleanelems(dot, elems);
      const name = parsename(elems.join("/") || ".");
      for (const [i, elem] of clean.entries()) {
        const used = rawindex(name, dotlen, i + 1);
        t.is(used === 0 ? dot[i] : elems[used - 1], elem);
      }
      t.is(rawindex(name, dotlen, clean.length + 1), 0);
      // Everything above the root is the root.
      const up = elems.filter((e) => e === "..").length;
      t.true(clean.length >= dotlen + elems.length - 2 * up);
    }),
    { seed: 1, numRuns: 500 },
  );
});

/** The part of an ASCII name that namelenerror of chan.c shows, with the error. */
function namelenerror(name: string, text: string): string {
  const third = Math.floor(ERRMAX / 3);
  const twothirds = Math.floor((2 * ERRMAX) / 3);
  const short = (len: number): boolean => len < third || len + text.length < twothirds;
  if (short(name.length)) return `'${name}' ${text}`.slice(0, ERRMAX - 1);
  let [from, next] = [name.length, name.length];
  do {
    from = next;
    if (next === 0) break;
    while (next > 0) if (name[--next] === "/") break;
  } while (short(name.length - next));
  if (from === name.length) from -= ERRMAX / 4;
  return `'...${name.slice(from)}' ${text}`.slice(0, ERRMAX - 1);
}

test("an error shows of a long name what Plan 9 shows", (t) => {
  const name = fc.string({
    unit: fc.constantFrom("x", "x", "x", "/"),
    maxLength: 120,
    size: "max",
  });
  fc.assert(
    fc.property(name, fc.nat(110), (text, n) => {
      const why = "e".repeat(n);
      t.is(nameerror(text, why), namelenerror(text, why));
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("an error fits its buffer, and its name is cut at the edges that Plan 9 has", (t) => {
  for (let len = 1; len < 100; len++)
    for (let n = 0; n < 60; n++)
      for (const name of ["x".repeat(len), `/${"x".repeat(len)}`, `${"x/".repeat(len)}`]) {
        const got = nameerror(name, "e".repeat(n));
        if (got !== namelenerror(name, "e".repeat(n))) t.fail(`${name} ${n}: ${got}`);
      }
  t.is(nameerror("x", "é".repeat(100)).length, 4 + 61, "127 bytes, and no character is cut in two");
});
