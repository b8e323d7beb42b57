// Six more programs with processes, and five questions about each, as in tenprograms.ts. Readers of their screens had
// asked these questions, and an earlier stepper did not show the answers.

import {
  DMDIR,
  MAFTER,
  MREPL,
  NCONT,
  OREAD,
  OWRITE,
  RFFDG,
  RFNAMEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { newexport } from "../../userland/lib/export.ts";
import { failure, put } from "./kit.ts";
import { at, buf, text } from "./tenprograms.ts";
import type { Asked } from "./tenprograms.ts";

const TWO = ["--host", "near:rtt=2ms", "--host", "far:rtt=50ms"];

/** A pipeline of two pipes, of which the parent keeps the first one's writing end. */
const pipeline: Asked = {
  name: "a pipeline with an end left open",
  options: TWO,
  main: async (sys: Sys) => {
    const [r1, w1] = await sys.pipe();
    const [r2, w2] = await sys.pipe();
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      for (const fd of [r1, r2, w2]) await child.close(fd);
      await child.write(w1, text("tea"));
    });
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      for (const fd of [w1, r2]) await child.close(fd);
      while ((await child.read(r1, buf())) > 0) await child.write(w2, text("TEA"));
    });
    await sys.close(r1);
    await sys.close(w2);
    while ((await sys.read(r2, buf())) > 0);
  },
  questions: [
    {
      asks: "What does the parent wait for, and who holds the other end?",
      at: at("call", "read(5", 2),
      says: [
        "read does not return",
        "Pipe 2 is empty; its other end is held by process 5 (descriptor 6)",
      ],
    },
    {
      asks: "Why does neither read end?",
      at: at("call", "read(5", 2),
      says: [
        "This is a deadlock: process 3 waits for process 5 and process 5 waits for process 3.",
      ],
    },
    {
      asks: "Which end should be closed, and where?",
      at: at("call", "read(5", 2),
      says: [
        "Close descriptor 4 in process 3 (of pipe()), which never uses it: the read of process 5 then gives 0",
        "The read of process 3 ends when process 5 ends, which alone holds the other end of pipe 2.",
      ],
    },
    {
      asks: "Is it said where the wait begins, too?",
      at: at("line", "process 3 waits for bytes of a pipe", 2),
      says: [
        "read does not return: at the end of the run process 3 is killed while it waits.",
        "Close descriptor 4 in process 3",
      ],
    },
    {
      asks: "Which processes are at the ends of the first pipe?",
      at: at("call", "read(5", 2),
      says: ["pipe 1: 5's fd 3 ↔ 3's fd 4 empty"],
    },
  ],
};

/** Two children that read one pipe, and a parent that waits for either to end. */
const several: Asked = {
  name: "a deadlock in which each waits for one of several",
  options: TWO,
  main: async (sys: Sys) => {
    const [r, w] = await sys.pipe();
    for (let i = 0; i < 2; i++)
      await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        await child.close(w);
        await child.read(r, buf());
      });
    await sys.close(r);
    await sys.wait();
  },
  questions: [
    {
      asks: "What does the parent wait for?",
      at: at("call", "wait()"),
      says: ["wait does not return", "the wait ends when one of them does"],
    },
    {
      asks: "Why does it not end?",
      at: at("call", "wait()"),
      says: [
        "This is a deadlock: process 3 waits for process 4 or process 5,",
        "process 4 waits for process 3",
        "process 5 waits for process 4",
      ],
    },
    {
      asks: "What mends it?",
      at: at("call", "wait()"),
      says: ["Close descriptor 4 in process 3 (of pipe()), which never uses it"],
    },
    {
      asks: "What does a child wait for?",
      at: at("line", "process 5 waits for its turn"),
      says: ["The call of process 4 (main) on the same file began before"],
    },
    {
      asks: "And the other child?",
      at: at("line", "process 4 waits for bytes of a pipe"),
      says: ["process 3 (descriptor 4)"],
    },
  ],
};

/** A child with a name space of its own binds what its parent looks for, another hides what its parent had. */
const binds: Asked = {
  name: "binds of children: seen by the parent, and not",
  options: TWO,
  main: async (sys: Sys) => {
    for (const d of ["/tmp/data", "/tmp/mine"])
      await sys.close(await sys.create(d, OREAD, DMDIR | 0o777));
    await put(sys, "/n/near/log", "x");
    await put(sys, "/tmp/mine/f", "x");
    await sys.rfork(RFPROC | RFFDG | RFNAMEG, async (child: Sys) => {
      await child.bind("/n/near", "/tmp/data", MREPL);
      await child.sleep(500);
    });
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.bind("/n/far", "/tmp/mine", MREPL);
    });
    await sys.sleep(300);
    await failure(sys.open("/tmp/data/log", OREAD));
    await failure(sys.open("/tmp/mine/f", OREAD));
  },
  questions: [
    {
      asks: "Who has a log in /tmp/data?",
      at: at("return", 'open("/tmp/data/log"'),
      says: [
        'Process 4 has put the server near!564, which has log, on /tmp/data by bind("/n/near", "/tmp/data", MREPL), but in another name space.',
      ],
    },
    {
      asks: "Whose name space is that, and whose not?",
      at: at("return", 'open("/tmp/data/log"'),
      says: ["That is the name space of process 4, and process 3 has another."],
    },
    {
      asks: "What mends that?",
      at: at("return", 'open("/tmp/data/log"'),
      says: [
        "Make that bind in process 3 too, or have process 3 and process 4 share one name space: leave RFNAMEG out of rfork(RFPROC|RFNAMEG|RFFDG, program), which made process 4. Else give the name by which process 3 reaches the file: /n/near/log.",
      ],
    },
    {
      asks: "What has become of /tmp/mine/f?",
      at: at("return", 'open("/tmp/mine/f"'),
      says: [
        'bind("/n/far", "/tmp/mine", MREPL) of process 5, whose name space process 3 shares, has hidden it',
        'create("/tmp/mine/f", ORDWR, 0666) of process 3 found it before',
      ],
    },
    {
      asks: "What mends that?",
      at: at("return", 'open("/tmp/mine/f"'),
      says: [
        "Unmount /tmp/mine takes that off; a child that binds for itself is made with RFNAMEG.",
      ],
    },
  ],
};

/** A child with the same table of descriptors closes what its parent uses. */
const table: Asked = {
  name: "a table of descriptors that is shared",
  options: TWO,
  main: async (sys: Sys) => {
    const fd = await sys.open("/", OREAD);
    await sys.rfork(RFPROC, (child: Sys) => child.close(fd));
    await sys.wait();
    await failure(sys.read(fd, buf()));
    const again = await sys.open("/dev", OREAD);
    await sys.close(again);
    await failure(sys.read(again, buf()));
  },
  questions: [
    {
      asks: "Who closed the descriptor?",
      at: at("return", "read(3"),
      says: [
        "Process 4, which shares one table of descriptors with process 3, closed descriptor 3 by close(3); until then that was the file /.",
      ],
    },
    {
      asks: "What mends that?",
      at: at("return", "read(3"),
      says: [
        "Give process 4 a table of its own: add RFFDG to rfork(RFPROC, program); or leave that close out of process 4.",
      ],
    },
    {
      asks: "Which are open?",
      at: at("return", "read(3"),
      says: ["which has open 0, 1 and 2."],
    },
    {
      asks: "And the second time?",
      at: at("return", "read(3", 2),
      says: [
        "Descriptor 3 is not open in process 3, which has open 0, 1 and 2. Process 3 closed descriptor 3 by close(3); until then that was the file /dev.",
      ],
      never: ["process 4"],
    },
    {
      asks: "What mends that?",
      at: at("return", "read(3", 2),
      says: ["Close it later, or open the file again."],
    },
  ],
};

/** Two servers have the name, and the first of them refuses it. */
const chosen: Asked = {
  name: "a union whose first member with the name refuses it",
  options: TWO,
  main: async (sys: Sys) => {
    await put(sys, "/tmp/f", "x");
    await sys.close(await sys.create("/n/near/diary", OWRITE, 0o200));
    await put(sys, "/n/far/diary", "rain");
    await sys.close(await sys.create("/tmp/u", OREAD, DMDIR | 0o777));
    for (const host of ["/tmp", "/n/near", "/n/far"]) await sys.bind(host, "/tmp/u", MAFTER);
    await sys.sleep(200);
    await failure(sys.open("/tmp/u/diary", OREAD));
  },
  questions: [
    {
      asks: "Which server refuses?",
      at: at("return", 'open("/tmp/u/diary"'),
      says: [
        'The server near!564 refuses this: /tmp/u/diary has mode ---w-------, which process 3 gave it by create("/n/near/diary", OWRITE, 0200).',
      ],
      never: ["a 9P error does not say"],
    },
    {
      asks: "Why is far's not opened?",
      at: at("return", 'open("/tmp/u/diary"'),
      says: [
        "Member 3 of the union /tmp/u was the first with the name, so the members after it do not count.",
      ],
    },
    {
      asks: "Which mode would do?",
      at: at("return", 'open("/tmp/u/diary"'),
      says: [
        'Have create("/n/near/diary", OWRITE, 0200) give the mode 0600 (read and write for the owner, nothing for others), or have the owner of /tmp/u/diary (the user of process 3, which made the file) change the mode by wstat or chmod.',
      ],
    },
    {
      asks: "Who was asked?",
      at: at("return", 'open("/tmp/u/diary"'),
      says: ["2 Twalk to near!564 and far!564, then Topen to near!564"],
    },
    {
      asks: "Why two round trips?",
      at: at("return", 'open("/tmp/u/diary"'),
      says: ["the Topen could not be sent before the answer of near!564 had come"],
    },
  ],
};

/** Reads that only a note ends, one after the other by way of a server that reads a pipe without a writer. */
const writerless: Asked = {
  name: "a read that no process can end, and a note",
  options: TWO,
  main: async (sys: Sys) => {
    const [r] = await sys.pipe();
    await sys.notify((_note, s) => (s as Sys).noted(NCONT));
    await sys.alarm(10);
    await failure(sys.read(r, buf()));
    for (const dir of ["/tmp/pipe", "/tmp/served"])
      await sys.close(await sys.create(dir, OREAD, DMDIR | 0o777));
    await sys.bind("#|", "/tmp/pipe", MREPL);
    await postmount(sys, (child) => newexport(child, { root: "/tmp/pipe" }), {
      mtpt: "/tmp/served",
    });
    const fd = await sys.open("/tmp/served/data", OREAD);
    await sys.alarm(10);
    await failure(sys.read(fd, buf()));
  },
  questions: [
    {
      asks: "What mends the read of a pipe whose other end its own process has?",
      at: at("return", "read(3"),
      says: [
        "only process 3 itself (descriptor 4) holds its other end",
        "Close descriptor 4 (of pipe()) in process 3 before the read: the read then gives 0, the end of the file.",
      ],
      never: ["ake the call again"],
    },
    {
      asks: "What does the read of the server's file wait for?",
      at: at("return", "read(5, [100])"),
      says: [
        "Until then process 4, the server, was reading pipe 2 for this call. Pipe 2 is empty, and no process holds its other end.",
        "the Tflush 10.00 ms after the Tread",
      ],
    },
    {
      asks: "What mends that?",
      at: at("return", "read(5, [100])"),
      says: [
        "Have a process open the other end of pipe 2 (/tmp/pipe/data1 in the name space of process 4), and write to that. Without that the same call, made again, waits as this one did.",
      ],
      never: ["ake the call again"],
    },
    {
      asks: "What becomes of the read at the note?",
      at: at("line", 'gets the note "alarm"', 2),
      says: [
        'The handler of process 3 runs for "alarm". The handler ends with noted(NCONT), so process 3 goes on.',
        'read(5, [100]) is interrupted: it fails with the error "interrupted".',
      ],
    },
    {
      asks: "Is it said what mends it, and that a note comes, where the first read begins to wait?",
      at: at("line", "process 3 waits for bytes of a pipe"),
      says: [
        "The note of alarm(10) comes in 10.00 ms",
        "Close descriptor 4 (of pipe()) in process 3 before the read",
      ],
    },
  ],
};

export const MORE: readonly Asked[] = [pipeline, several, binds, table, chosen, writerless];
