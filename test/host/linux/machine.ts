// A Linux machine in QEMU, emulated, so that it needs no rights: Debian's kernel and a file system in
// memory with busybox, rsync, sqlite3, git, vim, fsx.c and the scripts. test/host/install has fetched the parts.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
} from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { Case } from "./cases.ts";

/** A server on a port of the host's loopback, and v9fs's options for it. */
export type Mounted = {
  readonly name: string;
  readonly port: number;
  readonly options: string;
};

/** Servers for the cases, and one that is killed and started again while the guest writes to it. */
export type Mounts = {
  readonly mounts: readonly Mounted[];
  readonly killed: Mounted;
  /** Hears what the guest has written so far. */
  readonly hear: (out: string) => void;
};

/** What the guest wrote on its two serial ports. */
export type Said = { readonly out: string; readonly kernel: string };

/** Where test/host/install leaves the kernel's package, unpacked. */
const DEBIAN = resolve("node_modules/.cache/linux");
const HERE = resolve("test/host/linux");
const PROGRAMS = ["rsync", "sqlite3", "git", "vim.tiny"];
/** The modules that the guest needs besides those that they depend on. */
const MODULES = ["virtio_pci", "virtio_net", "9pnet_fd", "9p"];
const MiB = 1024 * 1024;

/** Runs a command of the host's to its end; gives what it wrote. */
function host(command: string, args: readonly string[], cwd: string, input = ""): Buffer {
  const r = spawnSync(command, args, { cwd, input, maxBuffer: 256 * MiB });
  if (r.error !== undefined)
    throw new Error(`${command}: ${r.error.message}: run test/host/install`);
  if (r.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${r.stderr.toString()}`);
  return r.stdout;
}

/** All files below a directory. */
function below(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name));
}

/** The only file below DEBIAN whose name the pattern fits. */
function debian(pattern: RegExp): string {
  const found = below(DEBIAN).filter((f) => pattern.test(basename(f)));
  const [file] = found;
  if (file === undefined || found.length > 1)
    throw new Error(`${found.length} of ${pattern} in ${DEBIAN}: run test/host/install`);
  return file;
}

/** Copies modules into the guest; /modules/order names them, each one after those that it needs. */
function modules(root: string): void {
  const files = new Map(below(DEBIAN).map((f) => [basename(f), f]));
  const order: string[] = [];
  const add = (name: string): void => {
    if (order.includes(name)) return;
    const file = files.get(`${name}.ko`);
    if (file === undefined)
      throw new Error(`no module ${name} in ${DEBIAN}: run test/host/install`);
    const depends = /\0depends=([^\0]*)\0/.exec(readFileSync(file, "latin1"))?.[1] ?? "";
    for (const needed of depends.split(",").filter((n) => n !== "")) add(needed);
    copyFileSync(file, join(root, "modules", `${name}.ko`));
    order.push(name);
  };
  for (const name of MODULES) add(name);
  writeFileSync(join(root, "modules/order"), order.map((name) => `${name}\n`).join(""));
}

/** Copies a program into the guest's /bin, with the shared libraries that it loads. */
function program(root: string, name: string): void {
  const file = host("which", [name], "/").toString().trim();
  copyFileSync(file, join(root, "bin", name));
  // A static program has no libraries: then ldd fails.
  const ldd = spawnSync("ldd", [file], { encoding: "utf8" }).stdout;
  for (const [lib] of ldd.matchAll(/\/\S+/g)) {
    const to = join(root, lib);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(lib, to);
  }
}

/** A text of 3.4 MB, of lines in no order (by the generator of Park and Miller). */
function big(): string {
  const lines: string[] = [];
  for (let i = 0, x = 1; i < 20_000; i++) {
    x = (x * 16_807) % 2_147_483_647;
    lines.push(`${x} ${i} ${".".repeat(140)} ${x * 2}\n`);
  }
  return lines.join("");
}

/** What the guest's big file has from one place to another. */
export const bigpart = (from: number, to: number): string => big().slice(from, to);

/** The guest's first file system, as an archive; gives its name. */
function initrd(dir: string, { mounts, killed }: Mounts, cases: readonly Case[]): string {
  const root = join(dir, "root");
  for (const d of ["bin", "modules", "cases", "not", "proc", "sys", "dev", "tmp", "n", "n2"])
    mkdirSync(join(root, d), { recursive: true });
  for (const name of ["busybox", ...PROGRAMS]) program(root, name);
  host("gcc", ["-O1", "-static", "-o", join(root, "bin/fsx"), join(HERE, "fsx.c")], dir);
  modules(root);
  for (const name of ["init", "prelude"]) copyFileSync(join(HERE, name), join(root, name));
  chmodSync(join(root, "init"), 0o755);
  writeFileSync(join(root, "big"), big());
  for (const c of cases) writeFileSync(join(root, "cases", c.name), `${c.script}\n`);
  for (const m of mounts)
    for (const c of cases)
      if (c.not?.includes(m.name)) mkdirSync(join(root, "not", `${m.name}.${c.name}`));
  const line = (m: Mounted): string => `${m.name} ${m.port} ${m.options}\n`;
  writeFileSync(join(root, "mounts"), mounts.map(line).join(""));
  writeFileSync(join(root, "killed"), line(killed));
  const names = host("find", ["."], root).toString();
  const archive = join(dir, "initrd");
  writeFileSync(archive, host("cpio", ["-o", "-H", "newc", "--quiet"], root, names));
  return archive;
}

const run = (kernel: string, archive: string, log: string): ChildProcess =>
  spawn(
    "qemu-system-x86_64",
    [
      ["-accel", "tcg", "-cpu", "max", "-m", "512", "-nodefaults", "-no-reboot"],
      ["-display", "none", "-serial", "stdio", "-serial", `file:${log}`, "-monitor", "none"],
      ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="],
      ["-kernel", kernel, "-initrd", archive],
      ["-append", "console=ttyS1 quiet panic=-1 no_timer_check"],
    ].flat(),
    { stdio: ["ignore", "pipe", "pipe"] },
  );

/** A machine that was not up in time: another may be. */
export class Notup extends Error {}

/** Follows a machine to its end. One that is not up, or not down, in time is killed. */
function follow(
  child: ChildProcess,
  { up, down }: { readonly up: number; readonly down: number },
  heard: (out: string) => void,
): Promise<string> {
  return new Promise((done, fail) => {
    let out = "";
    let late = "";
    const kill = (what: string) => (): void => {
      late = what;
      child.kill("SIGKILL");
    };
    const downtimer = setTimeout(kill("not down"), down);
    const uptimer = setTimeout(kill("not up"), up);
    const hear = (text: string): void => {
      out += text;
      heard(out);
      if (out.includes("@up")) clearTimeout(uptimer);
    };
    child.stdout?.setEncoding("latin1").on("data", hear);
    child.stderr?.setEncoding("latin1").on("data", hear);
    child.on("error", fail);
    const stop = kill("not wanted");
    process.once("exit", stop);
    child.on("close", () => {
      process.off("exit", stop);
      clearTimeout(uptimer);
      clearTimeout(downtimer);
      if (late === "" && out.includes("@down")) done(out);
      else if (!out.includes("@up")) fail(new Notup(`the guest did not come up: ${out}`));
      else fail(new Error(`the guest was ${late === "" ? "lost" : `${late} in time`}: ${out}`));
    });
  });
}

/** Boots a Linux machine that runs the cases on each of the mounts, and waits until it is off. */
export async function linux(mounts: Mounts, cases: readonly Case[]): Promise<Said> {
  const dir = mkdtempSync(join(tmpdir(), "namec-linux-"));
  try {
    const log = join(dir, "kernel");
    const out = await follow(
      run(debian(/^vmlinuz-/), initrd(dir, mounts, cases), log),
      { up: 100_000, down: 450_000 },
      mounts.hear,
    );
    return { out, kernel: readFileSync(log, "latin1") };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
