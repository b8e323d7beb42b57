// Names as they may come in messages.

import { IOHDRSZ, MAXELEM, MAXUNAME, STATFIXLEN } from "../../../kernel/abi/const.ts";
import { type Dir, sizeD2M } from "../../../kernel/abi/dir.ts";
import { longer } from "../../../kernel/abi/elems.ts";
import { Ebadchar, Efilename, Enonexist, Etoolong, error } from "../../../kernel/abi/errors.ts";
import { utflen } from "../../../kernel/abi/utf.ts";

/**
 * A string of at most `limit` bytes; the error names both otherwise. A string that came in a message is a tree of
 * pieces until its characters are looked at, which utflen does: a fid keeps it, and a tree is several times as big.
 */
export function checklength(name: string, limit: number, what: string): void {
  if (utflen(name) > limit) error(`${Etoolong}: ${what} has at most ${limit} bytes`);
}

/** Names with '/' or NUL in them are no names; an empty one names nothing, and `limit` is in bytes. */
export function checkname(name: string, limit: number): void {
  if (name === "") error(Enonexist);
  if (longer(name, limit)) error(`${Etoolong}: an element has at most ${limit} bytes`);
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c === 0 || c === 0x2f) error(Ebadchar);
  }
}

/** A new name can be neither "." nor "..". */
export function checknewname(name: string, limit: number): void {
  if (name === "" || name === "." || name === "..") error(Efilename);
  checkname(name, limit);
}

/** Over a connection of more than this msize every entry can be read whose names are within their limits. */
const ROOMY = IOHDRSZ + STATFIXLEN + MAXELEM + 3 * MAXUNAME;

/** Whether there may be entries that no read over a connection of this msize could give. */
export const isnarrow = (msize: number): boolean => msize < ROOMY;

/** Throws for an entry that no read over a connection of this msize could give. */
export function checkentry(d: Dir, msize: number): void {
  if (sizeD2M(d) > msize - IOHDRSZ)
    error(`${Etoolong}: an entry has at most ${msize - IOHDRSZ} bytes here`);
}
