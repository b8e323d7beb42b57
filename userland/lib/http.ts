// The heads of HTTP/1.1 messages, and bodies whose length is known, as far as a GET needs them: RFC 9112.
// A Reader takes a connection's bytes; what it has read beyond a head is the beginning of the body.

import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../syscalls/sys.ts";

const BUF = 65536;
const MAXHEAD = 16384;

/** The first line of a message and its fields, by lower-case name. */
export type Head = { readonly line: string; readonly fields: ReadonlyMap<string, string> };

/** http://host[:port]/path taken apart; null if it is no such thing. */
export function parseurl(
  url: string,
): { readonly host: string; readonly port: number; readonly path: string } | null {
  const m = /^http:\/\/([\w.-]+)(?::(\d{1,5}))?(\/[!-~]*)?$/.exec(url);
  if (m === null) return null;
  const [, host = "", port = "80", path = "/"] = m;
  return { host, port: Number(port), path };
}

/** The name that a request's target stands for, "/" first and nothing above it; null if it is malformed. */
export function targetname(target: string): string | null {
  if (!target.startsWith("/")) return null;
  let text: string;
  try {
    text = decodeURIComponent(target.replace(/[?#].*$/s, ""));
  } catch {
    return null;
  }
  if (text.includes("\0")) return null;
  const elems: string[] = [];
  for (const e of text.split("/")) {
    if (e === "..") elems.pop();
    else if (e !== "" && e !== ".") elems.push(e);
  }
  return `/${elems.join("/")}`;
}

/** Parses a head without its empty line; null if it is malformed. */
export function parsehead(text: string): Head | null {
  const [line = "", ...rest] = text.split("\r\n");
  const fields = new Map<string, string>();
  for (const f of rest) {
    const m = /^([!#-'*+.^`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(f);
    if (m === null) return null;
    fields.set((m[1] ?? "").toLowerCase(), m[2] ?? "");
  }
  return { line, fields };
}

/** The bytes of a connection. */
export class Reader {
  readonly #sys: TaskSys;
  readonly #fd: number;
  readonly #buf: Uint8Array = new Uint8Array(BUF);
  #start = 0;
  #end = 0;

  constructor(sys: TaskSys, fd: number) {
    this.#sys = sys;
    this.#fd = fd;
  }

  /** The next head; null at the end of the connection. */
  *head(): Task<Head | null> {
    for (;;) {
      const end = this.#blank();
      if (end >= 0) {
        const head = parsehead(utfdecode(this.#buf, this.#start, end));
        this.#start = end + 4;
        if (head === null) throw new PlanError("malformed HTTP head");
        return head;
      }
      if (this.#end - this.#start > MAXHEAD) throw new PlanError("HTTP head too long");
      if (!(yield* this.#more())) {
        if (this.#start === this.#end) return null;
        throw new PlanError("HTTP head cut short");
      }
    }
  }

  /** A line of a chunked body. */
  *line(): Task<string> {
    for (;;) {
      for (let i = this.#start; i + 1 < this.#end; i++)
        if (this.#buf[i] === 13 && this.#buf[i + 1] === 10) {
          const text = utfdecode(this.#buf, this.#start, i);
          this.#start = i + 2;
          return text;
        }
      if (this.#end - this.#start > MAXHEAD || !(yield* this.#more()))
        throw new PlanError("HTTP body cut short");
    }
  }

  /** At most n bytes of what comes next, good until the next call; none at the end. */
  *data(n: number): Task<Uint8Array> {
    if (this.#start === this.#end && !(yield* this.#more())) return new Uint8Array(0);
    const end = Math.min(this.#end, this.#start + n);
    const part = this.#buf.subarray(this.#start, end);
    this.#start = end;
    return part;
  }

  /** Where an empty line begins; -1 if there is none. */
  #blank(): number {
    const b = this.#buf;
    for (let i = this.#start; i + 3 < this.#end; i++)
      if (b[i] === 13 && b[i + 1] === 10 && b[i + 2] === 13 && b[i + 3] === 10) return i;
    return -1;
  }

  *#more(): Task<boolean> {
    if (this.#start > 0) {
      this.#buf.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const n = yield* this.#sys.read(this.#fd, this.#buf.subarray(this.#end));
    this.#end += n;
    return n > 0;
  }
}
