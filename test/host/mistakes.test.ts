// The mistakes of a program, as namec run answers them: each names the line of the program, the argument and what
// to write instead.

import { join } from "node:path";
import test from "ava";
import { directory, namec } from "./cli.ts";

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
  t.regex(await err("import.ts"), /"namec" exports no prnt\. Did you mean print\?/);
});
