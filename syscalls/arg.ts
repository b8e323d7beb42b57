// The arguments of system calls come from programs and may be anything: a wrong one is "bad arg in
// system call", never an exception of ours.

import { MAXOFFSET } from "../kernel/abi/const.ts";
import { Ebadarg, Enegoff, error } from "../kernel/abi/errors.ts";

export const NSPERMS = 1e6;
/** About a hundred days: what a clock of nanoseconds counts exactly. */
export const MAXMS: number = Number.MAX_SAFE_INTEGER / NSPERMS;

export function checkname(name: string): void {
  if (typeof name !== "string") error(Ebadarg);
}

/** True bytes: neither a Proxy of them, whose traps would run, nor an object that only inherits from Uint8Array. */
export function checkbytes(bytes: Uint8Array): void {
  if (!ArrayBuffer.isView(bytes) || !(bytes instanceof Uint8Array)) error(Ebadarg);
}

/** A whole number. */
export function checknum(n: number): void {
  if (!Number.isInteger(n)) error(Ebadarg);
}

/** A place in a file. */
export function checkoffset(offset: number): void {
  checknum(offset);
  if (offset < 0) error(Enegoff);
  if (offset > MAXOFFSET) error(Ebadarg);
}
