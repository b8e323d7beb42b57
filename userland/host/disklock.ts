// Who has the disk of a fossil: one process at a time. Each that wants it puts a lock of its own into the directory,
// whole from its first moment, and then looks for those of others that are alive. Of two that come at once at least
// the later one sees the other, and gives way. A lock that a killed process left is no lock, and is removed.

import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Mounterror } from "../boot/mounts.ts";

/** A process that has, or wants, a disk: its number, when it began as the host counts, and what it is. */
export type Holder = { readonly pid: number; readonly start: string; readonly what: string };

/** The locks of processes: "lock.4711". */
const LOCK = /^lock\.\d+$/;

/** When a process began, as the host counts: two processes that had one number differ in it. "" elsewhere. */
function startof(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "ended" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

/** Whose lock it is; null for that of a process that has ended, or for what is no lock. */
function alive(path: string): Holder | null {
  let h: Holder;
  try {
    h = JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return null;
  }
  try {
    process.kill(h.pid, 0);
  } catch (e) {
    if (!(e instanceof Error && "code" in e && e.code === "EPERM")) return null;
  }
  return startof(h.pid) === h.start ? h : null;
}

/** The process that has a directory's disk, other than that of a lock; null where none has. Dead locks are removed. */
export function holder(dir: string, but = ""): Holder | null {
  for (const name of readdirSync(dir)) {
    if (!LOCK.test(name) || name === but) continue;
    const path = join(dir, name);
    const h = alive(path);
    if (h !== null) return h;
    rmSync(path, { force: true });
  }
  return null;
}

/** Takes the disk; the result gives it back. Throws Mounterror that names who has it. */
export function takelock(dir: string, what: string): () => void {
  const name = `lock.${process.pid}`;
  const path = join(dir, name);
  const mine: Holder = { pid: process.pid, start: startof(process.pid), what };
  const refuse = (h: Holder): never => {
    throw new Mounterror(`${dir} is used by process ${h.pid}, ${h.what}`);
  };
  const now = holder(dir);
  if (now !== null) refuse(now);
  const fresh = join(dir, `new.${name}`);
  writeFileSync(fresh, JSON.stringify(mine), { mode: 0o600 });
  renameSync(fresh, path);
  const other = holder(dir, name);
  if (other !== null) {
    rmSync(path, { force: true });
    refuse(other);
  }
  return () => rmSync(path, { force: true });
}
