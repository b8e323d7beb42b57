// What `namec run` tells of a run besides its trace: a summary at the end, a packet capture, a timeline.
// One Recorder serves them all, and keeps nothing: each takes the events as they come.

import type { Booted } from "../../kernel/boot.ts";
import { Ledger, summaryfmt } from "../view/export/ledger.ts";
import { Pcapng } from "../view/export/pcapng.ts";
import { Recorder } from "../view/record/recorder.ts";
import type { Tell } from "../view/record/recorder.ts";
import type { About } from "../view/record/recording.ts";
import { TAIL, Timeline } from "../view/export/timeline.ts";
import { visible } from "../view/words/text.ts";
import { Usage } from "./command.ts";
import type { Given, Option } from "./command.ts";
import { Outfile } from "./outfile.ts";
import { findplace } from "./place.ts";

/** The options of a command that tells of a run. */
export const reportoptions: readonly Option[] = [
  {
    name: "summary",
    values: [],
    text: "at the end, show what each kind of system call cost, on stderr",
  },
  {
    name: "pcap",
    values: ["FILE"],
    text: "write the 9P messages, those of the mounts before it too, for Wireshark",
  },
  {
    name: "timeline",
    values: ["FILE"],
    text: "write processes, calls and messages for chrome://tracing or ui.perfetto.dev",
  },
];

/** Something that takes events in, and is told when there are no more. */
type Reader = { readonly take: Tell; readonly finish: () => void };

/** The reports of one run. */
export class Reports {
  readonly #about: About;
  readonly #rec: Recorder;
  readonly #files: Outfile[] = [];
  readonly #readers: Reader[] = [];
  readonly #before: Reader | null = null;
  readonly #ledger: Ledger | null = null;
  readonly #off: () => void;
  #begun = false;
  #broken: unknown = null;

  /** Opens the files and listens from now on; throws Usage where a file cannot be written. */
  constructor(given: Given, kernel: Booted, about: About) {
    this.#about = about;
    const pcap = this.#open(given, "pcap");
    const timeline = this.#open(given, "timeline", TAIL);
    const [a, b] = this.#files;
    if (a !== undefined && b !== undefined && same(a, b))
      throw new Usage(`--pcap and --timeline are the same file, ${b.name}`, "name two");
    if (given.has("summary")) this.#readers.push((this.#ledger = new Ledger()));
    if (timeline !== null) this.#readers.push(new Timeline((text) => timeline.write(text), about));
    if (pcap !== null) {
      this.#before = new Pcapng((b) => pcap.write(b), kernel.clock.epoch, about.program);
      this.#readers.push(this.#before);
    }
    this.#rec = new Recorder({
      about,
      snap: 0,
      limit: 0,
      ...(this.#files.length > 0 && { place: findplace() }),
      tell: (e, r, full) => this.#safely(() => this.#readers.forEach((x) => x.take(e, r, full))),
      before: (e, r, full) => this.#safely(() => this.#before?.take(e, r, full)),
    });
    this.#off = this.#rec.listen(kernel.trace);
  }

  /** The program begins: what comes now counts, but for what these processes do. */
  begin(but: readonly number[]): void {
    this.#begun = true;
    this.#rec.begin(but);
  }

  /** Ends the files and shows the summary; false when something could not be written. */
  end(): boolean {
    this.#off();
    this.#safely(() => this.#readers.forEach((x) => x.finish()));
    const complaints = this.#files.map((f) => f.close()).filter((c) => c !== null);
    if (this.#ledger !== null && this.#begun)
      process.stderr.write(`${summaryfmt(this.#ledger, this.#about.clock).join("\n")}\n`);
    if (this.#broken !== null) complaints.push(`a report went wrong: ${stack(this.#broken)}`);
    for (const c of complaints) process.stderr.write(`namec run: ${visible(c, "\n")}\n`);
    return complaints.length === 0;
  }

  #open(given: Given, option: string, tail = ""): Outfile | null {
    const name = given.get(option);
    if (name === undefined) return null;
    const file = new Outfile(`--${option}`, name, tail);
    this.#files.push(file);
    return file;
  }

  /** The bus drops a listener that throws and says nothing; a report that went wrong is said at the end. */
  #safely(fn: () => void): void {
    if (this.#broken !== null) return;
    try {
      fn();
    } catch (e) {
      this.#broken = e;
    }
  }
}

function stack(e: unknown): string {
  return e instanceof Error ? (e.stack ?? e.message) : String(e);
}

function same({ stats: a }: Outfile, { stats: b }: Outfile): boolean {
  return a.isFile() && a.dev === b.dev && a.ino === b.ino;
}
