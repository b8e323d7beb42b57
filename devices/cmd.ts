// Messages that programs write to control files: their words, and the table that a device looks them up in.
//
//	"kill extra" -> wrong #args in control message "kill extra"

import { ERRMAX } from "../kernel/abi/const.ts";
import { Ecmdargs, Ectlempty, Ectlmsg, error } from "../kernel/abi/errors.ts";
import { quote } from "../kernel/abi/elems.ts";
import { tokenize } from "../kernel/abi/quote.ts";
import { utfcut } from "../kernel/abi/utf.ts";

/** A message by its first word: how many words it has, 0 for any number, and what a device makes of it. */
export type Cmdtab<T> = ReadonlyMap<string, readonly [words: number, value: T]>;

/** A message that was found in a table. */
export type Cmd<T> = { readonly value: T; readonly words: readonly string[] };

/** What the table has for a message; "unknown control message", or how else the message is wrong. */
export function lookupcmd<T>(text: string, table: Cmdtab<T>): Cmd<T> {
  const words = tokenize(text);
  const [verb] = words;
  if (verb === undefined) return error(Ectlempty);
  const ent = table.get(verb);
  if (ent === undefined) return cmderror(Ectlmsg, words);
  const [want, value] = ent;
  if (want !== 0 && want !== words.length) cmderror(Ecmdargs, words);
  return { value, words };
}

/** The error with the message it is about, as much of it as there is room for. */
function cmderror(what: string, words: readonly string[]): never {
  return error(`${utfcut(`${what} "${words.map(quote).join(" ")}`, ERRMAX - 11)}"`);
}
