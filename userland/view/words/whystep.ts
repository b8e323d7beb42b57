// The decisions of namec in sentences: what was decided about a name, and why. Both name spaces tell the
// same steps; where the reason differs, the recording says which one it is.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { OEXCL, QTDIR } from "../../../kernel/abi/const.ts";
import type { Forcedby } from "../../../kernel/names/namespace.ts";
import type { Step } from "../../../kernel/trace.ts";
import { Rerror, Rwalk, Twalk } from "../../../kernel/abi/fcall.ts";
import type { Recording, Revent } from "../record/recording.ts";
import { memberof, mountat, serverof } from "./who.ts";
import { forcedby } from "./stepfmt.ts";
import { because, bare } from "./whyerror.ts";

/** A decision and its reason. */
export type Decision = { readonly what: string; readonly why: string };

/** An event of a recording, as the sentences about it look at it. */
export type At = { readonly r: Recording; readonly event: number; readonly e: Revent };

type Namec = Revent & { type: "namec" };
type Of<S extends Step["step"]> = Namec & { readonly step: S };

const path = (elems: readonly string[]): string => elems.join("/");
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
      return {
        what: `First it is asked whether ${e.elem} is there already.`,
        why: "create of a name that is there opens that file and empties it, so the kernel must know.",
      };
    case "create":
      return create(a, e);
    case "mountpoint":
      return {
        what: `${e.path} is a mount point, so it is not removed.`,
        why: "What is mounted on a name is taken off with unmount; no server is asked.",
      };
    case "fail":
      return fail(e);
  }
}

/** The nearest event of namec in the same call, backwards (-1) or forwards (1), that pleases. */
function another(a: At, way: 1 | -1, good: (e: Namec) => boolean): Namec | null {
  for (let i = a.event + way; i >= 0 && i < a.r.events.length; i += way) {
    const e = a.r.events[i];
    if (e?.call !== a.e.call) continue;
    if (e.type === "call" || e.type === "return") return null;
    if (e.type === "namec" && good(e)) return e;
  }
  return null;
}

const any = (): boolean => true;

function clean(a: At, e: Of<"clean">): Decision {
  if (e.name === e.path)
    return {
      what: `The name ${e.path} is looked up as it is.`,
      why: "It begins with / and has no '.', '..' or doubled '/' in it that would have to be taken out.",
    };
  if (e.name === `${e.path}/`)
    return {
      what: `The name ${e.name} means ${e.path}.`,
      why: "The '/' at its end says that it must be a directory; it is no part of the name.",
    };
  const from = a.r.calls[e.call]?.dot;
  const relative =
    e.name.startsWith("/") || from === undefined
      ? ""
      : `It starts from dot, ${from}, since it does not begin with /; `;
  const rule =
    "'.', '..' and doubled '/' are taken out of the text alone, without asking any server";
  const dots = /(^|\/)\.\.?(\/|$)|\/\/|.\/$/.test(e.name);
  const why =
    relative === ""
      ? rule
      : dots
        ? relative + rule
        : `${relative}dot's own name is known, so no server is asked`;
  return { what: `The name ${e.name} means ${e.path}.`, why: `${capital(why)}.` };
}

const capital = (s: string): string => s.charAt(0).toUpperCase() + s.slice(1);

/** What is at a mount point, in words: "the server far!564 (connection 1)", "a union of 2: first ..., then ...". */
function holders(a: At, e: Of<"prefix">): string {
  const members = mountat(a.r, e, e.point)?.members ?? [];
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

function prefix(a: At, e: Of<"prefix">): Decision {
  const rest = path(e.rest);
  const who = holders(a, e);
  const lookup = "The mount table is looked up by name; no message is needed.";
  const why =
    e.members > 1
      ? `A union is several directories under one name, tried in order. ${lookup}`
      : lookup;
  if (rest === "") return { what: `${e.prefix} is itself a mount point: ${who} is there.`, why };
  const way =
    e.prefix === "/"
      ? "Nothing nearer than / itself is mounted on the way"
      : `${e.prefix} is the longest name on the way that is mounted`;
  return { what: `${way}, so the rest, ${rest}, is up to ${who}.`, why };
}

function crossed(a: At, e: Of<"prefix">): Decision {
  const rest = path(e.rest);
  const on = rest === "" ? "" : ` and goes on there with ${rest}`;
  return {
    what: `Something is mounted on ${e.prefix}: the walk steps over to ${holders(a, e)}${on}.`,
    why: "The standard kernel knows its mounts by the file that is mounted upon, so it must come to that file before it can tell.",
  };
}

function dot(a: At, e: Of<"dot">): Decision {
  const rest = path(e.rest);
  const what =
    rest === ""
      ? `The name is dot itself, ${e.path}.`
      : `The walk starts at dot, ${e.path}, with ${rest}.`;
  if (e.path.startsWith("#"))
    return {
      what,
      why: `${e.path} is in a device's own tree, and nothing is mounted there by name.`,
    };
  return {
    what,
    why: standard(a)
      ? "The name does not begin with /, and dot is a directory that the process has at hand."
      : "The process has dot at hand, and nothing is mounted between dot and the name, so the way to dot need not be walked again.",
  };
}

function device(e: Of<"device">): Decision {
  const rest = path(e.rest);
  return {
    what:
      rest === ""
        ? `The name is the root of device ${e.path}.`
        : `${rest} is looked up in device ${e.path} itself.`,
    why: "A name that begins with # means a device of the kernel, wherever that is mounted, and even if it is nowhere.",
  };
}

/** A member of the union that a found or miss is about: "member 2 of the union /u, far!564". */
function member(a: At, e: Of<"found"> | Of<"miss">): string {
  const m = mountat(a.r, e, e.point)?.members[e.index];
  const who = m === undefined ? "" : ` (${memberof(a.r, m)})`;
  return `member ${e.index + 1} of the union ${e.point}${who}`;
}

function found(a: At, e: Of<"found">): Decision {
  const what = `${capital(member(a, e))} has ${e.elem}, so it is chosen.`;
  const start = another(a, -1, (x) => x.step === "prefix" && x.point === e.point);
  const deep = start?.step === "prefix" && start.rest.length > 1;
  const only = deep ? "; the first element alone decides, whatever becomes of the rest" : "";
  const why =
    e.index === 0
      ? `A union is tried in order, and the first member that has the name wins${only}.`
      : `It is the first that has ${e.elem}; a union is tried in order${only}.`;
  return { what, why };
}

function missed(a: At, e: Of<"miss">): Decision {
  const gone = /does not exist$|not found$/.test(e.error);
  const what = gone
    ? `${capital(member(a, e))} has no ${e.elem}.`
    : `${capital(member(a, e))} gives no ${e.elem}: ${bare(e.error)}.`;
  const of = mountat(a.r, e, e.point)?.members.length ?? 0;
  const next = e.index + 1 < of ? "the next member is tried" : "no member is left";
  return {
    what,
    why: gone
      ? `A union is tried in order: ${next}.`
      : `A member that fails counts as one without the name: ${next}.`,
  };
}

/** What the call will do at the end of the walk. */
const DOES: Readonly<Record<string, string>> = nullproto({
  stat: "the request for its entry (Tstat)",
  wstat: "the change to its entry (Twstat)",
  open: "the open (Topen)",
  create: "the create (Tcreate)",
  remove: "the remove (Tremove)",
});

/** The server of a Chan's name, as messages to it show: the next that the call sends. */
function nextserver(a: At): string {
  for (let i = a.event + 1; i < a.r.events.length; i++) {
    const e = a.r.events[i];
    if (e?.call !== a.e.call) continue;
    if (e.type === "return") break;
    if (e.type === "send") return serverof(a.r, e.conn);
  }
  return "the server";
}

function deferred(a: At, e: Of<"deferred">): Decision {
  const rest = path(e.rest);
  const does = DOES[a.r.calls[e.call]?.name ?? ""] ?? "what follows";
  const next = another(a, 1, any);
  if (next?.step === "forced")
    return {
      what:
        rest === "" ? "Nothing is sent for the walk yet." : `The walk of ${rest} is not sent yet.`,
      why: "A walk may be sent together with what follows it; what this call does next decides whether that is so here.",
    };
  return {
    what:
      rest === ""
        ? `Nothing is sent by itself to get there: it will go together with ${does}.`
        : `The walk of ${rest} is not sent by itself: it will go together with ${does}.`,
    why: `${capital(nextserver(a))} serves requests that have one tag in order, so both share one round trip.`,
  };
}

const FORCED: Readonly<Record<Forcedby, string>> = {
  mustdir:
    "The name ends in '/', so it must be a directory; that must be known before anything is changed.",
  dot: "Dot must be a directory that exists: chdir has to know before it returns.",
  mount:
    "A directory goes on a directory and a file on a file, so the kernel must know what both names are.",
  exclusive: "An exclusive create (OEXCL) must fail if the name is there.",
  look: "create of a name that is there opens that file and empties it, so the kernel must know first.",
  parent: "A file is created in a directory, and that one has to be found.",
};

function forced(a: At, e: Of<"forced">): Decision {
  const rest = path(e.rest);
  const asked = another(a, -1, (x) => x.step === "ask") !== null;
  const how = asked ? "is waited for now" : "is sent now, and its answer waited for";
  return {
    what: `The walk${rest === "" ? "" : ` of ${rest}`} ${how}.`,
    why: FORCED[forcedby(e.why)],
  };
}

const LOCAL = "This tree is in the kernel itself, so no message is needed.";

/** The answer to a walk that came since namec's last step; null when no server was asked. */
function answered(a: At, conn: number): (Revent & { type: "receive" }) | null {
  for (let i = a.event - 1; i >= 0; i--) {
    const e = a.r.events[i];
    if (e?.call !== a.e.call) continue;
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
  const elem = e.rest[e.got] ?? "";
  if (e.rest.length === 0)
    return {
      what: `${e.chan} itself is what is wanted: there is nothing to walk.`,
      why: reply === null ? LOCAL : "The server was only asked for another fid for it.",
    };
  if (e.got >= e.rest.length) {
    const why =
      reply === null
        ? LOCAL
        : `${capital(serverof(a.r, reply.conn))} answered with a qid, the file's identity, for each element.`;
    return { what: `${path(e.rest)} is there, walked from ${e.chan}.`, why };
  }
  const what =
    e.got === 0
      ? `The walk from ${e.chan} ends at its first element, ${elem}.`
      : `The walk from ${e.chan} finds ${path(e.rest.slice(0, e.got))}, and ends at ${elem}.`;
  return { what, why: walkmiss(a, e, reply) };
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
  return {
    what: `${upto(e, on)} is there, walked from ${e.chan}, and something is mounted on it: the walk stops at that.`,
    why:
      reply === null
        ? "Each file on the way is looked up in the mount table; what the covered directory has below it does not count."
        : `Each file on the way is looked up in the mount table; ${serverof(a.r, reply.conn)} was asked for the rest, too, which was for nothing.`,
  };
}

function walkmiss(a: At, e: Of<"walk">, reply: (Revent & { type: "receive" }) | null): string {
  const f = reply?.fcall;
  const who = reply === null ? "" : capital(serverof(a.r, reply.conn));
  if (f?.type === Rerror) return `${who} says: ${f.ename}.`;
  const before = path(e.rest.slice(0, e.got));
  if (f?.type === Rwalk)
    return ((f.wqid.at(-1)?.type ?? 0) & QTDIR) === 0
      ? `${who} found that ${before} is a file, and only a directory has names in it.`
      : `${who} found ${before} and stopped there: it has no such name in it, or may not be searched.`;
  const next = another(a, 1, (x) => x.step === "fail" || x.step === "miss");
  const error =
    next?.step === "fail" || next?.step === "miss" ? next.error : a.r.calls[e.call]?.error;
  if (error !== undefined && error !== null) return because(error);
  return e.conn === 0 ? LOCAL : "Its server could not be asked.";
}

function ask(a: At, e: Of<"ask">): Decision {
  const n = e.asked.length;
  switch (e.of) {
    case "union": {
      const all = mountat(a.r, e, unionof(a))?.members.length ?? n;
      const list = e.asked.map((i) => i + 1).join(" and ");
      const every = n === 2 ? "Both members" : `All ${n} members`;
      const who = n === all ? every : `${n > 1 ? "Members" : "Member"} ${list}`;
      return {
        what: `${who} of the union ${n > 1 ? "are" : "is"} asked for ${path(e.rest)} ${n > 1 ? "at the same time" : "before its turn"}.`,
        why:
          n > 1
            ? "Asking changes nothing, so the kernel need not wait for one answer before it asks the next: the round trips overlap."
            : "It is on a server, whose answer takes its time; the other members are in the kernel itself.",
      };
    }
    case "bind":
      return {
        what:
          n > 1
            ? "The walks of both names of the bind are sent at the same time."
            : `The walk of the ${e.asked[0] === 0 ? "first" : "second"} name of the bind is sent.`,
        why:
          n > 1
            ? "Neither needs the answer to the other, so they share the time of one round trip."
            : "The kernel must know what is bound, and on what; the other name needs no walk that can be sent ahead.",
      };
    case "directory":
      return {
        what: `What is mounted on ${n === 1 ? "an entry" : `${n} entries`} of this directory is asked for its own entry.`,
        why: "A listing shows what is mounted on a name, and not the directory that it covers.",
      };
  }
}

function unionof(a: At): string {
  const start = another(a, -1, (x) => x.step === "prefix" && x.members > 1);
  return start?.step === "prefix" ? start.point : "";
}

function near(e: Of<"near">): Decision {
  return {
    what: `${path(e.dir)} was walked to before, so only ${path(e.rest)} is walked, from there.`,
    why: "The mount has a cache (MCACHE), which remembers directories; if the walk fails from there it is made again from the root.",
  };
}

function create(a: At, e: Of<"create">): Decision {
  const inside = `in ${e.dir}`;
  if (e.index >= 0) {
    const m = mountat(a.r, e, e.dir)?.members[e.index];
    const who = m === undefined ? "" : ` (${memberof(a.r, m)})`;
    return {
      what: `${e.elem} is created ${inside}, in member ${e.index + 1} of that union${who}.`,
      why: "It is the first member that was mounted with leave to create (MCREATE, bind -c).",
    };
  }
  const mode = a.r.calls[e.call]?.args[1];
  const excl = typeof mode === "number" && (mode & OEXCL) !== 0;
  const what = `${e.elem} is to be created ${inside}.`;
  if (another(a, -1, any)?.step !== "deferred") return { what, why: "It was not found there." };
  return {
    what,
    why: excl
      ? "The server looks for the name and creates it only if that fails, all in the same exchange."
      : "The server creates it, or opens and empties what is there: the kernel need not look first.",
  };
}

function fail(e: Of<"fail">): Decision {
  const what =
    e.elem === ""
      ? `It fails: ${bare(e.error)}.`
      : `The name fails at ${e.elem}: ${bare(e.error)}.`;
  return { what, why: because(e.error) };
}
