// Who is in which group: /adm/users, a line for each user or group, "id:name:leader:members". users(6)
//
// A group that has no leader is led by all its members. What a line does not have is empty; lines that are
// none, and comments, are passed over.

import { PlanError } from "../../../kernel/abi/errors.ts";
import { utfdecode } from "../../../kernel/abi/utf.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { type Files, ROOTID } from "./files.ts";
import { waited } from "./store.ts";

/** What is in /adm/users of a new disk. */
export const NEWUSERS = `adm:adm:adm:sys,glenda
none:none::
sys:sys::glenda
glenda:glenda:glenda:
`;

type Group = { readonly leader: string; readonly members: ReadonlySet<string> };

export class Users {
  readonly #groups: Map<string, Group> = new Map();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const [id = "", name = "", leader = "", members = ""] = line.replace(/#.*/, "").split(":");
      if (id === "" || name === "") continue;
      this.#groups.set(name, { leader, members: new Set(members.split(",").filter(Boolean)) });
    }
  }

  /** Whether a user is in a group. Everybody but none is in the group of their own name. */
  isin(user: string, group: string): boolean {
    if (user === "none") return false;
    if (user === group) return true;
    return this.#groups.get(group)?.members.has(user) === true;
  }

  /** Whether a user leads a group. */
  leads(user: string, group: string): boolean {
    const g = this.#groups.get(group);
    if (g === undefined || g.leader === "") return this.isin(user, group);
    return user !== "none" && user === g.leader;
  }
}

/** The users of a disk, from its /adm/users; null where there is none, or it cannot be read. */
export function* readusers(files: Files): Task<Users | null> {
  try {
    const text = yield* waited(
      files.store.run(() => {
        const adm = files.lookup(null, ROOTID, "adm");
        const id = files.lookup(null, adm, "users");
        const place = { view: null, dir: adm, id };
        return id === 0 ? null : files.read(place, files.must(place).length, 0);
      }),
    );
    return text === null ? null : new Users(utfdecode(text, 0, text.length));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return null;
  }
}
