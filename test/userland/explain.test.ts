// namec explain: what it says of names that are there, that are not, and of what else may fail.

import test from "ava";
import { Usage, parse } from "../../userland/host/command.ts";
import { explain, explaintext } from "../../userland/host/explain.ts";
import { width } from "../../userland/host/ansi.ts";
import { wrap } from "../../userland/host/help.ts";

const FAR = ["--host", "far:rtt=50ms"];

/** The explanation of calls with two machines around, in lines of 80 letters. */
function said(
  calls: string,
  options: readonly string[] = [...FAR, "--host", "mid:rtt=10ms"],
): Promise<string> {
  return explaintext(parse(explain, [...options, calls]), 80);
}

/** Its paragraphs, each in one line. */
async function paragraphs(calls: string, options?: readonly string[]): Promise<string[]> {
  return (await said(calls, options))
    .trimEnd()
    .split("\n\n")
    .map((p) => p.replaceAll("\n", " "));
}

/** The paragraph that begins so. */
async function paragraph(
  begin: string,
  calls: string,
  options?: readonly string[],
): Promise<string> {
  const list = await paragraphs(calls, options);
  return (
    list.find((p) => p.startsWith(begin)) ?? `nothing begins with ${begin}: ${list.join("\n")}`
  );
}

const THERE = `stat("/n/far/a/x") succeeds: --rw-rw-rw- glenda glenda 2 x.

/n/far is the longest name on the way that is mounted, so the rest, a/x, is up
to the server far!564 (connection 1). The walk of a/x is not sent by itself: it
goes together with the request for its entry (Tstat). The server far!564 speaks
9P2000.ix.stream, which promises order, so both share one round trip.

The server far!564 has walked a/x: it is a file, and fid 1 stands for it. The
server far!564 sends the entry: x is a file of 2 bytes, of glenda.

It cost 50.00 ms, 1 round trip, 6 messages and 164 bytes: Twalk, Tstat and
Tclunk.

The standard kernel, run beside it over 9P2000, paid 150.00 ms, 3 round trips, 6
messages and 164 bytes for the same: Twalk, Tstat and Tclunk, each waited for
before the next.
`;

const MISSING = `open("/n/far/lib/reedme", OREAD) fails: '/n/far/lib/reedme' does not exist.

The server far!564 found /n/far/lib, and there no reedme that glenda may reach.
In /n/far/lib there is readme.

What would mend it: perhaps /n/far/lib/readme was meant; else create
/n/far/lib/reedme first, or give the name of a file that is there.

/n/far is the longest name on the way that is mounted, so the rest, lib/reedme,
is up to the server far!564 (connection 1). The walk of lib/reedme is not sent
by itself: it goes together with the open (Topen). The server far!564 speaks
9P2000.ix.stream, which promises order, so both share one round trip.

The server far!564 has walked lib and no further: in it, reedme is not there or
not to be reached.

It cost 50.00 ms, 1 round trip, 4 messages and 84 bytes: Twalk and Topen.

The standard kernel, run beside it over 9P2000, paid 50.00 ms, 1 round trip, 2
messages and 52 bytes for the same: Twalk.
`;

test.serial(
  "a name that is there: the mount, the server, the cost, and what the standard kernel paid",
  async (t) => {
    t.is(await said("mkdir /n/far/a; write /n/far/a/x hi; stat /n/far/a/x"), THERE);
  },
);

test.serial(
  "a name that is not there: the element that failed, and what is there instead",
  async (t) => {
    t.is(
      await said("mkdir /n/far/lib; write /n/far/lib/readme hi; open /n/far/lib/reedme"),
      MISSING,
    );
  },
);

test.serial("a union: which member has the name, and why that one", async (t) => {
  const calls =
    "mkdir /tmp/u; bind -a /n/far /tmp/u; bind -a /n/mid /tmp/u; write /n/mid/f hi; read /tmp/u/f";
  const way = await paragraph("/tmp/u is", calls);
  t.regex(
    way,
    /a union of 3 \(\/tmp\/u of the memory tree, then the server far!564, then the server mid!564\)/,
  );
  t.regex(
    way,
    /Member 3 of the union \/tmp\/u \(the server mid!564\) has f, so it is chosen\. The 2 members before it have no f\./,
  );
  t.regex(
    await paragraph("open(", calls),
    /^open\("\/tmp\/u\/f", OREAD\) succeeds: descriptor 3\. With it went 2 times read and close\.$/,
  );
});

test.serial(
  "in a union that lets nobody create, the reason is what was not said when it was mounted",
  async (t) => {
    t.is(
      (await paragraphs("bind -a /n/far /tmp; write /tmp/f hi")).slice(1, 3).join("\n"),
      "/tmp is a union, and none of its members was bound or mounted with leave to create (MCREATE).\n" +
        "What would mend it: bind or mount a member of /tmp again with MCREATE (bind -c, mount -c), or create the file under the member's own name.",
    );
  },
);

test.serial(
  "'..' is taken out of the text in names, and walked by the server in standard",
  async (t) => {
    const calls = "mkdir /n/far/a; chdir /n/far/a; stat ../bee";
    t.regex(
      await paragraph("The name", calls),
      /^The name \.\.\/bee means \/n\/far\/bee\. \.\.\/bee does not begin with \/, so it starts from dot, \/n\/far\/a\./,
    );
    t.regex(
      await paragraph("The standard", calls),
      /paid 150\.00 ms, 3 round trips, .*: 2 Twalk and Tclunk, each waited/,
    );
  },
);

test.serial("a # name is in a device, wherever that is mounted", async (t) => {
  const list = await paragraphs("stat #s/no");
  t.is(list[1], "The directory of services has no no in #s.");
  t.regex(list.find((p) => p.startsWith("no is")) ?? "", /^no is looked up in device #s itself\./);
  t.is(list.at(-2), "It cost nothing: no server was asked.");
});

test.serial("permission denied: whose the file is and what its mode says", async (t) => {
  const calls = "create /n/far/f OWRITE 0; open /n/far/f ORDWR";
  t.deepEqual((await paragraphs(calls)).slice(1, 4), [
    "/n/far/f has mode ----------- and is glenda's own: glenda may do nothing with it, not read and write it.",
    "What would mend it: give /n/far/f the mode 0600 (read and write for the owner, nothing for others) by wstat or chmod: glenda is its owner and may do that.",
    "What is there: /n/far/f exists (----------- glenda glenda 0). glenda asked.",
  ]);
});

test.serial("a mount point is not removed: what is on it, and how it is taken off", async (t) => {
  t.is(
    (await paragraphs("remove /n/far")).slice(1, 3).join("\n"),
    "The server far!564 is mounted on /n/far, and a mount point is part of the name space, not of a directory.\n" +
      "What would mend it: unmount /n/far takes it off.",
  );
});

test.serial("a directory that is not empty: what is in it", async (t) => {
  t.regex(
    await paragraph("What is there", "mkdir /n/far/d; mkdir /n/far/d/x; remove /n/far/d"),
    /\. In it is x\.$/,
  );
});

test.serial("of the two names of a bind the one that failed is looked for", async (t) => {
  t.is(
    await paragraph("What is there", "bind /n/far/no /n/mid"),
    "What is there: /n/far is the deepest directory of the name that exists. It is empty.",
  );
});

test.serial("a server that is gone: when its connection went", async (t) => {
  const list = await paragraphs("stat /n/far/x", [...FAR, "--inject", "Tstat:hangup"]);
  t.is(list[0], `stat("/n/far/x") fails: '/n/far/x' i/o on hungup channel.`);
  t.regex(
    list.join("\n"),
    /The connection to the server far!564 ended 0 ns after the start, .*\nWhat would mend it: unmount \/n\/far, and mount the server there again/,
  );
  t.false(list.some((p) => p.startsWith("What is there")));
});

test.serial(
  "without a machine of that name, /n/NAME is nothing, and the option that makes it is said",
  async (t) => {
    const list = await paragraphs("open /n/far/x", []);
    t.true(
      list.includes("What would mend it: --host far:rtt=50ms puts a machine of that name there."),
    );
    t.is(
      list.at(-1),
      "The standard kernel, run beside it over 9P2000, sent no message for it either.",
    );
  },
);

test.serial(
  "what failed before the call is said first; asked of the standard kernel, names is run beside it",
  async (t) => {
    const list = await paragraphs("stat /n/far/no; stat /n/far", [
      ...FAR,
      "--namespace",
      "standard",
    ]);
    t.is(list[0], "Before it, this failed: stat /n/far/no: '/n/far/no' file does not exist.");
    t.regex(
      list.at(-1) ?? "",
      /^The name space `names`, run beside it, paid 50\.00 ms, 1 round trip,/,
    );
  },
);

test("calls may be given as words of their own; none is a question without sense", async (t) => {
  const text = await explaintext(
    parse(explain, ["mkdir", "/tmp/a b", ";", "stat", "/tmp/a b"]),
    80,
  );
  t.regex(text, /^stat\("\/tmp\/a b"\) succeeds: /);
  await t.throwsAsync(explaintext(parse(explain, []), 80), { instanceOf: Usage });
});

test("text is cut at spaces, and a word that is too long stays whole", (t) => {
  t.deepEqual(wrap("one two three", 8), ["one two", "three"]);
  t.deepEqual(wrap("a verylongword b", 5), ["a", "verylongword", "b"]);
  t.deepEqual(wrap("", 5), [""]);
});

test("an explanation with letters that are two columns wide has lines of so many columns", async (t) => {
  const list = ["漢字漢字", "仮名仮名", "文字文字"].map((name) => `create /tmp/${name}`);
  const text = await explaintext(parse(explain, [`${list.join("; ")}; stat /tmp/漢字漢`]), 40);
  const wide = text.split("\n").filter((l) => l.includes(" ") && width(l) > 40);
  t.true(text.includes("文字文字"));
  t.deepEqual(wide, []);
});
