// QuickJS as WebAssembly: one compiled module for all, one instance for each memory. What emscripten's own
// script does with the module (emscripten-module.mjs beside it) is done here, for two reasons: an instance is
// made without a turn of the host's loop, so that runs repeat; and the module gets nothing of the host, neither
// its clock nor its time zone.
//
// An instance at rest is its linear memory and nothing else: no call is on its stack, and its globals are as
// after its start. So the bytes of the memory, put into another instance, are a copy of everything in it.
//
//	0 .. STACKLOW     static data
//	STACKLOW .. SP    the stack, empty at rest
//	SP .. brk         the heap
//
// The names of imports and exports are those of release 0.32.0, shortened by its build; check() refuses others.

import { utfdecode, utflen, utfput } from "../../kernel/abi/utf.ts";

/** The exports of the module that are used, by their names in QuickJS's interface. */
const EXPORTS = {
  ctors: "u",
  malloc: "v",
  free: "M",
  QTS_Throw: "w",
  QTS_NewError: "x",
  QTS_RuntimeSetMemoryLimit: "y",
  QTS_RuntimeSetMaxStackSize: "D",
  QTS_GetUndefined: "E",
  QTS_NewRuntime: "K",
  QTS_NewContext: "N",
  QTS_FreeValuePointer: "P",
  QTS_FreeCString: "S",
  QTS_DupValuePointer: "T",
  QTS_NewObject: "U",
  QTS_NewArrayBuffer: "X",
  QTS_NewFloat64: "Y",
  QTS_GetFloat64: "Z",
  QTS_NewString: "_",
  QTS_GetString: "$",
  QTS_IsJobPending: "fa",
  QTS_ExecutePendingJob: "ga",
  QTS_GetProp: "ha",
  QTS_SetProp: "ja",
  QTS_Call: "ma",
  QTS_ResolveException: "na",
  QTS_Dump: "oa",
  QTS_Eval: "pa",
  QTS_Typeof: "ra",
  QTS_GetGlobalObject: "ua",
  QTS_NewFunction: "Da",
  QTS_ArgvGetJSValueConstPointer: "Ea",
  QTS_RuntimeEnableInterruptHandler: "Fa",
  QTS_RuntimeEnableModuleLoader: "Ha",
  stackrestore: "Ma",
  stacksave: "Oa",
} as const;

type Name = keyof typeof EXPORTS;
/** A function of the module: pointers and numbers in, a pointer or a number out. */
type Fn = (...args: readonly number[]) => number;
/** The functions of QuickJS. */
export type Ffi = { readonly [K in Name]: Fn };

/** What the module imports: one letter each, and the memory, which is "a". */
const IMPORTS = "abcdefghijklmnopqrst";

/** Pages of 64 KiB that the module wants at least, and may have at most. */
const PAGES = 256;
const MAXPAGES = 32768;
const PAGE = 65536;
/** Where static data ends and the stack begins, and where the stack is empty. */
const STACKLOW = 90208;
const SP = 5333088;
/** The static word that says where the heap ends. */
const BRK = 86864;

type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number };
type Exports = Readonly<Record<string, unknown>>;

/** The size of a memory in pages of 64 KiB. */
type Pages = { readonly initial: number; readonly maximum: number };

/** As much of the WebAssembly interface as is used. */
type Wasm = {
  readonly Module: {
    new (bytes: Uint8Array): object;
    imports(m: object): readonly { readonly name: string }[];
    exports(m: object): readonly { readonly name: string }[];
  };
  readonly Memory: new (d: Pages) => Memory;
  readonly Instance: new (m: object, imports: object) => { readonly exports: Exports };
};

const wasm = (): Wasm => Reflect.get(globalThis, "WebAssembly") as Wasm;

/** What an instance calls outside. Pointers are offsets in its memory. */
export interface Outside {
  /** Milliseconds since 1970. */
  now(): number;
  /** A function that was made with this number is called; gives a pointer to a value, or 0. */
  call(fn: number, argv: number, argc: number): number;
  /** Whether what runs is to be broken off: asked after every STEPS passes of loops and calls. */
  interrupt(): boolean;
  /** Where `name` is that a module imports: a string of the heap, or 0 and an error thrown inside. */
  resolve(base: string, name: string): number;
  /** The text of a module: a string of the heap, or 0 and an error thrown inside. */
  source(name: string): number;
}

/** Passes of loops and calls of functions between two questions of interrupt(): see Instance.count. */
export const STEPS = 250;
/** Where a context counts the passes until the next question. QuickJS begins anew with 10,000 each time. */
const COUNTER = 232;

/** The instance cannot go on: its own stack, or its code, is broken. */
export class Broken extends Error {
  override readonly name: string = "Broken";
}

/** What is in the memory of an instance at rest. */
export type Contents = { readonly data: Uint8Array; readonly heap: Uint8Array };

let compiled: object | null = null;

/** Compiles the module, once. */
function moduleof(bytes: () => Uint8Array): object {
  if (compiled !== null) return compiled;
  const m = new (wasm().Module)(bytes());
  const names = wasm()
    .Module.imports(m)
    .map((i) => i.name);
  const has = new Set(
    wasm()
      .Module.exports(m)
      .map((e) => e.name),
  );
  if (names.toSorted().join("") !== IMPORTS || !Object.values(EXPORTS).every((n) => has.has(n)))
    throw new Error("this is not the QuickJS of @jitl/quickjs-wasmfile-release-sync 0.32.0");
  compiled = m;
  return m;
}

/** An instance that has never been used has its globals and nothing else; it is given to one memory after another. */
export class Instance {
  readonly ffi: Ffi;
  /** Whom its calls outside go to. */
  outside: Outside;
  /** Bytes that its memory may have; it does not grow beyond. */
  limit: number = Number.POSITIVE_INFINITY;
  readonly #memory: Memory;
  #bytes: Uint8Array;
  #words: Int32Array;

  constructor(bytes: () => Uint8Array, outside: Outside) {
    this.outside = outside;
    this.#memory = new (wasm().Memory)({ initial: PAGES, maximum: MAXPAGES });
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
    const made = new (wasm().Instance)(moduleof(bytes), { a: this.#imports() });
    const ffi = Object.entries(EXPORTS).map(([name, short]) => [name, made.exports[short]]);
    this.ffi = Object.fromEntries(ffi) as Ffi;
  }

  /** Its memory as bytes: ask again after whatever may have made it grow. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#look();
    return this.#bytes;
  }

  /** Its memory as words. */
  get words(): Int32Array {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#look();
    return this.#words;
  }

  #look(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /** Whether its memory is as large as that of a new one: then it is worth keeping for another program. */
  get small(): boolean {
    return this.#memory.buffer.byteLength === PAGES * PAGE;
  }

  /** Bytes of its memory in use. */
  get used(): number {
    return STACKLOW + this.#brk - SP;
  }

  get #brk(): number {
    return this.words[BRK >> 2] ?? 0;
  }

  /** A copy of what is in its memory. */
  save(): Contents {
    return { data: this.bytes.slice(0, STACKLOW), heap: this.bytes.slice(SP, this.#brk) };
  }

  /** Puts a copy of what another had in its place. */
  load(c: Contents): void {
    this.#room(SP + c.heap.length);
    this.bytes.set(c.data, 0);
    this.bytes.set(c.heap, SP);
    this.ffi.stackrestore(SP);
  }

  /** Has what another, which is at rest, has in its memory. */
  copy(from: Instance): void {
    const brk = from.#brk;
    this.#room(brk);
    this.bytes.set(from.bytes.subarray(0, STACKLOW), 0);
    this.bytes.set(from.bytes.subarray(SP, brk), SP);
    this.ffi.stackrestore(SP);
  }

  #room(bytes: number): void {
    const more = Math.ceil((bytes - this.#memory.buffer.byteLength) / PAGE);
    if (more > 0) this.#memory.grow(more);
  }

  /** Lets a context ask again after STEPS passes: in 10,000 a program may overflow its stack as many times. */
  count(ctx: number): void {
    this.words[(ctx + COUNTER) >> 2] = STEPS;
  }

  /** Bytes of the stack that are used. */
  get depth(): number {
    return SP - this.ffi.stacksave();
  }

  /** Numbers of its memory, from p on. */
  numbers(p: number, n: number): Float64Array {
    return new Float64Array(this.#memory.buffer, p, n);
  }

  /** The string at p, up to its zero. */
  text(p: number): string {
    const { bytes } = this;
    return utfdecode(bytes, p, bytes.indexOf(0, p));
  }

  /** A string of the heap, ended by a zero; 0 when there is no room. The caller frees it. */
  string(s: string): number {
    const n = utflen(s);
    const p = this.ffi.malloc(n + 1);
    if (p === 0) return 0;
    const { bytes } = this;
    utfput(s, bytes, p);
    bytes[p + n] = 0;
    return p;
  }

  /** The functions that the module imports, named as its build has them. */
  #imports(): Record<string, unknown> {
    const broken = (what: string) => (): never => {
      throw new Broken(what);
    };
    return {
      a: this.#memory,
      b: broken("assert"),
      c: () => 0, // fd_write
      d: () => 52, // fd_close: not supported
      e: () => 0, // environ_get
      f: (count: number, size: number) => this.#zero(count, size), // environ_sizes_get
      g: (_rt: number, _ctx: number, base: number, name: number) =>
        this.outside.resolve(this.text(base), this.text(name)),
      h: (_rt: number, _ctx: number, name: number) => this.outside.source(this.text(name)),
      i: () => (this.outside.interrupt() ? 1 : 0),
      j: () => 0, // setitimer
      k: (bytes: number) => this.#grow(bytes >>> 0),
      l: () => undefined, // the runtime is not kept alive
      m: (seconds: bigint, tm: number) => this.#localtime(Number(seconds), tm),
      n: (zone: number, daylight: number, std: number, dst: number) =>
        this.#timezone([zone, daylight], [std, dst]),
      o: () => 70, // fd_seek: not supported
      p: () => this.outside.now(),
      q: broken("abort"),
      r: broken("exit"),
      s: (_ctx: number, _self: number, argc: number, argv: number, fn: number) =>
        this.outside.call(fn, argv, argc),
      t: () => undefined, // a host's object is not used any more
    };
  }

  #zero(...at: readonly number[]): number {
    for (const p of at) this.words[p >> 2] = 0;
    return 0;
  }

  /** The heap's end moves: as emscripten, the memory then grows by a fifth. */
  #grow(bytes: number): boolean {
    const have = this.#memory.buffer.byteLength;
    const most = Math.min(MAXPAGES * PAGE, this.limit);
    if (bytes > most) return false;
    const want = Math.min(Math.max(bytes, have + Math.ceil(have / 5)), most);
    try {
      this.#memory.grow(Math.ceil((want - have) / PAGE));
    } catch {
      return false;
    }
    return true;
  }

  /** The zone of a vm is UTC: what the host's is would show where a program runs. */
  #localtime(seconds: number, tm: number): void {
    const d = new Date(seconds * 1000);
    const fields = [
      d.getUTCSeconds(),
      d.getUTCMinutes(),
      d.getUTCHours(),
      d.getUTCDate(),
      d.getUTCMonth(),
      d.getUTCFullYear() - 1900,
      d.getUTCDay(),
      Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0, 1)) / 86_400_000),
      0,
      0,
    ];
    this.words.set(fields, tm >> 2);
  }

  #timezone(zero: readonly number[], names: readonly number[]): void {
    this.#zero(...zero);
    for (const p of names) this.bytes.set([0x55, 0x54, 0x43, 0], p);
  }
}
