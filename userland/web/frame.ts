// Where a program of the page runs: a frame with an origin of its own, which no page shares. The page has the
// program's text from anywhere, a link perhaps; so neither the program nor the kernel around it reaches the
// page's storage, channels or documents, and the files that lay the page out need no headers for it.
//
// The frame runs nothing but a worker. It gets that worker's modules and a port from the page, since a document of
// such an origin loads no module from the page's server. The worker's first script is a classic one: Chromium begins
// no module worker there. The rules of the page (its Content-Security-Policy) hold in the frame and in the worker,
// too; the frame has stricter ones of its own, by which nothing is requested from anywhere.

import type { Modules } from "./talk.ts";

/** The frame's only script; index.html allows it by its SHA-256. */
export const FRAMESCRIPT = `addEventListener("message", (e) => {
  if (e.source !== parent) return;
  const [script, modules] = e.data;
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onerror = (e) => parent.postMessage(String(e.message), "*");
  worker.postMessage(modules, e.ports);
}, { once: true });`;

/** What the frame and its worker may do. The page's own rules say which script the frame may have. */
const RULES =
  "default-src 'none'; script-src 'unsafe-inline' blob: 'wasm-unsafe-eval'; worker-src blob:; base-uri 'none'; form-action 'none'";

/** The worker's first script: it makes the modules blobs, which import each other by their addresses. */
const WORKERSCRIPT = `addEventListener("message", async ({ data, ports: [port] }) => {
  const urls = new Map();
  let last = "";
  for (const [name, text] of data) {
    const code = text.replace(/"\\.\\/([^"]+)"/g, (it, file) => (urls.has(file) ? JSON.stringify(urls.get(file)) : it));
    urls.set(name, (last = URL.createObjectURL(new Blob([code], { type: "text/javascript" }))));
  }
  try {
    (await import(last)).begin(port);
  } catch (e) {
    setTimeout(() => { throw e; });
  }
}, { once: true });`;

/** A frame with a worker in it, and the port to that worker. */
export class Frame {
  readonly port: MessagePort;
  readonly #frame: HTMLIFrameElement;
  readonly #heard: (e: MessageEvent) => void;

  /** Begins the worker; `broken` hears why it could not be begun. */
  constructor(modules: Modules, broken: (why: string) => void) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const frame = document.createElement("iframe");
    this.#frame = frame;
    frame.sandbox.add("allow-scripts");
    frame.hidden = true;
    frame.title = "the program's worker";
    frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${RULES}"><script>${FRAMESCRIPT}</script>`;
    // An opaque origin has no name that a message could be sent to.
    const begin = [WORKERSCRIPT, modules];
    frame.addEventListener("load", () => frame.contentWindow?.postMessage(begin, "*", [port2]), {
      once: true,
    });
    this.#heard = (e) => {
      if (e.source === frame.contentWindow && e.source !== null) broken(String(e.data));
    };
    window.addEventListener("message", this.#heard);
    document.body.append(frame);
  }

  /** Ends the worker, whatever it does. */
  end(): void {
    window.removeEventListener("message", this.#heard);
    this.port.close();
    this.#frame.remove();
  }
}
