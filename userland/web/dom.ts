// Making and finding elements of the page, in short.

type Attrs = Readonly<Record<string, string | number | boolean | null | undefined>>;
type Child = Node | string | null;

/** Gives an element these attributes; null, undefined and false take one away. */
export function set(e: Element, attrs: Attrs): void {
  for (const [name, value] of Object.entries(attrs)) {
    if (value === null || value === undefined || value === false) e.removeAttribute(name);
    else e.setAttribute(name, value === true ? "" : String(value));
  }
}

/** An element with attributes and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attrs: Attrs = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  set(e, attrs);
  e.append(...children.filter((c) => c !== null));
  return e;
}

/** The same for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attrs: Attrs = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(e, attrs);
  e.append(...children.filter((c) => c !== null));
  return e;
}

/** The element with this id, of this kind: the page has it. */
export function byid<T extends Element>(id: string, kind: new () => T): T {
  const e = document.getElementById(id);
  if (!(e instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return e;
}

/** Puts children in place of those that are there. */
export function fill(e: Element, ...children: readonly Child[]): void {
  e.replaceChildren(...children.filter((c) => c !== null));
}
