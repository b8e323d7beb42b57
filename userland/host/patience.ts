// What the terminal is told while a server is silent: after a second in which nothing ran, what is waited for.
// The person decides then whether to wait or to press Ctrl-C.

import type { Booted } from "../../kernel/boot.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { visible } from "../view/words/text.ts";

/** Nothing may run for so many looks, so many ms apart, before something is said: a second. */
const LOOKS = 4;
const EVERY = 250;

/** What a process sleeps on that a server, or the network, has to end. */
const OUTSIDE: ReadonlySet<string> = new Set([
  "9P reply",
  "network dial",
  "room on the connection",
]);

/** A program that reads from the network may wait as long as it likes, but not these calls. */
const READ = "network read";
const MOUNTING: ReadonlySet<string> = new Set(["mount", "fversion"]);

/** Watches a kernel until the result is called; says once for each silence what it waits for. */
export function patience(kernel: Booted): () => void {
  if (kernel.clock.virtual || !process.stderr.isTTY) return () => undefined;
  let last = -1;
  let quiet = 0;
  const timer = setInterval(() => {
    const { resumed } = kernel.sched;
    quiet = resumed === last ? quiet + 1 : 0;
    last = resumed;
    if (quiet !== LOOKS) return;
    const text = silence(kernel);
    if (text !== "") process.stderr.write(`namec: ${visible(text, "\n\t")}\n`);
  }, EVERY).unref();
  return () => clearInterval(timer);
}

/** What processes wait for outside of the kernel, and which servers owe answers; "" where there is neither. */
export function silence(kernel: Booted): string {
  const lines: string[] = [];
  const owing = [...kernel.conns].filter((c) => c.tags().length > 0).map((c) => c.server);
  for (const p of kernel.procs.values()) {
    if (p === kernel.proc0) continue;
    for (const co of p.coroutines()) {
      const what = co.on?.what ?? "";
      const doing = co.doing ?? co.label;
      const mounting = what === READ && MOUNTING.has(doing);
      if (mounting) owing.push(...peers(p));
      if (mounting || OUTSIDE.has(what)) lines.push(`\t${p.text} in ${doing}: ${what}`);
    }
  }
  if (lines.length === 0) return "";
  const whom = owing.length === 0 ? "" : ` from ${owing.join(", ")}`;
  return `nothing has come${whom} for a second (Ctrl-C ends it)\n${lines.join("\n")}`;
}

/** Who is at the other ends of the connections that a process has open. */
function peers(p: Proc): string[] {
  const all = p.fgrp.fd.map((c) => (c === null ? null : c.dev.peer(c)));
  return [...new Set(all.filter((peer) => peer !== null))];
}
