// Mistakes in arguments, answered: which argument of a call is wrong, what it wants, what it got, and what to write
// instead. The message of the error stays Plan 9's; these sentences stand beside it (PlanError.arg and .why).
//
//	write(1, "text")  ->  Argument 2 of write, bytes, is the text "text", and has to be a Uint8Array.
//	                      Write sys.write(1, new TextEncoder().encode("text")), or print(sys, "text").
//
// All of it works on the arguments and on facts of the process, so it is the same for every kind of program.

import { argument, called, kinds, waiting, wanted, written } from "./argkind.ts";
import type { Kind } from "./argkind.ts";
import { calls } from "./calls.ts";
import type { Callname } from "./calls.ts";
import * as c from "./const.ts";
import * as E from "./errors.ts";
import { badfield } from "./wstat.ts";

/** Which argument is wrong, and the sentences about it. */
export type Mistake = { readonly arg: string; readonly why: string };

/** An open descriptor: what a sentence says of it. */
export type Fdfact = { readonly fd: number; readonly path: string; readonly mode: number };

/** A function with its arguments: their names, "?" behind one that may be left out, and kinds. */
export type Signature = {
  readonly name: string;
  readonly params: readonly string[];
  readonly kinds: readonly Kind[];
  /** A function of the library, whose first argument is sys. */
  readonly lib: boolean;
};

const signature = (name: Callname): Signature => ({
  name,
  params: calls[name].params,
  kinds: calls[name].args,
  lib: false,
});

/** The messages that may be about an argument. Others are about files. */
const ABOUT: ReadonlySet<string> = new Set([
  E.Ebadarg,
  E.Ebadfd,
  E.Ebadusefd,
  E.Enegoff,
  E.Ebadexec,
  E.Ebadstat,
]);

/** What sentences say of the process and its kernel, asked when one is made. */
export type Facts = {
  readonly open: () => readonly Fdfact[];
  /** Whether /bin may have a program of this name. */
  readonly isprogram: (name: string) => boolean;
};

/** Puts beside a failure which argument was the cause, if one was. */
export function answer(
  e: E.PlanError,
  name: Callname,
  args: readonly unknown[],
  facts: Facts,
): void {
  if (e.why !== undefined || (!ABOUT.has(e.message) && name !== "exec")) return;
  blame(e, () => mistake(name, args, e.message, facts));
}

/** What is wrong with the arguments of a call that failed with `message`; null where they are not the cause. */
function mistake(
  name: Callname,
  args: readonly unknown[],
  message: string,
  { open, isprogram }: Facts,
): Mistake | null {
  const kind = misfit(signature(name), args);
  if (kind !== null) return kind;
  if (message === E.Ebadfd) return notopen(name, args, open());
  if (message === E.Ebadusefd) return misused(name, args[0], open());
  if (name === "exec") return noprogram(String(args[0]), message, isprogram);
  return message === E.Ebadarg || message === E.Enegoff ? (RULES[name]?.(args) ?? null) : null;
}

/** The first argument that is not of its kind; null where each is. */
export function misfit(sig: Signature, args: readonly unknown[]): Mistake | null {
  const i = sig.params.findIndex((_, n) => !fits(sig, n, args[n]));
  const { param, kind } = at(sig, i);
  if (i < 0) return null;
  const got = args[i];
  const { wants } = wanted(kind, param);
  const is = got === undefined ? "is missing" : `is ${detail(kind, got)}`;
  const first = `Argument ${i + 1} of ${sig.name}, ${param}, ${is}, and has to be ${wants}.`;
  return { arg: param, why: `${first} ${remedy(sig, args, i)}` };
}

function at(sig: Signature, i: number): { readonly param: string; readonly kind: Kind } {
  return { param: (sig.params[i] ?? "").replace("?", ""), kind: sig.kinds[i] ?? "value" };
}

function fits(sig: Signature, i: number, v: unknown): boolean {
  if (v === undefined && sig.params[i]?.endsWith("?") === true) return true;
  if (v === null && sig.name === "unmount" && i === 0) return true;
  if (sig.params[i] === "ms") return typeof v === "number";
  return kinds[sig.kinds[i] ?? "value"].fits(v);
}

/** What came: of an array the element that is wrong. */
function detail(kind: Kind, v: unknown): string {
  if (kind !== "argv" || !Array.isArray(v)) return called(v);
  const i = v.findIndex((x) => typeof x !== "string");
  return `an array whose element ${i} is ${called(v[i])}`;
}

function remedy(sig: Signature, args: readonly unknown[], i: number): string {
  const wait = waiting(args[i]);
  if (wait !== null) return `Write ${wait} before the call that made it.`;
  const text = `Write ${example(sig, args)}`;
  if (sig.name !== "write" || typeof args[1] !== "string") return `${text}.`;
  const to = args[0] === 1 ? "print(sys, " : `fprint(sys, ${written(args[0]) ?? "fd"}, `;
  return `${text}, or ${to}${written(args[1])}).`;
}

/** The call with arguments that fit: those that were given, in the right order, or others. */
function example(sig: Signature, args: readonly unknown[]): string {
  const given = ordered(sig, args);
  const least = sig.params.filter((p) => !p.endsWith("?")).length;
  const n = Math.max(least, args.length > sig.params.length ? 0 : args.length);
  const list = sig.params.slice(0, n).map((_, i) => {
    const { param, kind } = at(sig, i);
    const v = given[i];
    if (v !== undefined && fits(sig, i, v))
      return kind === "sys" ? "sys" : (argument(kind, v) ?? param);
    return converted(kind, v) ?? wanted(kind, param).example;
  });
  return `${sig.lib ? "" : "sys."}${sig.name}(${list.join(", ")})`;
}

/** An argument of a neighbouring kind, made to fit. */
function converted(kind: Kind, v: unknown): string | null {
  const bytes = kind === "bytes" && typeof v === "string";
  if (bytes) return `new TextEncoder().encode(${written(v) ?? ""})`;
  if ((kind === "text" || kind === "data" || kind === "name") && typeof v === "number")
    return JSON.stringify(String(v));
  if (kind === "text" && v instanceof Uint8Array) return "new TextDecoder().decode(bytes)";
  if (kind === "argv" && typeof v === "string") return `[${written(v) ?? ""}]`;
  return kind === "number" && typeof v === "string" && /^\d+$/.test(v) ? v : null;
}

/** The arguments where they would fit: one that was left out is a gap, two that were swapped change places. */
function ordered(sig: Signature, args: readonly unknown[]): readonly unknown[] {
  const ok = (list: readonly unknown[]): boolean =>
    list.every((v, i) => v === undefined || fits(sig, i, v));
  const wrong = args.findIndex((v, i) => !fits(sig, i, v));
  if (wrong < 0) return args;
  if (args.length < sig.params.length) {
    const shifted = args.toSpliced(wrong, 0, undefined);
    if (ok(shifted)) return shifted;
  }
  for (let j = wrong + 1; j < args.length; j++) {
    const swapped = args.with(wrong, args[j]).with(j, args[wrong]);
    if (ok(swapped)) return swapped;
  }
  return args;
}

/** A descriptor that is a number, and not open. */
function notopen(
  name: Callname,
  args: readonly unknown[],
  open: readonly Fdfact[],
): Mistake | null {
  const isopen = (v: unknown): boolean => open.some(({ fd }) => fd === v);
  const i = calls[name].args.findIndex(
    (kind, n) => (kind === "fd" || calls[name].params[n] === "afd") && !isopen(args[n]),
  );
  if (i < 0)
    return name === "dup"
      ? {
          arg: "nfd",
          why: `nfd is ${called(args[1])}, and the table ends below it. Give -1 for the lowest that is free.`,
        }
      : null;
  const list = open.map(({ fd }) => String(fd));
  const there = list.length === 0 ? "no descriptor is" : `open are ${list.join(", ")}`;
  const arg = (calls[name].params[i] ?? "").replace("?", "");
  const remedy = "Open the file first, and use the number that open gives until close.";
  return {
    arg,
    why: `${arg} is ${String(args[i])}, which is not open in this process: ${there}. ${remedy}`,
  };
}

const OPENMODES = ["OREAD", "OWRITE", "ORDWR", "OEXEC"] as const;
const READS: ReadonlySet<string> = new Set(["read", "pread", "sread"]);
const WRITES: ReadonlySet<string> = new Set(["write", "pwrite", "swrite"]);

/** A descriptor that is open for something else. */
function misused(name: Callname, fd: unknown, open: readonly Fdfact[]): Mistake | null {
  const it = open.find((o) => o.fd === fd);
  const wants = READS.has(name)
    ? "OREAD or ORDWR"
    : WRITES.has(name)
      ? "OWRITE or ORDWR"
      : name === "mount" || name === "fversion" || name === "fauth"
        ? "ORDWR"
        : null;
  if (it === undefined || wants === null) return null;
  const mode = OPENMODES[it.mode & 3] ?? "";
  if (wants.includes(mode))
    return {
      arg: "fd",
      why: `Descriptor ${it.fd} is the connection to a server that is mounted, and only the kernel uses it.`,
    };
  return {
    arg: "fd",
    why: `Descriptor ${it.fd}, ${it.path}, was opened with ${mode}, and ${name} wants ${wants}. Open it with that mode.`,
  };
}

/** Why a name is no program to exec. */
function noprogram(name: string, message: string, isprogram: Facts["isprogram"]): Mistake | null {
  const arg = "name";
  if (message.endsWith(E.Ebadexec))
    return {
      arg,
      why: `${name} is no program: a program's file begins with "#!" and the name of an interpreter, or is one of /bin. Write exec("/bin/rc", ["rc", ${written(name) ?? ""}]) to run a script.`,
    };
  if (message.endsWith(E.Eexecdir))
    return { arg, why: `${name} is a directory, and exec wants a program in it.` };
  if (message.endsWith(E.Eperm))
    return {
      arg,
      why: `${name} may not be executed by this user: a program needs execute permission. Create it with 0o777, or write sys.wstat(${written(name) ?? ""}, { mode: 0o777 }).`,
    };
  if (!message.endsWith(E.Edoesnotexist) && !message.endsWith(E.Enonexist)) return null;
  const path = /^[./#]/.test(name) ? "" : " in dot, and exec looks in no other directory";
  const other = name.slice(name.lastIndexOf("/") + 1);
  const remedy =
    name.startsWith("/bin/") || !isprogram(other)
      ? "ls /bin lists the programs that there are"
      : `Write exec(${written(`/bin/${other}`) ?? ""}, [${written(other) ?? ""}])`;
  return { arg, why: `There is no file ${name}${path}. ${remedy}.` };
}

type Rule = (args: readonly unknown[]) => Mistake | null;
const num = (v: unknown): number => (typeof v === "number" ? v : 0);
const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const OPENBITS = c.OEXEC | c.OTRUNC | c.OCEXEC | c.ORCLOSE | c.OSTREAM;

/** Modes and permissions. */
const openmode: Rule = ([, mode]) => {
  const rest = num(mode) & ~OPENBITS;
  const what =
    rest === c.OEXCL
      ? "mode has OEXCL, which is create's: open does not make files"
      : rest === 0
        ? "mode has OEXEC, OTRUNC, OCEXEC and ORCLOSE at once, which Plan 9 refuses"
        : `mode has the bit ${hex(rest)}, which means nothing here`;
  return { arg: "mode", why: `${what}. ${kinds.omode.example} opens a file to read.` };
};
const createmode: Rule = (args) => {
  const perm = num(args[2]);
  if (perm >= -(2 ** 31) && perm < 2 ** 32) return openmode([args[0], num(args[1]) & ~c.OEXCL]);
  return { arg: "perm", why: `perm is ${perm}, which has more than 32 bits. 0o664 is usual.` };
};
const mountflags =
  (i: number): Rule =>
  (args) => {
    const flags = num(args[i]);
    const rest = flags & ~c.MMASK;
    const what =
      rest === 0
        ? "flags has MBEFORE and MAFTER at once"
        : `flags has the bit ${hex(rest)}, which means nothing here`;
    return { arg: "flags", why: `${what}. Give one of MREPL, MBEFORE and MAFTER.` };
  };

const PAIRS = [
  ["RFFDG", "RFCFDG", "descriptors", c.RFFDG | c.RFCFDG],
  ["RFNAMEG", "RFCNAMEG", "name space", c.RFNAMEG | c.RFCNAMEG],
  ["RFENVG", "RFCENVG", "environment", c.RFENVG | c.RFCENVG],
] as const;

const rfork: Rule = ([flags, child]) => {
  const f = num(flags);
  for (const [copy, clear, what, bits] of PAIRS)
    if ((f & bits) === bits)
      return {
        arg: "flags",
        why: `${copy} copies the ${what} and ${clear} clears it. Give one of them.`,
      };
  if ((f & c.RFPROC) === 0)
    return {
      arg: "flags",
      why: "RFMEM and RFNOWAIT are about a child, and flags has no RFPROC, which makes one. Add RFPROC.",
    };
  if (typeof child === "function") return null;
  return {
    arg: "child",
    why: "This program cannot return twice, so the child runs a function that rfork is given. Write sys.rfork(RFPROC | RFFDG, async (sys) => { ... }), or give the program a memory of its own, with --vm or image: 'vm'.",
  };
};

/** A rule about one number. */
const bounded =
  (i: number, arg: string, why: (n: number) => string): Rule =>
  (args) => ({ arg, why: why(num(args[i])) });

const offset = (i: number): Rule =>
  bounded(i, "offset", (n) =>
    n < 0
      ? `offset is ${n}: it counts bytes from the start of the file, and -1 means the descriptor's own.`
      : `offset is ${n}, and the largest is ${c.MAXOFFSET}.`,
  );
const ms = (i: number): Rule =>
  bounded(i, "ms", (n) => `ms is ${n}: it is a time in milliseconds, a hundred days at most.`);
const wstat: Rule = ([, d]) => {
  const field = badfield(d);
  if (field === null) return null;
  const v = Reflect.get(Object(d), field);
  return {
    arg: "d",
    why: `d.${field} is ${called(v)}, which is of the wrong kind or out of its range.`,
  };
};
const seek: Rule = (args) => {
  const whence = args[2];
  if (whence === 0 || whence === 1 || whence === 2)
    return {
      arg: "offset",
      why: `offset is ${num(args[1])}, which leads before the start of the file or beyond ${c.MAXOFFSET}.`,
    };
  return {
    arg: "whence",
    why: `whence is ${String(whence)}: 0 counts from the start, 1 from the present offset, 2 from the end.`,
  };
};

/** What is wrong with arguments that are of the right kinds. */
const RULES: { readonly [name in Callname]?: Rule } = {
  open: openmode,
  create: createmode,
  bind: mountflags(2),
  mount: mountflags(3),
  rfork,
  seek,
  pread: offset(2),
  pwrite: offset(2),
  stream: offset(1),
  sleep: ms(0),
  alarm: ms(0),
  tsemacquire: ms(1),
  wstat,
  fwstat: wstat,
  fversion: ([, , version, n]) => ({
    arg: "version",
    why: `version is ${called(version)}, which does not fit n, ${num(n ?? 256)} bytes.`,
  }),
  errstr: bounded(1, "n", (n) => `n is ${n}: it is the size of a buffer, and at least 1.`),
  semrelease: bounded(
    1,
    "count",
    (n) => `count is ${n}: it is what is added, and the value has to stay below 2^31.`,
  ),
  semacquire: () => ({ arg: "sem", why: "the value of sem is below 0 or sem has no element." }),
  noted: ([how]) => ({
    arg: "how",
    why: `how is ${called(how)}: it is NCONT, to go on, or NDFLT, to end.`,
  }),
};

/** Puts a mistake beside an error; arguments that throw when they are looked at leave it without. */
export function blame(e: E.PlanError, find: () => Mistake | null): void {
  let m: Mistake | null;
  try {
    m = find();
  } catch {
    return;
  }
  if (m === null) return;
  e.arg = m.arg;
  e.why = m.why;
}

/** The call as a program writes it: open("/tmp/f", OREAD). */
export function calltext(name: Callname, args: readonly unknown[]): string {
  const list = calls[name].args;
  try {
    const texts = args.map((v, i) => argument(list[i] ?? "value", v) ?? called(v));
    return `${name}(${texts.join(", ")})`;
  } catch {
    return `${name}(...)`;
  }
}

/** The process whose system calls a program used, and the process that used them. */
type Whose = { readonly pid: number; readonly text: string };

/** The failure of a call that was made with the system calls of another process. */
export function foreign(call: string, owner: Whose, user: Whose): E.PlanError {
  const e = new E.PlanError(E.Ebadarg);
  e.call = call;
  e.arg = "sys";
  e.why = `This sys has the system calls of process ${owner.pid} (${owner.text}), and process ${user.pid} used it. Each process has a sys of its own, which its function gets: write rfork(flags, async (sys) => { ... }), and (note, sys) => for a note's handler.`;
  return e;
}

/** An exit status that is no text: what main returned, or what exits was given. */
export function nostatus(by: "main" | "exits", value: unknown, message: string): E.PlanError {
  const e = new E.PlanError(message);
  e.call = "exits";
  e.arg = "status";
  blame(e, () => {
    const gave = by === "main" ? "The program returned" : "exits got";
    return {
      arg: "status",
      why: `${gave} ${called(value)}, and an exit status is a text. Give nothing or "" for success, and for failure a sentence such as "no such file".`,
    };
  });
  return e;
}
