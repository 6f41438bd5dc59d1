// Small helpers to build elements. Text is always set as text: names come from brokers.

type Child = Node | string | null | undefined | false;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, string> = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((c): c is Node | string => Boolean(c) || c === ""));
  return made;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found as T;
}

/** Replace the children only when what a person reads has changed: keeps focus and selection. */
export function fill(parent: HTMLElement, ...children: Child[]): void {
  const made = children.filter((c): c is Node | string => Boolean(c));
  const text = made.map((c) => (typeof c === "string" ? c : (c as HTMLElement).outerHTML)).join("\u0000");
  if (drawn.get(parent) === text) return;
  drawn.set(parent, text);
  parent.replaceChildren(...made);
}
const drawn = new WeakMap<HTMLElement, string>();
