// What the README shows is true. Commands that need sockets are run by test/host/readme.test.ts.

import test from "ava";
import { matches, networked, npmhas, output, scripts, workplace } from "./kit/readme.ts";

for (const script of scripts()) {
  if (networked(script)) continue;
  const [first = ""] = script.commands;
  test(`README: ${script.commands.join("; ")}`, (t) => {
    if (first.startsWith("npm ")) {
      for (const command of script.commands) t.true(npmhas(command), command);
      return;
    }
    const dir = workplace(t);
    const said = script.commands.map((command) => output(t, dir, command)).join("");
    if (script.says !== null) matches(t, said, script.says);
  });
}
