// Stock sentences: reasons of a step that would fit any other. A reason has a fact of its recording: a number,
// a name, a server, a program, a message, a text in quotes.

import type { Recording } from "../../userland/view/record/recording.ts";
import { decision } from "../../userland/view/words/why.ts";

/** Words of a text that are names of files: the elements of paths. */
const elements = (text: string): string[] => text.split(/[/"\s,();]+/).filter((w) => w.length > 0);

/** The names in a recording: of files, servers, programs. */
function namesin(r: Recording): Set<string> {
  const names = new Set<string>();
  const add = (text: string | null): void => {
    for (const w of elements(text ?? "")) names.add(w);
  };
  for (const c of r.conns) {
    add(c.name);
    add(c.peer);
  }
  for (const p of r.procs) add(p.text);
  for (const c of r.calls) {
    for (const arg of c.args) if (typeof arg === "string") add(arg);
    add(c.dot);
    add(c.file);
  }
  for (const e of r.events) {
    if (e.type === "proc") add(e.text);
    if (e.type === "namec" && e.step === "walk") for (const elem of e.rest) names.add(elem);
  }
  return names;
}

/** Whether a reason has a fact in it. */
function hasfact(why: string, names: ReadonlySet<string>): boolean {
  const text = why.replace(/9P(2000)?[.a-z]*/g, "");
  if (
    /\d|"|'[^ ]*'|\/|\b[TR](version|auth|attach|flush|walk|open|create|read|write|clunk|remove|stat|wstat|stream|error)\b/.test(
      text,
    )
  )
    return true;
  return text.split(/[\s,;:().]+/).some((w) => names.has(w));
}

/** The reasons of the steps of a recording that have none. */
export function stock(r: Recording): string[] {
  const names = namesin(r);
  const list: string[] = [];
  for (const event of r.events.keys()) {
    const { why } = decision(r, event);
    if (why !== "" && !hasfact(why, names)) list.push(why);
  }
  return [...new Set(list)];
}
