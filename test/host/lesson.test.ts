// namec lesson and namec glossary, as somebody finds them who installed the package and has no clone.

import { tmpdir } from "node:os";
import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import { Run } from "../kit/cli.ts";

/** Runs a command somewhere else than in the project. */
const namec = (...args: string[]) => new Run(args, tmpdir()).ended();

const N = readdirSync("examples/lessons").length;

test("namec lesson lists every lesson, and each has an answer", async (t) => {
  const { status, out } = await namec("lesson");
  t.is(status, 0);
  t.is(out.trim().split("\n").length, N);
  const answers = readFileSync("docs/lessons.md", "utf8").match(/^## \d+-/gm) ?? [];
  t.is(answers.length, N);
});

test("a lesson is asked before its steps are written, on the machines that it wants", async (t) => {
  const { status, out, err } = await namec("lesson", "--print", "--by", "failure", "4");
  t.is(status, 0);
  t.regex(err, /^Lesson 4: What exactly failed in a long name\n\nQuestion: One element/);
  t.regex(out, /open\("\/n\/far\/usr\/glenda\/libs\/profile", OREAD\) = -1/);
});

test("the answer of a lesson is shown when it is asked for, not before", async (t) => {
  const { out } = await namec("lesson", "--answer", "3");
  t.regex(out, /^Why one stat takes one round trip and another two\n\nTo new go Twalk/);
  t.regex(
    out,
    /\n\nChange: Run it with --namespace standard\.[^]*\n\nChanged: `standard` takes three/,
  );
  t.notRegex(out, /There is no libs/);
});

test("a lesson that is not there is a question that makes no sense", async (t) => {
  const { status, err } = await namec("lesson", "99");
  t.is(status, 2);
  t.is(err, `namec lesson: there is no lesson 99\n    there are 1 to ${N}\n`);
});

test("a word of the glossary is explained, whatever the case of its letters", async (t) => {
  t.regex((await namec("glossary", "FID")).out, /^fid: the number by which a client names a file/);
  t.regex((await namec("glossary", "round", "trip")).out, /^round trip: /);
});

test("a word that the glossary has not is answered with one that is near", async (t) => {
  const { status, err } = await namec("glossary", "clnk");
  t.is(status, 2);
  t.is(err, "namec glossary: clnk is not in the glossary\n    did you mean clunk?\n");
});
