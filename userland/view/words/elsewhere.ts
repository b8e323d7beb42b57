// Why a name is missing that other processes have, or that was there before: the binds and mounts that hide it,
// and those in other name spaces. Pure: a Recording is read.

import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { seenof } from "../record/seen.ts";
import { cleanname } from "../step/look.ts";
import type { Failing } from "./failing.ts";
import { sentences, somefmt } from "./sentence.ts";
import { memberof, mountat, serverof } from "./who.ts";
import { procsat } from "./whyproc.ts";

type Mount = Revent & { readonly type: "mount" };

/** Whether a name is that of a directory, or below it. */
const isbelow = (name: string, dir: string): boolean =>
  name === dir || name.startsWith(dir === "/" ? dir : `${dir}/`);

/** What hides a name that failed, or where else it is there, and what would mend that; "" for neither. */
export function elsewhere(f: Failing): { readonly why: string; readonly mend: string } {
  const { r, call, shown } = f;
  const all = procsat(r, call.first);
  const own = all.list.find((p) => p.pid === call.pid);
  if (own === undefined || !all.known || !shown.startsWith("/")) return { why: "", mend: "" };
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

const NONE = { why: "", mend: "" };

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
function hidden(f: Failing, e: Mount): { readonly why: string; readonly mend: string } {
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
    why: `${by.text}${other} has hidden it: ${was.text} of process ${was.pid} found it before`,
    mend: `unmount ${e.path} takes that off${by.pid === call.pid ? "" : `; a child that binds for itself is made with RFNAMEG`}`,
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

/** That the server mounted there has the rest of the name, where the run has shown it: ", where log is". */
function has({ r, call, shown }: Failing, e: Mount): string {
  const [first] = mountat(r, e, e.path)?.members ?? [];
  if (first === undefined || first.conn === 0) return "";
  const root = mountat(r, e, first.from)?.members ?? [];
  const isroot =
    memberof(r, first) === serverof(r, first.conn) ||
    (root.length === 1 && root[0]?.conn === first.conn);
  if (!isroot) return "";
  const rest = shown.slice(e.path.length + 1);
  return seenof(r).file({ conn: first.conn, path: rest }, call.first) === null
    ? ""
    : `, where ${rest} is`;
}

/** What would have two processes share a name space: that the younger was not made with one of its own. */
function unshared(r: Recording, a: number, b: number): string {
  const made = r.calls.find(
    (c) => c.name === "rfork" && c.value === Math.max(a, b) && c.text.includes("RFNAMEG"),
  );
  return made === undefined
    ? "rfork without RFNAMEG"
    : `leave RFNAMEG out of the rfork that made process ${Math.max(a, b)}`;
}

/** A mount that only another name space has. */
function apart(
  f: Failing,
  e: Mount,
  whose: readonly number[],
): { readonly why: string; readonly mend: string } {
  const { r, call } = f;
  const by = r.calls[e.call];
  const [first] = mountat(r, e, e.path)?.members ?? [];
  if (by === undefined || first === undefined) return NONE;
  const pids = (whose.length > 0 ? whose : [e.pid]).map((pid) => `process ${pid}`);
  const there = `${by.text} of process ${by.pid} has put ${memberof(r, first)} on ${e.path}${has(f, e)}, but in another name space`;
  return {
    why: sentences(
      there,
      `that is the name space of ${somefmt(pids, 4)}, and process ${call.pid} has another`,
    ),
    mend: `make that ${e.op} in process ${call.pid} too, or have both share a name space: ${unshared(r, Math.min(...(whose.length > 0 ? whose : [e.pid])), call.pid)}`,
  };
}
