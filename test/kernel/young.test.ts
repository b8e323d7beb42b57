// What is gone is given back by a minor collection: nothing of a kernel is made among V8's old objects.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/index.ts";
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
