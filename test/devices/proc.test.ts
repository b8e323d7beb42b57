// Processes, descriptors and the console as files: proc(3), dup(3), cons(3).

import test from "ava";
import { NCONT, OREAD, ORDWR, OWRITE, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { dirs, failure, inside, ls, readonce, write } from "../kit/kit.ts";
import { readtext } from "../../userland/lib/io.ts";

/** Starts a child that sleeps for long, and gives its pid. */
function sleeper(sys: Sys): Promise<number> {
  return sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await s.sleep(1e6);
  });
}

async function ctl(sys: Sys, pid: number, message: string): Promise<void> {
  const fd = await sys.open(`/proc/${pid}/ctl`, OWRITE);
  try {
    await write(sys, fd, message);
  } finally {
    await sys.close(fd);
  }
}

async function getpid(sys: Sys): Promise<number> {
  return Number(await readtext(sys, "#c/pid"));
}

test(
  "every process has a directory, as long as it lives",
  inside(async (t, sys) => {
    const pid = await sleeper(sys);
    t.true((await ls(sys, "/proc")).includes(pid.toString()));
    t.deepEqual(
      (await ls(sys, `/proc/${pid}`)).join(" "),
      "args ctl fd fpregs kregs mem note noteid notepg ns proc regs segment status text wait profile syscall",
    );
    const d = await sys.stat(`/proc/${pid}/status`);
    t.deepEqual([d.name, d.uid, d.mode, d.qid.vers], ["status", "glenda", 0o444, pid]);
    const status = await sys.open(`/proc/${pid}/status`, OREAD);
    const note = await sys.open(`/proc/${pid}/note`, OWRITE);
    await ctl(sys, pid, "kill");
    t.is((await sys.wait()).msg, `main ${pid}: Killed`);
    t.is(await failure(readonce(sys, status)), "process exited");
    t.is(await failure(write(sys, note, "hello")), "process exited");
    t.is(await failure(sys.open(`/proc/${pid}/ctl`, OREAD)), `'/proc/${pid}' file does not exist`);
    t.is(await failure(sys.open("#p/1x", OREAD)), "'#p/1x' file does not exist");
    t.is(await failure(sys.create("#p/foo", OWRITE, 0o666)), "'#p/foo' permission denied");
  }),
);

test(
  "status has twelve fields of fixed width",
  inside(async (t, sys) => {
    const pid = await sleeper(sys);
    await sys.sleep(250);
    const text = await readtext(sys, `/proc/${pid}/status`);
    const num = (n: number): string => `${n.toString().padStart(11)} `;
    t.is(text.slice(0, 68), "main".padEnd(28) + "glenda".padEnd(28) + "Sleep".padEnd(12));
    t.is(text.slice(68), [0, 0, 250, 0, 0, 0, 0, 10, 10].map(num).join(""));
    t.is((await readtext(sys, `/proc/${await getpid(sys)}/status`)).slice(56, 68).trim(), "Pread");
    await ctl(sys, pid, "kill");
    await sys.wait();
  }),
);

test(
  "the ctl file obeys, or says what it did not understand",
  inside(async (t, sys) => {
    const pid = await sleeper(sys);
    t.is(await failure(ctl(sys, pid, "junk")), 'unknown control message "junk"');
    t.is(await failure(ctl(sys, pid, "junk 'a b'\n")), `unknown control message "junk 'a b'"`);
    t.is(await failure(ctl(sys, pid, "")), "empty control message");
    t.is(await failure(ctl(sys, pid, "kill me")), 'wrong #args in control message "kill me"');
    t.is(await failure(ctl(sys, pid, "start")), "bad process or channel control request");
    await ctl(sys, pid, "kill\n");
    await sys.wait();
    const kernel = "permission denied";
    t.is(await failure(ctl(sys, 1, "kill")), kernel);
  }),
);

test(
  "the ctl file closes descriptors, and is not read",
  inside(async (t, sys) => {
    const seen: string[] = [];
    const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
      await s.open("/dev/null", OREAD);
      await s.sleep(20);
      for (const fd of [1, 3]) seen.push(await failure(s.fstat(fd)));
    });
    await sys.sleep(1);
    const fd = await sys.open(`/proc/${pid}/ctl`, ORDWR);
    t.is(await failure(readonce(sys, fd)), "jmk added reentrancy for threads");
    t.is(await write(sys, fd, "close 99"), 8); // there is nothing to close
    t.is(await failure(write(sys, fd, "close")), 'wrong #args in control message "close"');
    await write(sys, fd, "close 3");
    t.regex(await readtext(sys, `/proc/${pid}/fd`), / 2 w .*\/dev\/cons\n$/);
    await write(sys, fd, "closefiles");
    t.regex(await readtext(sys, `/proc/${pid}/fd`), /^\/\n$/);
    const long = await failure(write(sys, fd, "x".repeat(300)));
    t.is(long, `unknown control message "${"x".repeat(92)}"`);
    await sys.wait();
    t.deepEqual(seen, ["fd out of range or not open", "fd out of range or not open"]);
  }),
);

test(
  "a process that is told to hang stops when it executes a program",
  inside(
    async (t, sys) => {
      const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
        await s.sleep(10);
        await s.exec("/bin/quick", ["quick"]);
      });
      await ctl(sys, pid, "hang");
      await sys.sleep(100);
      t.true((await readtext(sys, `/proc/${pid}/status`)).includes("Stopped"));
      await ctl(sys, pid, "start");
      t.is((await sys.wait()).msg, `quick ${pid}: done`);
    },
    {
      bin: {
        quick: async (s: Sys) => {
          await s.sleep(0);
          return "done";
        },
      },
    },
  ),
);

test(
  "what is written to args shows behind the program's name",
  inside(async (t, sys) => {
    const pid = await sleeper(sys);
    const fd = await sys.open(`/proc/${pid}/args`, OWRITE);
    await write(sys, fd, "new args");
    t.is(await readtext(sys, `/proc/${pid}/args`), "main [new args]");
    await ctl(sys, pid, "kill");
    await sys.wait();
  }),
);

test(
  "a stopped process makes no more calls until it is started",
  inside(async (t, sys) => {
    const [a, b] = await sys.pipe();
    const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
      for (const word of ["one", "two"]) {
        await s.sleep(10);
        await write(s, a, word);
      }
    });
    await ctl(sys, pid, "stop");
    await sys.sleep(100);
    t.is((await sys.fstat(b)).length, 0);
    await ctl(sys, pid, "start");
    t.is(await readonce(sys, b), "one");
    t.is((await sys.wait()).msg, "");
  }),
);

test(
  "notes are posted by writing them, to one or to a group",
  inside(async (t, sys) => {
    const got: string[] = [];
    const pid = await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
      await s.notify(async (note, hs) => {
        got.push(note);
        await (hs as Sys).noted(NCONT);
      });
      await failure(s.sleep(1e6));
      await failure(s.sleep(1e6));
      return "enough";
    });
    await sys.sleep(1);
    const fd = await sys.open(`/proc/${pid}/note`, OWRITE);
    t.is(await failure(sys.write(fd, new Uint8Array(127).fill(0x61))), "read or write too large");
    await write(sys, fd, "hello");
    await sys.sleep(1);
    const pg = await sys.open(`/proc/${pid}/notepg`, OWRITE);
    await write(sys, pg, "sys: all of you");
    t.is((await sys.wait()).msg, `main ${pid}: enough`);
    t.deepEqual(got, ["hello", "sys: all of you pc=0x00000000"]);
  }),
);

test(
  "a note group is one's own or that of another process",
  inside(async (t, sys) => {
    const me = await getpid(sys);
    const pid = await sleeper(sys);
    const fd = await sys.open(`/proc/${pid}/noteid`, ORDWR);
    t.is(await failure(write(sys, fd, "99999")), "bad arg in system call");
    await write(sys, fd, pid.toString());
    t.is(await readtext(sys, `/proc/${pid}/noteid`), `${pid.toString().padStart(11)} `);
    await write(sys, fd, me.toString());
    t.is(await readtext(sys, `/proc/${pid}/noteid`), `${me.toString().padStart(11)} `);
    await ctl(sys, pid, "kill");
    await sys.wait();
  }),
);

test(
  "fd shows the current directory and each open file",
  inside(
    async (t, sys) => {
      await sys.chdir("/tmp");
      const [a] = await sys.pipe();
      await sys.open("/tmp/f", OREAD);
      await sys.seek(5, 3, 0);
      const lines = (await readtext(sys, `/proc/${await getpid(sys)}/fd`)).split("\n");
      t.is(lines[0], "/tmp");
      t.is(lines[1], "  0 r  c    0 (0000000000000002 0 00)     0        0 /dev/cons");
      t.regex(
        lines[a + 1] ?? "",
        /^ {2}3 rw \|    0 \([0-9a-f]{16} 0 00\) 65536        0 #\|\/data$/,
      );
      t.regex(lines[6] ?? "", /^ {2}5 r {2}R    0 \([0-9a-f]{16} 0 00\) {5}0        3 \/tmp\/f$/);
      t.regex(lines[7] ?? "", /^ {2}6 r {2}p .* \/proc\/\d+\/fd$/);
      t.is(lines[8], "");
      t.is(await readtext(sys, "#d/0ctl"), `${lines[1]}\n`);
    },
    { tmp: { f: "hello" } },
  ),
);

test(
  "ns ends with the current directory, args are quoted where needed",
  inside(async (t, sys) => {
    const me = await getpid(sys);
    await sys.chdir("/tmp");
    const ns = await readtext(sys, `/proc/${me}/ns`);
    t.true(ns.endsWith("\ncd /tmp\n"));
    t.regex(ns, /^bind {2}#p \/proc$/m);
    t.is(await readtext(sys, `/proc/${me}/args`), "main");
    t.is(
      await failure(sys.open(`/proc/${me}/text`, OWRITE)),
      `'/proc/${me}/text' permission denied`,
    );
    t.is(
      await failure(sys.open(`/proc/${me}/notepg`, OREAD)),
      `'/proc/${me}/notepg' permission denied`,
    );
  }),
);

test(
  "wait gives a child's message",
  inside(async (t, sys) => {
    const me = await getpid(sys);
    const fd = await sys.open(`/proc/${me}/wait`, OREAD);
    t.is(await failure(readonce(sys, fd)), "no living children");
    const pid = await sys.rfork(RFPROC, async () => "done so");
    t.is(await readonce(sys, fd), `${pid} 0 0 0 'main ${pid}: done so'`);
  }),
);

test(
  "opening a descriptor's file duplicates the descriptor",
  inside(
    async (t, sys) => {
      const fd = await sys.open("/tmp/f", OREAD);
      t.is(await readonce(sys, fd, 2), "he");
      const again = await sys.open(`/fd/${fd}`, OREAD);
      t.is(await readonce(sys, again, 2), "ll");
      t.is(await sys.fd2path(again), "/tmp/f");
      t.is(await failure(sys.open("#d/1", OREAD)), "'#d/1' inappropriate use of fd");
      t.is(await sys.fd2path(await sys.open("#d/1", OWRITE)), "/dev/cons");
      t.is(await failure(sys.open("#d/99", OREAD)), "'#d/99' file does not exist");
      t.is(await failure(sys.remove("#d/0")), "permission denied");
      t.deepEqual((await ls(sys, "/fd")).slice(0, 4), ["0", "0ctl", "1", "1ctl"]);
      t.deepEqual(
        [
          (await sys.stat("/fd/0")).mode,
          (await sys.stat("/fd/1")).mode,
          (await sys.stat("/fd/1ctl")).mode,
        ],
        [0o400, 0o200, 0o400],
      );
    },
    { tmp: { f: "hello" } },
  ),
);

test(
  "the console's directory is the one of a real kernel",
  inside(async (t, sys) => {
    const fd = await sys.open("#c", OREAD);
    t.is(await failure(dirs(sys, fd, 20)), "i/o count too small");
    t.deepEqual(
      (await dirs(sys, fd, 150)).map((d) => d.name),
      ["bintime", "cons"],
    );
    const names = (await dirs(sys, fd, 1000)).map((d) => d.name);
    t.is(
      names.join(" "),
      "consctl cputime drivers hostdomain hostowner kmesg kprint null osversion pgrpid pid ppid random",
    );
    t.is((await dirs(sys, fd, 73)).map((d) => d.name).join(" "), "reboot");
    t.is(
      (await dirs(sys, fd)).map((d) => d.name).join(" "),
      "swap sysname sysstat time user zero config",
    );
    t.deepEqual(await dirs(sys, fd), []);
    t.is(await failure(sys.create("#c/foo", OWRITE, 0o666)), "'#c/foo' permission denied");
  }),
);

test(
  "numbers fill columns, and are read in pieces",
  inside(async (t, sys) => {
    const fd = await sys.open("#c/pid", OREAD);
    const pid = await readonce(sys, fd);
    t.regex(pid, /^ +\d+ $/);
    t.is(pid.length, 12);
    const ppid = await readtext(sys, "#c/ppid");
    t.is(ppid, `${"0".padStart(11)} `);
    const child = await sys.rfork(RFPROC, async (s: Sys) => {
      t.is(await readtext(s, "#c/ppid"), pid);
    });
    t.is((await sys.wait()).pid, child);
    const time = await sys.open("#c/time", OREAD);
    const [first, rest] = [await readonce(sys, time, 12), await readonce(sys, time)];
    t.is(first, "  946684800 "); // virtual time begins with 2000
    t.is(rest.length, 66);
    const bintime = new Uint8Array(20);
    t.is(await sys.read(await sys.open("#c/bintime", OREAD), bintime), 16);
    t.is(new DataView(bintime.buffer).getBigUint64(0) / 1_000_000_000n, 946_684_800n);
  }),
);

test(
  "null swallows, zero gives zeros, and names can be set",
  inside(async (t, sys) => {
    const nul = await sys.open("/dev/null", ORDWR);
    t.is(await write(sys, nul, "gone"), 4);
    t.is(await readonce(sys, nul), "");
    const buf = new Uint8Array(10).fill(1);
    t.is(await sys.read(await sys.open("/dev/zero", OREAD), buf), 10);
    t.deepEqual(buf, new Uint8Array(10));
    const random = new Uint8Array(32);
    t.is(await sys.read(await sys.open("/dev/random", OREAD), random), 32);
    t.true(random.some((b) => b !== 0));
    t.is(await readtext(sys, "/dev/user"), "glenda");
    t.is(await readtext(sys, "/dev/sysname"), "gnot");
    const sysname = await sys.open("/dev/sysname", OWRITE);
    await write(sys, sysname, "gnat\n");
    t.is(await readtext(sys, "/dev/sysname"), "gnat");
    const bad = "bad arg in system call";
    t.is(await failure(sys.pwrite(sysname, utfencode("x".repeat(256)), 0)), bad);
    t.is(await failure(sys.pwrite(sysname, utfencode("x"), 1)), bad);
    const time = await sys.open("/dev/time", OWRITE);
    t.is(await failure(write(sys, time, "0")), "bad time control");
    t.is(await failure(write(sys, time, "1000000000")), "permission denied");
    t.true((await readtext(sys, "/dev/drivers")).includes("#| pipe\n"));
    const kprint = await sys.open("/dev/kprint", OREAD);
    t.is(
      await failure(sys.open("/dev/kprint", OREAD)),
      "'/dev/kprint' device or object already in use",
    );
    await sys.close(kprint);
    await sys.open("/dev/kprint", OREAD);
  }),
);

test("the console is the process's own terminal", async (t) => {
  const k = await boot({ clock: "virtual" });
  const proc = k.spawn(
    async (sys: Sys) => {
      const fd = await sys.open("/dev/cons", ORDWR);
      await write(sys, fd, `<${await readonce(sys, fd, 3)}>`);
      await write(sys, 1, `<${await readonce(sys, 0)}>`);
      await write(sys, 1, `<${await readonce(sys, 0)}>`);
    },
    [],
    { stdin: "abcdef" },
  );
  t.is(await proc.wait(), "");
  t.is(proc.output, "<abc><def><>");
  await k.shutdown();
});
