// Who comes in to `namec serve`: dial strings, certificates on both sides, and clients that are not ours.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { connect as dialtls } from "node:tls";
import test from "ava";
import type { ExecutionContext } from "ava";
import { MREPL, NOFID, NOTAG } from "../../kernel/abi/const.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { type Sys, announce, boot, hostnet, netaddr, print } from "../../userland/host/index.ts";
import { said } from "../kit/msg.ts";
import { Run, directory, namec } from "../kit/cli.ts";
import { Frames, pack, reply } from "../kit/frames.ts";

/** A server that ends with the test. */
async function serve(t: ExecutionContext, ...args: string[]): Promise<{ run: Run; addr: string }> {
  const run = new Run(["serve", "ramfs", ...args]);
  t.teardown(() => void run.child.kill("SIGKILL"));
  const [, addr = ""] = await run.saying(/^serving ramfs on (\S+)$/m);
  return { run, addr };
}

const portof = (addr: string): string => addr.split("!").at(-1) ?? "";

/** What `ls` of a mounted server gives. */
async function ls(addr: string, ...args: string[]): Promise<string> {
  const { status, out, err } = await namec([
    "run",
    ...args,
    "--mount",
    addr,
    "/n/r",
    "ls",
    "-ld",
    "/n/r",
  ]);
  return status === 0 ? out : err;
}

const IN = /^d-rwxrwxrwx M \d+ glenda glenda .*\/n\/r\n$/;

/** Runs openssl; throws what it says when it fails. */
function openssl(cwd: string, ...args: string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
}

/** Certificates of `namec cert`, and bad ones that openssl makes: a directory of each, as --tls wants it. */
async function certs(t: ExecutionContext): Promise<string> {
  const dir = directory(t, {});
  const made = await namec(["cert", dir, "--user", "alice"]);
  t.is(made.status, 0, made.err);
  return dir;
}

/** A certificate of openssl's: its own, or signed by an authority. */
function forged(
  dir: string,
  name: string,
  subject: string,
  days: string,
  authority: string,
): string {
  const at = join(dir, name);
  mkdirSync(at, { recursive: true });
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    "key.pem",
  ];
  if (authority === "")
    openssl(at, "req", "-x509", ...key, "-subj", subject, "-days", days, "-out", "cert.pem");
  else {
    openssl(at, "req", ...key, "-subj", subject, "-out", "req.pem");
    const ca = [
      "-CA",
      join(dir, authority, "ca.pem"),
      "-CAkey",
      join(dir, authority, "ca.key.pem"),
    ];
    openssl(at, "x509", "-req", "-in", "req.pem", ...ca, "-days", days, "-out", "cert.pem");
  }
  writeFileSync(join(at, "ca.pem"), readFileSync(join(dir, "server/ca.pem")));
  return at;
}

const tversion: Tmsg = { type: fc.Tversion, tag: NOTAG, msize: 8192, version: "9P2000" };
const tattach = (uname: string): Tmsg => ({
  type: fc.Tattach,
  tag: 1,
  fid: 0,
  afid: NOFID,
  uname,
  aname: "",
});

/** A client that carries frames and knows nothing else of 9P: a process, or a socket. */
class Carrier {
  readonly #come: Rmsg[] = [];
  #look: () => void = () => undefined;
  readonly #write: (bytes: Uint8Array) => void;

  constructor(from: NodeJS.ReadableStream, write: (bytes: Uint8Array) => void) {
    this.#write = write;
    const frames = new Frames();
    from.on("data", (chunk: Buffer) => {
      this.#come.push(...frames.add(chunk).map(reply));
      this.#look();
    });
    from.on("close", () => this.#look());
  }

  send(...fs: Tmsg[]): void {
    this.#write(pack(...fs));
  }

  /** The next reply. */
  async reply(): Promise<Rmsg> {
    for (;;) {
      const r = this.#come.shift();
      if (r !== undefined) return r;
      await new Promise<void>((resolve) => (this.#look = resolve));
    }
  }

  async rpc(f: Tmsg): Promise<string> {
    this.send(f);
    return said(await this.reply());
  }
}

/** openssl s_client, with the certificate of a directory. */
function sclient(t: ExecutionContext, port: string, dir: string): Carrier {
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((f) => join(dir, f)) as [
    string,
    string,
    string,
  ];
  const who = ["-CAfile", ca, "-cert", cert, "-key", key, "-verify_return_error"];
  const child = spawn("openssl", ["s_client", "-quiet", "-connect", `127.0.0.1:${port}`, ...who], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  t.teardown(() => void child.kill("SIGKILL"));
  return new Carrier(child.stdout, (bytes) => void child.stdin.write(bytes));
}

function plain(t: ExecutionContext, where: { port: number } | { path: string }): Carrier {
  const sock = connect(where);
  sock.on("error", () => undefined);
  t.teardown(() => void sock.destroy());
  return new Carrier(sock, (bytes) => void sock.write(bytes));
}

test("the name of a certificate is the user, whatever Tattach claims, to our client and to openssl's", async (t) => {
  const dir = await certs(t);
  const { run, addr } = await serve(t, "--tls", `${dir}/server`, "--listen", "tls!127.0.0.1!0");
  t.regex(addr, /^tls!127\.0\.0\.1!\d+$/);
  t.regex(await ls(addr, "--tls", `${dir}/alice`), IN);
  const why = "authentication failed: the certificate is for alice, not bob";
  t.is(
    await ls(addr, "--tls", `${dir}/alice`, "--user", "bob"),
    `namec run: cannot mount ${addr} on /n/r: ${why}\n`,
  );
  await run.saying(/^an attach was refused: .* for alice, not bob$/m);
  const c = sclient(t, portof(addr), `${dir}/alice`);
  t.is(await c.rpc(tversion), "version:9P2000 8192");
  t.is(await c.rpc(tattach("bob")), `1 error:${why}`);
  t.is(await c.rpc(tattach("")), `1 ${fc.Rattach}`);
  const create: Tmsg = { type: fc.Tcreate, tag: 1, fid: 0, name: "f", perm: 0o644, mode: 1 };
  t.is(await c.rpc(create), `1 ${fc.Rcreate}`);
  const list = await namec([
    "run",
    "--tls",
    `${dir}/alice`,
    "--mount",
    addr,
    "/n/r",
    "ls",
    "-l",
    "/n/r",
  ]);
  t.regex(list.out, / alice glenda .* \/?.*f\n/);
});

test("bad clients hear why, the server says so, and a good one does not notice", async (t) => {
  const dir = await certs(t);
  const { run, addr } = await serve(t, "--tls", `${dir}/server`, "--listen", "tcp!127.0.0.1!0");
  const good = sclient(t, portof(addr), `${dir}/alice`);
  t.is(await good.rpc(tversion), "version:9P2000 8192");
  t.is(await good.rpc(tattach("alice")), `1 ${fc.Rattach}`);
  const none = forged(dir, "none", "/CN=alice", "1", "");
  const bare = directory(t, { "ca.pem": readFileSync(join(dir, "server/ca.pem"), "latin1") });
  await namec(["cert", join(dir, "others"), "--user", "alice"]);
  const foreign = join(dir, "others/alice");
  writeFileSync(join(foreign, "ca.pem"), readFileSync(join(dir, "server/ca.pem")));
  const bad: readonly (readonly [string, string])[] = [
    [bare, "the client shows no certificate"],
    [none, "the client's certificate is signed by itself"],
    [forged(dir, "old", "/CN=alice", "-1", "authority"), "the client's certificate has expired"],
    [foreign, "the client's certificate is signed by an unknown authority"],
    [join(dir, "server"), "the client's certificate is for another purpose"],
    [
      forged(dir, "two", "/CN=alice/CN=bob", "1", "authority"),
      "the client's certificate has no single common name",
    ],
    [
      forged(dir, "no", "/O=alice", "1", "authority"),
      "the client's certificate has no single common name",
    ],
  ];
  for (const [tls, why] of bad) {
    t.is(
      await ls(addr, "--tls", tls, "--user", "alice"),
      `namec run: cannot mount ${addr} on /n/r: ${why}\n`,
    );
    // The server says one line a second, the last of those that came meanwhile.
    await run.saying(new RegExp(`^a call was refused: 127\\.0\\.0\\.1: ${why}`, "m"));
  }
  const text = plain(t, { port: Number(portof(addr)) });
  t.is(await text.rpc(tversion), `${NOTAG} error:the client does not speak TLS; dial tls!`);
  await run.saying(/^a call was refused: 127\.0\.0\.1: the client does not speak TLS/m);
  t.is(await good.rpc({ type: fc.Tstat, tag: 3, fid: 0 }), `3 ${fc.Rstat}`);
});

test("a client trusts the server that its authority signed, by a name that is in the certificate", async (t) => {
  const dir = await certs(t);
  const { addr } = await serve(t, "--tls", `${dir}/server`, "--listen", "tls!127.0.0.1!0");
  const fails = (why: string): string => `namec run: cannot mount ${addr} on /n/r: ${why}\n`;
  await namec(["cert", join(dir, "others"), "--user", "alice"]);
  t.is(
    await ls(addr, "--tls", join(dir, "others/alice")),
    fails("the server's certificate is signed by an unknown authority"),
  );
  t.is(await ls(addr), fails("the server's certificate is signed by an unknown authority"));
  const wrong = join(dir, "wrong");
  const names = forged(dir, "wrong", "/CN=fs.example.org", "1", "authority");
  t.is(names, wrong);
  const other = await serve(t, "--tls", wrong, "--listen", "tls!127.0.0.1!0");
  t.is(
    await ls(other.addr, "--tls", `${dir}/alice`),
    `namec run: cannot mount ${other.addr} on /n/r: the server's certificate is not one of 127.0.0.1\n`,
  );
  const clear = await serve(t, "--listen", "tcp!127.0.0.1!0");
  const tls = clear.addr.replace("tcp", "tls");
  t.is(
    await ls(tls, "--tls", `${dir}/alice`),
    `namec run: cannot mount ${tls} on /n/r: the server hung up before TLS was agreed on\n`,
  );
  await clear.run.saying(/^a call was refused: the client speaks TLS; dial tcp!$/m);
  t.regex(await ls(clear.addr), IN);
});

test("a certificate that is renewed is shown to the next client, and the connections that are stay", async (t) => {
  const dir = await certs(t);
  const { run, addr } = await serve(t, "--tls", `${dir}/server`, "--listen", "tls!127.0.0.1!0");
  const shown = (): string => {
    const who = ["-CAfile", "ca.pem", "-cert", "cert.pem", "-key", "key.pem"];
    const args = ["s_client", "-connect", `127.0.0.1:${portof(addr)}`, ...who];
    const { stdout } = spawnSync("openssl", args, {
      cwd: join(dir, "alice"),
      input: "",
      encoding: "utf8",
    });
    return /-----BEGIN[^]*?-----END CERTIFICATE-----/.exec(stdout)?.[0] ?? "";
  };
  const cert = (): string => readFileSync(join(dir, "server/cert.pem"), "utf8").trim();
  const before = cert();
  t.is(shown(), before);
  const old = sclient(t, portof(addr), `${dir}/alice`);
  t.is(await old.rpc(tversion), "version:9P2000 8192");
  t.is((await namec(["cert", dir, "--user", "alice"])).status, 0);
  t.not(cert(), before);
  t.is(shown(), cert());
  t.is(await old.rpc(tattach("alice")), `1 ${fc.Rattach}`);
  const last = cert();
  writeFileSync(join(dir, "server/cert.pem"), "half a file");
  t.is(shown(), last);
  await run.saying(/^the certificates stay as they were: .*certificates cannot be used/m);
});

test("a server that other machines reach wants certificates or --anyone", async (t) => {
  for (const addr of ["tcp!*!0", "tcp!0.0.0.0!0", "tcp![::]!0", "tcp!fs.example.org!0"]) {
    const { status, err } = await namec(["serve", "ramfs", "--listen", addr]);
    t.is(status, 1, addr);
    t.regex(err, /^namec serve: .* is open to other machines: .*--tls DIR.*--anyone .*\n$/);
  }
  const open = await serve(t, "--anyone", "--listen", "tcp!*!0");
  t.regex(open.addr, /^tcp!\*!\d+$/);
  t.regex(await ls(`tcp![::1]!${portof(open.addr)}`), IN);
  t.regex(await ls(`tcp!127.0.0.1!${portof(open.addr)}`), IN);
  const six = await serve(t, "--listen", "tcp![::1]!0");
  t.is(six.addr, `tcp!::1!${portof(six.addr)}`);
  t.regex(await ls(`tcp![::1]!${portof(six.addr)}`), IN);
});

test("directories without certificates, and options that contradict each other, are refused", async (t) => {
  const dir = await certs(t);
  const empty = directory(t, {});
  const asked = async (...args: string[]): Promise<string> => {
    const { status, err } = await namec(["serve", "ramfs", ...args]);
    return `${status} ${err}`;
  };
  t.regex(await asked("--tls", empty), /^1 .*ca\.pem: there is no such file\n$/);
  writeFileSync(join(empty, "ca.pem"), readFileSync(join(dir, "server/ca.pem")));
  t.regex(await asked("--tls", empty), /^1 .*cert\.pem: there is no such file\n$/);
  writeFileSync(join(empty, "cert.pem"), readFileSync(join(dir, "server/cert.pem")));
  writeFileSync(join(empty, "key.pem"), readFileSync(join(dir, "alice/key.pem")));
  t.regex(await asked("--tls", empty), /^1 .*the certificates cannot be used: .*mismatch\n$/);
  t.regex(await asked("--tls", empty, "--anyone"), /^2 .*one of them\n$/s);
  t.regex(await asked("--listen", "tls!*!0"), /^2 .*needs --tls DIR\n/);
  t.regex(await asked("--listen", "unix!/tmp/x", "--anyone"), /^2 .*--anyone means nothing/);
  t.regex(await asked("--listen", "unix!x"), /^1 .*: bad network address\n$/);
});

test("a socket that is a file is its owner's, goes with the server, and replaces a dead one alone", async (t) => {
  const dir = directory(t, {});
  const path = join(dir, "a b%20.sock");
  const addr = `unix!${path}`;
  const first = await serve2(t, addr);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.true(statSync(path).isSocket());
  t.regex(await ls(addr), IN);
  const c = plain(t, { path });
  t.is(await c.rpc(tversion), "version:9P2000 8192");
  t.is(await c.rpc(tattach("bob")), `1 ${fc.Rattach}`);
  const second = await namec(["serve", "ramfs", "--listen", addr]);
  t.is(second.status, 1);
  t.is(second.err, `namec serve: cannot listen on ${addr}: address in use\n`);
  first.child.kill("SIGKILL");
  await first.ended();
  t.true(existsSync(path), "its file is left");
  const next = await serve2(t, addr);
  t.regex(await ls(addr), IN);
  next.child.kill("SIGTERM");
  await next.ended();
  t.false(existsSync(path));
  writeFileSync(path, "mine");
  t.is((await namec(["serve", "ramfs", "--listen", addr])).status, 1);
  t.is(readFileSync(path, "utf8"), "mine");
  const long = `unix!/${"x".repeat(200)}`;
  t.regex((await namec(["serve", "ramfs", "--listen", long])).err, /name too long|too long/);
});

test("--pidfile has the number of the server, and goes with it", async (t) => {
  const dir = directory(t, {});
  const file = join(dir, "pid");
  const { run } = await serve(t, "--pidfile", file, "--listen", "tcp!127.0.0.1!0");
  t.is(readFileSync(file, "utf8"), `${run.child.pid}\n`);
  process.kill(Number(readFileSync(file, "utf8")), "SIGTERM");
  t.is((await run.ended()).status, 143);
  t.false(existsSync(file));
  const bad = ["serve", "ramfs", "--listen", "tcp!127.0.0.1!0", "--pidfile", join(dir, "no/pid")];
  const { status, err } = await namec(bad);
  t.is(status, 1);
  t.regex(err, /^namec serve: .*no\/pid: /);
});

/** A server at an address that may hold blanks. */
async function serve2(t: ExecutionContext, addr: string): Promise<Run> {
  const run = new Run(["serve", "ramfs", "--listen", addr]);
  t.teardown(() => void run.child.kill("SIGKILL"));
  await run.saying(/^serving ramfs on unix!.*$/m);
  return run;
}

/** A certificate of openssl's that is valid in the year 2099 only. */
function early(dir: string, name: string, subject: string): string {
  const at = forged(dir, name, subject, "1", "authority");
  const cnf =
    "[ca]\ndefault_ca = x\n[x]\ndatabase = index\nserial = serial\npolicy = p\n[p]\ncommonName = supplied\n";
  for (const [file, text] of [
    ["ca.cnf", cnf],
    ["index", ""],
    ["serial", "01\n"],
  ] as const)
    writeFileSync(join(at, file), text);
  const authority = join(dir, "authority");
  const ca = ["-cert", join(authority, "ca.pem"), "-keyfile", join(authority, "ca.key.pem")];
  const dates = ["-startdate", "20990101000000Z", "-enddate", "20991231000000Z"];
  const out = ["-in", "req.pem", "-out", "cert.pem", "-outdir", ".", "-notext"];
  openssl(at, "ca", "-batch", "-config", "ca.cnf", "-md", "sha256", ...ca, ...dates, ...out);
  return at;
}

test("a certificate that is not valid yet is refused, a client's by the server and a server's by the client", async (t) => {
  const dir = await certs(t);
  const { run, addr } = await serve(t, "--tls", `${dir}/server`, "--listen", "tls!127.0.0.1!0");
  const why = "the client's certificate is not valid yet";
  t.is(
    await ls(addr, "--tls", early(dir, "soon", "/CN=alice"), "--user", "alice"),
    `namec run: cannot mount ${addr} on /n/r: ${why}\n`,
  );
  await run.saying(new RegExp(`^a call was refused: 127\\.0\\.0\\.1: ${why}$`, "m"));
  const other = await serve(
    t,
    "--tls",
    early(dir, "later", "/CN=localhost"),
    "--listen",
    "tls!127.0.0.1!0",
  );
  t.is(
    await ls(other.addr, "--tls", `${dir}/alice`),
    `namec run: cannot mount ${other.addr} on /n/r: the server's certificate is not valid yet\n`,
  );
});

/** What a client of node:tls is told when it dials a server: the code of its error, or "in". */
function nodeclient(addr: string, dir: string | null, servername = "localhost"): Promise<string> {
  const read = (name: string): Buffer => readFileSync(join(dir ?? "", name));
  const mine =
    dir === null ? {} : { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
  const sock = dialtls({ host: "127.0.0.1", port: Number(portof(addr)), servername, ...mine });
  return new Promise((resolve) => {
    sock.once("secureConnect", () => resolve("in"));
    sock.once("error", (e) => resolve("code" in e ? String(e.code) : e.message));
  }).finally(() => sock.destroy()) as Promise<string>;
}

test("a client of Node's own rejects the servers that ours rejects, and the server serves on", async (t) => {
  const dir = await certs(t);
  const { addr } = await serve(t, "--tls", `${dir}/server`, "--listen", "tls!127.0.0.1!0");
  await namec(["cert", join(dir, "others"), "--user", "alice"]);
  const alice = join(dir, "alice");
  t.is(await nodeclient(addr, alice), "in");
  t.is(await nodeclient(addr, alice, "fs.example.org"), "ERR_TLS_CERT_ALTNAME_INVALID");
  t.regex(await nodeclient(addr, null), /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/);
  t.regex(await nodeclient(addr, join(dir, "others/alice")), /^(SELF_SIGNED|UNABLE_TO_)/);
  const old = forged(dir, "gone", "/CN=localhost", "-1", "authority");
  const expired = await serve(t, "--tls", old, "--listen", "tls!127.0.0.1!0");
  t.is(await nodeclient(expired.addr, alice), "CERT_HAS_EXPIRED");
  const clear = await serve(t, "--listen", "tcp!127.0.0.1!0");
  t.regex(await nodeclient(clear.addr, alice), /^(ECONNRESET|ERR_SSL_|EPROTO)/);
  t.regex(await ls(addr, "--tls", alice), IN);
});

/** Until a socket is closed; what it was sent. */
function closed(sock: Socket): Promise<string> {
  let text = "";
  sock.on("error", () => undefined);
  sock.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  return new Promise((resolve) => void sock.once("close", () => resolve(text)));
}

test("a caller that makes no handshake is hung up on, and so is one more than may be in the middle of one", async (t) => {
  const dir = await certs(t);
  const tls = { dir: join(dir, "server"), handshake: 1500, shaking: 2 };
  const k = await boot({ devices: [hostnet(tls)], binds: [["#I", "/net", MREPL]] });
  t.teardown(() => k.shutdown());
  const main = async (sys: Sys): Promise<void> => {
    const at = await announce(sys, "tls!127.0.0.1!0");
    await print(sys, await netaddr(sys, at.dir, "local"));
    await sys.sleep(60_000);
  };
  const port = await new Promise<number>((resolve) => {
    k.spawn(main, ["server"], { stdout: (text) => resolve(Number(portof(text.trim()))) });
  });
  const silent = [0, 1].map(() => connect({ host: "127.0.0.1", port }));
  await Promise.all(silent.map((s) => new Promise((resolve) => s.once("connect", resolve))));
  // The first byte of a handshake, and no more.
  silent[0]?.write(Buffer.from([0x16]));
  const third = connect({ host: "127.0.0.1", port });
  const first = await Promise.race([
    closed(third).then(() => "third"),
    ...silent.map((s) => closed(s).then(() => "silent")),
  ]);
  t.is(first, "third");
  t.deepEqual(await Promise.all(silent.map(closed)), ["", ""]);
  // There is room again.
  const next = dialtls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  t.is(
    await new Promise((resolve) =>
      next.once("secureConnect", () => resolve("in")).once("error", resolve),
    ),
    "in",
  );
  next.destroy();
});
