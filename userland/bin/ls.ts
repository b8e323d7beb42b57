// ls: lists directories and files. ls(1)
//
//	ls [-dlmnpqrstuFQT] [file ...]
//
// -d: the directories themselves; -l: long; -m: who changed it last; -n: in the order read; -p: last elements
// only; -q: with qids; -r: backwards; -s: kilobytes; -t: latest first; -u: by the time of access; -F: a slash
// behind directories, a star behind programs; -Q: no quotes; -T: a t for temporary files.

import { DMDIR, DMTMP } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { modestring, qidstring } from "../../kernel/abi/modes.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { type Zone, lstime, parsezone } from "../lib/ctime.ts";
import { readdir } from "../lib/dirread.ts";
import { fprint, print } from "../lib/io.ts";
import { getenv, warn } from "../lib/proc.ts";
import { bytewise, rcquote } from "../lib/rc/word.ts";

/** A file to show: the directory before its name (null for none), and its entry. */
type Entry = { readonly prefix: string | null; readonly d: Dir };

type How = {
  readonly flags: ReadonlySet<string>;
  readonly now: number;
  readonly zone: Zone | null;
};

/** The name without the slashes that say nothing: clean("d//x/") is "d/x". */
const clean = (name: string): string => name.replaceAll(/\/+/g, "/").replace(/(.)\/$/, "$1");

export default function* ls(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const { flags, rest, bad } = args(argv, "dlmnpqrstuFQeT");
  if (bad !== null) {
    yield* fprint(sys, 2, "usage: ls [-dlmnpqrstuFQT] [file ...]\n");
    return "usage";
  }
  const long = flags.has("l");
  const how: How = {
    flags,
    now: long ? Number((yield* sys.nsec()) / 1_000_000_000n) : 0,
    zone: long ? parsezone((yield* getenv(sys, "timezone")) ?? "") : null,
  };
  let status = "";
  let files: Entry[] = [];
  for (const name of rest.length > 0 ? rest : ["."]) {
    try {
      const d = yield* sys.stat(name);
      if ((d.mode & DMDIR) === 0 || flags.has("d")) {
        files.push(single(clean(name), d));
        continue;
      }
      // Files that were named before a directory come before it.
      yield* print(sys, lines(how, files));
      files = [];
      const prefix = rest.length > 0 ? clean(name) : null;
      const all = (yield* readdir(sys, name)).map((e): Entry => ({ prefix, d: e }));
      yield* print(sys, lines(how, all));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "ls", `${name}: ${e.message}`);
      status = "errors";
    }
  }
  yield* print(sys, lines(how, files));
  return status;
}

function single(name: string, d: Dir): Entry {
  const slash = name.lastIndexOf("/");
  if (name === "/") return { prefix: "", d: { ...d, name } };
  return { prefix: slash < 0 ? null : name.slice(0, slash), d };
}

function fullname({ prefix, d }: Entry): string {
  if (prefix === null || d.name === "/") return d.name;
  return prefix === "/" ? `/${d.name}` : `${prefix}/${d.name}`;
}

function order(how: How, x: Entry, y: Entry): number {
  const time = (e: Entry): number => (how.flags.has("u") ? e.d.atime : e.d.mtime);
  if (how.flags.has("t")) return time(y) - time(x);
  if (x.prefix !== null && y.prefix !== null)
    return bytewise(x.prefix, y.prefix) || bytewise(x.d.name, y.d.name);
  if (x.prefix !== null) return bytewise(x.prefix, y.d.name) || 1;
  if (y.prefix !== null) return bytewise(x.d.name, y.prefix) || -1;
  return bytewise(x.d.name, y.d.name);
}

const kilobytes = (d: Dir): number => Math.ceil(d.length / 1024);

/** The entries, sorted, in columns as wide as they need to be. */
function lines(how: How, entries: readonly Entry[]): string {
  if (entries.length === 0) return "";
  const { flags } = how;
  const all = flags.has("n") ? [...entries] : entries.toSorted((x, y) => order(how, x, y));
  if (flags.has("r")) all.reverse();
  const width = (text: (d: Dir) => string): number =>
    all.reduce((n, e) => Math.max(n, text(e.d).length), 0);
  const long = flags.has("l");
  const column = {
    size: flags.has("s") ? width((d) => `${kilobytes(d)}`) : 0,
    vers: flags.has("q") ? width((d) => `${d.qid.vers}`) : 0,
    dev: long ? width((d) => `${d.dev}`) : 0,
    uid: long ? width((d) => d.uid) : 0,
    muid: flags.has("m") ? width((d) => d.muid) : 0,
    gid: long ? width((d) => d.gid) : 0,
    length: long ? width((d) => `${d.length}`) : 0,
  };
  return all.map((e) => line(how, e, column)).join("");
}

type Columns = Readonly<
  Record<"size" | "vers" | "dev" | "uid" | "muid" | "gid" | "length", number>
>;

function line({ flags, now, zone }: How, e: Entry, w: Columns): string {
  const { d } = e;
  let text = "";
  if (flags.has("s")) text += `${String(kilobytes(d)).padStart(w.size)} `;
  if (flags.has("T")) text += (d.mode & DMTMP) === 0 ? "- " : "t ";
  if (flags.has("m")) text += `[${d.muid}] `;
  if (flags.has("q"))
    text += `${qidstring(d.qid).replace(/ (\d+) /, (_m, v: string) => ` ${v.padStart(w.vers)} `)} `;
  if (flags.has("l")) {
    const time = flags.has("u") ? d.atime : d.mtime;
    const type = String.fromCodePoint(d.type || 0x2d);
    const date = flags.has("e") ? String(time) : lstime(time, now, zone);
    text += `${modestring(d.mode)} ${type} ${String(d.dev).padStart(w.dev)} `;
    text += `${d.uid.padEnd(w.uid)} ${d.gid.padEnd(w.gid)} `;
    text += `${String(d.length).padStart(w.length)} ${date} `;
  }
  const name = flags.has("p") ? d.name : fullname(e);
  const mark = flags.has("F") ? suffix(d) : "";
  return `${text}${flags.has("Q") ? name : rcquote(name)}${mark}\n`;
}

function suffix(d: Dir): string {
  if ((d.mode & DMDIR) !== 0) return "/";
  return (d.mode & 0o111) !== 0 ? "*" : "";
}
