// The code that a tree is compiled to: a row of operations for the interpreter, which keeps its place in it as
// a number. So a child process is a copy of the interpreter that begins at another place.
//
// A list is evaluated from its last word to its first.

import { type Cmd, type Redirect, type Rtype, type Word, cmdtext, iscase } from "./tree.ts";
import { Syntaxerror } from "./lex.ts";

/** A function: its text, as whatis prints it, and its code. */
export type Fn = { readonly text: string; readonly code: Code };

/** Operations that need nothing. */
export type Plain =
  | "assign"
  | "bang"
  | "conc"
  | "count"
  | "delfn"
  | "dol"
  | "eflag"
  | "exit"
  | "flat"
  | "glob"
  | "local"
  | "mark"
  | "match"
  | "pipewait"
  | "popm"
  | "popredir"
  | "rdcmds"
  | "rdfns"
  | "return"
  | "settrue"
  | "simple"
  | "sub"
  | "unlocal"
  | "wastrue";

/** Operations that go on at another place, at once or in the parent of a fork. */
export type Jump =
  | "async"
  | "case"
  | "false"
  | "for"
  | "if"
  | "ifnot"
  | "jump"
  | "subshell"
  | "true";

export type Op =
  | { readonly op: Plain }
  | { readonly op: Jump; to: number }
  | { readonly op: "word" | "delhere"; readonly text: string }
  | { readonly op: "fn"; readonly fn: Fn }
  | { readonly op: "redir"; readonly rtype: Rtype; readonly fd: number }
  | { readonly op: "doc"; readonly text: string; readonly quoted: boolean; readonly fd: number }
  | { readonly op: "dup"; readonly from: number; readonly to: number }
  | { readonly op: "close"; readonly fd: number }
  | { readonly op: "backq"; readonly sep: boolean; to: number }
  | { readonly op: "pipefd"; readonly write: boolean; to: number }
  | { readonly op: "pipe"; readonly fd0: number; readonly fd1: number; right: number; to: number };

export type Code = readonly Op[];

/** What the compiler is asked to do besides. */
export type Codeopts = {
  /** The flag -e: a command that fails ends the shell. */
  readonly eflag: boolean;
  /** The last command of the line before was an `if`. */
  readonly iflast: boolean;
  /** The documents that come inside blocks and not behind the line. */
  readonly inner: (name: string) => boolean;
};

/** The code of a line, and whether `if not` may follow it. */
export type Compiled = { readonly code: Code; readonly iflast: boolean };

/** Compiles one line; `behind` are the files of its here documents, which it removes. Throws Syntaxerror. */
export function compile(cmd: Cmd | null, opts: Codeopts, behind: readonly string[]): Compiled {
  const c = new Compiler(opts);
  c.cmd(cmd, opts.eflag);
  for (const text of behind) c.code.push({ op: "delhere", text });
  c.code.push({ op: "return" });
  return { code: c.code, iflast: c.iflast };
}

/** A jump, whose end may still be to come. */
type Open = { to: number };

class Compiler {
  readonly code: Op[] = [];
  iflast: boolean;
  readonly #opts: Codeopts;

  constructor(opts: Codeopts) {
    this.#opts = opts;
    this.iflast = opts.iflast;
  }

  #emit(op: Plain): void {
    this.code.push({ op });
  }

  /** A jump whose goal is set by #here. */
  #jump(op: Jump): Extract<Op, { op: Jump }> {
    const j: Extract<Op, { op: Jump }> = { op, to: 0 };
    this.code.push(j);
    return j;
  }

  #here(j: Open): void {
    j.to = this.code.length;
  }

  words(words: readonly Word[]): void {
    for (const w of words.toReversed()) this.word(w);
  }

  word(w: Word): void {
    switch (w.type) {
      case "word":
        this.code.push({ op: "word", text: w.text });
        return;
      case "dol":
      case "flat":
      case "count":
        this.#emit("mark");
        this.word(w.name);
        this.#emit(w.type);
        return;
      case "sub":
        this.#emit("mark");
        this.word(w.name);
        this.#emit("mark");
        this.words(w.words);
        this.#emit("sub");
        return;
      case "conc":
        this.#emit("mark");
        this.word(w.right);
        this.#emit("mark");
        this.word(w.left);
        this.#emit("conc");
        return;
      case "paren":
        this.words(w.words);
        return;
      case "backq":
        this.#backq(w);
        return;
      case "pipefd": {
        const p: Extract<Op, { op: "pipefd" }> = { op: "pipefd", write: w.rtype !== "read", to: 0 };
        this.code.push(p);
        this.cmd(w.body, this.#opts.eflag);
        this.#emit("exit");
        this.#here(p);
      }
    }
  }

  #backq(w: Extract<Word, { type: "backq" }>): void {
    if (w.sep !== null) {
      this.#emit("mark");
      this.word(w.sep);
    }
    const b: Extract<Op, { op: "backq" }> = { op: "backq", sep: w.sep !== null, to: 0 };
    this.code.push(b);
    this.cmd(w.body, false);
    this.#emit("exit");
    this.#here(b);
  }

  /** Compiles a command, and keeps whether an `if` was last. */
  cmd(c: Cmd | null, eflag: boolean): void {
    if (c === null) return;
    const open = c.type === "not" || c.type === "seq";
    if (!open) this.iflast = false;
    this.#cmd(c, eflag);
    if (!open) this.iflast = c.type === "if";
    else if (c.type === "seq") this.iflast = c.cmds[0]?.type === "if";
    else if (c.body !== null) this.iflast = c.body.type === "if";
  }

  #cmd(c: Cmd, eflag: boolean): void {
    switch (c.type) {
      case "simple":
        this.#emit("mark");
        this.words(c.args);
        this.#emit("simple");
        if (eflag) this.#emit("eflag");
        return;
      case "seq":
        for (const x of c.cmds) this.cmd(x, eflag);
        return;
      case "brace":
      case "pcmd":
        this.cmd(c.body, eflag);
        return;
      case "bang":
        this.cmd(c.body, eflag);
        this.#emit("bang");
        return;
      case "match":
        this.#emit("mark");
        this.words(c.words);
        this.#emit("mark");
        this.word(c.word);
        this.#emit("match");
        if (eflag) this.#emit("eflag");
        return;
      case "redirected":
        this.#redirected(c.redirect, c.body, eflag);
        return;
      case "assign":
        this.#assign(c, eflag);
        return;
      case "fn":
        this.#fn(c);
        return;
      case "switch":
        this.#switch(c, eflag);
        return;
      default:
        this.#flow(c, eflag);
    }
  }

  #flow(
    c: Exclude<
      Cmd,
      {
        type:
          | "simple"
          | "seq"
          | "brace"
          | "pcmd"
          | "bang"
          | "match"
          | "redirected"
          | "assign"
          | "fn"
          | "switch";
      }
    >,
    eflag: boolean,
  ): void {
    switch (c.type) {
      case "async":
      case "subshell":
        this.#child(c.type, c.body, eflag);
        return;
      case "if": {
        this.cmd(c.cond, false);
        const j = this.#jump("if");
        this.cmd(c.body, eflag);
        this.#emit("wastrue");
        this.#here(j);
        return;
      }
      case "not": {
        if (!this.iflast) throw new Syntaxerror("`if not' does not follow `if(...)'", "");
        const j = this.#jump("ifnot");
        this.cmd(c.body, eflag);
        this.#here(j);
        return;
      }
      case "while":
        this.#while(c, eflag);
        return;
      case "and":
      case "or": {
        this.cmd(c.left, false);
        const j = this.#jump(c.type === "and" ? "true" : "false");
        this.cmd(c.right, eflag);
        this.#here(j);
        return;
      }
      case "for":
        this.#for(c, eflag);
        return;
      case "pipe":
        this.#pipe(c, eflag);
    }
  }

  /** What a process of its own does, which ends behind it. */
  #child(type: "async" | "subshell", body: Cmd | null, eflag: boolean): void {
    const j = this.#jump(type);
    this.cmd(body, eflag);
    this.#emit("exit");
    this.#here(j);
    if (type === "subshell" && eflag) this.#emit("eflag");
  }

  #while(c: Extract<Cmd, { type: "while" }>, eflag: boolean): void {
    const start = this.code.length;
    this.cmd(c.cond, false);
    if (this.code.length === start) this.#emit("settrue");
    const j = this.#jump("true");
    this.cmd(c.body, eflag);
    this.#jump("jump").to = start;
    this.#here(j);
  }

  #for(c: Extract<Cmd, { type: "for" }>, eflag: boolean): void {
    this.#emit("mark");
    if (c.words !== null) {
      this.words(c.words);
      this.#emit("glob");
    } else {
      this.#emit("mark");
      this.code.push({ op: "word", text: "*" });
      this.#emit("dol");
    }
    // The value that the variable has before the first turn.
    this.#emit("mark");
    this.#emit("mark");
    this.word(c.name);
    this.#emit("local");
    const start = this.code.length;
    const j = this.#jump("for");
    this.cmd(c.body, eflag);
    this.#jump("jump").to = start;
    this.#here(j);
    this.#emit("unlocal");
  }

  #pipe(c: Extract<Cmd, { type: "pipe" }>, eflag: boolean): void {
    const p: Extract<Op, { op: "pipe" }> = { op: "pipe", fd0: c.fd0, fd1: c.fd1, right: 0, to: 0 };
    this.code.push(p);
    this.cmd(c.left, eflag);
    this.#emit("exit");
    p.right = this.code.length;
    this.cmd(c.right, eflag);
    this.#emit("return");
    this.#here(p);
    this.#emit("pipewait");
  }

  #redirected(r: Redirect, body: Cmd | null, eflag: boolean): void {
    switch (r.type) {
      case "dup":
        this.code.push({ op: "dup", from: r.from, to: r.to });
        break;
      case "close":
        this.code.push({ op: "close", fd: r.fd });
        break;
      case "redir":
        if (r.doc !== null && r.word.type === "word" && this.#opts.inner(r.word.text)) {
          const { text, quoted } = r.doc;
          this.code.push({ op: "doc", text, quoted, fd: r.fd });
          break;
        }
        this.#emit("mark");
        this.word(r.word);
        this.#emit("glob");
        this.code.push({ op: "redir", rtype: r.rtype, fd: r.fd });
    }
    this.cmd(body, eflag);
    this.#emit("popredir");
  }

  /** Assignments before a command are its own; alone they are the shell's. */
  #assign(c: Extract<Cmd, { type: "assign" }>, eflag: boolean): void {
    const list = [c];
    let body = c.body;
    for (; body?.type === "assign"; body = body.body) list.push(body);
    for (const { name, value } of list) {
      this.#emit("mark");
      this.word(value);
      this.#emit("mark");
      this.word(name);
      this.#emit(body === null ? "assign" : "local");
    }
    if (body === null) return;
    this.cmd(body, eflag);
    for (const _ of list) this.#emit("unlocal");
  }

  #fn(c: Extract<Cmd, { type: "fn" }>): void {
    this.#emit("mark");
    this.words(c.names);
    if (c.body === null) {
      this.#emit("delfn");
      return;
    }
    const body = new Compiler(this.#opts);
    body.cmd(c.body, this.#opts.eflag);
    body.#emit("unlocal");
    body.#emit("return");
    this.code.push({ op: "fn", fn: { text: cmdtext(c.body), code: body.code } });
  }

  #switch(c: Extract<Cmd, { type: "switch" }>, eflag: boolean): void {
    const body = c.body.type === "brace" ? c.body.body : null;
    const cmds = body?.type === "seq" ? body.cmds : [];
    if (cmds[0] === undefined || !iscase(cmds[0]))
      throw new Syntaxerror("case missing in switch", "{");
    this.#emit("mark");
    this.word(c.word);
    const leave: { to: number }[] = [];
    let next: { to: number } | null = null;
    for (const cmd of cmds) {
      if (!iscase(cmd)) {
        this.cmd(cmd, eflag);
        continue;
      }
      if (next !== null) {
        leave.push(this.#jump("jump"));
        this.#here(next);
      }
      this.#emit("mark");
      if (cmd.type === "simple") this.words(cmd.args.slice(1));
      next = this.#jump("case");
    }
    for (const j of leave) this.#here(j);
    if (next !== null) this.#here(next);
    this.#emit("popm");
  }
}
