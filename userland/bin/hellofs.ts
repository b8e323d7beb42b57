// hellofs: a file server of one's own. It posts itself as /srv/hello; mount that and look:
//
//	mount /srv/hello /n/hello; cat /n/hello/hello; echo -n glenda >/n/hello/name; cat /n/hello/hello
//
// The contents of its files are made when they are opened; what is written to name is taken.

import type { Task } from "../../syscalls/sys.ts";
import { file, post, tree } from "../lib/9p.ts";
import type { ThreadSys } from "../lib/both.ts";
import { ctime } from "../lib/ctime.ts";

export default function* hellofs(sys: ThreadSys): Task<void> {
  let name = "world";
  let opens = 0;
  const srv = tree({
    hello: () => `hello, ${name}\n`,
    name: file({ read: () => name, write: (text) => void (name = text.trim()) }),
    about: {
      opens: () => `opened ${++opens} times\n`,
      *time() {
        return `${ctime(Number((yield* sys.nsec()) / 1_000_000_000n))}\n`;
      },
    },
  });
  yield* post(sys, srv, "hello");
}
