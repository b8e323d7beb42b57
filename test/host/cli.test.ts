// The command line, as real processes: what a user types, sees and gets as a status.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test from "ava";
import { NAMEC, Run, directory, namec, serving } from "../kit/cli.ts";

const program = (body: string): string =>
  `import { OREAD, type Sys, print, readtext, writefile } from "namec";
export default async function main(sys: Sys, argv: string[]): Promise<string | void> {
${body}
}
`;

test("a program's output comes out, and its string is the status", async (t) => {
  const dir = directory(t, {
    "args.ts": program('  await print(sys, `${argv.join("|")}\\n`);'),
    "sad.ts": program('  return "no luck";'),
    "empty.ts": program('  return "";'),
    "js.mjs": 'export default function* main(sys) { yield* sys.exits("from js"); }\n',
  });
  t.deepEqual(await namec(["run", "args.ts", "-x", "--trace", "b c"], "", dir), {
    status: 0,
    signal: null,
    out: "args|-x|--trace|b c\n",
    err: "",
  });
  const sad = await namec(["run", join(dir, "sad.ts")]);
  t.deepEqual([sad.status, sad.out, sad.err], [1, "", "no luck\n"]);
  t.is((await namec(["run", join(dir, "empty.ts")])).status, 0);
  t.deepEqual(await namec(["run", "./js.mjs"], "", dir), {
    status: 1,
    signal: null,
    out: "",
    err: "from js\n",
  });
});

test("programs of /bin run by their names, and read standard input", async (t) => {
  t.is((await namec(["run", "echo", "-n", "a", "b"])).out, "a b");
  t.is((await namec(["run", "cat"], "line one\nline two\n")).out, "line one\nline two\n");
  const missing = await namec(["run", "cat", "/no/such"]);
  t.deepEqual([missing.status, missing.out], [1, ""]);
  t.is(missing.err, "cat: can't open /no/such: '/no' file does not exist\n");
});

test("what a program has said of its end is not said twice, and output that goes nowhere is", async (t) => {
  const dir = directory(t, {
    "said.ts": program(
      '  await sys.write(2, new TextEncoder().encode("said: no luck\\n"));\n  return "no luck";',
    ),
    "other.ts": program(
      '  await sys.write(2, new TextEncoder().encode("busy\\n"));\n  return "no luck";',
    ),
  });
  t.is((await namec(["run", join(dir, "said.ts")])).err, "said: no luck\n");
  t.is((await namec(["run", join(dir, "other.ts")])).err, "busy\nno luck\n");
  const directoryread = await namec(["run", "cat", "/"]);
  t.deepEqual(
    [directoryread.status, directoryread.out, directoryread.err],
    [1, "", "cat: error reading /: file is a directory\n"],
  );
  const full = spawnSync("sh", [
    "-c",
    `"${process.execPath}" "${NAMEC}" run seq 100000 >/dev/full`,
  ]);
  t.is(full.status, 1);
  t.is(
    full.stderr.toString(),
    "namec: cannot write what the program writes: no space left on device\n",
  );
});

test("an option of step behind the program is refused, unless it is behind --", async (t) => {
  const late = await namec(["step", "--print", "echo", "--host", "far"]);
  t.is(late.status, 2);
  t.regex(late.err, /--host stands behind the program/);
  const meant = await namec(["step", "--print", "echo", "--", "--host", "far"]);
  t.is(meant.status, 0);
});

test("modules beside a program are found, TypeScript or not, and namec is this package", async (t) => {
  const dir = directory(t, {
    "main.ts": `import { a } from "./a.ts";\nimport { b } from "./b.js";\nimport { c } from "./c";
import { PlanError, Sys } from "namec";
export default async (sys: Sys) => { await sys.write(1, new TextEncoder().encode(a + b + c + (new PlanError("x") instanceof Error))); };\n`,
    "a.ts": 'export const a: string = "a";\n',
    "b.ts": 'export enum B { b = "b" }\nexport const b = B.b;\n',
    "c.ts": 'export const c = "c" as const;\n',
  });
  t.like(await namec(["run", "main.ts"], "", dir), { status: 0, out: "abctrue", err: "" });
});

test("a crash shows the program's own lines, and nobody else's", async (t) => {
  const dir = directory(t, {
    "crash.ts": `import type { Sys } from "namec";
type Deep = { readonly deeper: Deep | null };

function fall(d: Deep | null): never {
  throw new TypeError(\`too deep\${d === null ? "" : "er"}\`);
}

export default async function main(sys: Sys): Promise<void> {
  await sys.sleep(1);
  fall(null);
}
`,
    "later.ts": program(
      "  setTimeout(() => { throw new Error('late'); }, 1);\n  await sys.sleep(60000);",
    ),
    "forgotten.ts": program(
      "  void Promise.reject(new Error('forgotten'));\n  await sys.sleep(60000);",
    ),
    "missing.ts": program("  await sys.open('/tmp/none', OREAD);"),
  });
  const crash = await namec(["run", "crash.ts"], "", dir);
  t.is(crash.status, 1);
  t.is(crash.out, "");
  t.regex(
    crash.err,
    /^crash: TypeError: too deep\n {4}at fall \(crash\.ts:5:\d+\)\n {4}at main \(crash\.ts:10:\d+\)\n$/,
  );
  t.regex((await namec(["run", "later.ts"], "", dir)).err, /^later: Error: late\n.*later\.ts:3/);
  t.regex(
    (await namec(["run", "forgotten.ts"], "", dir)).err,
    /^forgotten: Error: forgotten\n.*forgotten\.ts:3/,
  );
  const missing = await namec(["run", "missing.ts"], "", dir);
  t.deepEqual(
    [missing.status, missing.err],
    [
      1,
      "missing: '/tmp/none' does not exist (open /tmp/none)\n    at async main (missing.ts:3:3)\n",
    ],
  );
});

test("a file that cannot be a program says so, with the place", async (t) => {
  const dir = directory(t, {
    "parse.ts": "const a: number = 1;\nconst b = ;\n",
    "engine.ts": 'import type { Sys } from "namec";\nlet a = 1;\nlet a = 2;\n',
    "plain.js": "export default 1 +;\n",
    "nothing.ts": "export const main = 1;\n",
    "import.ts": 'import { nothing } from "namec";\nexport default () => nothing();\n',
    "notes.txt": "hello\n",
  });
  const err = async (file: string): Promise<string> => {
    const r = await namec(["run", file], "", dir);
    t.not(r.status, 0);
    t.is(r.out, "");
    t.false(r.err.includes("    at "), r.err);
    return r.err;
  };
  t.regex(await err("parse.ts"), /parse\.ts:2:11: Unexpected token\n {4}const b = ;\n {14}\^/);
  t.regex(await err("engine.ts"), /engine\.ts:3\nlet a = 2;/);
  t.regex(await err("plain.js"), /plain\.js:1\nexport default 1 \+;/);
  t.regex(await err("nothing.ts"), /nothing\.ts has no default export/);
  t.regex(
    await err("import.ts"),
    /import\.ts:1: "namec" exports no nothing, and none of its \d+ exports is spelled like that/,
  );
  t.regex(await err("notes.txt"), /notes\.txt: a program is a \.ts, \.js or \.mjs file/);
  t.regex(await err("none.ts"), /none\.ts: there is no such file/);
});

test("wrong words get an answer that says what is right, and status 2", async (t) => {
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [["rum"], /unknown command rum\n +did you mean run\?/],
    [["--nonsense"], /unknown option --nonsense/],
    [["run"], /no program is given/],
    [["run", "--trce", "ls"], /unknown option --trce\n +did you mean --trace\?/],
    [["run", "sh"], /there is no program sh.*\n +did you mean rc\?/],
    [["run", "lss"], /there is no program lss.*\n +did you mean ls\?/],
    [["run", "--mount", "tcp!127.0.0.1!1"], /--mount needs 2 values: --mount ADDR DIR/],
    [["run", "--mount", "127.0.0.1:5640", "/n/x", "ls"], /write it 'tcp!127\.0\.0\.1!5640'/],
    [["run", "--mount", "tcp!127.0.0.1!1", "n/x", "ls"], /n\/x must be an absolute name/],
    [["serve"], /no server is named/],
    [["serve", "romfs"], /unknown server romfs\n +did you mean ramfs\?/],
    [["serve", "ramfs", "--perm", "rwx"], /permissions are octal/],
    [["serve", "exportfs"], /exportfs needs --root DIR/],
    [["serve", "exportfs", "--root", "/no/such"], /no such directory/],
    [["help", "demos"], /did you mean demo\?/],
  ];
  for (const [words, says] of wrong) {
    const r = await namec(words);
    t.is(r.status, 2, words.join(" "));
    t.is(r.out, "");
    t.regex(r.err, says);
  }
});

test("help is there for everything, and fits 80 columns but for what a user types", async (t) => {
  for (const words of [
    ["--help"],
    ["help", "run"],
    ["serve", "--help"],
    ["demo", "--help"],
    ["help"],
  ]) {
    const r = await namec(words);
    t.is(r.status, 0);
    t.is(r.err, "");
    t.regex(r.out, /usage: namec/);
    t.regex(r.out, /\nWhat a word means: namec glossary WORD, or docs\/glossary\.md\n$/);
    for (const line of r.out.split("\n")) t.true(line.length <= 100, line);
  }
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  t.is((await namec(["--version"])).out, `namec ${version}\n`);
});

test("a ramfs served by one process is mounted by another, and its files stay there", async (t) => {
  const { addr, run } = await serving(t, ["ramfs"]);
  const dir = directory(t, {
    "put.ts": program(
      '  await writefile(sys, "/n/far/deep/f", argv[1] ?? "");'.replace("deep/", ""),
    ),
    "get.ts": program('  await print(sys, await readtext(sys, "/n/far/f"));'),
  });
  const far = ["--mount", addr, "/n/far"];
  t.like(await namec(["run", ...far, "put.ts", "kept\n"], "", dir), { status: 0, err: "" });
  t.like(await namec(["run", ...far, "get.ts"], "", dir), { status: 0, out: "kept\n", err: "" });
  const twice = [...far, "--mount", addr, "/n/a/b/c"];
  t.like(await namec(["run", ...twice, "cat", "/n/far/f", "/n/a/b/c/f"]), { out: "kept\nkept\n" });
  run.interrupt();
  t.like(await run.ended(), { status: 0, signal: null });
});

test("a host directory is served, and nothing of it changes where that was not wanted", async (t) => {
  const dir = directory(t, { readme: "on the host\n" });
  const rw = await serving(t, ["exportfs", "--root", dir]);
  const ro = await serving(t, ["exportfs", "--root", dir, "--readonly"]);
  t.is(
    (await namec(["run", "--mount", ro.addr, "/n/h", "cat", "/n/h/readme"])).out,
    "on the host\n",
  );
  t.is((await namec(["run", "--mount", ro.addr, "/n/h", "touch", "/n/h/new"])).status, 1);
  t.false(existsSync(join(dir, "new")));
  t.is((await namec(["run", "--mount", rw.addr, "/n/h", "touch", "/n/h/new"])).status, 0);
  t.true(existsSync(join(dir, "new")));
});

test("a server that is not there, is none, or never answers is an error that names it", async (t) => {
  const refused = await namec(["run", "--mount", "tcp!127.0.0.1!1", "/n/x", "ls"]);
  t.deepEqual(
    [refused.status, refused.err],
    [1, "namec run: cannot mount tcp!127.0.0.1!1 on /n/x: connection refused\n"],
  );
  const http = createServer((s) => s.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.teardown(() => http.close());
  const addr = `tcp!127.0.0.1!${(http.address() as AddressInfo).port}`;
  const none = await namec(["run", "--mount", addr, "/n/x", "ls"]);
  t.is(none.status, 1);
  t.regex(none.err, /cannot mount tcp!127\.0\.0\.1!\d+ on \/n\/x: .*is it a 9P server\?/);
});

test("a port that is taken is an error that says so", async (t) => {
  const { addr } = await serving(t, ["ramfs"]);
  const r = await namec(["serve", "ramfs", "--listen", addr]);
  t.deepEqual([r.status, r.err], [1, `namec serve: cannot listen on ${addr}: address in use\n`]);
});

test("a program that goes on over a server that died ends with Plan 9's error", async (t) => {
  const { addr, run } = await serving(t, ["ramfs"]);
  const dir = directory(t, {
    "loop.ts": program(`  await print(sys, "looping\\n");
  for (;;) {
    await sys.stat("/n/far");
    await sys.sleep(5);
  }`),
  });
  const loop = new Run(["run", "--mount", addr, "/n/far", join(dir, "loop.ts")]);
  await loop.saying(/looping/);
  run.child.kill("SIGKILL");
  const r = await loop.ended();
  t.is(r.status, 1);
  t.regex(r.err, /i\/o on hungup channel \(stat \/n\/far\)/);
});

test("Ctrl-C is the note interrupt: a handler may go on, the second one ends it, the third waits for nothing", async (t) => {
  const dir = directory(t, {
    "stubborn.ts": program(`  await sys.notify(async (note, s) => {
    await print(sys, \`note: \${note}\\n\`);
    await (s as Sys).noted(0);
  });
  await print(sys, "ready\\n");
  for (;;) {
    try {
      await sys.sleep(60_000);
    } catch {
      await print(sys, "going on\\n");
    }
  }`),
    // It never sleeps, and takes every error for granted.
    "spin.mjs": `export default function* main(sys) {
  yield* sys.write(1, new TextEncoder().encode("ready"));
  for (;;) try { yield* sys.stat("/n/nothing"); } catch {}
}\n`,
    // Its end is no end either.
    "endless.mjs": `export default function* main(sys) {
  yield* sys.write(1, new TextEncoder().encode("ready"));
  for (;;) try { yield* sys.stat("/n/nothing"); } finally { continue; }
}\n`,
    "polite.ts": program('  await print(sys, "ready\\n");\n  await sys.sleep(60_000);'),
  });
  const polite = new Run(["run", join(dir, "polite.ts")]);
  await polite.saying(/ready/);
  polite.interrupt();
  t.like(await polite.ended(), { status: 130, signal: null, err: "" });

  const spin = new Run(["run", join(dir, "spin.mjs")]);
  await spin.saying(/ready/);
  spin.interrupt();
  t.like(await spin.ended(), { status: 130, signal: null, err: "" });

  const endless = new Run(["run", join(dir, "endless.mjs")]);
  await endless.saying(/ready/);
  // A signal that is pending takes in a second of its kind.
  const again = setInterval(() => endless.interrupt(), 20);
  // Where the machine is busy the watchdog may be first, and then the signal is the end.
  const { status, signal, err } = await endless.ended();
  t.deepEqual([signal ?? status, err], [signal === null ? 130 : "SIGINT", ""]);
  clearInterval(again);

  const stubborn = new Run(["run", join(dir, "stubborn.ts")]);
  await stubborn.saying(/ready/);
  stubborn.interrupt();
  await stubborn.saying(/note: interrupt\n(?:.*\n)*going on/);
  stubborn.interrupt();
  t.like(await stubborn.ended(), { status: 130, signal: null });
});

test("a program that can never go on is ended, and says what it waits for", async (t) => {
  const dir = directory(t, {
    "pipe.ts": program("  const [a] = await sys.pipe();\n  await sys.read(a, new Uint8Array(1));"),
    "promise.ts": program("  await new Promise(() => undefined);"),
  });
  const pipe = await namec(["run", "pipe.ts"], "", dir);
  t.is(pipe.status, 1);
  t.regex(pipe.err, /nothing can run any more.*\n\d+ pipe\n\tread: /);
  const promise = await namec(["run", "promise.ts"], "", dir);
  t.is(promise.status, 1);
  t.regex(promise.err, /\d+ promise\n\tno system call: a promise of its own/);
});

test("a reader that goes away ends the program quietly", async (t) => {
  const dir = directory(t, { "yes.ts": program('  for (;;) await print(sys, "y\\n");') });
  const yes = new Run(["run", join(dir, "yes.ts")]);
  await yes.saying(/y/);
  yes.child.stdout?.destroy();
  t.like(await yes.ended(), { status: 141, err: "" });
});

test("--trace shows calls, steps and messages on stderr and leaves stdout alone", async (t) => {
  const { addr } = await serving(t, ["ramfs"]);
  const dir = directory(t, {
    "stat.ts": program('  await sys.stat("/n/far");\n  await print(sys, "done\\n");'),
  });
  const r = await namec(["run", "--trace", "--mount", addr, "/n/far", join(dir, "stat.ts")]);
  t.is(r.out, "done\n");
  t.regex(r.err, /stat\("\/n\/far"\) = d-rwxrwxrwx .* 1 round trip, /);
  t.regex(r.err, /\n {17}→ Tstat tag \d+ fid \d+\n {17}← Rstat/);
  t.regex(r.err, /write\(1, "done\\n"\) = 5/);
});

test("the demo makes its tour, and leaves neither a process nor a file", async (t) => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("namec-demo-"));
  const demo = new Run(["demo"]);
  const [, pid = ""] = await demo.saying(/Process (\d+) serves a directory/);
  const r = await demo.ended();
  t.like(r, { status: 0, err: "" });
  for (const says of [
    /It says: This file is on the host/,
    /note {2}readme {2}usr/,
    /'\/n\/host\/usr\/nobody' does not exist/,
    /Twalk 0 → \d+ usr\/glenda\/lib\/profile\/plan +Rwalk 5 qids/,
    /That was \d+ system calls/,
  ])
    t.regex(r.out, says);
  for (const line of r.out.split("\n")) t.true(line.length <= 100, line);
  const unread = new Run(["demo"]);
  await unread.saying(/Plan 9/);
  unread.child.stdout?.destroy();
  t.like(await unread.ended(), { status: 141, err: "" });
  t.throws(() => process.kill(Number(pid), 0));
  t.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith("namec-demo-")),
    before,
  );
});

test("explain says what became of a name, on simulated machines and on a real server", async (t) => {
  const sim = await namec(["explain", "--host", "far:rtt=50ms", "open /n/far/x/y"]);
  t.is(sim.status, 0);
  t.regex(sim.out, /^open\("\/n\/far\/x\/y", OREAD\) fails: '\/n\/far\/x' file does not exist\.$/m);
  t.regex(sim.out, /^It cost 50\.00 ms, 1 round trip,/m);
  t.true(sim.out.split("\n").every((line) => line.length <= 80));
  t.is(sim.err, "");
  const { addr } = await serving(t, ["ramfs"]);
  const calls = "mkdir /n/remote/d; write /n/remote/d/f hi; stat /n/remote/d/g";
  const real = await namec(["explain", "--mount", addr, "/n/remote", calls]);
  t.is(real.status, 0);
  t.regex(real.out, /there\s+is\s+f\./);
  // What is real would be changed twice.
  t.notRegex(real.out, /run beside it/);
  const wrong = await namec(["explain", "opne /n/far/x"]);
  t.is(wrong.status, 2);
  t.is(wrong.err, "namec explain: there is no call opne\n    did you mean open NAME [MODE]?\n");
});

test("namec web hands out the page's files and nothing else, until Ctrl-C", async (t) => {
  const run = new Run(["web", "--port", "0"]);
  t.teardown(() => void run.child.kill("SIGKILL"));
  const [, url = ""] = await run.saying(/^the page is at (http:\S+);/m);
  const page = await fetch(url);
  t.like(page, { status: 200 });
  t.is(page.headers.get("content-type"), "text/html; charset=utf-8");
  const text = await page.text();
  const [, script = ""] = /src="(\.\/assets\/\S+\.js)"/.exec(text) ?? [];
  const head = await fetch(new URL(script, url), { method: "HEAD" });
  t.is(head.headers.get("content-type"), "text/javascript; charset=utf-8");
  t.true(Number(head.headers.get("content-length")) > 1000);
  t.is(await head.text(), "");
  t.is((await fetch(new URL("nothing", url))).status, 404);
  t.is((await fetch(new URL("%2e%2e%2fuserland/host/namec.js", url))).status, 404);
  t.is((await fetch(url, { method: "POST" })).status, 405);
  const { port } = new URL(url);
  const second = await namec(["web", "--port", port]);
  t.is(second.status, 1);
  t.regex(second.err, /^namec web: port \d+ of 127\.0\.0\.1 is taken; give another, or --port 0/);
  run.interrupt();
  t.like(await run.ended(), { status: 0, signal: null });
});

test("namec web says how to build the page where it is not built", (t) => {
  const dir = directory(t, { "package.json": '{ "type": "module" }\n' });
  for (const room of ["kernel", "devices", "syscalls", "userland"])
    cpSync(join("dist", room), join(dir, "dist", room), { recursive: true });
  symlinkSync(resolve("node_modules"), join(dir, "node_modules"));
  const file = join(dir, "dist/userland/host/namec.js");
  const run = spawnSync(process.execPath, [file, "web", "--port", "0"], { encoding: "utf8" });
  t.like(run, {
    status: 1,
    stdout: "",
    stderr: "namec web: the page is not built: there is no dist/web; run npm run build:web\n",
  });
});
