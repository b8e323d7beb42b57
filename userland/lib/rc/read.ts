// Reading commands: one line is parsed, its here documents are read, and its code runs in a thread above.

import { OWRITE } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import { utfencode } from "../../../kernel/abi/utf.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { writeall } from "../io.ts";
import { type Code, compile } from "./code.ts";
import { type Input, Lexer, Syntaxerror } from "./lex.ts";
import { Parser, type Pending } from "./parse.ts";
import type { Shell, Thread } from "./shell.ts";
import { idchr, rcquote } from "./word.ts";

/** What a thread that reads commands does until its input ends. */
const RDCMDS: Code = [{ op: "rdcmds" }, { op: "return" }];

/** Where commands come from: a file's name for messages, and whether a person types them. */
export type Source = {
  readonly input: Input;
  readonly file: string | null;
  readonly interactive: boolean;
};

/** A thread's input, and its place in it. */
export class Reading {
  readonly input: Input;
  readonly file: string | null;
  readonly interactive: boolean;
  readonly lex: Lexer;
  lineno = 1;

  constructor(sh: Shell, source: Source) {
    this.input = source.input;
    this.file = source.file;
    this.interactive = source.interactive;
    const count = (): number => this.lineno++;
    this.lex = new Lexer(
      {
        sys: sh.sys,
        lineno: () => this.lineno,
        *prompt(): Task<void> {
          if (source.interactive) {
            yield* sh.warn(sh.prompt);
            sh.prompt = sh.look("prompt").val[1] ?? "\t";
          }
          count();
        },
        echoes: () => sh.flags.has("V") || (sh.ndot >= 2 && sh.flags.has("v")),
        echo: (text) => sh.warn(text),
      },
      this.input,
    );
  }
}

/** Starts a thread that reads and runs commands, with these locals. */
export function startreading(sh: Shell, source: Source, local: Thread["local"]): Thread {
  const t = sh.start(RDCMDS, 0, local);
  t.reading = new Reading(sh, source);
  return t;
}

/** Reads a line and starts a thread that runs it; at the end, or after an error, the reading thread ends. */
export function* rdcmds(sh: Shell, t: Thread): Task<void> {
  const r = t.reading;
  if (r === null) return;
  if (sh.flags.has("s") && !sh.istrue)
    yield* sh.warn(`status=${sh.look("status").val.map(rcquote).join(" ")}\n`);
  if (r.interactive) sh.prompt = sh.look("prompt").val[0] ?? "% ";
  sh.interrupted = false;
  const code = yield* readline(sh, t, r);
  if (code !== null) {
    sh.traps.length = 0;
    t.pc--;
    sh.start(code, 0, t.local);
    return;
  }
  if (!r.interactive || (r.lex.eof && !sh.interrupted)) return yield* sh.finish();
  if (sh.interrupted) {
    yield* sh.warn("\n");
    r.lex.eof = false;
  }
  t.pc--;
}

/** The code of the next line; null at the end of the input, or when an error has been said. */
function* readline(sh: Shell, t: Thread, r: Reading): Task<Code | null> {
  try {
    const parser = new Parser(r.lex, () => `/tmp/here${hex(sh.pid)}.${hex(sh.ndoc++)}`);
    const line = yield* parser.line();
    if (line === null) return null;
    const names = line.docs.map((d) => d.name);
    const inner = (name: string): boolean => !names.includes(name);
    const opts = { eflag: sh.flags.has("e"), iflast: t.iflast, inner };
    const { code, iflast } = compile(line.cmd, opts, names);
    t.iflast = iflast;
    yield* readdocs(sh, r, line.docs);
    return code;
  } catch (e) {
    if (!(e instanceof Syntaxerror)) throw e;
    yield* complain(sh, r, e);
    yield* r.lex.skipline();
    return null;
  }
}

const hex = (n: number): string => n.toString(16).padStart(4, "0");

/** Says what is wrong with a line; what the lexer could not read is no syntax either. */
function* complain(sh: Shell, r: Reading, e: Syntaxerror): Task<void> {
  const lineno = e.lineno ?? r.lineno;
  const where =
    r.file !== null && !r.interactive
      ? `${r.file}:${lineno}: `
      : r.file !== null
        ? `${r.file}: `
        : r.interactive
          ? ""
          : `line ${lineno}: `;
  const token = e.token === "" || e.token.startsWith("\n") ? "" : `token ${rcquote(e.token)}: `;
  const messages =
    e.message.endsWith("tion syntax") || e.message === "pipe syntax" ? [e.message] : [];
  const last = messages.length > 0 ? "syntax error" : e.message;
  for (const m of [...messages, last]) yield* sh.warn(`rc: ${where}${token}${m}\n`);
  sh.look("status").set([last]);
}

/** Reads the here documents that come behind a line into their files. */
function* readdocs(sh: Shell, r: Reading, docs: readonly Pending[]): Task<void> {
  for (const d of docs) {
    let text = "";
    for (;;) {
      const line = yield* r.lex.docline();
      if (line === null || line === d.tag) break;
      text += `${d.quoted ? line : substitute(sh, line)}\n`;
    }
    yield* writedoc(sh, d.name, text);
  }
  if (docs.length > 0) r.lex.docsdone();
}

function* writedoc(sh: Shell, name: string, text: string): Task<void> {
  try {
    const fd = yield* sh.sys.create(name, OWRITE, 0o666);
    if (text !== "") yield* writeall(sh.sys, fd, utfencode(text));
    yield* sh.sys.close(fd);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new Syntaxerror("can't create here document", "");
  }
}

/** Puts variables into the text of a here document. */
export function substitutedoc(sh: Shell, text: string): string {
  return text
    .split("\n")
    .map((line) => substitute(sh, line))
    .join("\n");
}

/** One line: $x, $1, $#x and $"x become values, $$ a dollar; a caret behind a name goes away. */
function substitute(sh: Shell, line: string): string {
  let out = "";
  for (let i = 0; i < line.length; i++) {
    if (line.charAt(i) !== "$") {
      out += line.charAt(i);
      continue;
    }
    if (line.charAt(i + 1) === "$") {
      out += "$";
      i++;
      continue;
    }
    const kind = line.charAt(i + 1);
    const counted = (kind === "#" || kind === '"') && idchr(line.charAt(i + 2));
    const start = i + (counted ? 2 : 1);
    let end = start;
    while (idchr(line.charAt(end))) end++;
    const words = value(sh, line.slice(start, end));
    out += counted && kind === "#" ? `${words.length}` : words.join(" ");
    i = line.charAt(end) === "^" ? end : end - 1;
  }
  return out;
}

function value(sh: Shell, name: string): readonly string[] {
  const n = /^[0-9]+$/.test(name) ? Number(name) : 0;
  if (n === 0) return sh.look(name).val;
  return sh.look("*").val.slice(n - 1, n);
}
