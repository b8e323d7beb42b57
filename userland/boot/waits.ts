// What the processes of a kernel wait for, as text: what is said when nothing can run any more.

import type { Booted } from "../../kernel/boot.ts";

/** Every process but the kernel's own, and the calls it sleeps in. */
export function waits(kernel: Booted): string {
  const lines: string[] = [];
  for (const p of kernel.procs.values()) {
    if (p === kernel.proc0) continue;
    const calls = [...p.coroutines()].map((co) => `\t${co.label}: ${co.on?.what ?? "ready"}`);
    lines.push(
      `${p.pid} ${p.text}`,
      ...(calls.length > 0 ? calls : ["\tno system call: a promise of its own"]),
    );
  }
  return lines.join("\n");
}
