// Every fault of a scene, one by one: programs that clean up pass, and what leaks, hangs or breaks is found.

import test from "ava";
import { OREAD, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Main, Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { tree } from "../../userland/lib/9p.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { Failure, everyfault, expect } from "../../userland/testing/index.ts";
import type { Everyopts, Machine, Faultscene } from "../../userland/testing/index.ts";

/** A program with a server 10 ms away. */
const far = (main: Main): Faultscene =>
  async function scene(m: Machine) {
    await m.server("far", { rtt: "10ms", files: { a: "some text" } });
    await m.run(main);
  };

test("a copy over the network, with a child and a pipe, survives every fault", async (t) => {
  let scenes = 0;
  const copies = async (sys: Sys): Promise<void> => {
    scenes++;
    const [to, from] = await sys.pipe();
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.close(from);
      await child.write(to, new TextEncoder().encode(await readtext(child, "/n/far/a")));
    });
    await sys.close(to);
    const buf = new Uint8Array(100);
    const n = await sys.read(from, buf);
    await writefile(sys, "/n/far/b", buf.subarray(0, n));
    await sys.wait();
  };
  const done = await everyfault(far(copies));
  t.true(done.calls > 12 && done.messages > 15, JSON.stringify(done));
  t.is(scenes, done.faults + 1);
  // Each call fails, and its process is killed there; each message is an error, or the end of its connection.
  t.is(done.faults, 2 * done.calls + 2 * done.messages);
});

/** What everyfault finds, and its message. */
async function findings(
  t: { throwsAsync: (p: Promise<unknown>, e: object) => Promise<Failure | undefined> },
  scene: Faultscene,
  opts: Everyopts,
): Promise<readonly [faults: unknown, message: string]> {
  const e = await t.throwsAsync(everyfault(scene, opts), { instanceOf: Failure });
  return [e?.actual, e?.message ?? ""];
}

test("a program that hangs after an error is found, with the fault and the call", async (t) => {
  const waits = async (sys: Sys): Promise<void> => {
    try {
      await sys.stat("/tmp");
      await sys.chdir("/tmp");
    } catch (e) {
      if (!(e instanceof PlanError) || e.call !== "chdir") throw e;
      await sys.rendezvous("never", null);
    }
  };
  const scene: Faultscene = (m) => m.run(waits);
  const [faults, message] = await findings(t, scene, { kinds: ["error"], error: "no" });
  t.deepEqual(faults, ["call:when=2:error=no"]);
  t.regex(
    message,
    /^everyfault: of 2 faults, 1 did harm; m\.inject\('call:when=2:error=no'\) repeats the first\n\n'call:when=2:error=no' in chdir\("\/tmp"\) \(test\/userland\/everyfault.test.ts:\d+\):\n {4}waits: it waits for ever\n/,
  );
  const tried: Faultscene = (m) => m.try(waits);
  const [again, said] = await findings(t, tried, { kinds: ["error"], error: "no" });
  t.deepEqual(again, faults);
  t.regex(said, /:\n {4}it hangs\n {4}waits waits for ever in rendezvous/);
});

test("a child that is left when its parent is killed is found", async (t) => {
  const parent = async (sys: Sys): Promise<void> => {
    await sys.rfork(RFPROC, async (child: Sys) => void (await child.rendezvous("go", null)));
    await sys.rendezvous("go", null);
    await sys.wait();
  };
  const [faults, message] = await findings(t, (m) => m.run(parent), { kinds: ["kill"] });
  t.true((faults as string[]).length > 0);
  t.regex(message, /kill' in rendezvous\("go", null\) .*:\n {4}this is left:\n {4}here: process/);
});

test("a program that does not expect an end of file, a server that throws, an assertion: all are found", async (t) => {
  const short = async (sys: Sys): Promise<void> => {
    const fd = await sys.open("/tmp/a", OREAD);
    const buf = new Uint8Array(4);
    const n = await sys.read(fd, buf);
    await sys.close(fd);
    if (n < 4) (null as unknown as Uint8Array).fill(0);
  };
  const files = { tmp: { a: "1234" } };
  const opts: Everyopts = { kinds: ["short"], machine: { files } };
  const [faults, message] = await findings(t, (m) => m.run(short), opts);
  t.deepEqual(faults, ["call:when=1:short=1"]);
  t.regex(message, /in read\(3, \[4\]\) .*:\n {4}TypeError: /);

  const throwing: Faultscene = async (m) => {
    let files_ = 0;
    const clunks = (): string => {
      if (++files_ > 1) throw new RangeError("twice");
      return "x";
    };
    await m.server("far", { serve: () => tree({ a: clunks }) });
    await m.try(async (sys: Sys) => {
      const read = (): Promise<unknown> => readtext(sys, "/n/far/a");
      await read().catch((e: unknown) => (e instanceof PlanError ? read() : e));
    });
  };
  const [, said] = await findings(t, throwing, { kinds: ["error"] });
  t.regex(said, /:\n {4}far: RangeError: twice\n/);

  const strict: Faultscene = async (m, fault) => {
    const r = await m.try((sys: Sys) => sys.sleep(1));
    expect(r).status("");
    if (fault !== null) t.is(fault, "call:when=1:note=alarm");
  };
  t.regex(
    (await findings(t, strict, { kinds: ["note"] }))[1],
    /status "" expected, and it was "alarm"/,
  );
});

test("a panic of the kernel is found", async (t) => {
  const scene: Faultscene = (m) =>
    m.run(function* main(sys: TaskSys): Task<void> {
      try {
        yield* sys.stat("/tmp");
      } catch {
        m.kernel.panic(new Error("a bug of ours"));
      }
    });
  const [, message] = await findings(t, scene, { kinds: ["short", "error"] });
  t.regex(message, /'call:when=\d:error=i\/o error' in .*:\n {4}panic: Error: a bug of ours/);
});

test("a scene that is not well by itself, an odd option and too many faults are told", async (t) => {
  await t.throwsAsync(
    everyfault((m) => m.run(() => "no")),
    { message: /^main: it ended with "no"/ },
  );
  const waits = async (sys: Sys): Promise<void> => void (await sys.rendezvous("x", 0));
  const leaves: Faultscene = (m) =>
    m.run(async (sys: Sys) => void (await sys.rfork(RFPROC, waits)));
  await t.throwsAsync(everyfault(leaves), {
    message: /^everyfault: without a fault, this is left:/,
  });
  await t.throwsAsync(
    everyfault(async () => undefined),
    { message: /^everyfault: the scene has no call or message that could fail/ },
  );
  const odd: object = { kind: [] };
  await t.throwsAsync(everyfault(leaves, odd), {
    message: /unknown option kind; did you mean kinds\?/,
  });
  const kinds = ["errors"] as unknown as Everyopts["kinds"] & object;
  await t.throwsAsync(everyfault(leaves, { kinds }), {
    message: /unknown kind errors; there are error,/,
  });
  const writes = far((sys: Sys) => writefile(sys, "/n/far/a", "x"));
  await t.throwsAsync(everyfault(writes, { most: 3 }), {
    message: /^everyfault: \d+ faults, and most is 3/,
  });
});
