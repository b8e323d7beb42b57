// namec explore as a user meets it, from the package as it is built.

import test from "ava";
import { directory, namec } from "../kit/cli.ts";

const RACE = `import { RFFDG, RFPROC, type Sys, readtext, writefile } from "namec";
async function add(sys: Sys): Promise<void> {
  await writefile(sys, "/tmp/n", String(Number(await readtext(sys, "/tmp/n")) + 1));
}
export default async function main(sys: Sys): Promise<string | void> {
  await writefile(sys, "/tmp/n", "0");
  for (let i = 0; i < 2; i++) await sys.rfork(RFPROC | RFFDG, add);
  for (let i = 0; i < 2; i++) await sys.wait();
  const n = await readtext(sys, "/tmp/n");
  if (n !== "2") return \`n is \${n}\`;
}
`;

test("explore finds the schedule in which a program fails, and --schedule shows its calls by the program's lines", async (t) => {
  const dir = directory(t, { "race.ts": RACE });
  const found = await namec(["explore", "race.ts"], "", dir);
  t.is(found.status, 1, found.err);
  t.regex(found.out, /^\d+ schedules, all there are: 2 outcomes; 1 bad exit status/);
  const schedule = /--schedule (\S+)/.exec(found.out)?.[1] ?? "none";
  const { err } = await namec(["explore", "--schedule", schedule, "race.ts"], "", dir);
  t.regex(err, /"n is [01]"/);
  t.regex(err, /create\("\/tmp\/n".* race\.ts:3\n/);
});
