// What crosses between a vm and the kernel, and how. Both sides share a few numbers in the vm's memory, the
// mailbox; strings and buffers go as arguments of the one function that the vm calls outside, and of the one
// that is called inside. The host checks each value that comes from a vm: a program may write anything there.

/** Slots of the mailbox. */
export const SLOT = {
  /** The number of a call, or of a note's handler that ran. */
  id: 0,
  /** What is asked: an index of CALLNAMES, or one of ASK. */
  op: 1,
  /** Which process of those that share the memory. */
  proc: 2,
  /** How many arguments. */
  narg: 3,
  /** 1: the stack of each call is wanted, as the argument behind the last. */
  stacks: 4,
  /** The kind of what comes in, and its number. */
  kind: 5,
  value: 6,
  /** How many bytes of the room go into the buffer of the call that is over. */
  filled: 7,
  /** Three slots for each argument: kind, number or offset, length. */
  args: 8,
} as const;

/** Bytes pass through a part of the vm's memory, the room, which has so many at first. */
export const ROOM = 8192;

/** Slots for an argument, and how many arguments a call has at most. */
export const PERARG = 3;
export const MAXARG = 5;
export const SLOTS: number = SLOT.args + PERARG * MAXARG;

/** What a value is. */
export const KIND = {
  undefined: 0,
  null: 1,
  number: 2,
  boolean: 3,
  /** Text without a zero byte, and well-formed. */
  string: 4,
  /** Any other text, as JSON. */
  text: 5,
  bigint: 6,
  /** A Uint8Array: where its bytes begin in the room, and how many there are. */
  bytes: 7,
  /** A semaphore: its number, and the value of its word. */
  word: 8,
  /** A list of strings, or the changes of a wstat, as JSON. */
  json: 9,
  function: 10,
  /** An object of this vm's, which another process that shares its memory gets as it is. */
  token: 11,
  /** What no call can use; with a word that says what it is. */
  other: 12,
  /** A PlanError, as JSON. */
  error: 13,
  /** A Uint8Array of so many bytes, which the call fills: they come back in the room. */
  fill: 14,
} as const;

/** What is asked that is no system call. */
export const ASK = {
  /** main returned: its exit status. */
  returned: -1,
  /** main threw, or a handler did: what it threw, as JSON. */
  threw: -2,
  /** The handler of a note returned. */
  handled: -3,
  /** The call of a thread is interrupted. */
  interrupt: -4,
  /** No part of the program reads the promise of this call, as far as is known; and: now one does. */
  unread: -5,
  read: -6,
  /** A function of the library has failed, as JSON, and no part of the program reads its promise; and: one does. */
  lost: -7,
  found: -8,
} as const;

/** What the vm gives the host when it begins: functions that are called inside. */
export const HOOKS = ["settle", "start", "begin", "child", "note", "word"] as const;
export type Hook = (typeof HOOKS)[number];

/** The functions outside, by their numbers. */
export const OUT = { call: 1, now: 2, random: 3, hooks: 4, room: 5 } as const;

/** Something thrown, on its way out. */
export type Thrown = {
  /** It is a PlanError; else another Error, or no Error at all. */
  readonly is: "planerror" | "error" | "value";
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly cause?: Thrown;
  /** The fields of a PlanError. */
  readonly fields?: Readonly<Record<string, string | number>>;
};

/** The fields of a PlanError that cross. */
export const FIELDS = ["call", "file", "element", "at", "offset", "step", "arg", "why"] as const;

/** A number that JSON has not, in JSON. */
export type Big = { readonly big: string };
