// Every error string of Plan 9 is explained: why, and what would mend it, each with a fact of the call.

import test from "ava";
import * as errors from "../../kernel/abi/errors.ts";
import { DMDIR, MAFTER, MREPL, ORCLOSE, OREAD, OWRITE, RFCNAMEG } from "../../kernel/abi/const.ts";
import { Buffertty } from "../../kernel/proc/tty.ts";
import { boot } from "../../userland/boot/boot.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { Rcall, Recording } from "../../userland/view/record/recording.ts";
import { failureof } from "../../userland/view/words/failure.ts";
import { script } from "../conformance/compare.ts";
import { init, machine } from "../conformance/machine.ts";
import { failure, put } from "../kit/kit.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { record, recorded as onfar } from "../kit/recorded.ts";

const ABOUT = {
  program: "t",
  namespace: "names",
  clock: "virtual",
  seed: 0,
  machine: "here",
  hosts: [],
} as const;

/** Records a program. */
async function recorded(main: (sys: Sys) => Promise<unknown>): Promise<Recording> {
  const k = await boot({ clock: "virtual" });
  const r = await record(k, main, { about: ABOUT });
  await k.shutdown();
  return r;
}

/** The strings of errors.ts. */
const STRINGS = Object.entries(errors).flatMap(([name, text]) =>
  name.startsWith("E") && typeof text === "string" ? [text] : [],
);

test("each error string has a reason and what would mend it, of a name and of a descriptor", async (t) => {
  const r = await recorded(async (sys) => {
    await failure(sys.open("/tmp/none", OREAD));
    await failure(sys.read(9, new Uint8Array(1)));
  });
  const [open, read] = r.calls;
  t.true(STRINGS.length > 80);
  const wrong: string[] = [];
  for (const call of [open, read])
    for (const error of STRINGS) {
      const like: Rcall = { ...(call ?? t.fail()), error } as Rcall;
      const { why, mend } = failureof(r, like);
      const bad = [why, mend].filter(
        (text) =>
          !/^([A-Z/#'0-9-]|[a-z]+\(\d\)|none ).*\.$/s.test(text) ||
          /undefined|null|NaN|\$[SH]|  |its own words/.test(text),
      );
      if (!/none|9|open|read|process|descriptor/i.test(`${why} ${mend}`)) bad.push(why);
      wrong.push(...bad.map((text) => `${error}: ${text}`));
    }
  t.deepEqual(wrong, []);
});

/** Words that a reason or a remedy has where it could be of any call. */
const STOCK = /manual page|man 3|an argument has a value|a 9P error does not say|its own words/;

for (const name of ["01-names", "03-create", "05-bind", "07-fds", "10-rfork", "12-mount"])
  test(`${name}: each failure has a reason of its own, and ends in what would mend it`, async (t) => {
    const tty = new Buffertty();
    const k = await machine({ script: script(name), namespace: "names", tty });
    const rec = new Recorder({ about: ABOUT });
    const off = rec.listen(k.trace);
    rec.begin();
    await k.spawn(init, ["init"], { tty }).wait();
    off();
    await k.shutdown();
    const r = rec.recording;
    const failed = r.calls.filter((c) => c.error !== null && !/^_?exits$/.test(c.name));
    t.true(failed.length > 10);
    const wrong = failed.flatMap((call) => {
      const { why, mend } = failureof(r, call);
      const text = `${why} ${mend}`;
      // A server of this machine has strings of its own for what it does not do.
      const own = call.error?.startsWith("ramfs: ") === true;
      return mend === "" || (STOCK.test(text) && !own) || /undefined|NaN/.test(text)
        ? [`${call.text} = ${call.error}: ${text}`]
        : [];
    });
    t.deepEqual(wrong, []);
  });

test("a string of a server's own is repeated as such", async (t) => {
  const r = await recorded(async (sys) => failure(sys.open("/tmp/none", OREAD)));
  const [call] = r.calls;
  const { why } = failureof(r, { ...call, error: "'/tmp/none' phase of the moon" } as Rcall);
  t.is(why, 'The memory tree says so in its own words: "phase of the moon".');
});

test("the mode that forbids is said, and whose it is; a directory that may not be searched hides what is in it", async (t) => {
  const r = await recorded(async (sys) => {
    await sys.close(await sys.create("/tmp/f", OWRITE, 0o600));
    await sys.close(await sys.create("/tmp/d", OREAD, (0x80000000 | 0o700) >>> 0));
    await sys.close(await sys.create("/tmp/d/x", OWRITE, 0o666));
    await sys.wstat("/tmp/d", { mode: (0x80000000 | 0o600) >>> 0 });
    await sys.wstat("/tmp/f", { mode: 0o040 });
    await failure(sys.open("/tmp/f", OWRITE));
    await failure(sys.stat("/tmp/d/x"));
  });
  const said = r.calls.filter((c) => c.error !== null).map((c) => failureof(r, c));
  t.deepEqual(said, [
    {
      why: "/tmp/f has mode -----r----- and is glenda's own: glenda may read it, not write it.",
      mend: "Give /tmp/f the mode 0240 (write for the owner, read for the group, nothing for others) by wstat or chmod: glenda is its owner and may do that.",
    },
    {
      why: "/tmp/d has mode d-rw------- and is glenda's own: glenda may read and write it, not execute it. To execute a directory is to search it for a name.",
      mend: "Give /tmp/d the mode 0700 (read, write and execute for the owner, nothing for others) by wstat or chmod: glenda is its owner and may do that.",
    },
  ]);
});

test("a remedy can be followed: where nothing is created, of the name that failed, of an empty name space", async (t) => {
  const r = await recorded(async (sys) => {
    await failure(sys.bind("/proc/none", "/tmp", MREPL));
    await failure(sys.unmount(null, "/env/none"));
    await failure(sys.wstat("/tmp", { name: "a/b" }));
    await sys.close(await sys.create("/tmp/d", OREAD, DMDIR | 0o777));
    for (const name of ["#c", "#e"]) await sys.bind(name, "/tmp/d", MAFTER);
    await failure(sys.stat("/tmp/d/none"));
    await failure(sys.open("/tmp/d", OWRITE));
    await sys.rfork(RFCNAMEG);
    await failure(sys.stat("/tmp/d"));
    await failure(sys.stat("/net/tcp"));
  });
  const said = r.calls.filter((c) => c.error !== null).map((c) => failureof(r, c));
  t.deepEqual(
    said.map(({ why, mend }) => `${why} ${mend}`),
    [
      "The directory of processes has no none in /proc. Give the number of a process, as ls /proc has them.",
      "The environment has no none in /env. Give the name of a mount point, and of what is mounted there: cat /proc/2/ns lists them.",
      `"a/b", the new name of /tmp, has a '/' or a control character in it. Give one element of a name: a rename keeps the file in its directory.`,
      "None of the 3 members of the union /tmp/d has none. Give the name of a file that is there: ls /tmp/d lists them.",
      "/tmp/d is a directory, which is only opened for reading, and this asked for OWRITE. Open it with OREAD to list it; create makes a file in it.",
      "The kernel's own root directory has no tmp in /. Bind '#R' / first: this name space is empty, and the kernel's own root takes no new files.",
      "The kernel's own root directory has no tcp in /net. Bind '#I' /net first, on a machine with a network: nothing is mounted on /net in this name space.",
    ],
  );
});

test("a refused open removes nothing, though it asked for ORCLOSE: what is in the directory stays known", async (t) => {
  const r = await onfar(async (sys) => {
    await sys.close(await sys.create("/n/far/d", OREAD, DMDIR | 0o777));
    await put(sys, "/n/far/d/f", "x");
    await failure(sys.open("/n/far/d", OREAD | ORCLOSE));
    await failure(sys.remove("/n/far/d"));
  });
  const said = r.calls.filter((c) => c.error !== null).map((c) => failureof(r, c).why);
  t.deepEqual(said, [
    "/n/far/d is a directory, which is only opened for reading, and this asked for OREAD|ORCLOSE.",
    "There is still 1 file in /n/far/d: f.",
  ]);
});
