// Streams in the 9P server library: Tstream, and Twrites that stop at the first failure.

import test from "ava";
import type { ExecutionContext } from "ava";
import { error } from "../../kernel/abi/errors.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Task } from "../../syscalls/sys.ts";
import { ORDWR, OWRITE } from "../../kernel/abi/const.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import { clunk, flush, open, read, said, served, stat, stream, walk, write } from "../kit/msg.ts";

test("a stream sends a run in frames, and ends with the count or an empty frame", (t) => {
  const { ask } = served(t);
  ask(walk(0, 1, "d/g"), open(1));
  t.deepEqual(ask(stream(1)), [
    "1 stream:65536",
    "1 stream:65536",
    "1 stream:65536",
    "1 stream:3392",
    "1 stream:0",
  ]);
  t.deepEqual(ask(stream(1, 1, 10, 70000)), ["1 stream:65536", "1 stream:4464"]);
  t.deepEqual(ask(stream(1, 1, 10, 0)), ["1 stream:0"]);
  t.deepEqual(ask(stream(1, 1, 500_000)), ["1 stream:0"]);
  t.deepEqual(ask(stream(0)), ["1 error:fid not open"]);
});

test("where the msize is small a frame of a stream is as long as fits it, or a number of whole blocks", (t) => {
  for (const [msize, frame] of [
    [300, 289],
    [8192, 8181],
    [8203, 8192],
    [16384, 12288],
  ] as const) {
    const { ask } = served(t, "9P2000.ix.stream", msize);
    ask(walk(0, 1, "d/g"), open(1));
    t.deepEqual(ask(stream(1, 1, 0, 30_000)).slice(0, 2), Array(2).fill(`1 stream:${frame}`));
  }
});

test("a Tclunk on the tag of a stream waits for its end", (t) => {
  const { ask } = served(t);
  t.deepEqual(ask(walk(0, 1, "d/g"), open(1), stream(1), clunk(1)), [
    "1 walk:2",
    `1 ${fc.Ropen}`,
    "1 stream:65536",
    "1 stream:65536",
    "1 stream:65536",
    "1 stream:3392",
    "1 stream:0",
    `1 ${fc.Rclunk}`,
  ]);
});

test("a stream hands on a frame when the transport took the last, and other replies go first", (t) => {
  const { rig, ask } = served(t);
  ask(walk(0, 1, "d/g"), open(1));
  rig.stuck = true;
  t.deepEqual(ask(stream(1, 5)), ["5 stream:65536"], "one frame, until the transport has room");
  t.deepEqual(ask(stat(0, 6)), [`6 ${fc.Rstat}`]);
  rig.unstick();
  rig.run();
  t.is(rig.replies().map(said).join(), "5 stream:65536,5 stream:65536,5 stream:3392,5 stream:0");
});

test("a stream begins when the transport has taken the reply before it", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1), walk(0, 2, "f"), open(2), read(1, 5));
  rig.stuck = true;
  rig.open(srv.gate("slow"));
  rig.run();
  t.is(rig.replies().length, 1);
  t.deepEqual(ask(stream(2, 6)), []);
  rig.unstick();
  rig.run();
  t.deepEqual(rig.replies().map(said), ["6 stream:13", "6 stream:0"]);
});

test("a stream and the requests behind it both go on when the transport has taken all", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1), walk(0, 2, "f"), open(2), walk(0, 3, "d/g"), open(3));
  ask(read(1, 5));
  rig.stuck = true;
  rig.open(srv.gate("slow"));
  ask(stream(2, 6));
  ask(...Array.from({ length: 10 }, () => read(3, 7, 0, 10_000)));
  ask(stat(0));
  t.true(rig.input.length > 0, "requests wait, too");
  rig.unstick();
  rig.run();
  t.is(rig.input.length, 0);
  t.is(rig.replies().filter((r) => r.tag === 6).length, 2);
});

test("two streams take turns", (t) => {
  const { rig, ask } = served(t);
  ask(walk(0, 1, "d/g"), open(1), walk(0, 2, "d/g"), open(2));
  const order = rig.rpc(stream(1, 5), stream(2, 6)).map((r) => r.tag);
  t.deepEqual(order, [5, 6, 5, 6, 5, 6, 5, 6, 5, 6]);
});

test("Tflush ends a stream at once", (t) => {
  const { rig, ask } = served(t);
  ask(walk(0, 1, "d/g"), open(1));
  rig.stuck = true;
  t.deepEqual(ask(stream(1, 5)), ["5 stream:65536"]);
  t.deepEqual(ask(flush(5), stat(0, 5)), [`9 ${fc.Rflush}`, `5 ${fc.Rstat}`]);
  rig.unstick();
  rig.run();
  t.deepEqual(rig.replies().map(said), []);
});

test("a stream of a slow file asks one frame ahead; what was read is sent before the Rflush", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "slow"), open(1));
  t.deepEqual(ask(stream(1, 5)), []);
  srv.interruptible = false;
  t.deepEqual(ask(flush(5)), []);
  rig.open(srv.gate("slow"));
  rig.run();
  t.deepEqual(rig.replies().map(said), ["5 stream:16", `9 ${fc.Rflush}`]);
});

test("a directory stream sends whole entries and always ends with an empty frame", (t) => {
  const { ask } = served(t);
  ask(walk(0, 1), open(1));
  const got = ask(stream(1));
  t.is(got.length, 2);
  t.is(got.at(-1), "1 stream:0");
});

test("a Twrite that failed or came short stops its tag and fid until a Tflush or Tclunk", (t) => {
  const { srv, ask } = served(t);
  ask(walk(0, 1, "f"), open(1, ORDWR), walk(0, 2, "f"), open(2, ORDWR));
  const full = "error:file system full";
  t.deepEqual(
    ask(
      write(1, "ok", 5),
      write(1, "bad", 5, 2),
      write(1, "more", 5, 5),
      write(2, "other", 5),
      write(1, "x", 6),
    ),
    ["5 write:2", "6 write:1", `5 ${full}`, `5 ${full}`, "5 write:5"],
  );
  t.false(srv.log.includes("write f 5 more"));
  t.deepEqual(ask(stat(1, 5), flush(5), write(1, "again", 5)), [
    `5 ${fc.Rstat}`,
    `9 ${fc.Rflush}`,
    "5 write:5",
  ]);
  t.deepEqual(ask(write(1, "short", 5), write(1, "x", 5)), ["5 write:1", "5 error:i/o error"]);
  t.deepEqual(
    ask(clunk(1, 7), walk(0, 1, "f", 7), open(1, OWRITE, 7), write(1, "new", 5)).at(-1),
    "5 write:3",
  );
});

/** A server that takes writes of a stream together; each waits at the gate of its offset. */
function together(t: ExecutionContext) {
  const s = served(t);
  const given: number[] = [];
  Object.assign(s.srv, {
    *wstream(): Task<boolean> {
      return true;
    },
    *write(_fid: unknown, data: Uint8Array, offset: number): Task<number> {
      given.push(offset);
      yield* s.rig.sleep(s.srv.gate(`${offset}`));
      return utfdecode(data, 0, data.length) === "bad" ? error("file system full") : data.length;
    },
  });
  s.ask(walk(0, 1, "f"), open(1, ORDWR));
  const opened = (offset: number): string[] => {
    s.rig.open(s.srv.gate(`${offset}`));
    s.rig.run();
    return s.rig.replies().map(said);
  };
  return { ...s, given, opened };
}

test("writes of a stream are worked on together where the server says so, and answered in order", (t) => {
  const { ask, given, opened } = together(t);
  const list = [write(1, "aa", 5, 0), write(1, "bbb", 5, 2), write(1, "c", 5, 5)];
  t.deepEqual(ask(...list, write(1, "far", 5, 100), clunk(1, 5)), []);
  t.deepEqual(given, [0, 2, 5], "one elsewhere waits for them");
  t.deepEqual([opened(5), opened(2)], [[], []]);
  t.deepEqual(opened(0), ["5 write:2", "5 write:3", "5 write:1"]);
  t.deepEqual(given, [0, 2, 5, 100]);
  t.deepEqual(opened(100), ["5 write:3", `5 ${fc.Rclunk}`]);
});

test("one of them that fails stops those behind it, whatever became of them", (t) => {
  const { ask, opened, given } = together(t);
  ask(write(1, "ok", 5, 0), write(1, "bad", 5, 2), write(1, "more", 5, 5));
  t.deepEqual([opened(5), opened(0)], [[], ["5 write:2"]]);
  const full = "5 error:file system full";
  t.deepEqual(opened(2), [full, full]);
  t.deepEqual(ask(write(1, "x", 5, 9)), [full]);
  t.deepEqual(given, [0, 2, 5]);
});

test("one of them that fails at once is answered in its turn, and stops those behind it", (t) => {
  const { ask, opened, given, srv } = together(t);
  const later = srv.write.bind(srv);
  Object.assign(srv, {
    write: (...args: Parameters<typeof later>) =>
      utfdecode(args[1], 0, args[1].length) === "no" ? error("not now") : later(...args),
  });
  t.deepEqual(ask(write(1, "ok", 5, 0), write(1, "no", 5, 2), write(1, "more", 5, 4)), []);
  t.deepEqual(opened(0), ["5 write:2", "5 error:not now", "5 error:not now"]);
  t.deepEqual(given, [0]);
});

test("a Tflush interrupts all of them, and none is answered that is behind one that is not", (t) => {
  const { ask, opened, rig } = together(t);
  ask(write(1, "aa", 5, 0), write(1, "bb", 5, 2), write(1, "cc", 5, 4));
  t.deepEqual([opened(4), opened(0)], [[], ["5 write:2"]]);
  t.deepEqual(ask(flush(5)), [`9 ${fc.Rflush}`]);
  t.deepEqual(ask(write(1, "aa", 5, 0), write(1, "b", 5, 2), flush(5)), [`9 ${fc.Rflush}`]);
  ask(write(1, "aa", 5, 0));
  t.deepEqual(ask(flush(5), write(1, "b", 5, 2)), [`9 ${fc.Rflush}`]);
  t.deepEqual(opened(2), ["5 write:1"], "one that comes behind the Tflush is not of their stream");
  ask(write(1, "aa", 5, 0), write(1, "b", 5, 2));
  rig.send(null);
  rig.run();
  t.is(rig.threads, 0);
});

test("without .stream a Tstream is unknown, and a Twrite that failed stops nothing", (t) => {
  const { ask } = served(t, "9P2000.ix");
  ask(walk(0, 1, "f"), open(1, ORDWR));
  t.deepEqual(ask(stream(1)), ["1 error:bad fcall"]);
  t.deepEqual(ask(write(1, "bad"), write(1, "ok")), ["1 error:file system full", "1 write:2"]);
});

test("a fault in the reads of a stream ends its connection", (t) => {
  for (const slow of [false, true]) {
    const { srv, rig, ask } = served(t);
    ask(walk(0, 1, "f"), open(1));
    const fault = (): never => {
      throw new TypeError("a fault");
    };
    srv.read = slow
      ? function* (): Task<Uint8Array> {
          return fault();
        }
      : fault;
    t.deepEqual(ask(stream(1, 5)), []);
    t.deepEqual(rig.closed, [0, 1]);
    t.is(rig.threads, 0);
  }
});

test("a stream without end stops when its client is gone", (t) => {
  const { srv, rig, ask } = served(t);
  ask(walk(0, 1, "d/g"), open(1));
  srv.read = (_fid, count) => new Uint8Array(count);
  rig.stuck = true;
  ask(stream(1, 5));
  rig.send(null);
  rig.run();
  t.is(rig.threads, 0);
  t.deepEqual(rig.closed, [0, 1]);
});
