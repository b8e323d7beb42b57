// What is gone is given back by a minor collection: nothing of a kernel is made among V8's old objects.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { OREAD, OSTREAM, OWRITE } from "../../kernel/abi/const.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/index.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { all } from "../../userland/lib/all.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { newram } from "../../userland/lib/ram.ts";
import { explore } from "../../userland/testing/index.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as (opts?: { readonly type: "minor" }) => void;

/** Bytes of a buffer that hangs on a kernel, by which it is seen whether the kernel is there. */
const BYTES = 1_000_000;
const mark = (kernel: object): boolean => Reflect.set(kernel, "mark", new ArrayBuffer(BYTES));

/** How many of the kernels are left that `make` marks. */
async function left(make: () => Promise<unknown>): Promise<number> {
  await make();
  gc();
  const { arrayBuffers } = process.memoryUsage();
  await make();
  for (let i = 0; i < 3; i++) gc({ type: "minor" });
  return Math.round((process.memoryUsage().arrayBuffers - arrayBuffers) / BYTES);
}

const program = async (sys: Sys): Promise<void> => {
  const fd = await sys.create("/tmp/a", 1, 0o666);
  await sys.write(fd, new Uint8Array(3));
  await sys.close(fd);
};

test.serial("a kernel that was shut down is given back", async (t) => {
  const make = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) {
      const k = await boot({ clock: "virtual" });
      mark(k);
      await k.spawn(program, ["program"]).wait();
      await k.shutdown();
    }
    await (await boot()).shutdown();
  };
  t.true((await left(make)) <= 1);
});

/** Uses the library, a server in a process of its own whose maker refers to the kernel, and streams both ways. */
const reader = async (sys: Sys): Promise<void> => {
  const user = (): string => (sys === null ? "" : "glenda");
  await postmount(sys, (s) => newram(s, { user: user() }), { mtpt: "/n", name: "ram" });
  const wr = await sys.create("/n/a", OWRITE | OSTREAM, 0o666);
  await sys.swrite(wr, new Uint8Array(3));
  await sys.close(wr);
  const rd = await sys.open("/n/a", OREAD);
  await sys.stream(rd, 0);
  await sys.sread(rd, new Uint8Array(3));
  await sys.close(rd);
};

function* threads(sys: ThreadSys): Task<void> {
  yield* all<unknown>(sys, [sys.stat("/tmp"), sys.stat("/dev"), sys.sleep(1)]);
}

test.serial(
  "a kernel whose programs used a server, streams and threads is given back",
  async (t) => {
    const make = async (): Promise<void> => {
      for (let i = 0; i < 4; i++) {
        const k = await boot({ clock: "virtual" });
        mark(k);
        await k.spawn(reader, ["reader"]).wait();
        await k.spawn(threads, ["threads"]).wait();
        await k.shutdown();
      }
      await (await boot()).shutdown();
    };
    t.true((await left(make)) <= 1);
  },
);

test.serial("the machines of schedules that ran are given back", async (t) => {
  let n = 0;
  const make = (): Promise<unknown> =>
    explore(
      async (m) => {
        if (n++ % 6 === 1) mark(m.kernel);
        await Promise.all([m.run(program), m.run(program)]);
      },
      { schedules: 40, brute: true },
    );
  t.true((await left(make)) <= 1);
});
