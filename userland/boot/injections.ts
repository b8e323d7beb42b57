// What --inject did to the messages and calls of a recorded run. The faults are made anew and count the messages and
// calls of the recording, as they counted those of the run: which they meet is found so. The page injects nothing, so
// what is found is a part of the recording.
//
// A recording has what came to the client. A reply that a fault dropped is not there, so the fault is asked again with
// the next reply; the request that has no answer is the message that was met. A reply that a fault has made an error
// counts as the reply that the server sent.

import { pathsof } from "../../devices/fault/calls.ts";
import type { Faults } from "../../devices/fault/faults.ts";
import { Rerror, isT } from "../../kernel/abi/fcall.ts";
import { connin, ismessage, programof } from "../view/record/recording.ts";
import type { Injection, Rcall, Recording, Rmessage } from "../view/record/recording.ts";
import { indexof } from "../view/record/index.ts";
import { msgname } from "../view/words/eventtext.ts";
import { faultsof } from "./inject.ts";

/** What each fault of a run was done to: its messages by their events, a reply by its coming; and its calls. */
export function injections(r: Recording): Injection[] {
  return new Replay(r).all();
}

/** The most replies that are taken to have been dropped between two that came. */
const MOST = 10_000;

class Replay {
  readonly #r: Recording;
  readonly #options: readonly string[];
  readonly #faults: Faults;
  readonly #met: Injection[] = [];

  constructor(r: Recording) {
    this.#r = r;
    this.#options = r.about.inject ?? [];
    this.#faults = faultsof(this.#options);
  }

  all(): Injection[] {
    for (const [i, e] of this.#r.events.entries()) {
      if (e.type === "call") this.#call(this.#r.calls[e.call]);
      // What a server of this machine sends is seen at its client, too.
      else if (ismessage(e) && isT(e.fcall) === (e.type === "send")) this.#message(e, i);
    }
    this.#dropped();
    return this.#met;
  }

  #message(e: Rmessage, event: number): void {
    const { conn } = e;
    const { peer = null, name = "" } = connin(this.#r, conn) ?? {};
    const id = { conn, names: [peer ?? "", (peer ?? "").replace(/!.*/, ""), name] };
    const type = this.#typeof(e);
    for (let n = 0; n < MOST; n++) {
      const at = this.#at(this.#faults.take({ type }, id));
      const dropped = e.type === "receive" && this.#faults.list[at]?.fault.effect.what === "drop";
      if (at >= 0 && !dropped) this.#tell(at, event, -1);
      if (!dropped) return;
    }
  }

  /** The type of a message as it was before a fault made an error of it. */
  #typeof({ fcall, ...e }: Rmessage): number {
    const of = e.type === "receive" ? this.#r.events[e.of] : undefined;
    const made =
      fcall.type === Rerror &&
      this.#faults.list.some(
        ({ fault: { effect } }) => effect.what === "error" && effect.ename === fcall.ename,
      );
    return made && of?.type === "send" ? of.fcall.type + 1 : fcall.type;
  }

  #call(call: Rcall | undefined): void {
    if (call === undefined) return;
    const { name, args, pid } = call;
    const text = programof(this.#r, pid);
    const at = this.#at(
      this.#faults.takecall({ name, args, pid, text, paths: () => pathsof(call) }),
    );
    if (at >= 0) this.#tell(at, -1, call.id);
  }

  /** The requests whose answers were dropped: none came, though their connection stood. */
  #dropped(): void {
    const index = indexof(this.#r);
    for (const [at, { fault }] of this.#faults.list.entries()) {
      if (!("messages" in fault) || fault.effect.what !== "drop") continue;
      for (const [i, e] of this.#r.events.entries()) {
        if (e.type === "conn" && e.what !== "open") break;
        if (e.type !== "send" || index.answers(i).length > 0) continue;
        const reply = msgname(e.fcall).replace(/^T/, "R");
        const fits = fault.messages.some((x) => x === reply || x === "R*" || x === "*");
        if (fits && !this.#met.some((x) => x.event === i)) this.#tell(at, i, -1);
      }
    }
  }

  /** Which of the options a fault is; -1 for none. */
  #at(met: object | null): number {
    return this.#faults.list.findIndex((c) => c === met);
  }

  #tell(at: number, event: number, call: number): void {
    const option = this.#options[at] ?? "";
    const { what } = this.#faults.list[at]?.fault.effect ?? { what: "" };
    const value = option.slice(option.indexOf(`:${what}`) + 1 + what.length).replace(/^=/, "");
    const e = this.#r.events[event];
    const name = ismessage(e) ? msgname(e.fcall) : (this.#r.calls[call]?.name ?? "");
    const text =
      what === "drop"
        ? `No answer comes to this ${name}: --inject '${option}' drops it`
        : `--inject '${option}' met this ${name}`;
    this.#met.push({ event, call, option, what, value, text });
  }
}
