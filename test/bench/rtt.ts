// npm run bench:rtt: what name operations cost, in round trips and messages, in both name spaces, beside
// the least that is possible. The clock is virtual, so the numbers are exact and every run is the same.
//
//	npm run bench:rtt -- [names] [standard]

import { OSTREAM, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Exit, Sys, Task } from "../../syscalls/sys.ts";
import ls from "../../userland/bin/ls.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { put } from "../kit/kit.ts";
import { BIND, OPERATIONS, copytree, list, maketree, readall, write } from "../kit/operations.ts";
import type { Operation } from "../kit/operations.ts";
import { World, deep } from "../kit/world.ts";
import type { Cost, Sent } from "../kit/world.ts";
import { columns } from "./rounds.ts";

const DEPTHS = [1, 5, 16, 17, 40];
const MOUNTS = [0, 1, 3];
const MEMBERS = [1, 3, 8];
type Space = "names" | "standard";
const both: readonly Space[] = ["names", "standard"];
const chosen = both.filter((space) => process.argv.slice(2).includes(space));
const SPACES = chosen.length > 0 ? chosen : both;

const say = (text: string): void => void process.stdout.write(text);

/** Why a cell is above the limit: a letter in the cell, the reason below the table. */
const REASONS = {
  w: "the walk is waited for before the operation is sent",
  l: "more than 16 elements are walked in pieces, one after another",
  c: "create walks to the directory, and looks whether the name is there, before it creates",
  b: "its two names are walked one after the other",
  k: "giving a fid back is waited for",
  m: "servers earlier on the path are asked",
  u: "the members of the union are asked one after another",
  a: "the members are walked, all at once; then the one that has the name is acted on",
  r: "each read is waited for, the one that finds the end too",
  d: "a directory is read one chunk after another, the empty one at its end too",
  p: "pieces of 8 KiB are read or written one after another",
  s: "the program asks first what its argument is",
  q: "each call waits for the one before it: one program, one thing at a time",
} as const;
type Reason = keyof typeof REASONS;

/** A cell: what it cost, and why it did not cost less. */
type Cell = { readonly cost: Cost; readonly why: readonly Reason[] };

const show = ({ cost, why }: Cell): string =>
  `${cost.trips}/${cost.messages}${why.length === 0 ? "" : ` ${why.join("")}`}`;

/** Prints a table, and the reasons that it mentions. */
function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
): void {
  say(`\n${title}\n\n`);
  const mentioned = new Set<Reason>();
  for (const cell of rows.flat())
    if (typeof cell !== "string") for (const r of cell.why) mentioned.add(r);
  say(columns([head, ...rows.map((row) => row.map((c) => (typeof c === "string" ? c : show(c))))]));
  const letters = Object.keys(REASONS) as Reason[];
  const notes = letters.filter((r) => mentioned.has(r)).map((r) => `  ${r}  ${REASONS[r]}\n`);
  if (notes.length > 0) say(`\n${notes.join("")}`);
}

/** The requests that were waited for, as those sent at one time. */
function rounds(sent: readonly Sent[]): Sent[][] {
  const list: Sent[][] = [];
  for (const s of sent) {
    const last = list.at(-1);
    if (last?.[0]?.at === s.at) last.push(s);
    else list.push([s]);
  }
  return list;
}

const is =
  (type: number) =>
  (s: Sent): boolean =>
    s.fcall.type === type;

/** Where an operation is measured: on which name, by how much path, and past what. */
type Spot = {
  readonly sys: Sys;
  readonly name: string;
  readonly op: Operation;
  readonly depth: number;
  readonly where: "alone" | "mounts" | "union";
};

/** Why an operation took more than one round trip, as its messages show. */
function reasons(sent: readonly Sent[], { op, depth, where }: Spot): Reason[] {
  const why: Reason[] = [];
  const all = rounds(sent);
  const together = all.some((r) => r.length > 1);
  const servers = new Set(sent.map((s) => s.conn)).size;
  const first = new Set(all[0]?.map((s) => s.conn)).size;
  if (where === "union" && first > 1) return ["a"];
  const acts = sent.some((s) => s.fcall.type !== F.Twalk && s.fcall.type !== F.Tclunk);
  const creates = /^create|^mkdir/.test(op.name);
  if (acts && !together) why.push("w");
  if ((creates ? depth - 1 : depth) > 16) why.push("l");
  if (creates && all.filter((r) => r.some(is(F.Twalk))).length > 1) why.push("c");
  if (op === BIND) why.push("b");
  if (all.some((r) => r.length === 1 && r.every(is(F.Tclunk)))) why.push("k");
  if (where === "mounts" && servers > 1) why.push("m");
  if (where === "union" && servers > 1) why.push("u");
  return why;
}

/** Measures one operation; what it opened is closed, and that is measured too. */
async function measure(w: World, at: Spot): Promise<readonly [Cell, Cost | null]> {
  const { sys, name, op } = at;
  let result: unknown;
  const cost = await w.cost(sys, async () => (result = await op.run(sys, name)));
  const why = cost.trips > 1 ? reasons(w.sent, at) : [];
  let close: Cost | null = null;
  if (typeof result === "number" && op !== BIND) {
    const fd = result;
    close = await w.cost(sys, () => sys.close(fd));
  }
  await op.undo?.(sys, name);
  return [{ cost, why }, close];
}

/** Runs fn in a world of its own. */
async function within<T>(
  space: Space,
  opts: { mounts?: number; members?: number },
  fn: (w: World, sys: Sys) => Promise<T>,
): Promise<T> {
  const version = space === "names" ? "9P2000.ix.stream" : "9P2000";
  const w = await World.make({ namespace: space, version, ...opts });
  let value: T | undefined;
  await w.run(null, async (sys) => void (value = await fn(w, sys)));
  await w.end();
  return value as T;
}

type Rows = Map<string, Cell[]>;

function add(rows: Rows, name: string, cell: Cell): void {
  const row = rows.get(name);
  if (row === undefined) rows.set(name, [cell]);
  else row.push(cell);
}

/** One column: every operation at a depth. */
async function column(
  rows: Rows,
  w: World,
  at: { sys: Sys; depth: number; where: "alone" | "mounts" },
): Promise<void> {
  const { sys, depth, where } = at;
  const dir = await deep(sys, w.top, depth - 1);
  for (const [i, op] of [...OPERATIONS, BIND].entries()) {
    const name = `${dir}/f${i}`;
    await op.ready?.(sys, name);
    const [cell, close] = await measure(w, { sys, name, op, depth, where });
    add(rows, op.name, cell);
    if (op.name === "open" && close !== null)
      add(rows, "close", { cost: close, why: close.trips > 0 ? ["k"] : [] });
  }
}

const limit = (name: string): string => (name === "close" ? "0" : "1");
const heads = (what: string, list: readonly number[]): string[] =>
  SPACES.flatMap((space) => list.map((n, i) => (i === 0 ? `${space}, ${what} ${n}` : String(n))));

async function depths(): Promise<void> {
  const rows: Rows = new Map();
  for (const space of SPACES)
    await within(space, {}, async (w, sys) => {
      for (const depth of DEPTHS) await column(rows, w, { sys, depth, where: "alone" });
    });
  table(
    "At a depth below the mount",
    ["", "limit", ...heads("depth", DEPTHS)],
    [...rows].map(([name, cells]) => [name, limit(name), ...cells]),
  );
}

async function mounts(): Promise<void> {
  const rows: Rows = new Map();
  for (const space of SPACES)
    for (const n of MOUNTS)
      await within(space, { mounts: n }, (w, sys) =>
        column(rows, w, { sys, depth: 5, where: "mounts" }),
      );
  table(
    "Past mount points of other servers, at depth 5",
    ["", "limit", ...heads("mounts", MOUNTS)],
    [...rows].map(([name, cells]) => [name, limit(name), ...cells]),
  );
}

async function unions(): Promise<void> {
  const rows: Rows = new Map();
  for (const space of SPACES)
    for (const members of MEMBERS)
      await within(space, { members }, async (w, sys) => {
        for (const [i, op] of OPERATIONS.entries()) {
          await op.ready?.(sys, `/n/u${members - 1}/f${i}`);
          const spot = { sys, name: `/n/u/f${i}`, op, depth: 1, where: "union" } as const;
          const [cell] = await measure(w, spot);
          add(rows, op.name, cell);
        }
      });
  table(
    "In a union of servers, the file in the last",
    ["", "limit", ...heads("members", MEMBERS)],
    [...rows].map(([name, cells]) => [name, limit(name), ...cells]),
  );
}

/** A job of several calls: the least that is possible, and why it takes more. */
type Job = {
  readonly name: string;
  readonly limit: number;
  readonly why: Readonly<Record<Space, string>>;
  readonly run: (sys: Sys, w: World) => Promise<unknown>;
};

const stats = (sys: Sys, dir: string): Promise<unknown> =>
  Promise.all(Array.from({ length: 100 }, (_, i) => sys.stat(`${dir}/f${i}`)));

/** ls -l, as another process. */
async function lsl(sys: Sys, dir: string): Promise<void> {
  await sys.rfork(RFPROC | RFFDG, function* (s: ThreadSys): Task<Exit> {
    return yield* ls(s, ["ls", "-l", dir]);
  });
  await sys.wait();
}

const K1 = new Uint8Array(1024);
const SIZES = ["1k", "64k"] as const;
const JOBS: readonly Job[] = [
  ...SIZES.flatMap((size): Job[] => [
    {
      name: `read a file of ${size}: open, read, read, close`,
      limit: 1,
      why: { names: "r", standard: size === "1k" ? "wrk" : "wprk" },
      run: (sys, w) => readall(sys, `${w.top}/${size}`, { size: 65536 }),
    },
    {
      name: `    with OSTREAM`,
      limit: 1,
      why: { names: "", standard: size === "1k" ? "wrk" : "wprk" },
      run: (sys, w) => readall(sys, `${w.top}/${size}`, { size: 65536, stream: true }),
    },
  ]),
  {
    name: "write 1k: create, write, close",
    limit: 1,
    why: { names: "q", standard: "cqk" },
    run: (sys, w) => write(sys, `${w.top}/new`, K1),
  },
  {
    name: "    with OSTREAM",
    limit: 1,
    why: { names: "", standard: "cqk" },
    run: (sys, w) => write(sys, `${w.top}/new2`, K1, OSTREAM),
  },
  {
    name: "list 100 entries: open, read, read, close",
    limit: 1,
    why: { names: "d", standard: "wdk" },
    run: (sys, w) => list(sys, `${w.top}/dir`),
  },
  {
    name: "ls -l of 100 entries",
    limit: 1,
    why: { names: "sd", standard: "swdk" },
    run: (sys, w) => lsl(sys, `${w.top}/dir`),
  },
  {
    name: "100 stats with Promise.all",
    limit: 1,
    why: { names: "", standard: "wk" },
    run: (sys, w) => stats(sys, `${w.top}/dir`),
  },
  {
    name: "copy a tree of 100 files, one call after another",
    limit: 210,
    why: { names: "qrd", standard: "qrdwck" },
    run: (sys, w) => copytree(sys, `${w.top}/tree`, `${w.top}/a`),
  },
  {
    name: "    with OSTREAM",
    limit: 210,
    why: { names: "d", standard: "qrdwck" },
    run: (sys, w) => copytree(sys, `${w.top}/tree`, `${w.top}/b`, { stream: true }),
  },
  {
    name: "    with Promise.all",
    limit: 4,
    why: { names: "qrd", standard: "qrdwck" },
    run: (sys, w) => copytree(sys, `${w.top}/tree`, `${w.top}/c`, { all: true }),
  },
  {
    name: "    with both",
    limit: 4,
    why: { names: "qd", standard: "qrdwck" },
    run: (sys, w) => copytree(sys, `${w.top}/tree`, `${w.top}/d`, { all: true, stream: true }),
  },
];

async function jobs(): Promise<void> {
  const rows: Cell[][] = JOBS.map(() => []);
  for (const space of SPACES)
    await within(space, {}, async (w, sys) => {
      await write(sys, `${w.top}/1k`, K1);
      await write(sys, `${w.top}/64k`, new Uint8Array(65536));
      const dir = await deep(sys, w.top, 1);
      await sys.wstat(dir, { name: "dir" });
      for (let i = 0; i < 100; i++) await put(sys, `${w.top}/dir/f${i}`, "");
      await maketree(sys, `${w.top}/tree`);
      for (const [i, job] of JOBS.entries()) {
        const cost = await w.cost(sys, () => job.run(sys, w));
        rows[i]?.push({ cost, why: cost.trips > job.limit ? lettersof(job.why[space]) : [] });
      }
    });
  const head = ["", "limit", ...SPACES];
  table(
    "Jobs of several calls",
    head,
    rows.map((cells, i) => [JOBS[i]?.name ?? "", String(JOBS[i]?.limit), ...cells]),
  );
}

function lettersof(text: string): Reason[] {
  return (Object.keys(REASONS) as Reason[]).filter((r) => text.includes(r));
}

say("Round trips waited for / messages sent, by virtual time: exact, and the same in every run.\n");
say("names speaks 9P2000.ix.stream, standard 9P2000. Letters say why a cell is above the limit.\n");
await depths();
await mounts();
await unions();
await jobs();
