// auth/newns: its command is found in /bin of the new name space, and an empty file leaves nothing.

import test from "ava";
import { answer } from "../oracles/machine.ts";

const out = async (script: string): Promise<string | undefined> =>
  (await answer({ name: "newns", script: `${script}\n`, status: "", out: "", err: "" }))?.out;

test("the command is found in /bin, where the file puts one", async (t) => {
  t.is(await out("auth/newns -n /lib/namespace echo hi"), "hi\n");
  t.is(await out("auth/newns -n /dev/null echo hi >[2]/dev/null; echo $#status"), "1\n");
});

test("-a adds to the name space there is, of this command only", async (t) => {
  const script = `mkdir /tmp/a; echo 1 > /tmp/a/one
echo bind /tmp/a /lib > /tmp/f
auth/newns -a -n /tmp/f ls /lib
ls /lib
`;
  t.is(await out(script), "/lib/one\n/lib/namespace\n");
});
