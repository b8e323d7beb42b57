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
import { ABOUT, record } from "../kit/recorded.ts";
import type { Recording, Revent } from "../../userland/view/record/recording.ts";
import { CALLS, decision } from "../../userland/view/words/why.ts";
import { failure, put } from "../kit/kit.ts";

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
  const r = await record(
    k,
    async (sys, begin) => {
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
      begin();
      await main(sys);
    },
    { about: { ...ABOUT, namespace, hosts: [] } },
  );
  await net.shutdown();
  return r;
}

/** The decisions of the first call, a line for what and one for why. */
function said(r: Recording): string {
  const { first, last } = r.calls[0] ?? { first: 0, last: -1 };
  const lines: string[] = [];
  for (let i = first; i <= last; i++) {
    const e = r.events[i];
    // The descriptor that a call gives is seen with its return.
    if (e?.call !== 0 || e.type === "fd") continue;
    const { what, why, mend } = decision(r, i);
    lines.push(what, ...[why, mend].filter((s) => s !== "").map((s) => `    ${s}`));
    if (e.type === "return") break;
  }
  return lines.join("\n");
}

const STAT = `
Process 2 (main) calls stat("/n/far/a/b/f").
The name /n/far/a/b/f is looked up as it is.
/n/far is the longest name on the way that is mounted, so the rest, a/b/f, is up to the server far!564 (connection 1).
The walk of a/b/f is not sent by itself: it goes together with the request for its entry (Tstat).
    The server far!564 speaks 9P2000.ix.stream, which promises order, so both share one round trip.
The server far!564 is asked to walk a/b/f from its root (fid 0); where that leads is to be fid 2.
    The Tstat and Tclunk leave right behind it: far!564 speaks 9P2000.ix.stream, which promises order.
The server far!564 is asked what it knows of a/b/f (fid 2): its length, owner, mode and times.
    It leaves right behind the Twalk: far!564 speaks 9P2000.ix.stream, which promises order.
The server far!564 is told that a/b/f (fid 2) is not needed any more.
    It leaves right behind the Twalk and Tstat: far!564 speaks 9P2000.ix.stream, which promises order.
The server far!564 has walked a/b/f: it is a file, and fid 2 stands for it.
    One round trip: its request left 50.00 ms before.
The server far!564 sends the entry: f is a file of 5 bytes, of glenda.
    The same round trip as the answer before it: its request left 50.00 ms before.
The server far!564 has forgotten fid 2.
    The same round trip as the answer before it: its request left 50.00 ms before.
stat succeeds and gives --rw-rw-rw- glenda glenda 5 f.
    1 round trip in 50.00 ms: Twalk, Tstat and Tclunk went to far!564 together, since it speaks 9P2000.ix.stream, which promises order.
`;

const STANDARD = `
Process 2 (main) calls stat("/n/far/a/b/f").
Something is mounted on /: the walk steps over to the memory tree and goes on there with n/far/a/b/f.
n/far is there, walked from /, and something is mounted on it: the walk stops there.
Something is mounted on /n/far: the walk steps over to the server far!564 (connection 1) and goes on there with a/b/f.
The server far!564 is asked to walk a/b/f from its root (fid 0); where that leads is to be fid 1.
    The Tstat waits until the Rwalk has come: the standard kernel sends one request at a time.
The server far!564 has walked a/b/f: it is a file, and fid 1 stands for it.
    One round trip: its request left 50.00 ms before.
a/b/f is there, walked from /n/far.
The server far!564 is asked what it knows of a/b/f (fid 1): its length, owner, mode and times.
The server far!564 sends the entry: f is a file of 5 bytes, of glenda.
    One round trip: its request left 50.00 ms before.
The server far!564 is told that a/b/f (fid 1) is not needed any more.
    stat("/n/far/a/b/f") waits for the Rclunk, as the standard kernel waits for each answer.
The server far!564 has forgotten fid 1.
    One round trip: its request left 50.00 ms before.
stat succeeds and gives --rw-rw-rw- glenda glenda 5 f.
    3 round trips in 150.00 ms to far!564: Twalk, then Tstat, then Tclunk. The standard kernel waits for each answer before it asks for more; so the Tstat could not be sent before the Rwalk had come.
`;

const UNION = `
Process 2 (main) calls open("/u/y", OREAD).
The name /u/y is looked up as it is.
/u is the longest name on the way that is mounted, so the rest, y, is up to a union of 3 (/u of the memory tree, then the server far!564, then the server mid!564).
Members 2 and 3 of the union /u are asked for y at the same time.
    The round trips to the server far!564 and the server mid!564 overlap.
The server far!564 is asked to walk y from its root (fid 0); where that leads is to be fid 2.
    far!564 and mid!564 are asked before any has answered.
The server mid!564 is asked to walk y from its root (fid 0); where that leads is to be fid 1.
    far!564 and mid!564 are asked before any has answered.
Member 1 of the union /u (/u of the memory tree) has no y.
    Member 2 was asked at the same time, and its answer counts next.
The server far!564 refuses Twalk: "file does not exist".
    One round trip: its request left 50.00 ms before.
The server mid!564 has walked y: it is a file, and fid 1 stands for it.
    The same round trip as the answer before it: its request left 50.00 ms before.
Member 2 of the union /u (the server far!564) has no y.
    Member 3 was asked at the same time, and its answer counts next.
Member 3 of the union /u (the server mid!564) has y, so it is chosen.
    The 2 members before it have no y.
The server mid!564 is asked to open y (fid 1) for reading.
The server mid!564 has opened y (fid 1).
    One round trip: its request left 50.00 ms before.
open succeeds and gives descriptor 3.
    Descriptor 3 is /u/y, which mid!564 serves. 2 round trips in 100.00 ms: 2 Twalk to far!564 and mid!564, then Topen to mid!564. Which member of /u has y had to be known first, so the Topen could not be sent before the answer of mid!564 had come.
`;

const MISS = `
Process 2 (main) calls stat("/n/far/a/no/f").
The name /n/far/a/no/f is looked up as it is.
/n/far is the longest name on the way that is mounted, so the rest, a/no/f, is up to the server far!564 (connection 1).
The walk of a/no/f is not sent by itself: it goes together with the request for its entry (Tstat).
    The server far!564 speaks 9P2000.ix.stream, which promises order, so both share one round trip.
The server far!564 is asked to walk a/no/f from its root (fid 0); where that leads is to be fid 2.
    The Tstat and Tclunk leave right behind it: far!564 speaks 9P2000.ix.stream, which promises order.
The server far!564 is asked what it knows of a/no/f (fid 2): its length, owner, mode and times.
    It leaves right behind the Twalk: far!564 speaks 9P2000.ix.stream, which promises order.
The server far!564 is told that a/no/f (fid 2) is not needed any more.
    It leaves right behind the Twalk and Tstat: far!564 speaks 9P2000.ix.stream, which promises order.
The server far!564 has walked a and no further: in it, no is not there or not to be reached.
    One round trip: its request left 50.00 ms before.
The server far!564 refuses Tstat: "unknown fid".
    The walk before it failed, so fid 2 never came to be.
The server far!564 refuses Tclunk: "unknown fid".
    The walk before it failed, so fid 2 never came to be.
The name fails at no: does not exist.
    The server far!564 found /n/far/a, and there no no that its user may reach.
    Make the directory /n/far/a/no first: create with DMDIR, or mkdir.
stat fails: '/n/far/a/no' does not exist.
    The server far!564 found /n/far/a, and there no no that its user may reach. 1 round trip in 50.00 ms: Twalk, Tstat and Tclunk went to far!564 together, since it speaks 9P2000.ix.stream, which promises order.
    Make the directory /n/far/a/no first: create with DMDIR, or mkdir.
`;

const CREATE = `
Process 2 (main) calls create("/u/new", OWRITE, 0666).
The name /u/new is looked up as it is.
/u is the longest name on the way that is mounted, so the rest, new, is up to a union of 3 (/u of the memory tree, then the server far!564, then the server mid!564).
create looks whether new is there already.
Members 2 and 3 of the union /u are asked for new at the same time.
    The round trips to the server far!564 and the server mid!564 overlap.
The server far!564 is asked to walk new from its root (fid 0); where that leads is to be fid 2.
    far!564 and mid!564 are asked before any has answered.
The server mid!564 is asked to walk new from its root (fid 0); where that leads is to be fid 1.
    far!564 and mid!564 are asked before any has answered.
Member 1 of the union /u (/u of the memory tree) has no new.
    Member 2 was asked at the same time, and its answer counts next.
The server far!564 refuses Twalk: "file does not exist".
    One round trip: its request left 50.00 ms before.
The server mid!564 refuses Twalk: "file does not exist".
    The same round trip as the answer before it: its request left 50.00 ms before.
Member 2 of the union /u (the server far!564) has no new.
    Member 3 was asked at the same time, and its answer counts next.
Member 3 of the union /u (the server mid!564) has no new.
    Member 3 is the last of /u.
new is to be created in /u, in member 3 of that union (the server mid!564).
    Member 3 is the first that was bound or mounted with leave to create (MCREATE). /u of the memory tree and the server far!564 come before it in /u, and were bound there without MCREATE.
The server mid!564 is asked for a second handle, fid 1, on its root (fid 0).
    The Tcreate leaves right behind it: mid!564 speaks 9P2000.ix.stream, which promises order.
The server mid!564 is asked to create the file new in its root (fid 1) and open it for writing, or to open and empty the one that is there (OTRUNC).
    It leaves right behind the Twalk: mid!564 speaks 9P2000.ix.stream, which promises order.
The server mid!564 has a second handle ready, fid 1.
    One round trip: its request left 50.00 ms before.
The server mid!564 has created new, and opened it.
    The same round trip as the answer before it: its request left 50.00 ms before.
create succeeds and gives descriptor 3.
    Descriptor 3 is /u/new, which mid!564 serves. 2 round trips in 100.00 ms: 2 Twalk to far!564 and mid!564, then Twalk and Tcreate to mid!564. new is made only where it is not there, so the Twalk could not be sent before the Rerror had come.
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
        const { what, why, mend, how } = decision(r, i);
        t.not(what, "");
        for (const s of [what, why, mend, how].filter((x) => x !== "")) {
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
    "close(3) waits for the Rclunk: the server removes the file now, or takes in what was written.",
    "One round trip: its request left 50.00 ms before.",
  ]);
  t.deepEqual(await clunks(OWRITE), [
    "close(3) goes on without waiting for the Rclunk.",
    "close(3) has returned without it; its request left 50.00 ms before.",
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
        why: "",
        mend: "",
        how: "That tree is in the kernel itself: no message is needed.",
      },
    ],
  );
});

test("of every system call it is said what it is for", (t) => {
  const names = new Set(Object.values(systab).map((ent) => ent.name));
  t.deepEqual(Object.keys(CALLS).toSorted(), [...names].toSorted());
});
