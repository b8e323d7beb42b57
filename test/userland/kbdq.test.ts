// What was typed and is not read yet: line by line, in pieces that fit the read.

import test from "ava";
import { utfencode } from "../../kernel/abi/utf.ts";
import { Kbdq } from "../../userland/boot/kbdq.ts";

test("a read gives a line, or what fits of it; an end of file is read once", (t) => {
  const q = new Kbdq();
  t.true(q.empty);
  for (const text of ["one\n", "", "two\n"]) q.add(utfencode(text));
  const read = (n: number): string => String.fromCharCode(...q.take(n));
  t.deepEqual([read(2), read(100), read(100), read(4)], ["on", "e\n", "", "two\n"]);
  t.true(q.empty);
});
