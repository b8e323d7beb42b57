// The machines around the one that runs the program: drawn, filled into a form, or typed as text, a line
// each. The list of texts is what counts; the drawing and the form show it and change it.

import { distinct, hostof, hosttext } from "../boot/simhost.ts";
import { VERSIONS } from "../lib/9p/conn.ts";
import type { Simhost } from "../boot/simhost.ts";
import { Unitserror } from "../boot/units.ts";
import { byid, el, fill } from "./dom.ts";
import type { Map as Drawing } from "./map.ts";

type Key = "name" | "rtt" | "bw" | "jitter" | "loss" | "version";

const FIELDS: readonly (readonly [key: Key, label: string, hint: string])[] = [
  ["name", "name", "far"],
  ["rtt", "round trip", "50ms"],
  ["bw", "bandwidth", "600KB/s"],
  ["jitter", "jitter", "2ms"],
  ["loss", "loss", "1%"],
  ["version", "9P", "best"],
];

const NAMES = ["far", "near", "moon", "attic", "depot", "lab", "ship", "isle"];

/** The list of machines and what shows it. */
export class Machines {
  readonly #changed: () => void;
  readonly #lines = byid("machine-lines", HTMLTextAreaElement);
  readonly #forms = byid("machine-forms", HTMLElement);
  readonly #problem = byid("machine-problem", HTMLElement);
  #drawing: Drawing | null = null;
  #hosts: Simhost[] = [];

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#lines.addEventListener("input", () => this.#typed());
    byid("machine-add", HTMLButtonElement).addEventListener("click", () => this.#add("50ms"));
    this.#show();
  }

  /** Draws them, from the first time on that they are looked at. */
  async draw(): Promise<void> {
    if (this.#drawing !== null) return;
    const { Map: Drawing } = await import("./map.ts");
    this.#drawing ??= new Drawing(byid("machine-map", SVGSVGElement), {
      move: (i, rtt) => this.#change(i, { rtt }),
      add: (rtt) => this.#add(rtt),
      remove: (i) => this.#remove(i),
      choose: (i) => this.#fieldof(i, "rtt")?.focus(),
    });
    this.#drawing.draw(this.#hosts);
  }

  /** A text for each machine: "far:rtt=50ms". */
  get hosts(): readonly string[] {
    return this.#hosts.map(hosttext);
  }

  set hosts(texts: readonly string[]) {
    this.#hosts = texts.map(hostof);
    this.#lines.value = this.hosts.join("\n");
    this.#complain("");
    this.#show();
  }

  /** What is wrong with what was typed; "" when nothing is. */
  get problem(): string {
    return this.#problem.textContent;
  }

  #typed(): void {
    const texts = this.#lines.value
      .split("\n")
      .map((l) => l.trim())
      .filter(Boolean);
    const hosts = this.#read(() => texts.map(hostof));
    if (hosts === null) return;
    this.#hosts = hosts;
    this.#show();
    this.#changed();
  }

  /** What fn makes, if machines can be so; else says why not. */
  #read(fn: () => Simhost[]): Simhost[] | null {
    try {
      const hosts = fn();
      distinct(hosts);
      this.#complain("");
      return hosts;
    } catch (e) {
      if (!(e instanceof Unitserror)) throw e;
      this.#complain(e.hint === "" ? e.message : `${e.message} (${e.hint})`);
      return null;
    }
  }

  #complain(text: string): void {
    this.#problem.textContent = text;
    this.#problem.hidden = text === "";
  }

  #add(rtt: string): void {
    const name =
      NAMES.find((n) => this.#hosts.every((h) => h.name !== n)) ?? `m${this.#hosts.length}`;
    this.#put([...this.#hosts, { name, link: { rtt } }]);
    this.#fieldof(this.#hosts.length - 1, "name")?.select();
  }

  #remove(i: number): void {
    this.#put(this.#hosts.filter((_, j) => j !== i));
    const next = this.#fieldof(Math.min(i, this.#hosts.length - 1), "name");
    (next ?? byid("machine-add", HTMLButtonElement)).focus();
  }

  #put(hosts: Simhost[]): void {
    this.#hosts = hosts;
    this.#lines.value = this.hosts.join("\n");
    this.#complain("");
    this.#show();
    this.#changed();
  }

  /** Changes a field of a machine; the form stays as it is, so that one can go on typing. */
  #change(i: number, field: Partial<Record<Key, string>>): boolean {
    const old = this.#hosts[i];
    if (old === undefined) return false;
    const all: Partial<Record<Key, string>> = {
      name: old.name,
      ...old.link,
      ...(old.version !== undefined && { version: old.version }),
      ...field,
    };
    const parts = FIELDS.slice(1).flatMap(([key]) => {
      const v = all[key]?.trim() ?? "";
      return v === "" ? [] : [`${key}=${v}`];
    });
    const hosts = this.#read(() =>
      this.#hosts.map((h, j) => (j === i ? hostof(`${all.name ?? ""}:${parts.join(",")}`) : h)),
    );
    if (hosts === null) return false;
    this.#hosts = hosts;
    this.#lines.value = this.hosts.join("\n");
    this.#drawing?.draw(this.#hosts);
    if (field.rtt !== undefined) {
      const input = this.#fieldof(i, "rtt");
      if (input !== null && input.value !== field.rtt) input.value = field.rtt;
    }
    this.#changed();
    return true;
  }

  #fieldof(i: number, key: Key): HTMLInputElement | null {
    const e = document.getElementById(`machine-${i}-${key}`);
    return e instanceof HTMLInputElement ? e : null;
  }

  #show(): void {
    this.#drawing?.draw(this.#hosts);
    fill(this.#forms, ...this.#hosts.map((h, i) => this.#form(h, i)));
  }

  #form(h: Simhost, i: number): HTMLElement {
    const value: Partial<Record<Key, string | undefined>> = {
      name: h.name,
      ...h.link,
      version: h.version,
    };
    const fields = FIELDS.map(([key, label, hint]) => {
      const id = `machine-${i}-${key}`;
      const control =
        key === "version"
          ? versions(id, h.version)
          : el("input", {
              id,
              placeholder: hint,
              value: value[key] ?? "",
              spellcheck: "false",
              autocomplete: "off",
              size: 7,
            });
      control.addEventListener("input", () => {
        control.setAttribute("aria-invalid", String(!this.#change(i, { [key]: control.value })));
      });
      return el("label", { for: id, class: "field" }, el("span", {}, label), control);
    });
    const remove = el(
      "button",
      { type: "button", class: "quiet", "aria-label": `remove ${h.name}`, title: "remove" },
      "×",
    );
    remove.addEventListener("click", () => this.#remove(i));
    return el(
      "fieldset",
      { class: "machine" },
      el("legend", { class: "sr" }, `machine ${h.name}`),
      ...fields,
      remove,
    );
  }
}

function versions(id: string, version: string | undefined): HTMLSelectElement {
  const option = (value: string, text: string): HTMLOptionElement =>
    el("option", { value, selected: value === (version ?? "") }, text);
  return el("select", { id }, option("", "best"), ...VERSIONS.map((v) => option(v, v)));
}
