// What `namec run --trace` and `namec demo` show, as plain text: golden traces under virtual time, where
// every number is exact. And the words of the command line, taken apart.

import test from "ava";
import { MCREATE, MREPL, OREAD } from "../../kernel/abi/const.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Given, Usage, nearest, parse } from "../../userland/host/command.ts";
import type { Command } from "../../userland/host/command.ts";
import { strip } from "../../userland/host/hooks.ts";
import { fit, line } from "../../userland/view/words/text.ts";
import type { Line } from "../../userland/view/words/text.ts";
import { Strace, Tour } from "../../userland/view/export/strace.ts";
import { tellof } from "../../userland/view/record/recorder.ts";
import { ABOUT } from "../kit/recorded.ts";
import { failure, mountram, put, within } from "../kit/kit.ts";

/** Runs a program and gives the lines of a view of it, from when the program calls its last argument. */
async function shown(
  k: Booted,
  columns: number,
  view: (pid: number) => Pick<Strace, "lines">,
  program: (sys: Sys, start: () => void) => Promise<void>,
): Promise<string> {
  const lines: Line[] = [];
  let off = (): void => undefined;
  const p = k.spawn(
    async (sys: Sys) =>
      program(sys, () => {
        const v = view(p.pid);
        ({ off } = tellof(k.trace, ABOUT, (e, r, full) => {
          const now = v.lines(e, r, full);
          if (e.pid === p.pid) lines.push(...now);
        }));
      }),
    ["view"],
  );
  await p.wait();
  off();
  if (p.crash !== undefined) throw p.crash;
  return lines.map((l) => `${fit(l, columns).trimEnd()}\n`).join("");
}

const FILES = { k: {}, a: { x: "in memory" } };

async function scene(sys: Sys, start: () => void): Promise<void> {
  await mountram(sys, "/k", { delay: 1 });
  await put(sys, "/k/f", "hello, world\n");
  await sys.sleep(100);
  start();
  const fd = await sys.open("/k/../k/f", OREAD);
  await sys.read(fd, new Uint8Array(100));
  await sys.close(fd);
  await failure(sys.stat("/a/y"));
  await sys.bind("/a", "/k", MREPL | MCREATE);
}

test(
  "the trace shows a call with its result, and below it the steps of its name and its messages",
  within(
    async (t, k) => {
      const text = await shown(k, 0, () => new Strace(), scene);
      t.is(
        text,
        `  104.000    2 open("/k/../k/f", OREAD) = 3                                    1 round trip, 1.00 ms
                 /k/../k/f is cleaned to /k/f
                 /k is mounted: f from there
                 the walk of f goes with what follows
                 → Twalk tag 0 fid 0 newfid 1 nwname 1 0:f
                 → Topen tag 0 fid 1 mode 0
                 ← Rwalk tag 0 nwqid 1 0:(0000000000000001 1 )
                 ← Ropen tag 0 qid (0000000000000001 1 ) iounit 0
  105.000    2 read(3, [100]) = 13 "hello, world\\n"                            1 round trip, 1.00 ms
                 → Tread tag 0 fid 1 offset 0 count 100
                 ← Rread tag 0 count 13 'hello, world '
  106.000    2 close(3)                                                                         0 ns
                 → Tclunk tag 0 fid 1
  106.000    2 stat("/a/y") = -1: '/a/y' does not exist                                         0 ns
                 / is the root: a/y from there
                 walked a; there is no y
                 fails at y
  106.000    2 bind("/a", "/k", MREPL|MCREATE) = 9                                              0 ns
                 / is the root: a from there
                 /k is mounted
                 walked a
                 → Tclunk tag 1 fid 0
                 the name space of process 2 changes at /k
  106.000    2   process 2 ends
`,
      );
    },
    { files: FILES },
  ),
);

test(
  "the tour shows requests and replies side by side, and says nothing of other processes",
  within(
    async (t, k) => {
      let tour: Tour | null = null;
      const view = (pid: number): Tour => (tour = new Tour(pid, 90));
      t.is(
        await shown(k, 90, view, scene),
        `  open("/k/../k/f", OREAD) = 3                                                1 round trip
      /k/../k/f is cleaned to /k/f
      /k is mounted: f from there
      the walk of f goes with what follows
            Twalk 0 → 1 f                          Rwalk 1 qid
            Topen 1 OREAD                          Ropen
  read(3, [100]) = 13 "hello, world\\n"                                        1 round trip
            Tread 1 100 at 0                       Rread 13 "hello, world\\n"
  close(3)                                                                   no round trip
            Tclunk 1                               (no call waits for it)
  stat("/a/y") = -1: '/a/y' does not exist
      / is the root: a/y from there
      walked a; there is no y
      fails at y
  bind("/a", "/k", MREPL|MCREATE) = 9                                        no round trip
      / is the root: a from there
      /k is mounted
      walked a
      the name space of process 2 changes at /k
            Tclunk 0                               (no call waits for it)
`,
      );
      t.deepEqual((tour as Tour | null)?.total, {
        calls: 5,
        trips: 2,
        messages: 8,
        bytes: 147,
      });
    },
    { files: FILES },
  ),
);

test("a line is cut at the edge, and its right part stays there", (t) => {
  t.is(fit(line("call", "open(x)", "1 ms"), 20), "open(x)         1 ms");
  t.is(fit(line("call", "open(abcdefghijklmnop)", "1 ms"), 20), "open(abcdefgh…  1 ms");
  t.is(fit(line("step", "abcdefghij"), 6), "abcde…");
  t.is(fit(line("step", "x".repeat(200)), 0).length, 200);
});

const COMMAND: Command = {
  name: "test",
  usage: "",
  brief: "",
  about: "",
  options: [
    { name: "flag", values: [], text: "" },
    { name: "one", values: ["V"], text: "" },
    { name: "two", values: ["A", "B"], text: "" },
  ],
  examples: [],
  run: async () => 0,
};

const given = (...words: string[]): Given => parse(COMMAND, words);

test("options come before the program, whose own words are left alone", (t) => {
  const g = given(
    "--flag",
    "--two",
    "a",
    "b",
    "--two",
    "c",
    "d",
    "--one=x=y",
    "prog",
    "--flag",
    "-n",
  );
  t.true(g.has("flag"));
  t.deepEqual(g.all("two"), [
    ["a", "b"],
    ["c", "d"],
  ]);
  t.is(g.get("one"), "x=y");
  t.deepEqual(g.rest, ["prog", "--flag", "-n"]);
  t.deepEqual(given("--one", "1", "--one", "2").get("one"), "2");
  t.deepEqual(given("--", "--flag").rest, ["--flag"]);
  t.deepEqual(given("-").rest, ["-"]);
  const mixed = parse({ ...COMMAND, mixed: true }, ["a", "--flag", "b"]);
  t.deepEqual([mixed.has("flag"), mixed.rest], [true, ["a", "b"]]);
});

test("an option that is unknown, or lacks a value, is named with the remedy", (t) => {
  const wrong = (...words: string[]): string => {
    const e = t.throws(() => given(...words), { instanceOf: Usage });
    return `${e.message} | ${e.hint}`;
  };
  t.is(
    wrong("--flg"),
    "unknown option --flg | did you mean --flag? 'namec help test' lists the options",
  );
  t.is(wrong("-x"), "unknown option -x | 'namec help test' lists the options");
  t.is(wrong("--two", "a"), "--two needs 2 values: --two A B | ");
  t.is(wrong("--one"), "--one needs a value: --one V | ");
  t.is(wrong("--one", "--flag"), "--one needs a value: --one V | ");
  t.is(wrong("--flag=1"), "--flag=1: it is written --flag | ");
  t.is(wrong("--two=a,b"), "--two=a,b: it is written --two A B | ");
});

test("the nearest word is found, and no far one", (t) => {
  t.is(nearest("exprtfs", ["ramfs", "exportfs"]), "exportfs");
  t.is(nearest("sl", ["ls", "cat"]), "ls");
  t.is(nearest("banana", ["ls", "cat"]), null);
});

test("types are stripped in place: every line stays where it was", (t) => {
  const source = `import { type Sys, OREAD } from "namec";
import type { Dir } from "namec";
interface A {
  readonly a: number;
}
export default async function main(sys: Sys, argv: string[]): Promise<void> {
  const n = OREAD as number;
  throw new Error(\`\${n}\`);
}
`;
  const out = strip("x.ts", source).split("\n");
  t.is(
    out.findIndex((l) => l.includes("throw new Error")),
    7,
  );
  t.is(out.length, source.split("\n").length);
  const e = t.throws(() => strip("x.ts", "let a;\nlet b: = 3;\n"), { instanceOf: SyntaxError });
  t.is(e.message, "x.ts:2:8: Unexpected token\n    let b: = 3;\n           ^");
});
