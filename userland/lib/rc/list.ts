// The operations on lists: words, variables, subscripts, concatenation, matching. None of them waits but where
// it says an error.

import type { Task } from "../../../syscalls/sys.ts";
import { match } from "./glob.ts";
import type { List, Shell, Thread } from "./shell.ts";
import { deglob } from "./word.ts";

const NOTONE = "variable name not singleton!";

/** The list on top, which is taken away, in the order of its words. */
export function poplist(t: Thread): string[] {
  return (t.lists.pop() ?? []).toReversed();
}

const top = (t: Thread): List => t.lists.at(-1) ?? [];

/** Puts words in front of the list on top. */
export function pushwords(t: Thread, words: readonly string[]): void {
  const list = top(t);
  for (let i = words.length - 1; i >= 0; i--) list.push(words[i] ?? "");
}

/** The one word of the list on top, which is taken away; null, with an error said, if it is not one. */
function* popname(sh: Shell, t: Thread, problem = NOTONE): Task<string | null> {
  const list = t.lists.pop() ?? [];
  if (list.length === 1) return deglob(list[0] ?? "");
  yield* sh.fail(problem);
  return null;
}

/** The number that a name of digits is; 0 for another name. */
const argument = (name: string): number => (/^[0-9]+$/.test(name) ? Number(name) : 0);

/** $x, or $1 of $*. */
export function* dol(sh: Shell, t: Thread): Task<void> {
  const name = yield* popname(sh, t);
  if (name === null) return;
  const n = argument(name);
  const star = sh.look("*").val;
  pushwords(t, n === 0 ? sh.look(name).val : star.slice(n - 1, n));
}

/** $"x: all words as one. */
export function* flat(sh: Shell, t: Thread): Task<void> {
  const name = yield* popname(sh, t);
  if (name !== null) top(t).push(sh.look(name).val.join(" "));
}

/** $#x */
export function* count(sh: Shell, t: Thread): Task<void> {
  const name = yield* popname(sh, t);
  if (name === null) return;
  const n = argument(name);
  const star = sh.look("*").val;
  top(t).push(String(n === 0 ? sh.look(name).val.length : n <= star.length ? 1 : 0));
}

/** $x(2 4-6) */
export function* sub(sh: Shell, t: Thread): Task<void> {
  const subscripts = poplist(t);
  const name = yield* popname(sh, t);
  if (name === null) return;
  const { val } = sh.look(name);
  pushwords(
    t,
    subscripts.flatMap((s) => subwords(val, deglob(s))),
  );
}

/** The words that one subscript means: "3", "2-4", "4-". */
function subwords(val: readonly string[], subscript: string): readonly string[] {
  const [, first = "", range = "", last = ""] = /^([0-9]*)(-?)([0-9]*)/.exec(subscript) ?? [];
  const from = Number(first);
  const to =
    range === "" ? from : last === "" && subscript.endsWith("-") ? val.length : Number(last);
  return from < 1 || from > val.length || to < from ? [] : val.slice(from - 1, to);
}

/** a^b: word by word, or one word with each of the other list. */
export function* conc(sh: Shell, t: Thread): Task<void> {
  const left = poplist(t);
  const right = poplist(t);
  const [l, r] = [left.length, right.length];
  if (l === 0 && r === 0) return;
  if (l === 0 || r === 0) return yield* sh.fail("null list in concatenation");
  if (l !== 1 && r !== 1 && l !== r)
    return yield* sh.fail("mismatched list lengths in concatenation");
  const n = Math.max(l, r);
  const word = (list: string[], i: number): string => list[list.length === 1 ? 0 : i] ?? "";
  pushwords(
    t,
    Array.from({ length: n }, (_, i) => word(left, i) + word(right, i)),
  );
}

/** ~ subject pattern ... */
export function matchop(sh: Shell, t: Thread): void {
  const subject = poplist(t).join(" ");
  const found = poplist(t).some((p) => match(subject, p));
  sh.status = found ? "" : "no match";
}

/** Whether the value of a switch, which stays, is of this case, whose patterns are taken away. */
export function caseop(t: Thread): boolean {
  const patterns = poplist(t);
  const subject = top(t).toReversed().join(" ");
  return patterns.some((p) => match(subject, p));
}

/** x=v in front of a command. */
export function* local(sh: Shell, t: Thread): Task<void> {
  const name = yield* popname(sh, t, "variable name must be singleton\n");
  if (name !== null) sh.pushlocal(t, name, poplist(t));
}

/** The end of a local: the variable that it hid must be written to /env again. */
export function unlocal(sh: Shell, t: Thread): void {
  const l = t.local;
  if (l === null) return;
  t.local = l.next;
  sh.look(l.v.name).changed = true;
}

/** The name of an assignment whose value is still on top. */
export function* assignname(sh: Shell, t: Thread): Task<string | null> {
  return yield* popname(sh, t);
}

/** The next turn of a loop: false when the list is at its end. */
export function forop(t: Thread): boolean {
  const word = top(t).pop();
  if (word === undefined) {
    t.lists.pop();
    return false;
  }
  t.local?.v.set([word]);
  return true;
}
