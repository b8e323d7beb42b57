// Files as an object, there and back: strings and bytes are files, objects directories. Both ways go through
// system calls, as any program's.

import { DMDIR, OREAD, QTDIR } from "../../kernel/abi/const.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../syscalls/sys.ts";
import { readdir } from "../lib/dirread.ts";
import { readfile, writefile } from "../lib/io.ts";

/** Names and what they hold. A file that is no text is bytes. */
export type Files = { readonly [name: string]: string | Uint8Array | Files };

/** Makes the files in a directory that is there. */
export function* plant(sys: TaskSys, dir: string, files: Files): Task<void> {
  const left: (readonly [dir: string, files: Files])[] = [[dir, files]];
  for (let x = left.pop(); x !== undefined; x = left.pop())
    for (const [name, what] of Object.entries(x[1])) {
      const path = `${x[0]}/${name}`;
      if (typeof what === "string" || what instanceof Uint8Array) {
        yield* writefile(sys, path, what);
        continue;
      }
      yield* sys.close(yield* sys.create(path, OREAD, DMDIR | 0o777));
      left.push([path, what]);
    }
}

/** Reads everything below a directory; a file by itself is what it holds. */
export function* gather(sys: TaskSys, name: string): Task<Files | string | Uint8Array> {
  const top: Record<string, Files | string | Uint8Array> = {};
  const left = [{ name, into: top, key: "" }];
  for (let x = left.pop(); x !== undefined; x = left.pop()) {
    const { qid } = yield* sys.stat(x.name);
    if ((qid.type & QTDIR) === 0) {
      put(x.into, x.key, contents(yield* readfile(sys, x.name)));
      continue;
    }
    const into: Record<string, Files | string | Uint8Array> = {};
    put(x.into, x.key, into);
    const list = yield* readdir(sys, x.name);
    for (const d of list) put(into, d.name, "");
    for (const d of list.toReversed())
      left.push({ name: `${x.name === "/" ? "" : x.name}/${d.name}`, into, key: d.name });
  }
  return top[""] ?? {};
}

/** A file's name may be one that objects have a meaning for, such as __proto__. */
function put(into: object, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, configurable: true, enumerable: true, writable: true });
}

function contents(bytes: Uint8Array): string | Uint8Array {
  const text = utfdecode(bytes, 0, bytes.length);
  const again = utfencode(text);
  const same = again.length === bytes.length && again.every((b, i) => b === bytes[i]);
  return same && !text.includes("\0") ? text : bytes;
}
