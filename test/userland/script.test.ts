// Calls typed as words: what they make of themselves, and what is said of those that are none.

import test from "ava";
import type { Booted } from "../../kernel/boot.ts";
import { Usage } from "../../userland/host/command.ts";
import { errorof, isscript, statements } from "../../userland/host/script.ts";
import { cat, put, run, within } from "../kit/kit.ts";
import type { Sys } from "../../syscalls/sys.ts";

const calls = (text: string): string[] =>
  statements(text).map((s) => `${s.verb} ${s.names.at(-1) ?? ""}`);

test("calls are cut at each ; outside quotes, and quoted as in rc", (t) => {
  t.deepEqual(calls("mkdir /a; write /a/x 'one; two' ;stat '/a/it''s'"), [
    "mkdir /a",
    "write /a/x",
    "stat /a/it's",
  ]);
  t.deepEqual(calls("bind -bc /a /b\nunmount /b"), ["bind /b", "unmount /b"]);
});

test("what is no call names the word and the right form", (t) => {
  const said = (text: string): string => {
    const e = t.throws(() => statements(text), { instanceOf: Usage });
    return `${e.message}: ${e.hint}`;
  };
  t.is(said("opne /a"), "there is no call opne: did you mean open NAME [MODE]?");
  t.regex(
    said("fork"),
    /^there is no call fork: there are stat, .*; other system calls need a program: namec step/,
  );
  t.is(said("stat"), "'stat' is no stat: it is written stat NAME");
  t.regex(said("stat /a; open /a OREED"), /^OREED: OREED is no mode of open: there are OREAD, /);
  t.is(said("create /a OWRITE 9"), "9 is no permission: three octal digits, such as 644 or 0755");
  t.regex(said("bind -ab /a /b"), /it is written bind \[-abcC\] NEW OLD$/);
  t.regex(said("wstat /a colour red"), /there is no colour to change: there are name, uid/);
  t.regex(said("stat 'a"), /^a quote is open in stat 'a/);
  t.is(said(" ; "), "no call is given: such as 'stat /n/far/a/b/c'");
  t.regex(said("sleep long"), /^sleep: bad time 'long'/);
});

test("a word with a space is calls, a file name is a program", (t) => {
  t.true(isscript("stat /a"));
  t.true(isscript("opne /a"));
  t.false(isscript("prog.ts"));
  t.false(isscript("my prog.ts"));
  t.false(isscript("ls"));
});

/** Makes each call, whatever became of the one before; gives what the last one failed with. */
async function script(k: Booted, text: string): Promise<string> {
  const p = await run(k, async (sys: Sys) => {
    let status = "";
    for (const s of statements(text)) status = await errorof(s, sys);
    return status;
  });
  return p.status;
}

test(
  "calls are made in order, and the error of the last is the status",
  within(async (t, k) => {
    t.is(await script(k, "mkdir /tmp/d; write /tmp/d/f 'hello, world'; bind -c /tmp/d /usr"), "");
    t.is(await script(k, "stat /nope; chdir /tmp/d; rename f g; stat g"), "");
    t.is(await script(k, "read /tmp/d/g; mkdir /tmp/d"), "'/tmp/d' file already exists");
    t.is(await script(k, "wstat /tmp/d/g mode 600; remove /tmp/d/h"), "'/tmp/d/h' does not exist");
    await run(k, async (sys: Sys) => {
      await put(sys, "/tmp/x", "");
      t.is(await cat(sys, "/tmp/d/g"), "hello, world");
      t.is((await sys.stat("/tmp/d/g")).mode & 0o777, 0o600);
    });
  }),
);
