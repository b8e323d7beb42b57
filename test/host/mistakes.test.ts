// The mistakes of a program, as namec run answers them: each names the line of the program, the argument and what
// to write instead.

import { join } from "node:path";
import test from "ava";
import { directory, namec } from "../kit/cli.ts";

/** What is run, as the body of main, and what is said of it on the standard error. */
type Said = readonly [body: string, err: string];

const SAID: Readonly<Record<string, Said>> = {
  "print without sys": [
    'await print("x");',
    'prog: bad arg in system call (print)\n    at main (FILE:3:9)\n    Argument 1 of print, sys, is the text "x", and has to be the system calls of the process, which its function gets first. Write print(sys, "x").\n',
  ],
  "print of a number": [
    "await print(sys, 42);",
    'prog: bad arg in system call (print)\n    at main (FILE:3:9)\n    Argument 2 of print, text, is the number 42, and has to be a text. Write print(sys, "42").\n',
  ],
  "a text where bytes are wanted": [
    'await sys.write(1, "text");',
    'prog: bad arg in system call (write)\n    at async main (FILE:3:3)\n    Argument 2 of write, bytes, is the text "text", and has to be a Uint8Array. Write sys.write(1, new TextEncoder().encode("text")), or print(sys, "text").\n',
  ],
  "open without a mode": [
    'await sys.open("/tmp/x");',
    'prog: bad arg in system call (open)\n    at async main (FILE:3:3)\n    Argument 2 of open, mode, is missing, and has to be a mode: OREAD, OWRITE, ORDWR or OEXEC, with flags such as OTRUNC added. Write sys.open("/tmp/x", OREAD).\n',
  ],
  "a file that is missing, in a function of the program, after other calls": [
    'const f = async () => readtext(sys, "/n/far/none");\n  await sys.sleep(1);\n  await f();',
    "prog: '/n/far/none' file does not exist (open /n/far/none)\n    at async main (FILE:5:3)\n",
  ],
  "a program that returns a number": [
    "return 7;",
    'prog: number for an exit status (exits)\n    at FILE:3\n    The program returned the number 7, and an exit status is a text. Give nothing or "" for success, and for failure a sentence such as "no such file".\n',
  ],
};

for (const [what, [body, err]] of Object.entries(SAID))
  test(`${what} is answered with the line, the argument and what to write`, async (t) => {
    const dir = directory(t, {
      "prog.ts": `import { OREAD, print, readtext } from "namec";\nexport default async function main(sys: any): Promise<any> {\n  ${body}\n}\n`,
    });
    const args = ["run", "--virtual", "--host", "far:rtt=5ms", "prog.ts"];
    const ran = await namec(args, "", dir);
    t.deepEqual([ran.status, ran.err], [1, err.replaceAll("FILE", "prog.ts")]);
  });

test("a failed call that is not awaited, and a child with its parent's sys, are told of at the end", async (t) => {
  const dir = directory(t, {
    "prog.ts": `import { OREAD, RFFDG, RFPROC, print } from "namec";
export default async function main(sys: any): Promise<void> {
  sys.open("/tmp/none", OREAD);
  const late = sys.open("/tmp/none", OREAD);
  await sys.rfork(RFPROC | RFFDG, async () => {
    await print(sys, "x");
  });
  await sys.wait();
  await late.catch(() => undefined);
}
`,
  });
  const { status, err } = await namec(["run", join(dir, "prog.ts")]);
  t.is(status, 0);
  t.regex(
    err,
    /^prog 3: bad arg in system call \(write\)\n {4}at .*prog\.ts:6:11\)\n {4}This sys has the system calls of process 2 \(prog\), and process 3 used it\./,
  );
  t.regex(
    err,
    /\nprog: open\("\/tmp\/none", OREAD\) failed: '\/tmp\/none' does not exist\n {4}at .*prog\.ts:3\n.*did not await the promise\. Write await before the call\.\n$/,
  );
});

test("a program with a memory of its own gets the same answers", async (t) => {
  const dir = directory(t, {
    "text.ts": `import { print } from "namec";
export default async function main(sys: any): Promise<any> {
  await print(sys, "x");
  await sys.write(1, "text");
}
`,
    "number.ts": "export default () => 7;\n",
    "import.ts": 'import { prnt } from "namec";\nexport default () => prnt;\n',
  });
  const err = async (file: string): Promise<string> =>
    (await namec(["run", "--vm", file], "", dir)).err;
  t.regex(
    await err("text.ts"),
    /^text: bad arg in system call \(write\)\n {4}at main \(text\.ts:4:\d+\)\n {4}Argument 2 of write, bytes, is the text "text"/,
  );
  t.regex(
    await err("number.ts"),
    /\n {4}The program returned the number 7, and an exit status is a text\./,
  );
  t.is(
    await err("import.ts"),
    'import: SyntaxError: "namec" exports no prnt. Did you mean print?\n    at (import.ts:1:10)\n',
  );
});

test("a program with a memory of its own is told of the failed calls that it never reads, and of no others", async (t) => {
  const dir = directory(t, {
    "prog.ts": `import { OREAD, RFENVG, RFCENVG, RFFDG, RFPROC } from "namec";
export default async function main(sys: any): Promise<void> {
  sys.open("/tmp/first", OREAD);
  sys.open("/tmp/caught", OREAD).catch(() => undefined);
  await Promise.all([sys.open("/tmp/all", OREAD)]).catch(() => undefined);
  const late = sys.open("/tmp/late", OREAD);
  await sys.sleep(1);
  await (async () => late)().catch(() => undefined);
  sys.rfork(RFENVG | RFCENVG);
  await sys.sleep(1);
  await sys.rfork(RFPROC | RFFDG, async (sys: any) => {
    sys.open("/tmp/child", OREAD);
  });
  await sys.wait();
  sys.open("/n/far/last", OREAD);
}
`,
  });
  const told = async (...options: string[]): Promise<readonly unknown[]> => {
    const far = ["--virtual", "--host", "far:rtt=5ms"];
    const { status, err } = await namec(["run", "--vm", ...far, ...options, "prog.ts"], "", dir);
    const all =
      /^prog: (.*) failed: .*\n {4}at .*\(prog\.ts:(\d+):\d+\)\n(?: {4}.*\n)?.*did not await the promise\. Write await before the call\.$/gm;
    return [status, ...[...err.matchAll(all)].map(([, call, line]) => `${line} ${call}`)];
  };
  const expected = [
    0,
    '3 open("/tmp/first", OREAD)',
    "9 rfork(2050)",
    '12 open("/tmp/child", OREAD)',
  ];
  t.deepEqual(await told(), expected);
  t.deepEqual(await told("--trace"), expected);
});

test("a last line of a program, and a syntax error, are told of in the same words in either image", async (t) => {
  const dir = directory(t, {
    "last.ts": 'export default async (sys) => { await sys.open("/x"); }',
    "syntax.ts": "export default (1 ;\n",
  });
  const err = async (...args: string[]): Promise<string> =>
    (await namec(["run", ...args], "", dir)).err;
  t.regex(await err("--vm", "last.ts"), /^last: bad arg .*\n {4}at .*last\.ts:1:\d+/);
  const syntax = await err("--vm", "syntax.ts");
  t.is(syntax, await err("syntax.ts"));
  t.regex(
    syntax,
    /^namec run: syntax\.ts:1:19: .*[^]*\nA bracket, comma or semicolon is missing\.\n$/,
  );
});
