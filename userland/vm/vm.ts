// A process whose program runs in QuickJS, in a WebAssembly memory of its own. The program's calls come out as
// numbers, strings and bytes, are made as those of any program, and their results go in again. The kernel knows of a
// vm only that its image begins in another way (ATTACH).
//
// A program that makes one call after another has a coroutine, as a generator program has: the coroutine makes the
// call, brings the result in, and so lets the program go on to its next call before any other process runs. Calls
// that the program makes while another is under way are made as an async program's, with a promise each (Image.call).
//
// One call is done here and not by the kernel: rfork without a function, as in C. The memory is copied while no code
// of the program runs. The call gives 0 in the copy, which is the child's, and the child's pid in this memory.

import { RFMEM, RFPROC } from "../../kernel/abi/const.ts";
import { calls } from "../../kernel/abi/calls.ts";
import type { Callname } from "../../kernel/abi/calls.ts";
import {
  Ebadarg,
  Ebadexec,
  Eintr,
  Enoprocs,
  PlanError,
  callsite,
} from "../../kernel/abi/errors.ts";
import { lastword, placeof } from "../../kernel/abi/place.ts";
import { calltext } from "../../kernel/abi/mistake.ts";
import type { Callsite } from "../../kernel/abi/errors.ts";
import { ATTACH, LATER } from "../../kernel/proc/trap.ts";
import type { Faces, Image, Program, Run } from "../../kernel/proc/trap.ts";
import type { Coroutine } from "../../kernel/proc/sched.ts";
import { ASK, FIELDS, KIND, SLOT } from "./abi.ts";
import type { Hook, Thrown } from "./abi.ts";
import { LIBRARY, islibrary, librarymodule, librarytext } from "./first.ts";
import { Memory, parsed } from "./memory.ts";
import type { Asked, Passed, Stop, Tenant } from "./memory.ts";
import type { Modules } from "./modules.ts";
import { randomof } from "./random.ts";
import { Token, Words } from "./shared.ts";
import { fprint } from "../lib/io.ts";
import { importsof, noexport, nolibrary, unimported } from "../lib/loading.ts";
import { UNAWAITED, crashtext } from "../view/words/crash.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";

type Calls = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;
type Settle<T> = (value: T) => void;

const NAMES = Object.keys(calls) as readonly Callname[];
/** A call that is under way. */
type Waiting = {
  /** Its number among the calls of the image; OWN when the program's coroutine makes it. */
  readonly seq: number;
  /** The program's buffer that the call fills. */
  readonly fill: Uint8Array | null;
  /** The address of the semaphore's word, for a call about one, else -1. */
  readonly word: number;
  /** Bytes that the call takes outside of the program's memory. */
  readonly bytes: number;
  /** The program's stack when it made the call; undefined if the host does not want it. */
  readonly stack: string | undefined;
  /** The call's name and arguments, to report its failure to the host if the program does not handle that. */
  readonly name: Callname;
  readonly args: readonly unknown[];
};

const OWN = -1;

/** A call that can be made. */
type Ready = {
  readonly w: Omit<Waiting, "seq">;
  /** What the kernel gets. */
  readonly args: readonly unknown[];
  /** Called when it is over. */
  readonly over?: () => void;
};

/** A call that failed. */
type Failing = { readonly id: number; readonly error: PlanError; readonly w: Waiting };

/** What becomes known of a call while its arguments are made. */
type Made = { -readonly [K in keyof Omit<Waiting, "seq" | "name" | "args">]: Waiting[K] };

/** An argument that no call can use: a call that takes an object finds that it cannot be read. */
class Unusable {
  get name(): never {
    throw new TypeError("what cannot be read");
  }
}
const none = (): undefined => undefined;

/** Makes a program of these modules, by name and text. */
export function program(modules: Modules, name = "vm"): Program {
  return attached(name, (image, faces) => {
    const vm = new Vm(image, faces, { modules, memory: newmemory(image) });
    return (argv) => vm.start(argv);
  });
}

const newmemory = (image: Image): Memory => new Memory(image.proc.k.config.limits);

/** A program of exec: its modules, and the arguments. */
type Executable = { readonly modules: Modules; readonly argv: readonly string[] };

/**
 * Runs a program of these modules in a process that runs already. An error that ends it is written to the
 * process's descriptor 2.
 */
export function become(image: Image, faces: Faces, what: Executable): Task<unknown> {
  const vm = new Vm(image, faces, { modules: what.modules, memory: newmemory(image), says: true });
  return vm.start(what.argv);
}

/** Makes a Program for which the kernel calls `attach`, and then the Run that attach gives. */
export function attached(name: string, attach: (image: Image, faces: Faces) => Run): Program {
  const main: Program & { [ATTACH]?: typeof attach } = (): never => {
    throw new PlanError(Ebadexec);
  };
  Object.defineProperty(main, "name", { value: name });
  main[ATTACH] = attach;
  return main;
}

/** How a call ended, as numbers of the mailbox. */
type Result = { readonly id: number; readonly kind: number; readonly value: number };

/** What a Vm begins with. */
type Begun = {
  readonly modules: Modules;
  readonly memory: Memory;
  readonly id?: number;
  /** Whether an error that it throws, and a trap, are written on its descriptor 2. */
  readonly says?: boolean;
};

class Vm implements Tenant {
  readonly #image: Image;
  readonly #faces: Faces;
  readonly #says: boolean;
  readonly #memory: Memory;
  readonly #modules: Modules;
  readonly #id: number;
  readonly #waiting = new Map<number, Waiting>();
  /** The calls under way whose result the program reads no more, since main has returned. */
  readonly #alone = new Set<number>();
  /** A rejected promise for each failed call that the program does not handle: the host reports these. */
  readonly #unread = new Map<number, Promise<never>>();
  /** Library functions that have failed without a reader, since the program ran last. */
  readonly #lost = new Map<number, unknown>();
  /** The failure that was given to the program last: #unreads reports it if the program does not handle it. */
  #failing: Failing | null = null;
  /** Handlers of notes that run. */
  readonly #handlers = new Map<number, Settle<void>>();
  #nhandler = 0;
  /** How many bytes the call that is over has put into the room for results. */
  #filled = 0;
  /** Bytes that the calls under way take outside of the program's memory. */
  #bytes = 0;
  #ended = false;
  /** Its coroutine lets the program run ("here"), makes a call ("calling"), or is over ("away"). */
  #state: "here" | "calling" | "away" = "here";
  #co: Coroutine | null = null;
  /** The call that its coroutine makes next. */
  #next: Asked | null = null;
  /** What main returned. */
  #status: string | null = null;

  constructor(image: Image, faces: Faces, begun: Begun) {
    this.#image = image;
    this.#faces = faces;
    this.#says = begun.says === true;
    this.#memory = begun.memory;
    this.#modules = begun.modules;
    this.#id = begun.memory.admit(this, begun.id);
    image.ondead = () => this.#dead();
    // A child has its parent's handler, in its own memory.
    if (image.notes.handler !== null) image.notes.handler = this.#handler;
  }

  #dead(): void {
    this.#ended = true;
    this.#memory.leave(this.#id);
  }

  // --- beginnings ---

  /** Begins the program, in a memory of its own. */
  start(argv: readonly string[]): Task<unknown> {
    const text = JSON.stringify({ name: this.#modules.main, argv });
    return this.#program(() => this.#enter("start", text));
  }

  /** Begins a child in a copy of the memory. */
  fork(id: number): Task<unknown> {
    return this.#program(() => this.#bring({ id, kind: KIND.number, value: 0 }, "child"));
  }

  /** Begins a child in the same memory. */
  share(child: number, argv: readonly string[]): Task<unknown> {
    return this.#program(() => this.#enter("begin", JSON.stringify({ child, argv })));
  }

  // --- the program's coroutine ---

  /** Goes in, makes the call that comes out, and goes in with the result: until none comes, or several do. */
  *#program(enter: () => void): Task<unknown> {
    this.#co = this.#image.proc.k.sched.current;
    enter();
    while (this.#next !== null && !this.#ended) {
      const a = this.#next;
      this.#next = null;
      if (this.#status === null) yield* this.#makes(a);
      else yield* this.#image.aside(NAMES[a.op] ?? "", this.#makes(a));
    }
    this.#state = "away";
    return this.#status ?? LATER;
  }

  *#makes(a: Asked): Task<void> {
    const ready = this.#ready(a);
    if (ready === null) return;
    const w = { ...ready.w, seq: OWN };
    this.#waiting.set(a.id, w);
    this.#state = "calling";
    const { stack } = a;
    this.#image.stack = stack === undefined ? null : () => this.#sites(stack);
    let value: unknown;
    let failure: PlanError | null = null;
    try {
      value = yield* this.#faces.task(w.name, ready.args);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      failure = e;
    } finally {
      this.#image.stack = null;
      ready.over?.();
    }
    this.#state = "here";
    if (failure === null) this.#succeeded(a.id, w, value);
    else this.#unsuccessful(a.id, w, failure);
  }

  #enter(hook: Hook, text?: string): void {
    if (this.#ended) return;
    const m = this.#memory.mailbox;
    m[SLOT.proc] = this.#id;
    const { trace, witness } = this.#image.proc.k;
    m[SLOT.stacks] = trace.stacks || witness !== null ? 1 : 0;
    this.#memory.enter(this, hook, text);
    if (!this.#ended && this.#state !== "here") this.#image.proc.k.sched.touch();
  }

  // --- what comes out ---

  get stuck(): boolean {
    return !this.#ended && this.#next === null && this.#status === null && this.#waiting.size === 0;
  }

  asked(a: Asked): void {
    if (this.#ended) return;
    const name = NAMES[a.op];
    if (name !== undefined) return this.#call(a);
    const [arg] = a.args;
    const text = arg?.kind === "value" && typeof arg.value === "string" ? arg.value : "";
    if (a.op === ASK.returned) this.#returned(text);
    else if (a.op === ASK.threw) this.#threw(arg?.kind === "value" ? arg.value : undefined);
    else if (a.op === ASK.handled) this.#handled(a.id);
    else if (a.op === ASK.interrupt) this.#interrupt(a.id);
    else if (a.op === ASK.unread) this.#unreads(a.id);
    else if (a.op === ASK.read) this.#reads(a.id);
    else if (a.op === ASK.lost) this.#lost.set(a.id, arg?.kind === "value" ? arg.value : undefined);
    else if (a.op === ASK.found) this.#lost.delete(a.id);
  }

  /** Ends a program of which a library function has failed without a reader. */
  rested(): void {
    if (this.#lost.size === 0) return;
    const [lost] = this.#lost.values();
    this.#lost.clear();
    this.#threw(lost, UNAWAITED);
  }

  /** Called when QuickJS finds that the program will not handle a failure of call `id`, which may not have ended. */
  #unreads(id: number): void {
    if (this.#waiting.has(id) || this.#next?.id === id) this.#alone.add(id);
    else if (this.#failing?.id === id) this.#tell(this.#failing);
  }

  /** Called when the program begins to handle the failure of call `id` after #unreads: takes the report back. */
  #reads(id: number): void {
    this.#alone.delete(id);
    const p = this.#unread.get(id);
    if (p === undefined) return;
    p.catch(() => undefined);
    this.#image.proc.k.witness?.read(p);
    this.#unread.delete(id);
  }

  /** Reports a failure that the program does not handle to the host, as the kernel does for native programs. */
  #tell({ id, error, w }: Failing): void {
    const { witness } = this.#image.proc.k;
    if (witness === null || this.#unread.size >= MAXUNREAD) return;
    if (w.stack !== undefined) error.stack = `PlanError: ${error.message}\n${w.stack}`;
    const p = Promise.reject<never>(error);
    this.#unread.set(id, p);
    witness.failed(p, error, calltext(w.name, w.args));
    witness.unheard(p, this.#image.proc);
  }

  #returned(status: string): void {
    if (this.#state === "here") this.#status = status;
    else this.#image.returned(status);
  }

  #handled(id: number): void {
    this.#handlers.get(id)?.();
    this.#handlers.delete(id);
    this.#image.proc.k.sched.touch();
  }

  #interrupt(id: number): void {
    const w = this.#waiting.get(id);
    if (w === undefined) return;
    if (w.seq !== OWN) this.#image.callint(w.seq);
    else if (this.#co !== null) this.#image.proc.k.sched.interrupt(this.#co, new PlanError(Eintr));
  }

  /** A call comes out: the program's coroutine makes one that is alone. */
  #call(a: Asked): void {
    const next = this.#next;
    this.#next = null;
    if (next !== null) {
      for (const each of [next, a]) this.#promise(each);
    } else if (!this.#lone || this.#state === "calling") this.#promise(a);
    else {
      this.#next = a;
      if (this.#state === "here") return;
      this.#state = "here";
      this.#image.goon(() => this.#program(() => undefined));
    }
  }

  /** Whether no call is under way, and no handler runs. */
  get #lone(): boolean {
    return this.#waiting.size === 0 && this.#handlers.size === 0;
  }

  /** Makes a call with a promise. */
  #promise(a: Asked): void {
    const ready = this.#ready(a);
    if (ready === null) return;
    const w = { ...ready.w, seq: this.#image.ncall + 1 };
    const promise = this.#make(a, () => (this.#faces.sys as Calls)[w.name]?.(...ready.args));
    this.#waiting.set(a.id, w);
    promise.then(
      (value) => {
        ready.over?.();
        this.#succeeded(a.id, w, value);
      },
      (e: unknown) => {
        ready.over?.();
        this.#unsuccessful(a.id, w, e);
      },
    );
  }

  /** What a call is made with; null when it fails before it comes to the kernel. */
  #ready(a: Asked): Ready | null {
    const name = NAMES[a.op];
    if (name === undefined) return null;
    const flags = valueof(a.args[0]);
    const forks = name === "rfork" && typeof flags === "number" && (flags & RFPROC) !== 0;
    if (forks && (flags & RFMEM) !== 0 && a.args[1]?.kind === "function")
      return this.#share(a, flags);
    if (forks && (flags & RFMEM) === 0) return this.#fork(a, flags);
    const made: Made = { ...NOTHING, stack: a.stack };
    for (const p of a.args)
      made.bytes += p.kind === "bytes" ? p.bytes.length : p.kind === "fill" ? p.length : 0;
    if (this.#over(made.bytes)) return null;
    const args = a.args.map((p) => this.#arg(name, p, made));
    return { w: { name, args, ...made }, args };
  }

  /** Makes a call. Meanwhile the image's stack is that of the program at the call, for the trace. */
  #make(a: Asked, fn: () => Promise<unknown> | undefined): Promise<unknown> {
    const { stack } = a;
    if (stack === undefined) return Promise.resolve(fn());
    const outer = this.#image.stack;
    this.#image.stack = () => this.#sites(stack);
    try {
      return Promise.resolve(fn());
    } finally {
      this.#image.stack = outer;
    }
  }

  /**
   * The places of a stack that are in the program. A place in a file of the name space comes with the file's
   * text.
   */
  #sites(stack: string): Callsite[] {
    return vmsites(stack, this.#modules);
  }

  /**
   * Counts the bytes that a call takes outside as the program's memory. True: that is too much, and the
   * program is stopped.
   */
  #over(bytes: number): boolean {
    const { memory } = this.#memory.limits;
    this.#bytes += bytes;
    if (memory === 0 || this.#bytes <= memory) return false;
    this.stopped("memory", "");
    return true;
  }

  #succeeded(id: number, w: Waiting, value: unknown): void {
    if (!this.#back(id, w)) return;
    const n = w.fill !== null && typeof value === "number" ? value : 0;
    this.#result(id, value, n > 0 ? w.fill?.subarray(0, n) : undefined);
  }

  #unsuccessful(id: number, w: Waiting, e: unknown): void {
    const alone = this.#alone.delete(id);
    const failing = e instanceof PlanError ? { id, error: e, w } : null;
    if (this.#back(id, w)) {
      this.#failing = failing;
      this.#failure(id, e, w.stack);
    }
    // #unreads came for this call before it failed, so the failure is reported now.
    if (alone && failing !== null && !this.#unread.has(id)) this.#tell(failing);
  }

  /** Gives the result of a call to the program; false when the program is over, too. */
  #back(id: number, w: Waiting): boolean {
    this.#alone.delete(id);
    this.#waiting.delete(id);
    this.#bytes -= w.bytes;
    if (!this.#ended && w.word >= 0)
      this.#words.settle(w.word, (number, value) => {
        const m = this.#memory.mailbox;
        m[SLOT.id] = number;
        m[SLOT.value] = value;
        this.#enter("word");
      });
    return !this.#ended;
  }

  get #words(): Words {
    return Words.of(this.#memory);
  }

  /** An argument as the kernel gets it. */
  #arg(name: Callname, p: Passed, made: Made): unknown {
    switch (p.kind) {
      case "value":
        return p.value;
      case "token":
        return Token.of(this.#memory, p.number);
      case "function":
        return name === "notify" ? this.#handler : name.endsWith("wstat") ? none : new Unusable();
      case "other":
        return p.what === "an array" ? [] : new Unusable();
      case "json":
        return revived(parsed(p.text));
      case "word":
        made.word = p.number;
        return this.#words.begin(p.number, p.value);
      case "bytes":
        return p.bytes;
      case "fill":
        return (made.fill = new Uint8Array(p.length));
    }
  }

  // --- forks ---

  #fork(a: Asked, flags: number): Ready | null {
    const others = this.#waiting.size;
    if (others > 0) {
      const error = hinted(
        `rfork with ${others} other system ${others === 1 ? "call" : "calls"} under way: a child would wait for ` +
          "their results for ever. Await them first",
      );
      return this.#refuse(a, flags, error);
    }
    if (this.#toomany(a, flags)) return null;
    const memory = this.#memory.copy();
    const [modules, tenant, says] = [this.#modules, this.#id, this.#says];
    let born = false;
    const child = attached(childname(a), (image, faces) => {
      born = true;
      const vm = new Vm(image, faces, { modules, memory, id: tenant, says });
      return () => vm.fork(a.id);
    });
    const over = (): void => {
      if (!born) memory.leave(tenant);
    };
    return { w: forkof(a, flags), args: [flags, child], over };
  }

  /** An rfork fails before it comes to the kernel. */
  #refuse(a: Asked, flags: number, error: PlanError): null {
    this.#failing = { id: a.id, error, w: { ...forkof(a, flags), seq: OWN } };
    this.#failure(a.id, error, a.stack);
    return null;
  }

  /** Refuses a process more, where the kernel has as many as these programs may make. */
  #toomany(a: Asked, flags: number): boolean {
    const { k } = this.#image.proc;
    const { procs } = k.config.limits;
    if (procs === 0 || k.procs.size < procs) return false;
    const why = `There are ${procs} processes, the limit. Wait for children, or raise limits.procs (--procs)`;
    this.#refuse(a, flags, Object.assign(new PlanError(Enoprocs), { call: "rfork", why }));
    return true;
  }

  /** A child that shares this memory begins in a function of it. */
  #share(a: Asked, flags: number): Ready | null {
    if (this.#toomany(a, flags)) return null;
    const [memory, modules, says] = [this.#memory, this.#modules, this.#says];
    const n = Number(valueof(a.args[3]));
    const child = attached(childname(a), (image, faces) => {
      const vm = new Vm(image, faces, { modules, memory, says });
      return (argv) => vm.share(n, argv);
    });
    return { w: forkof(a, flags), args: [flags, child] };
  }

  // --- what goes in ---

  #give(id: number, kind: number, value: number, text?: string): void {
    this.#bring({ id, kind, value }, "settle", text);
  }

  /** Goes in with how a call ended. */
  #bring(r: Result, hook: Hook, text?: string): void {
    if (this.#ended) return;
    const m = this.#memory.mailbox;
    m[SLOT.id] = r.id;
    m[SLOT.kind] = r.kind;
    m[SLOT.value] = r.value;
    m[SLOT.filled] = this.#filled;
    this.#filled = 0;
    this.#enter(hook, text);
  }

  #result(id: number, v: unknown, fill?: Uint8Array): void {
    if (fill !== undefined && this.#memory.bring(fill)) this.#filled = fill.length;
    switch (typeof v) {
      case "number":
        return this.#give(id, KIND.number, v);
      case "string":
        return /[\0\uD800-\uDFFF]/.test(v)
          ? this.#give(id, KIND.text, 0, JSON.stringify(v))
          : this.#give(id, KIND.string, 0, v);
      case "bigint":
        return this.#give(id, KIND.bigint, 0, `${v}`);
      case "boolean":
        return this.#give(id, KIND.boolean, v ? 1 : 0);
      case "object":
        return this.#object(id, v);
      default:
        return this.#give(id, KIND.undefined, 0);
    }
  }

  #object(id: number, v: object | null): void {
    if (v === null) return this.#give(id, KIND.null, 0);
    if (v instanceof Token) {
      const n = v.memory === this.#memory ? v.number : 0;
      return this.#give(id, n === 0 ? KIND.undefined : KIND.token, n);
    }
    if (v instanceof Uint8Array) return this.#give(id, KIND.bytes, 0, JSON.stringify([...v]));
    const text = JSON.stringify(v, (_key, x: unknown) =>
      typeof x === "bigint" ? { big: `${x}` } : x,
    );
    this.#give(id, KIND.json, 0, text);
  }

  #failure(id: number, e: unknown, stack?: string): void {
    if (!(e instanceof PlanError)) return this.panic(e);
    const fields: Record<string, unknown> = { message: e.message, stack };
    for (const f of FIELDS) if (e[f] !== undefined) fields[f] = e[f];
    this.#give(id, KIND.error, 0, JSON.stringify(fields));
  }

  /** The handler that the kernel calls with a note. It calls the program's own, in the program's memory. */
  readonly #handler = (note: string): Promise<void> =>
    new Promise((resolve) => {
      const id = ++this.#nhandler;
      this.#handlers.set(id, resolve);
      const m = this.#memory.mailbox;
      m[SLOT.id] = id;
      this.#enter("note", JSON.stringify(note));
    });

  // --- ends ---

  #threw(value: unknown, why?: string): void {
    const t = thrownof(value);
    // QuickJS throws null where it has no memory for an error.
    if (t === null || (t.is === "value" && t.message === "null" && this.#memory.full))
      return this.stopped("memory", "");
    if (t.is === "error" && t.name === "InternalError") {
      if (t.message === "out of memory") return this.stopped("memory", t.stack);
      if (t.message === "stack overflow") return this.stopped("stack", t.stack);
    }
    if (this.#ended) return;
    const e = errorof(answered(t, this.#modules));
    if (why !== undefined && e instanceof PlanError) e.why = [e.why, why].filter(Boolean).join(" ");
    // Image.crash is called, and main's promise not rejected, since a handler or a thread may have thrown.
    const frames = (stack: string): string[] => this.#sites(stack).map((s) => `at ${longplace(s)}`);
    const lines = { frames, source: null, hint: unimported };
    this.#say(crashtext(this.#image.proc.text, e, lines), () => this.#image.crash(e));
  }

  failed(text: string): void {
    this.#threw({ is: "error", ...thrownof(parsed(text)) });
  }

  stopped(why: Stop, stack: string): void {
    if (this.#ended) return;
    const [site] = this.#sites(stack);
    const place = site === undefined ? "" : ` ${shortplace(site)}`;
    const text = why === "interrupt" ? why : `${this.#why(why)}${place}`;
    const { proc } = this.#image;
    this.#say(`${proc.text} ${proc.pid}: suicide: ${text}`, () => this.#image.trap(text));
  }

  /** Ends the program, after what is said of it on descriptor 2. */
  #say(text: string, end: () => void): void {
    this.#ended = true;
    if (!this.#says) return end();
    fprint(this.#faces.sys as Sys, 2, `${text}\n`).then(end, end);
  }

  #why(why: Exclude<Stop, "interrupt">): string {
    const { memory, work } = this.#memory.limits;
    switch (why) {
      case "work":
        return `sys: trap: no system call in ${work} steps`;
      case "memory":
        return `sys: trap: out of memory (${memory} bytes)`;
      case "stack":
        return "sys: trap: stack overflow";
      case "broken":
        return "sys: trap: the vm is broken";
    }
  }

  panic(e: unknown): void {
    this.#image.proc.k.panic(e);
  }

  // --- the machine, as the program sees it ---

  now(): number {
    return Math.floor(Number(this.#image.proc.k.clock.nsec() / 1000n) / 1000);
  }

  host(): number {
    return this.#image.proc.k.config.host.now();
  }

  since(): number {
    return this.#image.proc.k.clock.now() / 1e6;
  }

  random(): number {
    return randomof(this.#image.proc.k)();
  }

  resolve(base: string, name: string): string | null {
    if (islibrary(base) && name.startsWith(".")) return librarymodule(base, name);
    if (name === LIBRARY || this.#modules.texts.has(name)) return name;
    return this.#modules.imports.get(`${base}\n${name}`) ?? null;
  }

  source(name: string): string | null {
    return this.#modules.texts.get(name) ?? (islibrary(name) ? librarytext(name) : null);
  }
}

const NOTHING: Made = { fill: null, word: -1, bytes: 0, stack: undefined };

/** How many failures that a program does not handle are reported to the host; further ones are not. */
const MAXUNREAD = 1000;

const valueof = (p: Passed | undefined): unknown => (p?.kind === "value" ? p.value : undefined);

/** What the program threw; null where its memory has no room to describe it. */
function thrownof(value: unknown): Thrown | null {
  if (typeof value !== "object" || value === null) return null;
  const text = (key: string): string => {
    const v: unknown = Reflect.get(value, key);
    return typeof v === "string" ? v : "";
  };
  const is = text("is");
  const { cause, fields } = value as Partial<Thrown>;
  const inner = thrownof(cause);
  return {
    is: is === "planerror" || is === "value" ? is : "error",
    name: text("name"),
    message: text("message"),
    stack: text("stack"),
    ...(inner !== null && { cause: inner }),
    ...(fields !== undefined && { fields }),
  };
}

/**
 * Replaces QuickJS's error for an import of a name that a module does not export: the text is that of a native
 * program's error, with the place of the name. Other errors are returned as they are.
 */
function answered(t: Thrown, modules: Modules): Thrown {
  const [, name, module] =
    /^Could not find export '([^']*)' in module '([^']*)'$/.exec(t.message) ?? [];
  if (name === undefined || module === undefined) return t;
  for (const [file, text] of modules.sources)
    for (const { from, line, column } of importsof(text, name)) {
      const found = from === LIBRARY ? LIBRARY : modules.imports.get(`${file}\n${from}`);
      if (found !== module) continue;
      const message = module === LIBRARY ? nolibrary(name) : noexport(from, name, []);
      return { ...t, message, stack: `    at ${file}:${line}:${column}` };
    }
  return { ...t, message: module === LIBRARY ? nolibrary(name) : noexport(module, name, []) };
}

/** The name of the function that a child is; of an rfork without a function, which returns twice, one that is not shown. */
function childname({ args: [, child, named] }: Asked): string {
  const name = valueof(named);
  return child?.kind !== "function" ? "#fork" : typeof name === "string" ? name : "";
}

/** What Waiting keeps of an rfork. */
const forkof = (a: Asked, flags: number): Omit<Waiting, "seq"> => ({
  ...NOTHING,
  stack: a.stack,
  name: "rfork",
  args: [flags],
});

/** A wrong argument, with what to do about it. */
function hinted(hint: string): PlanError {
  return Object.assign(new PlanError(Ebadarg), { call: "rfork", why: hint });
}

/** JSON with bigints in it. */
function revived(v: unknown): unknown {
  if (typeof v !== "object" || v === null) return v;
  if (Array.isArray(v)) return v.map(revived);
  const entries: [string, unknown][] = Object.entries(v);
  const [key, value] = entries[0] ?? [];
  if (key === "big" && typeof value === "string" && /^-?\d{1,1000}$/.test(value))
    return BigInt(value);
  return Object.fromEntries(entries.map(([k, x]) => [k, revived(x)]));
}

/** What a program threw, as an error of this side; its stack is the program's. */
function errorof(t: Thrown): unknown {
  if (t.is === "value") return t.message;
  const e = t.is === "planerror" ? new PlanError(String(t.message)) : new Error(String(t.message));
  if (t.is === "planerror") Object.assign(e, t.fields);
  else Object.defineProperty(e, "name", { value: String(t.name), configurable: true });
  e.stack = `${t.name}: ${t.message}\n${t.stack}`;
  if (t.cause !== undefined) e.cause = errorof(t.cause);
  return e;
}

/** The places of a stack that are in the program's modules. */
function vmsites(stack: string, modules: Modules): Callsite[] {
  const list: Callsite[] = [];
  // The stack may be cut from an error's JSON: then its last line ends with "} of the JSON.
  for (const line of stack.split(/\\n|\n/)) {
    const place = placeof(line.endsWith('"}') ? line.slice(0, -2) : line);
    const name = lastword(place?.before ?? "");
    const text = modules.sources.get(name);
    if (place !== null && text !== undefined) list.push({ ...callsite(name, place), text });
  }
  return list;
}

const longplace = (site: Callsite): string =>
  `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`;
/** A place in few bytes, since a note has room for 126. */
const shortplace = (site: Callsite): string => longplace(site).replace(/^.*\//, "");
