// What connections hold of received bytes that no process has read.

import test from "ava";
import { type Received, Rqueue } from "../../devices/ip/stack.ts";
import type { Proc } from "../../kernel/proc/proc.ts";

const MB = 1048576;

/** A queue that shares `all`, whether its source is stopped, and a read of n bytes that are there. */
function queue(all: Received) {
  const state = { stopped: false };
  const q = new Rqueue({
    stop: () => (state.stopped = true),
    go: () => (state.stopped = false),
    outside: false,
    all,
  });
  const read = (n: number): void => {
    if (q.read({} as Proc, new Uint8Array(n)).next().done !== true) throw new Error("it sleeps");
  };
  return { q, read, state };
}

test("a queue stops its source at 1 MiB, and lets it go on when it is half empty", (t) => {
  const { q, read, state } = queue({ bytes: 0 });
  q.put(new Uint8Array(MB - 1));
  t.false(state.stopped);
  q.put(new Uint8Array(4000));
  t.true(state.stopped);
  read(MB / 2);
  t.true(state.stopped);
  read(4000);
  t.false(state.stopped);
});

test("when all queues hold 16 MiB each takes one chunk, and the next when that was read", (t) => {
  const all: Received = { bytes: 0 };
  const full = Array.from({ length: 16 }, () => queue(all));
  for (const { q } of full) q.put(new Uint8Array(MB));
  t.is(all.bytes, 16 * MB);
  const late = queue(all);
  late.q.put(new Uint8Array(65536));
  t.true(late.state.stopped);
  late.read(65000);
  t.true(late.state.stopped, "not all of the chunk was read");
  late.read(536);
  t.false(late.state.stopped);
  late.q.put(new Uint8Array(65536));
  t.true(late.state.stopped);
  for (const { q } of full.slice(0, 2)) q.drop();
  t.is(all.bytes, 14 * MB + 65536);
  late.read(1);
  t.false(late.state.stopped, "there is room again");
  for (const { q } of [...full, late]) q.drop();
  t.is(all.bytes, 0);
});

test("the memory of a chunk is spent only when no caller of bread has a part of it", (t) => {
  const spent: number[] = [];
  const all: Received = { bytes: 0 };
  const noop = (): void => undefined;
  const source = { stop: noop, go: noop, outside: false, all };
  const q = new Rqueue({ ...source, spent: (chunk) => spent.push(chunk.length) });
  const read = (n: number): unknown => q.read({} as Proc, new Uint8Array(n)).next().value;
  q.put(new Uint8Array(100));
  t.is((q.bread({} as Proc, 10).next().value as Uint8Array).length, 10);
  t.is(read(90), 90);
  t.deepEqual(spent, []);
  q.put(new Uint8Array(70));
  t.is(read(70), 70);
  t.deepEqual(spent, [70]);
});
