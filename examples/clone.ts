// A whole 9P server, with the clone files that Plan 9's network devices have (ip(3)): a process that opens clone
// gets a conversation of its own, a directory with the files ctl and data.
//
//	/n/sum/clone     opened, it is the ctl file of a new conversation; read, it gives the number
//	/n/sum/0/ctl     takes "hangup"; read, it gives the number
//	/n/sum/0/data    takes numbers, and gives their sum; a read waits until there is a number
//
// A conversation lives as long as a fid has its ctl or data open.

import { DMDIR, MREPL, ORDWR, PlanError, QTDIR, postmount, print, readdir, readtext } from "namec";
import type { Dir, Fid, Qid, Srv, Sys, Task, ThreadSys } from "namec";

/** A conversation. */
type Conv = { readonly n: number; sum: number; numbers: number; open: number; hungup: boolean };

/** A file: which one, and of which conversation. */
type Place = {
  readonly kind: "root" | "clone" | "dir" | "ctl" | "data";
  readonly conv: Conv | null;
};

const KINDS = ["root", "clone", "dir", "ctl", "data"] as const;
const isdir = (kind: Place["kind"]): boolean => kind === "root" || kind === "dir";
const text = new TextDecoder();
const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

/** Each file has a path of its own, and each kind of file a place in it. */
const qid = ({ kind, conv }: Place): Qid => ({
  path: BigInt((conv === null ? 0 : conv.n + 1) * KINDS.length + KINDS.indexOf(kind)),
  vers: 0,
  type: isdir(kind) ? QTDIR : 0,
});

function entry(p: Place, uid: string): Dir {
  const name = p.kind === "root" ? "/" : p.kind === "dir" ? String(p.conv?.n) : p.kind;
  const mode = isdir(p.kind) ? (DMDIR | 0o555) >>> 0 : 0o666;
  const none = { type: 0, dev: 0, atime: 0, mtime: 0, length: 0 };
  return { ...none, name, mode, qid: qid(p), uid, gid: uid, muid: uid };
}

class Sums implements Srv<Place> {
  readonly #sys: ThreadSys;
  readonly #convs = new Map<number, Conv>();
  #next = 0;

  constructor(sys: ThreadSys) {
    this.#sys = sys;
  }

  attach(): Place {
    return { kind: "root", conv: null };
  }

  qid(p: Place): Qid {
    return qid(p);
  }

  stat(fid: Fid<Place>): Dir {
    return entry(fid.aux, fid.uid);
  }

  /** One step of a walk; null for a name that is not there. */
  walk1({ kind, conv }: Place, name: string): Place | null {
    if (name === "..") return { kind: "root", conv: null };
    if (kind === "dir") return name === "ctl" || name === "data" ? { kind: name, conv } : null;
    if (name === "clone") return { kind: "clone", conv: null };
    const found = /^\d+$/.test(name) ? this.#convs.get(Number(name)) : undefined;
    return found === undefined ? null : { kind: "dir", conv: found };
  }

  /** Opening clone makes a conversation, and the fid stands for the ctl file of it from then on. */
  open(fid: Fid<Place>): void {
    if (isdir(fid.aux.kind)) return;
    if (fid.aux.kind === "clone") {
      const conv = { n: this.#next++, sum: 0, numbers: 0, open: 0, hungup: false };
      this.#convs.set(conv.n, conv);
      fid.aux = { kind: "ctl", conv };
    }
    if (fid.aux.conv !== null) fid.aux.conv.open++;
  }

  *entries(fid: Fid<Place>): Generator<Dir, void, void> {
    const { kind, conv } = fid.aux;
    const inside: Place[] =
      kind === "dir"
        ? [
            { kind: "ctl", conv },
            { kind: "data", conv },
          ]
        : [
            { kind: "clone", conv: null },
            ...[...this.#convs.values()].map((c) => ({ kind: "dir" as const, conv: c })),
          ];
    for (const p of inside) yield entry(p, fid.uid);
  }

  /** A generator may wait: a flush interrupts it where it sleeps. */
  *read(fid: Fid<Place>, count: number, offset: number): Task<Uint8Array> {
    const { kind, conv } = fid.aux;
    if (conv === null) return bytes("");
    if (kind === "data") while (conv.numbers === 0 && !conv.hungup) yield* this.#sys.sleep(10);
    const all = bytes(kind === "ctl" ? `${conv.n}` : `${conv.sum}`);
    return all.subarray(offset, offset + count);
  }

  write(fid: Fid<Place>, data: Uint8Array): number {
    const { kind, conv } = fid.aux;
    const word = text.decode(data).trim();
    if (conv === null) throw new PlanError("permission denied");
    if (conv.hungup) throw new PlanError("i/o on hungup channel");
    if (kind === "ctl") {
      if (word !== "hangup") throw new PlanError("unknown control request");
      conv.hungup = true;
    } else {
      if (!/^-?\d+$/.test(word)) throw new PlanError("not a number");
      conv.sum += Number(word);
      conv.numbers++;
    }
    return data.length;
  }

  /** The end of a fid: the last one that was open takes the conversation with it. */
  clunk(fid: Fid<Place>): void {
    const { conv } = fid.aux;
    if (conv === null || fid.omode < 0) return;
    if (--conv.open === 0) this.#convs.delete(conv.n);
  }
}

/** The server, for a program that is to serve it, or a test. */
export const sums = (sys: ThreadSys): Srv<Place> => new Sums(sys);

export default async function main(sys: Sys): Promise<void> {
  await postmount(sys, sums, { mtpt: "/n", flags: MREPL });
  const ctl = await sys.open("/n/clone", ORDWR);
  const buf = new Uint8Array(20);
  const n = text.decode(buf.subarray(0, await sys.read(ctl, buf)));
  const data = await sys.open(`/n/${n}/data`, ORDWR);
  for (const number of ["30", "12"]) await sys.write(data, bytes(number));
  await print(sys, `conversation ${n}: ${await readtext(sys, `/n/${n}/data`)}\n`);
  const names = async (): Promise<string> =>
    (await readdir(sys, "/n")).map((d) => d.name).join(" ");
  await print(sys, `while it is open: ${await names()}\n`);
  await sys.write(ctl, bytes("hangup"));
  const failed = await sys.write(data, bytes("1")).then(String, (e: Error) => e.message);
  await print(sys, `hung up: ${failed}\n`);
  await sys.close(data);
  await sys.close(ctl);
  await print(sys, `when it is closed: ${await names()}\n`);
}
