// A memory: an instance with QuickJS in it, and the processes whose program is there. One process has it, but for
// those that rfork(RFMEM) made. Here the host goes in (enter) and the program comes out (call, now, random).
//
// What a program calls is not done while it runs: its calls are put down, and made when QuickJS has nothing left
// to do. So no kernel code runs on a stack that a program has nearly used up. A kill never finds the program
// running. At the time of each call the memory is at rest, so rfork can copy it.

import type { Limits } from "../../kernel/kernel.ts";
import { KIND, MAXARG, OUT, PERARG, SLOT, SLOTS } from "./abi.ts";
import type { Hook } from "./abi.ts";
import { first, giveback, newroom, takeinstance } from "./first.ts";
import type { Layout, Room } from "./first.ts";
import { vmhost } from "./host.ts";
import { Broken, STEPS } from "./quickjs.ts";
import type { Instance, Outside } from "./quickjs.ts";

/** An argument as it came out. */
export type Passed =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "token"; readonly number: number }
  | { readonly kind: "json"; readonly text: string }
  | { readonly kind: "function" }
  | { readonly kind: "other"; readonly what: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "fill"; readonly length: number }
  | { readonly kind: "word"; readonly number: number; readonly value: number };

/** What a program asked for. */
export type Asked = {
  readonly id: number;
  readonly op: number;
  readonly args: readonly Passed[];
  /** The program's stack at the call, where that is wanted. */
  readonly stack: string | undefined;
};

/** Why a program was broken off, or what broke. */
export type Stop = "work" | "interrupt" | "memory" | "stack" | "broken";

/** A process whose program is in a memory. */
export interface Tenant {
  /** What its program asks for; the memory is at rest. */
  asked(a: Asked): void;
  /** Its program was broken off, with its stack at that moment. */
  stopped(why: Stop, stack: string): void;
  /** All that was asked for is done, and the program rests. */
  rested(): void;
  /** Its program has not ended, and the host knows of no call or handler that it waits for. */
  readonly stuck: boolean;
  /** A bug of ours was found while its program ran. */
  panic(e: unknown): void;
  /** A function inside that the host called threw what is told. */
  failed(text: string): void;
  /** Milliseconds since 1970, and since boot. */
  now(): number;
  since(): number;
  /** The host's own clock (ns). */
  host(): number;
  random(): number;
  /** Where a module is, and its text; null where there is none. */
  resolve(base: string, name: string): string | null;
  source(name: string): string | null;
}

/** Nanoseconds of the host's that a step may take, and all of them together at least. */
const SLOW = 600;
const LONG = 1e9;
/** Nanoseconds that a step takes usually, and those of one that has unwound a deep stack. */
const USUAL = 50;
const UNWINDING = 5000;
/** So many questions come to one look at the host's clock for the bound of all steps together. */
const SELDOM = 40;
/** A stack of which this part is used is deep. */
const DEEP = 0.25;

/** Bytes of QuickJS's stack beyond which V8's own is used up, whatever the limit is. */
const V8STACK = 1 << 20;

/** Bytes of an instance's memory that are no program's: its static data and its stack. */
const OVERHEAD = 6 * 2 ** 20;
/** A program that can go no further and has used this part of its memory has none left. */
const NEARLY = 0.9;

/** The module that stands for one that cannot be found. */
const NOMODULE = "";

export class Memory implements Outside {
  /** The processes in it, by their numbers here. */
  readonly tenants: Map<number, Tenant> = new Map();
  /** The process whose program runs, or ran last. */
  current: Tenant | null = null;
  readonly limits: Limits;
  readonly #instance: Instance;
  readonly #layout: Layout;
  #mailbox: Float64Array;
  #room: Room;
  #steps = 0;
  /** The host's time when the program was first seen at work since its last call (ns), or -1. */
  #began = -1;
  /** The host's time when it began to run, or was asked last whether to go on (ns). */
  #looked = 0;
  /** The steps before that were slow, on a deep stack. */
  #slowly = false;
  #questions = 0;
  /** Why the last module that was not found was not. */
  #missing = "";
  #stop: Stop | null = null;
  /** The stack at that, where it is known. */
  #stack = "";
  /** Its instance is given back, or broken. */
  #over = false;
  #queue: { readonly tenant: Tenant; readonly asked: Asked }[] = [];
  #ntenant = 0;

  /** A new one, or a copy of another that is at rest. */
  constructor(limits: Limits, from: Memory | null = null) {
    this.limits = limits;
    this.#instance = takeinstance(this);
    if (from === null) {
      const { contents, layout } = first();
      this.#instance.load(contents);
      this.#layout = layout;
      this.#room = layout.room;
    } else {
      this.#instance.copy(from.#instance);
      this.#layout = from.#layout;
      this.#ntenant = from.#ntenant;
      this.#room = from.#room;
    }
    this.#mailbox = this.#instance.numbers(this.#layout.mailbox, SLOTS);
    this.#limit();
  }

  #limit(): void {
    const { ffi } = this.#instance;
    const { memory, stack } = this.limits;
    ffi.QTS_RuntimeSetMemoryLimit(this.#layout.rt, memory === 0 ? -1 : memory);
    ffi.QTS_RuntimeSetMaxStackSize(this.#layout.rt, stack);
    this.#instance.limit = memory === 0 ? Number.POSITIVE_INFINITY : memory * 1.25 + OVERHEAD;
  }

  /** A copy of it, which is at rest. */
  copy(): Memory {
    return new Memory(this.limits, this);
  }

  /** Takes a process in; gives its number here. */
  admit(t: Tenant, id: number = ++this.#ntenant): number {
    this.tenants.set(id, t);
    return id;
  }

  /** A process is gone; the last one leaves the instance to other programs. */
  leave(id: number): void {
    this.tenants.delete(id);
    if (this.tenants.size === 0) this.#release(true);
  }

  /** Gives the instance back; a broken one is of no use to others. */
  #release(whole: boolean): void {
    if (this.#over) return;
    this.#over = true;
    giveback(this.#instance, whole);
  }

  /** Numbers for what is called inside. */
  get mailbox(): Float64Array {
    if (this.#mailbox.length === 0)
      this.#mailbox = this.#instance.numbers(this.#layout.mailbox, SLOTS);
    return this.#mailbox;
  }

  /** Bytes that are used. */
  get used(): number {
    return this.#instance.used;
  }

  /** Calls a function inside, for a process; then does what the program asks for. */
  enter(t: Tenant, hook: Hook, text?: string): void {
    if (this.#over) return;
    this.current = t;
    this.#steps = 0;
    this.#began = -1;
    this.#looked = t.host();
    this.#stop = null;
    this.#stack = "";
    try {
      this.#call(hook, text);
      this.#drain();
    } catch (e) {
      this.#broke(e);
    }
    if (this.#stop === null) this.#flush();
    else this.#halt(this.#stop);
  }

  #call(hook: Hook, text: string | undefined): void {
    const { ffi } = this.#instance;
    const { ctx, argp, hooks } = this.#layout;
    const arg = text === undefined ? 0 : this.#string(text);
    if (text !== undefined && arg === 0) {
      this.#stop = "memory";
      return;
    }
    this.#instance.words[argp >> 2] = arg;
    const undef = ffi.QTS_GetUndefined();
    const r = ffi.QTS_Call(ctx, hooks.get(hook) ?? 0, undef, arg === 0 ? 0 : 1, argp);
    if (arg !== 0) ffi.QTS_FreeValuePointer(ctx, arg);
    const e = ffi.QTS_ResolveException(ctx, r);
    if (e !== 0) this.#threw(e);
    else ffi.QTS_FreeValuePointer(ctx, r);
  }

  /** Runs what promises have made ready. */
  #drain(): void {
    const { ffi } = this.#instance;
    const { rt, ctx, argp } = this.#layout;
    while (this.#stop === null && ffi.QTS_IsJobPending(rt) !== 0) {
      const r = ffi.QTS_ExecutePendingJob(rt, -1, argp);
      const type = ffi.QTS_Typeof(ctx, r);
      const isnumber = this.#instance.bytes[type] === 0x6e; // "number", and no other type, begins so
      ffi.free(type);
      if (isnumber) ffi.QTS_FreeValuePointer(ctx, r);
      else this.#threw(r);
    }
  }

  /** An exception came out: what broke the program off, or a failure of what is inside. */
  #threw(e: number): void {
    const { ffi } = this.#instance;
    const dump = ffi.QTS_Dump(this.#layout.ctx, e);
    const text = this.#instance.text(dump);
    ffi.QTS_FreeCString(this.#layout.ctx, dump);
    ffi.QTS_FreeValuePointer(this.#layout.ctx, e);
    if (this.#stop === null) this.current?.failed(text);
    else this.#stack = text;
  }

  /** The program was broken off: what it still asked for is not done. It may have told where it was. */
  #halt(why: Stop): void {
    const told = this.#queue.map(({ asked }) => JSON.stringify(asked.args)).join("\n");
    this.#queue = [];
    this.current?.stopped(why, this.#stack === "" ? told : this.#stack);
  }

  /** The instance broke: all that are in it end. V8 says so when its own stack is used up first. */
  #broke(e: unknown): void {
    const name = e instanceof Error ? e.name : "";
    this.#queue = [];
    this.#release(false);
    if (!(e instanceof Broken) && name !== "RangeError" && name !== "RuntimeError")
      return this.current?.panic(e);
    const all = Array.from(this.tenants.values());
    for (const t of all) t.stopped(name === "RangeError" ? "stack" : "broken", "");
  }

  /** Does what was asked for; the memory is at rest. */
  #flush(): void {
    while (this.#queue.length > 0) {
      const queue = this.#queue;
      this.#queue = [];
      for (const { tenant, asked } of queue) tenant.asked(asked);
    }
    for (const t of this.tenants.values()) t.rested();
    if (this.current?.stuck === true && this.full) this.current.stopped("memory", "");
  }

  /** Nearly all is used. A program without memory cannot even say so. */
  get full(): boolean {
    return !this.#over && this.limits.memory > 0 && this.used > this.limits.memory * NEARLY;
  }

  // --- values ---

  /** A string inside, to be freed; 0 when there is no room. */
  #string(s: string): number {
    const { ffi } = this.#instance;
    const p = this.#instance.string(s);
    if (p === 0) return 0;
    const v = ffi.QTS_NewString(this.#layout.ctx, p);
    ffi.free(p);
    const e = ffi.QTS_ResolveException(this.#layout.ctx, v);
    if (e === 0) return v;
    ffi.QTS_FreeValuePointer(this.#layout.ctx, e);
    return 0;
  }

  /** Puts bytes into the room, for what is called next; false when there is no place for them. */
  bring(bytes: Uint8Array): boolean {
    if (bytes.length > this.#room.length) return false;
    this.#instance.bytes.set(bytes, this.#room.at);
    return true;
  }

  // --- what the program calls outside ---

  now(): number {
    return this.current?.now() ?? 0;
  }

  interrupt(): boolean {
    this.#instance.count(this.#layout.ctx);
    if (this.#stop !== null) return true;
    const { work } = this.limits;
    this.#steps += work > 0 ? this.#worth() : 0;
    const slow = ++this.#questions % SELDOM === 0 && this.#slow(work);
    if (work > 0 && (this.#steps > work || slow)) this.#stop = "work";
    else if (vmhost().interrupted?.() === true) this.#stop = "interrupt";
    return this.#stop !== null;
  }

  /**
   * How many steps the last STEPS count for. An exception on a deep stack is one step, and writes each place of that
   * stack into its own: a program that catches its overflows works for as long as that takes. One slow question is no
   * sign of that, since the host may have done something else meanwhile; two in a row are. The host's clock tells
   * such steps from others, so the end of such a run may not repeat.
   */
  #worth(): number {
    const now = this.current?.host() ?? 0;
    const took = now - this.#looked;
    this.#looked = now;
    const slow = took >= STEPS * UNWINDING && this.#instance.depth >= this.#deep;
    const again = slow && this.#slowly;
    this.#slowly = slow;
    return again ? STEPS + took / USUAL : STEPS;
  }

  get #deep(): number {
    return DEEP * (this.limits.stack === 0 ? V8STACK : Math.min(this.limits.stack, V8STACK));
  }

  /**
   * Whether the steps so far took much longer than steps take: each may unwind a deep stack, for example. This bound
   * is of the host's clock, so that no program holds the host for hours; others reach the bound of steps first.
   */
  #slow(work: number): boolean {
    const now = this.current?.host() ?? 0;
    if (this.#began < 0) this.#began = now;
    return now - this.#began > Math.max(LONG, work * SLOW);
  }

  resolve(base: string, name: string): number {
    const found = this.current?.resolve(base, name) ?? null;
    if (found !== null) return this.#instance.string(found);
    // QuickJS forgets what is thrown here and asks for the text of NOMODULE, which then fails with the reason.
    this.#missing = `cannot find '${name}', which ${base} imports: a vm program imports "namec" and modules of its own directory, which an import at its beginning names`;
    return this.#instance.string(NOMODULE);
  }

  source(name: string): number {
    const text = name === NOMODULE ? null : (this.current?.source(name) ?? null);
    return text === null ? this.#throw(this.#missing) : this.#instance.string(text);
  }

  #throw(message: string): number {
    const { ffi } = this.#instance;
    const { ctx } = this.#layout;
    const e = ffi.QTS_NewError(ctx);
    const [key, value] = [this.#string("message"), this.#string(message)];
    if (key !== 0 && value !== 0) ffi.QTS_SetProp(ctx, e, key, value);
    for (const v of [key, value]) if (v !== 0) ffi.QTS_FreeValuePointer(ctx, v);
    ffi.QTS_FreeValuePointer(ctx, ffi.QTS_Throw(ctx, e));
    return 0;
  }

  call(fn: number, argv: number, argc: number): number {
    const { ffi } = this.#instance;
    if (fn === OUT.now) return ffi.QTS_NewFloat64(this.#layout.ctx, this.current?.since() ?? 0);
    if (fn === OUT.random) return ffi.QTS_NewFloat64(this.#layout.ctx, this.current?.random() ?? 0);
    if (fn === OUT.call) this.#asked(argv, argc);
    else if (fn === OUT.room) return this.#bigger(this.#arg(argv, argc, 0));
    return 0;
  }

  /** A bigger room. */
  #bigger(v: number): number {
    const length = v === 0 ? 0 : this.#instance.ffi.QTS_GetFloat64(this.#layout.ctx, v);
    const least = this.#room.length;
    if (!(length > least && length < 2 ** 31)) return 0;
    const { value, ...room } = newroom(this.#instance, this.#layout.ctx, Math.ceil(length));
    if (value === 0) return this.#throw("out of memory");
    this.#room = room;
    return value;
  }

  /** Puts down what the program asks for. */
  #asked(argv: number, argc: number): void {
    const m = this.mailbox;
    this.#steps = 0;
    this.#began = -1;
    const tenant = this.tenants.get(m[SLOT.proc] ?? 0);
    const n = m[SLOT.narg] ?? 0;
    // A program that writes into the mailbox itself gets no answer.
    if (tenant === undefined || !(n >= 0 && n <= MAXARG)) return;
    const args: Passed[] = [];
    for (let i = 0; i < n; i++) args.push(this.#passed(m, i, this.#arg(argv, argc, i)));
    const stack = argc > n ? this.#text(this.#arg(argv, argc, n)) : undefined;
    const asked = { id: m[SLOT.id] ?? 0, op: m[SLOT.op] ?? 0, args, stack };
    this.#queue.push({ tenant, asked });
  }

  /** A pointer to an argument of what is called outside; 0 when it was not given. */
  #arg(argv: number, argc: number, i: number): number {
    return i < argc ? this.#instance.ffi.QTS_ArgvGetJSValueConstPointer(argv, i) : 0;
  }

  #text(v: number): string {
    if (v === 0) return "";
    const { ffi } = this.#instance;
    const p = ffi.QTS_GetString(this.#layout.ctx, v);
    if (p === 0) return "";
    const s = this.#instance.text(p);
    ffi.QTS_FreeCString(this.#layout.ctx, p);
    return s;
  }

  /** A copy of bytes in the room. */
  #brought(from: number, length: number): Uint8Array {
    const { at, length: all } = this.#room;
    const start = Math.min(clamped(from), all);
    return this.#instance.bytes.slice(at + start, at + Math.min(start + clamped(length), all));
  }

  #passed(m: Float64Array, i: number, v: number): Passed {
    const at = SLOT.args + PERARG * i;
    const [kind, number = 0, length = 0] = m.subarray(at, at + PERARG);
    switch (kind) {
      case KIND.number:
        return { kind: "value", value: number };
      case KIND.boolean:
        return { kind: "value", value: number !== 0 };
      case KIND.null:
        return { kind: "value", value: null };
      case KIND.string:
        return { kind: "value", value: this.#text(v) };
      case KIND.text:
        return { kind: "value", value: parsed(this.#text(v)) };
      case KIND.bigint:
        return { kind: "value", value: bigint(this.#text(v)) };
      case KIND.json:
        return { kind: "json", text: this.#text(v) };
      case KIND.function:
        return { kind: "function" };
      case KIND.token:
        return { kind: "token", number };
      case KIND.other:
        return { kind: "other", what: this.#text(v) };
      case KIND.bytes:
        return { kind: "bytes", bytes: this.#brought(number, length) };
      case KIND.fill:
        return { kind: "fill", length: clamped(length) };
      case KIND.word:
        return { kind: "word", number, value: length | 0 };
      default:
        return { kind: "value", value: undefined };
    }
  }
}

/** What a length may be. */
const clamped = (n: number): number => Math.min(Math.max(Math.floor(n) || 0, 0), 2 ** 31);

/** JSON of a vm's. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function bigint(text: string): unknown {
  return /^-?\d{1,1000}$/.test(text) ? BigInt(text) : undefined;
}
