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
  /** Its arguments, without its name. */
  readonly args: readonly string[];
  /** The machines around it: "far:rtt=50ms". */
  readonly hosts: readonly string[];
  readonly seed: number;
};

/** What the page tells the worker. */
export type Told = Order | { readonly kind: "stop" };

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
