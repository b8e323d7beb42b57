// What a process's files do beside showing it: proc(3). How processes stop and start, who may look, who waits.

import test from "ava";
import {
  MREPL,
  NCONT,
  OCEXEC,
  ORCLOSE,
  OTRUNC,
  OREAD,
  ORDWR,
  OWRITE,
  RFFDG,
  RFNAMEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { dirs, failure, inside, readonce, write } from "../kit/kit.ts";
import { readtext } from "../../userland/lib/io.ts";

const SECOND = 1e9;

/** A child that sleeps so long, says what its sleep gave, and ends. */
function sleeper(sys: Sys, ms: number, said: string[]): Promise<number> {
  return sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    said.push(await failure(s.sleep(ms)));
  });
}

/** The same, and notes go to the list. */
function listener(sys: Sys, ms: number, said: string[]): Promise<number> {
  return sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await s.notify(async (note, its) => {
      said.push(note);
      await (its as Sys).noted(NCONT);
    });
    said.push(await failure(s.sleep(ms)));
    await s.sleep(1);
    return "over";
  });
}

async function put(sys: Sys, name: string, text: string): Promise<void> {
  const fd = await sys.open(name, OWRITE);
  try {
    await write(sys, fd, text);
  } finally {
    await sys.close(fd);
  }
}

const ctl = (sys: Sys, pid: number, message: string): Promise<void> =>
  put(sys, `/proc/${pid}/ctl`, message);

const state = async (sys: Sys, pid: number): Promise<string> =>
  (await readtext(sys, `/proc/${pid}/status`)).slice(56, 68).trim();

test(
  "stop waits until the system call of the process is over",
  inside(async (t, sys) => {
    const said: string[] = [];
    const pid = await sleeper(sys, 1000, said);
    await sys.sleep(1);
    const before = await sys.nsec();
    await ctl(sys, pid, "stop");
    t.is(Number((await sys.nsec()) - before), 0.999 * SECOND);
    t.is(await state(sys, pid), "Stopped");
    await ctl(sys, pid, "stop");
    await ctl(sys, pid, "waitstop");
    await sys.sleep(1000);
    t.deepEqual(said, []);
    await ctl(sys, pid, "start");
    t.is((await sys.wait()).msg, "");
    t.deepEqual(said, ["no error"]);
  }),
);

test(
  "one process at a time waits for a stop; the end of the process ends the wait, and so does a note",
  inside(async (t, sys) => {
    const pid = await sleeper(sys, 1000, []);
    await sys.sleep(1);
    const fd = await sys.open(`/proc/${pid}/ctl`, OWRITE);
    const first = failure(write(sys, fd, "stop"));
    await sys.sleep(1);
    t.is(await failure(ctl(sys, pid, "waitstop")), "device or object already in use");
    await ctl(sys, pid, "kill");
    t.is(await first, "process exited");
    await sys.wait();
    const other = await sleeper(sys, 1000, []);
    await sys.sleep(1);
    await sys.notify(async (_note, its) => {
      await (its as Sys).noted(NCONT);
    });
    await sys.alarm(10);
    t.is(await failure(ctl(sys, other, "stop")), "interrupted");
    await ctl(sys, other, "kill");
  }),
);

test(
  "notes to a stopped process come when it starts, and its call has not failed",
  inside(async (t, sys) => {
    const said: string[] = [];
    const pid = await listener(sys, 100, said);
    await sys.sleep(1);
    await ctl(sys, pid, "stop");
    await put(sys, `/proc/${pid}/note`, "one");
    await put(sys, `/proc/${pid}/note`, "two");
    await sys.sleep(10);
    t.deepEqual(said, []);
    await ctl(sys, pid, "start");
    t.is((await sys.wait()).msg, `main ${pid}: over`);
    t.deepEqual(said, ["one", "two", "no error"]);
  }),
);

test(
  "a note ends the call of a process that is to stop, and comes when it starts",
  inside(async (t, sys) => {
    const said: string[] = [];
    const pid = await listener(sys, 1e6, said);
    await sys.sleep(1);
    const stopped = ctl(sys, pid, "stop");
    await sys.sleep(1);
    await put(sys, `/proc/${pid}/note`, "one");
    await stopped;
    t.deepEqual(said, []);
    await ctl(sys, pid, "start");
    await sys.wait();
    t.deepEqual(said, ["one", "interrupted"]);
  }),
);

test(
  "the note file gives the notes that a stopped process has not had, and takes them",
  inside(async (t, sys) => {
    const said: string[] = [];
    const pid = await listener(sys, 100, said);
    await sys.sleep(1);
    await ctl(sys, pid, "stop");
    const fd = await sys.open(`/proc/${pid}/note`, ORDWR);
    for (const note of ["one", "two", "three"]) await write(sys, fd, note);
    t.is(await readonce(sys, fd), "one\0");
    t.is(await readonce(sys, fd, 3), "tw\0");
    t.is(await failure(sys.read(fd, new Uint8Array(0))), "read or write too small");
    await ctl(sys, pid, "start");
    await sys.wait();
    t.deepEqual(said, ["three", "no error"]);
  }),
);

test(
  "a stopped process that is killed dies of a note, or of the first call of its handler",
  inside(async (t, sys) => {
    const said: string[] = [];
    const quiet = await sleeper(sys, 100, said);
    await sys.sleep(1);
    await ctl(sys, quiet, "stop");
    await ctl(sys, quiet, "kill");
    t.is((await sys.wait()).msg, `main ${quiet}: sys: killed pc=0x00000000`);
    const pid = await listener(sys, 100, said);
    await sys.sleep(1);
    await ctl(sys, pid, "stop");
    await ctl(sys, pid, "kill");
    t.is((await sys.wait()).msg, `main ${pid}: Killed`);
    t.deepEqual(said, ["sys: killed pc=0x00000000"]);
  }),
);

test(
  "startstop stops a process at its next note, startsyscall around its next call",
  inside(async (t, sys) => {
    const said: string[] = [];
    const pid = await listener(sys, 100, said);
    await sys.sleep(1);
    t.is(await failure(ctl(sys, pid, "startstop")), "bad process or channel control request");
    await ctl(sys, pid, "stop");
    const stopped = ctl(sys, pid, "startstop");
    await put(sys, `/proc/${pid}/note`, "one");
    await stopped;
    t.is(await state(sys, pid), "Stopped");
    t.false(said.includes("one"));
    await ctl(sys, pid, "start");
    t.is((await sys.wait()).msg, `main ${pid}: over`);
    t.true(said.includes("one"));

    const calls: string[] = [];
    const child = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
      await s.sleep(10);
      calls.push("sleep");
      await s.fd2path(1);
      calls.push("fd2path");
    });
    await sys.sleep(1);
    await ctl(sys, child, "stop");
    t.deepEqual(calls, []);
    await ctl(sys, child, "startsyscall"); // it stops before fd2path
    t.deepEqual(calls, ["sleep"]);
    await ctl(sys, child, "startsyscall"); // and behind it
    t.deepEqual(calls, ["sleep"]);
    await ctl(sys, child, "start");
    await sys.wait();
    t.deepEqual(calls, ["sleep", "fd2path"]);
  }),
);

test(
  "a process that is in no system call stops at its next note at once",
  inside(async (t, sys) => {
    const said: string[] = [];
    let goon = (): void => undefined;
    const gate = new Promise<void>((resolve) => (goon = resolve));
    const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
      await s.notify(async (note, its) => {
        said.push(note);
        await (its as Sys).noted(NCONT);
      });
      await gate;
      said.push("on");
      return "over";
    });
    await sys.sleep(1);
    await ctl(sys, pid, "stop");
    const stopped = ctl(sys, pid, "startstop");
    await put(sys, `/proc/${pid}/note`, "one");
    await stopped;
    t.is(await state(sys, pid), "Stopped");
    t.deepEqual(said, []);
    await ctl(sys, pid, "start");
    await sys.sleep(1);
    goon();
    t.is((await sys.wait()).msg, `main ${pid}: over`);
    t.deepEqual(said, ["one", "on"]);
  }),
);

test(
  "a private process keeps mem, note and ctl to itself, until it executes another program",
  inside(
    async (t, sys) => {
      const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
        await s.sleep(100);
        await s.exec("/bin/nap", ["nap"]);
      });
      const fd = await sys.open(`/proc/${pid}/ctl`, OWRITE);
      await write(sys, fd, "private");
      for (const name of ["mem", "note", "ctl"])
        t.regex(await failure(sys.open(`/proc/${pid}/${name}`, OREAD)), /permission denied$/);
      await sys.close(await sys.open(`/proc/${pid}/regs`, OREAD));
      await sys.sleep(150);
      await sys.close(await sys.open(`/proc/${pid}/note`, OWRITE));
      await write(sys, fd, "kill");
      await sys.wait();
    },
    { bin: { nap: (s: Sys) => s.sleep(1e6) } },
  ),
);

test(
  "wstat changes the mode of a process's files; the host's owner gives it to another user",
  inside(async (t, sys) => {
    const pid = await sleeper(sys, 1e6, []);
    const mode = async (name: string): Promise<number> =>
      (await sys.stat(`/proc/${pid}/${name}`)).mode;
    await sys.wstat(`/proc/${pid}/note`, { mode: 0o604 });
    t.deepEqual(
      [await mode("ctl"), await mode("status"), await mode("args"), await mode("wait")],
      [0o604, 0o444, 0o664, 0o404],
    );
    await sys.wstat(`/proc/${pid}/status`, { name: "x" });
    t.is(await failure(sys.wstat(`/proc/${pid}`, { mode: 0o700 })), "permission denied");
    await sys.wstat(`/proc/${pid}/ctl`, { uid: "none", mode: 0o640 });
    t.is((await sys.stat(`/proc/${pid}/ctl`)).uid, "none");
    t.is((await readtext(sys, `/proc/${pid}/status`)).slice(28, 34), "none  ");
    // The host's owner is the group of every process.
    await sys.close(await sys.open(`/proc/${pid}/ctl`, OREAD));
    t.is(
      await failure(sys.open(`/proc/${pid}/ctl`, OWRITE)),
      `'/proc/${pid}/ctl' permission denied`,
    );
    await put(sys, `/proc/${pid}/args`, "x");
    await sys.wstat(`/proc/${pid}/ctl`, { uid: "glenda" });
    await ctl(sys, pid, "kill");
    await sys.wait();
  }),
);

test(
  "the wait file of another process blocks until a child of it ends, and has a length when one has",
  inside(async (t, sys) => {
    const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
      await s.rfork(RFPROC, async (child: Sys) => {
        await child.sleep(100);
        return "done";
      });
      await s.sleep(1000);
    });
    const fd = await sys.open(`/proc/${pid}/wait`, OREAD);
    t.is((await sys.fstat(fd)).length, 0);
    t.regex(await readonce(sys, fd), /^\d+ 0 0 100 'main \d+: done'$/);
    const again = failure(readonce(sys, fd));
    await sys.sleep(1);
    const other = await sys.open(`/proc/${pid}/wait`, OREAD);
    const twice = await failure(
      new Promise((resolve, reject) => {
        void sys.rfork(RFPROC, async (s: Sys) => {
          await s.read(other, new Uint8Array(100)).then(resolve, reject);
        });
      }),
    );
    t.is(twice, "device or object already in use");
    await sys.wait();
    t.is(await again, "process exited");
    await sys.wait();
    const own = await sys.open(`#p/${(await readtext(sys, "#c/pid")).trim()}/wait`, OREAD);
    t.is(await failure(readonce(sys, own)), "no living children");
    await sys.rfork(RFPROC, () => "a");
    await sys.rfork(RFPROC, () => "b");
    await sys.sleep(10);
    t.is((await sys.fstat(own)).length, 2);
    t.regex(await readonce(sys, own, 4), /^\d+ /);
    t.regex((await sys.wait()).msg, /: a$/); // the last to end comes first
  }),
);

test(
  "args of a process that forked are empty, ns gives a mount a read, offsets or not",
  inside(async (t, sys) => {
    await sys.bind("/dev", "/tmp", MREPL);
    const pid = await sys.rfork(RFPROC | RFFDG | RFNAMEG, async (s: Sys) => {
      await s.sleep(100);
      await s.bind("/proc", "/tmp", MREPL);
      await s.sleep(1e6);
    });
    t.is(await readtext(sys, `/proc/${pid}/args`), "");
    t.is(await readtext(sys, `/proc/${(await readtext(sys, "#c/pid")).trim()}/args`), "main");
    const fd = await sys.open(`/proc/${pid}/ns`, OREAD);
    const lines: string[] = [];
    for (;;) {
      const buf = new Uint8Array(100);
      const n = await sys.pread(fd, buf, 5000);
      const line = new TextDecoder().decode(buf.subarray(0, n));
      if (line === "" || line.startsWith("cd")) {
        t.is(line, "cd /\n");
        break;
      }
      lines.push(line);
      if (lines.length === 1) await sys.sleep(200);
    }
    // A bind that is made while ns is read comes, too.
    t.is(lines.at(-1), "bind  #p /tmp\n");
    t.is(await readonce(sys, fd), "");
    const short = await sys.open(`/proc/${pid}/ns`, OREAD);
    t.is(await readonce(sys, short, 5), "bind");
    await ctl(sys, pid, "kill");
    await sys.wait();
  }),
);

test(
  "what a process here has not reads as empty, and says so where Plan 9 does",
  inside(async (t, sys) => {
    const pid = await sleeper(sys, 1e6, []);
    for (const name of ["regs", "kregs", "fpregs", "proc", "segment", "syscall"])
      t.is(await readtext(sys, `/proc/${pid}/${name}`), "", name);
    const length = async (name: string): Promise<number> =>
      (await sys.stat(`/proc/${pid}/${name}`)).length;
    t.deepEqual(
      [await length("regs"), await length("kregs"), await length("fpregs"), await length("status")],
      [76, 76, 532, 176],
    );
    t.is(await failure(readtext(sys, `/proc/${pid}/mem`)), "bad arg in system call");
    t.is(await failure(readtext(sys, `/proc/${pid}/profile`)), "profile is off");
    await ctl(sys, pid, "profile");
    t.is(await readtext(sys, `/proc/${pid}/profile`), "");
    const fd = await sys.open("/proc/trace", OREAD);
    t.is(await failure(sys.open("/proc/trace", OREAD)), "'/proc/trace' already open");
    t.is(await failure(sys.open("/proc/trace", ORDWR)), "'/proc/trace' permission denied");
    t.is(await readonce(sys, fd), "");
    await sys.close(fd);
    await sys.close(await sys.open("/proc/trace", OREAD));
    await ctl(sys, pid, "kill");
    await sys.wait();
  }),
);

test(
  "priorities show in status; what a scheduler would need is checked",
  inside(async (t, sys) => {
    const pid = await sleeper(sys, 1e6, []);
    const pri = async (): Promise<string> =>
      (await readtext(sys, `/proc/${pid}/status`)).slice(-24);
    await ctl(sys, pid, "pri 5");
    t.is(await pri(), `${"5".padStart(11)} ${"5".padStart(11)} `);
    await ctl(sys, pid, "fixedpri 99");
    t.is(await pri(), `${"19".padStart(11)} ${"19".padStart(11)} `);
    for (const message of ["wired 0", "noswap", "trace", "trace 1", "event", "expel"])
      await ctl(sys, pid, message);
    const said = (message: string): Promise<string> => failure(ctl(sys, pid, message));
    t.is(await said("trace 1 2"), "args");
    t.is(await said("admit"), "edf params");
    t.is(await said("period 1x"), "unrecognized unit");
    t.is(await said("period 1."), "ill-formed number");
    t.is(await said("admit"), "T not set");
    await ctl(sys, pid, "period 1.5ms");
    t.is(await said("admit"), "C not set");
    await ctl(sys, pid, "cost 2000us");
    t.is(await said("admit"), "C > D");
    await ctl(sys, pid, "deadline 2ms");
    t.is(await said("admit"), "D > T");
    await ctl(sys, pid, "period 1s");
    await ctl(sys, pid, "admit");
    t.is(await said("admit"), "task state");
    await ctl(sys, pid, "kill");
    await sys.wait();
  }),
);

test(
  "#c: config names the devices, reboot and swap read what they are told, and a process may become none",
  inside(async (t, sys) => {
    t.true((await readtext(sys, "#c/config")).startsWith("dev\n\t"));
    t.true((await readtext(sys, "#c/config")).includes("\tproc\n"));
    const said = async (name: string, text: string): Promise<string> => {
      const fd = await sys.open(`#c/${name}`, OWRITE);
      const e = await failure(write(sys, fd, text));
      await sys.close(fd);
      return e;
    };
    t.is(await said("reboot", "junk"), 'unknown control message "junk"');
    t.is(await said("reboot", ""), "empty control message");
    t.is(await said("reboot", "halt"), "permission denied");
    t.is(await said("swap", "junk"), "bad arg in system call");
    t.is(await said("swap", "99"), "fd out of range or not open");
    t.is(await said("swap", "start"), "no error");
    t.is(await said("user", "bob"), "permission denied");
    t.is(await said("user", "none"), "no error");
    t.is(await readtext(sys, "#c/user"), "none");
    t.is(await failure(said("hostdomain", "x")), "'#c/hostdomain' permission denied");
    // term is there for those who ask for it by name.
    t.false((await dirs(sys, await sys.open("#c", OREAD))).some((d) => d.name === "term"));
    t.is((await sys.stat("#c/term")).name, "term");
  }),
);

test(
  "a device's file may be opened with OTRUNC and ORCLOSE, its directory with neither",
  inside(async (t, sys) => {
    for (const name of ["#c/pid", "/proc/1/status", "/dev/null"])
      for (const flag of [OTRUNC, ORCLOSE]) await sys.close(await sys.open(name, OREAD | flag));
    for (const name of ["/dev", "/proc", "/proc/1"])
      for (const flag of [OTRUNC, ORCLOSE])
        t.is(await failure(sys.open(name, OREAD | flag)), `'${name}' permission denied`);
    await sys.close(await sys.open("/proc", OREAD | OCEXEC));
  }),
);
