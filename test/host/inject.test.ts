// --inject as a user meets it: over real TCP, with the reports that follow.

import test from "ava";
import { directory, namec, serving } from "../kit/cli.ts";

const READER = `import { type Sys, print, readtext, writefile } from "namec";
export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/far/f", "hello\\n");
  const began = await sys.nsec();
  await print(sys, await readtext(sys, "/n/far/f"));
  await print(sys, String((await sys.nsec()) - began));
}
`;

test("a delay passes in virtual time, also where a real server answers", async (t) => {
  const { addr } = await serving(t, ["ramfs"]);
  const dir = directory(t, { "reader.ts": READER });
  for (const [fault, out] of [
    ["Tread:delay=1h", "hello\n7200000000000"],
    ["Rread:when=2:delay=1s", "hello\n1000000000"],
  ] as const)
    t.deepEqual(
      await namec(
        ["run", "--virtual", "--mount", addr, "/n/far", "--inject", fault, "reader.ts"],
        "",
        dir,
      ),
      { status: 0, signal: null, out, err: "" },
    );
});

test("what was injected is what the program fails with; a server that is left hears the hang-up", async (t) => {
  const { addr } = await serving(t, ["ramfs"]);
  const dir = directory(t, { "reader.ts": READER });
  const mount = ["run", "--mount", addr, "/n/far", "--inject"];
  const failed = await namec([...mount, "Tread:error=no luck", "reader.ts"], "", dir);
  t.like(failed, { status: 1, out: "" });
  t.regex(failed.err, /^reader: no luck \(read\)\n/);
  const hungup = await namec([...mount, "Rread:hangup", "reader.ts"], "", dir);
  t.like(hungup, { status: 1, out: "" });
  t.regex(hungup.err, /^reader: i\/o on hungup channel \(read\)\n/);
  t.is((await namec([...mount, "Tread:short=2", "reader.ts"], "", dir)).out.slice(0, 6), "hello\n");
});

test("a fault that cannot be read, and one that never was, are told; a loss is a deadlock", async (t) => {
  const dir = directory(t, { "reader.ts": READER });
  const far = ["run", "--virtual", "--host", "far:rtt=50ms", "--inject"];
  const bad = await namec([...far, "Tread:drip", "reader.ts"], "", dir);
  t.is(bad.status, 2);
  t.regex(bad.err, /^namec run: --inject: fault 'Tread:drip': unknown 'drip': .*\n {4}MSG\[/);
  const idle = await namec([...far, "Tread:when=9:drop", "reader.ts"], "", dir);
  t.is(idle.status, 0);
  t.is(idle.err, "namec: the fault 'Tread:when=9:drop' was not injected: Tread passed 2 times\n");
  const lost = await namec([...far, "Topen:drop", "reader.ts"], "", dir);
  t.is(lost.status, 1);
  t.regex(lost.err, /^namec: nothing can run any more[^]*\topen: 9P reply/);
});

const BROKEN = `import { type Srv, type Sys, postmount, readtext } from "namec";
const srv: Srv<number> = {
  attach: () => 0,
  qid: (n) => ({ path: BigInt(n), vers: 0, type: n === 0 ? 0x80 : 0 }),
  stat: () => { throw new RangeError("no stat"); },
  walk1: (_dir, name) => (name === "x" ? 1 : null),
  open: () => undefined,
  read: () => { throw new TypeError("my fault"); },
};
export default async function main(sys: Sys): Promise<void> {
  await postmount(sys, () => srv, { mtpt: "/tmp" });
  await readtext(sys, "/tmp/x");
}
`;

test("faults of system calls are done to run and step alike; what a callback threw is on stderr", async (t) => {
  const dir = directory(t, { "reader.ts": READER, "broken.ts": BROKEN });
  const far = ["--host", "far:rtt=50ms", "--inject"];
  const full = await namec(
    ["run", "--virtual", ...far, "write:path=/n/far/*:error=file system full", "reader.ts"],
    "",
    dir,
  );
  t.like(full, { status: 1, out: "" });
  t.regex(full.err, /^reader: file system full \(write\)\n/);
  const stepped = await namec(
    ["step", "--print", "--by", "failure", ...far, "create:when=1:error=no room", "reader.ts"],
    "",
    dir,
  );
  t.regex(stepped.out, /create\("\/n\/far\/f", OWRITE.*\) = -1: no room/);
  const bad = await namec(["run", "--inject", "raed:short=1", "reader.ts"], "", dir);
  t.is(bad.status, 2);
  t.regex(
    bad.err,
    /^namec run: --inject: fault 'raed:short=1': .* did you mean read\?\n {4}CALL\[/,
  );
  const broken = await namec(["run", "broken.ts"], "", dir);
  t.is(broken.status, 1);
  t.regex(
    broken.err,
    /a connection ended by a fault: TypeError: my fault\n +at .*read \(.*broken\.ts:8:\d+\)\n/,
  );
});
