// Two runs of a program side by side: which call stands beside which, and what it cost there.

import test from "ava";
import { MCREATE, MREPL, OREAD } from "../../kernel/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { dial } from "../../userland/lib/dial.ts";
import { compare } from "../../userland/view/compare.ts";
import { Recorder } from "../../userland/view/recorder.ts";
import type { Rcall, Recording } from "../../userland/view/recording.ts";
import { failure, put } from "../kit.ts";

/** A run of a program with a ramfs 50 ms away on /n/far, in one of the name spaces. */
async function recorded(
  namespace: "names" | "standard",
  main: (sys: Sys) => Promise<void>,
): Promise<Recording> {
  const net = simnet();
  const k = await net.boot("gnot", { files: { n: { far: {} } }, namespace });
  await serveramfs(await net.boot("far"), "tcp!*!9fs");
  net.link("gnot", "far", { rtt: "50ms" });
  const about = { program: "test", namespace, clock: "virtual", seed: 0, machine: "gnot" } as const;
  const rec = new Recorder({ about: { ...about, hosts: ["far:rtt=50ms"] } });
  const off = rec.listen(k.trace);
  const p = k.spawn(
    async (sys: Sys) => {
      await sys.mount(await dial(sys, "tcp!far!9fs"), -1, "/n/far", MREPL | MCREATE, "");
      await put(sys, "/n/far/f", "x");
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

const program = async (sys: Sys): Promise<void> => {
  await sys.stat("/n/far/f");
  await sys.stat("/tmp/../n/far/f");
  await failure(sys.open("/n/far/nothing/../f", OREAD));
};

test("each call stands beside the same of the other name space, and it is said what differs", async (t) => {
  const rows = compare(await recorded("names", program), await recorded("standard", program));
  t.deepEqual(
    rows.map(({ left, right, differs }) => [
      left?.text,
      left?.cost.trips,
      right?.cost.trips,
      differs ? right?.result : "",
    ]),
    [
      ['stat("/n/far/f")', 1, 3, ""],
      ['stat("/tmp/../n/far/f")', 1, 3, ""],
      ['open("/n/far/nothing/../f", OREAD)', 1, 1, "-1: '/n/far/nothing' file does not exist"],
    ],
  );
});

const calls = (texts: readonly string[]): Rcall[] =>
  texts.map((text, id) => {
    const now = { id, pid: 1, began: 0, ended: 0, first: id, last: id, space: 0, line: null };
    const gave = { args: [], dot: "/", result: "", value: null, error: null };
    const cost = { trips: 0, messages: 0, bytes: 0, asked: false };
    return { ...now, ...gave, cost, name: text.replace(/\(.*/, ""), text };
  });

test("a call that one of them did not make stands alone, and those behind it are found again", (t) => {
  const about = { program: "x", clock: "virtual", seed: 0, machine: "m", hosts: [] } as const;
  const of = (texts: readonly string[]): Recording => ({
    ...new Recorder({ about: { ...about, namespace: "names" } }).recording,
    calls: calls(texts),
  });
  const rows = compare(
    of(["open(a)", "read(3)", "close(3)", "stat(x)"]),
    of(["open(a)", "fstat(4)", "read(4)", "chdir(b)", "close(3)", "stat(x)", "exits()"]),
  );
  t.deepEqual(
    rows.map(({ left, right }) => `${left?.text ?? "-"} ${right?.text ?? "-"}`),
    [
      "open(a) open(a)",
      "- fstat(4)",
      "read(3) read(4)",
      "- chdir(b)",
      "close(3) close(3)",
      "stat(x) stat(x)",
      "- exits()",
    ],
  );
});
