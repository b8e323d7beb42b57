// The grammar of rc: one line of input becomes a tree, by recursive descent. What binds how, weakest first:
//
//	if while for   what follows them, as far as it goes
//	&& ||          from the left
//	! @ redir x=v  what follows them, with its pipes
//	|              from the left
//
// Where this grammar is wider than Plan 9's: a list in parentheses may go on over several lines, a backquote may
// have its separators before the brace, and a here document may be inside a block.

import type { Task } from "../../../syscalls/sys.ts";
import { type Lexer, type Mark, Syntaxerror, type Token } from "./lex.ts";
import { type Cmd, type Doc, type Redirect, type Word, seq } from "./tree.ts";

/** How deep commands may be in one another: what yacc's stack is to Plan 9's rc. */
const MAXDEPTH = 400;

const AND = 1;
const BANG = 2;
const PIPE = 3;

/** A here document that is still to be read. */
export type Pending = {
  readonly tag: string;
  readonly quoted: boolean;
  /** The file that it goes to, when it comes behind the whole line. */
  readonly name: string;
  /** Where its text goes, when it comes inside a block. */
  readonly doc: Doc;
};

/** What was read: a command (null is the empty one), and the here documents that come behind it. */
export type Line = { readonly cmd: Cmd | null; readonly docs: readonly Pending[] };

/** Gives each here document the name of its file. */
export type Newdoc = () => string;

export class Parser {
  readonly #lex: Lexer;
  readonly #newdoc: Newdoc;
  #token: Token | null = null;
  #pending: Pending[] = [];
  #depth = 0;

  constructor(lex: Lexer, newdoc: Newdoc) {
    this.#lex = lex;
    this.#newdoc = newdoc;
  }

  /** Reads one line with all that it opens; null at the end of the input. Throws Syntaxerror. */
  *line(): Task<Line | null> {
    this.#token = null;
    this.#pending = [];
    this.#depth = 0;
    if ((yield* this.#peek()).type === "eof") return null;
    const cmds: (Cmd | null)[] = [];
    for (;;) {
      const cmd = yield* this.#cmd(0);
      if (yield* this.#ismark("&")) cmds.push({ type: "async", body: cmd });
      else cmds.push(cmd);
      if ((yield* this.#accept(";")) || (yield* this.#accept("&"))) continue;
      yield* this.#expect("\n");
      return { cmd: seq(cmds), docs: this.#pending };
    }
  }

  *#peek(): Task<Token> {
    return (this.#token ??= yield* this.#lex.next());
  }

  *#next(): Task<Token> {
    const t = yield* this.#peek();
    this.#token = null;
    return t;
  }

  *#ismark(text: Mark): Task<boolean> {
    const t = yield* this.#peek();
    return t.type === "mark" && t.text === text;
  }

  *#accept(text: Mark): Task<boolean> {
    if (!(yield* this.#ismark(text))) return false;
    this.#token = null;
    return true;
  }

  *#expect(text: Mark): Task<void> {
    if (!(yield* this.#accept(text))) this.#fail();
  }

  #fail(): never {
    throw new Syntaxerror("syntax error", this.#lex.tok);
  }

  #deeper(): void {
    if (++this.#depth > MAXDEPTH) throw new Syntaxerror("yacc stack overflow", this.#lex.tok);
  }

  /** The commands up to a closing brace or parenthesis. */
  *#body(): Task<Cmd | null> {
    const cmds: (Cmd | null)[] = [];
    for (;;) {
      const cmd = yield* this.#cmd(0);
      if (yield* this.#ismark("&")) cmds.push({ type: "async", body: cmd });
      else cmds.push(cmd);
      if ((yield* this.#accept(";")) || (yield* this.#accept("&"))) continue;
      if (!(yield* this.#accept("\n"))) return seq(cmds);
      yield* this.#docs();
    }
  }

  /** Reads the here documents that a line inside a block has named. */
  *#docs(): Task<void> {
    const pending = this.#pending;
    this.#pending = [];
    for (const { tag, doc } of pending) {
      for (;;) {
        const line = yield* this.#lex.docline();
        if (line === null || line === tag) break;
        doc.text += `${line}\n`;
      }
    }
    if (pending.length > 0) this.#lex.docsdone();
  }

  *#brace(): Task<Cmd> {
    yield* this.#expect("{");
    const body = yield* this.#body();
    yield* this.#expect("}");
    return { type: "brace", body };
  }

  *#paren(): Task<Cmd> {
    yield* this.#expect("(");
    const body = yield* this.#body();
    yield* this.#expect(")");
    return { type: "pcmd", body };
  }

  /** A command with the operators behind it that bind more than `min`. */
  *#cmd(min: number): Task<Cmd | null> {
    this.#deeper();
    let left = yield* this.#operand();
    for (let n = 0; ; n++) {
      const t = yield* this.#peek();
      if (t.type === "pipe" && PIPE > min) {
        this.#token = null;
        const right = yield* this.#cmd(PIPE);
        left = { type: "pipe", fd0: t.fd0, fd1: t.fd1, left, right };
      } else if (t.type === "mark" && (t.text === "&&" || t.text === "||") && AND > min) {
        this.#token = null;
        const right = yield* this.#cmd(AND);
        left = { type: t.text === "&&" ? "and" : "or", left, right };
      } else {
        this.#depth -= n + 1;
        return left;
      }
      this.#deeper();
    }
  }

  *#operand(): Task<Cmd | null> {
    const t = yield* this.#peek();
    switch (t.type) {
      case "keyword":
        return yield* this.#keyword(t.text);
      case "dup":
      case "close":
        return yield* this.#prefixed(yield* this.#descriptor());
      case "redir": {
        const r = yield* this.#arrow();
        return "words" in r ? yield* this.#simple(r.words) : yield* this.#prefixed(r.redirect);
      }
      case "word":
        return yield* this.#simple(null);
      case "mark": {
        if (WORDMARKS.has(t.text)) return yield* this.#simple(null);
        if (t.text !== "{") return null;
        const brace = yield* this.#brace();
        return wrap(yield* this.#epilog(), brace);
      }
      default:
        return null;
    }
  }

  *#keyword(word: string): Task<Cmd | null> {
    if (word === "in" || word === "not") return null;
    yield* this.#next();
    switch (word) {
      case "if":
        return yield* this.#if();
      case "while": {
        const cond = yield* this.#paren();
        yield* this.#lex.skipnl();
        return { type: "while", cond, body: yield* this.#cmd(0) };
      }
      case "for":
        return yield* this.#for();
      case "switch": {
        const value = yield* this.#word();
        yield* this.#lex.skipnl();
        return { type: "switch", word: value, body: yield* this.#brace() };
      }
      case "fn": {
        const names = yield* this.#words();
        const body = (yield* this.#ismark("{")) ? yield* this.#brace() : null;
        return { type: "fn", names, body };
      }
      case "~": {
        yield* this.#accept("^");
        const subject = yield* this.#word();
        return { type: "match", word: subject, words: yield* this.#words() };
      }
      case "!":
        return { type: "bang", body: yield* this.#cmd(BANG) };
      default:
        return { type: "subshell", body: yield* this.#cmd(BANG) };
    }
  }

  *#if(): Task<Cmd> {
    const t = yield* this.#peek();
    if (t.type === "keyword" && t.text === "not") {
      this.#token = null;
      yield* this.#lex.skipnl();
      return { type: "not", body: yield* this.#cmd(0) };
    }
    const cond = yield* this.#paren();
    yield* this.#lex.skipnl();
    return { type: "if", cond, body: yield* this.#cmd(0) };
  }

  *#for(): Task<Cmd> {
    yield* this.#expect("(");
    const name = yield* this.#word();
    const t = yield* this.#peek();
    let words: readonly Word[] | null = null;
    if (t.type === "keyword" && t.text === "in") {
      this.#token = null;
      words = yield* this.#words();
    }
    yield* this.#expect(")");
    yield* this.#lex.skipnl();
    return { type: "for", name, words, body: yield* this.#cmd(0) };
  }

  /** A redirection in front of its command. */
  *#prefixed(redirect: Redirect): Task<Cmd> {
    return { type: "redirected", redirect, body: yield* this.#cmd(BANG) };
  }

  *#descriptor(): Task<Redirect> {
    const t = yield* this.#next();
    if (t.type === "dup") return { type: "dup", from: t.from, to: t.to };
    return t.type === "close" ? { type: "close", fd: t.fd } : this.#fail();
  }

  /** What an arrow begins: a redirection, or a word when a brace follows. */
  *#arrow(): Task<{ readonly redirect: Redirect } | { readonly words: Word }> {
    const t = yield* this.#next();
    if (t.type !== "redir") return this.#fail();
    if (yield* this.#ismark("{"))
      return { words: { type: "pipefd", rtype: t.rtype, body: yield* this.#brace() } };
    const word = yield* this.#word();
    if (t.rtype !== "here")
      return { redirect: { type: "redir", rtype: t.rtype, fd: t.fd, word, doc: null } };
    if (word.type !== "word") throw new Syntaxerror("Bad here tag", this.#lex.tok);
    return { redirect: this.#here(t.fd, word.text, word.quoted) };
  }

  /** A here document, which is read behind this line. */
  #here(fd: number, tag: string, quoted: boolean): Redirect {
    const name = this.#newdoc();
    const doc: Doc = { tag, quoted, text: "" };
    this.#pending.push({ tag, quoted, name, doc });
    const word: Word = { type: "word", text: name, quoted: false };
    return { type: "redir", rtype: "here", fd, word, doc };
  }

  *#epilog(): Task<Redirect[]> {
    const list: Redirect[] = [];
    for (;;) {
      const t = yield* this.#peek();
      if (t.type === "dup" || t.type === "close") list.push(yield* this.#descriptor());
      else if (t.type === "redir") {
        const r = yield* this.#arrow();
        list.push("redirect" in r ? r.redirect : this.#fail());
      } else return list;
    }
  }

  /** A command of words and redirections, or an assignment; its first word may have been read. */
  *#simple(first: Word | null): Task<Cmd> {
    const word = yield* this.#concatenated(first ?? (yield* this.#comword()));
    if (yield* this.#accept("=")) {
      const value = yield* this.#word();
      return { type: "assign", name: word, value, body: yield* this.#cmd(BANG) };
    }
    const args = [word];
    const redirects: Redirect[] = [];
    for (;;) {
      const t = yield* this.#peek();
      if (t.type === "dup" || t.type === "close") redirects.push(yield* this.#descriptor());
      else if (t.type === "redir") {
        const r = yield* this.#arrow();
        if ("redirect" in r) redirects.push(r.redirect);
        else args.push(yield* this.#concatenated(r.words));
      } else if (startsword(t)) args.push(yield* this.#word());
      else return wrap(redirects, { type: "simple", args });
    }
  }

  *#words(): Task<Word[]> {
    const words: Word[] = [];
    for (;;) {
      const t = yield* this.#peek();
      if (t.type === "redir") {
        const r = yield* this.#arrow();
        words.push(yield* this.#concatenated("words" in r ? r.words : this.#fail()));
      } else if (startsword(t)) words.push(yield* this.#word());
      else return words;
    }
  }

  *#word(): Task<Word> {
    return yield* this.#concatenated(yield* this.#primary());
  }

  *#concatenated(first: Word): Task<Word> {
    let left = first;
    let n = 0;
    for (; yield* this.#accept("^"); n++) {
      this.#deeper();
      left = { type: "conc", left, right: yield* this.#primary() };
    }
    this.#depth -= n;
    return left;
  }

  /** A word that is not concatenated: a keyword is one, too. */
  *#primary(): Task<Word> {
    const t = yield* this.#peek();
    if (t.type !== "keyword") return yield* this.#comword();
    this.#token = null;
    this.#lex.wasword();
    return { type: "word", text: t.text, quoted: false };
  }

  *#comword(): Task<Word> {
    const t = yield* this.#next();
    if (t.type === "word") return { type: "word", text: t.text, quoted: t.quoted };
    this.#deeper();
    let word: Word;
    if (t.type === "redir" && (yield* this.#ismark("{")))
      word = { type: "pipefd", rtype: t.rtype, body: yield* this.#brace() };
    else if (t.type === "mark" && t.text === "$") word = yield* this.#dollar();
    else if (t.type === "mark" && t.text === "$#")
      word = { type: "count", name: yield* this.#primary() };
    else if (t.type === "mark" && t.text === '$"')
      word = { type: "flat", name: yield* this.#primary() };
    else if (t.type === "mark" && t.text === "`") word = yield* this.#backquote();
    else if (t.type === "mark" && t.text === "(") word = yield* this.#list();
    else {
      this.#token = t;
      return this.#fail();
    }
    this.#depth--;
    return word;
  }

  *#dollar(): Task<Word> {
    const name = yield* this.#primary();
    if ((yield* this.#peek()).type !== "sub") return { type: "dol", name };
    this.#token = null;
    const words = yield* this.#words();
    yield* this.#expect(")");
    return { type: "sub", name, words };
  }

  /** A brace, with a word before it that says what separates; without the brace that word is the error. */
  *#backquote(): Task<Word> {
    if (yield* this.#ismark("{")) return { type: "backq", sep: null, body: yield* this.#brace() };
    yield* this.#peek();
    const { tok } = this.#lex;
    const sep = yield* this.#primary();
    if (!(yield* this.#ismark("{"))) throw new Syntaxerror("syntax error", tok);
    return { type: "backq", sep, body: yield* this.#brace() };
  }

  /** A list in parentheses. Where it is wrong and has newlines, the first of them is the error. */
  *#list(): Task<Word> {
    const words: Word[] = [];
    let lineno: number | null = null;
    try {
      for (;;) {
        for (const w of yield* this.#words()) words.push(w);
        if (!(yield* this.#ismark("\n"))) break;
        lineno ??= this.#lex.lineno;
        this.#token = null;
      }
      yield* this.#expect(")");
    } catch (e) {
      if (lineno !== null && e instanceof Syntaxerror)
        throw new Syntaxerror("syntax error", "\n", lineno);
      throw e;
    }
    return { type: "paren", words };
  }
}

const WORDMARKS: ReadonlySet<string> = new Set(["$", "$#", '$"', "`", "("]);

/** Whether a word begins with this token; an arrow does so only before a brace. */
function startsword(t: Token): boolean {
  if (t.type === "word" || t.type === "keyword") return true;
  return t.type === "mark" && WORDMARKS.has(t.text);
}

/** Puts redirections around a command, the first outermost. */
function wrap(list: readonly Redirect[], body: Cmd): Cmd {
  return list.reduceRight<Cmd>(
    (cmd, redirect) => ({ type: "redirected", redirect, body: cmd }),
    body,
  );
}
