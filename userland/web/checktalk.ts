// What the editor and the checker of types say to each other. Places are offsets in the program's text.

/** What the editor asks: the program as it is, and what it wants to know of it. */
export type Question =
  | { readonly kind: "problems" }
  /** What the thing at a place is. */
  | { readonly kind: "hover"; readonly at: number }
  /** How what is before a place may go on. */
  | { readonly kind: "complete"; readonly at: number; readonly asked: boolean }
  /** What one of those is, and what else it changes when it is taken. */
  | { readonly kind: "entry"; readonly at: number; readonly entry: Entry };

export type Asked = {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  readonly question: Question;
};

/** A way to go on; `source` is the module that it must be imported from. */
export type Entry = {
  readonly name: string;
  readonly kind: string;
  readonly source: string | null;
};

/** Something wrong in the program. */
export type Fault = {
  readonly from: number;
  readonly to: number;
  readonly severity: "error" | "warning" | "info";
  readonly text: string;
};

/** What a thing is: how it is declared, what it is for, and its parameters, results and errors. */
export type Known = {
  readonly from: number;
  readonly to: number;
  readonly declared: string;
  readonly text: string;
  readonly tags: readonly (readonly [name: string, text: string])[];
};

/** Text to be put in place of other text. */
export type Change = { readonly from: number; readonly to: number; readonly insert: string };

export type Reply =
  | { readonly kind: "problems"; readonly faults: readonly Fault[] }
  | { readonly kind: "hover"; readonly known: Known | null }
  | { readonly kind: "complete"; readonly from: number; readonly entries: readonly Entry[] }
  | { readonly kind: "entry"; readonly known: Known | null; readonly changes: readonly Change[] };

/** A reply, or "ready" once the checker has loaded; null where a question could not be answered. */
export type Said =
  | { readonly ready: true }
  | { readonly ready: false; readonly id: number; readonly reply: Reply | null };
