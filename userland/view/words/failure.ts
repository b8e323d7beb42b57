// Failures explained: why a call failed, from what the recording shows of it, and what would mend it. Each
// error string of Plan 9 has its row; a string of a server that is none of them is given as the server's own.
// These functions read a Recording, and a Probe if one was made after the run. They change nothing.

import { OREAD, OTRUNC } from "../../../kernel/abi/const.ts";
import type { Fact } from "../../../kernel/abi/errors.ts";
import { modestring } from "../../../kernel/abi/modes.ts";
import { nullproto } from "../../../kernel/abi/nullproto.ts";
import type { Seenfile } from "../record/seen.ts";
import { openmode } from "./callfmt.ts";
import { PLAIN, badarg } from "./meanings.ts";
import { Failing, elsewhere, lastcall } from "./failing.ts";
import type { Note, Probe } from "./failing.ts";
import { endless } from "./whyproc.ts";
import { capital, listfmt, plural, sentences, somefmt, timefmt } from "./text.ts";
import { callat, rforkof } from "./who.ts";
import { indexof } from "../record/index.ts";
import type { Rcall, Recording } from "../record/recording.ts";

/** Why a call failed, and what would mend it. */
export type Failure = { readonly why: string; readonly mend: string };

type Row = (f: Failing) => Failure;

type Modefact = Fact & { readonly why: "mode" };

/** How many names of a directory are listed. */
const SOME = 6;

/** Text with the names in it that are too long to read cut in their middle. */
const brief = (s: string): string =>
  s.replace(/[^\s,]{100,}/g, (name) => `${name.slice(0, 40)}…${name.slice(-40)}`);

/** A failure in sentences. `mend` says what to do, so it begins with a verb: "create it" → "Create it." */
const say = (why: string, mend: string): Failure => ({
  why: brief(sentences(why)),
  mend: brief(sentences(/^[a-z]+ /.test(mend) ? capital(mend) : mend)),
});

/** What a call is about: its file, its descriptor, or the call itself. */
function subject(f: Failing): string {
  // A mount that finds no server at its descriptor fails before it looks at its name: it is about the descriptor.
  if (f.call.name === "mount" && f.fd !== null && /version|Rversion/.test(f.error))
    return `descriptor ${f.fd}`;
  if (f.shown !== "") return f.shown;
  if (f.fd !== null) return `descriptor ${f.fd}${f.call.file === null ? "" : ` (${f.call.file})`}`;
  return `${f.call.text} of process ${f.call.pid}`;
}

/** The network address that a control message has; of another call the address of what it is about. */
function address(f: Failing): string {
  const [, text] = /"(?:connect|announce) ([^" ]+)/.exec(f.call.text) ?? [];
  return text ?? `the address of ${subject(f)}`;
}

/** What the letters of a row of PLAIN stand for. */
const LETTERS: Readonly<Record<string, (f: Failing) => string>> = nullproto({
  S: subject,
  H: (f: Failing) => f.holder,
  A: address,
  D: (f: Failing) => f.dir,
  P: (f: Failing) => String(f.call.pid),
  "1": (f: Failing) => f.argument1 || "what is to be taken off",
  "2": (f: Failing) => f.argument2 || subject(f),
  C: (f: Failing) => f.call.name,
  F: (f: Failing) => f.call.file ?? "",
  M: (f: Failing) => openmode(f.mode),
  N: (f: Failing) => f.name || subject(f),
  O: ({ fact }: Failing) => (fact?.why === "owner" ? fact.uid : ""),
  W: (f: Failing) => f.error.slice(f.error.indexOf(": ") + 2),
  U: ({ fact }: Failing) => (fact?.why === "owner" ? fact.user : ""),
});

/** A row of two fixed texts. */
function plain(why: string, mend: string): Row {
  return (f) => {
    const fill = (s: string): string =>
      s.replaceAll(/\$(\w)/g, (_, x: string) => LETTERS[x]?.(f) ?? x);
    return say(fill(capital(why)), fill(mend));
  };
}

/** Why a call of a recording failed; `asked` is what was asked about its name after the run. */
export function failureof(r: Recording, call: Rcall, asked: Probe | null = null): Failure {
  const f = new Failing(r, call, asked);
  const injected = spoilt(f);
  if (injected !== null) return injected;
  const { why, mend } = said(f, f.error);
  if (f.chosen === 0) return { why, mend };
  const member = `member ${f.chosen} of the union ${f.point} was the first with the name, so the members after it do not count`;
  const or =
    f.after === 0
      ? ""
      : `Or have member ${f.after} of ${f.point}, which has ${f.elem} too, come before member ${f.chosen}`;
  return { why: sentences(why, member), mend: sentences(mend, or) };
}

/** An error that is none of the known ones: its text is repeated, with the server that gave it. */
function own(f: Failing): Failure {
  return say(
    `${f.holder} says so in its own words: "${f.error}"`,
    /no auth|auth.*not required/.test(f.error)
      ? "leave fauth out: mount it with -1 for the authentication file"
      : `see the manual of ${f.holder}: this error is its own, and not one of Plan 9's`,
  );
}

/** The failure if --inject made it; else null. */
function spoilt(f: Failing): Failure | null {
  const met = f.r.injected?.find(
    (x) =>
      x.what === "error" &&
      x.value === f.error &&
      (x.call === f.call.id || f.r.events[x.event]?.call === f.call.id),
  );
  if (met === undefined) return null;
  const { option } = met;
  const place = met.call >= 0 ? `what ${f.call.name} gives` : `the answer of ${f.holder}`;
  return say(
    `--inject '${option}' puts this error in the place of ${place}`,
    "leave that --inject out",
  );
}

// Names that are missing.

function missing(f: Failing): Failure {
  const { dir, fact } = f;
  if (fact?.why === "mode") {
    // A directory on the way that may not be searched hides what is in it.
    const name = named(f, fact.name);
    const search = "To execute a directory is to search it for a name";
    return say(`${modewords(fact, name)}. ${search}`, modemend(fact, name));
  }
  if (f.name === "") return removed(f);
  const known =
    f.names.length === 0
      ? ""
      : `In ${dir} there ${f.names.length === 1 ? "is" : "are"} ${somefmt(f.names, SOME)}`;
  const other = elsewhere(f);
  const mend = missingmend(f);
  return say(
    sentences(nothing(f), known, other.why),
    other.mend === "" ? mend : sentences(capital(other.mend), other.or ? `Else ${mend}` : ""),
  );
}

/** The file of a descriptor is gone. */
function removed(f: Failing): Failure {
  const { r, call } = f;
  const by = lastcall(r, { before: call, names: ["remove"], file: call.file ?? "" });
  return say(
    by === undefined
      ? `${f.holder} has the file of ${subject(f)} no more`
      : `${callat(r, by)} of process ${by.pid} has removed the file of ${subject(f)}`,
    "create the file again, and open that",
  );
}

/** Where an element is missing. */
function nothing(f: Failing): string {
  const { elem, dir, members } = f;
  if (members > 1) return `None of the ${members} members of the union ${dir} has ${elem}`;
  if (f.partial && f.conn > 0)
    return `${f.holder} found ${dir}, and there no ${elem} that ${f.user === "" ? "its user" : f.user} may reach`;
  return `${capital(f.holder)} has no ${elem} in ${dir}`;
}

function missingmend(f: Failing): string {
  const { elem, dir, shown, call } = f;
  const machine = /^\/n\/([A-Za-z][\w.-]*)$/.exec(shown)?.[1];
  if (machine !== undefined && !f.r.about.hosts.some((h) => h.split(":")[0] === machine))
    return `--host ${machine}:rtt=50ms puts a machine of that name there`;
  const or = (text: string): string =>
    f.meant === null ? text : `perhaps ${f.meant} was meant; else ${text}`;
  if (call.name === "unmount")
    return or(
      `give the name of a mount point, and of what is mounted there: cat /proc/${call.pid}/ns lists them`,
    );
  if (dir === "/srv" || dir === "#s")
    return or(`a server posts itself as ${shown} first; ls /srv shows what is posted`);
  const usual = f.conn === 0 && f.holder.startsWith("the kernel") ? USUAL.get(dir) : undefined;
  if (usual !== undefined)
    return `bind '${usual}' ${dir} first${usual === "#I" ? ", on a machine with a network" : ""}: nothing is mounted on ${dir} in this name space`;
  if (dir === "/proc" || dir === "#p")
    return /^\d+$/.test(elem)
      ? or(`look at ls /proc: process ${elem} has ended, or its number is another`)
      : or("give the number of a process, as ls /proc has them");
  if (dir === "/fd" || dir === "#d")
    return `open a file first: ${dir} has the descriptors that are open, which are ${listfmt(f.open.map(String)) || "none"}`;
  if (dir === "/env" || dir === "#e")
    return or(`the variable ${elem} is set first: create ${shown} and write its value`);
  if (f.conn === 0 && f.holder.startsWith("the kernel") && dir === "/")
    return `bind '#R' / first: this name space is empty, and the kernel's own root takes no new files`;
  const made = f.creatable && (f.conn > 0 || MAKES.has(f.holder) || f.members > 1);
  if (!made) return or(`give the name of a file that is there: ls ${dir} lists them`);
  if (f.rest !== "" || call.name === "create")
    return or(`make the directory ${shown} first: create with DMDIR, or mkdir`);
  if (call.name === "exec" && !f.name.endsWith(shown) && shown !== f.name)
    return or(`name another program in the first line (#!) of ${f.name}`);
  if (call.name === "exec" && dir === "/bin")
    return or(`bind the directory with the program on ${dir}`);
  if (f.argument !== "") return or(`make ${shown} first: ${f.argument} must name what is there`);
  return or(`create ${shown} first, or give the name of a file that is there`);
}

/** What is usually mounted on names of the kernel's own root. */
const USUAL: ReadonlyMap<string, string> = new Map([
  ["/proc", "#p"],
  ["/env", "#e"],
  ["/srv", "#s"],
  ["/dev", "#c"],
  ["/fd", "#d"],
  ["/net", "#I"],
]);

/** The devices in which a program may make files and change their modes. */
const MAKES: ReadonlySet<string> = new Set([
  "the memory tree",
  "the host's file tree",
  "the environment",
  "the directory of services",
]);

/** A file stands where a directory is needed. */
function notdir(f: Failing): Failure {
  const { shown, elem, call, name, rest } = f;
  const what = elem === "" ? subject(f) : elem;
  if (rest !== "")
    return say(
      `${what} is there and is a file, so there is no ${rest} in it`,
      `leave out /${rest}, or give another directory than ${shown}`,
    );
  if (call.name === "create")
    return say(
      `${f.dir} is there and is a file, so ${what} cannot be made in it`,
      `give another directory than ${f.dir}`,
    );
  if (name.endsWith("/"))
    return say(
      `${what} is a file, and a name that ends in '/' is a directory's`,
      `leave out the '/' at its end`,
    );
  return say(
    `${what} is a file, and ${call.name} needs a directory`,
    call.name === "chdir"
      ? `give the name of the directory that ${what} is in`
      : `give a directory${f.argument === "" ? "" : ` as ${f.argument}`}`,
  );
}

// Permission.

const BITS: readonly (readonly [bit: number, verb: string])[] = [
  [4, "read"],
  [2, "write"],
  [1, "execute"],
];

const verbs = (bits: number): string =>
  listfmt(BITS.filter(([bit]) => (bits & bit) !== 0).map(([, verb]) => verb));

/** The bits of a mode that count for a user. */
function bitsfor(user: string, m: { mode: number; uid: string; gid: string }): number {
  let bits = m.mode & 7;
  if (user === m.gid) bits |= (m.mode >> 3) & 7;
  if (user === m.uid) bits |= (m.mode >> 6) & 7;
  return bits;
}

/** Bits of a mode with what they allow: "0640 (read and write for the owner, read for the group, nothing for others)". */
function octal(mode: number): string {
  const [owner = "", group = "", others = ""] = [6, 3, 0].map(
    (shift) => verbs((mode >> shift) & 7) || "nothing",
  );
  const rest = group === others ? "" : `${group} for the group, `;
  return `0${(mode & 0o777).toString(8)} (${owner} for the owner, ${rest}${others} for others)`;
}

/** "f has mode --r--r--r-- and is bootes's: glenda may read it, not write it" */
function modewords(x: Modefact, name: string): string {
  const may = bitsfor(x.user, x);
  const some = may === 0 ? "may do nothing with it" : `may ${verbs(may)} it`;
  const whose = x.uid === x.user ? `${x.uid}'s own` : `${x.uid}'s (group ${x.gid})`;
  return `${name} has mode ${modestring(x.mode)} and is ${whose}: ${x.user} ${some}, not ${verbs(x.want & ~may)} it`;
}

function modemend(x: Modefact, name: string): string {
  const shift = x.user === x.uid ? 6 : x.user === x.gid ? 3 : 0;
  const mode = octal(x.mode | (x.want << shift));
  return x.user === x.uid
    ? `give ${name} the mode ${mode} by wstat or chmod: ${x.uid} is its owner and may do that`
    : `have ${x.uid}, its owner, give ${name} the mode ${mode} by wstat or chmod`;
}

function forbidden(f: Failing): Failure {
  const { fact } = f;
  switch (fact?.why) {
    case "directory":
      return isdirectory(f);
    case "mode":
      return say(
        modewords(fact, named(f, fact.name)),
        f.conn === 0 && !MAKES.has(f.holder)
          ? `open it for what its mode allows: ${f.holder} gives its files their modes`
          : modemend(fact, named(f, fact.name)),
      );
    case "owner":
    case "root":
    case "dots":
    case "uid":
    case "dmdir":
      return said(f, `permission denied (${fact.why})`);
    case "kinds":
    case "union":
    case "create":
    case "device":
    case undefined:
  }
  return unsaid(f, subject(f));
}

/**
 * The words for "permission denied" without a Fact. A server never sends a Fact. So the recording is asked for the
 * mode of its file, which often forbids the call.
 */
function unsaid(f: Failing, name: string): Failure {
  const s = f.entry;
  if (f.call.name === "create" && /(^|\/)\.\.?$/.test(f.name))
    return said(f, "permission denied (dots)");
  if (f.creates && s?.isdir === true && s.mode !== null && (alllack(f, s) !== null || !mayall(s)))
    return say(entrywords(f, s, f.dir), remode(f, s, { name: f.dir, mode: s.mode | 0o200 }));
  const writes = opens(f) && (f.mode !== OREAD || f.call.name === "create");
  if (writes && (s?.isdir === true || f.isunion)) return isdirectory(f);
  if (f.conn === 0) return devicerefuses(f);
  const x = factof(f, s);
  if (x !== null) return say(modewords(x, name), modemend(x, name));
  const of = entrywords(f, s, name);
  if (of !== "") return say(of, remode(f, s, { name, mode: alllack(f, s) }));
  return say(
    `${f.holder} refuses ${f.user === "" ? "it" : f.user}: ${f.call.text}; the run has not shown the mode of ${name}`,
    `stat ${name} shows whose it is and what its mode allows`,
  );
}

/** The bits of a mode that an open asks for. */
function wants(f: Failing): number {
  if (!opens(f)) return f.call.name === "chdir" || f.call.name === "exec" ? 1 : 2;
  if (f.creates) return 2;
  return ([4, 2, 6, 1][f.mode & 3] ?? 0) | ((f.mode & OTRUNC) !== 0 ? 2 : 0);
}

/** The Fact that a server did not send: if the known mode of its file forbids the call, that mode; else null. */
function factof(f: Failing, s: Seenfile | null): Modefact | null {
  const { uid = null, gid = null, mode = null } = s ?? {};
  if (uid === null || mode === null || f.user === "") return null;
  if (!opens(f) && f.call.name !== "exec") return null;
  const m = { mode, uid, gid: gid ?? uid };
  const want = wants(f);
  if ((bitsfor(f.user, m) & want) === want) return null;
  return { why: "mode", name: f.elem, ...m, user: f.user, want };
}

/** Whether every user may write in a directory. */
const mayall = (s: Seenfile): boolean => ((s.mode ?? 0) & 0o222) === 0o222;

/** When a file's mode allows no user what was asked, the mode that would allow its owner that; else null. */
function alllack(f: Failing, s: Seenfile | null): number | null {
  const mode = s?.mode ?? null;
  const want = wants(f);
  if (mode === null || !(opens(f) || f.call.name === "exec")) return null;
  const some = [mode, mode >> 3, mode >> 6].some((bits) => (bits & want) === want);
  return some ? null : mode | (want << 6);
}

/** The call that gave a file its mode, where the run has shown that. */
const gave = (f: Failing, s: Seenfile | null): Rcall | undefined =>
  f.r.calls[f.r.events[s?.event ?? -1]?.call ?? -1];

/** Who gives a file another mode, and where; `mode` is null where it is not known which would do. */
function remode(
  f: Failing,
  s: Seenfile | null,
  { name, mode }: { readonly name: string; readonly mode: number | null },
): string {
  const by = gave(f, s);
  const made = by?.name === "create" ? ` (the user of process ${by.pid}, which made the file)` : "";
  const owner = s?.uid ?? `the owner of ${name}${made}`;
  const which = mode === null ? "another mode" : `the mode ${octal(mode)}`;
  return by === undefined
    ? `have ${owner} give ${name} ${which} by wstat or chmod`
    : `have ${callat(f.r, by)} give ${which}, or have ${owner} change the mode by wstat or chmod`;
}

/** The name of a Fact's file, whose last element is elem. The Fact of a create or remove is about the directory. */
function named(f: Failing, elem: string): string {
  if (f.shown.endsWith(`/${elem}`) || elem === "") return f.shown === "" ? "the file" : f.shown;
  const i = f.shown.lastIndexOf(`/${elem}/`);
  if (i >= 0) return f.shown.slice(0, i + elem.length + 1);
  return elem === "." ? "the root of the tree" : elem;
}

const opens = (f: Failing): boolean => f.call.name === "open" || f.call.name === "create";

function isdirectory(f: Failing): Failure {
  const name = subject(f);
  if (f.call.name === "create") return said(f, "permission denied (emptied)");
  const how = opens(f) ? `, and this asked for ${openmode(f.mode)}` : "";
  return say(
    `${name} is a directory, which is only opened for reading${how}`,
    `open it with OREAD to list it; create makes a file in it`,
  );
}

/** What is known of a file that a server guards. */
function entrywords(f: Failing, s: Seenfile | null, name: string): string {
  if (s === null || s.mode === null) return "";
  const whose = s.uid === null ? "" : ` and is ${s.uid}'s`;
  const by = gave(f, s);
  const given = by === undefined ? "" : `, which process ${by.pid} gave it by ${callat(f.r, by)}`;
  return `${f.holder} refuses ${f.user === "" ? "this" : `${f.user} this`}: ${name} has mode ${modestring(s.mode)}${whose}${given}`;
}

/** Files of the kernel that are made for one use. */
function devicerefuses(f: Failing): Failure {
  const what = /^(create|remove|open)$/.test(f.call.name) ? f.call.name : "else";
  return said(f, `permission denied (device ${what})`);
}

// Unions and mounts.

function mountpoint(f: Failing): Failure {
  const on = f.mounted === "" ? "something" : f.mounted;
  if (f.shown === "/") return say("/ is the root of this name space", "give a name below /");
  return say(
    `${on} ${/ and /.test(on) ? "are" : "is"} mounted on ${subject(f)}, and a mount point is part of the name space, not of a directory`,
    `unmount ${subject(f)} takes it off`,
  );
}

function inconsistent(f: Failing): Failure {
  const [first, second] =
    f.call.name === "bind"
      ? ["its first argument", "its second argument"]
      : ["the root of the server", "its third argument"];
  const old = f.argument2 === "" ? second : `${f.argument2} (${second})`;
  const neu = f.argument1 === "" ? first : `${f.argument1} (${first})`;
  switch (f.fact?.why) {
    case "kinds": {
      const kind = (dir: boolean): string => (dir ? "a directory" : "a file");
      return say(
        `${neu} is ${kind(f.fact.newdir)} and ${old} is ${kind(!f.fact.newdir)}`,
        `${f.call.name} ${f.fact.newdir ? "it on a directory" : "it on a file"}: give another name as ${second}`,
      );
    }
    case "union":
      return say(
        `${old} is a file, and only directories make unions`,
        `leave out MBEFORE and MAFTER: with MREPL a file replaces a file`,
      );
    case "create":
      return say(
        `${neu} was itself mounted without leave to create (MCREATE)`,
        `leave out MCREATE, or mount ${neu} with it first`,
      );
    case "device":
      return say(
        `${old} is a name in a device, and only names from / can be mounted on`,
        `give a name that begins with / as ${second}`,
      );
    default:
      return say(
        `${neu} and ${old} of ${f.call.text} are of different kinds, or only directories were to make a union`,
        `give a directory for a directory, a file for a file`,
      );
  }
}

// Files that are there, or in use.

function exists(f: Failing): Failure {
  if (f.dir === "/srv" || f.dir === "#s") return said(f, "srv file already exists");
  return say(
    `${subject(f)} is there already${f.excl ? ", and OEXCL asks for a new file" : ""}`,
    `open it instead, or remove it first${f.excl ? "; create without OEXCL opens and empties it" : ""}`,
  );
}

function notempty(f: Failing): Failure {
  const known = f.inside.length === 0 ? "" : `: ${somefmt(f.inside, SOME)}`;
  return say(
    `there ${f.inside.length === 1 ? "is" : "are"} still ${f.inside.length === 0 ? "files" : plural(f.inside.length, "file")} in ${subject(f)}${known}`,
    `remove what is in it first`,
  );
}

// Descriptors.

function badfd(f: Failing): Failure {
  const fd = f.fd;
  const other = f.call.args[1];
  if (f.call.name === "dup" && fd !== null && f.open.includes(fd))
    return say(
      `${String(other)}, the number that dup is to give, is no number of a descriptor: it is below 0, or more than a process may have`,
      "give -1 for the first that is free, or a smaller number",
    );
  if (fd !== null && fd < 0)
    return say(
      `descriptor ${fd} is none: numbers begin at 0`,
      `see that the call that was to give it did not fail; open in process ${f.call.pid} ${f.open.length === 0 ? "is none" : `are ${listfmt(f.open.map(String))}`}`,
    );
  const what = fd === null ? "the descriptor" : `descriptor ${fd}`;
  const fds = listfmt(f.open.map(String));
  const open = fds === "" ? "" : `, which has open ${fds}`;
  const by = f.closed?.pid ?? f.call.pid;
  const closed = f.closed === null ? "" : closedwords(f.r, f.closed, f.call.pid);
  return say(
    sentences(`${what} is not open in process ${f.call.pid}${open}`, closed),
    f.closed === null
      ? `use the number that open, create, dup or pipe gave in this process`
      : by !== f.call.pid
        ? `give process ${by} a table of its own: ${forkof(f, by)}; or leave that close out of process ${by}`
        : f.closed.name === "mount"
          ? "dup it before the mount, which takes the descriptor that it is given"
          : "close it later, or open the file again",
  );
}

/** What gives a process a copy of the table: a flag of the call that made it, with its line where that is known. */
function forkof({ r }: Failing, pid: number): string {
  const made = rforkof(r, pid);
  return made === undefined ? "rfork with RFFDG" : `add RFFDG to ${callat(r, made)}`;
}

/** The call that closed a descriptor: "process 4 closed descriptor 3 by close(3) in a.ts:7" */
function closedwords(r: Recording, by: Rcall, pid: number): string {
  const whose =
    by.pid === pid ? "" : `, which shares one table of descriptors with process ${pid},`;
  const was = by.file === null ? "" : `; until then that was the file ${by.file}`;
  return `process ${by.pid}${whose} closed descriptor ${String(by.args[0])} by ${callat(r, by)}${was}`;
}

function badusefd(f: Failing): Failure {
  const reads = /read|dirread/.test(f.call.name);
  const fd = f.fd === null ? "the descriptor" : `descriptor ${f.fd}`;
  const file = f.call.file === null ? "" : ` (${f.call.file})`;
  const mode = f.openmode === "" ? "for something else" : f.openmode;
  const [, dup] = /^(?:\/fd\/|#d\/)(\d+)/.exec(f.shown) ?? [];
  if (dup !== undefined)
    return say(
      `${f.shown} is descriptor ${dup} of process ${f.call.pid} once more, and that was opened for something else than ${f.call.name} needs`,
      `give the file's own name, or open descriptor ${dup} ORDWR`,
    );
  return say(
    `${fd}${file} was opened ${mode}, so it is not there to ${reads ? "read from" : f.call.name.includes("write") ? "write to" : f.call.name}`,
    reads || f.call.name.includes("write")
      ? `open the file with ${reads ? "OREAD" : "OWRITE"} or ORDWR`
      : `give the descriptor of a connection to a server, open ORDWR`,
  );
}

// Connections and the network.

function hungup(f: Failing): Failure {
  if (onpipe(f)) return said(f, "i/o on hungup channel (pipe)");
  if (f.conn === 0) return said(f, "i/o on hungup channel (device)");
  const when = f.gone === null ? "" : ` ${timefmt(f.gone)} after the start`;
  const by = (f.r.about.inject ?? []).filter((x) => x.endsWith(":hangup"));
  const who = by.length === 0 ? "" : `; --inject '${by[0] ?? ""}' breaks it`;
  return say(
    `the connection to ${f.holder} ended${when}, and its files went with it${who}`,
    f.point === ""
      ? "make the connection again"
      : `unmount ${f.point}, and mount the server there again when it is back`,
  );
}

// Time, notes and other processes.

/** The note that came, and the process that posted it: 'the note "enough" of process 4'. */
function notewords(f: Failing, note: Note): string {
  const by = note.by === 0 || note.by === f.call.pid ? "" : ` of process ${note.by}`;
  return `the note "${note.text}"${by}`;
}

function interrupted(f: Failing): Failure {
  const { call, note } = f;
  if (note === null) return said(f, "interrupted (no note)");
  const alarm = note.text === "alarm" && (note.by === 0 || note.by === call.pid);
  const came = `${notewords(f, note)} came while ${call.name} of process ${call.pid} was waiting`;
  const { why, mend } = endless(f.r, call);
  if (mend !== "")
    return say(
      sentences(came, why),
      `${mend} Without that the same call, made again, waits as this one did`,
    );
  return say(
    came,
    alarm
      ? "ask for the alarm later, or take it back with alarm(0); or make the call again"
      : "make the call again if it is still wanted; a handler (notify) decides whether the process goes on",
  );
}

function killed(f: Failing): Failure {
  const { call, note } = f;
  const what = `process ${call.pid} ended while ${call.name} was going on`;
  const by = indexof(f.r)
    .named("write", "pwrite")
    .findLast(
      (c) =>
        c.began <= (call.ended ?? 0) &&
        c.file === `/proc/${call.pid}/ctl` &&
        /^p?write\(\d+, "kill/.test(c.text),
    );
  if (by !== undefined)
    return say(
      `${what}: process ${by.pid} wrote kill to /proc/${call.pid}/ctl`,
      `leave that out, or have process ${by.pid} wait first`,
    );
  if (note === null)
    return say(what, `have process ${call.pid} end only when ${call.name} has returned`);
  return say(
    `${what}: ${notewords(f, note)} came, and no handler took it`,
    "set a handler (notify) that calls noted(NCONT), to stay alive at such a note",
  );
}

const directoryuse: Row = (f) =>
  said(f, f.call.name === "seek" ? "seek in directory" : "file is a directory (read)");

const streamseek: Row = (f) => said(f, `seek on a stream (${onpipe(f) ? "pipe" : "OSTREAM"})`);

/** Whether a call is on an end of a pipe. The pipe may have any name. */
const onpipe = (f: Failing): boolean => f.pipe || f.call.file?.startsWith("#|") === true;

/** The words for a name that begins with #, whose device lets this process not attach. */
function noattach(f: Failing): Failure {
  const { pid } = f.call;
  const isof = (c: Rcall): boolean => c.error === null && (c.pid === pid || c.value === pid);
  const name = f.name === "" ? subject(f) : f.name;
  if (name === "#")
    return say("# is no name: the letter of a device is missing", "give one, such as #p");
  const by = indexof(f.r)
    .named("rfork")
    .find((c) => /RFNOMNT/.test(c.text) && isof(c) && c.id < f.call.id);
  return say(
    by === undefined
      ? `${name} names a device by #, and that device lets no process attach so`
      : `${name} names a device by #, which ${by.text} of process ${by.pid} has given up`,
    by === undefined
      ? "use the device where it is mounted, such as /proc for #p"
      : "open it before that rfork, or leave RFNOMNT out",
  );
}

const toolarge: Row = (f) =>
  said(f, `read or write too large (${/\/note(pg)?$/.test(f.call.file ?? "") ? "note" : "file"})`);

function exited(f: Failing): Failure {
  const pid = /^\/proc\/(\d+)\//.exec(f.call.file ?? f.shown)?.[1];
  return say(
    pid === undefined
      ? `the process behind ${subject(f)} has ended, and its files with it`
      : `process ${pid} has ended, and its files in /proc with it`,
    "use them while the process lives; wait gives its status",
  );
}

/** The row of each error string, or of its beginning or end. */
const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ["file already exists", exists],
  ["does not exist", missing],
  ["directory entry not found", missing],
  ["file not found", missing],
  ["not a directory", notdir],
  ["permission denied", forbidden],
  ["not owner", forbidden],
  ["is a mount point", mountpoint],
  ["inconsistent mount", inconsistent],
  ["directory not empty", notempty],
  ["fd out of range or not open", badfd],
  ["inappropriate use of fd", badusefd],
  ["interrupted", interrupted],
  ["Killed", killed],
  ["Suicide", killed],
  ["bad arg in system call", (f) => say(...badarg(f, subject(f)))],
  ["file is a directory", directoryuse],
  ["seek on a stream", streamseek],
  ["mount/attach disallowed", noattach],
  ["read or write too large", toolarge],
  ["process exited", exited],
  ["i/o on hungup channel", hungup],
  ...Array.from(
    PLAIN.matchAll(/^(\S.*)\n\t(.*)\n\t(.*)$/gm),
    ([, text = "", why = "", mend = ""]) => [text, plain(why, mend)] as const,
  ),
]);

/** What a row says of a failure. */
const said = (f: Failing, error: string): Failure => rowof(error)(f);

/** The row of an error string; of several that fit the longest. */
function rowof(error: string): Row {
  const fit = [...ROWS.keys()].filter((text) => error.endsWith(text) || error.startsWith(text));
  const [text = ""] = fit.toSorted((a, b) => b.length - a.length);
  return ROWS.get(text) ?? own;
}
