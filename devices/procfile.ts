// What the files of /proc/n are: their modes and lengths, how they may be opened, and the texts that device p
// gives to read. proc(3)
//
// A process here has no registers and no segments: the files that show those of a machine have the modes and
// lengths that they have on a PC, and nothing in them.

import { nullproto } from "../kernel/abi/nullproto.ts";
import type { Chan } from "../kernel/chan.ts";
import { OREAD, OWRITE } from "../kernel/abi/const.ts";
import { Ebadarg, Eperm, Eprofile, error } from "../kernel/abi/errors.ts";
import { quote } from "../kernel/abi/elems.ts";
import type { Nsline } from "../kernel/names/namespace.ts";
import type { Proc, Waitmsg } from "../kernel/proc/proc.ts";
import { PROGRAM } from "../kernel/proc/sched.ts";
import type { Coroutine } from "../kernel/proc/sched.ts";
import { utfcut, utflen } from "../kernel/abi/utf.ts";
import { NUMSIZE, fdline, num, strtoul } from "./text.ts";

/** The columns of names, and of the state, in status. */
const KNAMELEN = 28;
const STATELEN = 12;

/** What the registers of a process, and of its floating point, take on a PC. */
const UREG = 19 * 4;
const FPSAVE = 512 + 16 + 4;
const STATSIZE = 2 * KNAMELEN + STATELEN + 9 * NUMSIZE;
/** args gives no more than this many bytes. */
const MAXARGS = 127;

/** One file of a process's directory. */
export type Procfile = {
  readonly name: string;
  /** Its own permissions, to which the process's mode adds those to read; 0: it has the process's mode. */
  readonly perm: number;
  readonly length: number;
  /** The text it reads as, when that is all. */
  readonly text?: (p: Proc) => string;
  /** It is for reading only, whatever its mode allows. */
  readonly readonly?: true;
  /** A process that is private does not open it for anyone. */
  readonly private?: true;
};

const none = (): string => "";

/** The files in the order a directory read gives them. */
export const PROCFILES: readonly Procfile[] = [
  { name: "args", perm: 0o660, length: 0, text: argstext },
  { name: "ctl", perm: 0, length: 0, private: true },
  { name: "fd", perm: 0o444, length: 0, readonly: true },
  { name: "fpregs", perm: 0, length: FPSAVE, text: none },
  { name: "kregs", perm: 0o400, length: UREG, text: none, readonly: true },
  { name: "mem", perm: 0, length: 0, private: true },
  { name: "note", perm: 0, length: 0, private: true },
  { name: "noteid", perm: 0o664, length: 0, text: (p) => num(p.noteid) },
  { name: "notepg", perm: 0, length: 0 },
  { name: "ns", perm: 0o444, length: 0, readonly: true },
  { name: "proc", perm: 0o400, length: 0, text: none, readonly: true },
  { name: "regs", perm: 0, length: UREG, text: none },
  { name: "segment", perm: 0o444, length: 0, text: none, readonly: true },
  { name: "status", perm: 0o444, length: STATSIZE, text: statustext },
  { name: "text", perm: 0, length: 0, readonly: true },
  { name: "wait", perm: 0o400, length: 0 },
  { name: "profile", perm: 0o400, length: 0, text: profiletext, readonly: true },
  { name: "syscall", perm: 0o400, length: 0, text: none },
];

/** The permissions of a file of p. */
export function fileperm(p: Proc, f: Procfile): number {
  return f.perm === 0 ? p.procmode : f.perm | (p.procmode & 0o444);
}

/** The arguments, quoted where rc would need it; or what was written here. */
function argstext(p: Proc): string {
  const text = p.setargs !== null ? `${p.text} [${p.setargs}]` : p.args.map(quote).join(" ");
  return utfcut(text, MAXARGS);
}

/** The current directory, then a line for each open file. */
export function fdtext(p: Proc): string {
  const open = p.fgrp.fd.map((c, fd) => ({ fd, c }));
  const width = Math.max(
    0,
    ...open.map(({ c }) => (c === null ? 0 : c.qid.vers.toString().length)),
  );
  const lines = open.map(({ fd, c }) => (c === null ? "" : fdline(fd, c, width)));
  return `${p.dot.path.toString()}\n${lines.join("")}`;
}

/** The lines of the name space behind the mount with this id, in the order they were made. */
export function nslines(p: Proc, after: number): Nsline[] {
  const srv = p.k.devtab.get("s");
  const channame = (c: Chan): string => srv?.srvname?.(c) ?? c.path.toString();
  return p.pgrp.ns.lines(channame).filter((l) => l.id > after);
}

/** Nothing is counted: the file is empty, once it was asked for. */
function profiletext(p: Proc): string {
  return p.profiled ? "" : error(Eprofile);
}

/** Twelve fields of fixed width: name, user, state, six times in ms, size in K, two priorities. */
function statustext(p: Proc): string {
  const real = Math.round((p.k.clock.now() - p.started) / 1e6);
  const nums = [0, 0, real, 0, 0, 0, 0, p.pri, p.pri];
  return (
    column(p.text, KNAMELEN) +
    column(p.user, KNAMELEN) +
    column(state(p), STATELEN) +
    nums.map((n) => num(n, NUMSIZE)).join("")
  );
}

/** Text in a column of n bytes, the last of them a blank. */
function column(text: string, n: number): string {
  const cut = utfcut(text, n - 1);
  return cut + " ".repeat(n - utflen(cut));
}

/** What a process does: the system call it is in, by the name that ps(1) knows, or how it waits. */
function state(p: Proc): string {
  if (p.ctl === "stopped") return "Stopped";
  const calling = p.image?.calling ?? null;
  if (calling !== null) return shown(calling);
  let asleep = false;
  for (const co of p.coroutines()) {
    const call = callname(co);
    if (call !== null) return call;
    asleep ||= co.on !== null;
  }
  return asleep ? "Wakeme" : "Ready";
}

/** libc's read and write are the calls pread and pwrite. */
const CALLNAMES: Readonly<Record<string, string>> = nullproto({
  read: "Pread",
  write: "Pwrite",
  wait: "Await",
  _exits: "Exits",
  rendezvous: "Rendez",
});

function callname(co: Coroutine): string | null {
  const name = co.call?.name ?? co.doing ?? co.label;
  return PROGRAM.has(name) || co.proc.image === null ? null : shown(name);
}

const shown = (call: string): string =>
  CALLNAMES[call] ?? call.charAt(0).toUpperCase() + call.slice(1);

/** What await(2) gives: pid, three times and the quoted message. */
export function waittext(w: Waitmsg): string {
  return `${w.pid} ${w.time.join(" ")} ${quote(w.msg)}`;
}

/** Moves p to another note group: its own, or one that a process of the same user is in. */
export function setnoteid(p: Proc, text: string): void {
  const id = strtoul(text);
  if (id !== p.pid) {
    const q = [...p.k.procs.values()].find((other) => !other.dead && other.noteid === id);
    if (q === undefined) return error(Ebadarg);
    if (q.user !== p.user) error(Eperm);
  }
  p.noteid = id;
}

/** Whether a file may be opened for omode, without its flags, permissions aside. */
export function checkopen(p: Proc, f: Procfile, omode: number): void {
  if (f.readonly === true && omode !== OREAD) error(Eperm);
  if (f.private === true && p.privatemem) error(Eperm);
  if (f.name === "notepg" && (omode !== OWRITE || p.image === null)) error(Eperm);
}
