// The host's user that a server acts as: the user who started it or, if that is root, another one. A server changes
// its user after it has loaded its modules and opened its ports, and cannot change back.

import { account } from "../../devices/fs/owners-node.ts";
import type { Account } from "../../devices/fs/owners-node.ts";
import { userInfo } from "node:os";
import { Usage } from "./command.ts";

/** The user that a server acts as if root started it, unless --as names one. */
const NOBODY = "nobody";

/** The user of this process; a user whom the host has no name for is named by the number. */
function myself(): Account {
  try {
    const { username, uid, gid } = userInfo();
    return { name: username, uid, gid };
  } catch {
    const uid = process.getuid?.() ?? -1;
    return { name: String(uid), uid, gid: process.getgid?.() ?? -1 };
  }
}

/** The user that a server is to act as; name is what --as says. */
export function actor(name?: string): Account {
  const mine = myself();
  if (mine.uid !== 0) {
    if (name === undefined || name === mine.name) return mine;
    throw new Usage(`--as ${name}: only root can serve as another user`);
  }
  const found = account(name ?? NOBODY);
  if (found === null)
    throw new Usage(
      name === undefined
        ? `started by root, and this machine has no user ${NOBODY}`
        : `--as ${name}: this machine has no such user`,
      "--as NAME takes a user of /etc/passwd",
    );
  return found;
}

/** Node's process has initgroups where the host does, but its types lack it. */
type Groups = { initgroups?(user: string, gid: number): void };

/** Makes this process act as that user, with that user's groups; it must be root's to change anything. */
export function become(who: Account): void {
  if (process.getuid?.() !== 0 || who.uid === 0) return;
  // Requests that went through io_uring would keep the rights of root.
  if ((process.env["UV_USE_IO_URING"] ?? "0") !== "0")
    throw new Usage("UV_USE_IO_URING is set, which keeps the rights of root", "unset it");
  const host: NodeJS.Process & Groups = process;
  host.initgroups?.(who.name, who.gid);
  process.setgid?.(who.gid);
  process.setuid?.(who.uid);
  if (process.getuid() !== who.uid || process.getgid?.() !== who.gid)
    throw new Error(`this process is not ${who.name}`);
}
