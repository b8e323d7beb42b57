// httpd: answers GET and HEAD of HTTP/1.1 with the files below a root of its name space. httpd(8)
//
//	httpd [-r root] [--listen addr]
//
// Each call has a thread; a connection takes one request after another. A file is read as a stream.

import { OREAD, OSTREAM, QTDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { type Call, accept, announce, listen } from "../lib/dial.ts";
import { type Head, Reader, targetname } from "../lib/http.ts";
import { fprint, writeall } from "../lib/io.ts";
import { errtext, sysfatal } from "../lib/proc.ts";

const CHUNK = 65536;

/** A connection, and the root of what it gets to see. */
type Conn = { readonly fd: number; readonly root: string };

export default function* httpd(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "r:", ["listen:"]);
  if (a.bad !== null || a.rest.length > 0) {
    yield* fprint(sys, 2, "usage: httpd [-r root] [--listen addr]\n");
    return "usage";
  }
  const root = (a.values.get("r") ?? "/").replace(/\/+$/, "");
  try {
    const at = yield* announce(sys, a.values.get("listen") ?? "tcp!*!http");
    for (;;) sys.threadcreate(serve(sys, yield* listen(sys, at.dir), root));
  } catch (e) {
    yield* sysfatal(sys, "httpd", errtext(e));
  }
}

/** A call: its requests, until the client has no more or something fails. */
function* serve(sys: ThreadSys, call: Call, root: string): Task<void> {
  let fd = -1;
  try {
    fd = yield* accept(sys, call);
    const r = new Reader(sys, fd);
    for (;;) {
      const head = yield* r.head();
      if (head === null || !(yield* request(sys, { fd, root }, head))) return;
    }
  } catch (e) {
    // The client is gone, or never spoke HTTP.
    if (!(e instanceof PlanError)) throw e;
  } finally {
    if (fd >= 0) yield* sys.close(fd);
  }
}

/** Answers one; false when the connection ends with that. */
function* request(sys: ThreadSys, c: Conn, head: Head): Task<boolean> {
  const m = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(head.line);
  const [, method = "", target = "", minor] = m ?? [];
  const connection = (head.fields.get("connection") ?? "").toLowerCase();
  const keep = minor === "1" && connection !== "close" && !head.fields.has("transfer-encoding");
  const name = targetname(target);
  if (m === null || name === null) return yield* refuse(sys, c, "400 Bad Request", false);
  if (method !== "GET" && method !== "HEAD")
    return yield* refuse(sys, c, "501 Not Implemented", false);
  let fd: number;
  try {
    fd = yield* sys.open(c.root + name, method === "GET" ? OREAD | OSTREAM : OREAD);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    const status = /permission/.test(e.message) ? "403 Forbidden" : "404 Not Found";
    return yield* refuse(sys, c, status, keep);
  }
  try {
    const d = yield* sys.fstat(fd);
    if ((d.qid.type & QTDIR) !== 0) return yield* refuse(sys, c, "403 Forbidden", keep);
    yield* put(sys, c, { status: "200 OK", length: d.length, keep });
    const whole = method === "HEAD" || (yield* send(sys, fd, c, d.length));
    return keep && whole;
  } finally {
    yield* sys.close(fd);
  }
}

/** What the head of an answer says: the status, the bytes of the body, whether the connection stays. */
type Reply = { readonly status: string; readonly length: number; readonly keep: boolean };

function* put(sys: ThreadSys, c: Conn, h: Reply): Task<void> {
  const connection = h.keep ? "" : "Connection: close\r\n";
  const type = "Content-Type: application/octet-stream\r\n";
  const text = `HTTP/1.1 ${h.status}\r\n${type}Content-Length: ${h.length}\r\n${connection}\r\n`;
  yield* writeall(sys, c.fd, utfencode(text));
}

function* refuse(sys: ThreadSys, c: Conn, status: string, keep: boolean): Task<boolean> {
  const body = utfencode(`${status.slice(4)}\n`);
  yield* put(sys, c, { status, length: body.length, keep });
  yield* writeall(sys, c.fd, body);
  return keep;
}

/** Sends the file, as long as it was said to be; false when it has become shorter. */
function* send(sys: ThreadSys, fd: number, c: Conn, length: number): Task<boolean> {
  const buf = new Uint8Array(CHUNK);
  for (let left = length; left > 0;) {
    const n = yield* sys.sread(fd, left < CHUNK ? buf.subarray(0, left) : buf);
    if (n === 0) return false;
    yield* writeall(sys, c.fd, n === CHUNK ? buf : buf.subarray(0, n));
    left -= n;
  }
  return true;
}
