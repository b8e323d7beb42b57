// Faults as text: what they say, and what is said of those that cannot be read.

import { readFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { SHORTABLE } from "../../devices/fault/faults.ts";
import { MESSAGES } from "../../kernel/abi/fcallfmt.ts";
import { Faults } from "../../devices/fault/faults.ts";
import { Rerror, Tread, Twrite } from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import { NCONT, OREAD } from "../../kernel/abi/const.ts";
import { boot } from "../../userland/boot/boot.ts";
import { injections } from "../../userland/boot/injections.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { faultfmt, faultsof, parsefault, unfired } from "../../userland/boot/inject.ts";
import { Unitserror } from "../../userland/boot/units.ts";
import { put } from "../kit/kit.ts";
import { ABOUT, record, remount } from "../kit/recorded.ts";

const ALL = { first: 1, last: Infinity, step: 1 };

test("a fault says which messages, when, of which connection, and what is done", (t) => {
  t.deepEqual(parsefault("Tread:when=3:error=i/o error"), {
    messages: ["Tread"],
    when: { first: 3, last: 3, step: 1 },
    effect: { what: "error", ename: "i/o error" },
  });
  t.deepEqual(parsefault("Rread,Rwrite:conn=far:when=2+:delay=1.5ms"), {
    messages: ["Rread", "Rwrite"],
    conn: "far",
    when: { ...ALL, first: 2 },
    effect: { what: "delay", ns: 1_500_000 },
  });
  t.deepEqual(parsefault("*:when=2..5:conn=3:drop"), {
    messages: ["*"],
    conn: 3,
    when: { first: 2, last: 5, step: 1 },
    effect: { what: "drop" },
  });
  t.deepEqual(parsefault("R*:when=2+3:hangup").when, { first: 2, last: Infinity, step: 3 });
  t.deepEqual(parsefault("T*:short=0").effect, { what: "short", bytes: 0 });
  t.deepEqual(parsefault("Tread:error=no: it=is drop:ped").effect, {
    what: "error",
    ename: "no: it=is drop:ped",
  });
});

test("a fault of calls says which calls, of which file and process", (t) => {
  t.deepEqual(parsefault("write,pwrite:path=/tmp/*:fd=3:proc=main:when=2:note=a:b"), {
    calls: ["write", "pwrite"],
    path: "/tmp/*",
    fd: 3,
    proc: "main",
    when: { first: 2, last: 2, step: 1 },
    effect: { what: "note", note: "a:b" },
  });
  t.deepEqual(parsefault("call:proc=4:kill"), {
    calls: ["call"],
    proc: 4,
    effect: { what: "kill" },
  });
});

const WRONG: Readonly<Record<string, RegExp>> = {
  "": /no message is named/,
  ":drop": /no message is named/,
  "Tread,:drop": /no message is named/,
  "Tred:drop": /there is no message 'Tred'; there are Rattach .* T\*, R\* and \*$/,
  "tread:drop": /did you mean Tread\?$/,
  Tread: /what is to happen\? error=TEXT, delay=T, drop, hangup or short=N$/,
  "Tread:drip": /unknown 'drip'/,
  "Tread:when=0:drop": /when=0: it is N, /,
  "Tread:when=:drop": /when=: it is N, /,
  "Tread:when=3..2:drop": /when=3\.\.2: /,
  "Tread:when=3+0:drop": /when=3\+0: /,
  "Tread:when=1:when=2:drop": /when is given twice/,
  "Tread:conn=:drop": /conn=: it is a connection's number/,
  "Tread:delay=5": /delay=5: it is a time, such as 50ms$/,
  "Tread:delay": /delay=: it is a time/,
  "Tread:short=-1": /short=-1: it is a number of bytes/,
  "Tread:drop=1": /drop has no value/,
  "Tread:error=": /TEXT is from 1 to 127 bytes/,
  [`Tread:error=${"é".repeat(64)}`]: /TEXT is from 1 to 127 bytes/,
  "Tread:drop:hangup": /hangup: one effect for each fault/,
  "Twalk:short=3": /a Twalk cannot be short; Tread, Twrite, /,
  "raed:kill": /there is no system call 'raed'; did you mean read\?$/,
  "sleet:kill": /there is no system call 'sleet'; /,
  "READ:drop": /there is no message 'READ'; did you mean read\?$/,
  statraw: /there is no system call 'statraw'; did you mean stat\?$/,
  "qqqqqq:kill": /there are open create .* rendezvous, and call, which is any$/,
  "read,Tread:kill": /read and Tread: messages and calls are faults of their own$/,
  "Tread,read:drop": /Tread and read: messages and calls/,
  "read:conn=far:kill": /conn is for 9P messages; for calls there are when, path, fd, proc, error=/,
  "Tread:path=/a:drop": /path is for calls; for 9P messages there are when, conn, error=/,
  "read:drop": /drop is for 9P messages/,
  "read:drip": /unknown 'drip': there are when, path, /,
  read: /what is to happen\? error=TEXT, delay=T, short=N, note=TEXT or kill$/,
  "open:short=1": /open cannot be short; read, write, pread, pwrite, sread, swrite can$/,
  "exits:error=x": /exits does not come back, so it cannot fail$/,
  "rfork:path=/a:kill": /path=\/a: rfork is about no file$/,
  "open:fd=3:kill": /fd=3: open takes no descriptor; path= names its file$/,
  "read:path=tmp:kill": /path=tmp: it is a name from the root/,
  "read:fd=x:kill": /fd=x: it is a descriptor's number/,
  "read:proc=:kill": /proc=: it is a process's number, or the name of its program$/,
  [`read:note=${"é".repeat(64)}`]: /note=TEXT: TEXT is from 1 to 126 bytes/,
};

test("what cannot be read is refused with its part and the right form", (t) => {
  for (const [text, what] of Object.entries(WRONG)) {
    const e = t.throws(() => parsefault(text), { instanceOf: Unitserror, message: what }, text);
    t.true(e.message.startsWith(`fault '${text}': `));
    t.regex(e.hint, /^(MSG\[,MSG|CALL\[,CALL)\.\.\.\]/);
  }
});

test("a fault as text is read as the same fault", (t) => {
  const number = fc.integer({ min: 1, max: 1000 });
  const when = fc.oneof(
    number.map((first) => ({ first, last: first, step: 1 })),
    fc.tuple(number, number).map(([a, b]) => ({ first: a, last: a + b, step: 1 })),
    fc.tuple(number, number).map(([first, step]) => ({ first, last: Infinity, step })),
  );
  const effect = fc.oneof(
    fc.stringMatching(/^[ -~]{1,40}$/).map((ename) => ({ what: "error" as const, ename })),
    number.map((us) => ({ what: "delay" as const, ns: us * 1000 })),
    fc.constantFrom({ what: "drop" as const }, { what: "hangup" as const }),
    number.map((bytes) => ({ what: "short" as const, bytes })),
  );
  const conn = fc.oneof(number, fc.constantFrom("far", "far!564", "/net/tcp/1/data"));
  const messages = fc.uniqueArray(fc.constantFrom(...SHORTABLE, "*", "T*"), { minLength: 1 });
  fc.assert(
    fc.property(
      fc.record({ messages, when, conn, effect }, { requiredKeys: ["messages", "effect"] }),
      (fault) => {
        t.deepEqual(parsefault(faultfmt(fault)), fault);
      },
    ),
  );
});

test("a fault of calls as text is read as the same fault", (t) => {
  const number = fc.integer({ min: 1, max: 1000 });
  const text = fc.stringMatching(/^[ -~]{1,40}$/);
  const effect = fc.oneof(
    text.map((ename) => ({ what: "error" as const, ename })),
    text.map((note) => ({ what: "note" as const, note })),
    number.map((us) => ({ what: "delay" as const, ns: us * 1000 })),
    fc.constant({ what: "kill" as const }),
    number.map((bytes) => ({ what: "short" as const, bytes })),
  );
  const parts = {
    calls: fc.uniqueArray(fc.constantFrom("read", "pwrite", "call"), { minLength: 1 }),
    when: number.map((first) => ({ first, last: first, step: 1 })),
    path: fc.constantFrom("/tmp/*", "#s/far", "*", "/"),
    fd: number,
    proc: fc.oneof(number, fc.constantFrom("main", "ls")),
    effect,
  };
  fc.assert(
    fc.property(fc.record(parts, { requiredKeys: ["calls", "effect"] }), (fault) => {
      t.deepEqual(parsefault(faultfmt(fault)), fault);
    }),
  );
});

const read = (tag: number): Fcall => ({ type: Tread, tag, fid: 0, offset: 0, count: 1 });
const HERE = { conn: 1, names: ["far!564", "far"] };

test("every fault counts what fits it, and the first whose turn it is has the message", (t) => {
  const faults = faultsof(["Tread:when=2:drop", "T*:when=2+2:hangup", "Tread:conn=2:drop"]);
  const got = [1, 2, 3, 4].map((tag) => faults.take(read(tag), HERE)?.do().what);
  t.deepEqual(got, [undefined, "drop", undefined, "hangup"]);
  t.deepEqual(
    faults.list.map((i) => [i.seen, i.done]),
    [
      [4, 1],
      [4, 1],
      [0, 0],
    ],
  );
});

test("a short count counts only what can be short", (t) => {
  const faults = faultsof(["*:when=1:short=1"]);
  t.is(faults.take({ type: MESSAGES.get("Tclunk") as 120, tag: 0, fid: 0 }, HERE), null);
  const write: Fcall = { type: Twrite, tag: 0, fid: 0, offset: 0, data: new Uint8Array(2) };
  t.is(faults.take(write, HERE)?.do().what, "short");
});

test("a fault that was never injected says so", (t) => {
  const faults = new Faults();
  faults.add(parsefault("Tread:when=3:drop"));
  faults.add(parsefault("Twrite:drop"));
  faults.add(parsefault("Tread:when=1:drop"));
  faults.add(parsefault("Tread:conn=9:drop"));
  faults.add(parsefault("call:kill"));
  faults.take(read(0), HERE)?.do();
  t.deepEqual(unfired(faults), [
    "the fault 'Tread:when=3:drop' was not injected: Tread passed once",
    "the fault 'Twrite:drop' was not injected: Twrite never passed",
    "the fault 'Tread:conn=9:drop' was not injected: Tread passed once, and 0 of these fit the fault",
    "the fault 'call:kill' was not injected: a system call was never made",
  ]);
});

test("a kernel is not booted with a fault that cannot be read", async (t) => {
  const message = /^fault 'Tread': what is to happen\?/;
  const failed: Promise<unknown> = boot({ inject: ["Tread"] });
  await t.throwsAsync(failed, { instanceOf: Unitserror, message });
});

test("every fault that the documents show can be read", (t) => {
  let n = 0;
  for (const doc of ["README.md", "docs/testing.md", "docs/exploring.md"])
    for (const [call = ""] of readFileSync(doc, "utf8").matchAll(/m\.inject\([^)]*\)/g))
      for (const [, text = ""] of call.matchAll(/"([^"]+)"/g)) {
        t.notThrows(() => parsefault(text), text);
        n++;
      }
  t.true(n >= 9);
});

test("what a recording says of its faults is what they have done", async (t) => {
  const options = [
    "Rstat:when=1:error=gone",
    "Tstat:when=2:error=no luck",
    "Rread:conn=far:delay=5ms",
    "Tread:when=2+:short=1",
    "read:when=2:short=3",
    "stat:path=/n/far/*:when=4:note=a note",
    "read:fd=9:error=never",
  ];
  const faults = new Faults();
  const net = simnet();
  const k = await net.boot("here", { files: { n: { far: {} } }, inject: faults });
  await serveramfs(await net.boot("far"), "tcp!*!9fs");
  net.link("here", "far", { rtt: "50ms" });
  const about = { ...ABOUT, inject: options };
  const r = await record(
    k,
    async (sys, begin) => {
      await remount(sys, "/n/far");
      begin();
      for (const option of options) faults.add(parsefault(option));
      await sys.notify(() => sys.noted(NCONT));
      await put(sys, "/n/far/a", "hello");
      for (let i = 0; i < 4; i++) await sys.stat("/n/far/a").catch(() => undefined);
      const fd = await sys.open("/n/far/a", OREAD);
      for (let i = 0; i < 3; i++) await sys.read(fd, new Uint8Array(8));
    },
    { about },
  );
  const met = injections(r);
  t.deepEqual(
    options.map((option) => [option, met.filter((x) => x.option === option).length]),
    options.map((option, i) => [option, faults.list[i]?.done]),
  );
  t.deepEqual(
    faults.list.map((f) => Math.min(1, f.done)),
    [1, 1, 1, 1, 1, 1, 0],
  );
  const first = met.find((x) => x.option === options[0]);
  const e = r.events[first?.event ?? -1];
  t.is(e?.type === "receive" && e.fcall.type === Rerror ? e.fcall.ename : "", "gone");
  await net.shutdown();
});
