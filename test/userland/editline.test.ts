// The line editor of the page's terminal: what keys do to the line, and how many columns text takes.

import test from "ava";
import { Editline, columns, firstkey } from "../../userland/web/editline.ts";
import type { Did } from "../../userland/web/editline.ts";

/** Types what a terminal sends, key by key; gives what the last key did. */
function type(line: Editline, data: string): Did {
  let did: Did = { kind: "none" };
  for (let rest = data; rest !== "";) {
    const [key, more] = firstkey(rest);
    rest = more;
    did = line.key(key);
  }
  return did;
}

/** The line with a bar where the cursor is. */
const at = (line: Editline): string => `${line.before}|${line.text.slice(line.before.length)}`;

test("letters go in at the cursor, and keys move it", (t) => {
  const line = new Editline();
  type(line, "one tw\u001B[D\u001B[D\u001B[Dx");
  t.is(at(line), "onex| tw");
  for (const [keys, want] of [
    ["\u0001", "|onex tw"],
    ["\u0006\u001B[C", "on|ex tw"],
    ["\u0005", "onex tw|"],
    ["\u0002\u001BOD", "onex |tw"],
    ["\u001B[1;5D", "|onex tw"],
    ["\u001B[1;5C", "onex| tw"],
    ["\u001B[F\u001Bb", "onex |tw"],
    ["\u001B[H\u001B[D", "|onex tw"],
  ] as const) {
    type(line, keys);
    t.is(at(line), want);
  }
});

test("letters, words and the ends of the line are taken out, and come back", (t) => {
  const line = new Editline();
  type(line, "ab cd  ef");
  for (const [keys, want] of [
    ["\u007F", "ab cd  e|"],
    ["\u0017", "ab cd  |"],
    ["\u0019", "ab cd  e|"],
    ["\u0001\u001B[3~", "|b cd  e"],
    ["\u0004", "| cd  e"],
    ["\u0006\u000B", " |"],
    ["\u0019\u0019", " cd  ecd  e|"],
    ["\u0002\u0015", "|e"],
    ["\b", "|e"],
  ] as const) {
    type(line, keys);
    t.is(at(line), want);
  }
});

test("a line ends with Enter, and an empty one with the end of the file", (t) => {
  const line = new Editline();
  t.deepEqual(type(line, "ls\r"), { kind: "line", text: "ls" });
  t.is(line.text, "");
  t.deepEqual(type(line, "\u0004"), { kind: "eof" });
  t.deepEqual(type(line, "half\u0003"), { kind: "interrupt" });
  t.is(line.text, "");
});

test("the history goes back and forth and keeps the line that was begun", (t) => {
  const line = new Editline();
  type(line, "one\rtwo\rtwo\r \rthr");
  type(line, "\u001B[A");
  t.is(line.text, "two");
  type(line, "\u0010");
  t.is(line.text, "one");
  t.deepEqual(type(line, "\u001B[A"), { kind: "none" });
  type(line, "\u001B[B\u000E");
  t.is(at(line), "thr|");
  t.deepEqual(type(line, "\u001B[B"), { kind: "none" });
});

test("a tab asks for names, but is a letter in what is pasted", (t) => {
  const line = new Editline();
  t.deepEqual(type(line, "cat /b\t"), { kind: "complete", before: "cat /b" });
  line.put("/bin/", 2);
  t.is(at(line), "cat /bin/|");
  type(line, "\u0015\u001B[200~a\tb\u001B[201~");
  t.is(line.text, "a\tb");
  t.like(type(line, "\t"), { kind: "complete" });
});

test("keys without a meaning change nothing, and a letter outside the first plane is one", (t) => {
  const line = new Editline();
  type(line, "a\u{1F600}b\u001B[2~\u001B[15~\u0007\u001Bq");
  t.is(line.text, "a\u{1F600}b");
  type(line, "\u0002\u007F");
  t.is(line.text, "ab");
});

test("columns: tabs go to the next eighth, some letters take two and some none", (t) => {
  t.is(columns("abc", 2), 5);
  t.is(columns("\tx", 2), 9);
  t.is(columns("\t", 8), 16);
  t.is(columns("漢字", 0), 4);
  t.is(columns("e\u0301", 0), 1);
});
