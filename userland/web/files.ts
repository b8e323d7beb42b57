// The files of the terminal's machine: one directory at a time. A directory is entered, a file is taken into the
// editor.

import { byid, el, fill } from "./dom.ts";
import type { Edited, Found, Listed } from "./talk.ts";

/** What is done with files. */
type Hands = {
  /** Asks the machine what is at a path. */
  readonly look: (path: string) => void;
  readonly edit: (file: Edited) => void;
};

/** The panel of the files. */
export class Files {
  readonly #hands: Hands;
  #path = "/usr/glenda";

  constructor(hands: Hands) {
    this.#hands = hands;
    byid("files-up", HTMLButtonElement).addEventListener("click", () =>
      this.#hands.look(this.#path.replace(/\/[^/]*$/, "") || "/"),
    );
    byid("files-again", HTMLButtonElement).addEventListener("click", () => this.again());
  }

  /** Asks for the directory again. */
  again(): void {
    this.#hands.look(this.#path);
  }

  /** The machine's answer. */
  found(f: Found): void {
    const said = byid("files-said", HTMLElement);
    switch (f.what) {
      case "error":
        said.textContent = `${f.path}: ${f.text}`;
        return;
      case "file":
        said.textContent = "";
        this.#hands.edit({ name: f.path.replace(/^.*\//, ""), text: f.text });
        return;
      case "dir":
        this.#path = f.path;
        said.textContent = f.list.length === 0 ? "The directory is empty." : "";
        byid("files-path", HTMLElement).textContent = f.path;
        byid("files-up", HTMLButtonElement).disabled = f.path === "/";
        fill(byid("files", HTMLElement), ...f.list.map((x) => this.#item(x)));
    }
  }

  #item(x: Listed): HTMLElement {
    const path = `${this.#path === "/" ? "" : this.#path}/${x.name}`;
    const text = x.dir ? `${x.name}/` : x.name;
    const title = x.dir ? `look into ${path}` : `${x.length} bytes; take ${path} into the editor`;
    const b = el("button", { type: "button", class: "link", title }, text);
    b.addEventListener("click", () => this.#hands.look(path));
    return el("li", {}, b);
  }
}
