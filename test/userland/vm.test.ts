// Programs with a memory of their own: the fork that returns twice, the ends of programs that go too far, and the
// same answers as native programs get.

import test from "ava";
import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import { gather } from "../../userland/vm/modules.ts";
import { program } from "../../userland/vm/vm.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { Bootopts } from "../../userland/boot/boot.ts";
import { bindir } from "../../userland/boot/bin.ts";
import { thishost } from "../../userland/boot/host.ts";
import { OREAD, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { print, readfile, readtext } from "../../userland/lib/io.ts";
import { callfmt } from "../../userland/view/words/callfmt.ts";
import { expect, machine } from "../../userland/testing/index.ts";
import "../../userland/host/vmhost.ts";

type Ran = { readonly k: Booted; readonly p: Process };

/** Starts a program of these files, the first of which it is, on a machine of its own. */
async function started(files: Readonly<Record<string, string>>, opts: Bootopts = {}): Promise<Ran> {
  const [main = ""] = Object.keys(files);
  const modules = await gather(main, { read: (name) => files[name] ?? null });
  const k = await boot({ clock: "virtual", files: { bin: bindir }, ...opts });
  return { k, p: k.spawn(program(modules), ["prog", "a"]) };
}

/** What a program wrote, and its status; nothing is left behind. */
async function ran(text: string, opts: Bootopts = {}): Promise<readonly [string, string]> {
  const { k, p } = await started({ "prog.ts": text }, opts);
  const status = await p.wait();
  await k.shutdown();
  const { procs, chans } = k.audit();
  return [p.output, procs.length + chans.length === 0 ? status : "something is left"];
}

const HEAD = `import * as n from "namec"; import { print } from "namec";`;
/** A program whose body this is. */
const prog = (body: string): string =>
  `${HEAD}\nexport default async function main(sys: any, argv: string[]) {\n${body}\n}\n`;

test("rfork without a function returns twice, and what the child changes is its own", async (t) => {
  const text = prog(String.raw`
    const list = [1];
    let count = 0;
    const add = (x: number) => { list.push(x); count++; };
    const pid = await sys.rfork(n.RFPROC | n.RFFDG);
    add(pid === 0 ? 10 : 100);
    if (pid === 0) { await print(sys, "child " + list + " " + count + "\n"); return "gone"; }
    const w = await sys.wait();
    await print(sys, ["parent", list, count, w.pid === pid, w.msg].join(" ") + "\n");
  `);
  t.deepEqual(await ran(text), ["child 1,10 1\nparent 1,100 1 true prog 3: gone\n", ""]);
});

test("a trace shows the arguments of rfork that the program wrote", async (t) => {
  const text = prog(String.raw`
    const works = async () => {};
    if ((await sys.rfork(n.RFPROC | n.RFFDG)) === 0) return;
    await sys.rfork(n.RFPROC, works);
    await sys.rfork(n.RFPROC | n.RFMEM, works);
    await sys.rfork(n.RFPROC, async () => {});
    await sys.notify(() => {});
    for (let i = 0; i < 4; i++) await sys.wait();
  `);
  const modules = await gather("prog.ts", { read: () => text });
  const k = await boot({ clock: "virtual", files: { bin: bindir } });
  const calls: string[] = [];
  const off = k.trace.listen(
    (e) => void (e.type === "call" && e.call !== null && calls.push(callfmt(e.call))),
  );
  const p = k.spawn(program(modules), ["prog"]);
  t.is(await p.wait(), "");
  off();
  await k.shutdown();
  t.deepEqual(
    calls.filter((c) => /^(rfork|notify)/.test(c)),
    [
      "rfork(RFPROC|RFFDG)",
      "rfork(RFPROC, works)",
      "rfork(RFPROC|RFMEM, works)",
      "rfork(RFPROC, program)",
      "notify(program)",
    ],
  );
});

test("a generator program forks, has threads, and its library calls are made with yield*", async (t) => {
  const text = String.raw`${HEAD}
export default function* main(sys: any) {
  const [mine, its] = yield* sys.pipe();
  sys.threadcreate((function* () { yield* n.fprint(sys, its, "from a thread"); })());
  const buf = new Uint8Array(20);
  const got = yield* sys.read(mine, buf);
  yield* print(sys, new TextDecoder().decode(buf.subarray(0, got)) + "\n");
  const pid = yield* sys.rfork(n.RFPROC);
  if (pid === 0) return "child";
  yield* print(sys, (yield* sys.wait()).msg);
}`;
  t.deepEqual(await ran(text), ["from a thread\nprog 3: child", ""]);
});

test("a thread's call is interrupted by threadint", async (t) => {
  const text = String.raw`${HEAD}
export default function* main(sys: any) {
  let said = "";
  const id = sys.threadcreate((function* () {
    try { yield* sys.sleep(1e6); } catch (e: any) { said = e.message; }
  })());
  yield* sys.sleep(1);
  sys.threadint(id);
  yield* sys.sleep(1);
  yield* print(sys, said + " " + (yield* sys.nsec() ) % 1000000000n);
}`;
  t.deepEqual(await ran(text), ["interrupted 2000000", ""]);
});

const FLAGS = [
  "RFPROC|RFNAMEG",
  "RFPROC|RFFDG|RFNOTEG",
  "RFPROC|RFENVG|RFREND",
  "RFPROC|RFCFDG|RFCNAMEG|RFCENVG",
  "RFPROC|RFNOMNT",
];

for (const flags of FLAGS)
  test(`rfork(${flags}) returns twice`, async (t) => {
    const text = prog(String.raw`
      const flags = ${flags.replaceAll("RF", "n.RF")};
      if ((await sys.rfork(flags)) === 0) await sys.exits("child");
      await print(sys, (await sys.wait()).msg);
    `);
    t.deepEqual(await ran(text), ["prog 3: child", ""]);
  });

test("the child of RFNOWAIT is not waited for, and RFFDG copies the descriptors", async (t) => {
  const text = prog(String.raw`
    if ((await sys.rfork(n.RFPROC | n.RFFDG | n.RFNOWAIT)) === 0) { await sys.close(1); return; }
    await sys.sleep(1);
    await print(sys, await sys.wait().catch((e: any) => e.message));
  `);
  t.deepEqual(await ran(text), ["no living children", ""]);
});

test("rfork with a function runs it in the child: in a copy of the memory, or with RFMEM in the same", async (t) => {
  const text = prog(String.raw`
    const seen: string[] = [];
    const child = async (its: any) => { seen.push("child"); await its.rendezvous("met", seen.join()); return "done"; };
    for (const flag of [0, n.RFMEM]) {
      await sys.rfork(n.RFPROC | flag, child);
      const said = await sys.rendezvous("met", "");
      await print(sys, said + " " + seen.join() + " " + (await sys.wait()).msg + "\n");
    }
  `);
  t.deepEqual(await ran(text), ["child  prog 3: done\nchild child prog 4: done\n", ""]);
});

test("rfork is refused while other calls are under way, with a sentence, and works when they are over", async (t) => {
  const text = prog(String.raw`
    const slow = sys.sleep(10);
    const e = await sys.rfork(n.RFPROC).catch((x: any) => x);
    await slow;
    const pid = await sys.rfork(n.RFPROC);
    if (pid === 0) return;
    await sys.wait();
    await print(sys, e.message + "; " + e.why + "; " + (pid > 0));
  `);
  const [out, status] = await ran(text);
  t.regex(
    out,
    /^bad arg in system call; rfork with 1 other system call under way: .*Await them first; true$/,
  );
  t.is(status, "");
});

test("a child has its parent's handler of notes, in its own memory", async (t) => {
  const text = prog(String.raw`
    let who = "nobody";
    await sys.notify(async (note: string, its: any) => {
      await print(its, who + " " + note + "\n");
      await its.noted(n.NCONT);
    });
    who = "both";
    const pid = await sys.rfork(n.RFPROC);
    if (pid === 0) { who = "child"; await sys.sleep(1000).catch(() => 0); return who; }
    await sys.sleep(1);
    await n.postnote(sys, n.PNPROC, pid, "hello");
    await print(sys, (await sys.wait()).msg + "\n");
    await sys.alarm(5);
    await print(sys, await sys.sleep(1000).catch((e: any) => e.message));
  `);
  t.deepEqual(await ran(text), ["child hello\nprog 3: child\nboth alarm\ninterrupted", ""]);
});

test("a handler that throws, and one that returns without noted, end the process", async (t) => {
  for (const [how, end] of [
    ["throw new Error('no')", "no"],
    ["return", "alarm"],
  ] as const) {
    const text = prog(String.raw`
      await sys.notify(async () => { ${how}; });
      await sys.alarm(1);
      await sys.sleep(1000);
    `);
    t.deepEqual(await ran(text), ["", end]);
  }
});

test("exec replaces the program, also by another of the name space", async (t) => {
  const files = {
    bin: bindir,
    tmp: {},
    lib: { two: "#!/bin/ts\nexport default async (sys, argv) => argv.join();" },
  };
  const text = prog(String.raw`
    await sys.wstat("/lib/two", { mode: 0o777 });
    if ((await sys.rfork(n.RFPROC)) === 0) await sys.exec("/lib/two", ["x", "y"]);
    await print(sys, (await sys.wait()).msg + "\n");
    await sys.exec("/bin/echo", ["echo", "echoed"]);
  `);
  t.deepEqual(await ran(text, { files }), ["two 3: two,y\nechoed\n", ""]);
});

test("semaphores are shared by those that share a memory", async (t) => {
  const text = prog(String.raw`
    const sem = new Int32Array(4).subarray(2);
    await sys.rfork(n.RFPROC | n.RFMEM, async (its: any) => {
      await its.sleep(5);
      sem[0] += 1;
      await its.semrelease(sem, 2);
      await its.sleep(100);
    });
    const got = [await sys.semacquire(sem, false), await sys.semacquire(sem, true), await sys.tsemacquire(sem, 50)];
    await print(sys, got.join() + " " + sem[0] + " " + (await sys.tsemacquire(new Int32Array(1), 5)));
  `);
  t.deepEqual(await ran(text), ["0,1,1 1 0", ""]);
});

test("values cross as they are: objects and functions of a memory as themselves, strings of any kind", async (t) => {
  const text = prog(String.raw`
    const same: unknown[] = [];
    const values = ["a\0b\ud800", 5, -0, NaN, true, null, undefined, 10n ** 30n, new Uint8Array([1, 2])];
    const tag = {};
    const meet = async (v: unknown) =>
      (await Promise.all([sys.rendezvous(tag, v), sys.rendezvous(tag, "x")]))[1];
    for (const v of values) same.push(Object.is(await meet(v), v) || String(await meet(v)) === String(v));
    same.push((await meet(values)) === values);
    await print(sys, same.join());
    await sys.errstr("é\0");
    await print(sys, " " + (await sys.errstr()).length);
  `);
  t.deepEqual(await ran(text), ["true,true,true,true,true,true,true,true,true,true 2", ""]);
});

test("files are read and written, whatever the size, and a Dir is a Dir", async (t) => {
  const text = prog(String.raw`
    const big = Uint8Array.from({ length: 300000 }, (_, i) => i * 7);
    await n.writefile(sys, "/tmp/big", big);
    const back = await n.readfile(sys, "/tmp/big");
    await sys.wstat("/tmp/big", { name: "bigger", mode: 0o600 });
    const d = await sys.stat("/tmp/bigger");
    const raw = new Uint8Array(500);
    const len = await sys.statraw("/tmp/bigger", raw);
    await print(sys, [back.length, back.every((b, i) => b === big[i]), d.name, d.mode, typeof d.qid.path, len === raw[0] + 2].join());
  `);
  t.deepEqual(await ran(text), ["300000,true,bigger,384,bigint,true", ""]);
});

test("memory, stack and work have limits, each a note; the parent goes on", async (t) => {
  const ends = [
    [
      "const a = []; for (;;) a.push(new Array(1000).fill(0));",
      /sys: trap: out of memory \(8000000 bytes\)/,
    ],
    [
      "const all: any = {}; for (let i = 0; ; i++) all[i] = 'x'.repeat(1e6) + i;",
      /sys: trap: out of memory/,
    ],
    ["const f = (): number => f() + 1; f();", /sys: trap: stack overflow/],
    ["for (;;) await null;", /sys: trap: no system call in 1000000 steps/],
    ["const p: any[] = []; for (;;) p.push(sys.nsec());", /sys: trap: out of memory/],
    ["const b = new Uint8Array(3e6); for (;;) void sys.read(0, b);", /sys: trap: out of memory/],
  ] as const;
  const limits = { memory: 8_000_000, stack: 200_000, work: 1_000_000 };
  for (const [body, end] of ends) {
    const text = prog(String.raw`
      if ((await sys.rfork(n.RFPROC)) === 0) { ${body} }
      await print(sys, (await sys.wait()).msg);
    `);
    const [out, status] = await ran(text, { limits });
    t.regex(out, end, body);
    t.is(status, "");
  }
});

test("a program that forks for ever is refused at the limit of processes, and may go on when some have ended", async (t) => {
  const text = prog(String.raw`
    let made = 0, why = "";
    for (;;) {
      try {
        const pid = await sys.rfork(n.RFPROC);
        if (pid === 0) { await sys.sleep(1000); return ""; }
        made++;
      } catch (e) { why = e.message; break; }
    }
    await sys.wait();
    const first = made;
    const again = await sys.rfork(n.RFPROC);
    if (again === 0) return "";
    while (made-- > 0) await sys.wait();
    await print(sys, first + " " + why + " " + (again > 0) + "\n");
  `);
  // The kernel's own process and this one are two of the twelve.
  t.deepEqual(await ran(text, { limits: { procs: 12 } }), ["10 no free procs true\n", ""]);
});

/** What of "namec" boots a kernel, or drives or records one. */
const DRIVES =
  /^(boot|bin|fossil|newfossil|serve(fossil|ramfs)|simnet|Faults|faultfmt|parsefault|Unitserror|Recorder|Recordingerror|fromjson|tojson)$/;

test("a vm program imports all that a native one does, but for what boots a kernel or drives one", async (t) => {
  const text = prog('await print(sys, Object.keys(n).toSorted().join(" "));');
  const [said, status] = await ran(text);
  t.is(status, "");
  const all = Object.keys(await import("../../userland/boot/index.ts"));
  t.deepEqual(said.split(" "), all.filter((name) => !DRIVES.test(name)).toSorted());
});

test("time and chance are the kernel's", async (t) => {
  const text = prog(String.raw`
    const t0 = performance.now();
    await sys.sleep(1500);
    await print(sys, [new Date().toISOString(), performance.now() - t0, Math.random() !== Math.random(), new Date(2020, 0).getTimezoneOffset()].join());
  `);
  const [first, again] = [await ran(text), await ran(text)];
  t.deepEqual(first, ["2000-01-01T00:00:01.500Z,1500,true,0", ""]);
  t.deepEqual(again, first);
  const random = prog("await print(sys, String(Math.random()));");
  const seeded = async (seed: number): Promise<string> => (await ran(random, { seed }))[0];
  t.is(await seeded(1), await seeded(1));
  t.not(await seeded(1), await seeded(2));
});

test("a crash shows the program's own line and column", async (t) => {
  const { k, p } = await started({
    "prog.ts": `import { f } from "./dir/util";\ntype A = { b: number };\nexport default async (sys: any) => {\n  await sys.sleep(1);\n  f(undefined as A | undefined);\n};\n`,
    "dir/util.ts": `// a module of its own\nexport function f(a: any): number {\n  return a.b;\n}\n`,
  });
  t.is(await p.wait(), "cannot read property 'b' of undefined");
  t.regex((p.crash as Error).stack ?? "", /at f \(dir\/util.ts:3:1\d\)\n.*prog.ts:5:\d/s);
  await k.shutdown();
});

test("a kill finds a program wherever it is", async (t) => {
  const bodies = [
    "await sys.sleep(1e9);",
    "await new Promise(() => 0);",
    "await sys.read((await sys.pipe())[0], new Uint8Array(9));",
    "await sys.notify(async (_: string, its: any) => { await its.sleep(1e9); }); await sys.alarm(1); await sys.sleep(1e9);",
  ];
  for (const body of bodies) {
    const { k, p } = await started({ "prog.ts": prog(body) });
    k.sched.timer(1e9, () => p.kill());
    t.is(await p.wait(), "Killed", body);
    await k.shutdown();
    t.deepEqual(k.audit().procs, []);
  }
});

test("the test kit runs a function with a memory of its own: by its text, with what namec exports", async (t) => {
  const m = await machine({ image: "vm", files: { tmp: { f: "contents" } } });
  const r = await m.run(async (sys: Sys) => {
    let text = await readtext(sys, "/tmp/f");
    const pid = await sys.rfork(RFPROC);
    if (pid === 0) {
      text += " of the child";
      await print(sys, text);
      return;
    }
    await sys.wait();
    await print(sys, ` ${text}`);
  });
  expect(r).says("contents of the child contents");
  const native = await m.run(async (sys: Sys) => print(sys, typeof process), { image: "native" });
  t.is(native.output, "object");
  const methods = {
    async method(this: void, sys: Sys) {
      await print(sys, typeof process);
    },
  };
  const vm = await m.try(methods.method);
  t.is(vm.output, "undefined");
  await m.end();
});

test("spawn takes image, and what boot says of it", async (t) => {
  const where = function* (sys: TaskSys): Task<void> {
    yield* print(sys, typeof process);
  };
  const k = await boot({ clock: "virtual", image: "vm" });
  const ps = [k.spawn(where), k.spawn(where, [], { image: "native" })];
  for (const p of ps) await p.wait();
  t.deepEqual(
    ps.map((p) => p.output),
    ["undefined", "object"],
  );
  await k.shutdown();
  await t.throwsAsync(boot({ limits: { work: -1 } }), { message: "limits: work is -1" });
});

test("a program that cannot be loaded says why, and where", async (t) => {
  const load = (text: string): Promise<unknown> =>
    gather("prog.ts", { read: (name) => (name === "prog.ts" ? text : null) });
  await t.throwsAsync(load("\n  let x = ;"), {
    name: "SyntaxError",
    message: /^prog.ts:2:\d+: .*\n +let x = ;\n +\^$/,
  });
  await t.throwsAsync(load("const await = 1; export default 5;"), { message: /^prog.ts:1:\d+: / });
  await t.throwsAsync(load('import "node:fs";'), {
    message:
      'prog.ts:1: There is no "node:fs" for a program here: its files, network and processes are those of sys and "namec".',
  });
  t.deepEqual(
    (await ran("export const main = 1;"))[1].split("\n")[0],
    "prog.ts has no default export; a program is",
  );
});

test("a loop that makes no call ends with a note, and the others go on", async (t) => {
  const text = prog(String.raw`
    if ((await sys.rfork(n.RFPROC)) === 0) for (;;);
    const w = await sys.wait();
    await print(sys, w.msg);
  `);
  const [out, status] = await ran(text, { limits: { work: 100_000 } });
  t.regex(out, /^prog 3: sys: trap: no system call in 100000 steps prog.ts:\d+:\d+ pc=0x00000000$/);
  t.is(status, "");
});

test("an import() of what the program has not says what is missing, and shows no file of the package", async (t) => {
  const names = ["../etc/passwd", "file:///etc/passwd", "namec:userland/vm/vm.js", ""];
  const [said] = await ran(
    prog(`for (const m of ${JSON.stringify(names)})
      await import(m).then(() => print(sys, "found\\n"), (e) => print(sys, e.message + "\\n"));`),
  );
  const reason = `which prog.ts imports: a vm program imports "namec" and modules of its own directory`;
  const lines = said.split("\n").map((line) => line.split(", which an import")[0]);
  t.deepEqual(lines, [...names.map((m) => `cannot find '${m}', ${reason}`), ""]);
});

test("a failure that a vm program does not await is told in the test kit, of a call and of a library function", async (t) => {
  const fails = async (main: (sys: Sys) => Promise<void>): Promise<string> => {
    const m = await machine({ image: "vm" });
    const e: unknown = await m.run(main).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    return e instanceof Error ? `${e.message} ${e instanceof PlanError ? e.why : ""}` : "";
  };
  const call = await fails(async (sys) => {
    void sys.open("/none", OREAD);
    await sys.sleep(1);
  });
  t.regex(
    call,
    /open\("\/none", OREAD\) failed: '\/none' file does not exist\n    at default.*\n.*did not await/,
  );
  const last = await fails(async (sys) => void sys.open("/none", OREAD));
  t.regex(last, /failed: '\/none' file does not exist/);
  const lib = await fails(async (sys) => {
    void readfile(sys, "/none");
    await sys.sleep(1);
  });
  t.regex(lib, /'\/none' file does not exist.*did not await/s);
  const good = await fails(async (sys) => {
    const all = await Promise.allSettled([readfile(sys, "/none"), sys.open("/none", OREAD)]);
    const later = (async () => readfile(sys, "/none"))();
    await later.catch(() => 0);
    await sys.exits(all.every((r) => r.status === "rejected") ? "" : "fulfilled");
  });
  t.is(good, "");
});

test("a vm program imports from its own directory and those below it, and no other file is read", async (t) => {
  const asked: string[] = [];
  const files: Readonly<Record<string, string>> = {
    "/p/main.ts": 'import "./sub/a"; import "/p/b.ts";',
    "/p/sub/a.ts": 'import "../b"; export const a = 1;',
    "/p/b.ts": "export const b = 1;",
    "/o/secret.ts": "a secret (",
  };
  const read = (name: string): string | null => {
    asked.push(name);
    return files[name] ?? null;
  };
  const { texts } = await gather("/p/main.ts", { read });
  t.deepEqual([...texts.keys()].toSorted(), ["/p/b.ts", "/p/main.ts", "/p/sub/a.ts"]);
  for (const name of [
    "../o/secret.ts",
    "./sub/../../o/secret",
    "/o/secret.ts",
    "/p/../o/secret.ts",
  ]) {
    const own = (file: string): string | null =>
      file === "/p/main.ts" ? `\nimport "${name}";` : read(file);
    await t.throwsAsync(gather("/p/main.ts", { read: own }), {
      message: `/p/main.ts:2: ${name} is outside of the program's directory: a vm program imports "namec" and modules of its own directory and those below it`,
    });
  }
  const dot = (file: string): string | null => (file === "main.ts" ? 'import "../main";' : null);
  await t.throwsAsync(gather("main.ts", { read: dot }), { message: /outside/ });
  t.false(asked.some((name) => name.startsWith("/o")));
});

test("what wstat cannot use is an error to a vm program, too, and changes nothing", async (t) => {
  const text = prog(`
    const boom = (): never => { throw new Error("boom"); };
    const bad: any[] = [new Proxy({}, { get: boom }), { get name() { return boom(); } }, [], boom, 7, { qid: new Proxy({}, { get: boom }) }];
    for (const d of bad) await sys.wstat("/tmp", d).then(() => print(sys, "changed "), (e: any) => print(sys, e.message + "\\n"));
  `);
  t.deepEqual(await ran(text, { files: { bin: bindir, tmp: {} } }), [
    "bad arg in system call\n".repeat(6),
    "",
  ]);
});

test("slow steps on a deep stack count for the time that they take: a program may not catch its overflows for ever", async (t) => {
  // A host whose clock moves by 10 ms whenever it is read: so each question finds that its steps were slow.
  let at = 0;
  const host = { ...thishost, now: () => (at += 1e7) };
  const steps = (deep: number): string =>
    prog(`
      const spin = () => { for (let i = 0; i < 5000; i++); };
      const go = (n: number): void => { if (n > 0) return void go(n - 1); spin(); };
      go(${deep});
    `);
  const limits = { stack: 128 * 1024, work: 1_000_000 };
  t.deepEqual(await ran(steps(0), { host, limits }), ["", ""]);
  const [, status] = await ran(steps(200), { host, limits });
  t.regex(status, /^sys: trap: no system call in 1000000 steps/);
});
