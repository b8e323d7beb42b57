// Permissions and qids as people read them: %M, and what ls -q prints.

import { DMAPPEND, DMAUTH, DMDIR, DMEXCL, DMTMP } from "./const.ts";
import type { Qid } from "./dir.ts";

const BITS = ["---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"] as const;

/** The mode as ls -l prints it: "d-rwxrwxr-x". */
export function modestring(mode: number): string {
  const first =
    (mode & DMDIR) !== 0 ? "d" : (mode & DMAPPEND) !== 0 ? "a" : (mode & DMAUTH) !== 0 ? "A" : "-";
  const second = (mode & DMEXCL) !== 0 ? "l" : (mode & DMTMP) !== 0 ? "t" : "-";
  const bits = (shift: number): string => BITS[(mode >> shift) & 7] ?? "";
  return `${first}${second}${bits(6)}${bits(3)}${bits(0)}`;
}

/** A qid as ls -q prints it: "(0000000000000001 2 80)". */
export function qidstring(q: Qid): string {
  return `(${q.path.toString(16).padStart(16, "0")} ${q.vers} ${q.type.toString(16).padStart(2, "0")})`;
}
