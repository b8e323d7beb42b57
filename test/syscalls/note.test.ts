// Notes, alarms and meetings: notify(2), sleep(2), rendezvous(2), postnote(2).

import test from "ava";
import {
  NCONT,
  NDFLT,
  ORDWR,
  OREAD,
  PNGROUP,
  PNPROC,
  RFFDG,
  RFNOTEG,
  RFPROC,
  RFREND,
} from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { getpid, postnote } from "../../userland/lib/proc.ts";
import { NOTHING, cat, failure, inside, run, within } from "../kit/kit.ts";

const PC = " pc=0x00000000";

/** Has the process go on after every note, and gives the list of them. */
async function notes(sys: Sys): Promise<string[]> {
  const list: string[] = [];
  await sys.notify(async (note, its) => {
    list.push(note);
    await (its as Sys).noted(NCONT);
  });
  return list;
}

/** A child that tells what notes it got while it slept, and how the sleep ended. */
async function sleeper(sys: Sys, got: string[], flags = RFPROC | RFFDG): Promise<number> {
  const pid = await sys.rfork(flags, async (child: Sys) => {
    const list = await notes(child);
    const how = await failure(child.sleep(1000));
    got.push(...list, how);
  });
  await sys.sleep(1);
  return pid;
}

test(
  "five notes wait and a sixth is not posted; they come in order, and the call fails once",
  inside(async (t, sys) => {
    const got: string[] = [];
    const pid = await sleeper(sys, got);
    const errors: string[] = [];
    const calls = ["a", "b", "c", "d", "e", "f"].map(async (note) =>
      errors.push(await failure(postnote(sys, PNPROC, pid, note))),
    );
    await Promise.all(calls);
    t.deepEqual(errors.sort(), [...Array.from({ length: 5 }, () => "no error"), "note not posted"]);
    t.is((await sys.wait()).msg, "");
    t.deepEqual(got, ["a", "b", "c", "d", "e", "interrupted"]);
  }),
);

test(
  "the note that a handler has begun with makes room for another",
  inside(async (t, sys) => {
    const got: string[] = [];
    const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.notify(async (note, its) => {
        got.push(note);
        if (note === "first") await (its as Sys).sleep(10);
        await (its as Sys).noted(NCONT);
      });
      await failure(child.sleep(1000));
    });
    await sys.sleep(1);
    await postnote(sys, PNPROC, pid, "first");
    await sys.sleep(1);
    for (const n of ["1", "2", "3", "4", "5"]) await postnote(sys, PNPROC, pid, n);
    t.is(await failure(postnote(sys, PNPROC, pid, "6")), "note not posted");
    await sys.wait();
    t.deepEqual(got, ["first", "1", "2", "3", "4", "5"]);
  }),
);

test(
  "a note of the kernel's kind gets the program counter, once more when it had to wait",
  inside(async (t, sys) => {
    const got: string[] = [];
    const pid = await sleeper(sys, got);
    await Promise.all(["sys: one", "sys: two"].map((n) => postnote(sys, PNPROC, pid, n)));
    await sys.wait();
    t.deepEqual(got, [`sys: one${PC}`, `sys: two${PC}${PC}`, "interrupted"]);
  }),
);

test(
  "an empty note is one, and one of more than 126 bytes is not",
  inside(async (t, sys) => {
    const got: string[] = [];
    const pid = await sleeper(sys, got);
    t.is(await failure(postnote(sys, PNPROC, pid, "x".repeat(127))), "read or write too large");
    await postnote(sys, PNPROC, pid, "");
    await sys.wait();
    t.deepEqual(got, ["", "interrupted"]);
    t.is(await failure(postnote(sys, PNPROC, pid, "x")), `'/proc/${pid}' file does not exist`);
  }),
);

test(
  "a note without a handler, or one that ends with NDFLT, is the exit status",
  inside(async (t, sys) => {
    for (const handled of [false, true]) {
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        if (handled) await child.notify(async (_note, its) => await (its as Sys).noted(NDFLT));
        await child.sleep(1000);
      });
      await sys.sleep(1);
      await postnote(sys, PNPROC, pid, "boom");
      t.is((await sys.wait()).msg, `main ${pid}: boom`);
    }
  }),
);

test(
  "a handler that does not wait for its noted has called it; one that calls none, or with nonsense, ends the process",
  inside(async (t, sys) => {
    const ways: readonly [how: string, handler: (s: Sys) => void][] = [
      ["", (s) => void s.noted(NCONT)],
      ["boom", (s) => void s.noted(NDFLT)],
      ["boom", (s) => void s.noted(7)],
      ["boom", () => undefined],
    ];
    for (const [how, handler] of ways) {
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        await child.notify((_note, its) => handler(its as Sys));
        t.is(await failure(child.sleep(1000)), "interrupted");
        // Another note finds all as before.
        await postnote(child, PNPROC, pid, "again");
        t.is(await failure(child.sleep(1)), "no error");
      });
      await sys.sleep(1);
      await postnote(sys, PNPROC, pid, "boom");
      t.is((await sys.wait()).msg, how === "" ? "" : `main ${pid}: ${how}`);
    }
  }),
);

test(
  "noted with nonsense in a handler fails, and the handler goes on",
  inside(async (t, sys) => {
    const said: string[] = [];
    const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.notify(async (_note, its) => {
        said.push(await failure((its as Sys).noted(7)));
        await (its as Sys).noted(NCONT);
      });
      said.push(await failure(child.sleep(1000)));
    });
    await sys.sleep(1);
    await postnote(sys, PNPROC, pid, "boom");
    t.is((await sys.wait()).msg, "");
    t.deepEqual(said, ["bad arg in system call", "interrupted"]);
  }),
);

test(
  "a handler that throws crashes its process",
  within(async (t, k) => {
    const p = k.spawn(async (sys: Sys) => {
      await sys.notify(() => {
        throw new TypeError("no such thing");
      });
      await sys.sleep(1000);
    });
    await run(k, (sys: Sys) => sys.sleep(1));
    p.note("boom");
    t.is(await p.wait(), "no such thing");
    t.true(p.crash instanceof TypeError);
  }),
);

test(
  "the trace tells when a note is posted, when its handler begins, and when that is done",
  within(async (t, k) => {
    const told: string[] = [];
    k.trace.listen((e) => {
      if (e.type === "proc" && "text" in e) told.push(`${e.what} ${e.text}`);
    });
    const p = k.spawn(async (sys: Sys) => {
      await notes(sys);
      await failure(sys.sleep(1000));
    });
    await run(k, (sys: Sys) => sys.sleep(1));
    told.length = 0;
    p.note("one");
    p.note("two");
    t.is(await p.wait(), "");
    t.deepEqual(told, [
      "note one",
      "note two",
      "handle one",
      "noted one",
      "handle two",
      "noted two",
      "exit ",
    ]);
  }),
);

test(
  "noted outside of a handler says so on descriptor 2 and ends the process",
  within(async (t, k) => {
    const { status, output } = await run(k, async (sys: Sys) => {
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        await child.dup(1, 2);
        await child.noted(NCONT);
      });
      t.is((await sys.wait()).msg, `main ${pid}: Suicide`);
      return String(pid);
    });
    t.is(output, `main ${status}: call to noted() when not notified\n`);
  }),
);

test(
  "a note to a group reaches all in it but the one who posts it",
  inside(async (t, sys) => {
    const mine = await notes(sys);
    const [a, b, other]: string[][] = [[], [], []];
    await sleeper(sys, a ?? []);
    const pid = await sleeper(sys, b ?? []);
    await sleeper(sys, other ?? [], RFPROC | RFFDG | RFNOTEG);
    await postnote(sys, PNGROUP, pid, "all");
    for (let i = 0; i < 3; i++) await sys.wait();
    t.deepEqual(
      [a, b, other, mine],
      [["all", "interrupted"], ["all", "interrupted"], ["no error"], []],
    );
  }),
);

test(
  "alarm gives what was left of the last one, and 0 cancels it",
  inside(async (t, sys) => {
    const list = await notes(sys);
    t.is(await sys.alarm(100), 0);
    await sys.sleep(30);
    t.is(await sys.alarm(200), 70);
    t.is(await sys.alarm(0), 200);
    t.is(await sys.alarm(0), 0);
    t.is(await failure(sys.sleep(300)), "no error");
    await sys.alarm(10);
    t.is(await failure(sys.sleep(300)), "interrupted");
    t.deepEqual(list, ["alarm"]);
    t.is(await failure(sys.sleep(-1)), "no error");
  }),
);

test(
  "an alarm that comes while a handler runs is handled after it",
  inside(async (t, sys) => {
    const list: string[] = [];
    await sys.notify(async (note, its) => {
      const s = its as Sys;
      list.push(`${note} begins`);
      if (note === "first") await s.sleep(100);
      list.push(`${note} ends`);
      await s.noted(NCONT);
    });
    await sys.alarm(50);
    const pid = await getpid(sys);
    await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
      await postnote(s, PNPROC, pid, "first");
    });
    t.is(await failure(sys.sleep(1000)), "interrupted");
    t.deepEqual(list, ["first begins", "first ends", "alarm begins", "alarm ends"]);
    t.is(await sys.alarm(0), 0);
    await sys.wait();
  }),
);

test(
  "rendezvous exchanges values; interrupted it gives none and leaves the error string",
  inside(async (t, sys) => {
    await notes(sys);
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      t.is(await child.rendezvous("tag", 1), 2);
    });
    t.is(await sys.rendezvous("tag", 2), 1);
    await sys.wait();
    await sys.rfork(RFPROC | RFFDG | RFREND, async (child: Sys) => {
      await child.alarm(20);
      t.is(await child.rendezvous("tag", 3), undefined);
    });
    await sys.alarm(10);
    await sys.errstr("before");
    t.is(await sys.rendezvous("tag", 4), undefined);
    t.is(await sys.errstr(), "before");
    await sys.wait();
  }),
);

test(
  "a call of a generator program that two notes interrupt fails once, when both are handled",
  within(async (t, k) => {
    const got: string[] = [];
    const p = k.spawn(function* (sys: ThreadSys) {
      yield* sys.notify(async (note, its) => {
        got.push(note);
        await (its as Sys).noted(NCONT);
      });
      try {
        yield* sys.sleep(1000);
      } catch (e) {
        got.push(String(e));
      }
    });
    await run(k, (sys: Sys) => sys.sleep(1));
    p.note("one");
    p.note("two");
    t.is(await p.wait(), "");
    t.deepEqual(got, ["one", "two", "PlanError: interrupted"]);
    t.deepEqual(k.audit(), NOTHING);
  }),
);

test(
  "a note of 126 bytes is posted from the host and one of 127 is not; the trace tells of it",
  within(async (t, k) => {
    const told: string[] = [];
    k.trace.listen((e) => {
      if (e.type === "proc" && e.what === "note") told.push(`${e.pid} ${e.text}`);
    });
    const p = k.spawn((sys: Sys) => sys.sleep(1000));
    await run(k, (sys: Sys) => sys.sleep(1));
    t.throws(() => p.note("x".repeat(127)), { message: "read or write too large" });
    t.deepEqual(told, []);
    p.note("x".repeat(126));
    t.is(await p.wait(), "x".repeat(126));
    t.deepEqual(told, [`${p.pid} ${"x".repeat(126)}`]);
  }),
);

test(
  "a long note of the kernel's kind is cut so that the program counter fits",
  inside(async (t, sys) => {
    const got: string[] = [];
    const pid = await sleeper(sys, got);
    const text = `sys: ${"x".repeat(121)}`;
    await postnote(sys, PNPROC, pid, text);
    await sys.wait();
    t.deepEqual(got, [text.slice(0, 127 - PC.length) + PC, "interrupted"]);
  }),
);

test(
  "a note to a group passes by a process that has five, and is refused when it is too long for all",
  inside(async (t, sys) => {
    const got: string[][] = [[], []];
    const pids: number[] = [];
    for (const list of got) {
      pids.push(
        await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
          await child.notify(async (note, its) => {
            if (note === "first") await (its as Sys).sleep(50);
            list.push(note);
            await (its as Sys).noted(NCONT);
          });
          await failure(child.sleep(1000));
        }),
      );
    }
    await sys.sleep(1);
    const [full = 0, idle = 0] = pids;
    await postnote(sys, PNPROC, full, "first");
    await sys.sleep(1);
    for (const n of ["1", "2", "3", "4", "5"]) await postnote(sys, PNPROC, full, n);
    t.is(await failure(postnote(sys, PNGROUP, idle, "x".repeat(127))), "read or write too large");
    t.is(await failure(postnote(sys, PNGROUP, idle, "all")), "no error");
    await sys.wait();
    await sys.wait();
    t.deepEqual(got, [["first", "1", "2", "3", "4", "5"], ["all"]]);
  }),
);

test(
  "what the kernel says on descriptor 2 goes nowhere when that is closed or only read, and also to one for both",
  inside(async (t, sys) => {
    for (const mode of [null, OREAD, ORDWR]) {
      const pid = await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        if (mode === null) await child.close(2);
        else {
          const fd = await child.create("/tmp/err", ORDWR, 0o666);
          await child.dup(await child.open("/tmp/err", mode), 2);
          await child.close(fd);
        }
        await child.noted(NCONT);
      });
      t.is((await sys.wait()).msg, `main ${pid}: Suicide`);
      if (mode === null) continue;
      const said = `main ${pid}: call to noted() when not notified\n`;
      t.is(await cat(sys, "/tmp/err"), mode === ORDWR ? said : "");
    }
  }),
);
