// Hostile native programs: arguments that throw where the kernel looks at them, for each call and each argument. They
// end in an error of the call, or of the program, and neither the kernel nor another process is hurt.

import test from "ava";
import { calls } from "../../kernel/abi/calls.ts";
import type { Argkind, Callname } from "../../kernel/abi/calls.ts";
import { ORDWR, OWRITE, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { bindir } from "../../userland/boot/bin.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { Booted } from "../../kernel/boot.ts";
import { print } from "../../userland/lib/io.ts";

type Make = () => unknown;
type Calls = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

const boom = (): never => {
  throw new RangeError("boom");
};
const eight = (): Uint8Array<ArrayBuffer> => new Uint8Array(8).fill(120);
const own = (name: string, what: PropertyDescriptor): unknown =>
  Object.defineProperty(eight(), name, { configurable: true, ...what });
/** A length that throws when it is read so many times. */
const nth = (n: number): (() => number) => {
  let i = 0;
  return () => (++i >= n ? boom() : 8);
};
const transferred = <T extends ArrayBufferView<ArrayBuffer>>(v: T): T => {
  structuredClone(v.buffer, { transfer: [v.buffer] });
  return v;
};
const resizable = (): {
  readonly all: Uint8Array;
  readonly gone: Uint8Array;
  resize(n: number): void;
} => {
  const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [
    8,
    { maxByteLength: 16 },
  ]) as ArrayBuffer;
  const resize = (n: number): void =>
    void Reflect.apply(Reflect.get(buffer, "resize") as never, buffer, [n]);
  return { all: new Uint8Array(buffer), gone: new Uint8Array(buffer, 4, 4), resize };
};
class Lying extends Uint8Array {
  override get length(): number {
    return boom();
  }
}

/** Arrays of bytes that are not as the language makes them. */
const BYTES: readonly Make[] = [
  ...[
    "length",
    "byteLength",
    "byteOffset",
    "buffer",
    "subarray",
    "slice",
    "set",
    "constructor",
  ].map((name) => () => own(name, { get: boom })),
  ...[2, 3, 4, 6].map((n) => () => own("length", { get: nth(n) })),
  ...[2 ** 31, -1, Number.NaN, "x", 8n, Symbol("l"), 100, null].map(
    (value) => () => own("length", { value }),
  ),
  () => own("subarray", { value: null }),
  () =>
    own("subarray", {
      value: () => ({
        length: 3,
        get 0(): never {
          return boom();
        },
      }),
    }),
  () =>
    own("slice", {
      value: () => ({
        get length(): never {
          return boom();
        },
      }),
    }),
  () => own("constructor", { value: { [Symbol.species]: boom } }),
  () => own("constructor", { value: { [Symbol.species]: () => new Lying(8) } }),
  () => new Lying(8),
  () => Object.setPrototypeOf(eight(), null) as unknown,
  () => Object.setPrototypeOf(eight(), new Proxy(Uint8Array.prototype, { get: boom })) as unknown,
  () => new Proxy(eight(), { get: boom }),
  () => transferred(eight()),
  () => {
    const v = eight();
    queueMicrotask(() => void transferred(v));
    return v;
  },
  () => {
    const r = resizable();
    r.resize(2);
    return r.gone;
  },
  () => {
    const r = resizable();
    queueMicrotask(() => r.resize(0));
    return r.all;
  },
  () => new Uint8Array(new SharedArrayBuffer(8)),
  () => new Float64Array(4),
  () => [1, 2],
];

const traps = { get: boom, has: boom, ownKeys: boom, getPrototypeOf: boom };
const revoked = (target: object): unknown => {
  const r = Proxy.revocable(target, {});
  r.revoke();
  return r.proxy;
};

/** What any argument may be. */
const VALUES: readonly Make[] = [
  ...[
    null,
    undefined,
    Symbol("x"),
    3n,
    Number.NaN,
    Infinity,
    -1,
    1.5,
    2 ** 53,
    "",
    "a\0b",
    "\ud800",
  ].map((v) => () => v),
  () => "x".repeat(1e5),
  () => boom,
  () => new Proxy({}, traps),
  () => new Proxy(["a"], traps),
  () => revoked({}),
  () => revoked([]),
  () => revoked(boom),
  () => ({ [Symbol.toPrimitive]: boom, toString: boom, valueOf: boom }),
  // oxlint-disable-next-line unicorn/no-thenable
  () => ({ then: boom }),
  () => Object.defineProperty({}, "name", { get: boom, enumerable: true }),
  () => ({ mode: 3n, length: -1, mtime: Number.NaN, name: 5, qid: new Proxy({}, traps) }),
  () => Array.from({ length: 3 }),
  () => Object.assign([], { length: 2 ** 32 - 1 }),
  () => Object.defineProperty(new Int32Array(1), "length", { get: boom }),
  () => transferred(new Int32Array(1)),
];

const GOOD: Partial<Record<Argkind, unknown>> = {
  name: "/tmp/f",
  fd: 3,
  omode: ORDWR,
  perm: 0o664,
  mflags: 0,
  rflags: RFPROC,
  how: 0,
  number: 4,
  text: "",
  flag: true,
  changes: {},
  argv: ["x"],
  program: null,
  value: 3,
};
const ISBYTES: ReadonlySet<Argkind> = new Set(["fill", "bytes", "entry"]);
const good = (kind: Argkind): unknown =>
  ISBYTES.has(kind) ? eight() : kind === "sem" ? new Int32Array([1]) : GOOD[kind];

/** Runs a hostile program beside a good one; gives what was hurt, or null. */
async function hurt(hostile: (sys: Sys) => Promise<void>): Promise<string | null> {
  const k: Booted = await boot({ clock: "virtual", files: { bin: bindir, tmp: { f: "hello" } } });
  let panicked: string | null = null;
  k.onpanic((e) => (panicked = e.message));
  const other = k.spawn(
    async (sys: Sys) => {
      for (let i = 0; i < 3; i++) {
        await sys.sleep(100);
        await print(sys, "t");
      }
    },
    ["good"],
  );
  const p = k.spawn(hostile, ["hostile"]);
  k.sched.timer(2e9, () => p.kill());
  const status = await p.wait().catch(() => "");
  if (panicked !== null) return panicked;
  if ((await other.wait()) !== "" || other.output !== "ttt") return "the other program";
  for (const one of k.procs.values()) if (one !== k.proc0) one.kill("over");
  await k.shutdown();
  const { procs, chans, fids, tags } = k.audit();
  if (procs.length + chans.length + fids.length + tags.length > 0) return "something is left";
  return status.startsWith("lost") ? status : null;
}

/** What a call gives, which is of no interest; it fails with a PlanError if it does. */
const failing = (e: unknown): void => {
  if (!(e instanceof PlanError)) throw e;
};

const FILES = ["/tmp/f", "/dev/cons", "/dev/null", "/env/e", "pipe", "ram"];
const IO: readonly Callname[] = ["read", "write", "pread", "pwrite", "fstatraw", "fwstatraw"];

async function opened(sys: Sys, file: string): Promise<number> {
  if (file === "pipe") {
    const [a, b] = await sys.pipe();
    await sys.write(b, eight());
    return a;
  }
  if (file !== "ram")
    return await sys.open(file, ORDWR).catch(() => sys.create(file, ORDWR, 0o664));
  await sys.rfork(RFPROC, (its: Sys) => its.exec("/bin/ramfs", ["ramfs", "-m", "/tmp"]));
  await sys.sleep(20);
  return await sys.create("/tmp/g", ORDWR, 0o664);
}

/** Whether a file is still as good as ever. */
async function works(sys: Sys, file: string, fd: number): Promise<void> {
  if (file === "/dev/cons" || file === "/dev/null" || file === "pipe") return;
  await sys.pwrite(fd, new Uint8Array([1, 2, 3]), 0);
  const got = new Uint8Array(3);
  await sys.pread(fd, got, 0);
  if (got.join() !== "1,2,3") throw new Error(`lost: ${file}`);
}

for (const file of FILES)
  test(`bytes that throw when they are looked at hurt no kernel and no other process: ${file}`, async (t) => {
    for (const name of IO)
      for (const [i, make] of BYTES.entries()) {
        const what = await hurt(async (sys) => {
          const fd = await opened(sys, file);
          await (sys as unknown as Calls)[name]?.(fd, make(), 0).catch(failing);
          await works(sys, file, fd);
        });
        t.is(what, null, `${name} ${i}: ${String(BYTES[i])}`);
      }
  });

test("no argument of any call hurts the kernel or another process", async (t) => {
  for (const [name, { args }] of Object.entries(calls))
    for (const [i, kind] of args.entries())
      for (const make of ISBYTES.has(kind) ? [...VALUES, ...BYTES] : VALUES) {
        const what = await hurt(async (sys) => {
          await sys.open("/tmp/f", ORDWR);
          const given = args.map((each, j) => (i === j ? make() : good(each)));
          await (sys as unknown as Calls)[name]?.(...given).catch(failing);
        });
        t.is(what, null, `${name} ${i}: ${String(make)}`);
      }
});

test("an array of bytes that throws is a bad argument, and the error says why", async (t) => {
  const k = await boot({ clock: "virtual" });
  let why: string | undefined;
  const p = k.spawn(
    async (sys: Sys) => {
      const fd = await sys.open("/dev/cons", OWRITE);
      const e: unknown = await sys.write(fd, new Lying(3)).catch((thrown: unknown) => thrown);
      why = e instanceof PlanError ? `${e.message}: ${e.why}` : "no PlanError";
    },
    ["prog"],
  );
  t.is(await p.wait(), "");
  t.regex(
    why ?? "",
    /^bad arg in system call: An array among the arguments has properties of its own/,
  );
  await k.shutdown();
});
