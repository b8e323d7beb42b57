// The vm's own side of system calls. It is evaluated once, in a vm that becomes the first memory of every
// program: it makes the globals that the language has not, and gives the host the functions that it calls. Then
// programs begin in copies of that memory, and everything here is theirs, as libc is.
//
// A call writes its numbers into the mailbox, calls outside, and waits with a promise; settle() ends that wait.
// What a generator program yields are those promises, and drive() awaits them.

import { PlanError } from "../../../kernel/abi/errors.ts";
import { calls } from "../../../kernel/abi/calls.ts";
import type { Argkind, Callname } from "../../../kernel/abi/calls.ts";
import { nostatus } from "../../../kernel/abi/mistake.ts";
import { RFMEM, RFPROC } from "../../../kernel/abi/const.ts";
import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";
import { watchgiven } from "../../lib/both.ts";
import { ASK, FIELDS, KIND, MAXARG, PERARG, ROOM, SLOT } from "../abi.ts";
import type { Big, Thrown } from "../abi.ts";

export * from "../../lib/library.ts";

/** What the host puts into the global object for the time of this module's evaluation. */
type Given = {
  readonly mailbox: ArrayBuffer;
  readonly call: (...args: unknown[]) => void;
  readonly now: () => number;
  readonly random: () => number;
  readonly hooks: (...fns: unknown[]) => void;
  /** A new room of so many bytes. */
  readonly room: (n: number) => ArrayBuffer;
};

const given = Reflect.get(globalThis, "$vm") as Given;
Reflect.deleteProperty(globalThis, "$vm");
const m = new Float64Array(given.mailbox);
const outside = given.call;

/** What is used here after a program may have changed the language's objects. */
const { apply } = Reflect;
const { setPrototypeOf } = Object;
const Plain = Promise;
const { parse, stringify } = JSON;
const Typed: object = Object.getPrototypeOf(Uint8Array.prototype) as object;
type Method = (...args: never[]) => unknown;
const getter = (name: PropertyKey): Method =>
  Reflect.get(Object.getOwnPropertyDescriptor(Typed, name) ?? {}, "get") as Method;
const kindof = getter(Symbol.toStringTag);
const bufferof = getter("buffer");
const offsetof = getter("byteOffset");
const lengthof = getter("length");
const set = Reflect.get(Typed, "set") as Method;
const subarray = Reflect.get(Typed, "subarray") as Method;
const Generatorfunction: unknown = Object.getPrototypeOf(function* () {}).constructor;
const isWellFormed = Reflect.get(String.prototype, "isWellFormed") as Method;
const includes = Reflect.get(String.prototype, "includes") as Method;
const iswell = (s: string): boolean =>
  apply(isWellFormed, s, []) === true && apply(includes, s, ["\0"]) === false;

type Args = readonly unknown[];
type Settle = (value: unknown) => void;
/** A call that waits, and the buffer that it fills. */
type Pending = {
  readonly proc: Process;
  readonly promise: Promise<unknown>;
  resolve: Settle;
  readonly reject: Settle;
  readonly fill: Uint8Array | null;
};
type Face = Record<string, (...args: unknown[]) => unknown>;
type Handler = (note: string, sys: unknown) => unknown;
type Main = (sys: unknown, argv: unknown) => unknown;
type Steps = Iterator<unknown, unknown, unknown>;

const names = Object.keys(calls) as readonly Callname[];
const pending = new Map<number, Pending>();
let ncall = 0;

/** Bytes pass through here. */
let room = new Uint8Array(given.room(ROOM));
/** Bytes of it that the call takes which is being made. */
let taken = 0;
/** The buffer that this call fills. */
let fill: Uint8Array | null = null;

/** Sees that the room has n bytes; what is in it stays. */
function makeroom(n: number): void {
  if (n <= room.length) return;
  const bigger = new Uint8Array(given.room(2 * n));
  apply(set, bigger, [room]);
  room = bigger;
}

/** Puts bytes into the room; gives where. */
function bring(bytes: Uint8Array, n: number): number {
  const at = taken;
  makeroom(at + n);
  apply(set, room, [bytes, at]);
  taken += n;
  return at;
}

/** The semaphores that calls were about, and their numbers. */
type Word = { readonly buffer: object; readonly offset: number; readonly words: Int32Array };
const words: Word[] = [];

function wordof(v: object): number {
  const buffer = apply(bufferof, v, []) as object;
  const offset = apply(offsetof, v, []) as number;
  let n = words.findIndex((w) => w.buffer === buffer && w.offset === offset);
  if (n < 0) n = words.push({ buffer, offset, words: v as Int32Array }) - 1;
  return n;
}

/** Objects that went out as tokens, and their numbers. */
const tokens = new Map<number, object>();
const numbers = new WeakMap<object, number>();

/** A thread of a generator program. */
type Thread = { call: number };
let running: Thread | null = null;

/** One of the processes that share this memory. */
type Process = {
  readonly id: number;
  readonly argv: readonly string[];
  readonly sys: Face;
  readonly tasksys: Face;
  readonly threads: Map<number, Thread>;
  nthread: number;
  handler: Handler | null;
  /** Called when a thread ends. */
  ended: (() => void) | null;
};

const processes = new Map<number, Process>();

// --- what goes out ---

/** What an argument is to its call: `fills` is the index of the buffer that the call fills, or -1. */
type Place = { readonly kinds: readonly Argkind[]; readonly fills: number };

/** Puts an argument into the mailbox; gives what goes as an argument of the call outside. */
function put(i: number, v: unknown, place: Place): unknown {
  const at = SLOT.args + PERARG * i;
  switch (typeof v) {
    case "number":
      m[at] = KIND.number;
      m[at + 1] = v;
      return undefined;
    case "string":
      m[at] = iswell(v) ? KIND.string : KIND.text;
      return m[at] === KIND.string ? v : stringify(v);
    case "undefined":
      m[at] = KIND.undefined;
      return undefined;
    case "boolean":
      m[at] = KIND.boolean;
      m[at + 1] = v ? 1 : 0;
      return undefined;
    case "bigint":
      m[at] = KIND.bigint;
      return `${v}`;
    case "function":
      m[at] = KIND.function;
      return undefined;
    case "symbol":
      return other(at, "a symbol");
    default:
      if (v !== null) return putobject(i, v as object, place);
      m[at] = KIND.null;
      return undefined;
  }
}

function other(at: number, what: string): string {
  m[at] = KIND.other;
  return what;
}

function putobject(i: number, v: object, place: Place): unknown {
  const at = SLOT.args + PERARG * i;
  const kind = place.kinds[i];
  const typed = apply(kindof, v, []);
  const n = typed === undefined ? 0 : (apply(lengthof, v, []) as number);
  if (typed === "Uint8Array") {
    const fills = place.fills === i;
    m[at] = fills ? KIND.fill : KIND.bytes;
    m[at + 2] = n;
    if (fills) {
      fill = v as Uint8Array;
      makeroom(n);
    } else m[at + 1] = bring(v as Uint8Array, n);
    return undefined;
  }
  if (typed === "Int32Array" && kind === "sem" && n > 0) {
    m[at] = KIND.word;
    m[at + 1] = wordof(v);
    m[at + 2] = (v as Int32Array)[0] ?? 0;
    return undefined;
  }
  try {
    if (kind === "argv" && Array.isArray(v)) return json(at, strings(v));
    if (kind === "changes" && Array.isArray(v)) return other(at, "an array");
    if (kind === "changes") return json(at, changes(v as Record<string, unknown>));
  } catch {
    return other(at, "an object that throws when it is read");
  }
  if (kind !== "value") return other(at, typeof typed === "string" ? `a ${typed}` : "an object");
  let number = numbers.get(v);
  if (number === undefined) {
    number = tokens.size + 1;
    numbers.set(v, number);
    tokens.set(number, v);
  }
  m[at] = KIND.token;
  m[at + 1] = number;
  return undefined;
}

function json(at: number, v: unknown): string {
  m[at] = KIND.json;
  return stringify(v);
}

/** An argument list; what is no string in it stands as null, which the kernel refuses. */
const strings = (list: readonly unknown[]): (string | null)[] =>
  Array.from(list, (s) => (typeof s === "string" ? s : null));

/** The fields of a wstat, each read once. */
function changes(d: Record<string, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const f of WSTAT) fields[f] = plain(d[f]);
  const { qid } = d;
  if (typeof qid === "object" && qid !== null) {
    const { path, vers, type } = qid as Record<string, unknown>;
    fields["qid"] = { path: plain(path), vers: plain(vers), type: plain(type) };
  } else fields["qid"] = plain(qid);
  return fields;
}

const WSTAT = ["name", "uid", "gid", "muid", "type", "dev", "mode", "atime", "mtime", "length"];

/** A field as JSON has it: a bigint, and a number that JSON has not, are marked; an object is no field's value. */
function plain(v: unknown): unknown {
  if (typeof v === "bigint") return { big: `${v}` } satisfies Big;
  if (typeof v === "number" && !Number.isFinite(v)) return {};
  return typeof v === "object" || typeof v === "function" || typeof v === "symbol" ? {} : v;
}

/** Something thrown, read once; a getter that throws takes nothing else with it. */
function thrown(e: unknown, depth = 0): Thrown {
  try {
    if (!(e instanceof Error)) return { is: "value", name: "", message: String(e), stack: "" };
    const t = {
      name: String(e.name),
      message: String(e.message),
      stack: String(e.stack),
      ...(e.cause !== undefined && depth < 5 && { cause: thrown(e.cause, depth + 1) }),
    };
    if (!(e instanceof PlanError)) return { is: "error", ...t };
    const fields: Record<string, string | number> = {};
    for (const f of FIELDS) {
      const v: unknown = Reflect.get(e, f);
      if (typeof v === "string" || typeof v === "number") fields[f] = v;
    }
    return { is: "planerror", ...t, fields };
  } catch {
    return { is: "value", name: "", message: "what cannot be read", stack: "" };
  }
}

/** Tells the host something that is no call. */
function tell(p: Process, ask: number, id: number, text?: string): void {
  m[SLOT.id] = id;
  m[SLOT.op] = ask;
  m[SLOT.proc] = p.id;
  m[SLOT.narg] = text === undefined ? 0 : 1;
  m[SLOT.args] = KIND.text;
  outside(text);
}

// --- which promises are read ---

/** The promises that have had no reader so far: of calls that a host wants to hear of, and of library functions. */
const unread = new WeakMap<object, Unread>();
/** A call or a function: its process and its number, and whether the host was told that its promise has no reader. */
type Unread = {
  readonly proc: Process;
  readonly id: number;
  /** What the host is told when a reader comes after all. */
  readonly found: number;
  told: boolean;
};

/**
 * The prototype of promises that know their readers. To await a promise, or to call its then, the language first
 * reads its constructor.
 */
const Called: object = Object.create(Promise.prototype, {
  constructor: {
    get(this: object): PromiseConstructor {
      const u = unread.get(this);
      unread.delete(this);
      if (u?.told === true) tell(u.proc, u.found, u.id);
      return Plain;
    },
  },
}) as object;

/** Tells the host of a call whose promise has no reader. */
function tellunread(promise: object): void {
  const u = unread.get(promise);
  if (u === undefined || u.told || !processes.has(u.proc.id)) return;
  u.told = true;
  tell(u.proc, ASK.unread, u.id);
}

/** Processes by their system calls. */
const users = new WeakMap<object, Process>();
const then = Reflect.get(Promise.prototype, "then") as Method;
let ngiven = 0;

// A function of the library that fails without a reader is an exception that nothing catches.
watchgiven((sys, promise) => {
  const p = users.get(sys);
  if (p === undefined) return;
  const u = { proc: p, id: ++ngiven, found: ASK.found, told: false };
  const failed = (e: unknown): void => {
    if (unread.get(promise) !== u || !processes.has(p.id)) return;
    u.told = true;
    tell(p, ASK.lost, u.id, stringify(thrown(e)));
  };
  // Before the promise knows its readers, of which this is none.
  apply(then, promise, [undefined, failed]);
  unread.set(promise, u);
  setPrototypeOf(promise, Called);
});

// --- calls ---

/** Makes a call: it settles when the host says so. */
function call(p: Process, op: number, args: Args): Promise<unknown> {
  const place = PLACES[op] ?? NOPLACE;
  const id = ++ncall;
  const n = args.length < MAXARG ? args.length : MAXARG;
  const pass: unknown[] = [];
  taken = 0;
  fill = null;
  for (let i = 0; i < n; i++) pass[i] = put(i, args[i], place);
  const filled = fill;
  m[SLOT.id] = id;
  m[SLOT.op] = op;
  m[SLOT.proc] = p.id;
  m[SLOT.narg] = n;
  if (m[SLOT.stacks] === 1) pass[n] = new Error("here").stack;
  if (running !== null) running.call = id;
  // Not in the executor: a program that has no memory left ends here, and does not go on with a rejected promise.
  const promise = new Promise(grab);
  const { resolve, reject } = grabbed;
  pending.set(id, { proc: p, promise, resolve, reject, fill: filled });
  if (m[SLOT.stacks] === 1) {
    unread.set(promise, { proc: p, id, found: ASK.read, told: false });
    setPrototypeOf(promise, Called);
  }
  apply(outside, undefined, pass);
  return promise;
}

const grabbed: { resolve: Settle; reject: Settle } = {
  resolve: () => undefined,
  reject: () => undefined,
};
function grab(resolve: Settle, reject: Settle): void {
  grabbed.resolve = resolve;
  grabbed.reject = reject;
}

/** Calls whose buffer is filled; the others read theirs. */
const FILLS: readonly string[] = ["read", "pread", "sread", "statraw", "fstatraw"];
const NOPLACE: Place = { kinds: [], fills: -1 };
const PLACES: readonly Place[] = names.map((name) => ({
  kinds: calls[name].args,
  fills: FILLS.includes(name) ? 1 : -1,
}));

const OP: Readonly<Record<string, number>> = Object.fromEntries(names.map((n, i) => [n, i]));
const op = (name: Callname): number => OP[name] ?? -1;

/** rfork: with a function, the child is that function, and its return the child's end. */
function rfork(p: Process, args: Args): Promise<unknown> {
  const [flags, child] = args;
  const forks = typeof flags === "number" && (flags & RFPROC) !== 0;
  if (typeof child !== "function" || !forks) return call(p, op("rfork"), args);
  // A process that shares this memory begins in it, by this number.
  if ((flags & RFMEM) !== 0)
    return call(p, op("rfork"), [flags, child, child.name, share(child as Main)]);
  const promise = call(p, op("rfork"), [flags, child, child.name]);
  const waits = pending.get(ncall);
  if (waits === undefined) return promise;
  // In the child the promise never settles: the function is all of its program.
  const { resolve } = waits;
  waits.resolve = (pid) => (pid === 0 ? run(p, child as Main) : resolve(pid));
  return promise;
}

const shared = new Map<number, Main>();
let nshared = 0;

function share(child: Main): number {
  shared.set(++nshared, child);
  return nshared;
}

/** notify: the handler stays here, and the host hears that there is one. */
function notify(p: Process, args: Args): Promise<unknown> {
  const [handler] = args;
  if (typeof handler === "function") p.handler = handler as Handler;
  else if (handler === null) p.handler = null;
  return call(p, op("notify"), args);
}

/** The system calls of a process, as promises. */
function facesof(p: Process): Face {
  const sys: Face = {};
  for (const [i, name] of names.entries())
    sys[name] =
      name === "rfork"
        ? (...args) => rfork(p, args)
        : name === "notify"
          ? (...args) => notify(p, args)
          : (...args) => call(p, i, args);
  return sys;
}

/** The same for a generator program, with its threads. */
function tasksof(p: Process, sys: Face): Face {
  const tasks: Face = {};
  for (const name of names)
    tasks[name] = function* (...args): Generator<unknown, unknown, unknown> {
      return yield sys[name]?.(...args);
    };
  tasks["threadcreate"] = (task) => thread(p, task as Steps, null);
  tasks["threadbegin"] = (task) => {
    const t: Thread = { call: 0 };
    const step = resumed(t, () => (task as Steps).next());
    return step.done === true ? 0 : thread(p, task as Steps, { t, step });
  };
  tasks["threadint"] = (n) => {
    const t = p.threads.get(n as number);
    if (t !== undefined && t.call > 0) tell(p, ASK.interrupt, t.call);
  };
  return tasks;
}

/** A thread that has run to its first call. */
type Begun = { readonly t: Thread; readonly step: IteratorResult<unknown, unknown> };

/** Another thread of a generator program; one that throws is the end of its process. */
function thread(p: Process, task: Steps, begun: Begun | null): number {
  const n = ++p.nthread;
  const t = begun?.t ?? { call: 0 };
  p.threads.set(n, t);
  drive(task, t, begun?.step ?? null).then(
    () => {
      p.threads.delete(n);
      p.ended?.();
    },
    (e: unknown) => threw(p, e),
  );
  return n;
}

/** Runs a generator whose calls yield promises. */
async function drive(
  task: Steps,
  t: Thread,
  begun: IteratorResult<unknown, unknown> | null,
): Promise<unknown> {
  let step = begun ?? resumed(t, () => task.next());
  while (step.done !== true) {
    let value: unknown;
    let failed = false;
    try {
      value = await step.value;
    } catch (e) {
      failed = true;
      value = e;
    }
    t.call = 0;
    step = resumed(t, () =>
      failed && task.throw !== undefined ? task.throw(value) : task.next(value),
    );
  }
  return step.value;
}

/** One step of a thread: the call that it makes is known to be its. */
function resumed(
  t: Thread,
  fn: () => IteratorResult<unknown, unknown>,
): IteratorResult<unknown, unknown> {
  const outer = running;
  running = t;
  try {
    return fn();
  } finally {
    running = outer;
  }
}

const issteps = (v: unknown): v is Steps =>
  typeof v === "object" && v !== null && Symbol.iterator in v && "return" in v && "throw" in v;

// --- programs ---

function newprocess(id: number, argv: readonly string[]): Process {
  const faces = { sys: {} as Face, tasksys: {} as Face };
  const p: Process = {
    id,
    argv,
    get sys() {
      return faces.sys;
    },
    get tasksys() {
      return faces.tasksys;
    },
    threads: new Map(),
    nthread: 0,
    handler: null,
    ended: null,
  };
  faces.sys = facesof(p);
  faces.tasksys = tasksof(p, faces.sys);
  processes.set(id, p);
  users.set(faces.sys, p);
  return p;
}

/** Calls a function of the program with the system calls that its kind wants, and waits for its end. */
async function enter(p: Process, fn: (...args: never[]) => unknown, args: Args): Promise<unknown> {
  const isgenerator = fn.constructor === Generatorfunction;
  const face = isgenerator ? p.tasksys : p.sys;
  const value: unknown = apply(
    fn,
    undefined,
    args.map((a) => (a === FACE ? face : a)),
  );
  return issteps(value) ? await drive(value, { call: 0 }, null) : await value;
}

const FACE = {};

function threw(p: Process, e: unknown): void {
  tell(p, ASK.threw, 0, stringify(thrown(e)));
}

/** Runs main, or the function of a child, to its end. */
function run(p: Process, main: Main): void {
  enter(p, main, [FACE, [...p.argv]]).then(
    async (status) => {
      while (p.threads.size > 0) await new Promise<void>((resolve) => (p.ended = resolve));
      // Those that have not failed so far may do so before the process ends.
      for (const waits of pending.values()) if (waits.proc === p) tellunread(waits.promise);
      const what = typeof status;
      const end = status === undefined || status === null ? "" : status;
      const text = end instanceof Error ? end.message || end.name : end;
      if (typeof text === "string") tell(p, ASK.returned, 0, stringify(text));
      else threw(p, nostatus("main", end, `${what} for an exit status`));
    },
    (e: unknown) => threw(p, e),
  );
}

// --- what the host calls ---

/** A call is over: its result is in the mailbox, and text where it is no number. */
function settle(text?: string): void {
  const id = m[SLOT.id] ?? 0;
  const call_ = pending.get(id);
  if (call_ === undefined) return;
  pending.delete(id);
  const n = m[SLOT.filled] ?? 0;
  if (call_.fill !== null && n > 0) {
    const length = apply(lengthof, call_.fill, []) as number;
    apply(set, call_.fill, [apply(subarray, room, [0, n < length ? n : length])]);
  }
  if (m[SLOT.kind] === KIND.error) {
    call_.reject(planerror(text ?? "{}"));
    tellunread(call_.promise);
  } else call_.resolve(value(m[SLOT.kind] ?? 0, m[SLOT.value] ?? 0, text));
}

function value(kind: number, number: number, text = ""): unknown {
  switch (kind) {
    case KIND.number:
      return number;
    case KIND.boolean:
      return number !== 0;
    case KIND.string:
      return text;
    case KIND.text:
      return parse(text) as unknown;
    case KIND.bigint:
      return BigInt(text);
    case KIND.null:
      return null;
    case KIND.token:
      return tokens.get(number);
    case KIND.json:
      return revived(parse(text));
    case KIND.bytes:
      return Uint8Array.from(parse(text) as number[]);
    default:
      return undefined;
  }
}

/** A result that is an object: of a Dir, the path of the qid is a bigint. */
function revived(v: unknown): unknown {
  if (typeof v !== "object" || v === null) return v;
  const big: unknown = Reflect.get(v, "big");
  if (typeof big === "string") return BigInt(big);
  for (const key of Object.keys(v)) Reflect.set(v, key, revived(Reflect.get(v, key)));
  return v;
}

function planerror(text: string): PlanError {
  const { message, stack, ...fields } = parse(text) as { message: string; stack?: string };
  const e = Object.assign(new PlanError(message), fields);
  // Where the program made the call, for those who show the line.
  if (stack !== undefined) e.stack = stack;
  return e;
}

/** A program begins: the module of this name, with these arguments. */
function start(text: string): void {
  const { name, argv } = parse(text) as { name: string; argv: string[] };
  const p = newprocess(m[SLOT.proc] ?? 0, argv);
  import(name).then(
    (exports: Record<string, unknown>) => {
      const main = exports["default"];
      if (typeof main === "function") return run(p, main as Main);
      const what =
        main === undefined ? "has no default export" : `exports a ${typeof main} as default`;
      threw(
        p,
        new TypeError(`${name} ${what}; a program is

    export default async function main(sys, argv) { ... }`),
      );
    },
    (e: unknown) => threw(p, e),
  );
}

/** A process that shares this memory begins in a function of it. */
function begin(text: string): void {
  const { child, argv } = parse(text) as { child: number; argv: string[] };
  const p = newprocess(m[SLOT.proc] ?? 0, argv);
  const main = shared.get(child);
  shared.delete(child);
  if (main !== undefined) run(p, main);
}

/** This memory is a copy: of the processes that shared the other one, one is here, whose rfork is over. */
function child(): void {
  const id = m[SLOT.proc] ?? 0;
  for (const key of processes.keys()) if (key !== id) processes.delete(key);
  settle();
}

/** A note for a process: its handler runs, and the host hears when it returns. */
function note(text: string): void {
  const p = processes.get(m[SLOT.proc] ?? 0);
  const id = m[SLOT.id] ?? 0;
  if (p === undefined || p.handler === null) return;
  enter(p, p.handler, [parse(text), FACE]).then(
    () => tell(p, ASK.handled, id),
    (e: unknown) => threw(p, e),
  );
}

/** A semaphore's word has this value now. */
function word(): void {
  const w = words[m[SLOT.id] ?? -1];
  if (w !== undefined) w.words[0] = m[SLOT.value] ?? 0;
}

given.hooks(settle, start, begin, child, note, word);

// --- globals that a program may expect and the language has not ---

const { now, random } = given;
Math.random = () => random();

class TextEncoder {
  readonly encoding = "utf-8";
  encode(text = ""): Uint8Array {
    return utfencode(String(text).replace(/\p{Surrogate}/gu, "\uFFFD"));
  }
}

class TextDecoder {
  readonly encoding = "utf-8";
  decode(bytes: Uint8Array | ArrayBuffer = new Uint8Array(0)): string {
    const b = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    // Where bytes are no UTF-8 the kernel's strings keep them, as a lone surrogate each.
    return utfdecode(b, 0, b.length).replace(/\p{Surrogate}/gu, "\uFFFD");
  }
}

for (const [name, value] of Object.entries({
  TextEncoder,
  TextDecoder,
  performance: {
    now: () => now(),
    get timeOrigin() {
      return Date.now() - now();
    },
  },
  queueMicrotask: (fn: () => void) => void Promise.resolve().then(fn),
}))
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
