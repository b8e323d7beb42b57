// The script of sed: commands with their addresses, read from text. What they do is in bin/sed.ts. sed(1)

import { Regexp, Regexperror } from "./regexp.ts";

/** A script that cannot be read. */
export class Sederror extends Error {}

export type Address =
  | { readonly type: "last" }
  | { readonly type: "line"; readonly line: number }
  | { readonly type: "re"; readonly re: Regexp };

/** A piece of a substitution's right side: text, or a group (0 for all that matched). */
export type Piece = string | number;

export type Command = {
  readonly ad1: Address | null;
  readonly ad2: Address | null;
  not: boolean;
  readonly name: string;
  /** Where b, t and { go. */
  to: number;
  /** The text of a, i and c, or the file of r and w. */
  readonly text: string;
  readonly re: Regexp | null;
  readonly rhs: readonly Piece[];
  readonly global: boolean;
  readonly print: "" | "p" | "P";
  readonly table: ReadonlyMap<string, string>;
  /** Between the first address and the second: 1 in the first line, 2 behind it. */
  active: 0 | 1 | 2;
};

const MAXLABEL = 8;
const MAXDEPTH = 20;

/** Reads scripts; what one file or -e leaves open the next may close. */
export class Script {
  readonly commands: Command[] = [];
  readonly #gflag: boolean;
  readonly #open: Command[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: (readonly [Command, string])[] = [];
  #last: Regexp | null = null;
  /** The line that is read, with those that backslashes join to it, and the place in it. */
  #line = "";
  #at = 0;

  constructor(gflag: boolean) {
    this.#gflag = gflag;
  }

  /** Reads a text of commands. Throws Sederror. */
  read(text: string): void {
    let i = 0;
    while (i < text.length) {
      let line = "";
      for (; i < text.length && text.charAt(i) !== "\n"; i++) {
        line += text.charAt(i);
        if (text.charAt(i) === "\\" && i + 1 < text.length) line += text.charAt(++i);
      }
      i++;
      this.#line = line;
      this.#at = 0;
      while (this.#more()) this.#command();
    }
  }

  /** Ends the script: every label is known, every brace closed. */
  end(): void {
    if (this.#open.length > 0) throw new Sederror("Too many {'s");
    for (const [command, label] of this.#jumps) {
      const to = label === "" ? this.commands.length : this.#labels.get(label);
      if (to === undefined) throw new Sederror(`Undefined label: ${label}`);
      command.to = to;
    }
  }

  #c(): string {
    return this.#line.charAt(this.#at);
  }

  #blanks(): void {
    while (this.#c() === " " || this.#c() === "\t") this.#at++;
  }

  /** Whether the line has one more command. */
  #more(): boolean {
    this.#blanks();
    while (this.#c() === ";") {
      this.#at++;
      this.#blanks();
    }
    return this.#c() !== "" && this.#c() !== "#";
  }

  #garbled(what: string): never {
    throw new Sederror(`${what} command garbled: ${this.#line}`);
  }

  #command(): void {
    const ad1 = this.#address();
    let ad2: Address | null = null;
    if (ad1 !== null && (this.#c() === "," || this.#c() === ";")) {
      this.#at++;
      ad2 = this.#address();
    }
    this.#blanks();
    let not = false;
    while (this.#c() === "!") {
      not = true;
      this.#at++;
    }
    const name = this.#c();
    this.#at++;
    if (name === "}") return this.#close(ad1);
    if (name === ":") return this.#label(ad1);
    const command = this.#body(name, { ad1, ad2, not });
    this.commands.push(command);
    if (name === "{") {
      // It jumps over the block where the addresses do not say so.
      command.not = !not;
      if (this.#open.length >= MAXDEPTH) throw new Sederror(`Too many commands: ${this.#line}`);
      this.#open.push(command);
      return;
    }
    this.#ends();
  }

  /** Behind a command comes a semicolon or the end of the line. */
  #ends(): void {
    const c = this.#c();
    if (c !== "" && c !== ";") this.#garbled(this.#line.slice(this.#at));
  }

  #close(ad1: Address | null): void {
    if (ad1 !== null) throw new Sederror(`No addresses allowed: ${this.#line}`);
    const open = this.#open.pop();
    if (open === undefined) throw new Sederror("Too many }'s");
    open.to = this.commands.length;
  }

  #label(ad1: Address | null): void {
    if (ad1 !== null) throw new Sederror(`No addresses allowed: ${this.#line}`);
    while (this.#c() === " ") this.#at++;
    const [label = ""] = /^[^; \t#]*/.exec(this.#line.slice(this.#at)) ?? [];
    if (label.length >= MAXLABEL) throw new Sederror(`Label too long: ${this.#line}`);
    if (label === "") this.#garbled(":");
    if (this.#labels.has(label)) throw new Sederror(`Duplicate labels: ${this.#line}`);
    this.#labels.set(label, this.commands.length);
    this.#at += label.length;
    if (this.#c() !== "#") this.#ends();
  }

  #address(): Address | null {
    const c = this.#c();
    if (c === "$") {
      this.#at++;
      return { type: "last" };
    }
    if (c === "/") {
      this.#at++;
      return { type: "re", re: this.#expression("/", "First RE may not be null") };
    }
    const [digits = ""] = /^[0-9]*/.exec(this.#line.slice(this.#at)) ?? [];
    if (digits === "") return null;
    this.#at += digits.length;
    if (Number(digits) === 0) throw new Sederror("line number 0 is illegal");
    return { type: "line", line: Number(digits) };
  }

  /** An expression up to its delimiter; an empty one is the last there was. */
  #expression(delimiter: string, empty: string): Regexp {
    let text = "";
    for (;;) {
      const c = this.#c();
      this.#at++;
      if (c === delimiter) break;
      if (c === "" || c === "\n") throw new Sederror(`Too much text: ${this.#line}`);
      text += c;
      if (c !== "\\") continue;
      const next = this.#c();
      this.#at++;
      text += next === "n" ? "\n" : next;
    }
    if (text === "") {
      if (this.#last === null) throw new Sederror(empty);
      return this.#last;
    }
    try {
      this.#last = new Regexp(text);
    } catch (e) {
      if (!(e instanceof Regexperror)) throw e;
      this.#garbled("r.e.-using");
    }
    return this.#last;
  }

  #body(name: string, where: Pick<Command, "ad1" | "ad2" | "not">): Command {
    const command: Command = {
      ...where,
      name,
      to: 0,
      text: "",
      re: null,
      rhs: [],
      global: false,
      print: "",
      table: new Map(),
      active: 0,
    };
    if ("=airq".includes(name) && name !== "" && where.ad2 !== null)
      throw new Sederror(`Only one address allowed: ${this.#line}`);
    switch (name) {
      case "a":
      case "c":
      case "i":
        if (this.#c() === "\\") this.#at++;
        if (this.#c() !== "\n") this.#garbled(name);
        this.#at++;
        return { ...command, text: this.#text() };
      case "r":
      case "w":
        if (this.#c() !== " ") this.#garbled(name);
        return { ...command, text: this.#text() };
      case "b":
      case "t":
        return this.#jump(command);
      case "s":
        return this.#substitute(command);
      case "y":
        return { ...command, table: this.#transform() };
      default:
        if (name === "" || !"{=gGhHnNpPdDqlx".includes(name))
          throw new Sederror(`Unrecognized command: ${this.#line}`);
        return command;
    }
  }

  /** The rest of the line: blanks at the beginning of each of its lines go away. */
  #text(): string {
    let text = "";
    this.#blanks();
    while (this.#c() !== "") {
      if (this.#c() === "\\") this.#at++;
      const c = this.#c();
      text += c;
      this.#at++;
      if (c === "\n") this.#blanks();
    }
    return text;
  }

  #jump(command: Command): Command {
    while (this.#c() === " ") this.#at++;
    const [label = ""] = /^[^;]*/.exec(this.#line.slice(this.#at)) ?? [];
    if (label.length >= MAXLABEL) throw new Sederror(`Label too long: ${this.#line}`);
    this.#at += label.length;
    this.#jumps.push([command, label]);
    return command;
  }

  #substitute(command: Command): Command {
    const delimiter = this.#c();
    this.#at++;
    const re = this.#expression(delimiter, "First RE may not be null.");
    const rhs = this.#replacement(delimiter);
    const take = (c: string): boolean => {
      if (this.#c() !== c) return false;
      this.#at++;
      return true;
    };
    const global = take("g") || this.#gflag;
    const print = take("p") ? "p" : "";
    const first = take("P") ? "P" : print;
    let text = "";
    if (take("w")) {
      if (!take(" ")) this.#garbled("s");
      text = this.#text();
    }
    return { ...command, re, rhs, global, print: first, text };
  }

  #replacement(delimiter: string): Piece[] {
    const pieces: Piece[] = [];
    let text = "";
    for (;;) {
      let c = this.#c();
      this.#at++;
      if (c === "") this.#garbled("s");
      if (c === delimiter) break;
      if (c === "\\") {
        c = this.#c();
        this.#at++;
        if (!/[1-9]/.test(c)) {
          text += c === "n" ? "\n" : c;
          continue;
        }
      } else if (c !== "&") {
        text += c;
        continue;
      }
      if (text !== "") pieces.push(text);
      text = "";
      pieces.push(c === "&" ? 0 : Number(c));
    }
    if (text !== "") pieces.push(text);
    return pieces;
  }

  #transform(): Map<string, string> {
    const delimiter = this.#c();
    this.#at++;
    const side = (): string[] => {
      const out: string[] = [];
      for (;;) {
        const c = String.fromCodePoint(this.#line.codePointAt(this.#at) ?? 0);
        if (c === "\0") this.#garbled("y");
        this.#at += c.length;
        if (c === delimiter) return out;
        if (c === "\\" && this.#c() === "n") {
          this.#at++;
          out.push("\n");
        } else out.push(c);
      }
    };
    const from = side();
    const to = side();
    if (from.length !== to.length) this.#garbled("y");
    return new Map(from.map((c, i) => [c, to[i] ?? c]));
  }
}
