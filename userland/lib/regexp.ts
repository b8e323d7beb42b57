// Regular expressions as regexp(6) has them, in time that is linear in the text: all ways to match go through
// the text side by side.
//
//	e|f  ef  e*  e+  e?  (e)  .  ^  $  [a-z]  [^a-z]  \c
//
// Of several matches the leftmost counts, and of these the longest. `.` and [^...] are no newline; ^ and $ are
// the ends of each line. There are no references to what was matched before.

/** A regular expression that is none; the message says why. */
export class Regexperror extends Error {}

/** A set of characters. */
type Class = { readonly not: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** A tree of an expression. */
type Node =
  | { readonly type: "char"; readonly c: number }
  | { readonly type: "any" | "bol" | "eol" | "empty" }
  | { readonly type: "class"; readonly cls: Class }
  | { readonly type: "cat" | "alt"; readonly left: Node; readonly right: Node }
  | { readonly type: "star" | "plus" | "quest"; readonly e: Node }
  | { readonly type: "group"; readonly n: number; readonly e: Node };

/** An instruction: goes on at `to`, and for a split at `or` as well. */
type Inst = {
  readonly op: "char" | "any" | "bol" | "eol" | "class" | "split" | "save" | "match" | "jump";
  readonly c: number;
  readonly cls: Class | null;
  to: number;
  or: number;
};

const NEWLINE = 10;
/** How deep parentheses may go, and how long a program may be. */
const MAXDEPTH = 200;
const MAXPROGRAM = 200_000;

/** Reads an expression. */
class Reader {
  readonly #s: string;
  #i = 0;
  #depth = 0;
  ngroup = 0;

  constructor(s: string) {
    this.#s = s;
  }

  parse(): Node {
    const e = this.#alt();
    if (this.#i < this.#s.length) throw new Regexperror("unmatched right paren");
    return e;
  }

  #peek(): number {
    return this.#s.codePointAt(this.#i) ?? -1;
  }

  #next(): number {
    const c = this.#peek();
    this.#i += c > 0xffff ? 2 : 1;
    return c;
  }

  #is(c: string): boolean {
    return this.#s.charAt(this.#i) === c;
  }

  #alt(): Node {
    if (++this.#depth > MAXDEPTH) throw new Regexperror("expression too deep");
    const list = [this.#cat()];
    while (this.#is("|")) {
      this.#i++;
      list.push(this.#cat());
    }
    this.#depth--;
    return list.reduce((left, right) => ({ type: "alt", left, right }));
  }

  #cat(): Node {
    const list: Node[] = [];
    while (this.#i < this.#s.length && !this.#is("|") && !this.#is(")")) list.push(this.#repeat());
    if (list.length === 0) return { type: "empty" };
    return balanced(list);
  }

  #repeat(): Node {
    let e = this.#atom();
    for (;;) {
      const c = this.#s.charAt(this.#i);
      const type = c === "*" ? "star" : c === "+" ? "plus" : c === "?" ? "quest" : null;
      if (type === null) return e;
      this.#i++;
      // A repetition of a repetition is one of the inner, which keeps the program small.
      const inner = e.type === "star" || e.type === "plus" || e.type === "quest" ? e : null;
      e =
        inner === null || inner.type === type
          ? { type, e: inner?.e ?? e }
          : { type: "star", e: inner.e };
    }
  }

  #atom(): Node {
    const c = this.#next();
    switch (String.fromCodePoint(c)) {
      case "*":
      case "+":
      case "?":
        throw new Regexperror(`missing operand for ${String.fromCodePoint(c)}`);
      case ".":
        return { type: "any" };
      case "^":
        return { type: "bol" };
      case "$":
        return { type: "eol" };
      case "[":
        return { type: "class", cls: this.#class() };
      case "(":
        return this.#group();
      case "\\":
        if (this.#i >= this.#s.length) return { type: "char", c };
        return { type: "char", c: escaped(this.#next()) };
      default:
        return { type: "char", c };
    }
  }

  #group(): Node {
    const n = ++this.ngroup;
    const e = this.#alt();
    if (!this.#is(")")) throw new Regexperror("unmatched left paren");
    this.#i++;
    return { type: "group", n, e };
  }

  #class(): Class {
    const not = this.#is("^");
    if (not) this.#i++;
    const ranges: (readonly [number, number])[] = [];
    for (;;) {
      if (this.#i >= this.#s.length) throw new Regexperror("malformed '[]'");
      if (this.#is("]")) break;
      const lo = this.#member();
      let hi = lo;
      if (this.#is("-")) {
        this.#i++;
        if (this.#i >= this.#s.length || this.#is("]")) throw new Regexperror("malformed '[]'");
        hi = this.#member();
      }
      ranges.push([lo, hi]);
    }
    this.#i++;
    if (ranges.length === 0) throw new Regexperror("malformed '[]'");
    return { not, ranges };
  }

  #member(): number {
    const c = this.#next();
    if (c !== 0x5c) return c;
    return this.#i >= this.#s.length ? c : escaped(this.#next());
  }
}

/** \n is a newline; any other character stands for itself. */
const escaped = (c: number): number => (c === 0x6e ? NEWLINE : c);

/** A row of nodes as a tree that is not deep. */
function balanced(list: readonly Node[]): Node {
  const [one] = list;
  if (one === undefined) return { type: "empty" };
  if (list.length === 1) return one;
  const mid = list.length >> 1;
  return { type: "cat", left: balanced(list.slice(0, mid)), right: balanced(list.slice(mid)) };
}

/** Makes the program of a tree. */
class Program {
  readonly code: Inst[] = [];

  emit(op: Inst["op"], more: Partial<Pick<Inst, "c" | "cls" | "to" | "or">> = {}): Inst {
    if (this.code.length >= MAXPROGRAM) throw new Regexperror("expression too big");
    const at = this.code.length + 1;
    const inst: Inst = { op, c: 0, cls: null, to: at, or: -1, ...more };
    this.code.push(inst);
    return inst;
  }

  node(e: Node): void {
    switch (e.type) {
      case "empty":
        return;
      case "char":
        this.emit("char", { c: e.c });
        return;
      case "class":
        this.emit("class", { cls: e.cls });
        return;
      case "any":
      case "bol":
      case "eol":
        this.emit(e.type);
        return;
      case "cat":
        this.node(e.left);
        this.node(e.right);
        return;
      case "alt": {
        const split = this.emit("split");
        this.node(e.left);
        const jump = this.emit("jump");
        split.or = this.code.length;
        this.node(e.right);
        jump.to = this.code.length;
        return;
      }
      case "group":
        this.emit("save", { c: 2 * e.n });
        this.node(e.e);
        this.emit("save", { c: 2 * e.n + 1 });
        return;
      default:
        this.#repeat(e);
    }
  }

  #repeat(e: Extract<Node, { readonly e: Node }>): void {
    const start = this.code.length;
    if (e.type === "plus") {
      this.node(e.e);
      this.emit("split", { to: start, or: this.code.length + 1 });
      return;
    }
    const split = this.emit("split");
    this.node(e.e);
    if (e.type === "star") this.emit("jump", { to: start });
    split.or = this.code.length;
  }
}

function inclass(cls: Class, c: number): boolean {
  if (cls.not && c === NEWLINE) return false;
  return cls.ranges.some(([lo, hi]) => lo <= c && c <= hi) !== cls.not;
}

/** Where a match begins and ends; then the same for each group, -1 for one that did not match. */
export type Match = readonly number[];

type Way = { readonly pc: number; readonly saved: readonly number[] };

/** A regular expression, ready to match. */
export class Regexp {
  readonly #code: readonly Inst[];
  readonly ngroup: number;
  /** Which step each instruction was last taken in, and which step it is. */
  readonly #seen: Uint32Array;
  #step = 0;
  /** What every match begins with, "" if that is not one text. */
  readonly #prefix: string;

  constructor(expr: string) {
    const r = new Reader(expr);
    const tree = r.parse();
    const p = new Program();
    p.node(tree);
    p.emit("match");
    this.#code = p.code;
    this.ngroup = r.ngroup;
    this.#seen = new Uint32Array(p.code.length);
    let prefix = "";
    for (const inst of this.#code) {
      if (inst.op !== "char") break;
      prefix += String.fromCodePoint(inst.c);
    }
    this.#prefix = prefix;
  }

  /** The leftmost longest match at or behind `from`; null if there is none. */
  exec(s: string, from = 0): Match | null {
    let ways: Way[] = [];
    let best: number[] | null = null;
    let i = from;
    for (;;) {
      if (ways.length === 0) {
        if (best !== null) return best;
        if (this.#prefix !== "") {
          i = s.indexOf(this.#prefix, i);
          if (i < 0) return null;
        }
      }
      const c = s.codePointAt(i) ?? -1;
      const width = c > 0xffff ? 2 : 1;
      // A later start loses to one that is still on its way, so it comes last.
      this.#begin();
      const now: Way[] = [];
      for (const w of ways) this.#follow(now, w, s, i);
      if (best === null) this.#follow(now, { pc: 0, saved: this.#fresh(i) }, s, i);
      ways = [];
      for (const { pc, saved } of now) {
        const inst = this.#code[pc];
        if (inst === undefined) continue;
        if (inst.op === "match") best = better(best, saved, i);
        else if (best !== null && (saved[0] ?? 0) > (best[0] ?? 0)) continue;
        else if (c >= 0 && accepts(inst, c)) ways.push({ pc: inst.to, saved });
      }
      if (c < 0) return best;
      i += width;
    }
  }

  /** Whether it matches somewhere. */
  test(s: string): boolean {
    return this.exec(s) !== null;
  }

  #fresh(i: number): number[] {
    const saved = Array.from<number>({ length: 2 * (this.ngroup + 1) }).fill(-1);
    saved[0] = i;
    return saved;
  }

  #begin(): void {
    if (this.#step++ === 0xffffffff) {
      this.#seen.fill(0);
      this.#step = 1;
    }
  }

  /** Adds what can be reached from a way without a character, in order. */
  #follow(now: Way[], first: Way, s: string, i: number): void {
    const todo: Way[] = [first];
    for (let w = todo.pop(); w !== undefined; w = todo.pop()) {
      if (this.#seen[w.pc] === this.#step) continue;
      this.#seen[w.pc] = this.#step;
      const inst = this.#code[w.pc];
      if (inst === undefined) continue;
      switch (inst.op) {
        case "split":
          todo.push({ pc: inst.or, saved: w.saved });
          todo.push({ pc: inst.to, saved: w.saved });
          break;
        case "jump":
          todo.push({ pc: inst.to, saved: w.saved });
          break;
        case "save":
          todo.push({ pc: inst.to, saved: w.saved.with(inst.c, i) });
          break;
        case "bol":
          if (i === 0 || s.charAt(i - 1) === "\n") todo.push({ pc: inst.to, saved: w.saved });
          break;
        case "eol":
          if (i === s.length || s.charAt(i) === "\n") todo.push({ pc: inst.to, saved: w.saved });
          break;
        default:
          now.push(w);
      }
    }
  }
}

function accepts(inst: Inst, c: number): boolean {
  if (inst.op === "char") return inst.c === c;
  if (inst.op === "any") return c !== NEWLINE;
  return inst.cls !== null && inclass(inst.cls, c);
}

/** The better of a match known and one that ends at i: further left, then longer. */
function better(best: number[] | null, saved: readonly number[], i: number): number[] {
  const start = saved[0] ?? 0;
  if (
    best !== null &&
    ((best[0] ?? 0) < start || ((best[0] ?? 0) === start && (best[1] ?? 0) >= i))
  )
    return best;
  return saved.toSpliced(1, 1, i);
}
