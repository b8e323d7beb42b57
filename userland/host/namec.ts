#!/usr/bin/env node
// The command line: finds the command, parses its words, runs it. Status 0 is success, 1 a failure of
// what was run, 2 a question that makes no sense.

import { readFileSync } from "node:fs";
import { Usage, nearest, parse } from "./command.ts";
import type { Command } from "./command.ts";
import { demo } from "./demo.ts";
import { explain } from "./explain.ts";
import { fossil } from "./fossil.ts";
import { commandhelp, help } from "./help.ts";
import { Loaderror } from "./load.ts";
import { Mounterror } from "../boot/mounts.ts";
import { rc } from "./rc.ts";
import { run } from "./run.ts";
import { serve } from "./serve.ts";
import { step } from "./step.ts";
import { visible } from "../view/words/visible.ts";
import { PIPECLOSED } from "./watch.ts";
import { web } from "./web.ts";

const COMMANDS: readonly Command[] = [demo, explain, fossil, rc, run, serve, step, web];

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined && process.stdin.isTTY && process.stdout.isTTY)
    return await rc.run(parse(rc, []));
  if (name === undefined || name === "--help" || name === "-h") return say(help(COMMANDS));
  if (name === "--version" || name === "-v") return say(`namec ${version()}\n`);
  if (name === "help")
    return say(rest[0] === undefined ? help(COMMANDS) : commandhelp(find(rest[0])));
  const command = find(name);
  const end = rest.indexOf("--");
  const own = end < 0 ? rest : rest.slice(0, end);
  if (ishelp(command, own)) return say(commandhelp(command));
  try {
    return await command.run(parse(command, rest));
  } catch (e) {
    return failed(`namec ${name}`, e);
  }
}

/** --help among the command's own options, not among those of a program that it runs. */
function ishelp(command: Command, words: readonly string[]): boolean {
  const first = words[0];
  if (first === "--help" || first === "-h") return true;
  return command.mixed === true && (words.includes("--help") || words.includes("-h"));
}

function find(name: string): Command {
  const command = COMMANDS.find((c) => c.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((c) => c.name);
  const close = nearest(name, names);
  const hint = close === null ? `there are ${names.join(", ")}` : `did you mean ${close}?`;
  throw new Usage(`unknown ${name.startsWith("-") ? "option" : "command"} ${name}`, hint);
}

function failed(who: string, e: unknown): number {
  if (e instanceof Usage)
    return complain(`${who}: ${e.message}${e.hint === "" ? "" : `\n${" ".repeat(4)}${e.hint}`}`, 2);
  if (e instanceof Loaderror || e instanceof Mounterror) return complain(`${who}: ${e.message}`, 1);
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

// Who reads what is written here may go at any time; what still comes is for nobody, and that is no crash.
let gone = false;
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => (gone = true));

main(process.argv.slice(2)).then(exit, (e: unknown) => exit(failed("namec", e)));
