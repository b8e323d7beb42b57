// Why a name is missing that other processes have, or that was there before: the binds and mounts that hide it,
// and those in other name spaces. Pure: a Recording is read.

import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { seenof } from "../record/seen.ts";
import { cleanname } from "../step/look.ts";
import type { Failing } from "./failing.ts";
import { sentences, somefmt } from "./sentence.ts";
import { callat, isroot, memberof, mountat, rforkof, serverof } from "./who.ts";
import { procsat } from "./whyproc.ts";

type Mount = Revent & { readonly type: "mount" };

/** Whether a name is that of a directory, or below it. */
const isbelow = (name: string, dir: string): boolean =>
  name === dir || name.startsWith(dir === "/" ? dir : `${dir}/`);

/** Why a name is missing, and what mends that; "" for neither. `or`: to make the file would mend it, too. */
export type Elsewhere = { readonly why: string; readonly mend: string; readonly or: boolean };

/** What hides a name that failed, or where else it is there, and what would mend that. */
export function elsewhere(f: Failing): Elsewhere {
  const { r, call, shown } = f;
  const all = procsat(r, call.first);
  const own = all.list.find((p) => p.pid === call.pid);
  if (own === undefined || !all.known || !shown.startsWith("/")) return NONE;
  for (let i = call.first; i >= 0; i--) {
    const e = r.events[i];
    if (e?.type !== "mount" || e.op === "unmount" || !isbelow(shown, e.path)) continue;
    if (e.pgrp === own.groups.names.id) return e.path === f.point ? hidden(f, e) : NONE;
    if (mountat(r, e, e.path) === undefined || ishere(r, call, e)) continue;
    const whose = all.list.filter((p) => p.groups.names.id === e.pgrp).map((p) => p.pid);
    return apart(f, e, whose);
  }
  return NONE;
}

const NONE: Elsewhere = { why: "", mend: "", or: true };

/** Whether the name space of a call has just the same on a mount point. */
function ishere(r: Recording, call: Rcall, e: Mount): boolean {
  const first = r.events[call.first];
  const here = first === undefined ? undefined : mountat(r, first, e.path);
  return (
    here?.members.map((m) => m.from).join() ===
    mountat(r, e, e.path)
      ?.members.map((m) => m.from)
      .join()
  );
}

/** A mount that came when the name had been found already hides what was found. */
function hidden(f: Failing, e: Mount): Elsewhere {
  const { r, call, shown } = f;
  const by = r.calls[e.call];
  if (by === undefined) return NONE;
  const was = lastcall(r, { before: by, names: FINDS, file: shown });
  if (was === undefined || was.name === "remove") return NONE;
  const other =
    by.pid === call.pid
      ? ""
      : ` of process ${by.pid}, whose name space process ${call.pid} shares,`;
  return {
    why: `${callat(r, by)}${other} has hidden it: ${callat(r, was)} of process ${was.pid} found it before`,
    mend: `unmount ${e.path} takes that off${by.pid === call.pid ? "" : `; a child that binds for itself is made with RFNAMEG`}`,
    or: true,
  };
}

const FINDS: ReadonlySet<string> = new Set(["open", "create", "stat", "remove"]);

/** The last call before another that succeeded, is one of these, and was given a name of this file. */
export function lastcall(
  r: Recording,
  which: { readonly before: Rcall; readonly names: ReadonlySet<string>; readonly file: string },
): Rcall | undefined {
  return r.calls.findLast((c) => {
    const [name] = c.args;
    return (
      c.id < which.before.id &&
      c.error === null &&
      which.names.has(c.name) &&
      typeof name === "string" &&
      cleanname(name, c.dot) === which.file
    );
  });
}

/**
 * That the server mounted there has the rest of the name, where the run has shown it: "log"; and the name by which
 * the process that failed reaches that file: "/n/near/log". Each is "" where it is not known.
 */
function has(
  { r, call, shown }: Failing,
  e: Mount,
): { readonly rest: string; readonly by: string } {
  const none = { rest: "", by: "" };
  const [first] = mountat(r, e, e.path)?.members ?? [];
  if (first === undefined || first.conn === 0) return none;
  const rest = shown.slice(e.path.length + 1);
  if (!isroot(r, e, first) || seenof(r).file({ conn: first.conn, path: rest }, call.first) === null)
    return none;
  const own = r.spaces[r.events[call.first]?.space ?? -1]?.find(
    ({ members: [m, ...more] }) =>
      m?.conn === first.conn && more.length === 0 && memberof(r, m) === serverof(r, m.conn),
  );
  return { rest, by: own === undefined ? "" : `${own.path}/${rest}` };
}

/** What would have two processes share a name space: that the younger was not made with one of its own. */
function unshared(r: Recording, a: number, b: number): string {
  const young = Math.max(a, b);
  const made = rforkof(r, young);
  return `have process ${Math.min(a, b)} and process ${young} share one name space: ${
    made?.text.includes("RFNAMEG") !== true
      ? "rfork without RFNAMEG"
      : `leave RFNAMEG out of ${callat(r, made)}, which made process ${young}`
  }`;
}

/** A mount that only another name space has. */
function apart(f: Failing, e: Mount, whose: readonly number[]): Elsewhere {
  const { r, call } = f;
  const by = r.calls[e.call];
  const [first] = mountat(r, e, e.path)?.members ?? [];
  if (by === undefined || first === undefined) return NONE;
  const pids = (whose.length > 0 ? whose : [e.pid]).map((pid) => `process ${pid}`);
  const { rest, by: name } = has(f, e);
  const there = `process ${by.pid} has put ${memberof(r, first)}${rest === "" ? "" : `, which has ${rest},`} on ${e.path} by ${callat(r, by)}, but in another name space`;
  const one = Math.min(...(whose.length > 0 ? whose : [e.pid]));
  return {
    why: sentences(
      there,
      `that is the name space of ${somefmt(pids, 4)}, and process ${call.pid} has another`,
    ),
    mend: sentences(
      `make that ${e.op} in process ${call.pid} too, or ${unshared(r, one, call.pid)}`,
      name === ""
        ? ""
        : `Else give the name by which process ${call.pid} reaches the file: ${name}`,
    ),
    // A file that is made here is another than the one there.
    or: false,
  };
}
