// A system call as one line of text, with its arguments and result as a programmer writes them:
//
//	open("/n/far/x", OREAD|OTRUNC) = 3
//	read(3, [8192]) = 6 "hello\n"
//	stat("/x") = -1: '/x' file does not exist
//
// Pure: events in, text out. It imports nothing of the host.

import { callrow } from "../../../kernel/abi/calls.ts";
import type { Argkind } from "../../../kernel/abi/calls.ts";
import * as c from "../../../kernel/abi/const.ts";
import { convM2D } from "../../../kernel/abi/dir.ts";
import type { Dir } from "../../../kernel/abi/dir.ts";
import { dirmodefmt } from "../../../kernel/abi/fcallfmt.ts";
import type { Call } from "../../../kernel/trace.ts";
import { utfdecode } from "../../../kernel/abi/utf.ts";

/** Bytes of data and letters of a string that are shown. */
const SHOWN = 32;

const ACCESS = ["OREAD", "OWRITE", "ORDWR", "OEXEC"] as const;
const OPENBITS: Bits = [
  ["OTRUNC", c.OTRUNC],
  ["OCEXEC", c.OCEXEC],
  ["ORCLOSE", c.ORCLOSE],
  ["OEXCL", c.OEXCL],
  ["OSTREAM", c.OSTREAM],
];
const ORDERS = ["MREPL", "MBEFORE", "MAFTER"] as const;
const MOUNTBITS: Bits = [
  ["MCREATE", c.MCREATE],
  ["MCACHE", c.MCACHE],
];
const FORKBITS: Bits = [
  ["RFPROC", c.RFPROC],
  ["RFNOWAIT", c.RFNOWAIT],
  ["RFNAMEG", c.RFNAMEG],
  ["RFCNAMEG", c.RFCNAMEG],
  ["RFNOMNT", c.RFNOMNT],
  ["RFENVG", c.RFENVG],
  ["RFCENVG", c.RFCENVG],
  ["RFNOTEG", c.RFNOTEG],
  ["RFFDG", c.RFFDG],
  ["RFCFDG", c.RFCFDG],
  ["RFREND", c.RFREND],
  ["RFMEM", c.RFMEM],
];

type Bits = readonly (readonly [name: string, bit: number])[];

/** `bits` by their names, what has none in hex; `low` is what the bits below are called together. */
function bitnames(low: string | undefined, bits: Bits, value: number): string {
  const names = low === undefined ? [] : [low];
  let rest = value;
  for (const [name, bit] of bits) {
    if ((value & bit) === 0) continue;
    names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.join("|") || "0";
}

/** OREAD|OTRUNC */
export const openmode = (v: number): string => bitnames(ACCESS[v & 3], OPENBITS, v & ~3);
const mountflags = (v: number): string => bitnames(ORDERS[v & c.MORDER], MOUNTBITS, v & ~c.MORDER);
/** With what leave something is mounted, apart from its order: "MCREATE|MCACHE", "" for none. */
export const mountleave = (v: number): string =>
  (v & ~c.MORDER) === 0 ? "" : bitnames(undefined, MOUNTBITS, v & ~c.MORDER);
const forkflags = (v: number): string => bitnames(undefined, FORKBITS, v);
const perm = (v: number): string => (v > 0o777 || v < 0 ? dirmodefmt(v) : `0${v.toString(8)}`);

type Show = (v: number) => string;

/** How the numbers of some kinds of arguments read. */
const SHOWS: { readonly [K in Argkind]?: Show } = {
  omode: openmode,
  perm,
  mflags: mountflags,
  rflags: forkflags,
  how: (v) => ["NCONT", "NDFLT"][v] ?? String(v),
};

/** What a text of a call is made of; `fill` is the size of the buffer that it fills, of which args have the first bytes. */
type Said = Pick<Call, "name" | "args"> & { readonly fill?: number };

const kindsof = (call: Said): readonly Argkind[] => callrow(call.name)?.args ?? [];

/** The call with its arguments: open("/n/far/x", OREAD). */
export function callfmt(call: Said): string {
  const kinds = kindsof(call);
  const args = call.args.filter(iswritten).map((arg, i) => {
    const kind = kinds[i] ?? "value";
    const show = SHOWS[kind];
    if (show !== undefined && typeof arg === "number") return show(arg);
    if (kind === "fill" && arg instanceof Uint8Array) return `[${call.fill ?? arg.length}]`;
    return valuefmt(arg);
  });
  return `${call.name}(${args.join(", ")})`;
}

/** A function of the kernel's side is no argument that the program wrote: of a rfork that returns twice it is none. */
const iswritten = (arg: unknown): boolean => typeof arg !== "function" || arg.name !== "#fork";

/** What the call gave: "3", "6 "hello\n"", "-1: file does not exist". */
export function resultfmt(call: Said, value: unknown, error: string | null): string {
  if (error !== null) return `-1: ${error}`;
  const buf = call.args[1];
  if (value === 0) return "0";
  if (kindsof(call)[1] === "fill" && typeof value === "number" && buf instanceof Uint8Array)
    // The buffer has the first bytes, or all.
    return `${value} ${buf.length < value ? bytesfmt(buf, value) : datafmt(buf.subarray(0, value))}`;
  return value === undefined ? "" : valuefmt(value);
}

/** How deep a value is shown, and how many values of a list: a program may give one that holds itself. */
const DEEP = 4;
const WIDE = 32;

/** Any argument or result; `depth` says in how many others it is. */
export function valuefmt(v: unknown, depth = 0): string {
  if (typeof v === "string")
    return JSON.stringify(v.length > SHOWN * 4 ? `${v.slice(0, SHOWN * 4)}…` : v);
  if (v instanceof Uint8Array) return bytesfmt(v);
  if (typeof v === "function") return v.name === "" || v.name.startsWith("#") ? "program" : v.name;
  if (typeof v === "bigint") return v.toString();
  if (typeof v !== "object" || v === null) return String(v);
  // As `ls -l` shows an entry.
  if (isdir(v)) return `${dirmodefmt(v.mode)} ${v.uid} ${v.gid} ${v.length} ${v.name}`;
  if (depth === DEEP) return "…";
  return Array.isArray(v)
    ? `[${wide(v, (x) => valuefmt(x, depth + 1))}]`
    : `{${wide(Object.entries(v), ([key, x]) => field(key, x, depth + 1))}}`;
}

function wide<T>(list: readonly T[], fmt: (x: T) => string): string {
  return [...list.slice(0, WIDE).map(fmt), ...(list.length > WIDE ? ["…"] : [])].join(", ");
}

function field(key: string, v: unknown, depth: number): string {
  return key === "mode" && typeof v === "number"
    ? `mode ${perm(v)}`
    : `${key} ${valuefmt(v, depth)}`;
}

function isdir(v: object): v is Dir {
  return "qid" in v && "muid" in v;
}

/** Whether a read brought entries of a directory. */
export function isentries(data: Uint8Array, n: number): boolean {
  return convM2D(data, 0, n) !== null;
}

/** What a read brought: entries of a directory by their names, else as any data. */
export function datafmt(data: Uint8Array): string {
  const names: string[] = [];
  for (let at = 0; at < data.length;) {
    const e = convM2D(data, at, data.length);
    if (e === null) return bytesfmt(data);
    names.push(e.dir.name);
    at = e.next;
  }
  return `(${names.join(" ")})`;
}

/** Data, `n` bytes of which the first are given: as text where it is text, else in hex; the first bytes of it. */
function bytesfmt(data: Uint8Array, n: number = data.length): string {
  const some = data.subarray(0, SHOWN);
  const more = n > SHOWN ? `… (${n})` : "";
  if (some.every((b) => (b >= 32 && b < 127) || (b >= 9 && b <= 13)))
    return JSON.stringify(utfdecode(some, 0, some.length)) + more;
  return `<${[...some.subarray(0, SHOWN / 2)].map((b) => b.toString(16).padStart(2, "0")).join(" ")}${n > SHOWN / 2 ? " …" : ""}>`;
}
