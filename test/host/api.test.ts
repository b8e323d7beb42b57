// npm run docs: the reference is made without a warning, and each function of the package's interface has all that a
// reader of it needs.

import { readFileSync } from "node:fs";
import test from "ava";
import { sh } from "../kit/pack.ts";

/** What typedoc's JSON has of a thing, as far as it is looked at here. */
type Reflection = {
  readonly name: string;
  readonly kind: number;
  readonly comment?: Comment;
  readonly children?: readonly Reflection[];
  readonly signatures?: readonly Signature[];
  readonly type?: Type;
  readonly inheritedFrom?: unknown;
};
type Signature = Reflection & { readonly parameters?: readonly Reflection[] };
type Comment = {
  readonly blockTags?: readonly { readonly tag: string; readonly name?: string }[];
};
type Type = {
  readonly name?: string;
  readonly elements?: readonly { readonly name?: string }[];
  readonly typeArguments?: readonly Type[];
  readonly declaration?: Reflection;
};

const VARIABLE = 32;
const CONSTRUCTOR = 16384;

/** Types of functions that give nothing. */
function isnothing(type: Type | undefined): boolean {
  const { name, typeArguments: [of, ...more] = [] } = type ?? {};
  return (
    name === "void" || name === "never" || (of !== undefined && more.length === 0 && isnothing(of))
  );
}

const has = (tag: string, ...comments: readonly (Comment | undefined)[]): boolean =>
  comments.some((c) => c?.blockTags?.some((t) => t.tag === tag));

/** What the comment of a function lacks. A function type's comment is `above`, at the thing that has the type. */
function missing(s: Signature, name: string, above: Comment | undefined): string[] {
  const params = (s.parameters ?? [])
    .filter((p) => p.comment === undefined)
    .map((p) => `${name}: parameter ${p.name}`);
  if (s.kind === CONSTRUCTOR) return s.inheritedFrom === undefined ? params : [];
  const returns = isnothing(s.type) || has("@returns", s.comment, above) ? [] : [`${name}: result`];
  const example = has("@example", s.comment, above) ? [] : [`${name}: example`];
  return [...params, ...returns, ...example];
}

/** The same of a library function: a variable of type Both<[arguments], result>. */
function missingboth(r: Reflection): string[] {
  const [args, result] = r.type?.typeArguments ?? [];
  const named = new Set(r.comment?.blockTags?.filter((t) => t.tag === "@param").map((t) => t.name));
  const params = (args?.elements ?? [])
    .filter((p) => !named.has(p.name))
    .map((p) => `${r.name}: parameter ${p.name ?? ""}`);
  const returns = isnothing(result) || has("@returns", r.comment) ? [] : [`${r.name}: result`];
  return [...params, ...returns, ...(has("@example", r.comment) ? [] : [`${r.name}: example`])];
}

function* lacking(r: Reflection, path: string): Generator<string> {
  // What Error has is not ours, and a symbol is called by a statement of the language.
  if (/StackTrace$|^\[/.test(r.name)) return;
  const name = path === "" ? r.name : `${path}.${r.name}`;
  const inner = r.type?.declaration;
  for (const s of [...(r.signatures ?? []), ...(inner?.signatures ?? [])])
    yield* missing(s, name, r.comment);
  if (r.kind === VARIABLE && r.type?.name === "Both") yield* missingboth(r);
  if (r.kind === VARIABLE && r.comment === undefined) yield `${name}: comment`;
  for (const c of [...(r.children ?? []), ...(inner?.children ?? [])]) yield* lacking(c, name);
}

test("npm run docs warns of nothing, and no parameter, result or example is missing", (t) => {
  // typedoc takes a warning for an error (docs/api/typedoc.json), and sh throws at one.
  sh(process.cwd(), "npm", "run", "docs");
  const reference = JSON.parse(readFileSync("dist/api.json", "utf8")) as Reflection;
  t.deepEqual([...lacking(reference, "")], []);
});
