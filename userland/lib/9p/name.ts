// Names as they may come in messages.

import { Ebadchar, Efilename, Enonexist, error } from "../../../kernel/abi/errors.ts";

/** Names with '/' or NUL in them are no names; an empty one names nothing. */
export function checkname(name: string): void {
  if (name === "") error(Enonexist);
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c === 0 || c === 0x2f) error(Ebadchar);
  }
}

/** A new name can be neither "." nor "..". */
export function checknewname(name: string): void {
  if (name === "" || name === "." || name === "..") error(Efilename);
  checkname(name);
}
