// The keys of the stepper, for both of its faces: `namec step` on a terminal, and the page. A row is a line of the
// help: the keys of each face, the text, and the words in the terminal's last line. A key leads to a step of the
// tape, in the same way on both faces, or names an act, which each face carries out on its own screen.
//
// Some rows are of one face. The terminal has keys for its panes and its breakpoints, for which the page has the
// mouse. The page leaves Space, PgDn and Tab to the browser; its arrows go to the kind of steps that is chosen
// beside its buttons. v is the diagram on the terminal; the page has the diagram always, and v is its other run.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { follow } from "./tape.ts";
import type { By, Tape } from "./tape.ts";

/** An act that both faces have. */
export type Act =
  | "ask step"
  | "ask break"
  | "run"
  | "run back"
  | "ask search"
  | "hit"
  | "hit back"
  | "words"
  | "help";

/** The acts of each face. */
export type Acts = {
  readonly terminal:
    | Act
    | ("marks" | "pane" | "down" | "up" | "zoom" | "output" | "how" | "diagram" | "quit");
  readonly page: Act | ("other" | "both" | "auto" | "messages" | "names" | "processes" | "program");
};

export type Face = keyof Acts;

/** Gives the step that a key leads to, or -1 where there is none. `by` is the kind of steps that is chosen. */
export type Move = (tape: Tape, step: number, by: By) => number;

/** Keys that do one thing, which is a move or one of the acts A. */
export type Key<A extends string> = {
  /** "g (home)": the names of the keys. The help leaves out those in parentheses. */
  readonly names: string;
  readonly does: Move | A;
  /** What the terminal says where a move leads nowhere. */
  readonly lacks: string;
};

/** A line of the help. A face without keys in it does not have the line. */
export type Keyrow = {
  readonly text: string;
  readonly keys: { readonly [F in Face]: readonly Key<Acts[F]>[] };
  /** The words in the last line of a wide terminal, of a less wide one, of a narrow one. */
  readonly line: readonly string[];
};

const act = <A extends string>(names: string, does: A): Key<A> => ({ names, does, lacks: "" });

const move = (names: string, does: Move, lacks = ""): Key<never> => ({ names, does, lacks });

/** Keys that lead to the next step of a kind. */
const next = (names: string, kind: By, lacks: string): Key<never> =>
  move(names, (tape, step) => tape.next(step, kind), lacks);

/** Keys that lead to the step of a kind before. */
const back = (names: string, kind: By, lacks: string): Key<never> =>
  move(names, (tape, step) => tape.back(step, kind), lacks);

/** Keys that lead some steps on, or back, as far as there are steps. */
const skip = (names: string, by: number): Key<never> =>
  move(names, (tape, step) => Math.max(0, Math.min(step + by, tape.length - 1)));

const row = (text: string, keys: Keyrow["keys"], ...line: string[]): Keyrow => ({
  text,
  keys,
  line,
});

const both = (text: string, keys: readonly Key<Act>[], ...line: string[]): Keyrow =>
  row(text, { terminal: keys, page: keys }, ...line);

/** A key that leads to the next step of a kind, and as a capital to the one before; `none` says that there is none. */
function ofkind(text: string, key: string, kind: By, none: string): Keyrow {
  const keys = [
    next(key, kind, `${none} after this step`),
    back(key.toUpperCase(), kind, `${none} before this step`),
  ];
  return both(text, keys, `${key} ${kind}`, `${key} ${kind}`);
}

const terminal = (text: string, keys: Keyrow["keys"]["terminal"], ...line: string[]): Keyrow =>
  row(text, { terminal: keys, page: [] }, ...line);

const page = (text: string, ...keys: Keyrow["keys"]["page"]): Keyrow =>
  row(text, { terminal: [], page: keys });

const ONWARD = "no request goes on from here, or its server is not in the recording";
const BACKWARD = "this step is no request's or reply's, or there is nothing before it";
const FIRST = "this is the first step";
const LAST = "this is the last step";

/** All keys, in the order of the help. */
export const KEYS: readonly Keyrow[] = [
  page(
    "as the buttons next and back: by step, call, message or failure",
    move("right", (tape, step, by) => tape.next(step, by)),
    move("left", (tape, step, by) => tape.back(step, by)),
  ),
  row(
    "next step",
    {
      terminal: [next("right n j space (down) (return)", "step", LAST)],
      page: [next("n j", "step", LAST)],
    },
    "→ next",
    "→ next",
    "→ ← step",
  ),
  row(
    "step back",
    {
      terminal: [back("left p k (up) (backspace)", "step", FIRST)],
      page: [back("p k", "step", FIRST)],
    },
    "← back",
    "← back",
  ),
  ofkind("next message, message before", "m", "message", "no message"),
  ofkind("next system call, call before", "c", "call", "no system call"),
  ofkind("next failure, failure before", "f", "failure", "nothing fails"),
  both("first step, last step", [skip("g (home)", -Infinity), skip("G (end)", Infinity)]),
  terminal("ten steps on, ten back", [skip("pagedown", 10), skip("pageup", -10)]),
  both("go to a step by its number", [act(":", "ask step")]),
  both(
    "add a breakpoint: a call (stat), a name (/n/far/a), a message (Tread), a server (far!564), " +
      "a line (hello.ts:12), a process (pid 3) or a descriptor (fd 3)",
    [act("b", "ask break")],
    "b break",
  ),
  terminal("list the breakpoints; there, a number takes one away, 0 all", [act("B", "marks")]),
  both(
    "run to the next breakpoint, back to the one before",
    [act("r", "run"), act("R", "run back")],
    "r run",
  ),
  both("search the text of the steps", [act("/", "ask search")], "/ search"),
  both("next hit, hit before", [act("N", "hit"), act("P", "hit back")]),
  both("follow a request to its server and back; the other way", [
    move("s", (tape, step) => follow(tape, step), ONWARD),
    move("S", (tape, step) => follow(tape, step, true), BACKWARD),
  ]),
  terminal("choose a pane: it gets more room", [act("tab", "pane")], "Tab pane"),
  terminal("scroll it down, up", [act("d", "down"), act("u", "up")]),
  terminal("only this pane, and all of them again", [act("z", "zoom")]),
  terminal("all that the program has written so far", [act("o", "output")]),
  terminal("explain: the whole decision, and how such a step works", [act("e", "how")]),
  terminal("the messages as a diagram, and back", [act("v", "diagram")]),
  page("the other name space", act("v", "other")),
  page("both name spaces, side by side", act("V", "both")),
  page(
    "the picture: messages, names, processes, as the step needs",
    act("1", "messages"),
    act("2", "names"),
    act("3", "processes"),
    act("0", "auto"),
  ),
  both("what the words on the screen mean", [act("w", "words")], "w words", "w words", "w words"),
  page("run the program", act("ctrl-enter", "program")),
  row(
    "this help",
    { terminal: [act("? (h)", "help")], page: [act("?", "help")] },
    "? help",
    "? help",
    "? help",
  ),
  terminal("quit", [act("q ctrl-c", "quit")], "q quit", "q quit", "q quit"),
];

/** The keys of a face by their names. */
export function keysof<F extends Face>(face: F): ReadonlyMap<string, Key<Acts[F]>> {
  const keys: readonly Key<Acts[F]>[] = KEYS.flatMap((r) => r.keys[face]);
  return new Map(keys.flatMap((k) => names(k).map((name) => [bare(name), k])));
}

/** The lines of a face's help: the keys of each, and its text. */
export function helpof(face: Face): readonly (readonly [keys: readonly string[], text: string])[] {
  return KEYS.filter((r) => r.keys[face].length > 0).map((r) => [
    r.keys[face].flatMap((k) =>
      names(k)
        .filter((name) => name === bare(name))
        .map(keysign),
    ),
    r.text,
  ]);
}

/** All keys that do what a key does, as a reader sees them: "g (home)" → "g", "Home" */
export const signsof = (k: Named): string[] => names(k).map((name) => keysign(bare(name)));

type Named = { readonly names: string };

const names = (k: Named): string[] => k.names.split(" ");

/** "(home)" → "home" */
const bare = (name: string): string => name.replace(/[()]/g, "");

const SIGNS: Readonly<Record<string, string>> = nullproto({
  right: "→",
  left: "←",
  pagedown: "PgDn",
  pageup: "PgUp",
});

/** A key as a reader sees it: "right" → "→", "ctrl-c" → "Ctrl-C", "m" → "m". */
function keysign(name: string): string {
  if (name.length === 1) return name;
  return SIGNS[name] ?? name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
