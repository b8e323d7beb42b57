// Twalk: by the server's walk, or name by name with its walk1.

import { Enonexist, Enotdir, PlanError, error } from "../../../kernel/abi/errors.ts";
import { Rwalk, type Rmsg } from "../../../kernel/abi/fcall.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { andthen, istask } from "./answer.ts";
import { Ecloneopen } from "./errors.ts";
import { checkname } from "./name.ts";
import { rerror, unknownfid } from "./out.ts";
import type { Msg, Session } from "./session.ts";
import { type Answer, Fid, NOTOPEN } from "./srv.ts";

/** Walks, and makes newfid only if that came all the way. */
export function walk<A>(s: Session<A>, f: Msg<"Twalk">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  if (fid.omode !== NOTOPEN) error(Ecloneopen);
  if (f.newfid !== f.fid) s.fids.mustbefree(f.newfid);
  const { wname } = f;
  for (const name of wname) checkname(name, s.conn.shares.limits.elem);
  if (wname.length > 0 && s.srv.walk !== undefined)
    return andthen(s.srv.walk(fid, wname), (files) => walked(s, f, fid, files));
  const files: A[] = [];
  let at = fid.aux;
  for (const name of wname) {
    const next = step(s, fid, { at, name, first: files.length === 0 });
    if (istask(next)) return walkon(s, f, fid, { files, next });
    if (next === null) break;
    files.push(next);
    at = next;
  }
  return walked(s, f, fid, files);
}

/** A walk under way: the files that it has passed, and the step that takes time. */
type Walking<A> = { readonly files: A[]; readonly next: Task<A | null> };

/** The rest of a walk, from a step that takes time. */
function* walkon<A>(
  s: Session<A>,
  f: Msg<"Twalk">,
  fid: Fid<A>,
  { files, next }: Walking<A>,
): Task<Rmsg> {
  let found: A | null = null;
  try {
    found = yield* next;
    while (found !== null) {
      files.push(found);
      const name = f.wname[files.length];
      if (name === undefined) break;
      const a = step(s, fid, { at: found, name, first: false });
      found = istask(a) ? yield* a : a;
    }
  } catch (error_) {
    if (files.length === 0 || !(error_ instanceof PlanError)) throw error_;
  }
  return walked(s, f, fid, files);
}

/** One name of a walk, and the file that it is walked from. */
type Element<A> = { readonly at: A; readonly name: string; readonly first: boolean };

/** One name of a walk. What fails behind the first name only makes the walk shorter. */
function step<A>(s: Session<A>, fid: Fid<A>, { at, name, first }: Element<A>): Answer<A | null> {
  try {
    if (!s.isdir(at)) return error(Enotdir);
    if (name === ".") return at;
    return s.srv.walk1 === undefined ? null : s.srv.walk1(at, name, fid);
  } catch (error_) {
    if (first || !(error_ instanceof PlanError)) throw error_;
    return null;
  }
}

function walked<A>(s: Session<A>, f: Msg<"Twalk">, fid: Fid<A>, files: readonly A[]): Rmsg {
  const n = f.wname.length;
  if (n > 0 && files.length === 0) return rerror(f.tag, Enonexist); // common, and a throw is dear
  if (files.length >= n) {
    const aux = n === 0 ? fid.aux : (files[n - 1] as A);
    if (f.newfid !== f.fid) s.addfid(new Fid(f.newfid, fid.uid, aux));
    else if (fid.life !== "live" || fid.omode !== NOTOPEN) error(Ecloneopen);
    else s.fids.become(fid, aux);
  }
  return { type: Rwalk, tag: f.tag, wqid: files.slice(0, n).map((file) => s.srv.qid(file)) };
}
