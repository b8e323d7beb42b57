// namec lesson: the programs of examples/lessons, which are part of the package. A lesson says what it asks and where
// to look, and is stepped through; its answer is shown when it is asked for.

import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { lessonof } from "../view/words/documents.ts";
import type { Lesson } from "../view/words/documents.ts";
import { Usage } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { wrap } from "./help.ts";
import { LOOK, step } from "./step.ts";

const TOP = new URL("../../../", import.meta.url);
const DIR = new URL("examples/lessons/", TOP);
const ANSWERS = new URL("docs/lessons.md", TOP);
const WIDTH = 80;

export const lesson: Command = {
  name: "lesson",
  usage: "[options] [N]",
  brief: "a lesson to step through; without a number, a list of them",
  about: `Each lesson is a small program that asks one question. Lesson N is shown with its question, what to look
at and what to change, and then stepped through on the machines that it wants, as namec step does: forward
and back, on the terminal or as text. --answer shows the answer instead, and what the change brings; --program
writes the program, to be changed.`,
  options: [
    { name: "answer", values: [], text: "show the answer" },
    { name: "program", values: [], text: "show the program" },
    ...step.options,
  ],
  examples: [
    "namec lesson",
    "namec lesson 3",
    "namec lesson --namespace standard 6",
    "namec lesson --answer 3",
  ],
  mixed: true,
  run: start,
};

/** A lesson, and the file of its program. */
type Filed = Lesson & { readonly file: URL };

function lessons(): Filed[] {
  const answers = readFileSync(ANSWERS, "utf8");
  return readdirSync(DIR)
    .filter((name) => /^\d+-.*\.ts$/.test(name))
    .toSorted()
    .map((name) => {
      const file = new URL(name, DIR);
      return { ...lessonof(name, readFileSync(file, "utf8"), answers), file };
    });
}

async function start(given: Given): Promise<number> {
  const [word, more] = given.rest;
  if (more !== undefined) throw new Usage(`${more} is too much`, "one lesson at a time");
  const all = lessons();
  if (word === undefined) {
    for (const l of all) say(`${String(l.n).padStart(3)}  ${l.title}`);
    return 0;
  }
  const l = all.find((one) => String(one.n) === word.replace(/^0+/, ""));
  if (l === undefined)
    throw new Usage(`there is no lesson ${word}`, `there are 1 to ${all.length}`);
  if (given.has("answer")) {
    say(l.title);
    for (const text of [l.answer, `Change: ${l.change}`, `Changed: ${l.changed}`])
      for (const p of text.split("\n\n")) say(`\n${wrap(p, WIDTH).join("\n")}`);
    return 0;
  }
  if (given.has("program")) {
    process.stdout.write(l.text);
    return 0;
  }
  const machines = l.machines.map((m) => ["host", m] as const);
  // What a lesson asks stands before its steps where those are text, and waits for Enter where they are a screen.
  if (!given.has("json")) await asked(l, given.has("print"));
  const begun = [...(given.has("host") ? [] : machines), [LOOK, l.look] as const];
  return await step.run(given.also(begun, [fileURLToPath(l.file)]));
}

async function asked(l: Filed, print: boolean): Promise<void> {
  const terminal = !print && process.stdin.isTTY && process.stdout.isTTY;
  const out = terminal ? process.stdout : process.stderr;
  const text = [
    `Lesson ${l.n}: ${l.title}`,
    `Question: ${l.question}`,
    `Look at: ${l.look}`,
    `Change: ${l.change}`,
    `Answer: namec lesson --answer ${l.n}`,
  ];
  out.write(`${text.map((t) => wrap(t, WIDTH).join("\n    ")).join("\n\n")}\n\n`);
  if (!terminal) return;
  out.write("Enter begins. ");
  await new Promise<void>((done) => {
    process.stdin.once("data", () => {
      process.stdin.pause();
      done();
    });
    process.stdin.resume();
  });
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
