// Places in programs, as the lines of stacks end with them: also in lines that a program has made up.

import test from "ava";
import fc from "fast-check";
import { textsites } from "../../kernel/abi/errors.ts";
import { lastword, placeof } from "../../kernel/abi/place.ts";
import { stackframes } from "../../userland/host/place.ts";
import { tracesites } from "../../userland/testing/place.ts";

test("a place is the line and the column at the end of a line, in brackets or not", (t) => {
  t.deepEqual(placeof("    at main (file:///a/b.js:3:5)"), {
    before: "    at main (file:///a/b.js",
    line: 3,
    column: 5,
  });
  t.deepEqual(placeof("main@file:///a/b.js:30:51"), {
    before: "main@file:///a/b.js",
    line: 30,
    column: 51,
  });
  for (const text of ["", ":", "::", "a:1", "a:1:", "a:b:1", "a:1:2:", "a:1:2 ", "a:-1:2", "1:2"])
    t.is(placeof(text), null, text);
  t.is(lastword("    at main (file:///a/b.js"), "file:///a/b.js");
  t.deepEqual([lastword(""), lastword("a "), lastword("a\tb")], ["", "", "b"]);
});

test("placeof and lastword are what their regular expressions say", (t) => {
  const part = fc.constantFrom(":", "1", "23", " ", "(", ")", "a", "/", "file://", "\t");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      const m = /^(.*):(\d+):(\d+)\)?$/s.exec(text);
      const place = m && { before: m[1], line: Number(m[2]), column: Number(m[3]) };
      t.deepEqual(placeof(text), place, text);
      t.is(lastword(text), /[^\s()]*$/.exec(text)?.[0] ?? "");
    }),
  );
});

test("the time for a line is bounded by its length, whatever a program has put there", (t) => {
  const long = 4_000_000;
  const lines = ["x", ":", ":1", "1", " ", "/", "(file://", "    at "].map((part) =>
    part.repeat(long / part.length),
  );
  // The square of this length is hours.
  for (const line of lines)
    for (const text of [line, `    at ${line}`, `${line}:1:x`])
      for (const places of [textsites(text), stackframes(text), tracesites(text)])
        t.true(places.length <= 1);
});

test("a stack that names files which cannot be has no places there", (t) => {
  const stack = "Error: x\n    at x (file://evil/a.ts:1:2)\n    at y (file:///a%2fb.ts:1:2)\n";
  t.deepEqual(stackframes(`${stack}    at z (file:///a/c.ts:3:4)`), [
    { who: "z", path: "/a/c.ts", line: 3, column: 4 },
  ]);
});
