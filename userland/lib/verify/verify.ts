// The conformance run for 9P servers: what section 5 of the manual says, and what servers got wrong, check by check,
// each on connections of its own. What is written goes into a directory that is made for it in the tree, and removed
// again; without that directory, or with `readonly`, the checks that write are left out, and say so.

import { DMDIR, NCONT, OREAD, QTDIR } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import { utfencode } from "../../../kernel/abi/utf.ts";
import type { Sys } from "../../../syscalls/sys.ts";
import { Context } from "./check.ts";
import type { Check, Known, Result } from "./check.ts";
import { data } from "./data.ts";
import { names, rudenames } from "./names.ts";
import { Gone, MSIZE, Peer, ROOT, Skip, Wrong } from "./peer.ts";
import type { Target } from "./peer.ts";
import { hostiles, sessions } from "./session.ts";

export type { Check, Result } from "./check.ts";
export type { Target } from "./peer.ts";

/** All checks, in the order that they are made. */
export const checks: readonly Check[] = [...sessions, ...names, ...data, ...rudenames, ...hostiles];

/** How a run is made. */
export type Verifyopts = {
  /** Nothing is made or changed on the server. */
  readonly readonly?: boolean;
  /** The directory below which the directory for the checks is made, from the root: []. */
  readonly dir?: readonly string[];
  /** Only checks with an id that begins with one of these. */
  readonly only?: readonly string[];
  /** No checks with such an id: a server dies of them, and the others are to be made. */
  readonly except?: readonly string[];
  /** Gets each result when it is there. */
  readonly tell?: (r: Result) => void;
  /** Asked before each check: true ends the run there, with what it made removed. */
  readonly stop?: () => boolean;
};

/** A server that cannot be verified: it takes no call, or gives no root. */
export class Unreachable extends Error {}

/** Whether a check is to be made. */
export function chosen(id: string, opts: Pick<Verifyopts, "only" | "except">): boolean {
  const among = (list: readonly string[]): boolean =>
    list.some((o) => id === o || id.startsWith(`${o}.`));
  return (opts.only === undefined || among(opts.only)) && !among(opts.except ?? []);
}

/** Directories that are looked into for a file to read. */
const LOOKS = 40;

/** Makes the checks of a server, as a program that has a network. Throws Unreachable when there is none to be had. */
export async function verify(sys: Sys, target: Target, opts: Verifyopts = {}): Promise<Result[]> {
  await sys.notify((_note, s) => (s as Sys).noted(NCONT));
  const known = await survey(sys, target, opts);
  const list = checks.filter(({ id }) => chosen(id, opts));
  const results: Result[] = [];
  const tell = (r: Result): void => {
    results.push(r);
    opts.tell?.(r);
  };
  let last: Result | null = null;
  let gone: string | null = null;
  for (const check of list) {
    if (opts.stop?.() === true) break;
    if (gone !== null) {
      tell(result(check, "skip", gone));
      continue;
    }
    const r = await made(new Context(sys, target, known), check, last);
    if (r.outcome === "fail" && !(await answers(sys, target))) {
      gone = `the server takes no calls any more since ${check.id}`;
      // Advice or not: a server that ends fails. It may have died of what the check before did last.
      const before = last === null ? "" : ` (the check before was ${last.id})`;
      const others = `; start it again with --except ${check.id} for the other checks`;
      tell({ ...r, level: "must", message: `${r.message}${before}${others}` });
    } else tell(r);
    last = r;
  }
  if (known.scratch !== null) tell(await cleared(sys, target, { dir: known.scratch, gone }));
  return results;
}

function result(check: Check, outcome: Result["outcome"], message: string): Result {
  const { id, section, title, level } = check;
  return { id, section, title, level, outcome, message };
}

/** Whether the server takes calls still. */
async function answers(sys: Sys, target: Target): Promise<boolean> {
  try {
    const p = await Peer.call(sys, target);
    await p.hangup();
    return true;
  } catch (e) {
    if (e instanceof Gone) return false;
    throw e;
  }
}

async function made(c: Context, check: Check, last: Result | null): Promise<Result> {
  try {
    await check.run(c);
    return result(check, "pass", "");
  } catch (e) {
    if (e instanceof Skip) return result(check, "skip", e.message);
    // Nothing of this check was asked: the server was ending when the one before failed.
    if (e instanceof Gone && !c.begun && last?.outcome === "fail")
      return result(check, "skip", `the server took no call after ${last.id}`);
    if (e instanceof Wrong) return result(check, "fail", e.message);
    throw e;
  } finally {
    await c.close();
  }
}

/** What there is at the server; makes the directory for the checks. */
async function survey(sys: Sys, target: Target, opts: Verifyopts): Promise<Known> {
  let p: Peer | null = null;
  try {
    const version = await best(sys, target);
    p = await Peer.open(sys, target);
    const made_ = opts.readonly === true ? "--readonly" : await scratch(sys, p, opts.dir ?? []);
    const own = typeof made_ === "string" ? null : made_;
    const found = await look(p);
    return {
      version,
      file: own === null ? found.file : [...own, "afile"],
      dir: own ?? found.dir,
      scratch: own,
      why: typeof made_ === "string" ? made_ : "",
    };
  } catch (e) {
    if (e instanceof Wrong) throw new Unreachable(e.message);
    throw e;
  } finally {
    await p?.hangup();
  }
}

/** The best version that a server agrees to. */
async function best(sys: Sys, target: Target): Promise<string> {
  const p = await Peer.call(sys, target);
  try {
    return (await p.agree(MSIZE, "9P2000.ix.stream")).version;
  } catch (e) {
    // One that cannot cut an offer at its dot may still speak 9P2000; version.suffix says so.
    if (e instanceof Wrong) return "";
    throw e;
  } finally {
    await p.hangup();
  }
}

/** Makes the directory for the checks; why there is none. */
async function scratch(
  sys: Sys,
  p: Peer,
  dir: readonly string[],
): Promise<readonly string[] | string> {
  const name = `verify-${(await sys.nsec()).toString(36)}`;
  const fid = await p.walk(dir);
  const r = await p.rpc({ type: F.Tcreate, fid, name, perm: (DMDIR | 0o777) >>> 0, mode: OREAD });
  if (r.type !== F.Rcreate) {
    const why = r.type === F.Rerror ? r.ename : "no Rcreate";
    return `no directory for it can be made in /${dir.join("/")}: ${why}`;
  }
  const there = [...dir, name];
  try {
    await p.clunk(fid);
    await fill(p, there);
    return there;
  } catch (e) {
    if (!(e instanceof Wrong)) throw e;
    const left = await remove(p, there).then(() => "", leftfmt(there));
    return `no file can be written in it: ${e.message}${left}`;
  }
}

/** What is said of a directory that could not be removed. */
const leftfmt =
  (dir: readonly string[]) =>
  (e: unknown): string => {
    if (!(e instanceof Wrong)) throw e;
    return `; /${dir.join("/")} is left: ${e.message}`;
  };

/** What the checks that only read need. */
async function fill(p: Peer, dir: readonly string[]): Promise<void> {
  const fid = await p.create(dir, "afile", 0o666);
  await p.write(fid, 0, utfencode("what the checks read\n".repeat(20)));
  await p.clunk(fid);
}

/** Looks for a plain file and a directory that may be read. */
async function look(p: Peer): Promise<Pick<Known, "file" | "dir">> {
  const left: (readonly string[])[] = [[]];
  const found: { file: readonly string[] | null; dir: readonly string[] | null } = {
    file: null,
    dir: null,
  };
  for (let n = 0; n < LOOKS; n++) {
    const at = left.shift();
    if (at === undefined || (found.file !== null && found.dir !== null)) break;
    for (const d of await listed(p, at)) {
      const there = [...at, d.name];
      if ((d.qid.type & QTDIR) !== 0) {
        left.push(there);
        found.dir ??= there;
      } else if (d.qid.type === 0 && d.length > 0)
        found.file ??= (await readable(p, there)) ? there : null;
    }
  }
  return found;
}

/** The entries of a directory; none of one that may not be read. */
async function listed(p: Peer, at: readonly string[]): ReturnType<Peer["entries"]> {
  try {
    const fid = await p.walk(at);
    await p.open(fid, OREAD);
    const list = await p.entries(fid);
    await p.clunk(fid);
    return list;
  } catch (e) {
    if (e instanceof Wrong) return [];
    throw e;
  }
}

async function readable(p: Peer, at: readonly string[]): Promise<boolean> {
  try {
    const fid = await p.walk(at);
    await p.open(fid, OREAD);
    const { length } = await p.read(fid, 0, 10);
    await p.clunk(fid);
    return length > 0;
  } catch (e) {
    if (e instanceof Wrong) return false;
    throw e;
  }
}

/** The directory of the checks, and why the server is gone, if it is. */
type Leftover = { readonly dir: readonly string[]; readonly gone: string | null };

/** Removes what the checks made; that is a check, too, of a server that takes calls still. */
async function cleared(sys: Sys, target: Target, { dir, gone }: Leftover): Promise<Result> {
  const said = {
    id: "remove.everything",
    section: "remove(5)",
    title: "what the checks made is removed",
    level: "must" as const,
  };
  let p: Peer | null = null;
  try {
    p = await Peer.open(sys, target);
    await remove(p, dir);
    if (await p.has(dir)) throw new Wrong("it is there still, and was removed");
    return { ...said, outcome: "pass", message: "" };
  } catch (e) {
    if (!(e instanceof Wrong) && !(e instanceof PlanError)) throw e;
    const outcome = gone === null ? "fail" : "skip";
    return { ...said, outcome, message: `/${dir.join("/")} is left: ${gone ?? e.message}` };
  } finally {
    await p?.hangup();
  }
}

/** Failures after which no more is tried: the server does not answer any more. */
const FEW = 8;

/** Removes a directory with all in it, files first. What cannot be removed stays, and is told when the rest is gone. */
async function remove(p: Peer, top: readonly string[]): Promise<void> {
  const wrong: Wrong[] = [];
  const gone = async (names: readonly string[]): Promise<void> => {
    try {
      await p.must({ type: F.Tremove, fid: await p.walk(names, ROOT) });
    } catch (e) {
      if (!(e instanceof Wrong)) throw e;
      wrong.push(e);
      if (wrong.length > FEW) throw wrong[0] ?? e;
    }
  };
  const dirs: (readonly string[])[] = [top];
  for (const at of dirs)
    for (const d of await listed(p, at)) {
      const there = [...at, d.name];
      if ((d.qid.type & QTDIR) !== 0) dirs.push(there);
      else await gone(there);
    }
  for (const at of dirs.toReversed()) await gone(at);
  const [first] = wrong;
  if (first !== undefined) throw first;
}
