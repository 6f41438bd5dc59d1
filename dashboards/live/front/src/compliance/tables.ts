// A table with a caption and headings that say which column they head; wide ones scroll by themselves.

import { el } from "../dom";

export type Cell = HTMLTableCellElement | Node | string;

/** With `cards` each row is a card on a phone, so that its buttons are on the screen. */
export function table(caption: string, heads: string[], rows: Cell[][], empty = "None.", cards = false): HTMLElement {
  if (!rows.length) return el("p", { class: "nothing" }, empty);
  const head = el("tr", {}, ...heads.map((name) => el("th", { scope: "col" }, name)));
  const body = rows.map((cells) => el("tr", {}, ...cells.map((cell, number) => {
    const made = cell instanceof HTMLTableCellElement ? cell : el("td", {}, cell);
    if (cards) made.dataset.label = heads[number] ?? "";
    return made;
  })));
  return el("div", { class: cards ? "wide cards" : "wide", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body)));
}

export function rowHead(text: Node | string): HTMLTableCellElement {
  return el("th", { scope: "row" }, text);
}

export function longText(text: string): HTMLTableCellElement {
  return el("td", { class: "text" }, text);
}

export function time(us: number): string {
  return us ? new Date(us / 1000).toISOString().slice(0, 19).replace("T", " ") : "";
}

export function facts(...pairs: [string, Node | string][]): HTMLElement {
  return el("dl", { class: "facts" }, ...pairs.filter(([, value]) => value !== "").map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

export function counted(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? "" : "s"}`;
}
