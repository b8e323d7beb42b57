// namec web: the page, dist/web, on a port of this machine. The page needs no server but one that hands out
// its files; any will do, under any path. This one is for those who have none.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import { readFileSync, statSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Usage } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { Loaderror } from "./load.ts";

const ROOT: string = fileURLToPath(new URL("../../web/", import.meta.url));
const HOST = "127.0.0.1";
const PORT = 5650;

export const web: Command = {
  name: "web",
  usage: "[options]",
  brief: "serve the page on which the kernel runs in the browser",
  about: `Serves the page until Ctrl-C: write a program, put machines around it, run it, and step
through what became of its names. Everything happens in the browser; the page asks this
server for its own files only. They are in dist/web, which npm run build:web
writes, and work from any file server, under any path.`,
  options: [
    {
      name: "listen",
      values: ["ADDR"],
      text: `the address to listen on (default ${HOST}, which only this machine reaches)`,
    },
    {
      name: "port",
      values: ["N"],
      text: `the port (default ${PORT}, or a free one if that is taken); 0 takes a free one`,
    },
  ],
  examples: ["namec web", "namec web --port 8080"],
  mixed: true,
  run: start,
};

async function start(given: Given): Promise<number> {
  if (given.rest.length > 0)
    throw new Usage(`${given.rest[0] ?? ""} is too much`, "namec web [--listen ADDR] [--port N]");
  const port = portof(given.get("port"));
  const host = given.get("listen") ?? HOST;
  if (!isfile(join(ROOT, "index.html")))
    throw new Loaderror("the page is not built: there is no dist/web; run npm run build:web");
  // Other commands need not wait for it.
  const { createServer } = await import("node:http");
  const server = createServer((q, r) => answer(q, r, ROOT));
  const at = await listening(server, { host, port: port ?? PORT, free: port === null });
  process.stderr.write(`the page is at ${at}; Ctrl-C ends it\n`);
  return await new Promise<number>((resolve) => {
    const end = (): void => {
      server.close(() => resolve(0));
      server.closeAllConnections();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end);
  });
}

function portof(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535)
    throw new Usage(`--port ${text}: a port is a number from 0 to 65535`);
  return port;
}

type Where = { readonly host: string; readonly port: number; readonly free: boolean };

/** Begins to listen; gives the address to look at. `free`: another port does as well. */
async function listening(server: Server, { host, port, free }: Where): Promise<string> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
  } catch (e) {
    const code = e instanceof Error && "code" in e ? e.code : "";
    if (code === "EADDRINUSE" && free)
      return await listening(server, { host, port: 0, free: false });
    throw new Loaderror(refusal(String(code), host, port) ?? String(e));
  }
  const { address, family, port: got } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${got}/`;
}

function refusal(code: string, host: string, port: number): string | null {
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is taken; give another, or --port 0 for a free one`;
    case "EACCES":
      return `port ${port} may not be used by you; give one above 1023, or --port 0`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `--listen ${host}: this machine has no such address; ${HOST} is its own`;
    default:
      return null;
  }
}

const TYPES: Readonly<Record<string, string>> = nullproto({
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
});

/** Answers one request with a file below root. */
function answer(q: IncomingMessage, r: ServerResponse, root: string): void {
  const head = q.method === "HEAD";
  if (!head && q.method !== "GET") return refuse(r, 405, "only GET and HEAD");
  const file = fileof(q.url ?? "/", root);
  if (file === null || !isfile(file)) return refuse(r, 404, "there is no such file");
  const body = readFileSync(file);
  // What has its contents in its name never changes.
  const forever = file.includes(`${sep}assets${sep}`);
  r.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": body.length,
    "cache-control": forever ? "public, max-age=31536000, immutable" : "no-cache",
    "x-content-type-options": "nosniff",
  });
  r.end(head ? undefined : body);
}

/** The file that a request asks for; null when it is none below root. */
export function fileof(url: string, root: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(url.replace(/[?#].*$/s, ""));
  } catch {
    return null;
  }
  if (!path.startsWith("/") || path.includes("\0")) return null;
  if (path.split(/[/\\]/).includes("..")) return null;
  const file = join(root, path.endsWith("/") ? `${path}index.html` : path);
  return file.startsWith(root) ? file : null;
}

function isfile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function refuse(r: ServerResponse, status: number, text: string): void {
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  };
  r.writeHead(status, status === 405 ? { ...headers, allow: "GET, HEAD" } : headers);
  r.end(`${text}\n`);
}
