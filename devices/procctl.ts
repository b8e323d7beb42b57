// The messages that a process's ctl file obeys. proc(3)
//
// A process stops, starts and dies by kernel/proc/proc.ts; here is what each message asks of it. This machine
// has one processor, no swap and no real-time scheduler: messages about those are checked and then forgotten,
// but for the priority, which status shows.

import { cclose } from "../kernel/chan.ts";
import { Ebadctl, Ekilled, Eperm, error } from "../kernel/abi/errors.ts";
import type { Edf, Proc } from "../kernel/proc/proc.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { lookupcmd } from "./cmd.ts";
import type { Cmdtab } from "./cmd.ts";
import { strtoul } from "./text.ts";

/** The priorities there are: 0 to 19. */
const NPRIQ = 20;

type Message = (p: Proc, args: readonly string[]) => Answer<void>;

const MESSAGES: Cmdtab<Message> = new Map<string, readonly [number, Message]>([
  ["close", [2, (p, [fd = ""]) => closefd(p, strtoul(fd))]],
  ["closefiles", [1, closefiles]],
  ["fixedpri", [2, setpri]],
  ["hang", [1, (p) => void (p.hang = true)]],
  ["nohang", [1, (p) => void (p.hang = false)]],
  ["noswap", [1, nothing]],
  ["kill", [1, kill]],
  ["pri", [2, setpri]],
  ["private", [1, (p) => void (p.privatemem = true)]],
  ["profile", [1, (p) => void (p.profiled = true)]],
  ["start", [1, (p) => start(p, "started")]],
  ["startstop", [1, (p) => startstop(p, "trace")]],
  ["startsyscall", [1, (p) => startstop(p, "syscall")]],
  ["stop", [1, (p) => p.stopwait("stop")]],
  ["waitstop", [1, (p) => p.stopwait(null)]],
  ["wired", [2, nothing]],
  ["trace", [0, trace]],
  ["period", [2, (p, [t = ""]) => change(p, "period", t)]],
  ["deadline", [2, (p, [t = ""]) => change(p, "deadline", t)]],
  ["cost", [2, (p, [t = ""]) => change(p, "cost", t)]],
  ["sporadic", [1, (p) => void edf(p)]],
  ["deadlinenotes", [1, (p) => void edf(p)]],
  ["admit", [1, admit]],
  ["extra", [1, (p) => void edf(p)]],
  ["expel", [1, expel]],
  ["event", [1, nothing]],
]);

/** Obeys a message to p's ctl file. A process of the kernel takes none. */
export function procctl(p: Proc, text: string): Answer<void> {
  if (p.image === null) error(Eperm);
  const { value, words } = lookupcmd(text, MESSAGES);
  return value(p, words.slice(1));
}

function nothing(): void {}

function* closefd(p: Proc, fd: number): Task<void> {
  const c = p.fgrp.fd[fd] ?? null;
  if (c !== null) yield* cclose(p.fgrp.take(fd));
}

function* closefiles(p: Proc): Task<void> {
  for (const fd of p.fgrp.fd.keys()) yield* closefd(p, fd);
}

function setpri(p: Proc, [pri = ""]: readonly string[]): void {
  p.pri = Math.max(0, Math.min(NPRIQ - 1, strtoul(pri)));
}

/** Kills a process. One that has not run since it was stopped gets a note (Notes.killed). */
function kill(p: Proc): void {
  if (p.ctl === "stopped" || p.ctl === "started") p.image?.notes.killed();
  else p.kill(Ekilled);
}

type Started = Parameters<Proc["start"]>[0];

function start(p: Proc, ctl: Started): void {
  if (p.ctl !== "stopped") error(Ebadctl);
  p.start(ctl);
}

/** Starts the process, and waits until it stops again: with a note, or around a system call. */
function startstop(p: Proc, ctl: Started): Task<void> {
  start(p, ctl);
  return p.stopwait(null);
}

function trace(_p: Proc, args: readonly string[]): void {
  if (args.length > 1) error("args");
}

/** What the process has said of its real-time needs; who changes it takes part in the schedule no more. */
function edf(p: Proc): Edf {
  p.edf ??= { period: 0, deadline: 0, cost: 0, admitted: false };
  return p.edf;
}

function change(p: Proc, key: "period" | "deadline" | "cost", text: string): void {
  const e = edf(p);
  const ns = time(text);
  e.admitted = false;
  e[key] = ns;
}

const NSPER = new Map([
  ["", 1e9],
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
  ["us", 1e3],
  ["ns", 1],
]);

/** Nanoseconds of a time: "1.5ms" -> 1500000. */
function time(text: string): number {
  const m = /^([0-9]*)(?:\.([0-9]*))?(.*)$/su.exec(text);
  const [, whole = "", fraction, unit = ""] = m ?? [];
  if (fraction === "") error("ill-formed number");
  if ((fraction ?? "").length > 9) error("too many digits after decimal point");
  const ns = NSPER.get(unit);
  if (ns === undefined) return error("unrecognized unit");
  return Math.trunc(Number(`${whole === "" ? "0" : whole}.${fraction ?? "0"}`) * ns);
}

/** The times must make sense, as for a scheduler that keeps deadlines. */
function admit(p: Proc): void {
  const e = p.edf;
  if (e === null) return error("edf params");
  if (e.admitted) error("task state");
  if (e.period === 0) error("T not set");
  if (e.cost === 0) error("C not set");
  if (e.deadline > e.period) error("D > T");
  if (e.deadline === 0) e.deadline = e.period;
  if (e.cost > e.deadline) error("C > D");
  e.admitted = true;
}

function expel(p: Proc): void {
  if (p.edf !== null) p.edf.admitted = false;
}
