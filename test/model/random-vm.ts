// Small programs made by chance, as text: those that use what a program may use (calls, forks, notes, pipes, time and
// chance), and those that are hostile. The same seed makes the same program.

import { chance } from "../../userland/boot/boot.ts";

type Pick = (n: number) => number;
type Rule = (r: Pick, depth: number) => string;

const one = (r: Pick, list: readonly string[]): string => list[r(list.length)] ?? "";
const FLAGS = [
  "",
  "|n.RFFDG",
  "|n.RFNAMEG",
  "|n.RFENVG|n.RFREND",
  "|n.RFNOTEG",
  "|n.RFNOWAIT",
  "|n.RFMEM",
];
const PRINTS = [
  "Math.random()",
  "Date.now()",
  "performance.now()",
  "await sys.nsec()",
  "x++",
  "await n.getpid(sys)",
];

/** Calls that a program may make; each is a statement of an async function with sys, x and n. */
const CALLS: readonly Rule[] = [
  (r) => `await n.print(sys, \`\${${one(r, PRINTS)}}\\n\`);`,
  (r) => `await sys.sleep(${r(20)});`,
  (r) => `await n.writefile(sys, "/tmp/f${r(3)}", "x".repeat(${r(3000)}));`,
  (r) => `x += (await n.readfile(sys, "/tmp/f${r(3)}").catch(() => "")).length;`,
  (r, depth) => fork(r, depth),
  (r, depth) => fork(r, depth),
  () => `await n.print(sys, JSON.stringify(await sys.wait().catch((e) => e.message)));`,
  (r) =>
    `await Promise.all([sys.sleep(${r(9)}), sys.open("/no", 0), sys.stat("/")].map((p) => p.catch(() => x++)));`,
  (r) => `await sys.alarm(${r(30)});`,
  () =>
    `await sys.notify(async (note, its) => { await n.print(its, note + x); await its.noted(n.NCONT); });`,
  (r) =>
    `await Promise.race([sys.rendezvous(${r(2)}, x), sys.sleep(${1 + r(9)})].map((p) => p.catch(() => 0)));`,
  () =>
    `{ const [a, b] = await sys.pipe(); await n.fprint(sys, a, "p" + x); const buf = new Uint8Array(9); x += await sys.read(b, buf); }`,
  (r) => `await sys.semrelease(sem, ${r(3)}); x += await sys.tsemacquire(sem, ${r(9)});`,
  (r) => `await sys.bind("/tmp", "/n", ${r(3)}).catch(() => 0); await sys.chdir("/n");`,
  (r) => `await n.putenv(sys, "v", String(x)); x += ${r(5)};`,
];

function fork(r: Pick, depth: number): string {
  if (depth > 2) return "x++;";
  const flags = one(r, FLAGS);
  const inner = body(r, CALLS, depth + 1);
  if (flags === "|n.RFMEM" || r(3) === 0)
    return `await sys.rfork(n.RFPROC${flags}, async (sys) => { ${inner} });`;
  return `if ((await sys.rfork(n.RFPROC${flags}).catch(() => 1)) === 0) { ${inner} return String(x); }`;
}

function body(r: Pick, rules: readonly Rule[], depth: number): string {
  const list: string[] = [];
  for (let i = 1 + r(depth === 0 ? 8 : 4); i > 0; i--)
    list.push(rules[r(rules.length)]?.(r, depth) ?? "");
  return list.join("\n  ");
}

/** What a hostile program does to its language, to its arguments, and to what it can reach. */
export const HOSTILE: readonly string[] = [
  "Object.prototype.toString = Object.prototype.then = () => { throw 1; };",
  "Promise.prototype.then = function () { throw new Error('no then'); };",
  "Map.prototype.get = Map.prototype.set = Map.prototype.delete = () => undefined;",
  "Array.prototype.push = Array.prototype[Symbol.iterator] = null;",
  "Function.prototype.call = Function.prototype.apply = () => 0;",
  "Uint8Array.prototype.set = function () { globalThis.room = this; }; await sys.write(1, new Uint8Array(9));",
  "Object.getPrototypeOf(Uint8Array.prototype).set = function (a) { globalThis.room = this; }; await sys.write(1, new Uint8Array(9)); room.buffer.transfer?.(); await sys.write(1, new Uint8Array(9));",
  "JSON.stringify = JSON.parse = () => '{}';",
  "globalThis.Promise = globalThis.Error = globalThis.Map = null;",
  "Error.prepareStackTrace = () => { throw 1; }; Object.defineProperty(Error.prototype, 'stack', { get() { throw 1; } }); null.x;",
  "Object.defineProperty(Object.prototype, 'constructor', { get() { throw 1; } });",
  "Object.setPrototypeOf(sys, null); Object.freeze(sys); sys.open = 1;",
  "await sys.wstat('/tmp/f', new Proxy({}, { get() { throw 1; }, ownKeys() { throw 1; } }));",
  "await sys.wstat('/tmp/f', { get name() { throw 1; } });",
  "await sys.open({ toString() { throw 1; } }, 0);",
  "await sys.open(new Proxy(function () {}, {}), 0);",
  "await sys.write(1, new Proxy(new Uint8Array(9), {}));",
  "await sys.write(1, Object.create(Uint8Array.prototype));",
  "await sys.read(0, new Uint8Array(new SharedArrayBuffer(9)));",
  "const b = new Uint8Array(9); b.buffer.transfer?.(); await sys.read(0, b);",
  "await sys.exec('/bin/echo', new Proxy(['a'], { get(t, k) { if (k === 'length') return 2 ** 32; throw 1; } }));",
  "await sys.exec('/bin/echo', { length: 1e9 });",
  "await sys.rendezvous({ get a() { throw 1; } }, new Proxy({}, {}));",
  "await sys.seek(1, NaN, -Infinity); await sys.seek(2 ** 53, 1e308, 0);",
  "await sys.open('a\\0b\\ud800', 0);",
  "await sys.semacquire(new Int32Array(new SharedArrayBuffer(8)), true);",
  "await sys.rfork({ valueOf() { throw 1; } }); await sys.rfork(-1); await sys.rfork(2 ** 40);",
  "await sys.notify({}); await sys.notify(new Proxy(() => 1, { apply() { throw 1; } })); await sys.alarm(1); await sys.sleep(9);",
  "throw { toString() { throw 1; } };",
  "throw new Proxy(new Error('x'), { get() { throw 1; } });",
  "throw Object.assign(new Error('x'), { message: { toString: null } });",
  "throw Object.assign(new Error(), { cause: globalThis });",
  "const e = new Error('x'); e.cause = e; throw e;",
  "return { toString() { throw 1; } };",
  "return 'x'.repeat(1e6);",
  "throw Object.assign(new Error('x'), { stack: 'x'.repeat(3e6) });",
  "throw Object.assign(new Error('x'), { stack: '    at x (file://evil/a:1:2)\\n' + '(file://'.repeat(3e5) });",
  "await null; void (async () => { const f = () => { try { f(); } catch { f(); } }; f(); })().catch(() => 0); return 'x'.repeat(1e6);",
  "await new Promise(() => 0);",
  "const p = []; for (let i = 0; i < 1e5; i++) p.push(sys.sleep(1e9)); await Promise.race(p);",
  "for (;;) void sys.open('/tmp/none', 0);",
  "for (;;) await sys.rfork(n.RFPROC | n.RFMEM, async (its) => { await its.sleep(1e9); }).catch(() => { for (;;); });",
  "const f = () => [f(), f()]; f();",
  "const f = () => { try { f(); } catch { f(); } }; f();",
  "const f = () => { void sys.open('/tmp/x', 0); f(); }; f();",
  "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a);",
  "JSON.parse('['.repeat(1e5)); ",
  "eval('('.repeat(1e5));",
  "new RegExp('('.repeat(1e4) + ')'.repeat(1e4)).test('x');",
  "/(a*)*b/.test('a'.repeat(40));",
  "let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); f();",
  "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x;",
  "let s = 'x'; for (;;) s += s;",
  "new Array(2 ** 32 - 1).fill(0);",
  "new ArrayBuffer(2 ** 31); new Uint8Array(2 ** 31);",
  "(2n ** 100000n) ** 100000n;",
  "'x'.padEnd(2 ** 29).replace(/x?/g, '$&$&$&');",
  "for (;;) { try { for (;;); } finally { continue; } }",
  "while (true) await null;",
  "const o = { then(resolve) { Promise.resolve().then(() => resolve(o)); } }; await o;",
  "await sys.write(1, new Uint8Array(5e6));",
  "globalThis.process.exit(1);",
  "require('fs');",
  "(await import('node:fs')).readFileSync('/etc/passwd');",
  "await import('/etc/passwd');",
  "await n.print(sys, String(sys.constructor.constructor('return typeof process + typeof require + typeof fetch')()));",
  "await n.print(sys, String(new Function('return typeof globalThis.process')() + typeof $vm));",
  "await n.print(sys, String((function () { return typeof this; }).caller));",
  "sys.open.constructor('for (;;);')();",
  "class A extends Promise { constructor(f) { super(f); throw 1; } } await A.resolve(1);",
  "new WeakRef({}); new FinalizationRegistry(() => { for (;;); }).register({}, 1); await sys.sleep(1);",
  "await Promise.all(Array.from({ length: 2000 }, () => sys.rendezvous({}, {})));",
  "await sys.exits({ toString() { throw 1; } });",
  "await sys.exits('x'.repeat(1e6)); for (;;);",
];

const program = (text: string): string =>
  `import * as n from "namec";\nexport default async function main(sys, argv) {\n  let x = 0; const sem = new Int32Array(1);\n  ${text}\n}\n`;

/** A program that uses what there is. */
export const usual = (seed: number): string => program(body(chance(seed), CALLS, 0));

/** A hostile program of the list. */
export const hostile = (text: string): string => program(text);

/** A hostile program made by chance: statements of both kinds, in blocks that catch or not. */
export function hostilemade(seed: number): string {
  const r = chance(seed);
  const some: Rule = () => {
    const text = one(r, HOSTILE).replaceAll("1e5", String(10 ** (1 + r(4))));
    return one(r, [
      `{ ${text} }`,
      `try { ${text} } catch {}`,
      `void (async () => { ${text} })().catch(() => 0);`,
    ]);
  };
  return program(body(r, [...CALLS, ...Array.from({ length: 20 }, () => some)], 0));
}
