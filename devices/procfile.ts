// What the files of /proc/n hold: the texts that device p gives to read, and the messages that its ctl
// file obeys. proc(3)

import { nullproto } from "../kernel/abi/nullproto.ts";
import type { Chan } from "../kernel/chan.ts";
import { cclose } from "../kernel/chan.ts";
import { ERRMAX, OREAD } from "../kernel/abi/const.ts";
import {
  Ebadarg,
  Ebadctl,
  Ecmdargs,
  Ectlempty,
  Ectlmsg,
  Ekilled,
  Eperm,
  error,
} from "../kernel/abi/errors.ts";
import { quote } from "../kernel/abi/elems.ts";
import type { Proc, Waitmsg } from "../kernel/proc/proc.ts";
import { Rendez } from "../kernel/proc/rendez.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import type { Coroutine } from "../kernel/proc/sched.ts";
import { utfcut, utfencode, utflen } from "../kernel/abi/utf.ts";
import { NUMSIZE, fdline, num, strtoul } from "./text.ts";

/** The columns of names, and of the state, in status. */
const KNAMELEN = 28;
const STATELEN = 12;
/** What status says of priorities, which we have not. */
const PRIORITY = 10;

/** One file of a process's directory. */
export type Procfile = {
  readonly name: string;
  readonly perm: number;
  /** The text it reads as, when that is all. */
  readonly text?: (p: Proc) => string;
};

/** The files in the order a directory read gives them; the mode of a process, 0640, is in all of them. */
export const PROCFILES: readonly Procfile[] = [
  { name: "args", perm: 0o660, text: argstext },
  { name: "ctl", perm: 0o640 },
  { name: "fd", perm: 0o644, text: fdtext },
  { name: "note", perm: 0o640 },
  { name: "noteid", perm: 0o664, text: (p) => num(p.noteid) },
  { name: "notepg", perm: 0o640 },
  { name: "ns", perm: 0o644, text: nstext },
  { name: "status", perm: 0o644, text: statustext },
  { name: "text", perm: 0o640 },
  { name: "wait", perm: 0o640 },
];

/** Files that show something and take nothing. */
const readonlyfile = (name: string): boolean =>
  ["fd", "ns", "status", "text", "wait"].includes(name);

/** The arguments, quoted where rc would need it; or what somebody wrote here. */
function argstext(p: Proc): string {
  if (p.setargs !== null) return `${p.text} [${p.setargs}]`;
  return p.args.map(quote).join(" ");
}

/** The current directory, then a line for each open file. */
function fdtext(p: Proc): string {
  const open = p.fgrp.fd.map((c, fd) => ({ fd, c }));
  const width = Math.max(
    0,
    ...open.map(({ c }) => (c === null ? 0 : c.qid.vers.toString().length)),
  );
  const lines = open.map(({ fd, c }) => (c === null ? "" : fdline(fd, c, width)));
  return `${p.dot.path.toString()}\n${lines.join("")}`;
}

/** The name space as commands of rc that would make it again. */
function nstext(p: Proc): string {
  const srv = p.k.devtab.get("s");
  const channame = (c: Chan): string => srv?.srvname?.(c) ?? c.path.toString();
  const lines = p.pgrp.ns.lines(channame).map((l) => `${l.text}\n`);
  return `${lines.join("")}cd ${quote(p.dot.path.toString())}\n`;
}

/** Twelve fields of fixed width: name, user, state, six times in ms, size in K, two priorities. */
function statustext(p: Proc): string {
  const real = Math.round((p.k.clock.now() - p.started) / 1e6);
  const nums = [0, 0, real, 0, 0, 0, 0, PRIORITY, PRIORITY];
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
  if (p.stopped !== null) return "Stopped";
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
const NOCALL: ReadonlySet<string> = new Set(["program", "thread", "note", "return", "exit"]);

function callname(co: Coroutine): string | null {
  const name = co.call?.name ?? co.doing ?? co.label;
  return NOCALL.has(name) || co.proc.image === null ? null : shown(name);
}

const shown = (call: string): string =>
  CALLNAMES[call] ?? call.charAt(0).toUpperCase() + call.slice(1);

/** What await(2) gives: pid, three times and the quoted message. */
export function waittext(w: Waitmsg): Uint8Array {
  return utfencode(`${w.pid} ${w.time.join(" ")} ${quote(w.msg)}`);
}

/** Takes a message apart as rc would: blanks between words, quotes around words with blanks. */
function fields(text: string): string[] {
  const words = text.match(/(?:'(?:[^']|'')*'?|[^\s'])+/g) ?? [];
  return words.map((w) =>
    w.replaceAll(/'((?:[^']|'')*)'?/g, (_, inner: string) => inner.replaceAll("''", "'")),
  );
}

/** Messages that have no meaning here, there being one processor and no swap: how many words they have. */
const IDLE: Readonly<Record<string, number>> = nullproto({
  noswap: 1,
  private: 1,
  pri: 2,
  wired: 2,
  fixedpri: 2,
});

/** Messages to a ctl file: how many words they have, and what they do. */
const MESSAGES: ReadonlyMap<
  string,
  readonly [words: number, fn: (p: Proc, arg: string) => Answer<void>]
> = new Map([
  ["close", [2, closefd]],
  ["closefiles", [1, closefiles]],
  ["hang", [1, (p) => hang(p, true)]],
  ["kill", [1, kill]],
  ["nohang", [1, (p) => hang(p, false)]],
  ["start", [1, start]],
  ["stop", [1, stop]],
]);

/** Obeys a message to p's ctl file. */
export function procctl(p: Proc, text: string): Answer<void> {
  const words = fields(text);
  const [verb, arg = ""] = words;
  if (verb === undefined) return error(Ectlempty);
  const message = MESSAGES.get(verb);
  const want = message?.[0] ?? IDLE[verb];
  if (want === undefined) return cmderror(Ectlmsg, words);
  if (want !== words.length) cmderror(Ecmdargs, words);
  if (message !== undefined) return message[1](p, arg);
}

/** The error with the message it is about, as much of it as there is room for. */
function cmderror(what: string, words: readonly string[]): never {
  return error(`${utfcut(`${what} "${words.map(quote).join(" ")}`, ERRMAX - 11)}"`);
}

function closefd(p: Proc, arg: string): Answer<void> {
  return cclose(p.fgrp.take(strtoul(arg)));
}

function* closefiles(p: Proc): Task<void> {
  for (const [fd, c] of p.fgrp.fd.entries()) if (c !== null) yield* cclose(p.fgrp.take(fd));
}

/** Whether the process stops when it executes another program. */
function hang(p: Proc, yes: boolean): void {
  p.hang = yes;
}

function kill(p: Proc): void {
  if (p.image === null) error(Eperm);
  p.kill(Ekilled);
}

/** From its next system call on, the process waits. */
function stop(p: Proc): void {
  if (p.image === null) error(Eperm);
  p.stopped ??= new Rendez("stopped");
}

function start(p: Proc): void {
  if (p.stopped === null) return error(Ebadctl);
  const r = p.stopped;
  p.stopped = null;
  r.wakeupall();
}

/** Moves p to another note group: its own, or one that a process of the same user is in. */
export function setnoteid(p: Proc, text: string): void {
  const id = strtoul(text);
  if (id !== p.pid && ![...p.k.procs.values()].some((q) => q.noteid === id && q.user === p.user))
    error(Ebadarg);
  p.noteid = id;
}

/** Whether a file may be opened in this way, permissions aside. */
export function checkopen(p: Proc, name: string, omode: number): void {
  if (readonlyfile(name) && omode !== OREAD) error(Eperm);
  if (name === "notepg" && p.image === null) error(Eperm);
}
