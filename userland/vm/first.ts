// The first memory: QuickJS begun, the library in it, and nothing of any program. It is made once, when the first
// vm program starts, and every program begins in a copy of it. That is much faster than to evaluate the library
// each time, and what the host knows of a memory (Layout) is so the same for all.

import { HOOKS, OUT, ROOM, SLOTS } from "./abi.ts";
import type { Hook } from "./abi.ts";
import { vmhost } from "./host.ts";
import { utflen } from "../../kernel/abi/utf.ts";
import { Instance } from "./quickjs.ts";
import type { Contents, Outside } from "./quickjs.ts";

/** The part of a memory that bytes pass through. */
export type Room = { readonly at: number; readonly length: number };

/** A new room; the memory owns it from now on, as a buffer whose value this gives: 0 when there is no place. */
export function newroom(
  i: Instance,
  ctx: number,
  length: number,
): Room & { readonly value: number } {
  const at = i.ffi.malloc(length);
  return { at, length, value: at === 0 ? 0 : i.ffi.QTS_NewArrayBuffer(ctx, at, length) };
}

/** Where things are in every memory. */
export type Layout = {
  readonly rt: number;
  readonly ctx: number;
  /** The mailbox: SLOTS numbers. */
  readonly mailbox: number;
  /** Room for a pointer to an argument. */
  readonly argp: number;
  /** The room at first: where it is, and how many bytes it has. */
  readonly room: Room;
  /** The functions that are called inside. */
  readonly hooks: ReadonlyMap<Hook, number>;
};

/** What QTS_Eval is told: the text is a module; and it is not run. */
const MODULE = 1;
const COMPILEONLY = 1 << 5;

/** The stack of QuickJS while nothing of a program runs. */
const STACK = 512 * 1024;

/** The library, as programs import it, and its module in this package. */
export const LIBRARY = "namec";
/** Whether a module is the library's, or one of those that it is made of. */
export const islibrary = (name: string): boolean =>
  name === LIBRARY || name.startsWith(`${LIBRARY}:`);
export const ENTRY = "userland/vm/inside/main.js";

/** Instances that programs have left, for others. */
const spare: Instance[] = [];
const SPARE = 8;

/** An instance whose memory holds nothing that counts. */
export function takeinstance(outside: Outside): Instance {
  const i = spare.pop();
  if (i === undefined) return new Instance(() => vmhost().wasm(), outside);
  i.outside = outside;
  return i;
}

/** Gives an instance back; a broken one, and one that has grown, is of no use to others. */
export function giveback(i: Instance, whole: boolean): void {
  i.outside = NOBODY;
  if (whole && i.small && spare.length < SPARE) spare.push(i);
}

/** Stands in where no program is. */
const NOBODY: Outside = {
  now: () => 0,
  call: () => 0,
  interrupt: () => false,
  resolve: () => 0,
  source: () => 0,
};

let made: { readonly contents: Contents; readonly layout: Layout } | null = null;

/** The first memory. */
export function first(): { readonly contents: Contents; readonly layout: Layout } {
  return (made ??= new Founder().make());
}

/**
 * How QTS_Dump writes an exception that nothing threw. QTS_Eval takes a module that it only read for a result: by
 * what the heap holds there, the result looks like an exception or not.
 */
const NOTHROWN = "[unsupported type]";

/** A module: its name and its text, and whether it is run or only read. */
type Source = { readonly name: string; readonly text: string; readonly run: boolean };

/** Evaluates a module, or only reads it; gives what was thrown, as JSON, or null. */
export function evaluate(i: Instance, ctx: number, what: Source): string | null {
  const { ffi } = i;
  const [name, text] = [i.string(what.name), i.string(what.text)];
  const r = ffi.QTS_Eval(
    ctx,
    text,
    utflen(what.text),
    name,
    0,
    what.run ? MODULE : MODULE | COMPILEONLY,
  );
  for (const p of [name, text]) ffi.free(p);
  const e = ffi.QTS_ResolveException(ctx, r);
  if (e === 0) {
    if (what.run) ffi.QTS_FreeValuePointer(ctx, r);
    return null;
  }
  const thrown = i.text(ffi.QTS_Dump(ctx, e));
  return !what.run && thrown === NOTHROWN ? null : thrown;
}

/** Makes the first memory, and stands outside of it meanwhile. */
class Founder implements Outside {
  readonly #i: Instance = takeinstance(this);
  readonly #hooks = new Map<Hook, number>();
  #ctx = 0;
  #room: Room = { at: 0, length: 0 };

  make(): { readonly contents: Contents; readonly layout: Layout } {
    const { ffi } = this.#i;
    ffi.ctors();
    const rt = ffi.QTS_NewRuntime();
    ffi.QTS_RuntimeSetMaxStackSize(rt, STACK);
    const ctx = (this.#ctx = ffi.QTS_NewContext(rt, 0));
    ffi.QTS_RuntimeEnableInterruptHandler(rt);
    ffi.QTS_RuntimeEnableModuleLoader(rt, 1);
    const mailbox = ffi.malloc(8 * SLOTS);
    const argp = ffi.malloc(8);
    this.#i.bytes.fill(0, mailbox, mailbox + 8 * SLOTS);
    this.#give(ctx, mailbox);
    const problem = evaluate(this.#i, ctx, {
      name: LIBRARY,
      text: vmhost().library(ENTRY),
      run: true,
    });
    while (problem === null && ffi.QTS_IsJobPending(rt) !== 0)
      ffi.QTS_FreeValuePointer(ctx, ffi.QTS_ExecutePendingJob(rt, -1, argp));
    if (problem !== null || this.#hooks.size !== HOOKS.length)
      throw new Error(`the library of vm programs does not begin: ${problem ?? ""}`);
    this.#i.count(ctx);
    const contents = this.#i.save();
    giveback(this.#i, true);
    const layout = { rt, ctx, mailbox, argp, room: this.#room, hooks: this.#hooks };
    return { contents, layout };
  }

  /** What inside/main.ts takes from the global object. */
  #give(ctx: number, mailbox: number): void {
    const { ffi } = this.#i;
    const $vm = ffi.QTS_NewObject(ctx);
    this.#set($vm, "mailbox", ffi.QTS_NewArrayBuffer(ctx, mailbox, 8 * SLOTS));
    for (const [name, fn] of Object.entries(OUT)) {
      const p = this.#i.string(name);
      this.#set($vm, name, ffi.QTS_NewFunction(ctx, p, 0, 0, fn));
      ffi.free(p);
    }
    const global = ffi.QTS_GetGlobalObject(ctx);
    this.#set(global, "$vm", $vm);
    ffi.QTS_FreeValuePointer(ctx, global);
  }

  /** Sets a property, and takes the value over. */
  #set(object: number, name: string, value: number): void {
    const { ffi } = this.#i;
    const p = this.#i.string(name);
    const key = ffi.QTS_NewString(this.#ctx, p);
    ffi.QTS_SetProp(this.#ctx, object, key, value);
    for (const v of [key, value]) ffi.QTS_FreeValuePointer(this.#ctx, v);
    ffi.free(p);
  }

  call(fn: number, argv: number, argc: number): number {
    const { ffi } = this.#i;
    if (fn === OUT.room) {
      const { value, ...room } = newroom(this.#i, this.#ctx, ROOM);
      this.#room = room;
      return value;
    }
    if (fn === OUT.hooks)
      for (const [i, name] of HOOKS.entries())
        if (i < argc) {
          const v = ffi.QTS_ArgvGetJSValueConstPointer(argv, i);
          this.#hooks.set(name, ffi.QTS_DupValuePointer(this.#ctx, v));
        }
    return 0;
  }

  now(): number {
    return 0;
  }

  interrupt(): boolean {
    return false;
  }

  resolve(base: string, name: string): number {
    return this.#i.string(librarymodule(base, name));
  }

  source(name: string): number {
    return this.#i.string(librarytext(name));
  }
}

/** What a module of the library imports: they name each other by their places in this package. */
export function librarymodule(base: string, name: string): string {
  const from = base === LIBRARY ? ENTRY : base.slice(LIBRARY.length + 1);
  return `${LIBRARY}:${beside(from, name)}`;
}

/** The text of a module of the library. */
export const librarytext = (name: string): string =>
  vmhost().library(name.slice(LIBRARY.length + 1));

/** "a/b/c.js", "../d.js" → "a/d.js" */
export function beside(from: string, name: string): string {
  const elems = from.split("/").slice(0, -1);
  for (const e of name.split("/"))
    if (e === "..") elems.pop();
    else if (e !== ".") elems.push(e);
  return elems.join("/");
}
