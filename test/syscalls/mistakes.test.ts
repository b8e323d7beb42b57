// Mistakes in the arguments of calls and library functions: the message is Plan 9's, and beside it the error says
// which argument it is, what it has to be and what to write.

import test from "ava";
import { kinds } from "../../kernel/abi/argkind.ts";
import type { Kind } from "../../kernel/abi/argkind.ts";
import { calls } from "../../kernel/abi/calls.ts";
import type { Callname } from "../../kernel/abi/calls.ts";
import { MREPL, ORDWR, OREAD, OTRUNC, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { library } from "../../userland/lib/both.ts";
import { bindir } from "../../userland/bin/index.ts";
import { print, readtext, writefile } from "../../userland/lib/io.ts";
import * as namec from "../../userland/host/index.ts";
import { run, within } from "../kit/kit.ts";

type Anycalls = { readonly [name: string]: (...args: unknown[]) => Promise<unknown> };

/** Values of all kinds. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  "text",
  42.5,
  7n,
  true,
  Symbol.iterator,
  Promise.resolve(3),
  new Uint8Array(8),
  ["a", "b"],
  ["a", 1],
  { mode: 0o600 },
  () => undefined,
  new Int32Array(1),
  new Proxy({}, { get: thrown, has: thrown, getPrototypeOf: thrown }),
];

function thrown(): never {
  throw new Error("an argument was looked at");
}

/** An argument of each kind, for a call that gets as far as another that is wrong. */
function good(kind: Kind, param: string): unknown {
  if (param === "afd") return -1;
  if (param === "version") return "9P2000";
  const values: Record<Kind, unknown> = {
    name: "/tmp/f",
    fd: 3,
    omode: OREAD,
    perm: 0o664,
    mflags: MREPL,
    rflags: RFPROC | RFFDG,
    how: 0,
    fill: new Uint8Array(8),
    bytes: new Uint8Array(8),
    entry: new Uint8Array(8),
    changes: { mode: 0o600 },
    text: "",
    argv: ["f"],
    program: () => undefined,
    sem: new Int32Array(1),
    flag: true,
    boolean: true,
    number: 1,
    value: 1,
    sys: null,
    data: "x",
    object: {},
    function: () => undefined,
  };
  return values[kind];
}

/** Whether a value is of a kind; one that throws when it is looked at is of none. */
function fits(kind: Kind, v: unknown): boolean {
  try {
    return kinds[kind].fits(v);
  } catch {
    return false;
  }
}

/** What a call fails with; its value when it does not. */
async function failed(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (e) {
    return e;
  }
}

/** noted ends a process that is in no handler, and a status that is no text ends it as well. */
const ENDS: ReadonlySet<Callname> = new Set(["noted", "exits", "_exits"]);

test("no call has more arguments than the kernel gives to one", (t) => {
  const counts = Object.values(calls).map(({ args }) => args.length);
  t.is(Math.max(...counts), 5);
});

for (const [name, { args, params }] of Object.entries(calls) as [
  Callname,
  (typeof calls)["open"],
][])
  for (const [i, kind] of args.entries())
    if (!ENDS.has(name) && kind !== "flag" && kind !== "value")
      test(
        `${name} with a wrong kind of ${params[i]} names it`,
        within(async (t, k) => {
          await run(k, async (sys: Sys) => {
            await sys.create("/tmp/f", ORDWR, 0o666);
            const all = sys as unknown as Anycalls;
            for (const v of VALUES) {
              const left = v === undefined && params[i]?.endsWith("?") === true;
              if (params[i] === "ms" && typeof v === "number") continue;
              if (fits(kind, v) || left || (name === "unmount" && v === null)) continue;
              const given = args.map((other, n) => (n === i ? v : good(other, params[n] ?? "")));
              const e = await failed(() => all[name]?.(...given));
              if (!(e instanceof PlanError)) return t.fail(`${name}: ${String(e)}`);
              // Of one that throws when it is looked at there is nothing to say.
              if (v === VALUES.at(-1)) continue;
              t.is(e.arg, params[i]?.replace("?", ""), `${name} ${i} ${String(v)}`);
              t.regex(e.why ?? "", RegExp(`^Argument ${i + 1} of ${name}, .* Write .*\\.$`));
            }
          });
        }),
      );

test(
  "each function of the library says which argument is of a wrong kind, sys among them",
  within(async (t, k) => {
    t.true(library.size > 30);
    await run(k, async (sys: Sys) => {
      const exported = namec as unknown as Anycalls;
      for (const [name, { params, kinds: list }] of library) {
        const fn = exported[name];
        if (fn === undefined) continue;
        for (const [i, kind] of list.entries())
          for (const v of [...VALUES.slice(0, -1), 5]) {
            const left = v === undefined && params[i]?.endsWith("?") === true;
            if (fits(kind, v) || left) continue;
            const given = list.map((other, n) =>
              n === i ? v : n === 0 ? sys : good(other, params[n] ?? ""),
            );
            const e = await failed(() => fn(...given));
            if (!(e instanceof PlanError)) return t.fail(`${name}(${String(v)}): ${String(e)}`);
            t.deepEqual([e.message, e.call], ["bad arg in system call", name]);
            t.is(e.arg, params[i]?.replace("?", ""), `${name} ${i} ${String(v)}`);
            t.regex(e.why ?? "", RegExp(`^Argument ${i + 1} of ${name}, .* Write .*\\.$`));
          }
      }
    });
  }),
);

/** A call, and what is said of it: the message, the argument and the sentences. */
type Said = readonly [(sys: Sys) => unknown, string, string, string];
const BADARG = "bad arg in system call";
const wrong = (v: unknown): never => v as never;

const SAID: Readonly<Record<string, Said>> = {
  "print without sys": [
    () => print(wrong("x"), wrong(undefined)),
    BADARG,
    "sys",
    'Argument 1 of print, sys, is the text "x", and has to be the system calls of the process, which its function gets first. Write print(sys, "x").',
  ],
  "print of a number": [
    (sys) => print(sys, wrong(42)),
    BADARG,
    "text",
    'Argument 2 of print, text, is the number 42, and has to be a text. Write print(sys, "42").',
  ],
  "print with its arguments in the wrong order": [
    (sys) => print(wrong("x"), wrong(sys)),
    BADARG,
    "sys",
    'Argument 1 of print, sys, is the text "x", and has to be the system calls of the process, which its function gets first. Write print(sys, "x").',
  ],
  "write of a text": [
    (sys) => sys.write(1, wrong("text")),
    BADARG,
    "bytes",
    'Argument 2 of write, bytes, is the text "text", and has to be a Uint8Array. Write sys.write(1, new TextEncoder().encode("text")), or print(sys, "text").',
  ],
  "open without a mode": [
    (sys) => (sys as unknown as Anycalls)["open"]?.("/tmp/x"),
    BADARG,
    "mode",
    'Argument 2 of open, mode, is missing, and has to be a mode: OREAD, OWRITE, ORDWR or OEXEC, with flags such as OTRUNC added. Write sys.open("/tmp/x", OREAD).',
  ],
  "open with name and mode in the wrong order": [
    (sys) => sys.open(wrong(OREAD), wrong("/tmp/x")),
    BADARG,
    "name",
    'Argument 1 of open, name, is the number 0, and has to be a file\'s name, which is a text. Write sys.open("/tmp/x", OREAD).',
  ],
  "mount without afd": [
    (sys) => (sys as unknown as Anycalls)["mount"]?.(1, "/n/x", MREPL, ""),
    BADARG,
    "afd",
    'Argument 2 of mount, afd, is the text "/n/x", and has to be the descriptor that fauth gave, or -1 for none. Write sys.mount(1, -1, "/n/x", MREPL, "").',
  ],
  "a descriptor that was not awaited": [
    (sys) => sys.read(wrong(sys.open("/tmp", OREAD)), new Uint8Array(8)),
    "fd out of range or not open",
    "fd",
    "Argument 1 of read, fd, is a promise, and has to be a descriptor, the number that open gave. Write await before the call that made it.",
  ],
  "a descriptor that is not open": [
    (sys) => sys.close(9),
    "fd out of range or not open",
    "fd",
    "fd is 9, which is not open in this process: open are 0, 1, 2, 3. Open the file first, and use the number that open gives until close.",
  ],
  "a write on a descriptor open for reading": [
    async (sys) => sys.write(await sys.open("/tmp", OREAD), new Uint8Array(1)),
    "inappropriate use of fd",
    "fd",
    "Descriptor 4, /tmp, was opened with OREAD, and write wants OWRITE or ORDWR. Open it with that mode.",
  ],
  "rfork without a function": [
    (sys) => sys.rfork(RFPROC, wrong(undefined)),
    BADARG,
    "child",
    "This program cannot return twice, so the child runs a function that rfork is given. Write sys.rfork(RFPROC | RFFDG, async (sys) => { ... }), or give the program a memory of its own, with --vm or image: 'vm'.",
  ],
  "a whence that there is not": [
    (sys) => sys.seek(3, 0, 3),
    BADARG,
    "whence",
    "whence is 3: 0 counts from the start, 1 from the present offset, 2 from the end.",
  ],
  "a negative offset": [
    (sys) => sys.pread(3, new Uint8Array(8), -2),
    "negative i/o offset",
    "offset",
    "offset is -2: it counts bytes from the start of the file, and -1 means the descriptor's own.",
  ],
  "OEXCL in open": [
    (sys) => sys.open("/tmp/f", OREAD | OTRUNC | 0x1000),
    BADARG,
    "mode",
    "mode has OEXCL, which is create's: open does not make files. OREAD opens a file to read.",
  ],
  "a field of wstat": [
    (sys) => sys.wstat("/tmp/f", { length: -5 }),
    BADARG,
    "d",
    "d.length is the number -5, which is of the wrong kind or out of its range.",
  ],
  "exec of a text file": [
    async (sys) => {
      await writefile(sys, "/tmp/text", "hello, world\n", 0o777);
      await sys.exec("/tmp/text", ["text"]);
    },
    "exec header invalid",
    "name",
    '/tmp/text is no program: a program\'s file begins with "#!" and the name of an interpreter, or is one of /bin. Write exec("/bin/rc", ["rc", "/tmp/text"]) to run a script.',
  ],
  "exec of a file without execute permission": [
    (sys) => sys.exec("/tmp/f", ["f"]),
    "'/tmp/f' permission denied",
    "name",
    '/tmp/f may not be executed by this user: a program needs execute permission. Create it with 0o777, or write sys.wstat("/tmp/f", { mode: 0o777 }).',
  ],
  "exec of a name that is looked for in /bin by a shell only": [
    (sys) => sys.exec("ls", ["ls"]),
    "'ls' file does not exist",
    "name",
    'There is no file ls in dot, and exec looks in no other directory. Write exec("/bin/ls", ["ls"]).',
  ],
  "readtext without sys": [
    () => (readtext as unknown as (name: string) => unknown)("/tmp/f"),
    BADARG,
    "sys",
    'Argument 1 of readtext, sys, is the text "/tmp/f", and has to be the system calls of the process, which its function gets first. Write readtext(sys, "/tmp/f").',
  ],
};

for (const [what, [call, message, arg, why]] of Object.entries(SAID))
  test(
    `${what} is answered with the argument, what it has to be and what to write`,
    within(
      async (t, k) => {
        await run(k, async (sys: Sys) => {
          await sys.create("/tmp/f", ORDWR, 0o666);
          const e = await failed(() => call(sys));
          if (!(e instanceof PlanError)) return t.fail(String(e));
          t.deepEqual([e.message, e.arg, e.why], [message, arg, why]);
        });
      },
      { files: { bin: bindir } },
    ),
  );

test(
  "the system calls of the parent do not work in a child, which the failure says",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      let e: unknown = null;
      await sys.rfork(RFPROC | RFFDG, async () => {
        e = await failed(() => sys.open("/", OREAD));
        return "";
      });
      await sys.wait();
      if (!(e instanceof PlanError)) return t.fail(String(e));
      t.deepEqual([e.message, e.call, e.arg], [BADARG, "open", "sys"]);
      t.regex(e.why ?? "", /^This sys has the system calls of process 2 \(main\), and process 3/);
      t.regex(e.why ?? "", /rfork\(flags, async \(sys\) => \{ \.\.\. \}\)/);
    });
  }),
);

test(
  "a status that is no text is a failure that says what a status is, from main and from exits",
  within(async (t, k) => {
    for (const [by, main] of [
      ["The program returned", () => wrong(7)],
      ["exits got", (sys: Sys) => sys.exits(wrong(7))],
    ] as const) {
      const p = k.spawn(main as never);
      t.is(await p.wait(), "number for an exit status");
      if (!(p.crash instanceof PlanError)) return t.fail(String(p.crash));
      t.is(p.crash.arg, "status");
      t.regex(p.crash.why ?? "", RegExp(`^${by} the number 7, and an exit status is a text\\.`));
    }
  }),
);

test(
  "what a program returns, throws or gives to exits may throw when it is looked at, and only the program ends",
  within(async (t, k) => {
    const trap = VALUES.at(-1);
    const bad = Object.defineProperty(new Error("x"), "message", { get: thrown });
    for (const value of [trap, bad])
      for (const main of [
        async () => wrong(value),
        () => wrong(value),
        async () => {
          throw value;
        },
        (sys: Sys) => sys.exits(wrong(value)),
        async (sys: Sys) => {
          await sys.notify(wrong(new Proxy(thrown, { get: thrown })));
          await sys.alarm(1);
          await sys.sleep(5);
        },
        async (sys: Sys) => {
          await sys.rfork(RFPROC, wrong(new Proxy(thrown, { get: thrown })));
          throw (await sys.wait()).msg;
        },
      ])
        t.not(await k.spawn(main as never).wait(), "");
    t.is(k.panicked, null);
  }),
);
