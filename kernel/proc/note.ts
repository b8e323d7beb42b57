// Notes: what interrupts a program. A note interrupts every system call of its process that sleeps, then
// runs the handler that notify(2) set; the interrupted calls return to the program when the handler has
// said noted(NCONT). Without a handler, or with NDFLT, the note's text is the exit status.

import { ERRMAX, NCONT, NDFLT, ORDWR, OWRITE } from "../abi/const.ts";
import {
  Ebadarg,
  Eintr,
  Enotnotified,
  Enotposted,
  Esuicide,
  Etoobig,
  PlanError,
  error,
} from "../abi/errors.ts";
import type { Proc } from "./proc.ts";
import { Rendez, waitfor } from "./rendez.ts";
import type { Task } from "./rendez.ts";
import type { Coroutine, Done } from "./sched.ts";
import type { Image } from "./trap.ts";
import { utfcut, utfencode, utflen } from "../abi/utf.ts";

/** What the ctl file's kill posts to a stopped process. */
const KILLNOTE = "sys: killed";

/** How many notes may wait for a process; a further one is not posted. */
const NNOTE = 5;

/**
 * A note handler. It ends by calling noted. An async or a generator function may sleep. notify(2)
 *
 * @param note the text of the note
 * @param sys the system calls of its process: a child inherits the handler and must not use its parent's
 * @returns nothing that is looked at
 * @example
 * ```ts
 * await sys.notify((note, sys) => sys.noted(note === "alarm" ? NCONT : NDFLT));
 * ```
 */
export type Handler = (note: string, sys: unknown) => unknown;

/** The notes of one program. */
export class Notes implements Done {
  handler: Handler | null = null;
  readonly #proc: Proc;
  readonly #image: Image;
  readonly #done = new Rendez("note handler");
  /** Whether the handler was called for a note, and has not called noted yet. */
  #notified = false;
  #begun = false;
  /** Whether the handler returned without awaiting its call of noted, which is still to run. */
  #returned = false;
  #co: Coroutine | null = null;
  /**
   * The number of the last call that was made before the handler began. The program gets the results of calls
   * up to this number after the handler is done. The handler's own calls have greater numbers.
   */
  #mark = 0;

  constructor(proc: Proc, image: Image) {
    this.#proc = proc;
    this.#image = image;
  }

  /** Whether the result of the call with this number waits until the handler is done. */
  holds(seq: number): boolean {
    return (this.#notified || this.#proc.notes.length > 0) && seq <= this.#mark;
  }

  /** Whether co runs the handler. */
  ishandler(co: Coroutine | null): boolean {
    return co !== null && co === this.#co;
  }

  /** Sleeps until the handler is done with everything posted. */
  *delivered(): Task<void> {
    while (this.#notified || this.#proc.notes.length > 0) yield this.#done;
  }

  /** Posts a note: 126 bytes at most, five at most that wait for their turn. */
  post(text: string): void {
    const p = this.#proc;
    if (utflen(text) > ERRMAX - 2) error(Etoobig);
    // The program's main has returned: its handler is not called any more, and the note is dropped.
    if (p.dead || (this.#image.dead && this.handler !== null)) return;
    if (this.#full) error(Enotposted);
    if (p.k.trace.on) this.#tell("note", text, p.k.sched.current?.proc.pid ?? 0);
    p.notes.push(withpc(text));
    if (this.#notified || p.ctl === "stopped") return;
    if (p.ctl === "stop" || p.ctl === "syscall" || p.ctl === "trace") this.#stop();
    else this.#deliver();
  }

  #tell(what: "note" | "handle" | "noted", text: string, by = 0): void {
    const { k, pid } = this.#proc;
    k.trace.emit({ type: "proc", what, pid, text, by }, null);
  }

  /**
   * Ends the process for an error of the program itself (a trap). Its note handler is not called.
   */
  trap(text: string): void {
    if (this.#proc.k.trace.on) this.#tell("note", text);
    this.#proc.kill(withpc(text));
  }

  /** Interrupts the calls of a process that must stop (proc(3)) before it handles the note that has come. */
  #stop(): void {
    const p = this.#proc;
    p.ctl = "stop";
    this.#interrupt();
    if (!p.incall) p.halt();
  }

  /** Delivers the notes that came while the process was stopped; called when it is started. */
  started(): void {
    if (!this.#notified && this.#proc.notes.length > 0) this.#deliver();
  }

  /**
   * Kills a stopped process. Without a handler, or while the handler runs, it ends now. Else it is started, the
   * handler gets the note, and the process ends at the end of its next system call.
   */
  killed(): void {
    const p = this.#proc;
    if (this.handler === null || this.#notified) return p.kill(withpc(KILLNOTE));
    if (!this.#full) p.notes.push(withpc(KILLNOTE));
    p.start("exit");
  }

  /** Takes the first of the notes that wait, unhandled: the text, or null. */
  take(): string | null {
    const [note] = this.#proc.notes.splice(this.#begun ? 1 : 0, 1);
    return note ?? null;
  }

  /** Whether as many notes wait as may. A note whose handler has begun does not wait. */
  get #full(): boolean {
    return this.#proc.notes.length - (this.#begun ? 1 : 0) >= NNOTE;
  }

  /** Posts the note "alarm"; it is lost if NNOTE notes wait. */
  alarm(): void {
    if (!this.#full) this.post("alarm");
  }

  /** noted(2): how the handler ends. Outside of one it is the end of the process. */
  *noted(how: number): Task<void> {
    if (!this.#notified) {
      yield* pprint(this.#proc, Enotnotified);
      this.#proc.exit(Esuicide);
    } else if (how === NCONT) this.#resume();
    else if (how === NDFLT || this.#returned) this.#die();
    else error(Ebadarg);
  }

  #deliver(): void {
    const p = this.#proc;
    if (this.handler === null) {
      p.kill(p.notes[0] ?? "");
      return;
    }
    this.#notified = true;
    this.#mark = this.#image.ncall;
    this.#interrupt();
    this.#co = p.k.sched.start(p, "note", this.#handle(this.handler), this);
  }

  #interrupt(): void {
    // Two sleepers are not interrupted: a handler that has called noted and sleeps there, and a call that an
    // earlier note interrupted and that waits for the handlers.
    const { sched } = this.#proc.k;
    for (const co of this.#proc.coroutines())
      if (co.done !== this && co.on !== this.#done) sched.interrupt(co, new PlanError(Eintr));
  }

  /** Runs the handler in a coroutine of its own. */
  *#handle(handler: Handler): Task<void> {
    const note = this.#proc.notes[0];
    if (note === undefined) return;
    this.#begun = true;
    if (this.#proc.k.trace.on) this.#tell("handle", note);
    yield* this.#image.run(handler, (sys) => handler(note, sys));
  }

  /** The handler returned; not having said noted(NCONT) is NDFLT. */
  finish(co: Coroutine): void {
    if (!this.#notified || co !== this.#co) return;
    // A handler may return without awaiting noted. Then that call, if it is under way, decides.
    for (const c of this.#proc.coroutines()) this.#returned ||= c.label === "noted";
    if (!this.#returned) this.#die();
  }

  fail(_co: Coroutine, e: unknown): void {
    this.#image.crash(e);
  }

  over(_co: Coroutine): void {}

  #die(): void {
    this.#proc.kill(this.#proc.notes[0] ?? "");
  }

  #resume(): void {
    const p = this.#proc;
    const { notes } = p;
    // The process may have been asked (by its ctl file) to stop or die: it does so now.
    if (p.ctl !== null) p.callend();
    if (p.dead) return;
    this.#notified = this.#begun = this.#returned = false;
    this.#co = null;
    const over = notes.shift();
    if (p.k.trace.on) this.#tell("noted", over ?? "");
    const next = notes[0];
    if (next !== undefined) {
      // As in the Plan 9 kernel, a note that had to wait gets the text PC once more.
      notes[0] = withpc(next);
      if (p.ctl !== "stopped") this.#deliver();
      return;
    }
    this.#image.unhold();
    this.#done.wakeupall();
  }
}

/**
 * The program counter that Plan 9 adds to the kernel's own notes. A program here has none, so the number is
 * always the same.
 */
const PC = " pc=0x00000000";

function withpc(text: string): string {
  return text.startsWith("sys:") ? utfcut(text, ERRMAX - 1 - PC.length) + PC : text;
}

/** A message of the kernel about its process, on that process's descriptor 2. */
function* pprint(up: Proc, text: string): Task<void> {
  const c = up.fgrp.fd[2] ?? null;
  if (c === null || (c.mode !== OWRITE && c.mode !== ORDWR)) return;
  yield* waitfor(c.dev.write(up, c, utfencode(`${up.text} ${up.pid}: ${text}\n`), c.offset));
}

/**
 * Posts `text` to every process of a note group except `from`. A process with NNOTE waiting notes does not
 * get it.
 */
export function postnotepg(from: Proc, noteid: number, text: string): void {
  for (const p of from.k.procs.values()) {
    if (p.noteid !== noteid || p === from) continue;
    try {
      p.image?.notes.post(text);
    } catch (e) {
      if (!(e instanceof PlanError) || e.message !== Enotposted) throw e;
    }
  }
}
