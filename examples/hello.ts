// A first program:
//
//     npx namec run examples/hello.ts a b c
//     npx namec run --trace examples/hello.ts

import { OREAD, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys, argv: string[]): Promise<string | void> {
  await print(sys, `hello, ${argv.slice(1).join(" ") || "world"}\n`);

  // Everything has a name. Make a file, and find it again.
  await writefile(sys, "/tmp/greeting", "good morning\n");
  const d = await sys.stat("/tmp/greeting");
  await print(sys, `${d.name} has ${d.length} bytes and belongs to ${d.uid}\n`);

  // What is not there is an error, in Plan 9's words; what a program returns is its exit status.
  try {
    await sys.open("/tmp/farewell", OREAD);
  } catch (e) {
    await print(sys, `${(e as Error).message}\n`);
  }
}
