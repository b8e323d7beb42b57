// hget: gets what a URL names, by HTTP/1.1 over the network in the name space. hget(1)
//
//	hget [-v] [-o file] http://host[:port]/path
//
// How far it is it says on a terminal, if the body does not go there; with -v in any case.

import { OSTREAM, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { swriteall } from "../lib/copy.ts";
import { dial } from "../lib/dial.ts";
import { type Head, Reader, parseurl } from "../lib/http.ts";
import { fprint, writeall } from "../lib/io.ts";
import { errtext, sysfatal } from "../lib/proc.ts";
import { type Progress, progress, progressend, watched } from "../lib/progress.ts";

const ALL = Number.MAX_SAFE_INTEGER;

/** Where the body goes. */
type Sink = { readonly fd: number; readonly watch: Progress | null };

export default function* hget(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "vo:");
  const url = parseurl(a.rest[0] ?? "");
  if (a.bad !== null || url === null || a.rest.length !== 1) {
    yield* fprint(sys, 2, "usage: hget [-v] [-o file] http://host[:port]/path\n");
    return "usage";
  }
  try {
    const fd = yield* dial(sys, `tcp!${url.host}!${url.port}`);
    const host = url.port === 80 ? url.host : `${url.host}:${url.port}`;
    yield* writeall(
      sys,
      fd,
      utfencode(`GET ${url.path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    const r = new Reader(sys, fd);
    const head = yield* answer(r);
    const file = a.values.get("o");
    const to = file === undefined ? 1 : yield* sys.create(file, OWRITE | OSTREAM, 0o666);
    const length = Number(head.fields.get("content-length") ?? 0);
    const force = a.flags.has("v");
    const watch = yield* watched(sys, { length, force, ...(file === undefined && { to }) });
    yield* body(sys, r, head, { fd: to, watch });
    if (to !== 1) yield* sys.close(to);
    yield* sys.close(fd);
  } catch (e) {
    yield* sysfatal(sys, "hget", `${a.rest[0]}: ${errtext(e)}`);
  }
}

/** The head of the answer, which must be 200. */
function* answer(r: Reader): Task<Head> {
  for (;;) {
    const head = yield* r.head();
    if (head === null) throw new PlanError("no answer");
    const [, status = "", text = ""] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(head.line) ?? [];
    if (status === "") throw new PlanError("not an HTTP answer");
    if (status === "200") return head;
    if (!status.startsWith("1")) throw new PlanError(`${status} ${text}`.trim());
  }
}

/** The body: of a length that is known, in chunks, or all until the end. */
function* body(sys: ThreadSys, r: Reader, head: Head, sink: Sink): Task<void> {
  const length = head.fields.get("content-length");
  try {
    if (head.fields.get("transfer-encoding")?.toLowerCase() === "chunked")
      yield* chunks(sys, r, sink);
    else if (length === undefined) yield* take(sys, r, ALL, sink);
    else if (!/^\d+$/.test(length)) throw new PlanError("bad Content-Length");
    else if ((yield* take(sys, r, Number(length), sink)) < Number(length))
      throw new PlanError("connection ended too early");
  } finally {
    if (sink.watch !== null) yield* progressend(sys, sink.watch);
  }
}

function* chunks(sys: ThreadSys, r: Reader, sink: Sink): Task<void> {
  for (;;) {
    const [, hex = ""] = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(yield* r.line()) ?? [];
    if (hex === "") throw new PlanError("bad chunk");
    const n = Number.parseInt(hex, 16);
    if ((yield* take(sys, r, n, sink)) < n) throw new PlanError("connection ended too early");
    if (n === 0) return;
    yield* r.line();
  }
}

/** Takes n bytes, fewer at the end; gives how many. */
function* take(sys: ThreadSys, r: Reader, n: number, sink: Sink): Task<number> {
  let got = 0;
  while (got < n) {
    const part = yield* r.data(n - got);
    if (part.length === 0) break;
    yield* swriteall(sys, sink.fd, part);
    got += part.length;
    if (sink.watch !== null) yield* progress(sys, sink.watch, part.length);
  }
  return got;
}
