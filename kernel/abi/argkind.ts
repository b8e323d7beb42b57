// Words for arguments of calls: what each kind of argument is, whether a value fits it, and what to call a value that does
// not. Calls check their arguments themselves; mistake.ts makes a sentence of these words when a check has failed.
// A program may give an object whose fields throw, so these functions may throw, and mistake.ts catches that.

import type { Argkind } from "./calls.ts";

/** Kinds of arguments of library functions, beside those of system calls. */
export type Kind = Argkind | "sys" | "data" | "object" | "function" | "boolean";

type Kindrow = {
  readonly fits: (v: unknown) => boolean;
  /** What the argument is to be, as a sentence has it: "a file's name, which is a text". */
  readonly wants: string;
  /** An argument that fits, as a program writes it. */
  readonly example: string;
};

/** How many arguments exec takes at most. */
export const MAXARGV: number = 1 << 20;

const istext = (v: unknown): boolean => typeof v === "string";
const isint = (v: unknown): boolean => Number.isInteger(v);
const isbytes = (v: unknown): boolean => ArrayBuffer.isView(v) && v instanceof Uint8Array;
const isobject = (v: unknown): boolean =>
  typeof v === "object" &&
  v !== null &&
  !ArrayBuffer.isView(v) &&
  !Array.isArray(v) &&
  waiting(v) === null;

/** Whether a value has the system calls of a process. */
function issys(v: unknown): boolean {
  return typeof v === "object" && v !== null && typeof Reflect.get(v, "open") === "function";
}

const BYTES = "a Uint8Array";
const TEXT = "a text";
const ENCODED = 'new TextEncoder().encode("text")';

/** What is known of each kind. */
export const kinds: Readonly<Record<Kind, Kindrow>> = {
  name: { fits: istext, wants: "a file's name, which is a text", example: '"/tmp/f"' },
  fd: { fits: isint, wants: "a descriptor, the number that open gave", example: "fd" },
  omode: {
    fits: isint,
    wants: "a mode: OREAD, OWRITE, ORDWR or OEXEC, with flags such as OTRUNC added",
    example: "OREAD",
  },
  perm: {
    fits: isint,
    wants: "permissions, such as 0o664, or DMDIR | 0o775 for a directory",
    example: "0o664",
  },
  mflags: {
    fits: isint,
    wants: "flags: MREPL, MBEFORE or MAFTER, with MCREATE added or not",
    example: "MREPL",
  },
  rflags: { fits: isint, wants: "flags such as RFPROC | RFFDG", example: "RFPROC | RFFDG" },
  how: { fits: isint, wants: "NCONT, to go on, or NDFLT, to end", example: "NCONT" },
  fill: {
    fits: isbytes,
    wants: "a buffer, a Uint8Array that the call fills",
    example: "new Uint8Array(8192)",
  },
  bytes: { fits: isbytes, wants: BYTES, example: ENCODED },
  entry: {
    fits: isbytes,
    wants: "the bytes of a directory entry, which are a Uint8Array",
    example: "new Uint8Array(512)",
  },
  changes: {
    fits: isobject,
    wants: "an object with the fields to change",
    example: "{ mode: 0o644 }",
  },
  text: { fits: istext, wants: TEXT, example: '"text"' },
  argv: {
    fits: (v) => Array.isArray(v) && v.length <= MAXARGV && v.every(istext),
    wants: "an array of texts, the first of which is the program's name",
    example: '["ls", "-l"]',
  },
  program: {
    fits: (v) => typeof v === "function" || v === null,
    wants: "a function",
    example: "async (sys) => { ... }",
  },
  sem: {
    fits: (v) => ArrayBuffer.isView(v) && v instanceof Int32Array,
    wants: "a semaphore, which is an Int32Array",
    example: "new Int32Array(1)",
  },
  flag: { fits: () => true, wants: "true or false", example: "true" },
  boolean: { fits: (v) => typeof v === "boolean", wants: "true or false", example: "true" },
  number: { fits: isint, wants: "a whole number", example: "0" },
  value: { fits: () => true, wants: "a value", example: "0" },
  sys: {
    fits: issys,
    wants: "the system calls of the process, which its function gets first",
    example: "sys",
  },
  data: { fits: (v) => istext(v) || isbytes(v), wants: `${TEXT} or ${BYTES}`, example: '"text"' },
  object: { fits: isobject, wants: "an object", example: "{ ... }" },
  function: {
    fits: (v) => typeof v === "function",
    wants: "a function",
    example: "(sys) => { ... }",
  },
};

/** Words for arguments that say more than their kind does, by their names in the manual. */
const named: ReadonlyMap<string, Pick<Kindrow, "wants" | "example">> = new Map([
  ["afd", { wants: "the descriptor that fauth gave, or -1 for none", example: "-1" }],
  ["aname", { wants: 'a text, "" for the server\'s own choice', example: '""' }],
  ["addr", { wants: 'an address such as "tcp!far!9fs"', example: '"tcp!far!9fs"' }],
  ["child", { wants: "the function that the child runs", example: "async (sys) => { ... }" }],
  [
    "handler",
    { wants: "a function, or null for none", example: "(note, sys) => sys.noted(NCONT)" },
  ],
  ["ms", { wants: "milliseconds, a number", example: "10" }],
  ["nfd", { wants: "the descriptor wanted, a whole number", example: "1" }],
  ["offset", { wants: "an offset in bytes, a whole number", example: "0" }],
  ["whence", { wants: "0, 1 or 2", example: "0" }],
]);

/** What an argument is to be, and an example, by its kind and its name in the manual. */
export function wanted(kind: Kind, param: string): Pick<Kindrow, "wants" | "example"> {
  return named.get(param) ?? kinds[kind];
}

/** The word that a program forgot before a promise ("await") or a Task ("yield*"); null for any other value. */
export function waiting(v: unknown): "await" | "yield*" | null {
  if (typeof v !== "object" || v === null) return null;
  if (v instanceof Promise || typeof Reflect.get(v, "then") === "function") return "await";
  return Symbol.iterator in v && typeof Reflect.get(v, "next") === "function" ? "yield*" : null;
}

/** The constants for 0, 1, 2 and so on, where a kind has them: 1 as a mode is OWRITE. */
const NUMBERS: { readonly [K in Kind]?: readonly string[] } = {
  omode: ["OREAD", "OWRITE", "ORDWR", "OEXEC"],
  mflags: [
    "MREPL",
    "MBEFORE",
    "MAFTER",
    "",
    "MREPL | MCREATE",
    "MBEFORE | MCREATE",
    "MAFTER | MCREATE",
  ],
};

/** An argument as a program writes it, by its constant if it has one; null for one that has no short form. */
export function argument(kind: Kind, v: unknown): string | null {
  const name = typeof v === "number" ? (NUMBERS[kind]?.[v] ?? "") : "";
  return name === "" ? written(v) : name;
}

/** How many letters of a text are shown. */
const SHOWN = 24;

/** A value as a sentence calls it: `the text "x"`, `the number 42`, `a promise`. */
export function called(v: unknown): string {
  if (v === undefined) return "nothing";
  if (v === null) return "null";
  if (typeof v === "string") return `the text ${written(v) ?? '""'}`;
  if (typeof v === "number") return `the number ${v}`;
  if (typeof v === "bigint") return `the bigint ${v}n`;
  if (typeof v === "boolean") return String(v);
  if (typeof v === "symbol") return "a symbol";
  if (typeof v === "function") return "a function";
  const wait = waiting(v);
  if (wait !== null) return wait === "await" ? "a promise" : "a task that has not run";
  if (v instanceof Uint8Array) return "bytes";
  if (Array.isArray(v)) return "an array";
  if (v instanceof Error) return "an error";
  return issys(v) ? "sys" : "an object";
}

/** A value as a program writes it; null for one that has no short form. */
export function written(v: unknown): string | null {
  if (typeof v === "string")
    return JSON.stringify(v.length > SHOWN ? `${v.slice(0, SHOWN)}…` : v).replaceAll("\u007f", "?");
  if (typeof v === "number") return String(v);
  if (typeof v === "boolean" || v === null) return String(v);
  if (v instanceof Uint8Array) return "bytes";
  if (typeof v === "function") return "child";
  if (Array.isArray(v)) return `[${v.map((x) => written(x) ?? "...").join(", ")}]`;
  return null;
}
