// Checks of what concerns a connection as a whole: version(5), attach(5), clunk(5), flush(5), intro(5), and the
// extension 9P2000.ix where a server says that it speaks it.

import { joined } from "../../../kernel/abi/bits.ts";
import { NOFID, NOTAG, OREAD, QTDIR } from "../../../kernel/abi/const.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import { utfencode } from "../../../kernel/abi/utf.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { section } from "./check.ts";
import type { Check, Context } from "./check.ts";
import { MSIZE, ROOT, Skip, Wrong, framesof, named } from "./peer.ts";
import type { Peer } from "./peer.ts";

const version: Check[] = section("version(5)", {
  same: [
    "an offer of 9P2000 is answered with 9P2000, and with an msize that is no larger",
    async (c) => {
      const p = await c.call();
      const r = await p.agree(MSIZE, "9P2000");
      if (r.version !== "9P2000") throw new Wrong(`the answer is ${r.version}`);
      if (r.msize > MSIZE) throw new Wrong(`msize ${MSIZE} was offered, and ${r.msize} answered`);
    },
  ],
  unknown: [
    "a version that it does not know is answered with Rversion and the word unknown",
    async (c) => {
      const p = await c.call();
      const r = await p.agree(MSIZE, "rubbish");
      if (r.version !== "unknown") throw new Wrong(`the answer is ${r.version}`);
    },
  ],
  suffix: [
    "of an offer with a suffix behind a dot, 9P2000 is spoken",
    async (c) => {
      const p = await c.call();
      const r = await p.agree(MSIZE, "9P2000.nonesuch");
      if (r.version !== "9P2000") throw new Wrong(`9P2000.nonesuch was answered ${r.version}`);
    },
  ],
  msize: [
    "a small msize is kept to: no reply is longer",
    async (c) => {
      const p = await c.call();
      const { msize } = await p.agree(512, "9P2000");
      if (msize > 512) throw new Wrong(`msize 512 was offered, and ${msize} answered`);
      await p.attach(ROOT);
      await p.open(ROOT, OREAD);
      await p.send({ type: F.Tread, tag: 1, fid: ROOT, offset: 0, count: 8000 });
      const frame = await p.frame();
      if (frame === null) throw new Wrong("it hung up at a Tread of 8000 bytes");
      if (frame.length > msize)
        throw new Wrong(`a reply of ${frame.length} bytes, and msize ${msize}`);
    },
  ],
  reset: [
    "a second Tversion ends the session: fids of the first are unknown",
    async (c) => {
      const p = await c.open();
      await p.agree(MSIZE, "9P2000");
      await p.refused({ type: F.Tstat, fid: ROOT }, "a fid from before Tversion");
    },
  ],
  first: [
    "no request is served before a version was agreed on",
    async (c) => {
      const p = await c.call();
      const { uname, aname } = c.target;
      await p.rejected(
        framesof([{ type: F.Tattach, tag: 1, fid: ROOT, afid: NOFID, uname, aname }]),
        "a Tattach before Tversion",
      );
    },
    "should",
  ],
});

const attach: Check[] = section("attach(5)", {
  root: [
    "the qid of the root is a directory's",
    async (c) => {
      const p = await c.call();
      await p.agree(MSIZE, "9P2000");
      const qid = await p.attach(ROOT);
      if ((qid.type & QTDIR) === 0) throw new Wrong(`its type is ${qid.type}`);
    },
    "should",
  ],
  fidinuse: [
    "a fid that is in use is refused",
    async (c) => {
      const p = await c.open();
      const r = await p.tryattach(ROOT, NOFID);
      if (r.type !== F.Rerror) throw new Wrong("a second Tattach with the same fid succeeded");
    },
  ],
  twice: [
    "two attaches have fids of their own, for one root",
    async (c) => {
      const p = await c.open();
      const other = p.newfid();
      const [a, b] = [await p.attach(other), (await p.stat(ROOT)).qid];
      if (a.path !== b.path) throw new Wrong(`the qid paths are ${b.path} and ${a.path}`);
      await p.clunk(other);
      await p.stat(ROOT);
    },
  ],
  auth: [
    "Tauth is answered, with Rauth or an error",
    async (c) => {
      const p = await c.call();
      await p.agree(MSIZE, "9P2000");
      await p.auth(p.newfid());
      await p.attach(ROOT);
    },
  ],
});

const clunk: Check[] = section("clunk(5)", {
  gone: [
    "a fid is unknown when it was clunked, and its number free",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      await p.clunk(fid);
      await p.refused({ type: F.Tstat, fid }, "a fid that was clunked");
      await p.must({ type: F.Twalk, fid: ROOT, newfid: fid, wname: [] });
      await p.stat(fid);
    },
  ],
  unknown: [
    "an unknown fid is refused",
    async (c) => {
      const p = await c.open();
      await p.refused({ type: F.Tclunk, fid: 4242 }, "a Tclunk of an unknown fid");
    },
  ],
  open: [
    "an open fid is clunked like any other",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      await p.open(fid, OREAD);
      await p.clunk(fid);
      await p.refused({ type: F.Tread, fid, offset: 0, count: 100 }, "a read of a clunked fid");
    },
  ],
});

const flush: Check[] = section("flush(5)", {
  unknown: [
    "a Tflush of a tag with nothing outstanding is answered with Rflush",
    async (c) => {
      const p = await c.open();
      await p.must({ type: F.Tflush, oldtag: 9999 });
    },
  ],
  order: [
    "the reply to a flushed request comes before the Rflush or not at all",
    async (c) => {
      const p = await c.open();
      const list = Array.from({ length: 20 }, (_, i) => [
        { type: F.Tstat, tag: 100 + i, fid: ROOT } as const,
        { type: F.Tflush, tag: 200 + i, oldtag: 100 + i } as const,
      ]).flat();
      await p.send(...list);
      const flushed = new Set<number>();
      while (flushed.size < 20) {
        const r = await p.next();
        if (r === null) throw new Wrong("it hung up");
        if (r.type === F.Rflush) flushed.add(r.tag - 200);
        else if (flushed.has(r.tag - 100)) throw new Wrong(`${named(r)} came after its Rflush`);
      }
      await p.stat(ROOT);
    },
  ],
  twice: [
    "each of two Tflushes of one request is answered",
    async (c) => {
      const p = await c.open();
      await p.send(
        { type: F.Tstat, tag: 1, fid: ROOT },
        { type: F.Tflush, tag: 2, oldtag: 1 },
        { type: F.Tflush, tag: 3, oldtag: 1 },
      );
      const tags = new Set<number>();
      while (!tags.has(2) || !tags.has(3)) {
        const r = await p.next();
        if (r === null) throw new Wrong("it hung up");
        tags.add(r.tag);
      }
    },
  ],
});

/** A frame of a type with what is behind its tag. */
function frame(type: number, body: readonly number[], size = body.length + 7): Uint8Array {
  const bytes = [size & 255, (size >> 8) & 255, (size >> 16) & 255, (size >>> 24) & 255];
  return new Uint8Array([...bytes, type, 1, 0, ...body]);
}

const fid0 = [0, 0, 0, 0];

/** Sends what no client may, and sees that the server goes on for others. */
const hostile =
  (bytes: (p: Peer) => Uint8Array, what: string) =>
  async (c: Context): Promise<void> => {
    const p = await c.open();
    await p.rejected(bytes(p), what).catch((e: unknown) => {
      // Silence is no harm where more bytes may be on their way.
      if (!(e instanceof Wrong) || !e.message.startsWith("no answer in")) throw e;
    });
    await p.hangup();
    const other = await c.open();
    await other.stat(ROOT);
  };

const intro: Check[] = section("intro(5)", {
  tags: [
    "a hundred requests at once are answered, each once, with its own tag",
    async (c) => {
      const p = await c.open();
      const want = new Set(Array.from({ length: 100 }, (_, i) => i + 1));
      await p.send(...[...want].map((tag) => ({ type: F.Tstat, tag, fid: ROOT }) as const));
      while (want.size > 0) {
        const r = await p.next();
        if (r === null) throw new Wrong(`it hung up, and owed ${want.size} replies`);
        if (r.type !== F.Rstat) throw new Wrong(`a Tstat was answered with ${named(r)}`);
        if (!want.delete(r.tag))
          throw new Wrong(
            r.tag <= 100
              ? `tag ${r.tag} was answered twice`
              : `tag ${r.tag} was answered, and no request had it`,
          );
      }
    },
  ],
  pieces: [
    "a request that comes byte by byte is one",
    async (c) => {
      const p = await c.open();
      for (const b of framesof([{ type: F.Tstat, tag: 5, fid: ROOT }]))
        await p.raw(new Uint8Array([b]));
      const r = await p.next();
      if (r === null || r.type !== F.Rstat) throw new Wrong(`the answer is ${said(r)}`);
    },
  ],
  connections: [
    "fids are those of their connection",
    async (c) => {
      const [a, b] = [await c.open(), await c.open()];
      const fid = await a.walk([]);
      await b.refused({ type: F.Tstat, fid }, "a fid of another connection");
      await b.clunk(ROOT);
      await a.stat(ROOT);
    },
  ],
});

/** The largest offset that a file may have, and the largest that a message holds, as bytes. */
const OFFSETS = [127, 255].map((last) => [...Array.from({ length: 7 }, () => 255), last]);

/** A connection, and the request whose offset is tried: its type, and what it has behind the offset. */
type Faroff = { readonly p: Peer; readonly type: number; readonly rest: readonly number[] };

/** Asks for bytes at offsets where no file has any: the answer is an error or the end, or the server hangs up. */
async function faroff(c: Context, fid: number, how: Faroff): Promise<void> {
  const { p, type, rest } = how;
  for (const offset of OFFSETS) {
    await p.raw(frame(type, [fid, 0, 0, 0, ...offset, ...rest]));
    const r = await p.next();
    if (r === null) break;
    const empty = r.type === F.Rread && r.data.length === 0;
    if (r.type !== F.Rerror && !empty) throw new Wrong(`it was answered with ${named(r)}`);
  }
  const other = await c.open();
  await other.stat(ROOT);
}

/** Offsets with which servers count wrongly. */
const offsets: Check[] = section("read(5)", {
  lastoffset: [
    "a read at the largest offset gives nothing or an error, and others are served on",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      await p.open(fid, OREAD);
      await faroff(c, fid, { p, type: F.Tread, rest: [16, 0, 0, 0] });
    },
  ],
  lastwrite: [
    "a write at the largest offset is refused, and others are served on",
    async (c) => {
      const p = await c.open();
      const fid = await p.create(c.scratch, "lastwrite", 0o666);
      await faroff(c, fid, { p, type: F.Twrite, rest: [1, 0, 0, 0, 65] });
    },
  ],
});

/** What only a rude client asks for. */
const strange: Check[] = section("attach(5)", {
  badafid: [
    "an afid that no Tauth made is refused",
    async (c) => {
      const p = await c.call();
      await p.agree(MSIZE, "9P2000");
      const r = await p.tryattach(ROOT, 77);
      if (r.type !== F.Rerror) throw new Wrong("a Tattach with an unknown afid succeeded");
    },
    "should",
  ],
});

/** Sizes of messages that nothing fits into. */
const tiny: Check[] = section("version(5)", {
  tiny: [
    "an msize that holds no message is refused or answered, and others are served on",
    async (c) => {
      for (const msize of [0, 7, 30]) {
        const p = await c.call();
        await p.send({ type: F.Tversion, tag: NOTAG, msize, version: "9P2000" });
        const r = await p.next();
        if (r?.type === F.Rversion && r.msize > msize)
          throw new Wrong(`msize ${msize} was offered, and ${r.msize} answered`);
        if (r !== null && r.type !== F.Rversion && r.type !== F.Rerror)
          throw new Wrong(`a Tversion was answered with ${named(r)}`);
        await p.hangup();
      }
      const other = await c.open();
      await other.stat(ROOT);
    },
  ],
});

/** What no client may send. A server that dies of it is asked nothing more: these come last. */
const rude: Check[] = section("intro(5)", {
  type: [
    "a message of an unknown type is refused, and others are served on",
    hostile(() => frame(98, []), "a message of type 98"),
  ],
  reply: [
    "a reply from a client is refused, and others are served on",
    hostile(() => frame(F.Rclunk, []), "an Rclunk from the client"),
  ],
  short: [
    "a frame shorter than a header harms no other client",
    hostile(() => new Uint8Array([3, 0, 0, 0]), "a frame of 3 bytes"),
  ],
  long: [
    "a frame longer than msize is refused, and others are served on",
    hostile(
      (p) => frame(F.Tstat, [...fid0, ...Array.from({ length: p.msize }, () => 0)]),
      "a frame longer than msize",
    ),
  ],
  fixed: [
    "a frame that ends within its fixed part is refused, and others are served on",
    hostile(() => frame(F.Topen, [0, 0]), "a Topen of 9 bytes"),
  ],
  string: [
    "a string that goes beyond its frame is refused, and others are served on",
    hostile(
      () => frame(F.Tattach, [9, 0, 0, 0, 255, 255, 255, 255, 96, 234, 65, 0, 0]),
      "a Tattach with a uname of 60000 bytes in a frame of 20",
    ),
  ],
  names: [
    "a Twalk with fewer names than it says is refused, and others are served on",
    hostile(
      () => frame(F.Twalk, [...fid0, 9, 0, 0, 0, 5, 0, 1, 0, 65]),
      "a Twalk of 5 names with one",
    ),
  ],
  utf: [
    "a name that is not UTF-8 is not found, and others are served on",
    hostile(
      () => frame(F.Twalk, [...fid0, 9, 0, 0, 0, 1, 0, 2, 0, 255, 254]),
      "a Twalk of a name that is not UTF-8",
    ),
  ],
  data: [
    "a Twrite with less data than it says is refused, and others are served on",
    hostile(
      () => frame(F.Twrite, [...fid0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 65]),
      "a Twrite of 4096 bytes with one",
    ),
  ],
  rubbish: [
    "bytes that are no 9P harm no other client",
    async (c) => {
      const p = await c.call();
      await p.raw(joined(Array.from({ length: 20 }, () => utfencode("GET / HTTP/1.1\r\n"))));
      await p.hangup();
      const other = await c.open();
      await other.stat(ROOT);
    },
  ],
  vanishes: [
    "a client that goes in the middle of a request harms no other client",
    async (c) => {
      const p = await c.open();
      await p.raw(new Uint8Array([19, 0, 0, 0, F.Tread, 1]));
      await p.hangup();
      const other = await c.open();
      await other.stat(ROOT);
    },
  ],
});

const said = (r: Fcall | null): string => (r === null ? "a hang-up" : named(r));

/** A connection that speaks 9P2000.ix, where the server does. */
async function ix(c: Context): Promise<Peer> {
  if (!c.known.version.startsWith("9P2000.ix")) throw new Skip("it does not speak 9P2000.ix");
  return await c.open("9P2000.ix");
}

/** The replies to requests of one tag, which must come in the order asked. */
async function group(p: Peer, n: number, tag: number): Promise<Fcall[]> {
  const list: Fcall[] = [];
  while (list.length < n) {
    const r = await p.next();
    if (r === null) throw new Wrong(`it hung up after ${list.length} of ${n} replies`);
    if (r.tag !== tag) throw new Wrong(`a reply with tag ${r.tag}, and only ${tag} was used`);
    list.push(r);
  }
  return list;
}

const extension: Check[] = section("9P2000.ix", {
  order: [
    "requests of one tag are answered in the order asked",
    async (c) => {
      const p = await ix(c);
      const [tag, fid] = [7, p.newfid()];
      await p.send(
        { type: F.Twalk, tag, fid: ROOT, newfid: fid, wname: [] },
        { type: F.Tstat, tag, fid },
        { type: F.Tclunk, tag, fid },
      );
      const got = (await group(p, 3, tag)).map((r) => r.type);
      if (got.join(" ") !== [F.Rwalk, F.Rstat, F.Rclunk].join(" "))
        throw new Wrong(`Twalk, Tstat, Tclunk were answered with types ${got.join(", ")}`);
    },
  ],
  failure: [
    "each request of a tag is answered after one of them failed",
    async (c) => {
      const p = await ix(c);
      const [tag, fid] = [7, p.newfid()];
      await p.send(
        { type: F.Twalk, tag, fid: ROOT, newfid: fid, wname: ["no-such-name-here"] },
        { type: F.Tstat, tag, fid },
        { type: F.Tstat, tag, fid: ROOT },
      );
      const got = (await group(p, 3, tag)).map((r) => named(r).split(" ")[0]);
      if (got.join(" ") !== "Rerror Rerror Rstat")
        throw new Wrong(`the answers are ${got.join(", ")}, and not Rerror, Rerror, Rstat`);
    },
  ],
  truncate: [
    "a Tcreate with OTRUNC of a file that exists opens and empties it",
    async (c) => {
      const p = await ix(c);
      const dir = c.scratch;
      const fid = await p.create(dir, "otrunc", 0o666);
      await p.write(fid, 0, new Uint8Array([65, 66]));
      await p.clunk(fid);
      const again = await p.create(dir, "otrunc", 0o666, 0x10 | 2);
      const { length } = await p.stat(again);
      if (length !== 0) throw new Wrong(`its length is ${length}`);
    },
  ],
  stream: [
    "a Tstream brings the file, and says where it ends",
    async (c) => {
      if (c.known.version !== "9P2000.ix.stream") throw new Skip("it does not speak .stream");
      const p = await c.open("9P2000.ix.stream");
      const fid = await p.walk(c.file);
      const { length } = await p.stat(fid);
      await p.open(fid, OREAD);
      await p.send({ type: F.Tstream, tag: 3, fid, offset: 0, count: Infinity });
      let n = 0;
      for (;;) {
        const r = await p.next();
        if (r === null || r.type !== F.Rstream)
          throw new Wrong(`a Tstream was answered with ${said(r)}`);
        if (r.data.length === 0) break;
        n += r.data.length;
      }
      if (n !== length) throw new Wrong(`${n} bytes of a file of ${length} came`);
    },
  ],
});

/** The checks of this file. */
export const sessions: readonly Check[] = [
  ...version,
  ...attach,
  ...clunk,
  ...flush,
  ...intro,
  ...extension,
];

/** The checks of what no client may send. */
export const hostiles: readonly Check[] = [...strange, ...offsets, ...tiny, ...rude];
