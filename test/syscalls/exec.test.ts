// Programs in files: exec(2), and what wait(2) says of their end.

import test from "ava";
import { OCEXEC, OREAD, OWRITE, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { failure, inside, run, within, write } from "../kit/kit.ts";

const NOEXEC = "exec header invalid";

/** Says what arguments it has. */
function* args(sys: ThreadSys, argv: readonly string[]): Task<void> {
  yield* sys.write(1, new TextEncoder().encode(`${JSON.stringify(argv)}\n`));
}

const files = { bin: { args: args as Program }, tmp: {} };

async function script(sys: Sys, name: string, text: string): Promise<void> {
  const fd = await sys.create(name, OWRITE, 0o777);
  await write(sys, fd, text);
  await sys.close(fd);
  await sys.wstat(name, { mode: 0o755 });
}

test(
  "an interpreter gets the script's name, its own arguments, the file and the script's arguments",
  within(
    async (t, k) => {
      const { output } = await run(k, async (sys: Sys) => {
        await script(sys, "/tmp/scr", "#! /bin/args  a\tb\n");
        await sys.exec("/tmp/scr", ["x", "c d", ""]);
      });
      t.is(output, '["scr","a","b","/tmp/scr","c d",""]\n');
    },
    { files },
  ),
);

test(
  "the line of an interpreter must be within the first 32 bytes, and name no other script",
  inside(async (t, sys) => {
    const exec = (name: string): Promise<string> => failure(sys.exec(name, [name]));
    for (const text of [
      "",
      "#",
      "#!",
      "#!\n",
      "#!  \n",
      "#!/bin/args",
      `#!/bin/args ${"x".repeat(20)}\n`,
    ]) {
      await script(sys, "/tmp/scr", text);
      t.is(await exec("/tmp/scr"), NOEXEC);
    }
    await script(sys, "/tmp/one", "#!/bin/args\n");
    await script(sys, "/tmp/two", "#!/tmp/one\n");
    t.is(await exec("/tmp/two"), NOEXEC);
    await script(sys, "/tmp/scr", "#!/nonexist\n");
    t.is(await exec("/tmp/scr"), "'/nonexist' file does not exist");
    t.is(await exec("/tmp"), "'/tmp' cannot exec directory");
    t.is(await exec("#s"), "cannot exec directory");
    t.is(await exec("/tmp/scr/x"), "'/tmp/scr' not a directory");
    await sys.wstat("/tmp/scr", { mode: 0o644 });
    t.is(await exec("/tmp/scr"), "'/tmp/scr' permission denied");
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await script(child, "/tmp/scr", `#!/bin/args ${"x".repeat(19)}\n`);
      await child.exec("/tmp/scr", ["x"]);
    });
    t.is((await sys.wait()).msg, "");
  }, files),
);

test(
  "a program that is executed has the name of its file, and no descriptors opened OCEXEC",
  inside(
    async (t, sys) => {
      await sys.open("/dev/null", OREAD);
      const gone = await sys.open("/dev/null", OREAD | OCEXEC);
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        await child.exec("/bin/check", ["check", String(gone)]);
      });
      t.is((await sys.wait()).msg, `check ${pid}: ${gone}: fd out of range or not open`);
      t.is(await failure(sys.fstat(gone)), "no error");
    },
    {
      bin: {
        check: async (sys: Sys, argv: readonly string[]) => {
          await sys.fstat(Number(argv[1]) - 1);
          return `${argv[1]}: ${await failure(sys.fstat(Number(argv[1])))}`;
        },
      },
      tmp: {},
    },
  ),
);

test(
  "await gives its message as text that fits the buffer with a zero behind it",
  inside(async (t, sys) => {
    const child = async (n?: number): Promise<string> => {
      await sys.rfork(RFPROC | RFFDG, async (its: Sys) => await its.exits("it's"));
      return await sys.await(n);
    };
    t.regex(await child(), /^\d+ 0 0 \d+ 'main \d+: it''s'$/);
    t.is((await child(10)).length, 9);
    t.is(await failure(sys.await()), "no living children");
    await sys.rfork(RFPROC | RFFDG, async (its: Sys) => await its.exits("x".repeat(300)));
    t.is((await sys.wait()).msg.length, 127);
  }),
);

test(
  "errstr exchanges what fits, and a call that works leaves it alone",
  inside(async (t, sys) => {
    await failure(sys.open("/nonexist", OREAD));
    await sys.sleep(0);
    t.is(await sys.errstr("abcdef", 4), "'/n");
    t.is(await sys.errstr("x".repeat(200)), "abc");
    t.is((await sys.errstr()).length, 127);
    t.is(await failure(sys.errstr("x", 0)), "bad arg in system call");
  }),
);
