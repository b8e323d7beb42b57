// A first program. Try it with --trace:  npx namec run --trace examples/hello.ts a b c
import { OREAD, OWRITE, type Sys } from "namec";

const text = new TextEncoder();

export default async function main(sys: Sys, argv: string[]): Promise<string | void> {
  await sys.write(1, text.encode(`hello, ${argv.slice(1).join(" ") || "world"}\n`));

  // Everything has a name: make a file, write it, find it again.
  const fd = await sys.create("/tmp/greeting", OWRITE, 0o644);
  await sys.write(fd, text.encode("hello"));
  await sys.close(fd);
  const dir = await sys.stat("/tmp/greeting");
  await sys.write(
    1,
    text.encode(`${dir.name} has ${dir.length} bytes and belongs to ${dir.uid}\n`),
  );

  // And what has no name is an error, in Plan 9's words.
  try {
    await sys.open("/tmp/farewell", OREAD);
  } catch (e) {
    await sys.write(1, text.encode(`${(e as Error).message}\n`));
  }
}
