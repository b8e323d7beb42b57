// The decisions of namec in sentences: what was decided about a name, and why. Both name spaces tell the
// same steps; where the reason differs, the recording says which of the two it was.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { OEXCL, QTDIR } from "../../../kernel/abi/const.ts";
import type { Forcedby } from "../../../kernel/names/namespace.ts";
import type { Step } from "../../../kernel/trace.ts";
import { Rerror, Rwalk, Twalk } from "../../../kernel/abi/fcall.ts";
import { indexof } from "../record/index.ts";
import { bare, isgone } from "../record/recording.ts";
import type { Recording, Revent } from "../record/recording.ts";
import { failureof } from "./failure.ts";
import { listfmt, path, sentences, somefmt, told } from "./sentence.ts";
import type { Decision } from "./sentence.ts";
import { forcedby } from "./eventtext.ts";
import { memberof, membersat, serverof, speaks } from "./who.ts";

/** An event of a recording, as the sentences about it look at it. */
export type At = { readonly r: Recording; readonly event: number; readonly e: Revent };

type Namec = Revent & { type: "namec" };
type Of<S extends Step["step"]> = Namec & { readonly step: S };

const standard = (a: At): boolean => a.r.about.namespace === "standard";

/** What namec decided at this event. */
export function stepwhy(a: At, e: Namec): Decision {
  switch (e.step) {
    case "clean":
      return clean(a, e);
    case "prefix":
      return standard(a) ? crossed(a, e) : prefix(a, e);
    case "dot":
      return dot(a, e);
    case "device":
      return device(e);
    case "found":
      return found(a, e);
    case "miss":
      return missed(a, e);
    case "deferred":
      return deferred(a, e);
    case "forced":
      return forced(a, e);
    case "walk":
      return walk(a, e);
    case "ask":
      return ask(a, e);
    case "near":
      return near(e);
    case "look":
      return told(
        `create looks whether ${e.elem} is there already`,
        "",
        "create of a name that is there opens that file and empties it, so the kernel has to know",
      );
    case "create":
      return create(a, e);
    case "mountpoint":
      return told(
        `${e.path} is a mount point, so it is not removed`,
        "",
        "A mount point is part of the name space: unmount takes it off",
      );
    case "fail":
      return fail(a, e);
  }
}

/** The nearest event of namec in the same call, backwards (-1) or forwards (1), that pleases. */
function another(a: At, way: 1 | -1, good: (e: Namec) => boolean): Namec | null {
  for (const { e } of indexof(a.r).near(a.event, way)) {
    if (e.type === "call" || e.type === "return") return null;
    if (e.type === "namec" && good(e)) return e;
  }
  return null;
}

const any = (): boolean => true;

const CLEANED =
  "The kernel takes '.', '..' and doubled '/' out of the text of a name before it looks the name up";

function clean(a: At, e: Of<"clean">): Decision {
  if (e.name === e.path) return told(`the name ${e.path} is looked up as it is`, "", CLEANED);
  const what = `the name ${e.name} means ${e.path}`;
  if (e.name === `${e.path}/`)
    return told(what, `the '/' at the end of ${e.name} says that it must be a directory`, CLEANED);
  const from = a.r.calls[e.call]?.dot;
  if (e.name.startsWith("/") || from === undefined) return told(what, "", CLEANED);
  return told(what, `${e.name} does not begin with /, so it starts from dot, ${from}`, CLEANED);
}

/** What is at a mount point, in words: "the server far!564 (connection 1)", "a union of 2: first ..., then ...". */
function holders(a: At, e: Of<"prefix">): string {
  const members = membersat(a.r, e, e.point);
  if (members.length !== e.members)
    return e.members > 1 ? `a union of ${e.members}` : "what is mounted there";
  const [first] = members;
  if (members.length === 1 && first !== undefined)
    return first.conn > 0 && memberof(a.r, first) === serverof(a.r, first.conn)
      ? `${serverof(a.r, first.conn)} (connection ${first.conn})`
      : memberof(a.r, first);
  const list = members.map((m) => memberof(a.r, m)).join(", then ");
  return `a union of ${members.length} (${list})`;
}

const LOOKUP = "The mount table is looked up by name, in the kernel; no message is needed";

function prefix(a: At, e: Of<"prefix">): Decision {
  const rest = path(e.rest);
  const holds = holders(a, e);
  const how =
    e.members > 1
      ? `A union is several directories under one name, tried in order. ${LOOKUP}`
      : LOOKUP;
  if (rest === "") return told(`${e.prefix} is itself a mount point: ${holds} is there`, "", how);
  const way =
    e.prefix === "/"
      ? "nothing nearer than / itself is mounted on the way"
      : `${e.prefix} is the longest name on the way that is mounted`;
  return told(`${way}, so the rest, ${rest}, is up to ${holds}`, "", how);
}

function crossed(a: At, e: Of<"prefix">): Decision {
  const rest = path(e.rest);
  const on = rest === "" ? "" : ` and goes on there with ${rest}`;
  return told(
    `something is mounted on ${e.prefix}: the walk steps over to ${holders(a, e)}${on}`,
    "",
    "The standard kernel knows a mount by the file that is mounted upon, so the walk has to come to that file first",
  );
}

function dot(a: At, e: Of<"dot">): Decision {
  const rest = path(e.rest);
  const what =
    rest === ""
      ? `the name is dot itself, ${e.path}`
      : `the walk starts at dot, ${e.path}, with ${rest}`;
  if (e.path.startsWith("#"))
    return told(what, `${e.path} is in a device's own tree, and nothing is mounted there by name`);
  return told(
    what,
    "",
    standard(a)
      ? "A name that does not begin with / begins at dot, a directory that the process has at hand"
      : "The process has dot at hand. Where nothing is mounted between dot and the name, the way to dot is not walked again",
  );
}

function device(e: Of<"device">): Decision {
  const rest = path(e.rest);
  return told(
    rest === ""
      ? `the name is the root of device ${e.path}`
      : `${rest} is looked up in device ${e.path} itself`,
    "",
    "A name that begins with # means a device of the kernel, whether or not that is mounted",
  );
}

/** A member of the union that a found or miss is about: "member 2 of the union /u, far!564". */
function member(a: At, e: Of<"found"> | Of<"miss">): string {
  const m = membersat(a.r, e, e.point)[e.index];
  const who = m === undefined ? "" : ` (${memberof(a.r, m)})`;
  return `member ${e.index + 1} of the union ${e.point}${who}`;
}

const UNION = "The members of a union are asked in order, and the first with the name wins";

function found(a: At, e: Of<"found">): Decision {
  const what = `${member(a, e)} has ${e.elem}, so it is chosen`;
  const start = another(a, -1, (x) => x.step === "prefix" && x.point === e.point);
  const rest = start?.step === "prefix" && start.rest.length > 1 ? path(start.rest.slice(1)) : "";
  const deep = rest === "" ? "" : `; ${e.elem} alone decides, whatever becomes of ${rest}`;
  const before =
    e.index === 1 ? "the member before it has" : `the ${e.index} members before it have`;
  const why =
    e.index === 0 ? `it is the first member of ${e.point}${deep}` : `${before} no ${e.elem}${deep}`;
  return told(what, why, UNION);
}

function missed(a: At, e: Of<"miss">): Decision {
  const gone = isgone(e.error);
  const what = gone
    ? `${member(a, e)} has no ${e.elem}`
    : `${member(a, e)} gives no ${e.elem}: ${bare(e.error)}`;
  return told(
    what,
    next(a, e),
    gone ? UNION : `A member that fails counts as one without the name. ${UNION}`,
  );
}

/** What comes after a member that has not got the name. */
function next(a: At, e: Of<"miss">): string {
  const of = membersat(a.r, e, e.point).length;
  if (e.index + 1 >= of) return `member ${of} is the last of ${e.point}`;
  const ask = another(a, -1, (x) => x.step === "ask" && x.of === "union");
  const asked = ask?.step === "ask" && ask.asked.includes(e.index + 1);
  return asked
    ? `member ${e.index + 2} was asked at the same time, and its answer counts next`
    : `member ${e.index + 2} is tried next`;
}

/** What the call will do at the end of the walk. */
const DOES: Readonly<Record<string, string>> = nullproto({
  stat: "the request for its entry (Tstat)",
  wstat: "the change to its entry (Twstat)",
  open: "the open (Topen)",
  create: "the create (Tcreate)",
  remove: "the remove (Tremove)",
});

/** The connection that the call sends on next; 0 when it sends nothing more. */
function nextconn(a: At): number {
  for (const { e } of indexof(a.r).near(a.event, 1)) {
    if (e.type === "return") break;
    if (e.type === "send") return e.conn;
  }
  return 0;
}

function deferred(a: At, e: Of<"deferred">): Decision {
  const rest = path(e.rest);
  const does = DOES[a.r.calls[e.call]?.name ?? ""] ?? "what follows";
  if (another(a, 1, any)?.step === "forced")
    return told(
      rest === "" ? "nothing is sent for the walk yet" : `the walk of ${rest} is not sent yet`,
      "",
      "A walk may be sent together with what follows it; what the call does next decides whether that is so",
    );
  const conn = nextconn(a);
  return told(
    rest === ""
      ? `nothing is sent by itself to get there: it goes together with ${does}`
      : `the walk of ${rest} is not sent by itself: it goes together with ${does}`,
    conn === 0 ? "" : `${speaks(a.r, conn, serverof(a.r, conn))}, so both share one round trip`,
    "A server of 9P2000.ix serves requests that have one tag in order: a request need not wait for the answer before it",
  );
}

/** Why a walk that could have been put off is made at once; `name` is where it leads. */
export function forcedwhy(why: Forcedby, name: string): string {
  switch (why) {
    case "mustdir":
      return `the name ends in '/', so ${name} has to be a directory, which is found out before it is changed`;
    case "dot":
      return `chdir has to know that ${name} is a directory before it returns`;
    case "mount":
      return `the kernel has to know whether ${name} is a file or a directory before anything is mounted`;
    case "exclusive":
      return `with OEXCL the create has to fail if ${name} is there`;
    case "look":
      return `create opens and empties ${name} if it is there, so the kernel has to know that first`;
    case "parent":
      return `the file is made in ${name}, so that directory has to be found first`;
  }
}

function forced(a: At, e: Of<"forced">): Decision {
  const rest = path(e.rest);
  const asked = another(a, -1, (x) => x.step === "ask") !== null;
  const how = asked ? "is waited for now" : "is sent now, and its answer waited for";
  return told(
    `the walk${rest === "" ? "" : ` of ${rest}`} ${how}`,
    forcedwhy(forcedby(e.why), rest === "" ? e.chan : rest),
  );
}

const LOCAL = "That tree is in the kernel itself: no message is needed";

/** The answer to a walk that came since namec's last step; null when no server was asked. */
function answered(a: At, conn: number): (Revent & { type: "receive" }) | null {
  for (const { e } of indexof(a.r).near(a.event, -1)) {
    if (e.type === "namec" || e.type === "call") return null;
    if (e.type !== "receive" || e.conn !== conn) continue;
    const of = a.r.events[e.of];
    if (of?.type === "send" && of.fcall.type === Twalk) return e;
  }
  return null;
}

function walk(a: At, e: Of<"walk">): Decision {
  const reply = e.conn === 0 ? null : answered(a, e.conn);
  const on = another(a, 1, any);
  if (on?.step === "prefix" && halts(a, e, on)) return halted(a, e, on, reply);
  const how =
    reply === null
      ? LOCAL
      : "An Rwalk has a qid, the file's identity, for each element that was walked";
  if (e.rest.length === 0)
    return told(
      `${e.chan} itself is what is wanted: there is nothing to walk`,
      "",
      reply === null ? LOCAL : "",
    );
  if (e.got >= e.rest.length)
    return told(`${path(e.rest)} is there, walked from ${e.chan}`, "", how);
  const elem = e.rest[e.got] ?? "";
  const what =
    e.got === 0
      ? `the walk from ${e.chan} ends at its first element, ${elem}`
      : `the walk from ${e.chan} finds ${path(e.rest.slice(0, e.got))}, and ends at ${elem}`;
  return told(what, walkmiss(a, e, reply), how);
}

/** What a walk found of its names before the mount point that comes next. */
const upto = (e: Of<"walk">, on: Of<"prefix">): string =>
  path(e.rest.slice(0, Math.max(0, e.rest.length - on.rest.length)));

/** Whether the next step is onto a mount point among these names. */
function halts(a: At, e: Of<"walk">, on: Of<"prefix">): boolean {
  const to = upto(e, on);
  return (
    standard(a) &&
    on.rest.length > 0 &&
    to !== "" &&
    on.prefix === `${e.chan}/${to}`.replace(/^\/\//, "/")
  );
}

/** A walk that led over a mount point: what it found beyond is not what is meant. */
function halted(
  a: At,
  e: Of<"walk">,
  on: Of<"prefix">,
  reply: (Revent & { type: "receive" }) | null,
): Decision {
  const more = e.got > e.rest.length - on.rest.length;
  return told(
    `${upto(e, on)} is there, walked from ${e.chan}, and something is mounted on it: the walk stops there`,
    reply !== null && more
      ? `${serverof(a.r, reply.conn)} walked ${path(on.rest)}, too, in the directory that the mount covers; that does not count`
      : "",
    "Each file on the way is looked up in the mount table",
  );
}

/** Why a walk ended: what the server said, or the kernel's own tree. */
function walkmiss(a: At, e: Of<"walk">, reply: (Revent & { type: "receive" }) | null): string {
  const f = reply?.fcall;
  const elem = e.rest[e.got] ?? "";
  const before = path(e.rest.slice(0, e.got));
  if (reply !== null && f?.type === Rerror) return `${serverof(a.r, reply.conn)} says: ${f.ename}`;
  if (reply !== null && f?.type === Rwalk) {
    const isdir = ((f.wqid.at(-1)?.type ?? 0) & QTDIR) !== 0;
    return isdir
      ? `${serverof(a.r, reply.conn)} found ${before}, and in it no ${elem} that this user may reach`
      : `${serverof(a.r, reply.conn)} found that ${before} is a file, so there is no ${elem} in it`;
  }
  return "";
}

function ask(a: At, e: Of<"ask">): Decision {
  const n = e.asked.length;
  switch (e.of) {
    case "union":
      return askunion(a, e);
    case "bind":
      return told(
        n > 1
          ? "the walks of both names of the bind are sent at the same time"
          : `the walk of the ${e.asked[0] === 0 ? "first" : "second"} name of the bind is sent`,
        "",
        "bind has to know what both names are. Neither walk needs the other's answer, so both may be on their way at once",
      );
    case "directory":
      return told(
        `what is mounted on ${n === 1 ? "an entry" : `${n} entries`} of this directory is asked for its own entry`,
        "",
        "A listing shows what is mounted on a name, and not the directory that it covers",
      );
  }
}

function askunion(a: At, e: Of<"ask">): Decision {
  const n = e.asked.length;
  const point = unionof(a);
  const members = membersat(a.r, e, point);
  const every = n === 2 ? "both members" : `all ${n} members`;
  const list =
    n === members.length
      ? every
      : `${n > 1 ? "members" : "member"} ${listfmt(e.asked.map((i) => String(i + 1)))}`;
  const far = e.asked.flatMap((i) => {
    const m = members[i];
    return m === undefined ? [] : [memberof(a.r, m)];
  });
  return told(
    `${list} of the union${point === "" ? "" : ` ${point}`} ${n > 1 ? "are" : "is"} asked for ${path(e.rest)} ${n > 1 ? "at the same time" : "before its turn"}`,
    n > 1
      ? `the round trips to ${listfmt(far)} overlap`
      : `the answer of ${listfmt(far)} takes its time; the members before it are in the kernel`,
    "A walk changes nothing, so the kernel need not wait for one answer before it asks the next",
  );
}

function unionof(a: At): string {
  const start = another(a, -1, (x) => x.step === "prefix" && x.members > 1);
  return start?.step === "prefix" ? start.point : "";
}

function near(e: Of<"near">): Decision {
  return told(
    `${path(e.dir)} was walked to before, so only ${path(e.rest)} is walked, from there`,
    "",
    "A mount with a cache (MCACHE) remembers directories; a walk that fails from there is made again from the root",
  );
}

function create(a: At, e: Of<"create">): Decision {
  if (e.index >= 0) {
    const m = membersat(a.r, e, e.dir)[e.index];
    const holds = m === undefined ? "" : ` (${memberof(a.r, m)})`;
    return told(
      `${e.elem} is to be created in ${e.dir}, in member ${e.index + 1} of that union${holds}`,
      sentences(
        `member ${e.index + 1} is the first that was bound or mounted with leave to create (MCREATE)`,
        leaveless(a, e),
      ),
      "create never makes a file in a member of a union that was not bound or mounted with MCREATE",
    );
  }
  const mode = a.r.calls[e.call]?.args[1];
  const excl = typeof mode === "number" && (mode & OEXCL) !== 0;
  const what = `${e.elem} is to be created in ${e.dir}`;
  if (another(a, -1, any)?.step !== "deferred") return told(what, `${e.dir} has no ${e.elem} yet`);
  return told(
    what,
    "",
    excl
      ? "The server looks for the name, and creates it only if that fails, all in one exchange"
      : "The server creates the file, or opens and empties one that is there: the kernel need not look first",
  );
}

/** The members before the one that creates, which may not. */
function leaveless(a: At, e: Of<"create">): string {
  const before = membersat(a.r, e, e.dir).slice(0, e.index);
  if (before.length === 0) return "";
  const list = somefmt(
    before.map((m) => memberof(a.r, m)),
    4,
  );
  return before.length === 1
    ? `${list} comes before it in ${e.dir}, and was bound there without MCREATE`
    : `${list} come before it in ${e.dir}, and were bound there without MCREATE`;
}

function fail(a: At, e: Of<"fail">): Decision {
  const what =
    e.elem === "" ? `it fails: ${bare(e.error)}` : `the name fails at ${e.elem}: ${bare(e.error)}`;
  const call = a.r.calls[e.call];
  // A name may fail and the call go on: a member of a union, a create that looks again.
  if (call === undefined || call.error === null) return told(what);
  return { ...told(what), ...failureof(a.r, call) };
}
