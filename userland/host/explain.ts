// namec explain: makes the calls that were typed, on a virtual clock, and says in words what became of the
// last one. After it the program asks, by ordinary system calls, what there is of a name that failed; and
// the same calls are made once more on machines of their own with the other name space. The words are
// userland/view's.

import { DMDIR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { readdir } from "../lib/dirread.ts";
import { modestring } from "../../kernel/abi/modes.ts";
import { cleanname } from "../lib/name.ts";
import { getwd } from "../lib/proc.ts";
import { quote } from "../../kernel/abi/quote.ts";
import { explain as explained } from "../view/words/explain.ts";
import type { Asked, Explaining, Found } from "../view/words/explain.ts";
import type { Recording } from "../view/record/recording.ts";
import { visible } from "../view/words/text.ts";
import { Given, Usage, distance, nearest } from "./command.ts";
import type { Command } from "./command.ts";
import { wrap } from "./help.ts";
import { recordrun } from "./record.ts";
import { errorof, forms, statements } from "./script.ts";
import type { Statement } from "./script.ts";
import { machineoptions, userof } from "./simrun.ts";

/** Columns where there is no terminal, or one that does not know its size and says 0. */
const WIDTH = 80;

/** The options of run, but for the clock: it is virtual. */
const options = [
  { name: "how", values: [], text: "say how the kernel does such a thing, too" },
  ...machineoptions.filter((o) => o.name !== "virtual"),
];

export const explain: Command = {
  name: "explain",
  usage: "[options] 'CALL; CALL ...'",
  brief: "say in words what happens to a name, why, and what it costs",
  about: `Makes the calls, each whatever became of the one before, and explains the last: what failed, why,
what would mend it, and what is there instead; which mount, which member of a union, which server;
what it cost, and what the other name space paid for the same on machines of its own. Words are quoted as in rc.
The calls are

    ${forms.join("\n    ")}

Time is virtual: it passes only by what things cost. With --mount it is real, since the server is.`,
  options,
  examples: [
    "namec explain --host far:rtt=50ms 'open /n/far/x/y'",
    "namec explain --host far:rtt=50ms 'mkdir /n/far/a; write /n/far/a/x hi; stat /n/far/a/y'",
  ],
  run: async (given) => {
    process.stdout.write(await explaintext(given, process.stdout.columns || WIDTH));
    return 0;
  },
};

/** The explanation of the calls that were given, cut to a width. */
export async function explaintext(given: Given, width: number): Promise<string> {
  const text = textof(given.rest);
  const list = statements(text);
  const before: string[] = [];
  const mine = await ran(given, { text, list }, before);
  const other = given.get("namespace") === "standard" ? "names" : "standard";
  // A real server would be changed twice, and faults count messages, of which the other sends others.
  const alone = given.has("mount") || given.has("inject");
  const beside = alone ? null : await ran(besides(given, other), { text, list }, []);
  const x: Explaining = {
    before,
    run: mine.asked,
    user: userof(given) ?? "glenda",
    found: mine.found,
    beside: beside?.asked ?? null,
    how: given.has("how"),
  };
  return `${explained(x)
    .map((p) => wrap(visible(p), width).join("\n"))
    .join("\n\n")}\n`;
}

/** The words of the command line as one text: given one by one, they are quoted again. */
function textof(words: readonly string[]): string {
  const [first] = words;
  if (first === undefined) throw new Usage("no call is given", "namec explain 'open /n/far/x/y'");
  return words.length === 1 ? first : words.map((w) => (/^;|;$/.test(w) ? w : quote(w))).join(" ");
}

type Script = { readonly text: string; readonly list: readonly Statement[] };
type Ran = { readonly asked: Asked; readonly found: Found | null };

/** Makes the calls on a machine as `given` says, and then asks what there is of the last one's name. */
async function ran(given: Given, script: Script, failed: string[]): Promise<Ran> {
  const marks = { from: 0, to: 0, error: "" };
  let r: Recording | null = null;
  const calls = (): number => r?.calls.length ?? 0;
  let found: Found | null = null;
  const main = async (sys: Sys): Promise<string> => {
    for (const s of script.list) {
      marks.from = calls();
      if (marks.error !== "") failed.push(`${prior(script.list, s)}: ${marks.error}`);
      marks.error = await errorof(s, sys);
      marks.to = calls();
    }
    const name = blamed(script.list.at(-1), marks.error);
    if (name !== null) found = await probe(sys, name, marks.error);
    return "";
  };
  const what = { main, argv: ["explain"], program: script.text };
  const clock = given.has("mount") ? "real" : "virtual";
  const { recording } = await recordrun(given, what, { clock, tell: (_e, rec) => (r = rec) });
  // A call that never returns is the last one.
  if (marks.to <= marks.from && marks.from < recording.calls.length) marks.to = marks.from + 1;
  return { asked: { recording, ...marks }, found };
}

/** The name of a call that its error is about; null when it is about none. */
function blamed(s: Statement | undefined, error: string): string | null {
  const [, part] = /^'((?:[^']|'')*)' /.exec(error) ?? [];
  const last = s?.names.at(-1) ?? null;
  if (part !== undefined)
    return s?.names.find((n) => n.startsWith(part.replaceAll("''", "'"))) ?? last;
  return /permission denied$|exists$|not empty$|does not exist$|not found$/.test(error)
    ? last
    : null;
}

/** The text of the statement before s. */
function prior(list: readonly Statement[], s: Statement): string {
  return list[list.indexOf(s) - 1]?.text ?? "";
}

/** The same options for the other name space, whose machines speak what the published kernel does. */
function besides(given: Given, namespace: "names" | "standard"): Given {
  const map = new Map(options.map((o) => [o.name, given.all(o.name)] as const));
  map.set("namespace", [[namespace]]);
  if (namespace === "standard") {
    map.set("version", [["9P2000"]]);
    const plain = (text: string): string => text.replace(/,version=[^,]*|version=[^,]*,/, "");
    map.set(
      "host",
      given.all("host").map(([text = ""]) => [plain(text)]),
    );
  }
  return new Given(new Map([...map].filter(([, values]) => values.length > 0)), given.rest);
}

/** Asks for the deepest part of the name that exists, and for what is in it; null where even asking fails. */
async function probe(sys: Sys, name: string, error: string): Promise<Found | null> {
  const root = /^#[^/]*/.exec(name)?.[0] ?? "";
  const from = name.startsWith("/") || root !== "" ? "" : await getwd(sys);
  const elems = cleaned(`${from}/${name.slice(root.length)}`);
  const at = (n: number): string =>
    root === "" ? `/${elems.slice(0, n).join("/")}` : [root, ...elems.slice(0, n)].join("/");
  for (let n = elems.length; n >= 0; n--) {
    const d = await quiet(sys.stat(at(n)));
    if (d instanceof PlanError) {
      if (/does not exist$|not found$|not a directory$|permission denied$/.test(d.message))
        continue;
      return null;
    }
    const list = n < elems.length || error.endsWith("directory not empty");
    const rest = elems.slice(n + 1);
    return await foundat(sys, { path: at(n), d, wanted: elems[n] ?? null, rest, list });
  }
  return null;
}

/** The elements of an absolute name, cleaned. */
function cleaned(name: string): string[] {
  return cleanname(`/${name}`)
    .split("/")
    .filter((elem) => elem !== "");
}

async function quiet<T>(call: Promise<T>): Promise<T | PlanError> {
  try {
    return await call;
  } catch (e) {
    if (e instanceof PlanError) return e;
    throw e;
  }
}

type Here = {
  readonly path: string;
  readonly d: Dir;
  /** The name that is not in it; null when nothing is missing. */
  readonly wanted: string | null;
  readonly rest: readonly string[];
  /** Whether it matters what is in it. */
  readonly list: boolean;
};

async function foundat(sys: Sys, { path, d, wanted, rest, list }: Here): Promise<Found> {
  const isdir = (d.mode & DMDIR) !== 0;
  const entries = isdir && list ? await quiet(readdir(sys, path)) : [];
  const names =
    entries instanceof PlanError
      ? null
      : likest(
          wanted ?? "",
          entries.map((e) => e.name),
        );
  const close = wanted === null ? null : meant(wanted, names ?? []);
  const below = [close ?? "", ...rest].join("/");
  return {
    path,
    entry: `${modestring(d.mode)} ${d.uid} ${d.gid} ${d.length}`,
    isdir,
    length: d.length,
    whole: wanted === null,
    names,
    count: names?.length ?? 0,
    meant: close === null ? null : path.endsWith("/") ? path + below : `${path}/${below}`,
    file: { isdir, mode: d.mode, uid: d.uid, gid: d.gid },
  };
}

/** The name that is one slip of the finger away, or a few in a long one, or has its letters in another order. */
function meant(wanted: string, names: readonly string[]): string | null {
  const [first] = names;
  if (first === undefined) return null;
  const slips = distance(wanted, first);
  const close = slips < wanted.length && slips <= Math.max(1, wanted.length / 3);
  return close || letters(first) === letters(wanted) ? first : null;
}

const letters = (s: string): string => Array.from(s).sort().join("");

/** The names, those first that look like the one wanted; the others by the alphabet. */
function likest(wanted: string, names: readonly string[]): string[] {
  const left = [...new Set(names)].sort();
  const first: string[] = [];
  for (let name = nearest(wanted, left); name !== null; name = nearest(wanted, left)) {
    first.push(name);
    left.splice(left.indexOf(name), 1);
  }
  return [...first, ...left];
}
