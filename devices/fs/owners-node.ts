// Who owns files of the host: the names that go with its numbers, from /etc/passwd and /etc/group, which are
// read once. A number without a name is shown as a number.

import { closeSync, openSync, readSync } from "node:fs";
import { utfdecode } from "../../kernel/abi/utf.ts";

/** Bytes that are read of each table, and names that are kept. */
const MAXTABLE = 1 << 20;
const MAXNAMES = 16384;

/** A user of the host. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number };

/** The lines of a table of the host, as fields; none where the host has no such table. */
function table(path: string): string[][] {
  const buf = Buffer.alloc(MAXTABLE);
  let n = 0;
  try {
    const fd = openSync(path, "r");
    try {
      for (let got = -1; got !== 0 && n < MAXTABLE; n += got)
        got = readSync(fd, buf, n, MAXTABLE - n, null);
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
  const lines = utfdecode(buf, 0, n).split("\n", MAXNAMES);
  // What was cut off in its middle is no line.
  if (n === MAXTABLE) lines.pop();
  return lines.map((line) => line.split(":")).filter((f) => f.length >= 3 && f[0] !== "");
}

const ID = /^[0-9]{1,10}$/;

/** The account that the host has under a name; null where it has none. */
export function account(name: string, passwd = "/etc/passwd"): Account | null {
  for (const [who, , uid = "", gid = ""] of table(passwd))
    if (who === name && ID.test(uid) && ID.test(gid))
      return { name, uid: Number(uid), gid: Number(gid) };
  return null;
}

/** Names of users and groups by their numbers. */
export class Owners {
  readonly #users: ReadonlyMap<number, string>;
  readonly #groups: ReadonlyMap<number, string>;

  constructor(passwd = "/etc/passwd", group = "/etc/group") {
    this.#users = names(passwd);
    this.#groups = names(group);
  }

  user(uid: number): string {
    return this.#users.get(uid) ?? String(uid);
  }

  group(gid: number): string {
    return this.#groups.get(gid) ?? String(gid);
  }
}

/** The first name of each number. */
function names(path: string): ReadonlyMap<number, string> {
  const map = new Map<number, string>();
  for (const [name = "", , id = ""] of table(path))
    if (ID.test(id) && !map.has(Number(id))) map.set(Number(id), name);
  return map;
}
