// Ten programs, and five questions that a reader asks of each: the step that the question is about, and the
// facts that its screen has to have for the reader to answer. Five programs are about processes.

import {
  DMDIR,
  MAFTER,
  MBEFORE,
  MCREATE,
  MREPL,
  NCONT,
  OEXCL,
  OREAD,
  ORDWR,
  OWRITE,
  PNGROUP,
  RFFDG,
  RFNAMEG,
  RFNOTEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { postnote } from "../../userland/lib/proc.ts";
import { failure, put } from "./kit.ts";

/** Which step: the n-th of the calls or returns with this text, or of the lines with it; 0 the one that took longest. */
export type Where = {
  readonly on: "call" | "return" | "line";
  readonly text: string;
  readonly nth?: number;
};

export type Question = {
  readonly asks: string;
  readonly at: Where;
  /** What the screen of that step says. */
  readonly says: readonly string[];
  /** What it does not say. */
  readonly never?: readonly string[];
};

export type Asked = {
  readonly name: string;
  readonly options: readonly string[];
  readonly main: Program;
  readonly questions: readonly [Question, Question, Question, Question, Question];
};

const FAR = ["--host", "far:rtt=50ms"];
const TWO = [...FAR, "--host", "near:rtt=2ms"];

export const at = (on: Where["on"], text: string, nth = 1): Where => ({ on, text, nth });
/** The call of this text that took the longest. */
const longest = (text: string): Where => ({ on: "return", text, nth: 0 });
export const buf = (): Uint8Array => new Uint8Array(100);
export const text = (s: string): Uint8Array => new TextEncoder().encode(s);

/** A child writes to a pipe and ends; its parent reads on, with the write end open itself. */
const endless: Asked = {
  name: "a read of a pipe that does not end",
  options: FAR,
  main: async (sys: Sys) => {
    const [r, w] = await sys.pipe();
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.close(r);
      await child.write(w, text("hello\n"));
    });
    await sys.read(r, buf());
    await sys.read(r, buf());
  },
  questions: [
    {
      asks: "Which descriptors are the ends of the pipe?",
      at: at("return", "pipe()"),
      says: ["Descriptors 3 and 4 are the two ends of pipe"],
    },
    {
      asks: "Who wrote what the first read brought?",
      at: at("return", "read(3"),
      says: ['Process 4 wrote these bytes: write(4, "hello\\n")'],
    },
    {
      asks: "Why does the second read not end: which process holds the other end?",
      at: at("call", "read(3", 2),
      says: [
        "does not return",
        "is empty, and only process 3 itself (descriptor 4) holds its other end",
      ],
    },
    {
      asks: "What mends it?",
      at: at("call", "read(3", 2),
      says: [
        "Close descriptor 4 (of pipe()) in process 3 before the read: the read then gives 0, the end of the file.",
      ],
    },
    {
      asks: "What is left of the child that has ended?",
      at: at("line", "process 4 ends"),
      says: ["It is kept, as a zombie, until its parent, process 3 (main), calls wait."],
    },
  ],
};

/** A note to a group of three, of which one has a handler and one has left the group. */
const notes: Asked = {
  name: "a note to a note group",
  options: FAR,
  main: async (sys: Sys) => {
    const sleeps = async (child: Sys): Promise<void> => void (await failure(child.sleep(1000)));
    await sys.notify((_note, s) => (s as Sys).noted(NCONT));
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.notify(null);
      await sleeps(child);
    });
    await sys.rfork(RFPROC | RFFDG | RFNOTEG, sleeps);
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.sleep(5);
      await postnote(child, PNGROUP, 3, "enough");
    });
    await failure(sys.sleep(100));
    await sys.wait();
  },
  questions: [
    {
      asks: "Which processes get the note?",
      at: at("line", 'process 3 gets the note "enough"'),
      says: [
        "The note goes to the whole note group: process 4 (main) too, but not to process 6, which posted it.",
        "Process 5 (main) is in another note group, and does not get it.",
      ],
    },
    {
      asks: "Who posted it?",
      at: at("line", 'process 3 gets the note "enough"'),
      says: ["Process 6 (main) posted it."],
    },
    {
      asks: "What does process 3 do with it?",
      at: at("line", 'process 3 gets the note "enough"'),
      says: [
        'The handler of process 3 runs for "enough". The handler ends with noted(NCONT), so process 3 goes on.',
        'sleep(100) is interrupted: it fails with the error "interrupted".',
      ],
    },
    {
      asks: "What does process 4 do with it?",
      at: at("line", 'process 4 gets the note "enough"'),
      says: ['Process 4 has no handler for "enough", so the process ends.'],
    },
    {
      asks: "Why did the sleep of process 3 fail, and what mends it?",
      at: at("return", "sleep(100)"),
      says: [
        'The note "enough" of process 6 came while sleep of process 3 was waiting',
        "Make the call again",
      ],
    },
  ],
};

/** One child shares the name space, the other has a copy; each binds. */
const spaces: Asked = {
  name: "name spaces that are shared and that are not",
  options: FAR,
  main: async (sys: Sys) => {
    for (const d of ["/tmp/a", "/tmp/b", "/tmp/c"])
      await sys.close(await sys.create(d, OREAD, DMDIR | 0o777));
    await put(sys, "/tmp/a/f", "a's");
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.bind("/tmp/a", "/tmp/b", MREPL);
      await child.sleep(10);
    });
    await sys.rfork(RFPROC | RFFDG | RFNAMEG, async (child: Sys) => {
      await child.bind("/tmp/a", "/tmp/c", MREPL);
      await child.sleep(10);
    });
    await sys.sleep(1);
    await sys.stat("/tmp/b/f");
    await failure(sys.stat("/tmp/c/f"));
    await sys.wait();
    await sys.wait();
  },
  questions: [
    {
      asks: "What does the first child share with its parent?",
      at: at("line", "process 4 starts"),
      says: ["It shares its name space", "has its own descriptors"],
    },
    {
      asks: "Whose name space does the first bind change?",
      at: at("line", "changes at /tmp/b"),
      says: ["Process 3 (main) shares the name space of process 4, and sees the change."],
    },
    {
      asks: "Whose name space does the second bind change?",
      at: at("line", "changes at /tmp/c"),
      says: ["It is the name space of process 5 alone: no other process sees the change."],
    },
    {
      asks: "What failed in the parent, and what is there?",
      at: at("return", 'stat("/tmp/c/f")'),
      says: ["does not exist", "no f", "/tmp/c"],
    },
    {
      asks: "What does the parent wait for?",
      at: at("line", "waits for a child to end"),
      says: ["Process 4 (main) and process 5 (main) live", "the wait ends when one of them does"],
    },
  ],
};

/** Two descriptors and two processes with one offset; a file that stays open after a close. */
const offsets: Asked = {
  name: "descriptors that share an offset",
  options: FAR,
  main: async (sys: Sys) => {
    await put(sys, "/tmp/f", "0123456789");
    const fd = await sys.open("/tmp/f", OREAD);
    const other = await sys.dup(fd, -1);
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.read(fd, new Uint8Array(4));
      await child.sleep(20);
    });
    await sys.sleep(1);
    await sys.read(other, new Uint8Array(4));
    await sys.close(fd);
    await failure(sys.read(fd, buf()));
    await failure(sys.write(other, text("x")));
    await sys.wait();
  },
  questions: [
    {
      asks: "What is the descriptor that dup gives?",
      at: at("return", "dup(3"),
      says: ["It is the same open file as process 3 itself (descriptor 3): they share one offset."],
    },
    {
      asks: "Why does the parent's read begin at byte 4?",
      at: at("return", "read(3"),
      says: ["begins at byte 4, and so does that of", "process 3 (descriptors 3 and 4)"],
    },
    {
      asks: "Which process holds the file when the parent has closed it?",
      at: at("return", "close(3)", 2),
      says: ["The file stays open", "process 4 (descriptors 3 and 4)"],
    },
    {
      asks: "Why does the read after that fail, and which descriptors are there?",
      at: at("return", "read(3, [100])"),
      says: ["Descriptor 3 is not open in process 3", "which has open 0, 1, 2 and 4"],
    },
    {
      asks: "Why may the other descriptor not be written, and what mends it?",
      at: at("return", "write(4"),
      says: ["Descriptor 4 (/tmp/f) was opened OREAD", "OWRITE or ORDWR"],
    },
  ],
};

/** Two processes that read from each other. */
const deadlock: Asked = {
  name: "a deadlock",
  options: FAR,
  main: async (sys: Sys) => {
    const [a, b] = await sys.pipe();
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      await child.close(a);
      await child.read(b, buf());
    });
    await sys.close(b);
    await failure(sys.rfork(0x8000));
    await sys.read(a, buf());
  },
  questions: [
    {
      asks: "Which process holds the other end of the parent's pipe?",
      at: at("call", "read(3"),
      says: ["its other end is held by process 4 (descriptor 4)"],
    },
    {
      asks: "Why does neither read end?",
      at: at("call", "read(3"),
      says: [
        "This is a deadlock: process 3 waits for process 4 and process 4 waits for process 3.",
      ],
    },
    {
      asks: "What mends it?",
      at: at("call", "read(3"),
      says: ["Have process 4 (descriptor 4) write, or close that end."],
    },
    {
      asks: "Which end did the child close, and is it still open?",
      at: at("return", "close(3)"),
      says: ["The file stays open: process 3 (descriptor 3) has it, too."],
    },
    {
      asks: "What does the child wait for?",
      at: at("line", "process 4 waits for bytes of a pipe"),
      says: ["is empty; its other end is held by process 3 (descriptor 3)"],
    },
  ],
};

/** The same stat of a server that promises order, and of one that does not. */
const trips: Asked = {
  name: "round trips",
  options: ["--host", "new:rtt=50ms,version=9P2000.ix", "--host", "old:rtt=50ms,version=9P2000"],
  main: async (sys: Sys) => {
    for (const host of ["/n/new", "/n/old"]) await put(sys, `${host}/c`, "deep");
    await sys.sleep(100);
    await sys.stat("/n/new/c");
    await sys.stat("/n/old/c");
    const fd = await sys.open("/n/old/c", OREAD);
    await sys.read(fd, buf());
    await sys.close(fd);
    await sys.sleep(100);
  },
  questions: [
    {
      asks: "Why does the first stat take one round trip?",
      at: at("return", 'stat("/n/new/c")'),
      says: [
        "1 round trip in 50.00 ms",
        "together, since it speaks 9P2000.ix, which promises order",
      ],
    },
    {
      asks: "Why does the second stat take two?",
      at: at("return", 'stat("/n/old/c")'),
      says: [
        "2 round trips in 100.00 ms to old!564",
        "old!564 speaks 9P2000, which does not promise order; so the Tstat could not be sent before the Rwalk had come.",
      ],
    },
    {
      asks: "What waits for the walk?",
      at: at("line", "→ Twalk", 5),
      says: ["so the Tstat is not sent before the Rwalk has come"],
    },
    {
      asks: "Does the close wait for the server?",
      at: at("line", "→ Tclunk", 5),
      says: ["close(3) goes on without waiting for the Rclunk"],
    },
    {
      asks: "To which call does the last answer belong?",
      at: at("line", "← Rclunk", 5),
      says: ["close(3) has returned without it", "50.00 ms"],
      never: ["call 0 round trips"],
    },
  ],
};

/** A union of two servers: which member has the name, and in which one is created. */
const union: Asked = {
  name: "a union",
  options: TWO,
  main: async (sys: Sys) => {
    await put(sys, "/n/near/news", "rain");
    await put(sys, "/n/far/plan", "stay in");
    await sys.close(await sys.create("/tmp/u", OREAD, DMDIR | 0o777));
    await sys.bind("/n/near", "/tmp/u", MBEFORE);
    await sys.bind("/n/far", "/tmp/u", MAFTER | MCREATE);
    await sys.sleep(100);
    await sys.close(await sys.open("/tmp/u/plan", OREAD));
    await failure(sys.open("/tmp/u/plans", OREAD));
    await sys.close(await sys.create("/tmp/u/new", OWRITE, 0o666));
    await sys.unmount("/n/far", "/tmp/u");
    await failure(sys.create("/tmp/u/more", OWRITE, 0o666));
  },
  questions: [
    {
      asks: "Which servers are asked for plan, and when?",
      at: at("line", "asks members"),
      says: ["at the same time", "near!564", "far!564", "overlap"],
    },
    {
      asks: "Which member has plan, and which server?",
      at: at("line", "member 3 has plan"),
      says: ["Member 3 of the union /tmp/u (the server far!564) has plan"],
    },
    {
      asks: "What failed, and what was probably meant?",
      at: at("return", 'open("/tmp/u/plans"'),
      says: ["None of the 3 members of the union /tmp/u has plans", "plan"],
    },
    {
      asks: "Where is new created, and why there?",
      at: at("line", "new is for member 3 to create"),
      says: [
        "the server far!564",
        "Member 3 is the first that was bound or mounted with leave to create (MCREATE)",
      ],
    },
    {
      asks: "Why is more not created, and what mends it?",
      at: at("return", 'create("/tmp/u/more"'),
      says: [
        "none of its members was bound or mounted with leave to create (MCREATE)",
        "again with MCREATE (bind -c, mount -c)",
      ],
    },
  ],
};

/** Names that fail, each for another reason. */
const names: Asked = {
  name: "names that fail",
  options: FAR,
  main: async (sys: Sys) => {
    for (const d of ["/n/far/lib", "/n/far/lib/deep"])
      await sys.close(await sys.create(d, OREAD, DMDIR | 0o777));
    await put(sys, "/n/far/lib/profile", "x");
    await sys.close(await sys.create("/n/far/secret", OWRITE, 0o000));
    await sys.sleep(100);
    await failure(sys.open("/n/far/lib/profiles", OREAD));
    await failure(sys.open("/n/far/lib/profile/bin", OREAD));
    await failure(sys.open("/n/far/lib", OWRITE));
    await failure(sys.open("/n/far/secret", ORDWR));
    await failure(sys.remove("/n/far/lib"));
  },
  questions: [
    {
      asks: "What is missing, and what is there instead?",
      at: at("return", 'open("/n/far/lib/profiles"'),
      says: ["/n/far/lib", "deep and profile", "Perhaps profile was meant"],
    },
    {
      asks: "What is wrong with the second name?",
      at: at("return", 'open("/n/far/lib/profile/bin"'),
      says: ["profile is there and is a file, so there is no bin in it", "Leave out /bin"],
      never: ["profile is missing"],
    },
    {
      asks: "Why may lib not be written, and what mends it?",
      at: at("return", 'open("/n/far/lib", OWRITE)'),
      says: [
        "/n/far/lib is a directory, which is only opened for reading",
        "OREAD",
        "create makes a file in it",
      ],
      never: ["lib is missing", "permission of"],
    },
    {
      asks: "Which mode forbids to open secret?",
      at: at("return", 'open("/n/far/secret"'),
      says: ["/n/far/secret has mode -"],
    },
    {
      asks: "Why is lib not removed?",
      at: at("return", 'remove("/n/far/lib")'),
      says: ["2 files in /n/far/lib: deep and profile", "Remove what is in it first"],
    },
  ],
};

/** Packets that are lost on the way. */
const lost: Asked = {
  name: "what was lost",
  options: ["--host", "far:rtt=50ms,loss=20%", "--seed", "1"],
  main: async (sys: Sys) => {
    await put(sys, "/n/far/f", "x");
    await sys.sleep(2000);
    for (let i = 0; i < 8; i++) await sys.stat("/n/far/f");
    await sys.sleep(100);
  },
  questions: [
    {
      asks: "Why did a stat take longer than 50 ms?",
      at: longest('stat("/n/far/f")'),
      says: [
        "1 round trip in 650.00 ms",
        "600.00 ms of it: packets were lost on the way from far!564, and sent again.",
      ],
    },
    {
      asks: "Which message was lost?",
      at: at("line", "← Rwalk", 7),
      says: [
        "The answer was lost on the way from far!564 and sent again: that took 600.00 ms of it.",
      ],
    },
    {
      asks: "How long does a stat take when nothing is lost?",
      at: at("return", 'stat("/n/far/f")'),
      says: ["1 round trip in 50.00 ms"],
    },
    {
      asks: "Which server was asked?",
      at: at("return", 'stat("/n/far/f")'),
      says: ["Twalk, Tstat and Tclunk went to far!564 together"],
    },
    {
      asks: "Why could they go together?",
      at: at("line", "the walk of f goes with"),
      says: [
        "The server far!564 speaks 9P2000.ix.stream, which promises order, so both share one round trip.",
      ],
    },
  ],
};

/** Binds and mount points, and a request that is dropped. */
const mounts: Asked = {
  name: "mounts that fail, and a dropped request",
  options: [...FAR, "--inject", "Tremove:drop"],
  main: async (sys: Sys) => {
    await sys.close(await sys.create("/tmp/d", OREAD, DMDIR | 0o777));
    await put(sys, "/tmp/f", "x");
    await put(sys, "/n/far/x", "x");
    await failure(sys.bind("/tmp/f", "/tmp/d", MREPL));
    await failure(sys.bind("/tmp/d", "/tmp/none", MREPL));
    await failure(sys.remove("/n/far"));
    await failure(sys.create("/tmp/f", OWRITE | OEXCL, 0o666));
    await sys.remove("/n/far/x");
  },
  questions: [
    {
      asks: "Which argument of the bind is of which kind?",
      at: at("return", 'bind("/tmp/f"'),
      says: [
        "/tmp/f (its first argument) is a file and /tmp/d (its second argument) is a directory",
      ],
    },
    {
      asks: "Which argument of the second bind is missing, and what mends it?",
      at: at("return", 'bind("/tmp/d"'),
      says: [
        "The memory tree has no none in /tmp",
        "Make /tmp/none first: its second argument must name what is there.",
      ],
    },
    {
      asks: "Why is /n/far not removed, and what mends it?",
      at: at("return", 'remove("/n/far")'),
      says: ["The server far!564 is mounted on /n/far", "Unmount /n/far takes it off."],
    },
    {
      asks: "Why is f not created?",
      at: at("return", 'create("/tmp/f", OWRITE|OEXCL'),
      says: ["/tmp/f is there already, and OEXCL asks for a new file", "Open it instead"],
    },
    {
      asks: "Why does the last remove not return, and what mends it?",
      at: at("call", 'remove("/n/far/x")'),
      says: [
        "remove does not return: at the end of the run process 3 is killed while it waits for an answer of the server far!564.",
        "No answer comes to this Tremove: --inject 'Tremove:drop' drops it.",
        "The call returns without that --inject.",
      ],
    },
  ],
};

export const TEN: readonly Asked[] = [
  endless,
  notes,
  spaces,
  offsets,
  deadlock,
  trips,
  union,
  names,
  lost,
  mounts,
];
