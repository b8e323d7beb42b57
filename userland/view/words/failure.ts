// Failures explained: why a call failed, from what the recording shows of it, and what would mend it. Each
// error string of Plan 9 has its row; a string of a server that is none of them is given as the server's own.
// Pure: a Recording is read, and what was asked after the run where that was done.

import { OREAD, OTRUNC } from "../../../kernel/abi/const.ts";
import type { Fact } from "../../../kernel/abi/errors.ts";
import { modestring } from "../../../kernel/abi/modes.ts";
import type { Seenfile } from "../record/seen.ts";
import { openmode } from "./callfmt.ts";
import { failing } from "./failing.ts";
import type { Failing, Probe } from "./failing.ts";
import { capital, listfmt, sentences, somefmt } from "./sentence.ts";
import { plural, timefmt } from "./stepfmt.ts";
import type { Rcall, Recording } from "../record/recording.ts";

/** Why a call failed, and what would mend it. */
export type Failure = { readonly why: string; readonly mend: string };

type Row = (f: Failing) => Failure;

/** How many names of a directory are listed. */
const SOME = 6;

/** What would mend it says what to do, so it begins with a verb: "create it" → "Create it." */
const say = (why: string, mend: string): Failure => ({
  why: sentences(why),
  mend: sentences(/^[a-z]+ /.test(mend) ? capital(mend) : mend),
});

/** What a call is about: its file, its descriptor, or the call itself. */
function subject(f: Failing): string {
  if (f.shown !== "") return f.shown;
  if (f.fd !== null) return `descriptor ${f.fd}${f.call.file === null ? "" : ` (${f.call.file})`}`;
  return `${f.call.text} of process ${f.call.pid}`;
}

/** A row that needs no more than what the call is about ("$S") and who holds that ("$H"). */
const plain =
  (why: string, mend: string): Row =>
  (f) => {
    const fill = (s: string): string => s.replaceAll("$S", subject(f)).replaceAll("$H", f.holder);
    return say(fill(capital(why)), fill(mend));
  };

/** Why a call of a recording failed; `asked` is what was asked about its name after the run. */
export function failureof(r: Recording, call: Rcall, asked: Probe | null = null): Failure {
  const f = failing(r, call, asked);
  const injected = spoilt(f);
  if (injected !== null) return injected;
  const row = ROWS.find(([text]) => f.error.endsWith(text) || f.error.startsWith(text));
  return row?.[1](f) ?? own(f);
}

/** What a server's own words are worth: they are repeated, and the server is named. */
function own(f: Failing): Failure {
  return say(
    `${f.holder} says so in its own words: "${f.error}"`,
    f.conn > 0 ? `The manual of ${f.holder} says what it means by that` : "",
  );
}

/** A fault that was put in on purpose. */
function spoilt(f: Failing): Failure | null {
  const option = (f.r.about.inject ?? []).find((text) => text.endsWith(`error=${f.error}`));
  if (option === undefined || f.conn === 0) return null;
  return say(
    `The answer was made up: --inject '${option}' puts it in the place of the server's`,
    "The call works without that --inject",
  );
}

// Names that are missing.

/** A directory on the way that may not be searched hides what is in it. */
function unsearched(f: Failing, x: Fact & { readonly why: "mode" }): Failure {
  const name = named(f, x.name);
  return say(
    `${modewords(x, name)}. To execute a directory is to search it for a name`,
    modemend(x, name),
  );
}

function missing(f: Failing): Failure {
  if (f.fact?.why === "mode") return unsearched(f, f.fact);
  const { dir } = f;
  if (f.name === "")
    return say(
      `${subject(f)} was removed, or ${f.holder} does not have it any more`,
      "create the file again, and open that",
    );
  const known =
    f.names.length === 0
      ? ""
      : `In ${dir} there ${f.names.length === 1 ? "is" : "are"} ${somefmt(f.names, SOME)}`;
  return say(sentences(nothing(f), known), missingmend(f));
}

/** Where an element is missing. */
function nothing(f: Failing): string {
  const { elem, dir, members } = f;
  if (members > 1) return `None of the ${members} members of the union ${dir} has ${elem}`;
  if (f.partial && f.conn > 0)
    return `${f.holder} found ${dir}, and there no ${elem} that ${f.user === "" ? "its user" : f.user} may reach`;
  return `${f.holder} has no ${elem} in ${dir}`;
}

function missingmend(f: Failing): string {
  const { elem, dir, shown, call } = f;
  const machine = /^\/n\/([A-Za-z][\w.-]*)$/.exec(shown)?.[1];
  if (machine !== undefined && !f.r.about.hosts.some((h) => h.split(":")[0] === machine))
    return `--host ${machine}:rtt=50ms puts a machine of that name there`;
  const or = (text: string): string =>
    f.meant === null ? text : `perhaps ${f.meant} was meant; else ${text}`;
  if (dir === "/srv" || dir === "#s")
    return or(`a server posts itself as ${shown} first; ls /srv shows what is posted`);
  if (dir === "/proc" || dir === "#p")
    return or(`process ${elem} has ended, or its number is another`);
  if (dir === "/env" || dir === "#e")
    return or(`the variable ${elem} is set first: create ${shown} and write its value`);
  if (f.deeper || call.name === "create")
    return or(`make the directory ${shown} first: create with DMDIR, or mkdir`);
  if (call.name === "exec") return or(`bind the directory with the program on ${dir}`);
  if (f.argument !== "") return or(`make ${shown} first: ${f.argument} must name what is there`);
  return or(`create ${shown} first, or give the name of a file that is there`);
}

/** A file stands where a directory is needed. */
function notdir(f: Failing): Failure {
  const { shown, elem, call, name } = f;
  const rest = name.startsWith(`${shown}/`) ? name.slice(shown.length + 1).replace(/\/+$/, "") : "";
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

// Leave.

const LETTERS: readonly (readonly [bit: number, verb: string])[] = [
  [4, "read"],
  [2, "write"],
  [1, "execute"],
];

const verbs = (bits: number): string =>
  listfmt(LETTERS.filter(([bit]) => (bits & bit) !== 0).map(([, verb]) => verb));

/** The bits of a mode that count for a user. */
function bitsfor(user: string, m: { mode: number; uid: string; gid: string }): number {
  let bits = m.mode & 7;
  if (user === m.gid) bits |= (m.mode >> 3) & 7;
  if (user === m.uid) bits |= (m.mode >> 6) & 7;
  return bits;
}

const octal = (mode: number): string => `0${(mode & 0o777).toString(8)}`;

/** "f has mode --r--r--r-- and is bootes's: glenda may read it, not write it" */
function modewords(x: Fact & { readonly why: "mode" }, name: string): string {
  const may = bitsfor(x.user, x);
  const some = may === 0 ? "may do nothing with it" : `may ${verbs(may)} it`;
  const whose = x.uid === x.user ? `${x.uid}'s own` : `${x.uid}'s (group ${x.gid})`;
  return `${name} has mode ${modestring(x.mode)} and is ${whose}: ${x.user} ${some}, not ${verbs(x.want & ~may)} it`;
}

function modemend(x: Fact & { readonly why: "mode" }, name: string): string {
  const shift = x.user === x.uid ? 6 : x.user === x.gid ? 3 : 0;
  const mode = octal(x.mode | (x.want << shift));
  return x.user === x.uid
    ? `give ${name} the mode ${mode} (wstat, chmod): ${x.uid} is its owner and may do that`
    : `have ${x.uid}, its owner, give ${name} the mode ${mode} (wstat, chmod)`;
}

function forbidden(f: Failing): Failure {
  const { fact } = f;
  const name = subject(f);
  switch (fact?.why) {
    case "directory":
      return isdirectory(f);
    case "mode":
      return say(modewords(fact, named(f, fact.name)), modemend(fact, named(f, fact.name)));
    case "owner":
      return say(
        `${name} is ${fact.uid}'s, and only its owner changes its mode, group and times; ${fact.user} asked`,
        `have ${fact.uid} do it`,
      );
    case "root":
      return say(
        `${name} is the root of a tree, which is neither removed nor renamed`,
        `give the name of a file below ${name}`,
      );
    case "dots":
      return say(
        `each directory has "." and ".." already, and ${name} would be one more`,
        "give another name",
      );
    case "uid":
      return say(
        `a wstat gives no file another owner, so ${name} keeps its own`,
        "make the file as the user whose it is to be",
      );
    case "dmdir":
      return say(
        `the kind of ${name} cannot be changed, and DMDIR in its mode is its kind`,
        `leave DMDIR in the mode as stat ${name} gives it`,
      );
    case "kinds":
    case "union":
    case "create":
    case "device":
    case undefined:
  }
  const s = f.entry;
  if (s?.isdir === true && opens(f) && f.mode !== OREAD) return isdirectory(f);
  if (f.conn === 0) return devicerefuses(f);
  const x = factof(f, s);
  if (x !== null) return say(modewords(x, name), modemend(x, name));
  const of = entrywords(f, s, name);
  return say(
    of === ""
      ? `${f.holder} refuses ${f.user === "" ? "this" : `${f.user} this`}, and a 9P error does not say what forbids it`
      : of,
    of === ""
      ? `stat ${name} shows whose it is and what its mode allows`
      : `have the owner of ${name} change its mode (wstat, chmod)`,
  );
}

/** The bits of a mode that an open asks for. */
function wants(f: Failing): number {
  if (!opens(f)) return f.call.name === "chdir" ? 1 : 2;
  return ([4, 2, 6, 1][f.mode & 3] ?? 0) | ((f.mode & OTRUNC) !== 0 ? 2 : 0);
}

/** What a server has not said, from what is known of the file, where that forbids what was asked. */
function factof(f: Failing, s: Seenfile | null): (Fact & { readonly why: "mode" }) | null {
  const { uid = null, gid = null, mode = null } = s ?? {};
  if (uid === null || mode === null || f.user === "" || !opens(f)) return null;
  const m = { mode, uid, gid: gid ?? uid };
  const want = wants(f);
  if ((bitsfor(f.user, m) & want) === want) return null;
  return { why: "mode", name: f.elem, ...m, user: f.user, want };
}

/** The fact's file: a directory where what is in it is made or removed. */
function named(f: Failing, elem: string): string {
  if (f.shown.endsWith(`/${elem}`) || elem === "") return f.shown === "" ? "the file" : f.shown;
  const i = f.shown.lastIndexOf(`/${elem}/`);
  return i < 0
    ? elem === "."
      ? "the root of the tree"
      : elem
    : f.shown.slice(0, i + elem.length + 1);
}

const opens = (f: Failing): boolean => f.call.name === "open" || f.call.name === "create";

function isdirectory(f: Failing): Failure {
  const name = subject(f);
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
  return `${f.holder} refuses ${f.user === "" ? "this" : `${f.user} this`}: ${name} has mode ${modestring(s.mode)}${whose}`;
}

/** Files of the kernel that are made for one use. */
function devicerefuses(f: Failing): Failure {
  const how = opens(f)
    ? `opened ${openmode(f.mode)}`
    : f.call.name === "create"
      ? "made"
      : "changed so";
  return say(
    `${subject(f)} is in ${f.holder}, which does not let it be ${how}`,
    `its manual page says what its files take: man 3`,
  );
}

// Unions and mounts.

function nocreate(f: Failing): Failure {
  const { dir } = f;
  return say(
    `${dir} is a union, and none of its members was mounted with leave to create (MCREATE)`,
    `bind or mount a member of ${dir} again with MCREATE (bind -c, mount -c), or create the file under the member's own name`,
  );
}

function mountpoint(f: Failing): Failure {
  const on = f.mounted === "" ? "something" : f.mounted;
  return say(
    `${on} is mounted on ${subject(f)}, and a mount point is part of the name space, not of a directory`,
    `unmount ${subject(f)} takes it off`,
  );
}

function inconsistent(f: Failing): Failure {
  const [first, second] =
    f.call.name === "bind"
      ? ["its first argument", "its second"]
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

function notmounted(f: Failing): Failure {
  const old = f.argument2 === "" ? subject(f) : f.argument2;
  return say(
    `nothing is mounted on ${old} in this name space`,
    `cat /proc/${f.call.pid}/ns lists what is mounted, and where`,
  );
}

function notinunion(f: Failing): Failure {
  return say(
    `${f.argument1 === "" ? "what is to be taken off" : f.argument1} is none of the members of ${f.argument2}`,
    `cat /proc/${f.call.pid}/ns lists the members; unmount without a first name takes all of them off`,
  );
}

// Files that are there, or in use.

function exists(f: Failing): Failure {
  if (f.dir === "/srv" || f.dir === "#s") return srvexists(f);
  return say(
    `${subject(f)} is there already${f.excl ? ", and OEXCL asks for a new file" : ""}`,
    `open it instead, or remove it first${f.excl ? "; create without OEXCL opens and empties it" : ""}`,
  );
}

function srvexists(f: Failing): Failure {
  return say(
    `A server is posted as ${subject(f)} already`,
    `remove ${subject(f)}, or post it under another name`,
  );
}

function renamed(f: Failing): Failure {
  return say(
    `the directory of ${subject(f)} has a file of the new name already`,
    `remove that file first, or give another name`,
  );
}

function notempty(f: Failing): Failure {
  const known = f.inside.length === 0 ? "" : `: ${somefmt(f.inside, SOME)}`;
  return say(
    `there ${f.inside.length === 1 ? "is" : "are"} still ${f.inside.length === 0 ? "files" : plural(f.inside.length, "file")} in ${subject(f)}${known}`,
    `remove what is in it first`,
  );
}

function exclusive(f: Failing): Failure {
  return say(
    `${subject(f)} is of exclusive use (DMEXCL): one descriptor at a time may have it open, and another does`,
    `open it when that descriptor is closed`,
  );
}

// Descriptors.

function badfd(f: Failing): Failure {
  const fd = f.fd;
  const what = fd === null ? "the descriptor" : `descriptor ${fd}`;
  const open = f.open.length === 0 ? "" : `; open there: ${listfmt(f.open.map(String))}`;
  const closed = f.closed === "" ? "" : `: it was closed by ${f.closed}`;
  return say(
    `${what} is not open in process ${f.call.pid}${closed}${open}`,
    f.closed === ""
      ? `use the number that open, create, dup or pipe gave in this process`
      : `close it later, or open the file again`,
  );
}

function badusefd(f: Failing): Failure {
  const reads = /read|dirread/.test(f.call.name);
  const fd = f.fd === null ? "the descriptor" : `descriptor ${f.fd}`;
  const file = f.call.file === null ? "" : ` (${f.call.file})`;
  const mode = f.openmode === "" ? "for something else" : f.openmode;
  return say(
    `${fd}${file} was opened ${mode}, so it is not there to ${reads ? "read from" : f.call.name.includes("write") ? "write to" : f.call.name}`,
    reads || f.call.name.includes("write")
      ? `open the file with ${reads ? "OREAD" : "OWRITE"} or ORDWR`
      : `give a descriptor that is open for that`,
  );
}

// Connections and the network.

function hungup(f: Failing): Failure {
  if (f.call.file?.startsWith("#|") === true)
    return say(
      `No process holds the other end of the pipe ${f.call.file ?? ""} open any more`,
      `keep the reader's end open while there is something to write`,
    );
  if (f.conn === 0)
    return say(
      `the other end of the connection under ${subject(f)} has closed it, or the link is cut`,
      "make the connection again",
    );
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
function notewords(f: Failing, note: NonNullable<Failing["note"]>): string {
  const by = note.by === 0 || note.by === f.call.pid ? "" : ` of process ${note.by}`;
  return `the note "${note.text}"${by}`;
}

function interrupted(f: Failing): Failure {
  const { call, note } = f;
  if (note === null)
    return say(
      `process ${call.pid} was interrupted in ${call.name}: what had asked for it was given up`,
      "make the call again if it is still wanted",
    );
  return say(
    `${notewords(f, note)} came while ${call.name} of process ${call.pid} was waiting`,
    "make the call again if it is still wanted; a handler (notify) decides what a note does",
  );
}

function killed(f: Failing): Failure {
  const { call, note } = f;
  const what = `process ${call.pid} ended while ${call.name} was going on`;
  if (note === null)
    return say(what, `have process ${call.pid} end only when ${call.name} has returned`);
  return say(
    `${what}: ${notewords(f, note)} came, and no handler took it`,
    "set a handler (notify) that calls noted(NCONT), to stay alive at such a note",
  );
}

function nochild(f: Failing): Failure {
  return say(
    `process ${f.call.pid} has no child that lives, and none whose end it has not been told of`,
    "make a child first: rfork with RFPROC, and without RFNOWAIT",
  );
}

/** What is said of each error string; of a string that ends with another the longer one first. */
const ROWS: readonly (readonly [ending: string, row: Row])[] = [
  // Names.
  [
    "dns: name does not exist",
    plain(
      "the network of $S has no machine of that name",
      "give a machine that is there; --host NAME:rtt=50ms makes one",
    ),
  ],
  ["srv file already exists", srvexists],
  ["file already exists", exists],
  ["file exists", renamed],
  ["does not exist", missing],
  ["directory entry not found", missing],
  ["file not found", missing],
  ["not a directory", notdir],
  ["mounted directory forbids creation", nocreate],
  [
    "create without DMDIR",
    plain(
      "$S ends in '/' or is dot, so only a directory can be made of that name",
      "leave out the '/' to make a file, or give DMDIR (mkdir) to make a directory",
    ),
  ],
  ["permission denied", forbidden],
  ["not owner", forbidden],
  [
    "can't change owner",
    plain(
      "$H gives no file another owner, $S neither",
      "make the file as the user whose it is to be",
    ),
  ],
  ["is a mount point", mountpoint],
  ["inconsistent mount", inconsistent],
  ["not mounted", notmounted],
  ["not in union", notinunion],
  ["directory not empty", notempty],
  ["exclusive use file already open", exclusive],
  [
    "cannot exec directory",
    plain("$S is a directory, and exec needs a program's file", "give a program in $S"),
  ],
  [
    "exec header invalid",
    plain(
      "$S is a file, but no program of this kernel, and it begins with no #! of a script",
      "give the file of a program, or begin the script with #!/bin/rc",
    ),
  ],
  [
    "empty file name",
    plain(
      'the name is "", and a name has at least one letter',
      "give '.' for the directory that the process is in",
    ),
  ],
  [
    "bad character in file name",
    plain("$S has a control character in it", "leave out the control characters"),
  ],
  [
    "name too long",
    plain("$S has an element that no directory entry has room for", "give shorter names"),
  ],
  [
    "file name syntax",
    plain(
      "$S is no name for $H: it is too long, or has a '/' or a letter that a file may not have",
      "give a shorter name of plain letters",
    ),
  ],
  [
    "unknown device in # filename",
    plain("this kernel has no device of the character in $S", "cat /dev/drivers lists the devices"),
  ],
  [
    "mount/attach disallowed",
    plain(
      "$S names a device by #, which this process may not, or which no process may",
      "use the device where it is mounted, such as /proc for #p",
    ),
  ],
  [
    "bad attach specifier",
    plain(
      "$H has no tree of the name that $S asks for",
      "leave the specifier out, or give one that the server has",
    ),
  ],
  // Descriptors and data.
  ["fd out of range or not open", badfd],
  ["inappropriate use of fd", badusefd],
  [
    "no free file descriptors",
    plain(
      "process has as many descriptors open as it may, at $S",
      "close descriptors that are not needed any more",
    ),
  ],
  [
    "seek in directory",
    plain(
      "$S is a directory, of which only the beginning can be sought",
      "seek to 0 and read it again",
    ),
  ],
  [
    "seek on a stream",
    plain(
      "$S is a stream (OSTREAM), which is read or written from its begin to its end",
      "open it without OSTREAM to seek",
    ),
  ],
  [
    "negative i/o offset",
    plain("the place asked for in $S is before its first byte", "give an offset of 0 or more"),
  ],
  [
    "i/o count too small",
    plain(
      "the buffer for $S has no room for one whole entry",
      "give a buffer of at least 8192 bytes",
    ),
  ],
  [
    "stat buffer too small",
    plain("the buffer has no room for the entry of $S", "give a bigger buffer"),
  ],
  [
    "malformed stat buffer",
    plain(
      "the bytes given for $S are no directory entry",
      "make them with convD2M, or give wstat the fields by name",
    ),
  ],
  [
    "read or write too large",
    plain(
      "$S would get longer than a file may be, or more is asked for than one call moves",
      "move less at once",
    ),
  ],
  [
    "read or write too small",
    plain(
      "$S moves whole records only, and less was asked for",
      "read or write at least one record",
    ),
  ],
  [
    "short write",
    plain(
      "$H took fewer bytes for $S than it was sent",
      "write the rest again from where it stopped",
    ),
  ],
  [
    "file is a directory",
    plain(
      "$S is a directory, and its contents are its files",
      "create a file in it and write to that",
    ),
  ],
  [
    "file system full",
    plain("$H has no room left for $S", "remove files there, or boot it with more room"),
  ],
  [
    "i/o error",
    plain(
      "$H could not read or write the medium of $S",
      "look at the server's own messages; the data may be lost",
    ),
  ],
  [
    "already open",
    plain("$S may be open only once at a time", "close the descriptor that has it open"),
  ],
  [
    "device shut down",
    plain(
      "$H has closed $S, or nothing is behind that name yet",
      "start what serves it, then make the call again",
    ),
  ],
  [
    "device or object already in use",
    plain(
      "$S is in use by another process, and has one user at a time",
      "wait until that process has closed it",
    ),
  ],
  [
    "bad arg in system call",
    plain(
      "$S: an argument has a value that this call does not take",
      "the call's manual page lists the values",
    ),
  ],
  // Processes and notes.
  ["interrupted", interrupted],
  ["Killed", killed],
  ["Suicide", killed],
  [
    "process exited",
    plain(
      "the process behind $S has ended, and its files with it",
      "read /proc/n while process n lives; wait gives its status",
    ),
  ],
  ["no living children", nochild],
  [
    "note not posted",
    plain(
      "the process of $S has as many notes waiting as it may",
      "post the note again when one was handled",
    ),
  ],
  [
    "call to noted() when not notified",
    plain("$S: no note is being handled", "call noted only in the handler that notify has set"),
  ],
  [
    "no free environment resources",
    plain("the environment of $S is full", "remove variables, or make them shorter"),
  ],
  [
    "bad process or channel control request",
    plain("$S takes no such control message", "proc(3) lists what a ctl file takes"),
  ],
  ["profile is off", plain("No profile of $S is made", "write profile to its ctl file first")],
  // Devices.
  [
    "posted fd has remove-on-close or close-on-exec",
    plain(
      "$S would be removed or closed by itself, so it is no descriptor to post",
      "open it without ORCLOSE and OCEXEC",
    ),
  ],
  [
    "cannot post auth file in srv",
    plain(
      "$S is an authentication file, which is one user's own",
      "post the connection, not the file of its proof",
    ),
  ],
  [
    "invalid capability",
    plain(
      "$S was given a capability that was not made, or was used already",
      "have /dev/caphash told of it first",
    ),
  ],
  ["bad time control", plain("$S was given what is no time", "cons(3) says what it takes")],
  ["empty control message", plain("$S was written nothing", "write one control message")],
  [
    "unknown control message",
    plain("$S knows no such control message", "its manual page lists them"),
  ],
  ["unknown control request", plain("$S knows no such control message", "ip(3) lists them")],
  [
    "short control request",
    plain("$S was written nothing", "write one control message; ip(3) lists them"),
  ],
  [
    "wrong #args in control message",
    plain(
      "$S was given too many or too few words for that control message",
      "its manual page says how many",
    ),
  ],
  [
    "jmk added reentrancy for threads",
    plain("$S is a file of which a process reads nothing", "read another file of that directory"),
  ],
  // The network and 9P.
  ["i/o on hungup channel", hungup],
  [
    "connection refused",
    plain(
      "the machine is there, but no process announces the address of $S",
      "start the server there first: it announces tcp!*!PORT",
    ),
  ],
  [
    "connection timed out",
    plain(
      "No answer came to the call of $S: the machine is away, or the link is cut",
      "see that the machine is up and its link is whole, then dial again",
    ),
  ],
  [
    "no route",
    plain(
      "No link leads from this machine to the one that $S names",
      "--host NAME:rtt=50ms makes a machine with a link to this one",
    ),
  ],
  [
    "can't translate service",
    plain("$S names a service that has no port number", "give the port's number: tcp!host!564"),
  ],
  ["no port specified", plain("$S names a machine and no port", "give both: tcp!host!564")],
  ["bad network address", plain("$S is no address", "an address is net!host!port: tcp!host!564")],
  ["malformed address", plain("$S is no address", "an address is net!host!port: tcp!host!564")],
  [
    "not a local IP address",
    plain(
      "$S names an address that is another machine's",
      "announce on *, or on an address of this machine",
    ),
  ],
  [
    "bad args to announce",
    plain("$S was given no address to announce", "write announce and the port: announce 564"),
  ],
  [
    "bad args to connect",
    plain(
      "$S was given no address to connect to",
      "write connect and the address: connect 10.0.0.2!564",
    ),
  ],
  [
    "address in use",
    plain(
      "Another process announces the address of $S",
      "announce another port, or end that process",
    ),
  ],
  [
    "connection in use",
    plain("$S is connected already", "open clone again for another connection"),
  ],
  [
    "not connected",
    plain("$S is a conversation that was not connected yet", "write connect to its ctl file first"),
  ],
  [
    "not announced",
    plain("$S listens only after an announce", "write announce to its ctl file first"),
  ],
  [
    "listen hungup",
    plain("$S: the announcement was ended while the call waited for a caller", "announce again"),
  ],
  [
    "no free devices",
    plain(
      "$S has as many conversations as there may be",
      "close conversations that are not needed any more",
    ),
  ],
  [
    "bad iounit in version call",
    plain(
      "$S: the message size is too small for one 9P message",
      "give an msize of at least 256 bytes, or 0 for the kernel's own",
    ),
  ],
  [
    "bad 9P version specification",
    plain("$S: both ends speak no version in common", "ask for 9P2000"),
  ],
  [
    "bad fversion conversion on reply",
    plain("what came back from $S is no Rversion", "see that a 9P server is at the other end"),
  ],
  [
    "EOF receiving fversion reply",
    plain(
      "the other end of $S was closed before it said its version",
      "see that a 9P server is at the other end",
    ),
  ],
  [
    "mount rpc error",
    plain(
      "$H answered with a message that does not fit the request for $S",
      "the server breaks the protocol: intro(5)",
    ),
  ],
  [
    "duplicate tag",
    plain("$H was asked twice under one tag for $S", "the client breaks the protocol: intro(5)"),
  ],
  [
    "unknown fid",
    plain(
      "$H does not know the number that the request names the file by",
      "the walk that was to make that number failed; its answer says why",
    ),
  ],
];
