// Decisions and their reasons: golden sentences of whole calls in both name spaces, and that there is a
// sentence for whatever happens.

import test from "ava";
import {
  DMDIR,
  MAFTER,
  MCACHE,
  MCREATE,
  MREPL,
  OEXCL,
  ORCLOSE,
  OREAD,
  OWRITE,
} from "../../kernel/abi/const.ts";
import { Rclunk, Tclunk } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { systab } from "../../syscalls/table.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { dial } from "../../userland/lib/dial.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { Recording, Revent } from "../../userland/view/record/recording.ts";
import { CALLS, decision } from "../../userland/view/words/why.ts";
import { failure, put } from "../kit.ts";

type Spaces = "names" | "standard";

/** Records a program on a machine with two ramfs 50 ms away on /n/far and /n/mid; they are a union at /u. */
async function recorded(
  namespace: Spaces,
  main: (sys: Sys) => Promise<void>,
  version = "9P2000.ix.stream",
): Promise<Recording> {
  const net = simnet();
  const files = { n: { far: {}, mid: {}, kept: {} }, u: {} };
  const k = await net.boot("here", { namespace, files });
  for (const name of ["far", "mid"]) {
    await serveramfs(await net.boot(name), "tcp!*!9fs", { version });
    net.link("here", name, { rtt: "50ms" });
  }
  const about = {
    program: "t",
    namespace,
    clock: "virtual",
    seed: 0,
    machine: "here",
    hosts: [],
  } as const;
  const rec = new Recorder({ about });
  const off = rec.listen(k.trace);
  const p = k.spawn(
    async (sys: Sys) => {
      for (const [name, flags] of [
        ["far", 0],
        ["mid", 0],
        ["kept", MCACHE],
      ] as const) {
        const addr = `tcp!${name === "kept" ? "mid" : name}!9fs`;
        await sys.mount(await dial(sys, addr), -1, `/n/${name}`, MREPL | MCREATE | flags, "");
      }
      for (const d of ["/n/far/a", "/n/far/a/b", "/n/mid/d", "/n/mid/d/e"])
        await sys.close(await sys.create(d, OREAD, DMDIR | 0o777));
      for (const f of ["/n/far/a/b/f", "/n/mid/y", "/n/mid/d/e/f"]) await put(sys, f, "hello");
      await sys.bind("/n/far", "/u", MAFTER);
      await sys.bind("/n/mid", "/u", MAFTER | MCREATE);
      // What was put off until here has been answered.
      await sys.sleep(1000);
      rec.begin();
      await main(sys);
    },
    ["main"],
  );
  await p.wait();
  off();
  if (p.crash !== undefined) throw p.crash;
  await net.shutdown();
  return rec.recording;
}

/** The decisions of the first call, a line for what and one for why. */
function said(r: Recording): string {
  const { first, last } = r.calls[0] ?? { first: 0, last: -1 };
  const lines: string[] = [];
  for (let i = first; i <= last; i++) {
    const e = r.events[i];
    // The descriptor that a call gives is seen with its return.
    if (e?.call !== 0 || e.type === "fd") continue;
    const { what, why } = decision(r, i);
    lines.push(what, `    ${why}`);
    if (e.type === "return") break;
  }
  return lines.join("\n");
}

const STAT = `
Process 2 (main) calls stat("/n/far/a/b/f").
    stat asks what is known of a file: its kind, length, owner, mode and times.
The name /n/far/a/b/f is looked up as it is.
    It begins with / and has no '.', '..' or doubled '/' in it that would have to be taken out.
/n/far is the longest name on the way that is mounted, so the rest, a/b/f, is up to the server far!564 (connection 1).
    The mount table is looked up by name; no message is needed.
The walk of a/b/f is not sent by itself: it will go together with the request for its entry (Tstat).
    The server far!564 serves requests that have one tag in order, so both share one round trip.
The server far!564 is asked to walk a/b/f from its root (fid 0); where that leads is to be fid 2.
    What needs the walk (Tstat, Tclunk) follows at once with the same tag: the server does them in order.
The server far!564 is asked what it knows of a/b/f (fid 2): its length, owner, mode and times.
    It has the tag of the request before it, so it is served after that, without waiting for an answer in between.
The server far!564 is told that a/b/f (fid 2) is not needed any more.
    It has the tag of the requests before it, so it is served after those, without waiting for an answer in between; the fid was for this exchange alone.
The server far!564 has walked a/b/f: it is a file, and fid 2 stands for it.
    That is one round trip: its request left 50.00 ms before.
The server far!564 sends the entry: f is a file of 5 bytes, of glenda.
    It shares the round trip of the answer before it: its request left 50.00 ms before.
The server far!564 has forgotten fid 2.
    Nobody has waited for this; its request left 50.00 ms before.
stat succeeds and gives --rw-rw-rw- glenda glenda 5 f.
    It took 50.00 ms: 1 round trip, 6 messages, 180 bytes.
`;

const STANDARD = `
Process 2 (main) calls stat("/n/far/a/b/f").
    stat asks what is known of a file: its kind, length, owner, mode and times.
Something is mounted on /: the walk steps over to the memory tree and goes on there with n/far/a/b/f.
    The standard kernel knows its mounts by the file that is mounted upon, so it must come to that file before it can tell.
n/far is there, walked from /, and something is mounted on it: the walk stops at that.
    Each file on the way is looked up in the mount table; what the covered directory has below it does not count.
Something is mounted on /n/far: the walk steps over to the server far!564 (connection 1) and goes on there with a/b/f.
    The standard kernel knows its mounts by the file that is mounted upon, so it must come to that file before it can tell.
The server far!564 is asked to walk a/b/f from its root (fid 0); where that leads is to be fid 1.
    The standard kernel asks for one thing at a time, and waits for each answer.
The server far!564 has walked a/b/f: it is a file, and fid 1 stands for it.
    That is one round trip: its request left 50.00 ms before.
a/b/f is there, walked from /n/far.
    The server far!564 answered with a qid, the file's identity, for each element.
The server far!564 is asked what it knows of a/b/f (fid 1): its length, owner, mode and times.
    The entry of a file is kept by its server.
The server far!564 sends the entry: f is a file of 5 bytes, of glenda.
    That is one round trip: its request left 50.00 ms before.
The server far!564 is told that a/b/f (fid 1) is not needed any more.
    The standard kernel waits for the answer, though it learns nothing from it.
The server far!564 has forgotten fid 1.
    That is one round trip: its request left 50.00 ms before.
stat succeeds and gives --rw-rw-rw- glenda glenda 5 f.
    It took 150.00 ms: 3 round trips, 6 messages, 180 bytes.
`;

const UNION = `
Process 2 (main) calls open("/u/y", OREAD).
    open makes a file ready to be read or written, and gives a number to do that by.
The name /u/y is looked up as it is.
    It begins with / and has no '.', '..' or doubled '/' in it that would have to be taken out.
/u is the longest name on the way that is mounted, so the rest, y, is up to a union of 3 (/u of the memory tree, then the server far!564, then the server mid!564).
    A union is several directories under one name, tried in order. The mount table is looked up by name; no message is needed.
Members 2 and 3 of the union are asked for y at the same time.
    Asking changes nothing, so the kernel need not wait for one answer before it asks the next: the round trips overlap.
The server far!564 is asked to walk y from its root (fid 0); where that leads is to be fid 2.
    It is one of several requests that are sent before any is answered, so that their round trips overlap.
The server mid!564 is asked to walk y from its root (fid 0); where that leads is to be fid 1.
    It is one of several requests that are sent before any is answered, so that their round trips overlap.
Member 1 of the union /u (/u of the memory tree) has no y.
    A union is tried in order: the next member is tried.
The server far!564 refuses Twalk: "file does not exist".
    The directory that was asked has no entry of that name; that is one round trip: its request left 50.00 ms before.
The server mid!564 has walked y: it is a file, and fid 1 stands for it.
    It shares the round trip of the answer before it: its request left 50.00 ms before.
Member 2 of the union /u (the server far!564) has no y.
    A union is tried in order: the next member is tried.
Member 3 of the union /u (the server mid!564) has y, so it is chosen.
    It is the first that has y; a union is tried in order.
The server mid!564 is asked to open y (fid 1) for reading.
    The walk has led to the file, and open makes it ready to be read or written.
The server mid!564 has opened y (fid 1).
    That is one round trip: its request left 50.00 ms before.
open succeeds and gives descriptor 3.
    It took 100.00 ms: 2 round trips, 6 messages, 126 bytes.
`;

const MISS = `
Process 2 (main) calls stat("/n/far/a/no/f").
    stat asks what is known of a file: its kind, length, owner, mode and times.
The name /n/far/a/no/f is looked up as it is.
    It begins with / and has no '.', '..' or doubled '/' in it that would have to be taken out.
/n/far is the longest name on the way that is mounted, so the rest, a/no/f, is up to the server far!564 (connection 1).
    The mount table is looked up by name; no message is needed.
The walk of a/no/f is not sent by itself: it will go together with the request for its entry (Tstat).
    The server far!564 serves requests that have one tag in order, so both share one round trip.
The server far!564 is asked to walk a/no/f from its root (fid 0); where that leads is to be fid 2.
    What needs the walk (Tstat, Tclunk) follows at once with the same tag: the server does them in order.
The server far!564 is asked what it knows of a/no/f (fid 2): its length, owner, mode and times.
    It has the tag of the request before it, so it is served after that, without waiting for an answer in between.
The server far!564 is told that a/no/f (fid 2) is not needed any more.
    It has the tag of the requests before it, so it is served after those, without waiting for an answer in between; the fid was for this exchange alone.
The server far!564 has walked a and no further: in it, no is not there or not to be reached.
    That is one round trip: its request left 50.00 ms before.
The server far!564 refuses Tstat: "unknown fid".
    That follows from the walk that failed: fid 2 never came to be.
The server far!564 refuses Tclunk: "unknown fid".
    That follows from the walk that failed: fid 2 never came to be.
The name fails at no: does not exist.
    The elements before it were walked; this one could not be: it is not there, or its directory may not be searched.
stat fails: '/n/far/a/no' does not exist.
    The elements before it were walked; this one could not be: it is not there, or its directory may not be searched. It took 50.00 ms: 1 round trip, 6 messages, 111 bytes.
`;

const CREATE = `
Process 2 (main) calls create("/u/new", OWRITE, 0666).
    create makes a file, or empties the one that is there, and opens it.
The name /u/new is looked up as it is.
    It begins with / and has no '.', '..' or doubled '/' in it that would have to be taken out.
/u is the longest name on the way that is mounted, so the rest, new, is up to a union of 3 (/u of the memory tree, then the server far!564, then the server mid!564).
    A union is several directories under one name, tried in order. The mount table is looked up by name; no message is needed.
First it is asked whether new is there already.
    create of a name that is there opens that file and empties it, so the kernel must know.
Members 2 and 3 of the union are asked for new at the same time.
    Asking changes nothing, so the kernel need not wait for one answer before it asks the next: the round trips overlap.
The server far!564 is asked to walk new from its root (fid 0); where that leads is to be fid 2.
    It is one of several requests that are sent before any is answered, so that their round trips overlap.
The server mid!564 is asked to walk new from its root (fid 0); where that leads is to be fid 1.
    It is one of several requests that are sent before any is answered, so that their round trips overlap.
Member 1 of the union /u (/u of the memory tree) has no new.
    A union is tried in order: the next member is tried.
The server far!564 refuses Twalk: "file does not exist".
    The directory that was asked has no entry of that name; that is one round trip: its request left 50.00 ms before.
The server mid!564 refuses Twalk: "file does not exist".
    The directory that was asked has no entry of that name; it shares the round trip of the answer before it: its request left 50.00 ms before.
Member 2 of the union /u (the server far!564) has no new.
    A union is tried in order: the next member is tried.
Member 3 of the union /u (the server mid!564) has no new.
    A union is tried in order: no member is left.
new is created in /u, in member 3 of that union (the server mid!564).
    It is the first member that was mounted with leave to create (MCREATE, bind -c).
The server mid!564 is asked for a second handle, fid 1, on its root (fid 0).
    What needs the walk (Tcreate) follows at once with the same tag: the server does them in order.
The server mid!564 is asked to create the file new in its root (fid 1) and open it for writing, or to open and empty the one that is there.
    It has the tag of the request before it, so it is served after that, without waiting for an answer in between.
The server mid!564 has a second handle ready, fid 1.
    That is one round trip: its request left 50.00 ms before.
The server mid!564 has created new, and opened it.
    It shares the round trip of the answer before it: its request left 50.00 ms before.
create succeeds and gives descriptor 3.
    It took 100.00 ms: 2 round trips, 8 messages, 171 bytes.
`;

test("names: the mount is found by name, and walk and stat share one round trip", async (t) => {
  const r = await recorded("names", async (sys) => void (await sys.stat("/n/far/a/b/f")));
  t.is(`\n${said(r)}\n`, STAT);
});

test("standard: the walk goes from mount point to mount point, and every request is waited for", async (t) => {
  const r = await recorded("standard", async (sys) => void (await sys.stat("/n/far/a/b/f")));
  t.is(`\n${said(r)}\n`, STANDARD);
});

test("a union: all servers are asked at once, and the first member that has the name wins", async (t) => {
  const r = await recorded("names", async (sys) => void (await sys.open("/u/y", OREAD)));
  t.is(`\n${said(r)}\n`, UNION);
});

test("a walk that ends too early says where, and what follows from it", async (t) => {
  const r = await recorded("names", async (sys) => void (await failure(sys.stat("/n/far/a/no/f"))));
  t.is(`\n${said(r)}\n`, MISS);
});

test("create in a union: it is looked for first, and made in the first member that lets one", async (t) => {
  const r = await recorded(
    "names",
    async (sys) => void (await sys.create("/u/new", OWRITE, 0o666)),
  );
  t.is(`\n${said(r)}\n`, CREATE);
});

/** Much of what can happen to a name. */
async function much(sys: Sys): Promise<void> {
  await sys.stat("/n/far/a/b/f");
  await failure(sys.open("/n/far/a/no/f", OREAD));
  await failure(sys.stat("/n/far/a/b/f/g"));
  await sys.close(await sys.open("/u/y", OREAD));
  await failure(sys.stat("/u/nope"));
  await sys.close(await sys.create("/u/new", OWRITE, 0o666));
  await failure(sys.create("/u/new", OWRITE | OEXCL, 0o666));
  await sys.close(await sys.create("/n/far/new", OWRITE, 0o666));
  await sys.chdir("/n/far/a");
  await failure(sys.stat("../x"));
  await sys.stat("b/f");
  await failure(sys.remove("/n/far"));
  await failure(sys.remove("/n/far/a/"));
  await sys.wstat("/n/far/new", { name: "old" });
  await failure(sys.open("#s/no", OREAD));
  await failure(sys.open("", OREAD));
  await sys.stat("/n/kept/d/e/f");
  await sys.stat("/n/kept/d/e/f");
  const fd = await sys.open("/n", OREAD);
  while ((await sys.read(fd, new Uint8Array(8192))) > 0);
  await sys.bind("/n/far/a", "/n/mid/d", MREPL);
  await failure(sys.open("/n/mid/d/b/f", OREAD));
  await failure(sys.bind("/n/far/zz", "/n/mid", MREPL));
  await sys.unmount(null, "/n/mid/d");
}

for (const namespace of ["names", "standard"] as const)
  for (const version of ["9P2000", "9P2000.ix.stream"])
    test(`${namespace}, ${version}: whatever happens has a sentence and a reason`, async (t) => {
      const r = await recorded(namespace, much, version);
      t.true(r.events.length > 200);
      for (let i = 0; i < r.events.length; i++) {
        const { what, why } = decision(r, i);
        for (const s of [what, why]) {
          t.regex(s, /^[A-Z/#".a-z0-9].*[.?]$/s);
          t.notRegex(s, /undefined|NaN|null \(|\[object|: ?\.$|  |\.\.$/);
        }
      }
      t.is(decision(r, r.events.length).what, "Nothing has happened yet.");
    });

test("the fid of a file that is removed when it is closed is waited for; others are nobody's business", async (t) => {
  const clunks = async (mode: number): Promise<string[]> => {
    const r = await recorded("names", async (sys) => {
      await sys.close(await sys.create("/n/far/tmp", mode, 0o666));
      await sys.sleep(1000);
    });
    const of = (e: Revent): boolean =>
      "fcall" in e && (e.fcall.type === Tclunk || e.fcall.type === Rclunk);
    return r.events.flatMap((e, i) => (of(e) && e.call === 1 ? [decision(r, i).why] : []));
  };
  t.deepEqual(await clunks(OWRITE | ORCLOSE), [
    "The close waits for the answer, since the server does more here than forget a number.",
    "That is one round trip: its request left 50.00 ms before.",
  ]);
  t.deepEqual(await clunks(OWRITE), [
    "The server may forget it; nobody waits for the answer.",
    "Nobody has waited for this; its request left 50.00 ms before.",
  ]);
});

test("a walk in the kernel's own tree is not taken for a server's, though one has just answered", async (t) => {
  const r = await recorded("names", async (sys) => void (await sys.bind("/n/far/a", "/n", MAFTER)));
  const local = r.events.flatMap((e, i) => (e.type === "namec" && e.step === "walk" ? [i] : []));
  t.deepEqual(
    local.map((i) => decision(r, i)),
    [
      {
        what: "n is there, walked from #R.",
        why: "This tree is in the kernel itself, so no message is needed.",
      },
    ],
  );
});

test("of every system call it is said what it is for", (t) => {
  const names = new Set(Object.values(systab).map((ent) => ent.name));
  t.deepEqual(Object.keys(CALLS).toSorted(), [...names].toSorted());
});
