// Two runs of one program side by side, call by call: the ledgers of `names` and `standard`, say. Calls are
// those of the same process (the first that was seen in the one is the first in the other) and in order; what
// only one of them made stands alone. Pure.
//
//	                                     names            standard
//	open("/n/far/a/b", OREAD) = 3       1   50 ms        4  200 ms   ×4

import { exactly } from "./arrowtext.ts";
import { ledger, traffic } from "./ledger.ts";
import { cut, line } from "./line.ts";
import type { Line } from "./line.ts";
import type { Rcall, Recording } from "./recording.ts";
import { timefmt } from "./stepfmt.ts";

/** How far ahead two runs that have parted are searched for where they meet again. */
const AHEAD = 64;

/** A call of the one, the other or both. */
export type Row = {
  readonly left: Rcall | null;
  readonly right: Rcall | null;
  /** Both were made and gave something else. */
  readonly differs: boolean;
};

/** What a run cost as a whole; times are nanoseconds. */
export type Sum = {
  readonly calls: number;
  readonly errors: number;
  readonly trips: number;
  readonly messages: number;
  readonly bytes: number;
  readonly elapsed: number;
};

export type Comparison = {
  /** What the runs are called: their name spaces, or what else is different about them. */
  readonly names: readonly [string, string];
  readonly rows: readonly Row[];
  readonly sums: readonly [Sum, Sum];
  /** The right one's cost by the left one's; null where that is nothing. */
  readonly ratios: Readonly<Record<keyof Sum, number | null>>;
};

/** Compares two recordings of a program. */
export function compare(left: Recording, right: Recording): Comparison {
  const sums = [sumof(left), sumof(right)] as const;
  const rows = aligned(left, right).map(([a, b]) => rowof(a, b));
  return { names: called(left, right), rows, sums, ratios: ratiosof(...sums) };
}

function called(left: Recording, right: Recording): [string, string] {
  const [a, b] = [left.about, right.about];
  if (a.namespace !== b.namespace) return [a.namespace, b.namespace];
  const [x, y] = [versions(left), versions(right)];
  return x === y ? ["first", "second"] : [x, y];
}

const versions = (r: Recording): string => [...new Set(r.conns.map((c) => c.version))].join(" ");

/** What a recording cost as a whole. */
export function sumof(r: Recording): Sum {
  const l = ledger(r);
  const { calls, errors, trips } = l.whole;
  return { calls, errors, trips, ...traffic(l.whole), elapsed: l.elapsed };
}

function ratiosof(a: Sum, b: Sum): Comparison["ratios"] {
  const by = (key: keyof Sum): number | null => (a[key] === 0 ? null : b[key] / a[key]);
  return {
    calls: by("calls"),
    errors: by("errors"),
    trips: by("trips"),
    messages: by("messages"),
    bytes: by("bytes"),
    elapsed: by("elapsed"),
  };
}

function rowof(left: Rcall | null, right: Rcall | null): Row {
  const differs = left !== null && right !== null && left.result !== right.result;
  return { left, right, differs };
}

type Pair = readonly [Rcall | null, Rcall | null];

/** The calls of both, in the order of the left one's; what only the right one has behind the call before it. */
function aligned(left: Recording, right: Recording): Pair[] {
  const [a, b] = [byproc(left), byproc(right)];
  const pairs: Pair[] = [];
  for (let p = 0; p < Math.max(a.length, b.length); p++)
    pairs.push(...match(a[p] ?? [], b[p] ?? []));
  const order = new Map<Pair, number>();
  let last = -1;
  for (const pair of pairs) order.set(pair, (last = pair[0]?.id ?? last));
  return pairs.toSorted((x, y) => (order.get(x) ?? 0) - (order.get(y) ?? 0));
}

/** The calls of each process that made any, in the order in which the processes made their first. */
function byproc(r: Recording): Rcall[][] {
  const procs = new Map<number, Rcall[]>();
  for (const c of r.calls) {
    const list = procs.get(c.pid);
    if (list === undefined) procs.set(c.pid, [c]);
    else list.push(c);
  }
  return [...procs.values()];
}

/** Pairs the calls of two processes: as they come, and where they part from the nearest place on where they meet. */
function match(a: readonly Rcall[], b: readonly Rcall[]): Pair[] {
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [x, y] = meeting(a.slice(i, i + AHEAD), b.slice(j, j + AHEAD));
    pairs.push(...byname(a.slice(i, i + x), b.slice(j, j + y)));
    [i, j] = [i + x, j + y];
    const [u, v] = [a[i++], b[j++]];
    if (u !== undefined && v !== undefined) pairs.push([u, v]);
  }
  return pairs;
}

/** How many calls of each to pass over so that the next are the same; all when there are none such. */
function meeting(a: readonly Rcall[], b: readonly Rcall[]): [number, number] {
  for (let sum = 0; sum < a.length + b.length; sum++)
    for (let n = Math.max(0, sum - b.length + 1); n <= sum && n < a.length; n++)
      if (a[n]?.text === b[sum - n]?.text) return [n, sum - n];
  return [a.length, b.length];
}

/** Pairs what has the same name (a descriptor or a count may be another), in order. */
function byname(a: readonly Rcall[], b: readonly Rcall[]): Pair[] {
  const pairs: Pair[] = [];
  let j = 0;
  for (const x of a) {
    const at = b.findIndex((y, n) => n >= j && y.name === x.name);
    if (at < 0) {
      pairs.push([x, null]);
      continue;
    }
    for (const y of b.slice(j, at)) pairs.push([null, y]);
    pairs.push([x, b[at] ?? null]);
    j = at + 1;
  }
  for (const y of b.slice(j)) pairs.push([null, y]);
  return pairs;
}

const NUMBERS = 18;

/** The comparison as a table, in the layout at the head of this file; the last lines are the sums. */
export function comparelines(c: Comparison, columns = 100): Line[] {
  const room = Math.max(24, columns - 2 * NUMBERS - 9);
  const head = `${" ".repeat(room)}${c.names.map((n) => cut(n, NUMBERS - 2).padStart(NUMBERS)).join("")}`;
  const list = [line("other", head)];
  for (const { left, right, differs } of c.rows) {
    const call = left ?? right;
    if (call === null) continue;
    const numbers = [left, right].map(costof).join("");
    const ratio = ratiofmt(spent(left), spent(right));
    const kind = call.error === null ? "call" : "failed";
    const text = `${call.text}${call.result === "" ? "" : ` = ${call.result}`}`;
    list.push(line(kind, cut(text, room - 1).padEnd(room) + numbers + ratio));
    if (differs && right !== null)
      list.push(line("failed", cut(`  ${c.names[1]}: ${right.result || "nothing"}`, columns)));
  }
  return [...list, ...sumlines(c, room)];
}

function costof(c: Rcall | null): string {
  const t = spent(c);
  const text = c === null ? "-" : t === null ? "never returned" : `${c.cost.trips}  ${shortly(t)}`;
  return text.padStart(NUMBERS);
}

const spent = (c: Rcall | null): number | null =>
  c === null || c.ended === null ? null : c.ended - c.began;

function ratiofmt(a: number | null, b: number | null): string {
  if (a === null || b === null || a === 0 || a === b) return "";
  return `  ×${Number((b / a).toPrecision(3))}`;
}

/** Exact where that is short. */
function shortly(ns: number): string {
  const text = exactly(ns);
  return text.length <= 9 ? text : timefmt(ns);
}

function sumlines(c: Comparison, room: number): Line[] {
  const [a, b] = c.sums;
  const row = (what: string, key: keyof Sum, fmt: (n: number) => string): Line =>
    line(
      "other",
      what.padEnd(room) +
        [a, b].map((s) => fmt(s[key]).padStart(NUMBERS)).join("") +
        ratiofmt(a[key], b[key]),
    );
  return [
    row("calls", "calls", String),
    row("errors", "errors", String),
    row("round trips", "trips", String),
    row("messages", "messages", String),
    row("bytes", "bytes", String),
    row("time", "elapsed", shortly),
  ];
}
