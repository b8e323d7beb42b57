// The program's line of a call: where the program itself is, whatever library function made the call.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { parse } from "../../userland/host/command.ts";
import { loadprogram } from "../../userland/host/load.ts";
import { recordrun } from "../../userland/host/record.ts";
import { run } from "../../userland/host/run.ts";

const ASYNC = `import { type Sys, readtext, writefile } from "namec";
export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/tmp/a", "x");
  await deeper(sys);
}
async function deeper(sys: Sys): Promise<void> {
  await readtext(sys, "/tmp/a");
}
`;
const GENERATOR = `import { readtext, writefile } from "namec";
export default function* main(sys) {
  yield* writefile(sys, "/tmp/a", "x");
  yield* readtext(sys, "/tmp/a");
}
`;

/** The calls of a program, each with its line. */
async function lines(file: string): Promise<string[]> {
  const main = await loadprogram(file);
  const what = { main, argv: ["main"], program: file };
  const { recording } = await recordrun(parse(run, []), what, { clock: "virtual" });
  return recording.calls.map((c) => `${c.name} ${c.line?.line ?? "nowhere"}`);
}

test("every call has a line of the program, also one that a library function makes later", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "namec-place-"));
  try {
    writeFileSync(join(dir, "a.ts"), ASYNC);
    writeFileSync(join(dir, "g.ts"), GENERATOR);
    const write = ["create 3", "write 3", "close 3"];
    const read = (n: number): string[] => [`open ${n}`, `read ${n}`, `read ${n}`, `close ${n}`];
    t.deepEqual(await lines(join(dir, "a.ts")), [...write, ...read(7)]);
    t.deepEqual(await lines(join(dir, "g.ts")), [...write, ...read(4)]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
