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
  for (const [name, what] of Object.entries(files)) {
    const path = `${dir}/${name}`;
    if (typeof what === "string" || what instanceof Uint8Array) {
      yield* writefile(sys, path, what);
      continue;
    }
    yield* sys.close(yield* sys.create(path, OREAD, DMDIR | 0o777));
    yield* plant(sys, path, what);
  }
}

/** Reads everything below a directory; a file by itself is what it holds. */
export function* gather(sys: TaskSys, name: string): Task<Files | string | Uint8Array> {
  const { qid } = yield* sys.stat(name);
  if ((qid.type & QTDIR) === 0) return contents(yield* readfile(sys, name));
  const list: [string, Files | string | Uint8Array][] = [];
  for (const d of yield* readdir(sys, name))
    list.push([d.name, yield* gather(sys, `${name === "/" ? "" : name}/${d.name}`)]);
  return Object.fromEntries(list);
}

function contents(bytes: Uint8Array): string | Uint8Array {
  const text = utfdecode(bytes, 0, bytes.length);
  const again = utfencode(text);
  const same = again.length === bytes.length && again.every((b, i) => b === bytes[i]);
  return same && !text.includes("\0") ? text : bytes;
}
