// Authentication as intro(5) has it: an afid, a conversation on it, and the attach that needs it.

import test from "ava";
import {
  DMAUTH,
  DMDIR,
  MREPL,
  NOFID,
  ORDWR,
  QTAUTH,
  QTDIR,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { type Dir, nulldir } from "../../kernel/abi/dir.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Sys } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { type Anysrv, type Fid, type Srv, serve } from "../../userland/lib/9p.ts";
import { failure, run, within } from "../kit/kit.ts";
import { clunk, open, read, remove, said, stat, version, walk, write } from "../kit/msg.ts";
import { Rig } from "../kit/rig.ts";

type File = { readonly auth: boolean; proved: boolean };

const backwards = (s: string): string => Array.from(s).toReversed().join("");

/** A server that asks for the user's name backwards. */
class Asking implements Srv<File> {
  readonly root: File = { auth: false, proved: false };
  readonly log: string[] = [];

  auth(uname: string, aname: string): File {
    this.log.push(`auth ${uname} ${aname}`);
    return { auth: true, proved: false };
  }

  authed(afid: Fid<File>): boolean {
    return afid.aux.proved;
  }

  attach(uname: string, aname: string): File {
    this.log.push(`attach ${uname} ${aname}`);
    return this.root;
  }

  qid(f: File): Dir["qid"] {
    return { path: f.auth ? 1n : 0n, vers: 0, type: f.auth ? QTAUTH : QTDIR };
  }

  stat(fid: Fid<File>): Dir {
    const mode = fid.aux.auth ? DMAUTH | 0o600 : DMDIR | 0o755;
    return { ...nulldir(), qid: this.qid(fid.aux), mode: mode >>> 0, name: "x", length: 0 };
  }

  read(fid: Fid<File>): Uint8Array {
    return utfencode(`backwards, ${fid.uid}`);
  }

  write(fid: Fid<File>, data: Uint8Array): number {
    fid.aux.proved = utfdecode(data, 0, data.length) === backwards(fid.uid);
    return data.length;
  }

  wstat(): void {
    this.log.push("wstat");
  }

  remove(): void {
    this.log.push("remove");
  }

  clunk(fid: Fid<File>): void {
    this.log.push(`clunk ${fid.aux.auth ? "afid" : "fid"}`);
  }
}

const auth = (afid: number, uname = "glenda", aname = ""): Tmsg => ({
  type: fc.Tauth,
  tag: 1,
  afid,
  uname,
  aname,
});
const attach = (fid: number, afid: number, uname = "glenda", aname = ""): Tmsg => ({
  type: fc.Tattach,
  tag: 1,
  fid,
  afid,
  uname,
  aname,
});

function asked(): { srv: Asking; ask: (...fs: Tmsg[]) => string[]; rpc: (f: Tmsg) => Rmsg[] } {
  const rig = new Rig();
  const srv = new Asking();
  rig.serve(srv as Anysrv);
  const rpc = (...fs: Tmsg[]): Rmsg[] => rig.rpc(...fs);
  rpc(version());
  return { srv, rpc, ask: (...fs) => rpc(...fs).map(said) };
}

test("an attach is let in by an afid that is finished, and again by the same one", (t) => {
  const { srv, ask, rpc } = asked();
  const [rauth] = rpc(auth(7));
  t.is(rauth?.type === fc.Rauth ? rauth.aqid.type : -1, QTAUTH);
  t.deepEqual(ask(attach(0, 7)), ["1 error:authentication is not finished"]);
  t.deepEqual(ask(read(7), write(7, "wrong"), attach(0, 7)), [
    "1 read:backwards, glenda",
    "1 write:5",
    "1 error:authentication is not finished",
  ]);
  const attached = `1 ${fc.Rattach}`;
  t.deepEqual(ask(write(7, "adnelg"), attach(0, 7), attach(1, 7), clunk(7)), [
    "1 write:6",
    attached,
    attached,
    `1 ${fc.Rclunk}`,
  ]);
  t.deepEqual(ask(attach(2, 7)), ["1 error:unknown fid"]);
  t.deepEqual(srv.log, ["auth glenda ", "attach glenda ", "attach glenda ", "clunk afid"]);
});

test("an afid is for one user and one tree, and no other fid is taken for one", (t) => {
  const { srv, ask } = asked();
  const other = "1 error:authentication was for another user or tree";
  ask(auth(7, "glenda", "main"), write(7, "adnelg"));
  t.deepEqual(ask(attach(0, 7), attach(0, 7, "rob", "main")), [other, other]);
  t.deepEqual(ask(attach(0, NOFID)), ["1 error:authentication required"]);
  t.deepEqual(ask(attach(0, 9)), ["1 error:unknown fid"]);
  t.deepEqual(ask(attach(0, 7, "glenda", "main")), [`1 ${fc.Rattach}`]);
  t.deepEqual(ask(attach(1, 0, "glenda", "main")), ["1 error:authentication required"]);
  t.deepEqual(ask(auth(0), auth(NOFID)), ["1 error:duplicate fid", "1 error:unknown fid"]);
  t.is(srv.log.filter((line) => line.startsWith("attach")).length, 1);
});

test("an afid is read, written, looked at and given up, and nothing else", (t) => {
  const { srv, ask } = asked();
  ask(auth(7));
  t.deepEqual(ask(walk(7, 8), open(7), stat(7)), [
    "1 error:cannot clone open fid",
    "1 error:file already open for I/O",
    `1 ${fc.Rstat}`,
  ]);
  t.deepEqual(ask(remove(7), read(7)), ["1 error:permission denied", "1 error:unknown fid"]);
  t.deepEqual(srv.log, ["auth glenda ", "clunk afid"]);
});

test("afids end with their session", (t) => {
  const { srv, ask } = asked();
  ask(auth(7), version());
  t.deepEqual(ask(attach(0, 7)), ["1 error:unknown fid"]);
  t.deepEqual(srv.log, ["auth glenda ", "clunk afid"]);
});

test(
  "a program authenticates by fauth, a conversation, and mount with what fauth gave",
  within(async (t, k) => {
    const srv = new Asking();
    await run(k, async (sys: Sys) => {
      const [mine, theirs] = await sys.pipe();
      await sys.rfork(RFPROC | RFFDG, function* (child: ThreadSys) {
        yield* child.close(mine);
        yield* serve(child, theirs, theirs, srv as Anysrv);
      });
      await sys.close(theirs);
      t.is(await failure(sys.mount(mine, -1, "/tmp", MREPL, "")), "authentication required");
      const afd = await sys.fauth(mine, "");
      t.is(
        await failure(sys.mount(mine, afd, "/tmp", MREPL, "")),
        "authentication is not finished",
      );
      const buf = new Uint8Array(100);
      const question = utfdecode(buf, 0, await sys.read(afd, buf));
      const name = question.replace(/.*, /, "");
      await sys.write(afd, utfencode(backwards(name)));
      // A file of another device, or another connection, proves nothing.
      const cons = await sys.open("/dev/cons", ORDWR);
      t.is(await failure(sys.mount(mine, cons, "/tmp", MREPL, "")), "inappropriate use of fd");
      await sys.close(cons);
      await sys.mount(mine, afd, "/tmp", MREPL, "");
      t.is((await sys.stat("/tmp")).qid.path, 0n);
      await sys.close(afd);
      await sys.unmount(null, "/tmp");
    });
    t.deepEqual(srv.log, ["auth glenda ", "attach glenda ", "clunk afid", "clunk fid"]);
  }),
);
