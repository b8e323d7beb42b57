// The tokens of rc. A token is read only when the parser asks for it: what a word is depends on the token
// before, and the prompt is printed when the first character of a line is wanted.
//
// The lexer keeps its place in one Input, which reads a descriptor (or has its text from the start).

import { PlanError } from "../../../kernel/abi/errors.ts";
import { utfdecode } from "../../../kernel/abi/utf.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import type { Rtype } from "./tree.ts";
import { GLOB, idchr, wordchr } from "./word.ts";

/** What rc reads at a time: what comes behind it in the descriptor is left to the commands. */
const NBUF = 512;
/** The highest descriptor that a redirection may name. */
const MAXFD = 1_000_000;

/** The source of commands: a descriptor, or a text that is there already. */
export class Input {
  readonly fd: number;
  #text: string;
  #at = 0;
  /** Bytes of a character whose end is still to come. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(fd: number, text = "") {
    this.fd = fd;
    this.#text = text;
  }

  /** Whether next() gives a character without a read. */
  get ready(): boolean {
    return this.#at < this.#text.length;
  }

  /** The next UTF-16 unit of what was read. */
  next(): string {
    return this.#text.charAt(this.#at++);
  }

  /** Reads more; false at the end of file and after a failed or interrupted read. */
  *fill(sys: ThreadSys): Task<boolean> {
    if (this.fd < 0) return false;
    const buf = new Uint8Array(NBUF + this.#rest.length);
    buf.set(this.#rest);
    let n = this.#rest.length;
    for (;;) {
      let got = 0;
      try {
        got = yield* sys.read(this.fd, buf.subarray(n));
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
      }
      n += got;
      const whole = got === 0 ? n : wholerunes(buf, n);
      if (whole === 0 && got > 0 && n < buf.length) continue;
      this.#text = utfdecode(buf, 0, whole);
      this.#at = 0;
      this.#rest = buf.slice(whole, n);
      return this.#text !== "";
    }
  }
}

/** How many of n bytes are before a last character that is not complete. */
function wholerunes(buf: Uint8Array, n: number): number {
  for (let back = 1; back <= 3 && back <= n; back++) {
    const c = buf[n - back] ?? 0;
    if ((c & 0xc0) === 0x80) continue;
    const need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    return need > back ? n - back : n;
  }
  return n;
}

/** What the lexer asks of the interpreter. */
export interface Lexhost {
  readonly sys: ThreadSys;
  /** A line begins: counts it, and prints the prompt where there is one. */
  prompt(): Task<void>;
  lineno(): number;
  /** Whether -v or -V asks to see what is read. */
  echoes(): boolean;
  echo(text: string): Task<void>;
}

const KEYWORDS = ["for", "in", "while", "if", "not", "~", "!", "@", "switch", "fn"] as const;
export type Keyword = (typeof KEYWORDS)[number];
const keywords: ReadonlySet<string> = new Set(KEYWORDS);

/** Tokens of one or two characters. */
export type Mark =
  | "$"
  | "$#"
  | '$"'
  | "&"
  | "&&"
  | "||"
  | "("
  | ")"
  | "{"
  | "}"
  | ";"
  | "^"
  | "="
  | "`"
  | "\n";

export type Token =
  | { readonly type: "eof" | "sub" | "bad" }
  | { readonly type: "mark"; readonly text: Mark }
  | { readonly type: "keyword"; readonly text: Keyword }
  | { readonly type: "word"; readonly text: string; readonly quoted: boolean }
  | { readonly type: "redir"; readonly rtype: Rtype; readonly fd: number }
  | { readonly type: "dup"; readonly from: number; readonly to: number }
  | { readonly type: "close"; readonly fd: number }
  | { readonly type: "pipe"; readonly fd0: number; readonly fd1: number };

/** A line that cannot be parsed: the message, and the token it is about ("" for none). */
export class Syntaxerror extends Error {
  readonly token: string;
  readonly lineno: number | null;

  constructor(message: string, token: string, lineno: number | null = null) {
    super(message);
    this.token = token;
    this.lineno = lineno;
  }
}

type Arrow = { rtype: Rtype | "|"; text: string };

/** Reads tokens. Characters are UTF-16 units; "" is the end of file. */
export class Lexer {
  readonly #host: Lexhost;
  readonly input: Input;
  eof = false;
  /** The text of the last token, for error messages. */
  tok = "";
  #future: string | null = null;
  #peeked: string | null = null;
  #last = "";
  #doprompt = true;
  #inquote = false;
  #lastword = false;
  #lastdol = false;

  constructor(host: Lexhost, input: Input) {
    this.#host = host;
    this.input = input;
  }

  /** The number of the line that is read. */
  get lineno(): number {
    return this.#host.lineno();
  }

  /** The token before was a word after all: `if` where a word is wanted. */
  wasword(): void {
    this.#lastword = true;
  }

  *#raw(): Task<string> {
    if (!this.input.ready && !(yield* this.input.fill(this.#host.sys))) return "";
    return this.input.next();
  }

  /** Reads a character; a backslash before a newline makes a blank of both. */
  *#getnext(): Task<string> {
    if (this.#peeked !== null) {
      const c = this.#peeked;
      this.#peeked = null;
      return c;
    }
    if (this.eof) return "";
    if (this.#doprompt) {
      this.#doprompt = false;
      yield* this.#host.prompt();
    }
    let c = yield* this.#raw();
    if (!this.#inquote && c === "\\") {
      c = yield* this.#raw();
      if (c === "\n") {
        this.#doprompt = true;
        c = " ";
      } else {
        this.#peeked = c;
        c = "\\";
      }
    }
    if (c === "\n" || c === "") this.#doprompt = true;
    if (c === "") this.eof = true;
    else if (this.#host.echoes()) yield* this.#host.echo(c);
    return c;
  }

  *#nextc(): Task<string> {
    return (this.#future ??= yield* this.#getnext());
  }

  *#advance(): Task<string> {
    const c = yield* this.#nextc();
    this.#last = c;
    this.#future = null;
    return c;
  }

  *#nextis(c: string): Task<boolean> {
    if ((yield* this.#nextc()) !== c) return false;
    yield* this.#advance();
    return true;
  }

  *#skipwhite(): Task<void> {
    for (;;) {
      let c = yield* this.#nextc();
      if (c === "#")
        for (;;) {
          c = yield* this.#nextc();
          if (c === "\n" || c === "") break;
          yield* this.#advance();
        }
      if (c !== " " && c !== "\t") return;
      yield* this.#advance();
    }
  }

  /** Skips blanks, comments and newlines: a command may go on in the next line here. */
  *skipnl(): Task<void> {
    for (;;) {
      yield* this.#skipwhite();
      if ((yield* this.#nextc()) !== "\n") return;
      yield* this.#advance();
    }
  }

  /** Skips the rest of a line that is wrong, and forgets what the last token was. */
  *skipline(): Task<void> {
    this.#lastword = this.#lastdol = false;
    while (this.#last !== "\n" && this.#last !== "") yield* this.#advance();
  }

  *next(): Task<Token> {
    const d = yield* this.#nextc();
    if (this.#lastword) {
      this.#lastword = false;
      if (d === "(") {
        yield* this.#advance();
        this.tok = "( [SUB]";
        return { type: "sub" };
      }
      if (wordchr(d) || (d !== "" && "'`$".includes(d))) {
        this.tok = "^";
        return { type: "mark", text: "^" };
      }
    }
    this.#inquote = false;
    yield* this.#skipwhite();
    const c = yield* this.#advance();
    if (c === "$") return yield* this.#dollar();
    const wasdol = this.#lastdol;
    this.#lastdol = false;
    if (c === "") {
      this.tok = "EOF";
      return { type: "eof" };
    }
    if (c === "&") return yield* this.#ampersand();
    if (c === "|" || c === "<" || c === ">") return yield* this.#redirection(c);
    if (c === "'") return yield* this.#quoted();
    if (wordchr(c)) return yield* this.#word(c, wasdol);
    this.tok = c;
    return { type: "mark", text: c as Mark };
  }

  *#dollar(): Task<Token> {
    this.#lastdol = true;
    const text = (yield* this.#nextis("#")) ? "$#" : (yield* this.#nextis('"')) ? '$"' : "$";
    this.tok = text;
    return { type: "mark", text };
  }

  *#ampersand(): Task<Token> {
    const double = yield* this.#nextis("&");
    if (double) yield* this.skipnl();
    const text = double ? "&&" : "&";
    this.tok = text;
    return { type: "mark", text };
  }

  *#redirection(c: "|" | "<" | ">"): Task<Token> {
    if (c === "|" && (yield* this.#nextis("|"))) {
      yield* this.skipnl();
      this.tok = "||";
      return { type: "mark", text: "||" };
    }
    const a: Arrow = { rtype: c === "|" ? "|" : c === "<" ? "read" : "write", text: c };
    if (c !== "|" && (yield* this.#nextis(c))) {
      a.rtype = c === "<" ? "here" : "append";
      a.text += c;
    } else if (c === "<" && (yield* this.#nextis(">"))) {
      a.rtype = "rdwr";
      a.text += ">";
    }
    const t = (yield* this.#nextis("[")) ? yield* this.#fds(a) : arrowtoken(a.rtype);
    this.tok = a.text;
    if (t.type === "bad")
      throw new Syntaxerror(a.rtype === "|" ? "pipe syntax" : "redirection syntax", a.text);
    if (t.type === "pipe") yield* this.skipnl();
    return t;
  }

  /** The descriptors of a redirection: [2], [2=1] or [2=]. */
  *#fds(a: Arrow): Task<Token> {
    let c = yield* this.#advance();
    a.text += `[${c}`;
    if (!digit(c)) return { type: "bad" };
    let first = "";
    do {
      first += c;
      a.text += c;
      c = yield* this.#advance();
    } while (digit(c));
    const fd = number(first);
    let second: string | null = null;
    if (c === "=") {
      a.text += "=";
      second = "";
      for (c = yield* this.#advance(); digit(c); c = yield* this.#advance()) {
        second += c;
        a.text += c;
      }
      if (a.rtype === "|" && second === "") return { type: "bad" };
    }
    const odd = second !== null && (a.rtype === "here" || a.rtype === "append");
    if (c !== "]" || odd) return { type: "bad" };
    a.text += "]";
    if (a.rtype === "|")
      return { type: "pipe", fd0: fd, fd1: second === null ? 0 : number(second) };
    if (second === null) return { type: "redir", rtype: a.rtype, fd };
    return second === "" ? { type: "close", fd } : { type: "dup", from: number(second), to: fd };
  }

  *#quoted(): Task<Token> {
    this.#lastword = true;
    this.#inquote = true;
    let text = "";
    for (;;) {
      const c = yield* this.#advance();
      if (c === "") break;
      if (c === "'" && !(yield* this.#nextis("'"))) break;
      text += c;
    }
    this.tok = text;
    return { type: "word", text, quoted: true };
  }

  *#word(first: string, name: boolean): Task<Token> {
    let text = "";
    let plain = "";
    for (let c = first; ;) {
      if (c === "*" || c === "[" || c === "?" || c === GLOB) text += GLOB;
      text += c;
      plain += c;
      c = yield* this.#nextc();
      if (name ? !idchr(c) : !wordchr(c)) break;
      yield* this.#advance();
    }
    this.tok = text;
    if (keywords.has(plain)) return { type: "keyword", text: plain as Keyword };
    this.#lastword = true;
    return { type: "word", text, quoted: false };
  }

  /** One line of a here document, without its newline; null at the end of file. */
  *docline(): Task<string | null> {
    let line = "";
    yield* this.#host.prompt();
    for (;;) {
      const c = yield* this.#raw();
      if (c === "\n") break;
      if (c === "") return null;
      line += c;
    }
    this.#doprompt = true;
    return line;
  }

  /** The here documents are read: the next line begins. */
  docsdone(): void {
    this.#doprompt = true;
  }
}

const digit = (c: string): boolean => c >= "0" && c <= "9" && c.length === 1;

/** A descriptor's number; one out of range stays so, and fails when it is used. */
const number = (digits: string): number => Math.min(Number(digits), MAXFD);

function arrowtoken(rtype: Rtype | "|"): Token {
  if (rtype === "|") return { type: "pipe", fd0: 1, fd1: 0 };
  return { type: "redir", rtype, fd: rtype === "write" || rtype === "append" ? 1 : 0 };
}
