// Who may import whom, read from the import statements. tsc keeps the rooms in order (a room that
// is not in its references does not compile); this adds what tsc cannot say.
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import test from "ava";

type Room = Readonly<{
  files: RegExp;
  may: RegExp; // paths from the top of the project, or the names of packages
  types?: RegExp; // what it may import as types besides
}>;

/** What programs and the kernel both know. */
const abi = "kernel/abi/";
const portable = "(?!.*-node\\.ts$)";

/** The first room that a file fits is its room. */
const rooms: readonly Room[] = [
  { files: /^kernel\/abi\//, may: /^kernel\/abi\// },
  { files: /^kernel\//, may: /^kernel\// },
  { files: /^devices\/.*-node\.ts$/, may: /^(kernel\/|devices\/|node:)/ },
  { files: /^devices\//, may: RegExp(`^(${portable}(kernel|devices)/|lru-cache$)`) },
  { files: /^syscalls\//, may: RegExp(`^${portable}(kernel|devices|syscalls)/`) },
  {
    files: /^userland\/lib\/fossil\//,
    may: RegExp(`^(userland/lib/|${abi}|lru-cache$|@noble/hashes/sha2.js$)`),
    types: /^syscalls\/sys\.ts$/,
  },
  {
    files: /^userland\/lib\//,
    may: RegExp(`^(userland/lib/|${abi})`),
    types: /^syscalls\/sys\.ts$/,
  },
  {
    files: /^userland\/bin\//,
    may: RegExp(`^(userland/(lib|bin)/|${abi})`),
    types: /^syscalls\/sys\.ts$/,
  },
  {
    files: /^userland\/view\//,
    may: RegExp(`^(userland/view/|${abi})`),
    types: /^kernel\//,
  },
  {
    files: /^userland\/vm\/inside\//,
    may: RegExp(`^(userland/vm/(inside/|abi\\.ts$)|userland/lib/|${abi})`),
  },
  {
    files: /^userland\/vm\//,
    may: RegExp(`^(userland/(vm|lib|view)/|kernel/proc/trap\\.ts$|${abi})`),
    types: /^(kernel\/|syscalls\/sys\.ts$)/,
  },
  {
    files: /^userland\/boot\//,
    may: RegExp(
      `^${portable}(userland/(boot|vm|view|lib|bin)/|devices/|syscalls/|kernel/boot\\.ts$|${abi})`,
    ),
    types: /^kernel\//,
  },
  {
    files: /^userland\/web\//,
    may: RegExp(
      `^(${portable}userland/(web|boot|vm|view|lib|bin)/|kernel/boot\\.ts$|${abi}|sucrase$|@codemirror/|@lezer/|@xterm/|@ts-morph/common/|virtual:(declarations|kernel)$|docs/(glossary|lessons|ten-minutes)\\.md|examples/lessons/01-which-server\\.ts)`,
    ),
    types: /^(kernel\/|syscalls\/sys\.ts$)/,
  },
  {
    files: /^userland\/explore\//,
    may: RegExp(`^${portable}(userland/(explore|boot|view|lib)/|kernel/boot\\.ts$|${abi})`),
    types: /^kernel\//,
  },
  {
    files: /^userland\/testing\//,
    may: RegExp(
      `^${portable}(userland/(testing|explore|boot|view|lib|bin)/|devices/|syscalls/|kernel/boot\\.ts$|${abi}|diff$)`,
    ),
    types: /^kernel\//,
  },
  {
    files: /^userland\/host\//,
    may: RegExp(
      `^(userland/|devices/|syscalls/|kernel/(boot|index)\\.ts$|${abi}|node:|sucrase$|get-east-asian-width$|@peculiar/x509$|reflect-metadata$)`,
    ),
    types: /^kernel\//,
  },
];

type Import = Readonly<{ from: string; typeOnly: boolean }>;

/** `import type { A } from "./a.ts"` → [{ from: "./a.ts", typeOnly: true }] */
function importsOf(source: string): Import[] {
  const statement = /^(?:import|export)(\s+type\b)?(?:[^;"'`]*?\bfrom)?\s*["']([^"']+)["']/gm;
  const dynamic = /\bimport\(\s*["']([^"']+)["']/g;
  return [
    ...[...source.matchAll(statement)].map((m) => ({
      from: m[2] ?? "",
      typeOnly: m[1] !== undefined,
    })),
    ...[...source.matchAll(dynamic)].map((m) => ({ from: m[1] ?? "", typeOnly: false })),
  ];
}

/** What is wrong with the imports of one file. */
function complaints(file: string, source: string): string[] {
  const room = rooms.find((r) => r.files.test(file));
  if (room === undefined) return [`${file} is in no room`];
  return importsOf(source).flatMap(({ from, typeOnly }) => {
    const path = from.startsWith(".") ? posix.join(posix.dirname(file), from) : from;
    if (room.may.test(path) || (typeOnly && room.types?.test(path))) return [];
    return [`${file} imports ${path}`];
  });
}

function sources(room: string): string[] {
  return readdirSync(room, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => posix.join(room, name.replaceAll("\\", "/")));
}

test("every room imports only what it may", (t) => {
  const files = ["kernel", "devices", "syscalls", "userland"].flatMap(sources);
  t.deepEqual(
    files.flatMap((file) => complaints(file, readFileSync(file, "utf8"))),
    [],
  );
});

test("one file alone declares what it uses of a host: the others run anywhere", (t) => {
  const files = ["kernel", "devices", "syscalls", "userland"].flatMap(sources);
  t.deepEqual(
    files.filter((file) => /^declare /m.test(readFileSync(file, "utf8"))),
    // What vite makes for the page is declared in a file of its own.
    ["userland/boot/host.ts", "userland/web/virtual.d.ts"],
  );
});

const wrong: readonly (readonly [string, string])[] = [
  ["kernel/a.ts", 'import { mnt } from "../devices/mnt.ts";'],
  ["kernel/a.ts", 'import "node:fs";'],
  ["kernel/abi/a.ts", 'import { Chan } from "../chan.ts";'],
  ["kernel/a.ts", 'import { LRUCache } from "lru-cache";'],
  ["devices/a.ts", 'export { x } from "../syscalls/open.ts";'],
  ["devices/a.ts", 'import { newIp } from "./ip/ip-node.ts";'],
  ["devices/ip-node.ts", 'import { Sys } from "../syscalls/sys.ts";'],
  ["syscalls/a.ts", 'import type { Sys } from "../userland/lib/print.ts";'],
  ["userland/bin/a.ts", 'import {\n  walk,\n  namec,\n} from "../../kernel/names/namec.ts";'],
  ["userland/bin/a.ts", 'import { Sys } from "../../syscalls/sys.ts";'],
  ["userland/bin/a.ts", 'const fs = await import("node:fs");'],
  ["userland/lib/a.ts", 'import { ls } from "../bin/ls.ts";'],
  ["userland/web/a.ts", 'import { Usage } from "../host/command.ts";'],
  ["userland/web/a.ts", 'import { Sched } from "../../kernel/proc/sched.ts";'],
  ["userland/testing/a.ts", 'import assert from "node:assert";'],
  ["userland/testing/a.ts", 'import { run } from "../host/run.ts";'],
  ["userland/host/a.ts", 'import { namec } from "../../kernel/names/namec.ts";'],
  ["userland/host/a.ts", 'import test from "../../test/kit/kit.ts";'],
];

const right: readonly (readonly [string, string])[] = [
  [
    "devices/a.ts",
    'import { LRUCache } from "lru-cache";\nimport { Chan } from "../kernel/chan.ts";',
  ],
  ["devices/ip-node.ts", 'import { connect } from "node:net";'],
  ["userland/bin/a.ts", 'import type { Sys } from "../../syscalls/sys.ts";'],
  ["userland/bin/a.ts", 'import { OREAD } from "../../kernel/abi/const.ts";'],
  ["userland/lib/a.ts", 'import { format } from "../../kernel/abi/fcallfmt.ts";'],
  ["userland/web/a.ts", 'import url from "./worker.ts?worker&url";'],
  ["userland/web/a.ts", 'const { transform } = await import("sucrase");'],
  ["userland/host/a.ts", 'import { boot } from "../../kernel/boot.ts";'],
];

test("a forbidden import is noticed", (t) => {
  for (const [file, source] of wrong) t.is(complaints(file, source).length, 1, source);
  for (const [file, source] of right) t.deepEqual(complaints(file, source), []);
});
