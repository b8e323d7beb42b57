// A recording of a long run that is made without running it: n reads of a far file, six events each.

import { Rread, Tread } from "../../kernel/abi/fcall.ts";
import { FORMAT, VERSION } from "../../userland/view/record/recording.ts";
import type { Rcall, Recording, Revent } from "../../userland/view/record/recording.ts";

/** Bytes of each message, and how long each way takes. */
const BYTES = 23;
const WAY = 25;

/** The recording of so many reads, one after the other. */
export function longrun(n: number): Recording {
  const conn = {
    conn: 1,
    name: "/net/tcp/0/data",
    peer: "far!564",
    pipe: null,
    wire: 1,
    opened: 0,
  };
  const calls = Array.from({ length: n }, (_, id) => read(id));
  return {
    format: FORMAT,
    version: VERSION,
    about: { ...ABOUT, machine: "here", hosts: [] },
    sources: [],
    conns: [{ ...conn, version: "9P2000.ix", roots: [0] }],
    procs: [{ pid: 1, text: "main" }],
    calls,
    spaces: [[]],
    events: calls.flatMap(events),
    start: [],
    said: [],
    lost: 0,
  };
}

const ABOUT = { program: "long", namespace: "names", clock: "virtual", seed: 0 } as const;

function read(id: number): Rcall {
  const outcome = { result: "0", value: 0, error: null };
  const where = { args: [], line: null, space: 0, file: null, chan: 0, dot: "/" };
  return {
    id,
    pid: 1,
    name: "read",
    text: "read(3, [1])",
    ...where,
    began: id * 2 * WAY,
    ended: (id + 1) * 2 * WAY,
    ...outcome,
    cost: { trips: 1, messages: 2, bytes: 2 * BYTES, asked: false },
    first: 6 * id,
    last: 6 * id + 5,
  };
}

function events({ id, began: at, first }: Rcall): Revent[] {
  const on = { pid: 1, call: id, space: 0 };
  const m = { conn: 1, bytes: BYTES, off: BYTES * id };
  const none = { pid: 0, call: -1, space: -1 };
  const piece = { conv: 0, wire: 1, bytes: BYTES, off: BYTES * id };
  const tread = { type: Tread, tag: 0, fid: 1, offset: 0, count: 1 } as const;
  const rread = { type: Rread, tag: 0, data: new Uint8Array(0) } as const;
  const over = at + 2 * WAY;
  return [
    { at, ...on, type: "call" },
    { at, ...on, type: "send", fcall: tread, ...m },
    { at: at + WAY, ...none, type: "wire", way: "out", ...piece, left: at },
    { at: over, ...none, type: "wire", way: "in", ...piece, left: at + WAY },
    { at: over, ...on, type: "receive", fcall: rread, ...m, of: first + 1 },
    { at: over, ...on, type: "return", offset: -1 },
  ];
}
