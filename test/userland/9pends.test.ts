// How things end in the 9P server library: each fid once, each handle that an open gave once, whatever
// requests are under way, in whatever order they are answered. Clients and servers are chosen by fast-check,
// which prints the seed and the path of a failure; NINEP_SEED and NINEP_PATH make it again.

import test from "ava";
import type { ExecutionContext } from "ava";
import fc from "fast-check";
import { NOFID, ORCLOSE, OREAD } from "../../kernel/abi/const.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import * as F from "../../kernel/abi/fcall.ts";
import {
  attach,
  clunk,
  create,
  flush,
  open,
  read,
  remove,
  stat,
  stream,
  version,
  walk,
  write,
} from "../kit/msg.ts";
import { Reluctant } from "../kit/reluctant.ts";
import { Rig, chance } from "../kit/rig.ts";
import { pack } from "../kit/frames.ts";

const RUNS = Number(process.env["NINEP_RUNS"] ?? 1500);
const SEED = process.env["NINEP_SEED"];
const PATH = process.env["NINEP_PATH"];

const fid = fc.nat(3);
const tag = fc.integer({ min: 1, max: 4 });
const mode = fc.constantFrom(OREAD, 2, ORCLOSE, ORCLOSE | 1);

/** Requests that are about the ends of fids: few fids, few tags, so that they meet. */
const request: fc.Arbitrary<Tmsg> = fc.oneof(
  fc.tuple(fid, fid, tag).map(([a, b, t]) => walk(a, b, "f", t)),
  fc.tuple(fid, fid, tag).map(([a, b, t]) => walk(a, b, "", t)),
  fc.tuple(fid, mode, tag).map(([a, m, t]) => open(a, m, t)),
  fc.tuple(fid, mode, tag).map(([a, m, t]) => create(a, "g", m, t)),
  fc.tuple(fid, tag).map(([a, t]) => read(a, t)),
  fc.tuple(fid, tag).map(([a, t]) => stream(a, t, 0, 300)),
  fc.tuple(fid, tag).map(([a, t]) => write(a, "text", t)),
  fc.tuple(fid, tag).map(([a, t]) => stat(a, t)),
  fc.tuple(fid, tag).map(([a, t]) => clunk(a, t)),
  fc.tuple(fid, tag).map(([a, t]) => remove(a, t)),
  tag.map((t) => flush(t)),
  fid.map((a): Tmsg => ({ type: F.Tattach, tag: 5, fid: a, afid: NOFID, uname: "x", aname: "" })),
);

/** What a client does: requests, turns for the server's slow callbacks, a new session. */
type Act = { readonly send: readonly Tmsg[] } | { readonly pass: number } | "version";

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.array(request, { minLength: 1, maxLength: 4 }).map((send) => ({ send })),
    },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }).map((pass) => ({ pass })) },
    { weight: 1, arbitrary: fc.constant("version" as const) },
  ),
  { maxLength: 30, size: "max" },
);

const cases = fc.record({
  seed: fc.nat(),
  best: fc.constantFrom("9P2000", "9P2000.ix", "9P2000.ix.stream"),
  faults: fc.constantFrom(0, 0, 0, 40),
  acts,
});
type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

/** A conversation from its Tversion to the end of all its threads; throws where something ended wrongly. */
function converse(c: Case): void {
  const pick = chance(c.seed);
  const rig = new Rig(pick);
  const srv = new Reluctant(rig, pick);
  srv.faults = c.faults;
  rig.serve(srv);
  rig.send(pack(version(c.best), attach()));
  rig.run();
  for (const act of c.acts) {
    if (act === "version") rig.send(pack(version(c.best), attach()));
    else if ("pass" in act) srv.pass(act.pass);
    else rig.send(pack(...act.send));
    if (pick(3) > 0) rig.run();
  }
  rig.send(null);
  for (let n = 0; n < 1000 && (rig.threads > 0 || n === 0); n++) {
    rig.run();
    srv.pass(1 + pick(4));
  }
  const left = [
    ...srv.wrong,
    ...(rig.threads > 0 ? [`${rig.threads} threads are left`] : []),
    ...(srv.open_.size > 0 ? [`${srv.open_.size} handles are left open`] : []),
    ...(rig.closed.join() === "0,1" ? [] : [`descriptors closed: ${rig.closed.join()}`]),
  ];
  if (left.length > 0) throw new Error(left.join("; "));
}

function holds(t: ExecutionContext, property: (c: Case) => void): void {
  const result = fc.check(fc.property(cases, property), {
    numRuns: RUNS,
    ...(SEED !== undefined && { seed: Number(SEED) }),
    ...(PATH !== undefined && { path: PATH }),
  });
  const { counterexample, errorInstance } = result;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  const at = `NINEP_SEED=${result.seed} NINEP_PATH=${result.counterexamplePath}`;
  if (result.failed) t.fail(`${at}\n${why}\n${JSON.stringify(counterexample)}`);
  else t.pass();
}

test("each fid ends once, when nothing uses it any more, and each handle is closed once", (t) => {
  holds(t, converse);
});
