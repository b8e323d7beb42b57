// Mutants of a compiled file: each is one small change of its text. acorn says what the text means.
//
//	operator   a + b  ->  a - b        constant   3  ->  4, true -> false
//	negation   if (a)  ->  if (!(a))   branch     a ? b : c  ->  a ? c : b
//	statement  f();  ->  ;

import { SourceMap } from "node:module";
import { type AnyNode, parse } from "acorn";

/**
 * A change of the text from start to end; where it is in the source, and what is there. `at` is where the changed
 * expression begins: V8 counts an operator with what stands behind it.
 */
export type Mutant = {
  readonly key: string;
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly at: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
};

type Change = Pick<Mutant, "at" | "start" | "end" | "text"> & { readonly what: string };

const OPERATORS: ReadonlyMap<string, string> = new Map([
  ["+", "-"],
  ["-", "+"],
  ["*", "/"],
  ["/", "*"],
  ["%", "*"],
  ["<", "<="],
  ["<=", "<"],
  [">", ">="],
  [">=", ">"],
  ["===", "!=="],
  ["!==", "==="],
  ["&", "|"],
  ["|", "&"],
  ["<<", ">>"],
  [">>", "<<"],
  [">>>", "<<"],
  ["&&", "||"],
  ["||", "&&"],
  ["??", "&&"],
  ["+=", "-="],
  ["-=", "+="],
  ["|=", "&="],
  ["&=", "|="],
  ["||=", "&&="],
  ["??=", "="],
  ["++", "--"],
  ["--", "++"],
]);

/** All mutants of a compiled file. `sources` are the lines of what it was compiled from. */
export function mutants(
  file: string,
  js: string,
  map: string,
  sources: readonly string[],
): Mutant[] {
  const changes: Change[] = [];
  const tree = parse(js, { ecmaVersion: "latest", sourceType: "module", locations: true });
  walk(tree, (n) => changes.push(...changesof(n, js)));
  const where = new SourceMap(JSON.parse(map));
  const starts = linestarts(js);
  const seen = new Map<string, number>();
  return changes.map((c) => {
    const at = starts.findLastIndex((s) => s <= c.start);
    const entry = where.findEntry(at, c.start - (starts[at] ?? 0));
    const line = "originalLine" in entry ? entry.originalLine + 1 : 0;
    const name = `${file}: ${c.what} in ${(sources[line - 1] ?? "").trim()}`;
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return { ...c, file, line, key: n === 1 ? name : `${name} #${n}` };
  });
}

function linestarts(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
  return starts;
}

/** Calls fn for each node but those of imports and exports of names. */
function walk(n: AnyNode, fn: (n: AnyNode) => void): void {
  if (n.type === "ImportDeclaration") return;
  fn(n);
  for (const value of Object.values(n) as unknown[])
    for (const kid of Array.isArray(value) ? (value as unknown[]) : [value])
      if (isnode(kid)) walk(kid, fn);
}

function isnode(x: unknown): x is AnyNode {
  return typeof x === "object" && x !== null && "type" in x && "start" in x;
}

/** What may become of a node. */
function changesof(n: AnyNode, js: string): Change[] {
  const text = (a: { start: number; end: number }): string => js.slice(a.start, a.end);
  switch (n.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression":
      return operator(n, n.left.end, n.right.start, js);
    case "UpdateExpression":
      return n.prefix
        ? operator(n, n.start, n.argument.start, js)
        : operator(n, n.argument.end, n.end, js);
    case "UnaryExpression":
      if (n.operator !== "!") return [];
      return [change(n, text(n.argument), `${text(n)} is ${text(n.argument)}`)];
    case "IfStatement": {
      const negated = change(n.test, `!(${text(n.test)})`, `if (${text(n.test)}) is negated`);
      return [negated];
    }
    case "ConditionalExpression": {
      const { test, consequent: a, alternate: b } = n;
      return [change(n, `${text(test)} ? ${text(b)} : ${text(a)}`, `${text(test)} ? is swapped`)];
    }
    case "Literal":
      return literal(n, n.value);
    case "ExpressionStatement":
      if (n.directive !== undefined || text(n).startsWith("super(")) return [];
      return [change(n, ";", `${text(n)} is dropped`)];
    case "ContinueStatement":
      return [change(n, ";", `${text(n)} is dropped`)];
    case "ReturnStatement":
      return n.argument === null || n.argument === undefined
        ? [change(n, ";", "return is dropped")]
        : [];
    default:
      return [];
  }
}

function change(at: { start: number; end: number }, text: string, what: string): Change {
  const short = what.replace(/\s+/g, " ");
  return {
    at: at.start,
    start: at.start,
    end: at.end,
    text,
    what: short.length > 80 ? `${short.slice(0, 77)}...` : short,
  };
}

/** The operator of an expression, which stands between two places. */
function operator(
  n: { readonly start: number; readonly operator: string },
  from: number,
  to: number,
  js: string,
): Change[] {
  const op = n.operator;
  const other = OPERATORS.get(op);
  const start = js.indexOf(op, from);
  if (other === undefined || start < 0 || start + op.length > to) return [];
  const at = { start, end: start + op.length };
  return [{ ...change(at, other, `${op} is ${other}`), at: n.start }];
}

function literal(n: AnyNode, value: unknown): Change[] {
  if (typeof value === "number") return [change(n, String(value + 1), `${value} is ${value + 1}`)];
  if (typeof value === "bigint")
    return [change(n, `${value + 1n}n`, `${value}n is ${value + 1n}n`)];
  if (typeof value === "boolean") return [change(n, String(!value), `${value} is ${!value}`)];
  return [];
}
