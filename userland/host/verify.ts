// namec verify: the conformance run for a 9P server, over any of the host's networks, as TAP or JSON.

import type { Booted } from "../../kernel/boot.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { parsetime } from "../boot/units.ts";
import { Unreachable, checks, chosen, verify as verified } from "../lib/verify/verify.ts";
import type { Result, Target, Verifyopts } from "../lib/verify/verify.ts";
import { plural, visible } from "../view/words/text.ts";
import { Usage } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { tlsoption } from "./door.ts";
import { machine } from "./machine.ts";
import { userof } from "./simrun.ts";

export const verify: Command = {
  name: "verify",
  usage: "[options] ADDR",
  brief: "check whether a 9P server does what the manual says",
  about: `ADDR is a dial string: tcp!host!port, unix!/tmp/fs, or tls!host!port with --tls.

The checks are made of section 5 of the manual, and of what servers got wrong: answers to each
message, fids, partial walks, modes, directories in pieces, wstat and its atomicity, flushes, frames
that no client should send. Each line names the page that it rests on. Everything that is written
is below a directory verify-... that is made for it and removed at the end.

The output is TAP: "not ok" is a server that does otherwise, "# TODO" one that does not follow a
piece of advice, "# SKIP" a check that could not be made, with the reason. The status is 0 if nothing
fails, 1 if something does, 2 if the server cannot be reached.`,
  options: [
    { name: "readonly", values: [], text: "make and change nothing on the server" },
    { name: "dir", values: ["DIR"], text: "make the directory for the checks there (default /)" },
    {
      name: "user",
      values: ["NAME"],
      text: "attach as NAME (default glenda; with --tls, the user of the certificate)",
    },
    { name: "aname", values: ["TREE"], text: "which of its trees to attach to" },
    tlsoption,
    {
      name: "only",
      values: ["ID"],
      text: "only checks with this id, or of this page: walk, stat.rename; may be repeated",
    },
    {
      name: "except",
      values: ["ID"],
      text: "no such checks: those that a server dies of, to make the others; may be repeated",
    },
    { name: "patience", values: ["T"], text: "how long the server has to answer (default 5s)" },
    { name: "json", values: [], text: "write one JSON document in place of TAP" },
    { name: "list", values: [], text: "write the checks, and make none" },
  ],
  examples: [
    "namec verify 'tcp!127.0.0.1!5640'",
    "namec verify --readonly --user none 'tcp!9p.io!564'",
    "namec verify --dir /tmp --only walk --only create 'unix!/tmp/ns.glenda.:0/fs'",
  ],
  mixed: true,
  run: start,
};

/** What --only and --except say; each names some checks. */
function choiceof(given: Given): Pick<Verifyopts, "only" | "except"> {
  const ids = (option: "only" | "except"): readonly string[] => {
    const list = given.all(option).map(([id = ""]) => id.replace(/\(5\)$/, ""));
    for (const o of list)
      if (!checks.some(({ id }) => chosen(id, { only: [o] })))
        throw new Usage(
          `--${option} ${o}: there is no such check`,
          "namec verify --list lists them",
        );
    return list;
  };
  const [only, except] = [ids("only"), ids("except")];
  return { except, ...(only.length > 0 && { only }) };
}

function patienceof(given: Given): number {
  const text = given.get("patience") ?? "5s";
  try {
    const ms = parsetime(text) / 1e6;
    if (ms >= 1) return ms;
  } catch {
    // Said below.
  }
  throw new Usage(`--patience ${text}: a time of a millisecond or more, such as 5s`);
}

async function start(given: Given): Promise<number> {
  const choice = choiceof(given);
  if (given.has("list")) return list(choice);
  const [addr, ...more] = given.rest;
  if (addr === undefined || more.length > 0)
    throw new Usage("verify takes one address", "namec verify 'tcp!127.0.0.1!5640'");
  if (given.has("readonly") && given.has("dir"))
    throw new Usage("--dir means nothing with --readonly", "nothing is made there");
  const target: Target = {
    addr,
    uname: userof(given) ?? "glenda",
    aname: given.get("aname") ?? "",
    patience: patienceof(given),
  };
  const dir = (given.get("dir") ?? "/").split("/").filter((e) => e !== "");
  const tls = given.get("tls");
  const kernel = await machine({}, tls === undefined ? {} : { dir: tls });
  try {
    const opts = { readonly: given.has("readonly"), dir, ...choice };
    return await report(kernel, target, { opts, json: given.has("json") });
  } finally {
    await kernel.shutdown();
  }
}

function list(choice: Pick<Verifyopts, "only" | "except">): number {
  for (const { id, section, title, level } of checks)
    if (chosen(id, choice))
      process.stdout.write(`${id.padEnd(24)} ${section.padEnd(12)} ${level.padEnd(7)} ${title}\n`);
  return 0;
}

type How = { readonly opts: Verifyopts; readonly json: boolean };

/** Makes the run, tells of it, and gives the status. */
async function report(kernel: Booted, target: Target, { opts, json }: How): Promise<number> {
  let n = 0;
  let stopped = false;
  const stop = (): void => void (stopped = true);
  process.on("SIGINT", stop);
  const out = (text: string): void => void process.stdout.write(text);
  if (!json) out("TAP version 13\n");
  let results: Result[] | null = null;
  let unreachable: Unreachable | null = null;
  const main = async (sys: Sys): Promise<void> => {
    const tell = (r: Result): void => void (json || out(tap(r, ++n)));
    try {
      results = await verified(sys, target, { ...opts, tell, stop: () => stopped });
    } catch (e) {
      if (!(e instanceof Unreachable)) throw e;
      unreachable = e;
    }
  };
  const p = kernel.spawn(main, ["verify"]);
  await p.wait();
  process.off("SIGINT", stop);
  if (p.crash !== undefined) throw p.crash;
  const failed = unreachable as Unreachable | null;
  if (failed !== null) {
    if (!json) out(`Bail out! ${visible(failed.message)}\n`);
    return complain(`${target.addr}: ${failed.message}`);
  }
  const all = results as Result[] | null;
  if (all === null) throw new Error("the run gave nothing");
  const count = (what: (r: Result) => boolean): number => all.filter(what).length;
  const fail = count((r) => r.outcome === "fail" && r.level === "must");
  const advice = count((r) => r.outcome === "fail" && r.level === "should");
  const [pass, skip] = [count((r) => r.outcome === "pass"), count((r) => r.outcome === "skip")];
  if (json)
    out(
      visible(
        `${JSON.stringify({ addr: target.addr, pass, fail, advice, skip, results: all }, null, 1)}\n`,
        "\n",
      ),
    );
  else {
    out(
      `1..${n}\n# ${pass} passed, ${fail} failed, ${plural(advice, "piece")} of advice not followed, ${skip} skipped\n`,
    );
    if (stopped) out("Bail out! interrupted\n");
  }
  return fail > 0 || stopped ? 1 : 0;
}

function complain(text: string): number {
  process.stderr.write(`namec verify: ${visible(text)}\n`);
  return 2;
}

/** A result as TAP has it, with the page of the manual and, where it failed, what was wrong. */
function tap({ id, section, title, level, outcome, message }: Result, n: number): string {
  const what = `${n} - ${id} (${section}): ${title}`.replaceAll("#", "\\#");
  const said = visible(message).replaceAll("#", "\\#");
  if (outcome === "skip") return `ok ${what} # SKIP ${said}\n`;
  if (outcome === "pass") return `ok ${what}\n`;
  const todo = level === "should" ? " # TODO advice" : "";
  return `not ok ${what}${todo}\n  ---\n  message: ${JSON.stringify(visible(message))}\n  section: ${section}\n  ...\n`;
}
