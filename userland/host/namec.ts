#!/usr/bin/env node
// The command line: finds the command, parses its words, runs it. Status 0 is success, 1 a failure of
// what was run, 2 a question that makes no sense.

import { readFileSync } from "node:fs";
import { nullproto } from "../../kernel/abi/nullproto.ts";
import { visible } from "../view/words/text.ts";
import { Usage, nearest, parse } from "./command.ts";
import type { Command } from "./command.ts";
import { isfresh, loadone } from "./one.ts";
import type { One } from "./one.ts";

/** What a shell reports of a process that a closed pipe ended; watch.ts has it, too, and is much to load. */
const PIPECLOSED = 141;

type Load = () => Promise<Readonly<Record<string, unknown>>>;

/** The commands' modules, each loaded when it is wanted: what one needs is no burden for the others. */
const COMMANDS: Readonly<Record<string, Load>> = nullproto({
  cert: () => import("./cert.ts"),
  demo: () => import("./demo.ts"),
  explain: () => import("./explain.ts"),
  explore: () => import("./explore.ts"),
  fossil: () => import("./fossil.ts"),
  glossary: () => import("./glossary.ts"),
  lesson: () => import("./lesson.ts"),
  rc: () => import("./rc.ts"),
  run: () => import("./run.ts"),
  serve: () => import("./serve.ts"),
  step: () => import("./step.ts"),
  verify: () => import("./verify.ts"),
  web: () => import("./web.ts"),
});

let one: One | null = null;

/** A command from the one file, which loads in a third of the time, where it is as new as what it was made of. */
async function load(name: string): Promise<Command> {
  if (one === null && isfresh()) one = loadone();
  const module = one?.require(`./${name}.cjs`) ?? (await COMMANDS[name]?.()) ?? {};
  return Reflect.get(module, name) as Command;
}

async function main(words: readonly string[]): Promise<number> {
  const [first, ...rest] = words;
  const prompt = first === undefined && process.stdin.isTTY && process.stdout.isTTY;
  const name = prompt ? "rc" : first;
  if (name === undefined || name === "--help" || name === "-h") return say(await usage());
  if (name === "--version" || name === "-v") return say(`namec ${version()}\n`);
  if (name === "help") return say(rest[0] === undefined ? await usage() : await about(rest[0]));
  const command = await find(name);
  const end = rest.indexOf("--");
  const own = end < 0 ? rest : rest.slice(0, end);
  if (ishelp(command, own)) return say(await about(name));
  try {
    return await command.run(parse(command, rest));
  } catch (e) {
    return failed(`namec ${name}`, e);
  }
}

/** The help of them all. */
async function usage(): Promise<string> {
  const { help } = await import("./help.ts");
  return help(await Promise.all(Object.keys(COMMANDS).map(load)));
}

/** The help of one. */
async function about(name: string): Promise<string> {
  const { commandhelp } = await import("./help.ts");
  return commandhelp(await find(name));
}

/** --help among the command's own options, not among those of a program that it runs. */
function ishelp(command: Command, words: readonly string[]): boolean {
  const first = words[0];
  if (first === "--help" || first === "-h") return true;
  return command.mixed === true && (words.includes("--help") || words.includes("-h"));
}

async function find(name: string): Promise<Command> {
  if (name in COMMANDS) return await load(name);
  const names = Object.keys(COMMANDS);
  const close = nearest(name, names);
  const hint = close === null ? `there are ${names.join(", ")}` : `did you mean ${close}?`;
  throw new Usage(`unknown ${name.startsWith("-") ? "option" : "command"} ${name}`, hint);
}

/** Told by its name: a class that is here and in the one file, too, is not one. */
const isa = (e: unknown, name: string): e is Error => e instanceof Error && e.name === name;

/** What to do about it, on a line of its own. */
function hint(e: Error): string {
  const text: unknown = Reflect.get(e, "hint");
  return typeof text === "string" && text !== "" ? `\n${" ".repeat(4)}${text}` : "";
}

function failed(who: string, e: unknown): number {
  if (isa(e, "Usage")) return complain(`${who}: ${e.message}${hint(e)}`, 2);
  if (isa(e, "Loaderror") || isa(e, "Mounterror")) return complain(`${who}: ${e.message}`, 1);
  return complain(`${who}: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`, 1);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(text: string, status: number): number {
  process.stderr.write(`${visible(text, "\n\t")}\n`);
  return status;
}

function version(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { version: v } = JSON.parse(text) as { version: string };
  return v;
}

/** Ends this process when what it wrote has left. */
function exit(status: number): void {
  process.exitCode = status;
  const end = (): never => process.exit(gone && status === 0 ? PIPECLOSED : status);
  process.stdout.write("", () => process.stderr.write("", end));
}

// The reader of this output may go at any time. What is written then is lost, and that is no crash.
let gone = false;
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => (gone = true));

main(process.argv.slice(2)).then(exit, (e: unknown) => exit(failed("namec", e)));
