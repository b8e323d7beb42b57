// What is said while a server is silent.

import test from "ava";
import { OREAD } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { silence } from "../../userland/host/patience.ts";
import { Fake } from "../kit/fake.ts";
import { run, within } from "../kit/kit.ts";

test(
  "the call that waits for a server is named, and the server; nothing is said of other waits",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const fake = await Fake.mount(sys, "/n", { version: "9P2000.ix" });
      t.is(silence(k), "");
      const held: F.Tmsg[] = [];
      fake.lie = (m) => {
        held.push(m);
        return [];
      };
      const opened = sys.open("/n/f", OREAD).catch(() => -1);
      await sys.sleep(1);
      t.is(
        silence(k),
        "nothing has come from #|/data1 for a second (Ctrl-C ends it)\n\tmain in open: 9P reply",
      );
      fake.lie = () => null;
      for (const m of held) await fake.say(fake.truth(m));
      t.true((await opened) >= 0);
      t.is(silence(k), "");
    });
  }),
);
