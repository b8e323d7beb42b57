// What the page and its worker say to each other. Everything is plain data.

import type { Rcall, Recording, Revent, Rsaid } from "../view/record/recording.ts";

/** Which name space a kernel has. */
export type Space = "names" | "standard";

/** The two, in the order they are run and shown. */
export const SPACES: readonly Space[] = ["names", "standard"];

/** What is to be run. */
export type Order = {
  readonly kind: "run";
  /** The name of the program's file: "hello.ts". */
  readonly name: string;
  readonly text: string;
  /** What it is: "vm", with a memory of its own, unless it says "native", a function of the browser's engine. */
  readonly image?: "vm" | "native";
  /** Its arguments, without its name. */
  readonly args: readonly string[];
  /** The machines around it: "far:rtt=50ms". */
  readonly hosts: readonly string[];
  readonly seed: number;
};

/** Modules by the names of their files, each behind those that it imports: the last one is what was asked for. */
export type Modules = readonly (readonly [name: string, text: string])[];

/** What programs with a memory of their own run on: QuickJS, and the modules of their library. */
export type Engine = {
  readonly kind: "engine";
  readonly wasm: Uint8Array;
  readonly library: Modules;
};

/** What the page tells the worker. */
export type Told = Order | Engine | { readonly kind: "stop" } | Typed;

/** Something wrong with a program, with its place where that is known. */
export type Problem = { readonly text: string; readonly line: number | null };

/** How a run ended. */
export type Finished = {
  readonly space: Space;
  readonly recording: Recording;
  /** The exit status, "" for success. */
  readonly status: string;
  readonly problem: Problem | null;
};

/** A piece of a long list of a recording. */
export type Piece =
  | { readonly kind: "events"; readonly list: readonly Revent[] }
  | { readonly kind: "calls"; readonly list: readonly Rcall[] };

/**
 * What the worker says. The events and calls of a recording go ahead of it in pieces, so that the page does
 * not stand still while it unpacks a long one; here its lists of them are empty.
 */
export type Wired = Report | Piece;

/** What the page hears. */
export type Report =
  | { readonly kind: "said"; readonly space: Space; readonly said: Rsaid }
  | ({ readonly kind: "finished" } & Finished)
  /** The program could not be started: nothing was run. */
  | { readonly kind: "unfit"; readonly problem: Problem; readonly code: string | null }
  | { readonly kind: "over" };

/** What the machine of the terminal begins with. */
export type Begin = {
  readonly kind: "login";
  /** The file of the editor, for /usr/glenda. */
  readonly file: Edited;
  readonly space: Space;
  /** The disk of the kept files; null where there are none. */
  readonly kept: Uint8Array | null;
  readonly hosts: readonly string[];
  readonly seed: number;
};

/** A file of the editor: its name and its text. */
export type Edited = { readonly name: string; readonly text: string };

/** What the terminal tells its machine. */
export type Typed =
  | Begin
  /** A line with its newline, characters where the console is raw, or "" for the end of the file. */
  | { readonly kind: "typed"; readonly text: string }
  /** The note "interrupt" for what runs in the foreground. */
  | { readonly kind: "interrupt" }
  /** So many letters of output are on the screen. */
  | { readonly kind: "taken"; readonly letters: number }
  | { readonly kind: "complete"; readonly line: string; readonly asked: number }
  | { readonly kind: "file"; readonly file: Edited }
  /** Line n's recording is wanted. */
  | { readonly kind: "open"; readonly line: number }
  /** All that was written on the kept disk before sync n is stored. */
  | { readonly kind: "stored"; readonly n: number }
  /** What is in a directory is wanted, or a file's text. */
  | { readonly kind: "look"; readonly path: string };

/** A file of a directory. */
export type Listed = { readonly name: string; readonly dir: boolean; readonly length: number };

/** What there is at a path of the terminal's machine. */
export type Found =
  | { readonly what: "dir"; readonly path: string; readonly list: readonly Listed[] }
  | { readonly what: "file"; readonly path: string; readonly text: string }
  | { readonly what: "error"; readonly path: string; readonly text: string };

/** What the machine tells the terminal, but for recordings, which come as those of a run do. */
export type Machinesaid =
  | { readonly kind: "wrote"; readonly text: string }
  /** A program waits for a line, or for characters. */
  | { readonly kind: "reads"; readonly raw: boolean }
  | {
      readonly kind: "names";
      readonly asked: number;
      readonly word: string;
      readonly found: readonly string[];
    }
  /** The line of that number has begun. */
  | { readonly kind: "line"; readonly line: number; readonly text: string }
  | { readonly kind: "found"; readonly found: Found }
  /** Bytes are written on the kept disk; and they are to be stored. */
  | { readonly kind: "block"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "sync"; readonly n: number }
  /** There is no machine any more. */
  | { readonly kind: "down"; readonly why: string };
