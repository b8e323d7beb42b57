// cp, fcp, cat, hget and httpd over a slow link: what they copy, what they cost, what they say.

import test from "ava";
import type { ExecutionContext } from "ava";
import { Buffertty } from "../../kernel/boot.ts";
import type { Booted } from "../../kernel/boot.ts";
import { OWRITE } from "../../kernel/abi/const.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { bin } from "../../userland/bin/index.ts";
import { type Net, serve9p, simnet } from "../../userland/boot/net.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import { dial } from "../../userland/lib/dial.ts";
import { parsehead, parseurl, targetname } from "../../userland/lib/http.ts";
import { progressline } from "../../userland/lib/progress.ts";
import { NOTHING, run } from "../kit/kit.ts";
import { Patternfs, matches, mount } from "../kit/streams.ts";

const LENGTH = 6_000_000;
const SECOND = 1e9;

type Case = {
  readonly t: ExecutionContext;
  readonly net: Net;
  readonly fs: Patternfs;
  readonly sys: Sys;
  readonly here: Booted;
  /** Runs a command; gives its status and what it wrote. */
  readonly cmd: (...argv: string[]) => Promise<{ status: string; output: string; ns: number }>;
};

/** A test with a file server and an httpd of the same files, 50 ms and 600 KB/s away. */
function slow(fn: (c: Case) => Promise<void>): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const net = simnet();
    const here = await net.boot("here", { files: { bin } });
    const there = await net.boot("m1", { files: { bin } });
    net.link("here", "m1", { rtt: "50ms", bw: "600KB/s" });
    const fs = new Patternfs();
    fs.add("f", LENGTH);
    await serve9p(there, "tcp!*!564", () => fs as Anysrv);
    const httpd = await web(there);
    await run(here, async (sys: Sys) => {
      await mount(sys, "m1");
      await fn({ t, net, fs, sys, here, cmd: commands(here, net) });
    });
    httpd.kill();
    await run(here, (sys: Sys) => sys.sleep(10_000));
    await net.shutdown();
    t.deepEqual(here.audit(), NOTHING);
    t.deepEqual(there.audit(), NOTHING);
  };
}

/** httpd on a machine, with its own server's files on /n/far. */
async function web(k: Booted): Promise<{ kill(): void }> {
  let ready: () => void = () => undefined;
  const mounted = new Promise<void>((resolve) => (ready = resolve));
  const p = k.spawn(
    async (sys: Sys) => {
      await mount(sys, "m1");
      ready();
      await sys.exec("/bin/httpd", ["httpd", "-r", "/n/far"]);
    },
    ["httpd"],
  );
  await mounted;
  await run(k, (sys: Sys) => sys.sleep(1));
  return p;
}

/** Runs commands on a machine that has the server mounted for each. */
function commands(k: Booted, net: Net): Case["cmd"] {
  return async (name, ...argv) => {
    let began = 0;
    const { status, output } = await run(k, async (sys: Sys) => {
      await mount(sys, "m1");
      await sys.sleep(1000);
      began = net.now;
      await sys.exec(`/bin/${name}`, [name, ...argv]);
    });
    return { status, output, ns: net.now - began };
  };
}

test("progress, URLs, targets and heads are taken apart as they should", (t) => {
  t.is(progressline(12_345_678, 200e6, 20), "12.3 MB of 200.0 MB, 6%, 617.3 KB/s, 5:04 left");
  t.is(progressline(2000, 0, 2), "2.0 KB, 1.0 KB/s");
  t.deepEqual(parseurl("http://a.b:81/x?y"), { host: "a.b", port: 81, path: "/x?y" });
  t.deepEqual(parseurl("http://a"), { host: "a", port: 80, path: "/" });
  for (const bad of ["https://a/", "http://", "http://a:x/", "http://a/b c"])
    t.is(parseurl(bad), null);
  t.is(targetname("/a/../../b%20c/./d?q#f"), "/b c/d");
  for (const bad of ["a", "*", "/%zz", "/a%00b"]) t.is(targetname(bad), null);
  t.is(parsehead("GET / HTTP/1.1\r\nHost:  x \r\nA: b: c")?.fields.get("host"), "x");
  t.is(parsehead("GET / HTTP/1.1\r\n folded"), null);
});

test(
  "cp takes the time of the bytes, fcp sixteen blocks in each round trip, http two round trips more than cp",
  slow(async ({ t, cmd, fs }) => {
    const bytes = (LENGTH / 600e3) * SECOND;
    const rtt = SECOND / 20;
    // What is copied back waits for the frame that it came in.
    const frame = (65536 / 600e3) * SECOND;
    for (const [argv, most] of [
      [["cp", "/n/far/f", "/dev/null"], bytes + 3 * rtt],
      [["cat", "/n/far/f"], bytes + rtt],
      [["fcp", "/n/far/f", "/dev/null"], bytes + (LENGTH / 16 / 8192) * rtt],
      [["hget", "-o", "/dev/null", "http://m1/f"], bytes + 3 * rtt],
      [["cp", "/n/far/f", "/n/far/copy"], bytes + 5 * rtt + frame],
    ] as const) {
      const { status, output, ns } = await cmd(...argv);
      t.is(status, "", `${argv.join(" ")}: ${output.slice(0, 100)}`);
      t.true(ns <= most * 1.01, `${argv.join(" ")} took ${ns}, not ${most}`);
      t.true(ns >= bytes, `${argv.join(" ")}`);
      if (argv[0] === "cat") t.true(output.length > LENGTH / 2);
    }
    t.deepEqual([fs.files.get("copy")?.length, fs.files.get("copy")?.wrong], [LENGTH, false]);
  }),
);

test(
  "a copy that fails says why, where, and with which file",
  slow(async ({ t, cmd, fs }) => {
    fs.add("full", 0, { limit: 1_000_000 });
    for (const [argv, text] of [
      [
        ["cp", "/n/far/no", "/dev/null"],
        "cp: can't stat /n/far/no: '/n/far/no' file does not exist",
      ],
      [["cp", "/n/far/f", "/n/far/full"], "cp: error copying /n/far/f to /n/far/full: "],
      [["cp", "/n/far/f", "/n/far/f/x"], "cp: can't create /n/far/f/x: "],
      [["fcp", "/n/far/no", "/dev/null"], "fcp: can't stat /n/far/no: "],
      [["hget", "http://m1/no"], "hget: http://m1/no: 404 Not Found"],
      [["hget", "http://m1/"], "hget: http://m1/: 403 Forbidden"],
      [["hget", "http://m1:81/"], "hget: http://m1:81/: "],
    ] as const) {
      const { status, output } = await cmd(...argv);
      t.not(status, "");
      t.true(output.startsWith(text), output);
    }
  }),
);

test(
  "hget writes what httpd serves; a long copy with -v shows how far it is, and leaves no line",
  slow(async ({ t, cmd, sys }) => {
    const { output } = await cmd("hget", "-v", "-o", "/tmp/f", "http://m1/f");
    t.regex(output, /\r1\.\d MB of 6\.0 MB, \d+%, 6\d\d\.\d KB\/s, 0:0\d left/);
    t.regex(output, /\r +\r$/);
    const buf = new Uint8Array(LENGTH + 1);
    const fd = await sys.open("/tmp/f", 0);
    let n = 0;
    for (let got = -1; got !== 0; n += got) got = await sys.read(fd, buf.subarray(n));
    t.is(n, LENGTH);
    t.true(matches(0, buf.subarray(0, n)));
    await sys.close(fd);
    t.regex((await cmd("cp", "-v", "/n/far/f", "/dev/null")).output, /5:|0:0\d left/);
    t.is((await cmd("cp", "-v", "/tmp/f", "/dev/null")).output, "");
  }),
);

/** A console of which these descriptors are a terminal; what is written to 2 is kept apart. */
class Term extends Buffertty {
  readonly terminals: readonly number[];
  err = "";

  constructor(terminals: readonly number[]) {
    super();
    this.terminals = terminals;
  }

  *writeerr(bytes: Uint8Array): Task<void> {
    this.err += utfdecode(bytes, 0, bytes.length);
  }
}

test(
  "a copy that takes long says how far it is where a person sees it and it is not in the way",
  slow(async ({ t, here }) => {
    const cp = ["cp", "/n/far/f", "/dev/null"];
    const fcp = ["fcp", "/n/far/f", "/dev/null"];
    const cat = ["cat", "/n/far/f"];
    const hget = ["hget", "http://m1/f"];
    for (const [argv, terminals, to2, seen] of [
      [cp, [0, 1, 2], "", true],
      [cp, [2], "", true],
      [cp, [0, 1], "", false],
      [cp, [2], "/tmp/log", false],
      [fcp, [2], "", true],
      [fcp, [], "", false],
      [cat, [0, 2], "", true],
      [cat, [1, 2], "", false],
      [hget, [2], "", true],
      [hget, [1, 2], "", false],
      [["hget", "-o", "/tmp/g", "http://m1/f"], [1, 2], "", true],
    ] as const) {
      const tty = new Term(terminals);
      const main = async (sys: Sys): Promise<void> => {
        await mount(sys, "m1");
        if (to2 !== "") await sys.dup(await sys.create(to2, OWRITE, 0o666), 2);
        await sys.exec(`/bin/${argv[0]}`, argv);
      };
      const what = `${argv.join(" ")} with ${terminals.join()}`;
      t.is(await here.spawn(main, ["main"], { tty }).wait(), "", what);
      if (seen) t.regex(tty.err, /^\r1\.\d MB[^]*, [56]\d\d\.\d KB\/s[^]*\r +\r$/, what);
      else t.is(tty.err, "", what);
      t.false(tty.text().includes("KB/s"), what);
    }
  }),
);

test(
  "httpd takes several requests on a connection, and refuses what is none",
  slow(async ({ t, sys, fs }) => {
    fs.add("small", 5);
    const ask = async (text: string): Promise<string> => {
      const fd = await dial(sys, "tcp!m1!80");
      await sys.write(fd, new TextEncoder().encode(text));
      let all = "";
      const buf = new Uint8Array(8192);
      for (let n = -1; n !== 0; all += Buffer.from(buf.subarray(0, n)).toString("latin1"))
        n = await sys.read(fd, buf);
      await sys.close(fd);
      return all.replaceAll(/Content-Type.*\r\n/g, "");
    };
    const ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n";
    const get = "GET /small HTTP/1.1\r\n";
    t.is(
      await ask(`${get}\r\nHEAD /small HTTP/1.1\r\n\r\n${get}Connection: close\r\n\r\n`),
      `${ok}\r\n\0\x01\x02\x03\x04${ok}\r\n${ok}Connection: close\r\n\r\n\0\x01\x02\x03\x04`,
    );
    t.regex(await ask("PUT / HTTP/1.1\r\n\r\n"), /^HTTP\/1.1 501 /);
    t.regex(await ask("hello\r\n\r\n"), /^HTTP\/1.1 400 /);
    t.regex(await ask("GET /../../small HTTP/1.0\r\n\r\n"), /^HTTP\/1.1 200 /);
  }),
);
