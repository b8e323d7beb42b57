// What the page has of sucrase: types are taken out of a program, and nothing else. A plugin leaves out the parts
// that are never called, and writes numbers and truth values in place of the names that stand for them.

import { readFile } from "node:fs/promises";
import { runInNewContext } from "node:vm";

/** The parts of sucrase that are for JSX, Flow, CommonJS and older engines. */
const UNUSED =
  /(CJSImportProcessor|computeSourceMap|util\/formatTokens|transformers\/(CJSImport|Flow|JSX|JestHoist|NumericSeparator|OptionalCatchBinding|OptionalChainingNullish|ReactDisplayName|ReactHotLoader)Transformer|parser\/plugins\/(flow|jsx\/index|jsx\/xhtml))\.js$/;

/** What is so whenever the page asks: the only transform is "typescript", and classes stay as they are. */
const SETTLED = {
  isTypeScriptEnabled: true,
  isTypeScriptTransformEnabled: true,
  disableESTransforms: true,
  isFlowEnabled: false,
  isFlowTransformEnabled: false,
  isJSXEnabled: false,
  isImportsTransformEnabled: false,
  isReactHotLoaderTransformEnabled: false,
  keepUnusedImports: false,
};

/** Such a name where it is a condition, or a part of one. */
const CONDITION = new RegExp(
  String.raw`(?<=[(!]|&& |\|\| |^\s*)(?:this\.|options\.)?(${Object.keys(SETTLED).join("|")})(?= *(?:\)|&&|\|\|))`,
  "gm",
);

/** The names of numbers: an object of each, which its module makes when it is run. */
const TABLES = {
  TokenType: "parser/tokenizer/types",
  ContextualKeyword: "parser/tokenizer/keywords",
  charCodes: "parser/util/charcodes",
};
const TABLE = /export var (\w+); \(function[\s\S]*?\n\}\)\(\1 \|\| \(\1 = \{\}\)\);/;

/** The table that a module makes; null where it makes none. */
function tableof(code) {
  const [text, name] = TABLE.exec(code) ?? [];
  return text === undefined
    ? null
    : // The text is sucrase's own, as it is installed.
      runInNewContext(`${text.replace("export ", "")} ${name}`);
}

/** The tree of sucrase's words, 56 KB of numbers, as its words: the nodes come in the order of the words. */
function wordtree(code) {
  const [imports] = code.split("// prettier-ignore");
  const nodes = [...code.matchAll(/^ *\/\/ "([a-z]*)"\n *([^,]+),/gm)];
  const words = nodes.filter((m) => m[2] !== "-1").map((m) => `${m[1]}: ${m[2]}`);
  return `${imports}
const tree = new Int32Array(${nodes.length * 27}).fill(-1);
let end = 27;
for (const [word, value] of Object.entries({ ${words.join(", ")} })) {
  let node = 0;
  for (const c of word) {
    const at = node + c.charCodeAt(0) - 96;
    if (tree[at] < 0) {
      tree[at] = end;
      end += 27;
    }
    node = tree[at];
  }
  tree[node] = value;
}
export const READ_WORD_TREE = tree;
`;
}

/** The functions and classes of a module that is never called: they are there, and throw. */
function stubs(code) {
  const names = [...code.matchAll(/^export (?:function|class|const|let|var) (\w+)/gm)];
  const list = names.map((m) => `export function ${m[1]}() { throw new Error("left out"); }`);
  const whole = /^export default /m.test(code) ? ["export default class {}"] : [];
  return [...list, ...whole].join("\n");
}

/** Leaves out of sucrase what is never called, half of it. */
export function slim() {
  const tables = new Map();
  const at = /^(.*[\\/]sucrase[\\/]dist[\\/]esm[\\/])(.*)$/;
  return {
    name: "slim",
    async transform(code, id) {
      const [, top, part] = at.exec(id) ?? [];
      if (part === undefined) return null;
      if (part === "Options.js") return { code: "export function validateOptions() {}", map: null };
      if (part === "HelperManager.js")
        return {
          code: 'export class HelperManager { emitHelpers() { return ""; } getHelperName() { throw new Error("left out"); } }',
          map: null,
        };
      if (UNUSED.test(part)) return { code: stubs(code), map: null };
      for (const [name, file] of Object.entries(TABLES))
        if (!tables.has(name))
          tables.set(name, tableof(await readFile(`${top}${file}.js`, "utf8")));
      const numbers = (whole, name, key) => {
        const value = tables.get(name === "tt" ? "TokenType" : name)?.[key];
        if (typeof value !== "number") throw new Error(`${id}: ${whole} is no number of sucrase's`);
        return String(value);
      };
      const text = (part.endsWith("readWordTree.js") ? wordtree(code) : code)
        .replace(TABLE, (whole, name) => (name in TABLES ? `export const ${name} = {};` : whole))
        .replaceAll(CONDITION, (_, name) => String(SETTLED[name]))
        .replaceAll(/(?:options\.)?transforms\.includes\("([\w-]+)"\)/g, (_, name) =>
          String(name === "typescript"),
        )
        .replaceAll(/\b(tt|TokenType|ContextualKeyword|charCodes)\.(\w+)/g, numbers);
      return { code: text, map: null };
    },
  };
}
