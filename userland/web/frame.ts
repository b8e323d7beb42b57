// Where a program of the page runs: a frame with an origin of its own, which no page shares. The page has the
// program's text from anywhere, a link perhaps; so neither the program nor the kernel around it reaches the
// page's storage, channels or documents, and the files that lay the page out need no headers for it.
//
// The frame runs nothing but a worker. It gets that worker's script and a port from the page, since a
// document of such an origin loads no module from the page's server. The script is a classic one: Chromium
// begins no module worker there. The rules of the page (its Content-Security-Policy) hold in the frame and in
// the worker, too; the frame adds RULES, so that nothing is requested from anywhere.

/** The frame's only script; index.html allows it by its SHA-256. */
export const FRAMESCRIPT = `addEventListener("message", (e) => {
  if (e.source !== parent) return;
  const url = URL.createObjectURL(new Blob([e.data], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onerror = (e) => parent.postMessage(String(e.message), "*");
  worker.postMessage(null, e.ports);
}, { once: true });`;

/** What the frame and its worker may have: scripts that the page has given them. */
const RULES =
  "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:";

/** A frame with a worker in it, and the port to that worker. */
export class Frame {
  readonly port: MessagePort;
  readonly #frame: HTMLIFrameElement;
  readonly #heard: (e: MessageEvent) => void;

  /** Begins the worker; `broken` hears why it could not be begun. */
  constructor(script: string, broken: (why: string) => void) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const frame = document.createElement("iframe");
    this.#frame = frame;
    frame.sandbox.add("allow-scripts");
    frame.hidden = true;
    frame.title = "the program's worker";
    frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${RULES}"><script>${FRAMESCRIPT}</script>`;
    // An opaque origin has no name that a message could be sent to.
    frame.addEventListener("load", () => frame.contentWindow?.postMessage(script, "*", [port2]), {
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
