// The error strings of Plan 9, all in one place, and the one class that carries them. The strings are those of error.h
// and of the devices of its kernel, and those of section 5 of the manual. A program compares these strings, so they are
// part of the system call interface: change none.

import { placeof } from "./place.ts";
import type { Place } from "./place.ts";

export const Ebadarg = "bad arg in system call";
export const Ebadcap = "invalid capability";
export const Ebadchar = "bad character in file name";
export const Ebadctl = "bad process or channel control request";
export const Ebadiounit = "bad iounit in version call";
export const Ebadfd = "fd out of range or not open";
export const Ebadsharp = "unknown device in # filename";
export const Ebadstat = "malformed stat buffer";
export const Ebadusefd = "inappropriate use of fd";
export const Ebadversion = "bad 9P version specification";
export const Eclosed = "device shut down"; // Eshutdown in error.h
export const Ecmdargs = "wrong #args in control message";
export const Ecreatedir = "create without DMDIR";
export const Edirseek = "seek in directory";
export const Edoesnotexist = "does not exist";
export const Eexecdir = "cannot exec directory";
export const Eexist = "file already exists";
export const Ebadexec = "exec header invalid";
export const Efilename = "file name syntax";
export const Egreg = "jmk added reentrancy for threads"; // there is no reading this file
export const Ehungup = "i/o on hungup channel";
export const Einuse = "device or object already in use";
export const Eintr = "interrupted";
export const Eio = "i/o error";
export const Eisdir = "file is a directory";
export const Eisstream = "seek on a stream";
export const Eismtpt = "is a mount point";
export const Emount = "inconsistent mount";
export const Emountrpc = "mount rpc error";
export const Enegoff = "negative i/o offset";
export const Enoattach = "mount/attach disallowed";
export const Enochild = "no living children";
export const Enocreate = "mounted directory forbids creation";
export const Enoenv = "no free environment resources";
export const Enofd = "no free file descriptors";
export const Enoname = "empty file name";
export const Enonexist = "file does not exist";
export const Enoprocs = "no free procs";
export const Enotdir = "not a directory";
export const Enotempty = "directory not empty";
export const Enotposted = "note not posted";
export const Eperm = "permission denied";
export const Eprocdied = "process exited";
export const Eshort = "i/o count too small";
export const Eshortstat = "stat buffer too small";
export const Etoobig = "read or write too large";
export const Etoolong = "name too long";
export const Eunion = "not in union";
export const Eunmount = "not mounted";

// What the mount driver and the ip device say.
export const Efversion = "bad fversion conversion on reply";
export const Efversioneof = "EOF receiving fversion reply";
export const Eduptag = "duplicate tag";
export const Ebadaddr = "bad network address";
export const Econnrefused = "connection refused";
export const Etimedout = "connection timed out";
export const Enoport = "no port specified";
export const Enotconnected = "not connected";
export const Eaddrinuse = "address in use";
export const Ebadaddrform = "malformed address";
export const Ebadannounce = "bad args to announce";
export const Ebadconnect = "bad args to connect";
export const Econninuse = "connection in use";
export const Ectlshort = "short control request";
export const Ectlunknown = "unknown control request";
export const Elistenhungup = "listen hungup";
export const Enodev = "no free devices";
export const Enohost = "dns: name does not exist";
export const Enoroute = "no route";
export const Enoservice = "can't translate service";
export const Enotannounced = "not announced";
export const Enotlocal = "not a local IP address";

// What the file trees, the registry and the processes' device say besides.
export const Ebadspec = "bad attach specifier";
export const Efull = "file system full";
/** A write took nothing of what it was given. */
export const Eshortwrite = "short write";
export const Eexcl = "exclusive use file already open";
export const Efileexists = "file exists"; // a wstat's new name
export const Esrvexist = "srv file already exists";
export const Esrvflags = "posted fd has remove-on-close or close-on-exec";
export const Esrvauth = "cannot post auth file in srv";
export const Eprofile = "profile is off";
export const Echown = "can't change owner";
export const Etoosmall = "read or write too small";
export const Etracing = "already open";
export const Ebadtimectl = "bad time control";
export const Ectlempty = "empty control message";
export const Ectlmsg = "unknown control message";

// Messages a process leaves behind.
export const Ekilled = "Killed";
export const Esuicide = "Suicide";
export const Enotnotified = "call to noted() when not notified";

type ErrorLimit = { stackTraceLimit?: number };

/** A place on a stack: V8's CallSite is one. Lines and columns count from 1. */
export interface Callsite {
  /** The address of the script, as import.meta.url has it; none for code of the engine. */
  getFileName(): string | null | undefined;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  /** The text of the script, where its address says nothing to the host. */
  readonly text?: string;
}

type Prepare = { prepareStackTrace?: unknown };

/** Frames from a system call to the program's line, through any library function. */
const DEEP = 60;

const bare = (_e: unknown, sites: unknown): unknown => sites;

type Capture = (e: object, above?: unknown) => void;

/** V8's Error.captureStackTrace. It is fetched by name, since hosts' types of it differ. */
const capture = Reflect.get(Error, "captureStackTrace") as Capture | undefined;

/**
 * The stack of its caller, innermost first; or of the caller of the function `above`. It is so deep at most, since each
 * place takes time. V8 gives a stack without making a text. Elsewhere the text is read, and begins here.
 */
export function callstack(above: unknown = callstack, deep: number = DEEP): readonly Callsite[] {
  const how: ErrorLimit & Prepare & ErrorConstructor = Error;
  const { stackTraceLimit: limit = 10, prepareStackTrace: prepare } = how;
  how.stackTraceLimit = deep;
  const e: { readonly stack?: unknown } = capture === undefined ? new Error("here") : {};
  capture?.(e, above);
  how.stackTraceLimit = limit;
  how.prepareStackTrace = bare;
  const { stack } = e;
  how.prepareStackTrace = prepare;
  return Array.isArray(stack) ? stack : typeof stack === "string" ? textsites(stack) : [];
}

/** Gives an error the stack of its caller; in a promise's reaction V8 adds the functions that await the promise. */
export function keepstack(e: Error): void {
  const how: ErrorLimit & ErrorConstructor = Error;
  const { stackTraceLimit: limit = 10 } = how;
  how.stackTraceLimit = DEEP;
  if (capture !== undefined) capture(e);
  else e.stack = new Error(e.message).stack ?? "";
  how.stackTraceLimit = limit;
}

/** Gives an error a stack that was taken before; it is made a text when that is asked for. */
export function givestack(e: Error, sites: readonly Callsite[]): void {
  const lines = (): string[] =>
    sites
      .filter((s) => typeof s.getFileName() === "string")
      .map((s) => `    at ${s.getFileName()}:${s.getLineNumber()}:${s.getColumnNumber()}`);
  Object.defineProperty(e, "stack", {
    configurable: true,
    get: () => [`${e.name}: ${e.message}`, ...lines()].join("\n"),
    set: (v: unknown) => {
      Object.defineProperty(e, "stack", { value: v, writable: true });
    },
  });
}

/** A place as V8 gives one of a stack. */
export function callsite(name: string, { line, column }: Place): Callsite {
  return { getFileName: () => name, getLineNumber: () => line, getColumnNumber: () => column };
}

/** The places that a stack's text names. */
export function textsites(stack: string): Callsite[] {
  const list: Callsite[] = [];
  for (const text of stack.split("\n")) {
    const place = placeof(text);
    const from = place?.before.search(/(?:file|blob|https?):|\//) ?? -1;
    if (place === null || from < 0) continue;
    const where = place.before.slice(from);
    // Where Node follows source maps, it names a file by its path.
    list.push(callsite(where.startsWith("/") ? `file://${where}` : where, place));
  }
  return list;
}

/**
 * What a refusal rests on, as the refuser knows it. An error string has no room for it; the trace tells it, and the
 * words about a failure are made of it.
 *
 *	mode		the mode of `name` forbids: it is uid's and gid's, and user wanted 4 (read), 2 (write), 1 (execute)
 *	owner		only uid, the owner of `name`, may change that, and it was user who asked
 *	directory	`name` is a directory, which is only read
 *	kinds		what is to be mounted is a directory and what it goes on a file, or the other way round
 *	union		a file was to go before or after another, and only directories make unions
 *	create		what is to be mounted was mounted without leave to create
 *	device		the mount point is in the tree of a device, named with #
 *	root		the root of a tree is neither removed nor renamed
 *	dots		"." and ".." are in each directory, and no file gets such a name
 *	uid		a wstat changes no owner
 *	dmdir		a wstat makes no file of a directory, nor a directory of a file: DMDIR stays as it is
 */
export type Fact =
  | {
      readonly why: "mode";
      readonly name: string;
      readonly mode: number;
      readonly uid: string;
      readonly gid: string;
      readonly user: string;
      readonly want: number;
    }
  | {
      readonly why: "owner";
      readonly name: string;
      readonly uid: string;
      readonly user: string;
    }
  | { readonly why: "directory"; readonly name: string }
  | { readonly why: "kinds"; readonly newdir: boolean }
  | { readonly why: "union" | "create" | "device" | "root" | "dots" | "uid" | "dmdir" };

/**
 * An error of a system call: `message` is Plan 9's error string and nothing else. The system call
 * layer adds which call failed and on which name.
 *
 * `at` is for kernel code only: how many elements of a walk had been walked when it failed.
 */
export class PlanError extends Error {
  /** "PlanError". */
  override readonly name: string = "PlanError";
  /** The system call that failed, for example "open". */
  call?: string;
  /** The name that the call was given. */
  file?: string;
  /** The element of the name that failed. */
  element?: string;
  /** The argument that was the cause, as the manual calls it: "mode". */
  arg?: string;
  /** What the argument wants, what it got and what to write instead, in sentences for a person. */
  why?: string;
  /** How many elements of a walk had been walked. @internal */
  at?: number;
  /** A walk had come to its first element. `at` is 0 where that one is no directory. @internal */
  began?: boolean;
  /** Its stack shows the program. @internal */
  placed?: boolean;
  /** Where a stream to write failed: its first byte that was not written. */
  offset?: number;
  /** Where a stream to write failed: the step. */
  step?: "walk" | "open" | "create" | "write";
  /** What it rests on, where the device says so. @internal */
  fact?: Fact;

  /**
   * Makes the error of a system call, or of a request to a server of your own.
   *
   * @param message the error string: one of Plan 9's, where one says it
   * @param at how many elements of a walk had been walked; the kernel sets it
   * @example
   * ```ts
   * throw new PlanError("permission denied");
   * ```
   */
  constructor(message: string, at?: number) {
    // A stack of kernel frames tells a program nothing and costs more than the call that failed.
    const limits: ErrorLimit & ErrorConstructor = Error;
    const limit = limits.stackTraceLimit ?? 10;
    limits.stackTraceLimit = 0;
    super(message);
    limits.stackTraceLimit = limit;
    if (at !== undefined) this.at = at;
  }
}

/**
 * Thrown into a coroutine that is killed. Like any error that is no PlanError, kernel code lets it pass;
 * a program never sees it (Image.inline).
 */
class Killed extends Error {
  override readonly name: string = "Killed";
}
export const KILLED: Error = new Killed(Ekilled);

/** The broken invariant: never caught by kernel code, it panics the kernel that it happens in. */
export class Panic extends Error {
  override readonly name: string = "Panic";
}

/** States an invariant; a false one is a bug of ours and panics the kernel (never a PlanError). */
export function assert(truth: boolean, what: string): asserts truth {
  if (!truth) throw new Panic(`assert failed: ${what}`);
}

/** Throws `message` as a system call's error, with what it rests on. */
export function refuse(message: string, fact: Fact): never {
  const e = new PlanError(message);
  e.fact = fact;
  throw e;
}

/** Throws `message` as a system call's error; for use where an expression is wanted. */
export function error(message: string, at?: number): never {
  throw new PlanError(message, at);
}
