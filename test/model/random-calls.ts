// The operations of the property test as system calls, with what they gave in the form that the model
// gives it in (random-operations.ts).

import { DMDIR, OREAD, OSTREAM } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { dial } from "../../userland/lib/dial.ts";
import { digest, pattern } from "./random-operations.ts";
import type { Moving, Op, Opening, Using } from "./random-operations.ts";
import { entry } from "./random-tree.ts";
import { entries as entriesof } from "../kit/kit.ts";

/** What an operation gave: a text, and the qids of the files it was about. */
export type Got = { readonly text: string; readonly qids: readonly bigint[] };

/** Room for a file that is read whole, as long as it has no more. */
const SOME = 16_384;

type Descriptor = { readonly fd: number; readonly isdir: boolean };

/** A process that makes the calls. */
export class Caller {
  readonly sys: Sys;
  readonly #who: number;
  readonly fds: (Descriptor | null)[];
  /** Where reads go: what one of them gave is looked at before the next. */
  #room: Uint8Array = new Uint8Array(0);

  constructor(sys: Sys, who: number, fds: readonly (Descriptor | null)[] = []) {
    this.sys = sys;
    this.#who = who;
    this.fds = [...fds];
  }

  /** Makes the calls of an operation. */
  async make(op: Op): Promise<Got> {
    const qids: bigint[] = [];
    try {
      return { text: await this.#do(op, qids), qids };
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      // A stream says where it failed, too.
      return { text: `error ${e.message.replace(/ at offset \d+.*/, "")}`, qids: [] };
    }
  }

  #name(text: string): string {
    return text.replace("~", String(this.#who));
  }

  async #do(op: Op, qids: bigint[]): Promise<string> {
    const sys = this.sys;
    switch (op.op) {
      case "open":
      case "create":
      case "put":
      case "get":
      case "ls":
        return await this.#opens(op, qids);
      case "stat": {
        const d = await sys.stat(this.#name(op.name));
        qids.push(d.qid.path);
        return entry(d, d.name);
      }
      case "remove":
        await sys.remove(this.#name(op.name));
        return "ok";
      case "wstat":
        await sys.wstat(this.#name(op.name), op.w);
        return "ok";
      case "chdir":
        await sys.chdir(this.#name(op.name));
        return "ok";
      case "bind":
        await sys.bind(this.#name(op.name), this.#name(op.old), op.flags);
        return "ok";
      case "mount":
        await this.#mount(this.#name(op.old), op.flags);
        return "ok";
      case "unmount":
        await sys.unmount(op.name === null ? null : this.#name(op.name), this.#name(op.old));
        return "ok";
      case "fork":
        return "ok";
      default:
        return await this.#usefd(op, qids);
    }
  }

  async #mount(old: string, flags: number): Promise<void> {
    const fd = await dial(this.sys, `tcp!m${this.#who}!564`);
    try {
      await this.sys.mount(fd, -1, old, flags, "");
    } catch (e) {
      await this.sys.close(fd);
      throw e;
    }
  }

  async #opens(op: Opening, qids: bigint[]): Promise<string> {
    const sys = this.sys;
    const name = this.#name(op.name);
    if (op.op === "get" || op.op === "ls") {
      const fd = await sys.open(name, op.op === "get" ? OREAD | OSTREAM : OREAD);
      return await this.#closing(fd, async () => {
        const d = await sys.fstat(fd);
        qids.push(d.qid.path);
        return (d.mode & DMDIR) === 0 ? digest(await this.#whole(fd)) : await this.#list(fd);
      });
    }
    if (op.op === "put") {
      const fd = await sys.create(name, op.mode | OSTREAM, op.perm);
      return await this.#closing(fd, async () => {
        const bytes = pattern(op.len);
        const half = op.len >> 1;
        await sys.write(fd, bytes.subarray(0, half));
        await sys.write(fd, bytes.subarray(half));
        qids.push((await sys.fstat(fd)).qid.path);
        return "ok";
      });
    }
    await this.close(op.fd);
    const fd =
      op.op === "open" ? await sys.open(name, op.mode) : await sys.create(name, op.mode, op.perm);
    const d = await sys.fstat(fd);
    qids.push(d.qid.path);
    this.fds[op.fd] = { fd, isdir: (d.mode & DMDIR) !== 0 };
    return "ok";
  }

  async #closing(fd: number, fn: () => Promise<string>): Promise<string> {
    let text;
    try {
      text = await fn();
    } catch (e) {
      await this.sys.close(fd).catch(() => undefined);
      throw e;
    }
    await this.sys.close(fd);
    return text;
  }

  async close(place: number): Promise<void> {
    const d = this.fds[place] ?? null;
    this.fds[place] = null;
    if (d !== null) await this.sys.close(d.fd);
  }

  async #usefd(op: Using, qids: bigint[]): Promise<string> {
    const sys = this.sys;
    const d = this.fds[op.fd];
    if (d === null || d === undefined) throw new Error("no such descriptor");
    const { fd } = d;
    switch (op.op) {
      case "close":
        await this.close(op.fd);
        return "ok";
      case "dup": {
        const old = this.fds[op.to] ?? null;
        if (op.to !== op.fd) this.fds[op.to] = { fd: await sys.dup(fd, old?.fd), isdir: d.isdir };
        return "ok";
      }
      case "fstat": {
        const dir = await sys.fstat(fd);
        qids.push(dir.qid.path);
        return entry(dir, dir.name);
      }
      case "fwstat":
        await sys.fwstat(fd, op.w);
        return "ok";
      case "list":
        if (!d.isdir) return "no directory";
        await sys.seek(fd, 0, 0);
        return await this.#list(fd);
      case "seek":
        return String(await sys.seek(fd, op.at, op.whence));
      default:
        return await this.#transfer(d, op);
    }
  }

  async #transfer({ fd, isdir }: Descriptor, op: Moving): Promise<string> {
    const sys = this.sys;
    switch (op.op) {
      case "write":
        return String(await sys.write(fd, pattern(op.len)));
      case "pwrite":
        return String(await sys.pwrite(fd, pattern(op.len), op.at));
      case "swrite":
        return isdir
          ? String(await sys.swrite(fd, pattern(op.len)))
          : await this.#swrite(fd, op.len);
      default:
    }
    if (isdir) return "a directory";
    if (op.op === "read") return digest(await this.#read(fd, op.len));
    if (op.op === "sread") return await this.#sread(fd, op.len);
    const buf = new Uint8Array(op.len);
    return digest(buf.subarray(0, await sys.pread(fd, buf, op.at)));
  }

  /** Reads n bytes, or what there is. */
  async #read(fd: number, n: number, read: "read" | "sread" = "read"): Promise<Uint8Array> {
    const buf =
      this.#room.length < n ? (this.#room = new Uint8Array(n)) : this.#room.subarray(0, n);
    let got = 0;
    do {
      const m = await this.sys[read](fd, buf.subarray(got));
      if (m === 0) break;
      got += m;
    } while (got < n);
    return buf.subarray(0, got);
  }

  /** Reads to the end. */
  async #whole(fd: number): Promise<Uint8Array> {
    if (this.#room.length < SOME) this.#room = new Uint8Array(SOME);
    for (let got = 0; ;) {
      const m = await this.sys.read(fd, this.#room.subarray(got));
      if (m === 0) return this.#room.subarray(0, got);
      got += m;
      if (got < this.#room.length) continue;
      const more = new Uint8Array(4 * got);
      more.set(this.#room);
      this.#room = more;
    }
  }

  /** A stream read in part, and ended by going elsewhere, since what it read ahead may grow old. */
  async #sread(fd: number, n: number): Promise<string> {
    const sys = this.sys;
    const here = await sys.seek(fd, 0, 1);
    await sys.stream(fd, here);
    let end = here;
    try {
      const bytes = await this.#read(fd, n, "sread");
      end += bytes.length;
      return digest(bytes);
    } finally {
      await sys.seek(fd, end + 1, 0);
      await sys.seek(fd, end, 0);
    }
  }

  /** A stream of two writes, waited for by asking where the end is. */
  async #swrite(fd: number, n: number): Promise<string> {
    const sys = this.sys;
    const here = await sys.seek(fd, 0, 1);
    let end = here;
    try {
      const bytes = pattern(n);
      const half = n >> 1;
      let done = await sys.swrite(fd, bytes.subarray(0, half));
      done += await sys.swrite(fd, bytes.subarray(half));
      await sys.seek(fd, 0, 2);
      end += done;
      return String(done);
    } finally {
      await sys.seek(fd, end, 0);
    }
  }

  async #list(fd: number): Promise<string> {
    const lines = (await entries(this.sys, fd)).map((d) => entry(d, d.name));
    return lines.toSorted().join(", ");
  }
}

/** The entries of an open directory. */
export async function entries(sys: Sys, fd: number): Promise<Dir[]> {
  const dirs: Dir[] = [];
  const buf = new Uint8Array(300);
  for (;;) {
    const n = await sys.read(fd, buf);
    if (n === 0) return dirs;
    dirs.push(...entriesof(buf, n));
  }
}
