// Processes: commands, pipes, backquotes, what runs behind. Each child is forked with a function that goes on
// where the child has to; the parent goes on behind the child's code.

import {
  OREAD,
  OWRITE,
  ORDWR,
  RFFDG,
  RFNOTEG,
  RFPROC,
  RFREND,
  ERRMAX,
} from "../../../kernel/abi/const.ts";
import { Eintr, PlanError } from "../../../kernel/abi/errors.ts";
import { utfcut, utfdecode, utfencode } from "../../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { writeall } from "../io.ts";
import type { Op } from "./code.ts";
import { poplist, pushwords } from "./list.ts";
import { type Redir, Shell, type Thread } from "./shell.ts";
import { listen } from "./trap.ts";

const FORK = RFPROC | RFFDG | RFREND;
const NOPATH: readonly string[] = [""];
/** The longest word that a backquote gives; a longer one is cut into several. */
const WORDMAX = 8192;

/** Flags of rfork, and what sets the child's shell up. */
type Forkopts = {
  readonly flags?: number;
  readonly first?: (child: Shell, t: Thread) => Task<void>;
};

/** Forks a copy of the shell that begins at pc, after `first` has set it up. Null when there can be no more. */
function* forkshell(sh: Shell, pc: number, opts: Forkopts): Task<number | null> {
  const from = sh.fork(sh.sys, pc);
  function* child(sys: ThreadSys): Task<Exit> {
    const sub = from.sh;
    sub.sys = sys;
    yield* listen(sub);
    if (opts.first !== undefined) yield* opts.first(sub, from.t);
    return yield* sub.run(sub);
  }
  try {
    const pid = yield* sh.sys.rfork(opts.flags ?? FORK, child);
    sh.children.add(pid);
    return pid;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sh.fail(`try again: ${e.message}`);
    return null;
  }
}

/** command & */
export function* asyncop(sh: Shell, t: Thread, to: number): Task<void> {
  const flags = RFPROC | RFFDG | RFNOTEG;
  const pid = yield* forkshell(sh, t.pc, {
    flags,
    *first(child) {
      child.pushredir("open", yield* child.sys.open("#c/null", OREAD), 0);
    },
  });
  if (pid === null) return;
  t.pc = to;
  sh.look("apid").set([`${pid}`]);
}

/** @ command */
export function* subshell(sh: Shell, t: Thread, to: number): Task<void> {
  const pid = yield* forkshell(sh, t.pc, {});
  if (pid === null) return;
  yield* waitfor(sh, pid);
  t.pc = to;
}

/** Two ends of a pipe, or null with an error said. */
function* newpipe(sh: Shell): Task<[number, number] | null> {
  try {
    return yield* sh.sys.pipe();
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sh.fail(`can't get pipe: ${e.message}`);
    return null;
  }
}

/** left | right: the right side runs in this shell, in a thread of its own. */
export function* pipe(sh: Shell, t: Thread, op: Extract<Op, { op: "pipe" }>): Task<void> {
  const ends = yield* newpipe(sh);
  if (ends === null) return;
  const [rd, wr] = ends;
  const pid = yield* forkshell(sh, t.pc, {
    *first(child) {
      yield* child.close(rd);
      child.pushredir("open", wr, op.fd0);
    },
  });
  if (pid === null) return;
  yield* sh.close(wr);
  t.pc = op.to;
  t.pid = pid;
  sh.start(t.code, op.right, t.local);
  sh.pushredir("open", rd, op.fd1);
}

/** The end of a pipe's right side: waits for the left, and makes one status of both. */
export function* pipewait(sh: Shell, t: Thread): Task<void> {
  if (t.pid !== -1) {
    const right = sh.status;
    yield* waitfor(sh, t.pid);
    t.pid = -1;
    sh.status = Shell.both(sh.status, right);
  } else sh.status = Shell.both(t.status, sh.status);
}

/** `{command}: the words that it prints. */
export function* backq(sh: Shell, t: Thread, op: Extract<Op, { op: "backq" }>): Task<void> {
  const seps = op.sep ? poplist(t).join("") : (sh.look("ifs").val[0] ?? "");
  const ends = yield* newpipe(sh);
  if (ends === null) return;
  const [rd, wr] = ends;
  const pid = yield* forkshell(sh, t.pc, {
    *first(child) {
      yield* child.close(rd);
      child.pushredir("open", wr, 1);
    },
  });
  if (pid === null) return;
  yield* sh.close(wr);
  const text = yield* readpipe(sh, rd);
  yield* sh.close(rd);
  yield* waitfor(sh, pid);
  pushwords(t, splitwords(text, seps));
  t.pc = op.to;
}

/** All that comes out of a pipe, until its end or an interrupt. */
function* readpipe(sh: Shell, fd: number): Task<string> {
  let all = new Uint8Array(WORDMAX);
  let n = 0;
  try {
    for (;;) {
      if (n === all.length) {
        const more = new Uint8Array(2 * n);
        more.set(all);
        all = more;
      }
      const got = yield* sh.sys.read(fd, all.subarray(n));
      if (got === 0) break;
      n += got;
    }
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
  return utfdecode(all, 0, n);
}

/** The words between separators; a NUL separates, too. */
function splitwords(text: string, seps: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const end = i === text.length || text.charCodeAt(i) === 0 || seps.includes(text.charAt(i));
    if (end && i > start) words.push(text.slice(start, i));
    if (end) start = i + 1;
    else if (i - start === WORDMAX - 1) {
      words.push(text.slice(start, i + 1));
      start = i + 1;
    }
  }
  return words;
}

/** <{command} and >{command}: the name of a descriptor that the command writes, or reads. */
export function* pipefd(sh: Shell, t: Thread, op: Extract<Op, { op: "pipefd" }>): Task<void> {
  const ends = yield* newpipe(sh);
  if (ends === null) return;
  const [rd, wr] = ends;
  const [mine, its] = op.write ? [wr, rd] : [rd, wr];
  const pid = yield* forkshell(sh, t.pc, {
    *first(child) {
      yield* child.close(mine);
      child.pushredir("open", its, op.write ? 0 : 1);
    },
  });
  if (pid === null) return;
  yield* sh.close(its);
  sh.pushredir("open", mine, mine);
  pushwords(t, [`/fd/${mine}`]);
  t.pc = op.to;
}

/** A here document inside a block: a child writes it into a pipe. */
export function* doc(sh: Shell, text: string, fd: number): Task<void> {
  const ends = yield* newpipe(sh);
  if (ends === null) return;
  const [rd, wr] = ends;
  function* writer(sys: ThreadSys): Task<Exit> {
    yield* sys.notify(null);
    yield* sys.close(rd);
    if (text !== "") yield* writeall(sys, wr, utfencode(text));
  }
  try {
    sh.children.add(yield* sh.sys.rfork(FORK, writer));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return yield* sh.fail(`try again: ${e.message}`);
  }
  yield* sh.close(wr);
  sh.pushredir("open", rd, fd);
}

/**
 * Waits for a child, or with -1 for all. What other children left goes to the pipes that they are in. False when
 * a note interrupted it.
 */
export function* waitfor(sh: Shell, pid: number): Task<boolean> {
  const gone = sh.gone.get(pid);
  if (gone !== undefined) {
    sh.gone.delete(pid);
    sh.status = gone;
    return true;
  }
  if (pid >= 0 && !sh.children.has(pid)) return true;
  for (;;) {
    try {
      const w = yield* sh.sys.wait();
      sh.children.delete(w.pid);
      if (w.pid === pid) {
        sh.status = w.msg;
        return true;
      }
      let pipe = false;
      for (let t = sh.top; t !== null; t = t.ret)
        if (t.pid === w.pid) {
          t.pid = -1;
          t.status = w.msg;
          pipe = true;
        }
      if (!pipe && pid >= 0) sh.left(w.pid, w.msg);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return e.message !== Eintr;
    }
  }
}

/** Where a command may be: the directories of $path, or only what its name says. */
export function searchpath(sh: Shell, name: string): readonly string[] {
  if (/^(\/|#|\.\/|\.\.\/)/.test(name)) return NOPATH;
  const path = sh.look("path").val;
  return path.length === 0 ? NOPATH : path;
}

/** The name of a file in a directory of $path. */
export const inpath = (dir: string, name: string): string => (dir === "" ? name : `${dir}/${name}`);

/** Carries out the redirections, the oldest first. */
function* redirect(sys: ThreadSys, redir: Redir | null): Task<void> {
  const list: Redir[] = [];
  for (let r = redir; r !== null; r = r.next) list.push(r);
  for (const { type, from, to } of list.toReversed()) {
    try {
      if (type !== "close" && from !== to) yield* sys.dup(from, to);
      if (type === "close" || (type === "open" && from !== to)) yield* sys.close(from);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }
}

/** Executes a program in place of this one; gives what went wrong, and has said it. */
function* execute(sys: ThreadSys, words: readonly string[], path: readonly string[]): Task<string> {
  const [name = ""] = words;
  let problem = "";
  for (const dir of path) {
    try {
      yield* sys.exec(inpath(dir, name), words);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      problem = e.message;
    }
  }
  try {
    yield* writeall(sys, 2, utfencode(`${name}: ${problem}\n`));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
  return problem;
}

/** exec command: without one the redirections alone are an error, as in Plan 9's rc. */
export function* exec(sh: Shell, words: readonly string[]): Task<void> {
  const t = sh.thread;
  const [name] = words;
  if (name === undefined) return yield* sh.fail("empty argument list");
  yield* redirect(sh.sys, t.redir);
  yield* sh.updenv();
  yield* execute(sh.sys, words, searchpath(sh, name));
}

/** Runs a program in a child and waits for it; an interrupt does not end the waiting. */
export function* forkexec(sh: Shell, words: readonly string[]): Task<void> {
  const { redir } = sh.thread;
  const path = searchpath(sh, words[0] ?? "");
  yield* sh.updenv();
  function* child(sys: ThreadSys): Task<Exit> {
    yield* sys.notify(null);
    yield* redirect(sys, redir);
    const problem = yield* execute(sys, words, path);
    return utfcut(`can't exec: ${problem}`, ERRMAX - 1);
  }
  let pid;
  try {
    pid = yield* sh.sys.rfork(FORK, child);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return yield* sh.fail(`try again: ${e.message}`);
  }
  sh.children.add(pid);
  while (!(yield* waitfor(sh, pid)));
}

const ARROWS = { append: ">>", write: ">", read: "<", here: "<", rdwr: "<>" } as const;

/** > file and its like: opens the file, and notes the redirection. */
export function* redir(sh: Shell, t: Thread, op: Extract<Op, { op: "redir" }>): Task<void> {
  const words = poplist(t);
  const [file] = words;
  const arrow = ARROWS[op.rtype];
  if (file === undefined) return yield* sh.fail(`${arrow} requires file\n`);
  if (words.length > 1) return yield* sh.fail(`${arrow} requires singleton\n`);
  try {
    sh.pushredir("open", yield* openfile(sh.sys, file, arrow), op.fd);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sh.fail(`can't open: ${e.message}`, `${file}: `);
  }
}

function* openfile(sys: ThreadSys, file: string, arrow: string): Task<number> {
  if (arrow === "<") return yield* sys.open(file, OREAD);
  if (arrow === "<>") return yield* sys.open(file, ORDWR);
  if (arrow === ">") return yield* sys.create(file, OWRITE, 0o666);
  let fd;
  try {
    fd = yield* sys.open(file, OWRITE);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return yield* sys.create(file, OWRITE, 0o666);
  }
  try {
    yield* sys.seek(fd, 0, 2);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
  return fd;
}
