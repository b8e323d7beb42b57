// The mounts that are made before a program starts: servers of other machines, by dial string. They are
// made in a process whose name space the program then shares, so that the program's own process begins
// with it.

import { DMDIR, MCREATE, MREPL, OREAD } from "../../kernel/abi/const.ts";
import type { Booted } from "../../kernel/boot.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { type Both, both } from "../lib/both.ts";
import { dial } from "../lib/dial.ts";

/** A server to call, and the name to mount it on. */
export type Mount = { readonly addr: string; readonly dir: string };

/** How long a server may take to agree on a version, in ms. */
const PATIENCE = 10_000;

/** A process with everything mounted, for the program to be started like; null when there is nothing to. */
export async function mounted(kernel: Booted, mounts: readonly Mount[]): Promise<Process | null> {
  if (mounts.length === 0) return null;
  let done: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (done = resolve));
  const failure: { e: unknown } = { e: undefined };
  const main = async (sys: Sys): Promise<string> => {
    try {
      for (const m of mounts) await mount(sys, m, kernel.user);
      done();
      // It stays until the program has its name space.
      await sys.rendezvous(ready, null);
      return "";
    } catch (e) {
      failure.e = e;
      return "failed";
    }
  };
  const p = kernel.spawn(main, ["mount"], { tty: kernel.config.tty, image: "native" });
  await Promise.race([ready, p.wait()]);
  if (failure.e !== undefined) throw failure.e;
  return p;
}

/** A name that could not be mounted, for a person. */
export class Mounterror extends Error {
  override readonly name: string = "Mounterror";
}

async function mount(sys: Sys, { addr, dir }: Mount, user: string): Promise<void> {
  try {
    await mkpath(sys, dir);
    const fd = await dial(sys, addr);
    await sys.alarm(PATIENCE);
    await sys.notify(async (_note, s) => (s as Sys).noted(0));
    await sys.mount(fd, -1, dir, MREPL | MCREATE, "");
    await sys.alarm(0);
    await sys.notify(null);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new Mounterror(`cannot mount ${addr} on ${dir}: ${reason(e, user)}`);
  }
}

function reason(e: PlanError, user: string): string {
  const { message } = e;
  if (/user/.test(message)) return `${message}; we said we were ${user}, --user says otherwise`;
  if (message === "interrupted") return `no answer in ${PATIENCE / 1000} s; is it a 9P server?`;
  if (/version|hungup|fversion/.test(message) && e.call === "mount")
    return `${message}; is it a 9P server?`;
  return message;
}

/** Makes sure that a directory is there, and those above it. */
export const mkpath: Both<[name: string], void> = both(function* (sys, name) {
  let path = "";
  for (const elem of name.split("/").filter(Boolean)) {
    path += `/${elem}`;
    let there = true;
    try {
      yield* sys.stat(path);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      there = false;
    }
    if (!there) yield* sys.close(yield* sys.create(path, OREAD, DMDIR | 0o775));
  }
}, "mkpath(name name)");
