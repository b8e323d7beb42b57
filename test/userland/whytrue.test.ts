// Each sentence about a call that failed is compared with the files as they are at that moment. What it says is there has
// to be there, and what it says is missing has to be missing. A file that it calls a directory has to be one. Members
// that were asked at once are not said to be tried in turn. The name spaces and calls are random.

import test from "ava";
import fc from "fast-check";
import {
  DMDIR,
  MAFTER,
  MBEFORE,
  MCREATE,
  MREPL,
  OEXCL,
  OREAD,
  ORDWR,
  OWRITE,
} from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { modestring } from "../../kernel/abi/modes.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { Twalk } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { dial } from "../../userland/lib/dial.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { ABOUT } from "../kit/recorded.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { Recording, Revent } from "../../userland/view/record/recording.ts";
import { decision } from "../../userland/view/words/why.ts";
import { failureof } from "../../userland/view/words/failure.ts";
import { put } from "../kit/kit.ts";

type Call = readonly [verb: string, name: string, other: string, flags: number];

const ELEMS = ["a", "b", "f", "ff", "none"];
const ROOTS = ["/n/far", "/n/mid", "/u", "/tmp", "/x", ""];

const name: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...ROOTS),
    fc.array(fc.constantFrom(...ELEMS, ".."), { maxLength: 3 }),
    fc.constantFrom("", "", "/"),
  )
  .map(([root, elems, end]) => `${[root, ...elems].join("/")}${end}` || "/");

const VERBS =
  "stat open write create excl mkdir remove rename chmod chdir bind before after unmount";

const call: fc.Arbitrary<Call> = fc.tuple(
  fc.constantFrom(...VERBS.split(" ")),
  name,
  name,
  fc.constantFrom(0o777, 0o444, 0),
);

/** Makes a call; gives its error. */
async function made(sys: Sys, [verb, a, b, n]: Call): Promise<string | null> {
  try {
    switch (verb) {
      case "stat":
        await sys.stat(a);
        return null;
      case "open":
        await sys.close(await sys.open(a, n === 0 ? ORDWR : OREAD));
        return null;
      case "write":
        await sys.close(await sys.open(a, OWRITE));
        return null;
      case "create":
        await sys.close(await sys.create(a, OWRITE, n & 0o666));
        return null;
      case "excl":
        await sys.close(await sys.create(a, OWRITE | OEXCL, n & 0o666));
        return null;
      case "mkdir":
        await sys.close(await sys.create(a, OREAD, (DMDIR | n) >>> 0));
        return null;
      case "remove":
        await sys.remove(a);
        return null;
      case "rename":
        await sys.wstat(a, { name: "ff" });
        return null;
      case "chmod":
        await sys.wstat(a, { mode: n });
        return null;
      case "chdir":
        await sys.chdir(a);
        return null;
      case "unmount":
        await sys.unmount(null, a);
        return null;
      default:
        await sys.bind(
          a,
          b,
          (verb === "before" ? MBEFORE : verb === "after" ? MAFTER : MREPL) |
            (n === 0 ? MCREATE : 0),
        );
        return null;
    }
  } catch (e) {
    if (e instanceof PlanError) return e.message;
    throw e;
  }
}

/** What is at a name; null where nothing is. */
async function statof(sys: Sys, path: string): Promise<Dir | null> {
  try {
    return await sys.stat(path);
  } catch (e) {
    if (e instanceof PlanError) return null;
    throw e;
  }
}

type Look = (path: string) => Promise<Dir | null>;

/** Holds the words of a failure against the files; gives what is not so. */
async function untrue(text: string, look: Look, names: Look): Promise<string[]> {
  const wrong: string[] = [];
  const say = (what: string): void => void wrong.push(`${what}: ${text}`);
  // A name with ".." in it ends like a sentence.
  if (text.includes("..")) return wrong;
  const not = /(?:has no|there no) (\S+) (?:in|that) ?/.exec(text)?.[1];
  const dir =
    /has no \S+ in (\/\S*)(?=\. |\.$)/.exec(text)?.[1] ??
    /found (\/\S*), and there no/.exec(text)?.[1];
  if (not !== undefined && dir !== undefined && (await look(`${dir}/${not}`)) !== null)
    say(`${dir}/${not} is there`);
  for (const [, path = "", list = ""] of text.matchAll(/In (\/\S*) there (?:is|are) ([^.]*)\./g))
    for (const n of list.split(/, | and /))
      if (!/^\d+ more$/.test(n) && (await names(`${path}/${n}`)) === null)
        say(`${path} has no ${n}`);
  const meant = /Perhaps (\S+) was meant/.exec(text)?.[1];
  if (
    meant !== undefined &&
    dir !== undefined &&
    !meant.startsWith("/") &&
    (await names(`${dir}/${meant}`)) === null
  )
    say(`${dir} has no ${meant}`);
  return wrong;
}

/** Of names that are said to be of a kind, or to have a mode. */
async function mistaken(text: string, shown: string, look: Look): Promise<string[]> {
  const wrong: string[] = [];
  const said = /^(\S+) is there and is a file/.exec(text)?.[1];
  const at = said === undefined ? -1 : shown.indexOf(`/${said}/`);
  const path =
    said?.startsWith("/") === true ? said : at < 0 ? shown : shown.slice(0, at + 1) + String(said);
  const d = await look(path);
  const elem = path.split("/").at(-1) ?? "";
  const isdir = d === null ? null : (d.mode & DMDIR) !== 0;
  const says = (what: string): boolean =>
    text.startsWith(`${elem} ${what}`) || text.startsWith(`${shown} ${what}`);
  if (
    (says("is a directory") && isdir !== true) ||
    (/^\S+ is there and is a file/.test(text) && isdir !== false) ||
    (says("is a file") && isdir !== false)
  )
    wrong.push(
      `${shown} is a ${isdir === true ? "directory" : isdir === false ? "file" : "missing name"}: ${text}`,
    );
  if (says("is there already") && d === null) wrong.push(`${shown} is not there: ${text}`);
  const [, of = "", mode = "", uid = ""] =
    /^(\/\S*) has mode (\S+) and is (\w+)'s/.exec(text) ?? [];
  if (of !== "") {
    const f = await look(of);
    if (f !== null && (modestring(f.mode) !== mode || f.uid !== uid))
      wrong.push(`${of} has mode ${modestring(f.mode)}: ${text}`);
  }
  return wrong;
}

/** Sentences about members of a union that the order of events does not bear out. */
function misordered(r: Recording): string[] {
  const wrong: string[] = [];
  for (const [i, e] of r.events.entries()) {
    if (e.type !== "namec" || e.step !== "miss") continue;
    const { why } = decision(r, i);
    const members = r.spaces[e.space]?.find((m) => m.path === e.point)?.members ?? [];
    const next = members[e.index + 1];
    // A server that is there more than once is asked for each.
    if (next === undefined || next.conn === 0) continue;
    if (members.filter((m) => m.conn === next.conn).length > 1) continue;
    // A create may go through a union twice.
    const began = r.events.findLastIndex(
      (x: Revent, k) =>
        k < i &&
        x.call === e.call &&
        x.type === "namec" &&
        (x.step === "prefix" || ((x.step === "miss" || x.step === "found") && x.index >= e.index)),
    );
    const before = r.events
      .slice(began, i)
      .some(
        (x) =>
          x.type === "send" &&
          x.call === e.call &&
          x.conn === next.conn &&
          x.fcall.type === Twalk &&
          x.fcall.wname[0] === e.elem,
      );
    if (why.includes("tried next") && before)
      wrong.push(`asked before, in ${r.calls[e.call]?.text}: ${why}`);
    if (why.includes("at the same time") && !before) wrong.push(`it was not asked: ${why}`);
  }
  return wrong;
}

/** Sentences of calls that no server has to do with, and that speak of one. */
function farfetched(r: Recording): string[] {
  const wrong: string[] = [];
  for (const [i, e] of r.events.entries()) {
    const call = r.calls[e.call];
    if (call === undefined || call.cost.messages > 0 || e.type === "mount") continue;
    const far = (r.spaces[call.space] ?? []).some(
      (m) => m.members.some((x) => x.conn > 0) && call.text.includes(m.path),
    );
    const { what, why, mend } = decision(r, i);
    if (
      !far &&
      call.dot === "/" &&
      /\bservers?\b/.test(`${what} ${why} ${mend}`) &&
      !/srv|\.\.|\/[nu]/.test(call.text)
    )
      wrong.push(`${call.text}: ${what} ${why} ${mend}`);
  }
  return wrong;
}

type Space = "names" | "standard";

/** Makes random calls on two servers and the memory tree; gives what was said that is not so. */
async function run(namespace: Space, version: string, calls: readonly Call[]): Promise<string[]> {
  const net = simnet();
  const files = { n: { far: {}, mid: {} }, u: { a: { f: "u" } }, tmp: { f: "x" } };
  const k = await net.boot("here", { namespace, files });
  for (const host of ["far", "mid"]) {
    await serveramfs(await net.boot(host), "tcp!*!9fs", { version });
    net.link("here", host, { rtt: "10ms" });
  }
  const rec = new Recorder({
    about: { ...ABOUT, namespace, hosts: ["far:rtt=10ms", "mid:rtt=10ms"] },
  });
  const off = rec.listen(k.trace);
  const wrong: string[] = [];
  const r = rec.recording;
  const p = k.spawn(
    async (sys: Sys) => {
      for (const host of ["far", "mid"])
        await sys.mount(await dial(sys, `tcp!${host}!9fs`), -1, `/n/${host}`, MREPL | MCREATE, "");
      await sys.close(await sys.create("/n/far/a", OREAD, DMDIR | 0o777));
      for (const f of ["/n/far/a/f", "/n/far/f", "/n/mid/b"]) await put(sys, f, "x");
      await sys.bind("/n/far", "/u", MAFTER);
      await sys.bind("/n/mid", "/u", MAFTER | MCREATE);
      rec.begin();
      for (const c of calls) {
        const from = r.calls.length;
        const error = await made(sys, c);
        if (error === null) continue;
        const failed = r.calls.slice(from).find((x) => x.error !== null);
        if (failed === undefined) continue;
        wrong.push(...(await judged(sys, r, failed)));
      }
    },
    ["main"],
  );
  await p.wait();
  off();
  if (p.crash !== undefined) throw p.crash;
  await net.shutdown();
  wrong.push(...misordered(r), ...farfetched(r));
  return wrong;
}

/** What is said of a call that has just failed and is not so. */
async function judged(
  sys: Sys,
  r: Recording,
  failed: Recording["calls"][number],
): Promise<string[]> {
  const { why, mend } = failureof(r, failed);
  const text = `${why} ${mend}`;
  const wrong: string[] = [];
  if (why === "" || (mend === "" && !/own words/.test(why)))
    wrong.push(`nothing mends ${failed.text}: ${failed.error}`);
  if (/undefined|NaN|\[object|  |''/.test(text)) wrong.push(`no sentence: ${text}`);
  const look: Look = (path) => statof(sys, path);
  const inside: Look = async (path) => {
    const there = await statof(sys, path);
    if (there !== null) return there;
    // A directory that may be read and not searched has names, though none of them can be reached.
    const at = path.lastIndexOf("/");
    const list = await readdir(sys, path.slice(0, at) || "/").catch(() => []);
    return list.find((d) => d.name === path.slice(at + 1)) ?? null;
  };
  const shown = /^'((?:[^']|'')*)' /.exec(failed.error ?? "")?.[1] ?? String(failed.args[0]);
  wrong.push(...(await untrue(text, look, inside)), ...(await mistaken(why, shown, look)));
  return wrong.map((w) => `${failed.text} = ${failed.error}\n  ${w}`);
}

for (const namespace of ["names", "standard"] as const)
  for (const version of ["9P2000", "9P2000.ix.stream"])
    test(`${namespace}, ${version}: what is said of random failures is so`, async (t) => {
      const runs = fc.sample(fc.array(call, { minLength: 8, maxLength: 16 }), {
        numRuns: 12,
        seed: 7,
      });
      for (const calls of runs) {
        const wrong = await run(namespace, version, calls);
        t.deepEqual(wrong, [], JSON.stringify(calls));
      }
    });
