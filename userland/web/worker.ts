// The worker of the page: boots kernels, runs a program in each and records it; or, in a frame of its own, has
// the machine of the terminal (machine.ts). A program that spins takes this thread with it and nothing else; the
// page then ends the frame that it is in (frame.ts).

import { Ekilled, PlanError } from "../../kernel/abi/errors.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import { bin } from "../boot/bin.ts";
import { boothosts } from "../boot/hosts.ts";
import { HERE, hostof } from "../boot/simhost.ts";
import type { Here } from "../boot/hosts.ts";
import { Mounterror, mounted } from "../boot/mounts.ts";
import { Unitserror } from "../boot/units.ts";
import { waits } from "../boot/waits.ts";
import { unimported } from "../lib/loading.ts";
import { Mistakes } from "../boot/witness.ts";
import { UNAWAITED, crashtext, unreadtext } from "../view/words/crash.ts";
import type { Lines } from "../view/words/crash.ts";
import { Recorder } from "../view/record/recorder.ts";
import type { Recording, Rsaid } from "../view/record/recording.ts";
import { Keptdisk } from "./kept.ts";
import { newmachine } from "./machine.ts";
import { setengine } from "./vmhost.ts";
import type { Machine } from "./machine.ts";
import { Unfit, loadprogram } from "./program.ts";
import type { Loaded } from "./program.ts";
import { SPACES } from "./talk.ts";
import type { Begin, Finished, Machinesaid, Order, Problem, Space, Told, Wired } from "./talk.ts";

/** The most events of a run: a program without end stops here. */
const EVENTS = 100_000;
/** The most letters of output that are kept of its beginning, and of its end. */
const LETTERS = 1_000_000;
const LAST = 100_000;
/** Of a message's data the first bytes are kept. */
const SNAP = 160;
/** Milliseconds between two looks whether anything happens, and after how many looks without anything a run is over. */
const LOOK = 250;
const VAIN = 4;

/** Events or calls that are sent to the page at a time. */
const PIECE = 2000;

/** The way to the page. */
let page: MessagePort | null = null;

function report(r: Wired | Machinesaid): void {
  page?.postMessage(r);
}

/** What the page asked for while a program ran: to stop. */
let stop: (() => void) | null = null;

/** Begins to hear the page. */
export function begin(port: MessagePort): void {
  page = port;
  port.addEventListener("message", ({ data }: MessageEvent<Told>) => {
    if (data.kind === "run") void all(data);
    else if (data.kind === "engine") setengine(data);
    else if (data.kind === "stop") stop?.();
    else if (data.kind === "login") void login(data);
    else if (data.kind === "stored") kept?.stored(data.n);
    else machine?.take(data);
  });
  port.start();
}

/** The machine of the terminal, in the worker that has it. */
let machine: Machine | null = null;
/** The disk of its kept files: it waits for the page already while the machine begins. */
let kept: Keptdisk | null = null;

async function login(how: Begin): Promise<void> {
  try {
    kept = how.kept === null ? null : new Keptdisk(how.kept, report);
    machine = await newmachine(how, { say: report, give, kept });
  } catch (e) {
    report({ kind: "down", why: strange(e).text });
  }
}

/** A line's recording goes to the page as a run's does. */
function give(recording: Recording): void {
  const { events } = recording;
  for (let i = 0; i < events.length; i += PIECE)
    report({ kind: "events", list: events.slice(i, i + PIECE) });
  report({
    kind: "finished",
    ...finished(recording, recording.about.namespace, { status: "", problem: null }),
  });
}

/** The calls of a recording go ahead of the rest, whose list of them is then empty. */
function finished(recording: Recording, space: Space, ended: Ended): Finished {
  for (let i = 0; i < recording.calls.length; i += PIECE)
    report({ kind: "calls", list: recording.calls.slice(i, i + PIECE) });
  const rest = { ...recording, lost: recording.lost, events: [], calls: [] };
  return { space, recording: rest, ...ended };
}

type Ended = { readonly status: string; readonly problem: Problem | null };

/** What a program is unless the page says: its first line may ask, as "// image: native". */
const imageof = (text: string): "vm" | "native" =>
  /^\/\/ *image: *native\b/.test(text) ? "native" : "vm";

/** Runs a program in both kernels, one after the other. */
async function all(order: Order): Promise<void> {
  const state = { stopped: false };
  try {
    for (const space of SPACES) {
      if (state.stopped) break;
      const program = await loadprogram(order.name, order.text, order.image ?? imageof(order.text));
      stop = () => (state.stopped = true);
      const done = await new Run(order, space, program).finished();
      state.stopped ||= done.problem?.text === STOPPED;
      program.unload();
      report({ kind: "finished", ...done });
    }
  } catch (e) {
    const { problem, code } = e instanceof Unfit ? e : { problem: strange(e), code: null };
    report({ kind: "unfit", problem, code });
  } finally {
    stop = null;
    report({ kind: "over" });
  }
}

const STOPPED = "stopped: what it did until then can be stepped through";

function strange(e: unknown): Problem {
  if (e instanceof Unitserror) {
    const hint = e.hint === "" ? "" : `; ${e.hint}`;
    return { text: `machines: ${e.message}${hint}`, line: null };
  }
  if (e instanceof Mounterror) return { text: `machines: ${e.message}`, line: null };
  return { text: e instanceof Error ? (e.stack ?? e.message) : String(e), line: null };
}

/** What the console has: the recording takes what was written first, `rest` what was written last. */
type Heard = {
  readonly say: (to: Rsaid["to"], text: string) => void;
  /** The event that has just happened. */
  readonly event: () => number;
};

/** The console: what is written goes into the recording, and to the page as it comes. */
class Console implements Tty {
  readonly #heard: Heard;
  readonly #decoders = { out: new TextDecoder(), err: new TextDecoder() };
  #letters = 0;
  /** The last pieces of output that is too long, and how many letters they have. */
  #last: Rsaid[] = [];
  #kept = 0;
  #left = 0;

  constructor(heard: Heard) {
    this.#heard = heard;
  }

  *write(bytes: Uint8Array): Task<void> {
    this.#add("out", bytes);
  }

  *writeerr(bytes: Uint8Array): Task<void> {
    this.#add("err", bytes);
  }

  *read(): Task<Uint8Array> {
    return new Uint8Array(0);
  }

  /** The end of output that is too long, behind a note of what is left out. */
  rest(): Rsaid[] {
    const [first] = this.#last;
    if (first === undefined) return [];
    const n = this.#left.toLocaleString("en");
    const note = `\n… (${n} letters are left out here) …\n`;
    return this.#left === 0 ? this.#last : [{ ...first, text: note }, ...this.#last];
  }

  /** What is said of the program when it has ended. */
  complain(text: string): void {
    this.#add("err", new TextEncoder().encode(text));
  }

  #add(to: Rsaid["to"], bytes: Uint8Array): void {
    const text = this.#decoders[to].decode(bytes, { stream: true });
    const room = Math.max(0, LETTERS - this.#letters);
    this.#letters += text.length;
    if (room > 0 && text !== "") this.#heard.say(to, text.slice(0, room));
    if (text.length > room) this.#keep({ event: this.#heard.event(), to, text: text.slice(room) });
  }

  /** Keeps a piece of the end, and gives up what is not of the last letters any more. */
  #keep(piece: Rsaid): void {
    this.#last.push(piece);
    this.#kept += piece.text.length;
    while (this.#kept > LAST) {
      const [first] = this.#last;
      if (first === undefined) return;
      const gone = Math.min(first.text.length, this.#kept - LAST);
      this.#kept -= gone;
      this.#left += gone;
      if (gone === first.text.length) this.#last.shift();
      else this.#last[0] = { ...first, text: first.text.slice(gone) };
    }
  }
}

/** One run in one kernel. */
class Run {
  readonly #order: Order;
  readonly #space: Space;
  readonly #program: Loaded;
  readonly #tty: Console;
  readonly #recorder: Recorder;
  #kernel: Booted | null = null;
  #ended: Problem | null = null;
  /** Events that the page has. */
  #sent = 0;

  constructor(order: Order, space: Space, program: Loaded) {
    this.#order = order;
    this.#space = space;
    this.#program = program;
    const event = (): number => this.#recorder.recording.events.length - 1;
    this.#tty = new Console({
      event,
      say: (to, text) => {
        this.#recorder.said(to, text);
        report({ kind: "said", space, said: { event: event(), to, text } });
      },
    });
    this.#recorder = new Recorder({
      about: {
        program: [order.name, ...order.args].join(" "),
        namespace: space,
        clock: "virtual",
        seed: order.seed,
        machine: HERE,
        hosts: order.hosts,
      },
      place: program.place,
      snap: SNAP,
      limit: EVENTS,
      tell: () => this.#count(),
    });
  }

  async finished(): Promise<Finished> {
    const here = await boothosts(
      { clock: "virtual", namespace: this.#space, tty: this.#tty, files: { bin } },
      { hosts: this.#order.hosts.map(hostof), seed: this.#order.seed },
    );
    this.#kernel = here.kernel;
    stop = () => this.#end(STOPPED);
    const off = this.#recorder.listen(here.kernel.trace);
    try {
      const done = await this.#run(here);
      this.#sendevents();
      const { recording } = this.#recorder;
      const said = [...recording.said, ...this.#tty.rest()];
      return finished({ ...recording, lost: recording.lost, said }, this.#space, done);
    } finally {
      off();
      stop = null;
      await here.shutdown();
    }
  }

  async #run(here: Here): Promise<Ended> {
    const { kernel } = here;
    const like = await mounted(kernel, here.mounts);
    this.#recorder.begin(like === null ? [] : [like.pid]);
    const argv = [this.#order.name.replace(/\.\w+$/, ""), ...this.#order.args];
    const p = kernel.spawn(this.#program.main, argv, {
      tty: this.#tty,
      ...(like !== null && { like }),
    });
    like?.kill();
    const looking = setInterval(this.#look(kernel), LOOK);
    const mistakes = new Mistakes();
    kernel.witness = mistakes;
    const threw = (e: PromiseRejectionEvent): void => {
      if (mistakes.unread(e.promise)) return e.preventDefault();
      const why: unknown = e.reason;
      if (why instanceof PlanError) why.why = [why.why, UNAWAITED].filter(Boolean).join(" ");
      p.proc.image?.crash(why);
    };
    const read = (e: PromiseRejectionEvent): void => mistakes.read(e.promise);
    addEventListener("unhandledrejection", threw);
    addEventListener("rejectionhandled", read);
    try {
      const status = await p.wait();
      // The browser tells of a promise without a reader a turn after it was rejected.
      if (mistakes.any) await new Promise((resolve) => setTimeout(resolve, 0));
      this.#others(mistakes, p);
      return { status, problem: this.#ended ?? this.#crash(p, status) };
    } finally {
      kernel.witness = null;
      clearInterval(looking);
      removeEventListener("unhandledrejection", threw);
      removeEventListener("rejectionhandled", read);
    }
  }

  #sendevents(): void {
    const list = this.#recorder.recording.events.slice(this.#sent);
    this.#sent += list.length;
    report({ kind: "events", list });
  }

  #count(): void {
    if (this.#recorder.recording.events.length - this.#sent >= PIECE) this.#sendevents();
    if (this.#recorder.recording.events.length !== EVENTS || this.#ended !== null) return;
    const many = EVENTS.toLocaleString("en");
    const text = `ended after ${many} events, the most that the page records: is there a loop without end?`;
    this.#ended = { text, line: null };
    // A listener may not call in; the kernel lets others have their turn.
    setTimeout(() => this.#end(text), 0);
  }

  /** Time is virtual, so that what can happen happens at once: when nothing does, nothing ever will. */
  #look(kernel: Booted): () => void {
    let [resumed, vain] = [-1, 0];
    return () => {
      vain = kernel.sched.resumed === resumed ? vain + 1 : 0;
      resumed = kernel.sched.resumed;
      if (vain === VAIN)
        this.#end(`nothing can run any more. What each process waits for:\n${waits(kernel)}`);
    };
  }

  /** Ends the program whatever it does. */
  #end(text: string): void {
    this.#ended ??= { text, line: null };
    const kernel = this.#kernel;
    for (const proc of kernel?.procs.values() ?? []) if (proc !== kernel?.proc0) proc.kill(Ekilled);
  }

  #crash(p: Process, status: string): Problem | null {
    const { crash } = p;
    if (status === "" || crash === undefined) return null;
    const stack = crash instanceof Error ? (crash.stack ?? "") : "";
    const text = crashtext(this.#order.name, crash, this.#lines);
    return { text, line: this.#program.frames(stack)[0]?.line ?? null };
  }

  get #lines(): Lines {
    const { name, text } = this.#order;
    const frames = (stack: string): string[] =>
      this.#program.frames(stack).map(({ line, column }) => `at ${name}:${line}:${column}`);
    return { frames, source: { name, text }, hint: unimported };
  }

  /** What else the program should know, on its standard error: children that threw, failures that were not read. */
  #others({ crashes, unreads }: Mistakes, p: Process): void {
    const { name } = this.#order;
    const texts = [
      ...crashes
        .filter(({ pid }) => pid !== p.pid)
        .map(({ pid, thrown }) => crashtext(`${name}, process ${pid}`, thrown, this.#lines)),
      ...unreads.map((u) => unreadtext(name, u, this.#lines)),
    ];
    for (const text of texts) this.#tty.complain(`${text}\n`);
  }
}
