// How many columns text takes on a terminal.

import test from "ava";
import { clip, fitted, width } from "../../userland/host/ansi.ts";

test("a letter takes the columns that a terminal gives it", (t) => {
  const widths: readonly (readonly [string, number])[] = [
    ["plan 9", 6],
    ["naïve café", 10],
    ["e\u0301", 1], // e and an accent
    ["日本語", 6],
    ["ﾊﾝｶｸ", 4], // half the width
    ["한국", 4],
    ["\u1112\u1161\u11ab", 2], // one syllable in three letters
    ["⚡ ✅ ⌚", 8],
    ["👩‍👩‍👧", 2], // three faces that are one sign
    ["🇨🇭", 2],
    ["─→│…", 4],
    ["\u200b", 0],
  ];
  for (const [text, want] of widths) t.is(width(text), want, text);
});

test("a wide letter that does not fit whole is left out, and the line keeps its columns", (t) => {
  t.is(clip("日本語", 6), "日本語");
  t.is(clip("日本語", 5), "日本…");
  t.is(clip("日本語", 4), "日…");
  t.is(clip("👩‍👩‍👧👩‍👩‍👧", 3), "👩‍👩‍👧…");
  for (const columns of [1, 2, 3, 4, 5, 9]) {
    const line = fitted([{ text: "日本語 x", style: "plain" }], columns);
    t.is(width(line.map((p) => p.text).join("")), columns);
  }
});
