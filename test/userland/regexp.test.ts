// Regular expressions as regexp(6): what matches where, the leftmost longest of several matches, groups, and time
// that is linear in the text.

import test from "ava";
import { Regexp, Regexperror } from "../../userland/lib/regexp.ts";

type Row = readonly [expr: string, text: string, match: readonly number[] | null];

const ROWS: readonly Row[] = [
  ["abc", "xabcx", [1, 4]],
  ["a|ab", "xab", [1, 3]],
  ["ab|a", "xab", [1, 3]],
  ["a*", "baa", [0, 0]],
  ["a+", "baa", [1, 3]],
  ["ba?", "bab", [0, 2]],
  ["a.c", "a\nc abc", [4, 7]],
  ["^b", "a\nb", [2, 3]],
  ["a$", "a\nb", [0, 1]],
  ["^$", "", [0, 0]],
  ["[a-c]+", "xxcabx", [2, 5]],
  ["[^a]", "a\nb", [2, 3]],
  ["[\\]x]", "a]", [1, 2]],
  ["[a\\-z]+", "ab-z", [0, 1]],
  ["a\\.b", "axb a.b", [4, 7]],
  ["\\n", "a\nb", [1, 2]],
  ["(a)(b)?", "ab", [0, 2, 0, 1, 1, 2]],
  ["(a)(b)?", "ac", [0, 1, 0, 1, -1, -1]],
  ["(a*)(b|ab)", "aaab", [0, 4, 0, 3, 3, 4]],
  ["(.*) (.*)", "john q smith", [0, 12, 0, 6, 7, 12]],
  ["x*y", "zzz", null],
  ["é+", "caféé", [3, 5]],
  [".", "\u{1f600}", [0, 2]],
  ["(a|b)*c|(a|ab)*c", "abc", [0, 3, 1, 2, -1, -1]],
];

for (const [expr, text, match] of ROWS)
  test(`${expr} in ${JSON.stringify(text)}`, (t) => {
    const found = new Regexp(expr).exec(text);
    t.deepEqual(found === null ? null : [...found], match === null ? null : [...match]);
  });

test("a search from a place on finds what begins there or behind", (t) => {
  const re = new Regexp("a+");
  t.deepEqual([...(re.exec("aabaa", 1) ?? [])], [1, 2]);
  t.deepEqual([...(re.exec("aabaa", 2) ?? [])], [3, 5]);
  t.is(new Regexp("^a").exec("aa", 1), null);
});

for (const expr of ["*a", "(a", "a)", "[a", "[]", "[a-]", "+", "a|*"])
  test(`${expr} is no expression`, (t) => {
    t.throws(() => new Regexp(expr), { instanceOf: Regexperror });
  });

/** Steps of the matcher: how often it asks the text for a character. */
function steps(expr: string, text: string): number {
  let n = 0;
  const counted = {
    length: text.length,
    codePointAt: (i: number): number | undefined => {
      n++;
      return text.codePointAt(i);
    },
    charAt: (i: number): string => text.charAt(i),
    indexOf: (what: string, from: number): number => text.indexOf(what, from),
  };
  new Regexp(expr).exec(counted as unknown as string);
  return n;
}

test("a text is gone through once, whatever the expression", (t) => {
  for (const expr of ["(a*)*b", "(a|aa)+$b", "(a+)+b", "a?a?a?a?a?a?aaaaaab"])
    t.is(steps(expr, "a".repeat(2000)), 2001, expr);
});
