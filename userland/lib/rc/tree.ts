// The tree of a command line, as the parser makes it, and its text again: what whatis prints and what
// /env keeps of a function.

import { deglob, forcequote } from "./word.ts";

/** How a file is redirected. */
export type Rtype = "append" | "write" | "read" | "rdwr" | "here";

/** A here document inside a block: its lines as they are in the source, and the tag with its quotes. */
export type Doc = { readonly tag: string; readonly quoted: boolean; text: string };

/** What stands where a word may stand. */
export type Word =
  | { readonly type: "word"; readonly text: string; readonly quoted: boolean }
  | { readonly type: "dol" | "flat" | "count"; readonly name: Word }
  | { readonly type: "sub"; readonly name: Word; readonly words: readonly Word[] }
  | { readonly type: "conc"; readonly left: Word; readonly right: Word }
  | { readonly type: "backq"; readonly sep: Word | null; readonly body: Cmd }
  | { readonly type: "paren"; readonly words: readonly Word[] }
  | { readonly type: "pipefd"; readonly rtype: Rtype; readonly body: Cmd };

/** A redirection before it is put around its command. */
export type Redirect =
  | {
      readonly type: "redir";
      readonly rtype: Rtype;
      readonly fd: number;
      readonly word: Word;
      readonly doc: Doc | null;
    }
  | { readonly type: "dup"; readonly from: number; readonly to: number }
  | { readonly type: "close"; readonly fd: number };

// One member of the union for each type, so that a switch can take them apart.
type Unary<T> = T extends string ? { readonly type: T; readonly body: Cmd | null } : never;
type Conditional<T> = T extends string
  ? { readonly type: T; readonly cond: Cmd; readonly body: Cmd | null }
  : never;
type Binary<T> = T extends string
  ? { readonly type: T; readonly left: Cmd | null; readonly right: Cmd | null }
  : never;

/** A command; null is the empty one. */
export type Cmd =
  | { readonly type: "simple"; readonly args: readonly Word[] }
  | { readonly type: "redirected"; readonly redirect: Redirect; readonly body: Cmd | null }
  | { readonly type: "seq"; readonly cmds: readonly Cmd[] }
  | Unary<"async" | "brace" | "pcmd" | "not" | "bang" | "subshell">
  | Conditional<"if" | "while">
  | {
      readonly type: "for";
      readonly name: Word;
      readonly words: readonly Word[] | null;
      readonly body: Cmd | null;
    }
  | { readonly type: "switch"; readonly word: Word; readonly body: Cmd }
  | { readonly type: "match"; readonly word: Word; readonly words: readonly Word[] }
  | Binary<"and" | "or">
  | {
      readonly type: "pipe";
      readonly fd0: number;
      readonly fd1: number;
      readonly left: Cmd | null;
      readonly right: Cmd | null;
    }
  | {
      readonly type: "assign";
      readonly name: Word;
      readonly value: Word;
      readonly body: Cmd | null;
    }
  | { readonly type: "fn"; readonly names: readonly Word[]; readonly body: Cmd | null };

/** Several commands as one; none is the empty command. */
export function seq(cmds: readonly (Cmd | null)[]): Cmd | null {
  const some = cmds.filter((c) => c !== null);
  if (some.length <= 1) return some[0] ?? null;
  return { type: "seq", cmds: some };
}

/** Whether the command is the word `case` with its patterns. */
export function iscase(c: Cmd): boolean {
  if (c.type !== "simple") return false;
  const first = c.args[0];
  return first?.type === "word" && !first.quoted && first.text === "case";
}

/** Prints a tree on one line; a here document takes lines of its own behind the line that names it. */
class Printer {
  #docs: Doc[] = [];

  /** What ends a command inside a block, with the documents that it named. */
  #end(sep: string): string {
    if (this.#docs.length === 0) return sep;
    const docs = this.#docs.map((d) => `${d.text}${d.tag}\n`).join("");
    this.#docs = [];
    return `\n${docs}`;
  }

  words(words: readonly Word[]): string {
    return words.map((w) => this.word(w)).join(" ");
  }

  word(w: Word): string {
    switch (w.type) {
      case "word":
        return w.quoted ? forcequote(w.text) : deglob(w.text);
      case "dol":
        return `$${this.word(w.name)}`;
      case "flat":
        return `$"${this.word(w.name)}`;
      case "count":
        return `$#${this.word(w.name)}`;
      case "sub":
        return `$${this.word(w.name)}(${this.words(w.words)})`;
      case "conc":
        return `${this.word(w.left)}^${this.word(w.right)}`;
      case "backq":
        return `\`${w.sep === null ? "" : this.word(w.sep)}${this.cmd(w.body)}`;
      case "paren":
        return `(${this.words(w.words)})`;
      case "pipefd":
        return `${arrow(w.rtype, w.rtype === "read" ? 0 : 1)}${this.cmd(w.body)}`;
    }
  }

  #redirect(r: Redirect): string {
    if (r.type === "dup") return `>[${r.to}=${r.from}]`;
    if (r.type === "close") return `>[${r.fd}=]`;
    if (r.doc !== null) this.#docs.push(r.doc);
    return `${arrow(r.rtype, r.fd)}${this.word(r.word)}`;
  }

  cmd(c: Cmd | null): string {
    if (c === null) return "";
    switch (c.type) {
      case "simple":
        return this.words(c.args);
      case "redirected": {
        const r = this.#redirect(c.redirect);
        const sep = c.body === null || c.redirect.type !== "redir" ? "" : " ";
        return `${r}${sep}${this.cmd(c.body)}`;
      }
      case "seq":
        return c.cmds
          .map((x, i) => this.cmd(x) + (i < c.cmds.length - 1 ? this.#end(";") : ""))
          .join("");
      case "assign":
        return `${this.word(c.name)}=${this.word(c.value)}${c.body === null ? "" : " "}${this.cmd(c.body)}`;
      case "fn": {
        const names = this.words(c.names);
        return c.body === null ? `fn ${names} ` : `fn ${names} ${this.cmd(c.body)}`;
      }
      case "pipe":
        return `${this.cmd(c.left)}|${pipefds(c.fd0, c.fd1)}${this.cmd(c.right)}`;
      case "and":
        return `${this.cmd(c.left)} && ${this.cmd(c.right)}`;
      case "or":
        return `${this.cmd(c.left)} || ${this.cmd(c.right)}`;
      default:
        return this.#compound(c);
    }
  }

  #compound(
    c: Exclude<
      Cmd,
      { type: "simple" | "redirected" | "seq" | "assign" | "fn" | "pipe" | "and" | "or" }
    >,
  ): string {
    switch (c.type) {
      case "async":
        return `${this.cmd(c.body)}&`;
      case "brace":
        return `{${this.cmd(c.body)}${this.#end("")}}`;
      case "pcmd":
        return `(${this.cmd(c.body)}${this.#end("")})`;
      case "not":
        return `if not ${this.cmd(c.body)}`;
      case "bang":
        return `! ${this.cmd(c.body)}`;
      case "subshell":
        return `@ ${this.cmd(c.body)}`;
      case "if":
        return `if${this.cmd(c.cond)}${this.cmd(c.body)}`;
      case "while":
        return `while ${this.cmd(c.cond)}${this.cmd(c.body)}`;
      case "for": {
        const list = c.words === null ? "" : ` in ${this.words(c.words) || "()"}`;
        return `for(${this.word(c.name)}${list})${this.cmd(c.body)}`;
      }
      case "switch":
        return `switch ${this.word(c.word)} ${this.cmd(c.body)}`;
      case "match":
        return `~ ${this.word(c.word)} ${this.words(c.words)}`;
    }
  }
}

function arrow(rtype: Rtype, fd: number): string {
  switch (rtype) {
    case "here":
      return fd === 0 ? "<<" : `<<[${fd}]`;
    case "read":
      return fd === 0 ? "<" : `<[${fd}]`;
    case "rdwr":
      return fd === 0 || fd === 1 ? "<>" : `<>[${fd}]`;
    case "append":
      return fd === 1 ? ">>" : `>>[${fd}]`;
    case "write":
      return fd === 1 ? ">" : `>[${fd}]`;
  }
}

function pipefds(fd0: number, fd1: number): string {
  if (fd1 !== 0) return `[${fd0}=${fd1}]`;
  return fd0 === 1 ? "" : `[${fd0}]`;
}

/** The text of a command: cmdtext of what `if(~ $1 x) echo x` parses to is `if(~ $1 x)echo x`. */
export function cmdtext(c: Cmd | null): string {
  return new Printer().cmd(c);
}
