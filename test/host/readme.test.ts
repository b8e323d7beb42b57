// The commands of the README that need sockets: servers and what is run against them, and the tour.

import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import test from "ava";
import type { ExecutionContext } from "ava";
import { matches, networked, npmhas, output, scripts, words, workplace } from "../kit/readme.ts";
import type { Script } from "../kit/readme.ts";
import { Run } from "../kit/cli.ts";

/** A port that nobody has, in place of each one that the README names. */
async function ports(commands: readonly string[]): Promise<string[]> {
  const named = new Map<string, string>();
  for (const command of commands)
    for (const [port] of command.matchAll(/(?<=!)\d+(?=')/g)) named.set(port, await freeport());
  return commands.map((c) => c.replace(/(?<=!)\d+(?=')/g, (port) => named.get(port) ?? port));
}

async function freeport(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

async function play(t: ExecutionContext, { commands, says }: Script): Promise<void> {
  const dir = workplace(t);
  let said = "";
  for (const command of await ports(commands)) {
    if (command.startsWith("npm ")) t.true(npmhas(command));
    // The tree is installed, and its tests run: this is one of them.
    if (command === "npm install" || command === "npm test") continue;
    if (!command.endsWith("&")) {
      said += output(t, dir, command);
      continue;
    }
    const server = new Run(words(command.slice(0, -1).trim()).slice(1), dir);
    t.teardown(() => void server.child.kill("SIGKILL"));
    await server.saying(/^serving \w+ on/m);
  }
  if (says !== null) matches(t, said, says);
}

for (const script of scripts())
  if (networked(script)) test(`README: ${script.commands.join("; ")}`, play, script);
